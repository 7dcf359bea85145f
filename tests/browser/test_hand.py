"""What the hand does in some order is done in that order: edits, undo, redo, fields, at once or slowly."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from editor.project.disk import storage
from editor.project.disk.journal import Journal
from tests.browser.conftest import PATIENCE
from tests.browser.test_edit import drag_span, state, upload
from tests.browser.test_lanes import Lane
from tests.browser.test_recovery import slow

SETTLED = "window.inlay.desk.settled"
SOUNDS = "window.inlay.desk.doc.melody.map(({ start, end, pitch }) => [start, end, pitch])"

# The page hears a second late that Gradio's stream of answers has ended, as on a busy machine.
LATE_END = """(() => { const { fetch } = window; window.fetch = async (...sent) => {
  const answer = await fetch(...sent);
  if (!String(sent[0].url ?? sent[0]).includes('queue/data')) return answer;
  const late = new TransformStream({ async transform(bytes, out) {
    const words = new TextDecoder().decode(bytes);
    const end = words.search(/data: [^\\n]*close_stream/);
    if (end < 0) return out.enqueue(bytes);
    if (end > 0) out.enqueue(new TextEncoder().encode(words.slice(0, end)));
    await new Promise((done) => { setTimeout(done, 1000); });
    return out.enqueue(new TextEncoder().encode(words.slice(end)));
  } });
  return new Response(answer.body.pipeThrough(late), answer);
}; })()"""


@pytest.fixture
def melody(page: Page, home: Path) -> Lane:
    return Lane(page, home, "melody")


def slowly(page: Page, seconds: float) -> None:
    """Requests take about so long on their way, some longer than others."""
    page.evaluate(
        """(ms) => { const { fetch } = window; let turn = 0; window.fetch = async (...sent) => {
          const late = String(sent[0]).includes('queue/join') ? ms * [1.5, 0.2, 1, 0.6][(turn += 1) % 4] : 0;
          await new Promise((done) => { setTimeout(done, late); }); return fetch(...sent); }; }""",
        1000 * seconds,
    )


def pen(page: Page) -> None:
    page.locator("inlay-timeline .melody").focus()
    page.keyboard.press("d")


def test_four_notes_and_four_undos_leave_what_was_before(page: Page, melody: Lane) -> None:
    pen(page)
    melody.click(0.2, 60)
    page.wait_for_function(SETTLED)
    slowly(page, 0.3)
    for beat in (1.2, 2.2, 3.2, 4.2):
        melody.click(beat, 67)
    for _ in range(4):
        page.keyboard.press("Control+z")
    assert page.evaluate(SOUNDS) == [[0, 1, 60]]  # at once
    page.wait_for_function(SETTLED)
    assert melody.saved == [(0, 1, 60)] and page.evaluate(SOUNDS) == [[0, 1, 60]]
    for _ in range(4):
        page.keyboard.press("Control+Shift+z")
    assert len(page.evaluate(SOUNDS)) == 5
    page.wait_for_function(SETTLED)
    assert [pitch for _, _, pitch in melody.saved] == [60, 67, 67, 67, 67]
    assert state(page, "doc.redo") == ""


class Model:
    """What the page should hold: a document of one lane and a tempo, and its steps."""

    def __init__(self) -> None:
        self.back: list[Any] = []
        self.forth: list[Any] = []
        self.now: tuple[tuple[tuple[float, int], ...], int] = ((), 120)
        self.last = ""

    def do(self, name: str, notes: tuple[tuple[float, int], ...], bpm: int) -> None:
        if (notes, bpm) == self.now:
            return
        if not (name == self.last == "tempo" and not self.forth):
            self.back.append(self.now)
        self.now, self.forth, self.last = (notes, bpm), [], name

    def step(self, source: list[Any], target: list[Any]) -> None:
        if source:
            target.append(self.now)
            self.now, self.last = source.pop(), ""


def play(page: Page, lane: Lane, model: Model, dice: random.Random, count: int) -> None:
    """Random gestures by mouse and keys, at once or after what came before is saved."""
    for _ in range(count):
        act = dice.choice(["note", "note", "note", "tempo", "undo", "undo", "redo", "wait"])
        if act == "note":
            beat, pitch = dice.randrange(16), dice.choice([62, 64, 67, 69])
            if beat in [start for start, _ in model.now[0]]:
                continue  # a press on a note moves it
            lane.click(beat + 0.5, pitch)
            model.do("note", tuple(sorted((*model.now[0], (beat, pitch)))), model.now[1])
        elif act == "tempo":
            bpm = dice.choice([120, 120, 119, 121])
            field = page.locator("#tempo input")
            field.fill(str(bpm))
            page.locator("inlay-timeline .melody").focus()
            model.do("tempo", model.now[0], bpm)
        elif act == "undo":
            page.keyboard.press("Control+z")
            model.step(model.back, model.forth)
        elif act == "redo":
            page.keyboard.press("Control+Shift+z")
            model.step(model.forth, model.back)
        else:
            page.wait_for_function(SETTLED)


def agree(page: Page, home: Path, model: Model) -> None:
    """The page, the saved project and the journal hold what the model holds."""
    page.wait_for_function(SETTLED)
    notes = [list(note) for note in model.now[0]]
    assert page.evaluate("window.inlay.desk.doc.melody.map((n) => [n.start, n.pitch])") == notes
    assert state(page, "doc.grid.bpm") == model.now[1]
    expect(page.locator("#tempo input")).to_have_value(str(model.now[1]))
    project = storage.open_project(home / state(page, "doc.project")).project
    assert [[note.start, note.pitch] for note in project.lanes.melody] == notes
    assert project.grid.bpm == model.now[1]
    history = Journal(home / state(page, "doc.project")).read(project, mend=False)
    assert (len(history.past), len(history.future)) == (len(model.back), len(model.forth))
    told = [tuple((note.start, note.pitch) for note in step.project.lanes.melody) for step in history.past]
    assert told == [notes for notes, _ in model.back]


@pytest.mark.parametrize(("seed", "lag"), [(1, 0.0), (4, 0.4)])
def test_the_page_the_journal_and_the_project_agree(
    page: Page, melody: Lane, home: Path, seed: int, lag: float
) -> None:
    pen(page)
    if lag:
        slowly(page, lag)
    model, dice = Model(), random.Random(seed)
    for _ in range(3):
        play(page, melody, model, dice, 14)
        shown = page.evaluate("window.inlay.desk.doc.melody.map((n) => [n.start, n.pitch])")
        assert shown == [list(note) for note in model.now[0]]  # before the server has answered
        agree(page, home, model)


def test_so_they_do_while_another_tab_runs(
    open_page: Callable[[], Page], home: Path, song_file: Path
) -> None:
    other, page = open_page(), open_page()
    slow(other, song_file)
    other.locator("#inpaint").click()
    other.wait_for_function("window.inlay.desk.run")
    page.bring_to_front()
    pen(page)
    model, dice = Model(), random.Random(5)
    for _ in range(2):
        play(page, Lane(page, home, "melody"), model, dice, 14)
        agree(page, home, model)


def test_a_name_that_is_being_typed_is_not_overwritten_by_a_late_answer(page: Page, song_file: Path) -> None:
    field = page.locator("#name input")
    upload(page, song_file)
    expect(field).to_have_value("my song")  # the file names the project
    field.focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("Rooftop", delay=60)
    page.evaluate("window.inlay.desk.tell('doc')")
    expect(field).to_have_value("Rooftop")
    # Whatever writes into the field while it is typed in: Gradio does so by its value.
    field.evaluate("(node) => { node.value = 'Untitled'; }")
    page.keyboard.type(" demo")
    expect(field).to_have_value("Rooftop demo")
    page.locator("inlay-timeline .board").focus()
    page.wait_for_function("window.inlay.desk.settled && window.inlay.desk.doc.undo === 'rename'")
    expect(field).to_have_value("Rooftop demo")
    page.keyboard.press("Control+z")
    expect(field).to_have_value("my song")  # as the file was called


def test_an_edit_that_meets_the_end_of_the_stream_of_answers_is_answered(
    browser: Browser, address: str
) -> None:
    page = browser.new_page()
    page.add_init_script(LATE_END)
    page.goto(address)
    page.wait_for_function(f"window.inlay?.desk.doc.serial && {SETTLED}", timeout=PATIENCE)
    page.evaluate(
        """async () => { const { desk } = window.inlay; desk.setGrid({ bpm: 101 });
        for (let i = 0; i < 900 && !desk.settled; i += 1) await new Promise(requestAnimationFrame);
        desk.setGrid({ bpm: 91 }); }"""  # on its way while the page has not heard that its stream has ended
    )
    page.wait_for_function(f"{SETTLED} && window.inlay.desk.doc.grid.bpm === 91", timeout=PATIENCE)
    page.close()


def test_words_typed_just_before_a_run_are_those_that_it_takes(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    drag_span(page, 1, 2)
    slowly(page, 0.3)
    page.locator("#seed input").fill("77")
    page.locator("#prompt textarea").fill("a lonely flute")
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        "window.inlay.desk.group?.tracks.some((one) => one.state === 'ready' && one.seed === 77)"
    )
    details = page.evaluate(
        "Object.fromEntries(window.inlay.desk.group.tracks.find((one) => one.seed === 77).details ?? [])"
    )
    assert details.get("Prompt", "a lonely flute") == "a lonely flute"
