"""Where a piece changes, by bars: stretches that sound alike, and which of them return.

Novelty after Foote (2000, ICME): what the bars before a line hold on average against what those after it
hold, over what bars differ by anyway. Four bars a side, so that a round of chords is no change. Names are a
guess by what returns and how loud it is. Audio is mono float32 [n]; times are seconds. Loads no torch.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from engines.audio.recording import resample
from engines.audio.spectra import chroma_filters, mel_filters, stft

Audio = NDArray[np.float32]
Rows = NDArray[np.float64]
RATE = 22_050  # Hz
HOP = 1024  # samples a frame
FFT = 2048
RANGE_DB = 80.0  # bands further below the loudest one count as silent
SIDE_BARS = 4  # heard on either side of a line
LEAST_BARS = 2  # of a stretch
SAME = 1.0  # bars that differ by less are the same: about a decibel in every band
NOVEL = 1.0  # of what bars differ by anyway: a line with more is a change
ALIKE = 0.4  # of what the changes come to: stretches nearer than that are the same
SQUARE = {4: 1.25, 2: 1.1, 1: 1.0}  # music changes after so many bars more often than elsewhere


@dataclass(frozen=True)
class Stretch:
    """Bars [start, end), counted as they were given, that sound alike."""

    name: str
    start: int
    end: int


def sections(audio: Audio, rate: int, lines: Sequence[float]) -> tuple[Stretch, ...]:
    """The stretches of a piece [n] whose bars lie between `lines`, seconds in order; they cover all bars.

    Empty for fewer than two bars.
    """
    if len(lines) < 3:
        return ()
    rows, level = _bars(np.asarray(resample(audio, rate, RATE), np.float32), lines)
    novelty = _novelty(rows)
    cuts = _cuts(novelty)
    borders = [0, *cuts, len(rows)]
    means = np.array([rows[a:b].mean(axis=0) for a, b in pairwise(borders)])  # [S, D]
    loud = [float(level[a:b].mean()) for a, b in pairwise(borders)]
    labels = _labels(means)
    names = _names(labels, loud)
    return tuple(Stretch(name, a, b) for name, (a, b) in zip(names, pairwise(borders), strict=True))


def _bars(sound: Audio, lines: Sequence[float]) -> tuple[Rows, NDArray[np.float64]]:
    """What each bar sounds like [B, D], every column as spread out as the others, and its level in dB [B]."""
    power = np.abs(stft(sound, FFT, HOP)) ** 2  # [bins, F]
    mel = mel_filters(RATE, FFT, 24, 0.0, RATE / 2, even=True) @ power  # [24, F]
    bands = 10 * np.log10(np.maximum(mel, 1e-7))
    bands = np.maximum(bands, bands.max() - RANGE_DB)
    tones = chroma_filters(RATE, FFT) @ power  # [12, F]
    loudest = tones.max(axis=0)
    tones = tones / np.where(loudest < np.finfo(np.float32).tiny, 1.0, loudest)
    strokes = np.maximum(np.diff(bands, axis=1, prepend=bands[:, :1]), 0)  # [24, F]
    rows, level = [], []
    for start, end in pairwise(lines):
        a = min(round(max(0.0, start) * RATE / HOP), bands.shape[1] - 1)
        part = slice(a, max(a + 1, round(end * RATE / HOP)))
        low, high = (strokes[half, part].mean(axis=1) for half in (slice(0, 8), slice(8, 24)))
        rows.append(np.concatenate([bands[:, part].mean(axis=1) / 6, [low.mean(), high.mean()]]))
        rows[-1] = np.concatenate([rows[-1], 4 * tones[:, part].mean(axis=1)])
        level.append(10 * np.log10(mel[:, part].mean() + 1e-10))
    return np.array(rows), np.array(level)


def _novelty(rows: Rows) -> NDArray[np.float64]:
    """How much changes at each line between bars, over what bars differ by anyway: [B, D] -> [B]."""
    usual = float(np.sqrt(((rows - rows.mean(axis=0)) ** 2).sum(axis=1).mean()))
    novelty = np.zeros(len(rows))
    for line in range(1, len(rows)):
        sides = rows[max(0, line - SIDE_BARS) : line], rows[line : line + SIDE_BARS]
        before, after = (side.mean(axis=0) for side in sides)
        spread = [((side - side.mean(axis=0)) ** 2).sum(axis=1) for side in sides]
        within = float(np.sqrt(np.concatenate(spread).mean()))
        novelty[line] = np.linalg.norm(after - before) / max(within, 0.25 * usual, SAME)
    return novelty


def _cuts(novelty: NDArray[np.float64]) -> list[int]:
    """The lines at which something changes: the clearest first, none within `SIDE_BARS` of another."""
    lines = range(len(novelty))
    weighed = novelty * [next(gain for every, gain in SQUARE.items() if line % every == 0) for line in lines]
    cuts: list[int] = []
    for line in np.argsort(-weighed).tolist():
        if weighed[line] < NOVEL:
            break
        free = all(abs(line - cut) >= SIDE_BARS for cut in cuts)
        if free and LEAST_BARS <= line <= len(novelty) - LEAST_BARS:
            cuts.append(line)
    return sorted(cuts)


def _labels(means: Rows) -> list[int]:
    """Which stretches are the same: [S, D] -> a number each."""
    if len(means) < 2:
        return [0] * len(means)
    change = float(np.mean(np.linalg.norm(np.diff(means, axis=0), axis=1)))
    labels: list[int] = []
    for i, mean in enumerate(means):
        apart = [float(np.linalg.norm(mean - other)) for other in means[:i]]
        nearest = int(np.argmin(apart)) if apart else 0
        known = bool(apart) and apart[nearest] < ALIKE * change
        labels.append(labels[nearest] if known else max(labels, default=-1) + 1)
    return labels


def _names(labels: Sequence[int], loud: Sequence[float]) -> list[str]:
    """What returns is a verse, the loudest of it the chorus; what comes once begins, ends or is between."""
    returns = [label for label, count in Counter(labels).items() if count > 1]
    if len(returns) < 2:
        return [f"Part {chr(ord('A') + label % 26)}" for label in labels]
    pairs = list(zip(loud, labels, strict=True))
    chorus = max(returns, key=lambda label: float(np.mean([level for level, own in pairs if own == label])))
    ends = {0: "Intro", len(labels) - 1: "Outro"}
    return [
        ("Chorus" if label == chorus else "Verse") if label in returns else ends.get(i, "Bridge")
        for i, label in enumerate(labels)
    ]
