"""The way back: decode what was sampled, put each candidate into its recording, take the best.

Candidates are chosen by their seams and by what of the wish is heard. Does not know how they were sampled.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from engines.audio import compose
from engines.audio.compose import Placed
from engines.audio.matching import CONTEXT_SECONDS
from engines.audio.recording import Patch, Recording, from_float
from engines.audio.side_by_side import each
from engines.audio.timebase import seconds_to_samples
from engines.checkpoints.shelf import Models
from engines.errors import InputError
from engines.filling.agreement import agreement_of, judged, wishes
from engines.filling.window import Window, decode_spans, read
from engines.networks.text import TextEncoder
from engines.outcomes import Candidate, Candidates, Search
from engines.progress import Stopwatch
from engines.requests import GenerateRequest, InpaintRequest, Latents, Request, Result, Seam

WISH_WEIGHT = 8.0  # of what was asked for and is not heard, beside the roughness of seams (about 9 a span)
_FADES = (1.0, 0.6, 0.3, 0.15)  # shares of the longest crossfade that are tried
HEARD_SECONDS = CONTEXT_SECONDS + 0.5  # of a decoded window beside its spans: matched, and heard again
_FADED = 0.2  # of a span, the most that a crossfade takes at each end

Audio = NDArray[np.float32]  # [n], or [C, n] of a decoded window
Fades = list[tuple[float, float]]  # seconds of the crossfades at both ends of each span


@dataclass(frozen=True)
class Choice:
    """What was taken of several candidates, put into its recording."""

    recording: Recording
    seams: tuple[Seam, ...]
    fades: Fades
    candidates: Candidates


def finish(
    request: Request,
    models: Models,
    z: Tensor,
    window: Window | None,
    watch: Stopwatch,
    parameters: dict[str, object],
    beginnings: Sequence[str] = (),
    search: Search | None = None,
) -> Result:
    """Decode latents [B, D, T] and make the Result: a clip, or the source with its span re-made.

    Of several the one with the smoothest seams is taken; `beginnings` says in words how each came about,
    `search` what was tried before.
    """
    codec = models.codec()
    parameters = {**made_by(request, models), **parameters}

    def on_item(done: int) -> None:
        watch.report("decode", done, len(z))

    if isinstance(request, GenerateRequest) or window is None:
        on_item(0)
        audio = codec.decode(z[:1])[0].float().cpu().numpy()  # [1, D, T] -> [C, T hop]
        clip = finite([audio])[0][:, : seconds_to_samples(request.seconds, codec.rate)]
        watch.report("decode", 1, 1)
        watch.lap("decode")
        latents = Latents(z[0].float().cpu().numpy(), 0.0, 1.0, ((0.0, request.seconds),))
        granted = wishes(mono_of(clip), codec.rate, request, encoder=models.text())
        watch.lap("agreement")
        clip_of = from_float(clip.T, codec.rate)  # [C, n] -> [n, C]
        return Result(request, clip_of, dict(watch.timings), (), parameters, latents, granted)
    audios = finite(decode_spans(z, window, models, HEARD_SECONDS, on_item))
    candidates = [(audio / window.gain).astype(np.float32) for audio in audios]
    watch.lap("decode")
    choice = choose(request, candidates, window, codec.rate, models.text(), beginnings, watch)
    several = choice.candidates if len(candidates) > 1 else None
    parameters["intent"] = "change" if request.changes else "blend"
    parameters["crossfades"] = [[round(fade, 4) for fade in pair] for pair in choice.fades]
    parameters["window"] = {"start": window.start, "seconds": window.frames / codec.frame_rate}
    watch.report("decode", len(z), len(z))
    watch.lap("compose")
    granted = ()
    if request.changes:
        around = _around(choice.recording, window, codec.rate)
        granted = wishes(around, codec.rate, request, window.start, models.text())
    watch.lap("agreement")
    kept = untouched(request)
    timings = dict(watch.timings)
    return Result(
        request, choice.recording, timings, choice.seams, parameters, kept, granted, several, search
    )


def made_by(request: Request, models: Models) -> dict[str, object]:
    """What every result says of how it came about, JSON-ready."""
    spec = models.spec
    return {
        "seed": request.seed, "bundle": spec.name, "licence": spec.licence, "commercial": spec.commercial,
        "device": str(models.device),
    }  # fmt: skip


def finite(audios: list[Audio]) -> list[Audio]:
    """The same samples, each [C, n]; raises InputError where they are not finite."""
    if not all(np.isfinite(audio).all() for audio in audios):
        raise InputError("result: the model produced no finite audio; lower the guidance or change the seed")
    return audios


def untouched(request: InpaintRequest) -> Latents | None:
    """The source's latents, known where this edit has not touched what they decode to."""
    if request.latents is None:
        return None
    known = request.latents.known
    for start, end in request.spans:
        known = tuple(
            part for a, b in known for part in ((a, min(b, start)), (max(a, end), b)) if part[1] > part[0]
        )
    return replace(request.latents, known=known)


