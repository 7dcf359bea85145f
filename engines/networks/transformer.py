"""The backbone that the AR and FM networks share (sec. 4.2, App. E.3.1).

Blocks as MusicGen's: pre-norm self-attention, cross-attention over the text, feed-forward with
exact GELU, no bias in attention and feed-forward, sinusoidal positions, a norm at the end. Three
switches: `skips` (FM) adds the U-Net-like skip connections of App. E.3.1; `modulated` adds
adaLN-single: the pooled text, and in FM the time, shift, scale and gate self-attention and
feed-forward; without `crossed` the text is read before the columns. With the first two off a block
is MusicGen's, number for number (a test compares), and with all three off MusicGen-melody's.
Does not know codes, latents or lanes.
"""

from __future__ import annotations

from copy import copy
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.networks.shapes import TransformerConfig
from engines.networks.text import TextStates


@dataclass(frozen=True)
class Memory:
    """What a batch's text becomes once per run: keys and values of every cross-attention."""

    keys: tuple[Tensor, ...]  # layers x [B, H, L, D/H]
    values: tuple[Tensor, ...]  # layers x [B, H, L, D/H]
    mask: Tensor  # bool [B, 1, 1, L], True = attend
    pooled: Tensor  # [B, D]
    before: Tensor | None = None  # [B, P, D] states that are read before the columns

    def repeat(self, times: int) -> Memory:
        """Each item `times` times over, one beside the other: [B, ...] -> [B times, ...]."""
        keys = tuple(x.repeat_interleave(times, dim=0) for x in self.keys)
        values = tuple(x.repeat_interleave(times, dim=0) for x in self.values)
        mask, pooled = self.mask.repeat_interleave(times, dim=0), self.pooled.repeat_interleave(times, dim=0)
        before = None if self.before is None else self.before.repeat_interleave(times, dim=0)
        return Memory(keys, values, mask, pooled, before)


