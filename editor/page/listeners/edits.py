"""Gestures on the document: opening, edits, undo and redo, votes, and the projects of the home."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import gradio as gr

from editor.page import contract
from editor.page.contract import Payload
from editor.page.events import EditEvent, LateEvent, OpenEvent, ProjectEvent, read_event, rev_of
from editor.page.listeners.wiring import EDITS, GESTURES, Telling, Updates
from editor.page.takes.groups import takes_state
from editor.page.view import View
from editor.project import commands
from editor.project.disk import library
from editor.project.disk.lock import Held
from editor.session import Session
from editor.sessions import Sessions
from engines.errors import InputError

TAKE_COMMANDS = {"judge_again"} | {  # edits that change what the cards show
    name for name in contract.COMMANDS if name in ("keep", "show_version") or name.endswith("_take")
}


class Edits:
    """Listeners of the timeline, the takes, and the bar's undo and redo."""

    def __init__(self, view: View, sessions: Sessions) -> None:
        self.view = view
        self.sessions = sessions

    def wire(self, telling: Telling) -> Any:
        """Bind the listeners; gives the event of a page that has opened."""
        view, layout = self.view, self.view.layout
        opened = layout.timeline.open(telling(self.open), None, view.everything, **EDITS)
        layout.timeline.edit(telling(self.edit), None, view.everything, **GESTURES)
        layout.undo.click(telling(self.undo), None, view.everything, **GESTURES)
        layout.redo.click(telling(self.redo), None, view.everything, **GESTURES)
        layout.takes.vote(telling(self.vote), None, [layout.takes, layout.timeline], **EDITS)
        layout.takes.project(telling(self.project), None, view.everything, **EDITS)
        return opened

    def open(self, event: gr.EventData, request: gr.Request) -> Updates:
        """The page has loaded."""
        try:
            sent = read_event(OpenEvent, event._data)
        except InputError:
            sent = OpenEvent()
        return self.view.all(self.sessions.resume(request.session_hash, sent.project, sent.page))

    def edit(self, event: gr.EventData, request: gr.Request) -> Updates:
        """One gesture."""
        view, session = self.view, self.sessions.of(request.session_hash)
        before = view.typed(session)
        session.error, session.held = None, ""
        name = ""
        try:
            session.rev = max(session.rev, rev_of(event._data))  # the page waits for it, whatever is wrong
            sent = read_event(EditEvent, event._data)
            name = sent.name
            session.apply(sent.name, sent.payload, sent.id)
        except InputError as error:
            session.held = error.folder.name if isinstance(error, Held) else ""
            session.error = _taken_back(name, error)  # stands until the next gesture
            return view.shown(session, "timeline", session.error, takes=False)
        # Another span has other words, a tapped tempo stands in its field; all else is left to who types.
        changed = {field: value for field, value in view.typed(session).items() if value != before[field]}
        return view.shown(session, takes=sent.name in TAKE_COMMANDS) | changed

    def late(self, data: object) -> None:
        """The edits that a page has sent as it was closed. Nobody hears what is wrong with one."""
        with suppress(InputError):
            sent = read_event(LateEvent, data)
            session = self.sessions.of_page(sent.page)
            if session is None:
                return
            for edit in sent.edits:
                with suppress(InputError):
                    apply_field(session, edit.name, edit.payload, edit.id)

    def undo(self, request: gr.Request) -> Updates:
        """One step back."""
        return step(self.view, self.sessions.of(request.session_hash), Session.undo, "timeline")

    def redo(self, request: gr.Request) -> Updates:
        """One step forward."""
        return step(self.view, self.sessions.of(request.session_hash), Session.redo, "timeline")

    def vote(self, event: gr.EventData, request: gr.Request) -> Updates:
        """A blind round is over."""
        layout, session = self.view.layout, self.sessions.of(request.session_hash)
        document = self.view.document(session)
        try:
            session.vote(Payload("vote", event._data))
        except InputError as error:
            document.error = str(error)
        return {layout.takes: takes_state(session), layout.timeline: document}

    def project(self, event: gr.EventData, request: gr.Request) -> Updates:
        """Another project into this tab: a new one, one of the home, or a copy of this one."""
        session = self.sessions.of(request.session_hash)
        rev = session.rev
        try:
            sent = read_event(ProjectEvent, event._data)
            rev = max(rev, sent.rev)
            session = self._opened(sent, session, request.session_hash)
        except InputError as error:
            session.held = error.folder.name if isinstance(error, Held) else ""
            return self.view.shown(session, "timeline", str(error))
        session.rev = max(session.rev, rev)
        return self.view.all(session)

    def _opened(self, sent: ProjectEvent, session: Session, tab: str | None) -> Session:
        if sent.action == "new":
            return self.sessions.new(tab)
        if sent.action == "open":
            return self.sessions.open(tab, sent.folder)
        if sent.folder:  # of a project that another process may have
            name = commands.set_name(session.project, sent.name).name if sent.name else ""
            copy = library.duplicate(self.sessions.folder(sent.folder), name).folder.name
        else:
            copy = session.duplicate(commands.set_name(session.project, sent.name).name)
        return self.sessions.open(tab, copy)


def step(view: View, session: Session, change: Callable[[Session], object], slot: str) -> Updates:
    """What changes the whole page at a click; what speaks against it is told in the `slot`."""
    session.error = None
    try:
        change(session)
    except InputError as error:
        return view.shown(session, slot, str(error))
    return view.all(session)


def apply_field(session: Session, command: str, payload: dict[str, Any], id: str = "") -> None:
    """A field's command. Words and lanes name the span that they were chosen for, "" = the clip."""
    fields = dict(payload)
    span = fields.pop("span", "") if command in ("set_prompt", "set_follow") else ""
    if span in {each.id for each in session.project.spans}:
        session.apply(command.replace("set_", "set_span_"), {"id": span, **fields}, id)
    elif not span:  # a span that is gone meanwhile has taken its words along
        session.apply(command, fields, id)


def _taken_back(name: str, error: InputError) -> str:
    """Why an edit was refused; of one on the lanes, which the page has shown already, what is gone again."""
    label = contract.LANE_EDITS.get(name)
    if label is None or isinstance(error, Held):
        return str(error)
    return f"{label} was taken back: {str(error).removeprefix(f'{name}: ')}"
