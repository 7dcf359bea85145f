"""Curves of one or several runs in one picture: seconds x loss, one panel for each column."""

from __future__ import annotations

import csv
from collections.abc import Mapping
from pathlib import Path


def read(path: Path) -> list[dict[str, str]]:
    """The rows of a curve; none where there is no file. A row that a kill cut short is left out."""
    if not path.exists():
        return []
    with path.open() as file:
        return [row for row in csv.DictReader(file) if None not in row.values() and row.get("seconds")]


def draw(curves: Mapping[str, Path], out: Path) -> bool:
    """Draw named curves over hours; False where there is nothing to draw."""
    rows = {name: read(path) for name, path in curves.items()}
    fields = [f for f in dict.fromkeys(k for each in rows.values() for row in each for k in row)]
    fields = [
        f for f in fields if f not in ("step", "seconds") and any(r.get(f) for e in rows.values() for r in e)
    ]
    if not fields:
        return False
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    columns = min(4, len(fields))
    lines = -(-len(fields) // columns)
    figure, axes = plt.subplots(lines, columns, figsize=(3.4 * columns, 2.6 * lines), squeeze=False)
    for axis in axes.flat[len(fields) :]:
        axis.set_visible(False)
    for axis, field in zip(axes.flat, fields, strict=False):
        for name, each in rows.items():
            points = [(float(r["seconds"]) / 3600, float(r[field])) for r in each if r.get(field)]
            if points:
                axis.plot(*zip(*points, strict=True), label=name)
        axis.set_title(field)
        axis.set_xlabel("hours")
        if len(rows) > 1:
            axis.legend(fontsize=7)
    figure.tight_layout()
    part = out.with_name("part_" + out.name)
    figure.savefig(part, dpi=90)
    part.replace(out)
    plt.close(figure)
    return True
