"""The bars of the next bundle, each beside today's figure and what was measured.

Reads the tables of `study.followed` and the JSON of `study.inpainting --changes`; what is not in them is
told as not measured, with the command. A bar counts for the engine that it names, at defaults.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from study.listeners.hearing import mean
from study.measure import metrics
from study.measure.conditions import RATE, Clip, excerpts, labelled
from study.measure.outputs import Outputs

Rows = dict[str, dict[str, float]]
HOW = "python -m study.inpainting --changes all --out study/inpainting_changes.json"


@dataclass(frozen=True)
class Bar:
    """A bar, and what was measured; NaN where it was not."""

    what: str
    today: str  # of bundle inlay-small-2 on 27 Nov, measured in other ways where it is a range
    cpu: float  # after training on two cores
    gpu: float  # after one lease
    value: float
    most: bool = False  # at most so much, else at least

    def met(self, bar: float) -> str:
        """Whether `bar` is met, in words."""
        if not np.isfinite(self.value):
            return "?"
        return "met" if (self.value <= bar if self.most else self.value >= bar) else "NOT MET"


def _read(told: Any, *path: str) -> float:
    """A figure of nested tables; NaN where it is missing."""
    for name in path:
        if not isinstance(told, dict) or name not in told:
            return float("nan")
        told = told[name]
    return float(told)


def found(tables: dict[str, Rows], fillings: dict[str, Any]) -> list[Bar]:
    """Every bar beside what the tables of clips and the JSON of fillings hold."""
    changed = fillings.get("changes", {})
    bars: list[Bar] = []
    for engine in ("FM", "AR"):
        for kind, what, today, cpu, gpu in (
            ("words", "words in a span: lead of 10 heard", "~.1", 0.35, 0.65),
            ("melody", "another melody in a span", ".21-.57", 0.70, 0.80),
            ("drums", "other drums in a span, F1", ".50", 0.80, 0.85),
            ("chords", "other chords in a span, IOU", "-", 0.45, 0.60),
        ):
            bars.append(Bar(f"{engine}: {what}", today, cpu, gpu, _read(changed, kind, engine, "followed")))
        kinds = [kind for kind in changed if engine in changed[kind]]
        for figure, name, today, cpu, gpu in (
            ("failed", "failed spans", ".60", 0.20, 0.05), ("score", "worse seam's score", ".95", 0.80, 0.60)
        ):  # fmt: skip
            value = mean([_read(changed, kind, engine, figure) for kind in kinds]) if kinds else float("nan")
            bars.append(Bar(f"{engine}: at that control: {name}", today, cpu, gpu, value, most=True))
    onsets = _read(fillings, "rows", "FM from noise", "onsets r")
    bars.append(Bar("FM from noise: onsets in a span, r", "-.01", 0.25, 0.40, onsets))
    for engine, lead, iou, cpu, gpu in (("FM", ".22", ".47", 0.52, 0.65), ("AR", ".35", ".19", 0.30, 0.60)):
        words, lanes, solos = (tables.get(name, {}) for name in ("words", "lanes", "solos"))
        bars.append(
            Bar(f"{engine}: words, whole clips", lead, 0.50, 0.75, _read(words, engine, "lead of 10"))
        )
        bars.append(Bar(f"{engine}: tempo asked = heard", "~0", 0.70, 0.90, _read(words, engine, "tempo")))
        bars.append(
            Bar(f"{engine}: chord IOU, whole clips", iou, cpu, gpu, _read(lanes, engine, "chord IOU"))
        )
        hits = _read(solos, engine, "drum hits")
        bars.append(Bar(f"{engine}: drum hits in solos", "63", 5.0, 0.0, hits, most=True))
    codec = tables.get("codec", {})
    of = "recordings" if any("recordings" in name for name in codec) else "renders (no recordings here)"
    which = "recordings" if of == "recordings" else "renders"
    for kind, today, cpu, gpu in (("continuous", "8.5", 9.0, 12.0), ("RVQ", "1.7", 3.0, 7.0)):
        value = _read(codec, f"{kind}, {which}", "SI-SNR dB")
        bars.append(Bar(f"codec {kind}: SI-SNR dB, {of}", today, cpu, gpu, value))
    return bars


def shown(bars: Sequence[Bar]) -> str:
    """The bars as text."""
    lines = [f"\n{'bar':52}{'today':>10}{'measured':>10}{'CPU':>8}{'':9}{'GPU':>8}"]
    for bar in bars:
        value = f"{bar.value:10.2f}" if np.isfinite(bar.value) else f"{'-':>10}"
        cpu, gpu = (f"{x:8.2f} {bar.met(x):8}" for x in (bar.cpu, bar.gpu))
        lines.append(f"{bar.what:52}{bar.today:>10}{value}{cpu}{gpu}")
    if any(not np.isfinite(bar.value) for bar in bars):
        lines.append(f"not measured (-): spans by `{HOW}`")
    return "\n".join(lines)


def codec_table(outputs: Outputs, renders: Path, recordings: Path, count: int) -> Rows:
    """Held-out renders, and recordings where there are any, through the codec, continuous and quantized."""
    sets: dict[str, Sequence[Clip]] = {"renders": labelled(renders, count)}
    if recordings.is_dir():
        sets["recordings"] = excerpts(recordings, count)
    table: Rows = {}
    for name, clips in sets.items():
        for kind, quantize in (("continuous", False), ("RVQ", True)):
            made = outputs.through_codec([clip.audio for clip in clips], quantize)
            pairs = list(zip(made, (clip.audio for clip in clips), strict=True))
            table[f"{kind}, {name}"] = {
                "clips": float(len(made)),
                "SI-SNR dB": mean([metrics.si_snr(out, real) for out, real in pairs]),
                "4-8 kHz r": mean([metrics.envelope_correlation(out, real, RATE) for out, real in pairs]),
            }
    return table
