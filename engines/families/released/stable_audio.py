"""Stable Audio 3 as released for stable-audio-tools: all networks in one file, beside `model_config.json`.

Small and medium differ in more than size: the small codec's layers attend within blocks of frames, the
second half of them within blocks that are moved by half of one, and its decoder ends in a kernel of three.
Queries and keys of the attention's two halves stand apart and are brought together. T5Gemma lies in a folder
of its own, or among the other weights. Loads torch only to reckon one table of frequencies.
"""

from __future__ import annotations

import math
from typing import Any

from engines.errors import InputError
from engines.families.released.plan import (
    SCHEDULER,
    Files,
    Plan,
    Weights,
    folders_of,
    read_config,
    scheduler,
    shards,
    tokenizer_links,
    told,
)
from engines.families.released.tensors import Planned, tables

CONFIG, WEIGHTS = "model_config.json", "model.safetensors"
CODEC, NET = "pretransform.model.", "model.model."
PROMPT, SECONDS = "conditioner.conditioners.prompt.", "conditioner.conditioners.seconds_total."
TEXT_FOLDER, TEXT_KIND = "t5gemma-b-b-ul2", "t5gemma"
TRAINED = {"rf_denoiser": True, "rectified_flow": False}  # post-trained for few noisy steps
FREQUENCIES = 0.5, 10_000.0  # lowest and highest of the expo features
SECONDS_RANGE = 0.0, 384.0  # where the configuration does not say
CHUNK, CHUNK_MOVED = 128, False  # its makers' defaults
DIFFERENTIAL = (0, 3, 1, 4, 2)  # q k v q2 k2 -> q q2 k k2 v

_NORM = ("alpha", "gamma", "beta")
_LINEAR = ("weight", "bias")
_CODEC_LAYER = {
    **{f"pre_norm.{leaf}": f"norm_attn.{leaf}" for leaf in _NORM},
    **{f"self_attn.{norm}.{leaf}": f"attn.{norm}.{leaf}" for norm in ("q_norm", "k_norm") for leaf in _NORM},
    "self_attn.to_out.weight": "attn.to_out.weight",
    **{f"ff_norm.{leaf}": f"norm_ff.{leaf}" for leaf in _NORM},
    **{f"ff.ff.0.proj.{leaf}": f"ff.proj_in.{leaf}" for leaf in _LINEAR},
    **{f"ff.ff.2.{leaf}": f"ff.proj_out.{leaf}" for leaf in _LINEAR},
}
_NET_TOP = {
    **{f"to_timestep_embed.{i}.{leaf}": f"to_timestep_embed.{i}.{leaf}" for i in (0, 2) for leaf in _LINEAR},
    **{f"to_cond_embed.{i}.weight": f"to_cond_embed.{i}.weight" for i in (0, 2)},
    **{f"to_global_embed.{i}.weight": f"to_global_embed.{i}.weight" for i in (0, 2)},
    "preprocess_conv.weight": "preprocess_conv.weight",
    "postprocess_conv.weight": "postprocess_conv.weight",
    "transformer.project_in.weight": "proj_in.weight",
    "transformer.project_out.weight": "proj_out.weight",
    "transformer.memory_tokens": "memory_tokens",
    "transformer.rotary_pos_emb.inv_freq": "rotary_pos_emb.inv_freq",
    **{
        f"transformer.global_cond_embedder.{i}.{leaf}": f"global_cond_embedder.{i}.{leaf}"
        for i in (0, 2)
        for leaf in _LINEAR
    },
}  # fmt: skip
_NET_LAYER = {
    **{f"{norm}.gamma": f"{norm}.gamma" for norm in ("pre_norm", "cross_attend_norm", "ff_norm")},
    **{
        f"{attention}.{leaf}": f"{attention}.{leaf}"
        for attention in ("self_attn", "cross_attn")
        for leaf in ("to_out.weight", "q_norm.gamma", "k_norm.gamma")
    },
    "cross_attn.to_q.weight": "cross_attn.to_q.weight",
    "cross_attn.to_kv.weight": "cross_attn.to_kv.weight",
    "to_scale_shift_gate": "to_scale_shift_gate",
    **{f"to_local_embed.{i}.{leaf}": f"to_local_embed.{i}.{leaf}" for i in (0, 2) for leaf in _LINEAR},
    **{f"ff.ff.0.proj.{leaf}": f"ff.proj_in.{leaf}" for leaf in _LINEAR},
    **{f"ff.ff.2.{leaf}": f"ff.proj_out.{leaf}" for leaf in _LINEAR},
}
_TEXT_LAYER = (
    *(f"self_attn.{name}_proj.weight" for name in "qkvo"),
    *(f"mlp.{name}_proj.weight" for name in ("gate", "up", "down")),
    *(f"{when}_{what}_layernorm.weight" for when in ("pre", "post") for what in ("self_attn", "feedforward")),
)


