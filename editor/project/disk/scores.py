"""Score files -> scores: MIDI is read here, MusicXML by `sheets`; each with tempo, metre and first bar.

A score's melody is its named or highest part, its chords are its chord symbols or, where it has none, what
the notes of each half bar spell; its drums are channel 10 or unpitched notes; who plays is read from the
General MIDI programs. Times in seconds from the score's beginning on its grid, at one tempo: where a score
changes its own, its bars stay the grid's. Repeats are not played. Knows neither audio nor projects.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from editor.project import band, lanes
from editor.project.disk import sheets
from editor.project.harmony import chords_of_notes
from editor.project.score import Score, told
from engines.audio.timebase import Grid
from engines.errors import InputError
from engines.music import metre
from engines.music.midi import MidiFile, MidiNote, read_midi
from engines.requests import Hit, Note, Part

MIDI_SUFFIXES = (".mid", ".midi", ".kar", ".rmi")
SUFFIXES = (*MIDI_SUFFIXES, ".musicxml", ".xml", ".mxl")
_STAMP_SECONDS = 0.005  # what a file's first bar may miss that of the grid which Inlay wrote into it


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
    score = _midi(path, lane) if suffix in MIDI_SUFFIXES else sheets.read_sheet(path)
    wanted = {"melody": score.melody, "drums": score.drums}.get(
        lane, score.chords or score.melody or score.drums or score.band
    )
    if not wanted:
        what = {"melody": "melody notes", "drums": "drum hits"}.get(lane, "notes, chords or drums")
        raise InputError(f"{name}: no {what} in it; export it again with its parts")
    return score


# ---- MIDI


def _midi(path: str | os.PathLike[str], lane: str) -> Score:
    midi = read_midi(path)
    grid, place, counted = _laid(midi)
    music = lanes.sounding(midi)
    pitched = [track for track in music if not track.is_drum]

    def notes_of(notes: Iterable[MidiNote]) -> list[Note]:
        spans = ((*place(note), note.pitch) for note in notes)
        return [Note(start, end, pitch) for start, end, pitch in spans if end > start]

    melody: tuple[Note, ...] = ()
    track = lanes.melody_track(midi)
    only_chords = bool(pitched) and all(track.name.lower() == "chords" for track in pitched)
    if track is not None and (lane == "melody" or not only_chords):
        melody = lanes.skyline(notes_of(track.notes))
    drums: tuple[Hit, ...] = ()
    if lane == "drums" or any(track.is_drum for track in music):
        drums = lanes.hits_at([(place(note)[0], note.pitch) for note in lanes.drum_notes(midi)])
    named = [track for track in pitched if "chord" in track.name.lower()] or pitched
    chords = chords_of_notes(notes_of(note for track in named for note in track.notes), grid)
    inferred = "chords are inferred from the notes" if chords else ""
    plays = () if lane else _midi_band(midi, place)
    note = told([inferred, *midi.remarks, *counted])
    return Score(chords, melody, drums, grid.bpm, grid.beats_per_bar, note, plays, grid.offset, midi.timed)


Place = Callable[[MidiNote], tuple[float, float]]  # a note's start and end in seconds on the score's grid


def _laid(midi: MidiFile) -> tuple[Grid, Place, list[str]]:
    """The grid of a MIDI file, where a note lies on it in seconds, and what the grid does not follow."""
    if midi.timed:
        return Grid(), lambda note: (note.start, note.end), []
    kept, first_bar = metre.first_bar(midi.metres)
    begins = min((note.at for track in midi.tracks for note in track.notes), default=0.0)
    after = max(first_bar, begins)
    tempo = next((t for at, t in reversed(midi.tempi) if at <= after + 1e-6), metre.TEMPO_UNSAID)
    grid = _stamped(midi, kept, first_bar, tempo)
    if grid is not None:
        return grid, _on_stamp(midi, grid, first_bar), []
    counting = metre.counted(kept, tempo, first_bar)
    second = 60 / tempo  # of a quarter
    changed = metre.changes(midi.metres, kept), metre.tempo_changes(midi.tempi, tempo, after)
    return (
        counting.grid(first_bar),
        lambda note: (note.at * second, note.until * second),
        [counting.remark, *changed],
    )


def _stamped(midi: MidiFile, kept: metre.Metre, first_bar: float, tempo: float) -> Grid | None:
    """The grid that Inlay wrote into the file, where tempo and bars are still those of the file."""
    grid = midi.stamp
    if grid is None or (kept.over, kept.under) != (grid.beats_per_bar, 4) or abs(tempo / grid.bpm - 1) > 1e-3:
        return None
    bar = grid.beats_per_bar * grid.seconds_per_beat
    missed = (midi.seconds(first_bar) - grid.offset + bar / 2) % bar - bar / 2
    return grid if abs(missed) < _STAMP_SECONDS else None


def _on_stamp(midi: MidiFile, grid: Grid, first_bar: float) -> Place:
    """Notes of a file that Inlay wrote: its quarters are the grid's beats, but in the pickup."""
    bars = round(grid.seconds_to_beats(midi.seconds(first_bar)) / grid.beats_per_bar)

    def time(quarters: float, seconds: float) -> float:
        beats = quarters - first_bar + bars * grid.beats_per_bar
        return grid.beats_to_seconds(beats) if quarters >= first_bar else seconds

    return lambda note: (time(note.at, note.start), time(note.until, note.end))


def _midi_band(midi: MidiFile, place: Place) -> tuple[Part, ...]:
    """Who plays in a MIDI file: what its player tracks say where Inlay wrote it, else its programs."""
    said = [(track, name) for track in midi.tracks if (name := lanes.player_of(track.name))]
    rest = 0.0 if said else band.REST_SECONDS  # what Inlay wrote is exact
    plays: list[Part] = []
    for track, name in said or [(track, "") for track in midi.tracks]:
        notes = [place(note) for note in track.notes]
        plays += band.of_notes(notes, None if track.is_drum else track.program, name, rest)
    return band.joined(plays)
