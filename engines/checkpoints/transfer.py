"""One file from the hub into its cache: taken up where it was cut, verified, got again where it is damaged.

The cache is the one of `huggingface_hub`, and shared with other programs: a file lies below `blobs/` by its
hash, under a lock of that name while it is got. What was cut stays beside it. (The library itself would throw
that away and begin anew.)
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from engines.progress import Progress, ProgressHook

PAUSES = (1.0, 2.0, 4.0)  # seconds before the next try, as long as no byte comes
_BLOCK = 1 << 20


class Damaged(Exception):
    """A file that came twice and was twice not what the hub says it is."""


def home_of(repository: str, cache: Path) -> Path:
    """A repository's folder in the cache."""
    return cache / f"models--{repository.replace('/', '--')}"


@dataclass(frozen=True)
class Piece:
    """One file that is wanted: where it lies on the hub, what it must be, where it goes on the shelf."""

    repository: str
    revision: str
    path: str
    at: str  # path on the shelf, below the checkpoint's folder
    size: int  # bytes
    blob: str  # its name in the cache: the SHA-256 of a large file, git's SHA-1 of a small one

    def home(self, cache: Path) -> Path:
        """The repository's folder in the cache."""
        return home_of(self.repository, cache)

    def whole(self, cache: Path) -> Path:
        """Where it lies once it is whole."""
        return self.home(cache) / "blobs" / self.blob

    def part(self, cache: Path) -> Path:
        """Where it lies until then."""
        return self.home(cache) / "blobs" / f"{self.blob}.incomplete"

    def kept(self, cache: Path) -> int:
        """Bytes of it that are there already."""
        for place in (self.whole(cache), self.part(cache)):
            if place.exists():
                return min(place.stat().st_size, self.size)
        return 0


class Meter:
    """Counts bytes, estimates what is left, and asks the hook whether to go on (which raises `Cancelled`)."""

    def __init__(self, hook: ProgressHook | None, kept: Mapping[str, int], total: int) -> None:
        self.total = total
        self._hook = hook
        self._of = dict(kept)  # blob -> bytes that are there
        self._came = 0  # over the wire, so not what was there before
        self._begin = time.monotonic()

    @property
    def done(self) -> int:
        """Bytes that are there."""
        return sum(self._of.values())

    def at(self, piece: Piece, size: int, came: int = 0) -> None:
        """So many bytes of a piece are there, of which so many came just now."""
        self._of[piece.blob] = size
        self._came += came
        self.tell()

    def tell(self) -> None:
        """Report; raises what the hook raises."""
        if self._hook is None:
            return
        done, elapsed = self.done, time.monotonic() - self._begin
        left = elapsed / self._came * (self.total - done) if self._came else None
        self._hook(Progress("get", done, self.total, elapsed, left))


def fetch(piece: Piece, cache: Path, open_at: Callable[[int], Any], meter: Meter) -> None:
    """Have a file in the cache, whole and verified.

    `open_at(begin)` gives a context with the response to a request for the bytes from `begin` on. Raises
    `Damaged`, OSError where the disk is full, and what the network raises once all tries are used up.
    """
    whole, part = piece.whole(cache), piece.part(cache)
    whole.parent.mkdir(parents=True, exist_ok=True)
    with _locked(piece, cache, meter):
        for _ in range(2):
            if not whole.exists():
                _receive(piece, part, open_at, meter)
            place = whole if whole.exists() else part
            if _is_right(piece, place, meter):
                place.replace(whole)
                meter.at(piece, piece.size)
                return
            place.unlink()
            meter.at(piece, 0)
    raise Damaged(piece.path)


def _receive(piece: Piece, part: Path, open_at: Callable[[int], Any], meter: Meter) -> None:
    """Append to a part until it has its size; waits and tries again while the network is away."""
    part.touch()
    failures = 0
    while (have := part.stat().st_size) < piece.size:
        try:
            with open_at(have) as response, part.open("ab") as file:
                if have and response.status_code != 206:  # the whole file comes, asked for or not
                    have = file.truncate(0)
                for chunk in response.iter_bytes():
                    file.write(chunk)
                    have += len(chunk)
                    failures = 0
                    meter.at(piece, min(have, piece.size), came=len(chunk))
            if have < piece.size:
                raise ConnectionError("the answer ended too early")
        except Exception as error:
            if not is_network(error) or failures >= len(PAUSES):
                raise
            _pause(PAUSES[failures], meter)
            failures += 1


def is_network(error: BaseException) -> bool:
    """Whether an error says that the network, or the hub's machine, is away for the moment.

    The library speaks through httpx or its successor, by version, so the classes are known by their names.
    """
    response = getattr(error, "response", None)
    if response is not None:
        return response.status_code in (408, 429) or response.status_code >= 500
    names = {kind.__name__ for kind in type(error).__mro__}
    return isinstance(error, ConnectionError | TimeoutError) or "TransportError" in names


def _is_right(piece: Piece, place: Path, meter: Meter) -> bool:
    """Whether a file has its size and its hash."""
    if place.stat().st_size != piece.size:
        return False
    large = len(piece.blob) == 64
    # git counts the head of its own objects in
    digest = hashlib.sha256() if large else hashlib.sha1(f"blob {piece.size}\0".encode())
    with place.open("rb") as file:
        while block := file.read(_BLOCK):
            digest.update(block)
            meter.tell()
    return digest.hexdigest() == piece.blob


def _pause(seconds: float, meter: Meter) -> None:
    """Wait, and stay open to a cancel."""
    end = time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        meter.tell()
        time.sleep(min(0.1, left))


@contextmanager
def _locked(piece: Piece, cache: Path, meter: Meter) -> Iterator[None]:
    """The lock by which the library, too, keeps two downloads of one file apart."""
    place = cache / ".locks" / piece.home(cache).name / f"{piece.blob}.lock"
    place.parent.mkdir(parents=True, exist_ok=True)
    lock = FileLock(place)
    while True:
        try:
            lock.acquire(timeout=0.1)
            break
        except Timeout:
            meter.tell()
    try:
        yield
    finally:
        lock.release()
