"""Spans in latent frames: masks, and the A|C|B order of fill-in-the-middle (App. J).

Frames are integers, spans half-open. The reordered sequence is [<a> A <c> C <b> B] with the
markers as full columns; an index tensor names for every new column the frame it comes from, or
one of the negative markers. Does not know seconds or codes.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

PAD, MARK_A, MARK_B, MARK_C = -1, -2, -3, -4  # columns that are no frame


@dataclass(frozen=True)
class Layout:
    """How a window stands in the sequence that a network completes, and which columns of that are made."""

    order: Tensor  # int64 [S] the frame of each column; negative = a marker
    known: int  # columns that precede what is made
    end: int  # column behind what is made: nothing there, or known again

    def put(self, made: Tensor, codes: Tensor, start: int) -> Tensor:
        """What was made of sequences [C, K, S], in a window's codes [1, K, T] from `start` on: [C, K, T]."""
        whole = codes.repeat(len(made), 1, 1)
        whole[:, :, start : start + self.end - self.known] = made[:, :, self.known : self.end]
        return whole


def layout(start: int, end: int, frames: int, fills: bool, beyond: int) -> Layout:
    """A|C|B for a network that fills; else frames in place, up to `beyond` of those behind the span."""
    if fills:
        order = reorder(start, end, frames)
        return Layout(order, len(order) - (end - start), len(order))
    return Layout(torch.arange(min(frames, end + beyond)), start, end)


def known_mask(start: int, end: int, frames: int) -> Tensor:
    """True outside the span: bool [T]."""
    mask = torch.ones(frames, dtype=torch.bool)
    mask[start:end] = False
    return mask


def reorder(start: int, end: int, frames: int) -> Tensor:
    """Where each column of [<a> A <c> C <b> B] comes from: int64 [T + 3]; negative = a marker."""
    if not 0 <= start < end <= frames:
        raise ValueError(f"span {start}-{end}: must be ordered and lie in 0-{frames}")
    head, middle, tail = torch.arange(start), torch.arange(start, end), torch.arange(end, frames)
    mark_a, mark_b, mark_c = (torch.tensor([m]) for m in (MARK_A, MARK_B, MARK_C))
    return torch.cat([mark_a, head, mark_c, tail, mark_b, middle])


def plain_order(frames: int) -> Tensor:
    """The order of generation at the same length, three pad columns last: int64 [T + 3]."""
    return torch.cat([torch.arange(frames), torch.full((3,), PAD)])


def orders(starts: Tensor, ends: Tensor, frames: int) -> Tensor:
    """`reorder` of many items, `plain_order` where start == end: 2 x int64 [B] -> int64 [B, T + 3]."""
    start, length = starts[:, None], (ends - starts)[:, None]
    column = torch.arange(frames + 3, device=starts.device).expand(len(starts), -1)
    last = frames + 2 - length  # column of <b>
    order = torch.where(column <= start, column - 1, column - 2 + length)  # A behind <a>, C behind <c>
    order = torch.where(column > last, column - last - 1 + start, order)  # B
    order = torch.where(column == start + 1, MARK_C, torch.where(column == last, MARK_B, order))
    order = torch.where(column == 0, MARK_A, order)
    plain = torch.where(column < frames, column, PAD)
    return torch.where(length > 0, order, plain)


def restore(start: int, end: int, frames: int) -> Tensor:
    """The inverse of `reorder`: for every frame its column, int64 [T]."""
    order = reorder(start, end, frames)
    columns = torch.empty(frames, dtype=torch.int64)
    columns[order[order >= 0]] = torch.nonzero(order >= 0).squeeze(1)
    return columns
