"""Fields of MusicXML's elements: numbers, names of notes, metres. What is no number is a ValueError."""

from __future__ import annotations

import re
from typing import Final
from xml.etree import ElementTree

_NUMBER: Final = re.compile(r"[+-]?(\d{1,12}(\.\d{0,12})?|\.\d{1,12})")
_STEPS: Final = "CDEFGAB"
_UNITS: Final = (1, 2, 4, 8, 16, 32, 64, 128)


def number(element: ElementTree.Element, path: str, default: float = 0.0) -> float:
    """The number at a path, `default` where there is none."""
    text = (element.findtext(path) or "").strip()
    if not text:
        return default
    if _NUMBER.fullmatch(text) is None:
        raise ValueError(f"{path.rpartition('/')[2]} {text[:24]!r}: expected a number")
    return float(text)


def whole(element: ElementTree.Element, path: str, default: int = 0) -> int:
    """The whole number at a path, -10000 to 10000."""
    return max(-10_000, min(10_000, int(number(element, path, default))))


def name_of(item: ElementTree.Element, kind: str) -> str:
    """A root or bass as written: "F#", "" where there is none."""
    step = (item.findtext(f"{kind}/{kind}-step") or "").strip().upper()
    if len(step) != 1 or step not in _STEPS:
        return ""
    bend = round(number(item, f"{kind}/{kind}-alter"))
    if abs(bend) > 2:
        return ""
    return step + ("#" * bend if bend > 0 else "b" * -bend)


def written_metre(attributes: ElementTree.Element) -> tuple[str, str] | None:
    """Beats and their unit as written, composite ones as one sum: ("3+4", "8"); None for no change."""
    time = attributes.find("time")
    if time is None or (time.find("beats") is None and time.find("beat-type") is None):
        return None
    beats = [(item.text or "").strip() for item in time.iterfind("beats")]
    units = [(item.text or "").strip() for item in time.iterfind("beat-type")]
    if len(beats) < 2 or len(beats) != len(units):
        return (beats or [""])[0], (units or [""])[0]
    known = [signature(pair) for pair in zip(beats, units, strict=True)]
    finest = max(under for _, under in known)
    return "+".join(str(over * finest // under) for over, under in known), str(finest)


def signature(metre: tuple[str, str]) -> tuple[int, int]:
    """A metre in numbers, sums added up: ("3+2", "8") is 5, 8; 4, 4 for what says nothing."""
    parts = [part.strip() for part in metre[0].split("+")]
    if not all(re.fullmatch(r"\d{1,3}", part) for part in parts) or not re.fullmatch(r"\d{1,3}", metre[1]):
        return 4, 4
    over, under = sum(map(int, parts)), int(metre[1])
    return (over, under) if 1 <= over <= 255 and under in _UNITS else (4, 4)
