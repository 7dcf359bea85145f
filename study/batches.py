"""Many requests at once: what the engines make one by one, computed side by side.

One step of AR costs little more for sixteen clips than for one, so measuring hundreds of clips
is affordable. Requests, conditions, guidance, seeds and the way back into a recording are the engines'
own; only the loop over the network is batched. A test compares with the engines, number for number.
What a loop here does not know (candidates, search, variations, long spans) goes to the engine, one by one.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engines import zero_shot as fm_zero_shot
from engines.audio.timebase import frames_for
from engines.checkpoints.shelf import Models
from engines.dispatch import run, supports
from engines.errors import InputError
from engines.families.inlay import codec_of, network_of
from engines.filling import window as windows
from engines.filling.choice import finish
from engines.filling.conditions import Conditions, conditions
from engines.fm import draw_noise
from engines.networks.lane_frames import Lanes, cat_lanes
from engines.networks.lm import LM, delay, take, undelay
from engines.networks.text import TextStates
from engines.networks.transformer import Cache
from engines.progress import Stopwatch
from engines.requests import InpaintRequest, Request, Result
from engines.roster import ENGINE_NAMES
from engines.sampling import flow
from engines.sampling import order as spans
from engines.sampling.decode import sample_step
from engines.sampling.guidance import Source, combine
from engines.support import CONTEXT_SECONDS

NEUTRAL: dict[str, object] = {  # settings that the loops here do not know, and where they change nothing
    "cooling": 0.0, "candidates": 1, "schedule": "uniform", "guided": (0.0, 1.0), "strength": 1.0, "also": (),
    "latents": None,
}  # fmt: skip
SOLVERS, ZERO_SHOT = ("euler", "midpoint", "dopri5"), ("inversion", "replacement")


@dataclass(frozen=True)
class _Item:
    request: Request
    window: windows.Window | None
    frames: int  # T of the window or clip
    given: Conditions
    watch: Stopwatch

    @property
    def like(self) -> tuple[object, ...]:
        """Items that agree in this run together."""
        settings = (self.request.ar, self.request.fm)
        known = self.window is not None and bool(self.window.known.any())
        return (self.request.engine, self.frames, known, self.given.text is None, self.given.rows, settings)


def run_many(requests: Sequence[Request], models: Models, size: int = 16) -> list[Result]:
    """The results of `engines.dispatch.run` for each request, in order; at most `size` together.

    Raises InputError for what an engine refuses. A result's seconds are its share of its batch's.
    """
    groups: dict[tuple[object, ...], list[tuple[int, _Item]]] = {}
    results: dict[int, Result] = {}
    for place, request in enumerate(requests):
        if not plain(request, models.spec.window_seconds):
            results[place] = run(request, models)
            continue
        item = _prepare(request, models)
        groups.setdefault(item.like, []).append((place, item))
    for group in groups.values():
        for at in range(0, len(group), size):
            part = group[at : at + size]
            made = _together([item for _, item in part], models)
            results.update({place: result for (place, _), result in zip(part, made, strict=True)})
    return [results[i] for i in range(len(requests))]


def plain(request: Request, window_seconds: float) -> bool:
    """Whether the loops here make what the engine makes of a request."""
    settings = request.ar if request.engine == "ar" else request.fm
    known = all(
        getattr(x, name, value) == value
        for x in (request, settings)
        for name, value in NEUTRAL.items()
        if name != "candidates" or isinstance(request, InpaintRequest)  # a clip has but one
    )
    if request.engine != "ar":
        known = known and request.fm.solver in SOLVERS
        known = known and (request.engine == "fm" or request.fm.zero_shot in ZERO_SHOT)
    room = window_seconds - (CONTEXT_SECONDS if isinstance(request, InpaintRequest) else 0.0)
    return known and request.engine in ENGINE_NAMES and request.seconds <= room + 1e-6


def _prepare(request: Request, models: Models) -> _Item:
    support = supports(request)
    if not support:
        raise InputError(support.reason)
    codec, window = codec_of(models), None
    if isinstance(request, InpaintRequest):
        window = windows.cut(request, codec, models.spec.window_seconds)
        frames = window.frames
    else:
        windows.fits(request.seconds, models)
        frames = frames_for(request.seconds, codec.frame_rate)
    guidance = request.ar.guidance if request.engine == "ar" else request.fm.guidance
    given = conditions(request, models, frames, window, request.engine, guidance)
    return _Item(request, window, frames, given, Stopwatch(None))


@torch.inference_mode()
def _together(items: Sequence[_Item], models: Models) -> list[Result]:
    watch = Stopwatch(None)
    z = _ar(items, models) if items[0].request.engine == "ar" else _fm(items, models)  # [B, D, T]
    watch.lap("sample")
    results = []
    for item, latent in zip(items, z, strict=True):
        item.watch.lap("load")  # what came before is the batch's, not this item's
        result = finish(item.request, models, latent[None], item.window, item.watch, {})
        shared = {**result.timings, "sample": watch.timings["sample"] / len(items)}
        results.append(Result(result.request, result.audio, shared, result.seams, result.parameters))
    return results


def _text(items: Sequence[_Item], device: torch.device) -> TextStates | None:
    """States of all prompts, padded to the longest: [B, L, 384]."""
    texts = [item.given.text for item in items]
    kept = [text for text in texts if text is not None]
    if not kept:
        return None
    longest = max(text.tokens.shape[1] for text in kept)

    def pad(x: Tensor) -> Tensor:
        return F.pad(x, (0, 0) * (x.ndim - 2) + (0, longest - x.shape[1]))

    tokens = torch.cat([pad(text.tokens) for text in kept])
    masks = torch.cat([pad(text.mask) for text in kept])
    return TextStates(tokens, masks, torch.cat([text.pooled for text in kept])).to(device)


def _repeat(text: TextStates | None, rows: int) -> TextStates | None:
    """One copy of the batch under the other: [B, L, 384] -> [rows B, L, 384]."""
    if text is None:
        return None
    return TextStates(text.tokens.repeat(rows, 1, 1), text.mask.repeat(rows, 1), text.pooled.repeat(rows, 1))


def _guided(lanes: Lanes, rows: Sequence[Source]) -> Lanes:
    """Lanes as each row sees them: [B, T] -> [R B, T]."""
    return cat_lanes([row.sees(lanes) for row in rows])


def _ar(items: Sequence[_Item], models: Models) -> Tensor:
    codec, lm, device = codec_of(models), models.ar(), models.device
    rows, settings = items[0].given.rows, items[0].request.ar
    codes, known, orders, lanes = [], [], [], []
    for item in items:
        window, order = item.window, None
        if window is not None:
            cells = codec.quantize(windows.encode(window, models))  # -> [1, K, T]
            if window.known.any():
                order = spans.reorder(*window.span, window.frames)
                cells = take(lm.config, cells, order[None].to(device))  # -> [1, K, T + 3]
            known.append(cells.shape[2] - (window.span[1] - window.span[0]))
        else:
            cells = torch.zeros(1, codec.codebooks, item.frames, dtype=torch.int64, device=device)
            known.append(0)
        codes.append(cells)
        orders.append(order)
        lanes.append(item.given.lanes if order is None else item.given.lanes.permute(order))
    generators = [torch.Generator().manual_seed(item.request.seed) for item in items]

    def draw(logits: Tensor, which: int) -> Tensor:
        return sample_step(logits, settings.temperature, settings.top_k, settings.top_p, generators[which])

    filled = complete_many(lm, torch.cat(codes), known, cat_lanes(lanes), _text(items, device), rows, draw)
    made = []
    for cells, order, item in zip(filled, orders, items, strict=True):
        if order is not None and item.window is not None:
            cells = cells[:, spans.restore(*item.window.span, item.window.frames).to(device)]
        made.append(codec.dequantize(cells[None]))
    return torch.cat(made)


@torch.inference_mode()
def complete_many(
    lm: LM,
    codes: Tensor,
    known: Sequence[int],
    lanes: Lanes,
    text: TextStates | None,
    rows: Sequence[Source],
    draw: Callable[[Tensor, int], Tensor],
) -> Tensor:
    """`engines.networks.lm.complete` for B clips of equal length: codes int64 [B, K, T] -> [B, K, T].

    Item i keeps its columns before known[i]; `draw(logits [1, K, V], i)` samples [1, K] for it, and
    is called as often as `complete` would, so that a seed gives the same clip.
    """
    config, device, count, batch = lm.config, codes.device, len(rows), len(codes)
    limits = torch.tensor(known, device=device)[:, None, None]
    cells = torch.where(torch.arange(codes.shape[2], device=device) < limits, codes, -1)
    delayed = delay(cells, config.pad)  # [B, K, T] -> [B, K, S]
    text_given = torch.tensor([row.text for row in rows], device=device).repeat_interleave(batch)
    memory = lm.remember(_repeat(text, count), text_given, count * batch)
    _, stepped = lm.inputs(cells, _guided(lanes, rows))
    line = F.pad(delayed, (1, 0), value=config.pad)  # filled as it is sampled: [B, K, 1 + S]
    cache = Cache(config.backbone, count * batch, delayed.shape[2], lm.heads.weight)
    for step in range(min(known), delayed.shape[2]):
        begin = cache.filled
        seen = line[:, :, begin : step + 1].repeat(count, 1, 1)  # [B, K, n] -> [R B, K, n]
        part = stepped.window(begin, step + 1) if stepped is not None else None
        logits = lm(seen, part, memory, cache=cache)[:, :, -1].float()  # -> [R B, K, V]
        guided = combine(logits.view(count, batch, *logits.shape[1:]), rows)[0]  # -> [B, K, V]
        for i in range(batch):
            if step >= known[i]:
                column = line[i, :, step + 1]
                line[i, :, step + 1] = torch.where(
                    column == -1, draw(guided[i : i + 1], i)[0].to(device), column
                )
    return undelay(line[:, :, 1:])


def _fm(items: Sequence[_Item], models: Models) -> Tensor:
    codec, device, rows = codec_of(models), models.device, items[0].given.rows
    settings, count, batch = items[0].request.fm, len(rows), len(items)
    zero_shot = items[0].request.engine == "fm-zero-shot"
    inverts = zero_shot and settings.zero_shot == "inversion"
    sources, masks = [], []
    for item in items:
        if item.window is not None:
            sources.append(windows.encode(item.window, models, silenced=not inverts))  # [1, D, T]
            masks.append(item.window.known)
        else:
            sources.append(torch.zeros(1, codec.dim, item.frames, device=device))
            masks.append(torch.zeros(item.frames, dtype=torch.bool))
    source, known = torch.cat(sources), torch.stack(masks).to(device)  # [B, D, T], [B, T]
    noise = torch.cat([draw_noise(s, item.request.seed) for s, item in zip(sources, items, strict=True)])
    text_given = torch.tensor([row.text for row in rows], device=device).repeat_interleave(batch)
    net = network_of(models)
    with models.autocast():
        memory = net.remember(_repeat(_text(items, device), count), text_given, count * batch)
    lanes = _guided(cat_lanes([item.given.lanes for item in items]), rows)
    channel = (torch.zeros_like(known) if zero_shot else known).repeat(count, 1)  # [R B, T]

    def field(z: Tensor, t: float) -> Tensor:
        tau = torch.full((count * batch,), t, device=device)
        with models.autocast():
            v = net(z.repeat(count, 1, 1), tau, channel, lanes, memory=memory).float()
        return combine(v.view(count, batch, *v.shape[1:]), rows)[0]  # -> [B, D, T]

    def quiet(step: int, total: int) -> None: ...

    there = known[:, None]  # [B, 1, T]
    if inverts:
        return fm_zero_shot.inversion(field, source, there, noise, settings.steps, quiet)
    if zero_shot:
        return fm_zero_shot.replacement(field, source, there, noise, settings.solver, settings.steps, quiet)
    z = flow.solve(
        lambda z, t: field(torch.where(there, source, z), t), noise, settings.solver, settings.steps, quiet
    )
    return torch.where(there, source, z)
