"""Changed requests: lanes spliced at the span, differences that can be heard, what recordings are asked."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from engines.requests import Chord, Controls, Hit, Note
from study.measure.asks import (
    Ask,
    asks,
    differs,
    heard_lanes,
    of_recording,
    only,
    recorded,
    spliced_lanes,
)
from study.measure.spans import RATE, Piece

WAS = Controls(
    (Chord(0, 10, "C"),),
    tuple(Note(k, k + 1, 60) for k in range(10)),
    tuple(Hit(k / 2, "kick") for k in range(20)),
)
THEN = Controls(
    (Chord(0, 10, "F#m7"),), tuple(Note(k, k + 1, 66) for k in range(10)),
    tuple(Hit(0.25 + k / 2, "snare") for k in range(20)),
)  # fmt: skip


def piece() -> Piece:
    """Ten seconds of noise with a span from 3.5 to 6 s."""
    audio = np.random.default_rng(0).normal(scale=0.1, size=10 * RATE).astype(np.float32)
    return Piece(audio, 3.5, 6.0, "words", True)


def test_lanes_are_what_is_asked_inside_the_span_and_what_was_there_outside() -> None:
    lanes = spliced_lanes(WAS, THEN, 3.5, 6.0)
    assert [(c.start, c.end, c.symbol) for c in lanes.chords or ()] == [
        (0, 3.5, "C"),
        (3.5, 6, "F#m7"),
        (6, 10, "C"),
    ]
    notes = lanes.melody or ()
    assert {n.pitch for n in notes if 3.5 <= n.start < 6} == {66} and {
        n.pitch for n in notes if n.end <= 3.5
    } == {60}
    assert sum(n.end - n.start for n in notes) == pytest.approx(10.0)
    hits = lanes.drums or ()
    assert all((hit.drum == "snare") == (3.5 <= hit.time < 6.0) for hit in hits)
    assert list(hits) == sorted(hits, key=lambda hit: hit.time)
    assert spliced_lanes(Controls(), Controls(), 1, 2) == Controls()
    alone = only("melody", lanes)
    assert alone.melody == lanes.melody and alone.chords is None and alone.drums is None


@pytest.mark.parametrize("kind", ["chords", "melody", "drums"])
def test_what_is_asked_must_differ_from_what_was_there(kind: str) -> None:
    assert differs(kind, WAS, THEN, 3.5, 6.0)  # type: ignore[arg-type]
    assert not differs(kind, WAS, WAS, 3.5, 6.0)  # type: ignore[arg-type]
    assert not differs(kind, WAS, Controls((), (), ()), 3.5, 6.0)  # type: ignore[arg-type]


def test_a_recording_is_asked_for_what_is_heard_in_it_moved() -> None:
    found = {
        kind: of_recording(kind, piece(), WAS, THEN, "flute")
        for kind in ("words", "chords", "melody", "drums")
    }  # type: ignore[arg-type]
    assert found["words"] is not None and "flute" in found["words"].prompt
    chords = found["chords"]
    assert chords is not None and [c.symbol for c in chords.controls.chords or ()] == ["C", "F#", "C"]
    melody = found["melody"]
    assert melody is not None and {n.pitch for n in melody.controls.melody or ()} == {60, 65}
    drums = found["drums"]
    assert drums is not None and {h.drum for h in drums.controls.drums or ()} == {"kick", "snare"}
    assert of_recording("drums", piece(), WAS, WAS, "") is None
    assert of_recording("melody", piece(), Controls(), WAS, "") is None
    with pytest.raises(ValueError, match="no twin"):
        _ = chords.ideal


def test_a_filling_stands_in_the_span_and_nowhere_else() -> None:
    ask = Ask("words", piece(), "flute", Controls(), "flute", "", None)
    a, b = ask.piece.samples
    made = ask.spliced(np.zeros(b - a, np.float32))
    assert not made[a:b].any() and np.array_equal(made[:a], ask.piece.audio[:a])
    with pytest.raises(ValueError, match="expected one of words"):
        asks("colours", 1)  # type: ignore[arg-type]


@pytest.mark.slow
def test_recordings_are_asked_for_what_is_heard_in_them_moved(tmp_path: Path) -> None:
    t = np.arange(12 * RATE) / RATE
    notes = [60, 64, 67, 72, 71, 67, 65, 62] * 3
    tune = sum(
        np.sin(2 * np.pi * 440 * 2 ** ((p - 69) / 12) * k * (t % 0.5)) * np.exp(-3 * (t % 0.5)) / k
        * ((t >= i / 2) & (t < (i + 1) / 2))
        for i, p in enumerate(notes) for k in (1, 2, 3)
    )  # fmt: skip
    whole = (np.float64(8000) * tune).astype(np.int16)
    np.save(tmp_path / "tune.npy", whole)
    renders = tmp_path / "renders"
    renders.mkdir()
    np.save(renders / "audio_0.npy", whole[None])
    (renders / "labels_0.json").write_text('[{"captions": ["a tune"]}]')
    found = recorded("melody", 2, 0, renders, tmp_path)
    assert found and all(ask.twin is None and ask.piece.recorded for ask in found)
    for ask in found:
        was = {note.start: note.pitch for note in heard_lanes(ask.piece.audio).melody or ()}
        new = [n for n in ask.controls.melody or () if n.start in was and n.start > ask.piece.start]
        within = [n.pitch - was[n.start] in (5, -7) for n in new if n.end <= ask.piece.end]
        assert len(within) >= 2 and all(within)
    assert [ask.lead for ask in recorded("words", 2, 0, renders, tmp_path)] == ["flute", "violin"]
