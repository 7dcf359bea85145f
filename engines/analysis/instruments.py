"""Who plays when in a piece of audio: rows of `engines.music.instruments.ROWS` over time.

A small network of our own hears mel bands and says, for every STEP_SECONDS, how likely each instrument, each
family and the drums sound. It learned from our own renders, part of them through the codec, because it hears
again what the models made (`study.train.instruments`); `analysis_network` computes it with NumPy. It knows
how General MIDI instruments sound: on real recordings families and drums are worth more than names.
Times are seconds on the audio's clock. Loads no torch; does not know lanes or requests' words.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from engines.analysis.network import FOLDER, conv, conv2d, weights
from engines.audio.recording import resample
from engines.audio.spectra import mel_filters, stft
from engines.music.instruments import DRUMS_ROW, INSTRUMENTS, ROWS, family_of
from engines.requests import Part

Array = NDArray[np.float32]
Audio = NDArray[np.float32]
WEIGHTS: Final = FOLDER / "instruments.npz"
RATE: Final = 32_000  # Hz, what the network hears
HOP: Final = 512  # samples between mel frames
FFT: Final = 1024
MELS: Final = 80
POOLED: Final = 16  # mel frames of one step
STEP_SECONDS: Final = POOLED * HOP / RATE  # 0.256 s; step i is about [i, i + 1) * STEP_SECONDS
FLOOR: Final = 1e-2  # of mel magnitudes at a level of one
QUIET_DB: Final = -60.0  # of full scale; a step below it is silence, and nobody plays
WINDOW_STEPS: Final = 240  # heard at once, 61 s
MARGIN_STEPS: Final = 8  # heard on both sides of a window
PLAYS: Final = 0.5  # likelihood from which an instrument is said to play in a bar
KEEPS: Final = 0.3  # and down to which it is said to go on
FAMILY: Final = 0.6  # from which a family is named where none of its members is sure


@dataclass(frozen=True)
class Instruments:
    """Who plays when; empty where nothing is known."""

    parts: tuple[Part, ...] = ()  # in the order of their beginning; each instrument's apart in time
    confidence: tuple[float, ...] = ()  # of each part, 0..1: so often it is right on renders


def heard(audio: Audio, rate: int) -> tuple[NDArray[np.float64], Array]:
    """How likely each row sounds, over time: mono [n] at `rate` Hz -> seconds [T], likelihoods [T, ROWS].

    Times are the middles of steps of STEP_SECONDS: a span [a, b) is judged by the steps whose middle lies in
    it, and each of them has heard about a second to either side. It hears two seconds or more best; what
    stands around a span should be given too where there is any.
    """
    sound = np.asarray(resample(audio, rate, RATE), np.float32)
    steps = round(len(audio) / rate / STEP_SECONDS + 0.3) if len(audio) else 0
    times = np.asarray((np.arange(steps) + 0.5) * STEP_SECONDS, np.float64)
    if not steps:
        return times, np.zeros((0, len(ROWS)), np.float32)
    level = _levels(sound, steps)
    out = np.zeros((steps, len(ROWS)), np.float32)
    for start in range(0, steps, WINDOW_STEPS):
        a, b = max(0, start - MARGIN_STEPS), min(steps, start + WINDOW_STEPS + MARGIN_STEPS)
        part = sound[a * POOLED * HOP : b * POOLED * HOP]
        if level[a:b].max() <= QUIET_DB:
            continue
        mel = log_mel(np.pad(part, (0, (b - a) * POOLED * HOP - len(part))))
        keep = slice(start - a, min(steps, start + WINDOW_STEPS) - a)
        out[start : start + WINDOW_STEPS] = activity(mel)[keep]
    out[level <= QUIET_DB] = 0.0
    return times, out


def instruments(
    audio: Audio,
    rate: int,
    bars: Sequence[float] = (),
    likely: tuple[NDArray[np.float64], Array] | None = None,
) -> Instruments:
    """Who plays in mono audio [n], bar by bar where downbeats are known, else by the second.

    Stretches are merged. `likely` is what `heard` said of the same audio. An instrument is named where it is
    likely, else its family where that is; what fails both is left out.
    """
    times, sure = likely if likely is not None else heard(audio, rate)
    seconds = len(audio) / rate
    edges = _edges(seconds, bars)
    if not len(times) or len(edges) < 2:
        return Instruments()
    slot = np.clip(np.searchsorted(edges, times, side="right") - 1, 0, len(edges) - 2)
    by_bar = np.stack([_loud(sure[slot == i]) for i in range(len(edges) - 1)])  # [bars, ROWS]
    playing = _held(by_bar)
    for i, name in enumerate(ROWS):
        if name in INSTRUMENTS or name == DRUMS_ROW:
            continue
        members = [k for k, row in enumerate(ROWS) if family_of(row) == name]
        playing[:, i] &= ~playing[:, members].any(axis=1) & (by_bar[:, i] >= FAMILY)
    found: list[tuple[Part, float]] = []
    for i, name in enumerate(ROWS):
        for a, b in _runs(playing[:, i]):
            found.append((Part(float(edges[a]), float(edges[b]), name), float(by_bar[a:b, i].mean())))
    found.sort(key=lambda one: (one[0].start, -one[1]))
    return Instruments(tuple(part for part, _ in found), tuple(round(s, 3) for _, s in found))


def log_mel(sound: Audio) -> Array:
    """Log mel magnitudes of sound [n] at RATE, at equal loudness: [n // HOP, MELS]."""
    level = float(np.sqrt(np.mean(np.square(sound, dtype=np.float64)))) if len(sound) else 0.0
    spectrum = np.abs(stft(sound / max(level, 1e-4), FFT, HOP))
    frames = len(sound) // HOP
    return np.asarray(np.log(np.maximum(_bank() @ spectrum[:, :frames], FLOOR)).T, np.float32)


def activity(mel: Array) -> Array:
    """How likely each row sounds in each step: log mel [F, MELS] -> [F // POOLED, ROWS]."""
    w = weights(WEIGHTS, "instruments cannot be heard")
    steps = len(mel) // POOLED
    x = mel[: steps * POOLED, :, None] / np.float32(3.0)  # [F, M, 1]
    for i, stride in enumerate(STRIDES):
        x = np.maximum(conv2d(x, w[f"body{i}.weight"], w[f"body{i}.bias"], stride), 0.0)
    h = x.reshape(len(x), -1)  # [T, M', C] -> [T, M' * C]
    h = np.maximum(h @ w["join.weight"].T + w["join.bias"], 0.0)
    h = h + np.maximum(conv(h, w["time0.weight"], w["time0.bias"], 1), 0.0)
    h = h + np.maximum(conv(h, w["time1.weight"], w["time1.bias"], 1), 0.0)
    logits = h @ w["head.weight"].T + w["head.bias"]  # [T, ROWS]
    logits = logits * w["scale"] + w["shift"]  # calibrated on renders that did not train
    return np.asarray(1.0 / (1.0 + np.exp(-np.clip(logits, -30, 30))), np.float32)


STRIDES: Final = ((4, 2), (2, 2), (2, 2), (1, 2))  # of the convolutions, in frames and bands


@cache
def _bank() -> Array:
    return mel_filters(RATE, FFT, MELS, 40.0, 16_000.0, even=True)


def _levels(sound: Audio, steps: int) -> Array:
    """RMS of each step in dB of full scale, [steps]."""
    size = POOLED * HOP
    whole = np.pad(sound, (0, max(0, steps * size - len(sound))))[: steps * size].reshape(steps, size)
    power = np.mean(np.square(whole, dtype=np.float64), axis=1)
    return np.asarray(10 * np.log10(np.maximum(power, 1e-12)), np.float32)


def _edges(seconds: float, bars: Sequence[float]) -> NDArray[np.float64]:
    """Borders of what is judged at once: bars, or seconds; the audio's own ends belong to it."""
    inner = np.asarray([t for t in bars if 0.25 < t < seconds - 0.25], np.float64)
    if len(inner) < 2:
        inner = np.arange(1.0, seconds - 0.25, 1.0)
    return np.asarray([0.0, *inner, seconds], np.float64) if seconds > 0 else np.zeros(0)


def _loud(sure: Array) -> Array:
    """What is said of a bar: the mean of the likelier half of its steps: [t, ROWS] -> [ROWS]."""
    if not len(sure):
        return np.zeros(sure.shape[1], np.float32)
    ordered = np.sort(sure, axis=0)[len(sure) // 2 :]
    return np.asarray(ordered.mean(axis=0), np.float32)


def _held(by_bar: Array) -> NDArray[np.bool_]:
    """Where a row plays: from PLAYS on, and before and after that down to KEEPS: [bars, ROWS] bool."""
    out = by_bar >= PLAYS
    for row in range(out.shape[1]):
        for a, b in _runs(by_bar[:, row] >= KEEPS):
            if out[a:b, row].any():
                out[a:b, row] = True
    return np.asarray(out)


def _runs(flags: NDArray[np.bool_]) -> list[tuple[int, int]]:
    """Stretches [a, b) of True."""
    steps = np.flatnonzero(np.diff(np.concatenate([[False], flags, [False]]).astype(np.int8)))
    return [(int(a), int(b)) for a, b in zip(steps[::2], steps[1::2], strict=True)]
