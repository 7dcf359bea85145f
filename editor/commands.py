"""Edits: pure functions Project -> Project, and the table that applies the page's events by name.

Every function checks what it is given and raises `InputError` (one line: value, expectation, remedy);
none changes its argument. Times of regions and audio are seconds, times of lanes are beats.
`apply` takes payloads from outside and answers anything unusable with an `InputError`.
Knows neither history, files nor engines' insides.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar
from unicodedata import category

from editor import lanes
from editor.document import ChordCell, Clip, LaneHit, LaneNote, Project, Region, Take
from engines.chords import parse as parse_chord
from engines.requests import DRUMS, ENGINE_NAMES, MAX_PROMPT, InputError
from engines.timebase import Grid

LENGTH_SECONDS = (1.0, 30.0)  # what Generate may be asked for; each engine says what it can do
MAX_SEED = 2**32 - 1
MAX_NAME = 100  # characters
MAX_BEATS = 100_000.0  # far beyond any clip; keeps lane times finite
Item = TypeVar("Item", ChordCell, LaneNote, LaneHit)
_SLACK = 0.02  # seconds by which a dragged border may miss the clip's edge


# ---- words, length, seed, grid, engines


def clean_text(text: str) -> str:
    """Text fit for a model and a page: control and unpaired characters become spaces, several one."""
    unseen = ("Cc", "Cs", "Zl", "Zp")  # Unicode: controls, surrogates, line and paragraph separators
    return " ".join("".join(" " if category(char) in unseen else char for char in text).split())


def check_prompt(prompt: str) -> str:
    """A prompt that every engine takes; InputError when it is longer than MAX_PROMPT characters."""
    prompt = clean_text(prompt)
    if len(prompt) > MAX_PROMPT:
        raise InputError(f"prompt of {len(prompt)} characters: at most {MAX_PROMPT}; shorten it")
    return prompt


def check_seed(seed: int) -> int:
    """A seed in 0..MAX_SEED."""
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed {str(seed)[:24]}: expected a whole number 0-{MAX_SEED}; choose another")
    return seed


def set_name(project: Project, name: str) -> Project:
    """Name the project."""
    name = clean_text(name)
    if len(name) > MAX_NAME:
        raise InputError(f"name of {len(name)} characters: at most {MAX_NAME}; shorten it")
    return replace(project, name=name or "Untitled")


def set_prompt(project: Project, prompt: str) -> Project:
    """Set the words that a run follows."""
    return replace(project, prompt=check_prompt(prompt))


def set_length(project: Project, seconds: float) -> Project:
    """Set the length of a generated clip."""
    low, high = LENGTH_SECONDS
    if not low <= seconds <= high:
        raise InputError(f"length {seconds:g} s: expected {low:g}-{high:g} s; set it in that range")
    return replace(project, length=float(seconds))


def set_seed(project: Project, seed: int) -> Project:
    """Set the seed of the next run."""
    return replace(project, seed=check_seed(seed))


def set_grid(project: Project, bpm: float, beats_per_bar: int, offset: float = 0.0) -> Project:
    """Set tempo, signature and the time of beat 0. Lane objects keep their beats, so they move in time."""
    if not abs(offset) <= 3600:
        raise InputError(f"first beat at {offset:g} s: expected within an hour of the clip; set it again")
    try:
        return replace(project, grid=Grid(bpm, beats_per_bar, offset))
    except ValueError as error:
        raise InputError(str(error)) from error


def set_engines(project: Project, engines: Sequence[str]) -> Project:
    """Tick the engines for Inpaint; kept in the order AR, FM, zero-shot."""
    for name in engines:
        if name not in ENGINE_NAMES:
            raise InputError(f"engine {name[:40]!r}: expected one of {', '.join(ENGINE_NAMES)}")
    return replace(project, engines=tuple(name for name in ENGINE_NAMES if name in engines))


def toggle_engine(project: Project, engine: str) -> Project:
    """Tick an engine, or untick it."""
    ticked = set(project.engines) ^ {engine}
    return set_engines(project, tuple(ticked))


def set_follow(project: Project, names: Sequence[str]) -> Project:
    """Choose the lanes that condition a run."""
    for name in names:
        if name not in lanes.LANE_NAMES:
            raise InputError(f"lane {name[:40]!r}: expected one of {', '.join(lanes.LANE_NAMES)}")
    return replace(project, follow=tuple(name for name in lanes.LANE_NAMES if name in names))


# ---- region


def timeline_seconds(project: Project) -> float:
    """Length of the timeline: the clip's, or that of the clip to be generated."""
    return project.clip.seconds if project.clip else project.length


def set_region(project: Project, start: float, end: float) -> Project:
    """Select the span [start, end) in seconds."""
    total = timeline_seconds(project)
    if end < start:
        raise InputError(f"span {start:g}-{end:g} s: the end must follow the start; swap them")
    if start < -_SLACK or start >= total or end > total + _SLACK:
        raise InputError(f"span {start:g}-{end:g} s: outside the clip; choose one inside 0-{total:g} s")
    start, end = max(0.0, start), min(total, end)
    if end - start < 1e-3:
        raise InputError(f"span {start:g}-{end:g} s: empty; drag over the part to re-make")
    return replace(project, region=Region(start, end))


