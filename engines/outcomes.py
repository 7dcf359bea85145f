"""How a result came about, and what of the wish came true: candidates, a zero-shot search, "Fix it".

Each knows itself as JSON, as takes and reports keep it, and is read back from there. Loads no torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

# What a take's JSON calls them.
CANDIDATES: Final = "candidates"
SEARCH: Final = "search"
AUTO: Final = "auto"


@dataclass(frozen=True)
class Candidate:
    """One of several fillings of a span."""

    began_from: str  # in words
    roughness: float  # weighed surprises of its seams
    agreement: float | None = None  # with what was asked, 0..1; None where nothing was, or it could not win


@dataclass(frozen=True)
class Candidates:
    """The fillings among which one was chosen."""

    each: tuple[Candidate, ...]
    chosen: int  # its place among them

    def to_json(self) -> dict[str, Any]:
        """As takes keep it."""
        agreement = [None if one.agreement is None else round(one.agreement, 3) for one in self.each]
        return {
            "began from": [one.began_from for one in self.each],
            "roughness": [round(one.roughness, 3) for one in self.each],
            "chosen": self.chosen,
        } | ({"agreement": agreement} if agreement != [None] * len(agreement) else {})

    @staticmethod
    def from_json(data: object) -> Candidates | None:
        """What `to_json` gave; None for anything else."""
        try:
            told = _mapping(data)
            starts, costs = told["began from"], told["roughness"]
            shares = told.get("agreement") or [None] * len(starts)
            each = zip(starts, costs, shares, strict=True)
            return Candidates(
                tuple(Candidate(str(a), float(b), None if c is None else float(c)) for a, b, c in each),
                int(told["chosen"]),
            )
        except (KeyError, TypeError, ValueError):
            return None


@dataclass(frozen=True)
class Searched:
    """One beginning of a zero-shot search, and how it fared."""

    start: str  # in words: where it began
    joins: float  # flow time at which it began
    curve: tuple[tuple[float, float], ...]  # (flow time, misfit of the known frames at the edges)
    dropped: float | None  # flow time at which it was given up; None = it arrived


@dataclass(frozen=True)
class Search:
    """A zero-shot search within a budget of network evaluations."""

    budget: int
    spent: int
    candidates: tuple[Searched, ...]

    def to_json(self) -> dict[str, Any]:
        """As takes keep it."""
        each = [
            {
                "start": one.start,
                "joins": one.joins,
                "curve": [[round(t, 4), round(misfit, 5)] for t, misfit in one.curve],
                "dropped": one.dropped,
            }
            for one in self.candidates
        ]
        return {"budget": self.budget, "spent": self.spent, "candidates": each}

    @staticmethod
    def from_json(data: object) -> Search | None:
        """What `to_json` gave; None for anything else."""
        try:
            told = _mapping(data)
            each = tuple(
                Searched(
                    str(one["start"]),
                    float(one["joins"]),
                    tuple((float(t), float(misfit)) for t, misfit in one["curve"]),
                    None if one["dropped"] is None else float(one["dropped"]),
                )
                for one in told["candidates"]
            )
            return Search(int(told["budget"]), int(told["spent"]), each)
        except (KeyError, TypeError, ValueError):
            return None


@dataclass(frozen=True)
class Comparison:
    """The engines that "Fix it" ran, and why it took one."""

    chosen: str  # an engine's name
    scores: Mapping[str, float]  # engine -> score of its rougher seam
    left_out: Mapping[str, str]  # engine -> why it was not run
    why: str

    def to_json(self) -> dict[str, Any]:
        """As takes keep it."""
        return {
            "chosen": self.chosen,
            "scores": dict(self.scores),
            "left out": dict(self.left_out),
            "why": self.why,
        }

    @staticmethod
    def from_json(data: object) -> Comparison | None:
        """What `to_json` gave; None for anything else."""
        try:
            told = _mapping(data)
            scores = {str(name): float(score) for name, score in _mapping(told["scores"]).items()}
            left_out = {str(name): str(why) for name, why in _mapping(told["left out"]).items()}
            return Comparison(str(told["chosen"]), scores, left_out, str(told["why"]))
        except (KeyError, TypeError, ValueError):
            return None


@dataclass(frozen=True)
class Wish:
    """One thing that a request asked for, and what of it is heard (`engines.filling.agreement`)."""

    kind: Literal["instrument", "chords", "melody", "drums"]
    name: str  # the instrument; else the lane's name
    plays: bool = True  # False: it was asked to be absent
    share: float = 0.0  # 0..1: share of its time that an instrument is heard; agreement of a lane
    sure: float = 1.0  # the listener's certainty, 0..1
    seconds: float = 0.0  # how long it was asked for

    @property
    def words(self) -> str:
        """What came of it: "heard", "faint", "not heard", "gone", "still plays"; of a lane "78 %"."""
        if self.kind != "instrument":
            return f"{100 * self.share:.0f} %"
        if self.plays:
            return "heard" if self.share >= 0.6 else "faint" if self.share >= 0.2 else "not heard"
        return "gone" if self.share < 0.2 else "still plays"

    @property
    def granted(self) -> float:
        """How far it came true, 0..1."""
        return self.share if self.plays or self.kind != "instrument" else 1.0 - self.share


def _mapping(data: object) -> Mapping[str, Any]:
    if not isinstance(data, Mapping):
        raise TypeError(f"{type(data).__name__}: expected an object")
    return data
