"""Sections: named bars that are edited like everything else, and whose sound and lanes go together."""

from __future__ import annotations

import json
import random
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as Xml

import numpy as np
import pytest

from editor.page.contract import apply
from editor.page.state import editor_state
from editor.project import arrangement, sections, versions
from editor.project.disk import exports, sounds, splices, storage
from editor.project.document import (
    ChordCell,
    Clip,
    LaneHit,
    LaneNote,
    LanePart,
    Lanes,
    Project,
    Region,
    Span,
    Take,
)
from editor.session import Session
from engines.audio.recording import Recording, from_float, read_recording, write_recording
from engines.audio.timebase import Grid
from engines.errors import InputError
from tests.test_dawproject import SCHEMAS, Schema

BAR = 2.0  # seconds at 120 bpm in 4/4


def long_clip(seconds: float = 12.0) -> Project:
    return Project(clip=Clip("a.wav", seconds, 100, 1, "a"))


def places(project: Project) -> list[tuple[str, int, int]]:
    return [(section.name, section.start, section.end) for section in project.sections]


def with_sections(project: Project, *bars: tuple[str, int, int]) -> Project:
    for number, (name, start, end) in enumerate(bars, 1):
        project = apply(
            project, "add_section", {"name": name, "start": start, "end": end, "id": f"b{number}"}
        )
    return project


def test_sections_are_named_moved_split_and_let_go() -> None:
    project = with_sections(long_clip(), ("Verse", 0, 4), ("Chorus", 4, 6))
    project = apply(project, "name_section", {"id": "b2", "name": "  Bridge\n"})
    project = apply(project, "split_section", {"id": "b1", "bar": 1, "new": "bx"})
    assert places(project) == [("Verse", 0, 1), ("Verse", 1, 4), ("Bridge", 4, 6)]
    project = apply(project, "set_section", {"id": "b2", "start": 2, "end": 6})
    assert places(project) == [("Verse", 0, 1), ("Verse", 1, 2), ("Bridge", 2, 6)]  # it cut its neighbour
    project = apply(project, "remove_section", {"id": "bx"})
    assert places(project) == [("Verse", 0, 1), ("Bridge", 2, 6)]
    project = apply(project, "add_section", {"name": "Solo", "start": 3, "end": 4})
    assert places(project) == [("Verse", 0, 1), ("Bridge", 2, 3), ("Solo", 3, 4), ("Bridge", 4, 6)]
    assert len({section.id for section in project.sections}) == 4


@pytest.mark.parametrize(
    ("name", "payload", "words"),
    [
        ("add_section", {"name": " ", "start": 0, "end": 1}, "expected 1-40"),
        ("add_section", {"name": "x" * 41, "start": 0, "end": 1}, "expected 1-40"),
        ("add_section", {"name": "A", "start": 2, "end": 2}, "bars 3-2: expected bars among 1-6"),
        ("add_section", {"name": "A", "start": 0, "end": 7}, "bars among 1-6"),
        ("add_section", {"name": "A", "start": 0.5, "end": 2}, "a whole number"),
        ("split_section", {"id": "b1", "bar": 0, "new": "b9"}, "not inside 'Verse'"),
        ("remove_section", {"id": "b9"}, "no longer there"),
    ],
)
def test_what_cannot_be_a_section_is_refused(name: str, payload: dict[str, Any], words: str) -> None:
    with pytest.raises(InputError, match=words):
        apply(with_sections(long_clip(), ("Verse", 0, 4)), name, payload)


def drawn() -> Project:
    lanes = Lanes(
        (ChordCell("c1", 0, 6, "Am"), ChordCell("c2", 6, 16, "F")),
        (LaneNote("n1", 3.5, 4.5, 60), LaneNote("n2", 9, 10, 62)),
        (LaneHit("h1", 4, "kick"), LaneHit("h2", 8, "snare")),
        (LanePart("p1", 0, 16, "flute", sure=0.5, by="heard"),),
    )
    project = replace(long_clip(), lanes=lanes, spans=(Span("s1", 5.0, 7.0, prompt="horns"),), active="s1")
    return with_sections(project, ("Verse", 0, 1), ("Chorus", 1, 2), ("Outro", 4, 6))