def clear_region(project: Project) -> Project:
    """Select nothing."""
    return replace(project, region=None)


# ---- chord lane


def put_chord(project: Project, start: float, end: float, symbol: str, id: str = "") -> Project:
    """Draw a chord over [start, end) beats; it cuts what it covers. An id in use moves that chord here."""
    _check_cell(start, end, "chord")
    cell = ChordCell(id or _fresh_chord(project), float(start), float(end), parse_chord(symbol).symbol)
    return _with_chords(project, lanes.place(project.lanes.chords, cell))


def name_chord(project: Project, id: str, symbol: str) -> Project:
    """Give a chord another symbol."""
    cell = replace(_chord(project, id), symbol=parse_chord(symbol).symbol)
    return _with_chords(project, tuple(cell if c.id == id else c for c in project.lanes.chords))


def move_chord(project: Project, id: str, start: float) -> Project:
    """Move a chord to begin at `start` beats; it cuts what it covers."""
    cell = _chord(project, id)
    return put_chord(project, start, start + cell.end - cell.start, cell.symbol, id)


def resize_chord(project: Project, id: str, start: float, end: float) -> Project:
    """Give a chord new borders in beats; it cuts what it covers."""
    return put_chord(project, start, end, _chord(project, id).symbol, id)


def delete_chord(project: Project, id: str) -> Project:
    """Take a chord off the lane."""
    _chord(project, id)
    return _with_chords(project, lanes.without(project.lanes.chords, id))


def set_lanes(
    project: Project,
    chords: Sequence[ChordCell] | None = None,
    melody: Sequence[LaneNote] | None = None,
    drums: Sequence[LaneHit] | None = None,
) -> Project:
    """Replace whole lanes (None = leave it as it is). Overlaps are cut, later cells over earlier ones."""
    now = project.lanes
    if chords is not None:
        for cell in chords:
            _check_cell(cell.start, cell.end, "chord")
        named = tuple(replace(cell, symbol=parse_chord(cell.symbol).symbol) for cell in chords)
        now = replace(now, chords=lanes.place_all(_identified(named, "c")))
    if melody is not None:
        for note in melody:
            _check_cell(note.start, note.end, "note")
            if not 0 <= note.pitch <= 127:
                raise InputError(f"note {note.pitch}: expected a MIDI pitch 0-127")
        now = replace(now, melody=lanes.place_all(_identified(tuple(melody), "n")))
    if drums is not None:
        for hit in drums:
            if not abs(hit.time) <= MAX_BEATS:
                raise InputError(f"hit at beat {hit.time:g}: outside the timeline; move it back")
            if hit.drum not in DRUMS:
                raise InputError(f"drum {hit.drum[:40]!r}: expected one of {', '.join(DRUMS)}")
        hits = tuple(sorted(_identified(tuple(drums), "h"), key=lambda hit: (hit.time, hit.drum)))
        now = replace(now, drums=hits)
    return replace(project, lanes=now)


# ---- clip and takes (from the server's side only: they name files)


def set_clip(project: Project, clip: Clip) -> Project:
    """Put uploaded audio on the timeline. The region stays if it lies inside the new clip."""
    region = project.region if project.region and project.region.end <= clip.seconds else None
    return replace(project, clip=clip, region=region, kept=None)


def add_take(project: Project, take: Take) -> Project:
    """Add a finished take; one whose id is there already changes nothing."""
    if any(known.id == take.id for known in project.takes):
        return project
    return replace(project, takes=(*project.takes, take))


def find_take(project: Project, id: str) -> Take:
    """The take of that id; InputError when there is none."""
    for take in project.takes:
        if take.id == id:
            return take
    raise InputError(f"take {id[:40]!r}: no such take; choose one from the list")


def keep(project: Project, id: str) -> Project:
    """Put a take on the timeline."""
    take = find_take(project, id)
    label = f"{ENGINE_LABELS.get(take.engine, take.engine)} seed {take.seed}"
    kept = set_clip(project, Clip(take.file, take.seconds, take.rate, take.channels, label))
    return replace(kept, kept=id)


ENGINE_LABELS: dict[str, str] = {"ar": "AR", "fm": "FM", "fm-zero-shot": "ZS"}


# ---- events from the page


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
        if len(value) > lanes.MAX_OBJECTS:
            raise InputError(f"{self._event}: {len(value)} {key}: at most {lanes.MAX_OBJECTS}; remove some")
        return tuple(Payload(self._event, item) for item in value)

    def _error(self, key: str, expected: str, value: object) -> InputError:
        return InputError(f"{self._event}: {key} must be {expected}, not {_kind(value)}")


