"""Beats, downbeats, tempo, time signature and drum hits of a piece of audio.

A small network of our own (`study.train.analysis`, weights in `assets/analysis`) says frame by frame
how likely a beat, a downbeat or a drum's onset is; a beat line is then the best regular path through it
(Ellis 2007, as in librosa), and bars are the best count of two, three or four beats. Times in seconds; a beat
of 6/8 is a dotted quarter. Loads no torch; does not know the editor's grid.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from engines.analysis.features import FRAME_SECONDS, LOWEST_NOTE, Features
from engines.analysis.network import FOLDER, conv, weights
from engines.analysis.path import best_path
from engines.requests import DRUMS, Hit

WEIGHTS = FOLDER / "rhythm.npz"
STEP_SECONDS = 2 * FRAME_SECONDS  # beats are heard on every second frame
TEMPI = (55.0, 200.0)  # bpm that are looked for
COMMON_TEMPO, TEMPO_SPREAD = 105.0, 1.5  # centre (bpm) and width (octaves) of what tempo is expected
BLOCK_SECONDS = 12.0  # stretches in which the tempo is looked for
TEMPO_CHANGE = 0.8  # what another tempo from one block to the next costs, in the agreement's unit
TIGHTNESS = 300.0  # how much a beat off the tempo costs
BARS = {4: 0.8, 3: 0.1, 2: 0.1}  # beats a bar -> how common it is
DOWN_WEIGHT, DOWN_TRUST = 4.0, 0.4  # how much the network overrates downbeats; how independent beats are
BAR_BREAK = 8.0  # nats that a bar of another length costs
MIN_BEATS = 4  # fewer are no rhythm
BEAT_CONFIDENCE = 0.3  # a piece whose beats are less likely than this on average has none
HIT_THRESHOLDS = (0.5, 0.5, 0.5, 0.5, 0.5)  # likelihood of a hit, in the order of DRUMS
HIT_APART = 0.05  # seconds between hits of one drum, at least

Activations = NDArray[np.float32]


@dataclass(frozen=True)
class Rhythm:
    """The beat of a piece; all empty and 0 where there is none."""

    beats: tuple[float, ...]  # seconds
    downbeats: tuple[float, ...]  # seconds; the first beats of bars
    bpm: float  # beats per minute, 0 = none
    beats_per_bar: int  # 0 = none
    confidence: float  # 0..1, mean likelihood of the beats
    bar_confidence: float  # 0..1, how far the downbeats stand out


@dataclass(frozen=True)
class DrumLine:
    """Drum hits by class."""

    hits: tuple[Hit, ...]  # in order
    confidence: tuple[float, ...]  # 0..1, one a hit


def activations(features: Features) -> tuple[Activations, Activations]:
    """Likelihoods of (beat, downbeat) [S, 2] every STEP_SECONDS, and of drum onsets [F, 5] every frame."""
    if not features.frames:
        return np.zeros((0, 2), np.float32), np.zeros((0, len(DRUMS)), np.float32)
    w = _weights()
    h = _elu(conv(network_input(features), w["i.weight"], w["i.bias"], 1))  # [F, INPUTS] -> [F, W]
    for n, dilation in enumerate(LOCAL):
        h = h + _elu(conv(h, w[f"l.{n}.weight"], w[f"l.{n}.bias"], dilation))
    drums = _sigmoid(conv(h, w["dr.weight"], w["dr.bias"], 1))  # [F, W] -> [F, 5]
    steps = len(h) // 2
    if not steps:
        return np.zeros((0, 2), np.float32), drums
    g = h[: 2 * steps].reshape(steps, 2, -1).max(axis=1)  # [F, W] -> [S, W]
    g = _elu(conv(g, w["p.weight"], w["p.bias"], 1))
    for n, dilation in enumerate(WIDE):
        g = g + _elu(conv(g, w[f"t.{n}.weight"], w[f"t.{n}.bias"], dilation))
    beats = _sigmoid(conv(g, w["b.weight"], w["b.bias"], 1))  # [S, W] -> [S, 2]
    return beats * features.sounding[: 2 * steps].reshape(steps, 2).max(axis=1, keepdims=True), drums


BASS_BELOW = 48  # MIDI pitch
CHANGE_SECONDS = (0.25, 0.8)
INPUTS = 80 + 2 + 2 * len(CHANGE_SECONDS)
LOCAL = (1, 2, 4)  # dilations of the layers that drums are heard from
WIDE = (1, 2, 4, 8, 16, 32, 64)  # dilations of the layers that the beat is heard from: 11.8 s


def network_input(features: Features) -> NDArray[np.float32]:
    """What the network sees of each frame, [F, INPUTS].

    Log mel bands and their rise; how strongly bass and other notes begin; and how far the pitches of the next
    stretch differ from those of the last, for each of CHANGE_SECONDS: bars begin where the harmony moves.
    """
    mel = features.mel
    rise = np.maximum(0, np.diff(mel, axis=0, prepend=mel[:1]))
    bass = features.onsets[:, : BASS_BELOW - LOWEST_NOTE].max(axis=1, keepdims=True)
    begin = np.minimum(features.onsets[:, BASS_BELOW - LOWEST_NOTE :].sum(axis=1, keepdims=True), 3) / 3
    low = features.notes[:, : BASS_BELOW - LOWEST_NOTE]
    moves = [_move(part, seconds) for part in (features.notes, low) for seconds in CHANGE_SECONDS]
    return np.concatenate([mel / 3, rise * 1.5, bass, begin, *moves], axis=1).astype(np.float32)


def _move(notes: NDArray[np.float32], seconds: float) -> NDArray[np.float32]:
    """1 - cosine of the pitch classes heard `seconds` before and after each frame: [F, P] -> [F, 1]."""
    classes = np.zeros((len(notes), 12))
    for pitch in range(notes.shape[1]):
        classes[:, (pitch + LOWEST_NOTE) % 12] += notes[:, pitch]
    total = np.concatenate([np.zeros((1, 12)), np.cumsum(classes, axis=0)])
    reach, at = round(seconds / FRAME_SECONDS), np.arange(len(notes))
    before = total[at] - total[np.maximum(at - reach, 0)]
    after = total[np.minimum(at + reach, len(notes))] - total[at]
    size = np.linalg.norm(before, axis=1) * np.linalg.norm(after, axis=1)
    agree = (before * after).sum(axis=1) / np.maximum(size, 1e-6)
    return np.asarray(np.where(size > 1e-3, 1 - agree, 0.0)[:, None], np.float32)


def drums(features: Features, heard: Activations) -> DrumLine:
    """Drum hits from activations [F, 5]: peaks above the class's threshold."""
    found: list[tuple[Hit, float]] = []
    reach = max(1, round(HIT_APART / FRAME_SECONDS) - 1)
    for d, (drum, threshold) in enumerate(zip(DRUMS, HIT_THRESHOLDS, strict=True)):
        line = heard[:, d] * features.sounding
        for i in np.flatnonzero(line >= threshold):
            around = line[max(0, i - reach) : i + reach + 1]
            if line[i] == around.max() and line[i] > line[max(0, i - reach) : i].max(initial=0.0):
                found.append((Hit(float(i * FRAME_SECONDS), drum), float(line[i])))
    found.sort(key=lambda pair: (pair[0].time, pair[0].drum))
    return DrumLine(tuple(hit for hit, _ in found), tuple(sure for _, sure in found))


