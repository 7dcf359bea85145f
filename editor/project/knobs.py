"""The knobs of the panel: their bounds in words, how a page turns them, what they are to the engines.

A knob that a run does not have is ignored by it. Seconds, shares 0..1. Loads no torch.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any, cast

from editor.project.document import Settings, Take
from engines.requests import ZERO_SHOT, ARSettings, FMSettings, Guidance, InputError, ZeroShot


@dataclass(frozen=True)
class Knob:
    """A number that can be turned."""

    words: str  # what it is called on the page
    low: float
    high: float
    whole: bool = False
    empty: bool = False  # it may stand empty: the bundle's own


KNOBS: dict[str, Knob] = {
    "strength": Knob("strength", 0.05, 1),
    "match": Knob("match", 0, 1),
    "crossfade": Knob("crossfade", 0, 0.5),
    "steps": Knob("FM steps", 1, 200, whole=True),
    "guidance": Knob("guidance", 0, 20, empty=True),
    "text_guidance": Knob("text guidance", 0, 20),
    "budget": Knob("ZS search budget", 8, 1000, whole=True),
    "temperature": Knob("AR temperature", 0.05, 4),
    "top_k": Knob("AR top-k", 0, 4096, whole=True),
    "top_p": Knob("AR top-p", 0, 1),
    "cooling": Knob("AR cooling", 0, 0.95),
    "candidates": Knob("AR candidates", 1, 8, whole=True),
    "fm_candidates": Knob("FM candidates", 1, 8, whole=True),
    "patience": Knob("time for Fix it", 1, 600),
    "join": Knob("loop join", 0.2, 8),
}
CHOICES: dict[str, tuple[str, tuple[str, ...]]] = {
    "solver": ("FM solver", ("euler", "midpoint", "ab2", "dopri5")),
    "schedule": ("FM schedule", ("uniform", "sway")),
    "zero_shot": ("ZS method", ("", *ZERO_SHOT)),  # empty: the bundle's
}
# What a musician may want, and the knobs that it takes; all others are as delivered.
PRESETS: dict[str, dict[str, Any]] = {
    "As delivered": {},
    "Small variation": {"strength": 0.35},
    "Larger variation": {"strength": 0.65},
    "Follow words and lanes": {"guidance": 3.0},
    "Surprise me": {"temperature": 1.2},
    "Quick sketch": {"steps": 10, "fm_candidates": 1, "candidates": 1, "budget": 12, "patience": 8.0},
    "Take your time": {"steps": 50, "fm_candidates": 8, "candidates": 8, "budget": 200, "patience": 120.0},
}
CUSTOM = "Your own"  # what none of them is


def preset(name: str) -> Settings:
    """The settings of a preset; InputError when there is none of that name."""
    if name not in PRESETS:
        raise InputError(f"preset {name[:40]!r}: expected one of {', '.join(PRESETS)}")
    return replace(Settings(), **PRESETS[name])


def preset_of(now: Settings) -> str:
    """The preset that the settings are, or CUSTOM."""
    return next((name for name in PRESETS if preset(name) == now), CUSTOM)


def turned(now: Settings, values: Mapping[str, object]) -> Settings:
    """The settings with the knobs turned that are named; one that is None stays, or is the bundle's.

    InputError for a value of another kind or out of its bounds.
    """
    known: dict[str, Any] = {}
    for name, (words, choices) in CHOICES.items():
        if values.get(name) is not None:
            known[name] = _choice(words, values[name], choices)
    for name, knob in KNOBS.items():
        if values.get(name) is not None:
            known[name] = _number(knob, values[name])
        elif knob.empty and name in values:
            known[name] = None
    return replace(now, **known)


def _choice(words: str, value: object, choices: tuple[str, ...]) -> str:
    if not isinstance(value, str) or value not in choices:
        expected = ", ".join(choice for choice in choices if choice)
        raise InputError(f"{words} {str(value)[:40]!r}: expected one of {expected}")
    return value


def _number(knob: Knob, value: object) -> float:
    number = value if isinstance(value, int | float) and not isinstance(value, bool) else math.nan
    if not abs(number) <= 2**53 or (knob.whole and number != int(number)):  # NaN is not, either
        kind = "a whole number" if knob.whole else "a number"
        raise InputError(f"{knob.words} {str(value)[:40]!r}: expected {kind}; enter it again")
    if not knob.low <= number <= knob.high:
        raise InputError(
            f"{knob.words} {number:g}: expected {knob.low:g}-{knob.high:g}; set it in that range"
        )
    return int(number) if knob.whole else float(number)


def of_take(now: Settings, take: Take) -> Settings:
    """The settings with the knobs as they were for a take; those of other engines stay.

    InputError where the take's are damaged.
    """
    sent = take.parameters
    known = _mapping(sent.get("ar" if take.engine == "ar" else "fm"))
    guidance = _mapping(known.get("guidance"))
    names = {
        "ar": ("temperature", "top_k", "top_p", "cooling", "candidates"),
        "fm": ("steps", "solver", "schedule"),
    }.get(take.engine, ("steps", "solver", "schedule", "zero_shot", "budget"))
    values = {key: known[key] for key in names if key in known}
    values |= {key: sent[key] for key in ("strength", "match", "crossfade") if key in sent}
    values["guidance"] = guidance.get("all")
    if take.engine != "ar" and "candidates" in known:
        values["fm_candidates"] = known["candidates"]
    if guidance:
        values["text_guidance"] = guidance.get("text")
    return turned(now, values)


def for_engines(settings: Settings, zero_shot: ZeroShot) -> tuple[ARSettings, FMSettings]:
    """The knobs as the engines take them; `zero_shot` is the bundle's own method."""
    knobs = asdict(settings)
    weights = None
    if settings.guidance is not None:
        weights = Guidance(all=settings.guidance, text=settings.text_guidance)
    sampled = ("temperature", "top_k", "top_p", "cooling", "candidates")
    return (
        ARSettings(**{name: knobs[name] for name in sampled}, guidance=weights),
        FMSettings(
            **{name: knobs[name] for name in ("solver", "steps", "schedule", "budget")},
            candidates=settings.fm_candidates,
            guidance=weights,
            zero_shot=cast(ZeroShot, settings.zero_shot) if settings.zero_shot else zero_shot,
        ),
    )


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}
