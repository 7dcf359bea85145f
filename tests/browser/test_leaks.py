"""What begins ends: elements that leave the page, and dialogs, take their listeners and timers along."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page

from tests.browser.conftest import PATIENCE, begin
from tests.browser.test_edit import drag_span, upload

# Counts what the page's own modules leave on targets that outlive them, and what still waits for its time.
COUNT = """(() => {
  const ours = () => /assets\\/page\\//.test(new Error().stack);
  const live = { listeners: new Set(), timers: new Set(), frames: new Set(), observers: new Set() };
  const stays = (target) => !(target instanceof AbortSignal)
    && (!(target instanceof Node) || target === document || target === document.body);
  const { addEventListener: add, removeEventListener: remove } = EventTarget.prototype;
  const kept = []; // {target, kind, handler}
  const drop = (one) => { live.listeners.delete(one); kept.splice(kept.indexOf(one), 1); };
  EventTarget.prototype.addEventListener = function (kind, handler, options) {
    if (handler && stays(this ?? window) && ours()) {
      const one = { target: this ?? window, kind, handler };
      live.listeners.add(one);
      kept.push(one);
      const { signal } = options ?? {};
      if (signal) add.call(signal, 'abort', () => drop(one), { once: true });
      const gone = () => live.listeners.has(one) && drop(one);
      if (options?.once) add.call(this ?? window, kind, gone, { once: true });
    }
    return add.call(this ?? window, kind, handler, options);
  };
  EventTarget.prototype.removeEventListener = function (kind, handler, options) {
    const one = kept.find((each) => each.target === this && each.kind === kind && each.handler === handler);
    if (one) drop(one);
    return remove.call(this ?? window, kind, handler, options);
  };
  const pairs = [['setInterval', 'clearInterval', true], ['setTimeout', 'clearTimeout', false]];
  for (const [start, stop, again] of pairs) {
    const [begin, end] = [window[start], window[stop]];
    window[start] = (work, ...rest) => {
      const mine = ours();
      const run = (...given) => {
        if (!again) live.timers.delete(id);
        work(...given);
      };
      const id = begin(run, ...rest);
      if (mine) live.timers.add(id);
      return id;
    };
    window[stop] = (id) => { live.timers.delete(id); end(id); };
  }
  const [request, cancel] = [window.requestAnimationFrame, window.cancelAnimationFrame];
  window.requestAnimationFrame = (work) => {
    const mine = ours();
    const id = request((now) => { live.frames.delete(id); work(now); });
    if (mine) live.frames.add(id);
    return id;
  };
  window.cancelAnimationFrame = (id) => { live.frames.delete(id); cancel(id); };
  for (const Watch of [MutationObserver, ResizeObserver]) {
    const { observe, disconnect } = Watch.prototype;
    Watch.prototype.observe = function (...rest) {
      if (ours()) live.observers.add(this);
      observe.apply(this, rest);
    };
    Watch.prototype.disconnect = function () {
      live.observers.delete(this);
      disconnect.call(this);
    };
  }
  window.counted = () => Object.fromEntries(Object.entries(live).map(([what, all]) => [what, all.size]));
})()"""
RESTING = "((now) => !now.timers && !now.frames && now)(window.counted())"
REMOUNT = """() => {
const all = ['timeline', 'takes', 'spans', 'words', 'note', 'intent', 'take', 'model', 'start'];
for (const name of all) {
  const node = document.querySelector(`inlay-${name}`);
  const { parentNode, nextSibling } = node;
  node.remove();
  parentNode.insertBefore(node, nextSibling);
} }"""
DIALOGS = """async () => {
  const { timeline } = window.inlay.desk;
  for (const id of ['export', 'project', 'keys']) {
    document.querySelector(`#${id}`).click();
    document.querySelector('dialog[open]').close();
  }
  document.querySelector('inlay-model button').click();
  const sheet = () => document.querySelector('dialog.inlay-models[open]');
  while (!sheet()) await new Promise((done) => { setTimeout(done); }); // it comes once its styles are there
  sheet().close();
  timeline.find('.band-head .add').click();
  timeline.closePopovers();
  timeline.menu.open('melody', timeline.find('[data-menu=melody]'));
  timeline.closePopovers();
}"""


@pytest.fixture
def context(browser: Browser) -> Iterator[BrowserContext]:
    """A profile of its own, whose pages are counted from their first line on."""
    with browser.new_context(viewport={"width": 1440, "height": 900}, color_scheme="dark") as context:
        context.set_default_timeout(PATIENCE)
        context.add_init_script(COUNT)
        yield context


@pytest.fixture
def counting(open_page: Callable[[], Page], song_file: Path) -> Page:
    page = open_page()
    upload(page, song_file)
    drag_span(page, 1.02, 1.98)
    page.wait_for_function("window.inlay.desk.settled")
    return page


def test_twenty_times_leave_what_was_there_before(counting: Page) -> None:
    for again in (REMOUNT, DIALOGS):
        counting.evaluate(again)  # what is made once, at first use
        before = counting.wait_for_function(RESTING).json_value()  # an answer may draw once more
        assert before["listeners"] > 10 and before["frames"] == 0 and before["observers"] >= 4
        for _ in range(20):
            counting.evaluate(again)
        counting.wait_for_function(
            "(before) => JSON.stringify(window.counted()) === before", arg=_json(before)
        )


ASKED = """(() => { const draw = window.requestAnimationFrame; window.asked = 0;
  window.drawn = () => new Promise((done) => draw(done));
  window.requestAnimationFrame = (work) => { window.asked += 1; return draw(work); }; })()"""


# Frames in a row before which nothing is asked for: thirty are enough, fifteen seconds are too long.
STILL = """async () => {
  let still = 0;
  for (let frame = 0, before = -1; still < 30 && frame < 900; frame += 1) {
    await window.drawn();
    still = window.asked === before ? still + 1 : 0;
    before = window.asked;
  }
  return still;
}"""


def test_a_page_at_rest_asks_for_no_frame(browser: Browser, address: str, song_file: Path) -> None:
    """Sixty frames a second of nothing are a tenth of a core: Gradio's loader asks for them."""
    with browser.new_context(viewport={"width": 1440, "height": 900}) as profile:
        profile.set_default_timeout(PATIENCE)
        profile.add_init_script(ASKED)
        page = profile.new_page()
        page.goto(address)
        begin(page)
        upload(page, song_file)
        still = page.evaluate(STILL)
        assert still == 30 and page.evaluate("window.asked") > 0


def _json(counted: dict[str, int]) -> str:
    return "{" + ",".join(f'"{what}":{number}' for what, number in counted.items()) + "}"
