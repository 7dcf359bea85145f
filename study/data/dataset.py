"""Rendered clips as latents, codes, lanes and text states: what AR and FM train on.

`python -m study.data.dataset` encodes folders of clips shard by shard, each once, while others may still be
rendered; `Dataset.batch` cuts random windows. Beside audio_000.npy and labels_000.json stand then
latents_000.npy fp16 [n, D, T], codes_000.npy uint16 [n, K, T], text_000.npz and lanes_000.pt.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from engines.audio.timebase import Grid
from engines.checkpoints.allocator import keep_freed_memory
from engines.checkpoints.shelf import open_bundle
from engines.families import inlay as own
from engines.music.chords import NULL_CHORD
from engines.music.instruments import FAMILIES, INSTRUMENTS, OTHERS, family_of, row_of
from engines.networks.codec import Codec
from engines.networks.lane_frames import Lanes, cat_lanes, lanes_from
from engines.networks.text import TextEncoder, TextStates
from engines.requests import Chord, Controls, Hit, Note, Part
from study.data.corpus import HELD_OUT, PAIRS

ALL_OF_IT = 3600.0  # seconds; no clip is longer


def labels_of(folder: Path) -> list[dict[str, Any]]:
    """All labels of a rendered folder, in the order of its shards."""
    return [label for path in sorted(folder.glob("labels_*.json")) for label in json.loads(path.read_text())]


def controls_of(label: dict[str, Any]) -> Controls:
    """What is known of a clip, in seconds: all controls of a render; null in a label is not known.

    Of a render it is known who plays, and that nobody else does.
    """
    chords, melody, hits = label["chords"], label["melody"], label["hits"]
    parts, downbeats = label.get("parts"), label.get("downbeats")
    grid = None
    if downbeats and label.get("bpm"):
        grid = Grid(label["bpm"], label["beats_per_bar"], downbeats[0])
    return Controls(
        instruments=None
        if parts is None
        else (*(Part(**p) for p in parts), Part(0.0, ALL_OF_IT, OTHERS, False)),
        grid=grid,
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


def write_lanes(shard: Path, frames: int, frame_rate: float) -> None:
    """labels_000.json -> lanes_000.pt: the fields of the clips' lanes, each [n, T, ...]."""
    labels, cache = json.loads(_beside(shard, "labels", "json").read_text()), _beside(shard, "lanes", "pt")
    each = [lanes_from(controls_of(label), frames, frame_rate) for label in labels]
    part = cache.with_suffix(".part")  # several runs may make it at once
    torch.save(list(cat_lanes(each).tensors), part)
    part.rename(cache)


@dataclass(frozen=True)
class Batch:
    """One training batch of T frames."""

    z: Tensor | None  # normalised latents float32 [B, D, T]
    codes: Tensor | None  # int64 [B, K, T]
    lanes: Lanes
    text: TextStates
    twins: Batch | None = None  # the same windows of the clips' twins, or of the clips where they have none

    def to(self, device: torch.device | str) -> Batch:
        """The same batch on a device."""
        z = None if self.z is None else self.z.to(device, non_blocking=True)
        codes = None if self.codes is None else self.codes.to(device, non_blocking=True)
        twins = None if self.twins is None else self.twins.to(device)
        return Batch(z, codes, self.lanes.to(device), self.text.to(device), twins)

    def spliced(self, known: Tensor, items: Tensor) -> Batch:
        """Windows of T frames that become what a musician changes: outside the spans they are their twins.

        known: bool [B, T], the frames around the spans; items: bool [B], those that this is done to. Words
        and what is in the spans stay, so that words and lanes, not the surroundings, tell what is to come.
        """
        if self.twins is None:
            return self
        outside = known & items[:, None]  # [B, T]
        z, codes = self.z, self.codes
        if z is not None and self.twins.z is not None:
            z = torch.where(outside[:, None], self.twins.z, z)
        if codes is not None and self.twins.codes is not None:
            codes = torch.where(outside[:, None], self.twins.codes, codes)
        return Batch(z, codes, self.twins.lanes.where(outside, self.lanes), self.text)


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
            raise SystemExit(f"{names}: nothing encoded; run `python -m study.data.dataset` on it first")
        self.latents = [row for s in shards for row in np.load(_beside(s, "latents"), mmap_mode="r")]
        self.codes = [row for s in shards for row in np.load(_beside(s, "codes"))] if codes else None
        self.mean, self.std = mean, std
        self.frames = self.latents[0].shape[1]
        self.labels = [x for s in shards for x in json.loads(_beside(s, "labels", "json").read_text())]
        self.twins = twins_of([label.get("seed") for label in self.labels])  # int64 [n]
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
            write_lanes(shard, self.frames, frame_rate)
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
        return Batch(
            (torch.from_numpy(z) - self.mean) / self.std,
            codes,
            self.lanes.rows(torch.from_numpy(clips)).permute(index),
            self.text(clips, wording),
        )

    def batch(self, size: int, frames: int, twins: bool = False) -> Batch:
        """Random windows of `frames` latent frames; with `twins` those of the clips' twins beside them."""
        clips = self.rng.integers(0, len(self.latents), size)
        starts = self.rng.integers(0, self.frames - frames + 1, size)
        wording = self.rng.integers(0, self.captions, size)
        batch = self.cut(clips, starts, frames, wording)
        return replace(batch, twins=self.cut(self.twins[clips], starts, frames, wording)) if twins else batch


