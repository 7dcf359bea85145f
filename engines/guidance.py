"""Classifier-free guidance with the sources all / text / none, weighted separately.

out = all * c_all + text * c_text + (1 - all - text) * c_none. The networks run once on a batch
that stacks the sources whose weight is not zero. Does not know what the networks predict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from engines.requests import Guidance


@dataclass(frozen=True)
class Source:
    """One row of the guided batch: what it sees, and its weight in the sum."""

    text: bool
    lanes: bool
    weight: float


def sources(guidance: Guidance, has_text: bool, has_lanes: bool) -> tuple[Source, ...]:
    """The rows that a guided prediction needs. Their weights sum to one.

    Sources that see the same are merged (without lanes, `all` equals `text`; without a prompt,
    `text` equals `none`), and those of weight zero are left out.
    """
    weights: dict[tuple[bool, bool], float] = {}
    for text, lanes, weight in (
        (True, True, guidance.all),
        (True, False, guidance.text),
        (False, False, 1.0 - guidance.all - guidance.text),
    ):
        sees = (text and has_text, lanes and has_lanes)
        weights[sees] = weights.get(sees, 0.0) + weight
    return tuple(Source(text, lanes, w) for (text, lanes), w in weights.items() if abs(w) > 1e-9)


def combine(predictions: Tensor, rows: Sequence[Source]) -> Tensor:
    """Weighted sum over the stacked sources: [R, ...] -> [1, ...]."""
    weights = torch.tensor([row.weight for row in rows], dtype=predictions.dtype, device=predictions.device)
    total: Tensor = torch.tensordot(weights, predictions, dims=1)  # [R, ...] -> [...]
    return total.unsqueeze(0)
