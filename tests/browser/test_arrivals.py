"""A file on its way, and one that is refused: said in words wherever a file can be given."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import Page, expect

from engines.audio.recording import Recording, write_recording
from tests.browser.test_edit import state, upload
from tests.browser.test_hand import slowly

FRESH = "() => { sessionStorage.clear(); location.reload(); }"


def start_page(page: Page) -> None:
    page.evaluate(FRESH)
    page.wait_for_function(
        "document.querySelector('#page')?.hasAttribute('data-start') && window.inlay.desk.doc.serial"
    )


def give(page: Page, path: Path, button: str) -> None:
    with page.expect_file_chooser() as chooser:
        page.locator(button).locator("visible=true").first.click()
    chooser.value.set_files(path)


def test_the_start_page_says_what_comes_and_why_a_file_is_refused(
    page: Page, song_file: Path, tmp_path: Path
) -> None:
    start_page(page)
    page.evaluate("window.gradio_config.max_file_size = 1000")
    give(page, song_file, "inlay-start .choose")
    zone = page.locator("inlay-start .drop")
    expect(zone.locator(".error")).to_contain_text("my song.wav: ")
    expect(zone.locator(".error")).to_contain_text("and at most 1 kB come at once; cut it")
    page.evaluate("window.gradio_config.max_file_size = 1e9")
    wrong = tmp_path / "letter.wav"
    wrong.write_text("Dear all, this is no music.")
    give(page, wrong, "inlay-start .choose")
    expect(zone).to_contain_text("letter.wav")
    expect(zone.locator(".error")).to_be_visible()
    expect(zone.locator(".choose")).to_have_text("Choose another file")
    slowly(page, 1)
    give(page, song_file, "inlay-start .choose")
    expect(zone).to_contain_text("my song.wav")
    expect(zone.locator("li.now")).to_have_text("2Reading")
    expect(zone.locator("li.done")).to_contain_text("Uploaded")
    page.wait_for_function("window.inlay.desk.doc.clip")
    assert page.locator("#page").get_attribute("data-start") is None
    expect(page.locator("inlay-timeline .notice")).to_have_text("")


def test_a_file_that_is_being_read_can_be_cancelled(
    page: Page, song: Recording, song_file: Path, tmp_path: Path
) -> None:
    start_page(page)
    long = tmp_path / "sixteen minutes.wav"
    write_recording(long, replace(song, samples=np.tile(song.samples, (240, 1))))
    zone = page.locator("inlay-start .drop")
    give(page, long, "inlay-start .choose")
    expect(zone.locator("li.now")).to_have_text("2Reading")
    zone.locator(".cancel").click()
    expect(zone.locator(".invite")).to_be_visible()  # at once
    page.wait_for_function("window.inlay.desk.doc.arrived && window.inlay.desk.settled")
    assert state(page, "doc.clip") is None and state(page, "doc.error") is None
    give(page, song_file, "inlay-start .choose")
    page.wait_for_function("window.inlay.desk.doc.clip?.label === 'my song.wav'")
    kept = page.evaluate("JSON.parse(localStorage.getItem('inlay-arrivals'))")
    assert set(kept) == {"uploading", "reading"} and min(kept.values()) > 0  # the next one's time is told

    start_page(page)
    give(page, long, "inlay-start .choose")
    expect(zone.locator(".left")).to_contain_text("left")
    zone.locator(".cancel").click()
    expect(zone.locator(".invite")).to_be_visible()


def narrow(page: Page, rate: int) -> None:
    """What the page sends takes its time: `rate` bytes a second."""
    page.context.new_cdp_session(page).send(
        "Network.emulateNetworkConditions",
        {"offline": False, "latency": 0, "downloadThroughput": -1, "uploadThroughput": rate},
    )


def drop(page: Page, path: Path) -> None:
    """A file from the desktop onto the page."""
    page.evaluate(
        """([name, sent]) => {
          const transfer = new DataTransfer();
          const bytes = Uint8Array.from(atob(sent), (one) => one.charCodeAt(0));
          transfer.items.add(new File([bytes], name, { type: 'audio/wav' }));
          const how = { bubbles: true, composed: true, cancelable: true, dataTransfer: transfer };
          for (const type of ['dragenter', 'dragover', 'drop']) {
            document.querySelector('#page').dispatchEvent(new DragEvent(type, how));
          }
        }""",
        [path.name, b64encode(path.read_bytes()).decode()],
    )


@pytest.fixture
def long_file(song: Recording, tmp_path: Path) -> Path:
    """A minute and more: 14 MB."""
    path = tmp_path / "long.wav"
    write_recording(path, replace(song, samples=np.tile(song.samples, (20, 1))))
    return path


def left_behind(page: Page, home: Path) -> list[Path]:
    """What the server still keeps of uploads that were broken off, once it has heard that they were."""
    for _ in range(100):
        found = list(home.glob("scratch/server-*/gradio/tmp*"))
        if not found:
            return []
        page.wait_for_timeout(50)
    return found


def test_a_file_that_is_being_uploaded_is_stopped_or_gives_way_to_another(
    page: Page, song_file: Path, long_file: Path, home: Path
) -> None:
    start_page(page)
    narrow(page, 1_000_000)
    zone = page.locator("inlay-start .drop")
    with page.expect_event("requestfailed", lambda request: "/upload" in request.url):
        give(page, long_file, "inlay-start .choose")
        expect(zone.locator("li.now")).to_have_text("1Uploading")
        zone.locator(".cancel").click()
    expect(zone.locator(".invite")).to_be_visible()
    assert left_behind(page, home) == []
    give(page, long_file, "inlay-start .choose")
    expect(zone.locator("li.now")).to_have_text("1Uploading")
    with page.expect_event("requestfailed", lambda request: "/upload" in request.url):
        drop(page, song_file)
    expect(zone).to_contain_text("It opens instead of long.wav as soon as it is read")
    page.wait_for_function("window.inlay.desk.doc.clip?.label === 'my song.wav' && window.inlay.desk.settled")

    give(page, long_file, "inlay-timeline .audio-head button:not([data-action])")
    notice = page.locator("inlay-timeline .notice")
    expect(notice).to_contain_text("long.wav is being uploaded …")
    with page.expect_event("requestfailed", lambda request: "/upload" in request.url):
        notice.get_by_role("button", name="Cancel").click()
    expect(notice).to_have_text("")
    assert state(page, "doc.clip.label") == "my song.wav" and state(page, "doc.past") == 1
    assert left_behind(page, home) == []


def test_so_does_the_page_of_a_clip(page: Page, song_file: Path, tmp_path: Path) -> None:
    upload(page, song_file)
    wrong = tmp_path / "letter.mid"
    wrong.write_text("Dear all, this is no music.")
    slowly(page, 0.5)
    give(page, wrong, "inlay-timeline [data-midi=melody]")
    expect(page.locator("inlay-timeline .notice")).to_contain_text("letter.mid is being")
    expect(page.locator("inlay-timeline .notice")).not_to_contain_text("is being")
    expect(page.locator("inlay-timeline .notice")).to_contain_text("letter.mid")
