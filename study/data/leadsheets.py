"""Lead sheets: MusicXML -> melody and chord symbols on a grid of beats, kept as one JSON file.

For OpenEWLD (public-domain works, MIT). Times are beats from the first downbeat: quarters, in 6/8
dotted quarters. Chords are in the models' vocabulary; what it lacks becomes the nearest that it has.
Sheets whose metre changes, or is not 4/4, 2/2 (read as 4/4), 3/4 or 6/8, are left out, and so are
sheets without chords. Does not know keys of arrangements, instruments or audio.
"""

from __future__ import annotations

import json
import xml.etree.ElementTree as ElementTree
import zipfile
import zlib
from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path

from engines.music.chords import parse, pitch_classes, root
from engines.requests import InputError

CACHE = "sheets.json"
HELD_OUT_ONE_IN = 10  # sheets, by hash of the title
_METRES = {  # of the file -> of the arranger, and quarters a beat
    ("4", "4"): ("4/4", 1.0), ("2", "2"): ("4/4", 1.0), ("3", "4"): ("3/4", 1.0), ("6", "8"): ("6/8", 1.5),
}  # fmt: skip
_KINDS = {
    "major": "", "dominant": "7", "minor-seventh": "m7", "minor": "m", "major-seventh": "maj7",
    "diminished": "dim", "major-sixth": "6", "dominant-ninth": "7", "minor-sixth": "m6",
    "diminished-seventh": "dim", "augmented-seventh": "aug", "augmented": "aug", "half-diminished": "m7b5",
    "suspended-fourth": "", "suspended-second": "", "dominant-13th": "7", "minor-ninth": "m7",
    "augmented-ninth": "aug", "major-ninth": "maj7", "dominant-11th": "7", "minor-11th": "m7",
    "minor-major": "m", "major-minor": "m", "maj69": "6", "power": "", "minor-13th": "m7",
}  # fmt: skip
_STEPS = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}


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


def _number(element: ElementTree.Element, path: str, default: float = 0.0) -> float:
    text = element.findtext(path)
    return float(text) if text else default


def _pitch_name(element: ElementTree.Element, kind: str) -> str:
    alter = int(_number(element, f"{kind}-alter"))
    return (element.findtext(f"{kind}-step") or "C") + ("#" * alter if alter > 0 else "b" * -alter)


def _symbol(harmony: ElementTree.Element) -> str | None:
    """The vocabulary's symbol of a MusicXML harmony; None for what it cannot say."""
    kind, root = (harmony.findtext("kind") or "").strip(), harmony.find("root")
    if kind == "none":
        return "N"
    if root is None or kind not in _KINDS:
        return None
    name = _pitch_name(root, "root") + _KINDS[kind]
    bass = harmony.find("bass")
    try:
        return parse(name + ("/" + _pitch_name(bass, "bass") if bass is not None else "")).symbol
    except InputError:
        return None


def read_sheet(path: Path) -> Sheet | None:
    """A compressed MusicXML file as a sheet; None if it is none of those that the arranger can use."""
    with zipfile.ZipFile(path) as archive:
        name = next(n for n in archive.namelist() if n.endswith(".xml") and not n.startswith("META-INF"))
        part = ElementTree.fromstring(archive.read(name)).find("part")
    if part is None:
        return None
    metres: set[tuple[str, str]] = set()
    fifths, mode, divisions = 0, "major", 1.0
    notes: list[tuple[float, float, int]] = []  # in quarters
    chords: list[tuple[float, str]] = []
    start, first_bar = 0.0, None
    for measure in part.findall("measure"):
        at = longest = 0.0
        for element in measure:
            if element.tag == "attributes":
                divisions = _number(element, "divisions", divisions)
                if element.find("key") is not None:
                    fifths = int(_number(element, "key/fifths"))
                    mode = element.findtext("key/mode") or "major"
                if element.find("time") is not None:
                    unit = element.findtext("time/beat-type") or ""
                    metres.add((element.findtext("time/beats") or "", unit))
            elif element.tag == "harmony":
                symbol = _symbol(element)
                if symbol is not None:
                    chords.append((start + at + _number(element, "offset") / divisions, symbol))
            elif element.tag in ("backup", "forward"):
                at += _number(element, "duration") / divisions * (1 if element.tag == "forward" else -1)
            elif element.tag == "note" and element.find("grace") is None and element.find("chord") is None:
                length = _number(element, "duration") / divisions
                pitch = element.find("pitch")
                if pitch is not None and (element.findtext("voice") or "1") == "1":
                    octave, alter = _number(pitch, "octave"), _number(pitch, "alter")
                    midi = int(12 * (octave + 1) + _STEPS[pitch.findtext("step") or "C"] + alter)
                    tied = any(t.get("type") == "stop" for t in element.findall("tie"))
                    if tied and notes and notes[-1][2] == midi:
                        notes[-1] = (notes[-1][0], start + at + length - notes[-1][0], midi)
                    else:
                        notes.append((start + at, length, midi))
                at += length
            longest = max(longest, at)
        if len(metres) == 1 and first_bar is None:
            beats, unit = next(iter(metres))
            if beats.isdigit() and unit.isdigit() and abs(longest - 4 * int(beats) / int(unit)) < 1e-3:
                first_bar = start
        start += longest
    if len(metres) != 1 or first_bar is None or len(chords) < 4 or len(notes) < 8:
        return None
    if next(iter(metres)) not in _METRES:
        return None
    metre, quarters = _METRES[next(iter(metres))]
    bar = {"4/4": 4.0, "3/4": 3.0, "6/8": 3.0}[metre]
    origin, bars = first_bar, int((start - first_bar) / bar)
    final = [s for _, s in chords if root(s) is not None][-1:]
    relative = (7 * fifths + 9) % 12  # few files say minor; a tune that ends on the relative minor is
    minor = mode == "minor" or any(
        root(s) == relative and pitch_classes(s)[1] == (relative + 3) % 12 for s in final
    )
    tonic = relative if minor else 7 * fifths % 12
    beat_notes = sorted(
        {round((t - origin) / quarters, 4): (d / quarters, p) for t, d, p in notes if t >= origin}.items()
    )
    merged: list[tuple[float, str]] = []
    for t, symbol in sorted((round((t - origin) / quarters, 4), s) for t, s in chords if t >= origin):
        if merged and merged[-1][0] == t:
            merged[-1] = (t, symbol)
        elif not merged or merged[-1][1] != symbol:
            merged.append((t, symbol))
    line = [(t, round(d, 4), p) for t, (d, p) in beat_notes]
    line = [(t, min(d, following[0] - t), p) for (t, d, p), following in pairwise([*line, (1e9, 0.0, 0)])]
    return Sheet(path.stem, metre, tonic, minor, bars, tuple(line), tuple(merged))


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
