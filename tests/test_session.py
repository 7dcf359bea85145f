"""One tab's work: edits, uploads, runs with a tiny fake engine, reloads and closed tabs."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from editor.page.contract import Payload
from editor.page.models.serving import USUAL
from editor.page.takes.groups import takes_state
from editor.page.view import document_state
from editor.project.disk import sounds, storage
from editor.project.disk.journal import Journal
from editor.project.document import Region, Settings, Sound
from editor.runs.pace import Pace
from editor.runs.runner import Runner
from editor.session import Session
from editor.sessions import MAX_SESSIONS, Sessions
from engines.audio.recording import Recording, write_recording
from engines.errors import InputError
from engines.progress import Progress, ProgressHook
from engines.requests import (
    ARSettings,
    FMSettings,
    GenerateRequest,
    Guidance,
    InpaintRequest,
    Request,
    Result,
    Seam,
    Support,
)

FADE = {"ar": 2, "fm": 3, "fm-zero-shot": 4}


def fake_run(request: Request, models: Any, progress: ProgressHook) -> Result:
    """Turns the span's phase around and lowers it; a generated clip is the song of the fixture."""
    for step in range(3):
        progress(Progress("sample", step, 3, 0.1, 0.2))
    if request.engine == "ar" and request.prompt == "break":
        raise RuntimeError("kaput")
    if isinstance(request, GenerateRequest):
        return Result(request, models, {"sample": 0.3})
    samples = request.source.samples.copy()
    rate = request.source.rate
    for start, end in request.spans:
        samples[round(start * rate) : round(end * rate)] //= -FADE[request.engine]
    return Result(request, replace(request.source, samples=samples), {"sample": 0.3})


@pytest.fixture
def runner(song: Recording) -> Runner:
    return Runner(lambda: song, fake_run, lambda request, models: Support())


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
    return run(session, runner, *session.order("inpaint", ARSettings(), FMSettings()), pace)


def run(
    session: Session,
    runner: Runner,
    requests: Sequence[Request],
    source: Sound | None,
    pace: Pace | None = None,
) -> list[str]:
    """Does requests to their end; what a page would have seen."""
    session.start(runner, requests, source, pace or Pace())
    return [",".join(f"{run.engine}:{run.state}" for run in session.run.tracks) for _ in session.watch()]


def ready(session: Session, song_file: Path) -> Session:
    session.upload(song_file, "C:\\music\\my song.wav")
    session.apply("add_span", {"start": 1, "end": 2})
    return session


def test_looking_at_the_page_leaves_nothing_behind(session: Session) -> None:
    document_state(session, USUAL)
    takes_state(session)
    assert not session.saved.root.exists()


def test_the_first_edit_makes_and_saves_a_project(session: Session) -> None:
    session.apply("set_prompt", {"prompt": "piano"})
    assert session.folder and (session.folder / "project.json").is_file()
    assert session.saved.words.startswith("Saved ")


def test_an_edit_that_cannot_be_leaves_everything(session: Session) -> None:
    before = session.history
    with pytest.raises(InputError):
        session.apply("add_span", {"start": 3, "end": 1})
    assert session.history is before


def test_an_upload_is_named_as_the_user_named_it(session: Session, song_file: Path, tmp_path: Path) -> None:
    ready(session, song_file)
    clip = document_state(session, USUAL).clip
    assert clip and clip.label == "my song.wav" and clip.seconds == 4
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
    assert len(seen) > 1 and seen[-1] == ""
    assert (session.run.tracks, session.run.running) == ((), False)
    takes = session.project.takes
    assert [take.engine for take in takes] == ["fm", "ar", "fm-zero-shot"]
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
    assert [(run.engine, run.state) for run in session.run.tracks] == [("ar", "failed")]
    assert "kaput" in session.run.tracks[0].note
    assert len(session.project.takes) == 2


