"""The two FM engines on a tiny bundle, and their algorithms on known fields."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engines import fm
from engines import zero_shot as fm_zero_shot
from engines.audio.recording import Recording
from engines.checkpoints.shelf import Models
from engines.filling import window as windows
from engines.filling.conditions import Conditions, conditions
from engines.requests import Chord, Controls, FMSettings, GenerateRequest, Guidance, InpaintRequest
from engines.sampling import flow
from engines.sampling.guidance import sources

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


def test_resampling_takes_the_middle_steps_again_and_counts_them() -> None:
    times: list[float] = []

    def field(z: torch.Tensor, t: float) -> torch.Tensor:
        times.append(t)
        return (SOURCE - z) / (1 - t)  # every path ends at the source

    seen: list[tuple[int, int]] = []
    out = fm_zero_shot.resampling(field, SOURCE, KNOWN, NOISE, 21, 0, lambda *s: seen.append(s))
    often = {t for t in times if times.count(t) == fm_zero_shot.REPEATS}
    low, high = fm_zero_shot.RESAMPLED
    assert often == {t for t in times if low <= t < high} and min(times) not in often
    assert abs(len(times) - 21) <= 3 and seen[-1] == (len(times), len(times))
    assert torch.allclose(out, SOURCE, atol=1e-4)


def test_gradients_draw_the_unknown_frames_where_the_known_ones_want_them() -> None:
    """In a field that pulls all frames to their mean, the unknown ones follow the known ones' source."""

    def field(z: torch.Tensor, t: float) -> torch.Tensor:
        return z.mean(dim=2, keepdim=True).expand_as(z) - z

    flat = torch.full((1, 2, 4), 3.0)
    plain = fm_zero_shot.replacement(field, torch.zeros_like(flat), KNOWN, NOISE, "euler", 20, nothing)
    out = fm_zero_shot.guided(field, flat, KNOWN, NOISE, 20, nothing)
    assert torch.equal(out[..., KNOWN], flat[..., KNOWN])
    assert (out[..., ~KNOWN] > plain[..., ~KNOWN] + 0.5).all()
    assert not out.requires_grad


def test_guidance_can_be_confined_to_a_part_of_the_way(models: Models) -> None:
    request = GenerateRequest("fm", "piano", 1.0)
    known = torch.zeros(25, dtype=torch.bool)
    z = torch.randn(2, 128, 25, generator=torch.Generator().manual_seed(0))
    with torch.inference_mode():
        given = conditions(request, models, 25, None, "fm", Guidance(3.0, 0.0))
        alone = conditions(request, models, 25, None, "fm", Guidance(1.0, 0.0))
        inside = fm.guided_field(models, given, known, z[:1], (0.4, 0.6))
        always, never = (fm.guided_field(models, each, known, z[:1]) for each in (given, alone))
        assert torch.allclose(inside(z, 0.5), always(z, 0.5), atol=1e-5)
        assert torch.allclose(inside(z, 0.3), never(z, 0.3), atol=1e-5)
        assert not torch.allclose(always(z, 0.3), never(z, 0.3), atol=1e-2)
        each = torch.cat([always(z[i : i + 1], 0.5) for i in range(2)])  # a batch is its items
        assert torch.allclose(always(z, 0.5), each, atol=1e-4)


def spy(monkeypatch: pytest.MonkeyPatch, module: object) -> tuple[list[torch.Tensor], list[torch.Tensor]]:
    latents: list[torch.Tensor] = []
    masks: list[torch.Tensor] = []
    build = fm.guided_field

    def spied(
        models: Models,
        given: Conditions,
        known: torch.Tensor,
        source: torch.Tensor,
        guided: tuple[float, float],
    ) -> flow.Field:
        field = build(models, given, known, source, guided)
        masks.append(known)
        return lambda z, t: latents.append(z) or field(z, t)

    monkeypatch.setattr(module, "guided_field", spied)
    return latents, masks


def test_supervised_inpainting_clamps_the_known_frames_at_every_step(
    models: Models, song: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    latents, masks = spy(monkeypatch, fm)
    request = InpaintRequest("fm", song, 2.0, 2.4, fm=FMSettings(steps=4))
    fm.run(request, models)
    window = windows.cut(request, models.codec(), 10.0)
    with torch.inference_mode():
        source = windows.encode(window, models)
    # so few steps are not halved: three and two of four, from 0.35 on and from 0.5 on, of two repeats each
    assert [len(z) for z in latents] == [2] * 5 and torch.equal(masks[0], window.known)
    for z in latents:
        for item in z:
            assert torch.equal(item[..., window.known], source[0, :, window.known])


@pytest.mark.slow
def test_repeats_of_the_context_begin_part_of_the_way(models: Models, song: Recording) -> None:
    request = InpaintRequest("fm", song, 2.0, 2.4, fm=FMSettings(steps=4, candidates=3))
    window = windows.cut(request, models.codec(), 10.0)
    assert [s.time for s in fm.beginnings(request, window, models, 3)] == [0.35, 0.35, 0.5]
    assert [s.time for s in fm.beginnings(request, window, models, 1)] == [0.0]
    request = replace(request, fm=replace(request.fm, seeded=2))  # as it was before there was a choice
    starts = fm.beginnings(request, window, models, 3)
    assert [start.time for start in starts] == [0.0, 0.35, 0.35]
    assert starts[0].words == "noise" and starts[1].words.startswith("the music ")
    noise = torch.randn(1, 128, window.frames, generator=torch.Generator().manual_seed(0))
    data = starts[1].data
    assert data is not None and data.shape == noise.shape
    assert torch.allclose(starts[1].latents(noise), 0.65 * noise + 0.35 * data, atol=1e-4)
    drawn = replace(request, controls=Controls(chords=(Chord(0, 3, "G"),)), changed=())
    pieced = fm.beginnings(drawn, window, models, 3)
    assert [start.time for start in pieced] == [0.0, 0.35, 0.35]
    assert all(a.data is not None and b.data is not None for a, b in zip(pieced[1:], starts[1:], strict=True))
    asked = replace(drawn, changed=None, fm=replace(request.fm, seeded=4))  # so early that the wish survives
    assert [start.time for start in fm.beginnings(asked, window, models, 4)] == [0.2, 0.2, 0.2, 0.0]
    told = fm.run(request, models).resolved["candidates"]
    assert isinstance(told, dict) and told["began from"] == [start.words for start in starts]
    assert told["roughness"][told["chosen"]] == min(told["roughness"])


def test_zero_shot_leaves_the_mask_channel_empty(
    models: Models, song: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    for method, evaluations in (("replacement", 3), ("inversion", 6), ("guided", 3)):
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
        given = conditions(request, models, 25, None, "fm", guidance)
        given.lanes.chords[:] = 1
        rows = sources(guidance, True, True)
        given = Conditions(given.text, given.lanes, rows, guidance, given.controls)
        return fm.guided_field(models, given, known, z[:1])(z, 0.3)

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
    assert np.abs(one - other).max() > 0
    assert np.sqrt(np.mean((one - other) ** 2)) < 0.1 * np.sqrt(np.mean(one**2))
