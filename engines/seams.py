"""How the two boundaries of a re-made span sound, in numbers and in words.

Each statistic compares what lies just before a boundary with what lies just after it; its score
is its rank among the same statistic at moments of the untouched original, so that a busy piece
forgives more than a sustained chord. Times are seconds on the recording's clock, levels are dB.
Hears the mean of all channels. Knows neither models nor torch; judges only what it measures:
rhythm and harmony are not among it.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from librosa.filters import mel as mel_filters
from numpy.typing import NDArray

from engines.recording import Recording
from engines.requests import Seam

Floats = NDArray[np.float64]

JUMP_SECONDS: Final = 0.04  # each side of the log-mel jump
STEP_SECONDS: Final = 0.4  # each side of the loudness and brightness steps
CLICK_SECONDS: Final = 0.005  # where a click is looked for, each side
MIN_SIDE_SECONDS: Final = 0.05  # a boundary with less context on its outer side has no seam
MOMENTS: Final = 64  # moments of the original that a seam is ranked among
NEAR_SECONDS: Final = 15.0  # how far from the span those moments lie
BRIGHT_HZ: Final = 4000.0  # brightness is the energy above
_MELS: Final = 40
_RANGE_DB: Final = 60.0  # mel bands further below the loudest one count as silent
_SILENCE: Final = 1e-10  # mean square below which nothing is heard (-100 dB)


class Measures(NamedTuple):
    """The statistics at one moment; level and brightness are after minus before, in dB."""

    jump: float
    level: float
    brightness: float
    click: float
    colour: float  # log-mel distance of the 400 ms on either side, loudness aside, dB


def score(original: Recording, edited: Recording, start: float, end: float) -> tuple[Seam, ...]:
    """One Seam for each end of [start, end) that has at least 50 ms of context outside.

    Both recordings are on the same clock; the original tells what its own moments are like.
    `Seam.score` is the share of those moments that are smoother (0 best, 1 worse than all).
    """
    rate = edited.rate
    low = max(0.0, start - NEAR_SECONDS)
    high = min(original.seconds, end + NEAR_SECONDS)
    source = _mono(original, low, high)
    made = _mono(edited, low, high)
    inside = (start - low, end - low)
    moments = _moments(source, rate)
    reference = np.array([measure(source, rate, t) for t in moments]).reshape(-1, 5)  # [M, 5]
    seams = []
    for time, outer in ((start, start), (end, edited.seconds - end)):
        if outer < MIN_SIDE_SECONDS:
            continue
        at_start = time == start
        bounds = (0.0, inside[1]) if at_start else (inside[0], len(made) / rate)
        found = measure(made, rate, time - low, bounds)
        sign = 1.0 if at_start else -1.0  # dB as span against context
        seams.append(
            Seam(
                time=time,
                jump=found.jump,
                level=sign * found.level,
                brightness=sign * found.brightness,
                click=found.click,
                score=_rank(found, reference),
                words=_words(found, sign, reference),
            )
        )
    return tuple(seams)


def measure(
    samples: NDArray[Any], rate: int, time: float, bounds: tuple[float, float] | None = None
) -> Measures:
    """The statistics of mono `samples` [n] at `time`; windows stay within `bounds` seconds."""
    first, last = (0, len(samples)) if bounds is None else (round(b * rate) for b in bounds)
    at = round(time * rate)
    reach = round(STEP_SECONDS * rate)
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
    at = round(time * rate)
    reach = round(JUMP_SECONDS * rate)
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
    size = 1 << max(9, (2 * round(JUMP_SECONDS * rate) - 1).bit_length())
    length = round(JUMP_SECONDS * rate)
    bank = _bank(rate, size)
    bands = []
    for side in sides:
        count = max(1, 2 * len(side) // length - 1)  # frames of 40 ms, half overlap
        frames = [side[i * length // 2 :][:length] for i in range(count)]
        power = np.zeros(size // 2 + 1)
        for frame in frames:
            power += np.abs(np.fft.rfft(frame * np.hanning(len(frame)), size)) ** 2 / len(frame)
        bands.append(bank @ power / count)  # [bins] -> [mels]
    loudest = max(float(band.max()) for band in bands)
    floor = max(loudest * 10 ** (-_RANGE_DB / 10), _SILENCE)
    before, after = (10 * np.log10(np.maximum(band, floor)) for band in bands)
    return before, after


@lru_cache(maxsize=8)
def _bank(rate: int, size: int) -> Floats:
    """Mel filters [mels, size/2+1] of equal height, so that a band's power is what it holds."""
    top = min(16000.0, rate / 2)
    bank: Floats = mel_filters(sr=rate, n_fft=size, n_mels=_MELS, fmin=60.0, fmax=top, norm=None)
    return bank


