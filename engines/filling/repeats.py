"""Passages of a recording that could stand in a span: repeats of its surroundings, in time with its beat.

Music repeats itself. What lies a whole number of beats before or after a span keeps the rhythm going
when it is put there, and where the surroundings of both places sound alike, the harmony too. Such a copy
is a beginning for a model, not a result. What is inside the span has no say. Times are seconds on
the recording's clock, lags are seconds from a span to what is copied into it (negative: from before). Knows
neither models nor torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from engines.audio.hearing import Floats
from engines.audio.listener import WideListener, beat_period
from engines.audio.recording import Patch, Recording
from engines.audio.timebase import seconds_to_frame, seconds_to_samples

HEARD_SECONDS: Final = 20.0  # of the recording on either side of a span
EDGE_SECONDS: Final = 1.0  # beside the span, that must sound as beside what is copied
SHORTEST_SECONDS: Final = 0.5  # a copy from nearer would be a stutter
SLACK_SECONDS: Final = 0.03  # by which a number of beats is moved to where the rhythm repeats best
FADE_SECONDS: Final = 0.01  # between the parts of a copy


@dataclass(frozen=True)
class Surroundings:
    """What is heard of a recording around a span, in frames [F] from `low` seconds on."""

    low: float  # seconds on the recording's clock
    hears: WideListener
    rises: Floats  # [F], none where a span is heard
    unknown: NDArray[np.bool_]  # [F] frames that hear something of a span
    inside: NDArray[np.bool_]  # [F] frames whose middle is in one
    first: int  # frames of the span, half-open
    last: int
    period: float  # of the beat, seconds; 0 where none is heard

    @property
    def rate(self) -> float:
        """Frames a second."""
        return self.hears.frame_rate

    @property
    def frames(self) -> int:
        """F."""
        return len(self.rises)

    def sizes(self) -> list[int]:
        """Sizes of lags in frames: beats, each where the rhythm repeats best near it; else every 50 ms."""
        least, most = seconds_to_frame(SHORTEST_SECONDS, self.rate), self.frames - 1
        if self.period <= 0:
            return list(range(least, most, max(1, seconds_to_frame(0.05, self.rate))))
        beat, repeat = self.period * self.rate, _repetition(self.rises, self.unknown)
        slack = seconds_to_frame(SLACK_SECONDS, self.rate)
        sizes = []
        for beats in range(1, int(most / beat) + 1):
            middle = round(beats * beat)
            near = np.arange(max(1, middle - slack), min(most, middle + slack) + 1)
            if len(near) and middle >= least:
                sizes.append(int(near[int(repeat[near].argmax())]))
        return sizes


def surroundings(
    source: Recording, start: float, end: float, hidden: tuple[tuple[float, float], ...] = ()
) -> Surroundings | None:
    """What is heard around the span [start, end) but for the further spans `hidden`; None if nothing is."""
    low, high = max(0.0, start - HEARD_SECONDS), min(source.seconds, end + HEARD_SECONDS)
    audio = source.mono(seconds_to_samples(low, source.rate), seconds_to_samples(high, source.rate))
    hears = WideListener(audio, source.rate, 0.0)
    rate, frames = hears.frame_rate, len(hears.rises)
    unknown, inside = np.zeros(frames, np.bool_), np.zeros(frames, np.bool_)
    for a, b in ((start, end), *hidden):
        unknown[max(0, math.floor((a - low) * rate) - 2) : max(0, math.ceil((b - low) * rate) + 3)] = True
        inside[max(0, round((a - low) * rate)) : max(0, round((b - low) * rate))] = True
    if unknown.all():
        return None
    rises = np.where(unknown, hears.rises[~unknown].mean(), hears.rises)
    first, last = round((start - low) * rate), round((end - low) * rate)
    return Surroundings(low, hears, rises, unknown, inside, first, last, beat_period(rises, rate))


def lags(
    source: Recording, start: float, end: float, count: int, hidden: tuple[tuple[float, float], ...] = ()
) -> list[float]:
    """Up to `count` lags, best first, by which the span [start, end) can be filled from outside of it.

    Whole numbers of beats, or where no beat is heard any lag; no two within a beat of each other. Nothing is
    copied from the further spans `hidden`. Empty where the surroundings are too short.
    """
    around = surroundings(source, start, end, hidden)
    if around is None:
        return []
    rate, first, last = around.rate, around.first, around.last
    found = []
    for size in around.sizes():
        for lag in (-size, size):
            origin = _origins(np.arange(first, last), lag, first, last)
            if origin.min() < 0 or origin.max() >= around.frames or around.inside[origin].any():
                continue
            edges = _edges(
                around.hears.mel, around.unknown, first, last, origin, seconds_to_frame(EDGE_SECONDS, rate)
            )
            if np.isfinite(edges):
                found.append((edges, lag))
    apart = max(SHORTEST_SECONDS, around.period) * rate - 1
    chosen: list[int] = []
    for _, lag in sorted(found):
        if len(chosen) < count and all(abs(lag - other) >= apart for other in chosen):
            chosen.append(lag)
    return [lag / rate for lag in chosen]


def copied(source: Recording, start: float, end: float, lag: float) -> Recording:
    """The source with [start, end) filled from `lag` seconds away, again and again where that is shorter."""
    return source.with_patches([copy_of(source, start, end, lag)])


def copy_of(source: Recording, start: float, end: float, lag: float) -> Patch:
    """The same as what differs alone."""
    first = seconds_to_samples(start, source.rate)
    last = min(source.length, seconds_to_samples(end, source.rate))
    origin = _origins(np.arange(first, last), seconds_to_samples(lag, source.rate), first, last)
    origin = np.clip(origin, 0, source.length - 1)
    fade = min(seconds_to_samples(FADE_SECONDS, source.rate), (last - first) // 2)
    low, high = int(origin.min()), min(source.length, int(origin.max()) + 1 + fade)
    samples = source.as_float(low, high).astype(np.float64)  # [n, C]
    made: Floats = samples[origin - low]
    rise = ((np.arange(fade) + 0.5) / max(1, fade))[:, None]  # what repeats is alike: amplitudes add
    for cut in (np.flatnonzero(np.diff(origin) != 1) + 1).tolist():  # where the copy begins again
        width = min(fade, len(made) - cut)
        on = np.minimum(origin[cut - 1] + 1 - low + np.arange(width), len(samples) - 1)
        up = rise[:width]
        made[cut : cut + width] = made[cut : cut + width] * up + samples[on] * (1 - up)
    return Patch(first, source.to_native(made))


def _origins(at: NDArray[Any], lag: int, first: int, last: int) -> NDArray[Any]:
    """Where the samples `at` of the span [first, last) are copied from: `lag` away, or some of them."""
    times = -((first - 1 - at) // -lag) if lag < 0 else -((at - last) // lag)
    moved: NDArray[Any] = at + lag * np.maximum(1, times)
    return moved


def _repetition(rises: Floats, unknown: NDArray[np.bool_]) -> Floats:
    """How well the rhythm repeats after a number of frames: rises [F] -> normalised correlation [F]."""
    size = 2 * len(rises)
    known = (~unknown).astype(np.float64)
    x = np.where(unknown, 0.0, rises - rises[~unknown].mean())

    def against(a: Floats, b: Floats) -> Floats:
        made: Floats = np.fft.irfft(np.fft.rfft(a, size).conj() * np.fft.rfft(b, size), size)[: len(rises)]
        return made

    norm = np.sqrt(np.maximum(against(x**2, known) * against(known, x**2), 1e-12))
    return against(x, x) / norm


def _edges(
    mel: NDArray[Any], unknown: NDArray[np.bool_], first: int, last: int, origin: NDArray[Any], reach: int
) -> float:
    """Mean square difference, dB^2, of what lies beside the span and beside what is copied into it."""
    costs = []
    for at, moved in (
        (np.arange(first - reach, first), int(origin[0]) - first),
        (np.arange(last, last + reach), int(origin[-1]) - last + 1),
    ):
        other = at + moved
        inside = (at >= 0) & (at < len(mel)) & (other >= 0) & (other < len(mel))
        at, other = at[inside], other[inside]
        heard = ~(unknown[at] | unknown[other])
        if heard.sum() >= reach // 5:
            costs.append(float(((mel[at[heard]] - mel[other[heard]]) ** 2).mean()))
    return float(np.mean(costs)) if costs else float("inf")
