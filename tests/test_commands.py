"""Edits: what each changes and refuses; payloads from outside."""

from __future__ import annotations

from dataclasses import replace

import pytest

from editor.page import contract
from editor.project import commands, drawing, spans, versions
from editor.project.document import (
    ChordCell,
    Clip,
    LaneHit,
    LaneNote,
    Lanes,
    Patch,
    Project,
    Region,
    Section,
    Settings,
    Sound,
    Span,
    Take,
)
from engines.errors import InputError

CLIP = Clip("a.wav", 8.0, 44100, 2, "song.wav")
TAKE = Take(
    "t1", "inpaint", "fm", 7, "", "b.wav", 8.0, Region(3, 6), Sound("a.wav"),
    {"fm": {"steps": 9}}, rate=44100, channels=2, first=132_300,
)  # fmt: skip
SPAN = (Span("s1", 3, 6),)


def chord(project: Project, start: float, end: float, symbol: str, id: str = "") -> Project:
    return drawing.edit_lanes(project, Lanes(chords=(ChordCell(id, start, end, symbol),)))


CHORDS = chord(chord(Project(), 0, 4, "C"), 4, 8, "Am")


def symbols(project: Project) -> list[tuple[float, float, str]]:
    return [(cell.start, cell.end, cell.symbol) for cell in project.lanes.chords]


def test_an_edit_leaves_its_argument_alone() -> None:
    before = Project()
    after = commands.set_prompt(before, "warm piano")
    assert (before.prompt, after.prompt) == ("", "warm piano")


def test_prompt_control_characters_become_spaces_and_long_ones_are_refused() -> None:
    assert commands.set_prompt(Project(), "a\x00b\n\tc\x1b[31m \ud800 é").prompt == "a b c [31m é"
    assert len(commands.set_prompt(Project(), "x" * 1000).prompt) == 1000
    with pytest.raises(InputError, match="10000 characters: at most 1000"):
        commands.set_prompt(Project(), "x" * 10_000)


def test_borders_of_a_span() -> None:
    project = Project(clip=CLIP)
    assert spans.add_span(project, 3, 6).region == Region(3, 6)
    assert spans.add_span(project, -0.01, 8.01).region == Region(0, 8)  # a drag that overshoots
    with pytest.raises(InputError, match=r"span 6-3 s: the end must follow the start; swap them"):
        spans.add_span(project, 6, 3)
    for start, end in ((-1, 3), (7, 9), (9, 10), (8, 8)):
        with pytest.raises(InputError, match="outside the clip"):
            spans.add_span(project, start, end)
    with pytest.raises(InputError, match="empty"):
        spans.add_span(project, 4, 4)
    with pytest.raises(InputError, match="0-10 s"):  # no clip yet: the length to be generated
        spans.add_span(Project(), 3, 11)
    assert spans.clear_region(spans.add_span(project, 1, 2)).region is None


def test_several_spans_of_which_one_is_active() -> None:
    project = spans.add_span(Project(clip=CLIP, prompt="piano"), 4, 5)
    project = spans.add_span(project, 1, 2)
    assert [(span.id, span.start) for span in project.spans] == [("s2", 1), ("s1", 4)]  # in order of time
    assert project.region == Region(1, 2)
    project = spans.set_span(project, "s1", 6, 7)  # what is touched becomes active
    assert project.region == Region(6, 7)
    assert spans.delete_span(project, "s1").region == Region(1, 2)
    assert spans.delete_span(project, "s2").region == Region(6, 7)
    cleared = spans.clear_region(project)
    assert (cleared.region, len(cleared.spans)) == (None, 1)
    with pytest.raises(InputError, match="no longer there"):
        spans.activate_span(project, "s9")
    with pytest.raises(InputError, match="at most 16"):
        for _ in range(17):
            project = spans.add_span(project, 1, 2)


def test_a_span_has_words_and_lanes_of_its_own_or_the_projects() -> None:
    project = spans.add_span(Project(clip=CLIP, prompt="piano", follow=("chords",)), 1, 2)
    assert (project.span_prompt, project.span_follow) == ("piano", ("chords",))
    own = spans.set_span_own(project, "s1", True)
    own = commands.set_prompt(commands.set_follow(own, ("drums",)), "guitar")
    assert (own.span_prompt, own.span_follow) == ("piano", ("chords",))
    own = spans.set_span_prompt(spans.set_span_follow(own, "s1", ("melody",)), "s1", "brass")
    assert (own.span_prompt, own.span_follow, own.prompt) == ("brass", ("melody",), "guitar")
    shared = spans.set_span_own(own, "s1", False)
    assert (shared.span_prompt, shared.span_follow) == ("guitar", ("drums",))
    with pytest.raises(InputError, match="at most 1000"):
        spans.set_span_prompt(own, "s1", "x" * 1001)


