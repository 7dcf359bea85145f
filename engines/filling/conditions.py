"""What conditions a run: text states, lanes, and the rows of the guided batch."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from engines.audio.timebase import Grid
from engines.checkpoints.shelf import Models
from engines.families.shape import Task
from engines.filling.agreement import asked_parts
from engines.filling.score import score_of
from engines.filling.window import Window
from engines.networks.lane_frames import Lanes, lanes_from
from engines.requests import Change, Controls, Guidance, InpaintRequest, Request
from engines.roster import BY_NAME, EngineName
from engines.sampling.guidance import Source, at_once, sources
from engines.words import reader as words


@dataclass(frozen=True)
class Conditions:
    """What conditions a run, ready for a network."""

    text: Any | None  # states of one prompt, as the networks of the checkpoint take them
    lanes: Lanes  # [1, T]
    rows: tuple[Source, ...]  # the guided batch
    guidance: Guidance
    controls: Controls  # what the lanes were written from, on the request's clock
    heard: tuple[str, ...] = ()  # fields of the controls that were heard in the recording


def conditions(
    request: Request,
    models: Models,
    frames: int,
    window: Window | None,
    engine: EngineName,
    guidance: Guidance | None,
) -> Conditions:
    """Text states [1, L, 384], lanes [1, T] and guided rows of a run of so many frames.

    Where a span is changed, lanes that the request leaves open are those that go on
    (`engines.filling.score`), and the instruments are those that the words name.
    """
    codec, start = models.codec(), window.start if window is not None else 0.0
    controls = request.controls
    changed: tuple[Change, ...] = ()
    heard: tuple[str, ...] = ()
    task: Task = "inpaint"
    if isinstance(request, InpaintRequest) and window is not None:
        if request.changes:
            task = "change"
            score = score_of(request, window.audio / window.gain, codec.rate, start, models.text())
            controls, changed, heard = score.controls, score.changed, score.heard
    else:
        task = "generate"
        if controls.instruments is None:
            controls = replace(controls, instruments=asked_parts(request, models.text()) or None)
        bpm = words.tempo(request.prompt)
        if controls.grid is None and bpm is not None:
            controls = replace(controls, grid=Grid(bpm))
    guidance = guidance or models.spec.guidance(engine, task)
    prompt = " ".join("".join(c if c.isprintable() else " " for c in request.prompt).split())
    text = models.words(prompt) if prompt else None
    lanes = lanes_from(controls, frames, codec.frame_rate, start).to(models.device)
    lanes = lanes.without(models.spec.untaken(BY_NAME[engine].network))
    rows = sources(guidance, text is not None, lanes.any_given, changed)
    if BY_NAME[engine].network == "fm" and models.spec.guided:
        rows = at_once(rows, guidance, changed)
    return Conditions(text, lanes, rows, guidance, controls, heard)