def test_a_copy_takes_its_lanes_along_and_what_follows_moves_on() -> None:
    made = arrangement.repeated(drawn(), "b2", "bn").project  # the bar from beat 4 to beat 8, once more at 8
    assert places(made) == [("Verse", 0, 1), ("Chorus", 1, 2), ("Chorus", 2, 3), ("Outro", 5, 7)]
    assert made.sections[2].id == "bn"
    chords = [(cell.start, cell.end, cell.symbol) for cell in made.lanes.chords]
    assert chords == [(0, 6, "Am"), (6, 8, "F"), (8, 10, "Am"), (10, 12, "F"), (12, 20, "F")]
    notes = [(note.start, note.end, note.pitch) for note in made.lanes.melody]
    assert notes == [(3.5, 4.5, 60), (8, 8.5, 60), (13, 14, 62)]
    assert [(hit.time, hit.drum) for hit in made.lanes.drums] == [(4, "kick"), (8, "kick"), (12, "snare")]
    assert [(part.start, part.end, part.by) for part in made.lanes.band] == [
        (0, 8, "heard"), (8, 12, "heard"), (12, 20, "heard"),
    ]  # fmt: skip
    for lane in (made.lanes.chords, made.lanes.melody, made.lanes.drums, made.lanes.band):
        assert len({item.id for item in lane}) == len(lane)
    assert made.spans == (Span("s1", 7.0, 9.0, prompt="horns"),) and made.active == "s1"


def test_a_section_that_moves_leaves_its_place_and_all_is_still_there() -> None:
    project = drawn()
    later = arrangement.moved(project, "b2", 4).project
    assert places(later) == [("Verse", 0, 1), ("Chorus", 3, 4), ("Outro", 4, 6)]
    assert [(hit.time, hit.drum) for hit in later.lanes.drums] == [(4, "snare"), (12, "kick")]
    earlier = arrangement.moved(project, "b3", 1).project
    assert places(earlier) == [("Verse", 0, 1), ("Outro", 1, 3), ("Chorus", 3, 4)]
    back = arrangement.moved(earlier, "b3", 6).project
    assert places(back) == places(project) and back.lanes.drums == project.lanes.drums
    with pytest.raises(InputError, match="is there already"):
        arrangement.moved(project, "b3", 5)
    with pytest.raises(InputError, match="choose another place"):
        arrangement.copied(project, "b3", 9)


def test_any_order_of_pieces_holds_every_sample_where_its_bars_are() -> None:
    chance = random.Random(14)
    for _ in range(30):
        grid = Grid(
            chance.choice([97.0, 120.0, 133.7]), chance.choice([3, 4]), chance.choice([-1.3, 0.0, 0.4])
        )
        project = replace(long_clip(12.0), grid=grid)
        first, last = sections.bars_of(project)
        start = chance.randint(first, last - 1)
        end = chance.randint(start + 1, last)
        project = with_sections(project, ("A", start, end))
        made = arrangement.copied(project, "b1", chance.randint(first, last), "bn")
        rate = 1000
        seconds = grid.beats_per_bar * grid.seconds_per_beat
        pieces = made.samples(rate, 12 * rate)
        longer = sum(b - a for a, b in pieces) - 12 * rate
        copy = next(section for section in made.project.sections if section.id == "bn")
        silent = max(0, round((copy.start - last) * seconds * rate))  # a copy behind a bar that is not whole
        assert longer - silent >= (end - start) * seconds * rate - 2
        at = sum(b - a for a, b in pieces[: [p.copy for p in made.pieces].index(True)]) if pieces else 0
        if first >= 0 and len(pieces) == 3:
            assert abs(at - grid.beats_to_seconds(copy.start * grid.beats_per_bar) * rate) <= 2


