"""The band lane: parts cut parts of their own instrument only; programs and lines of names become parts."""

from __future__ import annotations

from pathlib import Path

import pytest

from editor.page import contract
from editor.project import band, drawing, lanes, spans, wording
from editor.project.disk import scores
from editor.project.document import Clip, LaneNote, LanePart, Lanes, Project, Region, Span
from editor.runs import asking
from engines.audio.timebase import Grid
from engines.errors import InputError
from engines.music.instruments import ROWS
from engines.requests import Part

FLUTE = LanePart("p1", 0, 8, "flute")


def shape(lane: tuple[LanePart, ...]) -> list[tuple[str, float, float, bool]]:
    return [(part.instrument, part.start, part.end, part.plays) for part in lane]


def test_a_part_cuts_what_it_covers_of_its_own_instrument() -> None:
    lane = band.place((FLUTE, LanePart("p2", 0, 8, "piano")), (LanePart("p3", 2, 4, "flute", plays=False),))
    assert shape(lane) == [
        ("piano", 0, 8, True), ("flute", 0, 2, True), ("flute", 2, 4, False), ("flute", 4, 8, True),
    ]  # fmt: skip
    assert len({part.id for part in lane}) == 4
    assert shape(band.place(lane, (), ["p2", "p3"])) == [("flute", 0, 2, True), ("flute", 4, 8, True)]
    moved = band.place((FLUTE,), (LanePart("p1", 4, 12, "piano"),))  # a known id moves, to another row too
    assert shape(moved) == [("piano", 4, 12, True)]


def test_edits_of_the_band_lane_come_from_the_page() -> None:
    sent = {
        "band": [
            {"id": "a", "start": 0, "end": 4, "name": "Sax"},
            {"start": 4, "end": 8, "name": "drums", "plays": False},
        ]
    }
    project = contract.apply(Project(), "draw_band", sent)
    assert shape(project.lanes.band) == [("saxophone", 0, 4, True), ("drums", 4, 8, False)]
    again = contract.apply(project, "erase_band", {"remove": ["a"]})
    assert shape(again.lanes.band) == [("drums", 4, 8, False)]
    assert contract.apply(project, "draw_notes", {"melody": []}).lanes.band == project.lanes.band
    for wrong, words in (
        ({"start": 0, "end": 4, "name": "kazoo"}, "no such instrument here"),
        ({"start": 4, "end": 4, "name": "flute"}, "the end must follow the start"),
        ({"start": 0, "end": 4, "name": "flute", "by": "me"}, "expected one of drawn"),
        ({"start": 0, "end": 4, "name": "flute", "sure": 7}, "expected 0-1"),
        ({"start": 0, "end": 4, "name": "flute", "plays": "yes"}, "plays must be true or false"),
    ):
        with pytest.raises(InputError, match=words):
            contract.apply(project, "paste", {"band": [wrong]})
    many = {"band": [{"start": i, "end": i + 1, "name": "flute"} for i in range(lanes.MAX_OBJECTS)]}
    with pytest.raises(InputError, match="at most 2000"):
        contract.apply(project, "paste", many)


def test_only_what_someone_asked_for_is_given_to_the_models() -> None:
    lane = Lanes(band=(FLUTE, LanePart("p2", 0, 8, "piano", sure=0.9, by="heard")))
    given = lanes.to_controls(lane, Grid(120), ["band"])
    assert given.instruments == (Part(0, 4, "flute"),)
    assert lanes.to_controls(lane, Grid(120), ["chords"]).instruments is None
    assert shape(lanes.shifted(lane, 4).band) == [("flute", 4, 12, True), ("piano", 4, 12, True)]


def test_a_line_of_names_says_who_plays_when() -> None:
    told = band.parse_line("piano drums@0 sax@4.5 no-bass only-flute@6", 10)
    assert [(part.instrument, part.start, part.end, part.plays) for part in told] == [
        ("piano", 0, 6, True), ("basses", 0, 10, False), ("drums", 0, 6, True), ("saxophone", 4.5, 6, True),
        ("flute", 6, 10, True), ("everything else", 6, 10, False),
    ]  # fmt: skip
    assert band.parse_line("electric-piano@1-3", 10) == (Part(1, 3, "electric piano"),)
    assert band.parse_line("honky-tonk_piano no-honky-tonk-piano@4", 10) == (
        Part(0, 4, "honky-tonk piano"),
        Part(4, 10, "honky-tonk piano", plays=False),
    )


@pytest.mark.parametrize(
    ("line", "words"),
    [
        ("vioin", "nearest: violin"),
        ("piano@12", "within 0-10"),
        ("piano@3-2", "within 0-10"),
        ("sax@soon", "as in sax@4.5"),
        ("others", "can only be left out"),
        ("", "empty"),
    ],
)
def test_a_line_that_says_something_else_is_refused(line: str, words: str) -> None:
    with pytest.raises(InputError, match=words):
        band.parse_line(line, 10)


