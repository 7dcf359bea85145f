"""MusicXML, plain or compressed: notes, hits, chord symbols, metre, key and tempo as they sound.

Reads score-partwise and score-timewise. Times are quarters from the score's beginning; repeats are not
played; tied notes are one note; transposing instruments sound as they do. Tolerant of what is missing, but a
field that is no number where one is needed is refused, entities too, and sizes are bounded, since files come
from anywhere. Does not
know seconds, beats, lanes or the models' chord vocabulary.
"""

from __future__ import annotations

import os
import zipfile
import zlib
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Final
from xml.etree import ElementTree
from xml.parsers import expat

from engines.errors import InputError
from engines.music.mxl import MAX_BYTES, MAX_ELEMENTS, score_text, tree
from engines.music.percussion import Kit
from engines.music.symbols import KINDS, ChordSymbol, Degree, of_degree, of_numeral, transposed
from engines.music.tempo_marks import tempo_of
from engines.music.xml_fields import name_of, number, signature, whole, written_metre

SUFFIXES: Final = (".musicxml", ".xml", ".mxl")
MAX_QUARTERS: Final = 20_000.0  # of a score; longer ones are damaged
MAX_BARS: Final = 10_000
_STEPS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_TIE_QUARTERS: Final = 0.05  # what a tied note may begin after the one before it ends
_UNREADABLE: Final = (
    expat.ExpatError, zipfile.BadZipFile, zlib.error, LookupError, ValueError, OverflowError, RuntimeError,
    EOFError, OSError,
)  # fmt: skip
__all__ = ["KINDS", "ChordSymbol", "Degree", "Measure", "Part", "read_musicxml", "signature"]


@dataclass(frozen=True)
class WrittenNote:
    """One note, with what is tied to it."""

    at: float  # quarters
    length: float  # quarters
    pitch: int  # MIDI, as it sounds
    voice: str
    chord: bool = False  # whether it sounds with the note before


@dataclass(frozen=True)
class WrittenHit:
    """One unpitched note."""

    at: float  # quarters
    key: int  # General MIDI percussion, -1 = the score does not say


@dataclass(frozen=True)
class Measure:
    """One bar, as long as what is in it."""

    at: float  # quarters
    length: float  # quarters
    metre: tuple[str, str] | None  # beats and their unit as written, in force at its end: ("6", "8")
    implicit: bool = False  # a pickup, or the rest of a bar that was begun before


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
    tempi: list[tuple[float, float]] = field(default_factory=list)  # (quarters, quarters a minute)
    remarks: dict[str, None] = field(default_factory=dict)  # what was dropped or guessed, for the user

    @property
    def quarters_a_minute(self) -> float:
        """The first tempo; 0 = not said."""
        return self.tempi[0][1] if self.tempi else 0.0

    @property
    def length(self) -> float:
        """Quarters."""
        return self.measures[-1].at + self.measures[-1].length if self.measures else 0.0


def read_musicxml(path: str | os.PathLike[str]) -> list[Part]:
    """The parts of a file. InputError, in one line, where it is none that can be read."""
    name = Path(path).name
    try:
        root = tree(score_text(path, MAX_BYTES), MAX_ELEMENTS)
        if root.tag == "score-timewise":
            root = _partwise(root)
        if root.tag != "score-partwise":
            raise InputError(f"{name}: a {root.tag[:40]!r} file; export it as MusicXML (score-partwise)")
        return _parts(root)
    except _UNREADABLE as error:
        if isinstance(error, InputError):
            raise
        said = str(error) if type(error) is ValueError and "\n" not in str(error) else ""
        why = f" that can be read ({said[:60]})" if said else ""
        raise InputError(f"{name}: not MusicXML{why}; export it again as uncompressed MusicXML") from error


def _partwise(timewise: ElementTree.Element) -> ElementTree.Element:
    """A score of bars that hold parts, turned over: parts that hold bars."""
    score = ElementTree.Element("score-partwise")
    score.extend([child for child in timewise if child.tag != "measure"])
    parts: dict[str, ElementTree.Element] = {}
    for index, measure in enumerate(timewise.iterfind("measure")):
        for part in measure.iterfind("part"):
            name = part.get("id") or ""
            own = parts.setdefault(name, ElementTree.Element("part", {"id": name}))
            while len(own) < index:  # it was not written in the bars before
                ElementTree.SubElement(own, "measure")
            ElementTree.SubElement(own, "measure", dict(measure.attrib)).extend(part)
    score.extend(parts.values())
    return score


