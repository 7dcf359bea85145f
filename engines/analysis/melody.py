"""The melody of a piece of audio: one line over MIDI 43..95, from the notes that sound.

The paper takes the argmax of a multi-pitch salience above 0.5, else silence (App. C). Here the salience
is basic-pitch's; a line is the best path through it, which may rest, and a little is added for height,
because a lead lies above what accompanies it. Times in seconds. Does not know voices.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.analysis.features import FRAME_SECONDS, LOWEST_NOTE, Features
from engines.analysis.path import best_path
from engines.requests import MELODY_HIGH, MELODY_LOW, Note

POOL = 2  # frames that are decided on together, 23 ms
REST = 0.32  # salience that a line must beat to sound
HEIGHT = 0.05  # salience that an octave of height is worth
CHANGE = 0.6  # what leaving a note or a rest costs, in salience * frames
AGAIN = 0.5  # likelihood of an onset that strikes the same note anew
SHORTEST = 0.06  # seconds; shorter notes are noise
TUNED, LONG, LONG_SHARE = 0.44, 0.25, 0.35  # below both it is speech: see `_tuned`
AROUND_SECONDS = 4.0  # heard on each side of a note for that


@dataclass(frozen=True)
class MelodyLine:
    """One voice."""

    notes: tuple[Note, ...]  # in order, not overlapping
    confidence: tuple[float, ...]  # 0..1, one a note: mean likelihood that it sounds


def melody(features: Features, music: bool = False) -> MelodyLine:
    """The melody of a piece. Empty where nothing with a pitch sounds.

    What seems to be speech has none, unless it is known to be `music`.
    """
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
        for start, end in itertools.pairwise(cuts):
            begin, stop = start * step, min(end * step, features.seconds)
            if stop - begin >= SHORTEST:
                notes.append(Note(begin, stop, pitch + MELODY_LOW))
                sure.append(float(salience[start:end, pitch].mean()))
    kept = [True] * len(notes) if music else _tuned(features, notes)
    return MelodyLine(
        tuple(n for n, keep in zip(notes, kept, strict=True) if keep),
        tuple(c for c, keep in zip(sure, kept, strict=True) if keep),
    )


def _tuned(features: Features, notes: list[Note]) -> list[bool]:
    """Which notes belong to music rather than to speech, whose pitch glides and leaves short, unsure notes.

    Music has either a clear note at most times (the mean of the likeliest note is TUNED or more) or notes
    that last (LONG_SHARE of their time in notes of LONG seconds or more), in the whole and around each note.
    Measured: recorded speech loses all its notes, held-out renders 1 % of their time, recordings 3 %.
    """
    if not notes:
        return []
    low, high = MELODY_LOW - LOWEST_NOTE, MELODY_HIGH + 1 - LOWEST_NOTE
    likeliest = features.notes[:, low:high].max(axis=1) * features.sounding  # [F, 53] -> [F]
    clear = np.concatenate([[0.0], np.cumsum(likeliest, dtype=np.float64)])
    heard = np.concatenate([[0], np.cumsum(features.sounding)])
    length = np.array([n.end - n.start for n in notes])
    middle = np.array([(n.start + n.end) / 2 for n in notes])
    total = np.concatenate([[0.0], np.cumsum(length)])
    lasting = np.concatenate([[0.0], np.cumsum(length * (length >= LONG))])

    def music(start: float, end: float) -> bool:
        a, b = (int(np.clip(t / FRAME_SECONDS, 0, features.frames)) for t in (start, end))
        i, j = np.searchsorted(middle, (start, end))
        clarity = (clear[b] - clear[a]) / max(1, heard[b] - heard[a])
        return bool(clarity >= TUNED or lasting[j] - lasting[i] >= LONG_SHARE * (total[j] - total[i]))

    if not music(0.0, features.seconds + FRAME_SECONDS):
        return [False] * len(notes)
    return [music(t - AROUND_SECONDS, t + AROUND_SECONDS) for t in middle]


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
    return list(itertools.pairwise(edges))


def _struck(onsets: NDArray[np.float32], offset: int) -> list[int]:
    """Steps inside a held note where it is struck again: peaks of its onset likelihood [n] above AGAIN."""
    apart = round(0.1 / (POOL * FRAME_SECONDS))
    out: list[int] = []
    for i in range(apart, len(onsets) - 1):
        peak = onsets[i] >= AGAIN and onsets[i] >= onsets[i - 1] and onsets[i] > onsets[i + 1]
        if peak and (not out or i + offset - out[-1] >= apart):
            out.append(i + offset)
    return out
