"""Runs: the buttons that start one, takes made again, how it goes, and what stops it."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Callable
from contextlib import suppress

import gradio as gr
from starlette.concurrency import run_in_threadpool

from editor.doors.ears import Ears
from editor.orders import Order
from editor.page.events import CancelEvent, RunEvent, read_event
from editor.page.listeners.fields import Fields
from editor.page.listeners.wiring import ANALYSES, AT_ONCE, RUNS, TURN, Listener, Telling, Updates
from editor.page.seats import Seats, in_turn
from editor.page.view import View
from editor.runs.device import Device
from editor.runs.job import About, Kind
from editor.runs.runner import HEARTBEAT_SECONDS
from editor.session import Session
from engines.errors import InputError

WATCH_SECONDS = 0.1  # how often a page is told how its run goes


class Runs:
    """Listeners of everything that starts, watches or stops a run."""

    def __init__(
        self,
        view: View,
        seats: Seats,
        device: Device,
        fields: Fields,
        watching: set[str],
        listen: Listener,
        ears: Ears | None = None,
    ) -> None:
        """`watching` is kept up to date with the tabs that are told here how a run goes.

        `listen` tells how the analysis goes of a clip that was generated. `ears` know whether anybody
        listens for a run; without them somebody does.
        """
        self.view = view
        self.seats = seats
        self.device = device
        self.fields = fields
        self.watching = watching
        self.listen = listen
        self.ears = ears

    def wire(self, telling: Telling) -> None:
        """Bind the listeners."""
        view, layout = self.view, self.view.layout
        buttons: list[tuple[gr.Button, Callable[..., AsyncIterator[Updates]]]] = [
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
    ) -> Callable[..., AsyncIterator[Updates]]:
        """The listener of a button that starts a run of some kind (engines: None = those that are ticked).

        `together`: of all spans at once.
        """

        async def start(turn: int, request: gr.Request) -> AsyncIterator[Updates]:
            session, tab = self.seats.of(request), request.session_hash
            stops = session.run.stops
            try:
                await self._heard(request)
                _check_fields(session, kind)
                settings = self.fields.resolved(session)
                order = await run_in_threadpool(session.order, kind, *settings, engines, together)
                await self._start(session, order, stops, in_turn(request))
            except InputError as error:
                session.heard(tab, turn)
                yield self.view.shown(session, "run", str(error))
                return
            session.heard(tab, turn)
            async for updates in self._stream(session, request):
                yield updates

        return start

    async def again(self, event: gr.EventData, request: gr.Request) -> AsyncIterator[Updates]:
        """A take again, as it was or with another seed, a run that failed, or a part added or taken out."""
        session = self.seats.of(request)
        try:
            await self._heard(request)
            sent, stops = read_event(RunEvent, event._data), session.run.stops
            order = await run_in_threadpool(self._order_again, session, sent)
            await self._start(session, order, stops, in_turn(request))
        except InputError as error:
            yield self.view.shown(session, "run", str(error))
            return
        async for updates in self._stream(session, request):
            yield updates

    def _order_again(self, session: Session, sent: RunEvent) -> Order:
        if sent.task:
            _check_fields(session, "inpaint")
            about = About(sent.task, sent.part)
            return session.order("inpaint", *self.fields.resolved(session), ["fm"], about=about)
        if sent.retry:
            return session.order_retry(sent.retry, *self.fields.resolved(session))
        return session.order_again(sent.again) if sent.again else session.order_another_seed(sent.take)

    async def _heard(self, request: gr.Request) -> None:
        """InputError where nobody would hear of the run."""
        tab = request.session_hash or ""
        if self.ears is not None and not self.ears.hears(tab):
            await run_in_threadpool(self.ears.hear, tab)

    async def _start(self, session: Session, order: Order, stops: int, who: str) -> None:
        """`stops`: how often all had been cancelled when the run was asked for, which `who` did."""
        if session.run.stops != stops:
            raise InputError("cancelled before it began; press it again to begin")
        self.device.runner.check_room(who)
        await run_in_threadpool(session.start, self.device.runner, *order, self.device.pace, who)

    async def watch(self, request: gr.Request) -> AsyncIterator[Updates]:
        """A page that was reloaded while its run goes on."""
        session = self.seats.of(request)
        if not session.run.running:
            yield self.view.shown(session)
            return
        async for updates in self._stream(session, request):
            yield updates

    async def _stream(self, session: Session, request: gr.Request) -> AsyncIterator[Updates]:
        """Tell the page how a run goes; a finished take updates more than a report. Holds no thread."""
        tab, before, name = request.session_hash or "", None, session.project.name
        self.watching.add(tab)
        try:
            async for _ in _reports(session):
                now = (session.run.takes, session.run.running, session.project.clip)
                if now == before:
                    yield self.view.going(session)
                    continue
                clip_came, before = before is not None and not before[2] and now[2], now
                updates = await run_in_threadpool(self.view.shown, session)
                if clip_came and session.project.name != name:  # the first prompt names the project
                    updates[self.view.layout.name] = session.project.name
                yield updates
        finally:
            self.watching.discard(tab)

    def skip(self, event: gr.EventData, request: gr.Request) -> None:
        """Stop one run of several, or all of them."""
        session = self.seats.of(request)
        with suppress(InputError):  # it has ended meanwhile, and shows it
            run = read_event(CancelEvent, event._data).run
            if run:
                session.skip(run)
            else:
                session.run.stop()


def _check_fields(session: Session, kind: Kind) -> None:
    """InputError where something stands in the page's fields that cannot be used for a run."""
    for field, why in session.refused.items():
        if not (field.startswith("set_length") and kind in ("inpaint", "loop")):
            raise InputError(why)


async def _reports(session: Session) -> AsyncIterator[None]:
    """Whenever the page should look again, the last time when the run has ended."""
    shown, until = -1, 0.0
    while True:
        running, reports = session.run.running, session.reports  # in this order: the last report is told
        if not running:
            await run_in_threadpool(_over, session)
        now = time.monotonic()
        if reports != shown or now >= until or not running:  # a silent run is looked at, too
            shown, until = reports, now + HEARTBEAT_SECONDS
            yield
        if not running:
            return
        await asyncio.sleep(WATCH_SECONDS)


def _over(session: Session) -> None:
    """Wait until all that belongs to a run's end is done: what was made may be listened to from then on."""
    with session.lock:
        pass
