"""The AR engine: generation (sec. 3.2) and fill-in-the-middle of exact length (App. J).

Does not know the other engines or the editor.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engines import spans
from engines import window as windows
from engines.checkpoints import Models
from engines.lm import complete, continuation_nll, sample_step, take
from engines.requests import InpaintRequest, InputError, ProgressHook, Request, Result, Stopwatch, Support
from engines.timebase import frames_for

FEWEST_BEHIND = 10  # frames of music behind a span by which candidates can be judged
JUDGED = 50  # how many of them are listened to


def supports(request: Request) -> Support:
    """Whether this engine can serve the request; if not, why and what would do."""
    return windows.refusal(request, "ar", generates=True)


@torch.inference_mode()
def run(request: Request, models: Models, progress: ProgressHook | None = None) -> Result:
    """Generate a clip, or re-make a span by fill-in-the-middle.

    Codes [1, K, T] are sampled column by column; progress is reported, and a cancellation noticed, at
    every step. Raises InputError for what `supports` refuses, and whatever `progress` raises.
    """
    support = supports(request)
    if not support:
        raise InputError(support.reason)
    watch = Stopwatch(progress)
    with models.held(watch):
        return _run(request, models, watch)


def _run(request: Request, models: Models, watch: Stopwatch) -> Result:
    windows.load(models, models.ar, watch)
    codec, lm, settings = models.codec(), models.ar(), request.ar
    window, known, order = None, 0, None
    if isinstance(request, InpaintRequest):
        watch.report("encode", 0, 1)
        window = windows.cut(request, codec, models.spec.window_seconds)
        silenced = request.strength >= 1  # a variation keeps the first codebooks of what was there
        codes = codec.quantize(windows.encode(window, models, silenced))  # [1, D, T] -> [1, K, T]
        if window.known.any():  # a span that leaves nothing is a clip from nothing
            order = spans.reorder(*window.span, window.frames)
            codes = take(lm.config, codes, order[None].to(codes.device))  # -> [1, K, T + 3]
            known = codes.shape[2] - (window.span[1] - window.span[0])
        watch.lap("encode")
    else:
        windows.fits(request.seconds, models)
        frames = frames_for(request.seconds, codec.frame_rate)
        codes = torch.zeros(1, codec.codebooks, frames, dtype=torch.int64, device=models.device)
    watch.report("text", 0, 1)
    frames, start = (window.frames, window.start) if window else (codes.shape[2], 0.0)
    given = windows.conditions(request, models, frames, start, "ar", settings.guidance)
    lanes = given.lanes if order is None else given.lanes.permute(order)
    watch.lap("text")

    generator = torch.Generator().manual_seed(request.seed)
    frames_behind = window.frames - window.span[1] if window is not None and order is not None else 0
    count = (
        settings.candidates if frames_behind >= FEWEST_BEHIND else 1
    )  # nothing behind: nothing to judge by

    def sample(logits: Tensor) -> Tensor:
        return sample_step(
            logits, settings.temperature, settings.top_k, settings.top_p, generator, settings.cooling
        )

    def on_step(step: int, total: int) -> None:
        watch.report("sample", step, total)

    kept = round((1 - request.strength) * codec.codebooks) if isinstance(request, InpaintRequest) else 0
    codes = complete(
        lm, codes.repeat(count, 1, 1), known, lanes, given.text, given.rows, sample, on_step, kept=kept
    )
    parameters: dict[str, object] = {
        "temperature": settings.temperature,
        "cooling": settings.cooling,
        "top_k": settings.top_k,
        "top_p": settings.top_p,
        "guidance": {"all": given.guidance.all, "text": given.guidance.text},
    }
    if window is not None and order is not None:
        codes = codes[:, :, spans.restore(*window.span, window.frames).to(codes.device)]  # -> [B, K, T]
        if count > 1:
            behind = window.span[1]
            nll = continuation_nll(
                lm, codes, behind, min(window.frames, behind + JUDGED), given.lanes, given.text
            )
            best = int(nll.argmin())
            codes = codes[best : best + 1]
            parameters["candidates"] = {"nll": [round(v, 4) for v in nll.tolist()], "chosen": best}
    watch.lap("sample")
    return windows.finish(request, models, codec.dequantize(codes), window, watch, parameters)
