"""Fades: how the level of a recording glides past a span, and a filling that glides with it.

A fade shows on both sides: one falling (or rising) line fits their levels better than a level for each. A
pause beside the span, or a louder verse after it, is a step and no fade. Levels are RMS over FRAME_SECONDS;
samples are mono float [n]. Knows neither recordings nor models. Deterministic.
"""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engines.audio.timebase import seconds_to_samples

Floats = NDArray[np.float64]

FRAME_SECONDS: Final = 0.1
NEAR_SECONDS: Final = 1.0  # what is so far from the span counts a third
LEAST_SECONDS: Final = 0.15  # of sound on either side; less tells no fade
LEAST_DB: Final = 8.0  # that a fade falls or rises from the middle of one side to that of the other
BETTER: Final = 0.8  # of the squared error of two levels is the most that the line may miss
BETTER_TO_SILENCE: Final = 1.0  # and where a side ends in silence, as a fade does
SILENT_DB: Final = 60.0  # below the loudest frame: silence at the end of a fade
BOOST_DB: Final = 9.0  # most that a filling is raised
CUT_DB: Final = 60.0  # most that it is lowered


def fade(left: NDArray[Any], right: NDArray[Any], length: int, rate: int) -> Floats | None:
    """The level [frames] that a fade has in each FRAME_SECONDS of a span of `length` samples, or None.

    `left` [n] is what lies before the span and `right` [m] what lies after it, both at `rate` Hz.
    """
    size = seconds_to_samples(FRAME_SECONDS, rate)
    before, after = levels(left[len(left) % size :], size), levels(right, size)
    loudest = max(before.max(initial=0.0), after.max(initial=0.0))
    floor = max(loudest * 10 ** (-SILENT_DB / 20), 1e-7)
    frames = len(before) + len(after)
    before, after = before[_first(before > floor) :], after[: len(after) - _first(after[::-1] > floor)]
    if min(len(before), len(after)) * FRAME_SECONDS < LEAST_SECONDS:
        return None
    middle = np.concatenate(
        [-FRAME_SECONDS * (np.arange(len(before))[::-1] + 0.5), FRAME_SECONDS * (np.arange(len(after)) + 0.5)]
    )
    times = middle + np.where(middle > 0, length / rate, 0.0)  # seconds after the span's start
    level = np.maximum(np.concatenate([before, after]), floor)
    weight = np.where(np.abs(middle) < NEAR_SECONDS, 1.0, 1 / 3)
    step = np.where(middle < 0, _mean_db(level[middle < 0]), _mean_db(level[middle > 0]))
    inside = FRAME_SECONDS * (np.arange(max(1, round(length / size))) + 0.5)
    best: tuple[float, Floats] | None = None
    for line in (_straight(times, level, weight, floor), _exponential(times, level, weight)):
        error = float((weight * (_db(level) - _db(line(times, floor))) ** 2).sum())
        fall = _db(line(times, floor))
        if abs(fall[: len(before)].mean() - fall[len(before) :].mean()) >= LEAST_DB and (
            best is None or error < best[0]
        ):
            best = error, line(inside, floor)
    missed = float((weight * (_db(level) - step) ** 2).sum())
    least = BETTER_TO_SILENCE if frames - len(level) >= 3 else BETTER
    return best[1] if best is not None and best[0] < least * missed else None


def follow(made: NDArray[Any], wanted: Floats, rate: int) -> Floats:
    """Gains [n] that make the level of `made` [n] glide as `wanted` [frames] does; its own swings stay."""
    size = seconds_to_samples(FRAME_SECONDS, rate)
    level = levels(made, size) if len(made) >= size else np.array([np.sqrt(np.mean(np.square(made)))])
    times = (np.arange(len(level)) + 0.5) * FRAME_SECONDS
    floor = max(float(level.max(initial=0.0)) * 1e-3, 1e-7)
    if level.max(initial=0.0) <= 1e-6:
        return np.ones(len(made))
    line = _exponential(times, np.maximum(level, floor), np.ones(len(level)))
    at = (np.arange(len(wanted)) + 0.5) * FRAME_SECONDS
    gain = np.clip(np.subtract(_db(wanted), _db(line(at, 0.0))), -CUT_DB, BOOST_DB)
    smooth: Floats = 10 ** (np.interp(np.arange(len(made)) / rate, at, gain) / 20)
    return smooth


def levels(samples: NDArray[Any], size: int) -> Floats:
    """RMS of the whole frames of `size` samples: [n] -> [n // size]."""
    count = len(samples) // size
    frames = np.asarray(samples[: count * size], np.float64).reshape(count, size)
    return np.asarray(np.sqrt((frames**2).mean(axis=1)), np.float64)


def _first(flags: NDArray[np.bool_]) -> int:
    """Where the first True stands; the length where there is none."""
    return int(np.argmax(flags)) if flags.any() else len(flags)


def _db(level: NDArray[Any]) -> Floats:
    return np.asarray(20 * np.log10(np.maximum(level, 1e-9)), np.float64)


def _mean_db(level: Floats) -> float:
    return float(_db(level).mean())


class _Line:
    """A level over time: p + q t, or exp(p + q t), never below a floor."""

    def __init__(self, p: float, q: float, exponential: bool) -> None:
        self.p, self.q, self.exponential = p, q, exponential

    def __call__(self, times: NDArray[Any], floor: float) -> Floats:
        value = self.p + self.q * times
        return np.asarray(np.maximum(np.exp(value) if self.exponential else value, floor), np.float64)


def _straight(times: NDArray[Any], level: Floats, weight: Floats, floor: float) -> _Line:
    """The amplitude's line; errors count by how large they are beside it, as swings of music do."""
    fitted: NDArray[Any] = level
    both: NDArray[Any] = np.zeros(2)
    for _ in range(8):
        share = np.sqrt(weight) / np.maximum(fitted, 3 * floor)
        table = np.stack([np.ones_like(times), times], axis=1) * share[:, None]
        both = np.linalg.lstsq(table, level * share, rcond=None)[0]
        fitted = np.maximum(both[0] + both[1] * times, floor)
    return _Line(float(both[0]), float(both[1]), False)


def _exponential(times: NDArray[Any], level: Floats, weight: Floats) -> _Line:
    """The line of the decibels, raised so that amplitudes are met in the mean."""
    share = np.sqrt(weight)
    table = np.stack([np.ones_like(times), times], axis=1) * share[:, None]
    p, q = (
        np.linalg.lstsq(table, np.log(level) * share, rcond=None)[0]
        if len(times) > 1
        else (np.log(level[0]), 0.0)
    )
    ratio = level / np.exp(p + q * times)
    return _Line(float(p + np.log(np.average(ratio, weights=weight))), float(q), True)
