"""Composition: nothing outside the span changes; inside it fits its context."""

from __future__ import annotations

import itertools
import time

import numpy as np
import pytest
from scipy import signal

from engines.audio import fades
from engines.audio.compose import BAND_EDGES, beside, compose, place
from engines.audio.recording import Recording, from_float, resample

MODEL_RATE = 32000
NATIVE = {
    "PCM_U8": np.int16, "PCM_16": np.int16, "PCM_24": np.int32, "PCM_32": np.int32,
    "FLOAT": np.float32, "DOUBLE": np.float64,
}  # fmt: skip


def pink(samples: int, rate: int, seed: int) -> np.ndarray:
    noise = np.random.default_rng(seed).normal(size=samples)
    return 0.1 * signal.lfilter(*signal.butter(1, 1500 / (rate / 2)), noise)


def recording(seconds: float, rate: int, channels: int, subtype: str = "PCM_16") -> Recording:
    count = round(seconds * rate)
    columns = [pink(count, rate, 0) + 0.3 * pink(count, rate, 9 + c) for c in range(channels)]
    blank = Recording(np.zeros((0, channels), NATIVE[subtype]), rate, "WAV", subtype)
    return Recording(blank.to_native(np.stack(columns, axis=1)), rate, "WAV", subtype)


def window_of(source: Recording, begin: float, end: float) -> np.ndarray:
    """What a perfect codec would hand back: the mean of the channels at the model's rate."""
    return source.mono_at(MODEL_RATE)[round(begin * MODEL_RATE) : round(end * MODEL_RATE)]


def band_levels(samples: np.ndarray, rate: int) -> np.ndarray:
    power = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    frequencies = np.linspace(0, rate / 2, len(power))
    at = np.searchsorted(frequencies, BAND_EDGES)
    return np.array([10 * np.log10(power[a:b].sum()) for a, b in itertools.pairwise(at)])


@pytest.mark.parametrize("subtype", list(NATIVE))
@pytest.mark.parametrize(("channels", "rate"), [(1, 8000), (2, 44100), (6, 48000), (1, 192000)])
def test_outside_the_span_every_bit_stays(subtype: str, channels: int, rate: int) -> None:
    source = recording(2.0, rate, channels, subtype)
    window = np.random.default_rng(3).normal(size=MODEL_RATE * 2).astype(np.float32)  # far too loud
    edited = compose(source, 0.7313, 1.1, window, 0.0, MODEL_RATE, 0.02)
    first, last = round(0.7313 * rate), round(1.1 * rate)
    np.testing.assert_array_equal(edited.samples[:first], source.samples[:first])
    np.testing.assert_array_equal(edited.samples[last:], source.samples[last:])
    assert not np.array_equal(edited.samples[first:last], source.samples[first:last])
    assert edited.samples.dtype == source.samples.dtype and edited.samples.shape == source.samples.shape
    assert (edited.rate, edited.format, edited.subtype) == (rate, "WAV", subtype)
    assert not (edited.samples % source.step).any() if source.step > 1 else True
    assert np.abs(edited.as_float()).max() <= 1.0 or subtype in ("FLOAT", "DOUBLE")


@pytest.mark.parametrize("rate", [8000, 44100, 48000])
def test_a_perfect_window_gives_the_original_back_in_time(rate: int) -> None:
    source = recording(6.0, rate, 1)
    edited = compose(source, 2.0, 4.0, window_of(source, 0.5, 5.5), 0.5, MODEL_RATE, 0.02)
    part = slice(2 * rate, 4 * rate)
    made, original = edited.as_float()[part, 0], source.as_float()[part, 0]
    assert np.std(made - original) < 0.1 * np.std(original)


