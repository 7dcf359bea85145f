"""What all three engines owe: untouched audio, seeds, cancellation, one load, clear refusals."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from engines import dispatch
from engines.audio.recording import Recording, from_float
from engines.audio.timebase import seconds_to_samples
from engines.checkpoints.bundle import BundleSpec
from engines.checkpoints.shelf import Models, open_bundle
from engines.errors import Cancelled, InputError
from engines.progress import Progress
from engines.requests import (
    ARSettings,
    Chord,
    Controls,
    FMSettings,
    GenerateRequest,
    Hit,
    InpaintRequest,
    Note,
    Request,
)
from engines.roster import ENGINE_NAMES, EngineName
from tests.marks import engines, patiently

CONTROLS = Controls((Chord(0, 3, "Db"),), (Note(1.0, 2.5, 60),), (Hit(1.5, "kick"),))


def inpaint(
    engine: EngineName, source: Recording, start: float = 1.5, end: float = 2.1, **more: object
) -> InpaintRequest:
    quick = {"fm": FMSettings(steps=4, candidates=2), "ar": ARSettings(candidates=2)}
    more = {"prompt": "piano", **quick, **more}
    return InpaintRequest(engine, source, start, end, **more)  # type: ignore[arg-type]


@engines
def test_samples_outside_the_span_are_bit_identical(
    models: Models, song: Recording, engine: EngineName
) -> None:
    result = dispatch.run(inpaint(engine, song, controls=CONTROLS), models)
    a, b = round(1.5 * song.rate), round(2.1 * song.rate)
    made = result.audio
    assert (made.rate, made.channels, made.length, made.subtype) == (song.rate, 2, song.length, song.subtype)
    assert np.array_equal(made.samples[:a], song.samples[:a])
    assert np.array_equal(made.samples[b:], song.samples[b:])
    assert not np.array_equal(made.samples[a:b], song.samples[a:b])
    assert [round(seam.time, 2) for seam in result.seams] == [1.5, 2.1]
    stages = {"queued", "load", "judge", "encode", "text", "sample", "decode", "compose", "agreement"}
    assert set(result.timings) - {"repeats"} == stages


@engines
@pytest.mark.parametrize(("start", "end"), [(0.0, 0.6), (3.4, 4.0), (0.0, 4.0), (1.0, 1.08)])
def test_spans_at_the_edges_and_the_shortest(
    models: Models, song: Recording, engine: EngineName, start: float, end: float
) -> None:
    made = dispatch.run(inpaint(engine, song, start, end), models).audio
    a, b = round(start * song.rate), round(end * song.rate)
    assert made.length == song.length
    assert np.array_equal(made.samples[:a], song.samples[:a])
    assert np.array_equal(made.samples[b:], song.samples[b:])
    assert not np.array_equal(made.samples[a:b], song.samples[a:b])


@patiently
def test_the_same_seed_gives_the_same_audio_and_another_does_not(
    models: Models, song: Recording, engine: EngineName
) -> None:
    request = inpaint(engine, song, seed=7)
    first, again = dispatch.run(request, models), dispatch.run(request, models)
    other = dispatch.run(replace(request, seed=8), models)
    assert np.array_equal(first.audio.samples, again.audio.samples)
    assert not np.array_equal(first.audio.samples, other.audio.samples)


@patiently
def test_words_and_lanes_change_what_is_made(models: Models, song: Recording, engine: EngineName) -> None:
    base = dispatch.run(inpaint(engine, song), models).audio.samples
    assert not np.array_equal(dispatch.run(inpaint(engine, song, prompt="drums"), models).audio.samples, base)
    assert not np.array_equal(
        dispatch.run(inpaint(engine, song, controls=CONTROLS), models).audio.samples, base
    )


@patiently
def test_a_run_can_be_cancelled_at_every_step(models: Models, engine: EngineName) -> None:
    request = inpaint(
        engine, SOURCE, 2.0, 2.08, ar=ARSettings(candidates=2), fm=FMSettings(steps=3, candidates=2)
    )
    reports: list[Progress] = []
    dispatch.run(request, models, reports.append)
    sampled = [p.step for p in reports if p.stage == "sample"]
    total = next(p.total for p in reports if p.stage == "sample")
    assert sampled == sorted(sampled) and sorted(set(sampled)) == list(range(total + 1))
    for stop in range(len(reports)):
        seen = 0

        def hook(progress: Progress, stop: int = stop) -> None:
            nonlocal seen
            seen += 1
            if seen > stop:
                raise Cancelled

        with pytest.raises(Cancelled):
            dispatch.run(request, models, hook)
        assert seen == stop + 1  # not one step further
        assert not models.device_lock.locked()


def test_all_engines_share_checkpoints_that_are_loaded_once(tiny_bundle: Path) -> None:
    shared = Models(tiny_bundle, BundleSpec.from_json((tiny_bundle / "bundle.json").read_text()), "cpu")
    for _ in range(2):
        for engine in ENGINE_NAMES:
            request = inpaint(
                engine, SOURCE, ar=ARSettings(candidates=1), fm=FMSettings(steps=2, candidates=1)
            )
            dispatch.run(request, shared)
        for made in ("ar", "fm"):
            dispatch.run(GenerateRequest(made, "piano", 1.0, fm=FMSettings(steps=2)), shared)  # type: ignore[arg-type]
    assert shared.loads == {"codec": 1, "text": 1, "ar": 1, "fm": 1}


def silence(value: float = 0.0, seconds: float = 4.0, rate: int = 8000) -> Recording:
    return from_float(np.full(round(seconds * rate), value, np.float32), rate, "FLOAT")


def nan_source() -> Recording:
    samples = np.random.default_rng(0).normal(scale=0.1, size=(32000, 1)).astype(np.float32)
    samples[9000] = np.nan
    return Recording(samples, 8000, "WAV", "FLOAT")


SOURCE = from_float(np.random.default_rng(0).normal(scale=0.1, size=12 * 8000).astype(np.float32), 8000)
REFUSED: list[tuple[Request, str]] = [
    (InpaintRequest("fm", SOURCE, 3, 2), "end must follow"),
    (InpaintRequest("fm", SOURCE, 3, 3), "end must follow"),
    (InpaintRequest("fm", SOURCE, -1, 2), "inside"),
    (InpaintRequest("fm", SOURCE, 11, 13), "inside"),
    (InpaintRequest("fm", SOURCE, 2, 2.05), "two frames"),
    (InpaintRequest("fm", SOURCE, 1, 10), "at most 8 s"),
    (InpaintRequest("fm", SOURCE, float("nan"), 2), "numbers"),
    (InpaintRequest("fm", SOURCE, 1, float("inf")), "numbers"),
    (InpaintRequest("fm", SOURCE, 1, 2, crossfade=-1), "crossfade"),
    (InpaintRequest("fm", silence(), 1, 2), "silent"),
    (InpaintRequest("fm", silence(seconds=0), 1, 2), "no samples"),
    (InpaintRequest("fm", SOURCE, 1, 2, prompt="x" * 10_000), "shorten"),
    (InpaintRequest("fm", SOURCE, 1, 2, seed=-1), "seed"),
    (GenerateRequest("ar", "x", 0.5), "1-10 s"),
    (GenerateRequest("ar", "x", 11), "1-10 s"),
    (GenerateRequest("fm", "x", float("nan")), "1-10 s"),
    (GenerateRequest("fm-zero-shot", "x", 5), "ar or fm"),
    (GenerateRequest("ar", "x", 5, ar=ARSettings(temperature=0)), "temperature"),
    (GenerateRequest("ar", "x", 5, ar=ARSettings(top_p=2)), "top-p"),
    (GenerateRequest("fm", "x", 5, fm=FMSettings(steps=0)), "steps"),
    (GenerateRequest("fm", "x", 5, fm=FMSettings(solver="rk9")), "solver"),  # type: ignore[arg-type]
    (GenerateRequest("x" * 999, "x", 5), "expected ar, fm, fm-zero-shot"),  # type: ignore[arg-type]
]


@pytest.mark.parametrize(("request_", "why"), REFUSED, ids=[why for _, why in REFUSED])
def test_unusable_requests_are_refused_in_one_line(models: Models, request_: Request, why: str) -> None:
    support = dispatch.supports(request_)
    assert not support and why in support.reason
    assert "\n" not in support.reason and len(support.reason) < 200
    with pytest.raises(InputError) as refused:
        dispatch.run(request_, models)
    assert str(refused.value) == support.reason


@engines
def test_nan_samples_near_the_span_are_refused(models: Models, engine: EngineName) -> None:
    with pytest.raises(InputError, match="NaN"):
        dispatch.run(inpaint(engine, nan_source(), 2.0, 3.0), models)


@pytest.mark.parametrize("prompt", ["", "   ", "\x00\x1b[31m\u202e", "🎹 piano", "x" * 1000])
def test_odd_prompts_are_no_obstacle(models: Models, prompt: str) -> None:
    result = dispatch.run(GenerateRequest("fm", prompt, 1.0, fm=FMSettings(steps=2)), models)
    assert result.audio.seconds == 1.0


@pytest.mark.parametrize(
    ("rate", "channels"),
    [(8000, 1), pytest.param(192_000, 2, marks=pytest.mark.slow), (48_000, 6), (11_111, 1)],
)
def test_any_rate_and_channels(models: Models, rate: int, channels: int) -> None:
    samples = np.random.default_rng(1).normal(scale=0.1, size=(3 * rate, channels)).astype(np.float32)
    source = from_float(samples, rate)
    made = dispatch.run(inpaint("fm", source, 1.0, 1.5), models).audio
    end = seconds_to_samples(1.5, rate)
    assert (made.rate, made.channels, made.length) == (rate, channels, source.length)
    assert np.array_equal(made.samples[:rate], source.samples[:rate])
    assert np.array_equal(made.samples[end:], source.samples[end:])


def test_unknown_chords_stop_a_run_before_it_samples(models: Models) -> None:
    with pytest.raises(InputError, match="H7"):
        dispatch.run(GenerateRequest("fm", "x", 1.0, controls=Controls((Chord(0, 1, "H7"),))), models)


@engines
def test_loading_and_waiting_are_not_work(tiny_bundle: Path, song: Recording, engine: EngineName) -> None:
    fresh = Models(tiny_bundle, open_bundle(str(tiny_bundle)).spec, "cpu")
    result = dispatch.run(inpaint(engine, song), fresh)
    assert result.timings["load"] > result.timings["queued"] >= 0
    work = sum(result.timings.values()) - result.timings["load"] - result.timings["queued"]
    assert result.seconds_spent == pytest.approx(work)


@engines
def test_a_bundle_with_a_short_window_says_so(tiny_bundle: Path, song: Recording, engine: EngineName) -> None:
    spec = replace(open_bundle(str(tiny_bundle)).spec, window_seconds=3.0)
    short = Models(tiny_bundle, spec, "cpu")
    with pytest.raises(InputError, match="at most 1 s fit into the models' window"):
        dispatch.run(inpaint(engine, song, 1.0, 3.0), short)
    if engine != "fm-zero-shot":
        with pytest.raises(InputError, match="expected 1-3 s"):
            dispatch.run(GenerateRequest(engine, "piano", 4.0), short)
