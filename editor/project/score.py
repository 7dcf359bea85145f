"""A score: what a MIDI or MusicXML file holds for the lanes, with its grid and what was lost on the way.

Times in seconds from the score's beginning, on its grid. Knows neither files nor projects.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from engines.audio.timebase import Grid
from engines.requests import Chord, Hit, Note, Part


@dataclass(frozen=True)
class Score:
    """What a file holds, ready for the lanes. An empty lane was not in the file."""

    chords: tuple[Chord, ...]
    melody: tuple[Note, ...]
    drums: tuple[Hit, ...]
    bpm: float  # beats a minute; a beat of 6/8 is a dotted quarter
    beats_per_bar: int
    note: str = ""  # what was simplified, dropped or inferred, for the user
    band: tuple[Part, ...] = ()  # who plays when
    offset: float = 0.0  # seconds at which its first whole bar begins: a pickup lies before
    timed: bool = False  # it counts seconds and has no bars

    @property
    def grid(self) -> Grid:
        """The beat grid; beat 0 is the score's first whole bar."""
        return Grid(self.bpm, self.beats_per_bar, self.offset)

    @property
    def start(self) -> float:
        """When its first chord, note or hit begins, in seconds."""
        starts = [
            *(c.start for c in self.chords),
            *(n.start for n in self.melody),
            *(h.time for h in self.drums),
        ]
        return min(starts, default=0.0)


def told(remarks: Iterable[str]) -> str:
    """Remarks as one line: the first of each, at most five."""
    given = [remark for remark in dict.fromkeys(remarks) if remark]
    return "; ".join([*given[:5], *([f"and {len(given) - 5} more"] if len(given) > 5 else [])])
