"""A project's picture for lists: the shape of its clip, and where its last span lies. No torch."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import soundfile

from editor.project.disk import sounds
from editor.project.document import Project, Region
from engines.errors import InputError

COLUMNS = 128
GLANCE = 8192  # samples a column is looked at, at most: an hour is as quick as ten seconds


@dataclass(frozen=True)
class Picture:
    """What a list shows of a project."""

    peaks: tuple[int, ...]  # 0..100 of the loudest, one a column; empty = no clip
    span: tuple[float, float] | None  # the last span, as shares of the clip


def picture(folder: Path, project: Project) -> Picture:
    """The picture of a project. InputError where its audio is gone or damaged."""
    clip = project.clip
    if clip is None:
        return Picture((), None)
    place = _last_span(project)
    share = None
    if place is not None and clip.seconds > 0:
        start, end = place.start / clip.seconds, place.end / clip.seconds
        share = (max(0.0, start), min(1.0, end)) if start < 1 and end > 0 else None
    try:
        return Picture(_peaks(str(sounds.sound_path(folder, clip.sound))), share)
    except (soundfile.LibsndfileError, OSError) as error:
        raise InputError(f"{clip.label or clip.file}: damaged, there is no picture of it") from error


@lru_cache(maxsize=512)  # a sound's file never changes, and every page that opens shows the same ones
def _peaks(path: str) -> tuple[int, ...]:
    with soundfile.SoundFile(path) as file:
        edges = np.linspace(0, file.frames, COLUMNS + 1).astype(int)
        tops = []
        for first, last in pairwise(edges):
            file.seek(int(first))
            samples = file.read(min(int(last - first), GLANCE), dtype="float32", always_2d=True)
            tops.append(float(np.abs(samples).max()) if samples.size else 0.0)
    loudest = max(*tops, 1e-6)
    return tuple(round(100 * top / loudest) for top in tops)


def _last_span(project: Project) -> Region | None:
    """The active span, else the one worked on last."""
    if project.region is not None:
        return project.region
    if project.spans:
        return Region(project.spans[-1].start, project.spans[-1].end)
    return next((take.region for take in reversed(project.takes) if take.region and not take.deleted), None)
