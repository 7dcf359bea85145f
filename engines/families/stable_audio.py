"""Stable Audio 3 in diffusers' format: SAME's stereo latents, T5Gemma's words, a flow that fills spans.

Its sigma is 1 - t and its velocity runs the other way: v = -v_theirs. What is known goes into every block as
a mask and the masked latent, so that all frames are equally noisy. A row without words is what its pipeline
takes for the unconditional one, the empty prompt; padding is a learned vector. It takes no lanes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from engines.errors import InputError
from engines.families.pieces import decoded, encoded
from engines.families.pretrained import config, configs, part, pipeline_of, tokenizer
from engines.families.shape import Autoencoder, CheckpointSpec, Flow, Spec, Velocity, Words
from engines.requests import FMSettings, Guidance

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from engines.networks.lane_frames import Lanes
    from engines.networks.lm import LM
    from engines.sampling.guidance import Source

LICENCE = "Stability AI Community License"
NETWORKS = ("transformer", "vae", "text_encoder", "duration_embedder")
MAX_TOKENS = 256  # of a prompt
# Longest clip by the depth of the autoencoder: configurations say only what the duration embedder reaches.
SMALL_DEPTH, SMALL_SECONDS, MEDIUM_SECONDS = 6, 120.0, 380.0
BASE_GUIDANCE = 1.0  # its pipeline's default, which is none; higher ones are of use to base checkpoints alone
PIECE = 64  # latent frames that are coded at once; attention over all at once takes memory by their square


def spec_of(folder: Path) -> CheckpointSpec | None:
    """The spec of a pipeline's folder; None where another pipeline, or none, was saved there.

    Raises InputError where parts are missing, or fit no span.
    """
    if not pipeline_of(folder).startswith("StableAudio3"):
        return None
    parts = configs(folder, NETWORKS)
    scheduler = config(folder, "scheduler/scheduler_config.json")
    _check(folder, parts, scheduler)
    vae, net = parts["vae"], parts["transformer"]
    trained = bool(scheduler.get("stochastic_sampling", False))  # post-trained for few noisy steps
    small = max(vae["encoder_transformer_depths"]) <= SMALL_DEPTH
    seconds = min(SMALL_SECONDS if small else MEDIUM_SECONDS, float(parts["duration_embedder"]["max_val"]))
    size = "small" if small else "medium"
    alone, guided = Guidance(1.0, 0.0), Guidance(BASE_GUIDANCE, 0.0)
    return CheckpointSpec(
        name=folder.name,
        title=f"Stable Audio 3 {size}{'' if trained else ' base'}",
        licence=LICENCE,
        rate=int(vae["sampling_rate"]),
        channels=int(vae["audio_channels"]),
        frame_rate=vae["sampling_rate"] / _hop(vae),
        window_seconds=seconds,
        engines=("fm", "fm-zero-shot"),
        fm=FMSettings("ping-pong", 8, schedule="log-snr")
        if trained
        else FMSettings("euler", 100, schedule="log-snr"),
        guidances=dict.fromkeys(("generate", "inpaint", "change"), alone if trained else guided),
        kind=f"rectified flow, {net['depth']} layers of {net['embed_dim']}; SAME codec; T5Gemma words",
    )


def load_codec(folder: Path, spec: Spec, device: torch.device) -> Autoencoder:
    """SAME, audio [B, 2, N] <-> latents [B, D, T]."""
    shape = config(folder, "vae/config.json")
    if shape.get("inlay_chunk_size"):  # a small one, which diffusers does not know
        from engines.families import same_blocks

        reach = same_blocks.reach(shape["inlay_chunk_size"], math.prod(shape["encoder_strides"]))
        return Same(same_blocks.load(folder / "vae", device), reach)
    return Same(part(folder, "vae", "AutoencoderSAME", device))


def load_words(folder: Path, spec: Spec, device: torch.device) -> Words:
    """T5Gemma, prompts -> states [B, 256, D]."""
    key = (folder, device.type)
    words = _words.get(key)
    if words is None:
        network = part(folder, "text_encoder", "T5GemmaEncoderModel", device, "transformers")
        words = _words[key] = T5Gemma(network, tokenizer(folder))
    return words


def load_flow(folder: Path, spec: Spec, device: torch.device) -> Flow:
    """The transformer over latents [B, D, T]."""
    scale = float(config(folder, "scheduler/scheduler_config.json")["num_train_timesteps"])
    return StableAudioFlow(
        part(folder, "transformer", "StableAudio3DiTModel", device),
        part(folder, "duration_embedder", "StableAudio3DurationEmbedder", device),
        lambda: load_words(folder, spec, device),
        1.0 / spec.frame_rate,
        scale,
    )


def load_tokens(folder: Path, spec: Spec, device: torch.device) -> LM:
    """InputError: it has no token model over codes [B, K, T]."""
    raise InputError(f"{spec.title}: AR needs a token model, which it has not; choose FM, or another model")


class Same:
    """The SAME autoencoder: audio [B, C, N] <-> latents [B, D, T], which its bottleneck normalises.

    Each of its layers looks one frame to each side, or within blocks of frames, so a frame's reach is finite,
    and long audio goes through it piece by piece to the same end.
    """

    def __init__(self, network: Any, reach: int | None = None) -> None:
        shape = network.config
        self.network = network
        self.rate: int = shape.sampling_rate
        self.channels: int = shape.audio_channels
        self.hop: int = network.downsampling_ratio
        self.frame_rate = self.rate / self.hop
        self.dim: int = shape.latent_dim
        self.reach: int = _reach(shape) if reach is None else reach

    def encode(self, audio: Tensor) -> Tensor:
        """[B, C, N] -> [B, D, T], T = ceil(N / hop)."""
        return encoded(lambda x: self.network.encode(x).latents, audio, self.hop, PIECE, self.reach)

    def decode(self, z: Tensor) -> Tensor:
        """[B, D, T] -> [B, C, T * hop]."""
        return decoded(lambda x: self.network.decode(x).sample, z, self.hop, PIECE, self.reach)


@dataclass(frozen=True)
class PromptStates:
    """What the transformer reads of prompts."""

    states: Tensor  # float32 [B, L, D]
    mask: Tensor  # [B, L], 1 = a token; the others become a learned vector

    def to(self, device: torch.device | str) -> PromptStates:
        """The same states [B, L, D] on another device."""
        return PromptStates(self.states.to(device), self.mask.to(device))


class T5Gemma:
    """The text encoder: prompts -> states [B, 256, D], padded as the transformer has learned them."""

    def __init__(self, network: Any, tokens: Any) -> None:
        self.network = network
        self.tokens = tokens

    def encode(self, prompts: Sequence[str]) -> PromptStates:
        """Prompts -> states [B, L, D] and mask [B, L]; L <= 256, the rest is cut."""
        import torch

        told = self.tokens(
            list(prompts),
            padding="max_length",
            max_length=min(self.tokens.model_max_length, MAX_TOKENS),
            truncation=True,
            return_tensors="pt",
        )
        device = self.network.device
        ids, mask = told["input_ids"].to(device), told["attention_mask"].to(device)
        # kept between runs: another one may need them for gradients, or in another precision
        with torch.inference_mode(False), torch.no_grad(), torch.autocast(device.type, enabled=False):
            return PromptStates(self.network(ids, attention_mask=mask)[0], mask)


class StableAudioFlow:
    """The transformer as engines ask it."""

    clamped = False

    def __init__(
        self,
        network: Any,
        durations: Any,
        words: Callable[[], Words],
        frame_seconds: float,
        scale: float = 1.0,
    ) -> None:
        self.network = network
        self.durations = durations  # seconds [B] -> [B, D]
        self.frame_seconds = frame_seconds
        self.scale = scale  # the network's time of pure noise
        self._words = words
        self._silent: PromptStates | None = None

    @property
    def unworded(self) -> PromptStates:
        """States [1, L, D] of the empty prompt, made once."""
        if self._silent is None:
            self._silent = self._words().encode([""])
        assert self._silent is not None
        return self._silent

    def velocity(
        self,
        seen: Sequence[Source],
        words: PromptStates | None,
        lanes: Lanes,
        known: Tensor,
        source: Tensor,
        batch: int,
    ) -> Velocity:
        """(z [B, D, T], t) -> v [R B, D, T]; see `families.shape.Flow`. Lanes are not taken."""
        import torch

        device, frames, rows = source.device, source.shape[-1], len(seen) * batch
        each = [words if row.text and words is not None else self.unworded.to(device) for row in seen]
        states = torch.cat([one.states for one in each])  # [R, L, D]
        mask = torch.cat([one.mask for one in each])  # [R, L]
        length = self.durations(torch.full((1,), frames * self.frame_seconds, device=device))  # [1, D]
        # how long the clip is, stands as a further word behind the words too
        context = torch.cat([states, length.to(states.dtype).expand(len(each), 1, -1)], dim=1)
        mask = torch.cat([mask, mask.new_ones(len(each), 1)], dim=1).repeat_interleave(batch, 0)
        context = context.repeat_interleave(batch, 0)  # [R, L + 1, D] -> [R B, L + 1, D]
        length = length.expand(rows, -1)
        beside = None
        if bool(known.any()):
            kept = known.to(source.dtype).view(1, 1, -1)
            beside = torch.cat([kept, source * kept], dim=1).expand(rows, -1, -1)  # [R B, 1 + D, T]

        def velocity(z: Tensor, t: float) -> Tensor:
            time = torch.full((rows,), (1.0 - t) * self.scale, device=device)
            v: Tensor = self.network(
                z.repeat(len(seen), 1, 1),  # [B, D, T] -> [R B, D, T]
                time,
                encoder_hidden_states=context,
                global_hidden_states=length,
                encoder_attention_mask=mask,
                local_add_cond=beside,
                return_dict=False,
            )[0]
            return -v

        return velocity


# Text encoders in memory: the flow borrows the one that encodes prompts.
_words: WeakValueDictionary[tuple[Path, str], T5Gemma] = WeakValueDictionary()


def _hop(vae: dict[str, Any]) -> int:
    return int(vae["patch_size"]) * math.prod(map(int, vae["encoder_strides"]))


def _reach(shape: Any) -> int:
    """Latent frames to each side that have a say in a frame, from all layers of all levels."""
    frames, stride = 0.0, 1
    for depth, factor in zip(
        reversed(shape.encoder_transformer_depths), reversed(shape.encoder_strides), strict=True
    ):
        frames += depth * shape.sliding_window / stride
        stride *= factor
    return math.ceil(frames)


def _check(folder: Path, parts: dict[str, dict[str, Any]], scheduler: dict[str, Any]) -> None:
    """Raise InputError where configurations lack what they must say, or do not fit one another."""
    wanted = {
        "vae": ("sampling_rate", "audio_channels", "patch_size", "latent_dim", "encoder_strides"),
        "transformer": ("io_channels", "local_add_cond_dim", "depth", "embed_dim"),
        "duration_embedder": ("max_val",),
    }
    lacking = [f"{name}.{key}" for name, keys in wanted.items() for key in keys if not parts[name].get(key)]
    lacking += [] if parts["vae"].get("encoder_transformer_depths") else ["vae.encoder_transformer_depths"]
    lacking += [] if scheduler.get("num_train_timesteps") else ["scheduler.num_train_timesteps"]
    if lacking:
        raise InputError(
            f"{folder.name[:64]!r}: {', '.join(lacking)} missing in its configuration; convert it again"
        )
    dim, net = parts["vae"]["latent_dim"], parts["transformer"]
    if (net["io_channels"], net["local_add_cond_dim"], net.get("patch_size", 1)) != (dim, dim + 1, 1):
        raise InputError(
            f"{folder.name[:64]!r}: a transformer over {net['io_channels']} channels with "
            f"{net['local_add_cond_dim']} beside them; expected {dim} and {dim + 1}, in patches of 1; "
            "choose a checkpoint of Stable Audio 3"
        )
    if scheduler.get("shift", 1.0) != 1.0 or scheduler.get("use_dynamic_shifting"):
        raise InputError(
            f"{folder.name[:64]!r}: the scheduler shifts its times by {scheduler.get('shift')}; expected 1; "
            "convert the checkpoint again"
        )
