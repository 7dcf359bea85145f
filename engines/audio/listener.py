"""What is heard around a moment that needs seconds of context: harmony, beat, texture, loudness, tempo.

A `WideListener` keeps the frames of a recording and hears another version of it only where that differs.
Audio is float32 [n] at `rate` Hz, times are seconds on its clock, levels are dB. Knows neither models nor
torch, and judges nothing.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft

from engines.audio.hearing import RANGE_DB, SILENCE, Floats, hann, mel_bank
from engines.audio.recording import resample
from engines.audio.timebase import resampled_length, seconds_to_frame, seconds_to_samples

Frames = NDArray[np.float32]

TEXTURE_SECONDS: Final = 1.5  # each side of the texture
HARMONY_SECONDS: Final = 1.0  # each side of the harmony
LOUDNESS_SECONDS: Final = 5.0  # each side of the loudness
RHYTHM_SECONDS: Final = 4.0  # each side of the beat and the tempo
LATE_SECONDS: Final = 0.02  # a beat that is off by less is not heard as off
STEADY: Final = 0.01  # a tempo that differs by less is the same
_LISTEN_RATE: Final = 32_000  # Hz; the wide statistics hear no more
_RESAMPLER_SECONDS: Final = 0.05  # most that a resampler hears on either side
_ALIKE_DB: Final = 2.0  # mean distance of two mel spectra at which a vote counts half
_REPEATING: Final = 0.8  # seconds of a rhythm that are needed to hear how it repeats
_TEMPI: Final = 1 + np.arange(-12, 13) * 0.005
_GAP: Final = 3  # frames next to a boundary whose windows reach over it


class WideMeasures(NamedTuple):
    """The statistics that need seconds of context at one moment; after minus before."""

    harmony: float  # distance of the mean pitch-class profiles, 36 bins an octave: 0 same .. 2 opposite
    beat: float  # how much better the rhythms would agree if one were moved; 0 where nobody would hear it
    texture: float  # distance of log-mel shape, spread and motion, dB
    loudness: float  # dB, between the frames of either side that sound most alike
    tempo: float  # how much better the rhythms repeat alike at another tempo; 0 where nobody would hear it
    late: float  # seconds that the rhythm after lags behind the rhythm before, within half a beat
    faster: float  # share by which the tempo after is higher


class WideListener:
    """Frames of mono audio [n], kept once, from which the wide statistics of any moment are read."""

    def __init__(self, samples: NDArray[Any], rate: int, period: float | None = None) -> None:
        """`period` is the beat in seconds, that of another version of the same piece; None finds it."""
        self._hear(samples.astype(np.float32, copy=False), rate)
        self.period = beat_period(self.rises, self.frame_rate) if period is None else period

    def again(self, samples: NDArray[Any], rate: int, changed: tuple[int, int]) -> WideListener:
        """A listener to another version [n] of the same piece that differs in the samples `changed` alone.

        Only what hears something of these is heard anew; the beat is the same.
        """
        other = WideListener.__new__(WideListener)
        other.period = self.period
        other._hear(samples.astype(np.float32, copy=False), rate, self, changed)
        return other

    def _hear(
        self,
        x: Frames,
        rate: int,
        before: WideListener | None = None,
        changed: tuple[int, int] = (0, 0),
    ) -> None:
        if rate > _LISTEN_RATE:
            x, changed = _resampled(x, rate, before, changed)
            rate = _LISTEN_RATE
        self._heard = x
        short, long = seconds_to_samples(0.04, rate), seconds_to_samples(0.186, rate)
        hop, slow_hop = max(1, rate // 100), max(1, rate // 20)
        self.frame_rate, self.slow_rate = rate / hop, rate / slow_hop

        def framed(
            known: Frames | None, length: int, hop: int, heard: Callable[[Frames], Frames]
        ) -> tuple[Frames, slice]:
            """What is `heard` in each frame [F, ...], of unchanged ones as `known`; and which are new."""
            frames = len(x) // hop + 1
            if known is None or len(known) != frames:
                return heard(_frames(x, length, hop, 0, frames)), slice(0, frames)
            first = max(0, (changed[0] - length) // hop)
            last = min(frames, -((-changed[1] - length) // hop) + 1)
            made = known.copy()
            if last > first:
                made[first:last] = heard(_frames(x, length, hop, first, last))
            return made, slice(first, max(first, last))

        size = 1 << max(9, (2 * short - 1).bit_length())
        bank = mel_bank(rate, size).T.astype(np.float32)

        def energy(frames: Frames) -> Frames:  # [F, short] -> [F, mels + 1], the sum of all bins last
            power = _frame_power(frames, size)
            return np.concatenate([power @ bank, power.sum(axis=1, keepdims=True)], axis=1)

        energies, new = framed(None if before is None else before._energy, short, hop, energy)
        self._energy: Frames = energies
        loudest = float(energies[:, :-1].max(initial=0.0))
        self._floor = max(loudest * 10 ** (-RANGE_DB / 10), SILENCE)
        whole = before is None or before._floor != self._floor or len(before.mel) != len(energies)
        self._name(energies, size, slice(0, len(energies)) if whole else new, before)
        wide = 1 << max(9, (long - 1).bit_length())
        classes = _pitch_classes(rate, wide).T

        def tonal(frames: Frames) -> Frames:  # [G, long] -> [G, 36]
            pitches: Frames = np.sqrt(_frame_power(frames, wide)) @ classes
            return pitches

        self._tones: Frames | None = None

        def tones() -> Frames:
            return framed(None if before is None else before.tones, long, slow_hop, tonal)[0]

        self._listen: Callable[[], Frames] = tones

    @property
    def tones(self) -> Frames:
        """What is heard in each third of a semitone of an octave, A first, once it is asked for: [G, 36]."""
        if self._tones is None:
            listen: Callable[[], Frames] = self._listen
            self._tones = listen()
        return self._tones

    def _name(self, energy: Frames, size: int, new: slice, before: WideListener | None) -> None:
        """Level, mel bands and rises of energies [F, mels + 1]; frames that are not `new` are as `before`."""
        frames = len(energy)
        self.level: Frames = np.empty(frames, np.float32)  # [F], dB
        self.mel: Frames = np.empty((frames, energy.shape[1] - 1), np.float32)
        self.rises: Frames = np.empty(frames, np.float32)  # [F]
        if before is not None and new != slice(0, frames):
            self.level[:], self.mel[:], self.rises[:] = before.level, before.mel, before.rises
        self.level[new] = 10 * np.log10(np.maximum(2 * energy[new, -1] / size, SILENCE))
        self.mel[new] = 10 * np.log10(np.maximum(energy[new, :-1], self._floor))
        first, last = max(1, new.start), min(frames, new.stop + 1)  # what follows a new frame rises from it
        self.rises[first:last] = np.maximum(np.diff(self.mel[first - 1 : last], axis=0), 0).mean(axis=1)
        self.rises[0] = 0.0

    def at(self, time: float, reach: tuple[float, float]) -> WideMeasures:
        """The statistics at `time`, hearing at most `reach` seconds before and after; 0 where too short."""
        before, after = _sides(self.mel, time, self.frame_rate, [min(TEXTURE_SECONDS, r) for r in reach])
        if min(len(before), len(after)) < 3:
            return WideMeasures(0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0)
        texture = float(np.sqrt(np.mean((_shape(after) - _shape(before)) ** 2)))
        tones = _sides(self.tones, time, self.slow_rate, [min(HARMONY_SECONDS, r) for r in reach])
        harmony = 0.0
        if min(len(part) for part in tones) >= 3:
            a, b = (part.mean(axis=0) - part.mean() for part in tones)
            norm = float(np.linalg.norm(a) * np.linalg.norm(b))
            harmony = 1.0 - float(a @ b) / norm if norm > 1e-9 else 0.0
        beat, late = self._beat(time, reach)
        tempo, faster = self._tempo(time, reach)
        return WideMeasures(harmony, beat, texture, self._loudness(time, reach), tempo, late, faster)

    def _loudness(self, time: float, reach: tuple[float, float]) -> float:
        """Level after minus before in dB, between frames that sound alike but for their level.

        Music repeats itself, so that nearly every frame has one on the other side that holds the same notes
        and strokes; what their levels differ by is the step that is heard, however uneven the music is.
        Each frame votes by how alike its nearest one is; the weighted median of the votes is given.
        """
        heard = [min(LOUDNESS_SECONDS, r) for r in reach]
        levels = [part[2:-2:2] for part in _sides(self.level, time, self.frame_rate, heard)]  # [f], [g]
        if min(len(part) for part in levels) < 1:
            return 0.0
        a, b = (_moving(part) for part in _sides(self.mel, time, self.frame_rate, heard))  # [f, M], [g, M]
        apart = (a**2).mean(axis=1)[:, None] + (b**2).mean(axis=1) - 2 * a @ b.T / a.shape[1]
        apart = np.maximum(apart, 0.0)  # [f, g], dB^2
        to_b, to_a = apart.argmin(axis=1), apart.argmin(axis=0)  # [f, g] -> [f], [g]
        steps = np.concatenate([levels[1][to_b] - levels[0], levels[1] - levels[0][to_a]])
        votes = 1.0 / (np.concatenate([apart.min(axis=1), apart.min(axis=0)]) + _ALIKE_DB**2)
        order = np.argsort(steps)
        total = np.cumsum(votes[order])
        return float(steps[order][np.searchsorted(total, total[-1] / 2)])

    def _tempo(self, time: float, reach: tuple[float, float]) -> tuple[float, float]:
        """How rhythms repeat on both sides: gain in agreement by playing one faster, and by how much.

        The autocorrelation of a rhythm does not know where the beat lies; played faster, it shrinks.
        """
        heard = [min(RHYTHM_SECONDS, r) for r in reach]
        before, after = _sides(self.rises, time, self.frame_rate, heard)
        shorter = min(len(before), len(after))
        if self.period <= 0 or shorter < _REPEATING * self.frame_rate:
            return 0.0, 0.0
        a, b = _autocorrelation(before), _autocorrelation(after)
        lags, below, share = _played(seconds_to_frame(0.25, self.frame_rate), int(0.75 * shorter))
        x = a[lags]  # [L]
        y = b[below] * (1 - share) + b[below + 1] * share  # [tempi, L]: what repeats after n frames before
        agreement = (y @ x) / np.sqrt(float(x @ x) * (y * y).sum(axis=1) + 1e-12)  # does so after n / tempo
        best = int(np.argmax(agreement))
        faster = float(_TEMPI[best] - 1)
        gain = agreement[best] - agreement[len(_TEMPI) // 2]
        return (gain if abs(faster) > STEADY + 1e-6 else 0.0), faster

    def _beat(self, time: float, reach: tuple[float, float]) -> tuple[float, float]:
        """Both sides folded onto one beat: gain in agreement by moving one of them, and by how far."""
        period = self.period * self.frame_rate
        before, after = _sides(self.rises, time, self.frame_rate, [min(RHYTHM_SECONDS, r) for r in reach])
        if period <= 0 or min(len(before), len(after)) < period:
            return 0.0, 0.0
        at, bins = seconds_to_frame(time, self.frame_rate), round(period)
        a = _fold(before, at - _GAP - len(before), period, bins)
        b = _fold(after, at + _GAP, period, bins)
        norm = float(np.linalg.norm(a) * np.linalg.norm(b))
        if norm < 1e-9:
            return 0.0, 0.0
        agreement = np.fft.irfft(np.fft.rfft(a).conj() * np.fft.rfft(b), bins) / norm  # [bins], b moved
        best = int(agreement.argmax())
        late = (best - bins if best > bins / 2 else best) / self.frame_rate
        gain = float(agreement[best] - agreement[0]) if abs(late) > LATE_SECONDS + 1e-9 else 0.0
        return gain, late


def _sides(frames: NDArray[Any], time: float, rate: float, reach: list[float]) -> tuple[Floats, Floats]:
    """Frames [F, ...] before and after a moment, without those that hear both sides."""
    at, gap = seconds_to_frame(time, rate), _GAP if rate > 50 else 1
    before = frames[max(0, at - max(seconds_to_frame(reach[0], rate), gap + 3)) : max(0, at - gap)]
    return before, frames[at + gap : at + max(seconds_to_frame(reach[1], rate), gap + 3)]


def _moving(mel: Floats) -> Floats:
    """Log-mel frames [f, mels] -> every other one and those 20 ms around it, level aside: [g, 3 mels]."""
    joined = np.concatenate([mel[:-4:2], mel[2:-2:2], mel[4::2]], axis=1)
    centred: Floats = joined - joined.mean(axis=1, keepdims=True)
    return centred


def _shape(mel: Floats) -> Floats:
    """Log-mel frames [f, mels] -> their mean without level, spread and motion: [3 mels]."""
    mean = mel.mean(axis=0)
    motion = np.abs(np.diff(mel, axis=0)).mean(axis=0)
    return np.concatenate([mean - mean.mean(), mel.std(axis=0), motion])


def _fold(rises: Floats, first: int, period: float, bins: int) -> Floats:
    """Rises [f] from frame `first` on, summed over one beat of `period` frames, mean-free: [bins]."""
    place = (np.arange(len(rises)) + first) % period * (bins / period)
    whole = place.astype(int)
    part = place - whole
    total = np.bincount(whole % bins, rises * (1 - part), bins)
    total += np.bincount((whole + 1) % bins, rises * part, bins)
    count = np.bincount(whole % bins, 1 - part, bins) + np.bincount((whole + 1) % bins, part, bins)
    mean = total / np.maximum(count, 1e-6)
    folded: Floats = mean - mean.mean()
    return folded


@lru_cache(maxsize=64)
def _played(least: int, most: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Floats]:
    """Lags [L] in [least, most), and where each lies at every tempo: frames and shares [tempi, L]."""
    lags = np.arange(least, most)
    place = lags / _TEMPI[:, None]
    below = place.astype(np.int64)
    return lags, below, place - below


def _autocorrelation(rises: Floats) -> Floats:
    """Of rises [f], unbiased, 1 at lag 0: [f]."""
    size = 2 * len(rises)
    spectrum = np.abs(np.fft.rfft(rises - rises.mean(), size)) ** 2
    lags: Floats = np.fft.irfft(spectrum, size)[: len(rises)] / (len(rises) - np.arange(len(rises)))
    return lags / max(float(lags[0]), 1e-9)


def beat_period(rises: NDArray[Any], rate: float) -> float:
    """The beat in seconds, 0.3-1.0: where the autocorrelation of the rises [F] and its multiples peak."""
    centred = rises - rises.mean()
    n = len(centred)
    if n < 2 * rate or centred.std() < 1e-6:
        return 0.0
    spectrum = np.abs(np.fft.rfft(centred, 2 * n)) ** 2
    lags = np.fft.irfft(spectrum)[:n] / (n - np.arange(n))
    candidates = np.arange(0.3 * rate, rate, 0.25)
    total, count = np.zeros(len(candidates)), np.zeros(len(candidates))
    for multiple in (1, 2, 4, 8):
        inside = multiple * candidates < 0.6 * n
        total += np.where(inside, np.interp(multiple * candidates, np.arange(n), lags), 0.0)
        count += inside
    mean = total / np.maximum(count, 1)
    best = int(mean.argmax())
    return float(candidates[best] / rate) if mean[best] > 0 else 0.0


def _resampled(
    x: Frames, rate: int, before: WideListener | None, changed: tuple[int, int]
) -> tuple[Frames, tuple[int, int]]:
    """Samples [n] as they are listened to, and where what is `changed` is heard of; else as `before`."""
    first, last = (round(at * _LISTEN_RATE / rate) for at in changed)
    slack = seconds_to_samples(_RESAMPLER_SECONDS, _LISTEN_RATE)
    length = resampled_length(len(x), rate, _LISTEN_RATE)
    reach = max(0, first - slack), min(length, last + slack)
    if before is None or len(before._heard) != length:
        return resample(x, rate, _LISTEN_RATE), reach
    beat = math.gcd(rate, _LISTEN_RATE)  # so many instants a second are samples at both rates
    step, own = _LISTEN_RATE // beat, rate // beat
    a, b = max(0, (reach[0] - slack) // step), -(-(reach[1] + slack) // step)
    part = resample(x[a * own : b * own], rate, _LISTEN_RATE)
    made = before._heard.copy()
    made[reach[0] : reach[1]] = part[reach[0] - a * step : reach[1] - a * step]
    return made, reach


def _frames(samples: Frames, length: int, hop: int, first: int, last: int) -> Frames:
    """Frames of samples [n], centred `hop` apart, from number `first` until before `last`: [F, length]."""
    begin, end = first * hop - length // 2, (last - 1) * hop - length // 2 + length
    part = samples[max(0, begin) : max(0, end)]
    padded = np.pad(part, (max(0, -begin), max(0, end - max(0, begin) - len(part))))
    return np.lib.stride_tricks.sliding_window_view(padded, length)[::hop]


def _frame_power(frames: Frames, size: int) -> Frames:
    """Hann frames [F, length] -> power [F, size/2+1], a sine's whatever the length."""
    length = frames.shape[1]
    power: Frames = np.abs(fft.rfft(frames * hann(length), size)) ** 2 / length
    return power


@lru_cache(maxsize=8)
def _pitch_classes(rate: int, size: int) -> NDArray[np.float32]:
    """Bins [size/2+1] of 80-2000 Hz onto an octave in thirds of a semitone, A = 440 Hz: [36, size/2+1]."""
    frequency = np.arange(size // 2 + 1) * rate / size
    heard = np.nonzero((frequency > 80) & (frequency < 2000))[0]
    place = (36 * np.log2(frequency[heard] / 440.0)) % 36
    whole = place.astype(int)
    bank = np.zeros((36, len(frequency)), np.float32)
    bank[whole % 36, heard] = 1 - (place - whole)
    bank[(whole + 1) % 36, heard] += place - whole
    return bank
