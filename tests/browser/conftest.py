"""A server of our own and a Chromium to drive it."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Callable, Generator, Iterator
from contextlib import suppress
from pathlib import Path

import pytest
from playwright.sync_api import (
    Browser,
    BrowserContext,
    BrowserType,
    Error,
    Page,
    Playwright,
    expect,
    sync_playwright,
)

from engines.audio.recording import Recording, write_recording
from tests.browser.tab import SIZE, Tab
from tests.serving import Server

# Milliseconds that a page may take for anything: two servers and two Chromiums share two cores, and only a
# failure takes so long.
PATIENCE = 1000 * float(os.environ.get("INLAY_BROWSER_SECONDS", "120"))
expect.set_options(timeout=PATIENCE / 4)
# The same browser without a window to draw is a good deal lighter, where there is one.
BROWSERS = ("chromium-headless-shell", "chromium", "chromium-browser")
CHROMIUM = next(filter(None, map(shutil.which, BROWSERS)), "/usr/bin/chromium")
WAITING = """(() => { const { desk } = window.inlay ?? {};
  if (!desk) return document.body.innerText.slice(0, 500);
  const { settled, arriving, run, doc: { error, serial, rev, clip } } = desk;
  const { armed, microphone } = desk.record ?? {};
  return { settled, arriving, run, error, serial, rev, clip, tracks: [...desk.player.tracks.keys()],
    armed, microphone: microphone?.state, words: microphone?.words, sound: desk.player.context?.state,
    focus: document.activeElement?.id, told: document.querySelector('#status')?.textContent.trim() }; })()"""
POLICY = "Content Security Policy"  # what Chromium says where the page's own parts break it
QUIET = [
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run",
    "--disable-component-update", "--disable-sync",
]  # fmt: skip


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(item.path).is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.browser)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """With a test that failed, what its pages were waiting for."""
    report = yield
    given = getattr(item, "funcargs", {})
    if report.failed and "tab" in given:
        given["tab"].fit = False
    if report.failed and "context" in given:
        for page in given["context"].pages:
            with suppress(Error):
                report.sections.append((page.url, json.dumps(page.evaluate(WAITING))))
    return report


@pytest.fixture(scope="session")
def home(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the server keeps projects."""
    return tmp_path_factory.mktemp("home")


@pytest.fixture(scope="session")
def address(tiny_bundle: Path, home: Path) -> Iterator[str]:
    """A running server with the tiny bundle."""
    server = Server(tiny_bundle, home)
    try:
        server.wait()
        yield server.url
    finally:
        server.stop()


@pytest.fixture(scope="session")
def playwright() -> Iterator[Playwright]:
    """What drives the browsers."""
    with sync_playwright() as playwright:
        yield playwright


@pytest.fixture(scope="session")
def chromium(playwright: Playwright) -> BrowserType:
    """Playwright's hold on Chromium."""
    return playwright.chromium


@pytest.fixture(scope="session")
def browser(chromium: BrowserType) -> Iterator[Browser]:
    """Debian's Chromium, for tests that need a profile of their own."""
    browser = chromium.launch(executable_path=CHROMIUM, args=QUIET)
    yield browser
    browser.close()


@pytest.fixture(scope="session")
def profile(chromium: BrowserType, tmp_path_factory: pytest.TempPathFactory) -> Iterator[BrowserContext]:
    """A profile that all tests share, dark, at the size of the design.

    It keeps the page's files and what Chromium has compiled of them: without it each test spends three
    seconds of a core more on its page.
    """
    profile = chromium.launch_persistent_context(
        tmp_path_factory.mktemp("profile"),
        executable_path=CHROMIUM,
        args=QUIET,
        viewport=SIZE,
        color_scheme="dark",
    )
    profile.set_default_timeout(PATIENCE)
    yield profile
    profile.close()


@pytest.fixture(scope="session")
def tab() -> Tab:
    """The tab that tests hand on where nothing of them is left in it."""
    return Tab(begin)


@pytest.fixture
def context(profile: BrowserContext, tab: Tab) -> Iterator[BrowserContext]:
    """The shared profile as if it were new: nothing of an earlier test is open or stored in it."""
    resting = profile.pages[0]  # Chromium ends with its last tab
    yield profile
    for page in profile.pages[1:]:
        if page is not tab.page:
            page.close()
    if tab.page is not None:
        tab.page.evaluate("localStorage.clear()")  # of what is its own it has let go, but for its name
    else:
        devtools = profile.new_cdp_session(resting)
        devtools.send("Storage.clearDataForOrigin", {"origin": "*", "storageTypes": "all"})
        devtools.detach()
    profile.clear_cookies()


def begin(page: Page) -> None:
    """Waits until a page that was opened answers, and leaves the start: most tests begin on empty lanes."""
    page.wait_for_function(
        "window.inlay?.desk.timeline?.view && document.querySelector('#stage').dataset.view"
    )
    page.wait_for_function("window.inlay.desk.doc.serial && window.inlay.desk.settled")
    page.wait_for_function("document.querySelector('#generate')?.textContent.includes('10 s')")
    if page.locator("#page").get_attribute("data-start") is not None:
        page.locator("inlay-start .lanes").click()


@pytest.fixture(scope="session")
def faults() -> list[str]:
    """What pages did in one test that none may: errors of scripts, requests to other hosts."""
    return []


@pytest.fixture
def open_page(context: BrowserContext, address: str, faults: list[str]) -> Iterator[Callable[[], Page]]:
    """Opens a tab and waits until it answers; every tab must stay free of script errors and foreign hosts."""
    faults.clear()

    def check(url: str) -> None:
        if not url.startswith((address, "data:", "blob:")):
            faults.append(f"asked for {url}")

    def new() -> Page:
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(str(error)))
        page.on("request", lambda request: check(request.url))
        page.on("console", lambda said: POLICY in said.text and faults.append(said.text))
        page.goto(address)
        begin(page)
        return page

    yield new
    assert faults == []


@pytest.fixture
def page(tab: Tab, open_page: Callable[[], Page]) -> Iterator[Page]:
    """One tab, as new: another test may have had it before."""
    yield tab.take(open_page)
    tab.leave()


@pytest.fixture(scope="session")
def song_file(song: Recording, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The shared song as a 44.1 kHz stereo WAV of four seconds."""
    path = tmp_path_factory.mktemp("songs") / "my song.wav"
    write_recording(path, song)
    return path
