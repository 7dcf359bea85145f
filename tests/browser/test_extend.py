"""More than one span's takes: the choice among all engines, a clip that goes on, begins earlier, or loops."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from playwright.sync_api import Page, expect

from tests.browser.test_edit import drag_span, saved_clip, settled, state, upload


def test_fix_it_shows_one_take_and_says_why(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    expect(page.locator("#auto")).to_be_disabled()  # nothing is selected
    drag_span(page, 1, 2)
    expect(page.locator("#auto")).to_be_enabled()
    assert "seams" in (page.locator("#auto").get_attribute("title") or "")
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("Shift+F")
    settled(page)
    card = page.locator("inlay-takes .card").nth(1)
    expect(page.locator("inlay-takes .card")).to_have_count(2)
    why = card.locator(".say").first
    assert any(words in why.inner_text() for words in ("Smoothest of", "smooth at once", "fitted the time"))
    assert "Roughness of the rougher seam" in (why.locator("span").get_attribute("title") or "")
    assert state(page, "group.tracks[1].engine") in ("ar", "fm", "fm-zero-shot")


def test_a_clip_goes_on_begins_earlier_and_loops(page: Page, song_file: Path, tmp_path: Path) -> None:
    upload(page, song_file)
    original, _ = saved_clip(page, tmp_path)
    for engine in ("ar", "fm-zero-shot"):
        page.locator(f"#engine-{engine} input").uncheck()
    page.locator("#length input").fill("2")
    page.locator("#length input").blur()
    page.wait_for_function("document.querySelector('#generate').textContent.includes('2 s')")
    board = page.locator("inlay-timeline .board")
    for keys, kind, seconds in (("Control+Alt+Enter", "continue", 6), ("Control+Alt+Shift+Enter", "intro", 6),
                                ("Shift+L", "loop", 4)):  # fmt: skip
        board.focus()
        page.keyboard.press(keys)
        settled(page)
        assert state(page, "group.extends") == kind
        page.wait_for_function("window.inlay.desk.player.tracks.size === 3")
        page.locator("inlay-takes .card").nth(1).locator("[data-act=keep]").click()
        page.wait_for_function("(seconds) => window.inlay.desk.doc.clip.seconds === seconds", arg=seconds)
        kept, _ = saved_clip(page, tmp_path)
        places = {"continue": slice(0, 176_400), "intro": slice(88_200, None), "loop": slice(44_100, -44_100)}
        place = places[kind]
        old = original[44_100:-44_100] if kind == "loop" else original
        assert np.array_equal(kept[place], old)
        page.locator("#undo").click()
        page.wait_for_function("window.inlay.desk.doc.redo === 'keep take'")
    # Hearing a loop goes over its join.
    page.locator("inlay-takes .card").nth(1).locator("[data-act=hear]").click()
    page.wait_for_function("window.inlay.desk.player.playing")
    assert state(page, "loop") == {"start": 0, "end": 4}


def test_an_intro_is_heard_on_the_timelines_clock_and_rated_blind(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    page.locator("#engine-fm-zero-shot input").uncheck()
    page.locator("#length input").fill("2")
    page.locator("#length input").blur()
    page.wait_for_function("document.querySelector('#generate').textContent.includes('2 s')")
    page.locator("#intro").click()
    settled(page)
    page.wait_for_function("window.inlay.desk.player.tracks.size === 4")
    assert state(page, "group.region") == {"start": -2, "end": 0}
    card = page.locator("inlay-takes .card").nth(1)
    card.locator("[data-act=hear]").click()
    page.wait_for_function("window.inlay.desk.player.position < -0.2 && window.inlay.desk.player.playing")
    expect(page.locator("inlay-timeline .head-line")).to_be_hidden()  # before the clip's beginning
    expect(page.locator("inlay-timeline .transport .time")).to_contain_text("−0:0")
    page.wait_for_function("window.inlay.desk.player.position > 0.2")  # and on into the clip
    expect(page.locator("inlay-timeline .head-line")).to_be_visible()
    page.locator("inlay-takes .compare").click()
    page.keyboard.press("Space")
    rows = page.locator("inlay-takes article.row")
    expect(rows.nth(0)).to_contain_text("what comes before 0 is new, so no difference is shown")
    assert [page.evaluate(f"window.inlay.desk.group.tracks[{i}].start") for i in range(3)] == [0, -2, -2]
    page.locator("inlay-takes .to-blind").click()
    letters = page.locator("inlay-takes .blind .letter")
    expect(letters).to_have_count(2)  # the takes alone: the original has nothing there
    expect(page.locator("inlay-takes .blind [data-act=with]")).to_have_count(0)
    expect(letters.nth(0)).to_contain_text("of 3.0 s heard")  # the intro, and a second of the clip


def test_a_span_longer_than_the_window_is_made(page: Page, song_file: Path) -> None:
    page.locator("#length input").fill("12")
    page.locator("#length input").blur()
    page.wait_for_function("document.querySelector('#generate').textContent.includes('12 s')")
    page.locator("#engine-ar input").uncheck()
    page.locator("#engine-fm-zero-shot input").uncheck()
    page.locator("#generate").click()
    settled(page)
    assert state(page, "doc.clip.seconds") == 12
    drag_span(page, 1, 10.5)
    page.locator("#inpaint").click()
    settled(page)
    assert page.evaluate("window.inlay.desk.group.tracks.map((track) => track.state)") == ["ready"] * 2
