"""Whether what was asked of a span is heard in it, judged by listeners that choose nothing.

Words by the lead instrument among ten (`study.listeners.tagger`), the melody by the leading line and drums
by hits (`study.listeners.transcriber`), chords by Chordino. Each figure has a floor, the same sound against
the request of another span, and a ceiling, the twin's own sound (`study.measure.asks`). Verdicts are kept
on disk. Audio is mono float [n] at 32 kHz; times are seconds.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.analysis import analyze as analysis
from engines.requests import Chord, Controls
from study.listeners import tagger, transcriber
from study.listeners.hearing import mean, retrieved
from study.listeners.train import FOLDER
from study.measure import metrics
from study.measure.asks import Ask
from study.measure.conditions import trimmed
from study.measure.outputs import digest, quantized
from study.measure.spans import RATE

Audio = NDArray[np.float32]
Figures = dict[str, float]
_VERSION = b"1"  # of the verdicts: another one judges everything again


@dataclass
class Jury:
    """The judges, and what they said before."""

    listener: tagger.Tagger
    lines: transcriber.Transcriber
    folder: Path = Path("runs/inpainting/heard")
    _version: bytes = field(init=False, default=b"")

    def __post_init__(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        states = [*self.listener.state_dict().values(), *self.lines.state_dict().values()]
        self._version = digest(_VERSION, *(v.detach().numpy().tobytes() for v in states)).encode()

    def verdict(self, ask: Ask, inside: Audio, others: Sequence[Ask] = ()) -> Figures:
        """How far `inside` [m] in the span is what was asked: "followed", and "shuffled", against other asks.

        Of chords also "lane": against the lane itself and not against what is heard in the twin.
        """
        told = repr([(a.kind, a.lead, a.controls, a.piece.start, a.piece.end) for a in (ask, *others)])
        sounds = (quantized(inside).tobytes(), quantized(ask.piece.audio).tobytes())
        file = self.folder / f"{digest(self._version, told.encode(), *sounds)}.json"
        if not file.exists():
            figures = _heard(self, ask, inside, others)
            part = file.with_suffix(".part")
            part.write_text(json.dumps(figures))
            part.rename(file)
        return {str(k): float(v) for k, v in json.loads(file.read_text()).items()}


def opened(folder: Path = FOLDER) -> Jury:
    """The judges that `study.listeners.train` trained. Raises SystemExit if there are none."""
    return Jury(tagger.load_tagger(folder), transcriber.load(folder))


def _heard(jury: Jury, ask: Ask, inside: Audio, others: Sequence[Ask]) -> Figures:
    if ask.kind in ("words", "instruments"):
        return lead_heard(jury.listener, inside, ask.lead, [other.lead for other in others])
    whole, (start, end) = ask.spliced(inside), (ask.piece.start, ask.piece.end)
    if ask.kind == "melody":
        pitches = jury.lines.pitches(whole)
        return _beside_others(
            lambda a: transcriber.line_agreement(pitches, a.controls.melody or (), start, end), ask, others
        )
    if ask.kind == "drums":
        hits = jury.lines.hits(whole)
        return _beside_others(
            lambda a: transcriber.hit_agreement(hits, a.controls.drums or (), start, end), ask, others
        )
    heard = within(analysis.chords(whole, RATE).chords, start, end)

    def iou(a: Ask) -> float:
        twin = a.twin if a is not ask or a.twin is None else a.spliced(a.ideal)
        wanted = (a.controls.chords or ()) if twin is None else analysis.chords(twin, RATE).chords
        return metrics.chord_iou(heard, within(wanted, start, end), end - start).iou

    lane = metrics.chord_iou(heard, within(ask.controls.chords or (), start, end), end - start).iou
    return _beside_others(iou, ask, others) | {"lane": lane}


def _beside_others(judge: Callable[[Ask], float], ask: Ask, others: Sequence[Ask]) -> Figures:
    return {"followed": judge(ask), "shuffled": mean([judge(other) for other in others])}


def lead_heard(listener: tagger.Tagger, inside: Audio, lead: str, others: Sequence[str]) -> Figures:
    """Whether `lead` is what leads in audio [m], among ten; NaN for one that the listener does not know."""
    leads = listener.config.leads
    scores = listener.listen([np.ascontiguousarray(inside)]).leads[0].double().numpy()
    seed = len(inside)

    def found(name: str) -> float:
        return float(retrieved(scores, leads, name, seed)) if name in leads else float("nan")

    return {"followed": found(lead), "shuffled": mean([found(name) for name in others if name != lead])}


def within(chords: Sequence[Chord], start: float, end: float) -> tuple[Chord, ...]:
    """Chords in [start, end) seconds, on a clock that begins at `start`."""
    return trimmed(Controls(chords=tuple(chords)), end, start).chords or ()
