"""The analysis against exact labels, beside its bars: `python -m study.measure.analysis_bars`.

Held-out renders: seeds, lead sheets and drum performances that nothing was trained on, half of them
through a SoundFont that no training render used; and Nottingham tunes, rendered here as melody and
chords. Figures are means over clips (tempo and key: shares of clips; drum F1: over clips with drums).
"all" counts every clip that has the label, "tonal" those whose chords stay in their key: a quarter of
the arranger's pieces have random chords over the whole vocabulary and no key that anyone could hear;
"played" those where an instrument plays the chords: a bare melody has them on paper only.
"""

from __future__ import annotations

import argparse
import json
import tarfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.analysis import analyze as analysis
from engines.analysis import chordino
from engines.music.chords import ROOTS, pitch_classes
from engines.requests import Chord, Hit, Note
from study.measure import metrics

RATE = 32_000
BARS = {  # measure -> least value
    "chords WCSR": 0.80,
    "chord IOU": 0.70,
    "melody RCA": 0.65,
    "beat F1": 0.85,
    "downbeat F1": 0.70,
    "tempo": 0.85,
    "key": 0.75,
    "drum F1": 0.70,
}
SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10, 11)}
Label = dict[str, Any]
Row = dict[str, float]


def clips(
    folder: Path, count: int, had: set[int] | None = None
) -> Iterator[tuple[NDArray[np.float32], Label]]:
    """The first `count` clips of a rendered folder: audio [n] at 32 kHz, and labels.

    Pieces whose seeds are in `had` are passed over, and the others' seeds are added to it: two folders may
    hold the same pieces in different sounds, and the same piece counts once.
    """
    had = set() if had is None else had
    for path in sorted(folder.glob("labels_*.json")):
        audio = np.load(
            path.with_name(path.name.replace("labels", "audio")).with_suffix(".npy"), mmap_mode="r"
        )
        for samples, label in zip(audio, json.loads(path.read_text()), strict=True):
            if count <= 0:
                return
            if label["seed"] in had:
                continue
            had.add(label["seed"])
            count -= 1
            yield np.asarray(samples, np.float32) / np.float32(32767), label


def tonal(label: Label) -> bool:
    """Whether nine tenths of the chords' tones, weighted by time, belong to the labelled key."""
    if not label["key"] or not label["chords"]:
        return False
    tonic, mode = label["key"].split()
    scale = {(ROOTS.index(tonic) + step) % 12 for step in SCALES[mode]}
    inside = total = 0.0
    for chord in label["chords"]:
        tones = pitch_classes(chord["symbol"])
        if tones:
            total += chord["end"] - chord["start"]
            inside += (chord["end"] - chord["start"]) * sum(t in scale for t in tones) / len(tones)
    return total > 0 and inside / total > 0.9


def played(label: Label) -> bool:
    """Whether an instrument plays the chords; labels without roles are of pieces in which one does."""
    return bool({"comp", "pad"} & set(label.get("roles", ("comp",))))


def row(audio: NDArray[np.float32], label: Label, with_chordino: bool) -> Row:
    """All measures of one clip."""
    seconds = len(audio) / RATE
    begin = time.process_time()
    heard = analysis.analyze(audio, RATE)
    out: Row = {"cpu s": (time.process_time() - begin) * 10 / seconds, "tonal": float(tonal(label))}
    out["played"] = float(played(label))
    if label["chords"]:
        out |= chord_figures(heard.chords.chords, label, seconds, "")
        if with_chordino:
            out |= chord_figures(analysis.chords(audio, RATE).chords, label, seconds, " Chordino")
    if label["melody"]:
        score = metrics.melody_score(heard.melody.notes, [Note(**n) for n in label["melody"]], seconds)
        out |= {"melody RCA": score.raw_chroma, "melody RPA": score.raw_pitch, "melody OA": score.overall}
    if label.get("beats"):
        out["beat F1"] = metrics.beat_f1(heard.rhythm.beats, label["beats"])
        out["downbeat F1"] = metrics.beat_f1(heard.rhythm.downbeats, label["downbeats"])
        out["metre"] = float(heard.rhythm.beats_per_bar == label["beats_per_bar"])
        out["tempo"] = float(metrics.tempo_right(heard.rhythm.bpm, label["bpm"]))
        out["tempo 2x"] = float(
            any(metrics.tempo_right(heard.rhythm.bpm * f, label["bpm"]) for f in (0.5, 1, 2, 1.5, 2 / 3))
        )
    if label["key"] and label["chords"]:
        out["key"] = float(heard.key.name == label["key"])
        out["key score"] = metrics.key_score(heard.key.name, label["key"])
    if label["hits"]:
        out["drum F1"] = metrics.drum_f1(heard.drums.hits, [Hit(**h) for h in label["hits"]])
    else:
        out["hits without drums"] = float(len(heard.drums.hits))
    return out


