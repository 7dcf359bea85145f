"""The audio of a project's folder: stored once, patched; what nothing names goes, what is gone is hidden.

Audio files are named by their content and never rewritten: FLAC where it can hold the samples, else WAV. What
lies in previews/ can be made again at any time. What the document says of audio that is away (a disk that is
not mounted, a folder that is synchronised only half) stays written down, and is there again once the files
are. Loads no torch.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

import numpy as np
import soundfile

from editor.project.disk.files import PREVIEWS, TAKES, is_name, read_bytes
from editor.project.document import Project, Sound, Take, Version
from engines.audio.recording import SUFFIXES, Recording, read_recording, write_recording
from engines.errors import InputError

MAX_SOUNDS = 8  # patched clips that stay in previews/ as files
SCRATCH = (".saving-", ".inlay-")  # how files are called until they are whole
STALE_SECONDS = 3600.0  # age from which audio that nothing names is deleted
_IN_FLAC = ("PCM_S8", "PCM_U8", "PCM_16", "PCM_24")
Made = TypeVar("Made", Take, Version)
_BY_CONTENT = re.compile(r"[0-9a-f]{16}\.(flac|wav|aiff|caf|w64|au)")  # what `add_audio` writes


def add_audio(folder: Path, recording: Recording) -> str:
    """Store a recording in the project folder and give its file name. The same audio is stored once.

    FLAC for integer samples that it can hold, else the recording's own container, which also holds the
    chunks of a WAV file.
    """
    digest = hashlib.sha256(f"{recording.rate} {recording.subtype} {recording.samples.shape} ".encode())
    digest.update(np.ascontiguousarray(recording.samples).data)
    for chunk in recording.chunks:
        digest.update(chunk.id + chunk.data)
    name = digest.hexdigest()[:16]
    own = SUFFIXES.get(recording.format, ".wav")
    in_flac = recording.subtype in _IN_FLAC and not recording.chunks
    for suffix in (".flac", own) if in_flac else (own,):
        path = folder / f"{name}{suffix}"
        if _holds(path, recording):  # one that is damaged is mended by whoever brings it again
            with suppress(OSError):
                os.utime(path)  # it is about to be named again: `sweep` leaves it
            return path.name
        try:
            write_recording(path, recording)
        except InputError as error:  # FLAC has bounds of its own on channels and rate
            if suffix == own:  # in words that name no place on this machine
                raise InputError(str(error).replace(str(path), path.name)) from error
            continue
        return path.name
    raise AssertionError("the loop returns or raises")


def _holds(path: Path, recording: Recording) -> bool:
    """Whether a file is there, and audio of that length."""
    try:
        return path.is_file() and soundfile.info(os.fsencode(path)).frames == recording.length
    except (soundfile.LibsndfileError, TypeError):
        return False


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


def audio_path(folder: Path, name: str) -> Path:
    """The path of an audio file in the project folder; InputError for a name that leads out of it."""
    path = folder / name
    if not is_name(name) or path.resolve().parent != folder.resolve():
        raise InputError(f"audio file {name[:60]!r}: not a file of this project; choose one from the project")
    if not path.is_file():
        raise InputError(f"audio file {name!r}: gone from the project folder; upload it again")
    return path


def sweep(folder: Path, projects: Iterable[Project], older: float = STALE_SECONDS) -> tuple[str, ...]:
    """Delete audio that nothing names any more, and give its names; a run that broke leaves some behind.

    Named is what one of `projects` (the document and every state of its history) or a take that was
    written down refers to. Only files that were named by their content are looked at, and only those
    untouched for `older` seconds: a run may be about to name a younger one.
    """
    named: set[str] = set()
    for project in projects:
        sources = [take.source for take in project.takes if take.source]
        named.update(file for sound in [*sounds_of(project), *sources] for file in files_of(sound))
    records = [read_bytes(path) or b"" for path in (folder / TAKES).glob("*.json")]
    gone = []
    for path in folder.iterdir():
        if path.name in named or not _BY_CONTENT.fullmatch(path.name) or path.is_symlink():
            continue
        if any(path.name.encode() in record for record in records):
            continue
        with suppress(OSError):
            if _age(path) > older:
                path.unlink()
                gone.append(path.name)
    return tuple(sorted(gone))


def drop_halves(folder: Path, alone: bool) -> None:
    """Delete what a killed process had half written: at once where nobody else writes there (`alone`).

    Previews are made for lists of projects, too, by whoever shows one: there it has to be old.
    """
    for place in (folder, folder / TAKES, folder / PREVIEWS):
        older = 0.0 if alone and place.name != PREVIEWS else STALE_SECONDS
        for path in place.glob(".*"):
            with suppress(OSError):
                if path.name.startswith(SCRATCH) and path.is_file() and _age(path) > older:
                    path.unlink()


def _age(path: Path) -> float:
    """Seconds since it was written to."""
    return time.time() - path.stat().st_mtime


def missing_files(folder: Path, projects: Iterable[Project]) -> frozenset[str]:
    """Files that any of the projects names and that the folder does not have."""
    named = {file for project in projects for sound in sounds_of(project) for file in files_of(sound)}
    return frozenset(file for file in named if not (folder / file).is_file())


def sounds_of(project: Project) -> list[Sound]:
    """What a project can play: its clip, takes and versions."""
    clips = [project.clip] if project.clip else []
    clips += [version.clip for version in project.versions]
    return [*(clip.sound for clip in clips), *(take.sound for take in project.takes)]


def files_of(sound: Sound) -> tuple[str, ...]:
    """The files that its samples come from."""
    return (sound.file, *(patch.file for patch in sound.patches))


def heard(whole: Project, gone: frozenset[str]) -> Project:
    """The project without what cannot be heard."""
    if not gone:
        return whole

    def here(sound: Sound) -> bool:
        return gone.isdisjoint(files_of(sound))

    takes = tuple(take for take in whole.takes if here(take.sound))
    clip = whole.clip if whole.clip and here(whole.clip.sound) else None
    return replace(
        whole,
        clip=clip,
        takes=takes,
        versions=tuple(version for version in whole.versions if here(version.clip.sound)),
        kept=whole.kept if clip and any(take.id == whole.kept for take in takes) else None,
    )


def with_absent(edited: Project, whole: Project, gone: frozenset[str]) -> Project:
    """What an edit of `heard(whole)` makes of the whole project."""
    if not gone:
        return edited
    before = heard(whole, gone)
    clip_stays = edited.clip is None and before.clip is None
    return replace(
        edited,
        clip=whole.clip if clip_stays else edited.clip,
        kept=whole.kept if clip_stays and edited.kept is None else edited.kept,
        takes=_woven(edited.takes, before.takes, whole.takes),
        versions=_woven(edited.versions, before.versions, whole.versions),
    )


def told(whole: Project, gone: frozenset[str]) -> str:
    """What is away, in words; empty where nothing is."""
    clip, names = whole.clip, set(gone)
    if clip is not None and clip.file in gone and clip.label:
        names = (names - {clip.file}) | {clip.label}
    return f"audio that is gone from the folder: {', '.join(sorted(names))}" if names else ""


def _woven(edited: Sequence[Made], before: Sequence[Made], whole: Sequence[Made]) -> tuple[Made, ...]:
    """What was edited, with those between it that were hidden, in the order of the whole."""
    now: dict[str, Made] = {one.id: one for one in edited}
    hidden = {one.id for one in whole} - {one.id for one in before}
    kept: list[Made] = [now.pop(one.id, one) for one in whole if one.id in now or one.id in hidden]
    kept += [one for one in edited if one.id in now]
    return tuple(kept)
