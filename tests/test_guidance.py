"""Guidance: which sources are stacked, what each sees, and that their weights sum to one."""

import torch

from engines.networks.lane_frames import lanes_from
from engines.requests import Chord, Controls, Guidance, Note
from engines.sampling.guidance import combine, seen_by, sources, told

LANES = lanes_from(Controls(chords=(Chord(0, 1, "C"),), melody=(Note(0, 1, 60),)), 25, 25.0)


def test_without_a_wish_there_are_the_papers_sources() -> None:
    rows = sources(Guidance(3.0, 0.5), True, True)
    assert [(row.text, row.lanes, row.weight) for row in rows] == [
        (True, True, 3.0),
        (True, False, 0.5),
        (False, False, -2.5),
    ]


def test_a_wish_is_weighed_against_what_goes_on() -> None:
    rows = sources(Guidance(1.0, 0.0, wish=4.0), True, True, ("melody",))
    assert [(row.weight, row.hidden) for row in rows] == [(4.0, ()), (-3.0, ("melody",))]
    seen = seen_by(rows, LANES, 2)
    assert seen.chords.shape == (4, 25) and bool((seen.chords == LANES.chords[0, 0]).all())
    assert bool((seen.melody[:2] == LANES.melody[0]).all())
    assert not bool((seen.melody[2:] == LANES.melody[0]).any())
    same = torch.ones(2, 1, 3)  # where both predict the same, so does their sum
    assert torch.allclose(combine(same, rows), torch.ones(1, 1, 3))


def test_changed_words_are_hidden_from_what_goes_on() -> None:
    rows = sources(Guidance(1.0, 0.0, wish=3.0), True, True, ("words",))
    assert [(row.text, row.lanes, row.weight) for row in rows] == [(True, True, 3.0), (False, True, -2.0)]


def test_a_wish_without_a_change_counts_for_nothing() -> None:
    assert sources(Guidance(3.0, 0.0, wish=9.0), True, True) == sources(Guidance(3.0), True, True)
    assert told(Guidance(3.0)) == {"all": 3.0, "text": 0.0} and told(Guidance(1.0, wish=2.0))["wish"] == 2.0
