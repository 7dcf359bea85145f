"""Undo and redo that outlive the process: what is written, what is found again, what is dropped."""

from __future__ import annotations

import json
import resource
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from editor.project import commands, history
from editor.project.disk import files, journal, library, sounds, storage
from editor.project.disk.journal import Journal
from editor.project.document import Project, Region, Take
from editor.project.history import History
from editor.session import Session
from engines.audio.recording import Recording
from engines.errors import InputError


def again(session: Session) -> Session:
    """The project as a new process finds it."""
    assert session.folder
    found = Session(session.saved.root)
    found.open(session.folder)
    return found


def walk(session: Session) -> list[Project]:
    """Every state of a history: back to the first, then on to the last."""
    states = [session.project]
    while session.history.can_undo:
        session.undo()
        states.append(session.project)
    while session.history.can_redo:
        session.redo()
        states.append(session.project)
    return states


def edit(session: Session) -> None:
    for beat, symbol in ((0, "C"), (4, "Am"), (2, "F")):  # the third cuts both
        session.apply("draw_chords", {"chords": [{"start": beat, "end": beat + 4, "symbol": symbol}]})
    session.apply("draw_notes", {"melody": [{"id": "n1", "start": 0, "end": 1, "pitch": 60}]})
    session.apply("draw_band", {"band": [{"start": 0, "end": 8, "name": "flute"}]})
    for words in ("w", "wa", "warm"):
        session.apply("set_prompt", {"prompt": words})
    session.apply("set_settings", {"guidance": 2.5, "strength": 0.5})
    session.apply("set_engines", {"engines": ["fm"]})
    session.apply("move_notes", {"melody": [{"id": "n1", "start": 2, "end": 3, "pitch": 64}]})


@pytest.fixture
def session(tmp_path: Path) -> Session:
    return Session(tmp_path / "home")


def test_all_of_undo_and_redo_is_there_again(session: Session) -> None:
    edit(session)
    for _ in range(3):
        session.undo()
    found = again(session)
    assert found.history.undo_label == session.history.undo_label == "prompt"  # three letters, one step
    assert [step.label for step in found.history.future] == [step.label for step in session.history.future]
    assert walk(found) == walk(session)
    assert len(found.history.past) == 9


def test_an_edit_after_opening_goes_on_where_it_was(session: Session) -> None:
    edit(session)
    session.undo()
    found = again(again(session))
    found.apply("set_seed", {"seed": 5})
    assert not found.history.can_redo
    assert walk(again(found)) == walk(found)


def take(id: str, folder: Path, song: Recording) -> Take:
    file = sounds.add_audio(folder, song)
    return Take(id, "generate", "fm", 1, "", file, song.seconds, None, None, rate=song.rate, channels=2)


def test_takes_are_never_lost_and_their_names_are_undone(session: Session, song: Recording) -> None:
    session.apply("set_seed", {"seed": 3})
    assert session.folder
    first = take("t1", session.folder, song)
    storage.add_finished(session.folder, first)
    session.open(session.folder)
    session.apply("star_take", {"id": "t1"})
    session.apply("keep", {"id": "t1"})
    session.apply("delete_take", {"id": "t1"})
    found = again(session)
    found.undo()
    assert found.project.takes == (replace(first, starred=True),) and found.project.kept == "t1"
    found.undo()
    assert found.project.clip is None and len(found.project.versions) == 1
    found = again(found)
    for _ in range(2):
        found.undo()
    assert found.project.seed == 0 and found.project.takes == (first,)
    found.redo()
    assert again(found).history.redo_label == "star take"


def lines(session: Session) -> list[str]:
    assert session.folder
    return (session.folder / files.JOURNAL).read_text().splitlines()


def test_a_line_that_was_cut_short_is_dropped(session: Session) -> None:
    edit(session)
    states = walk(session)
    assert session.folder
    path = session.folder / files.JOURNAL
    with path.open("a") as file:
        file.write('{"do":{"seed":')
    assert walk(again(session)) == states
    assert json.loads(lines(session)[-1])  # and it is gone from the disk


