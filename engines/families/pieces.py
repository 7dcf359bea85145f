"""Long audio through a codec piece by piece, to the same end as all at once.

A codec whose frames see a bounded number of others needs no more of them around a piece. What it would take
for a song at once, grows with its length or with the square of it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def pieces(frames: int, size: int, beside: int) -> Iterator[tuple[int, int, int, int]]:
    """Frames [a, b) to code at once, and [first, last) of those that are kept: `size`, or all where few."""
    if frames <= size + 2 * beside:
        yield 0, frames, 0, frames
        return
    for begin in range(0, frames, size):
        end = min(frames, begin + size)
        a = max(0, begin - beside)
        yield a, min(frames, end + beside), begin - a, end - a


def encoded(encode: Callable[[Tensor], Tensor], audio: Tensor, hop: int, size: int, beside: int) -> Tensor:
    """Audio [B, C, N] -> latents [B, D, T], T = ceil(N / hop); frames see `beside` others to each side."""
    import torch
    from torch.nn.functional import pad

    audio = pad(audio, (0, -audio.shape[-1] % hop))
    parts = [
        encode(audio[..., a * hop : b * hop])[..., first:last]
        for a, b, first, last in pieces(audio.shape[-1] // hop, size, beside)
    ]
    return torch.cat(parts, dim=-1).float()


def decoded(decode: Callable[[Tensor], Tensor], z: Tensor, hop: int, size: int, beside: int) -> Tensor:
    """Latents [B, D, T] -> audio [B, C, T * hop]."""
    import torch

    parts = [
        decode(z[..., a:b])[..., first * hop : last * hop]
        for a, b, first, last in pieces(z.shape[-1], size, beside)
    ]
    return torch.cat(parts, dim=-1).float()
