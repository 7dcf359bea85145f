"""Edits: pure functions Project -> Project, and the table that applies the page's events by name.

Every function checks what it is given and raises `InputError` (one line: value, expectation, remedy);
none changes its argument. Times of regions and audio are seconds, times of lanes are beats.
`apply` takes payloads from outside and answers anything unusable with an `InputError`.
Knows neither history, files nor engines' insides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from unicodedata import category

from editor import lanes, settings
from editor.document import (
    ChordCell,
    Clip,
    LaneHit,
    LaneNote,
    Lanes,
    Project,
    Rating,
    Round,
    Sound,
    Span,
    Take,
    Version,
)
from editor.payload import Payload
from engines.chords import parse as parse_chord
from engines.requests import DRUMS, ENGINE_NAMES, LONGEST_SECONDS, MAX_PROMPT, InputError
from engines.timebase import Grid

LENGTH_SECONDS = (1.0, LONGEST_SECONDS)  # what Generate may be asked for, and what may be added
MAX_SEED = 2**32 - 1
MAX_NAME = 100  # characters
MAX_VARIATIONS = 4
MAX_RATED = 5  # takes in a blind round, the original among them
MAX_SPANS = 16
MAX_BEATS = 100_000.0  # far beyond any clip; keeps lane times finite
Item = TypeVar("Item", ChordCell, LaneNote, LaneHit)
AnyCell = TypeVar("AnyCell", ChordCell, LaneNote)
_SLACK = 0.02  # seconds by which a dragged border may miss the clip's edge


# ---- words, length, seed, grid, engines


def clean_text(text: str) -> str:
    """Text fit for a model and a page: control and unpaired characters become spaces, several one."""
    unseen = ("Cc", "Cs", "Zl", "Zp")  # Unicode: controls, surrogates, line and paragraph separators
    return " ".join("".join(" " if category(char) in unseen else char for char in text).split())


def check_prompt(prompt: str) -> str:
    """A prompt that every engine takes; InputError when it is longer than MAX_PROMPT characters."""
    prompt = clean_text(prompt)
    if len(prompt) > MAX_PROMPT:
        raise InputError(f"prompt of {len(prompt)} characters: at most {MAX_PROMPT}; shorten it")
    return prompt


def check_seed(seed: int) -> int:
    """A seed in 0..MAX_SEED."""
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed {str(seed)[:24]}: expected a whole number 0-{MAX_SEED}; choose another")
    return seed


def set_name(project: Project, name: str) -> Project:
    """Name the project."""
    name = clean_text(name)
    if len(name) > MAX_NAME:
        raise InputError(f"name of {len(name)} characters: at most {MAX_NAME}; shorten it")
    return replace(project, name=name or "Untitled")


def set_prompt(project: Project, prompt: str) -> Project:
    """Set the words that a run follows."""
    return replace(project, prompt=check_prompt(prompt))


def set_length(project: Project, seconds: float) -> Project:
    """Set the length of a generated clip."""
    low, high = LENGTH_SECONDS
    if not low <= seconds <= high:
        raise InputError(f"length {seconds:g} s: expected {low:g}-{high:g} s; set it in that range")
    return replace(project, length=float(seconds))


def set_seed(project: Project, seed: int) -> Project:
    """Set the seed of the next run."""
    return replace(project, seed=check_seed(seed))


def set_grid(project: Project, bpm: float, beats_per_bar: int, offset: float = 0.0) -> Project:
    """Set tempo, signature and the time of beat 0. Lane objects keep their beats, so they move in time."""
    if not abs(offset) <= 3600:
        raise InputError(f"first beat at {offset:g} s: expected within an hour of the clip; set it again")
    try:
        return replace(project, grid=Grid(bpm, beats_per_bar, offset))
    except ValueError as error:
        raise InputError(str(error)) from error


def set_key(project: Project, key: str) -> Project:
    """Set the key that the page offers chords and rows in: "C major", "F# minor" ..."""
    tonic, _, mode = key.partition(" ")
    if mode not in ("major", "minor"):
        raise InputError(f"key {key[:20]!r}: expected a tonic and major or minor, as in F# minor")
    lanes.palette(tonic + ("m" if mode == "minor" else ""))
    return replace(project, key=key)


def set_engines(project: Project, engines: Sequence[str]) -> Project:
    """Tick the engines for Inpaint; kept in the order AR, FM, zero-shot."""
    for name in engines:
        if name not in ENGINE_NAMES:
            raise InputError(f"engine {name[:40]!r}: expected one of {', '.join(ENGINE_NAMES)}")
    return replace(project, engines=tuple(name for name in ENGINE_NAMES if name in engines))


def toggle_engine(project: Project, engine: str) -> Project:
    """Tick an engine, or untick it."""
    ticked = set(project.engines) ^ {engine}
    return set_engines(project, tuple(ticked))


def set_follow(project: Project, names: Sequence[str]) -> Project:
    """Choose the lanes that condition a run."""
    return replace(project, follow=_lane_names(names))


def _lane_names(names: Sequence[str]) -> tuple[str, ...]:
    for name in names:
        if name not in lanes.LANE_NAMES:
            raise InputError(f"lane {name[:40]!r}: expected one of {', '.join(lanes.LANE_NAMES)}")
    return tuple(name for name in lanes.LANE_NAMES if name in names)


# ---- spans


def timeline_seconds(project: Project) -> float:
    """Length of the timeline: the clip's, or that of the clip to be generated."""
    return project.clip.seconds if project.clip else project.length


