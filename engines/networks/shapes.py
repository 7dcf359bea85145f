"""Shapes of the networks, as a bundle states them: backbone, AR, FM, the codec, and the lanes that are taken.

Loads no torch, so that what is only asked about a bundle answers at once. Does not know the networks.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any


@dataclass(frozen=True, kw_only=True)
class TakenLanes:
    """Which lanes beyond the paper's a network takes; part of its shape."""

    band: bool = False  # instruments and beats

    @property
    def untaken(self) -> tuple[str, ...]:
        """Fields of `Controls` that the network is not given."""
        return () if self.band else ("instruments", "grid")


@dataclass(frozen=True)
class TransformerConfig:
    """Shape of a backbone."""

    dim: int = 256  # width
    layers: int = 6
    heads: int = 8
    ff: int = 768  # width of the feed-forward
    text_dim: int = 384  # width of the text states
    dropout: float = 0.0
    causal: bool = True
    skips: bool = False  # U-Net-like skips (FM)
    modulated: bool = True  # adaLN-single from the pooled text (and the time)
    silent_null: bool = False  # text that is not given is zeros, and padding is read as zeros (MusicGen)
    crossed: bool = True  # reads the text by cross-attention; False: before its columns (MusicGen-melody)


@dataclass(frozen=True)
class LMConfig(TakenLanes):
    """Shape of the AR network."""

    codebooks: int = 8  # K
    codebook_size: int = 1024  # V
    dim: int = 256
    layers: int = 6
    heads: int = 8
    ff: int = 768
    text_dim: int = 384
    dropout: float = 0.0
    lanes: bool = True  # False: no lanes, as MusicGen
    modulated: bool = True  # False: MusicGen's block
    window: int = 250  # frames that the network is trained on
    fills: bool = True  # trained to fill a middle (App. J); False: left to right alone, without markers
    channels: int = 1  # whose codebooks take turns; those of one depth have one delay
    silent_null: bool = False  # as in `TransformerConfig`
    # frames of a chromagram of the melody that it reads, and after them the text, before the codes; 0: none
    chroma: int = 0
    chroma_step: float = 6.4  # frames of the codes from one of the chromagram to the next

    @property
    def lag(self) -> int:
        """Columns by which the last codebook is delayed."""
        return (self.codebooks - 1) // self.channels

    @property
    def rows(self) -> int:
        """Ids that can be read: codes, pad, and where it fills <a>, <b>, <c>."""
        return self.codebook_size + (4 if self.fills else 1)

    @property
    def pad(self) -> int:
        """Id of the start column and of the cells outside the delay pattern."""
        return self.codebook_size

    @property
    def eos(self) -> int:
        """Id that App. J reserves; never read or written here."""
        return self.codebook_size + 4

    @property
    def backbone(self) -> TransformerConfig:
        """The causal backbone."""
        return TransformerConfig(
            self.dim, self.layers, self.heads, self.ff, self.text_dim, self.dropout,
            causal=True, skips=False, modulated=self.modulated, silent_null=self.silent_null,
            crossed=not self.chroma,
        )  # fmt: skip


@dataclass(frozen=True)
class FlowConfig(TakenLanes):
    """Shape of the FM network."""

    channels: int = 128  # D, width of a latent
    dim: int = 256
    layers: int = 6
    heads: int = 8
    ff: int = 768
    text_dim: int = 384
    dropout: float = 0.0
    skips: bool = True
    window: int = 250  # frames that the network is trained on
    guided: bool = False  # takes the weights of guidance as an input, so that one evaluation is guided

    @property
    def backbone(self) -> TransformerConfig:
        """The backbone without a causal mask."""
        return TransformerConfig(
            self.dim, self.layers, self.heads, self.ff, self.text_dim, self.dropout,
            causal=False, skips=self.skips, modulated=True,
        )  # fmt: skip


@dataclass(frozen=True)
class CodecConfig:
    """Shape of the codec, in EnCodec's words; what a bundle leaves out has EnCodec's values."""

    sampling_rate: int = 24_000  # Hz
    upsampling_ratios: tuple[int, ...] = (8, 5, 4, 2)  # strides of the decoder
    target_bandwidths: tuple[float, ...] = (1.5, 3.0, 6.0, 12.0, 24.0)  # kbit/s; the last is of all codebooks
    codebook_size: int = 1024
    hidden_size: int = 128  # D, channels of a latent
    num_filters: int = 32  # channels beside the audio
    num_residual_layers: int = 1
    kernel_size: int = 7
    last_kernel_size: int = 7
    residual_kernel_size: int = 3
    dilation_growth_rate: int = 2
    compress: int = 2  # of a residual block's inner channels
    num_lstm_layers: int = 2
    use_causal_conv: bool = True
    use_conv_shortcut: bool = True
    audio_channels: int = 1

    @property
    def hop_length(self) -> int:
        """Samples per latent frame."""
        return math.prod(self.upsampling_ratios)

    @property
    def codebooks(self) -> int:
        """K, as many as the bandwidth has room for."""
        bits = math.ceil(math.log2(self.codebook_size))
        frames = math.ceil(self.sampling_rate / self.hop_length)
        return int(1000 * self.target_bandwidths[-1] // (frames * bits))

    @staticmethod
    def from_json(told: Mapping[str, Any]) -> CodecConfig:
        """Of a bundle's `config`, or transformers'; ValueError for what this network does not do."""
        wanted = {**_PLAIN, "codebook_dim": told.get("hidden_size", CodecConfig.hidden_size)}
        for name, value in wanted.items():
            if told.get(name) not in (None, value):
                raise ValueError(f"{name} {told[name]!r}: expected {value!r}")
        known = {field.name for field in fields(CodecConfig)}
        kept: dict[str, Any] = {name: told[name] for name in known if name in told}
        kept = {name: tuple(v) if isinstance(v, list) else v for name, v in kept.items()}
        return CodecConfig(**kept)

    def to_json(self) -> dict[str, Any]:
        """What `from_json` and transformers' `EncodecConfig` read."""
        told = {name: list(v) if isinstance(v, tuple) else v for name, v in asdict(self).items()}
        return told | _PLAIN | {"codebook_dim": self.hidden_size, "model_type": "encodec"}


_PLAIN = {"norm_type": "weight_norm", "pad_mode": "reflect", "normalize": False, "trim_right_ratio": 1.0}
