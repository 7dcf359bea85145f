"""Two processes on one home: while one has a project, no other writes into it, and nothing of it is lost."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from editor.project.disk import library, storage
from editor.project.disk.lock import HOLDER, Held, ProjectLock
from editor.session import Session
from editor.sessions import Sessions
from engines.errors import InputError
from tests.children import Child

OTHER = """
import sys
from pathlib import Path
from editor.sessions import Sessions
sessions = Sessions(Path(sys.argv[1]), grace=0, place="http://127.0.0.1:7999")
for line in sys.stdin:
    act, _, word = line.strip().partition(" ")
    try:
        if act == "open":
            sessions.open("tab", word)
        elif act == "prompt":
            sessions.of("tab").apply("set_prompt", {"prompt": word})
        else:
            sessions.leave("tab")
        print("done", flush=True)
    except Exception as error:
        print(type(error).__name__, error, flush=True)
"""


class Other:
    """A process of its own that does on one home what it is told."""

    def __init__(self, home: Path) -> None:
        self.process = Child(OTHER, home)

    def __call__(self, words: str) -> str:
        self.process.stdin.write(f"{words}\n")
        return self.process.stdout.readline().strip()


@contextmanager
def started(home: Path) -> Iterator[Other]:
    other = Other(home)
    try:
        yield other
    finally:
        other.process.kill()


@pytest.fixture
def name(tmp_path: Path) -> str:
    """A project of the home that nobody shows."""
    session = Session(tmp_path)
    session.apply("set_prompt", {"prompt": "first"})
    session.close()
    assert session.folder
    return session.folder.name


def prompt(home: Path, name: str) -> str:
    return storage.open_project(home / name).project.prompt


def test_what_another_process_shows_is_not_opened_and_it_says_who_has_it(tmp_path: Path, name: str) -> None:
    with started(tmp_path) as other:
        assert other(f"open {name}") == "done" and other("prompt theirs") == "done"
        with pytest.raises(Held) as error:
            Sessions(tmp_path).open("mine", name)
        words = str(error.value)
        assert f"http://127.0.0.1:7999, process {other.process.pid}, since " in words
        assert "close it there" in words and "open a copy" in words
        mine = Sessions(tmp_path).resume("mine", name)  # a page that had it before the other took it
        assert mine.folder is None and mine.held == name and mine.error == words
        mine.apply("set_prompt", {"prompt": "mine"})  # goes into a project of its own
        assert prompt(tmp_path, name) == "theirs" and mine.project.prompt == "mine"
        assert other("prompt on") == "done" and prompt(tmp_path, name) == "on"


def test_a_copy_of_what_another_has_can_be_worked_on(tmp_path: Path, name: str) -> None:
    with started(tmp_path) as other:
        other(f"open {name}")
        other("prompt theirs")
        copy = Sessions(tmp_path).open("mine", library.duplicate(tmp_path / name, "Copy").folder.name)
        copy.apply("set_prompt", {"prompt": "mine"})
        copy.undo()
        copy.undo()  # the copy's own name
        assert copy.project.prompt == "theirs" and copy.history.undo_label == "prompt"
        assert prompt(tmp_path, name) == "theirs"


def test_once_the_other_has_closed_it_its_last_state_is_opened(tmp_path: Path, name: str) -> None:
    with started(tmp_path) as other:
        other(f"open {name}")
        other("prompt theirs")
        assert other("leave") == "done"
        mine = Sessions(tmp_path, grace=0)
        session = mine.open("mine", name)
        assert session.project.prompt == "theirs"
        session.apply("set_prompt", {"prompt": "mine"})
        assert other("prompt late").startswith("Held this project is open in another Inlay")
        mine.leave("mine")
        assert other("prompt again") == "done"  # its tab was only away: it goes on from what is there now
        assert prompt(tmp_path, name) == "again"


def test_an_edit_that_was_refused_may_come_again(tmp_path: Path, name: str) -> None:
    session = Session(tmp_path)
    session.open(tmp_path / name)
    session.apply("set_prompt", {"prompt": "mine"}, "e1")
    session.close()
    with started(tmp_path) as other:
        other(f"open {name}")
        for _ in range(2):  # the page may not have heard the first answer
            with pytest.raises(Held):
                session.apply("set_seed", {"seed": 7}, "e2")
        with pytest.raises(InputError, match="no such command"):  # this would be refused anywhere
            session.apply("no_such", {}, "e3")
        assert session.saved.seen == ("e1", "e3") and session.project.seed == 0
        copy = Session(tmp_path)
        copy.open(library.duplicate(tmp_path / name, "Copy").folder)
        copy.apply("set_seed", {"seed": 7}, "e2")
        assert (copy.project.seed, copy.project.prompt) == (7, "mine")
        copy.close()


def test_the_lock_of_a_killed_process_is_free(tmp_path: Path, name: str) -> None:
    with started(tmp_path) as other:
        other(f"open {name}")
        other("prompt theirs")
        other.process.kill()
        session = Sessions(tmp_path).open("mine", name)
        assert session.project.prompt == "theirs"
        session.apply("set_prompt", {"prompt": "mine"})
        with started(tmp_path) as third:  # what the killed one left behind is not believed
            told = third(f"open {name}")
            assert f"process {os.getpid()}," in told and "7999" not in told


def test_a_session_without_a_page_lets_go_once_its_run_has_ended(tmp_path: Path, name: str) -> None:
    sessions = Sessions(tmp_path, grace=0)
    session = sessions.open("one", name)
    session.run.running = True
    sessions.leave("one")
    assert not session.closed
    assert sessions.open("two", name) is session  # and who comes back meanwhile finds it
    session.run.running = False
    sessions.leave("two")
    assert session.closed
    with pytest.raises(Held):
        session.apply("set_prompt", {"prompt": "late"})
    assert prompt(tmp_path, name) == "first"


def test_another_project_in_the_tab_lets_go_of_the_one_before(tmp_path: Path, name: str) -> None:
    sessions = Sessions(tmp_path)
    sessions.open("one", name)
    with started(tmp_path) as other:
        assert other(f"open {name}").startswith("Held")
        sessions.new("one")
        assert other(f"open {name}") == "done"


def test_a_holder_that_cannot_be_read_keeps_nobody_from_the_words(tmp_path: Path, name: str) -> None:
    with started(tmp_path) as other:
        other(f"open {name}")
        for content in (b"", b"[]", b"{}", b"\xff\x00", b'{"pid": "x", "since": 3}'):
            (tmp_path / name / HOLDER).write_bytes(content)
            with pytest.raises(Held, match="does not say which"):
                ProjectLock(tmp_path / name)


def test_a_folder_that_cannot_be_written_to_can_be_looked_at(
    tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on a disk that is read-only or knows no locks."""

    def refused(*_: object, **__: object) -> None:
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr("editor.project.disk.lock.FileLock.acquire", refused)
    session = Sessions(tmp_path).open("one", name)
    assert session.project.prompt == "first" and not session.closed
    session.close()
