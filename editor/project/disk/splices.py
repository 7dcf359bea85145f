"""Splices: a clip's samples in another order, or with a recording laid over them. Loads no torch.

What is not laid over, and every piece that moves, keeps its samples bit for bit. Times in seconds. Knows no
project.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from engines.audio.chunks import Chunk
from engines.audio.recording import MAX_SECONDS, Recording, Samples, resample
from engines.audio.timebase import seconds_to_samples
from engines.errors import InputError


def laid_over(clip: Recording | None, part: Recording, at: float) -> Recording:
    """The clip whose samples from a time on are those of `part`, in the clip's rate, channels and type.

    It becomes longer where the part ends after it; silence stands before a part that begins after it. Without
    a clip the part keeps its own. InputError where it would become too long.
    """
    if clip is None:
        clip = replace(part, samples=part.samples[:0], chunks=(), note="")
    first = seconds_to_samples(max(0.0, at), clip.rate)
    fitted = _fitted(part, clip)  # [n, C]
    length = max(clip.length, first + len(fitted))
    _check_length(length / clip.rate)
    samples = np.zeros((length, clip.channels), clip.samples.dtype)  # [N, C]
    samples[: clip.length] = clip.samples
    samples[first : first + len(fitted)] = fitted
    return replace(clip, samples=samples, chunks=clip.chunks if length == clip.length else _placeless(clip))


def in_order(clip: Recording, pieces: Sequence[tuple[int, int]]) -> Recording:
    """The clip's samples [first, last) of each piece, one after the other; silence beyond its ends."""
    _check_length(sum(last - first for first, last in pieces) / clip.rate)
    samples = np.zeros((sum(last - first for first, last in pieces), clip.channels), clip.samples.dtype)
    at = 0
    for first, last in pieces:
        begin, end = min(max(first, 0), clip.length), min(max(last, 0), clip.length)
        samples[at + begin - first : at + end - first] = clip.samples[begin:end]
        at += last - first
    return replace(clip, samples=samples, chunks=_placeless(clip))


def _placeless(clip: Recording) -> tuple[Chunk, ...]:
    """The file's other chunks, without those that tell of places in the sound."""
    return tuple(chunk for chunk in clip.chunks if not chunk.places)


def _fitted(part: Recording, clip: Recording) -> Samples:
    """The part's samples as the clip holds them: [n, C]."""
    same = (part.rate, part.channels, part.subtype) == (clip.rate, clip.channels, clip.subtype)
    if same and part.samples.dtype == clip.samples.dtype:
        return part.samples
    values = resample(part.as_float(), part.rate, clip.rate)  # [n, c]
    if part.channels != clip.channels:
        mono = values.mean(axis=1, keepdims=True)  # a microphone's one channel on all of the clip's
        values = np.repeat(mono, clip.channels, axis=1)
    if not clip.subtype.startswith(("FLOAT", "DOUBLE")):
        values = np.clip(values, -1, 1)
    return clip.to_native(values)


def _check_length(seconds: float) -> None:
    if seconds > MAX_SECONDS:
        raise InputError(
            f"{seconds / 60:.0f} min: at most {MAX_SECONDS / 60:.0f} min can be edited; shorten it"
        )
