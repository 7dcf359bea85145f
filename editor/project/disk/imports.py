"""Files of the user's disk onto the timeline: a recording as the clip, a score on the lanes.

Errors name a file as the user does, not by the place of its upload. Knows no session.
"""

from __future__ import annotations

import math
import re
from pathlib import Path

from editor.project import band, commands, drawing, edited, lanes, versions
from editor.project.arrangement import Arranged
from editor.project.disk import library, sounds, splices, storage
from editor.project.disk.scores import read_score
from editor.project.document import Clip, Lanes, Project
from editor.project.score import Score
from engines.audio.recording import Recording, read_recording
from engines.audio.timebase import Grid
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


def project_from(path: Path, label: str, root: Path) -> storage.Opened:
    """The project in a zip, as one of `root`. InputError names it by its label."""
    try:
        return library.unpack(path, root)
    except InputError as error:
        told = re.sub(rf"{re.escape(str(root))}[^:]*: ", "", str(error).removeprefix("zip: "))
        raise InputError(f"{label}: {told}") from error


def put_recording(project: Project, folder: Path, recording: Recording, label: str) -> Project:
    """A recording onto the timeline, its samples into the project's folder; its file names the project."""
    file = sounds.add_audio(folder, recording)
    clip = Clip(file, recording.seconds, recording.rate, recording.channels, label)
    return commands.name_after_file(versions.set_clip(project, clip), label)


def lay_over(project: Project, folder: Path, recording: Recording, label: str, at: float) -> Project:
    """What was recorded laid over the clip from a time on, in seconds; without a clip it becomes the clip.

    The clip keeps its name, spans and lanes: what lies beside the recording is as it was.
    """
    clip = project.clip
    whole = splices.laid_over(sounds.read_sound(folder, clip.sound) if clip else None, recording, at)
    made = Clip(
        sounds.add_audio(folder, whole),
        whole.seconds,
        whole.rate,
        whole.channels,
        clip.label if clip else label,
    )
    return versions.set_clip(project, made)


def put_arranged(made: Arranged, folder: Path) -> Project:
    """A document in another order, and the samples of its clip with it."""
    clip = made.project.clip
    if clip is None:
        return made.project
    before = sounds.read_sound(folder, clip.sound)
    whole = splices.in_order(before, made.samples(before.rate, before.length))
    file = sounds.add_audio(folder, whole)
    return versions.set_arranged(
        made.project, Clip(file, whole.seconds, whole.rate, whole.channels, clip.label)
    )


def put_score(project: Project, score: Score, lane: str) -> Project:
    """A score on the melody or drum lane, or ("") on all lanes that it has; its bars come onto the project's.

    Tempo, signature and first bar are the score's, and the key the one that it fits, where all lanes were
    empty and there is no clip.
    """
    decides = _decides(project, lane)
    if decides:
        project = commands.set_grid(project, score.bpm, score.beats_per_bar, score.offset)
    laid = _laid(project, score, lane)
    put = Lanes(
        lanes.chords_to_lane(score.chords, laid),
        lanes.notes_to_lane(score.melody, laid),
        lanes.hits_to_lane(score.drums, laid),
        band.put_in(band.to_lane(score.band, laid, "midi"), project.spans, project.grid),
    )
    names = [name for name in lanes.LANE_NAMES if getattr(put, name) and lane in ("", name)]
    drawn = edited.marked(project, drawing.set_lanes(project, put, names))
    return commands.set_fitting_key(drawn) if decides else drawn


def put_words(project: Project, score: Score, lane: str) -> str:
    """What is told of a score that is put into a project: what it lost, and whose bars it came onto."""
    grid, said = project.grid, [score.note] if score.note else []
    if not _decides(project, lane) and not score.timed:
        if abs(score.bpm / grid.bpm - 1) > 0.01:
            said.append(f"laid on the bars here: {score.bpm:.4g} bpm becomes {grid.bpm:.4g}")
        if score.beats_per_bar != grid.beats_per_bar:
            said.append(f"it has {score.beats_per_bar} beats a bar, here are {grid.beats_per_bar}")
    return "; ".join(said)


def _decides(project: Project, lane: str) -> bool:
    """Whether a score brings its own grid."""
    return not lane and project.lanes == Lanes() and project.clip is None


def _laid(project: Project, score: Score, lane: str) -> Grid:
    """The grid on which a score's seconds become the project's beats.

    Beats come onto beats, or bars onto bars where that is nearer to the tempo (6/8 as two beats or six). What
    begins before its first bar begins in the first bar of the clip that has room for it.
    """
    grid = project.grid
    if score.timed or _decides(project, lane):
        return grid
    shares = [s for s in (1.0, grid.beats_per_bar / score.beats_per_bar) if 20 <= score.bpm * s <= 400]
    share = min(shares, key=lambda s: abs(math.log(grid.bpm / (score.bpm * s))))
    beat = 60 / (score.bpm * share)  # seconds of the score that become one beat
    first = (score.start - score.offset) / beat  # the project's beat at which it would begin
    missing = -grid.beats_to_seconds(first) / grid.seconds_per_beat / grid.beats_per_bar
    later = max(0, math.ceil(missing - 1e-6)) * grid.beats_per_bar
    return Grid(score.bpm * share, grid.beats_per_bar, score.offset - later * beat)
