"""What holds of every case under fire: how long it may take, how much memory, and how it may end."""

from __future__ import annotations

import gc
import logging
import os
import resource
import signal
import sys
import tempfile
import threading
import time
import traceback
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

from engines.errors import Cancelled, InputError

CPU_SECONDS = 15.0  # of one case; the longest that is right takes a third of it
WALL_SECONDS = 120  # after which it counts as hanging
MEMORY_BYTES = 768 << 20  # that a case may hold beyond what was held before
ADDRESS_BYTES = 8 << 30  # of the whole process beyond what it has at first: a bomb ends in MemoryError
LONGEST_LINE = 400  # characters that a refusal, or what is remarked of a score, may take


@dataclass(frozen=True)
class Case:
    """Something hostile, and what is done with it."""

    name: str
    run: Callable[[], str]  # gives the line that it was answered with, "" where it was taken


class _Logged(logging.Handler):
    """What was logged with a traceback: something broke that nobody had foreseen."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.found: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        if record.exc_info and record.exc_info[1] is not None:
            self.found.append(_where(record.exc_info[1]))
        elif record.levelno >= logging.ERROR:
            self.found.append(record.getMessage())


class Fire:
    """Does cases one after the other and remembers what was wrong."""

    def __init__(self, hidden: Sequence[str | Path]) -> None:
        """`hidden`: places on this machine that no answer may tell."""
        self._hidden = [str(place) for place in hidden]
        self._log = _Logged()
        self.broken: list[str] = []
        self.done: Counter[str] = Counter()  # "taken", "answered" with what is wrong or remarkable
        self.most_seconds = (0.0, "")
        self.most_bytes = (0, "")

    def __enter__(self) -> Fire:
        self._said = tempfile.TemporaryFile()  # what decoders in C say of files that are none
        sys.stderr.flush()
        self._stderr = os.dup(2)
        os.dup2(self._said.fileno(), 2)
        logging.getLogger().addHandler(self._log)
        self._before = signal.signal(signal.SIGALRM, _too_long)
        self._hook, threading.excepthook = threading.excepthook, self._in_a_thread
        self._limit = resource.getrlimit(resource.RLIMIT_AS)
        if sys.platform == "linux":
            most = _size("VmSize") + ADDRESS_BYTES
            resource.setrlimit(resource.RLIMIT_AS, (most, self._limit[1]))
        return self

    def __exit__(self, *_: object) -> None:
        sys.stderr.flush()
        os.dup2(self._stderr, 2)
        os.close(self._stderr)
        self._said.seek(0)
        if b"Traceback" in (said := self._said.read()):
            self.broken.append(
                f"told on the way: {said[said.index(b'Traceback') :][-600:].decode(errors='replace')!r}"
            )
        self._said.close()
        resource.setrlimit(resource.RLIMIT_AS, self._limit)
        threading.excepthook = self._hook
        signal.signal(signal.SIGALRM, self._before)
        logging.getLogger().removeHandler(self._log)

    def _in_a_thread(self, broke: threading.ExceptHookArgs) -> None:
        if broke.exc_value is not None:
            self._log.found.append(f"in a thread: {_where(broke.exc_value)}")

    def all(self, cases: Iterable[Case]) -> None:
        """Every case, whatever became of the one before."""
        for case in cases:
            self.one(case)

    def one(self, case: Case) -> None:
        """Do a case, and look at how it ended."""
        gc.collect(0)
        held, began = _peak_anew(), time.process_time()
        signal.alarm(WALL_SECONDS)
        try:
            line = case.run()
            wrong = self._wrong_with(line)
        except InputError as error:
            line = str(error)
            wrong = self._wrong_with(line)
        except Cancelled:
            line, wrong = "", []
        except Exception as error:
            line, wrong = "", [_where(error)]
        finally:
            signal.alarm(0)
        spent, grown = time.process_time() - began, max(0, _size("VmHWM") - held)
        self.most_seconds = max(self.most_seconds, (spent, case.name))
        self.most_bytes = max(self.most_bytes, (grown, case.name))
        if spent > CPU_SECONDS:
            wrong.append(f"took {spent:.1f} s of a core")
        if grown > MEMORY_BYTES:
            wrong.append(f"held {grown / 2**20:.0f} MB more")
        wrong += [f"logged {found}" for found in self._log.found]
        self._log.found.clear()
        self.done["answered" if line else "taken"] += 1
        self.broken += [f"{case.name[:300]}: {word}" for word in wrong]

    def _wrong_with(self, line: str) -> list[str]:
        wrong = []
        if line and not line.isprintable():  # one line, and nothing that a terminal would obey
            wrong.append(f"not one line: {line[:200]!r}")
        if len(line) > LONGEST_LINE:
            wrong.append(f"{len(line)} characters: {line[:200]!r}...")
        if any(place in line for place in self._hidden):
            wrong.append(f"tells a place on this machine: {line[:200]!r}")
        return wrong

    def told(self) -> str:
        """The summary in one line."""
        (spent, slow), (grown, large) = self.most_seconds, self.most_bytes
        return (
            f"{sum(self.done.values())} cases: {self.done['answered']} answered in a line, "
            f"{self.done['taken']} taken, {len(self.broken)} broken; at most {spent:.1f} s of a core "
            f"({slow[:60]}) and {grown / 2**20:.0f} MB ({large[:60]})"
        )


def _too_long(_: int, __: FrameType | None) -> None:
    raise TimeoutError(f"hangs: {WALL_SECONDS} s")


def _where(error: BaseException) -> str:
    """An exception with the innermost lines of ours that it came through."""
    frames = [one for one in traceback.extract_tb(error.__traceback__) if "site-packages" not in one.filename]
    way = " < ".join(f"{Path(one.filename).name}:{one.lineno}" for one in frames[:-6:-1])
    return f"{type(error).__name__} {str(error)[:160]!r} at {way}"


def _size(what: str) -> int:
    """A size of this process in bytes, as the system tells it; 0 where it does not."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return 0
    return next((int(line.split()[1]) << 10 for line in lines if line.startswith(f"{what}:")), 0)


def _peak_anew() -> int:
    """Begin to measure the peak of memory anew; the bytes held now."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return _size("VmHWM")
    return _size("VmRSS")
