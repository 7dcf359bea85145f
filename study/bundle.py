"""Put trained parts together as a bundle with its model card: `python -m study.bundle --help`.

Reads the runs of `study.train.codec`, `ar` and `fm`, writes `bundle.json`, the weights in
fp16 and README.md. `--figures` takes what `study.evaluate --out` measured into both.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch

from engines.checkpoints.bundle import BundleSpec
from engines.checkpoints.shelf import save_bundle
from engines.networks.flow_net import FlowNet
from engines.networks.lane_frames import lane_width
from engines.networks.lm import LM
from engines.networks.shapes import FlowConfig, LMConfig, TakenLanes
from study.data.catalogue import attributions
from study.data.catalogue import table as recordings_table
from study.measure.conditions import RATE
from study.train.codec import finish
from study.train.run import averaged_state

LICENCE = "CC-BY-SA-4.0"
BAND = {  # whether FM, and AR, take the lanes of instruments and beats
    (True, True): "Takes the lanes of instruments and beats.",
    (
        True,
        False,
    ): "FM takes the lanes of instruments and beats; to AR the words alone say who plays, and it follows "
    "them weakly.",
    (
        False,
        True,
    ): "AR takes the lanes of instruments and beats; to FM the words alone say who plays, and it follows "
    "them weakly.",
    (
        False,
        False,
    ): "Takes no lane of instruments or beats: who plays is carried by the words alone, which it "
    "follows weakly.",
}


def lm_of(run: Path) -> LM:
    """The averaged AR network of a run; its shape is read off the weights."""
    state = averaged_state(run)
    rows, dim = state["emb.0.weight"].shape
    layers = 1 + max(int(k.split(".")[2]) for k in state if k.startswith("transformer.blocks."))
    books = sum(1 for k in state if k.startswith("emb."))
    ff = state["transformer.blocks.0.fc1.weight"].shape[0]
    band = state["input_proj.weight"].shape[1] == dim + lane_width(TakenLanes(band=True))
    net = LM(
        LMConfig(
            codebooks=books, codebook_size=rows - 4, dim=dim, layers=layers, heads=dim // 32, ff=ff, band=band
        )
    )  # fmt: skip
    net.load_state_dict(state)
    return net.eval()


def flow_of(run: Path) -> FlowNet:
    """The averaged FM network of a run; its shape is read off the weights."""
    state = averaged_state(run)
    channels, dim = state["output_proj.weight"].shape
    layers = 1 + max(int(k.split(".")[2]) for k in state if k.startswith("transformer.blocks."))
    ff = state["transformer.blocks.0.fc1.weight"].shape[0]
    band = state["input_proj.weight"].shape[1] == channels + 1 + lane_width(TakenLanes(band=True))
    net = FlowNet(FlowConfig(channels=channels, dim=dim, layers=layers, heads=dim // 32, ff=ff, band=band))
    net.load_state_dict(state)
    return net.eval()


def training_of(run: Path) -> dict[str, Any]:
    """Steps and seconds of a run, from its curves."""
    with (run / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    return (
        {"steps": int(rows[-1]["step"]), "minutes": round(float(rows[-1]["seconds"]) / 60, 1)} if rows else {}
    )


@dataclass(frozen=True)
class Facts:
    """What the card tells beside the figures."""

    sizes: dict[str, float]  # file -> MB
    training: dict[str, dict[str, Any]]  # part -> steps, minutes
    renders: dict[str, float]  # source of rendered pieces -> hours
    recordings: dict[str, float]  # package -> hours
    attributions: str  # markdown
    notes: tuple[str, ...] = ()  # on training, from whoever ran it


def rendered_hours(folder: Path) -> dict[str, float]:
    """Hours of a folder of renders by their source, from labels and the shapes of the shards."""
    hours: dict[str, float] = {}
    for path in sorted(folder.glob("audio_*.npy")):
        labels = path.with_name(path.name.replace("audio_", "labels_")).with_suffix(".json")
        if labels.exists():
            seconds = np.load(path, mmap_mode="r").shape[1] / RATE
            for label in json.loads(labels.read_text()):
                source = label.get("source", "arranger")
                hours[source] = hours.get(source, 0.0) + seconds / 3600
    return dict(sorted(hours.items(), key=lambda item: -item[1]))


def recorded_hours(folder: Path) -> dict[str, float]:
    """Hours of a folder of recordings by package (`package__title.npy`, int16 [N])."""
    hours: dict[str, float] = {}
    for path in sorted(folder.glob("*.npy")):
        package = path.stem.split("__")[0]
        hours[package] = hours.get(package, 0.0) + len(np.load(path, mmap_mode="r")) / RATE / 3600
    return hours


def number(value: float) -> str:
    """Three decimals, or as many digits as a very small one needs."""
    return f"{value:.3f}" if value == 0 or abs(value) >= 5e-4 else f"{value:.1e}"


def table(rows: dict[str, dict[str, float]]) -> str:
    """Rows of figures as a markdown table, at most nine columns wide, one under the other."""
    columns = list(dict.fromkeys(c for row in rows.values() for c in row))
    parts = []
    for at in range(0, len(columns), 9):
        some = columns[at : at + 9]
        lines = ["| | " + " | ".join(some) + " |", "|---|" + "---|" * len(some)]
        for name, row in rows.items():
            if any(c in row for c in some):
                cells = (number(row[c]) if c in row else "" for c in some)
                lines.append(f"| {name} | " + " | ".join(cells) + " |")
        parts.append("\n".join(lines))
    return "\n\n".join(parts) if columns else "not measured"


def bar_table(bars: Sequence[dict[str, Any]]) -> str:
    """Every bar beside its figure, floor and ceiling, as markdown."""
    lines = ["| of | figure | measured | bar | floor | ceiling | |", "|---|---|---|---|---|---|---|"]
    for bar in bars:
        floor, top = (number(bar[k]) if bar.get(k) is not None else "" for k in ("floor", "ceiling"))
        sign = {"|<=|": "within ±", ">=": "≥ ", "<=": "≤ "}.get(bar["sign"], bar["sign"] + " ")
        asked = f"{sign}{number(bar['bar'])}" + (f" ({bar['why']})" if bar["why"] else "")
        met = "met" if bar["met"] else "**not met**"
        of = f"{bar['part']}: {bar['row']}"
        lines.append(
            f"| {of} | {bar['figure']} | {number(bar['value'])} | {asked} | {floor} | {top} | {met} |"
        )
    return "\n".join(lines) if bars else "not measured"


def limits(figures: dict[str, Any]) -> str:
    """What the figures say a musician will miss, in words."""
    codec = figures.get("codec", {}).get("codec continuous", {})
    bars = figures.get("bars", [])
    missed = [bar for bar in bars if not bar["met"]]
    lines = [
        "- It knows the sounds of General MIDI instruments and of a few hours of free recordings; it has hardly heard",
        "  voices, and recordings of real bands come back simplified.",
        "- Mono, at most 10 s at once. What AR makes has gone through the quantizer and sounds coarser than FM.",
    ]
    if codec:
        lines.append(
            f"- Through the codec alone, {codec['SI-SNR dB']:.1f} dB SI-SNR and {codec['>4 kHz dB']:+.1f} dB above 4 kHz."
        )
    if bars:
        lines.append(f"- {len(bars) - len(missed)} of {len(bars)} bars are met; the others are marked below.")
    return "\n".join(lines)


def card(spec: BundleSpec, facts: Facts) -> str:
    """The model card."""
    figures = spec.figures
    runs = [f"- {k}: {v['steps']} steps in {v['minutes']} min" for k, v in facts.training.items()]
    runs += [f"- {note}" for note in facts.notes]
    files = "\n".join(f"- `{name}` {size:.1f} MB" for name, size in facts.sizes.items())
    rendered = ", ".join(f"{name} {hours:.1f} h" for name, hours in facts.renders.items()) or "none here"
    recorded = ", ".join(f"{name} {hours:.2f} h" for name, hours in facts.recordings.items()) or "none here"
    parts = [name for name, rows in figures.items() if isinstance(rows, dict)]
    tables = "\n\n".join(f"### {name[0].upper()}{name[1:]}\n{table(figures[name])}" for name in parts)
    weights = "; ".join(
        f"{engine}: " + ", ".join(f"{task} {w[0]:g}/{w[1]:g}" for task, w in tasks.items())
        for engine, tasks in spec.defaults.items()
    )
    return f"""# {spec.name}: the embedded bundle

