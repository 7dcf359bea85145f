"""Lanes at the frame rate: where objects land, what nulls are, how a batch is permuted and dropped."""

import pytest
import torch

from engines.errors import InputError
from engines.music.chords import NULL_CHORD, VOCABULARY
from engines.networks.lane_frames import (
    LANE_GAIN,
    MELODY_NULL,
    MELODY_SILENT,
    LaneProjection,
    Lanes,
    boost_lane_columns,
    cat_lanes,
    lane_width,
    lanes_from,
    null_lanes,
)
from engines.networks.shapes import TakenLanes
from engines.requests import Chord, Controls, Hit, Note

DRAWN = Controls(
    chords=(Chord(0.0, 0.4, "C"), Chord(0.4, 0.6, "Db")),
    melody=(Note(0.2, 0.4, 60), Note(0.3, 0.5, 43)),
    drums=(Hit(0.0, "kick"), Hit(0.119, "hat"), Hit(0.12, "snare"), Hit(99.0, "kick")),
)


def drawn(start: float = 0.0) -> Lanes:
    return lanes_from(DRAWN, frames=20, frame_rate=25.0, start=start)


def test_objects_land_on_their_frames() -> None:
    lanes = drawn()
    c, db = VOCABULARY.index("C"), VOCABULARY.index("C#")
    assert lanes.chords[0].tolist() == [c] * 10 + [db] * 5 + [NULL_CHORD] * 5
    assert lanes.melody[0].tolist() == [53] * 5 + [60 - 43] * 5 + [0] * 3 + [53] * 7  # the higher wins
    assert lanes.drums[0].nonzero().tolist() == [[0, 0], [2, 2], [3, 1]]
    assert lanes.drums_given.all()


def test_a_window_that_begins_later_sees_the_lanes_shifted() -> None:
    late, early = drawn(start=0.2), drawn()
    assert torch.equal(late.chords[0, :15], early.chords[0, 5:])
    assert torch.equal(late.melody[0, :15], early.melody[0, 5:])
    assert late.drums.sum() == 0  # all hits lie before


def test_not_given_and_given_but_empty_differ() -> None:
    absent = lanes_from(Controls(), 4, 25.0)
    empty = lanes_from(Controls(melody=(), drums=()), 4, 25.0)
    assert not absent.any_given and empty.any_given
    assert (absent.melody == MELODY_NULL).all() and (empty.melody == MELODY_SILENT).all()
    assert not absent.drums_given.any() and empty.drums_given.all()


def test_notes_out_of_range_move_by_octaves_and_short_ones_still_sound() -> None:
    low = lanes_from(Controls(melody=(Note(0.0, 0.001, 30),)), 2, 25.0)
    high = lanes_from(Controls(melody=(Note(0.0, 0.001, 108),)), 2, 25.0)
    assert low.melody[0].tolist() == [54 - 43, MELODY_SILENT]  # 30 + 24 = 54
    assert high.melody[0].tolist() == [84 - 43, MELODY_SILENT]  # 108 - 24 = 84


@pytest.mark.parametrize(
    "controls",
    [
        Controls(chords=(Chord(1.0, 0.5, "C"),)),
        Controls(chords=(Chord(0.0, 1.0, "H"),)),
        Controls(melody=(Note(0.0, float("nan"), 60),)),
        Controls(drums=(Hit(0.0, "gong"),)),
        Controls(drums=(Hit(float("inf"), "kick"),)),
    ],
)
def test_unusable_objects_are_refused(controls: Controls) -> None:
    with pytest.raises(InputError):
        lanes_from(controls, 10, 25.0)


def test_permute_moves_all_lanes_and_negative_entries_are_null() -> None:
    lanes = drawn()
    index = torch.tensor([3, -1, 0, 12])
    moved = lanes.permute(index)
    assert moved.chords[0].tolist() == [
        lanes.chords[0, 3],
        NULL_CHORD,
        lanes.chords[0, 0],
        lanes.chords[0, 12],
    ]
    assert moved.melody[0, 1] == MELODY_NULL and moved.melody[0, 3] == lanes.melody[0, 12]
    assert moved.drums[0].nonzero().tolist() == [[0, 1], [2, 0]]
    assert moved.drums_given[0].tolist() == [True, False, True, True]


def test_drop_nulls_whole_lanes_of_single_items() -> None:
    both = cat_lanes([drawn(), drawn()])
    yes, no = torch.tensor([True, False]), torch.tensor([False, False])
    dropped = both.drop(chords=yes, melody=no, drums=yes)
    null = both.null_like()
    assert torch.equal(dropped.chords[0], null.chords[0]) and torch.equal(dropped.chords[1], both.chords[1])
    assert torch.equal(dropped.melody, both.melody)
    assert dropped.drums[0].sum() == 0 and not dropped.drums_given[0].any() and dropped.drums_given[1].all()


def test_a_flag_per_item_is_spread_over_the_frames() -> None:
    null = null_lanes(2, 3)
    lanes = Lanes(null.chords, null.melody, null.drums, torch.tensor([True, False]))
    assert lanes.drums_given.tolist() == [[True] * 3, [False] * 3]


def test_the_projection_tells_pitches_apart_and_flags_what_is_given() -> None:
    torch.manual_seed(0)
    projection = LaneProjection()
    out = projection(drawn())
    assert out.shape == (1, 20, projection.width)
    assert out[0, 0, :36].tolist() == (
        [1.0] + [0.0] * 11 + [1.0] + [0.0] * 11 + [1, 0, 0, 0, 1, 0, 0, 1, 0, 0, 0, 0]
    )  # C: root, bass, pitch classes
    assert out[0, 0, -3:].tolist() == [1, 1, 1]
    assert out[0, 19, -3:].tolist() == [0, 1, 1]  # no chord covers the end
    assert projection(null_lanes(1, 1))[0, 0, -3:].tolist() == [0, 0, 0]
    out.sum().backward()
    assert projection.chord.weight.grad is not None and projection.melody.weight.grad is not None


def test_lane_columns_are_boosted_and_no_others() -> None:
    linear = torch.nn.Linear(4 + lane_width(TakenLanes(band=True)), 2)
    before = linear.weight.detach().clone()
    boost_lane_columns(linear, lane_width(TakenLanes(band=True)))
    assert torch.equal(linear.weight[:, :4], before[:, :4])
    assert torch.allclose(linear.weight[:, 4:], LANE_GAIN * before[:, 4:])