def _mono(recording: Recording, low: float, high: float) -> Floats:
    """The mean of all channels over [low, high) seconds: [n]."""
    part = recording.as_float(round(low * recording.rate), round(high * recording.rate))
    mono: Floats = part.mean(axis=1, dtype=np.float64)  # [n, C] -> [n]
    return mono


def _power(samples: NDArray[Any]) -> float:
    return float((samples**2).mean()) if len(samples) else 0.0


def _bright_power(samples: NDArray[Any], rate: int) -> float:
    """Mean square above 4 kHz."""
    if len(samples) < 8 or rate <= 2 * BRIGHT_HZ:
        return 0.0
    spectrum = np.abs(np.fft.rfft(samples * np.hanning(len(samples)))) ** 2
    first = int(np.ceil(BRIGHT_HZ * len(samples) / rate))
    return float(2 * spectrum[first:].sum() / (0.375 * len(samples) ** 2))


def _decibels(power: float) -> float:
    return float(10 * np.log10(max(power, _SILENCE)))


def _click(samples: NDArray[Any], rate: int, at: int) -> float:
    """Largest second difference within 5 ms of a sample, over the median within 50 ms."""
    near, wide = max(2, round(CLICK_SECONDS * rate)), max(20, round(10 * CLICK_SECONDS * rate))
    begin = max(0, at - wide)
    bends = np.abs(np.diff(samples[begin : at + wide], n=2))
    middle = at - begin - 1
    peak = float(bends[max(0, middle - near) : middle + near].max(initial=0.0))
    median = float(np.median(bends)) if len(bends) else 0.0
    return peak / max(median, 1e-5)


def _moments(samples: Floats, rate: int) -> list[float]:
    """Seeded moments of the original, evenly spread with jitter; every other one moved to the
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


def _ranks(found: NDArray[Any], reference: Floats) -> Floats:
    """Share of the reference [M, 5] below each magnitude of [..., 5]."""
    below = np.abs(reference)[None] < np.abs(np.atleast_2d(found))[:, None]  # [n, M, 5]
    ranks: Floats = below.mean(axis=1)
    return ranks


def _rank(found: Measures, reference: Floats) -> float:
    """Rank of the worst statistic among the worst statistics of the original's own moments."""
    if not len(reference):
        return 0.0
    own = _ranks(reference, reference).max(axis=1)  # [M]
    return float((own < _ranks(np.array(found), reference).max()).mean())


def _words(found: Measures, sign: float, reference: Floats) -> str:
    """The worst thing to hear at this seam, in the editor's words."""
    level, brightness = sign * found.level, sign * found.brightness
    usual = Measures(*(np.quantile(np.abs(reference), 0.9, axis=0) if len(reference) else (9, 6, 9, 30, 6)))
    sharpest = float(reference[:, 3].max()) if len(reference) else 30.0
    tint = brightness - level  # what loudness alone does not explain
    excess = {  # how far beyond the original's own moments; below 1 nobody will notice
        "Click": found.click / max(sharpest, 12.0),  # drum strokes are sharp too
        f"{abs(level):.0f} dB {'louder' if level > 0 else 'quieter'}": abs(level) / max(usual.level, 2.0),
        f"Brightness {'rises' if brightness > 0 else 'drops'} {abs(brightness):.0f} dB": (
            abs(brightness) / max(usual.brightness, 3.0) if tint * brightness > 0 and abs(tint) >= 3 else 0.0
        ),
        "Different sound": found.colour / max(1.25 * usual.colour, 6.0),
    }
    worst = max(excess, key=lambda words: excess[words])
    if excess[worst] > 1.0:
        return worst
    return "Small bump" if found.jump > max(usual.jump, 6.0) else "Smooth"
