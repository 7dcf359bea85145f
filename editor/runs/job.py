"""What a run does: one request to an engine, or a clip that is extended. Times are seconds.

Loads no torch; of the engines it knows only their dispatcher.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any, Literal, NamedTuple

from editor.project.document import Region
from engines.filling import edits
from engines.progress import ProgressHook
from engines.requests import InpaintRequest, Request, Result, SpanTask, Support
from engines.roster import EngineName
from engines.roster import ENGINES

Kind = Literal["generate", "inpaint", "continue", "intro", "loop"]
ExtensionKind = Literal["continue", "intro", "loop"]
EXTENSIONS: tuple[ExtensionKind, ...] = ("continue", "intro", "loop")
GENERATORS: tuple[EngineName, ...] = tuple(spec.name for spec in ENGINES if spec.generates)


class About(NamedTuple):
    """One part of what plays in a span, and what becomes of it."""

    task: SpanTask
    part: str


@dataclass(frozen=True)
class Extension:
    """A clip made longer at its end or its beginning, or one whose end meets its beginning unheard."""

    kind: ExtensionKind
    request: InpaintRequest  # of the clip as it is; its span is ignored. Controls: on the result's clock
    seconds: float  # to add; of a loop, to re-make around the join

    @property
    def engine(self) -> EngineName:
        """Who makes it."""
        return self.request.engine

    @property
    def seed(self) -> int:
        """Of the request."""
        return self.request.seed

    @property
    def region(self) -> Region | None:
        """The stretch that is added, on the result's clock; None for a loop, which adds none."""
        if self.kind == "loop":
            return None
        start = self.request.source.seconds if self.kind == "continue" else 0.0
        return Region(start, start + self.seconds)

    @property
    def probe(self) -> InpaintRequest:
        """A request that can be served where the extension can. InputError for an unusable length."""
        if self.kind == "loop":
            return replace(self.request, start=0.0, end=self.seconds)
        lengthen = edits.continuation if self.kind == "continue" else edits.intro
        return lengthen(self.request, self.seconds)

    def run(self, serve: edits.Run, progress: ProgressHook | None) -> Result:
        """Make it with `serve`, which serves one request."""
        if self.kind == "loop":
            return edits.loop(self.request, self.seconds, serve, progress)
        return serve(self.probe, progress)


Job = Request | Extension
Serve = Callable[[Request, Any, ProgressHook], Result]  # of a request, the models and a progress hook


def request_of(job: Job) -> Request:
    """The request itself; of an extension that of the clip as it is."""
    return job.request if isinstance(job, Extension) else job


def probe_of(job: Job) -> Request:
    """A request that can be served where the job can. InputError for an extension of an unusable length."""
    return job.probe if isinstance(job, Extension) else job


def with_seed(job: Job, seed: int) -> Job:
    """The same job with another seed."""
    if isinstance(job, Extension):
        return replace(job, request=replace(job.request, seed=seed))
    return replace(job, seed=seed)


def perform(job: Job, models: Any, progress: ProgressHook, serve: Serve | None = None) -> Result:
    """Do a job; `serve` serves one request (None = `engines.dispatch.run`). Raises what the engine raises."""
    one = serve or dispatch_run
    if not isinstance(job, Extension):
        return one(job, models, progress)
    return job.run(lambda part, hook: one(part, models, hook or progress), progress)


def dispatch_run(request: Request, models: Any, progress: ProgressHook) -> Result:
    """Serve a request by the engine that it names. Raises InputError and Cancelled."""
    from engines import dispatch  # loads torch

    return dispatch.run(request, models, progress)


def dispatch_supports(request: Request, models: Any) -> Support:
    """Whether the engine that a request names can serve it, on the checkpoint that it names."""
    from engines import dispatch  # loads torch

    return dispatch.supports(request, models)
