"""The clips that ship with the bundle, each with the words and lanes that it was made from.

A lane that was not given to the model is left empty: what is in it then can only be heard. Times of lanes
in seconds, as in the requests. Knows no session.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from editor import commands, lanes
from editor.document import Project
from engines.requests import Chord, Hit, InputError, Note
from engines.timebase import Grid

FOLDER = Path(__file__).resolve().parent.parent / "assets" / "examples"


@dataclass(frozen=True)
class Example:
    """A clip and how it was asked for."""

    path: Path
    label: str  # what the clip is called, like a file of the user's
    prompt: str
    grid: Grid | None  # None: made from words alone
    key: str  # "" where the music has none of the page's
    chords: tuple[Chord, ...]
    melody: tuple[Note, ...]
    drums: tuple[Hit, ...]

    @property
    def complete(self) -> bool:
        """Whether every lane was given, so that nothing is left to be heard."""
        return bool(self.chords and self.melody and self.drums)


def find(file: str, folder: Path = FOLDER) -> Example:
    """The example of a file's name. InputError when there is none."""
    try:
        told = json.loads((folder / "examples.json").read_text("utf-8"))["examples"]
        one: dict[str, Any] = next(each for each in told if each["file"] == file)
        given = one["controls"]
        return Example(
            folder / one["file"],
            f"{one['style']}.flac",
            one["prompt"],
            Grid(**one["grid"]) if one.get("grid") else None,
            one.get("key", ""),
            tuple(Chord(**chord) for chord in given["chords"] or ()),
            tuple(Note(**note) for note in given["melody"] or ()),
            tuple(Hit(**hit) for hit in given["drums"] or ()),
        )
    except (OSError, ValueError, KeyError, TypeError, StopIteration) as error:
        raise InputError(f"example {file[:40]!r}: not installed; open a recording of your own") from error


def put(project: Project, example: Example) -> Project:
    """The example's words into a project, and its lanes, which are followed, with their grid and key."""
    project = commands.set_prompt(project, example.prompt)
    if example.grid is None:
        return project
    grid = example.grid
    project = commands.set_grid(project, grid.bpm, grid.beats_per_bar, grid.offset)
    if example.key:
        project = commands.set_key(project, example.key)
    project = commands.set_lanes(
        project,
        lanes.chords_to_lane(example.chords, project.grid),
        lanes.notes_to_lane(example.melody, project.grid),
        lanes.hits_to_lane(example.drums, project.grid),
    )
    return commands.set_follow(project, [name for name in lanes.LANE_NAMES if getattr(project.lanes, name)])
