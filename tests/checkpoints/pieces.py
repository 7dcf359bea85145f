"""What tiny checkpoints share: tokenizers that are learned on the spot, and weights of which none is zero."""

from __future__ import annotations

import json
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from torch import nn

TEXT = (
    "a gentle piano melody with soft strings in a concert hall",
    "four on the floor drums, deep bass and warm synthesizer chords at 120 bpm",
    "slow jazz trio with upright bass, brushed drums and a muted trumpet in D minor",
)


@contextmanager
def one_thread() -> Iterator[None]:
    """The same random weights wherever they are drawn, and no warnings of what diffusers does inside."""
    import torch

    threads, state = torch.get_num_threads(), torch.get_rng_state()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # of torch, about weight_norm
            yield
    finally:
        torch.set_num_threads(threads)
        torch.set_rng_state(state)


def stirred(network: nn.Module, spread: float = 0.15) -> nn.Module:
    """A network all of whose weights count: those that begin at zero or one are moved away from it."""
    import torch

    with torch.no_grad():
        for weight in network.parameters():
            if bool((weight == weight.flatten()[0]).all()):
                weight.add_(torch.randn_like(weight) * spread)
    return network.eval()


def with_beginning(tokens: Any, mark: str = "<bos>") -> Any:
    """A tokenizer that sets a mark before what it splits, as the released ones do."""
    from tokenizers.processors import TemplateProcessing

    tokens.backend_tokenizer.post_processor = TemplateProcessing(
        single=f"{mark} $A",
        pair=f"{mark} $A $B",
        special_tokens=[(mark, tokens.convert_tokens_to_ids(mark))],
    )
    return tokens


def byte_pairs(special: list[str], size: int = 400) -> tuple[dict[str, int], list[tuple[str, str]]]:
    """A vocabulary and its merges, learned from three sentences; bytes stand for all else."""
    from tokenizers import Tokenizer, models, normalizers, trainers

    learner = Tokenizer(models.BPE(unk_token="<unk>", byte_fallback=True))
    learner.normalizer = normalizers.Replace(" ", "▁")
    bytes_ = [f"<0x{i:02X}>" for i in range(256)]
    trainer = trainers.BpeTrainer(vocab_size=size, special_tokens=special + bytes_, show_progress=False)
    learner.train_from_iterator(TEXT, trainer)
    model: dict[str, Any] = json.loads(learner.to_str())["model"]
    return model["vocab"], [tuple(pair) for pair in model["merges"]]
