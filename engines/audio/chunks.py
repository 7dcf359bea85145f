"""The chunks of a WAV file: sizes that a stream's header does not know, and what is kept beside the sound.

A recorder that writes into a pipe cannot go back to fill in sizes; what it left says nothing, so the bytes
that are there count. Chunks that are not the sound itself (timecode, markers, loop points, tags) are read,
and can be written into another WAV file of the same samples. Does not know samples.
"""

from __future__ import annotations

import io
import os
import shutil
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

MAX_CHUNKS: Final = 4096  # in a file
MAX_KEPT_BYTES: Final = 16 * 2**20  # of all chunks that are kept
_OWN: Final = (b"fmt ", b"data", b"fact", b"ds64", b"PEAK", b"levl")  # of the sound, or of what it was
_FILLING: Final = (b"JUNK", b"junk", b"PAD ", b"FLLR", b"FILL")
_STREAMED: Final = 0x7FFF0000  # sizes from here on, that a file does not have, are a stream's
_MOVES: Final = (b"cue ", b"smpl", b"bext", b"plst", b"acid", b"strc")  # tell of places in the sound


@dataclass(frozen=True)
class Chunk:
    """One chunk beside the sound."""

    id: bytes  # four letters
    data: bytes
    leads: bool  # whether it stands before the samples

    @property
    def places(self) -> bool:
        """Whether it tells of places in the sound, which are wrong once samples come before it."""
        return self.id in _MOVES or (self.id == b"LIST" and self.data[:4] == b"adtl")


@dataclass(frozen=True)
class Sizes:
    """What a WAV file says of its size, and what is there."""

    patches: tuple[tuple[int, bytes], ...] = ()  # bytes that would be right, and where; () = all is right
    cut: bool = False  # fewer samples are there than it says
    chunks: tuple[Chunk, ...] = ()
    dropped: int = 0  # bytes of chunks that are too large to be kept


@dataclass(frozen=True)
class _Place:
    id: bytes
    at: int  # of its data
    size: int  # as it is said


def sizes(file: BinaryIO) -> Sizes | None:
    """What a WAV file says and has; None for another file."""
    length = file.seek(0, os.SEEK_END)
    file.seek(0)
    head = file.read(12)
    if head[:4] not in (b"RIFF", b"RIFX", b"RF64", b"BW64") or head[8:12] != b"WAVE":
        return None
    order: str = "big" if head[:4] == b"RIFX" else "little"
    places = list(_walk(file, 12, length, order))
    data = next((place for place in places if place.id == b"data"), None)
    if data is None:
        return Sizes()
    said = data.size
    ds64 = next((place for place in places if place.id == b"ds64"), None)
    if ds64 is not None and said == 0xFFFFFFFF and ds64.size >= 24:
        file.seek(ds64.at + 8)
        said = int.from_bytes(file.read(8), "little")
    there = length - data.at
    streamed = said > there and (said >= _STREAMED or said >= 1 << 62)
    if said == 0 and there > 0:
        streamed = not _chain_ends(file, data.at, length, order)
    patches: list[tuple[int, bytes]] = []
    if streamed:
        wide = min(there, 0xFFFFFFF0)
        patches = [
            (4, _uint32(min(length - 8, 0xFFFFFFF0), order)),
            (data.at - 4, _uint32(wide, order)),
        ]
        if ds64 is not None:
            patches.append((ds64.at, (length - 8).to_bytes(8, "little") + there.to_bytes(8, "little")))
    kept, dropped = _kept(file, places, data, there)
    return Sizes(tuple(patches), said > there and not streamed, kept, dropped)


