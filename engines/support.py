"""May this request run: one check of lengths, span, source, prompt, seed and knobs. Loads no torch."""

from __future__ import annotations

import math

import numpy as np

from engines import knobs
from engines.audio.recording import Recording
from engines.audio.timebase import SHOWN_SECONDS
from engines.requests import (
    CHANGES,
    INTENTS,
    LONGEST_SECONDS,
    MAX_PROMPT,
    GenerateRequest,
    InpaintRequest,
    Request,
    Support,
)
from engines.roster import BY_NAME, EngineName

WINDOW_SECONDS = 10.0  # longest clip the models hear
FRAME_SECONDS = 0.04  # one latent frame at 25 Hz
CONTEXT_SECONDS = 2.0  # at least so much of a full window is context
_SILENCE = 1e-4  # peak below which a recording counts as silent (-80 dB)


def refusal(request: Request, engine: EngineName) -> Support:
    """Whether an engine can use a request at all."""
    if request.engine != engine:
        return Support(f"engine {request.engine!r}: this is {engine!r}; send the request to its own engine")
    if len(request.prompt) > MAX_PROMPT:
        return Support(f"prompt of {len(request.prompt)} characters: at most {MAX_PROMPT}; shorten it")
    if not 0 <= request.seed < 2**63:
        return Support(f"seed {request.seed}: expected 0 to {2**63 - 1}; choose another")
    if isinstance(request, GenerateRequest):
        return Support(_settings(request) or _length(request))
    return Support(_settings(request) or _intent(request) or _span(request) or _further(request))


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


def _length(request: GenerateRequest) -> str:
    if not BY_NAME[request.engine].generates:
        return f"engine {request.engine!r}: it only re-makes spans; choose ar or fm to generate"
    longest = LONGEST_SECONDS if request.sliding else WINDOW_SECONDS
    if not 1.0 <= request.seconds <= longest:
        return f"length {request.seconds:g} s: expected 1-{longest:g} s; choose another length"
    return ""


def _span(request: InpaintRequest) -> str:
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
    if request.seconds < 2 * FRAME_SECONDS - 1e-6:
        return f"{span}: at least {2 * FRAME_SECONDS:g} s (two frames) are needed; select a longer span"
    longest = LONGEST_SECONDS if request.sliding else WINDOW_SECONDS - CONTEXT_SECONDS
    if request.seconds > longest + 1e-6:
        fit = "are made in one run" if request.sliding else "fit into the models' window"
        return f"{span}: at most {longest:g} s {fit}; select a shorter span"
    return knobs.refusal(request)


def _further(request: InpaintRequest) -> str:
    source = request.source
    tolerance = max(SHOWN_SECONDS, 0.5 / source.rate)
    before = request.end
    for a, b in request.also:
        also = f"further span {a:g}-{b:g} s"
        if not (math.isfinite(a) and math.isfinite(b) and before < a < b):
            return f"{also}: spans must follow one another without touching; put them in order"
        if b > source.seconds + tolerance:
            return f"{also}: the recording is 0-{source.seconds:.2f} s long; select a span inside it"
        if b - a < 2 * FRAME_SECONDS - 1e-6:
            return f"{also}: at least {2 * FRAME_SECONDS:g} s (two frames) are needed; select a longer span"
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
