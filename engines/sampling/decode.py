"""Sampling of the AR network: what is known is read once, then step by step (sec. 3.2, App. J).

Candidates of one span differ only behind what is known, so one prefill serves them all. Codes are int64
[B, K, T] as in `engines.networks.lm`. Does not know seconds, audio or where codes come from.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.networks.lane_frames import Lanes
from engines.networks.lm import LM, delay, undelay
from engines.networks.steps import Steps
from engines.networks.text import TextStates
from engines.networks.transformer import Cache, Memory
from engines.sampling.following import Following
from engines.sampling.guidance import Source, combine, seen_by


def sample_step(
    logits: Tensor,
    temperature: float,
    top_k: int,
    top_p: float,
    generator: torch.Generator,
    cooling: float = 0.0,
) -> Tensor:
    """Draw one id per codebook: float [B, K, V] -> int64 [B, K].

    Softmax at `temperature`, which falls evenly to (1 - cooling) of it at the last codebook, then only
    the `top_k` likeliest (0 = all), then the smallest set whose probability reaches `top_p` (0 =
    all), renormalised. Drawn on the CPU, so that a seed holds.
    """
    warmth = torch.linspace(1.0, max(1.0 - cooling, 0.01), logits.shape[-2])[:, None]  # [K, 1]
    p = torch.softmax(logits.float().cpu() / (temperature * warmth), dim=-1)
    if 0 < top_k < p.shape[-1]:
        least = p.topk(top_k, dim=-1, sorted=False).values.amin(dim=-1, keepdim=True)
        p = torch.where(p >= least, p, 0.0)
    if 0.0 < top_p < 1.0:
        p = p / p.sum(dim=-1, keepdim=True)
        ranked, order = p.sort(dim=-1, descending=True)
        before = ranked.cumsum(dim=-1) - ranked  # probability of everything likelier
        p = torch.zeros_like(p).scatter(-1, order, torch.where(before < top_p, ranked, 0.0))
    drawn = torch.multinomial(p.flatten(0, -2), 1, generator=generator)  # [B, K, V] -> [B K, 1]
    return drawn.view(p.shape[:-1])


def prefill(lm: LM, columns: Tensor, lanes: Lanes | None, memory: Memory, length: int) -> Cache:
    """Read known columns [1, K, n] once for every guided row: lanes [R, S], memory of R rows -> their cache.

    The cache has room for `length` columns behind what is read before them; n may be 0.
    """
    rows, known = len(memory.pooled), columns.shape[2]
    cache = Cache(lm.config.backbone, rows, _ahead(memory) + length, lm.heads.weight)
    if known or _ahead(memory):
        part = lanes.window(0, known) if lanes is not None else None
        lm(columns.expand(rows, -1, -1), part, memory, cache=cache)
    return cache


def _ahead(memory: Memory) -> int:
    """Columns that a network has read before the first of the codes."""
    return 0 if memory.before is None else memory.before.shape[1]


@torch.inference_mode()
def complete(
    lm: LM,
    codes: Tensor,
    known: int,
    lanes: Lanes,
    text: TextStates | None,
    rows: Sequence[Source],
    sample: Callable[[Tensor], Tensor],
    on_step: Callable[[int, int], None],
    cached: bool = True,
    kept: int | Sequence[int] = 0,
    expose: Callable[[Tensor], None] | None = None,
    until: int | None = None,
    following: Following | None = None,
) -> Tensor:
    """Sample every cell from column `known` on: codes int64 [B, K, T] -> [B, K, T].

    Columns before `known` (specials included) are given, alike in all of the B, and stay, and so do the
    codebooks before `kept` (one number, or one for each of the B) behind them; exactly T - known + lag steps
    (K - 1 of one channel) are sampled. Columns from `until` on are known again: the last cells are sampled
    beside them, and `following`, if any, is read on through all of them. `lanes` [1, T] and `text`
    [1, L, text_dim] are used by the rows of `rows` that see them; `sample` draws [B, K] from guided logits
    [B, K, V]. At the first steps the higher codebooks still emit given cells: those are forced.
    `on_step(done, total)` may raise to stop; `expose` is given the delayed line [B, K, 1 + S] that is being
    filled, a column of pads first. `cached=False` recomputes everything at each step (for tests).
    """
    config, device, count, batch = lm.config, codes.device, len(rows), len(codes)
    if not torch.equal(codes[:, :, :known], codes[:1, :, :known].expand(batch, -1, -1)):
        raise ValueError("the columns that are known differ between candidates; complete them one by one")
    cells = codes.clone()
    for item, books in enumerate([kept] * batch if isinstance(kept, int) else kept):
        cells[item, books:, known:until] = -1  # unknown
    delayed = delay(cells, config.pad, config.channels)  # [B, K, T] -> [B, K, S]
    line = F.pad(delayed, (1, 0), value=config.pad)  # what is read, filled as it is sampled: [B, K, 1 + S]
    if expose is not None:
        expose(line)
    text_given = torch.tensor([row.text for row in rows], device=device)  # [R]
    seen = seen_by(rows, lanes, 1)  # [R, S]
    memory = lm.remember(text.repeat(count) if text is not None else None, text_given, count, seen)
    _, stepped = lm.inputs(cells[:1].expand(count, -1, -1), seen)
    made = delayed.shape[2] if until is None else until + config.lag  # steps that precede the last sample
    last = made if following is None else delayed.shape[2]
    total = last - known
    on_step(0, total)
    cache = prefill(lm, line[:1, :, :known], stepped, memory, known)
    cache = cache.repeat(batch, _ahead(memory) + last)
    memory = memory.repeat(batch)  # [R, ...] -> [R B, ...]
    if stepped is not None:
        stepped = stepped.rows(torch.arange(count, device=device).repeat_interleave(batch))
    steps = Steps(lm, memory, stepped, cache)
    for step in range(known, last):
        if cached:
            logits = steps(
                line[:, :, step].repeat(count, 1)
            ).float()  # what precedes: [R B, K] -> [R B, K, V]
        else:
            part = stepped.window(0, step + 1) if stepped is not None else None
            read = line[:, :, : step + 1].repeat(count, 1, 1)
            logits = lm(read, part, memory)[:, :, -1].float()  # [R B, K, S, V] -> [R B, K, V]
        column = line[:, :, step + 1]
        if following is not None:  # of the first row, which sees most
            following.hear(step, logits[:batch], column)
        if step < made:
            guided = combine(logits.view(count, batch, *logits.shape[1:]), rows)[0]
            line[:, :, step + 1] = torch.where(column == -1, sample(guided).to(device), column)
        on_step(step - known + 1, total)
    return undelay(line[:, :, 1:], config.channels)
