"""Work that is interrupted: a run is skipped, the page reloads, the server is killed or is not alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from editor.project.disk import storage
from editor.project.disk.journal import Journal
from tests.browser.test_edit import drag_span, state, upload
from tests.browser.test_lanes import project
from tests.serving import Server

READY = "window.inlay?.desk.timeline?.view && window.inlay.desk.doc.serial"
SOME = "window.inlay.desk.group?.tracks.slice(1).some(({ state }) => state === 'ready')"  # of the takes


def slow(page: Page, song_file: Path) -> None:
    """A span and engines that need a while for it."""
    upload(page, song_file)
    drag_span(page, 1, 2)
    page.locator("#advanced > button").click()
    page.locator("#steps input").fill("80")
    page.locator("#solver input").click()
    page.locator("#solver [role=option]", has_text="midpoint").click()
    page.wait_for_function("window.inlay.desk.settled")


def states(page: Page) -> dict[str, str]:
    found: dict[str, str] = page.evaluate(
        "Object.fromEntries(window.inlay.desk.group.tracks.slice(1).map((one) => [one.engine, one.state]))"
    )
    return found


def test_one_that_waits_is_skipped_and_the_page_may_reload_meanwhile(page: Page, song_file: Path) -> None:
    slow(page, song_file)
    page.locator("#inpaint").click()
    page.locator("inlay-takes .card.waiting", has_text="ZS").locator("[data-act=stop]").click()
    expect(page.locator("inlay-takes .card", has_text="ZS")).to_contain_text("Skipped")
    page.reload()
    page.wait_for_function(READY)
    page.wait_for_function("window.inlay.desk.run === false && window.inlay.desk.group", timeout=120_000)
    assert states(page) == {"ar": "ready", "fm": "ready", "fm-zero-shot": "cancelled"}
    expect(page.locator("inlay-takes .card", has_text="ZS")).to_contain_text("Try again")


@pytest.fixture
def servers(tiny_bundle: Path, home: Path) -> Iterator[Callable[[], Server]]:
    """Starts servers on the home of all tests."""
    started: list[Server] = []

    def start() -> Server:
        started.append(Server(tiny_bundle, home))
        started[-1].wait()
        return started[-1]

    yield start
    for server in started:
        server.kill()


def test_after_kill_9_in_a_run_takes_and_undo_are_there_and_it_can_be_run_again(
    servers: Callable[[], Server], context: BrowserContext, song_file: Path
) -> None:
    first = servers()
    page = context.new_page()
    page.goto(first.url)
    page.wait_for_function(READY)
    slow(page, song_file)
    project = state(page, "doc.project")
    page.locator("#inpaint").click()
    page.wait_for_function(SOME)
    before = states(page)
    first.kill()
    second = servers()
    page = context.new_page()
    page.goto(second.url)
    page.wait_for_function(READY)
    page.evaluate("(folder) => window.inlay.desk.projectEvent({ action: 'open', folder, rev: 0 })", project)
    page.wait_for_function("window.inlay.desk.group?.tracks.length === 4")
    found = states(page)  # the last one has hardly begun; one more may have been ready in between
    assert found["fm-zero-shot"] == "interrupted" and set(found.values()) == {"ready", "interrupted"}
    assert all(found[engine] == "ready" for engine, how in before.items() if how == "ready")
    ready = list(found.values()).count("ready")  # and their sound is there
    page.wait_for_function("(count) => window.inlay.desk.player.tracks.size === count", arg=2 + ready)
    cards = page.locator("inlay-takes .card.interrupted")
    expect(cards).to_have_count(3 - ready)
    card = cards.filter(has_text="ZS")
    expect(card).to_contain_text("Interrupted")
    expect(card).to_contain_text("Inlay was restarted at")
    card.get_by_text("Run again").click()
    page.wait_for_function("window.inlay.desk.run")
    page.wait_for_function("window.inlay.desk.run === false")
    expect(cards).to_have_count(2 - ready)
    assert states(page) == found | {"fm-zero-shot": "ready"}
    undone = []
    while state(page, "doc.undo"):
        undone.append(state(page, "doc.undo"))
        page.locator("#undo").click()
        page.wait_for_function("(label) => window.inlay.desk.doc.redo === label", arg=undone[-1])
    assert undone == ["advanced settings", "add span", "open my song.wav"]
    assert len(page.evaluate("window.inlay.desk.groups")) == 1  # undo loses no take
    page.locator("#redo").click()
    page.wait_for_function("window.inlay.desk.doc.clip?.label === 'my song.wav'")
    second.stop()


def draw(page: Page, beats: list[int]) -> None:
    """Chords of a beat each, all in one go."""
    page.evaluate(
        """(beats) => {
          for (const start of beats) {
            const chord = { id: `c${start}x`, start, end: start + 1, symbol: 'C' };
            const { desk } = window.inlay;
            const chords = [...desk.doc.chords, chord];
            desk.edit('draw_chords', { chords: [chord], remove: [] }, { chords });
          }
        }""",
        beats,
    )


def test_an_edit_that_a_reload_overtakes_is_neither_lost_nor_done_twice(page: Page, home: Path) -> None:
    for turn in range(5):
        draw(page, [2 * turn, 2 * turn + 1])
        page.reload()
        page.wait_for_function(READY)
        page.wait_for_function(f"window.inlay.desk.doc.chords.length === {2 * turn + 2}")
    page.wait_for_function("window.inlay.desk.settled")
    assert page.evaluate("sessionStorage.getItem('inlay-outbox')") is None
    saved = storage.open_project(home / state(page, "doc.project"))
    assert [cell.start for cell in saved.project.lanes.chords] == list(range(10))
    assert len(Journal(saved.folder).read(saved.project, mend=False).past) == 10  # a step each, and no more


def test_an_edit_that_a_closed_tab_overtakes_is_saved(page: Page, home: Path) -> None:
    draw(page, [0])
    page.wait_for_function("window.inlay.desk.settled && window.inlay.desk.doc.project")
    folder = home / state(page, "doc.project")
    answers = page.context.new_page()  # keeps the browser's context busy until the last request is through
    draw(page, [1, 2, 3])
    page.close(run_before_unload=True)
    for _ in range(200):
        if len(storage.open_project(folder).project.lanes.chords) == 4:
            break
        answers.wait_for_timeout(50)
    assert [cell.start for cell in storage.open_project(folder).project.lanes.chords] == [0, 1, 2, 3]


def test_words_that_a_reload_overtakes_are_kept(page: Page, song_file: Path) -> None:
    upload(page, song_file)
    words = page.locator("#prompt textarea")
    words.press_sequentially("slow")
    page.reload()
    page.wait_for_function(READY)
    expect(words).to_have_value("slow", timeout=30_000)
    words.press("End")
    words.press_sequentially(" piano")
    page.reload()
    page.wait_for_function(READY)
    expect(words).to_have_value("slow piano", timeout=30_000)
    assert state(page, "doc.undo") == "prompt"


def test_words_of_one_span_stay_its_own_as_the_page_goes_with_another_chosen(
    page: Page, song_file: Path, home: Path
) -> None:
    upload(page, song_file)
    page.evaluate("""(() => { const { desk } = window.inlay;
      desk.putSpan({ id: 'a', start: 1, end: 2 }); desk.setSpanOwn('a', true);
      desk.putSpan({ id: 'b', start: 2.5, end: 3 }); desk.activateSpan('a'); })()""")
    page.wait_for_function("window.inlay.desk.settled && window.inlay.desk.doc.spans[0].prompt !== null")
    prompt = page.locator("#prompt textarea")
    prompt.press_sequentially("brass")
    page.wait_for_function("window.inlay.desk.doc.spans[0].prompt === 'brass'")
    page.evaluate("window.inlay.desk.activateSpan('b')")
    expect(prompt).to_have_value("")
    prompt.focus()
    page.reload()
    page.wait_for_function("window.inlay?.desk.doc.serial && window.inlay.desk.settled")
    saved = project(page, home)
    assert (saved["prompt"], [span["prompt"] for span in saved["spans"]]) == ("", ["brass", None])


def test_numbers_that_are_typed_as_a_page_goes_are_kept(page: Page, song_file: Path, home: Path) -> None:
    upload(page, song_file)
    drag_span(page, 1, 2)
    page.locator("#advanced > button").click()
    page.locator("#temperature input").fill("0.85")
    page.reload()
    page.wait_for_function(READY)
    for field, typed in (("#seed", "4127"), ("#length", "12"), ("#tempo", "97"), ("#strength", "0.5")):
        page.locator(f"{field} input[type=number]").fill(typed)  # the last one has the focus still
    page.reload()
    page.wait_for_function(READY)
    end = page.locator("inlay-spans li .end")
    end.fill("2.75")
    page.reload()
    page.wait_for_function(READY)
    page.wait_for_function("window.inlay.desk.doc.region?.end === 2.75")
    for field, typed in (("#seed", "4127"), ("#length", "12"), ("#tempo", "97"), ("#strength", "0.5")):
        expect(page.locator(f"{field} input[type=number]")).to_have_value(typed)
    folder = home / state(page, "doc.project")
    page.locator("#seed input").fill("7")
    answers = page.context.new_page()  # keeps the browser's context busy until the last request is through
    page.close(run_before_unload=True)
    for _ in range(200):
        if storage.open_project(folder).project.seed == 7:
            break
        answers.wait_for_timeout(50)
    saved = storage.open_project(folder).project
    assert (saved.seed, saved.length, saved.grid.bpm) == (7, 12, 97)
    assert (saved.settings.strength, saved.settings.temperature) == (0.5, 0.85)


def test_an_edit_that_was_refused_is_made_in_the_copy(page: Page, home: Path) -> None:
    draw(page, [0])
    page.wait_for_function("window.inlay.desk.settled && window.inlay.desk.doc.project")
    project = state(page, "doc.project")
    page.evaluate(
        """(project) => {
          const chord = { id: 'c4x', start: 4, end: 8, symbol: 'F' };
          const payload = { chords: [chord], remove: [] };
          const refused = { id: 'e-refused', project, name: 'draw_chords', payload };
          sessionStorage.setItem('inlay-outbox', JSON.stringify([refused]));
          sessionStorage.setItem('inlay-project', '');
          sessionStorage.setItem('inlay-page', 'another');
        }""",
        project,
    )
    page.reload()
    page.wait_for_function(READY)
    page.evaluate(
        "(folder) => window.inlay.desk.send('project', { action: 'copy', folder, rev: 0 })", project
    )
    page.wait_for_function("window.inlay.desk.doc.chords.length === 2 && window.inlay.desk.settled")
    assert state(page, "doc.project") != project
    copy, first = (storage.open_project(home / name) for name in (state(page, "doc.project"), project))
    assert [cell.symbol for cell in copy.project.lanes.chords] == ["C", "F"]
    assert [cell.symbol for cell in first.project.lanes.chords] == ["C"]
    page.wait_for_function("sessionStorage.getItem('inlay-outbox') === null")


def test_two_servers_on_one_home_do_not_write_one_project(
    servers: Callable[[], Server], context: BrowserContext, browser: Browser, home: Path, address: str
) -> None:
    first = servers()
    one = context.new_page()
    one.goto(first.url)
    one.wait_for_function(READY)
    draw(one, [0])
    one.wait_for_function("window.inlay.desk.settled && window.inlay.desk.doc.project")
    project = state(one, "doc.project")
    elsewhere = browser.new_context(viewport={"width": 1440, "height": 900})
    two = elsewhere.new_page()
    two.goto(address)
    two.wait_for_function(READY)
    two.evaluate("(name) => sessionStorage.setItem('inlay-project', name)", project)
    two.reload()  # a page that worked on it before
    dialog = two.locator("dialog", has_text="Open elsewhere")
    dialog.wait_for(timeout=60_000)
    expect(dialog).to_contain_text(first.url.rstrip("/"))
    dialog.get_by_role("button", name="Try again").click()
    expect(dialog).to_contain_text("This project is open in another Inlay")
    dialog.get_by_role("button", name="Open a copy").click()
    two.wait_for_function(
        "(name) => window.inlay.desk.doc.project && window.inlay.desk.doc.project !== name", arg=project
    )
    draw(two, [1])
    draw(one, [2])
    for page in (one, two):
        page.wait_for_function("window.inlay.desk.doc.chords.length === 2 && window.inlay.desk.settled")
    for page, beats in ((one, [0, 2]), (two, [0, 1])):
        saved = storage.open_project(home / state(page, "doc.project")).project
        assert [cell.start for cell in saved.lanes.chords] == beats
    first.kill()  # without a word: the lock is the system's
    two.evaluate("(folder) => window.inlay.desk.projectEvent({ action: 'open', folder, rev: 0 })", project)
    two.wait_for_function("(name) => window.inlay.desk.doc.project === name", arg=project)
    assert [cell["start"] for cell in state(two, "doc.chords")] == [0, 2]
    elsewhere.close()
