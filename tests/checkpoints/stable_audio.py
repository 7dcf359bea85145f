"""A tiny Stable Audio 3 of random weights, saved as its pipeline saves itself.

python -m tests.checkpoints.stable_audio FOLDER [base|post]
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

from tests.checkpoints.pieces import byte_pairs, one_thread, stirred, with_beginning

Trained = Literal["base", "post"]
WIDTH, LATENTS = 32, 16
SECONDS = 12.0  # that its duration embedder knows


def save_tiny_stable_audio(folder: Path, trained: Trained = "post") -> Path:
    """Make the pipeline in `folder`: stereo at 44.1 kHz, frames of 4096 samples; always the same."""
    import diffusers
    import transformers
    from diffusers.pipelines.stable_audio_3.modeling_stable_audio_3 import StableAudio3DurationEmbedder

    vocabulary, merges = byte_pairs(["<pad>", "<eos>", "<bos>", "<unk>", "<mask>"])
    tokens = with_beginning(
        transformers.GemmaTokenizer(vocabulary, merges, model_max_length=64, padding_side="right")
    )
    shape = {
        "vocab_size": len(vocabulary), "hidden_size": WIDTH, "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 1, "head_dim": WIDTH // 2,
    }  # fmt: skip
    with one_thread():
        words = transformers.T5GemmaEncoderModel(
            transformers.T5GemmaConfig(
                encoder=transformers.T5GemmaModuleConfig(**shape),
                decoder=transformers.T5GemmaModuleConfig(**shape),
                is_encoder_decoder=False,
                vocab_size=len(vocabulary),
            )
        )
        codec = diffusers.AutoencoderSAME(
            encoder_channels=8, encoder_c_mults=(4,), encoder_transformer_depths=(2,), latent_dim=LATENTS,
            dim_heads=16, decoder_sinusoidal_blocks=(2,),
        )  # fmt: skip
        codec.bottleneck.running_std.fill_(1.7)
        net = diffusers.StableAudio3DiTModel(
            io_channels=LATENTS, embed_dim=WIDTH, depth=2, num_heads=2, cond_token_dim=WIDTH,
            global_cond_dim=WIDTH, local_add_cond_dim=LATENTS + 1, timestep_features_dim=16, ff_mult=2.0,
            num_memory_tokens=4,
        )  # fmt: skip
        durations = StableAudio3DurationEmbedder(output_dim=WIDTH, fourier_dim=16, max_val=SECONDS)
        pipeline = diffusers.StableAudio3Pipeline(
            vae=stirred(codec),
            text_encoder=stirred(words),
            tokenizer=tokens,
            duration_embedder=stirred(durations),
            transformer=stirred(net),
            # times are sigmas as they are; the post-trained one makes its latents noisy again each step
            scheduler=diffusers.FlowMatchEulerDiscreteScheduler(
                num_train_timesteps=1, stochastic_sampling=trained == "post"
            ),
        )
        pipeline.save_pretrained(folder)
    return folder


if __name__ == "__main__":
    save_tiny_stable_audio(Path(sys.argv[1]), "base" if sys.argv[2:] == ["base"] else "post")
