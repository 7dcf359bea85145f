"""How sure a figure is: intervals by the bootstrap, over clips, spans or rounds.

A value is an average over items, its interval what 95 % of the averages are when the items are drawn again
with replacement (percentiles), widened as Student's t is wider than the normal for so few items: a bare
bootstrap of five is too sure of itself.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from scipy import stats

DRAWS = 1000
LEAST = 5  # items below which nothing is concluded
Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Estimate:
    """A figure, its interval of 95 % and the items behind it."""

    value: float
    low: float
    high: float
    n: int

    @property
    def apart(self) -> bool:
        """Whether the interval excludes no difference."""
        return self.n >= LEAST and (self.low > 0 or self.high < 0)


def drawn(n: int, draws: int = DRAWS, seed: int = 0) -> NDArray[np.int64]:
    """Which items each draw takes: [draws, n] out of n."""
    return np.random.default_rng(seed).integers(0, n, (draws, n))


def widened(value: float, draws: Floats, n: int) -> Estimate:
    """The interval of draws [draws] of a figure of n items."""
    if n < 2 or not np.isfinite(value) or not np.isfinite(draws).any():
        return Estimate(value, float("nan"), float("nan"), n)
    low, high = np.nanquantile(draws, (0.025, 0.975))
    wider = float(stats.t.ppf(0.975, n - 1) / stats.norm.ppf(0.975)) * (n / (n - 1)) ** 0.5
    return Estimate(value, value - wider * (value - float(low)), value + wider * (float(high) - value), n)


def centred(draws: Floats, value: float) -> Floats:
    """Draws [draws] moved to lie around the figure: clips that are drawn twice make distances larger."""
    return draws - float(draws.mean()) + value


def averaged(values: Sequence[float], of: Callable[..., Floats] = np.mean) -> Estimate:
    """An average of those values that are numbers."""
    kept = np.array([v for v in values if v is not None and np.isfinite(v)], np.float64)
    if not len(kept):
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    found = widened(float(of(kept)), of(kept[drawn(len(kept))], axis=1), len(kept))
    # widening knows nothing of the figure: what is never negative has no average below 0
    return replace(found, low=max(found.low, 0.0)) if kept.min() >= 0 else found


def difference(
    a: Sequence[float], b: Sequence[float], of: Callable[..., Floats] = np.mean, paired: bool = True
) -> Estimate:
    """Average of `a` less that of `b`; item i of both is of the same clip where they are paired."""
    if paired:
        pairs = [(x, y) for x, y in zip(a, b, strict=False) if np.isfinite(x) and np.isfinite(y)]
        if not pairs:
            return Estimate(float("nan"), float("nan"), float("nan"), 0)
        first, second = np.array(pairs, np.float64).T
        which = drawn(len(first))
        parted = of(first[which], axis=1) - of(second[which], axis=1)
        return widened(float(of(first) - of(second)), parted, len(first))
    x, y = (np.array([v for v in side if np.isfinite(v)], np.float64) for side in (a, b))
    if not len(x) or not len(y):
        return Estimate(float("nan"), float("nan"), float("nan"), 0)
    parted = of(x[drawn(len(x))], axis=1) - of(y[drawn(len(y), seed=1)], axis=1)
    return widened(float(of(x) - of(y)), parted, min(len(x), len(y)))
