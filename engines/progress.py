"""Progress of a run: reports through a hook, and the seconds of its stages. Loads no torch."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Progress:
    """One report from a running engine."""

    stage: str  # "queued", "load", "begin", "encode", "text", "sample", "decode"
    step: int  # steps done, 0..total
    total: int
    elapsed: float  # seconds since the run began
    remaining: float | None  # estimated seconds left, None while unknown
    # Decodes what there is so far when it is called: mono samples [n] and their rate. None = nothing yet.
    partial: Callable[[], tuple[NDArray[np.float32], int]] | None = None

    @property
    def fraction(self) -> float:
        """Share done, 0..1."""
        return self.step / self.total if self.total else 0.0


ProgressHook = Callable[[Progress], None]  # may raise Cancelled


def work_seconds(timings: Mapping[str, float]) -> float:
    """Seconds at work: all stages but waiting in line and the first loading of the checkpoints."""
    return sum(spent for stage, spent in timings.items() if stage not in ("queued", "load"))


class Stopwatch:
    """Times the stages of one run and reports progress through a hook."""

    def __init__(self, progress: ProgressHook | None) -> None:
        self._progress = progress
        self._begin = time.perf_counter()
        self._stage_begin = self._begin
        self.timings: dict[str, float] = {}

    def report(
        self,
        stage: str,
        step: int,
        total: int,
        partial: Callable[[], tuple[NDArray[np.float32], int]] | None = None,
    ) -> None:
        """Tell the hook; raises Cancelled when the hook does. `step` counts finished steps; `partial` gives
        the samples [n] made so far, and their rate."""
        if self._progress is None:
            return
        now = time.perf_counter()
        in_stage = now - self._stage_begin
        remaining = in_stage / step * (total - step) if step else None
        self._progress(Progress(stage, step, total, now - self._begin, remaining, partial))

    def lap(self, stage: str) -> None:
        """Close the current stage under `stage`; the next begins now."""
        now = time.perf_counter()
        self.timings[stage] = self.timings.get(stage, 0.0) + now - self._stage_begin
        self._stage_begin = now
