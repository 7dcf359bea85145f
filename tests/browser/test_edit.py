"""The way of a musician through the page, by mouse and keyboard: upload, span, runs, listening, keeping."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from playwright.sync_api import Page, expect


def upload(page: Page, path: Path) -> None:
    with page.expect_file_chooser() as chooser:
        new = page.locator("#page").get_attribute("data-start") is not None
        bring = "inlay-timeline .choose, inlay-timeline .audio-head button:not([data-action])"
        ways = "inlay-start .choose" if new else bring
        page.locator(ways).locator("visible=true").first.click()
    chooser.value.set_files(path)
    page.wait_for_function("window.inlay.desk.pyramid('base')")


def drag_span(page: Page, start: float, end: float) -> None:
    """Drags over the audio lane from one time to another, in seconds."""
    box = page.locator("inlay-timeline .audio").bounding_box()
    assert box
    duration = page.evaluate("window.inlay.desk.duration")
    x = [box["x"] + box["width"] * time / duration for time in (start, end)]
    y = box["y"] + box["height"] / 3
    page.mouse.move(x[0], y)
    page.mouse.down()
    page.mouse.move((x[0] + x[1]) / 2, y, steps=3)
    page.mouse.move(x[1], y, steps=3)
    page.mouse.up()


def drawn(page: Page) -> None:
    """Waits until the page has drawn what was done to it."""
    page.evaluate("new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def settled(page: Page) -> None:
    """Waits for the end of a run."""
    page.wait_for_function("window.inlay.desk.run === true")
    page.wait_for_function("window.inlay.desk.run === false", timeout=120_000)


def state(page: Page, expression: str) -> Any:
    return page.evaluate(f"window.inlay.desk.{expression}")


def inpaint(page: Page) -> None:
    page.locator("#inpaint").click()
    settled(page)


def saved_clip(page: Page, folder: Path) -> tuple[np.ndarray[Any, Any], int]:
    with page.expect_download() as download:
        page.locator("#export").click()
        page.locator("dialog.inlay-sheet [data-act=wav]").click()
    # the song's own name, kept or not
    assert download.value.suggested_filename in ("my song.wav", "my song inlay.wav")
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    samples, rate = soundfile.read(path, dtype="int16", always_2d=True)
    return samples, rate


# What is heard after each key.
WATCH = """() => {
  const desk = window.inlay.desk;
  window.seen = [];
  addEventListener("keyup", () => window.seen.push({
    digit: desk.track.digit, anchor: desk.player.anchor,
    playing: desk.player.playing, position: desk.player.position,
  }));
}"""


def test_upload_inpaint_switch_keep_undo_export(page: Page, song_file: Path, tmp_path: Path) -> None:
    upload(page, song_file)
    expect(page.locator("inlay-timeline .audio-head")).to_contain_text("my song.wav")
    drag_span(page, 1.03, 2.46)
    assert state(page, "doc.region") == {"start": 1, "end": 2.5}  # both borders on the beat
    expect(page.locator("#inpaint")).to_have_text("Inpaint 1.00–2.50 s")

    inpaint(page)
    cards = page.locator("inlay-takes article.card")
    expect(cards).to_have_count(4)
    for name in ("AR", "FM", "ZS"):
        expect(cards.filter(has_text=name)).to_have_count(1)
    expect(page.locator("#status")).to_contain_text("done in")
    page.wait_for_function("window.inlay.desk.player.tracks.size === 5")

    # Switching while it plays: one clock, no restart, the position goes on.
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("Space")
    page.wait_for_function("window.inlay.desk.player.position > 0.2")
    page.evaluate(WATCH)  # the song is short: nothing is asked between two keys
    for digit in "1230":
        page.keyboard.press(digit)
    seen = page.evaluate("window.seen")
    assert [one["digit"] for one in seen] == [1, 2, 3, 0]
    assert len({one["anchor"] for one in seen}) == 1 and all(one["playing"] for one in seen)
    places = [one["position"] for one in seen]
    assert places == sorted(places)
    page.keyboard.press("Space")
    assert not state(page, "player.playing")

    original, rate = saved_clip(page, tmp_path)
    page.keyboard.press("2")
    take = state(page, "track.id")
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("k")
    page.wait_for_function("window.inlay.desk.doc.undo === 'keep take'")
    expect(page.locator("inlay-takes article", has_text="Kept, on the timeline")).to_have_count(1)
    kept, kept_rate = saved_clip(page, tmp_path)
    assert (kept_rate, kept.shape) == (rate, original.shape) == (44_100, (176_400, 2))
    assert np.array_equal(kept[:44_100], original[:44_100])
    assert np.array_equal(kept[110_250:], original[110_250:])
    assert not np.array_equal(kept[44_100:110_250], original[44_100:110_250])

    page.locator("#undo").click()
    page.wait_for_function("window.inlay.desk.doc.redo === 'keep take'")
    assert np.array_equal(saved_clip(page, tmp_path)[0], original)
    assert take in page.evaluate(
        "window.inlay.desk.group.tracks.map((track) => track.id)"
    )  # undo loses no take
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("Control+Shift+z")
    page.wait_for_function("window.inlay.desk.doc.undo === 'keep take'")
    assert np.array_equal(saved_clip(page, tmp_path)[0], kept)

    drag_span(page, 3, 3.5)  # a second span, on the kept clip
    page.locator("#engine-fm-zero-shot input").uncheck()
    inpaint(page)
    assert page.evaluate("window.inlay.desk.groups.map((group) => group.tracks.length)") == [4, 3]


def test_generate_with_four_chords(page: Page) -> None:
    lane = page.locator("inlay-timeline .chords").bounding_box()
    assert lane
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("d")
    y = lane["y"] + lane["height"] / 2
    for place, symbol in enumerate(("C", "Am", "Dbmaj7", "G/B")):
        left = lane["x"] + lane["width"] * place / 5
        page.mouse.move(left + 6, y)
        page.mouse.down()
        page.mouse.move(left + lane["width"] / 5 - 4, y, steps=4)
        page.mouse.up()
        field = page.locator("inlay-timeline .palette input")
        expect(field).to_be_focused()
        field.fill(symbol)
        field.press("Enter")
    page.wait_for_function(
        "window.inlay.desk.doc.chords.map((cell) => cell.symbol).join() === 'C,Am,C#maj7,G/B'"
    )
    assert page.evaluate("window.inlay.desk.doc.chords.map((cell) => [cell.start, cell.end])") == [
        [0, 4], [4, 8], [8, 12], [12, 16]
    ]  # fmt: skip
    page.locator("#prompt textarea").fill("warm electric piano")
    page.locator("#length input").fill("2")
    page.locator("#generate").click()
    settled(page)
    assert state(page, "doc.clip.seconds") == 2  # the first clip goes onto the empty timeline
    assert page.evaluate("window.inlay.desk.group.tracks.map((track) => track.engine)") == ["fm", "ar"]
    expect(page.locator("#prompt textarea")).to_have_value("warm electric piano")


def test_chords_move_resize_copy_delete(page: Page) -> None:
    lane = page.locator("inlay-timeline .chords")
    box = lane.bounding_box()
    assert box
    lane.dblclick(position={"x": box["width"] * 0.1, "y": 20})  # bar 1 of 5
    page.locator("inlay-timeline .palette button", has_text="Am").click()
    cell = page.locator("inlay-timeline .cell")
    expect(cell).to_contain_text("Am")
    page.wait_for_function("window.inlay.desk.doc.chords[0].symbol === 'Am'")
    beat = box["width"] / 20
    y = box["y"] + 20

    def drag(start: float, end: float, *keys: str) -> None:
        for key in keys:
            page.keyboard.down(key)
        page.mouse.move(box["x"] + start, y)
        page.mouse.down()
        page.mouse.move(box["x"] + (start + end) / 2, y, steps=3)
        page.mouse.move(box["x"] + end, y, steps=3)
        page.mouse.up()
        for key in keys:
            page.keyboard.up(key)

    def cells() -> Any:
        return page.evaluate(
            "window.inlay.desk.doc.chords.map((cell) => [cell.start, cell.end, cell.symbol])"
        )

    drag(2 * beat, 4.1 * beat)  # by its middle: moves
    assert cells() == [[2, 6, "Am"]]
    drag(6 * beat - 4, 7.9 * beat)  # by its edge: resizes
    assert cells() == [[2, 8, "Am"]]
    drag(4 * beat, 12 * beat, "Alt")  # copies
    assert cells() == [[2, 8, "Am"], [10, 16, "Am"]]
    page.keyboard.press("Delete")
    assert cells() == [[2, 8, "Am"]]
    page.wait_for_function("window.inlay.desk.doc.undo === 'erase chords'")
    page.keyboard.press("Control+z")
    page.wait_for_function("window.inlay.desk.doc.chords.length === 2")
    page.locator("inlay-timeline .cell").first.focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("window.inlay.desk.doc.chords[0].start === 3")


def test_unknown_chord_says_so_and_changes_nothing(page: Page) -> None:
    lane = page.locator("inlay-timeline .chords")
    lane.dblclick(position={"x": 60, "y": 20})
    field = page.locator("inlay-timeline .palette input")
    field.fill("H7")
    field.press("Enter")
    expect(page.locator("inlay-timeline .palette [role=alert]")).to_contain_text("A–G")
    field.fill("Cqwerty")
    field.press("Enter")
    expect(page.locator("inlay-timeline .notice")).to_contain_text("Cqwerty")
    page.wait_for_function("window.inlay.desk.doc.chords[0].symbol === 'C'")


def test_span_by_handles_keys_and_fields(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 1, 2)
    grip = page.locator("inlay-timeline .grip.end").bounding_box()
    lane = page.locator("inlay-timeline .audio").bounding_box()
    assert grip and lane
    second = lane["width"] / 4
    x, y = grip["x"] + grip["width"] / 2, grip["y"] + grip["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 0.97 * second, y, steps=5)
    page.mouse.up()
    assert state(page, "doc.region") == {"start": 1, "end": 3}  # the other border stays
    flag = page.locator("inlay-timeline .flag").bounding_box()
    assert flag
    page.mouse.move(flag["x"] + 40, flag["y"] + 10)
    page.mouse.down()
    page.mouse.move(flag["x"] + 40 + 0.52 * second, flag["y"] + 10, steps=5)
    page.keyboard.press("Escape")  # restores
    page.mouse.up()
    assert state(page, "doc.region") == {"start": 1, "end": 3}
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("ArrowRight")
    assert state(page, "doc.region") == {"start": 1.5, "end": 3.5}
    page.keyboard.press("Shift+ArrowLeft")
    assert state(page, "doc.region") == {"start": 1.5, "end": 3}

    expect(page.locator("inlay-spans li.active .start")).to_have_value("1.50")
    page.locator("inlay-spans li.active .end").fill("0.5")
    page.locator("inlay-spans li.active .end").press("Enter")
    error = page.locator("#span-box .place-error:not(:empty)")
    expect(error).to_contain_text("the end must follow the start")
    expect(error).to_contain_text("Still using 1.50–3.00 s")
    page.locator("#span-box .remedy", has_text="Swap them").click(delay=60)  # a hand takes so long
    page.wait_for_function('JSON.stringify(window.inlay.desk.doc.region) === \'{"start":0.5,"end":1.5}\'')
    expect(page.locator("#span-box .place-error:not(:empty)")).to_have_count(0)
    page.locator("inlay-spans li.active .end").fill("3.75")
    page.locator("inlay-spans li.active .end").press("Enter")
    page.wait_for_function("window.inlay.desk.doc.region.end === 3.75")
    expect(page.locator("#span-box .place-error:not(:empty)")).to_have_count(0)
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("Escape")
    assert state(page, "doc.region") is None
    expect(page.locator("#inpaint")).to_be_disabled()


def test_cancel_within_a_second(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 1, 2)
    page.locator("#advanced > button").click()
    page.locator("#engine-ar input").uncheck()
    page.locator("#engine-fm-zero-shot input").uncheck()
    page.locator("#steps input").fill("1000")
    page.locator("#solver input").click()
    page.locator("#solver [role=option]", has_text="midpoint").click()
    page.locator("#inpaint").click()
    page.wait_for_function(
        "window.inlay.desk.group?.tracks.some((track) => track.state === 'running' && track.progress > 0)"
    )
    page.evaluate(  # by the page's clock: Playwright takes its time with a click on a busy machine
        """document.querySelector('#cancel').addEventListener('click', () => {
          const pressed = performance.now();
          window.inlay.desk.addEventListener('change', () => {
            if (!window.inlay.desk.run) window.took ??= performance.now() - pressed;
          }); }, { capture: true, once: true })"""
    )
    page.locator("#cancel").click()
    page.wait_for_function("window.took")
    assert page.evaluate("window.took") < 10_000  # a small part of what was left
    expect(page.locator("#status")).to_contain_text("Cancelled")
    assert (
        page.evaluate("window.inlay.desk.group.tracks.filter((track) => track.state === 'cancelled').length")
        == 1
    )


def test_bad_file_is_named_and_nothing_is_lost(page: Page, song_file: Path, tmp_path: Path) -> None:
    upload(page, song_file)
    bad = tmp_path / "notes.wav"
    bad.write_bytes(b"this is no audio")
    page.locator("inlay-timeline .audio-head button:not([data-action])").click(trial=True)
    with page.expect_file_chooser() as chooser:
        page.locator("inlay-timeline .audio-head button:not([data-action])").click()
    chooser.value.set_files(bad)
    expect(page.locator("inlay-timeline .notice")).to_contain_text(
        "notes.wav (16 bytes): not readable as audio"
    )
    assert state(page, "doc.clip.label") == "my song.wav"


def test_two_tabs_are_two_projects_and_a_reload_keeps_its_own(
    open_page: Callable[[], Page], song_file: Path
) -> None:
    one, two = open_page(), open_page()
    upload(one, song_file)
    one.locator("#name input").fill("First")
    one.locator("#name input").blur()
    two.locator("#prompt textarea").press_sequentially("only here")
    two.wait_for_function("window.inlay.desk.doc.project !== ''")
    one.wait_for_function("window.inlay.desk.doc.undo === 'rename'")
    assert state(two, "doc.clip") is None
    assert state(one, "doc.project") != state(two, "doc.project")
    one.reload()
    one.wait_for_function("window.inlay?.desk.doc.clip?.label === 'my song.wav'")
    expect(one.locator("#name input")).to_have_value("First")
    expect(one.locator("#prompt textarea")).to_have_value("")


def test_two_tabs_run_one_after_the_other(open_page: Callable[[], Page], song_file: Path) -> None:
    tabs = [open_page(), open_page()]
    for tab in tabs:
        upload(tab, song_file)
        drag_span(tab, 1, 2)
    for tab in tabs:
        tab.locator("#inpaint").click()
    for tab in tabs:
        tab.wait_for_function(
            "window.inlay.desk.run === false && window.inlay.desk.groups.length === 1", timeout=120_000
        )
        states = tab.evaluate("window.inlay.desk.group.tracks.map((track) => track.state)")
        assert states == ["ready"] * 4
