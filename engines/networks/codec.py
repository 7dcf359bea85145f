"""The codec: audio <-> codes <-> continuous latents, one autoencoder for both paradigms (sec. 4.2).

EnCodec's network (`seanet.py`) at any strides, width and number of codebooks. Audio is mono
float [-1, 1] at `rate` Hz; latents are the encoder's output before quantization, normalised with
one scalar mean and one scalar mean std (App. E.2). Does not know text, controls or engines.
"""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engines.networks.seanet import Seanet
from engines.networks.shapes import CodecConfig

REACH = 5  # frames, one more than is heard
_UNUSED = ("cluster_size", "embed_avg", "inited")  # training state of transformers' codebooks


class Codec(nn.Module):
    """Audio [B, 1, N] <-> latents [B, D, T] <-> codes [B, K, T]."""

    def __init__(self, model: Seanet, mean: float = 0.0, std: float = 1.0) -> None:
        super().__init__()
        self.model: Any = model  # its layers are of many kinds
        self.mean = mean
        self.std = std

    @property
    def rate(self) -> int:
        """Sample rate in Hz."""
        return int(self.model.config.sampling_rate)

    @property
    def channels(self) -> int:
        """Of the audio."""
        return int(self.model.config.audio_channels)

    @property
    def hop(self) -> int:
        """Samples per latent frame."""
        return int(self.model.config.hop_length)

    @property
    def frame_rate(self) -> float:
        """Latent frames per second."""
        return self.rate / self.hop

    @property
    def dim(self) -> int:
        """D, channels of a latent."""
        return int(self.model.config.hidden_size)

    @property
    def codebooks(self) -> int:
        """K, residual codebooks (sec. 3.2's N_q)."""
        return len(self.model.quantizer.layers)

    @property
    def codebook_size(self) -> int:
        """Entries per codebook."""
        return int(self.model.config.codebook_size)

    @property
    def reach(self) -> int | None:
        """Frames on either side that have a say in a frame, or in the samples of one; None: all of them.

        EnCodec's convolutions hear four to each side whatever the strides (a test compares); a recurrent
        codec hears everything, and a causal one further back.
        """
        recurrent = any(isinstance(part, nn.LSTM) for part in self.model.modules())
        return None if recurrent or self.model.config.use_causal_conv else REACH

    def encode(self, audio: Tensor) -> Tensor:
        """Audio [B, 1, N] -> normalised latents [B, D, T], T = ceil(N / hop)."""
        z: Tensor = self.model.encoder(audio)  # [B, 1, N] -> [B, D, T]
        return (z - self.mean) / self.std

    def quantize(self, z: Tensor) -> Tensor:
        """Normalised latents [B, D, T] -> codes [B, K, T]: each codebook takes the rest of the one before."""
        codes: Tensor = self.model.quantizer.encode(z * self.std + self.mean)  # [B, D, T] -> [K, B, T]
        return codes.transpose(0, 1)

    def dequantize(self, codes: Tensor) -> Tensor:
        """Codes [B, K, T] -> normalised latents [B, D, T], the sum of the codebooks' vectors."""
        z: Tensor = self.model.quantizer.decode(codes.transpose(0, 1))  # [K, B, T] -> [B, D, T]
        return (z - self.mean) / self.std

    def decode(self, z: Tensor) -> Tensor:
        """Normalised latents [B, D, T] -> audio [B, 1, T * hop]."""
        audio: Tensor = self.model.decoder(z * self.std + self.mean)
        return audio


def codec_config(
    width: int, ratios: tuple[int, ...], codebooks: int, codebook_size: int, rate: int = 32_000
) -> CodecConfig:
    """EnCodec's architecture at any width, strides and depth; non-causal, mono, latents of 128 channels."""
    bits = max(1, (codebook_size - 1).bit_length())
    return CodecConfig(
        sampling_rate=rate,
        num_filters=width,
        upsampling_ratios=ratios,
        num_lstm_layers=1,
        use_causal_conv=False,
        codebook_size=codebook_size,
        target_bandwidths=(codebooks * bits * rate / math.prod(ratios) / 1000,),
        use_conv_shortcut=False,
    )


def build_codec(config: CodecConfig, mean: float = 0.0, std: float = 1.0, recurrent: bool = False) -> Codec:
    """A codec with random weights; without recurrence unless asked for, as public checkpoints need.

    EnCodec's LSTM is residual, so one of zero weights is an exact identity: it is left out here
    and written out as zeros for transformers by `full_state`.
    """
    return Codec(Seanet(config, recurrent), mean, std)


def full_state(codec: Codec) -> dict[str, Tensor]:
    """What transformers' `EncodecModel` of the same shape loads: zeros for its LSTM's [4 D, D]."""
    own = codec.model.state_dict()
    with torch.device("meta"):
        whole = Seanet(codec.model.config, recurrent=True).state_dict()
    state = {k: own[k] if k in own else torch.zeros(v.shape) for k, v in whole.items()}
    for k, table in own.items():
        if k.endswith(".embed"):  # what transformers keeps beside a codebook for its training
            extra = (torch.zeros(len(table)), table.clone(), torch.ones(1))
            state |= {k.removesuffix("embed") + name: x for name, x in zip(_UNUSED, extra, strict=True)}
    return state


def save_codec(codec: Codec, folder: Path) -> dict[str, Any]:
    """Write `codec.safetensors` (fp16) into a bundle folder; returns the spec for `load_codec`."""
    keep = {k: v.detach().to(torch.float16).contiguous() for k, v in codec.model.state_dict().items()}
    save_file(keep, folder / "codec.safetensors")
    return {"config": codec.model.config.to_json(), "mean": codec.mean, "std": codec.std}


def load_codec(folder: Path, spec: dict[str, Any]) -> Codec:
    """Read `codec.safetensors` from a bundle folder with the spec that `save_codec` gave."""
    state = {k: v.float() for k, v in load_file(folder / "codec.safetensors").items()}
    recurrent = any(".lstm." in k for k in state)
    config = CodecConfig.from_json(spec["config"])
    codec = build_codec(config, float(spec["mean"]), float(spec["std"]), recurrent)
    state = {k: v for k, v in state.items() if not k.endswith(_UNUSED)}
    expected = {k: v.shape for k, v in codec.model.state_dict().items()}
    wrong = [k for k in {**expected, **state} if k not in state or state[k].shape != expected.get(k)]
    if wrong:
        raise ValueError(f"codec.safetensors does not fit its configuration: {', '.join(wrong[:3])}")
    codec.model.load_state_dict(state)
    return codec.eval()
