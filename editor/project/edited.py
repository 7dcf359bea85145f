"""What an edit of the lanes changed inside the spans: they know it, and follow that lane from then on.

Times are beats on the project's grid. A cell that was cut or made longer changed only where it now is or no
longer is. Pure functions Project -> Project; knows neither commands nor events.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from editor.project import lanes
from editor.project.document import LaneHit, LaneItem, LaneNote, Project, Span
from engines.audio.timebase import Grid

Place = tuple[object, float, float]  # what it says, and where; hits and beginnings have no length
_LEAST = 1e-3  # beats by which it must reach into a span: borders that touch do not


def marked(before: Project, after: Project) -> Project:
    """The project after an edit of its lanes, whose spans know which lanes were changed inside them."""
    if before.lanes == after.lanes:
        return after
    touched = {
        name: _different(getattr(before.lanes, name), getattr(after.lanes, name)) for name in lanes.LANE_NAMES
    }
    spans = tuple(_marked(span, after, touched) for span in after.spans)
    return after if spans == after.spans else replace(after, spans=spans)


def cleared(span: Span) -> Span:
    """A span in which nothing was changed yet."""
    return replace(span, changed=()) if span.changed else span


def _marked(span: Span, project: Project, touched: dict[str, list[tuple[float, float]]]) -> Span:
    grid = project.grid
    names = [name for name, places in touched.items() if any(_inside(*at, span, grid) for at in places)]
    if not names:
        return span
    changed = tuple(name for name in lanes.LANE_NAMES if name in (*span.changed, *names))
    ignored = tuple(name for name in span.ignored if name not in names)  # whoever draws on it means it
    follow = project.follow if span.follow is None else span.follow
    if set(names) <= set(follow):
        return replace(span, changed=changed, ignored=ignored)
    ticked = tuple(name for name in lanes.LANE_NAMES if name in (*follow, *names))
    return replace(span, changed=changed, ignored=ignored, follow=ticked)


def _inside(start: float, end: float, span: Span, grid: Grid) -> bool:
    first, last = grid.seconds_to_beats(span.start), grid.seconds_to_beats(span.end)
    if start == end:
        return first - _LEAST <= start < last - _LEAST
    return min(end, last) - max(start, first) > _LEAST


def _different(before: Sequence[LaneItem], after: Sequence[LaneItem]) -> list[tuple[float, float]]:
    """Where two states of a lane say something else, in beats."""
    if before is after or before == after:
        return []
    old, new = set(_places(before)), set(_places(after))
    return [*_uncovered(old - new, new), *_uncovered(new - old, old)]


def _places(items: Iterable[LaneItem]) -> Iterator[Place]:
    for item in items:
        if isinstance(item, LaneHit):
            yield item.says, item.time, item.time
            continue
        yield item.says, item.start, item.end
        if isinstance(item, LaneNote):  # a note that is struck again is another tune, a chord is none
            yield ("begins", item.says), item.start, item.start


def _uncovered(places: Iterable[Place], others: Iterable[Place]) -> Iterator[tuple[float, float]]:
    """The parts of places that no other covers which says the same."""
    said: dict[object, list[tuple[float, float]]] = {}
    for what, start, end in others:
        said.setdefault(what, []).append((start, end))
    for what, start, end in places:
        if start == end:
            yield start, end
            continue
        at = start
        for first, last in sorted(said.get(what, ())):
            if first > at:
                yield at, min(first, end)
            at = max(at, last)
            if at >= end:
                break
        if at < end:
            yield at, end
