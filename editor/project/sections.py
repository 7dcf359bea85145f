"""Edits of the sections, named stretches of bars: added, named, given other borders, split, and let go.

Pure functions Project -> Project. The rules of `commands` hold. Bars are whole numbers, counted from 0 at the
grid's beat 0; sections never overlap and stay sorted. What moves sound as well is `arrangement`'s.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import replace

from editor.project import lanes
from editor.project.commands import clean_text
from editor.project.document import Project, Section
from editor.project.spans import timeline_seconds
from engines.audio.timebase import Grid
from engines.errors import InputError

MAX_SECTIONS = 100
MAX_NAME = 40  # characters
_LEAST = 1e-3  # share of a bar that counts as one


def bars_of(project: Project) -> tuple[int, int]:
    """The bars of the timeline, half-open: from the one in which it begins to the one in which it ends."""
    grid = project.grid
    first, last = (bar_at(grid, seconds) for seconds in (0.0, timeline_seconds(project)))
    return math.floor(first + _LEAST), max(1, math.ceil(last - _LEAST))


def bar_at(grid: Grid, seconds: float) -> float:
    """Which bar a time lies in, as a fraction; 0 begins with beat 0."""
    return grid.seconds_to_beats(seconds) / grid.beats_per_bar


def find_section(project: Project, id: str) -> Section:
    """The section of that id; InputError when there is none."""
    for section in project.sections:
        if section.id == id:
            return section
    raise InputError(f"section {id[:40]!r}: no longer there; undo, or choose another")


def add_section(project: Project, name: str, start: int, end: int, id: str = "") -> Project:
    """Name the bars [start, end); what they cover of other sections is cut away."""
    if len(project.sections) >= MAX_SECTIONS:
        raise InputError(f"{len(project.sections)} sections: at most {MAX_SECTIONS}; remove the name of one")
    taken = {section.id for section in project.sections}
    own = id if id and id not in taken else lanes.fresh_id("b", taken)
    return _placed(project, Section(own, _name(name), *_bounds(project, start, end)))


def set_sections(project: Project, named: Iterable[tuple[str, int, int]]) -> Project:
    """Other sections instead of those there are: (name, first bar, bar behind the last) each."""
    project = replace(project, sections=())
    for name, start, end in named:
        project = add_section(project, name, start, end)
    return project


def name_section(project: Project, id: str, name: str) -> Project:
    """Call a section something else."""
    return _placed(project, replace(find_section(project, id), name=_name(name)))


def set_section(project: Project, id: str, start: int, end: int) -> Project:
    """Give a section other borders; what it covers of others is cut away."""
    start, end = _bounds(project, start, end)
    return _placed(project, replace(find_section(project, id), start=start, end=end))


def split_section(project: Project, id: str, bar: int, new: str = "") -> Project:
    """Cut a section in two of the same name before a bar inside it."""
    section = find_section(project, id)
    if not section.start < bar < section.end:
        raise InputError(f"bar {bar + 1}: not inside {section.name!r}; put the playhead between its bars")
    project = _placed(project, replace(section, end=bar))
    return add_section(project, section.name, bar, section.end, new)


def remove_section(project: Project, id: str) -> Project:
    """Let the name of a section go; its sound stays."""
    gone = find_section(project, id)
    return replace(project, sections=tuple(s for s in project.sections if s != gone))


def in_order(sections: Iterable[Section]) -> tuple[Section, ...]:
    """Sections by their place."""
    return tuple(sorted(sections, key=lambda section: section.start))


def _placed(project: Project, section: Section) -> Project:
    """The project with a section, which replaces one of its id and cuts what it covers."""
    kept = [section]
    taken = {known.id for known in project.sections} | {section.id}
    for other in project.sections:
        if other.id == section.id:
            continue
        left = replace(other, end=min(other.end, section.start))
        right = replace(other, start=max(other.start, section.end))
        parts = [part for part in (left, right) if part.end > part.start]
        if len(parts) == 2:
            parts[1] = replace(right, id=lanes.fresh_id("b", taken))
            taken.add(parts[1].id)
        kept += parts
    return replace(project, sections=in_order(kept))


def _name(name: str) -> str:
    name = clean_text(name)
    if not 1 <= len(name) <= MAX_NAME:
        raise InputError(f"name of {len(name)} characters: expected 1-{MAX_NAME}; name it again")
    return name


def _bounds(project: Project, start: int, end: int) -> tuple[int, int]:
    first, last = bars_of(project)
    if not first <= start < end <= last:
        raise InputError(f"bars {start + 1}-{end}: expected bars among {first + 1}-{last}; choose others")
    return start, end
