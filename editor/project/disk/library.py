"""The projects of a home: listed, duplicated, packed into a zip and unpacked again.

A project is a folder of its own under the home; copies share no file that is ever written to. A zip
from outside is checked before anything of it is written: only names that a project uses, bounded in
number and size, and a document that opens. Loads no torch.
"""

from __future__ import annotations

import logging
import lzma
import os
import shutil
import struct
import tempfile
import zipfile
import zlib
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path, PurePosixPath

from editor.project.disk import files, storage
from editor.project.disk.journal import Journal
from engines.errors import InputError

log = logging.getLogger("inlay")
MAX_LISTED = 1000  # projects in the list, which can be searched
MAX_FILES = 20_000  # in a zip
MAX_BYTES = 16 << 30  # of a zip, unpacked
MAX_RATIO = 200  # how much larger than the zip it may be unpacked; only silence in WAV comes near it
FREE_BYTES = 256 << 20  # that the disk keeps free beside what is unpacked
_UNREADABLE = (  # what `zipfile` and its decoders raise
    zipfile.BadZipFile, zlib.error, lzma.LZMAError, struct.error, NotImplementedError, EOFError, RuntimeError,
    ValueError, OverflowError, LookupError,
)  # fmt: skip
_DERIVED = (files.PREVIEWS, files.EXPORTS)  # folders that can be made again
_AUDIO = (".wav", ".flac", ".aiff", ".caf", ".w64", ".au")


@dataclass(frozen=True)
class Entry:
    """A project of the home, as the list shows it."""

    folder: str  # name of the folder under the home
    name: str
    saved: str  # local time, "2026-11-21 17:42"
    seconds: float  # of its clip, 0 = none
    takes: int
    words: str = ""  # what it was described with, its spans' words too
    key: str = ""
    bpm: float = 0.0


_KNOWN: dict[Path, tuple[int, Entry]] = {}  # document -> when it was written, in ns, and what it said


def recent(root: Path) -> tuple[Entry, ...]:
    """The projects saved last, newest first; folders that cannot be read are left out."""
    if not root.is_dir():
        return ()
    documents = [path for path in root.glob(f"*/{files.DOCUMENT}") if path.is_file()]
    documents.sort(key=lambda path: path.stat().st_mtime, reverse=True)
    found = []
    for path in documents[:MAX_LISTED]:
        try:
            found.append(_entry(path))
        except (InputError, FileNotFoundError):
            continue
        except Exception:  # whatever is wrong with one project, the others are listed
            log.exception("%s cannot be read", path)
    return tuple(found)


def _entry(path: Path) -> Entry:
    """A project as the list shows it, by its document; one that has not changed is not read again."""
    written = path.stat().st_mtime_ns
    known = _KNOWN.get(path)
    if known is not None and known[0] == written:
        return known[1]
    project = storage.open_project(path.parent).project
    prompts = dict.fromkeys([project.prompt, *(span.prompt or "" for span in project.spans)])
    entry = Entry(
        folder=path.parent.name,
        name=project.name,
        saved=f"{datetime.fromtimestamp(written / 1e9):%Y-%m-%d %H:%M}",
        seconds=project.clip.seconds if project.clip else 0.0,
        takes=sum(not take.deleted for take in project.takes),
        words="; ".join(filter(None, prompts))[:400],
        key=project.key,
        bpm=project.grid.bpm,
    )
    _KNOWN[path] = (written, entry)
    return entry


def duplicate(folder: Path, name: str = "") -> storage.Opened:
    """A copy of a project beside it, under another name. Audio is linked where the disk can, for it
    is never rewritten. Another process may be writing there."""
    known = storage.open_project(folder).whole
    name = name or f"{known.name} copy"
    history = Journal(folder).read(known, mend=False)
    project = replace(known, name=name)
    copy = storage.new_project(folder.parent, project)
    try:
        for path in _files(folder):
            if path.name in (files.DOCUMENT, files.BACKUP, files.JOURNAL, files.RUN):
                continue  # these are written to
            target = copy.folder / path.relative_to(folder)
            target.parent.mkdir(exist_ok=True)
            try:
                os.link(path, target)
            except OSError:
                shutil.copyfile(path, target)
        Journal(copy.folder).rewrite(history.do(project, "save as"))
    except InputError:
        shutil.rmtree(copy.folder, ignore_errors=True)
        raise
    except OSError as error:
        shutil.rmtree(copy.folder, ignore_errors=True)
        raise InputError(f"{name}: cannot be copied ({error.strerror}); free some space") from error
    return storage.open_project(copy.folder)


