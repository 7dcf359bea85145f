"""The Models sheet in a browser: opened, a model added and used, a download watched and cancelled."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.conftest import begin
from tests.hub import FILES, TOKEN, Hub, Repo, serving_hub
from tests.serving import Server

NOW = "(({ doc: { arFrom, fmFrom } }) => [arFrom, fmFrom])(window.inlay.desk)"
SETTLED = "window.inlay.desk.settled"


@pytest.fixture(scope="module")
def small_hub() -> Iterator[Hub]:
    with serving_hub() as hub:
        hub.repos["facebook/musicgen-small"] = Repo(dict(FILES))
        hub.repos["stabilityai/stable-audio-3-small-music"] = Repo(
            FILES | {"t5gemma-b-b-ul2/config.json": b"{}"}, gated=True
        )
        yield hub


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where that server's home, cache and shelf are."""
    return tmp_path_factory.mktemp("models")


@pytest.fixture(scope="module")
def hub_address(small_hub: Hub, tiny_bundle: Path, place: Path) -> Iterator[str]:
    """A server whose hub is ours, and whose shelf is new."""
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


def opened(page: Page) -> Locator:
    """The sheet."""
    page.keyboard.press("Shift+M")
    sheet = page.get_by_role("dialog", name="Models")
    expect(sheet.locator("article").first).to_be_visible()
    return sheet


def test_a_token_is_asked_for_where_a_login_is_missing_and_can_be_removed(
    page: Page, small_hub: Hub, place: Path
) -> None:
    sheet = opened(page)
    row = sheet.get_by_role("article", name="Stable Audio 3 small", exact=True)
    row.get_by_role("button", name="Log in to get").click()
    asked = page.get_by_role("alertdialog")
    expect(asked).to_contain_text("Log in first")
    field = asked.get_by_label("Access token")
    expect(field).to_have_attribute("type", "password")
    expect(asked).to_contain_text(f"Keep it on this machine, in {place / 'hf' / 'token'}")
    field.fill("hf_of_somebody_else")
    field.press("Enter")
    expect(asked.get_by_role("alert")).to_contain_text("does not know it")
    expect(field).to_have_value("")  # it has left the page
    field.fill(TOKEN)
    field.press("Enter")
    expect(asked).to_contain_text("Logged in to the hub on this machine")
    assert (place / "hf" / "token").read_text() == TOKEN
    assert TOKEN not in page.content() and TOKEN not in page.evaluate("JSON.stringify(localStorage)")
    asked.get_by_role("button", name="Not now").click()
    expect(row.get_by_role("button", name="Get ")).to_be_visible()  # no more "Log in to get"
    sheet.get_by_role("button", name="Remove token").click()
    expect(sheet.get_by_role("button", name="Log in to the hub")).to_be_visible()
    assert not (place / "hf" / "token").exists()
    sheet.get_by_role("button", name="Log in to the hub").click()
    sheet.get_by_label("Access token").fill(TOKEN)
    sheet.get_by_label("Keep it on this machine").uncheck()
    sheet.get_by_role("button", name="Log in", exact=True).click()
    expect(sheet.locator("footer")).to_contain_text("until Inlay is stopped")
    sheet.get_by_role("button", name="Remove token").click()
    expect(sheet.get_by_role("button", name="Log in to the hub")).to_be_visible()
    found = [file for file in place.rglob("*") if file.is_file() and TOKEN.encode() in file.read_bytes()]
    assert found == []


def test_what_cannot_be_used_says_why_and_offers_what_mends_it(page: Page, place: Path) -> None:
    half = place / "shelf" / "musicgen-small"
    half.mkdir(parents=True)
    (half / "config.json").write_text('{"model_type": "musicgen"}')
    foreign = place / "shelf" / "foreign"
    foreign.mkdir()
    (foreign / "notes.txt").write_text("nothing")
    sheet = opened(page)
    row = sheet.locator("[data-name=musicgen-small]")
    expect(row).to_contain_text("no weights lie there")
    other = sheet.locator("[data-name=foreign]")
    expect(other).to_contain_text("no checkpoint lies there that Inlay knows")
    expect(other).to_contain_text("Remove it, and open the right folder")
    expect(other.get_by_role("button")).to_have_count(1)
    remove = other.get_by_role("button", name="Remove foreign")
    remove.click()
    remove.click()
    expect(other).to_have_count(0)
    row.get_by_role("button", name="Get MusicGen small again").click()
    asked = page.get_by_role("alertdialog")
    asked.get_by_label("I will not use it commercially").check()
    asked.get_by_role("button", name="Download 300 kB").click()
    expect(row).to_contain_text("Update Inlay, or remove it")  # whole, as the hub has it, and still none
    remove = row.get_by_role("button", name="Remove MusicGen small")
    remove.click()
    remove.click()
    expect(row.get_by_role("button", name="Get 2.4 GB")).to_be_visible()


