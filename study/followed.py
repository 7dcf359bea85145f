"""What clips make of what was asked: `python -m study.followed`; with `--bars` the next bundle's bars.

Tempo, key and instruments asked in words (tempo as a grid too) against heard ones; chords, melody and drums
asked by lanes; drum hits in solos. Beside each figure its floor, the same clips against other requests, and
its ceiling, real clips, also through the codec. Judged by listeners that choose nothing
(`study.listeners.train`, `study.listeners.pulse`, Chordino). What was made stays below `runs/followed`, so
that a stopped run goes on. Audio is mono float [n] at 32 kHz, ten seconds.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engines.analysis import analyze as analysis
from engines.audio.timebase import Grid
from engines.checkpoints.shelf import open_bundle
from engines.requests import Chord, Controls, GenerateRequest, Request
from engines.roster import EngineName
from study.listeners import jury, pulse, transcriber
from study.listeners import train as judge
from study.listeners.hearing import lead_figures, mean
from study.listeners.jury import Jury
from study.measure import bars, metrics
from study.measure.conditions import RATE, SECONDS, Clip, labelled, names_lead, text_prompt
from study.measure.fillings import code_of
from study.measure.outputs import Outputs, digest

Audio = NDArray[np.float32]
Figures = dict[str, float]
Rows = dict[str, Figures]
ENGINES: tuple[EngineName, ...] = ("ar", "fm")
SOLOS = ("flute", "violin", "piano", "cello", "trumpet", "nylon guitar", "clarinet", "harp")
HITS_IN_REAL = 8  # real solos that are listened to
CODEC = {"real, codec": False, "real, RVQ": True}  # name -> quantized


@dataclass(frozen=True)
class Heard:
    """What is heard in one clip."""

    tempo: float  # bpm
    key: str
    chords: tuple[Chord, ...]
    leads: NDArray[np.float64]  # [leads] log-probabilities
    plays: frozenset[str]  # instruments


def hear(audio: Audio, judges: Jury) -> Heard:
    """What the judges hear in a clip [n]."""
    chords = tuple(analysis.chords(audio, RATE).chords)
    tags = judges.listener.listen([audio])
    sure = tags.instruments[0].exp().numpy()
    plays = frozenset(n for n, p in zip(judges.listener.config.instruments, sure, strict=True) if p > 0.5)
    return Heard(
        pulse.tempo(audio, RATE),
        pulse.key(audio, RATE, chords),
        chords,
        tags.leads[0].double().numpy(),
        plays,
    )


def told(clip: Clip) -> str:
    """Words that ask for a clip's lead, tempo and key."""
    label = clip.label
    words = text_prompt(clip) if clip.lead else clip.prompt
    said = [] if "bpm" in words.lower() or "tempo" in words.lower() else [f"{label['bpm']:.0f} bpm"]
    return ", ".join([words, *said, *([f"in {label['key']}"] if label["key"] not in words else [])])


def grid_of(clip: Clip) -> Grid:
    """The clip's beats, from its first downbeat on."""
    return Grid(float(clip.label["bpm"]), int(clip.label["beats_per_bar"]), float(clip.label["downbeats"][0]))


def worded(clips: Sequence[Clip], engine: EngineName) -> list[Request]:
    """A clip from words and a grid for each held-out one."""
    return [
        GenerateRequest(engine, told(c), SECONDS, i, Controls(grid=grid_of(c))) for i, c in enumerate(clips)
    ]


def laned(clips: Sequence[Clip], engine: EngineName) -> list[Request]:
    """A clip from a held-out one's words and lanes."""
    return [GenerateRequest(engine, c.prompt, SECONDS, i, c.controls) for i, c in enumerate(clips)]


def soloed(names: Sequence[str], engine: EngineName) -> list[Request]:
    """Clips in which one instrument is to play alone."""
    return [GenerateRequest(engine, f"solo {name}", SECONDS, i) for i, name in enumerate(names)]


def suitable(clips: Sequence[Clip], count: int) -> list[Clip]:
    """The first `count` clips with a lead, a key, drums and a plain metre: all can be asked and heard."""
    found = [
        c for c in clips
        if c.lead and c.label["key"] and c.label["hits"] and c.label["time_signature"] in ("4/4", "3/4")
    ]  # fmt: skip
    return found[:count]


def against(values: Callable[[int, int], float], count: int) -> tuple[float, float]:
    """Mean of values(i, i), and of values(i, k) for the next others k: the figure and its floor."""
    shifts = range(1, min(4, count))
    own = mean([values(i, i) for i in range(count)])
    return own, mean([values(i, (i + s) % count) for i in range(count) for s in shifts])


def words_heard(made: Sequence[Audio], clips: Sequence[Clip], judges: Jury) -> Figures:
    """Tempo, key and instruments of clips [n] made for the words of held-out ones."""
    heard = [hear(audio, judges) for audio in made]
    asked = [frozenset(n for n in c.label["instruments"] if names_lead(told(c), n)) for c in clips]
    known = frozenset(judges.listener.config.instruments)

    def share(i: int, k: int) -> float:
        wanted = asked[k] & known
        return len(wanted & heard[i].plays) / len(wanted) if wanted else float("nan")

    pairs: dict[str, Callable[[int, int], float]] = {
        "tempo": lambda i, k: float(pulse.same_tempo(heard[i].tempo, clips[k].label["bpm"])),
        "key": lambda i, k: metrics.key_score(heard[i].key, clips[k].label["key"]),
        "instruments": share,
    }
    out: Figures = {"clips": float(len(made))}
    for name, values in pairs.items():
        out[name], out[f"{name}, shuffled"] = against(values, len(made))
    leads = lead_figures(np.stack([h.leads for h in heard]), clips, judges.listener.config.leads)
    return out | {name: leads[name] for name in ("lead of 10", "lead of 10, shuffled")}


