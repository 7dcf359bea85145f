"""The AR network one column at a time: what stays the same over a run is computed once.

The numbers are those of `LM.forward` with a cache (a test compares). A step of a few candidates takes as
long as reading all weights, so on processors whose library has it they are read in half precision, as a
bundle stores them, and nothing is lost. Those of a network too large for any cache are read as a byte each
(`LM.in_bytes`), which is no longer the same: on the embedded bundle it costs .002 of 5.108 nats. Does not
know how columns are sampled.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import NamedTuple, cast
from weakref import WeakKeyDictionary

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.networks.lane_frames import Lanes
from engines.networks.lm import LM
from engines.networks.transformer import Block, Cache, Memory, sinusoid

Linear = Callable[[Tensor], Tensor]  # [B, in] -> [B, out]
_packed: WeakKeyDictionary[nn.Linear, tuple[tuple[int, bool], Linear]] = WeakKeyDictionary()


class _Read(NamedTuple):
    """One block, ready for a run."""

    block: Block
    self_in: Linear
    self_out: Linear
    cross_q: Linear | None  # None where there is nothing to read by cross-attention
    cross_out: Linear | None
    fc1: Linear
    fc2: Linear
    shift: tuple[Tensor, ...] | None  # shift, scale and gate of self-attention and feed-forward: 6 x [B, D]
    constant: Tensor | None  # [B, D] what the cross-attention gives where there is one state to read


class Steps:
    """A run of the AR network over B items, whose known columns lie in `cache`."""

    def __init__(self, lm: LM, memory: Memory, lanes: Lanes | None, cache: Cache) -> None:
        """memory of the B items; lanes [B, S] of every step, or None."""
        self._lm, self._memory, self._cache = lm, memory, cache
        self._heads = linear_of(lm.heads, lm.in_bytes)
        places = torch.arange(cache.keys[0].shape[2], device=memory.pooled.device)
        self._positions = sinusoid(places, lm.config.dim).to(lm.heads.weight.dtype)  # [S, D]
        self._lanes = None
        if lm.config.lanes and lanes is not None:  # the lanes' columns of the input's weights, for all steps
            projected = lm.lane_projection(lanes)  # [B, S, width]
            weight, bias = lm.input_proj.weight, lm.input_proj.bias
            self._lanes = F.linear(projected, weight[:, lm.config.dim :], bias)  # [B, S, D]
            self._codes = weight[:, : lm.config.dim].contiguous()
        shift = lm.transformer.modulate(F.silu(memory.pooled)) if lm.config.modulated else None  # [B, 6 D]
        self._blocks = [
            self._ready(cast(Block, block), i, shift) for i, block in enumerate(lm.transformer.blocks)
        ]

    def _ready(self, block: Block, layer: int, shift: Tensor | None) -> _Read:
        parts = None
        if shift is not None and block.modulation is not None:
            a, b, c, d, e, f = (shift + block.modulation).chunk(6, dim=-1)  # [B, 6 D] -> 6 x [B, D]
            parts = tuple(x.contiguous() for x in (a, 1 + b, 1 + c, d, 1 + e, 1 + f))
        crossed, constant = bool(self._memory.keys), None
        if crossed and self._memory.values[layer].shape[2] == 1:
            constant = block.cross_out(self._memory.values[layer].flatten(1))  # [B, H, 1, Dh] -> [B, D]
        return _Read(
            block,
            linear_of(block.self_in, self._lm.in_bytes),
            linear_of(block.self_out, self._lm.in_bytes),
            linear_of(block.cross_q, self._lm.in_bytes) if crossed else None,
            linear_of(block.cross_out, self._lm.in_bytes) if crossed else None,
            linear_of(block.fc1, self._lm.in_bytes),
            linear_of(block.fc2, self._lm.in_bytes),
            parts,
            constant,
        )

    def __call__(self, columns: Tensor) -> Tensor:
        """The column that follows the cached ones, int64 [B, K] -> logits of what follows it [B, K, V]."""
        lm, cache = self._lm, self._cache
        x: Tensor = lm.emb[0](columns[:, 0])  # [B, D]
        for k in range(1, columns.shape[1]):
            x = x + lm.emb[k](columns[:, k])
        if self._lanes is not None:
            x = F.linear(x, self._codes) + self._lanes[:, cache.filled]
        x = x + self._positions[cache.filled]
        for layer, ready in enumerate(self._blocks):
            x = self._through(x, ready, layer)
        cache.filled += 1
        logits: Tensor = self._heads(lm.transformer.out_norm(x))  # [B, D] -> [B, K V]
        return logits.view(len(x), columns.shape[1], -1)

    def _through(self, x: Tensor, ready: _Read, layer: int) -> Tensor:
        """[B, D] -> [B, D]."""
        block, shift = ready.block, ready.shift
        heads, batch = block.heads, len(x)
        seen = block.self_norm(x) if shift is None else torch.addcmul(shift[0], block.self_norm(x), shift[1])
        q, k, v = ready.self_in(seen).view(batch, 3, heads, 1, -1).unbind(1)  # 3 x [B, H, 1, Dh]
        keys, values = self._cache.extend(layer, k, v)
        heard = ready.self_out(F.scaled_dot_product_attention(q, keys, values).flatten(1))
        x = x + heard if shift is None else torch.addcmul(x, heard, shift[2])
        if ready.constant is not None:
            x = x + ready.constant
        elif ready.cross_q is not None and ready.cross_out is not None:
            q = ready.cross_q(block.cross_norm(x)).view(batch, heads, 1, -1)
            keys, values = self._memory.keys[layer], self._memory.values[layer]
            read = F.scaled_dot_product_attention(q, keys, values, attn_mask=self._memory.mask)
            x = x + ready.cross_out(read.flatten(1))
        seen = block.ff_norm(x) if shift is None else torch.addcmul(shift[3], block.ff_norm(x), shift[4])
        fed = ready.fc2(F.gelu(ready.fc1(seen)))
        return x + fed if shift is None else torch.addcmul(x, fed, shift[5])


def linear_of(layer: nn.Linear, in_bytes: bool = False) -> Linear:
    """A layer without bias as a function [B, in] -> [B, out], its weights packed where that is faster.

    On a processor: as bytes where it is asked for, in half precision where that loses nothing. Kept while the
    layer's weights stay the same.
    """
    weight = layer.weight
    version = (0 if weight.is_inference() else weight._version, in_bytes)
    known = _packed.get(layer)
    if known is not None and known[0] == version:
        return known[1]
    made: Linear | None = None
    if weight.device.type == "cpu" and getattr(layer, "bias", None) is None:
        if in_bytes:
            made = _in_bytes(weight)
        if made is None and torch.equal(weight.half().float(), weight):
            made = _in_halves(weight)
    _packed[layer] = version, made or layer
    return made or layer


def _in_halves(weight: Tensor) -> Linear | None:
    """Weights [out, in] packed in half precision; None where this machine's torch cannot."""
    try:
        packed = torch.ops.quantized.linear_prepack_fp16(weight.detach().float(), None)
    except RuntimeError:
        return None
    apply: Linear = lambda x: torch.ops.quantized.linear_dynamic_fp16(x, packed)  # noqa: E731
    return apply


def _in_bytes(weight: Tensor) -> Linear | None:
    """Weights [out, in] as bytes with a scale a row; None where this machine's torch cannot.

    What is read is put into bytes too, one scale a call, so that the sums are of whole numbers.
    """
    exact = weight.detach().float()
    scales = exact.abs().amax(dim=1).clamp(min=1e-12).double() / 127  # [out]
    try:
        with warnings.catch_warnings():  # quantized tensors are being moved out of torch
            warnings.simplefilter("ignore")
            held = torch.quantize_per_channel(exact, scales, torch.zeros_like(scales).long(), 0, torch.qint8)
            packed = torch.ops.quantized.linear_prepack(held, None)
    except (RuntimeError, AttributeError):
        return None
    apply: Linear = lambda x: torch.ops.quantized.linear_dynamic(x, packed, True)  # noqa: E731
    return apply
