"""Spans re-made (sec. 5.3): the paper's algorithms, ours and bare pastes, and what of a wish is followed.

The rows and measures are those of `study.inpainting`. Each checkpoint of `--models` re-makes the same spans
in a part of its own, so that one more costs nothing of the others.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.checkpoints.found import Checkpoint, find_checkpoint, find_named
from engines.checkpoints.shelf import open_bundle
from engines.dispatch import run, supports
from engines.errors import InputError
from engines.requests import ARSettings, Change, FMSettings
from study import inpainting
from study.measure import changes
from study.measure.asks import Ask, asks
from study.measure.fillings import ROWS, Filling, Maker, Row, evaluations
from study.measure.outputs import digest
from study.measure.spans import RATE, Piece, pieces
from study.report import ears, music, paper
from study.report.intervals import averaged
from study.report.parts import Found, Part, Place, row, table

Audio = NDArray[np.float32]
Items = dict[str, dict[int, dict[str, Any]]]  # row -> span -> figures
SEED = 5  # of the spans
COLUMNS = {"score": "worse seam's score", "failed": "failed", "jump dB": "jump dB", "AUC": "told apart (AUC)",
           "log-mel nats": "log-mel nats", "chroma": "chroma", "seconds": "s"}  # fmt: skip
KINDS: tuple[Change, ...] = ("chords", "melody", "drums")
CHANGED = ("best repeat, composed", "mosaic, composed", "AR", "FM", "ZS search")
ANCHORS = {"untouched": "ceiling", "pasted": "floor", "silence": "floor"}
HEARD = ("untouched", "best repeat, composed", "AR, paper (App. J)", "FM, paper (Alg. 2)",
         "ZS, paper (Alg. 1)", "AR", "FM", "ZS search")  # fmt: skip


def blended(place: Place) -> Found:
    """Tables 4 and 5: spans in which nothing is asked."""
    found = Found()
    try:
        spans = _spans(place)
    except music.Absent as absent:
        found.lacks("spans", str(absent), music.HOW)
        return found
    maker = Maker(open_bundle(place.bundle, place.device), place.out / "made" / "spans")

    def fill(name: str, piece: Piece, seed: int) -> Filling | None:
        return maker.filling(ROWS[name], piece, seed)

    items, made = _filled(spans, list(ROWS), fill)
    _told(found, items, "Spans in which nothing is asked", "ours")
    quoted = [row(f"{q.row} ({q.table})", q.figures, "paper") for q in paper.SPANS]
    found.tables.append(
        table("The paper's figures of spans", ("FAD", "CLAP", "PQ", "PC", "CE"), quoted,
              "Spans of 5 s. None of these can be had here: their networks' weights are not in the "
              f"repository. Its listeners gave FM {paper.RATED['transition smoothness'][0]} of 10 for the "
              f"transition and {paper.RATED['audio match'][0]} for the match, the best of all (Table 5); "
              "`inlay study` asks listeners of yours.", "Tables 4 and 5")
    )  # fmt: skip
    first = spans[0]
    for name in HEARD:
        whole = first.audio.copy()
        if name != "untouched":
            a, b = first.samples
            whole[a:b] = made[name]
        title = f"Span from {first.start:.1f} to {first.end:.1f} s: {first.prompt}"
        found.sounds.append(music.sound(title, name, whole))
    return found


def wished(place: Place) -> Found:
    """How far changed spans follow what was asked (beyond the paper)."""
    found = Found()
    try:
        music.folder(place)
        asked = {str(kind): asks(kind, place.size.asks, SEED, place.out / "asks") for kind in KINDS}
    except (music.Absent, SystemExit) as absent:
        found.lacks("changed spans", str(absent), music.HOW)
        return found
    maker = Maker(open_bundle(place.bundle, place.device), place.out / "made" / "spans")
    jury, who = ears.judges(place.judges)
    each = _Kept(jury)
    told = changes.changes(maker, each, {name: ROWS[name] for name in CHANGED}, asked)  # type: ignore[arg-type]
    rows, columns = [], [f"{kind} {what}" for kind in KINDS for what in ("followed", "by chance")]
    names = list(dict.fromkeys(name for of in told.values() for name in of))
    for name in names:
        cells: dict[str, Any] = {}
        for kind in KINDS:
            figures = told[kind].get(name, {})
            cells[f"{kind} followed"] = figures.get("followed", float("nan"))
            cells[f"{kind} by chance"] = figures.get("shuffled", float("nan"))
        scores = [of[name]["score"] for of in told.values() if name in of]
        cells["worse seam's score"] = float(np.mean(scores))
        kind_of = "floor" if name == "as it was" else "ceiling" if name.startswith("twin") else "ours"
        rows.append(row(name, cells, kind_of))
    found.tables.append(
        table("Spans that are to become something else", (*columns, "worse seam's score"), rows,
              f"{place.size.asks} spans a kind. Judged by {who}. By chance: the same filling against other "
              "requests (floor); the twin's own sound in the span is the ceiling. A copy has smooth seams "
              "and follows nothing.", "no table of the paper")
    )  # fmt: skip
    found.facts = {"judges": who}
    return found


class _Kept:
    """A jury as `study.measure.changes` asks it."""

    def __init__(self, jury: Any) -> None:
        self._jury = jury

    def verdict(self, ask: Ask, inside: Audio, others: Sequence[Ask] = ()) -> dict[str, float]:
        told: dict[str, float] = self._jury.verdict(ask, inside, others)
        return told


def checkpoint(name: str, device: str) -> Checkpoint:
    """A checkpoint by its name on the shelf, or by its folder. InputError where there is none."""
    return find_checkpoint(name, device) if Path(name).is_dir() else find_named(name, device)


def parts_of(place: Place) -> list[Part]:
    """A part for each checkpoint of `--models`. InputError where one is not there."""
    made = []
    for name in place.models:
        found = checkpoint(name, place.device)

        def make(at: Place, found: Checkpoint = found) -> Found:
            return with_model(at, found)

        plain = re.sub(r"[^A-Za-z0-9._-]", "-", found.spec.name)
        made.append(
            Part(f"model-{plain}", f"Spans by {found.spec.name}", "the same spans, other weights", make)
        )
    return made


def with_model(place: Place, of: Checkpoint) -> Found:
    """The same spans by every engine that a checkpoint serves."""
    found = Found()
    try:
        spans = _spans(place)
    except music.Absent as absent:
        found.lacks(f"spans by {of.spec.name}", str(absent), music.HOW)
        return found
    models = open_bundle(str(of.folder), of.device)
    folder = place.out / "made" / "models"
    folder.mkdir(parents=True, exist_ok=True)
    names = {f"{of.spec.name}: {engine}": engine for engine in of.spec.engines}

    def fill(name: str, piece: Piece, seed: int) -> Filling | None:
        engine = names[name]
        one = Row(engine, ARSettings(), FMSettings(zero_shot=of.spec.zero_shot))
        request = replace(one.request(piece, seed))
        support = supports(request, models)
        if not support:
            raise InputError(support.reason)
        told = repr((str(of.folder), one, piece.start, piece.end, piece.prompt, seed))
        file = folder / f"{digest(told.encode(), piece.audio.tobytes())}.npz"
        if not file.exists():
            result = run(request, models)
            a, b = piece.samples
            half = file.with_suffix(".part.npz")
            np.savez(half, audio=result.audio.mono_at(RATE)[a:b], evaluations=evaluations(result),
                     seconds=result.seconds_spent)  # fmt: skip
            half.rename(file)
        with np.load(file) as kept:
            return Filling(kept["audio"], float(kept["evaluations"]), float(kept["seconds"]))

    able = []
    for name in names:
        try:
            fill(name, spans[0], 0)
            able.append(name)
        except InputError as error:
            found.lacks(name, str(error))
    if able:
        items, made = _filled(spans, able, fill)
        _told(found, items, f"The same spans by {of.spec.name}", "model")
        for name in able:
            whole, (a, b) = spans[0].audio.copy(), spans[0].samples
            whole[a:b] = made[name]
            found.sounds.append(music.sound(f"Span from {spans[0].start:.1f} s", name, whole))
    found.facts = {"licence": of.spec.licence, "folder": str(of.folder), "engines": list(of.spec.engines)}
    return found


def _spans(place: Place) -> list[Piece]:
    return pieces(place.size.spans, 0.0, SEED, music.folder(place), Path("none"))


def _filled(
    spans: Sequence[Piece], names: Sequence[str], fill: Callable[[str, Piece, int], Filling | None]
) -> tuple[Items, dict[str, Audio]]:
    """Figures of every row, and what it made of the first span [m]."""
    items, first = Items(), dict[str, Audio]()
    for i, piece in enumerate(spans):
        ear = inpainting.Ear(piece)
        for name, figures in ear.anchors(spans[(i + 1) % len(spans)]).items():
            items.setdefault(name, {})[i] = figures
        for name in names:
            filling = fill(name, piece, i)
            if filling is None:
                continue
            first.setdefault(name, filling.audio)
            more = {"evaluations": filling.evaluations, "seconds": filling.seconds}
            items.setdefault(name, {})[i] = ear.figures(filling.audio) | more
        print(f"{i + 1} of {len(spans)} spans", flush=True)
    return items, first


def _told(found: Found, items: Items, title: str, kind: str) -> None:
    means, rows = inpainting.table(items), []
    for name, figures in means.items():
        values = {c: [item[c] for item in items[name].values() if c in item] for c in COLUMNS}
        found.samples[name] = {c: v for c, v in values.items() if v}
        cells: dict[str, Any] = {
            shown: averaged(values[c]) if values[c] else figures.get(c, float("nan"))
            for c, shown in COLUMNS.items()
        }
        if "AUC low" in figures:
            cells[COLUMNS["AUC"]] = {
                "value": figures["AUC"], "low": figures["AUC low"], "high": figures["AUC high"],
                "n": int(figures["spans"]),
            }  # fmt: skip
        rows.append(row(name, cells, ANCHORS.get(name, kind)))
    found.tables.append(
        table(title, tuple(COLUMNS.values()), rows,
              "Score: how rough the worse seam is among the original's own moments, 0 smooth, 1 rougher than "
              "all; failed: rougher than all. AUC: how well a classifier tells the seams from untouched ones "
              "(0.5 not at all; a few spans say nothing). Best repeat and mosaic copy the music around the "
              "span, without a network. Pasted is another piece, cut hard.", "sec. 5.3")
    )  # fmt: skip
