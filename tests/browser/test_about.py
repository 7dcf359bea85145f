"""Where am I, what is this: the model button, About with its guide; and the small things."""

from __future__ import annotations

from playwright.sync_api import Page, expect

from tests.browser.test_arrivals import start_page
from tests.browser.test_edit import drawn

BELOW = """() => {
  const knobs = document.querySelector('#knobs').getBoundingClientRect();
  return ['.eng-ar', '#variations', '#seed', '#strength'].filter((place) => {
    const { top, bottom, height } = document.querySelector(place).getBoundingClientRect();
    return height < 24 || top < knobs.top || bottom > knobs.bottom + 0.5;
  });
}"""
ROWS = """() => [...document.querySelector('inlay-timeline').shadowRoot.querySelectorAll('.popover .buttons')]
  .map((row) => {
    const tops = [...row.children].map((button) => Math.round(button.getBoundingClientRect().top));
    return [...new Set(tops)].map((top) => tops.filter((other) => other === top).length);
  })"""


def test_models_licence_device_and_speed_are_one_click_away_and_there_is_a_guide(page: Page) -> None:
    start_page(page)
    page.locator("#bar-model button").click()
    models = page.locator("dialog.inlay-models")
    expect(models).to_contain_text("Runs on CPU")
    expect(models.locator("article").first).to_contain_text("Use it for anything")  # the tiny bundle is CC0
    expect(models.locator("article").first).to_contain_text("Speed")
    page.keyboard.press("Escape")
    page.locator("#mark").click()
    about = page.locator("dialog.inlay-about")
    expect(about.locator("figure").locator("visible=true")).to_have_count(6)
    expect(about.locator(".told dt.engine")).to_have_text(["AR", "FM", "ZS"])
    expect(about.locator(".told")).to_contain_text("CPU")
    about.get_by_role("button", name="Every part and its licence").click()
    expect(about.locator(".parts li").locator("visible=true").first).to_contain_text("the models")
    page.keyboard.press("h")
    expect(about.locator(".guide")).to_contain_text("Drag over the audio")
    about.get_by_role("button", name="Report a fault").click()
    expect(about.locator(".reported")).to_contain_text("sent")  # nothing was
    about.get_by_role("button", name="Close").click()
    expect(about).to_have_count(0)
    page.locator("inlay-start .lanes").click()
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("h")
    expect(about).to_be_visible()
    page.keyboard.press("Escape")
    expect(about).to_have_count(0)
    page.locator("#mark").click()
    expect(about).to_be_visible()


def test_small_things(page: Page) -> None:
    expect(page.locator("#inpaint")).to_have_attribute(
        "title", "Off without a clip: open a recording or an example, or generate one first"
    )
    page.evaluate("window.inlay.desk.send('upload', { example: '05.flac' })")
    page.wait_for_function("window.inlay.desk.doc.clip && window.inlay.desk.settled")
    expect(page.locator("#inpaint")).to_have_attribute(
        "title", "Off without a span: drag over the audio to choose what should change"
    )
    page.evaluate("window.inlay.desk.putSpan({ id: 's1', start: 1, end: 2 })")
    page.evaluate("window.inlay.desk.putSpan({ id: 's2', start: 4, end: 5 })")
    page.wait_for_function("window.inlay.desk.settled")
    expect(page.locator("#inpaint")).to_have_attribute(
        "title", "Re-make the span with every ticked engine (Ctrl ↵)"
    )
    expect(page.locator("inlay-timeline .span .flag span")).to_have_text(["1.00–2.00 s", "4.00–5.00 s"])
    page.set_viewport_size({"width": 1280, "height": 720})
    drawn(page)
    assert page.evaluate(BELOW) == []
    for lane in ("chords", "melody"):
        page.locator(f"inlay-timeline [data-menu={lane}]").focus()
        page.keyboard.press("Enter")
        for rows in page.evaluate(ROWS):
            assert len(set(rows)) == 1  # none is left over on a row of its own
        page.keyboard.press("Escape")
    snap = page.locator("inlay-timeline .to-beats")
    page.evaluate(
        """() => {
          const [cell] = window.inlay.desk.doc.chords;
          const place = ([start, end], i) => ({ ...cell, id: `c9${i}`, start, end });
          const heard = [[0.13, 1.9], [1.9, 4.1]].map(place);
          window.inlay.desk.editLane('set_progression', 'chords', heard);
        }"""
    )
    snap.click()
    expect(snap).to_be_hidden()
    chords = "window.inlay.desk.doc.chords.map(({ start, end }) => [start, end])"
    assert page.evaluate(chords) == [[0, 2], [2, 4]]
    page.evaluate("window.inlay.desk.edit('set_key', { key: 'F# major' }, { key: 'F# major' })")
    page.locator("inlay-timeline .melody-head .offer").click()
    page.wait_for_function("window.inlay.desk.settled")
    assert page.evaluate("window.inlay.desk.doc.key") == "C major"
    expect(page.locator("#key input")).to_have_value("C major")
