"""One device for all runs: users take turns, one thread does the work, a callback is told of it.

Of all the runs asked of a `Runner`, from every tab, one works at a time. Knows no page, and of the engines
only their dispatcher; torch is loaded by the first run, not by importing this.
"""

from __future__ import annotations

import logging
import secrets
import threading
import time
from collections import Counter
from dataclasses import replace
from collections.abc import Callable, Container, Iterator, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from queue import Empty, SimpleQueue
from typing import Any, TypeVar

import numpy as np

from editor.project.document import Sound
from editor.runs.events import PEAK_SECONDS, Done, Failed, JobEvent, Queued, Running, Stopped
from editor.runs.job import Extension, Job, Serve, dispatch_run, dispatch_supports, perform, probe_of
from editor.runs.pace import Pace
from editor.runs.takes import take_from
from editor.runs.track import estimate_words, work_of
from editor.runs.traffic import log as log_of_runs
from editor.runs.traffic.counts import Counts
from editor.runs.traffic.line import Line
from engines.audio.timebase import seconds_to_samples
from engines.errors import Cancelled, InputError
from engines.progress import Progress
from engines.requests import Request, Support
from engines.roster import EngineName

EVENT_SECONDS = 0.125  # at most eight reports a second
HEARTBEAT_SECONDS = 0.5  # a silent stream repeats its last event, so that a closed tab is noticed
PARTIAL_SECONDS = 0.5  # what an engine has made so far is decoded at most twice a second ...
PARTIAL_SHARE = 0.03  # ... and takes no more of a run's time than this
_WAIT_SECONDS = 0.05  # how often a waiting run looks for Cancel
MAX_WAITING = 256  # jobs in line when the last run is let in; what it asks for comes on top
MAX_EACH = 32  # of which one user's
TOLD_SECONDS = 1.0  # how often a waiting run says anew when it begins
log = logging.getLogger("inlay")
Made = TypeVar("Made")


class _Hands:
    """The one thread that does all work of a device: the heap that a thread has grown stays its own, so
    that a thread for each run would keep as many heaps. No ThreadPoolExecutor, which keeps a process that
    is stopped until its run is over."""

    def __init__(self) -> None:
        self._work: SimpleQueue[tuple[Callable[[], Any], Future[Any]]] = SimpleQueue()
        self._lock = threading.Lock()
        self._thread: threading.Thread | None = None

    def do(self, call: Callable[[], Made]) -> Made:
        """What the call gives, or raises."""
        future: Future[Made] = Future()
        with self._lock:
            if self._thread is None:  # a process that makes nothing has none
                self._thread = threading.Thread(target=self._go_on, name="inlay-device", daemon=True)
                self._thread.start()
        self._work.put((call, future))
        return future.result()

    def _go_on(self) -> None:
        while True:
            call, future = self._work.get()
            try:
                future.set_result(call())
            except BaseException as error:
                future.set_exception(error)
            del call, future  # a result is as large as its audio


OnEvent = Callable[[JobEvent], None]
Supports = Callable[[Request, Any], Support]  # of a request and the models


