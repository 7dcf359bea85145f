"""Lanes: cutting, palette, conversion to controls, MIDI in and out."""

from __future__ import annotations

from pathlib import Path

import pretty_midi
import pytest

from editor.project import lanes
from editor.project.document import ChordCell, LaneHit, LaneNote, Lanes
from engines.audio.timebase import Grid
from engines.errors import InputError
from engines.requests import Chord, Hit, Note

C = ChordCell("c1", 0, 4, "C")
G = ChordCell("c2", 4, 8, "G")


def spans(cells: tuple[ChordCell, ...]) -> list[tuple[float, float, str]]:
    return [(cell.start, cell.end, cell.symbol) for cell in cells]


def test_a_new_cell_cuts_its_neighbours() -> None:
    lane = lanes.place((C, G), ChordCell("c3", 3, 6, "Am"))
    assert spans(lane) == [(0, 3, "C"), (3, 6, "Am"), (6, 8, "G")]
    assert [cell.id for cell in lane] == ["c1", "c3", "c2"]


def test_a_cell_inside_another_splits_it_and_ids_stay_unique() -> None:
    lane = lanes.place((C, G), ChordCell("c3", 1, 2, "F"))
    assert spans(lane) == [(0, 1, "C"), (1, 2, "F"), (2, 4, "C"), (4, 8, "G")]
    assert lane[0].id == "c1"
    assert len({cell.id for cell in lane}) == 4


def test_a_covered_cell_vanishes_and_a_scrap_too() -> None:
    lane = lanes.place((C, G), ChordCell("c3", 0.01, 9, "F"))
    assert spans(lane) == [(0.01, 9, "F")]


def test_a_cell_moved_over_itself_is_not_cut_by_itself() -> None:
    lane = lanes.place((C, G), ChordCell("c1", 1, 5, "C"))
    assert spans(lane) == [(1, 5, "C"), (5, 8, "G")]


def test_place_all_sorts_and_lets_the_later_win() -> None:
    assert spans(lanes.place_all([G, C])) == [(0, 4, "C"), (4, 8, "G")]
    assert spans(lanes.place_all([C, ChordCell("x", 2, 6, "D")])) == [(0, 2, "C"), (2, 6, "D")]


def test_palette_of_a_major_and_a_minor_key() -> None:
    assert [c.symbol for c in lanes.palette("C")] == ["C", "Dm", "Em", "F", "G", "Am", "Bdim"]
    assert [c.symbol for c in lanes.palette("Bb")][:3] == ["Bb", "Cm", "Dm"]
    assert [(c.symbol, c.roman) for c in lanes.palette("F#m")][:2] == [("F#m", "i"), ("Abdim", "ii°")]
    with pytest.raises(InputError, match="key 'H'"):
        lanes.palette("H")


def test_controls_are_in_seconds_of_the_clip() -> None:
    grid = Grid(bpm=60, offset=0.5)
    drawn = Lanes(
        (ChordCell("c1", -2, 2, "C"), ChordCell("c2", 2, 4, "Am")),
        (LaneNote("n1", 1, 2, 30), LaneNote("n2", 2, 3, 100)),
        (LaneHit("h1", 3, "snare"), LaneHit("h2", -1, "kick"), LaneHit("h3", 0, "kick")),
    )
    controls = lanes.to_controls(drawn, grid, ("chords", "melody", "drums"))
    assert controls.chords == (Chord(0, 2.5, "C"), Chord(2.5, 4.5, "Am"))  # cut at 0 s
    assert controls.melody == (Note(1.5, 2.5, 54), Note(2.5, 3.5, 88))  # octaves into 43..95
    assert controls.drums == (Hit(0.5, "kick"), Hit(3.5, "snare"))


def test_lanes_not_followed_or_empty_are_not_given() -> None:
    drawn = Lanes((C,))
    assert lanes.to_controls(drawn, Grid(), ("melody", "drums")).chords is None
    assert lanes.to_controls(drawn, Grid(), ("chords", "melody")).melody is None


