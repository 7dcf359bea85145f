"""Edits of the spans that are re-made: borders, words and lanes of their own, intent.

Pure functions Project -> Project. The rules of `commands` hold: what comes is checked, nothing is changed in
place. Times are seconds.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from editor.project import lanes
from editor.project.commands import check_prompt, lane_names
from editor.project.document import Project, Span
from engines.errors import InputError
from engines.music.instruments import named
from engines.requests import INTENTS

MAX_SPANS = 16
_SLACK = 0.02  # seconds by which a dragged border may miss the clip's edge


def timeline_seconds(project: Project) -> float:
    """Length of the timeline: the clip's, or that of the clip to be generated."""
    return project.clip.seconds if project.clip else project.length


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


def clear_region(project: Project) -> Project:
    """Remove the active span; no other becomes active."""
    rest = tuple(span for span in project.spans if span.id != project.active)
    return _with_spans(project, rest, "")


def set_span_prompt(project: Project, id: str, prompt: str | None) -> Project:
    """Give a span words of its own; None = the project's."""
    words = None if prompt is None else check_prompt(prompt)
    return _with_span(project, replace(_span(project, id), prompt=words))


def set_span_follow(project: Project, id: str, names: Sequence[str] | None) -> Project:
    """Choose the lanes that condition one span; None = the project's."""
    return _with_span(
        project, replace(_span(project, id), follow=None if names is None else lane_names(names))
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
    span, (name,) = _span(project, id), lane_names((lane,))
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
