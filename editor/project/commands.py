"""Edits of words, grid, spans and lanes: pure functions Project -> Project.

Every function checks what it is given and raises `InputError` (one line: value, expectation, remedy);
none changes its argument. Times of regions and audio are seconds, times of lanes are beats.
Knows neither history, files nor engines' insides.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar
from unicodedata import category

from editor.page.payload import Payload
from editor.project import band, edited, lanes
from editor.project.document import ChordCell, LaneHit, LaneNote, LanePart, Lanes, Project, Span
from editor.runs import settings
from engines.audio.timebase import Grid
from engines.music.chords import parse as parse_chord
from engines.music.instruments import named
from engines.requests import DRUMS, ENGINE_NAMES, INTENTS, LONGEST_SECONDS, MAX_PROMPT, InputError

LENGTH_SECONDS = (1.0, LONGEST_SECONDS)  # what Generate may be asked for, and what may be added
MAX_SEED = 2**32 - 1
MAX_NAME = 100  # characters
MAX_VARIATIONS = 4
MAX_SPANS = 16
MAX_BEATS = 100_000.0  # far beyond any clip; keeps lane times finite
SORTS = ("smoothest", "wish")  # how the takes of a span may be ordered
Item = TypeVar("Item", ChordCell, LaneNote, LaneHit, LanePart)
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


def set_follow(project: Project, names: Sequence[str]) -> Project:
    """Choose the lanes that condition a run."""
    return replace(project, follow=_lane_names(names))


def set_sort(project: Project, by: str) -> Project:
    """Choose how the takes of a span are ordered."""
    if by not in SORTS:
        raise InputError(f"sort by {by[:40]!r}: expected one of {', '.join(SORTS)}")
    return replace(project, sort=by)


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
        return _with_span(project, replace(span, prompt=None, follow=None, not_meant=()))
    prompt = project.prompt if span.prompt is None else span.prompt
    follow = project.follow if span.follow is None else span.follow
    return _with_span(project, replace(span, prompt=prompt, follow=follow))


def set_intent(project: Project, id: str, intent: str) -> Project:
    """Say whether a span is to blend in or to change; "auto" leaves it to what was asked."""
    if intent not in INTENTS:
        raise InputError(f"intent {intent[:40]!r}: expected one of {', '.join(INTENTS)}")
    return _with_span(project, replace(_span(project, id), intent=intent))


def ignore_lane(project: Project, id: str, lane: str, ignore: bool) -> Project:
    """Leave a lane out of what conditions one span, or follow it again."""
    span, (name,) = _span(project, id), _lane_names((lane,))
    ignored = tuple(
        n for n in lanes.LANE_NAMES if (n in span.ignored and n != name) or (n == name and ignore)
    )
    return _with_span(project, replace(span, ignored=ignored))


def tag_word(project: Project, id: str, name: str, meant: bool) -> Project:
    """Say of an instrument that the words of a span ("" = the clip) name whether it is meant."""
    name = named(name)
    own = _span(project, id) if id else None
    others = tuple(known for known in (own or project).not_meant if known != name)
    not_meant = others if meant else (*others, name)
    if own is None:
        return replace(project, not_meant=not_meant)
    return _with_span(project, replace(own, not_meant=not_meant))


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


def set_lanes(
    project: Project,
    chords: Sequence[ChordCell] | None = None,
    melody: Sequence[LaneNote] | None = None,
    drums: Sequence[LaneHit] | None = None,
    parts: Sequence[LanePart] | None = None,
) -> Project:
    """Replace whole lanes (None = leave it as it is). Overlaps are cut, later cells over earlier ones."""
    now = project.lanes
    if chords is not None:
        now = replace(now, chords=lanes.place_all(_identified(_checked_chords(chords), "c")))
    if melody is not None:
        now = replace(now, melody=lanes.place_all(_identified(_checked_notes(melody), "n")))
    if drums is not None:
        now = replace(now, drums=lanes.in_order(_identified(_checked_hits(drums), "h")))
    if parts is not None:
        now = replace(now, band=band.place((), _identified(_checked_parts(parts), "p")))
    return replace(project, lanes=now)


def edit_lanes(project: Project, put: Lanes, remove: Sequence[str] = ()) -> Project:
    """One gesture on the lanes: objects with the ids in `remove` go, those in `put` come.

    An object whose id is known moves; a chord, note or part that comes cuts what it covers, except what
    comes with it. Spans in which something changed know it, and follow the lane from now on. Lanes that the
    gesture does not name stay, so that it cannot undo what another source (the analysis of the audio) has put
    there meanwhile.
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
    parts = now.band
    if put.band or gone:
        parts = band.place(parts, _identified(_checked_parts(put.band), "p"), gone)
        _check_count(parts, "parts")
    return edited.marked(project, replace(project, lanes=Lanes(chords, melody, drums, parts)))


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


def _checked_parts(parts: Sequence[LanePart]) -> tuple[LanePart, ...]:
    for part in parts:
        _check_cell(part.start, part.end, "part")
        if part.by not in band.MAKERS:
            raise InputError(f"part by {part.by[:40]!r}: expected one of {', '.join(band.MAKERS)}")
        if not 0 <= part.sure <= 1:
            raise InputError(f"part with certainty {part.sure:g}: expected 0-1; draw it again")
    return tuple(replace(part, instrument=named(part.instrument)) for part in parts)


def set_settings(project: Project, sent: Payload) -> Project:
    """Turn the knobs that are named."""
    return replace(project, settings=settings.turned(project.settings, sent))


def set_preset(project: Project, name: str) -> Project:
    """Set all knobs as a preset has them."""
    return replace(project, settings=settings.preset(name))


def set_variations(project: Project, count: int) -> Project:
    """How many takes each engine makes at a click."""
    if not 1 <= count <= MAX_VARIATIONS:
        raise InputError(f"{count} variations: expected 1-{MAX_VARIATIONS}; choose one of them")
    return replace(project, variations=count)


# ---- inside


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
    return edited.marked(project, replace(project, lanes=replace(project.lanes, chords=cells)))
