"""An engine that costs nothing: a span becomes a quieter copy of itself, another one for every seed."""

from __future__ import annotations

from typing import Any

from engines.progress import Progress, ProgressHook
from engines.requests import InpaintRequest, Request, Result, Support


def serve(request: Request, models: Any, progress: ProgressHook) -> Result:
    """What `engines.dispatch.run` would do."""
    assert isinstance(request, InpaintRequest)
    progress(Progress("sample", 1, 2, 0.1, 0.1))
    rate = request.source.rate
    first, last = round(request.start * rate), round(request.end * rate)
    made = request.source.with_span(first, request.source.samples[first:last] // 3 + request.seed % 9000)
    return Result(request, made, {"sample": 0.1})


def supports(request: Request, models: object = None) -> Support:
    """Everything."""
    return Support()
