"""The codec's weights: at the beginning, taken over from a bundle, with and without weight norm.

Weights are trained plain and written with weight norm, as EnCodec has them. Does not know losses.
"""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import parametrize

from engines.networks.codec import Codec, load_codec
from engines.networks.seanet import Residual
from study.train.autoencoder.quantizer import Quantizer


def fold_weight_norm(codec: Codec) -> None:
    """Train plain weights: weight norm is a reparametrisation, put back when saving."""
    for module in codec.modules():
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight")


def unfold_weight_norm(state: dict[str, Tensor], codec: Codec) -> None:
    """Load a plain state dict into a codec with weight norm: g = |w| per output filter, v = w."""
    target = codec.model.state_dict()
    for key in list(target):
        if key.endswith("parametrizations.weight.original0"):
            w = state[key.replace("parametrizations.weight.original0", "weight")]
            target[key] = w.flatten(1).norm(dim=1).view(-1, 1, 1)
            target[key.replace("original0", "original1")] = w
        elif key in state:
            target[key] = state[key]
    codec.model.load_state_dict(target)


@torch.no_grad()
def initialise(codec: Codec, sample: Tensor, whiten: float) -> None:
    """Variance-preserving convolutions; first filters scaled toward equal power on `sample` [B, 1, N]."""
    for name, p in codec.model.named_parameters():
        if p.ndim == 3:
            transposed = "decoder" in name and any(
                isinstance(m, nn.ConvTranspose1d) and m.weight is p for m in codec.model.modules()
            )
            fan = p.shape[0] * p.shape[2] / 2 if transposed else p.shape[1] * p.shape[2]
            nn.init.normal_(p, std=1 / math.sqrt(fan))
        elif p.ndim == 1:
            nn.init.zeros_(p)
    for module in codec.model.modules():
        if isinstance(module, Residual):
            last: Any = module.block[-1]
            last.conv.weight.mul_(0.3)
    if whiten:
        first = codec.model.encoder.layers[0]
        w = first.conv.weight  # [C, 1, k]
        k = w.shape[-1]
        x = sample.flatten()
        lag = torch.stack([(x[: len(x) - k] * x[i : len(x) - k + i]).mean() for i in range(k)])
        index = (torch.arange(k)[:, None] - torch.arange(k)[None]).abs()
        values, vectors = torch.linalg.eigh(lag[index] + 1e-6 * lag[0] * torch.eye(k))
        spread = (values / values[-1]).clamp_min(1e-5) ** (-0.5 * whiten)
        basis = torch.randn(w.shape[0], k) @ (vectors * spread).T
        out_power = torch.einsum("ck,kl,cl->c", basis, lag[index], basis).clamp_min(1e-12).sqrt()
        w.copy_((basis / out_power[:, None] * 0.5)[:, None])


def take_over(codec: Codec, quantizer: Quantizer, bundle: Path, out: Path, settled: bool) -> None:
    """Weights and codebooks of a bundle's codec; `codec` may have more codebooks, they stay unfitted.

    settled: the encoder will not be trained, so that statistics and codebooks stay the bundle's
    and networks that were trained on them go on as they are.
    """
    start = load_codec(bundle, json.loads((bundle / "bundle.json").read_text())["codec"])
    fold_weight_norm(start)
    own = dict(codec.model.named_parameters())
    with torch.no_grad():
        for name, p in start.model.named_parameters():
            own[name].copy_(p)
        for mine, theirs in zip(quantizer.layers, start.model.quantizer.layers, strict=False):
            mine.embed.copy_(theirs.codebook.embed)
    quantizer.fitted = min(len(quantizer.layers), start.codebooks)
    if settled and quantizer.started:
        torch.save((start.mean, start.std), out / "latents.pt")
        torch.save([layer.embed.clone() for layer in quantizer.layers], out / "codebooks.pt")
