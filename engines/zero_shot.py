"""The zero-shot FM engine: inpainting with a network that needs no training for it (sec. 5.3, App. J).

`inversion` is Algorithm 1: the source is integrated back to noise, and at every step on the way forth the
known frames are put back to where they came by. `replacement` puts them on the straight path between one
fixed noise and the source instead, `resampling` takes its middle steps several times, `guided` draws the
known frames to the source by gradients, and `search` tries several beginnings within a budget
(`engines.sampling.search`) and takes the one with the smoothest seams. The mask channel stays empty: the
network is the one that generates. Does not know the other engines or the editor.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from engines.checkpoints.shelf import Models
from engines.errors import InputError
from engines.families.shape import Spec
from engines.filling import window as windows
from engines.filling.beginnings import repeats_of
from engines.filling.choice import finish
from engines.filling.conditions import conditions
from engines.filling.untaken import steered_by_lanes
from engines.fm import draw_noise, guided_field, own_content, resolved, steps_from
from engines.outcomes import Search
from engines.progress import ProgressHook, Stopwatch
from engines.requests import Guidance, InpaintRequest, Request, Result, Support
from engines.sampling import flow, search
from engines.support import USUAL, refusal

RESAMPLED = (0.15, 0.7)  # flow times between which `resampling` takes a step again
REPEATS = 3  # how often it takes it
GUIDED_NOISE = 0.05  # sigma of the known frames in `guided`: how exactly they are to be met
EULER = ("inversion", "resampling", "guided")  # methods whose steps are Euler's by their definition
SEEDED = 3  # most repeats that `search` begins from
SEARCH_GUIDANCE = Guidance(1.0, 0.0)  # one row a candidate, unless asked for more


def supports(request: Request, spec: Spec = USUAL) -> Support:
    """Whether this engine can serve the request on such a checkpoint; if not, why and what would do."""
    support = refusal(request, "fm-zero-shot", spec)
    settings = request.fm
    if not support:
        return support
    if settings.zero_shot != "replacement" and settings.solver not in ("euler", "ab2"):
        return Support(
            f"solver {settings.solver!r}: {settings.zero_shot} needs euler or ab2; choose one, or replacement"
        )
    if settings.zero_shot != "replacement" and isinstance(request, InpaintRequest) and request.strength < 1:
        return Support(
            f"strength {request.strength:g}: {settings.zero_shot} makes all of a span new; choose replacement"
        )
    return support


@torch.no_grad()
def run(request: Request, models: Models, progress: ProgressHook | None = None) -> Result:
    """Re-make a span from latents [1, D, T] by the method that the settings name.

    Progress is reported, and a cancellation noticed, at every solver step. Raises InputError for what
    `supports` refuses, and whatever `progress` raises.
    """
    support = supports(request, models.spec)
    if not support:
        raise InputError(support.reason)
    assert isinstance(request, InpaintRequest)  # `supports` refuses the rest
    watch = Stopwatch(progress)
    with models.held(watch):
        return _run(request, models, watch)


def _run(request: InpaintRequest, models: Models, watch: Stopwatch) -> Result:
    settings, method = request.fm, request.fm.zero_shot
    windows.load(models, models.fm, watch)
    watch.report("encode", 0, 1)
    window = windows.cut(request, models.codec(), models.spec.window_seconds)
    watch.lap("judge")
    # Alg. 1 inverts the source as it was, the hidden part included
    source = windows.encode(window, models, silenced=method != "inversion")  # [1, D, T]
    known = window.known.to(models.device)
    watch.lap("encode")
    watch.report("text", 0, 1)
    guidance = settings.guidance or (SEARCH_GUIDANCE if method == "search" and not request.changes else None)
    given = conditions(request, models, window.frames, window, "fm-zero-shot", guidance)
    watch.lap("text")

    field = guided_field(models, given, torch.zeros_like(known), source, settings.guided)
    steering: tuple[str, ...] = ()
    if method != "inversion":  # what is inverted must come back by the same field
        field, steering = steered_by_lanes(field, request, models, given, known, window)
    noise = draw_noise(source, request.seed)

    def on_step(step: int, total: int) -> None:
        watch.report("sample", step, total)

    told: dict[str, object] = {**resolved(request, given), "zero_shot": method, "steered by": list(steering)}
    if method in EULER:
        told["solver"] = "euler"
    beginnings, found = ["noise"], None
    if method == "inversion":
        z = inversion(field, source, known, noise, settings.steps, on_step)
    elif method == "resampling":
        z = resampling(field, source, known, noise, settings.steps, request.seed, on_step)
    elif method == "guided":
        z = guided(field, source, known, noise, settings.steps, on_step)
    elif method == "search":
        repeats = repeats_of(request, window, models, min(settings.seeded, SEEDED), given.controls)
        shapes = search.SHAPES if repeats else search.FRESH
        shapes = search.CHANGED if request.changes and repeats else shapes
        plan = search.plan(settings.budget, len(given.rows), shapes)
        noises = draw_noise(source, request.seed, len(plan.joins))
        watch.lap("repeats")
        z, candidates = search.fill(
            field, source, known, noises, repeats, plan, on_step, settings.solver == "ab2"
        )
        spent = sum(len(candidate.curve) for candidate in candidates) * len(given.rows)
        beginnings = [candidate.start for candidate in candidates if candidate.dropped is None]
        told["steps"] = plan.steps
        found = Search(settings.budget, spent, tuple(candidate.outcome for candidate in candidates))
    else:
        begin = 1.0 - request.strength
        own = own_content(window, models) if begin > 0 else source
        steps = steps_from(settings.steps, begin)
        z = replacement(
            field, source, known, noise, settings.solver, steps, on_step, settings.schedule, begin, own,
            request.seed + 1,
        )  # fmt: skip
    watch.lap("sample")
    return finish(request, models, z, window, watch, told, beginnings, found)


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
    schedule: str = "uniform",
    begin: float = 0.0,
    own: Tensor | None = None,
    fresh: int = 0,
) -> Tensor:
    """Known frames follow (1 - t) noise + t source: source, noise [1, D, T], known bool [T] -> [1, D, T].

    From a time `begin` above 0 the others set out from `own` [1, D, T], as noisy as at that time. `fresh` is
    the seed of what a solver draws on the way.
    """

    def on_path(data: Tensor, t: float) -> Tensor:
        return flow.path(noise, data, torch.full((1,), t, device=noise.device))

    def replaced(z: Tensor, t: float) -> Tensor:
        return field(torch.where(known, on_path(source, t), z), t)

    z = noise if begin == 0 or own is None else on_path(own, begin)
    z = flow.solve(replaced, z, solver, steps, on_step, schedule, begin, fresh)
    return torch.where(known, source, z)


def resampling(
    field: flow.Field,
    source: Tensor,
    known: Tensor,
    noise: Tensor,
    steps: int,
    seed: int,
    on_step: flow.OnStep,
) -> Tensor:
    """Replacement whose middle steps are made noisy and taken again: [1, D, T], known bool [T] -> [1, D, T].

    From t' = t + dt back to t: z = (t/t') z' + sqrt((1-t)^2 - (t/t')^2 (1-t')^2) n, which has the noise that
    belongs to t (as RePaint does for diffusion). `steps` counts evaluations.
    """
    generator = torch.Generator().manual_seed(seed + 1)
    share = RESAMPLED[1] - RESAMPLED[0]
    intervals = max(1, round(steps / (1 + (REPEATS - 1) * share)))
    dt, z, done = 1.0 / intervals, noise, 0
    again = [REPEATS if RESAMPLED[0] <= i * dt < RESAMPLED[1] else 1 for i in range(intervals)]
    on_step(0, sum(again))
    for i, repeats in enumerate(again):
        t, later = i * dt, (i + 1) * dt
        for repeat in range(repeats):
            there = flow.path(noise, source, torch.full((1,), t, device=z.device))
            z = torch.where(known, there, z)
            z = z + dt * field(z, t)
            if repeat + 1 < repeats:
                ratio = t / later
                fresh = torch.randn(z.shape, generator=generator).to(z.device)
                z = ratio * z + math.sqrt((1 - t) ** 2 - (ratio * (1 - later)) ** 2) * fresh
            done += 1
            on_step(done, sum(again))
    return torch.where(known, source, z)


def guided(
    field: flow.Field, source: Tensor, known: Tensor, noise: Tensor, steps: int, on_step: flow.OnStep
) -> Tensor:
    """Known frames drawn to the source by gradients: source, noise [1, D, T], known bool [T] -> [1, D, T].

    OT-ODE: x = z + (1-t) v, r^2 = (1-t)^2 / ((1-t)^2 + t^2), e = M (source - x) / (r^2 + sigma^2),
    g = e + (1-t) J_v^T e = grad_z <x, e>, v' = v + ((1-t)/t) g. About three forwards a step.
    """
    dt, z = 1.0 / steps, noise
    on_step(0, steps)
    for i in range(steps):
        t = i * dt
        if t == 0:  # nothing is known of x yet, and (1-t)/t has no value
            z = z + dt * field(z, t)
        else:
            with torch.enable_grad():
                at = z.detach().requires_grad_()
                v = field(at, t)
                x = at + (1 - t) * v
                r2 = (1 - t) ** 2 / ((1 - t) ** 2 + t**2)
                e = torch.where(known, source - x, 0.0).detach() / (r2 + GUIDED_NOISE**2)
                (g,) = torch.autograd.grad((x * e).sum(), at)
            z = z + dt * (v.detach() + (1 - t) / t * g)
        on_step(i + 1, steps)
    return torch.where(known, source, z)
