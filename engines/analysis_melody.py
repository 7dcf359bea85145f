"""The melody of a piece of audio: one line over MIDI 43..95, from the notes that sound.

The paper takes the argmax of a multi-pitch salience above 0.5, else silence (App. C). Here the salience
is basic-pitch's; a line is the best path through it, which may rest, and a little is added for height,
because a lead lies above what accompanies it. Times in seconds. Does not know voices.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.analysis_features import FRAME_SECONDS, LOWEST_NOTE, Features
from engines.analysis_path import best_path
from engines.requests import MELODY_HIGH, MELODY_LOW, Note

POOL = 2  # frames that are decided on together, 23 ms
REST = 0.32  # salience that a line must beat to sound
HEIGHT = 0.05  # salience that an octave of height is worth
CHANGE = 0.6  # what leaving a note or a rest costs, in salience * frames
AGAIN = 0.5  # likelihood of an onset that strikes the same note anew
SHORTEST = 0.06  # seconds; shorter notes are noise


@dataclass(frozen=True)
class MelodyLine:
    """One voice."""

    notes: tuple[Note, ...]  # in order, not overlapping
    confidence: tuple[float, ...]  # 0..1, one a note: mean likelihood that it sounds


def melody(features: Features) -> MelodyLine:
    """The melody of a piece. Empty where nothing with a pitch sounds."""
    low, high = MELODY_LOW - LOWEST_NOTE, MELODY_HIGH + 1 - LOWEST_NOTE
    salience = _pooled(features.notes[:, low:high] * features.sounding[:, None])  # [F, 88] -> [S, 53]
    onsets = _pooled(features.onsets[:, low:high], peak=True)
    if not len(salience):
        return MelodyLine((), ())
    path = _path(salience)
    step = POOL * FRAME_SECONDS
    notes: list[Note] = []
    sure: list[float] = []
    for a, b in _runs(path):
        pitch = int(path[a])
        if pitch < 0:
            continue
        cuts = [a, *_struck(onsets[a:b, pitch], a), b]
        for start, end in zip(cuts, cuts[1:], strict=False):
            begin, stop = start * step, min(end * step, features.seconds)
            if stop - begin >= SHORTEST:
                notes.append(Note(begin, stop, pitch + MELODY_LOW))
                sure.append(float(salience[start:end, pitch].mean()))
    return MelodyLine(tuple(notes), tuple(sure))


def _pooled(values: NDArray[np.float32], peak: bool = False) -> NDArray[np.float32]:
    """Mean or peak of each POOL frames: [F, P] -> [F // POOL, P]."""
    steps = len(values) // POOL
    grouped = values[: steps * POOL].reshape(steps, POOL, values.shape[1])
    return np.asarray(grouped.max(axis=1) if peak else grouped.mean(axis=1), np.float32)


def _path(salience: NDArray[np.float32]) -> NDArray[np.int64]:
    """The best path [S] through salience [S, 53]: pitch index, or -1 for a rest (Viterbi)."""
    steps, pitches = salience.shape
    height = HEIGHT * (np.arange(pitches) + MELODY_LOW - 60) / 12
    gain = np.concatenate([salience + height, np.full((steps, 1), REST)], axis=1)  # [S, 53] -> [S, 54]
    path = best_path(gain.astype(np.float64), CHANGE)
    return np.where(path == pitches, -1, path)


def _runs(path: NDArray[np.int64]) -> list[tuple[int, int]]:
    """Half-open stretches of one value."""
    edges = [0, *(np.flatnonzero(np.diff(path)) + 1).tolist(), len(path)]
    return list(zip(edges, edges[1:], strict=False))


def _struck(onsets: NDArray[np.float32], offset: int) -> list[int]:
    """Steps inside a held note where it is struck again: peaks of its onset likelihood [n] above AGAIN."""
    apart = round(0.1 / (POOL * FRAME_SECONDS))
    out: list[int] = []
    for i in range(apart, len(onsets) - 1):
        peak = onsets[i] >= AGAIN and onsets[i] >= onsets[i - 1] and onsets[i] > onsets[i + 1]
        if peak and (not out or i + offset - out[-1] >= apart):
            out.append(i + offset)
    return out