class Held:
    """An engine that waits at its second step until it may go on."""

    def __init__(self) -> None:
        self.reached, self.may_go_on = threading.Event(), threading.Event()

    def run(self, request: Request, models: Any, progress: ProgressHook) -> Result:
        progress(Progress("sample", 1, 4, 0.1, 0.3))
        self.reached.set()
        assert self.may_go_on.wait(20)
        return fake_run(request, models, progress)

    def runner(self, song: Recording) -> Runner:
        return Runner(lambda: song, self.run, lambda request, models: Support())


@pytest.fixture
def held() -> Held:
    return Held()


def test_cancel_stops_what_works_and_what_waits(
    session: Session, song_file: Path, song: Recording, held: Held
) -> None:
    ready(session, song_file)
    session.start(held.runner(song), *session.order("inpaint", ARSettings(), FMSettings()), Pace())
    assert held.reached.wait(20)
    session.run.cancel.set()
    held.may_go_on.set()
    for _ in session.watch():
        pass
    assert [run.state for run in session.run.tracks] == ["cancelled"] * 3
    assert not session.run.running and session.project.takes == ()


def test_one_run_that_waits_is_skipped_at_once_and_the_others_go_on(
    session: Session, song_file: Path, song: Recording, held: Held
) -> None:
    ready(session, song_file)
    session.start(held.runner(song), *session.order("inpaint", ARSettings(), FMSettings()), Pace())
    assert held.reached.wait(20)
    session.skip("run-ar-1")
    assert [(run.engine, run.state, run.note) for run in session.run.tracks][1] == (
        "ar",
        "cancelled",
        "Skipped",
    )
    with pytest.raises(InputError, match="nothing to stop"):
        session.skip("run-ar-1")
    with pytest.raises(InputError, match="nothing to stop"):
        session.skip("run-elsewhere-7")
    held.may_go_on.set()
    for _ in session.watch():
        pass
    assert [take.engine for take in session.project.takes] == ["fm", "fm-zero-shot"]
    assert [(run.engine, run.note) for run in session.run.tracks] == [("ar", "Skipped")]
    run(session, Runner(lambda: song, fake_run, lambda request, models: Support()),
        *session.order_retry("run-ar-1", ARSettings(), FMSettings()))  # fmt: skip
    assert [take.engine for take in session.project.takes] == ["fm", "fm-zero-shot", "ar"]


def test_a_continued_clip_is_kept_in_the_tree_of_the_one_it_was_made_from(
    session: Session, song_file: Path, runner: Runner
) -> None:
    ready(session, song_file)
    session.apply("set_length", {"seconds": 2})
    run(session, runner, *session.order("continue", ARSettings(), FMSettings(), ["fm"]))
    (take,) = session.project.takes
    (group,) = takes_state(session).groups
    assert (group.label, group.extends) == ("2.00 s more after the clip", "continue")
    assert [(track.kind, track.whole, track.start) for track in group.tracks] == [
        ("original", True, 0.0), ("take", True, 0.0)
    ]  # fmt: skip
    session.apply("keep", {"id": take.id})
    clip = session.project.clip
    assert clip and (clip.seconds, clip.label) == (6.0, "my song.wav")
    assert [version.parent for version in session.project.versions] == [None, "v1"]
    session.undo()
    assert session.project.clip and session.project.clip.seconds == 4.0
    run(session, runner, *session.order_another_seed(take.id))
    run(session, runner, *session.order_again(take.id))
    assert [made.seed for made in session.project.takes] == [0, 1]
    assert session.run.message.startswith("The same as FM seed 0")


def test_a_second_run_is_refused_while_one_goes_on(
    session: Session, song_file: Path, song: Recording, held: Held
) -> None:
    ready(session, song_file)
    asked = session.order("inpaint", ARSettings(), FMSettings())
    session.start(held.runner(song), *asked, Pace())
    with pytest.raises(InputError, match="a run is going on"):
        session.start(held.runner(song), *asked, Pace())
    held.may_go_on.set()
    for _ in session.watch():
        pass
    assert not session.run.running and len(session.project.takes) == 3


