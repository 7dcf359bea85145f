"""What the page sends: one typed event a gesture, checked before anything is done with it.

`EditEvent` carries an edit of `contract` by name; `rev` counts the page's gestures: an answer carries
the newest rev that the server has seen, and the page drops answers older than its own. Times in seconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from engines.errors import InputError


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class EditEvent(_Event):
    """One gesture: an edit of `contract` by name."""

    rev: int = Field(ge=0, le=2**53)
    id: str = Field(default="", max_length=40)  # a second event of the same id changes nothing
    name: str = Field(max_length=40)
    payload: dict[str, Any]
    field: Literal["", "typed", "chosen"] = ""  # it came from a field, which shows it already

    @field_validator("payload")
    @classmethod
    def _of_a_span(cls, payload: dict[str, Any]) -> dict[str, Any]:
        """What names a span is looked up before the edit reads its fields."""
        if not isinstance(payload.get("span"), str | None):
            raise ValueError("span must be text")
        return payload


class OpenEvent(_Event):
    """The page has loaded; `project` is what this tab worked on before, if anything."""

    project: str = Field(default="", max_length=80)
    page: str = Field(default="", max_length=80)  # a secret of the browser's tab that outlives its reloads


class LateEvent(_Event):
    """What a page that is being closed has not heard the answer to yet."""

    page: str = Field(min_length=16, max_length=80)
    edits: list[EditEvent] = Field(max_length=1000)


class Played(_Event):
    """What was played on a keyboard while the microphone was recorded: an edit of one lane."""

    name: Literal["record_notes", "record_hits"]
    payload: dict[str, Any]


class UploadEvent(_Event):
    """A file that the page has sent to the server's upload folder, or an example that ships."""

    path: str = Field(max_length=4096)
    name: str = Field(max_length=1024)
    example: str = Field(default="", max_length=80)  # its file's name
    id: str = Field(default="", max_length=40)  # by which the page knows the answer
    lane: str = Field(default="", max_length=20)  # a MIDI file for this lane; "" = both, or audio
    at: float | None = Field(default=None, ge=0, le=1e5)  # a microphone's: laid over the clip from there on
    played: Played | None = None  # one step with it


class RunEvent(_Event):
    """Run one take again: `take` with another seed, `again` as it was, or `retry` one that failed.

    Or a `task` about one `part` of what plays in the active span.
    """

    take: str = Field(default="", max_length=64)
    again: str = Field(default="", max_length=64)
    retry: str = Field(default="", max_length=64)
    task: Literal["", "add", "take-out", "alone"] = ""
    part: str = Field(default="", max_length=64)


class CancelEvent(_Event):
    """Stop one run, or ("") all."""

    run: str = Field(default="", max_length=64)


class WithdrawEvent(_Event):
    """A file that is being read is not wanted any more."""

    id: str = Field(min_length=1, max_length=64)


class ProjectEvent(_Event):
    """Show another project in this tab."""

    action: Literal["new", "open", "copy"]
    folder: str = Field(default="", max_length=80)  # to open, or to copy; "" = a copy of the one shown
    name: str = Field(default="", max_length=200)  # of the copy; "" = the name of the one copied, and "copy"
    rev: int = Field(default=0, ge=0, le=2**53)


Event = TypeVar("Event", bound=_Event)


def rev_of(data: object) -> int:
    """The number of a gesture, also of one that is refused; 0 where there is none that can be read."""
    rev = data.get("rev") if isinstance(data, Mapping) else None
    return rev if type(rev) is int and 0 <= rev <= 2**53 else 0


def read_event(kind: type[Event], data: object) -> Event:
    """An event from the page; InputError, in one line, when it is not what the page sends."""
    if not isinstance(data, Mapping):
        raise InputError(f"event of type {type(data).__name__}: expected named fields; reload the page")
    try:
        return kind.model_validate(dict(data))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:40]
        raise InputError(f"event field {place!r}: {first['msg'][:120]}; reload the page") from error
