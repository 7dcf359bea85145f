"""Fixtures that many tests share: a tiny bundle of random weights, and a recording to edit."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

from engines.audio.recording import Recording, from_float

if TYPE_CHECKING:
    from engines.checkpoints.shelf import Models


@pytest.fixture(scope="session")
def tiny_bundle(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Folder of a bundle with random weights: real shapes in time, tiny in width, quick on a CPU."""
    import torch

    from engines.checkpoints.bundle import BundleSpec
    from engines.checkpoints.shelf import save_bundle
    from engines.networks.codec import build_codec, codec_config
    from engines.networks.flow_net import FlowNet
    from engines.networks.lm import LM
    from engines.networks.shapes import FlowConfig, LMConfig

    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    torch.manual_seed(0)
    folder = tmp_path_factory.mktemp("bundles") / "tiny"
    codec = build_codec(codec_config(4, (8, 8, 5, 4), codebooks=4, codebook_size=32))
    for layer in codec.model.quantizer.layers:
        layer.codebook.embed.normal_()
    lm = LM(LMConfig(codebooks=4, codebook_size=32, dim=32, layers=2, heads=2, ff=64))
    flow = FlowNet(FlowConfig(dim=32, layers=2, heads=2, ff=64))
    torch.nn.init.normal_(flow.output_proj.weight, std=0.2)  # otherwise it would start at v = 0
    save_bundle(folder, BundleSpec(name="tiny", licence="CC0-1.0"), codec, lm, flow)
    (folder / "README.md").write_text("Random weights, for tests.\n")
    torch.set_num_threads(threads)
    return folder


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
