"""Undo and redo over immutable projects.

A `History` is itself a frozen value: every function gives a new one. One gesture is one step; steps
that carry the same merge key follow each other as one (typing). Takes, versions and votes stand outside
time: undoing, redoing and results that arrive later never lose one. Knows no commands, files or page.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TypeVar

from editor.project.document import Project, Round, Take, Version

Heard = tuple[dict[str, object], ...]  # as of document.Take
MAX_STEPS = 200  # undo steps kept; the oldest fall off


@dataclass(frozen=True)
class Step:
    """A project on the other side of one edit."""

    project: Project
    label: str  # names the edit: "draw chord"
    merge: str = ""  # key of edits that join this step; empty = none does


@dataclass(frozen=True)
class History:
    """The project now, and the ways back and forward."""

    present: Project = field(default_factory=Project)
    past: tuple[Step, ...] = ()  # oldest first; step.project is the state before the edit
    future: tuple[Step, ...] = ()  # next first; step.project is the state after the edit

    @property
    def can_undo(self) -> bool:
        """Whether there is a step back."""
        return bool(self.past)

    @property
    def can_redo(self) -> bool:
        """Whether there is a step forward."""
        return bool(self.future)

    @property
    def undo_label(self) -> str:
        """What Undo takes back ("draw chord"); empty when there is nothing."""
        return self.past[-1].label if self.past else ""

    @property
    def redo_label(self) -> str:
        """What Redo does again; empty when there is nothing."""
        return self.future[0].label if self.future else ""

    @property
    def projects(self) -> tuple[Project, ...]:
        """Every state that it can come to."""
        return (self.present, *(step.project for step in (*self.past, *self.future)))

    def do(self, project: Project, label: str, merge: str = "") -> History:
        """Record an edit that led to `project`. An edit that changes nothing makes no step.

        With a merge key, an edit that directly follows one of the same key joins its step.
        """
        project = _with_all_made(project, self.present)
        if project == self.present:
            return self
        if merge and self.past and self.past[-1].merge == merge and not self.future:
            return History(project, self.past, ())
        past = (*self.past, Step(self.present, label, merge))[-MAX_STEPS:]
        return History(project, past, ())

    def with_takes(self, *takes: Take) -> History:
        """Takes that have arrived: part of the present at once, no step, the way forward stays."""
        arrived = replace(self.present, takes=takes, versions=(), rounds=())
        return replace(self, present=_with_all_made(self.present, arrived))

    def with_rounds(self, *rounds: Round) -> History:
        """Votes that were cast: part of the present at once, no step, the way forward stays."""
        cast = replace(self.present, takes=(), versions=(), rounds=rounds)
        return replace(self, present=_with_all_made(self.present, cast))

    def with_heard(self, id: str, wish: Heard, band: Heard) -> History:
        """What was heard again in a take: of every state that has it, no step."""

        def with_words(project: Project) -> Project:
            takes = tuple(
                replace(take, wish=wish, band=band) if take.id == id else take for take in project.takes
            )
            return project if takes == project.takes else replace(project, takes=takes)

        past = tuple(replace(step, project=with_words(step.project)) for step in self.past)
        future = tuple(replace(step, project=with_words(step.project)) for step in self.future)
        return History(with_words(self.present), past, future)

    def undo(self) -> History:
        """One step back; itself when there is none."""
        if not self.past:
            return self
        step = self.past[-1]
        project = _with_all_made(step.project, self.present)
        return History(project, self.past[:-1], (Step(self.present, step.label), *self.future))

    def redo(self) -> History:
        """One step forward; itself when there is none."""
        if not self.future:
            return self
        step = self.future[0]
        project = _with_all_made(step.project, self.present)
        return History(project, (*self.past, Step(self.present, step.label)), self.future[1:])


def _with_all_made(project: Project, other: Project) -> Project:
    """The project with those takes, versions and votes of `other` added that it lacks, in their order."""
    if project is other:
        return project
    takes = _lacking(project.takes, other.takes)
    versions = _lacking(project.versions, other.versions)
    rounds = _lacking(project.rounds, other.rounds)
    if not (takes or versions or rounds):
        return project
    return replace(
        project,
        takes=(*project.takes, *takes),
        versions=(*project.versions, *versions),
        rounds=(*project.rounds, *rounds),
    )


Made = TypeVar("Made", Take, Version, Round)


def _lacking(own: tuple[Made, ...], others: tuple[Made, ...]) -> tuple[Made, ...]:
    known = {item.id for item in own}
    return tuple(item for item in others if item.id not in known)
