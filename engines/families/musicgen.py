"""MusicGen (Copet et al. 2023): tokens of EnCodec from words, mono and stereo, in the two formats released.

transformers' has codec, text encoder and network in one; audiocraft's has network and codec in two files and
names the text encoder. Both fill the house's own networks, which take a step sooner. It was not trained to
fill a middle. MusicGen-melody takes the melody lane, as the chromagram that it was made to hear of a
recording (sec. 3.2), and has no cross-attention; the others take no lanes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.errors import InputError
from engines.families import audiocraft
from engines.families.shape import CheckpointSpec, Spec, Tokenizer, Words
from engines.families.weights import beneath, config_of, fill, read_package, read_weights, saved_in, short_of
from engines.networks.shapes import CodecConfig, LMConfig
from engines.requests import ARSettings, Guidance

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from engines.networks.lm import LM

LICENCE = "CC-BY-NC-4.0"
FRAME_RATE = 50.0  # Hz, of EnCodec at 32 kHz
HEAD = 64  # width of a head in every size
FORMATS = ("musicgen", "musicgen_melody")  # as transformers calls them
CHROMA = 235  # frames of the chromagram of WINDOW_SECONDS
CHROMA_HOP = 4096  # samples at 32 kHz from one of them to the next, of its released extractors
WINDOW_SECONDS = 30.0  # of the segments that it was trained on
_SIZES = {1024: " small", 1536: " medium", 2048: " large"}  # width -> as its makers call it
_KIND: dict[str, Any] = {
    "lanes": False, "modulated": False, "fills": False, "silent_null": True,
    "window": int(WINDOW_SECONDS * FRAME_RATE), "chroma_step": CHROMA_HOP * FRAME_RATE / 32_000,
}  # fmt: skip
_GUIDANCE = Guidance(3.0, 0.0)
_TUNE = "condition_provider.conditioners.self_wav."  # audiocraft's name for what hears the melody
_NORMS = (("self_norm", "self_attn"), ("cross_norm", "encoder_attn"), ("ff_norm", "final"))


def spec_of(folder: Path) -> CheckpointSpec | None:
    """The spec of a MusicGen in a folder, None where none lies there.

    Raises InputError where its weights are missing, or it needs what this family does not have.
    """
    config = config_of(folder)
    if config.get("model_type") in FORMATS:
        saved_in(folder)
        codec = _codec_told(folder, config)
        frame_rate = codec.sampling_rate / codec.hop_length
        return _spec(folder, _shape_told(folder, config), codec.sampling_rate, frame_rate)
    package = audiocraft.package_in(folder)
    if package is None or "emb.0.weight" not in package.shapes:
        return None
    _hears(folder, package)
    if not (folder / audiocraft.CODEC).is_file():
        raise InputError(
            f"{folder.name[:64]!r}: {audiocraft.CODEC} is missing; put it beside {audiocraft.STATE}"
        )
    rate = int(package.number("sample_rate", 32_000))
    return _spec(folder, _shape_found(folder, package), rate, FRAME_RATE)


def load_codec(folder: Path, spec: Spec, device: torch.device) -> Tokenizer:
    """EnCodec, audio [B, C, N] <-> latents [B, C D, T] <-> codes [B, C K, T]."""
    from engines.families.encodec import Sides, codec_of

    config = config_of(folder)
    if config.get("model_type") in FORMATS:
        state = beneath(read_weights(folder, "audio_encoder."), "audio_encoder.")
        codec = codec_of(state, folder.name, _codec_told(folder, config))
    else:
        codec = codec_of(_codec_packed(folder), folder.name, rate=spec.rate)
    shape = _shape_in(folder)
    found = (codec.codebooks * shape.channels, codec.codebook_size, codec.frame_rate)
    wanted = (shape.codebooks, shape.codebook_size, spec.frame_rate)
    if found != wanted:
        has, expected = ("{} x {} codes at {:g} Hz".format(*each) for each in (found, wanted))
        raise InputError(f"{folder.name[:64]!r}: its codec has {has}, expected {expected}; get both together")
    codec = codec.to(device)
    return codec if shape.channels == 1 else Sides(codec)


def load_words(folder: Path, spec: Spec, device: torch.device) -> Words:
    """T5's encoder, prompts -> states [B, L, D] (on the CPU)."""
    from engines.families import t5

    config = config_of(folder)
    if config.get("model_type") in FORMATS:
        return t5.inside(folder, config.get("text_encoder", {}))
    package = audiocraft.package_in(folder)
    return t5.beside(folder, package.t5 if package is not None else audiocraft.T5)


