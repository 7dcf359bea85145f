"""JSON -> document: a project, its lanes, a take or a sound from what `asdict` and JSON made of them.

What comes may be anyone's: ids are letters, digits, - and _, numbers are bounded, names are those that are
known. Every function raises ValueError, KeyError or TypeError for anything else. Loads no torch.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping
from dataclasses import fields
from itertools import pairwise
from typing import Any

from editor.project.disk.files import is_name
from editor.project.document import (
    LANE_ITEMS,
    Clip,
    Lanes,
    Patch,
    Project,
    Rating,
    Region,
    Round,
    Section,
    Settings,
    Sound,
    Span,
    Take,
    Version,
)
from editor.project.lanes import LANE_NAMES
from engines.audio.recording import RATES
from engines.audio.timebase import Grid
from engines.requests import DRUMS
from engines.roster import ENGINE_NAMES

MAX_NUMBER = 1e12  # of anything that a project counts or measures
MAX_SAMPLES = 2**40
MAX_CHANNELS = 1024
_BARS = (-10_000, 1_000_000)
MAX_SEED = 2**63 - 1
_ID = re.compile(r"[A-Za-z0-9_-]{0,64}")
_TIME = re.compile(r"(\d[0-9T:.Z +-]{0,39})?")
_KEY = re.compile(r"[A-G][#b]? (major|minor)")


def project_from_json(data: Mapping[str, Any]) -> Project:
    """A project from `asdict(project)` after JSON; ValueError, KeyError or TypeError when it is not one."""
    return Project(
        name=_text(data["name"]),
        prompt=_text(data["prompt"]),
        length=_number(data["length"]),
        seed=_whole(data["seed"], 0, MAX_SEED),
        engines=_known(data["engines"], ENGINE_NAMES),
        grid=_grid(data["grid"]),
        clip=_clip(data["clip"]) if data["clip"] else None,
        key=_matching(data["key"], _KEY),
        spans=tuple(_span(span) for span in data["spans"]),
        active=_id(data["active"]),
        lanes=lanes_from_json(data["lanes"]),
        follow=_known(data["follow"], LANE_NAMES),
        not_meant=_texts(data["not_meant"]),
        sort=_matching(data["sort"], _ID),
        takes=tuple(take_from_json(take) for take in data["takes"]),
        kept=_id(data["kept"]) if data["kept"] is not None else None,
        versions=tuple(_version(version) for version in data["versions"]),
        rounds=tuple(_round(round) for round in data["rounds"]),
        variations=_whole(data["variations"], 1, 100),
        settings=_settings(data["settings"]),
        sections=_sections(data.get("sections", [])),  # older projects have none
    )


def lanes_from_json(data: Mapping[str, Any]) -> Lanes:
    """Lanes from `asdict(lanes)` after JSON; ValueError, KeyError or TypeError when they are none."""
    return Lanes(**{name: lane_from_json(name, data[name]) for name in LANE_ITEMS if name in data})


def lane_from_json(name: str, data: Any) -> tuple[Any, ...]:
    """One lane from `asdict` of its items after JSON; ValueError, KeyError or TypeError when it is none."""
    kind, values = LANE_ITEMS[name], _ITEM_FIELDS[name]
    return tuple(kind(**{field: read(item[field]) for field, read in values.items()}) for item in data)


def take_from_json(data: Mapping[str, Any]) -> Take:
    """A take from `asdict(take)` after JSON; ValueError, KeyError or TypeError when it is not one."""
    return Take(
        id=_id(data["id"]),
        kind=_matching(data["kind"], _ID),
        engine=_matching(data["engine"], _ID),
        seed=_whole(data["seed"], 0, 2**63),
        prompt=_text(data["prompt"]),
        file=_file(data["file"]),
        seconds=_number(data["seconds"]),
        region=_region(data["region"]),
        source=sound_from_json(data["source"]),
        parameters=dict(data["parameters"]),
        timings={_text(stage): _number(spent) for stage, spent in data["timings"].items()},
        seams=tuple(dict(seam) for seam in data["seams"]),
        made=_matching(data["made"], _TIME),
        rate=_whole(data["rate"], 0, RATES[1]),
        channels=_whole(data["channels"], 0, MAX_CHANNELS),
        first=None if data["first"] is None else _whole(data["first"], 0, MAX_SAMPLES),
        name=_text(data["name"]),
        starred=data["starred"] is True,
        deleted=data["deleted"] is True,
        spans=tuple(Region(_number(s["start"]), _number(s["end"])) for s in data["spans"]),
        wish=tuple(dict(wish) for wish in data["wish"]),
        band=tuple(dict(part) for part in data["band"]),
    )


def sound_from_json(data: Any) -> Sound | None:
    """A sound from `asdict(sound)` after JSON; KeyError, TypeError or ValueError when it is not one."""
    return None if data is None else Sound(_file(data["file"]), _patches(data["patches"]))


def _grid(data: Mapping[str, Any]) -> Grid:
    return Grid(_number(data["bpm"]), _whole(data["beats_per_bar"], 1, 16), _number(data["offset"]))


def _cell(data: Mapping[str, Any]) -> tuple[str, float, float]:
    return _id(data["id"]), _number(data["start"]), _number(data["end"])


def _clip(data: Mapping[str, Any]) -> Clip:
    return Clip(
        _file(data["file"]),
        _number(data["seconds"]),
        _whole(data["rate"], 1, RATES[1]),
        _whole(data["channels"], 1, MAX_CHANNELS),
        _text(data["label"]),
        _patches(data["patches"]),
        _number(data["lead"]),
    )


def _patches(data: Any) -> tuple[Patch, ...]:
    return tuple(Patch(_file(patch["file"]), _whole(patch["first"], 0, MAX_SAMPLES)) for patch in data)


def _version(data: Mapping[str, Any]) -> Version:
    parent, take = data["parent"], data["take"]
    return Version(
        _id(data["id"]),
        _clip(data["clip"]),
        None if parent is None else _id(parent),
        None if take is None else _id(take),
    )


def _round(data: Mapping[str, Any]) -> Round:
    region = _region(data["region"])
    if region is None:
        raise TypeError("round without a span")
    ratings = tuple(
        Rating(
            _id(r["take"]),
            _known([r["engine"]], ("gt", *ENGINE_NAMES))[0],
            _whole(r["smoothness"], 1, 10),
            _whole(r["match"], 1, 10),
        )
        for r in data["ratings"]
    )
    return Round(_id(data["id"]), region, ratings, data["matched"] is True, _matching(data["made"], _TIME))


def _settings(data: Mapping[str, Any]) -> Settings:
    known: dict[str, Any] = {}
    for field in fields(Settings):
        if field.name not in data:
            continue
        value = data[field.name]
        if isinstance(field.default, str):
            known[field.name] = _text(value)
        elif isinstance(field.default, int):
            known[field.name] = _whole(value, -(2**53), 2**53)
        else:
            known[field.name] = None if value is None and field.default is None else _number(value)
    return Settings(**known)


def _region(data: Mapping[str, Any] | None) -> Region | None:
    return None if data is None else Region(_number(data["start"]), _number(data["end"]))


def _span(data: Mapping[str, Any]) -> Span:
    return Span(
        *_cell(data),
        prompt=None if data["prompt"] is None else _text(data["prompt"]),
        follow=None if data["follow"] is None else _known(data["follow"], LANE_NAMES),
        intent=_matching(data["intent"], _ID),
        changed=_known(data["changed"], LANE_NAMES),
        ignored=_known(data["ignored"], LANE_NAMES),
        not_meant=_texts(data["not_meant"]),
    )


def _sections(data: Any) -> tuple[Section, ...]:
    found = [
        Section(_id(s["id"]), _text(s["name"]), _whole(s["start"], *_BARS), _whole(s["end"], *_BARS))
        for s in data
    ]
    if any(one.end <= one.start for one in found) or any(a.end > b.start for a, b in pairwise(found)):
        raise ValueError("sections that overlap, or have no bars")
    return tuple(found)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r}: expected text")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r}: expected a list")
    return tuple(_text(item) for item in value)


def _id(value: object) -> str:
    """An id goes into addresses and markup; empty where nothing is named."""
    return _matching(value, _ID)


def _matching(value: object, pattern: re.Pattern[str]) -> str:
    text = _text(value)
    if pattern.fullmatch(text) is None:
        raise ValueError(f"{text[:40]!r}: not what a project has there")
    return text


def _known(value: object, names: Collection[str]) -> tuple[str, ...]:
    given = _texts(value)
    if not set(given) <= set(names):
        raise ValueError(f"{str(given)[:80]}: expected some of {', '.join(names)}")
    return given


def _number(value: object) -> float:
    number = value
    if isinstance(value, int) and abs(value) < 2**63:
        number = float(value)
    if isinstance(value, bool) or not isinstance(number, float) or not abs(number) <= MAX_NUMBER:
        raise TypeError(f"{str(value)[:40]}: expected a finite number")
    return number


def _whole(value: object, low: int, high: int) -> int:
    if isinstance(value, float) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise TypeError(f"{str(value)[:40]}: expected a whole number {low}-{high}")
    return value


def _flag(value: object) -> bool:
    return value is True


def _file(value: object) -> str:
    name = _text(value)
    if not is_name(name):
        raise ValueError(f"{name!r}: not a file name of a project")
    return name


_VALUES: dict[str, Callable[[Any], Any]] = {"str": _text, "float": _number, "bool": _flag}
_NAMED: dict[str, Callable[[Any], Any]] = {  # fields that hold less than their type could
    "id": _id,
    "pitch": lambda value: _whole(value, 0, 127),
    "drum": lambda value: _known([value], DRUMS)[0],
}
_ITEM_FIELDS: dict[str, dict[str, Callable[[Any], Any]]] = {  # lane -> field of its items -> how it is read
    name: {one.name: _NAMED.get(one.name) or _VALUES[str(one.type)] for one in fields(kind)}
    for name, kind in LANE_ITEMS.items()
}