def pack(folder: Path, target: Path) -> None:
    """Everything of a project in a zip, but what can be made again."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=1) as archive:
        for path in _files(folder):
            if path.name not in (files.BACKUP, files.JOURNAL):
                archive.write(path, path.relative_to(folder).as_posix())


def unpack(archive: Path, root: Path) -> storage.Opened:
    """A project of its own from a zip that `pack` has made.

    InputError for a zip that holds no project, or anything that does not belong into one.
    """
    try:
        with zipfile.ZipFile(archive) as packed:
            members = [info for info in packed.infolist() if not info.is_dir()]
            tops = [info for info in members if PurePosixPath(info.filename).name == files.DOCUMENT]
            if len(tops) != 1:
                raise InputError("zip: holds no project; choose one that Inlay has exported")
            base = PurePosixPath(tops[0].filename).parent
            names = [_inside(info.filename, base) for info in members]
            _check_size(archive, members, root)
            naming = b"\n".join(packed.read(info) for info in [tops[0], *_takes(members)])
            # Elsewhere until it is whole: a process that is killed leaves no half project in the list.
            with tempfile.TemporaryDirectory(prefix="zip-") as place:
                folder = Path(place) / "project"
                folder.mkdir()
                for info, name in zip(members, names, strict=True):
                    if (
                        name.name != files.DOCUMENT
                        and len(name.parts) == 1
                        and name.name.encode() not in naming
                    ):
                        continue  # nothing would ever play it
                    target = folder / name
                    target.parent.mkdir(exist_ok=True)
                    with packed.open(info) as source, target.open("wb") as sink:
                        shutil.copyfileobj(source, sink)
                storage.save_project(folder, storage.open_project(folder).whole)
                return storage.open_project(_moved(folder, storage.new_folder(root)))
    except InputError:
        raise
    except _UNREADABLE as error:
        raise InputError(f"zip: damaged ({str(error)[:120]}); export the project again") from error
    except OSError as error:
        if error.errno is None:  # a decoder's, not the system's
            raise InputError(f"zip: damaged ({error}); export the project again") from error
        raise InputError(f"zip: cannot be unpacked ({error.strerror}); free some space") from error


def _moved(folder: Path, target: Path) -> Path:
    """The folder's new place, where it is whole or not at all."""
    try:
        return Path(shutil.move(folder, target))
    except BaseException:
        shutil.rmtree(target, ignore_errors=True)
        raise


def _check_size(archive: Path, members: list[zipfile.ZipInfo], root: Path) -> None:
    """InputError where a zip would fill the disk, before anything of it is unpacked."""
    size, packed = sum(info.file_size for info in members), archive.stat().st_size
    documents = (info for info in members if info.filename.endswith(".json"))
    if any(info.file_size > files.MAX_DOCUMENT for info in documents):
        raise InputError("zip: its project.json is too large; choose one that Inlay has exported")
    if len(members) > MAX_FILES or size > MAX_BYTES or size > MAX_RATIO * packed + FREE_BYTES:
        raise InputError(
            f"zip: {len(members)} files of {size / 1e6:.0f} MB in {packed / 1e6:.1f} MB are no project; "
            "choose one that Inlay has exported"
        )
    root.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(root).free
    room = max(0, free - FREE_BYTES)
    if size > room:
        raise InputError(
            f"zip: needs {size / 1e6:.0f} MB, and {room / 1e6:.0f} MB of the disk can be used; "
            "free some space"
        )


def _takes(members: list[zipfile.ZipInfo]) -> list[zipfile.ZipInfo]:
    """The records of takes that were finished."""
    return [
        info
        for info in members
        if (path := PurePosixPath(info.filename)).suffix == ".json" and path.parent.name == files.TAKES
    ]


def _inside(member: str, base: PurePosixPath) -> PurePosixPath:
    """The place of a zip's member in a project folder; InputError for one that has none there."""
    path = PurePosixPath(member)
    if not path.is_relative_to(base) or "\\" in member or ".." in path.parts:
        raise InputError(f"zip: {member[:60]!r} does not belong to the project; export it again")
    inner = path.relative_to(base)
    audio = len(inner.parts) == 1 and inner.suffix in _AUDIO
    take = len(inner.parts) == 2 and inner.parts[0] == files.TAKES and inner.suffix == ".json"
    if not (audio or take or str(inner) == files.DOCUMENT):
        raise InputError(f"zip: {member[:60]!r} does not belong to a project; export it again")
    return inner


def _files(folder: Path) -> list[Path]:
    """The files of a project that cannot be made again."""
    found = [path for path in sorted(folder.rglob("*")) if path.is_file() and not path.is_symlink()]
    return [
        path
        for path in found
        if path.relative_to(folder).parts[0] not in _DERIVED and not path.name.startswith(".")
    ]
