"""What a broken or hostile page may send, and names that are code: the project stays, nothing is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.test_access import drawn
from tests.browser.test_edit import state, upload
from tests.browser.test_lanes import project

CODE = "<img src=x onerror=window.hacked=1>"
HUGE = "1e309"  # JSON knows no infinity; a browser reads this as one


BAD_EDITS = (
    ("draw_notes", '{ melody: [{ id: "x", start: 0, end: -1, pitch: 60 }], remove: [] }'),
    ("draw_notes", '{ melody: [{ id: "x", start: 0, end: 1, pitch: 1e6 }], remove: [] }'),
    ("draw_notes", f'{{ melody: [{{ id: "x", start: {HUGE}, end: 1, pitch: 60 }}], remove: [] }}'),
    ("draw_hits", '{ drums: [{ id: "x", time: "soon", drum: "kick" }], remove: [] }'),
    ("draw_hits", '{ drums: [{ id: "x", time: 1, drum: "__proto__" }], remove: [] }'),
    ("draw_chords", '{ chords: [{ id: "../../x", start: 0, end: 4, symbol: "C" }], remove: [] }'),
    ("draw_chords", f'{{ chords: [{{ id: "x", start: 0, end: 4, symbol: "{CODE}" }}], remove: [] }}'),
    ("draw_chords", '{ chords: "all of them", remove: [] }'),
    ("set_span", '{ id: "s", start: "0", end: 3 }'),
    ("set_grid", "{ bpm: 0 }"),
    ("set_grid", "{ beats_per_bar: 1.5 }"),
    ("keep", '{ id: "../../../etc/passwd" }'),
    ("no_such_command", "{}"),
    ("set_key", '{ key: "H dur" }'),
)
NO_EVENTS = ("[]", "'edit'", "{ rev: -1, name: 'keep', payload: {} }", "{ rev: 'x' }")


def test_bad_edits_are_refused_in_words(page: Page, home: Path, song_file: Path) -> None:
    drawn(page, song_file)
    for bpm, (name, payload) in enumerate(BAD_EDITS, 81):
        before = project(page, home)
        page.evaluate(f"window.inlay.desk.edit('{name}', {payload})")
        page.wait_for_function("window.inlay.desk.settled && window.inlay.desk.doc.error")
        error = state(page, "doc.error")
        assert "\n" not in error and "Traceback" not in error and len(error) < 400, (name, payload)
        expect(page.locator("inlay-timeline .notice"), payload).not_to_be_empty()
        assert project(page, home) == before, (name, payload)
        page.evaluate(f"window.inlay.desk.setGrid({{ bpm: {bpm} }})")  # and the page goes on
        page.wait_for_function("window.inlay.desk.settled && !window.inlay.desk.doc.error")
        assert project(page, home)["grid"]["bpm"] == bpm, (name, payload)
    assert page.evaluate("window.hacked") is None


def test_events_that_are_none_are_refused(page: Page, home: Path, song_file: Path) -> None:
    drawn(page, song_file)
    before = project(page, home)
    page.evaluate("Object.getPrototypeOf(window.inlay.desk).answer = async () => {}")
    for data in NO_EVENTS:
        page.locator("inlay-timeline .notice").evaluate("(notice) => { notice.textContent = ''; }")
        page.evaluate(f"window.inlay.desk.send('edit', {data}); 0")
        expect(page.locator("inlay-timeline .notice"), data).to_contain_text("vent")
        assert project(page, home) == before, data


def test_names_that_are_code_are_words(page: Page, home: Path, song_file: Path, tmp_path: Path) -> None:
    file = tmp_path / f"{CODE.replace('/', '')}.wav"
    file.write_bytes(song_file.read_bytes())
    upload(page, file)
    page.locator("#name input").fill(CODE)
    page.locator("#name input").blur()
    page.locator("#prompt textarea").fill(CODE)
    page.locator("#prompt textarea").blur()
    page.wait_for_function("['prompt', 'rename'].includes(window.inlay.desk.doc.undo)")
    page.locator("#project").click()
    page.locator("dialog.inlay-sheet").wait_for()
    page.keyboard.press("Escape")
    page.locator("inlay-timeline .chords").dblclick(position={"x": 60, "y": 20})
    field = page.locator("inlay-timeline .palette input")
    field.fill(CODE)
    field.press("Enter")
    page.keyboard.press("Escape")
    page.reload()
    page.wait_for_function("window.inlay?.desk.doc.clip && window.inlay.desk.pyramid('base')")
    expect(page.locator("#name input")).to_have_value(CODE)
    saved: dict[str, Any] = project(page, home)
    assert saved["name"] == CODE
    assert page.evaluate("window.hacked") is None
    assert page.locator("img[src=x]").count() == 0
