"""Zero-shot filling by search: candidates that start differently, pruned while they are sampled.

The paper closes with zero-shot filling needing "a hyper-parameter search per-sample" (sec. 5.3). This
is that search, within a stated budget of network evaluations. Candidates begin from noise, or part of the
way from a copy of the passage of the context that fits best; known frames are put on the path between
noise and source at every step. What the network, before that, says of the known frames near the
edges costs nothing and tells how well a candidate fits: x = z + (1 - t) v against the source. The worse
half is dropped at t = 0.4 and again at 0.7. Frames are latent frames; knows no audio, text or requests.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Final

import torch
from torch import Tensor

from engines import flow

PRUNE_AT: Final = (0.4, 0.7)  # times after which the worse half goes
SEEDED: Final = (0.35, 0.2)  # times at which copies of the context join, most faithful first
NEAR: Final = 12  # known frames on each side whose residual counts
EDGE_WEIGHT: Final = 0.5  # of the step at the edges beside the residual
MATCH: Final = 10  # frames beside the span by which a copy is chosen
SHORTEST_LAG: Final = 12  # frames; a copy from nearer would be a stutter
BatchField = Callable[[Tensor, float], Tensor]  # (z [B, D, T], t) -> v [B, D, T], any B


@dataclass
class Candidate:
    """One way to fill the span, and how it fared."""

    start: str  # in words: where it began
    joins: float  # t at which it began
    curve: list[tuple[float, float]] = field(default_factory=list)  # (t, misfit)
    dropped: float | None = None  # t at which it was given up; None = it arrived

    def to_json(self) -> dict[str, object]:
        """For a result's parameters."""
        curve = [[round(t, 4), round(misfit, 5)] for t, misfit in self.curve]
        return {"start": self.start, "joins": self.joins, "curve": curve, "dropped": self.dropped}


@dataclass(frozen=True)
class Plan:
    """How a budget is spent."""

    steps: int  # Euler steps from 0 to 1
    joins: tuple[float, ...]  # t at which each candidate begins
    kept: tuple[int, ...]  # candidates after each time of PRUNE_AT

    @property
    def evaluations(self) -> int:
        """Network evaluations of one guided row."""
        return sum(self._alive(i / self.steps) for i in range(self.steps))

    def _alive(self, t: float) -> int:
        alive = sum(t > joins - 0.5 / self.steps for joins in self.joins)
        for at, kept in zip(PRUNE_AT, self.kept, strict=True):
            alive = min(alive, kept) if t >= at else alive
        return alive


def plan(budget: int, rows: int) -> Plan:
    """The most candidates that `budget` network evaluations of `rows` guided rows each carry over 8-32 steps.

    Four (two from noise, two from the context), two or one. A budget for less than eight steps of one
    candidate still gets eight.
    """
    shapes = (((0.0, 0.0, *SEEDED), (2, 1)), ((0.0, SEEDED[0]), (1, 1)), ((0.0,), (1, 1)))
    for joins, kept in shapes:
        least = 16 if len(joins) > 1 else 8
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
    chosen: Plan,
    on_step: flow.OnStep,
) -> tuple[Tensor, list[Candidate]]:
    """Latents [1, D, T] of the candidate that fits best, and what became of all of them.

    source [1, D, T], known bool [T], noises [C, D, T], one for each candidate of the plan.
    `on_step(steps done, total)` may raise to stop.
    """
    copies = context_copies(source, known, sum(joins > 0 for joins in chosen.joins))
    candidates, starts = [], []
    for joins in chosen.joins:
        if joins == 0:
            candidates.append(Candidate("noise", 0.0))
            starts.append(source)
        elif copies:  # otherwise there is too little context to copy from
            copy, words = copies.pop(0)
            candidates.append(Candidate(words, joins))
            starts.append(copy)
    steps, dt = chosen.steps, 1.0 / chosen.steps
    alive: list[int] = []
    z = source[:0]  # [B, D, T] of those alive
    on_step(0, steps)
    for i in range(steps):
        t = i / steps
        for c, candidate in enumerate(candidates):
            if t > candidate.joins - dt / 2 and not candidate.curve:
                alive.append(c)
                z = torch.cat([z, _on_path(noises[c : c + 1], starts[c], t)])
        there = _on_path(noises[alive], source, t)  # [B, D, T]
        z = torch.where(known, there, z)
        v = field_of(z, t)
        misfits = misfit(z + (1 - t) * v, source, known).tolist()
        for c, value in zip(alive, misfits, strict=True):
            candidates[c].curve.append((t, value))
        z = z + dt * v
        for at, kept in zip(PRUNE_AT, chosen.kept, strict=True):
            if t < at <= t + dt + 1e-9 and len(alive) > kept:
                order = sorted(range(len(alive)), key=lambda k: candidates[alive[k]].curve[-1][1])
                for k in order[kept:]:
                    candidates[alive[k]].dropped = t + dt
                stay = sorted(order[:kept])
                alive, z = [alive[k] for k in stay], z[stay]
        on_step(i + 1, steps)
    best = min(range(len(alive)), key=lambda k: candidates[alive[k]].curve[-1][1])
    return torch.where(known, source, z[best : best + 1]), candidates


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


