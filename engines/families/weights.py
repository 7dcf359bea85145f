"""Weights of public checkpoints as they were saved: safetensors, torch's own files, either in shards.

Nothing in a file is ever run: torch's are read as weights only, and what is asked of one before torch is
there is read from its list of names by an unpickler that knows shapes alone. Loads no torch when it is
imported.
"""

from __future__ import annotations

import json
import pickle
import zipfile
from collections import OrderedDict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.errors import InputError

if TYPE_CHECKING:
    from torch import Tensor, nn

_SAVED = (
    "model.safetensors",
    "model.safetensors.index.json",
    "pytorch_model.bin",
    "pytorch_model.bin.index.json",
)


def config_of(folder: Path) -> dict[str, Any]:
    """What a folder's `config.json` says; empty where there is none, or none that can be read."""
    try:
        told = json.loads((folder / "config.json").read_text("utf-8"))
    except (OSError, ValueError):
        return {}
    return told if isinstance(told, dict) else {}


def saved_in(folder: Path) -> tuple[Path, ...]:
    """The files of a folder in transformers' format with its weights; InputError where one is missing."""
    name = next((name for name in _SAVED if (folder / name).is_file()), None)
    if name is None:
        raise InputError(f"{folder.name[:64]!r}: no weights lie there, expected {_SAVED[0]}; get it again")
    if not name.endswith(".json"):
        return (folder / name,)
    try:
        told = json.loads((folder / name).read_text("utf-8"))["weight_map"].values()
    except (ValueError, KeyError, AttributeError) as error:
        raise _unusable(folder / name, error) from error
    files = tuple(folder / Path(str(file)).name for file in sorted(set(told)))
    missing = [file.name for file in files if not file.is_file()]
    if missing:
        raise InputError(f"{folder.name[:64]!r}: {missing[0]} is missing; get it again")
    return files


def read_weights(folder: Path, *prefixes: str) -> dict[str, Tensor]:
    """Weights [*] in transformers' format whose names begin as one of `prefixes`, in float32."""
    state: dict[str, Tensor] = {}
    for file in saved_in(folder):
        if file.suffix == ".safetensors":
            from safetensors import safe_open

            with safe_open(file, "pt") as opened:
                names = [name for name in opened.keys() if name.startswith(prefixes)]  # noqa: SIM118
                state |= {name: opened.get_tensor(name).float() for name in names}
        else:
            part = read_package(file)
            state |= {name: w.float() for name, w in part.items() if name.startswith(prefixes)}
    return state


def beneath(state: dict[str, Tensor], prefix: str) -> dict[str, Tensor]:
    """The weights [*] whose names begin so, without that beginning."""
    return {name.removeprefix(prefix): weight for name, weight in state.items() if name.startswith(prefix)}


def read_package(file: Path) -> dict[str, Any]:
    """What torch saved in a file, tensors [*] and plain values; InputError for anything else in it."""
    import torch

    try:
        told = torch.load(file, map_location="cpu", weights_only=True, mmap=zipfile.is_zipfile(file))
    except (OSError, RuntimeError, EOFError, ValueError, KeyError, pickle.UnpicklingError) as error:
        raise _unusable(file, error) from error
    if not isinstance(told, dict):
        raise InputError(f"{file.name}: it holds {type(told).__name__}, expected named weights; get it again")
    return told


def outline(file: Path) -> dict[str, Any]:
    """What torch saved in a file, shapes in place of tensors; InputError where it cannot be read."""
    try:
        with zipfile.ZipFile(file) as packed:
            name = next(name for name in packed.namelist() if name.endswith("/data.pkl"))
            with packed.open(name) as listed:
                told = _Outline(listed).load()
    except (
        OSError,
        zipfile.BadZipFile,
        StopIteration,
        EOFError,
        ValueError,
        pickle.UnpicklingError,
    ) as error:
        raise _unusable(file, error) from error
    return dict(told) if isinstance(told, dict) else {}


def fill(network: nn.Module, state: dict[str, Tensor], name: str) -> None:
    """Put weights [*] into a network, which may be on torch's `meta`; InputError where they do not fit."""
    expected = {key: weight.shape for key, weight in network.state_dict().items()}
    wrong = [
        key for key in {**expected, **state} if key not in state or state[key].shape != expected.get(key)
    ]
    if wrong:
        raise InputError(
            f"{name[:64]!r}: {len(wrong)} weights do not fit ({', '.join(wrong[:3])}); get it again"
        )
    network.load_state_dict(state, assign=True)
    network.eval().requires_grad_(False)


def short_of(folder: Path, key: str) -> InputError:
    """What is said of a checkpoint that lacks a weight."""
    return InputError(f"{folder.name[:64]!r}: the weight {key[:80]} is missing; get it again")


class _Outline(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> Any:
        if (module, name) == ("collections", "OrderedDict"):
            return OrderedDict
        if module == "torch._utils" and name in ("_rebuild_tensor", "_rebuild_tensor_v2"):
            return _shape
        if module == "torch._utils" and name == "_rebuild_parameter":
            return _first
        if module.split(".")[0] == "torch":  # kinds of storages and numbers, which are only named
            return name
        raise pickle.UnpicklingError(f"it holds {module}.{name}, which is no weight")

    def persistent_load(self, pid: Any) -> None:
        return None


def _shape(storage: Any, offset: int, size: tuple[int, ...], *rest: Any) -> tuple[int, ...]:
    return tuple(size)


def _first(data: Any, *rest: Any) -> Any:
    return data


def _unusable(file: Path, error: Exception) -> InputError:
    reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
    return InputError(f"{file.name}: it cannot be used ({reason}); get it again")
