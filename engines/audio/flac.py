"""How long a FLAC is: its last frame says where it lies, since an encoder into a pipe cannot tell before.

Only the header and the last frames are looked at. Does not decode.
"""

from __future__ import annotations

import os
from typing import BinaryIO, Final

_TAIL: Final = 4 << 20  # bytes at the end in which the last frame must lie
_MAX_TOTAL: Final = (1 << 36) - 1  # samples that a header can tell
_AT: Final = 21  # byte of the header in whose lower half the number begins
_BLOCKS: Final = {1: 192, **{code: 576 << (code - 2) for code in range(2, 6)}} | {
    code: 256 << (code - 8) for code in range(8, 16)
}  # samples of a frame by their code; 6 and 7 are written out


def patches(file: BinaryIO) -> tuple[tuple[int, bytes], ...] | None:
    """Bytes that put right a header that tells of too little; () where it is right, None for no FLAC."""
    file.seek(0)
    head = file.read(42)
    if len(head) < 42 or head[:4] != b"fLaC" or head[4] & 0x7F:
        return None
    said = int.from_bytes(head[_AT : _AT + 5], "big") & _MAX_TOTAL
    length = file.seek(0, os.SEEK_END)
    start = max(42, length - _TAIL)
    file.seek(start)
    there = _last_sample(file.read(_TAIL), int.from_bytes(head[8:10], "big"))
    if there <= said or there > _MAX_TOTAL:
        return ()
    upper = head[_AT] & 0xF0
    return ((_AT, bytes((upper | there >> 32,)) + (there & 0xFFFFFFFF).to_bytes(4, "big")),)


def _last_sample(tail: bytes, block: int) -> int:
    """The sample at which the last whole frame in the bytes ends; 0 where none is found."""
    ends = len(tail)
    at = len(tail)
    for _ in range(1 << 16):  # bytes that look like the beginning of a frame
        at = tail.rfind(b"\xff", 0, at)
        if at < 0:
            return 0
        end = _end_of(tail[at : at + 16], block)
        if not end:
            continue
        if _crc16(tail[at:ends]) == 0:  # what follows its content checks it
            return end
        ends = at  # a frame that was cut, or bytes that only looked like one
    return 0


def _end_of(head: bytes, block: int) -> int:
    """The sample after the frame of a header; 0 for what is no header."""
    if len(head) < 6 or head[1] & 0xFE != 0xF8 or head[3] & 1:
        return 0
    variable = head[1] & 1
    size, rate = head[2] >> 4, head[2] & 0x0F
    length = _coded_length(head[4])
    if not length or not size or rate == 15 or head[3] >> 4 > 10:
        return 0
    number = head[4] & (0x7F if length == 1 else (1 << (7 - length)) - 1)
    for byte in head[5 : 4 + length]:
        if byte & 0xC0 != 0x80:
            return 0
        number = number << 6 | byte & 0x3F
    at = 4 + length
    samples = _BLOCKS.get(size, 0)
    if size in (6, 7):
        samples = int.from_bytes(head[at : at + size - 5], "big") + 1
        at += size - 5
    at += {12: 1, 13: 2, 14: 2}.get(rate, 0)
    if at >= len(head) or _crc8(head[:at]) != head[at]:
        return 0
    return (number if variable else number * block) + samples


def _coded_length(first: int) -> int:
    """Bytes of a number of variable length by its first; 0 for none."""
    if first < 0x80:
        return 1
    ones = 8 - (first ^ 0xFF).bit_length()
    return ones if 2 <= ones <= 7 else 0


def _table(polynomial: int, bits: int) -> tuple[int, ...]:
    top, mask = 1 << (bits - 1), (1 << bits) - 1
    rows = []
    for value in range(256):
        rest = value << (bits - 8)
        for _ in range(8):
            rest = (rest << 1 ^ (polynomial if rest & top else 0)) & mask
        rows.append(rest)
    return tuple(rows)


_CRC8, _CRC16 = _table(0x07, 8), _table(0x8005, 16)


def _crc8(data: bytes) -> int:
    rest = 0
    for byte in data:
        rest = _CRC8[rest ^ byte]
    return rest


def _crc16(data: bytes) -> int:
    rest = 0
    for byte in data:
        rest = (rest << 8 & 0xFF00) ^ _CRC16[rest >> 8 ^ byte]
    return rest
