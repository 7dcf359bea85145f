"""What is heard around a moment of a recording: jump, level, colour, click, harmony, beat, texture, tempo.

Narrow statistics compare milliseconds before and after a moment, wide ones seconds. Audio is float32 [n] at
`rate` Hz, times are seconds on its clock, levels are dB. Knows neither models nor torch, and judges nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from librosa.filters import mel as mel_filters
from numpy.typing import NDArray
from scipy import linalg, signal

from engines.audio.recording import Recording, resample
from engines.audio.timebase import seconds_to_frame, seconds_to_samples

Floats = NDArray[np.float64]

JUMP_SECONDS: Final = 0.04  # each side of the log-mel jump
STEP_SECONDS: Final = 0.4  # each side of the loudness, brightness and colour steps
TEXTURE_SECONDS: Final = 1.5  # each side of the texture
HARMONY_SECONDS: Final = 1.0  # each side of the harmony
LOUDNESS_SECONDS: Final = 5.0  # each side of the loudness
RHYTHM_SECONDS: Final = 4.0  # each side of the beat and the tempo
CLICK_SECONDS: Final = 0.005  # where a click is looked for, each side
LATE_SECONDS: Final = 0.02  # a beat that is off by less is not heard as off
STEADY: Final = 0.01  # a tempo that differs by less is the same
MOMENTS: Final = 64  # moments of the original that a seam is ranked among
BRIGHT_HZ: Final = 4000.0  # brightness is the energy above
_MELS: Final = 40
_RANGE_DB: Final = 60.0  # mel bands further below the loudest one count as silent
_ORDER: Final = 16  # of the linear prediction
_SILENCE: Final = 1e-10  # mean square below which nothing is heard (-100 dB)
_LISTEN_RATE: Final = 32_000  # Hz; the wide statistics hear no more


class Measures(NamedTuple):
    """The narrow statistics at one moment; level and brightness are after minus before, in dB."""

    jump: float
    level: float
    brightness: float
    click: float  # largest residual of linear prediction over those around it
    colour: float  # log-mel distance of the 400 ms on either side, loudness aside, dB


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
        x = samples.astype(np.float32)
        if rate > _LISTEN_RATE:
            x, rate = resample(x, rate, _LISTEN_RATE), _LISTEN_RATE
        short, long = seconds_to_samples(0.04, rate), seconds_to_samples(0.186, rate)
        hop, slow_hop = max(1, rate // 100), max(1, rate // 20)
        self.frame_rate, self.slow_rate = rate / hop, rate / slow_hop
        size = 1 << max(9, (2 * short - 1).bit_length())
        power = _power_frames(x, short, hop, size)  # [F, bins]
        self.level = 10 * np.log10(np.maximum(2 * power.sum(axis=1) / size, _SILENCE))  # [F], dB
        mel = power @ _bank(rate, size).T.astype(np.float32)  # [F, mels]
        floor = max(float(mel.max(initial=0.0)) * 10 ** (-_RANGE_DB / 10), _SILENCE)
        self.mel = 10 * np.log10(np.maximum(mel, floor))
        self.rises = np.maximum(np.diff(self.mel, axis=0, prepend=self.mel[:1]), 0).mean(axis=1)  # [F]
        size = 1 << max(9, (long - 1).bit_length())
        self.tones = np.sqrt(_power_frames(x, long, slow_hop, size)) @ _pitch_classes(rate, size).T  # [G, 36]
        self.period = beat_period(self.rises, self.frame_rate) if period is None else period

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
        lags = np.arange(seconds_to_frame(0.25, self.frame_rate), int(0.75 * shorter))
        agreement = []
        for tempo in _TEMPI:  # what repeats after n frames before does so after n / tempo frames after
            inside = lags / tempo < len(b) - 1
            x, y = a[lags[inside]], np.interp(lags[inside] / tempo, np.arange(len(b)), b)
            agreement.append(float(x @ y) / np.sqrt(float(x @ x) * float(y @ y) + 1e-12))
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


_ALIKE_DB: Final = 2.0  # mean distance of two mel spectra at which a vote counts half
_REPEATING: Final = 0.8  # seconds of a rhythm that are needed to hear how it repeats
_TEMPI: Final = 1 + np.arange(-12, 13) * 0.005
_GAP: Final = 3  # frames next to a boundary whose windows reach over it


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


def _autocorrelation(rises: Floats) -> Floats:
    """Of rises [f], unbiased, 1 at lag 0: [f]."""
    size = 2 * len(rises)
    spectrum = np.abs(np.fft.rfft(rises - rises.mean(), size)) ** 2
    lags: Floats = np.fft.irfft(spectrum, size)[: len(rises)] / (len(rises) - np.arange(len(rises)))
    return lags / max(float(lags[0]), 1e-9)


def beat_period(rises: Floats, rate: float) -> float:
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


def _power_frames(samples: NDArray[Any], length: int, hop: int, size: int) -> NDArray[Any]:
    """Hann frames centred `hop` apart: [n] -> power [F, size/2+1], a sine's whatever the length."""
    padded = np.pad(samples, (length // 2, length))
    frames = np.lib.stride_tricks.sliding_window_view(padded, length)[::hop][: len(samples) // hop + 1]
    power: NDArray[Any] = np.abs(np.fft.rfft(frames * _hann(length), size)) ** 2 / length
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


def measure(
    samples: NDArray[Any], rate: int, time: float, bounds: tuple[float, float] | None = None
) -> Measures:
    """The statistics of mono `samples` [n] at `time`; windows stay within `bounds` seconds."""
    first, last = (0, len(samples)) if bounds is None else (seconds_to_samples(b, rate) for b in bounds)
    at = seconds_to_samples(time, rate)
    reach = seconds_to_samples(STEP_SECONDS, rate)
    before = samples[max(first, at - reach, 0) : at]
    after = samples[at : min(last, at + reach)]
    return Measures(
        log_mel_jump(samples[max(first, 0) : last], rate, (at - max(first, 0)) / rate),
        _decibels(_power(after)) - _decibels(_power(before)),
        _decibels(_bright_power(after, rate)) - _decibels(_bright_power(before, rate)),
        _click(samples, rate, at),
        _colour(before, after, rate),
    )


def log_mel_jump(samples: NDArray[Any], rate: int, time: float) -> float:
    """Mean absolute log-mel difference, dB, between the 40 ms before and after `time`.

    `samples` [n] is mono. 40 mel bands up to 16 kHz; bands 60 dB under the loudest of either side
    count as silent. 0 when either side is empty.
    """
    at = seconds_to_samples(time, rate)
    reach = seconds_to_samples(JUMP_SECONDS, rate)
    sides = (samples[max(0, at - reach) : at], samples[at : at + reach])
    if min(len(side) for side in sides) < 8:
        return 0.0
    before, after = _log_mels(sides, rate)
    return float(np.abs(after - before).mean())


def _colour(before: NDArray[Any], after: NDArray[Any], rate: int) -> float:
    """Mean absolute log-mel difference of two longer parts, loudness set equal, dB."""
    if min(len(before), len(after)) < 8 or min(_power(before), _power(after)) < _SILENCE:
        return 0.0
    a, b = _log_mels((before / np.sqrt(_power(before)), after / np.sqrt(_power(after))), rate)
    return float(np.abs(b - a).mean())


def _log_mels(sides: tuple[NDArray[Any], NDArray[Any]], rate: int) -> tuple[Floats, Floats]:
    """Two parts [n], [m] -> their mel bands in dB [mels], floored together."""
    size = 1 << max(9, (2 * seconds_to_samples(JUMP_SECONDS, rate) - 1).bit_length())
    bank = _bank(rate, size)
    bands = []
    for side in sides:
        length = min(seconds_to_samples(JUMP_SECONDS, rate), len(side))
        frames = np.lib.stride_tricks.sliding_window_view(side, length)[:: max(1, length // 2)]
        power = np.abs(np.fft.rfft(frames * _hann(length), size)) ** 2 / length  # [f, bins]
        bands.append(bank @ power.mean(axis=0))  # [bins] -> [mels]
    loudest = max(float(band.max()) for band in bands)
    floor = max(loudest * 10 ** (-_RANGE_DB / 10), _SILENCE)
    before, after = (10 * np.log10(np.maximum(band, floor)) for band in bands)
    return before, after


@lru_cache(maxsize=16)
def _hann(length: int) -> NDArray[np.float32]:
    """Hann window [length]."""
    return np.hanning(length).astype(np.float32)


@lru_cache(maxsize=8)
def _bank(rate: int, size: int) -> Floats:
    """Mel filters [mels, size/2+1] of equal height, so that a band's power is what it holds."""
    top = min(16000.0, rate / 2)
    bank: Floats = mel_filters(sr=rate, n_fft=size, n_mels=_MELS, fmin=60.0, fmax=top, norm=None)
    return bank


def mono_between(recording: Recording, low: float, high: float) -> NDArray[np.float32]:
    """The mean of all channels over [low, high) seconds: [n]."""
    part = recording.as_float(
        seconds_to_samples(low, recording.rate), seconds_to_samples(high, recording.rate)
    )
    part *= recording.signs.astype(part.dtype)  # channels that cancel are heard as well
    mono: NDArray[np.float32] = part.mean(axis=1, dtype=np.float64).astype(np.float32)  # [n, C] -> [n]
    return mono


def _power(samples: NDArray[Any]) -> float:
    return float((samples**2).mean()) if len(samples) else 0.0


def _bright_power(samples: NDArray[Any], rate: int) -> float:
    """Mean square above 4 kHz."""
    if len(samples) < 8 or rate <= 2 * BRIGHT_HZ:
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples * _hann(len(samples)))) ** 2
    first = int(np.ceil(BRIGHT_HZ * len(samples) / rate))
    return float(2 * spectrum[first:].sum() / (0.375 * len(samples) ** 2))


def _decibels(power: float) -> float:
    return float(10 * np.log10(max(power, _SILENCE)))


def _click(samples: NDArray[Any], rate: int, at: int) -> float:
    """Largest prediction residual within 5 ms of a sample, over the rms of those beside it.

    The prediction is linear, of order 16, fitted on 50 ms on either side: what sounds on is predicted, what
    is noisy is so beside the boundary too, and a stroke lasts longer than a click.
    """
    near, wide = (
        max(2, seconds_to_samples(CLICK_SECONDS, rate)),
        max(20, seconds_to_samples(10 * CLICK_SECONDS, rate)),
    )
    begin = max(0, at - wide)
    part = samples[begin : at + wide].astype(np.float64)
    if len(part) < 4 * near:
        return 0.0
    power = np.abs(np.fft.rfft(part * np.hanning(len(part)), 2 * len(part))) ** 2
    lags = np.fft.irfft(power)[: _ORDER + 1]
    if lags[0] < _SILENCE * len(part):
        return 0.0
    lags[0] *= 1.0001  # a little white noise keeps the equations solvable
    taps = linalg.solve_toeplitz(lags[:-1], lags[1:])
    rest = np.abs(signal.lfilter(np.concatenate([[1.0], -taps]), [1.0], part))
    rest[:_ORDER] = 0.0
    middle = at - begin
    peak = max(0, middle - near) + int(rest[max(0, middle - near) : middle + near].argmax())
    own = max(2, near // 7)  # the click itself
    beside = np.concatenate([rest[max(0, peak - near) : max(0, peak - own)], rest[peak + own : peak + near]])
    usual = float(np.sqrt((beside**2).mean())) if len(beside) else 0.0
    return float(rest[peak]) / max(usual, 0.1 * float(np.sqrt((rest**2).mean())), 1e-9)


def moments_of(samples: NDArray[Any], rate: int) -> list[float]:
    """Seeded moments (seconds) of the original [n], evenly spread with jitter; every other one moved to the
    strongest rise of energy near it, since spans often begin on a beat. Empty for a very short clip.
    """
    seconds = len(samples) / rate
    margin = min(STEP_SECONDS, seconds / 4)
    if margin < 0.02:
        return []
    rng = np.random.default_rng(len(samples))
    room = seconds - 2 * margin
    moments = margin + room * (np.arange(MOMENTS) + rng.random(MOMENTS)) / MOMENTS
    hop = max(1, rate // 100)
    count = len(samples) // hop
    level = np.log(np.maximum((samples[: count * hop].reshape(count, hop) ** 2).mean(axis=1), _SILENCE))
    rises = np.diff(level, prepend=level[:1])  # [count]
    for i in range(0, MOMENTS, 2):
        a = max(int((moments[i] - 0.25) * 100), int(margin * 100) + 1)
        b = min(int((moments[i] + 0.25) * 100), int((seconds - margin) * 100))
        if b > a:
            moments[i] = (a + int(rises[a:b].argmax())) * hop / rate
    return [float(t) for t in moments]
