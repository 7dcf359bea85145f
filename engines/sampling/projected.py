"""Adaptive projected guidance: away from what is seen without words, but not towards louder (APG).

What a guided prediction adds is damped by its own past, held to a length, and freed of the part that points
where the prediction itself points. Does not know what the networks predict.
"""

from __future__ import annotations

import torch
from torch import Tensor


class Projected:
    """The direction of one sampling, which remembers the steps before."""

    def __init__(self, momentum: float = -0.75, longest: float = 2.5) -> None:
        self.momentum = momentum
        self.longest = longest  # of the direction over time, per channel
        self._past: Tensor | None = None
        self._time = 1.0

    def direction(self, given: Tensor, bare: Tensor, t: float) -> Tensor:
        """What guidance adds at time t: with and without what is asked, 2 x [B, D, T] -> [B, D, T].

        out = given + (weight - 1) * direction. A time that is not later than the one before begins anew.
        """
        away = given - bare
        if self._past is not None and t > self._time and self._past.shape == away.shape:
            away = away + self.momentum * self._past
        self._past, self._time = away, t
        length = away.norm(dim=-1, keepdim=True)  # [B, D, 1]
        away = away * torch.clamp(self.longest / length.clamp(min=1e-12), max=1.0)
        along = torch.nn.functional.normalize(given, dim=-1)
        return away - (away * along).sum(dim=-1, keepdim=True) * along
