"""Public checkpoints at work: tiny ones in the released formats, through the door of all engines."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from editor.runs.replay import request_from, request_to_json
from engines import dispatch
from engines.audio.recording import Recording, from_float
from engines.checkpoints.found import find_checkpoint
from engines.checkpoints.shelf import Models, open_bundle
from engines.errors import Cancelled
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
)
from engines.roster import BY_NAME, EngineName

pytestmark = pytest.mark.slow  # makes of each tiny checkpoint what a musician would
# A checkpoint of each family and training, and the engines that run on it.
MADE: list[tuple[str, EngineName]] = [
    ("stable-audio", "fm"),
    ("stable-audio", "fm-zero-shot"),
    ("stable-audio-base", "fm"),
    ("ace-step", "fm"),
    ("musicgen", "ar"),
    ("musicgen-stereo", "ar"),
    ("musicgen-melody", "ar"),
    ("jasco", "fm"),
    ("jasco", "fm-zero-shot"),
]
LANES = Controls((Chord(0, 3, "C"), Chord(3, 5, "G")), (Note(1.5, 2.5, 60),), (Hit(2.0, "kick"),))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:

    from tests.checkpoints.ace_step import save_tiny_ace_step
    from tests.checkpoints.jasco import save_tiny_jasco
    from tests.checkpoints.musicgen import save_tiny_melody, save_tiny_musicgen
    from tests.checkpoints.stable_audio import save_tiny_stable_audio

    folder = tmp_path_factory.mktemp("shelf")
    save_tiny_stable_audio(folder / "stable-audio", "post")
    save_tiny_stable_audio(folder / "stable-audio-base", "base")
    save_tiny_ace_step(folder / "ace-step")
    save_tiny_musicgen(folder / "musicgen")
    save_tiny_musicgen(folder / "musicgen-stereo", stereo=True)
    save_tiny_melody(folder / "musicgen-melody")
    save_tiny_jasco(folder / "jasco")
    return folder


@pytest.fixture
def at_work(models: Models, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    """The tiny bundle, beside it the shelf."""
    monkeypatch.setenv("INLAY_MODELS", str(shelf))
    return models


@pytest.fixture(scope="module")
def recording() -> Recording:
    """Five seconds of stereo at 44.1 kHz, another tone in each channel, with a beat."""
    t = np.arange(5 * 44_100) / 44_100
    beat = (np.sin(2 * np.pi * 2 * t) > 0.6) * 0.2 * np.random.default_rng(0).standard_normal(len(t))
    pair = [0.3 * np.sin(2 * np.pi * hertz * t) + beat for hertz in (220, 554)]
    return from_float(np.stack(pair, axis=1), 44_100)


def settings(name: str) -> dict[str, Any]:
    """Those of the checkpoint's makers, but few steps and candidates."""
    spec = find_checkpoint(name, "cpu").serving(name).spec
    fm = replace(spec.fm, steps=min(spec.fm.steps, 8), candidates=2, checkpoint=name)
    return {"fm": fm, "ar": replace(spec.ar, candidates=2, checkpoint=name)}


def span(name: str, engine: EngineName, source: Recording, **more: Any) -> InpaintRequest:
    return InpaintRequest(engine, source, 2.0, 3.1, "solo piano", 3, **settings(name), **more)


@pytest.mark.parametrize(("name", "engine"), MADE)
def test_a_span_is_made_anew_and_nothing_else(
    at_work: Models, recording: Recording, name: str, engine: EngineName
) -> None:
    request = span(name, engine, recording)
    made = dispatch.run(request, at_work)
    a, b = round(2.0 * 44_100), round(3.1 * 44_100)
    assert made.audio.samples.shape == recording.samples.shape
    assert np.array_equal(made.audio.samples[:a], recording.samples[:a])
    assert np.array_equal(made.audio.samples[b:], recording.samples[b:])
    assert not np.array_equal(made.audio.samples[a:b], recording.samples[a:b])
    assert made.parameters["bundle"] == name and len(made.seams) == 2
    job = request_from(request_to_json(request), None, recording)  # as a take keeps it
    again = dispatch.run(job, at_work)  # type: ignore[arg-type]
    assert np.array_equal(again.audio.samples, made.audio.samples)
    other = dispatch.run(replace(request, seed=4), at_work)
    assert not np.array_equal(other.audio.samples, made.audio.samples)


