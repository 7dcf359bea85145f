"""The tiny checkpoints in the formats that their makers release in: the conversion's inverse, written apart.

Facts of the released files: names and order of weights, what `model_config.json` and `config.json` say.
"""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

State = dict[str, Tensor]
_CODEC = (
    (r"^(encoder|decoder)\.proj\.", ""),  # by side, see below
    ("norm_attn.", "pre_norm."),
    (".attn.", ".self_attn."),
    ("norm_ff.", "ff_norm."),
    ("ff.proj_in.", "ff.ff.0.proj."),
    ("ff.proj_out.", "ff.ff.2."),
)
_NET = (
    (r"^proj_in\.", "transformer.project_in."),
    (r"^proj_out\.", "transformer.project_out."),
    (r"^(memory_tokens|rotary_pos_emb|global_cond_embedder)", r"transformer.\1"),
    (r"^transformer_blocks\.", "transformer.layers."),
    (r"ff\.proj_in\.", "ff.ff.0.proj."),
    (r"ff\.proj_out\.", "ff.ff.2."),
)


def _config(folder: Path) -> dict[str, Any]:
    told: dict[str, Any] = json.loads((folder / "config.json").read_text())
    return told


def _state(folder: Path) -> State:
    return load_file(next(folder.glob("*.safetensors")))


def _apart(weight: Tensor) -> Tensor:
    """[q q2 k k2 v] -> [q k v q2 k2]."""
    q, q2, k, k2, v = weight.chunk(5)
    return torch.cat([q, k, v, q2, k2])


def _codec_names(state: State, levels: int) -> State:
    """Weights of the codec as released, with what the library reckons for itself."""
    made: State = {}
    for key, weight in state.items():
        name = key
        for new, old in _CODEC[1:]:
            name = name.replace(new, old)
        name = re.sub(r"^encoder\.proj\.", f"encoder.layers.{levels + 1}.", name)
        name = re.sub(r"^decoder\.proj\.", "decoder.layers.1.", name)
        name = re.sub(r"^encoder\.blocks\.", "encoder.layers.", name)
        name = re.sub(r"^decoder\.blocks\.(\d+)\.", lambda m: f"decoder.layers.{3 + int(m[1])}.", name)
        name = name.replace("bottleneck.scale", "bottleneck.scaling_factor")
        made[f"pretransform.model.{name}"] = _apart(weight) if name.endswith("to_qkv.weight") else weight
        if name.endswith("self_attn.to_out.weight"):
            made[f"pretransform.model.{name.split('self_attn')[0]}rope.inv_freq"] = torch.ones(4)
    made["pretransform.model.bottleneck.noise_scaling_factor"] = torch.ones(1, 0, 1)
    return made


def release_stable_audio(
    folder: Path, target: Path, text: str = "beside", change: Callable[[State], None] | None = None
) -> Path:
    """A tiny Stable Audio 3 as it is released; `text`: its T5Gemma lies "beside" or "within" the weights."""
    parts = {
        name: _state(folder / name) for name in ("vae", "transformer", "duration_embedder", "text_encoder")
    }
    vae, durations = _config(folder / "vae"), _config(folder / "duration_embedder")
    state = _codec_names(parts["vae"], len(vae["encoder_strides"]))
    for key, weight in parts["transformer"].items():
        name = key
        for new, old in _NET:
            name = re.sub(new, old, name)
        fused = name.endswith("self_attn.to_qkv.weight") and weight.shape[0] == 5 * weight.shape[1]
        state[f"model.model.{name}"] = _apart(weight) if fused else weight
    prompt = "conditioner.conditioners.prompt."
    state[f"{prompt}padding_embedding"] = state.pop("model.model.prompt_padding_embedding")
    seconds = "conditioner.conditioners.seconds_total.embedder.embedding.1."
    state |= {seconds + leaf: parts["duration_embedder"][f"linear.{leaf}"] for leaf in ("weight", "bias")}
    words = target / "t5gemma-b-b-ul2"
    shutil.copytree(folder / "tokenizer", words)
    told = _config(folder / "text_encoder") | {"is_encoder_decoder": True}
    (words / "config.json").write_text(json.dumps(told))
    if text == "within":
        state |= {f"{prompt}model.{key}": weight for key, weight in parts["text_encoder"].items()}
    else:
        whole = {f"model.{key}": weight for key, weight in parts["text_encoder"].items()}
        save_file(whole | {"model.decoder.norm.weight": torch.ones(3)}, words / "model.safetensors")
    if change is not None:
        change(state)
    save_file({key: weight.contiguous() for key, weight in state.items()}, target / "model.safetensors")
    noisy = json.loads((folder / "scheduler" / "scheduler_config.json").read_text())["stochastic_sampling"]
    (target / "model_config.json").write_text(json.dumps(_model_config(vae, durations, noisy)))
    return target


