"""JSON -> document: a project, its lanes, a take or a sound from what `asdict` and JSON made of them.

Every function raises ValueError, KeyError or TypeError for anything else. Loads no torch.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import fields
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
    Settings,
    Sound,
    Span,
    Take,
    Version,
)
from engines.audio.timebase import Grid


def project_from_json(data: Mapping[str, Any]) -> Project:
    """A project from `asdict(project)` after JSON; ValueError, KeyError or TypeError when it is not one."""
    return Project(
        name=_text(data["name"]),
        prompt=_text(data["prompt"]),
        length=_number(data["length"]),
        seed=int(data["seed"]),
        engines=_texts(data["engines"]),
        grid=_grid(data["grid"]),
        clip=_clip(data["clip"]) if data["clip"] else None,
        key=_text(data["key"]),
        spans=tuple(_span(span) for span in data["spans"]),
        active=_text(data["active"]),
        lanes=lanes_from_json(data["lanes"]),
        follow=_texts(data["follow"]),
        not_meant=_texts(data["not_meant"]),
        sort=_text(data["sort"]),
        takes=tuple(take_from_json(take) for take in data["takes"]),
        kept=_text(data["kept"]) if data["kept"] is not None else None,
        versions=tuple(_version(version) for version in data["versions"]),
        rounds=tuple(_round(round) for round in data["rounds"]),
        variations=int(data["variations"]),
        settings=_settings(data["settings"]),
    )


def lanes_from_json(data: Mapping[str, Any]) -> Lanes:
    """Lanes from `asdict(lanes)` after JSON; ValueError, KeyError or TypeError when they are none."""
    return Lanes(**{name: lane_from_json(name, data[name]) for name in LANE_ITEMS})


def lane_from_json(name: str, data: Any) -> tuple[Any, ...]:
    """One lane from `asdict` of its items after JSON; ValueError, KeyError or TypeError when it is none."""
    kind, values = LANE_ITEMS[name], _ITEM_FIELDS[name]
    return tuple(kind(**{field: read(item[field]) for field, read in values.items()}) for item in data)


def take_from_json(data: Mapping[str, Any]) -> Take:
    """A take from `asdict(take)` after JSON; ValueError, KeyError or TypeError when it is not one."""
    return Take(
        id=_text(data["id"]),
        kind=_text(data["kind"]),
        engine=_text(data["engine"]),
        seed=int(data["seed"]),
        prompt=_text(data["prompt"]),
        file=_file(data["file"]),
        seconds=_number(data["seconds"]),
        region=_region(data["region"]),
        source=sound_from_json(data["source"]),
        parameters=dict(data["parameters"]),
        timings={_text(stage): _number(spent) for stage, spent in data["timings"].items()},
        seams=tuple(dict(seam) for seam in data["seams"]),
        made=_text(data["made"]),
        rate=int(data["rate"]),
        channels=int(data["channels"]),
        first=None if data["first"] is None else int(data["first"]),
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
    return Grid(_number(data["bpm"]), int(data["beats_per_bar"]), _number(data["offset"]))


def _cell(data: Mapping[str, Any]) -> tuple[str, float, float]:
    return _text(data["id"]), _number(data["start"]), _number(data["end"])


def _clip(data: Mapping[str, Any]) -> Clip:
    return Clip(
        _file(data["file"]),
        _number(data["seconds"]),
        int(data["rate"]),
        int(data["channels"]),
        _text(data["label"]),
        _patches(data["patches"]),
        _number(data["lead"]),
    )


def _patches(data: Any) -> tuple[Patch, ...]:
    return tuple(Patch(_file(patch["file"]), int(patch["first"])) for patch in data)


def _version(data: Mapping[str, Any]) -> Version:
    parent, take = data["parent"], data["take"]
    return Version(
        _text(data["id"]),
        _clip(data["clip"]),
        None if parent is None else _text(parent),
        None if take is None else _text(take),
    )


def _round(data: Mapping[str, Any]) -> Round:
    region = _region(data["region"])
    if region is None:
        raise TypeError("round without a span")
    ratings = tuple(
        Rating(_text(r["take"]), _text(r["engine"]), int(r["smoothness"]), int(r["match"]))
        for r in data["ratings"]
    )
    return Round(_text(data["id"]), region, ratings, data["matched"] is True, _text(data["made"]))


def _settings(data: Mapping[str, Any]) -> Settings:
    known: dict[str, Any] = {}
    for field in fields(Settings):
        value = data[field.name]
        if isinstance(field.default, str):
            known[field.name] = _text(value)
        elif isinstance(field.default, int):
            known[field.name] = int(value)
        else:
            known[field.name] = None if value is None and field.default is None else _number(value)
    return Settings(**known)


def _region(data: Mapping[str, Any] | None) -> Region | None:
    return None if data is None else Region(_number(data["start"]), _number(data["end"]))


def _span(data: Mapping[str, Any]) -> Span:
    return Span(
        *_cell(data),
        prompt=None if data["prompt"] is None else _text(data["prompt"]),
        follow=None if data["follow"] is None else _texts(data["follow"]),
        intent=_text(data["intent"]),
        changed=_texts(data["changed"]),
        ignored=_texts(data["ignored"]),
        not_meant=_texts(data["not_meant"]),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r}: expected text")
    return value


def _texts(value: object) -> tuple[str, ...]:
    if not isinstance(value, list):
        raise TypeError(f"{value!r}: expected a list")
    return tuple(_text(item) for item in value)


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not math.isfinite(value):
        raise TypeError(f"{value!r}: expected a finite number")
    return float(value)


def _flag(value: object) -> bool:
    return value is True


def _file(value: object) -> str:
    name = _text(value)
    if not is_name(name):
        raise ValueError(f"{name!r}: not a file name of a project")
    return name


_VALUES: dict[str, Callable[[Any], Any]] = {"str": _text, "float": _number, "int": int, "bool": _flag}
_ITEM_FIELDS: dict[str, dict[str, Callable[[Any], Any]]] = {  # lane -> field of its items -> how it is read
    name: {one.name: _VALUES[str(one.type)] for one in fields(kind)} for name, kind in LANE_ITEMS.items()
}
