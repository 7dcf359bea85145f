"""The Models sheet in a browser: opened, a model added and used, a download watched and cancelled."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Page, expect

from tests.browser.conftest import begin
from tests.hub import FILES, Hub, Repo, serving_hub
from tests.serving import Server

NOW = "(({ doc: { arFrom, fmFrom } }) => [arFrom, fmFrom])(window.inlay.desk)"
SETTLED = "window.inlay.desk.settled"


@pytest.fixture(scope="module")
def small_hub() -> Iterator[Hub]:
    with serving_hub() as hub:
        hub.repos["facebook/musicgen-small"] = Repo(dict(FILES))
        yield hub


@pytest.fixture(scope="module")
def hub_address(small_hub: Hub, tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server whose hub is ours, and whose shelf is new."""
    place = tmp_path_factory.mktemp("models")
    (place / "home").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HF_ENDPOINT", small_hub.url)
        patch.setenv("HF_HOME", str(place / "hf"))
        patch.setenv("INLAY_MODELS", str(place / "shelf"))
        for name in ("HF_HUB_OFFLINE", "HF_HUB_CACHE", "HF_TOKEN", "INLAY_KEEPS_OFFLINE"):
            patch.delenv(name, raising=False)
        server = Server(tiny_bundle, place / "home")
    try:
        server.wait()
        yield server.url
    finally:
        server.stop()


@pytest.fixture
def page(context: BrowserContext, hub_address: str) -> Page:
    page = context.new_page()
    page.goto(hub_address)
    begin(page)
    return page


def test_the_sheet_opens_by_mouse_and_key_and_gives_the_focus_back(page: Page) -> None:
    button = page.locator("#panel inlay-model button")
    button.click()
    sheet = page.get_by_role("dialog", name="Models")
    expect(sheet.get_by_label("AR from", exact=True)).to_be_focused()
    expect(sheet.locator("article")).to_have_count(20)
    row = sheet.get_by_role("article", name="MusicGen small", exact=True)
    expect(row).to_contain_text("Not for commercial use")
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)
    expect(button).to_be_focused()
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("Shift+M")
    expect(sheet).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.locator("inlay-timeline .board")).to_be_focused()


def test_a_checkpoint_on_this_machine_is_added_used_and_let_go(page: Page, tiny_bundle: Path) -> None:
    page.keyboard.press("Shift+M")
    sheet = page.get_by_role("dialog", name="Models")
    sheet.get_by_role("button", name="Open a folder or file").click()
    field = sheet.get_by_label("Folder or file on this machine")
    field.fill("/nowhere/at/all")
    field.press("Enter")
    expect(sheet.locator(".said")).to_contain_text("no such folder or file")
    field.fill(str(tiny_bundle))
    field.press("Enter")
    row = sheet.locator("[data-name=tiny]")
    row.get_by_role("button", name="Use tiny as AR").click()
    expect(row).to_contain_text("In use as AR")
    page.wait_for_function(SETTLED)
    assert page.evaluate(NOW) == ["tiny", ""]
    sheet.get_by_label("FM from", exact=True).select_option("tiny")
    expect(row).to_contain_text("In use as AR and FM")
    page.keyboard.press("Escape")
    page.locator("#undo").click()
    page.wait_for_function(f'JSON.stringify({NOW}) === \'["tiny",""]\' && {SETTLED}')
    page.keyboard.press("Shift+M")
    remove = row.get_by_role("button", name="Remove tiny")
    remove.click()
    remove.click()  # it asks once
    expect(row).to_have_count(0)
    page.wait_for_function(f'JSON.stringify({NOW}) === \'["",""]\' && {SETTLED}')
    assert (tiny_bundle / "fm.safetensors").is_file()


def test_a_download_is_agreed_to_watched_and_cancelled(page: Page, small_hub: Hub) -> None:
    small_hub.hold = threading.Event()
    page.keyboard.press("Shift+M")
    sheet = page.get_by_role("dialog", name="Models")
    row = sheet.get_by_role("article", name="MusicGen small", exact=True)
    row.get_by_role("button", name="Get 2.4 GB").click()
    asked = page.get_by_role("alertdialog")
    expect(asked.get_by_role("button", name="Not now")).to_be_focused()
    download = asked.get_by_role("button", name="Download 300 kB")
    expect(download).to_be_disabled()
    expect(asked).to_contain_text("Tick the box first")
    asked.get_by_label("I will not use it commercially").check()
    download.click()
    assert small_hub.first.wait(60)
    far = row.get_by_role("progressbar")
    expect(far).to_contain_text("1 %")
    page.keyboard.press("Escape")  # it goes on
    expect(page.locator("#panel inlay-model")).to_contain_text("1 %")
    page.keyboard.press("Shift+M")
    row.get_by_role("button", name="Cancel").click()
    small_hub.hold.set()
    expect(row.get_by_role("button", name="Get 2.4 GB")).to_be_visible()
    expect(page.locator("#panel inlay-model")).not_to_contain_text("%")
