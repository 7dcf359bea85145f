"""Checkpoints in audiocraft's format: `state_dict.bin` with weights and configuration.

The configuration is text in YAML, of which few lines matter; shapes are those of the weights, because
released configurations say some of them wrong. Loads no torch when it is imported.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from engines.errors import InputError
from engines.families.weights import outline, read_package

if TYPE_CHECKING:
    from torch import Tensor

T5 = "t5-base"  # what all that were released read words with
STATE, CODEC = "state_dict.bin", "compression_state_dict.bin"
TEXT = "condition_provider.conditioners.description.output_proj."
_BLOCK = (
    ("self_norm", "norm1"), ("cross_norm", "norm_cross"), ("ff_norm", "norm2"),
)  # fmt: skip
_LINEAR = (
    ("self_in.weight", "self_attn.in_proj_weight"), ("self_out.weight", "self_attn.out_proj.weight"),
    ("cross_out.weight", "cross_attention.out_proj.weight"),
    ("fc1.weight", "linear1.weight"), ("fc2.weight", "linear2.weight"),
)  # fmt: skip


@dataclass(frozen=True)
class Package:
    """What is known of one before its weights are read."""

    shapes: dict[str, tuple[int, ...]]
    config: str  # YAML

    def number(self, key: str, usual: float) -> float:
        """The first number that the configuration gives a key."""
        found = re.search(rf"^\s*{key}:\s*([-+0-9.e]+)\s*$", self.config, re.M)
        return float(found[1]) if found else usual

    @property
    def t5(self) -> str:
        """Name of the text encoder."""
        found = re.search(r"\bt5:\s*\{?\s*name:\s*([\w./-]+)", self.config)
        return found[1] if found else T5

    @property
    def delays(self) -> list[int]:
        """Columns by which codebooks are late; empty where nothing says so."""
        found = re.search(r"\bdelays:\s*(\[[\d,\s]*\]|(?:\n?\s*-\s*\d+)+)", self.config)
        return [int(number) for number in re.findall(r"\d+", found[1])] if found else []

    @property
    def layers(self) -> int:
        """Blocks of the backbone."""
        return sum(bool(re.fullmatch(r"transformer\.layers\.\d+\.norm1\.weight", key)) for key in self.shapes)


def package_in(folder: Path) -> Package | None:
    """The package in a folder; None where none lies. Raises InputError where it cannot be read."""
    if not (folder / STATE).is_file():
        return None
    told = outline(folder / STATE)
    state, config = told.get("best_state"), told.get("xp.cfg")
    if not isinstance(state, dict) or not isinstance(config, str):
        raise InputError(f"{STATE}: expected best_state and xp.cfg as released; export the checkpoint again")
    return Package({key: shape for key, shape in state.items() if isinstance(shape, tuple)}, config)


def weights_in(file: Path) -> dict[str, Tensor]:
    """The weights [*] of a package, as they were saved."""
    state = read_package(file).get("best_state")
    if not isinstance(state, dict):
        raise InputError(f"{file.name}: expected best_state as released; export the checkpoint again")
    return state


def block_weights(state: dict[str, Tensor], layer: int) -> dict[str, Tensor]:
    """A block's weights [*] under the names of `engines.networks.transformer.Block`."""
    old, new = f"transformer.layers.{layer}.", f"transformer.blocks.{layer}."
    crossed = old + "norm_cross.weight" in state  # MusicGen-melody reads the text before its columns

    def theirs_of(pairs: tuple[tuple[str, str], ...]) -> Iterator[tuple[str, str]]:
        return (pair for pair in pairs if crossed or not pair[0].startswith("cross"))

    out = {new + ours: state[old + theirs] for ours, theirs in theirs_of(_LINEAR)}
    for ours, theirs in theirs_of(_BLOCK):
        out |= {f"{new}{ours}.{part}": state[f"{old}{theirs}.{part}"] for part in ("weight", "bias")}
    if not crossed:
        return out
    packed = state[old + "cross_attention.in_proj_weight"]  # [3 D, D]: q, k, v
    dim = packed.shape[1]
    return out | {new + "cross_q.weight": packed[:dim], new + "cross_kv.weight": packed[dim:]}
