"""Rendered clips as latents, codes, lanes and text states: what AR and FM train on.

`python -m study.dataset` encodes folders of clips shard by shard, each once, while others may still be
rendered; `Dataset.batch` cuts random windows. Beside audio_000.npy and labels_000.json stand then
latents_000.npy fp16 [n, D, T], codes_000.npy uint16 [n, K, T], text_000.npz and lanes_000.pt.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
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
    """What is known of a clip, in seconds: all three controls of a render; null in a label is not known."""
    chords, melody, hits = label["chords"], label["melody"], label["hits"]
    return Controls(
        chords=None if chords is None else tuple(Chord(**c) for c in chords),
        melody=None if melody is None else tuple(Note(**m) for m in melody),
        drums=None if hits is None else tuple(Hit(**h) for h in hits),
    )


@torch.no_grad()
def encode_latents(codec: Codec, shard: Path, batch: int = 10) -> None:
    """audio_000.npy -> latents_000.npy: raw (not normalised) encoder outputs, fp16 [n, D, T]."""
    audio, out = np.load(shard, mmap_mode="r"), []
    device = next(codec.parameters()).device
    for i in range(0, len(audio), batch):
        x = torch.from_numpy(audio[i : i + batch].astype(np.float32) / 32767)[:, None].to(device)
        out.append(codec.model.encoder(x).cpu().numpy().astype(np.float16))  # [b, 1, N] -> [b, D, T]
    _save(shard, "latents", np.concatenate(out))


@torch.no_grad()
def encode_codes(codec: Codec, shard: Path) -> None:
    """latents_000.npy -> codes_000.npy with the codec's codebooks, uint16 [n, K, T]."""
    latents, out = np.load(_beside(shard, "latents"), mmap_mode="r"), []
    device = next(codec.parameters()).device
    for i in range(0, len(latents), 50):
        z = torch.from_numpy(latents[i : i + 50].astype(np.float32)).to(device)
        out.append(codec.quantize((z - codec.mean) / codec.std).cpu().numpy().astype(np.uint16))
    _save(shard, "codes", np.concatenate(out))


def encode_text(encoder: TextEncoder, shard: Path) -> None:
    """labels_000.json -> text_000.npz: states of every caption, one after the other, with offsets."""
    labels = json.loads(_beside(shard, "labels", "json").read_text())
    captions = [c for label in labels for c in label["captions"]]
    tokens, pooled, offsets = [], [], [0]
    for i in range(0, len(captions), 64):
        states = encoder.encode(captions[i : i + 64])
        for row in range(len(states.pooled)):
            kept = states.tokens[row][states.mask[row]]
            tokens.append(kept.numpy().astype(np.float16))
            offsets.append(offsets[-1] + len(kept))
        pooled.append(states.pooled.numpy().astype(np.float16))
    target = _beside(shard, "text", "npz")
    part = target.with_name("part_" + target.name)
    np.savez(part, tokens=np.concatenate(tokens), pooled=np.concatenate(pooled), offsets=np.array(offsets))
    part.rename(target)


def _beside(shard: Path, kind: str, suffix: str = "npy") -> Path:
    """audio_000.npy -> latents_000.npy and so on."""
    return shard.with_name(f"{kind}{shard.stem.removeprefix('audio')}.{suffix}")


def _save(shard: Path, kind: str, array: np.ndarray) -> None:
    """Written whole or not at all: a run that is stopped goes on where it was."""
    target = _beside(shard, kind)
    part = target.with_name("part_" + target.name)
    np.save(part, array)
    part.rename(target)