def is_released(files: Files) -> bool:
    """Whether files are a checkpoint of stable-audio-tools that makes sound from words."""
    if not {CONFIG, WEIGHTS} <= set(files) or "model_index.json" in files:
        return False
    try:
        told(read_config(files[CONFIG], CONFIG), "model.diffusion", CONFIG)
    except InputError:
        return False
    return True


def plan(files: Files, name: str) -> Plan:
    """What is written; `name` says what the configuration may not: whether it is a base checkpoint.

    InputError names the weight or field that is missing, or that nobody knows.
    """
    config = read_config(files[CONFIG], CONFIG)
    weights = Weights(tables([files[WEIGHTS]]), WEIGHTS)
    made = Plan()
    ignored = _codec(made, config, weights)
    _net(made, weights)
    _durations(made, config, weights)
    _text(made, files, weights)
    weights.done(("model.", "pretransform.", "conditioner."), ignored)
    made.configs[SCHEDULER] = scheduler(noisy=_trained(config, name))
    made.configs["model_index.json"] = {
        "_class_name": "StableAudio3Pipeline",
        "vae": ["diffusers", "AutoencoderSAME"],
        "text_encoder": ["transformers", "T5GemmaEncoderModel"],
        "tokenizer": ["transformers", "GemmaTokenizer"],
        "duration_embedder": ["stable_audio_3", "StableAudio3DurationEmbedder"],
        "transformer": ["diffusers", "StableAudio3DiTModel"],
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    }
    return made


def _trained(config: dict[str, Any], name: str) -> bool:
    """Whether it was post-trained for few noisy steps."""
    model = config.get("model", {})
    objective = model.get("diffusion", {}).get("diffusion_objective") or model.get("diffusion_objective")
    if objective is None:
        return not name.endswith("-base")
    if objective not in TRAINED:
        raise InputError(
            f"{CONFIG}: model.diffusion.diffusion_objective {str(objective)[:32]!r}, expected "
            f"{' or '.join(TRAINED)}; choose a checkpoint of Stable Audio 3"
        )
    return TRAINED[objective]


# ---- the codec


def _codec(made: Plan, config: dict[str, Any], weights: Weights) -> list[str]:
    """Plan the codec; gives names of weights that are not needed."""
    inside = "model.pretransform.config"
    sides = {side: told(config, f"{inside}.{side}.config", CONFIG) for side in ("encoder", "decoder")}
    shape, where = sides["encoder"], f"{CONFIG}, {inside}.encoder.config"
    strides = [int(stride) for stride in told(shape, "strides", where)]
    depths = [int(depth) for depth in told(shape, "transformer_depths", where)]
    planned: list[Planned] = []
    ignored = [f"{CODEC}bottleneck.noise_scaling_factor"]
    for level, depth in enumerate(depths):
        for side, at in (("encoder", level), ("decoder", 3 + level)):
            # the decoder goes through the levels the other way
            layers = depth if side == "encoder" else depths[-1 - level]
            old, new = f"{CODEC}{side}.layers.{at}.", f"{side}.blocks.{level}."
            planned += _codec_block(weights, old, new, layers)
            ignored += [f"{old}transformers.{i}.rope.inv_freq" for i in range(layers)]
    for side, at in (("encoder", len(depths) + 1), ("decoder", 1)):
        planned += [
            weights.take(f"{CODEC}{side}.layers.{at}.{leaf}", f"{side}.proj.{leaf}") for leaf in _LINEAR
        ]
    planned += [
        weights.take(f"{CODEC}bottleneck.{old}", f"bottleneck.{new}")
        for old, new in (("scaling_factor", "scale"), ("bias", "bias"), ("running_std", "running_std"))
    ]
    first = f"{CODEC}encoder.layers.0.transformers.0."
    width = weights.look(f"{first}self_attn.to_out.weight").rows
    patch = int(told(config, f"{inside}.downsampling_ratio", CONFIG)) // math.prod(strides)
    made.weights["vae/diffusion_pytorch_model.safetensors"] = planned
    made.configs["vae/config.json"] = {
        "_class_name": "AutoencoderSAME",
        "sampling_rate": int(told(config, "sample_rate", CONFIG)),
        "audio_channels": weights.look(f"{CODEC}encoder.layers.0.mapping.weight_v").shape[1] // patch,
        "patch_size": patch,
        "latent_dim": weights.look(f"{CODEC}bottleneck.scaling_factor").shape[1],
        "encoder_channels": int(told(shape, "channels", where)),
        "encoder_c_mults": [int(times) for times in told(shape, "c_mults", where)],
        "encoder_strides": strides,
        "encoder_transformer_depths": depths,
        "encoder_sinusoidal_blocks": _each(sides["encoder"], len(depths)),
        "decoder_sinusoidal_blocks": _each(sides["decoder"], len(depths)),
        "use_differential_attention": _differential(weights, f"{first}self_attn.to_qkv.weight", width),
        "dim_heads": weights.look(f"{first}self_attn.q_norm.gamma").rows,
        "ff_mult": weights.look(f"{first}ff.ff.0.proj.weight").rows // (2 * width),
        **_attention(sides, weights),
    }
    return ignored


