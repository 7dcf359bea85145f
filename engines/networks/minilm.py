"""MiniLM, the BERT that reads the words: PyTorch's own encoder with BERT's embeddings (Devlin et al. 2019).

transformers has it too, and brings what it has for hundreds of other models into the process: 94 MB and four
seconds. A test compares both. Does not know prompts, tokens' spelling or what the states are for.
"""

from __future__ import annotations

import json
from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor, nn


class MiniLM(nn.Module):
    """Token ids int64 [B, L] and a mask bool [B, L] (True = a token) -> states [B, L, D]."""

    def __init__(
        self, word: Tensor, place: Tensor, kind: Tensor, layers: int, heads: int, ff: int, eps: float
    ) -> None:
        """Tables [vocabulary, D], [places, D] and [2, D]; the rest has random weights."""
        super().__init__()
        dim = word.shape[1]
        tables = (nn.Embedding(len(table), dim, _weight=table) for table in (word, place, kind))
        self.word, self.place, self.kind = tables
        self.norm = nn.LayerNorm(dim, eps)
        layer = nn.TransformerEncoderLayer(
            dim, heads, ff, activation="gelu", layer_norm_eps=eps, batch_first=True
        )
        self.encoder = nn.TransformerEncoder(layer, layers, enable_nested_tensor=False)

    def forward(self, ids: Tensor, mask: Tensor) -> Tensor:
        """The last layer's states, [B, L] -> [B, L, D]; at padding they mean nothing."""
        x = self.word(ids) + self.kind.weight[0] + self.place.weight[: ids.shape[1]]
        states: Tensor = self.encoder(self.norm(x), src_key_padding_mask=~mask)
        return states


def load_minilm(folder: Path) -> MiniLM:
    """The network of a folder with BERT's `config.json` and `model.safetensors`.

    The weights stay in the file until they are read, and half of them, the table of words, mostly does.
    """
    told = json.loads((folder / "config.json").read_text("utf-8"))
    held = {name: weight.float() for name, weight in load_file(folder / "model.safetensors").items()}
    network = MiniLM(
        held["embeddings.word_embeddings.weight"],
        held["embeddings.position_embeddings.weight"],
        held["embeddings.token_type_embeddings.weight"],
        told["num_hidden_layers"],
        told["num_attention_heads"],
        told["intermediate_size"],
        told["layer_norm_eps"],
    )
    state = network.state_dict()
    names = {"norm": "embeddings.LayerNorm"}
    for i in range(told["num_hidden_layers"]):
        ours, theirs = f"encoder.layers.{i}", f"encoder.layer.{i}"
        names |= {
            f"{ours}.self_attn.out_proj": f"{theirs}.attention.output.dense",
            f"{ours}.norm1": f"{theirs}.attention.output.LayerNorm",
            f"{ours}.linear1": f"{theirs}.intermediate.dense",
            f"{ours}.linear2": f"{theirs}.output.dense",
            f"{ours}.norm2": f"{theirs}.output.LayerNorm",
        }
        for kind in ("weight", "bias"):
            three = [held[f"{theirs}.attention.self.{part}.{kind}"] for part in ("query", "key", "value")]
            state[f"{ours}.self_attn.in_proj_{kind}"] = torch.cat(three)
    for ours, theirs in names.items():
        state |= {f"{ours}.{kind}": held[f"{theirs}.{kind}"] for kind in ("weight", "bias")}
    network.load_state_dict(state, assign=True)
    return network.eval().requires_grad_(False)
