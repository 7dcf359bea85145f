"""How long engines took of late, for estimates. Seconds; knows no sessions."""

from __future__ import annotations

import json
from contextlib import suppress
from pathlib import Path

from editor.project.knobs import network_of


class Pace:
    """How long engines took of late, for estimates. Shared by all tabs of a device.

    With a `path` it remembers across starts; a file that cannot be read or written only costs estimates.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._seconds: dict[tuple[str, str], tuple[float, float]] = {}
        if path is not None:
            with suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
                for key, (seconds, spent) in json.loads(path.read_text("utf-8")).items():
                    engine, kind = key.split(" ")
                    self._seconds[engine, kind] = (float(seconds), float(spent))

    def learn(self, engine: str, kind: str, seconds: float, spent: float) -> None:
        """A run of `seconds` of audio has taken `spent` seconds."""
        self._seconds[engine, kind] = (seconds, spent)
        if self._path is not None:
            with suppress(OSError):
                self._path.write_text(
                    json.dumps({" ".join(key): known for key, known in self._seconds.items()})
                )

    def guess(self, engine: str, kind: str, seconds: float) -> float | None:
        """Expected seconds for a run, None when this kind has not run yet.

        AR writes frame after frame, its time grows with the length; flow matching always works on the
        whole window.
        """
        known = self._seconds.get((engine, kind)) or self._seconds.get((engine, "inpaint"))
        if known is None:
            return None
        length, spent = known
        return spent * seconds / length if network_of(engine) == "ar" else spent
