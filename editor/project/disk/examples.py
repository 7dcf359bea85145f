"""The clips that ship with the bundle, each with the words and lanes that it was made from.

A lane that was not given to the model is left empty: what is in it then can only be heard. Times of lanes
in seconds, as in the requests. Knows no session.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from editor.project import commands, drawing, lanes
from editor.project.document import Project
from editor.runs.replay import controls_from
from engines.assets import ASSETS
from engines.audio.timebase import Grid
from engines.errors import InputError
from engines.requests import Controls

FOLDER = ASSETS / "examples"


@dataclass(frozen=True)
class Example:
    """A clip and how it was asked for."""

    path: Path
    label: str  # what the clip is called, like a file of the user's
    prompt: str
    grid: Grid | None  # None: made from words alone
    key: str  # "" where the music has none of the page's
    controls: Controls

    @property
    def complete(self) -> bool:
        """Whether every lane was given, so that nothing is left to be heard."""
        return bool(self.controls.chords and self.controls.melody and self.controls.drums)


def find(file: str, folder: Path = FOLDER) -> Example:
    """The example of a file's name. InputError when there is none."""
    try:
        told = json.loads((folder / "examples.json").read_text("utf-8"))["examples"]
        one: dict[str, Any] = next(each for each in told if each["file"] == file)
        return Example(
            folder / one["file"],
            f"{one['style']}.flac",
            one["prompt"],
            Grid(**one["grid"]) if one.get("grid") else None,
            one.get("key", ""),
            controls_from(one["controls"]),
        )
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise InputError(f"example {file[:40]!r}: not installed; open a recording of your own") from error


def put(project: Project, example: Example) -> Project:
    """The example's words into a project, and its lanes, which are followed, with their grid and key."""
    project = commands.set_prompt(project, example.prompt)
    if example.grid is None:
        return project
    grid, given = example.grid, example.controls
    project = commands.set_grid(project, grid.bpm, grid.beats_per_bar, grid.offset)
    if example.key:
        project = commands.set_key(project, example.key)
    drawn = drawing.of_controls(given, project.grid, "words")
    project = drawing.set_lanes(project, drawn, lanes.LANE_NAMES)
    return commands.set_follow(project, [name for name in lanes.LANE_NAMES if getattr(project.lanes, name)])
