"""The AR engine: generation (sec. 3.2) and fill-in-the-middle of exact length (App. J).

A network that was not trained for it fills a span from what precedes, as often as there are candidates; the
half from which what follows goes on best is decoded, and the seams choose among these. Does not know the
other engines or the editor.
"""

from __future__ import annotations

from functools import partial

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.audio.timebase import frames_for
from engines.checkpoints.shelf import Models
from engines.errors import InputError
from engines.families.shape import Spec, Tokenizer
from engines.filling import window as windows
from engines.filling.beginnings import seeds_of
from engines.filling.choice import finish
from engines.filling.conditions import Conditions, conditions
from engines.networks.lm import take, undelay
from engines.networks.shapes import LMConfig
from engines.progress import ProgressHook, Stopwatch
from engines.requests import Controls, InpaintRequest, Request, Result, Support
from engines.sampling import order as spans
from engines.sampling.decode import complete, sample_step
from engines.sampling.following import FRAMES, Following
from engines.sampling.guidance import told
from engines.support import USUAL, refusal

SEEDED_BOOKS = (3, 3, 3, 2, 2, 2)  # codebooks that candidates take from repeats of the context
CHANGED_BOOKS = (1, 1, 1, 0, 0, 0)  # the same where words and lanes are to decide
DISTINCT = 3  # most repeats that are begun from
OVERLAP = 8  # frames decoded again, so that the pieces of a growing sound meet


def supports(request: Request, spec: Spec = USUAL) -> Support:
    """Whether this engine can serve the request on such a checkpoint; if not, why and what would do."""
    return refusal(request, "ar", spec)


@torch.inference_mode()
def run(request: Request, models: Models, progress: ProgressHook | None = None) -> Result:
    """Generate a clip, or re-make a span by fill-in-the-middle.

    Codes [1, K, T] are sampled column by column; progress is reported, and a cancellation noticed, at
    every step. Raises InputError for what `supports` refuses, and whatever `progress` raises.
    """
    support = supports(request, models.spec)
    if not support:
        raise InputError(support.reason)
    watch = Stopwatch(progress)
    with models.held(watch):
        return _run(request, models, watch)


