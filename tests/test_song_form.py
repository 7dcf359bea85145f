"""Where a piece changes is found on songs that are made up of known sections."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.analysis.sections import sections

RATE = 22_050
BAR = 1.6  # seconds
ROOTS = {"C": 48, "Am": 45, "F": 41, "G": 43, "Dm": 50, "Em": 52}
PLANS = {
    "intro": (["C"] * 4, 0.05, (1, 2), 0),
    "verse": (["C", "Am", "F", "G"] * 2, 0.06, (1, 2), 4),
    "chorus": (["F", "G", "C", "Am"] * 2, 0.12, (1, 2, 3, 4, 5), 8),
    "bridge": (["Dm", "Em"] * 2, 0.08, (1, 3, 5), 0),
}


def bar(
    chord: str, loud: float, partials: tuple[int, ...], strokes: int, rng: np.random.Generator
) -> NDArray[np.float64]:
    t = np.arange(int(BAR * RATE)) / RATE
    third = 3 if chord.endswith("m") else 4
    made = np.zeros(len(t))
    for step in (12, 12 + third, 19):
        for n in partials:
            made += loud / n * np.sin(2 * np.pi * 440 * 2 ** ((ROOTS[chord] + step - 69) / 12) * n * t)
    for i in range(strokes):
        at = int(i * len(t) / strokes)
        made[at : at + 900] += 0.2 * rng.normal(size=900) * np.exp(-np.arange(900) / 200)
    return made


def song(*kinds: str) -> NDArray[np.float32]:
    rng = np.random.default_rng(0)
    bars = [(chord, PLANS[kind][1:]) for kind in kinds for chord in PLANS[kind][0]]
    return np.concatenate([bar(chord, *sound, rng) for chord, sound in bars]).astype(np.float32)


def lines(audio: NDArray[np.float32]) -> list[float]:
    return [BAR * i for i in range(round(len(audio) / RATE / BAR) + 1)]


def borders(*kinds: str) -> list[int]:
    return [sum(len(PLANS[kind][0]) for kind in kinds[:i]) for i in range(len(kinds) + 1)]


@pytest.mark.parametrize(
    ("kinds", "names"),
    [
        (
            ("intro", "verse", "chorus", "verse", "chorus", "bridge", "chorus"),
            ("Intro", "Verse", "Chorus", "Verse", "Chorus", "Bridge", "Chorus"),
        ),
        (
            ("intro", "verse", "chorus"),
            ("Part A", "Part B", "Part C"),
        ),
        (("verse", "verse", "verse"), ("Part A",)),
    ],
)
def test_sections_are_where_they_were_put(kinds: tuple[str, ...], names: tuple[str, ...]) -> None:
    audio = song(*kinds)
    found = sections(audio, RATE, lines(audio))
    assert tuple(stretch.name for stretch in found) == names
    if len(names) > 1:
        assert [stretch.start for stretch in found] + [found[-1].end] == borders(*kinds)


def test_what_never_changes_is_one_stretch_and_two_lines_are_none() -> None:
    noise = (0.1 * np.random.default_rng(1).normal(size=30 * RATE)).astype(np.float32)
    assert [(s.start, s.end) for s in sections(noise, RATE, lines(noise))] == [(0, len(lines(noise)) - 1)]
    assert sections(np.zeros(40 * RATE, np.float32), RATE, [0.0, 20.0, 40.0])[0].end == 2
    assert sections(noise, RATE, [0.0, 2.0]) == ()


def test_stretches_cover_all_bars_whatever_the_grid_says() -> None:
    audio = song("verse", "chorus", "verse")
    early = [-BAR, *lines(audio), 99.0, 101.0]  # a grid that begins before the clip and ends behind it
    found = sections(audio, RATE, early)
    assert found[0].start == 0 and found[-1].end == len(early) - 1
    assert all(a.end == b.start for a, b in pairwise(found))
