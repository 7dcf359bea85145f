"""The tab that tests hand on: what one leaves the next does not find."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import begin
from tests.browser.tab import Tab

DRAWN = """async () => { const { desk } = window.inlay; const { timeline } = desk;
  desk.editLane('draw_notes', 'melody', [{ id: 'n1', start: 1, end: 3, pitch: 64 }]);
  desk.setGrid({ bpm: 90 });
  timeline.select('melody', ['n1']);
  timeline.setTool('draw');
  timeline.setSnap('off');
  timeline.zoom(3);
  timeline.melody.lastLength = 4;
  timeline.clipboard = { lane: 'melody', items: [] };
  desk.toggleLoop();
  desk.player.seek(3);
  desk.synth.muted.add('drums');
  localStorage.setItem('inlay-band-height', '200'); }"""
BEGUN = """() => { const { desk } = window.inlay; const { timeline } = desk;
  const { melody, chords, grid, past, undo, project } = desk.doc;
  return [melody, chords, grid.bpm, past, undo, project, [...timeline.selection.ids], timeline.tool,
    timeline.snap, timeline.melody.lastLength, timeline.clipboard, desk.looping, desk.player.position,
    desk.synth.muted.size, localStorage.length, document.querySelector('#tempo input').value]; }"""
# What there is no way back from, and the way that only this test knows.
LEFT = {
    "a global": ("window.left = 1", "delete window.left"),
    "a function of the browser": (
        "Symbol.fetch = window.fetch, window.fetch = async () => null",
        "window.fetch = Symbol.fetch",
    ),
    "a method of the browser's": (
        "Symbol.play = HTMLMediaElement.prototype.play, HTMLMediaElement.prototype.play = () => {}",
        "HTMLMediaElement.prototype.play = Symbol.play",
    ),
    "a microphone of its own": (
        "navigator.mediaDevices.getUserMedia = async () => null",
        "delete navigator.mediaDevices.getUserMedia",
    ),
    "what the browser says of the page": (
        "Symbol.safe = Object.getOwnPropertyDescriptor(window, 'isSecureContext'), "
        "Object.defineProperty(window, 'isSecureContext', { value: false, configurable: true })",
        "Object.defineProperty(window, 'isSecureContext', Symbol.safe)",
    ),
    "another door to the server": (
        "{ const { desk } = window.inlay; Symbol.send = desk.send; desk.send = () => {}; }",
        "window.inlay.desk.send = Symbol.send",
    ),
    "a listener": (
        "Symbol.heard = () => {}, document.addEventListener('keyup', Symbol.heard)",
        "document.removeEventListener('keyup', Symbol.heard)",
    ),
    "the other theme": (
        "document.body.classList.toggle('dark')",
        "document.body.classList.toggle('dark')",
    ),
    "something stored": ("localStorage.setItem('left', '1')", "localStorage.removeItem('left')"),
}


@pytest.fixture
def own(open_page: Callable[[], Page]) -> Iterator[tuple[Tab, Page]]:
    """A tab that no other test has."""
    tab = Tab(begin)
    yield tab, tab.take(open_page)
    if tab.page is not None:
        tab.page.close()


def test_a_tab_is_handed_on_as_it_was_opened(own: tuple[Tab, Page]) -> None:
    tab, page = own
    begun = page.evaluate(BEGUN)
    page.evaluate(DRAWN)
    page.wait_for_function("window.inlay.desk.settled && window.inlay.desk.doc.project")
    assert page.evaluate(BEGUN) != begun
    tab.leave()
    assert tab.page is page
    assert page.evaluate(BEGUN) == begun


def test_what_stays_in_a_tab_is_seen(own: tuple[Tab, Page]) -> None:
    tab, page = own
    for what, (leave, take_back) in LEFT.items():
        page.evaluate(f"() => {{ {leave} }}")  # and not what it gives, which may be a function
        assert tab.seen(page) != tab.new, what
        page.evaluate(f"() => {{ {take_back} }}")
        assert tab.seen(page) == tab.new, what


def test_a_tab_that_has_shown_another_view_is_not_handed_on(own: tuple[Tab, Page]) -> None:
    tab, page = own
    page.evaluate("window.inlay.desk.setView('listen')")
    page.evaluate("window.inlay.desk.setView('edit')")
    tab.leave()
    assert tab.page is None and page.is_closed()