@pytest.fixture
def session(tmp_path: Path) -> Session:
    noise = np.random.default_rng(3).integers(-9000, 9000, (12 * 44_100, 2), np.int16)
    recording = Recording(noise, 44_100)
    file = tmp_path / "noise.wav"
    write_recording(file, recording)
    session = Session(tmp_path / "home")
    session.upload(file, "noise.wav")
    for number, (name, start, end) in enumerate((("Verse", 0, 2), ("Chorus", 2, 4)), 1):
        session.apply("add_section", {"name": name, "start": start, "end": end, "id": f"b{number}"})
    return session


def sound_of(session: Session) -> np.ndarray[Any, Any]:
    assert session.folder and session.project.clip
    return sounds.read_sound(session.folder, session.project.clip.sound).samples


def test_repeating_and_moving_leave_every_sample_bit_for_bit(session: Session) -> None:
    before, one = sound_of(session), (4 * 44_100)
    session.apply("repeat_section", {"id": "b2", "new": "bn"}, "e1")
    after = sound_of(session)
    assert np.array_equal(
        after, np.concatenate([before[: 2 * one], before[one : 2 * one], before[2 * one :]])
    )
    assert (
        session.project.clip
        and session.project.clip.seconds == 16
        and session.project.clip.label == "noise.wav"
    )
    assert places(session.project) == [("Verse", 0, 2), ("Chorus", 2, 4), ("Chorus", 4, 6)]
    session.apply("repeat_section", {"id": "b2", "new": "bn"}, "e1")  # sent again: done once
    assert len(session.project.sections) == 3
    session.apply("move_section", {"id": "b1", "at": 4})
    moved = sound_of(session)
    assert np.array_equal(moved, np.concatenate([after[one : 2 * one], after[:one], after[2 * one :]]))
    session.apply("copy_section", {"id": "b1", "at": 0, "new": "bc"})
    assert np.array_equal(sound_of(session), np.concatenate([moved[one : 2 * one], moved]))
    for _ in range(3):
        session.undo()
    assert np.array_equal(sound_of(session), before) and session.project.clip.seconds == 12
    assert places(session.project) == [("Verse", 0, 2), ("Chorus", 2, 4)]
    session.close()


def test_sections_and_their_undo_outlive_the_process(session: Session, tmp_path: Path) -> None:
    session.apply("repeat_section", {"id": "b2", "new": "bn"})
    session.apply("name_section", {"id": "bn", "name": "Last"})
    folder = session.folder
    assert folder
    session.close()
    other = Session(tmp_path / "home")
    other.open(folder)
    assert other.project == session.project and places(other.project)[-1] == ("Last", 4, 6)
    other.undo()
    assert other.history.undo_label == "repeat section"
    other.undo()
    assert places(other.project) == [("Verse", 0, 2), ("Chorus", 2, 4)] and other.project.clip
    assert other.project.clip.seconds == 12
    other.redo()
    assert len(other.project.sections) == 3
    other.close()


def test_a_project_from_before_there_were_sections_opens(session: Session) -> None:
    folder = session.folder
    assert folder
    session.close()
    path = folder / "project.json"
    document = json.loads(path.read_text())
    del document["project"]["sections"]
    path.write_text(json.dumps(document))
    assert storage.open_project(folder).project.sections == ()
    for wrong in (
        [{"id": "b", "name": "A", "start": 2, "end": 1}],
        [{"id": "b<", "name": "A", "start": 0, "end": 1}],
    ):
        document["project"]["sections"] = wrong
        path.write_text(json.dumps(document))
        (folder / "project.json.bak").unlink(missing_ok=True)
        with pytest.raises(InputError, match="damaged"):
            storage.open_project(folder)


def test_an_intro_moves_sections_with_their_music() -> None:
    project = with_sections(replace(long_clip(), grid=Grid(120, 4, 0.0)), ("Verse", 0, 2))
    later = versions._moved(project, 2 * BAR + 0.5)
    verse = later.sections[0]
    start = later.grid.beats_to_seconds(verse.start * 4)
    assert start == pytest.approx(2 * BAR + 0.5) and verse.end - verse.start == 2


