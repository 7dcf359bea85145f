"""EnCodec's network: a convolutional encoder and decoder, residual codebooks (Defossez et al. 2022).

Any strides, width and depth, causal or not, with or without the recurrence; the parameters have the names of
transformers' `EncodecModel`, so that either reads the other's files. transformers itself brings what it has
for hundreds of other models into the process: 90 MB and four seconds of a core. Tests compare both. Audio is
mono. Does not know mean, deviation or files.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.nn.utils.parametrizations import weight_norm

from engines.networks.shapes import CodecConfig


def reflected(x: Tensor, left: int, right: int) -> Tensor:
    """Mirror images at both ends; what is shorter than they are gets zeros first: [..., n] -> [..., m]."""
    short = max(0, max(left, right) - x.shape[-1] + 1)
    padded = F.pad(F.pad(x, (0, short)) if short else x, (left, right), "reflect")
    return padded[..., : padded.shape[-1] - short]


class Convolution(nn.Module):
    """A convolution that gives ceil(n / stride) frames of n."""

    def __init__(
        self, config: CodecConfig, width: int, out: int, size: int, stride: int = 1, dilation: int = 1
    ) -> None:
        super().__init__()
        self.causal = config.use_causal_conv
        self.stride = stride
        self.around = (size - 1) * dilation + 1 - stride  # samples beside a stride that a frame hears
        self.conv = weight_norm(nn.Conv1d(width, out, size, stride, dilation=dilation))

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, n] -> [B, C', ceil(n / stride)]."""
        right = 0 if self.causal else self.around // 2
        rest = -x.shape[-1] % self.stride
        y: Tensor = self.conv(reflected(x, self.around - right, right + rest))
        return y


class Transposed(nn.Module):
    """A transposed convolution that gives n * stride samples of n frames."""

    def __init__(self, config: CodecConfig, width: int, out: int, stride: int) -> None:
        super().__init__()
        self.right = stride if config.use_causal_conv else stride // 2
        self.left = stride - self.right
        self.conv = weight_norm(nn.ConvTranspose1d(width, out, 2 * stride, stride))

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, n] -> [B, C', n * stride]."""
        y: Tensor = self.conv(x)
        return y[..., self.left : y.shape[-1] - self.right]


class Residual(nn.Module):
    """Two convolutions beside the way past them."""

    def __init__(self, config: CodecConfig, width: int, dilation: int) -> None:
        super().__init__()
        inner = width // config.compress
        wide = Convolution(config, width, inner, config.residual_kernel_size, dilation=dilation)
        self.block = nn.ModuleList([nn.ELU(), wide, nn.ELU(), Convolution(config, inner, width, 1)])
        self.shortcut = Convolution(config, width, width, 1) if config.use_conv_shortcut else nn.Identity()

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, n] -> [B, C, n]."""
        y: Tensor = self.shortcut(x) + _through(self.block, x)
        return y


class Recurrence(nn.Module):
    """An LSTM beside the way past it; where it is left out, its zeros would change nothing."""

    def __init__(self, config: CodecConfig, width: int) -> None:
        super().__init__()
        self.lstm = nn.LSTM(width, width, config.num_lstm_layers)

    def forward(self, x: Tensor) -> Tensor:
        """[B, C, n] -> [B, C, n]."""
        steps = x.permute(2, 0, 1)
        y: Tensor = self.lstm(steps)[0] + steps
        return y.permute(1, 2, 0)


class Half(nn.Module):
    """Encoder or decoder: layers one after the other."""

    def __init__(self, layers: Sequence[nn.Module]) -> None:
        super().__init__()
        self.layers = nn.ModuleList(layers)

    def forward(self, x: Tensor) -> Tensor:
        """Audio [B, 1, N] -> [B, D, T], or back."""
        return _through(self.layers, x)


class Codebook(nn.Module):
    """Vectors, of which the nearest is taken."""

    embed: Tensor  # [entries, D]

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.codebook_size = config.codebook_size
        self.register_buffer("embed", torch.zeros(config.codebook_size, config.hidden_size))

    def quantize(self, rows: Tensor) -> Tensor:
        """The entry next to each row: [n, D] -> int64 [n]."""
        table = self.embed.t()
        away = rows.pow(2).sum(1, keepdim=True) - 2 * rows @ table + table.pow(2).sum(0, keepdim=True)
        return (-away).max(dim=-1).indices


class _Book(nn.Module):  # one more name in front of the parameters, as transformers has it
    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.codebook = Codebook(config)


class ResidualQuantizer(nn.Module):
    """Codebooks, each for what those before it left."""

    def __init__(self, config: CodecConfig) -> None:
        super().__init__()
        self.layers = nn.ModuleList(_Book(config) for _ in range(config.codebooks))

    def encode(self, z: Tensor) -> Tensor:
        """[B, D, T] -> int64 [K, B, T]."""
        batch, dim, frames = z.shape
        rest, codes = z.transpose(1, 2).reshape(-1, dim), []
        for book in self._books():
            index = book.quantize(rest)
            rest = rest - book.embed[index]
            codes.append(index.view(batch, frames))
        return torch.stack(codes)

    def decode(self, codes: Tensor) -> Tensor:
        """Int64 [K, B, T] -> [B, D, T]."""
        vectors = [F.embedding(index, book.embed) for index, book in zip(codes, self._books(), strict=False)]
        total = torch.zeros_like(vectors[0])
        for part in vectors:
            total = total + part
        return total.transpose(1, 2)

    def _books(self) -> list[Codebook]:
        return [layer.get_submodule("codebook") for layer in self.layers]  # type: ignore[misc]  # no other kind


class Seanet(nn.Module):
    """Encoder, decoder and codebooks of a shape, with random weights."""

    def __init__(self, config: CodecConfig, recurrent: bool = True) -> None:
        super().__init__()
        self.config = config
        self.encoder = Half(_encoder(config, recurrent))
        self.decoder = Half(_decoder(config, recurrent))
        self.quantizer = ResidualQuantizer(config)


def _encoder(config: CodecConfig, recurrent: bool) -> list[nn.Module]:
    width = config.num_filters
    layers: list[nn.Module] = [Convolution(config, config.audio_channels, width, config.kernel_size)]
    for ratio in reversed(config.upsampling_ratios):
        layers += _residuals(config, width)
        layers += [nn.ELU(), Convolution(config, width, 2 * width, 2 * ratio, ratio)]
        width *= 2
    layers += [Recurrence(config, width) if recurrent else nn.Identity(), nn.ELU()]
    return [*layers, Convolution(config, width, config.hidden_size, config.last_kernel_size)]


def _decoder(config: CodecConfig, recurrent: bool) -> list[nn.Module]:
    width = config.num_filters * 2 ** len(config.upsampling_ratios)
    layers: list[nn.Module] = [Convolution(config, config.hidden_size, width, config.kernel_size)]
    layers.append(Recurrence(config, width) if recurrent else nn.Identity())
    for ratio in config.upsampling_ratios:
        layers += [nn.ELU(), Transposed(config, width, width // 2, ratio)]
        width //= 2
        layers += _residuals(config, width)
    return [*layers, nn.ELU(), Convolution(config, width, config.audio_channels, config.last_kernel_size)]


def _residuals(config: CodecConfig, width: int) -> list[nn.Module]:
    steps = [config.dilation_growth_rate**i for i in range(config.num_residual_layers)]
    return [Residual(config, width, step) for step in steps]


def _through(layers: nn.ModuleList, x: Tensor) -> Tensor:
    for layer in layers:
        x = layer(x)
    return x
