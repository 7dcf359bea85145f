"""Flows of public checkpoints beyond one span: several, a part of it, guidance, no words, half precision."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engines import fm, zero_shot
from engines.audio.recording import Recording
from engines.audio.timebase import Grid
from engines.checkpoints.shelf import Models, open_bundle
from engines.requests import Controls, FMSettings, GenerateRequest, Guidance, InpaintRequest, ZeroShot
from tests.checkpoints.ace_step import save_tiny_ace_step
from tests.checkpoints.stable_audio import save_tiny_stable_audio

pytestmark = pytest.mark.slow  # diffusers alone takes seconds to import
SPANS = ((1.0, 1.6), (2.2, 2.9))


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    torch.set_num_threads(1)
    folder = tmp_path_factory.mktemp("flows")
    return {
        "stable-audio": save_tiny_stable_audio(folder / "stable-audio", "base"),
        "ace-step": save_tiny_ace_step(folder / "ace-step", "base"),
    }


@pytest.fixture(params=["stable-audio", "ace-step"])
def opened(request: pytest.FixtureRequest, folders: dict[str, Path]) -> Models:
    return open_bundle(str(folders[request.param]), "cpu")


def few(models: Models, **more: object) -> FMSettings:
    """The settings of the checkpoint's makers, with few steps, guided."""
    guided = Guidance(4.0, 0.0)
    return replace(models.spec.fm, steps=4, candidates=1, guidance=guided, **more)  # type: ignore[arg-type]


def spans_of(models: Models, song: Recording, engine: str = "fm", **more: object) -> InpaintRequest:
    (start, end), *also = SPANS
    settings = few(models, **more)
    return InpaintRequest(engine, song, start, end, "slow jazz", 3, fm=settings, also=tuple(also))  # type: ignore[arg-type]


def only_the_spans_differ(song: Recording, made: Recording) -> bool:
    outside = np.ones(song.length, np.bool_)
    for a, b in SPANS:
        outside[round(a * song.rate) : round(b * song.rate)] = False
    same = (song.samples == made.samples).all(axis=1)
    return bool(same[outside].all()) and not bool(same[~outside].all())


def test_two_spans_are_made_at_once(opened: Models, song: Recording) -> None:
    request = spans_of(opened, song)
    made = fm.run(request, opened)
    assert only_the_spans_differ(song, made.audio) and len(made.seams) == 4
    assert np.array_equal(fm.run(request, opened).audio.samples, made.audio.samples)
    plain = replace(request, fm=replace(request.fm, guidance=Guidance(1.0, 0.0)))
    assert not np.array_equal(fm.run(plain, opened).audio.samples, made.audio.samples)


@pytest.mark.parametrize("method", ["replacement", "search", "guided"])
def test_the_zero_shot_methods_run_on_them(opened: Models, song: Recording, method: ZeroShot) -> None:
    request = spans_of(opened, song, "fm-zero-shot", zero_shot=method, budget=16)
    assert only_the_spans_differ(song, zero_shot.run(request, opened).audio)


def test_less_strength_begins_later(opened: Models, song: Recording) -> None:
    request = replace(spans_of(opened, song), strength=0.3)
    made = fm.run(request, opened)
    assert only_the_spans_differ(song, made.audio)
    assert not np.array_equal(
        made.audio.samples, fm.run(replace(request, strength=1.0), opened).audio.samples
    )


def test_a_clip_without_words_has_what_they_would_have_said(opened: Models) -> None:
    """Nothing is said, or tempo and metre alone where a checkpoint takes them."""
    request = GenerateRequest("fm", "", 2.0, 1, fm=few(opened))
    made = fm.run(request, opened).audio
    assert (made.rate, made.channels, made.seconds) == (opened.spec.rate, 2, 2.0)
    timed = fm.run(replace(request, controls=Controls(grid=Grid(93.0))), opened).audio
    assert np.array_equal(timed.samples, made.samples) == ("grid" in opened.spec.untaken("fm"))


def test_half_precision_is_near_the_whole(folders: dict[str, Path]) -> None:
    """As on a GPU: the network in bfloat16, its inputs and outputs as they were."""
    for name, folder in folders.items():
        halves, whole = open_bundle(str(folder), "cpu", "bfloat16"), open_bundle(str(folder), "cpu")
        request = GenerateRequest("fm", "slow jazz", 2.0, 1, fm=few(whole))
        clips = [fm.run(request, models).audio.mono() for models in (halves, whole)]
        assert not np.array_equal(*clips), name
        assert np.corrcoef(*clips)[0, 1] > 0.9, name