def rhythm(heard: Activations) -> Rhythm:
    """Beats and bars from (beat, downbeat) activations [S, 2]."""
    none = Rhythm((), (), 0.0, 0, 0.0, 0.0)
    beat, down = heard[:, 0].astype(np.float64), heard[:, 1].astype(np.float64)
    if len(beat) * STEP_SECONDS < 1.0 or beat.max() < BEAT_CONFIDENCE:
        return none
    places = _track(beat, _periods(beat))
    if len(places) < MIN_BEATS:
        return none
    sure = float(np.mean([beat[max(0, p - 1) : p + 2].max() for p in places]))
    if sure < BEAT_CONFIDENCE:
        return none
    times = np.array([_refined(beat, p) for p in places]) * STEP_SECONDS
    bpm = 60.0 / _spacing(times)
    peak = np.array([down[max(0, p - 2) : p + 3].max() for p in places])
    count, downs, stands = _bars(peak)
    return Rhythm(
        tuple(times.tolist()),
        tuple(times[downs].tolist()),
        bpm,
        count,
        sure,
        float(np.clip(stands, 0, 1)),
    )


def _periods(beat: NDArray[np.float64]) -> NDArray[np.float64]:
    """Steps a beat at each step, [S]: in each block the pulse train that agrees best with the activation.

    Agreement is the sum at the pulses over the square root of their number, so that neither half nor
    double the tempo gains by having fewer or more of them. The tempo may change between blocks, at a price.
    """
    slow, fast = (60.0 / bpm / STEP_SECONDS for bpm in TEMPI)
    candidates = np.exp(np.arange(math.log(fast), math.log(slow), 0.006))
    octaves = np.log2(60 / (candidates * STEP_SECONDS) / COMMON_TEMPO) / TEMPO_SPREAD
    blocks = max(1, round(len(beat) * STEP_SECONDS / BLOCK_SECONDS))
    wide = np.maximum(beat, 0.7 * np.maximum(np.roll(beat, 1), np.roll(beat, -1)))  # a step of slack
    parts = np.array_split(wide, blocks)
    scores = np.zeros((blocks, len(candidates)))
    for c, candidate in enumerate(candidates):
        for b, block in enumerate(parts):
            count = max(1, int((len(block) - 1) / candidate))
            pulses = np.arange(count) * candidate
            phases = np.arange(0, math.ceil(candidate))[:, None]
            places = np.minimum((phases + pulses + 0.5).astype(int), len(block) - 1)  # [phase, pulse]
            scores[b, c] = float(block[places].sum(axis=1).max()) / math.sqrt(count)
    path = best_path(scores * np.exp(-0.5 * octaves**2), TEMPO_CHANGE)
    return np.repeat(candidates[path], [len(block) for block in parts])


