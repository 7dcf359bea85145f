"""Held-out conditions: trimming, prompts that name the lead, candidates and spans by seed."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from engines.requests import Chord, Controls, Hit, Note
from study.data.captions import UNSEEN
from study.data.styles import LEADS
from study.measure.conditions import (
    CANDIDATES,
    CONTEXT_SECONDS,
    SECONDS,
    Clip,
    candidates,
    excerpts,
    labelled,
    names_lead,
    spans,
    text_prompt,
    trimmed,
    unseen_prompt,
)


def test_trimming_cuts_shifts_and_keeps_lanes_that_are_not_known() -> None:
    controls = Controls((Chord(0, 4, "C"), Chord(4, 8, "G")), None, (Hit(1.0, "kick"), Hit(5.0, "snare")))
    assert trimmed(controls, 6.0, 3.0) == Controls(
        (Chord(0, 1, "C"), Chord(1, 3, "G")), None, (Hit(2.0, "snare"),)
    )
    assert trimmed(Controls(melody=(Note(0, 1, 60),)), 10.0, 2.0).melody == ()


def asked(**label: object) -> Clip:
    return Clip("x", np.zeros(1, np.float32), dict(label), Controls())


def test_prompts_name_the_lead_and_unseen_ones_are_no_training_caption() -> None:
    clip = asked(lead="flute", style="jazz", captions=["jazz with drums", "jazz, flute melody, drums"])
    assert text_prompt(clip) == "jazz, flute melody, drums"
    assert names_lead(text_prompt(asked(lead="oboe", style="pop", captions=["pop, fast"])), "oboe")
    for lead in LEADS:
        for seed in range(4):
            prompt = unseen_prompt(asked(lead=lead, style="pop", captions=[]), seed)
            assert names_lead(prompt, lead) and prompt not in clip.label["captions"]
    own = asked(lead="flute", style="jazz", unseen_captions=["jazz alone", f"jazz and a {UNSEEN['flute']}"])
    assert unseen_prompt(own, 0) == f"jazz and a {UNSEEN['flute']}"


def test_candidates_hold_the_right_one_once_and_follow_the_seed() -> None:
    leads = tuple(LEADS)
    found = {candidates("flute", leads, seed) for seed in range(30)}
    assert len(found) > 20
    for among in found:
        assert len(set(among)) == CANDIDATES and among.count("flute") == 1
    assert candidates("flute", leads, 1) == candidates("flute", leads, 1)
    with pytest.raises(ValueError, match="at least 10"):
        candidates("flute", leads[:5], 0)


def test_spans_last_one_to_five_seconds_with_context_on_both_sides() -> None:
    found = spans(300)
    lengths = [s.end - s.start for s in found]
    assert 1.0 - 1e-3 <= min(lengths) < 1.3 and 4.7 < max(lengths) <= 5.0 + 1e-3
    assert all(s.start >= CONTEXT_SECONDS and s.end <= SECONDS - CONTEXT_SECONDS + 1e-3 for s in found)
    assert spans(5) == found[:5]


def test_a_folder_of_shards_is_read_in_order(tmp_path: Path) -> None:
    rate = 32_000
    for shard in range(2):
        audio = np.full((2, 12 * rate), 100 * shard, np.int16)
        audio[1] += 10
        np.save(tmp_path / f"audio_{shard:03d}.npy", audio)
        labels = [
            {"lead": "", "captions": [f"{shard}{i}"], "chords": [], "melody": [], "hits": []} for i in (0, 1)
        ]
        (tmp_path / f"labels_{shard:03d}.json").write_text(json.dumps(labels))
    clips = labelled(tmp_path, 3)
    assert [c.prompt for c in clips] == ["00", "01", "10"]
    assert [round(float(c.audio[0]) * 32767) for c in clips] == [0, 10, 100]
    assert len(clips[0].audio) == 10 * rate
    with pytest.raises(SystemExit, match="study.data.render"):
        labelled(tmp_path / "none", 1)


def test_excerpts_take_turns_among_recordings_and_pass_over_silence(tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    for name, level in (("a", 3000), ("b", 3000), ("silent", 1)):
        np.save(tmp_path / f"{name}.npy", (level * rng.standard_normal(15 * 32_000)).astype(np.int16))
    clips = excerpts(tmp_path, 6)
    names = [c.name.split("@")[0] for c in clips]
    assert len(clips) == 6 and names.count("a") == names.count("b") == 3
    assert [c.name for c in clips] == [c.name for c in excerpts(tmp_path, 6)]
