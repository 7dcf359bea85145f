"""The score of a span that is changed: what the musician asks for, and what goes on as it was.

A network keeps time, harmony and tune when it is told them. So every lane that a change leaves alone is
given: as it is heard in the recording, or where the span says nothing, continued from its surroundings, as
symbols a whole number of beats away. What was there sounds on in the score, not in the sound. What the words
ask of instruments becomes parts of the lane. Times are seconds on the recording's clock. Knows no models.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

import numpy as np
from numpy.typing import NDArray

from engines.analysis.analyze import Analysis, analyze
from engines.audio.timebase import Grid
from engines.filling import repeats
from engines.filling.agreement import asked_parts
from engines.filling.recent import Recent, content
from engines.music.instruments import DRUMS_ROW, OTHERS, named
from engines.requests import CONTINUED, Change, Controls, Hit, InpaintRequest, LaneValue, Part

if TYPE_CHECKING:
    from engines.networks.text import TextEncoder

LIKELY: Final = 0.35  # confidence from which a note counts as heard
STEADY: Final = 0.5  # confidence from which beats are told
REMEMBERED: Final = 8  # windows whose analysis is kept: three engines re-make one span
_heard: Recent[Analysis] = Recent(REMEMBERED)


@dataclass(frozen=True)
class Score:
    """What a changed span is made from."""

    controls: Controls  # every lane that is known
    changed: tuple[Change, ...]  # fields of `Controls` that ask for something new, and "words"
    heard: tuple[str, ...]  # fields that were heard in the recording, not given by the request


def score_of(
    request: InpaintRequest,
    audio: NDArray[np.float32],
    rate: int,
    start: float,
    encoder: TextEncoder | None = None,
) -> Score:
    """The score of a request that changes its spans; audio is the mono window [n] that begins at `start`."""
    lanes, wished = request.controls, request.wished
    changed: tuple[Change, ...] = tuple(
        name for name in wished if name == "words" or getattr(lanes, name, None) is not None
    )
    parts = asked_parts(request, encoder)
    nothing = ("chords", "melody") if _drums_alone(parts) else ()
    missing = [
        name
        for name in (*CONTINUED, "grid")
        if getattr(lanes, name) is None and name not in (*wished, *request.left_open, *nothing)
    ]
    if missing:
        heard = _lanes(_analysis(audio, rate).shifted(start))
        heard = _continued(request, heard)
        lanes = replace(lanes, **{name: getattr(heard, name) for name in missing})
        missing = [name for name in missing if getattr(lanes, name) is not None]
    if parts and lanes.instruments is None:
        lanes = replace(lanes, instruments=parts)
        changed = tuple(dict.fromkeys((*changed, "instruments")))
    if lanes.drums is not None and "drums" not in wished:
        lanes = replace(lanes, drums=_allowed(lanes.drums, parts))
    return Score(lanes, changed, tuple(missing))


def _analysis(audio: NDArray[np.float32], rate: int) -> Analysis:
    """What is heard in a window [n]; remembered."""
    return _heard.get((content(audio), rate), lambda: analyze(audio, rate))


def _lanes(heard: Analysis) -> Controls:
    """Lanes as they are heard; None where nothing is."""
    likely = zip(heard.melody.notes, heard.melody.confidence, strict=True)
    notes = tuple(note for note, sure in likely if sure >= LIKELY)
    chords = tuple(chord for chord in heard.chords.chords if chord.symbol not in ("N", "UNK"))
    rhythm, grid = heard.rhythm, None
    if rhythm.beats and rhythm.confidence >= STEADY and rhythm.beats_per_bar and 20 <= rhythm.bpm <= 400:
        first = rhythm.downbeats[0] if rhythm.downbeats else rhythm.beats[0]
        grid = Grid(rhythm.bpm, rhythm.beats_per_bar, first)
    return Controls(chords or None, notes or None, heard.drums.hits or None, grid=grid)


def _continued(request: InpaintRequest, heard: Controls) -> Controls:
    """The same where a span in which a lane says nothing takes it from where the music repeats."""
    for place, (start, end) in enumerate(request.spans):
        mute = [name for name in CONTINUED if _says_nothing(getattr(heard, name), start, end)]
        if not mute:
            continue
        others = (*request.spans[:place], *request.spans[place + 1 :])
        lags = repeats.lags(request.source, start, end, 1, others)
        if not lags:
            continue
        copied = {name: _copied(getattr(heard, name), start, end, lags[0]) for name in mute}
        heard = replace(heard, **copied)  # type: ignore[arg-type]  # each lane is copied of its own kind
    return heard


def _says_nothing(lane: Sequence[LaneValue] | None, start: float, end: float) -> bool:
    """Whether a lane that says something elsewhere is empty over a span."""
    return bool(lane) and not any(_lies_in(item, start, end) for item in lane or ())


def _lies_in(item: LaneValue, start: float, end: float) -> bool:
    if isinstance(item, Hit):
        return start <= item.time < end
    return item.start < end and item.end > start


def _copied(lane: Sequence[LaneValue], start: float, end: float, lag: float) -> tuple[LaneValue, ...]:
    """A lane with what it has `lag` seconds away copied into a span."""
    moved = (
        replace(item, time=item.time - lag)
        if isinstance(item, Hit)
        else replace(item, start=max(item.start - lag, start), end=min(item.end - lag, end))
        for item in lane
        if _lies_in(item, start + lag, end + lag)
    )
    return tuple(sorted((*lane, *moved), key=_begins))


def _begins(item: LaneValue) -> float:
    return item.time if isinstance(item, Hit) else item.start


def _drums_alone(parts: Sequence[Part]) -> bool:
    """Whether nothing but drums is to play, so that there is neither harmony nor tune to keep."""
    named_so = [(named(part.instrument), part.plays) for part in parts]
    return (OTHERS, False) in named_so and {name for name, plays in named_so if plays} == {DRUMS_ROW}


def _allowed(hits: tuple[Hit, ...], parts: Sequence[Part]) -> tuple[Hit, ...]:
    """The drum lane without the hits over which no drums are to play."""
    plays = [part for part in parts if part.plays and named(part.instrument) == DRUMS_ROW]
    out = [part for part in parts if not part.plays and named(part.instrument) in (DRUMS_ROW, OTHERS)]
    out = [part for part in out if not any(p.start < part.end and p.end > part.start for p in plays)]
    return tuple(hit for hit in hits if not any(part.start <= hit.time < part.end for part in out))