def chord_figures(found: tuple[Chord, ...], label: Label, seconds: float, by: str) -> Row:
    """Chord measures of one clip against its label."""
    reference = [Chord(**c) for c in label["chords"]]
    overlap = metrics.chord_iou(found, reference, seconds)
    wcsr = metrics.chord_wcsr(found, reference, seconds)
    return {f"chords WCSR{by}": wcsr, f"chord IOU{by}": overlap.iou, f"chord share{by}": overlap.share}


def table(name: str, rows: list[Row]) -> list[str]:
    """Lines of the table for one set of clips."""
    kinds = ("tonal", "played")
    measures = list(dict.fromkeys(m for r in rows for m in r if m not in kinds))
    counts = ", ".join(f"{sum(r[kind] > 0 for r in rows)} {kind}" for kind in kinds)
    lines = [f"\n{name}: {len(rows)} clips, {counts}"]
    lines.append(f"{'measure':<22}{'all':>8}{'tonal':>8}{'played':>8}{'bar':>8}")
    for measure in measures:
        every = [r[measure] for r in rows if np.isfinite(r.get(measure, np.nan))]
        parts = [[r[measure] for r in rows if r[k] and np.isfinite(r.get(measure, np.nan))] for k in kinds]
        bar = BARS.get(measure)
        verdict = "" if bar is None else ("met" if every and np.mean(every) >= bar else "NOT MET")
        numbers = [f"{np.mean(values):8.3f}" if values else f"{'-':>8}" for values in (every, *parts)]
        lines.append(f"{measure:<22}{''.join(numbers)}{'' if bar is None else f'{bar:8.2f}'}  {verdict}")
    return lines


# ---- Nottingham


