"""Chordino, the paper's chord extractor: a GPL plugin that is an optional extra, called through vamp.

Arrays in, labels out; times in seconds on the array's clock. Whether it is here, and what to tell the
user. Does not know the models' vocabulary, windows or files. Importing this imports nothing of it.
"""

from __future__ import annotations

import importlib.util
import os
import threading
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

LICENCE = "GPL-2.0-or-later"
RATE = 44_100  # the rate that its chord dictionary and its frames were made for
_PLUGIN = "nnls-chroma:chordino"
# chord-extractor's settings, which are the plugin authors' for popular music
_SETTINGS = {"useNNLS": 1, "rollon": 1.0, "tuningmode": 0, "whitening": 1.0, "s": 0.7, "boostn": 0.1}
_lock = threading.Lock()  # the plugin's Fourier transforms are planned in shared memory


@dataclass(frozen=True)
class Labelled:
    """What Chordino says of one array."""

    changes: tuple[tuple[float, str], ...]  # (seconds, label as Chordino spells it), in order
    times: NDArray[np.float64]  # [F] centres of the frames, seconds, 46 ms apart
    likelihood: NDArray[np.float64]  # [F] natural log of how well the frame fits its chord


def present() -> bool:
    """Whether the plugin and its host are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("vamp", "chord_extractor"))


def notice() -> str:
    """One sentence for the page and `inlay bundle`."""
    if present():
        return f"Chordino plugin ({LICENCE}, optional): installed; the study measures chords with it."
    return (
        f"Chordino plugin ({LICENCE}, optional): missing; chords are read from the notes all the same. "
        "`make run` installs it where there is a C++ compiler."
    )


def _find_plugin() -> None:
    """Let the host look into chord-extractor's folder, which carries the plugin file."""
    spec = importlib.util.find_spec("chord_extractor")
    if spec is None or not spec.submodule_search_locations:
        raise ModuleNotFoundError(notice())
    folder = str(Path(next(iter(spec.submodule_search_locations))) / "_lib")
    known = os.environ.get("VAMP_PATH", "")
    if folder not in known.split(os.pathsep):
        os.environ["VAMP_PATH"] = folder + (os.pathsep + known if known else "")


def label(audio: NDArray[np.float32]) -> Labelled:
    """Chordino's chord changes of mono audio [n] at RATE Hz. ModuleNotFoundError where it is missing.

    Frames are 16384 samples long and stamped at their centre, so the first stands at 0.19 s.
    """
    with _lock:
        _find_plugin()
        import vamp

        changes: list[tuple[float, str]] = []
        times: list[float] = []
        likelihood: list[float] = []
        for feature in vamp.process_audio_multiple_outputs(
            audio, RATE, _PLUGIN, ["simplechord", "loglikelihood"], parameters=_SETTINGS
        ):
            if "simplechord" in feature:
                at = feature["simplechord"]
                changes.append((float(at["timestamp"]), str(at["label"])))
            if "loglikelihood" in feature:
                at = feature["loglikelihood"]
                times.append(float(at["timestamp"]))
                likelihood.append(float(at["values"][0]))
    return Labelled(tuple(changes), np.asarray(times), np.asarray(likelihood))
