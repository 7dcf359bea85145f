"""How fast the timeline draws: `python -m tests.browser.frames [URL]`, against a running Inlay.

A three-minute clip with 1,000 notes, 1,000 hits and 90 chords is scrolled, zoomed and edited by wheel and
mouse. Printed for each gesture: the frames it took, the milliseconds that the page works for a frame (script,
style and layout; 16.7 is the budget of 60 frames a second), the time between frames, which also counts what
else the machine does, and what each part of the timeline spends on drawing a frame.
"""

from __future__ import annotations

import json
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from playwright.sync_api import CDPSession, Page, sync_playwright

RATE = 44_100
FILL = """() => { const { desk } = window.inlay;
  const at = (count, make) => Array.from({ length: count }, (_, i) => make(i));
  desk.editLane('draw_notes', 'melody', at(1000, (i) =>
    ({ id: `n${i}`, start: i * 0.36, end: i * 0.36 + 0.3, pitch: 60 + (i * 7) % 20 })));
  desk.editLane('draw_hits', 'drums', at(1000, (i) =>
    ({ id: `h${i}`, time: i * 0.35, drum: ['kick', 'snare', 'hat'][i % 3] })));
  desk.editLane('draw_chords', 'chords', at(90, (i) =>
    ({ id: `c${i}`, start: i * 4, end: i * 4 + 4, symbol: ['C', 'Am7', 'F', 'G/B'][i % 4] })));
  desk.putSpan({ id: 's', start: 20, end: 26 }); }"""
# Counts frames and what every part spends on drawing until `stop` is called.
WATCH = """() => {
  const { timeline } = window.inlay.desk;
  const parts = [...timeline.lanes, timeline.minimap, timeline.spans, timeline.transport];
  const each = {}; const between = []; let draws = 0; let last = 0; let going = true;
  for (const part of parts) {
    const draw = Object.getPrototypeOf(part).draw.bind(part);
    part.draw = (...args) => {
      const begun = performance.now();
      draw(...args);
      draws += part === timeline.spans;
      each[part.constructor.name] = (each[part.constructor.name] ?? 0) + performance.now() - begun;
    };
  }
  const tick = (now) => {
    if (last) between.push(now - last);
    last = now;
    if (going) requestAnimationFrame(tick);
  };
  requestAnimationFrame(tick);
  window.stop = () => { going = false; return { each, between, draws }; };
}"""
SPENT = ("ScriptDuration", "LayoutDuration", "RecalcStyleDuration")


def spent(client: CDPSession) -> float:
    """Milliseconds that the page has worked so far."""
    metrics = client.send("Performance.getMetrics")["metrics"]
    return sum(metric["value"] * 1e3 for metric in metrics if metric["name"] in SPENT)


def measure(page: Page, client: CDPSession, name: str, gesture: Callable[[], object]) -> dict[str, Any]:
    """Print and return what one gesture costs."""
    page.evaluate(WATCH)
    before = spent(client)
    after = gesture()
    page.wait_for_timeout(50)
    found = page.evaluate("window.stop()")
    work = spent(client) - before
    if callable(after):
        after()  # what the measured gesture leaves to be taken back
    frames = max(1, found["draws"])
    told = {
        "gesture": name,
        "frames drawn": found["draws"],
        "work ms a frame": round(work / frames, 2),
        "ms between frames": {
            "median": round(float(np.median(found["between"])), 1),
            "95 % below": round(float(np.percentile(found["between"], 95)), 1),
        },
        "drawing ms a frame": {part: round(ms / frames, 2) for part, ms in found["each"].items()},
    }
    print(json.dumps(told), flush=True)
    return told


def drives(page: Page) -> dict[str, Callable[[], object]]:  # noqa: C901  # a table of gestures
    """The gestures, by name."""
    timeline = "window.inlay.desk.timeline"

    def place(selector: str) -> tuple[float, float]:
        box = page.locator(f"inlay-timeline {selector}").first.bounding_box()
        assert box
        return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    def turn(x: float, y: float, times: int = 60) -> None:
        for _ in range(times):
            page.mouse.wheel(x, y)

    def over(selector: str) -> None:
        page.mouse.move(*place(selector))

    def drag(x: float, y: float, wide: float) -> None:
        page.mouse.move(x, y)
        page.mouse.down()
        page.mouse.move(x + wide, y, steps=40)
        page.mouse.move(x + wide / 2, y, steps=40)
        page.mouse.up()

    def view(seconds: float, start: float) -> None:
        page.evaluate(f"{timeline}.setView({{ start: {start}, pps: {timeline}.width / {seconds} }})")

    def scroll() -> None:
        over(".melody")
        turn(40, 0)

    def zoom() -> None:
        over(".melody")
        page.keyboard.down("Control")
        turn(0, -60, 30)
        turn(0, 60, 30)
        page.keyboard.up("Control")

    def note() -> Callable[[], None]:
        x, y = page.evaluate(
            f"""(({{ melody, view, width }}) => {{ const box = melody.host.getBoundingClientRect();
              const shown = melody.items.filter((n) => melody.x(n.start) > width / 4
                && n.pitch < melody.top - 2 && n.pitch > melody.top - melody.rows + 2);
              const [n] = shown; return [box.left + melody.x((n.start + n.end) / 2),
                box.top + melody.y(n.pitch) + melody.row / 2]; }})({timeline})"""
        )
        drag(x, y, 120)
        return back

    def back() -> None:
        page.wait_for_function(
            "['move notes', 'resize notes'].includes(window.inlay.desk.doc.undo)"
        )  # it met one
        page.keyboard.press("Control+z")
        page.wait_for_function("['move notes', 'resize notes'].includes(window.inlay.desk.doc.redo)")

    def all_notes() -> Callable[[], None]:
        page.locator("inlay-timeline .melody").focus()
        page.keyboard.press("Control+a")
        return note()

    def span() -> None:
        drag(*place(".active .grip.end"), 100)

    def minimap() -> None:
        drag(*place(".minimap"), 300)

    near, far = (lambda: view(20, 15)), (lambda: view(180, 0))
    done: dict[str, Callable[[], object]] = {}
    for words, look in (("20 s in view", near), ("180 s in view", far)):
        for name, gesture in (("scroll", scroll), ("zoom", zoom), ("drag a note", note),
                              ("drag 1,000 notes", all_notes), ("drag a span's end", span),
                              ("drag the minimap", minimap)):  # fmt: skip
            done[f"{name}, {words}"] = lambda look=look, gesture=gesture: look() or gesture()  # type: ignore[misc]
    return done


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
            page.locator("inlay-start .choose, inlay-timeline .choose").locator("visible=true").first.click()
        chooser.value.set_files(path)
        page.wait_for_function("window.inlay.desk.doc.clip && window.inlay.desk.pyramid('base')")
        page.evaluate(FILL)
        page.wait_for_function("window.inlay.desk.settled")
        client = page.context.new_cdp_session(page)
        client.send("Performance.enable")
        for name, gesture in drives(page).items():
            measure(page, client, name, gesture)
        browser.close()


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "http://127.0.0.1:7860/")
