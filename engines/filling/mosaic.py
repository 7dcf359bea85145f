"""A span pieced together beat by beat from passages that sound as the lanes ask for.

A plain repeat (`engines.filling.repeats`) keeps the rhythm of the music around a span, but brings chords
and a melody of its own. Where a musician has said what should come, each beat of the span is copied from a
whole number of beats away instead, and transposed where that helps. Of all ways through the beats the one
is taken that costs least (Viterbi): what sounds there against the harmony, melody and strokes that are
asked for, what changes at the cuts, and what lies beside the span. Such a mosaic is a beginning for a
model, not a result. Times are seconds on the recording's clock. Knows no models.
"""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.audio.hearing import Floats
from engines.audio.recording import Patch, Recording
from engines.audio.spectra import transposed
from engines.audio.timebase import seconds_to_frame, seconds_to_samples
from engines.filling.repeats import FADE_SECONDS, Surroundings, surroundings
from engines.music import chords
from engines.networks.lane_frames import MELODY_SILENT, lanes_from
from engines.requests import MELODY_LOW, Controls

SEMITONES: Final = tuple(sorted(range(-5, 6), key=abs))  # by which a passage may be transposed
MOST: Final = 120  # sizes of lags that are compared
CELL_SECONDS: Final = 0.5  # what is copied at once where no beat is heard
TOLD: Final = (2.5, 1.0)  # weight of what the lanes ask for, of the first mosaic and of all others
STROKES: Final = 0.3  # weight of the drum lane beside harmony and melody
CUT: Final = 0.15  # what a cut costs
JUMP: Final = 0.02  # a dB^2 of difference in sound at a cut, or beside the span
UNHEARD: Final = 60.0  # dB^2 where a difference cannot be heard
TRANSPOSED: Final = 0.075  # a semitone for a beat
AGAIN: Final = 0.5  # a beat that another mosaic has copied from the same place
_BESIDE_SECONDS: Final = 0.5  # beside the span, that must sound as beside what is copied
_CUT_SECONDS: Final = 0.1  # before a cut
_EARLY: Final = 2  # frames that a cut lies before its beat
_MARGIN: Final = 4096  # samples on either side that the transposition hears


@dataclass(frozen=True)
class Passage:
    """What fills a part of a span."""

    start: float  # seconds, of the part
    end: float
    lag: float  # seconds from the part to what is copied into it (negative: from before)
    semitones: int  # by which that is transposed