A codec, one AR network and one FM network on the same codec and backbone, small enough to run on a
laptop's CPU. Weights: {spec.licence}. Code: Apache-2.0.

{files}

Default guidance (all/text): {weights}; zero-shot: {spec.zero_shot}.

## What it can and cannot do
- Makes 1-{spec.window_seconds:g} s of mono music at 32 kHz from words, chords, a melody and drums; re-makes spans of 0.1-8 s.
{limits(figures)}
- {BAND[spec.flow.band, spec.lm.band]}
- A span that blends in is carried by a copy of the music around it, which the networks re-voice: no engine's seams beat the
  bare copy's. What is asked of a span counts where it is changed (`study/README.md`, "What was asked, and what is heard").

## Data
- Rendered pieces: {rendered}. Written by the arranger in `study/data/corpus.py` or arranged from OpenEWLD lead sheets
  (public-domain works, MIT), a part of them over drum performances of the Groove MIDI Dataset (Google,
  CC-BY-4.0), rendered through FluidR3 GM (MIT) and MuseScore General (MIT), some with drum samples of Sonic Pi (CC0).
- Recordings under free licences: {recorded}. Whole packages are held out. Who made them stands under Attributions.
- Text states come from all-MiniLM-L6-v2 (Apache-2.0), which is not part of the bundle.
- How the renders spread over styles, instruments, tempi and keys: `study/DATA.md`.

