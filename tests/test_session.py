"""One tab's work: edits, uploads, runs with a tiny fake engine, reloads and closed tabs."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from editor import storage
from editor.jobs import Runner
from editor.session import Pace, Session, Sessions
from engines.recording import Recording, write_recording
from engines.requests import (
    ARSettings,
    FMSettings,
    GenerateRequest,
    InpaintRequest,
    InputError,
    Progress,
    ProgressHook,
    Request,
    Result,
    Support,
)


def fake_run(request: Request, models: Any, progress: ProgressHook) -> Result:
    """Turns the span's phase around; a generated clip is the song of the fixture."""
    for step in range(3):
        progress(Progress("sample", step, 3, 0.1, 0.2))
    if request.engine == "ar" and request.prompt == "break":
        raise RuntimeError("kaput")
    if isinstance(request, GenerateRequest):
        return Result(request, models, {"sample": 0.3})
    samples = request.source.samples.copy()
    rate = request.source.rate
    samples[round(request.start * rate) : round(request.end * rate)] *= -1
    return Result(request, replace(request.source, samples=samples), {"sample": 0.3})


@pytest.fixture
def runner(song: Recording) -> Runner:
    return Runner(lambda: song, fake_run, lambda request: Support())


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(tmp_path / "home")


@pytest.fixture
def song_file(song: Recording, tmp_path: Path) -> Path:
    path = tmp_path / "tmp0x1.wav"
    write_recording(path, song)
    return path


def inpaint(session: Session, runner: Runner, pace: Pace | None = None) -> list[str]:
    """Runs Inpaint to its end; what the page would have seen."""
    requests, _ = session.requests("inpaint", ARSettings(), FMSettings())
    assert session.project.clip
    return [
        ",".join(f"{run.engine}:{run.state}" for run in session.runs)
        for _ in session.run(runner, requests, pace or Pace(), session.project.clip.file)
    ]


def ready(session: Session, song_file: Path) -> Session:
    session.upload(song_file, "C:\\music\\my song.wav")
    session.apply("set_region", {"start": 1, "end": 2})
    return session


def test_looking_at_the_page_leaves_nothing_behind(session: Session) -> None:
    session.document(10, 25)
    session.takes()
    assert not session.root.exists()


def test_the_first_edit_makes_and_saves_a_project(session: Session) -> None:
    session.apply("set_prompt", {"prompt": "piano"})
    assert session.folder and (session.folder / "project.json").is_file()
    assert session.saved.startswith("Saved ")


def test_an_edit_that_cannot_be_leaves_everything(session: Session) -> None:
    before = session.history
    with pytest.raises(InputError):
        session.apply("set_region", {"start": 3, "end": 1})
    assert session.history is before


def test_an_upload_is_named_as_the_user_named_it(session: Session, song_file: Path, tmp_path: Path) -> None:
    ready(session, song_file)
    clip = session.document(10, 25).clip
    assert clip and clip.label == "my song.wav" and clip.export_name == "my song.wav" and clip.seconds == 4
    bad = tmp_path / "tmp9.wav"
    bad.write_bytes(b"no audio at all")
    with pytest.raises(InputError, match=r"^notes\.wav"):
        session.upload(bad, "/somewhere/notes.wav")
    assert session.project.clip and session.project.clip.label == "my song.wav"


def test_a_run_becomes_takes_and_keep_undo_redo_lose_none(
    session: Session, song_file: Path, runner: Runner
) -> None:
    ready(session, song_file)
    pace = Pace()
    seen = inpaint(session, runner, pace)
    assert seen[0] == "ar:waiting,fm:waiting,fm-zero-shot:waiting"
    assert any("ar:running" in line for line in seen)
    assert (session.runs, session.running) == ((), False)
    takes = session.project.takes
    assert [take.engine for take in takes] == ["ar", "fm", "fm-zero-shot"]
    assert pace.guess("ar", "inpaint", 2.0) == pytest.approx(0.6)  # twice the span, twice the time
    assert pace.guess("fm", "inpaint", 2.0) == pytest.approx(0.3)
    session.apply("keep", {"id": takes[1].id})
    session.undo()
    assert session.project.kept is None and session.project.takes == takes
    session.redo()
    assert session.project.kept == takes[1].id


def test_one_broken_engine_leaves_its_reason_and_the_others(
    session: Session, song_file: Path, runner: Runner
) -> None:
    ready(session, song_file)
    session.apply("set_prompt", {"prompt": "break"})
    inpaint(session, runner)
    assert [(run.engine, run.state) for run in session.runs] == [("ar", "failed")]
    assert "kaput" in session.runs[0].note
    assert len(session.project.takes) == 2


def test_cancel_stops_what_works_and_what_waits(session: Session, song_file: Path, song: Recording) -> None:
    begun = threading.Event()

    def endless(request: Request, models: Any, progress: ProgressHook) -> Result:
        step = 0
        while True:
            step += 1
            progress(Progress("sample", step % 100, 100, 0.1, 1.0))
            begun.set()
            threading.Event().wait(0.005)

    ready(session, song_file)
    runner = Runner(lambda: song, endless, lambda request: Support())
    requests, _ = session.requests("inpaint", ARSettings(), FMSettings())
    for _ in session.run(runner, requests, Pace(), "x.wav"):
        if begun.is_set():
            session.cancel.set()
    assert [run.state for run in session.runs] == ["cancelled"] * 3
    assert not session.running and session.project.takes == ()


def test_a_second_run_is_refused_while_one_goes_on(session: Session, song_file: Path, runner: Runner) -> None:
    ready(session, song_file)
    requests, _ = session.requests("inpaint", ARSettings(), FMSettings())
    first = session.run(runner, requests, Pace(), "x.wav")
    next(first)
    with pytest.raises(InputError, match="a run is going on"):
        next(session.run(runner, requests, Pace(), "x.wav"))
    first.close()
    assert not session.running


