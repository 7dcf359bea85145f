"""Seams: defects score worse than untouched boundaries and are called by their names."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import signal

from engines.audio.hearing import log_mel_jump, measure
from engines.audio.listener import WideListener
from engines.audio.recording import Patch, Recording, from_float
from engines.audio.seams import CLICK, Judge, score

RATE = 32000
START, END = 4.03, 7.61


def music(seconds: float = 12.0) -> np.ndarray:
    """Chords changing every half second with a noisy hat, so that moments differ."""
    t = np.arange(round(seconds * RATE)) / RATE
    rng = np.random.default_rng(5)
    wave = np.zeros_like(t)
    for beat in range(int(seconds * 2)):
        a, b = beat * RATE // 2, (beat + 1) * RATE // 2
        since, left = t[a:b] - t[a], t[b - 1] - t[a:b]
        decay = (0.3 + np.exp(-3 * since)) * np.minimum(1, since / 0.01) * np.minimum(1, left / 0.01)
        for pitch in rng.choice([220, 262, 330, 392, 440, 523], 3, replace=False):
            for harmonic in range(1, 16):
                wave[a:b] += 0.05 / harmonic * np.sin(2 * np.pi * pitch * harmonic * t[a:b]) * decay
        hat = rng.normal(size=b - a) * np.exp(-60 * since)
        wave[a:b] += 0.03 * hat
    return wave + 0.002 * rng.normal(size=len(t))


WAVE = music()
ORIGINAL = from_float(WAVE, RATE, "FLOAT")
A, B = round(START * RATE), round(END * RATE)


def edit(part: np.ndarray) -> Recording:
    changed = WAVE.copy()
    changed[A:B] = part
    return from_float(changed, RATE, "FLOAT")


def clicked() -> np.ndarray:
    part = WAVE[A:B].copy()
    part[:3] += 0.3
    part[-3:] -= 0.3
    return part


DEFECTS = {
    "tone": (
        0.3 * np.sin(2 * np.pi * 1234 * np.arange(B - A) / RATE),
        ("Different sound", "Brightness", "Click", "10 dB louder", "11 dB louder"),
    ),
    "click": (clicked(), ("Click",)),
    "louder": (2.0 * WAVE[A:B], ("5 dB louder", "6 dB louder", "7 dB louder", "Click")),
    "dull": (signal.sosfilt(signal.butter(6, 2000, fs=RATE, output="sos"), WAVE)[A:B], ("Brightness drops",)),
}


def test_an_untouched_boundary_is_smooth_and_ranks_among_the_others() -> None:
    seams = score(ORIGINAL, ORIGINAL, START, END)
    assert [seam.time for seam in seams] == [START, END]
    assert [seam.words for seam in seams] == ["Smooth", "Smooth"]
    assert all(seam.score < 0.95 for seam in seams)


@pytest.mark.slow
def test_untouched_boundaries_rank_low_off_the_beat_and_in_the_middle_on_it() -> None:
    off = [s.score for t in (2.23, 4.31, 6.22, 8.3) for s in score(ORIGINAL, ORIGINAL, t, t + 1.5)]
    on = [s.score for t in (2.0, 4.5, 6.0, 8.5) for s in score(ORIGINAL, ORIGINAL, t, t + 1.5)]
    assert np.mean(off) < 0.5
    assert np.mean(off) < np.mean(on) < 0.85


@pytest.mark.parametrize("name", list(DEFECTS))
def test_a_defect_is_heard_and_named(name: str) -> None:
    part, words = DEFECTS[name]
    untouched = score(ORIGINAL, ORIGINAL, START, END)
    for clean, bad in zip(untouched, score(ORIGINAL, edit(part), START, END), strict=True):
        assert bad.score > clean.score
        assert bad.score > 0.95
        assert bad.words.startswith(words), bad


def test_the_signs_are_the_span_against_its_context() -> None:
    flat = 0.1 * np.random.default_rng(0).normal(size=10 * RATE)
    louder = flat.copy()
    louder[4 * RATE : 6 * RATE] *= 2
    original, edited = from_float(flat, RATE, "FLOAT"), from_float(louder, RATE, "FLOAT")
    for seam in score(original, edited, 4.0, 6.0):
        assert seam.level == pytest.approx(6.0, abs=0.3)
        assert seam.brightness == pytest.approx(6.0, abs=0.3)
        assert seam.words == "6 dB louder"
    quieter = from_float(np.where(louder == flat, flat, flat / 2), RATE, "FLOAT")
    for seam in score(original, quieter, 4.0, 6.0):
        assert seam.words == "6 dB quieter"


def drums(seconds: float = 12.0) -> np.ndarray:
    """Noise bursts every half second, no two alike, over a quiet hum."""
    rng = np.random.default_rng(2)
    t = np.arange(round(seconds * RATE)) / RATE
    wave = 0.02 * np.sin(2 * np.pi * 110 * t)
    for beat in range(int(2 * seconds)):
        a = beat * RATE // 2
        burst = rng.normal(size=RATE // 4) * np.exp(-np.arange(RATE // 4) / RATE * 30)
        wave[a : a + RATE // 4] += rng.uniform(0.05, 0.15) * burst
    return wave


@pytest.mark.parametrize(("shift", "words"), [(0.06, "Beat 60 ms late"), (-0.06, "Beat 60 ms early")])
def test_a_shifted_rhythm_is_heard_and_measured(shift: float, words: str) -> None:
    wave = drums()
    moved = wave.copy()
    a, b = round(4.25 * RATE), round(8.25 * RATE)
    moved[a:b] = np.roll(wave, round(shift * RATE))[a:b]
    original, edited = from_float(wave, RATE, "FLOAT"), from_float(moved, RATE, "FLOAT")
    for seam in score(original, edited, 4.25, 8.25):
        assert seam.late == pytest.approx(shift, abs=0.011)
        assert seam.score > 0.9 and words in seam.reasons
        assert seam.percentiles["beat"] > 95
    for seam in score(original, original, 4.25, 8.25):
        assert seam.late == pytest.approx(0.0, abs=0.011)


def test_a_rhythm_that_is_off_by_less_than_one_hears_counts_as_in_time() -> None:
    """Against the same strokes: 10 ms late is nothing, 60 ms late stands out among the moments."""
    wave = drums()
    a, b = round(4.25 * RATE), round(8.25 * RATE)
    judge = Judge(from_float(wave, RATE, "FLOAT"), 4.25, 8.25)
    beats = []
    for shift in (0.01, 0.06):
        moved = wave.copy()
        moved[a:b] = np.roll(wave, round(shift * RATE))[a:b]
        beats.append([seam.percentiles["beat"] for seam in judge.seams(from_float(moved, RATE, "FLOAT"))])
    assert max(beats[0]) < 50 and min(beats[1]) > 95


@pytest.mark.parametrize("gain", [3.0, -3.0])
def test_a_step_of_level_is_measured_in_music_that_is_never_even(gain: float) -> None:
    """Chords and strokes of any loudness, each of which comes again: the step is told to half a dB."""
    wave = np.concatenate([WAVE[: 4 * RATE]] * 3)
    louder = wave.copy()
    a, b = round(4.25 * RATE), round(8.25 * RATE)
    louder[a:b] *= 10 ** (gain / 20)
    original, edited = from_float(wave, RATE, "FLOAT"), from_float(louder, RATE, "FLOAT")
    uncut = score(original, original, 4.25, 8.25)
    for clean, seam in zip(uncut, score(original, edited, 4.25, 8.25), strict=True):
        assert seam.loudness - clean.loudness == pytest.approx(gain, abs=0.5)


@pytest.mark.parametrize(("rate", "words"), [(1.04, "Tempo 4 % faster"), (0.96, "Tempo 4 % slower")])
def test_another_tempo_is_heard_and_measured_wherever_its_beat_lies(rate: float, words: str) -> None:
    rng = np.random.default_rng(3)

    def beats(period: float, first: float) -> np.ndarray:
        wave = 0.001 * rng.normal(size=16 * RATE)
        for at in np.arange(first, 15.5, period):
            a = round(at * RATE)
            wave[a : a + RATE // 8] += 0.2 * rng.normal(size=RATE // 8) * np.exp(-np.arange(RATE // 8) / 400)
        return wave

    wave = beats(0.5, 0.0)
    a, b = 6 * RATE, 10 * RATE
    for first in (0.0, 0.2):
        other = wave.copy()
        other[a:b] = beats(0.5 / rate, first)[a:b]
        original, edited = from_float(wave, RATE, "FLOAT"), from_float(other, RATE, "FLOAT")
        for seam in score(original, edited, 6.0, 10.0):
            assert seam.percentiles["tempo"] > 95 and words in seam.reasons
        for seam in score(original, original, 6.0, 10.0):
            assert seam.percentiles["tempo"] < 50


def test_a_click_stands_out_of_tone_and_noise_and_a_stroke_does_not() -> None:
    t = np.arange(2 * RATE) / RATE
    noise = 0.05 * np.random.default_rng(0).normal(size=len(t))
    ringing = signal.lfilter([1.0], [1.0, -1.6, 0.9], noise)
    for wave in (0.3 * np.sin(2 * np.pi * 440 * t) + 0.001 * noise, noise, ringing):
        clicking, struck = wave.copy(), wave.copy()
        clicking[RATE] += 20 * wave.std()
        struck[RATE:] += 3 * noise[::-1][RATE:] * np.exp(-30 * t[RATE:])
        usual, click, stroke = (measure(x, RATE, 1.0).click for x in (wave, clicking, struck))
        assert click > CLICK > 1.5 * max(usual, stroke)
    assert measure(np.zeros(2 * RATE), RATE, 1.0).click == 0.0


@pytest.mark.slow
def test_one_judge_hears_many_versions_as_each_would_be_scored_alone() -> None:
    judge = Judge(ORIGINAL, START, END)
    costs = []
    for gain in (1.0, 1.3, 2.0, 4.0):
        edited = edit(gain * WAVE[A:B])
        assert judge.seams(edited) == score(ORIGINAL, edited, START, END)
        costs.append(judge.costs(edited))
    for time in (START, END):  # also between two versions that both are rougher than every moment
        at = [cost[time] for cost in costs]
        assert at == sorted(at) and at[-1] > at[-2]


def test_what_differs_alone_is_judged_as_the_whole_version_is() -> None:
    judge = Judge(ORIGINAL, START, END)
    first, last = round(START * RATE), round(END * RATE)
    patches = [
        Patch(first, ORIGINAL.samples[first:last][::-1].copy()),
        Patch(
            last + RATE,
            (ORIGINAL.samples[last + RATE : last + 2 * RATE] * 0.5).astype(ORIGINAL.samples.dtype),
        ),
    ]
    whole = ORIGINAL.with_patches(patches)
    alone, costs = judge.costs(patches), judge.costs(whole)
    assert alone.keys() == costs.keys()
    assert all(abs(alone[time] - costs[time]) < 1e-3 for time in costs)
    assert [seam.words for seam in judge.seams(patches)] == [seam.words for seam in judge.seams(whole)]


@pytest.mark.parametrize("rate", (32_000, 44_100))
def test_a_version_is_heard_as_if_all_of_it_were_heard_anew(rate: int) -> None:
    rng = np.random.default_rng(3)
    whole = 0.1 * rng.normal(size=6 * rate).astype(np.float32)
    other = whole.copy()
    other[2 * rate : 3 * rate] = 0.4 * rng.normal(size=rate)  # louder: the floor under all bands rises
    first = WideListener(whole, rate)
    again = first.again(other, rate, (2 * rate, 3 * rate))
    anew = WideListener(other, rate, first.period)
    for name in ("level", "mel", "rises", "tones"):
        assert np.allclose(getattr(again, name), getattr(anew, name), rtol=1e-4, atol=1e-3), name
    assert not np.allclose(again.level, first.level, atol=1.0)
    assert np.allclose(first.again(whole, rate, (0, 0)).mel, first.mel, atol=1e-3)


def test_a_seam_worse_than_every_moment_is_named_a_failure() -> None:
    noise = np.random.default_rng(0).normal(size=10 * RATE) * 0.05
    bad = noise.copy()
    bad[4 * RATE : 6 * RATE] = 0.2 * np.sin(2 * np.pi * 300 * np.arange(2 * RATE) / RATE)
    original, edited = from_float(noise, RATE, "FLOAT"), from_float(bad, RATE, "FLOAT")
    assert all(seam.failed and seam.reasons for seam in score(original, edited, 4.0, 6.0))
    assert not any(seam.failed for seam in score(original, original, 4.0, 6.0))


@pytest.mark.slow
def test_untouched_audio_scores_at_its_rate() -> None:
    """Scores of uncut boundaries are spread over 0..1: about half of them above a half, few above 0.9."""
    times = (2.0, 2.23, 4.5, 4.31, 6.0, 6.22, 8.5, 8.3)  # on the beat and off it by turns
    scores = [s.score for t in times for s in score(ORIGINAL, ORIGINAL, t, t + 1.5)]
    assert 0.2 < np.mean(np.array(scores) > 0.5) < 0.8
    assert np.mean(np.array(scores) > 0.9) < 0.15


def test_ends_of_the_file_have_no_seam() -> None:
    assert score(ORIGINAL, ORIGINAL, 0.0, 12.0) == ()
    assert [s.time for s in score(ORIGINAL, ORIGINAL, 0.0, 5.0)] == [5.0]
    assert [s.time for s in score(ORIGINAL, ORIGINAL, 5.0, 11.97)] == [5.0]


def test_the_same_question_gets_the_same_answer() -> None:
    assert score(ORIGINAL, edit(clicked()), START, END) == score(ORIGINAL, edit(clicked()), START, END)


@pytest.mark.parametrize("seconds", [0.3, 1.0])
def test_short_silent_and_low_rate_recordings_are_scored_without_fuss(seconds: float) -> None:
    for rate in (8000, 192000):
        silent = Recording(np.zeros((round(seconds * rate), 2), np.int16), rate)
        for seam in score(silent, silent, 0.4 * seconds, 0.6 * seconds):
            assert (seam.jump, seam.level, seam.score, seam.words) == (0.0, 0.0, 0.0, "Smooth")


def test_log_mel_jump_is_zero_in_a_steady_tone_and_large_at_a_cut() -> None:
    t = np.arange(2 * RATE) / RATE
    steady = np.sin(2 * np.pi * 500 * t)
    assert log_mel_jump(steady, RATE, 1.0) < 0.5
    cut = np.where(t < 1, steady, np.sin(2 * np.pi * 3000 * t))
    assert log_mel_jump(cut, RATE, 1.0) > 5
    assert log_mel_jump(0.01 * cut, RATE, 1.0) == pytest.approx(log_mel_jump(cut, RATE, 1.0), rel=0.05)
    assert log_mel_jump(cut, RATE, 0.0) == 0.0
    noise = np.random.default_rng(0).normal(size=2 * RATE) * 0.01
    doubled = np.where(t < 1, noise, 10 * noise)
    assert log_mel_jump(doubled, RATE, 1.0) == pytest.approx(20, abs=2.5)
