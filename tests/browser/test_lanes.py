"""The lanes by mouse, keys and files: what is drawn, and what is saved of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pretty_midi
import pytest
from playwright.sync_api import Page, Route, expect

from engines.networks.lane_frames import lanes_from
from engines.requests import Controls, Hit
from tests.browser.test_edit import drag_span, drawn, settled, state, upload


class Lane:
    """A lane on the page: places in beats (and pitches or drums) to press and drag at."""

    def __init__(self, page: Page, home: Path, name: str) -> None:
        self.page, self.home, self.name = page, home, name

    def point(self, beat: float, row: Any = None) -> tuple[float, float]:
        """Pixels of a beat and of the middle of a row: a MIDI pitch, or the number of a drum."""
        box = self.page.locator(f"inlay-timeline .{self.name}").bounding_box()
        assert box
        x = self.page.evaluate(f"window.inlay.desk.timeline.{self.name}.x({beat})")
        if self.name == "melody":
            y = self.page.evaluate(
                f"(({{ melody }}) => melody.y({row}) + melody.row / 2)(window.inlay.desk.timeline)"
            )
        elif self.name == "drums":
            y = self.page.evaluate("window.inlay.desk.timeline.drums.row") * (row + 0.5)
        else:
            y = 20
        return box["x"] + x, box["y"] + y

    def click(self, beat: float, row: Any = None) -> None:
        self.page.mouse.click(*self.point(beat, row))

    def drag(self, start: tuple[float, Any], end: tuple[float, Any], *keys: str) -> None:
        for key in keys:
            self.page.keyboard.down(key)
        (x, y), (to_x, to_y) = self.point(*start), self.point(*end)
        self.page.mouse.move(x, y)
        self.page.mouse.down()
        self.page.mouse.move((x + to_x) / 2, (y + to_y) / 2, steps=3)
        self.page.mouse.move(to_x, to_y, steps=3)
        self.page.mouse.up()
        for key in keys:
            self.page.keyboard.up(key)

    @property
    def saved(self) -> list[tuple[Any, ...]]:
        """The lane in the project on disk, once the server has answered."""
        drawn(self.page)
        self.page.wait_for_function("window.inlay.desk.settled")
        lanes = project(self.page, self.home)["lanes"][self.name]
        fields = {"chords": "symbol", "melody": "pitch", "drums": "drum"}[self.name]
        if self.name == "drums":
            return [(item["time"], item[fields]) for item in lanes]
        return [(item["start"], item["end"], item[fields]) for item in lanes]


def project(page: Page, home: Path) -> dict[str, Any]:
    page.wait_for_function("window.inlay.desk.settled")  # the page shows a gesture before it is saved
    folder = state(page, "doc.project")
    assert folder
    saved: dict[str, Any] = json.loads((home / folder / "project.json").read_text())["project"]
    return saved


@pytest.fixture
def melody(page: Page, home: Path) -> Lane:
    return Lane(page, home, "melody")


@pytest.fixture
def drums(page: Page, home: Path) -> Lane:
    return Lane(page, home, "drums")


@pytest.fixture
def chords(page: Page, home: Path) -> Lane:
    return Lane(page, home, "chords")


def test_melody_by_mouse(page: Page, melody: Lane) -> None:
    page.locator("inlay-timeline .melody").focus()
    page.keyboard.press("d")
    melody.drag((0.1, 67), (1.9, 67))
    melody.click(2.1, 69)  # as long as the last one
    assert melody.saved == [(0, 2, 67), (2, 4, 69)]
    melody.drag((1.5, 72), (2.6, 72))  # one voice: what it covers is cut
    assert melody.saved == [(0, 1, 67), (1, 3, 72), (3, 4, 69)]
    page.keyboard.press("v")
    melody.drag((0.5, 67), (4.6, 70))  # by its middle: in time and pitch
    assert melody.saved == [(1, 3, 72), (3, 4, 69), (4, 5, 70)]
    x, y = melody.point(5, 70)
    page.mouse.move(x - 2, y)
    page.mouse.down()
    page.mouse.move(melody.point(6.9, 70)[0], y, steps=4)
    page.mouse.up()
    assert melody.saved[-1] == (4, 7, 70)  # by its edge
    melody.drag((5, 70), (9, 74), "Alt")  # a copy
    assert melody.saved[-1] == (8, 11, 74)
    page.keyboard.press("x")
    melody.drag((1.5, 72), (3.5, 69))
    page.keyboard.press("v")
    assert [pitch for _, _, pitch in melody.saved] == [70, 74]
    page.keyboard.press("Control+z")
    page.wait_for_function("window.inlay.desk.doc.melody.length === 4")
    page.keyboard.press("s")
    melody.click(5, 70)
    assert melody.saved[2:4] == [(4, 5, 70), (5, 7, 70)]
    assert state(page, "doc.undo") == "split note"


def test_a_drag_on_a_note_that_is_given_up_changes_nothing(page: Page, melody: Lane) -> None:
    page.locator("inlay-timeline .melody").dblclick(position={"x": 100, "y": 60})
    before = melody.saved
    assert len(before) == 1
    start, end, pitch = before[0]
    x, y = melody.point((start + end) / 2, pitch)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 200, y - 40, steps=4)
    page.keyboard.press("Escape")
    page.mouse.up()
    assert melody.saved == before


def test_melody_by_keys(page: Page, melody: Lane) -> None:
    page.locator("inlay-timeline .melody").focus()
    for key in ("i", "i", "ArrowUp", "Shift+ArrowUp"):
        page.keyboard.press(key)
    assert melody.saved == [(0, 1, 67), (1, 2, 80)]
    expect(page.locator("inlay-timeline #cell-melody")).to_contain_text("G♯5, bar 1 beat 2, 1 beats")
    for key in (",", "ArrowDown", ".", "ArrowRight", "Shift+ArrowRight"):
        page.keyboard.press(key)
    assert melody.saved == [(0, 1, 66), (2, 4, 80)]
    page.keyboard.press("Control+d")
    assert melody.saved[-1] == (4, 6, 80)
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+c")
    page.evaluate("window.inlay.desk.player.seek(4)")  # beat 8
    page.keyboard.press("Control+v")
    assert melody.saved[3:] == [(8, 9, 66), (10, 12, 80), (12, 14, 80)]
    page.keyboard.press("Delete")
    assert len(melody.saved) == 3
    for _ in range(3):  # the models know up to B6
        page.keyboard.press(".")
        page.keyboard.press("Shift+ArrowUp")
    assert max(pitch for _, _, pitch in melody.saved) <= 95
    page.keyboard.press("Control+z")
    page.wait_for_function("window.inlay.desk.settled")


def test_quantise_and_key_of_the_melody(page: Page, melody: Lane) -> None:
    page.evaluate(
        """window.inlay.desk.editLane('draw_notes', 'melody', [
          { id: 'a', start: 0.1, end: 0.9, pitch: 61 }, { id: 'b', start: 1.3, end: 2.4, pitch: 64 }])"""
    )
    page.locator("inlay-timeline .melody").focus()
    page.keyboard.press("q")
    assert melody.saved == [(0, 1, 61), (1.5, 2.5, 64)]
    expect(page.locator("inlay-timeline .melody-head")).to_contain_text("1 of 2 outside C major")
    page.locator("inlay-timeline [data-menu=melody]").click()
    page.locator("inlay-timeline .popover button", has_text="Move into C major").click()
    assert melody.saved == [(0, 1, 60), (1.5, 2.5, 64)]
    expect(page.locator("inlay-timeline .melody-head")).to_contain_text("Fits C major")
    page.locator("#key input").click()
    page.locator("#key [role=option]", has_text="D major").first.click()
    page.wait_for_function("window.inlay.desk.key === 'D major'")
    assert project(page, melody.home)["key"] == "D major"
    expect(page.locator("inlay-timeline .melody-head")).to_contain_text("1 of 2 outside D major")
    page.reload()
    page.wait_for_function(
        "window.inlay?.desk.key === 'D major' && window.inlay.desk.doc.melody.length === 2"
    )
    expect(page.locator("#key input")).to_have_value("D major")


def test_drums_by_mouse(page: Page, drums: Lane) -> None:
    drums.click(0.1, 0)
    drums.click(1.1, 1)
    assert drums.saved == [(0, "kick"), (1, "snare")]
    drums.drag((0.1, 2), (1.9, 2))  # paints along the row
    assert [time for time, drum in drums.saved if drum == "hat"] == [step / 4 for step in range(8)]
    assert state(page, "doc.undo") == "draw hits"
    drums.drag((1.1, 2), (1.9, 2))  # begins on a hit: clears
    assert [time for time, drum in drums.saved if drum == "hat"] == [0, 0.25, 0.5, 0.75]
    drums.click(0.1, 0)
    assert (0, "kick") not in drums.saved
    drums.drag((0.05, 2), (0.9, 2), "Shift")  # chooses
    for key in ("ArrowDown", "ArrowRight"):
        page.keyboard.press(key)
    assert [(time, drum) for time, drum in drums.saved if drum == "tom"] == [
        (0.25, "tom"), (0.5, "tom"), (0.75, "tom"), (1, "tom")
    ]  # fmt: skip
    page.keyboard.press("Delete")
    assert drums.saved == [(1, "snare")]
    x, y = drums.point(2.1, 4)
    page.keyboard.down("Alt")
    page.mouse.click(x, y)
    page.keyboard.up("Alt")
    time, drum = drums.saved[-1]
    assert drum == "cymbal" and abs(time - 2.1) < 0.02 and time != 2  # off the grid


def test_drums_by_pattern_swing_and_tapping(page: Page, drums: Lane) -> None:
    page.locator("inlay-timeline [data-menu=drums]").click()
    page.locator("inlay-timeline .popover button", has_text="Rock").click()
    kicks = [time for time, drum in drums.saved if drum == "kick"]
    assert kicks == [0, 2, 2.5, 4, 6, 6.5, 8, 10, 10.5, 12, 14, 14.5, 16, 18, 18.5]  # ten seconds at 120
    page.locator("inlay-timeline [data-menu=drums]").click()
    slider = page.locator("inlay-timeline .popover input[type=range]")
    slider.focus()
    slider.fill("66")
    page.keyboard.press("Escape")
    assert [time for time, drum in drums.saved if drum == "kick"][2] == pytest.approx(2.66)
    page.keyboard.press("Control+z")
    page.wait_for_function("window.inlay.desk.doc.drums.some(({ time }) => time === 2.5)")
    page.locator("inlay-timeline [data-menu=drums]").click()
    page.locator("inlay-timeline .popover button", has_text="Clear").click()
    assert drums.saved == []
    page.locator("inlay-timeline .drums").focus()
    page.keyboard.press("Shift+T")
    page.evaluate("window.inlay.desk.player.seek(1.03)")
    for key in "asd":
        page.keyboard.press(key)
    page.keyboard.press("Escape")
    page.keyboard.press("s")  # a tool again
    assert drums.saved == [(2, "hat"), (2, "kick"), (2, "snare")]
    assert state(page, "timeline.tool") == "split"


def test_midi_in_and_out(page: Page, melody: Lane, drums: Lane, tmp_path: Path) -> None:
    midi = pretty_midi.PrettyMIDI(initial_tempo=120)
    line = pretty_midi.Instrument(0, name="Lead")
    line.notes = [pretty_midi.Note(90, 64, 0, 0.5), pretty_midi.Note(90, 67, 0.5, 1.5)]
    kit = pretty_midi.Instrument(0, is_drum=True)
    kit.notes = [pretty_midi.Note(90, 36, 0, 0.1), pretty_midi.Note(90, 38, 0.5, 0.6)]
    midi.instruments = [line, kit]
    path = tmp_path / "song.mid"
    midi.write(str(path))
    with page.expect_file_chooser() as chooser:
        page.locator("inlay-timeline .melody-head [data-midi]").click()
    chooser.value.set_files(path)
    page.wait_for_function("window.inlay.desk.doc.melody.length === 2")
    assert [(round(a, 2), round(b, 2), p) for a, b, p in melody.saved] == [(0, 1, 64), (1, 3, 67)]
    assert drums.saved == []
    assert state(page, "doc.undo") == "import song.mid"
    with page.expect_file_chooser() as chooser:
        page.locator("inlay-timeline .drums-head [data-midi]").click()
    chooser.value.set_files(path)
    page.wait_for_function("window.inlay.desk.doc.drums.length === 2")
    assert [(round(time, 2), drum) for time, drum in drums.saved] == [(0, "kick"), (1, "snare")]

    page.locator("inlay-timeline [data-menu=melody]").click()
    with page.expect_download() as download:
        page.locator("inlay-timeline .popover button", has_text="Save MIDI").click()
    assert download.value.suggested_filename == "Inlay melody.mid"
    out = tmp_path / "out.mid"
    download.value.save_as(out)
    notes = pretty_midi.PrettyMIDI(str(out)).instruments[0].notes
    assert [(round(n.start, 2), round(n.end, 2), n.pitch) for n in notes] == [(0, 0.5, 64), (0.5, 1.5, 67)]

    bad = tmp_path / "noise.mid"
    bad.write_bytes(b"no MIDI at all")
    with page.expect_file_chooser() as chooser:
        page.locator("inlay-timeline .melody-head [data-midi]").click()
    chooser.value.set_files(bad)
    expect(page.locator("inlay-timeline .notice")).to_contain_text("noise.mid: not a MIDI file")
    assert len(melody.saved) == 2


def test_chords_split_merge_transpose_repeat(page: Page, chords: Lane) -> None:
    page.evaluate(
        """window.inlay.desk.editLane('draw_chords', 'chords', [
          { id: 'a', start: 0, end: 4, symbol: 'C' }, { id: 'b', start: 4, end: 8, symbol: 'Am' }])"""
    )
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("s")
    chords.click(2)
    assert chords.saved == [(0, 2, "C"), (2, 4, "C"), (4, 8, "Am")]
    page.keyboard.press("v")
    page.locator("inlay-timeline .cell").nth(1).focus()
    page.keyboard.press("ArrowUp")
    assert chords.saved[1] == (2, 4, "C#")
    page.keyboard.press("j")  # with the next one
    assert chords.saved == [(0, 2, "C"), (2, 8, "C#")]
    page.keyboard.press("Control+a")
    page.keyboard.press("Control+d")
    assert chords.saved == [(0, 2, "C"), (2, 8, "C#"), (8, 10, "C"), (10, 16, "C#")]
    page.keyboard.press("ArrowDown")  # the copies are what is chosen now
    assert [symbol for _, _, symbol in chords.saved] == ["C", "C#", "B", "C"]
    page.keyboard.press("Delete")
    assert chords.saved == [(0, 2, "C"), (2, 8, "C#")]
    page.keyboard.press("Control+z")
    page.wait_for_function("window.inlay.desk.doc.chords.length === 4")


def test_chords_typed_with_completion_and_by_progression(page: Page, chords: Lane, song_file: Path) -> None:
    page.locator("inlay-timeline .chords").dblclick(position={"x": 60, "y": 20})
    field = page.locator("inlay-timeline .palette input")
    field.fill("Dbm")
    offered = page.locator("inlay-timeline .palette [data-chord]")
    assert offered.all_inner_texts()[:2] == ["C#m", "C#m7"]
    field.press("ArrowDown")
    page.keyboard.press("Enter")
    assert [symbol for _, _, symbol in chords.saved] == ["C#m"]
    page.keyboard.press("Enter")  # the focus is back on the cell
    page.locator("inlay-timeline .palette button", has_text="All 194").click()
    expect(page.locator("inlay-timeline .palette [data-chord]")).to_have_count(193)  # all but "unknown"
    page.locator("inlay-timeline .palette button", has_text="Progressions").click()
    page.locator("inlay-timeline .palette button", has_text="Fifties").click()
    assert chords.saved == [(0, 4, "C"), (4, 8, "Am"), (8, 12, "F"), (12, 16, "G"), (16, 20, "C")]
    assert state(page, "doc.undo") == "chord progression"
    upload(page, song_file)  # four seconds: two bars
    drag_span(page, 2, 4)
    page.locator("inlay-timeline .chords-head").hover()
    page.locator("inlay-timeline [data-menu=chords]").click()
    page.locator("inlay-timeline .popover button", has_text="Jazz cadence").click()
    assert chords.saved[:2] == [(0, 4, "C"), (4, 8, "Dm7")]


def test_lanes_condition_a_run(page: Page, home: Path, song_file: Path) -> None:
    upload(page, song_file)
    page.evaluate(
        """(() => { const { desk } = window.inlay;
          desk.editLane('draw_notes', 'melody', [{ id: 'n', start: 2, end: 3, pitch: 64 }]);
          desk.editLane('draw_hits', 'drums', [{ id: 'h', time: 2.5, drum: 'snare' }]); })()"""
    )
    drag_span(page, 1, 2)
    for name in ("Melody", "Drums"):
        page.locator("#follow label", has_text=name).locator("input").check()
    page.wait_for_function("window.inlay.desk.doc.follow.length === 3")
    page.locator("#engine-ar input").uncheck()
    page.locator("#engine-fm-zero-shot input").uncheck()
    page.locator("#inpaint").click()
    settled(page)
    controls = project(page, home)["takes"][0]["parameters"]["controls"]
    assert controls["melody"] == [{"start": 1.0, "end": 1.5, "pitch": 64}]
    assert controls["drums"] == [{"time": 1.25, "drum": "snare"}]


def test_the_row_under_the_drums_is_what_the_models_receive(
    page: Page, home: Path, drums: Lane, song_file: Path
) -> None:
    upload(page, song_file)
    page.evaluate(
        """window.inlay.desk.editLane('draw_hits', 'drums', Array.from({ length: 30 }, (_, i) => ({
          id: `h${i}`, time: Math.round(i * 2711) / 1e4,
          drum: ['kick', 'hat', 'snare', 'hat', 'tom'][i % 5] })))"""
    )
    page.locator("inlay-timeline .snap select").select_option("off")
    drag_span(page, 1.031, 2.177)  # begins and ends between the clip's frames
    page.locator("#follow label", has_text="Drums").locator("input").uncheck()
    page.wait_for_function("!window.inlay.desk.doc.follow.includes('drums')")
    assert state(page, "timeline.drums.told") is None
    page.locator("#follow label", has_text="Drums").locator("input").check()
    page.wait_for_function("window.inlay.desk.timeline.drums.told !== null")
    told = page.evaluate(
        "(({ start, bits }) => ({ start, bits: [...bits] }))(window.inlay.desk.timeline.drums.told)"
    )
    page.locator("#engine-ar input").uncheck()
    page.locator("#engine-fm-zero-shot input").uncheck()
    page.locator("#inpaint").click()
    settled(page)
    parameters = project(page, home)["takes"][0]["parameters"]
    window = parameters["resolved"]["window"]
    assert told["start"] == pytest.approx(window["start"], abs=1e-4)  # the engine counts in whole samples
    hits = tuple(Hit(**hit) for hit in parameters["controls"]["drums"])
    given = lanes_from(Controls(drums=hits), round(window["seconds"] * 25), 25.0, window["start"]).drums[0]
    bits = [sum(int(hit) << drum for drum, hit in enumerate(row)) for row in given.tolist()]
    assert bits == told["bits"]
    assert sum(bit > 0 for bit in bits) > 20


def test_lanes_are_heard_without_a_clip(page: Page, drums: Lane) -> None:
    page.evaluate(
        """window.inlay.desk.editLane('draw_hits', 'drums',
          Array.from({ length: 40 }, (_, i) => ({ id: `h${i}`, time: i / 2, drum: 'hat' })))"""
    )
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("p")
    expect(page.locator("inlay-timeline [data-action=preview]")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("Space")
    page.wait_for_function("window.inlay.desk.player.playing && window.inlay.desk.player.position > 0.3")
    page.wait_for_function("window.inlay.desk.synth.voices > 0")
    page.locator("inlay-timeline [data-mute=drums]").click()
    page.wait_for_function("window.inlay.desk.synth.voices === 0")
    page.locator("inlay-timeline .board").focus()
    page.keyboard.press("Space")
    assert not state(page, "player.playing")


def test_quick_edits_arrive_in_their_order(page: Page, chords: Lane) -> None:
    held: list[Route] = []

    def hold(route: Route) -> None:
        held.append(route)
        if len(held) > 1:  # the first request is slow
            route.continue_()

    page.route("**/queue/join*", hold)
    page.evaluate(
        """(({ desk }) => { const put = (id, start, symbol) => desk.edit('draw_chords', {
            chords: [{ id, start, end: start + 4, symbol }], remove: [] });
          put('a', 0, 'C'); put('a', 2, 'F'); put('b', 4, 'Am'); })(window.inlay)"""
    )
    for _ in range(10):
        page.evaluate("() => new Promise((done) => requestAnimationFrame(done))")
    assert len(held) == 1  # the others wait for it
    assert not state(page, "settled")
    held[0].continue_()
    page.unroute("**/queue/join*", hold)
    assert chords.saved == [(2, 4, "F"), (4, 8, "Am")]
