"""Spans that are asked to become something else: how far each row does so, and how its seams sound then.

For each kind of request (`study.measure.asks`) every row of the inpainting table fills the same spans,
which are heard again by judges that choose nothing (`study.listeners.jury`). Beside them stand what was
there ("as it was"), and the twin, plain and through the codec: what a row could reach at most.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any

import numpy as np

from engines.audio import seams
from engines.audio.recording import from_float
from study.listeners.jury import Figures, Jury
from study.measure.asks import Ask
from study.measure.fillings import Audio, Maker, Paste, Row
from study.measure.spans import RATE

FLOORS = 3  # other requests that a filling is held against
CEILINGS = {"twin": None, "twin, codec": False, "twin, RVQ": True}  # name -> quantized
Table = dict[str, dict[str, float]]
SAY = partial(print, flush=True)


def changes(
    maker: Maker,
    jury: Jury | None,
    rows: dict[str, Row | Paste],
    asked: Mapping[str, Sequence[Ask]],
    make: bool = True,
    report: Callable[[str], None] = SAY,
) -> dict[str, Table]:
    """Kind -> row -> figures, over the spans that are `asked` of each kind; fills only, where no jury is."""
    made: dict[str, dict[str, list[Figures]]] = {kind: {} for kind in asked}
    for i in range(max(map(len, asked.values()), default=0)):  # by turns: a stopped run has some of each
        for kind, each in asked.items():
            if i >= len(each):
                continue
            ask = each[i]
            others = [each[(i + k) % len(each)] for k in range(1, 1 + min(FLOORS, len(each) - 1))]
            found = {name: maker.filling(row, ask.piece, i, make, ask=ask) for name, row in rows.items()}
            if jury is not None:
                heard = {name: filling.audio for name, filling in found.items() if filling is not None}
                judge = seams.Judge(from_float(ask.piece.audio, RATE), ask.piece.start, ask.piece.end)
                for name, audio in (references(maker, ask) | heard).items():
                    figures = jury.verdict(ask, audio, others) | seams_of(judge, ask, audio)
                    filling = found.get(name)
                    if filling is not None:
                        figures["seconds"] = filling.seconds
                    made[kind].setdefault(name, []).append(figures)
            report(f"{kind}: {i + 1} of {len(each)} spans")
    return {kind: {name: means(each) for name, each in table.items()} for kind, table in made.items()}


def references(maker: Maker, ask: Ask) -> dict[str, Audio]:
    """What was in the span [m], and what its twin has there."""
    a, b = ask.piece.samples
    found = {"as it was": ask.piece.audio[a:b]}
    if ask.twin is not None:
        for name, quantized in CEILINGS.items():
            whole = ask.twin if quantized is None else maker.through(ask.twin, quantized)
            found[name] = whole[a:b]
    return found


def seams_of(judge: seams.Judge, ask: Ask, inside: Audio) -> Figures:
    """The worse seam's score, and whether one failed, with `inside` [m] in the span."""
    found = judge.seams(from_float(ask.spliced(inside), RATE))
    return {"score": max(s.score for s in found), "failed": float(any(s.failed for s in found))}


def means(each: Sequence[Figures]) -> dict[str, float]:
    """Means of figures, each over the spans that have it, and half the width of the followed one's 95 %."""
    names = dict.fromkeys(name for figures in each for name in figures)
    out = {"spans": float(len(each))}
    for name in names:
        values = np.array([figures[name] for figures in each if np.isfinite(figures.get(name, np.nan))])
        if len(values):
            out[name] = float(values.mean())
            if name == "followed":
                out["+-"] = float(1.96 * values.std() / np.sqrt(len(values)))
    return out


def shown(table: dict[str, Table]) -> str:
    """The tables as text."""
    columns = ("spans", "followed", "+-", "shuffled", "lane", "score", "failed", "seconds")
    lines: list[str] = []
    for kind, rows in table.items():
        lines.append(f"\nanother {kind}".ljust(27) + "".join(f"{c:>10}" for c in columns))
        for name, figures in rows.items():
            cells: list[Any] = [f"{figures[c]:10.3f}" if c in figures else " " * 10 for c in columns]
            lines.append(f"{name:26}" + "".join(cells))
    return "\n".join(lines)