## Training
{chr(10).join(runs)}

Two cores shared with other work where nothing else is said; curves in `study/curves/`, commands in `study/README.md`.

## Figures
Measured by `python -m study.evaluate` on {figures.get("clips", 0)} held-out conditions and {figures.get("spans", 0)} spans: other
pieces through the same SoundFonts, and recordings of packages that trained nothing. All is read from audio. Floors (shuffled): the same audio
against other clips' conditions; ceiling: real clips through the codec.
Inpainting rows are single fillings from noise, as the networks make them; what the engines do by default, several
fillings that begin from the music around the span, is measured in `study/README.md`.

{bar_table(figures.get("bars", []))}

**Words.** chord IOU: time in which Chordino hears the same of 194 chords in the clip as in the real one, over the
union; chord lane IOU: against the given lane; chords (r): correlation of chroma and given chord; melody: share of
frames whose most salient pitch class is the given one; melody chroma: strongest pitch class as in the real clip;
drum onsets: F1 within 50 ms; lead of 10: the asked instrument found among ten by a listener of our own
(`study/listeners/tagger.py`), in generate from words and lanes, in text from words alone; FAD: Frechet distance of that
listener's embeddings of 2 s (not comparable with VGGish) to the same held-out renders. Inpainting: spans of 1-5 s;
naive paste: another clip's audio, cut hard; composed paste: the same through the engines' own composition;
independent: a clip that the engine made of the same words and lanes without the context, composed likewise.

{tables}

## Attributions
{facts.attributions}"""


def main() -> None:
    """Assemble."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("assets/bundle"))
    parser.add_argument("--name", default="inlay-small-1")
    parser.add_argument("--codec", type=Path, default=Path("runs/codec"))
    parser.add_argument("--ar", type=Path, default=Path("runs/ar"))
    parser.add_argument("--fm", type=Path, default=Path("runs/fm"))
    parser.add_argument("--renders", type=Path, default=Path("runs/data/train"))
    parser.add_argument("--recordings", type=Path, default=Path("runs/recordings/train"))
    parser.add_argument("--note", action="append", default=[], help="a line on training for the card")
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
    facts = Facts(
        sizes, training, rendered_hours(args.renders), recorded_hours(args.recordings),
        attributions(r for r in recordings_table() if r.split == "train"), tuple(args.note),
    )  # fmt: skip
    (args.out / "README.md").write_text(card(spec, facts))
    print(f"{args.out}: {sum(sizes.values()):.1f} MB")


if __name__ == "__main__":
    main()