class Runner:
    """All runs of one device."""

    def __init__(
        self,
        models_loader: Callable[[], Any],
        serve: Serve | None = None,
        supports: Supports | None = None,
        pace: Pace | None = None,
    ) -> None:
        """`models_loader` gives the shared checkpoints (it is called for each run and must cache).

        `serve` and `supports` default to those of `engines.dispatch`. `pace` says how long jobs take.
        """
        self._models_loader = models_loader
        self._serve = serve or dispatch_run
        self._supports = supports or dispatch_supports
        self._pace = pace or Pace()
        self._line = Line()
        self.counts = Counts()
        self._hands = _Hands()
        self.loaded: set[str] = set()  # engines whose models are in memory

    def run(
        self,
        jobs: Sequence[Job],
        on_event: OnEvent,
        cancel: threading.Event,
        folder: Path | None = None,
        source: Sound | None = None,
        skipped: Container[int] = (),
        who: str = "",
    ) -> None:
        """Do the jobs one after the other, and return when all are done; `on_event` is called with what
        happens, last one of Done, Failed or Stopped for each job: in the thread of the caller, but with
        progress in the device's.

        `cancel` stops the job that works at its next step and all that wait; one whose index is in
        `skipped`, now or later, is stopped alone. With a `folder`, each result is stored as a take there
        before its event. `source` names the clip in it that they work on. `who` asks takes turns with others.
        At most about eight progress events a second.
        """
        waiting = _Waiting(self._line, self._pace, jobs, who, on_event)
        try:
            waiting.tell()
            for index, job in enumerate(jobs):
                report = _Report(job.engine, index, on_event, cancel, skipped, self.loaded, waiting)
                try:
                    event = self._one(job, report, folder, source)
                finally:
                    waiting.leave(index)
                self._note(event, report)
                on_event(event)
        finally:
            for index in range(len(jobs)):
                waiting.leave(index)

    def waiting(self) -> Counter[str]:
        """Jobs that wait or work, by engine."""
        return Counter(self._line.engines())

    def _note(self, event: JobEvent, report: _Report) -> None:
        how = "done" if isinstance(event, Done) else "failed" if isinstance(event, Failed) else "cancelled"
        self.counts.ended(event.engine, how, event.result.timings if isinstance(event, Done) else {})
        if log_of_runs.is_on():
            _, kind, seconds = report.waiting.works[report.index]
            log_of_runs.run(report.id, event.engine, kind, seconds, *report.waited_and_spent(), how)

    def check_room(self, who: str = "") -> None:
        """InputError where as many jobs wait as may, of all or of one user."""
        if (own := self._line.length(who)) >= MAX_EACH:
            raise InputError(
                f"{own} takes of yours wait in line already, and {MAX_EACH} may: wait for some, or skip some"
            )
        if (waiting := self._line.length()) >= MAX_WAITING:
            raise InputError(
                f"{waiting} takes wait in line on this server already; try again when some are done"
            )

    def stream(
        self,
        jobs: Sequence[Job],
        cancel: threading.Event | None = None,
        folder: Path | None = None,
        source: Sound | None = None,
        skipped: Container[int] = (),
        who: str = "",
    ) -> Iterator[JobEvent]:
        """The same as a generator, for who waits for events instead of being called; closing it cancels.

        The last event is repeated in long silences, so that a listener that has gone is noticed.
        """
        events: SimpleQueue[JobEvent | None] = SimpleQueue()  # None ends it
        stop = cancel or threading.Event()

        def work() -> None:
            try:
                self.run(jobs, events.put, stop, folder, source, skipped, who)
            finally:
                events.put(None)

        threading.Thread(target=work, name="inlay-run", daemon=True).start()
        last: JobEvent | None = None
        try:
            while True:
                try:
                    event = events.get(timeout=HEARTBEAT_SECONDS)
                except Empty:
                    if isinstance(last, Queued | Running):
                        yield last
                    continue
                if event is None:
                    return
                last = event
                yield event
        except GeneratorExit:  # the tab was closed
            stop.set()
            raise

    def _one(
        self, job: Job, report: _Report, folder: Path | None, source: Sound | None
    ) -> JobEvent:
        """Wait for the device and do one job."""
        engine, index = job.engine, report.index
        if not report.waiting.wait(report):
            return Stopped(engine, None, index)
        report.begin()
        self.counts.working = engine
        try:
            support = self._supports(probe_of(job), self._models_loader())
            if not support:
                return Failed(engine, support.reason, index)
            result = self._hands.do(lambda: perform(job, self._models_loader(), report, self._serve))
            extension = job if isinstance(job, Extension) else None
            take = take_from(result, folder, source, extension) if folder else None
            return Done(engine, result, take, index)
        except Cancelled:
            return Stopped(engine, report.newest, index)
        except InputError as error:
            return Failed(engine, str(error), index)
        except Exception as error:  # one broken engine must not stop the others, nor lose the page
            log.exception("engine %s broke", engine, extra={"run": report.id})
            named = f" (run {report.id} of the log)" if log_of_runs.is_on() else ""
            return Failed(engine, f"{failure_words(error)}{named}", index)
        finally:
            self.counts.working = ""


