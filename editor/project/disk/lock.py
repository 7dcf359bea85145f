"""The lock of a project: of all processes on one home, one at a time writes into a project's folder.

The system itself holds the lock and lets go of it when the process ends, however it ends, so a stale one
cannot be left behind. Beside it lies who holds it, for people only. Several sessions of one process share
its lock. Where a disk knows no locks, or nothing can be written anyway, nobody is kept out.
"""

from __future__ import annotations

import json
import os
import socket
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from filelock import FileLock, Timeout

from editor.project.disk.files import write_atomic
from engines.errors import InputError

LOCK = ".lock"  # in the project's folder; its content means nothing
HOLDER = ".holder"  # who has the lock, as JSON; means nothing while nobody has it


class Held(InputError):
    """Another process has the project."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        super().__init__(
            f"this project is open in another Inlay ({holder_words(folder)}); close it there and try again, "
            "or open a copy"
        )


class ProjectLock:
    """This process's hold on a project; raises `Held` when another process has it."""

    def __init__(self, folder: Path, place: str = "") -> None:
        """`place`: where this process can be found, such as its address; others are told."""
        # One lock a process and folder, counted, whichever thread takes it or lets it go.
        self._lock = FileLock(folder / LOCK, thread_local=False, is_singleton=True)
        try:
            self._lock.acquire(blocking=False)
        except Timeout as error:
            raise Held(folder) from error
        except (OSError, NotImplementedError):
            return
        holder = {"pid": os.getpid(), "host": socket.gethostname(), "place": place}
        holder["since"] = datetime.now().isoformat(timespec="seconds")
        with suppress(OSError):  # only words hang on it
            write_atomic(folder / HOLDER, json.dumps(holder).encode())

    @property
    def alone(self) -> bool:
        """Whether nobody else writes into the folder: the lock is held, and once only."""
        return bool(self._lock.is_locked) and self._lock.lock_counter == 1

    def release(self) -> None:
        """Let go of it; the last session of this process that does lets others in."""
        self._lock.release()


def holder_words(folder: Path) -> str:
    """Who has the project, as far as it is known: "http://127.0.0.1:7860, process 4711, since 17:42"."""
    try:
        holder = json.loads((folder / HOLDER).read_bytes())
        since = datetime.fromisoformat(holder["since"])
        words = [str(holder["place"])] if holder["place"] else []
        words.append(f"process {int(holder['pid'])}")
        if holder["host"] != socket.gethostname():
            words.append(f"on {holder['host']}")
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return "it does not say which"
    today = since.date() == datetime.now().date()
    return ", ".join([*words, f"since {since:%H:%M}" if today else f"since {since:%Y-%m-%d %H:%M}"])
