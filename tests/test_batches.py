"""Batched runs against the engines themselves: the same requests, seeds and numbers."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from engines.checkpoints.shelf import Models, open_bundle
from engines.dispatch import run
from engines.errors import InputError
from engines.requests import (
    ARSettings,
    Chord,
    Controls,
    FMSettings,
    GenerateRequest,
    Hit,
    InpaintRequest,
    Request,
)
from engines.roster import EngineName
from study.batches import plain, run_many

FM = FMSettings("euler", 3, candidates=1)
ONE = ARSettings(candidates=1)


@pytest.fixture(scope="module")
def bundle() -> Models:
    return open_bundle("bundle", "cpu")


@pytest.mark.parametrize("engine", [pytest.param("ar", marks=pytest.mark.slow), "fm"])
def test_generated_clips_are_the_engines_own(bundle: Models, engine: EngineName) -> None:
    asked: list[Request] = [
        GenerateRequest(engine, "jazz with saxophone", 1.0, 3, Controls((Chord(0, 1, "Am"),)), fm=FM),
        GenerateRequest(
            engine, "a slow piece for strings, no drums at all", 1.0, 4, Controls(drums=()), fm=FM
        ),
        GenerateRequest(engine, "", 1.0, 5, fm=FM),  # no words, no lanes: another guided batch
    ]
    for request, made in zip(asked, run_many(asked, bundle), strict=True):
        alone = run(request, bundle)
        assert made.request == request
        assert np.allclose(made.audio.mono_at(32_000), alone.audio.mono_at(32_000), atol=2e-3)


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["ar", "fm", "fm-zero-shot"])
def test_filled_spans_of_different_length_are_the_engines_own(bundle: Models, engine: EngineName) -> None:
    clip = run(GenerateRequest("fm", "rock", 4.0, 0, fm=FM), bundle).audio
    lanes = Controls(drums=(Hit(1.0, "kick"), Hit(2.0, "snare")))
    asked: list[Request] = [
        InpaintRequest(engine, clip, 1.0, 1.48, "rock", 1, lanes, ONE, FM),
        InpaintRequest(engine, clip, 2.0, 2.24, "rock with organ melody", 2, lanes, ONE, FM),
    ]
    assert all(plain(request, 10.0) for request in asked)
    results = run_many(asked, bundle)
    for request, made in zip(asked, results, strict=True):
        alone = run(request, bundle)
        assert np.allclose(made.audio.mono_at(32_000), alone.audio.mono_at(32_000), atol=2e-3)
        assert [s.jump for s in made.seams] == pytest.approx([s.jump for s in alone.seams], abs=0.1)


def test_what_the_loops_do_not_know_goes_to_the_engine(bundle: Models) -> None:
    short = GenerateRequest("fm", "rock", 1.0, 0, fm=FM)
    assert plain(short, 10.0)
    assert not plain(replace(short, seconds=12.0), 10.0)
    odd = replace(short, fm=replace(FM, solver="none of ours"))  # type: ignore[arg-type]
    assert not plain(odd, 10.0)
    with pytest.raises(InputError, match="none of ours"):  # as the engine refuses it
        run_many([short, odd], bundle)
