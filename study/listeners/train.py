"""Train what judges: a listener and a transcriber that choose nothing: `python -m study.listeners.train`.

What picks candidates or speaks on cards must not judge them too. These networks learn from pieces of their
own (`python -m study.data.render --seed 50000000 --hours 2.5 --out runs/data/judge`, through SoundFonts of
which one never trains a model; it is GPL, so they measure only and are never shipped), half of the time
through the bundle's codec, so that the codec's own sound does not count as an error. About half an hour of
one core; what is finished is not done again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engines.checkpoints.shelf import open_bundle
from engines.families.inlay import codec_of
from engines.networks.codec import Codec
from study.listeners import tagger as listeners
from study.listeners import transcriber as lines
from study.measure.conditions import RATE, SECONDS, labelled

FOLDER = Path("runs/judge")
TWICE = 3  # so often clips through the codec count beside the others: about half of what is heard


@torch.inference_mode()
def through_codec(folder: Path, out: Path, count: int, codec: Codec) -> None:
    """Write the first `count` clips of a folder of shards through a codec, every other one quantized."""
    if (out / "labels_000.json").exists() and len(np.load(out / "audio_000.npy", mmap_mode="r")) >= count:
        return
    shards = [np.load(p, mmap_mode="r") for p in sorted(folder.glob("audio_*.npy"))]
    labels = [x for p in sorted(folder.glob("labels_*.json")) for x in json.loads(p.read_text())]
    clips = [row for shard in shards for row in shard][:count]
    made = []
    for i, clip in enumerate(clips):
        x = torch.from_numpy(clip.astype(np.float32) / 32767)[None, None]
        z = codec.encode(x)
        z = codec.dequantize(codec.quantize(z)) if i % 2 else z
        y = codec.decode(z)[0, 0, : len(clip)].numpy()
        made.append(np.round(np.clip(y, -1, 1) * 32767).astype(np.int16))
        if i % 20 == 19:
            print(f"{i + 1} of {len(clips)} clips through the codec", flush=True)
    out.mkdir(parents=True, exist_ok=True)
    np.save(out / "audio_000.npy", np.stack(made))
    (out / "labels_000.json").write_text(json.dumps(labels[: len(made)]))


def measured(
    listener: listeners.Tagger, transcriber: lines.Transcriber, clips: Sequence[Any], codec: Codec
) -> dict[str, dict[str, float]]:
    """How often the judges are right on held-out clips with known labels, plain and through the codec."""
    told: dict[str, dict[str, float]] = {}
    with torch.inference_mode():
        for name in ("held-out renders", "through the codec", "through RVQ"):
            heard: list[NDArray[np.float32]] = []
            for clip in clips:
                z = (
                    codec.encode(torch.from_numpy(clip.audio.copy())[None, None])
                    if "through" in name
                    else None
                )
                if z is not None and name == "through RVQ":
                    z = codec.dequantize(codec.quantize(z))
                heard.append(clip.audio if z is None else codec.decode(z)[0, 0, : len(clip.audio)].numpy())
            told[name] = listeners.figures_of(listener, heard, [clip.label for clip in clips])
            told[name] |= lines.figures_of(transcriber, heard, [clip.controls for clip in clips], SECONDS)
            print(name, {k: round(v, 3) for k, v in told[name].items()}, flush=True)
    return told


def main() -> None:
    """Code, train, measure, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--renders", type=Path, default=Path("runs/data/judge"))
    parser.add_argument("--coded", type=int, default=200, help="clips that are heard through the codec too")
    parser.add_argument("--held-out", type=Path, default=Path("runs/data/held_out"))
    parser.add_argument("--clips", type=int, default=60, help="held-out ones that they are measured on")
    parser.add_argument("--bundle", default="bundle", help="whose codec")
    parser.add_argument("--minutes", type=float, default=6.0, help="CPU time of each of the three networks")
    parser.add_argument("--out", type=Path, default=FOLDER)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--resume", action="store_true", help="train the listener for as long again")
    parser.add_argument("--code-only", action="store_true", help="clips through the codec, and no more")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    codec = codec_of(open_bundle(args.bundle, "cpu"))
    coded = args.renders.with_name(args.renders.name + "_coded")
    through_codec(args.renders, coded, args.coded, codec)
    if args.code_only:
        return
    folders = [args.renders, *[coded] * TWICE]
    held = labelled(args.held_out, args.clips)
    there = (args.out / "tagger.json").exists()
    if args.resume or not there:
        start = listeners.load_tagger(args.out) if there else None
        store = listeners.Store(folders, 100_000, start.config if start else None)
        heard = listeners.train(store, [], args.minutes, seed=8 if start else 7, start=start)
        listeners.save_tagger(heard, args.out, {"clips": len(store.audio), "minutes": args.minutes})
        del store
    if not (args.out / "transcriber.safetensors").exists():
        transcriber = lines.train(lines.Store(folders), args.minutes, seed=7)
        lines.save(transcriber, args.out)
    told = measured(listeners.load_tagger(args.out), lines.load(args.out), held, codec)
    (args.out / "measured.json").write_text(json.dumps(told, indent=1) + "\n")
    print(f"{args.out}: judged {len(held)} clips of {SECONDS:g} s at {RATE} Hz")


if __name__ == "__main__":
    main()
