"""One step of codec training by its parts: quantized latents, decoding, distances, the adversary's say.

Audio is mono at 32 kHz, [B, 1, N]. Does not know in which order (`course.py`), folders or schedules.
"""

from __future__ import annotations

from typing import Any, Protocol

import torch
from torch import Tensor, nn

from engines.networks.codec import Codec
from study.train.autoencoder.discriminator import Discriminator, deception_loss, feature_loss, verdict_loss
from study.train.run import fast_precision

LEARNS_FIRST = 100  # steps in which the adversary learns something to tell


class Books(Protocol):
    """What is asked of the quantizer here."""

    layers: list[Any]

    def __call__(self, z: Tensor, depth: int) -> Tensor:
        """Latents [B, D, T] through the first `depth` codebooks -> [B, D, T]."""
        ...


class Adversary:
    """The discriminator with its optimizer: told apart, and what the codec should change at the audio."""

    def __init__(self, device: str, seed: int, weight: float) -> None:
        torch.manual_seed(seed)
        self.net = Discriminator().to(device)
        self.optimizer = torch.optim.AdamW(self.net.parameters(), lr=5e-4, betas=(0.5, 0.9))
        self.device, self.weight = device, weight
        self.steps, self._verdict = 0, torch.tensor(2.0)

    def learn(self, real: Tensor, fake: Tensor) -> None:
        """Gradients from audio [B, N] of both kinds; `step` applies them."""
        with fast_precision(self.device):
            judged = self.net(torch.cat([real, fake]))
        halves = [[f.chunk(2)[i] for f in layers] for layers in judged for i in (0, 1)]
        lost = verdict_loss(halves[0::2], halves[1::2])
        lost.backward()  # type: ignore[no-untyped-call]
        self._verdict = lost.detach() if not self.steps else self._verdict.lerp(lost.detach(), 0.02)

    @property
    def verdict(self) -> float:
        """The hinge loss, averaged over some fifty steps: 2 says that it tells nothing."""
        return float(self._verdict)

    def step(self) -> None:
        """Apply what was learnt."""
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        self.steps += 1

    def wish(self, real: Tensor, heard: Tensor, gradient: Tensor) -> Tensor:
        """The distances' gradient [B, N] and the adversary's, by size, as EnCodec's balancer does."""
        if self.steps <= LEARNS_FIRST:
            return gradient
        self.net.requires_grad_(False)
        with fast_precision(self.device):
            fake = self.net(heard)
            with torch.no_grad():
                genuine = self.net(real)
        against = deception_loss(fake) + 2 * feature_loss(genuine, fake)
        (more,) = torch.autograd.grad(against, heard)
        self.net.requires_grad_(True)
        scale: Tensor = gradient.norm() / (more.norm() + 1e-9)
        return gradient + self.weight * more * scale


def half_quantized(z: Tensor, quantizer: Books, depth: int, frozen: bool) -> tuple[Tensor, Tensor]:
    """The first half of the items through the codebooks, straight-through: [B, D, T], and its loss []."""
    half = len(z) // 2
    q = quantizer(z[:half], depth)
    cost = z.new_zeros(()) if frozen else 0.1 * (z[:half] - q).square().mean() / z.detach().var()
    passed = z[:half] + (q - z[:half]).detach()
    return torch.cat([passed, z[half:]]), cost


def decoded(codec: Codec, z: Tensor, samples: int, device: str) -> Tensor:
    """Latents [B, D, T] -> audio float32 [B, N]."""
    with fast_precision(device):
        y = codec.model.decoder(z)
    out: Tensor = y[:, 0, :samples].float()
    return out


def distance_at(heard: Tensor, x: Tensor, spectral: nn.Module) -> tuple[Tensor, Tensor]:
    """Distance [] of audio from the right one, both [B, N], and its gradient there [B, N]."""
    relative = ((heard - x).square().mean(-1) / (x.square().mean(-1) + 1e-4)).add(1e-5).sqrt().mean()
    distance = 0.5 * spectral(heard, x) + 3 * relative
    (gradient,) = torch.autograd.grad(distance, heard)
    return distance.detach(), gradient


def push(loss: Tensor, y: Tensor, gradient: Tensor) -> None:
    """Backward from the latents' loss [], if it has a gradient, and from the gradient at the audio [B, N]."""
    if loss.requires_grad:
        torch.autograd.backward([loss, y], [torch.ones_like(loss), gradient])
    else:
        y.backward(gradient)  # type: ignore[no-untyped-call]
