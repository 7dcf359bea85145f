"""What happens in a run: it waits, works, and ends in one of three ways."""

from __future__ import annotations

from dataclasses import dataclass

from editor.project.document import Take
from engines.progress import Progress
from engines.requests import Result
from engines.roster import EngineName

PEAK_SECONDS = 0.02  # of sound that a peak stands for


@dataclass(frozen=True)
class Queued:
    """The run waits for the device."""

    engine: EngineName
    position: int  # runs ahead of it, 1 = it is next after the one that works
    index: int = 0  # which of the job's requests
    others: int = 0  # of the runs ahead, those that were not asked for together with it
    seconds: float | None = None  # until it begins; None while nobody knows


@dataclass(frozen=True)
class Running:
    """The run works."""

    engine: EngineName
    progress: Progress
    index: int = 0
    peaks: tuple[int, ...] = ()  # of what it has made so far: loudest sample of each PEAK_SECONDS, 0..100


@dataclass(frozen=True)
class Done:
    """The run has finished; its take is stored already."""

    engine: EngineName
    result: Result
    take: Take | None  # None when the stream was given no folder
    index: int = 0


@dataclass(frozen=True)
class Failed:
    """The run cannot be done, or broke; the others go on."""

    engine: EngineName
    message: str  # one line for the musician
    index: int = 0


@dataclass(frozen=True)
class Stopped:
    """The run was stopped, or never begun, because of Cancel."""

    engine: EngineName
    progress: Progress | None = None  # how far it had come
    index: int = 0


JobEvent = Queued | Running | Done | Failed | Stopped
