"""Put a re-made span back into its recording.

The engine's window is at the model's rate, mono or in the recording's channels; the recording keeps
its own rate, channels, length and number type. Samples outside the span are never touched. Inside, the
window is resampled, filtered so that the codec's context sounds like the source's context (per band),
brought nearer to the level and bands of the context at either seam, spread over the channels as the
context is where the window is mono, and crossfaded with the original at both seams (inside the span).

Times are seconds on the source's clock. Works on the span and a few seconds around it, however
long the recording. Knows neither models nor torch. Deterministic.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

from engines.audio import fades
from engines.audio.matching import BAND_EDGES, CONTENT_SHARE, Beside, ContextMatch
from engines.audio.recording import Patch, Recording, mean_of, resample
from engines.audio.timebase import seconds_to_samples

Floats = NDArray[np.float64]

MISSING_SECONDS: Final = 0.05  # a window may end this much before the span does (frame rounding)
SILENT_FADE_SECONDS: Final = 0.005  # most that content rises over where the original is silent: no hole
_SILENT: Final = 1e-4  # of full scale
_KNEE: Final = 0.95  # of full scale: where integer formats begin to limit softly
_FIR_SECONDS: Final = 0.012  # length of the matching filters
_HEARD_SECONDS: Final = 0.1  # of a window beside a span, that the filters hear
_ALLPASS: Final = ((0.0031, 0.6), (0.0047, -0.6), (0.0073, 0.6))  # decorrelator: delay s, coefficient


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
    """The source with [start, end) replaced by the decoded `window` [n] or [C, n] at `rate` Hz.

    `window` begins `window_start` seconds into the source and covers the span; the context that it
    also covers tells level, bands and width. `crossfade` seconds at each seam that has context (or one
    number for each of the two) blend with the original, inside the span. `share` of what the content
    differs from the context around it, in level and bands, is corrected (0 none, 1 all). Raises ValueError
    for a window that misses the span or is not finite, or for an empty span.
    """
    placed = place(source, start, end, window, window_start, rate, share)
    return placed.into(source, crossfade)


def beside(source: Recording, start: float, end: float, rate: int) -> Beside:
    """What lies beside a span in seconds, measured once for all windows at `rate` Hz that are placed there.

    Raises ValueError as `compose` does.
    """
    return Beside(source, *span_samples(source, start, end), rate)


def place(
    source: Recording,
    start: float,
    end: float,
    window: NDArray[np.float32],
    window_start: float,
    rate: int,
    share: float = CONTENT_SHARE,
    around: Beside | None = None,
) -> Placed:
    """All of `compose` but the crossfades, so that several can be tried on one `window` [n] or [C, n].

    A window with as many channels as the source keeps them, any other is heard as mono. `around` is what
    `beside` measured for the same source, span and rate.
    """
    around = around or beside(source, start, end, rate)
    first, last = around.first, around.last
    if not np.isfinite(window).all():
        raise ValueError("the window holds NaN or infinite samples: expected finite numbers")
    lines = np.atleast_2d(window)  # [C, n]
    own = source.channels > 1 and len(lines) == source.channels
    mono = mean_of(lines.T, source.signs).astype(np.float32) if own else lines.mean(axis=0)
    decoded = resample(
        mono if len(lines) > 1 else lines[0], rate, source.rate
    )  # -> [n'] at the source's rate
    offset = seconds_to_samples(window_start, source.rate)
    missing = max(offset - first, last - (offset + len(decoded)))
    if missing > MISSING_SECONDS * source.rate:
        raise ValueError(f"the window misses {missing / source.rate:.3f} s of the span {start:g}-{end:g} s")

    match = around.context(decoded, offset)
    reach = seconds_to_samples(_HEARD_SECONDS, source.rate)
    cut = max(0, first - offset - reach)
    heard = slice(cut, last - offset + reach)  # all of it that is heard in the span
    a, b = first - offset - cut, last - offset - cut
    gains = around.content(decoded, offset, match.level, share) if share > 0 else None

    def matched(piece: NDArray[np.float32]) -> NDArray[np.float32]:
        return piece if gains is None else _glide(piece, a, b, gains, source.rate)

    piece = matched(decoded[heard])
    level = _fade_gains(piece, a, b, around, match.level) if share > 0 else None
    if own:
        each = [resample(line, rate, source.rate)[heard] for line in lines]
        same = ContextMatch(match.level, np.ones((1, len(match.level))), np.zeros((1, len(match.level))))
        made = np.concatenate(
            [_spread(_faded(matched(one), level), a, b, same, source.signs, source.rate) for one in each],
            axis=1,
        )  # C x [n'] -> [N, C]
    else:
        made = _spread(_faded(piece, level), a, b, match, source.signs, source.rate)  # [n'] -> [N, C]
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
        return recording.with_patches([self.patch(recording, crossfade)])

    def patch(self, recording: Recording, crossfade: float | tuple[float, float]) -> Patch:
        """The same as what differs alone, so that a version costs no copy of a long recording."""
        made, first, last = self.made.copy(), self.first, self.first + len(self.made)
        both = crossfade if isinstance(crossfade, tuple) else (crossfade, crossfade)
        begin, finish = (
            min(seconds_to_samples(seconds, recording.rate), (last - first) // 2) for seconds in both
        )
        leaving = recording.as_float(first, first + begin).astype(np.float64)  # [begin, C]
        entering = recording.as_float(last - finish, last).astype(np.float64)  # [finish, C]
        brief = seconds_to_samples(SILENT_FADE_SECONDS, recording.rate)
        if np.abs(leaving).max(initial=0.0) < _SILENT:  # a continuation, or a gap: nothing to fade from
            begin = min(begin, brief)
        if np.abs(entering).max(initial=0.0) < _SILENT:
            finish = min(finish, brief)
        if begin > 0 and first > 0:
            made[:begin] = _crossfade(leaving[:begin], made[:begin])
        if finish > 0 and last < recording.length:
            made[-finish:] = _crossfade(made[-finish:], entering[-finish:])
        return Patch(first, recording.to_native(made))


def span_samples(source: Recording, start: float, end: float) -> tuple[int, int]:
    """The samples [first, last) of a span in seconds, kept inside the recording.

    Raises ValueError when nothing of the span lies inside.
    """
    first = max(0, seconds_to_samples(start, source.rate))
    last = min(source.length, seconds_to_samples(end, source.rate))
    if first >= last:
        raise ValueError(f"span {start:g}-{end:g} s holds no samples of a {source.seconds:g} s recording")
    return first, last


def _glide(
    piece: NDArray[np.float32], first: int, last: int, gains: Floats, rate: int
) -> NDArray[np.float32]:
    """Mono [n] filtered by gains [2, B] that glide from the one at sample `first` to the other at `last`."""
    taps = np.stack([_filter(g, rate) for g in gains])  # [2, m]
    place = np.clip((np.arange(len(piece), dtype=np.float32) - first) / max(1, last - first), 0.0, 1.0)
    begin, finish = _convolved(piece, taps)[:, taps.shape[1] // 2 :][:, : len(piece)]
    glided: NDArray[np.float32] = begin + place * (finish - begin)
    return glided


def _fade_gains(
    piece: NDArray[np.float32], first: int, last: int, beside: Beside, level: Floats
) -> NDArray[np.float32] | None:
    """Gains [n] that give a fade's level to samples [first, last) of mono [n]; None where nothing fades."""
    wanted, rate = beside.fade, beside.source.rate
    a, b = max(0, first), min(len(piece), last)
    if wanted is None or b <= a:
        return None
    taps = _filter(level, rate)
    heard = _convolved(piece, taps[None])[0, len(taps) // 2 :][a:b]
    gains = fades.follow(heard, wanted, rate).astype(np.float32)
    return np.concatenate([np.full(a, gains[0]), gains, np.full(len(piece) - b, gains[-1])])


def _faded(piece: NDArray[np.float32], gains: NDArray[np.float32] | None) -> NDArray[np.float32]:
    """One channel [n] with a fade's level, where there is one."""
    return piece if gains is None else piece * gains


def _convolved(samples: NDArray[np.float32], filters: Floats) -> NDArray[np.float32]:
    """Samples [n] through each of several filters [k, m]: [k, n + m - 1]. One transform serves them all."""
    length = len(samples) + filters.shape[1] - 1
    size = fft.next_fast_len(length, real=True)
    spectra = fft.rfft(filters.astype(np.float32), size) * fft.rfft(samples, size)
    made: NDArray[np.float32] = fft.irfft(spectra, size)[:, :length]
    return made


def _spread(
    piece: NDArray[np.float32], first: int, last: int, match: ContextMatch, signs: Floats, rate: int
) -> Floats:
    """Mono [n'] -> the samples [first, last) in all channels [N, C], matched to the context."""
    filters = []
    for c, (direct, ambient) in enumerate(zip(match.direct, match.ambient, strict=True)):
        near = _filter(match.level * direct, rate)
        if not match.ambient.any():
            filters.append(near)
            continue
        # Two channels: what one gains the other loses, so that the mono sum stays the model's.
        opposite = c == 1 and len(match.ambient) == 2
        allpass = _decorrelator(rate, 0 if opposite else c) * (-signs[0] * signs[1] if opposite else 1)
        both = np.convolve(_filter(match.level * ambient, rate), allpass)
        both[: len(near)] += near
        filters.append(both)
    longest = max(len(one) for one in filters)
    taps = np.stack([np.pad(one, (0, longest - len(one))) for one in filters])  # [C, m]
    half = len(near) // 2
    before, after = longest, half + 1  # samples that the filters reach back and ahead
    padded = np.zeros(before + (last - first) + after, np.float32)
    a, b = max(0, first - before), min(len(piece), last + after)
    padded[a - (first - before) : b - (first - before)] = piece[a:b]
    made: Floats = _convolved(padded, taps)[:, before + half :][:, : last - first].T.astype(np.float64)
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


@lru_cache(maxsize=8)
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
    """Bend what exceeds the knee smoothly below full scale, in place."""
    loud = np.nonzero(np.abs(samples) > _KNEE)
    over = np.abs(samples[loud]) - _KNEE
    samples[loud] = np.sign(samples[loud]) * (_KNEE + (1 - _KNEE) * np.tanh(over / (1 - _KNEE)))
    return samples


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
