"""A project on disk: one folder with project.json and the audio files that it names.

Saving is atomic: a new file is written beside the old one, flushed, then renamed over it; the version
before stays as project.json.bak and is what a damaged project.json falls back to. Audio files are
named by their content and never rewritten: FLAC where it can hold the samples, else WAV. What lies in
previews/ can be made again at any time. A take is written down in takes/ before the document names it,
so that a finished one outlives whatever happens next. No name from a document or a page leads out of
the folder. Knows neither history nor engines; loads no torch.
"""

from __future__ import annotations

import hashlib
import json
import math
import os
import re
import secrets
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, fields, replace
from datetime import datetime
from pathlib import Path
from typing import Any

import numpy as np

from editor.project.document import (
    ChordCell,
    Clip,
    LaneHit,
    LaneNote,
    LanePart,
    Lanes,
    Patch,
    Project,
    Rating,
    Region,
    Round,
    Settings,
    Sound,
    Span,
    Take,
    Version,
)
from engines.audio.recording import Recording, read_recording, write_recording
from engines.audio.timebase import Grid
from engines.requests import InputError

VERSION = 1  # of project.json
DOCUMENT = "project.json"
BACKUP = "project.json.bak"
PREVIEWS = "previews"  # folder of audio that is made from other files
JOURNAL = "history.jsonl"  # undo and redo, beside the document
TAKES = "takes"  # folder of takes that have been finished
MAX_DOCUMENT = 32 << 20  # bytes; a larger project.json is not one of ours
MAX_SOUNDS = 8  # patched clips that stay in previews/ as files

STALE_SECONDS = 3600.0  # age from which audio that nothing names is deleted

_IN_FLAC = ("PCM_S8", "PCM_U8", "PCM_16", "PCM_24")
_SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._ -]{0,120}")
_BY_CONTENT = re.compile(r"[0-9a-f]{16}\.(flac|wav|aiff|caf|w64|au)")  # what `add_audio` writes
_SUFFIX = {
    "WAV": ".wav",
    "WAVEX": ".wav",
    "RF64": ".wav",
    "FLAC": ".flac",
    "AIFF": ".aiff",
    "CAF": ".caf",
    "W64": ".w64",
    "AU": ".au",
}


@dataclass(frozen=True)
class Opened:
    """A project read from disk."""

    folder: Path
    project: Project
    notice: str = ""  # what had to be mended, in one line; empty when nothing had to


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


def new_project(root: Path | None = None, project: Project | None = None) -> Opened:
    """Make a folder of its own under `root` (default_root() when None) with a saved project in it."""
    root = root or default_root()
    name = f"{datetime.now():%Y-%m-%d-%H%M%S}-{secrets.token_hex(4)}"
    folder = root / name
    try:
        folder.mkdir(parents=True)
    except OSError as error:
        raise InputError(
            f"{root}: cannot make a project there ({error.strerror}); "
            "set INLAY_HOME to a folder that you can write to"
        ) from error
    project = project or Project()
    save_project(folder, project)
    return Opened(folder, project)


def save_project(folder: Path, project: Project) -> None:
    """Write the project into its folder, whole or not at all; the version before becomes the backup.

    InputError when the disk refuses; what was saved before is then untouched.
    """
    text = json.dumps({"version": VERSION, "project": asdict(project)}, indent=1, allow_nan=False)
    target = folder / DOCUMENT
    try:
        before = _read_bytes(target)
        if before is not None and before != text.encode() and _parse(folder, before):
            write_atomic(folder / BACKUP, before)  # never replace a good backup by a damaged document
        write_atomic(target, text.encode())
    except OSError as error:
        raise InputError(
            f"{folder}: the project cannot be saved ({error.strerror}); "
            "free some space or check the folder, then save again"
        ) from error


def open_project(folder: Path) -> Opened:
    """Read a project folder.

    A damaged or missing project.json falls back to the backup and says so in `notice`, as do takes
    whose audio is gone. InputError when neither can be read, or when a newer Inlay wrote it.
    """
    found = [(name, _read_bytes(folder / name)) for name in (DOCUMENT, BACKUP)]
    if all(content is None for _, content in found):
        raise InputError(f"{folder}: holds no {DOCUMENT}; choose the folder of a project")
    for name, content in found:
        project = _parse(folder, content) if content is not None else None
        if project is None:
            continue
        project = _with_finished_takes(folder, project)
        notices = []
        if name == BACKUP:
            notices.append(f"{DOCUMENT} was damaged; opened the version saved before it")
        project, missing = _without_missing_audio(folder, project)
        if missing:
            notices.append(f"audio that is gone from the folder: {', '.join(missing)}")
        return Opened(folder, project, "; ".join(notices))
    raise InputError(f"{folder}: {DOCUMENT} and its backup are damaged; the audio is still in the folder")


