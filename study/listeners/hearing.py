"""What is heard in clips, and how that is judged: formulas, and a cache of what was heard.

Everything is read from audio alone, alike for real clips, for real clips through the codec and for
generated ones, and then compared with the conditions. Audio is mono float [n] at 32 kHz, ten
seconds; times are seconds. Knows no engines and no bundle.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import librosa
import numpy as np
from numpy.typing import NDArray

from engines.analysis import analyze as analysis
from engines.audio import hearing as statistics
from engines.audio import listener, seams
from engines.audio.recording import from_float
from engines.requests import Chord
from study.listeners.tagger import Tagger
from study.measure import metrics
from study.measure.conditions import RATE, SECONDS, Clip, Span, candidates, trimmed
from study.measure.outputs import digest, quantized

Audio = NDArray[np.float32]
Floats = NDArray[np.float64]
SHIFTS = (1, 2, 3)  # a clip is compared with the lanes of so many others for the floor
OUTSIDE_SECONDS = 2.0  # context on each side of a span whose brightness counts
_SILENT = 1e-4  # peak below which a span has no timbre
_VERSION = b"1"  # of what is heard: another one hears everything again


def frechet(a: Floats, b: Floats) -> float:
    """Frechet distance of two sets of embeddings [n, E], [m, E] as Gaussians.

    |mu_a - mu_b|^2 + tr(C_a + C_b - 2 (C_a C_b)^(1/2)), covariances with 1 / (n - 1) (Kilgour et al. 2018).
    """
    if min(len(a), len(b)) < 2:
        raise ValueError(f"frechet: {len(a)} and {len(b)} embeddings; at least 2 of each are needed")
    mean = a.mean(axis=0) - b.mean(axis=0)
    ca, cb = np.atleast_2d(np.cov(a, rowvar=False)), np.atleast_2d(np.cov(b, rowvar=False))
    values, vectors = np.linalg.eigh(ca)
    root = (vectors * np.sqrt(np.maximum(values, 0.0))) @ vectors.T  # C_a^(1/2), symmetric
    # (C_a C_b)^(1/2) has the eigenvalues of (C_a^(1/2) C_b C_a^(1/2))^(1/2)
    cross = np.sqrt(np.maximum(np.linalg.eigvalsh(root @ cb @ root), 0.0)).sum()
    return float(mean @ mean + np.trace(ca) + np.trace(cb) - 2.0 * cross)


def retrieved(scores: Floats, leads: Sequence[str], lead: str, seed: int) -> bool:
    """Whether `lead` scores highest among ten candidates: scores [leads] of what is heard."""
    among = candidates(lead, leads, seed)
    return max(among, key=lambda name: float(scores[leads.index(name)])) == lead


@dataclass(frozen=True)
class Heard:
    """What is heard in one clip."""

    chord_times: Floats  # [chords, 2] start and end, by Chordino
    chord_names: NDArray[np.str_]  # [chords] symbols of the 194
    cqt: NDArray[np.float16]  # [88, frames] magnitudes (metrics.cqt)
    chroma: NDArray[np.float16]  # [12, frames] (metrics.chroma)
    tones: NDArray[np.uint8]  # [frames'] strongest pitch class, 16384 points, hop 4096 (App. C)
    onsets: Floats  # [onsets] seconds
    brightness: Floats  # [1] dB above 4 kHz
    leads: Floats  # [leads] log-probabilities by the tagger
    embeddings: Floats  # [windows, E] by the tagger

    @property
    def chords(self) -> tuple[Chord, ...]:
        """The chords that Chordino hears."""
        return tuple(
            Chord(float(s), float(e), str(name))
            for (s, e), name in zip(self.chord_times, self.chord_names, strict=True)
        )


class Listener:
    """Hears clips, and remembers on disk what it heard."""

    def __init__(self, tagger: Tagger, folder: Path = Path("runs/evaluate/heard")) -> None:
        self.tagger, self.folder = tagger, folder
        state = b"".join(v.detach().numpy().tobytes() for v in tagger.state_dict().values())
        self._version = digest(_VERSION, state).encode()
        formulas = (Path(str(module.__file__)).read_bytes() for module in (seams, statistics, listener))
        self._span_version = digest(self._version, *formulas).encode()
        folder.mkdir(parents=True, exist_ok=True)

    def hear(self, audio: Audio) -> Heard:
        """What is in a clip [n]; the second time it is read from disk."""
        audio = quantized(audio).astype(np.float32) / np.float32(32767)
        file = self.folder / f"{digest(self._version, quantized(audio).tobytes())}.npz"
        if file.exists():
            with np.load(file) as kept:
                return Heard(**{f.name: kept[f.name] for f in fields(Heard)})
        line = analysis.chords(audio, RATE).chords
        tones = librosa.feature.chroma_stft(y=audio, sr=RATE, n_fft=2**14, hop_length=4096, tuning=0.0)
        heard = Heard(
            np.array([(c.start, c.end) for c in line], np.float64).reshape(-1, 2),
            np.array([c.symbol for c in line], np.str_),
            metrics.cqt(audio, RATE).astype(np.float16),
            metrics.chroma(audio, RATE).astype(np.float16),
            tones.argmax(axis=0).astype(np.uint8),
            librosa.onset.onset_detect(y=audio, sr=RATE, units="time", hop_length=320).astype(np.float64),
            np.array([metrics.brightness(audio, RATE)]),
            self.tagger.listen([audio]).leads[0].double().numpy(),
            self.tagger.embeddings(audio),
        )
        part = file.with_suffix(".part")
        with part.open("wb") as out:
            np.savez(out, **{f.name: getattr(heard, f.name) for f in fields(Heard)})
        part.rename(file)
        return heard

    def judge(self, made: Audio, clip: Clip, span: Span) -> dict[str, float]:
        """`span_figures` of a re-made clip [n]; the second time they are read from disk."""
        told = f"{span.start}/{span.end}/{clip.controls.chords}".encode()
        sounds = (quantized(made).tobytes(), quantized(clip.audio).tobytes())
        file = self.folder / f"{digest(self._span_version, told, *sounds)}.json"
        if not file.exists():
            figures = span_figures(made, clip, span, self.tagger)
            part = file.with_suffix(".part")
            part.write_text(json.dumps(figures))
            part.rename(file)
        return {str(k): float(v) for k, v in json.loads(file.read_text()).items()}

    def hear_all(self, clips: Sequence[Audio]) -> list[Heard]:
        """What is in each of the clips."""
        return [self.hear(clip) for clip in clips]


def mean(values: Sequence[float]) -> float:
    """Mean of what is a number; NaN when nothing is."""
    kept = [v for v in values if not np.isnan(v)]
    return float(np.mean(kept)) if kept else float("nan")


def onset_score(heard: Heard, hits: Sequence[float]) -> float:
    """F1 of the onsets heard for drum hits, 50 ms; 0 when none is heard, NaN when none was asked for."""
    if not hits:
        return float("nan")
    return metrics.onset_f1(heard.onsets, hits) if len(heard.onsets) else 0.0


def adherence(heard: Sequence[Heard], real: Sequence[Heard], clips: Sequence[Clip]) -> dict[str, float]:
    """How clips [n] follow the conditions of the held-out clips [n] at the same places, with the floors.

    chord IOU: Chordino on both sides, over clips that have chords (m / (2T - m)); chord lane: the same
    against the given lane. Floors: the same audio against the conditions of other clips.
    """
    n = len(heard)
    out: dict[str, list[float]] = {}

    def compare(i: int, k: int, suffix: str) -> None:
        controls, h = clips[k].controls, heard[i]
        hits = sorted({round(hit.time, 2) for hit in controls.drums or ()})
        found: dict[str, float] = {"drum onsets F1": onset_score(h, hits)}
        if controls.chords:
            found["chord IOU"] = metrics.chord_iou(h.chords, real[k].chords, SECONDS).iou
            found["chord m/T"] = metrics.chord_iou(h.chords, real[k].chords, SECONDS).share
            found["chord lane IOU"] = metrics.chord_iou(h.chords, controls.chords, SECONDS).iou
            found["chords r"] = metrics.chord_correlation(h.chroma.astype(np.float32), RATE, controls.chords)
        if controls.melody:
            found["melody"] = metrics.melody_agreement(h.cqt.astype(np.float32), RATE, controls.melody)
            size = min(len(h.tones), len(real[k].tones))
            found["melody chroma"] = float((h.tones[:size] == real[k].tones[:size]).mean())
        for name, value in found.items():
            out.setdefault(name + suffix, []).append(value)

    for i in range(n):
        compare(i, i, "")
        for shift in SHIFTS if n > max(SHIFTS) else ():
            compare(i, (i + shift) % n, ", shuffled")
    figures = {name: mean(values) for name, values in out.items()}
    return figures | {"brightness dB": mean([float(h.brightness[0]) for h in heard])}


def lead_figures(scores: Floats, clips: Sequence[Clip], leads: Sequence[str]) -> dict[str, float]:
    """Share of the clips in which the asked lead is found among ten; floor: the lead of another clip.

    scores [n, leads]: what the tagger hears in audio made for the clips [n]; clips without a lead, or
    with one that the tagger does not know, are not counted.
    """
    rows = [i for i, clip in enumerate(clips) if clip.lead in leads]
    names = [clips[i].lead for i in rows]
    turned = names[len(names) // 2 :] + names[: len(names) // 2]
    asked = list(zip(rows, names, strict=True))
    return {
        "lead of 10": mean([float(retrieved(scores[i], leads, name, i)) for i, name in asked]),
        "lead of 10, shuffled": mean(
            [float(retrieved(scores[i], leads, name, i)) for i, name in zip(rows, turned, strict=True)]
        ),
        f"lead of {len(leads)}": mean([float(leads[int(np.argmax(scores[i]))] == name) for i, name in asked]),
        "n": float(len(rows)),
    }


def frechet_figures(
    heard: Sequence[Heard], reference: Sequence[Heard], other: Sequence[Heard]
) -> dict[str, float]:
    """Frechet distances of clips to the held-out renders that they were asked after, and to others."""
    a = np.concatenate([h.embeddings for h in heard])
    figures = {"FAD": frechet(a, np.concatenate([h.embeddings for h in reference]))}
    if len(other) >= 8:
        figures["FAD to other clips"] = frechet(a, np.concatenate([h.embeddings for h in other]))
    return figures


def bright_level(audio: Audio) -> float:
    """Mean power above 4 kHz in dB, whatever the length of the audio [n]."""
    return metrics.brightness(audio, RATE) - 10 * float(np.log10(max(len(audio), 1)))


# Figures of a span, and whether more is better; the first five hear its seams, the others its inside.
SPAN_FIGURES = {
    "jump dB": False, "level dB": False, "bright step dB": False, "timbre dB": False, "seam score": False,
    "log-mel": False, "embedding": False, "chroma": True, "chords r": True,
}  # fmt: skip


def span_figures(made: Audio, clip: Clip, span: Span, tagger: Tagger) -> dict[str, float]:
    """How a re-made span [n] sounds at its seams, beside its context and beside what really was there.

    jump: log-mel jump of 40 ms; level, bright step, timbre: steps of 400 ms; all absolute, mean of both
    seams, timbre NaN where the span is silent. seam score: rank among the original's own moments.
    Inside: log-mel distance (nats), distance of the tagger's embeddings (1 - cosine), chroma agreement
    with the real audio, correlation with the chord lane. >4 kHz: brightness inside less that of the
    context, and its absolute value.
    """
    a, b = int(span.start * RATE), int(span.end * RATE)
    at = [statistics.measure(made, RATE, t) for t in (span.start, span.end)]
    scores = seams.score(from_float(clip.audio, RATE), from_float(made, RATE), span.start, span.end)
    inside, real = made[a:b], clip.audio[a:b]
    reach = int(OUTSIDE_SECONDS * RATE)
    context = np.concatenate([made[max(0, a - reach) : a], made[b : b + reach]])
    step = bright_level(inside) - bright_level(context)
    mine, theirs = tagger.embeddings(inside, SECONDS)[0], tagger.embeddings(real, SECONDS)[0]
    lane = trimmed(clip.controls, span.end, span.start).chords
    figures = {
        "jump dB": mean([m.jump for m in at]),
        "level dB": mean([abs(m.level) for m in at]),
        "bright step dB": mean([abs(m.brightness) for m in at]),
        "timbre dB": mean([m.colour for m in at]) if np.abs(inside).max() > _SILENT else float("nan"),
        "seam score": mean([s.score for s in scores]),
        "log-mel": metrics.log_mel_distance(inside, real, RATE),
        "embedding": 1.0 - float(mine @ theirs / (np.linalg.norm(mine) * np.linalg.norm(theirs) + 1e-9)),
        "chroma": metrics.chroma_agreement(inside, real, RATE),
        ">4 kHz in-out dB": step,
        "|>4 kHz| dB": abs(step),
    }
    if lane:
        r = metrics.chord_correlation(metrics.chroma(inside, RATE), RATE, lane)
        figures["chords r"] = 0.0 if np.isnan(r) else r  # silence agrees with nothing
    return figures
