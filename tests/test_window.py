"""The window that a model hears: its place, its grid, and that the removed audio stays out of it."""

import numpy as np
import pytest
import torch

from engines import window as windows
from engines.checkpoints import Models
from engines.recording import Recording, from_float
from engines.requests import InpaintRequest


def tone(seconds: float, rate: int, gain: float = 0.2) -> Recording:
    t = np.arange(round(seconds * rate)) / rate
    return from_float((gain * np.sin(2 * np.pi * 300 * t)).astype(np.float32), rate, "FLOAT")


def cut(models: Models, source: Recording, start: float, end: float) -> windows.Window:
    return windows.cut(InpaintRequest("fm", source, start, end), models.codec(), 10.0)


@pytest.mark.parametrize(
    ("seconds", "start", "end", "at", "frames", "span"),
    [
        (30, 12.0, 14.0, 8.0, 250, (100, 150)),  # centred
        (30, 0.0, 2.0, 0.0, 250, (0, 50)),  # at the beginning
        (30, 1.01, 3.0, 0.01, 250, (25, 75)),  # the grid begins so that the span begins on a frame
        (30, 28.0, 30.0, 20.0, 250, (200, 250)),  # at the end
        (3, 1.0, 2.0, 0.0, 75, (25, 50)),  # a short recording is its own window
        (10, 1.0, 9.0, 0.0, 250, (25, 225)),  # the longest span
        (30, 10.0, 10.08, 5.04, 250, (124, 126)),  # the shortest
    ],
)
def test_place_and_grid(
    models: Models, seconds: float, start: float, end: float, at: float, frames: int, span: tuple[int, int]
) -> None:
    window = cut(models, tone(seconds, 8000), start, end)
    assert window.start == pytest.approx(at, abs=1e-3)
    assert (window.frames, window.span) == (frames, span)
    assert len(window.audio) == frames * 1280


def test_the_frames_of_the_span_are_the_unknown_ones(models: Models) -> None:
    inside = cut(models, tone(30, 8000), 12.0, 14.0)
    assert not inside.known[100:150].any() and inside.known.sum() == 200


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 192000])
def test_the_window_is_in_phase_with_the_source(models: Models, rate: int) -> None:
    window = cut(models, tone(20, rate), 10.013, 11.7)
    t = window.start + np.arange(len(window.audio)) / 32000
    assert np.abs(window.audio - 0.2 * np.sin(2 * np.pi * 300 * t)).max() < 2e-3


def test_quiet_and_loud_recordings_come_to_known_levels(models: Models) -> None:
    quiet = cut(models, tone(5, 8000, gain=0.001), 2, 3)
    assert np.sqrt(np.mean(quiet.audio**2)) == pytest.approx(0.03, rel=0.02)
    assert quiet.gain == pytest.approx(0.03 / (0.001 / 2**0.5), rel=0.02)
    assert cut(models, tone(5, 8000), 2, 3).gain == 1.0


def test_the_removed_audio_never_reaches_a_model(models: Models) -> None:
    one = tone(5, 32000)
    other = one.samples.copy()
    other[2 * 32000 : 3 * 32000] = np.random.default_rng(0).normal(size=(32000, 1)).astype(np.float32)
    changed = Recording(other, 32000, one.format, one.subtype)
    with torch.inference_mode():
        a, b = (windows.encode(cut(models, source, 2.0, 3.0), models) for source in (one, changed))
        assert torch.equal(a, b)
        heard = windows.encode(cut(models, changed, 2.0, 3.0), models, silenced=False)
    assert not torch.equal(a, heard)