def test_a_dull_quiet_codec_is_brought_to_its_context() -> None:
    rate = 44100
    source = recording(9.0, rate, 1)
    dull = 0.6 * signal.lfilter(*signal.butter(1, 9000 / 16000), window_of(source, 0.5, 8.5))
    edited = compose(source, 3.0, 6.0, dull.astype(np.float32), 0.5, MODEL_RATE, 0.02)
    part = slice(3 * rate, 6 * rate)
    target = band_levels(source.as_float()[part, 0], rate)[:-1]  # the last band ends at the codec's edge
    before = band_levels(resample(dull, MODEL_RATE, rate)[int(2.5 * rate) : int(5.5 * rate)], rate)[:-1]
    after = band_levels(edited.as_float()[part, 0].astype(float), rate)[:-1]
    assert np.abs(before - target).max() > 5.0
    assert np.abs(after - target).max() < 1.5


@pytest.mark.parametrize("width", [0.0, 0.2, 0.6])
def test_the_span_takes_the_stereo_width_and_the_panning_of_its_context(width: float) -> None:
    rate = 44100
    middle, side = pink(9 * rate, rate, 0), width * pink(9 * rate, rate, 1)
    stereo = np.stack([1.3 * middle + side, 0.7 * middle - side], axis=1)
    source = from_float(stereo, rate, "FLOAT")
    edited = compose(source, 3.0, 6.0, window_of(source, 0.5, 8.5), 0.5, MODEL_RATE, 0.02)
    original, made = (r.as_float(3 * rate, 6 * rate).astype(float) for r in (source, edited))
    assert made.std(axis=0) == pytest.approx(original.std(axis=0), rel=0.1)
    assert np.corrcoef(made.T)[0, 1] == pytest.approx(np.corrcoef(original.T)[0, 1], abs=0.06)
    mono, expected = made.mean(axis=1), original.mean(axis=1)
    assert np.std(mono - expected) < 0.1 * np.std(expected)  # the mono sum stays the model's


def test_a_channel_that_is_silent_in_the_context_stays_nearly_silent() -> None:
    rate = 48000
    surround = np.zeros((6 * rate, 6))
    surround[:, 0], surround[:, 1] = pink(6 * rate, rate, 0), pink(6 * rate, rate, 1)
    source = from_float(surround, rate)
    edited = compose(source, 2.0, 4.0, window_of(source, 0.0, 6.0), 0.0, MODEL_RATE, 0.02)
    levels = edited.as_float(2 * rate, 4 * rate).std(axis=0)
    original = source.as_float(2 * rate, 4 * rate).std(axis=0)
    assert (levels[2:] < 0.01 * levels[0]).all()
    assert levels[:2] == pytest.approx(original[:2], rel=0.35)


def test_what_continues_into_silence_does_not_rise_out_of_a_hole() -> None:
    """A long crossfade with what is not there would be heard as a dip: the content is there at once."""
    source = recording(3.0, MODEL_RATE, 1, "FLOAT")
    gap = source.samples.copy()
    gap[MODEL_RATE : 2 * MODEL_RATE] = 0
    edited = compose(
        from_float(gap[:, 0], MODEL_RATE, "FLOAT"), 1.0, 2.0, source.samples[:, 0], 0.0, MODEL_RATE, 0.2, 0.0
    )
    for at in (1.006, 1.05, 1.9, 1.984):
        near = slice(round(at * MODEL_RATE), round((at + 0.01) * MODEL_RATE))
        assert edited.samples[near].std() > 0.7 * source.samples[near].std()


