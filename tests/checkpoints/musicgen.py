"""Tiny MusicGens of random weights, in transformers' format and in audiocraft's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

MELODY_CONFIG = """sample_rate: 32000
transformer_lm: {n_q: 4}
  num_heads: 4
codebooks_pattern:
  delay:
    delays: [0, 1, 2, 3]
fuser:
  prepend: [self_wav, description]
  cross: []
"""
WORDS = "a calm bright piano guitar drums with loud soft slow fast music and the of in jazz rock".split()


def save_tokenizer(folder: Path) -> None:
    """A tokenizer of T5's kind that knows a few words and all letters, made without a network."""
    from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
    from transformers import PreTrainedTokenizerFast

    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), *((f"▁{word}", -2.0) for word in WORDS)]
    pieces += [(letter, -5.0) for letter in "▁abcdefghijklmnopqrstuvwxyz"]
    built = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=False))
    built.pre_tokenizer = pre_tokenizers.Metaspace()
    built.decoder = decoders.Metaspace()
    built.post_processor = processors.TemplateProcessing(
        single="$A </s>", pair="$A </s> $B </s>", special_tokens=[("</s>", 1)]
    )
    PreTrainedTokenizerFast(
        tokenizer_object=built, eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    ).save_pretrained(folder)


def t5_config(width: int = 32) -> Any:
    """A small T5 for that tokenizer."""
    from transformers import T5Config

    return T5Config(
        vocab_size=64, d_model=width, d_kv=8, d_ff=2 * width, num_layers=2, num_heads=4, use_cache=False
    )


def musicgen(stereo: bool = False, small: bool = False) -> Any:
    """transformers' model of random weights: tiny, or with the shapes of musicgen-small but for its T5."""
    import torch
    from transformers import MusicgenConfig, MusicgenForConditionalGeneration
    from transformers.models.musicgen.configuration_musicgen import MusicgenDecoderConfig

    torch.manual_seed(0)
    size = 2048 if small else 64
    decoder = MusicgenDecoderConfig(
        vocab_size=size, pad_token_id=size, bos_token_id=size, num_codebooks=8 if stereo else 4,
        audio_channels=2 if stereo else 1,
        **({} if small else {
            "hidden_size": 32, "num_hidden_layers": 3, "num_attention_heads": 4, "ffn_dim": 64,
        }),
    )  # fmt: skip
    model = MusicgenForConditionalGeneration(
        MusicgenConfig(text_encoder=t5_config(), audio_encoder=musicgen_codec(small), decoder=decoder)
    )
    return with_weights(model, size, small)


def musicgen_melody() -> Any:
    """transformers' tiny model of random weights that hears a melody."""
    import torch
    from transformers import MusicgenMelodyConfig, MusicgenMelodyForConditionalGeneration
    from transformers.models.musicgen_melody.configuration_musicgen_melody import MusicgenMelodyDecoderConfig

    torch.manual_seed(0)
    decoder = MusicgenMelodyDecoderConfig(
        vocab_size=64, pad_token_id=64, bos_token_id=64, num_codebooks=4, hidden_size=32,
        num_hidden_layers=3, num_attention_heads=4, ffn_dim=64,
    )  # fmt: skip
    model = MusicgenMelodyForConditionalGeneration(
        MusicgenMelodyConfig(text_encoder=t5_config(24), audio_encoder=musicgen_codec(), decoder=decoder)
    )
    return with_weights(model, 64)


def with_weights(model: Any, size: int, small: bool = False) -> Any:
    """The same model with larger random weights, so that what it is told can be heard in its logits."""
    import torch

    model.generation_config.pad_token_id = model.generation_config.bos_token_id = size
    model.generation_config.decoder_start_token_id = size
    for name, weight in model.named_parameters():
        if weight.ndim > 1 and not name.startswith("audio_encoder"):
            torch.nn.init.normal_(weight, std=0.04 if small else 0.2)
    spread_codes(model.audio_encoder)
    return model.eval()


def musicgen_codec(small: bool = False) -> Any:
    """EnCodec's shape at 32 kHz, tiny or as released."""
    from transformers import EncodecConfig

    return EncodecConfig(
        sampling_rate=32_000, upsampling_ratios=[8, 5, 4, 4], num_filters=64 if small else 4,
        codebook_size=2048 if small else 64, target_bandwidths=[2.2 if small else 1.2],
        use_causal_conv=False, use_conv_shortcut=False, normalize=False, hidden_size=128,
    )  # fmt: skip


def spread_codes(codec: Any) -> None:
    """Give an EnCodec of random weights codebooks that lie where its latents do."""
    import torch

    with torch.no_grad():
        z = codec.encoder(0.2 * torch.randn(1, 1, 64_000))[0]  # [D, T]
        for depth, layer in enumerate(codec.quantizer.layers):
            table = layer.codebook.embed
            spread = torch.randn(table.shape) * z.std(dim=1) * 0.5**depth
            table.copy_(spread + (z.mean(dim=1) if depth == 0 else 0.0))


