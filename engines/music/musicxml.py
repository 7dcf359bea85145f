"""MusicXML, plain or compressed: notes, hits, chord symbols, metre, key and tempo as they are written.

Reads score-partwise. Times are quarters from the score's beginning; repeats are not played; tied notes are
one note. Tolerant of what is missing, but entities are refused and sizes are bounded, since files come from
anywhere. Does not know seconds, beats, lanes or the models' chord vocabulary.
"""

from __future__ import annotations

import math
import os
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from xml.etree import ElementTree
from xml.parsers import expat

from engines.errors import InputError

SUFFIXES: Final = (".musicxml", ".xml", ".mxl")
MAX_BYTES: Final = 32 * 2**20  # of a score's text; larger ones are no lead sheets
MAX_ELEMENTS: Final = 1_500_000
KINDS: Final = {  # MusicXML's names of chords -> how musicians write them
    "major": "", "minor": "m", "augmented": "aug", "diminished": "dim", "dominant": "7",
    "major-seventh": "maj7", "minor-seventh": "m7", "diminished-seventh": "dim7",
    "augmented-seventh": "7#5", "half-diminished": "m7b5", "major-minor": "mmaj7", "major-sixth": "6",
    "minor-sixth": "m6", "dominant-ninth": "9", "major-ninth": "maj9", "minor-ninth": "m9",
    "dominant-11th": "11", "major-11th": "maj11", "minor-11th": "m11", "dominant-13th": "13",
    "major-13th": "maj13", "minor-13th": "m13", "suspended-second": "sus2", "suspended-fourth": "sus4",
    "power": "5",
    "augmented-ninth": "aug", "maj69": "6", "minor-major": "mmaj7",  # not in the standard, but in files
}  # fmt: skip
_STEPS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_UNITS: Final = {"whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "16th": 0.25}  # in quarters


@dataclass(frozen=True)
class WrittenNote:
    """One note, with what is tied to it."""

    at: float  # quarters
    length: float  # quarters
    pitch: int  # MIDI
    voice: str
    chord: bool = False  # whether it sounds with the note before


@dataclass(frozen=True)
class WrittenHit:
    """One unpitched note."""

    at: float  # quarters
    key: int  # General MIDI percussion, -1 = the score does not say


@dataclass(frozen=True)
class ChordSymbol:
    """One chord symbol; it lasts until the next."""

    at: float  # quarters
    kind: str  # MusicXML's name: "minor-seventh"; "none" where no chord is meant; "" = not said
    root: str = ""  # "C#"; "" = the score does not say
    bass: str = ""  # "E"; "" = the root

    @property
    def written(self) -> str:
        """As musicians write it: "N" for no chord, "" for one without a root, unknown kinds as major."""
        if self.kind == "none":
            return "N"
        over = f"/{self.bass}" if self.bass else ""
        return f"{self.root}{KINDS.get(self.kind, '')}{over}" if self.root else ""


@dataclass(frozen=True)
class Measure:
    """One bar, as long as what is in it."""

    at: float  # quarters
    length: float  # quarters
    metre: tuple[str, str] | None  # beats and their unit as written, in force at its end: ("6", "8")


@dataclass
class Part:
    """One part, in the order of the score."""

    name: str
    program: int = -1  # General MIDI, 0-based; -1 = not said
    notes: list[WrittenNote] = field(default_factory=list)
    hits: list[WrittenHit] = field(default_factory=list)
    symbols: list[ChordSymbol] = field(default_factory=list)
    measures: list[Measure] = field(default_factory=list)
    metres: list[tuple[str, str]] = field(default_factory=list)  # each as it is set
    keys: list[tuple[int, str]] = field(default_factory=list)  # fifths and mode, each as it is set
    quarters_a_minute: float = 0.0  # the first tempo; 0 = not said

    @property
    def length(self) -> float:
        """Quarters."""
        return self.measures[-1].at + self.measures[-1].length if self.measures else 0.0


def read_musicxml(path: str | os.PathLike[str]) -> list[Part]:
    """The parts of a file. InputError, in one line, where it is none that can be read."""
    name = Path(path).name
    try:
        root = _tree(_text(path))
        if root.tag != "score-partwise":
            raise InputError(f"{name}: a {root.tag[:40]!r} file; export it as MusicXML (score-partwise)")
        return _parts(root)
    except (expat.ExpatError, zipfile.BadZipFile, KeyError, ValueError, OverflowError, RuntimeError) as error:
        if isinstance(error, InputError):
            raise
        raise InputError(f"{name}: not MusicXML; export it again as uncompressed MusicXML") from error


def signature(metre: tuple[str, str]) -> tuple[int, int]:
    """A metre in numbers, sums added up: ("3+2", "8") is 5, 8; 4, 4 for what says nothing."""
    try:
        return sum(int(n) for n in metre[0].split("+")), int(metre[1])
    except ValueError:
        return 4, 4


def _text(path: str | os.PathLike[str]) -> bytes:
    """The XML of a file, out of its archive if it is one."""
    if not zipfile.is_zipfile(path):
        with Path(path).open("rb") as file:
            return _bounded(file.read(MAX_BYTES + 1))
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if n.endswith((".xml", ".musicxml")) and "META-INF" not in n]
        if not names:
            raise ValueError("no score inside")
        with archive.open(names[0]) as file:  # the size that an archive tells may be wrong
            return _bounded(file.read(MAX_BYTES + 1))


