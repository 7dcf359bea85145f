"""Scores -> lanes: MIDI files and MusicXML (score-partwise, plain or .mxl), with tempo and signature.

A score's melody is its named or highest part, its chords are its chord symbols or, where it has none, what
the notes of each half bar spell; its drums are channel 10 or unpitched notes; who plays is read from the
General MIDI programs. Times in seconds from the
score's beginning, at its first tempo and signature; repeats are not played. Knows neither audio nor projects.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from editor.project import band, lanes
from editor.project.harmony import chords_of_notes
from engines.audio.timebase import Grid
from engines.errors import InputError
from engines.music import musicxml
from engines.music.chords import parse
from engines.requests import Chord, Hit, Note, Part

if TYPE_CHECKING:
    import pretty_midi

SUFFIXES = (".mid", ".midi", ".musicxml", ".xml", ".mxl")


@dataclass(frozen=True)
class Score:
    """What a file holds, ready for the lanes. An empty lane was not in the file."""

    chords: tuple[Chord, ...]
    melody: tuple[Note, ...]
    drums: tuple[Hit, ...]
    bpm: float  # beats a minute; a beat of 6/8 is a dotted quarter
    beats_per_bar: int
    note: str = ""  # what was simplified or inferred, for the user
    band: tuple[Part, ...] = ()  # who plays when

    @property
    def grid(self) -> Grid:
        """The beat grid; beat 0 is the score's beginning."""
        return Grid(self.bpm, self.beats_per_bar)


def read_score(path: str | os.PathLike[str], lane: str = "") -> Score:
    """A score from a file. InputError, in one line, when it cannot be read or lacks what `lane` needs.

    `lane` is "melody", "drums", or "" for whatever the file holds.
    """
    name = Path(path).name
    if not Path(path).is_file():
        raise InputError(f"{name}: no such file; check the path")
    suffix = Path(path).suffix.lower()
    if suffix not in SUFFIXES:
        raise InputError(f"{name}: not a score; expected {', '.join(SUFFIXES)}")
    score = _midi(path, lane) if suffix.startswith(".mid") else _musicxml(path)
    wanted = {"melody": score.melody, "drums": score.drums}.get(
        lane, score.chords or score.melody or score.drums or score.band
    )
    if not wanted:
        what = {"melody": "melody notes", "drums": "drum hits"}.get(lane, "notes, chords or drums")
        raise InputError(f"{name}: no {what} in it; export it again with its parts")
    return score


# ---- MIDI


def _midi(path: str | os.PathLike[str], lane: str) -> Score:
    midi = lanes.read_midi(path)
    _, tempi = midi.get_tempo_changes()
    quarter = float(tempi[0]) if len(tempi) else 120.0
    signature = midi.time_signature_changes[0] if midi.time_signature_changes else None
    bpm, bar = _beats(
        quarter, signature.numerator if signature else 4, signature.denominator if signature else 4
    )
    music = lanes.sounding(midi)
    pitched = [track for track in music if not track.is_drum and track.notes]
    melody: tuple[Note, ...] = ()
    if pitched or lane == "melody":
        melody = lanes.melody_from_midi(path)
    drums: tuple[Hit, ...] = ()
    if lane == "drums" or any(track.is_drum and track.notes for track in music):
        drums = lanes.drums_from_midi(path)  # says what is missing, or reads a loop off channel 10
    named = [track for track in pitched if "chord" in track.name.lower()] or pitched
    notes = [Note(float(n.start), float(n.end), int(n.pitch)) for track in named for n in track.notes]
    chords = chords_of_notes(notes, Grid(bpm, bar))
    told = "chords are inferred from the notes" if chords else ""
    if lane != "melody" and pitched and all(track.name.lower() == "chords" for track in pitched):
        melody = ()  # nothing but a chord track
    return Score(chords, melody, drums, bpm, bar, told, () if lane else _midi_band(midi))


