"""Getting a public checkpoint from the hub: what it takes, then file by file, verified, onto the shelf.

One that its makers release in a format of their own is converted on the way, here and once.

Through `huggingface_hub`, with its cache, its token and HF_ENDPOINT; the library is loaded at the first use.
Nothing is fetched that was not asked for. Every failure is an InputError of one line with a remedy. Sizes are
bytes.
"""

from __future__ import annotations

import errno
import fnmatch
import shutil
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from engines.checkpoints.catalogue import Entry, Source
from engines.checkpoints.library import SECONDS, endpoint, library, online
from engines.checkpoints.login import login, token
from engines.checkpoints.placed import cache_folder, place, place_converted, placed_of
from engines.checkpoints.transfer import Damaged, Meter, Piece, fetch, is_network
from engines.errors import Cancelled, InputError
from engines.families.released.conversion import format_of
from engines.progress import Progress, ProgressHook


class Refused(InputError):
    """The hub lets nobody have it without a login, or not this one."""


@dataclass(frozen=True)
class Wanted:
    """What getting a checkpoint takes."""

    entry: Entry
    pieces: tuple[Piece, ...]
    cache: Path  # where the bytes go
    free: int  # bytes there

    @property
    def total(self) -> int:
        """Bytes of all files."""
        return sum({piece.blob: piece.size for piece in self.pieces}.values())

    @property
    def kept(self) -> int:
        """Bytes of them that are there already."""
        return sum({piece.blob: piece.kept(self.cache) for piece in self.pieces}.values())

    @property
    def short(self) -> int:
        """Bytes that the disk has too few, 0 where they fit; what is converted stands there twice."""
        twice = self.total if self.entry.released else 0
        return max(0, self.total + twice - self.kept - self.free)


def logged_in() -> bool:
    """Whether there is a token for the hub: given here, on this machine, or in HF_TOKEN."""
    return bool(login())


def ask(entry: Entry) -> Wanted:
    """Ask the hub which files a checkpoint has and how large they are. InputError where it cannot be told."""
    with _spoken(entry, None):
        pieces: tuple[Piece, ...] = ()
        for source in entry.sources:
            if not (source.unless and _matching([piece.at for piece in pieces], (source.unless,))):
                pieces += tuple(_pieces(entry, source))
    cache = cache_folder()
    return Wanted(entry, pieces, cache, _free(cache))


def get(
    entry: Entry,
    progress: ProgressHook | None = None,
    stop: threading.Event | None = None,
    wanted: Wanted | None = None,
) -> Path:
    """Have a checkpoint on the shelf, and give its folder; goes on where an earlier try was cut.

    `progress` hears of bytes (stage "get", then "convert" where it must be); it, or `stop`, ends both between
    two chunks, which then raises `Cancelled` and keeps what came. InputError for all that fails.
    """
    wanted = wanted or ask(entry)
    there = placed_of(entry.name)
    if there is not None and there.made and not there.faults() and there.revision == _revision(wanted):
        return there.folder  # its released weights are gone from the cache, and not needed
    check_disk(wanted)

    def hook(report: Progress) -> None:
        if stop is not None and stop.is_set():
            raise Cancelled
        if progress is not None:
            progress(report)

    kept = {piece.blob: piece.kept(wanted.cache) for piece in wanted.pieces}
    meter = Meter(hook, kept, wanted.total)
    with _spoken(entry, meter):
        meter.tell()
        for piece in wanted.pieces:
            fetch(piece, wanted.cache, lambda begin, piece=piece: _answer(piece, begin), meter)  # type: ignore[misc]
        if format_of({piece.at: piece.whole(wanted.cache) for piece in wanted.pieces}) is None:
            # only now, so that what an unfinished download left is known by having none
            files = {piece.at: _pointer(piece, wanted.cache) for piece in wanted.pieces}
            return place(entry, wanted.pieces, wanted.cache, files)
        return place_converted(
            entry, wanted.pieces, wanted.cache, lambda piece: _pointer(piece, wanted.cache), hook
        )


def _revision(wanted: Wanted) -> str:
    return next(
        (piece.revision for piece in wanted.pieces if piece.repository == wanted.entry.repository), ""
    )


def check_disk(wanted: Wanted) -> None:
    """InputError with how much is short, and where, when a checkpoint does not fit on the disk."""
    if wanted.short:
        twice = ", as much again to convert it" if wanted.entry.released else ""
        raise InputError(
            f"{wanted.entry.title}: {size_words(wanted.short)} short on {wanted.cache} "
            f"({size_words(wanted.total - wanted.kept)} to get{twice}, {size_words(wanted.free)} free); "
            "remove a model (inlay models remove NAME), or set HF_HOME to a folder on a larger disk"
        )


def size_words(size: float) -> str:
    """Bytes for people: 2.4 GB, 40 MB, 3 kB."""
    for unit, scale in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if size >= scale * 0.9995:
            return f"{size / scale:.1f} {unit}" if unit == "GB" else f"{size / scale:.0f} {unit}"
    return f"{size:.0f} bytes"


# ---- what the hub is asked


