"""Chord symbols: parsing, enharmonics and the 194-symbol vocabulary that the models know.

Vocabulary (sec. 4.5, App. C; JASCO's counts): index 0 is `N` (no chord), 1..120 are 12 roots x 10
qualities, 121..192 are 72 slash chords, 193 is `UNK`. Each root has six slash chords: the triads
maj/3, maj/5, m/b3 and m/5 (48), the dominant seventh over its seventh, written `C/Bb` (12), and
the half-diminished over its seventh, `Cm7b5/Bb` (12). Roots are spelled C C# D Eb E F F# G Ab A
Bb B; a slash bass is spelled by its degree (`C#/E#`, `Abm/Cb`). Pitch classes are 0 = C .. 11 = B.
Loads no torch; does not know frames.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

from engines.errors import InputError
from engines.requests import Chord

ROOTS: tuple[str, ...] = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
QUALITIES: dict[str, tuple[int, ...]] = {  # model spelling -> semitones above the root
    "": (0, 4, 7),
    "m": (0, 3, 7),
    "7": (0, 4, 7, 10),
    "m7": (0, 3, 7, 10),
    "maj7": (0, 4, 7, 11),
    "6": (0, 4, 7, 9),
    "m6": (0, 3, 7, 9),
    "m7b5": (0, 3, 6, 10),
    "dim": (0, 3, 6),
    "aug": (0, 4, 8),
}
_LETTERS = "CDEFGAB"
_NATURAL = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
# (written quality, bass in semitones, letter steps from the root, pitch classes)
_SLASHES: tuple[tuple[str, int, int, tuple[int, ...]], ...] = (
    ("", 4, 2, (0, 4, 7)),
    ("", 7, 4, (0, 4, 7)),
    ("m", 3, 2, (0, 3, 7)),
    ("m", 7, 4, (0, 3, 7)),
    ("", 10, 6, (0, 4, 7, 10)),  # the dominant seventh over its seventh
    ("m7b5", 10, 6, (0, 3, 6, 10)),
)
# A bass that the vocabulary lacks below a triad, but that another quality contains.
_BASS_AS_TONE = {("", 11): "maj7", ("", 9): "6", ("m", 10): "m7", ("m", 9): "m6"}


@dataclass(frozen=True)
class Parsed:
    """A chord as the models know it."""

    symbol: str  # vocabulary spelling
    index: int  # 0..193
    simplified: str  # "" or what was simplified, for the user


@dataclass(frozen=True)
class _Tones:
    """What a vocabulary symbol sounds like; pitch classes 0..11."""

    root: int
    bass: int
    pitches: tuple[int, ...]


def _spell(root: str, semitones: int, steps: int) -> str:
    """Name of the note `semitones` above `root`, on the letter `steps` above the root's letter."""
    letter = _LETTERS[(_LETTERS.index(root[0]) + steps) % 7]
    pitch = (_note(root) + semitones) % 12
    bend = (pitch - _NATURAL[letter] + 6) % 12 - 6
    return letter + ("#" * bend if bend > 0 else "b" * -bend)


def _note(name: str) -> int:
    """Pitch class of a note name such as `Eb` or `F##`."""
    return (_NATURAL[name[0]] + name.count("#") - name[1:].count("b")) % 12


def _build() -> dict[str, _Tones | None]:
    tones: dict[str, _Tones | None] = {"N": None}
    for pitch, root in enumerate(ROOTS):
        for quality, steps in QUALITIES.items():
            tones[root + quality] = _Tones(pitch, pitch, tuple((pitch + s) % 12 for s in steps))
    for pitch, root in enumerate(ROOTS):
        for quality, bass, letters, steps in _SLASHES:
            name = f"{root}{quality}/{_spell(root, bass, letters)}"
            tones[name] = _Tones(pitch, (pitch + bass) % 12, tuple((pitch + s) % 12 for s in steps))
    tones["UNK"] = None
    return tones


