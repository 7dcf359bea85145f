"""Requests <-> JSON: everything that is needed to run a request again; audio is named, not held.

Times are seconds. Loads no torch.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, fields
from pathlib import Path
from typing import Any, cast

from editor.project.disk import sounds
from editor.project.disk.reading import sound_from_json
from editor.project.document import Sound
from editor.runs.job import EXTENSIONS, Extension, ExtensionKind, Job
from engines.audio.recording import Recording
from engines.audio.timebase import Grid
from engines.errors import InputError
from engines.outcomes import Wish
from engines.requests import CHANGES, INTENTS, LANES, SPAN_TASKS, ARSettings, Change, Controls, FMSettings, GenerateRequest, Guidance, InpaintRequest, Intent, LaneValue, SpanTask
from engines.roster import ENGINE_NAMES


def wish_to_json(wish: Wish) -> dict[str, Any]:
    """One wish as a take keeps it, with what came of it in words."""
    return plain(asdict(wish) | {"words": wish.words})


def request_to_json(job: Job, source: Sound | None = None) -> dict[str, object]:
    """Everything that is needed to run a request again, JSON-ready; audio is named, not held."""
    if isinstance(job, Extension):
        extension = {"kind": job.kind, "seconds": job.seconds}
        return {**request_to_json(job.request, source), "extension": extension}
    shared: dict[str, object] = {
        "engine": job.engine,
        "prompt": job.prompt,
        "seed": job.seed,
        "controls": asdict(job.controls),
        "ar": asdict(job.ar),
        "fm": asdict(job.fm),
    }
    if isinstance(job, GenerateRequest):
        length = {"seconds": job.seconds, "sliding": job.sliding}
        return plain({"kind": "generate", **shared, **length})
    place = {name: getattr(job, name) for name in ("start", "end", *_INPAINT)}
    named = None if source is None else asdict(source)
    return plain({"kind": "inpaint", **shared, **place, "source": named})


def request_from(parameters: Mapping[str, Any], folder: Path | None, source: Recording | None = None) -> Job:
    """What a take's parameters ask for; InputError when they are damaged, or their audio is gone.

    The audio is read from the project `folder`, unless `source` is given.
    """
    try:
        engine = parameters["engine"]
        if engine not in ENGINE_NAMES:
            raise ValueError(f"engine {engine!r}")
        prompt, seed = str(parameters["prompt"]), int(parameters["seed"])
        controls = controls_from(parameters["controls"])
        ar, fm = ARSettings(**_settings(parameters["ar"])), FMSettings(**_settings(parameters["fm"]))
        if parameters["kind"] == "generate":
            seconds, sliding = float(parameters["seconds"]), parameters["sliding"] is True
            return GenerateRequest(engine, prompt, seconds, seed, controls, ar, fm, sliding)
        start, end = float(parameters["start"]), float(parameters["end"])
        rest: dict[str, Any] = {
            name: read(parameters[name])
            for name, read in _INPAINT.items()
            if name in parameters or name not in _LATER
        }
        sound = sound_from_json(parameters["source"]) if source is None else None
        extension = _extension(parameters.get("extension"))
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError) as error:
        told = " ".join(str(error).split())[:120]
        raise InputError(f"settings of the take are damaged ({told}); set them by hand") from error
    if source is None:
        if folder is None or sound is None:
            raise InputError("source of the take: not named; give the recording that it was made from")
        source = sounds.read_sound(folder, sound)
    request = InpaintRequest(engine, source, start, end, prompt, seed, controls, ar, fm, **rest)
    return Extension(extension[0], request, extension[1]) if extension else request


def controls_from(data: Mapping[str, Any]) -> Controls:
    """Lanes in seconds, as requests are written; one that is left out is not given.

    KeyError, TypeError or ValueError for anything else.
    """
    if not isinstance(data, Mapping):
        raise TypeError("lanes: expected an object")
    given: dict[str, Any] = {
        name: tuple(_item(kind, value) for value in data[name])
        for name, kind in LANES.items()
        if data.get(name) is not None
    }
    if (grid := data.get("grid")) is not None:
        given["grid"] = Grid(float(grid["bpm"]), int(grid["beats_per_bar"]), float(grid["offset"]))
    return Controls(**given)


def _item(kind: type[LaneValue], value: Any) -> LaneValue:
    """One chord, note, hit or part; no engine looks again whether its fields are what they say."""
    wanted = {one.name: str(one.type) for one in fields(kind)}
    return kind(**{name: _ITEM_VALUES[wanted[name]](given) for name, given in value.items()})


def _finite(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise TypeError(f"{str(value)[:40]!r}: expected a finite number")
    return value


def _whole(value: Any) -> int:
    if int(_finite(value)) != value:
        raise TypeError(f"{str(value)[:40]!r}: expected a whole number")
    return int(value)


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{str(value)[:40]!r}: expected text")
    return value


_ITEM_VALUES: dict[str, Callable[[Any], Any]] = {"float": _finite, "int": _whole, "str": _text, "bool": bool}


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they come back from JSON: lists for tuples, Python's numbers for NumPy's."""
    same: dict[str, Any] = json.loads(json.dumps(values, default=_number))
    return same


def _number(value: Any) -> float | int:
    number: float | int = value.item()
    return number


def _settings(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an engine's settings: JSON has no tuples, and guidance is a class of its own."""
    values, weights = dict(data), data["guidance"]
    if "guided" in values:
        first, last = values["guided"]
        values["guided"] = _finite(first), _finite(last)
    return {**values, "guidance": None if weights is None else Guidance(**weights)}


def _extension(data: Any) -> tuple[ExtensionKind, float] | None:
    if data is None:
        return None
    kind = data["kind"]
    if kind not in EXTENSIONS:
        raise ValueError(f"extension {kind!r}")
    return kind, float(data["seconds"])


# ---- the fields of an inpaint request beyond place, words, lanes and settings


def _spans(data: Any) -> tuple[tuple[float, float], ...]:
    return tuple((float(start), float(end)) for start, end in data)


def _intent(data: Any) -> Intent:
    if data not in INTENTS:
        raise ValueError(f"intent {str(data)[:40]!r}: expected one of {', '.join(INTENTS)}")
    return cast(Intent, data)


def _changed(data: Any) -> tuple[Change, ...] | None:
    if data is None:
        return None
    if unknown := [name for name in data if name not in CHANGES]:
        raise ValueError(f"changed {str(unknown[0])[:40]!r}: expected some of {', '.join(CHANGES)}")
    return tuple(name for name in CHANGES if name in data)


def _task(data: Any) -> SpanTask:
    if data not in SPAN_TASKS:
        raise ValueError(f"task {str(data)[:40]!r}: expected one of {', '.join(SPAN_TASKS)}")
    return cast(SpanTask, data)


def _names(data: Any) -> tuple[str, ...]:
    return tuple(str(name) for name in data)


_READ_APART = ("engine", "source", "start", "end", "prompt", "seed", "controls", "ar", "fm", "latents")
_LATER = ("task", "part")  # fields that requests of before do not have
_READERS: dict[str, Callable[[Any], Any]] = {
    "also": _spans,
    "intent": _intent,
    "changed": _changed,
    "left_open": _names,
    "task": _task,
}
_INPAINT: dict[str, Callable[[Any], Any]] = {  # field -> how it is read from JSON: a number or a flag as such
    one.name: _READERS.get(one.name, type(one.default))
    for one in fields(InpaintRequest)
    if one.name not in _READ_APART
}
