"""Spectra of sound and back: short-time Fourier transform, mel and chroma bands, another pitch.

Defined as in librosa, whose results a test compares with these: Hann windows, frame f centred on f * hop
samples, zeros around the sound; mel as Slaney's toolbox has it. librosa itself brings numba, llvmlite and
scikit-learn into the process, 230 MB and two seconds for these few sums. Loads no torch; knows no music.
"""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np
import soxr
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Sound = NDArray[Any]  # [n], float32 or float64
_BLOCK = 256  # frames that are transformed at once, so that memory does not grow with the sound's length
_MEL_HZ = 200.0 / 3.0  # of a mel below 1 kHz
_KNEE_HZ, _KNEE_MEL = 1000.0, 15.0  # from where on mels are logarithmic ...
_LOG_STEP = np.log(6.4) / 27.0  # ... 27 of them to a factor of 6.4


@cache
def _window(size: int) -> Floats:
    """The periodic Hann window [size]."""
    return np.asarray(0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size), np.float64)


def frames_of(sound: Sound, size: int, hop: int) -> Sound:
    """The frames of sound [n], a view: [n // hop + 1, size]."""
    padded = np.pad(sound, size // 2)
    return np.lib.stride_tricks.sliding_window_view(padded, size)[::hop]


def stft(sound: Sound, size: int, hop: int) -> NDArray[Any]:
    """Spectra of sound [n]: complex [size / 2 + 1, n // hop + 1], of the sound's precision."""
    frames = frames_of(sound, size, hop)
    kind = np.complex64 if sound.dtype == np.float32 else np.complex128
    out = np.empty((size // 2 + 1, len(frames)), kind)
    for at in range(0, len(frames), _BLOCK):
        out[:, at : at + _BLOCK] = np.fft.rfft(frames[at : at + _BLOCK] * _window(size), axis=1).T
    return out


def istft(spectra: NDArray[Any], hop: int, length: int) -> Floats:
    """Sound [length] of spectra [bins, F] that need not be any sound's: overlapped, weighed by the window.

    `hop` divides a frame's size.
    """
    size, count = 2 * (len(spectra) - 1), spectra.shape[1]
    parts = np.fft.irfft(spectra, n=size, axis=0) * _window(size)[:, None]  # [size, F]
    turns = size // hop
    made, weight = np.zeros((2, count + turns - 1, hop))
    for turn in range(turns):
        rows = slice(turn * hop, (turn + 1) * hop)
        made[turn : turn + count] += parts[rows].T
        weight[turn : turn + count] += _window(size)[rows] ** 2
    sound, heard = made.reshape(-1)[size // 2 :], weight.reshape(-1)[size // 2 :]
    sound = np.divide(sound, heard, out=sound, where=heard > np.finfo(np.float64).tiny)[:length]
    return np.pad(sound, (0, length - len(sound)))


def mel_frequencies(count: int, low: float, high: float) -> Floats:
    """`count` frequencies from `low` to `high` Hz, evenly spaced in mel: [count]."""
    mels = np.linspace(_mel(low), _mel(high), count)
    above = _KNEE_HZ * np.exp(_LOG_STEP * (mels - _KNEE_MEL))
    return np.asarray(np.where(mels >= _KNEE_MEL, above, _MEL_HZ * mels), np.float64)


def _mel(hz: float) -> float:
    return float(_KNEE_MEL + np.log(hz / _KNEE_HZ) / _LOG_STEP) if hz >= _KNEE_HZ else hz / _MEL_HZ


def mel_filters(
    rate: int, size: int, bands: int, low: float, high: float, even: bool = False
) -> NDArray[np.float32]:
    """Triangular bands over the bins of a spectrum: [bands, size / 2 + 1].

    Of height one, or (`even`) of equal area in Hz, so that white noise is level.
    """
    edges = mel_frequencies(bands + 2, low, high)
    bins = np.fft.rfftfreq(size, 1.0 / rate)
    slopes = edges[:, None] - bins  # [bands + 2, bins]
    wide = np.diff(edges)[:, None]
    bank = np.maximum(0.0, np.minimum(-slopes[:-2] / wide[:-1], slopes[2:] / wide[1:]))
    if even:
        bank *= 2.0 / (edges[2:] - edges[:-2])[:, None]
    return np.asarray(bank, np.float32)


def chroma_filters(rate: int, size: int) -> NDArray[np.float32]:
    """Pitch classes from C over the bins of a spectrum, A = 440 Hz: [12, size / 2 + 1].

    Gaussian in pitch, loudest around 880 Hz (Ellis 2007).
    """
    bins = 12 * np.log2(np.arange(1, size) * rate / size / 27.5)  # semitones above A0, which is class 0 here
    bins = np.concatenate([[bins[0] - 18], bins])  # 0 Hz has no pitch
    width = np.concatenate([np.maximum(np.diff(bins), 1.0), [1.0]])
    away = np.remainder(bins - np.arange(12)[:, None] + 126, 12) - 6  # [12, size], nearest octave
    bank = np.exp(-0.5 * (2 * away / width) ** 2)
    bank /= np.linalg.norm(bank, axis=0)
    bank *= np.exp(-0.5 * ((bins / 12 - 5) / 2) ** 2)
    return np.asarray(np.roll(bank, -3, axis=0)[:, : size // 2 + 1], np.float32)


def transposed(sound: Floats, rate: int, semitones: float, size: int = 2048) -> Floats:
    """Sound [n] so much higher, as long as before: stretched by a phase vocoder, then resampled."""
    hop, step = size // 4, 2.0 ** (-semitones / 12)
    longer = istft(_stretched(stft(sound, size, hop), step, hop), hop, round(len(sound) / step))
    made = np.asarray(soxr.resample(longer, rate / step, rate, quality="HQ"), np.float64)[: len(sound)]
    return np.pad(made, (0, len(sound) - len(made)))


def _stretched(spectra: NDArray[Any], step: float, hop: int) -> NDArray[Any]:
    """Spectra [bins, F] read every `step` frames: magnitudes in between, each bin's phase as it turns."""
    at = np.arange(0, spectra.shape[1], step)
    whole, part = at.astype(int), at % 1.0
    spectra = np.pad(spectra, ((0, 0), (0, 2)))
    size, angle = np.abs(spectra), np.angle(spectra)
    usual = np.pi * hop * np.arange(len(spectra))[:, None] / (len(spectra) - 1)
    turn = angle[:, whole + 1] - angle[:, whole] - usual
    turn += usual - 2 * np.pi * np.round(turn / (2 * np.pi))
    phase = np.cumsum(np.concatenate([angle[:, :1], turn[:, :-1]], axis=1), axis=1)
    made = ((1 - part) * size[:, whole] + part * size[:, whole + 1]) * np.exp(1j * phase)
    return np.asarray(made)