def test_the_page_is_told_and_a_section_leaves_as_a_file(session: Session) -> None:
    state = editor_state(session.project, rev=1)
    assert [(s.id, s.name, s.start, s.end) for s in state.sections] == [
        ("b1", "Verse", 0, 2),
        ("b2", "Chorus", 2, 4),
    ]
    assert session.folder
    path, name = exports.export(session.folder, session.project, "section", "b2")
    assert name == "noise Chorus.wav"
    assert np.array_equal(read_recording(path).samples, sound_of(session)[4 * 44_100 : 8 * 44_100])
    session.close()


def test_without_a_clip_lanes_move_and_the_timeline_grows() -> None:
    project = with_sections(replace(drawn(), clip=None, length=12.0, sections=()), ("Verse", 0, 1))
    made = arrangement.repeated(project, "b1", "bn").project
    assert made.length == 14.0 and made.lanes.drums[0].time == 8
    with pytest.raises(InputError, match="at most 120 s"):
        arrangement.repeated(replace(project, length=119.0), "b1", "bn")


def test_a_copy_of_bars_that_are_not_whole_ends_in_silence() -> None:
    project = with_sections(long_clip(3.0), ("End", 1, 2))  # the clip ends in the middle of its second bar
    made = arrangement.copied(project, "b1", 0, "bn")
    wave = from_float(np.linspace(0.1, 0.9, 300, dtype=np.float32), 100, "FLOAT")
    whole = splices.in_order(wave, made.samples(100, 300)).samples[:, 0]
    assert len(whole) == 500 and np.array_equal(whole[:100], wave.samples[200:, 0])
    assert not whole[100:200].any() and np.array_equal(whole[200:], wave.samples[:, 0])


def test_sections_are_markers_of_a_dawproject(session: Session) -> None:
    assert session.folder
    path, _ = exports.export(session.folder, session.project, "dawproject")
    with zipfile.ZipFile(path) as archive:
        root = Xml.fromstring(archive.read("project.xml"))
    Schema(SCHEMAS / "Project.xsd").check(root)
    markers = [(m.get("name"), float(m.get("time", ""))) for m in root.findall("Arrangement/Markers/Marker")]
    assert markers == [("Verse", 0), ("Chorus", 8)]
    session.close()


def test_a_take_from_before_is_not_kept_over_another_order_and_is_again_once_that_is_undone(
    session: Session,
) -> None:
    clip = session.project.clip
    assert clip and session.folder
    part = Recording(np.zeros((44_100, 2), np.int16), 44_100)
    take = Take(
        "t1", "inpaint", "fm", 7, "", sounds.add_audio(session.folder, part), 12.0, Region(4, 5), clip.sound,
        rate=44_100, channels=2, first=4 * 44_100,
    )  # fmt: skip
    session.saved.history = session.history.with_takes(take)
    session.apply("repeat_section", {"id": "b1", "new": "bn"})
    with pytest.raises(InputError, match="FM seed 7: made before a section was copied or moved"):
        session.apply("keep", {"id": "t1"})
    assert versions.clock_shift(session.project, take.source, take.kind, take.region) == 0
    session.undo()
    session.apply("keep", {"id": "t1"})
    assert session.project.kept == "t1" and len(session.project.sections) == 2
    after = sound_of(session)
    session.apply("repeat_section", {"id": "b1", "new": "bn"})  # what was kept goes along
    assert np.array_equal(sound_of(session), np.concatenate([after[: 4 * 44_100], after]))
    session.close()


def test_an_intro_before_the_clip_does_not_move_lanes_again(session: Session) -> None:
    project = session.project
    assert project.clip
    led = replace(project, clip=replace(project.clip, lead=3.0))
    led = replace(led, versions=(replace(project.versions[0], clip=led.clip),))
    made = versions.set_arranged(led, Clip("b.wav", 16.0, 44_100, 2, "noise.wav"))
    assert made.clip and made.clip.lead == 3.0 and made.lanes == led.lanes and made.grid == led.grid
    session.close()
