"""The embedded bundle itself: small, obedient to chords, with a card that tells what was measured."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from engines.assets import ASSETS
from engines.checkpoints.found import find_checkpoint
from engines.checkpoints.shelf import Models, open_bundle
from engines.dispatch import run
from engines.requests import Chord, Controls, FMSettings, GenerateRequest, InpaintRequest
from study.measure import metrics

BUNDLE = ASSETS / "bundle"
RATE = 32_000


@pytest.fixture(scope="module")
def bundle() -> Models:
    return open_bundle("bundle", "cpu")


def test_it_is_small_and_open(bundle: Models) -> None:
    told = find_checkpoint("bundle", "cpu").describe()
    assert sum(told["bytes"].values()) <= 40e6
    assert told["licence"] == "CC-BY-SA-4.0"


def test_its_card_prints_the_figures_it_carries(bundle: Models) -> None:
    card = (BUNDLE / "README.md").read_text()
    figures = bundle.spec.figures
    assert figures["clips"] >= 24
    assert f"{figures['codec']['codec continuous']['SI-SNR dB']:.3f}" in card
    assert f"{figures['generate']['fm']['melody']:.3f}" in card
    for word in ("Groove", "FluidR3", "MuseScore", "Sonic Pi", "CC-BY-SA-4.0"):
        assert word in card


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["fm", "ar"])
def test_drawn_chords_are_heard(bundle: Models, engine: str) -> None:
    chords = (Chord(0, 2, "C"), Chord(2, 4, "F#"), Chord(4, 6, "Am"))
    asked = wrong = 0.0
    for seed in range(3):
        request = GenerateRequest(
            engine,
            "pop with piano, strings and electric bass",
            6.0,
            seed,
            Controls(chords=chords),  # type: ignore[arg-type]
        )
        c = metrics.chroma(run(request, bundle).audio.mono_at(RATE), RATE)
        asked += metrics.chord_correlation(c, RATE, chords) / 3
        later = chords[1:] + chords[:1]
        turned = [Chord(a.start, a.end, b.symbol) for a, b in zip(chords, later, strict=True)]
        wrong += metrics.chord_correlation(c, RATE, turned) / 3
    assert asked > 0.15 and asked > wrong + 0.15


def test_the_codec_keeps_a_melody(bundle: Models) -> None:
    t = np.arange(4 * RATE) / RATE
    pitch = np.where(t < 2, 440.0, 587.33)
    tone = sum(np.sin(2 * np.pi * pitch * h * t) / h for h in (1, 2, 3, 4)) * 0.1
    x = torch.from_numpy(tone.astype(np.float32))[None, None]
    codec = bundle.codec()
    with torch.inference_mode():
        out = codec.decode(codec.encode(x))[0, 0].numpy()
    assert metrics.chroma_agreement(out, tone.astype(np.float32), RATE) > 0.8


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["ar", "fm", "fm-zero-shot"])
def test_a_span_is_remade_and_the_rest_untouched(bundle: Models, engine: str) -> None:
    request = GenerateRequest("fm", "funk with slap bass and drums", 6.0, 4, fm=FMSettings(steps=10))
    clip = run(request, bundle).audio
    made = run(InpaintRequest(engine, clip, 2.0, 4.0, "funk", 1), bundle)  # type: ignore[arg-type]
    a, b = 2 * RATE, 4 * RATE
    assert np.array_equal(made.audio.samples[:a], clip.samples[:a])
    assert np.array_equal(made.audio.samples[b:], clip.samples[b:])
    inside, before = made.audio.mono_at(RATE)[a:b], clip.mono_at(RATE)[a:b]
    assert np.abs(inside - before).max() > 0.01
    level = 20 * np.log10(inside.std() / before.std())
    assert -8 < level < 8, "as loud as what it replaces"
    assert len(made.seams) == 2


def test_no_file_of_the_project_is_too_big() -> None:
    assert all(p.stat().st_size < 90e6 for p in Path(BUNDLE).iterdir())
