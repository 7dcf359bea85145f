"""Crops of rendered shards and of recordings, and the held-out clips of the curves.

Audio is mono at 32 kHz, int16 on disk, [B, 1, N] here. Does not know what is trained on it.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

TESTED, SECONDS = 24, 4  # held-out clips of each kind, and how long they are


class Clips:
    """Random crops [B, 1, N] out of rendered shards, and of recordings."""

    def __init__(self, renders: Path, recordings: Path | None, samples: int, seed: int) -> None:
        self.shards = [np.load(p, mmap_mode="r") for p in sorted(renders.glob("audio_*.npy"))]
        if not self.shards:
            raise SystemExit(f"{renders}: no audio_*.npy; run python -m study.data.render first")
        self.recordings: list[NDArray[np.int16]] = []
        if recordings is not None and recordings.exists():  # int16 [N] each (study.data.recordings)
            self.recordings = [np.load(p, mmap_mode="r") for p in sorted(recordings.glob("*.npy"))]
            if not self.recordings:
                raise SystemExit(f"{recordings}: no *.npy; run `python -m study.data.recordings` first")
        self._lengths = np.array([len(r) for r in self.recordings], float)
        self.samples = samples
        self.rng = np.random.default_rng(seed)

    def reseed(self, seed: int) -> None:
        """Go on with other crops."""
        self.rng = np.random.default_rng(seed)

    def batch(self, size: int, recordings: float) -> Tensor:
        """A batch of crops [B, 1, N]."""
        out = np.zeros((size, 1, self.samples), np.float32)
        for i in range(size):
            if self.recordings and self.rng.random() < recordings:
                y = self.recordings[
                    int(self.rng.choice(len(self._lengths), p=self._lengths / self._lengths.sum()))
                ]
                start = int(self.rng.integers(0, max(1, len(y) - self.samples)))
                crop = y[start : start + self.samples].astype(np.float32) / 32767
                level = np.sqrt(np.mean(crop**2)) + 1e-4
                crop = crop * min(10.0, 10 ** (self.rng.uniform(-24, -14) / 20) / level)
                out[i, 0, : len(crop)] = np.clip(crop, -1, 1)
            else:
                shard = self.shards[int(self.rng.integers(len(self.shards)))]
                clip = shard[int(self.rng.integers(len(shard)))]
                start = int(self.rng.integers(0, len(clip) - self.samples))
                out[i, 0] = clip[start : start + self.samples].astype(np.float32) / 32767
        return torch.from_numpy(out)


def held_out_crops(held_out: Path, recordings: Path | None, rate: int) -> dict[str, Tensor]:
    """Clips [n, 1, N] by the prefix of their columns: renders "", and recordings "real_" if there are any."""
    shard, size = np.load(sorted(held_out.glob("audio_*.npy"))[0], mmap_mode="r"), SECONDS * rate
    clips = np.stack([shard[i][rate : rate + size] for i in range(0, 2 * TESTED, 2)])
    tests = {"": torch.from_numpy(clips / np.float32(32767))[:, None]}
    real = sorted((recordings.parent / "held_out").glob("*.npy")) if recordings is not None else []
    if real:
        rng, cuts = np.random.default_rng(0), []
        for i in range(TESTED):
            y = np.load(real[i % len(real)], mmap_mode="r")
            at = int(rng.integers(0, max(1, len(y) - size)))
            cut = y[at : at + size].astype(np.float32) / np.float32(32767)
            cuts.append(np.pad(cut, (0, size - len(cut))))
        tests["real_"] = torch.from_numpy(np.stack(cuts))[:, None]
    return tests
