"""Spans know what was changed inside them, and follow it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from editor.page import events
from editor.project import commands, versions
from editor.project.document import Clip, Project, Region, Sound, Take

CLIP = Clip("a.wav", 8.0, 44100, 2, "song.wav")
# at 120 bpm the span is the beats [4, 8)
PROJECT = commands.add_span(replace(Project(clip=CLIP), follow=("chords",)), 2, 4, "s1")


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
    drawn = events.apply(PROJECT, "paste", {lane: [{"id": "x1", **inside}]})
    assert changed(drawn) == (lane,)
    assert set(drawn.span_follow) == {"chords", lane}
    assert drawn.follow == ("chords",)  # elsewhere nothing is ticked
    there = events.apply(PROJECT, "paste", {lane: [{"id": "x1", **outside}]})
    assert (changed(there), there.spans[0].follow) == ((), None)
    assert changed(events.apply(drawn, "paste", {"remove": ["x1"]})) == (lane,)


def test_a_chord_that_was_cut_changed_only_where_it_no_longer_is() -> None:
    long = commands.put_chord(PROJECT, 0, 16, "C", "c1")
    clear = replace(long, spans=(replace(long.spans[0], changed=()),))
    assert changed(commands.put_chord(clear, 8, 16, "F")) == ()
    assert changed(commands.put_chord(clear, 6, 16, "F")) == ("chords",)
    assert changed(commands.put_chord(clear, 0, 16, "C", "c1")) == ()  # nothing was changed


def test_a_lane_that_was_ignored_is_followed_once_someone_draws_on_it() -> None:
    ignored = commands.ignore_lane(commands.set_follow(PROJECT, ["chords", "drums"]), "s1", "drums", True)
    assert (ignored.span_follow, ignored.followed) == (("chords", "drums"), ("chords",))
    drawn = events.apply(ignored, "draw_hits", {"drums": [{"time": 5, "drum": "snare"}]})
    assert drawn.followed == ("chords", "drums")
    assert commands.ignore_lane(ignored, "s1", "drums", False).followed == ("chords", "drums")


def test_what_was_kept_is_no_longer_changed() -> None:
    drawn = events.apply(PROJECT, "draw_notes", {"melody": [{"start": 5, "end": 6, "pitch": 60}]})
    sound = Sound("a.wav")
    take = Take(
        "t1", "inpaint", "fm", 7, "", "b.wav", 8.0, Region(2, 4), sound, rate=44100, channels=2, first=9
    )
    assert changed(versions.keep(replace(drawn, takes=(take,)), "t1")) == ()
    elsewhere = replace(take, region=Region(5, 6))
    assert changed(versions.keep(replace(drawn, takes=(elsewhere,)), "t1")) == ("melody",)
