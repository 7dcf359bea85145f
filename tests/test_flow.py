"""The flow's mathematics on known answers."""

import math
from itertools import pairwise

import pytest
import torch

from engines.sampling import flow


def silent(*_: int) -> None:
    pass


def cubic(z: torch.Tensor, t: float) -> torch.Tensor:
    return torch.full_like(z, 3 * t**2)


def decay(z: torch.Tensor, t: float) -> torch.Tensor:
    return -z


Z0 = torch.tensor([[[1.0, 0.0]]])


def test_the_path_runs_from_noise_to_data_at_the_velocity() -> None:
    g = torch.Generator().manual_seed(0)
    z0, z1 = torch.randn(2, 3, 4, generator=g).double(), torch.randn(2, 3, 4, generator=g).double()
    at = lambda t: flow.path(z0, z1, torch.full((2,), t, dtype=torch.float64))  # noqa: E731
    assert torch.equal(at(0.0), z0)
    assert torch.allclose(at(1.0), z1 + flow.SIGMA_MIN * z0)
    assert torch.allclose((at(0.6) - at(0.4)) / 0.2, flow.velocity(z0, z1))


def test_the_velocity_is_equation_2_along_the_path() -> None:
    z0, z1, t = torch.randn(1, 2, 3).double(), torch.randn(1, 2, 3).double(), 0.3
    y = flow.path(z0, z1, torch.tensor([t]).double())
    s = 1 - flow.SIGMA_MIN
    assert torch.allclose((z1 - s * y) / (1 - s * t), flow.velocity(z0, z1))


def test_the_loss_weighs_late_times_and_counted_frames() -> None:
    v, target = torch.zeros(2, 3, 4), torch.ones(2, 3, 4)
    tau = torch.tensor([0.0, 1.0])
    target[1] *= 2
    assert flow.loss(v, target, tau).item() == pytest.approx((1 * 1 + 2 * 4) / 2)
    target[0, :, 0] = 5
    weights = torch.tensor([[0.0, 1, 1, 1], [1, 0, 0, 0]])
    assert flow.loss(v, target, tau, weights).item() == pytest.approx((1 * 1 + 2 * 4) / 2)


def test_euler_is_the_left_sum() -> None:
    steps = 10
    out = flow.solve(cubic, Z0, "euler", steps, silent)
    expected = sum(3 * (i / steps) ** 2 for i in range(steps)) / steps
    assert torch.allclose(out, Z0 + expected)
    assert torch.allclose(flow.solve(decay, Z0, "euler", steps, silent), Z0 * 0.9**10)


def test_midpoint_is_of_second_order() -> None:
    def errors(steps: int) -> float:
        return abs(flow.solve(decay, Z0, "midpoint", steps, silent)[0, 0, 0].item() - math.exp(-1))

    assert errors(10) < 1e-3
    assert 3.5 < errors(5) / errors(10) < 5.0
    assert torch.allclose(flow.solve(cubic, Z0, "midpoint", 10, silent), Z0 + 1, atol=3e-3)


def test_ab2_is_of_second_order_at_one_evaluation_a_step() -> None:
    evaluations = 0

    def counted(z: torch.Tensor, t: float) -> torch.Tensor:
        nonlocal evaluations
        evaluations += 1
        return decay(z, t)

    def error(steps: int, schedule: str) -> float:
        end = flow.solve(counted, Z0, "ab2", steps, silent, schedule)[0, 0, 0].item()
        return abs(end - Z0[0, 0, 0].item() * math.exp(-1))

    for schedule in ("uniform", "sway"):
        assert 3.0 < error(10, schedule) / error(20, schedule) < 5.0
    assert evaluations == 60


def test_the_sway_schedule_begins_slowly_and_ends_at_one() -> None:
    even, sway = flow.times(8), flow.times(8, "sway")
    assert even == pytest.approx([i / 8 for i in range(9)])
    assert sway[0] == 0 and sway[-1] == pytest.approx(1) and sway == sorted(sway)
    assert sway[1] < even[1] / 2
    assert flow.times(2, "uniform", 0.5) == pytest.approx([0.5, 0.75, 1.0])
    assert flow.times(4, "shift") == pytest.approx([0, 0.25 / 2.5, 0.25, 0.75 / 1.5, 1])
    with pytest.raises(ValueError, match="cosine"):
        flow.times(8, "cosine")


