"""Guesses at who is named by wordings that spelling does not know: a linear head on frozen token states.

Each token of a prompt is judged by the text encoder's states of it (`engines.networks.text`); neighbours
that say the same family are one guess, which names the family where its member is unsure.
`study.train.words` made it of captions of renders; its weights lie in `assets/analysis`. Loads no torch;
does not know what is absent.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from engines.analysis.network import FOLDER, weights
from engines.music.instruments import DRUMS_ROW, FAMILIES, ROWS, family_of

if TYPE_CHECKING:
    from engines.networks.text import TextEncoder

WEIGHTS = FOLDER / "words.npz"
LEAST_SURE = 0.8  # a guess whose family is less sure is not made
NAMED = 0.7  # from which a guess is an instrument; less sure it is its family
_KIN = (*FAMILIES, DRUMS_ROW)
_FAMILY = np.array([[(family_of(row) or row) == kin for kin in _KIN] for row in (*ROWS, "")], np.float32)


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
    kin = sure @ _FAMILY  # [L, families + drums], all that is said of each family
    groups: list[list[int]] = []
    for i, (start, end) in enumerate(places):
        if end <= start or kin[i].max() < LEAST_SURE:
            continue
        before = groups[-1][-1] if groups else -1
        if before >= 0 and start - places[before][1] <= 1 and kin[i].argmax() == kin[before].argmax():
            groups[-1].append(i)
        else:
            groups.append([i])
    found = []
    for group in groups:
        row, family = sure[group].mean(axis=0), kin[group].mean(axis=0)
        best = int(row[:-1].argmax())
        named = row[best] >= NAMED
        name, likely = (ROWS[best], row[best]) if named else (_KIN[int(family.argmax())], family.max())
        found.append(Guess(name, float(likely), places[group[0]][0], places[group[-1]][1]))
    return tuple(found)


def probabilities(states: NDArray[np.float32]) -> NDArray[np.float32]:
    """How likely each token names each row; the last column is none: [L, 384] -> [L, ROWS + 1]."""
    w = weights(WEIGHTS, "only spelt instruments are understood")
    logits = states @ w["weight"].T + w["bias"]  # [L, ROWS + 1]
    scale = np.exp(logits - logits.max(axis=1, keepdims=True))
    return np.asarray(scale / scale.sum(axis=1, keepdims=True), np.float32)