def set_region(project: Project, start: float, end: float) -> Project:
    """Put the active span at [start, end) in seconds; without one, a new span begins there."""
    if project.span is None:
        return add_span(project, start, end)
    return set_span(project, project.active, start, end)


def add_span(project: Project, start: float, end: float, id: str = "") -> Project:
    """Add the span [start, end) in seconds and make it the active one."""
    if len(project.spans) >= MAX_SPANS:
        raise InputError(f"{len(project.spans)} spans: at most {MAX_SPANS}; remove one first")
    taken = {span.id for span in project.spans}
    span = Span(id if id and id not in taken else lanes.fresh_id("s", taken), *_bounds(project, start, end))
    return _with_spans(project, (*project.spans, span), span.id)


def set_span(project: Project, id: str, start: float, end: float) -> Project:
    """Give a span new borders in seconds and make it the active one."""
    span = _span(project, id)
    start, end = _bounds(project, start, end)
    moved = replace(span, start=start, end=end)
    return _with_spans(project, tuple(moved if s.id == id else s for s in project.spans), id)


def activate_span(project: Project, id: str) -> Project:
    """Make a span the one that Inpaint re-makes."""
    return replace(project, active=_span(project, id).id)


def delete_span(project: Project, id: str) -> Project:
    """Remove a span; the one after it becomes active if it was."""
    at = project.spans.index(_span(project, id))
    rest = tuple(span for span in project.spans if span.id != id)
    active = project.active if project.active != id else rest[min(at, len(rest) - 1)].id if rest else ""
    return _with_spans(project, rest, active)


def set_span_prompt(project: Project, id: str, prompt: str | None) -> Project:
    """Give a span words of its own; None = the project's."""
    words = None if prompt is None else check_prompt(prompt)
    return _with_span(project, replace(_span(project, id), prompt=words))


def set_span_follow(project: Project, id: str, names: Sequence[str] | None) -> Project:
    """Choose the lanes that condition one span; None = the project's."""
    return _with_span(
        project, replace(_span(project, id), follow=None if names is None else _lane_names(names))
    )


def set_span_own(project: Project, id: str, own: bool) -> Project:
    """Let a span have prompt and lanes of its own (at first the project's), or share the project's again."""
    span = _span(project, id)
    if not own:
        return _with_span(project, replace(span, prompt=None, follow=None))
    prompt = project.prompt if span.prompt is None else span.prompt
    follow = project.follow if span.follow is None else span.follow
    return _with_span(project, replace(span, prompt=prompt, follow=follow))


def _bounds(project: Project, start: float, end: float) -> tuple[float, float]:
    """A span's borders in seconds, inside the timeline."""
    total = timeline_seconds(project)
    if end < start:
        raise InputError(f"span {start:g}-{end:g} s: the end must follow the start; swap them")
    if start < -_SLACK or start >= total or end > total + _SLACK:
        raise InputError(f"span {start:g}-{end:g} s: outside the clip; choose one inside 0-{total:g} s")
    start, end = max(0.0, start), min(total, end)
    if end - start < 1e-3:
        raise InputError(f"span {start:g}-{end:g} s: empty; drag over the part to re-make")
    return start, end


