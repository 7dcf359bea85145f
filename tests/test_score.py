"""What goes on in a span that is changed: lanes heard again, continued, and made to agree with the words."""

from dataclasses import replace

import numpy as np
import pytest

from engines.audio.recording import from_float
from engines.filling import score as scores
from engines.filling.recent import Recent
from engines.filling.score import score_of
from engines.requests import Chord, Controls, Hit, InpaintRequest, Note, Part

RATE = 32_000
BEAT = 0.5


def music(seconds: float = 12.0) -> np.ndarray:
    """A chord on every beat, in turn C, F, G, C, and clicks of noise on the beats: [n]."""
    t = np.arange(round(seconds * RATE)) / RATE
    rng = np.random.default_rng(0)
    out = np.zeros(len(t))
    for beat in range(int(seconds / BEAT)):
        first = round(beat * BEAT * RATE)
        size = round(BEAT * RATE)
        at = t[:size]
        for pitch in ((60, 64, 67), (65, 69, 72), (67, 71, 74), (60, 64, 67))[beat // 4 % 4]:
            tone = np.sin(2 * np.pi * 440 * 2 ** ((pitch - 69) / 12) * at)
            out[first : first + size] += 0.1 * tone * np.exp(-3 * at)
        out[first : first + 800] += 0.3 * rng.standard_normal(800) * np.exp(-np.arange(800) / 150)
    return out.astype(np.float32)


AUDIO = music()


def request(**changes: object) -> InpaintRequest:
    made = InpaintRequest("fm", from_float(AUDIO, RATE), 4.0, 7.0)
    return replace(made, **changes)  # type: ignore[arg-type]


def test_what_is_left_alone_is_given_as_it_is_heard_and_what_is_changed_is_not() -> None:
    asked = Controls(melody=(Note(4.0, 7.0, 72),))
    found = score_of(request(controls=asked), AUDIO[: 10 * RATE], RATE, 0.0)
    assert found.controls.melody == asked.melody and found.changed == ("melody",)
    assert "chords" in found.heard and found.controls.chords
    assert any(chord.start < 6.0 < chord.end for chord in found.controls.chords)


def test_one_analysis_serves_all_engines(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scores, "_heard", Recent(scores.REMEMBERED))
    calls = []
    hear = scores.analyze
    monkeypatch.setattr(scores, "analyze", lambda *a: calls.append(1) or hear(*a))
    for engine in ("ar", "fm"):
        score_of(request(engine=engine, prompt="flute"), AUDIO[: 8 * RATE], RATE, 0.0)
    assert len(calls) == 1


def test_words_become_parts_and_no_drums_means_no_hits_in_the_span() -> None:
    hits = tuple(Hit(beat * BEAT, "kick") for beat in range(20))
    asked = Controls(chords=(), melody=(), drums=hits)
    found = score_of(
        request(prompt="flute without drums", controls=asked, changed=("words",)), AUDIO, RATE, 0.0
    )
    assert found.controls.instruments == (Part(4.0, 7.0, "flute"), Part(4.0, 7.0, "drums", False))
    left = [hit.time for hit in found.controls.drums or ()]
    assert left and all(not 4.0 <= time < 7.0 for time in left)
    assert set(found.changed) == {"words", "instruments"}


def test_a_lane_that_says_nothing_in_the_span_goes_on_from_where_the_music_repeats() -> None:
    lane = Controls(chords=(Chord(0.0, 4.0, "C"), Chord(7.0, 12.0, "C")))
    continued = scores._continued(request(), lane)
    inside = [chord for chord in continued.chords or () if chord.start < 7.0 and chord.end > 4.0]
    assert inside and all(chord.symbol == "C" for chord in inside)


def test_what_is_not_followed_is_left_to_the_model_and_drums_alone_have_no_harmony() -> None:
    found = score_of(request(prompt="flute", left_open=("chords",)), AUDIO[: 10 * RATE], RATE, 0.0)
    assert found.controls.chords is None and "chords" not in found.heard
    alone = score_of(request(prompt="only drums"), AUDIO[: 10 * RATE], RATE, 0.0)
    assert alone.controls.chords is None and alone.controls.melody is None
