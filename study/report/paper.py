"""The paper's figures, each with the table that it stands in. Knows nothing of ours.

"Auto-Regressive vs Flow-Matching: a Comparative Study of Modeling Paradigms for Text-to-Music Generation"
(Tal, Kreuk, Adi). Its FAD is on VGGish and its clips are of another set than ours: only differences between
its rows can be laid beside differences between ours, never the numbers themselves.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Quoted:
    """One row of one of the paper's tables."""

    table: str  # "Table 3"
    row: str
    figures: dict[str, float]  # by the names of our columns


ALIKE = "Table 2, 50 Hz"
QUALITY = (
    Quoted(ALIKE, "AR", {"FAD": 0.47, "CLAP": 0.40, "PQ": 7.69, "PC": 5.78, "CE": 7.24}),
    Quoted(ALIKE, "FM", {"FAD": 0.48, "CLAP": 0.40, "PQ": 7.73, "PC": 5.60, "CE": 7.20}),
    Quoted(ALIKE, "FM on VAE latents", {"FAD": 0.87, "CLAP": 0.40, "PQ": 7.41, "PC": 5.87, "CE": 7.07}),
)
CONTROL = (
    Quoted("Table 3", "AR, all lanes", {"chord IOU": 0.57, "beat F1": 0.39, "melody similarity": 0.41,
                                        "FAD": 0.72}),
    Quoted("Table 3", "FM, all lanes", {"chord IOU": 0.33, "beat F1": 0.42, "melody similarity": 0.32,
                                        "FAD": 0.78}),
    Quoted("Table 3", "AR, chords alone", {"chord IOU": 0.70, "FAD": 1.01}),
    Quoted("Table 3", "FM, chords alone", {"chord IOU": 0.40, "FAD": 1.41}),
)  # fmt: skip
SPANS = (
    Quoted("Table 4", "AR", {"FAD": 0.23, "CLAP": 0.36, "PQ": 7.75, "PC": 5.65, "CE": 7.31}),
    Quoted("Table 4", "FM", {"FAD": 0.32, "CLAP": 0.36, "PQ": 7.80, "PC": 5.48, "CE": 7.31}),
    Quoted("Table 4", "FM (ZS)", {"FAD": 0.30, "CLAP": 0.39, "PQ": 7.89, "PC": 5.73, "CE": 7.40}),
)
# Of Table 5 the text at hand has one column alone; the order of the others is told in words (sec. 5.3).
RATED = {"transition smoothness": (8.11, 0.15), "audio match": (7.93, 0.21)}  # of FM: mean, 95 % half width
STEPS_FAD = {200: 0.90, 50: 1.33, 25: 1.87, 10: 4.92}  # Table 8, FM at 50 Hz, Euler's steps -> FAD
RATES_FAD = {(25, 10): 0.42, (25, 20): 0.45, (25, 40): 0.51, (50, 10): 0.48, (50, 20): 0.62, (50, 40): 0.65,
             (100, 10): 0.68}  # Table 7: (Hz, seconds) -> FAD  # fmt: skip
ENTROPY_TURN = 50  # step up to which lanes lower AR's entropy (Fig. 9)
THROUGHPUT = {"AR": 6.5, "FM": 3.5}  # clips of 10 s a second at batch 256, FM by Euler 50, one A100 (Fig. 5)
