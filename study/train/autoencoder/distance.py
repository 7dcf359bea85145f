"""How far audio is from audio: the loss of the codec, and what its curves show.

Mono at 32 kHz. Does not know networks or training.
"""

from __future__ import annotations

import itertools

import torch
from torch import Tensor, nn

from engines.audio.spectra import mel_filters


class Spectral(nn.Module):
    """Sum over three resolutions of log-mel, log-magnitude, banded convergence and band energy distances."""

    def __init__(self, rate: int, energy: float = 1.0) -> None:
        super().__init__()
        self.energy = energy
        self.sizes = ((2048, 96), (512, 40), (128, 20))
        for n, mels in self.sizes:
            self.register_buffer(f"window{n}", torch.hann_window(n))
            self.register_buffer(f"mel{n}", torch.from_numpy(mel_filters(rate, n, mels, 0.0, rate / 2)))

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        """Distance of y from x, both [B, N]."""
        total = y.new_zeros(())
        for n, _ in self.sizes:
            window, bank = getattr(self, f"window{n}"), getattr(self, f"mel{n}")
            floor = 0.03 * n / 2048
            both = torch.stft(torch.cat([y, x]), n, n // 4, window=window, return_complex=True, center=True)
            mag = both.abs().clamp_min(1e-7)  # [2B, F, T]
            a, b = mag.chunk(2)
            la, lb = (mag + floor).log().chunk(2)
            ma, mb = torch.log(bank @ mag + floor * 4).chunk(2)
            total = total + (ma - mb).abs().mean() + 0.25 * (la - lb).abs().mean()
            level = 0.15 / 8 * self.energy
            for pa, pb in zip(_bands(a), _bands(b), strict=True):
                total = total + 0.5 / 8 * (pa - pb).norm() / (pb.norm() + floor * 8)
                ea, eb = pa.square().mean(1), pb.square().mean(1)
                total = total + level * ((ea + floor**2).log() - (eb + floor**2).log()).abs().mean()
                # The crop's level in a band, squared: frame by frame the middle guess is too quiet.
                bias = (ea.mean(1) + floor**2).log() - (eb.mean(1) + floor**2).log()
                total = total + level * bias.square().mean()
        return total


def _bands(mag: Tensor) -> list[Tensor]:
    """Eight bands of equal width on a log axis: [B, F, T] -> 8 x [B, f, T]."""
    f = mag.shape[1]
    edges = [0] + [max(i + 1, round(f ** ((i + 1) / 8))) for i in range(7)] + [f]
    return [mag[:, a:b] for a, b in itertools.pairwise(edges)]


def si_sdr(y: Tensor, x: Tensor) -> Tensor:
    """Scale-invariant signal-to-noise ratio in dB of y against x, both [B, N] -> [B]."""
    x = x - x.mean(-1, keepdim=True)
    y = y - y.mean(-1, keepdim=True)
    target = (y * x).sum(-1, keepdim=True) / x.square().sum(-1, keepdim=True).clamp_min(1e-8) * x
    return 10 * torch.log10(target.square().sum(-1) / (y - target).square().sum(-1).clamp_min(1e-8))


def treble(audio: Tensor) -> float:
    """Mean energy above 4 kHz in dB of clips [B, 1, N] at 32 kHz."""
    power = torch.fft.rfft(audio[:, 0]).abs().square()
    return float((10 * torch.log10(power[:, power.shape[1] // 4 :].sum(-1) + 1e-6)).mean())