def _pieces(entry: Entry, source: Source) -> list[Piece]:
    """The files of a repository that are wanted of it."""
    info = (
        library()
        .HfApi(endpoint=endpoint(), token=token())
        .model_info(source.repository, files_metadata=True, timeout=SECONDS)
    )
    here = {file.rfilename: file for file in info.siblings or ()}
    weights = next((found for group in source.weights if (found := _matching(here, group))), [])
    if not weights:
        raise InputError(
            f"{entry.title}: {source.repository} has none of the files that are expected in it; "
            "update Inlay, or get it by hand and use inlay models add FOLDER"
        )
    pieces = []
    for path in sorted({*weights, *_matching(here, source.beside)}):
        file = here[path]
        blob = str(file.lfs.sha256 if file.lfs else file.blob_id)
        at = f"{source.into}/{path}" if source.into else path
        pieces.append(Piece(source.repository, str(info.sha), path, at, int(file.size or 0), blob))
    return pieces


def _matching(paths: Any, patterns: tuple[str, ...]) -> list[str]:
    """Paths that match any of the patterns; none that leaves the folder, and no program."""
    return [
        path
        for path in paths
        if any(fnmatch.fnmatchcase(path, pattern) for pattern in patterns)
        and not path.startswith("/")
        and ".." not in path.split("/")
        and not path.endswith(".py")
    ]


@contextmanager
def _answer(piece: Piece, begin: int) -> Iterator[Any]:
    """The hub's answer to a request for the bytes of a file from `begin` on."""
    hub = library()
    headers = hub.utils.build_hf_headers(token=token()) | {"Accept-Encoding": "identity"}
    if begin:
        headers["Range"] = f"bytes={begin}-"
    url = hub.hf_hub_url(
        piece.repository, piece.path, revision=piece.revision, endpoint=endpoint()
    )  # which leads on to where large files lie; the client takes the token off on the way
    with hub.get_session().stream(
        "GET", url, headers=headers, timeout=SECONDS, follow_redirects=True
    ) as response:
        hub.utils.hf_raise_for_status(response)
        yield response


def _pointer(piece: Piece, cache: Path) -> Path:
    """The file in the cache's snapshot; the library makes the link where only the bytes are there."""
    return Path(
        library().hf_hub_download(
            piece.repository,
            piece.path,
            revision=piece.revision,
            endpoint=endpoint(),
            cache_dir=cache,
            token=token(),
            etag_timeout=SECONDS,
        )
    )


def _free(folder: Path) -> int:
    """Bytes that are free where a folder is, or will be."""
    place = folder.absolute()
    while not place.exists():
        place = place.parent
    return shutil.disk_usage(place).free


# ---- what is said when it fails


@contextmanager
def _spoken(entry: Entry, meter: Meter | None) -> Iterator[None]:
    """Say every failure in one line with a remedy."""
    try:
        with online():
            yield
    except (InputError, Cancelled):
        raise
    except Damaged as error:
        raise InputError(
            f"{entry.title}: {str(error)[:120]} came damaged twice (not the size or hash that the hub names) "
            "and was not kept; try again later, or without a proxy in between"
        ) from error
    except Exception as error:
        _raise_spoken(entry, meter, error)


def _raise_spoken(entry: Entry, meter: Meter | None, error: Exception) -> NoReturn:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        raise Refused(_refused(entry, status, error)) from error
    if status == 404:
        raise InputError(
            f"{entry.title}: {endpoint()} has no {entry.repository}, or no longer this file of it; "
            "update Inlay, or check HF_ENDPOINT"
        ) from error
    if type(error).__name__ == "OfflineModeIsEnabled":
        raise InputError(
            f"{entry.title}: HF_HUB_OFFLINE is set, so nothing is fetched; unset it and try again"
        ) from error
    kept = f"{size_words(meter.done)} are kept" if meter is not None and meter.done else "nothing was got yet"
    if getattr(error, "errno", None) in (errno.ENOSPC, errno.EDQUOT):
        raise InputError(
            f"{entry.title}: the disk of {cache_folder()} is full; {kept}; make room "
            "(inlay models remove NAME), and get it again, which goes on from there"
        ) from error
    if is_network(error) or isinstance(getattr(error, "__cause__", None), ConnectionError):
        cut = f"cut at {100 * meter.done / max(1, meter.total):.0f} %: " if meter is not None else ""
        why = f"the hub answered {status}" if status else f"no network to {endpoint()}"
        raise InputError(
            f"{entry.title}: {cut}{why}; {kept}; get it again when the network is back, "
            "which goes on from there"
        ) from error
    if isinstance(error, OSError) and status is None:
        raise InputError(
            f"{entry.title}: {cache_folder()} cannot be written to "
            f"({error.strerror or type(error).__name__}); "
            "check its permissions, or set HF_HOME to another folder"
        ) from error
    raise InputError(
        f"{entry.title}: the hub's answer was not understood ({type(error).__name__}"
        f"{f', status {status}' if status else ''}); try again later, or update huggingface_hub"
    ) from error


def _refused(entry: Entry, status: int, error: Exception) -> str:
    """Where to accept the terms and how to log in."""
    asked = str(getattr(getattr(error, "response", None), "url", ""))
    refused = (source.repository for source in entry.sources if f"/{source.repository}" in asked)
    page = f"{endpoint()}/{next(refused, entry.repository)}"
    login = "hf auth login (or set HF_TOKEN)"
    gated = entry.gated or type(error).__name__ == "GatedRepoError"
    if not logged_in():
        if gated:
            return f"{entry.title}: its page asks for consent; accept the terms on {page}, then run {login}"
        return f"{entry.title}: {page} is not there, or not for everyone; see its page, and run {login}"
    if status == 401:
        return f"{entry.title}: the login was refused, its token is not valid (any more); run {login} again"
    return f"{entry.title}: the login was refused: accept the terms on {page} first, with the same account"
