"""The held-out music of the report: rendered once below its folder, or a folder that there is already.

Audio is mono float [n] at 32 kHz. Says in words what is missing where nothing can be rendered.
"""

from __future__ import annotations

import base64
import io
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray

from study.data import render
from study.data.corpus import HELD_OUT
from study.measure.conditions import RATE, Clip, labelled
from study.report.parts import Place

Audio = NDArray[np.float32]
FIRST = HELD_OUT + 40_000  # seeds of their own, which no other measurement asks for
SECONDS = 12.0  # as all renders are
HOW = "apt-get install fluid-soundfont-gm"


class Absent(Exception):
    """There is no held-out music and none can be rendered; says why."""


def folder(place: Place) -> Path:
    """Where the held-out clips lie, rendered now if need be. Raises Absent where that cannot be done."""
    if place.held_out is not None:
        if not any(place.held_out.glob("audio_*.npy")):
            raise Absent(f"{place.held_out}: no audio_*.npy there; render it: python -m study.data.render")
        return place.held_out
    out, count = place.out / "held_out", 3 * place.size.clips + place.size.reference
    try:
        sources = render.found_sources(SECONDS)
    except SystemExit as error:
        raise Absent(str(error)) from error
    render.render(out, FIRST, count, sources, workers=place.threads)
    return out


def asked(place: Place) -> tuple[list[Clip], list[Clip]]:
    """Clips whose words and lanes are asked for, and others that what is made is compared with."""
    every = labelled(folder(place), 10_000)
    clips = [clip for clip in every if _says_enough(clip)][: place.size.clips]
    names = {clip.name for clip in clips}
    others = [clip for clip in every if clip.name not in names][: place.size.reference]
    if len(clips) < 2 or len(others) < 2:
        raise Absent(
            f"{len(clips)} clips with chords, melody and drums, {len(others)} others: 2 of each at least"
        )
    size = round(place.size.seconds * RATE)
    return [_cut(clip, size) for clip in clips], [_cut(clip, size) for clip in others]


def _says_enough(clip: Clip) -> bool:
    """Whether chords, a melody and drums can be asked for after it."""
    lanes = clip.controls
    return all(len(lane or ()) >= 2 for lane in (lanes.chords, lanes.melody, lanes.drums))


def _cut(clip: Clip, size: int) -> Clip:
    from dataclasses import replace

    from study.measure.conditions import trimmed

    grid = clip.controls.grid
    return replace(
        clip, audio=clip.audio[:size], controls=replace(trimmed(clip.controls, size / RATE), grid=grid)
    )


def sound(title: str, row: str, audio: Audio) -> dict[str, str]:
    """Audio [n] to play in the page: MP3, as a data URI."""
    held = io.BytesIO()
    peak = max(1.0, float(np.abs(audio).max(initial=0.0)))
    soundfile.write(
        held, audio / peak, RATE, format="MP3", subtype="MPEG_LAYER_III", compression_level=0.7,
        bitrate_mode="VARIABLE",
    )  # fmt: skip
    data = base64.b64encode(held.getvalue()).decode()
    return {"title": title, "row": row, "uri": f"data:audio/mpeg;base64,{data}"}
