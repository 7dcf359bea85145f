"""The supervised FM engine: generation, inpainting as Algorithm 2 of App. J, and one part of what plays.

Generation is inpainting with nothing known. Known frames are clamped to the clean source wherever
the field is evaluated, and the network's mask channel says which they are. A flow that was taught to
makes one part alone, which is added to a span or taken out of it. Does not know the other engines or
the editor.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import cast

import torch
from torch import Tensor

from engines.audio.timebase import frames_for
from engines.checkpoints.shelf import Models
from engines.errors import InputError
from engines.families.shape import Flow, PartFlow, Spec, Velocity
from engines.filling import stems
from engines.filling import window as windows
from engines.filling.beginnings import seeds_of
from engines.filling.choice import finish
from engines.filling.conditions import Conditions, conditions
from engines.filling.untaken import steered_by_lanes
from engines.progress import ProgressHook, Stopwatch
from engines.requests import Controls, Guidance, InpaintRequest, Request, Result, Support
from engines.sampling import flow
from engines.sampling.guidance import combine, sources
from engines.sampling.guidance import told as weights_of
from engines.support import USUAL, refusal

SEEDED_AT = (0.35, 0.35, 0.5, 0.5)  # flow times at which fillings begin from repeats of the context
CHANGED_AT = (0.2, 0.2, 0.2, 0.0)  # the same where words and lanes are to decide; 0 is noise, after no repeat
DISTINCT = 2  # most repeats that are begun from
FEW_STEPS = 8  # are not halved where there are several fillings


def supports(request: Request, spec: Spec = USUAL) -> Support:
    """Whether this engine can serve the request on such a checkpoint; if not, why and what would do."""
    return refusal(request, "fm", spec)


@torch.inference_mode()
def run(request: Request, models: Models, progress: ProgressHook | None = None) -> Result:
    """Generate a clip, or re-make a span, by integrating latents [1, D, T] from noise.

    Progress is reported, and a cancellation noticed, at every solver step. Raises InputError for what
    `supports` refuses, and whatever `progress` raises.
    """
    support = supports(request, models.spec)
    if not support:
        raise InputError(support.reason)
    watch = Stopwatch(progress)
    with models.held(watch):
        if isinstance(request, InpaintRequest) and request.task != "remake":
            return _part(request, models, watch)
        return _run(request, models, watch)


def _run(request: Request, models: Models, watch: Stopwatch) -> Result:
    windows.load(models, models.fm, watch)
    codec, settings, begin = models.codec(), request.fm, 0.0
    if isinstance(request, InpaintRequest):
        watch.report("encode", 0, 1)
        window = windows.cut(request, codec, models.spec.window_seconds)
        watch.lap("judge")
        source = windows.encode(window, models)  # [1, D, T]
        known, begin = window.known.to(models.device), 1.0 - request.strength
        watch.lap("encode")
    else:
        window = None
        windows.fits(request.seconds, models)
        frames = frames_for(request.seconds, codec.frame_rate)
        source = torch.zeros(1, codec.dim, frames, device=models.device)
        known = torch.zeros(source.shape[2], dtype=torch.bool, device=models.device)
    watch.report("text", 0, 1)
    given = conditions(request, models, source.shape[2], window, "fm", settings.guidance)
    watch.lap("text")

    field = guided_field(models, given, known, source, settings.guided)
    field, steering = steered_by_lanes(field, request, models, given, known, window)
    count = settings.candidates if window is not None else 1
    noises = draw_noise(source, request.seed, count)  # [C, D, T]
    told = resolved(request, given)

    evaluated = 0

    clamps = models.fm().clamped

    def clamped(z: Tensor, t: float) -> Tensor:  # Alg. 2, line 4, before every evaluation
        nonlocal evaluated
        evaluated += len(z) * len(given.rows)
        return field(torch.where(known, source, z) if clamps else z, t)

    starts = [Start(begin, None, "noise")] * count
    if begin > 0 and window is not None:  # a variation sets out part of the way from what was there
        starts = [Start(begin, own_content(window, models), "what was there")] * count
    elif window is not None and isinstance(request, InpaintRequest):
        starts = beginnings(request, window, models, count, given.controls)
        watch.lap("repeats")
    groups = [[i for i, other in enumerate(starts) if other.time == t] for t in {s.time: 0 for s in starts}]
    if not clamps:  # then what is known goes along the path like the rest
        starts = [start.beside(known, source) for start in starts]
    told["steps"] = intervals = settings.steps if count == 1 else halved(settings.steps)
    total = sum(steps_from(intervals, starts[group[0]].time) for group in groups)
    done, made = 0, torch.empty_like(noises)
    for group in groups:  # those that begin at the same time go side by side
        time = starts[group[0]].time
        steps = steps_from(intervals, time)

        def on_step(step: int, of: int, done: int = done, steps: int = steps) -> None:
            watch.report("sample", done + round(steps * step / of), total)

        z = torch.cat([starts[i].latents(noises[i : i + 1]) for i in group])  # [G, D, T]
        made[group] = flow.solve(
            clamped, z, settings.solver, steps, on_step, settings.schedule, time, request.seed + 1
        )
        done += steps
    z = torch.where(known, source, made)  # Alg. 2, line 9: [C, D, T]
    watch.lap("sample")
    told |= {"evaluations": evaluated, "steered by": list(steering)}
    return finish(request, models, z, window, watch, told, [start.words for start in starts])


def _part(request: InpaintRequest, models: Models, watch: Stopwatch) -> Result:
    """A part of what plays in a span, made by a flow that hears all of it, and put to its use there."""
    windows.load(models, models.fm, watch)
    settings = request.fm
    watch.report("encode", 0, 1)
    window = windows.cut(request, models.codec(), models.spec.window_seconds)
    watch.lap("judge")
    mix = windows.encode(window, models, silenced=False)  # [1, D, T]
    watch.lap("encode")
    watch.report("text", 0, 1)
    plain = replace(request, intent="blend")  # lanes go on by themselves: what plays is heard
    given = conditions(plain, models, window.frames, window, "fm", settings.guidance)
    if given.text is None:  # what it is asked for is told with the words, also where there are none
        rows = sources(given.guidance, True, given.lanes.any_given)
        given = replace(given, text=models.words(""), rows=rows)
    watch.lap("text")
    flow_of_part = cast(PartFlow, models.fm()).of_part(request.task, request.part)
    known = window.known.to(models.device)
    field = guided_field(models, given, known, mix, settings.guided, flow_of_part)
    z = flow.solve(
        field,
        draw_noise(mix, request.seed),
        settings.solver,
        settings.steps,
        lambda step, of: watch.report("sample", step, of),
        settings.schedule,
        0.0,
        request.seed + 1,
    )  # [1, D, T]
    watch.lap("sample")
    told = {"task": request.task, "part": request.part, **resolved(request, given)}
    return stems.finish(request, models, z, window, watch, told)


@dataclass(frozen=True)
class Start:
    """Where a filling sets out."""

    time: float  # flow time, 0 noise .. 1 data
    data: Tensor | None  # latents [1, D, T] that it sets out from, as noisy as at that time
    words: str  # for the musician

    def beside(self, known: Tensor, source: Tensor) -> Start:
        """The same with the known frames, bool [T], of `source` [1, D, T] in what it sets out from."""
        return self if self.data is None else replace(self, data=torch.where(known, source, self.data))

    def latents(self, noise: Tensor) -> Tensor:
        """The point of the flow at `time`: noise [1, D, T] -> [1, D, T]."""
        if self.data is None:
            return noise
        return flow.path(noise, self.data, torch.full((1,), self.time, device=noise.device))


def beginnings(
    request: InpaintRequest,
    window: windows.Window,
    models: Models,
    count: int,
    controls: Controls | None = None,
) -> list[Start]:
    """Where `count` fillings begin: as the settings say from repeats of the context, the others from noise.

    A single one begins from noise, and so does the first where only some begin from repeats. Where the
    span is changed they begin so early that what is asked for survives, and the repeats are those that suit
    `controls`.
    """
    seeded = min(count, request.fm.seeded) if count > 1 else 0
    times = CHANGED_AT if request.changes else SEEDED_AT
    repeats = seeds_of(request, window, models, seeded, DISTINCT, controls)
    noise = Start(0.0, None, "noise")
    starts = [noise] if seeded < count else []
    for k, (z, words) in enumerate(repeats):
        time = times[k % len(times)]
        starts.append(Start(time, z, words) if time > 0 else noise)
    return starts + [noise] * (count - len(starts))


def own_content(window: windows.Window, models: Models) -> Tensor:
    """The window's latents [1, D, T] with the spans as they were."""
    return windows.encode(window, models, silenced=False)


