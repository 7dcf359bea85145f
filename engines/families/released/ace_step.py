"""ACE-Step 1.5 as released: its makers' own network beside a codec and Qwen3 that stay as they are.

That network's decoder is the transformer, its encoder reads words, lyrics and timbre, and how silence sounds
to it lies in a file of torch's. Its tokens of music are not needed to fill spans. Loads torch only to turn
the latents of silence.
"""

from __future__ import annotations

import pickle
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
    within,
)
from engines.families.released.tensors import Planned, tables

KIND, SILENCE = "acestep", "silence_latent.pt"
CODEC, TEXT = "vae", "Qwen3-Embedding-0.6B"

_LINEAR = ("weight", "bias")
_ATTENTION = {"q_proj": "to_q", "k_proj": "to_k", "v_proj": "to_v", "o_proj": "to_out.0"}
_NORMS = {"q_norm.weight": "norm_q.weight", "k_norm.weight": "norm_k.weight"}
_MLP = tuple(f"mlp.{name}_proj.weight" for name in ("gate", "up", "down"))
_TOP = {
    **{f"condition_embedder.{leaf}": f"condition_embedder.{leaf}" for leaf in _LINEAR},
    **{f"proj_{way}.1.{leaf}": f"proj_{way}_conv.{leaf}" for way in ("in", "out") for leaf in _LINEAR},
    **{
        f"{time}.{part}.{leaf}": f"{time}.{part}.{leaf}"
        for time in ("time_embed", "time_embed_r")
        for part in ("linear_1", "linear_2", "time_proj")
        for leaf in _LINEAR
    },
    "norm_out.weight": "norm_out.weight",
    "scale_shift_table": "scale_shift_table",
}
_LAYER = ("self_attn_norm.weight", "cross_attn_norm.weight", "mlp_norm.weight", "scale_shift_table", *_MLP)
_ENCODER_LAYER = ("input_layernorm.weight", "post_attention_layernorm.weight", *_MLP)
_ENCODERS = {
    "lyric_encoder": "num_lyric_encoder_hidden_layers",
    "timbre_encoder": "num_timbre_encoder_hidden_layers",
}
_BOTH = ("head_dim", "rope_theta", "attention_bias", "rms_norm_eps", "sliding_window")
_SIZES = ("hidden_size", "intermediate_size", "num_attention_heads", "num_key_value_heads")


def is_released(files: Files) -> bool:
    """Whether files are a checkpoint of ACE-Step 1.5 as its makers release it."""
    return "model_index.json" not in files and bool(folders_of(files, KIND))


def plan(files: Files, name: str) -> Plan:
    """What is written; of several checkpoints in one folder the one called `name`, else the only one.

    InputError names the weight or field that is missing, or that nobody knows.
    """
    own = _own(files, name)
    where = f"{own}/config.json" if own else "config.json"
    config = read_config(files[where], where)
    weights = Weights(tables(shards(files, own)), own or "the network")
    made = Plan()
    _net(made, config, where, weights)
    _conditions(made, config, where, weights)
    weights.done(("decoder.", "encoder."))
    made.weights["condition_encoder/diffusion_pytorch_model.safetensors"].append(
        _silence(files, own, config, where)
    )
    _beside(made, files)
    made.configs[SCHEDULER] = scheduler()
    made.configs["model_index.json"] = {
        "_class_name": "AceStepPipeline",
        "vae": ["diffusers", "AutoencoderOobleck"],
        "text_encoder": ["transformers", "Qwen3Model"],
        "tokenizer": ["transformers", "Qwen2Tokenizer"],
        "transformer": ["diffusers", "AceStepTransformer1DModel"],
        "condition_encoder": ["ace_step", "AceStepConditionEncoder"],
        "scheduler": ["diffusers", "FlowMatchEulerDiscreteScheduler"],
    }
    return made


def _own(files: Files, name: str) -> str:
    """The folder of the network."""
    found = folders_of(files, KIND)
    if name in found:
        return name
    if len(found) > 1:
        raise InputError(
            f"{len(found)} checkpoints of ACE-Step lie there ({', '.join(found)[:160]}); "
            "keep one of them, or give its name with --name"
        )
    return found[0]


