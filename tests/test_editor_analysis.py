"""What was heard comes onto the lanes, and what the musician drew stays."""

from __future__ import annotations

import threading
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from editor.page import contract
from editor.project import commands, drawing
from editor.project.disk import sounds, storage
from editor.project.document import ChordCell, LaneHit, Lanes, Project, Region
from editor.runs import hearing as analysis
from editor.session import Session
from engines.analysis.analyze import Analysis, ChordLine, Curve, DrumLine, Key, MelodyLine, Rhythm
from engines.audio.recording import Recording, write_recording
from engines.errors import InputError
from engines.requests import Chord, Hit, Note, Part

BEATS = tuple(0.5 + i * 0.6 for i in range(12))  # 100 bpm, first beat at 0.5 s


def heard(**changes: object) -> Analysis:
    """Eight seconds in which all is clear."""
    whole = Analysis(
        8.0,
        ChordLine(
            (Chord(0, 2.9, "Eb"), Chord(2.9, 5.3, "N"), Chord(5.3, 8.0, "Bb7")), (0.9, 0.9, 0.8), (), "notes"
        ),
        MelodyLine((Note(0.5, 1.1, 70), Note(1.7, 2.3, 72)), (0.8, 0.1)),
        Rhythm(BEATS, BEATS[1::4], 100.0, 4, 0.9, 0.6),
        Key("Eb major", 0.8),
        DrumLine((*tuple(Hit(t, "kick") for t in BEATS[::2]), Hit(3.0, "tom")), (0.9,) * 6 + (0.6,)),
        -14.0,
        Curve((), "dB"),
        Curve((), "Hz"),
    )
    return replace(whole, **changes)  # type: ignore[arg-type]


def test_empty_lanes_are_filled_with_grid_key_and_follow() -> None:
    done = analysis.fill(Project(), heard())
    project = done.project
    assert done.filled == ("chords", "melody", "drums") and done.kept == ()
    assert (project.grid.bpm, project.grid.beats_per_bar) == (100.0, 4)
    assert project.grid.offset == pytest.approx(1.1)  # the first downbeat is beat 0
    assert project.key == "Eb major"
    assert project.follow == ("chords", "melody", "drums")  # the song's own go on by default
    cells = project.lanes.chords
    assert [c.symbol for c in cells] == ["Eb", "Bb7"]  # N leaves the lane empty
    assert project.grid.beats_to_seconds(cells[1].start) == pytest.approx(5.3)
    assert [n.pitch for n in project.lanes.melody] == [70]  # the unlikely note is not drawn
    assert {h.drum for h in project.lanes.drums} == {"kick"}  # a single tom is a mistake


def test_what_the_musician_drew_stays_until_they_ask() -> None:
    mine = drawing.set_lanes(Project(), Lanes(chords=(ChordCell("c1", 0, 4, "C"),)))
    mine = commands.set_follow(mine, [])
    done = analysis.fill(mine, heard())
    assert done.kept == ("chords",) and done.filled == ("melody", "drums")
    assert done.project.lanes.chords == mine.lanes.chords
    assert (
        done.project.grid == mine.grid and done.project.key == mine.key
    )  # a new tempo would move what is drawn
    assert done.project.follow == ("melody", "drums")
    assert "your chords kept" in analysis.words(heard(), done)
    asked = analysis.fill(mine, heard(), replace_all=True)
    assert [c.symbol for c in asked.project.lanes.chords] == ["Eb", "Bb7"]
    assert asked.project.grid.bpm == 100.0


def test_nothing_heard_changes_nothing_and_says_so() -> None:
    nothing = heard(
        chords=ChordLine((Chord(0, 8, "N"),), (1.0,), (), "notes"),
        melody=MelodyLine((), ()),
        rhythm=Rhythm((), (), 0.0, 0, 0.0, 0.0),
        key=Key("", 0.0),
        drums=DrumLine((), ()),
    )
    done = analysis.fill(Project(), nothing)
    assert done.project == Project()
    assert analysis.words(nothing, done).startswith("Nothing clear enough")


def test_an_unsure_tempo_leaves_the_grid() -> None:
    unsure = heard(rhythm=Rhythm(BEATS, BEATS[::4], 100.0, 4, 0.2, 0.1))
    assert analysis.grid_of(unsure) is None
    assert analysis.fill(Project(), unsure).project.grid == Project().grid


def test_keys_are_spelled_as_the_page_spells_them() -> None:
    assert analysis.key_of(heard(key=Key("C# major", 0.9))) == "Db major"
    assert analysis.key_of(heard(key=Key("Ab minor", 0.9))) == "G# minor"
    assert analysis.key_of(heard(key=Key("F minor", 0.1))) == ""


