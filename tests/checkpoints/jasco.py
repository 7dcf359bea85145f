"""A tiny JASCO of random weights, in audiocraft's format."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tests.checkpoints.musicgen import save_tokenizer, spread_codes, t5_config

DIM, LAYERS, SKIPS, FF, TEXT, TIME = 32, 4, 2, 64, 32, 48
PART = "condition_provider.conditioners."
CONFIG = """
dataset: {segment_duration: 10}
compression_model_latent_std: 4.0102
compression_model_latent_mean: -0.0074
conditioners:
  description:
    model: t5
    t5: {name: t5-base, finetune: false}
transformer_lm:
  num_heads: 4
  skip_connections: false
"""


def state() -> dict[str, Any]:
    """Weights of the released names."""
    import torch

    from engines.networks.codec import build_codec, codec_config

    torch.manual_seed(0)
    codec = build_codec(codec_config(4, (8, 5, 4, 4), codebooks=4, codebook_size=64), recurrent=True)
    spread_codes(codec.model)
    shapes: dict[str, tuple[int, ...]] = {
        "emb.weight": (DIM, 162), "linear.weight": (128, DIM), "temb.dense.0.weight": (TIME, 128),
        "temb.dense.1.weight": (TIME, TIME), "temb_proj.weight": (DIM, TIME),
        f"{PART}description.output_proj.weight": (DIM, TEXT), f"{PART}chords.emb.weight": (195, 16),
        f"{PART}self_wav.output_proj.weight": (2, 128), f"{PART}melody.output_proj.weight": (16, 53),
    }  # fmt: skip
    for i in range(SKIPS):
        shapes[f"transformer.skip_projections.{i}.weight"] = (DIM, 2 * DIM)
    for name in [name for name in shapes if not name.startswith(("emb", "linear", f"{PART}chords"))]:
        shapes[name.replace("weight", "bias")] = shapes[name][:1]
    for i in range(LAYERS):
        at = f"transformer.layers.{i}."
        shapes |= {f"{at}{name}.weight": (DIM,) for name in ("norm1", "norm2", "norm_cross")}
        shapes |= {f"{at}{name}.bias": (DIM,) for name in ("norm1", "norm2", "norm_cross")}
        shapes |= {f"{at}{name}.in_proj_weight": (3 * DIM, DIM) for name in ("self_attn", "cross_attention")}
        shapes |= {f"{at}{name}.out_proj.weight": (DIM, DIM) for name in ("self_attn", "cross_attention")}
        shapes |= {f"{at}linear1.weight": (FF, DIM), f"{at}linear2.weight": (DIM, FF)}
    shapes |= {"out_norm.weight": (DIM,), "out_norm.bias": (DIM,)}
    weights = {name: 0.2 * torch.randn(shape) for name, shape in shapes.items()}
    inner = f"{PART}self_wav.compression_model.model."
    older = {"parametrizations.weight.original0": "weight_g", "parametrizations.weight.original1": "weight_v"}
    for name, weight in codec.model.state_dict().items():
        for new, old in older.items():
            name = name.replace(new, old)
        weights[inner + name] = weight
    return weights


def save_tiny_jasco(folder: Path) -> Path:
    """A JASCO and the T5 that it names; the same weights every time."""
    import torch
    from transformers import T5EncoderModel

    folder.mkdir(parents=True, exist_ok=True)
    saved = {"best_state": state(), "xp.cfg": CONFIG, "version": "1.4.0a2", "exported": True}
    torch.save(saved, folder / "state_dict.bin")
    T5EncoderModel(t5_config(TEXT)).save_pretrained(folder / "t5-base")
    save_tokenizer(folder / "t5-base")
    return folder
