"""Names, values, focus, sizes and contrast that eyes, fingers and assistive technology rely on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from playwright.sync_api import Browser, Page, expect

from tests.browser.test_edit import drag_span, settled, state, upload
from tests.browser.test_lanes import project

# Every control that can have the focus, through shadow roots: what it is, what it is called, how large it is.
CONTROLS = """() => {
  const found = [];
  const named = (node) => (node.getAttribute('aria-label') || node.getAttribute('title') || node.textContent
    || node.labels?.[0]?.textContent || node.placeholder || '').trim();
  const walk = (root) => {
    for (const node of root.querySelectorAll('*')) {
      if (node.shadowRoot) walk(node.shadowRoot);
      const wanted = 'button, input, select, textarea, [tabindex="0"], [role=slider], [role=separator]';
      if (!node.matches(wanted)) continue;
      const box = node.getBoundingClientRect();
      if (!box.width || !box.height || getComputedStyle(node).visibility === 'hidden') continue;
      const role = node.getAttribute('role') ?? node.localName;
      const label = node.getAttribute('aria-labelledby');
      found.push({ role, name: label ? root.getElementById?.(label)?.textContent ?? '' : named(node),
        width: box.width, height: box.height, value: node.getAttribute('aria-valuetext'),
        now: node.getAttribute('aria-valuenow'), type: node.type ?? '', id: node.id || node.className });
    }
  };
  walk(document);
  return found;
}"""


def drawn(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 1, 2)
    page.evaluate(
        """(() => { const { desk } = window.inlay;
          desk.editLane('draw_chords', 'chords', [{ id: 'c', start: 0, end: 4, symbol: 'G/B' }]);
          desk.editLane('draw_notes', 'melody', [{ id: 'n', start: 2, end: 3, pitch: 64 }]);
          desk.editLane('draw_hits', 'drums', [{ id: 'h', time: 2.5, drum: 'snare' }]); })()"""
    )
    page.wait_for_function("window.inlay.desk.settled")


def too_small(controls: list[dict[str, Any]], least: float) -> list[dict[str, Any]]:
    """Buttons and fields below a size. Chord cells are as long as their chord, spans as their time."""
    kinds = ("button", "input", "select", "textarea", "tab")
    apart = ("cell", "text-button", "remedy", "own")  # words in a line, and what has its size from the music
    return [
        c
        for c in controls
        if c["role"] in kinds
        and min(c["width"], c["height"]) < least - 0.5
        and not any(name in str(c["id"]).split() for name in apart)
        and c["type"] not in ("checkbox", "radio", "range")  # their labels are what one presses
    ]


def test_every_control_has_a_name_and_room(page: Page, song_file: Path) -> None:
    drawn(page, song_file)
    controls = page.evaluate(CONTROLS)
    assert len(controls) > 60
    assert [control for control in controls if not control["name"]] == []
    sliders = [control for control in controls if control["role"] == "slider"]
    assert [slider["value"] for slider in sliders] == [
        "1.00 seconds, bar 1 beat 3", "2.00 seconds, bar 2 beat 1"
    ]  # fmt: skip
    assert too_small(controls, 24) == []


def test_what_a_screen_reader_meets_on_the_lanes(page: Page, song_file: Path) -> None:
    drawn(page, song_file)
    cell = page.get_by_role("button", name="Bar 1 beat 1, G/B, V⁶")
    expect(cell).to_be_visible()
    for name, label, words in (
        ("melody", "Melody, 1 notes", "E4, bar 1 beat 3, 1 beats"),
        ("drums", "Drums, 1 hits", "snare, bar 1 beat 3 and 0.5"),
    ):
        grid = page.get_by_role("grid", name=label)
        expect(grid).to_have_attribute("aria-rowcount", "53" if name == "melody" else "5")
        grid.focus()
        page.keyboard.press("Control+a")
        expect(grid.get_by_role("gridcell")).to_have_text(words)
        active = grid.get_attribute("aria-activedescendant")
        assert grid.get_by_role("gridcell").get_attribute("id") == active
    ids = page.evaluate(
        """() => [document.querySelector('inlay-timeline').shadowRoot, document.querySelector('inlay-spans')]
          .flatMap((root) => { const all = [...root.querySelectorAll('[id]')].map((node) => node.id);
            return all.filter((id, at) => all.indexOf(id) !== at); })"""
    )
    assert ids == []


def test_the_focus_goes_into_a_dialog_and_back(page: Page) -> None:
    button = page.locator("inlay-timeline .melody-head [data-menu]")
    button.focus()
    page.keyboard.press("Enter")
    dialog = page.get_by_role("dialog", name="Melody lane")
    expect(dialog).to_be_visible()
    assert page.evaluate(
        "document.querySelector('inlay-timeline').shadowRoot.activeElement.closest('.popover') !== null"
    )
    for _ in range(20):  # Tab stays inside
        page.keyboard.press("Tab")
    assert page.evaluate(
        "document.querySelector('inlay-timeline').shadowRoot.activeElement.closest('.popover') !== null"
    )
    page.keyboard.press("Escape")
    expect(dialog).to_have_count(0)
    expect(button).to_be_focused()


GROUND = "(hex) => getComputedStyle(document.body).getPropertyValue('--bg').trim() === hex"
RATIOS = """() => {
  const style = getComputedStyle(document.querySelector('inlay-timeline'));
  const light = (name) => {
    const hex = style.getPropertyValue(`--${name}`).trim().slice(1);
    const [r, g, b] = [0, 2, 4].map((at) => parseInt(hex.slice(at, at + 2), 16) / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4));
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ratio = (...pair) => {
    const [low, high] = pair.map(light).sort((a, b) => a - b);
    return (high + 0.05) / (low + 0.05);
  };
  return [['text', 'surface'], ['muted', 'surface'], ['faint', 'lane'], ['muted', 'lane'],
    ['faint', 'row'], ['muted', 'cell'], ['span-ink', 'span'], ['span-text', 'surface'],
    ['err', 'surface'], ['text', 'hover']].map(([a, b]) => [a, b, ratio(a, b)]);
}"""


def test_text_stands_out_from_its_ground(page: Page) -> None:
    for scheme in ("dark", "light"):
        if scheme == "light":
            page.locator("#theme").click()
        page.wait_for_function(GROUND, arg="#e7e5df" if scheme == "light" else "#121315")
        assert [pair for pair in page.evaluate(RATIOS) if pair[2] < 4.5] == [], scheme


def test_ghosts_of_a_take(page: Page, song_file: Path) -> None:
    drawn(page, song_file)
    page.locator("#engine-ar input").uncheck()
    page.locator("#engine-fm-zero-shot input").uncheck()
    page.locator("#inpaint").click()
    settled(page)
    page.wait_for_function("window.inlay.desk.group.tracks.every((track) => track.state === 'ready')")
    # Its card says how its chords agree before anybody has played it; the lanes show the take that plays.
    expect(page.locator("inlay-takes .card").nth(1)).to_contain_text("Chords", timeout=90_000)
    expect(page.locator("inlay-timeline .cell").first).not_to_contain_text("%")
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("1")
    expect(page.locator("inlay-timeline .cell").first).to_contain_text("%")
    share = page.evaluate(
        "(({ ghost, track, doc }) => ghost.chord(track, doc.chords[0], doc.grid))(window.inlay.desk)"
    )
    assert 0 <= share <= 1
    page.keyboard.press("0")
    expect(page.locator("inlay-timeline .cell").first).not_to_contain_text("%")


def test_every_action_of_the_sheet_has_a_key_and_tooltips_name_theirs(page: Page) -> None:
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("?")
    sheet = page.locator("dialog.inlay-keys")
    for words in (
        "Tap the tempo",
        "Hear the lanes",
        "Repeat right behind",
        "Split at the playhead",
        "One more span",
    ):
        expect(sheet).to_contain_text(words)
    page.keyboard.press("Escape")
    titles = page.locator("inlay-timeline .tools button, inlay-timeline .transport button").evaluate_all(
        "(nodes) => nodes.filter((node) => node.dataset.action !== 'mix').map((node) => node.title)"
    )
    assert len(titles) >= 14
    assert [title for title in titles if not title.endswith(")")] == []


def test_a_phone_shows_one_lane_at_a_time(
    browser: Browser, address: str, home: Path, song_file: Path
) -> None:
    with browser.new_context(
        viewport={"width": 390, "height": 844}, has_touch=True, is_mobile=True
    ) as context:
        context.set_default_timeout(120_000)
        page = context.new_page()
        page.goto(address)
        page.wait_for_function("window.inlay?.desk.timeline?.view && window.inlay.desk.doc.serial")
        upload(page, song_file)
        lanes = "inlay-timeline"
        expect(page.locator(f"{lanes} .melody")).to_be_visible()
        expect(page.locator(f"{lanes} .drums")).to_be_hidden()
        page.locator(f"{lanes} [role=tab]", has_text="Drums").tap()
        expect(page.locator(f"{lanes} .drums")).to_be_visible()
        expect(page.locator(f"{lanes} .melody")).to_be_hidden()
        assert page.evaluate("document.documentElement.scrollWidth <= window.innerWidth")
        expect(page.locator("#inpaint")).to_be_in_viewport()
        expect(page.locator("#seed input")).to_be_hidden()
        assert too_small(page.evaluate(CONTROLS), 44) == []  # fingers
        page.locator(f"{lanes} .tab-menus [data-of=drums]").tap()
        menu = page.get_by_role("dialog", name="Drum lane")
        assert too_small(page.evaluate(CONTROLS), 44) == []
        menu.get_by_role("button", name="Waltz").tap()
        page.wait_for_function("window.inlay.desk.doc.drums.length > 4")
        page.locator("#undo").tap()
        page.wait_for_function("window.inlay.desk.doc.drums.length === 0")
        page.locator(f"{lanes} [data-menu=grid]").tap()
        page.get_by_label("Time signature").last.select_option("3")
        page.get_by_label("Key", exact=True).last.select_option("Eb major")
        field = page.get_by_label("Beats a minute")
        field.fill("12")
        field.blur()
        expect(page.locator(f"{lanes} .notice")).to_contain_text("expected 20 to 400")
        field.fill("96")
        field.press("Enter")
        page.wait_for_function("window.inlay.desk.settled")
        saved = project(page, home)
        assert (saved["grid"]["bpm"], saved["grid"]["beats_per_bar"], saved["key"]) == (96, 3, "Eb major")
        page.locator("#panel .unfold").tap()
        page.locator("#seed input").scroll_into_view_if_needed()
        expect(page.locator("#seed input")).to_be_visible()
        assert state(page, "view") == "edit"
