"""Builds MIDI files byte by byte, right and wrong ones."""

from __future__ import annotations

from pathlib import Path

END = b"\x00\xff\x2f\x00"


def length(value: int) -> bytes:
    """A number of variable length."""
    digits = [value & 0x7F]
    while value > 0x7F:
        value >>= 7
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def scale(ticks: int = 480, count: int = 8, first: int = 60, channel: int = 0) -> bytes:
    """`count` notes one after the other, each `ticks` long."""
    body = b""
    for i in range(count):
        body += (
            bytes((0, 0x90 | channel, first + i, 90)) + length(ticks) + bytes((0x80 | channel, first + i, 0))
        )
    return body


def meta(kind: int, data: bytes, delta: int = 0) -> bytes:
    return length(delta) + bytes((0xFF, kind)) + length(len(data)) + data


def tempo(bpm: float, delta: int = 0) -> bytes:
    return meta(0x51, round(60e6 / bpm).to_bytes(3, "big"), delta)


def metre(over: int, power: int, delta: int = 0) -> bytes:
    return meta(0x58, bytes((over, power, 24, 8)), delta)


def chunk(body: bytes, name: bytes = b"MTrk", size: int | None = None) -> bytes:
    return name + (len(body) if size is None else size).to_bytes(4, "big") + body


def header(kind: int, tracks: int, division: int = 480) -> bytes:
    return chunk(b"".join(v.to_bytes(2, "big") for v in (kind, tracks, division)), b"MThd")


def smf(*tracks: bytes, kind: int = 1, division: int = 480, end: bytes = END) -> bytes:
    """A right file of tracks without their ends."""
    return header(kind, len(tracks), division) + b"".join(chunk(track + end) for track in tracks)


def write(folder: Path, content: bytes, name: str = "song.mid") -> Path:
    path = folder / name
    path.write_bytes(content)
    return path
