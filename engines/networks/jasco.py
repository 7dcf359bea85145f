"""JASCO's network (Tal et al. 2024): the velocity of a noisy latent beside chords, drums and melody.

Blocks are the house's, in the shape of MusicGen's and without a causal mask. The time is added to what
cross-attention reads, so that even words that are not given are read: as zeros that say what time it is. Does
not know lanes, audio or guidance.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.networks.shapes import TransformerConfig
from engines.networks.transformer import Block, sinusoid

TIME = 128  # channels of a time before it is learned
CHORDS = 195  # rows, the last for none
MELODY = 53  # pitches


@dataclass(frozen=True)
class JascoConfig:
    """Shape of the network."""

    channels: int = 128  # D, width of a latent
    chords: int = 16  # channels of the streams beside it
    drums: int = 2
    melody: int = 16
    dim: int = 1024
    layers: int = 24
    heads: int = 16
    ff: int = 4096
    text_dim: int = 768
    skips: int = 12  # skip connections, 0 for none
    time: int = 512  # width of a learned time

    @property
    def backbone(self) -> TransformerConfig:
        """Of its blocks."""
        return TransformerConfig(
            self.dim, self.layers, self.heads, self.ff, self.text_dim, causal=False, modulated=False
        )


class JascoNet(nn.Module):
    """Latents [B, D, T], time, streams and words -> velocity [B, D, T]."""

    def __init__(self, config: JascoConfig) -> None:
        super().__init__()
        self.config = config
        dim = config.dim
        width = config.channels + config.chords + config.drums + config.melody
        self.emb = nn.Linear(width, dim, bias=False)
        self.blocks = nn.ModuleList(Block(config.backbone) for _ in range(config.layers))
        self.skip_proj = nn.ModuleList(nn.Linear(2 * dim, dim) for _ in range(config.skips))
        self.out_norm = nn.LayerNorm(dim, eps=1e-5)
        self.linear = nn.Linear(dim, config.channels, bias=False)
        self.time = nn.ModuleList([nn.Linear(TIME, config.time), nn.Linear(config.time, config.time)])
        self.time_proj = nn.Linear(config.time, dim)
        self.text_proj = nn.Linear(config.text_dim, dim)
        self.chords = nn.Embedding(CHORDS, config.chords)
        self.drums = nn.Linear(config.channels, config.drums)
        self.melody = nn.Linear(MELODY, config.melody)

    def read(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Text states [B, L, text_dim], bool [B, L] -> what cross-attention reads [B, L, dim], else zeros."""
        states: Tensor = self.text_proj(tokens) * mask[..., None]
        return states

    def streams(self, chords: Tensor, drums: Tensor, melody: Tensor) -> Tensor:
        """Indices int64 [B, T], latents [B, D, T] and pitches [B, T, 53] -> streams [B, T, C]."""
        parts = [self.chords(chords), self.drums(drums.transpose(1, 2)), self.melody(melody)]
        return torch.cat(parts, dim=-1)

    def forward(self, z: Tensor, t: float, streams: Tensor, words: Tensor) -> Tensor:
        """Latents [B, D, T] at flow time t, streams [B, T, C], words [B, L, dim] -> velocity [B, D, T]."""
        x: Tensor = self.emb(torch.cat([z.transpose(1, 2), streams], dim=-1))  # [B, T, dim]
        x = x + sinusoid(torch.arange(x.shape[1], device=x.device), self.config.dim).to(x.dtype)
        told = words + self._time(t, words)
        mask = torch.ones(1, 1, 1, told.shape[1], dtype=torch.bool, device=x.device)
        pushed: list[Tensor] = []
        skips = len(self.skip_proj)
        for i, layer in enumerate(self.blocks):
            block = cast(Block, layer)
            if skips and i >= len(self.blocks) - skips:
                x = self.skip_proj[i % skips](torch.cat([x, pushed.pop()], dim=-1))
            keys, values = block.remember(told)
            x = block(x, keys, values, mask, None, None, i)
            if i < skips:
                pushed.append(x)
        v: Tensor = self.linear(self.out_norm(x)).transpose(1, 2)
        return v

    def _time(self, t: float, like: Tensor) -> Tensor:
        """A flow time as all tokens have it: [dim]."""
        half = TIME // 2
        steps = torch.arange(half, device=like.device, dtype=torch.float32)
        angles = t * torch.exp(steps * (-math.log(10_000) / (half - 1)))
        wave = torch.cat([angles.sin(), angles.cos()]).to(like.dtype)
        out: Tensor = self.time_proj(self.time[1](F.silu(self.time[0](wave))))
        return out