def test_each_seam_has_its_own_crossfade() -> None:
    source = recording(3.0, MODEL_RATE, 1, "FLOAT")
    window = np.random.default_rng(4).normal(scale=0.1, size=3 * MODEL_RATE).astype(np.float32)

    def change(crossfade: float | tuple[float, float], at: float) -> float:
        """Share of the original that is left in 10 ms around a time: 1 all, 0 nothing."""
        edited = compose(source, 1.0, 2.0, window, 0.0, MODEL_RATE, crossfade, 0.0)
        near = slice(round((at - 0.005) * MODEL_RATE), round((at + 0.005) * MODEL_RATE))
        a, b = edited.samples[near, 0], source.samples[near, 0]
        return float((a @ b) / (b @ b))

    assert change((0.2, 0.02), 1.02) > 0.6 and change((0.02, 0.2), 1.98) > 0.6
    assert abs(change((0.2, 0.02), 1.9)) < 0.6 and abs(change((0.02, 0.2), 1.1)) < 0.6
    assert change((0.1, 0.1), 1.03) == change(0.1, 1.03)


@pytest.mark.parametrize("same", [True, False])
def test_the_crossfade_keeps_its_power_whether_correlated_or_not(same: bool) -> None:
    rate, fade = MODEL_RATE, 0.5
    powers = []
    for seed in range(12):
        old = np.random.default_rng(seed).normal(size=3 * rate) * 0.1
        new = old if same else np.random.default_rng(100 + seed).normal(size=3 * rate) * 0.1
        window = np.concatenate([old[:rate], new[rate : 2 * rate], old[2 * rate :]])
        source = from_float(old, rate, "DOUBLE")
        edited = compose(source, 1.0, 2.0, window.astype(np.float32), 0.0, rate, fade)
        powers.append(edited.as_float(rate, rate + round(fade * rate))[:, 0] ** 2)
    middle = np.mean(powers, axis=0).reshape(10, -1).mean(axis=1)
    assert middle == pytest.approx(np.full(10, 0.01), rel=0.12)


def test_no_step_at_the_seams() -> None:
    rate = 44100
    t = np.arange(4 * rate) / rate
    source = from_float(0.4 * np.sin(2 * np.pi * 110 * t), rate)
    other = (0.4 * np.sin(2 * np.pi * 170 * np.arange(4 * MODEL_RATE) / MODEL_RATE + 1)).astype(np.float32)
    window = source.mono_at(MODEL_RATE)
    window[MODEL_RATE : 3 * MODEL_RATE] = other[MODEL_RATE : 3 * MODEL_RATE]
    edited = compose(source, 1.0, 3.0, window, 0.0, MODEL_RATE, 0.02).as_float()[:, 0]
    largest = np.abs(np.diff(source.as_float()[:, 0])).max()
    for seam in (rate, 3 * rate):
        assert np.abs(np.diff(edited[seam - 5 : seam + 5])).max() < 1.3 * largest


def test_the_ends_of_a_file_and_a_span_over_all_of_it() -> None:
    source = recording(2.0, 22050, 2)
    for start, end in ((0.0, 0.8), (1.3, 2.0), (0.0, 2.0)):
        edited = compose(source, start, end, window_of(source, 0.0, 2.0), 0.0, MODEL_RATE, 0.02)
        assert edited.length == source.length
        assert np.abs(edited.as_float()).max() > 0


def test_silent_context_and_anti_phase_stereo_blow_nothing_up() -> None:
    window = (0.1 * np.random.default_rng(0).normal(size=4 * MODEL_RATE)).astype(np.float32)
    silent = Recording(np.zeros((4 * 44100, 2), np.int16), 44100)
    made = compose(silent, 1.0, 3.0, window, 0.0, MODEL_RATE, 0.02).as_float(44100 + 2000, 3 * 44100 - 2000)
    assert made.std(axis=0) == pytest.approx([0.1, 0.1], rel=0.1)
    wave = pink(4 * 44100, 44100, 0)
    opposite = from_float(np.stack([wave, -wave], axis=1), 44100)
    made = compose(opposite, 1.0, 3.0, window, 0.0, MODEL_RATE, 0.02).as_float(44100, 3 * 44100)
    assert made.std() < 0.4