def save_tiny_musicgen(folder: Path, stereo: bool = False) -> Path:
    """A MusicGen in transformers' format, mono or stereo; the same weights every time."""
    folder.mkdir(parents=True, exist_ok=True)
    musicgen(stereo).save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def save_tiny_melody(folder: Path) -> Path:
    """A MusicGen-melody in transformers' format; the same weights every time."""
    folder.mkdir(parents=True, exist_ok=True)
    musicgen_melody().save_pretrained(folder)
    save_tokenizer(folder)
    return folder


def save_packed_melody(folder: Path, melody: Path) -> Path:
    """The MusicGen-melody of a folder in audiocraft's format, under the names that its code gives weights."""
    import torch
    from safetensors.torch import load_file
    from transformers import T5EncoderModel

    state = load_file(melody / "model.safetensors")
    inner = "decoder.model.decoder."
    put = {"best_state": {}, "xp.cfg": MELODY_CONFIG}
    out: dict[str, Any] = put["best_state"]  # type: ignore[assignment]
    for k in range(4):
        out[f"emb.{k}.weight"] = state[f"{inner}embed_tokens.{k}.weight"]
        out[f"linears.{k}.weight"] = state[f"decoder.lm_heads.{k}.weight"]
    told = "condition_provider.conditioners."
    for part in ("weight", "bias"):
        out[f"out_norm.{part}"] = state[f"{inner}layer_norm.{part}"]
        out[f"{told}description.output_proj.{part}"] = state[f"enc_to_dec_proj.{part}"]
        out[f"{told}self_wav.output_proj.{part}"] = state[f"audio_enc_to_dec_proj.{part}"]
    out[f"{told}self_wav.chroma.spec.window"] = torch.hann_window(16_384)
    for i in range(3):
        old, new = f"{inner}layers.{i}.", f"transformer.layers.{i}."
        packed = [state[f"{old}self_attn.{kind}_proj.weight"] for kind in "qkv"]
        out[f"{new}self_attn.in_proj_weight"] = torch.cat(packed)
        out[f"{new}self_attn.out_proj.weight"] = state[f"{old}self_attn.out_proj.weight"]
        for part in ("weight", "bias"):
            out[f"{new}norm1.{part}"] = state[f"{old}self_attn_layer_norm.{part}"]
            out[f"{new}norm2.{part}"] = state[f"{old}final_layer_norm.{part}"]
        out |= {f"{new}linear{n}.weight": state[f"{old}fc{n}.weight"] for n in (1, 2)}
    folder.mkdir(parents=True, exist_ok=True)
    torch.save(put, folder / "state_dict.bin")
    codec = {k.removeprefix("audio_encoder."): w for k, w in state.items() if k.startswith("audio_encoder.")}
    saved = {"best_state": audiocraft_names(codec), "xp.cfg": "sample_rate: 32000\n"}
    torch.save(saved, folder / "compression_state_dict.bin")
    words = T5EncoderModel(t5_config(24))
    words.load_state_dict(
        {k.removeprefix("text_encoder."): w for k, w in state.items() if k.startswith("text_encoder.")},
        strict=False,
    )
    words.save_pretrained(folder / "t5-base")
    save_tokenizer(folder / "t5-base")
    return folder


def save_tiny_audiocraft(folder: Path, state: Path) -> Path:
    """A MusicGen in audiocraft's format around a released-shape `state`: a tiny codec and a T5 beside it."""
    import torch
    from transformers import T5EncoderModel

    from engines.networks.codec import build_codec, codec_config

    folder.mkdir(parents=True, exist_ok=True)
    (folder / "state_dict.bin").write_bytes(state.read_bytes())
    torch.manual_seed(0)
    package = torch.load(state, weights_only=True)
    size = len(package["best_state"]["linears.0.weight"])
    codec = build_codec(codec_config(4, (8, 5, 4, 4), codebooks=4, codebook_size=size), recurrent=True)
    spread_codes(codec.model)
    saved = {"best_state": audiocraft_names(codec.model.state_dict()), "xp.cfg": "sample_rate: 32000\n"}
    torch.save(saved, folder / "compression_state_dict.bin")
    width = package["best_state"]["condition_provider.conditioners.description.output_proj.weight"].shape[1]
    T5EncoderModel(t5_config(width)).save_pretrained(folder / "t5-base")
    save_tokenizer(folder / "t5-base")
    return folder


def audiocraft_names(state: dict[str, Any]) -> dict[str, Any]:
    """EnCodec's weights as audiocraft names them."""
    out = {}
    for name, weight in state.items():
        name = re.sub(r"^(encoder|decoder)\.layers\.", r"\1.model.", name)
        transposed = name.startswith("decoder") and re.search(r"model\.(3|6|9|12)\.conv\.", name)
        name = re.sub(r"\.conv\.", ".convtr.convtr." if transposed else ".conv.conv.", name)
        name = name.replace("quantizer.layers.", "quantizer.vq.layers.").replace(".codebook.", "._codebook.")
        name = name.replace("parametrizations.weight.original0", "weight_g")
        name = name.replace("parametrizations.weight.original1", "weight_v")
        out[name] = weight
        if name.endswith("._codebook.embed"):
            out[name.removesuffix("embed") + "inited"] = weight.new_ones(1)
    return out
