"""Whether the wish came true, on cards and in Listen: words, order, once more, for a screen reader."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Page, expect

from tests.browser.test_edit import drag_span, state, upload

# Three takes of a span from 1 to 2 s, all with the clip's own sound: the first is smoothest, the second is
# what was asked. `extra` is put over them by number.
TAKES = """(extra) => { const { desk } = window.inlay; const { region, clip } = desk.doc;
  const wish = { sure: 0.91, seconds: 1, plays: true };
  const player = (name, plays, share, words) => ({ ...wish, kind: 'instrument', name, plays, share, words });
  const lane = (share) => ({ ...wish, kind: 'melody', name: 'melody', share, words: `${share * 100} %` });
  const seams = (score) => [1, 2].map((time) => ({ time, score, words: score < 0.5 ? 'Smooth' : 'Click',
    jump: 1, level: 0, brightness: 0, click: 0 }));
  const engines = ['ar', 'fm', 'fm-zero-shot'];
  const take = (digit, wish, score) => ({ id: `t${digit}`, digit, kind: 'take', engine: engines[digit - 1],
    seed: 10 + digit, name: '', starred: false, kept: false, extends: '', why: '', state: 'ready',
    progress: 1, note: '', words: '1.8 s', seconds: 4, region, spans: [], seams: seams(score), url: clip.url,
    start: 0, whole: false, details: [], peaks: [], peak_seconds: 0.1,
    search: null, wish, wishState: '', band: [] });
  const [faint, plays] = [player('flute', true, 0.3, 'faint'), player('drums', false, 0.8, 'still plays')];
  const [heard, gone] = [player('flute', true, 0.9, 'heard'), player('drums', false, 0.02, 'gone')];
  const takes = [take(1, [faint, plays, lane(0.71)], 0.1), take(2, [heard, gone, lane(0.78)], 0.8),
    take(3, [{ ...faint, share: 0.4 }, gone, lane(0.64)], 0.3)];
  const first = { ...take(1, [], 0), id: 'o', digit: 0, kind: 'original', engine: '', kept: true, seams: [] };
  const tracks = [first, ...takes.map((track, i) => ({ ...track, ...extra[i + 1] }))];
  const group = { id: 'g', label: 'span 1', region, spans: [], extends: '', tracks };
  desk.receiveTakes({ groups: [group], run: false }); }"""
ORDER = (
    "[...document.querySelector('inlay-takes').shadowRoot.querySelectorAll('{}[data-take]')]"
    ".map((node) => node.dataset.take)"
)
SILENT = """(({ desk }) => { desk.send = (kind, data) => {
  window.sent = [kind, data.name, data.payload]; }; })(window.inlay)"""
WORDED = """(({ desk }) => {
  const spans = desk.doc.spans.map((span) => ({ ...span, prompt: 'Airy flute, no drums' }));
  desk.doc = { ...desk.doc, spans }; desk.tell('doc'); })(window.inlay)"""
# How many pixels of the audio lane are blue, AR's colour, at three times.
BLUE = """new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => {
  const canvas = window.inlay.desk.timeline.find('.audio canvas');
  const at = (seconds) => {
    const x = Math.round(canvas.width * seconds / 4);
    const { data } = canvas.getContext('2d').getImageData(x, 0, 12, canvas.height);
    let count = 0;
    for (let i = 0; i < data.length; i += 4) if (data[i + 2] > data[i] + 60) count += 1;
    return count;
  };
  done([0.5, 1.5, 3.2].map(at)); })))"""
WISH = {"kind": "instrument", "plays": True, "sure": 0, "seconds": 1}


def order(page: Page, what: str = ".card") -> list[str]:
    found: list[str] = page.evaluate(ORDER.format(what))
    return found


def until_order(page: Page, *ids: str, what: str = ".card") -> None:
    now = f"JSON.stringify({ORDER.format(what)})"
    page.wait_for_function(f"(ids) => {now} === JSON.stringify(ids)", arg=list(ids))


@pytest.fixture
def takes(page: Page, song_file: Path) -> Page:
    """Three takes of a span, each with its wish."""
    upload(page, song_file)
    drag_span(page, 1.02, 1.98)
    page.wait_for_function("window.inlay.desk.settled")
    page.evaluate(TAKES, {})
    page.wait_for_function("window.inlay.desk.player.tracks.size === 5")
    return page


def test_a_card_says_in_a_line_what_was_asked_and_heard(takes: Page) -> None:
    page = takes
    lines = page.locator("inlay-takes .card .wish .whole")
    expect(lines).to_have_text([
        "Flute heard, drums gone, melody 78 %",
        "Flute faint, melody 64 %, drums gone",
        "Drums still play, flute faint, melody 71 %",
    ])  # fmt: skip
    said = page.locator("inlay-takes .card[data-take=t1] .wish")
    figures = (
        "drums, asked to be absent: 0.8 of 1.0 s, 91 % sure\nflute: 0.3 of 1.0 s, 91 % sure\n"
        "melody: 71 % as asked, over 1.0 s"
    )
    expect(said).to_have_attribute("title", figures)
    spoken = "Take 1, AR, ready: drums still play, flute faint, melody 71 percent; smooth at both ends"
    expect(page.get_by_role("article", name=spoken)).to_have_count(1)
    page.set_viewport_size({"width": 1280, "height": 720})
    brief = page.locator("inlay-takes .card .wish .brief")
    expect(brief.first).to_be_visible()
    expect(brief).to_have_text(["Wish heard, melody 78 %", "Flute faint, melody 64 %", "Drums still play"])
    expect(lines.first).to_be_hidden()


def test_takes_are_sorted_and_digits_stay(takes: Page) -> None:
    page = takes
    until_order(page, "o", "t2", "t3", "t1")
    sort = page.get_by_role("group", name="Sort takes").locator("visible=true")
    expect(sort.get_by_role("button", name="Closest to the wish")).to_have_attribute("aria-pressed", "true")
    sort.get_by_role("button", name="Smoothest").click()
    until_order(page, "o", "t1", "t3", "t2")
    assert page.locator("inlay-takes .card .digit").all_inner_texts() == ["0", "1", "3", "2"]
    page.wait_for_function("window.inlay.desk.settled")
    assert state(page, "doc.sort") == "smoothest"  # kept with the project
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("2")
    page.wait_for_function("window.inlay.desk.track?.id === 't2'")  # the digit, not the place
    page.keyboard.press("Shift+O")
    until_order(page, "o", "t2", "t3", "t1")
    page.keyboard.press("c")
    until_order(page, "o", "t2", "t3", "t1", what=".row")
    page.keyboard.press("Shift+O")
    until_order(page, "o", "t1", "t3", "t2", what=".row")


def test_cards_wait_while_the_pointer_is_on_them(takes: Page) -> None:
    page = takes
    until_order(page, "o", "t2", "t3", "t1")
    page.locator("inlay-takes .card[data-take=t3]").hover()
    better = {**WISH, "name": "flute", "share": 1, "words": "heard"}
    page.evaluate(TAKES, {"1": {"wish": [better]}})
    expect(page.locator("inlay-takes .card[data-take=t1] .wish .whole")).to_have_text("Flute heard")
    assert order(page) == ["o", "t2", "t3", "t1"]
    page.mouse.move(4, 4)
    until_order(page, "o", "t1", "t2", "t3")


def test_without_a_wish_all_is_as_before(takes: Page) -> None:
    page = takes
    page.evaluate(TAKES, {str(i): {"wish": []} for i in (1, 2, 3)})
    until_order(page, "o", "t1", "t2", "t3")
    expect(page.get_by_role("group", name="Sort takes").locator("visible=true")).to_have_count(0)
    expect(page.locator("inlay-takes .card .wish")).to_have_count(0)


def test_what_is_not_judged_says_why(takes: Page) -> None:
    page = takes
    kazoo = {**WISH, "name": "kazoo", "share": 0, "words": ""}
    flute = {**kazoo, "name": "flute"}
    page.evaluate(TAKES, {
        "1": {"wishState": "pending", "wish": [flute]}, "2": {"wishState": "unknown", "wish": [kazoo]},
        "3": {"wishState": "failed", "wish": []},
    })  # fmt: skip
    card = "inlay-takes .card[data-take={}] .wish .whole"
    expect(page.locator(card.format("t1"))).to_have_text("Listening for the flute…")
    unknown = "Not judged: kazoo is not known to the listener"
    expect(page.locator(card.format("t2"))).to_have_text(unknown)
    page.evaluate(SILENT)
    page.locator("inlay-takes .card[data-take=t3]").get_by_role("button", name="Try again").click()
    assert page.evaluate("window.sent") == ["edit", "judge_again", {"take": "t3"}]


def test_listen_has_a_line_for_each_wish_and_the_band_by_bar(takes: Page) -> None:
    page = takes
    heard = [{"name": "piano", "start": 1, "end": 2, "sure": 0.8}]
    page.evaluate(TAKES, {"1": {"band": heard}})
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("c")
    row = page.locator("inlay-takes .row[data-take=t1]")
    expect(row.locator(".left .wish .whole")).to_have_text(["Drums still play", "Flute faint", "Melody 71 %"])
    expect(row.locator(".who")).to_have_text("Pianoasked flute")
    expect(page.locator("inlay-takes .players .in")).to_contain_text("Flute, no drums")
    expect(page.locator("inlay-takes .scale .of-band")).to_be_visible()


def test_words_stand_on_the_flag_and_the_take_only_in_its_span(takes: Page) -> None:
    page = takes
    page.evaluate(WORDED)
    flag = page.locator("inlay-timeline .span.active .flag")
    expect(flag.locator("em")).to_have_text("Airy flute, no drums")
    told = "1.00–2.00 s. Drag to move the span, double-click for the whole bar"
    expect(flag).to_have_attribute("title", f"Airy flute, no drums\n{told}")
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("1")
    page.wait_for_function("window.inlay.desk.track?.id === 't1'")
    # Another span is chosen: what the take changed stays in its engine's colour, and nothing else gets it.
    page.evaluate("window.inlay.desk.putSpan({ id: 's9', start: 3, end: 3.5 })")
    page.wait_for_function("window.inlay.desk.settled")
    blue = page.evaluate(BLUE)
    assert blue[0] == 0 and blue[1] > 20 and blue[2] == 0