def _codec_block(weights: Weights, old: str, new: str, depth: int) -> list[Planned]:
    """One level of one side: its map between widths, its token, its layers."""
    tokens = weights.look(f"{old}new_tokens")
    if tokens.shape[1:2] != (1,):
        raise InputError(
            f"{WEIGHTS}: {old}new_tokens has {tokens.shape[1]} tokens, expected 1, as Stable Audio 3 has; "
            "choose a checkpoint of Stable Audio 3"
        )
    planned = [weights.take(f"{old}new_tokens", f"{new}new_tokens")]
    if weights.named(f"{old}mapping."):  # none where both widths are the same
        leaves = ("weight_g", "weight_v", "bias")
        planned += [weights.take(f"{old}mapping.{leaf}", f"{new}mapping.{leaf}") for leaf in leaves]
    for layer in range(depth):
        here, there = f"{old}transformers.{layer}.", f"{new}transformers.{layer}."
        planned += [weights.take(here + key, there + other) for key, other in _CODEC_LAYER.items()]
        width = weights.look(f"{here}self_attn.to_out.weight").rows
        planned.append(_fused(weights, f"{here}self_attn.to_qkv.weight", f"{there}attn.to_qkv.weight", width))
    return planned


def _attention(sides: dict[str, Any], weights: Weights) -> dict[str, Any]:
    """How far the codec's layers see: a window, or blocks, which are Inlay's own fields."""
    windows = [side.get("sliding_window") for side in sides.values()]
    if all(windows):
        reach = {int(frames) for window in windows for frames in window}
        if len(reach) != 1:
            raise InputError(
                f"{CONFIG}: sliding_window {windows}, expected one width for all sides; update Inlay"
            )
        return {"sliding_window": reach.pop()}
    if any(windows):
        raise InputError(f"{CONFIG}: sliding_window on one side alone, expected on both; update Inlay")
    chunks = {
        (int(s.get("chunk_size", CHUNK)), bool(s.get("chunk_midpoint_shift", CHUNK_MOVED)))
        for s in sides.values()
    }
    if len(chunks) != 1:
        raise InputError(
            f"{CONFIG}: chunk_size {sorted(chunks)}, expected the same on both sides; update Inlay"
        )
    size, moved = chunks.pop()
    return {
        "sliding_window": 1,
        "inlay_chunk_size": size,
        "inlay_chunk_moved": moved,
        "inlay_kernels": [_kernel(weights, "encoder", 0), _kernel(weights, "decoder", 3)],
    }


def _kernel(weights: Weights, side: str, at: int) -> int:
    name = f"{CODEC}{side}.layers.{at}.mapping.weight_v"
    return weights.look(name).shape[-1] if name in weights else 1


def _each(side: dict[str, Any], levels: int) -> list[int]:
    """How many last layers of each level have sines for gates."""
    return [int(layers) for layers in side.get("sinusoidal_blocks") or [0] * levels]


# ---- the other networks


