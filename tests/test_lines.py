"""Gestures in line: a tab's keep their order, also across projects, and a held project stalls no other."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import pytest

from editor.homes import Homes
from editor.page import page as ui
from editor.project.disk import storage
from editor.runs.device import Device
from editor.session import Session

PATIENCE = 20.0  # seconds until a hanging test fails


class Floor:
    """A page, its listeners as Gradio has them, and gestures that are held until they may go on."""

    def __init__(self, page: ui.Page, listeners: dict[str, Any], hold: pytest.MonkeyPatch) -> None:
        self.page = page
        self._listeners = listeners
        self._hold = hold
        self.go_on = threading.Event()
        self.held = threading.Event()  # a gesture has come to where it is held
        self.done: list[tuple[str, int]] = []  # tab and rev, in the order of the answers

    def session(self, tab: str) -> Session:
        """What a tab shows."""
        return self.page.seats.of(request(tab))

    def hold(self, session: Session) -> None:
        """Whatever is done to a session's project from now on waits for `go_on`."""
        apply = session.apply

        def waiting(*args: Any) -> None:
            self.held.set()
            assert self.go_on.wait(PATIENCE)
            apply(*args)

        self._hold.setattr(session, "apply", waiting)

    def send(self, tab: str, rev: int, name: str = "set_seed", /, listener: str = "edit", **more: Any) -> Any:
        """One event to its listener, in a task of its own as Gradio has it."""
        if listener == "edit":
            more = {"name": name, "payload": more or {"seed": rev}}
        data = SimpleNamespace(_data={"rev": rev, **more})

        async def answered() -> Any:
            updates = await self._listeners[listener](data, request(tab))
            self.done.append((tab, rev))
            return updates[self.page.layout.timeline]

        return asyncio.create_task(answered())


def request(tab: str) -> Any:
    return gr.Request(session_hash=tab)


@pytest.fixture
def floor(tiny_bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Floor]:
    async def build() -> Floor:
        page = ui.Page(Device(str(tiny_bundle), "cpu"), Homes(tmp_path), listens=False)
        fns = page.build().fns.values()
        listeners = {fn.name: fn.fn for fn in fns if fn.concurrency_id == "edits"}
        assert {fn.concurrency_limit for fn in fns if fn.concurrency_id == "edits"} == {None}
        return Floor(page, listeners, monkeypatch)

    made = asyncio.run(build())
    yield made
    made.go_on.set()


@asynccontextmanager
async def in_time() -> AsyncIterator[None]:
    async with asyncio.timeout(PATIENCE):
        yield


async def reached(event: threading.Event) -> None:
    assert await asyncio.to_thread(event.wait, PATIENCE)


def test_many_quick_gestures_of_a_tab_are_done_and_answered_in_their_order(floor: Floor) -> None:
    session, seeds = floor.session("a"), []
    floor.hold(session)
    held = session.apply
    floor._hold.setattr(session, "apply", lambda *args: (held(*args), seeds.append(session.project.seed)))

    async def quick() -> list[Any]:
        async with in_time():
            tasks = [floor.send("a", rev) for rev in range(1, 101)]
            await reached(floor.held)
            assert floor.done == []
            floor.go_on.set()
            return await asyncio.gather(*tasks)

    documents = asyncio.run(quick())
    assert seeds == list(range(1, 101))
    assert floor.done == [("a", rev) for rev in range(1, 101)]
    assert [document.rev for document in documents] == list(range(1, 101))  # none says more than it holds


def test_a_project_that_is_held_stalls_no_other_and_no_thread(floor: Floor) -> None:
    """200 gestures of five tabs wait for one project; 20 other projects are edited meanwhile."""
    shared = floor.session("0")
    shared.apply("set_seed", {"seed": 1})
    folder = shared.saved.make_folder().name
    for tab in "1234":
        floor.page.seats.sessions(request(tab)).open(tab, folder)
    floor.hold(shared)

    async def beside() -> None:
        async with in_time():
            before = threading.active_count()
            waiting = [floor.send(tab, rev) for rev in range(1, 41) for tab in "01234"]
            await reached(floor.held)
            await asyncio.gather(*(floor.send(f"other-{index}", 1) for index in range(20)))
            assert sorted(floor.done) == sorted((f"other-{index}", 1) for index in range(20))
            assert threading.active_count() - before < 20
            floor.go_on.set()
            await asyncio.gather(*waiting)

    asyncio.run(beside())
    for tab in "01234":
        assert [rev for of, rev in floor.done if of == tab] == list(range(1, 41))


def test_another_project_comes_into_a_tab_between_the_gestures_around_it(floor: Floor) -> None:
    first = floor.session("a")
    first.apply("set_seed", {"seed": 7})
    floor.hold(first)

    async def through() -> list[Any]:
        async with in_time():
            tasks = [
                floor.send("a", 1, seed=11),
                floor.send("a", 2, listener="project", action="new"),
                floor.send("a", 3, seed=33),
                floor.send("a", 4, listener="open", project=""),  # no reload: the tab stays where it is
                floor.send("a", 5, "set_name", name="Second"),
            ]
            await reached(floor.held)
            floor.go_on.set()
            return await asyncio.gather(*tasks)

    documents = asyncio.run(through())
    second = floor.session("a")
    assert second is not first
    assert (first.project.seed, second.project.seed, second.project.name) == (11, 33, "Second")
    assert [document.rev for document in documents] == [1, 2, 3, 3, 5]


def test_a_project_that_is_read_from_the_disk_keeps_nobody_waiting(
    floor: Floor, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    heavy, light = (storage.new_project(tmp_path).folder for _ in range(2))
    opened = Session.open

    def slow(session: Session, folder: Path) -> None:
        if folder == heavy:
            floor.held.set()
            assert floor.go_on.wait(PATIENCE)
        opened(session, folder)

    monkeypatch.setattr(Session, "open", slow)

    async def beside() -> list[Any]:
        async with in_time():
            waiting = [
                floor.send(tab, 1, listener="project", action="open", folder=heavy.name) for tab in "ab"
            ]
            await reached(floor.held)
            other = await floor.send("c", 1, listener="project", action="open", folder=light.name)
            assert other.project == light.name
            assert (await floor.send("c", 2)).rev == 2
            floor.go_on.set()
            return await asyncio.gather(*waiting)

    assert [document.project for document in asyncio.run(beside())] == [heavy.name] * 2
    assert floor.session("a") is floor.session("b")
