"""Takes, listening, blind rounds and projects by mouse and keyboard, on the page and in the saved project."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable
from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from editor.project.disk import library
from tests.browser.test_edit import drag_span, inpaint, settled, state, upload
from tests.browser.test_lanes import project as saved


def until_undo(page: Page, label: str) -> None:
    page.wait_for_function("(label) => window.inlay.desk.doc.undo === label", arg=label)


def press(page: Page, key: str) -> None:
    """A key, with the focus in no field."""
    page.locator("inlay-timeline .board").focus() if state(page, "view") == "edit" else None
    page.keyboard.press(key)


@pytest.fixture(scope="session")
def made() -> list[Path]:
    """Folders of projects that a test has made and others copy."""
    return []


@pytest.fixture
def takes(page: Page, song_file: Path, home: Path, made: list[Path]) -> Page:
    """A tab with a span and three takes of it: a copy of what the first test has made."""
    if not made:
        upload(page, song_file)
        drag_span(page, 1.02, 1.98)
        inpaint(page)
        made.append(library.duplicate(home / state(page, "doc.project"), "my song").folder)
    copy = library.duplicate(made[0], "my song").folder.name
    page.evaluate("(folder) => window.inlay.desk.projectEvent({ action: 'open', folder, rev: 0 })", copy)
    page.wait_for_function(
        "(name) => window.inlay.desk.doc.project === name && window.inlay.desk.player.tracks.size === 5",
        arg=copy,
    )
    return page


def test_a_take_is_starred_named_deleted_and_nothing_is_lost(takes: Page, home: Path) -> None:
    page = takes
    first = page.locator("inlay-takes .card", has_text="AR")
    first.locator("[data-act=star]").click()
    until_undo(page, "star take")
    expect(first.locator(".star")).to_have_attribute("aria-pressed", "true")
    press(page, "2")
    press(page, "*")  # by key: the star goes
    page.wait_for_function("window.inlay.desk.group.tracks[2].starred === false")
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
    told = {take["engine"]: (take["name"], take["deleted"]) for take in saved(page, home)["takes"]}
    assert told["ar"] == ("The one", True)
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
    press(page, "1")
    press(page, "r")  # FM again: the same audio, so no second take
    settled(page)
    expect(page.locator("#status")).to_contain_text("The same as FM seed 0, sample for sample")
    assert len(saved(page, home)["takes"]) == 3
    press(page, "1")
    press(page, "e")
    settled(page)
    made = saved(page, home)["takes"]
    assert [(take["engine"], take["seed"]) for take in made][3] == ("fm", 1)
    assert made[0]["file"] != made[3]["file"] and made[0]["first"] == made[3]["first"] == 44_100
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
    expect(tree.locator("[aria-current=true]")).to_contain_text("AR")
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
    switch = page.locator("inlay-takes .match").locator("visible=true")  # the strip of Edit has one too
    expect(switch).to_have_attribute("aria-checked", "true")
    expect(switch.locator(".target")).to_contain_text("LUFS")
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


def test_a_blind_round_from_the_first_note_to_the_table(takes: Page, home: Path) -> None:
    page = takes
    page.locator("#view label", has_text="Blind test").click()
    letters = page.locator("inlay-takes .letter")
    expect(letters).to_have_count(3)
    words = page.locator("inlay-takes .blind").inner_text()
    assert not any(tag in words.split() for tag in ("AR", "FM", "ZS")) and "seed" not in words
    vote = page.locator("inlay-takes [data-act=cast]")
    expect(vote).to_be_disabled()
    expect(page.locator("inlay-takes #why")).to_have_text("Hear and rate takes A, B and C to vote")
    expect(letters.nth(0).locator(".ten button").first).to_be_disabled()
    page.keyboard.press("1")  # would tell who is who
    assert state(page, "track") is None or state(page, "track.kind") == "original"
    for place, letter in enumerate("abc"):
        page.keyboard.press(letter)
        expect(letters.nth(place).locator(".ten button").first).to_be_enabled(timeout=60_000)
    page.keyboard.press(" ")
    for place in range(3):
        letters.nth(place).locator("[data-scale=smoothness][data-value='3']").click()
        page.keyboard.press(str(place + 5))  # the focused scale by key
        chosen = letters.nth(place).locator("[data-scale=smoothness][aria-checked=true]")
        expect(chosen).to_have_text(str(place + 5))
        letters.nth(place).locator("[data-scale=match][data-value='8']").click()
        page.keyboard.press("0")
        expect(letters.nth(place).locator("[data-scale=match][aria-checked=true]")).to_have_text("10")
    page.reload()
    page.wait_for_function("window.inlay?.desk.group?.tracks.length === 4")
    page.locator("#view label", has_text="Blind test").click()
    expect(vote).to_be_enabled()  # a reload keeps the ratings
    vote.click()
    expect(page.locator("inlay-takes h1")).to_have_text("Revealed")
    page.wait_for_function("window.inlay.desk.rounds === 1")
    (round_,) = saved(page, home)["rounds"]
    assert sorted(rating["engine"] for rating in round_["ratings"]) == ["ar", "fm", "fm-zero-shot"]
    assert [rating["smoothness"] for rating in round_["ratings"]] == [5, 6, 7]
    assert round_["region"] == {"start": 1, "end": 2} and round_["matched"]
    shown = [letter.inner_text() for letter in page.locator("inlay-takes .letter .tag").all()]
    tags = {"ar": "AR", "fm": "FM", "fm-zero-shot": "ZS"}
    assert shown == [tags[rating["engine"]] for rating in round_["ratings"]]
    expect(page.locator("inlay-takes .means table tbody tr")).to_have_count(3)
    with page.expect_download() as download:
        page.locator("inlay-takes [data-act=csv]").click()
    rows = list(csv.reader(io.StringIO(Path(download.value.path()).read_text("utf-8"))))
    assert rows[0] == ["Criterion", "GT", "AR", "FM", "FM (ZS)"]
    assert rows[2] == ["Audio match", "", "10.00", "10.00", "10.00"]
    page.locator("inlay-takes [data-act=next]").click()
    expect(page.locator("inlay-takes .blind .lead")).to_contain_text("Round 2")
    page.locator("inlay-takes [data-act=with]").click()  # the original among them
    expect(letters).to_have_count(4)


def test_projects_are_copied_begun_opened_and_brought(
    takes: Page, home: Path, open_page: Callable[[], Page], tmp_path: Path
) -> None:
    page = takes
    first = state(page, "doc.project")
    page.keyboard.press("Control+s")
    sheet = page.locator("dialog.inlay-sheet")
    sheet.locator("input").fill("Second thoughts")
    sheet.locator("input").press("Enter")
    page.wait_for_function("(first) => window.inlay.desk.doc.project !== first", arg=first)
    second = state(page, "doc.project")
    expect(page.locator("#name input")).to_have_value("Second thoughts")
    expect(page.locator("inlay-takes .card")).to_have_count(4)
    before = json.loads((home / first / "project.json").read_text())["project"]
    assert saved(page, home)["takes"] == before["takes"]

    page.keyboard.press("Control+e")
    with page.expect_download() as download:
        sheet.locator("[data-act=project]").click()
    packed = tmp_path / download.value.suggested_filename
    assert packed.name == "Second thoughts.zip"
    download.value.save_as(packed)

    page.locator("#project").click()
    sheet.locator("[data-act=new]").click()
    page.wait_for_function("window.inlay.desk.doc.clip === null")
    expect(page.locator("inlay-takes .card").locator("visible=true")).to_have_count(0)
    page.locator("inlay-start .lanes").click()  # a new project begins with the page to start from
    page.locator("#prompt textarea").press_sequentially("only in the new one")
    page.wait_for_function("(old) => !old.includes(window.inlay.desk.doc.project)", arg=[first, second, ""])

    page.locator("#project").click()
    entry = sheet.locator(f"[data-folder='{second}']")
    expect(entry).to_contain_text("Second thoughts")
    expect(entry).to_contain_text("3 takes")
    entry.click()
    page.wait_for_function("(second) => window.inlay.desk.doc.project === second", arg=second)
    expect(page.locator("#prompt textarea")).to_have_value("")

    other = open_page()  # another tab has a project of its own
    assert state(other, "doc.clip") is None
    other.locator("#project").click()
    with other.expect_file_chooser() as chooser:
        other.locator("dialog.inlay-sheet [data-act=file]").click()
    chooser.value.set_files(packed)
    other.wait_for_function("window.inlay.desk.doc.clip?.label === 'my song.wav'")
    assert state(other, "doc.project") not in (first, second)
    expect(other.locator("inlay-takes .card")).to_have_count(4)
