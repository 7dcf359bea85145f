"""Did the wish come true: what a take's request asked for is listened to again, in the background.

`Judge` listens to one take of a session after the other, in a thread of its own. Times are seconds on the
clock of the take's clip. Loads no torch by being imported; knows neither sessions nor components.
"""

from __future__ import annotations

import importlib
import logging
import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from editor.project.disk import sounds
from editor.project.document import Take
from editor.runs.job import probe_of
from editor.runs.replay import plain, request_from, wish_to_json
from engines.audio.timebase import seconds_to_samples
from engines.errors import InputError
from engines.requests import GenerateRequest, InpaintRequest, Request

AROUND_SECONDS = 4.0  # heard on each side of a span: beats and long notes begin before it
log = logging.getLogger("inlay")


@dataclass(frozen=True)
class Verdict:
    """What is heard in a take."""

    wish: tuple[dict[str, object], ...]  # as of document.Take
    band: tuple[dict[str, object], ...]
    state: str  # "" judged, or nothing was asked; "unknown": what was asked cannot be heard by this listener


def wished(take: Take) -> bool:
    """Whether a take's request asked for something that was not there."""
    told = take.parameters
    if told.get("kind") == "generate":
        controls = told.get("controls")
        given = controls.values() if isinstance(controls, dict) else ()
        return bool(str(told.get("prompt", "")).strip()) or any(given)
    return bool(told.get("changed"))


def verdict(folder: Path, take: Take) -> Verdict:
    """Listen to a take again; what its engine has heard of the wish stands.

    InputError when its audio or its request is gone.
    """
    from engines.filling import agreement

    request = probe_of(request_from(take.parameters, folder))
    recording = sounds.read_sound(folder, take.sound)
    first, last = _place(request, recording.seconds)
    a, b = seconds_to_samples(first, recording.rate), seconds_to_samples(last, recording.rate)
    mono = recording.mono(a, b)
    begin = a / recording.rate
    band = _players(mono, recording.rate, begin, request)
    if take.wish:
        return Verdict(take.wish, band, "")
    found = agreement.wishes(mono, recording.rate, request, begin)
    unknown = not found and agreement.judged(request)
    return Verdict(tuple(wish_to_json(wish) for wish in found), band, "unknown" if unknown else "")


def _place(request: Request, seconds: float) -> tuple[float, float]:
    """What is heard: the spans and something around them."""
    if isinstance(request, GenerateRequest):
        return 0.0, seconds
    return max(0.0, request.start - AROUND_SECONDS), min(seconds, request.spans[-1][1] + AROUND_SECONDS)


def _players(
    audio: NDArray[np.float32], rate: int, begin: float, request: Request
) -> tuple[dict[str, object], ...]:
    """Who is heard inside the spans of a take in mono audio [n]; () where nobody listens for players."""
    try:
        listener: Any = importlib.import_module("engines.analysis.instruments")
        line = listener.instruments(audio, rate)
    except (ImportError, InputError):  # not every installation has the listener or its network
        return ()
    spans = request.spans if isinstance(request, InpaintRequest) else ((0.0, request.seconds),)
    found: list[dict[str, object]] = []
    for part, sure in zip(line.parts, line.confidence, strict=True):
        for start, end in spans:
            first, last = max(part.start + begin, start), min(part.end + begin, end)
            if last > first:
                row = {"name": part.instrument, "start": first, "end": last, "sure": float(sure)}
                found.append(plain(row))
    return tuple(found)


class Judge:
    """Listens to takes one after the other; `done` is called in its thread, with None where it failed."""

    _one = threading.Lock()  # of all sessions: a machine that makes music should not hear two at once

    def __init__(self, done: Callable[[str, Verdict | None], None]) -> None:
        self._done = done
        self._waiting: list[tuple[Path, Take]] = []
        self._changed = threading.Lock()
        self._thread: threading.Thread | None = None

    def add(self, folder: Path, *takes: Take) -> None:
        """Listen to these, too."""
        with self._changed:
            self._waiting += [(folder, take) for take in takes]
            if self._waiting and self._thread is None:
                self._thread = threading.Thread(target=self._work, name="inlay-judge", daemon=True)
                self._thread.start()

    def wait(self, seconds: float) -> bool:
        """Wait until all are judged, at most so long; whether they are."""
        thread = self._thread
        if thread is not None:
            thread.join(seconds)
        return self._thread is None

    def _work(self) -> None:
        while True:
            with self._changed:
                if not self._waiting:
                    self._thread = None
                    return
                folder, take = self._waiting.pop(0)
            found: Verdict | None = None
            try:
                with self._one:
                    found = verdict(folder, take)
            except InputError as error:
                log.info("take %s could not be judged: %s", take.id, error)
            except Exception:  # a defect must not leave the page waiting
                log.exception("take %s could not be judged", take.id)
            self._done(take.id, found)


class Judging:
    """The takes of a session that are being judged, or wait for it. Changed under the session's lock."""

    def __init__(self, done: Callable[[str, Verdict | None], None]) -> None:
        """`done` is called in the judge's thread with a take's id, and None where it failed."""
        self.states: dict[str, str] = {}  # take -> "pending", "failed" or "unknown" (`TrackState.wishState`)
        self.judge = Judge(done)
        self._later: tuple[Take, ...] = ()  # of the run that goes on, to be judged after it

    def add(self, take: Take) -> None:
        """Judge a take when `begin` is called; one that asked for nothing is left out."""
        if wished(take):
            self._later = (*self._later, take)
            self._mark(take)

    def add_again(self, take: Take) -> None:
        """Judge a take again at the next `begin`, whatever was found before."""
        self._later = (*self._later, take)

    def begin(self, folder: Path) -> None:
        """Listen to what waits, one after the other in the background."""
        takes, self._later = self._later, ()
        self._mark(*takes)
        self.judge.add(folder, *takes)

    @property
    def waits(self) -> bool:
        """Whether there is something for `begin`."""
        return bool(self._later)

    def end(self, id: str, verdict: Verdict | None) -> None:
        """A take has been judged."""
        self.states.pop(id, None)
        state = "failed" if verdict is None else verdict.state
        if state:
            self.states[id] = state

    def _mark(self, *takes: Take) -> None:
        """Say of takes whose engine has not told what came of the wish that they are being listened to."""
        self.states |= {take.id: "pending" for take in takes if not take.wish}
