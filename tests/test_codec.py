"""The codec: shapes at any strides and depth, the quantizer's arithmetic, and transformers' own loading."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

from engines.networks.codec import Codec, build_codec, codec_config, full_state, load_codec, save_codec
from engines.networks.shapes import CodecConfig


def random_codec(ratios: tuple[int, ...] = (8, 8, 5, 4), books: int = 4, size: int = 32) -> Codec:
    torch.manual_seed(0)
    codec = build_codec(codec_config(8, ratios, books, size), mean=0.1, std=2.0).eval()
    for k, layer in enumerate(codec.model.quantizer.layers):
        layer.codebook.embed.copy_(torch.randn(size, codec.dim) / (k + 1))
    return codec


@pytest.mark.parametrize(
    ("ratios", "rate"), [((8, 8, 5, 4), 25.0), ((8, 5, 4, 4), 50.0), ((8, 5, 4, 2), 100.0)]
)
def test_any_strides_and_depth(ratios: tuple[int, ...], rate: float) -> None:
    codec = random_codec(ratios, books=3)
    assert codec.frame_rate == rate and codec.codebooks == 3 and codec.codebook_size == 32
    with torch.inference_mode():
        z = codec.encode(torch.randn(2, 1, 32_000))
        codes = codec.quantize(z)
        assert z.shape == (2, 128, rate) and codes.shape == (2, 3, rate)
        assert codec.decode(z).shape == (2, 1, 32_000)


@torch.inference_mode()
def test_a_checkpoint_with_recurrence_keeps_it(tmp_path: Path) -> None:
    torch.manual_seed(0)
    codec = build_codec(codec_config(8, (8, 5, 4, 4), 4, 64), recurrent=True).eval()
    again = load_codec(tmp_path, save_codec(codec, tmp_path))
    x = torch.randn(1, 1, 6400)
    assert any(".lstm." in k for k in again.model.state_dict())
    assert torch.allclose(again.encode(x), codec.encode(x), atol=0.02)


def test_public_depth_of_four_books_of_2048() -> None:
    codec = build_codec(codec_config(8, (8, 5, 4, 4), 4, 2048))
    assert codec.codebooks == 4 and codec.codebook_size == 2048


@torch.inference_mode()
def test_each_book_takes_what_the_one_before_left() -> None:
    codec = random_codec()
    z = torch.randn(1, codec.dim, 20)
    codes = codec.quantize(z)
    rest = (z * codec.std + codec.mean)[0].T  # [T, D], what the encoder gave
    for k, layer in enumerate(codec.model.quantizer.layers):
        table = layer.codebook.embed
        nearest = torch.cdist(rest, table).argmin(1)
        assert torch.equal(codes[0, k], nearest)
        rest = rest - table[nearest]
    told = (codec.dequantize(codes) * codec.std + codec.mean)[0].T
    assert torch.allclose(told, (z * codec.std + codec.mean)[0].T - rest, atol=1e-5)


@torch.inference_mode()
def test_latents_are_normalised_by_one_mean_and_one_std() -> None:
    codec = random_codec()
    x = torch.randn(1, 1, 12_800)
    raw = codec.model.encoder(x)
    assert torch.allclose(codec.encode(x), (raw - 0.1) / 2.0)
    assert torch.allclose(codec.decode(codec.encode(x)), codec.model.decoder(raw), atol=1e-5)


@torch.inference_mode()
def test_transformers_loads_it_unchanged() -> None:
    from transformers import EncodecConfig, EncodecModel

    codec = random_codec()
    plain = EncodecModel(EncodecConfig(**codec.model.config.to_json()))
    plain.load_state_dict(full_state(codec))
    plain.eval()
    x = torch.randn(1, 1, 32_000)
    codes = plain.encode(x, bandwidth=codec.model.config.target_bandwidths[-1]).audio_codes[0]
    assert torch.equal(codes, codec.quantize(codec.encode(x)))
    out = plain.decode(codes[None], [None]).audio_values
    assert torch.allclose(out, codec.decode(codec.dequantize(codes)), atol=1e-5)


@torch.inference_mode()
def test_saved_and_loaded_it_is_the_same_to_half_precision(tmp_path: Path) -> None:
    codec = random_codec()
    spec = save_codec(codec, tmp_path)
    again = load_codec(tmp_path, spec)
    assert (again.mean, again.std) == (codec.mean, codec.std)
    x = torch.randn(1, 1, 32_000)
    assert torch.allclose(again.encode(x), codec.encode(x), atol=0.02)
    with pytest.raises(ValueError, match="does not fit"):
        load_codec(tmp_path, {**spec, "config": {**spec["config"], "upsampling_ratios": [8, 8, 5, 4, 2]}})


@pytest.mark.parametrize("seconds", [0.001, 0.13, 1.0])
@pytest.mark.parametrize(
    "public", [{}, {"use_causal_conv": False, "use_conv_shortcut": False, "num_residual_layers": 2}]
)
@torch.inference_mode()
def test_a_public_shape_is_transformers_own(public: dict[str, Any], seconds: float) -> None:
    from transformers import EncodecConfig, EncodecModel

    told = {"num_filters": 4, "upsampling_ratios": [5, 3], "codebook_size": 16, **public}
    plain = EncodecModel(EncodecConfig(**told)).eval()
    config = CodecConfig.from_json(EncodecConfig(**told).to_dict())
    codec = build_codec(config, recurrent=True).eval()
    assert {*codec.model.state_dict()} <= {*plain.state_dict()} == {*full_state(codec)}
    assert config.codebooks == plain.config.num_quantizers and config.hop_length == plain.config.hop_length
    codec.model.load_state_dict(
        {k: v for k, v in plain.state_dict().items() if k in codec.model.state_dict()}
    )
    x = torch.randn(1, 1, round(24_000 * seconds))
    z = plain.encoder(x)
    assert torch.equal(codec.model.encoder(x), z) and torch.equal(codec.model.decoder(z), plain.decoder(z))


def test_a_shape_that_is_not_done_is_named() -> None:
    with pytest.raises(ValueError, match="norm_type 'time_group_norm': expected 'weight_norm'"):
        CodecConfig.from_json({"norm_type": "time_group_norm"})


@pytest.mark.parametrize("ratios", [(8, 8, 5, 4), (4, 4, 5, 4)])
def test_a_part_is_encoded_and_decoded_as_in_the_whole(ratios: tuple[int, ...]) -> None:
    codec = random_codec(ratios)
    reach = codec.reach
    assert reach is not None
    audio = torch.randn(1, 1, 60 * codec.hop, generator=torch.Generator().manual_seed(0)) * 0.1
    a, b = 20, 30
    with torch.no_grad():
        whole = codec.encode(audio)
        part = codec.encode(audio[..., (a - reach) * codec.hop : (b + reach) * codec.hop])
        assert torch.allclose(part[..., reach:-reach], whole[..., a:b], atol=1e-4)
        made = codec.decode(whole)[..., a * codec.hop : b * codec.hop]
        cut = codec.decode(whole[..., a - reach : b + reach])
        assert torch.allclose(cut[..., reach * codec.hop : -reach * codec.hop], made, atol=1e-5)


def test_a_recurrent_codec_hears_everything() -> None:
    assert build_codec(codec_config(4, (8, 8, 5, 4), 4, 32), recurrent=True).reach is None
