"""Where a span's seconds go: every engine and intent, in a short and a long clip, stage by stage.

`python -m study.runtime --spans` asks for it. Each case runs in a process of its own, so that its peak memory
is its own, and with several checkouts their processes take turns. Seconds of the processor with one thread
are what other work on the machine hardly moves; wall seconds mean something on idle cores alone. The clip is
the examples of the repository one after the other, in stereo at 44.1 kHz; a span of 3 s lies at the same
place of the same music in both lengths, a little later each round, so that nothing remembered helps. The
child half uses nothing but what engines offer, so that it measures older checkouts too.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

Figures = dict[str, Any]
ENGINES = ("fm", "ar", "fm-zero-shot")
INTENTS = ("blend", "change", "clip")
SHORT, LONG = 10.0, 180.0  # seconds of the clips
SPAN = 3.0  # seconds
PLACE = 83.5  # seconds into the long clip
STAGES = ("judge", "repeats", "encode", "text", "sample", "decode", "compose", "agreement")
CHILD = """
import json, resource, sys, time
import numpy as np, soundfile, soxr, torch
from engines.assets import ASSETS
from engines.audio.recording import Recording
from engines.checkpoints.shelf import open_bundle
from engines.dispatch import run
from engines.requests import Chord, Controls, FMSettings, GenerateRequest, InpaintRequest
asked = json.loads(sys.argv[1])
torch.set_num_threads(asked["threads"])
models = open_bundle(asked["bundle"], "cpu")
files = sorted((ASSETS / "examples").glob("*.flac"))
song = np.concatenate([soundfile.read(file, dtype="int16")[0] for file in files] * 3)[: 180 * 32000]
song = soxr.resample(song, 32000, 44100)  # in whole numbers throughout, so that it weighs little
song = np.stack([song, song // 2 + np.roll(song, 700) // 2], axis=1)
def request(turn):
    engine, start = asked["engine"], asked["place"] + 0.3 * turn
    fm = FMSettings(zero_shot=models.spec.zero_shot_with("ab2"))
    if not asked["clip"]:
        return GenerateRequest(engine, "upbeat pop with piano and drums", 10.0, turn, fm=fm)
    cut = asked["clip"] < 180
    first = asked["place"] - (asked["clip"] - asked["span"]) / 2 + 0.3 * turn if cut else 0.0
    part = song[round(first * 44100) : round((first + asked["clip"]) * 44100)]
    start, end = start - first, start - first + asked["span"]
    wish = {}
    if asked["intent"] == "change":
        chords = (Chord(start, (start + end) / 2, "F"), Chord((start + end) / 2, end, "G7"))
        wish = {"prompt": "a solo flute, no drums", "controls": Controls(chords=chords)}
    source = Recording(part.copy(), 44100)
    return InpaintRequest(engine, source, start, end, seed=turn, intent=asked["intent"], fm=fm, **wish)
rounds = []
for turn in range(asked["rounds"] + 1):
    todo = request(turn)
    before, wall = time.process_time(), time.perf_counter()
    made = run(todo, models)
    spent, wall = time.process_time() - before, time.perf_counter() - wall
    rounds.append({"processor": spent, "wall": wall, "stages": made.timings})
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(json.dumps({"rounds": rounds[1:], "peak": peak}))
"""


def measured(
    bundle: str,
    rounds: int,
    threads: int,
    trees: Sequence[Path],
    engines: Sequence[str] = ENGINES,
    intents: Sequence[str] = INTENTS,
) -> list[Figures]:
    """One row a case and checkout: medians of seconds, MB at the peak, and the share of each stage.

    The intent `clip` is a clip from words of 10 s.
    """
    cases: list[tuple[str, str, float]] = []
    for engine in engines:
        for intent in intents:
            if intent != "clip":
                cases += [(engine, intent, SHORT), (engine, intent, LONG)]
            elif engine != "fm-zero-shot":
                cases.append((engine, intent, 0.0))
    rows: list[Figures] = []
    for engine, intent, clip in cases:
        asked = {"engine": engine, "intent": intent, "clip": clip, "span": SPAN, "place": PLACE}
        asked |= {"bundle": bundle, "rounds": rounds, "threads": threads}
        for tree in trees:
            row = {"tree": str(tree), "engine": engine, "intent": intent, "clip": clip} | _case(tree, asked)
            rows.append(row)
            print(_line(row, rows), flush=True)
    return rows


def _case(tree: Path, asked: Figures) -> Figures:
    """The figures of one case, run in a process of a checkout."""
    environment = os.environ | {"OMP_NUM_THREADS": str(asked["threads"]), "PYTHONPATH": str(tree)}
    call = [sys.executable, "-c", CHILD, json.dumps(asked)]
    done = subprocess.run(call, cwd=tree, env=environment, capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    rounds = found["rounds"]
    spent = {stage for one in rounds for stage in one["stages"]} - {"queued", "load"}
    stages = {stage: statistics.median(one["stages"].get(stage, 0.0) for one in rounds) for stage in spent}
    whole = sum(stages.values())
    return {
        "processor": statistics.median(one["processor"] for one in rounds),
        "wall": statistics.median(one["wall"] for one in rounds),
        "peak": found["peak"],
        "shares": {stage: seconds / whole for stage, seconds in stages.items()},
    }


def head() -> str:
    """The table's first lines."""
    names = "engine | intent | clip | processor s | wall s | against 10 s | peak MB | shares of the stages, %"
    return f"| checkout | {names} |\n|---|---|---|---|---|---|---|---|---|"


def _line(row: Figures, rows: Sequence[Figures]) -> str:
    """A row of the table; seconds and memory of a long clip against the short one's."""
    same = [
        other
        for other in rows
        if other["clip"] == SHORT and all(other[name] == row[name] for name in ("tree", "engine", "intent"))
    ]
    ratio = ""
    if row["clip"] == LONG and same:
        ratio = f"{row['processor'] / same[0]['processor']:.2f}, {row['peak'] / same[0]['peak']:.2f}"
    order = (*STAGES, *(name for name in row["shares"] if name not in STAGES))
    shares = ", ".join(
        f"{name} {100 * row['shares'][name]:.0f}" for name in order if row["shares"].get(name, 0) > 0.005
    )
    clip = f"{row['clip']:g} s" if row["clip"] else "10 s made"
    what = f"{Path(row['tree']).name} | {row['engine']} | {row['intent']} | {clip}"
    return f"| {what} | {row['processor']:.2f} | {row['wall']:.2f} | {ratio} | {row['peak']:.0f} | {shares} |"