def mosaics(
    source: Recording,
    start: float,
    end: float,
    controls: Controls,
    count: int,
    hidden: tuple[tuple[float, float], ...] = (),
) -> list[tuple[Passage, ...]]:
    """Up to `count` ways to fill the span [start, end) as the lanes ask for; the closest to them first.

    Nothing is copied from the further spans `hidden`. Empty where the surroundings are too short.
    """
    around = surroundings(source, start, end, hidden)
    if around is None:
        return []
    sizes = around.sizes()
    sizes = sizes[:: max(1, -(-len(sizes) // MOST))]  # where no beat is heard there are many that are alike
    lags = np.array([lag for size in sizes for lag in (-size, size)], np.int64)  # [L]
    if not len(lags):
        return []
    cuts = _cuts(around)
    wrong = _wrong(around, controls, cuts, lags)  # [C, L, S]
    if not np.isfinite(wrong).any(axis=(1, 2)).all():
        return []
    first, last, joins = _beside(around, lags, -1), _beside(around, lags, 1), _joins(around, cuts, lags)
    beats = np.diff(cuts) / ((around.period or CELL_SECONDS) * around.rate)  # [C]
    extra = TRANSPOSED * np.abs(SEMITONES) * beats[:, None, None] + np.zeros((1, len(lags), 1))  # [C, L, S]
    found = []
    for told in [TOLD[min(k, 1)] for k in range(count)]:
        path = _path(told * wrong * beats[:, None, None] + extra, first, last, joins)
        for cell, (lag, shift) in enumerate(path):
            extra[cell, lag, shift] += AGAIN * beats[cell]
        found.append(_passages(around, start, end, cuts, [(int(lags[i]), SEMITONES[s]) for i, s in path]))
    return list(dict.fromkeys(found))


def pasted(source: Recording, passages: tuple[Passage, ...]) -> Recording:
    """The source with each part of a span filled from where its passage says."""
    return source.with_patches([paste_of(source, passages)])


def paste_of(source: Recording, passages: tuple[Passage, ...]) -> Patch:
    """The same as what differs alone."""
    rate = source.rate
    first = seconds_to_samples(passages[0].start, rate)
    last = min(source.length, seconds_to_samples(passages[-1].end, rate))
    made: Floats = np.zeros((last - first, source.samples.shape[1]))  # [n, C]
    fade = seconds_to_samples(FADE_SECONDS, rate)
    for passage in passages:
        lag = seconds_to_samples(passage.lag, rate)
        a = max(first, seconds_to_samples(passage.start, rate) - fade, -lag)
        b = min(last, seconds_to_samples(passage.end, rate), source.length - lag)
        part = _transposed(source, a + lag, b + lag, passage.semitones)  # [m, C]
        rise = np.ones((len(part), 1))
        on = min(fade, len(part)) if a > first else 0
        rise[:on, 0] = (np.arange(on) + 0.5) / max(1, on)  # what repeats is alike: amplitudes add
        made[a - first : b - first] = made[a - first : b - first] * (1 - rise) + part * rise
    return Patch(first, source.to_native(made))


def _transposed(source: Recording, first: int, last: int, semitones: int) -> Floats:
    """Samples [first, last) of a recording, so much higher: [n, C]."""
    if not semitones:
        return source.as_float(first, last).astype(np.float64)
    low, high = max(0, first - _MARGIN), min(source.length, last + _MARGIN)
    heard = source.as_float(low, high).astype(np.float64)  # [m, C]
    heard = np.pad(heard, ((low - first + _MARGIN, last + _MARGIN - high), (0, 0)))
    made = np.stack([transposed(channel, source.rate, semitones) for channel in heard.T], axis=1)
    return made[_MARGIN : _MARGIN + last - first]


def _cuts(around: Surroundings) -> NDArray[np.int64]:
    """Frames at which another passage may begin, and the span's ends: [C + 1], just before the beats."""
    cell = (around.period or CELL_SECONDS) * around.rate
    phase = 0.0
    if around.period:
        phases = np.arange(0.0, cell)
        beats = [np.round(np.arange(p, around.frames - 1, cell)).astype(int) for p in phases]
        phase = float(phases[int(np.argmax([around.rises[at].mean() for at in beats]))])
    inner = np.round(np.arange(phase, around.frames, cell)).astype(np.int64) - _EARLY
    inner = inner[(inner > around.first + cell / 2) & (inner < around.last - cell / 2)]
    return np.concatenate([[around.first], inner, [max(around.last, around.first + 1)]])


def _wrong(
    around: Surroundings, controls: Controls, cuts: NDArray[np.int64], lags: NDArray[np.int64]
) -> Floats:
    """How little each passage sounds as asked for, 0-2, infinite where there is none: [C, L, S]."""
    frames = around.frames
    asked, strokes = _asked(controls, around), _strokes(controls, around)
    tones = _unit(_pitch_classes(around))  # [F, 12]
    rises = np.minimum(around.rises / max(float(np.quantile(around.rises, 0.98)), 1e-9), 1.0)  # [F]
    wrong = np.full((len(cuts) - 1, len(lags), len(SEMITONES)), np.inf)
    for cell, (a, b) in enumerate(itertools.pairwise(cuts)):
        origin = np.arange(a, b) + lags[:, None]  # [L, n]
        there = (origin[:, 0] >= 0) & (origin[:, -1] < frames)
        origin = origin.clip(0, frames - 1)
        there &= ~around.unknown[origin].any(axis=1)
        heard = tones[origin[there]]  # [l, n, 12]
        against = np.zeros(int(there.sum()))
        if strokes is not None:
            against = STROKES * (1.0 - _alike(strokes[a:b], rises[origin[there]]))
        for k, semitones in enumerate(SEMITONES):
            sought = np.roll(asked[a:b], -semitones, axis=1)  # [n, 12]
            agrees = np.einsum("nc,lnc->ln", sought, heard).mean(axis=1)
            wrong[cell, there, k] = 1.0 - agrees + against
    return wrong


def _asked(controls: Controls, around: Surroundings) -> Floats:
    """Pitch classes of the chords and the melody that are asked for, mean-free, of length 1 or 0: [F, 12]."""
    lanes = lanes_from(controls, around.frames, around.rate, around.low)
    table = np.zeros((len(chords.VOCABULARY) + 1, 12))
    for i, symbol in enumerate(chords.VOCABULARY):
        table[i, list(chords.pitch_classes(symbol))] = 1.0
    asked: Floats = table[lanes.chords[0].numpy()]  # [F] -> [F, 12]
    melody = lanes.melody[0].numpy()
    sung = np.flatnonzero(melody < MELODY_SILENT)
    asked[sung, (melody[sung] + MELODY_LOW) % 12] += 1.0
    return _unit(asked)


def _strokes(controls: Controls, around: Surroundings) -> Floats | None:
    """Where the drum lane has strokes, each 50 ms long: [F]; None without one."""
    if controls.drums is None:
        return None
    strokes = np.zeros(around.frames)
    for hit in controls.drums:
        at = (hit.time - around.low) * around.rate
        if 0 <= at < around.frames:
            strokes[int(at) : int(at) + max(1, seconds_to_frame(0.05, around.rate))] = 1.0
    return strokes


def _alike(strokes: Floats, rises: Floats) -> Floats:
    """Correlation of strokes [n] with rises [L, n]: [L]; 0 where either is even."""
    x, y = strokes - strokes.mean(), rises - rises.mean(axis=1, keepdims=True)
    norm = np.linalg.norm(x) * np.linalg.norm(y, axis=1)
    found: Floats = np.where(norm > 1e-9, (y @ x) / np.maximum(norm, 1e-9), 0.0)
    return found


def _pitch_classes(around: Surroundings) -> Floats:
    """What is heard in each pitch class, C first: thirds of a semitone from A on, [G, 36] -> [F, 12]."""
    thirds = around.hears.tones
    twelve = np.stack([thirds[:, [3 * k - 1, 3 * k, 3 * k + 1]].sum(axis=1) for k in range(12)], axis=1)
    at = np.round(np.arange(around.frames) * around.hears.slow_rate / around.rate).astype(int)
    found: Floats = np.roll(twelve, 9, axis=1)[np.minimum(at, len(twelve) - 1)]
    return found


def _unit(profiles: Floats) -> Floats:
    """Profiles [F, 12] without their mean, of length 1; those that say nothing are 0."""
    x = profiles - profiles.mean(axis=1, keepdims=True)
    found: Floats = x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-9)
    return found


def _difference(around: Surroundings, a: NDArray[np.int64], b: NDArray[np.int64]) -> float:
    """Mean square difference in sound of frames [n] and others [n], dB^2, as far as both are heard."""
    inside = (a >= 0) & (b >= 0) & (a < around.frames) & (b < around.frames)
    a, b = a[inside], b[inside]
    heard = ~(around.unknown[a] | around.unknown[b])
    if heard.sum() < 3:
        return UNHEARD
    mel = around.hears.mel
    return float(((mel[a[heard]] - mel[b[heard]]) ** 2).mean())


def _beside(around: Surroundings, lags: NDArray[np.int64], side: int) -> Floats:
    """How unlike what lies before (-1) or behind (1) the span is what lies so beside each lag's copy: [L]."""
    reach = seconds_to_frame(_BESIDE_SECONDS, around.rate)
    at = np.arange(reach) + (around.first - reach if side < 0 else around.last)
    return JUMP * np.array([_difference(around, at, at + lag) for lag in lags])


def _joins(around: Surroundings, cuts: NDArray[np.int64], lags: NDArray[np.int64]) -> Floats:
    """What it costs to go on at each inner cut from one lag's copy to another's: [C - 1, L, L]."""
    reach, mel = seconds_to_frame(_CUT_SECONDS, around.rate), around.hears.mel
    joins = np.zeros((len(cuts) - 2, len(lags), len(lags)))
    for i, cut in enumerate(cuts[1:-1]):
        origin = np.arange(cut - reach, cut) + lags[:, None]  # [L, r]
        there = (origin[:, 0] >= 0) & (origin[:, -1] < around.frames)
        origin = origin.clip(0, around.frames - 1)
        there &= ~around.unknown[origin].any(axis=1)
        flat = mel[origin].reshape(len(lags), -1).astype(np.float64)  # [L, r mels]
        power = (flat**2).mean(axis=1)
        apart = power[:, None] + power - 2 * flat @ flat.T / flat.shape[1]
        apart = np.where(there[:, None] & there, np.maximum(apart, 0.0), UNHEARD)
        joins[i] = CUT + JUMP * apart
    return joins


def _path(cost: Floats, first: Floats, last: Floats, joins: Floats) -> list[tuple[int, int]]:
    """The (lag, transposition) of each cell on the way of least cost.

    cost [C, L, S]; first and last [L], beside the span; joins [C - 1, L, L].
    """
    cells, _, shifts = cost.shape
    total = cost[0] + first[:, None]  # [L, S]
    came: list[NDArray[np.int64]] = []
    stay = np.arange(total.size).reshape(total.shape)
    for cell in range(1, cells):
        from_lag, from_shift = total.min(axis=1), total.argmin(axis=1)  # [L]
        ways = from_lag[:, None] + joins[cell - 1]  # [from, to]
        source = ways.argmin(axis=0)  # [L]
        cut = ways.min(axis=0)[:, None]  # [L, 1]
        goes_on = total <= cut
        came.append(np.where(goes_on, stay, (source * shifts + from_shift[source])[:, None]))
        total = np.where(goes_on, total, cut) + cost[cell]
    at = int((total + last[:, None]).argmin())
    path = [at]
    for back in reversed(came):
        at = int(back.flat[at])
        path.append(at)
    return [(at // shifts, at % shifts) for at in reversed(path)]


def _passages(
    around: Surroundings,
    start: float,
    end: float,
    cuts: NDArray[np.int64],
    path: list[tuple[int, int]],
) -> tuple[Passage, ...]:
    """Cells that are copied from one place joined to passages."""
    times = [start, *(around.low + float(cut) / around.rate for cut in cuts[1:-1]), end]
    found: list[Passage] = []
    for a, b, (lag, semitones) in zip(times[:-1], times[1:], path, strict=True):
        if found and (found[-1].lag, found[-1].semitones) == (lag / around.rate, semitones):
            a = found.pop().start
        found.append(Passage(a, b, lag / around.rate, semitones))
    return tuple(found)
