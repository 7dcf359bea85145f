"""Several spans, each with words and takes of its own; and the piano roll under the pen."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_edit import drag_span, drawn, settled, state, upload
from tests.browser.test_hand import SETTLED, pen, slowly
from tests.browser.test_lanes import Lane, project


@pytest.fixture
def melody(page: Page, home: Path) -> Lane:
    return Lane(page, home, "melody")


def test_rows_stand_still_under_the_pen_and_what_is_beside_a_note_is_another(
    page: Page, melody: Lane
) -> None:
    pen(page)
    place = melody.point(0.2, 60)
    for beat, pitch in ((0.2, 60), (1.2, 74), (2.2, 62), (3.2, 76)):
        melody.click(beat, pitch)
        assert melody.point(0.2, 60) == place
        page.wait_for_function(SETTLED)
        assert melody.point(0.2, 60) == place
    x, y = melody.point(4, 76)  # where the last one ends
    page.mouse.click(x + 2, y)
    assert melody.saved == [(0, 1, 60), (1, 2, 74), (2, 3, 62), (3, 4, 76), (4, 5, 76)]
    x, _ = melody.point(5, 76)
    page.mouse.move(x - 2, y)  # inside it is its edge
    page.mouse.down()
    page.mouse.move(melody.point(5.9, 76)[0], y, steps=3)
    page.mouse.up()
    assert melody.saved[-1] == (4, 6, 76)


def test_words_are_those_of_the_span_that_is_active_as_they_are_typed(
    page: Page, song_file: Path, home: Path
) -> None:
    upload(page, song_file)
    field = page.locator("#prompt textarea")
    drag_span(page, 0.5, 1.5)
    field.click()
    page.keyboard.type("flute")
    page.wait_for_function(SETTLED)
    slowly(page, 0.5)
    page.keyboard.down("Shift")
    drag_span(page, 2.5, 3.5)  # one more, and typed on before the server has heard of it
    page.keyboard.up("Shift")
    field.click()
    page.keyboard.press("End")
    page.keyboard.type("loud drums")
    flags = page.locator("inlay-timeline .span .flag em")
    expect(flags).to_have_text(["flute", "loud drums"])  # at once
    page.keyboard.press("Escape")
    page.locator("inlay-timeline .span .flag").first.click()
    expect(field).to_have_value("flute")
    page.wait_for_function(SETTLED)
    spans = project(page, home)["spans"]
    assert [span["prompt"] for span in spans] == ["flute", "loud drums"]
    assert project(page, home)["prompt"] == ""


# How many pixels of the audio lane have a colour, between two times.
PIXELS = """([start, end, token]) => {
  const { timeline } = window.inlay.desk;
  const canvas = timeline.shadowRoot.querySelector('.audio canvas');
  const probe = timeline.shadowRoot.appendChild(document.createElement('i'));
  probe.style.color = `var(--${token})`;
  const [r, g, b] = getComputedStyle(probe).color.match(/\\d+/g).map(Number);
  probe.remove();
  const at = (time) => (time - timeline.view.start) * timeline.view.pps * canvas.width / canvas.clientWidth;
  const { data } = canvas.getContext('2d').getImageData(at(start), 0, at(end) - at(start), canvas.height);
  let found = 0;
  for (let i = 0; i < data.length; i += 4) {
    found += Math.abs(data[i] - r) + Math.abs(data[i + 1] - g) + Math.abs(data[i + 2] - b) < 12;
  }
  return found;
}"""


def test_a_span_that_no_engine_touched_has_no_engine_s_colour(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 0.5, 1.5)
    page.locator("#engine-ar input").uncheck()
    page.locator("#engine-fm-zero-shot input").uncheck()
    page.locator("#inpaint").click()
    settled(page)
    page.keyboard.down("Shift")
    drag_span(page, 2.5, 3.5)
    page.keyboard.up("Shift")
    page.wait_for_function(SETTLED)
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("1")
    page.wait_for_function(
        "window.inlay.desk.track?.kind === 'take' && window.inlay.desk.pyramid(window.inlay.desk.track.id)"
    )
    drawn(page)
    assert page.evaluate(PIXELS, [0.55, 1.45, "fm"]) > 20
    assert page.evaluate(PIXELS, [2.55, 3.45, "fm"]) == 0
    assert page.evaluate(PIXELS, [2.55, 3.45, "span-wave"]) > 20


def test_a_take_says_nothing_of_chords_that_came_after_it_and_keeps_its_figures_over_a_reload(
    page: Page, song_file: Path
) -> None:
    upload(page, song_file)
    drag_span(page, 0, 2)
    page.locator("#engine-ar input").uncheck()
    page.locator("#engine-fm-zero-shot input").uncheck()
    page.locator("#inpaint").click()
    settled(page)
    lane = page.locator("inlay-timeline .chords")
    box = lane.bounding_box()
    assert box
    lane.dblclick(position={"x": box["width"] * 0.1, "y": 20})
    chord = page.locator("inlay-timeline .palette input")
    chord.fill("Am")
    chord.press("Enter")
    page.wait_for_function("window.inlay.desk.settled && window.inlay.desk.doc.chords.length")
    page.wait_for_function("window.inlay.desk.ghost.of(window.inlay.desk.group.tracks[1])")
    card = page.locator("inlay-takes .card").nth(1)
    assert "Chords" not in card.inner_text()
    page.locator("#inpaint").click()
    settled(page)
    page.wait_for_function("window.inlay.desk.ghost.of(window.inlay.desk.group.tracks[2])")
    told = page.evaluate("window.inlay.desk.takes.agreement(window.inlay.desk.group.tracks[2])?.share")
    assert told is not None
    page.reload()
    page.wait_for_function(
        "window.inlay?.desk.group?.tracks[2] && window.inlay.desk.ghost.of(window.inlay.desk.group.tracks[2])"
    )
    again = "window.inlay.desk.takes.agreement(window.inlay.desk.group.tracks[2])?.share"
    assert page.evaluate(again) == told
    assert state(page, "takes.agreement(window.inlay.desk.group.tracks[1])") is None
