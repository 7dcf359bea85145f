"""What only training can tell (sec. 5.5, Table 2's third column, Table 7), read from where it was trained.

Trains nothing. `runs/NAME/curves.csv` is what `study.train` writes; budgets, frame rates and latents are
folders of such runs. What is not there is said to be missing, with the command that would make it.
"""

from __future__ import annotations

import csv
from pathlib import Path
from typing import Any

from study.report import paper
from study.report.parts import Found, Place, curve, row, table

BUDGETS = (8, 16, 32)  # items a step: three of the paper's six
LOSS = {"given": "held-out loss", "span": "with a span"}


def _read(file: Path) -> list[dict[str, float]]:
    """Rows of a curves.csv; cells that are empty are left out."""
    with file.open(newline="") as told:
        return [{k: float(v) for k, v in each.items() if v} for each in csv.DictReader(told)]


def trained(place: Place) -> Found:
    """Curves of the runs that are there."""
    found = Found()
    _curves(found, place)
    _budgets(found, place)
    _rates(found, place)
    found.lacks(
        "FM on VAE latents (Table 2, third column)",
        "the codec has no KL-regularised variant yet, so there is nothing to train",
    )
    return found


def _curves(found: Found, place: Place) -> None:
    rows, series = [], []
    for name in ("fm", "ar"):
        file = place.results / name / "curves.csv"
        if not file.exists():
            found.lacks(f"training curve of {name.upper()}", f"{file} is not there",
                        f"python -m study.train.{name} --minutes 60 --out {file.parent}")  # fmt: skip
            continue
        points = _read(file)
        cells: dict[str, Any] = {"steps": points[-1].get("step", float("nan")),
                                 "hours": points[-1].get("seconds", float("nan")) / 3600}  # fmt: skip
        cells |= {words: points[-1][key] for key, words in LOSS.items() if key in points[-1]}
        rows.append(row(name.upper(), cells))
        start = next((p["given"] for p in points if "given" in p), 1.0)
        series.append(
            {
                "name": name.upper(),
                "points": [[p["seconds"] / 3600, p["given"] / start] for p in points if "given" in p],
            }
        )
    if rows:
        found.tables.append(
            table("Training, as far as it went", ("steps", "hours", *LOSS.values()), rows,
                  "Each network's own loss; the two do not compare.", "sec. 4.4")
        )  # fmt: skip
        found.curves.append(curve("Held-out loss over hours, as a share of the first", "hours",
                                  "share of the first loss", series))  # fmt: skip


def _budgets(found: Found, place: Place) -> None:
    rows = []
    for name in ("fm", "ar"):
        for batch in BUDGETS:
            file = place.results / "budgets" / f"{name}-{batch}" / "curves.csv"
            if not file.exists():
                found.lacks(
                    f"{name.upper()} trained with {batch} items a step (Fig. 8)", f"{file} is not there",
                    f"python -m study.train.{name} --batch {batch} --minutes 20 --out {file.parent}",
                )  # fmt: skip
                continue
            last = _read(file)[-1]
            cells = {words: last.get(key, float("nan")) for key, words in LOSS.items()}
            rows.append(row(f"{name.upper()}, {batch} items a step", cells))
            found.samples[f"{name} {batch}"] = {"loss": [last.get("given", float("nan"))]}
    if rows:
        found.tables.append(
            table("Budgets", tuple(LOSS.values()), rows, "From nothing, minutes alike.", "Fig. 8")
        )


def _rates(found: Found, place: Place) -> None:
    ratios = {50: "8 5 4 4", 100: "8 5 4 2"}  # the bundle itself has 25 Hz
    rows = []
    for rate, told in ratios.items():
        file = place.results / "rates" / f"codec-{rate}" / "curves.csv"
        if not file.exists():
            found.lacks(
                f"codec at {rate} Hz, and AR and FM on it (Tables 2 and 7)", f"{file} is not there",
                f"python -m study.train.codec --ratios {told} --minutes 20 --out {file.parent}",
            )  # fmt: skip
            continue
        last = _read(file)[-1]
        rows.append(row(f"codec at {rate} Hz", {k: v for k, v in last.items() if k != "step"}))
    quoted = [row(f"FM at {hz} Hz, {seconds} s (Table 7)", {"FAD": fad}, "paper")
              for (hz, seconds), fad in paper.RATES_FAD.items()]  # fmt: skip
    columns = tuple(dict.fromkeys(c for each in (*rows, *quoted) for c in each["cells"]))
    found.tables.append(
        table("Frame rates", columns, rows + quoted,
              "study/README.md has a codec's waveform and spectrum at 25 and 50 Hz; no AR or FM was trained "
              "at another rate than 25 Hz here." if not rows else "", "Table 7")
    )  # fmt: skip
