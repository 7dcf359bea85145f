"""The band lane by mouse and keys: who plays when, as it is drawn, said and saved."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_edit import drag_span, drawn, state, upload
from tests.browser.test_lanes import project

SPAN = (2.0, 4.0)  # beats of the song's span from 1 to 2 s


class Band:
    """The open lane: places in beats and names of rows to press and drag at."""

    def __init__(self, page: Page, home: Path) -> None:
        self.page, self.home = page, home

    def point(self, beat: float, name: str) -> tuple[float, float]:
        box = self.page.locator("inlay-timeline .band").bounding_box()
        assert box
        x, rows, scroll = self.page.evaluate(
            f"(({{ band }}) => [band.x({beat}), band.rows, band.scroll])(window.inlay.desk.timeline)"
        )
        return box["x"] + x, box["y"] + rows.index(name) * 20 - scroll + 10

    def drag(self, start: float, end: float, name: str, *keys: str) -> None:
        (x, y), (to, _) = self.point(start, name), self.point(end, name)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        for key in keys:
            self.page.keyboard.down(key)
        self.page.mouse.move((x + to) / 2, y, steps=3)
        self.page.mouse.move(to, y, steps=3)
        self.page.mouse.up()
        for key in keys:
            self.page.keyboard.up(key)

    def states(self, name: str) -> list[str]:
        """What the row says inside the span."""
        found: list[str] = self.page.evaluate(
            "(name) => window.inlay.desk.timeline.band.items"
            ".filter((piece) => piece.inside && piece.name === name).map(({ state }) => state)",
            name,
        )
        return found

    @property
    def saved(self) -> list[tuple[Any, ...]]:
        """The lane in the project on disk, once the server has answered."""
        drawn(self.page)
        self.page.wait_for_function("window.inlay.desk.settled")
        band = project(self.page, self.home)["lanes"]["band"]
        return sorted((part["instrument"], part["start"], part["end"], part["plays"]) for part in band)

    @property
    def cell(self) -> str:
        """What a screen reader meets as the current cell."""
        drawn(self.page)
        words: str = self.page.locator("inlay-timeline #cell-band").inner_text()
        return words

    def add(self, typed: str) -> None:
        self.page.locator("inlay-timeline .band-head .add").click()
        self.page.keyboard.type(typed)
        self.page.keyboard.press("Enter")


HEARD = """(cells) => window.inlay.desk.editLane('set_band', 'band', cells.map(([name, start, end], i) =>
  ({ id: `b${i}`, name, start, end, plays: true, sure: 0.9, by: 'heard' })))"""


@pytest.fixture
def band(page: Page, home: Path, song_file: Path) -> Band:
    """A clip of four seconds with drums and a piano that were heard, a span from 1 to 2 s, the lane open."""
    upload(page, song_file)
    page.evaluate(HEARD, [["piano", 0, 8], ["drums", 0, 8]])
    drag_span(page, 1.02, 1.98)
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("w")
    expect(page.locator("inlay-timeline .band-head .fold")).to_have_attribute("aria-expanded", "true")
    return Band(page, home)


def test_a_player_is_named_and_asked_for_over_the_span(page: Page, band: Band) -> None:
    page.locator("inlay-timeline .band-head .add").click()
    field = page.get_by_role("combobox", name="Name an instrument")
    expect(field).to_be_focused()
    page.keyboard.type("flu")
    options = page.get_by_role("listbox", name="Instruments").get_by_role("option")
    expect(options.first).to_contain_text("Flute")
    page.keyboard.press("ArrowDown")
    expect(options.nth(1)).to_have_attribute("aria-selected", "true")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Enter")
    expect(field).to_have_count(0)
    assert ("flute", *SPAN, True) in band.saved
    assert band.cell.startswith("Flute, asked, bar 1.3 to 2.1")
    expect(page.locator("inlay-timeline .band-head li").first).to_have_text("Flute")  # asked first
    assert state(page, "doc.undo") == "ask for players"


def test_who_is_not_known_is_said_with_what_is_near(page: Page, band: Band) -> None:
    before = band.saved
    page.locator("inlay-timeline .band-head .add").click()
    page.keyboard.type("harmonicka")
    popover = page.get_by_role("dialog", name="Add a player")
    expect(popover).to_contain_text("No harmonicka here. Nearest:")
    expect(popover.get_by_role("option").first).to_contain_text("Harmonica")
    page.keyboard.press("Escape")
    expect(popover).to_have_count(0)
    assert band.saved == before


def test_a_double_click_goes_round_each_one_undo_step(page: Page, band: Band) -> None:
    for wanted in ("none", "open", "asked", "none"):
        page.mouse.dblclick(*band.point(3, "drums"))
        page.wait_for_function("window.inlay.desk.settled")
        assert band.states("drums") == [wanted]
    assert [part for part in band.saved if part[0] == "drums"] == [
        ("drums", 0, 2, True), ("drums", 2, 4, False), ("drums", 4, 8, True),
    ]  # fmt: skip
    for wanted in ("asked", "open", "none", "given"):
        page.keyboard.press("Control+z")
        page.wait_for_function("window.inlay.desk.settled")
        page.wait_for_function(
            "(wanted) => window.inlay.desk.timeline.band.items"
            ".some((piece) => piece.inside && piece.name === 'drums' && piece.state === wanted)",
            arg=wanted,
        )


def test_draw_says_from_when_to_when_and_removes(page: Page, band: Band) -> None:
    band.add("flute")
    page.keyboard.press("Delete")
    page.keyboard.press("d")
    band.drag(5.1, 6.9, "flute")
    assert band.saved[-2] == ("flute", 5, 7, True)
    band.drag(0.1, 2.4, "flute", "Alt")  # no snap
    assert band.saved[1:3] != [] and band.saved[1][0] == "flute"
    start, end = next((part[1], part[2]) for part in band.saved if part[0] == "flute" and part[1] < 1)
    assert start == pytest.approx(0, abs=0.2) and end == pytest.approx(2.4, abs=0.05)
    band.drag(6.1, 6.9, "flute")  # over a bar it removes
    assert [part[1:3] for part in band.saved if part[0] == "flute"][-1] == (5, 6)
    before = band.saved
    x, y = band.point(3.2, "piano")
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 90, y, steps=4)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert band.saved == before


def test_a_bar_is_moved_and_resized(page: Page, band: Band) -> None:
    page.keyboard.press("v")
    band.add("flute")
    x, y = band.point(4, "flute")
    page.mouse.move(x - 4, y)
    page.mouse.down()
    page.mouse.move(band.point(5.9, "flute")[0], y, steps=4)
    page.mouse.up()
    flute = [part[1:3] for part in band.saved if part[0] == "flute"]
    assert flute == [(2, 6)]
    band.drag(5, 6, "flute")
    assert [part[1:] for part in band.saved if part[0] == "flute"] == [(2, 4, True), (5, 7, True)]
    assert state(page, "doc.undo") == "move players"


def test_keys_move_cycle_copy_and_delete(page: Page, band: Band) -> None:
    band.add("flute")
    assert band.cell.startswith("Flute, asked")
    page.keyboard.press("ArrowDown")
    assert band.cell.startswith("Piano, goes on")
    page.keyboard.press(".")
    assert band.cell.startswith("Piano, plays, bar 2.1 to 3.1")
    page.keyboard.press(",")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    assert band.cell.startswith("Drums, none asked")
    assert ("drums", 2, 4, False) in band.saved
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("Control+d")  # right behind itself
    assert ("flute", 4, 6, True) in band.saved
    page.keyboard.press("ArrowRight")
    assert ("flute", 5, 7, True) in band.saved
    page.keyboard.press("Control+c")
    page.keyboard.press("Home")
    page.keyboard.press("Control+v")
    assert ("flute", 0, 2, True) in band.saved
    page.keyboard.press("Delete")
    assert [part[1:3] for part in band.saved if part[0] == "flute"] == [(2, 4), (5, 7)]


def test_the_menu_of_a_row(page: Page, band: Band) -> None:
    band.add("flute")
    page.mouse.click(*band.point(3, "flute"), button="right")
    menu = page.get_by_role("menu", name="Flute")
    menu.get_by_role("menuitem", name="Only this one").click()
    assert [part for part in band.saved if part[1:3] == SPAN] == [
        ("drums", *SPAN, False), ("flute", *SPAN, True), ("piano", *SPAN, False),
    ]  # fmt: skip
    page.mouse.click(*band.point(3, "piano"), button="right")
    page.get_by_role("menuitem", name="Leave open").click()
    assert band.states("piano") == ["open"]
    page.mouse.click(*band.point(3, "drums"), button="right")
    page.get_by_role("menuitem", name="Remove row").click()
    assert {part[0] for part in band.saved} == {"flute", "piano"}


def test_folded_it_says_who_plays(page: Page, band: Band) -> None:
    band.add("flute")
    page.mouse.dblclick(*band.point(3, "drums"))
    page.keyboard.press("w")
    cells = page.locator("inlay-timeline .stretch")
    expect(cells).to_have_count(3)
    expect(cells.nth(1)).to_have_attribute("aria-label", "Bars 1.3 to 2.1: flute and piano, no drums")
    expect(cells.nth(1)).to_have_text("Flute, piano, no drums")
    assert page.locator("inlay-timeline .band").get_attribute("role") is None
    cells.nth(1).focus()
    page.keyboard.press("Enter")
    expect(page.locator("inlay-timeline .band[role=grid]")).to_have_attribute("aria-label", "Band, who plays")


def test_nobody_named_yet(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    lane = page.locator("inlay-timeline .band")
    expect(lane).to_contain_text(
        "No one is named yet. Write it in your words, draw with D, or take it from the audio."
    )
    page.evaluate(
        "document.querySelector('#hear').addEventListener('click', (event) => {"
        " window.pressed = true; event.stopImmediatePropagation(); }, { capture: true })"
    )
    lane.get_by_role("button", name="Take from audio").click()
    assert page.evaluate("window.pressed")
    page.keyboard.press("d")
    box = lane.bounding_box()
    assert box
    page.mouse.click(box["x"] + 40, box["y"] + 14)  # to draw begins with a name
    expect(page.get_by_role("dialog", name="Add a player")).to_be_visible()


HEIGHTS = """() => ['audio', 'band', 'chords', 'melody', 'drums'].map((lane) =>
  Math.round(window.inlay.desk.timeline.find(`.${lane}`).getBoundingClientRect().height))"""


def test_unfolding_takes_height_from_the_others_and_folding_gives_it_back(page: Page, band: Band) -> None:
    page.keyboard.press("w")
    folded = page.evaluate(HEIGHTS)
    assert folded == [128, 28, 52, 148, 116]
    page.keyboard.press("w")
    assert page.evaluate(HEIGHTS) == [116, 112, 52, 104, 88]
    page.get_by_role("separator", name="Lower edge of the band lane").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(HEIGHTS)[1] == 120
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("w")
    assert page.evaluate(HEIGHTS) == folded
    page.set_viewport_size({"width": 1280, "height": 720})
    page.wait_for_function("window.inlay.desk.timeline.find('.drums').getBoundingClientRect().height > 80")
    page.keyboard.press("w")
    page.wait_for_function(
        "Math.round(window.inlay.desk.timeline.find('.drums').getBoundingClientRect().height) === 20"
    )
    expect(page.locator("inlay-timeline .drums-head li:visible")).to_have_text(["Model hears"])


def test_what_was_heard_again_in_the_take_stands_over_the_lane(page: Page, band: Band) -> None:
    band.add("flute")
    page.evaluate(
        """() => { const { desk } = window.inlay; const { region, clip } = desk.doc;
          const base = { digit: 1, kind: 'take', engine: 'fm', seed: 1, name: '', state: 'ready', seams: [],
            seconds: 4, region, spans: [], url: clip.url, start: 0, whole: false, note: '', words: '',
            details: [], peaks: [], band: [{ name: 'flute', start: 1, end: 1.9, sure: 0.91 }] };
          const tracks = [{ ...base, id: 't' }];
          desk.receiveTakes({ groups: [{ id: 'g', label: 'span 1', region, tracks }] });
          desk.hear(desk.group.tracks[0]); }"""
    )
    page.wait_for_function("window.inlay.desk.track?.id === 't'")
    expect(page.locator("inlay-timeline #cell-band")).to_contain_text("heard in take 1")
    x, y = band.point(3.8, "flute")
    page.mouse.move(x, y)
    title = page.locator("inlay-timeline .band")
    expect(title).to_have_attribute("title", "Flute in take 1: 0.9 of 1.0 s, 91 % sure")
    page.mouse.move(band.point(1, "piano")[0], band.point(1, "piano")[1])
    expect(title).to_have_attribute("title", "Piano, bars 1.1–1.3, heard in the recording, 90 % sure")
