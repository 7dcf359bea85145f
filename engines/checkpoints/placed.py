"""What lies on the shelf: a checkpoint put there, added from a folder, found damaged, removed with its space.

A checkpoint is a folder of links, into the hub's cache or into a folder of the user's, of what was made here
where it had to be converted, and `origin.json`, which says where it is from. Sizes are bytes. Loads no torch,
and no library of the hub's.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from engines.checkpoints.catalogue import Entry, known
from engines.checkpoints.found import shelf_folder
from engines.checkpoints.transfer import Piece, home_of
from engines.errors import InputError
from engines.families.released.conversion import files_in, format_of, planned, write_plan
from engines.families.released.plan import Files, Plan
from engines.families.roster import recognised
from engines.progress import ProgressHook

ORIGIN = "origin.json"
_MOST_FILES = 2000  # a folder with more is no checkpoint but somebody's home
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")


@dataclass(frozen=True)
class Placed:
    """A checkpoint on the shelf, as its `origin.json` tells."""

    name: str
    folder: Path
    title: str
    licence: str
    repository: str  # empty for one of the user's own
    revision: str
    when: str  # ISO 8601
    source: str  # the user's folder or file; empty for one that was got
    cache: str  # the hub's cache that its files lie in
    pieces: tuple[Piece, ...]
    made: dict[str, int] = field(default_factory=dict)  # what was converted here: path -> bytes

    @property
    def size(self) -> int:
        """Bytes of its files, wherever they lie."""
        return sum(file.stat().st_size for file in _files(self.folder) if file.exists())

    def faults(self) -> tuple[str, ...]:
        """Its files that are missing, or have not the size that they had."""
        wanted = {piece.at: piece.size for piece in self.pieces} | self.made
        gone = {file.relative_to(self.folder).as_posix() for file in _files(self.folder) if not file.exists()}
        wrong = {at for at, size in wanted.items() if _size(self.folder / at) != size}
        return tuple(sorted(gone | wrong))


def cache_folder() -> Path:
    """Where the hub's library keeps files, as it reads the environment."""
    user = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    home = Path(os.environ.get("HF_HOME") or user / "huggingface")
    return Path(os.environ.get("HF_HUB_CACHE") or home / "hub").expanduser()


def placed() -> tuple[Placed, ...]:
    """All checkpoints on the shelf, by name."""
    shelf = shelf_folder()
    folders = sorted(shelf.iterdir()) if shelf.is_dir() else []
    return tuple(read_placed(folder) for folder in folders if folder.is_dir() and folder.name[0] != ".")


def placed_of(name: str) -> Placed | None:
    """One checkpoint on the shelf, or None."""
    folder = shelf_folder() / name
    return read_placed(folder) if _NAME.fullmatch(name) and folder.is_dir() else None


def read_placed(folder: Path) -> Placed:
    """What `origin.json` says; a folder without it, or with one that is damaged, is the user's own."""
    try:
        told: Any = json.loads((folder / ORIGIN).read_text("utf-8"))
        pieces = tuple(Piece(**piece) for piece in told.get("files", ()))
        made = {str(at): int(size) for at, size in told.get("made", {}).items()}
        words = {key: str(told.get(key, "")) for key in _WORDS}
    except (OSError, ValueError, TypeError, AttributeError):
        pieces, made, words = (), {}, dict.fromkeys(_WORDS, "")
    words["title"] = words["title"] or folder.name
    return Placed(name=folder.name, folder=folder, pieces=pieces, made=made, **words)


_WORDS = ("title", "licence", "repository", "revision", "when", "source", "cache")


def place(entry: Entry, pieces: tuple[Piece, ...], cache: Path, files: dict[str, Path]) -> Path:
    """Put a checkpoint that was got on the shelf; `files`: paths below its folder -> files in the cache."""
    return shelve(entry.name, lambda _: files, origin_of(entry, pieces, cache, pieces))


def place_converted(
    entry: Entry,
    pieces: tuple[Piece, ...],
    cache: Path,
    pointer: Callable[[Piece], Path],
    progress: ProgressHook,
) -> Path:
    """Convert a checkpoint that was got in its makers' own format; gives its folder on the shelf.

    `pointer` gives a file in a snapshot of the cache, which keeps it there. Released weights leave the cache
    once the result was found to be a checkpoint; what stops or fails leaves all of them for the next try.
    """
    blobs = {piece.at: piece.whole(cache) for piece in pieces}
    plan = planned(blobs, entry.name)
    by_place = {piece.at: piece for piece in pieces}
    stay = {new: by_place[old] for new, old in plan.links.items()}
    linked = tuple(replace(piece, at=new) for new, piece in stay.items())

    def links() -> dict[str, Path]:
        return {new: pointer(piece) for new, piece in stay.items()}

    origin = origin_of(entry, pieces, cache, linked)
    folder = shelve(entry.name, _making(plan, entry.title, progress, links), origin, recognised)
    blobs_kept = {piece.blob for piece in linked}
    free((piece for piece in pieces if piece.blob not in blobs_kept), cache)
    return folder


