"""Spectra, mel and chroma bands and transposition are what librosa computes."""

from __future__ import annotations

import librosa
import numpy as np
import pytest

from engines.analysis import features, sections
from engines.analysis.drums import percussive
from engines.audio import spectra

RATE = 22_050


def tune(seconds: float, dtype: type = np.float32) -> np.ndarray:
    """Three tones that glide and stop, with noise."""
    t = np.arange(round(seconds * RATE)) / RATE
    tones = sum(np.sin(2 * np.pi * f * (t + 0.02 * t**2)) for f in (110.0, 277.2, 1661.0)) * (t % 0.7 < 0.5)
    return (0.2 * tones + np.random.default_rng(3).normal(scale=0.02, size=len(t))).astype(dtype)


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize(("seconds", "size", "hop"), [(3.0, 1024, 256), (0.6, 2048, 512), (0.06, 1024, 512)])
def test_spectra_are_librosas(seconds: float, size: int, hop: int, dtype: type) -> None:
    sound = tune(seconds, dtype)
    ours = spectra.stft(sound, size, hop)
    theirs = librosa.stft(sound, n_fft=size, hop_length=hop)
    assert ours.dtype == theirs.dtype and ours.shape == theirs.shape
    assert np.abs(ours - theirs).max() <= 4 * np.finfo(dtype).eps * np.abs(theirs).max()


def test_what_was_transformed_comes_back() -> None:
    sound = tune(2.0, np.float64)
    assert np.abs(spectra.istft(spectra.stft(sound, 2048, 512), 512, len(sound)) - sound).max() < 1e-12


@pytest.mark.parametrize(
    ("rate", "size", "bands", "low", "high"),
    [
        (22_050, 1024, 40, 30.0, 11_025.0),
        (32_000, 1024, 80, 40.0, 16_000.0),
        (44_100, 8192, 40, 60.0, 16_000.0),
    ],
)
def test_mel_bands_are_librosas(rate: int, size: int, bands: int, low: float, high: float) -> None:
    for even, norm in ((False, None), (True, "slaney")):
        theirs = librosa.filters.mel(sr=rate, n_fft=size, n_mels=bands, fmin=low, fmax=high, norm=norm)
        ours = spectra.mel_filters(rate, size, bands, low, high, even)
        assert ours.dtype == theirs.dtype and np.abs(ours - theirs).max() <= 1e-7 * theirs.max()
    assert np.allclose(
        spectra.mel_frequencies(bands, low, high),
        librosa.mel_frequencies(bands, fmin=low, fmax=high),
        rtol=1e-12,
    )


def test_pitch_classes_are_librosas() -> None:
    theirs = librosa.filters.chroma(sr=RATE, n_fft=2048, tuning=0.0)
    assert np.abs(spectra.chroma_filters(RATE, 2048) - theirs).max() < 1e-6


@pytest.mark.parametrize("semitones", [-5, -1, 2, 5])
def test_another_pitch_is_librosas(semitones: int) -> None:
    sound = tune(1.3, np.float64)
    theirs = librosa.effects.pitch_shift(sound, sr=RATE, n_steps=semitones)
    ours = spectra.transposed(sound, RATE, semitones)
    assert ours.shape == sound.shape and np.abs(ours - theirs).max() < 1e-8  # the resampler's own precision


def test_strokes_are_librosas() -> None:
    sound = tune(1.3)
    assert np.abs(percussive(sound) - librosa.effects.percussive(sound)).max() < 1e-6


def test_levels_are_librosas() -> None:
    sound = tune(1.3)
    theirs = librosa.feature.rms(y=np.pad(sound, (0, 1024)), frame_length=1024, hop_length=features.HOP)[0]
    ours = features._level(sound)
    assert np.abs(ours - 20 * np.log10(np.maximum(theirs[: len(ours)], 1e-6))).max() < 1e-4


def test_bars_sound_as_librosa_hears_them() -> None:
    sound, lines = tune(3.0), [0.0, 1.0, 2.0, 3.0]
    mel = librosa.feature.melspectrogram(y=sound, sr=RATE, hop_length=sections.HOP, n_mels=24)
    bands = librosa.power_to_db(mel, ref=1.0, amin=1e-7)
    tones = librosa.feature.chroma_stft(y=sound, sr=RATE, hop_length=sections.HOP, tuning=0.0)
    rows, level = sections._bars(sound, lines)
    part = slice(0, max(1, round(RATE / sections.HOP)))
    assert np.allclose(rows[0, :24], bands[:, part].mean(axis=1) / 6, atol=1e-4)
    assert np.allclose(rows[0, 26:], 4 * tones[:, part].mean(axis=1), atol=1e-4)
    assert np.isclose(level[0], 10 * np.log10(mel[:, part].mean() + 1e-10), atol=1e-4)
