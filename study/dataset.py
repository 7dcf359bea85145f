"""Rendered clips as latents, codes, lanes and text states: what AR and FM train on.

`python -m study.dataset` encodes a folder of renders once; `Dataset.batch` cuts random windows.
Files beside the renders: latents.npy fp16 [n, D, T], codes.npy uint16 [n, K, T], text.npz.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engines.allocator import keep_freed_memory
from engines.chords import NULL_CHORD
from engines.codec import Codec
from engines.controls import Lanes, lanes_from
from engines.requests import Chord, Controls, Hit, Note
from engines.text import TextEncoder, TextStates


def labels_of(folder: Path) -> list[dict[str, Any]]:
    """All labels of a rendered folder, in the order of its shards."""
    return [label for path in sorted(folder.glob("labels_*.json")) for label in json.loads(path.read_text())]


def controls_of(label: dict[str, Any]) -> Controls:
    """The exact controls of a rendered clip, in seconds."""
    return Controls(
        chords=tuple(Chord(**c) for c in label["chords"]),
        melody=tuple(Note(**m) for m in label["melody"]),
        drums=tuple(Hit(**h) for h in label["hits"]),
    )


@torch.no_grad()
def encode_latents(codec: Codec, folder: Path, batch: int = 10) -> None:
    """Write latents.npy: raw (not normalised) encoder outputs, fp16 [n, D, T]."""
    shards = sorted(folder.glob("audio_*.npy"))
    count = sum(len(np.load(p, mmap_mode="r")) for p in shards)
    out, at, begin = None, 0, time.time()
    for path in shards:
        shard = np.load(path, mmap_mode="r")
        for i in range(0, len(shard), batch):
            x = torch.from_numpy(shard[i : i + batch].astype(np.float32) / 32767)[:, None]
            with torch.autocast("cpu", torch.bfloat16, enabled=False):
                z = codec.model.encoder(x)  # [b, 1, N] -> [b, D, T]
            if out is None:
                out = np.lib.format.open_memmap(
                    folder / "latents.part.npy", "w+", np.float16, (count, *z.shape[1:])
                )
            out[at : at + len(z)] = z.numpy().astype(np.float16)
            at += len(z)
        print(f"{at}/{count} latents, {time.time() - begin:.0f} s", flush=True)
    (folder / "latents.part.npy").rename(folder / "latents.npy")


@torch.no_grad()
def encode_codes(codec: Codec, folder: Path) -> None:
    """latents.npy -> codes.npy with the codec's codebooks, uint16 [n, K, T]."""
    latents = np.load(folder / "latents.npy", mmap_mode="r")
    out = np.zeros((len(latents), codec.codebooks, latents.shape[2]), np.uint16)
    for i in range(0, len(latents), 50):
        z = torch.from_numpy(latents[i : i + 50].astype(np.float32))
        out[i : i + 50] = codec.quantize((z - codec.mean) / codec.std).numpy().astype(np.uint16)
    np.save(folder / "codes.npy", out)


def encode_text(folder: Path) -> None:
    """Write text.npz: states of every caption, one after the other, with offsets."""
    captions = [c for label in labels_of(folder) for c in label["captions"]]
    encoder, tokens, pooled, offsets = TextEncoder(cached=64), [], [], [0]
    for i in range(0, len(captions), 64):
        states = encoder.encode(captions[i : i + 64])
        for row in range(len(states.pooled)):
            kept = states.tokens[row][states.mask[row]]
            tokens.append(kept.numpy().astype(np.float16))
            offsets.append(offsets[-1] + len(kept))
        pooled.append(states.pooled.numpy().astype(np.float16))
    np.savez(
        folder / "text.npz",
        tokens=np.concatenate(tokens),
        pooled=np.concatenate(pooled),
        offsets=np.array(offsets),
    )


@dataclass(frozen=True)
class Batch:
    """One training batch of T frames."""

    z: Tensor | None  # normalised latents float32 [B, D, T]
    codes: Tensor | None  # int64 [B, K, T]
    lanes: Lanes
    text: TextStates


