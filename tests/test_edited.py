"""Spans know what was changed inside them, and follow it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from editor.page import contract
from editor.project import commands, drawing, spans, versions
from editor.project.document import ChordCell, Clip, Lanes, Project, Region, Sound, Take

CLIP = Clip("a.wav", 8.0, 44100, 2, "song.wav")
# at 120 bpm the span is the beats [4, 8)
PROJECT = spans.add_span(replace(Project(clip=CLIP), follow=("chords",)), 2, 4, "s1")


def chord(project: Project, start: float, end: float, symbol: str, id: str = "") -> Project:
    return drawing.edit_lanes(project, Lanes(chords=(ChordCell(id, start, end, symbol),)))


def changed(project: Project) -> tuple[str, ...]:
    return project.spans[0].changed


@pytest.mark.parametrize(
    ("lane", "inside", "outside"),
    [
        ("chords", {"start": 4, "end": 8, "symbol": "F"}, {"start": 0, "end": 4, "symbol": "F"}),
        ("melody", {"start": 7, "end": 9, "pitch": 60}, {"start": 8, "end": 9, "pitch": 60}),
        ("drums", {"time": 4, "drum": "kick"}, {"time": 8, "drum": "kick"}),
        ("band", {"start": 0, "end": 16, "name": "flute"}, {"start": 0, "end": 4, "name": "flute"}),
    ],
)
def test_an_edit_inside_a_span_marks_it_and_ticks_the_lane(
    lane: str, inside: dict[str, object], outside: dict[str, object]
) -> None:
    drawn = contract.apply(PROJECT, "paste", {lane: [{"id": "x1", **inside}]})
    assert changed(drawn) == (lane,)
    assert set(drawn.span_follow) == {"chords", lane}
    assert drawn.follow == ("chords",)  # elsewhere nothing is ticked
    there = contract.apply(PROJECT, "paste", {lane: [{"id": "x1", **outside}]})
    assert (changed(there), there.spans[0].follow) == ((), None)
    assert changed(contract.apply(drawn, "paste", {"remove": ["x1"]})) == (lane,)


def test_a_chord_that_was_cut_changed_only_where_it_no_longer_is() -> None:
    long = chord(PROJECT, 0, 16, "C", "c1")
    clear = replace(long, spans=(replace(long.spans[0], changed=()),))
    assert changed(chord(clear, 8, 16, "F")) == ()
    assert changed(chord(clear, 6, 16, "F")) == ("chords",)
    assert changed(chord(clear, 0, 16, "C", "c1")) == ()  # nothing was changed


def test_a_lane_that_was_ignored_is_followed_once_someone_draws_on_it() -> None:
    ignored = spans.ignore_lane(commands.set_follow(PROJECT, ["chords", "drums"]), "s1", "drums", True)
    assert (ignored.span_follow, ignored.followed) == (("chords", "drums"), ("chords",))
    drawn = contract.apply(ignored, "draw_hits", {"drums": [{"time": 5, "drum": "snare"}]})
    assert drawn.followed == ("chords", "drums")
    assert spans.ignore_lane(ignored, "s1", "drums", False).followed == ("chords", "drums")


def test_what_was_kept_is_no_longer_changed() -> None:
    drawn = contract.apply(PROJECT, "draw_notes", {"melody": [{"start": 5, "end": 6, "pitch": 60}]})
    sound = Sound("a.wav")
    take = Take(
        "t1", "inpaint", "fm", 7, "", "b.wav", 8.0, Region(2, 4), sound, rate=44100, channels=2, first=9
    )
    assert changed(versions.keep(replace(drawn, takes=(take,)), "t1")) == ()
    elsewhere = replace(take, region=Region(5, 6))
    assert changed(versions.keep(replace(drawn, takes=(elsewhere,)), "t1")) == ("melody",)
