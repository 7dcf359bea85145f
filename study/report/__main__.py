"""The study as one page: `python -m study.report [--quick] [--out FOLDER] [--parts ...] [--models NAME ...]`.

Makes the parts that are not there yet, each a JSON file below the folder's `parts`, then `report.html` of all
that are. A stopped run goes on where it was; delete a part's file to have it made again. Seconds are seconds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import torch

from engines.checkpoints.found import find_checkpoint
from engines.errors import InputError
from study.report import claims, clips, networks, page, spans, speed, trained
from study.report.parts import SIZES, Part, Place, ensure, file_of, read

PARTS: tuple[Part, ...] = (
    Part("clips", "Quality and control", "Fidelity and control adherence (5.1, 5.2)", clips.quality),
    Part("sampling", "Sampling settings", "Temperature, top-k, guidance, steps (App. D, H)", clips.sampling),
    Part("spans", "Inpainting", "The paper's algorithms, ours, and bare pastes (5.3)", spans.blended),
    Part("wishes", "What changed spans follow", "Chords, melody and drums that were not there", spans.wished),
    Part("speed", "Latency and throughput", "By batch, duration and steps (5.4)", speed.speed),
    Part("entropy", "Entropy along the clip", "Does conditioning make AR surer? (App. I)", networks.entropy),
    Part("solvers", "Solver and steps", "How far few steps are from many (App. H)", networks.solvers),
    Part("training", "What needs training", "Budgets, frame rates, latents (5.1, 5.5)", trained.trained),
)  # fmt: skip
NAMES = tuple(part.name for part in PARTS)


def report(place: Place, chosen: Sequence[str] = NAMES) -> Path:
    """Make what is missing of the chosen parts, and the page of all that are there. Gives the page's path."""
    models = spans.parts_of(place)
    ensure([*(part for part in PARTS if part.name in chosen), *models], place, lambda s: print(s, flush=True))
    return written(place, [part.name for part in models])


def written(place: Place, models: Sequence[str] = ()) -> Path:
    """The page of the parts that are there."""
    others = sorted(p.stem for p in file_of(place.out, "x").parent.glob("model-*.json"))
    names = [*NAMES[:4], *dict.fromkeys((*models, *others)), *NAMES[4:]]
    told = {name: part for name in names if (part := read(place.out, name)) is not None}
    absent = [(part.title, f"python -m study.report --parts {part.name} --out {place.out}")
              for part in PARTS if part.name not in told]  # fmt: skip
    spec: Any = find_checkpoint(place.bundle, "cpu").spec
    found = claims.verdicts(told)
    file = place.out / "report.html"
    half = file.with_suffix(".part")
    against = claims.contradictions(told, getattr(spec, "figures", {}))
    half.write_text(page.page(list(told.values()), found, against, absent, place.size.name, spec.name))
    half.rename(file)
    (place.out / "claims.md").write_text(claims.markdown(found) + "\n")
    (place.out / "report.json").write_text(
        json.dumps(
            {"claims": [[v.claim.words, v.says] for v in found], "against the card": against}, indent=1
        )
        + "\n"
    )
    return file


def main() -> None:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0] if __doc__ else "")
    size = parser.add_mutually_exclusive_group()
    size.add_argument("--quick", action="store_true", help="a few clips and spans: minutes on two cores")
    size.add_argument("--size", choices=SIZES, default="whole", help="whole takes a night on two cores")
    parser.add_argument("--clips", type=int, help="held-out clips, instead of the size's")
    parser.add_argument("--spans", type=int, help="spans, instead of the size's")
    parser.add_argument("--out", type=Path, default=Path("runs/report"), help="parts, sounds and report.html")
    parser.add_argument("--parts", nargs="+", default=list(NAMES), metavar="PART", help=", ".join(NAMES))
    parser.add_argument("--models", nargs="+", default=[], metavar="NAME", help="checkpoints of the shelf")
    parser.add_argument("--bundle", default="bundle")
    parser.add_argument("--device", default="auto", choices=("auto", "cpu", "cuda"))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--held-out", type=Path, help="clips of study.data.render; default: rendered now")
    parser.add_argument("--results", type=Path, default=Path("runs"), help="where study.train wrote")
    parser.add_argument("--judges", type=Path, default=Path("runs/judge"), help="of study.listeners.train")
    args = parser.parse_args()
    if unknown := sorted(set(args.parts) - set(NAMES)):
        parser.error(f"--parts {' '.join(unknown)}: there are {', '.join(NAMES)}")
    chosen = SIZES["quick" if args.quick else args.size]
    chosen = replace(chosen, clips=args.clips or chosen.clips, spans=args.spans or chosen.spans)
    torch.set_num_threads(args.threads)
    place = Place(args.out, chosen, args.bundle, args.device, args.threads, args.held_out, args.results,
                  args.judges, tuple(args.models))  # fmt: skip
    try:
        print(report(place, args.parts))
    except InputError as error:
        raise SystemExit(str(error)) from error


if __name__ == "__main__":
    main()
