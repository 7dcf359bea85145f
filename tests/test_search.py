"""The zero-shot search: what it spends, what it drops, what it copies."""

from __future__ import annotations

import pytest
import torch

from engines.audio.recording import Recording
from engines.checkpoints.shelf import Models
from engines.dispatch import run
from engines.requests import FMSettings, InpaintRequest
from engines.sampling import search

KNOWN = torch.ones(60, dtype=torch.bool)
KNOWN[25:35] = False


def periodic(frames: int = 60, period: int = 15) -> torch.Tensor:
    """A pattern of `period` frames, again and again: [1, 4, frames]."""
    pattern = torch.randn(1, 4, period, generator=torch.Generator().manual_seed(1))
    return pattern.repeat(1, 1, frames // period)


def towards(data: torch.Tensor):  # type: ignore[no-untyped-def]
    """The exact field of a single piece of data: every path ends there."""

    def field(z: torch.Tensor, t: float) -> torch.Tensor:
        return (data - z) / (1 - t)

    return field


def repeats(source: torch.Tensor) -> list[tuple[torch.Tensor, str]]:
    return [(source, "from before"), (source, "from behind")]


@pytest.mark.parametrize("budget", [8, 20, 33, 50, 100, 400])
@pytest.mark.parametrize("rows", [1, 2])
def test_a_plan_stays_within_its_budget_and_counts_what_is_spent(budget: int, rows: int) -> None:
    plan = search.plan(budget, rows)
    assert plan.steps >= 8
    assert plan.evaluations * rows <= max(budget, 8 * rows)
    evaluated = 0

    def field(z: torch.Tensor, t: float) -> torch.Tensor:
        nonlocal evaluated
        evaluated += len(z)
        return torch.zeros_like(z)

    source = periodic()
    noises = torch.randn(len(plan.joins), 4, 60)
    steps: list[tuple[int, int]] = []
    z, candidates = search.fill(
        field, source, KNOWN, noises, repeats(source), plan, lambda *s: steps.append(s)
    )
    assert evaluated == plan.evaluations == sum(len(c.curve) for c in candidates)
    assert len(z) == sum(c.dropped is None for c in candidates) == min(plan.kept[1], len(plan.joins))
    assert steps == [(i, plan.steps) for i in range(plan.steps + 1)]


def test_more_budget_means_more_candidates() -> None:
    assert [len(search.plan(budget, 1).joins) for budget in (10, 25, 50)] == [1, 3, 8]


def test_the_worst_are_dropped_and_the_others_arrive() -> None:
    """A field that leads one noise, told by its size in a known frame, away from the source."""
    source, plan = periodic(), search.plan(50, 1)
    noises = torch.zeros(8, 4, 60)
    noises[1] = 5.0

    def field(z: torch.Tensor, t: float) -> torch.Tensor:
        noise = (z[:, :, 0] - t * source[:, :, 0]).mean(dim=1) / (1 - t)
        bad = (noise > 2.5)[:, None, None]
        return torch.where(bad, (source + 1.0 - z) / (1 - t), (source - z) / (1 - t))

    z, candidates = search.fill(
        field, source, KNOWN, noises, repeats(source), plan, lambda *_: None, multistep=False
    )
    dropped = [c.dropped for c in candidates if c.dropped is not None]
    assert len(dropped) == 2 and candidates[1].dropped == min(dropped) < 0.5 < 0.7 <= max(dropped) < 0.8
    assert candidates[1].curve[-1][1] > 0.5
    assert len(z) == 6 and torch.allclose(z, source.expand(6, -1, -1), atol=1e-4)


@pytest.mark.parametrize("multistep", [True, False])
def test_an_exact_field_is_followed_to_its_data_and_known_frames_stay(multistep: bool) -> None:
    source = periodic()
    plan = search.plan(50, 1)
    noises = torch.randn(8, 4, 60, generator=torch.Generator().manual_seed(0))
    z, _ = search.fill(
        towards(source), source, KNOWN, noises, repeats(source), plan, lambda *_: None, multistep
    )
    assert torch.equal(z[..., KNOWN], source[..., KNOWN].expand(6, -1, -1))
    assert torch.allclose(z, source.expand(6, -1, -1), atol=1e-3)


def test_without_repeats_all_begin_from_noise() -> None:
    source, plan = periodic(), search.plan(50, 1, search.FRESH)
    noises = torch.randn(6, 4, 60, generator=torch.Generator().manual_seed(0))
    z, candidates = search.fill(towards(source), source, KNOWN, noises, [], plan, lambda *_: None)
    assert [c.start for c in candidates] == ["noise"] * 4 and len(z) == 2
    assert 40 <= sum(len(c.curve) for c in candidates) <= 50


def test_steps_of_second_order_end_nearer_than_eulers() -> None:
    """The flow of a curved field, v = 2 (1 - t) a: from noise n it ends at n + a."""
    plan, unknown = search.Plan(12, (0.0,), (1, 1)), torch.zeros(60, dtype=torch.bool)
    a, noise = periodic(), torch.randn(1, 4, 60, generator=torch.Generator().manual_seed(0))
    far = []
    for multistep in (True, False):
        z, _ = search.fill(
            lambda z, t: 2 * (1 - t) * a, a, unknown, noise, [], plan, lambda *_: None, multistep
        )
        far.append(float((z - noise - a).abs().mean()))
    assert far[0] < 0.2 * far[1]


def test_misfit_is_zero_for_the_source_and_grows_with_the_error() -> None:
    source = periodic()
    near, far = source.clone(), source.clone()
    near[..., 22] += 1.0
    far[..., 5] += 100.0  # not near an edge
    values = search.misfit(torch.cat([source, near, far]), source, KNOWN)
    assert values[0] == values[2] < 1e-6 + values[0] and values[1] > values[0] + 0.01


@pytest.mark.slow
def test_a_run_tells_its_curve_and_its_cost(models: Models, song: Recording) -> None:
    settings = FMSettings(zero_shot="search", budget=30)
    result = run(InpaintRequest("fm-zero-shot", song, 1.5, 2.1, "piano", fm=settings, changed=()), models)
    told, chosen = result.resolved["search"], result.resolved["candidates"]
    assert isinstance(told, dict) and isinstance(chosen, dict)
    assert told["budget"] == 30 and 16 <= told["spent"] <= 30
    assert len(told["candidates"]) == 3
    arrived = [c["start"] for c in told["candidates"] if c["dropped"] is None]
    assert chosen["began from"] == arrived and arrived[0] == "noise" and "the music" in arrived[-1]
    assert chosen["roughness"][chosen["chosen"]] == min(chosen["roughness"])
    for candidate in told["candidates"]:
        times = [t for t, _ in candidate["curve"]]
        assert (
            times == sorted(times) and abs(times[0] - candidate["joins"]) <= 0.5 / result.parameters["steps"]
        )
    again = run(InpaintRequest("fm-zero-shot", song, 1.5, 2.1, "piano", fm=settings, changed=()), models)
    assert (again.audio.samples == result.audio.samples).all()
