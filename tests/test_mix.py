"""The mix engineer: level, tone, room, ducking; the same seed gives the same sound."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from study.data.mix import RATE, ROOMS, mix

Audio = NDArray[np.float32]


def tone(frequency: float, seconds: float = 3.0, start: float = 0.0) -> Audio:
    t = np.arange(int(seconds * RATE)) / RATE
    return (0.2 * np.sin(2 * np.pi * frequency * t) * (t >= start)).astype(np.float32)


@pytest.fixture(scope="module")
def stems() -> dict[str, Audio]:
    clicks = np.zeros(3 * RATE, np.float32)
    clicks[:: RATE // 2] = 1.0
    return {"lead": tone(880.0), "comp": tone(330.0), "bass": tone(55.0), "drums": clicks}


def power(audio: Audio, frequency: float) -> float:
    """Power within 2 Hz of a frequency."""
    spectrum = np.abs(np.fft.rfft(audio)) ** 2
    return float(spectrum[np.abs(np.fft.rfftfreq(len(audio), 1 / RATE) - frequency) < 2].sum())


def test_a_mix_depends_on_its_seed_alone(stems: dict[str, Audio]) -> None:
    one, same, other = (mix(stems, np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(one, same) and not np.array_equal(one, other)


def test_mixes_are_neither_silent_nor_clipped_and_vary(stems: dict[str, Audio]) -> None:
    levels, colours = [], []
    for seed in range(24):
        y = mix(stems, np.random.default_rng(seed), "lo-fi" if seed % 4 == 0 else "rock")
        assert y.shape == (3 * RATE,) and y.dtype == np.float32 and np.max(np.abs(y)) < 0.99
        levels.append(10 * np.log10(np.mean(y**2)))
        colours.append(10 * np.log10(power(y, 880.0) / power(y, 330.0)))
    assert min(levels) > -26 and max(levels) < -14
    assert np.std(levels) > 1 and np.std(colours) > 1


def test_a_part_that_enters_late_is_as_loud_as_one_that_plays_throughout() -> None:
    def balance(start: float) -> float:
        parts = {"lead": tone(880.0, start=start), "comp": tone(330.0)}
        values = []
        for seed in range(12):
            y = mix(parts, np.random.default_rng(seed))[int(2.2 * RATE) :]
            values.append(10 * np.log10(power(y, 880.0) / power(y, 330.0)))
        return float(np.mean(values))

    assert abs(balance(2.0) - balance(0.0)) < 1.0


def test_house_ducks_to_the_kick() -> None:
    parts = {"pad": tone(440.0), "drums": np.zeros(3 * RATE, np.float32)}
    dips = []
    for seed in range(12):
        y = mix(parts, np.random.default_rng(seed), "house", kicks=(0.5, 1.0, 1.5, 2.0, 2.5))
        near = np.sqrt(np.mean(y[int(1.5 * RATE) : int(1.53 * RATE)] ** 2))
        far = np.sqrt(np.mean(y[int(1.9 * RATE) : int(1.95 * RATE)] ** 2))
        dips.append(near < 0.75 * far)
    assert 2 <= sum(dips) <= 10


def test_rooms_are_of_different_sizes() -> None:
    click = np.zeros(4 * RATE, np.float32)
    click[RATE // 10] = 1.0
    tails = []
    for seed in range(ROOMS):
        y = mix({"lead": click}, np.random.default_rng(seed)) ** 2
        tails.append(float(y[RATE // 2 :].sum() / y.sum()))
    assert min(tails) < 1e-6 and max(tails) > 1e-3
