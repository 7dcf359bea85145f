"""Sections by mouse and keyboard: named, repeated and moved with sound and lanes, and re-made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
from playwright.sync_api import Page, expect

from editor.project.disk import sounds, storage
from engines.audio.recording import Recording, from_float, write_recording
from tests.browser.test_edit import drag_span, settled, state, upload
from tests.browser.test_lanes import project as project_of
from tests.test_song_form import RATE as FORM_RATE
from tests.test_song_form import song as form

SETTLED = "window.inlay.desk.settled"
# Nothing reaches the server until `go()`.
HELD = """() => {
  const { fetch } = window;
  const gate = new Promise((go) => { window.go = go; });
  window.fetch = async (...sent) => {
    if (String(sent[0]).includes('queue/join')) await gate;
    return fetch(...sent);
  };
}"""


def names(page: Page) -> list[list[Any]]:
    found: list[list[Any]] = state(page, "doc.sections.map(({ name, start, end }) => [name, start, end])")
    return found


def test_a_section_is_named_repeated_moved_and_undone(
    page: Page, song_file: Path, song: Recording, home: Path
) -> None:
    upload(page, song_file)
    row = page.locator("inlay-timeline .sections")
    page.evaluate("window.inlay.desk.setGrid({ bpm: 240 })")  # bars of a second
    expect(row).to_be_hidden()
    drag_span(page, 1.02, 1.98)
    page.locator("inlay-timeline .ruler-head button").click()
    page.locator("inlay-timeline [data-act=add-section]").click()
    expect(row.locator(".section")).to_have_text("Intro1 bar")
    row.locator(".section").click(button="right")
    menu = page.locator("inlay-timeline .section-menu")
    expect(menu.locator("h2")).to_contain_text("Intro, bar 2")
    menu.locator("[data-name=Chorus]").click()
    page.evaluate("window.inlay.desk.setRegion(null)")
    row.locator(".section").click(position={"x": 60, "y": 10})
    assert state(page, "doc.region") == {"start": 1, "end": 2}  # a click is the span over it
    assert names(page) == [["Chorus", 1, 2]]
    page.evaluate(
        "window.inlay.desk.edit('draw_hits', { drums: [{ id: 'h1', time: 4, drum: 'kick' }], remove: [] },"
        " { drums: [{ id: 'h1', time: 4, drum: 'kick' }] })"
    )
    page.wait_for_function(SETTLED)
    steps = state(page, "doc.past")

    row.locator(".section").focus()
    page.keyboard.press("Control+d")
    page.wait_for_function("window.inlay.desk.doc.sections.length === 2")
    assert names(page) == [["Chorus", 1, 2], ["Chorus", 2, 3]]
    page.wait_for_function(SETTLED)
    assert names(page) == [["Chorus", 1, 2], ["Chorus", 2, 3]]
    assert state(page, "doc.past") == steps + 1 and state(page, "doc.undo") == "repeat section"
    page.wait_for_function(
        "Math.abs(window.inlay.desk.duration - 5) < 1e-6 && window.inlay.desk.pyramid('base')"
    )
    assert sorted(hit["time"] for hit in state(page, "doc.drums")) == [4, 8]
    folder = home / state(page, "doc.project")
    clip = storage.open_project(folder).project.clip
    assert clip
    s, r = song.samples, song.rate
    assert np.array_equal(sounds.read_sound(folder, clip.sound).samples, np.concatenate([s[: 2 * r], s[r:]]))

    first, last = row.locator(".section").first.bounding_box(), row.locator(".section").last.bounding_box()
    assert first and last
    y = first["y"] + 10
    page.mouse.move(first["x"] + 40, y)  # the first one is dragged behind the second
    page.mouse.down()
    page.mouse.move(last["x"] + 20, y, steps=3)
    page.mouse.move(last["x"] + 44, y, steps=3)
    expect(row.locator(".drop")).to_have_count(1)
    page.mouse.up()
    page.wait_for_function("window.inlay.desk.doc.undo === 'move section'")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    page.wait_for_function(SETTLED)
    assert names(page) == [["Chorus", 1, 2]] and [h["time"] for h in state(page, "doc.drums")] == [4]
    page.wait_for_function("Math.abs(window.inlay.desk.duration - 4) < 1e-6")
    row.locator(".section").focus()
    page.keyboard.press("Enter")
    menu.locator("[data-act=remove]").click()
    expect(row).to_be_hidden()
    assert project_of(page, home)["sections"] == []


def test_a_moved_section_stands_in_its_new_place_at_once_and_its_sound_follows(
    page: Page, song_file: Path, song: Recording, home: Path
) -> None:
    upload(page, song_file)
    page.evaluate("window.inlay.desk.setGrid({ bpm: 240 })")  # bars of a second
    page.evaluate(
        """for (const [id, name, start, end] of [['b1', 'Verse', 0, 1], ['b2', 'Chorus', 1, 3]]) {
          const section = { id, name, start, end };
          const { desk } = window.inlay;
          desk.edit('add_section', section, { sections: [...desk.doc.sections, section] });
        }"""
    )
    page.wait_for_function(SETTLED)
    row = page.locator("inlay-timeline .sections .section")
    expect(row).to_have_count(2)
    page.evaluate(HELD)
    first, last = row.first.bounding_box(), row.last.bounding_box()
    assert first and last
    y = first["y"] + 10
    page.mouse.move(first["x"] + 40, y)
    page.mouse.down()
    page.mouse.move(last["x"] + 20, y, steps=3)
    page.mouse.move(last["x"] + 0.7 * last["width"], y, steps=3)
    page.mouse.up()
    moved = [["Chorus", 0, 2], ["Verse", 2, 3]]
    assert names(page) == moved
    expect(row.first).to_contain_text("Chorus")
    page.keyboard.press("Control+z")
    assert names(page) == [["Verse", 0, 1], ["Chorus", 1, 3]]  # of a step that the server has not made yet
    page.keyboard.press("Control+Shift+z")
    assert names(page) == moved
    page.evaluate("window.go()")
    page.wait_for_function(SETTLED)
    folder = home / state(page, "doc.project")
    project = storage.open_project(folder).project
    assert [[one.name, one.start, one.end] for one in project.sections] == names(page) == moved
    s, r = song.samples, song.rate
    assert project.clip
    sound = sounds.read_sound(folder, project.clip.sound).samples
    assert np.array_equal(sound, np.concatenate([s[r : 3 * r], s[:r], s[3 * r :]]))


def test_a_section_is_re_made_and_repeated_with_changes(page: Page, song_file: Path, home: Path) -> None:
    upload(page, song_file)
    page.evaluate("window.inlay.desk.setGrid({ bpm: 240 })")
    page.evaluate(
        "window.inlay.desk.edit('add_section', { id: 'b1', name: 'Verse', start: 1, end: 2 },"
        " { sections: [{ id: 'b1', name: 'Verse', start: 1, end: 2 }] })"
    )
    page.locator("inlay-timeline .section .more").click()
    page.locator("inlay-timeline [data-act=remake]").click()
    settled(page)
    takes = state(page, "group.tracks.filter(({ kind }) => kind === 'take').map(({ region }) => region)")
    assert takes and all(take == {"start": 1, "end": 2} for take in takes)
    page.locator("inlay-timeline .section").focus()
    page.keyboard.press("Control+Shift+D")
    settled(page)
    project = project_of(page, home)
    assert [(s["name"], s["start"], s["end"]) for s in project["sections"]] == [
        ("Verse", 1, 2),
        ("Verse", 2, 3),
    ]
    new = [take for take in project["takes"] if take["region"]["start"] == 2]
    assert len(new) == 3 and project["clip"]["seconds"] == 5
    span = next(span for span in project["spans"] if span["id"] == project["active"])
    assert (span["start"], span["end"], span["intent"]) == (2, 3, "change")
    with page.expect_download() as download:
        page.locator("inlay-timeline .section").last.focus()
        page.keyboard.press("Control+e")
    assert download.value.suggested_filename == "my song Verse.wav"


def test_sections_are_found_where_a_clip_changes(page: Page, song_file: Path, tmp_path: Path) -> None:
    upload(page, song_file)
    page.locator("inlay-timeline .ruler-head button").click()
    expect(page.locator("inlay-timeline [data-act=add-section]")).to_be_visible()
    expect(page.locator("inlay-timeline [data-act=find-sections]")).to_have_count(0)  # too short
    page.keyboard.press("Escape")
    page.evaluate("window.inlay.desk.setGrid({ bpm: 150 })")
    path = tmp_path / "form.wav"
    write_recording(path, from_float(form("verse", "chorus", "verse", "chorus"), FORM_RATE))
    with page.expect_file_chooser() as chooser:
        page.locator("inlay-timeline .audio-head button:not([data-action])").locator(
            "visible=true"
        ).first.click()
    chooser.value.set_files(path)
    page.wait_for_function("window.inlay.desk.doc.clip?.seconds > 50 && window.inlay.desk.settled")
    steps = state(page, "doc.past")
    page.locator("inlay-timeline .ruler-head button").click()
    page.locator("inlay-timeline [data-act=find-sections]").click()
    row = page.locator("inlay-timeline .sections .section")
    expect(row).to_have_count(4)
    notice = page.locator("inlay-timeline .notice")
    expect(notice).to_contain_text("4 sections were found. Their names are a guess")
    assert names(page) == [["Verse", 0, 8], ["Chorus", 8, 16], ["Verse", 16, 24], ["Chorus", 24, 32]]
    page.wait_for_function(SETTLED)
    assert state(page, "doc.past") == steps + 1 and state(page, "doc.undo") == "find sections"
    expect(notice).to_contain_text("4 sections")  # answers come and go; it stays to be read
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("Control+z")
    page.wait_for_function("window.inlay.desk.doc.sections.length === 0")
    expect(notice).to_have_text("")
