"""Lead sheets: MusicXML -> melody and chord symbols on a grid of beats, kept as one JSON file.

For OpenEWLD (public-domain works, MIT). Times are beats from the first downbeat: quarters, in 6/8
dotted quarters. Chords are in the models' vocabulary; what it lacks becomes the nearest that it has.
Sheets whose metre changes, or is not 4/4, 2/2 (read as 4/4), 3/4 or 6/8, are left out, and so are
sheets without chords. Does not know keys of arrangements, instruments or audio.
"""

from __future__ import annotations

import json
import zlib
from dataclasses import asdict, dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

from engines.errors import InputError
from engines.music.chords import parse, pitch_classes, root
from engines.music.musicxml import KINDS, ChordSymbol, WrittenNote, read_musicxml

CACHE = "sheets.json"
HELD_OUT_ONE_IN = 10  # sheets, by hash of the title
_METRES = {  # of the file -> of the arranger, and quarters a beat
    ("4", "4"): ("4/4", 1.0), ("2", "2"): ("4/4", 1.0), ("3", "4"): ("3/4", 1.0), ("6", "8"): ("6/8", 1.5),
}  # fmt: skip
_QUARTERS = {"4/4": 4.0, "3/4": 3.0, "6/8": 3.0}  # a bar


@dataclass(frozen=True)
class Sheet:
    """One tune."""

    title: str
    metre: str  # "4/4", "3/4" or "6/8"
    tonic: int  # pitch class of the key, 0 = C
    minor: bool
    bars: int  # whole bars
    notes: tuple[tuple[float, float, int], ...]  # beat, length in beats, MIDI pitch; one voice, sorted
    chords: tuple[tuple[float, str], ...]  # beat, symbol; each lasts until the next

    @property
    def held_out(self) -> bool:
        """Whether the sheet is kept for measuring."""
        return zlib.crc32(self.title.encode()) % HELD_OUT_ONE_IN == 0


def _vocabulary(symbol: ChordSymbol) -> str | None:
    """The models' symbol for a chord as written; None for what it cannot say."""
    if symbol.kind == "augmented-seventh":  # the nearest has no seventh
        symbol = replace(symbol, kind="augmented")
    if not symbol.written or symbol.kind not in (*KINDS, "none"):
        return None
    try:
        return symbol.written if symbol.kind == "none" else parse(symbol.written).symbol
    except InputError:
        return None


def read_sheet(path: Path) -> Sheet | None:
    """A compressed MusicXML file as a sheet; None if it is none of those that the arranger can use."""
    part = next(iter(read_musicxml(path)), None)
    if part is None or len(set(part.metres)) != 1 or part.metres[0] not in _METRES:
        return None
    metre, quarters = _METRES[part.metres[0]]
    full = _QUARTERS[metre]
    first = next((m.at for m in part.measures if m.metre and abs(m.length - full) < 1e-3), None)
    notes = [note for note in part.notes if note.voice == "1" and not note.chord]
    said = [(symbol.at, _vocabulary(symbol)) for symbol in part.symbols]
    chords = [(at, symbol) for at, symbol in said if symbol is not None]
    if first is None or len(chords) < 4 or len(notes) < 8:
        return None
    tonic, minor = _key(part.keys[-1] if part.keys else (0, "major"), [symbol for _, symbol in chords])
    return Sheet(
        path.stem, metre, tonic, minor, int((part.length - first) / full),
        _line(notes, first, quarters), _harmony(chords, first, quarters),
    )  # fmt: skip


def _key(key: tuple[int, str], chords: list[str]) -> tuple[int, bool]:
    """Tonic as a pitch class, and whether it is minor: few files say so; a tune that ends so is."""
    fifths, mode = key
    relative = (7 * fifths + 9) % 12
    final = [symbol for symbol in chords if root(symbol) is not None][-1:]
    ends_so = any(root(s) == relative and pitch_classes(s)[1] == (relative + 3) % 12 for s in final)
    minor = mode == "minor" or ends_so
    return (relative if minor else 7 * fifths % 12), minor


def _line(notes: list[WrittenNote], first: float, quarters: float) -> tuple[tuple[float, float, int], ...]:
    """(beat from the first downbeat, length in beats, pitch), each ending before the next begins."""
    by_beat = {
        round((note.at - first) / quarters, 4): (note.length / quarters, note.pitch)
        for note in notes
        if note.at >= first
    }
    line = [(beat, round(length, 4), pitch) for beat, (length, pitch) in sorted(by_beat.items())]
    return tuple(
        (beat, min(length, following[0] - beat), pitch)
        for (beat, length, pitch), following in pairwise([*line, (1e9, 0.0, 0)])
    )


def _harmony(chords: list[tuple[float, str]], first: float, quarters: float) -> tuple[tuple[float, str], ...]:
    """(beat from the first downbeat, symbol) of each change."""
    changes: list[tuple[float, str]] = []
    for beat, symbol in sorted((round((at - first) / quarters, 4), s) for at, s in chords if at >= first):
        if changes and changes[-1][0] == beat:
            changes[-1] = (beat, symbol)
        elif not changes or changes[-1][1] != symbol:
            changes.append((beat, symbol))
    return tuple(changes)


@cache
def sheets(folder: Path) -> tuple[Sheet, ...]:
    """Every usable sheet below a folder, by title; () where there is none. Parsed once, then kept there."""
    if not folder.is_dir():
        return ()
    kept = folder / CACHE
    if kept.exists():
        return tuple(
            Sheet(**{**s, "notes": tuple(map(tuple, s["notes"])), "chords": tuple(map(tuple, s["chords"]))})
            for s in json.loads(kept.read_text())
        )
    read = [s for s in map(read_sheet, sorted(folder.rglob("*.mxl"))) if s is not None and s.bars >= 8]
    found = tuple(sorted(read, key=lambda s: s.title))
    part = kept.with_suffix(".part")
    part.write_text(json.dumps([asdict(s) for s in found]))
    part.rename(kept)
    return found
