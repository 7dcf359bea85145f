"""Whole clips: their quality, how they follow words and lanes, and what sampling settings do to both.

Tables 2 and 3, App. D and H. Every set of clips is made for the same held-out ones; what was made stays below
the report's folder. Floors are the same clips against other requests, ceilings real clips through the codec.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.checkpoints.shelf import open_bundle
from engines.requests import ARSettings, FMSettings, GenerateRequest, Guidance, Request
from engines.roster import EngineName
from study.measure.conditions import Clip
from study.measure.outputs import Outputs
from study.measure.parts import only
from study.report import ears, music, paper
from study.report.intervals import averaged
from study.report.parts import Found, Place, curve, row, table

Audio = NDArray[np.float32]
LANES = ("chords", "melody", "drums")
SETS: dict[str, tuple[str, ...]] = {"words alone": (), "chords alone": ("chords",), "all lanes": LANES}
ENGINES: tuple[EngineName, ...] = ("ar", "fm")
CODEC = {"real": None, "real, codec": False, "real, RVQ": True}  # name -> quantized
HEARD_CLIPS = 2  # of which there are sounds to play
FAD = "Frechet distance"


@dataclass(frozen=True)
class Setting:
    """One point of the sampling settings."""

    engine: EngineName
    name: str
    ar: ARSettings = ARSettings()
    fm: FMSettings = FMSettings()


def settings(steps: Sequence[int]) -> list[Setting]:
    """The few points of App. D that are tried; each changes one thing of the defaults."""
    told = [Setting("ar", "AR, defaults")]
    told += [Setting("ar", f"AR, temperature {t}", ARSettings(temperature=t)) for t in (0.7, 1.4)]
    told += [Setting("ar", f"AR, top-k {k}", ARSettings(top_k=k)) for k in (50, 1000)]
    told += [Setting("ar", f"AR, guidance {g:g}", ARSettings(guidance=Guidance(g))) for g in (1.0, 6.0)]
    told += [Setting("fm", f"FM, Euler {n}", fm=FMSettings("euler", n)) for n in steps]
    told += [
        Setting("fm", f"FM, guidance {g:g}", fm=FMSettings("euler", 25, guidance=Guidance(g)))
        for g in (1.0, 6.0)
    ]
    return told


def requests(clips: Sequence[Clip], lanes: Sequence[str], one: Setting, seconds: float) -> list[Request]:
    """A clip for the words and some of the lanes of each held-out one."""
    return [
        GenerateRequest(
            one.engine,
            clip.prompt,
            seconds,
            i,
            replace(only(clip.controls, lanes), grid=clip.controls.grid if lanes == LANES else None),
            one.ar,
            one.fm,
        )
        for i, clip in enumerate(clips)
    ]


def quality(place: Place) -> Found:
    """Tables 2 and 3: clips by AR and FM from words, chords alone and all lanes."""
    found = Found()
    try:
        clips, others = music.asked(place)
    except music.Absent as absent:
        found.lacks("quality and control of clips", str(absent), music.HOW)
        return found
    models = open_bundle(place.bundle, place.device)
    outputs = Outputs(models, place.out / "made")
    reference = np.concatenate([ears.embedded(clip.audio) for clip in others])
    real = [ears.hear(clip.audio) for clip in clips]
    sounds = {"real": [clip.audio for clip in clips]}
    sounds |= {
        name: outputs.through_codec(sounds["real"], quantize)
        for name, quantize in CODEC.items()
        if quantize is not None
    }
    for lanes_of, lanes in SETS.items():
        for engine in ENGINES:
            name = f"{engine.upper()}, {lanes_of}"
            wanted = requests(clips, lanes, Setting(engine, name), place.size.seconds)
            sounds[name] = outputs.make(wanted, name)
    rows = []
    for name, made in sounds.items():
        heard = [ears.hear(audio) for audio in made]
        figures = ears.followed(heard, real, clips)
        distance, draws = ears.distances([h.embeddings for h in heard], reference)
        found.samples[name], found.draws[name] = figures, {FAD: draws}
        cells: dict[str, Any] = {FAD: distance}
        if "words" not in name:
            cells |= {figure: averaged(figures[figure]) for figure in ears.CONTROL}
        rows.append(row(name, cells, "ceiling" if name in CODEC else "ours"))
        if "all lanes" in name:
            floors = {f: averaged(figures[f"{f}, shuffled"]) for f in ears.CONTROL}
            rows.append(row(f"{name}: against another's request", floors, "floor"))
    quoted = [
        row(f"{q.row}: {q.table}", {FAD if k == "FAD" else k: v for k, v in q.figures.items()
                                     if k == "FAD" or k in ears.CONTROL}, "paper")
        for q in (*paper.QUALITY[:2], *paper.CONTROL)
    ]  # fmt: skip
    found.tables.append(
        table("Quality and control of whole clips", (FAD, *ears.CONTROL), rows + quoted, _said(place, clips),
              "Tables 2 and 3")
    )  # fmt: skip
    for i, clip in enumerate(clips[:HEARD_CLIPS]):
        for name in ("real", "real, RVQ", *(f"{e.upper()}, {s}" for s in SETS for e in ENGINES)):
            found.sounds.append(music.sound(f"{i + 1}: {clip.prompt}", name, sounds[name][i]))
    found.lacks("VGGish FAD, CLAP, Audiobox aesthetics, MERT", "their weights are not in the repository")
    found.facts = {"clips": len(clips), "reference": len(others), "chords by": ears.extractor()}
    return found


def _said(place: Place, clips: Sequence[Clip]) -> str:
    return (
        f"{len(clips)} held-out renders of {place.size.seconds:g} s, each asked for once. {FAD}: of the "
        "editor's instrument network, to other held-out renders; the paper's is VGGish FAD, so only "
        "differences compare. Few clips make it too large, alike in all rows but the paper's. Chord IOU "
        f"against the real clip, by {ears.extractor()}; beat F1 of downbeats within 50 ms; melody similarity "
        "of the strongest pitch classes, as MusicGen's authors have it; melody line and drum hits against "
        "the lanes themselves. Brackets: 95 %."
    )


def sampling(place: Place) -> Found:
    """App. D and H: temperature, top-k and guidance of AR, guidance and steps of FM."""
    found = Found()
    try:
        clips, others = music.asked(place)
    except music.Absent as absent:
        found.lacks("sampling settings", str(absent), music.HOW)
        return found
    clips = clips[: max(2, place.size.points)]
    outputs = Outputs(open_bundle(place.bundle, place.device), place.out / "made")
    reference = np.concatenate([ears.embedded(clip.audio) for clip in others])
    real, rows = [ears.hear(clip.audio) for clip in clips], []
    columns = (FAD, "chord IOU", "melody line", "drum hits F1")
    points: dict[str, list[list[float]]] = {}
    for one in settings(place.size.steps):
        made = outputs.make(requests(clips, LANES, one, place.size.seconds), one.name)
        heard = [ears.hear(audio) for audio in made]
        figures = ears.followed(heard, real, clips)
        distance, draws = ears.distances([h.embeddings for h in heard], reference)
        found.samples[one.name], found.draws[one.name] = figures, {FAD: draws}
        rows.append(row(one.name, {FAD: distance} | {c: averaged(figures[c]) for c in columns[1:]}))
        if "Euler" in one.name:
            points.setdefault("ours", []).append([one.fm.steps, distance.value])
    quoted = [
        row(f"FM, Euler {n} (Table 8, 50 Hz)", {FAD: fad}, "paper")
        for n, fad in sorted(paper.STEPS_FAD.items())
    ]
    found.tables.append(
        table("Sampling settings", columns, rows + quoted,
              f"{len(clips)} of the clips above, all lanes; each row changes one thing. With so few clips a "
              "row differs from another by chance as much as by its setting.", "App. D, Table 8")
    )  # fmt: skip
    first = points["ours"][-1][1] or 1.0
    last = paper.STEPS_FAD[200]
    found.curves.append(
        curve("Quality over steps (Euler), as multiples of the most steps", "steps", "times as far",
              [{"name": "FM", "points": [[n, v / first] for n, v in points["ours"]]},
               {"name": "paper, VGGish FAD", "points": [[n, v / last] for n, v in
                                                        sorted(paper.STEPS_FAD.items())]}],
              logarithmic=True)
    )  # fmt: skip
    return found
