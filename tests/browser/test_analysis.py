"""What is heard in a recording, in the page."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_edit import upload

pytestmark = pytest.mark.browser


def test_the_button_fills_the_lanes_and_undo_empties_them(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    expect(page.locator("#hear")).to_have_text("Analyse clip")
    page.locator("#hear").click()
    expect(page.locator("#hearing")).to_contain_text("drawn", timeout=180_000)
    expect(page.locator("#follow input").first).to_be_checked()
    page.locator("#undo").click()
    expect(page.locator("#undo")).to_be_enabled()
