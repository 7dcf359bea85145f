"""EnCodec's weights under the names that public checkpoints give them, and a codec of each channel by itself.

transformers' names are those of `engines.networks.seanet`, but for weight norm in older files; audiocraft's
own differ. Where no configuration says the shape, the weights do. Knows no texts, networks or engines.
"""

from __future__ import annotations

import re
from math import prod

import torch
from torch import Tensor, nn

from engines.errors import InputError
from engines.families.weights import fill
from engines.networks.codec import Codec
from engines.networks.seanet import Seanet
from engines.networks.shapes import CodecConfig

_TRAINING = ("cluster_size", "embed_avg", "inited")  # of a codebook, for its training
_RENAMED = (
    (re.compile(r"^(encoder|decoder)\.model\."), r"\1.layers."),
    (re.compile(r"\.(conv|convtr)\.\1\."), ".conv."),
    (re.compile(r"^quantizer\.vq\."), "quantizer."),
    (re.compile(r"\._codebook\."), ".codebook."),
    (re.compile(r"\.weight_g$"), ".parametrizations.weight.original0"),
    (re.compile(r"\.weight_v$"), ".parametrizations.weight.original1"),
)


def renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Weights [*] of an EnCodec under the names of `Seanet`, in float32."""
    out: dict[str, Tensor] = {}
    for name, weight in state.items():
        if name.endswith(_TRAINING):
            continue
        for pattern, other in _RENAMED:
            name = pattern.sub(other, name)
        out[name] = weight.float()
    return out


def codec_of(
    state: dict[str, Tensor],
    name: str,
    config: CodecConfig | None = None,
    rate: int = 32_000,
    mean: float = 0.0,
    std: float = 1.0,
) -> Codec:
    """The codec of weights [*] under any of the names; without a `config` of the shape that they have.

    Raises InputError with the checkpoint's `name` where they do not fit.
    """
    state = renamed(state)
    if config is None:
        try:
            config = shape_of(state, rate)
        except (KeyError, ValueError) as error:
            raise InputError(f"{name[:64]!r}: its codec is no EnCodec ({error}); get it again") from error
    with torch.device("meta"):
        model = Seanet(config, recurrent=any(".lstm." in key for key in state))
    fill(model, state, name)
    return Codec(model, mean, std).eval()


def shape_of(state: dict[str, Tensor], rate: int) -> CodecConfig:
    """The shape that weights [*] of a non-causal EnCodec have; KeyError where some are missing."""
    encoder = {int(key.split(".")[2]): w.shape for key, w in state.items() if _is_kernel(key)}
    strided = [shape for _, shape in sorted(encoder.items())][1:-1]  # the first and the last keep the rate
    ratios = tuple(shape[2] // 2 for shape in reversed(strided))
    books = sum(key.endswith("codebook.embed") for key in state)
    size, dim = state["quantizer.layers.0.codebook.embed"].shape
    bits, frames = max(1, (size - 1).bit_length()), -(-rate // prod(ratios))
    return CodecConfig(
        sampling_rate=rate,
        upsampling_ratios=ratios,
        target_bandwidths=((books * bits * frames + 0.5) / 1000,),
        codebook_size=size,
        hidden_size=dim,
        num_filters=len(state["encoder.layers.0.conv.bias"]),
        num_lstm_layers=max(1, sum("encoder." in key and ".lstm.weight_ih" in key for key in state)),
        use_causal_conv=False,
        use_conv_shortcut=any(".shortcut.conv." in key for key in state),
        audio_channels=encoder[0][1],
    )


def _is_kernel(key: str) -> bool:
    return re.fullmatch(r"encoder\.layers\.\d+\.conv\.parametrizations\.weight\.original1", key) is not None


class Sides(nn.Module):
    """A mono codec on left and right by themselves: audio [B, 2, N] <-> latents [B, 2 D, T].

    Latents have all of the left first; codes [B, 2 K, T] take turns, as MusicGen's stereo models were
    trained: left and right of the first codebook, of the second, and so on.
    """

    channels = 2

    def __init__(self, side: Codec) -> None:
        super().__init__()
        self.side = side
        self.rate, self.hop, self.frame_rate = side.rate, side.hop, side.frame_rate
        self.dim, self.reach = 2 * side.dim, side.reach
        self.codebooks, self.codebook_size = 2 * side.codebooks, side.codebook_size

    def encode(self, audio: Tensor) -> Tensor:
        """[B, 2, N] -> [B, 2 D, T]."""
        return torch.cat([self.side.encode(audio[:, i : i + 1]) for i in range(2)], dim=1)

    def decode(self, z: Tensor) -> Tensor:
        """[B, 2 D, T] -> [B, 2, T * hop]."""
        return torch.cat([self.side.decode(half) for half in z.chunk(2, dim=1)], dim=1)

    def quantize(self, z: Tensor) -> Tensor:
        """[B, 2 D, T] -> codes [B, 2 K, T]."""
        sides = [self.side.quantize(half) for half in z.chunk(2, dim=1)]
        return torch.stack(sides, dim=2).flatten(1, 2)  # 2 x [B, K, T] -> [B, K, 2, T] -> [B, 2 K, T]

    def dequantize(self, codes: Tensor) -> Tensor:
        """Codes [B, 2 K, T] -> [B, 2 D, T]."""
        return torch.cat([self.side.dequantize(codes[:, i::2]) for i in range(2)], dim=1)