def test_midi_round_trip(tmp_path: Path) -> None:
    grid = Grid(bpm=90)
    melody = (LaneNote("n1", 0, 1, 60), LaneNote("n2", 1, 2.5, 67))
    drums = tuple(
        LaneHit(f"h{i}", i, drum) for i, drum in enumerate(("kick", "snare", "hat", "tom", "cymbal"), 1)
    )
    path = tmp_path / "lanes.mid"
    lanes.write_midi(path, Lanes((), melody, drums), grid)
    notes = lanes.notes_to_lane(lanes.melody_from_midi(path), grid)
    hits = lanes.hits_to_lane(lanes.drums_from_midi(path), grid)
    assert [(n.pitch, round(n.start, 2), round(n.end, 2)) for n in notes] == [(60, 0, 1), (67, 1, 2.5)]
    assert [(h.drum, round(h.time, 2)) for h in hits] == [(h.drum, h.time) for h in drums]


def midi_file(path: Path, *tracks: tuple[str, bool, list[tuple[int, float, float]]]) -> Path:
    midi = pretty_midi.PrettyMIDI()
    for name, is_drum, notes in tracks:
        track = pretty_midi.Instrument(0, is_drum, name)
        track.notes = [pretty_midi.Note(90, pitch, start, end) for pitch, start, end in notes]
        midi.instruments.append(track)
    midi.write(str(path))
    return path


def test_the_melody_is_the_named_track_and_its_top_line(tmp_path: Path) -> None:
    path = midi_file(
        tmp_path / "song.mid",
        ("Strings", False, [(90, 0, 4)]),
        ("Lead vocal", False, [(60, 0, 2), (64, 1, 3), (55, 2.5, 4)]),
    )
    line = [(n.pitch, round(n.start, 2), round(n.end, 2)) for n in lanes.melody_from_midi(path)]
    assert line == [(60, 0, 1), (64, 1, 3), (55, 3, 4)]


def test_repeated_notes_of_a_melody_stay_apart(tmp_path: Path) -> None:
    path = midi_file(tmp_path / "song.mid", ("Melody", False, [(60, 0, 1), (60, 1, 2)]))
    assert [(n.pitch, n.start, n.end) for n in lanes.melody_from_midi(path)] == [(60, 0, 1), (60, 1, 2)]


def test_drums_saved_off_channel_ten(tmp_path: Path) -> None:
    path = midi_file(tmp_path / "loop.mid", ("Loop", False, [(36, 0, 0.1), (40, 0.5, 0.6), (75, 0.7, 0.8)]))
    assert lanes.drums_from_midi(path) == (Hit(0.0, "kick"), Hit(0.5, "snare"))  # claves are no drum of ours


@pytest.mark.parametrize("read", [lanes.melody_from_midi, lanes.drums_from_midi])
def test_unusable_midi_says_what_would_do(read, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    with pytest.raises(InputError, match="no such MIDI file"):
        read(tmp_path / "missing.mid")
    for content in (b"", b"not midi at all", b"MThd\x00\x00\x00\x06\x00\x01\x00\x02\x01\xe0MTrk\x00\x00"):
        bad = tmp_path / "bad.mid"
        bad.write_bytes(content)
        with pytest.raises(InputError, match="bad.mid"):
            read(bad)


def test_midi_without_the_lane_asked_for(tmp_path: Path) -> None:
    drums = midi_file(tmp_path / "drums.mid", ("Kit", True, [(36, 0, 0.1)]))
    with pytest.raises(InputError, match="no melody notes"):
        lanes.melody_from_midi(drums)
    strings = midi_file(tmp_path / "two.mid", ("A", False, [(60, 0, 1)]), ("B", False, [(36, 0, 1)]))
    with pytest.raises(InputError, match="no drum hits"):
        lanes.drums_from_midi(strings)
