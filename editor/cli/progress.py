"""Progress on stderr, and what else is said there; stdout is left to the one answer.

A line that updates on a terminal; elsewhere a line a stage and quarter.
"""

from __future__ import annotations

import os
import sys
from typing import TextIO

from editor.project.commands import clean_text
from engines.progress import Progress

STAGE_WORDS = {
    "load": "loading",
    "listen": "listening",
    "chords": "reading the chords",
    "queued": "waiting",
    "text": "reading the words",
    "encode": "listening",
    "sample": "making music",
    "decode": "rendering",
    "get": "downloading",
    "convert": "converting",
}


class ProgressLine:
    """Progress on a terminal: one line that updates; elsewhere a line a stage and quarter."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream
        self._live = stream.isatty()
        self._last: tuple[str, int] | None = None
        self._width = 0

    def begin(self) -> None:
        """Say that something happens while libraries load; only where the line can be wiped again."""
        if self._live:
            self(Progress("load", 0, 1, 0.0, None))

    def __call__(self, progress: Progress) -> None:
        mark = (progress.stage, int(progress.fraction * (100 if self._live else 4)))
        if mark == self._last:
            return
        self._last = mark
        soon = progress.remaining is None or progress.step >= progress.total
        left = "" if soon else f", about {_time_words(progress.remaining or 0)} left"
        words = STAGE_WORDS.get(progress.stage, progress.stage)
        line = f"inlay: {words} {progress.fraction:.0%}{left}"
        if self._live:
            self._stream.write("\r" + line.ljust(self._width))
            self._width = len(line)
        else:
            self._stream.write(line + "\n")
        self._stream.flush()

    def close(self) -> None:
        """Wipe the line, so that what follows begins on a clean one."""
        if self._live and self._width:
            self._stream.write("\r" + " " * self._width + "\r")
            self._stream.flush()
            self._width = 0


def _time_words(seconds: float) -> str:
    return f"{max(1, round(seconds))} s" if seconds < 100 else f"{round(seconds / 60)} min"


def say(message: str) -> None:
    """One line on stderr."""
    print(f"inlay: {clean_text(message)}", file=sys.stderr, flush=True)


def quiet_libraries() -> None:
    """What must stand before torch is imported."""
    os.environ.setdefault("GOMP_SPINCOUNT", "100")  # spinning OpenMP threads stall a small busy machine
