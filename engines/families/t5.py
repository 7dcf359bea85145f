"""T5's encoder, which reads the words for MusicGen and JASCO (Raffel et al. 2020), by transformers.

transformers is asked for only here, when a prompt is first read, and never for anything that is not on this
machine. Does not know the networks that read the states.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch

from engines.errors import InputError
from engines.families.weights import beneath, read_weights
from engines.networks.text import TextStates


class T5Words:
    """Prompts -> states [B, L, D] of T5's encoder, on the CPU."""

    def __init__(self, tokenizer: Any, model: Any) -> None:
        self._tokenizer, self._model = tokenizer, model.eval().requires_grad_(False)

    def encode(self, prompts: Sequence[str]) -> TextStates:
        """Prompts -> tokens [B, L, D], mask [B, L], pooled [B, D], which no network of T5's reads."""
        told = self._tokenizer(list(prompts), return_tensors="pt", padding=True)
        mask = told["attention_mask"]
        with torch.inference_mode(False), torch.no_grad():
            states = self._model(input_ids=told["input_ids"], attention_mask=mask).last_hidden_state
        return TextStates(states, mask.bool(), states.mean(dim=1))


def inside(folder: Path, config: dict[str, Any]) -> T5Words:
    """The encoder that lies in a checkpoint of transformers' format, under `text_encoder.`."""
    transformers = _transformers()
    with torch.device("meta"):
        model = transformers.T5EncoderModel(transformers.T5Config(**config))
    state = beneath(read_weights(folder, "text_encoder."), "text_encoder.")
    table = state.get("shared.weight", state.get("encoder.embed_tokens.weight"))
    if table is None:
        raise InputError(f"{folder.name[:64]!r}: its text encoder is missing; get it again")
    state |= {
        "shared.weight": table,
        "encoder.embed_tokens.weight": table,
    }  # one table, saved under either name
    try:
        model.load_state_dict(state, assign=True)
        model.tie_weights()
        tokenizer = transformers.AutoTokenizer.from_pretrained(folder, local_files_only=True)
    except (OSError, RuntimeError, ValueError) as error:
        reason = str(error).strip().splitlines()[0][:120]
        raise InputError(
            f"{folder.name[:64]!r}: its text encoder cannot be used ({reason}); get it again"
        ) from error
    return T5Words(tokenizer, model)


def beside(folder: Path, name: str) -> T5Words:
    """An encoder that a checkpoint only names: below the checkpoint's folder, or in the hub's cache."""
    transformers = _transformers()
    below = folder / name.split("/")[-1]
    for place in (below, name, f"google-t5/{name}"):
        if place is below and not below.is_dir():
            continue
        try:
            tokenizer = transformers.AutoTokenizer.from_pretrained(place, local_files_only=True)
            model = transformers.T5EncoderModel.from_pretrained(place, local_files_only=True)
        except (OSError, ValueError):
            continue
        return T5Words(tokenizer, model)
    raise InputError(
        f"text encoder {name[:64]!r}: it is not on this machine; "
        f"put the files of google-t5/{below.name} into {below}"
    )


def _transformers() -> Any:
    try:
        import transformers
    except ImportError as error:
        raise InputError(
            "this model reads words with transformers; run: pip install 'inlay[models]'"
        ) from error
    return transformers