@dataclass(frozen=True)
class Batch:
    """One training batch of T frames."""

    z: Tensor | None  # normalised latents float32 [B, D, T]
    codes: Tensor | None  # int64 [B, K, T]
    lanes: Lanes
    text: TextStates

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on a device."""
        z = None if self.z is None else self.z.to(device, non_blocking=True)
        codes = None if self.codes is None else self.codes.to(device, non_blocking=True)
        return Batch(z, codes, self.lanes.to(device), self.text.to(device))


class Dataset:
    """Random windows of encoded clips, from one or several folders."""

    def __init__(
        self,
        folders: Path | Sequence[Path],
        mean: float,
        std: float,
        frame_rate: float,
        seed: int,
        codes: bool,
    ) -> None:
        folders = [folders] if isinstance(folders, Path) else folders
        shards = [s for folder in folders for s in sorted(folder.glob("audio_*.npy"))]
        shards = [s for s in shards if _beside(s, "codes" if codes else "latents").exists()]
        if not shards:
            names = ", ".join(map(str, folders))
            raise SystemExit(f"{names}: nothing encoded; run `python -m study.dataset` on it first")
        self.latents = [row for s in shards for row in np.load(_beside(s, "latents"), mmap_mode="r")]
        self.codes = [row for s in shards for row in np.load(_beside(s, "codes"))] if codes else None
        self.mean, self.std = mean, std
        self.frames = self.latents[0].shape[1]
        self.labels = [x for s in shards for x in json.loads(_beside(s, "labels", "json").read_text())]
        each = [self._lanes(s, frame_rate) for s in shards]
        self.lanes = Lanes(*(torch.cat(f) for f in zip(*each, strict=True)))
        texts = [np.load(_beside(s, "text", "npz")) for s in shards]
        self.tokens = [t["tokens"] for t in texts]
        self.pooled = np.concatenate([t["pooled"] for t in texts])
        # caption -> its shard's tokens, first and last
        self.spans = [(i, a, b) for i, t in enumerate(texts) for a, b in pairwise(t["offsets"].tolist())]
        self.captions = len(self.pooled) // len(self.labels)
        self.rng = np.random.default_rng(seed)

    def _lanes(self, shard: Path, frame_rate: float) -> list[Tensor]:
        """The lanes of a shard's clips; made once, kept beside it."""
        cache = _beside(shard, "lanes", "pt")
        if not cache.exists():
            labels = json.loads(_beside(shard, "labels", "json").read_text())
            each = [lanes_from(controls_of(label), self.frames, frame_rate) for label in labels]
            fields = zip(*((x.chords, x.melody, x.drums, x.drums_given) for x in each), strict=True)
            torch.save([torch.cat(f) for f in fields], cache)
        lanes: list[Tensor] = torch.load(cache)
        return lanes

    def text(self, clips: np.ndarray, wording: np.ndarray) -> TextStates:
        """States of one caption per clip: [B, L, 384]."""
        rows = clips * self.captions + wording
        spans = [self.spans[r] for r in rows]
        longest = max(b - a for _, a, b in spans)
        tokens = torch.zeros(len(rows), longest, self.pooled.shape[1])
        mask = torch.zeros(len(rows), longest, dtype=torch.bool)
        for i, (shard, a, b) in enumerate(spans):
            tokens[i, : b - a] = torch.from_numpy(self.tokens[shard][a:b].astype(np.float32))
            mask[i, : b - a] = True
        return TextStates(tokens, mask, torch.from_numpy(self.pooled[rows].astype(np.float32)))

    def cut(self, clips: np.ndarray, starts: np.ndarray, frames: int, wording: np.ndarray) -> Batch:
        """Given windows of given clips."""
        z = np.stack([self.latents[c][:, s : s + frames] for c, s in zip(clips, starts, strict=True)]).astype(
            np.float32
        )
        codes = None
        if self.codes is not None:
            cut = [self.codes[c][:, s : s + frames] for c, s in zip(clips, starts, strict=True)]
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
    """Encode the text, the latents and, once the codebooks are final, the codes of rendered folders."""
    from study.train_codec import finish

    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folders", type=Path, nargs="*", default=[Path("runs/data/train"), Path("runs/data/held_out")]
    )
    parser.add_argument("--codec", type=Path, default=Path("runs/codec"))
    parser.add_argument("--parts", default="text,latents,codes")
    parser.add_argument("--share", default="0/1", help="this process of how many, over the shards")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    keep_freed_memory()
    parts, begin = args.parts.split(","), time.time()
    encoder = TextEncoder(cached=64) if "text" in parts else None
    codec = finish(args.codec, args.folders[0], None).to(args.device) if parts != ["text"] else None
    which, of = (int(n) for n in args.share.split("/"))
    shards = [s for folder in args.folders for s in sorted(folder.glob("audio_*.npy"))][which::of]
    for done, shard in enumerate(shards, 1):
        if not _beside(shard, "labels", "json").exists():
            continue  # still being rendered
        if encoder is not None and not _beside(shard, "text", "npz").exists():
            encode_text(encoder, shard)
        if codec is not None and "latents" in parts and not _beside(shard, "latents").exists():
            encode_latents(codec, shard)
        if codec is not None and "codes" in parts and not _beside(shard, "codes").exists():
            encode_codes(codec, shard)
        print(f"{done}/{len(shards)} shards, {time.time() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()
