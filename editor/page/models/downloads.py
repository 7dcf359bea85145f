"""Downloads of a server: each in a thread of its own, going on whether a page looks or not.

What was paused, or cut, keeps what came; what was cancelled keeps nothing. Sizes are bytes, times seconds.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from editor import mishaps
from engines.checkpoints import hub, placed
from engines.checkpoints.catalogue import Entry
from engines.errors import Cancelled, InputError
from engines.progress import Progress


@dataclass
class _Download:
    """One that goes on, or has ended without its model."""

    entry: Entry
    state: str = "asking"  # "getting", "converting", "pausing", "cancelling", "paused", "failed"
    done: int = 0
    total: int = 0
    left: float | None = None
    why: str = ""  # it failed
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def going(self) -> bool:
        return self.state not in ("paused", "failed")


class Downloads:
    """All of them, by the names of their models."""

    def __init__(self) -> None:
        self._each: dict[str, _Download] = {}
        self._lock = threading.Lock()

    def start(self, entry: Entry) -> None:
        """Get a model, or go on with it; nothing where it is being got already."""
        with self._lock:
            there = self._each.get(entry.name)
            if there is not None and there.going:
                return
            one = self._each[entry.name] = _Download(entry)
            one.thread = threading.Thread(target=self._run, args=(one,), name=f"inlay-get-{entry.name}")
            one.thread.daemon = True
            one.thread.start()

    def pause(self, name: str) -> None:
        """Stop one at its next chunk; what came stays."""
        self._end(name, "pausing")

    def cancel(self, entry: Entry) -> None:
        """Stop one at its next chunk, or forget one that ended; nothing of it stays."""
        if not self._end(entry.name, "cancelling"):
            with self._lock:
                self._each.pop(entry.name, None)
            placed.forget(entry)

    def told(self) -> dict[str, dict[str, Any]]:
        """How each goes, JSON-ready: {name: {state, done, total, left, why}}."""
        with self._lock:
            return {
                name: {
                    "state": one.state,
                    "done": one.done,
                    "total": one.total,
                    "left": one.left,
                    "why": one.why,
                }
                for name, one in self._each.items()
            }

    def _end(self, name: str, state: str) -> bool:
        """Whether there was one to be stopped."""
        with self._lock:
            one = self._each.get(name)
            if one is None or not one.going:
                return False
            one.state = state
            one.stop.set()
            return True

    def _run(self, one: _Download) -> None:
        def hear(progress: Progress) -> None:
            with self._lock:
                one.done, one.total, one.left = progress.step, progress.total, progress.remaining
                if one.state in ("asking", "getting", "converting"):
                    one.state = "converting" if progress.stage == "convert" else "getting"

        try:
            with mishaps.in_one_line("download"):
                hub.get(one.entry, hear, one.stop)
        except Cancelled:
            self._stopped(one)
        except InputError as error:
            with self._lock:
                one.state, one.why = "failed", str(error).removeprefix(f"{one.entry.title}: ")
        else:
            with self._lock:
                self._each.pop(one.entry.name, None)

    def _stopped(self, one: _Download) -> None:
        if one.state == "cancelling":
            placed.forget(one.entry)
            with self._lock:
                self._each.pop(one.entry.name, None)
        else:
            with self._lock:
                one.state = "paused"