def _links(plan: Plan, files: Files) -> dict[str, Path]:
    return {new: files[old] for new, old in plan.links.items()}


def _making(
    plan: Plan, title: str, progress: ProgressHook | None, links: Callable[[], dict[str, Path]]
) -> Callable[[Path], dict[str, Path]]:
    """What fills a folder with what a plan says; InputError where the disk has no room for it."""

    def fill(folder: Path) -> dict[str, Path]:
        room = shutil.disk_usage(folder).free
        if room < plan.size:
            raise InputError(
                f"{title}: converting it takes {plan.size / 1e9:.1f} GB in {folder.parent}, "
                f"{room / 1e9:.1f} GB are free; remove a model (inlay models remove NAME), or set "
                "INLAY_MODELS to a folder on a larger disk"
            )
        write_plan(plan, folder, progress)
        return links()

    return fill


def origin_of(
    entry: Entry, pieces: tuple[Piece, ...], cache: Path, linked: tuple[Piece, ...]
) -> dict[str, Any]:
    """What `origin.json` says of a checkpoint that was got; `linked`: those of its pieces that stay."""
    return {
        "title": entry.title,
        "licence": entry.licence.name,
        "repository": entry.repository,
        "revision": next(piece.revision for piece in pieces if piece.repository == entry.repository),
        "cache": str(cache),
        "files": [asdict(piece) for piece in linked],
    }


@dataclass(frozen=True)
class Found:
    """A checkpoint of the user's that can be put on the shelf."""

    source: Path  # folder or file
    name: str  # on the shelf
    released: bool  # in its makers' own format, so it is converted on the way


def look(source: Path, name: str = "") -> Found:
    """What lies in a folder or file of the user's, and what it would be called.

    InputError where no family knows it, and for a name that is taken or cannot be one.
    """
    source = source.expanduser()
    if not source.exists():
        raise InputError(f"{str(source)[:160]!r}: no such folder or file; give the path of a checkpoint")
    source = source.resolve()
    released = format_of(files_in(source)) is not None
    known_as = source.name if released else recognised(source)[1].name
    name = name or re.sub(r"[^A-Za-z0-9._-]+", "-", known_as or source.stem).strip("-.")[:64]
    if not _NAME.fullmatch(name):
        raise InputError(
            f"name {name[:64]!r}: expected letters, digits, dots, dashes; choose another with --name"
        )
    if known(name) is not None:
        raise InputError(f"name {name!r}: that of a public model; choose another with --name")
    if (shelf_folder() / name).exists():
        raise InputError(
            f"name {name!r}: taken already; choose another with --name, or inlay models remove {name}"
        )
    return Found(source, name, released)


def add(source: Path, name: str = "", progress: ProgressHook | None = None) -> Placed:
    """Link a checkpoint of the user's, a folder or a file, to the shelf; a released one is converted there.

    `progress` hears of the bytes that are converted, and may raise `Cancelled`, which leaves nothing behind.
    InputError as of `look`.
    """
    found = look(source, name)
    name, files = found.name, _listed(found.source)
    origin = {"source": str(found.source)}

    def describe(folder: Path) -> None:
        spec = recognised(folder)[1]
        origin.update(title=name if spec.title in ("", folder.name) else spec.title, licence=spec.licence)

    if found.released:
        plan = planned(files, name)
        shelve(name, _making(plan, name, progress, lambda: _links(plan, files)), origin, describe)
    else:
        shelve(name, lambda _: files, origin, describe)
    return read_placed(shelf_folder() / name)


def _listed(source: Path) -> dict[str, Path]:
    """A folder's files by their paths in it, or the file alone."""
    if source.is_file():
        return {source.name: source}
    files = {}
    for file in source.rglob("*"):
        if file.is_file():
            files[file.relative_to(source).as_posix()] = file
        if len(files) > _MOST_FILES:
            raise InputError(
                f"{source.name!r}: over {_MOST_FILES} files, so no checkpoint's folder; give the inner one"
            )
    return files