def tunes(archive: Path, count: int) -> Iterator[tuple[NDArray[np.float32], Label]]:
    """Nottingham tunes of the archive: their first 12 s as flute and piano, [n] at 32 kHz, and labels."""
    import pretty_midi
    import tinysoundfont  # type: ignore[import-untyped]

    from study.data.render import SOUNDFONTS

    synth = tinysoundfont.Synth(gain=-6, samplerate=RATE)
    font = synth.sfload(str(next(f for f in SOUNDFONTS if f.exists())))
    with tarfile.open(archive) as files:
        whole = [m for m in files if Path(m.name).parent.name == "MIDI"]  # beside melodies and chords alone
        members = sorted((m for m in whole if m.name.endswith(".mid")), key=lambda m: m.name)
        for member in members[:: max(1, len(members) // count)][:count]:
            midi = pretty_midi.PrettyMIDI(files.extractfile(member))
            label = nottingham_label(midi, 12.0)
            if label is not None:
                yield play(synth, font, midi, 12.0), label


def nottingham_label(midi: Any, seconds: float) -> Label | None:
    """Labels of a tune: its first track is the melody, its second the chords as notes; None without both."""
    pitched = [track for track in midi.instruments if track.notes]
    if len(pitched) < 2:
        return None
    melody = [
        {"start": float(n.start), "end": float(min(n.end, seconds)), "pitch": int(n.pitch)}
        for n in sorted(pitched[0].notes, key=lambda n: n.start)
        if n.start < seconds
    ]
    struck: dict[float, list[Any]] = {}
    for note in pitched[1].notes:
        struck.setdefault(round(note.start, 3), []).append(note)
    chords: list[dict[str, Any]] = []
    for start in sorted(struck):
        notes = struck[start]
        symbol = _named({n.pitch % 12 for n in notes})
        end = min(max(n.end for n in notes), seconds)
        if symbol is None or start >= seconds:
            continue
        if chords and chords[-1]["end"] > start - 0.3:
            chords[-1]["end"] = start
        chords.append({"start": start, "end": float(end), "symbol": symbol})
    beats = midi.get_beats()
    changes = midi.time_signature_changes
    over, under = (changes[0].numerator, changes[0].denominator) if changes else (4, 4)
    compound = under == 8 and over % 3 == 0
    _, tempi = midi.get_tempo_changes()
    return {
        "key": "", "chords": chords, "melody": melody, "hits": [],
        "beats": [float(t) for t in beats if t < seconds],
        "downbeats": [float(t) for t in midi.get_downbeats() if t < seconds],
        "bpm": float(tempi[0]) * (2 / 3 if compound else under / 4),
        "beats_per_bar": over // 3 if compound else over,
    }  # fmt: skip


def _named(pitches: set[int]) -> str | None:
    """The chord of the vocabulary with exactly these pitch classes, the simplest first."""
    for quality in ("", "m", "7", "m7", "maj7", "6", "dim", "aug", "m7b5", "m6"):
        for name in ROOTS:
            if set(pitch_classes(name + quality)) == pitches:
                return name + quality
    return None


def play(synth: Any, font: int, midi: Any, seconds: float) -> NDArray[np.float32]:
    """The first `seconds` of a tune as flute and piano, mono [n] at 32 kHz."""
    synth.sounds_off()
    events: list[tuple[float, int, int, int]] = []
    for channel, track in enumerate([t for t in midi.instruments if t.notes][:2]):
        synth.program_select(channel, font, 0, (73, 0)[channel], False)
        for note in track.notes:
            events.append((note.start, channel, note.pitch, (100, 70)[channel]))
            events.append((note.end, channel, note.pitch, 0))
    events.sort(key=lambda e: (e[0], e[3] > 0))
    total, at = round(seconds * RATE), 0
    mix = np.zeros((total, 2), np.float32)
    for when, channel, pitch, velocity in [*events, (seconds, 0, 0, 0)]:
        until = min(total, round(when * RATE))
        if until > at:
            mix[at:until] = np.frombuffer(synth.generate_simple(until - at), np.float32).reshape(-1, 2)
            at = until
        if velocity:
            synth.noteon(channel, pitch, velocity)
        else:
            synth.noteoff(channel, pitch)
    synth.sounds_off()
    return np.asarray(mix.mean(axis=1), np.float32)  # [n, 2] -> [n]


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--data", type=Path, nargs="+", default=[Path("runs/data/held_out_font"), Path("runs/data/held_out")]
    )
    parser.add_argument("--clips", type=int, default=50, help="of each folder")
    parser.add_argument("--nottingham", type=Path, help="the archive of Nottingham's MIDI files")
    parser.add_argument("--tunes", type=int, default=20)
    parser.add_argument("--chordino", action="store_true", help="chords by Chordino, too")
    args = parser.parse_args()
    by_chordino = args.chordino and chordino.present()
    analysis.analyze(np.zeros(RATE, np.float32), RATE)  # load what is loaded once
    rows: list[Row] = []
    had: set[int] = set()
    for folder in args.data:
        part = []
        for audio, label in clips(folder, args.clips, had):
            part.append(row(audio, label, by_chordino))
            if len(part) % 25 == 0:
                print("\n".join(table(f"{folder.name} so far", part)), flush=True)
        rows += part
        print("\n".join(table(folder.name, part)), flush=True)
    if len(args.data) > 1:
        print("\n".join(table("held-out renders together", rows)), flush=True)
    if args.nottingham is not None:
        found = [row(audio, label, by_chordino) for audio, label in tunes(args.nottingham, args.tunes)]
        print("\n".join(table("Nottingham", found)), flush=True)


if __name__ == "__main__":
    main()