def test_key() -> None:
    assert commands.set_key(Project(), "Bb minor").key == "Bb minor"
    for key in ("", "C", "H major", "C dorian", "major"):
        with pytest.raises(InputError, match="key"):
            commands.set_key(Project(), key)


def test_one_gesture_moves_many_lane_objects() -> None:
    notes = (LaneNote("n1", 0, 1, 60), LaneNote("n2", 1, 2, 62), LaneNote("n3", 2, 4, 64))
    project = drawing.set_lanes(CHORDS, Lanes(melody=tuple(notes), drums=(LaneHit("h1", 0, "kick"),)))
    moved = (LaneNote("n1", 1, 2, 60), LaneNote("n2", 2, 3, 62))
    after = drawing.edit_lanes(project, Lanes(melody=moved))
    assert [(n.id, n.start, n.end) for n in after.lanes.melody] == [("n1", 1, 2), ("n2", 2, 3), ("n3", 3, 4)]
    assert (after.lanes.chords, after.lanes.drums) == (project.lanes.chords, project.lanes.drums)
    after = drawing.edit_lanes(project, Lanes(drums=(LaneHit("h2", 0, "kick"),)), ["n2", "h1", "c1"])
    assert [note.id for note in after.lanes.melody] == ["n1", "n3"]
    assert [hit.id for hit in after.lanes.drums] == ["h2"]
    assert symbols(after) == [(4, 8, "Am")]
    with pytest.raises(InputError, match="MIDI pitch"):
        drawing.edit_lanes(project, Lanes(melody=(LaneNote("n9", 0, 1, 128),)))


def test_chords_are_stored_in_the_models_spelling() -> None:
    assert symbols(chord(Project(), 0, 4, "Db")) == [(0, 4, "C#")]
    with pytest.raises(InputError, match="H7"):
        chord(Project(), 0, 4, "H7")
    with pytest.raises(InputError, match="the end must follow"):
        chord(Project(), 4, 4, "C")


def test_moving_renaming_deleting_a_chord() -> None:
    first = CHORDS.lanes.chords[0].id
    assert symbols(chord(CHORDS, 2, 6, "C", first)) == [(2, 6, "C"), (6, 8, "Am")]
    assert symbols(drawing.name_chord(CHORDS, first, "F")) == [(0, 4, "F"), (4, 8, "Am")]
    assert symbols(drawing.edit_lanes(CHORDS, Lanes(), [first])) == [(4, 8, "Am")]
    with pytest.raises(InputError, match="no longer on the lane"):
        drawing.name_chord(CHORDS, "gone", "F")


def test_whole_lanes() -> None:
    project = drawing.set_lanes(
        CHORDS,
        Lanes(
            melody=(LaneNote("", 0, 1, 60), LaneNote("", 0.5, 2, 62)),
            drums=(LaneHit("h", 2, "snare"), LaneHit("h", 1, "kick")),
        ),
    )
    assert project.lanes.chords == CHORDS.lanes.chords
    assert [(n.start, n.end, n.pitch) for n in project.lanes.melody] == [(0, 0.5, 60), (0.5, 2, 62)]
    assert [hit.drum for hit in project.lanes.drums] == ["kick", "snare"]
    assert len({hit.id for hit in project.lanes.drums}) == 2
    with pytest.raises(InputError, match="drum 'gong'"):
        drawing.set_lanes(CHORDS, Lanes(drums=(LaneHit("h", 1, "gong"),)))
    with pytest.raises(InputError, match="note 200"):
        drawing.set_lanes(CHORDS, Lanes(melody=(LaneNote("n", 0, 1, 200),)))
    assert drawing.set_lanes(CHORDS, Lanes((ChordCell("c", 0, 1, "Gb"),))).lanes.chords[0].symbol == "F#"


