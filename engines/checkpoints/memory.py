"""How much memory a checkpoint takes, and how much is free. Sizes are bytes.

Every family computes in 32-bit floats, whatever its weights are stored in and wherever they go: four bytes a
weight, counted in the tables of its files. Loads no torch before a GPU is asked.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from typing import Any

from engines.errors import InputError
from engines.families.released.tensors import table
from engines.families.weights import outline

_WEIGHT = 4  # bytes
# Beside the weights while a run works, as measured on a CPU (16 GB and more free; ARCHITECTURE, "Memory").
_ROOM = 350_000_000  # a channel: libraries, and buffers of codec and sampling
_SHARE = 0.1  # activations, and what is there twice for a moment
# Keys and values of six fillings of 30 s: they grow with width times depth, so as the weights to 2/3.
_KEPT, _KEPT_AT = 2_900_000_000, 1_915_000_000  # bytes of them, at so many bytes of weights
_STORED = 2  # bytes of a weight in a file that was not got yet: the fewer, the more it may take
_TABLES = ".safetensors"
_PACKAGES = (".bin", ".th", ".pt")


def held(folder: Path) -> int:
    """Bytes that the weights of a checkpoint take on any device, once they are all loaded."""
    return _WEIGHT * sum(weights_in(file) for file in weight_files(folder))


def need(folder: Path, channels: int = 1, ar: bool = False) -> int:
    """Bytes that a checkpoint takes while a run is on it; `ar`: AR runs on it."""
    return _with_room(held(folder), channels, ar)


def need_to_get(size: int, channels: int = 1, ar: bool = False) -> int:
    """The same of one that is not here: from above, by the bytes that are to be got."""
    return _with_room(_WEIGHT // _STORED * size, channels, ar)


def _with_room(weights: int, channels: int, ar: bool) -> int:
    kept = _KEPT * (weights / _KEPT_AT) ** (2 / 3) if ar else 0.0
    return round(weights * (1 + _SHARE) + kept) + _ROOM * channels if weights else 0


def weight_files(folder: Path) -> tuple[Path, ...]:
    """The files with weights; where a folder has them in two formats, those that are read."""
    files = sorted(file for file in folder.rglob("*") if file.suffix in (_TABLES, *_PACKAGES))
    better = {file.parent for file in files if file.suffix == _TABLES}
    return tuple(file for file in files if file.suffix == _TABLES or file.parent not in better)


def weights_in(file: Path) -> int:
    """How many numbers a file holds; a guess by its size where it cannot be read."""
    try:
        told = file.stat()
    except OSError:
        return 0
    return _weights_in(file, told.st_size, told.st_mtime_ns)


@lru_cache(maxsize=512)
def _weights_in(file: Path, size: int, changed: int) -> int:
    with suppress(InputError):
        if file.suffix == _TABLES:
            return sum(math.prod(one.shape) for one in table(file).values())
        if found := sum(math.prod(shape) for shape in _shapes(outline(file))):
            return found
    return size // _STORED


def _shapes(told: Any) -> Iterator[tuple[int, ...]]:
    """Shapes in the outline of a package, however deep they lie."""
    if isinstance(told, tuple) and all(isinstance(side, int) for side in told):
        yield told
    elif isinstance(told, Mapping):
        for value in told.values():
            yield from _shapes(value)


def free_and_all(device: str) -> tuple[int, int]:
    """Bytes that are free on a device, and all that it has; zeros where nobody can say."""
    if device.startswith("cuda"):
        import torch

        free, total = torch.cuda.mem_get_info(torch.device(device))
        return int(free), int(total)
    try:  # that of the machine; a GPU of Apple's has the same
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text("ascii").splitlines())
        available, total = (int(lines[key].split()[0]) * 1024 for key in ("MemAvailable", "MemTotal"))
    except (OSError, ValueError, KeyError, IndexError):
        return 0, 0
    return available, total


def free_bytes(device: str) -> int:
    """Bytes that are free on a device; more than any checkpoint takes where nobody can say."""
    free, total = free_and_all(device)
    return free if total else 1 << 62
