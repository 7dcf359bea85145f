"""SAME as small checkpoints of Stable Audio 3 have it: attention within blocks of frames, not a window.

The first half of a level's layers attend within blocks of `size` frames and what they are coded to, the other
half within blocks that lie half of one further on, first and last half twice. diffusers knows the window
alone; its layers are taken as they are. The noise of a hundredth that its makers add to a decoder's tokens is
left out, so that the same latents are the same sound.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from engines.errors import InputError
from engines.families.pretrained import library
from engines.families.weights import fill

OWN = ("inlay_chunk_size", "inlay_chunk_moved", "inlay_kernels")


def load(folder: Path, device: torch.device) -> Any:
    """The codec, audio [B, C, N] <-> latents [B, D, T], of a converted checkpoint, frozen, float32."""
    from safetensors.torch import load_file

    config: dict[str, Any] = json.loads((folder / "config.json").read_text("utf-8"))
    size, moved, kernels = (config[key] for key in OWN)
    strides = config["encoder_strides"]
    if len(strides) != 1 or size % strides[0] or (moved and (size + size // strides[0]) % 2):
        raise InputError(
            f"{folder.parent.name[:64]!r}: blocks of {size} frames with strides {strides}, expected one "
            "stride that divides them into halves; update Inlay"
        )
    shape = {key: value for key, value in config.items() if key not in OWN and key[0] != "_"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torch, about how diffusers normalises weights
        network = library("diffusers").AutoencoderSAME(**shape)
        for side, kernel in zip((network.encoder, network.decoder), kernels, strict=True):
            block = side.blocks[0]
            if kernel > 1:
                widths = block.in_channels, block.out_channels
                block.mapping = nn.utils.weight_norm(nn.Conv1d(*widths, kernel, padding="same"))
            block.forward = partial(coded, block, size, moved)
    file = next(iter(sorted(folder.glob("*.safetensors"))))
    fill(network, {name: weight.float() for name, weight in load_file(file).items()}, folder.parent.name)
    return network.to(device)


def reach(size: int, stride: int) -> int:
    """Latent frames to each side that have a say in a frame at most, in whole blocks of so many frames."""
    return 3 * (size // stride)


def coded(block: Any, size: int, moved: bool, x: Tensor) -> Tensor:
    """One level: [B, C, T] -> [B, C', T / stride] of an encoder, [B, C', T * stride] of a decoder."""
    stride, encodes, frames = block.stride, block.mode == "encoder", x.shape[-1]
    taken, made = (stride, 1) if encodes else (1, stride)
    x = nn.functional.pad(x, (0, -frames % (size if encodes else size // stride)))
    x = (block.mapping(x) if encodes else x).transpose(1, 2)  # [B, T, C]
    batch, _, width = x.shape
    x = x.reshape(batch, -1, taken, width)
    new = block.new_tokens.expand(batch, x.shape[1], made, width)
    tokens = torch.cat([x, new], dim=2).reshape(batch, -1, width)  # [B, n (stride + 1), C]
    tokens = _attended(tokens, block.transformers, size + size // stride, moved)
    x = tokens.reshape(batch, -1, taken + made, width)[:, :, taken:].reshape(batch, -1, width).transpose(1, 2)
    if encodes:
        return x[..., : -(-frames // stride)]
    mapped: Tensor = block.mapping(x)
    return mapped[..., : frames * stride]


def _attended(tokens: Tensor, layers: Sequence[Any], length: int, moved: bool) -> Tensor:
    """Tokens [B, N, C] through the layers, in blocks of a length."""

    def through(x: Tensor, some: Sequence[Any]) -> Tensor:
        batch, _, width = x.shape
        x = x.reshape(-1, length, width)
        for layer in some:
            x = layer(x)
        return x.reshape(batch, -1, width)

    if not moved:
        return through(tokens, layers)
    half, shift = len(layers) // 2, length // 2
    tokens = through(tokens, layers[:half])
    around = torch.cat([tokens[:, :shift], tokens, tokens[:, -shift:]], dim=1)
    return through(around, layers[half:])[:, shift:-shift]