@dataclass(frozen=True)
class Command:
    """An edit that the page may ask for."""

    label: str  # what Undo names: "Undo draw chord"
    run: Callable[[Project, Payload], Project]
    merges: bool = False  # consecutive ones make one undo step (typing, turning a knob)


def _lanes_event(project: Project, sent: Payload) -> Project:
    cells = notes = hits = None
    if sent.has("chords"):
        cells = [
            ChordCell(_id(c), c.number("start"), c.number("end"), c.text("symbol", 40))
            for c in sent.items("chords")
        ]
    if sent.has("melody"):
        notes = [
            LaneNote(_id(n), n.number("start"), n.number("end"), n.whole("pitch"))
            for n in sent.items("melody")
        ]
    if sent.has("drums"):
        hits = [LaneHit(_id(h), h.number("time"), h.text("drum", 40)) for h in sent.items("drums")]
    return set_lanes(project, cells, notes, hits)


def _grid_event(project: Project, sent: Payload) -> Project:
    now = project.grid
    return set_grid(
        project,
        sent.number("bpm") if sent.has("bpm") else now.bpm,
        sent.whole("beats_per_bar") if sent.has("beats_per_bar") else now.beats_per_bar,
        sent.number("offset") if sent.has("offset") else now.offset,
    )


COMMANDS: dict[str, Command] = {
    "set_name": Command("rename", lambda p, x: set_name(p, x.text("name")), merges=True),
    "set_prompt": Command("prompt", lambda p, x: set_prompt(p, x.text("prompt")), merges=True),
    "set_length": Command("length", lambda p, x: set_length(p, x.number("seconds")), merges=True),
    "set_seed": Command("seed", lambda p, x: set_seed(p, x.whole("seed")), merges=True),
    "set_grid": Command("tempo", _grid_event, merges=True),
    "set_engines": Command("engines", lambda p, x: set_engines(p, x.names("engines"))),
    "toggle_engine": Command("engines", lambda p, x: toggle_engine(p, x.text("engine", 40))),
    "set_follow": Command("lanes to follow", lambda p, x: set_follow(p, x.names("lanes"))),
    "set_region": Command("select span", lambda p, x: set_region(p, x.number("start"), x.number("end"))),
    "clear_region": Command("clear span", lambda p, x: clear_region(p)),
    "put_chord": Command(
        "draw chord",
        lambda p, x: put_chord(p, x.number("start"), x.number("end"), x.text("symbol", 40), _id(x)),
    ),
    "name_chord": Command("change chord", lambda p, x: name_chord(p, x.identifier(), x.text("symbol", 40))),
    "move_chord": Command("move chord", lambda p, x: move_chord(p, x.identifier(), x.number("start"))),
    "resize_chord": Command(
        "resize chord", lambda p, x: resize_chord(p, x.identifier(), x.number("start"), x.number("end"))
    ),
    "delete_chord": Command("delete chord", lambda p, x: delete_chord(p, x.identifier())),
    "set_lanes": Command("edit lanes", _lanes_event),
    "keep": Command("keep take", lambda p, x: keep(p, x.identifier())),
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


# ---- inside


def _id(sent: Payload) -> str:
    return sent.identifier() if sent.has("id") else ""


def _kind(value: object) -> str:
    return "nothing" if value is None else f"{type(value).__name__} {str(value)[:40]!r}"


def _check_cell(start: float, end: float, what: str) -> None:
    if not (abs(start) <= MAX_BEATS and abs(end) <= MAX_BEATS):
        raise InputError(f"{what} at beats {start:g}-{end:g}: outside the timeline; move it back")
    if end - start < lanes.SHORTEST:
        raise InputError(
            f"{what} at beats {start:g}-{end:g}: the end must follow the start by at least "
            f"{lanes.SHORTEST:g} beat; make it longer"
        )


def _identified(items: tuple[Item, ...], prefix: str) -> tuple[Item, ...]:
    """The items, each with an id of its own: missing and repeated ones get a new one."""
    seen = {item.id for item in items}
    used: set[str] = set()
    named: list[Item] = []
    for item in items:
        if not item.id or item.id in used:
            item = replace(item, id=lanes.fresh_id(prefix, seen))
        seen.add(item.id)
        used.add(item.id)
        named.append(item)
    return tuple(named)


def _fresh_chord(project: Project) -> str:
    return lanes.fresh_id("c", (cell.id for cell in project.lanes.chords))


def _chord(project: Project, id: str) -> ChordCell:
    for cell in project.lanes.chords:
        if cell.id == id:
            return cell
    raise InputError(f"chord {id[:40]!r}: no longer on the lane; undo, or draw it again")


def _with_chords(project: Project, cells: tuple[ChordCell, ...]) -> Project:
    if len(cells) > lanes.MAX_OBJECTS:
        raise InputError(f"{len(cells)} chords: at most {lanes.MAX_OBJECTS}; remove some")
    return replace(project, lanes=replace(project.lanes, chords=cells))
