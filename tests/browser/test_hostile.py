"""What a broken or hostile page may send, and names that are code: the project stays, nothing is run."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Page, expect

from tests.browser.test_access import drawn
from tests.browser.test_edit import drawn as shown
from tests.browser.test_edit import state, upload
from tests.browser.test_lanes import project

CODE = "<img src=x onerror=window.hacked=1>"
SLY = CODE + "\"' onmouseover='window.hacked=1' </style></textarea>&lt;${window.hacked=1}{{7*7}}"
HOSTILE = Path(__file__).with_name("hostile.js").read_text("utf-8").strip()
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


MENUS = (
    ("sections.menu.open(desk.doc.sections[0], timeline.board)", ".section-menu h2"),
    ("band.adding.open(timeline.board)", ".band-add [role=option]"),
    ("band.menu.open(desk.doc.band[0].name, { start: 0, end: 4 }, {})", ".band-menu h2"),
)
DIALOGS = (
    ("room('takes/take-sheet.js').then((all) => all.showTake(desk.group.tracks[1]))", ".inlay-sheet dd"),
    ("room('takes/take-sheet.js').then((all) => all.showTree())", ".inlay-sheet .tree"),
    ("room('shell/project-menu.js').then((all) => all.showHeld('', desk.group.label))", ".inlay-sheet p"),
    ("tell('projects')", ".inlay-sheet .projects b"),
    ("tell('about', { page: 'parts' })", ".inlay-about .parts b"),
)


def test_nothing_that_is_shown_is_markup(page: Page, song_file: Path) -> None:
    """Every string of the server, in every view, dialog and menu: shown to the letter, and no more."""
    drawn(page, song_file)

    def does(what: str) -> Any:
        return page.evaluate(f"(code) => {{ const {{ desk }} = window.inlay, on = {HOSTILE}; {what} }}", SLY)

    def shows(*places: str) -> None:
        for place in places:
            expect(page.locator(place).first, place).to_contain_text(SLY)
        shown(page)
        assert does("return on.strays()") == []
        assert page.evaluate("window.hacked") is None

    does("on.documentOf(code)")
    does("on.takesOf(code)")
    does("on.answersOf(code)")
    shows("inlay-timeline .notice", "inlay-timeline .section b", "inlay-note p", "inlay-words li")
    shows("#intent-reason", *(f"inlay-takes .strip {part}" for part in ("h2", ".card .name", ".card .whole")))
    shows("inlay-takes .card.failed .say", "inlay-takes .card .words span[title]")
    does("desk.timeline.palette.open(desk.doc.chords[0], desk.timeline.board)")
    shows()
    page.keyboard.press("Escape")
    for opens, place in MENUS:
        does(f"const {{ timeline }} = desk; timeline.{opens}")
        shows(f"inlay-timeline {place}")
        page.keyboard.press("Escape")
    page.locator("inlay-model button").locator("visible=true").first.click()
    shows("dialog.inlay-models h3", "dialog.inlay-models li li", "dialog.inlay-models option")
    shows("dialog.inlay-models .err span", "dialog.inlay-models .licence p", "dialog.inlay-models > header")
    page.keyboard.press("Escape")
    for opens, place in DIALOGS:
        does(f"return {'desk' if opens.startswith('tell') else 'on'}.{opens}")
        shows(f"dialog{place}")
        page.keyboard.press("Escape")
    does("desk.setView('listen')")
    shows("inlay-takes .listen .asked b", "inlay-takes .listen .row .wish", "inlay-takes .row .right .say")
    does("desk.setView('blind')")
    shows("inlay-takes .blind .means td")


def test_a_browser_reads_what_was_written(page: Page, address: str) -> None:
    """The page's own markup, read by a browser: the elements that were written, and every letter."""
    page.goto(address)
    page.wait_for_function("window.inlay?.desk.timeline")
    pieces = [
        SLY,
        *"<>&\"'`=/\0\t",
        "<b>",
        "</p>",
        "&lt;",
        "<!--",
        "-->",
        "]]>",
        "<svg/onload=1>",
        "\r\n",
        "\U0001f3b5",
    ]
    assert page.evaluate(f"(pieces) => {HOSTILE}.misread(pieces)", pieces) == []


def test_a_clip_that_is_damaged_leaves_a_page_that_works(page: Page, home: Path, song_file: Path) -> None:
    drawn(page, song_file)
    saved = project(page, home)
    (home / state(page, "doc.project") / saved["clip"]["file"]).write_bytes(b"no audio any more")
    page.reload()
    page.wait_for_function("window.inlay?.desk.doc.clip && window.inlay.desk.settled")
    expect(page.locator("inlay-timeline .notice")).to_contain_text("damaged")
    page.evaluate("window.inlay.desk.setGrid({ bpm: 93 })")
    page.wait_for_function("window.inlay.desk.settled && window.inlay.desk.doc.grid.bpm === 93")
    assert project(page, home)["grid"]["bpm"] == 93
    for button in ("#undo", "#redo"):
        page.locator(button).click()
    page.wait_for_function("window.inlay.desk.settled && window.inlay.desk.doc.grid.bpm === 93")
    upload(page, song_file)  # the same file again: it is stored by its content, and mends the old one
    page.wait_for_function("window.inlay.desk.pyramid('base')")
