"""What a device has done since the start, counted: jobs by how they ended, seconds by stage. Names no user."""

from __future__ import annotations

import threading
from collections import Counter, defaultdict
from collections.abc import Mapping

ENDS = ("done", "failed", "cancelled")


class Counts:
    """Of one device. Seconds."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._jobs: Counter[tuple[str, str]] = Counter()  # engine, how it ended -> jobs
        self._stages: defaultdict[tuple[str, str], list[float]] = defaultdict(list)  # engine, stage -> [sum, count]
        self.working = ""  # the engine at work

    def ended(self, engine: str, how: str, timings: Mapping[str, float] = {}) -> None:
        """A job of an engine is over: one of ENDS. `timings`: seconds it spent in each stage."""
        with self._lock:
            self._jobs[engine, how] += 1
            for stage, spent in timings.items():
                known = self._stages[engine, stage] or [0.0, 0.0]
                self._stages[engine, stage] = [known[0] + spent, known[1] + 1]

    def metrics(self, waiting: Mapping[str, int], engines: tuple[str, ...]) -> list[str]:
        """Lines in Prometheus' text format, of jobs and stages; `waiting`: jobs in line by engine, with the one at work."""
        with self._lock:
            jobs, stages, working = dict(self._jobs), dict(self._stages), self.working
        lines = ["# HELP inlay_jobs Jobs in line and at work.", "# TYPE inlay_jobs gauge"]
        for engine in engines:
            running = int(engine == working)
            waits = max(0, waiting.get(engine, 0) - running)
            lines.append(_sample("inlay_jobs", waits, engine=engine, state="waiting"))
            lines.append(_sample("inlay_jobs", running, engine=engine, state="running"))
        lines += ["# HELP inlay_jobs_ended_total Jobs by how they ended.", "# TYPE inlay_jobs_ended_total counter"]
        for engine in engines:
            for how in ENDS:
                lines.append(
                    _sample("inlay_jobs_ended_total", jobs.get((engine, how), 0), engine=engine, end=how)
                )
        lines += ["# HELP inlay_stage_seconds Seconds that stages took.", "# TYPE inlay_stage_seconds summary"]
        for (engine, stage), (spent, count) in sorted(stages.items()):
            lines.append(_sample("inlay_stage_seconds_sum", spent, engine=engine, stage=stage))
            lines.append(_sample("inlay_stage_seconds_count", int(count), engine=engine, stage=stage))
        return lines


def gauge(name: str, words: str, value: int) -> list[str]:
    """Lines of a number that goes up and down."""
    return [f"# HELP {name} {words}", f"# TYPE {name} gauge", f"{name} {value}"]


def _sample(name: str, value: float, **labels: str) -> str:
    said = ",".join(f'{key}="{text}"' for key, text in labels.items())
    return f"{name}{{{said}}} {value if isinstance(value, int) else round(value, 6)}"
