"""The residual codebooks in training: k-means with a moving average, outside the graph.

Latents are [B, D, T] or rows [n, D]. Does not know audio.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from engines.networks.codec import Codec


class Quantizer:
    """EMA training of the residual codebooks, outside the graph."""

    def __init__(self, codec: Codec, seed: int) -> None:
        self.layers: list[Any] = [q.codebook for q in codec.model.quantizer.layers]
        self.ring = torch.empty(0, codec.dim)
        self.g = torch.Generator().manual_seed(seed)
        self.fitted = 0  # codebooks that hold something already

    @property
    def started(self) -> bool:
        """Whether every codebook holds something."""
        return self.fitted == len(self.layers)

    @torch.no_grad()
    def settle(self, embeds: Sequence[Tensor]) -> None:
        """Take codebooks [entries, D] over as they are."""
        for book, embed in zip(self.layers, embeds, strict=True):
            book.embed.copy_(embed)
        self.fitted = len(self.layers)

    def observe(self, z: Tensor) -> None:
        """Keep the newest 16k latents; z [B, D, T]."""
        new = z.detach().float().transpose(1, 2).reshape(-1, z.shape[1])  # [B, D, T] -> [B T, D]
        self.ring = torch.cat([self.ring, new])[-16384:]

    @torch.no_grad()
    def fit(self, decay: float, latents: Tensor | None = None, iterations: int = 1) -> float:
        """k-means steps with EMA over latents [n, D] (default: the ring); the residual's share of power."""
        rest = (self.ring if latents is None else latents).clone()
        power = rest.var(0).sum()
        for i, book in enumerate(self.layers):
            new = i >= self.fitted
            if new:
                book.embed.copy_(rest[torch.randint(len(rest), (book.codebook_size,), generator=self.g)])
            for step in range(max(4, iterations) if new else 1):
                index = book.quantize(rest)
                count = torch.bincount(index, minlength=book.codebook_size).float()
                total = torch.zeros_like(book.embed).index_add_(0, index, rest)
                keep = 0.0 if new else decay
                alive = count > 0
                mean = total / count.clamp_min(1)[:, None]
                book.embed[alive] = book.embed[alive] * keep + mean[alive] * (1 - keep)
                dead = (~alive).nonzero().flatten()
                if len(dead) and step + 1 < max(2, iterations):
                    book.embed[dead] = rest[torch.randint(len(rest), (len(dead),), generator=self.g)]
            rest = rest - book.embed[book.quantize(rest)]
        self.fitted = len(self.layers)
        return float(rest.var(0).sum() / power)

    @torch.no_grad()
    def refine(self, latents: Tensor, iterations: int = 6, prior: float = 4.0) -> float:
        """k-means from the codebooks as they are, over latents [n, D]; returns the residual's share of power.

        Each entry counts as `prior` latents of its old value: rare entries stay near it, which
        generalises (held-out residual 0.26, against 0.35 when fitted anew and 0.30 unrefined).
        """
        rest, power = latents.clone(), latents.var(0).sum()
        for book in self.layers:
            for _ in range(iterations):
                index = torch.cat([book.quantize(part) for part in torch.split(rest, 20_000)])
                count = torch.bincount(index, minlength=book.codebook_size).float()
                total = torch.zeros_like(book.embed).index_add_(0, index, rest)
                book.embed.copy_((total + prior * book.embed) / (count + prior)[:, None])
            rest = rest - torch.cat([book.embed[book.quantize(part)] for part in torch.split(rest, 20_000)])
        return float(rest.var(0).sum() / power)

    def __call__(self, z: Tensor, depth: int) -> Tensor:
        """Latents [B, D, T] through the first `depth` codebooks -> [B, D, T]."""
        flat = z.detach().transpose(1, 2).reshape(-1, z.shape[1]).float()
        out = torch.zeros_like(flat)
        for book in self.layers[:depth]:
            out = out + book.embed[book.quantize(flat - out)]
        return out.view(z.shape[0], z.shape[2], z.shape[1]).transpose(1, 2)
