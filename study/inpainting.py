"""Measure inpainting, the paper's algorithms beside ours: `python -m study.inpainting --spans 100`.

Spans of 1-5 s in held-out renders and recordings are re-made by every row of the table through the
engines as a user calls them. Seams: score, share of failed spans (a seam rougher than any moment of the
original), log-mel jump, loudness and brightness steps (absolute, mean of both ends), and how well a
logistic classifier that is given the seams' percentiles tells the row from untouched audio (AUC, judged on
spans that it was not fitted on; 0.5 = not at all; with the interval that holds 95 % of its values when spans
are drawn again, and for recordings and renders apart). Match: log-mel distance to and chroma agreement with
what was there. Cost: network evaluations and seconds. What was made is kept as audio below `runs/inpainting`,
so that a stopped run goes on, a larger one begins where a smaller one ended, and a changed seam score
is measured anew without any forward.

With `--changes` the rows are also asked for what was not there, words, chords, melody and drums
(`study.measure.changes`): how far each follows, and how its seams sound then. A seam figure without that says
little, because a copy of the surroundings has the smoothest.

With `--follow` the lanes are followed that are heard in each piece, as the editor does after an analysis;
then the rows also tell for how much of a span its chords and melody are those of the lanes.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import optimize

from engines.audio import seams
from engines.audio.recording import from_float
from engines.checkpoints.shelf import open_bundle
from engines.requests import Controls
from study.listeners import jury
from study.listeners import train as judge
from study.measure import changes, metrics
from study.measure.asks import ASKED, asks, heard_lanes, recorded
from study.measure.fillings import MORE, ROWS, Maker, Paste, Row
from study.measure.spans import RATE, Piece, pieces

Floats = NDArray[np.float64]
FOLDS = 4
DRAWS = 1000  # of the spans, for an interval


def _between(lanes: Controls, start: float, end: float) -> Controls:
    """Chords and melody between two times, on a clock that begins at the first."""

    def cut(items: tuple[Any, ...] | None) -> tuple[Any, ...]:
        return tuple(
            replace(item, start=max(item.start, start) - start, end=min(item.end, end) - start)
            for item in items or ()
            if item.end > start and item.start < end
        )

    return Controls(cut(lanes.chords), cut(lanes.melody))


class Ear:
    """Measures versions of one piece."""

    def __init__(self, piece: Piece, lanes: Controls | None = None) -> None:
        self.piece, self.lanes = piece, lanes
        self._judge = seams.Judge(from_float(piece.audio, RATE), piece.start, piece.end)

    def figures(self, inside: NDArray[np.float32]) -> dict[str, Any]:
        """The seams and the inside of the piece with `inside` [n] in its span."""
        audio, (a, b) = self.piece.audio.copy(), self.piece.samples
        audio[a:b] = inside
        found = self._judge.seams(from_float(audio, RATE))

        def mean(values: list[float]) -> float:
            return float(np.mean(values))

        return {
            "recorded": float(self.piece.recorded),
            "score": max(seam.score for seam in found),
            "failed": float(any(seam.failed for seam in found)),
            "jump dB": mean([seam.jump for seam in found]),
            "loudness dB": mean([abs(seam.loudness) for seam in found]),
            "brightness dB": mean([abs(seam.brightness) for seam in found]),
            "log-mel nats": metrics.log_mel_distance(inside, self.piece.audio[a:b], RATE),
            "chroma": metrics.chroma_agreement(inside, self.piece.audio[a:b], RATE),
            "onsets r": metrics.onset_correlation(inside, self.piece.audio[a:b], RATE),
            "percentiles": [[seam.percentiles[name] for name in seams.STATISTICS] for seam in found],
            **self._kept(audio),
        }

    def _kept(self, audio: NDArray[np.float32]) -> dict[str, float]:
        """Share of the span in which its chords and its melody are those of the lanes that were followed."""
        if self.lanes is None:
            return {}
        start, end = self.piece.start, self.piece.end
        asked, heard = (_between(lanes, start, end) for lanes in (self.lanes, heard_lanes(audio)))
        melody = metrics.melody_score(heard.melody or (), asked.melody or (), end - start)
        return {
            "chords kept": metrics.chord_wcsr(heard.chords or (), asked.chords or (), end - start),
            "melody kept": melody.raw_chroma,
        }

    def anchors(self, other: Piece) -> dict[str, dict[str, Any]]:
        """The figures of the piece itself, of another one cut in hard, and of silence."""
        a, b = self.piece.samples
        return {
            "untouched": self.figures(self.piece.audio[a:b]),
            "pasted": self.figures(other.audio[a:b]),
            "silence": self.figures(np.zeros(b - a, np.float32)),
        }


def told_apart(row: list[dict[str, Any]], real: list[dict[str, Any]]) -> float:
    """AUC of a logistic classifier of the seams' percentiles, fitted on other spans than it is judged on.

    Each boundary is one item; with few spans the figure is noisy, and below 0.5 by chance.
    """
    return _auc(*suspicions(row, real))


def suspicions(
    row: list[dict[str, Any]], real: list[dict[str, Any]]
) -> tuple[list[list[float]], list[list[float]]]:
    """How sure the classifier is that each boundary of each span was made: the row's, and untouched ones.

    A span is judged by a classifier that was fitted on others.
    """
    made: list[list[float]] = [[] for _ in row]
    uncut: list[list[float]] = [[] for _ in real]
    for fold in range(FOLDS):
        x, y = [], []
        for label, items in ((1.0, row), (0.0, real)):
            for i, item in enumerate(items):
                if i % FOLDS != fold:
                    x += item["percentiles"]
                    y += [label] * len(item["percentiles"])
        if not x:
            return made, uncut
        p = _logistic(np.array(x) / 100 - 0.5, np.array(y))
        for scores, items in ((made, row), (uncut, real)):
            for i, item in enumerate(items):
                if i % FOLDS == fold:
                    scores[i] = list((np.array(item["percentiles"]) / 100 - 0.5) @ p[:-1] + p[-1])
    return made, uncut


def _auc(made: list[list[float]], uncut: list[list[float]]) -> float:
    """Probability that a boundary that was made is more suspicious than an untouched one, ties half."""
    a = np.array([score for span in made for score in span])[:, None]
    b = np.array([score for span in uncut for score in span])[None]
    return float((a > b).mean() + 0.5 * (a == b).mean()) if a.size and b.size else float("nan")


def interval(made: list[list[float]], uncut: list[list[float]]) -> tuple[float, float]:
    """Between which figures 95 % of the AUCs lie when the spans are drawn again, with replacement."""
    rng = np.random.default_rng(0)
    found = []
    for _ in range(DRAWS):
        drawn = rng.integers(0, len(made), len(made))
        found.append(_auc([made[i] for i in drawn], [uncut[i] for i in drawn]))
    low, high = np.nanquantile(found, (0.025, 0.975))
    return float(low), float(high)


def _logistic(x: Floats, y: Floats) -> Floats:
    """Weights and bias [10 + 1] of items [N, 10] with labels [N], lightly regularised."""

    def loss(p: Floats) -> float:
        margin = (x @ p[:-1] + p[-1]) * (2 * y - 1)
        return float(np.logaddexp(0.0, -margin).mean() + 1e-2 * (p[:-1] ** 2).sum())

    found: Floats = optimize.minimize(loss, np.zeros(x.shape[1] + 1), method="L-BFGS-B").x
    return found


def table(made: dict[str, dict[int, dict[str, Any]]]) -> dict[str, dict[str, float]]:
    """Row -> span -> figures becomes row -> means, and how well the row is told from its spans untouched."""
    rows = {}
    for name, items in made.items():
        figures = list(items.values())
        columns = [c for c in figures[0] if c != "percentiles"]
        rows[name] = {"spans": float(len(items))} | {
            c: float(np.nanmean([item[c] for item in figures]))
            for c in columns
            if any(np.isfinite(item[c]) for item in figures)
        }
        if name == "untouched":
            continue
        made_so, uncut = suspicions(figures, [made["untouched"][i] for i in items])
        rows[name]["AUC"] = _auc(made_so, uncut)
        rows[name]["AUC low"], rows[name]["AUC high"] = interval(made_so, uncut)
        for kind, wanted in (("recordings", 1.0), ("renders", 0.0)):
            these = [k for k, item in enumerate(figures) if item["recorded"] == wanted]
            if these:
                rows[name][f"AUC {kind}"] = _auc([made_so[k] for k in these], [uncut[k] for k in these])
                rows[name][f"failed {kind}"] = float(np.mean([figures[k]["failed"] for k in these]))
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
    parser.add_argument("--recorded", type=float, default=0.6)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--follow", action="store_true", help="give the lanes that are heard in each piece")
    parser.add_argument("--rows", default=";".join(ROWS), help="names, with semicolons")
    parser.add_argument("--changes", default="", help=f"kinds with commas, or all: {','.join(ASKED)}")
    parser.add_argument("--asked", type=int, help="spans of each kind of change; default as --spans")
    parser.add_argument("--asked-recorded", type=int, default=0, help="spans of recordings for each kind")
    parser.add_argument("--judges", type=Path, default=judge.FOLDER, help="of study.listeners.train")
    only = parser.add_mutually_exclusive_group()
    only.add_argument("--make-only", action="store_true", help="make what is missing, measure nothing")
    only.add_argument("--measure-only", action="store_true", help="measure what there is, make nothing")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--folder", type=Path, default=Path("runs/inpainting"))
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    chosen = {name: (ROWS | MORE)[name] for name in args.rows.split(";")}
    maker = Maker(open_bundle(args.bundle, "cpu"), args.folder / "made")
    kinds = ASKED if args.changes == "all" else tuple(k for k in args.changes.split(",") if k)
    changed: dict[str, changes.Table] = {}
    if kinds:
        judges = None if args.make_only else jury.opened(args.judges)
        asked = {str(kind): asks(kind, args.asked or args.spans, args.seed) for kind in kinds}
        if args.asked_recorded:
            asked |= {f"{kind}, recordings": recorded(kind, args.asked_recorded, args.seed) for kind in kinds}
        changed = changes.changes(maker, judges, chosen, asked, not args.measure_only)
    rows = blended(maker, chosen, args)
    if args.make_only:
        return
    shown(rows)
    print(changes.shown(changed))
    if args.out:
        told = {"spans": args.spans, "rows": rows} | ({"changes": changed} if changed else {})
        args.out.write_text(json.dumps(told, indent=1) + "\n")


def blended(
    maker: Maker, chosen: dict[str, Row | Paste], args: argparse.Namespace
) -> dict[str, dict[str, float]]:
    """The table of spans in which nothing was changed; empty where nothing is measured."""
    begin, made = time.time(), dict[str, dict[int, dict[str, Any]]]()
    spans = pieces(args.spans, args.recorded, args.seed) if args.spans else []
    for i, piece in enumerate(spans):
        lanes = heard_lanes(piece.audio) if args.follow else None
        fillings = {
            name: maker.filling(row, piece, i, not args.measure_only, lanes) for name, row in chosen.items()
        }
        if not args.make_only and any(fillings.values()):
            ear = Ear(piece, lanes)
            for name, figures in ear.anchors(spans[(i + 1) % len(spans)]).items():
                made.setdefault(name, {})[i] = figures
            for name, filling in fillings.items():
                if filling is not None:
                    told = {"evaluations": filling.evaluations, "seconds": filling.seconds}
                    made.setdefault(name, {})[i] = ear.figures(filling.audio) | told
        print(f"{i + 1} of {len(spans)} spans, {time.time() - begin:.0f} s", flush=True)
    return table(made)


def shown(rows: dict[str, dict[str, float]]) -> None:
    """Print the table, and each bar beside what was measured."""
    columns = list(dict.fromkeys(c for row in rows.values() for c in row))
    print(f"\n{'':22}" + "".join(f"{c:>15}" for c in columns))
    for name, figures in rows.items():
        print(f"{name:22}" + "".join(f"{figures[c]:15.3f}" if c in figures else " " * 15 for c in columns))
    print()
    for what, value, bar in bars(rows):
        sign, bound = bar.split()
        met = value <= float(bound) if sign == "<=" else value >= float(bound)
        print(f"{what:34}{value:8.3f}  {bar}  {'met' if met else 'NOT MET'}")


if __name__ == "__main__":
    main()
