"""Measure a bundle: `python -m study.evaluate`; prints tables, and each bar beside what was measured.

Everything is asked on held-out clips that no training saw, judged from audio alone, and stands
between a floor (the same audio against other clips' conditions) and a ceiling (real clips through the
codec). What was made and heard stays below `runs/evaluate`, so a stopped measurement goes on, and a
repeated one only judges. `--set` names the parts: codec, generate, text, inpaint, speed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

import torch

from engines.checkpoints.shelf import Models, open_bundle
from engines.requests import ARSettings, FMSettings, Guidance
from engines.roster import ENGINE_NAMES
from study.listeners.hearing import Listener
from study.listeners.tagger import load_tagger
from study.listeners.train import FOLDER
from study.measure.conditions import Clip, excerpts, labelled
from study.measure.outputs import Outputs
from study.measure.parts import (
    Rows,
    Settings,
    codec_facts,
    codec_figures,
    generation_figures,
    inpainting_figures,
    speed_figures,
    text_figures,
)
from study.measure.verdicts import bars, show


def measure(
    models: Models, outputs: Outputs, listener: Listener, args: argparse.Namespace, settings: Settings
) -> dict[str, Rows]:
    """The figures of the parts that `args.set` names."""
    parts = args.set.split(",")
    clips = labelled(args.held_out, 2 * args.clips)
    clips, others = clips[: args.clips], clips[args.clips :]
    figures: dict[str, Rows] = {}
    if "codec" in parts:
        sets: dict[str, Sequence[Clip]] = {"": clips}
        if args.recordings.is_dir():
            sets[", recordings"] = excerpts(args.recordings, args.clips)
        figures["codec"] = codec_figures(outputs, sets) | {"facts": codec_facts(models)}
    if "generate" in parts:
        figures["generate"] = generation_figures(outputs, listener, clips, others, settings)
    if "text" in parts:
        figures["text"] = text_figures(outputs, listener, clips, settings)
    if "inpaint" in parts:
        count = args.spans or args.clips
        figures["inpaint"] = inpainting_figures(outputs, listener, clips, count, settings, "inpaint")
        if args.real.is_dir():
            real = labelled(args.real, args.clips)
            figures["inpaint, recordings"] = inpainting_figures(
                outputs, listener, real, count, settings, "inpaint, recordings"
            )
    if "speed" in parts:
        figures["speed"] = speed_figures(models, clips, settings)
    return figures


def main() -> None:
    """Measure and print; `--out` also writes the figures as JSON, for `study.bundle --figures`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="bundle")
    parser.add_argument("--held-out", type=Path, default=Path("runs/data/held_out"))
    parser.add_argument(
        "--real", type=Path, default=Path("runs/data/real_held_out"), help="labelled recordings"
    )
    parser.add_argument("--recordings", type=Path, default=Path("runs/recordings/held_out"))
    parser.add_argument("--tagger", type=Path, default=FOLDER, help="a listener that chooses nothing")
    parser.add_argument("--work", type=Path, default=Path("runs/evaluate"), help="where outputs are kept")
    parser.add_argument("--clips", type=int, default=200, help="conditions")
    parser.add_argument(
        "--spans", type=int, default=0, help="spans of renders, and of recordings; 0: as conditions"
    )
    parser.add_argument("--set", default="codec,generate,text,inpaint,speed")
    parser.add_argument("--engines", default="ar,fm,fm-zero-shot", help="none: only what needs no engine")
    parser.add_argument("--lanes", default="chords,melody,drums")
    parser.add_argument("--chord-lane", choices=("labels", "heard"), default=Settings.chord_lane)
    parser.add_argument("--steps", type=int, default=FMSettings.steps)
    parser.add_argument("--solver", default=FMSettings.solver)
    parser.add_argument("--zero-shot", default="", help="inversion or replacement; default: the bundle's")
    parser.add_argument("--zero-shot-spans", type=int, default=Settings.zero_shot_spans)
    parser.add_argument("--guidance", type=float, nargs=2, metavar=("ALL", "TEXT"))
    parser.add_argument("--temperature", type=float, default=ARSettings.temperature)
    parser.add_argument("--top-k", type=int, default=ARSettings.top_k)
    parser.add_argument("--text-seconds", type=float, default=Settings.text_seconds)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    begin, models = time.time(), open_bundle(args.bundle, args.device)
    guidance = Guidance(*args.guidance) if args.guidance else None
    chosen = [name for name in args.engines.split(",") if name != "none"]
    if unknown := set(chosen) - set(ENGINE_NAMES):
        raise SystemExit(
            f"--engines {','.join(sorted(unknown))}: unknown; there are {', '.join(ENGINE_NAMES)}"
        )
    engines = tuple(name for name in ENGINE_NAMES if name in chosen)
    settings = Settings(
        engines,
        tuple(args.lanes.split(",")),
        ARSettings(temperature=args.temperature, top_k=args.top_k, guidance=guidance),
        FMSettings(args.solver, args.steps, guidance, args.zero_shot or models.spec.zero_shot),
        args.chord_lane,
        args.text_seconds,
        args.zero_shot_spans,
    )
    outputs = Outputs(models, args.work, args.batch)
    listener = Listener(load_tagger(args.tagger), args.work / "heard")
    figures = measure(models, outputs, listener, args, settings)
    show(figures)
    print(
        f"\n{args.clips} conditions, {args.spans or args.clips} spans asked for, {time.time() - begin:.0f} s"
    )
    if args.out:
        report: dict[str, Any] = {"clips": args.clips, "spans": args.spans or args.clips, **figures}
        report["bars"] = [asdict(bar) | {"met": bar.met} for bar in bars(figures)]
        args.out.write_text(json.dumps(report, indent=1) + "\n")


if __name__ == "__main__":
    main()
