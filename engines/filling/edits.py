"""Edits that one fill of one window does not make: longer, looped, and long or several spans.

A continuation or an intro is a span beyond the recording's end or beginning. A loop is a span over the
join of end and beginning. What is longer than the models' window is made piece by piece, each piece
continuing all before it, the last one meeting what follows. Times are seconds on the source's
clock. Knows how to ask an engine, not how engines work.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import replace

import numpy as np

from engines.audio.recording import Recording
from engines.audio.timebase import SHOWN_SECONDS, seconds_to_samples
from engines.errors import InputError
from engines.outcomes import Wish
from engines.progress import Progress, ProgressHook
from engines.requests import LONGEST_SECONDS, GenerateRequest, InpaintRequest, Request, Result, Seam

PIECE_SECONDS = 5.0  # made at a time where the window is too short for all; the rest of it is context
FEWEST_SECONDS = 0.5  # of music that can be continued
Run = Callable[[Request, ProgressHook | None], Result]


def continuation(request: InpaintRequest, seconds: float) -> InpaintRequest:
    """The request that makes `seconds` more after the end of `request.source`; its span is ignored.

    Raises InputError for a length or a source that cannot be used.
    """
    source, length = request.source, _length(request.source, seconds)
    rows = np.zeros((length, source.channels), source.samples.dtype)
    longer = replace(source, samples=np.concatenate([source.samples, rows]))  # [n, C] -> [n + m, C]
    end = longer.seconds
    return replace(_blending(request), source=longer, start=source.seconds, end=end, also=())


def intro(request: InpaintRequest, seconds: float) -> InpaintRequest:
    """The request that makes `seconds` more before the beginning of `request.source`; its span is ignored.

    What is drawn on the lanes keeps its times: 0 is where the intro begins. Raises InputError as
    `continuation` does.
    """
    source, length = request.source, _length(request.source, seconds)
    rows = np.zeros((length, source.channels), source.samples.dtype)
    kept = tuple(chunk for chunk in source.chunks if not chunk.places)  # all else would lie too early
    samples = np.concatenate([rows, source.samples])  # [n, C] -> [m + n, C]
    longer = replace(source, samples=samples, chunks=kept)
    end = length / source.rate
    return replace(_blending(request), source=longer, start=0.0, end=end, also=(), latents=None)


def _blending(request: InpaintRequest) -> InpaintRequest:
    """What is added goes on from the music, unless the request says that something is to change."""
    return replace(request, changed=()) if request.changed is None else request


def _length(source: Recording, seconds: float) -> int:
    """Samples to add."""
    if not 0.08 <= seconds <= LONGEST_SECONDS:
        raise InputError(
            f"length {seconds:g} s: expected 0.08-{LONGEST_SECONDS:g} s to add; choose another length"
        )
    if source.seconds < FEWEST_SECONDS:
        raise InputError(
            f"source of {source.seconds:.2f} s: at least {FEWEST_SECONDS:g} s are needed to go on from; "
            "load a longer recording"
        )
    return seconds_to_samples(seconds, source.rate)


def loop(request: InpaintRequest, seconds: float, run: Run, progress: ProgressHook | None = None) -> Result:
    """The source with `seconds` around the join of its end and beginning re-made, so that it repeats unheard.

    The request's span is ignored, lanes are not used (the join has no one place on their clock). The result
    is as long as the source and begins where it began; all but the two halves of the span is bit-identical.
    """
    source = request.source
    if not 0.08 <= seconds <= source.seconds / 2 + SHOWN_SECONDS:
        raise InputError(
            f"join of {seconds:g} s: expected 0.08-{source.seconds / 2:.2f} s, half of the recording; "
            "choose another"
        )
    seconds = min(seconds, source.seconds / 2)
    half = source.length // 2
    turned = replace(
        source, samples=np.roll(source.samples, half, axis=0)
    )  # end and beginning meet at `half`
    middle = half / source.rate
    asked = replace(
        _blending(request),
        source=turned,
        start=middle - seconds / 2,
        end=middle + seconds / 2,
        also=(),
        latents=None,
    )
    made = run(asked, progress)
    audio = replace(made.audio, samples=np.roll(made.audio.samples, -half, axis=0))
    seams = tuple(replace(seam, time=(seam.time - middle) % source.seconds) for seam in made.seams)
    parameters = {**made.parameters, "loop": {"join": seconds}}
    return replace(made, audio=audio, seams=seams, parameters=parameters)


def oversized(request: Request, window: float) -> bool:
    """Whether a request takes several runs: AR fills one span in each, and `sliding` allows what is longer
    than a window of `window` seconds.
    """
    if isinstance(request, GenerateRequest):
        return request.sliding and request.seconds > window + 1e-6
    if request.task != "remake":  # a part is heard in all of its span at once
        return False
    hull = request.spans[-1][1] - request.start
    apart = bool(request.also) and (request.engine == "ar" or hull > window - 2.0 + 1e-6)
    return apart or (request.sliding and hull > window - 2.0 + 1e-6)


def piecewise(request: Request, window: float, run: Run, progress: ProgressHook | None = None) -> Result:
    """Make an oversized request by several that fit: span after span, and long ones piece after piece.

    Spans are filled in order; what is to be re-made later is heard as it was, unless it is the rest of the
    same span, which is left out. Seams inside a long span are not judged. Raises what `run` raises.
    """
    parts: list[Result] = []
    if isinstance(request, GenerateRequest):
        total = 1 + len(_pieces(0.0, request.seconds - window, window))
        parts.append(run(replace(request, seconds=window), _part(progress, 0, total)))
        audio = parts[0].audio
        asked = InpaintRequest(
            request.engine,
            audio,
            0.0,
            1.0,
            request.prompt,
            request.seed,
            request.controls,
            request.ar,
            request.fm,
        )
        for i, (start, end) in enumerate(_pieces(window, request.seconds, window)):
            step = continuation(replace(asked, source=audio, seed=request.seed + 1 + i), end - start)
            parts.append(run(step, _part(progress, 1 + i, total)))
            audio = parts[-1].audio
        return _joined(request, audio, parts, ())
    audio, latents = request.source, request.latents
    plans = [(span, pieces) for span in request.spans for pieces in [_pieces(*span, window)]]
    total = sum(len(pieces) for _, pieces in plans)
    seams: list[Seam] = []
    for span, pieces in plans:
        for start, end in pieces:
            cut = seconds_to_samples(end, audio.rate)
            last = end == span[1]
            heard = audio if last else replace(audio, samples=audio.samples[:cut])
            step = replace(
                request, source=heard, start=start, end=min(end, heard.seconds), also=(), latents=latents,
                seed=request.seed + len(parts),
            )  # fmt: skip
            made = run(step, _part(progress, len(parts), total))
            parts.append(made)
            latents = made.latents
            audio = made.audio if last else audio.with_span(0, made.audio.samples)
            seams += [s for s in made.seams if min(abs(s.time - span[0]), abs(s.time - span[1])) < 1e-6]
    return _joined(request, audio, parts, seams)


def _pieces(start: float, end: float, window: float) -> list[tuple[float, float]]:
    """A span as pieces that fit the window beside some context; one piece where it fits whole."""
    if end <= start:
        return []
    if end - start <= window - 2.0 + 1e-6:
        return [(start, end)]
    size = min(PIECE_SECONDS, window / 2, window - 2.0)
    count = int(np.ceil((end - start) / size - 1e-9))
    edges = [start + i * size for i in range(count)] + [end]
    return list(itertools.pairwise(edges))


def _part(progress: ProgressHook | None, done: int, total: int) -> ProgressHook | None:
    """A hook that shows the steps of part `done` of `total` as those of the whole."""
    if progress is None:
        return None

    def hook(p: Progress) -> None:
        left = None if p.remaining is None else p.remaining * (total - done)
        progress(replace(p, step=p.step + done * p.total, total=p.total * total, remaining=left))

    return hook


def _joined(request: Request, audio: Recording, parts: Sequence[Result], seams: Sequence[Seam]) -> Result:
    """One result of many."""
    timings: dict[str, float] = {}
    for part in parts:
        for stage, spent in part.timings.items():
            timings[stage] = timings.get(stage, 0.0) + spent
    parameters = {**parts[0].parameters, "pieces": len(parts)}
    wishes = merged([wish for part in parts for wish in part.wishes])
    return Result(request, audio, timings, tuple(seams), parameters, parts[-1].latents, wishes)


def merged(wishes: Sequence[Wish]) -> tuple[Wish, ...]:
    """Wishes of several pieces as those of the whole, weighed by how long each was asked for."""
    whole: dict[tuple[str, str, bool], list[Wish]] = {}
    for wish in wishes:
        whole.setdefault((wish.kind, wish.name, wish.plays), []).append(wish)
    found = []
    for same in whole.values():
        seconds = sum(wish.seconds for wish in same)
        share, sure = (
            sum(getattr(wish, name) * wish.seconds for wish in same) / max(seconds, 1e-9)
            for name in ("share", "sure")
        )
        found.append(replace(same[0], share=share, sure=sure, seconds=seconds))
    return tuple(found)
