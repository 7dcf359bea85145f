"""First sound: names, lists with pictures, what is analysed by itself; and what About says."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import threading
from pathlib import Path

import gradio as gr
import numpy as np
import pytest

from editor.page.about import NOT_MEASURED, at_work, speed_words
from editor.page.panel import CHOICES, PLAIN, TIPS, build_advanced
from editor.project import commands, drawing
from editor.project.disk import examples, files, imports, library, pictures, storage
from editor.project.document import UNNAMED, LaneNote, Lanes, Project
from editor.project.knobs import PANEL
from editor.project.spans import add_span
from editor.runs import hearing
from editor.runs.device import Device
from editor.runs.pace import Pace
from editor.runs.runner import Runner
from editor.session import Session
from editor.sessions import Sessions
from engines.audio.recording import Recording, write_recording
from engines.requests import ARSettings, FMSettings, Support
from tests.test_editor_analysis import heard
from tests.test_session import fake_run, run


@pytest.fixture
def song_file(song: Recording, tmp_path: Path) -> Path:
    path = tmp_path / "upload.wav"
    write_recording(path, song)
    return path


# ---- names


def test_a_file_names_its_project_until_somebody_does(tmp_path: Path, song_file: Path) -> None:
    session = Session(tmp_path / "home")
    session.upload(song_file, "C:\\music\\my song.v2.wav")
    assert session.project.name == "my song.v2" and session.history.undo_label == "open my song.v2.wav"
    session.undo()
    assert session.project.name == UNNAMED  # one step took both
    session.apply("set_name", {"name": "Mine"})
    session.upload(song_file, "other.wav")
    assert session.project.name == "Mine"
    session.close()


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("warm electric piano, brushed drums, upright bass", "Warm electric piano, brushed drums"),
        ("lo-fi", "Lo-fi"),
        ("An ambient soundscape piece featuring fretless bass", "An ambient soundscape piece featuring"),
        ("x" * 60, "X" + "x" * 39),
        (" \n ", UNNAMED),
    ],
)
def test_words_make_a_name(words: str, name: str) -> None:
    assert commands.name_after_words(Project(), words).name == name
    assert commands.name_after_words(Project(name="Mine"), words).name == "Mine"


def test_the_first_prompt_names_what_was_generated_from_it(tmp_path: Path, song: Recording) -> None:
    session = Session(tmp_path)
    session.apply("set_prompt", {"prompt": "lo-fi, late night"})
    runner = Runner(lambda: song, fake_run, lambda request, models: Support())
    run(session, runner, *session.order("generate", ARSettings(), FMSettings()))
    assert session.project.name == "Lo-fi, late night"
    session.undo()
    assert session.project.name == UNNAMED and session.project.clip is None
    session.close()


# ---- heard by itself


@pytest.mark.parametrize("listens", [True, False])
def test_a_generated_clip_is_analysed_once_its_run_is_over(
    tmp_path: Path, song: Recording, monkeypatch: pytest.MonkeyPatch, listens: bool
) -> None:
    sessions = Sessions(tmp_path)
    sessions.listens = listens
    session, told = sessions.of("tab"), threading.Event()

    def analyze(*_: object) -> object:
        assert not session.run.running  # nothing competes with a run
        told.set()
        return heard()

    monkeypatch.setattr("engines.analysis.analyze.analyze", analyze)
    runner = Runner(lambda: song, fake_run, lambda request, models: Support())
    run(session, runner, *session.order("generate", ARSettings(), FMSettings()))
    job = session.analysis.job
    assert (job is not None) == listens
    if job is not None:
        assert job.wait(20) and told.is_set()
        assert session.project.key == "Eb major" and session.project.lanes.chords
        session.undo()
        assert session.history.undo_label == "keep the first clip"  # each is a step of its own
        run(session, runner, *session.order("generate", ARSettings(), FMSettings()))
        assert session.analysis.job is job  # further takes are no new clip
    session.close()


def test_a_key_that_is_not_clear_is_the_one_that_most_notes_fit() -> None:
    pitches = (67, 69, 71, 66, 67, 66, 66, 62)
    notes = tuple(LaneNote(f"n{i}", i, i + 1, pitch) for i, pitch in enumerate(pitches))
    drawn = drawing.set_lanes(Project(), Lanes(melody=notes), ["melody"])
    assert commands.set_fitting_key(drawn).key == "G major"
    assert commands.set_fitting_key(commands.set_key(drawn, "G major")).key == "G major"
    melody = hearing.lanes_of(heard(), Project().grid).melody
    few = drawing.set_lanes(Project(), Lanes(melody=melody), ["melody"])
    assert commands.set_fitting_key(few).key == "C major"


# ---- the list of projects


def test_the_list_can_be_searched_and_reads_only_what_has_changed(
    tmp_path: Path, song_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session(tmp_path)
    session.upload(song_file, "rooftop.wav")
    session.apply("set_prompt", {"prompt": "nylon guitar"})
    session.apply("set_key", {"key": "A minor"})
    session.apply("set_grid", {"bpm": 96})
    session.close()
    (entry,) = library.recent(tmp_path)
    assert (entry.name, entry.words, entry.key, entry.bpm) == ("rooftop", "nylon guitar", "A minor", 96)
    monkeypatch.setattr(storage, "open_project", lambda folder: pytest.fail("read again"))
    assert library.recent(tmp_path) == (entry,)
    monkeypatch.undo()
    storage.save_project(tmp_path / entry.folder, Project(name="Another"))
    os.utime(tmp_path / entry.folder / files.DOCUMENT, (2e9, 2e9))
    assert library.recent(tmp_path)[0].name == "Another"


def test_a_picture_has_the_shape_of_the_clip_and_its_span(tmp_path: Path) -> None:
    samples = np.zeros((128_000, 2), np.float32)
    samples[64_000:] = 0.5  # silent, then loud
    project = imports.put_recording(Project(), tmp_path, Recording(samples, 32_000, "WAV", "FLOAT"), "a.wav")
    assert pictures.picture(tmp_path, project).span is None
    seen = pictures.picture(tmp_path, add_span(project, 1.0, 3.0, "s1"))
    assert seen.peaks == (0,) * 64 + (100,) * 64 and seen.span == (0.25, 0.75)
    assert pictures.picture(tmp_path, Project()) == pictures.Picture((), None)


def test_all_examples_are_there_to_be_heard() -> None:
    told = json.loads((examples.FOLDER / "examples.json").read_text("utf-8"))["examples"]
    assert len(told) == 12 and all((examples.FOLDER / one["file"]).is_file() for one in told)


# ---- what works now


def test_speeds_are_measured_ones_or_none(tiny_bundle: Path) -> None:
    device = Device(str(tiny_bundle), "cpu", Pace())
    told = at_work(device)
    assert {one["speed"] for one in told["engines"]} == {NOT_MEASURED}
    assert [one["tag"] for one in told["engines"]] == ["AR", "FM", "ZS"]
    assert "CPU" in told["device"] and all(licence for _, licence, _ in told["parts"])
    device.pace.learn("fm", "inpaint", 3.5, 1.8)
    device.pace.learn("fm", "generate", 10.0, 14.2)
    assert [one["speed"] for one in at_work(device)["engines"]][1] == "10 s of music in 14 s"
    device.pace.learn("fm", "inpaint", 2.0, 1.25)
    assert [one["speed"] for one in at_work(device)["engines"]][1] == speed_words((2.0, 1.25))


def test_a_report_of_a_fault_holds_what_was_logged(tiny_bundle: Path) -> None:
    logging.getLogger("inlay").warning("the disk said no")
    report = at_work(Device(str(tiny_bundle), "cpu"))["report"]
    assert "the disk said no" in report and report.startswith("Inlay ")


def test_advanced_is_in_plain_words_with_the_experts_behind_them() -> None:
    async def build() -> dict[str, gr.Component]:
        with gr.Blocks():
            return build_advanced()

    controls = asyncio.run(build())  # outside a running loop, Gradio makes loops that it never closes
    for one in PANEL:
        if one.group:
            label, tip = str(controls[one.name].label), TIPS[one.id]
            assert one.name in PLAIN and tip.endswith(f"Experts call it: {one.knob.label}")
            for jargon in ("solver", "schedule", "temperature", "top-k", "candidates", "guidance"):
                assert jargon not in label
        for choice in one.knob.choices:
            assert choice in CHOICES
    shown = [name for knob in controls.values() for name, _ in getattr(knob, "choices", [])]
    assert "Few steps, quick (ab2)" in shown and "Even (uniform)" in shown
    assert not any("bundle" in name for name in shown)