def test_edits_made_while_it_runs_are_kept(session: Session, song_file: Path, runner: Runner) -> None:
    ready(session, song_file)
    requests, _ = session.requests("inpaint", ARSettings(), FMSettings(), ["fm"])
    for number, _ in enumerate(session.run(runner, requests, Pace(), "x.wav")):
        if number == 0:
            session.apply("set_prompt", {"prompt": "meanwhile"})
    assert session.project.prompt == "meanwhile" and len(session.project.takes) == 1


def test_the_first_generated_clip_goes_onto_an_empty_timeline(session: Session, runner: Runner) -> None:
    requests, _ = session.requests("generate", ARSettings(), FMSettings())
    assert [request.engine for request in requests] == ["ar", "fm"]
    for _ in session.run(runner, requests, Pace(), None):
        pass
    assert session.project.kept == session.project.takes[0].id
    for _ in session.run(runner, requests, Pace(), None):
        pass
    assert session.project.kept == session.project.takes[0].id and len(session.project.takes) == 4


def test_another_seed_is_the_same_request_with_the_next_free_one(
    session: Session, song_file: Path, runner: Runner
) -> None:
    ready(session, song_file)
    inpaint(session, runner)
    first = session.project.takes[0]
    (request,), source = session.again(first.id)
    assert isinstance(request, InpaintRequest) and source == first.source
    assert (request.engine, request.seed, request.start, request.end) == ("ar", 1, 1, 2)
    for _ in session.run(runner, (request,), Pace(), source):
        pass
    assert session.again(first.id)[0][0].seed == 2
    assert np.array_equal(request.source.samples, session.again(first.id)[0][0].source.samples)  # type: ignore[union-attr]


def test_tabs_are_apart_and_a_reload_finds_its_own(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    one, two = sessions.of("one"), sessions.of("two")
    assert one is not two and sessions.of("one") is one
    one.apply("set_name", {"name": "First"})
    assert one.folder
    assert sessions.resume("three", one.folder.name) is one  # a reload
    again = Sessions(tmp_path).resume("four", one.folder.name)  # the server was started anew
    assert again.project.name == "First" and two.project.name == "Untitled"


@pytest.mark.parametrize("name", ["..", "../..", "/etc", "", "no-such-project", "a/b", "x" * 200])
def test_no_project_name_leads_out_of_the_home(tmp_path: Path, name: str) -> None:
    session = Sessions(tmp_path / "home").resume("tab", name)
    assert session.folder is None


def test_closing_a_tab_stops_only_its_own_run(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    session = sessions.of("one")
    session.runner_tab = "one"
    sessions.leave("two")
    assert not session.cancel.is_set()
    sessions.leave("one")
    assert session.cancel.is_set()


def float_wav(path: Path, samples: np.ndarray[Any, Any]) -> None:
    soundfile.write(path, samples, 44_100, subtype="FLOAT")


def test_files_that_hold_no_usable_audio_are_refused_in_one_line(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "bad.wav"
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (44_100, 2)).astype(np.float32)
    noise[100] = np.nan
    makers: list[Callable[[], object]] = [
        lambda: path.write_bytes(b""),
        lambda: path.write_bytes(b"RIFF\x00\x00"),
        lambda: path.write_bytes(bytes(range(256)) * 50),
        lambda: float_wav(path, noise),
        lambda: float_wav(path, np.zeros((0, 2), dtype=np.float32)),
    ]
    for make in makers:
        make()
        with pytest.raises(InputError) as error:
            session.upload(path, "bad.wav")
        assert "bad.wav" in str(error.value) and "\n" not in str(error.value)
        assert str(tmp_path) not in str(error.value)
    assert session.project.clip is None and session.folder is None


@pytest.mark.parametrize(
    ("rate", "channels", "subtype"), [(8_000, 1, "PCM_U8"), (192_000, 6, "PCM_24"), (22_050, 2, "FLOAT")]
)
def test_unusual_recordings_can_be_worked_on(
    session: Session, runner: Runner, tmp_path: Path, rate: int, channels: int, subtype: str
) -> None:
    path = tmp_path / "odd.wav"
    noise = np.random.default_rng(0).uniform(-0.5, 0.5, (4 * rate, channels))
    soundfile.write(path, noise, rate, subtype=subtype)
    ready(session, path)
    inpaint(session, runner)
    document, takes = session.document(10, 25), session.takes()
    assert document.clip and document.clip.seconds == 4
    assert [track.state for track in takes.groups[0].tracks] == ["ready"] * 4


def test_estimates_outlive_the_server(tmp_path: Path) -> None:
    path = tmp_path / "pace.json"
    Pace(path).learn("ar", "inpaint", 3.0, 6.0)
    assert Pace(path).guess("ar", "inpaint", 1.0) == pytest.approx(2.0)
    assert Pace(path).guess("fm", "inpaint", 1.0) is None
    path.write_text("{broken")
    assert Pace(path).guess("ar", "inpaint", 1.0) is None
    Pace(tmp_path / "no" / "such" / "folder.json").learn(
        "ar", "inpaint", 3.0, 6.0
    )  # costs nothing but the memory


def test_what_cannot_be_saved_is_not_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session(tmp_path)
    session.apply("set_prompt", {"prompt": "first"})

    def full(*_: object) -> None:
        raise InputError("project: the disk is full; make room and try again")

    monkeypatch.setattr(storage, "save_project", full)
    for change in (lambda: session.apply("set_seed", {"seed": 9}), session.undo):
        with pytest.raises(InputError, match="disk is full"):
            change()
        assert session.project.prompt == "first" and session.project.seed == 0
