"""Takes and listening side by side by mouse and keyboard, on the page and in the saved project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_edit import drag_span, inpaint, settled, state, upload


def saved(page: Page, home: Path) -> dict[str, Any]:
    """The project on disk."""
    document = json.loads((home / state(page, "doc.project") / "project.json").read_text())
    project: dict[str, Any] = document["project"]
    return project


def until_undo(page: Page, label: str) -> None:
    page.wait_for_function("(label) => window.inlay.desk.doc.undo === label", arg=label)


def press(page: Page, key: str) -> None:
    """A key, with the focus in no field."""
    page.locator("inlay-timeline .board").focus() if state(page, "view") == "edit" else None
    page.keyboard.press(key)


@pytest.fixture
def takes(page: Page, song_file: Path) -> Page:
    """A tab with a span and three takes of it."""
    upload(page, song_file)
    drag_span(page, 1.02, 1.98)
    inpaint(page)
    page.wait_for_function("window.inlay.desk.player.tracks.size === 5")
    return page


def test_a_take_is_starred_named_deleted_and_nothing_is_lost(takes: Page, home: Path) -> None:
    page = takes
    first = page.locator("inlay-takes .card", has_text="AR")
    first.locator("[data-act=star]").click()
    until_undo(page, "star take")
    expect(first.locator(".star")).to_have_attribute("aria-pressed", "true")
    press(page, "1")
    press(page, "*")  # by key: the star goes
    page.wait_for_function("window.inlay.desk.group.tracks[1].starred === false")
    first.locator("[data-act=sheet]").click()
    sheet = page.locator("dialog.inlay-sheet")
    expect(sheet).to_contain_text("Temperature")
    expect(sheet).to_contain_text("Seam at 1.00 s")
    expect(sheet).to_contain_text("Time, sample")
    sheet.locator("input").fill("The one")
    sheet.locator("input").press("Enter")
    until_undo(page, "rename take")
    expect(page.locator("inlay-takes .card .name", has_text="The one")).to_have_count(1)
    page.locator("inlay-takes .card", has_text="The one").locator("[data-act=sheet]").click()
    sheet.locator("[data-act=delete]").click()
    until_undo(page, "delete take")
    expect(page.locator("inlay-takes .card")).to_have_count(3)
    assert [(take["name"], take["deleted"]) for take in saved(page, home)["takes"]][0] == ("The one", True)
    page.locator("inlay-takes .tree").click()
    sheet.locator(".deleted button").click()
    until_undo(page, "restore take")
    expect(page.locator("inlay-takes .card")).to_have_count(4)
    press(page, "Control+z")  # deleted again
    expect(page.locator("inlay-takes .card")).to_have_count(3)
    press(page, "Control+z")
    expect(page.locator("inlay-takes .card .name", has_text="The one")).to_have_count(1)


def test_again_is_the_same_take_and_another_seed_is_a_new_one(takes: Page, home: Path) -> None:
    page = takes
    press(page, "2")
    press(page, "r")  # FM again: the same audio, so no second take
    settled(page)
    expect(page.locator("#status")).to_contain_text("The same as FM seed 0, sample for sample")
    assert len(saved(page, home)["takes"]) == 3
    press(page, "2")
    press(page, "e")
    settled(page)
    made = saved(page, home)["takes"]
    assert [(take["engine"], take["seed"]) for take in made][3] == ("fm", 1)
    assert made[1]["file"] != made[3]["file"] and made[1]["first"] == made[3]["first"] == 44_100
    page.locator("#variations label", has_text="2").click()
    until_undo(page, "variations")
    for engine in ("ar", "fm-zero-shot"):
        page.locator(f"#engine-{engine} input").uncheck()
    page.locator("#seed input").fill("7")
    inpaint(page)
    assert [take["seed"] for take in saved(page, home)["takes"]][4:] == [7, 8]


def test_keeping_grows_a_tree_that_leads_back(takes: Page, home: Path) -> None:
    page = takes
    for digit in "12":
        press(page, digit)
        press(page, "k")
        page.wait_for_function(f"window.inlay.desk.group.tracks[{digit}].kept")
    assert [version["parent"] for version in saved(page, home)["versions"]] == [None, "v1", "v1"]
    page.locator("inlay-takes .tree").click()
    tree = page.locator("dialog.inlay-sheet .tree")
    expect(tree.locator("ul ul > li")).to_have_count(2)
    expect(tree.locator("[aria-current=true]")).to_contain_text("FM")
    tree.locator("button", has_text="my song.wav").click()
    until_undo(page, "go to version")
    project = saved(page, home)
    assert project["clip"]["patches"] == [] and project["kept"] is None and len(project["takes"]) == 3


def test_listen_side_by_side(takes: Page) -> None:
    page = takes
    press(page, "c")
    rows = page.locator("inlay-takes .row[aria-label]")
    expect(rows).to_have_count(4)  # the original and three takes
    assert state(page, "loop") == {"start": 0, "end": 4}
    page.locator("inlay-takes .around select").select_option("1")
    assert state(page, "loop") == {"start": 0, "end": 3}
    page.locator("inlay-takes .picks button").nth(2).click()  # ZS away
    expect(rows).to_have_count(3)
    page.keyboard.press("3")  # and back by its digit
    expect(rows).to_have_count(4)
    assert state(page, "track.engine") == "fm-zero-shot"
    page.keyboard.press("m")
    expect(page.locator("inlay-takes .match")).to_have_attribute("aria-checked", "true")
    expect(page.locator("inlay-takes .match .target")).to_contain_text("LUFS")
    page.keyboard.press("o")  # its span alone
    page.wait_for_function("window.inlay.desk.player.playing")
    assert state(page, "loop") == {"start": 1, "end": 2}
    page.keyboard.press("o")
    page.keyboard.press(" ")
    change = page.locator("inlay-takes .row.change")
    expect(change).to_contain_text("What take 3 changed")
    page.wait_for_function(
        """() => {
          const canvas = window.inlay.desk.takes.find('.row.change canvas');
          const view = window.inlay.desk.takes.rows.view();
          const ratio = canvas.width / canvas.clientWidth;
          const sum = (from, to) => {
            const [a, b] = [from, to].map((time) => Math.round((time - view.start) * view.pps * ratio));
            const { data } = canvas.getContext('2d').getImageData(a, 0, b - a, canvas.height);
            return data.reduce((total, value, i) => total + (i % 4 < 3 ? value : 0), 0);
          };
          return sum(1.1, 1.9) > 100000 && sum(0.2, 0.9) === 0 && sum(2.1, 2.9) === 0;
        }"""
    )  # the picture is lit inside the span, and black outside
    page.keyboard.press("y")
    expect(change).to_be_hidden()
    page.locator("inlay-takes [data-act=spectra]").click()
    expect(page.locator("inlay-takes [data-act=spectra]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Delete")
    expect(rows).to_have_count(3)
    page.keyboard.press("Control+z")
    expect(rows).to_have_count(4)
