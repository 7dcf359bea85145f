"""How long engines took of late, for estimates. Seconds; knows no sessions.

An engine on another checkpoint than the one at work is another one here: `at_work_on` names it.
"""

from __future__ import annotations

import json
import math
from contextlib import suppress
from pathlib import Path

from editor.project.knobs import network_of
from engines.progress import Progress

_ON = "@"


def at_work_on(engine: str, checkpoint: str = "") -> str:
    """What an engine is called here while it runs on a checkpoint; empty = the one at work."""
    return f"{engine}{_ON}{checkpoint}" if checkpoint else engine


class Pace:
    """How long engines took of late, for estimates. Shared by all tabs of a device.

    With a `path` it remembers across starts; a file that cannot be read or written only costs estimates.
    """

    def __init__(self, path: Path | None = None) -> None:
        self.window: float | None = None  # seconds that the models hear at once
        self.turn_to(path)

    def turn_to(self, path: Path | None) -> None:
        """Forget all, and go on with what a file knows: that of another device."""
        self._path = path
        self._seconds: dict[tuple[str, str], tuple[float, float]] = {}
        if path is not None:
            with suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
                for key, (seconds, spent) in json.loads(path.read_text("utf-8")).items():
                    engine, kind = key.split(" ")
                    self._seconds[engine, kind] = (float(seconds), float(spent))

    def on(self, device: str) -> None:
        """From now on of a device, as it was asked for."""
        path = self._path
        self.turn_to(path and path.with_name(f"{path.stem.rpartition('-')[0]}-{device}{path.suffix}"))

    def learn(self, engine: str, kind: str, seconds: float, spent: float) -> None:
        """A run of `seconds` of audio has taken `spent` seconds."""
        self._seconds.pop((engine, kind), None)  # the newest stands last
        self._seconds[engine, kind] = (seconds, spent)
        if self._path is not None:
            with suppress(OSError):
                self._path.write_text(
                    json.dumps({" ".join(key): known for key, known in self._seconds.items()})
                )

    def measured(self, engine: str) -> tuple[float, float] | None:
        """Seconds of audio and seconds that they took, of an engine's newest run here; None where it never ran."""
        known = [of for (name, _), of in self._seconds.items() if name == engine]
        return known[-1] if known else None

    def guess(self, engine: str, kind: str, seconds: float) -> float | None:
        """Expected seconds for a run, None when this kind has not run yet. The one estimate of the page.

        AR writes frame after frame, its time grows with the length; flow matching always works on a
        whole window, and on several one after the other where it has to.
        """
        known = self._seconds.get((engine, kind)) or self._seconds.get((engine, "inpaint"))
        if known is None:
            return None
        length, spent = known
        if _network(engine) == "ar":
            return spent * seconds / length
        return spent * self.pieces(kind, seconds) / self.pieces(kind, length)

    def left(self, engine: str, kind: str, seconds: float, at: Progress) -> float | None:
        """Seconds that a run which is `at` work still takes; None while nobody knows.

        What was expected gives way to what is measured as the run goes on.
        """
        done, expected = at.fraction, self.guess(engine, kind, seconds)
        if expected is None:
            return at.elapsed * (1 - done) / done if done > 0.02 and self.pieces(kind, seconds) == 1 else None
        pieces = 1 if _network(engine) == "ar" else self.pieces(kind, seconds)
        if pieces > 1:  # each counts its own steps
            return max(expected - at.elapsed, (1 - done) * expected / pieces)
        return (1 - done) * ((1 - done) * expected + at.elapsed)

    def pieces(self, kind: str, seconds: float) -> int:
        """Windows that the models work on, one after the other, for what is longer than one."""
        if self.window is None:
            return 1
        from engines.filling.edits import PIECE_SECONDS
        from engines.support import CONTEXT_SECONDS  # loads torch

        fits = self.window if kind == "generate" else self.window - CONTEXT_SECONDS
        return 1 if seconds <= fits + 1e-6 else math.ceil(seconds / min(PIECE_SECONDS, self.window / 2))


def _network(engine: str) -> str:
    return network_of(engine.partition(_ON)[0])
