"""May this request run: one check of lengths, span, source, prompt, seed and knobs. Loads no torch."""

from __future__ import annotations

import math

import numpy as np

from engines import knobs
from engines.audio.recording import Recording
from engines.audio.timebase import SHOWN_SECONDS
from engines.families.shape import CheckpointSpec, Spec
from engines.requests import (
    CHANGES,
    INTENTS,
    LONGEST_SECONDS,
    MAX_PROMPT,
    SPAN_TASKS,
    GenerateRequest,
    InpaintRequest,
    Request,
    Support,
)
from engines.roster import BY_NAME, EngineName

CONTEXT_SECONDS = 2.0  # at least so much of a full window is context
USUAL: Spec = CheckpointSpec()  # what a checkpoint that nobody named is taken for
_CANNOT = {
    "add": "adds no parts",
    "take-out": "takes no parts out",
    "alone": "tells no part from the others",
}
_SILENCE = 1e-4  # peak below which a recording counts as silent (-80 dB)


def checkpoint_of(request: Request) -> str:
    """The name of the checkpoint that a request runs on; empty = the one at work, or several ("auto")."""
    if request.engine not in BY_NAME:
        return ""
    settings = request.ar if BY_NAME[request.engine].network == "ar" else request.fm
    return settings.checkpoint


def refusal(request: Request, engine: EngineName, spec: Spec = USUAL) -> Support:
    """Whether an engine can use a request at all, on a checkpoint of this spec."""
    if request.engine != engine:
        return Support(f"engine {request.engine!r}: this is {engine!r}; send the request to its own engine")
    if len(request.prompt) > MAX_PROMPT:
        return Support(f"prompt of {len(request.prompt)} characters: at most {MAX_PROMPT}; shorten it")
    if not 0 <= request.seed < 2**63:
        return Support(f"seed {request.seed}: expected 0 to {2**63 - 1}; choose another")
    if engine not in spec.engines:
        return Support(f"engine {engine!r}: {_title(spec)} does not have it; choose {_others(spec)}")
    if isinstance(request, GenerateRequest):
        return Support(_settings(request) or _length(request, spec))
    return Support(
        _settings(request)
        or _intent(request)
        or _task(request, engine, spec)
        or _span(request, spec)
        or _further(request, _least(spec))
    )


def _title(spec: Spec) -> str:
    return spec.title or spec.name or "this checkpoint"


def _others(spec: Spec) -> str:
    return f"{' or '.join(spec.engines)}, or another checkpoint" if spec.engines else "another checkpoint"


def _least(spec: Spec) -> float:
    """Seconds of the shortest span: two frames."""
    return 2 / spec.frame_rate


def _settings(request: Request) -> str:
    ar, fm = request.ar, request.fm
    for settings in (ar, fm, ar.guidance, fm.guidance):
        reason = knobs.refusal(settings) if settings is not None else ""
        if reason:
            return reason
    if not 0 <= fm.guided[0] <= fm.guided[1] <= 1:
        times = f"guided times {fm.guided[0]:g}-{fm.guided[1]:g}"
        return f"{times}: expected two times from 0 to 1 in order; 0-1 is the usual value"
    return ""


def _intent(request: InpaintRequest) -> str:
    if request.intent not in INTENTS:
        return f"intent {str(request.intent)[:24]!r}: expected {', '.join(INTENTS)}; choose one of them"
    unknown = [name for name in request.changed or () if name not in CHANGES]
    if unknown:
        expected = f"expected some of {', '.join(CHANGES)}"
        return f"changed {str(unknown[0])[:24]!r}: {expected}; leave the others out"
    return ""


def _task(request: InpaintRequest, engine: EngineName, spec: Spec) -> str:
    task, part = request.task, request.part
    if task not in SPAN_TASKS:
        return f"task {str(task)[:24]!r}: expected {', '.join(SPAN_TASKS)}; choose one of them"
    if task == "remake":
        return ""
    if engine != "fm":
        return f"task {task!r}: {engine!r} re-makes spans whole; choose fm"
    if task not in spec.tasks:
        return (
            f"task {task!r}: {_title(spec)} {_CANNOT[task]}; choose a model that does, which "
            "inlay models (Shift M on the page) says"
        )
    if part not in spec.stems:
        return f"part {part[:24]!r}: expected one of {', '.join(spec.stems)}; choose one of them"
    return f"task {task!r}: it is done in one span at a time; leave the others out" if request.also else ""


def _length(request: GenerateRequest, spec: Spec) -> str:
    if not BY_NAME[request.engine].generates:
        return f"engine {request.engine!r}: it only re-makes spans; choose ar or fm to generate"
    longest = max(LONGEST_SECONDS, spec.window_seconds) if request.sliding else spec.window_seconds
    if not 1.0 <= request.seconds <= longest:
        return f"length {request.seconds:g} s: expected 1-{longest:g} s; choose another length"
    return ""


def _span(request: InpaintRequest, spec: Spec) -> str:
    source, span = request.source, f"span {request.start:g}-{request.end:g} s"
    if not (math.isfinite(request.start) and math.isfinite(request.end)):
        return f"{span}: the times must be numbers; select the span again"
    if source.length == 0:
        return "source: it holds no samples; load a recording first"
    if request.end <= request.start:
        return f"{span}: the end must follow the start; swap them"
    tolerance = max(SHOWN_SECONDS, 0.5 / source.rate)
    if request.start < 0 or request.end > source.seconds + tolerance:
        return f"{span}: the recording is 0-{source.seconds:.2f} s long; select a span inside it"
    least = _least(spec)
    if request.seconds < least - 1e-6:
        return f"{span}: at least {least:.3g} s (two frames) are needed; select a longer span"
    fits = spec.window_seconds - CONTEXT_SECONDS
    sliding = request.sliding and request.task == "remake"
    longest = max(LONGEST_SECONDS, fits) if sliding else fits
    if request.seconds > longest + 1e-6:
        fit = "are made in one run" if sliding else "fit into the models' window"
        return f"{span}: at most {longest:g} s {fit}; select a shorter span"
    return knobs.refusal(request)


def _further(request: InpaintRequest, least: float) -> str:
    source = request.source
    tolerance = max(SHOWN_SECONDS, 0.5 / source.rate)
    before = request.end
    for a, b in request.also:
        also = f"further span {a:g}-{b:g} s"
        if not (math.isfinite(a) and math.isfinite(b) and before < a < b):
            return f"{also}: spans must follow one another without touching; put them in order"
        if b > source.seconds + tolerance:
            return f"{also}: the recording is 0-{source.seconds:.2f} s long; select a span inside it"
        if b - a < least - 1e-6:
            return f"{also}: at least {least:.3g} s (two frames) are needed; select a longer span"
        before = b
    if _silent(source):
        return "source: it is silent, so a span has no context; use Generate, or load another recording"
    return ""


def _silent(source: Recording) -> bool:
    block = 1 << 18
    threshold = _SILENCE * source.full_scale
    for at in range(0, source.length, block):
        part = source.samples[at : at + block]
        if part.max() > threshold or part.min() < -threshold or np.isnan(part).any():
            return False
    return True