class Cache:
    """Keys and values of the self-attention, allocated once for `length` columns."""

    def __init__(self, config: TransformerConfig, batch: int, length: int, like: Tensor) -> None:
        shape = (batch, config.heads, length, config.dim // config.heads)
        self.keys = [like.new_zeros(shape) for _ in range(config.layers)]
        self.values = [like.new_zeros(shape) for _ in range(config.layers)]
        self.filled = 0  # columns written so far

    def extend(self, layer: int, keys: Tensor, values: Tensor) -> tuple[Tensor, Tensor]:
        """Write new columns [B, H, S, Dh] behind the filled ones; all so far: 2 x [B, H, filled + S, Dh]."""
        end = self.filled + keys.shape[2]
        self.keys[layer][:, :, self.filled : end] = keys
        self.values[layer][:, :, self.filled : end] = values
        return self.keys[layer][:, :, :end], self.values[layer][:, :, :end]

    def repeat(self, times: int, length: int) -> Cache:
        """Each item `times` times over, with room for `length` columns: [B, ...] -> [B times, ...]."""
        grown = copy(self)
        grown.keys, grown.values = (
            [_grown(x[:, :, : self.filled].repeat_interleave(times, dim=0), length) for x in part]
            for part in (self.keys, self.values)
        )
        return grown


def _grown(x: Tensor, length: int) -> Tensor:
    """[B, H, n, Dh] with zeros up to `length` columns."""
    return F.pad(x, (0, 0, 0, length - x.shape[2]))


def sinusoid(positions: Tensor, dim: int) -> Tensor:
    """cat[cos, sin](pos / 10000^(i / (dim/2 - 1))): float [...] -> float32 [..., dim]."""
    half = dim // 2
    powers = torch.arange(half, device=positions.device, dtype=torch.float32) / (half - 1)
    angles = positions.float().unsqueeze(-1) / 10000.0**powers  # [...] -> [..., half]
    return torch.cat([torch.cos(angles), torch.sin(angles)], dim=-1)


class Block(nn.Module):
    """Self-attention, cross-attention, feed-forward."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        dim = config.dim
        self.heads, self.causal, self.dropout = config.heads, config.causal, config.dropout
        self.self_norm, self.ff_norm = (nn.LayerNorm(dim, eps=1e-5) for _ in range(2))
        self.self_in = nn.Linear(dim, 3 * dim, bias=False)  # q, k, v packed
        self.self_out = nn.Linear(dim, dim, bias=False)
        if config.crossed:
            self.cross_norm = nn.LayerNorm(dim, eps=1e-5)
            self.cross_q = nn.Linear(dim, dim, bias=False)
            self.cross_kv = nn.Linear(dim, 2 * dim, bias=False)
            self.cross_out = nn.Linear(dim, dim, bias=False)
        self.fc1 = nn.Linear(dim, config.ff, bias=False)
        self.fc2 = nn.Linear(config.ff, dim, bias=False)
        self.modulation = nn.Parameter(torch.zeros(6 * dim)) if config.modulated else None

    def _split(self, x: Tensor, parts: int) -> tuple[Tensor, ...]:
        """[B, S, parts * D] -> parts x [B, H, S, D/H]."""
        batch, length, width = x.shape
        heads = x.view(batch, length, parts, self.heads, width // parts // self.heads)
        return heads.permute(2, 0, 3, 1, 4).unbind(0)

    def _merge(self, x: Tensor) -> Tensor:
        """[B, H, S, D/H] -> [B, S, D]."""
        return x.transpose(1, 2).flatten(2)

    def _drop(self, x: Tensor) -> Tensor:
        return F.dropout(x, self.dropout, self.training) if self.dropout else x

    def remember(self, text: Tensor) -> tuple[Tensor, Tensor]:
        """Keys and values of the text [B, L, D]: 2 x [B, H, L, D/H]."""
        keys, values = self._split(self.cross_kv(text), 2)
        return keys, values

    def attend(self, x: Tensor, cache: Cache | None, layer: int) -> Tensor:
        """Self-attention over what is read and what is cached: [B, S, D] -> [B, S, D]."""
        q, k, v = self._split(self.self_in(x), 3)  # 3 x [B, H, S, Dh]
        square = cache is None or cache.filled == 0
        if cache is not None:
            k, v = cache.extend(layer, k, v)
        triangle = None
        if self.causal and not square and q.shape[2] > 1:
            triangle = torch.ones(q.shape[2], k.shape[2], dtype=torch.bool, device=x.device)
            triangle = triangle.tril(k.shape[2] - q.shape[2])
        causal = self.causal and square and q.shape[2] > 1
        a = F.scaled_dot_product_attention(q, k, v, attn_mask=triangle, is_causal=causal)
        return self._drop(self.self_out(self._merge(a)))

    def read(self, x: Tensor, keys: Tensor, values: Tensor, mask: Tensor) -> Tensor:
        """Cross-attention over the text: [B, S, D], keys and values [B, H, L, Dh] -> [B, S or 1, D]."""
        if keys.shape[2] == 1:  # one state to read: it is read whatever is asked
            return self._drop(self.cross_out(self._merge(values)))  # [B, H, 1, Dh] -> [B, 1, D]
        (q,) = self._split(self.cross_q(x), 1)
        a = F.scaled_dot_product_attention(q, keys, values, attn_mask=mask.expand(-1, -1, q.shape[2], -1))
        return self._drop(self.cross_out(self._merge(a)))

    def feed(self, x: Tensor) -> Tensor:
        """Feed-forward: [B, S, D] -> [B, S, D]."""
        return self._drop(self.fc2(F.gelu(self.fc1(x))))

    def forward(
        self,
        x: Tensor,
        keys: Tensor | None,
        values: Tensor | None,
        mask: Tensor,
        shift: Tensor | None,
        cache: Cache | None,
        layer: int,
    ) -> Tensor:
        """[B, S, D] -> [B, S, D]; text keys and values [B, H, L, Dh], mask [B, 1, 1, L], shift [B, 6 D]."""
        if shift is None or self.modulation is None:
            x = x + self.attend(self.self_norm(x), cache, layer)
            x = self._told(x, keys, values, mask)
            return x + self.feed(self.ff_norm(x))
        # shift, scale and gate of self-attention, then of feed-forward: [B, 6 D] -> 6 x [B, 1, D]
        a, b, c, d, e, f = (shift + self.modulation).unsqueeze(1).chunk(6, dim=-1)
        x = x + (1 + c) * self.attend(self.self_norm(x) * (1 + b) + a, cache, layer)
        x = self._told(x, keys, values, mask)
        return x + (1 + f) * self.feed(self.ff_norm(x) * (1 + e) + d)

    def _told(self, x: Tensor, keys: Tensor | None, values: Tensor | None, mask: Tensor) -> Tensor:
        """[B, S, D] and what it reads of the text by cross-attention, where it has any -> [B, S, D]."""
        if keys is None or values is None:
            return x
        return x + self.read(self.cross_norm(x), keys, values, mask)


class Transformer(nn.Module):
    """A stack of blocks with text conditioning: [B, S, D] -> [B, S, D]."""

    def __init__(self, config: TransformerConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.dim
        blocks = [Block(config) for _ in range(config.layers)]
        self.blocks = nn.ModuleList(blocks)
        self.out_norm = nn.LayerNorm(dim, eps=1e-5)
        self.text_proj = nn.Linear(config.text_dim, dim)
        if not config.silent_null:
            self.null_text = nn.Parameter(0.02 * torch.randn(config.text_dim))
            self.null_pooled = nn.Parameter(0.02 * torch.randn(config.text_dim))
        if config.modulated:
            self.pooled_proj = nn.Linear(config.text_dim, dim)
            self.modulate = nn.Linear(dim, 6 * dim)
            nn.init.zeros_(self.modulate.weight)  # identity at the start: gates and scales 1, shifts 0
            nn.init.zeros_(self.modulate.bias)
        skips = [nn.Linear(2 * dim, dim) for _ in range(config.layers // 2 if config.skips else 0)]
        self.skip_proj = nn.ModuleList(skips)
        with torch.no_grad():
            for skip in skips:  # starts as x, with a small share of the skip
                skip.weight[:, :dim] = torch.eye(dim)
                skip.weight[:, dim:] *= 0.1
                skip.bias.zero_()
            for block in blocks:  # residual branches shrink with depth, as is customary
                across = (block.cross_out,) if config.crossed else ()
                for linear in (block.self_out, *across, block.fc2):
                    linear.weight /= (2 * config.layers) ** 0.5

    def remember(self, text: TextStates | None, text_given: Tensor | None, batch: int) -> Memory:
        """Project the text once: keys and values per block.

        text: states [B, L, text_dim] or None (nothing is given); text_given: bool [B], False puts the
        learned null in that item's place; None = all given. Returns Memory over [B, H, L, D/H].
        """
        if self.config.silent_null:
            return self._remember_silent(text, text_given, batch)
        if text is None:
            tokens = self.null_text.expand(batch, 1, -1)
            mask = torch.ones(batch, 1, dtype=torch.bool, device=tokens.device)
            pooled = self.null_pooled.expand(batch, -1)
        else:
            tokens, mask, pooled = text.tokens, text.mask, text.pooled
            if text_given is not None:
                first = torch.arange(tokens.shape[1], device=tokens.device) == 0
                tokens = torch.where(text_given[:, None, None], tokens, self.null_text.to(tokens.dtype))
                mask = torch.where(text_given[:, None], mask, first)
                pooled = torch.where(text_given[:, None], pooled, self.null_pooled.to(pooled.dtype))
        states = self.text_proj(tokens)  # [B, L, text_dim] -> [B, L, D]
        keys, values = zip(*(cast(Block, block).remember(states) for block in self.blocks), strict=True)
        pooled = self.pooled_proj(pooled) if self.config.modulated else pooled
        return Memory(keys, values, mask[:, None, None, :], pooled)

    def _remember_silent(self, text: TextStates | None, text_given: Tensor | None, batch: int) -> Memory:
        """The same where nothing has keys and values of zeros, which cross-attention reads as any other.

        So the null gives exactly 0, and so does a part of padding to what is padded. Where nothing
        is crossed, the states [B, L, D] are read before the columns, nulls and padding as zeros too.
        """
        weight = self.out_norm.weight
        if text is None:
            states = weight.new_zeros(batch, 1, self.config.dim)
        else:
            read = text.mask if text_given is None else text.mask & text_given[:, None]
            states = self.text_proj(text.tokens) * read[..., None]  # [B, L, text_dim] -> [B, L, D]
        if not self.config.crossed:
            nothing = torch.zeros(batch, 1, 1, 0, dtype=torch.bool, device=states.device)
            return Memory((), (), nothing, states[:, 0], before=states)
        keys, values = zip(*(cast(Block, block).remember(states) for block in self.blocks), strict=True)
        mask = torch.ones(batch, 1, 1, states.shape[1], dtype=torch.bool, device=states.device)
        return Memory(keys, values, mask, states[:, 0])

    def forward(
        self,
        x: Tensor,
        memory: Memory,
        time: Tensor | None = None,
        offset: int | Tensor = 0,
        cache: Cache | None = None,
    ) -> Tensor:
        """[B, S, D] -> [B, S, D].

        time: [B, D] or None, added to the pooled text; offset: position of the first column, an int or
        int64 [B]; cache: columns before these, extended by them (then `offset` counts from its start).
        """
        dim = self.config.dim
        steps = torch.arange(x.shape[1], device=x.device) + (cache.filled if cache is not None else 0)
        positions = steps + (offset[:, None] if isinstance(offset, Tensor) else offset)  # [S] or [B, S]
        x = x + sinusoid(positions, dim).to(x.dtype)
        shift = None
        if self.config.modulated:
            seen = memory.pooled if time is None else memory.pooled + time
            shift = self.modulate(F.silu(seen))  # [B, D] -> [B, 6 D]
        pushed: list[Tensor] = []
        first_up = len(self.blocks) - len(self.skip_proj)
        for i, block in enumerate(self.blocks):
            if i >= first_up:
                x = self.skip_proj[i - first_up](torch.cat([x, pushed.pop()], dim=-1))
            keys, values = (memory.keys[i], memory.values[i]) if memory.keys else (None, None)
            x = block(x, keys, values, memory.mask, shift, cache, i)
            if i < len(self.skip_proj):
                pushed.append(x)
        if cache is not None:
            cache.filled += x.shape[1]
        out: Tensor = self.out_norm(x)
        return out
