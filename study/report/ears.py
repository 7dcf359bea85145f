"""What the report hears in clips: the paper's figures of control, and embeddings for Frechet distances.

Chords by Chordino where it is installed, else by the editor's own chord network; beats, melody and hits by
the editor's analysis; embeddings are the log-odds of its instrument network, 86 rows every quarter of a
second. All of it is in the repository, so that the report needs no download. It also chooses among candidates
in the editor, so that spans are judged by `study.listeners` too where these are trained. Audio is mono float
[n] at 32 kHz.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.analysis import chordino, instruments
from engines.analysis.analyze import Analysis, analyze
from engines.analysis.chords import chords as by_chordino
from engines.requests import Chord, Controls, Note
from study.listeners.hearing import frechet
from study.measure import metrics
from study.measure.asks import Ask
from study.measure.conditions import RATE, Clip, trimmed
from study.report.intervals import Estimate, centred, drawn, widened

Audio = NDArray[np.float32]
Floats = NDArray[np.float64]
SURE = 1e-3  # likelihoods are cut there, so that log-odds stay finite
FRECHET_DRAWS = 100
CONTROL = ("chord IOU", "beat F1", "melody similarity", "melody line", "drum hits F1")


@dataclass(frozen=True)
class Heard:
    """What is in one clip."""

    audio: Audio
    chords: tuple[Chord, ...]
    analysis: Analysis
    embeddings: Floats  # [T, ROWS]


def hear(audio: Audio) -> Heard:
    """What is in a clip [n]."""
    found = analyze(audio, RATE)
    line = by_chordino(audio, RATE).chords if chordino.present() else found.chords.chords
    return Heard(audio, line, found, embedded(audio))


def embedded(audio: Audio) -> Floats:
    """Log-odds [T, ROWS] of who plays in a clip [n]."""
    likely = np.clip(instruments.heard(audio, RATE)[1].astype(np.float64), SURE, 1 - SURE)
    return np.log(likely / (1 - likely))


def extractor() -> str:
    """Who names the chords."""
    return "Chordino" if chordino.present() else "the editor's chord network (Chordino is not installed)"


def control(heard: Heard, real: Heard, clip: Clip) -> dict[str, float]:
    """How a clip follows the one that it was asked after (sec. 4.3); NaN where that has nothing to follow."""
    seconds = len(clip.audio) / RATE
    downbeats = [t for t in real.analysis.rhythm.downbeats if t < seconds]
    notes, hits = clip.controls.melody or (), clip.controls.drums or ()
    rhythm = heard.analysis.rhythm
    return {
        "chord IOU": metrics.chord_iou(heard.chords, real.chords, seconds).iou,
        "beat F1": metrics.beat_f1(rhythm.downbeats, downbeats),
        "melody similarity": metrics.melody_similarity(heard.audio, clip.audio, RATE),
        "melody line": sung(heard.analysis.melody.notes, notes, seconds),
        "drum hits F1": metrics.drum_f1(heard.analysis.drums.hits, hits) if hits else float("nan"),
    }


def sung(heard: Sequence[Note], asked: Sequence[Note], seconds: float) -> float:
    """Share of the asked melody's time in which its pitch class is heard; NaN where none is asked."""
    if not asked:
        return float("nan")
    return metrics.melody_score(heard, asked, seconds).raw_chroma if heard else 0.0


def followed(made: Sequence[Heard], real: Sequence[Heard], clips: Sequence[Clip]) -> dict[str, list[float]]:
    """Figure -> a value a clip, and the same `, shuffled`: against the next clip's request, the floor."""
    out: dict[str, list[float]] = {}
    for i, heard in enumerate(made):
        for k, suffix in ((i, ""), ((i + 1) % len(clips), ", shuffled")):
            for name, value in control(heard, real[k], clips[k]).items():
                out.setdefault(name + suffix, []).append(value)
    return out


def distances(made: Sequence[Floats], reference: Floats) -> tuple[Estimate, list[float]]:
    """Frechet distance of clips' embeddings [T, E] each to a reference [m, E], and its bootstrap draws.

    Every set of as many clips is drawn alike, so that draws of two sets pair. Few clips make it too large,
    by the same for all: it compares sets of one size alone.
    """
    value = frechet(np.concatenate(made), reference)
    draws = np.array([
        frechet(np.concatenate([made[i] for i in which]), reference)
        for which in drawn(len(made), FRECHET_DRAWS)
    ])  # fmt: skip
    draws = centred(draws, value)
    return widened(value, draws, len(made)), draws.tolist()


class Ears:
    """Judges of changed spans that need no training: stands in for `study.listeners.jury.Jury`.

    They are the editor's own, which also choose among candidates: what they say is too kind to the engines.
    """

    def verdict(self, ask: Ask, inside: Audio, others: Sequence[Ask] = ()) -> dict[str, float]:
        """How far `inside` [m] in the span is what was asked, and `shuffled`, against other requests."""
        heard = analyze(ask.spliced(inside), RATE)
        lanes = Controls(heard.chords.chords, heard.melody.notes, heard.drums.hits)
        start, end = ask.piece.start, ask.piece.end
        mine = trimmed(lanes, end, start)
        found = [self._agrees(ask.kind, mine, trimmed(a.controls, end, start), end - start)
                 for a in (ask, *others)]  # fmt: skip
        rest = [value for value in found[1:] if np.isfinite(value)]
        return {"followed": found[0], "shuffled": float(np.mean(rest)) if rest else float("nan")}

    def _agrees(self, kind: str, heard: Controls, asked: Controls, seconds: float) -> float:
        if kind == "chords" and asked.chords:
            return metrics.chord_iou(heard.chords or (), asked.chords, seconds).iou
        if kind == "melody" and asked.melody:
            return sung(heard.melody or (), asked.melody, seconds)
        if kind == "drums" and asked.drums:
            return metrics.drum_f1(heard.drums or (), asked.drums)
        return float("nan")


def judges(folder: Any) -> tuple[Any, str]:
    """Who judges changed spans, and who that is in words: trained listeners where they are, else `Ears`."""
    from study.listeners import jury

    if (folder / "transcriber.safetensors").exists():
        return jury.opened(folder), "the listeners of study.listeners, which choose nothing"
    return Ears(), (
        "the editor's own analysis, which also chooses among candidates "
        "(independent listeners: python -m study.listeners.train)"
    )