def test_engines_and_lanes_to_follow_keep_their_order() -> None:
    project = commands.set_engines(Project(), ("fm-zero-shot", "ar"))
    assert project.engines == ("ar", "fm-zero-shot")
    assert commands.set_follow(project, ("drums", "chords")).follow == ("chords", "drums")


def test_numbers_out_of_range() -> None:
    for edit in (
        lambda: commands.set_length(Project(), 0),
        lambda: commands.set_length(Project(), 121),
        lambda: commands.set_seed(Project(), -1),
        lambda: commands.set_seed(Project(), 2**32),
        lambda: commands.set_grid(Project(), 0, 4),
        lambda: commands.set_grid(Project(), 120, 0),
        lambda: commands.set_name(Project(), "x" * 101),
    ):
        with pytest.raises(InputError, match="expected|at most"):
            edit()


def test_takes_are_added_once_and_kept_on_the_timeline() -> None:
    project = versions.add_take(replace(Project(clip=CLIP, spans=SPAN, active="s1")), TAKE)
    assert versions.add_take(project, TAKE) is project
    kept = versions.keep(project, "t1")
    assert kept.clip == replace(CLIP, patches=(Patch("b.wav", 132_300),))  # the song keeps its name
    assert (kept.kept, kept.region) == ("t1", Region(3, 6))
    with pytest.raises(InputError, match="no such take"):
        versions.keep(project, "t2")


def test_a_shorter_clip_drops_a_region_that_no_longer_fits() -> None:
    project = Project(clip=CLIP, spans=SPAN, active="s1", kept="t1")
    after = versions.set_clip(project, replace(CLIP, seconds=5.0))
    assert (after.region, after.kept) == (None, None)
    assert versions.set_clip(project, replace(CLIP, seconds=6.0)).region == Region(3, 6)


def test_every_command_is_reached_by_name() -> None:
    gone = replace(TAKE, id="t2", deleted=True)
    before = versions.set_clip(CHORDS, replace(CLIP, file="before.wav"))
    project = replace(
        versions.set_clip(before, CLIP),
        spans=(*SPAN, Span("s2", 6, 7)),
        active="s2",
        takes=(TAKE, gone),
        sections=(Section("b1", "Verse", 0, 2),),
        settings=Settings(ar_from="gone"),
    )
    payloads: dict[str, dict[str, object]] = {
        "set_name": {"name": "Song"},
        "set_prompt": {"prompt": "jazz"},
        "set_length": {"seconds": 5},
        "set_seed": {"seed": 3.0},
        "set_grid": {"bpm": 90},
        "set_key": {"key": "F# minor"},
        "add_span": {"start": 1, "end": 2, "id": "s3"},
        "set_span": {"id": "s1", "start": 1, "end": 2},
        "activate_span": {"id": "s1"},
        "delete_span": {"id": "s1"},
        "set_span_own": {"id": "s1", "own": True},
        "set_span_prompt": {"id": "s1", "prompt": "brass"},
        "set_span_follow": {"id": "s1", "lanes": ["melody"]},
        **{name: {"drums": [{"time": 1, "drum": "kick"}]} for name in contract.LANE_EDITS},
        "set_intent": {"span": "s1", "intent": "change"},
        "ignore_lane": {"span": "s1", "lane": "drums", "ignore": True},
        "word_tag": {"span": "s1", "name": "flute", "meant": False},
        "sort_takes": {"by": "smoothest"},
        "set_engines": {"engines": ["fm"]},
        "set_follow": {"lanes": []},
        "clear_region": {},
        "name_chord": {"id": "c1", "symbol": "D"},
        "keep": {"id": "t1"},
        "show_version": {"id": "v1"},
        "rename_take": {"id": "t1", "name": "The one"},
        "star_take": {"id": "t1"},
        "delete_take": {"id": "t1"},
        "restore_take": {"id": "t2"},
        "use_take": {"id": "t1"},
        "set_variations": {"count": 2},
        "set_settings": {"steps": 9},
        "set_preset": {"name": "Small variation"},
        "set_models": {"ar_from": ""},  # of a checkpoint that is gone, back to the server's own
        "add_section": {"name": "Chorus", "start": 1, "end": 2},
        "set_sections": {"sections": [{"name": "Bridge", "start": 1, "end": 3}]},
        "name_section": {"id": "b1", "name": "Intro"},
        "set_section": {"id": "b1", "start": 0, "end": 1},
        "split_section": {"id": "b1", "bar": 1, "new": "b2"},
        "remove_section": {"id": "b1"},
    }
    assert set(payloads) == set(contract.COMMANDS)
    for name, payload in payloads.items():
        changed = contract.apply(project, name, payload)
        assert changed != project
        assert contract.command(name).label
    assert contract.apply(project, "set_seed", {"seed": 3.0}).seed == 3
    assert contract.apply(project, "set_grid", {"bpm": 90}).grid.beats_per_bar == 4