def _midi_band(midi: pretty_midi.PrettyMIDI) -> tuple[Part, ...]:
    """Who plays in a MIDI file: what its player tracks say where Inlay wrote it, else its programs."""
    told = [(track, name) for track in midi.instruments if (name := lanes.player_of(track.name))]
    rest = 0.0 if told else band.REST_SECONDS  # what Inlay wrote is exact
    plays: list[Part] = []
    for track, name in told or [(track, "") for track in midi.instruments]:
        program = None if track.is_drum else int(track.program)
        notes = [(float(note.start), float(note.end)) for note in track.notes]
        plays += band.of_notes(notes, program, name, rest)
    return band.joined(plays)


def _beats(quarter: float, over: int, under: int) -> tuple[float, int]:
    """Beats a minute and a bar from quarters a minute and a signature."""
    if under == 8 and over % 3 == 0:
        bpm, bar = quarter * 2 / 3, over // 3
    else:
        bpm, bar = quarter * under / 4, over
    while bpm > 300:
        bpm /= 2
    while bpm < 30:
        bpm *= 2
    return bpm, min(max(bar, 1), 16)


# ---- MusicXML


def _musicxml(path: str | os.PathLike[str]) -> Score:
    parts = musicxml.read_musicxml(path)
    quarter = next((p.quarters_a_minute for p in parts if 1 <= p.quarters_a_minute <= 1000), 120.0)
    over, under = next((musicxml.signature(p.metres[0]) for p in parts if p.metres), (4, 4))
    bpm, bar = _beats(quarter, over, under) if over > 0 and under > 0 else (quarter, 4)
    second = 60.0 / quarter  # seconds a quarter
    plays = [each for part in parts for each in _plays(part, second)]
    end = max((p.length for p in parts), default=0.0) * second
    pitched = [p for p in parts if p.notes]
    melody: tuple[Note, ...] = ()
    if pitched:
        part = max(pitched, key=lambda p: (_leads(p), sum(n.pitch for n in p.notes) / len(p.notes)))
        melody = lanes.skyline(_notes(part, second))
    symbols = next((p.symbols for p in parts if p.symbols), [])
    chords, remark = _symbols([(s.at, s.written) for s in symbols if s.written], second, end)
    if not symbols:
        chords = chords_of_notes([note for p in pitched for note in _notes(p, second)], Grid(bpm, bar))
        remark = "chords are inferred from the notes" if chords else ""
    struck = {
        (h.at * second, lanes.GM_DRUMS[h.key]) for p in parts for h in p.hits if h.key in lanes.GM_DRUMS
    }
    hits = tuple(Hit(time, drum) for time, drum in sorted(struck)[: lanes.MAX_OBJECTS])
    return Score(chords, melody, hits, bpm, bar, remark, band.joined(plays))


def _leads(part: musicxml.Part) -> bool:
    return any(word in part.name.lower() for word in ("melod", "lead", "vocal", "voice"))


def _notes(part: musicxml.Part, second: float) -> list[Note]:
    """The notes of a part; `second` seconds a quarter."""
    return [Note(n.at * second, (n.at + n.length) * second, n.pitch) for n in part.notes]


def _plays(part: musicxml.Part, second: float) -> tuple[Part, ...]:
    """Who plays a part when; `second` seconds a quarter. Nothing where the score names no sound for it."""
    known = [hit for hit in part.hits if hit.key in lanes.GM_DRUMS]
    struck = band.of_notes([(hit.at * second, hit.at * second) for hit in known], None)
    drums = tuple(Part(p.start, max(p.end, p.start + second), p.instrument) for p in struck)
    if not 0 <= part.program < 128:
        return drums
    times = [(note.start, note.end) for note in _notes(part, second)]
    return (*drums, *band.of_notes(times, part.program))


def _symbols(symbols: list[tuple[float, str]], second: float, end: float) -> tuple[tuple[Chord, ...], str]:
    """Chord symbols at quarters -> chords that last until the next, and what was simplified."""
    out: list[Chord] = []
    simplified: dict[str, None] = {}
    ordered = sorted(symbols, key=lambda pair: pair[0])
    stops = [at * second for at, _ in ordered[1:]] + [end] * bool(ordered)
    for (at, written), stop in zip(ordered, stops, strict=True):
        if stop <= at * second:
            continue
        try:
            known = parse(written)
        except InputError:
            continue
        if known.simplified:
            simplified[known.simplified] = None
        out.append(Chord(at * second, stop, known.symbol))
    return tuple(out), "; ".join(list(simplified)[:3])
