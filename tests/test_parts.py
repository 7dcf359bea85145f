"""A part that is added to a span or taken out: the mixing by its formulas, the engine on a tiny model."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from editor.cli.main import main
from editor.page.api import Api
from editor.page.models.serving import serving
from editor.page.takes.words import details
from editor.project.document import Settings
from editor.project.versions import about_of, part_words, take_label
from editor.runs import asking, interrupted
from editor.runs.asking import requests_for
from editor.runs.job import About
from editor.runs.replay import request_from, request_to_json
from editor.runs.takes import take_from
from editor.runs.track import track_of
from engines import dispatch
from engines.audio.recording import Recording, from_float, read_recording, write_recording
from engines.checkpoints.found import find_checkpoint
from engines.checkpoints.shelf import Models
from engines.errors import Cancelled, InputError
from engines.filling import stems
from engines.progress import Progress
from engines.requests import FMSettings, InpaintRequest, Result, SpanTask
from engines.support import refusal
from tests.test_jobs import project_with_clip

RATE = 44_100
TASKS: list[SpanTask] = ["add", "take-out", "alone"]


def tone(hertz: float, seconds: float, level: float = 0.2, rate: int = RATE) -> NDArray[np.float64]:
    """A sine [n]."""
    made: NDArray[np.float64] = level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)
    return made


@pytest.fixture(scope="module")
def recording() -> Recording:
    """Five seconds of stereo at 44.1 kHz, another tone in each channel."""
    return from_float(np.stack([tone(220, 5.0, 0.3), tone(554, 5.0, 0.3)], axis=1), RATE)


# ---- the mixing


def mixed(source: Recording, part: NDArray[np.float64], task: SpanTask) -> NDArray[np.float64]:
    """The span from 1 s on, [N, C]."""
    return source.with_patches([stems.mix(source, 1.0, part, task, 0.05).patch]).as_float(
        RATE, RATE + len(part)
    )


def test_what_is_added_sounds_beside_what_was_there(recording: Recording) -> None:
    part = np.repeat(tone(880, 2.0, 0.05)[:, None], 2, axis=1)
    was = recording.as_float(RATE, 3 * RATE)
    added = mixed(recording, part, "add") - was
    fade = round(0.05 * RATE)
    assert np.abs(added[fade:-fade] - part[fade:-fade]).max() < 1e-4  # 16 bits
    ramp = (np.arange(fade) + 0.5) / fade
    assert np.abs(added[:fade] - ramp[:, None] * part[:fade]).max() < 1e-4
    assert np.abs(added[-fade:] - ramp[::-1, None] * part[-fade:]).max() < 1e-4


def test_what_is_added_is_no_louder_than_what_it_joins_and_never_wraps(recording: Recording) -> None:
    loud = np.repeat(tone(880, 2.0, 5.0)[:, None], 2, axis=1)
    patch = stems.mix(recording, 1.0, loud, "add", 0.05)
    was = recording.as_float(RATE, 3 * RATE)
    assert patch.gain * 5.0 == pytest.approx(0.3, rel=0.01)  # the same RMS
    full = from_float(np.stack([tone(220, 5.0, 0.98)] * 2, axis=1), RATE)
    made, fade = mixed(full, loud, "add"), round(0.05 * RATE)
    wanted = full.as_float(RATE, 3 * RATE) + stems.mix(full, 1.0, loud, "add", 0.05).gain * loud
    high = np.abs(wanted) > 0.95
    assert high[fade:-fade].any() and np.abs(made).max() <= 1.0  # bent, so that nothing wraps
    assert (np.sign(made[high]) == np.sign(wanted[high])).all()
    assert np.abs((made - wanted)[fade:-fade][~high[fade:-fade]]).max() < 1e-4
    assert not np.array_equal(mixed(recording, loud, "add"), was)


def test_beside_silence_a_part_is_as_it_is_unless_it_is_loud() -> None:
    silent = from_float(np.zeros((5 * RATE, 2)), RATE)
    soft, loud = (np.repeat(tone(880, 2.0, level)[:, None], 2, axis=1) for level in (0.05, 0.9))
    assert stems.mix(silent, 1.0, soft, "add", 0.05).gain == 1.0
    assert stems.mix(silent, 1.0, loud, "add", 0.05).gain == pytest.approx(0.1 / (0.9 / 2**0.5), rel=0.01)


def test_what_is_taken_out_leaves_the_rest_whatever_level_it_was_heard_at() -> None:
    rest, part = (np.repeat(tone(hertz, 5.0)[:, None], 2, axis=1) for hertz in (220, 880))
    source = from_float(rest + part, RATE)
    heard = part[RATE : 3 * RATE]
    fade = round(0.05 * RATE)
    for level in (1.0, 0.7, 1.3):  # the model's own
        left = mixed(source, level * heard, "take-out")[fade:-fade]
        assert np.abs(left - rest[RATE : 3 * RATE][fade:-fade]).max() < 2e-3
    wrong = np.repeat(tone(1234.5, 2.0)[:, None], 2, axis=1)  # which nobody plays
    patch = stems.mix(source, 1.0, wrong, "take-out", 0.05)
    assert patch.gain < 0.01
    alone = mixed(source, heard, "alone")[fade:-fade]
    assert np.abs(alone - heard[fade:-fade]).max() < 1e-4


def test_a_part_reaches_recordings_of_other_channels_and_rates(recording: Recording) -> None:
    window = np.stack([tone(880, 4.0, 0.1, 48_000), tone(880, 4.0, 0.2, 48_000)]).astype(np.float32)
    both = stems.part_of(recording, 1.0, 3.0, window, 0.5, 48_000)
    assert both.shape == (2 * RATE, 2)
    wanted = np.stack([tone(880, 4.0, level)[RATE // 2 :][: 2 * RATE] for level in (0.1, 0.2)], axis=1)
    assert np.abs(both - wanted).max() < 1e-3
    mono = from_float(tone(220, 5.0, 0.3)[:, None], RATE)
    one = stems.part_of(mono, 1.0, 3.0, window, 0.5, 48_000)
    assert one.shape == (2 * RATE, 1) and np.abs(one[:, 0] - wanted.mean(axis=1)).max() < 1e-3
    with pytest.raises(ValueError, match="misses"):
        stems.part_of(recording, 1.0, 4.9, window, 0.5, 48_000)


# ---- what cannot be


def test_a_model_that_was_not_taught_parts_says_what_would_do(models: Models, recording: Recording) -> None:
    request = InpaintRequest("fm", recording, 1.0, 2.0, task="add", part="drums")
    reason = dispatch.supports(request, models).reason
    assert "adds no parts; choose a model that does" in reason and "inlay models" in reason
    with pytest.raises(InputError, match="adds no parts"):
        dispatch.run(request, models)
    assert "takes no parts out" in refusal(replace(request, task="take-out"), "fm").reason
    assert "choose fm" in dispatch.supports(replace(request, engine="auto"), models).reason
    assert "choose fm" in dispatch.supports(replace(request, engine="ar"), models).reason
    other: Any = "mash"
    assert "expected remake, add" in dispatch.supports(replace(request, task=other), models).reason


def test_requests_from_before_there_were_parts_make_spans_anew(recording: Recording) -> None:
    told = request_to_json(InpaintRequest("fm", recording, 1.0, 2.0))
    assert told.pop("task") == "remake" and told.pop("part") == ""
    request = request_from(told, None, recording)
    assert isinstance(request, InpaintRequest) and request.task == "remake"
    with pytest.raises(InputError, match="task 'mash'"):
        request_from(told | {"task": "mash"}, None, recording)


# ---- the editor


def test_a_run_about_a_part_asks_fm_alone_and_knows_it_after_a_crash(tmp_path: Path) -> None:
    project = replace(project_with_clip(tmp_path), engines=("ar", "fm"), variations=2, seed=5)
    project = replace(project, settings=replace(project.settings, strength=0.5))
    about = About("add", "drums")
    jobs = requests_for(project, tmp_path, "inpaint", ["fm"], about=about)
    assert [(job.engine, job.seed) for job in jobs] == [("fm", 5), ("fm", 6)]
    first = jobs[0]
    assert isinstance(first, InpaintRequest)
    assert (first.task, first.part, first.strength, first.also) == ("add", "drums", 1.0, ())
    (plain,) = requests_for(replace(project, variations=1), tmp_path, "inpaint", ["fm"])
    assert isinstance(plain, InpaintRequest) and (plain.task, plain.strength) == ("remake", 0.5)
    going = replace(track_of(first, None, 0), state="running")
    assert going.about == about
    interrupted.note(tmp_path, [going])
    (found,) = interrupted.found(tmp_path)
    assert found.about == about and found.state == "interrupted"


def test_a_take_says_what_became_of_the_part(tmp_path: Path) -> None:
    project = project_with_clip(tmp_path)
    said = []
    for task in TASKS:
        (job,) = requests_for(project, tmp_path, "inpaint", ["fm"], about=About(task, "drums"))
        assert isinstance(job, InpaintRequest)
        samples = job.source.samples.copy()
        samples[round(job.start * job.source.rate) : round(job.end * job.source.rate)] //= 2
        made = Result(job, replace(job.source, samples=samples), {"sample": 0.3}, parameters={"task": task})
        take = take_from(made, tmp_path, project.clip.sound if project.clip else None)
        rows = dict(map(tuple, details(take)))  # type: ignore[arg-type]
        assert "Strength" not in rows and "Intent" not in rows and rows["Crossfade"]
        said.append((part_words(*about_of(take)), rows["Part"], take_label(take)))
        again = asking.vary(project, take, tmp_path)
        assert isinstance(again, InpaintRequest) and (again.task, again.part) == (task, "drums")
    assert said == [
        ("with drums", "drums: added", "FM with drums, seed 7"),
        ("without drums", "drums: taken out", "FM without drums, seed 7"),
        ("drums alone", "drums: left alone", "FM drums alone, seed 7"),
    ]


# ---- the engine


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from tests.checkpoints.ace_step import save_tiny_ace_step

    folder = tmp_path_factory.mktemp("shelf")
    save_tiny_ace_step(folder / "ace-step", "base")
    return folder


@pytest.fixture
def at_work(models: Models, shelf: Path, monkeypatch: pytest.MonkeyPatch) -> Models:
    """The tiny bundle, beside it the shelf."""
    monkeypatch.setenv("INLAY_MODELS", str(shelf))
    return models


def asked(recording: Recording, task: SpanTask, part: str = "drums") -> InpaintRequest:
    settings = FMSettings("euler", 6, schedule="shift", checkpoint="ace-step")
    return InpaintRequest("fm", recording, 2.0, 3.1, "", 3, fm=settings, task=task, part=part)


@pytest.mark.slow
@pytest.mark.parametrize("task", TASKS)
def test_a_part_changes_its_span_and_nothing_else(
    at_work: Models, recording: Recording, task: SpanTask
) -> None:
    request = asked(recording, task)
    made = dispatch.run(request, at_work)
    a, b = round(2.0 * RATE), round(3.1 * RATE)
    assert made.audio.samples.shape == recording.samples.shape
    assert np.array_equal(made.audio.samples[:a], recording.samples[:a])
    assert np.array_equal(made.audio.samples[b:], recording.samples[b:])
    told = made.parameters
    assert (told["task"], told["part"], told["bundle"]) == (task, "drums", "ace-step")
    gain = told["part_gain"]
    assert isinstance(gain, float)
    changed = not np.array_equal(made.audio.samples[a:b], recording.samples[a:b])
    assert changed == (gain > 0)  # what random weights call drums may have nothing of what plays
    assert task == "take-out" or changed
    again = dispatch.run(request_from(request_to_json(request), None, recording), at_work)  # type: ignore[arg-type]
    assert np.array_equal(again.audio.samples, made.audio.samples)
    assert len(made.seams) == 2
    if task != "take-out":
        for other in (replace(request, seed=4), replace(request, part="vocals")):
            assert not np.array_equal(dispatch.run(other, at_work).audio.samples, made.audio.samples)


@pytest.mark.slow
def test_what_is_asked_of_it_and_cannot_be(at_work: Models, recording: Recording) -> None:
    request = asked(recording, "add", "kazoo")
    assert "part 'kazoo': expected one of drums" in dispatch.supports(request, at_work).reason
    several = replace(request, part="drums", also=((4.0, 4.5),))
    assert "one span at a time" in dispatch.supports(several, at_work).reason
    assert "adds no parts" in dispatch.supports(replace(request, fm=FMSettings()), at_work).reason


@pytest.mark.slow
def test_the_page_offers_parts_with_such_a_model_alone(at_work: Models, tmp_path: Path) -> None:
    project = project_with_clip(tmp_path)
    own = find_checkpoint(str(at_work.folder), "cpu")
    assert serving(project, own).tasks == () == serving(project, own).stems
    chosen = replace(project, settings=Settings(fm_from="ace-step"))
    offered = serving(chosen, own)
    asked_by_a_program = Api(SimpleNamespace(bundle=own)).job_of(  # type: ignore[arg-type]
        {"kind": "inpaint", "start": 1.0, "end": 2.0, "task": "add", "part": "drums"}
        | {"fm": {"checkpoint": "ace-step"}},
        Recording(np.zeros((5 * RATE, 2), np.int16), RATE),
    )
    assert isinstance(asked_by_a_program, InpaintRequest)
    assert (asked_by_a_program.task, asked_by_a_program.fm.schedule) == ("add", "shift")
    assert offered.tasks == ("add", "take-out", "alone") and "drums" in offered.stems


@pytest.mark.slow
def test_cancel_ends_it_at_its_next_step(at_work: Models, recording: Recording) -> None:
    steps: list[Progress] = []

    def cancel(progress: Progress) -> None:
        steps.append(progress)
        if progress.stage == "sample" and progress.step >= 1:
            raise Cancelled

    with pytest.raises(Cancelled):
        dispatch.run(asked(recording, "add"), at_work, cancel)
    assert steps[-1].stage == "sample" and steps[-1].step <= 2
    assert not at_work.device_lock.locked()


@pytest.mark.slow
def test_the_command_line_adds_and_takes_out(
    shelf: Path, recording: Recording, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    song, out = tmp_path / "song.wav", tmp_path / "out.wav"
    write_recording(song, recording)
    line = ["inpaint", str(song), "--engine", "fm", "--start", "2", "--end", "3.1", "--seed", "3"]
    line += ["--bundle", str(shelf / "ace-step"), "--device", "cpu", "--steps", "6", "--out"]
    assert main([*line, str(out), "--add", "Drums", "--json"]) == 0
    report = json.loads(capsys.readouterr().out)
    assert report["parameters"]["task"] == "add" and report["parameters"]["part"] == "drums"
    (tmp_path / "request.json").write_text(json.dumps(report))
    again = tmp_path / "again.wav"
    told = ["replay", str(tmp_path / "request.json"), "--source", str(song), "--out", str(again)]
    assert main([*told, "--bundle", str(shelf / "ace-step"), "--device", "cpu"]) == 0
    assert np.array_equal(read_recording(again).samples, read_recording(out).samples)
    assert main([*line, str(out), "--take-out", "vocals"]) == 0
    assert main([*line, str(out), "--add", "kazoo"]) == 2
    assert "expected one of drums" in capsys.readouterr().err
