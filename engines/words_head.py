"""Guesses at who is named by wordings that spelling does not know: a linear head on frozen token states.

Each token of a prompt is judged by the text encoder's states of it (`engines.text`); neighbours that say the
same are one guess. `study.train_words` trained it on captions of renders; its weights lie in
`assets/analysis`. Loads no torch itself; does not know what is absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engines.analysis_network import FOLDER, weights
from engines.instruments import ROWS

if TYPE_CHECKING:
    from engines.text import TextEncoder

WEIGHTS = FOLDER / "words.npz"
LEAST_SURE = 0.5  # a guess that is less sure is not made


@dataclass(frozen=True)
class Guess:
    """A row that some characters of a prompt seem to name."""

    name: str  # one of ROWS
    sure: float  # 0..1
    start: int  # characters [start, end) of the prompt
    end: int


def guesses(prompt: str, encoder: TextEncoder) -> tuple[Guess, ...]:
    """What the words of a prompt seem to name, in their order; () where the head's weights are missing."""
    return _guesses(prompt, encoder) if WEIGHTS.is_file() else ()


@lru_cache(maxsize=64)
def _guesses(prompt: str, encoder: TextEncoder) -> tuple[Guess, ...]:
    states = encoder.encode([prompt]).tokens[0].numpy()  # [L, 384]
    places = encoder.places(prompt)  # L x (start, end)
    sure = probabilities(states)
    found: list[Guess] = []
    for (start, end), row in zip(places, sure, strict=True):
        best = int(row.argmax())
        if end <= start or best == len(ROWS) or row[best] < LEAST_SURE:
            continue
        guess = Guess(ROWS[best], float(row[best]), start, end)
        if found and found[-1].name == guess.name and start - found[-1].end <= 1:
            before = found.pop()
            guess = Guess(guess.name, max(before.sure, guess.sure), before.start, end)
        found.append(guess)
    return tuple(found)


def probabilities(states: NDArray[np.float32]) -> NDArray[np.float32]:
    """How likely each token names each row; the last column is none: [L, 384] -> [L, ROWS + 1]."""
    w = weights(WEIGHTS, "only spelt instruments are understood")
    logits = states @ w["weight"].T + w["bias"]  # [L, ROWS + 1]
    scale = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(scale / scale.sum(axis=1, keepdims=True), np.float32)
