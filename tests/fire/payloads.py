"""What a page or a program could send that is almost right, or far from it: JSON of every kind."""

from __future__ import annotations

import copy
import json
import math
import random
from collections.abc import Iterator
from typing import Any

CODE = '"><img src=x onerror="alert(1)">'
LONG = "x" * 200_000


def nested(depth: int) -> Any:
    """Lists in lists."""
    value: Any = []
    for _ in range(depth):
        value = [value]
    return value


VALUES: tuple[Any, ...] = (
    None,
    True,
    False,
    0,
    -1,
    1,
    1.5,
    -0.0,
    7,
    1e308,
    -1e308,
    5e-324,
    math.inf,
    -math.inf,
    math.nan,
    2**31,
    2**53,
    2**53 + 1,
    -(2**53),
    2**63 - 1,
    2**63,
    10**400,
    -(10**400),
    "",
    " ",
    "1",
    "1e999",
    "NaN",
    CODE,
    "../../../etc/passwd",
    "/etc/passwd",
    "..",
    "=1+1",
    "\x00",
    "a\nb",
    "\x1b[31m",
    "\ud800",
    "e\u0301\u202e",
    "🎻" * 3000,
    LONG,
    [],
    {},
    [[]],
    [None],
    [1, "a", None],
    {"": ""},
    {"__proto__": {"x": 1}},
    nested(90),
    list(range(30_000)),
    ["fm"] * 5000,
    {str(i): i for i in range(5000)},
    "fm",
    "ar",
    "t1",
    "s1",
    "drums",
)

EDITS: tuple[tuple[str, dict[str, Any]], ...] = (  # one that is right of every edit that the page knows
    ("set_name", {"name": "Song"}),
    ("set_prompt", {"prompt": "piano", "span": "s1"}),
    ("set_length", {"seconds": 8}),
    ("set_seed", {"seed": 3}),
    ("set_grid", {"bpm": 90, "beats_per_bar": 3, "offset": 0.1}),
    ("set_key", {"key": "D minor"}),
    ("set_engines", {"engines": ["fm", "ar"]}),
    ("set_follow", {"lanes": ["chords"], "span": ""}),
    ("clear_region", {}),
    ("add_span", {"start": 0.31, "end": 0.4, "id": "s9"}),
    ("set_span", {"id": "s1", "start": 0.1, "end": 0.2}),
    ("activate_span", {"id": "s1"}),
    ("delete_span", {"id": "s1"}),
    ("set_span_own", {"id": "s1", "own": True}),
    ("set_span_prompt", {"id": "s1", "prompt": "flute"}),
    ("set_span_follow", {"id": "s1", "lanes": ["drums"]}),
    ("set_intent", {"span": "s1", "intent": "change"}),
    ("ignore_lane", {"span": "s1", "lane": "chords", "ignore": True}),
    ("word_tag", {"span": "s1", "name": "piano", "meant": False}),
    ("sort_takes", {"by": "smoothest"}),
    ("name_chord", {"id": "c1", "symbol": "Dm"}),
    ("keep", {"id": "t1"}),
    ("show_version", {"id": "v1"}),
    ("rename_take", {"id": "t1", "name": "good"}),
    ("star_take", {"id": "t1"}),
    ("delete_take", {"id": "t2"}),
    ("restore_take", {"id": "t2"}),
    ("use_take", {"id": "t1"}),
    ("set_variations", {"count": 2}),
    ("set_preset", {"name": "Draft"}),
    ("set_settings", {"guidance": 2.5, "steps": 12, "solver": "euler"}),
    ("add_section", {"id": "v2", "name": "Chorus", "start": 1, "end": 2}),
    ("set_sections", {"sections": [{"name": "A", "start": 0, "end": 1}]}),
    ("name_section", {"id": "v1", "name": "Bridge"}),
    ("set_section", {"id": "v1", "start": 0, "end": 1}),
    ("split_section", {"id": "v1", "bar": 1, "new": "v3"}),
    ("remove_section", {"id": "v1"}),
    ("repeat_section", {"id": "v1", "new": "v4"}),
    ("copy_section", {"id": "v1", "at": 1, "new": "v5"}),
    ("move_section", {"id": "v1", "at": 1}),
    ("judge_again", {"take": "t1"}),
    ("undo", {}),
    ("redo", {}),
    ("draw_chords", {"chords": [{"id": "c2", "start": 4, "end": 8, "symbol": "F#dim"}], "remove": ["c1"]}),
    ("draw_notes", {"melody": [{"id": "n2", "start": 1, "end": 2, "pitch": 61}], "remove": []}),
    ("draw_hits", {"drums": [{"id": "h2", "time": 1, "drum": "snare"}]}),
    (
        "draw_band",
        {"band": [{"id": "b2", "start": 0, "end": 4, "name": "flute", "plays": False, "sure": 0.5}]},
    ),
)

