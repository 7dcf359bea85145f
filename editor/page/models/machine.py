"""What models have on this machine: devices to choose from, memory, what is being loaded.

Sizes are bytes. Loads no torch: what was not imported yet has loaded nothing.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

from editor.runs.device import Device
from engines.checkpoints import memory
from engines.checkpoints.found import devices
from engines.errors import InputError


def told(device: Device) -> dict[str, Any]:
    """JSON-ready: {devices: [{name, words, free, memory}], on}, and {loaded, free, memory} of that one."""
    on = device.bundle.device
    each = [_device(name) for name in devices()]
    of = next((one for one in each if one["name"] == on), each[-1])
    return {
        "devices": each,
        "on": on,
        "loaded": sum(memory.held(models.folder) for models in _shelf("opened") if str(models.device) == on),
        "free": of["free"],
        "memory": of["memory"],
    }


def loading() -> dict[Path, dict[str, int]]:
    """Checkpoints that are being loaded, by their folders: {done, total}."""
    return {
        models.folder: {"done": models.loading.done, "total": models.loading.total}
        for models in _shelf("loading")
    }


def stop_loading(folder: str) -> None:
    """Stop the loading of the checkpoint in a folder. InputError where it is not being loaded."""
    found = [models for models in _shelf("loading") if models.folder == Path(folder).resolve()]
    if not found:
        raise InputError("models: nothing is being loaded there (any more); there is nothing to cancel")
    for models in found:
        models.loading.stop()


def words(device: str) -> str:
    """A device for a musician: "CPU, 2 cores", "GPU"."""
    if device != "cpu":
        return "GPU"
    cores = os.cpu_count() or 1
    return f"CPU, {cores} core{'' if cores == 1 else 's'}"


def _device(name: str) -> dict[str, Any]:
    free, total = memory.free_and_all(name)
    return {"name": name, "words": words(name), "free": free, "memory": total}


def _shelf(what: str) -> Any:
    """What the shelf answers; nothing where it was not loaded, or is being loaded by another thread."""
    answer = getattr(sys.modules.get("engines.checkpoints.shelf"), what, None)
    return [] if answer is None else answer()
