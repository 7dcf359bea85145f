"""The events of a standard MIDI file, read from whatever bytes come: chunks, running status, meta events.

Written by hand for files that no library reads: junk before the header, alien chunks, lengths and counts that
are wrong, faulty meta events, tracks that are cut. What a header promises is never believed: a track ends
where its bytes end. Times are ticks. Knows no notes, tempi or seconds.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

MAX_BYTES: Final = 16 * 2**20  # of a file; larger ones are no songs
MAX_EVENTS: Final = 1_000_000  # of a file
MAX_TRACKS: Final = 1024
META, END_OF_TRACK = 0xFF, 0x2F
_DATA_BYTES: Final = {0x80: 2, 0x90: 2, 0xA0: 2, 0xB0: 2, 0xC0: 1, 0xD0: 1, 0xE0: 2}
_SYSTEM_BYTES: Final = {0xF1: 1, 0xF2: 2, 0xF3: 1}  # what is not listed has none


@dataclass(frozen=True)
class Event:
    """One event that is music or says something about it."""

    tick: int
    status: int  # 0x80..0xEF with the channel, or META
    data: bytes  # of a channel event one or two values 0..127; of a meta event its content
    meta: int = -1  # type of a meta event


@dataclass(frozen=True)
class Chunks:
    """What a file holds."""

    kind: int  # 0, 1 or 2
    division: int  # as it is written, 16 bits
    tracks: tuple[tuple[Event, ...], ...]
    ends: tuple[int, ...]  # tick at which each track ends
    promised: int  # tracks, by the header
    cut: bool  # a track ends in the middle of something, or without its end


def chunks_of(content: bytes) -> Chunks | None:
    """The tracks in the bytes of a file; None where there is no header or no track."""
    header = content.find(b"MThd")
    if header < 0 or len(content) < header + 14:
        return None
    size = max(6, int.from_bytes(content[header + 4 : header + 8], "big"))
    kind, promised, division = (
        int.from_bytes(content[header + 8 + i : header + 10 + i], "big") for i in (0, 2, 4)
    )
    tracks: list[tuple[Event, ...]] = []
    ends: list[int] = []
    cut, budget = False, MAX_EVENTS
    at = _next_chunk(content, header + 8 + size, header + 14)
    while at >= 0 and len(tracks) < MAX_TRACKS:
        length = int.from_bytes(content[at + 4 : at + 8], "big")
        start, stop = at + 8, at + 8 + length
        if content[at : at + 4] != b"MTrk":
            at = _next_chunk(content, stop, start)
            continue
        if not _begins_chunk(content, stop):  # the length is wrong, or the file was cut
            stop = content.find(b"MTrk", start)
            stop = len(content) if stop < 0 else stop
        reader = _Track(content, start, stop)
        events = tuple(reader.events(budget))
        budget -= len(events)
        cut = cut or reader.cut or budget <= 0
        tracks.append(events)
        ends.append(reader.tick)
        at = _next_chunk(content, reader.at if reader.ended else stop, start)
        if budget <= 0:
            break
    return Chunks(kind, division, tuple(tracks), tuple(ends), promised, cut) if tracks else None


def _begins_chunk(content: bytes, at: int) -> bool:
    """Whether a chunk can begin there: four printable letters, or the end of the file."""
    name = content[at : at + 4]
    return at == len(content) or (len(name) == 4 and all(32 <= byte < 127 for byte in name))


def _next_chunk(content: bytes, at: int, before: int) -> int:
    """Where the next chunk begins: at `at`, or else the first track after `before`; -1 for none."""
    if at + 8 <= len(content) and _begins_chunk(content, at):
        return at
    track = content.find(b"MTrk", min(at, len(content)) if at >= before else before)
    return track if track >= 0 else content.find(b"MTrk", before)


class _Track:
    """One track while it is read, at most to `stop`."""

    def __init__(self, content: bytes, start: int, stop: int) -> None:
        self.content, self.at, self.stop = content, start, min(stop, len(content))
        self.tick = 0
        self.ended = self.cut = False

    def events(self, most: int) -> Iterator[Event]:
        """The events in order. Each turn takes at least one byte, so it ends."""
        running, count = 0, 0
        while self.at < self.stop and not self.ended:
            delta = self._length()
            if delta < 0 or self.at >= self.stop:
                self.cut = True
                return
            self.tick += delta
            status = self.content[self.at]
            if status >= 0x80:
                self.at += 1
            elif running:
                status = running
            else:  # a value where an event should begin
                self.at += 1
                self.cut = True
                continue
            running = status if status < 0xF0 else 0
            event = self._event(status)
            if event is not None:
                yield event
                count += 1
                if count >= most:
                    return
        self.cut = self.cut or not self.ended

    def _event(self, status: int) -> Event | None:
        """The event of a status whose byte has been read; None for one that says nothing of music."""
        if status < 0xF0:
            size = _DATA_BYTES[status & 0xF0]
            data = self._bytes(size)
            if len(data) < size:
                return None
            return Event(self.tick, status, bytes(min(byte, 127) for byte in data))
        if status == META:
            kind = self._bytes(1)
            data = self._bytes(self._length())
            if not kind or self.cut:
                return None
            self.ended = kind[0] == END_OF_TRACK
            return Event(self.tick, META, data, kind[0])
        size = self._length() if status in (0xF0, 0xF7) else _SYSTEM_BYTES.get(status, 0)
        self._bytes(size)
        return None

    def _bytes(self, count: int) -> bytes:
        """The next bytes; fewer, and `cut`, where the track ends before. A negative count is a cut length."""
        found = self.content[self.at : min(self.at + max(count, 0), self.stop)]
        self.at += len(found)
        if count < 0 or len(found) < count:
            self.cut, self.at = True, self.stop
        return found

    def _length(self) -> int:
        """A number of variable length; -1 where the track ends in it. At most four bytes count."""
        value = 0
        for _ in range(4):
            if self.at >= self.stop:
                return -1
            byte = self.content[self.at]
            self.at += 1
            value = value << 7 | byte & 0x7F
            if byte < 0x80:
                return value
        return value