def clear_region(project: Project) -> Project:
    """Remove the active span; no other becomes active."""
    rest = tuple(span for span in project.spans if span.id != project.active)
    return _with_spans(project, rest, "")


def _span(project: Project, id: str) -> Span:
    for span in project.spans:
        if span.id == id:
            return span
    raise InputError(f"span {id[:40]!r}: no longer there; undo, or select it again")


def _with_span(project: Project, span: Span) -> Project:
    return replace(project, spans=tuple(span if s.id == span.id else s for s in project.spans))


def _with_spans(project: Project, spans: Sequence[Span], active: str) -> Project:
    ordered = tuple(sorted(spans, key=lambda span: (span.start, span.end)))
    return replace(project, spans=ordered, active=active)


# ---- chord lane


def put_chord(project: Project, start: float, end: float, symbol: str, id: str = "") -> Project:
    """Draw a chord over [start, end) beats; it cuts what it covers. An id in use moves that chord here."""
    _check_cell(start, end, "chord")
    cell = ChordCell(id or _fresh_chord(project), float(start), float(end), parse_chord(symbol).symbol)
    return _with_chords(project, lanes.place(project.lanes.chords, cell))


def name_chord(project: Project, id: str, symbol: str) -> Project:
    """Give a chord another symbol."""
    cell = replace(_chord(project, id), symbol=parse_chord(symbol).symbol)
    return _with_chords(project, tuple(cell if c.id == id else c for c in project.lanes.chords))


def move_chord(project: Project, id: str, start: float) -> Project:
    """Move a chord to begin at `start` beats; it cuts what it covers."""
    cell = _chord(project, id)
    return put_chord(project, start, start + cell.end - cell.start, cell.symbol, id)


def resize_chord(project: Project, id: str, start: float, end: float) -> Project:
    """Give a chord new borders in beats; it cuts what it covers."""
    return put_chord(project, start, end, _chord(project, id).symbol, id)


def delete_chord(project: Project, id: str) -> Project:
    """Take a chord off the lane."""
    _chord(project, id)
    return _with_chords(project, lanes.without(project.lanes.chords, id))


def set_lanes(
    project: Project,
    chords: Sequence[ChordCell] | None = None,
    melody: Sequence[LaneNote] | None = None,
    drums: Sequence[LaneHit] | None = None,
) -> Project:
    """Replace whole lanes (None = leave it as it is). Overlaps are cut, later cells over earlier ones."""
    now = project.lanes
    if chords is not None:
        now = replace(now, chords=lanes.place_all(_identified(_checked_chords(chords), "c")))
    if melody is not None:
        now = replace(now, melody=lanes.place_all(_identified(_checked_notes(melody), "n")))
    if drums is not None:
        now = replace(now, drums=lanes.in_order(_identified(_checked_hits(drums), "h")))
    return replace(project, lanes=now)


def edit_lanes(project: Project, put: Lanes, remove: Sequence[str] = ()) -> Project:
    """One gesture on the lanes: objects with the ids in `remove` go, those in `put` come.

    An object whose id is known moves; a chord or note that comes cuts what it covers, except what
    comes with it. Lanes that the gesture does not name stay, so that it cannot undo what another source
    (the analysis of the audio) has put there meanwhile.
    """
    now, gone = project.lanes, set(remove)
    chords, melody, drums = now.chords, now.melody, now.drums
    if put.chords or gone:
        chords = _placed(chords, _identified(_checked_chords(put.chords), "c"), gone, "chords")
    if put.melody or gone:
        melody = _placed(melody, _identified(_checked_notes(put.melody), "n"), gone, "notes")
    if put.drums or gone:
        new = _identified(_checked_hits(put.drums), "h")
        replaced = gone | {hit.id for hit in new}
        drums = lanes.in_order((*(hit for hit in drums if hit.id not in replaced), *new))
        _check_count(drums, "hits")
    return replace(project, lanes=Lanes(chords, melody, drums))


def _placed(
    lane: tuple[AnyCell, ...], new: tuple[AnyCell, ...], gone: set[str], what: str
) -> tuple[AnyCell, ...]:
    replaced = gone | {cell.id for cell in new}
    # Later cells cut earlier ones; where none overlap, as nearly always, that is one sort.
    kept = tuple(cell for cell in lane if cell.id not in replaced)
    placed: tuple[AnyCell, ...] = lanes.place_all(kept + new)
    _check_count(placed, what)
    return placed


