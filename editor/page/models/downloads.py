"""What comes onto a server's shelf: downloads and conversions, each in a thread of its own, looked at or not.

What was paused, or cut, keeps what came; what was cancelled keeps nothing. Sizes are bytes, times seconds.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from editor import mishaps
from engines.checkpoints import hub, placed
from engines.checkpoints.catalogue import Entry
from engines.errors import Cancelled, InputError
from engines.progress import Progress, ProgressHook


@dataclass
class _Coming:
    """One that goes on, or has ended without its model."""

    name: str
    title: str
    make: Callable[[ProgressHook, threading.Event], object]
    forget: Callable[[], object]  # what it left
    source: str = ""  # a folder of the user's; empty for one that is fetched
    state: str = "asking"  # "getting", "converting", "pausing", "cancelling", "paused", "failed"
    done: int = 0
    total: int = 0
    left: float | None = None
    why: str = ""  # it failed
    refused: bool = False  # by the hub, for want of a login or consent
    stop: threading.Event = field(default_factory=threading.Event)
    thread: threading.Thread | None = None

    @property
    def going(self) -> bool:
        return self.state not in ("paused", "failed")


class Downloads:
    """All of them, by the names of their models."""

    def __init__(self) -> None:
        self._each: dict[str, _Coming] = {}
        self._lock = threading.Lock()

    def start(self, entry: Entry) -> None:
        """Get a model, or go on with it; nothing where it is being got already."""
        self._begin(
            _Coming(
                entry.name,
                entry.title,
                lambda hear, stop: hub.get(entry, hear, stop),
                lambda: placed.forget(entry),
            )
        )

    def add(self, source: Path, name: str = "") -> None:
        """Put a checkpoint of the user's on the shelf: at once, or converting it first.

        InputError where it is none, or its name is taken.
        """
        found = placed.look(source, name)
        if not found.released:
            placed.add(source, name)
            return
        self._begin(
            _Coming(
                found.name,
                found.name,
                lambda hear, stop: placed.add(found.source, found.name, hear),
                lambda: None,
                source=str(found.source),
                state="converting",
            )
        )

    def again(self, name: str) -> bool:
        """Convert one again that failed; whether there was one of that name."""
        with self._lock:
            one = self._each.get(name)
        if one is None or not one.source:
            return False
        self.add(Path(one.source), name)
        return True

    def pause(self, name: str) -> None:
        """Stop one at its next chunk; what came stays. One that is converted cannot be paused."""
        with self._lock:
            one = self._each.get(name)
        if one is not None and not one.source:
            self._end(name, "pausing")

    def cancel(self, name: str, forget: Callable[[], object]) -> None:
        """Stop one at its next chunk, or forget one that ended; nothing of it stays.

        `forget` is for what another process left.
        """
        if not self._end(name, "cancelling"):
            with self._lock:
                one = self._each.pop(name, None)
            (one.forget if one is not None else forget)()

    def told(self) -> dict[str, dict[str, Any]]:
        """How each goes, JSON-ready, by name: state, done, total, left, why, refused, title, source."""
        shown = ("state", "done", "total", "left", "why", "refused", "title", "source")
        with self._lock:
            return {name: {key: getattr(one, key) for key in shown} for name, one in self._each.items()}

    def _begin(self, one: _Coming) -> None:
        with self._lock:
            there = self._each.get(one.name)
            if there is not None and there.going:
                return
            self._each[one.name] = one
            one.thread = threading.Thread(target=self._run, args=(one,), name=f"inlay-get-{one.name}")
            one.thread.daemon = True
            one.thread.start()

    def _end(self, name: str, state: str) -> bool:
        """Whether there was one to be stopped."""
        with self._lock:
            one = self._each.get(name)
            if one is None or not one.going:
                return False
            one.state = state
            one.stop.set()
            return True

    def _run(self, one: _Coming) -> None:
        def hear(progress: Progress) -> None:
            if one.stop.is_set():
                raise Cancelled
            with self._lock:
                one.done, one.total, one.left = progress.step, progress.total, progress.remaining
                if one.state in ("asking", "getting", "converting"):
                    one.state = "converting" if progress.stage == "convert" else "getting"

        try:
            with mishaps.in_one_line("download"):
                one.make(hear, one.stop)
        except Cancelled:
            self._stopped(one)
        except InputError as error:
            with self._lock:
                one.state, one.why = "failed", str(error).removeprefix(f"{one.title}: ")
                one.refused = isinstance(error, hub.Refused)
        else:
            with self._lock:
                self._each.pop(one.name, None)

    def _stopped(self, one: _Coming) -> None:
        if one.state == "cancelling":
            one.forget()
            with self._lock:
                self._each.pop(one.name, None)
        else:
            with self._lock:
                one.state = "paused"