def _bounded(text: bytes) -> bytes:
    if len(text) > MAX_BYTES:
        raise ValueError("too large")
    return text


def _tree(text: bytes) -> ElementTree.Element:
    """The elements of a text. A DTD may be named, as MusicXML does; entities may not be declared."""
    builder, parser, count = ElementTree.TreeBuilder(), expat.ParserCreate(), 0

    def begin(tag: str, attributes: dict[str, str]) -> None:
        nonlocal count
        count += 1
        if count > MAX_ELEMENTS:
            raise ValueError("too many elements")
        builder.start(tag, attributes)

    def refuse(*_: object) -> None:
        raise ValueError("entities are not read")

    parser.buffer_text = True
    parser.StartElementHandler = begin
    parser.EndElementHandler = builder.end
    parser.CharacterDataHandler = builder.data
    parser.EntityDeclHandler = refuse
    parser.Parse(text, True)
    return builder.close()


def _number(element: ElementTree.Element, path: str, default: float = 0.0) -> float:
    text = (element.findtext(path) or "").strip()
    number = float(text) if text else default
    if not math.isfinite(number):
        raise ValueError(f"{path}: {text}")
    return number


def _parts(root: ElementTree.Element) -> list[Part]:
    rows = {row.get("id"): row for row in root.iterfind("part-list/score-part")}
    keys = {
        midi.get("id"): int(_number(midi, "midi-unpitched")) - 1
        for midi in root.iterfind(".//midi-instrument")
    }
    parts = []
    for element in root.iterfind("part"):
        row = rows.get(element.get("id"))
        part = Part("" if row is None else row.findtext("part-name") or "")
        if row is not None:
            part.program = int(_number(row, "midi-instrument/midi-program")) - 1  # MusicXML counts from 1
        _Reading(part, keys).read(element)
        parts.append(part)
    return parts


