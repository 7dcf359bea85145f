"""Tensors of safetensors files as bytes: their table, and new files of the same bytes under other names.

Nothing is computed, so a checkpoint of any size takes a megabyte of memory, keeps the number type it has, and
no torch is loaded. A file is: eight bytes with the length of its table, the table as JSON, the numbers.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from engines.errors import InputError

BITS = {
    "F64": 64, "I64": 64, "U64": 64, "F32": 32, "I32": 32, "U32": 32, "F16": 16, "BF16": 16, "I16": 16,
    "U16": 16, "F8_E4M3": 8, "F8_E5M2": 8, "I8": 8, "U8": 8, "BOOL": 8,
}  # fmt: skip
_LONGEST = 100_000_000  # bytes of a table, as the library has it
_BLOCK = 1 << 20


@dataclass(frozen=True)
class Stored:
    """A tensor [*] as it lies in a file, from byte `begin` to `end`."""

    file: Path
    dtype: str  # a key of BITS
    shape: tuple[int, ...]
    begin: int
    end: int

    @property
    def rows(self) -> int:
        """Its first dimension; 1 of a single number."""
        return self.shape[0] if self.shape else 1


@dataclass(frozen=True)
class Planned:
    """A tensor [*] to be written: ranges of bytes of files, in order, or the bytes themselves."""

    name: str
    dtype: str
    shape: tuple[int, ...]
    ranges: tuple[tuple[Path, int, int], ...] = ()
    data: bytes = b""

    @property
    def size(self) -> int:
        """Bytes."""
        return len(self.data) + sum(end - begin for _, begin, end in self.ranges)


def table(file: Path) -> dict[str, Stored]:
    """The tensors [*] of a file by their names; InputError where it is damaged or none of that format."""
    try:
        size = file.stat().st_size
        with file.open("rb") as opened:
            length = int.from_bytes(opened.read(8), "little")
            if not 2 <= length <= min(_LONGEST, size - 8):
                raise ValueError(f"a table of {length} bytes in a file of {size}")
            listed = json.loads(opened.read(length))
        found = {
            name: _stored(file, row, 8 + length, size)
            for name, row in listed.items()
            if name != "__metadata__"
        }
    except (OSError, ValueError, KeyError, TypeError, AttributeError) as error:
        reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
        raise InputError(f"{file.name[:64]}: no whole safetensors file ({reason}); get it again") from error
    return found


def tables(files: Iterable[Path]) -> dict[str, Stored]:
    """The tensors [*] of all shards of a network."""
    found: dict[str, Stored] = {}
    for file in files:
        found |= table(file)
    return found


def kept(name: str, stored: Stored) -> Planned:
    """A tensor [*] as it is, under another name."""
    return Planned(name, stored.dtype, stored.shape, ((stored.file, stored.begin, stored.end),))


def reordered(name: str, stored: Stored, order: Sequence[int]) -> Planned:
    """A tensor [N, *] whose rows are as many blocks as `order` is long, put in that order.

    InputError where its rows are no such blocks.
    """
    if stored.rows % len(order):
        raise InputError(
            f"weight {name[:80]!r}: {stored.rows} rows, expected {len(order)} blocks of as many each; "
            "get the checkpoint again"
        )
    size = (stored.end - stored.begin) // len(order)
    ranges = tuple((stored.file, stored.begin + i * size, stored.begin + (i + 1) * size) for i in order)
    return Planned(name, stored.dtype, stored.shape, ranges)


def write(file: Path, tensors: Iterable[Planned], tell: Callable[[int], None]) -> None:
    """Write a file of tensors [*]; `tell` hears of each block's bytes and may raise to end it."""
    # the widest numbers first, so that each stands where a processor reads it in one go
    listed = sorted(tensors, key=lambda one: (-BITS[one.dtype], one.name))
    rows: dict[str, Any] = {"__metadata__": {"format": "pt"}}
    at = 0
    for one in listed:
        rows[one.name] = {"dtype": one.dtype, "shape": one.shape, "data_offsets": [at, at + one.size]}
        at += one.size
    head = json.dumps(rows, separators=(",", ":")).encode()
    head += b" " * (-len(head) % 8)
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("wb") as written:
        written.write(len(head).to_bytes(8, "little") + head)
        for one in listed:
            for block in _blocks(one):
                written.write(block)
                tell(len(block))


def _blocks(one: Planned) -> Iterable[bytes]:
    if one.data:
        yield one.data
    for place, begin, end in one.ranges:
        with place.open("rb") as opened:
            opened.seek(begin)
            left = end - begin
            while left:
                block = opened.read(min(_BLOCK, left))
                if not block:
                    raise InputError(f"{place.name[:64]}: it ends too early; get the checkpoint again")
                left -= len(block)
                yield block


def _stored(file: Path, row: Any, begin: int, size: int) -> Stored:
    dtype, shape = str(row["dtype"]), tuple(map(int, row["shape"]))
    first, last = (begin + int(offset) for offset in row["data_offsets"])
    if dtype not in BITS:
        raise ValueError(f"numbers of type {dtype[:16]}")
    if not begin <= first <= last <= size or (last - first) * 8 != math.prod(shape) * BITS[dtype]:
        raise ValueError("its table does not fit its length")
    return Stored(file, dtype, shape, first, last)