@pytest.mark.parametrize(("name", "engine"), MADE)
def test_a_clip_has_the_checkpoint_s_rate_and_channels(
    at_work: Models, name: str, engine: EngineName
) -> None:
    if not BY_NAME[engine].generates:
        engine = "fm"
    spec = at_work.serving(name).spec
    request = GenerateRequest(engine, "drums and bass", 3.0, 1, LANES, **settings(name))
    if engine not in spec.engines:
        assert "does not have it" in dispatch.supports(request, at_work).reason
        return
    clip = dispatch.run(request, at_work).audio
    assert (clip.rate, clip.channels, clip.length) == (spec.rate, spec.channels, 3 * spec.rate)
    assert np.array_equal(dispatch.run(request, at_work).audio.samples, clip.samples)
    assert not np.array_equal(
        dispatch.run(replace(request, prompt="a flute"), at_work).audio.samples, clip.samples
    )
    if spec.channels == 2:
        assert not np.array_equal(clip.samples[:, 0], clip.samples[:, 1])


@pytest.mark.parametrize(("name", "engine"), MADE)
def test_cancel_ends_a_run_at_its_next_step(
    at_work: Models, recording: Recording, name: str, engine: EngineName
) -> None:
    steps: list[Progress] = []

    def cancel(progress: Progress) -> None:
        steps.append(progress)
        if progress.stage == "sample" and progress.step >= 1:
            raise Cancelled

    with pytest.raises(Cancelled):
        dispatch.run(span(name, engine, recording), at_work, cancel)
    assert steps[-1].stage == "sample" and steps[-1].step <= 2
    assert not at_work.device_lock.locked()


def test_lanes_that_no_network_takes_steer_it(at_work: Models, recording: Recording) -> None:
    """A drawn melody decides what a filling begins from, and steers the flow; a filling says so."""
    plain = span("stable-audio", "fm", recording, intent="change", changed=("melody",))
    low, high = (replace(plain, controls=Controls(melody=(Note(2.0, 3.1, pitch),))) for pitch in (57, 65))
    made = [dispatch.run(request, at_work) for request in (low, high)]
    assert not np.array_equal(made[0].audio.samples, made[1].audio.samples)
    for one in made:
        assert one.parameters["steered by"] == ["melody"] and one.candidates is not None
        starts = " ".join(candidate.began_from for candidate in one.candidates.each)
        assert any(word in starts for word in ("passage", "earlier", "later"))
    off = replace(low, fm=replace(low.fm, lane_guidance=0.0))
    unsteered = dispatch.run(off, at_work)
    assert unsteered.parameters["steered by"] == []
    assert not np.array_equal(unsteered.audio.samples, made[0].audio.samples)
    taken = dispatch.run(replace(low, fm=settings("jasco")["fm"]), at_work)
    assert taken.parameters["steered by"] == []  # its network takes the melody itself


def test_one_span_by_two_public_checkpoints_and_the_bundle(at_work: Models, recording: Recording) -> None:
    """AR of one, FM of another, and the bundle's own, compared by the same seams."""
    each = settings("stable-audio")["fm"], settings("musicgen-stereo")["ar"]
    request = InpaintRequest("auto", recording, 2.0, 3.1, "x", 0, fm=each[0], ar=each[1], patience=1e3)
    best = dispatch.run(request, at_work)
    assert best.comparison is not None
    assert set(best.comparison.scores) | set(best.comparison.left_out) == {"ar", "fm", "fm-zero-shot"}
    own = dispatch.run(replace(request, engine="fm", fm=FMSettings(steps=4, candidates=2)), at_work)
    assert own.parameters["bundle"] == at_work.spec.name


def test_a_public_checkpoint_may_be_the_one_at_work(shelf: Path, recording: Recording) -> None:
    """As with `inlay serve --bundle FOLDER`: what names none runs on it."""
    alone = open_bundle(str(shelf / "musicgen"), "cpu")
    request = InpaintRequest("ar", recording, 2.0, 2.6, ar=ARSettings(candidates=2))
    assert dispatch.run(request, alone).parameters["bundle"] == "musicgen"
    assert "choose ar" in dispatch.supports(replace(request, engine="fm"), alone).reason
