"""A broken product must not pass: what the shipped bundle puts into a span is music, new, as loud as around.

The same checks are held against noise, silence and the untouched original put in place of every filling.
"""

from __future__ import annotations

from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.assets import ASSETS
from engines.audio import compose, hearing
from engines.audio.recording import Recording, read_recording
from engines.checkpoints.shelf import Models, open_bundle
from engines.dispatch import run
from engines.requests import ARSettings, FMSettings, InpaintRequest
from engines.roster import EngineName

START, END = 4.0, 6.0  # seconds
RATE = 32_000
Audio = NDArray[np.float32]


@pytest.fixture(scope="module")
def bundle() -> Models:
    return open_bundle("bundle", "cpu")


@pytest.fixture(scope="module")
def clip() -> Recording:
    return read_recording(sorted((ASSETS / "examples").glob("*.flac"))[0])


def fill(engine: EngineName, clip: Recording, bundle: Models) -> Recording:
    fm, ar = FMSettings(steps=12, candidates=2, seeded=2), ARSettings(candidates=2, seeded=2)
    return run(InpaintRequest(engine, clip, START, END, seed=1, ar=ar, fm=fm), bundle).audio


def inside(recording: Recording) -> Audio:
    audio = recording.mono_at(RATE)
    return audio[round(START * RATE) : round(END * RATE)]


def level(audio: Audio) -> float:
    return 10 * float(np.log10(np.mean(np.square(audio, dtype=np.float64)) + 1e-12))


def bands(audio: Audio) -> NDArray[np.float64]:
    """Mean log power of mel bands over the span, its mean taken away: what it is made of, not how loud."""
    spectrum = np.abs(np.fft.rfft(audio.reshape(-1, 2000) * np.hanning(2000), axis=1)) ** 2  # [n, 1001]
    edges = np.unique(np.geomspace(2, 1000, 24).astype(int))
    power = np.log10([spectrum[:, a:b].mean() + 1e-9 for a, b in pairwise(edges)])
    return np.asarray(power - power.mean())


def check(filled: Recording, clip: Recording) -> None:
    """Raises AssertionError for what no musician would take for a filling."""
    new, old = inside(filled), inside(clip)
    assert abs(level(new) - level(old)) < 6, "as loud as what was there"
    assert float(np.abs(new - old).mean()) > 0.1 * float(np.abs(old).mean()), "not what was there"
    assert float(np.abs(bands(new) - bands(old)).mean()) < 0.6, "made of the same stuff"
    for time in (START, END):  # no wall of noise begins at a seam
        jump = hearing.log_mel_jump(filled.mono_at(RATE), RATE, time)
        assert jump < hearing.log_mel_jump(clip.mono_at(RATE), RATE, time) + 12, "no step at a seam"


@pytest.mark.parametrize(
    "engine",
    ["fm", pytest.param("ar", marks=pytest.mark.slow), pytest.param("fm-zero-shot", marks=pytest.mark.slow)],
)
def test_a_filling_of_the_shipped_bundle_is_worth_hearing(
    engine: EngineName, clip: Recording, bundle: Models
) -> None:
    check(fill(engine, clip, bundle), clip)


@pytest.mark.parametrize("kind", ["noise", "silence", "original"])
def test_the_same_checks_refuse_a_broken_product(
    kind: str, clip: Recording, bundle: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(source: Recording, start: float, end: float, *rest: Any) -> compose.Placed:
        first, last = round(start * source.rate), round(end * source.rate)
        there = source.as_float(first, last)
        noise = np.random.default_rng(0).normal(scale=float(there.std()), size=there.shape)
        filling = {"noise": noise, "silence": np.zeros_like(there), "original": there}[kind]
        return compose.Placed(first, filling.astype(np.float64))

    monkeypatch.setattr(compose, "place", broken)
    with pytest.raises(AssertionError):
        check(fill("fm", clip, bundle), clip)
