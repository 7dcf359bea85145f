"""A section copied or moved with its sound and its lanes: the pieces of the clip in another order.

`copied` and `moved` give the document as it will be, and the pieces of the sound that belong to it: whoever
has the samples lays them one after the other (`disk/splices`). Lanes move by whole bars and are cut where
pieces meet. Pure functions; beats on the grid, seconds on the clip's clock.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Any

from editor.project import lanes, sections
from editor.project.commands import LENGTH_SECONDS
from editor.project.document import LaneHit, Lanes, Project, Section, Span
from engines.audio.timebase import seconds_to_samples
from engines.errors import InputError


@dataclass(frozen=True)
class Piece:
    """A stretch of bars of the old timeline, half-open, that stands in the new one; infinite at its ends."""

    start: float
    end: float
    copy: bool = False  # it stands elsewhere, too


@dataclass(frozen=True)
class Arranged:
    """A document, and of which pieces of the sound before it is made."""

    project: Project
    pieces: tuple[Piece, ...]

    def samples(self, rate: int, length: int) -> list[tuple[int, int]]:
        """The pieces in samples of a clip of `length`; beyond its ends there is silence."""
        grid = self.project.grid

        def at(bar: float, otherwise: int) -> int:
            if math.isinf(bar):
                return otherwise
            return seconds_to_samples(grid.beats_to_seconds(bar * grid.beats_per_bar), rate)

        spans = [(at(piece.start, 0), at(piece.end, length)) for piece in self.pieces]
        return [(first, last) for first, last in spans if last > first]


def copied(project: Project, id: str, at: int, new: str = "") -> Arranged:
    """A section once more, before bar `at`; `new` becomes the id of the copy."""
    section = sections.find_section(project, id)
    at = _place(project, at)
    pieces = (Piece(-math.inf, at), Piece(section.start, section.end, copy=True), Piece(at, math.inf))
    return _arranged(project, pieces, section.end - section.start, new)


def repeated(project: Project, id: str, new: str = "") -> Arranged:
    """A section once more, right behind itself."""
    return copied(project, id, sections.find_section(project, id).end, new)


def moved(project: Project, id: str, at: int) -> Arranged:
    """A section taken out of its place and put before bar `at` of those that are there now."""
    section = sections.find_section(project, id)
    at = _place(project, at)
    first, last = section.start, section.end
    if first <= at <= last:
        raise InputError(f"bar {at + 1}: {section.name!r} is there already; choose another place")
    own = Piece(first, last)
    if at > last:
        return _arranged(project, (Piece(-math.inf, first), Piece(last, at), own, Piece(at, math.inf)), 0)
    return _arranged(project, (Piece(-math.inf, at), own, Piece(at, first), Piece(last, math.inf)), 0)


def _place(project: Project, at: int) -> int:
    first, last = sections.bars_of(project)
    if not first <= at <= last:
        raise InputError(f"bar {at + 1}: expected one among {first + 1}-{last + 1}; choose another place")
    return max(at, first)


def _arranged(project: Project, pieces: tuple[Piece, ...], longer: int, new: str = "") -> Arranged:
    grid = project.grid
    bar = grid.beats_per_bar
    shifts = list(_shifts(pieces))
    drawn = {
        name: _items(getattr(project.lanes, name), pieces, shifts, bar, name) for name in lanes.LANE_NAMES
    }
    if project.clip is None:
        seconds = project.length + longer * bar * grid.seconds_per_beat
        if seconds > LENGTH_SECONDS[1]:
            raise InputError(
                f"{seconds:g} s: at most {LENGTH_SECONDS[1]:g} s without a clip; shorten it first"
            )
        project = replace(project, length=seconds)
    after = replace(
        project,
        lanes=Lanes(**drawn),
        sections=_sections(project.sections, pieces, shifts, new),
        spans=tuple(_span(span, project, pieces, shifts) for span in project.spans),
    )
    return Arranged(replace(after, spans=tuple(sorted(after.spans, key=lambda s: (s.start, s.end)))), pieces)


def _shifts(pieces: Sequence[Piece]) -> Iterator[float]:
    """By how many bars each piece moves."""
    at = pieces[0].end
    yield 0.0
    for piece in pieces[1:]:
        yield at - piece.start
        at += piece.end - piece.start


def _items(
    lane: Sequence[Any], pieces: Sequence[Piece], shifts: Sequence[float], bar: int, name: str
) -> tuple[Any, ...]:
    """A lane with its pieces in their new order."""
    prefix = {"chords": "c", "melody": "n", "drums": "h", "band": "p"}[name]
    fresh = _fresh(prefix, {item.id for item in lane})
    used: set[str] = set()
    found: list[Any] = []
    for piece, shift in sorted(zip(pieces, shifts, strict=True), key=lambda one: one[0].copy):
        for item in lane:
            part = _cut(item, piece.start * bar, piece.end * bar, shift * bar)
            if part is None:
                continue
            found.append(replace(part, id=fresh()) if item.id in used else part)
            used.add(item.id)
    if len(found) > lanes.MAX_OBJECTS:
        raise InputError(f"{len(found)} objects on a lane: at most {lanes.MAX_OBJECTS}; remove some")
    if name == "drums":
        return lanes.in_order(found)
    return tuple(sorted(found, key=lambda item: item.start))


def _cut(item: Any, start: float, end: float, shift: float) -> Any | None:
    """The part of an object that lies in a piece, where it will be; None without one."""
    if isinstance(item, LaneHit):
        return replace(item, time=item.time + shift) if start <= item.time < end else None
    first, last = max(item.start, start), min(item.end, end)
    if last - first < min(lanes.SHORTEST, item.end - item.start) - 1e-9:
        return None
    return replace(item, start=first + shift, end=last + shift)


def _sections(
    known: Sequence[Section], pieces: Sequence[Piece], shifts: Sequence[float], new: str
) -> tuple[Section, ...]:
    fresh = _fresh("b", {section.id for section in known} | {new})
    used: set[str] = set()
    found = []
    for piece, shift in sorted(zip(pieces, shifts, strict=True), key=lambda one: one[0].copy):
        for section in known:
            first, last = max(section.start, piece.start), min(section.end, piece.end)
            if last <= first:
                continue
            part = replace(section, start=int(first + shift), end=int(last + shift))
            if section.id in used:
                whole = piece.copy and (first, last) == (piece.start, piece.end)
                part = replace(part, id=new if new and whole else fresh())
            used.add(section.id)
            found.append(part)
    if len(found) > sections.MAX_SECTIONS:
        raise InputError(f"{len(found)} sections: at most {sections.MAX_SECTIONS}; remove the name of one")
    return sections.in_order(found)


def _span(span: Span, project: Project, pieces: Sequence[Piece], shifts: Sequence[float]) -> Span:
    """A span goes where the sound at its beginning goes."""
    grid = project.grid
    bar = sections.bar_at(grid, span.start) + 1e-6
    shift = next(
        s
        for piece, s in zip(pieces, shifts, strict=True)
        if not piece.copy and piece.start <= bar < piece.end
    )
    seconds = shift * grid.beats_per_bar * grid.seconds_per_beat
    return replace(span, start=round(span.start + seconds, 6), end=round(span.end + seconds, 6))


def _fresh(prefix: str, taken: set[str]) -> Callable[[], str]:
    """Gives ids that are not taken, one after the other."""
    number = len(taken)

    def next_id() -> str:
        nonlocal number
        number += 1
        while f"{prefix}{number}" in taken:
            number += 1
        taken.add(f"{prefix}{number}")
        return f"{prefix}{number}"

    return next_id