def test_a_span_is_heard_anew_and_the_rest_stays() -> None:
    project = commands.set_grid(Project(), 60, 4)  # a beat a second
    project = drawing.set_lanes(
        project,
        Lanes(
            chords=(ChordCell("c1", 0, 8, "C"),),
            drums=(LaneHit("h1", 0.5, "hat"), LaneHit("h2", 5.5, "hat")),
        ),
    )
    done = analysis.fill_span(project, heard(), Region(5.0, 7.0)).project
    cells = [(round(c.start, 2), round(c.end, 2), c.symbol) for c in done.lanes.chords]
    assert cells == [(0, 5, "C"), (5.3, 7, "Bb7"), (7, 8, "C")]
    assert [h.drum for h in done.lanes.drums if not 5 <= h.time < 7] == ["hat"]
    assert {h.drum for h in done.lanes.drums if 5 <= h.time < 7} == {"kick"}
    assert done.grid == project.grid and len({c.id for c in done.lanes.chords}) == 3


@pytest.fixture
def session(tmp_path: Path, song: Recording) -> Session:
    source = tmp_path / "song.wav"
    write_recording(source, song)
    session = Session(tmp_path / "home")
    session.upload(source, "song.wav")
    return session


def test_a_session_hears_its_clip_in_the_background_and_undo_takes_it_back(session: Session) -> None:
    before = session.project
    session.analyse()
    assert session.analysis.job is not None and session.analysis.job.wait(300)
    assert session.analysis.words
    assert session.project.lanes.chords  # a plucked A major chord
    assert {c.symbol[:1] for c in session.project.lanes.chords} == {"A"}
    assert session.folder and storage.open_project(session.folder).project.lanes == session.project.lanes
    session.undo()
    assert session.project.lanes == before.lanes == Lanes()


def test_stopping_leaves_the_lanes(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, go = threading.Event(), threading.Event()
    read = sounds.read_sound

    def slow(*arguments: object) -> Recording:
        reading.set()
        assert go.wait(60)
        return read(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr(sounds, "read_sound", slow)
    before = session.project
    session.analyse()
    assert reading.wait(60)
    session.stop_analysis()
    go.set()
    assert session.analysis.job and session.analysis.job.wait(300)
    assert session.project == before and session.analysis.words == ""


def test_what_was_heard_of_a_clip_that_is_gone_is_dropped(session: Session) -> None:
    clip = session.project.clip
    assert clip is not None
    session._analysed(replace(clip.sound, file="other.wav"), None, heard(), "")
    assert session.project.lanes == Lanes()


def test_without_a_clip_there_is_nothing_to_hear(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no recording"):
        Session(tmp_path).analyse()


def test_who_is_heard_comes_onto_the_band_lane_unless_it_is_drawn() -> None:
    """The analysis of players has a part of its own, which an older one lacks."""
    silent = heard(
        chords=ChordLine((), (), (), "notes"), melody=MelodyLine((), ()), drums=DrumLine((), ()),
        rhythm=Rhythm((), (), 0.0, 4, 0.0, 0.0), key=Key("", 0.0),
    )  # fmt: skip
    first = _Heard(silent, [Part(0, 4, "piano")], [0.7])
    filled = analysis.fill(Project(), first)  # type: ignore[arg-type]
    (part,) = filled.project.lanes.band
    assert (part.instrument, part.by, part.sure, part.end) == ("piano", "heard", 0.7, 8)
    assert filled.filled == ("band",)
    other = _Heard(silent, [Part(0, 2, "flute")], [0.9])
    anew = analysis.fill(filled.project, other)  # type: ignore[arg-type]
    assert [p.instrument for p in anew.project.lanes.band] == ["flute"]
    drawn = contract.apply(Project(), "draw_band", {"band": [{"start": 0, "end": 4, "name": "organ"}]})
    assert analysis.fill(drawn, other).project.lanes == drawn.lanes  # type: ignore[arg-type]
    inside = analysis.fill_span(drawn, other, Region(1, 2)).project.lanes.band  # type: ignore[arg-type]
    assert [(p.instrument, p.start, p.end) for p in inside] == [("organ", 0, 2), ("flute", 2, 4)]


class _Heard:
    """An analysis that knows who plays."""

    def __init__(self, whole: Any, parts: list[Part], confidence: list[float]) -> None:
        self.whole = whole
        self.instruments = SimpleNamespace(parts=parts, confidence=confidence)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.whole, name)
