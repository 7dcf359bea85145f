"""What the eye meets: both themes, small and large windows, no layout jump, the Listen view, drops, help."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.browser.test_edit import drag_span, drawn, inpaint, settled, state, upload
from tests.browser.test_takes import made, takes

__all__ = ["made", "takes"]  # fixtures


def colour(page: Page, name: str) -> str:
    value: str = page.evaluate(
        "(name) => getComputedStyle(document.querySelector('inlay-timeline')).getPropertyValue(name).trim()",
        name,
    )
    return value


def test_theme_button_and_system_theme(page: Page, browser: Browser, address: str) -> None:
    assert colour(page, "--bg") == "#121315"
    page.locator("#theme").click()
    assert colour(page, "--bg") == "#e7e5df"
    page.reload()
    page.wait_for_function("window.inlay?.desk.timeline")
    assert colour(page, "--bg") == "#e7e5df"  # remembered
    page.emulate_media(color_scheme="light")
    page.emulate_media(color_scheme="dark")
    assert colour(page, "--bg") == "#e7e5df"  # what was chosen holds, whatever the system does
    with browser.new_context(color_scheme="light") as context:
        fresh = context.new_page()
        fresh.goto(address)
        fresh.wait_for_function("window.inlay?.desk.timeline")
        assert colour(fresh, "--bg") == "#e7e5df"
        fresh.emulate_media(color_scheme="dark")  # at nightfall, with the page open
        fresh.wait_for_function("document.body.classList.contains('dark')")
        assert colour(fresh, "--bg") == "#121315"


def test_everything_is_in_the_window(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 1, 2)
    for size in ((1280, 720), (1440, 900), (2560, 1440)):
        page.set_viewport_size({"width": size[0], "height": size[1]})
        drawn(page)
        in_the_window(page, size)


def in_the_window(page: Page, size: tuple[int, int]) -> None:
    """All that one works with can be seen."""
    for selector in (
        "#inpaint",
        "#generate",
        "#export",
        "#theme",
        "inlay-timeline .transport",
        "inlay-takes .strip",
    ):
        box = page.locator(selector).bounding_box()
        assert box, selector
        assert box["x"] >= 0 and box["x"] + box["width"] <= size[0] + 0.5, selector
        assert box["y"] >= 0 and box["y"] + box["height"] <= size[1] + 0.5, selector
    lane = page.locator("inlay-timeline .audio").bounding_box()
    assert lane and lane["height"] >= 68  # half of what it has at 1440 x 900, the least a lane may shrink to
    assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")


# Heights of the bar and of the timeline's parts, and widths of panel and gutter, in CSS px, at the size of a
# window. None: out of the way.
PARTS = "bar tools minimap ruler audio chords melody drums transport panel gutter".split()
LAYOUT = {
    (1440, 900): (48, 40, 32, 32, 128, 52, 148, 116, 48, 328, 96),
    (1321, 900): (48, 40, 32, 32, 128, 52, 148, 116, 48, 328, 96),
    (1320, 900): (48, 40, 32, 32, 128, 52, 148, 116, 48, 304, 96),
    (1280, 800): (48, 40, 28, 32, 112, 48, 114, 102, 48, 304, 96),
    (1024, 800): (48, 40, 28, 32, 112, 48, 114, 102, 48, 304, 96),
    (1023, 900): (48, 40, 32, 32, 128, 52, 148, 116, 48, None, 96),
    (2560, 1440): (56, 48, 44, 36, 228, 64, 296, 192, 56, 400, 128),
}
MEASURE = """(parts) => {
  const inside = document.querySelector('inlay-timeline').shadowRoot;
  return parts.map((part) => {
    if (part === 'gutter') return inside.querySelector('.audio-head').getBoundingClientRect().width;
    const box = document.querySelector(`#${part}`) ?? inside.querySelector(`.${part}`);
    const { left, width, height } = box.getBoundingClientRect();
    if (part !== 'panel') return height;
    return left < window.innerWidth && getComputedStyle(box).visibility === 'visible' ? width : null;
  });
}"""


def test_the_parts_have_their_measures(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 1, 2)
    for (width, height), wanted in LAYOUT.items():
        page.set_viewport_size({"width": width, "height": height})
        drawn(page)
        found = page.evaluate(MEASURE, PARTS)
        rounded = tuple(None if size is None else round(size) for size in found)
        assert rounded == wanted, (width, height)
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
    page.set_viewport_size({"width": 390, "height": 844})
    views = page.locator("#view").bounding_box()
    assert views and views["y"] + views["height"] == 844 and views["width"] == 390  # under the thumb
    expect(page.locator("inlay-timeline .melody")).to_be_visible()
    expect(page.locator("inlay-timeline .drums")).to_be_hidden()
    for hit in ("#inpaint", "#prompt textarea", "#engine-ar label"):
        box = page.locator(hit).bounding_box()
        assert box and box["y"] + box["height"] <= views["y"], hit


# Twelve takes in place of the one that was made: of all engines, with longer seeds than usual.
DOZEN = """() => {
  const { desk } = window.inlay;
  const { tracks: [original, take], ...group } = desk.group;
  const of = (i) => ({
    ...take, id: `${take.id}${i}`, digit: i < 10 ? i : null, seed: 12380 + i,
    engine: ['ar', 'fm', 'fm-zero-shot'][i % 3],
  });
  const takes = Array.from({ length: 12 }, (_, i) => of(i + 1));
  desk.receiveTakes({ groups: [{ ...group, tracks: [original, ...takes] }], run: false });
}"""
# What sticks out of its box, or is cut off although it has to be read: [what, by how many px].
STICKING_OUT = """() => {
  const takes = document.querySelector('inlay-takes').shadowRoot;
  const out = [];
  const inside = (node, box, name) => {
    const [a, b] = [node.getBoundingClientRect(), box.getBoundingClientRect()];
    const by = Math.max(b.left - a.left, a.right - b.right, b.top - a.top, a.bottom - b.bottom);
    if (a.width && by > 0.5) out.push([name, by]);
  };
  for (const card of takes.querySelectorAll('.card')) {
    for (const part of card.querySelectorAll('button:not(.star), .words')) inside(part, card, part.outerHTML);
    const name = card.querySelector('.name');
    if (name && name.scrollWidth > name.clientWidth) out.push(['name', name.textContent]);
  }
  for (const row of takes.querySelectorAll('.row')) {
    for (const part of row.querySelectorAll('.right button, .left *')) inside(part, row, part.outerHTML);
  }
  for (const [name, node] of [['bar', document.querySelector('#bar')], ['page', document.documentElement]]) {
    if (node.scrollWidth > node.clientWidth) out.push([name, node.scrollWidth - node.clientWidth]);
  }
  return out;
}"""


def test_many_takes_and_long_names_stay_in_their_boxes(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 1, 2)
    page.locator("#engine-ar input").uncheck()
    page.locator("#engine-fm-zero-shot input").uncheck()
    page.locator("#name input").fill("A late-night title that nobody ever shortened " * 2)
    page.locator("#name input").blur()
    inpaint(page)
    page.wait_for_function("window.inlay.desk.doc.undo === 'rename' && window.inlay.desk.settled")
    page.evaluate(DOZEN)
    expect(page.locator("inlay-takes .card")).to_have_count(13)
    expect(page.locator("inlay-takes .card").last).to_contain_text("12")  # keys end at 9, numbers do not
    for width, height in ((1440, 900), (1280, 720), (820, 1180), (390, 844)):
        page.set_viewport_size({"width": width, "height": height})
        for view in ("edit", "listen"):
            page.evaluate("(view) => window.inlay.desk.setView(view)", view)
            drawn(page)
            assert page.evaluate(STICKING_OUT) == [], (width, height, view)
            if width > 700:
                name, views = page.locator("#name").bounding_box(), page.locator("#view").bounding_box()
                assert name and views and name["x"] + name["width"] <= views["x"]
    page.set_viewport_size({"width": 1440, "height": 900})
    page.evaluate("window.inlay.desk.setView('listen')")
    digits = page.locator("inlay-takes .switch button b")
    expect(digits).to_have_count(5)
    assert "10" in digits.all_inner_texts() + page.locator("inlay-takes .picks button").all_inner_texts()


# 1440 x 900 and 1280 x 720 at a zoom of 200 %, and a phone on its side.
LOW = ((720, 450), (640, 360), (844, 390))


def test_a_low_window_scrolls_its_lanes(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 1, 2)
    for width, height in LOW:
        page.set_viewport_size({"width": width, "height": height})
        drawn(page)
        for lane, least in (("audio", 60), ("chords", 44), ("melody", 84)):
            box = page.locator(f"inlay-timeline .{lane}").bounding_box()
            assert box and box["height"] >= least - 0.5, (lane, width)
        for part in ("inlay-timeline .play", "#inpaint" if width <= 700 else "inlay-takes .strip h2"):
            page.locator(part).scroll_into_view_if_needed()
            expect(page.locator(part)).to_be_in_viewport()
            within = "document.documentElement.scrollHeight <= window.innerHeight"  # it scrolls in the page
            assert page.evaluate(within), (part, width)


def test_what_is_opened_comes_into_view_and_can_be_reached(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 1, 2)
    page.locator("inlay-spans .add").click()
    row = page.locator("inlay-spans li").nth(1)
    row.locator(".end").fill("0.5")
    row.locator(".end").press("Enter")
    expect(row.locator(".place-error")).to_contain_text("the end must follow the start")
    page.locator("#advanced > button").click()
    expect(page.locator("#preset input")).to_be_in_viewport()
    page.locator("#about").scroll_into_view_if_needed()
    about, foot = page.locator("#about").bounding_box(), page.locator("#foot").bounding_box()
    assert about and foot and about["y"] + about["height"] <= foot["y"]
    row.locator(".remedy").scroll_into_view_if_needed()
    expect(row.locator(".remedy")).to_be_in_viewport()


def test_borders_of_a_span_leave_words_in_an_empty_lane_alone(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 1, 2)
    card = page.locator("inlay-timeline .melody .hint.card")
    box, lane = card.bounding_box(), page.locator("inlay-timeline .audio").bounding_box()
    assert box and lane
    x, y = lane["x"] + lane["width"] * 2 / 4, box["y"] + box["height"] / 2  # on the span's end, in the words
    assert box["x"] < x < box["x"] + box["width"]
    within = """([x, y]) => {
      const over = document.querySelector('inlay-timeline').shadowRoot.querySelector('.over');
      const { left, top } = over.getBoundingClientRect();
      const path = new Path2D(getComputedStyle(over).clipPath.match(/"(.*)"/)[1]);
      return new OffscreenCanvas(1, 1).getContext('2d').isPointInPath(path, x - left, y - top, 'evenodd');
    }"""
    assert page.evaluate(within, [x, y]) is False
    assert page.evaluate(within, [x, lane["y"] + lane["height"] / 2]) is True


def test_fingers_find_every_chord_of_the_key(browser: Browser, address: str, song_file: Path) -> None:
    with browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ) as context:
        page = context.new_page()
        page.goto(address)
        page.wait_for_function("window.inlay?.desk.timeline?.view && window.inlay.desk.doc.serial")
        upload(page, song_file)
        page.evaluate(
            "window.inlay.desk.editLane('draw_chords', 'chords',"
            " [{ id: 'c1', start: 0, end: 4, symbol: 'C' }])"
        )
        for width, height in ((390, 844), (360, 740), (820, 1180)):
            page.set_viewport_size({"width": width, "height": height})
            drawn(page)
            keys_for_fingers(page)


def keys_for_fingers(page: Page) -> None:
    """The chords' popover has a key for each chord, whole and large enough."""
    page.locator("inlay-timeline .cell").focus()
    page.keyboard.press("Enter")
    popover = page.locator("inlay-timeline .popover")
    whole = popover.bounding_box()
    keys = popover.locator(".key button").evaluate_all(
        "(nodes) => nodes.map((node) => "
        "[node.getBoundingClientRect().toJSON(), node.scrollWidth - node.clientWidth])"
    )
    assert whole and len(keys) == 7
    for box, cut in keys:
        assert box["height"] >= 44 and box["width"] >= 42 and cut <= 0
        assert whole["x"] <= box["left"] and box["right"] <= whole["x"] + whole["width"]
    page.keyboard.press("Escape")
    assert page.evaluate(STICKING_OUT) == []