def _model_config(vae: dict[str, Any], durations: dict[str, Any], noisy: bool) -> dict[str, Any]:
    side = {
        "channels": vae["encoder_channels"],
        "c_mults": vae["encoder_c_mults"],
        "strides": vae["encoder_strides"],
        "transformer_depths": vae["encoder_transformer_depths"],
        "dim_heads": vae["dim_heads"],
        "variable_stride": True,
    }
    if "inlay_chunk_size" in vae:
        side |= {"chunk_size": vae["inlay_chunk_size"], "chunk_midpoint_shift": vae["inlay_chunk_moved"]}
    else:
        side |= {"sliding_window": [vae["sliding_window"]] * 2}
    hop = vae["patch_size"]
    for stride in vae["encoder_strides"]:
        hop *= stride
    seconds = {
        "output_dim": durations["output_dim"],
        "min_val": durations["min_val"],
        "max_val": durations["max_val"],
    }
    return {
        "model_type": "diffusion_cond_inpaint",
        "sample_rate": vae["sampling_rate"],
        "model": {
            "pretransform": {
                "type": "autoencoder",
                "config": {
                    "encoder": {
                        "type": "same",
                        "config": side | {"sinusoidal_blocks": vae["encoder_sinusoidal_blocks"]},
                    },
                    "decoder": {
                        "type": "same",
                        "config": side | {"sinusoidal_blocks": vae["decoder_sinusoidal_blocks"]},
                    },
                    "io_channels": vae["audio_channels"],
                    "downsampling_ratio": hop,
                },
            },
            "conditioning": {"configs": [{"id": "seconds_total", "type": "number", "config": seconds}]},
            "diffusion": {"type": "dit", "diffusion_objective": "rf_denoiser" if noisy else "rectified_flow"},
        },
    }


def release_ace_step(
    folder: Path, target: Path, name: str, change: Callable[[State], None] | None = None
) -> Path:
    """A tiny ACE-Step 1.5 as it is released: `name` beside its codec and its text encoder."""
    renames = {
        "to_q.": "q_proj.", "to_k.": "k_proj.", "to_v.": "v_proj.", "to_out.0.": "o_proj.",
        "norm_q.": "q_norm.", "norm_k.": "k_norm.",
        "proj_in_conv.": "proj_in.1.", "proj_out_conv.": "proj_out.1.",
    }  # fmt: skip
    state: State = {"tokenizer.project.weight": torch.ones(2, 2), "detokenizer.norm.weight": torch.ones(2)}
    silence = torch.empty(0)
    for part, prefix in (("transformer", "decoder."), ("condition_encoder", "encoder.")):
        for key, weight in _state(folder / part).items():
            if key == "silence_latent":
                silence = weight.transpose(1, 2).contiguous()
                continue
            old = key
            for new, released in renames.items():
                old = old.replace(new, released)
            state[key if key == "null_condition_emb" else prefix + old] = weight
    own = target / name
    own.mkdir(parents=True)
    if change is not None:
        change(state)
    save_file(state, own / "model.safetensors")
    torch.save(silence, own / "silence_latent.pt")
    told = _config(folder / "condition_encoder") | _config(folder / "transformer") | {"model_type": "acestep"}
    unknown = ("_class_name", "_diffusers_version", "encoder_hidden_size")
    (own / "config.json").write_text(json.dumps({k: v for k, v in told.items() if k not in unknown}))
    shutil.copytree(folder / "vae", target / "vae")
    shutil.copytree(folder / "text_encoder", target / "Qwen3-Embedding-0.6B")
    shutil.copytree(folder / "tokenizer", target / "Qwen3-Embedding-0.6B", dirs_exist_ok=True)
    return target
