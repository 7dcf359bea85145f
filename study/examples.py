"""Twelve example clips of a bundle with their requests: `python -m study.examples`.

Six kinds of request for each of AR and FM: words alone, with chords, with chords and melody, with
drums, with everything, and a span of the clip before re-made. Words and lanes are those of arranged
pieces whose seeds follow each other, and each run has one seed: nothing is chosen by ear. Writes
NN.flac (16 bit, mono, 32 kHz) and examples.json into `assets/examples`.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from engines.audio.recording import Recording
from engines.audio.timebase import Grid
from engines.checkpoints.shelf import Models, open_bundle
from engines.dispatch import run
from engines.requests import Controls, FMSettings, GenerateRequest, InpaintRequest, Request
from engines.roster import EngineName
from study.data.captions import caption
from study.data.corpus import arrange
from study.data.piece import Piece
from study.measure.conditions import RATE, trimmed
from study.measure.outputs import quantized

FIRST_SEED = 2_000_000_000  # no training or held-out set reaches it
KINDS: dict[str, tuple[str, ...]] = {  # kind -> lanes given
    "words": (), "chords": ("chords",), "melody": ("chords", "melody"), "drums": ("drums",),
    "everything": ("chords", "melody", "drums"), "span": ("chords", "melody", "drums"),
}  # fmt: skip
LANES = ("chords", "melody", "drums")
ENGINES: tuple[EngineName, ...] = ("fm", "ar")
MAX_BYTES, MAX_TOTAL = 400_000, 4_000_000


@dataclass(frozen=True)
class Example:
    """One example before it is made."""

    file: str
    engine: EngineName
    kind: str  # of KINDS
    style: str
    prompt: str
    seed: int
    controls: Controls
    grid: Grid | None  # of the lanes; None where there are none
    key: str  # of the lanes, "" where the music has none


def plan(seconds: float) -> list[Example]:
    """The twelve examples, `seconds` long each; the span re-made belongs to the clip before it.

    A piece is the first of its seeds that has the lanes of its kind and a style that none before has.
    """
    out: list[Example] = []
    for engine in ENGINES:
        for kind, lanes in KINDS.items():
            number = len(out) + 1
            file = f"{number:02d}.flac"
            if kind == "span":  # the same piece goes on around the span
                last = out[-1]
                out.append(replace(last, file=file, kind=kind, seed=number))
                continue
            piece, whole = _piece(FIRST_SEED + 1000 * number, seconds, lanes, {e.style for e in out})
            controls = Controls(*(getattr(whole, n) if n in lanes else None for n in LANES))
            grid = Grid(piece.bpm, piece.beats_per_bar, round(piece.downbeats[0], 4)) if lanes else None
            out.append(
                Example(
                    file, engine, kind, piece.style, caption(piece, 0), number, controls, grid,
                    piece.key if lanes else "",
                )
            )  # fmt: skip
    return out


def _piece(seed: int, seconds: float, lanes: Sequence[str], styles: set[str]) -> tuple[Piece, Controls]:
    for piece in (arrange(s, seconds) for s in range(seed, seed + 1000)):
        controls = trimmed(Controls(piece.chords, piece.melody, piece.hits), seconds)
        if piece.style not in styles and all(getattr(controls, name) for name in lanes):
            return piece, controls
    raise ValueError(f"seeds {seed}-{seed + 999}: no piece with {', '.join(lanes)} in a new style")


def make(models: Models, folder: Path, seconds: float, steps: int) -> list[dict[str, Any]]:
    """Make and write all examples; returns what examples.json says of them."""
    folder.mkdir(parents=True, exist_ok=True)
    told, last = [], None
    rng = np.random.default_rng(FIRST_SEED)
    fm = FMSettings(steps=steps, zero_shot=models.spec.zero_shot)
    for example in plan(seconds):
        extra: dict[str, Any] = {}
        request: Request = GenerateRequest(
            example.engine, example.prompt, seconds, example.seed, example.controls, fm=fm
        )
        if example.kind == "span" and last is not None:
            length = float(rng.uniform(1.5, 3.0))
            start = round(float(rng.uniform(1.5, seconds - 1.5 - length)), 2)
            extra = {"source": told[-1]["file"], "start": start, "end": round(start + length, 2)}
            request = InpaintRequest(
                example.engine, last, extra["start"], extra["end"], example.prompt, example.seed,
                example.controls, fm=fm,
            )  # fmt: skip
        result = run(request, models)
        last = result.audio
        told.append({**asdict(example), "seconds": seconds, **extra, "parameters": result.resolved})
        write(folder / example.file, last)
        print(f"{example.file} {example.engine} {example.kind}: {example.prompt}", flush=True)
    (folder / "examples.json").write_text(
        json.dumps({"bundle": models.spec.name, "examples": told}, indent=1) + "\n"
    )
    return told


def write(file: Path, recording: Recording) -> None:
    """Write mono 16-bit FLAC at 32 kHz, as small as FLAC gets."""
    samples = quantized(recording.mono_at(RATE))
    soundfile.write(file, samples, RATE, format="FLAC", subtype="PCM_16", compression_level=1.0)


def oversize(folder: Path) -> str:
    """What is too big for the repository, or ''."""
    sizes = {p.name: p.stat().st_size for p in sorted(folder.glob("*.flac"))}
    big = [f"{name} {size} bytes" for name, size in sizes.items() if size > MAX_BYTES]
    total = sum(sizes.values())
    if big or total > MAX_TOTAL:
        return f"{', '.join(big) or 'all together'}: {total} bytes in all; make them shorter with --seconds"
    return ""


def main() -> None:
    """Make the examples of a bundle."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="bundle")
    parser.add_argument("--out", type=Path, default=Path("assets/examples"))
    parser.add_argument("--seconds", type=float, default=7.0)
    parser.add_argument("--steps", type=int, default=FMSettings.steps)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="auto")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    make(open_bundle(args.bundle, args.device), args.out, args.seconds, args.steps)
    if told := oversize(args.out):
        raise SystemExit(f"{args.out}: {told}")
    total = sum(p.stat().st_size for p in args.out.glob("*.flac"))
    print(f"{args.out}: {total / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
