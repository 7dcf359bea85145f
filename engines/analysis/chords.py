"""Chords of a piece of audio in the models' 194 symbols (App. C), by one of two readers.

"notes" is ours: basic-pitch's notes by register, a small network that is the same for all twelve roots
(`study.train.analysis`), and the best path through its likelihoods. "chordino" is the paper's extractor,
an optional plugin. Conventions: times are seconds on the audio's clock; chords cover the whole of it without
gaps, `N` where there is none. Chordino's changes need no correction: on 120 training renders the overlap
with the labels is largest at an offset of 0 s (IOU 0.438; 0.432 at -0.05 s and at +0.06 s). Loads no torch.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.analysis import chordino
from engines.analysis.features import FRAME_SECONDS, LOWEST_NOTE, Audio, Features
from engines.analysis.network import FOLDER, conv, weights
from engines.analysis.path import best_path
from engines.audio.recording import resample
from engines.audio.timebase import seconds_to_samples
from engines.errors import InputError
from engines.music.chords import CLASSES, parse
from engines.progress import ProgressHook, Stopwatch
from engines.requests import Chord

WEIGHTS = FOLDER / "chords.npz"
STEP = 8  # frames that share one decision, 93 ms
STEP_SECONDS = STEP * FRAME_SECONDS
REGISTERS = ((21, 48), (48, 60), (60, 72), (72, 109))  # MIDI pitches, half-open
GROUPS = 2 * len(REGISTERS) + 1  # what is seen of a step, by pitch class
LAYERS = (1, 2, 4, 8, 16)  # dilations: a decision hears 3 s on each side
CHANGE = 6.0  # nats that a change of chord costs
SNAP_SECONDS = 0.14  # a change so near to a beat is moved onto it
CHORD_CONFIDENCE = 0.15  # chords below it become N
HEARD = 0.3  # likelihood of a note that sounds
QUIET_NOTES = 0.5  # sum of the likelihoods of all notes below which there is no chord

WINDOW_SECONDS = 60.0  # longest stretch that Chordino reads at once
OVERLAP_SECONDS = 4.0  # heard by both of two neighbouring windows; they are joined in its middle
FIRST_SECONDS = 0.6  # a first chord that Chordino stamps earlier than this is moved to the start
_FIT = (-4.8, -2.4)  # Chordino's log-likelihood a frame: white noise, speech and a sine; clear music

Mark = tuple[float, str, float]  # start in seconds, label, confidence


@dataclass(frozen=True)
class ChordLine:
    """The chords of a piece of audio, without gaps."""

    chords: tuple[Chord, ...]  # symbols of the models' 194; `N` where there is no chord
    confidence: tuple[float, ...]  # 0..1, one a chord
    simplified: tuple[str, ...]  # what was simplified to fit the vocabulary, in the user's words
    method: str  # what read them: "notes" or "Chordino"


# ---- from notes


def from_notes(features: Features, beats: Sequence[float] = ()) -> ChordLine:
    """Chords from the notes that sound; changes near one of `beats` (seconds) are moved onto it."""
    seen = network_input(features)
    if not len(seen):
        return _line([(0.0, "N", 1.0)], features.seconds, "notes")
    likelihood = likelihoods(seen)  # [S, GROUPS, 12] -> [S, 193]
    path = best_path(likelihood, CHANGE)
    quiet, pitches = _quiet(features), _pitch_classes(features)
    marks: list[Mark] = []
    edges = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    for a, b in itertools.pairwise(edges):
        symbol = CLASSES[path[a]]
        sure = float(np.exp(likelihood[a:b, path[a]]).mean())
        single = int((pitches[a:b].max(axis=0) > HEARD).sum()) < 2  # one note is no chord
        if symbol != "N" and (sure < CHORD_CONFIDENCE or single or quiet[a:b].mean() > 0.5):
            symbol, sure = "N", 1.0 - sure
        marks.append((_snapped(a * STEP_SECONDS, beats) if a else 0.0, symbol, sure))
    return _line(marks, features.seconds, "notes")


def network_input(features: Features) -> NDArray[np.float32]:
    """What the network sees of each step: [S, GROUPS, 12] pitch classes from C.

    GROUPS: notes and onsets in four registers, and the lowest note.
    """
    steps = features.frames // STEP
    if not steps:
        return np.zeros((0, GROUPS, 12), np.float32)
    notes = features.notes[: steps * STEP].reshape(steps, STEP, 88).mean(axis=1)  # [F, 88] -> [S, 88]
    onsets = features.onsets[: steps * STEP].reshape(steps, STEP, 88).max(axis=1)
    groups = []
    for low, high in REGISTERS:
        for values in (notes, onsets):
            group = np.zeros((steps, 12), np.float32)
            for pitch in range(low, high):
                group[:, pitch % 12] = np.maximum(group[:, pitch % 12], values[:, pitch - LOWEST_NOTE])
            groups.append(group)
    lowest, unheard = np.zeros((steps, 12), np.float32), np.ones(steps, np.float32)
    for pitch in range(LOWEST_NOTE, 60):
        lowest[:, pitch % 12] += unheard * notes[:, pitch - LOWEST_NOTE]
        unheard = unheard * (1 - notes[:, pitch - LOWEST_NOTE])
    return np.stack([*groups, lowest], axis=1).astype(np.float32)  # 9 x [S, 12] -> [S, 9, 12]


def likelihoods(seen: NDArray[np.float32]) -> NDArray[np.float64]:
    """Log-likelihoods of CLASSES, [S, GROUPS, 12] -> [S, 193].

    Each root sees the pitches from itself up, what sounds before and after, and the mean of all roots.
    """
    w = _weights()
    views = [np.roll(seen, -root, axis=2).reshape(len(seen), -1) for root in range(12)]
    x = np.stack(views, axis=1)  # [S, GROUPS, 12] -> [S, 12 roots, 12 GROUPS]
    h = _gelu(conv(x, w["i.weight"], w["i.bias"], 1))  # -> [S, 12, W]
    for n, dilation in enumerate(LAYERS):
        common = h.mean(axis=1, keepdims=True) @ w[f"c.{n}.weight"].T  # [S, 1, W]
        h = h + _gelu(conv(h, w[f"l.{n}.weight"], w[f"l.{n}.bias"], dilation) + common)
    out = h @ w["o.weight"].T + w["o.bias"]  # [S, 12, 17]: 16 chords of each root, and none
    chords, none = out[..., :16].reshape(len(seen), -1), out[..., 16].mean(axis=1)
    logits = np.concatenate([chords, none[:, None]], axis=1).astype(np.float64)  # [S, 193]
    top = logits.max(axis=1, keepdims=True)
    return np.asarray(logits - top - np.log(np.exp(logits - top).sum(axis=1, keepdims=True)))


def _gelu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(0.5 * x * (1 + np.tanh(0.7978845608 * (x + 0.044715 * x**3))), np.float32)


def _weights() -> dict[str, NDArray[np.float32]]:
    return weights(WEIGHTS, "chords cannot be read")


def _quiet(features: Features) -> NDArray[np.bool_]:
    """Steps in which too little with a pitch sounds for a chord, [S]."""
    steps = features.frames // STEP
    sum_of_notes = (features.notes.sum(axis=1) * features.sounding)[: steps * STEP]
    return np.asarray(sum_of_notes.reshape(steps, STEP).mean(axis=1) < QUIET_NOTES)


def _pitch_classes(features: Features) -> NDArray[np.float32]:
    """How likely each pitch class sounds in each step: [S, 12] from C."""
    steps = features.frames // STEP
    notes = features.notes[: steps * STEP].reshape(steps, STEP, 88).mean(axis=1)  # [F, 88] -> [S, 88]
    out = np.zeros((steps, 12), np.float32)
    for i in range(88):
        pitch = (i + LOWEST_NOTE) % 12
        out[:, pitch] = np.maximum(out[:, pitch], notes[:, i])
    return out


def _snapped(time: float, beats: Sequence[float]) -> float:
    nearest = min(beats, key=lambda beat: abs(beat - time), default=time)
    return nearest if abs(nearest - time) <= SNAP_SECONDS else time


# ---- by Chordino


def chords(audio: Audio, rate: int, progress: ProgressHook | None = None) -> ChordLine:
    """Chords of mono audio [n] at `rate` Hz by Chordino, the paper's extractor.

    Chordino's first frame is always labelled `N` and its first chord stamped late: a chord that begins
    within FIRST_SECONDS begins at 0. A chord whose frames fit no better than noise does is `N`.
    Raises InputError where Chordino is missing; lets Cancelled through.
    """
    if not chordino.present():
        raise InputError(chordino.notice())
    watch = Stopwatch(progress)
    seconds = len(audio) / rate
    windows = _windows(seconds)
    marks: list[Mark] = []
    for i, (start, end) in enumerate(windows):
        watch.report("chords", i, len(windows))
        part = audio[seconds_to_samples(start, rate) : seconds_to_samples(end, rate)]
        join = start + OVERLAP_SECONDS / 2 if i else 0.0
        heard = [(start + t, name, sure) for t, name, sure in _marks(part, rate)]
        marks = [m for m in marks if m[0] < join]
        before = [m for m in heard if m[0] <= join]
        if before:  # what sounds at the join goes on from there
            marks.append((join, before[-1][1], before[-1][2]))
        marks += [m for m in heard if m[0] > join]
    watch.report("chords", len(windows), len(windows))
    return _line(marks, seconds, "Chordino")


def _windows(seconds: float) -> list[tuple[float, float]]:
    """Spans of at most WINDOW_SECONDS that overlap by OVERLAP_SECONDS and cover [0, seconds)."""
    out = [(0.0, min(seconds, WINDOW_SECONDS))]
    while out[-1][1] < seconds:
        start = out[-1][1] - OVERLAP_SECONDS
        out.append((start, min(seconds, start + WINDOW_SECONDS)))
    return out


def _marks(audio: Audio, rate: int) -> list[Mark]:
    """Chord starts of one window, in Chordino's labels."""
    seconds = len(audio) / rate
    if not len(audio):
        return [(0.0, "N", 1.0)]
    found = chordino.label(resample(audio, rate, chordino.RATE))
    changes = [(t, name) for t, name in found.changes if t < seconds]
    while len(changes) > 1 and changes[0][1] == "N" and changes[1][0] <= FIRST_SECONDS:
        changes = [(0.0, changes[1][1]), *changes[2:]]
    if len(changes) > 1 and changes[-1][1] == "N" and changes[-1][0] > seconds - FIRST_SECONDS:
        changes = changes[:-1]  # the last frame is half beyond the end, always labelled N
    changes[:1] = [(0.0, changes[0][1] if changes else "N")]
    ends = [t for t, _ in changes[1:]] + [seconds]
    out: list[Mark] = []
    for (start, name), end in zip(changes, ends, strict=True):
        inside = (found.times >= start) & (found.times < end)
        fit = float(found.likelihood[inside].mean()) if inside.any() else _FIT[0]
        sure = float(np.clip((fit - _FIT[0]) / (_FIT[1] - _FIT[0]), 0.0, 1.0))
        if name != "N" and sure < CHORD_CONFIDENCE:
            name = "N"
        out.append((start, name, 1.0 - sure if name == "N" else sure))
    return out


# ---- both


def _line(marks: list[Mark], seconds: float, method: str) -> ChordLine:
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
        method,
    )