def _parts(root: ElementTree.Element) -> list[Part]:
    rows = {row.get("id"): row for row in root.iterfind("part-list/score-part")}
    elements = list(root.iterfind("part"))
    starts = _bar_starts(elements)
    parts = []
    for element in elements:
        row = rows.get(element.get("id"))
        part = Part("" if row is None else row.findtext("part-name") or "")
        if row is not None:
            part.program = whole(row, "midi-instrument/midi-program") - 1  # MusicXML counts from 1
        _Reading(part, Kit(row, root), starts).read(element)
        parts.append(part)
    return parts


def _bar_starts(parts: list[ElementTree.Element]) -> list[float]:
    """Quarters at which each bar of the score begins, and where the last ends.

    A bar is as long as what is in it. Where parts differ it is as its metre says, if one of them is, and else
    as the longest; where no part has anything in it, it is as its metre says.
    """
    found: list[set[float]] = []  # of each bar: how long the parts are in it
    metres: dict[int, float] = {}  # bar -> quarters of the metre that is set in it
    for part in parts:
        divisions = 1.0
        for index, measure in enumerate(part.iterfind("measure")):
            if index >= MAX_BARS:
                raise ValueError(f"more than {MAX_BARS} bars: longer than a score can be")
            found += [set() for _ in range(index + 1 - len(found))]
            length, divisions, metre = _extent(measure, divisions)
            found[index] |= {length} if length > 0 else set()
            if metre is not None:
                over, under = signature(metre)
                metres.setdefault(index, 4.0 * over / under)
    starts, nominal = [0.0], 4.0
    for index, lengths in enumerate(found):
        nominal = metres.get(index, nominal)
        as_said = not lengths or any(abs(length - nominal) < 1e-6 for length in lengths)
        starts.append(starts[-1] + (nominal if as_said else max(lengths)))
    if starts[-1] > MAX_QUARTERS:
        raise ValueError(f"{starts[-1]:.3g} quarters: longer than a score can be")
    return starts


def _extent(measure: ElementTree.Element, divisions: float) -> tuple[float, float, tuple[str, str] | None]:
    """Quarters that are written in a bar of a part, the divisions at its end, the metre that is set in it."""
    at = longest = 0.0
    metre = None
    for item in measure:
        if item.tag == "attributes":
            divisions = _divisions(item, divisions)
            metre = written_metre(item) or metre
        elif item.tag == "backup":
            at = max(0.0, at - number(item, "duration") / divisions)
        elif item.tag == "forward" or (item.tag == "note" and _moves(item)):
            at += number(item, "duration") / divisions
        longest = max(longest, at)
    return longest, divisions, metre


def _divisions(attributes: ElementTree.Element, before: float) -> float:
    value = number(attributes, "divisions", before)
    return value if value > 0 else 1.0


def _moves(note: ElementTree.Element) -> bool:
    """Whether the place in the bar moves on with a note."""
    return note.find("chord") is None and note.find("grace") is None