def _around(recording: Recording, window: Window, rate: int) -> Audio:
    """What a window hears of a recording, mono [n] at `rate`."""
    return read(recording, seconds_to_samples(window.start, recording.rate), len(window.audio), rate)


def longest_fade(request: InpaintRequest, start: float, end: float) -> float:
    """Seconds of the longest crossfade of a span."""
    return min(request.crossfade, _FADED * (end - start))


def mono_of(audio: Audio) -> Audio:
    """The mean of the channels: [C, n] or [n] -> [n]."""
    lines = np.atleast_2d(audio)
    mono: Audio = lines.mean(axis=0) if len(lines) > 1 else lines[0]
    return mono


def composed(request: InpaintRequest, audio: Audio, window: Window, rate: int, fades: Fades) -> Recording:
    """The source with its spans taken from a decoded window [C, n], with crossfades of so many seconds."""
    return request.source.with_patches(
        _blended(request.source, _placed(request, audio, window, rate, fades), fades)
    )


def _placed(request: InpaintRequest, audio: Audio, window: Window, rate: int, fades: Fades) -> list[Placed]:
    """A decoded window [C, n] matched to each span in turn, beside those before it with so many seconds."""
    recording, each = request.source, list[Placed]()
    for i, (a, b) in enumerate(request.spans):
        around = window.around[i] if window.around and recording is request.source else None
        each.append(compose.place(recording, a, b, audio, window.start, rate, request.match, around))
        if i + 1 < len(request.spans):
            recording = each[-1].into(recording, fades[i])
    return each


def _blended(source: Recording, placed: Sequence[Placed], fades: Fades) -> list[Patch]:
    """What differs from the source with its spans as they were placed, with crossfades of so many seconds."""
    return [span.patch(source, pair) for span, pair in zip(placed, fades, strict=True)]


def choose(
    request: InpaintRequest,
    candidates: Sequence[Audio],
    window: Window,
    rate: int,
    encoder: TextEncoder | None = None,
    beginnings: Sequence[str] = (),
    watch: Stopwatch | None = None,
) -> Choice:
    """Put each of the decoded windows [C, n] back, and choose by their seams and by what was asked for."""
    watch = watch or Stopwatch(None)

    def roughness(patches: list[Patch]) -> list[dict[float, float]]:
        return [judge.costs(patches) for judge in window.judges]

    source, longest = request.source, [longest_fade(request, a, b) for a, b in request.spans]
    plain = [(fade, fade) for fade in longest]
    placed = each(lambda audio: _placed(request, audio, window, rate, plain), candidates)
    watch.lap("compose")
    heard = each(lambda spans: roughness(_blended(source, spans, plain)), placed)
    costs, best = [0.0] * len(candidates), 0
    shares: list[float | None] = [None] * len(candidates)
    if len(candidates) > 1:
        costs = [sum(sum(at.values()) for at in sound) for sound in heard]
        best = int(np.argmin(costs))
        watch.lap("judge")
        if request.changes and judged(request, encoder):
            best, shares = _wished_most(
                costs,
                lambda i: agreement_of(wishes(mono_of(candidates[i]), rate, request, window.start, encoder)),
            )
        watch.lap("agreement")
    tried = [[(share * fade, share * fade) for fade in longest] for share in _FADES]
    others = each(lambda pairs: roughness(_blended(source, placed[best], pairs)), tried[1:])
    sounds = [heard[best], *others]  # the first of them was heard already
    fades = [
        (_least(sounds, tried, i, a)[0], _least(sounds, tried, i, b)[1])
        for i, (a, b) in enumerate(request.spans)
    ]
    patches = _blended(source, placed[best], fades)
    seams = tuple(seam for judge in window.judges for seam in judge.seams(patches))
    watch.lap("judge")
    starts = [*beginnings, *[""] * (len(candidates) - len(beginnings))]
    told = tuple(Candidate(*one) for one in zip(starts, costs, shares, strict=True))
    return Choice(source.with_patches(patches), seams, fades, Candidates(told, best))


def _wished_most(costs: Sequence[float], agreement: Callable[[int], float]) -> tuple[int, list[float | None]]:
    """The place of the candidate that costs least with what of the wish it lacks, and what each has of it.

    Listened to in the order of their costs, and no further than where all of the wish would not help.
    """
    best, least = 0, math.inf
    shares: list[float | None] = [None] * len(costs)
    for i in sorted(range(len(costs)), key=lambda i: costs[i]):
        if costs[i] > least:
            break
        share = shares[i] = agreement(i)
        whole = costs[i] + WISH_WEIGHT * (1 - share)
        if whole < least or (whole == least and i < best):
            best, least = i, whole
    return best, shares


def _least(
    sounds: list[list[dict[float, float]]], tried: list[Fades], span: int, time: float
) -> tuple[float, float]:
    """The crossfades with which the boundary of a span at `time` is least rough; the first without a seam."""
    best = min(range(len(tried)), key=lambda k: sounds[k][span].get(time, 0.0))
    return tried[best][span]
