"""The mathematics of conditional flow matching: path, loss, solvers (sec. 3.3).

Time runs from 0 (noise) to 1 (data). A field is any function (z [B, D, T], t) -> v [B, D, T].
Does not know networks, text or audio.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from torch import Tensor
from torchdiffeq import odeint

SIGMA_MIN = 1e-5
DOPRI5_TOLERANCE = 1e-5  # relative and absolute
Field = Callable[[Tensor, float], Tensor]
OnStep = Callable[[int, int], None]  # (steps done, total); may raise to stop
Noise = Callable[[Tensor], Tensor]  # like [B, D, T] -> fresh standard normal noise [B, D, T]
SHIFT = 3.0  # noise at the middle step over noise where steps are even, as odds: ACE-Step's
LOG_SNR = (-6.2, 2.0)  # log signal-to-noise ratio of the first and of the last step, Stable Audio 3's


def path(z0: Tensor, z1: Tensor, tau: Tensor) -> Tensor:
    """psi_tau = (1 - (1 - sigma_min) tau) z0 + tau z1, eq. (2): 2 x [B, D, T], tau [B] -> [B, D, T]."""
    t = tau.view(-1, 1, 1)
    return (1 - (1 - SIGMA_MIN) * t) * z0 + t * z1


def velocity(z0: Tensor, z1: Tensor) -> Tensor:
    """d psi / d tau = z1 - (1 - sigma_min) z0, eq. (2) along the path: 2 x [B, D, T] -> [B, D, T]."""
    return z1 - (1 - SIGMA_MIN) * z0


def loss(v: Tensor, target: Tensor, tau: Tensor, weights: Tensor | None = None) -> Tensor:
    """(1 + tau)-weighted mean squared error, eq. (4): 2 x [B, D, T], tau [B] -> scalar [].

    `weights` [B, T] count frames (None = all 1); each item's error is the mean over what counts.
    """
    error = (v - target).pow(2).mean(dim=1)  # [B, D, T] -> [B, T]
    if weights is None:
        per_item = error.mean(dim=1)
    else:
        per_item = (error * weights).sum(dim=1) / weights.sum(dim=1).clamp(min=1e-6)
    return ((1 + tau) * per_item).mean()


def times(steps: int, schedule: str = "uniform", begin: float = 0.0) -> list[float]:
    """`steps` + 1 times from `begin` to 1. "sway" takes shorter intervals near the noise.

    Sway: s(u) = u - 0.8 (cos(pi u / 2) - 1 + u), MelodyFlow's. Shift: s(u) = u / (3 - 2 u), ACE-Step's.
    Log-snr: see `log_snr_times`. Raises ValueError for an unknown schedule.
    """
    if schedule == "log-snr":
        return log_snr_times(steps, begin)
    if schedule not in ("uniform", "sway", "shift"):
        raise ValueError(f"schedule {schedule!r}: expected uniform, sway, shift or log-snr")
    even = [i / steps for i in range(steps + 1)]
    if schedule == "sway":
        even = [u - 0.8 * (math.cos(math.pi * u / 2) - 1 + u) for u in even]
    if schedule == "shift":
        even = [u / (SHIFT - (SHIFT - 1.0) * u) for u in even]
    return [begin + (1.0 - begin) * u for u in even]


def log_snr_times(steps: int, begin: float = 0.0, ends: tuple[float, float] = LOG_SNR) -> list[float]:
    """`steps` + 1 times from `begin` to 1, even in the logarithm of signal to noise: Stable Audio 3's.

    t = sigmoid(l) with l linear between the two ends, the first time forced to `begin` and the last to 1. A
    way that begins later sets out from its own l, so that times rise (the makers' schedule steps back there).
    """
    low, high = ends
    if begin > 0:
        low = max(low, math.log(begin / (1.0 - begin)))
        high = max(high, low + 1.0)  # a way that begins beyond the end still has steps
    # in single precision as theirs: features of 10 kHz make the last bit of a time heard
    ratios = high - torch.linspace(1.0, 0.0, steps + 1) * (high - low)  # [S + 1]
    noise: list[float] = torch.sigmoid(-ratios).tolist()
    return [begin, *(1.0 - sigma for sigma in noise[1:-1]), 1.0]


def drawn(seed: int) -> Noise:
    """Standard normal noise [B, D, T] of a seed, drawn on the CPU so that it holds on every device."""
    generator = torch.Generator().manual_seed(seed)
    return lambda like: torch.randn(like.shape, generator=generator).to(like)


def solve(
    field: Field,
    z0: Tensor,
    solver: str,
    steps: int,
    on_step: OnStep,
    schedule: str = "uniform",
    begin: float = 0.0,
    noise: Noise | int = 0,
) -> Tensor:
    """Integrate dz/dt = field(z, t) from t = `begin` to 1: [B, D, T] -> [B, D, T].

    Euler (eq. 5), midpoint and ab2 (Adams-Bashforth of second order, one evaluation a step) take
    `steps` intervals; dopri5 chooses its own (rtol = atol = 1e-5) and reports the percent of the way.
    Ping-pong takes the data that each step foresees, and makes it as noisy as the next one wants with fresh
    `noise` (its source, or a seed). `on_step` is called before the first evaluation and after every one or
    two; it may raise to stop. Raises ValueError for an unknown solver or schedule.
    """
    if solver == "dopri5":
        return _dopri5(field, z0, on_step, begin)
    if solver == "ping-pong":
        source = drawn(noise) if isinstance(noise, int) else noise
        return _ping_pong(field, z0, times(steps, schedule, begin), on_step, source)
    if solver not in ("euler", "midpoint", "ab2"):
        raise ValueError(f"solver {solver!r}: expected euler, midpoint, ab2, dopri5 or ping-pong")
    z, grid = z0, times(steps, schedule, begin)
    last: tuple[Tensor, float] | None = None  # the velocity before, and the interval that it was for
    on_step(0, steps)
    for i in range(steps):
        t, dt = grid[i], grid[i + 1] - grid[i]
        v = field(z, t)
        slope = v
        if solver == "midpoint":
            slope = field(z + dt / 2 * v, t + dt / 2)
        elif solver == "ab2" and last is not None:
            ratio = dt / last[1]
            slope = (1 + ratio / 2) * v - ratio / 2 * last[0]
        z, last = z + dt * slope, (v, dt)
        on_step(i + 1, steps)
    return z


def _ping_pong(field: Field, z0: Tensor, grid: list[float], on_step: OnStep, noise: Noise) -> Tensor:
    """x = z + (1 - t) v, then z = (1 - t') n + t' x with fresh n; the last x is the data: [B, D, T]."""
    z, steps = z0, len(grid) - 1
    on_step(0, steps)
    for i in range(steps):
        t, later = grid[i], grid[i + 1]
        x = z + (1.0 - t) * field(z, t)
        z = x if i + 1 == steps else (1.0 - later) * noise(x) + later * x
        on_step(i + 1, steps)
    return z


def _dopri5(field: Field, z0: Tensor, on_step: OnStep, begin: float) -> Tensor:
    """Dormand-Prince with adaptive steps: [B, D, T] -> [B, D, T]."""
    furthest = 0

    def evaluate(t: Tensor, z: Tensor) -> Tensor:
        nonlocal furthest
        furthest = max(furthest, min(99, int(100 * (t - begin) / max(1 - begin, 1e-9))))
        on_step(furthest, 100)
        return field(z, float(t))

    ends = torch.tensor([begin, 1.0], device=z0.device)
    out: Tensor = odeint(
        evaluate, z0, ends, rtol=DOPRI5_TOLERANCE, atol=DOPRI5_TOLERANCE, method="dopri5"
    )  # -> [2, B, D, T]
    on_step(100, 100)
    return out[-1]
