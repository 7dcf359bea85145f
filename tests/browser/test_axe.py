"""The page in its main states before axe-core, the judge of accessibility that browsers' makers use."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal

import axe_playwright_python
import pytest
from playwright.sync_api import Browser, Page

from tests.browser.test_access import drawn as drawn_on
from tests.browser.test_edit import drawn, settled

SCRIPT = Path(axe_playwright_python.__file__).with_name("axe.min.js")
# WCAG 2.2 A and AA, and what axe calls best practice.
ALL = {
    "type": "tag",
    "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
}
COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}  # all that a theme changes
THEMES: dict[Literal["dark", "light"], tuple[dict[str, Any], int]] = {
    "light": (COLOURS, 0),
    "dark": (ALL, 15),
}
RUN = """async (runOnly) => {
  const { violations, passes } = await axe.run(document, { runOnly });
  const found = violations.map(({ id, help, nodes }) => [id, help, nodes.map(({ target }) => target)]);
  return { found, passes: passes.length };
}"""
MENU = """(lane) => { const { timeline } = window.inlay.desk;
  timeline.menu.open(lane, timeline.shadowRoot.querySelector(`[data-menu=${lane}]`)); }"""


def judge(page: Page, what: str) -> None:
    """What is shown now, in both themes."""
    for theme, (rules, fewest) in THEMES.items():
        page.emulate_media(color_scheme=theme)
        page.wait_for_function(
            "(dark) => document.body.classList.contains('dark') === dark", arg=theme == "dark"
        )
        drawn(page)
        found = page.evaluate(RUN, rules)
        assert found["found"] == [], f"{what}, {theme}"
        assert found["passes"] > fewest, f"{what}, {theme}"  # it did look at the page


@pytest.fixture
def themed(browser: Browser, address: str) -> Any:
    """A page with axe in it that follows the system's theme; nothing moves."""
    with browser.new_context(
        viewport={"width": 1440, "height": 900},
        color_scheme="dark",
        reduced_motion="reduce",
        bypass_csp=True,  # the page's policy would not run the judge, which comes from outside
    ) as context:
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.goto(address)
        page.wait_for_function("window.inlay?.desk.timeline?.view && window.inlay.desk.doc.serial")
        page.add_script_tag(path=SCRIPT)
        yield page


def closed(page: Page, open_it: Callable[[], object], what: str) -> None:
    """Judges what `open_it` opens, and closes it."""
    open_it()
    judge(page, what)
    page.keyboard.press("Escape")


def test_no_violations(themed: Page, song_file: Path) -> None:
    page = themed
    judge(page, "empty")
    drawn_on(page, song_file)
    judge(page, "clip with a span and lanes")
    cell = page.locator("inlay-timeline .cell").first

    def palette() -> None:
        cell.focus()
        page.keyboard.press("Enter")
        page.locator("inlay-timeline .palette").wait_for()

    closed(page, palette, "palette")
    for lane in ("chords", "melody", "drums", "grid"):
        closed(page, lambda lane=lane: page.evaluate(MENU, lane), f"menu of {lane}")  # type: ignore[misc]

    def keys() -> None:
        page.locator("inlay-timeline .board").focus()
        page.keyboard.press("?")
        page.locator("dialog.inlay-keys").wait_for()

    closed(page, keys, "sheet of keys")
    for button in ("#export", "#project", "#mark"):
        closed(page, lambda button=button: page.locator(button).click(), button)  # type: ignore[misc]
    page.locator("#advanced > button").click()
    judge(page, "advanced settings")
    page.locator("inlay-spans li.active .end").fill("0.5")
    page.locator("inlay-spans li.active .end").press("Enter")
    page.locator("#span-box .place-error:not(:empty)").wait_for()
    judge(page, "an error in its place")
    page.locator("#span-box .remedy").click()

    page.evaluate("window.inlay.desk.timeline.sections.add()")
    closed(page, lambda: page.locator("inlay-timeline .section .more").click(), "menu of a section")
    page.evaluate("window.inlay.desk.record.arm()")
    page.locator("inlay-record[data-phase=idle] .mic .foot button").wait_for()  # no microphone here
    judge(page, "recording")
    page.locator("inlay-record [data-act=discard]").click()

    page.locator("#inpaint").click()
    settled(page)
    judge(page, "takes")
    closed(page, lambda: page.locator("inlay-takes [data-act=sheet]").first.click(), "sheet of a take")
    page.evaluate("window.inlay.desk.setView('listen')")
    page.locator("inlay-takes article.row").first.wait_for()
    judge(page, "listen")
    page.evaluate("window.inlay.desk.setView('blind')")
    page.locator("inlay-takes .letter").first.wait_for()
    judge(page, "blind test")
