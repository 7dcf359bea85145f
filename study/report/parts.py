"""The parts of the report: what each is, how large, and its file, which is written whole and made once.

A part is a dictionary that JSON holds: tables, curves and sounds to show, `samples` (row -> figure -> one
value an item) for the claims, `draws` (the same for figures that are no average), and what is `missing`.
Knows no page and no engines.
"""

from __future__ import annotations

import json
import math
import os
import resource
import time
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

Figures = dict[str, dict[str, list[float]]]  # row -> figure -> one value an item, or a draw


@dataclass(frozen=True)
class Size:
    """How much is made and measured."""

    name: str
    clips: int  # held-out clips whose words and lanes are asked for
    reference: int  # further ones that they are compared with
    seconds: float  # of a clip
    spans: int
    asks: int  # changed spans of each kind
    points: int  # clips a point of the sampling settings
    prompts: int  # whose entropy is followed
    rounds: int  # of what is timed
    batches: tuple[int, ...]
    durations: tuple[float, ...]  # seconds
    steps: tuple[int, ...]  # of FM
    fine: int  # Euler steps of the fine solution; 0: dopri5


TINY = Size("tiny", 2, 3, 2.0, 2, 1, 1, 1, 1, (1, 2), (1.0,), (2, 4), 8)
QUICK = Size("quick", 6, 40, 10.0, 5, 1, 3, 3, 5, (1, 4), (2.5, 10.0), (5, 10, 25, 50), 100)
WHOLE = Size(
    "whole", 64, 200, 10.0, 60, 20, 16, 40, 5, (1, 2, 4, 8, 16), (2.5, 5.0, 10.0), (5, 10, 25, 50, 200), 0
)
SIZES = {size.name: size for size in (TINY, QUICK, WHOLE)}


@dataclass(frozen=True)
class Place:
    """What is measured, and where its files lie."""

    out: Path
    size: Size
    bundle: str = "bundle"
    device: str = "auto"
    threads: int = 2
    held_out: Path | None = None  # clips as `study.data.render` writes them; None = rendered below `out`
    results: Path = Path("runs")  # where training wrote
    judges: Path = Path("runs/judge")  # of study.listeners.train
    models: tuple[str, ...] = ()  # further checkpoints, by name or folder


@dataclass
class Found:
    """What a part found, as its file holds it."""

    tables: list[dict[str, Any]] = field(default_factory=list)
    curves: list[dict[str, Any]] = field(default_factory=list)
    sounds: list[dict[str, Any]] = field(default_factory=list)
    samples: Figures = field(default_factory=dict)
    draws: Figures = field(default_factory=dict)
    missing: list[dict[str, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    facts: dict[str, Any] = field(default_factory=dict)

    def lacks(self, what: str, why: str, how: str = "") -> None:
        """Say what was not run, why, and with which command it would be."""
        self.missing.append({"what": what, "why": why, "how": how})


@dataclass(frozen=True)
class Part:
    """A part of the report."""

    name: str
    title: str
    about: str  # what of the paper it stands for
    make: Callable[[Place], Found]


def file_of(out: Path, name: str) -> Path:
    """Where a part lies."""
    return out / "parts" / f"{name}.json"


def read(out: Path, name: str) -> dict[str, Any] | None:
    """A part that is there; None where it is not."""
    file = file_of(out, name)
    if not file.exists():
        return None
    told: dict[str, Any] = json.loads(file.read_text())
    return told


def spent() -> float:
    """Seconds of the processor that this process and those that it waited for took."""
    uses = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return sum(use.ru_utime + use.ru_stime for use in uses)


def ensure(parts: Iterable[Part], place: Place, say: Callable[[str], None]) -> list[str]:
    """Make the parts that are not there yet; gives the names of those that were made.

    A part that is there stays, also where it was made with another size or bundle: the page says with which.
    """
    made = []
    for part in parts:
        file = file_of(place.out, part.name)
        if file.exists():
            say(f"{part.name}: there already ({file}); delete it to have it made again")
            continue
        say(f"{part.name}: {part.title}")
        wall, cpu = time.perf_counter(), spent()
        found = part.make(place)
        told = asdict(found) | {
            "name": part.name, "title": part.title, "about": part.about,
            "size": asdict(place.size), "bundle": place.bundle, "threads": place.threads,
            "wall": time.perf_counter() - wall, "cpu": spent() - cpu, "cores": os.cpu_count(),
            "made": time.strftime("%Y-%m-%d %H:%M"),
        }  # fmt: skip
        file.parent.mkdir(parents=True, exist_ok=True)
        half = file.with_suffix(".part")
        half.write_text(json.dumps(_plain(told), indent=1, allow_nan=False) + "\n")
        half.rename(file)
        made.append(part.name)
        say(f"{part.name}: {told['wall']:.0f} s, {told['cpu']:.0f} s of the processor")
    return made


def _plain(value: Any) -> Any:
    """The same as JSON can hold it: what is no number is null."""
    if isinstance(value, dict):
        return {str(k): _plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(v) for v in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value.item() if hasattr(value, "item") else value


def table(
    title: str, columns: Iterable[str], rows: Iterable[dict[str, Any]], note: str = "", of: str = ""
) -> dict[str, Any]:
    """A table to show: rows of `row`; `of` names the paper's."""
    return {"title": title, "columns": list(columns), "rows": list(rows), "note": note, "of": of}


def row(name: str, cells: dict[str, Any], kind: str = "ours") -> dict[str, Any]:
    """A row: figures by column, each a number, a text or an `Estimate`.

    Kinds: ours, model (a checkpoint of the shelf), paper, floor, ceiling.
    """
    told = {k: asdict(v) if hasattr(v, "low") else v for k, v in cells.items()}
    return {"name": name, "kind": kind, "cells": told}


def curve(title: str, x: str, y: str, series: Iterable[dict[str, Any]], **more: Any) -> dict[str, Any]:
    """A plot: series of {name, points [[x, y], ...]}, and low and high beside the points where known."""
    return {"title": title, "x": x, "y": y, "series": list(series), **more}