def _track(beat: NDArray[np.float64], periods: NDArray[np.float64]) -> list[int]:
    """Steps of the beats: the best path whose intervals stay near `periods` [S] steps (Ellis 2007)."""
    n = len(beat)
    score = beat.copy() * 100
    back = np.full(n, -1)
    gaps, cost, period = np.zeros(0, int), np.zeros(0), 0.0
    for t in range(n):
        if periods[t] != period:
            period = float(periods[t])
            gaps = np.arange(max(1, round(period / 2)), min(n, round(period * 2)) + 1)
            cost = TIGHTNESS * np.log(gaps / period) ** 2
        reach = gaps[gaps <= t]
        if not len(reach):
            continue
        before = score[t - reach] - cost[: len(reach)]
        k = int(before.argmax())
        if before[k] > 0:
            score[t] += before[k]
            back[t] = t - reach[k]
    tail = max(0, n - round(period))
    at = tail + int(score[tail:].argmax())
    places = [at]
    while back[places[-1]] >= 0:
        places.append(int(back[places[-1]]))
    places.reverse()
    # what stands before the music begins or after it ends is no beat
    weak = 0.3 * float(np.median(beat[places]))
    while places and beat[max(0, places[0] - 2) : places[0] + 3].max() < weak:
        places.pop(0)
    while places and beat[max(0, places[-1] - 2) : places[-1] + 3].max() < weak:
        places.pop()
    return places


def _refined(beat: NDArray[np.float64], place: int) -> float:
    """A peak between steps: the parabola through it and its neighbours."""
    if not 0 < place < len(beat) - 1:
        return float(place)
    a, b, c = beat[place - 1 : place + 2]
    bend = a - 2 * b + c
    return place + (float(np.clip(0.5 * (a - c) / bend, -0.5, 0.5)) if bend < -1e-9 else 0.0)


def _spacing(times: NDArray[np.float64]) -> float:
    """Seconds a beat: the slope of a line through the beats, or the median where they drift."""
    count = np.arange(len(times))
    slope, start = np.polyfit(count, times, 1)
    drift = np.abs(times - (start + slope * count)).max()
    return float(slope if drift < 0.25 * slope else np.median(np.diff(times)))


def _bars(peak: NDArray[np.float64]) -> tuple[int, NDArray[np.int64], float]:
    """Beats a bar, which beats are downbeats [bars], and how far they stand out, from likelihoods [beats].

    For each length of a bar the likeliest path of places in it, which may break a bar off at a price; then
    the likeliest length (a hidden Markov model with a fixed tempo, after Boeck et al. 2016).
    """
    odds = np.log(np.clip(peak, 0.01, 0.99) / (1 - np.clip(peak, 0.01, 0.99))) - math.log(DOWN_WEIGHT)
    on, off = -np.logaddexp(0, -odds), -np.logaddexp(0, odds)  # log-likelihoods of a downbeat, and of none
    best: tuple[float, int, list[int]] = (-math.inf, 4, [])
    for count, share in BARS.items():
        if len(peak) < 2 * count and count != 4:
            continue
        score, back = np.full(count, -math.log(count)), []
        for beat in range(len(peak)):
            if beat:
                came = np.arange(count) - 1  # the place before each place; a first may follow any
                before = score[came]
                broken = int(score.argmax())
                if score[broken] - BAR_BREAK > before[0]:
                    came[0], before[0] = broken, score[broken] - BAR_BREAK
                back.append(came % count)
                score = before
            score = score + DOWN_TRUST * np.where(np.arange(count) == 0, on[beat], off[beat])
        places = [int(score.argmax())]
        for came in reversed(back):
            places.append(int(came[places[-1]]))
        total = float(score.max()) + math.log(share)
        if total > best[0]:
            best = (total, count, places[::-1])
    _, count, path = best
    downs = np.flatnonzero(np.array(path) == 0)
    others = np.delete(peak, downs)
    stands = float(peak[downs].mean() - others.mean()) if len(downs) and len(others) else 0.0
    return count, downs, stands


def _elu(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.where(x > 0, x, np.expm1(np.minimum(x, 0))).astype(np.float32)


def _sigmoid(x: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(1 / (1 + np.exp(-np.clip(x, -30, 30))), np.float32)


def _weights() -> dict[str, NDArray[np.float32]]:
    return weights(WEIGHTS, "beats cannot be heard")