def test_edits_made_while_it_runs_are_kept(
    session: Session, song_file: Path, song: Recording, held: Held
) -> None:
    ready(session, song_file)
    session.start(held.runner(song), *session.order("inpaint", ARSettings(), FMSettings(), ["fm"]), Pace())
    session.apply("set_prompt", {"prompt": "meanwhile"})
    held.may_go_on.set()
    for _ in session.watch():
        pass
    assert session.project.prompt == "meanwhile" and len(session.project.takes) == 1


def test_a_page_that_comes_back_sees_the_run_it_left(
    tmp_path: Path, song_file: Path, song: Recording, held: Held
) -> None:
    sessions = Sessions(tmp_path / "home", grace=3600)
    session = ready(sessions.of("one"), song_file)
    session.start(held.runner(song), *session.order("inpaint", ARSettings(), FMSettings(), ["fm"]), Pace())
    assert session.folder and held.reached.wait(20)
    sessions.leave("one")  # a reload: the page goes ...
    again = sessions.resume("two", session.folder.name)  # ... and comes back under another name
    assert again is session and again.run.running and not again.run.cancel.is_set()
    held.may_go_on.set()
    for _ in again.watch():
        pass
    assert len(again.project.takes) == 1


def test_the_first_generated_clip_goes_onto_an_empty_timeline(session: Session, runner: Runner) -> None:
    requests, _ = session.order("generate", ARSettings(), FMSettings())
    assert [request.engine for request in requests] == ["fm", "ar"]  # the sooner one is heard first
    run(session, runner, requests, None)
    assert session.project.kept == session.project.takes[0].id
    run(session, runner, [replace(request, seed=5) for request in requests], None)
    assert session.project.kept == session.project.takes[0].id and len(session.project.takes) == 4


def test_another_seed_is_the_same_request_with_the_next_free_one(
    session: Session, song_file: Path, runner: Runner
) -> None:
    ready(session, song_file)
    inpaint(session, runner)
    first = session.project.takes[0]
    (request,), source = session.order_another_seed(first.id)
    assert isinstance(request, InpaintRequest) and source == first.source
    assert (request.engine, request.seed, request.start, request.end) == ("fm", 1, 1, 2)
    run(session, loud_runner(1), (request,), source)
    (third,), _ = session.order_another_seed(first.id)
    assert isinstance(third, InpaintRequest) and third.seed == 2
    assert np.array_equal(request.source.samples, third.source.samples)


def loud_runner(shift: int) -> Runner:
    """Makes the span of the fixture's engine a little different."""

    def shifted(request: Request, models: Any, progress: ProgressHook) -> Result:
        assert isinstance(request, InpaintRequest)
        first, last = (round(time * request.source.rate) for time in (request.start, request.end))
        samples = request.source.samples[first:last] // (2 + shift)
        return Result(request, request.source.with_span(first, samples), {"sample": 0.3})

    return Runner(lambda: None, shifted, lambda request, models: Support())


def test_again_follows_the_lanes_of_now_and_a_twin_is_no_second_take(
    session: Session, song_file: Path, runner: Runner
) -> None:
    ready(session, song_file)
    inpaint(session, runner)
    first = session.project.takes[0]
    session.apply("draw_chords", {"chords": [{"start": 0, "end": 4, "symbol": "Dm"}]})
    session.apply("set_seed", {"seed": 99})
    (request,), source = session.order_again(first.id)
    assert request.seed == first.seed and request.controls.chords
    assert request.controls.chords[0].symbol == "Dm"
    run(session, runner, (request,), source)
    assert len(session.project.takes) == 3 and session.run.say.startswith("The same as FM seed 0")
    session.apply("delete_take", {"id": first.id})
    run(session, runner, (request,), source)  # what was deleted is back, not doubled
    assert [take.deleted for take in session.project.takes] == [False] * 3
    assert session.folder
    assert len(storage.open_project(session.folder).project.takes) == 3


