"""Fixtures that many tests share: a tiny bundle of random weights, and a recording to edit."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import editor.page  # noqa: F401  # before a test imports Gradio, which would write stubs beside our modules
from engines.audio.recording import Recording, from_float
from tests.bundles import save_tiny
from tests.hub import FILES, Hub, Repo, serving_hub

if TYPE_CHECKING:
    from engines.checkpoints.shelf import Models


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a bundle with random weights: real shapes in time, tiny in width, quick on a CPU."""
    return save_tiny(tmp_path_factory.mktemp("bundles") / "tiny")


@pytest.fixture
def hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A hub on the loopback with two public models, one of them gated; shelf and cache are new and empty."""
    from huggingface_hub import constants, hf_api

    from engines.checkpoints import login, transfer

    with serving_hub() as served:
        served.repos["facebook/musicgen-small"] = Repo(dict(FILES))
        words = {"t5gemma-b-b-ul2/config.json": b"{}"}
        served.repos["stabilityai/stable-audio-3-small-music"] = Repo(FILES | words, gated=True)
        monkeypatch.setenv("HF_ENDPOINT", served.url)
        monkeypatch.setenv("HF_HOME", str(tmp_path / "hf"))
        monkeypatch.setenv("INLAY_MODELS", str(tmp_path / "shelf"))
        monkeypatch.delenv("HF_HUB_CACHE", raising=False)
        monkeypatch.delenv("HF_TOKEN", raising=False)
        # the library reads the environment once, when it is loaded
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "hf" / "token"))
        monkeypatch.setattr(constants, "HF_STORED_TOKENS_PATH", str(tmp_path / "hf" / "stored_tokens"))
        monkeypatch.setattr(hf_api.api, "endpoint", served.url)
        monkeypatch.setattr(login, "_of_process", "")
        monkeypatch.setattr(transfer, "PAUSES", ())
        yield served


@pytest.fixture(scope="session")
def song() -> Recording:
    """Four seconds of 16-bit stereo at 44.1 kHz: a chord with a pulse, different on each side."""
    rate = 44_100
    t = np.arange(4 * rate) / rate
    pulse = np.exp(-6 * (t % 0.5))
    left = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 277.2, 329.6)) * pulse
    right = sum(np.sin(2 * np.pi * f * t) for f in (220.0, 330.0)) * pulse
    noise = np.random.default_rng(0).normal(scale=0.01, size=(len(t), 2))
    return from_float((0.15 * np.stack([left, right], axis=1) + noise).astype(np.float32), rate)


@pytest.fixture(scope="session")
def models(tiny_bundle: Path) -> Models:
    """The tiny bundle, opened."""
    import torch

    from engines.checkpoints.shelf import open_bundle

    torch.set_num_threads(1)
    return open_bundle(str(tiny_bundle), device="cpu")
