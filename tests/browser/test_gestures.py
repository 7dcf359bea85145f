"""Gestures by mouse, wheel and fingers that the other drives leave out: on the page, and what is saved."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pretty_midi
import pytest
from playwright.sync_api import Browser, CDPSession, Page, expect

from tests.browser.test_edit import drag_span, state, upload
from tests.browser.test_lanes import Lane, chords, drums, melody, project
from tests.browser.test_spans import spans, view

__all__ = ["chords", "drums", "melody"]  # fixtures


class Fingers:
    """Touch points in CSS pixels."""

    def __init__(self, client: CDPSession) -> None:
        self.client = client
        self._time = time.time()

    def _send(self, kind: str, *points: tuple[float, float]) -> None:
        places: list[dict[str, Any]] = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
        # A drag within milliseconds counts as a fling, and the tap that stops a fling is no click.
        self._time = max(self._time + 0.1, time.time())
        touch = {"type": kind, "touchPoints": places, "timestamp": self._time}
        self.client.send("Input.dispatchTouchEvent", touch)

    def down(self, x: float, y: float) -> None:
        self._send("touchStart", (x, y))

    def up(self) -> None:
        self._send("touchEnd")

    def drag(self, start: tuple[float, float], end: tuple[float, float]) -> None:
        self.down(*start)
        for step in range(1, 9):
            self._send("touchMove", *[tuple(a + (b - a) * step / 8 for a, b in zip(start, end, strict=True))])  # type: ignore[arg-type]
        self.up()


@pytest.fixture
def touched(browser: Browser, address: str, song_file: Path) -> Iterator[tuple[Page, Fingers]]:
    """A tablet with a clip of four seconds."""
    with browser.new_context(viewport={"width": 1280, "height": 900}, has_touch=True) as context:
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.goto(address)
        page.wait_for_function("window.inlay?.desk.timeline?.view && window.inlay.desk.doc.serial")
        upload(page, song_file)
        yield page, Fingers(context.new_cdp_session(page))


def test_fingers_draw_move_and_hold(touched: tuple[Page, Fingers], home: Path) -> None:
    page, fingers = touched
    line = Lane(page, home, "melody")
    page.locator("inlay-timeline [data-tool=draw]").tap()
    fingers.drag(line.point(1.1, 64), line.point(2.9, 64))
    assert line.saved == [(1, 3, 64)]
    page.locator("inlay-timeline [data-tool=select]").tap()
    fingers.drag(line.point(2, 64), line.point(4, 67))
    assert line.saved == [(3, 5, 67)]
    fingers.down(*Lane(page, home, "drums").point(3.1, 3))
    menu = page.get_by_role("dialog", name="Drum lane")
    menu.wait_for()
    fingers.up()
    assert Lane(page, home, "drums").saved == []  # the hold took the press back


def test_a_tap_in_the_palette_of_a_chord_drawn_by_finger_sets_and_closes_it(
    touched: tuple[Page, Fingers], home: Path
) -> None:
    page, fingers = touched
    lane = Lane(page, home, "chords")
    page.keyboard.press("d")
    for beat, symbol in ((0, "F"), (4, "G")):
        fingers.drag(lane.point(beat + 0.1, None), lane.point(beat + 2.9, None))
        palette = page.locator("inlay-timeline .palette")
        chip = palette.locator(f"[data-chord={symbol}]").first.bounding_box()
        assert chip
        fingers.down(chip["x"] + chip["width"] / 2, chip["y"] + chip["height"] / 2)
        fingers.up()
        expect(palette).to_have_count(0)
    assert lane.saved == [(0, 3, "F"), (4, 7, "G")]


def test_a_finger_that_meets_a_note_by_a_few_pixels_moves_and_resizes_it(
    touched: tuple[Page, Fingers], home: Path
) -> None:
    page, fingers = touched
    line = Lane(page, home, "melody")
    page.keyboard.press("d")
    fingers.drag(line.point(1.1, 64), line.point(4.9, 64))
    assert line.saved == [(1, 5, 64)]
    page.keyboard.press("v")
    (x, y), (wider, _) = line.point(5, 64), line.point(7, 64)
    fingers.drag((x - 12, y + 9), (wider, y + 9))  # a row and a half beside it, and not at its very edge
    assert line.saved == [(1, 7, 64)]
    page.keyboard.press("d")
    fingers.drag(line.point(1.1, 65), line.point(2.9, 65))  # the row beside it is another note
    assert line.saved == [(1, 3, 65), (3, 7, 64)]


def zoom_in(page: Page, times: int) -> None:
    """Zooms by keys, then to the beginning."""
    page.locator("inlay-timeline .board").focus()
    for _ in range(times):
        page.keyboard.press("+")
    page.evaluate("(({ timeline: t }) => t.setView({ ...t.view, start: 0 }))(window.inlay.desk)")


def test_the_wheel_scrolls_time_and_pitches(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    zoom_in(page, 5)
    page.locator("inlay-timeline .audio").hover()
    page.mouse.wheel(0, 120)
    page.wait_for_function("window.inlay.desk.timeline.view.start > 0")
    pps = view(page)["pps"]
    assert view(page)["start"] == pytest.approx(120 / pps, rel=0.01)
    top = state(page, "timeline.melody.top")
    page.locator("inlay-timeline .melody-head .keys").hover()
    page.mouse.wheel(0, -120)
    page.wait_for_function(f"window.inlay.desk.timeline.melody.top !== {top}")
    assert view(page)["pps"] == pps
    page.locator("inlay-timeline [data-action=fit]").click()
    assert view(page)["start"] == 0


def test_a_note_is_dragged_while_words_of_the_page_are_selected(page: Page, melody: Lane) -> None:
    page.evaluate(
        "window.inlay.desk.editLane('draw_notes', 'melody', [{ id: 'n1', start: 1, end: 3, pitch: 64 }])"
    )
    assert melody.saved == [(1, 3, 64)]
    page.evaluate("document.execCommand('selectAll')")
    melody.drag((2, 64), (4, 64))  # and not the words, as the browser would
    assert melody.saved == [(3, 5, 64)]


def test_the_minimap_is_dragged(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    zoom_in(page, 4)
    box = page.locator("inlay-timeline .minimap").bounding_box()
    assert box
    page.mouse.move(box["x"] + 10, box["y"] + 10)
    page.mouse.down()
    page.mouse.move(box["x"] + 10 + box["width"] / 4, box["y"] + 10, steps=5)
    page.mouse.up()
    assert view(page)["start"] == pytest.approx(1, abs=0.01)  # a quarter of four seconds


def test_a_double_click_takes_the_bar(page: Page, home: Path, song_file: Path) -> None:
    upload(page, song_file)
    lane = page.locator("inlay-timeline .audio").bounding_box()
    assert lane
    page.mouse.dblclick(lane["x"] + lane["width"] * 0.6, lane["y"] + 60)
    assert spans(page, home) == [(2, 4, True)]


def test_a_drag_chooses_many_chords_and_keys_move_them(page: Page, chords: Lane) -> None:
    page.evaluate(
        """window.inlay.desk.editLane('draw_chords', 'chords', ['C', 'F', 'G'].map((symbol, i) =>
          ({ id: `c${i}`, start: 2 * i, end: 2 * i + 2, symbol })))"""
    )
    chords.drag((10, None), (2.5, None))
    page.keyboard.press("ArrowRight")
    assert chords.saved == [(0, 2, "C"), (3, 5, "F"), (5, 7, "G")]
    page.keyboard.press("ArrowUp")
    assert [symbol for _, _, symbol in chords.saved] == ["C", "F#", "Ab"]  # as the models spell it
    page.keyboard.press("x")
    chords.drag((0.5, None), (6, None))  # erases what it passes over
    assert chords.saved == []
    assert state(page, "doc.undo") == "erase chords"


def test_a_drag_chooses_many_notes_and_a_menu_moves_the_line(page: Page, melody: Lane) -> None:
    page.evaluate(
        """window.inlay.desk.editLane('draw_notes', 'melody', [60, 64, 67].map((pitch, i) =>
          ({ id: `n${i}`, start: i, end: i + 0.5, pitch })))"""
    )
    melody.drag((4, 70), (0.8, 62))
    expect(page.locator("inlay-timeline .summary")).to_contain_text("2 notes")
    page.keyboard.press("Shift+ArrowDown")
    assert [pitch for _, _, pitch in melody.saved] == [60, 52, 55]
    page.locator("inlay-timeline [data-menu=melody]").click()
    page.get_by_role("button", name="Octave up").click()
    assert [pitch for _, _, pitch in melody.saved] == [72, 64, 67]


def test_sixteenths_swing_and_drums_go_to_midi(page: Page, drums: Lane, tmp_path: Path) -> None:
    for step in range(4):
        drums.click(step / 4 + 0.05, 2)
    page.locator("inlay-timeline [data-menu=drums]").click()
    menu = page.get_by_role("dialog", name="Drum lane")
    menu.get_by_label("Swing of").select_option("0.5")
    slider = menu.get_by_label("Swing in percent")
    slider.fill("75")
    expect(menu).to_contain_text("75 %")
    assert [time for time, _ in drums.saved] == [0, 0.375, 0.5, 0.875]
    with page.expect_download() as download:
        menu.get_by_role("button", name="Save MIDI").click()
    out = tmp_path / "drums.mid"
    download.value.save_as(out)
    [kit] = pretty_midi.PrettyMIDI(str(out)).instruments
    assert kit.is_drum
    assert [note.start for note in kit.notes] == pytest.approx([0, 0.1875, 0.25, 0.4375], abs=0.003)  # a tick


def test_a_lane_is_silenced_by_its_menu(page: Page) -> None:
    page.locator("inlay-timeline [data-menu=melody]").click()
    menu = page.get_by_role("dialog", name="Melody lane")
    menu.get_by_role("button", name="Heard when the lanes play").click()
    toggle = menu.get_by_role("button", name="Silent when the lanes play")
    expect(toggle).to_be_focused()
    expect(page.locator("inlay-timeline .melody-head [data-mute]")).to_have_attribute("aria-pressed", "false")
    toggle.click()
    assert page.evaluate("window.inlay.desk.synth.muted.size") == 0


def test_half_a_beat_and_the_grid_from_the_rulers_menu(page: Page, home: Path, song_file: Path) -> None:
    upload(page, song_file)
    page.locator("inlay-timeline [data-menu=grid]").click()
    menu = page.get_by_role("dialog", name="Beat grid")
    menu.get_by_label("Time signature").select_option("3")
    menu.get_by_label("Key").select_option("Bb minor")
    menu.get_by_role("button", name="Half").click()
    page.keyboard.press("Escape")
    page.wait_for_function("window.inlay.desk.settled")
    saved = project(page, home)
    assert (saved["grid"]["beats_per_bar"], saved["grid"]["bpm"], saved["key"]) == (3, 60, "Bb minor")
    expect(page.locator("#signature input")).to_have_value("3/4")
    expect(page.locator("#key input")).to_have_value("Bb minor")
    page.locator("inlay-timeline .snap select").select_option("half")
    drag_span(page, 0.6, 2.4)
    assert spans(page, home) == [(0.5, 2.5, True)]