def load_tokens(folder: Path, spec: Spec, device: torch.device) -> LM:
    """The network over codes [B, K, T], without a middle that it could fill."""
    import torch

    from engines.networks.lm import LM

    shape = _shape_in(folder)
    with torch.device("meta"):  # the random weights of a large one would take minutes
        lm = LM(shape)
    try:
        if config_of(folder).get("model_type") in FORMATS:
            parts = ("decoder.", "enc_to_dec_proj.", *(["audio_enc_to_dec_proj."] if shape.chroma else []))
            state = _from_transformers(read_weights(folder, *parts), shape)
        else:
            state = _from_audiocraft(audiocraft.weights_in(folder / audiocraft.STATE), shape)
    except KeyError as error:
        raise short_of(folder, str(error)) from error
    fill(lm, {name: weight.float() for name, weight in state.items()}, folder.name)
    return lm.to(device)


def _spec(folder: Path, shape: LMConfig, rate: int, frame_rate: float) -> CheckpointSpec:
    sides = " stereo" if shape.channels == 2 else ""
    size = _SIZES.get(shape.dim, "")
    if shape.chroma:  # the medium one is known as melody alone
        size = f"{size.replace(' medium', '')} melody"
    return CheckpointSpec(
        name=folder.name,
        title=f"MusicGen{size}{sides}",
        licence=LICENCE,
        commercial=False,
        rate=rate,
        channels=shape.channels,
        frame_rate=frame_rate,
        window_seconds=WINDOW_SECONDS,
        engines=("ar",),
        ar=ARSettings(top_k=250),
        lanes={"ar": ("melody",)} if shape.chroma else {},
        guidances={task: _GUIDANCE for task in ("generate", "inpaint", "change")},
        kind=f"{shape.layers} blocks of width {shape.dim}, EnCodec, {frame_rate:g} Hz, "
        f"{shape.codebooks} x {shape.codebook_size}, T5",
    )


def _hears(folder: Path, package: audiocraft.Package) -> bool:
    """Whether a package's network hears a melody; InputError where it hears something else."""
    heard = {key for key in package.shapes if key.startswith("condition_provider.") and "t5" not in key}
    heard -= {audiocraft.TEXT + part for part in ("weight", "bias")}
    if not heard:
        return False
    others = sorted(key for key in heard if not key.startswith((_TUNE + "output_proj.", _TUNE + "chroma.")))
    shape = package.shapes.get(_TUNE + "output_proj.weight", ())
    if others or shape[1:] != (12,):
        what = others[0].removeprefix("condition_provider.conditioners.") if others else f"of {shape[1:]}"
        raise InputError(
            f"{folder.name[:64]!r}: it hears what Inlay does not give it ({what[:64]}), expected words or a "
            "chromagram of 12; choose MusicGen or MusicGen-melody"
        )
    return True


def _shape_in(folder: Path) -> LMConfig:
    config = config_of(folder)
    if config.get("model_type") in FORMATS:
        return _shape_told(folder, config)
    package = audiocraft.package_in(folder)
    if package is None:
        raise InputError(f"{folder.name[:64]!r}: {audiocraft.STATE} is missing; get it again")
    return _shape_found(folder, package)


def _shape_told(folder: Path, config: dict[str, Any]) -> LMConfig:
    """Of the network as transformers' configuration has it, which leaves out what is as usual."""
    told = config.get("decoder", {})
    for key, usual in (("activation_function", "gelu"), ("scale_embedding", False)):
        if told.get(key, usual) != usual:
            raise InputError(
                f"{folder.name[:64]!r}: {key} {told[key]!r}; expected {usual!r}, choose another model"
            )
    chroma = 0
    if config.get("model_type") == "musicgen_melody":
        chroma = config.get("chroma_length", CHROMA)
        if config.get("num_chroma", 12) != 12 or not isinstance(chroma, int) or not 0 < chroma <= 10_000:
            raise InputError(
                f"{folder.name[:64]!r}: a chromagram of {config.get('num_chroma', 12)} x {chroma}; "
                f"expected 12 x {CHROMA}, choose another model"
            )
    return LMConfig(
        codebooks=told.get("num_codebooks", 4),
        codebook_size=told.get("vocab_size", 2048),
        dim=told.get("hidden_size", 1024),
        layers=told.get("num_hidden_layers", 24),
        heads=told.get("num_attention_heads", 16),
        ff=told.get("ffn_dim", 4096),
        text_dim=config.get("text_encoder", {}).get("d_model", 512),
        channels=told.get("audio_channels", 1),
        chroma=chroma,
        **_KIND,
    )


