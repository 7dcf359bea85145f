"""Classifier-free guidance with the sources all / kept / text / none, weighted separately.

out = wish * c_all + (all - wish) * c_kept + text * c_text + (1 - all - text) * c_none, where c_kept sees the
lanes that a change leaves as they were, so that `wish` alone weighs what is new; it is `all` unless given.
The networks run once on a batch that stacks the sources whose weight is not zero. Does not know what the
networks predict.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass

import torch
from torch import Tensor

from engines.networks.lane_frames import Lanes, cat_lanes
from engines.requests import Change, Guidance


@dataclass(frozen=True)
class Guided:
    """Guidance that one evaluation of a guided network has in it, as `Guidance` weighs it."""

    everything: float
    wish: float
    changed: tuple[Change, ...] = ()


@dataclass(frozen=True)
class Source:
    """One row of the guided batch: what it sees, and its weight in the sum."""

    text: bool
    lanes: bool
    weight: float
    hidden: tuple[Change, ...] = ()  # lanes that it does not see although it sees lanes
    guided: Guided | None = None  # what a guided network has in it

    def sees(self, lanes: Lanes) -> Lanes:
        """What it sees of lanes [B, T]: [B, T]."""
        return (
            lanes.without(self.hidden)
            if self.lanes and self.hidden
            else lanes
            if self.lanes
            else lanes.null_like()
        )


def seen_by(rows: Sequence[Source], lanes: Lanes, batch: int) -> Lanes:
    """What each row of a guided batch sees, `batch` times over: lanes [1, T] -> [R B, T]."""
    return cat_lanes([part for row in rows for part in [row.sees(lanes)] * batch])


def sources(
    guidance: Guidance, has_text: bool, has_lanes: bool, changed: Sequence[Change] = ()
) -> tuple[Source, ...]:
    """The rows that a guided prediction needs. Their weights sum to one.

    Sources that see the same are merged (without lanes, `all` equals `text`; without a prompt,
    `text` equals `none`; with nothing changed, `kept` equals `all`), and those of weight zero are left out.
    `changed` is what the source `kept` does not see.
    """
    weights: dict[tuple[bool, bool, tuple[Change, ...]], float] = {}
    wish = guidance.all if guidance.wish is None or not changed else guidance.wish
    hidden = tuple(name for name in changed if name != "words")
    for text, lanes, without, weight in (
        (True, True, (), wish),
        ("words" not in changed, True, hidden, guidance.all - wish),
        (True, False, (), guidance.text),
        (False, False, (), 1.0 - guidance.all - guidance.text),
    ):
        sees = (text and has_text, lanes and has_lanes, without if lanes and has_lanes else ())
        weights[sees] = weights.get(sees, 0.0) + weight
    return tuple(
        Source(text, lanes, w, hidden) for (text, lanes, hidden), w in weights.items() if abs(w) > 1e-9
    )


def at_once(rows: Sequence[Source], guidance: Guidance, changed: Sequence[Change] = ()) -> tuple[Source, ...]:
    """The one row that a guided network needs in place of `rows`; these, where it has not learned such.

    It has learned weights of what sees everything and of what is changed (`study.train.distillation`), not of
    the words alone.
    """
    if guidance.text or len(rows) < 2:
        return tuple(rows)
    whole = max(rows, key=lambda row: (row.text, row.lanes, not row.hidden))
    wish = guidance.all if guidance.wish is None or not changed else guidance.wish
    guided = Guided(guidance.all, wish, tuple(changed) if wish != guidance.all else ())
    return (Source(whole.text, whole.lanes, 1.0, guided=guided),)


def told(guidance: Guidance) -> dict[str, float]:
    """The weights, JSON-ready; a wish only where it has a weight of its own."""
    return {name: weight for name, weight in asdict(guidance).items() if weight is not None}


def combine(predictions: Tensor, rows: Sequence[Source]) -> Tensor:
    """Weighted sum over the stacked sources: [R, ...] -> [1, ...]."""
    weights = torch.tensor([row.weight for row in rows], dtype=predictions.dtype, device=predictions.device)
    total: Tensor = torch.tensordot(weights, predictions, dims=1)  # [R, ...] -> [...]
    return total.unsqueeze(0)
