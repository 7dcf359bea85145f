"""Pieces -> audio with aligned labels, on disk. One command: `python -m study.render --help`.

Writes shards into a folder: `audio_000.npy` int16 [n, N] mono at 32 kHz and `labels_000.json`
(one object a clip: captions, chords, melody, hits, ...; times in seconds). Everything is
determined by the seed; held-out sets use another `--seed` range. Needs a General MIDI SoundFont.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import time
from dataclasses import asdict
from functools import cache
from pathlib import Path

import numpy as np
import tinysoundfont
from numpy.typing import NDArray

from study.captions import caption
from study.corpus import Piece, arrange

RATE = 32_000
CAPTIONS = 6  # wordings stored per clip
SOUNDFONTS = (
    Path("/usr/share/sounds/sf2/FluidR3_GM.sf2"),
    Path("/usr/share/sounds/sf3/MuseScore_General_Full.sf3"),
)
GAIN = {"lead": 112, "comp": 74, "bass": 92}  # MIDI volume by role before jitter


class Player:
    """A synth with one SoundFont loaded; plays one piece at a time."""

    def __init__(self, soundfont: Path) -> None:
        self._synth = tinysoundfont.Synth(gain=-6, samplerate=RATE)
        self._font = self._synth.sfload(str(soundfont))

    def play(self, piece: Piece, rng: np.random.Generator) -> NDArray[np.float32]:
        """The dry mix of a piece, mono [N] at 32 kHz."""
        synth = self._synth
        synth.sounds_off()
        events: list[tuple[float, int, int, int]] = []  # time, channel, key, velocity (0 = off)
        for channel, track in enumerate(piece.tracks):
            synth.program_select(channel, self._font, 0, track.program, False)
            volume = int(np.clip(GAIN[track.role] + rng.integers(-14, 15), 30, 127))
            synth.control_change(channel, 7, volume)
            synth.control_change(channel, 10, int(rng.integers(44, 84)))
            for start, end, pitch, velocity in track.notes:
                if end > 0 and start < piece.seconds:
                    events.append((max(0.0, start), channel, pitch, velocity))
                    events.append((max(end, start + 0.03), channel, pitch, 0))
        if piece.drum_notes:
            synth.program_select(9, self._font, 128, 0, True)
            synth.control_change(9, 7, int(np.clip(92 + rng.integers(-16, 16), 40, 127)))
            for t, key, velocity in piece.drum_notes:
                events.append((max(0.0, t), 9, key, velocity))
                events.append((t + 0.1, 9, key, 0))
        events.sort(key=lambda e: (e[0], e[3] > 0))
        total = round(piece.seconds * RATE)
        mix = np.zeros((total, 2), np.float32)
        at = 0
        for t, channel, key, velocity in events:
            until = min(total, round(t * RATE))
            if until > at:
                mix[at:until] = np.frombuffer(synth.generate_simple(until - at), np.float32).reshape(-1, 2)
                at = until
            if until >= total:
                break
            if velocity:
                synth.noteon(channel, key, velocity)
            else:
                synth.noteoff(channel, key)
        if at < total:
            mix[at:] = np.frombuffer(synth.generate_simple(total - at), np.float32).reshape(-1, 2)
        synth.sounds_off()
        return np.asarray(mix.mean(axis=1), np.float32)  # [N, 2] -> [N]


def produce(dry: NDArray[np.float32], rng: np.random.Generator) -> NDArray[np.float32]:
    """Mix and master a dry clip [N]: tone, room, glue, level. Deterministic in `rng`."""
    n = len(dry)
    size = 1 << (n + RATE - 1).bit_length()
    spectrum = np.fft.rfft(dry, size)
    freq = np.maximum(np.fft.rfftfreq(size, 1 / RATE), 20.0)
    tilt = rng.uniform(-1.0, 3.5)  # dB an octave above 1 kHz: the SoundFonts are dull
    curve = np.clip(tilt * np.log2(freq / 1000.0), -6, 12)
    for _ in range(rng.integers(0, 3)):  # a few broad bells
        centre, gain, width = (
            np.exp(rng.uniform(np.log(120), np.log(9000))),
            rng.uniform(-5, 5),
            rng.uniform(0.5, 1.5),
        )
        curve = curve + gain * np.exp(-0.5 * (np.log2(freq / centre) / width) ** 2)
    spectrum *= 10 ** (curve / 20)
    if rng.random() < 0.6:
        length = int(RATE * rng.uniform(0.15, 1.0))
        tail = rng.standard_normal(length) * np.exp(-np.arange(length) / RATE * 6.9 / (length / RATE))
        tail[: int(0.01 * RATE)] = 0
        tail *= rng.uniform(0.04, 0.22) / np.sqrt(np.sum(tail**2) + 1e-9) * 1.2
        tail[0] = 1.0
        spectrum *= np.fft.rfft(tail, size)
    wet = np.fft.irfft(spectrum, size)[:n]
    rms = np.sqrt(np.mean(wet**2)) + 1e-6
    if rng.random() < 0.4:  # soft saturation stands in for a bus compressor
        drive = rng.uniform(1.0, 3.0)
        wet = np.tanh(wet / rms * 0.25 * drive) / drive
        rms = np.sqrt(np.mean(wet**2)) + 1e-6
    out = wet * (10 ** (rng.uniform(-21, -15) / 20) / rms)
    peak = np.max(np.abs(out))
    return np.asarray(out if peak < 0.98 else out * (0.98 / peak), np.float32)


@cache
def _player(soundfont: Path) -> Player:
    return Player(soundfont)


def _shard(job: tuple[int, list[int], float, list[Path], Path | None, Path]) -> int:
    index, seeds, seconds, soundfonts, grooves, folder = job
    audio = np.zeros((len(seeds), round(seconds * RATE)), np.int16)
    labels = []
    for i, seed in enumerate(seeds):
        piece = arrange(seed, seconds, grooves)
        rng = np.random.default_rng(seed)
        font = soundfonts[int(rng.integers(len(soundfonts)))]
        clip = produce(_player(font).play(piece, rng), rng)
        audio[i] = np.round(clip * 32767).astype(np.int16)
        labels.append(
            {
                "seed": seed, "soundfont": font.stem, "style": piece.style, "mood": piece.mood, "key": piece.key,
                "bpm": piece.bpm, "beats_per_bar": piece.beats_per_bar, "lead": piece.lead,
                "instruments": [t.name for t in piece.tracks], "captions": [caption(piece, s) for s in range(CAPTIONS)],
                "chords": [asdict(c) for c in piece.chords], "melody": [asdict(m) for m in piece.melody],
                "hits": [asdict(h) for h in piece.hits],
            }
        )  # fmt: skip
    np.save(folder / f"audio_{index:03d}.npy", audio)
    (folder / f"labels_{index:03d}.json").write_text(json.dumps(labels))
    return len(seeds)


def main() -> None:
    """Render a set of clips."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/data/train"))
    parser.add_argument("--hours", type=float, default=1.0)
    parser.add_argument("--seconds", type=float, default=12.0, help="length of a clip")
    parser.add_argument("--seed", type=int, default=0, help="first seed; held-out sets start at 1000000000")
    parser.add_argument(
        "--soundfont", type=Path, action="append", help="General MIDI sf2/sf3; may be repeated"
    )
    parser.add_argument("--grooves", type=Path, help="folder of the Groove MIDI dataset")
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    fonts = args.soundfont or [f for f in SOUNDFONTS if f.exists()]
    if not fonts:
        raise SystemExit("no SoundFont: apt-get install fluid-soundfont-gm, or give --soundfont FILE")
    args.out.mkdir(parents=True, exist_ok=True)
    count, size = round(args.hours * 3600 / args.seconds), 100
    seeds = list(range(args.seed, args.seed + count))
    jobs = [
        (i, seeds[i * size : (i + 1) * size], args.seconds, fonts, args.grooves, args.out)
        for i in range((count + size - 1) // size)
    ]
    begin, done = time.time(), 0
    with multiprocessing.Pool(args.workers) as pool:
        for n in pool.imap_unordered(_shard, jobs):
            done += n
            print(f"{done}/{count} clips, {time.time() - begin:.0f} s", flush=True)


if __name__ == "__main__":
    main()