def test_takes_are_named_starred_deleted_and_undone(
    session: Session, song_file: Path, runner: Runner
) -> None:
    ready(session, song_file)
    inpaint(session, runner)
    first = session.project.takes[0].id
    session.apply("rename_take", {"id": first, "name": " The\n one "})
    session.apply("star_take", {"id": first})
    session.apply("delete_take", {"id": first})
    take = session.project.takes[0]
    assert (take.name, take.starred, take.deleted) == ("The one", True, True)
    assert (
        len(takes_state(session).groups[0].tracks) == 3 and takes_state(session).deleted[0].label == "The one"
    )
    for _ in range(3):
        session.undo()
    assert session.project.takes[0] == replace(take, name="", starred=False, deleted=False)
    for _ in range(3):
        session.redo()
    assert session.project.takes[0] == take
    assert session.folder and storage.open_project(session.folder).project == session.project


def test_a_kept_take_leaves_the_song_its_name_and_the_tree_grows(
    session: Session, song_file: Path, runner: Runner
) -> None:
    ready(session, song_file)
    inpaint(session, runner)
    one, two, _ = session.project.takes
    session.apply("keep", {"id": one.id})
    assert session.project.clip and session.project.clip.label == "my song.wav"
    session.apply("add_span", {"start": 3, "end": 3.5})
    run(session, runner, *session.order("inpaint", ARSettings(), FMSettings(), ["fm"]))
    session.apply("keep", {"id": session.project.takes[3].id})
    session.apply("keep", {"id": two.id})  # made from the upload: a branch
    tree = [(version.parent, version.take) for version in session.project.versions]
    assert tree == [(None, None), ("v1", one.id), ("v2", session.project.takes[3].id), ("v1", two.id)]
    session.undo()
    session.undo()
    assert [(version.parent, version.take) for version in session.project.versions] == tree
    session.apply("show_version", {"id": "v3"})
    assert session.project.kept == session.project.takes[3].id
    assert len(session.project.clip.patches) == 2 and session.project.clip.label == "my song.wav"


def test_settings_and_variations_are_the_projects(session: Session, song_file: Path, runner: Runner) -> None:
    ready(session, song_file)
    session.apply("set_variations", {"count": 2})
    session.apply("set_settings", {"steps": 7, "guidance": 2.5, "solver": "midpoint", "top_k": 0})
    session.apply("set_settings", {"temperature": 0.7})
    assert session.folder
    saved = storage.open_project(session.folder).project
    assert saved.variations == 2 and saved.settings == Settings(7, "midpoint", 2.5, 0.7, 0)
    session.apply("set_settings", {"guidance": None})
    assert session.project.settings.guidance is None
    for wrong in ({"steps": 0}, {"solver": "rk4"}, {"temperature": 11}, {"top_k": -1}, {"guidance": 99}):
        with pytest.raises(InputError, match="expected"):
            session.apply("set_settings", wrong)
    with pytest.raises(InputError, match="1-4"):
        session.apply("set_variations", {"count": 5})
    inpaint(session, loud_runner(0))
    assert [take.seed for take in session.project.takes] == [0, 0, 0, 1, 1, 1]


def test_the_settings_of_a_take_come_back(session: Session, song_file: Path, runner: Runner) -> None:
    ready(session, song_file)
    session.apply("set_prompt", {"prompt": "first"})
    fm = FMSettings("midpoint", 9, Guidance(all=4.0))
    run(session, runner, *session.order("inpaint", ARSettings(0.8, 50), fm, ["fm"]))
    session.apply("set_prompt", {"prompt": "second"})
    session.apply("set_seed", {"seed": 5})
    session.apply("use_take", {"id": session.project.takes[0].id})
    assert (session.project.prompt, session.project.seed) == ("first", 0)
    assert session.project.settings == Settings(9, "midpoint", 4.0, 1.0, 250)  # AR's knobs stay


def test_retry_repeats_the_failed_run_alone(session: Session, song_file: Path, runner: Runner) -> None:
    ready(session, song_file)
    session.apply("set_prompt", {"prompt": "break"})
    session.apply("set_variations", {"count": 2})
    inpaint(session, runner)
    assert [(run.engine, run.seed, run.state) for run in session.run.tracks] == [
        ("ar", 0, "failed"),
        ("ar", 1, "failed"),
    ]
    (request,), _ = session.order_retry(session.run.tracks[1].id, ARSettings(), FMSettings())
    assert (request.engine, request.seed) == ("ar", 1)
    with pytest.raises(InputError, match="no longer there"):
        session.order_retry("run-x", ARSettings(), FMSettings())


