"""What is in a piece of audio: chords, melody, beats, key, drums, players, loudness and brightness.

Conventions: audio is mono float32 [n] at `rate` Hz; times are seconds on its clock; every part has a
confidence 0..1. Long audio is read in windows, with progress and cancel. What cannot be heard is left
empty, never made up. Each part has a module of its own (`analysis_*`). Loads no torch; does not know
lanes, projects or files.
"""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from engines.analysis import instruments as analysis_instruments
from engines.analysis import key as analysis_key
from engines.analysis import melody as analysis_melody
from engines.analysis import rhythm as analysis_rhythm
from engines.analysis.chords import ChordLine, chords, from_notes
from engines.analysis.features import FRAME_SECONDS, Features, listen, mel_centres
from engines.analysis.instruments import Instruments
from engines.analysis.key import Key
from engines.analysis.melody import MelodyLine
from engines.analysis.rhythm import DrumLine, Rhythm
from engines.errors import InputError
from engines.progress import ProgressHook, Stopwatch
from engines.requests import Chord, Hit, Note, Part

Audio = NDArray[np.float32]
CURVE_SECONDS = 0.1  # between points of the loudness and brightness curves
MAX_SECONDS = 40 * 60.0


@dataclass(frozen=True)
class Curve:
    """A measure over time; point i is the mean over [i, i + 1) * CURVE_SECONDS."""

    values: tuple[float, ...]
    unit: str

    @property
    def times(self) -> tuple[float, ...]:
        """Where the points begin, in seconds."""
        return tuple(i * CURVE_SECONDS for i in range(len(self.values)))


@dataclass(frozen=True)
class Analysis:
    """All that is heard in one piece of audio."""

    seconds: float
    chords: ChordLine
    melody: MelodyLine
    rhythm: Rhythm
    key: Key
    drums: DrumLine
    loudness: float  # LUFS of the whole (ITU-R BS.1770); -70 is silence
    level: Curve  # RMS, dB of full scale
    brightness: Curve  # spectral centroid, Hz; 0 where it is silent
    instruments: Instruments = field(default_factory=Instruments)  # who plays when, bar by bar

    def shifted(self, start: float) -> Analysis:
        """The same on a clock on which this audio begins at `start` seconds."""
        chords = tuple(Chord(c.start + start, c.end + start, c.symbol) for c in self.chords.chords)
        notes = tuple(Note(n.start + start, n.end + start, n.pitch) for n in self.melody.notes)
        hits = tuple(Hit(h.time + start, h.drum) for h in self.drums.hits)
        parts = tuple(
            Part(p.start + start, p.end + start, p.instrument, p.plays) for p in self.instruments.parts
        )
        beats, downbeats = (
            tuple(t + start for t in times) for times in (self.rhythm.beats, self.rhythm.downbeats)
        )
        return replace(
            self,
            chords=replace(self.chords, chords=chords),
            melody=replace(self.melody, notes=notes),
            rhythm=replace(self.rhythm, beats=beats, downbeats=downbeats),
            drums=replace(self.drums, hits=hits),
            instruments=replace(self.instruments, parts=parts),
        )


def analyze(
    audio: Audio,
    rate: int,
    progress: ProgressHook | None = None,
    chords_by: Literal["notes", "chordino"] = "notes",
) -> Analysis:
    """Everything in mono audio [n] at `rate` Hz.

    Chords are read from the notes, which measured better, or by Chordino, the paper's extractor. Reports the
    stages "listen" (and "chords") window by window; lets Cancelled through. Raises InputError for samples
    that are no numbers, for audio above MAX_SECONDS, and where Chordino is asked for and missing.
    """
    seconds = len(audio) / rate
    if seconds > MAX_SECONDS:
        raise InputError(f"audio of {seconds / 60:.0f} min: at most {MAX_SECONDS / 60:.0f}; cut out a part")
    if not np.isfinite(audio).all():
        raise InputError("audio: samples that are NaN or infinite; export the recording again")
    features = listen(audio, rate, Stopwatch(progress))
    heard, struck = analysis_rhythm.activations(features)
    rhythm = analysis_rhythm.rhythm(heard)
    melody = analysis_melody.melody(features)
    harmony = from_notes(features, rhythm.beats) if chords_by == "notes" else chords(audio, rate, progress)
    return Analysis(
        seconds,
        harmony,
        melody,
        rhythm,
        analysis_key.key(harmony.chords, melody.notes),
        analysis_rhythm.drums(features, struck),
        loudness(audio, rate),
        Curve(_mean_by_step(features.level), "dB"),
        Curve(_mean_by_step(_centroid(features)), "Hz"),
        analysis_instruments.instruments(audio, rate, rhythm.downbeats),
    )


def loudness(audio: Audio, rate: int) -> float:
    """Integrated loudness of mono audio [n] in LUFS (ITU-R BS.1770-4, pyloudnorm), at least -70."""
    import pyloudnorm

    block = 0.4  # seconds; the standard's
    if len(audio) / rate <= block:
        audio = np.tile(audio, int(np.ceil((block + 0.1) * rate / len(audio)))) if len(audio) else audio
    if not len(audio) or not np.abs(audio).max() > 0:
        return -70.0
    with warnings.catch_warnings():  # silence has minus infinite loudness, which it warns of
        warnings.simplefilter("ignore")
        measured = float(
            pyloudnorm.Meter(rate, block_size=block).integrated_loudness(audio.astype(np.float64))
        )
    return max(measured, -70.0) if np.isfinite(measured) else -70.0


def _centroid(features: Features) -> NDArray[np.float32]:
    """Spectral centroid of the mel magnitudes in Hz, 0 in silence: [F, 40] -> [F]."""
    magnitudes = np.expm1(features.mel) * features.sounding[:, None]
    total = magnitudes.sum(axis=1)
    return np.asarray(
        np.where(total > 1e-6, magnitudes @ mel_centres() / np.maximum(total, 1e-6), 0.0), np.float32
    )


def _mean_by_step(values: NDArray[np.float32]) -> tuple[float, ...]:
    """Means over CURVE_SECONDS: [F] -> [steps]."""
    if not len(values):
        return ()
    steps = (np.arange(len(values)) * FRAME_SECONDS / CURVE_SECONDS).astype(int)
    sums, counts = np.bincount(steps, values), np.bincount(steps)
    return tuple(round(float(v), 2) for v in sums / np.maximum(counts, 1))


__all__ = [
    "Analysis",
    "ChordLine",
    "Curve",
    "DrumLine",
    "Instruments",
    "Key",
    "MelodyLine",
    "Rhythm",
    "analyze",
    "chords",
    "loudness",
]