HOSTILE: tuple[object, ...] = (
    None,
    True,
    "",
    "../../etc/passwd",
    "x" * 200_000,
    "\x00",
    -1,
    10**400,
    float("nan"),
    float("inf"),
    1e308,
    [],
    [None],
    [[]],
    {},
    {"start": None},
    [{"start": "a"}],
    [{}] * 3000,
    b"bytes",
    ["ar", 3],
    object(),
)
FIELDS = (
    "name",
    "prompt",
    "seconds",
    "seed",
    "bpm",
    "beats_per_bar",
    "offset",
    "engines",
    "engine",
    "lanes",
    "start",
    "end",
    "symbol",
    "id",
    "chords",
    "melody",
    "drums",
    "remove",
    "key",
    "own",
)


@pytest.mark.parametrize("name", sorted(contract.COMMANDS))
def test_hostile_payloads_give_one_line_errors_or_a_valid_project(name: str) -> None:
    project = versions.add_take(replace(CHORDS, clip=CLIP, spans=SPAN, active="s1"), TAKE)
    payloads = [*HOSTILE, *({field: value for field in FIELDS} for value in HOSTILE)]
    good: dict[str, object] = {
        "start": 1,
        "end": 2,
        "symbol": "C",
        "id": "c1" if "span" not in name else "s1",
    }
    payloads += [{**good, field: value} for field in FIELDS for value in HOSTILE]
    refused = 0
    for payload in payloads:
        try:
            after = contract.apply(project, name, payload)
        except InputError as error:
            refused += 1
            assert "\n" not in str(error)
            assert len(str(error)) < 300
        else:
            assert after.takes == project.takes
            assert "\x00" not in after.prompt + after.name
    assert refused


def test_unknown_commands() -> None:
    for name in ("", "set_clip", "add_take", "__class__", "x" * 1000):
        with pytest.raises(InputError, match="no such command"):
            contract.apply(Project(), name, {})


def test_keeping_an_intro_moves_the_lanes_with_the_music_and_the_tree_leads_back() -> None:
    project = versions.set_clip(chord(Project(), 0, 4, "C"), CLIP)  # 120 bpm: a bar is 2 s
    project = spans.add_span(project, 3, 6, "s1")
    intro = Take(
        "t2", "intro", "fm", 7, "", "c.wav", 12.5, Region(0, 4.5), Sound("a.wav"), rate=44100, channels=2
    )  # fmt: skip
    kept = versions.keep(versions.add_take(project, intro), "t2")
    assert kept.clip and (kept.clip.file, kept.clip.seconds, kept.clip.lead) == ("c.wav", 12.5, 4.5)
    assert kept.clip.label == "song.wav" and kept.versions[1].parent == kept.versions[0].id
    begin = kept.grid.beats_to_seconds(kept.lanes.chords[0].start)
    assert begin == pytest.approx(4.5) and kept.lanes.chords[0].start == 8 and kept.grid.offset == 0.5
    assert (kept.spans[0].start, kept.spans[0].end) == (7.5, 10.5)
    back = versions.show_version(kept, kept.versions[0].id)
    assert (back.lanes, back.spans, back.grid) == (project.lanes, project.spans, project.grid)
    other = versions.set_clip(kept, replace(CLIP, file="d.wav"))  # another recording has another clock
    assert other.lanes == kept.lanes and other.grid == kept.grid


def test_a_span_that_would_lie_before_the_clip_goes() -> None:
    long = Take("t2", "intro", "fm", 7, "", "c.wav", 10.0, Region(0, 2), Sound("a.wav"), rate=44100)
    kept = versions.keep(versions.add_take(versions.set_clip(Project(), CLIP), long), "t2")
    kept = spans.add_span(kept, 1, 4, "s1")
    assert versions.show_version(kept, kept.versions[0].id).spans == ()