class _Waiting:
    """The places in line of one run's jobs, and what the run is told of them."""

    def __init__(
        self, line: Line, pace: Pace, jobs: Sequence[Job], who: str, on_event: OnEvent
    ) -> None:
        self._line = line
        self._pace = pace
        self._jobs = jobs
        self._on_event = on_event
        self.works = [work_of(job) for job in jobs]
        self.asked = time.monotonic()
        self._at: dict[int, Progress] = {}  # how far the job is that works
        self._tickets = {
            index: line.join(who, self, partial(self._left, index), job.engine)
            for index, job in enumerate(jobs)
        }
        self._told: dict[int, tuple[int, int, str]] = {}
        self._seen, self._again = -1, 0.0  # the line's changes that were told last; when to look again

    def _left(self, index: int) -> float | None:
        """Seconds that a job takes, or still takes."""
        at = self._at.get(index)
        return self._pace.guess(*self.works[index]) if at is None else self._pace.left(*self.works[index], at)

    def leave(self, index: int) -> None:
        """A job is done, or is not wanted."""
        if (ticket := self._tickets.pop(index, None)) is not None:
            self._line.leave(ticket)

    def wait(self, report: _Report) -> bool:
        """Wait until a job has the device, and tell who is ahead; False when it is stopped before."""
        while not self._line.wait(self._tickets[report.index], _WAIT_SECONDS):
            if report.stopped:
                return False
            self.tell()
        return not report.stopped

    def working(self, index: int, progress: Progress) -> None:
        """One of the jobs is at work."""
        self._at[index] = progress
        self.tell()

    def tell(self) -> None:
        """Say of each job that waits what comes before it, where that is new in its words."""
        now, changes = time.monotonic(), self._line.changes
        if changes == self._seen and now < self._again:
            return
        self._seen, self._again = changes, now + TOLD_SECONDS
        for index, ticket in list(self._tickets.items()):
            if index in self._at:
                continue
            ahead = self._line.ahead(ticket)
            words = "" if ahead.seconds is None else estimate_words(ahead.seconds)
            told = (ahead.jobs, ahead.others, words)
            if ahead.jobs and self._told.get(index) != told:
                self._told[index] = told
                engine = self._jobs[index].engine
                self._on_event(Queued(engine, ahead.jobs, index, ahead.others, ahead.seconds))


class _Report:
    """The progress hook of one job: passes on what the engine reports, and stops it."""

    def __init__(
        self,
        engine: EngineName,
        index: int,
        on_event: OnEvent,
        cancel: threading.Event,
        skipped: Container[int],
        loaded: set[str],
        waiting: _Waiting,
    ) -> None:
        self.engine = engine
        self._loaded = loaded
        self.waiting = waiting
        self.index = index
        self.on_event = on_event
        self.newest = Progress("load", 0, 1, 0.0, None)
        self._cancel = cancel
        self._skipped = skipped
        self._growing = _Growing()
        self._sent = 0.0  # when the last event was sent
        self.id = secrets.token_hex(4)  # by which the log knows it
        self._begun: float | None = None

    @property
    def stopped(self) -> bool:
        """Whether the job shall not go on."""
        return self._cancel.is_set() or self.index in self._skipped

    def waited_and_spent(self) -> tuple[float, float]:
        """Seconds from the asking to its beginning, and from there until now."""
        now = time.monotonic()
        begun = now if self._begun is None else self._begun
        return begun - self.waiting.asked, now - begun

    def begin(self) -> None:
        """Say that the job works now."""
        self._begun = time.monotonic()
        self._sent = time.perf_counter()
        self.newest = self._known(self.newest)
        self.waiting.working(self.index, self.newest)
        self.on_event(Running(self.engine, self.newest, self.index))

    def _known(self, progress: Progress) -> Progress:
        """Engines say that they load whenever they begin; what is there already is not loaded again."""
        if progress.stage != "load":
            self._loaded.add(self.engine)
        elif self.engine in self._loaded and progress.total <= 1:  # a checkpoint that comes tells its bytes
            return replace(progress, stage="begin")
        return progress

    def __call__(self, progress: Progress) -> None:
        progress = self._known(progress)
        self.newest = progress
        if self.stopped:
            raise Cancelled
        now = time.perf_counter()
        if now - self._sent >= EVENT_SECONDS:
            self._sent = now
            self.waiting.working(self.index, progress)
            peaks = self._growing.peaks(progress)
            self.on_event(Running(self.engine, progress, self.index, peaks))


class _Growing:
    """The waveform of a take while it is made, decoded now and then."""

    def __init__(self) -> None:
        self._peaks: tuple[int, ...] = ()
        self._next = 0.0  # time at which to look again

    def peaks(self, progress: Progress) -> tuple[int, ...]:
        """Peaks of all that there is, or what they were a moment ago."""
        now = time.perf_counter()
        if progress.partial is None or now < self._next:
            return self._peaks
        samples, rate = progress.partial()
        size = max(1, seconds_to_samples(PEAK_SECONDS, rate))
        whole = samples[: len(samples) // size * size].reshape(-1, size)  # [n] -> [n / size, size]
        self._peaks = tuple(int(peak) for peak in np.clip(100 * np.abs(whole).max(axis=1), 0, 100))
        done = time.perf_counter()
        self._next = max(now + PARTIAL_SECONDS, done + (done - now) / PARTIAL_SHARE)
        return self._peaks


def failure_words(error: BaseException) -> str:
    """An unexpected error in one line for the musician."""
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return "out of memory; close other programs, or choose a shorter span"
    lines = str(error).strip().splitlines()
    return (
        f"the engine broke ({type(error).__name__}{': ' + lines[0][:160] if lines else ''}); try another seed"
    )
