"""A knob: one field of a request or of settings, with its bounds, its label and what it does, said once.

The engines' checks, the panel, payloads, the command line and replays read the knobs of a dataclass from
its fields. Numbers are in the unit of the field. Loads no torch.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, field, fields
from typing import Any

_KEY = "knob"


@dataclass(frozen=True)
class Knob:
    """What a field may be, and what a musician reads of it."""

    default: Any
    label: str  # on the page; its first words name it in messages
    tip: str  # what it does, for a musician
    low: float = 0.0
    high: float = 1.0
    step: float = 1.0  # of the control on the page
    choices: tuple[str, ...] = ()  # instead of bounds
    unit: str = ""  # in messages: " s"

    @property
    def whole(self) -> bool:
        """Whether it is a whole number."""
        return isinstance(self.default, int)

    def refusal(self, value: Any) -> str:
        """Why a value cannot be used: value, expectation, remedy; empty where it can."""
        if self.choices:
            if value in self.choices:
                return ""
            expected = ", ".join(choice for choice in self.choices if choice)
            return f"{self.label} {str(value)[:24]!r}: expected {expected}; choose one of them"
        fine = isinstance(value, int | float) and math.isfinite(value) and self.low <= value <= self.high
        if fine and (not self.whole or value == int(value)):
            return ""
        told = f"{value:g}" if isinstance(value, int | float) else repr(str(value)[:24])
        kind = "a whole number, " if self.whole and fine else ""
        usual = "" if self.default is None else f"{self.default:g}{self.unit} is the usual value"
        return (
            f"{self.label} {told}{self.unit}: expected {kind}{self.low:g}-{self.high:g}{self.unit}; "
            f"{usual or 'set it in that range'}"
        )


def knob(default: Any, label: str, tip: str, **more: Any) -> Any:
    """A dataclass field that is a knob; further words are Knob's."""
    return field(default=default, metadata={_KEY: Knob(default, label, tip, **more)})


def knobs(owner: Any) -> dict[str, Knob]:
    """The knobs of a dataclass, or of an instance of one, by field."""
    return {f.name: f.metadata[_KEY] for f in fields(owner) if _KEY in f.metadata}


def refusal(settings: Any) -> str:
    """Why a dataclass's instance cannot be used: its first knob out of bounds; empty where all are in."""
    reasons = (knob.refusal(getattr(settings, name)) for name, knob in knobs(settings).items())
    return next((reason for reason in reasons if reason), "")
