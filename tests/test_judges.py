"""The judges' formulas on answers that are known beforehand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.requests import Chord, Controls, Hit, Note
from study.listeners.hearing import (
    Heard,
    Listener,
    adherence,
    bright_level,
    frechet,
    lead_figures,
    onset_score,
    retrieved,
    span_figures,
)
from study.listeners.tagger import Tagger, TaggerConfig
from study.measure.conditions import RATE, Clip, Span

LEADS = tuple(f"instrument {i}" for i in range(12))


def test_frechet_of_a_set_with_itself_is_zero_and_of_a_shifted_one_the_squared_shift() -> None:
    rng = np.random.default_rng(0)
    a = rng.standard_normal((500, 8)) @ rng.standard_normal((8, 8))
    assert frechet(a, a) == pytest.approx(0.0, abs=1e-6)
    shift = rng.standard_normal(8)
    assert frechet(a, a + shift) == pytest.approx(float(shift @ shift), rel=1e-9)


def test_frechet_of_scaled_gaussians_is_the_squared_difference_of_their_spreads() -> None:
    a = np.random.default_rng(1).standard_normal((400, 5))
    spread = np.sqrt(np.cov(a, rowvar=False).trace())
    # the same mean would need a centred set; tr(C + 9 C - 2 * 3 C) = 4 tr C
    centred = a - a.mean(axis=0)
    assert frechet(centred, 3.0 * centred) == pytest.approx(4.0 * spread**2, rel=1e-9)


def test_frechet_survives_fewer_clips_than_dimensions_and_refuses_one() -> None:
    a = np.random.default_rng(2).standard_normal((6, 30))
    assert frechet(a, a[::-1]) == pytest.approx(0.0, abs=1e-4)
    with pytest.raises(ValueError, match="at least 2"):
        frechet(a[:1], a)


def clip(lead: str = "", controls: Controls | None = None) -> Clip:
    return Clip("clip", np.zeros(1, np.float32), {"lead": lead}, controls or Controls())


def test_a_perfect_judge_retrieves_everything_and_a_constant_one_a_tenth() -> None:
    clips = [clip(LEADS[i % 12]) for i in range(240)]
    perfect = np.eye(12)[[i % 12 for i in range(240)]]
    figures = lead_figures(perfect, clips, LEADS)
    assert figures["lead of 10"] == 1.0 and figures["lead of 12"] == 1.0 and figures["n"] == 240
    more = np.concatenate([np.zeros((1, 12)), perfect])
    assert lead_figures(more, [clip("unknown"), *clips], LEADS)["n"] == 240
    # always the same favourite: right for its own twelfth of the clips, whatever the candidates
    constant = np.tile(np.eye(12)[3], (240, 1)) + 1e-6 * np.random.default_rng(0).standard_normal((240, 12))
    assert lead_figures(constant, clips, LEADS)["lead of 10"] < 0.2


def test_retrieval_looks_among_ten_that_a_seed_chooses() -> None:
    scores = np.linspace(0.0, 1.0, 12)
    assert retrieved(scores, LEADS, LEADS[11], 0)
    assert not any(retrieved(scores, LEADS, LEADS[0], seed) for seed in range(20))
    # the second best is right exactly where the best is no candidate
    found = [retrieved(scores, LEADS, LEADS[10], seed) for seed in range(200)]
    assert 0.05 < np.mean(found) < 0.4 and found == [
        retrieved(scores, LEADS, LEADS[10], s) for s in range(200)
    ]


def heard(chords: list[tuple[float, float, str]], onsets: list[float], tones: list[int]) -> Heard:
    line = np.zeros((88, 400), np.float16)
    line[36] = 1.0  # C5 all along
    return Heard(
        np.array([c[:2] for c in chords]), np.array([c[2] for c in chords]), line,
        np.tile(np.eye(12, dtype=np.float16)[:, [0]], (1, 400)), np.array(tones, np.uint8),
        np.array(onsets), np.zeros(1), np.zeros(3), np.zeros((5, 4)),
    )  # fmt: skip


def test_adherence_is_whole_for_what_was_asked_and_less_for_other_clips_lanes() -> None:
    clips, real = [], []
    for k in range(5):
        symbol = ("C", "D", "E", "F#", "Ab")[k]
        clips.append(
            clip(
                controls=Controls(
                    (Chord(0, 10, symbol),),
                    (Note(0, 10, 72 + k),),
                    (Hit(1.0 + k, "kick"), Hit(2.0 + k, "snare")),
                )
            )
        )
        real.append(heard([(0.0, 10.0, symbol)], [1.0 + k, 2.0 + k], [k] * 80))
    figures = adherence(real, real, clips)
    assert figures["chord IOU"] == figures["chord lane IOU"] == figures["drum onsets F1"] == 1.0
    assert figures["melody chroma"] == 1.0
    assert figures["chord IOU, shuffled"] == 0.0 and figures["melody chroma, shuffled"] == 0.0
    assert figures["drum onsets F1, shuffled"] < 0.5
    assert figures["melody"] == pytest.approx(0.2)  # every clip sounds a C; one of five asked for it


def test_half_of_the_time_right_is_a_third_of_the_union() -> None:
    asked = [clip(controls=Controls((Chord(0, 10, "C"),), (), ()))]
    made = [heard([(0.0, 5.0, "C"), (5.0, 10.0, "G")], [], [0] * 80)]
    figures = adherence(made, [heard([(0.0, 10.0, "C")], [], [0] * 80)], asked)
    assert figures["chord IOU"] == pytest.approx(1 / 3) and figures["chord m/T"] == pytest.approx(0.5)


def test_silence_scores_nothing_where_drums_were_asked_for() -> None:
    silent = heard([], [], [0])
    assert onset_score(silent, [1.0, 2.0]) == 0.0
    assert np.isnan(onset_score(silent, []))


def music(seconds: float = 10.0, seed: int = 0) -> NDArray[np.float32]:
    """A chord with harmonics up to 8 kHz and a little noise, [n]."""
    t = np.arange(int(seconds * RATE)) / RATE
    rng = np.random.default_rng(seed)
    out = sum(np.sin(2 * np.pi * f * h * t) / h for f in (220.0, 277.2, 329.6) for h in range(1, 25))
    return np.asarray(0.03 * out + 0.003 * rng.standard_normal(len(t)), np.float32)


@pytest.fixture
def tagger() -> Tagger:
    import torch

    torch.manual_seed(0)
    return Tagger(TaggerConfig(LEADS, ("piano",), ("pop",), width=4, embedding=8)).eval()


def test_a_span_left_alone_is_perfect_and_each_fault_shows_in_its_own_figure(tagger: Tagger) -> None:
    audio, span = music(), Span(4.0, 6.0)
    source = Clip("music", audio, {}, Controls((Chord(0, 10, "A"),)))
    a, b = 4 * RATE, 6 * RATE

    def figures(inside: NDArray[np.float32]) -> dict[str, float]:
        made = audio.copy()
        made[a:b] = inside
        return span_figures(made, source, span, tagger)

    real = figures(audio[a:b])
    assert real["log-mel"] == 0.0 and real["embedding"] == pytest.approx(0.0, abs=1e-6)
    assert real["chroma"] == pytest.approx(1.0, abs=1e-4) and abs(real[">4 kHz in-out dB"]) < 0.5
    assert real["chords r"] > 0.5
    louder = figures(2.0 * audio[a:b])
    assert louder["level dB"] == pytest.approx(6.02, abs=0.6) and louder["jump dB"] > real["jump dB"]
    noise = np.random.default_rng(3).standard_normal(b - a).astype(np.float32) * 0.05
    hiss = figures(noise)
    assert hiss[">4 kHz in-out dB"] > 3 and hiss["timbre dB"] > real["timbre dB"] + 3
    assert hiss["chroma"] < 0.5 and hiss["log-mel"] > 0.5
    silent = figures(np.zeros(b - a, np.float32))
    assert np.isnan(silent["timbre dB"]) and silent["chords r"] == 0.0 and silent["level dB"] > 40


def test_brightness_does_not_depend_on_how_long_one_listens() -> None:
    x = music()
    assert bright_level(x) == pytest.approx(bright_level(x[: 2 * RATE]), abs=0.3)


def test_what_was_heard_is_read_again_and_not_heard_again(tagger: Tagger, tmp_path: Path) -> None:
    audio = music(3.0)
    first = Listener(tagger, tmp_path).hear(audio)
    files = list(tmp_path.glob("*.npz"))
    before = files[0].stat().st_mtime_ns
    second = Listener(tagger, tmp_path).hear(audio)
    assert len(list(tmp_path.glob("*"))) == 1 and files[0].stat().st_mtime_ns == before
    assert first.chords == second.chords and first.chords[0].symbol.startswith("A")
    assert np.array_equal(first.embeddings, second.embeddings)
