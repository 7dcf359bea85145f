"""Runs that are interrupted: one is skipped, the page reloads, the server is killed."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import Server
from tests.browser.test_edit import drag_span, state, upload

READY = "window.inlay?.desk.timeline?.view && window.inlay.desk.doc.serial"
LATE = "window.inlay.desk.group?.tracks[3]?.state === 'running'"  # the zero-shot engine's


def slow(page: Page, song_file: Path) -> None:
    """A span and engines that need a while for it."""
    upload(page, song_file)
    drag_span(page, 1, 2)
    page.locator("#advanced > button").click()
    page.locator("#steps input").fill("200")
    page.locator("#solver input").click()
    page.locator("#solver [role=option]", has_text="midpoint").click()
    page.wait_for_function("window.inlay.desk.settled")


def states(page: Page) -> dict[str, str]:
    found: dict[str, str] = page.evaluate(
        "Object.fromEntries(window.inlay.desk.group.tracks.slice(1).map((one) => [one.engine, one.state]))"
    )
    return found


def test_one_that_waits_is_skipped_and_the_page_may_reload_meanwhile(page: Page, song_file: Path) -> None:
    slow(page, song_file)
    page.locator("#inpaint").click()
    page.locator("inlay-takes .card.waiting", has_text="ZS").locator("[data-act=stop]").click()
    expect(page.locator("inlay-takes .card", has_text="ZS")).to_contain_text("Skipped")
    page.reload()
    page.wait_for_function(READY)
    page.wait_for_function("window.inlay.desk.run === false && window.inlay.desk.group", timeout=120_000)
    assert states(page) == {"ar": "ready", "fm": "ready", "fm-zero-shot": "cancelled"}
    expect(page.locator("inlay-takes .card", has_text="ZS")).to_contain_text("Try again")


@pytest.fixture
def servers(tiny_bundle: Path, tmp_path: Path) -> Iterator[Callable[[], Server]]:
    """Starts servers on one home, one after the other."""
    started: list[Server] = []

    def start() -> Server:
        started.append(Server(tiny_bundle, tmp_path))
        started[-1].wait()
        return started[-1]

    yield start
    for server in started:
        server.kill()


def test_after_kill_9_in_a_run_takes_and_undo_are_there(
    servers: Callable[[], Server], context: BrowserContext, song_file: Path
) -> None:
    first = servers()
    page = context.new_page()
    page.goto(first.url)
    page.wait_for_function(READY)
    slow(page, song_file)
    page.locator("#inpaint").click()
    page.wait_for_function(LATE, timeout=120_000)
    project = state(page, "doc.project")
    first.kill()
    second = servers()
    page = context.new_page()
    page.goto(second.url)
    page.wait_for_function(READY)
    page.evaluate("(folder) => window.inlay.desk.projectEvent({ action: 'open', folder, rev: 0 })", project)
    page.wait_for_function("window.inlay.desk.group?.tracks.length === 3")
    assert states(page) == {"ar": "ready", "fm": "ready"}
    page.wait_for_function("window.inlay.desk.player.tracks.size === 4")  # and their sound is there
    undone = []
    while state(page, "doc.undo"):
        undone.append(state(page, "doc.undo"))
        page.locator("#undo").click()
        page.wait_for_function("(label) => window.inlay.desk.doc.redo === label", arg=undone[-1])
    assert undone == ["advanced settings", "add span", "open my song.wav"]
    assert len(page.evaluate("window.inlay.desk.groups")) == 1  # undo loses no take
    page.locator("#redo").click()
    page.wait_for_function("window.inlay.desk.doc.clip?.label === 'my song.wav'")
    second.stop()
