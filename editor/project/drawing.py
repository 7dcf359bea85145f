"""Edits of the lanes: what a gesture draws, moves and takes away. Project -> Project.

The rules of `commands` hold: what comes is checked, nothing is changed in place. Times are beats.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeVar

from editor.project import band, edited, lanes
from editor.project.document import ChordCell, LaneHit, LaneNote, LanePart, Lanes, Project
from engines.audio.timebase import Grid
from engines.errors import InputError
from engines.music.chords import parse as parse_chord
from engines.music.instruments import named
from engines.requests import DRUMS, Controls

MAX_BEATS = 100_000.0  # far beyond any clip; keeps lane times finite
Item = TypeVar("Item", ChordCell, LaneNote, LaneHit, LanePart)


def name_chord(project: Project, id: str, symbol: str) -> Project:
    """Give a chord another symbol."""
    cell = replace(_chord(project, id), symbol=parse_chord(symbol).symbol)
    return edit_lanes(project, Lanes(chords=(cell,)))


def set_lanes(project: Project, put: Lanes, names: Collection[str] | None = None) -> Project:
    """Replace whole lanes: those of the names, else those of `put` that hold something.

    Overlaps are cut, later cells over earlier ones.
    """
    if names is None:
        names = [name for name in lanes.LANE_NAMES if getattr(put, name)]
    placed = {name: _placed(name, (), getattr(put, name)) for name in names}
    return replace(project, lanes=replace(project.lanes, **placed))


def edit_lanes(project: Project, put: Lanes, remove: Collection[str] = ()) -> Project:
    """One gesture on the lanes: objects with the ids in `remove` go, those in `put` come.

    An object whose id is known moves; a chord, note or part that comes cuts what it covers, except what
    comes with it. Spans in which something changed know it, and follow the lane from now on. Lanes that the
    gesture does not name stay, so that it cannot undo what another source (the analysis of the audio) has put
    there meanwhile.
    """
    now, gone = project.lanes, set(remove)
    for name, rules in _RULES.items():
        if getattr(put, name) or gone:
            placed = _placed(name, getattr(now, name), getattr(put, name), gone)
            if len(placed) > lanes.MAX_OBJECTS:
                count = f"{len(placed)} {rules.plural}"
                raise InputError(f"{count}: at most {lanes.MAX_OBJECTS}; remove some")
            now = replace(now, **{name: placed})
    return edited.marked(project, replace(project, lanes=now))


def of_controls(controls: Controls, grid: Grid, by: str) -> Lanes:
    """Controls in seconds -> lanes in beats; `by`: whose word the parts of the band are."""
    return Lanes(
        lanes.chords_to_lane(controls.chords or (), grid),
        lanes.notes_to_lane(controls.melody or (), grid),
        lanes.hits_to_lane(controls.drums or (), grid),
        band.to_lane(controls.instruments or (), grid, by),
    )


def _placed(
    name: str, lane: Sequence[Any], new: Sequence[Any], gone: Collection[str] = ()
) -> tuple[Any, ...]:
    """A lane with new objects on it and without the ids in `gone`; a known id moves."""
    rules = _RULES[name]
    come = _identified(rules.checked(new), rules.prefix, lane)
    replaced = {*gone, *(item.id for item in come)}
    # Later cells cut earlier ones; where none overlap, as nearly always, that is one sort.
    return rules.placed((*(item for item in lane if item.id not in replaced), *come))


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


def _check_cell(start: float, end: float, what: str) -> None:
    if not (abs(start) <= MAX_BEATS and abs(end) <= MAX_BEATS):
        raise InputError(f"{what} at beats {start:g}-{end:g}: outside the timeline; move it back")
    if end - start < lanes.SHORTEST:
        raise InputError(
            f"{what} at beats {start:g}-{end:g}: the end must follow the start by at least "
            f"{lanes.SHORTEST:g} beat; make it longer"
        )


@dataclass(frozen=True)
class _Rules:
    """How things come onto a lane."""

    checked: Callable[[Any], tuple[Any, ...]]  # InputError for what cannot lie there
    placed: Callable[[Any], tuple[Any, ...]]  # in order, those that come cut what they cover
    prefix: str  # begins the ids of its objects
    plural: str  # what many of them are called


_RULES: dict[str, _Rules] = {
    "chords": _Rules(_checked_chords, lanes.place_all, "c", "chords"),
    "melody": _Rules(_checked_notes, lanes.place_all, "n", "notes"),
    "drums": _Rules(_checked_hits, lanes.in_order, "h", "hits"),
    "band": _Rules(_checked_parts, lambda parts: band.place((), parts), "p", "parts"),
}


def _identified(items: tuple[Item, ...], prefix: str, lane: Sequence[Item] = ()) -> tuple[Item, ...]:
    """The items, each with an id of its own: missing and repeated ones get one that is new on the lane."""
    seen = {item.id for item in (*items, *lane) if item.id}
    used: set[str] = set()
    named: list[Item] = []
    for item in items:
        if not item.id or item.id in used:
            item = replace(item, id=lanes.fresh_id(prefix, seen))
        seen.add(item.id)
        used.add(item.id)
        named.append(item)
    return tuple(named)


def _chord(project: Project, id: str) -> ChordCell:
    for cell in project.lanes.chords:
        if cell.id == id:
            return cell
    raise InputError(f"chord {id[:40]!r}: no longer on the lane; undo, or draw it again")


assert tuple(_RULES) == lanes.LANE_NAMES