@contextmanager
def full_disk(left: int, path: Path) -> Iterator[None]:
    """No file may grow beyond `left` bytes more than `path` has: what is written is cut there."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (path.stat().st_size + left, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


@pytest.mark.parametrize("left", [0, 1, 7, 40])
def test_a_full_disk_then_space_again_keeps_all_of_undo(session: Session, left: int) -> None:
    edit(session)
    assert session.folder
    path = session.folder / files.JOURNAL
    while path.stat().st_size < (session.folder / files.DOCUMENT).stat().st_size + 4096:
        session.apply("set_prompt", {"prompt": "x" * 900 + session.project.prompt[-9:]}, "")
        session.apply("set_seed", {"seed": session.project.seed + 1})
    known, project = lines(session), session.project
    with full_disk(left, path), pytest.raises(InputError, match="cannot be saved"):
        session.apply("set_prompt", {"prompt": "no room"})
    assert lines(session) == known and session.project == project  # half a line was cut off again
    session.apply("set_prompt", {"prompt": "room again"})
    found = again(session)
    assert found.project.prompt == "room again" and len(found.history.past) > 10
    assert walk(found) == walk(session)


@pytest.mark.parametrize("point", ["document", "journal"])
def test_what_does_not_fit_leaves_no_project_behind(
    session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    edit(session)
    home, known = session.saved.root, list(session.saved.root.iterdir())
    small = tmp_path / "small"
    small.touch()
    other = Session(home)

    def no_room(*_: object) -> None:
        raise InputError("free some space")

    for act in (lambda: session.duplicate("Copy"), lambda: other.apply("set_prompt", {"prompt": "no room"})):
        with monkeypatch.context() as patch, full_disk(0 if point == "document" else 1 << 20, small):
            if point == "journal":
                patch.setattr(Journal, "rewrite", no_room)
            with pytest.raises(InputError, match="free some space"):
                act()
        assert list(home.iterdir()) == known
    other.apply("set_prompt", {"prompt": "room again"})
    assert other.history.can_undo and again(other).project.prompt == "room again"
    assert again(session).history.undo_label == session.history.undo_label


def test_one_damaged_line_costs_one_step_and_is_told(session: Session) -> None:
    edit(session)
    session.apply("set_seed", {"seed": 9})
    assert session.folder
    labels = [step.label for step in session.history.past]
    path = session.folder / files.JOURNAL
    content = path.read_bytes().splitlines(keepends=True)
    at = next(number for number, line in enumerate(content) if b'"label":"engines"' in line)
    hurt = [*content[:at], content[at][: len(content[at]) // 2], b"\n", *content[at + 1 :]]
    # The engines stand in the document, so the history without their step must lead to another state.
    path.write_bytes(b"".join(hurt))
    document = json.loads((session.folder / files.DOCUMENT).read_text())
    document["project"]["engines"] = list(Project().engines)
    (session.folder / files.DOCUMENT).write_text(json.dumps(document))
    found = Session(session.saved.root)
    notice = found.saved.open(session.folder)
    assert [step.label for step in found.history.past] == [one for one in labels if one != "engines"]
    assert notice == f"undo history: 1 of {len(content)} steps could not be read and were left out"
    assert again(found).saved.open(session.folder) == ""  # told once, and mended


def test_a_history_that_leads_elsewhere_is_told(session: Session) -> None:
    edit(session)
    assert session.folder
    document = json.loads((session.folder / files.DOCUMENT).read_text())
    document["project"]["seed"] = 77
    (session.folder / files.DOCUMENT).write_text(json.dumps(document))
    found = Session(session.saved.root)
    assert "begins anew" in found.saved.open(session.folder)
    assert found.project.seed == 77


def test_a_damaged_document_is_completed_from_the_journal(session: Session) -> None:
    edit(session)
    session.apply("set_seed", {"seed": 9})
    session.apply("draw_notes", {"melody": [{"id": "n2", "start": 4, "end": 5, "pitch": 67}]})
    states = walk(session)
    assert session.folder
    # The backup may be several steps behind, as after a crash of the disk.
    older = json.loads((session.folder / files.BACKUP).read_text())
    assert older["project"]["seed"] == 9 and len(older["project"]["lanes"]["melody"]) == 1
    (session.folder / files.DOCUMENT).write_text("{")
    found = Session(session.saved.root)
    assert "was damaged" in found.saved.open(session.folder)
    assert found.project == session.project and walk(found) == states


def test_a_step_that_the_document_does_not_know_is_dropped(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(session)
    before = [step.label for step in session.history.past]
    with monkeypatch.context() as patch:  # killed between the journal and the document
        patch.setattr(storage, "save_project", lambda *_: None)
        session.apply("set_seed", {"seed": 9})
    found = again(session)
    assert found.project.seed == 0 and [step.label for step in found.history.past] == before


def test_what_cannot_be_saved_is_not_in_the_journal(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(session)
    known = lines(session)

    def refuse(*_: object) -> None:
        raise InputError("the disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(storage, "save_project", refuse)
        with pytest.raises(InputError, match="full"):
            session.apply("set_seed", {"seed": 9})
    assert lines(session) == known
    session.apply("set_seed", {"seed": 10})
    assert walk(again(session)) == walk(session)


@pytest.mark.parametrize("content", [b"", b"no json\n", b'{"do": 3}\n', b"[1]\n", b'{"base":{"seed":"x"}}\n'])
def test_a_journal_that_is_none_costs_only_the_history(session: Session, content: bytes) -> None:
    edit(session)
    assert session.folder
    (session.folder / files.JOURNAL).write_bytes(content)
    found = again(session)
    assert found.project == session.project and not found.history.can_undo
    found.apply("set_seed", {"seed": 4})
    assert again(found).history.undo_label == "seed"


def test_it_stays_bounded(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "MAX_LINES", 65)
    monkeypatch.setattr(history, "MAX_STEPS", 50)
    for seed in range(1, 75):
        session.apply("set_seed", {"seed": seed})  # all of them one step ...
    assert len(lines(session)) <= 67
    for beat in range(75):  # ... these are not
        session.apply("draw_chords", {"chords": [{"start": beat, "end": beat + 1, "symbol": "C"}]})
    assert len(lines(session)) <= 67
    found = again(session)
    assert len(found.history.past) == 50
    assert found.history.past[0].project == session.history.past[0].project
    assert session.folder
    assert (session.folder / files.DOCUMENT).stat().st_size < 15_000  # the document does not hold it


def test_a_copy_has_a_history_of_its_own(session: Session) -> None:
    edit(session)
    assert session.folder
    copy = Session(session.saved.root)
    copy.open(library.duplicate(session.folder, "Second").folder)
    assert copy.history.undo_label == "save as" and len(copy.history.past) == 10
    known = lines(session)
    copy.apply("set_seed", {"seed": 5})
    assert lines(session) == known


def test_a_project_without_a_journal_begins_without_steps(session: Session) -> None:
    edit(session)
    assert session.folder
    (session.folder / files.JOURNAL).unlink()
    found = again(session)
    assert not found.history.can_undo
    found.apply("add_span", {"start": 1, "end": 2})
    assert again(found).project.region == Region(1, 2)


def test_rewriting_keeps_both_ways(tmp_path: Path) -> None:
    history = History()
    for seed in range(1, 5):
        history = history.do(commands.set_seed(history.present, seed), "seed", "a" if seed == 4 else "")
    history = history.undo()
    folder = storage.new_project(tmp_path, history.present).folder
    Journal(folder).rewrite(history)
    found = Journal(folder).read(history.present)
    assert [step.project.seed for step in found.past] == [0, 1, 2]
    assert [step.project.seed for step in found.future] == [4]