_TONES = _build()
VOCABULARY: tuple[str, ...] = tuple(_TONES)
NULL_CHORD = len(VOCABULARY)  # 194: the lane says nothing about this frame
NO_CHORD, UNKNOWN_CHORD = 0, len(VOCABULARY) - 1
_INDEX = {symbol: i for i, symbol in enumerate(VOCABULARY)}
_SLASH_NAME = {  # (root, written quality, bass interval) -> symbol
    (pitch, quality, bass): f"{root}{quality}/{_spell(root, bass, letters)}"
    for pitch, root in enumerate(ROOTS)
    for quality, bass, letters, _ in _SLASHES
}

# The chords that can be heard, root by root: 10 qualities and 6 slash chords each, then `N`. Index i of the
# first 192 is root i // 16; the same i % 16 is the same kind of chord.
CLASSES: tuple[str, ...] = (
    *(
        symbol
        for pitch, root in enumerate(ROOTS)
        for symbol in (
            *(root + quality for quality in QUALITIES),
            *(_SLASH_NAME[pitch, quality, bass] for quality, bass, _, _ in _SLASHES),
        )
    ),
    "N",
)

_UNICODE = str.maketrans("♯♭Δ△∆°ºøØ−–—‑", "#b^^^oohh----")
_WORDS = re.compile("maj|min|dim|sus|add|aug|dom|alt", re.IGNORECASE)
_QUALITY = re.compile(
    r"(?P<third>major|maj|ma|M|\^|minor|min|mi|m|-|dim|o|h|aug|\+|dom)?"
    r"(?P<upper>(?:major|maj|ma|M|\^)(?=7|9|11|13|$))?"
    r"(?P<number>69|13|11|9|7|6|5|4|2)?"
    r"(?P<rest>(?:sus[24]?|add[b#]?\d{1,2}|no\d|omit\d|alt|(?:[b#+-])(?:13|11|9|6|5)|maj7|M7)*)$"
)


def _classify(text: str) -> tuple[str, bool]:
    """Spelled quality -> (model quality, exact?). Raises KeyError for what is no chord."""
    match = _QUALITY.match(text)
    if match is None:
        raise KeyError(text)
    third, upper, number, rest = (match[g] or "" for g in ("third", "upper", "number", "rest"))
    minor = third in ("minor", "min", "mi", "m", "-")
    seventh = number in ("7", "9", "11", "13")
    major_seventh = upper != "" or third == "^" or "maj7" in rest or "M7" in rest
    major_seventh = major_seventh or (seventh and third in ("major", "maj", "ma", "M"))
    flat_five, sharp_five = re.search("[b-]5", rest), re.search(r"[#+]5", rest)
    changes = re.sub(r"[b#+-]5|maj7|M7", "", rest)
    exact = not changes and number not in ("69", "13", "11", "9", "5", "4", "2")
    if third == "h":
        return "m7b5", exact
    if third in ("dim", "o"):
        return "dim", exact and not number
    if third in ("aug", "+") or (sharp_five and not minor and not seventh):
        return "aug", exact and not number and not major_seventh
    if minor and flat_five:
        return ("m7b5" if seventh else "dim"), exact
    exact = exact and not flat_five and not sharp_five
    if minor:
        if major_seventh:
            return "m", False
        return ("m7" if seventh else "m6" if number in ("6", "69") else "m"), exact
    if major_seventh:
        return "maj7", exact
    return ("7" if seventh or "alt" in rest else "6" if number in ("6", "69") else ""), exact


