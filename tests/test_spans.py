"""Masks and the A|C|B order."""

import pytest
import torch

from engines.sampling.order import (
    MARK_A,
    MARK_B,
    MARK_C,
    PAD,
    known_mask,
    orders,
    plain_order,
    reorder,
    restore,
)


def test_the_order_is_a_then_c_then_b_each_behind_its_marker() -> None:
    assert reorder(2, 4, 6).tolist() == [MARK_A, 0, 1, MARK_C, 4, 5, MARK_B, 2, 3]
    assert reorder(0, 1, 2).tolist() == [MARK_A, MARK_C, 1, MARK_B, 0]
    assert plain_order(2).tolist() == [0, 1, PAD, PAD, PAD]


@pytest.mark.parametrize(("start", "end", "frames"), [(0, 5, 5), (2, 3, 9), (0, 1, 7), (6, 7, 7), (3, 8, 20)])
def test_restore_undoes_reorder(start: int, end: int, frames: int) -> None:
    order = reorder(start, end, frames)
    assert order.shape == (frames + 3,)
    assert torch.equal(order[restore(start, end, frames)], torch.arange(frames))


@pytest.mark.parametrize(("start", "end"), [(3, 3), (4, 2), (-1, 2), (2, 9)])
def test_a_span_must_lie_inside(start: int, end: int) -> None:
    with pytest.raises(ValueError, match="span"):
        reorder(start, end, 8)


def test_known_is_what_lies_outside() -> None:
    assert known_mask(1, 3, 4).tolist() == [True, False, False, True]


def test_the_orders_of_many_items_are_those_of_each() -> None:
    cases = [(0, 5), (3, 9), (12, 20), (0, 20), (7, 7), (19, 20)]
    starts, ends = (torch.tensor(x) for x in zip(*cases, strict=True))
    many = orders(starts, ends, 20)
    for (start, end), row in zip(cases, many, strict=True):
        alone = reorder(start, end, 20) if end > start else plain_order(20)
        assert torch.equal(row, alone)
