"""The models of one bundle on one device, and the runs on them."""

from __future__ import annotations

import logging
from typing import Any

from editor.runs.pace import Pace
from editor.runs.runner import Runner
from engines.errors import InputError
from engines.roster import ENGINES

log = logging.getLogger("inlay")


class Device:
    """The models of one bundle, opened at first use, and the runs on them."""

    def __init__(self, bundle: str, device: str, pace: Pace | None = None) -> None:
        self.bundle = bundle
        self.name = device
        self.runner = Runner(self.models)
        self.pace = pace or Pace()

    def warm(self) -> None:
        """Load every part, so that the first run need not wait. Errors are left to the first run."""
        try:
            models = self.models()
            for load in (models.text, models.codec, models.fm, models.ar):
                load()
            self.runner.loaded.update(spec.name for spec in ENGINES)
        except InputError as error:
            log.warning("%s", error)

    def models(self) -> Any:
        """The shared checkpoints (`checkpoints.shelf.Models`); InputError when the bundle is unusable."""
        from engines.checkpoints.shelf import open_bundle  # loads torch

        return open_bundle(self.bundle, self.name)
