"""Drums of MusicXML: which General MIDI key an unpitched note means.

A note names its instrument, or its part has only one; where the score gives no key, the instrument's name or
the note's place on the staff is a guess, and said to be one.
"""

from __future__ import annotations

from typing import Final
from xml.etree import ElementTree

from engines.music.xml_fields import whole

_WORDS: Final = (  # in an instrument's or part's name, the first that fits
    (("bass drum", "kick"), 36), (("snare", "side stick", "rimshot"), 38), (("clap",), 39),
    (("hi-hat", "hihat", "hi hat"), 42), (("ride",), 51), (("crash", "cymbal"), 49), (("tom",), 45),
)  # fmt: skip
_STAFF: Final = {  # where kits are written: display step and octave
    ("E", 4): 36, ("F", 4): 36, ("A", 4): 43, ("B", 4): 45, ("C", 5): 38, ("D", 5): 45, ("E", 5): 50,
    ("F", 5): 51, ("G", 5): 42, ("A", 5): 49, ("B", 5): 49, ("D", 4): 44,
}  # fmt: skip


class Kit:
    """The unpitched instruments of a part."""

    def __init__(self, row: ElementTree.Element | None, root: ElementTree.Element) -> None:
        """`row` is the part's score-part; instruments of other parts of `root` may be named too."""
        self._keys = _keys(root)
        own = [] if row is None else list(_keys(row).values())
        self._only = own[0] if len(set(own)) == 1 else -1
        names = root.iterfind("part-list/score-part/score-instrument")
        named = {item.get("id"): _in_words(item.findtext("instrument-name") or "") for item in names}
        self._named = {id: key for id, key in named.items() if key >= 0}
        self._part = -1 if row is None else _in_words(row.findtext("part-name") or "")

    def key(self, note: ElementTree.Element, remarks: dict[str, None]) -> int:
        """The key of a note, -1 where nothing tells."""
        instrument = note.find("instrument")
        id = None if instrument is None else instrument.get("id")
        if id in self._keys:
            return self._keys[id]
        if self._only >= 0:
            return self._only
        step = (note.findtext("unpitched/display-step") or "").strip().upper()
        place = step, whole(note, "unpitched/display-octave", 4)
        guess = self._named.get(id, self._part if self._part >= 0 else _STAFF.get(place, -1))
        remarks[
            "drums are guessed from their names and places"
            if guess >= 0
            else "drums without a key are left out"
        ] = None
        return guess


def _keys(element: ElementTree.Element) -> dict[str | None, int]:
    """The keys that are said, by instrument."""
    found = {
        midi.get("id"): whole(midi, "midi-unpitched") - 1 for midi in element.iterfind(".//midi-instrument")
    }
    return {id: key for id, key in found.items() if 0 <= key < 128}


def _in_words(name: str) -> int:
    """The key that a name tells of, -1 for none."""
    lower = name.lower()
    return next((key for words, key in _WORDS if any(word in lower for word in words)), -1)
