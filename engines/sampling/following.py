"""How well what follows a span goes on from each filling of it, heard while they are sampled.

A network that was never trained to fill a middle writes it from what precedes alone. It reads on through the
first columns of what follows, and the more probable it finds these, the better they go on from a filling.
Codes are as in `engines.networks.lm`. Does not know seconds, audio or seams.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.networks.shapes import LMConfig

FRAMES = 50  # most frames of what follows that are read
FIRST = 2.0  # weight of each channel's first codebook, which holds the most of the sound, beside the others


class Following:
    """-log p of the known frames from `first` on, cell by cell, of candidates that are read side by side."""

    def __init__(self, config: LMConfig, first: int) -> None:
        weights = torch.ones(config.codebooks)
        weights[: config.channels] = FIRST
        self._moves = torch.arange(config.codebooks) // config.channels  # columns that each codebook is late
        self._weights, self._first = weights, first
        self._total, self._counted = torch.zeros(0), 0.0

    def hear(self, step: int, logits: Tensor, column: Tensor) -> None:
        """Take note of what step `step` foretold, [B, K, V], and of the delayed column that came [B, K]."""
        frames = step - self._moves
        counted = (frames >= self._first) & (frames < self._first + FRAMES)
        counted &= (column[0] >= 0).cpu() & (
            column[0] < logits.shape[-1]
        ).cpu()  # no pad behind the last frame
        books = counted.nonzero().squeeze(1).to(logits.device)
        if not len(books):
            return
        weights = self._weights[counted].to(logits.device)
        seen, there = logits[:, books].flatten(0, 1).float(), column[:, books].flatten()
        nll = F.cross_entropy(seen, there, reduction="none").view(len(logits), -1)  # [B, k]
        total = (nll * weights).sum(dim=1).cpu()
        self._total = self._total + total if len(self._total) else total
        self._counted += float(weights.sum())

    @property
    def costs(self) -> list[float]:
        """Mean -log p of a cell in nats for each candidate; empty where nothing followed."""
        return [float(cost) / self._counted for cost in self._total]

    def better_half(self, count: int) -> list[int]:
        """Places of the better half of `count` candidates, rounded up, in their order.

        A half rather than a further cost beside those of the seams: nats and roughness have no common
        measure, and a rank needs none. All of them where nothing followed.
        """
        costs = self.costs
        if not costs:
            return list(range(count))
        return sorted(sorted(range(count), key=lambda i: costs[i])[: (count + 1) // 2])