def add_audio(folder: Path, recording: Recording) -> str:
    """Store a recording in the project folder and give its file name. The same audio is stored once.

    FLAC for integer samples that it can hold, else the recording's own container.
    """
    digest = hashlib.sha256(f"{recording.rate} {recording.subtype} {recording.samples.shape} ".encode())
    digest.update(np.ascontiguousarray(recording.samples).data)
    name = digest.hexdigest()[:16]
    own = _SUFFIX.get(recording.format, ".wav")
    for suffix in (".flac", own) if recording.subtype in _IN_FLAC else (own,):
        path = folder / f"{name}{suffix}"
        if path.exists():
            with suppress(OSError):
                os.utime(path)  # it is about to be named again: `sweep` leaves it
            return path.name
        try:
            write_recording(path, recording)
        except InputError:  # FLAC has bounds of its own on channels and rate
            if suffix == own:
                raise
            continue
        return path.name
    raise AssertionError("the loop returns or raises")


def read_sound(folder: Path, sound: Sound) -> Recording:
    """The samples of a clip: the file with its patches laid over it, all others as the file has them."""
    recording = read_recording(audio_path(folder, sound.file))
    for patch in sound.patches:
        part = read_recording(audio_path(folder, patch.file))
        try:
            recording = recording.with_span(patch.first, part.samples)
        except ValueError as error:
            raise InputError(
                f"audio file {patch.file!r}: does not fit into {sound.file!r} ({error}); undo to before it"
            ) from error
    return recording


def sound_path(folder: Path, sound: Sound) -> Path:
    """A file with the samples of a clip: its own where nothing lies over it, else one made of them."""
    if not sound.patches:
        return audio_path(folder, sound.file)
    key = "|".join([sound.file, *(f"{patch.file}@{patch.first}" for patch in sound.patches)])
    stem = f"clip-{hashlib.sha256(key.encode()).hexdigest()[:16]}"
    place = folder / PREVIEWS
    suffix = Path(sound.file).suffix
    target = place / f"{stem}{suffix}"
    if not target.exists():
        place.mkdir(exist_ok=True)
        write_recording(target, read_sound(folder, sound))
        made = sorted(place.glob("clip-*"), key=lambda path: path.stat().st_mtime)
        for path in made[:-MAX_SOUNDS]:
            path.unlink(missing_ok=True)
    return target


def add_finished(folder: Path, take: Take) -> None:
    """Write a take down beside the document, which will name it only later."""
    place = folder / TAKES
    try:
        place.mkdir(exist_ok=True)
        write_atomic(place / f"{take.id}.json", json.dumps(asdict(take), allow_nan=False).encode())
    except OSError as error:
        raise InputError(
            f"{folder}: the take cannot be saved ({error.strerror}); free some space, then run it again"
        ) from error


def drop_finished(folder: Path, take: Take) -> None:
    """Forget a take that the document will not name. Its audio may be another take's, too, and stays."""
    (folder / TAKES / f"{take.id}.json").unlink(missing_ok=True)


def sweep(folder: Path, projects: Iterable[Project], older: float = STALE_SECONDS) -> tuple[str, ...]:
    """Delete audio that nothing names any more, and give its names; a run that broke leaves some behind.

    Named is what one of `projects` (the document and every state of its history) or a take that was
    written down refers to. Only files that were named by their content are looked at, and only those
    untouched for `older` seconds: a run may be about to name a younger one.
    """
    named: set[str] = set()
    for project in projects:
        sounds = [take.sound for take in project.takes]
        sounds += [take.source for take in project.takes if take.source]
        sounds += [version.clip.sound for version in project.versions]
        sounds += [project.clip.sound] if project.clip else []
        for sound in sounds:
            named |= {sound.file, *(patch.file for patch in sound.patches)}
    records = [_read_bytes(path) or b"" for path in (folder / TAKES).glob("*.json")]
    gone = []
    for path in folder.iterdir():
        if path.name in named or not _BY_CONTENT.fullmatch(path.name) or path.is_symlink():
            continue
        if any(path.name.encode() in record for record in records):
            continue
        with suppress(OSError):
            if time.time() - path.stat().st_mtime > older:
                path.unlink()
                gone.append(path.name)
    return tuple(sorted(gone))


