"""What each tab was shown last, and what others have done to its project since.

A tab's own gesture is answered by its listener; the rest comes to it by `follow`, a generator that waits
without a thread for as long as the tab is open.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections import OrderedDict
from collections.abc import AsyncIterator, Iterator
from typing import Any

import gradio as gr

from editor.mishaps import log, words
from editor.page.listeners.wiring import QUIET, Listener, Updates
from editor.page.seats import Seats
from editor.page.state import EditorState
from editor.page.view import View
from editor.session import Session
from editor.sessions import MAX_SESSIONS

FOLLOW_SECONDS = 0.15  # how often an open tab looks for what others did


class Follower:
    """The tabs of a server and what they know."""

    def __init__(self, view: View, seats: Seats) -> None:
        self.view = view
        self.seats = seats
        self.watching: set[str] = set()  # tabs that a listener of theirs tells how a run goes
        self._shown: OrderedDict[str, int] = OrderedDict()  # tab -> the change that it has seen last
        # tab -> what it was told last and before that of the components that only we write
        self._told: OrderedDict[str, dict[Any, tuple[Any, Any]]] = OrderedDict()

    def wire(self, opened: Any) -> None:
        """Follow what others do once the tab has opened its project."""
        opened.then(self.follow, None, self.view.everything, concurrency_limit=None, **QUIET)

    def telling(self, listener: Listener) -> Listener:
        """The listener, remembering what its tab was shown: `follow` tells it the rest."""
        if inspect.isasyncgenfunction(listener):
            return self._waiting(listener)
        if inspect.isgeneratorfunction(listener):
            return self._streaming(listener)

        @functools.wraps(listener)
        def answering(*args: Any, **kwargs: Any) -> Any:
            request = _request(args)
            try:
                updates = listener(*args, **kwargs)
            except Exception as error:
                updates = self._mishap(listener, request, error)
            return self._remember(request, updates)

        return answering

    def _streaming(self, listener: Listener) -> Listener:
        @functools.wraps(listener)
        def streaming(*args: Any, **kwargs: Any) -> Iterator[Any]:
            request = _request(args)
            try:
                for updates in listener(*args, **kwargs):
                    yield self._remember(request, updates)
            except Exception as error:
                yield self._remember(request, self._mishap(listener, request, error))

        return streaming

    def _waiting(self, listener: Listener) -> Listener:
        """As `_streaming`, of a listener that holds no thread."""

        @functools.wraps(listener)
        async def waiting(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            request = _request(args)
            try:
                async for updates in listener(*args, **kwargs):
                    yield self._remember(request, updates)
            except Exception as error:
                yield self._remember(request, self._mishap(listener, request, error))

        return waiting

    def _remember(self, request: gr.Request, updates: Any) -> Any:
        """The updates for a tab, once it is noted what they tell it."""
        if not isinstance(updates, dict) or not request.session_hash:
            return updates
        shown = updates.get(self.view.layout.timeline)
        if isinstance(shown, EditorState):
            shown.addressed(request.session_hash)
            _last(self._shown, request.session_hash, shown.changes)
        return self._news(request.session_hash, updates)

    def _news(self, tab: str, updates: Updates) -> Updates:
        """The updates without what the tab shows already: each costs the server and the page milliseconds.

        What it was told twice in a row counts as shown, since two answers may overtake each other.
        """
        told = self._told.get(tab, {})
        news = dict(updates)
        for component in self.view.layout.written.intersection(updates):
            update, (last, before) = updates[component], told.get(component, (..., ...))
            if update == last == before:
                del news[component]
            told[component] = (update, last)
        _last(self._told, tab, told)
        return news

    def _mishap(self, listener: Listener, request: gr.Request, error: Exception) -> Updates:
        """What a tab is shown where a listener broke: the page must not wait for ever."""
        if isinstance(error, gr.Error):
            raise error
        name = getattr(listener, "__name__", "page").replace("_", " ").strip()
        log.error("%s", name, exc_info=error)
        return self.view.shown(self.seats.of(request), "timeline", words(name, error))

    async def follow(self, request: gr.Request) -> AsyncIterator[Updates]:
        """Show a tab what others do to its project, for as long as the tab is open."""
        view, tab = self.view, request.session_hash or ""
        seen: tuple[Session, int] | None = None
        typed: Updates = {}
        # Until a generator has given something, Gradio's page runs a clock for each of its outputs.
        yield {view.layout.timeline: gr.skip()}
        sessions = self.seats.sessions(request)
        while (session := sessions.shown_in(tab)) is not None:
            changes = session.changes
            if seen is None or seen[0] is not session:
                typed = view.standing(session)
            # A change is looked at twice, so that the answer to this tab's own gesture comes first.
            elif changes == seen[1] and changes > self._shown.get(tab, changes):
                self._shown[tab] = changes
                updates = view.shown(session)
                updates[view.layout.timeline].addressed(tab)
                now = view.standing(session)  # last: what is typed meanwhile must not be told as it was
                yield self._news(tab, view.changed(session, typed, updates))
                typed = now
            elif changes == seen[1]:
                typed = view.standing(session)
                if session.run.running and tab not in self.watching:  # another tab began it
                    yield self._news(tab, view.going(session))
            seen = (session, changes)
            await asyncio.sleep(FOLLOW_SECONDS if not session.run.running else 2 * FOLLOW_SECONDS)


def _request(args: tuple[Any, ...]) -> gr.Request:
    return next(arg for arg in args if isinstance(arg, gr.Request))


def _last(known: OrderedDict[str, Any], tab: str, value: Any) -> None:
    """Keep a tab's value as the youngest of those of the last tabs."""
    known[tab] = value
    known.move_to_end(tab)
    while len(known) > 4 * MAX_SESSIONS:
        known.popitem(last=False)