def twins_of(seeds: Sequence[int | None]) -> np.ndarray:
    """Where the clip with the other seed of a pair stands, or the clip itself without one: int64 [n]."""
    place = {seed: i for i, seed in enumerate(seeds) if seed is not None}
    paired = [(seed or 0) % HELD_OUT // PAIRS == 1 for seed in seeds]
    others = [
        place.get(seed ^ 1) if seed is not None and pair else None
        for seed, pair in zip(seeds, paired, strict=True)
    ]
    return np.array([i if other is None else other for i, other in enumerate(others)])


def random_spans(size: int, frames: int, share: float, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Spans of 0.3-8 s in `share` of the items, start == end in the rest: 2 x int64 [B] on its device."""
    draw = torch.rand(3, size, generator=generator, device=generator.device)  # [3, B]
    lengths = 8 + (draw[1] * (min(206, frames - 12) - 8)).long()
    starts = (draw[2] * (frames - lengths + 1)).long()
    some = draw[0] < share
    return torch.where(some, starts, 0), torch.where(some, starts + lengths, 0)


def around(starts: Tensor, ends: Tensor, frames: int) -> Tensor:
    """The frames around spans, 2 x int64 [B] -> bool [B, T]."""
    at = torch.arange(frames, device=starts.device)
    return (at < starts[:, None]) | (at >= ends[:, None])


def drop_lanes(
    lanes: Lanes,
    generator: torch.Generator,
    everything: float = 0.15,
    single: float = 0.35,
    partial: float = 0.2,
) -> Lanes:
    """Condition dropout: all lanes of an item, each on its own, chords and instruments in part of a window.

    So all, some and none are each trained, and so is a lane that is drawn only here and there. Of the
    instruments a third is said in full; else some of those that play are named, and some that do not.
    """
    size, frames = lanes.chords.shape
    device = generator.device  # the lanes' too

    def coin(p: float) -> Tensor:
        return torch.rand(size, generator=generator, device=device) < p

    none = coin(everything)
    lanes = lanes.drop(*(none | coin(p) for p in (single, single, single, 0.4, single)))
    ends = torch.rand(size, 2, generator=generator, device=device).sort(dim=1).values * frames
    at = torch.arange(frames, device=device)[None]
    stretch = coin(partial)[:, None] & (at >= ends[:, :1]) & (at < ends[:, 1:])
    silent = stretch.roll(1, dims=0)  # another item's: instruments are drawn elsewhere than chords
    parts = named_parts(lanes.parts, ~coin(0.35), generator).masked_fill(silent[..., None], 0)
    return replace(lanes, chords=lanes.chords.masked_fill(stretch, NULL_CHORD), parts=parts)


def named_parts(parts: Tensor, items: Tensor, generator: torch.Generator) -> Tensor:
    """Leave rows of int8 [B, T, ROWS] open in the items bool [B], as one who names a few: [B, T, ROWS].

    Of an instrument that stays said its family stays said too.
    """
    size, _, rows = parts.shape
    device = generator.device
    draw = torch.rand(size, 1, rows, generator=generator, device=device)
    shares = torch.rand(2, size, 1, 1, generator=generator, device=device)
    named = 0.2 + 0.8 * shares[0]
    missing = (shares[1] - 0.5).clamp(min=0)  # half say nothing of absence
    kept = torch.where(draw < torch.where(parts > 0, named, missing), parts, 0)
    families = [row_of(family) for family in FAMILIES]
    plays = (kept[..., : len(INSTRUMENTS)] > 0).float() @ _MEMBERS.to(device) > 0  # [B, T, 71] -> [B, T, 14]
    kept[..., families] = torch.where(plays, 1, kept[..., families]).to(parts.dtype)
    return torch.where(items[:, None, None], kept, parts)


_MEMBERS = torch.tensor([[float(family_of(name) == family) for family in FAMILIES] for name in INSTRUMENTS])


def codec_of(folder: Path, renders: Path) -> Codec:
    """The codec of a bundle, or of a run of `study.train.codec`, which is finished on `renders`."""
    if (folder / "bundle.json").exists():
        return own.codec_of(open_bundle(str(folder), "cpu"))
    from study.train.codec import finish

    return finish(folder, renders, None)


def statistics_of(folder: Path) -> tuple[float, float]:
    """Mean and deviation of the latents of a bundle's codec, or of a run of `study.train.codec`."""
    if (folder / "bundle.json").exists():
        codec = own.codec_of(open_bundle(str(folder), "cpu"))
        return float(codec.mean), float(codec.std)
    mean, std = torch.load(folder / "latents.pt")
    return float(mean), float(std)


def main() -> None:
    """Encode the text, the latents and, once the codebooks are final, the codes of rendered folders."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "folders", type=Path, nargs="*", default=[Path("runs/data/train"), Path("runs/data/held_out")]
    )
    parser.add_argument("--codec", type=Path, default=Path("runs/codec"), help="its run, or a bundle")
    parser.add_argument("--parts", default="text,latents,codes")
    parser.add_argument("--share", default="0/1", help="this process of how many, over the shards")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    keep_freed_memory()
    parts, begin = args.parts.split(","), time.time()
    encoder = TextEncoder(cached=64) if "text" in parts else None
    codec = codec_of(args.codec, args.folders[0]).to(args.device) if parts != ["text"] else None
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
