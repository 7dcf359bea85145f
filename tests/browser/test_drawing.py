"""How much the timeline draws: once a frame, and only what is in sight. `frames.py` measures the time."""

from __future__ import annotations

import re
from pathlib import Path

import numpy as np
import pytest
import soundfile
from playwright.sync_api import Page

from tests.browser.frames import FILL
from tests.browser.test_edit import drawn, state, upload

COUNT = """() => {
  const { timeline } = window.inlay.desk;
  const seen = { audio: 0, melody: 0, drums: 0, boxes: [], minimap: 0, cells: 0 };
  for (const name of ['audio', 'melody', 'drums']) {
    const lane = timeline.lane(name);
    const draw = lane.draw.bind(lane);
    lane.draw = (...args) => { seen[name] += 1; draw(...args); };
    if (!lane.drawBoxes) continue;
    const boxes = lane.drawBoxes.bind(lane);
    lane.drawBoxes = (c, colour, all) => { seen.boxes.push(all.length); boxes(c, colour, all); };
  }
  const c = timeline.minimap.canvas.getContext('2d');
  const clear = c.clearRect.bind(c);
  c.clearRect = (...args) => { seen.minimap += 1; clear(...args); };
  new MutationObserver((changes) => { seen.cells += new Set(changes.map(({ target }) => target)).size; })
    .observe(timeline.chords.cells, { subtree: true, attributes: true, attributeFilter: ['style'] });
  window.seen = seen;
}"""


@pytest.fixture
def full(page: Page, tmp_path: Path) -> Page:
    """Three minutes with 1,000 notes, 1,000 hits and 90 chords, 20 seconds in view."""
    rate = 22_050
    t = np.arange(180 * rate) / rate
    path = tmp_path / "three minutes.wav"
    soundfile.write(path, (0.2 * np.sin(2 * np.pi * 220 * t)).astype(np.float32), rate)
    upload(page, path)
    page.evaluate(FILL)
    page.wait_for_function("window.inlay.desk.settled")
    page.evaluate("(({ timeline: t }) => t.setView({ start: 30, pps: t.width / 20 }))(window.inlay.desk)")
    drawn(page)
    page.evaluate(COUNT)
    return page


def test_many_moves_in_a_frame_are_one_drawing(full: Page) -> None:
    full.evaluate(
        """() => { const { timeline: t } = window.inlay.desk;
          for (let i = 0; i < 50; i++) t.setView({ ...t.view, start: 30 + i / 10 }); }"""
    )
    drawn(full)
    seen = full.evaluate("window.seen")
    assert (seen["audio"], seen["melody"], seen["drums"]) == (1, 1, 1)
    assert state(full, "timeline.view.start") == pytest.approx(34.9)


def test_only_what_is_in_sight_is_drawn(full: Page) -> None:
    full.evaluate("(({ timeline: t }) => t.setView({ ...t.view, start: 60 }))(window.inlay.desk)")
    drawn(full)
    seen = full.evaluate("window.seen")
    notes, hits = seen["boxes"]
    assert notes == pytest.approx(20 * 2 / 0.36, abs=3)  # 20 seconds at two beats a second
    assert hits == pytest.approx(20 * 2 / 0.35, abs=3)
    assert 10 <= seen["cells"] <= 25  # of 90: ten come into sight, ten go
    assert seen["minimap"] == 0  # its picture stays, only the window on it moves


def test_nothing_is_drawn_while_nothing_changes(full: Page) -> None:
    full.evaluate("window.inlay.desk.player.seek(3)")
    drawn(full)
    full.evaluate("window.seen.audio = 0")
    for _ in range(5):
        drawn(full)
    assert full.evaluate("window.seen.audio") == 0
    line = full.locator("inlay-timeline .head-line").get_attribute("style") or ""
    assert re.search(r"translateX\(-?\d", line)  # the playhead's own layer is what moves


def test_a_change_of_size_or_theme_is_drawn(full: Page) -> None:
    canvas = full.locator("inlay-timeline .audio canvas")
    ground = "(node) => [...node.getContext('2d').getImageData(2, 100, 1, 1).data]"
    before = canvas.evaluate(ground)
    full.locator("#theme").click()
    drawn(full)
    assert canvas.evaluate(ground) != before
    full.set_viewport_size({"width": 1200, "height": 800})
    full.wait_for_function(
        "(({ timeline: t }) => t.audio.canvas.width === t.audio.canvas.clientWidth)(window.inlay.desk)"
    )
    assert full.evaluate("(({ timeline: t }) => t.width === t.audio.canvas.clientWidth)(window.inlay.desk)")
