"""How much memory a checkpoint takes, and how much is free."""

from __future__ import annotations

from pathlib import Path

import torch

_WEIGHTS = (".safetensors", ".bin", ".th", ".pt")
_HALVES = 2  # weights are half precision on disk as a rule, single in memory
_WORK = 1.15  # beside the weights: activations of a run


def size_in_memory(folder: Path) -> int:
    """Bytes that a checkpoint takes once it is loaded, by its files: an estimate from above."""
    on_disk = sum(file.stat().st_size for file in folder.rglob("*") if file.suffix in _WEIGHTS)
    return int(on_disk * _HALVES * _WORK)


def free_bytes(device: torch.device) -> int:
    """Bytes that are free on a device; more than any checkpoint takes where nobody can say."""
    if device.type == "cuda":
        return int(torch.cuda.mem_get_info(device)[0])
    try:
        for line in Path("/proc/meminfo").read_text("ascii").splitlines():
            if line.startswith("MemAvailable:"):
                return int(line.split()[1]) * 1024
    except (OSError, ValueError, IndexError):
        pass
    return 1 << 62