def _check_count(items: Sequence[object], what: str) -> None:
    if len(items) > lanes.MAX_OBJECTS:
        raise InputError(f"{len(items)} {what}: at most {lanes.MAX_OBJECTS}; remove some")


def _checked_chords(chords: Sequence[ChordCell]) -> tuple[ChordCell, ...]:
    for cell in chords:
        _check_cell(cell.start, cell.end, "chord")
    return tuple(replace(cell, symbol=parse_chord(cell.symbol).symbol) for cell in chords)


def _checked_notes(notes: Sequence[LaneNote]) -> tuple[LaneNote, ...]:
    for note in notes:
        _check_cell(note.start, note.end, "note")
        if not 0 <= note.pitch <= 127:
            raise InputError(f"note {note.pitch}: expected a MIDI pitch 0-127; choose another")
    return tuple(notes)


def _checked_hits(hits: Sequence[LaneHit]) -> tuple[LaneHit, ...]:
    for hit in hits:
        if not abs(hit.time) <= MAX_BEATS:
            raise InputError(f"hit at beat {hit.time:g}: outside the timeline; move it back")
        if hit.drum not in DRUMS:
            raise InputError(f"drum {hit.drum[:40]!r}: expected one of {', '.join(DRUMS)}")
    return tuple(hits)


# ---- clip and takes (from the server's side only: they name files)


def set_clip(project: Project, clip: Clip) -> Project:
    """Put uploaded audio on the timeline. The region stays if it lies inside the new clip."""
    return _show(project, clip, None, None)


def add_take(project: Project, take: Take) -> Project:
    """Add a finished take; one whose id is there already changes nothing."""
    if any(known.id == take.id for known in project.takes):
        return project
    return replace(project, takes=(*project.takes, take))


def find_take(project: Project, id: str) -> Take:
    """The take of that id; InputError when there is none."""
    for take in project.takes:
        if take.id == id:
            return take
    raise InputError(f"take {id[:40]!r}: no such take; choose one from the list")


def keep(project: Project, id: str) -> Project:
    """Put a take on the timeline. A re-made span leaves the clip its name."""
    take = find_take(project, id)
    sound = take.sound
    clip = Clip(sound.file, take.seconds, take.rate, take.channels, take_label(take), sound.patches)
    if take.source is None:
        return _show(project, clip, None, id)
    parent = _version_of(project, take.source)
    if parent is None:  # a project of an older Inlay, which remembered no versions
        label = project.clip.label if project.clip else ""
        before = Clip(take.source.file, take.seconds, take.rate, take.channels, label, take.source.patches)
        parent = Version(_fresh_version(project), before, None, None)
        project = replace(project, versions=(*project.versions, parent))
    added = take.region.end if take.kind == "intro" and take.region else 0.0
    clip = replace(clip, label=parent.clip.label, lead=parent.clip.lead + added)
    return _show(project, clip, parent.id, id)


def show_version(project: Project, id: str) -> Project:
    """Put a clip on the timeline that was there before."""
    for version in project.versions:
        if version.id == id:
            return _show(project, version.clip, version.parent, version.take)
    raise InputError(f"version {id[:40]!r}: no such version; choose one from the tree")


def rename_take(project: Project, id: str, name: str) -> Project:
    """Name a take; an empty name gives it back its engine and seed."""
    name = clean_text(name)
    if len(name) > MAX_NAME:
        raise InputError(f"name of {len(name)} characters: at most {MAX_NAME}; shorten it")
    return _with_take(project, replace(find_take(project, id), name=name))


def star_take(project: Project, id: str) -> Project:
    """Star a take, or take its star away."""
    take = find_take(project, id)
    return _with_take(project, replace(take, starred=not take.starred))


def delete_take(project: Project, id: str) -> Project:
    """Take a take out of the list. Its audio stays in the project, and `restore_take` brings it back."""
    return _with_take(project, replace(find_take(project, id), deleted=True))


def restore_take(project: Project, id: str) -> Project:
    """Bring a deleted take back."""
    return _with_take(project, replace(find_take(project, id), deleted=False))


def use_take(project: Project, id: str) -> Project:
    """Set prompt, seed and the engine's knobs as they were for a take."""
    take = find_take(project, id)
    project = set_seed(set_prompt(project, take.prompt), take.seed)
    return replace(project, settings=settings.of_take(project.settings, take))


