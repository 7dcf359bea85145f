"""MIDI files: notes, tempo, metre and programs, of files as they come.

Our own reading, since no library reads all kinds: of 22 faulty but usable files pretty_midi places the notes
of 7 rightly, partitura 11, mido with `clip` 12, music21 13, symusic 16. What is faulty is dropped and said in
`remarks`; sizes are bounded. Times are quarters and seconds from the file's beginning, seconds by all its
tempi. Does not know beats, lanes or the models' ranges.
"""

from __future__ import annotations

import os
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from engines.audio.timebase import Grid
from engines.errors import InputError
from engines.music.metre import Metre
from engines.music.midi_events import MAX_BYTES, META, Chunks, Event, chunks_of

MAX_NOTES: Final = 100_000
MAX_SECONDS: Final = 3600.0  # what begins later is dropped
MAX_QUARTERS: Final = 20_000.0
STAMP: Final = b"\x7dinlay grid "  # begins a meta event that says the grid of lanes that Inlay wrote
DRUM_CHANNEL: Final = 9
QUARTER_SECONDS: Final = 0.5  # where no tempo is said, as the standard has it
_NAME, _TEMPO, _METRE, _OWN = 0x03, 0x51, 0x58, 0x7F  # types of meta events


@dataclass(frozen=True)
class MidiNote:
    """One note; one that is struck and released at once has no length."""

    start: float  # seconds
    end: float  # seconds
    at: float  # quarters
    until: float  # quarters
    pitch: int


@dataclass(frozen=True)
class MidiTrack:
    """The notes of one program on one channel of one track, by start."""

    name: str
    program: int  # General MIDI, 0-based
    is_drum: bool
    notes: tuple[MidiNote, ...]


@dataclass(frozen=True)
class MidiFile:
    """What a file holds."""

    tracks: tuple[MidiTrack, ...]  # those with notes
    tempi: tuple[tuple[float, float], ...]  # (quarters, quarters a minute), as they are set
    metres: tuple[Metre, ...]  # as they are set
    remarks: tuple[str, ...] = ()  # what was dropped or guessed, for the user
    timed: bool = False  # counted in film frames: its quarters are of 120 bpm and mean nothing
    stamp: Grid | None = None  # the grid that Inlay wrote

    def seconds(self, quarters: float) -> float:
        """Seconds at a place, by all tempi before it."""
        total, at, length = 0.0, 0.0, QUARTER_SECONDS
        for place, tempo in self.tempi:
            if place >= quarters:
                break
            total, at, length = total + (place - at) * length, place, 60 / tempo
        return total + (quarters - at) * length


def read_midi(path: str | os.PathLike[str]) -> MidiFile:
    """The notes of a MIDI file. InputError, in one line, where it is none or far too large."""
    name = Path(path).name
    try:
        with Path(path).open("rb") as file:
            content = file.read(MAX_BYTES + 1)
    except OSError as error:
        raise InputError(f"{name}: no such MIDI file; check the path") from error
    if len(content) > MAX_BYTES:
        raise InputError(f"{name}: over {MAX_BYTES >> 20} MB; expected a song as MIDI; export it again")
    chunks = chunks_of(content)
    if chunks is None:
        raise InputError(f"{name}: not a MIDI file; save it as a standard MIDI file (.mid)")
    return _read(chunks)


def _read(chunks: Chunks) -> MidiFile:
    remarks: dict[str, None] = {}
    tracks = list(zip(chunks.tracks, chunks.ends, strict=True))
    if chunks.kind == 2 and len(tracks) > 1:
        sounding = [track for track in tracks if any(e.status & 0xF0 == 0x90 for e in track[0])]
        if len(sounding) > 1:
            remarks[f"only the first of its {len(sounding)} patterns is read"] = None
        tracks = sounding[:1]
    elif len(chunks.tracks) < chunks.promised:
        remarks[f"{len(chunks.tracks)} of its {chunks.promised} tracks are there"] = None
    if chunks.cut:
        remarks["it is damaged or cut short: what can be read is there"] = None
    every = [event for events, _ in tracks for event in events]
    clock = _Clock(chunks.division, _tempi(every, remarks), remarks)
    notes = _Notes(clock, remarks)
    found = [track for events, end in tracks for track in notes.of_track(events, end)]
    return MidiFile(
        tuple(found),
        tuple((clock.quarters(tick), 60 / seconds) for tick, seconds in clock.tempi[1:]),
        _metres(every, clock, remarks),
        tuple(remarks),
        clock.timed,
        _stamp(every),
    )


class _Clock:
    """Ticks -> quarters and seconds."""

    def __init__(self, division: int, tempi: list[tuple[int, float]], remarks: dict[str, None]) -> None:
        """`tempi`: ticks and seconds a quarter, in order."""
        self.timed = division >= 0x8000
        self._ticks = float(division)  # of a quarter; of a second where it is counted in frames
        self.tempi = [(0, QUARTER_SECONDS), *tempi]
        if self.timed:
            frames, ticks = 256 - (division >> 8), division & 0xFF
            self._ticks = (30_000 / 1001 if frames == 29 else float(frames)) * ticks
            self.tempi = self.tempi[:1]
        if self._ticks <= 0:
            remarks["its division says nothing: 480 ticks a quarter are taken"] = None
            self._ticks = 480.0 if not self.timed else 1000.0
        self._starts = [tick for tick, _ in self.tempi]
        self._seconds = [0.0]
        for (tick, length), (after, _) in zip(self.tempi, self.tempi[1:], strict=False):
            self._seconds.append(self._seconds[-1] + (after - tick) / self._ticks * length)

    def ticks(self, quarters: float) -> int:
        """Ticks of so many quarters."""
        return round(quarters * self._ticks * (QUARTER_SECONDS if self.timed else 1.0))

    def quarters(self, tick: int) -> float:
        """Quarters at a tick."""
        return tick / self._ticks / (QUARTER_SECONDS if self.timed else 1.0)

    def seconds(self, tick: int) -> float:
        """Seconds at a tick."""
        if self.timed:
            return tick / self._ticks
        place = bisect_right(self._starts, tick) - 1
        start, length = self.tempi[place]
        return self._seconds[place] + (tick - start) / self._ticks * length


