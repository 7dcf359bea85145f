"""The judges' transcriber: its formulas, and that both its networks learn what they are shown."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engines.requests import Hit, Note
from study.listeners import transcriber
from study.listeners.transcriber import LINE_RATE, RATE, Store, Transcriber, hit_agreement, line_agreement


def test_agreement_of_a_line_forgives_octaves_and_counts_only_the_span() -> None:
    pitches = np.full(int(10 * LINE_RATE), 72)
    assert line_agreement(pitches, [Note(0, 10, 60)], 2, 4) == 1.0
    assert line_agreement(pitches, [Note(0, 3, 60), Note(3, 10, 61)], 2, 4) == pytest.approx(0.5, abs=0.02)
    assert np.isnan(line_agreement(pitches, [Note(5, 6, 60)], 2, 4))


def test_agreement_of_hits_is_by_class_and_within_the_span() -> None:
    asked = [Hit(2.5, "kick"), Hit(3.0, "snare"), Hit(3.2, "tom"), Hit(6.0, "kick")]
    assert hit_agreement(asked, asked, 2, 4) == 1.0
    assert hit_agreement([Hit(2.5, "snare"), Hit(3.0, "kick")], asked, 2, 4) == 0.0
    assert hit_agreement([Hit(2.54, "kick")], asked, 2, 4) == pytest.approx(2 / 3)
    assert hit_agreement([], asked, 2, 4) == 0.0
    assert np.isnan(hit_agreement(asked, [Hit(3.2, "tom")], 2, 4))


@pytest.fixture(scope="module")
def renders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Twelve clips of 5 s: a tone with partials that moves, and low and high strokes."""
    folder, rng = tmp_path_factory.mktemp("judged"), np.random.default_rng(0)
    t, rows, labels = np.arange(5 * RATE) / RATE, [], []
    for _ in range(12):
        y, melody, hits = np.zeros(len(t)), [], []
        for k in range(5):
            pitch = int(rng.integers(60, 80))
            f = 440 * 2 ** ((pitch - 69) / 12)
            on = (t >= k) & (t < k + 1)
            y += on * sum(np.sin(2 * np.pi * f * h * t) / h for h in range(1, 6)) * 0.1
            melody.append({"start": float(k), "end": k + 1.0, "pitch": pitch})
        for at in np.sort(rng.uniform(0.1, 4.8, 8)):
            drum = ("kick", "hat")[int(rng.integers(2))]
            late = np.maximum(t - at, 0)
            ring = np.sin(2 * np.pi * 60 * late) if drum == "kick" else rng.normal(size=len(t))
            y += (t >= at) * ring * np.exp(-(20 if drum == "kick" else 60) * late) * 0.4
            hits.append({"time": float(at), "drum": drum})
        rows.append((np.clip(y, -1, 1) * 20_000).astype(np.int16))
        labels.append({"melody": melody, "hits": hits})
    np.save(folder / "audio_000.npy", np.stack(rows))
    (folder / "labels_000.json").write_text(json.dumps(labels))
    return folder


@pytest.mark.slow
def test_it_learns_lines_and_hits_and_keeps_them_on_disk(renders: Path, tmp_path: Path) -> None:
    torch.set_num_threads(1)
    made = transcriber.train(Store([renders]), minutes=1.0, steps=50, batch=4)
    transcriber.save(made, tmp_path)
    again = transcriber.load(tmp_path)
    audio = np.load(renders / "audio_000.npy")[0].astype(np.float32) / 32767
    label = json.loads((renders / "labels_000.json").read_text())[0]
    pitches = again.pitches(audio)
    assert np.array_equal(pitches, made.pitches(audio))
    assert line_agreement(pitches, [Note(**n) for n in label["melody"]], 0, 5) > 0.7
    shifted = [Note(n["start"], n["end"], n["pitch"] + 6) for n in label["melody"]]
    assert line_agreement(pitches, shifted, 0, 5) < 0.2
    asked = [Hit(**hit) for hit in label["hits"]]
    sure = hit_agreement(again.hits(audio, 0.2), asked, 0, 5)
    assert (
        sure > 0.5 > hit_agreement(again.hits(audio, 0.2), [Hit(h.time + 0.11, h.drum) for h in asked], 0, 5)
    )


def test_without_a_trained_one_the_remedy_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match=r"study\.listeners\.train"):
        transcriber.load(tmp_path)
    assert Transcriber().hits(np.zeros(RATE, np.float32), threshold=0.99) == ()
