"""Labelled clips cut out of recordings: what is heard in them, and what their table says, in words.

Shards as `study.data.render` writes them: 12 s at 32 kHz, labels in seconds; null is unknown. Does not know
where recordings come from (`recordings.py`).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterable
from dataclasses import asdict
from pathlib import Path
from typing import Any

import librosa
import numpy as np
from numpy.typing import NDArray

from engines.analysis import analyze as analysis
from engines.analysis.analyze import ChordLine
from engines.requests import Chord
from study.data.captions import MOOD_WORDS, STYLE_WORDS, SYNONYMS, tempo_word
from study.data.catalogue import PROCESSING, Recording
from study.data.mix import RATE
from study.data.render import CAPTIONS

Audio = NDArray[np.float32]
SECONDS, MARGIN = 12.0, 2.0  # of a labelled clip; heard around it when its chords are read
SHARD = 100  # clips a file
AUDIBLE_RMS = 10 ** (-40 / 20)  # of a clip
HOP, PULSE = 512, 0.3  # tempogram: samples a frame; mean autocorrelation at the beat that counts as a pulse


def wordings(recording: Recording, bpm: float | None, seed: int) -> list[str]:
    """CAPTIONS captions from a row's tags and a measured tempo; titles do not count. Deterministic."""
    r = random.Random(seed)
    named: tuple[dict[str, tuple[str, ...]], ...] = (MOOD_WORDS, STYLE_WORDS, SYNONYMS)
    out: list[str] = []
    for number in range(CAPTIONS):
        moods, styles, instruments = ([r.choice(d[t]) for t in recording.tags if t in d] for d in named)
        rest = [t for t in recording.tags if t not in PROCESSING and not any(t in d for d in named)]
        if bpm is not None and number % 2:
            moods.append(r.choice((tempo_word(bpm), f"about {bpm:.0f} bpm")))
        words = list(dict.fromkeys([*moods, *styles, *rest]))  # synonyms may meet
        r.shuffle(words)
        kept = words[: r.randint(2, 3)] or ["music"]
        if instruments:
            r.shuffle(instruments)
            played = instruments[: r.randint(1, 3)]
            kept.append(r.choice(("with {}", "{}", "played on {}")).format(" and ".join(played)))
            glue = " " if kept[-1].startswith(("with", "played")) else ", "
            out.append(", ".join(kept[:-1]) + glue + kept[-1])
        else:
            said = ", ".join(kept)
            out.append(said if said.endswith("music") else said + r.choice(("", " music", " piece")))
    return out


def tempo(audio: Audio) -> float | None:
    """Beats per minute of [N] at 32 kHz, or None where no pulse stands out of the tempogram."""
    onsets = librosa.onset.onset_strength(y=audio, sr=RATE, hop_length=HOP)
    onsets = onsets - onsets.mean()  # else noise correlates with itself at every lag
    gram = librosa.feature.tempogram(onset_envelope=onsets, sr=RATE, hop_length=HOP).mean(axis=1)  # [lags]
    positive = np.maximum(gram, 0)[:, None]
    bpm = float(librosa.feature.tempo(tg=positive, sr=RATE, hop_length=HOP)[0])
    lag = round(60 * RATE / HOP / bpm)
    return round(bpm, 1) if lag < len(gram) and gram[lag] > PULSE else None


def known_chords(line: ChordLine, start: float, seconds: float) -> list[Chord] | None:
    """The chords of a stretch on its own clock; None if less than half of it has a chord that was heard.

    Where nothing was heard no chord is given: `N` would claim that there is none.
    """
    out = [
        Chord(max(0.0, c.start - start), min(seconds, c.end - start), c.symbol)
        for c in line.chords
        if c.symbol != "N" and c.start < start + seconds and c.end > start
    ]
    return out if sum(c.end - c.start for c in out) >= seconds / 2 else None


def label(
    recording: Recording, start: float, chords: list[Chord] | None, bpm: float | None, seed: int
) -> dict[str, Any]:
    """What is known of a clip, in study.data.render's fields; null is unknown."""
    instruments = [t for t in recording.tags if t in SYNONYMS]
    return {
        "package": recording.package, "title": recording.title, "artist": recording.artist,
        "licence": recording.licence, "start": start, "seed": seed, "soundfont": None,
        "style": next((t for t in recording.tags if t in STYLE_WORDS), None),
        "mood": next((t for t in recording.tags if t in MOOD_WORDS), None),
        "key": None, "bpm": bpm, "beats_per_bar": None, "lead": None, "instruments": instruments,
        "captions": wordings(recording, bpm, seed),
        "chords": None if chords is None else [asdict(c) for c in chords], "melody": None, "hits": None,
    }  # fmt: skip


def places(arrays: Iterable[tuple[Recording, NDArray[np.int16]]], count: int) -> list[tuple[Recording, int]]:
    """At most `count` clips as (recording, first sample), each recording's spread over its length.

    Recordings take turns, so that long ones do not crowd out short ones and a larger count only adds clips.
    Near-silent places are passed over.
    """
    size, queues = round(SECONDS * RATE), []
    for recording, audio in arrays:
        if "samples" in recording.tags:
            continue
        starts = list(range(0, len(audio) - size + 1, size))
        random.Random(recording.array).shuffle(starts)
        loud = [s for s in starts if np.sqrt(np.mean((audio[s : s + size] / 32767.0) ** 2)) > AUDIBLE_RMS]
        queues.append((recording, loud))
    chosen: list[tuple[Recording, int]] = []
    for turn in range(max((len(loud) for _, loud in queues), default=0)):
        chosen += [(recording, loud[turn]) for recording, loud in queues if turn < len(loud)]
    return chosen[:count]


def cut(recordings: Iterable[Recording], arrays: Path, out: Path, count: int) -> int:
    """Write shards of labelled clips, as study.data.render does: audio_000.npy, labels_000.json.

    Chords are read from the audio with MARGIN seconds around each clip. Needs Chordino; finished shards
    are kept. Returns the number of clips.
    """
    loaded = [(r, np.load(path, mmap_mode="r")) for r in recordings if (path := arrays / r.array).exists()]
    audio = {r.array: a for r, a in loaded}
    chosen = places(loaded, count)
    out.mkdir(parents=True, exist_ok=True)
    size, margin = round(SECONDS * RATE), round(MARGIN * RATE)
    for first in range(0, len(chosen), SHARD):
        shard = chosen[first : first + SHARD]
        target = out / f"labels_{first // SHARD:03d}.json"
        if target.exists():
            continue
        clips, labels = np.zeros((len(shard), size), np.int16), []
        for i, (recording, at) in enumerate(shard):
            source = audio[recording.array]
            clips[i] = source[at : at + size]
            begin = max(0, at - margin)
            around = np.asarray(source[begin : at + size + margin], np.float32) / np.float32(32767)  # [M]
            heard = known_chords(analysis.chords(around, RATE), (at - begin) / RATE, SECONDS)
            labels.append(label(recording, at / RATE, heard, tempo(around), seed=first + i))
        np.save(out / f"audio_{first // SHARD:03d}.npy", clips)
        target.write_text(json.dumps(labels))
        print(f"{out}: {first + len(shard)}/{len(chosen)} clips", flush=True)
    return len(chosen)
