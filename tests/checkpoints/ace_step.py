"""A tiny ACE-Step 1.5 of random weights, saved as its pipeline saves itself.

python -m tests.checkpoints.ace_step FOLDER [turbo|base]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, Literal

from tests.checkpoints.pieces import TEXT, one_thread, stirred

Variant = Literal["turbo", "base"]
WIDTH, LATENTS = 32, 8


def _tokens() -> Any:
    """Byte-level pairs, learned from three sentences."""
    import json

    import transformers
    from tokenizers import Tokenizer, models, pre_tokenizers, trainers

    learner = Tokenizer(models.BPE())
    learner.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    trainer = trainers.BpeTrainer(
        vocab_size=320,
        special_tokens=["<|endoftext|>"],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    learner.train_from_iterator(TEXT, trainer)
    model = json.loads(learner.to_str())["model"]
    return transformers.Qwen2Tokenizer(
        model["vocab"], [tuple(pair) for pair in model["merges"]], pad_token="<|endoftext|>"
    )


def save_tiny_ace_step(folder: Path, variant: Variant = "turbo") -> Path:
    """Make the pipeline in `folder`: stereo at 48 kHz, frames of 1920 samples; always the same."""
    import diffusers
    import torch
    import transformers

    tokens = _tokens()
    heads = {"num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": WIDTH // 2}
    shape = {"hidden_size": WIDTH, "intermediate_size": 2 * WIDTH, **heads}
    with one_thread():
        words = transformers.Qwen3Model(
            transformers.Qwen3Config(vocab_size=len(tokens), num_hidden_layers=2, **shape)
        )
        codec = diffusers.AutoencoderOobleck(
            encoder_hidden_size=2 * LATENTS, downsampling_ratios=[2, 4, 4, 6, 10],
            channel_multiples=[1, 1, 1, 1, 2], decoder_channels=8, decoder_input_channels=LATENTS,
            sampling_rate=48_000,
        )  # fmt: skip
        net = diffusers.AceStepTransformer1DModel(
            num_hidden_layers=2, in_channels=3 * LATENTS, audio_acoustic_hidden_dim=LATENTS, sliding_window=8,
            is_turbo=variant == "turbo", model_version=variant, **shape,
        )  # fmt: skip
        conditions = diffusers.AceStepConditionEncoder(
            text_hidden_dim=WIDTH, timbre_hidden_dim=LATENTS, num_lyric_encoder_hidden_layers=2,
            num_timbre_encoder_hidden_layers=2, sliding_window=8, **shape,
        )  # fmt: skip
        conditions.silence_latent = torch.randn(1, 15_000, LATENTS)
        pipeline = diffusers.AceStepPipeline(
            vae=stirred(codec),
            text_encoder=stirred(words),
            tokenizer=tokens,
            transformer=stirred(net),
            condition_encoder=stirred(conditions),
            scheduler=diffusers.FlowMatchEulerDiscreteScheduler(num_train_timesteps=1, shift=1.0),
        )
        pipeline.save_pretrained(folder)
    return folder


if __name__ == "__main__":
    save_tiny_ace_step(Path(sys.argv[1]), "base" if sys.argv[2:] == ["base"] else "turbo")