def _shape_found(folder: Path, package: audiocraft.Package) -> LMConfig:
    """Of the network as a package's weights have it."""
    shapes, delays = package.shapes, package.delays
    rows, dim = shapes["emb.0.weight"]
    books = sum(key.startswith("emb.") for key in shapes)
    paired = delays[: books + 1] == [book // 2 for book in range(books)] and books > 1
    if delays and not paired and delays != list(range(books)):
        raise InputError(
            f"{audiocraft.STATE}: delays {delays}; expected {list(range(books))}, choose another model"
        )
    return LMConfig(
        codebooks=books,
        codebook_size=rows - 1,
        dim=dim,
        layers=package.layers,
        heads=int(package.number("num_heads", dim // HEAD)),
        ff=shapes["transformer.layers.0.linear1.weight"][0],
        text_dim=shapes[audiocraft.TEXT + "weight"][1],
        channels=2 if paired else 1,
        chroma=CHROMA if _hears(folder, package) else 0,
        **_KIND,
    )


def _codec_told(folder: Path, config: dict[str, Any]) -> CodecConfig:
    try:
        return CodecConfig.from_json(config.get("audio_encoder", {}))
    except (ValueError, TypeError) as error:
        raise InputError(f"{folder.name[:64]!r}: its codec has {error}; choose another model") from error


def _codec_packed(folder: Path) -> dict[str, Tensor]:
    """Weights [*] of the codec beside a package, or of that which it names, below the folder."""
    told = read_package(folder / audiocraft.CODEC)
    named = told.get("pretrained")
    if not isinstance(named, str):
        return audiocraft.weights_in(folder / audiocraft.CODEC)
    below = folder / named.split("/")[-1]
    if not below.is_dir():
        raise InputError(f"codec {named[:64]!r}: it is not on this machine; put its files into {below}")
    return read_weights(below, "encoder.", "decoder.", "quantizer.")


def _from_transformers(state: dict[str, Tensor], shape: LMConfig) -> dict[str, Tensor]:
    """transformers' weights [*] under the names of `LM`."""
    import torch

    inner = "decoder.model.decoder."
    out = {f"emb.{k}.weight": state[f"{inner}embed_tokens.{k}.weight"] for k in range(shape.codebooks)}
    heads = [state[f"decoder.lm_heads.{k}.weight"] for k in range(shape.codebooks)]
    out["heads.weight"] = torch.cat(heads)  # K x [V, D] -> [K V, D]
    for part in ("weight", "bias"):
        out[f"transformer.out_norm.{part}"] = state[f"{inner}layer_norm.{part}"]
        if shape.chroma:
            out[f"chroma_proj.{part}"] = state[f"audio_enc_to_dec_proj.{part}"]
    if "enc_to_dec_proj.weight" in state:
        out |= {
            f"transformer.text_proj.{part}": state[f"enc_to_dec_proj.{part}"] for part in ("weight", "bias")
        }
    else:  # left out where T5 is as wide as the network
        out["transformer.text_proj.weight"] = torch.eye(shape.dim)
        out["transformer.text_proj.bias"] = torch.zeros(shape.dim)
    for layer in range(shape.layers):
        old, new = f"{inner}layers.{layer}.", f"transformer.blocks.{layer}."

        def joined(attention: str, kinds: str, old: str = old) -> Tensor:
            return torch.cat([state[f"{old}{attention}.{kind}_proj.weight"] for kind in kinds])

        out[new + "self_in.weight"] = joined("self_attn", "qkv")
        out[new + "self_out.weight"] = state[old + "self_attn.out_proj.weight"]
        if not shape.chroma:
            out[new + "cross_q.weight"] = joined("encoder_attn", "q")
            out[new + "cross_kv.weight"] = joined("encoder_attn", "kv")
            out[new + "cross_out.weight"] = state[old + "encoder_attn.out_proj.weight"]
        out |= {f"{new}{name}.weight": state[f"{old}{name}.weight"] for name in ("fc1", "fc2")}
        for ours, theirs in (_NORMS[0], _NORMS[2]) if shape.chroma else _NORMS:
            for part in ("weight", "bias"):
                out[f"{new}{ours}.{part}"] = state[f"{old}{theirs}_layer_norm.{part}"]
    return out


def _from_audiocraft(state: dict[str, Tensor], shape: LMConfig) -> dict[str, Tensor]:
    """audiocraft's weights [*] under the names of `LM`."""
    import torch

    out = {f"emb.{k}.weight": state[f"emb.{k}.weight"] for k in range(shape.codebooks)}
    out["heads.weight"] = torch.cat([state[f"linears.{k}.weight"] for k in range(shape.codebooks)])
    for part in ("weight", "bias"):
        out[f"transformer.out_norm.{part}"] = state[f"out_norm.{part}"]
        out[f"transformer.text_proj.{part}"] = state[audiocraft.TEXT + part]
        if shape.chroma:
            out[f"chroma_proj.{part}"] = state[f"{_TUNE}output_proj.{part}"]
    for layer in range(shape.layers):
        out |= audiocraft.block_weights(state, layer)
    return out
