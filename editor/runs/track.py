"""A run as the page shows it: a track for each job that waits, works or failed; and its words.

Times are seconds. Frozen values; knows no page.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from editor.project.document import Region, Sound
from editor.runs.job import About, Extension, Job, Kind, request_of
from editor.runs.pace import at_work_on
from engines.progress import Progress
from engines.requests import InpaintRequest
from engines.support import checkpoint_of

STAGES = {
    "load": "Loading the models",
    "begin": "Beginning",
    "queued": "Waiting for the device",
    "text": "Reading the prompt",
    "encode": "Listening to the clip",
    "decode": "Rendering the sound",
}


@dataclass(frozen=True)
class RunTrack:
    """A run that is waiting, working, or ended without a take."""

    engine: str
    kind: Kind
    seed: int
    region: Region | None
    source: Sound | None
    state: str = "waiting"  # "waiting" | "running" | "failed" | "cancelled" | "interrupted"
    progress: float = 0.0  # 0..1
    note: str = "Waiting"
    index: int = 0  # which of the run's jobs
    peaks: tuple[int, ...] = ()  # of the sound so far (`events.Running`)
    spans: tuple[Region, ...] = ()  # as of a take
    about: About | None = None  # where it is about one part of what plays

    @property
    def id(self) -> str:
        """Its name on the page."""
        return f"run-{self.engine}-{self.index}"

    @property
    def seconds(self) -> float | None:
        """Length of what is made; None for a new clip or a loop, which have no span."""
        return None if self.region is None else self.region.end - self.region.start


def track_of(job: Job, source: Sound | None, index: int) -> RunTrack:
    """The track of a job that waits."""
    if isinstance(job, Extension):
        return RunTrack(job.engine, job.kind, job.seed, job.region, source, index=index)
    if isinstance(job, InpaintRequest):
        region = Region(job.start, job.spans[-1][1])
        spans = tuple(Region(*span) for span in job.spans) if job.also else ()
        about = About(job.task, job.part) if job.task != "remake" else None
        return RunTrack(
            job.engine, "inpaint", job.seed, region, source, index=index, spans=spans, about=about
        )
    return RunTrack(job.engine, "generate", job.seed, None, source, index=index)


def work_of(job: Job) -> tuple[str, str, float]:
    """What a job is to `Pace`: who does it, what kind it is, and seconds of audio to be made."""
    made = track_of(job, None, 0)
    kind = "generate" if made.kind == "generate" else "inpaint"
    seconds = job.seconds if made.seconds is None else made.seconds
    return at_work_on(job.engine, checkpoint_of(request_of(job))), kind, seconds


def waiting_words(others: int, seconds: float | None) -> str:
    """"4 runs before yours, about 1 min": of runs that others asked for, and seconds until one's own begins."""
    about = f", about {estimate_words(seconds)}" if seconds is not None else ""
    return f"{others} run{'' if others == 1 else 's'} before yours{about}"


def with_state(tracks: Sequence[RunTrack], index: int, **fields: Any) -> tuple[RunTrack, ...]:
    """The tracks with the fields of one job's track changed."""
    return tuple(replace(track, **fields) if track.index == index else track for track in tracks)


def estimate_words(seconds: float) -> str:
    """Seconds as a round estimate: below 10 s to 1 s, below 60 s to 5 s, else minutes."""
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 57.5:
        return f"{5 * round(seconds / 5)} s"
    return f"{max(1, round(seconds / 60))} min"


def progress_words(progress: Progress, left: float | None) -> str:
    """A report as a musician reads it: "62 %, about 6 s left"; `left` in seconds (`pace.Pace`)."""
    if progress.stage == "load" and progress.total > 1:  # bytes
        return f"Loading {int(progress.fraction * 100)} % of {size_words(progress.total)}"
    if progress.stage != "sample":
        return STAGES.get(progress.stage, "Working")
    share = f"{round(progress.fraction * 100)} %"
    if left is None:
        return share
    return f"{share}, about {estimate_words(left)} left"


def size_words(size: float) -> str:
    """Bytes for people: 2.4 GB, 40 MB."""
    return f"{size / 1e9:.1f} GB" if size >= 1e9 else f"{max(1, round(size / 1e6))} MB"


def spent_words(seconds: float) -> str:
    """Time spent: "1.8 s", "14 s"."""
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"
