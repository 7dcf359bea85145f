"""Human drum performances of the Groove MIDI dataset, in 4/4 and long enough for a clip.

Its test split is held out. Does not know pieces.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pretty_midi


@cache
def grooves_by_style(folder: Path, held_out: bool) -> dict[str, list[tuple[Path, float]]]:
    """Performances of 16 s or more by primary style: (path, bpm)."""
    performances: dict[str, list[tuple[Path, float]]] = {}
    info = next(iter(sorted(folder.rglob("info.csv"))), None)
    if info is None:
        return performances
    with info.open() as file:
        for row in csv.DictReader(file):
            fits = (
                row["time_signature"] == "4-4" and row["beat_type"] == "beat" and float(row["duration"]) > 16
            )
            if fits and (row["split"] == "test") == held_out:
                style = row["style"].split("/")[0]
                performances.setdefault(style, []).append(
                    (info.parent / row["midi_filename"], float(row["bpm"]))
                )
    return performances


@cache
def groove_notes(path: Path) -> tuple[tuple[float, int, int], ...]:
    """(time s, key, velocity) of a performance, sorted."""
    midi = pretty_midi.PrettyMIDI(str(path))
    notes = [n for i in midi.instruments for n in i.notes]
    return tuple(sorted((n.start, n.pitch, n.velocity) for n in notes))