def test_the_page_to_start_from(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(address)
    start = page.locator("inlay-start")
    page.wait_for_function("window.inlay?.desk.doc.serial")
    expect(start.locator("h1")).to_have_text("Start a clip")
    expect(page.locator("#panel")).to_be_hidden()
    make = start.locator(".make")
    expect(make).to_be_disabled()  # nothing is described yet
    start.locator(".pill", has_text="Nylon guitar bossa").click()
    expect(make).to_be_enabled()
    start.locator(".bpm").fill("100")
    start.locator(".bars").select_option("2")
    start.locator(".key").select_option("A minor")
    start.locator(".chords").select_option("0")
    make.click()
    expect(start).to_be_hidden()
    page.wait_for_function("window.inlay.desk.doc.clip", timeout=120_000)
    assert state(page, "doc.clip.seconds") == pytest.approx(4.8, abs=0.05)  # two bars of four at 100 bpm
    assert state(page, "doc.key") == "A minor" and state(page, "doc.grid.bpm") == 100
    assert page.evaluate("window.inlay.desk.doc.chords.map(({ symbol }) => symbol)") == ["Am", "F"]
    expect(page.locator("#prompt textarea")).to_have_value("nylon guitar, soft percussion, bossa nova")
    page.wait_for_function("window.inlay.desk.player.playing")  # it sounds when it is ready
    assert state(page, "track.engine") == "fm"  # the engine that answers first
    expect(page.locator("#name input")).to_have_value("Nylon guitar, soft percussion")


def test_an_example_opens_and_empty_lanes_stay_chosen(context: BrowserContext, address: str) -> None:
    page = context.new_page()
    page.goto(address)
    start = page.locator("inlay-start")
    page.wait_for_function("window.inlay?.desk.doc.serial")
    start.locator(".lanes").click()
    expect(start).to_be_hidden()
    page.reload()
    page.wait_for_function("window.inlay?.desk.doc.serial")
    expect(start).to_be_hidden()
    page.evaluate("sessionStorage.clear()")
    page.reload()
    page.wait_for_function("window.inlay?.desk.doc.serial")
    start.locator("[data-example]").first.click()
    page.wait_for_function("window.inlay.desk.doc.clip?.label === 'jazz waltz.flac'")
    expect(start).to_be_hidden()
    page.evaluate("sessionStorage.clear()")
    page.reload()
    page.wait_for_function("window.inlay?.desk.doc.serial")
    start.locator("[data-example='11.flac']").click()
    page.wait_for_function("window.inlay.desk.doc.clip?.label === 'ballad.flac'")
    assert state(page, "doc.grid.bpm") == 70 and state(page, "doc.undo") == "open ballad.flac"
    assert [state(page, f"doc.{lane}.length") for lane in ("chords", "melody", "drums")] == [3, 5, 18]
    expect(page.locator("#prompt textarea")).to_have_value(re.compile("tempo 70"))
    expect(page.locator("#tempo input")).to_have_value("70")
    expect(page.locator("#follow input[type=checkbox]:checked")).to_have_count(3)
    expect(page.locator("#hearing p")).to_have_count(0)  # nothing is left to be heard


def test_no_layout_jump_while_working(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 1, 2)
    boxes = [
        "inlay-timeline .audio",
        "inlay-timeline .chords",
        "inlay-takes .strip",
        "#inpaint",
        "#prompt",
        "#seed",
    ]

    def places() -> list[object]:
        return [page.locator(selector).bounding_box() for selector in boxes]

    page.wait_for_function("window.inlay.desk.settled")
    expect(page.locator("#inpaint")).to_be_enabled()  # the panel has heard of the span as well
    before = places()
    page.locator("#inpaint").click()
    page.wait_for_function("window.inlay.desk.run === true")
    assert places() == before
    page.wait_for_function("window.inlay.desk.run === false", timeout=120_000)
    assert places() == before


def test_listen_view_loops_the_span_and_keeps(takes: Page) -> None:
    page = takes
    page.locator("inlay-takes .compare").click()
    expect(page.locator("#view input[value=Listen]")).to_be_checked()
    rows = page.locator("inlay-takes article.row")
    expect(rows).to_have_count(4)
    expect(rows.nth(1)).to_contain_text("at 1 s")  # a seam sentence with its time
    rows.nth(1).locator("button.digit").click()
    page.locator("inlay-takes footer .play").click()
    page.wait_for_function("window.inlay.desk.player.position > 0.3")
    page.locator("inlay-takes .switch button").nth(2).click()
    assert state(page, "track.engine") == "ar" and state(page, "player.playing")
    assert state(page, "looping") is True
    rows.nth(2).locator("button", has_text="Keep").click()
    page.wait_for_function("window.inlay.desk.doc.undo === 'keep take'")
    expect(rows.nth(2).locator("button", has_text="Kept")).to_be_disabled()
    page.locator("inlay-takes .listen").focus()
    page.keyboard.press("ArrowRight")  # edits nothing that is out of sight
    page.keyboard.press("Escape")
    expect(page.locator("inlay-timeline .audio")).to_be_visible()
    expect(page.locator("#view input[value=Edit]")).to_be_checked()
    assert state(page, "doc.region") == {"start": 1, "end": 2}


def test_another_seed_adds_a_take(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 1, 2)
    page.locator("#engine-ar input").uncheck()
    page.locator("#engine-fm-zero-shot input").uncheck()
    inpaint(page)
    page.locator("inlay-takes article.card [data-act=sheet]").click()
    page.locator("dialog.inlay-sheet [data-act=seed]").click()
    settled(page)
    assert page.evaluate("window.inlay.desk.group.tracks.slice(1).map((track) => track.seed)") == [0, 1]


def test_file_dropped_on_the_page(page: Page, song_file: Path) -> None:
    data = song_file.read_bytes()
    page.evaluate(
        """(bytes) => {
          const transfer = new DataTransfer();
          transfer.items.add(new File([new Uint8Array(bytes)], 'dropped.wav', { type: 'audio/wav' }));
          const target = document.querySelector('inlay-timeline');
          for (const type of ['dragenter', 'dragover', 'drop']) {
            const how = { bubbles: true, composed: true, cancelable: true, dataTransfer: transfer };
            target.dispatchEvent(new DragEvent(type, how));
          }
        }""",
        list(data),
    )
    page.wait_for_function("window.inlay.desk.doc.clip?.label === 'dropped.wav'")
    assert not page.evaluate("document.querySelector('#page').classList.contains('dropping')")


def test_help_lists_the_keys_and_closes(page: Page) -> None:
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("?")
    sheet = page.locator("dialog.inlay-keys")
    expect(sheet).to_contain_text("Switch take")
    page.keyboard.press("Escape")
    expect(sheet).to_have_count(0)


def test_keys_leave_fields_alone(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 1, 2)
    prompt = page.locator("#prompt textarea")
    prompt.click()
    page.keyboard.type("k l 1 d?")
    expect(prompt).to_have_value("k l 1 d?")
    assert state(page, "looping") is False and state(page, "timeline.tool") == "select"
    assert not state(page, "player.playing")


def test_a_span_too_long_says_so_before_the_run(page: Page, tmp_path: Path) -> None:
    rate = 4_000
    tone = (0.2 * np.sin(2 * np.pi * 220 * np.arange(140 * rate) / rate)).astype(np.float32)
    path = tmp_path / "long tone.wav"
    soundfile.write(path, tone, rate)
    upload(page, path)
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("f")  # the whole clip in view
    drag_span(page, 5, 135)
    expect(page.locator("#span-box")).to_contain_text("at most 120 s are made at once")
    expect(page.locator("#inpaint")).to_be_disabled()
    page.locator("inlay-timeline .board").focus()
    drag_span(page, 20, 50)
    expect(page.locator("#inpaint")).to_be_enabled()
    expect(page.locator("#span-box")).not_to_contain_text("at most")


def test_a_file_given_at_once_is_not_overtaken(
    context: BrowserContext, address: str, song_file: Path
) -> None:
    page = context.new_page()
    page.goto(address, wait_until="commit")
    page.wait_for_function("document.querySelector('#page')?.hasAttribute('data-start')")
    upload(page, song_file)  # before the server has answered that the page is open
    expect(page.locator("inlay-timeline .audio-head")).to_contain_text("my song.wav")
    page.wait_for_function("document.querySelector('#stage').dataset.view")
    assert state(page, "doc.clip.label") == "my song.wav"
