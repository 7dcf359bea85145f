"""What the network of instruments learns from: renders, plain and through the codec, and what is no music.

Clips of 12 s at the listener's rate as log mels [F, MELS], with who plays in each step [T, ROWS]. Does not
know the network.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.analysis import instruments as listener
from engines.analysis.instruments import MELS, POOLED, STEP_SECONDS, log_mel
from engines.audio.recording import resample
from engines.music.instruments import ROWS, family_of
from engines.networks.codec import Codec
from study.train.analysis import no_music

RATE = listener.RATE
QUIETEST = float(np.log(listener.FLOOR))
Audio = NDArray[np.float32]
Label = dict[str, Any]
Place = tuple[Path, int, Label]  # shard, row and label of a clip


def targets_of(label: Label, steps: int) -> NDArray[np.bool_]:
    """Who plays in each step, with families: [steps, ROWS]."""
    out = np.zeros((steps, len(ROWS)), np.bool_)
    middle = (np.arange(steps) + 0.5) * STEP_SECONDS
    for part in label["parts"]:
        if part["plays"]:
            inside = (middle >= part["start"] - 0.1) & (middle < part["end"] + 0.1)
            family = family_of(part["instrument"])
            for row in (part["instrument"], family):
                if row is not None:
                    out[inside, ROWS.index(row)] = True
    return out


def made_up_speech(count: int, seed: int = 0) -> Iterator[Audio]:
    """Clips [12 s] that move as speech does: gliding pulses through moving formants, hisses, pauses."""
    slow = 8000  # Hz; speech has most below 4 kHz
    rng, n = np.random.default_rng(seed), 12 * slow
    for _ in range(count):
        knots = np.arange(0, 13, 0.12)
        at = np.arange(n) / slow

        def line(low: float, high: float) -> NDArray[np.float64]:
            return np.interp(at, knots, rng.uniform(low, high, len(knots)))  # noqa: B023

        base = rng.choice([110.0, 200.0])
        pitch = base * 2 ** (line(-0.3, 0.3) + 0.02 * rng.standard_normal())
        phase = np.cumsum(pitch) / slow
        voiced = np.interp(at, knots, rng.random(len(knots)) < 0.6)
        sound = np.zeros(n)
        formants = [(line(250, 850), 1.0), (line(800, 2300), 0.6), (line(2200, 3200), 0.3)]
        for k in range(1, 20):
            gain = sum(g * np.exp(-(((k * pitch - f) / 150) ** 2)) for f, g in formants) + 0.05 / k
            sound += gain * np.sin(2 * np.pi * k * phase)
        hiss = np.diff(rng.standard_normal(n), prepend=0.0) * np.interp(
            at, knots, rng.random(len(knots)) < 0.2
        )
        sound = voiced * sound + 0.3 * hiss + 10 ** rng.uniform(-4, -2) * rng.standard_normal(n)
        sound *= np.interp(at, knots, rng.random(len(knots)) < 0.85)
        yield resample((0.2 * sound / max(sound.std(), 1e-6)).clip(-1, 1).astype(np.float32), slow, RATE)


def clips_of(folder: Path) -> list[Place]:
    """Shard, row and label of every clip whose labels are written."""
    return [
        (path.with_name(path.name.replace("labels", "audio")).with_suffix(".npy"), i, label)
        for path in sorted(folder.glob("labels_*.json"))
        for i, label in enumerate(json.loads(path.read_text()))
    ]


def plain_clip(place: Place) -> Audio:
    """The clip as rendered, float [n]."""
    return np.asarray(np.load(place[0], mmap_mode="r")[place[1]], np.float32) / np.float32(32767)


def latents_of(place: Place, codec: Codec, quantized: bool) -> Tensor:
    """The clip's latents [1, D, T], quantized or not, from what lies beside it where it is encoded."""
    path = place[0].with_name(place[0].name.replace("audio", "codes" if quantized else "latents"))
    if path.exists():
        kept = np.load(path, mmap_mode="r")[place[1]].astype(np.int64 if quantized else np.float32)
        return codec.dequantize(torch.from_numpy(kept)[None]) if quantized else torch.from_numpy(kept)[None]
    z = codec.encode(torch.from_numpy(plain_clip(place))[None, None])
    return codec.dequantize(codec.quantize(z)) if quantized else z


@torch.inference_mode()
def coded_clip(place: Place, codec: Codec, quantized: bool) -> Audio:
    """The clip through the codec, float [n]."""
    return np.asarray(
        codec.decode(latents_of(place, codec, quantized))[0, 0, : 12 * RATE].numpy(), np.float32
    )


