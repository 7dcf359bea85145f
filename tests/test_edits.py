"""Edits beyond one fill: longer, looped, long and several spans, variations, the best of all engines."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from editor.cli import main as cli
from editor.cli.report import sentence
from engines import dispatch, fm
from engines import zero_shot as fm_zero_shot
from engines.audio.recording import Recording, write_recording
from engines.checkpoints.shelf import Models
from engines.errors import InputError
from engines.filling import edits
from engines.filling import window as windows
from engines.networks.codec import Codec
from engines.progress import Progress
from engines.requests import ARSettings, FMSettings, GenerateRequest, InpaintRequest, Latents, Result, Seam
from engines.roster import ENGINE_NAMES, EngineName
from engines.sampling import flow
from tests.marks import engines, patiently

FM = FMSettings(steps=2, candidates=2)
AR = ARSettings(candidates=2)


def ask(
    engine: EngineName, source: Recording, start: float = 1.5, end: float = 2.1, **more: object
) -> InpaintRequest:
    return InpaintRequest(engine, source, start, end, **{"fm": FM, "ar": AR, **more})  # type: ignore[arg-type]


@engines
def test_a_continuation_keeps_every_sample_and_adds_sound(
    models: Models, song: Recording, engine: EngineName
) -> None:
    made = dispatch.run(edits.continuation(ask(engine, song), 1.0), models).audio
    assert made.length == song.length + song.rate
    assert np.array_equal(made.samples[: song.length], song.samples)
    assert np.abs(made.as_float()[song.length :]).max() > 1e-3


@engines
def test_an_intro_comes_before_every_sample(models: Models, song: Recording, engine: EngineName) -> None:
    made = dispatch.run(edits.intro(ask(engine, song), 1.0), models).audio
    assert made.length == song.length + song.rate
    assert np.array_equal(made.samples[song.rate :], song.samples)
    assert np.abs(made.as_float()[: song.rate]).max() > 1e-3


@pytest.mark.parametrize("seconds", [0.0, 500.0, float("nan")])
def test_odd_lengths_are_refused(song: Recording, seconds: float) -> None:
    for edit in (edits.continuation, edits.intro):
        with pytest.raises(InputError, match="choose another length"):
            edit(ask("fm", song), seconds)


def test_a_loop_changes_only_its_join_and_begins_where_it_began(models: Models, song: Recording) -> None:
    result = edits.loop(ask("fm", song), 0.8, lambda part, hook: dispatch.run(part, models, hook))
    made, reach = result.audio, round(0.4 * song.rate)
    assert made.length == song.length
    assert np.array_equal(made.samples[reach + 1 : -reach - 1], song.samples[reach + 1 : -reach - 1])
    assert not np.array_equal(made.samples[:reach], song.samples[:reach])
    assert not np.array_equal(made.samples[-reach:], song.samples[-reach:])
    ends = sorted(round(seam.time, 2) for seam in result.seams)
    assert ends == pytest.approx([0.4, song.seconds - 0.4], abs=0.01)
    # the join itself is one made stretch: no larger a step there than elsewhere in it
    flow = np.concatenate([made.as_float()[-reach:, 0], made.as_float()[:reach, 0]])
    steps = np.abs(np.diff(flow))
    assert steps[reach - 1] <= np.quantile(steps, 0.99) * 1.5


@patiently
def test_several_spans_change_nothing_between_them(
    models: Models, song: Recording, engine: EngineName
) -> None:
    request = ask(engine, song, 0.8, 1.2, also=((1.8, 2.2), (3.0, 3.4)))
    result = dispatch.run(request, models)
    rate, changed = song.rate, (result.audio.samples != song.samples).any(axis=1)
    inside = np.zeros(song.length, bool)
    for start, end in request.spans:
        inside[round(start * rate) : round(end * rate)] = True
        assert changed[round(start * rate) : round(end * rate)].mean() > 0.9
    assert not changed[~inside].any()
    assert len(result.seams) == 6


def test_several_spans_of_fm_are_one_pass(models: Models, song: Recording) -> None:
    seen: list[Progress] = []
    fm = FMSettings(steps=2, candidates=4)
    dispatch.run(ask("fm", song, 0.8, 1.2, also=((1.8, 2.2),), fm=fm), models, seen.append)
    assert [p.step for p in seen if p.stage == "sample"] == [0, 1, 2, 2, 3]  # repeats of both, from two times
    window = windows.cut(ask("fm", song, 0.8, 1.21, also=((1.8, 2.2),)), models.codec(), 10.0)
    assert window.spans == ((20, 31), (45, 55))
    assert torch.nonzero(~window.known).flatten().tolist() == [*range(20, 31), *range(45, 55)]


@pytest.mark.parametrize(
    ("also", "why"),
    [
        (((1.9, 2.5),), "in order"),
        (((0.2, 0.4),), "in order"),
        (((3.5, 5.0),), "inside it"),
        (((3.0, 3.01),), "frames"),
    ],
)
def test_odd_further_spans_are_refused(
    song: Recording, also: tuple[tuple[float, float], ...], why: str
) -> None:
    support = dispatch.supports(ask("fm", song, 1.5, 2.1, also=also))
    assert not support and why in support.reason


@pytest.mark.slow
@pytest.mark.parametrize("engine", ["ar", "fm"])
def test_what_is_longer_than_the_window_is_made_piece_by_piece(
    models: Models, song: Recording, engine: EngineName
) -> None:
    short = Models(models.folder, replace(models.spec, window_seconds=3.2), "cpu")
    request = ask(engine, song, 0.5, 3.5, sliding=True)
    result = dispatch.run(request, short)
    a, b = round(0.5 * song.rate), round(3.5 * song.rate)
    assert result.parameters["pieces"] == 3
    assert np.array_equal(result.audio.samples[:a], song.samples[:a])
    assert np.array_equal(result.audio.samples[b:], song.samples[b:])
    assert (result.audio.samples[a:b] != song.samples[a:b]).any(axis=1).mean() > 0.9
    assert [round(seam.time, 2) for seam in result.seams] == [0.5, 3.5]
    assert result.request == request
    made = dispatch.run(GenerateRequest(engine, "piano", 5.0, fm=FM, sliding=True), short)
    assert made.audio.seconds == pytest.approx(5.0, abs=0.05)
    for second in range(5):
        assert np.abs(made.audio.as_float(second * 32000, (second + 1) * 32000)).max() > 1e-3


@pytest.mark.parametrize("engine", ["fm", "fm-zero-shot"])
def test_a_variation_sets_out_from_the_spans_own_content(
    models: Models, song: Recording, engine: EngineName, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[float, torch.Tensor]] = []
    module = fm if engine == "fm" else fm_zero_shot
    build = fm.guided_field

    def spied(*parts: object) -> flow.Field:
        field = build(*parts)  # type: ignore[arg-type]
        return lambda z, t: seen.append((t, z.clone())) or field(z, t)

    monkeypatch.setattr(module, "guided_field", spied)
    request = ask(engine, song, strength=0.25, seed=3, fm=FMSettings(steps=8, candidates=1))
    dispatch.run(request, models)
    window = windows.cut(request, models.codec(), 10.0)
    with torch.inference_mode():
        own = windows.encode(window, models, silenced=False)
    start = flow.path(fm.draw_noise(own, 3), own, torch.full((1,), 0.75))
    assert [t for t, _ in seen] == pytest.approx([0.75, 0.875])
    inside = slice(*window.span)
    assert torch.allclose(seen[0][1][:1, :, inside], start[..., inside], atol=1e-5)


def test_a_variation_of_ar_keeps_the_first_codebooks(
    models: Models, song: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[torch.Tensor] = []
    dequantize = Codec.dequantize

    def spied(self: Codec, codes: torch.Tensor) -> torch.Tensor:
        made.append(codes)
        return dequantize(self, codes)

    monkeypatch.setattr(Codec, "dequantize", spied)
    request = ask("ar", song, strength=0.5)
    dispatch.run(request, models)
    window, codec = windows.cut(request, models.codec(), 10.0), models.codec()
    with torch.inference_mode():
        own = codec.quantize(windows.encode(window, models, silenced=False))
    inside = slice(*window.span)
    for candidate in made[0]:
        assert torch.equal(candidate[:2, inside], own[0, :2, inside])  # two of four
        assert not torch.equal(candidate[2:, inside], own[0, 2:, inside])


def test_a_strength_that_means_nothing_is_refused(song: Recording) -> None:
    assert "strength" in dispatch.supports(ask("fm", song, strength=0.0)).reason
    guided = FMSettings(zero_shot="guided")
    assert (
        "choose replacement" in dispatch.supports(ask("fm-zero-shot", song, strength=0.5, fm=guided)).reason
    )


def test_own_output_is_edited_from_its_latents(models: Models) -> None:
    clip = dispatch.run(GenerateRequest("fm", "piano", 3.0, fm=FM), models)
    assert clip.latents is not None and clip.latents.z.shape == (128, 75)
    request = ask("fm", clip.audio, 1.0, 2.0, latents=clip.latents)
    window = windows.cut(request, models.codec(), 10.0)
    with torch.inference_mode():
        z = windows.encode(window, models)
    assert np.array_equal(z[0].numpy(), clip.latents.z)
    edited = dispatch.run(request, models)
    assert edited.latents is not None and edited.latents.known == ((0.0, 1.0), (2.0, 3.0))
    again = windows.cut(ask("fm", edited.audio, 0.4, 0.8, latents=edited.latents), models.codec(), 10.0)
    with torch.inference_mode():
        second = windows.encode(again, models)[0].numpy()
    assert np.array_equal(second[:, :25], clip.latents.z[:, :25])  # untouched: from the latents
    assert not np.array_equal(second[:, 30:40], clip.latents.z[:, 30:40])  # re-made: heard anew


def test_latents_on_another_grid_are_not_used(models: Models) -> None:
    clip = dispatch.run(GenerateRequest("fm", "piano", 3.0, fm=FM), models)
    window = windows.cut(ask("fm", clip.audio, 1.013, 2.0, latents=clip.latents), models.codec(), 10.0)
    assert isinstance(clip.latents, Latents) and window.decoded is not None and not window.decoded.any()


def result_with(engine: EngineName, song: Recording, score: float) -> Result:
    seam = Seam(1.5, 3.0, 0.0, 0.0, 1.0, score, "Smooth")
    return Result(ask(engine, song), song, {"sample": 4.0}, (seam,))


@pytest.mark.parametrize(
    ("scores", "patience", "tried", "chosen"),
    [
        ((0.9, 0.6, 0.8), 60.0, 3, "ar"),
        ((0.9, 0.6, 0.55), 60.0, 3, "fm-zero-shot"),
        ((0.3, 0.1, 0.1), 60.0, 1, "fm"),  # good already
        ((0.9, 0.6, 0.1), 10.0, 2, "ar"),  # 4 s each, the third would take 8 more
        ((0.9, 0.1, 0.1), 1.0, 1, "fm"),
    ],
)
def test_auto_takes_the_smoothest_that_time_allows(
    models: Models,
    song: Recording,
    monkeypatch: pytest.MonkeyPatch,
    scores: tuple[float, float, float],
    patience: float,
    tried: int,
    chosen: str,
) -> None:
    given = dict(zip(("fm", "ar", "fm-zero-shot"), scores, strict=True))
    ran: list[str] = []

    class Fake:
        def __init__(self, name: EngineName) -> None:
            self.name = name

        def supports(self, request: object, spec: object = None) -> object:
            return dispatch.Support()

        def run(self, request: object, models: object, progress: object = None) -> Result:
            ran.append(self.name)
            return result_with(self.name, song, given[self.name])

    monkeypatch.setattr(dispatch, "_engine", Fake)
    result = dispatch.run(ask("auto", song, patience=patience), models)
    assert len(ran) == tried and result.request.engine == chosen
    told = result.resolved["auto"]
    assert isinstance(told, dict) and told["chosen"] == chosen and chosen in told["why"]
    assert set(told["scores"]) | set(told["left out"]) == set(ENGINE_NAMES)


@pytest.mark.slow
def test_auto_runs_real_engines_and_only_re_makes(models: Models, song: Recording) -> None:
    reports: list[Progress] = []
    result = dispatch.run(ask("auto", song, patience=600.0), models, reports.append)
    assert result.request.engine in ENGINE_NAMES
    fractions = [p.fraction for p in reports if p.stage == "sample"]
    assert fractions == sorted(fractions)
    assert "re-makes" in dispatch.supports(GenerateRequest("auto", "x", 2.0)).reason
    assert "time for Fix it 0 s" in dispatch.supports(ask("auto", song, patience=0.0)).reason


@pytest.mark.slow
def test_the_command_line_has_it_too(
    models: Models, song: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_recording(tmp_path / "in.wav", song)
    given = ["inpaint", str(tmp_path / "in.wav"), "--start", "1.5", "--end", "2.1", "--out"]
    rest = ["--steps", "2", "--bundle", str(models.folder), "--device", "cpu"]
    assert cli.main([*given, str(tmp_path / "a.wav"), "--engine", "auto", "--patience", "600", *rest]) == 0
    assert "has the smoothest seams" in capsys.readouterr().out
    varied = ["--engine", "ar", "--strength", "0.5", "--candidates", "2", "--json"]
    assert cli.main([*given, str(tmp_path / "b.wav"), *varied, *rest]) == 0
    report = json.loads(capsys.readouterr().out)
    told = report["parameters"]
    assert told["strength"] == 0.5 and len(told["candidates"]["roughness"]) == 2
    assert report["failed"] == any(seam["score"] >= 1 for seam in report["seams"])


def test_a_failure_is_named_with_a_remedy(song: Recording, tmp_path: Path) -> None:
    for score, failed in ((1.0, True), (0.99, False)):
        result = result_with("fm", song, score)
        assert result.failed == failed
        assert ("try another seed or engine" in sentence(result, tmp_path)) == failed
