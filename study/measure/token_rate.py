"""How fast a large token model is read: MusicGen-small's shape, random weights, beside transformers'.

`python -m study.runtime --tokens` asks for it. All in one process, in turns: transformers in float32 and
bfloat16, ours with exact weights and with a byte a weight. A clip of so many frames, greedy, two guided
rows; a tiny text encoder and a tiny codec, which are not what is measured. Needs transformers.
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable

import torch

from engines.networks.lane_frames import null_lanes
from engines.networks.lm import LM
from engines.networks.shapes import LMConfig
from engines.networks.text import TextStates
from engines.sampling.decode import complete
from engines.sampling.guidance import Source

SMALL = LMConfig(
    codebooks=4, codebook_size=2048, dim=1024, layers=24, heads=16, ff=4096, text_dim=32,
    lanes=False, modulated=False, fills=False, silent_null=True,
)  # fmt: skip
ROWS = (Source(True, False, 3.0), Source(False, False, -2.0))
WORDS = 6  # tokens of the prompt


def table(rounds: int, frames: int) -> str:
    """Steps a second of each way: a table."""
    ways = {**theirs(frames), **ours(frames)}
    spent: dict[str, list[float]] = {name: [] for name in ways}
    with torch.inference_mode():
        for turn in range(rounds + 1):  # the first packs weights and warms caches
            for name, way in ways.items():
                begun = time.perf_counter()
                way()
                if turn:
                    spent[name].append(time.perf_counter() - begun)
    rates = {name: frames / statistics.median(times) for name, times in spent.items()}
    first = rates["transformers, float32"]
    lines = ["| | steps a second | against transformers, float32 |", "|---|---|---|"]
    lines += [f"| {name} | {rate:.2f} | {rate / first:.2f} |" for name, rate in rates.items()]
    return "\n".join(lines)


def ours(frames: int) -> dict[str, Callable[[], object]]:
    """Our loop with exact weights and with bytes."""
    torch.manual_seed(0)
    lm = LM(SMALL).eval().requires_grad_(False)
    tokens = torch.randn(1, WORDS, SMALL.text_dim)
    words = TextStates(tokens, torch.ones(1, WORDS, dtype=torch.bool), tokens.mean(1))
    codes = torch.zeros(1, SMALL.codebooks, frames, dtype=torch.int64)

    def of(network: LM, in_bytes: bool) -> Callable[[], object]:
        def run() -> object:
            network.in_bytes = in_bytes
            return complete(
                network, codes, 0, null_lanes(1, frames), words, ROWS, lambda x: x.argmax(-1), lambda *_: None
            )

        return run

    # two of them: the packed weights of a layer are kept in one form
    return {"ours, exact": of(copy.deepcopy(lm), False), "ours, bytes": of(lm, True)}


def theirs(frames: int) -> dict[str, Callable[[], object]]:
    """`generate` of transformers in both precisions."""
    from transformers import EncodecConfig, MusicgenConfig, MusicgenForConditionalGeneration, T5Config
    from transformers.models.musicgen.configuration_musicgen import MusicgenDecoderConfig

    torch.manual_seed(0)
    book = SMALL.codebook_size
    encoder = T5Config(vocab_size=64, d_model=SMALL.text_dim, d_kv=8, d_ff=64, num_layers=1, num_heads=4)
    codec = EncodecConfig(
        sampling_rate=32_000, num_filters=4, hidden_size=16, codebook_size=book,
        upsampling_ratios=[8, 5, 4, 4], target_bandwidths=[2.2], use_causal_conv=False, num_lstm_layers=1,
    )  # fmt: skip
    decoder = MusicgenDecoderConfig(pad_token_id=book, bos_token_id=book)
    model = MusicgenForConditionalGeneration(
        MusicgenConfig(text_encoder=encoder, audio_encoder=codec, decoder=decoder)
    ).eval()
    model.generation_config.pad_token_id = model.generation_config.decoder_start_token_id = book
    words = {"input_ids": torch.arange(3, 3 + WORDS)[None], "attention_mask": torch.ones(1, WORDS).long()}

    def of(net: MusicgenForConditionalGeneration) -> Callable[[], object]:
        return lambda: net.generate(
            **words, do_sample=False, guidance_scale=3.0, max_new_tokens=frames + SMALL.codebooks - 1
        )

    return {
        "transformers, float32": of(model),
        "transformers, bfloat16": of(copy.deepcopy(model).bfloat16()),
    }
