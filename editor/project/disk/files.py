"""The files of a project's folder: what they are called, and how one is written whole or not at all.

No name from a document or a page leads out of the folder. Knows no project.
"""

from __future__ import annotations

import os
import re
import tempfile
from pathlib import Path

DOCUMENT = "project.json"
BACKUP = "project.json.bak"
PREVIEWS = "previews"  # folder of audio that is made from other files
EXPORTS = "exports"  # folder of what was exported last
JOURNAL = "history.jsonl"  # undo and redo, beside the document
RUN = "run.json"  # what a run is doing, for as long as it goes on
TAKES = "takes"  # folder of takes that have been finished
MAX_DOCUMENT = 32 << 20  # bytes; a larger project.json is not one of ours
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,120}")


def is_name(name: str) -> bool:
    """Whether a name can be that of a file of a project: one that stays inside the folder."""
    return _SAFE_NAME.fullmatch(name) is not None


def unplaced(words: str, folder: Path) -> str:
    """What is told of a project's file without where the project lies, which is no business of a page."""
    return words.replace(f"{folder}{os.sep}", "")


def read_bytes(path: Path) -> bytes | None:
    """The content of a file, None when it is not there or far too large."""
    try:
        if path.stat().st_size > MAX_DOCUMENT:
            return None
        return path.read_bytes()
    except FileNotFoundError:
        return None


def write_atomic(path: Path, content: bytes) -> None:
    """Write a file so that a crash at any moment leaves the old or the new one, whole."""
    handle, temporary = tempfile.mkstemp(prefix=".saving-", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        Path(temporary).replace(path)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise
    if os.name == "posix":  # the rename itself must reach the disk, too
        directory = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(directory)
        finally:
            os.close(directory)
