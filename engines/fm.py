"""The supervised FM engine: generation, and inpainting as Algorithm 2 of App. J.

Generation is inpainting with nothing known. Known frames are clamped to the clean source wherever
the field is evaluated, and the network's mask channel says which they are. Does not know the other
engines or the editor.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engines import flow
from engines import window as windows
from engines.checkpoints import Models
from engines.controls import cat_lanes
from engines.guidance import combine
from engines.requests import InpaintRequest, InputError, ProgressHook, Request, Result, Stopwatch, Support
from engines.timebase import frames_for


def supports(request: Request) -> Support:
    """Whether this engine can serve the request; if not, why and what would do."""
    return windows.refusal(request, "fm", generates=True)


@torch.inference_mode()
def run(request: Request, models: Models, progress: ProgressHook | None = None) -> Result:
    """Generate a clip, or re-make a span, by integrating latents [1, D, T] from noise.

    Progress is reported, and a cancellation noticed, at every solver step. Raises InputError for what
    `supports` refuses, and whatever `progress` raises.
    """
    support = supports(request)
    if not support:
        raise InputError(support.reason)
    watch = Stopwatch(progress)
    with models.held(watch):
        return _run(request, models, watch)


def _run(request: Request, models: Models, watch: Stopwatch) -> Result:
    windows.load(models, models.fm, watch)
    codec, settings = models.codec(), request.fm
    if isinstance(request, InpaintRequest):
        watch.report("encode", 0, 1)
        window = windows.cut(request, codec, models.spec.window_seconds)
        source = windows.encode(window, models)  # [1, D, T]
        known, start = window.known.to(models.device), window.start
        watch.lap("encode")
    else:
        window, start = None, 0.0
        windows.fits(request.seconds, models)
        frames = frames_for(request.seconds, codec.frame_rate)
        source = torch.zeros(1, codec.dim, frames, device=models.device)
        known = torch.zeros(source.shape[2], dtype=torch.bool, device=models.device)
    watch.report("text", 0, 1)
    given = windows.conditions(request, models, source.shape[2], start, "fm", settings.guidance)
    watch.lap("text")

    field = guided_field(models, given, known)
    noise = draw_noise(source, request.seed)

    def clamped(z: Tensor, t: float) -> Tensor:  # Alg. 2, line 4, before every evaluation
        return field(torch.where(known, source, z), t)

    def on_step(step: int, total: int) -> None:
        watch.report("sample", step, total)

    z = flow.solve(clamped, noise, settings.solver, settings.steps, on_step)
    z = torch.where(known, source, z)  # Alg. 2, line 9
    watch.lap("sample")
    return windows.finish(request, models, z, window, watch, resolved(request, given))


def guided_field(models: Models, given: windows.Conditions, known: Tensor) -> flow.Field:
    """The guided velocity as a function (z [1, D, T], t) -> [1, D, T]; known bool [T] is the mask channel."""
    net, rows = models.fm(), given.rows
    count = len(rows)
    text_given = torch.tensor([row.text for row in rows], device=known.device)
    text = given.text.repeat(count) if given.text is not None else None
    with models.autocast():
        memory = net.remember(text, text_given, count)
    lanes = cat_lanes([given.lanes if row.lanes else given.lanes.null_like() for row in rows])
    masks = known.expand(count, -1)  # [T] -> [R, T]

    def field(z: Tensor, t: float) -> Tensor:
        tau = torch.full((count,), t, device=z.device)
        with models.autocast():
            v = net(z.expand(count, -1, -1), tau, masks, lanes, memory=memory)  # [R, D, T]
        return combine(v.float(), rows)

    return field


def draw_noise(like: Tensor, seed: int) -> Tensor:
    """Standard normal noise [1, D, T] on the device of `like`, drawn on the CPU so that a seed holds."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn(like.shape, generator=generator).to(like.device)


def resolved(request: Request, given: windows.Conditions) -> dict[str, object]:
    """The settings that a run used, JSON-ready."""
    return {
        "solver": request.fm.solver,
        "steps": request.fm.steps,
        "guidance": {"all": given.guidance.all, "text": given.guidance.text},
    }