def set_settings(project: Project, sent: Payload) -> Project:
    """Turn the knobs that are named."""
    return replace(project, settings=settings.turned(project.settings, sent))


def set_variations(project: Project, count: int) -> Project:
    """How many takes each engine makes at a click."""
    if not 1 <= count <= MAX_VARIATIONS:
        raise InputError(f"{count} variations: expected 1-{MAX_VARIATIONS}; choose one of them")
    return replace(project, variations=count)


def vote(project: Project, ratings: Sequence[tuple[str, int, int]], matched: bool, made: str) -> Round:
    """A blind round of (take id or "original", smoothness, match) in the order in which they stood."""
    if not 2 <= len(ratings) <= MAX_RATED:
        raise InputError(f"{len(ratings)} ratings: expected 2-{MAX_RATED} takes; choose them again")
    if len({id for id, _, _ in ratings}) < len(ratings):
        raise InputError("vote: a take is rated twice; begin the round again")
    rated, regions, sources = [], set(), set()
    for id, smoothness, match in ratings:
        for scale, value in (("transition smoothness", smoothness), ("audio match", match)):
            if not 1 <= value <= 10:
                raise InputError(f"{scale} {value}: expected 1-10; choose one of the ten")
        if id == "original":
            rated.append(Rating("", "gt", smoothness, match))
            continue
        take = find_take(project, id)
        regions.add(take.region)
        sources.add(take.source)
        rated.append(Rating(id, take.engine, smoothness, match))
    region = next(iter(regions), None)
    if region is None or len(regions) > 1 or len(sources) > 1:
        raise InputError("vote: expected takes of one span; begin the round again")
    id = lanes.fresh_id("r", (round.id for round in project.rounds))
    return Round(id, region, tuple(rated), matched, made)


def take_label(take: Take) -> str:
    """What a take is called."""
    return take.name or f"{ENGINE_LABELS.get(take.engine, take.engine)} seed {take.seed}"


ENGINE_LABELS: dict[str, str] = {"ar": "AR", "fm": "FM", "fm-zero-shot": "ZS"}


# ---- events from the page


@dataclass(frozen=True)
class Command:
    """An edit that the page may ask for."""

    label: str  # what Undo names: "Undo draw chord"
    run: Callable[[Project, Payload], Project]
    merges: bool = False  # consecutive ones make one undo step (typing, turning a knob)


def _cells(sent: Payload) -> list[ChordCell] | None:
    if not sent.has("chords"):
        return None
    return [
        ChordCell(_id(c), c.number("start"), c.number("end"), c.text("symbol", 40))
        for c in sent.items("chords")
    ]


def _notes(sent: Payload) -> list[LaneNote] | None:
    if not sent.has("melody"):
        return None
    return [
        LaneNote(_id(n), n.number("start"), n.number("end"), n.whole("pitch")) for n in sent.items("melody")
    ]


def _hits(sent: Payload) -> list[LaneHit] | None:
    if not sent.has("drums"):
        return None
    return [LaneHit(_id(h), h.number("time"), h.text("drum", 40)) for h in sent.items("drums")]


def _lanes_event(project: Project, sent: Payload) -> Project:
    return set_lanes(project, _cells(sent), _notes(sent), _hits(sent))


def lanes_sent(sent: Payload) -> Lanes:
    """The lane objects of a payload: chords, melody and drums, each a list that may be missing."""
    return Lanes(tuple(_cells(sent) or ()), tuple(_notes(sent) or ()), tuple(_hits(sent) or ()))


def _edit_lanes_event(project: Project, sent: Payload) -> Project:
    remove = sent.names("remove") if sent.has("remove") else ()
    return edit_lanes(project, lanes_sent(sent), remove)


# What a gesture on the lanes is called; all of them are `edit_lanes`.
LANE_EDITS: dict[str, str] = {
    "edit_lanes": "edit lanes",
    "draw_chords": "draw chord",
    "move_chords": "move chords",
    "erase_chords": "erase chords",
    "split_chord": "split chord",
    "merge_chords": "merge chords",
    "transpose_chords": "transpose chords",
    "set_progression": "chord progression",
    "draw_notes": "draw note",
    "move_notes": "move notes",
    "resize_notes": "resize notes",
    "erase_notes": "erase notes",
    "split_note": "split note",
    "transpose_notes": "transpose notes",
    "quantise": "quantise",
    "draw_hits": "draw hits",
    "move_hits": "move hits",
    "erase_hits": "erase hits",
    "set_pattern": "drum pattern",
    "swing": "swing",
    "tap_hits": "tap drums",
    "paste": "paste",
    "repeat": "repeat",
    "clear_lane": "clear lane",
}


