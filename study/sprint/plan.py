"""How big, how many and until when: the plan of one run, whole or tiny.

Times are shares of the run's minutes.
"""

from __future__ import annotations

import json
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path

LAST_WORDS = 10.0  # seconds kept for writing at the very end


@dataclass(frozen=True)
class Plan:
    """One run."""

    minutes: float = 9.0
    width: int = 32  # of the codec
    dim: int = 384  # of FM and AR
    layers: int = 8
    codec_batch: int = 48  # items of 1.2 s
    fm_batch: int = 512  # items of 5 s
    ar_batch: int = 384
    codebook_size: int = 1024
    hours: float = 40.0  # to render
    shard: int = 50  # clips
    held_out: int = 48  # clips
    workers: int = 15
    threads: int = 1  # of the process that trains
    every: float = 20.0  # seconds between two rows of the curves
    codec_until: float = 0.42  # shares of the run at which stages end
    encode_until: float = 0.52
    fm_until: float = 0.75
    compile_from: float = 240.0  # seconds of a stage from which compiling the network is tried

    @staticmethod
    def tiny(minutes: float) -> Plan:
        """Today's networks and very little of everything, for any processor."""
        return Plan(
            minutes, width=16, dim=256, layers=6, codec_batch=2, fm_batch=2, ar_batch=2, codebook_size=64,
            hours=0.04, shard=4, held_out=4, workers=1, every=5.0,
        )  # fmt: skip


@dataclass(frozen=True)
class Clock:
    """When a run began and when it must be over, in seconds of `time.time`."""

    begin: float
    end: float

    def left(self, share: float = 1.0) -> float:
        """Seconds until a share of the run is over, with the time for last words kept back."""
        last = min(LAST_WORDS, 0.1 * (self.end - self.begin))
        return min(self.begin + share * (self.end - self.begin), self.end - last) - time.time()

    def turn(self, share: float, least: float) -> float:
        """Seconds of a stage until a share of the run, or that part of what is left, whichever is more."""
        return max(1.0, self.left(share), least * self.left())


def write_plan(plan: Plan, clock: Clock, path: Path) -> None:
    """Keep a plan and its clock for the processes of a run."""
    path.write_text(json.dumps({"plan": asdict(plan), "begin": clock.begin, "end": clock.end}))


def read_plan(path: Path) -> tuple[Plan, Clock]:
    """The inverse of `write_plan`."""
    kept = json.loads(path.read_text())
    return Plan(**kept["plan"]), Clock(kept["begin"], kept["end"])


def going_on(plan: Plan) -> Plan:
    """The plan of a second run on the same machine: the codec stays, FM and AR share the time."""
    return replace(plan, codec_until=0.0, encode_until=0.1, fm_until=0.5)
