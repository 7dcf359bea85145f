"""Where a changed span begins, how it is guided and chosen: `python -m study.intents --spans 8`.

Each variant fills the same spans that are asked to become something else (`study.measure.asks`); judges
that choose nothing say how far they do (`study.listeners.jury`), and the worse seam's score and failures
stand beside it. What the front is made of becomes `CHANGED_AT`, `CHANGED_BOOKS`, `WISH_WEIGHT` and the
bundle's guidance for changes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch

from engines import ar, fm
from engines.checkpoints.shelf import open_bundle
from engines.filling import choice
from engines.requests import ARSettings, FMSettings, Guidance
from engines.roster import EngineName
from study.listeners import jury
from study.measure.changes import changes
from study.measure.fillings import Maker, Row


@dataclass(frozen=True)
class Variant:
    """One way to change a span."""

    engine: EngineName
    at: tuple[float, ...] = fm.CHANGED_AT  # flow times at which fillings begin; 0 is noise
    books: tuple[int, ...] = ar.CHANGED_BOOKS  # codebooks kept of what they begin from
    guidance: Guidance = Guidance(3.0)
    weight: float = choice.WISH_WEIGHT  # of what was asked, in the choice among fillings

    @property
    def row(self) -> Row:
        """What the table makes of it."""
        ours, flows = ARSettings(guidance=self.guidance), FMSettings(guidance=self.guidance)
        return Row(self.engine, ours, flows, intent="change")


VARIANTS: dict[str, Variant] = {
    "FM noise": Variant("fm", (0.0,) * 4),
    "FM .1": Variant("fm", (0.1,) * 4),
    "FM .2": Variant("fm", (0.2,) * 4),
    "FM .3": Variant("fm", (0.3,) * 4),
    "FM 0 and .2": Variant("fm", (0.0, 0.0, 0.2, 0.2)),
    "FM .2, by seams alone": Variant("fm", (0.2,) * 4, weight=0.0),
    "FM .2, wish 3 beside 1": Variant("fm", (0.2,) * 4, guidance=Guidance(1.0, 0.0, 3.0)),
    "FM .2, wish 5 beside 2": Variant("fm", (0.2,) * 4, guidance=Guidance(2.0, 0.0, 5.0)),
    "AR 0": Variant("ar", books=(0,) * 6),
    "AR 1": Variant("ar", books=(1,) * 6),
    "AR 2": Variant("ar", books=(2,) * 6),
    "AR 0 and 1": Variant("ar", books=(1, 1, 1, 0, 0, 0)),
    "AR 0 and 1, wish 3 beside 1": Variant("ar", books=(1, 1, 1, 0, 0, 0), guidance=Guidance(1.0, 0.0, 3.0)),
}


@contextmanager
def constants(variant: Variant) -> Iterator[None]:
    """The engines' constants as a variant has them, for a time."""
    before = fm.CHANGED_AT, ar.CHANGED_BOOKS, choice.WISH_WEIGHT
    fm.CHANGED_AT = variant.at  # type: ignore[assignment]
    ar.CHANGED_BOOKS, choice.WISH_WEIGHT = variant.books, variant.weight  # type: ignore[assignment]
    try:
        yield
    finally:
        fm.CHANGED_AT, ar.CHANGED_BOOKS, choice.WISH_WEIGHT = before


def main() -> None:
    """Fill, judge, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="bundle")
    parser.add_argument("--spans", type=int, default=8, help="of each kind of request")
    parser.add_argument("--kinds", default="words,chords,melody,drums")
    parser.add_argument("--variants", default=";".join(VARIANTS), help="names, with semicolons")
    parser.add_argument("--folder", type=Path, default=Path("runs/intents"))
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    models, judges = open_bundle(args.bundle, "cpu"), jury.opened()
    kinds: Any = args.kinds.split(",")
    tables: dict[str, dict[str, dict[str, float]]] = {}
    for name in args.variants.split(";"):
        variant = VARIANTS[name]
        maker = Maker(models, args.folder / name.replace(" ", "_"))
        with constants(variant):
            found = changes(maker, judges, {name: variant.row}, kinds, args.spans, report=lambda _: None)
        tables[name] = {kind: table[name] for kind, table in found.items()}
        cells = [f"{kind} {f['followed']:.2f} ({f['shuffled']:.2f})" for kind, f in tables[name].items()]
        failed = sum(f["failed"] for f in tables[name].values()) / len(kinds)
        score = sum(f["score"] for f in tables[name].values()) / len(kinds)
        seconds = sum(f["seconds"] for f in tables[name].values()) / len(kinds)
        told = f"failed {failed:.2f}  score {score:.2f}  {seconds:.1f} s"
        print(f"{name:30}{'  '.join(cells)}  {told}", flush=True)
        if args.out:
            args.out.write_text(json.dumps({"spans": args.spans, "variants": tables}, indent=1) + "\n")


if __name__ == "__main__":
    main()
