"""A checkpoint before its weights are read: where it lies, what its spec says, which device it is for.

Loads no torch, so that a page is served and `inlay bundle` answers before it is there.
"""

from __future__ import annotations

import os
import re
import sys
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

from engines.assets import ASSETS
from engines.errors import InputError
from engines.families.roster import FamilySpec, recognised
from engines.families.shape import Spec

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_known: dict[str, list[Path]] = {}  # names of checkpoints that were opened by their folder


@dataclass(frozen=True)
class Checkpoint:
    """A checkpoint that was found whole, and the device it is to run on."""

    folder: Path
    spec: Spec
    device: str  # "cpu" | "cuda"
    family: FamilySpec

    def serving(self, name: str) -> Checkpoint:
        """The checkpoint of a name for the same device; this one for an empty name or its own."""
        return self if name in ("", self.spec.name) else find_named(name, self.device)

    def describe(self) -> dict[str, Any]:
        """What is in it, JSON-ready: parts, sizes, licences, defaults, figures."""
        spec = self.spec
        weights = sorted(self.folder.rglob("*.safetensors")) + sorted(self.folder.rglob("*.bin"))
        return {
            "name": spec.name,
            "licence": spec.licence,
            "folder": str(self.folder),
            "device": self.device,
            "parts": spec.parts(self.folder),
            "bytes": {file.relative_to(self.folder).as_posix(): file.stat().st_size for file in weights},
            "window_seconds": spec.window_seconds,
            "engines": list(spec.engines),
            "defaults": getattr(spec, "defaults", {}),
            "zero_shot": spec.zero_shot,
            "figures": getattr(spec, "figures", {}),
        }


def shelf_folder() -> Path:
    """Where the checkpoints lie that were got: `INLAY_MODELS`, or the user's cache."""
    return Path(os.environ.get("INLAY_MODELS") or Path.home() / ".cache" / "inlay" / "models")


def find_named(name: str, device: str = "auto") -> Checkpoint:
    """A checkpoint by its name alone, as requests have it: on the shelf, below `assets/`, or at work already.

    A path is no name, so that no request opens a folder of its choice. InputError as `find_checkpoint`.
    """
    if _NAME.fullmatch(name):
        for place in (shelf_folder() / name, ASSETS / name, *_known.get(name, ())):
            if place.is_dir():
                return find_checkpoint(str(place.resolve()), device)
    raise InputError(
        f"checkpoint {name[:64]!r}: none of that name is here; `inlay models` lists what is, "
        "`inlay models get` fetches more"
    )


def find_checkpoint(name_or_path: str = "bundle", device: str = "auto") -> Checkpoint:
    """A checkpoint by its name on the shelf or below `assets/`, or by its folder; device: auto, cpu or cuda.

    Reads no weights; raises InputError when the folder or a file is missing or unreadable, or the device is
    absent.
    """
    folder = Path(name_or_path)
    if not folder.is_dir() or (len(folder.parts) == 1 and not any(folder.iterdir())):
        places = (ASSETS / name_or_path, shelf_folder() / name_or_path)
        folder = next((place for place in places if place.is_dir()), folder)
    folder = folder.resolve()
    device = _device(device)
    if not folder.is_dir():
        raise InputError(
            f"bundle {folder.name[:64]!r}: no such folder; give the name of a folder in assets/ or a path"
        )
    family, spec = recognised(folder)
    if folder not in _known.setdefault(spec.name, []):
        _known[spec.name].append(folder)
    return Checkpoint(folder, spec, device, family)


def devices() -> tuple[str, ...]:
    """Devices of this machine that models can run on, the fastest first; the CPU always.

    Only a torch that could use a GPU is loaded to be asked for one. A GPU of Apple's is none of them: torch
    quantizes wrongly there, so no codec could be on it.
    """
    if "torch" not in sys.modules and metadata.version("torch").endswith("+cpu"):
        return ("cpu",)
    import torch

    return ("cuda", "cpu") if torch.cuda.is_available() else ("cpu",)


def _device(device: str) -> str:
    """The device that is meant."""
    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"device {device[:24]!r}: expected auto, cpu or cuda; choose one of them")
    if device == "cpu":
        return device
    there = devices()
    if device == "auto":
        return there[0]
    if device not in there:
        raise InputError("device 'cuda': this machine has no usable NVIDIA GPU; choose auto or cpu")
    return device
