"""What is heard in audio whose contents are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engines import analysis
from engines.chords import VOCABULARY, pitch_classes
from engines.requests import Cancelled, Progress, ProgressHook

RATE = 32_000
SPEC = ("C", "Am", "F", "G7")


def tones(pitches: list[int], seconds: float) -> NDArray[np.float32]:
    """Sum of plucked tones with six falling partials, [n]."""
    t = np.arange(round(seconds * RATE)) / RATE
    out = np.zeros_like(t)
    for p in pitches:
        f = 440.0 * 2 ** ((p - 69) / 12)
        out += sum(np.sin(2 * np.pi * f * h * t) / h**1.3 for h in range(1, 7))
    return np.asarray(0.08 * out * np.exp(-t), np.float32)


def progression(symbols: tuple[str, ...], seconds: float = 2.0) -> NDArray[np.float32]:
    """Each chord struck twice for `seconds`, with its root in the bass, [n]."""
    parts = []
    for symbol in symbols:
        pitches = pitch_classes(symbol)
        voicing = [36 + pitches[0], *(60 + p for p in pitches)]
        parts += [tones(voicing, seconds / 2)] * 2
    return np.concatenate(parts)


@pytest.fixture(scope="module")
def heard() -> analysis.ChordLine:
    return analysis.chords(progression(SPEC), RATE)


def test_chords_of_a_known_progression(heard: analysis.ChordLine) -> None:
    assert [c.symbol for c in heard.chords] == list(SPEC)
    assert heard.chords[0].start == 0.0 and heard.chords[-1].end == pytest.approx(8.0)
    for i, chord in enumerate(heard.chords[1:], 1):
        assert chord.start == pytest.approx(2.0 * i, abs=0.15)
        assert chord.start == heard.chords[i - 1].end
    assert min(heard.confidence) > 0.3
    assert {c.symbol for c in heard.chords} <= set(VOCABULARY)


@pytest.mark.parametrize("seconds", [0.0, 0.01, 1.0, 5.0])
def test_silence_and_noise_have_no_chords(seconds: float) -> None:
    n = round(seconds * RATE)
    noise = np.random.default_rng(0).standard_normal(n).astype(np.float32)
    for audio in (np.zeros(n, np.float32), 0.1 * noise):
        line = analysis.chords(audio, RATE)
        assert {c.symbol for c in line.chords} <= {"N"}


def test_a_sine_is_no_chord() -> None:
    sine = 0.3 * np.sin(2 * np.pi * 440 * np.arange(4 * RATE) / RATE)
    assert {c.symbol for c in analysis.chords(sine.astype(np.float32), RATE).chords} == {"N"}


def test_long_audio_is_joined_without_gaps_and_tells_its_progress() -> None:
    told: list[Progress] = []
    once = progression(SPEC)
    line = analysis.chords(np.tile(once, 9), RATE, told.append)  # 72 s: two windows
    assert [c.symbol for c in line.chords] == list(SPEC) * 9
    assert all(a.end == b.start for a, b in zip(line.chords, line.chords[1:], strict=False))
    assert [(p.step, p.total) for p in told] == [(0, 2), (1, 2), (2, 2)]


def test_cancel_stops_between_windows() -> None:
    def stop(progress: Progress) -> None:
        if progress.step == 1:
            raise Cancelled

    hook: ProgressHook = stop
    with pytest.raises(Cancelled):
        analysis.chords(np.zeros(70 * RATE, np.float32), RATE, hook)
