"""A run's tracks beside the project while it goes on: what is found there on opening was cut off by a crash.

A file of JSON, gone with the run's end. What cannot be written or read costs a card, never the run. Seconds.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import Any

from editor.project.disk.files import RUN, write_atomic
from editor.project.disk.reading import sound_from_json
from editor.project.document import Region
from editor.runs.job import About
from editor.runs.track import RunTrack

GOING = ("running", "waiting")
_LATER = 1000  # index of the first: jobs of the next run have their own


def note(folder: Path, tracks: Sequence[RunTrack]) -> None:
    """Write down what still goes on; nothing does: the file goes."""
    left = [
        asdict(replace(track, peaks=())) for track in tracks if track.state in (*GOING, "interrupted")
    ]
    with suppress(OSError):
        if left:
            write_atomic(folder / RUN, json.dumps(left).encode())
        else:
            (folder / RUN).unlink(missing_ok=True)


def found(folder: Path) -> tuple[RunTrack, ...]:
    """What was going on when the server last stopped."""
    try:
        lines: list[dict[str, Any]] = json.loads((folder / RUN).read_bytes())
        return tuple(_interrupted(line, number) for number, line in enumerate(lines))
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        return ()


def _interrupted(line: dict[str, Any], number: int) -> RunTrack:
    share = float(line["progress"])
    at = f" at {share:.0%}".replace("%", " %") if share else ""
    return RunTrack(
        engine=str(line["engine"]),
        kind=line["kind"],
        seed=int(line["seed"]),
        region=Region(**line["region"]) if line["region"] else None,
        source=sound_from_json(line["source"]),
        state="interrupted",
        progress=share,
        note=f"Interrupted{at}. Inlay was restarted at {datetime.now():%H:%M}",
        index=_LATER + number,
        spans=tuple(Region(**span) for span in line["spans"]),
        about=About(*line["about"]) if line.get("about") else None,
    )