def test_programs_become_parts_that_rests_do_not_end() -> None:
    assert band.of_notes([(0, 1), (2, 3), (9, 10)], 73) == (Part(0, 3, "flute"), Part(9, 10, "flute"))
    assert band.of_notes([(0, 1)], None) == (Part(0, 1, "drums"),)
    assert band.of_notes([(0, 1)], 127) == ()  # a gunshot is no player
    both = band.joined((Part(0, 4, "piano"), Part(3, 6, "piano"), Part(1, 2, "flute")))
    assert both == (Part(0, 6, "piano"), Part(1, 2, "flute"))


def test_a_midi_file_says_who_plays(tmp_path: object) -> None:
    import pretty_midi

    midi = pretty_midi.PrettyMIDI(initial_tempo=120)
    for program, drum in ((73, False), (0, True)):
        track = pretty_midi.Instrument(program=program, is_drum=drum)
        track.notes += [pretty_midi.Note(90, 72 if not drum else 36, t, t + 0.4) for t in range(4)]
        midi.instruments.append(track)
    path = f"{tmp_path}/two.mid"
    midi.write(path)
    heard = scores.read_score(path).band
    assert [(part.instrument, part.start, round(part.end, 2)) for part in heard] == [
        ("flute", 0, 3.4), ("drums", 0, 3.4),
    ]  # fmt: skip
    assert scores.read_score(path, "melody").band == ()
    project = drawing.set_lanes(Project(), Lanes(band=band.to_lane(heard, Grid(120), "midi")))
    assert [(part.instrument, part.by) for part in project.lanes.band] == [
        ("flute", "midi"),
        ("drums", "midi"),
    ]


def test_the_band_lane_comes_back_from_its_midi_file(tmp_path: Path) -> None:
    lane = (
        LanePart("p1", 0, 4, "flute"),
        LanePart("p2", 1, 6, "basses"),  # a family, which no program stands for
        LanePart("p3", 2, 3, "drums"),
        LanePart("p4", 5, 8, "flute"),  # after a rest of one beat
        LanePart("p5", 0, 8, "piano", plays=False),
    )
    melody = (LaneNote("n1", 0, 2, 72),)
    path = tmp_path / "all.mid"
    lanes.write_midi(path, Lanes(melody=melody, band=lane), Grid(100))
    score = scores.read_score(path)
    back = band.to_lane(score.band, Grid(100), "midi")
    assert [(p.instrument, round(p.start, 2), round(p.end, 2)) for p in back] == [
        ("flute", 0, 4), ("basses", 1, 6), ("drums", 2, 3), ("flute", 5, 8),
    ]  # fmt: skip
    # Tracks that only name a player are no melody, no chords and no hits.
    assert [note.pitch for note in score.melody] == [72]
    assert (score.chords, score.drums) == ((), ())
    alone = tmp_path / "band.mid"
    lanes.write_midi(alone, Lanes(band=lane), Grid(100))
    assert len(scores.read_score(alone).band) == 4
    with pytest.raises(InputError, match="no melody notes"):
        lanes.melody_from_midi(alone)


def test_only_what_the_musician_put_into_a_span_is_asked_of_it(tmp_path: Path) -> None:
    clip = Clip("a.wav", 8.0, 44100, 2, "song.wav")
    there = drawing.set_lanes(
        Project(clip=clip, follow=("band",)), Lanes(band=(LanePart("p1", 0, 16, "piano", by="midi"),))
    )
    selected = spans.add_span(there, 2, 4, "s1")  # beats 4 to 8
    drawn = contract.apply(
        selected, "draw_band", {"band": [{"id": "b1", "start": 4, "end": 8, "name": "flute"}]}
    )
    assert wording.intention(drawn, drawn.spans[0]).changed == ("instruments",)
    asked = asking.span_controls(drawn, drawn.span, Region(2, 4), ("band",))
    assert asked.instruments == (Part(2, 4, "flute"),)  # the piano goes on; nobody asked for it
    words = spans.set_span_prompt(drawn, "s1", "flute, no piano")
    said = asking.span_controls(words, words.span, Region(2, 4), ("band",), named=True)
    assert Part(2, 4, "piano", plays=False) in (said.instruments or ())  # words say more than a file
    new = asking.span_controls(there, None, Region(0, 8), ("band",), anew=True)
    assert new.instruments == (Part(0, 8, "piano"),)  # a new clip is made of it


def test_a_file_that_is_opened_over_a_span_is_asked_for_inside_it() -> None:
    two = (Span("s1", 2, 4), Span("s2", 5, 6))
    lane = band.put_in([LanePart("p1", 2, 12, "piano", by="midi")], two, Grid(120))
    assert [(p.start, p.end, p.by, p.asked) for p in lane] == [
        (2, 4, "midi", False), (4, 8, "imported", True), (8, 10, "midi", False), (10, 12, "imported", True),
    ]  # fmt: skip
    placed = drawing.set_lanes(Project(), Lanes(band=lane)).lanes.band
    assert len({part.id for part in placed}) == 4


def test_the_page_has_a_name_for_every_row() -> None:
    assert [one["name"] for one in band.names()] == list(ROWS)
    assert max(len(one["short"]) for one in band.names()) <= 13
