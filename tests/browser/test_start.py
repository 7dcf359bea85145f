"""The page to start from: examples that are heard, projects with pictures and a search."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.test_arrivals import start_page
from tests.browser.test_edit import state

PAINTED = """(canvas) => {
  const { data } = canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height);
  return data.some((value) => value > 0);
}"""


def test_all_examples_are_heard_before_one_is_opened(page: Page) -> None:
    start_page(page)
    tiles = page.locator("inlay-start .examples li")
    expect(tiles).to_have_count(12)
    page.evaluate(
        """() => {
          HTMLMediaElement.prototype.play = async function () { window.sounds = this.src; };
        }"""
    )
    first, last = tiles.first.locator(".hear"), tiles.last.locator(".hear")
    expect(first).to_have_attribute("aria-label", "Play Jazz waltz")
    expect(tiles.last.locator(".open")).to_have_attribute(
        "aria-label", "Open Ballad, span re-made, 7 seconds, 70 bpm"
    )
    first.focus()
    page.keyboard.press("Space")
    expect(first).to_have_attribute("aria-pressed", "true")
    assert page.evaluate("window.sounds").endswith("/01.flac")
    last.click()  # one at a time
    expect(first).to_have_attribute("aria-pressed", "false")
    expect(last).to_have_attribute("aria-pressed", "true")
    last.click()
    expect(page.locator("inlay-start .playing")).to_have_count(0)
    page.evaluate(
        """() => {
          const refused = () => Promise.reject(new DOMException('no', 'NotSupportedError'));
          HTMLMediaElement.prototype.play = refused;
        }"""
    )
    last.click()
    expect(tiles.last).to_contain_text("could not be read")
    tiles.nth(4).locator(".open").click()
    page.wait_for_function("window.inlay.desk.doc.clip?.label === 'salsa.flac'")
    expect(page.locator("#name input")).to_have_value("salsa")


def test_projects_have_pictures_and_are_found_by_words(page: Page) -> None:
    page.evaluate("window.inlay.desk.send('upload', { example: '09.flac' })")
    page.wait_for_function("window.inlay.desk.doc.clip && window.inlay.desk.settled")
    mine = state(page, "doc.project")
    page.evaluate("window.inlay.desk.putSpan({ id: 's1', start: 2, end: 4 })")
    page.wait_for_function("window.inlay.desk.settled")
    start_page(page)
    row = page.locator(f"inlay-start .project[data-folder='{mine}']")
    expect(row).to_contain_text("lo-fi")
    expect(row).to_contain_text("0:07, today")
    page.wait_for_function(
        f"({PAINTED})(document.querySelector('inlay-start').shadowRoot.querySelector('.project canvas'))"
    )
    page.locator("inlay-start .all").click()
    search = page.locator("dialog.inlay-sheet [role=searchbox]")
    expect(search).to_be_focused()
    page.keyboard.type("kazoo 999")
    expect(page.locator("dialog.inlay-sheet [role=status]")).to_contain_text("fits kazoo 999")
    search.fill("trumpet 81")  # of its words, and its tempo
    found = page.locator("dialog.inlay-sheet .project")
    expect(found.first).to_contain_text("lo-fi")
    page.locator(f"dialog.inlay-sheet [data-folder='{mine}']").click()
    page.wait_for_function(f"window.inlay.desk.doc.project === '{mine}'")
    expect(page.locator("inlay-start")).to_be_hidden()
