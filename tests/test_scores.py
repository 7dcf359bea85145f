"""Scores as musicians save them come onto the lanes."""

from __future__ import annotations

import zipfile
from pathlib import Path

import pretty_midi
import pytest

from editor.project import lanes
from editor.project.disk import scores
from editor.project.document import ChordCell, LaneHit, LaneNote, Lanes
from engines.audio.timebase import Grid
from engines.errors import InputError
from engines.requests import Chord, Hit, Note

LEAD_SHEET = """<?xml version="1.0"?>
<score-partwise version="3.1">
  <part-list>
    <score-part id="P1"><part-name>Piano</part-name></score-part>
    <score-part id="P2"><part-name>Voice</part-name></score-part>
    <score-part id="P3"><part-name>Drums</part-name>
      <midi-instrument id="P3-K"><midi-unpitched>37</midi-unpitched></midi-instrument></score-part>
  </part-list>
  <part id="P1"><measure number="1"><attributes><divisions>2</divisions></attributes>
    <note><pitch><step>C</step><octave>6</octave></pitch><duration>8</duration></note></measure></part>
  <part id="P2">
    <measure number="1">
      <attributes><divisions>2</divisions><time><beats>3</beats><beat-type>4</beat-type></time></attributes>
      <direction><direction-type><metronome><beat-unit>quarter</beat-unit><per-minute>90</per-minute></metronome>
        </direction-type></direction>
      <harmony><root><root-step>D</root-step></root><kind>minor-seventh</kind></harmony>
      <note><grace/><pitch><step>A</step><octave>4</octave></pitch></note>
      <note><pitch><step>F</step><alter>1</alter><octave>4</octave></pitch><duration>2</duration></note>
      <note><chord/><pitch><step>D</step><octave>4</octave></pitch><duration>2</duration></note>
      <note><rest/><duration>2</duration></note>
      <note><pitch><step>G</step><octave>4</octave></pitch><duration>2</duration><tie type="start"/></note>
    </measure>
    <measure number="2">
      <harmony><root><root-step>B</root-step><root-alter>-1</root-alter></root><kind>major</kind>
        <bass><bass-step>D</bass-step></bass></harmony>
      <note><pitch><step>G</step><octave>4</octave></pitch><duration>4</duration><tie type="stop"/></note>
      <backup><duration>2</duration></backup>
      <forward><duration>4</duration></forward>
    </measure>
  </part>
  <part id="P3"><measure number="1"><attributes><divisions>1</divisions></attributes>
    <note><unpitched/><duration>1</duration><instrument id="P3-K"/></note>
    <note><rest/><duration>1</duration></note>
    <note><unpitched/><duration>1</duration><instrument id="P3-K"/></note></measure></part>
</score-partwise>
"""


@pytest.fixture
def sheet(tmp_path: Path) -> Path:
    path = tmp_path / "song.musicxml"
    path.write_text(LEAD_SHEET)
    return path


def test_a_lead_sheet_gives_melody_chords_drums_and_grid(sheet: Path) -> None:
    score = scores.read_score(sheet)
    quarter = 60 / 90
    assert (score.bpm, score.beats_per_bar) == (90, 3)
    assert score.chords == (
        Chord(0.0, pytest.approx(3 * quarter), "Dm7"),
        Chord(pytest.approx(3 * quarter), pytest.approx(6 * quarter), "Bb/D"),
    )
    # the voice leads although the piano lies higher; its chord's top note sounds, the tie is one note
    assert score.melody == (
        Note(0.0, pytest.approx(quarter), 66),
        Note(pytest.approx(2 * quarter), pytest.approx(5 * quarter), 67),
    )
    assert score.drums == (Hit(0.0, "kick"), Hit(pytest.approx(2 * quarter), "kick"))


def test_a_compressed_sheet_is_the_same_sheet(sheet: Path, tmp_path: Path) -> None:
    packed = tmp_path / "song.mxl"
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr("META-INF/container.xml", "<container/>")
        archive.write(sheet, "score.xml")
    assert scores.read_score(packed) == scores.read_score(sheet)


