"""What goes wrong unexpectedly: the traceback into the log, one line for the musician."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager

from engines.errors import Cancelled, InputError

log = logging.getLogger("inlay")


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
