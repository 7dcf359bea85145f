"""Chord symbols of MusicXML: kind, degrees, text and Roman numerals -> how musicians write them.

What is written is exact where the models have such a chord, and else the nearest, with a remark that says so.
A kind that nobody knows is no chord. Times are quarters. Does not know files, elements or the models' symbols
beyond `chords`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from engines.errors import InputError
from engines.music.chords import QUALITIES, parse

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
_BASES: Final = {  # what a kind sounds like where degrees change it, semitones by degree
    "m": {3: 3, 5: 7}, "aug": {3: 4, 5: 8}, "dim": {3: 3, 5: 6}, "7": {3: 4, 5: 7, 7: 10},
    "maj7": {3: 4, 5: 7, 7: 11}, "m7": {3: 3, 5: 7, 7: 10}, "dim7": {3: 3, 5: 6, 7: 9},
    "7#5": {3: 4, 5: 8, 7: 10}, "m7b5": {3: 3, 5: 6, 7: 10}, "mmaj7": {3: 3, 5: 7, 7: 11},
    "6": {3: 4, 5: 7, 6: 9}, "m6": {3: 3, 5: 7, 6: 9}, "sus2": {2: 2, 5: 7}, "sus4": {4: 5, 5: 7},
    "5": {5: 7},
    "9": {3: 4, 5: 7, 7: 10, 9: 2}, "maj9": {3: 4, 5: 7, 7: 11, 9: 2}, "m9": {3: 3, 5: 7, 7: 10, 9: 2},
}  # fmt: skip
_TRIAD: Final = {3: 4, 5: 7}
_MAJOR: Final = (0, 2, 4, 5, 7, 9, 11)  # semitones of the degrees 1..7 of a major scale
_MINOR: Final = (0, 2, 3, 5, 7, 8, 10)
_NAMES: Final = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")
_LETTERS: Final = {"C": 0, "D": 2, "E": 4, "F": 5, "G": 7, "A": 9, "B": 11}
_ROMAN: Final = ("I", "II", "III", "IV", "V", "VI", "VII")
MAX_DEGREES: Final = 12  # of one symbol that are read


@dataclass(frozen=True)
class Degree:
    """One change of a chord's tones."""

    value: int  # 1..13
    alter: int  # semitones
    type: str  # "add", "alter" or "subtract"

    @property
    def words(self) -> str:
        """ "add b9"."""
        return f"{self.type} {'#' * self.alter if self.alter > 0 else 'b' * -self.alter}{self.value}"


@dataclass(frozen=True)
class ChordSymbol:
    """One chord symbol; it lasts until the next."""

    at: float  # quarters
    kind: str  # MusicXML's name: "minor-seventh"; "none" where no chord is meant; "" = not said
    root: str = ""  # "C#"; "" = the score does not say
    bass: str = ""  # "E"; "" = the root
    degrees: tuple[Degree, ...] = ()
    text: str = ""  # as it is shown beside the root: "m7b5"

    @property
    def written(self) -> str:
        """As musicians write it: "N" for no chord, "" where it cannot be told which chord it is."""
        if self.kind == "none":
            return "N"
        quality = self._quality
        if not self.root or quality is None:
            return ""
        return f"{self.root}{quality}{f'/{self.bass}' if self.bass else ''}"

    @property
    def remark(self) -> str:
        """What of it is not in `written`; "" for nothing."""
        if self.kind == "none":
            return ""
        if not self.written:
            return (
                f"chord {f'{self.root} {self.text or self.kind}'.strip()[:24]!r} is not known: no chord there"
            )
        exact = self._altered() in [frozenset(tones) for tones in QUALITIES.values()]
        if not self.degrees or exact:
            return ""
        base = f"{self.root}{self._base or ''}"
        changes = ", ".join(degree.words for degree in self.degrees[:3])
        return f"{base}({changes}) is played as {parse(self.written).symbol}"

    @property
    def _base(self) -> str | None:
        """The quality without degrees; None for one that is not known."""
        known = KINDS.get(re.sub(r"[\s_]+", "-", self.kind.strip().lower()))
        if known is not None:
            return known
        for text in (self.text, self.kind if self.kind not in ("", "other") else ""):
            text = "".join(text.split())
            for quality in (text, text.removeprefix(self.root)):
                if text and _is_quality(quality):
                    return quality
        return None

    @property
    def _quality(self) -> str | None:
        """The quality with its degrees, as the models know it where they change it."""
        base = self._base
        if base is None or not self.degrees:
            return base
        tones = self._altered()
        return min(QUALITIES, key=lambda name: _distance(frozenset(QUALITIES[name]), tones))

    def _altered(self) -> frozenset[int]:
        """The semitones above the root that sound, with all degrees."""
        tones = dict(_BASES.get(self._base or "", _TRIAD))
        tones[1] = 0
        for degree in self.degrees[:MAX_DEGREES]:
            natural = _MAJOR[(degree.value - 1) % 7]
            if degree.type == "subtract":
                tones.pop(degree.value, None)
            elif degree.type == "alter":
                tones[degree.value] = tones.get(degree.value, natural) + degree.alter
            else:
                tones[degree.value] = natural + degree.alter
        return frozenset(tone % 12 for tone in tones.values())


