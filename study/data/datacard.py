"""A data card: what a folder of renders holds, as a table and a plot.

`python -m study.data.datacard runs/data/train --out study/curves/data.png` reads the labels (no audio),
writes the plot, and beside this module DATA.md with hours by source, style, instrument, tempo, key,
metre, quality of chords and SoundFont. Hours are hours of clips, except for chords (hours under a
label) and instruments (hours of the clips in which each is heard).
"""

from __future__ import annotations

import argparse
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from engines.music.chords import QUALITIES, ROOTS, VOCABULARY
from study.data.dataset import labels_of

TEMPO_STEP = 20  # bpm
CARD = Path(__file__).with_name("DATA.md")
Hours = dict[str, float]


def quality(symbol: str) -> str:
    """Quality of a vocabulary symbol: "major", "m7", "slash", "none" for `N` and `UNK`."""
    if symbol in ("N", "UNK"):
        return "none"
    if "/" in symbol:
        return "slash"
    root = max((r for r in ROOTS if symbol.startswith(r)), key=len)
    kind = symbol[len(root) :]
    assert kind in QUALITIES
    return kind or "major"


def _tally(pairs: Iterable[tuple[str, float]], order: Sequence[str] | None = None) -> Hours:
    """Sums by name: in the given order, or largest first."""
    sums: Hours = {}
    for name, hours in pairs:
        sums[name] = sums.get(name, 0.0) + hours
    names = order if order is not None else sorted(sums, key=lambda name: (-sums[name], name))
    return {name: sums[name] for name in names if name in sums}


def tables(labels: Sequence[dict[str, Any]]) -> dict[str, Hours]:
    """Hours by heading -> value. Labels are of `study.data.render`; a clip lasts as its chords."""
    clips = [(label, label["chords"][-1]["end"] / 3600) for label in labels]
    keys = [f"{r} {mode}" for mode in ("major", "minor") for r in ROOTS] + ["none"]
    tempi = [int(label["bpm"] // TEMPO_STEP * TEMPO_STEP) for label in labels]
    band = {t: f"{t}-{t + TEMPO_STEP - 1}" for t in sorted(set(tempi))}
    drums = {True: "recorded one-shots", False: "SoundFont kit", None: "none"}
    return {
        "source": _tally((label["source"], h) for label, h in clips),
        "style": _tally((label["style"], h) for label, h in clips),
        "leading instrument": _tally((label["lead"] or "none", h) for label, h in clips),
        "instrument": _tally((name, h) for label, h in clips for name in {*label["instruments"]}),
        "drums": _tally((drums[label["sampled_drums"] if label["hits"] else None], h) for label, h in clips),
        "tempo, bpm": _tally(
            ((band[t], h) for t, (_, h) in zip(tempi, clips, strict=True)), list(band.values())
        ),
        "key": _tally(((label["key"] or "none", h) for label, h in clips), keys),
        "metre": _tally((label["time_signature"], h) for label, h in clips),
        "quality of chords": _tally(
            (quality(c["symbol"]), (c["end"] - c["start"]) / 3600) for x in labels for c in x["chords"]
        ),
        "SoundFont": _tally((label["soundfont"], h) for label, h in clips),
        "one thing changed": _tally((label["change"] or "no twin", h) for label, h in clips),
    }


def text(labels: Sequence[dict[str, Any]], folder: str) -> str:
    """The card in Markdown."""
    hours = tables(labels)
    total = sum(hours["source"].values())
    symbols = {c["symbol"] for label in labels for c in label["chords"]} & set(VOCABULARY)
    wordings = {c for label in labels for c in label["captions"]}
    tunes = {label["tune"] for label in labels if label["tune"]}
    seeds = [label["seed"] for label in labels]
    lines = [
        "# The renders that the bundle trains on",
        "",
        f"Written by `python -m study.data.datacard {folder}`; do not edit. {len(labels)} clips,",
        f"{total:.1f} hours, mono at 32 kHz. {len(symbols)} of the {len(VOCABULARY)} chord symbols,",
        f"{len(tunes)} tunes of lead sheets, {len(wordings)} different captions. All of it follows from the",
        f"seeds {min(seeds)} to {max(seeds)} (`study.data.render`).",
        "",
        "![hours by style, instrument, tempo, key and more](curves/data.png)",
        "",
        "| | hours |",
        "|---|---|",
    ]
    for heading, table in hours.items():
        row = ", ".join(f"{name} {h:.2f}" if total < 10 else f"{name} {h:.1f}" for name, h in table.items())
        lines.append(f"| **{heading}** | {row} |")
    lines += [
        "",
        "A key of none: chords drawn from the whole vocabulary, or drums alone. Twins follow the seed before",
        "them with one thing changed. In 6/8 a beat is a dotted quarter.",
        "",
        "| made from | licence |",
        "|---|---|",
        "| the arranger of this repository (`study/data/corpus.py`) | Apache-2.0 |",
        "| OpenEWLD lead sheets (public-domain works; a tenth of the sheets is held out) | MIT |",
        "| Groove MIDI Dataset (drum performances; its test split is held out) | CC-BY-4.0 |",
        "| SoundFonts FluidR3 GM and MuseScore General | MIT |",
        "| Sonic Pi's drum samples | CC0 |",
        "",
        "TimGM6mb (GPL-2) renders a set for measuring; nothing is trained on it.",
        "",
    ]
    return "\n".join(lines)


def plot(labels: Sequence[dict[str, Any]], path: Path) -> None:
    """One figure of horizontal bars."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot as plt

    hours = tables(labels)
    columns = (
        ("style", "key"), ("instrument",), ("leading instrument", "quality of chords"),
        ("source", "drums", "tempo, bpm", "metre", "SoundFont", "one thing changed"),
    )  # fmt: skip
    gap = 4  # rows between two charts
    rows = max(sum(len(hours[h]) + gap for h in column) for column in columns)
    figure = plt.figure(figsize=(14, 0.135 * rows))
    for i, headings in enumerate(columns):
        top = 2  # rows
        for heading in headings:
            names, values = list(hours[heading]), list(hours[heading].values())
            left, width = (i + 0.42) / len(columns), 0.55 / len(columns)
            axis = figure.add_axes((left, 1 - (top + len(names)) / rows, width, len(names) / rows))
            axis.barh(range(len(names)), values, color="#3b6ea5", height=0.72)
            axis.set_yticks(range(len(names)), names, fontsize=7)
            axis.set_ylim(len(names) - 0.4, -0.6)
            axis.set_title(f"{heading}, hours", fontsize=9, loc="left", pad=3)
            axis.tick_params(axis="x", labelsize=6, length=2, pad=1)
            axis.spines[["top", "right"]].set_visible(False)
            top += len(names) + gap
    path.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(path, dpi=80)
    plt.close(figure)


def main() -> None:
    """Write the card and its plot."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("runs/data/train"))
    parser.add_argument("--out", type=Path, default=Path("study/curves/data.png"), help="the plot")
    parser.add_argument("--card", type=Path, default=CARD, help="the text; default study/DATA.md")
    args = parser.parse_args()
    labels = labels_of(args.folder)
    if not labels:
        raise SystemExit(f"{args.folder}: no labels_*.json there; render first (python -m study.data.render)")
    if "source" not in labels[0]:
        raise SystemExit(f"{args.folder}: renders of an older kind, without sources; render them anew")
    plot(labels, args.out)
    args.card.write_text(text(labels, str(args.folder)))
    print(f"{args.card} and {args.out}: {len(labels)} clips")


if __name__ == "__main__":
    main()