def remove(name: str) -> int:
    """Take a checkpoint from the shelf, and its files from the cache where nothing else there refers to them.

    Gives the bytes that are free now: none for a folder of the user's, which stays as it is. InputError where
    none of that name lies there.
    """
    found = placed_of(name)
    entry = known(name)
    if found is None and entry is not None and kept(entry):
        return forget(entry)
    if found is None:
        raise InputError(
            f"model {name[:64]!r}: not on the shelf, so nothing to remove; inlay models lists it"
        )
    others = {
        (p.repository, p.revision, p.path) for other in placed() if other.name != name for p in other.pieces
    }
    if found.folder.is_symlink():  # laid there by hand
        found.folder.unlink()
        return 0
    own = [file.stat().st_size for file in _files(found.folder) if not file.is_symlink()]
    shutil.rmtree(found.folder)
    gone = [piece for piece in found.pieces if (piece.repository, piece.revision, piece.path) not in others]
    return sum(own) + (free(gone, Path(found.cache)) if found.cache else 0)


def kept(entry: Entry) -> int:
    """Bytes that an unfinished download of a checkpoint left in the cache."""
    return sum(_size(blob) or 0 for blob in _unfinished(entry))


def forget(entry: Entry) -> int:
    """Delete what an unfinished download left; gives the bytes that are free now."""
    freed = kept(entry)
    for blob in _unfinished(entry):
        blob.unlink(missing_ok=True)
    return freed


def _unfinished(entry: Entry) -> list[Path]:
    """Files of a checkpoint's repositories in the cache that no snapshot refers to."""
    found = []
    for source in entry.sources:
        home = home_of(source.repository, cache_folder())
        pointed = _pointed_at(home)
        found += [blob for blob in home.glob("blobs/*") if blob.name not in pointed]
    return found


def free(pieces: Iterable[Piece], cache: Path) -> int:
    """Delete files from the cache, and the folders of a repository that nothing is left of; gives the bytes.

    A file that a snapshot of another checkpoint, or of another program's, refers to stays.
    """
    freed = 0
    homes = set()
    for piece in pieces:
        home = piece.home(cache)
        homes.add(home)
        pointer = home / "snapshots" / piece.revision / piece.path
        copied = 0 if pointer.is_symlink() else _size(pointer) or 0  # where the system has no links
        pointer.unlink(missing_ok=True)
        freed += copied
        if piece.blob not in _pointed_at(home):
            freed += _size(piece.whole(cache)) or 0
            piece.whole(cache).unlink(missing_ok=True)
    for home in homes:
        snapshots = home / "snapshots"
        for folder in sorted(snapshots.rglob("*"), reverse=True):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()
        if snapshots.is_dir() and not any(snapshots.iterdir()):
            shutil.rmtree(home, ignore_errors=True)
    return freed


def _pointed_at(home: Path) -> set[str]:
    """Files of a repository in the cache that a snapshot, of any program's, refers to."""
    return {link.readlink().name for link in home.glob("snapshots/**/*") if link.is_symlink()}


def shelve(
    name: str,
    fill: Callable[[Path], dict[str, Path]],
    origin: dict[str, Any],
    check: Callable[[Path], object] | None = None,
) -> Path:
    """A folder on the shelf, which appears whole or not at all; gives it.

    `fill` writes what is made here below the folder it is given and names what is linked: paths below it ->
    files elsewhere. `check` looks at the whole and raises where it is of no use.
    """
    shelf = shelf_folder()
    shelf.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".", suffix=".new", dir=shelf))
    try:
        building.chmod(0o755)
        files = fill(building)
        made = {file.relative_to(building).as_posix(): file.stat().st_size for file in _files(building)}
        for at, file in files.items():
            link = building / at
            link.parent.mkdir(parents=True, exist_ok=True)
            try:
                link.symlink_to(file)
            except OSError:  # a system without links
                shutil.copyfile(file, link)
        if check is not None:
            check(building)
        told = origin | {"name": name, "when": datetime.now(UTC).isoformat(timespec="seconds"), "made": made}
        (building / ORIGIN).write_text(json.dumps(told, indent=1), "utf-8")
        final = shelf / name
        if final.exists():
            shutil.rmtree(final)
        try:
            building.replace(final)
        except OSError:
            if not final.is_dir():  # else another process was quicker, with the same
                raise
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return final


def _files(folder: Path) -> list[Path]:
    """All that is no folder, links that lead nowhere too."""
    inside = (Path(root) / file for root, _, files in os.walk(folder) for file in files)
    return [file for file in inside if file.name != ORIGIN]


def _size(file: Path) -> int | None:
    """Bytes of a file, or None where there is none."""
    try:
        return file.stat().st_size
    except OSError:
        return None
