"""A session's run: what waits, works and has ended, as its events tell it, in words for the page.

Changed by the run's thread and by the page, under the session's lock. Knows no page.
"""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

from editor.project.document import Sound, Take
from editor.project.versions import ENGINE_LABELS
from editor.runs import interrupted
from editor.runs.events import Failed, JobEvent, Queued, Running, Stopped
from editor.runs.job import Extension, Job, request_of
from editor.runs.pace import Pace, at_work_on
from editor.runs.track import RunTrack, estimate_words, progress_words, track_of, waiting_words, with_state
from engines.errors import InputError
from engines.requests import InpaintRequest
from engines.support import checkpoint_of


class ActiveRun:
    """The run of a session that goes on, or went on last."""

    def __init__(self) -> None:
        self.running = False
        self.tracks: tuple[RunTrack, ...] = ()  # jobs that wait, work, or ended without a take
        self.takes: tuple[Take, ...] = ()  # what it has made, for the status block
        self.message = ""  # what the page says of it beside the tracks
        self.say = ""  # what a screen reader is told next
        self.jobs: tuple[Job, ...] = ()
        self.cancel = threading.Event()
        self.folder: Path | None = None  # where a crash finds it
        self.skipped: set[int] = set()  # jobs that are stopped alone
        self.stops = 0  # how often all was cancelled: a run that is still being prepared is not begun then

    def take_up(self, folder: Path) -> None:
        """A project was opened: what was going on there when the server last stopped is shown."""
        self.folder = folder
        self.tracks = interrupted.found(folder)

    def begin(self, jobs: Sequence[Job], source: Sound | None, folder: Path) -> None:
        """Jobs on the project of a folder have been given to the device. InputError while another run goes on."""
        if self.running:
            raise InputError("a run is going on: wait for it, or cancel it first")
        self.running = True
        self.cancel.clear()
        self.skipped = set()
        self.jobs = tuple(jobs)
        self.takes, self.message = (), ""
        self.say = f"Started, {len(jobs)} take{'' if len(jobs) == 1 else 's'}"
        self.folder = folder
        begun = tuple(track_of(job, source, index) for index, job in enumerate(jobs))
        self.tracks = (*(track for track in self.tracks if track.state == "interrupted"), *begun)
        self._note()

    def stop(self) -> None:
        """Cancel all, also what has been asked for and has not begun."""
        self.stops += 1
        self.cancel.set()

    def end(self) -> None:
        """The run is over; what failed or was cancelled stays to be seen."""
        self.running = False
        self.tracks = tuple(track for track in self.tracks if track.state not in ("running", "waiting"))
        self._note()

    def forget(self, track: RunTrack) -> None:
        """One that a crash has interrupted is not wanted any more, or is made again."""
        self.tracks = tuple(other for other in self.tracks if other is not track)
        self._note()

    def find(self, id: str) -> RunTrack | None:
        """The track of that name; None once it has become a take."""
        return next((track for track in self.tracks if track.id == id), None)

    def skip(self, id: str) -> None:
        """Stop one job that works or waits; the others go on. InputError for one that has ended.

        What a crash has interrupted is forgotten.
        """
        track = self.find(id)
        if track is not None and track.state == "interrupted":  # seen, and not wanted again
            self.forget(track)
            return
        if track is None or track.state not in ("running", "waiting"):
            raise InputError(f"run {id[:40]!r}: it has ended already; there is nothing to stop")
        self.skipped.add(track.index)
        if track.state == "waiting":  # one that works says itself how far it came
            self._put(track.index, state="cancelled", note="Skipped")
            self.say = "Skipped"

    def follow(self, event: JobEvent, pace: Pace, length: float) -> None:
        """What an event other than Done says onto the tracks; `length`: seconds of a clip to be generated."""
        self.say = ""
        index = event.index
        if isinstance(event, Queued):
            if index not in self.skipped:
                self._put(index, state="waiting", note=self._waiting(event, pace, length))
        elif isinstance(event, Running):
            at = event.progress
            share = at.fraction if at.stage == "sample" else 1.0 if at.stage == "decode" else 0.0
            self.say = self._quarter(event, share)
            left = pace.left(self._worker(event), *self._work(index, length), at)
            note = progress_words(at, left)
            self._put(index, state="running", progress=share, note=note, peaks=event.peaks)
        elif isinstance(event, Stopped):
            self._stop(event)
        elif isinstance(event, Failed):
            self.say = f"Failed: {event.message}"
            self._put(index, state="failed", note=self.say)

    def finish(self, index: int) -> Job:
        """A job has become a take; gives the job."""
        self.tracks = tuple(track for track in self.tracks if track.index != index)
        self._note()
        return self.jobs[index]

    def _stop(self, event: Stopped) -> None:
        at = event.progress
        share = at.fraction if at and at.stage == "sample" else 0.0
        if event.index in self.skipped and not share:
            self._put(event.index, state="cancelled", note="Skipped")
            return
        self.say = "Cancelled"
        note = f"Cancelled at {share:.0%}".replace("%", " %") if share else "Cancelled"
        self._put(event.index, state="cancelled", note=note)

    def _put(self, index: int, **fields: object) -> None:
        before = self._stages()
        self.tracks = with_state(self.tracks, index, **fields)
        if self._stages() != before:
            self._note()

    def _stages(self) -> list[tuple[str, int]]:
        """How far the jobs are, roughly: a crash need not know it better."""
        return [(track.state, int(20 * track.progress)) for track in self.tracks]

    def _note(self) -> None:
        if self.folder is not None:
            interrupted.note(self.folder, self.tracks)

    def _track(self, index: int) -> RunTrack | None:
        return next((track for track in self.tracks if track.index == index), None)

    def _worker(self, event: Queued | Running) -> str:
        """Who does a job, as `Pace` knows it."""
        return at_work_on(event.engine, checkpoint_of(request_of(self.jobs[event.index])))

    def _work(self, index: int, length: float) -> tuple[str, float]:
        """What a job makes, as `Pace` knows it: kind and seconds."""
        track = self._track(index)
        if track is None:
            return "inpaint", length
        kind = "generate" if track.kind == "generate" else "inpaint"
        return kind, length if track.seconds is None else track.seconds

    def _waiting(self, event: Queued, pace: Pace, length: float) -> str:
        """What comes before it; where only this run's own does, "Next, about 14 s": what itself takes."""
        if event.others:
            return waiting_words(event.others, event.seconds)
        guess = pace.guess(self._worker(event), *self._work(event.index, length))
        about = f", about {estimate_words(guess)}" if guess else ""
        return f"{'Next' if event.position == 1 else 'Waiting'}{about}"

    def _quarter(self, event: Running, share: float) -> str:
        """What a screen reader hears of progress: quarters only."""
        track = self._track(event.index)
        quarter = int(share * 4)
        if quarter in (1, 2, 3) and int((track.progress if track else 0.0) * 4) < quarter:
            return f"{ENGINE_LABELS.get(event.engine, event.engine)} {25 * quarter} percent"
        return ""


def learn(pace: Pace, job: Job, spent: float) -> None:
    """What a job has taken, in seconds, for estimates of the next.

    Several spans tell nothing of what one takes, and one part of it nothing of a span that is made anew.
    """
    if isinstance(job, Extension) or (isinstance(job, InpaintRequest) and (job.also or job.task != "remake")):
        return
    kind = "inpaint" if isinstance(job, InpaintRequest) else "generate"
    pace.learn(at_work_on(job.engine, checkpoint_of(job)), kind, job.seconds, spent)
