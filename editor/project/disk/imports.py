"""Files of the user's disk onto the timeline: a recording as the clip, a score on the lanes.

Errors name a file as the user does, not by the place of its upload. Knows no session.
"""

from __future__ import annotations

from pathlib import Path

from editor.project import band, commands, drawing, edited, lanes, versions
from editor.project.disk import sounds
from editor.project.disk.scores import Score, read_score
from editor.project.document import Clip, Lanes, Project
from engines.audio.recording import Recording, read_recording
from engines.errors import InputError


def label_of(name: str, otherwise: str) -> str:
    """A file's name as the user's disk has it, fit for a page; `otherwise` for one that has none."""
    return commands.clean_text(Path(name.replace("\\", "/")).name)[:80] or otherwise


def recording_from(path: Path, label: str) -> Recording:
    """The recording in a file. InputError names it by its label."""
    try:
        return read_recording(path)
    except InputError as error:
        raise InputError(str(error).replace(str(path), label).replace(path.name, label)) from error


def score_from(path: Path, label: str, lane: str) -> Score:
    """The score in a file, for one lane or ("") for all. InputError names it by its label."""
    try:
        return read_score(path, lane)
    except InputError as error:
        raise InputError(str(error).replace(path.name, label)) from error


def put_recording(project: Project, folder: Path, recording: Recording, label: str) -> Project:
    """A recording onto the timeline, its samples into the project's folder."""
    file = sounds.add_audio(folder, recording)
    clip = Clip(file, recording.seconds, recording.rate, recording.channels, label)
    return versions.set_clip(project, clip)


def put_score(project: Project, score: Score, lane: str) -> Project:
    """A score on the melody or drum lane, or ("") on all lanes that it has.

    Tempo and signature are the score's where all lanes were empty and there is no clip.
    """
    if not lane and project.lanes == Lanes() and project.clip is None:
        project = commands.set_grid(project, score.bpm, score.beats_per_bar)
    grid = project.grid
    put = Lanes(
        lanes.chords_to_lane(score.chords, grid),
        lanes.notes_to_lane(score.melody, grid),
        lanes.hits_to_lane(score.drums, grid),
        band.put_in(band.to_lane(score.band, grid, "midi"), project.spans, grid),
    )
    names = [name for name in lanes.LANE_NAMES if getattr(put, name) and lane in ("", name)]
    return edited.marked(project, drawing.set_lanes(project, put, names))