class _Reading:
    """A part while it is read."""

    def __init__(self, part: Part, keys: dict[str | None, int]) -> None:
        self.part, self.keys = part, keys
        self.divisions = 1.0  # of a quarter
        self.bar = 0.0  # quarters
        self.at = self.last = 0.0  # quarters from the bar: of what comes next, of the note before
        self.tied: dict[tuple[str, int], int] = {}  # (voice, pitch) -> place of the note that goes on
        self.latest: dict[str, int] = {}  # voice -> place of its last note

    def read(self, element: ElementTree.Element) -> None:
        """All measures of a part."""
        for measure in element.iterfind("measure"):
            self.at = self.last = latest = 0.0
            for item in measure:
                self._item(item)
                latest = max(latest, self.at)
            metre = self.part.metres[-1] if self.part.metres else None
            self.part.measures.append(Measure(self.bar, latest, metre))
            self.bar += latest

    def _item(self, item: ElementTree.Element) -> None:
        if item.tag == "attributes":
            self._attributes(item)
        elif item.tag == "backup":
            self.at = max(0.0, self.at - self._length(item))
        elif item.tag == "forward":
            self.at += self._length(item)
        elif item.tag in ("direction", "sound"):
            self.part.quarters_a_minute = self.part.quarters_a_minute or _tempo(item)
        elif item.tag == "harmony":
            offset = _number(item, "offset") / self.divisions
            root, bass = _name(item, "root"), _name(item, "bass")
            kind = (item.findtext("kind") or "").strip()
            self.part.symbols.append(ChordSymbol(self.bar + self.at + offset, kind, root, bass))
        elif item.tag == "note" and item.find("grace") is None:
            self._note(item)

    def _length(self, item: ElementTree.Element) -> float:
        return _number(item, "duration") / self.divisions

    def _attributes(self, item: ElementTree.Element) -> None:
        self.divisions = _number(item, "divisions", self.divisions) or 1.0
        if item.find("key") is not None:
            self.part.keys.append((int(_number(item, "key/fifths")), item.findtext("key/mode") or "major"))
        if item.find("time") is not None:
            metre = item.findtext("time/beats") or "", item.findtext("time/beat-type") or ""
            self.part.metres.append(metre)

    def _note(self, item: ElementTree.Element) -> None:
        chord, length = item.find("chord") is not None, self._length(item)
        start = self.bar + (self.last if chord else self.at)
        if not chord:
            self.last, self.at = self.at, self.at + length
        if item.find("unpitched") is not None:
            instrument = item.find("instrument")
            key = self.keys.get(instrument.get("id") if instrument is not None else None, -1)
            self.part.hits.append(WrittenHit(start, key))
            return
        step = item.findtext("pitch/step")
        if step not in _STEPS or length <= 0:
            return
        alter, octave = round(_number(item, "pitch/alter")), int(_number(item, "pitch/octave", 4))
        pitch = 12 * (octave + 1) + _STEPS[step] + alter
        if 0 <= pitch <= 127:
            note = WrittenNote(start, length, pitch, item.findtext("voice") or "1", chord)
            self._tie(note, {tie.get("type") for tie in item.iterfind("tie")})

    def _tie(self, note: WrittenNote, ties: set[str | None]) -> None:
        """Add a note, or lengthen the one that it is tied to."""
        notes, place = self.part.notes, self.tied.pop((note.voice, note.pitch), -1)
        before = self.latest.get(note.voice, -1)
        if "stop" in ties and place < 0 and before >= 0 and notes[before].pitch == note.pitch:
            place = before  # where the tie begins was not written
        if "stop" in ties and place >= 0:
            first = notes[place]
            notes[place] = replace(first, length=note.at + note.length - first.at)
        else:
            place = len(notes)
            notes.append(note)
        self.latest[note.voice] = place
        if "start" in ties:
            self.tied[note.voice, note.pitch] = place


def _name(item: ElementTree.Element, kind: str) -> str:
    """A root or bass as written: "F#", "" where there is none."""
    step = item.findtext(f"{kind}/{kind}-step")
    if step not in _STEPS:
        return ""
    bend = round(_number(item, f"{kind}/{kind}-alter"))
    return step + ("#" * bend if bend > 0 else "b" * -bend)


def _tempo(item: ElementTree.Element) -> float:
    """Quarters a minute of a direction or sound, 0 where it says nothing of tempo."""
    for text, unit in _tempi(item):
        try:
            return max(0.0, float(text) * unit)
        except ValueError:
            continue
    return 0.0


def _tempi(item: ElementTree.Element) -> Iterator[tuple[str, float]]:
    """Each tempo that is written, and quarters a beat of it."""
    sound = item if item.tag == "sound" else item.find("sound")
    if sound is not None and sound.get("tempo"):
        yield sound.get("tempo") or "", 1.0
    mark = item.find(".//metronome")
    if mark is not None and mark.findtext("per-minute"):
        dotted = 1.5 if mark.find("beat-unit-dot") is not None else 1.0
        unit = _UNITS.get(mark.findtext("beat-unit") or "quarter", 1.0)
        yield mark.findtext("per-minute") or "", dotted * unit
