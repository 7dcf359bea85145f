"""Put trained parts together as a bundle with its model card: `python -m study.bundle --help`.

Reads the runs of `train_codec`, `train_ar` and `train_fm`, writes `bundle.json`, the weights in
fp16 and README.md. `--figures` takes what `study.evaluate --out` measured into both.
"""

from __future__ import annotations

import argparse
import csv
import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from engines.checkpoints import BundleSpec, save_bundle
from engines.flow_net import FlowConfig, FlowNet
from engines.lm import LM, LMConfig
from study.run import averaged_state
from study.train_codec import finish

LICENCE = "CC-BY-SA-4.0"


def lm_of(run: Path) -> LM:
    """The averaged AR network of a run; its shape is read off the weights."""
    state = averaged_state(run)
    rows, dim = state["emb.0.weight"].shape
    layers = 1 + max(int(k.split(".")[2]) for k in state if k.startswith("transformer.blocks."))
    books = sum(1 for k in state if k.startswith("emb."))
    ff = state["transformer.blocks.0.fc1.weight"].shape[0]
    net = LM(
        LMConfig(codebooks=books, codebook_size=rows - 4, dim=dim, layers=layers, heads=dim // 32, ff=ff)
    )
    net.load_state_dict(state)
    return net.eval()


def flow_of(run: Path) -> FlowNet:
    """The averaged FM network of a run; its shape is read off the weights."""
    state = averaged_state(run)
    channels, dim = state["output_proj.weight"].shape
    layers = 1 + max(int(k.split(".")[2]) for k in state if k.startswith("transformer.blocks."))
    ff = state["transformer.blocks.0.fc1.weight"].shape[0]
    net = FlowNet(FlowConfig(channels=channels, dim=dim, layers=layers, heads=dim // 32, ff=ff))
    net.load_state_dict(state)
    return net.eval()


def training_of(run: Path) -> dict[str, Any]:
    """Steps and seconds of a run, from its curves."""
    with (run / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    return (
        {"steps": int(rows[-1]["step"]), "minutes": round(float(rows[-1]["seconds"]) / 60, 1)} if rows else {}
    )


def card(spec: BundleSpec, sizes: dict[str, float], training: dict[str, Any]) -> str:
    """The model card."""

    def table(title: str) -> str:
        rows: dict[str, dict[str, float]] = spec.figures.get(title, {})
        columns = list(dict.fromkeys(c for row in rows.values() for c in row))
        lines = ["| | " + " | ".join(columns) + " |", "|---|" + "---|" * len(columns)]
        for name, row in rows.items():
            lines.append(
                f"| {name} | " + " | ".join(f"{row[c]:.3f}" if c in row else "" for c in columns) + " |"
            )
        return "\n".join(lines) if rows else "not measured"

    runs = "\n".join(f"- {k}: {v['steps']} steps in {v['minutes']} min" for k, v in training.items())
    files = "\n".join(f"- `{name}` {size:.1f} MB" for name, size in sizes.items())
    clips = spec.figures.get("clips", 0)
    return f"""# {spec.name}: the embedded bundle

A codec, one AR network and one FM network on the same codec and backbone, small enough to run on a
laptop's CPU. Weights: {spec.licence}. Code: Apache-2.0.

{files}

## What it can and cannot do
- Makes 1-10 s of mono music at 32 kHz from words, chords, a melody and drums; re-makes spans of 0.1-8 s.
- It follows drawn chords and melodies (see the table beside real clips and shuffled lanes) and the words only
  coarsely. It knows the sounds of General MIDI instruments; it has never heard a voice, and recordings of real bands
  come back simplified.
- It is lo-fi: the codec loses about 4 dB above 4 kHz, and what AR makes has gone through the quantizer.
- It was trained for less than an hour a part on two CPU cores. It shows the method; it is not a studio tool.
- AR was overfitting by the end of its run (held-out loss flat for its last half): it wants more data first.

## Data
- 10 h of pieces (3000 clips of 12 s) written by the arranger in `study/corpus.py` (14 styles), a part of them over drum performances of the Groove
  MIDI Dataset (Google, CC-BY-4.0), rendered through FluidR3 GM (MIT) and MuseScore General (MIT).
- For the codec also the samples of Sonic Pi (CC0).
- Text states come from all-MiniLM-L6-v2 (Apache-2.0), which is not part of the bundle.

## Training
{runs}

Two cores shared with other work; curves in `study/curves/`, the commands in `study/README.md`.

## Figures
Measured by `python -m study.evaluate` on {clips} held-out renders (other
pieces, the same SoundFonts). Chords: mean correlation of chroma and given chord;
melody: share of frames whose most salient pitch class is the given one; shuffled: the same audio against other
clips' lanes; onsets within 50 ms of the given hits. Inpainting: spans of 1.5-4 s, mean log-mel jump at both seams;
naive paste: another clip's audio, cut hard; composed paste: the same through the engines' own composition;
fm-zero-shot is Algorithm 1 (inversion), the default. Times with one thread on a shared core.

### Codec
{table("codec")}

### Generation
{table("generate")}

### Inpainting
{table("inpaint")}
"""


def main() -> None:
    """Assemble."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("assets/bundle"))
    parser.add_argument("--name", default="inlay-small-1")
    parser.add_argument("--codec", type=Path, default=Path("runs/codec"))
    parser.add_argument("--ar", type=Path, default=Path("runs/ar"))
    parser.add_argument("--fm", type=Path, default=Path("runs/fm"))
    parser.add_argument("--renders", type=Path, default=Path("runs/data/train"))
    parser.add_argument("--parts", default="codec,ar,fm")
    parser.add_argument("--figures", type=Path, help="JSON of study.evaluate")
    parser.add_argument("--defaults", type=Path, help="JSON of guidance: engine -> task -> [all, text]")
    parser.add_argument("--zero-shot", choices=("replacement", "inversion"))
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    file, parts = args.out / "bundle.json", args.parts.split(",")
    spec = BundleSpec.from_json(file.read_text()) if file.exists() else BundleSpec(args.name, LICENCE)
    spec = replace(spec, name=args.name, licence=LICENCE)
    if args.figures:
        spec = replace(spec, figures=json.loads(args.figures.read_text()))
    if args.defaults:
        spec = replace(spec, defaults=json.loads(args.defaults.read_text()))
    if args.zero_shot:
        spec = replace(spec, zero_shot=args.zero_shot)
    with torch.no_grad():
        spec = save_bundle(
            args.out, spec,
            finish(args.codec, args.renders, None) if "codec" in parts else None,
            lm_of(args.ar) if "ar" in parts else None,
            flow_of(args.fm) if "fm" in parts else None,
        )  # fmt: skip
    sizes = {
        f"{p}.safetensors": (args.out / f"{p}.safetensors").stat().st_size / 1e6
        for p in ("codec", "ar", "fm")
    }
    training = {
        p: training_of(getattr(args, p))
        for p in ("codec", "fm", "ar")
        if (getattr(args, p) / "curves.csv").exists()
    }
    (args.out / "README.md").write_text(card(spec, sizes, training))
    print(f"{args.out}: {sum(sizes.values()):.1f} MB")


if __name__ == "__main__":
    main()