class Dataset:
    """Random windows of encoded renders."""

    def __init__(
        self, folder: Path, mean: float, std: float, frame_rate: float, seed: int, codes: bool
    ) -> None:
        self.latents = np.load(folder / "latents.npy", mmap_mode="r")
        self.codes = np.load(folder / "codes.npy") if codes else None
        self.mean, self.std = mean, std
        self.frames = self.latents.shape[2]
        self.labels = labels_of(folder)
        cache = folder / "lanes.pt"
        if not cache.exists():
            each = [lanes_from(controls_of(label), self.frames, frame_rate) for label in self.labels]
            fields = zip(*((x.chords, x.melody, x.drums, x.drums_given) for x in each), strict=True)
            torch.save([torch.cat(f) for f in fields], cache)
        self.lanes = Lanes(*torch.load(cache))
        text = np.load(folder / "text.npz")
        self.tokens, self.pooled, self.offsets = text["tokens"], text["pooled"], text["offsets"]
        self.captions = len(self.pooled) // len(self.labels)
        self.rng = np.random.default_rng(seed)

    def text(self, clips: np.ndarray, wording: np.ndarray) -> TextStates:
        """States of one caption per clip: [B, L, 384]."""
        rows = clips * self.captions + wording
        lengths = [int(self.offsets[r + 1] - self.offsets[r]) for r in rows]
        tokens = torch.zeros(len(rows), max(lengths), self.tokens.shape[1])
        mask = torch.zeros(len(rows), max(lengths), dtype=torch.bool)
        for i, (r, length) in enumerate(zip(rows, lengths, strict=True)):
            tokens[i, :length] = torch.from_numpy(
                self.tokens[self.offsets[r] : self.offsets[r + 1]].astype(np.float32)
            )
            mask[i, :length] = True
        return TextStates(tokens, mask, torch.from_numpy(self.pooled[rows].astype(np.float32)))

    def cut(self, clips: np.ndarray, starts: np.ndarray, frames: int, wording: np.ndarray) -> Batch:
        """Given windows of given clips."""
        z = np.stack([self.latents[c, :, s : s + frames] for c, s in zip(clips, starts, strict=True)]).astype(
            np.float32
        )
        codes = None
        if self.codes is not None:
            cut = [self.codes[c, :, s : s + frames] for c, s in zip(clips, starts, strict=True)]
            codes = torch.from_numpy(np.stack(cut).astype(np.int64))
        index = torch.from_numpy(starts)[:, None] + torch.arange(frames)[None]
        rows = torch.from_numpy(clips)
        lanes = Lanes(
            self.lanes.chords[rows],
            self.lanes.melody[rows],
            self.lanes.drums[rows],
            self.lanes.drums_given[rows],
        )
        return Batch(
            (torch.from_numpy(z) - self.mean) / self.std,
            codes,
            lanes.permute(index),
            self.text(clips, wording),
        )

    def batch(self, size: int, frames: int) -> Batch:
        """Random windows of `frames` latent frames."""
        clips = self.rng.integers(0, len(self.latents), size)
        starts = self.rng.integers(0, self.frames - frames + 1, size)
        return self.cut(clips, starts, frames, self.rng.integers(0, self.captions, size))


def drop_lanes(
    lanes: Lanes,
    generator: torch.Generator,
    everything: float = 0.15,
    single: float = 0.35,
    partial: float = 0.2,
) -> Lanes:
    """Condition dropout: all lanes of an item, each on its own, and chords over a part of the window.

    So all, some and none are each trained, and so is a chord lane that is drawn only here and there.
    """
    size, frames = lanes.chords.shape

    def coin(p: float) -> Tensor:
        return torch.rand(size, generator=generator) < p

    none = coin(everything)
    lanes = lanes.drop(none | coin(single), none | coin(single), none | coin(single))
    ends = torch.rand(size, 2, generator=generator).sort(dim=1).values * frames
    at = torch.arange(frames)[None]
    stretch = coin(partial)[:, None] & (at >= ends[:, :1]) & (at < ends[:, 1:])
    return Lanes(lanes.chords.masked_fill(stretch, NULL_CHORD), lanes.melody, lanes.drums, lanes.drums_given)


def main() -> None:
    """Encode the text, the latents and, once the codebooks are final, the codes of a rendered folder."""
    from study.train_codec import finish

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folders", type=Path, nargs="*", default=[Path("runs/data/train"), Path("runs/data/held_out")]
    )
    parser.add_argument("--codec", type=Path, default=Path("runs/codec"))
    parser.add_argument("--parts", default="text,latents,codes")
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    keep_freed_memory()
    for part in args.parts.split(","):
        if part == "text":
            for folder in args.folders:
                encode_text(folder)
            continue
        codec = finish(args.codec, args.folders[0], None)
        for folder in args.folders:
            (encode_latents if part == "latents" else encode_codes)(codec, folder)


if __name__ == "__main__":
    main()
