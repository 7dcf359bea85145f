"""The key of a piece of music, from its chords and its melody.

A small network that is the same for all twelve tonics sees how long each chord sounds (by degree and kind),
which one begins and which one ends, and how long the melody stays on each degree. It learns from the
arranger's labels and from what is heard of its pieces (`study.train.analysis`). Times in seconds. No torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.analysis.network import FOLDER, weights
from engines.music.chords import ROOTS, root
from engines.requests import Chord, Note

WEIGHTS = FOLDER / "key.npz"
KINDS = {"": 0, "6": 0, "7": 1, "maj7": 2, "m": 3, "m6": 3, "m7": 4, "dim": 5, "m7b5": 5, "aug": 6}
WIDTH = 7 * 12 + 2 * 2 * 12 + 12  # numbers that a tonic is judged by
MODES = ("major", "minor")
MIN_SECONDS = 1.0  # of chords; with less, a melody must have so many pitch classes:
MIN_PITCHES = 5


@dataclass(frozen=True)
class Key:
    """A key, or none."""

    name: str  # "F# minor"; "" = none
    confidence: float  # 0..1, likelihood against the other 23


def key(chords: Sequence[Chord], melody: Sequence[Note]) -> Key:
    """The most likely key of chords and a melody; none where there are too few of both."""
    harmony = sum(c.end - c.start for c in chords if root(c.symbol) is not None)
    scale = {note.pitch % 12 for note in melody}
    if harmony < MIN_SECONDS and len(scale) < MIN_PITCHES:
        return Key("", 0.0)
    likelihood = likelihoods(key_input(chords, melody), _weights())
    best = int(likelihood.argmax())
    return Key(f"{ROOTS[best % 12]} {MODES[best // 12]}", float(likelihood[best]))


def key_input(chords: Sequence[Chord], melody: Sequence[Note]) -> NDArray[np.float32]:
    """What each tonic is judged by: [12, WIDTH], degrees counted from the tonic.

    Shares of the time of 7 kinds of chord x 12 degrees; first and last chord (major or minor x 12 degrees);
    shares of the melody's time on 12 degrees.
    """
    kinds, ends, tune = np.zeros((7, 12)), np.zeros((4, 12)), np.zeros(12)
    named = [c for c in chords if root(c.symbol) is not None]
    for chord in named:
        kinds[_kind(chord.symbol), root(chord.symbol)] += chord.end - chord.start
    for row, chord in ((0, named[0]), (2, named[-1])) if named else ():
        ends[row + (_kind(chord.symbol) in (3, 4, 5)), root(chord.symbol)] = 1.0
    for note in melody:
        tune[note.pitch % 12] += note.end - note.start
    kinds, tune = kinds / max(kinds.sum(), 1e-6), tune / max(tune.sum(), 1e-6)
    rows = np.concatenate([kinds, ends, tune[None]])  # [12 rows, 12 pitch classes]
    return np.stack([np.roll(rows, -tonic, axis=1).ravel() for tonic in range(12)]).astype(np.float32)


def likelihoods(seen: NDArray[np.float32], w: dict[str, NDArray[np.float32]]) -> NDArray[np.float64]:
    """Likelihood of each key, majors then minors, [24], from what each tonic is judged by, [12, WIDTH]."""
    h = np.maximum(seen @ w["a.weight"].T + w["a.bias"], 0)  # [12, WIDTH] -> [12, W]
    scores = seen @ w["l.weight"].T + w["l.bias"] + h @ w["o.weight"].T + w["o.bias"]  # [12, 2]
    raised = np.exp((scores - scores.max()).T.ravel().astype(np.float64))  # -> [24]
    return np.asarray(raised / raised.sum())


def _kind(symbol: str) -> int:
    head = symbol.split("/")[0]
    return KINDS[head[2:] if head[1:2] in ("#", "b") else head[1:]]


def _weights() -> dict[str, NDArray[np.float32]]:
    return weights(WEIGHTS, "the key cannot be heard")
