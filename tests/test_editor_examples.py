"""Examples that ship: their words and lanes come onto the page as they were given to the model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from editor.project.disk import examples
from editor.project.document import Project
from editor.session import Session
from engines.audio.recording import read_recording
from engines.errors import InputError

SHIPPED = json.loads((examples.FOLDER / "examples.json").read_text("utf-8"))["examples"]


@pytest.mark.parametrize("told", SHIPPED, ids=[one["file"] for one in SHIPPED])
def test_lanes_lie_where_the_model_was_told(told: dict[str, object]) -> None:
    example = examples.find(str(told["file"]))
    project, asked = examples.put(Project(), example), example.controls
    grid = project.grid
    assert project.prompt == told["prompt"] and example.path.is_file()
    chords = [
        (c.symbol, grid.beats_to_seconds(c.start), grid.beats_to_seconds(c.end)) for c in project.lanes.chords
    ]
    for (symbol, start, end), chord in zip(chords, asked.chords or (), strict=True):
        assert symbol == chord.symbol and (start, end) == pytest.approx((chord.start, chord.end), abs=1e-6)
    notes = [(n.pitch, grid.beats_to_seconds(n.start)) for n in project.lanes.melody]
    assert notes == [(n.pitch, pytest.approx(n.start, abs=1e-6)) for n in asked.melody or ()]
    hits = sorted((h.drum, round(grid.beats_to_seconds(h.time), 5)) for h in project.lanes.drums)
    assert hits == sorted((h.drum, round(h.time, 5)) for h in asked.drums or ())
    given = [name for name in ("chords", "melody", "drums") if getattr(asked, name)]
    assert bool(given) == (example.grid is not None) and example.complete == (len(given) == 3)
    if given:
        assert list(project.follow) == given
        # Bars begin with chords: the tempo and the first downbeat are the music's own.
        beats = [grid.seconds_to_beats(chord.start) for chord in (asked.chords or ())[1:]]
        assert beats == pytest.approx([round(beat) for beat in beats], abs=0.01)


def test_opening_one_is_one_step_and_leaves_nothing_to_hear(tmp_path: Path) -> None:
    session = Session(tmp_path)
    assert session.open_example("11.flac") and not session.open_example("01.flac")
    assert session.project.clip is not None and session.project.clip.label == "jazz waltz.flac"
    session.undo()
    project = session.project
    assert project.clip is not None and project.clip.label == "ballad.flac" and session.folder is not None
    kept = read_recording(session.folder / project.clip.file)
    assert np.array_equal(kept.samples, read_recording(examples.FOLDER / "11.flac").samples)
    assert project.grid.bpm == 70 and len(project.lanes.drums) == 18
    session.undo()
    assert replace(session.project, versions=()) == Project()
    session.close()


@pytest.mark.parametrize("file", ["13.flac", "../bundle/model.safetensors", ""])
def test_what_is_not_among_them_is_refused(file: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="not installed"):
        examples.find(file)
    with pytest.raises(InputError, match="not installed"):
        examples.find("01.flac", tmp_path)