def _grid_event(project: Project, sent: Payload) -> Project:
    now = project.grid
    return set_grid(
        project,
        sent.number("bpm") if sent.has("bpm") else now.bpm,
        sent.whole("beats_per_bar") if sent.has("beats_per_bar") else now.beats_per_bar,
        sent.number("offset") if sent.has("offset") else now.offset,
    )


COMMANDS: dict[str, Command] = {
    "set_name": Command("rename", lambda p, x: set_name(p, x.text("name")), merges=True),
    "set_prompt": Command("prompt", lambda p, x: set_prompt(p, x.text("prompt")), merges=True),
    "set_length": Command("length", lambda p, x: set_length(p, x.number("seconds")), merges=True),
    "set_seed": Command("seed", lambda p, x: set_seed(p, x.whole("seed")), merges=True),
    "set_grid": Command("tempo", _grid_event, merges=True),
    "set_key": Command("key", lambda p, x: set_key(p, x.text("key", 40))),
    "set_engines": Command("engines", lambda p, x: set_engines(p, x.names("engines"))),
    "toggle_engine": Command("engines", lambda p, x: toggle_engine(p, x.text("engine", 40))),
    "set_follow": Command("lanes to follow", lambda p, x: set_follow(p, x.names("lanes"))),
    "set_region": Command("select span", lambda p, x: set_region(p, x.number("start"), x.number("end"))),
    "clear_region": Command("clear span", lambda p, x: clear_region(p)),
    "add_span": Command("add span", lambda p, x: add_span(p, x.number("start"), x.number("end"), _id(x))),
    "set_span": Command(
        "change span", lambda p, x: set_span(p, x.identifier(), x.number("start"), x.number("end"))
    ),
    "activate_span": Command("choose span", lambda p, x: activate_span(p, x.identifier())),
    "delete_span": Command("remove span", lambda p, x: delete_span(p, x.identifier())),
    "set_span_own": Command(
        "prompt of the span", lambda p, x: set_span_own(p, x.identifier(), x.flag("own"))
    ),
    "set_span_prompt": Command(
        "prompt of the span",
        lambda p, x: set_span_prompt(p, x.identifier(), x.text("prompt")),
        merges=True,
    ),
    "set_span_follow": Command(
        "lanes of the span", lambda p, x: set_span_follow(p, x.identifier(), x.names("lanes"))
    ),
    "put_chord": Command(
        "draw chord",
        lambda p, x: put_chord(p, x.number("start"), x.number("end"), x.text("symbol", 40), _id(x)),
    ),
    "name_chord": Command("change chord", lambda p, x: name_chord(p, x.identifier(), x.text("symbol", 40))),
    "move_chord": Command("move chord", lambda p, x: move_chord(p, x.identifier(), x.number("start"))),
    "resize_chord": Command(
        "resize chord", lambda p, x: resize_chord(p, x.identifier(), x.number("start"), x.number("end"))
    ),
    "delete_chord": Command("delete chord", lambda p, x: delete_chord(p, x.identifier())),
    "set_lanes": Command("edit lanes", _lanes_event),
    "keep": Command("keep take", lambda p, x: keep(p, x.identifier())),
    "show_version": Command("go to version", lambda p, x: show_version(p, x.identifier())),
    "rename_take": Command("rename take", lambda p, x: rename_take(p, x.identifier(), x.text("name"))),
    "star_take": Command("star take", lambda p, x: star_take(p, x.identifier())),
    "delete_take": Command("delete take", lambda p, x: delete_take(p, x.identifier())),
    "restore_take": Command("restore take", lambda p, x: restore_take(p, x.identifier())),
    "use_take": Command("settings of a take", lambda p, x: use_take(p, x.identifier())),
    "set_variations": Command("variations", lambda p, x: set_variations(p, x.whole("count"))),
    "set_settings": Command("advanced settings", set_settings, merges=True),
    **{name: Command(label, _edit_lanes_event) for name, label in LANE_EDITS.items()},
}