@torch.inference_mode()
def coded_pair(first: Place, last: Place, codec: Codec, quantized: bool) -> Audio:
    """The first half of one clip and the last half of another through the codec, float [n]."""
    a, b = latents_of(first, codec, quantized), latents_of(last, codec, quantized)
    half = round(12 * 25 * (750 // POOLED // 2) / (750 / POOLED))  # where the steps of the first end
    z = torch.cat([a[:, :, :half], b[:, :, half:]], dim=2)
    return np.asarray(codec.decode(z)[0, 0, : 12 * RATE].numpy(), np.float32)


class Store:
    """Log mels fp16 [n, F, MELS] and targets bool [n, T, ROWS] in memory."""

    def __init__(
        self, folders: list[Path], clips: int, coded: int, codec: Codec, nothing: int, kept_in: Path
    ) -> None:
        kept_in.mkdir(parents=True, exist_ok=True)
        cache = kept_in / f"heard_{clips}_{coded}_{nothing}.npz"
        if cache.exists():
            with np.load(cache) as file:
                self.mels, self.targets = torch.from_numpy(file["mels"]), torch.from_numpy(file["targets"])
                self.plain, self.coded = int(file["plain"]), int(file["coded"])
            return
        rng = np.random.default_rng(0)
        places = [place for folder in folders for place in clips_of(folder)]
        kept = [places[i] for i in rng.permutation(len(places))[:clips]]
        encoded = [p for p in places if p[0].with_name(p[0].name.replace("audio", "latents")).exists()]
        again = [encoded[i] for i in rng.permutation(len(encoded))[:coded]]
        mels, targets = [], []
        silent = np.zeros((750 // POOLED, len(ROWS)), np.bool_)
        for place in kept:
            mels.append(log_mel(plain_clip(place)).astype(np.float16))
            targets.append(targets_of(place[2], len(silent)))
        print(f"{len(mels)} plain clips", flush=True)
        for i, (place, other) in enumerate(zip(again[::2], again[1::2], strict=False)):  # half a clip of each
            mels.append(log_mel(coded_pair(place, other, codec, i % 2 == 1)).astype(np.float16))
            both = targets_of(place[2], len(silent)), targets_of(other[2], len(silent))
            targets.append(np.concatenate([both[0][: len(silent) // 2], both[1][len(silent) // 2 :]]))
        again = again[: len(mels) - len(kept)]
        print(f"{len(again)} pairs through the codec", flush=True)
        self.plain, self.coded = len(kept), len(again)
        for sound in (*made_up_speech(nothing // 2), *no_music(nothing // 2, None)):
            mels.append(log_mel(sound).astype(np.float16))
            targets.append(silent)
        self.mels = torch.from_numpy(np.stack([m[: len(silent) * POOLED] for m in mels]))
        self.targets = torch.from_numpy(np.stack(targets))
        np.savez(
            cache, mels=self.mels.numpy(), targets=self.targets.numpy(), plain=self.plain, coded=self.coded
        )

    def batch(self, size: int, steps: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Disturbed crops [B, F, MELS] and who plays [B, T, ROWS]: half through the codec, some no music."""
        void = len(self.mels) - self.plain - self.coded
        share = [0.47, 0.47, 0.06] if self.coded and void else [0.94, 0.0, 0.06] if void else [1.0, 0.0, 0.0]
        kind = rng.choice(3, size, p=share)
        first, count = (
            np.array([0, self.plain, self.plain + self.coded]),
            np.array([self.plain, max(self.coded, 1), max(void, 1)]),
        )
        rows = first[kind] + (rng.random(size) * count[kind]).astype(int)
        starts = rng.integers(0, self.targets.shape[1] - steps + 1, size)
        mel = torch.stack(
            [self.mels[r, s * POOLED : (s + steps) * POOLED] for r, s in zip(rows, starts, strict=True)]
        ).float()
        goal = torch.stack(
            [self.targets[r, s : s + steps] for r, s in zip(rows, starts, strict=True)]
        ).float()
        return disturb(mel, torch.Generator().manual_seed(int(rng.integers(1 << 31)))), goal


def disturb(mel: Tensor, g: torch.Generator) -> Tensor:
    """Another level, tone, noise floor, upper end, a hidden band: log mel [B, F, MELS] -> the same."""
    size, band = len(mel), torch.arange(MELS)
    tilt = 0.4 * torch.randn(size, 1, 1, generator=g) * torch.linspace(-1, 1, MELS)
    level = torch.rand(size, 1, 1, generator=g) * 2.5 - 1.7
    floor = torch.rand(size, 1, 1, generator=g) * 3.5 - 5.0
    out = torch.logaddexp(mel + tilt + level, floor.expand_as(mel))
    top = torch.randint(MELS - 24, 2 * MELS, (size, 1, 1), generator=g)  # a recording without high bands
    out = torch.where(band > top, torch.full_like(out, QUIETEST), out)
    first = torch.randint(0, MELS - 8, (size, 1, 1), generator=g)
    hidden = (band >= first) & (band < first + 8) & (torch.rand(size, 1, 1, generator=g) < 0.25)
    return torch.where(hidden, out.mean(dim=(1, 2), keepdim=True), out).clamp(min=QUIETEST)
