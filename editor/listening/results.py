"""What the ratings come to: means with intervals, differences with a test, the paper's Table 5.

Listeners differ and so do items, so that both are drawn again: the intervals are by the bootstrap over
listeners and, within, over items (percentiles, 95 %). Two systems are compared where they met in a pair: the
mean difference of their ratings by one listener of one item. Its test turns signs at random, once for whole
listeners and once for whole items; the larger of the two p counts, so that neither many items of one
listener nor many listeners of one item pass for more than they are.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

import numpy as np
from numpy.typing import NDArray

from editor.listening.answers import SCALES, Rating

DRAWS = 2000
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mean:
    """A mean rating, or a difference of two."""

    value: float
    low: float
    high: float
    judgments: int

    @property
    def half(self) -> float:
        """Half the width of the interval, as the paper prints it."""
        return (self.high - self.low) / 2


@dataclass(frozen=True)
class Difference:
    """Two systems that met in pairs, on one scale."""

    first: str
    second: str
    scale: str
    mean: Mean  # of the first less the second
    p: float  # that so large a difference, either way, comes by chance
    preferred: float  # share of the pairs in which the first was rated higher, ties half


@dataclass(frozen=True)
class Results:
    """What a study came to."""

    listeners: int
    items: int
    pairs: int
    means: dict[str, dict[str, Mean]]  # scale -> system -> mean
    differences: tuple[Difference, ...]


def _grid(values: dict[tuple[str, str], list[float]]) -> Floats:
    """(listener, item) -> values becomes means [listeners, items], NaN where nothing was rated."""
    listeners, places = (sorted({key[i] for key in values}) for i in (0, 1))
    grid = np.full((len(listeners), len(places)), np.nan)
    for (listener, item), each in values.items():
        grid[listeners.index(listener), places.index(item)] = float(np.mean(each))
    return grid


def _mean(values: dict[tuple[str, str], list[float]]) -> Mean:
    grid, count = _grid(values), sum(map(len, values.values()))
    value = float(np.nanmean(grid))
    rng, (rows, columns) = np.random.default_rng(0), grid.shape
    draws = []
    for _ in range(DRAWS):
        drawn = grid[rng.integers(0, rows, rows)][:, rng.integers(0, columns, columns)]
        if np.isfinite(drawn).any():
            draws.append(float(np.nanmean(drawn)))
    low, high = np.quantile(draws, (0.025, 0.975))
    return Mean(value, float(low), float(high), count)


def _p(grid: Floats) -> float:
    """The larger p of turning signs of whole listeners and of whole items: differences [listeners, items]."""
    seen = np.isfinite(grid)
    filled, found = np.where(seen, grid, 0.0), []
    mean = abs(filled.sum() / seen.sum())
    for axis in (1, 0):
        sums = filled.sum(axis=axis)  # of each listener, then of each item
        signs = np.random.default_rng(0).choice((-1.0, 1.0), (DRAWS, len(sums)))
        turned = np.abs(signs @ sums) / seen.sum()
        found.append((1 + int((turned >= mean - 1e-12).sum())) / (1 + DRAWS))
    return max(found)


def results(ratings: Sequence[Rating]) -> Results:
    """All of it, of ratings of any number of listeners; means and differences of what was rated."""
    systems = sorted({r.system for r in ratings})
    means: dict[str, dict[str, Mean]] = {}
    for scale in SCALES:
        for system in systems:
            values: dict[tuple[str, str], list[float]] = {}
            for r in ratings:
                if r.system == system:
                    values.setdefault((r.listener, r.item), []).append(float(getattr(r, scale)))
            means.setdefault(scale, {})[system] = _mean(values)
    by_side = {(r.listener, r.place, r.side): r for r in ratings}
    pairs = [(r, by_side[r.listener, r.place, "B"]) for r in ratings
             if r.side == "A" and (r.listener, r.place, "B") in by_side]  # fmt: skip
    found = [
        one
        for first, second in combinations(systems, 2)
        for scale in SCALES
        if (one := _difference(pairs, first, second, scale)) is not None
    ]
    return Results(
        len({r.listener for r in ratings}), len({r.item for r in ratings}), len(pairs), means, tuple(found)
    )


def _difference(
    pairs: Sequence[tuple[Rating, Rating]], first: str, second: str, scale: str
) -> Difference | None:
    values: dict[tuple[str, str], list[float]] = {}
    better = []
    for a, b in pairs:
        if {a.system, b.system} == {first, second}:
            one, other = (a, b) if a.system == first else (b, a)
            less = float(getattr(one, scale) - getattr(other, scale))
            values.setdefault((one.listener, one.item), []).append(less)
            better.append(1.0 if less > 0 else 0.5 if less == 0 else 0.0)
    if not values:
        return None
    return Difference(first, second, scale, _mean(values), _p(_grid(values)), float(np.mean(better)))


def table(found: Results) -> str:
    """The paper's Table 5 as CSV: a criterion a line, a system a column, mean±half of the interval."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    systems = list(next(iter(found.means.values()), {}))
    writer.writerow(["Criterion", *systems])
    for scale, each in found.means.items():
        writer.writerow([SCALES[scale][0], *(f"{m.value:.2f}±{m.half:.2f}" for m in each.values())])
    return out.getvalue()


def said(found: Results) -> str:
    """The results in lines for people."""
    lines = [f"{found.listeners} listeners, {found.items} items, {found.pairs} pairs rated"]
    for scale, each in found.means.items():
        told = ", ".join(f"{s} {m.value:.2f}±{m.half:.2f} ({m.judgments})" for s, m in each.items())
        lines.append(f"{SCALES[scale][0]}: {told}")
    for d in found.differences:
        lines.append(
            f"{SCALES[d.scale][0]}, {d.first} less {d.second}: {d.mean.value:+.2f} "
            f"[{d.mean.low:+.2f}, {d.mean.high:+.2f}], p {d.p:.3f}, "
            f"{d.first} higher in {100 * d.preferred:.0f} %"
        )
    return "\n".join(lines)
