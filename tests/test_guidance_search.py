"""The terms of the guidance search on known answers."""

from __future__ import annotations

import numpy as np
import pytest

from engines.requests import ARSettings, FMSettings, Guidance
from study.measure.parts import Settings
from study.train.guidance_search import closed, distance, guided, objective, share


def test_distances_count_direction_and_not_length() -> None:
    a = np.array([[1.0, 0.0], [3.0, 0.0]])
    assert distance(a, 5 * a) == pytest.approx(0.0, abs=1e-6)
    assert distance(a, np.array([[0.0, 2.0]])) == pytest.approx(1.0)
    assert distance(a, -a) == pytest.approx(2.0)


def test_shares_end_at_the_ceiling_and_closed_gaps_at_the_real_audio() -> None:
    assert share(0.3, 0.6) == 0.5 and share(0.9, 0.6) == 1.0 and share(-0.1, 0.6) == 0.0
    assert np.isnan(share(0.5, 0.0)) and np.isnan(share(0.5, float("nan")))
    assert closed(6.0, paste=10.0, real=2.0) == 0.5 and closed(12.0, 10.0, 2.0) == 0.0
    assert closed(0.8, paste=0.0, real=1.0) == pytest.approx(0.8), "also where more is better"


def test_the_objective_leaves_out_what_was_not_measured() -> None:
    assert objective({"a": 1.0, "b": 0.5, "c": float("nan")}) == 0.75


def test_guidance_reaches_both_networks_and_changes_nothing_else() -> None:
    asked = Settings(ar=ARSettings(temperature=0.9), fm=FMSettings(steps=7))
    weights = Guidance(2.0, 1.0)
    both = guided(asked, weights)
    assert both.ar.guidance == both.fm.guidance == weights
    assert both.ar.temperature == 0.9 and both.fm.steps == 7
