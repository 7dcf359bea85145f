"""Fit the seam score's weights on synthetic defects: `python -m study.measure.defects`; prints AUC for each.

Spans of held-out music are spoilt on purpose: cut hard into another piece, that piece crossfaded,
3 dB louder or quieter, 3 % faster or slower (phase vocoder), moved by 60 ms, low-passed at 2.5 kHz,
clicking. Weights are fitted (logistic, none negative) on three quarters of the pieces and judged on the
fourth, in turn: how well `Seam.score` tells each defect's boundaries, and its spans by their rougher
one, from the untouched ones, and how evenly untouched boundaries score. They lie where the span happens
to fall, and some on onsets. The weights printed are those of all pieces.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path

import librosa
import numpy as np
from numpy.typing import NDArray
from scipy import optimize, signal

from engines.audio import hearing, seams
from engines.audio.listener import WideListener
from study.measure.spans import RATE, Piece, pieces

Audio = NDArray[np.float32]
Floats = NDArray[np.float64]
FADE = round(0.03 * RATE)  # samples of the crossfade that every defect but the hard cut gets


def spoil(piece: Piece, other: Audio, rng: np.random.Generator) -> dict[str, Audio]:
    """Name of the defect -> the piece [n] with its span spoilt; `other` [n] is another piece."""
    y, (a, b) = piece.audio, piece.samples
    x = y[a:b]
    rise = np.sin((np.arange(FADE) + 0.5) / FADE * np.pi / 2).astype(np.float32)

    def put(part: Audio, fade: bool = True, same: bool = False) -> Audio:
        made = part[: b - a].astype(np.float32).copy()
        if fade:  # the same signal adds in amplitude, another one in power
            up, down = (rise**2, 1 - rise**2) if same else (rise, rise[::-1])
            made[:FADE] = made[:FADE] * up + x[:FADE] * down
            made[-FADE:] = made[-FADE:] * up[::-1] + x[-FADE:] * down[::-1]
        out = y.copy()
        out[a:b] = made
        return out

    def stretched(rate: float) -> Audio:
        reach = round((b - a) * rate) + 4096
        part: Audio = librosa.effects.time_stretch(y[a : a + reach], rate=rate)
        return np.pad(part, (0, max(0, b - a - len(part))))

    level = float((y.std() + 1e-6) / (other.std() + 1e-6))
    shift = round(0.06 * RATE) * int(rng.choice([-1, 1]))
    dull = signal.sosfiltfilt(signal.butter(6, 2500, fs=RATE, output="sos"), y)
    clicks = x.copy()
    clicks[:2] += 0.5 * np.abs(x).max()
    clicks[-2:] -= 0.5 * np.abs(x).max()
    return {
        "hard cut": put(level * other[a:b], fade=False),
        "another song": put(level * other[a:b]),
        "+3 dB": put(x * 10 ** (3 / 20), same=True),
        "-3 dB": put(x * 10 ** (-3 / 20), same=True),
        "+3 % tempo": put(stretched(1.03)),
        "-3 % tempo": put(stretched(1 / 1.03)),
        "60 ms shift": put(np.roll(y, shift)[a:b]),
        "low-passed": put(dull[a:b], same=True),
        "click": put(clicks, fade=False),
    }


class Boundaries:
    """Statistics of a piece's own moments and of any boundary in a version of it."""

    def __init__(self, piece: Piece) -> None:
        self.piece = piece
        self.whole = len(piece.audio) / RATE
        self.own = WideListener(piece.audio, RATE)
        self.moments = hearing.moments_of(piece.audio, RATE)
        self._references: dict[tuple[float, float], Floats] = {}
        self._last: tuple[Audio, WideListener] | None = None

    def at(self, version: Audio, time: float, start: float, end: float) -> tuple[Floats, Floats]:
        """The statistics [10] at `time`, an end of [start, end), and those of the moments [M, 10]."""
        bounds = (0.0, end) if time == start else (start, self.whole)
        reach = seams.reach_of(time, bounds)
        hears = self._heard(version)
        found = seams.vector(hearing.measure(version, RATE, time, bounds), hears.at(time, reach))
        if reach not in self._references:
            self._references[reach] = seams.references(self.piece.audio, self.own, self.moments, RATE, reach)
        return found, self._references[reach]

    def _heard(self, version: Audio) -> WideListener:
        if version is self.piece.audio:
            return self.own
        if self._last is None or self._last[0] is not version:
            self._last = (version, WideListener(version, RATE, self.own.period))
        return self._last[1]