def _is_quality(text: str) -> bool:
    try:
        parse(f"C{text}")
    except InputError:
        return False
    return "/" not in text


def _distance(quality: frozenset[int], tones: frozenset[int]) -> float:
    """How far a model's quality is from tones: a wrong third counts most, then sevenths, then fifths."""
    weights = {3: 4.0, 4: 4.0, 6: 1.5, 7: 1.5, 8: 1.5, 9: 1.9, 10: 2.0, 11: 2.0}
    missed = sum(weights.get(tone, 0.1) for tone in tones - quality)
    return missed + 1.1 * sum(weights.get(tone, 0.1) for tone in quality - tones)


def transposed(name: str, semitones: int) -> str:
    """A note's name so many semitones higher; "" stays."""
    if not name or not semitones % 12:
        return name
    pitch = _LETTERS[name[0]] + name.count("#") - name[1:].count("b")
    return _NAMES[(pitch + semitones) % 12]


def of_numeral(numeral: str, fifths: int, minor: bool) -> str:
    """The root that a Roman numeral means in a key of so many `fifths`; "" for what is no numeral.

    "IV", "bVII", "#iv", "V7": what follows the numeral says the kind, which MusicXML says apart. "V7/ii" is
    the fifth degree of the major key on the second; figures after a stroke ("I6/4") say nothing of the root.
    """
    numeral, _, of = numeral.strip().partition("/")
    if of and not of.strip()[:1].isdigit():
        tonic = of_numeral(of, fifths, minor)
        if not tonic:
            return ""
        pitch = _LETTERS[tonic[0]] + tonic.count("#") - tonic[1:].count("b")
        fifths, minor = 7 * pitch % 12, False
    match = re.fullmatch(r"([b#♭♯]?)(VII|VI|IV|V|III|II|I)([^IViv]*)", numeral, re.IGNORECASE)
    if match is None:
        return ""
    degree = _ROMAN.index(match[2].upper())
    bend = {"b": -1, "♭": -1, "#": 1, "♯": 1}.get(match[1].lower(), 0)
    return of_degree(degree + 1, bend, fifths, minor)


def of_degree(degree: int, bend: int, fifths: int, minor: bool) -> str:
    """The name of a degree 1..7 of a key, `bend` semitones higher; "" for another degree."""
    if not 1 <= degree <= 7:
        return ""
    tonic = (7 * fifths + (9 if minor else 0)) % 12
    return _NAMES[(tonic + (_MINOR if minor else _MAJOR)[degree - 1] + bend) % 12]