@pytest.mark.parametrize("solver", ["euler", "midpoint", "ab2", "dopri5"])
def test_the_way_can_begin_later(solver: str) -> None:
    out = flow.solve(lambda z, t: torch.full_like(z, 2 * t), Z0, solver, 64, silent, begin=0.5)
    assert torch.allclose(out, Z0 + 0.75, atol=0.02)  # the integral of 2t from 0.5 to 1


def test_dopri5_meets_its_tolerance() -> None:
    assert torch.allclose(flow.solve(cubic, Z0, "dopri5", 1, silent), torch.tensor([[[2.0, 1.0]]]), atol=1e-4)
    assert torch.allclose(flow.solve(decay, Z0, "dopri5", 1, silent), Z0 * math.exp(-1), atol=1e-4)


@pytest.mark.parametrize("begin", [0.0, 0.4])
def test_ping_pong_makes_the_foreseen_data_noisy_again(begin: float) -> None:
    def field(z: torch.Tensor, t: float) -> torch.Tensor:
        return torch.sin(z) + t

    g = torch.Generator().manual_seed(3)
    z = z0 = torch.randn(2, 3, 4, generator=g)
    grid, generator = flow.times(4, "log-snr", begin), torch.Generator().manual_seed(7)
    for t, later in pairwise(grid):
        x = z + (1 - t) * field(z, t)
        z = x if later == 1 else (1 - later) * torch.randn(z.shape, generator=generator) + later * x
    out = flow.solve(field, z0, "ping-pong", 4, silent, "log-snr", begin, 7)
    assert torch.allclose(out, z, atol=1e-6)
    drawn = flow.drawn(7)
    assert torch.equal(out, flow.solve(field, z0, "ping-pong", 4, silent, "log-snr", begin, drawn))
    other = flow.solve(field, z0, "ping-pong", 4, silent, "log-snr", begin, 8)
    assert not torch.allclose(out, other, atol=1e-3)


def test_ping_pong_reaches_the_data_at_once_where_the_field_knows_it() -> None:
    data = torch.full((1, 1, 2), 0.3)
    out = flow.solve(lambda z, t: (data - z) / (1 - t), Z0, "ping-pong", 5, silent)
    assert torch.allclose(out, data)


@pytest.mark.slow  # the import alone
@pytest.mark.parametrize("steps", [1, 8, 100])
def test_log_snr_times_are_those_of_stable_audio(steps: int) -> None:
    from diffusers.pipelines.stable_audio_3.pipeline_stable_audio_3 import logsnr_sigma_schedule

    theirs = [1 - sigma for sigma in logsnr_sigma_schedule(steps, *flow.LOG_SNR)]
    assert flow.times(steps, "log-snr") == pytest.approx([*theirs, 1.0], abs=1e-6)


@pytest.mark.parametrize("begin", [0.001, 0.35, 0.5, 0.9, 0.99])
def test_log_snr_times_rise_wherever_they_begin(begin: float) -> None:
    grid = flow.times(8, "log-snr", begin)
    assert grid[0] == begin and grid[-1] == 1 and len(grid) == 9
    assert all(a < b for a, b in pairwise(grid))


@pytest.mark.parametrize("solver", ["euler", "midpoint", "dopri5", "ping-pong"])
def test_progress_rises_to_the_total_and_can_stop(solver: str) -> None:
    seen: list[tuple[int, int]] = []
    flow.solve(decay, Z0, solver, 4, lambda step, total: seen.append((step, total)))
    done = [step for step, _ in seen]
    assert done == sorted(done) and seen[0][0] == 0 and seen[-1][0] == seen[-1][1]

    class Stop(Exception):
        pass

    def stop(step: int, total: int) -> None:
        if step > 0:
            raise Stop

    with pytest.raises(Stop):
        flow.solve(decay, Z0, solver, 4, stop)


def test_an_unknown_solver_is_refused() -> None:
    with pytest.raises(ValueError, match="rk9"):
        flow.solve(decay, Z0, "rk9", 1, silent)