def gather(count: int, recorded: float, seed: int) -> list[dict[str, list[tuple[Floats, Floats]]]]:
    """For every piece: defect or `untouched` -> its boundaries' statistics and their references."""
    rng = np.random.default_rng(seed)
    chosen = pieces(count, recorded, seed)
    found, begin = [], time.time()
    for i, piece in enumerate(chosen):
        hears = Boundaries(piece)
        versions = spoil(piece, chosen[(i + 1) % count].audio, rng)
        rows = {
            name: [hears.at(version, t, piece.start, piece.end) for t in (piece.start, piece.end)]
            for name, version in versions.items()
        }
        length = piece.end - piece.start
        rows["untouched"] = [
            hears.at(piece.audio, t, piece.start, piece.end) for t in (piece.start, piece.end)
        ]
        others = rng.choice(hearing.moments_of(piece.audio[RATE // 3 :], RATE), 6, replace=False) + 1 / 3
        rows["untouched"] += [
            hears.at(piece.audio, t, t, min(t + length, hears.whole)) for t in others if t < hears.whole - 1
        ]
        found.append(rows)
        print(f"{i + 1} of {count} pieces, {time.time() - begin:.0f} s", flush=True)
    return found


def fit(found: list[dict[str, list[tuple[Floats, Floats]]]]) -> dict[str, float]:
    """Weights of the surprises, none negative, that tell spoilt boundaries from untouched ones best.

    Logistic loss; every defect counts as much as every other, and all of them as much as none.
    """
    rows, labels, counts = [], [], []
    names = [name for name in found[0] if name != "untouched"]
    for piece in found:
        for name, boundaries in piece.items():
            for values, reference in boundaries:
                rows.append(seams.features(seams.surprise(values, reference)[0]))
                labels.append(0.0 if name == "untouched" else 1.0)
                counts.append(1.0 if name == "untouched" else 1.0 / len(names))
    x, y, w = np.array(rows), np.array(labels), np.array(counts)  # [N, 11], [N], [N]
    w = np.where(y > 0, w / w[y > 0].sum(), w / w[y == 0].sum())

    def loss(p: Floats) -> float:
        margin = (x @ p[:-1] + p[-1]) * (2 * y - 1)
        return float((w * np.logaddexp(0.0, -margin)).sum() + 1e-3 * (p[:-1] ** 2).sum())

    bounds = [(0.0, None)] * x.shape[1] + [(None, None)]
    best = optimize.minimize(loss, np.full(x.shape[1] + 1, 0.5), bounds=bounds, method="L-BFGS-B").x
    return dict(zip(seams.WEIGHTS, (best[:-1] / best[:-1].max()).round(2).tolist(), strict=True))


def auc(bad: list[float], good: list[float]) -> float:
    """Probability that a bad one scores above a good one, ties half."""
    a, b = np.array(bad)[:, None], np.array(good)[None]
    return float((a > b).mean() + 0.5 * (a == b).mean())


def scores(
    piece: dict[str, list[tuple[Floats, Floats]]], weights: dict[str, float]
) -> dict[str, list[float]]:
    """The scores of every boundary of a piece."""
    return {name: [seams.surprise(v, r, weights)[1] for v, r in rows] for name, rows in piece.items()}


def report(scored: list[dict[str, list[float]]]) -> dict[str, float]:
    """AUC of each defect's boundaries, of its spans (the rougher boundary), and the untouched ones' rates."""
    untouched = [s for piece in scored for s in piece["untouched"]]
    clean_spans = [max(piece["untouched"][:2]) for piece in scored]
    figures = {}
    for name in scored[0]:
        if name != "untouched":
            figures[name] = auc([s for piece in scored for s in piece[name]], untouched)
            figures[f"{name}, span"] = auc([max(piece[name]) for piece in scored], clean_spans)
    for share in (0.5, 0.9, 0.95):
        figures[f"untouched above {share:g}"] = float(np.mean(np.array(untouched) > share))
    figures["untouched worse than all"] = float(np.mean(np.array(untouched) >= 1.0))
    return figures


def held_out(found: list[dict[str, list[tuple[Floats, Floats]]]], folds: int = 4) -> dict[str, float]:
    """The figures of pieces with weights that were fitted on the others."""
    scored: list[dict[str, list[float]]] = []
    for fold in range(folds):
        weights = fit([piece for i, piece in enumerate(found) if i % folds != fold])
        scored += [scores(piece, weights) for i, piece in enumerate(found) if i % folds == fold]
    return report(scored)


def main() -> None:
    """Gather, fit, report."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pieces", type=int, default=24)
    parser.add_argument("--recorded", type=float, default=0.25)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--out", type=Path, default=Path("runs/inpainting/defects.json"))
    args = parser.parse_args()
    args.out.parent.mkdir(parents=True, exist_ok=True)
    found = gather(args.pieces, args.recorded, args.seed)
    weights, fitted = fit(found), held_out(found)
    shipped = report([scores(piece, dict(seams.WEIGHTS)) for piece in found])
    print(f"\nweights {json.dumps(weights)}\n{'AUC':28}{'held out':>9}{'shipped':>9}")
    for name, value in fitted.items():
        print(f"{name:28}{value:9.3f}{shipped[name]:9.3f}")
    figures = {"pieces": args.pieces, "weights": weights, "held out": fitted, "shipped": shipped}
    args.out.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
