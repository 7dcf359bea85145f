"""Writes MIDI files: tracks whose notes lie in seconds on a grid, with its tempo, metre and first bar.

The bars of the file are those of the grid, and its seconds are those of the clip: where the grid begins after
the clip does, a pickup bar of another tempo lasts until its first bar line. A meta event of our own says the
grid exactly. Knows no lanes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from engines.audio.timebase import Grid
from engines.music.midi import DRUM_CHANNEL, STAMP

TICKS: Final = 960  # of a beat
_SHORTEST_PICKUP: Final = 1e-3  # seconds; less is no bar that anyone can see
_LONGEST: Final = 0x0FFFFFFF  # ticks between two events, as the format can say it


@dataclass(frozen=True)
class WrittenTrack:
    """A track to write."""

    name: str
    program: int  # General MIDI, 0-based; of drums it says nothing
    is_drum: bool
    notes: Sequence[tuple[float, float, int, int]]  # start and end in seconds, pitch, velocity


def midi_bytes(tracks: Iterable[WrittenTrack], grid: Grid) -> bytes:
    """A MIDI file of type 1. Notes before 0 s or without length are the caller's to leave out."""
    clock = _Bars(grid)
    chunks = [_chunk(clock.head())]
    channels = [channel for channel in range(16) if channel != DRUM_CHANNEL]
    for number, track in enumerate(tracks):
        channel = DRUM_CHANNEL if track.is_drum else channels[number % len(channels)]
        events = [
            (0, 0, _meta(0x03, track.name.encode())),
            (0, 1, bytes((0xC0 | channel, track.program & 127))),
        ]
        for start, end, pitch, velocity in track.notes:
            first = clock.tick(start)
            last = max(clock.tick(end), first + 1)
            events.append((first, 3, bytes((0x90 | channel, pitch & 127, velocity & 127))))
            events.append((last, 2, bytes((0x80 | channel, pitch & 127, 0))))
        chunks.append(_chunk(events))
    header = b"".join(value.to_bytes(2, "big") for value in (1, len(chunks), TICKS))
    return b"MThd" + len(header).to_bytes(4, "big") + header + b"".join(chunks)


class _Bars:
    """Seconds of a clip -> ticks of a file whose bars are the grid's."""

    def __init__(self, grid: Grid) -> None:
        self.grid = grid
        bar = grid.beats_per_bar * grid.seconds_per_beat
        self.pickup = grid.offset % bar  # seconds
        if not _SHORTEST_PICKUP < self.pickup < bar - _SHORTEST_PICKUP:
            self.pickup = 0.0
        eighths = round(2 * self.pickup / grid.seconds_per_beat)
        self.eighths = min(max(eighths, 1), 2 * grid.beats_per_bar - 1) if self.pickup else 0

    def tick(self, seconds: float) -> int:
        """The tick of a time; 0 for what lies before the clip."""
        first = self.eighths * TICKS / 2
        if seconds < self.pickup:
            return round(max(seconds, 0.0) / self.pickup * first)
        return round(first + (seconds - self.pickup) / self.grid.seconds_per_beat * TICKS)

    def head(self) -> list[tuple[int, int, bytes]]:
        """Tempo and metre, of the pickup too."""
        grid = self.grid
        stamp = STAMP + f"{grid.bpm!r} {grid.beats_per_bar} {grid.offset!r}".encode()
        events = [(0, 0, _meta(0x7F, stamp))]
        if self.pickup:
            events += [
                (0, 1, _tempo(2 * self.pickup / self.eighths)),
                (0, 2, _metre(self.eighths, 8) if self.eighths % 2 else _metre(self.eighths // 2, 4)),
            ]
        first = self.eighths * TICKS // 2
        return [*events, (first, 1, _tempo(grid.seconds_per_beat)), (first, 2, _metre(grid.beats_per_bar, 4))]


def _tempo(quarter: float) -> bytes:
    """`quarter` in seconds."""
    return _meta(0x51, min(max(round(quarter * 1e6), 1), 0xFFFFFF).to_bytes(3, "big"))


def _metre(over: int, under: int) -> bytes:
    return _meta(0x58, bytes((over, under.bit_length() - 1, 24, 8)))


def _meta(kind: int, data: bytes) -> bytes:
    return bytes((0xFF, kind)) + _length(len(data)) + data


def _length(value: int) -> bytes:
    """A number of variable length."""
    value = min(value, _LONGEST)
    digits = [value & 0x7F]
    while value > 0x7F:
        value >>= 7
        digits.append(value & 0x7F | 0x80)
    return bytes(reversed(digits))


def _chunk(events: Sequence[tuple[int, int, bytes]]) -> bytes:
    """A track of events (tick, rank among those of one tick, bytes)."""
    body, at = bytearray(), 0
    for tick, _, data in sorted(events, key=lambda event: event[:2]):
        body += _length(tick - at) + data
        at = tick
    body += _length(0) + _meta(0x2F, b"")
    return b"MTrk" + len(body).to_bytes(4, "big") + bytes(body)