def test_six_eight_counts_two_dotted_quarters(tmp_path: Path) -> None:
    path = tmp_path / "jig.xml"
    path.write_text(
        LEAD_SHEET.replace(
            "<beats>3</beats><beat-type>4</beat-type>", "<beats>6</beats><beat-type>8</beat-type>"
        )
    )
    score = scores.read_score(path)
    assert (score.bpm, score.beats_per_bar) == (pytest.approx(60), 2)


def test_midi_gives_tempo_signature_and_chords_of_its_notes(tmp_path: Path) -> None:
    midi = pretty_midi.PrettyMIDI(initial_tempo=100)
    midi.time_signature_changes.append(pretty_midi.TimeSignature(4, 4, 0))
    melody, piano = pretty_midi.Instrument(73, name="Melody"), pretty_midi.Instrument(0, name="Piano")
    bar = 4 * 0.6
    for i, pitches in enumerate(((48, 60, 64, 67), (45, 57, 60, 64), (43, 59, 62, 65))):  # C, Am, G7
        piano.notes += [pretty_midi.Note(80, p, i * bar, (i + 1) * bar) for p in pitches]
        melody.notes.append(pretty_midi.Note(90, pitches[-1] + 12, i * bar, i * bar + 0.6))
    midi.instruments += [melody, piano]
    path = tmp_path / "song.mid"
    midi.write(str(path))
    score = scores.read_score(path)
    assert (score.bpm, score.beats_per_bar) == (pytest.approx(100, rel=1e-3), 4)
    assert [c.symbol for c in score.chords] == ["C", "Am", "G7"]
    assert [c.start for c in score.chords] == pytest.approx([0, bar, 2 * bar], abs=0.02)
    assert [n.pitch for n in score.melody] == [79, 76, 77]
    assert "inferred" in score.note


def test_a_single_line_spells_no_chords() -> None:
    line = [Note(i * 0.5, (i + 1) * 0.5, p) for i, p in enumerate((60, 62, 64, 65, 67, 69, 71, 72))]
    assert scores.chords_of_notes(line, Grid(60, 4)) == ()
    assert scores.chords_of_notes([], Grid()) == ()


def test_lanes_written_as_midi_come_back(tmp_path: Path) -> None:
    grid = Grid(120, 4)
    drawn = Lanes(
        (ChordCell("c1", 0, 4, "F"), ChordCell("c2", 4, 8, "Dm7")),
        (LaneNote("n1", 0, 2, 72), LaneNote("n2", 2, 4, 69)),
        (LaneHit("h1", 0, "kick"), LaneHit("h2", 1, "snare")),
    )
    lanes.write_midi(tmp_path / "lanes.mid", drawn, grid)
    score = scores.read_score(tmp_path / "lanes.mid")
    back = lanes.chords_to_lane(score.chords, grid)
    assert [(c.symbol, round(c.start, 1), round(c.end, 1)) for c in back] == [("F", 0, 4), ("Dm7", 4, 8)]
    assert [n.pitch for n in score.melody] == [72, 69]
    assert [h.drum for h in score.drums] == ["kick", "snare"]


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.xml", "not xml <", "not MusicXML"),
        ("a.xml", "<opus/>", "score-partwise"),
        ("a.musicxml", "<score-partwise/>", "no notes"),
        ("a.mxl", "PK", "not MusicXML"),
        ("a.mid", "nonsense", "not a MIDI file"),
        ("a.txt", "", "not a score"),
    ],
)
def test_unusable_scores_say_what_would_do(tmp_path: Path, name: str, text: str, told: str) -> None:
    path = tmp_path / name
    path.write_text(text)
    with pytest.raises(InputError, match=told) as error:
        scores.read_score(path)
    assert "\n" not in str(error.value) and name in str(error.value)


def test_a_lane_that_the_file_lacks_is_named(sheet: Path, tmp_path: Path) -> None:
    silent = tmp_path / "b.musicxml"
    silent.write_text(LEAD_SHEET.replace("<unpitched/>", "<rest/>"))
    assert scores.read_score(sheet, "drums").drums
    with pytest.raises(InputError, match="no drum hits"):
        scores.read_score(silent, "drums")
