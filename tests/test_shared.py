"""Tables that Python and the page both know, as `tests/shared/*.json`, which the page's tests read too."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from editor.project import arrangement, band
from editor.project.document import Clip, Project, Section
from editor.project.harmony import fitting_key
from editor.project.lanes import GM_DRUMS
from engines.music.chords import QUALITIES, ROOTS, VOCABULARY
from engines.requests import DRUMS, MELODY_HIGH, MELODY_LOW
from engines.roster import ENGINES

SHARED = Path(__file__).parent / "shared"


def arranged(case: dict[str, Any]) -> list[list[Any]]:
    """Sections after the first one was moved to, or copied before, a bar: [name, start, end]."""
    known = tuple(Section(name, name, start, end) for name, start, end in case["sections"])
    project = Project(sections=known, clip=Clip("a.wav", 24.0, 100, 1, "a"))  # twelve bars
    act = {"move": arrangement.moved, "copy": arrangement.copied}[case["act"]]
    return [[one.name, one.start, one.end] for one in act(project, "a", case["at"]).project.sections]


TABLES: dict[str, Any] = {
    "drums": list(DRUMS),
    "melody": {"low": MELODY_LOW, "high": MELODY_HIGH},
    "chords": {
        "roots": list(ROOTS),
        "qualities": {name: list(steps) for name, steps in QUALITIES.items()},
        "vocabulary": list(VOCABULARY),
    },
    "instruments": band.names(),
    "gm-drums": {str(key): drum for key, drum in sorted(GM_DRUMS.items())},
    "engines": [spec.to_json() for spec in ENGINES],
    "arrangements": [
        {**case, "gives": arranged(case)}
        for case in json.loads((SHARED / "arrangements.json").read_text("utf-8"))
    ],
    "keys": [
        {**case, "fits": fitting_key([(pitch, length) for pitch, length in case["notes"]], case["key"])}
        for case in json.loads((SHARED / "keys.json").read_text("utf-8"))
    ],
}


def test_each_table_is_shared() -> None:
    assert {path.stem for path in SHARED.glob("*.json")} == set(TABLES)


@pytest.mark.parametrize("name", list(TABLES))
def test_the_shared_table_is_what_python_has(name: str) -> None:
    shared = json.loads((SHARED / f"{name}.json").read_text("utf-8"))
    assert shared == TABLES[name], f"tests/shared/{name}.json: write it anew, and run the page's tests"
