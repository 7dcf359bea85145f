"""Put a re-made span back into its recording.

The engine's window is mono at the model's rate; the recording keeps its own rate, channels, length
and number type. Samples outside the span are never touched. Inside, the window is resampled,
filtered so that the codec's context sounds like the source's context (per band), brought nearer to
the level and bands of the context at either seam, spread over the channels as the context is, and
crossfaded with the original at both seams (inside the span).

Times are seconds on the source's clock. Works on the span and a few seconds around it, however
long the recording. Knows neither models nor torch. Deterministic.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray
from scipy import signal

from engines.audio import fades
from engines.audio.recording import Recording, resample
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
MISSING_SECONDS: Final = 0.05  # a window may end this much before the span does (frame rounding)
SILENT_FADE_SECONDS: Final = 0.005  # most that content rises over where the original is silent: no hole
_SILENT: Final = 1e-4  # of full scale
_KNEE: Final = 0.95  # of full scale: where integer formats begin to limit softly
_FIR_SECONDS: Final = 0.012  # length of the matching filters
_ALLPASS: Final = ((0.0031, 0.6), (0.0047, -0.6), (0.0073, 0.6))  # decorrelator: delay s, coefficient


@dataclass(frozen=True)
class ContextMatch:
    """How a mono window becomes the channels of the source, per band of the context."""

    level: Floats  # [B] gain that makes the codec's context as loud as the source's
    direct: Floats  # [C, B] gain of the mono signal in each channel
    ambient: Floats  # [C, B] gain of the decorrelated mono signal in each channel


def compose(
    source: Recording,
    start: float,
    end: float,
    window: NDArray[np.float32],
    window_start: float,
    rate: int,
    crossfade: float | tuple[float, float],
    share: float = CONTENT_SHARE,
) -> Recording:
    """The source with [start, end) replaced by the decoded mono `window` [n] at `rate` Hz.

    `window` begins `window_start` seconds into the source and covers the span; the context that it
    also covers tells level, bands and width. `crossfade` seconds at each seam that has context (or one
    number for each of the two) blend with the original, inside the span. `share` of what the content
    differs from the context around it, in level and bands, is corrected (0 none, 1 all). Raises ValueError
    for a window that misses the span or is not finite, or for an empty span.
    """
    placed = place(source, start, end, window, window_start, rate, share)
    return placed.into(source, crossfade)


def place(
    source: Recording,
    start: float,
    end: float,
    window: NDArray[np.float32],
    window_start: float,
    rate: int,
    share: float = CONTENT_SHARE,
) -> Placed:
    """All of `compose` but the crossfades, so that several can be tried on one `window` [n]; see there."""
    first, last = span_samples(source, start, end)
    if not np.isfinite(window).all():
        raise ValueError("the window holds NaN or infinite samples: expected finite numbers")
    decoded = resample(window, rate, source.rate).astype(np.float64)  # [n] -> [n'] at the source's rate
    offset = seconds_to_samples(window_start, source.rate)
    missing = max(offset - first, last - (offset + len(decoded)))
    if missing > MISSING_SECONDS * source.rate:
        raise ValueError(f"the window misses {missing / source.rate:.3f} s of the span {start:g}-{end:g} s")

    match = match_context(source, first, last, decoded, offset, rate)
    if share > 0:
        gains = match_content(source, first, last, decoded, offset, rate, match.level, share)
        decoded = _glide(decoded, first - offset, last - offset, gains, source.rate)
        decoded = _faded(source, first, last, decoded, offset, match.level)
    made = _spread(decoded, first - offset, last - offset, match, source.signs, source.rate)  # [n'] -> [N, C]
    if source.samples.dtype.kind != "f":
        made = _limit(made)
    return Placed(first, made)


@dataclass(frozen=True)
class Placed:
    """What a span is to hold, matched to its surroundings, before it is blended with them."""

    first: int  # sample of the recording at which the span begins
    made: Floats  # [N, C]

    def into(self, recording: Recording, crossfade: float | tuple[float, float]) -> Recording:
        """The recording with the span in it, blended over `crossfade` seconds with what stands there now."""
        made, first, last = self.made.copy(), self.first, self.first + len(self.made)
        original = recording.as_float(first, last).astype(np.float64)  # [N, C]
        both = crossfade if isinstance(crossfade, tuple) else (crossfade, crossfade)
        begin, finish = (
            min(seconds_to_samples(seconds, recording.rate), (last - first) // 2) for seconds in both
        )
        brief = seconds_to_samples(SILENT_FADE_SECONDS, recording.rate)
        if (
            np.abs(original[:begin]).max(initial=0.0) < _SILENT
        ):  # a continuation, or a gap: nothing to fade from
            begin = min(begin, brief)
        if np.abs(original[len(original) - finish :]).max(initial=0.0) < _SILENT:
            finish = min(finish, brief)
        if begin > 0 and first > 0:
            made[:begin] = _crossfade(original[:begin], made[:begin])
        if finish > 0 and last < recording.length:
            made[-finish:] = _crossfade(made[-finish:], original[-finish:])
        return recording.with_span(first, recording.to_native(made))


def span_samples(source: Recording, start: float, end: float) -> tuple[int, int]:
    """The samples [first, last) of a span in seconds, kept inside the recording.

    Raises ValueError when nothing of the span lies inside.
    """
    first = max(0, seconds_to_samples(start, source.rate))
    last = min(source.length, seconds_to_samples(end, source.rate))
    if first >= last:
        raise ValueError(f"span {start:g}-{end:g} s holds no samples of a {source.seconds:g} s recording")
    return first, last


def match_context(
    source: Recording, first: int, last: int, decoded: NDArray[Any], offset: int, model_rate: int
) -> ContextMatch:
    """Measure level and width on the context of the samples [first, last).

    `decoded` [n] is the window at the source's rate, beginning at sample `offset` of the source;
    `model_rate` bounds the bands that it can hold. Without usable context every gain is neutral.
    """
    bands = len(BAND_EDGES) - 1
    neutral = ContextMatch(
        np.ones(bands), np.ones((source.channels, bands)), np.zeros((source.channels, bands))
    )
    reach = seconds_to_samples(CONTEXT_SECONDS, source.rate)
    least = seconds_to_samples(MIN_CONTEXT_SECONDS, source.rate)
    sides = (  # the parts of the context that the window covers too
        (max(0, offset, first - reach), first),
        (last, min(source.length, offset + len(decoded), last + reach)),
    )
    size = 1 << max(8, round(np.log2(0.046 * source.rate)))  # ~46 ms
    edges = np.minimum(BAND_EDGES, 0.5 * min(source.rate, model_rate))
    heard = np.zeros(bands)  # energy of the decoded context
    mono_energy = np.zeros(bands)  # energy of the source's context, mean of channels
    covariance = np.zeros((source.channels, bands))  # of each channel with that mean
    energy = np.zeros((source.channels, bands))  # of each channel
    signs = source.signs
    for a, b in sides:
        if b - a < max(least, 64):
            continue
        channels = source.as_float(a, b).astype(np.float64)  # [n, C]
        spectra = _spectra(channels, size)  # [n, C] -> [frames, bins, C]
        mono = (spectra * signs).mean(axis=2)  # [frames, bins]
        copy = _spectra(decoded[a - offset : b - offset, None], size)[:, :, 0]
        heard += _band_sums((np.abs(copy) ** 2).sum(axis=0), edges, source.rate)
        mono_energy += _band_sums((np.abs(mono) ** 2).sum(axis=0), edges, source.rate)
        for c in range(source.channels):
            channel = spectra[:, :, c]
            covariance[c] += _band_sums((channel * mono.conj()).real.sum(axis=0), edges, source.rate)
            energy[c] += _band_sums((np.abs(channel) ** 2).sum(axis=0), edges, source.rate)
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


def match_content(
    source: Recording,
    first: int,
    last: int,
    decoded: NDArray[Any],
    offset: int,
    model_rate: int,
    level: Floats,
    share: float,
) -> Floats:
    """Gains [2, B] at the span's start and end that bring its content nearer to the context there.

    Arguments as in `match_context`; `level` [B] is the codec's correction, made as well. Compared are
    the two seconds on either side of a seam. A side without music (none, or 20 dB under the other
    side) takes the other's gains; without any, and for silent content, every gain is 1.
    """
    bands = len(BAND_EDGES) - 1
    reach = seconds_to_samples(CONTEXT_SECONDS, source.rate)
    size = 1 << max(8, round(np.log2(0.046 * source.rate)))  # ~46 ms
    edges = np.minimum(BAND_EDGES, 0.5 * min(source.rate, model_rate))

    def density(samples: NDArray[Any]) -> Floats:  # [n] -> [B], mean power of a frame
        spectra = _spectra(samples[:, None].astype(np.float64), size)[:, :, 0]
        return _band_sums((np.abs(spectra) ** 2).mean(axis=0), edges, source.rate)

    outside = ((max(0, first - reach), first), (last, min(source.length, last + reach)))
    inside = ((first, min(last, first + reach)), (max(first, last - reach), last))
    heard, gains = [], []
    for (a, b), (c, d) in zip(outside, inside, strict=True):
        content = decoded[max(0, c - offset) : max(0, d - offset)]
        if b - a < max(seconds_to_samples(MIN_CONTEXT_SECONDS, source.rate), 64) or len(content) < 64:
            heard.append(0.0)
            gains.append(np.ones(bands))
            continue
        around = density(source.mono(a, b))
        made = density(content) * level**2
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


def _glide(decoded: Floats, first: int, last: int, gains: Floats, rate: int) -> Floats:
    """Mono [n] filtered by gains [2, B] that glide from the one at sample `first` to the other at `last`."""
    place = np.clip((np.arange(len(decoded)) - first) / max(1, last - first), 0.0, 1.0)
    parts = [signal.oaconvolve(decoded, _filter(g, rate), mode="same") for g in gains]
    glided: Floats = (1 - place) * parts[0] + place * parts[1]
    return glided


def _clamp(gains: NDArray[Any], decibels: float) -> Floats:
    """Gains kept within plus or minus `decibels`."""
    bound = 10 ** (decibels / 20)
    return np.asarray(np.clip(gains, 1 / bound, bound), np.float64)


def _spectra(samples: NDArray[Any], size: int) -> NDArray[np.complex128]:
    """[n, C] -> [frames, size/2+1, C], Hann, half overlap; short parts are padded to one frame."""
    if len(samples) < size:
        samples = np.pad(samples, ((0, size - len(samples)), (0, 0)))
    frames = np.lib.stride_tricks.sliding_window_view(samples, size, axis=0)[:: size // 2]  # [f, C, size]
    spectra: NDArray[np.complex128] = np.fft.rfft(frames * np.hanning(size), axis=2).transpose(0, 2, 1)
    return spectra


def _band_sums(power: NDArray[Any], edges: NDArray[Any], rate: int) -> Floats:
    """[bins] -> [B]: sums over the bands between `edges` (Hz)."""
    frequencies = np.linspace(0, rate / 2, len(power))
    at = np.searchsorted(frequencies, edges)
    return np.array([power[a:b].sum() for a, b in itertools.pairwise(at)])


def _faded(source: Recording, first: int, last: int, decoded: Floats, offset: int, level: Floats) -> Floats:
    """Mono [n] with the level of a fade inside the span, where the surroundings fade; else as it is."""
    reach = seconds_to_samples(CONTEXT_SECONDS, source.rate)
    left = source.mono(max(0, first - reach), first)
    right = source.mono(last, min(source.length, last + reach))
    wanted = fades.fade(left, right, last - first, source.rate)
    a, b = max(0, first - offset), min(len(decoded), last - offset)
    if wanted is None or b <= a:
        return decoded
    heard = signal.oaconvolve(decoded, _filter(level, source.rate), mode="same")[a:b]
    gains = fades.follow(heard, wanted, source.rate)
    return np.concatenate([decoded[:a] * gains[0], decoded[a:b] * gains, decoded[b:] * gains[-1]])


def _spread(decoded: Floats, first: int, last: int, match: ContextMatch, signs: Floats, rate: int) -> Floats:
    """Mono [n'] -> the samples [first, last) in all channels [N, C], matched to the context."""
    direct = [_filter(match.level * gains, rate) for gains in match.direct]
    ambient: list[Floats] = []
    for c, gains in enumerate(match.ambient):
        # Two channels: what one gains the other loses, so that the mono sum stays the model's.
        opposite = c == 1 and len(match.ambient) == 2
        allpass = _decorrelator(rate, 0 if opposite else c) * (-signs[0] * signs[1] if opposite else 1)
        ambient.append(np.convolve(_filter(match.level * gains, rate), allpass))
    half = len(direct[0]) // 2
    before, after = len(ambient[0]), half + 1  # samples that the filters reach back and ahead
    padded = np.zeros(before + (last - first) + after)
    a, b = max(0, first - before), min(len(decoded), last + after)
    padded[a - (first - before) : b - (first - before)] = decoded[a:b]
    made = np.empty((last - first, len(direct)))
    for c, (near, far) in enumerate(zip(direct, ambient, strict=True)):
        made[:, c] = signal.oaconvolve(padded, near)[before + half :][: last - first]
        if match.ambient[c].any():
            made[:, c] += signal.oaconvolve(padded, far)[before + half :][: last - first]
    return made


def _filter(gains: Floats, rate: int) -> Floats:
    """Linear-phase FIR of odd length whose response runs through the band gains [B]."""
    taps = 2 * round(_FIR_SECONDS * rate / 2) + 1
    size = 1 << (taps - 1).bit_length()
    centres = np.sqrt(np.maximum(BAND_EDGES[:-1], 40.0) * np.array(BAND_EDGES[1:]))
    frequencies = np.linspace(0, rate / 2, size // 2 + 1)
    response = np.interp(np.log(np.maximum(frequencies, 1.0)), np.log(centres), gains)
    impulse = np.roll(np.fft.irfft(response), taps // 2)[:taps]
    result: Floats = impulse * np.hanning(taps + 2)[1:-1]
    return result


def _decorrelator(rate: int, variant: int) -> Floats:
    """Impulse response [n] of three Schroeder all-passes in a row: flat spectrum, scrambled phase.

    Less its direct sound, so that what it gives does not correlate with what goes in.
    """
    impulse = np.zeros(seconds_to_samples(0.06, rate))
    impulse[0] = 1.0
    for delay, coefficient in _ALLPASS:
        lag = max(1, round(delay * (1 + 0.17 * variant) * rate))
        feed = np.zeros(lag + 1)
        feed[0], feed[lag] = coefficient, 1.0
        back = np.zeros(lag + 1)
        back[0], back[lag] = 1.0, coefficient
        impulse = signal.lfilter(feed, back, impulse)
    impulse[0] = 0.0
    result: Floats = impulse / np.sqrt((impulse**2).sum())
    return result


def _limit(samples: Floats) -> Floats:
    """Bend what exceeds the knee smoothly below full scale."""
    over = np.maximum(np.abs(samples) - _KNEE, 0.0)
    bent = _KNEE + (1 - _KNEE) * np.tanh(over / (1 - _KNEE))
    limited: Floats = np.where(over > 0, np.sign(samples) * bent, samples)
    return limited


def _crossfade(leaving: Floats, entering: Floats) -> Floats:
    """Blend [n, C] into [n, C] at constant power for their measured correlation.

    Gains g1, g2 with g1^2 + g2^2 + 2 rho g1 g2 = 1: cosine and sine over sqrt(1 + rho sin 2x).
    """
    power = float(np.sqrt((leaving**2).sum() * (entering**2).sum()))
    rho = float((leaving * entering).sum()) / power if power > 0 else 0.0
    rho = min(1.0, max(-0.5, rho))  # opposite phases: rather a small dip than a large boost
    x = (np.arange(len(leaving)) + 0.5) / len(leaving) * np.pi / 2
    norm = np.sqrt(1 + rho * np.sin(2 * x))
    result: Floats = leaving * (np.cos(x) / norm)[:, None] + entering * (np.sin(x) / norm)[:, None]
    return result
