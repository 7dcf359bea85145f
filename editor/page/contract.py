"""The page's edits by name: what a payload must hold, what it does, and what Undo calls it.

`apply` takes payloads from outside, read field by field: a page or a script may send anything, and whatever
cannot be used is an `InputError` in one line, with the edit's name and the field. Knows no components.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

from editor.page.models import serving
from editor.project import arrangement, commands, drawing, sections, spans, versions
from editor.project.document import ChordCell, LaneHit, LaneNote, LanePart, Lanes, Project
from editor.project.lanes import MAX_OBJECTS
from engines.errors import InputError


class Payload:
    """A payload from outside, read field by field; anything unusable is an `InputError`."""

    def __init__(self, event: str, fields: object) -> None:
        if not isinstance(fields, Mapping):
            raise InputError(f"{event}: expected an object with named fields, got {_kind(fields)}")
        self._event = event
        self._fields = fields

    @property
    def fields(self) -> Mapping[str, object]:
        """All fields, unread."""
        return self._fields

    def has(self, key: str) -> bool:
        """Whether the field is there and not null."""
        return self._fields.get(key) is not None

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


# ---- the edits by name


@dataclass(frozen=True)
class Command:
    """An edit that the page may ask for."""

    label: str  # what Undo names: "Undo draw chord"
    run: Callable[[Project, Payload], Project]
    merges: bool = False  # consecutive ones make one undo step (typing, turning a knob)


def _cells(sent: Payload) -> list[ChordCell] | None:
    if not sent.has("chords"):
        return None
    return [
        ChordCell(_id(c), c.number("start"), c.number("end"), c.text("symbol", 40))
        for c in sent.items("chords")
    ]


def _notes(sent: Payload) -> list[LaneNote] | None:
    if not sent.has("melody"):
        return None
    return [
        LaneNote(_id(n), n.number("start"), n.number("end"), n.whole("pitch")) for n in sent.items("melody")
    ]


def _hits(sent: Payload) -> list[LaneHit] | None:
    if not sent.has("drums"):
        return None
    return [LaneHit(_id(h), h.number("time"), h.text("drum", 40)) for h in sent.items("drums")]


def _parts(sent: Payload) -> list[LanePart] | None:
    if not sent.has("band"):
        return None
    return [
        LanePart(
            _id(p), p.number("start"), p.number("end"), p.text("name", 40),
            p.flag("plays") if p.has("plays") else True,
            p.number("sure") if p.has("sure") else 1.0,
            p.text("by", 10) if p.has("by") else "drawn",
        )
        for p in sent.items("band")
    ]  # fmt: skip


def lanes_sent(sent: Payload) -> Lanes:
    """The lane objects of a payload: chords, melody, drums and band, each a list that may be missing."""
    return Lanes(
        tuple(_cells(sent) or ()),
        tuple(_notes(sent) or ()),
        tuple(_hits(sent) or ()),
        tuple(_parts(sent) or ()),
    )


def _edit_lanes_event(project: Project, sent: Payload) -> Project:
    remove = sent.names("remove") if sent.has("remove") else ()
    return drawing.edit_lanes(project, lanes_sent(sent), remove)


# What a gesture on the lanes is called; each is one `drawing.edit_lanes`.
LANE_EDITS: dict[str, str] = {
    "draw_chords": "draw chord",
    "move_chords": "move chords",
    "erase_chords": "erase chords",
    "split_chord": "split chord",
    "merge_chords": "merge chords",
    "transpose_chords": "transpose chords",
    "set_progression": "chord progression",
    "draw_notes": "draw note",
    "move_notes": "move notes",
    "resize_notes": "resize notes",
    "erase_notes": "erase notes",
    "split_note": "split note",
    "transpose_notes": "transpose notes",
    "quantise": "quantise",
    "draw_hits": "draw hits",
    "move_hits": "move hits",
    "erase_hits": "erase hits",
    "set_pattern": "drum pattern",
    "swing": "swing",
    "tap_hits": "tap drums",
    "record_notes": "record melody",
    "record_hits": "record drums",
    "draw_band": "draw players",
    "move_band": "move players",
    "resize_band": "resize players",
    "erase_band": "erase players",
    "set_band": "ask for players",
    "solo_band": "only this one",
    "paste": "paste",
    "repeat": "repeat",
    "clear_lane": "clear lane",
}


def _grid_event(project: Project, sent: Payload) -> Project:
    now = project.grid
    return commands.set_grid(
        project,
        sent.number("bpm") if sent.has("bpm") else now.bpm,
        sent.whole("beats_per_bar") if sent.has("beats_per_bar") else now.beats_per_bar,
        sent.number("offset") if sent.has("offset") else now.offset,
    )


COMMANDS: dict[str, Command] = {
    "set_name": Command("rename", lambda p, x: commands.set_name(p, x.text("name")), merges=True),
    "set_prompt": Command("prompt", lambda p, x: commands.set_prompt(p, x.text("prompt")), merges=True),
    "set_length": Command("length", lambda p, x: commands.set_length(p, x.number("seconds")), merges=True),
    "set_seed": Command("seed", lambda p, x: commands.set_seed(p, x.whole("seed")), merges=True),
    "set_grid": Command("tempo", _grid_event, merges=True),
    "set_key": Command("key", lambda p, x: commands.set_key(p, x.text("key", 40))),
    "set_engines": Command("engines", lambda p, x: commands.set_engines(p, x.names("engines"))),
    "set_follow": Command("lanes to follow", lambda p, x: commands.set_follow(p, x.names("lanes"))),
    "clear_region": Command("clear span", lambda p, x: spans.clear_region(p)),
    "add_span": Command(
        "add span", lambda p, x: spans.add_span(p, x.number("start"), x.number("end"), _id(x))
    ),
    "set_span": Command(
        "change span", lambda p, x: spans.set_span(p, x.identifier(), x.number("start"), x.number("end"))
    ),
    "activate_span": Command("choose span", lambda p, x: spans.activate_span(p, x.identifier())),
    "delete_span": Command("remove span", lambda p, x: spans.delete_span(p, x.identifier())),
    "set_span_own": Command(
        "prompt of the span", lambda p, x: spans.set_span_own(p, x.identifier(), x.flag("own"))
    ),
    "set_span_prompt": Command(
        "prompt of the span",
        lambda p, x: spans.set_span_prompt(p, x.identifier(), x.text("prompt")),
        merges=True,
    ),
    "set_span_follow": Command(
        "lanes of the span", lambda p, x: spans.set_span_follow(p, x.identifier(), x.names("lanes"))
    ),
    "set_intent": Command(
        "intent", lambda p, x: spans.set_intent(p, x.identifier("span"), x.text("intent", 20))
    ),
    "ignore_lane": Command(
        "ignore lane",
        lambda p, x: spans.ignore_lane(p, x.identifier("span"), x.text("lane", 40), x.flag("ignore")),
    ),
    "word_tag": Command(
        "instrument of the words",
        lambda p, x: spans.tag_word(
            p, x.identifier("span") if x.text("span", 64) else "", x.text("name", 40), x.flag("meant")
        ),
    ),
    "sort_takes": Command("order of takes", lambda p, x: commands.set_sort(p, x.text("by", 20))),
    "name_chord": Command(
        "change chord", lambda p, x: drawing.name_chord(p, x.identifier(), x.text("symbol", 40))
    ),
    "keep": Command("keep take", lambda p, x: versions.keep(p, x.identifier())),
    "show_version": Command("go to version", lambda p, x: versions.show_version(p, x.identifier())),
    "rename_take": Command(
        "rename take", lambda p, x: versions.rename_take(p, x.identifier(), x.text("name"))
    ),
    "star_take": Command("star take", lambda p, x: versions.star_take(p, x.identifier())),
    "delete_take": Command("delete take", lambda p, x: versions.delete_take(p, x.identifier())),
    "restore_take": Command("restore take", lambda p, x: versions.restore_take(p, x.identifier())),
    "use_take": Command("settings of a take", lambda p, x: versions.use_take(p, x.identifier())),
    "set_variations": Command("variations", lambda p, x: commands.set_variations(p, x.whole("count"))),
    "set_preset": Command(
        "preset",
        lambda p, x: commands.set_preset(p, x.text("name", 40), serving.delivered(p.settings)),
    ),
    "set_models": Command(
        "models",
        lambda p, x: serving.choose(
            p, *(x.text(slot, 64) if x.has(slot) else None for slot in ("ar_from", "fm_from"))
        ),
    ),
    "set_settings": Command(
        "advanced settings", lambda p, x: commands.set_settings(p, x.fields), merges=True
    ),
    "add_section": Command(
        "add section",
        lambda p, x: sections.add_section(p, x.text("name", 80), x.whole("start"), x.whole("end"), _id(x)),
    ),
    "set_sections": Command(
        "find sections",
        lambda p, x: sections.set_sections(
            p, ((s.text("name", 80), s.whole("start"), s.whole("end")) for s in x.items("sections"))
        ),
    ),
    "name_section": Command(
        "name section", lambda p, x: sections.name_section(p, x.identifier(), x.text("name", 80))
    ),
    "set_section": Command(
        "change section",
        lambda p, x: sections.set_section(p, x.identifier(), x.whole("start"), x.whole("end")),
    ),
    "split_section": Command(
        "split section",
        lambda p, x: sections.split_section(p, x.identifier(), x.whole("bar"), x.identifier("new")),
    ),
    "remove_section": Command(
        "remove the section's name", lambda p, x: sections.remove_section(p, x.identifier())
    ),
    **{name: Command(label, _edit_lanes_event) for name, label in LANE_EDITS.items()},
}


@dataclass(frozen=True)
class Arranging:
    """An edit that puts the sound in another order, too: whoever has the samples finishes it."""

    label: str
    run: Callable[[Project, Payload], arrangement.Arranged]


ARRANGEMENTS: dict[str, Arranging] = {
    "repeat_section": Arranging(
        "repeat section", lambda p, x: arrangement.repeated(p, x.identifier(), x.identifier("new"))
    ),
    "copy_section": Arranging(
        "copy section", lambda p, x: arrangement.copied(p, x.identifier(), x.whole("at"), x.identifier("new"))
    ),
    "move_section": Arranging(
        "move section", lambda p, x: arrangement.moved(p, x.identifier(), x.whole("at"))
    ),
}


def apply(project: Project, name: str, payload: object) -> Project:
    """Apply an event from the page: `COMMANDS[name]` with the fields of `payload`.

    Raises only InputError, whatever the payload holds.
    """
    return command(name).run(project, Payload(name, payload))


def command(name: object) -> Command:
    """The command of that name; InputError when there is none."""
    found = COMMANDS.get(name) if isinstance(name, str) else None
    if found is None:
        raise InputError(f"event {str(name)[:40]!r}: no such command; reload the page")
    return found


def _id(sent: Payload) -> str:
    return sent.identifier() if sent.has("id") else ""
