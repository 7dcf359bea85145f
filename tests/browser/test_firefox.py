"""The main way through the page in Debian's Firefox: upload, span, run, listening, keeping, undo, export."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray
from playwright.sync_api import Page, Playwright, expect

from tests.browser.conftest import PATIENCE, begin
from tests.browser.test_edit import drag_span, inpaint, state, upload

FIREFOX = shutil.which("firefox-esr") or shutil.which("firefox")


@pytest.fixture
def page(playwright: Playwright, address: str, tmp_path: Path) -> Iterator[Page]:
    """One tab of Firefox, at the size of the design; it must stay free of script errors."""
    assert FIREFOX, "no Firefox: apt-get install firefox-esr"
    browser = playwright.firefox.launch(
        channel="moz-firefox",
        executable_path=FIREFOX,
        firefox_user_prefs={
            "media.cubeb.force_mock_context": True
        },  # no sound card: else its clock stands still
        downloads_path=tmp_path / "downloads",
    )
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    errors: list[str] = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.goto(address)
    begin(page)
    yield page
    browser.close()
    assert errors == []


def exported(page: Page, folder: Path) -> NDArray[np.int16]:
    """The clip as a file in the downloads, which it leaves again; the driver tells of none."""
    page.locator("#export").click()
    page.locator("dialog.inlay-sheet [data-act=wav]").click()
    for _ in range(int(PATIENCE / 100)):
        page.wait_for_timeout(100)  # until it is whole: Firefox writes into a .part beside it
        files = list(folder.glob("*"))
        if len(files) == 1 and files[0].suffix == ".wav" and files[0].stat().st_size:
            samples: NDArray[np.int16] = soundfile.read(files[0], dtype="int16", always_2d=True)[0]
            files[0].unlink()
            return samples
    raise AssertionError(f"no download: {[file.name for file in folder.glob('*')]}")


def test_from_upload_to_export(page: Page, song_file: Path, tmp_path: Path) -> None:
    upload(page, song_file)
    expect(page.locator("inlay-timeline .audio-head")).to_contain_text("my song.wav")
    drag_span(page, 1.03, 2.46)
    assert state(page, "doc.region") == {"start": 1, "end": 2.5}
    inpaint(page)
    expect(page.locator("inlay-takes article.card")).to_have_count(4)
    page.wait_for_function("window.inlay.desk.player.tracks.size === 4")
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("Space")
    page.wait_for_function("window.inlay.desk.player.position > 0.2")
    page.keyboard.press("1")
    assert state(page, "track.digit") == 1 and state(page, "player.playing")
    page.keyboard.press("Space")
    original = exported(page, tmp_path / "downloads")
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("k")
    page.wait_for_function("window.inlay.desk.doc.undo === 'keep take'")
    kept = exported(page, tmp_path / "downloads")
    assert np.array_equal(kept[:44_100], original[:44_100])
    assert not np.array_equal(kept[44_100:110_250], original[44_100:110_250])
    page.locator("#undo").click()
    page.wait_for_function("window.inlay.desk.doc.redo === 'keep take'")
    assert np.array_equal(exported(page, tmp_path / "downloads"), original)
