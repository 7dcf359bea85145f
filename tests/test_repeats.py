"""Repeats: copies that keep the beat, of music that is known to repeat."""

from __future__ import annotations

import numpy as np
import pytest

from engines.audio.recording import Recording, from_float
from engines.filling.repeats import copied, lags

RATE = 16_000
BEAT = 0.48  # seconds


def loop(beats: int = 24, pattern: int = 4) -> np.ndarray:
    """A bar of `pattern` beats, each with its own tone and stroke, again and again: [n]."""
    rng = np.random.default_rng(3)
    t = np.arange(round(BEAT * RATE)) / RATE
    bar = []
    for pitch in rng.choice([220.0, 262.0, 330.0, 392.0, 440.0], pattern, replace=False):
        stroke = 0.2 * rng.normal(size=len(t)) * np.exp(-60 * t)
        bar.append(0.2 * np.sin(2 * np.pi * pitch * t) * np.exp(-4 * t) + stroke)
    return np.tile(np.concatenate(bar), beats // pattern)


MUSIC = from_float(loop(), RATE, "FLOAT")


def test_the_span_is_found_again_a_whole_number_of_bars_away() -> None:
    found = lags(MUSIC, 4.1, 5.6, 2)
    bar = 4 * BEAT
    assert len(found) == 2 and abs(found[0] - found[1]) >= BEAT - 0.011
    for lag in found:
        assert abs(lag / bar - round(lag / bar)) * bar < 0.015
    first, last = round(4.1 * RATE), round(5.6 * RATE)
    exact = round(found[0] / bar) * bar
    made = copied(MUSIC, 4.1, 5.6, exact).samples
    assert np.allclose(made[first:last], MUSIC.samples[first:last], atol=1e-6)
    assert np.array_equal(
        np.delete(made, np.s_[first:last], axis=0), np.delete(MUSIC.samples, np.s_[first:last], axis=0)
    )


def test_what_is_in_the_span_has_no_say_and_further_spans_are_not_copied() -> None:
    spoilt = MUSIC.samples.copy()
    spoilt[round(4.1 * RATE) : round(5.6 * RATE)] = 0.9
    assert lags(from_float(spoilt[:, 0], RATE, "FLOAT"), 4.1, 5.6, 2) == lags(MUSIC, 4.1, 5.6, 2)
    hidden = (0.5, 3.9)
    for lag in lags(MUSIC, 4.1, 5.6, 2, (hidden,)):
        a, b = 4.1 + lag, 5.6 + lag
        assert b <= hidden[0] + 0.02 or a >= hidden[1] - 0.02


@pytest.mark.parametrize("lag", [-2 * BEAT, 2 * BEAT])
def test_a_span_longer_than_the_lag_is_filled_by_repeating(lag: float) -> None:
    source = from_float(loop(24, 2), RATE, "FLOAT")
    first, last = round(4.1 * RATE), round(7.9 * RATE)
    made = copied(source, 4.1, 7.9, lag).samples
    assert np.allclose(made[first:last], source.samples[first:last], atol=1e-6)


def test_where_nothing_can_be_copied_there_are_no_lags() -> None:
    short = from_float(loop()[: RATE // 2], RATE, "FLOAT")
    assert lags(short, 0.1, 0.4, 2) == []
    silent = Recording(np.zeros((4 * RATE, 2), np.int16), RATE)
    for lag in lags(silent, 1.0, 2.0, 2):
        assert (copied(silent, 1.0, 2.0, lag).samples == 0).all()


def test_a_continuation_is_copied_from_before() -> None:
    for lag in lags(MUSIC, MUSIC.seconds - 1.5, MUSIC.seconds, 2):
        assert lag <= -0.5
