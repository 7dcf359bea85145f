"""Public checkpoints in a browser: chosen in the sheet, heard beside the server's own, exported."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import BrowserContext, Locator, Page, expect

from engines.audio.recording import Recording, from_float, write_recording
from tests.browser.conftest import begin
from tests.browser.test_edit import drag_span, inpaint, settled, state, upload
from tests.checkpoints.ace_step import save_tiny_ace_step
from tests.checkpoints.jasco import save_tiny_jasco
from tests.checkpoints.musicgen import save_tiny_musicgen
from tests.checkpoints.stable_audio import save_tiny_stable_audio
from tests.serving import Server

SETTLED = "window.inlay.desk.settled"
TAKES = "window.inlay.desk.group.tracks.filter((track) => track.kind === 'take')"


@pytest.fixture(scope="module")
def shelf_address(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server with a tiny checkpoint of each family on its shelf."""
    place = tmp_path_factory.mktemp("families")
    shelf, home = place / "shelf", place / "home"
    home.mkdir()
    save_tiny_stable_audio(shelf / "stable-audio")
    save_tiny_ace_step(shelf / "ace-step")
    save_tiny_ace_step(shelf / "ace-step-base", "base")
    save_tiny_musicgen(shelf / "musicgen", stereo=True)
    save_tiny_jasco(shelf / "jasco")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("INLAY_MODELS", str(shelf))
        server = Server(tiny_bundle, home)
    try:
        server.wait()
        yield server.url
    finally:
        server.stop()


@pytest.fixture
def page(context: BrowserContext, shelf_address: str) -> Page:
    page = context.new_page()
    page.goto(shelf_address)
    begin(page)
    return page


def stereo(folder: Path) -> tuple[Path, Recording]:
    """Four seconds of another tone in each channel, with a beat."""
    t = np.arange(4 * 44_100) / 44_100
    beat = (np.sin(2 * np.pi * 2 * t) > 0.6) * 0.2 * np.random.default_rng(0).standard_normal(len(t))
    pair = [0.3 * np.sin(2 * np.pi * hertz * t) + beat for hertz in (220, 554)]
    song = from_float(np.stack(pair, axis=1), 44_100)
    write_recording(folder / "song.wav", song)
    return folder / "song.wav", song


def choose(page: Page, **slots: str) -> Locator:
    """Opens the sheet and takes models for AR and FM: "" is the server's own."""
    page.keyboard.press("Shift+M")
    sheet = page.get_by_role("dialog", name="Models")
    for slot, name in slots.items():
        sheet.get_by_label(f"{slot} from", exact=True).select_option(name)
        page.wait_for_function(SETTLED)
    return sheet


