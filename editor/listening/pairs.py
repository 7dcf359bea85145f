"""Pairs of edits in a folder, and in which order and on which side a listener meets them.

The folder has a folder for each system (AR, FM, original ...) and in it a file for each item under the same
name: `AR/song.wav` beside `FM/song.wav`. Every two systems that have an item make a pair. `spans.csv` beside
them (item,start,end in seconds, the item without its suffix) says where the edit is. Times are seconds.
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path

from engines.errors import InputError

SOUNDS = (".wav", ".flac", ".aiff", ".aif", ".ogg", ".mp3")
OWN = ("answers", "results")  # folders of the study's own beside the systems
FORM = (
    "a folder for each system, with a file for each item under the same name (AR/song.wav beside "
    "FM/song.wav), and beside them spans.csv (item,start,end) where the edits lie"
)


@dataclass(frozen=True)
class Item:
    """One piece of music that several systems have edited."""

    name: str
    files: dict[str, Path]  # system -> file
    span: tuple[float, float] | None = None  # seconds; None = not told


@dataclass(frozen=True)
class Pair:
    """Two systems' edits of one item, as a listener meets them: `systems` are side A and side B."""

    item: Item
    systems: tuple[str, str]

    @property
    def key(self) -> tuple[str, str, str]:
        """The same for both orders of the sides."""
        first, second = sorted(self.systems)
        return self.item.name, first, second


def items(folder: Path) -> list[Item]:
    """What the folder holds, by name. InputError where it has no pair, with the form that it should have."""
    if not folder.is_dir():
        raise InputError(f"{folder.name}: no such folder; expected {FORM}")
    found: dict[str, dict[str, Path]] = {}
    for system in sorted(p for p in folder.iterdir() if p.is_dir() and p.name not in OWN):
        for file in sorted(system.iterdir()):
            if file.suffix.lower() in SOUNDS and not file.name.startswith("."):
                found.setdefault(file.stem, {})[system.name] = file
    spans = _spans(folder / "spans.csv")
    made = [Item(name, files, spans.get(name)) for name, files in sorted(found.items()) if len(files) > 1]
    if not made:
        raise InputError(f"{folder.name}: no item that two systems have; expected {FORM}")
    return made


def _spans(file: Path) -> dict[str, tuple[float, float]]:
    if not file.exists():
        return {}
    told: dict[str, tuple[float, float]] = {}
    with file.open(newline="") as lines:
        for row in csv.DictReader(lines):
            try:
                start, end = float(row["start"]), float(row["end"])
            except (KeyError, TypeError, ValueError) as error:
                raise InputError(
                    f"spans.csv: {dict(row)}: expected item,start,end with times in seconds"
                ) from error
            if not 0 <= start < end:
                raise InputError(f"spans.csv: {start:g} to {end:g} s: the end must follow the start")
            told[Path(row["item"]).stem if Path(row["item"]).suffix in SOUNDS else row["item"]] = (start, end)
    return told


def order(every: list[Item], listener: str) -> list[Pair]:
    """All pairs in a listener's own order, sides swapped at random; always the same for one listener."""
    chance = random.Random(listener)
    made = [Pair(item, pair) for item in every for pair in combinations(sorted(item.files), 2)]
    chance.shuffle(made)
    return [Pair(p.item, p.systems[::-1] if chance.random() < 0.5 else p.systems) for p in made]
