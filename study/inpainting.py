"""Measure inpainting, the paper's algorithms beside ours: `python -m study.inpainting --spans 200`.

Spans of 1-5 s in held-out renders and recordings are re-made by every row of the table through the
engines as a user calls them. Seams: score, share of failed spans (a seam rougher than any moment of the
original), log-mel jump, loudness and brightness steps (absolute, mean of both ends), and how well a
logistic classifier that is given the seams' percentiles tells the row from untouched audio (AUC, judged on
spans that it was not fitted on; 0.5 = not at all). Match: log-mel distance to and chroma agreement with what
was there. Cost: network evaluations and seconds. What was made is kept below `runs/inpainting`, so that
a stopped run goes on and a larger one begins where a smaller one ended.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import optimize

from engines import seams
from engines.checkpoints import Models, open_bundle
from engines.dispatch import run
from engines.guidance import sources
from engines.recording import from_float
from engines.requests import ARSettings, EngineName, FMSettings, Guidance, InpaintRequest, Result, Seam
from study import metrics
from study.outputs import digest
from study.spans import RATE, Piece, pieces

Floats = NDArray[np.float64]
FOLDS = 4


@dataclass(frozen=True)
class Row:
    """One way to fill a span."""

    engine: EngineName
    ar: ARSettings = ARSettings()
    fm: FMSettings = FMSettings()
    match: float = InpaintRequest.match

    def request(self, piece: Piece, seed: int) -> InpaintRequest:
        """The piece's span, to be re-made this way."""
        source = from_float(piece.audio, RATE)
        return InpaintRequest(
            self.engine,
            source,
            piece.start,
            piece.end,
            piece.prompt,
            seed,
            ar=self.ar,
            fm=self.fm,
            match=self.match,
        )


ROWS: dict[str, Row] = {
    "AR, paper (App. J)": Row("ar", match=0.0),
    "AR": Row("ar", ARSettings(candidates=4)),
    "FM, paper (Alg. 2)": Row("fm", match=0.0),
    "FM": Row("fm"),
    "FM, ab2 12": Row("fm", fm=FMSettings(solver="ab2", steps=12)),
    "ZS, paper (Alg. 1)": Row("fm-zero-shot", fm=FMSettings(zero_shot="inversion"), match=0.0),
    "ZS replacement": Row("fm-zero-shot", fm=FMSettings(zero_shot="replacement")),
    "ZS resampling": Row("fm-zero-shot", fm=FMSettings(zero_shot="resampling")),
    "ZS guided": Row("fm-zero-shot", fm=FMSettings(zero_shot="guided")),
    "ZS search": Row("fm-zero-shot", fm=FMSettings(zero_shot="search")),
}
PARTS = {"ar": ("codec", "ar"), "fm": ("codec", "fm"), "fm-zero-shot": ("codec", "fm")}


def evaluations(result: Result) -> float:
    """Network evaluations of a run over one window: guided rows count each, gradients as two more."""
    told: dict[str, Any] = result.parameters
    if "search" in told:
        return float(told["search"]["spent"])
    if "steps" not in told:
        return float("nan")  # AR: one evaluation a column, of another kind
    guidance, controls = Guidance(**told["guidance"]), result.request.controls
    lanes = any(lane is not None for lane in (controls.chords, controls.melody, controls.drums))
    rows = len(sources(guidance, bool(result.request.prompt.strip()), lanes))
    twice = {"inversion": 2, "guided": 3}.get(str(told.get("zero_shot")), 1)
    return float(told["steps"] * twice * rows * (2 if told["solver"] == "midpoint" else 1))


class Maker:
    """Fills spans with a bundle, once each."""

    def __init__(self, models: Models, folder: Path) -> None:
        self.models, self.folder = models, folder
        folder.mkdir(parents=True, exist_ok=True)
        self._weights = {
            engine: digest(*((models.folder / f"{part}.safetensors").read_bytes() for part in parts))
            for engine, parts in PARTS.items()
        }

    def figures(self, row: Row, piece: Piece, seed: int) -> dict[str, Any]:
        """What is measured of one span, read from disk where it was made before."""
        bare = replace(row.request(piece, seed), source=from_float(np.zeros(1, np.float32), RATE))
        key = digest(self._weights[row.engine].encode(), piece.audio.tobytes(), repr(bare).encode())
        file = self.folder / f"{key}.json"
        if not file.exists():
            result = run(row.request(piece, seed), self.models)
            told = heard(result.audio.mono_at(RATE), piece, result.seams)
            told |= {"evaluations": evaluations(result), "seconds": result.seconds_spent}
            file.write_text(json.dumps(told) + "\n")
        figures: dict[str, Any] = json.loads(file.read_text())
        return figures


def heard(audio: NDArray[np.float32], piece: Piece, found: tuple[Seam, ...]) -> dict[str, Any]:
    """The seams and the inside of one version of a piece."""
    a, b = piece.samples

    def mean(values: list[float]) -> float:
        return float(np.mean(values))

    return {
        "score": max(seam.score for seam in found),
        "failed": float(any(seam.failed for seam in found)),
        "jump dB": mean([seam.jump for seam in found]),
        "loudness dB": mean([abs(seam.loudness) for seam in found]),
        "brightness dB": mean([abs(seam.brightness) for seam in found]),
        "log-mel nats": metrics.log_mel_distance(audio[a:b], piece.audio[a:b], RATE),
        "chroma": metrics.chroma_agreement(audio[a:b], piece.audio[a:b], RATE),
        "percentiles": [[seam.percentiles[name] for name in seams.STATISTICS] for seam in found],
    }