def _net(made: Plan, config: dict[str, Any], where: str, weights: Weights) -> None:
    biased = bool(config.get("attention_bias"))
    planned = [weights.take(f"decoder.{old}", new) for old, new in _TOP.items()]
    depth = int(told(config, "num_hidden_layers", where))
    for layer in range(depth):
        at = f"layers.{layer}."
        planned += [weights.take(f"decoder.{at}{leaf}", at + leaf) for leaf in _LAYER]
        for attention in ("self_attn", "cross_attn"):
            planned += _attention(weights, "decoder.", f"{at}{attention}.", biased)
    made.weights["transformer/diffusion_pytorch_model.safetensors"] = planned
    made.configs["transformer/config.json"] = {
        "_class_name": "AceStepTransformer1DModel",
        **{key: told(config, key, where) for key in (*_SIZES, *_BOTH)},
        **{
            key: told(config, key, where)
            for key in ("in_channels", "audio_acoustic_hidden_dim", "patch_size")
        },
        "num_hidden_layers": depth,
        "attention_dropout": float(config.get("attention_dropout", 0.0)),
        "layer_types": config.get("layer_types"),
        "encoder_hidden_size": config.get("encoder_hidden_size") or config["hidden_size"],
        "is_turbo": bool(config.get("is_turbo", False)),
        "model_version": config.get("model_version"),
    }


def _conditions(made: Plan, config: dict[str, Any], where: str, weights: Weights) -> None:
    biased = bool(config.get("attention_bias"))
    planned = [
        weights.take("null_condition_emb", "null_condition_emb"),
        weights.take("encoder.text_projector.weight", "text_projector.weight"),
        weights.take("encoder.timbre_encoder.special_token", "timbre_encoder.special_token"),
    ]
    for encoder, count in _ENCODERS.items():
        leaves = ("embed_tokens.weight", "embed_tokens.bias", "norm.weight")
        planned += [weights.take(f"encoder.{encoder}.{leaf}", f"{encoder}.{leaf}") for leaf in leaves]
        for layer in range(int(told(config, count, where))):
            at = f"{encoder}.layers.{layer}."
            planned += [weights.take(f"encoder.{at}{leaf}", at + leaf) for leaf in _ENCODER_LAYER]
            planned += _attention(weights, "encoder.", f"{at}self_attn.", biased)
    made.weights["condition_encoder/diffusion_pytorch_model.safetensors"] = planned
    made.configs["condition_encoder/config.json"] = {
        "_class_name": "AceStepConditionEncoder",
        # the widest checkpoints have a narrower one of these
        **{key: config.get(f"encoder_{key}") or told(config, key, where) for key in _SIZES},
        **{
            key: told(config, key, where)
            for key in (*_BOTH, "text_hidden_dim", "timbre_hidden_dim", *_ENCODERS.values())
        },
        "attention_dropout": float(config.get("attention_dropout", 0.0)),
    }


def _attention(weights: Weights, prefix: str, at: str, biased: bool) -> list[Planned]:
    leaves = _LINEAR if biased else _LINEAR[:1]
    names = {f"{old}.{leaf}": f"{new}.{leaf}" for old, new in _ATTENTION.items() for leaf in leaves} | _NORMS
    return [weights.take(f"{prefix}{at}{old}", at + new) for old, new in names.items()]


def _silence(files: Files, own: str, config: dict[str, Any], where: str) -> Planned:
    """Latents of silence, [1, D, T] as they lie there -> [1, T, D]."""
    file = within(files, own).get(SILENCE)
    if file is None:
        raise InputError(f"{own or 'the folder'}: {SILENCE} is missing; get the checkpoint again")
    import torch

    try:
        latents = torch.load(file, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise InputError(f"{SILENCE}: it cannot be read; get the checkpoint again") from error
    dim = int(told(config, "timbre_hidden_dim", where))
    if not isinstance(latents, torch.Tensor) or latents.dim() != 3 or latents.shape[1] != dim:
        shape = list(latents.shape) if isinstance(latents, torch.Tensor) else type(latents).__name__
        raise InputError(f"{SILENCE}: {shape}, expected [1, {dim}, frames]; get the checkpoint again")
    turned = latents.float().transpose(1, 2).contiguous()
    return Planned("silence_latent", "F32", tuple(turned.shape), data=turned.numpy().tobytes())


def _beside(made: Plan, files: Files) -> None:
    """Codec and text encoder, which are in the right format already."""
    for folder, new in ((CODEC, "vae"), (TEXT, "text_encoder")):
        here = within(files, folder)
        if "config.json" not in here:
            raise InputError(
                f"{folder}/config.json is missing, which all checkpoints of ACE-Step 1.5 share; put it beside"
            )
        shards(files, folder)
        made.links |= {
            f"{new}/{name}": f"{folder}/{name}"
            for name in here
            if name.endswith((".safetensors", ".safetensors.index.json")) or name == "config.json"
        }
    made.links |= tokenizer_links(files, TEXT)
