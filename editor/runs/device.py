"""The models of one bundle on one device, and the runs on them."""

from __future__ import annotations

import gc
import logging
import sys
import threading
from functools import cached_property
from importlib import import_module
from typing import Any

from editor.runs.pace import Pace
from editor.runs.runner import Runner
from engines.checkpoints.found import Checkpoint, find_checkpoint
from engines.errors import InputError
from engines.roster import ENGINES

log = logging.getLogger("inlay")


class Device:
    """The models of one bundle, opened at first use, and the runs on them."""

    def __init__(self, bundle: str, device: str, pace: Pace | None = None) -> None:
        self.named = bundle  # as it was asked for: a name or a folder
        self._asked = device
        self.pace = pace or Pace()
        self.runner = Runner(self.models, pace=self.pace)

    def warm(self) -> None:
        """Load every part and engine, so that the first run need not wait. Errors are left to that run."""
        try:
            models = self.models()
            for load in (models.text, models.codec, models.fm, models.ar):
                load()
            for spec in ENGINES:
                import_module(spec.module)
            self.runner.loaded.update(spec.name for spec in ENGINES)
            self._settle()
        except InputError as error:
            log.warning("%s", error)

    def _settle(self) -> None:
        """What is loaded by now stays: the collector need not go through it again, 0.3 s each time."""
        from engines.checkpoints.allocator import give_back_memory

        gc.collect()
        gc.freeze()
        give_back_memory()

    def use(self, device: str) -> None:
        """Have runs that begin from now on work on a device: auto, cpu or cuda. InputError for an absent one.

        Runs under way end where they are; their models give the memory back then. Those of the other device
        are loaded by the first run on it.
        """
        before, found = self.bundle, find_checkpoint(self.named, device)
        self._asked = device
        if found.device == before.device:
            return
        self.__dict__["bundle"] = found
        self.pace.on(device)
        self.runner.loaded.clear()
        if "engines.checkpoints.shelf" in sys.modules:  # else nothing was loaded yet
            from engines.checkpoints.shelf import leave

            threading.Thread(target=leave, args=(before.device,), name="inlay-leave", daemon=True).start()

    @property
    def asked(self) -> str:
        """The device as it was asked for."""
        return self._asked

    @cached_property
    def bundle(self) -> Checkpoint:
        """What the bundle says of itself, and where it runs; InputError when it is unusable. Loads no torch."""
        return find_checkpoint(self.named, self._asked)

    def models(self) -> Any:
        """The shared checkpoints (`checkpoints.shelf.Models`); InputError when the bundle is unusable."""
        from engines.checkpoints.shelf import open_bundle  # loads torch

        return open_bundle(self.named, self._asked)
