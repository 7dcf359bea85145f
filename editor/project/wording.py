"""What words and lanes ask of a span: who is named, what was changed, and what contradicts it.

`intention` decides what Inpaint does with a span and why; `conflicts` finds words that speak against the
lanes or the tempo, each with the edit that settles it. Times are seconds, lanes beats. Functions of a
document without effects; loads no torch. Knows no page.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from editor.project import lanes
from editor.project.document import LanePart, Project, Region, Span
from engines.audio.timebase import Grid
from engines.music.instruments import DRUMS_ROW, OTHERS, family_of
from engines.requests import CHANGES, Change, Part
from engines.words.reader import understood

LEAST_SURE = 0.5  # instruments that the words name less surely are not meant
LEAST_SECONDS = 0.1  # that a part must reach into a span to contradict its words
TEMPO_SLACK = 2.0  # bpm by which words and clip may differ unnoticed
_TEMPO = re.compile(r"\b(\d{2,3}(?:\.\d+)?)(\s*)(bpm|beats per minute)\b", re.IGNORECASE)
_CHANGES: dict[str, Change] = {"band": "instruments"}  # the lane's name where the engines' differs
_CHANGED = {  # of another lane "the drums were changed here"
    "melody": "the melody was changed here",
    "instruments": "a player was added or left out",
    "words": "the span has words of its own",
}


@dataclass(frozen=True)
class Word:
    """An instrument that words name."""

    name: str
    plays: bool
    text: str  # as it is written there


@dataclass(frozen=True)
class Intention:
    """What is asked of a span."""

    changed: tuple[Change, ...]  # what was not there before
    resolved: str  # "blend" | "change"
    reason: str  # why, in words


@dataclass(frozen=True)
class Conflict:
    """Words that speak against a lane or the tempo, and the edit that settles it."""

    text: str
    action: str
    name: str  # of the edit, as of `page.contract`
    payload: dict[str, Any]


# ---- instruments that words name


def named_in(prompt: str, not_meant: Sequence[str] = ()) -> tuple[Word, ...]:
    """The instruments that a prompt names or rules out, without those that are not meant."""
    return tuple(word for word in _understood(prompt) if word.name not in not_meant)


@lru_cache(maxsize=256)
def _understood(prompt: str) -> tuple[Word, ...]:
    if not prompt.strip():
        return ()
    found: dict[str, Word] = {}
    for one in understood(prompt):
        if one.sure >= LEAST_SURE:
            found[one.name] = Word(one.name, one.plays, prompt[one.start : one.end] or one.name)
    return tuple(found.values())


def words_of(project: Project, span: Span | None) -> tuple[str, tuple[str, ...]]:
    """The words that a span (None = the clip) is made with, and which of their instruments are not meant."""
    if span is None or span.prompt is None:
        return project.prompt, project.not_meant if span is None else (*project.not_meant, *span.not_meant)
    return span.prompt, span.not_meant


def has_own_words(project: Project, span: Span) -> bool:
    """Whether a span has words that are neither blank nor those of the clip."""
    own = (span.prompt or "").strip()
    return bool(own) and own != project.prompt.strip()


def parts(project: Project, span: Span | None, place: Region) -> tuple[Part, ...]:
    """Who the words want to play, or not, over `place`; not of what is drawn there."""
    prompt, not_meant = words_of(project, span)
    drawn = {part.instrument for part in _drawn(project, place)}
    return tuple(
        Part(place.start, place.end, word.name, word.plays)
        for word in named_in(prompt, not_meant)
        if word.name not in drawn
    )


# ---- what Inpaint does


def intention(project: Project, span: Span) -> Intention:
    """What is asked of a span that was not there, and whether it blends in or changes."""
    follow = project.follow if span.follow is None else span.follow
    told: set[Change] = {
        _CHANGES.get(name, name)  # type: ignore[arg-type]  # lanes are named as the engines name them
        for name in span.changed
        if name in follow and name not in span.ignored
    }
    if has_own_words(project, span):
        told.add("words")
        if named_in(*words_of(project, span)):
            told.add("instruments")
    changed = tuple(name for name in CHANGES if name in told)
    if span.intent == "auto":
        first = changed[0] if changed else ""
        why = _CHANGED.get(
            first, f"the {first} were changed here" if first else "nothing in the span was changed"
        )
        return Intention(changed, "change" if changed else "blend", f"Picked for you: {why}")
    if span.intent == "blend" and changed:
        lost = "new words" if changed[0] == "words" else f"new {changed[0]}"
        return Intention(changed, "blend", f"By you: {lost} will hardly be heard.")
    return Intention(changed, span.intent, "Picked by you.")


# ---- words against lanes and tempo


def conflicts(project: Project, undo: str = "") -> tuple[Conflict, ...]:
    """What contradicts the words of the active span, or of the clip; worst first.

    `undo` is what Undo would take back: a lane that was ignored just now is offered to be followed again.
    """
    span = project.span
    length = project.clip.seconds if project.clip else project.length
    place = project.region or Region(0.0, length)
    words = named_in(*words_of(project, span))
    found = [*_drums(project, span, place, words, undo), *_players(project, place, words)]
    return (*found, *_tempo(project, span))


def _drums(
    project: Project, span: Span | None, place: Region, words: Sequence[Word], undo: str
) -> list[Conflict]:
    if span is not None and "drums" in span.ignored:
        number = project.spans.index(span) + 1
        again = {"span": span.id, "lane": "drums", "ignore": False}
        told = f"The drum lane is ignored in span {number}."
        return [Conflict(told, "Follow it again", "ignore_lane", again)] if undo == "ignore lane" else []
    grid = project.grid
    beats = (grid.seconds_to_beats(place.start), grid.seconds_to_beats(place.end))
    struck = any(beats[0] <= hit.time < beats[1] for hit in project.lanes.drums)
    silent = any(word.name == DRUMS_ROW and not word.plays for word in words)
    if not (struck and silent and "drums" in project.followed):
        return []
    told = "Your words say no drums, the drum lane plays."
    if span is not None:
        ignored = {"span": span.id, "lane": "drums", "ignore": True}
        return [Conflict(told, "Ignore the drum lane here", "ignore_lane", ignored)]
    rest = [name for name in project.follow if name != "drums"]
    return [Conflict(told, "Do not follow the drum lane", "set_follow", {"lanes": rest})]


def _players(project: Project, place: Region, words: Sequence[Word]) -> list[Conflict]:
    """Parts that were drawn and that the words rule out, or the other way round."""
    if "band" not in project.followed:
        return []
    drawn = _drawn(project, place)
    alone = any(word.name == OTHERS and not word.plays for word in words)
    wanted = {word.name for word in words if word.plays}
    barred = {word.name for word in words if not word.plays and word.name != OTHERS}
    found = []
    extra = [p for p in drawn if p.plays and alone and not _one_of(p.instrument, wanted)]
    if extra and wanted:
        who, others = _listed(sorted(wanted)), _listed(_distinct(extra))
        told = f"Your words say solo {who}, the band lane has {others} too."
        found.append(_without(project, place, extra, told, f"Leave only the {who}"))
    against = [p for p in drawn if p.plays and p not in extra and _one_of(p.instrument, barred)]
    if against:
        who = _listed(_distinct(against))
        told = f"Your words say no {who}, the band lane has {who}."
        found.append(_without(project, place, against, told, f"Take the {who} out here"))
    missed = [p for p in drawn if not p.plays and p.instrument in wanted]
    if missed:
        who = _listed(_distinct(missed))
        told = f"Your words say {who}, the band lane says no {who}."
        found.append(_without(project, place, missed, told, "Use the words here"))
    return found


def _without(project: Project, place: Region, parts: Sequence[LanePart], text: str, action: str) -> Conflict:
    """A conflict that ends when the parts are taken out of a place."""
    grid = project.grid
    start, end = grid.seconds_to_beats(place.start), grid.seconds_to_beats(place.end)
    put: list[dict[str, Any]] = []
    taken = {part.id for part in project.lanes.band}
    for part in parts:
        for first, last in ((part.start, min(part.end, start)), (max(part.start, end), part.end)):
            if last - first >= lanes.SHORTEST:
                id = lanes.fresh_id("p", taken)
                taken.add(id)
                kept = {**asdict(part), "id": id, "start": first, "end": last, "name": part.instrument}
                put.append({key: value for key, value in kept.items() if key != "instrument"})
    payload = {"band": put, "remove": [part.id for part in parts]}
    return Conflict(text, action, "erase_band", payload)


def _tempo(project: Project, span: Span | None) -> list[Conflict]:
    prompt, _ = words_of(project, span)
    said = _TEMPO.search(prompt)
    if said is None or abs(float(said[1]) - project.grid.bpm) <= TEMPO_SLACK:
        return []
    has, wants = f"{project.grid.bpm:.0f}", float(said[1])
    told = f"Your words say {wants:.0f} bpm, the clip has {has}."
    if project.clip is None and project.lanes.drums + project.lanes.melody == () and _is_tempo(wants):
        return [Conflict(told, f"Set it to {wants:.0f}", "set_grid", {"bpm": wants})]
    words = f"{prompt[: said.start(1)]}{has}{prompt[said.end(1) :]}"
    if span is None or span.prompt is None:
        return [Conflict(told, f"Use {has} in words", "set_prompt", {"prompt": words})]
    return [Conflict(told, f"Use {has} in words", "set_span_prompt", {"id": span.id, "prompt": words})]


def _is_tempo(bpm: float) -> bool:
    try:
        Grid(bpm)
    except ValueError:
        return False
    return True


def _drawn(project: Project, place: Region) -> list[LanePart]:
    """The parts that someone asked for and that reach into a place."""
    grid = project.grid
    least = LEAST_SECONDS / grid.seconds_per_beat
    start, end = grid.seconds_to_beats(place.start), grid.seconds_to_beats(place.end)
    return [
        part
        for part in project.lanes.band
        if part.asked and min(part.end, end) - max(part.start, start) >= least
    ]


def _one_of(instrument: str, named: set[str]) -> bool:
    return instrument in named or family_of(instrument) in named


def _distinct(parts: Sequence[LanePart]) -> list[str]:
    return list(dict.fromkeys(part.instrument for part in parts))


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}"
