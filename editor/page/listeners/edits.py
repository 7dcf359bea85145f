"""Gestures on the document: opening, edits with undo and redo, votes, and the projects of the home."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import Any

import gradio as gr

from editor.page import contract
from editor.page.contract import Payload
from editor.page.events import EditEvent, LateEvent, OpenEvent, ProjectEvent, read_event, rev_of
from editor.page.listeners.lines import Lines
from editor.page.listeners.wiring import EDITS, GESTURES, WAKES, Telling, Updates
from editor.page.seats import Seats
from editor.page.takes.groups import takes_state
from editor.page.view import View
from editor.project import commands
from editor.project.disk import library
from editor.project.disk.lock import Held
from editor.session import Session
from engines.errors import InputError

TAKE_COMMANDS = {"judge_again", "undo", "redo"} | {  # edits that change what the cards show
    name for name in contract.COMMANDS if name in ("keep", "show_version") or name.endswith("_take")
}


class Edits:
    """Listeners of the timeline, the takes, and the bar's undo and redo."""

    def __init__(self, view: View, seats: Seats) -> None:
        self.view = view
        self.seats = seats
        self.lines = Lines(seats)
        self.opened = threading.Event()  # a page has got what it shows, the first since the start

    def wire(self, telling: Telling) -> Any:
        """Bind the listeners; gives the event of a page that has opened."""
        view, layout, lines = self.view, self.view.layout, self.lines
        opened = layout.timeline.open(lines.of_tab(telling(self.open)), None, view.everything, **EDITS)
        layout.timeline.edit(lines.of_project(telling(self.edit)), None, view.everything, **GESTURES)
        voted = lines.of_project(telling(self.vote))
        layout.takes.vote(voted, None, [layout.takes, layout.timeline], **EDITS)
        layout.takes.project(lines.of_tab(telling(self.project)), None, view.everything, **EDITS)
        layout.timeline.wake(_nothing, None, None, **WAKES)
        return opened

    def open(self, event: gr.EventData, request: gr.Request) -> Updates:
        """The page has loaded."""
        try:
            sent = read_event(OpenEvent, event._data)
        except InputError:
            sent = OpenEvent()
        shown = self.view.all(
            self.seats.sessions(request).resume(request.session_hash, sent.project, sent.page)
        )
        self.opened.set()
        return shown

    def edit(self, event: gr.EventData, request: gr.Request) -> Updates:
        """One gesture, a step of undo or redo, or what was typed or chosen in a field."""
        view, tab, session = self.view, request.session_hash, self.seats.of(request)
        before = view.standing(session)
        session.error, session.held = None, ""
        sent, slot, wrong = EditEvent(rev=0, name="", payload={}), "timeline", ""
        try:
            sent = read_event(EditEvent, event._data)
            slot = "timeline" if not sent.field else "prompt" if sent.name == "set_prompt" else "knobs"
            apply_field(session, sent.name, sent.payload, sent.id)
            if not sent.field:
                session.refused.clear()  # fields are written anew where they changed
            session.refused.pop(_field_of(sent), None)
        except InputError as error:
            session.held = error.folder.name if isinstance(error, Held) else ""
            wrong = _taken_back(sent.name, error)
            if slot == "timeline":
                session.error = wrong  # stands until the next gesture
            else:
                session.refused[_field_of(sent)] = wrong
        # Only now, whatever is wrong: a document that was read before must not say that it holds the gesture.
        session.heard(tab, rev_of(event._data))
        updates = view.shown(session, slot, wrong, takes=sent.name in TAKE_COMMANDS and not wrong)
        if sent.field == "chosen" and sent.name != "set_preset":  # it may be chosen anew by now
            return updates
        # Another span has other words, a tapped tempo stands in its field; all else is left to who types.
        return view.changed(session, before, updates)

    def late(self, data: object, user: str = "") -> None:
        """The edits that a user's page has sent as it was closed. Nobody hears what is wrong with one."""
        with suppress(InputError):
            sent = read_event(LateEvent, data)
            session = self.seats.homes.of(user).of_page(sent.page)
            if session is None:
                return
            for edit in sent.edits:
                with suppress(InputError):
                    apply_field(session, edit.name, edit.payload, edit.id)

    def vote(self, event: gr.EventData, request: gr.Request) -> Updates:
        """A blind round is over."""
        layout, session = self.view.layout, self.seats.of(request)
        document = self.view.document(session)
        try:
            session.vote(Payload("vote", event._data))
        except InputError as error:
            document.error = str(error)
        return {layout.takes: takes_state(session), layout.timeline: document}

    def project(self, event: gr.EventData, request: gr.Request) -> Updates:
        """Another project into this tab: a new one, one of the home, or a copy of this one."""
        tab, session = request.session_hash, self.seats.of(request)
        try:
            session = self._opened(read_event(ProjectEvent, event._data), session, request)
        except InputError as error:
            session.held = error.folder.name if isinstance(error, Held) else ""
            session.heard(tab, rev_of(event._data))
            return self.view.shown(session, "timeline", str(error))
        session.heard(tab, rev_of(event._data))
        return self.view.all(session)

    def _opened(self, sent: ProjectEvent, session: Session, request: gr.Request) -> Session:
        sessions, tab = self.seats.sessions(request), request.session_hash
        if sent.action == "new":
            return sessions.new(tab)
        if sent.action == "open":
            return sessions.open(tab, sent.folder)
        if sent.folder:  # of a project that another process may have
            name = commands.set_name(session.project, sent.name).name if sent.name else ""
            copy = library.duplicate(sessions.folder(sent.folder), name).folder.name
        else:
            copy = session.duplicate(commands.set_name(session.project, sent.name).name)
        return sessions.open(tab, copy)


def apply_field(session: Session, command: str, payload: dict[str, Any], id: str = "") -> None:
    """A command, also of a field. Words and lanes name the span that they were chosen for, "" = the clip."""
    fields = dict(payload)
    span = fields.pop("span", "") if command in ("set_prompt", "set_follow") else ""
    if span in {each.id for each in session.project.spans}:
        session.apply(command.replace("set_", "set_span_"), {"id": span, **fields}, id)
    elif not span:  # a span that is gone meanwhile has taken its words along
        session.apply(command, fields, id)


def _nothing() -> None:
    """An event that only opens the stream of answers (`waking.js`)."""


def _field_of(sent: EditEvent) -> str:
    return " ".join((sent.name, *sorted(sent.payload)))


def _taken_back(name: str, error: InputError) -> str:
    """Why an edit was refused; of one on the lanes, which the page has shown already, what is gone again."""
    label = contract.LANE_EDITS.get(name)
    if label is None or isinstance(error, Held):
        return str(error)
    return f"{label} was taken back: {str(error).removeprefix(f'{name}: ')}"
