"""The codec's adversary in training: small convolutions over complex spectrograms.

EnCodec's multi-scale STFT discriminator (Defossez et al., 2022, sec. 3.4) with two resolutions and
few channels, so that a step costs about as much as the codec's own. Not part of a bundle.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional as F
from torch.nn.utils.parametrizations import weight_norm

SIZES = (1024, 256)  # samples of the two transforms; hops are a quarter
Features = list[list[Tensor]]  # per resolution, per layer [B, C, F, T]; the last one is the verdict


class Discriminator(nn.Module):
    """Audio [B, N] -> features of every layer at every resolution."""

    def __init__(self, channels: int = 8) -> None:
        super().__init__()
        for n in SIZES:
            self.register_buffer(f"window{n}", torch.hann_window(n))
        self.nets = nn.ModuleList(
            nn.ModuleList(
                [
                    weight_norm(nn.Conv2d(2, channels, (5, 3), (2, 1), (2, 1))),
                    weight_norm(nn.Conv2d(channels, 2 * channels, (5, 3), (2, 1), (2, 1))),
                    weight_norm(nn.Conv2d(2 * channels, 2 * channels, (5, 3), (2, 2), (2, 1))),
                    weight_norm(nn.Conv2d(2 * channels, 2 * channels, (3, 3), (2, 1), (1, 1))),
                    weight_norm(nn.Conv2d(2 * channels, 1, (3, 3), padding=(1, 1))),
                ]
            )
            for _ in SIZES
        )

    def forward(self, audio: Tensor) -> Features:
        """Features of audio [B, N]."""
        out: Features = []
        for n, net in zip(SIZES, self.nets, strict=True):
            window = getattr(self, f"window{n}")
            spectrum = torch.stft(audio, n, n // 4, window=window, normalized=True, return_complex=True)
            x = torch.stack([spectrum.real, spectrum.imag], 1) * 4  # [B, N] -> [B, 2, F, T]
            layers: list[Tensor] = []
            assert isinstance(net, nn.ModuleList)
            for i, conv in enumerate(net):
                x = conv(x)
                if i + 1 < len(net):
                    x = F.leaky_relu(x, 0.2)
                layers.append(x)
            out.append(layers)
        return out


def verdict_loss(real: Features, fake: Features) -> Tensor:
    """Hinge loss of the discriminator: real above 1, fake below -1."""
    parts = [
        F.relu(1 - r[-1].float()).mean() + F.relu(1 + f[-1].float()).mean()
        for r, f in zip(real, fake, strict=True)
    ]
    return torch.stack(parts).mean()


def deception_loss(fake: Features) -> Tensor:
    """Hinge loss of the codec: fake audio should be judged real."""
    return torch.stack([F.relu(1 - f[-1].float()).mean() for f in fake]).mean()


def feature_loss(real: Features, fake: Features) -> Tensor:
    """Mean relative distance of the features, all layers but the verdict."""
    parts = [
        (a.detach().float() - b.float()).abs().mean() / a.detach().float().abs().mean().clamp_min(1e-4)
        for r, f in zip(real, fake, strict=True)
        for a, b in zip(r[:-1], f[:-1], strict=True)
    ]
    return torch.stack(parts).mean()