def untouched(piece: Piece) -> dict[str, Any]:
    """The same figures of the piece itself."""
    source = from_float(piece.audio, RATE)
    return heard(piece.audio, piece, seams.score(source, source, piece.start, piece.end))


def pasted(piece: Piece, other: Piece) -> dict[str, Any]:
    """The same figures with another piece's audio cut in hard."""
    made = piece.audio.copy()
    a, b = piece.samples
    made[a:b] = other.audio[a:b]
    found = seams.score(from_float(piece.audio, RATE), from_float(made, RATE), piece.start, piece.end)
    return heard(made, piece, found)


def told_apart(row: list[dict[str, Any]], real: list[dict[str, Any]]) -> float:
    """AUC of a logistic classifier of the seams' percentiles, fitted on other spans than it is judged on.

    Each boundary is one item; with few spans the figure is noisy, and below 0.5 by chance.
    """
    scores: dict[bool, list[float]] = {True: [], False: []}
    for fold in range(FOLDS):
        x, y = [], []
        for label, items in ((1.0, row), (0.0, real)):
            for i, item in enumerate(items):
                if i % FOLDS != fold:
                    x += item["percentiles"]
                    y += [label] * len(item["percentiles"])
        if not x:
            return float("nan")
        p = _logistic(np.array(x) / 100 - 0.5, np.array(y))
        for label, items in ((True, row), (False, real)):
            for i, item in enumerate(items):
                if i % FOLDS == fold:
                    scores[label] += list((np.array(item["percentiles"]) / 100 - 0.5) @ p[:-1] + p[-1])
    a, b = np.array(scores[True])[:, None], np.array(scores[False])[None]
    return float((a > b).mean() + 0.5 * (a == b).mean())


def _logistic(x: Floats, y: Floats) -> Floats:
    """Weights and bias [9 + 1] of items [N, 9] with labels [N], lightly regularised."""

    def loss(p: Floats) -> float:
        margin = (x @ p[:-1] + p[-1]) * (2 * y - 1)
        return float(np.logaddexp(0.0, -margin).mean() + 1e-2 * (p[:-1] ** 2).sum())

    found: Floats = optimize.minimize(loss, np.zeros(x.shape[1] + 1), method="L-BFGS-B").x
    return found


def table(made: dict[str, list[dict[str, Any]]]) -> dict[str, dict[str, float]]:
    """Means of every row, and how well it is told from untouched audio."""
    rows = {}
    for name, items in made.items():
        columns = [c for c in items[0] if c != "percentiles"]
        rows[name] = {c: float(np.nanmean([item[c] for item in items])) for c in columns if any(
            np.isfinite(item[c]) for item in items)}  # fmt: skip
        if name != "untouched":
            rows[name]["AUC"] = told_apart(items, made["untouched"])
    return rows


def bars(rows: dict[str, dict[str, float]]) -> list[tuple[str, float, str]]:
    """(what, value, bar) of the figures that count."""
    found = []
    for name in ("AR", "FM", "ZS search"):
        if name in rows:
            found.append((f"{name}: AUC", rows[name]["AUC"], "<= 0.65"))
            found.append((f"{name}: failed", rows[name]["failed"], "<= 0.05"))
    if "FM" in rows and "ZS search" in rows:
        fm, search = rows["FM"], rows["ZS search"]
        for column in ("score", "jump dB", "loudness dB", "brightness dB", "log-mel nats"):
            found.append((f"ZS search / FM: {column}", search[column] / max(fm[column], 1e-9), "<= 1.10"))
        found.append(("ZS search / FM: chroma", search["chroma"] / max(fm["chroma"], 1e-9), ">= 0.90"))
        found.append(("ZS search / FM: evaluations", search["evaluations"] / fm["evaluations"], "<= 2.00"))
    return found


def main() -> None:
    """Fill, measure, print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="bundle")
    parser.add_argument("--spans", type=int, default=12)
    parser.add_argument("--recorded", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rows", default=";".join(ROWS), help="names, with semicolons")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("runs/inpainting"))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    chosen = {name: ROWS[name] for name in args.rows.split(";")}
    maker, begin = Maker(open_bundle(args.bundle, "cpu"), args.folder / "made"), time.time()
    spans = pieces(args.spans, args.recorded, args.seed)
    made: dict[str, list[dict[str, Any]]] = {"untouched": [], "pasted": []}
    for i, piece in enumerate(spans):
        made["untouched"].append(untouched(piece))
        made["pasted"].append(pasted(piece, spans[(i + 1) % len(spans)]))
        for name, row in chosen.items():
            made.setdefault(name, []).append(maker.figures(row, piece, i))
        print(f"{i + 1} of {len(spans)} spans, {time.time() - begin:.0f} s", flush=True)
    rows = table(made)
    columns = list(dict.fromkeys(c for row in rows.values() for c in row))
    print(f"\n{'':22}" + "".join(f"{c:>15}" for c in columns))
    for name, figures in rows.items():
        print(f"{name:22}" + "".join(f"{figures[c]:15.3f}" if c in figures else " " * 15 for c in columns))
    print()
    for what, value, bar in bars(rows):
        sign, bound = bar.split()
        met = value <= float(bound) if sign == "<=" else value >= float(bound)
        print(f"{what:34}{value:8.3f}  {bar}  {'met' if met else 'NOT MET'}")
    if args.out:
        args.out.write_text(json.dumps({"spans": len(spans), "rows": rows}, indent=1) + "\n")


if __name__ == "__main__":
    main()