class _Reading:
    """A part while it is read."""

    def __init__(self, part: Part, kit: Kit, starts: list[float]) -> None:
        self.part, self.kit, self.starts = part, kit, starts
        self.divisions = 1.0  # of a quarter
        self.bar = 0.0  # quarters
        self.at = self.last = 0.0  # quarters from the bar: of what comes next, of the note before
        self.tied: dict[tuple[str, int], int] = {}  # (voice, pitch) -> place of the note that goes on
        self.latest: dict[str, int] = {}  # voice -> place of its last note
        self.transposed: dict[str, int] = {}  # staff, "" = all -> semitones that it sounds higher

    def read(self, element: ElementTree.Element) -> None:
        """All measures of a part."""
        for index, measure in enumerate(element.iterfind("measure")):
            self.bar, self.at, self.last = self.starts[index], 0.0, 0.0
            for item in measure:
                self._item(item)
            metre = self.part.metres[-1] if self.part.metres else None
            implicit = measure.get("implicit") == "yes" or (index == 0 and measure.get("number") == "0")
            length = self.starts[index + 1] - self.bar
            self.part.measures.append(Measure(self.bar, length, metre, implicit))

    def _item(self, item: ElementTree.Element) -> None:
        if item.tag == "attributes":
            self._attributes(item)
        elif item.tag == "backup":
            self.at = max(0.0, self.at - self._length(item))
        elif item.tag == "forward":
            self.at += self._length(item)
        elif item.tag in ("direction", "sound"):
            tempo = tempo_of(item, self.part.remarks)
            if tempo > 0:
                self.part.tempi.append((self.bar + self.at, tempo))
        elif item.tag == "harmony":
            self._harmony(item)
        elif item.tag == "barline" and item.find("repeat") is not None:
            self.part.remarks["repeats are not played"] = None
        elif item.tag == "note" and item.find("grace") is None:
            self._note(item)

    def _length(self, item: ElementTree.Element) -> float:
        length = number(item, "duration") / self.divisions
        if length < 0:
            raise ValueError(f"duration {item.findtext('duration')!r}: expected 0 or more")
        return length

    def _attributes(self, item: ElementTree.Element) -> None:
        self.divisions = _divisions(item, self.divisions)
        if item.find("key") is not None:
            mode = (item.findtext("key/mode") or "major").strip()
            self.part.keys.append((whole(item, "key/fifths"), mode))
        metre = written_metre(item)
        if metre is not None:
            self.part.metres.append(metre)
            if signature(metre) == (4, 4) and metre not in (("4", "4"), ("", "")):
                self.part.remarks[f"metre {'/'.join(metre)[:16]!r} says nothing: 4/4 is taken"] = None
        for transpose in item.iterfind("transpose"):
            semitones = whole(transpose, "chromatic") + 12 * whole(transpose, "octave-change")
            if abs(semitones) <= 48:
                self.transposed[transpose.get("number") or ""] = semitones

    def _sounds_higher(self, item: ElementTree.Element) -> int:
        """Semitones by which what is written there sounds higher."""
        staff = (item.findtext("staff") or "1").strip()
        return self.transposed.get(staff, self.transposed.get("", 0))

    def _harmony(self, item: ElementTree.Element) -> None:
        offset = number(item, "offset") / self.divisions
        fifths, mode = self.part.keys[-1] if self.part.keys else (0, "major")
        root = name_of(item, "root")
        if not root and item.findtext("function"):
            root = of_numeral(item.findtext("function") or "", fifths, mode == "minor")
        elif not root and item.find("numeral") is not None:
            bend, degree = round(number(item, "numeral/numeral-alter")), whole(item, "numeral/numeral-root")
            root = of_degree(degree, bend, fifths, mode == "minor")
        higher = self._sounds_higher(item)
        kind = item.find("kind")
        self.part.symbols.append(
            ChordSymbol(
                max(0.0, self.bar + self.at + offset),
                "" if kind is None else (kind.text or "").strip(),
                transposed(root, higher),
                transposed(name_of(item, "bass"), higher),
                tuple(_degrees(item)),
                "" if kind is None else (kind.get("text") or "").strip(),
            )
        )

    def _note(self, item: ElementTree.Element) -> None:
        chord, length = item.find("chord") is not None, self._length(item)
        start = self.bar + (self.last if chord else self.at)
        if not chord:
            self.last, self.at = self.at, self.at + length
        if item.find("cue") is not None:  # another part's, shown to find one's place
            self.part.remarks["cue notes are left out"] = None
            return
        if item.find("unpitched") is not None:
            self.part.hits.append(WrittenHit(start, self.kit.key(item, self.part.remarks)))
            return
        step = (item.findtext("pitch/step") or "").strip().upper()
        if step not in _STEPS or length <= 0:
            return
        alter, octave = round(number(item, "pitch/alter")), whole(item, "pitch/octave", 4)
        pitch = 12 * (octave + 1) + _STEPS[step] + alter + self._sounds_higher(item)
        if not 0 <= pitch <= 127:
            self.part.remarks["notes outside MIDI's range are left out"] = None
            return
        note = WrittenNote(start, length, pitch, (item.findtext("voice") or "1").strip(), chord)
        self._tie(
            note, {tie.get("type") for path in ("tie", "notations/tied") for tie in item.iterfind(path)}
        )

    def _tie(self, note: WrittenNote, ties: set[str | None]) -> None:
        """Add a note, or lengthen the one that it is tied to; one that no other goes on keeps its length."""
        notes, place = self.part.notes, self.tied.pop((note.voice, note.pitch), -1)
        before = self.latest.get(note.voice, -1)
        if "stop" in ties and place < 0 and before >= 0 and notes[before].pitch == note.pitch:
            place = before  # where the tie begins was not written
        if "stop" in ties and place >= 0 and self._touch(notes[place], note):
            first = notes[place]
            notes[place] = replace(first, length=note.at + note.length - first.at)
        else:
            place = len(notes)
            notes.append(note)
        self.latest[note.voice] = place
        if "start" in ties:
            self.tied[note.voice, note.pitch] = place

    @staticmethod
    def _touch(first: WrittenNote, note: WrittenNote) -> bool:
        return abs(first.at + first.length - note.at) <= _TIE_QUARTERS


def _degrees(harmony: ElementTree.Element) -> list[Degree]:
    """The changes of a chord's tones that can be understood."""
    found = []
    for item in harmony.iterfind("degree"):
        value, alter = whole(item, "degree-value"), whole(item, "degree-alter")
        kind = (item.findtext("degree-type") or "add").strip()
        if 1 <= value <= 13 and abs(alter) <= 2:
            found.append(Degree(value, alter, kind))
    return found
