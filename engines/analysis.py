"""What is in a piece of audio: chords so far, each with its time in seconds and a confidence 0..1.

Conventions: audio is mono float32 [n] at `rate` Hz; times are seconds on its clock; spans are half-open
and cover the whole audio. Long audio is read in windows, with progress and cancel. What cannot be heard
is left empty, never made up. Loads no torch; does not know lanes, projects or files.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines import chordino
from engines.chords import parse
from engines.recording import resample
from engines.requests import Chord, InputError, ProgressHook, Stopwatch
from engines.timebase import seconds_to_samples

Audio = NDArray[np.float32]
WINDOW_SECONDS = 60.0  # longest stretch that is read at once
OVERLAP_SECONDS = 4.0  # heard by both of two neighbouring windows; they are joined in its middle
FIRST_SECONDS = 0.6  # a first chord that is stamped earlier than this is moved to the start
OFFSET_SECONDS = 0.0  # added to Chordino's change times
CHORD_CONFIDENCE = 0.1  # chords below it become N
_FIT = (-4.8, -2.4)  # log-likelihood a frame: white noise, speech and a sine; clear music


@dataclass(frozen=True)
class ChordLine:
    """The chords of a piece of audio, without gaps."""

    chords: tuple[Chord, ...]  # symbols of the models' 194; `N` where there is no chord
    confidence: tuple[float, ...]  # 0..1, one a chord
    simplified: tuple[str, ...]  # what was simplified to fit the vocabulary, in the user's words
    method: str  # what read them


def chords(audio: Audio, rate: int, progress: ProgressHook | None = None) -> ChordLine:
    """Chords of mono audio [n] at `rate` Hz by Chordino, as the models spell them (App. C).

    Chordino's first frame is always labelled `N` and its first chord stamped late: a chord that begins
    within FIRST_SECONDS begins at 0. A chord whose frames fit no better than noise does is `N`.
    Raises InputError where Chordino is missing; lets Cancelled through.
    """
    if not chordino.present():
        raise InputError(chordino.notice())
    watch = Stopwatch(progress)
    seconds = len(audio) / rate
    windows = _windows(seconds)
    marks: list[tuple[float, str, float]] = []  # (start, label, confidence)
    for i, (start, end) in enumerate(windows):
        watch.report("chords", i, len(windows))
        part = audio[seconds_to_samples(start, rate) : seconds_to_samples(end, rate)]
        found = _marks(part, rate)
        join = start + OVERLAP_SECONDS / 2 if i else 0.0
        marks = [m for m in marks if m[0] < join]
        heard = [(start + t, name, sure) for t, name, sure in found]
        before = [m for m in heard if m[0] <= join]
        if before:  # what sounds at the join goes on from there
            marks.append((join, before[-1][1], before[-1][2]))
        marks += [m for m in heard if m[0] > join]
    watch.report("chords", len(windows), len(windows))
    return _line(marks, seconds)


def _windows(seconds: float) -> list[tuple[float, float]]:
    """Spans of at most WINDOW_SECONDS that overlap by OVERLAP_SECONDS and cover [0, seconds)."""
    out = [(0.0, min(seconds, WINDOW_SECONDS))]
    while out[-1][1] < seconds:
        start = out[-1][1] - OVERLAP_SECONDS
        out.append((start, min(seconds, start + WINDOW_SECONDS)))
    return out


def _marks(audio: Audio, rate: int) -> list[tuple[float, str, float]]:
    """Chord starts of one window: (seconds, Chordino's label, confidence)."""
    seconds = len(audio) / rate
    if not len(audio):
        return [(0.0, "N", 1.0)]
    found = chordino.label(resample(audio, rate, chordino.RATE))
    changes = [(t + OFFSET_SECONDS, name) for t, name in found.changes if t < seconds]
    while len(changes) > 1 and changes[0][1] == "N" and changes[1][0] <= FIRST_SECONDS:
        changes = [(0.0, changes[1][1]), *changes[2:]]
    if len(changes) > 1 and changes[-1][1] == "N" and changes[-1][0] > seconds - FIRST_SECONDS:
        changes = changes[:-1]  # the last frame is half beyond the end, always labelled N
    changes[:1] = [(0.0, changes[0][1] if changes else "N")]
    ends = [t for t, _ in changes[1:]] + [seconds]
    out: list[tuple[float, str, float]] = []
    for (start, name), end in zip(changes, ends, strict=True):
        inside = (found.times >= start) & (found.times < end)
        fit = float(found.likelihood[inside].mean()) if inside.any() else _FIT[0]
        sure = float(np.clip((fit - _FIT[0]) / (_FIT[1] - _FIT[0]), 0.0, 1.0))
        if name != "N" and sure < CHORD_CONFIDENCE:
            name = "N"
        out.append((start, name, 1.0 - sure if name == "N" else sure))
    return out


def _line(marks: list[tuple[float, str, float]], seconds: float) -> ChordLine:
    """Chord starts -> chords in the models' spelling, neighbours of one name joined."""
    joined: list[tuple[float, str, list[tuple[float, float]]]] = []  # start, symbol, (confidence, seconds)
    simplified: dict[str, None] = {}
    for (start, name, sure), end in zip(marks, [m[0] for m in marks[1:]] + [seconds], strict=True):
        if end <= start:
            continue
        known = parse(name)
        if known.simplified:
            simplified[known.simplified] = None
        if joined and joined[-1][1] == known.symbol:
            joined[-1][2].append((sure, end - start))
        else:
            joined.append((start, known.symbol, [(sure, end - start)]))
    ends = [start for start, _, _ in joined[1:]] + [seconds] * bool(joined)
    return ChordLine(
        tuple(Chord(start, end, name) for (start, name, _), end in zip(joined, ends, strict=True)),
        tuple(sum(c * d for c, d in parts) / sum(d for _, d in parts) for _, _, parts in joined),
        tuple(simplified),
        "Chordino",
    )
