"""The zero-shot FM engine: inpainting with a network that needs no training for it (sec. 5.3, App. J).

`inversion` is Algorithm 1: the source is integrated back to noise, and at every step on the way
forth the known frames are put back to where they came by. `replacement` puts them on the straight
path between one fixed noise and the source instead. The mask channel stays empty: the network
is the one that generates. Does not know the other engines or the editor.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engines import flow
from engines import window as windows
from engines.checkpoints import Models
from engines.fm import draw_noise, guided_field, resolved
from engines.requests import InpaintRequest, InputError, ProgressHook, Request, Result, Stopwatch, Support


def supports(request: Request) -> Support:
    """Whether this engine can serve the request; if not, why and what would do."""
    support = windows.refusal(request, "fm-zero-shot", generates=False)
    if support and request.fm.zero_shot == "inversion" and request.fm.solver != "euler":
        return Support(f"solver {request.fm.solver!r}: inversion needs euler; choose it, or replacement")
    return support


@torch.inference_mode()
def run(request: Request, models: Models, progress: ProgressHook | None = None) -> Result:
    """Re-make a span from latents [1, D, T] by inversion (Alg. 1) or replacement.

    Progress is reported, and a cancellation noticed, at every solver step. Raises InputError for what
    `supports` refuses, and whatever `progress` raises.
    """
    support = supports(request)
    if not support:
        raise InputError(support.reason)
    assert isinstance(request, InpaintRequest)  # `supports` refuses the rest
    watch = Stopwatch(progress)
    with models.held(watch):
        return _run(request, models, watch)


def _run(request: InpaintRequest, models: Models, watch: Stopwatch) -> Result:
    settings = request.fm
    windows.load(models, models.fm, watch)
    inverts = settings.zero_shot == "inversion"
    watch.report("encode", 0, 1)
    window = windows.cut(request, models.codec(), models.spec.window_seconds)
    # Alg. 1 inverts the source as it was, the hidden part included
    source = windows.encode(window, models, silenced=not inverts)  # [1, D, T]
    known = window.known.to(models.device)
    watch.lap("encode")
    watch.report("text", 0, 1)
    given = windows.conditions(
        request, models, window.frames, window.start, "fm-zero-shot", settings.guidance
    )
    watch.lap("text")

    field = guided_field(models, given, torch.zeros_like(known))
    noise = draw_noise(source, request.seed)

    def on_step(step: int, total: int) -> None:
        watch.report("sample", step, total)

    if inverts:
        z = inversion(field, source, known, noise, settings.steps, on_step)
    else:
        z = replacement(field, source, known, noise, settings.solver, settings.steps, on_step)
    watch.lap("sample")
    parameters = {**resolved(request, given), "zero_shot": settings.zero_shot}
    return windows.finish(request, models, z, window, watch, parameters)


def inversion(
    field: flow.Field, source: Tensor, known: Tensor, noise: Tensor, steps: int, on_step: flow.OnStep
) -> Tensor:
    """Algorithm 1 of App. J: source, noise [1, D, T], known bool [T] -> [1, D, T]; 2 `steps` evaluations."""
    dt, z = 1.0 / steps, source
    on_step(0, 2 * steps)
    noises: list[Tensor] = []
    for i in range(steps):  # invert: t = 1, 1 - dt, ..., dt
        z = z - dt * field(z, 1.0 - i * dt)
        noises.append(z)
        on_step(i + 1, 2 * steps)
    z = noise
    for i, n in enumerate(reversed(noises)):  # inpaint: t = 0, dt, ..., 1 - dt
        z = torch.where(known, n, z)
        z = z + dt * field(z, i * dt)
        on_step(steps + i + 1, 2 * steps)
    return torch.where(known, source, z)


def replacement(
    field: flow.Field,
    source: Tensor,
    known: Tensor,
    noise: Tensor,
    solver: str,
    steps: int,
    on_step: flow.OnStep,
) -> Tensor:
    """Known frames follow (1 - t) noise + t source: source, noise [1, D, T], known bool [T] -> [1, D, T]."""

    def replaced(z: Tensor, t: float) -> Tensor:
        there = flow.path(noise, source, torch.full((1,), t, device=z.device))
        return field(torch.where(known, there, z), t)

    z = flow.solve(replaced, noise, solver, steps, on_step)
    return torch.where(known, source, z)
