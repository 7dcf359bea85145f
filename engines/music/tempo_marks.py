"""Tempo of MusicXML's directions: a number, a mark, or words such as "c. 72". In quarters a minute."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from typing import Final
from xml.etree import ElementTree

SLOWEST, FASTEST = 5.0, 1000.0  # quarters a minute that are a tempo
_UNITS: Final = {
    "breve": 8.0, "whole": 4.0, "half": 2.0, "quarter": 1.0, "eighth": 0.5, "16th": 0.25, "32nd": 0.125,
}  # in quarters  # fmt: skip
_SIGNS: Final = {"𝅝": 4.0, "𝅗𝅥": 2.0, "♩": 1.0, "𝅘𝅥": 1.0, "q": 1.0, "♪": 0.5, "𝅘𝅥𝅮": 0.5, "h": 2.0, "e": 0.5}
_IN_WORDS: Final = re.compile(
    r"(?P<sign>𝅗𝅥|𝅘𝅥𝅮|𝅘𝅥|[𝅝♩♪]|\b[qhe])?\s*(?P<dot>\.|𝅭)?\s*=\s*(?:c(?:a|irca)?\.?\s*)?(?P<tempo>\d{1,4}(?:[.,]\d{1,3})?)"
)
_NUMBER: Final = re.compile(r"(?<![\w.,+-])\d{1,4}(?:[.,]\d{1,3})?(?!\w)")


def tempo_of(item: ElementTree.Element, remarks: dict[str, None]) -> float:
    """The tempo of a direction or sound, 0 where it says none; `remarks` says what cannot be used."""
    for text, unit in _said(item):
        tempo = _number(text) * unit
        if SLOWEST <= tempo <= FASTEST:
            return tempo
        remarks[f"tempo {text[:16]!r} says nothing and is left out"] = None
    return 0.0


def _number(text: str) -> float:
    """The number of a text; of words the first that stands alone; NaN for none."""
    try:
        return float(text)
    except ValueError:
        found = _NUMBER.search(re.sub(r"[^\W\d_]+\.?", " ", text[:100]))  # "c.72" has a word before it
        return float(found[0].replace(",", ".")) if found else math.nan


def _said(item: ElementTree.Element) -> Iterator[tuple[str, float]]:
    """Each tempo that is written, and quarters a beat of it."""
    sound = item if item.tag == "sound" else item.find("sound")
    if sound is not None and (sound.get("tempo") or "").strip():
        yield (sound.get("tempo") or "").strip(), 1.0
    mark = item.find(".//metronome")
    if mark is not None and (mark.findtext("per-minute") or "").strip():
        dots = len(mark.findall("beat-unit-dot"))
        unit = _UNITS.get((mark.findtext("beat-unit") or "quarter").strip(), 1.0)
        yield (mark.findtext("per-minute") or "").strip(), unit * (2.0 - 0.5**dots)
    for words in item.iterfind(".//words"):
        found = _IN_WORDS.search((words.text or "")[:200])
        if found is not None:
            yield found["tempo"], _SIGNS.get(found["sign"] or "♩", 1.0) * (1.5 if found["dot"] else 1.0)
