"""The likeliest path through classes over time, where each change has its price (Viterbi).

librosa's Viterbi wants a matrix of transitions; one price for every change needs none, and time that
grows with the number of classes only.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def best_path(likelihood: NDArray[np.float64], change: float) -> NDArray[np.int64]:
    """The best path [S] of classes through log-likelihoods [S, K], each change costing `change`."""
    steps, classes = likelihood.shape
    score = likelihood[0].copy()
    back = np.zeros((steps, classes), np.int64)
    stay = np.arange(classes)
    for s in range(1, steps):
        best = int(score.argmax())
        moved = score[best] - change
        back[s] = np.where(score >= moved, stay, best)
        score = np.maximum(score, moved) + likelihood[s]
    path = np.zeros(steps, np.int64)
    path[-1] = int(score.argmax())
    for s in range(steps - 1, 0, -1):
        path[s - 1] = back[s, path[s]]
    return path