@lru_cache(maxsize=1024)
def parse(symbol: str) -> Parsed:
    """Any common spelling of a chord -> the vocabulary's symbol.

    Knows enharmonics (`Db` = `C#`), `Cmaj`, `CM7`, `C^`, `Cmin`, `C-`, `Co`, `C+`, `Csus4`, `C13`, `Cadd9`,
    slash chords, `N`, `N.C.`. What the vocabulary lacks becomes the nearest that it has, and
    `simplified` says so. Raises InputError for what is no chord.
    """
    shown = symbol if len(symbol) <= 24 else symbol[:24] + "..."
    text = re.sub(r"[\s(),]", "", symbol.translate(_UNICODE))
    if text.upper().replace(".", "") in ("N", "NC", "NOCHORD"):
        return Parsed("N", NO_CHORD, "")
    if text == "UNK":
        return Parsed("UNK", UNKNOWN_CHORD, "")
    text = text.replace("6/9", "69")
    head, slash, bass_text = text.partition("/")
    match = re.fullmatch(r"([A-Ga-g])(#{1,2}|b{1,2})?(.*)", head)
    if match is None:
        raise InputError(f"chord {shown!r}: roots are A-G with # or b; write for example C, F#m7 or Bb/D")
    root = _note(match[1].upper() + (match[2] or ""))
    try:
        quality, exact = _classify(_WORDS.sub(lambda word: word[0].lower(), match[3]))
    except KeyError:
        kinds = ", ".join(q or "major" for q in QUALITIES)
        told = f"chord {shown!r}: {match[3][:24]!r} is no chord quality; write one of {kinds}"
        raise InputError(told) from None
    name = ROOTS[root] + quality
    if slash:
        bass_match = re.fullmatch(r"([A-Ga-g])(#{1,2}|b{1,2})?", bass_text)
        if bass_match is None:
            raise InputError(f"chord {shown!r}: the bass after / is a note A-G; write for example C/E")
        name, kept = _over(root, quality, (_note(bass_match[1].upper() + (bass_match[2] or "")) - root) % 12)
        exact = exact and kept
    return Parsed(name, _INDEX[name], "" if exact else f"{shown} is played as {name}")


def _over(root: int, quality: str, bass: int) -> tuple[str, bool]:
    """A chord over a bass `bass` semitones above its root -> (symbol, exact?)."""
    plain = ROOTS[root] + quality
    if bass == 0:
        return plain, True
    written = "" if quality == "7" and bass == 10 else quality
    if (root, written, bass) in _SLASH_NAME:
        return _SLASH_NAME[root, written, bass], True
    if (quality, bass) in _BASS_AS_TONE:
        return ROOTS[root] + _BASS_AS_TONE[quality, bass], False
    return plain, False


def _tones(symbol: str) -> _Tones | None:
    return _TONES[symbol] if symbol in _TONES else _TONES[parse(symbol).symbol]


def pitch_classes(symbol: str) -> tuple[int, ...]:
    """Pitch classes 0..11 of a chord, from the root upwards; () for `N` and `UNK`."""
    tones = _tones(symbol)
    return tones.pitches if tones else ()


def root(symbol: str) -> int | None:
    """Pitch class 0..11 of the root; None for `N` and `UNK`."""
    tones = _tones(symbol)
    return tones.root if tones else None


def bass(symbol: str) -> int | None:
    """Pitch class 0..11 of the lowest note; None for `N` and `UNK`."""
    tones = _tones(symbol)
    return tones.bass if tones else None


def parse_line(line: str, seconds: float) -> tuple[Chord, ...]:
    """`"C@0 Am@2.5 F@5"` -> chords that each last until the next, the last until `seconds`.

    Times are seconds from the clip's start. Raises InputError for a bad symbol, a time that is no
    number, out of order, negative, or not before `seconds`.
    """
    marks: list[tuple[float, str]] = []
    for word in line.replace(",", " ").split():
        name, at, when = word.rpartition("@")
        told = f"chord {word[:24]!r}"
        if not at:
            raise InputError(f"{told}: expected SYMBOL@SECONDS; write for example C@0 Am@2.5")
        try:
            start = float(when)
        except ValueError:
            raise InputError(f"{told}: {when[:16]!r} is no time; write seconds, such as Am@2.5") from None
        if not (math.isfinite(start) and 0.0 <= start < seconds):
            raise InputError(f"{told}: the time must lie in 0-{seconds:g} s; move or remove it")
        if marks and start <= marks[-1][0]:
            raise InputError(f"{told}: follows {marks[-1][0]:g} s; give the times in ascending order")
        marks.append((start, parse(name).symbol))
    if not marks:
        raise InputError("chords: the line is empty; write for example C@0 Am@2.5, or leave the chords out")
    ends = [start for start, _ in marks[1:]] + [seconds]
    return tuple(Chord(start, end, name) for (start, name), end in zip(marks, ends, strict=True))
