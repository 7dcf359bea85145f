"""Spans to fill: pieces of held-out renders and recordings, with a place to re-make of 1-5 s.

Seeded: the same arguments give the same spans on every machine that holds the same data. Audio is
mono float [n] at 32 kHz, ten seconds; times are seconds. Knows no models.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

RATE = 32_000
SECONDS = 10.0
MARGIN = 1.2  # seconds of context that every span has on each side
SHORTEST, LONGEST = 1.0, 5.0  # seconds
RENDERS, RECORDINGS = Path("runs/data/held_out"), Path("runs/recordings/held_out")


@dataclass(frozen=True)
class Piece:
    """Ten seconds of music with a span."""

    audio: NDArray[np.float32]  # [320000]
    start: float  # seconds
    end: float  # seconds
    prompt: str  # the caption of a render, nothing for a recording
    recorded: bool

    @property
    def samples(self) -> tuple[int, int]:
        """First sample of the span, and the one after its last."""
        return round(self.start * RATE), round(self.end * RATE)


def pieces(
    count: int, recorded: float = 0.25, seed: int = 0, renders: Path = RENDERS, recordings: Path = RECORDINGS
) -> list[Piece]:
    """`count` pieces, a share of them from recordings, with spans of 1-5 s.

    Raises FileNotFoundError where a folder holds no audio.
    """
    shards = [np.load(p, mmap_mode="r") for p in sorted(renders.glob("audio_*.npy"))]
    files = sorted(recordings.glob("*.npy")) if recorded > 0 else []
    for folder, found in ((renders, shards), (recordings, files or recorded <= 0)):
        if not found:
            raise FileNotFoundError(
                f"{folder}: no audio there; `python -m study.data.render` and its like make it"
            )
    labels = [label for p in sorted(renders.glob("labels_*.json")) for label in json.loads(p.read_text())]
    places = [(shard, row) for shard in shards for row in range(len(shard))]
    rng = np.random.default_rng(seed)
    order = rng.permutation(len(places))
    made = []
    for i in range(count):
        length = float(rng.uniform(SHORTEST, LONGEST))
        start = float(rng.uniform(MARGIN, SECONDS - MARGIN - length))
        from_recording = int((i + 1) * recorded) > int(i * recorded)
        if from_recording:
            whole = np.load(files[(i + seed) % len(files)], mmap_mode="r")
            at = int(rng.integers(0, len(whole) - int(SECONDS * RATE)))
            part, prompt = whole[at : at + int(SECONDS * RATE)], ""
        else:
            row = int(order[i % len(order)])
            shard, place = places[row]
            part, prompt = shard[place][: int(SECONDS * RATE)], labels[row]["captions"][0]
        audio = np.asarray(part, np.float32) / np.float32(32767)
        made.append(Piece(audio, start, start + length, prompt, from_recording))
    return made
