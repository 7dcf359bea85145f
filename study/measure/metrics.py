"""What is measured of a bundle: numbers from audio, no models.

Conventions: audio mono float [n] at `rate` Hz; controls in seconds on the audio's clock. Every
measure is computed alike on real clips (ceiling), on generated ones, and against controls of
another clip (floor), and means something only beside those.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import librosa
import mir_eval
import numpy as np
from numpy.typing import NDArray

from engines.music.chords import parse, pitch_classes
from engines.requests import Chord, Hit, Note

Audio = NDArray[np.float32]
HOP = 1024  # samples between frames of the chroma measures
CQT_LOW = 36  # MIDI pitch of the lowest bin (C2)
CQT_BINS = 88  # up to E9
_INSTANT = 1e-6  # seconds; shorter stretches are rounding


def si_snr(estimate: Audio, reference: Audio) -> float:
    """Scale-invariant signal-to-noise ratio in dB."""
    n = min(len(estimate), len(reference))
    x = reference[:n] - np.mean(reference[:n])
    y = estimate[:n] - np.mean(estimate[:n])
    target = np.dot(y, x) / max(np.dot(x, x), 1e-9) * x
    return float(
        10 * np.log10(max(np.dot(target, target), 1e-12) / max(np.dot(y - target, y - target), 1e-12))
    )


def envelope_correlation(
    estimate: Audio, reference: Audio, rate: int, low: float = 4000.0, high: float = 8000.0, bands: int = 8
) -> float:
    """Mean over bands of Pearson's r of their magnitudes over time, 10 ms apart; NaN where all is even."""
    n = min(len(estimate), len(reference))
    envelopes = []
    for audio in (estimate[:n], reference[:n]):
        spectrum = np.abs(librosa.stft(audio, n_fft=1024, hop_length=rate // 100))  # [513, frames]
        edges = np.round(np.linspace(low, high, bands + 1) * 1024 / rate).astype(int)
        envelopes.append([spectrum[a:b].mean(axis=0) for a, b in itertools.pairwise(edges)])
    each = [np.corrcoef(a, b)[0, 1] for a, b in zip(*envelopes, strict=True) if min(a.std(), b.std()) > 1e-6]
    return float(np.mean(each)) if each else float("nan")


def log_mel(audio: Audio, rate: int) -> NDArray[np.float32]:
    """Natural-log mel magnitudes [64, frames], floored at -60 dB of full scale."""
    mel = librosa.feature.melspectrogram(
        y=audio, sr=rate, n_fft=1024, hop_length=320, n_mels=64, power=1.0, norm=None
    )
    out: NDArray[np.float32] = np.log(np.maximum(mel, 0.05)).astype(np.float32)
    return out


def log_mel_distance(estimate: Audio, reference: Audio, rate: int) -> float:
    """Mean absolute difference of the log-mel spectrograms, nats."""
    n = min(len(estimate), len(reference))
    return float(np.mean(np.abs(log_mel(estimate[:n], rate) - log_mel(reference[:n], rate))))


def brightness(audio: Audio, rate: int, above: float = 4000.0) -> float:
    """Energy above `above` Hz in dB (power of the spectrum, full scale arbitrary but fixed)."""
    power = np.abs(np.fft.rfft(audio)) ** 2 / max(len(audio), 1)
    freq = np.fft.rfftfreq(len(audio), 1 / rate)
    return float(10 * np.log10(power[freq > above].sum() + 1e-9))


def cqt(audio: Audio, rate: int) -> NDArray[np.float32]:
    """Constant-Q magnitudes [88, frames] from MIDI 36 up, one bin a semitone, HOP samples apart."""
    c = librosa.cqt(
        audio,
        sr=rate,
        hop_length=HOP,
        fmin=librosa.midi_to_hz(CQT_LOW),
        n_bins=CQT_BINS,
        tuning=0.0,
        filter_scale=0.75,
    )
    out: NDArray[np.float32] = np.abs(c).astype(np.float32)
    return out


def chroma(audio: Audio, rate: int) -> NDArray[np.float32]:
    """Chroma [12, frames] of the power spectrum, 8192 points, HOP samples apart (librosa; A = 440 Hz)."""
    c: NDArray[np.float32] = librosa.feature.chroma_stft(
        y=audio, sr=rate, n_fft=8192, hop_length=HOP, tuning=0.0
    )
    return c


def chroma_agreement(estimate: Audio, reference: Audio, rate: int) -> float:
    """Mean cosine similarity of mean-free chroma over sounding frames: 1 = the same harmony."""
    n = min(len(estimate), len(reference))
    a, b = chroma(estimate[:n], rate), chroma(reference[:n], rate)
    level = librosa.feature.rms(y=reference[:n], frame_length=8192, hop_length=HOP)[0, : b.shape[1]]
    loud = level > 0.1 * np.median(level)
    a, b = a[:, loud] - a[:, loud].mean(0), b[:, loud] - b[:, loud].mean(0)
    return float(np.mean((a * b).sum(0) / (np.linalg.norm(a, axis=0) * np.linalg.norm(b, axis=0) + 1e-9)))


def chord_correlation(c: NDArray[np.float32], rate: int, chords: Sequence[Chord]) -> float:
    """Mean over frames of Pearson's r between `chroma` [12, frames] and the chord's pitch classes (0/1).

    NaN when no chord covers a sounding frame.
    """
    times = np.arange(c.shape[1]) * HOP / rate
    values: list[float] = []
    for chord in chords:
        template = np.zeros(12)
        template[list(pitch_classes(chord.symbol))] = 1.0
        if template.std() == 0:
            continue
        part = c[:, (times >= chord.start) & (times < chord.end)]
        part = part[:, part.std(axis=0) > 1e-6]
        if part.shape[1] == 0:
            continue
        z = (part - part.mean(0)) / part.std(0)
        values += list(((template - template.mean()) / template.std()) @ z / 12)
    return float(np.mean(values)) if values else float("nan")


def melody_agreement(magnitudes: NDArray[np.float32], rate: int, melody: Sequence[Note]) -> float:
    """Share of the frames under a note in which the most salient pitch class from MIDI 55 up is the note's.

    Salience is a harmonic sum over the constant-Q bins (five partials, weights 0.7^h).
    NaN when there is no note.
    """
    root = np.sqrt(magnitudes)
    salience = np.zeros((41, root.shape[1]), np.float32)  # MIDI 55..95
    for h, offset in enumerate((0, 12, 19, 24, 28)):
        low = 55 - CQT_LOW + offset
        rows = root[low : low + 41]
        salience[: len(rows)] += 0.7**h * rows
    best = 55 + np.argmax(salience, axis=0)
    times = np.arange(root.shape[1]) * HOP / rate
    right = total = 0
    for note in melody:
        inside = (times >= note.start) & (times < note.end)
        total += int(inside.sum())
        right += int(((best[inside] - note.pitch) % 12 == 0).sum())
    return right / total if total else float("nan")


Times = Sequence[float] | NDArray[np.float64]  # seconds


def onset_f1(estimate: Times, reference: Times, window: float = 0.05) -> float:
    """F1 of onset times within `window` seconds (mir_eval)."""
    if not len(reference) or not len(estimate):
        return float("nan")
    f, _, _ = mir_eval.onset.f_measure(
        np.sort(np.asarray(reference)), np.sort(np.asarray(estimate)), window=window
    )
    return float(f)


def onset_correlation(estimate: Audio, reference: Audio, rate: int) -> float:
    """Pearson's r of the onset strengths of two pieces of audio [n], 10 ms apart; 0 where either is even."""
    n = min(len(estimate), len(reference))
    both = (estimate[:n], reference[:n])
    a, b = (librosa.onset.onset_strength(y=x, sr=rate, hop_length=rate // 100) for x in both)
    if min(a.std(), b.std()) < 1e-6:
        return 0.0
    return float(np.corrcoef(a, b)[0, 1])


@dataclass(frozen=True)
class ChordOverlap:
    """How far two chord sequences name the same chord at the same time."""

    iou: float  # m / (2T - m): intersection over union of the labelled time
    share: float  # m / T: share of the time with the same label


def _segments(chords: Sequence[Chord], seconds: float) -> list[tuple[float, float, str]]:
    """Chords in [0, seconds) without gaps or overlaps; what no chord covers is `N`."""
    out: list[tuple[float, float, str]] = []
    at = 0.0
    for chord in sorted(chords, key=lambda c: c.start):
        start, end = max(chord.start, at), min(chord.end, seconds)
        if end - start < _INSTANT:
            continue
        if start > at + _INSTANT:
            out.append((at, start, "N"))
            at = start
        out.append((at, end, parse(chord.symbol).symbol))
        at = end
    if at < seconds - _INSTANT:
        out.append((at, seconds, "N"))
    else:  # rounding must not leave an end that differs
        out[-1] = (out[-1][0], seconds, out[-1][2])
    return out


def chord_iou(estimate: Sequence[Chord], reference: Sequence[Chord], seconds: float) -> ChordOverlap:
    """Chords IOU (sec. 4.3): m = time in which both name the same of the 194 symbols, T = `seconds`.

    The paper does not say whether the union counts a disagreement once or twice; m / (2T - m) is the
    union of the two labelled sets, m / T the share of the time. Both are given. Time without a chord is `N`.
    """
    if seconds <= 0:
        raise ValueError(f"chord_iou: {seconds:g} s; expected a length above 0")
    a, b = _segments(estimate, seconds), _segments(reference, seconds)
    same = sum(max(0.0, min(e1, e2) - max(s1, s2)) for s1, e1, x in a for s2, e2, y in b if x == y)
    return ChordOverlap(same / (2 * seconds - same), same / seconds)


_HARTE = {
    "": "maj", "m": "min", "7": "7", "m7": "min7", "maj7": "maj7", "6": "maj6", "m6": "min6",
    "m7b5": "hdim7", "dim": "dim", "aug": "aug",
}  # fmt: skip


def harte(symbol: str) -> str:
    """A chord in Harte's syntax, as mir_eval reads it: `Bbm7` -> `Bb:min7`; `UNK` -> `X`. Drops the bass."""
    name = parse(symbol).symbol
    if name in ("N", "UNK"):
        return "N" if name == "N" else "X"
    head = name.split("/")[0]
    root = head[:2] if head[1:2] in ("#", "b") else head[:1]
    return f"{root}:{_HARTE[head[len(root) :]]}"


def chord_wcsr(estimate: Sequence[Chord], reference: Sequence[Chord], seconds: float) -> float:
    """Weighted chord symbol recall over major, minor and `N` (mir_eval's majmin; triad of the root).

    Time whose reference is no major or minor triad is not counted; NaN when there is none.
    """

    def arrays(chords: Sequence[Chord]) -> tuple[NDArray[np.float64], list[str]]:
        parts = _segments(chords, seconds)
        return np.array([(s, e) for s, e, _ in parts]), [harte(x) for _, _, x in parts]

    ref_times, ref_names = arrays(reference)
    est_times, est_names = arrays(estimate)
    times, ref_names, est_names = mir_eval.util.merge_labeled_intervals(
        ref_times, ref_names, est_times, est_names
    )
    scores = mir_eval.chord.majmin(ref_names, est_names)
    counted = scores >= 0
    if not counted.any():
        return float("nan")
    return float(np.average(scores[counted], weights=(times[:, 1] - times[:, 0])[counted]))


# ---- melody


def _contour(notes: Sequence[Note], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """Frequencies of a line at `times` [T] in Hz, 0 where it rests."""
    out = np.zeros(len(times))
    for note in notes:
        out[(times >= note.start) & (times < note.end)] = 440.0 * 2 ** ((note.pitch - 69) / 12)
    return out


@dataclass(frozen=True)
class MelodyScore:
    """How far a line follows another (mir_eval's melody measures over 10 ms frames)."""

    raw_pitch: float  # share of the reference's sounding frames within half a semitone
    raw_chroma: float  # the same, octaves forgiven
    overall: float  # share of all frames that are right, rests too


def melody_score(estimate: Sequence[Note], reference: Sequence[Note], seconds: float) -> MelodyScore:
    """Raw pitch and raw chroma accuracy of a melody; NaN where the reference holds no note."""
    times = np.arange(0.0, seconds, 0.01)
    ref, est = _contour(reference, times), _contour(estimate, times)
    if not (ref > 0).any():
        return MelodyScore(float("nan"), float("nan"), float("nan"))
    voiced, cents, est_voiced, est_cents = mir_eval.melody.to_cent_voicing(times, ref, times, est)
    parts = (voiced, cents, est_voiced, est_cents)
    return MelodyScore(
        float(mir_eval.melody.raw_pitch_accuracy(*parts)),
        float(mir_eval.melody.raw_chroma_accuracy(*parts)),
        float(mir_eval.melody.overall_accuracy(*parts)),
    )


def melody_similarity(estimate: Audio, reference: Audio, rate: int) -> float:
    """Melody chromagram similarity as MusicGen's authors measure it (sec. 4.3; Copet et al. 2023).

    Chroma of 2^14-point frames, a quarter apart, the strongest pitch class of each as one-hot; the cosine of
    one-hots is the share of the frames that agree. Silent frames have no strongest class and do not agree.
    """
    n = min(len(estimate), len(reference))
    best = []
    for audio in (estimate[:n], reference[:n]):
        c = librosa.feature.chroma_stft(y=audio, sr=rate, n_fft=2**14, hop_length=2**12, tuning=0.0)
        best.append(np.where(c.max(axis=0) > 0, c.argmax(axis=0), -1))
    return float(np.mean((best[0] == best[1]) & (best[1] >= 0)))


# ---- rhythm, key


def beat_f1(estimate: Sequence[float], reference: Sequence[float], window: float = 0.05) -> float:
    """F1 of beat or downbeat times within `window` s (sec. 4.3; mir_eval's f_measure, nothing trimmed).

    NaN without reference beats; 0 without estimated ones.
    """
    if not len(reference):
        return float("nan")
    if not len(estimate):
        return 0.0
    ref, est = np.sort(np.asarray(reference, float)), np.sort(np.asarray(estimate, float))
    return float(mir_eval.beat.f_measure(ref, est, f_measure_threshold=window))


def tempo_right(estimate: float, reference: float, tolerance: float = 0.04) -> bool:
    """Whether a tempo lies within 4 % of the right one, octaves not forgiven (accuracy 1 of the field)."""
    return abs(estimate - reference) <= tolerance * reference


def key_score(estimate: str, reference: str) -> float:
    """mir_eval's weighted key score of `F# minor`: 1 right, 0.5 a fifth off, 0.3 relative, 0.2 parallel."""
    if not estimate:
        return 0.0
    return float(mir_eval.key.weighted_score(reference, estimate))


def drum_f1(estimate: Sequence[Hit], reference: Sequence[Hit], window: float = 0.05) -> float:
    """F1 of drum hits, matched class by class within `window` s, counted together; NaN without hits."""
    right = 0
    for drum in {hit.drum for hit in reference} & {hit.drum for hit in estimate}:
        ref, est = (
            np.array(sorted(hit.time for hit in hits if hit.drum == drum)) for hits in (reference, estimate)
        )
        right += len(mir_eval.util.match_events(ref, est, window))
    total = len(estimate) + len(reference)
    return 2 * right / total if total else float("nan")
