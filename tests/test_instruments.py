"""Instruments by name and program, their lane at the frame rate, beats, and what training leaves open."""

import pytest
import torch

from engines.audio.timebase import Grid
from engines.errors import InputError
from engines.music.instruments import (
    FAMILIES,
    INSTRUMENTS,
    OTHERS,
    ROWS,
    family_of,
    members,
    named,
    nearest,
    of_program,
    row_of,
)
from engines.networks.lane_frames import beat_phase, lanes_from, widened
from engines.requests import Controls, Part
from study.data.corpus import HELD_OUT, PAIRS, arrange
from study.data.dataset import named_parts, twins_of


def lane(*parts: Part) -> torch.Tensor:
    """One second at 25 frames: int8 [25, ROWS]."""
    return lanes_from(Controls(instruments=parts), 25, 25.0).parts[0]


def test_names_are_understood_as_musicians_spell_them_and_others_get_the_nearest() -> None:
    assert [named(text) for text in ("Flute", "sax", "Bass", "drum kit", "the rest")] == [
        "flute", "saxophone", "basses", "drums", OTHERS
    ]  # fmt: skip
    assert "violin" in nearest("vioin")
    with pytest.raises(InputError, match="kazoo.*no such instrument"):
        named("kazoo")


def test_general_midi_programs_are_instruments_or_their_families() -> None:
    assert [of_program(p) for p in (0, 33, 73, 111, 47, 127)] == [
        "piano", "electric bass", "flute", "plucked and piped", None, None
    ]  # fmt: skip
    assert all(family_of(name) in FAMILIES for name in INSTRUMENTS)
    assert sorted(name for family in FAMILIES for name in members(family)) == sorted(INSTRUMENTS)


def test_who_plays_is_said_with_the_family_and_what_nobody_names_stays_open() -> None:
    drawn = lane(Part(0.0, 0.4, "flute"), Part(0.4, 1.0, "drums", False))
    assert (
        drawn[:10, row_of("flute")].tolist() == [1] * 10 and drawn[:10, row_of("flutes")].tolist() == [1] * 10
    )
    assert drawn[10:, row_of("drums")].tolist() == [-1] * 15
    assert int(drawn[:10].ne(0).sum()) == 20 and int(drawn[10:].ne(0).sum()) == 15


def test_everything_else_is_all_that_is_not_named_and_members_of_a_named_family_stay_open() -> None:
    alone = lane(Part(0.0, 1.0, "guitars"), Part(0.0, 1.0, OTHERS, False))[0]
    assert alone[row_of("guitars")] == 1 and alone[row_of("drums")] == -1 and alone[row_of("piano")] == -1
    assert all(alone[row_of(name)] == 0 for name in members("guitars"))
    with pytest.raises(InputError, match="can only be left out"):
        lane(Part(0.0, 1.0, OTHERS))


def test_a_family_that_is_out_takes_its_members_with_it_unless_one_is_asked() -> None:
    drawn = lane(Part(0.0, 1.0, "reeds", False), Part(0.0, 1.0, "oboe"))[0]
    assert drawn[row_of("clarinet")] == -1 and drawn[row_of("oboe")] == 1 and drawn[row_of("reeds")] == 1


def test_beats_are_phases_that_return_every_beat_and_every_bar() -> None:
    phases = beat_phase(Grid(60.0, 4, 0.5), 250, 25.0)  # a beat is 25 frames, a bar 100
    assert torch.allclose(phases[:-25, :2], phases[25:, :2], atol=1e-5)
    assert torch.allclose(phases[:-100], phases[100:], atol=1e-5)
    assert not torch.allclose(phases[:-25, 2:], phases[25:, 2:], atol=1e-2)
    assert int(phases[:100, 3].argmax()) in (12, 13)  # the bar begins half a second in


def test_weights_from_before_the_lanes_are_taken_over_with_zeros() -> None:
    weight = torch.randn(3, 5)
    wider = widened(weight, 8)
    assert torch.equal(wider[:, :5], weight) and not wider[:, 5:].any()


def test_a_pair_differs_in_one_thing_and_keeps_its_time() -> None:
    pairs = [(arrange(seed), arrange(seed + 1)) for seed in range(PAIRS, PAIRS + 24, 2)]
    assert all(b.twin_of == a.seed and a.twin_of is None and b.change for a, b in pairs)
    assert all(a.beats == b.beats and a.bpm == b.bpm for a, b in pairs)
    for a, b in pairs:
        if b.change == "drums":
            assert a.drum_notes != b.drum_notes and a.melody == b.melody
        if b.change == "no drums":
            assert a.drum_notes and not b.drum_notes
    assert twins_of([PAIRS, PAIRS + 1, 5, None, HELD_OUT + PAIRS]).tolist() == [1, 0, 2, 3, 4]


def test_a_few_players_are_named_and_their_families_stay_said() -> None:
    parts = lane(Part(0.0, 1.0, "flute"), Part(0.0, 1.0, "piano"), Part(0.0, 1.0, OTHERS, False))
    batch = parts[None].repeat(200, 1, 1)
    kept = named_parts(batch, torch.ones(200, dtype=torch.bool), torch.Generator().manual_seed(0))
    assert not (kept * batch < 0).any()  # nothing is turned round
    said = (kept[:, 0] != 0).sum(dim=1)
    assert int(said.min()) + 1 > 0 and int(said.max()) < len(ROWS) and said.float().std() > 1
    flute = kept[:, 0, row_of("flute")] == 1
    assert 20 < int(flute.sum()) < 190 and bool((kept[flute, 0, row_of("flutes")] == 1).all())
