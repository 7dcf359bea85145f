"""The arranger: what it writes is what it says it wrote."""

from __future__ import annotations

from collections import Counter

import pytest

from engines.chords import VOCABULARY
from engines.requests import DRUMS, MELODY_HIGH, MELODY_LOW
from study.captions import caption
from study.corpus import STYLES, Piece, arrange


@pytest.fixture(scope="module")
def pieces() -> list[Piece]:
    return [arrange(seed) for seed in range(120)]


def test_a_seed_is_a_piece(pieces: list[Piece]) -> None:
    assert arrange(7) == pieces[7]
    assert arrange(7) != arrange(8)


def test_every_style_keys_and_tempi_occur(pieces: list[Piece]) -> None:
    assert {p.style for p in pieces} == set(STYLES)
    assert len({p.key for p in pieces}) >= 20
    assert min(p.bpm for p in pieces) < 75 and max(p.bpm for p in pieces) > 150


def test_chords_cover_the_clip_without_gap_or_overlap(pieces: list[Piece]) -> None:
    for p in pieces:
        assert p.chords[0].start == 0.0 and p.chords[-1].end == pytest.approx(p.seconds)
        assert all(c.symbol in VOCABULARY for c in p.chords)
        for a, b in zip(p.chords, p.chords[1:], strict=False):
            assert b.start == pytest.approx(a.end)


def test_melody_is_one_line_in_range_and_sounds_as_labelled(pieces: list[Piece]) -> None:
    for p in pieces:
        for a, b in zip(p.melody, p.melody[1:], strict=False):
            assert b.start >= a.start and a.end <= b.start + 1e-9
        assert all(MELODY_LOW <= n.pitch <= MELODY_HIGH for n in p.melody)
        lead = [t for t in p.tracks if t.role == "lead"]
        played = Counter(n[2] for t in lead for n in t.notes if n[1] > 0.02 and n[0] < p.seconds)
        assert bool(lead) == bool(p.melody)
        assert Counter(n.pitch for n in p.melody) <= played


def test_hits_are_the_drum_notes(pieces: list[Piece]) -> None:
    for p in pieces:
        inside = [d for d in p.drum_notes if 0 <= d[0] < p.seconds]
        assert len(p.hits) <= len(inside) and all(h.drum in DRUMS for h in p.hits)
        assert {h.time for h in p.hits} <= {d[0] for d in inside}


def test_a_caption_names_only_what_plays(pieces: list[Piece]) -> None:
    for p in pieces[:60]:
        words = caption(p, 0) + caption(p, 1)
        if not p.drum_notes:
            assert "drum beat" not in words and "steady drums" not in words
        if "flute" not in [t.name for t in p.tracks]:
            assert "flute" not in words
    assert len({caption(pieces[0], s) for s in range(6)}) >= 4
