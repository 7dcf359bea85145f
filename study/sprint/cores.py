"""What the processor's cores do while the GPU trains: render, write lanes and text states, shard by shard.

`python -m study.sprint.cores` works until its hours are rendered or it is ended. A shard that has
`lanes_000.pt` is whole (see `study.data.dataset`); one that has labels is good enough for the codec.
A few minutes of held-out clips come first, then pairs that differ as a musician's edit does, then singles.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
from functools import cache
from pathlib import Path

import numpy as np
import torch

from engines.networks.text import TextEncoder
from study.data.corpus import HELD_OUT, PAIRS
from study.data.dataset import encode_text, write_lanes
from study.data.leadsheets import sheets
from study.data.mix import RATE
from study.data.render import Sources, clip

FRAMES, FRAME_RATE = 300, 25.0  # of a clip of 12 s


@cache
def _encoder() -> TextEncoder:
    torch.set_num_threads(1)
    return TextEncoder(cached=64)


def work(job: tuple[Path, int, range, Sources]) -> int:
    """One shard: audio, labels, text states, lanes; returns its clips."""
    folder, index, seeds, sources = job
    audio, labels = np.zeros((len(seeds), round(sources.seconds * RATE)), np.int16), []
    for i, seed in enumerate(seeds):
        audio[i], label = clip(seed, sources)
        labels.append(label)
    shard = folder / f"audio_{index:03d}.npy"
    _whole(shard, lambda path: np.save(path, audio))
    _whole(folder / f"labels_{index:03d}.json", lambda path: path.write_text(json.dumps(labels)))
    encode_text(_encoder(), shard)
    write_lanes(shard, round(sources.seconds * FRAME_RATE), FRAME_RATE)
    return len(seeds)


def _whole(target: Path, write: object) -> None:
    part = target.with_name("part_" + target.name)
    write(part)  # type: ignore[operator]
    part.rename(target)


def jobs(
    data: Path, sources: Sources, hours: float, shard: int, held_out: int
) -> list[tuple[Path, int, range, Sources]]:
    """What is missing: three quarters of the hours as pairs, and held-out clips, half of them pairs."""
    clips = round(hours * 3600 / sources.seconds)
    asked = [
        (data / "held_out", HELD_OUT + PAIRS, held_out // 2 * 2, shard),
        (data / "train_pairs", PAIRS, clips * 3 // 4 // 2 * 2, shard),
        (data / "train", 0, clips - clips * 3 // 4, shard),
    ]
    out = []
    for folder, first, many, size in asked:
        folder.mkdir(parents=True, exist_ok=True)
        for i, at in enumerate(range(0, many, size)):
            if not (folder / f"lanes_{i:03d}.pt").exists():
                out.append((folder, i, range(first + at, first + min(many, at + size)), sources))
    return out


def sources_of(pack: Path, scores: Path, seconds: float) -> Sources:
    """The SoundFont of a pack and the unpacked scores."""
    return Sources((pack / "soundfont.sf3",), scores / "groove", scores / "openewld", seconds)


def main() -> None:
    """Render until all is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pack", type=Path, required=True)
    parser.add_argument("--scores", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--hours", type=float, default=40.0)
    parser.add_argument("--seconds", type=float, default=12.0)
    parser.add_argument("--shard", type=int, default=50, help="clips of a shard, an even number")
    parser.add_argument("--held-out", type=int, default=48, help="clips")
    parser.add_argument("--workers", type=int, default=15)
    args = parser.parse_args()
    sources = sources_of(args.pack, args.scores, args.seconds)
    if sources.leadsheets is not None:
        sheets(sources.leadsheets)
    clip(HELD_OUT, sources)  # SoundFont, rooms and scores are loaded once, before the workers part
    torch.set_num_threads(1)
    todo = jobs(args.data, sources, args.hours, args.shard, args.held_out)
    context = multiprocessing.get_context("fork")
    with context.Pool(args.workers) as pool:
        done = 0
        for n in pool.imap_unordered(work, todo):
            done += n
            print(f"rendered {done} clips, {done * args.seconds / 3600:.2f} h", flush=True)


if __name__ == "__main__":
    main()