def test_a_full_disk_stops_no_run(
    session: Session, song_file: Path, runner: Runner, monkeypatch: pytest.MonkeyPatch
) -> None:
    ready(session, song_file)

    def full(*_: object) -> None:
        raise InputError("project: the disk is full; make room and try again")

    monkeypatch.setattr(storage, "save_project", full)
    inpaint(session, runner)
    assert len(session.project.takes) == 3 and "disk is full" in session.run.message
    monkeypatch.undo()
    assert session.folder
    assert len(storage.open_project(session.folder).project.takes) == 3  # found beside the document


def test_audio_that_is_away_is_hidden_and_never_forgotten(
    tmp_path: Path, session: Session, runner: Runner, song_file: Path
) -> None:
    ready(session, song_file)
    inpaint(session, runner)
    first, second = session.project.takes[:2]
    session.apply("keep", {"id": first.id})
    whole, states = session.project, len(session.history.past)
    folder, clip = session.folder, session.project.clip
    assert folder is not None and clip is not None
    away = tmp_path / "on another disk"
    away.mkdir()
    for name in (clip.file, second.file):
        shutil.move(folder / name, away / name)
    session.close()

    later = Session(session.saved.root)
    later.open(folder)
    assert later.project.clip is None and later.project.kept is None
    assert second.id not in {take.id for take in later.project.takes}
    assert len(later.history.past) == states  # all of undo is there
    later.apply("set_prompt", {"prompt": "edited meanwhile"})
    later.undo()
    later.redo()
    later.close()

    for name in (clip.file, second.file):  # the disk is mounted again
        shutil.move(away / name, folder / name)
    again = Session(session.saved.root)
    again.open(folder)
    assert again.error is None
    assert again.project == replace(whole, prompt="edited meanwhile")
    assert len(again.history.past) == states + 1
    again.undo()
    assert again.project == whole


def test_a_recording_that_was_away_and_is_brought_again_is_there(session: Session, song_file: Path) -> None:
    ready(session, song_file)
    folder, clip = session.folder, session.project.clip
    assert folder is not None and clip is not None
    (folder / clip.file).unlink()
    session.close()
    later = Session(session.saved.root)
    later.open(folder)
    assert later.project.clip is None
    later.upload(song_file, "my song.wav")
    assert later.project.clip is not None and later.project.clip.file == clip.file
    assert (folder / clip.file).is_file()


def test_a_copy_is_a_project_of_its_own(tmp_path: Path, song_file: Path, runner: Runner) -> None:
    sessions = Sessions(tmp_path / "home")
    session = ready(sessions.of("one"), song_file)
    inpaint(session, runner)
    copy = sessions.open("one", session.duplicate("Second thoughts"))
    assert copy is not session and copy.project.name == "Second thoughts"
    assert replace(copy.project, name="my song") == session.project
    copy.apply("set_prompt", {"prompt": "only here"})
    assert session.project.prompt == "" and sessions.of("one") is copy
    assert sessions.new("one").project.clip is None and sessions.of("one").folder is None
    with pytest.raises(InputError, match="no longer there"):
        sessions.open("one", "../../etc")


def test_a_project_open_in_two_tabs_is_one(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path / "home")
    one = sessions.of("one")
    one.apply("set_name", {"name": "Shared"})
    assert one.folder and sessions.open("two", one.folder.name) is one
    sessions.leave("one")
    assert one.tabs == {"two"}


def test_however_many_tabs_are_open_none_loses_its_project(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, grace=0)
    for tab in range(MAX_SESSIONS + 30):
        sessions.of(f"tab{tab}").apply("set_seed", {"seed": tab + 1})
    first = sessions.of("tab0")
    assert not first.closed and first.project.seed == 1 and first.folder is not None
    first.apply("set_prompt", {"prompt": "still mine"})
    assert storage.open_project(first.folder).project.prompt == "still mine"