def lanes_heard(made: Sequence[Audio], clips: Sequence[Clip], judges: Jury) -> Figures:
    """Chords, melody and drums of clips [n] made for the lanes of held-out ones; chords as heard in these."""
    chords = [analysis.chords(audio, RATE).chords for audio in made]
    real = [analysis.chords(clip.audio, RATE).chords for clip in clips]
    pitches = [judges.lines.pitches(audio) for audio in made]
    hits = [judges.lines.hits(audio) for audio in made]
    asked = [clip.controls for clip in clips]
    pairs: dict[str, Callable[[int, int], float]] = {
        "chord IOU": lambda i, k: metrics.chord_iou(chords[i], real[k], SECONDS).iou,
        "melody": lambda i, k: transcriber.line_agreement(pitches[i], asked[k].melody or (), 0.0, SECONDS),
        "drums F1": lambda i, k: transcriber.hit_agreement(hits[i], asked[k].drums or (), 0.0, SECONDS),
    }
    out: Figures = {"clips": float(len(made))}
    for name, values in pairs.items():
        out[name], out[f"{name}, shuffled"] = against(values, len(made))
    return out


def hits_in(made: Sequence[Audio], judges: Jury) -> Figures:
    """Drum hits that are heard in clips [n], a clip."""
    return {"clips": float(len(made)), "drum hits": mean([float(len(judges.lines.hits(a))) for a in made])}


def clips_table(outputs: Outputs, judges: Jury, folder: Path, count: int, solos: int) -> dict[str, Rows]:
    """The tables "words", "lanes" and "solos": rows for real clips, these through the codec, engines."""
    every = labelled(folder, 10_000)
    clips = suitable(every, count)
    alone = [c for c in every if len(c.label["instruments"]) == 1 and not c.label["hits"]][:HITS_IN_REAL]
    real = [c.audio for c in clips]
    sets = {"real": real} | {name: outputs.through_codec(real, q) for name, q in CODEC.items()}
    tables: dict[str, Rows] = {"words": {}, "lanes": {}, "solos": {}}
    for name, made in sets.items():
        tables["words"][name] = words_heard(made, clips, judges)
        tables["lanes"][name] = lanes_heard(made, clips, judges)
    tables["solos"]["real"] = hits_in([c.audio for c in alone], judges)
    tables["solos"]["real, with drums"] = hits_in(real, judges)
    for engine in ENGINES:
        name = engine.upper()
        tables["words"][name] = words_heard(
            outputs.make(worded(clips, engine), f"words, {engine}"), clips, judges
        )
        tables["lanes"][name] = lanes_heard(
            outputs.make(laned(clips, engine), f"lanes, {engine}"), clips, judges
        )
        tables["solos"][name] = hits_in(
            outputs.make(soloed(SOLOS[:solos], engine), f"solos, {engine}"), judges
        )
    return tables


def shown(tables: dict[str, Rows]) -> str:
    """The tables as text."""
    lines: list[str] = []
    for name, rows in tables.items():
        columns = list(dict.fromkeys(c for row in rows.values() for c in row))
        lines.append(f"\n{name:18}" + "".join(f"{c[-16:]:>18}" for c in columns))
        for row, figures in rows.items():
            cells = [f"{figures[c]:18.3f}" if c in figures else " " * 18 for c in columns]
            lines.append(f"{row:18}" + "".join(cells))
    return "\n".join(lines)


def main() -> None:
    """Make, hear, print; with `--bars` the bars, from the JSON where it is there."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="bundle")
    parser.add_argument("--clips", type=int, default=24)
    parser.add_argument("--solos", type=int, default=len(SOLOS))
    parser.add_argument("--held-out", type=Path, default=Path("runs/data/held_out"))
    parser.add_argument("--recordings", type=Path, default=Path("runs/recordings/held_out"))
    parser.add_argument("--judges", type=Path, default=judge.FOLDER)
    parser.add_argument("--work", type=Path, default=Path("runs/followed"), help="where outputs are kept")
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--out", type=Path, default=Path("study/followed.json"))
    parser.add_argument(
        "--bars", action="store_true", help="print the bars, from --out and --changes if there"
    )
    parser.add_argument("--changes", type=Path, default=Path("study/inpainting_changes.json"))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    tables: dict[str, Rows] = {}
    if args.bars and args.out.exists():
        tables = json.loads(args.out.read_text())["tables"]
    else:
        models = open_bundle(args.bundle, "cpu")
        outputs = Outputs(models, args.work / digest(code_of()))  # engines that change make theirs anew
        judges = jury.opened(args.judges)
        tables = clips_table(outputs, judges, args.held_out, args.clips, args.solos)
        tables["codec"] = bars.codec_table(outputs, args.held_out, args.recordings, args.clips)
        args.out.write_text(json.dumps({"bundle": models.spec.name, "tables": tables}, indent=1) + "\n")
    print(shown(tables))
    if args.bars:
        fillings = json.loads(args.changes.read_text()) if args.changes.exists() else {}
        print(bars.shown(bars.found(tables, fillings)))


if __name__ == "__main__":
    main()
