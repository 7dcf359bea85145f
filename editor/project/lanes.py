"""Lane values: chord cells, melody notes and drum hits; palette; MIDI in and out (`band`: who plays).

Conventions: lane times are beats on the project's grid, controls and MIDI files are seconds.
Chord cells never overlap and stay sorted; so do melody notes (one voice). Pure functions on
frozen values: knows neither the project's history nor audio, and loads no torch.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from heapq import heappop, heappush
from itertools import pairwise
from pathlib import Path
from typing import Any, Protocol, TypeVar

from editor.project.document import LANE_ITEMS, ChordCell, LaneHit, LaneItem, LaneNote, LanePart, Lanes
from engines.audio.timebase import Grid
from engines.errors import InputError
from engines.music.chords import ROOTS, bass, pitch_classes
from engines.music.instruments import DRUMS_ROW, FAMILIES, INSTRUMENTS, ROWS
from engines.music.midi import MidiFile, MidiNote, MidiTrack, read_midi
from engines.music.midi_writing import WrittenTrack, midi_bytes
from engines.requests import DRUMS, MELODY_HIGH, MELODY_LOW, Chord, Controls, Hit, Note, Part

LANE_NAMES: tuple[str, ...] = tuple(LANE_ITEMS)
SHORTEST = 1 / 16  # beats; what a cut leaves shorter than this vanishes
MAX_OBJECTS = 2000  # per lane

_MAJOR = (
    (0, "", "I"),
    (2, "m", "ii"),
    (4, "m", "iii"),
    (5, "", "IV"),
    (7, "", "V"),
    (9, "m", "vi"),
    (11, "dim", "vii°"),
)
_MINOR = (
    (0, "m", "i"),
    (2, "dim", "ii°"),
    (3, "", "III"),
    (5, "m", "iv"),
    (7, "m", "v"),
    (8, "", "VI"),
    (10, "", "VII"),
)
_LETTERS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}

# General MIDI percussion keys -> our five drums; what is missing here (shakers, bells, effects) is dropped
GM_DRUMS: dict[int, str] = {
    **dict.fromkeys((35, 36), "kick"),
    **dict.fromkeys((37, 38, 39, 40), "snare"),
    **dict.fromkeys((42, 44, 46, 22, 26), "hat"),  # 22, 26: edge hits of e-drum kits
    **dict.fromkeys((41, 43, 45, 47, 48, 50, 58), "tom"),
    **dict.fromkeys((49, 51, 52, 53, 55, 57, 59), "cymbal"),
}
DRUM_TO_GM = {"kick": 36, "snare": 38, "hat": 42, "tom": 45, "cymbal": 49}
HIT_SECONDS = 0.05  # length of a written drum note
PLAYER = "Band: "  # begins the name of a track that says only when a player plays
_NO_DRUM = 0  # a key of channel 10 that no kit sounds
_SHORTEST_NOTE = 0.02  # seconds; a shorter scrap of a skyline is not a note that anyone hears


@dataclass(frozen=True)
class PaletteChord:
    """One button of the chord palette."""

    symbol: str  # in the model's spelling
    roman: str  # degree in the key


class _Cell(Protocol):
    """What chord cells and notes share."""

    @property
    def id(self) -> str: ...
    @property
    def start(self) -> float: ...
    @property
    def end(self) -> float: ...


AnyCell = TypeVar("AnyCell", ChordCell, LaneNote, LanePart)


def palette(key: str = "C") -> tuple[PaletteChord, ...]:
    """The seven triads of a key, tonic first. `key` is "C", "F#", "Bbm" ...; InputError otherwise."""
    minor = key.endswith("m")
    name = key[:-1] if minor else key
    if not name or name[0] not in _LETTERS or name[1:] not in ("", "#", "b"):
        raise InputError(f"key {key[:20]!r}: expected A-G with # or b, then m for minor, as in F#m")
    tonic = _LETTERS[name[0]] + {"": 0, "#": 1, "b": -1}[name[1:]]
    degrees = _MINOR if minor else _MAJOR
    return tuple(
        PaletteChord(ROOTS[(tonic + step) % 12] + quality, roman) for step, quality, roman in degrees
    )


def fresh_id(prefix: str, taken: Iterable[str]) -> str:
    """The first of prefix1, prefix2 ... that is not taken."""
    known = set(taken)
    number = len(known) + 1
    while f"{prefix}{number}" in known:
        number += 1
    return f"{prefix}{number}"


def without(cells: Sequence[AnyCell], identifier: str) -> tuple[AnyCell, ...]:
    """The lane without the cell of that id."""
    return tuple(cell for cell in cells if cell.id != identifier)


def place(cells: Sequence[AnyCell], cell: AnyCell) -> tuple[AnyCell, ...]:
    """The lane with `cell` on it, sorted: it replaces a cell of its id and cuts what it covers.

    A longer cell that it falls into is split: its left part keeps the id, its right part gets a new one.
    """
    others = without(cells, cell.id)
    kept: list[AnyCell] = []
    taken = {other.id for other in others} | {cell.id}
    for other in others:
        if other.end <= cell.start or other.start >= cell.end:
            kept.append(other)  # does not touch it: even the shortest stays as it is
            continue
        left = replace(other, end=min(other.end, cell.start))
        right = replace(other, start=max(other.start, cell.end))
        parts = [part for part in (left, right) if part.end - part.start >= SHORTEST]
        if len(parts) == 2:
            prefix = other.id.rstrip("0123456789") or "c"
            parts[1] = replace(right, id=fresh_id(prefix, taken))
            taken.add(parts[1].id)
        kept.extend(parts)
    kept.append(cell)
    return tuple(sorted(kept, key=lambda item: item.start))


def place_all(cells: Iterable[AnyCell]) -> tuple[AnyCell, ...]:
    """A lane from cells in any order: later ones in the sequence cut earlier ones."""
    given = tuple(cells)
    ordered = tuple(sorted(given, key=lambda cell: cell.start))
    if all(a.end <= b.start for a, b in pairwise(ordered)):
        return ordered
    lane: tuple[AnyCell, ...] = ()
    for cell in given:
        lane = place(lane, cell)
    return lane


def in_order(hits: Iterable[LaneHit]) -> tuple[LaneHit, ...]:
    """A drum lane from hits in any order: sorted; of two hits of one drum at one time the first stays."""
    lane: dict[tuple[float, str], LaneHit] = {}
    for hit in hits:
        lane.setdefault((round(hit.time, 4), hit.drum), hit)
    return tuple(sorted(lane.values(), key=lambda hit: (hit.time, hit.drum)))


def to_controls(lanes: Lanes, grid: Grid, follow: Sequence[str], anew: bool = True) -> Controls:
    """The lanes that a run follows, in seconds on the clip's clock.

    A lane that is empty or not in `follow` is not given. What lies before 0 s is cut; notes outside
    the models' range move by octaves into it. Of the band lane only what someone asked for is given: the
    models hear for themselves who plays around a span. What a MIDI file has is asked of a clip that is made
    `anew`; of a span it says what is there already.
    """
    chords = melody = drums = parts = None
    if "chords" in follow and lanes.chords:
        spans = ((*_clipped(cell, grid), cell.symbol) for cell in lanes.chords)
        chords = tuple(Chord(start, end, symbol) for start, end, symbol in spans if end > start)
    if "melody" in follow and lanes.melody:
        tones = ((*_clipped(note, grid), note.pitch) for note in lanes.melody)
        melody = tuple(Note(start, end, in_range(pitch)) for start, end, pitch in tones if end > start)
    if "drums" in follow and lanes.drums:
        hits = ((grid.beats_to_seconds(hit.time), hit.drum) for hit in lanes.drums)
        drums = tuple(Hit(time, drum) for time, drum in sorted(hits) if time >= 0)
    if "band" in follow:
        meant = (part for part in lanes.band if part.asked or (anew and part.by == "midi"))
        asked = ((*_clipped(p, grid), p.instrument, p.plays) for p in meant)
        parts = tuple(Part(start, end, name, plays) for start, end, name, plays in asked if end > start)
    return Controls(chords or None, melody or None, drums or None, parts or None)


def shifted(lanes: Lanes, beats: float) -> Lanes:
    """The lanes so many beats later."""
    return Lanes(**{name: tuple(_later(x, beats) for x in getattr(lanes, name)) for name in LANE_NAMES})


def _later(item: LaneItem, beats: float) -> Any:
    if isinstance(item, LaneHit):
        return replace(item, time=item.time + beats)
    return replace(item, start=item.start + beats, end=item.end + beats)


def in_range(pitch: int) -> int:
    """The nearest octave of a MIDI pitch that the models know (MELODY_LOW..MELODY_HIGH)."""
    while pitch < MELODY_LOW:
        pitch += 12
    while pitch > MELODY_HIGH:
        pitch -= 12
    return pitch


def chords_to_lane(chords: Sequence[Chord], grid: Grid) -> tuple[ChordCell, ...]:
    """Chords in seconds -> cells in beats, with ids c1, c2 ...; `N` is an empty place."""
    named = (chord for chord in chords if chord.symbol != "N")
    return tuple(
        ChordCell(f"c{i}", grid.seconds_to_beats(c.start), grid.seconds_to_beats(c.end), c.symbol)
        for i, c in enumerate(named, 1)
        if grid.seconds_to_beats(c.end) - grid.seconds_to_beats(c.start) >= SHORTEST
    )[:MAX_OBJECTS]


def notes_to_lane(notes: Sequence[Note], grid: Grid) -> tuple[LaneNote, ...]:
    """Notes in seconds -> notes in beats, none shorter than the lane can hold, with ids n1, n2 ..."""
    beats = [(grid.seconds_to_beats(note.start), grid.seconds_to_beats(note.end)) for note in notes]
    return tuple(
        LaneNote(f"n{i}", start, max(end, start + SHORTEST), note.pitch)
        for i, ((start, end), note) in enumerate(zip(beats, notes, strict=True), 1)
    )


def hits_to_lane(hits: Sequence[Hit], grid: Grid) -> tuple[LaneHit, ...]:
    """Hits in seconds -> hits in beats, with ids h1, h2 ..."""
    return tuple(LaneHit(f"h{i}", grid.seconds_to_beats(hit.time), hit.drum) for i, hit in enumerate(hits, 1))


def melody_from_midi(path: str | os.PathLike[str]) -> tuple[Note, ...]:
    """The melody of a MIDI file, one voice, in seconds.

    Takes the track whose name says so, else the highest pitched one; where notes sound together the
    highest wins (skyline). InputError when the file is not MIDI or holds no pitched note.
    """
    track = melody_track(read_midi(path))
    if track is None:
        raise InputError(f"{Path(path).name}: no melody notes; save the melody on a channel other than 10")
    return skyline([Note(note.start, note.end, note.pitch) for note in track.notes])


def melody_track(midi: MidiFile) -> MidiTrack | None:
    """The track of a MIDI file that is its melody; None where no pitched note is."""
    tracks = [track for track in sounding(midi) if not track.is_drum]
    tracks = [track for track in tracks if track.name.lower() != "chords"] or tracks

    def rank(track: MidiTrack) -> tuple[bool, float]:
        named = any(word in track.name.lower() for word in ("melod", "lead", "vocal", "voice"))
        return named, sum(note.pitch for note in track.notes) / len(track.notes)

    return max(tracks, key=rank, default=None)


def drums_from_midi(path: str | os.PathLike[str]) -> tuple[Hit, ...]:
    """The drum hits of a MIDI file in seconds (General MIDI keys on channel 10), sorted.

    A file whose only track is not on channel 10 is read as drums, too: many drum loops are saved so.
    """
    hits = hits_at([(note.start, note.pitch) for note in drum_notes(read_midi(path))])
    if not hits:
        raise InputError(f"{Path(path).name}: no drum hits; save them on channel 10 with General MIDI keys")
    return hits


def drum_notes(midi: MidiFile) -> list[MidiNote]:
    """The notes of a MIDI file that are drums; those of its only track where channel 10 is silent."""
    music = sounding(midi)
    tracks = [track for track in music if track.is_drum] or (music if len(music) == 1 else [])
    return [note for track in tracks for note in track.notes]


def hits_at(struck: Iterable[tuple[float, int]]) -> tuple[Hit, ...]:
    """Times and General MIDI keys -> hits in order; keys that are none of our five drums are left out."""
    known = {(time, GM_DRUMS[key]) for time, key in struck if key in GM_DRUMS}
    return tuple(Hit(time, drum) for time, drum in sorted(known)[:MAX_OBJECTS])


def write_midi(path: str | os.PathLike[str], lanes: Lanes, grid: Grid) -> None:
    """Write the lanes as a MIDI file: tracks "Melody" and "Chords", "Drums" on channel 10, one a player.

    Its bars are the grid's, its seconds the clip's. A player's track, "Band: flute", has its General MIDI
    program and one inaudible note wherever it plays. MIDI knows no word for who is asked to be absent, so
    that is not in it.
    """
    melody = [(*_clipped(note, grid), note.pitch, 96) for note in lanes.melody]
    chords: list[tuple[float, float, int, int]] = []
    for cell in lanes.chords:
        chords += [(*_clipped(cell, grid), pitch, 72) for pitch in chord_voices(cell.symbol)]
    times = [(grid.beats_to_seconds(hit.time), DRUM_TO_GM[hit.drum]) for hit in lanes.drums]
    drums = [(time, time + HIT_SECONDS, key, 96) for time, key in times if time >= 0]
    tracks = (
        WrittenTrack("Melody", 0, False, melody),
        WrittenTrack("Chords", 0, False, chords),
        WrittenTrack("Drums", 0, True, drums),
        *_players(lanes, grid),
    )
    heard = [replace(track, notes=[note for note in track.notes if note[1] > note[0]]) for track in tracks]
    Path(path).write_bytes(midi_bytes([track for track in heard if track.notes], grid))


def chord_voices(symbol: str) -> tuple[int, ...]:
    """The MIDI pitches that a chord is written with: its bass and a close position; none of `N`."""
    low = bass(symbol)
    return () if low is None else (36 + low, *(60 + pitch for pitch in pitch_classes(symbol)))


def sounding(midi: MidiFile) -> list[MidiTrack]:
    """The tracks of a MIDI file that are music: not those that only say who plays."""
    return [track for track in midi.tracks if player_of(track.name) is None]


def player_of(track: str) -> str | None:
    """The row of the band lane that a track of `write_midi` stands for; None of any other track."""
    name = track.removeprefix(PLAYER)
    return name if name != track and name in ROWS else None


def _players(lanes: Lanes, grid: Grid) -> list[WrittenTrack]:
    """A track for each row of the band lane that plays."""
    notes: dict[str, list[tuple[float, float, int, int]]] = {}
    for part in lanes.band:
        if part.plays and part.instrument in ROWS:
            pitch = _NO_DRUM if part.instrument == DRUMS_ROW else 60
            notes.setdefault(part.instrument, []).append((*_clipped(part, grid), pitch, 1))
    programs = {name: INSTRUMENTS[name][0] for name in notes if name in INSTRUMENTS}
    programs |= {name: FAMILIES[name] * 8 for name in notes if name in FAMILIES}
    return [
        WrittenTrack(PLAYER + name, programs.get(name, 0), name == DRUMS_ROW, played)
        for name, played in notes.items()
    ]


def skyline(notes: Sequence[Note]) -> tuple[Note, ...]:
    """One voice: at every moment the highest sounding note; the latest one where two share a pitch."""
    edges = sorted({time for note in notes for time in (note.start, note.end)})
    waiting = sorted((note for note in notes if note.end > note.start), key=lambda note: note.start)
    sounding: list[tuple[int, float, float]] = []  # heap of (-pitch, -start, end)
    voice: list[Note] = []
    on: tuple[int, float, float] | None = None  # the entry that the last note of `voice` came from
    first = 0
    for start, end in pairwise(edges):
        while first < len(waiting) and waiting[first].start <= start:
            note = waiting[first]
            heappush(sounding, (-note.pitch, -note.start, note.end))
            first += 1
        while sounding and sounding[0][2] <= start:
            heappop(sounding)
        if not sounding:
            on = None
        elif on is sounding[0]:
            voice[-1] = replace(voice[-1], end=end)
        else:
            on = sounding[0]
            voice.append(Note(start, end, -on[0]))
    heard = [note for note in voice if note.end - note.start >= _SHORTEST_NOTE]
    return tuple(replace(note, pitch=in_range(note.pitch)) for note in heard[:MAX_OBJECTS])


def _clipped(cell: _Cell, grid: Grid) -> tuple[float, float]:
    """Start and end of a cell in seconds, not before the clip begins."""
    return max(0.0, grid.beats_to_seconds(cell.start)), max(0.0, grid.beats_to_seconds(cell.end))


assert set(DRUM_TO_GM) == set(DRUMS)
