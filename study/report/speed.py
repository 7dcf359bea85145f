"""How long clips take: latency and throughput by batch and duration, latency by FM's steps (sec. 5.4).

Wall seconds on this machine, beside those of the processor, which other work hardly moves. AR and FM take
turns within a round, so that what else runs meets both.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial

from engines.checkpoints.shelf import Models, open_bundle
from engines.requests import Controls, FMSettings, GenerateRequest, Request
from engines.roster import EngineName
from study.batches import run_many
from study.report import paper
from study.report.intervals import averaged
from study.report.parts import Found, Place, curve, row, spent, table
from study.runtime import CHORDS

COLUMNS = ("s until all are there", "s of music a second", "CPU s a clip")
PROMPT = "upbeat pop with piano and drums"
SHORT = 5.0  # seconds of the clips that batches are made of, at most
WAYS: dict[str, tuple[EngineName, int]] = {
    "AR": ("ar", 0), "FM, Euler 10": ("fm", 10), "FM, Euler 25": ("fm", 25), "FM, Euler 50": ("fm", 50),
}  # fmt: skip


def timed(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor seconds of one call."""
    wall, cpu = time.perf_counter(), spent()
    work()
    return time.perf_counter() - wall, spent() - cpu


def clips(way: str, count: int, seconds: float) -> list[Request]:
    """So many clips, by seed."""
    engine, steps = WAYS[way]
    lanes = Controls(chords=tuple(c for c in CHORDS.chords or () if c.end <= max(seconds, 2.5)))
    fm = FMSettings("euler", steps) if steps else FMSettings()
    return [GenerateRequest(engine, PROMPT, seconds, i, lanes, fm=fm) for i in range(count)]


def speed(place: Place) -> Found:
    """Figures 5-7 as far as they go here."""
    found, models = Found(), open_bundle(place.bundle, place.device)
    short = min(SHORT, place.size.seconds)
    for way in WAYS:
        run_many(clips(way, 1, min(1.0, short)), models)  # loads what it needs
    _batches(found, models, place, short)
    _durations(found, models, place)
    found.notes.append(
        f"{models.device}, {place.threads} threads; the paper: one A100, 24 layers of 1024, clips of 10 s."
    )
    return found


def _batches(found: Found, models: Models, place: Place, seconds: float) -> None:
    ways = [way for way in WAYS if way != "FM, Euler 50"]
    spans: dict[tuple[str, int], list[tuple[float, float]]] = {}
    for _ in range(place.size.rounds):
        for batch in place.size.batches:
            for way in ways:
                todo = clips(way, batch, seconds)
                spans.setdefault((way, batch), []).append(timed(partial(run_many, todo, models, batch)))
    rows, series = [], []
    for way in ways:
        points: list[list[float]] = []
        for batch in place.size.batches:
            wall, cpu = zip(*spans[way, batch], strict=True)
            found.samples[f"{way}, batch {batch}"] = {
                "wall": list(wall), "cpu": list(cpu), "a clip": [w / batch for w in wall],
            }  # fmt: skip
            rate = averaged([batch * seconds / w for w in wall])
            rows.append(
                row(f"{way}, batch {batch}", {"s until all are there": averaged(wall),
                                              "s of music a second": rate, "CPU s a clip":
                                              averaged([c / batch for c in cpu])})
            )  # fmt: skip
            points.append([batch, rate.value])
        series.append({"name": way, "points": points})
    for name, value in paper.THROUGHPUT.items():
        quoted = {"s of music a second": 10 * value}
        rows.append(row(f"{name}, batch 256, A100 (Fig. 5)", quoted, "paper"))
    found.tables.append(
        table("Latency and throughput by batch", COLUMNS,
              rows, f"Clips of {seconds:g} s with chords, {place.size.rounds} rounds in turn.", "Fig. 5")
    )  # fmt: skip
    found.curves.append(curve("Throughput by batch", "batch", "s of music a second", series))


def _durations(found: Found, models: Models, place: Place) -> None:
    rows, series = [], []
    columns = [f"{d:g} s" for d in place.size.durations]
    for way in WAYS:
        cells, points = {}, list[list[float]]()
        for duration in place.size.durations:
            todo = clips(way, 1, duration)
            wall, cpu = timed(partial(run_many, todo, models, 1))
            found.samples.setdefault(f"{way}, {duration:g} s", {}).update(wall=[wall], cpu=[cpu])
            cells[f"{duration:g} s"] = cpu
            points.append([duration, cpu])
        rows.append(row(way, cells))
        series.append({"name": way, "points": points})
    found.tables.append(
        table("Latency of one clip by duration and steps: CPU seconds", columns, rows,
              "One run each. The paper gives its Figs. 6 and 7 as plots, without numbers.", "Figs. 5-7")
    )  # fmt: skip
    found.curves.append(curve("Latency by duration", "seconds of music", "CPU seconds", series))