EVENTS: tuple[tuple[str, dict[str, Any]], ...] = (  # one that is right of every other event
    ("edits.open", {"project": "2026-01-01-000000-00000000", "page": "page-0123456789abcdef"}),
    ("edits.project", {"action": "new", "folder": "", "name": "", "rev": 1}),
    ("edits.project", {"action": "copy", "folder": "", "name": "Second", "rev": 1}),
    ("edits.vote", {"ratings": [{"take": "t1", "smoothness": 7, "match": 8}], "matched": True}),
    (
        "arrivals.upload",
        {"path": "", "name": "a.wav", "example": "x", "id": "f1", "lane": "melody", "at": 0.5},
    ),
    ("arrivals.withdraw", {"id": "f1"}),
    ("runs.again", {"take": "t1", "again": "", "retry": ""}),
    ("runs.skip", {"run": "r1"}),
)

NOTES = {
    "bpm": 120,
    "beats_per_bar": 4,
    "offset": 0,
    "melody": [{"start": 0, "end": 1, "pitch": 60}],
    "drums": [],
}
QUESTIONS: tuple[tuple[str, dict[str, Any]], ...] = (  # a project's name is put in
    ("export_file", {"kind": "wav", "take": "t1"}),
    ("export_file", {"kind": "project"}),
    ("export_file", {"kind": "request", "take": "t1"}),
    ("picture_of_project", {}),
    ("ghost_of_take", {"take": "t1"}),
    ("recent_projects", {}),
    ("at_work", {}),
    ("midi_of_lanes", NOTES),
)

REQUEST: dict[str, Any] = {  # to the public endpoint, as programs may send it
    "kind": "inpaint",
    "engine": "fm",
    "prompt": "warm piano",
    "seed": 3,
    "start": 0.1,
    "end": 0.3,
    "strength": 0.8,
    "match": 0.75,
    "crossfade": 0.05,
    "patience": 1.0,
    "also": [[0.35, 0.45]],
    "intent": "auto",
    "changed": ["chords"],
    "left_open": [],
    "controls": {
        "chords": [{"start": 0.0, "end": 0.4, "symbol": "Am"}],
        "melody": [{"start": 0.0, "end": 0.4, "pitch": 60}],
        "drums": [{"time": 0.1, "drum": "kick"}],
        "band": [{"start": 0.0, "end": 0.4, "instrument": "flute", "plays": True}],
        "grid": {"bpm": 120.0, "beats_per_bar": 4, "offset": 0.0},
    },
    "fm": {
        "steps": 2,
        "candidates": 1,
        "solver": "euler",
        "guidance": {"all": 3.0, "text": 1.5, "wish": 1.0},
        "guided": [0.0, 1.0],
    },
    "ar": {"candidates": 1, "top_k": 20, "top_p": 0.9, "temperature": 1.0},
}


def places(value: Any, way: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Where something stands in JSON, at any depth; of long lists the first items."""
    yield way
    inner = (
        value.items() if isinstance(value, dict) else enumerate(value[:3]) if isinstance(value, list) else ()
    )
    for key, one in inner:
        yield from places(one, (*way, key))


def broken(right: Any, dice: random.Random, values: tuple[Any, ...] = VALUES) -> Any:
    """What is right with one or two places wrong: another value, none, or one of another name."""
    wrong = copy.deepcopy(right)
    for _ in range(dice.choice((1, 1, 1, 2))):
        way = dice.choice(list(places(wrong)))
        if not way:
            if dice.random() < 0.1:
                return dice.choice(values)
            if isinstance(wrong, dict):
                wrong[dice.choice(("id", "name", "start", "__class__", ""))] = dice.choice(values)
            continue
        inner = wrong
        for step in way[:-1]:
            inner = inner[step]
        if dice.random() < 0.1 and isinstance(inner, dict):
            del inner[way[-1]]
        else:
            inner[way[-1]] = dice.choice(values)
    return wrong


def as_sent(value: Any) -> Any:
    """A value as it comes out of JSON: a browser's infinity and a number of 400 digits, too."""
    return json.loads(json.dumps(value))


def short(value: Any) -> str:
    """A value for a report."""
    try:
        words = repr(value)
    except ValueError:  # Python refuses to write numbers of more than 4300 digits
        words = "a number without end"
    return words if len(words) < 240 else f"{words[:200]}... ({len(words)})"
