"""What listeners answered: a CSV each, appended to, with nothing in it that says who they are.

A listener is a random id. No name, no address, no time of day is asked for or kept. A line is one side of
one pair: the system and item, the side, the place in the listener's order, and the two ratings of 1 to 10.
"""

from __future__ import annotations

import csv
import os
import re
import secrets
from collections.abc import Sequence
from dataclasses import astuple, dataclass, fields
from pathlib import Path

from engines.errors import InputError

LOWEST, HIGHEST = 1, 10  # of both scales
SCALES = {  # sec. 5.3, in our words
    "smoothness": ("Transition smoothness", "How smooth are the transitions into and out of the yellow part? "
                   "Listen to the transitions alone."),
    "match": ("Audio match", "How well does the yellow part match the rest: instruments, loudness, tempo, "
              "the same piece of music? Leave the transitions aside."),
}  # fmt: skip
_ID = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True)
class Rating:
    """One side of one pair, rated."""

    listener: str
    place: int  # of the pair in the listener's order, from 0
    item: str
    system: str
    other: str  # the system on the other side
    side: str  # "A" or "B"
    smoothness: int
    match: int


HEAD = [f.name for f in fields(Rating)]


def checked(value: object) -> int:
    """A rating. InputError for what is none."""
    if isinstance(value, bool) or not isinstance(value, int) or not LOWEST <= value <= HIGHEST:
        raise InputError(f"rating {str(value)[:24]}: expected a whole number from {LOWEST} to {HIGHEST}")
    return value


class Answers:
    """The answers of a study, in a folder of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def begin(self) -> str:
        """A new listener: a random id, whose file is there from now on."""
        listener = secrets.token_hex(8)
        with self._file(listener).open("x", newline="") as out:
            csv.writer(out).writerow(HEAD)
        return listener

    def known(self, listener: str) -> bool:
        """Whether there is such a listener."""
        return bool(_ID.fullmatch(listener)) and self._file(listener).exists()

    def append(self, ratings: Sequence[Rating]) -> None:
        """Append both sides of a pair to their listener's file. InputError for an unknown listener."""
        listener = ratings[0].listener
        if not self.known(listener):
            raise InputError("this listener is not known here; open the page again")
        with self._file(listener).open("a", newline="") as out:
            csv.writer(out).writerows(astuple(rating) for rating in ratings)
            out.flush()
            os.fsync(out.fileno())

    def of(self, listener: str) -> list[Rating]:
        """What a listener answered so far."""
        return self._read(self._file(listener)) if self.known(listener) else []

    def every(self) -> list[Rating]:
        """All answers of all listeners. InputError for a line that is none, with its file."""
        return [rating for file in sorted(self.folder.glob("*.csv")) for rating in self._read(file)]

    def _file(self, listener: str) -> Path:
        return self.folder / f"{listener}.csv"

    def _read(self, file: Path) -> list[Rating]:
        told = []
        with file.open(newline="") as lines:
            for row in csv.DictReader(lines):
                try:
                    smooth, match = checked(int(row["smoothness"])), checked(int(row["match"]))
                    told.append(
                        Rating(row["listener"], int(row["place"]), row["item"], row["system"], row["other"],
                               row["side"], smooth, match)
                    )  # fmt: skip
                except (KeyError, TypeError, ValueError) as error:
                    raise InputError(f"{file.name}: {dict(row)}: expected {','.join(HEAD)}") from error
        return told
