"""Pieces -> audio with aligned labels: streamed, or on disk. `python -m study.data.render --help`.

On disk a folder of shards: `audio_000.npy` int16 [n, N] mono at 32 kHz and `labels_000.json` (one
object a clip: captions, chords, melody, hits, beats, ...; times in seconds), and `render.json`, which
says what was asked for. A clip depends on its seed alone, whatever the number of workers. Seeds from
1000000000 are held out. Needs a General MIDI SoundFont; drum performances (Groove MIDI), lead sheets
(OpenEWLD) and drum samples (Sonic Pi) are used where they are found.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
import tinysoundfont  # type: ignore[import-untyped]
from numpy.typing import NDArray

from study.data.captions import caption, edit_caption, unseen_caption
from study.data.corpus import HELD_OUT, PAIRS, arrange
from study.data.leadsheets import sheets
from study.data.mix import RATE, Audio, mix
from study.data.piece import Piece
from study.data.styles import KEY_CLASS

CAPTIONS = 6  # wordings stored per clip
UNSEEN_CAPTIONS = 2  # wordings that no training clip has, for measuring
SHARD = 100  # clips
SOUNDFONTS = (
    Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
    Path("/usr/share/sounds/sf3/MuseScore_General_Full.sf3"),
)
UNSEEN_SOUNDFONT = Path("/usr/share/sounds/sf2/TimGM6mb.sf2")  # GPL: for measuring, never for training
SAMPLES = Path("/usr/share/sonic-pi/samples")  # CC0
# Recorded one-shots by General MIDI key; a kit is one choice a key, by seed.
_ONE_SHOTS = {
    36: ("bd_808", "bd_ada", "bd_boom", "bd_fat", "bd_gas", "bd_haus", "bd_klub", "bd_pure", "bd_tek", "bd_zum", "drum_heavy_kick", "drum_bass_hard", "elec_soft_kick", "elec_hollow_kick"),
    38: ("sn_dolf", "sn_dub", "sn_generic", "sn_zome", "drum_snare_hard", "elec_snare", "elec_hi_snare", "elec_lo_snare", "elec_mid_snare", "elec_filt_snare"),
    37: ("drum_snare_soft", "elec_tick", "elec_wood", "perc_snap2", "elec_blip2"), 39: ("perc_snap", "elec_snare", "sn_generic", "elec_filt_snare"),
    42: ("drum_cymbal_closed", "drum_cymbal_closed", "elec_tick", "elec_cymbal"), 44: ("drum_cymbal_pedal",), 46: ("drum_cymbal_open", "drum_cymbal_pedal"),
    48: ("drum_tom_hi_hard", "drum_tom_hi_soft", "elec_fuzz_tom"), 45: ("drum_tom_mid_hard", "drum_tom_mid_soft"), 41: ("drum_tom_lo_hard", "drum_tom_lo_soft"),
    51: ("drum_cymbal_soft",), 49: ("drum_cymbal_hard",),
}  # fmt: skip
_SHORT = {42: 0.035, 44: 0.03, 46: 0.15, 37: 0.06}  # seconds in which a one-shot falls by 8.7 dB
_NEAREST = {"kick": 36, "snare": 38, "hat": 42, "tom": 45, "cymbal": 51}


class Player:
    """A synth with one SoundFont loaded; plays one part of a piece at a time."""

    def __init__(self, soundfont: Path) -> None:
        self._synth = tinysoundfont.Synth(gain=-6, samplerate=RATE)
        self._font = self._synth.sfload(str(soundfont))

    def _play(self, events: list[tuple[float, int, int]], total: int, channel: int) -> Audio:
        """Events (time s, key, velocity or 0 for the release) of one channel -> mono [N]."""
        synth = self._synth
        events.sort(key=lambda e: (e[0], e[2] > 0))
        out = np.zeros((total, 2), np.float32)
        at = 0
        for t, key, velocity in events:
            until = min(total, round(t * RATE))
            if until > at:
                out[at:until] = np.frombuffer(synth.generate_simple(until - at), np.float32).reshape(-1, 2)
                at = until
            if until >= total:
                break
            if velocity:
                synth.noteon(channel, key, velocity)
            else:
                synth.noteoff(channel, key)
        if at < total:
            out[at:] = np.frombuffer(synth.generate_simple(total - at), np.float32).reshape(-1, 2)
        synth.sounds_off()
        synth.generate_simple(512)  # what still fades must not be heard in the next part
        return np.asarray(0.5 * (out[:, 0] + out[:, 1]), np.float32)  # [N, 2] -> [N]

    def stems(self, piece: Piece) -> dict[str, Audio]:
        """The dry parts of a piece by role, mono [N] at 32 kHz."""
        total, out = round(piece.seconds * RATE), {}
        for track in piece.tracks:
            self._synth.program_select(0, self._font, 0, track.program, False)
            events = []
            for start, end, pitch, velocity in track.notes:
                if end > 0 and start < piece.seconds:
                    events.append((max(0.0, start), pitch, velocity))
                    events.append((max(end, start + 0.03), pitch, 0))
            out[track.role] = self._play(events, total, 0)
        if piece.drum_notes and not (piece.sampled and SAMPLES.is_dir()):
            try:
                self._synth.program_select(9, self._font, 128, piece.kit, True)
            except tinysoundfont.SoundFontException:  # a font without this kit
                self._synth.program_select(9, self._font, 128, 0, True)
            events = [e for t, key, v in piece.drum_notes for e in ((t, key, v), (t + 0.1, key, 0))]
            out["drums"] = self._play(events, total, 9)
        elif piece.drum_notes:
            out["drums"] = _sampled_drums(piece, total)
        return out


@cache
def _sample(name: str) -> Audio:
    """A one-shot at 32 kHz, its silence before the attack cut off, at peak 1: mono [n]."""
    samples, rate = soundfile.read(SAMPLES / f"{name}.flac", dtype="float32", always_2d=True)
    mono = soxr.resample(samples.mean(axis=1), rate, RATE)
    mono = mono / np.max(np.abs(mono))
    start = max(0, int(np.argmax(np.abs(mono) > 0.05)) - 16)
    mono = mono[start : start + 2 * RATE].copy()
    fade = min(len(mono), 640)
    mono[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return np.asarray(mono, np.float32)


def _sampled_drums(piece: Piece, total: int) -> Audio:
    """The drums of a piece with recorded one-shots [N]; a hat that closes cuts the open one off."""
    rng = np.random.default_rng([piece.mix_seed, 1])
    kit = {key: names[int(rng.integers(len(names)))] for key, names in _ONE_SHOTS.items()}
    trim = {
        key: rng.uniform(0.7, 1.1) * (0.35 if KEY_CLASS[key] in ("hat", "cymbal") else 1.0) for key in kit
    }
    out = np.zeros(total, np.float32)
    notes = [(t, key if key in kit else _NEAREST[KEY_CLASS[key]], v) for t, key, v in piece.drum_notes]
    for i, (t, key, velocity) in enumerate(notes):
        at = round(t * RATE)
        sample = _sample(kit[key])[: total - at]
        if key in _SHORT:  # a closed hat is dry, whatever was recorded
            sample = sample * np.exp(
                -np.arange(len(sample), dtype=np.float32) / np.float32(_SHORT[key] * RATE)
            )
        if KEY_CLASS[key] == "hat":
            following = next((u for u, k, _ in notes[i + 1 :] if u > t and KEY_CLASS[k] == "hat"), None)
            if following is not None and round((following - t) * RATE) < len(sample):
                sample = sample[: round((following - t) * RATE)].copy()
                fade = min(len(sample), 160)
                sample[len(sample) - fade :] *= np.linspace(1, 0, fade, dtype=np.float32)
        out[at : at + len(sample)] += sample * np.float32(trim[key] * (velocity / 110) ** 1.5)
    return out


@cache
def _player(soundfont: Path) -> Player:
    return Player(soundfont)


@dataclass(frozen=True)
class Sources:
    """What clips are made from; the seed decides the rest."""

    soundfonts: tuple[Path, ...]
    grooves: Path | None = None  # folder of the Groove MIDI dataset
    leadsheets: Path | None = None  # folder of OpenEWLD
    seconds: float = 12.0  # length of a clip


def found_sources(
    seconds: float = 12.0, unseen_soundfont: bool = False, fonts: Sequence[Path] = ()
) -> Sources:
    """What this machine has. Raises SystemExit, with the remedy, where there is no SoundFont."""
    fonts = fonts or ([UNSEEN_SOUNDFONT] if unseen_soundfont else [f for f in SOUNDFONTS if f.exists()])
    if not fonts or not fonts[0].exists():
        package = "timgm6mb-soundfont" if unseen_soundfont else "fluid-soundfont-gm"
        raise SystemExit(f"no SoundFont: apt-get install {package}, or give --soundfont FILE")
    grooves, leadsheets = Path("runs/groove"), Path("runs/OpenEWLD")
    return Sources(
        tuple(fonts),
        grooves if grooves.is_dir() else None,
        leadsheets if leadsheets.is_dir() else None,
        seconds,
    )


def clip(seed: int, sources: Sources) -> tuple[NDArray[np.int16], dict[str, Any]]:
    """One clip int16 [N] and its label."""
    piece = arrange(seed, sources.seconds, sources.grooves, sources.leadsheets)
    rng = np.random.default_rng(piece.mix_seed)
    font = sources.soundfonts[int(rng.integers(len(sources.soundfonts)))]
    stems = _player(font).stems(piece)
    kicks = [h.time for h in piece.hits if h.drum == "kick"]
    audio = np.round(mix(stems, rng, piece.style, kicks) * 32767).astype(np.int16)
    edits = [edit_caption(piece, s) for s in range(2)] if edit_caption(piece, 0) else []
    label = {
        "seed": seed, "source": piece.source, "tune": piece.tune, "twin_of": piece.twin_of, "change": piece.change,
        "soundfont": font.stem, "sampled_drums": bool(piece.sampled and piece.drum_notes and SAMPLES.is_dir()),
        "style": piece.style, "mood": piece.mood, "moods": list(piece.moods), "key": piece.key, "bpm": piece.bpm,
        "beats_per_bar": piece.beats_per_bar, "time_signature": piece.metre,
        "beats": [round(t, 5) for t in piece.beats], "downbeats": [round(t, 5) for t in piece.downbeats],
        "lead": piece.lead, "instruments": [t.name for t in piece.tracks], "roles": [t.role for t in piece.tracks],
        "captions": [*(caption(piece, s) for s in range(CAPTIONS - 2 * bool(edits))), *edits],
        "unseen_captions": [unseen_caption(piece, s) for s in range(UNSEEN_CAPTIONS)],
        "chords": [asdict(c) for c in piece.chords], "melody": [asdict(m) for m in piece.melody],
        "hits": [asdict(h) for h in piece.hits], "parts": [asdict(p) for p in piece.parts],
    }  # fmt: skip
    return audio, label


def stream(
    seed: int, count: int | None = None, sources: Sources | None = None, workers: int = 0
) -> Iterator[tuple[NDArray[np.int16], dict[str, Any]]]:
    """Clips int16 [N] with labels from `seed` on, in order, without touching the disk; endless without `count`."""
    have = sources or found_sources()
    seeds = iter(range(seed, seed + count)) if count is not None else _endless(seed)
    if workers == 0:
        yield from (clip(s, have) for s in seeds)
        return
    with multiprocessing.Pool(workers) as pool:
        pending: list[Any] = []
        for s in seeds:
            pending.append(pool.apply_async(clip, (s, have)))
            if len(pending) >= 4 * workers:
                yield pending.pop(0).get()
        for result in pending:
            yield result.get()


def _endless(seed: int) -> Iterator[int]:
    while True:
        yield seed
        seed += 1


def _shard(job: tuple[int, Sequence[int], Sources, Path]) -> int:
    index, seeds, sources, folder = job
    audio = np.zeros((len(seeds), round(sources.seconds * RATE)), np.int16)
    labels = []
    for i, seed in enumerate(seeds):
        audio[i], label = clip(seed, sources)
        labels.append(label)
    part = folder / f"audio_{index:03d}.part.npy"
    np.save(part, audio)
    part.rename(folder / f"audio_{index:03d}.npy")
    text = folder / f"labels_{index:03d}.part"  # labels come last: a shard that has them is whole
    text.write_text(json.dumps(labels))
    text.rename(folder / f"labels_{index:03d}.json")
    return len(seeds)


def render(folder: Path, seed: int, count: int, sources: Sources, workers: int = 2) -> None:
    """Write the shards of `count` clips that a folder lacks. Raises SystemExit where it holds other renders."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = {"seed": seed, **{k: str(v) for k, v in asdict(sources).items()}}
    note = folder / "render.json"
    if not note.exists() and any(folder.glob("labels_*.json")):
        raise SystemExit(f"{folder} holds renders of an older kind: give another --out, or empty it")
    if note.exists() and json.loads(note.read_text()) != settings:
        raise SystemExit(
            f"{folder} holds renders made with other settings ({note}): give another --out, or empty it"
        )
    note.write_text(json.dumps(settings, indent=1))
    jobs = []
    for i in range((count + SHARD - 1) // SHARD):
        seeds = range(seed + i * SHARD, seed + min(count, (i + 1) * SHARD))
        labels = folder / f"labels_{i:03d}.json"
        if not labels.exists() or len(json.loads(labels.read_text())) < len(seeds):
            jobs.append((i, seeds, sources, folder))
    if sources.leadsheets is not None:
        sheets(sources.leadsheets)  # parsed once, before the workers ask for them
    done = count - sum(len(j[1]) for j in jobs)
    begin, before = time.time(), done
    print(f"{done}/{count} clips are there", flush=True)
    with multiprocessing.Pool(workers) as pool:
        for n in pool.imap_unordered(_shard, jobs):
            done += n
            rate = (done - before) * sources.seconds / (time.time() - begin)
            print(f"{done}/{count} clips, {time.time() - begin:.0f} s, {rate:.0f} x real time", flush=True)


def main() -> None:
    """Render a set of clips, or what is missing of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--out", type=Path, help="default runs/data/train, runs/data/held_out, ..._unseen_soundfont"
    )
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=12.0, help="length of a clip")
    parser.add_argument("--seed", type=int, help=f"first seed; default 0, held out {HELD_OUT}")
    parser.add_argument(
        "--held-out", action="store_true", help=f"seeds from {HELD_OUT}: tunes and drummers kept apart"
    )
    parser.add_argument(
        "--pairs", action="store_true", help="each clip with its twin, changed as a musician changes a span"
    )
    parser.add_argument(
        "--unseen-soundfont",
        action="store_true",
        help="through the SoundFont that never trains; implies --held-out",
    )
    parser.add_argument(
        "--soundfont", type=Path, action="append", help="General MIDI sf2/sf3; may be repeated"
    )
    parser.add_argument("--grooves", type=Path, help="folder of the Groove MIDI dataset; default runs/groove")
    parser.add_argument("--leadsheets", type=Path, help="folder of OpenEWLD; default runs/OpenEWLD")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    held_out = args.held_out or args.unseen_soundfont or (args.seed or 0) >= HELD_OUT
    if held_out and args.seed is not None and args.seed < HELD_OUT:
        raise SystemExit(
            f"--seed {args.seed}: held-out seeds start at {HELD_OUT}; leave --seed or --held-out out"
        )
    have = found_sources(args.seconds, args.unseen_soundfont) if not args.soundfont else None
    fonts = tuple(args.soundfont) if args.soundfont else have.soundfonts if have else ()
    missing = [f for f in fonts if not f.exists()]
    if missing:
        raise SystemExit(f"--soundfont {missing[0]}: no such file; give an sf2 or sf3 file")
    there = have or found_sources(args.seconds, fonts=fonts)
    sources = Sources(fonts, args.grooves or there.grooves, args.leadsheets or there.leadsheets, args.seconds)
    name = "held_out_unseen_soundfont" if args.unseen_soundfont else "held_out" if held_out else "train"
    name += "_pairs" if args.pairs else ""
    seed = (
        args.seed if args.seed is not None else (HELD_OUT if held_out else 0) + (PAIRS if args.pairs else 0)
    )
    count = round(args.hours * 3600 / args.seconds)
    render(args.out or Path("runs/data") / name, seed, count, sources, args.workers)


if __name__ == "__main__":
    main()
