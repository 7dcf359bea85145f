"""What words and lanes ask of a span, and where they contradict each other."""

from __future__ import annotations

from dataclasses import replace

from editor.page import contract
from editor.project import commands, spans, wording
from editor.project.document import Clip, Project, Region
from engines.requests import Part

CLIP = Clip("a.wav", 8.0, 44100, 2, "song.wav")
BASE = spans.add_span(Project(clip=CLIP, prompt="piano trio", follow=("chords", "drums", "band")), 2, 4, "s1")


def with_words(words: str, project: Project = BASE) -> Project:
    return spans.set_span_prompt(project, "s1", words)


def asked(project: Project) -> tuple[tuple[str, ...], str, str]:
    told = wording.intention(project, project.spans[0])
    return told.changed, told.resolved, told.reason


def settled(project: Project) -> Project:
    """The project after the action of its first conflict."""
    first = wording.conflicts(project)[0]
    return contract.apply(project, first.name, first.payload)


def test_a_span_blends_in_until_something_is_asked() -> None:
    assert asked(BASE) == ((), "blend", "Picked for you: nothing in the span was changed")
    assert asked(with_words("piano trio"))[1] == "blend"  # the clip's own words
    assert asked(with_words("  "))[1] == "blend"
    changed, resolved, reason = asked(with_words("airy flute"))
    assert (changed, resolved) == (("words", "instruments"), "change")
    assert reason == "Picked for you: the span has words of its own"
    drawn = contract.apply(BASE, "draw_hits", {"drums": [{"time": 5, "drum": "kick"}]})
    assert asked(drawn) == (("drums",), "change", "Picked for you: the drums were changed here")
    assert asked(spans.set_span_follow(drawn, "s1", ["chords"]))[1] == "blend"  # not followed any more
    assert asked(spans.ignore_lane(drawn, "s1", "drums", True))[1] == "blend"


def test_the_musician_turns_the_intent_over() -> None:
    assert asked(spans.set_intent(BASE, "s1", "change"))[1:] == ("change", "Picked by you.")
    turned = spans.set_intent(with_words("airy flute"), "s1", "blend")
    assert asked(turned)[1:] == ("blend", "By you: new words will hardly be heard.")
    assert asked(spans.set_intent(turned, "s1", "auto"))[1] == "change"


def test_words_name_players_unless_they_are_not_meant_or_drawn() -> None:
    project = with_words("Airy flute takes the tune, no drums")
    place = Region(2, 4)
    words = wording.named_in(*wording.words_of(project, project.spans[0]))
    assert [(word.name, word.plays) for word in words] == [("flute", True), ("drums", False)]
    assert wording.parts(project, project.spans[0], place) == (
        Part(2, 4, "flute"),
        Part(2, 4, "drums", plays=False),
    )
    less = contract.apply(project, "word_tag", {"span": "s1", "name": "flute", "meant": False})
    assert wording.parts(less, less.spans[0], place) == (Part(2, 4, "drums", plays=False),)
    again = contract.apply(less, "word_tag", {"span": "s1", "name": "flute", "meant": True})
    assert again == project
    drawn = contract.apply(less, "draw_band", {"band": [{"start": 4, "end": 6, "name": "drums"}]})
    assert wording.parts(drawn, drawn.spans[0], place) == ()


def test_no_drums_against_the_drum_lane() -> None:
    project = with_words("flute, no drums")
    assert wording.conflicts(project) == ()  # nothing is drawn
    drawn = contract.apply(project, "draw_hits", {"drums": [{"time": 5, "drum": "kick"}]})
    (conflict,) = wording.conflicts(drawn)
    assert conflict.text == "Your words say no drums, the drum lane plays."
    assert conflict.action == "Ignore the drum lane here"
    after = settled(drawn)
    assert after.followed == ("chords", "band")
    (told,) = wording.conflicts(after, "ignore lane")
    assert (told.text, told.action) == ("The drum lane is ignored in span 1.", "Follow it again")
    assert wording.conflicts(after, "draw note") == ()
    assert settled_by(after, told) == spans.ignore_lane(after, "s1", "drums", False)
    clip = replace(drawn, prompt="no drums", active="")
    assert settled(clip).follow == ("chords", "band")


def settled_by(project: Project, conflict: wording.Conflict) -> Project:
    return contract.apply(project, conflict.name, conflict.payload)


def test_solo_against_others_on_the_band_lane() -> None:
    bass = {"band": [{"id": "p1", "start": 0, "end": 16, "name": "upright bass"}]}
    project = contract.apply(with_words("solo flute"), "draw_band", bass)
    (conflict,) = wording.conflicts(project)
    assert conflict.text == "Your words say solo flute, the band lane has upright bass too."
    assert conflict.action == "Leave only the flute"
    after = settled(project)
    assert [(p.instrument, p.start, p.end) for p in after.lanes.band] == [
        ("upright bass", 0, 4),
        ("upright bass", 8, 16),
    ]
    assert wording.conflicts(after) == ()
    barred = contract.apply(with_words("no upright bass"), "draw_band", bass)
    assert wording.conflicts(barred)[0].action == "Take the upright bass out here"


def test_a_tempo_in_words_against_the_grid() -> None:
    (conflict,) = wording.conflicts(with_words("techno, 128 bpm"))
    assert conflict.text == "Your words say 128 bpm, the clip has 120."
    assert settled(with_words("techno, 128 bpm")).spans[0].prompt == "techno, 120 bpm"
    assert wording.conflicts(with_words("techno, 121 bpm")) == ()
    empty = commands.set_prompt(Project(), "techno, 128 bpm")
    assert settled(empty).grid.bpm == 128