def test_a_tab_that_was_away_and_forgotten_gets_its_project_again(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, grace=0)
    away = sessions.of("away")
    away.apply("set_prompt", {"prompt": "before the train went into the tunnel"})
    sessions.leave("away")
    for tab in range(MAX_SESSIONS + 1):
        sessions.of(f"tab{tab}")
    again = sessions.of("away")
    assert again is not away and again.folder == away.folder  # it was let go of
    again.apply("set_seed", {"seed": 3})
    assert (again.project.prompt, again.project.seed) == ("before the train went into the tunnel", 3)


def test_a_project_that_went_meanwhile_is_told(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, grace=0)
    away = sessions.of("away")
    away.apply("set_seed", {"seed": 1})
    sessions.leave("away")
    for tab in range(MAX_SESSIONS + 1):
        sessions.of(f"tab{tab}")
    assert away.folder is not None
    shutil.rmtree(away.folder)
    again = sessions.of("away")
    assert again.folder is None and again.error is not None and "no longer there" in again.error


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


def test_closing_the_last_tab_stops_its_run(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path, grace=0)
    session = sessions.of("one")
    session.apply("set_name", {"name": "Shared"})
    assert session.folder
    sessions.open("two", session.folder.name)
    sessions.leave("three")
    sessions.leave("one")
    assert not session.run.cancel.is_set()  # another page still shows it
    sessions.leave("two")
    assert session.run.cancel.is_set()


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
    document, takes = document_state(session, USUAL), takes_state(session)
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


def test_an_edit_that_is_sent_twice_is_done_once(tmp_path: Path) -> None:
    """As by a page that was reloaded before it heard the answer, even by another server."""
    session = Session(tmp_path)
    for name in ("First", "Second"):
        session.apply("set_name", {"name": name}, id="e1")
    session.apply("set_seed", {"seed": 3}, id="e2")
    assert (session.project.name, session.project.seed, session.saved.seen) == ("First", 3, ("e1", "e2"))
    assert document_state(session, USUAL).seen == ["e1", "e2"]
    session.undo()
    session.close()
    assert session.folder
    after = Sessions(tmp_path).open("tab", session.folder.name)
    after.apply("set_seed", {"seed": 4}, id="e2")
    assert after.project.seed == 0  # what was undone does not come back
    journal = Journal(session.folder)
    journal.rewrite(journal.read(after.project))  # as once it is long
    again = Session(tmp_path)
    again.open(session.folder)
    assert again.saved.seen == ("e1", "e2")


def test_a_page_is_known_again_before_it_has_a_project(tmp_path: Path) -> None:
    sessions = Sessions(tmp_path)
    session = sessions.resume("one", "", "page-of-mine-0123456")
    session.apply("set_name", {"name": "First"})
    assert session.folder and sessions.of_page("page-of-mine-0123456") is session
    assert sessions.resume("two", session.folder.name, "page-of-mine-0123456") is session
    fresh = sessions.new("two")
    assert sessions.resume("three", "", "page-of-mine-0123456") is fresh
    assert sessions.resume("four", session.folder.name, "page-of-mine-0123456") is not fresh
    assert sessions.of_page("page-of-another-0123") is None