def test_the_same_call_gives_the_same_samples() -> None:
    source = recording(2.0, 44100, 2)
    window = window_of(source, 0.0, 2.0)[::-1].copy()
    twice = [compose(source, 0.5, 1.5, window, 0.0, MODEL_RATE, 0.02).samples for _ in range(2)]
    np.testing.assert_array_equal(*twice)


def test_half_an_hour_costs_no_more_than_copying_it() -> None:
    source = Recording(np.full((1800 * 16000, 1), 7, np.int16), 16000)
    begin = time.process_time()
    edited = compose(source, 900.0, 902.0, np.zeros(4 * MODEL_RATE, np.float32), 899.0, MODEL_RATE, 0.02)
    assert time.process_time() - begin < 3.0
    assert (edited.samples[: 900 * 16000] == 7).all() and (edited.samples[902 * 16000 :] == 7).all()


def test_windows_that_cannot_be_right_are_refused() -> None:
    source = recording(2.0, 16000, 1)
    with pytest.raises(ValueError, match="misses 0.500 s of the span 0.5-1.5 s"):
        compose(source, 0.5, 1.5, np.zeros(MODEL_RATE, np.float32), 0.0, MODEL_RATE, 0.02)
    with pytest.raises(ValueError, match="NaN"):
        compose(source, 0.5, 1.5, np.full(2 * MODEL_RATE, np.nan, np.float32), 0.0, MODEL_RATE, 0.02)
    with pytest.raises(ValueError, match="holds no samples"):
        compose(source, 1.5, 0.5, np.zeros(2 * MODEL_RATE, np.float32), 0.0, MODEL_RATE, 0.02)


def strange(source: Recording, gain: float, low: float) -> np.ndarray:
    """A window whose context is right and whose span (3-6 s) is louder, with `low` times the bass."""
    window = window_of(source, 0.0, 9.0).astype(float)
    bass = signal.sosfiltfilt(signal.butter(4, 120, fs=MODEL_RATE, output="sos"), window)
    inside = slice(3 * MODEL_RATE, 6 * MODEL_RATE)
    window[inside] = gain * (window + (low - 1) * bass)[inside]
    return window.astype(np.float32)


@pytest.mark.parametrize(("share", "left"), [(0.0, 6.0), (0.75, 1.5), (1.0, 0.0)])
def test_content_louder_than_its_context_is_brought_nearer(share: float, left: float) -> None:
    source = recording(9.0, MODEL_RATE, 1, "FLOAT")
    edited = compose(source, 3.0, 6.0, strange(source, 2.0, 1.0), 0.0, MODEL_RATE, 0.02, share)
    part = slice(3 * MODEL_RATE, 6 * MODEL_RATE)
    made, real = (r.as_float()[part].std() for r in (edited, source))
    assert 20 * np.log10(made / real) == pytest.approx(left, abs=0.5)


def test_a_rumble_that_the_context_has_not_is_taken_down_within_its_limit() -> None:
    source = recording(9.0, MODEL_RATE, 1, "FLOAT")
    part = slice(3 * MODEL_RATE, 6 * MODEL_RATE)
    bass = []
    for share in (0.0, 1.0):
        edited = compose(source, 3.0, 6.0, strange(source, 1.0, 8.0), 0.0, MODEL_RATE, 0.02, share)
        bass.append(band_levels(edited.as_float()[part, 0].astype(float), MODEL_RATE)[0])
    real = band_levels(source.as_float()[part, 0].astype(float), MODEL_RATE)[0]
    assert bass[0] - real > 14 and -24.5 < bass[1] - bass[0] < -8


def test_a_pause_beside_the_span_does_not_mute_it() -> None:
    rate = MODEL_RATE
    wave = recording(9.0, rate, 1, "FLOAT").samples[:, 0].copy()
    wave[: 3 * rate] *= 1e-3
    source = from_float(wave, rate, "FLOAT")
    window = wave.copy()
    edited = compose(source, 3.0, 6.0, window, 0.0, rate, 0.02)
    made, real = (r.as_float(3 * rate, 4 * rate).std() for r in (edited, source))
    assert 20 * np.log10(made / real) == pytest.approx(0.0, abs=1.0)


