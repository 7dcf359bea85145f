"""A project on disk: one folder with project.json, made, saved and opened again.

Saving is atomic: a new file is written beside the old one, flushed, then renamed over it; the version
before stays as project.json.bak and is what a damaged project.json falls back to. A take is written down in
takes/ before the document names it, so that a finished one outlives whatever happens next. Knows neither
history nor engines; loads no torch.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import sys
from contextlib import suppress
from dataclasses import asdict, dataclass, field, replace
from datetime import datetime
from pathlib import Path

from editor.project.disk import sounds
from editor.project.disk.files import BACKUP, DOCUMENT, TAKES, read_bytes, write_atomic
from editor.project.disk.reading import project_from_json, take_from_json
from editor.project.document import (
    Project,
    Take,
)
from engines.errors import InputError

VERSION = 1  # of project.json


@dataclass(frozen=True)
class Opened:
    """A project read from disk."""

    folder: Path
    project: Project  # without what cannot be heard
    notice: str = ""  # what had to be mended, in one line; empty when nothing had to
    older: bool = False  # it is the version saved before the last: the journal may know more
    whole: Project = field(default_factory=Project, compare=False)  # as it is written down


def default_root() -> Path:
    """Where projects live: $INLAY_HOME, else the platform's place for a user's data."""
    chosen = os.environ.get("INLAY_HOME")
    if chosen:
        return Path(chosen).expanduser()
    home = Path.home()
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local") / "Inlay"
    if sys.platform == "darwin":
        return home / "Library" / "Application Support" / "Inlay"
    return Path(os.environ.get("XDG_DATA_HOME") or home / ".local" / "share") / "inlay"


def new_folder(root: Path) -> Path:
    """Where a new project of a home would lie; nothing is there yet."""
    return root / f"{datetime.now():%Y-%m-%d-%H%M%S}-{secrets.token_hex(4)}"


def new_project(root: Path | None = None, project: Project | None = None) -> Opened:
    """Make a folder of its own under `root` (default_root() when None) with a saved project in it."""
    folder = new_folder(root or default_root())
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise InputError(
            f"INLAY_HOME: cannot make a project there ({error.strerror}); "
            "set INLAY_HOME to a folder that you can write to"
        ) from error
    project = project or Project()
    try:
        save_project(folder, project)
    except InputError:
        shutil.rmtree(folder, ignore_errors=True)  # a folder without a document is nobody's
        raise
    return Opened(folder, project, whole=project)


def save_project(folder: Path, project: Project) -> None:
    """Write the project into its folder, whole or not at all; the version before becomes the backup.

    InputError when the disk refuses; what was saved before is then untouched.
    """
    text = json.dumps({"version": VERSION, "project": asdict(project)}, indent=1, allow_nan=False)
    target = folder / DOCUMENT
    try:
        before = read_bytes(target)
        if before is not None and before != text.encode() and _parse(folder, before):
            write_atomic(folder / BACKUP, before)  # never replace a good backup by a damaged document
        write_atomic(target, text.encode())
    except OSError as error:
        raise InputError(
            f"{folder.name}: the project cannot be saved ({error.strerror}); "
            "free some space or check the folder, then save again"
        ) from error


def open_project(folder: Path) -> Opened:
    """Read a project folder.

    A damaged or missing project.json falls back to the backup and says so in `notice`; audio that is gone
    is said, too, and what names it stays in `whole`. InputError when neither can be read, or when a newer
    Inlay wrote it.
    """
    found = [(name, read_bytes(folder / name)) for name in (DOCUMENT, BACKUP)]
    if all(content is None for _, content in found):
        raise InputError(f"{folder.name}: holds no {DOCUMENT}; choose the folder of a project")
    for name, content in found:
        project = _parse(folder, content) if content is not None else None
        if project is None:
            continue
        project = _with_finished_takes(folder, project)
        notices = []
        if name == BACKUP:
            notices.append(f"{DOCUMENT} was damaged; opened the version saved before it")
        gone = sounds.missing_files(folder, (project,))
        if gone:
            notices.append(sounds.told(project, gone))
        return Opened(folder, sounds.heard(project, gone), "; ".join(notices), name == BACKUP, project)
    raise InputError(
        f"{folder.name}: {DOCUMENT} and its backup are damaged; the audio is still in the folder"
    )


def add_finished(folder: Path, take: Take) -> None:
    """Write a take down beside the document, which will name it only later."""
    place = folder / TAKES
    try:
        place.mkdir(exist_ok=True)
        write_atomic(place / f"{take.id}.json", json.dumps(asdict(take), allow_nan=False).encode())
    except OSError as error:
        raise InputError(
            f"{folder.name}: the take cannot be saved ({error.strerror}); free some space, then run it again"
        ) from error


def drop_finished(folder: Path, take: Take) -> None:
    """Forget a take that the document will not name. Its audio may be another take's, too, and stays."""
    (folder / TAKES / f"{take.id}.json").unlink(missing_ok=True)


def _parse(folder: Path, content: bytes) -> Project | None:
    """The project in a project.json, or None when it is damaged."""
    try:
        whole = json.loads(content)
        version = whole["version"]
        if isinstance(version, int) and version > VERSION:
            told = str(version)[:20]
            raise InputError(f"{folder.name}: written by a newer Inlay (format {told}); update Inlay")
        return project_from_json(whole["project"])
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError):
        return None


def _with_finished_takes(folder: Path, project: Project) -> Project:
    """The project with the takes that were finished but not saved in it, oldest first."""
    known = {take.id for take in project.takes}
    late = []
    for path in (folder / TAKES).glob("t*.json"):
        if path.stem in known:
            continue
        with suppress(
            ValueError, KeyError, TypeError, AttributeError, OverflowError, OSError, RecursionError
        ):
            late.append(take_from_json(json.loads(read_bytes(path) or b"")))
    late.sort(key=lambda take: take.made)
    return replace(project, takes=(*project.takes, *late)) if late else project
