"""Kill -9 in the middle of an edit and of a job: what was done is there again, and whole."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np
import pytest

from editor.page.takes.groups import takes_state
from editor.project import versions
from editor.project.disk import sounds, storage
from editor.sessions import Sessions
from engines.audio.recording import Recording, read_recording, write_recording
from tests.children import Child

START = """
import sys, threading
from dataclasses import replace
from pathlib import Path
from editor.runs.runner import Runner
from editor.runs.pace import Pace
from editor.session import Session
from engines.progress import Progress
from engines.requests import ARSettings, FMSettings, Result, Support
session = Session(Path(sys.argv[1]))
def tell(*words):
    print(*words, flush=True)
"""
EDITS = (
    START
    + """
for seed in range(1_000_000):
    session.apply("set_seed", {"seed": seed})
    beat = seed % 400 * 4
    session.apply("draw_chords", {"chords": [{"start": beat, "end": beat + 4, "symbol": "Am"}]})
    tell(session.folder.name, seed)
"""
)
JOB = (
    START
    + """
def run(request, models, progress):
    progress(Progress("sample", 1, 2, 0.1, 0.1))
    if request.engine == "fm-zero-shot":
        tell(session.folder.name, "third run works")
        threading.Event().wait()
    first = round(request.start * request.source.rate)
    last = round(request.end * request.source.rate)
    samples = request.source.samples[first:last] // (2 if request.engine == "ar" else 3)
    made = request.source.with_span(first, samples)
    return Result(request, made, {"sample": 0.1})
session.upload(Path(sys.argv[2]), "song.wav")
session.apply("add_span", {"start": 1, "end": 2})
session.start(Runner(lambda: None, run, lambda request, models: Support()),
              *session.order("inpaint", ARSettings(), FMSettings()), Pace())
threading.Event().wait()
"""
)  # fmt: skip


@contextmanager
def killed(script: str, *arguments: str | Path) -> Iterator[Iterator[list[str]]]:
    """The lines of a process of its own, which is killed at the end without a word."""
    child = Child(script, *arguments)
    try:
        yield (line.split(" ", 1) for line in child.stdout)
    finally:
        child.kill()


@pytest.mark.parametrize("edits", [3, 40])
def test_killed_while_editing(tmp_path: Path, edits: int) -> None:
    with killed(EDITS, tmp_path) as lines:
        folder, told = next(line for line in lines if int(line[1]) >= edits)
    seed = int(told)
    opened = storage.open_project(tmp_path / folder)
    assert opened.notice == ""
    assert opened.project.seed >= seed  # what was told as done is there; perhaps an edit more
    drawn = [cell.start for cell in opened.project.lanes.chords]
    assert drawn == [4.0 * bar for bar in range(len(drawn))] and len(drawn) >= seed + 1
    session = Sessions(tmp_path).resume("after", folder)
    session.apply("set_prompt", {"prompt": "on we go"})  # nothing in the folder is in the way
    assert storage.open_project(tmp_path / folder).project == session.project


def test_killed_while_a_job_runs_keeps_its_finished_takes(tmp_path: Path, song: Recording) -> None:
    file = tmp_path / "in.wav"
    write_recording(file, song)
    with killed(JOB, tmp_path / "home", file) as lines:
        folder, told = next(lines)
        assert told.strip() == "third run works"
    session = Sessions(tmp_path / "home").resume("after", folder)
    project = session.project
    assert [take.engine for take in project.takes] == ["fm", "ar"] and session.folder
    assert project.clip and project.clip.label == "song.wav" and project.region
    for take, share in zip(project.takes, (3, 2), strict=True):
        samples = sounds.read_sound(session.folder, take.sound).samples
        second = song.samples[song.rate : 2 * song.rate]
        assert np.array_equal(samples[song.rate : 2 * song.rate], second // share)
        assert np.array_equal(samples[: song.rate], song.samples[: song.rate])
    shown = [track.state for track in takes_state(session).groups[0].tracks]
    assert shown == ["ready", "ready", "ready", "interrupted"]  # the page shows them, and what was cut off
    session.apply("keep", {"id": project.takes[0].id})


def test_a_take_outlives_a_kill_before_the_document_names_it(tmp_path: Path, song: Recording) -> None:
    """The moment between a take's audio and the document: only the take's own record is there."""
    file = tmp_path / "in.wav"
    write_recording(file, song)
    blocked = (
        "from editor.project.disk import storage\n"
        "def stop(*_):\n"
        "    tell(session.folder.name, 'the document waits')\n"
        "    threading.Event().wait()\n"
        "storage.save_project = stop\n"
    )
    script = JOB.replace("session.start(", f"{blocked}session.start(", 1)
    with killed(script, tmp_path / "home", file) as lines:
        folder, told = next(lines)
        assert told.strip() == "the document waits"
    opened = storage.open_project(tmp_path / "home" / folder)
    assert [take.engine for take in opened.project.takes] == ["fm"]
    kept = versions.keep(opened.project, opened.project.takes[0].id)
    assert kept.clip
    assert read_recording(sounds.sound_path(opened.folder, kept.clip.sound)).length == song.length
