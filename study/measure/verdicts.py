"""The bars of a bundle, each beside what was measured, its floor and its ceiling.

Reads the tables of `parts.py`. Does not know how they were measured.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from study.listeners.hearing import SPAN_FIGURES
from study.measure.parts import CODEC, Rows

CEILING = {"ar": "real, codec RVQ", "fm": "real, codec continuous"}
BASELINES = ("naive paste", "silence")  # and the engine's own independent clip


@dataclass(frozen=True)
class Bar:
    """A bar and what was measured against it."""

    part: str
    row: str
    figure: str
    value: float
    sign: str  # ">=", "<=", "|<=|" (either way), ">" and "<" (ahead of)
    bar: float
    floor: float | None = None
    ceiling: float | None = None
    why: str = ""  # what the bar is, where it is no fixed number

    @property
    def met(self) -> bool:
        """Whether it is met; what could not be measured is not."""
        v, b = self.value, self.bar
        return bool({">=": v >= b, "<=": v <= b, "|<=|": abs(v) <= b, ">": v > b, "<": v < b}[self.sign])


# (row, figure, sign, bar) of the codec on renders ("") and recordings
_CODEC_BARS = (
    ("", "continuous", "SI-SNR dB", ">=", 9.0), (", recordings", "continuous", "SI-SNR dB", ">=", 6.0),
    ("", "RVQ", "below continuous dB", "<=", 2.0), (", recordings", "RVQ", "below continuous dB", "<=", 2.0),
    *((name, kind, ">4 kHz dB", "|<=|", 1.5) for name in ("", ", recordings") for kind in CODEC),
    *(("", kind, "chroma", ">=", 0.95) for kind in CODEC),
    *((", recordings", kind, "chroma", ">=", 0.90) for kind in CODEC),
)  # fmt: skip
_GENERATION_BARS = {  # figure -> engine -> bar
    "chord IOU": {"ar": 0.60, "fm": 0.50},
    "melody": {"ar": 0.45, "fm": 0.40},
    "drum onsets F1": {"ar": 0.60, "fm": 0.60},
}


def bars(figures: dict[str, Rows]) -> list[Bar]:
    """Every bar whose figure was measured."""
    out = [*_of_codec(figures.get("codec", {})), *_of_clips(figures.get("generate", {}))]
    out += _of_words(figures.get("text", {}))
    for part in ("inpaint", "inpaint, recordings"):
        out += _ahead(part, figures.get(part, {}))
    return out


def _of_codec(codec: Rows) -> list[Bar]:
    """How faithful and how fast the codec is."""
    out: list[Bar] = []
    for name, kind, figure, sign, bar in _CODEC_BARS:
        row = f"codec {kind}{name}"
        if figure in codec.get(row, {}):
            out.append(Bar("codec", row, figure, codec[row][figure], sign, bar))
    for figure, bar in (("decode 10 s, CPU s", 1.5), ("transformers, max difference", 1e-4)):
        if "facts" in codec:
            out.append(Bar("codec", "facts", figure, codec["facts"][figure], "<=", bar))
    return out


def _of_clips(rows: Rows) -> list[Bar]:
    """How clips follow their lanes, and how far they are from real ones."""
    out: list[Bar] = []
    for engine, ceiling in CEILING.items():
        if engine not in rows:
            continue
        top = rows[ceiling]
        for name, of in _GENERATION_BARS.items():
            floor = rows[engine].get(f"{name}, shuffled")
            value = rows[engine].get(name, float("nan"))
            out.append(Bar("generate", engine, name, value, ">=", of[engine], floor, top.get(name)))
        value, limit, why = rows[engine]["FAD"], 1.5 * top["FAD"], f"1.5 x {ceiling}"
        out.append(Bar("generate", engine, "FAD", value, "<=", limit, None, top["FAD"], why))
    return out


def _of_words(rows: Rows) -> list[Bar]:
    """Whether the lead that the words name is heard."""
    out: list[Bar] = []
    figure = "lead of 10"
    for engine, ceiling in CEILING.items():
        for name, bar in (("", 0.60), (", unseen words", 0.50)):
            row = rows.get(engine + name)
            if row:
                floor, top = row[f"{figure}, shuffled"], rows[ceiling][figure]
                out.append(Bar("text", engine + name, figure, row[figure], ">=", bar, floor, top))
    return out


def _ahead(part: str, rows: Rows) -> list[Bar]:
    """Supervised FM and AR against naive paste, silence and the engine's own independent clip."""
    out = []
    for engine in ("ar", "fm"):
        if engine not in rows:
            continue
        for figure, more in SPAN_FIGURES.items():
            against = {
                n: rows[n][figure] for n in (*BASELINES, f"independent {engine}") if figure in rows.get(n, {})
            }
            against = {n: v for n, v in against.items() if not np.isnan(v)}
            if not against or figure not in rows[engine]:
                continue
            best = (max if more else min)(against, key=lambda n: against[n])
            real = rows["real"].get(figure)
            value, sign = rows[engine][figure], ">" if more else "<"
            out.append(Bar(part, engine, figure, value, sign, against[best], None, real, best))
        out.append(Bar(part, engine, ">4 kHz in-out dB", rows[engine][">4 kHz in-out dB"], "|<=|", 2.0))
    return out


def show(figures: dict[str, Rows]) -> None:
    """Print each set as a table, then every bar beside its figure, floor and ceiling."""
    for title, rows in figures.items():
        columns = list(dict.fromkeys(c for row in rows.values() for c in row))
        print(f"\n{title}")
        for at in range(0, len(columns), 8):
            part = columns[at : at + 8]
            print(f"{'':26}" + "".join(f"{c[-15:]:>16}" for c in part))
            for name, row in rows.items():
                if any(c in row for c in part):
                    print(f"{name:26}" + "".join(f"{row[c]:16.3f}" if c in row else " " * 16 for c in part))
    print(f"\n{'bars':48}{'measured':>10}{'bar':>14}{'floor':>9}{'ceiling':>9}")
    for bar in bars(figures):
        limit = (
            f"{bar.sign} {bar.bar:.3f}" if bar.bar >= 5e-4 or bar.bar == 0 else f"{bar.sign} {bar.bar:.0e}"
        )
        floor, top = (f"{x:9.3f}" if x is not None else " " * 9 for x in (bar.floor, bar.ceiling))
        name = f"{bar.part}: {bar.row}: {bar.figure}"
        print(
            f"{name:48}{bar.value:10.3f}{limit:>14}{floor}{top}  {'met' if bar.met else 'NOT MET'}"
            + (f"  ({bar.why})" if bar.why else "")
        )