def test_all_spans_in_one_pass_make_one_take_an_engine(
    session: Session, runner: Runner, song: Recording, song_file: Path
) -> None:
    ready(session, song_file)
    session.apply("set_prompt", {"prompt": "the clip's"})
    session.apply("add_span", {"start": 2.5, "end": 3, "id": "s9"})
    session.apply("add_span", {"start": 3, "end": 3.5, "id": "s8"})  # touches: one with the last
    session.apply("set_span_own", {"id": "s8", "own": True})
    session.apply("set_span_prompt", {"id": "s8", "prompt": "its own"})
    asked, source = session.order("inpaint", ARSettings(), FMSettings(), together=True)
    assert [(one.spans, one.prompt) for one in asked if isinstance(one, InpaintRequest)] == [
        (((1, 2), (2.5, 3.5)), "the clip's")
    ] * 3
    run(session, runner, asked, source)
    take = session.project.takes[0]
    assert take.region == Region(1, 3.5) and take.spans == (Region(1, 2), Region(2.5, 3.5))
    assert session.folder
    samples, rate = sounds.read_sound(session.folder, take.sound).samples, song.rate
    for start, end, same in ((0, 1, True), (1, 2, False), (2, 2.5, True), (2.5, 3.5, False), (3.5, 4, True)):
        part = slice(round(start * rate), round(end * rate))
        assert np.array_equal(samples[part], song.samples[part]) == same
    (group,) = takes_state(session).groups
    assert group.label == "2 spans, 1.00–3.50 s"
    assert [(one.start, one.end) for one in group.tracks[1].spans] == [(1, 2), (2.5, 3.5)]
    assert ["Spans", "1.000–2.000, 2.500–3.500 s"] in group.tracks[1].details

    session.apply("keep", {"id": take.id})
    assert takes_state(session).versions[-1].label == "FM seed 0, 2 spans, 1.00–3.50 s"
    session.undo()
    assert session.project.kept is None and storage.open_project(session.folder).project == session.project
    (again,), _ = session.order_again(take.id)
    (other,), _ = session.order_another_seed(take.id)
    for one in (again, other):
        assert isinstance(one, InpaintRequest) and one.spans == ((1, 2), (2.5, 3.5))

    inpaint(session, runner)  # of the last span alone: other takes, and not rated against these
    assert len(takes_state(session).groups) == 2
    ratings = [{"take": id, "smoothness": 5, "match": 5} for id in (take.id, session.project.takes[-1].id)]
    with pytest.raises(InputError, match="takes of one span"):
        session.vote(Payload("vote", {"ratings": ratings, "matched": True}))


def test_an_intro_lies_before_the_clip_until_it_is_kept(
    session: Session, song_file: Path, song: Recording
) -> None:
    ready(session, song_file)

    def extend(request: Request, models: Any, progress: ProgressHook) -> Result:
        assert isinstance(request, InpaintRequest)
        first = round(request.end * song.rate)
        samples = request.source.samples.copy()
        samples[:first] = 7
        seam = Seam(request.end, 0.0, 0.0, 0.0, 0.0, 0.1, "Smooth")
        return Result(request, replace(request.source, samples=samples), {"sample": 0.1}, (seam,))

    inpaint(session, Runner(lambda: song, fake_run, lambda request, models: Support()))
    session.apply("set_length", {"seconds": 3})
    asked, source = session.order("intro", ARSettings(), FMSettings(), ["fm"])
    run(session, Runner(lambda: song, extend, lambda request, models: Support()), asked, source)
    span, intro = takes_state(session).groups
    assert span.region and intro.region
    assert (span.region.start, span.region.end) == (1, 2)
    assert (intro.region.start, intro.region.end) == (-3, 0)
    assert [(one.kind, one.start) for one in intro.tracks] == [("original", 0), ("take", -3)]
    assert [seam.time for seam in intro.tracks[1].seams] == [0]  # where it meets the clip's beginning
    before = span.tracks[1].start

    session.apply("keep", {"id": intro.tracks[1].id})  # now all of the clip lies three seconds later
    span, intro = takes_state(session).groups
    assert span.region and intro.region and session.project.region
    assert (intro.region.start, intro.region.end, intro.tracks[0].start) == (0, 3, 3)
    assert (span.region.start, span.region.end, span.tracks[1].start) == (4, 5, before + 3)
    assert (session.project.region.start, session.project.region.end) == (4, 5)  # as the span itself
    session.undo()
    intro = takes_state(session).groups[1]
    assert intro.region and intro.region.start == -3

    ratings = [{"take": intro.tracks[1].id, "smoothness": 5, "match": 5}]
    ratings.append({"take": session.project.takes[0].id, "smoothness": 5, "match": 5})
    with pytest.raises(InputError, match="takes of one span"):  # an intro and a span of the same clip
        session.vote(Payload("vote", {"ratings": ratings, "matched": True}))
