"""The coarse drum signal."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from engines.analysis.drums import averaged, drum_signal
from engines.checkpoints.shelf import Models
from engines.errors import Cancelled
from engines.progress import Progress

RATE = 32_000


def test_five_frames_are_averaged_and_fewer_at_the_ends() -> None:
    z = torch.arange(6.0)[None, None]
    assert averaged(z)[0, 0].tolist() == pytest.approx([1.0, 1.5, 2.0, 3.0, 3.5, 4.0])


def test_the_signal_is_the_first_codebook_on_the_latent_grid(models: Models) -> None:
    codec = models.codec()
    rng = np.random.default_rng(0)
    audio = (0.3 * rng.standard_normal(2 * RATE) * (np.arange(2 * RATE) % 8000 < 400)).astype(np.float32)
    told: list[Progress] = []
    signal = drum_signal(audio, RATE, codec, told.append)
    frames = round(2 * codec.frame_rate)
    assert signal.codes.shape == (frames,) and signal.latents.shape == (codec.dim, frames)
    assert int(signal.codes.max()) < codec.codebook_size
    # the vectors are those of the codes: equal codes, equal vectors, and quantizing them changes nothing
    again = codec.quantize(signal.latents[None])[0, 0]
    assert torch.equal(again, signal.codes)
    assert [(p.stage, p.step) for p in told] == [("drums", 0), ("drums", 1)]


def test_a_sustained_tone_leaves_no_trace(models: Models) -> None:
    tone = (0.3 * np.sin(2 * np.pi * 440 * np.arange(2 * RATE) / RATE)).astype(np.float32)
    codec = models.codec()
    silent = drum_signal(np.zeros(2 * RATE, np.float32), RATE, codec).codes
    heard = drum_signal(tone, RATE, codec).codes
    assert (heard == silent)[10:-10].float().mean() > 0.8  # but for its beginning and end


def test_cancel_stops(models: Models) -> None:
    def stop(progress: Progress) -> None:
        raise Cancelled

    with pytest.raises(Cancelled):
        drum_signal(np.zeros(RATE, np.float32), RATE, models.codec(), stop)