def audio_path(folder: Path, name: str) -> Path:
    """The path of an audio file in the project folder; InputError for a name that leads out of it."""
    path = folder / name
    if not _SAFE_NAME.fullmatch(name) or path.resolve().parent != folder.resolve():
        raise InputError(f"audio file {name[:60]!r}: not a file of this project; choose one from the project")
    if not path.is_file():
        raise InputError(f"audio file {name!r}: gone from the project folder; upload it again")
    return path


# ---- JSON -> document


def _parse(folder: Path, content: bytes) -> Project | None:
    """The project in a project.json, or None when it is damaged."""
    try:
        whole = json.loads(content)
        version = whole["version"]
        if isinstance(version, int) and version > VERSION:
            raise InputError(f"{folder}: written by a newer Inlay (format {version}); update Inlay")
        return project_from_json(whole["project"])
    except InputError:
        raise
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None


def project_from_json(data: Mapping[str, Any]) -> Project:
    """A project from `asdict(project)` after JSON; ValueError, KeyError or TypeError when it is not one."""
    return Project(
        name=_text(data["name"]),
        prompt=_text(data["prompt"]),
        length=_number(data["length"]),
        seed=int(data["seed"]),
        engines=_texts(data["engines"]),
        grid=_grid(data["grid"]),
        clip=_clip(data["clip"]) if data["clip"] else None,
        key=_text(data["key"]),
        spans=tuple(_span(span) for span in data["spans"]),
        active=_text(data["active"]),
        lanes=lanes_from_json(data["lanes"]),
        follow=_texts(data["follow"]),
        not_meant=_texts(data["not_meant"]),
        sort=_text(data["sort"]),
        takes=tuple(take_from_json(take) for take in data["takes"]),
        kept=_text(data["kept"]) if data["kept"] is not None else None,
        versions=tuple(_version(version) for version in data["versions"]),
        rounds=tuple(_round(round) for round in data["rounds"]),
        variations=int(data["variations"]),
        settings=_settings(data["settings"]),
    )


def lanes_from_json(data: Mapping[str, Any]) -> Lanes:
    """Lanes from `asdict(lanes)` after JSON; ValueError, KeyError or TypeError when they are none."""
    return Lanes(
        chords=tuple(ChordCell(*_cell(c), _text(c["symbol"])) for c in data["chords"]),
        melody=tuple(LaneNote(*_cell(n), int(n["pitch"])) for n in data["melody"]),
        drums=tuple(LaneHit(_text(h["id"]), _number(h["time"]), _text(h["drum"])) for h in data["drums"]),
        band=tuple(
            LanePart(
                *_cell(p), _text(p["instrument"]), p["plays"] is True, _number(p["sure"]), _text(p["by"])
            )
            for p in data["band"]
        ),
    )


def take_from_json(data: Mapping[str, Any]) -> Take:
    """A take from `asdict(take)` after JSON; ValueError, KeyError or TypeError when it is not one."""
    return Take(
        id=_text(data["id"]),
        kind=_text(data["kind"]),
        engine=_text(data["engine"]),
        seed=int(data["seed"]),
        prompt=_text(data["prompt"]),
        file=_file(data["file"]),
        seconds=_number(data["seconds"]),
        region=_region(data["region"]),
        source=sound_from_json(data["source"]),
        parameters=dict(data["parameters"]),
        timings={_text(stage): _number(spent) for stage, spent in data["timings"].items()},
        seams=tuple(dict(seam) for seam in data["seams"]),
        made=_text(data["made"]),
        rate=int(data["rate"]),
        channels=int(data["channels"]),
        first=None if data["first"] is None else int(data["first"]),
        name=_text(data["name"]),
        starred=data["starred"] is True,
        deleted=data["deleted"] is True,
        spans=tuple(Region(_number(s["start"]), _number(s["end"])) for s in data["spans"]),
        wish=tuple(dict(wish) for wish in data["wish"]),
        band=tuple(dict(part) for part in data["band"]),
    )


def _grid(data: Mapping[str, Any]) -> Grid:
    return Grid(_number(data["bpm"]), int(data["beats_per_bar"]), _number(data["offset"]))


