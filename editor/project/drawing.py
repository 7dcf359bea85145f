"""Edits of the lanes: what a gesture draws, moves and takes away. Project -> Project.

The rules of `commands` hold: what comes is checked, nothing is changed in place. Times are beats.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TypeVar

from editor.project import band, edited, lanes
from editor.project.document import ChordCell, LaneHit, LaneNote, LanePart, Lanes, Project
from engines.errors import InputError
from engines.music.chords import parse as parse_chord
from engines.music.instruments import named
from engines.requests import DRUMS

MAX_BEATS = 100_000.0  # far beyond any clip; keeps lane times finite
Item = TypeVar("Item", ChordCell, LaneNote, LaneHit, LanePart)
AnyCell = TypeVar("AnyCell", ChordCell, LaneNote)


def name_chord(project: Project, id: str, symbol: str) -> Project:
    """Give a chord another symbol."""
    cell = replace(_chord(project, id), symbol=parse_chord(symbol).symbol)
    return edit_lanes(project, Lanes(chords=(cell,)))


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
        chords = _placed(chords, _identified(_checked_chords(put.chords), "c", chords), gone, "chords")
    if put.melody or gone:
        melody = _placed(melody, _identified(_checked_notes(put.melody), "n", melody), gone, "notes")
    if put.drums or gone:
        new = _identified(_checked_hits(put.drums), "h", drums)
        replaced = gone | {hit.id for hit in new}
        drums = lanes.in_order((*(hit for hit in drums if hit.id not in replaced), *new))
        _check_count(drums, "hits")
    parts = now.band
    if put.band or gone:
        parts = band.place(parts, _identified(_checked_parts(put.band), "p", parts), gone)
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


def _check_cell(start: float, end: float, what: str) -> None:
    if not (abs(start) <= MAX_BEATS and abs(end) <= MAX_BEATS):
        raise InputError(f"{what} at beats {start:g}-{end:g}: outside the timeline; move it back")
    if end - start < lanes.SHORTEST:
        raise InputError(
            f"{what} at beats {start:g}-{end:g}: the end must follow the start by at least "
            f"{lanes.SHORTEST:g} beat; make it longer"
        )


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