def halved(steps: int) -> int:
    """Intervals of each of several fillings; few steps, as of a flow trained for them, stay as they are."""
    return max(min(steps, FEW_STEPS), steps // 2)


def steps_from(steps: int, begin: float) -> int:
    """How many of `steps` intervals of the whole way are left from time `begin` on."""
    return max(1, math.ceil(steps * (1.0 - begin) - 1e-6))


def guided_field(
    models: Models,
    given: Conditions,
    known: Tensor,
    source: Tensor,
    guided: tuple[float, float] = (0.0, 1.0),
    network: Flow | None = None,
) -> flow.Field:
    """The guided velocity as a function (z [B, D, T], t) -> [B, D, T].

    known bool [T]: what the field is told of `source` [1, D, T]. Outside the times `guided` the prediction
    that sees everything is taken alone. `network` is the checkpoint's own, unless one is given.
    """
    model, rows = network or models.fm(), given.rows
    alone = sources(Guidance(1.0, 0.0), given.text is not None, given.lanes.any_given)
    ready: dict[tuple[bool, int], Velocity] = {}

    def prepared(inside: bool, batch: int) -> Velocity:
        if (inside, batch) not in ready:
            seen = rows if inside else alone
            with models.autocast():
                ready[inside, batch] = model.velocity(seen, given.text, given.lanes, known, source, batch)
        return ready[inside, batch]

    def field(z: Tensor, t: float) -> Tensor:
        inside = guided[0] <= t <= guided[1]
        seen, batch = rows if inside else alone, len(z)
        velocity = prepared(inside, batch)
        with models.autocast():
            v = velocity(z, t)  # [R B, D, T]
        return combine(v.float().view(len(seen), batch, *v.shape[1:]), seen)[0]  # -> [B, D, T]

    prepared(True, 1)
    return field


def draw_noise(like: Tensor, seed: int, count: int = 1) -> Tensor:
    """Standard normal noise [count, D, T] on the device of `like`, drawn on the CPU so that a seed holds."""
    generator = torch.Generator().manual_seed(seed)
    return torch.randn((count, *like.shape[1:]), generator=generator).to(like.device)


def resolved(request: Request, given: Conditions) -> dict[str, object]:
    """The settings that a run used, JSON-ready."""
    return {
        "solver": request.fm.solver,
        "steps": request.fm.steps,
        "schedule": request.fm.schedule,
        "guidance": weights_of(given.guidance),
        "heard": list(given.heard),
    }
