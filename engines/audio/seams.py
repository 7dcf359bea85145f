"""How the two boundaries of a re-made span sound, in numbers and in words.

Ten statistics compare what lies just before a boundary with what lies just after it. Each is ranked
among the same statistic at moments of the untouched original, measured through windows of the same
lengths, so that a busy piece forgives more than a sustained chord. The ranks' surprises are added
with weights that were fitted on synthetic defects (`python -m study.measure.defects`), and the sum is ranked
among the sums of the original's own moments: untouched audio scores evenly over 0..1 by construction.
Times are seconds on the recording's clock, levels are dB. Hears the mean of all channels. Knows
neither models nor torch; what no statistic measures, such as a wrong melody in the right key, it
does not hear.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray

from engines.audio.hearing import (
    STEP_SECONDS,
    Floats,
    Measures,
    heard_in,
    measure,
    moments_of,
    mono_between,
)
from engines.audio.listener import WideListener, WideMeasures
from engines.audio.recording import Patch, Recording, floats_of
from engines.audio.timebase import seconds_to_samples
from engines.requests import Seam

MIN_SIDE_SECONDS: Final = 0.05  # a boundary with less context on its outer side has no seam
NEAR_SECONDS: Final = 10.0  # how far from the span those moments lie
CLICK: Final = 12.0  # so far above its neighbours a residual is a click, unless the music is full of them
ROUGH: Final = 0.9  # a seam that scores less is called smooth
_TAIL: Final = 3.0  # most that a value beyond all moments adds to its surprise
# Weight of each statistic's surprise (-log of its rank from above) and of the largest, fitted on sixty
# pieces by `python -m study.measure.defects`; what got none says little that the others do not say better.
WEIGHTS: Final = {
    "jump": 0.0, "level": 0.0, "brightness": 0.13, "click": 0.08, "colour": 0.0,
    "harmony": 0.0, "beat": 0.43, "texture": 0.0, "loudness": 0.64, "tempo": 0.16, "largest": 1.0,
}  # fmt: skip
Version = Recording | Sequence[Patch]  # what was made of a recording, whole or where it differs
Heard = tuple[NDArray[np.float32], WideListener]
JUDGES: Final = 8  # kept of a recording
_judges: WeakKeyDictionary[Recording, OrderedDict[tuple[float, float], Judge]] = WeakKeyDictionary()
STATISTICS: Final = tuple(name for name in WEIGHTS if name != "largest")


def score(original: Recording, edited: Recording, start: float, end: float) -> tuple[Seam, ...]:
    """One Seam for each end of [start, end) that has at least 50 ms of context outside.

    Both recordings are on the same clock; the original tells what its own moments are like.
    `Seam.score` is the share of those moments that are smoother (0 best, 1 worse than all).
    """
    return judge_of(original, start, end).seams(edited)


def judge_of(original: Recording, start: float, end: float) -> Judge:
    """The judge of a span [start, end) seconds, kept as long as the recording: many runs re-make one span."""
    kept = _judges.setdefault(original, OrderedDict())
    if (start, end) not in kept:
        kept[start, end] = Judge(original, start, end)
        while len(kept) > JUDGES:
            kept.popitem(last=False)
    kept.move_to_end((start, end))
    return kept[start, end]


class Judge:
    """What the moments of an original are like, kept to judge many versions of one span of it."""

    def __init__(self, original: Recording, start: float, end: float) -> None:
        """The span is [start, end) seconds."""
        self.rate = rate = original.rate
        self.low = low = max(0.0, start - NEAR_SECONDS)
        self.high = min(original.seconds, end + NEAR_SECONDS)
        self._source = source = mono_between(original, low, self.high)  # [n]
        self._first, self._signs = seconds_to_samples(low, rate), original.signs
        moments = moments_of(source, rate)
        self._hears = hears = WideListener(source, rate)
        whole = len(source) / rate
        # (seconds, +1 at the span's start and -1 at its end, where windows may reach, the moments)
        self._boundaries: list[tuple[float, float, tuple[float, float], Floats]] = []
        known: dict[tuple[float, float], list[Measures]] = {}
        for time, outer, sign in ((start, start, 1.0), (end, original.seconds - end, -1.0)):
            if outer < MIN_SIDE_SECONDS:
                continue
            bounds = (0.0, end - low) if sign > 0 else (start - low, whole)
            reference = references(source, hears, moments, rate, reach_of(time - low, bounds), known)
            self._boundaries.append((time, sign, bounds, reference))

    def seams(self, edited: Version) -> tuple[Seam, ...]:
        """One Seam for each boundary of a version of the original."""
        return tuple(
            _seam(time, narrow, wide, sign, reference)
            for time, sign, narrow, wide, reference in self._measured(self._heard(edited))
        )

    def costs(self, edited: Version) -> dict[float, float]:
        """Time of each boundary -> its weighed surprises: what is lower is nearer to the original's moments.

        Unlike the scores they still tell two versions apart that both are rougher than every moment, or
        smoother than most.
        """
        weigh = np.array(list(WEIGHTS.values()))
        return {
            time: float(features(surprises_of(vector(narrow, wide), reference)) @ weigh)
            for time, _, narrow, wide, reference in self._measured(self._heard(edited))
        }

    def _measured(self, heard: Heard) -> Iterator[tuple[float, float, Measures, WideMeasures, Floats]]:
        """(time, sign, narrow, wide, the moments' statistics) of each boundary."""
        made, listens = heard
        for time, sign, bounds, reference in self._boundaries:
            at = time - self.low
            narrow = measure(made, self.rate, at, bounds)
            yield time, sign, narrow, listens.at(at, reach_of(at, bounds)), reference

    def _heard(self, edited: Version) -> Heard:
        """Mono [n] of the neighbourhood in a version, and a listener: what is as in the original is known."""
        if isinstance(edited, Recording):
            made = mono_between(edited, self.low, self.high)
            if len(self._source) != len(made):
                return made, WideListener(made, self.rate, self._hears.period)
            differs = np.flatnonzero(self._source != made)
            changed = (int(differs[0]), int(differs[-1]) + 1) if len(differs) else (0, 0)
            return made, self._hears.again(made, self.rate, changed)
        made, listens, parts = self._source.copy(), self._hears, list[tuple[int, int]]()
        for patch in edited:
            first, last = max(0, patch.first - self._first), min(len(made), patch.last - self._first)
            if first < last:
                begin = first + self._first - patch.first
                part = patch.samples[begin : begin + last - first]
                made[first:last] = heard_in(floats_of(part), self._signs)
                parts.append((first, last))
        for changed in parts:
            listens = listens.again(made, self.rate, changed)
        return made, listens


def reach_of(time: float, bounds: tuple[float, float]) -> tuple[float, float]:
    """Seconds to hear on either side of a moment."""
    return time - bounds[0], bounds[1] - time


def references(
    source: NDArray[Any],
    hears: WideListener,
    moments: list[float],
    rate: int,
    reach: tuple[float, float],
    known: dict[tuple[float, float], list[Measures]] | None = None,
) -> Floats:
    """Magnitudes at the moments of mono `source` [n], through windows of `reach` seconds: [M, 10].

    The narrow statistics of another reach in which they have their full width are taken from `known`.
    """
    known = {} if known is None else known
    narrow = (min(reach[0], STEP_SECONDS + 0.01), min(reach[1], STEP_SECONDS + 0.01))
    if narrow not in known:
        known[narrow] = [measure(source, rate, t, (t - reach[0], t + reach[1])) for t in moments]
    rows = [vector(near, hears.at(t, reach)) for near, t in zip(known[narrow], moments, strict=True)]
    return np.array(rows).reshape(-1, len(STATISTICS))


def _seam(time: float, narrow: Measures, wide: WideMeasures, sign: float, reference: Floats) -> Seam:
    """What the statistics of one boundary say; `sign` turns after-minus-before into span against context."""
    surprises, ranked = surprise(vector(narrow, wide), reference)
    narrow = narrow._replace(level=sign * narrow.level, brightness=sign * narrow.brightness)
    wide = wide._replace(
        loudness=sign * wide.loudness, late=sign * wide.late, faster=(1 + wide.faster) ** sign - 1
    )
    reasons = _reasons(narrow, wide, surprises, reference) if ranked >= ROUGH else ()
    words = reasons[0] if reasons else "Small bump" if ranked >= ROUGH else "Smooth"
    ranks = 1.0 - np.exp(-np.minimum(surprises, np.log(len(reference) + 1.0)))
    return Seam(
        time=time,
        jump=narrow.jump,
        level=narrow.level,
        brightness=narrow.brightness,
        click=narrow.click,
        score=ranked,
        words=words,
        loudness=wide.loudness,
        late=wide.late,
        percentiles=dict(zip(STATISTICS, (100.0 * ranks).tolist(), strict=True)),
        reasons=reasons,
    )


def surprises_of(found: Floats, reference: Floats) -> Floats:
    """Statistics [10] among those of M moments [M, 10] -> the surprise of each [10].

    A surprise is -log of the share of moments that are as large, plus up to 3 for what lies beyond
    all of them.
    """
    if not len(reference):
        return np.zeros(len(STATISTICS))
    as_large = (reference >= found - 1e-12).sum(axis=0)  # [10]
    beyond = _beyond(found, reference.max(axis=0))
    surprises: Floats = -np.log((1.0 + as_large) / (len(reference) + 1.0)) + beyond
    return surprises


def surprise(
    found: Floats, reference: Floats, weights: Mapping[str, float] = WEIGHTS
) -> tuple[Floats, float]:
    """The surprise of statistics [10] among those of M moments [M, 10], each [10], and the score 0..1.

    The score is the rank of the weighted `features` among the moments' own, each moment judged by the
    others.
    """
    surprises, moments = surprises_of(found, reference), len(reference)
    if not moments:
        return surprises, 0.0
    others = (reference[None] >= reference[:, None] - 1e-12).sum(axis=1) - 1  # [M, 10], itself left out
    runner_up = np.sort(reference, axis=0)[-2] if moments > 1 else reference[0]
    own = -np.log((1.0 + others) / moments) + _beyond(reference, runner_up)  # [M, 10]
    weigh = np.array([weights[name] for name in WEIGHTS])
    return surprises, float((features(own) @ weigh < features(surprises) @ weigh - 1e-9).mean())


def features(surprises: Floats) -> Floats:
    """What is weighed: the surprises and the largest of them, [..., 10] -> [..., 11]."""
    weighed: Floats = np.concatenate([surprises, surprises.max(axis=-1, keepdims=True)], axis=-1)
    return weighed


def _beyond(values: Floats, most: Floats) -> Floats:
    """What values beyond all others add to their surprise: [..., 10] -> [..., 10]."""
    ratio = np.maximum(values, 1e-6) / np.maximum(most, 1e-6)
    added: Floats = np.clip(2.0 * np.log(ratio), 0.0, _TAIL)
    return added


def vector(narrow: Measures, wide: WideMeasures) -> Floats:
    """Magnitudes of a moment in the order of STATISTICS: [10]."""
    magnitudes: Floats = np.abs(np.array([*narrow, *wide[:5]], np.float64))
    return magnitudes


def _reasons(narrow: Measures, wide: WideMeasures, surprises: Floats, reference: Floats) -> tuple[str, ...]:
    """What is wrong at a rough seam, the weightiest first; levels and times are span against context."""
    bound = float(reference[:, 3].max()) if len(reference) else 30.0
    level = wide.loudness if abs(wide.loudness) >= abs(narrow.level) / 2 else narrow.level
    up, down = ("louder", "rises"), ("quieter", "drops")
    loud = f"{abs(level):.0f} dB {(up if level > 0 else down)[0]}"
    bright = f"Brightness {(up if narrow.brightness > 0 else down)[1]} {abs(narrow.brightness):.0f} dB"
    tint = narrow.brightness - narrow.level  # what loudness alone does not explain
    dull = tint * narrow.brightness > 0 and abs(tint) >= 3 and abs(narrow.brightness) >= 3
    beat = f"Beat {1000 * abs(wide.late):.0f} ms {'late' if wide.late > 0 else 'early'}"
    tempo = f"Tempo {100 * abs(wide.faster):.0f} % {'faster' if wide.faster > 0 else 'slower'}"
    said = {  # statistic -> words, and whether it is large enough to be noticed
        "jump": (bright if dull else "Different sound", narrow.jump >= 6),
        "level": (loud, abs(level) >= 2),
        "brightness": (bright, dull),
        "click": ("Click", narrow.click > max(bound, CLICK)),  # drum strokes are sharp too
        "colour": (bright if dull else "Different sound", narrow.colour >= 5),
        "harmony": ("Harmony changes", wide.harmony >= 0.3),
        "beat": (beat, wide.beat >= 0.1),
        "texture": (bright if dull else "Different sound", wide.texture >= 2),
        "loudness": (loud, abs(level) >= 2),
        "tempo": (tempo, wide.tempo >= 0.1),
    }
    weighed = {
        name: (WEIGHTS[name] + WEIGHTS["largest"]) * s for name, s in zip(STATISTICS, surprises, strict=True)
    }
    rare = {name for name, value in zip(STATISTICS, surprises, strict=True) if value > -np.log(0.1)}
    order = sorted(rare, key=lambda name: -weighed[name])
    for name in ("brightness", "texture", "colour", "jump"):  # what is dull is quieter for that reason
        if dull and name in order:
            order = [name, *(other for other in order if other != name)]
    if said["click"][1] and "click" in order:  # a click is heard before all else
        order = ["click", *(name for name in order if name != "click")]
    return tuple(dict.fromkeys(said[name][0] for name in order if said[name][1]))