def _run(request: Request, models: Models, watch: Stopwatch) -> Result:
    windows.load(models, models.ar, watch)
    codec, lm, settings = models.tokenizer(), models.ar(), request.ar
    window, layout = None, None
    seeds: list[tuple[Tensor, str]] = []  # codes [1, K, T + 3] to begin from, and whence they come
    given: Conditions | None = None
    if isinstance(request, InpaintRequest):
        watch.report("encode", 0, 1)
        window = windows.cut(request, codec, models.spec.window_seconds)
        watch.lap("judge")
        given = conditions(request, models, window.frames, window, "ar", settings.guidance)
        watch.lap("text")
        silenced = request.strength >= 1  # a variation keeps the first codebooks of what was there
        codes = codec.quantize(windows.encode(window, models, silenced))  # [1, D, T] -> [1, K, T]
        if window.known.any():  # a span that leaves nothing is a clip from nothing
            layout = spans.layout(*window.span, window.frames, lm.config.fills, FRAMES)
            columns = layout.order[None].to(codes.device)
            watch.lap("encode")
            for copy, words in _seeds(request, window, models, given.controls):
                heard = codec.quantize(copy)  # [1, D, T] -> [1, K, T]
                heard = torch.where(window.known.to(codes.device), codes, heard)
                seeds.append((take(lm.config, heard, columns), words))
            watch.lap("repeats")
            whole, codes = codes, take(lm.config, codes, columns)  # -> [1, K, S]
        watch.lap("encode")
    else:
        windows.fits(request.seconds, models)
        frames = frames_for(request.seconds, codec.frame_rate)
        codes = torch.zeros(1, codec.codebooks, frames, dtype=torch.int64, device=models.device)
        watch.report("text", 0, 1)
        given = conditions(request, models, frames, None, "ar", settings.guidance)
        watch.lap("text")
    lanes = given.lanes if layout is None else given.lanes.permute(layout.order)

    generator = torch.Generator().manual_seed(request.seed)
    count = settings.candidates if layout is not None else 1
    known, until = (layout.known, layout.end) if layout is not None else (0, codes.shape[2])
    follows = until < codes.shape[2] and count > 1
    following = Following(lm.config, until) if follows else None

    def sample(logits: Tensor) -> Tensor:
        return sample_step(
            logits, settings.temperature, settings.top_k, settings.top_p, generator, settings.cooling
        )

    growing = _Growing(codec, lm.config, known, until, window.gain if window else 1.0)

    def on_step(step: int, total: int) -> None:
        watch.report("sample", step, total, partial(growing.audio, step) if step > lm.config.lag else None)

    own = round((1 - request.strength) * codec.codebooks) if isinstance(request, InpaintRequest) else 0
    plain = count - len(seeds)
    batch = torch.cat([codes.repeat(plain, 1, 1), *(seed for seed, _ in seeds)])  # [C, K, S]
    changes = isinstance(request, InpaintRequest) and request.changes
    books = CHANGED_BOOKS if changes else SEEDED_BOOKS
    kept = [own] * plain + [books[k % len(books)] for k in range(len(seeds))]
    lm.in_bytes = settings.weights == "fast" and lm.large and models.device.type == "cpu"
    codes = complete(
        lm, batch, known, lanes, given.text, given.rows, sample, on_step,
        kept=kept, expose=growing.expose, until=until, following=following,
    )  # fmt: skip
    parameters: dict[str, object] = {
        "temperature": settings.temperature,
        "cooling": settings.cooling,
        "top_k": settings.top_k,
        "top_p": settings.top_p,
        "guidance": told(given.guidance),
        "heard": list(given.heard),
        "weights": "bytes" if lm.in_bytes else "exact",
    }
    beginnings = ["nothing"] * plain + [words for _, words in seeds]
    if following is not None:
        best = following.better_half(count)
        codes, beginnings = codes[best], [beginnings[i] for i in best]
        parameters["follows"] = {"nats": [round(cost, 4) for cost in following.costs], "heard": best}
    if window is not None and layout is not None:
        codes = layout.put(codes, whole, window.span[0])  # -> [C, K, T]
    watch.lap("sample")
    return finish(request, models, codec.dequantize(codes), window, watch, parameters, beginnings)


class _Growing:
    """What the first of the fillings sounds like while it is being sampled, decoded piece by piece."""

    def __init__(self, codec: Tokenizer, config: LMConfig, known: int, until: int, gain: float) -> None:
        self.line: Tensor | None = None  # [B, K, 1 + S], filled by `complete`
        self._codec, self._config, self._gain = codec, config, gain
        self._known, self._until = known, until
        self._made = np.zeros(0, np.float32)

    def expose(self, line: Tensor) -> None:
        """Take note of the line [B, K, 1 + S] that is being filled."""
        self.line = line

    @torch.inference_mode()
    def audio(self, step: int) -> tuple[NDArray[np.float32], int]:
        """Samples [n] of the frames that are whole after `step` steps, and their rate."""
        codec, lag = self._codec, self._config.lag
        done = min(step - lag, self._until - self._known)
        ready = len(self._made) // codec.hop
        if self.line is not None and done > ready:
            kept = max(0, ready - OVERLAP)  # the last frames did not know yet what follows
            first = max(0, kept - OVERLAP)
            end = self._known + done  # frames; their codes lie in so many delayed columns and `lag` more
            codes = undelay(self.line[:1, :, 1 : 1 + end + lag], self._config.channels)
            codes = codes[:, :, self._known + first : end]
            part = codec.decode(codec.dequantize(codes))[0].mean(dim=0).float().cpu().numpy() / self._gain
            self._made = np.concatenate([self._made[: kept * codec.hop], part[(kept - first) * codec.hop :]])
        return self._made, codec.rate


def _seeds(
    request: InpaintRequest, window: windows.Window, models: Models, controls: Controls
) -> list[tuple[Tensor, str]]:
    """Latents [1, D, T] of repeats of the context from which candidates take their first codebooks."""
    count = request.ar.candidates
    if request.strength < 1 or count == 1:  # from what was there; from nothing
        return []
    return seeds_of(request, window, models, min(request.ar.seeded, count), DISTINCT, controls)