def notes_fading(rate: int, zero: float) -> tuple[np.ndarray, np.ndarray]:
    """Four seconds of decaying notes, twice a second: as they are, and faded out from 1 s to `zero`."""
    t = np.arange(4 * rate) / rate
    notes = 0.3 * np.sin(2 * np.pi * 220 * t) * np.exp(-2.5 * (t % 0.5))
    return notes, notes * np.clip((zero - t) / (zero - 1), 0, 1)


def test_a_filling_fades_as_its_surroundings_do() -> None:
    rate = MODEL_RATE
    notes, fading = notes_fading(rate, 3.0)
    source = from_float(fading, rate, "FLOAT")
    window = fading.astype(np.float32)
    window[2 * rate : round(2.8 * rate)] = notes[: round(0.8 * rate)]  # what a model makes knows no fade
    edited = compose(source, 2.0, 2.8, window, 0.0, rate, 0.2)
    for begin in (2.0, 2.2, 2.4, 2.6):
        part = slice(round(begin * rate), round((begin + 0.2) * rate))
        made, real = (r.as_float()[part].std() for r in (edited, source))
        assert 20 * np.log10(made / real) == pytest.approx(0.0, abs=3.0)


def test_where_nothing_fades_the_filling_keeps_its_level() -> None:
    rate = MODEL_RATE
    notes, _ = notes_fading(rate, 3.0)
    louder = np.where(np.arange(len(notes)) < 2.8 * rate, 0.1 * notes, notes)  # a verse, then a louder one
    left, right = louder[: 2 * rate], louder[round(2.8 * rate) :]
    assert fades.fade(left, right, round(0.8 * rate), rate) is None
    assert fades.fade(notes[: 2 * rate], notes[2 * rate :], rate, rate) is None
    assert fades.fade(0 * left, right, rate, rate) is None


def test_channels_that_cancel_are_filled_as_loud_as_they_were() -> None:
    rate = 44100
    wave = pink(6 * rate, rate, 0)
    for inverse in (-1.0, -0.98):
        source = from_float(np.stack([wave, inverse * wave], axis=1), rate, "FLOAT")
        other = (10 ** (-4 / 20) * resample(wave[::-1].copy(), rate, MODEL_RATE)).astype(np.float32)
        window = source.mono_at(MODEL_RATE)
        window[2 * MODEL_RATE : 4 * MODEL_RATE] = other[2 * MODEL_RATE : 4 * MODEL_RATE]
        edited = compose(source, 2.0, 4.0, window, 0.0, MODEL_RATE, 0.02)
        made, real = (r.as_float(2 * rate, 4 * rate).astype(float) for r in (edited, source))
        assert 20 * np.log10(made.std(axis=0) / real.std(axis=0)) == pytest.approx([0, 0], abs=3.0)
        assert np.corrcoef(made.T)[0, 1] < -0.99  # phases as around
        np.testing.assert_array_equal(edited.samples[: 2 * rate], source.samples[: 2 * rate])


def test_windows_that_are_placed_beside_what_was_measured_once_are_as_if_alone() -> None:
    source = recording(6.0, 44_100, 2)
    around = beside(source, 2.0, 4.0, MODEL_RATE)
    for shift in (0, 1, 2):
        window = np.roll(window_of(source, 0.0, 6.0), 5000 * shift)
        alone = place(source, 2.0, 4.0, window, 0.0, MODEL_RATE)
        placed = place(source, 2.0, 4.0, window, 0.0, MODEL_RATE, around=around)
        assert np.array_equal(placed.made, alone.made)
        patch = placed.patch(source, (0.1, 0.05))
        assert np.array_equal(
            placed.into(source, (0.1, 0.05)).samples[patch.first : patch.last], patch.samples
        )
