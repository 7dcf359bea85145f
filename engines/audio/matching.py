"""What a span is matched to: the sound beside it, in level, bands and width.

Measured on the samples of a recording on either side of a span, once for all windows that are tried in it.
Works in bands up to 16 kHz. Samples count at the recording's rate. Knows neither models nor torch.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from engines.audio import fades
from engines.audio.recording import Recording
from engines.audio.timebase import seconds_to_samples

Floats = NDArray[np.float64]

BAND_EDGES: Final = (0.0, 150.0, 400.0, 800.0, 1600.0, 3200.0, 5000.0, 8000.0, 12000.0, 16000.0)  # Hz
LEVEL_CLAMP_DB: Final = 6.0  # most that the whole span may be raised or lowered
# 17 clips through a half-trained codec: a clamp of 3 dB left the span 0.7 dB dull, 6 dB and more lost
# log-mel distance; 4.5 dB brought the brightness step to 0 and the seams' jump from 7.4 to 6.9 dB (real 5.7).
BAND_CLAMP_DB: Final = 4.5  # most that a band may be raised or lowered beyond that
# What a model makes is louder or has more bass than the music around it far more often than real music
# differs from itself. Share of the difference that is taken away: 18 spans by AR and FM came nearest to
# the bands that were really there with 0.75 (rms 2.5 dB instead of 4.4; 0.5 gave 3.0, all of it 2.5),
# and to their level (1.3 dB instead of 1.9).
CONTENT_SHARE: Final = 0.75
CONTENT_BOOST_DB: Final = (
    6.0  # most that content is raised in level, and a band beyond that: hiss comes along
)
CONTENT_CUT_DB: Final = 12.0  # most that it is lowered
CONTENT_QUIET_DB: Final = 20.0  # a side so much quieter than the other is a pause, not a model for the span
CONTEXT_SECONDS: Final = 2.0  # context listened to on each side
MIN_CONTEXT_SECONDS: Final = 0.1  # less than this says nothing about the bands


@dataclass(frozen=True)
class ContextMatch:
    """How a mono window becomes the channels of the source, per band of the context."""

    level: Floats  # [B] gain that makes the codec's context as loud as the source's
    direct: Floats  # [C, B] gain of the mono signal in each channel
    ambient: Floats  # [C, B] gain of the decorrelated mono signal in each channel


class _Side(NamedTuple):
    """Energies of one side of a span, in bands."""

    mono: Floats  # [B] of the mean of the channels
    covariance: Floats  # [C, B] of each channel with that mean
    energy: Floats  # [C, B] of each channel
    density: Floats  # [B] mean power of a frame of the mean


class Beside:
    """What lies beside the samples [first, last) of a recording."""

    def __init__(self, source: Recording, first: int, last: int, model_rate: int) -> None:
        """`model_rate` bounds the bands that a window can hold."""
        self.source, self.first, self.last = source, first, last
        self._reach = seconds_to_samples(CONTEXT_SECONDS, source.rate)
        self._size = 1 << max(8, round(np.log2(0.046 * source.rate)))  # ~46 ms
        self._edges = np.minimum(BAND_EDGES, 0.5 * min(source.rate, model_rate))
        self._sides: dict[tuple[int, int], _Side] = {}

    @cached_property
    def fade(self) -> Floats | None:
        """The level [frames] that the surroundings, where they fade, have inside the span (`fades.fade`)."""
        source, reach = self.source, self._reach
        left = source.mono(max(0, self.first - reach), self.first)
        right = source.mono(self.last, min(source.length, self.last + reach))
        return fades.fade(left, right, self.last - self.first, source.rate)

    def _side(self, a: int, b: int) -> _Side:
        """Energies of the samples [a, b), remembered."""
        if (a, b) not in self._sides:
            source = self.source
            spectra = _spectra(source.as_float(a, b).astype(np.float64).T, self._size)  # [C, frames, bins]
            mono = np.tensordot(source.signs / source.channels, spectra, axes=1)  # [frames, bins]
            power = np.abs(mono) ** 2
            self._sides[a, b] = _Side(
                self._bands(power.sum(axis=0)),
                np.array([self._bands((each * mono.conj()).real.sum(axis=0)) for each in spectra]),
                np.array([self._bands((np.abs(each) ** 2).sum(axis=0)) for each in spectra]),
                self._bands(power.mean(axis=0)),
            )
        return self._sides[a, b]

    def _bands(self, power: NDArray[Any]) -> Floats:
        """[bins] -> [B]: sums over the bands."""
        frequencies = np.linspace(0, self.source.rate / 2, len(power))
        at = np.searchsorted(frequencies, self._edges)
        return np.array([power[a:b].sum(dtype=np.float64) for a, b in itertools.pairwise(at)])

    def context(self, decoded: NDArray[np.float32], offset: int) -> ContextMatch:
        """Measure level and width on the context of the span.

        `decoded` [n] is the window at the source's rate, beginning at sample `offset` of the source.
        Without usable context every gain is neutral.
        """
        source, first, last, reach = self.source, self.first, self.last, self._reach
        bands = len(BAND_EDGES) - 1
        neutral = ContextMatch(
            np.ones(bands), np.ones((source.channels, bands)), np.zeros((source.channels, bands))
        )
        least = seconds_to_samples(MIN_CONTEXT_SECONDS, source.rate)
        sides = (  # the parts of the context that the window covers too
            (max(0, offset, first - reach), first),
            (last, min(source.length, offset + len(decoded), last + reach)),
        )
        heard = np.zeros(bands)  # energy of the decoded context
        mono_energy = np.zeros(bands)  # energy of the source's context, mean of channels
        covariance = np.zeros((source.channels, bands))  # of each channel with that mean
        energy = np.zeros((source.channels, bands))  # of each channel
        for a, b in sides:
            if b - a < max(least, 64):
                continue
            side, copy = self._side(a, b), _spectra(decoded[a - offset : b - offset], self._size)
            heard += self._bands((np.abs(copy) ** 2).sum(axis=0))
            mono_energy += side.mono
            covariance += side.covariance
            energy += side.energy
        floor = 1e-8 * max(float(mono_energy.max()), float(heard.max()), 1e-6)
        usable = (mono_energy > floor) & (heard > floor)
        if not usable.any():
            return neutral
        ratio = np.sqrt(mono_energy / np.maximum(heard, floor), where=usable, out=np.ones(bands))
        whole = _clamp(np.sqrt(mono_energy[usable].sum() / heard[usable].sum()), LEVEL_CLAMP_DB)
        level = whole * _clamp(ratio / whole, BAND_CLAMP_DB)

        widest = float(source.channels)
        safe = np.maximum(mono_energy, 1e-3 * energy.mean(axis=0) + floor)  # anti-phase context: no blow-up
        direct = np.where(mono_energy > floor, np.clip(covariance / safe, -widest, widest), 1.0)
        rest = np.maximum(energy - covariance**2 / safe, 0.0) / safe
        ambient = np.where(mono_energy > floor, np.minimum(np.sqrt(rest), widest / 2), 0.0)
        if source.channels == 1:
            direct, ambient = np.ones((1, bands)), np.zeros((1, bands))
        return ContextMatch(level, direct, ambient)

    def content(self, decoded: NDArray[np.float32], offset: int, level: Floats, share: float) -> Floats:
        """Gains [2, B] at the span's start and end that bring its content nearer to the context there.

        Arguments as in `context`; `level` [B] is the codec's correction, made as well. Compared are
        the two seconds on either side of a seam. A side without music (none, or 20 dB under the other
        side) takes the other's gains; without any, and for silent content, every gain is 1.
        """
        source, first, last, reach = self.source, self.first, self.last, self._reach
        bands = len(BAND_EDGES) - 1
        outside = ((max(0, first - reach), first), (last, min(source.length, last + reach)))
        inside = ((first, min(last, first + reach)), (max(first, last - reach), last))
        heard, gains = [], []
        for (a, b), (c, d) in zip(outside, inside, strict=True):
            content = decoded[max(0, c - offset) : max(0, d - offset)]
            if b - a < max(seconds_to_samples(MIN_CONTEXT_SECONDS, source.rate), 64) or len(content) < 64:
                heard.append(0.0)
                gains.append(np.ones(bands))
                continue
            around = self._side(a, b).density
            spectra = _spectra(content, self._size)
            made = self._bands((np.abs(spectra) ** 2).mean(axis=0)) * level**2
            heard.append(float(around.sum()))
            floor = 1e-8 * max(float(around.max()), 1e-6)
            usable = (around > floor) & (made > 1e-4 * around)  # what is not there cannot be raised
            if not usable.any():
                gains.append(np.ones(bands))
                continue
            ratio = np.sqrt(around / np.maximum(made, floor), where=usable, out=np.ones(bands))
            whole = np.sqrt(around[usable].sum() / made[usable].sum())
            tilt = np.where(usable, ratio / whole, 1.0)
            gains.append(_limited(whole**share) * _limited(tilt**share))
        if min(heard) < max(heard) * 10 ** (-CONTENT_QUIET_DB / 10):
            loud = int(np.argmax(heard))
            gains[1 - loud] = gains[loud]
        return np.array(gains)


def _limited(gains: NDArray[Any]) -> Floats:
    """Gains kept within the boost and the cut that content may get."""
    return np.asarray(np.clip(gains, 10 ** (-CONTENT_CUT_DB / 20), 10 ** (CONTENT_BOOST_DB / 20)), np.float64)


def _clamp(gains: NDArray[Any], decibels: float) -> Floats:
    """Gains kept within plus or minus `decibels`."""
    bound = 10 ** (decibels / 20)
    return np.asarray(np.clip(gains, 1 / bound, bound), np.float64)


def _spectra(samples: NDArray[Any], size: int) -> NDArray[Any]:
    """[..., n] -> [..., frames, size/2+1], Hann, half overlap; short parts are padded to one frame."""
    short = size - samples.shape[-1]
    if short > 0:
        samples = np.pad(samples, [(0, 0)] * (samples.ndim - 1) + [(0, short)])
    frames = np.lib.stride_tricks.sliding_window_view(samples, size, axis=-1)[..., :: size // 2, :]
    spectra: NDArray[Any] = fft.rfft(frames * np.hanning(size).astype(samples.dtype), axis=-1)
    return spectra
