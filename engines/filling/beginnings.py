"""Where fillings begin: latents of a window whose spans are copied from elsewhere in the recording.

Times are seconds on the source's clock. Does not know how a model fills the span.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from threading import Lock
from weakref import WeakKeyDictionary

import numpy as np
from numpy.typing import NDArray
from torch import Tensor

from engines.audio import compose
from engines.audio.recording import Patch, Recording
from engines.audio.side_by_side import each
from engines.audio.timebase import seconds_to_samples
from engines.checkpoints.shelf import Models
from engines.filling import mosaic, repeats
from engines.filling.choice import longest_fade
from engines.filling.recent import Recent
from engines.filling.window import Window, encode_spans, read
from engines.requests import Controls, InpaintRequest

REMEMBERED = 8  # spans of a recording whose passages are kept: three engines re-make one
_ranked: WeakKeyDictionary[Recording, Recent[list[float]]] = WeakKeyDictionary()
_lock = Lock()
TRIED = 8  # passages for each span whose seams are listened to before some are begun from


def repeats_of(
    request: InpaintRequest, window: Window, models: Models, count: int, controls: Controls | None = None
) -> list[tuple[Tensor, str]]:
    """Up to `count` latents [1, D, T] of a window whose spans are copied from elsewhere, and how, in words.

    What is copied keeps the beat (`engines.filling.repeats`), and comes from where the recording sounds as
    the lanes ask for, where there are any (`engines.filling.mosaic`).
    """
    controls = controls or request.controls
    if count < 1:
        return []
    if any(lane is not None for lane in (controls.chords, controls.melody, controls.drums)):
        return _mosaics(request, window, models, count, controls)
    found = [_lags(request, window, place, count, models.codec().rate) for place in range(len(request.spans))]
    made = []
    for choice in list(zip(*found, strict=False))[:count]:
        heard = _copied(request, window, choice, models.codec().rate, models.codec().channels)
        made.append((_encoded(window, heard, models), ", ".join(_from_where(lag) for lag in choice)))
    return made


def _mosaics(
    request: InpaintRequest, window: Window, models: Models, count: int, controls: Controls
) -> list[tuple[Tensor, str]]:
    """The same of spans that are pieced together as the lanes ask for."""
    spans, codec = request.spans, models.codec()
    found = []
    for place, (a, b) in enumerate(spans):
        others = (*spans[:place], *spans[place + 1 :])
        found.append(mosaic.mosaics(request.source, a, b, controls, count, others))
    made = []
    for choice in zip(*found, strict=False):
        patches = list[Patch]()
        for passages in choice:
            source = request.source.with_patches(patches) if patches else request.source
            patches.append(mosaic.paste_of(source, passages))
        heard = _read(request, window, patches, codec.rate, codec.channels)
        made.append((_encoded(window, heard, models), ", ".join(_from_places(each) for each in choice)))
    return made


def _encoded(window: Window, heard: NDArray[np.float32], models: Models) -> Tensor:
    """Latents [1, D, T], 0 where known, of a window that hears something else, [T * hop] or [C, T * hop]."""
    louder = heard * np.float32(window.gain)
    return encode_spans(replace(window, wide=np.atleast_2d(louder)), models)


def seeds_of(
    request: InpaintRequest,
    window: Window,
    models: Models,
    seeded: int,
    distinct: int,
    controls: Controls | None = None,
) -> list[tuple[Tensor, str]]:
    """What `seeded` fillings begin from: at most `distinct` repeats [1, D, T] by turns, and how, in words.

    None where there are no repeats.
    """
    found = repeats_of(request, window, models, min(seeded, distinct), controls)
    return [found[k % len(found)] for k in range(seeded)] if found else []


def _lags(request: InpaintRequest, window: Window, place: int, count: int, rate: int) -> list[float]:
    """At least `count` lags, where there are, by which a span can be copied from elsewhere, the best first.

    The best are those with the smoothest seams.
    """
    spans = request.spans
    a, b = spans[place]
    others = (*spans[:place], *spans[place + 1 :])
    around = window.around[place] if window.around else None

    def roughness(lag: float) -> float:
        choice = [lag if i == place else 0.0 for i in range(len(spans))]
        heard, fade = _copied(request, window, choice, rate), longest_fade(request, a, b)
        placed = compose.place(request.source, a, b, heard, window.start, rate, request.match, around)
        return sum(window.judges[place].costs([placed.patch(request.source, fade)]).values())

    def ranked() -> list[float]:
        found = repeats.lags(request.source, a, b, max(TRIED, count), others)
        costs = each(roughness, found)
        return [lag for _, lag in sorted(zip(costs, found, strict=True), key=lambda one: one[0])]

    with _lock:
        known = _ranked.setdefault(request.source, Recent(REMEMBERED))
    heard_as = (window.start, len(window.audio), rate, request.match, request.crossfade)
    return known.get((spans, place, max(TRIED, count), *heard_as), ranked)


def _copied(
    request: InpaintRequest, window: Window, lags: Sequence[float], rate: int, channels: int = 1
) -> NDArray[np.float32]:
    """What the window hears at `rate`, mono [T * hop] or [C, T * hop], each span copied from its lag.

    A lag of 0 leaves a span.
    """
    patches = list[Patch]()
    for (a, b), lag in zip(request.spans, lags, strict=True):
        if lag:
            source = request.source.with_patches(patches) if patches else request.source
            patches.append(repeats.copy_of(source, a, b, lag))
    return _read(request, window, patches, rate, channels)


def _read(
    request: InpaintRequest, window: Window, patches: Sequence[Patch], rate: int, channels: int
) -> NDArray[np.float32]:
    """What a window hears of the source with something else in its spans, mono [T * hop] or [C, T * hop]."""
    first = seconds_to_samples(window.start, request.source.rate)
    return read(request.source, first, len(window.audio), rate, patches, channels)


def _from_where(lag: float) -> str:
    return f"the music {abs(lag):.2f} s {'earlier' if lag < 0 else 'later'}"


def _from_places(passages: Sequence[mosaic.Passage]) -> str:
    if len(passages) == 1 and not passages[0].semitones:
        return _from_where(passages[0].lag)
    moved = sum(passage.semitones != 0 for passage in passages)
    told = f", {moved} of them transposed" if moved else ""
    return f"{len(passages)} {'passage' if len(passages) == 1 else 'passages'} from elsewhere{told}"