def context_copies(source: Tensor, known: Tensor, count: int) -> list[tuple[Tensor, str]]:
    """Up to `count` sources [1, D, T] whose unknown frames are copied from the context, and how, in words.

    A copy repeats the frames `lag` earlier (again and again where the span is longer than that) or later.
    Chosen are the lags, half a second apart or more, with which the frames beside the span repeat best.
    """
    unknown = torch.nonzero(~known).flatten()
    if count == 0 or not len(unknown):
        return []
    first, last = int(unknown[0]), int(unknown[-1]) + 1
    frames = len(known)
    found: list[tuple[float, int]] = []
    for lag in range(SHORTEST_LAG, first - MATCH + 1):  # from before
        cost = _distance(source, known, first - MATCH, first, -lag)
        repeats = -(-(last - first) // lag)
        cost += _distance(source, known, last, min(frames, last + MATCH), -lag * repeats)
        found.append((cost, -lag))
    for lag in range(SHORTEST_LAG, frames - last - MATCH + 1):  # from behind
        cost = _distance(source, known, last, last + MATCH, lag)
        repeats = -(-(last - first) // lag)
        cost += _distance(source, known, max(0, first - MATCH), first, lag * repeats)
        found.append((cost, lag))
    chosen: list[int] = []
    for _, lag in sorted(found):
        if len(chosen) < count and all(abs(lag - other) >= SHORTEST_LAG for other in chosen):
            chosen.append(lag)
    copies = []
    for lag in chosen:
        origin = torch.arange(frames, device=source.device)
        if lag < 0:
            while bool((origin[unknown] >= first).any()):
                origin = torch.where((origin >= first) & ~known, origin + lag, origin)
        else:
            while bool((origin[unknown] < last).any()):
                origin = torch.where((origin < last) & ~known, origin + lag, origin)
        words = f"copy of {abs(lag)} frames {'earlier' if lag < 0 else 'later'}"
        copies.append((torch.where(known, source, source[..., origin]), words))
    return copies


def _distance(source: Tensor, known: Tensor, start: int, end: int, lag: int) -> float:
    """Mean square difference of the known frames [start, end) and those `lag` after them; 1 where unknown."""
    at = torch.arange(start, end, device=source.device)
    other = at + lag
    inside = (other >= 0) & (other < len(known))
    at, other = at[inside], other[inside]
    both = known[at] & known[other]
    if not both.any():
        return 1.0  # the mean square of a normalised latent
    return float((source[..., at[both]] - source[..., other[both]]).pow(2).mean())
