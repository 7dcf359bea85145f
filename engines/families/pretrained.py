"""Parts of a checkpoint in the format of diffusers and transformers: read, checked, nothing fetched.

A folder holds `model_index.json`, which names the pipeline, and one folder a part with its configuration and
its weights. Loads neither torch nor the two libraries before a part is loaded.
"""

from __future__ import annotations

import importlib
import json
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.errors import InputError

if TYPE_CHECKING:
    import torch

LIBRARIES = ("diffusers", "transformers")
NAMED = 3  # most missing weights that a message names


def pipeline_of(folder: Path) -> str:
    """The class of the pipeline that was saved in a folder; empty where none was, or where nobody can say."""
    try:
        index = json.loads((folder / "model_index.json").read_text("utf-8"))
    except (OSError, ValueError):
        return ""
    name = index.get("_class_name", "") if isinstance(index, dict) else ""
    return name if isinstance(name, str) else ""


def configs(folder: Path, parts: Sequence[str], file: str = "config.json") -> dict[str, dict[str, Any]]:
    """The configuration of each part that has weights.

    Raises InputError where one is missing or cannot be read, or where its weights are no safetensors.
    """
    found = {}
    for part in parts:
        found[part] = config(folder, f"{part}/{file}")
        if not any((folder / part).glob("*.safetensors")):
            raise InputError(
                f"{folder.name[:64]!r}: {part}/ holds no weights; expected a .safetensors file; "
                "get the checkpoint again"
            )
    return found


def config(folder: Path, file: str) -> dict[str, Any]:
    """One JSON file of a checkpoint; InputError where it is missing, or no JSON object."""
    try:
        read = json.loads((folder / file).read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"{folder.name[:64]!r}: {file} is missing or damaged; get the checkpoint again"
        ) from error
    if not isinstance(read, dict):
        raise InputError(f"{folder.name[:64]!r}: {file} is no JSON object; get the checkpoint again")
    return read


def library(name: str) -> Any:
    """A library of the extra "models"; InputError where it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError(
            f"library {name!r}: this model needs it and it is missing; run pip install 'inlay[models]'"
        ) from error


def part(folder: Path, name: str, kind: str, device: torch.device, of: str = "diffusers") -> Any:
    """The network of class `kind` of a library in `folder / name`, frozen, float32, on a device.

    Raises InputError where the library is missing, ValueError where weights are: both libraries would leave
    such ones random and only log it.
    """
    import torch

    kinds = library(of)
    more: dict[str, Any] = {"torch_dtype": torch.float32, "low_cpu_mem_usage": False}
    if of == "transformers":
        more = {"dtype": torch.float32}
        kinds.utils.logging.disable_progress_bar()  # nobody looks at a server's standard error
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)  # of torch, about how diffusers normalises weights
        network, told = getattr(kinds, kind).from_pretrained(
            folder / name, local_files_only=True, use_safetensors=True, output_loading_info=True, **more
        )
    missing = [str(key) for kind in ("missing_keys", "mismatched_keys") for key in told.get(kind, ())]
    if missing:
        raise ValueError(f"{name}: {len(missing)} weights are missing, such as {', '.join(missing[:NAMED])}")
    return network.eval().requires_grad_(False).to(device)


def tokenizer(folder: Path, name: str = "tokenizer") -> Any:
    """The tokenizer in `folder / name`; InputError where transformers is missing."""
    return library("transformers").AutoTokenizer.from_pretrained(
        folder / name, local_files_only=True, trust_remote_code=False
    )
