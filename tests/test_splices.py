"""Samples in another order, or with a recording laid over them: all else stays bit for bit."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from editor.project.disk import splices
from editor.session import Session
from engines.audio.chunks import Chunk
from engines.audio.recording import MAX_SECONDS, Recording, from_float, write_recording
from engines.errors import InputError


def tone(seconds: float, rate: int, channels: int = 1, subtype: str = "FLOAT") -> Recording:
    time = np.arange(round(seconds * rate)) / rate
    wave = 0.5 * np.sin(2 * np.pi * 440 * time, dtype=np.float64).astype(np.float32)
    return from_float(np.stack([wave] * channels, 1), rate, subtype)


def test_outside_what_is_laid_over_every_sample_stays(song: Recording) -> None:
    part = tone(1.0, 48_000)
    whole = splices.laid_over(song, part, 1.5)
    first, last = round(1.5 * song.rate), round(2.5 * song.rate)
    assert (whole.rate, whole.channels, whole.subtype, whole.length) == (
        song.rate, song.channels, song.subtype, song.length,
    )  # fmt: skip
    assert np.array_equal(whole.samples[:first], song.samples[:first])
    assert np.array_equal(whole.samples[last:], song.samples[last:])
    inside = whole.as_float(first, last)
    expected = tone(1.0, song.rate).as_float()
    assert (
        np.abs(inside - expected)[200:-200].max() < 2e-3
    )  # the same tone at the clip's rate, on both channels


def test_a_part_that_ends_after_the_clip_makes_it_longer_and_a_late_one_follows_silence(
    song: Recording,
) -> None:
    placed = Chunk(b"smpl", b"x" * 8, True)
    named = Chunk(b"LIST", b"INFOx", True)
    clip = replace(song, chunks=(placed, named))
    whole = splices.laid_over(clip, clip, song.seconds + 0.5)
    gap = whole.samples[song.length : -song.length]
    assert len(gap) == song.rate // 2 and not gap.any()
    assert np.array_equal(whole.samples[-song.length :], song.samples)  # same form: not converted at all
    assert whole.chunks == (named,)
    assert splices.laid_over(clip, clip, 0).chunks == (placed, named)


def test_without_a_clip_the_part_stays_as_it_is() -> None:
    part = tone(0.5, 16_000)
    assert np.array_equal(splices.laid_over(None, part, 0).samples, part.samples)
    later = splices.laid_over(None, part, 0.25)
    assert not later.samples[:4000].any() and np.array_equal(later.samples[4000:], part.samples)


def test_what_would_be_too_long_is_refused() -> None:
    with pytest.raises(InputError, match="at most 40 min"):
        splices.laid_over(None, tone(0.1, 4000), MAX_SECONDS)


def test_pieces_stand_one_after_the_other(song: Recording) -> None:
    turned = splices.in_order(song, [(100, 300), (0, 100), (100, 300), (300, song.length)])
    s = song.samples
    assert np.array_equal(turned.samples, np.concatenate([s[100:300], s[:100], s[100:]]))


def test_a_recording_is_one_step_and_keeps_name_spans_and_the_rest(tmp_path: Path, song: Recording) -> None:
    session = Session(tmp_path / "home")
    file = tmp_path / "song.wav"
    write_recording(file, song)
    session.upload(file, "song.wav")
    session.apply("add_span", {"start": 0.5, "end": 1.0, "id": "s1"})
    before = session.project
    taken = tmp_path / "taken.wav"
    write_recording(taken, tone(1.0, 48_000))
    session.lay_over(taken, "Microphone.wav", 2.0)
    clip = session.project.clip
    assert clip and before.clip and (clip.label, clip.seconds) == ("song.wav", before.clip.seconds)
    assert session.project.spans == before.spans and session.history.undo_label == "record"
    session.undo()
    assert session.project.clip == before.clip
    session.close()