CHANGED = """(change) => {
  const { desk } = window.inlay, asked = desk.models, done = desk.doModel;
  window.sent = [];
  const changed = (told) => { eval(change)(told); return told; };
  desk.models = async () => changed(await asked());
  desk.doModel = async (data) => { window.sent.push(data); return changed(await asked()); };
}"""


def test_loading_is_shown_with_its_bytes_and_can_be_cancelled(page: Page) -> None:
    """The server's side of it is `test_loading`'s: a tiny checkpoint is in memory before anybody looks."""
    page.evaluate(
        CHANGED,
        "(told) => { if (!window.sent.length) told.rows[0].loading = { done: 1.488e9, total: 2.4e9 }; }",
    )
    sheet = opened(page)
    row = sheet.locator("article").first
    far = row.get_by_role("progressbar")
    expect(far).to_contain_text("Loading into memory, 62 %")
    expect(far).to_contain_text("1.5 GB of 2.4 GB")
    expect(far).to_have_attribute("aria-valuenow", "62")
    row.get_by_role("button", name="Cancel loading").click()
    expect(row).to_contain_text("In use as AR and FM")
    assert page.evaluate("window.sent.map(({ act, name }) => [act, Boolean(name)])") == [["stop", True]]


def test_a_folder_that_is_converted_is_watched_and_cancelled(page: Page) -> None:
    """The server's side of it is `test_released_hub`'s."""
    page.evaluate(
        CHANGED,
        """(told) => {
          if (window.sent.some(({ act }) => act === 'cancel')) return;
          told.rows.push({ ...told.rows[1], name: 'mine', title: 'mine', maker: 'your own', state: 'part',
            source: '/mine', engines: [], slots: [], licence: '', licence_words: '', words: '', sound: '' });
          told.downloads.mine = {
            state: 'converting', done: 30, total: 100, left: 20, why: '', source: '/mine',
          };
        }""",
    )
    sheet = opened(page)
    row = sheet.get_by_role("article", name="mine", exact=True)
    expect(row.get_by_role("progressbar")).to_contain_text("Converting, 30 %, about 20 s left")
    expect(row.get_by_role("button", name="Pause")).to_have_count(0)
    page.keyboard.press("Escape")
    expect(page.locator("#panel inlay-model")).to_contain_text("30 %")  # it goes on
    opened(page)
    row.get_by_role("button", name="Cancel converting mine").click()
    expect(row).to_have_count(0)


def test_the_device_is_a_line_where_there_is_one_and_a_choice_where_there_are_two(page: Page) -> None:
    sheet = opened(page)
    expect(sheet.locator("header")).to_contain_text("Runs on CPU")
    expect(sheet.get_by_role("radiogroup", name="Runs on")).to_have_count(0)
    page.keyboard.press("Escape")
    page.evaluate(
        CHANGED,
        """(told) => {
          told.on = window.sent.at(-1)?.device ?? 'cpu';
          told.device = told.on === 'cuda' ? 'GPU' : told.device;
          told.devices.unshift({ name: 'cuda', words: 'GPU', free: 70e9, memory: 80e9 });
        }""",
    )
    opened(page)
    gpu = sheet.get_by_role("radio", name="GPU 80.0 GB")
    expect(gpu).to_have_attribute("aria-checked", "false")
    gpu.click()
    expect(gpu).to_have_attribute("aria-checked", "true")
    assert page.evaluate("window.sent") == [{"act": "device", "device": "cuda"}]
    page.keyboard.press("Escape")
    expect(page.locator("#panel inlay-model")).to_contain_text("GPU")
