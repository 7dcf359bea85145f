"""A line of JSON for each run, behind `--log json`. No words, no names of files, projects or users. Seconds.

What went wrong unexpectedly is a line as well: the kind of error and where, not its message, which can name a file.
"""

from __future__ import annotations

import json
import logging
import traceback
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TextIO

PLACES = 8  # of a traceback, the innermost
_runs = logging.getLogger("inlay.runs")


def turn_on(stream: TextIO | None = None) -> None:
    """From now on write lines of JSON, and no others, to the stream; None = stderr."""
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_Lines())
    logging.getLogger("inlay").addHandler(handler)
    _runs.setLevel(logging.INFO)
    logging.lastResort = None  # else tracebacks come as text, too


def is_on() -> bool:
    """Whether runs are written down."""
    return _runs.isEnabledFor(logging.INFO)


def run(id: str, engine: str, kind: str, audio: float, waited: float, spent: float, end: str) -> None:
    """A job is over: of which engine, how many seconds of audio, and how long it waited and worked."""
    fields = {"what": "run", "id": id, "engine": engine, "kind": kind, "audio": round(audio, 3)}
    fields |= {"waited": round(waited, 3), "spent": round(spent, 3), "end": end}
    _runs.info("run", extra={"fields": fields})


class _Lines(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        when = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        said: dict[str, Any] = {"time": when, "level": record.levelname.lower()}
        fields = getattr(record, "fields", None)
        if isinstance(fields, dict):
            return json.dumps(said | fields)
        said |= {"what": "mishap", "from": f"{record.module}:{record.lineno}"}
        if id := getattr(record, "run", ""):
            said["id"] = id
        if record.exc_info and (error := record.exc_info[1]) is not None:
            said["error"] = type(error).__name__
            frames = traceback.extract_tb(error.__traceback__)[-PLACES:]
            said["at"] = [f"{Path(frame.filename).name}:{frame.lineno}" for frame in frames]
        return json.dumps(said)
