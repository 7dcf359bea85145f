"""One door to the three engines: by the name in the request. Loads an engine when it is first asked for.

Requests that want more than one window, or engine "auto", become several runs here.
"""

from __future__ import annotations

import importlib
from dataclasses import replace
from typing import TYPE_CHECKING, Protocol, cast

from engines.errors import InputError
from engines.families.shape import Spec
from engines.filling import edits
from engines.outcomes import Comparison
from engines.progress import Progress, ProgressHook
from engines.requests import GenerateRequest, InpaintRequest, Request, Result, Support
from engines.roster import BY_NAME, ENGINE_NAMES, IN_TURN, EngineSpec
from engines.support import USUAL, checkpoint_of

if TYPE_CHECKING:
    from engines.checkpoints.shelf import Models

# Order in which "auto" tries the engines.
AUTO: tuple[EngineSpec, ...] = IN_TURN
TURNS = 3  # seeds that each engine may try until what was asked is heard
GOOD_ENOUGH = 0.5  # a score that half of the original's own moments exceed: nothing more is tried


class Served(Protocol):
    """A checkpoint, as far as it is asked before anything runs."""

    @property
    def spec(self) -> Spec:
        """What is known of it."""
        ...

    def serving(self, name: str) -> Served:
        """The checkpoint of a name on the same device; itself for an empty one."""
        ...


class Engine(Protocol):
    """What the module of an engine offers."""

    def supports(self, request: Request, spec: Spec = USUAL) -> Support:
        """Whether the engine can serve the request on such a checkpoint."""
        ...

    def run(self, request: Request, models: Models, progress: ProgressHook | None = None) -> Result:
        """Serve it."""
        ...


def _engine(name: str) -> Engine:
    if name not in BY_NAME:
        raise InputError(f"engine {str(name)[:24]!r}: expected {', '.join(ENGINE_NAMES)}; choose one of them")
    return cast(Engine, importlib.import_module(BY_NAME[name].module))


def supports(request: Request, models: Served | None = None) -> Support:
    """Whether the request's engine can serve it; if not, why and what would do.

    On the checkpoint that the request names, or the one that is at work; without `models` on one like the
    embedded bundle.
    """
    try:
        if request.engine == "auto":
            if isinstance(request, GenerateRequest):
                return Support("engine 'auto': it only re-makes spans; choose ar or fm to generate")
            if request.task != "remake":
                return Support(f"engine 'auto': it only re-makes spans; choose fm for task {request.task!r}")
            return supports(replace(request, engine=_able(request, models)[0].name), models)
        engine = _engine(request.engine)
        spec = USUAL if models is None else models.serving(checkpoint_of(request)).spec
        return engine.supports(request, spec)
    except InputError as error:
        return Support(str(error))


def run(request: Request, models: Models, progress: ProgressHook | None = None) -> Result:
    """Run the request's engine. Raises InputError, or what `progress` raises (Cancelled)."""
    if isinstance(request, InpaintRequest):
        request = request.within_source()
    if request.engine == "auto":
        return _auto(request, models, progress)
    engine, models = _engine(request.engine), models.serving(checkpoint_of(request))
    window = models.spec.window_seconds
    if not edits.oversized(request, window):
        return engine.run(request, models, progress)
    support = engine.supports(request, models.spec)
    if not support:
        raise InputError(support.reason)
    return edits.piecewise(request, window, lambda part, hook: engine.run(part, models, hook), progress)


def _auto(request: Request, models: Models, progress: ProgressHook | None) -> Result:
    """Run the engines that the request's patience allows; the best result, and why it was taken.

    Where something was asked that is not heard yet, the engines try again with further seeds while there
    is time.
    """
    support = supports(request, models)
    if not support or not isinstance(request, InpaintRequest):
        raise InputError(support.reason)
    tried: list[Result] = []
    left_out: dict[str, str] = {}
    spent = unit = 0.0
    able = _able(request, models)
    turns = [
        (spec.name, spec.cost, again) for again in range(TURNS if request.changes else 1) for spec in able
    ]
    for place, (name, cost, again) in enumerate(turns):
        if tried and misses(min(tried, key=misses)) < GOOD_ENOUGH:
            left_out.setdefault(name, "one result was good already")
            continue
        if again and not any(result.wishes for result in tried):
            break
        if tried and spent + unit * cost > request.patience:
            left_out.setdefault(name, f"about {unit * cost:.0f} s more would exceed {request.patience:g} s")
            continue

        def hook(p: Progress, place: int = place) -> None:
            if progress is not None:
                of = p.total * len(turns)
                progress(replace(p, step=p.step + place * p.total, total=of, remaining=None))

        settings = request.fm
        if name == "fm-zero-shot":
            spec = models.serving(settings.checkpoint).spec
            settings = replace(settings, zero_shot=spec.zero_shot_with(settings.solver))
        seed = (request.seed + again) % 2**63
        tried.append(run(replace(request, engine=name, fm=settings, seed=seed), models, hook))
        spent += tried[-1].seconds_spent
        unit = max(unit, tried[-1].seconds_spent / cost)
    best = min(tried, key=lambda result: (misses(result), _evenness(result)))
    made_by = {result.request.engine for result in tried}
    each = {name: min((r for r in tried if r.request.engine == name), key=misses) for name in made_by}
    scores: dict[str, float] = {name: round(roughness(result), 3) for name, result in each.items()}
    left_out = {name: why for name, why in left_out.items() if name not in each}
    others = ", ".join(f"{name} {score:.2f}" for name, score in scores.items() if name != best.request.engine)
    mine = f"{best.request.engine} has the smoothest seams: {roughness(best):.2f} at its rougher one"
    if best.agreement is not None:
        done = f"{best.request.engine} does most of what was asked, {100 * best.agreement:.0f} %"
        mine = f"{done}; its rougher seam: {roughness(best):.2f}"
    why = mine + (f" (0 smooth, 1 rough), {others}" if others else " (0 smooth, 1 rough)")
    comparison = Comparison(best.request.engine, scores, left_out, why)
    timings: dict[str, float] = {}
    for result in tried:
        for stage, seconds in result.timings.items():
            timings[stage] = timings.get(stage, 0.0) + seconds
    return replace(best, comparison=comparison, timings=timings)


def _able(request: Request, models: Served | None) -> tuple[EngineSpec, ...]:
    """The engines that "auto" may try, in order: those that the checkpoints have which the request names."""
    if models is None:
        return AUTO
    able = []
    for engine in AUTO:
        spec = models.serving(checkpoint_of(replace(request, engine=engine.name))).spec
        if engine.name in spec.engines:
            able.append(engine)
    return tuple(able) or AUTO


def roughness(result: Result) -> float:
    """The score of a result's rougher seam, 0..1; 0 where it has none."""
    return max((seam.score for seam in result.seams), default=0.0)


def misses(result: Result) -> float:
    """What a result lacks: the score of its rougher seam, and what was asked and is not heard, 0..2."""
    return roughness(result) + (1.0 - (result.agreement if result.agreement is not None else 1.0))


def _evenness(result: Result) -> float:
    """Mean percentile of all statistics at all seams, for results that score alike."""
    values = [value for seam in result.seams for value in seam.percentiles.values()]
    return sum(values) / len(values) if values else 0.0
