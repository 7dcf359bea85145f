"""Two pages on one project, and two on two: what one does the other sees, and nobody's work is lost."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_edit import drag_span, settled, state, upload
from tests.browser.test_lanes import project as saved


@pytest.fixture
def pair(open_page: Callable[[], Page], song_file: Path) -> tuple[Page, Page]:
    """Two tabs that show one project with a clip."""
    one, two = open_page(), open_page()
    upload(one, song_file)
    project = state(one, "doc.project")
    two.evaluate("(folder) => window.inlay.desk.projectEvent({ action: 'open', folder, rev: 0 })", project)
    two.wait_for_function("window.inlay.desk.doc.clip?.label === 'my song.wav'")
    assert state(two, "doc.project") == project
    return one, two


def chord(page: Page, bar: int, symbol: str) -> None:
    """Draws a chord over a bar, 0 or 1, of the four-second clip."""
    lane = page.locator("inlay-timeline .chords")
    box = lane.bounding_box()
    assert box
    lane.dblclick(position={"x": box["width"] * (0.1 + 0.5 * bar), "y": 20})
    field = page.locator("inlay-timeline .palette input")
    field.fill(symbol)
    field.press("Enter")


def symbols(page: Page) -> Any:
    return page.evaluate("window.inlay.desk.doc.chords.map((cell) => cell.symbol)")


def test_what_one_tab_draws_stands_in_the_other_and_both_edits_stay(
    pair: tuple[Page, Page], home: Path
) -> None:
    one, two = pair
    chord(one, 0, "Am")
    two.wait_for_function("window.inlay.desk.doc.chords[0]?.symbol === 'Am'")
    chord(two, 1, "F")
    one.wait_for_function("window.inlay.desk.doc.chords[1]?.symbol === 'F'")
    one.locator("#prompt textarea").press_sequentially("slow")
    expect(two.locator("#prompt textarea")).to_have_value("slow")
    two.locator("#engine-ar input").uncheck()
    expect(one.locator("#engine-ar input")).not_to_be_checked(timeout=5000)
    one.locator("#undo").click()  # of what the other did last
    expect(two.locator("#engine-ar input")).to_be_checked(timeout=5000)
    project = saved(one, home)
    assert [cell["symbol"] for cell in project["lanes"]["chords"]] == ["Am", "F"]
    assert project["prompt"] == "slow" and project["engines"] == ["ar", "fm", "fm-zero-shot"]


def test_edits_at_the_same_moment_are_both_kept(pair: tuple[Page, Page], home: Path) -> None:
    for page, start in zip(pair, (0, 4), strict=True):
        page.evaluate(
            """(start) => {
              for (let beat = start; beat < start + 4; beat++) {
                const chord = { id: `c${beat}x`, start: beat, end: beat + 1, symbol: 'C' };
                window.inlay.desk.edit('draw_chords', { chords: [chord], remove: [] });
              }
            }""",
            start,
        )
    for page in pair:
        page.wait_for_function("window.inlay.desk.doc.chords.length === 8")
    assert [cell["start"] for cell in saved(pair[0], home)["lanes"]["chords"]] == list(range(8))


def test_a_run_of_one_tab_goes_on_in_the_other_too(pair: tuple[Page, Page]) -> None:
    one, two = pair
    drag_span(one, 1, 2)
    two.wait_for_function("window.inlay.desk.doc.region?.start === 1")
    one.locator("#inpaint").click()
    settled(one)
    two.wait_for_function("window.inlay.desk.run === false && window.inlay.desk.group?.tracks.length === 4")
    two.locator("inlay-timeline .board").focus()
    two.keyboard.press("2")
    two.keyboard.press("k")
    one.wait_for_function("window.inlay.desk.doc.undo === 'keep take'")
    expect(one.locator("inlay-takes article", has_text="Kept, on the timeline")).to_have_count(1)


def test_a_stranger_at_another_browser_sees_nothing_of_it(
    pair: tuple[Page, Page], browser: Browser, address: str
) -> None:
    one, _ = pair
    context = browser.new_context(viewport={"width": 1280, "height": 720})
    stranger = context.new_page()
    stranger.goto(address)
    stranger.wait_for_function("window.inlay?.desk.timeline?.view && window.inlay.desk.doc.serial")
    stranger.locator("inlay-start .lanes").click()
    chord(one, 0, "Am")
    chord(stranger, 0, "G7")
    stranger.wait_for_function("window.inlay.desk.doc.project !== ''")
    one.locator("#name input").fill("Mine")
    one.locator("#name input").blur()
    one.wait_for_function("window.inlay.desk.doc.undo === 'rename'")
    assert symbols(one) == ["Am"] and symbols(stranger) == ["G7"]
    assert state(one, "doc.project") != state(stranger, "doc.project")
    expect(stranger.locator("#name input")).to_have_value("Untitled")
    context.close()


def test_two_tabs_bring_the_same_file_at_the_same_moment(
    open_page: Callable[[], Page], song_file: Path
) -> None:
    one, two = open_page(), open_page()
    # What the first tab has sent is asked for only after the second has brought the same.
    one.evaluate(
        """(() => { const { fetch } = window; const held = new Promise((go) => { window.go = go; });
        window.fetch = async (...sent) => {
          if (String(sent[0]).includes('queue/join')) await held;
          return fetch(...sent); }; })()"""
    )
    with one.expect_file_chooser() as chooser:
        one.locator("inlay-timeline .choose").locator("visible=true").first.click()
    chooser.value.set_files(song_file)
    one.wait_for_function("window.inlay.desk.arriving?.step === 'reading'")
    upload(two, song_file)
    one.evaluate("window.go()")
    one.wait_for_function("window.inlay.desk.pyramid('base') || window.inlay.desk.arriving?.error")
    assert state(one, "arriving?.error") is None and state(one, "doc.clip.label") == "my song.wav"


def test_a_closed_tab_is_not_told_any_more(pair: tuple[Page, Page], open_page: Callable[[], Page]) -> None:
    one, two = pair
    two.close()
    chord(one, 0, "Am")
    one.wait_for_function("window.inlay.desk.doc.chords.length === 1 && window.inlay.desk.settled")
    one.reload()
    one.wait_for_function("window.inlay?.desk.doc.chords?.[0]?.symbol === 'Am'")
    chord(one, 1, "F")
    one.wait_for_function("window.inlay.desk.doc.chords.length === 2 && window.inlay.desk.settled")
