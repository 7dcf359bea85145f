"""Scores -> lanes: MIDI files and MusicXML (score-partwise, plain or .mxl), with tempo and signature.

A score's melody is its named or highest part, its chords are its chord symbols or, where it has none, what
the notes of each half bar spell; its drums are channel 10 or unpitched notes; who plays is read from the
General MIDI programs. Times in seconds from the
score's beginning, at its first tempo and signature; repeats are not played. Knows neither audio nor projects.
"""

from __future__ import annotations

import os
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from xml.etree import ElementTree

from editor.project import band, lanes
from editor.project.harmony import chords_of_notes
from engines.audio.timebase import Grid
from engines.music.chords import parse
from engines.requests import Chord, Hit, InputError, Note, Part

if TYPE_CHECKING:
    import pretty_midi

SUFFIXES = (".mid", ".midi", ".musicxml", ".xml", ".mxl")
MAX_BYTES = 32 * 2**20  # of a score's text; larger ones are no lead sheets
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_KINDS = {  # MusicXML's names of chords -> how musicians write them
    "major": "", "minor": "m", "augmented": "aug", "diminished": "dim", "dominant": "7",
    "major-seventh": "maj7", "minor-seventh": "m7", "diminished-seventh": "dim7",
    "augmented-seventh": "7#5", "half-diminished": "m7b5", "major-minor": "mmaj7", "major-sixth": "6",
    "minor-sixth": "m6", "dominant-ninth": "9", "major-ninth": "maj9", "minor-ninth": "m9",
    "dominant-11th": "11", "major-11th": "maj11", "minor-11th": "m11", "dominant-13th": "13",
    "major-13th": "maj13", "minor-13th": "m13", "suspended-second": "sus2", "suspended-fourth": "sus4",
    "power": "5",
}  # fmt: skip
_UNITS = {"whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "16th": 0.25}  # in quarters


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
    name = Path(path).name
    try:
        root = ElementTree.fromstring(_text(path))
    except (ElementTree.ParseError, zipfile.BadZipFile, KeyError, ValueError) as error:
        raise InputError(f"{name}: not MusicXML; export it again as uncompressed MusicXML") from error
    if root.tag != "score-partwise":
        raise InputError(f"{name}: a {root.tag[:40]!r} file; export it as MusicXML (score-partwise)")
    names = {p.get("id"): (p.findtext("part-name") or "") for p in root.iterfind("part-list/score-part")}
    keys = {
        i.get("id"): int(i.findtext("midi-unpitched") or 0) - 1 for i in root.iterfind(".//midi-instrument")
    }
    programs = {
        p.get("id"): int(p.findtext("midi-instrument/midi-program") or 0) - 1  # MusicXML counts from 1
        for p in root.iterfind("part-list/score-part")
    }
    parts = [_part(part, names.get(part.get("id"), ""), keys) for part in root.iterfind("part")]
    quarter = next((p.quarter for p in parts if p.quarter), 120.0)
    over, under = next((p.signature for p in parts if p.signature), (4, 4))
    bpm, bar = _beats(quarter, over, under)
    second = 60.0 / quarter  # seconds a quarter
    both = zip(parts, root.iterfind("part"), strict=True)
    plays = [told for part, one in both for told in _plays(part, programs.get(one.get("id"), -1), second)]
    end = max((p.length for p in parts), default=0.0) * second
    pitched = [p for p in parts if p.notes]
    melody: tuple[Note, ...] = ()
    if pitched:
        part = max(pitched, key=lambda p: (p.leads, sum(n[2] for n in p.notes) / len(p.notes)))
        melody = lanes.skyline([Note(a * second, b * second, pitch) for a, b, pitch in part.notes])
    symbols = next((p.symbols for p in parts if p.symbols), [])
    chords, told = _symbols(symbols, second, end)
    if not symbols:
        notes = [Note(a * second, b * second, pitch) for p in pitched for a, b, pitch in p.notes]
        chords = chords_of_notes(notes, Grid(bpm, bar))
        told = "chords are inferred from the notes" if chords else ""
    hits = sorted({(at * second, drum) for p in parts for at, drum in p.hits})[: lanes.MAX_OBJECTS]
    return Score(chords, melody, tuple(Hit(t, drum) for t, drum in hits), bpm, bar, told, band.joined(plays))


def _plays(part: _Part, program: int, second: float) -> tuple[Part, ...]:
    """Who plays a part when; `second` seconds a quarter. Nothing where the score names no sound for it."""
    struck = band.of_notes([(at * second, at * second) for at, _ in part.hits], None)
    drums = tuple(Part(p.start, max(p.end, p.start + second), p.instrument) for p in struck)
    if not 0 <= program < 128:
        return drums
    return (*drums, *band.of_notes([(a * second, b * second) for a, b, _ in part.notes], program))


def _text(path: str | os.PathLike[str]) -> bytes:
    """The XML of a file, out of its archive if it is one."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as archive:
            inside = [
                n for n in archive.namelist() if n.endswith((".xml", ".musicxml")) and "META-INF" not in n
            ]
            if not inside or archive.getinfo(inside[0]).file_size > MAX_BYTES:
                raise ValueError("no score of a usable size inside")
            return archive.read(inside[0])
    if Path(path).stat().st_size > MAX_BYTES:
        raise ValueError("too large")
    return Path(path).read_bytes()


@dataclass
class _Part:
    """One part while it is read; times in quarters."""

    leads: bool
    notes: list[tuple[float, float, int]]
    hits: list[tuple[float, str]]
    symbols: list[tuple[float, str]]
    length: float = 0.0
    quarter: float = 0.0  # quarters a minute, 0 = not said
    signature: tuple[int, int] | None = None


def _part(element: ElementTree.Element, name: str, keys: dict[str | None, int]) -> _Part:
    leads = any(word in name.lower() for word in ("melod", "lead", "vocal", "voice"))
    part = _Part(leads, [], [], [])
    divisions, bar_start = 1.0, 0.0
    held: dict[tuple[str, int], float] = {}  # (voice, pitch) -> where a tied note began
    for measure in element.iterfind("measure"):
        at = latest = last = bar_start
        for item in measure:
            length = float(item.findtext("duration") or 0.0) / divisions
            if item.tag == "attributes":
                divisions = float(item.findtext("divisions") or divisions) or 1.0
                if part.signature is None and item.find("time/beats") is not None:
                    part.signature = _signature(item)
            elif item.tag == "backup":
                at = max(bar_start, at - length)
            elif item.tag == "forward":
                at += length
            elif item.tag in ("direction", "sound"):
                part.quarter = part.quarter or _tempo(item)
            elif item.tag == "harmony":
                offset = float(item.findtext("offset") or 0.0) / divisions
                symbol = _harmony(item)
                if symbol:
                    part.symbols.append((at + offset, symbol))
            elif item.tag == "note" and item.find("grace") is None:
                start = last if item.find("chord") is not None else at
                if item.find("chord") is None:
                    last, at = at, at + length
                _note(part, item, start, start + length, held, keys)
            latest = max(latest, at)
        bar_start = latest
    part.length = bar_start
    return part


def _note(
    part: _Part,
    item: ElementTree.Element,
    start: float,
    end: float,
    held: dict[tuple[str, int], float],
    keys: dict[str | None, int],
) -> None:
    """One note of a part: tied ones become one, unpitched ones drums."""
    if item.find("unpitched") is not None:
        instrument = item.find("instrument")
        key = keys.get(instrument.get("id") if instrument is not None else None, -1)
        if key in lanes.GM_DRUMS:
            part.hits.append((start, lanes.GM_DRUMS[key]))
        return
    step = item.findtext("pitch/step")
    if step not in _STEPS or end <= start:
        return
    alter = round(float(item.findtext("pitch/alter") or 0))
    pitch = 12 * (int(item.findtext("pitch/octave") or 4) + 1) + _STEPS[step] + alter
    ties = {tie.get("type") for tie in item.iterfind("tie")}
    voice = (item.findtext("voice") or "1", pitch)
    if "stop" in ties and voice in held:
        start = held.pop(voice)
    if "start" in ties:
        held[voice] = start
        return
    if 0 <= pitch <= 127:
        part.notes.append((start, end, pitch))


def _signature(item: ElementTree.Element) -> tuple[int, int]:
    try:
        beats = sum(int(n) for n in (item.findtext("time/beats") or "4").split("+"))
        return beats, int(item.findtext("time/beat-type") or 4)
    except ValueError:
        return 4, 4


def _tempo(item: ElementTree.Element) -> float:
    """Quarters a minute of a direction or sound, 0 when it says nothing of tempo."""
    sound = item if item.tag == "sound" else item.find("sound")
    try:
        if sound is not None and sound.get("tempo"):
            return max(0.0, float(sound.get("tempo") or 0))
        mark = item.find(".//metronome")
        if mark is not None and mark.findtext("per-minute"):
            unit = _UNITS.get(mark.findtext("beat-unit") or "quarter", 1.0)
            return (
                float(mark.findtext("per-minute") or 0)
                * unit
                * (1.5 if mark.find("beat-unit-dot") is not None else 1)
            )
    except ValueError:
        pass
    return 0.0


def _harmony(item: ElementTree.Element) -> str:
    """A chord symbol as musicians write it, "" for one that cannot be read."""
    if item.findtext("kind") == "none":
        return "N"
    step = item.findtext("root/root-step")
    if step not in _STEPS:
        return ""
    kind = item.findtext("kind") or "major"
    symbol = _altered(step, item.findtext("root/root-alter")) + _KINDS.get(kind, "")
    bass = item.findtext("bass/bass-step")
    return symbol + (
        "/" + _altered(bass, item.findtext("bass/bass-alter")) if bass in _STEPS and bass else ""
    )


def _altered(step: str, alter: str | None) -> str:
    bend = round(float(alter or 0))
    return step + ("#" * bend if bend > 0 else "b" * -bend)


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