def _net(made: Plan, weights: Weights) -> None:
    layers = f"{NET}transformer.layers."
    depth = 1 + max((int(n.removeprefix(layers).split(".")[0]) for n in weights.named(layers)), default=0)
    planned = [weights.take(NET + old, new) for old, new in _NET_TOP.items()]
    width = weights.look(f"{NET}to_timestep_embed.0.weight").rows
    for layer in range(depth):
        here, there = f"{layers}{layer}.", f"transformer_blocks.{layer}."
        planned += [weights.take(here + old, there + new) for old, new in _NET_LAYER.items()]
        fused = "self_attn.to_qkv.weight"
        planned.append(_fused(weights, here + fused, there + fused, width))
    planned.append(weights.take(f"{PROMPT}padding_embedding", "prompt_padding_embedding"))
    made.weights["transformer/diffusion_pytorch_model.safetensors"] = planned

    def columns(name: str) -> int:
        return weights.look(NET + name).shape[1]

    first = "transformer.layers.0."
    made.configs["transformer/config.json"] = {
        "_class_name": "StableAudio3DiTModel",
        "io_channels": weights.look(f"{NET}preprocess_conv.weight").rows,
        "patch_size": 1,
        "embed_dim": width,
        "depth": depth,
        "num_heads": width // weights.look(f"{NET}{first}self_attn.q_norm.gamma").rows,
        "cond_token_dim": columns("to_cond_embed.0.weight"),
        "global_cond_dim": columns("to_global_embed.0.weight"),
        "local_add_cond_dim": columns(f"{first}to_local_embed.0.weight"),
        "timestep_features_dim": columns("to_timestep_embed.0.weight"),
        "ff_mult": weights.look(f"{NET}{first}ff.ff.0.proj.weight").rows / (2 * width),
        "num_memory_tokens": weights.look(f"{NET}transformer.memory_tokens").rows,
        "use_differential_attention": _differential(weights, f"{NET}{first}self_attn.to_qkv.weight", width),
    }


def _durations(made: Plan, config: dict[str, Any], weights: Weights) -> None:
    linear = f"{SECONDS}embedder.embedding.1."
    size = weights.look(f"{linear}weight")
    listed = config.get("model", {}).get("conditioning", {}).get("configs", [])
    said: dict[str, Any] = next(
        (one.get("config", {}) for one in listed if one.get("id") == "seconds_total"), {}
    )
    made.weights["duration_embedder/diffusion_pytorch_model.safetensors"] = [
        *(weights.take(linear + leaf, f"linear.{leaf}") for leaf in _LINEAR),
        _frequencies(size.shape[1] // 2),
    ]
    made.configs["duration_embedder/config.json"] = {
        "_class_name": "StableAudio3DurationEmbedder",
        "output_dim": size.rows,
        "fourier_dim": size.shape[1],
        "min_val": float(said.get("min_val", SECONDS_RANGE[0])),
        "max_val": float(said.get("max_val", SECONDS_RANGE[1])),
        "min_freq": FREQUENCIES[0],
        "max_freq": FREQUENCIES[1],
    }


def _frequencies(count: int) -> Planned:
    """The table [F] that the network would reckon for itself, and asks its file for."""
    import torch

    low, high = map(math.log, FREQUENCIES)
    table = torch.exp(torch.linspace(0.0, 1.0, count) * (high - low) + low)
    return Planned("freqs", "F32", (count,), data=table.numpy().tobytes())


def _text(made: Plan, files: Files, weights: Weights) -> None:
    """T5Gemma's encoder, from its own folder or, where it was trained further, from among the weights."""
    folders = folders_of(files, TEXT_KIND)
    if not folders:
        raise InputError(
            f"{TEXT_FOLDER}/config.json is missing, of the text encoder google/{TEXT_FOLDER}; "
            f"put its files in a folder {TEXT_FOLDER} beside {WEIGHTS}"
        )
    config = read_config(files[f"{folders[0]}/config.json"], f"{folders[0]}/config.json")
    depth = int(told(config, "encoder.num_hidden_layers", f"{folders[0]}/config.json"))
    own = weights.named(f"{PROMPT}model.")
    source = weights if own else Weights(tables(shards(files, folders[0])), folders[0])
    begin = f"{PROMPT}model." if own else ""
    if not source.named(f"{begin}encoder."):
        begin += "model."  # as the network with a decoder has it
    planned = [
        source.take(f"{begin}{name}", name) for name in ("encoder.embed_tokens.weight", "encoder.norm.weight")
    ]
    for layer in range(depth):
        at = f"encoder.layers.{layer}."
        planned += [source.take(f"{begin}{at}{leaf}", at + leaf) for leaf in _TEXT_LAYER]
    made.weights["text_encoder/model.safetensors"] = planned
    made.configs["text_encoder/config.json"] = config | {
        "architectures": ["T5GemmaEncoderModel"],
        "is_encoder_decoder": False,
    }
    made.links |= tokenizer_links(files, folders[0])


def _differential(weights: Weights, name: str, width: int) -> bool:
    """Whether attention is the difference of two."""
    return weights.look(name).rows == 5 * width


def _fused(weights: Weights, name: str, new: str, width: int) -> Planned:
    return weights.take(name, new, DIFFERENTIAL if _differential(weights, name, width) else ())
