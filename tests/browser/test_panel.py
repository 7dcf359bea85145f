"""The panel: words of a span, their players as tags, what contradicts them, and the intent."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.test_edit import drag_span, upload

KICKS = [{"id": f"h{beat}", "time": beat, "drum": "kick"} for beat in range(12)]


def settled(page: Page) -> None:
    page.wait_for_function("window.inlay.desk.settled")


def test_words_typed_over_a_span_are_its_own_and_become_tags(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 0.5, 2)
    label, reason = page.locator("inlay-spans .words"), page.locator("#intent-reason")
    expect(label).to_contain_text("Words for the clip")
    expect(page.locator("inlay-intent [aria-checked=true]")).to_have_text("Blend in")
    expect(reason).to_have_text("Picked for you: nothing in the span was changed")
    page.locator("#prompt textarea").press_sequentially("airy flute, no drums")
    expect(label).to_contain_text("Words for span 1")
    tags = page.locator("inlay-words .tag-word")
    expect(tags).to_have_text(["Flute", "No drums"])
    expect(page.locator("inlay-intent [aria-checked=true]")).to_have_text("Change")
    expect(reason).to_have_text("Picked for you: the span has words of its own")
    tags.first.locator("button").click()
    expect(tags).to_have_text(["No drums"])
    expect(page.locator("#prompt textarea")).to_have_value("airy flute, no drums")
    page.locator("inlay-words .add").click()
    page.keyboard.type("nylon")
    page.keyboard.press("Enter")
    expect(tags).to_have_text(["No drums", "Nylon guitar"])
    page.get_by_text("Use the clip's").click()
    expect(label).to_contain_text("Words for the clip")
    expect(tags).to_have_count(0)


def test_a_conflict_is_one_line_and_one_click(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 0.5, 2)
    page.locator("#prompt textarea").press_sequentially("no drums")
    page.wait_for_function("window.inlay.desk.doc.spans[0].words.length")
    page.evaluate("(drums) => window.inlay.desk.edit('draw_hits', { drums }, { drums })", KICKS)
    note = page.locator("inlay-note")
    expect(note).to_contain_text("Your words say no drums, the drum lane plays.")
    expect(page.locator("#follow label", has_text="Drums").locator("input")).to_be_checked()  # by drawing
    note.get_by_text("Ignore the drum lane here").click()
    expect(note).to_contain_text("The drum lane is ignored in span 1.")
    expect(page.locator("#follow label", has_text="Drums")).to_have_attribute("data-ignored", "−1")
    page.locator("#undo").click()
    expect(note).to_contain_text("the drum lane plays")


def test_the_intent_is_turned_over_and_handed_back(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    expect(page.locator("inlay-intent")).to_be_hidden()  # no span
    drag_span(page, 0.5, 2)
    checked, reason = page.locator("inlay-intent [aria-checked=true]"), page.locator("#intent-reason")
    expect(checked).to_have_text("Blend in")
    page.keyboard.press("u")
    expect(checked).to_have_text("Change")
    expect(reason).to_contain_text("Picked by you.")
    settled(page)
    reason.get_by_text("Pick for me").click()
    expect(checked).to_have_text("Blend in")
    expect(reason).to_contain_text("Picked for you")
    checked.focus()
    page.keyboard.press("ArrowRight")
    expect(checked).to_have_text("Change")
    expect(checked).to_be_focused()
