"""Zero-shot filling by search: candidates that start differently, pruned while they are sampled.

The paper closes with zero-shot filling needing "a hyper-parameter search per-sample" (sec. 5.3). This is
that search, within a stated budget of network evaluations. Candidates begin from noise, or part of the way
from a repeat of the context (`engines.filling.repeats`); known frames are put on the path between noise and
source at every step. What the network, before that, says of the known frames near the edges costs nothing
and tells how well a candidate fits: x = z + (1 - t) v against the source. The worst are dropped at t = 0.4
and again at 0.7; those that arrive are judged by their seams, elsewhere. Frames are latent frames; knows no
audio, text or requests.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor

from engines.outcomes import Searched
from engines.sampling import flow

PRUNE_AT: Final = (0.4, 0.7)  # times after which the worst go
# Where candidates begin, and how many stay after each time of PRUNE_AT: from much to little budget.
Shape = tuple[tuple[float, ...], tuple[int, ...]]
SHAPES: Final[tuple[Shape, ...]] = (
    ((0.35,) * 4 + (0.5,) * 4, (3, 6)),
    ((0.0, 0.5, 0.5), (1, 3)),
    ((0.0,), (1, 1)),
)
# Where words and lanes are to decide: early, so that they survive; two guided rows each.
CHANGED: Final[tuple[Shape, ...]] = (((0.2, 0.2, 0.2, 0.0), (3, 2)), ((0.2, 0.2), (2, 1)), ((0.2,), (1, 1)))
FRESH: Final[tuple[Shape, ...]] = (((0.0,) * 4, (3, 2)), ((0.0,) * 2, (2, 1)), ((0.0,), (1, 1)))  # no repeats
NEAR: Final = 12  # known frames on each side whose residual counts
EDGE_WEIGHT: Final = 0.5  # of the step at the edges beside the residual
BatchField = Callable[[Tensor, float], Tensor]  # (z [B, D, T], t) -> v [B, D, T], any B


@dataclass
class Candidate:
    """One way to fill the span, and how it fared."""

    start: str  # in words: where it began
    joins: float  # t at which it began
    curve: list[tuple[float, float]] = field(default_factory=list)  # (t, misfit)
    dropped: float | None = None  # t at which it was given up; None = it arrived

    @property
    def outcome(self) -> Searched:
        """How it fared, for a result."""
        return Searched(self.start, self.joins, tuple(self.curve), self.dropped)


@dataclass(frozen=True)
class Plan:
    """How a budget is spent."""

    steps: int  # from 0 to 1
    joins: tuple[float, ...]  # t at which each candidate begins
    kept: tuple[int, ...]  # candidates after each time of PRUNE_AT

    @property
    def evaluations(self) -> int:
        """Network evaluations of one guided row."""
        alive, waiting, total, dt = 0, sorted(self.joins), 0, 1.0 / self.steps
        for i in range(self.steps):
            t = i / self.steps
            while waiting and t > waiting[0] - dt / 2:
                waiting.pop(0)
                alive += 1
            total += alive
            for at, kept in zip(PRUNE_AT, self.kept, strict=True):
                alive = min(alive, kept) if t < at <= t + dt + 1e-9 else alive
        return total


def plan(budget: int, rows: int, shapes: Sequence[Shape] = SHAPES) -> Plan:
    """The most candidates that `budget` network evaluations of `rows` guided rows each carry over 8-32 steps.

    Eight, three or one, or as `shapes` has them. A budget for less than eight steps of one candidate still
    gets eight.
    """
    for joins, kept in shapes:
        least = 12 if len(joins) > 1 else 8
        for steps in range(32, least - 1, -1):
            found = Plan(steps, joins, kept)
            if found.evaluations * rows <= budget:
                return found
    return Plan(8, (0.0,), (1, 1))


def fill(
    field_of: BatchField,
    source: Tensor,
    known: Tensor,
    noises: Tensor,
    repeats: Sequence[tuple[Tensor, str]],
    chosen: Plan,
    on_step: flow.OnStep,
    multistep: bool = True,
) -> tuple[Tensor, list[Candidate]]:
    """Latents [B, D, T] of the candidates that arrive, in their order, and what became of all of them.

    source [1, D, T], known bool [T], noises [C, D, T], one for each candidate of the plan; `repeats` are
    latents [1, D, T] to begin from and where they come from, in words, taken in turn by the candidates that
    begin late (without any, those are left out). Steps are ab2's, or Euler's if not `multistep`.
    `on_step(steps done, total)` may raise to stop.
    """
    candidates: list[Candidate] = []
    starts: list[Tensor] = []
    for joins in chosen.joins:
        late = sum(candidate.joins > 0 for candidate in candidates)
        if joins == 0:
            candidates.append(Candidate("noise", 0.0))
            starts.append(source)
        elif repeats:
            data, words = repeats[late % len(repeats)]
            candidates.append(Candidate(words, joins))
            starts.append(data)
    steps, dt = chosen.steps, 1.0 / chosen.steps
    alive: list[int] = []
    z = last = source[:0]  # [B, D, T] of those alive, and their velocities a step ago
    on_step(0, steps)
    for i in range(steps):
        t = i / steps
        joining = [c for c, x in enumerate(candidates) if t > x.joins - dt / 2 and not x.curve]
        alive += joining
        if not alive:  # all begin later
            on_step(i + 1, steps)
            continue
        z = torch.cat([z, *(_on_path(noises[c : c + 1], starts[c], t) for c in joining)])
        there = _on_path(noises[alive], source, t)  # [B, D, T]
        z = torch.where(known, there, z)
        v = field_of(z, t)
        misfits = misfit(z + (1 - t) * v, source, known).tolist()
        for c, value in zip(alive, misfits, strict=True):
            candidates[c].curve.append((t, value))
        last = torch.cat([last, v[len(last) :]])  # a first step is Euler's
        z, last = z + dt * (1.5 * v - 0.5 * last if multistep else v), v
        for at, kept in zip(PRUNE_AT, chosen.kept, strict=True):
            if t < at <= t + dt + 1e-9 and len(alive) > kept:
                order = sorted(range(len(alive)), key=lambda k: candidates[alive[k]].curve[-1][1])
                for k in order[kept:]:
                    candidates[alive[k]].dropped = t + dt
                stay = sorted(order[:kept])
                alive, z, last = [alive[k] for k in stay], z[stay], last[stay]
        on_step(i + 1, steps)
    return torch.where(known, source, z), candidates


def _on_path(noise: Tensor, data: Tensor, t: float) -> Tensor:
    """Points of the straight paths at t: [B, D, T], [1, D, T] -> [B, D, T]."""
    return flow.path(noise, data, torch.full((1,), t, device=noise.device))


def misfit(estimate: Tensor, source: Tensor, known: Tensor) -> Tensor:
    """How badly estimates [B, D, T] of clean latents fit the source [1, D, T] around the unknown frames: [B].

    Mean square error of the known frames within half a second of an edge, plus the mean square step
    from the last known frame to the estimate's first unknown one, beyond the source's usual step.
    """
    at = torch.arange(len(known), device=known.device)
    edges = torch.nonzero(known[1:] != known[:-1]).flatten() + 1  # first frame after each change
    if not len(edges):
        return torch.zeros(len(estimate), device=estimate.device)
    near = known & ((at[:, None] - edges).abs().min(dim=1).values <= NEAR)
    residual = (estimate - source)[..., near].pow(2).mean(dim=(1, 2))  # [B]
    joined = torch.where(known, source, estimate)
    steps = (joined[..., edges] - joined[..., edges - 1]).pow(2).mean(dim=(1, 2))
    both = known[1:] & known[:-1]
    usual = (source[..., 1:] - source[..., :-1])[..., both].pow(2).mean() if both.any() else steps.mean()
    return residual + EDGE_WEIGHT * (steps - usual).clamp(min=0)
