"""What goes wrong unexpectedly: the traceback into the log, one line for the musician."""

from __future__ import annotations

import logging
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from engines.errors import Cancelled, InputError

log = logging.getLogger("inlay")
KEPT = 30  # entries of the log that a report of a fault can hold


class _Recent(logging.Handler):
    """Remembers what was logged last."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.entries: deque[str] = deque(maxlen=KEPT)
        self.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))

    def emit(self, record: logging.LogRecord) -> None:
        self.entries.append(self.format(record))
        if logging.lastResort is not None and not logging.getLogger().handlers:  # as if this were not here
            logging.lastResort.handle(record)


_recent = _Recent()
log.addHandler(_recent)


def recent() -> list[str]:
    """The log's newest entries, oldest first."""
    return list(_recent.entries)


@contextmanager
def in_one_line(what: str) -> Iterator[None]:
    """Whatever goes wrong inside becomes an InputError that begins with `what`: a file's name, or an action.

    InputError and Cancelled go through as they are.
    """
    try:
        yield
    except (InputError, Cancelled):
        raise
    except Exception as error:  # a defect of ours, or a file that no check foresaw
        log.exception("%s", what)
        raise InputError(words(what, error)) from error


def words(what: str, error: Exception) -> str:
    """An unexpected error in one line."""
    if isinstance(error, MemoryError):
        return f"{what}: too large for the memory here; close other programs, or choose a shorter one"
    first = next(iter(str(error).strip().splitlines()), "")[:120]
    said = f"{type(error).__name__}{': ' if first else ''}{first}"
    return f"{what}: it cannot be used ({said}); the server's log says more"
