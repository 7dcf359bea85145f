"""The listener: it learns what it is shown, through noise and codec, and is the same after saving."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch

from engines.checkpoints.shelf import open_bundle
from study.listeners.tagger import (
    CROP,
    HOP,
    MELS,
    RATE,
    Store,
    figures_of,
    load_tagger,
    log_mel,
    names_of,
    save_tagger,
    train,
)

HARMONICS = {"flute": (1,), "organ": (1, 2, 4, 8), "clarinet": (1, 3, 5, 7, 9)}


@pytest.fixture(scope="module")
def renders(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Thirty clips of three timbres at any pitch, half of them with clicks for drums."""
    folder, rng = tmp_path_factory.mktemp("renders"), np.random.default_rng(0)
    t, rows, labels = np.arange(5 * RATE) / RATE, [], []
    for i in range(30):
        name = list(HARMONICS)[i % 3]
        f = 220 * 2 ** rng.uniform(0, 1)
        y = sum(np.sin(2 * np.pi * f * h * t) / h for h in HARMONICS[name]) * 0.1
        if i % 2:
            y[:: RATE // 4] += 0.8
        rows.append((y * 20_000).astype(np.int16))
        labels.append(
            {
                "lead": name, "instruments": [name], "style": "fast" if i % 2 else "slow",
                "melody": [{"start": 0.0, "end": 5.0, "pitch": 60}], "hits": [1] if i % 2 else [],
            }
        )  # fmt: skip
    np.save(folder / "audio_000.npy", np.stack(rows))
    (folder / "labels_000.json").write_text(json.dumps(labels))
    np.save(folder / "audio_001.npy", np.zeros((3, 5 * RATE), np.int16))  # a shard still being rendered
    return folder


@pytest.mark.slow
def test_it_learns_timbres_whatever_the_pitch_and_keeps_them_on_disk(renders: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    labels = json.loads((renders / "labels_000.json").read_text())
    store = Store(renders, 24, names_of(labels, least=5))
    assert store.config.leads == ("clarinet", "flute", "organ") and len(store.audio) == 24
    codec = open_bundle("bundle", "cpu").codec()
    tagger = train(store, [codec], minutes=2.0, through=2, batch=12, steps=60)
    everything = Store(renders, 30, store.config, seed=1)
    clips = [everything.clip(i).numpy() for i in range(30)]
    figures = figures_of(tagger, clips, everything.labels)
    assert figures["lead"] > 0.8
    save_tagger(tagger, tmp_path, {"figures": figures})
    again = load_tagger(tmp_path)
    assert again.config == tagger.config
    assert torch.allclose(again.listen(clips[:3]).leads, tagger.listen(clips[:3]).leads, atol=0.05)
    assert again.embeddings(clips[0]).shape == (2, 64)


def test_loudness_does_not_count() -> None:
    x = torch.randn(1, CROP * HOP, generator=torch.Generator().manual_seed(0)) * 0.1
    assert torch.allclose(log_mel(x), log_mel(0.05 * x), atol=1e-4)
    assert log_mel(x).shape == (1, CROP + 1, MELS)


def test_only_names_that_are_common_enough_are_learned() -> None:
    labels = [{"lead": "flute", "instruments": ["flute", "piano"], "style": "pop"}] * 20
    config = names_of([*labels, {"lead": "oboe", "instruments": ["oboe"], "style": ""}])
    assert (
        config.leads == ("flute",) and config.instruments == ("flute", "piano") and config.styles == ("pop",)
    )


def test_without_a_trained_one_the_remedy_is_told(tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="study.listeners.tagger"):
        load_tagger(tmp_path)