def _walk(file: BinaryIO, at: int, length: int, order: str) -> Iterator[_Place]:
    """The chunks from a place on; where sizes cannot be followed it ends."""
    for _ in range(MAX_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8 or not all(32 <= byte < 127 for byte in head[:4]):
            return
        size = int.from_bytes(head[4:], "big" if order == "big" else "little")
        yield _Place(head[:4], at + 8, size)
        unknown = size == 0xFFFFFFFF or (size == 0 and not _chain_ends(file, at + 8, length, order))
        if head[:4] == b"data" and unknown:
            return
        at += 8 + size + size % 2
        if at >= length:
            return


def _chain_ends(file: BinaryIO, at: int, length: int, order: str) -> bool:
    """Whether chunks follow one another from a place to the end of the file."""
    for _ in range(MAX_CHUNKS):
        file.seek(at)
        head = file.read(8)
        if len(head) < 8 or not all(32 <= byte < 127 for byte in head[:4]):
            return False
        size = int.from_bytes(head[4:], "big" if order == "big" else "little")
        at += 8 + size + size % 2
        if length - 1 <= at <= length + 1:
            return True
        if at > length:
            return False
    return False


def _kept(file: BinaryIO, places: list[_Place], data: _Place, there: int) -> tuple[tuple[Chunk, ...], int]:
    """The chunks beside the sound, and how many bytes of them are too many."""
    found: list[Chunk] = []
    total = dropped = 0
    for place in places:
        if place.id in _OWN or place.id in _FILLING:
            continue
        if total + place.size > MAX_KEPT_BYTES:
            dropped += place.size
            continue
        file.seek(place.at)
        content = file.read(place.size)
        if len(content) == place.size and (place.at < data.at or place.at >= data.at + min(data.size, there)):
            found.append(Chunk(place.id, content, place.at < data.at))
            total += place.size
    return tuple(found), dropped


def add(path: Path, chunks: Iterable[Chunk]) -> None:
    """Write chunks into a finished WAV file, around its samples as they stood. OSError as files raise it."""
    given = list(chunks)
    with path.open("rb") as file:
        head = file.read(12)
        length = file.seek(0, os.SEEK_END)
        places = list(_walk(file, 12, length, "little"))
        data = next((place for place in places if place.id == b"data"), None)
        if not given or head[:4] not in (b"RIFF", b"RF64") or head[8:12] != b"WAVE" or data is None:
            return
        before = b"".join(_bytes(chunk) for chunk in given if chunk.leads)
        after = b"".join(_bytes(chunk) for chunk in given if not chunk.leads)
        total = length + length % 2 + len(before) + len(after) - 8
        if head[:4] == b"RIFF" and total > 0xFFFFFFFF:
            return
        scratch = path.with_name(f"{path.name}.chunks")
        try:
            with scratch.open("xb") as made:
                file.seek(0)
                made.write(file.read(data.at - 8))
                made.write(before)
                shutil.copyfileobj(file, made, 1 << 20)
                made.write(b"\0" * (length % 2) + after)
                made.seek(4)
                made.write(_uint32(total, "little") if head[:4] == b"RIFF" else b"\xff\xff\xff\xff")
                ds64 = next((place for place in places if place.id == b"ds64"), None)
                if head[:4] == b"RF64" and ds64 is not None:
                    made.seek(ds64.at)
                    made.write(total.to_bytes(8, "little"))
            scratch.replace(path)
        finally:
            scratch.unlink(missing_ok=True)


def _bytes(chunk: Chunk) -> bytes:
    return chunk.id + _uint32(len(chunk.data), "little") + chunk.data + b"\0" * (len(chunk.data) % 2)


def _uint32(value: int, order: str) -> bytes:
    return value.to_bytes(4, "big" if order == "big" else "little")


class Patched(io.RawIOBase):
    """A file that reads as if some of its bytes were others."""

    def __init__(self, file: BinaryIO, patches: Iterable[tuple[int, bytes]]) -> None:
        super().__init__()
        self._file, self._patches = file, tuple(patches)

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be sought in."""
        return True

    def tell(self) -> int:
        """The place in the file."""
        return self._file.tell()

    def seek(self, offset: int, whence: int = os.SEEK_SET, /) -> int:
        """As of any file."""
        return self._file.seek(offset, whence)

    def readinto(self, buffer: bytearray | memoryview, /) -> int:  # type: ignore[override]
        """As of any file, with the other bytes."""
        start = self._file.tell()
        content = bytearray(self._file.read(len(buffer)))
        for at, data in self._patches:
            for place, byte in enumerate(data, at - start):
                if 0 <= place < len(content):
                    content[place] = byte
        buffer[: len(content)] = content
        return len(content)
