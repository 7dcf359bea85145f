"""What of a request came true: what was asked for is listened to again in what was made.

Only what the request changed is judged, inside its spans. Chords, melody and drums are heard by the analysis,
instruments by its own listener; none of them has a say in the measures of the study. Times are seconds on
the recording's clock. Does not know engines, candidates or projects.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from engines.analysis import chords as analysis_chords
from engines.analysis import instruments as analysis_instruments
from engines.analysis import melody as analysis_melody
from engines.analysis import rhythm as analysis_rhythm
from engines.analysis.features import Features, listen
from engines.music import chords
from engines.music.instruments import OTHERS, ROWS, family_of, members, named
from engines.outcomes import Wish
from engines.progress import Stopwatch
from engines.requests import CHANGES, Chord, GenerateRequest, Hit, InpaintRequest, Note, Part, Request
from engines.words import reader as words

if TYPE_CHECKING:
    from engines.networks.text import TextEncoder

Item = TypeVar("Item", Chord, Note, Part)
Audio = NDArray[np.float32]
Span = tuple[float, float]  # seconds, half-open
STEP: Final = 0.02  # seconds between the moments at which melody and chords are compared
NEAR: Final = 0.06  # seconds by which a hit may be off
PRESENT: Final = 0.5  # likelihood from which an instrument counts as heard
AROUND_SECONDS: Final = 1.5  # heard on either side of a span: beats and long notes begin before it


def asked_parts(request: Request, encoder: TextEncoder | None = None) -> tuple[Part, ...]:
    """Who is asked to play or not: the lane's where it was changed, the words' where they name someone.

    With `encoder` the words are understood by more than their spelling (`engines.words.reader`).
    """
    spans = _spans(request)
    lane = tuple(_within(request.controls.instruments or (), spans))
    if isinstance(request, GenerateRequest):
        return lane or tuple(part for span in spans for part in words.parts(request.prompt, *span, encoder))
    told = lane if "instruments" in request.wished else ()
    if "words" in request.wished and request.controls.instruments is None:
        told += tuple(part for span in spans for part in words.parts(request.prompt, *span, encoder))
    return told


def judged(request: Request, encoder: TextEncoder | None = None) -> bool:
    """Whether the request asks for anything that can be heard again."""
    wished = _wished(request)
    lanes = request.controls
    return bool(
        asked_parts(request, encoder)
        or ("melody" in wished and lanes.melody)
        or ("chords" in wished and lanes.chords)
        or ("drums" in wished and lanes.drums is not None)
    )


def wishes(
    audio: Audio, rate: int, request: Request, start: float = 0.0, encoder: TextEncoder | None = None
) -> tuple[Wish, ...]:
    """What of the request is heard in mono audio [n] that begins `start` seconds into the recording.

    Empty where nothing was asked for. Instruments first, in the order of the request.
    """
    if not judged(request, encoder):
        return ()
    spans, wished, lanes = _spans(request), _wished(request), request.controls
    first = max(0, round((spans[0][0] - AROUND_SECONDS - start) * rate))
    last = min(len(audio), round((spans[-1][1] + AROUND_SECONDS - start) * rate))
    heard, begin = audio[first:last], start + first / rate
    found = list(_instruments(heard, rate, begin, asked_parts(request, encoder)))
    if not {"chords", "melody", "drums"} & set(wished):
        return tuple(found)
    features = listen(heard, rate, Stopwatch(None))
    seconds = sum(b - a for a, b in spans)
    asked_chords, asked_notes = _within(lanes.chords or (), spans), _within(lanes.melody or (), spans)
    if "chords" in wished and asked_chords:
        changes = analysis_chords.from_notes(features).chords
        share = chord_agreement(_later(changes, begin), asked_chords)
        found.append(Wish("chords", "chords", share=share, seconds=seconds))
    if "melody" in wished and asked_notes:
        line = analysis_melody.melody(features, music=True).notes  # a poor filling may pass for speech
        share = melody_agreement(_later(line, begin), asked_notes)
        found.append(Wish("melody", "melody", share=share, seconds=seconds))
    if "drums" in wished and lanes.drums is not None:
        asked_hits = [hit for hit in lanes.drums if any(a <= hit.time < b for a, b in spans)]
        share = drum_agreement(_hits(features, begin, spans), asked_hits)
        found.append(Wish("drums", "drums", share=share, seconds=seconds))
    return tuple(found)


def agreement_of(heard: Sequence[Wish]) -> float:
    """How far wishes came true, 0..1: the mean of all; 1 where there are none."""
    return sum(wish.granted for wish in heard) / len(heard) if heard else 1.0


def melody_agreement(heard: Sequence[Note], asked: Sequence[Note]) -> float:
    """Share of the time that notes are asked for in which a note of the same pitch class is heard."""
    right = total = 0
    for note in asked:
        moments = np.arange(note.start + STEP / 2, note.end, STEP)
        total += len(moments)
        for other in heard:
            if (other.pitch - note.pitch) % 12 == 0:
                right += int(((moments >= other.start) & (moments < other.end)).sum())
    return right / total if total else 0.0


def chord_agreement(heard: Sequence[Chord], asked: Sequence[Chord]) -> float:
    """Pitch classes that both chords have, of those that either has, mean over the time of the asked ones."""
    right, total = 0.0, 0
    for chord in asked:
        wanted = set(chords.pitch_classes(chord.symbol))
        for moment in np.arange(chord.start + STEP / 2, chord.end, STEP):
            sounds = next(
                (set(chords.pitch_classes(c.symbol)) for c in heard if c.start <= moment < c.end), set()
            )
            right += len(wanted & sounds) / len(wanted | sounds) if wanted | sounds else 1.0
            total += 1
    return right / total if total else 0.0


def drum_agreement(heard: Sequence[Hit], asked: Sequence[Hit]) -> float:
    """F1 of hits of the same drum at most NEAR apart, each counted once; 1 where there are none at all."""
    if not heard and not asked:
        return 1.0
    left, right = sorted(heard, key=lambda hit: hit.time), 0
    for hit in asked:
        match = next((o for o in left if o.drum == hit.drum and abs(o.time - hit.time) <= NEAR), None)
        if match is not None:
            left.remove(match)
            right += 1
    return 2 * right / (len(heard) + len(asked))


def _instruments(audio: Audio, rate: int, begin: float, parts: Sequence[Part]) -> list[Wish]:
    if not parts:
        return []
    times, likely = analysis_instruments.heard(audio, rate)  # [T], [T, ROWS]
    times = times + begin
    told = [(named(part.instrument), part) for part in parts]
    playing = {name for name, part in told if part.plays}
    found = []
    for name, part in dict.fromkeys(told):
        inside = (times >= part.start) & (times < part.end)
        if not inside.any():
            continue
        at = _sounds(likely[inside], name, playing)
        share = float((at >= PRESENT).mean())
        sure = float(np.where(at >= PRESENT, at, 1 - at).mean())
        found.append(Wish("instrument", name, part.plays, share, sure, part.end - part.start))
    return found


def _sounds(likely: NDArray[np.float32], name: str, playing: set[str]) -> NDArray[np.float32]:
    """How likely a name is heard: [t, ROWS] -> [t].

    The listener knows families better than their members: the likeliest member counts as its family does.
    """
    at: NDArray[np.float32] = likely[:, _rows(name, playing)].max(axis=1)
    family = family_of(name)
    if family is not None:
        rivals = likely[:, [ROWS.index(row) for row in members(family)]].max(axis=1)
        at = np.where(at >= rivals, np.maximum(at, likely[:, ROWS.index(family)]), at)
    return at


def _rows(name: str, playing: set[str]) -> list[int]:
    """The listener's rows that count for a name: a family's members too; of everything else, all others."""
    if name != OTHERS:
        return [ROWS.index(row) for row in (name, *members(name))]
    near = {
        family_of(row) or row for row in playing
    } | playing  # a sax heard as a clarinet is no other player
    return [i for i, row in enumerate(ROWS) if row not in near and (family_of(row) or row) not in near]


def _hits(features: Features, begin: float, spans: Sequence[Span]) -> list[Hit]:
    _, struck = analysis_rhythm.activations(features)
    hits = analysis_rhythm.drums(features, struck).hits
    return [
        Hit(hit.time + begin, hit.drum) for hit in hits if any(a <= hit.time + begin < b for a, b in spans)
    ]


def _wished(request: Request) -> tuple[str, ...]:
    if isinstance(request, InpaintRequest):
        return request.wished
    return CHANGES


def _spans(request: Request) -> tuple[Span, ...]:
    return request.spans if isinstance(request, InpaintRequest) else ((0.0, request.seconds),)


def _within(items: Sequence[Item], spans: Sequence[Span]) -> list[Item]:
    """What of the items lies in the spans, cut at their ends."""
    return [
        replace(item, start=max(item.start, a), end=min(item.end, b))
        for a, b in spans
        for item in items
        if item.end > a and item.start < b
    ]


def _later(items: Sequence[Item], seconds: float) -> list[Item]:
    return [replace(item, start=item.start + seconds, end=item.end + seconds) for item in items]
