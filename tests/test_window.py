"""The window that a model hears: its place, its grid, and that the removed audio stays out of it."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engines.audio.recording import Recording, from_float
from engines.audio.seams import Judge
from engines.checkpoints.shelf import Models
from engines.filling import choice
from engines.filling import window as windows
from engines.filling.beginnings import repeats_of
from engines.filling.choice import choose, composed
from engines.outcomes import Wish
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


def strokes(seconds: float = 12.0, rate: int = 32_000) -> np.ndarray:
    """Noise bursts every half second over a quiet hum, no two alike."""
    rng = np.random.default_rng(2)
    t = np.arange(round(seconds * rate)) / rate
    wave = 0.02 * np.sin(2 * np.pi * 110 * t)
    for beat in range(int(2 * seconds)):
        a = beat * rate // 2
        wave[a : a + rate // 4] += (
            rng.uniform(0.05, 0.15) * rng.normal(size=rate // 4) * np.exp(-np.arange(rate // 4) / rate * 30)
        )
    return wave.astype(np.float32)


def whole(request: InpaintRequest) -> windows.Window:
    """A window over all of a request's source, which is mono at 32 kHz."""
    audio = request.source.as_float()[:, 0]
    span = round(request.start * 25), round(request.end * 25)
    judges = tuple(Judge(request.source, a, b) for a, b in request.spans)
    return windows.Window(0.0, audio, len(audio) // 1280, span, 1.0, judges=judges)


def test_of_several_fillings_the_one_that_sounds_like_the_original_is_taken() -> None:
    wave = strokes()
    request = InpaintRequest("fm", from_float(wave, 32_000, "FLOAT"), 4.3, 6.7, match=0.0)
    late, louder = np.roll(wave, 32_000 // 8), 3.0 * wave
    heard = whole(request)
    made = [late, wave, louder]
    taken = choose(request, made, heard, 32_000)
    costs = [one.roughness for one in taken.candidates.each]
    assert taken.candidates.chosen == 1 and costs[1] == min(costs)
    assert len(taken.seams) == 2 and all(one.agreement is None for one in taken.candidates.each)
    assert all(0.15 * 0.2 - 1e-9 <= fade <= 0.2 for fade in taken.fades[0])
    assert np.abs(taken.recording.as_float()[:, 0] - wave).max() < 0.02  # the codec's share is exact here
    short = replace(request, end=4.8)
    assert max(choose(short, [wave], whole(short), 32_000).fades[0]) <= 0.2 * 0.5 + 1e-9


def test_a_fitted_crossfade_is_no_rougher_than_the_longest_one() -> None:
    wave = strokes()
    rng = np.random.default_rng(7)
    other = (0.05 * rng.normal(size=len(wave))).astype(np.float32)
    request = InpaintRequest("fm", from_float(wave, 32_000, "FLOAT"), 4.3, 6.7, match=0.0)
    judge = Judge(request.source, 4.3, 6.7)
    fitted = choose(request, [other], whole(request), 32_000).recording
    fixed = composed(request, other, whole(request), 32_000, [(0.2, 0.2)])
    for time, cost in judge.costs(fitted).items():
        assert cost <= judge.costs(fixed)[time] + 0.5


@pytest.mark.slow
def test_repeats_are_begun_from_in_the_order_of_their_seams(models: Models) -> None:
    """Four seconds of a beat that is late by half of one: what is copied from there comes last."""
    rng = np.random.default_rng(0)
    rate, wave = 32_000, 0.001 * rng.normal(size=14 * 32_000)
    for at in (*np.arange(0.25, 4.0, 0.5), *np.arange(4.0, 13.8, 0.5)):
        a = round(at * rate)
        wave[a : a + 4000] += 0.2 * rng.normal(size=4000) * np.exp(-np.arange(4000) / 800)
    request = InpaintRequest("fm", from_float(wave.astype(np.float32), rate), 9.0, 10.5)
    window = windows.cut(request, models.codec(), 10.0)

    def lags(request: InpaintRequest) -> list[float]:
        told = [words.split() for _, words in repeats_of(request, window, models, 30)]
        return [float(words[2]) * (-1 if words[-1] == "earlier" else 1) for words in told]

    found = lags(request)
    late = [9.0 + lag + 1.5 < 4.0 for lag in found]
    assert sum(late) >= 2 and not any(late[: len(late) // 2])
    assert not window.holes


def test_what_was_asked_outweighs_a_little_roughness(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two fillings of like seams: the one that is taken is the one in which the wish is heard."""
    wave = strokes()
    request = InpaintRequest("fm", from_float(wave, 32_000, "FLOAT"), 4.3, 6.7, "flute", match=0.0)
    heard = iter((Wish("instrument", "flute", share=0.0), Wish("instrument", "flute", share=1.0)))
    monkeypatch.setattr(choice, "wishes", lambda *_: (next(heard),))
    taken = choose(request, [wave, wave], whole(request), 32_000)
    first, second = taken.candidates.each
    assert taken.candidates.chosen == 1 and (first.agreement, second.agreement) == (0.0, 1.0)
    assert first.roughness == second.roughness


def test_a_filling_too_rough_to_win_is_not_listened_to() -> None:
    asked: list[int] = []

    def share(i: int) -> float:
        asked.append(i)
        return (0.5, 1.0, 0.9)[i]

    best, shares = choice._wished_most([1.0, 9.0, 4.0], share)
    assert (best, shares, asked) == (2, [0.5, None, 0.9], [0, 2])
    assert choice._wished_most([1.0, 2.0], lambda _: 1.0)[0] == 0


@pytest.mark.parametrize("hears", [60.0, 120.0, 380.0])
@pytest.mark.parametrize("start", [200.0, 1.0])
def test_what_a_span_costs_does_not_grow_with_what_a_model_could_hear(
    models: Models, monkeypatch: pytest.MonkeyPatch, hears: float, start: float
) -> None:
    """A checkpoint with a window of minutes reads half a minute around a span of 3 s, and codes no more."""
    codec, coded = models.codec(), list[int]()

    def encode(audio: torch.Tensor) -> torch.Tensor:
        coded.append(audio.shape[-1])
        return audio.new_zeros(1, codec.dim, audio.shape[-1] // codec.hop)

    monkeypatch.setattr(codec, "encode", encode)
    request = InpaintRequest("fm", tone(400, 2000, gain=start / 1e3 + hears / 1e4), start, start + 3.0)
    window = windows.cut(request, codec, hears)
    z = windows.encode(window, models)
    frames = round((3.0 + 2 * windows.BESIDE_SECONDS) * codec.frame_rate)
    assert (window.frames, z.shape[-1], coded) == (frames, frames, [frames * codec.hop])
    assert window.start == pytest.approx(max(0.0, start - windows.BESIDE_SECONDS), abs=0.05)