def apply(project: Project, name: str, payload: object) -> Project:
    """Apply an event from the page: `COMMANDS[name]` with the fields of `payload`.

    Raises only InputError, whatever the payload holds.
    """
    return command(name).run(project, Payload(name, payload))


def command(name: object) -> Command:
    """The command of that name; InputError when there is none."""
    found = COMMANDS.get(name) if isinstance(name, str) else None
    if found is None:
        raise InputError(f"event {str(name)[:40]!r}: no such command; reload the page")
    return found


# ---- inside


def _id(sent: Payload) -> str:
    return sent.identifier() if sent.has("id") else ""


def _show(project: Project, clip: Clip, parent: str | None, take: str | None) -> Project:
    """The clip on the timeline, remembered as a version. Spans stay if they lie inside it."""
    if _root(project, project.clip) == _root(project, clip, parent) is not None and project.clip:
        project = _moved(project, clip.lead - project.clip.lead)
    spans = tuple(span for span in project.spans if 0 <= span.start and span.end <= clip.seconds)
    active = project.active if any(span.id == project.active for span in spans) else ""
    if _version_of(project, clip.sound) is None:
        version = Version(_fresh_version(project), clip, parent, take)
        project = replace(project, versions=(*project.versions, version))
    return replace(project, clip=clip, spans=spans, active=active, kept=take)


def _root(project: Project, clip: Clip | None, parent: str | None = None) -> str | None:
    """The version that a clip began as; None for one that is no version and comes from none."""
    known = {version.id: version for version in project.versions}
    version = known.get(parent or "") or (_version_of(project, clip.sound) if clip else None)
    while version is not None and version.parent in known:
        version = known[version.parent]
    return version.id if version else None


def _moved(project: Project, seconds: float) -> Project:
    """Lanes and spans so much later in time: with them goes the music that they belong to."""
    if not seconds:
        return project
    grid = project.grid
    bars = math.trunc(seconds / (grid.seconds_per_beat * grid.beats_per_bar) * (1 + 1e-9))
    beats = float(bars * grid.beats_per_bar)
    later = lanes.shifted(project.lanes, beats)
    offset = grid.offset + seconds - beats * grid.seconds_per_beat
    spans = tuple(
        replace(span, start=round(span.start + seconds, 6), end=round(span.end + seconds, 6))
        for span in project.spans
    )
    return replace(project, grid=replace(grid, offset=offset), lanes=later, spans=spans)


def _version_of(project: Project, sound: Sound) -> Version | None:
    return next((version for version in project.versions if version.clip.sound == sound), None)


def _fresh_version(project: Project) -> str:
    return lanes.fresh_id("v", (version.id for version in project.versions))


def _with_take(project: Project, take: Take) -> Project:
    return replace(project, takes=tuple(take if known.id == take.id else known for known in project.takes))


def _check_cell(start: float, end: float, what: str) -> None:
    if not (abs(start) <= MAX_BEATS and abs(end) <= MAX_BEATS):
        raise InputError(f"{what} at beats {start:g}-{end:g}: outside the timeline; move it back")
    if end - start < lanes.SHORTEST:
        raise InputError(
            f"{what} at beats {start:g}-{end:g}: the end must follow the start by at least "
            f"{lanes.SHORTEST:g} beat; make it longer"
        )


def _identified(items: tuple[Item, ...], prefix: str) -> tuple[Item, ...]:
    """The items, each with an id of its own: missing and repeated ones get a new one."""
    seen = {item.id for item in items if item.id}
    used: set[str] = set()
    named: list[Item] = []
    for item in items:
        if not item.id or item.id in used:
            item = replace(item, id=lanes.fresh_id(prefix, seen))
        seen.add(item.id)
        used.add(item.id)
        named.append(item)
    return tuple(named)


def _fresh_chord(project: Project) -> str:
    return lanes.fresh_id("c", (cell.id for cell in project.lanes.chords))


def _chord(project: Project, id: str) -> ChordCell:
    for cell in project.lanes.chords:
        if cell.id == id:
            return cell
    raise InputError(f"chord {id[:40]!r}: no longer on the lane; undo, or draw it again")


def _with_chords(project: Project, cells: tuple[ChordCell, ...]) -> Project:
    if len(cells) > lanes.MAX_OBJECTS:
        raise InputError(f"{len(cells)} chords: at most {lanes.MAX_OBJECTS}; remove some")
    return replace(project, lanes=replace(project.lanes, chords=cells))
