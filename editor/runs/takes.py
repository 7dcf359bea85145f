"""Results -> takes: what a run has made, stored in the project's folder and described.

A sample outside the span that differs from the source's is a defect and never becomes a take. Times are
seconds. Loads no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from secrets import token_hex

import numpy as np

from editor.project.disk import sounds, storage
from editor.project.document import Region, Sound, Take
from editor.runs.job import Extension, Job, Kind
from editor.runs.replay import plain, request_to_json, wish_to_json
from engines.audio.recording import Recording
from engines.requests import InpaintRequest, Result


@dataclass(frozen=True)
class _Origin:
    """What of a take depends on how it came about."""

    kind: Kind
    job: Job  # as it can be run again
    audio: Recording  # what is stored
    region: Region | None = None
    source: Sound | None = None
    spans: tuple[Region, ...] = ()
    first: int | None = None


def take_from(
    result: Result, folder: Path, source: Sound | None = None, extension: Extension | None = None
) -> Take:
    """Store a result's audio in the project folder and describe it as a take; of a re-made clip the
    span alone, after a look at every other sample: one that differs from the source's is a ValueError.
    The result of an `extension` is stored whole.

    `source` names the audio that an inpainted clip came from; without it the source is stored, too
    (once: audio files are named by content). `request_from(take.parameters, folder)` gives the request
    back.
    """
    request, origin = result.request, _origin(result, folder, source, extension)
    parameters = request_to_json(origin.job, origin.source)
    take = Take(
        id=f"t{token_hex(6)}",
        kind=origin.kind,
        engine=request.engine,
        seed=request.seed,
        prompt=request.prompt,
        file=sounds.add_audio(folder, origin.audio),
        seconds=result.audio.seconds,
        region=origin.region,
        source=origin.source,
        parameters={**parameters, "resolved": plain(result.resolved)},
        timings=plain(result.timings),
        seams=tuple(plain(asdict(seam)) for seam in result.seams),
        made=datetime.now(UTC).isoformat(timespec="milliseconds"),
        rate=origin.audio.rate,
        channels=origin.audio.channels,
        first=origin.first,
        spans=origin.spans,
        wish=tuple(wish_to_json(wish) for wish in result.wishes),
    )
    storage.add_finished(folder, take)
    return take


def _origin(result: Result, folder: Path, source: Sound | None, extension: Extension | None) -> _Origin:
    request, audio = result.request, result.audio
    if not isinstance(request, InpaintRequest):
        return _Origin("generate", request, audio)
    if extension is not None:
        _check_extended(extension, request, audio)
        job = replace(extension, request=replace(extension.request, engine=request.engine))
        source = source or Sound(sounds.add_audio(folder, extension.request.source))
        return _Origin(extension.kind, job, audio, extension.region, source)
    samples = _spans(request)
    _check_untouched(request.source, audio, samples)
    first, last = samples[0][0], samples[-1][1]
    return _Origin(
        "inpaint",
        request,
        replace(audio, samples=audio.samples[first:last], chunks=()),
        Region(request.start, request.spans[-1][1]),
        source or Sound(sounds.add_audio(folder, request.source)),
        tuple(Region(*span) for span in request.spans) if request.also else (),
        first,
    )


def _spans(request: InpaintRequest) -> list[tuple[int, int]]:
    """The samples [first, last) of a request's spans, as the composition takes them."""
    from engines.audio.compose import span_samples  # loads scipy.signal, a second that a start need not wait

    return [span_samples(request.source, *span) for span in request.spans]


def _check_extended(extension: Extension, request: InpaintRequest, audio: Recording) -> None:
    """ValueError unless an extended clip holds its source's samples outside what was made."""
    if extension.kind == "loop":  # it was made with end and beginning in the middle
        audio = replace(audio, samples=np.roll(audio.samples, audio.length // 2, axis=0))
    _check_untouched(request.source, audio, _spans(replace(request, also=())))


def _check_untouched(source: Recording, audio: Recording, spans: Sequence[tuple[int, int]]) -> None:
    """ValueError unless two recordings are the same sample for sample outside the spans [first, last)."""
    a, b = source.samples, audio.samples
    same = a.shape == b.shape and a.dtype == b.dtype and source.rate == audio.rate
    begin = 0
    for first, last in (*spans, (source.length, source.length)):
        same = same and bool((a[begin:first] == b[begin:first]).all())
        begin = last
    if not same:
        raise ValueError(f"samples outside {spans[0][0]}-{spans[-1][1]} differ from the source's")
