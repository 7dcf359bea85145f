"""Spans and time by mouse, keys, fields and touch: what moves on the page, and what is saved of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.test_edit import drag_span, state, upload
from tests.browser.test_lanes import project


def spans(page: Page, home: Path) -> list[tuple[float, float, bool]]:
    """Start, end and whether active, of each span in the project on disk."""
    page.wait_for_function("window.inlay.desk.settled")
    saved = project(page, home)
    return [(span["start"], span["end"], span["id"] == saved["active"]) for span in saved["spans"]]


def test_several_spans(page: Page, home: Path, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 0.5, 1)
    page.keyboard.down("Shift")
    drag_span(page, 2, 3)
    page.keyboard.up("Shift")
    assert spans(page, home) == [(0.5, 1, False), (2, 3, True)]
    expect(page.locator("#inpaint")).to_have_text("Inpaint 2.00–3.00 s")
    flags = page.locator("inlay-timeline .span .flag")
    expect(flags).to_have_count(2)
    border = "getComputedStyle(node).borderLeftStyle"
    styles = page.locator("inlay-timeline .span").evaluate_all(f"(nodes) => nodes.map((node) => {border})")
    assert sorted(styles) == ["dashed", "solid"]

    drag_span(page, 2.5, 3.5)  # without Shift the active one is put elsewhere
    assert spans(page, home) == [(0.5, 1, False), (2.5, 3.5, True)]
    page.keyboard.press("n")
    assert spans(page, home) == [(0.5, 1, True), (2.5, 3.5, False)]
    page.keyboard.press("ArrowRight")
    assert spans(page, home)[0] == (1, 1.5, True)
    box = flags.nth(1).bounding_box()
    lane = page.locator("inlay-timeline .audio").bounding_box()
    assert box and lane
    second = lane["width"] / 4
    page.mouse.move(box["x"] + 8, box["y"] + 8)
    page.mouse.down()
    page.mouse.move(box["x"] + 8 - 0.48 * second, box["y"] + 8, steps=4)
    page.mouse.up()
    assert spans(page, home) == [(1, 1.5, False), (2, 3, True)]  # a drag on its flag makes it active
    page.keyboard.press("a")  # one more, behind it; the clip ends at four seconds
    assert spans(page, home)[-1] == (2, 4, True)
    page.keyboard.press("Escape")
    assert spans(page, home) == [(1, 1.5, False), (2, 3, False)]
    expect(page.locator("#inpaint")).to_be_disabled()
    page.keyboard.press("Control+z")
    page.wait_for_function("window.inlay.desk.doc.spans.length === 3")


def test_alt_turns_snapping_off(page: Page, home: Path, song_file: Path) -> None:
    upload(page, song_file)
    page.keyboard.down("Alt")
    drag_span(page, 1.03, 2.21)
    page.keyboard.up("Alt")
    start, end, _ = spans(page, home)[0]
    assert abs(start - 1.03) < 0.01 and abs(end - 2.21) < 0.01
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("Escape")
    page.locator("inlay-timeline .snap select").select_option("frame")
    drag_span(page, 1.03, 2.21)
    start, end, _ = spans(page, home)[0]
    assert (start * 25, end * 25) == (pytest.approx(26), pytest.approx(55))
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("Escape")
    page.locator("inlay-timeline .snap select").select_option("bar")
    drag_span(page, 0.3, 1.3)
    assert spans(page, home)[0][:2] == (0, 2)


def test_exact_times_are_typed(page: Page, home: Path, song_file: Path) -> None:
    upload(page, song_file)
    page.locator("inlay-spans .add").click()
    page.locator("inlay-spans .add").click()
    rows = page.locator("inlay-spans li")
    expect(rows).to_have_count(2)
    rows.nth(0).locator(".start").fill("0,125")  # a comma is a point
    rows.nth(0).locator(".start").press("Enter")
    page.wait_for_function("window.inlay.desk.doc.region?.start === 0.125")
    assert spans(page, home)[0] == (0.125, 2, True)
    rows.nth(1).locator(".end").fill("9")
    rows.nth(1).locator(".end").blur()
    expect(rows.nth(1).locator("[role=alert]")).to_contain_text(
        "outside the clip; choose times inside 0–4.00 s"
    )
    assert spans(page, home)[1] == (2, 4, False)
    rows.nth(1).locator(".remove").click()
    expect(rows).to_have_count(1)
    assert spans(page, home) == [(0.125, 2, True)]


def test_each_span_has_words_of_its_own(page: Page, home: Path, song_file: Path) -> None:
    upload(page, song_file)
    prompt = page.locator("#prompt textarea")
    prompt.press_sequentially("piano")
    page.wait_for_function("window.inlay.desk.doc.undo === 'prompt'")
    drag_span(page, 0.5, 1)
    page.locator("inlay-spans .own").click()
    expect(page.locator("inlay-spans .words")).to_contain_text("Words for span 1")
    expect(prompt).to_have_value("piano")
    prompt.fill("brass")
    prompt.blur()
    page.wait_for_function("window.inlay.desk.doc.spans[0].prompt === 'brass'")
    page.keyboard.down("Shift")
    drag_span(page, 2, 3)
    page.keyboard.up("Shift")
    expect(prompt).to_have_value("piano")
    page.locator("inlay-spans .swatch").nth(0).click()
    expect(prompt).to_have_value("brass")
    saved = project(page, home)
    assert (saved["prompt"], [span["prompt"] for span in saved["spans"]]) == ("piano", ["brass", None])
    # Typed, and another span chosen before Gradio has sent a word of it.
    page.evaluate(
        """(() => { const { desk } = window.inlay; const [first, second] = desk.doc.spans;
          const field = document.querySelector('#prompt textarea');
          field.value = 'trumpet'; field.dispatchEvent(new Event('input', { bubbles: true }));
          desk.activateSpan(second.id); field.focus(); field.blur(); })()"""
    )
    page.wait_for_function("window.inlay.desk.doc.spans[0].prompt === 'trumpet'")
    expect(prompt).to_have_value("piano")
    saved = project(page, home)
    assert (saved["prompt"], [span["prompt"] for span in saved["spans"]]) == ("piano", ["trumpet", None])
    page.locator("inlay-spans .swatch").nth(0).click()
    expect(prompt).to_have_value("trumpet")
    page.locator("inlay-spans .own").click()  # the same as the clip again
    expect(prompt).to_have_value("piano")


def test_no_times_flash_at_load(page: Page) -> None:
    page.reload()
    page.wait_for_selector("inlay-spans")
    assert page.locator("inlay-spans input").count() == 0
    expect(page.locator("inlay-spans")).to_contain_text("Drag over the audio")


def test_tempo_is_tapped_and_beat_one_set(page: Page, home: Path, song_file: Path) -> None:
    upload(page, song_file)
    page.locator("inlay-timeline .board").focus()
    # The page's clock stands in for a drummer: four taps 0.4 s apart.
    page.evaluate(
        """(() => { const real = performance.now.bind(performance); let taps = 0;
          const tapping = () => new Error().stack.includes('tapTempo');
          performance.now = () => (tapping() ? 1000 + 400 * taps++ : real()); })()"""
    )
    for _ in range(4):
        page.keyboard.press("t")
    page.wait_for_function("window.inlay.desk.settled")
    assert project(page, home)["grid"]["bpm"] == 150
    expect(page.locator("#tempo input")).to_have_value("150")
    page.evaluate("window.inlay.desk.player.seek(0.25)")
    page.keyboard.press("b")
    page.wait_for_function("window.inlay.desk.settled")
    assert project(page, home)["grid"]["offset"] == 0.25
    drag_span(page, 0.6, 1.1)
    page.wait_for_function("window.inlay.desk.settled")
    start, end, _ = spans(page, home)[0]
    assert (start, end) == (pytest.approx(0.65), pytest.approx(1.05))  # beats count from there
    page.locator("inlay-timeline [data-menu=grid]").click()
    field = page.locator("inlay-timeline [data-offset]")
    expect(field).to_have_value("0.25")
    field.fill("0.1")
    field.press("Enter")
    page.wait_for_function("window.inlay.desk.settled")
    assert project(page, home)["grid"]["offset"] == 0.1


def view(page: Page) -> dict[str, float]:
    found: dict[str, float] = state(page, "timeline.view")
    return found


def test_zoom_scroll_fit_and_minimap(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    fitted = view(page)
    lane = page.locator("inlay-timeline .audio").bounding_box()
    assert lane
    x, y = lane["x"] + lane["width"] / 2, lane["y"] + 40
    page.mouse.move(x, y)
    page.keyboard.down("Control")
    for _ in range(60):
        page.mouse.wheel(0, -240)
    page.keyboard.up("Control")
    page.wait_for_function("window.inlay.desk.timeline.view.pps > 44100 * 5")  # samples stand apart
    deep = view(page)
    middle = deep["start"] + lane["width"] / 2 / deep["pps"]
    assert abs(middle - 2) < 0.01  # the time under the pointer stayed
    page.mouse.wheel(0, 400)
    page.wait_for_function(f"window.inlay.desk.timeline.view.start > {deep['start']}")
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("Shift+Digit0")
    assert view(page) == fitted
    page.keyboard.press("+")
    page.keyboard.press("+")
    box = page.locator("inlay-timeline .minimap").bounding_box()
    assert box
    page.mouse.click(box["x"] + box["width"] - 5, box["y"] + 10)
    shown = view(page)
    assert shown["start"] + lane["width"] / shown["pps"] == pytest.approx(4)


def test_the_view_follows_the_playhead_unless_told_not_to(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    page.locator("inlay-timeline .board").focus()
    for _ in range(4):
        page.keyboard.press("+")
    page.evaluate("window.inlay.desk.timeline.setView({ ...window.inlay.desk.timeline.view, start: 0 })")
    page.keyboard.press("f")
    expect(page.locator("inlay-timeline [data-action=follow]")).to_have_attribute("aria-pressed", "false")
    page.keyboard.press("Space")
    page.wait_for_function("window.inlay.desk.player.position > 1.2")
    assert view(page)["start"] == 0
    page.keyboard.press("f")
    page.wait_for_function("window.inlay.desk.timeline.view.start > 0")
    page.keyboard.press("Space")


def test_all_spans_are_inpainted_in_one_pass(page: Page, home: Path, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 0.5, 1)
    together = page.locator("#inpaint-all")
    expect(together).to_have_count(0)
    page.keyboard.down("Shift")
    drag_span(page, 2, 3)
    page.keyboard.up("Shift")
    expect(together).to_have_text("Inpaint all 2 spans in one pass")
    expect(page.locator("#inpaint")).to_contain_text("Inpaint 2.00–3.00 s")
    page.locator("#engine-ar input").uncheck()
    page.wait_for_function("window.inlay.desk.doc.undo === 'engines'")
    page.keyboard.press("Shift+A")
    page.wait_for_function(
        "window.inlay.desk.run === false && window.inlay.desk.group?.tracks.length === 3", timeout=120_000
    )
    expect(page.locator("inlay-takes .strip h2")).to_have_text("Takes of 2 spans, 0.50–3.00 s")
    page.locator("inlay-takes .compare").click()
    row = page.locator("inlay-takes article.row.take").first
    expect(row.locator(".mark")).to_have_count(4)
    for time in ("0.5 s", "1 s", "2 s", "3 s"):
        expect(row.locator(".right .say", has_text=f"at {time}")).to_have_count(1)
    page.keyboard.press("1")
    page.keyboard.press("y")
    page.keyboard.press("y")
    expect(page.locator("inlay-takes .change .right")).to_contain_text("Outside the spans: 0 dB, bit for bit")
    page.keyboard.press("k")
    page.wait_for_function("window.inlay.desk.doc.undo === 'keep take'")
    kept = project(page, home)
    assert [(one["start"], one["end"]) for one in kept["takes"][0]["spans"]] == [(0.5, 1), (2, 3)]
    page.locator("#undo").click()
    page.wait_for_function("window.inlay.desk.doc.redo === 'keep take'")
    assert len(spans(page, home)) == 2


def test_lane_edges_are_dragged_and_remembered(page: Page) -> None:
    edge = page.locator("inlay-timeline .edge").nth(0).bounding_box()
    lane = page.locator("inlay-timeline .audio")
    before = lane.bounding_box()
    assert edge and before
    page.mouse.move(edge["x"] + 300, edge["y"] + 4)
    page.mouse.down()
    page.mouse.move(edge["x"] + 300, edge["y"] + 4 - 40, steps=4)
    page.mouse.up()
    after = lane.bounding_box()
    assert after and abs(before["height"] - 40 - after["height"]) < 2
    page.reload()
    page.wait_for_function("window.inlay?.desk.timeline?.view")
    kept = lane.bounding_box()
    assert kept and abs(kept["height"] - after["height"]) < 2


def test_touch_draws_selects_and_pinches(browser: Browser, address: str, home: Path, song_file: Path) -> None:
    with browser.new_context(viewport={"width": 1280, "height": 800}, has_touch=True) as context:
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.goto(address)
        page.wait_for_function("window.inlay?.desk.timeline?.view && window.inlay.desk.doc.serial")
        upload(page, song_file)
        client = context.new_cdp_session(page)

        def touch(kind: str, *points: tuple[float, float]) -> None:
            places: list[dict[str, Any]] = [{"x": x, "y": y, "id": i} for i, (x, y) in enumerate(points)]
            client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": places})

        audio = page.locator("inlay-timeline .audio").bounding_box()
        assert audio
        left, second, y = audio["x"], audio["width"] / 4, audio["y"] + 40
        touch("touchStart", (left + second, y))
        for step in range(1, 11):
            touch("touchMove", (left + second + second * step / 10, y))
        touch("touchEnd")
        assert spans(page, home) == [(1, 2, True)]
        drums = page.locator("inlay-timeline .drums").bounding_box()
        assert drums
        page.touchscreen.tap(drums["x"] + second / 4 + 4, drums["y"] + 15)  # kick; above lies the lane's edge
        page.wait_for_function("window.inlay.desk.settled")
        assert [(hit["time"], hit["drum"]) for hit in project(page, home)["lanes"]["drums"]] == [
            (0.5, "kick")
        ]
        before = view(page)["pps"]
        touch("touchStart", (left + 400, y))
        touch("touchStart", (left + 400, y), (left + 500, y))
        for step in range(1, 6):
            touch("touchMove", (left + 400 - 20 * step, y), (left + 500 + 20 * step, y))
        touch("touchEnd")
        assert view(page)["pps"] > before * 2
        assert spans(page, home) == [(1, 2, True)]
