"""What is heard within a second of a moment of a recording: jump, level, brightness, click, colour.

What needs more context is heard by `engines.audio.listener`. Audio is float32 [n] at `rate` Hz, times are
seconds on its clock, levels are dB. Knows neither models nor torch, and judges nothing.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy import fft, linalg, signal

from engines.audio.recording import Recording, mean_of
from engines.audio.spectra import mel_filters
from engines.audio.timebase import seconds_to_samples

Floats = NDArray[np.float64]

JUMP_SECONDS: Final = 0.04  # each side of the log-mel jump
STEP_SECONDS: Final = 0.4  # each side of the loudness, brightness and colour steps
CLICK_SECONDS: Final = 0.005  # where a click is looked for, each side
MOMENTS: Final = 64  # moments of the original that a seam is ranked among
BRIGHT_HZ: Final = 4000.0  # brightness is the energy above
_MELS: Final = 40
RANGE_DB: Final = 60.0  # mel bands further below the loudest one count as silent
_ORDER: Final = 16  # of the linear prediction
SILENCE: Final = 1e-10  # mean square below which nothing is heard (-100 dB)


class Measures(NamedTuple):
    """The narrow statistics at one moment; level and brightness are after minus before, in dB."""

    jump: float
    level: float
    brightness: float
    click: float  # largest residual of linear prediction over those around it
    colour: float  # log-mel distance of the 400 ms on either side, loudness aside, dB


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
    if min(len(before), len(after)) < 8 or min(_power(before), _power(after)) < SILENCE:
        return 0.0
    a, b = _log_mels((before / np.sqrt(_power(before)), after / np.sqrt(_power(after))), rate)
    return float(np.abs(b - a).mean())


def _log_mels(sides: tuple[NDArray[Any], NDArray[Any]], rate: int) -> tuple[Floats, Floats]:
    """Two parts [n], [m] -> their mel bands in dB [mels], floored together."""
    size = 1 << max(9, (2 * seconds_to_samples(JUMP_SECONDS, rate) - 1).bit_length())
    bank = mel_bank(rate, size)
    bands = []
    for side in sides:
        length = min(seconds_to_samples(JUMP_SECONDS, rate), len(side))
        frames = np.lib.stride_tricks.sliding_window_view(side, length)[:: max(1, length // 2)]
        power = np.abs(fft.rfft(frames * hann(length), size)) ** 2 / length  # [f, bins]
        bands.append(bank @ power.mean(axis=0))  # [bins] -> [mels]
    loudest = max(float(band.max()) for band in bands)
    floor = max(loudest * 10 ** (-RANGE_DB / 10), SILENCE)
    before, after = (10 * np.log10(np.maximum(band, floor)) for band in bands)
    return before, after


@lru_cache(maxsize=16)
def hann(length: int) -> NDArray[np.float32]:
    """Hann window [length]."""
    return np.hanning(length).astype(np.float32)


@lru_cache(maxsize=8)
def mel_bank(rate: int, size: int) -> NDArray[np.float32]:
    """Mel filters [mels, size/2+1] of equal height, so that a band's power is what it holds."""
    top = min(16000.0, rate / 2)
    return mel_filters(rate, size, _MELS, 60.0, top)


def mono_between(recording: Recording, low: float, high: float) -> NDArray[np.float32]:
    """The mean of all channels over [low, high) seconds: [n]."""
    first, last = (seconds_to_samples(time, recording.rate) for time in (low, high))
    return heard_in(recording.as_float(first, last), recording.signs)


def heard_in(part: NDArray[Any], signs: Floats) -> NDArray[np.float32]:
    """The mean of all channels [n, C], those that would cancel turned over: [n]."""
    return np.asarray(mean_of(part, signs, np.float64), np.float32)


def _power(samples: NDArray[Any]) -> float:
    return float((samples**2).mean()) if len(samples) else 0.0


def _bright_power(samples: NDArray[Any], rate: int) -> float:
    """Mean square above 4 kHz."""
    if len(samples) < 8 or rate <= 2 * BRIGHT_HZ:
        return 0.0
    spectrum = np.abs(fft.rfft(samples * hann(len(samples)))) ** 2
    first = int(np.ceil(BRIGHT_HZ * len(samples) / rate))
    return float(2 * spectrum[first:].sum() / (0.375 * len(samples) ** 2))


def _decibels(power: float) -> float:
    return float(10 * np.log10(max(power, SILENCE)))


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
    if lags[0] < SILENCE * len(part):
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
    level = np.log(np.maximum((samples[: count * hop].reshape(count, hop) ** 2).mean(axis=1), SILENCE))
    rises = np.diff(level, prepend=level[:1])  # [count]
    for i in range(0, MOMENTS, 2):
        a = max(int((moments[i] - 0.25) * 100), int(margin * 100) + 1)
        b = min(int((moments[i] + 0.25) * 100), int((seconds - margin) * 100))
        if b > a:
            moments[i] = (a + int(rises[a:b].argmax())) * hop / rate
    return [float(t) for t in moments]
