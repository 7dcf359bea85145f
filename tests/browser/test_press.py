"""Every press is answered at once."""

from __future__ import annotations

from pathlib import Path

from playwright.sync_api import Page, expect

from tests.browser.test_edit import drag_span, upload
from tests.browser.test_hand import slowly
from tests.browser.test_recovery import slow

# At which frame after a press a button says something: the next one is within a tenth of a second wherever a
# page is drawn at all. Null while it does not.
SAID = """([id, words]) => new Promise((done) => {
  const button = document.getElementById(id); let frame = 0;
  const look = () => (button.dataset.busy === words ? done(frame)
    : frame > 300 ? done(null) : (frame += 1, requestAnimationFrame(look)));
  button.click(); look(); })"""

CARDS = """.then((frame) => frame !== null && frame <= 1
  && new Promise((done) => requestAnimationFrame(() => done(document.querySelector('inlay-takes').shadowRoot
    .textContent.includes(words)))))"""


def test_inpaint_and_cancel_answer_with_the_next_frame(page: Page, song_file: Path) -> None:
    slow(page, song_file)
    slowly(page, 1)
    assert page.evaluate(SAID, ["inpaint", "Starting…"]) <= 1
    page.locator("#inpaint").click(force=True)  # a second press is none
    page.wait_for_function("window.inlay.desk.run")
    expect(page.locator("#inpaint")).not_to_have_attribute("data-busy", "Starting…")
    page.wait_for_function("window.inlay.desk.group?.tracks.some(({ state }) => state === 'running')")
    assert page.evaluate(SAID + CARDS, ["cancel", "Cancelling…"])  # the run may be over in three frames
    page.wait_for_function("window.inlay.desk.run === false")
    assert page.locator("#cancel").get_attribute("data-busy") is None
    assert "going on" not in page.locator("#status").inner_text()


def test_one_that_cannot_run_says_so_and_the_button_is_free_again(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 1, 2)
    page.locator("#prompt textarea").fill("x" * 10_000)
    page.locator("#inpaint").click()
    expect(page.locator("#status")).to_contain_text("10000 characters")
    expect(page.locator("#inpaint")).not_to_have_attribute("data-busy", "Starting…")
