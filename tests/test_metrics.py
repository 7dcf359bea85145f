"""The measures on signals whose answers are known."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from engines.requests import Chord, Hit, Note
from study.measure import metrics

RATE = 32_000


def tones(pitches: list[int], seconds: float = 2.0) -> NDArray[np.float32]:
    """Sum of tones with five falling partials, [n]."""
    t = np.arange(int(seconds * RATE)) / RATE
    out = np.zeros_like(t)
    for p in pitches:
        f = 440.0 * 2 ** ((p - 69) / 12)
        out += sum(np.sin(2 * np.pi * f * h * t) / h**1.5 for h in range(1, 6))
    return np.asarray(0.1 * out, np.float32)


def test_si_snr_ignores_scale_and_tells_decibels() -> None:
    rng = np.random.default_rng(0)
    x = rng.standard_normal(RATE).astype(np.float32)
    n = rng.standard_normal(RATE).astype(np.float32)
    assert metrics.si_snr(0.3 * x, x) > 60
    assert metrics.si_snr(x + 0.1 * n, x) == pytest.approx(20.0, abs=0.3)


def test_chord_correlation_knows_its_chord() -> None:
    c = metrics.chroma(tones([48, 52, 55, 60]), RATE)
    right = metrics.chord_correlation(c, RATE, [Chord(0, 2, "C")])
    assert right > 0.6
    assert metrics.chord_correlation(c, RATE, [Chord(0, 2, "F#")]) < 0
    assert right > metrics.chord_correlation(c, RATE, [Chord(0, 2, "Cm")])


def test_melody_agreement_hears_the_line_over_a_chord() -> None:
    line = np.concatenate([tones([p], 0.5) for p in (72, 76, 74, 79)])
    mix = line + 0.4 * tones([48, 52, 55])
    notes = [Note(i / 2, (i + 1) / 2, p) for i, p in enumerate((72, 76, 74, 79))]
    q = metrics.cqt(mix, RATE)
    assert metrics.melody_agreement(q, RATE, notes) > 0.8
    wrong = [Note(n.start, n.end, n.pitch + 1) for n in notes]
    assert metrics.melody_agreement(q, RATE, wrong) < 0.1
    assert np.isnan(metrics.melody_agreement(q, RATE, []))


def test_brightness_counts_decibels_above_4_khz() -> None:
    rng = np.random.default_rng(1)
    x = rng.standard_normal(RATE).astype(np.float32)
    assert metrics.brightness(2 * x, RATE) - metrics.brightness(x, RATE) == pytest.approx(6.02, abs=0.01)


def test_chroma_agreement_is_one_for_itself_and_low_a_semitone_off() -> None:
    a, b = tones([60, 64, 67]), tones([61, 65, 68])
    assert metrics.chroma_agreement(a, a, RATE) == pytest.approx(1.0, abs=1e-4)
    assert metrics.chroma_agreement(b, a, RATE) < 0.2


def test_onset_f1_within_the_window() -> None:
    assert metrics.onset_f1([0.0, 0.52, 1.2], [0.0, 0.5, 1.0]) == pytest.approx(2 / 3)


def test_chord_iou_counts_the_time_of_equal_symbols() -> None:
    a = [Chord(0, 2, "C"), Chord(2, 4, "Am")]
    same = metrics.chord_iou(a, [Chord(0, 2, "Cmaj"), Chord(2, 4, "A-")], 4.0)  # spellings do not matter
    assert (same.iou, same.share) == (1.0, 1.0)
    half = metrics.chord_iou(a, [Chord(0, 2, "C"), Chord(2, 4, "F")], 4.0)
    assert (half.iou, half.share) == (pytest.approx(1 / 3), pytest.approx(0.5))  # 2 / (8 - 2) and 2 / 4
    assert metrics.chord_iou([], [Chord(0, 2, "C")], 4.0).share == pytest.approx(0.5)  # N where nothing is


def test_wcsr_hears_triads_only() -> None:
    a = [Chord(0, 2, "C7"), Chord(2, 4, "Am7")]
    assert metrics.chord_wcsr(a, [Chord(0, 2, "C/E"), Chord(2, 4, "A")], 4.0) == pytest.approx(0.5)
    assert metrics.chord_wcsr(a, [Chord(0, 2, "Cdim"), Chord(2, 4, "Am")], 4.0) == pytest.approx(1.0)
    assert (
        metrics.harte("Bb/D") == "Bb:maj"
        and metrics.harte("UNK") == "X"
        and metrics.harte("Ebm7b5") == "Eb:hdim7"
    )


def test_melody_scores_forgive_octaves_in_chroma_only() -> None:
    line = [Note(0, 1, 60), Note(1, 2, 62)]
    high = [Note(0, 1, 72), Note(1, 2, 62)]
    score = metrics.melody_score(high, line, 4.0)
    assert (score.raw_pitch, score.raw_chroma) == (pytest.approx(0.5, abs=0.01), pytest.approx(1.0, abs=0.01))
    assert score.overall == pytest.approx(0.75, abs=0.01)  # two seconds of rest are right, too
    assert np.isnan(metrics.melody_score(line, [], 4.0).raw_chroma)


def test_melody_similarity_counts_agreeing_frames() -> None:
    a, b = tones([69], 2.0), tones([70], 2.0)
    assert metrics.melody_similarity(a, a, RATE) == 1.0
    assert metrics.melody_similarity(b, a, RATE) == 0.0
    assert metrics.melody_similarity(np.zeros_like(a), a, RATE) == 0.0


def test_beat_f1_takes_50_ms_and_trims_nothing() -> None:
    reference = [0.1, 0.6, 1.1, 1.6]
    assert metrics.beat_f1([0.14, 0.56, 1.1, 1.6], reference) == pytest.approx(1.0)
    assert metrics.beat_f1([0.2, 0.7, 1.1, 1.6], reference) == pytest.approx(0.5)
    assert metrics.beat_f1([], reference) == 0.0 and np.isnan(metrics.beat_f1([1.0], []))


def test_tempo_and_key_scores() -> None:
    assert metrics.tempo_right(103.9, 100) and not metrics.tempo_right(104.1, 100)
    assert not metrics.tempo_right(200, 100)
    assert metrics.key_score("C major", "C major") == 1.0
    assert metrics.key_score("A minor", "C major") == pytest.approx(0.3)
    assert metrics.key_score("G major", "C major") == pytest.approx(0.5)
    assert metrics.key_score("", "C major") == 0.0


def test_drum_f1_matches_within_classes() -> None:
    reference = [Hit(0.0, "kick"), Hit(0.5, "snare"), Hit(1.0, "kick")]
    assert metrics.drum_f1(reference, reference) == 1.0
    wrong = [Hit(0.01, "kick"), Hit(0.5, "hat"), Hit(1.2, "kick")]
    assert metrics.drum_f1(wrong, reference) == pytest.approx(1 / 3)  # one of three and three
    assert metrics.drum_f1([], reference) == 0.0 and np.isnan(metrics.drum_f1([], []))
