"""The plot of spectrograms: what it shows of a known sound, and that it stays small."""

from __future__ import annotations

import io

import librosa
import numpy as np
from PIL import Image

from study.measure.conditions import RATE
from study.measure.spectrograms import COLUMNS, draw, mel_decibels


def test_a_tone_is_loudest_where_it_is() -> None:
    t = np.arange(RATE) / RATE
    image = mel_decibels(np.sin(2 * np.pi * 2000 * t).astype(np.float32))
    edges = librosa.mel_frequencies(130, fmax=16_000)
    assert image.shape == (128, 51)
    assert abs(edges[1 + int(image[:, 25].argmax())] - 2000) < 100


def test_the_plot_is_a_small_png_with_every_column() -> None:
    rng = np.random.default_rng(0)
    clips = [(0.1 * rng.standard_normal(RATE)).astype(np.float32) for _ in COLUMNS]
    png = draw([clips], ["pop, flute"], 60.0)
    with Image.open(io.BytesIO(png)) as picture:
        assert picture.format == "PNG" and picture.width == 840
    assert 5_000 < len(png) < 150_000
