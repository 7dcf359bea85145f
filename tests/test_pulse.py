"""Tempo and key by formula, on audio whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from engines.requests import Chord
from study.listeners import pulse

RATE = 32_000


def clicks(bpm: float, seconds: float = 10.0) -> np.ndarray:
    """Noise that dies away on every beat, [n]."""
    t = np.arange(int(seconds * RATE)) / RATE
    noise = np.random.default_rng(0).normal(scale=0.2, size=len(t))
    return (noise * np.exp(-12 * (t % (60 / bpm)))).astype(np.float32)


@pytest.mark.parametrize("bpm", [72.0, 97.0, 128.0, 164.0])
def test_a_pulse_has_its_tempo(bpm: float) -> None:
    assert pulse.same_tempo(pulse.tempo(clicks(bpm), RATE), bpm)
    assert not pulse.same_tempo(pulse.tempo(clicks(bpm), RATE), 1.2 * bpm)


def test_half_and_double_are_forgiven_and_nothing_repeats_in_silence() -> None:
    assert pulse.same_tempo(64.0, 128.0) and pulse.same_tempo(256.0, 128.0)
    assert pulse.same_tempo(124.0, 128.0) and not pulse.same_tempo(120.0, 128.0)
    assert pulse.tempo(np.zeros(10 * RATE, np.float32), RATE) == 0.0


def test_the_key_is_that_of_the_chords_and_the_sound() -> None:
    t = np.arange(4 * RATE) / RATE
    sound = sum(np.sin(2 * np.pi * f * t) for f in (440.0, 554.4, 659.3)).astype(np.float32) * 0.1
    line = tuple(Chord(k, k + 1, s) for k, s in enumerate(("A", "D", "E7", "A")))
    assert pulse.key(sound, RATE, line) == "A major"
    assert pulse.key(np.zeros(RATE, np.float32), RATE, ()) == ""