@pytest.mark.parametrize(
    ("fm", "takes_lanes"), [("stable-audio", False), ("ace-step", False), ("jasco", True)]
)
def test_a_family_is_chosen_heard_beside_the_own_and_exported(
    page: Page, tmp_path: Path, fm: str, takes_lanes: bool
) -> None:
    path, song = stereo(tmp_path)
    sheet = choose(page, AR="musicgen", FM=fm)
    expect(sheet.locator("[data-name=musicgen]")).to_contain_text("In use as AR")
    expect(sheet.locator("[data-name=musicgen]")).to_contain_text("Not for commercial use")
    page.keyboard.press("Escape")
    chips = page.locator("#follow label").filter(has_text="Melody")
    expect(chips).to_have_attribute("title", _chip(fm, takes_lanes))

    page.get_by_label("Length, s").fill("2")
    page.get_by_label("Length, s").press("Tab")
    page.wait_for_function(SETTLED)
    page.locator("#generate").click()
    settled(page)
    made = page.evaluate(f"{TAKES}.map(({{ engine, state, model }}) => [engine, state, model])")
    assert sorted(made) == [["ar", "ready", "musicgen"], ["fm", "ready", fm]]

    upload(page, path)
    drag_span(page, 1.5, 2.5)
    page.wait_for_function(f"{SETTLED} && window.inlay.desk.doc.active")
    inpaint(page)
    own = [""] if fm == "stable-audio" else []  # once is enough: the same span by the server's own models
    if own:
        choose(page, AR="", FM="")
        page.keyboard.press("Escape")
        inpaint(page)
    each = page.evaluate(f"{TAKES}.map(({{ engine, state, model }}) => [engine, state, model])")
    models = {"ar": ["musicgen", *own], "fm": [fm, *own], "fm-zero-shot": [fm, *own]}
    assert sorted(each) == sorted([engine, "ready", name] for engine in models for name in models[engine])
    cards = page.locator("inlay-takes article").filter(has_text="musicgen")
    expect(cards).to_have_count(1)
    page.keyboard.press("c")  # three or four of them and the original side by side
    expect(page.locator("inlay-takes article.row")).to_have_count(4 + len(own))
    page.keyboard.press("c")
    cards.get_by_role("button", name="Keep").click()
    page.wait_for_function(f"{SETTLED} && {TAKES}.find(({{ model }}) => model === 'musicgen').kept")
    with page.expect_download() as download:
        page.locator("#export").click()
        page.locator("dialog.inlay-sheet [data-act=wav]").click()
    assert download.value.suggested_filename == "song inlay (not for commercial use).wav"
    download.value.save_as(tmp_path / "out.wav")
    samples, rate = soundfile.read(tmp_path / "out.wav", dtype="int16", always_2d=True)
    first, last = (round(state(page, f"doc.spans[0].{end}") * rate) for end in ("start", "end"))
    assert np.array_equal(samples[:first], song.samples[:first])
    assert np.array_equal(samples[last:], song.samples[last:])
    assert not np.array_equal(samples[first:last], song.samples[first:last])


def test_a_part_is_added_and_taken_out_compared_and_exported(page: Page, tmp_path: Path) -> None:
    path, song = stereo(tmp_path)
    upload(page, path)
    drag_span(page, 1.5, 2.5)
    page.wait_for_function(f"{SETTLED} && window.inlay.desk.doc.active")
    parts = page.locator("inlay-parts")
    expect(parts).to_be_hidden()  # the server's own flow was taught to fill alone
    choose(page, FM="ace-step-base")
    page.keyboard.press("Escape")
    expect(parts).to_be_visible()
    parts.get_by_role("combobox", name="Part").select_option("drums")
    parts.get_by_role("button", name="Add a part").click()
    settled(page)
    parts.get_by_role("combobox", name="Part").select_option("vocals")
    parts.get_by_role("button", name="Take a part out").click()
    settled(page)
    made = page.evaluate(f"{TAKES}.map(({{ engine, state, model, part }}) => [engine, state, model, part])")
    each = [["fm", "ready", "ace-step-base", words] for words in ("with drums", "without vocals")]
    assert sorted(made) == each
    card = page.locator("inlay-takes article").filter(has_text="with drums")
    expect(card).to_have_count(1)
    page.keyboard.press("1")
    page.wait_for_function("window.inlay.desk.track?.part === 'with drums'")
    page.keyboard.press("c")  # both and the original side by side
    expect(page.locator("inlay-takes article.row")).to_have_count(3)
    page.keyboard.press("c")
    card.get_by_role("button", name="Keep").click()
    page.wait_for_function(f"{SETTLED} && {TAKES}.find(({{ part }}) => part === 'with drums').kept")
    with page.expect_download() as download:
        page.locator("#export").click()
        page.locator("dialog.inlay-sheet [data-act=wav]").click()
    download.value.save_as(tmp_path / "out.wav")
    samples, rate = soundfile.read(tmp_path / "out.wav", dtype="int16", always_2d=True)
    first, last = (round(state(page, f"doc.spans[0].{end}") * rate) for end in ("start", "end"))
    assert np.array_equal(samples[:first], song.samples[:first])
    assert np.array_equal(samples[last:], song.samples[last:])
    assert not np.array_equal(samples[first:last], song.samples[first:last])


def _chip(fm: str, takes_lanes: bool) -> str:
    """What the melody's chip says of the two models."""
    first = "MusicGen stereo does not take melody; a span begins from music that has them"
    title = {"stable-audio": "Stable Audio 3 small", "ace-step": "ACE-Step 1.5 turbo"}.get(fm, "")
    return first if takes_lanes else f"{first}. {title} does not take melody; they steer it"
