"""How fast the timeline draws: `python -m tests.browser.frames [URL]`, against a running Inlay.

A three-minute clip with 1,000 notes, 1,000 hits and 90 chords scrolls for 300 frames. Printed are the
milliseconds that the page's own drawing takes per frame (16.7 is the budget of 60 frames a second), and the
time between frames, which also counts what else the machine does.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import soundfile
from playwright.sync_api import sync_playwright

RATE = 44_100
SCROLL = """() => new Promise((done) => {
  const { desk } = window.inlay; const { timeline } = desk;
  const parts = [...timeline.lanes, timeline.minimap, timeline.spans, timeline.transport];
  const each = {}; let spent = 0;
  for (const part of parts) {
    const draw = part.draw.bind(part);
    part.draw = (...args) => {
      const begun = performance.now();
      draw(...args);
      const took = performance.now() - begun;
      spent += took;
      each[part.constructor.name] = (each[part.constructor.name] ?? 0) + took / 300;
    };
  }
  const own = []; const between = []; let last = performance.now(); let frame = 0;
  const tick = (now) => {
    between.push(now - last); last = now; own.push(spent); spent = 0;
    if (++frame > 300) return done({ own: own.slice(2), between: between.slice(2), each });
    timeline.setView({ ...timeline.view, start: (frame * 0.5) % 150 });
    requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
})"""
FILL = """() => { const { desk } = window.inlay;
  const at = (count, make) => Array.from({ length: count }, (_, i) => make(i));
  desk.editLane('draw_notes', 'melody', at(1000, (i) =>
    ({ id: `n${i}`, start: i * 0.36, end: i * 0.36 + 0.3, pitch: 60 + (i * 7) % 20 })));
  desk.editLane('draw_hits', 'drums', at(1000, (i) =>
    ({ id: `h${i}`, time: i * 0.35, drum: ['kick', 'snare', 'hat'][i % 3] })));
  desk.editLane('draw_chords', 'chords', at(90, (i) =>
    ({ id: `c${i}`, start: i * 4, end: i * 4 + 4, symbol: ['C', 'Am7', 'F', 'G/B'][i % 4] })));
  desk.putSpan({ id: 's', start: 20, end: 26 }); }"""


def main(url: str) -> None:
    """Measure and print."""
    t = np.arange(180 * RATE) / RATE
    tone = 0.2 * np.sin(2 * np.pi * 220 * t) * np.exp(-4 * (t % 0.5))
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        path = Path(folder) / "three minutes.wav"
        soundfile.write(path, tone, RATE, subtype="PCM_16")
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium") or "/usr/bin/chromium",
            args=["--no-sandbox", "--disable-gpu"],
        )
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.set_default_timeout(120_000)
        page.goto(url)
        page.wait_for_function("window.inlay?.desk.timeline?.view && window.inlay.desk.doc.serial")
        with page.expect_file_chooser() as chooser:
            page.locator("inlay-timeline .choose").click()
        chooser.value.set_files(path)
        page.wait_for_function("window.inlay.desk.doc.clip && window.inlay.desk.pyramid('base')")
        page.evaluate(FILL)
        page.wait_for_function("window.inlay.desk.settled")
        for seconds in (180, 20):
            page.evaluate(f"window.inlay.desk.timeline.zoom({180 / seconds}, 0)")
            found = page.evaluate(SCROLL)
            each = found.pop("each")
            shown = {
                name: {
                    "median ms": round(float(np.median(times)), 2),
                    "95 % below ms": round(float(np.percentile(times, 95)), 2),
                }
                for name, times in found.items()
            }
            mean = {part: round(spent, 2) for part, spent in each.items()}
            print(json.dumps({"seconds in view": seconds, **shown, "mean ms a part": mean}))
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:7860/")
