"""Metre and tempo as scores write them -> the beats of a grid, and where its first bar begins.

A grid knows 1-16 beats a bar at 20-400 beats a minute. A metre or tempo that it has no name for keeps the
length of its bars and gets other beats. Times are quarters. Knows neither files nor lanes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from engines.audio.timebase import Grid

BEATS: Final = (1, 16)  # in a bar, that a grid can have
TEMPO: Final = (20.0, 400.0)  # beats a minute, that a grid can have
TEMPO_UNSAID: Final = 120.0  # quarters a minute of a score that says none
_SAME: Final = 1e-3  # quarters


@dataclass(frozen=True)
class Metre:
    """A time signature: `over` units of which `under` make a whole note, from `at` quarters on."""

    at: float
    over: int
    under: int

    @property
    def quarters(self) -> float:
        """Length of a bar."""
        return 4.0 * self.over / self.under

    @property
    def words(self) -> str:
        """ "7/8"."""
        return f"{self.over}/{self.under}"


@dataclass(frozen=True)
class Counting:
    """How a score's bars are counted on a grid."""

    bpm: float
    beats_per_bar: int
    quarters_a_beat: float
    first_bar: float = 0.0  # quarters before it are a pickup
    remark: str = ""  # what the grid has no name for

    def grid(self, quarters_before: float = 0.0) -> Grid:
        """The grid whose beat 0 is the first bar; `quarters_before` it lies the clip's beginning."""
        return Grid(self.bpm, self.beats_per_bar, quarters_before / self.quarters_a_beat * 60 / self.bpm)


def counted(metre: Metre, quarters_a_minute: float, first_bar: float = 0.0) -> Counting:
    """The beats of a metre at a tempo > 0. 6/8 has two beats of three eighths.

    Where the natural beat does not fit into a grid another one that divides the bar, or goes into it, stands
    for it; bars that are too short or too long for any are joined or halved.
    """
    bar, bars = metre.quarters, 1.0
    natural = metre.over // 3 if metre.under == 8 and metre.over % 3 == 0 else metre.over
    fitting: list[int] = []
    for _ in range(64):  # every turn comes nearer to a grid's bounds
        fitting = [n for n in range(BEATS[0], BEATS[1] + 1) if _fits(n, bar * bars, quarters_a_minute)]
        if fitting:
            break
        bars *= 2.0 if quarters_a_minute / (bar * bars) > TEMPO[1] else 0.5
    if bars == 1.0 and natural in fitting:
        return Counting(_bpm(natural, bar, quarters_a_minute), natural, bar / natural, first_bar)
    related = [n for n in fitting if n > 1 and (natural % n == 0 or n % natural == 0)]
    wanted = min(related or fitting, key=lambda n: abs(n - (natural if related else bar * bars)))
    bpm = _bpm(wanted, bar * bars, quarters_a_minute)
    joined = "" if bars == 1 else f", {bars:g} bars as one" if bars > 1 else f", each as {1 / bars:g} bars"
    remark = f"{metre.words} at {quarters_a_minute:g} is counted as {wanted} beats a bar{joined}"
    return Counting(bpm, wanted, bar * bars / wanted, first_bar, remark)


def _bpm(count: int, bar: float, quarters_a_minute: float) -> float:
    return quarters_a_minute * count / bar


def _fits(count: int, bar: float, quarters_a_minute: float) -> bool:
    return TEMPO[0] <= _bpm(count, bar, quarters_a_minute) <= TEMPO[1]


def first_bar(metres: Sequence[Metre]) -> tuple[Metre, float]:
    """The metre of a score and the quarter at which its first whole bar begins; 4/4 where none is set.

    A first metre that lasts for one bar, shorter than those of the next, is that of a pickup.
    """
    if not metres:
        return Metre(0.0, 4, 4), 0.0
    first, *rest = metres if metres[0].at <= _SAME else (Metre(0.0, 4, 4), *metres)
    if rest:
        lasts = rest[0].at - first.at
        if lasts < rest[0].quarters - _SAME and lasts <= first.quarters + _SAME:
            return rest[0], rest[0].at
    return first, 0.0


def changes(metres: Sequence[Metre], kept: Metre) -> str:
    """What is told of metres that a grid does not follow; "" where there is only one."""
    others = dict.fromkeys(m.words for m in metres if m.at > kept.at + _SAME and m.words != kept.words)
    return f"its metre changes ({_listed(kept.words, others)}): bar lines stay {kept.words}" if others else ""


def tempo_changes(tempi: Sequence[tuple[float, float]], kept: float, after: float) -> str:
    """What is told of tempi (quarters, quarters a minute) later than `after` that a grid does not follow."""
    others = dict.fromkeys(
        f"{tempo:.3g}" for at, tempo in tempi if at > after + _SAME and abs(tempo / kept - 1) > 0.01
    )
    if not others:
        return ""
    words = _listed(f"{kept:.3g}", others)
    return f"its tempo changes ({words} quarters a minute): all of it is laid at {kept:.3g}"


def _listed(first: str, others: dict[str, None]) -> str:
    more = ["..."] if len(others) > 3 else []
    return ", ".join([first, *list(others)[:3], *more])
