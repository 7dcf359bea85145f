"""The two FM engines on a tiny bundle, and their algorithms on known fields."""

from pathlib import Path

import numpy as np
import pytest
import torch

from engines import flow, fm, fm_zero_shot
from engines import window as windows
from engines.checkpoints import Models
from engines.recording import Recording
from engines.requests import FMSettings, GenerateRequest, Guidance, InpaintRequest

KNOWN = torch.tensor([True, False, False, True])
SOURCE = torch.arange(8.0).view(1, 2, 4)
NOISE = -torch.ones(1, 2, 4)


def nothing(*_: int) -> None:
    pass


def test_replacement_holds_the_known_frames_on_the_path() -> None:
    seen: list[tuple[float, torch.Tensor]] = []

    def field(z: torch.Tensor, t: float) -> torch.Tensor:
        seen.append((t, z))
        return torch.full_like(z, 2.0)

    out = fm_zero_shot.replacement(field, SOURCE, KNOWN, NOISE, "midpoint", 2, nothing)
    assert [t for t, _ in seen] == [0.0, 0.25, 0.5, 0.75]
    for t, z in seen:
        there = flow.path(NOISE, SOURCE, torch.tensor([t]))
        assert torch.allclose(z[..., KNOWN], there[..., KNOWN])
    assert torch.equal(out[..., KNOWN], SOURCE[..., KNOWN])
    assert torch.allclose(out[..., ~KNOWN], NOISE[..., ~KNOWN] + 2.0)


def test_inversion_is_algorithm_1() -> None:
    """Against the algorithm written out by hand for a field that depends on z and t."""

    def field(z: torch.Tensor, t: float) -> torch.Tensor:
        return 0.5 * z + t

    n, dt = 4, 0.25
    z, t, noises = SOURCE.clone(), 1.0, []
    for _ in range(n):
        z = z - dt * field(z, t)
        noises.append(z)
        t -= dt
    z, t = NOISE.clone(), 0.0
    for kept in noises[::-1]:
        z[..., KNOWN] = kept[..., KNOWN]
        z = z + dt * field(z, t)
        t += dt
    z[..., KNOWN] = SOURCE[..., KNOWN]
    steps: list[tuple[int, int]] = []
    out = fm_zero_shot.inversion(field, SOURCE, KNOWN, NOISE, n, lambda *s: steps.append(s))
    assert torch.allclose(out, z)
    assert steps == [(i, 2 * n) for i in range(2 * n + 1)]


def test_inversion_runs_back_the_way_it_came() -> None:
    """With every frame known but one, the known ones arrive where they set out."""
    back: list[torch.Tensor] = []

    def field(z: torch.Tensor, t: float) -> torch.Tensor:
        back.append(z)
        return torch.ones_like(z)

    fm_zero_shot.inversion(field, SOURCE, KNOWN, NOISE, 5, nothing)
    assert torch.allclose(back[5][..., KNOWN], SOURCE[..., KNOWN] - 1.0)  # noise at t = 0
    assert torch.allclose(back[9][..., KNOWN], SOURCE[..., KNOWN] - 0.2, atol=1e-6)  # one step before the end


def spy(monkeypatch: pytest.MonkeyPatch, module: object) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    latents: list[torch.Tensor] = []
    masks: list[torch.Tensor] = []
    build = fm.guided_field

    def spied(
        models: Models, given: windows.Conditions, known: torch.Tensor, guided: tuple[float, float]
    ) -> flow.Field:
        field = build(models, given, known, guided)
        masks.append(known)
        return lambda z, t: latents.append(z) or field(z, t)

    monkeypatch.setattr(module, "guided_field", spied)
    return latents, masks


def test_supervised_inpainting_clamps_the_known_frames_at_every_step(
    models: Models, song: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    latents, masks = spy(monkeypatch, fm)
    request = InpaintRequest("fm", song, 2.0, 2.4, fm=FMSettings(steps=3))
    fm.run(request, models)
    window = windows.cut(request, models.codec(), 10.0)
    with torch.inference_mode():
        source = windows.encode(window, models)
    assert len(latents) == 3 and torch.equal(masks[0], window.known)
    for z in latents:
        assert torch.equal(z[..., window.known], source[..., window.known])


def test_zero_shot_leaves_the_mask_channel_empty(
    models: Models, song: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method, evaluations in (("replacement", 3), ("inversion", 6)):
        latents, masks = spy(monkeypatch, fm_zero_shot)
        settings = FMSettings(steps=3, zero_shot=method)  # type: ignore[arg-type]
        fm_zero_shot.run(InpaintRequest("fm-zero-shot", song, 2.0, 2.4, fm=settings), models)
        assert len(latents) == evaluations and not masks[0].any()
        monkeypatch.undo()


def test_guidance_weights_add_up(models: Models) -> None:
    """The guided field is the weighted sum of what each source alone gives."""
    request = GenerateRequest("fm", "piano", 1.0)
    known = torch.zeros(25, dtype=torch.bool)
    z = torch.randn(1, 128, 25, generator=torch.Generator().manual_seed(0))

    def v(guidance: Guidance) -> torch.Tensor:
        given = windows.conditions(request, models, 25, 0.0, "fm", guidance)
        given.lanes.chords[:] = 1
        rows = windows.sources(guidance, True, True)
        given = windows.Conditions(given.text, given.lanes, rows, guidance)
        return fm.guided_field(models, given, known)(z, 0.3)

    with torch.inference_mode():
        everything, text, nothing_seen = v(Guidance(1, 0)), v(Guidance(0, 1)), v(Guidance(0, 0))
        mixed = v(Guidance(2.0, 0.5))
    assert (everything - text).abs().max() > 1e-3 and (text - nothing_seen).abs().max() > 1e-3
    assert torch.allclose(mixed, 2 * everything + 0.5 * text - 1.5 * nothing_seen, atol=1e-4)


@pytest.mark.parametrize("solver", ["euler", "midpoint", "dopri5"])
def test_every_solver_generates(models: Models, solver: str) -> None:
    settings = FMSettings(solver=solver, steps=3)  # type: ignore[arg-type]
    result = fm.run(GenerateRequest("fm", "piano", 1.0, fm=settings), models)
    assert result.audio.seconds == 1.0 and np.abs(result.audio.samples.astype(int)).max() > 0


def test_inversion_needs_euler(song: Recording) -> None:
    settings = FMSettings(solver="midpoint", zero_shot="inversion")
    support = fm_zero_shot.supports(InpaintRequest("fm-zero-shot", song, 1, 2, fm=settings))
    assert not support and "euler" in support.reason


def test_half_precision_is_close_to_single(tiny_bundle: Path, models: Models) -> None:
    half = Models(tiny_bundle, models.spec, "cpu", precision="bfloat16")
    request = GenerateRequest("fm", "piano", 1.0, fm=FMSettings(steps=2))
    one, other = (fm.run(request, m).audio.samples.astype(float) for m in (models, half))
    assert 0 < np.abs(one - other).max()
    assert np.sqrt(np.mean((one - other) ** 2)) < 0.1 * np.sqrt(np.mean(one**2))