class _Notes:
    """The notes of all tracks, bounded in number and time."""

    def __init__(self, clock: _Clock, remarks: dict[str, None]) -> None:
        self.clock, self.remarks = clock, remarks
        self.left = MAX_NOTES

    def of_track(self, events: Iterable[Event], end: int) -> Iterator[MidiTrack]:
        """A track's notes, apart by channel and program; what is never released sounds to its `end`."""
        name, programs = "", [0] * 16
        open_notes: dict[tuple[int, int], list[tuple[int, int]]] = {}  # (channel, pitch) -> (tick, program)
        found: dict[tuple[int, int], list[MidiNote]] = {}  # (channel, program) -> notes
        unreleased = 0
        for event in events:
            kind, channel = event.status & 0xF0, event.status & 0x0F
            if event.status == META:
                if event.meta == _NAME and not name:
                    name = _text(event.data)
            elif kind == 0xC0:
                programs[channel] = event.data[0]
            elif kind == 0x90 and event.data[1] > 0:
                key = channel, event.data[0]
                open_notes.setdefault(key, []).append((event.tick, programs[channel]))
            elif kind in (0x80, 0x90):
                key = channel, event.data[0]
                for tick, program in _released(open_notes, key, event.tick):
                    self._add(found, key, program, tick, event.tick)
        for key, waiting in open_notes.items():
            unreleased += len(waiting) * (key[0] != DRUM_CHANNEL)
            for tick, program in waiting:
                self._add(found, key, program, tick, max(tick, end))
        if unreleased:
            self.remarks["notes that are never released sound to the end of their track"] = None
        for (channel, program), notes in found.items():
            notes.sort(key=lambda note: (note.start, note.pitch))
            yield MidiTrack(name, program, channel == DRUM_CHANNEL, tuple(notes))

    def _add(
        self,
        found: dict[tuple[int, int], list[MidiNote]],
        key: tuple[int, int],
        program: int,
        tick: int,
        end: int,
    ) -> None:
        start, at = self.clock.seconds(tick), self.clock.quarters(tick)
        if start > MAX_SECONDS or at > MAX_QUARTERS or self.left <= 0:
            self.remarks["it is longer than a song can be: what comes late is left out"] = None
            return
        self.left -= 1
        if end <= tick and key[0] != DRUM_CHANNEL:
            self.remarks["notes without a length are a sixteenth long"] = None
            end = tick + max(1, self.clock.ticks(0.25))
        until = min(self.clock.quarters(end), MAX_QUARTERS + 1)
        stop = min(self.clock.seconds(end), MAX_SECONDS + 1)
        found.setdefault((key[0], program), []).append(MidiNote(start, max(start, stop), at, until, key[1]))


def _released(
    sounding: dict[tuple[int, int], list[tuple[int, int]]], key: tuple[int, int], tick: int
) -> list[tuple[int, int]]:
    """Takes out the notes of a key that end at a tick: those that began before, or then."""
    waiting = sounding.pop(key, [])
    ending = [note for note in waiting if note[0] < tick] or waiting
    if len(ending) < len(waiting):
        sounding[key] = [note for note in waiting if note[0] >= tick]
    return ending


def _tempi(events: Iterable[Event], remarks: dict[str, None]) -> list[tuple[int, float]]:
    """Ticks and seconds a quarter of all tracks together, in order; of several at one tick the last."""
    found: dict[int, float] = {}
    for event in sorted(_of_type(events, _TEMPO), key=lambda event: event.tick):
        microseconds = int.from_bytes(event.data, "big") if len(event.data) == 3 else 0
        if microseconds:
            found[event.tick] = microseconds / 1e6
        else:
            remarks["a tempo that says nothing is left out"] = None
    return list(found.items())


def _metres(events: Iterable[Event], clock: _Clock, remarks: dict[str, None]) -> tuple[Metre, ...]:
    """All tracks' time signatures in order; of several at one tick the last."""
    found: dict[int, Metre] = {}
    for event in sorted(_of_type(events, _METRE), key=lambda event: event.tick):
        over, power = (*event.data[:2], 0, 0)[:2]
        if len(event.data) >= 2 and over > 0 and power <= 6:
            found[event.tick] = Metre(clock.quarters(event.tick), over, 1 << power)
        else:
            remarks["a time signature that says nothing is left out"] = None
    return () if clock.timed else tuple(found.values())


def _of_type(events: Iterable[Event], kind: int) -> Iterator[Event]:
    return (event for event in events if event.meta == kind)


def _stamp(events: Iterable[Event]) -> Grid | None:
    """The grid that Inlay has written into a file of its own."""
    for event in _of_type(events, _OWN):
        if not event.data.startswith(STAMP):
            continue
        words = event.data.removeprefix(STAMP).decode("ascii", "replace").split()
        try:
            return Grid(float(words[0]), int(words[1]), float(words[2]))
        except (ValueError, IndexError):
            return None
    return None


def _text(data: bytes) -> str:
    """The words of a meta event; the standard names no encoding."""
    try:
        text = data[:200].decode("utf-8")
    except UnicodeDecodeError:
        text = data[:200].decode("latin-1")
    return " ".join("".join(char if char.isprintable() else " " for char in text).split())
