"""Whose turn it is: a tab's gestures in their order, a project's one at a time, and none waits for another's.

Both lines are first come first served and hold no thread; the work is done in a thread. Knows no components.
"""

from __future__ import annotations

import asyncio
import functools
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Any
from weakref import WeakKeyDictionary, WeakValueDictionary

import anyio.to_thread
import gradio as gr

from editor.page.seats import Seats
from editor.session import Session

# Gestures at work at once, from their thread to their answer: more take the interpreter from each other, and
# fifty tabs would get a sixth of the answers.
AT_ONCE = 2
LONG_SECONDS = 0.25  # one that takes longer counts no more: the others go on beside it
THREADS = 32  # for those that take long


class Lines:
    """The lines of a server's tabs and projects. All methods' coroutines run in one event loop."""

    def __init__(self, seats: Seats) -> None:
        self._seats = seats
        # Kept while somebody waits or works.
        self._tabs: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self._projects: WeakKeyDictionary[Session, asyncio.Lock] = WeakKeyDictionary()
        self._places = asyncio.Semaphore(AT_ONCE)
        self._threads: anyio.CapacityLimiter | None = None  # made in the event loop

    def of_project(self, listener: Callable[..., Any]) -> Callable[..., Any]:
        """The listener, when its tab's and then its project's turn has come."""
        return self._waiting(listener, self._project)

    def of_tab(self, listener: Callable[..., Any]) -> Callable[..., Any]:
        """The listener, when its tab's turn has come: of what changes which project the tab shows."""
        return self._waiting(listener, lambda _: nullcontext())

    def _waiting(
        self,
        listener: Callable[..., Any],
        project: Callable[[gr.Request], AbstractAsyncContextManager[None]],
    ) -> Callable[..., Any]:
        @functools.wraps(listener)
        async def waiting(*args: Any, **kwargs: Any) -> Any:
            request = next(arg for arg in args if isinstance(arg, gr.Request))
            await self._turn(request.session_hash or "")
            async with project(request):  # only now: the gesture before may have opened another
                await self._place()
                if self._threads is None:
                    self._threads = anyio.CapacityLimiter(THREADS)
                work = functools.partial(listener, *args, **kwargs)
                return await anyio.to_thread.run_sync(work, limiter=self._threads)

        return waiting

    async def _turn(self, tab: str) -> None:
        """Wait for a tab's turn, which ends with the task that answers: answers leave in order, too."""
        turn = self._tabs.setdefault(tab, asyncio.Lock()) if tab else asyncio.Lock()
        await turn.acquire()
        _task().add_done_callback(lambda _: turn.release())

    async def _place(self) -> None:
        """Wait for a place among those at work; it is free again with the answer, or when that takes long."""
        await self._places.acquire()
        free = functools.cache(self._places.release)  # once
        timer = asyncio.get_running_loop().call_later(LONG_SECONDS, free)
        _task().add_done_callback(lambda _: timer.cancel())
        _task().add_done_callback(lambda _: free())

    def _project(self, request: gr.Request) -> AbstractAsyncContextManager[None]:
        session = self._seats.sessions(request).shown_in(request.session_hash or "")
        if session is None:  # the listener finds its project itself: nobody else shows it
            return nullcontext()
        return self._projects.setdefault(session, asyncio.Lock())


def _task() -> asyncio.Task[Any]:
    """The one that answers the event: Gradio has one for each."""
    task = asyncio.current_task()
    assert task is not None
    return task
