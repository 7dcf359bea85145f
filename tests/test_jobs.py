"""Runs: requests from a project, the line before the device, cancel, failures, takes."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from editor.project import commands, drawing, spans, versions
from editor.project.disk import sounds, storage
from editor.project.document import ChordCell, Clip, LaneNote, Lanes, Project, Region, Settings, Sound
from editor.runs import runner
from editor.runs.asking import extension_controls, requests_for
from editor.runs.events import Done, Failed, JobEvent, Queued, Running, Stopped
from editor.runs.job import EXTENSIONS, Extension, ExtensionKind, perform
from editor.runs.replay import plain, request_from, request_to_json
from editor.runs.runner import Runner, failure_words
from editor.runs.takes import take_from
from engines.audio.recording import Recording, from_float, read_recording
from engines.errors import InputError
from engines.progress import Progress, ProgressHook
from engines.requests import (
    ARSettings,
    Controls,
    FMSettings,
    GenerateRequest,
    Guidance,
    Hit,
    InpaintRequest,
    Note,
    Part,
    Request,
    Result,
    Seam,
    Support,
)

RATE = 8000
PATIENCE = 10.0  # seconds until a hanging test fails


def noise(seconds: float, seed: int) -> Recording:
    samples = np.random.default_rng(seed).uniform(-0.5, 0.5, int(RATE * seconds)).astype(np.float32)
    return from_float(samples, RATE)


class FakeEngine:
    """Ten steps to a clip of noise; holds at a step when told to."""

    def __init__(self) -> None:
        self.at_work = 0
        self.most_at_work = 0
        self.done: list[str] = []
        self.reached = threading.Event()  # set at step 5
        self.may_go_on = threading.Event()
        self.may_go_on.set()
        self.fails: dict[str, Exception] = {}

    def run(self, request: Request, models: Any, progress: ProgressHook) -> Result:
        assert models == "models"
        self.at_work += 1
        self.most_at_work = max(self.most_at_work, self.at_work)
        try:
            if request.engine in self.fails:
                raise self.fails[request.engine]
            for step in range(10):
                if step == 5:
                    self.reached.set()
                    assert self.may_go_on.wait(PATIENCE)
                progress(Progress("sample", step + 1, 10, 0.1 * step, 0.1))
        finally:
            self.at_work -= 1
        self.done.append(request.engine)
        seams = (Seam(1.0, 2.0, 0.0, 0.0, 1.0, 0.2, "Smooth"),) if isinstance(request, InpaintRequest) else ()
        made = noise(request.seconds, request.seed)
        if isinstance(request, InpaintRequest):
            parts = made.samples
            made = request.source
            for start, end in request.spans:
                made = made.with_span(round(start * RATE), parts[: round((end - start) * RATE)])
        return Result(request, made, {"sample": 0.5}, seams, {"steps": 10})

    def runner(self) -> Runner:
        return Runner(lambda: "models", self.run, lambda request, models: Support())


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return storage.new_project(tmp_path).folder


def generate(engine: str = "fm", seed: int = 1) -> GenerateRequest:
    return GenerateRequest(engine, "", 1.0, seed)  # type: ignore[arg-type]


def finals(events: Iterator[JobEvent] | list[JobEvent]) -> list[tuple[str, str]]:
    """What became of each engine."""
    last = (Done, Failed, Stopped)
    return [(type(event).__name__, event.engine) for event in events if isinstance(event, last)]


def chord(project: Project, start: float, end: float, symbol: str, id: str = "") -> Project:
    return drawing.edit_lanes(project, Lanes(chords=(ChordCell(id, start, end, symbol),)))


def project_with_clip(folder: Path) -> Project:
    recording = noise(4.0, 3)
    file = sounds.add_audio(folder, recording)
    project = chord(Project(prompt="piano", seed=7), 0, 8, "Am")
    project = versions.set_clip(project, Clip(file, recording.seconds, RATE, 1, "song.wav"))
    return spans.add_span(project, 1.0, 2.5)


# ---- project -> requests


def test_generate_asks_the_two_generators(folder: Path) -> None:
    project = chord(Project(prompt="piano", length=5, seed=7), 0, 4, "Am")
    requests = requests_for(project, folder, "generate")
    assert [request.engine for request in requests] == ["fm", "ar"]
    for request in requests:
        assert isinstance(request, GenerateRequest)
        assert (request.prompt, request.seconds, request.seed) == ("piano", 5, 7)
        assert request.controls.chords
        assert request.controls.chords[0].end == 2.0  # 4 beats at 120 bpm


def test_inpaint_asks_the_ticked_engines_with_one_source(folder: Path) -> None:
    requests = requests_for(project_with_clip(folder), folder, "inpaint", fm=FMSettings(steps=3))
    assert [request.engine for request in requests] == ["fm", "ar", "fm-zero-shot"]
    sources = {id(request.source) for request in requests if isinstance(request, InpaintRequest)}
    assert len(sources) == 1
    assert all(
        (r.start, r.end, r.fm.steps) == (1.0, 2.5, 3) for r in requests if isinstance(r, InpaintRequest)
    )
    only = requests_for(project_with_clip(folder), folder, "inpaint", ["fm-zero-shot"])
    assert [request.engine for request in only] == ["fm-zero-shot"]


def test_what_is_missing_is_said(folder: Path) -> None:
    project = project_with_clip(folder)
    with pytest.raises(InputError, match="no span selected"):
        requests_for(spans.clear_region(project), folder, "inpaint")
    with pytest.raises(InputError, match="nothing to inpaint"):
        requests_for(Project(), folder, "inpaint")
    with pytest.raises(InputError, match="no engine"):
        requests_for(Project(), folder, "generate", ["fm-zero-shot"])


# ---- takes


def test_a_stored_take_replays_the_identical_request(folder: Path, engine: FakeEngine) -> None:
    source = noise(4.0, 3)
    controls = Controls(None, (Note(0, 1, 60),), (Hit(0.5, "kick"),))
    asked = InpaintRequest(
        "ar", source, 1.0, 2.5, "jazz", 9, controls, ARSettings(0.9, 100, 0.5, Guidance(2.0, 1.0)),
        FMSettings("midpoint", 7, None, "inversion", guided=(0.1, 0.9)), 0.05,
        strength=0.6, also=((3.0, 3.5),), sliding=True, patience=9.0,
    )  # fmt: skip
    result = engine.run(asked, "models", lambda progress: None)
    take = take_from(result, folder)
    storage.save_project(folder, versions.add_take(Project(), take))
    stored = storage.open_project(folder).project.takes[0]
    assert stored == take
    again = request_from(stored.parameters, folder)
    assert isinstance(again, InpaintRequest)
    assert np.array_equal(again.source.samples, source.samples)
    assert replace(again, source=source) == asked
    assert (take.region, take.seconds, take.rate, take.channels) == (Region(1.0, 3.5), 4.0, RATE, 1)
    assert take.spans == (Region(1.0, 2.5), Region(3.0, 3.5))
    assert take.seams[0]["words"] == "Smooth"
    assert take.parameters["resolved"] == {"steps": 10}
    assert np.array_equal(sounds.read_sound(folder, take.sound).samples, result.audio.samples)
    span = read_recording(sounds.audio_path(folder, take.file))
    assert span.length == 2.5 * RATE  # what is stored reaches from the first span to the last


def test_a_result_that_touches_what_is_kept_never_becomes_a_take(folder: Path) -> None:
    source = noise(4.0, 3)
    asked = InpaintRequest("fm", source, 1.0, 2.5)
    for place in (0, 7999, 20000, 31999):  # 2.5 s = sample 20000, the first one after the span
        samples = source.samples.copy()
        samples[place] ^= 1
        with pytest.raises(ValueError, match="outside 8000-20000 differ"):
            take_from(Result(asked, replace(source, samples=samples), {}), folder)
    apart = replace(asked, end=1.5, also=((2.0, 2.5),))
    samples = source.samples.copy()
    samples[13000] ^= 1  # between two spans
    with pytest.raises(ValueError, match="differ"):
        take_from(Result(apart, replace(source, samples=samples), {}), folder)
    for place in (8000, 19999):
        samples = source.samples.copy()
        samples[place] ^= 1
        take = take_from(Result(asked, replace(source, samples=samples), {}), folder)
        assert np.array_equal(sounds.read_sound(folder, take.sound).samples, samples)


def test_a_finished_take_is_on_disk_before_the_document_names_it(folder: Path, engine: FakeEngine) -> None:
    requests = requests_for(project_with_clip(folder), folder, "inpaint", ["ar", "fm"])
    takes = [
        event.take for event in engine.runner().stream(requests, folder=folder) if hasattr(event, "take")
    ]
    assert storage.open_project(folder).project.takes == tuple(takes)  # nobody has saved them


def test_variations_have_seeds_of_their_own_and_come_round_by_round(folder: Path) -> None:
    project = commands.set_variations(project_with_clip(folder), 3)
    requests = requests_for(project, folder, "inpaint", ["ar", "fm"])
    assert [(r.engine, r.seed) for r in requests] == [
        ("fm", 7), ("ar", 7), ("fm", 8), ("ar", 8), ("fm", 9), ("ar", 9),
    ]  # fmt: skip
    last = commands.set_seed(project, commands.MAX_SEED)
    assert [r.seed for r in requests_for(last, folder, "generate", ["fm"])] == [commands.MAX_SEED, 0, 1]


def test_a_generated_take_replays(folder: Path, engine: FakeEngine) -> None:
    asked = replace(generate("ar", 4), prompt="jazz", controls=Controls(chords=()))
    take = take_from(engine.run(asked, "models", lambda progress: None), folder)
    assert (take.kind, take.region, take.source) == ("generate", None, None)
    assert request_from(take.parameters, folder) == asked


@pytest.mark.parametrize(
    "damage", [{"engine": "sings"}, {"controls": None}, {"ar": {"temperature": 1}}, {"seconds": "long"}]
)
def test_damaged_settings_are_an_input_error(folder: Path, damage: dict[str, object]) -> None:
    with pytest.raises(InputError, match="settings of the take are damaged"):
        request_from({**request_to_json(generate()), **damage}, folder)


def test_a_take_whose_source_is_elsewhere_is_refused(folder: Path) -> None:
    parameters = request_to_json(InpaintRequest("fm", noise(1, 1), 0, 1), Sound("../../secret.wav"))
    with pytest.raises(InputError, match="not a file name of a project"):
        request_from(parameters, folder)


# ---- runs


def test_three_engines_one_after_the_other_each_stored(folder: Path, engine: FakeEngine) -> None:
    requests = requests_for(project_with_clip(folder), folder, "inpaint")
    events = list(engine.runner().stream(requests, folder=folder))
    assert finals(events) == [("Done", "fm"), ("Done", "ar"), ("Done", "fm-zero-shot")]
    assert [(e.engine, e.position) for e in events[:2] if isinstance(e, Queued)] == [
        ("ar", 1),
        ("fm-zero-shot", 2),
    ]
    for event in events:
        if isinstance(event, Done):
            assert event.take
            assert sounds.audio_path(folder, event.take.file).is_file()
    running = [event.engine for event in events if isinstance(event, Running)]
    assert set(running) == {"ar", "fm", "fm-zero-shot"}


def test_one_failing_engine_does_not_stop_the_others(engine: FakeEngine) -> None:
    engine.fails = {
        "ar": RuntimeError("shapes differ\nsecond line"),
        "fm": InputError("span 1-2 s: too short; widen it"),
    }
    requests = [generate("ar"), generate("fm"), generate("fm-zero-shot")]
    events = list(engine.runner().stream(requests))
    assert finals(events) == [("Failed", "ar"), ("Failed", "fm"), ("Done", "fm-zero-shot")]
    messages = [event.message for event in events if isinstance(event, Failed)]
    assert messages == [
        "the engine broke (RuntimeError: shapes differ); try another seed",
        "span 1-2 s: too short; widen it",
    ]


def test_memory_errors_have_a_remedy() -> None:
    assert "shorter span" in failure_words(MemoryError())
    assert "shorter span" in failure_words(RuntimeError("CUDA out of memory. Tried to allocate"))


def test_an_unsupported_request_fails_with_its_reason(engine: FakeEngine) -> None:
    runner = Runner(lambda: "models", engine.run, lambda *asked: Support("span too long; shorten it"))
    events = list(runner.stream([generate()]))
    assert events[-1] == Failed("fm", "span too long; shorten it")
    assert engine.done == []


def test_models_that_do_not_load_are_a_failure(engine: FakeEngine) -> None:
    def loader() -> object:
        raise InputError("bundle 'x': no such folder; check --bundle")

    events = list(Runner(loader, engine.run, lambda request, models: Support()).stream([generate()]))
    assert events[-1] == Failed("fm", "bundle 'x': no such folder; check --bundle")


def test_cancel_stops_the_run_at_its_next_step_and_all_that_wait(engine: FakeEngine) -> None:
    engine.may_go_on.clear()
    cancel = threading.Event()
    events: list[JobEvent] = []
    for event in engine.runner().stream([generate("ar"), generate("fm")], cancel):
        events.append(event)
        if isinstance(event, Running) and not cancel.is_set():
            assert engine.reached.wait(PATIENCE)
            cancel.set()
            engine.may_go_on.set()
    assert finals(events) == [("Stopped", "ar"), ("Stopped", "fm")]
    assert engine.done == []
    stopped = next(event for event in events if isinstance(event, Stopped))
    assert stopped.progress
    assert stopped.progress.step == 6  # the first report after Cancel


def test_all_work_of_a_device_is_done_by_one_thread(engine: FakeEngine) -> None:
    threads: list[int] = []

    def serve(request: Request, models: Any, progress: ProgressHook) -> Result:
        threads.append(threading.get_ident())
        return engine.run(request, models, progress)

    runner = Runner(lambda: None, serve, lambda request, models: Support())
    for _ in range(3):  # each thread would keep the heap that its run has grown
        one = threading.Thread(target=runner.run, args=([generate()], lambda _: None, threading.Event()))
        one.start()
        one.join()
    assert len(threads) == 3 and len({*threads}) == 1 and threading.get_ident() not in threads


def test_one_device_one_run_and_a_waiting_job_can_be_cancelled(engine: FakeEngine) -> None:
    engine.may_go_on.clear()
    runner = engine.runner()
    first = runner.stream([generate("ar")])
    assert isinstance(next(first), Running)
    assert engine.reached.wait(PATIENCE)
    cancel = threading.Event()
    second = runner.stream([generate("fm")], cancel)
    assert next(second) == Queued("fm", 1, others=1)
    cancel.set()
    assert finals(second) == [("Stopped", "fm")]  # while the first still works
    third = runner.stream([generate("fm")])
    assert next(third) == Queued("fm", 1, others=1)
    engine.may_go_on.set()
    assert finals(first) == [("Done", "ar")]
    assert finals(third) == [("Done", "fm")]
    assert engine.most_at_work == 1


def test_closing_the_stream_cancels_and_frees_the_device(engine: FakeEngine) -> None:
    engine.may_go_on.clear()
    runner = engine.runner()
    stream = runner.stream([generate("ar"), generate("fm")])
    while not isinstance(next(stream), Running):
        pass
    assert engine.reached.wait(PATIENCE)
    stream.close()  # type: ignore[attr-defined]  # a generator; the tab was closed
    engine.may_go_on.set()
    assert finals(runner.stream([generate("fm-zero-shot")])) == [("Done", "fm-zero-shot")]
    assert engine.done == ["fm-zero-shot"]


def test_a_silent_run_repeats_its_last_event(engine: FakeEngine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "HEARTBEAT_SECONDS", 0.01)
    engine.may_go_on.clear()
    stream = engine.runner().stream([generate()])
    seen = [next(stream) for _ in range(5)]
    assert all(isinstance(event, Running) for event in seen)
    assert seen[-1] == seen[-2]
    engine.may_go_on.set()
    assert finals(stream) == [("Done", "fm")]


def test_progress_is_sent_at_most_eight_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = iter(i * 0.01 for i in range(10_000))  # every look at the clock is 10 ms later
    monkeypatch.setattr(runner.time, "perf_counter", lambda: next(clock))

    def run(request: Request, models: Any, progress: ProgressHook) -> Result:
        for step in range(100):  # one second
            progress(Progress("sample", step, 100, 0.0, None))
        return Result(request, noise(0.1, 1), {})

    events = list(Runner(lambda: None, run, lambda request, models: Support()).stream([generate()]))
    assert 6 <= sum(isinstance(event, Running) for event in events) <= 9


# ---- extensions, the choice among engines, one run of several


@pytest.mark.parametrize("kind", EXTENSIONS)
def test_an_extended_clip_holds_the_old_one_and_replays(
    folder: Path, engine: FakeEngine, kind: ExtensionKind
) -> None:
    project = replace(project_with_clip(folder), length=1.5, engines=("fm",))
    assert project.clip
    (asked,) = requests_for(project, folder, kind)
    assert isinstance(asked, Extension)
    result = perform(asked, "models", lambda progress: None, engine.run)
    take = take_from(result, folder, project.clip.sound, asked)
    old = sounds.read_sound(folder, project.clip.sound).samples
    made = sounds.read_sound(folder, take.sound).samples
    join = 2 * RATE  # re-made around the join: one second at either end
    kept = {"continue": made[: len(old)], "intro": made[-len(old) :], "loop": made[RATE : len(old) - RATE]}
    whole = old[RATE : len(old) - RATE] if kind == "loop" else old
    assert np.array_equal(kept[kind], whole)
    assert len(made) == len(old) + (0 if kind == "loop" else 12_000)
    if kind == "loop":
        assert not np.array_equal(made[: join // 2], old[: join // 2])
    places = {"continue": Region(4.0, 5.5), "intro": Region(0.0, 1.5), "loop": None}
    assert (take.kind, take.region, take.source) == (kind, places[kind], project.clip.sound)
    again = request_from(plain(take.parameters), folder)
    assert isinstance(again, Extension)
    twin = perform(again, "models", lambda progress: None, engine.run)
    assert np.array_equal(twin.audio.samples, made)


def test_a_result_that_touches_the_old_clip_never_becomes_an_extension(
    folder: Path, engine: FakeEngine
) -> None:
    project = replace(project_with_clip(folder), length=1.5, engines=("fm",))
    for kind in EXTENSIONS:
        (asked,) = requests_for(project, folder, kind)
        assert isinstance(asked, Extension)
        result = perform(asked, "models", lambda progress: None, engine.run)
        samples = result.audio.samples.copy()
        samples[len(samples) // 2] += 100
        wrong = replace(result, audio=replace(result.audio, samples=samples))
        with pytest.raises(ValueError, match="differ from the source's"):
            take_from(wrong, folder, None, asked)


def test_lanes_follow_an_extended_clip_on_its_own_clock(folder: Path) -> None:
    project = replace(project_with_clip(folder), follow=("chords", "melody"))  # Am from 0 to 4 s
    project = drawing.edit_lanes(project, Lanes(melody=(LaneNote("n1", 0, 4, 60),)))
    intro = extension_controls(project, "intro", 3.0)
    assert intro.chords and (intro.chords[0].start, intro.chords[0].end) == (3.0, 7.0)
    assert intro.melody is None
    more = extension_controls(project, "continue", 3.0)
    assert more.chords and more.chords[0].start == 0 and more.melody is None
    drawn = drawing.edit_lanes(project, Lanes(melody=(LaneNote("n2", 9, 10, 64),)))  # after the end
    assert extension_controls(drawn, "continue", 3.0).melody is not None
    assert extension_controls(project, "loop", 2.0) == Controls()


def test_the_knobs_of_the_span_reach_its_request(folder: Path) -> None:
    knobs = Settings(strength=0.4, match=0.25, crossfade=0.1, patience=12.0, join=3.0)
    project = replace(project_with_clip(folder), settings=knobs, variations=3)
    (request,) = requests_for(project, folder, "inpaint", ["auto"])  # compares by itself: one take
    assert isinstance(request, InpaintRequest)
    told = (request.engine, request.strength, request.match, request.crossfade, request.patience)
    assert told == ("auto", 0.4, 0.25, 0.1, 12.0)
    assert request.sliding  # a span longer than the window is made piece by piece
    loop = requests_for(project, folder, "loop", ["fm"])[0]
    assert isinstance(loop, Extension)
    assert (loop.seconds, loop.request.strength) == (2.0, 1.0)  # half of the clip at most, and all of it new


def test_one_run_of_several_is_skipped_and_the_others_go_on(engine: FakeEngine) -> None:
    engine.may_go_on.clear()
    skipped: set[int] = set()
    stream = engine.runner().stream([generate("ar"), generate("fm"), generate("fm", 2)], skipped=skipped)
    events = []
    for event in stream:
        events.append(event)
        if engine.reached.is_set() and not skipped:
            skipped.add(1)
            engine.may_go_on.set()
    assert finals(events) == [("Done", "ar"), ("Stopped", "fm"), ("Done", "fm")]
    assert engine.done == ["ar", "fm"]


def test_a_run_that_works_is_stopped_alone(engine: FakeEngine) -> None:
    engine.may_go_on.clear()
    skipped: set[int] = set()
    events = []
    for event in engine.runner().stream([generate("ar"), generate("fm")], skipped=skipped):
        events.append(event)
        if engine.reached.is_set() and not skipped:
            skipped.add(0)
            engine.may_go_on.set()
    assert finals(events) == [("Stopped", "ar"), ("Done", "fm")]


def test_what_is_made_so_far_is_told_now_and_then(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runner, "EVENT_SECONDS", 0.0)
    monkeypatch.setattr(runner, "PARTIAL_SECONDS", 0.0)
    monkeypatch.setattr(runner, "PARTIAL_SHARE", 1e9)

    def run(request: Request, models: Any, progress: ProgressHook) -> Result:
        for step in range(1, 5):
            samples = np.full(step * RATE // 50 + 3, -0.5, np.float32)  # a peak a step, and a bit
            progress(Progress("sample", step, 4, 0.1, 0.1, lambda samples=samples: (samples, RATE)))
        return Result(request, noise(1.0, 0), {"sample": 0.1})

    device = Runner(lambda: "models", run, lambda request, models: Support())
    told = [event.peaks for event in device.stream([generate("ar")]) if isinstance(event, Running)]
    assert told == [(), (50,), (50, 50), (50,) * 3, (50,) * 4]


def test_what_is_made_so_far_is_not_decoded_more_than_it_may_cost() -> None:
    asked = []

    def run(request: Request, models: Any, progress: ProgressHook) -> Result:
        for step in range(200):
            progress(Progress("sample", step, 200, 0.1, 0.1, lambda: asked.append(1) or (np.zeros(0), RATE)))
        return Result(request, noise(1.0, 0), {"sample": 0.1})

    list(Runner(lambda: "models", run, lambda request, models: Support()).stream([generate("ar")]))
    assert len(asked) <= 1  # all of it takes far less than the time between two looks


def test_a_request_says_what_was_changed_and_what_the_words_name(tmp_path: Path) -> None:
    project = replace(project_with_clip(tmp_path), prompt="piano", follow=("chords", "melody"))
    (plain,) = requests_for(project, tmp_path, "inpaint", ["fm"])
    assert isinstance(plain, InpaintRequest)
    assert (plain.intent, plain.changed, plain.changes) == ("auto", (), False)
    assert plain.controls.grid is None  # nobody knows the beat of this recording yet
    span = project.active
    project = spans.set_span_prompt(commands.set_grid(project, 100, 3), span, "airy flute, no drums")
    project = drawing.edit_lanes(project, Lanes(melody=(LaneNote("n1", 0, 4, 60),)))
    project = spans.set_intent(project, span, "blend")
    (asked,) = requests_for(project, tmp_path, "inpaint", ["fm"])
    assert isinstance(asked, InpaintRequest)
    assert (asked.intent, asked.changed) == ("blend", ("words", "melody", "instruments"))
    assert asked.controls.grid == project.grid
    place = (asked.start, asked.end)
    assert asked.controls.instruments == (Part(*place, "flute"), Part(*place, "drums", plays=False))
    sound = project.clip.sound if project.clip else None
    again = request_from(request_to_json(asked, sound), tmp_path)
    assert isinstance(again, InpaintRequest) and replace(again, source=asked.source) == asked
    (both,) = requests_for(project, tmp_path, "inpaint", ["fm"], together=True)
    assert isinstance(both, InpaintRequest)
    assert (both.prompt, both.changed, both.controls.instruments) == ("piano", ("melody",), None)
    (made,) = requests_for(project, tmp_path, "generate", ["fm"])
    assert made.controls.instruments == (Part(0.0, project.length, "piano"),)
    (more,) = requests_for(project, tmp_path, "continue", ["fm"])
    assert isinstance(more, Extension)
    assert (more.request.intent, more.request.changed, more.request.controls.grid) == (
        "auto",
        (),
        project.grid,
    )


def test_a_request_with_an_unknown_intent_or_change_is_refused(tmp_path: Path) -> None:
    project = project_with_clip(tmp_path)
    (asked,) = requests_for(project, tmp_path, "inpaint", ["fm"])
    told = request_to_json(asked, project.clip.sound if project.clip else None)
    with pytest.raises(InputError, match="expected one of auto, blend, change"):
        request_from(told | {"intent": "loud"}, tmp_path)
    with pytest.raises(InputError, match="expected some of words"):
        request_from(told | {"changed": ["mood"]}, tmp_path)
