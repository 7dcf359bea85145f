"""One part of the music, laid over a span of its recording or taken out of it.

A part comes as a decoded window of the model's. Samples outside the span are never touched; inside, what
changes is faded in and out at the seams. What is added is no louder than what it joins; of what is taken out
so much is subtracted as leaves the least behind, so a part that the model missed does no harm. Times are
seconds on the source's clock. Does not know how the part was made.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from engines.audio.compose import MISSING_SECONDS, span_samples
from engines.audio.recording import Patch, Recording, resample
from engines.audio.timebase import seconds_to_samples
from engines.checkpoints.shelf import Models
from engines.filling.choice import HEARD_SECONDS, finite, longest_fade, made_by, untouched
from engines.filling.window import Window, decode_spans
from engines.progress import Stopwatch
from engines.requests import InpaintRequest, Result, SpanTask

KNEE = 0.95  # of full scale, or of what was louder before: from where on a sum is bent instead of cut
MOST = 1.5  # times its level, at most, that a part is taken out
QUIET = 0.1  # RMS that a part may have where nothing plays
_SILENT = 1e-3  # RMS below which nothing does

Floats = NDArray[np.float64]


@dataclass(frozen=True)
class Mixed:
    """A span with or without its part."""

    patch: Patch
    gain: float  # by which the part was multiplied


def finish(
    request: InpaintRequest,
    models: Models,
    z: Tensor,
    window: Window,
    watch: Stopwatch,
    parameters: dict[str, object],
) -> Result:
    """Decode the latents [1, D, T] of a part and make the Result: the source with its span changed by it."""
    codec = models.codec()

    def on_item(done: int) -> None:
        watch.report("decode", done, 1)

    (audio,) = finite(decode_spans(z, window, models, HEARD_SECONDS, on_item))
    on_item(1)
    watch.lap("decode")
    part = part_of(request.source, request.start, request.end, audio / window.gain, window.start, codec.rate)
    fade = longest_fade(request, request.start, request.end)
    mixed = mix(request.source, request.start, part, request.task, fade)
    watch.lap("compose")
    seams = tuple(seam for judge in window.judges for seam in judge.seams([mixed.patch]))
    watch.lap("judge")
    told = {
        **made_by(request, models),
        **parameters,
        "part_gain": round(mixed.gain, 4),
        "window": {"start": window.start, "seconds": window.frames / codec.frame_rate},
    }
    recording = request.source.with_patches([mixed.patch])
    return Result(request, recording, dict(watch.timings), seams, told, untouched(request))


def part_of(
    source: Recording, start: float, end: float, window: NDArray[np.float32], window_start: float, rate: int
) -> Floats:
    """The samples [N, C] of a span of `source`, from a decoded window [C', n] at `rate` Hz.

    Its own channels where it has as many, else each channel its mono sum. Raises ValueError for a window
    that misses the span.
    """
    first, last = span_samples(source, start, end)
    own = source.channels > 1 and len(window) == source.channels
    lines = window if own else window.mean(axis=0, keepdims=True)
    begin = first - seconds_to_samples(window_start, source.rate)
    made = []
    for line in lines:
        piece = resample(line.astype(np.float32), rate, source.rate)[max(0, begin) : begin + last - first]
        missing = last - first - len(piece)
        if begin < 0 or missing > MISSING_SECONDS * source.rate:
            raise ValueError(f"the window misses a part of the span {start:g}-{end:g} s")
        made.append(np.pad(piece, (0, max(0, missing))))
    each = np.stack(made, axis=1).astype(np.float64)  # -> [N, C] or [N, 1]
    return each if own else each * source.signs


def mix(source: Recording, start: float, part: Floats, task: SpanTask, fade: float) -> Mixed:
    """The span from `start` s on with its part [N, C] added, taken out or alone, faded over `fade` seconds.

    There is no fade where the recording begins or ends with the span.
    """
    first = seconds_to_samples(start, source.rate)
    last = first + len(part)
    heard = source.as_float(first, last).astype(np.float64)  # [N, C]
    gain = _least_left(heard, part) if task == "take-out" else _joining(heard, part)
    wanted = gain * part
    if task != "alone":
        wanted = heard - wanted if task == "take-out" else heard + wanted
    highest = max(1.0, float(np.abs(heard).max(initial=0.0)))
    share = _faded(len(part), seconds_to_samples(fade, source.rate), first > 0, last < source.length)
    made = heard + share[:, None] * (_bent(wanted / highest) * highest - heard)
    return Mixed(Patch(first, source.to_native(made)), gain)


def _joining(heard: Floats, part: Floats) -> float:
    """By what a part [N, C] is multiplied so that it is no louder than what it joins."""
    level, own = _rms(heard), _rms(part)
    most = QUIET if level < _SILENT else level
    return 1.0 if own <= most else most / own


def _least_left(heard: Floats, part: Floats) -> float:
    """The gain g of least |heard - g part|^2 over samples [N, C], from 0 to MOST."""
    power = float((part**2).sum())
    return 0.0 if power == 0 else float(np.clip((heard * part).sum() / power, 0.0, MOST))


def _rms(samples: Floats) -> float:
    return float(np.sqrt(np.mean(samples**2))) if samples.size else 0.0


def _faded(length: int, fade: int, begins: bool, ends: bool) -> Floats:
    """From 0 to 1 and back over `fade` samples, at the ends that have something beside them: [N]."""
    share = np.ones(length)
    ramp = (np.arange(min(fade, length // 2)) + 0.5) / max(1, min(fade, length // 2))
    if begins:
        share[: len(ramp)] = ramp
    if ends and len(ramp):
        share[-len(ramp) :] = np.minimum(share[-len(ramp) :], ramp[::-1])
    return share


def _bent(samples: Floats) -> Floats:
    """Samples [N, C] bent smoothly below 1 from the knee on."""
    over = np.abs(samples) - KNEE
    bent = np.sign(samples) * (KNEE + (1 - KNEE) * np.tanh(over / (1 - KNEE)))
    return np.where(over > 0, bent, samples)
