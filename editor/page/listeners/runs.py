"""Runs: the buttons that start one, takes made again, how it goes, and what stops it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress

import gradio as gr

from editor.page.events import CancelEvent, RunEvent, read_event
from editor.page.listeners.fields import Fields
from editor.page.listeners.wiring import ANALYSES, AT_ONCE, RUNS, TURN, Listener, Telling, Updates
from editor.page.view import View
from editor.runs.device import Device
from editor.runs.job import Kind
from editor.session import Session
from editor.sessions import Sessions
from engines.errors import InputError


class Runs:
    """Listeners of everything that starts, watches or stops a run."""

    def __init__(
        self,
        view: View,
        sessions: Sessions,
        device: Device,
        fields: Fields,
        watching: set[str],
        listen: Listener,
    ) -> None:
        """`watching` is kept up to date with the tabs that are told here how a run goes.

        `listen` tells how the analysis goes of a clip that was generated.
        """
        self.view = view
        self.sessions = sessions
        self.device = device
        self.fields = fields
        self.watching = watching
        self.listen = listen

    def wire(self, telling: Telling) -> None:
        """Bind the listeners."""
        view, layout = self.view, self.view.layout
        buttons: list[tuple[gr.Button, Callable[..., Iterator[Updates]]]] = [
            (layout.inpaint, self.starter("inpaint")),
            (layout.inpaint_all, self.starter("inpaint", together=True)),
            (layout.auto, self.starter("inpaint", ["auto"])),
            (layout.generate, self.starter("generate")),
            *((button, self.starter(kind)) for kind, button in layout.extend.items()),
        ]
        for button, start in buttons:
            pressed = button.click(telling(start), layout.turn, [*view.light, layout.name], js=TURN, **RUNS)
            if button is layout.generate:
                pressed.then(telling(self.listen), None, view.everything, **ANALYSES)
        layout.timeline.run(telling(self.again), None, [*view.light, layout.name], **RUNS)
        layout.timeline.watch(telling(self.watch), None, [*view.light, layout.name], **RUNS)
        layout.timeline.cancel(self.skip, None, None, **AT_ONCE)

    def starter(
        self, kind: Kind, engines: list[str] | None = None, together: bool = False
    ) -> Callable[..., Iterator[Updates]]:
        """The listener of a button that starts a run of some kind (engines: None = those that are ticked).

        `together`: of all spans at once.
        """

        def start(turn: int, request: gr.Request) -> Iterator[Updates]:
            session = self.sessions.of(request.session_hash)
            try:
                for field, why in session.refused.items():  # what stands in the fields counts
                    if not (field.startswith("set_length") and kind in ("inpaint", "loop")):
                        raise InputError(why)
                order = session.order(kind, *self.fields.resolved(session), engines, together)
                session.start(self.device.runner, *order, self.device.pace)
            except InputError as error:
                session.heard(request.session_hash, turn)
                yield self.view.shown(session, "run", str(error))
                return
            session.heard(request.session_hash, turn)
            yield from self._stream(session, request)

        return start

    def again(self, event: gr.EventData, request: gr.Request) -> Iterator[Updates]:
        """A take again, as it was or with another seed, or a run that failed."""
        session = self.sessions.of(request.session_hash)
        try:
            sent = read_event(RunEvent, event._data)
            if sent.retry:
                order = session.order_retry(sent.retry, *self.fields.resolved(session))
            elif sent.again:
                order = session.order_again(sent.again)
            else:
                order = session.order_another_seed(sent.take)
            session.start(self.device.runner, *order, self.device.pace)
        except InputError as error:
            yield self.view.shown(session, "run", str(error))
            return
        yield from self._stream(session, request)

    def watch(self, request: gr.Request) -> Iterator[Updates]:
        """A page that was reloaded while its run goes on."""
        session = self.sessions.of(request.session_hash)
        if session.run.running:
            yield from self._stream(session, request)
        else:
            yield self.view.shown(session)

    def _stream(self, session: Session, request: gr.Request) -> Iterator[Updates]:
        """Tell the page how a run goes; a finished take updates more than a report."""
        tab, before, name = request.session_hash or "", None, session.project.name
        self.watching.add(tab)
        try:
            for _ in session.watch():
                now = (session.run.takes, session.run.running, session.project.clip)
                if now == before:
                    yield self.view.going(session)
                    continue
                clip_came, before = before is not None and not before[2] and now[2], now
                updates = self.view.shown(session)
                if clip_came and session.project.name != name:  # the first prompt names the project
                    updates[self.view.layout.name] = session.project.name
                yield updates
        finally:
            self.watching.discard(tab)

    def skip(self, event: gr.EventData, request: gr.Request) -> None:
        """Stop one run of several, or all of them."""
        session = self.sessions.of(request.session_hash)
        with suppress(InputError):  # it has ended meanwhile, and shows it
            run = read_event(CancelEvent, event._data).run
            if run:
                session.skip(run)
            else:
                session.run.cancel.set()
