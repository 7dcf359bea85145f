"""A mix engineer: stems -> one clip, mono at 32 kHz. Equaliser, level, room, bus, tape, all by seed.

Stems are dry mono float [N] by role ("lead", "comp", "pad", "bass", "drums"). Everything linear
happens in the frequency domain, so that a stem costs one transform. Does not know notes, except for
the times of kicks, to which house music's other parts duck.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray
from scipy import fft, signal

Audio = NDArray[np.float32]
RATE = 32_000
ROOMS = 24  # reverbs in the bank
_LEVEL = {"lead": 1.0, "comp": -6.0, "pad": -11.0, "bass": -4.0, "drums": -3.0}  # dB beside each other
_SEND = {"lead": 1.0, "comp": 0.8, "pad": 1.2, "bass": 0.12, "drums": 0.5}  # of the room
_TONE = {"lead": 2800.0, "comp": 1800.0, "pad": 1200.0, "bass": 700.0, "drums": 6000.0}  # Hz: presence
# What is taken off below, in Hz: the bass keeps its octave to itself.
_CUT = {"lead": 120.0, "comp": 90.0, "pad": 140.0, "bass": 28.0, "drums": 30.0}


@cache
def _room(index: int, size: int) -> NDArray[np.complex64]:
    """Spectrum [size / 2 + 1] of one reverb: rooms, plates, halls by index; unit energy, no direct sound."""
    rng = np.random.default_rng(index)
    kind = ("room", "plate", "hall")[index % 3]
    low, high = {"room": (0.15, 0.5), "plate": (0.7, 1.6), "hall": (1.2, 2.6)}[kind]
    decay = rng.uniform(low, high)  # seconds to -60 dB
    n = int(RATE * min(decay, 2.8))
    t = np.arange(n) / RATE
    tail = np.zeros(n)
    edges = (60.0, 300.0, 1200.0, 4000.0, 12_000.0)
    shorter = (1.1, 1.0, 0.8, 0.5) if kind != "plate" else (0.8, 1.0, 1.0, 0.75)  # treble dies first
    for (a, b), factor in zip(itertools.pairwise(edges), shorter, strict=True):
        band = signal.sosfilt(signal.butter(2, (a, b), "band", fs=RATE, output="sos"), rng.standard_normal(n))
        tail += band * np.exp(-6.91 * t / (decay * factor))
    before = int(RATE * {"room": 0.004, "plate": 0.012, "hall": 0.025}[kind])
    tail = np.concatenate([np.zeros(before), tail])
    for _ in range(6 if kind != "plate" else 0):  # early reflections
        at = int(RATE * rng.uniform(0.004, 0.03 if kind == "room" else 0.07))
        tail[min(at, len(tail) - 1)] += rng.choice((-1, 1)) * rng.uniform(0.5, 2.0)
    tail /= np.sqrt(np.sum(tail**2))
    return np.asarray(fft.rfft(tail.astype(np.float32), size), np.complex64)


OCTAVES = np.linspace(np.log2(20.0), np.log2(RATE / 2), 400)  # log2 Hz of the points of an equaliser's curve


@cache
def _places(size: int) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """For each bin [size / 2 + 1] the point of a curve below it, and how far it lies towards the next."""
    octave = np.log2(np.clip(fft.rfftfreq(size, 1 / RATE), 20.0, RATE / 2))
    place = (octave - OCTAVES[0]) / (OCTAVES[1] - OCTAVES[0])
    below = np.minimum(place.astype(np.int32), len(OCTAVES) - 2)
    return below, (place - below).astype(np.float32)


def _gain(curve: NDArray[np.float64], size: int) -> NDArray[np.float32]:
    """A curve in dB at `OCTAVES` -> gain per bin [size / 2 + 1]."""
    below, over = _places(size)
    gain = (10 ** (curve / 20)).astype(np.float32)
    return np.asarray(gain[below] + over * np.diff(gain)[below], np.float32)


def _bell(centre: float, gain: float, octaves: float) -> NDArray[np.float64]:
    """A broad bell in dB [400]."""
    return np.asarray(gain * np.exp(-0.5 * ((OCTAVES - np.log2(centre)) / octaves) ** 2))


def _slope(corner: float, order: float) -> NDArray[np.float64]:
    """dB [400] of a roll-off above `corner` Hz (order > 0) or below it (order < 0), 6 dB an octave each."""
    over = np.sign(order) * (OCTAVES - np.log2(corner))
    return np.asarray(-6.0 * abs(order) * np.maximum(over, 0.0))


def _envelope(x: Audio, block: int, attack: float, release: float) -> NDArray[np.float64]:
    """Level [blocks] of a signal, rising and falling with the two times in seconds."""
    blocks = x[: len(x) // block * block].reshape(-1, block).astype(np.float64)
    power = np.sqrt(np.mean(blocks**2, axis=1) + 1e-12)
    up, down = np.exp(-block / RATE / attack), np.exp(-block / RATE / release)
    out: NDArray[np.float64] = np.empty_like(power)
    level = power[0]
    for i, p in enumerate(power.tolist()):
        k = up if p > level else down
        level = k * level + (1 - k) * p
        out[i] = level
    return out


def _compressed(x: Audio, rng: np.random.Generator) -> Audio:
    """Bus compression: 1.5 to 4 : 1 above a threshold near the mean level."""
    block = 160
    level = 20 * np.log10(_envelope(x, block, rng.uniform(0.005, 0.03), rng.uniform(0.08, 0.3)) + 1e-6)
    threshold = np.percentile(level, rng.uniform(40, 75))
    gain = -np.maximum(level - threshold, 0) * (1 - 1 / rng.uniform(1.5, 4.0))
    times = (np.arange(len(gain)) + 0.5) * block
    return np.asarray(x * 10 ** (np.interp(np.arange(len(x)), times, gain) / 20), np.float32)


def _ducked(n: int, kicks: Sequence[float], rng: np.random.Generator) -> Audio:
    """Gain [n] that dips at each kick and recovers within an eighth or so."""
    t = np.arange(n, dtype=np.float32) / RATE
    gain = np.ones(n, np.float32)
    depth, time = rng.uniform(0.4, 0.8), rng.uniform(0.1, 0.22)
    for kick in kicks:
        a = int(kick * RATE)
        b = min(n, a + int(1.5 * time * RATE))
        gain[a:b] = np.minimum(gain[a:b], 1 - depth * np.exp(-(((t[a:b] - kick) / (0.5 * time)) ** 2)))
    return gain


def mix(
    stems: Mapping[str, Audio], rng: np.random.Generator, style: str = "", kicks: Sequence[float] = ()
) -> Audio:
    """Mix and master dry stems [N] -> [N]. `kicks`, in seconds, duck the other parts in dance styles."""
    n = len(next(iter(stems.values())))
    size = fft.next_fast_len(n + 3 * RATE, real=True)
    room = _room(int(rng.integers(ROOMS)), size)
    wetness = rng.choice((0.0, 0.06, 0.12, 0.2, 0.32)) * rng.uniform(0.7, 1.3)
    ducks = style in ("house", "techno", "electronic", "disco") and rng.random() < 0.5
    duck = _ducked(n, kicks, rng) if ducks else None
    total = np.zeros(size // 2 + 1, np.complex64)
    sent = np.zeros_like(total)  # to the room
    for role in sorted(stems):
        stem, own = stems[role], np.random.default_rng(rng.integers(1 << 31))
        power = float(np.sqrt(np.mean(stem**2)))
        if power < 1e-6:
            continue
        loud = np.abs(stem) > 0.02 * float(np.max(np.abs(stem)))
        # a part that enters late is not turned up for it
        sounding = power / np.sqrt(max(0.05, float(np.mean(loud))))
        level = _LEVEL[role] + own.normal(0, 2.0) if len(stems) > 1 else 0.0
        x = stem * np.float32(0.1 * 10 ** (level / 20) / sounding)
        if duck is not None and role != "drums":
            x = x * duck
        curve = _slope(_CUT[role] * own.uniform(0.6, 1.2), -2.0)
        curve += _bell(_TONE[role] * own.uniform(0.6, 1.7), own.uniform(-3, 6), own.uniform(0.6, 1.4))
        centre = np.exp(own.uniform(np.log(150), np.log(8000)))
        curve += _bell(centre, own.uniform(-5, 4), own.uniform(0.4, 1.0))
        if role != "bass":  # an air shelf: the SoundFonts are dull
            curve += own.uniform(-2, 9) / (1 + 2.0 ** (-2 * (OCTAVES - 12.3)))
        spectrum = fft.rfft(x, size) * _gain(curve, size)
        total += spectrum
        if wetness > 0:
            sent += spectrum * np.float32(wetness * _SEND[role] * own.uniform(0.5, 1.5))
    if wetness > 0:
        total += sent * room
    master = rng.uniform(-0.6, 1.0) * (OCTAVES - np.log2(1000.0))  # tilt, dB an octave
    lofi = rng.random() < (0.6 if style == "lo-fi" else 0.06)
    if lofi:
        master += _slope(rng.uniform(2500, 6000), 2.5) + _slope(rng.uniform(80, 220), -2.0)
    out = np.asarray(fft.irfft(total * _gain(master, size), size)[:n], np.float32)
    rms = float(np.sqrt(np.mean(out**2))) + 1e-9
    if rng.random() < 0.55:
        out = _compressed(out, rng)
    if lofi or rng.random() < 0.3:
        drive = rng.uniform(0.6, 2.2)
        out = np.tanh(out * np.float32(0.2 * drive / rms)) / np.float32(drive)
    rms = float(np.sqrt(np.mean(out**2))) + 1e-9
    out = out * np.float32(10 ** (rng.uniform(-23, -15) / 20) / rms)
    peak = float(np.max(np.abs(out)))
    if peak > 0.9:  # a limiter with a soft knee
        over = np.abs(out) > 0.7
        out[over] = np.sign(out[over]) * (0.7 + 0.28 * np.tanh((np.abs(out[over]) - 0.7) / 0.28))
    return np.asarray(out, np.float32)