def _cell(data: Mapping[str, Any]) -> tuple[str, float, float]:
    return _text(data["id"]), _number(data["start"]), _number(data["end"])


def _clip(data: Mapping[str, Any]) -> Clip:
    return Clip(
        _file(data["file"]),
        _number(data["seconds"]),
        int(data["rate"]),
        int(data["channels"]),
        _text(data["label"]),
        _patches(data["patches"]),
        _number(data["lead"]),
    )


def _patches(data: Any) -> tuple[Patch, ...]:
    return tuple(Patch(_file(patch["file"]), int(patch["first"])) for patch in data)


def sound_from_json(data: Any) -> Sound | None:
    """A sound from `asdict(sound)` after JSON; KeyError, TypeError or ValueError when it is not one."""
    return None if data is None else Sound(_file(data["file"]), _patches(data["patches"]))


def _version(data: Mapping[str, Any]) -> Version:
    parent, take = data["parent"], data["take"]
    return Version(
        _text(data["id"]),
        _clip(data["clip"]),
        None if parent is None else _text(parent),
        None if take is None else _text(take),
    )


def _round(data: Mapping[str, Any]) -> Round:
    region = _region(data["region"])
    if region is None:
        raise TypeError("round without a span")
    ratings = tuple(
        Rating(_text(r["take"]), _text(r["engine"]), int(r["smoothness"]), int(r["match"]))
        for r in data["ratings"]
    )
    return Round(_text(data["id"]), region, ratings, data["matched"] is True, _text(data["made"]))


def _settings(data: Mapping[str, Any]) -> Settings:
    known: dict[str, Any] = {}
    for field in fields(Settings):
        value = data[field.name]
        if isinstance(field.default, str):
            known[field.name] = _text(value)
        elif isinstance(field.default, int):
            known[field.name] = int(value)
        else:
            known[field.name] = None if value is None and field.default is None else _number(value)
    return Settings(**known)


def _region(data: Mapping[str, Any] | None) -> Region | None:
    return None if data is None else Region(_number(data["start"]), _number(data["end"]))


def _span(data: Mapping[str, Any]) -> Span:
    return Span(
        *_cell(data),
        prompt=None if data["prompt"] is None else _text(data["prompt"]),
        follow=None if data["follow"] is None else _texts(data["follow"]),
        intent=_text(data["intent"]),
        changed=_texts(data["changed"]),
        ignored=_texts(data["ignored"]),
        not_meant=_texts(data["not_meant"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r}: expected text")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r}: expected a list")
    return tuple(_text(item) for item in value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError(f"{value!r}: expected a finite number")
    return float(value)


def _file(value: object) -> str:
    name = _text(value)
    if not _SAFE_NAME.fullmatch(name):
        raise ValueError(f"{name!r}: not a file name of a project")
    return name


# ---- files


def _with_finished_takes(folder: Path, project: Project) -> Project:
    """The project with the takes that were finished but not saved in it, oldest first."""
    known = {take.id for take in project.takes}
    late = []
    for path in (folder / TAKES).glob("t*.json"):
        if path.stem in known:
            continue
        with suppress(ValueError, KeyError, TypeError, AttributeError, OSError, RecursionError):
            late.append(take_from_json(json.loads(_read_bytes(path) or b"")))
    late.sort(key=lambda take: take.made)
    return replace(project, takes=(*project.takes, *late)) if late else project


def _without_missing_audio(folder: Path, project: Project) -> tuple[Project, list[str]]:
    """The project without what refers to audio that is gone, and the names of those files."""
    missing = []

    def gone(sound: Sound) -> list[str]:
        files = [sound.file, *(patch.file for patch in sound.patches)]
        return [file for file in files if not (folder / file).is_file()]

    takes = []
    for take in project.takes:
        lost = gone(take.sound)
        missing.extend(lost)
        if not lost:
            takes.append(take)
    clip = project.clip
    if clip and (lost := gone(clip.sound)):
        missing.extend([clip.label or clip.file] if clip.file in lost else lost)
        clip = None
    versions = tuple(version for version in project.versions if not gone(version.clip.sound))
    kept = project.kept if clip and any(take.id == project.kept for take in takes) else None
    found = replace(project, takes=tuple(takes), clip=clip, kept=kept, versions=versions)
    return found, sorted(set(missing))


def _read_bytes(path: Path) -> bytes | None:
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
