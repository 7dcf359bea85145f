"""What is heard again in a take: its span only, and nothing in silence."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from editor.project.disk import sounds, storage
from editor.project.document import Region, Take
from editor.runs.ghost import ghost
from engines.audio.recording import from_float

RATE = 22_050


def chord(frequencies: tuple[float, ...], seconds: float) -> np.ndarray:
    """Struck tones with six harmonics each, twice a second: float32 [n]."""
    t = np.arange(round(seconds * RATE)) / RATE
    decay = np.exp(-4 * (t % 0.5))
    tones = [sum(np.sin(2 * np.pi * f * k * t) / k**1.5 for k in range(1, 7)) for f in frequencies]
    return (0.08 * decay * np.sum(tones, axis=0)).astype(np.float32)


def take_of(folder: Path, audio: np.ndarray, region: Region | None) -> Take:
    file = sounds.add_audio(folder, from_float(audio[:, None], RATE))
    return Take("t1", "inpaint", "fm", 0, "", file, len(audio) / RATE, region, None)


def test_chords_of_the_span_and_no_others(tmp_path: Path) -> None:
    folder = storage.new_project(tmp_path).folder
    c_major, a_minor = (130.8, 261.6, 329.6, 392.0), (110.0, 220.0, 261.6, 329.6)
    audio = np.concatenate([chord(c_major, 4), chord(a_minor, 4), chord(c_major, 4)])
    heard = ghost(folder, take_of(folder, audio, Region(4.5, 7.5)))
    assert heard.chords
    assert all(4.5 <= item.start < item.end <= 7.5 for item in (*heard.chords, *heard.melody))
    minor = sum(c.end - c.start for c in heard.chords if c.symbol.startswith("Am"))
    assert minor > 2  # of three seconds
    whole = ghost(folder, take_of(folder, audio, None))
    assert min(c.start for c in whole.chords) < 1 and max(c.end for c in whole.chords) > 11


def test_silence_has_no_ghost(tmp_path: Path) -> None:
    folder = storage.new_project(tmp_path).folder
    heard = ghost(folder, take_of(folder, np.zeros(4 * RATE, np.float32), Region(1, 3)))
    assert (heard.chords, heard.melody) == ((), ())
