"""Payloads from outside, read field by field: a page or a script may send anything.

Knows no commands; every complaint is one line with the event's name and the field.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from editor.project.lanes import MAX_OBJECTS
from engines.requests import InputError


class Payload:
    """A payload from outside, read field by field; anything unusable is an `InputError`."""

    def __init__(self, event: str, fields: object) -> None:
        if not isinstance(fields, Mapping):
            raise InputError(f"{event}: expected an object with named fields, got {_kind(fields)}")
        self._event = event
        self._fields = fields

    def has(self, key: str) -> bool:
        """Whether the field is there and not null."""
        return self._fields.get(key) is not None

    def names_field(self, key: str) -> bool:
        """Whether the field is there, be it null."""
        return key in self._fields

    def text(self, key: str, longest: int = 100_000) -> str:
        """A string field."""
        value = self._fields.get(key)
        if not isinstance(value, str):
            raise self._error(key, "text", value)
        if len(value) > longest:
            raise InputError(f"{self._event}: {key} of {len(value)} characters: at most {longest}")
        return value

    def identifier(self, key: str = "id") -> str:
        """A short name of a lane object or take: letters, digits, dash, underscore."""
        value = self.text(key, 64)
        if not value or not all(char.isascii() and (char.isalnum() or char in "-_") for char in value):
            raise InputError(f"{self._event}: {key} {value!r}: expected letters, digits, - and _ only")
        return value

    def number(self, key: str) -> float:
        """A finite number field."""
        value = self._fields.get(key)
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise self._error(key, "a number", value)
        try:
            number = float(value)
        except OverflowError:
            number = math.inf
        if not math.isfinite(number):
            raise InputError(f"{self._event}: {key} must be a finite number; enter it again")
        return number

    def whole(self, key: str) -> int:
        """A whole number field; 7.0 counts as 7."""
        number = self.number(key)
        if number != int(number) or abs(number) > 2**53:
            raise self._error(key, "a whole number", number)
        return int(number)

    def flag(self, key: str) -> bool:
        """A true or false field."""
        value = self._fields.get(key)
        if not isinstance(value, bool):
            raise self._error(key, "true or false", value)
        return value

    def names(self, key: str) -> tuple[str, ...]:
        """A list of strings."""
        value = self._fields.get(key)
        if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
            raise self._error(key, "a list of names", value)
        for item in value:
            if not isinstance(item, str):
                raise self._error(key, "a list of names", item)
        return tuple(value)

    def items(self, key: str) -> tuple[Payload, ...]:
        """A list of objects."""
        value = self._fields.get(key)
        if not isinstance(value, Sequence) or isinstance(value, (str, bytes)):
            raise self._error(key, "a list", value)
        if len(value) > MAX_OBJECTS:
            raise InputError(f"{self._event}: {len(value)} {key}: at most {MAX_OBJECTS}; remove some")
        return tuple(Payload(self._event, item) for item in value)

    def _error(self, key: str, expected: str, value: object) -> InputError:
        return InputError(f"{self._event}: {key} must be {expected}, not {_kind(value)}")


def _kind(value: object) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {str(value)[:40]!r}"
