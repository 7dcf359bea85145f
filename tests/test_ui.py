"""The page as a Gradio app: what is public, what is loaded, and what its wiring answers."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from dataclasses import asdict, fields
from functools import partial
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gradio as gr
import numpy as np
import pytest

from editor.homes import Homes
from editor.page import page as ui
from editor.page import server, theme
from editor.page.listeners import arrivals
from editor.page.listeners.questions import questions
from editor.project import knobs as settings
from editor.project.disk import library
from editor.project.document import Settings
from editor.runs import runner
from editor.runs.device import Device
from editor.runs.runner import Runner
from engines.analysis import chordino
from engines.audio.recording import Recording, from_float, write_recording
from engines.errors import InputError
from engines.progress import Progress
from engines.requests import ARSettings, FMSettings, Guidance, Support

ROOT = Path(__file__).resolve().parents[1]


async def collected(answers: AsyncIterator[dict[Any, Any]]) -> list[dict[Any, Any]]:
    """All that a listener yields."""
    return [updates async for updates in answers]


class Tab:
    """Calls the page's listeners as a tab would."""

    def __init__(self, page: ui.Page, name: str) -> None:
        self.page = page
        self.request: Any = SimpleNamespace(session_hash=name)

    def send(self, listener: str, data: Any) -> dict[Any, Any]:
        event: Any = SimpleNamespace(_data=data)
        updates: dict[Any, Any] = attrgetter(listener)(self.page)(event, self.request)
        return updates

    def type(self, name: str, /, **payload: Any) -> dict[Any, Any]:
        """Something into a field of the panel."""
        return self.send("edits.edit", {"rev": 0, "name": name, "payload": payload, "field": "typed"})

    def fill(self, words: str, seed: int, length: float | None, **turned: Any) -> None:
        """The panel before a run."""
        self.type("set_prompt", prompt=words, span="")
        self.type("set_seed", seed=seed)
        self.type("set_length", seconds=length)
        self.type("set_settings", **turned)

    def start(self, kind: Any, *filled: Any, **turned: Any) -> list[dict[Any, Any]]:
        """A run to its end, what stands in the panel `filled` in before."""
        if filled:
            self.fill(*filled, **turned)
        return asyncio.run(collected(self.page.runs.starter(kind)(0, self.request)))


@pytest.fixture(scope="module")
def built(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[ui.Page, gr.Blocks]:
    root = tmp_path_factory.mktemp("home")

    async def build() -> tuple[ui.Page, gr.Blocks]:
        page = ui.Page(Device(str(tiny_bundle), "cpu"), Homes(root), listens=False)
        return page, page.build()

    return asyncio.run(build())  # outside a running loop, Gradio makes loops that it never closes


@pytest.fixture
def song_file(song: Recording, tmp_path: Path) -> Path:
    path = tmp_path / "song.wav"
    write_recording(path, song)
    return path


@pytest.fixture
def page(built: tuple[ui.Page, gr.Blocks]) -> ui.Page:
    return built[0]


@pytest.fixture
def tab(page: ui.Page, request: pytest.FixtureRequest) -> Tab:
    return Tab(page, request.node.name)


def test_only_the_api_is_public(built: tuple[ui.Page, gr.Blocks]) -> None:
    config = built[1].get_config_file()
    assert config["dependencies"]
    public = [
        dep["api_name"]
        for dep in config["dependencies"]
        if dep.get("api_visibility") != "private" and dep["targets"][0][1] != "unload"
    ]
    assert public == ["run", "analyze"]


def test_how_an_event_goes_is_shown_on_one_small_component(built: tuple[ui.Page, gr.Blocks]) -> None:
    """Gradio copies all that such a component holds with each word of an event: never the document."""
    page, app = built
    shown = [dep["show_progress_on"] for dep in app.get_config_file()["dependencies"]]
    assert shown == [[page.layout.saved._id]] * len(shown)


def test_what_a_tab_shows_already_is_not_told_a_third_time(page: ui.Page) -> None:
    mine, other = gr.Request(session_hash="mine"), gr.Request(session_hash="another")
    button, document = page.layout.undo, page.layout.timeline
    can = [True]

    def answer(request: Any) -> dict[Any, Any]:
        box = gr.update(info="about 2 s")
        return {button: gr.update(interactive=can[0]), document: gr.skip(), page.layout.engines[0]: box}

    telling = page.follower.telling(answer)
    told = [button in telling(mine) for _ in range(4)]
    can[0] = False
    told += [button in telling(mine) for _ in range(3)]
    assert told == [True, True, False, False, True, True, False]
    again = telling(mine)
    assert document in again and page.layout.engines[0] in again  # one ticks that box oneself
    assert button in telling(other)


@pytest.mark.slow
def test_nothing_asks_the_network_at_start() -> None:
    asked = "os.environ['GRADIO_ANALYTICS_ENABLED'], os.environ['HF_HUB_OFFLINE']"
    code = f"import editor.page.server, os; print({asked})"
    environment = {
        key: value
        for key, value in os.environ.items()
        if key not in ("GRADIO_ANALYTICS_ENABLED", "HF_HUB_OFFLINE")
    }
    told = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["False", "1"]
    css = theme.stylesheet()
    assert "http://" not in css.replace("http://www.w3.org/2000/svg", "") and "https://" not in css
    assert "__FONT__" not in css
    assert "fonts.googleapis" not in str(theme.theme().font)


def test_an_edit_answers_with_the_whole_document(page: ui.Page, tab: Tab) -> None:
    shown = tab.send(
        "edits.edit",
        {
            "rev": 5,
            "name": "draw_chords",
            "payload": {"chords": [{"start": 0, "end": 4, "symbol": "Am7", "id": "c1"}]},
        },
    )
    document = shown[page.layout.timeline]
    assert (document.rev, document.chords[0].symbol, document.undo) == (5, "Am7", "draw chord")
    assert shown[page.layout.undo]["interactive"] is True


def test_a_lane_edit_that_is_refused_is_taken_back_and_says_why(page: ui.Page, tab: Tab) -> None:
    hit = {"id": "h.1", "time": 1, "drum": "kick"}
    shown = tab.send("edits.edit", {"rev": 7, "id": "e1", "name": "draw_hits", "payload": {"drums": [hit]}})
    told = "draw hits was taken back: id 'h.1': expected letters, digits, - and _ only"
    assert (shown[page.layout.timeline].rev, shown[page.layout.timeline].drums) == (7, [])
    assert shown[page.layout.timeline].error == told
    session = page.seats.of(tab.request)
    assert page.view.shown(session)[page.layout.timeline].error == told  # whatever else is answered meanwhile
    # One that cannot be read at all is answered as well: the page has shown it and waits.
    long = tab.send("edits.edit", {"rev": 8, "name": "x" * 41, "payload": {}})[page.layout.timeline]
    assert (long.rev, bool(long.error)) == (8, True)
    good = tab.send(
        "edits.edit", {"rev": 9, "name": "draw_hits", "payload": {"drums": [{**hit, "id": "h1"}]}}
    )
    assert (len(good[page.layout.timeline].drums), good[page.layout.timeline].error) == (1, None)


def test_the_page_is_told_which_engines_and_models_there_are(page: ui.Page) -> None:
    row = page.layout.timeline.props["engines"][2]
    assert (row["tag"], row["words"], row["colour"]) == ("ZS", "Steered to fit", "zs")
    card = page.layout.timeline.props["model"]
    assert card["device"].startswith("CPU, ") and card["licence"] and card["facts"]


@pytest.mark.parametrize(
    "data",
    [
        None,
        {"rev": 1, "name": "no_such", "payload": {}},
        {"rev": 1, "name": "keep", "payload": {"id": "../../etc/passwd"}},
        {"rev": 1, "name": "add_span", "payload": {"start": float("nan"), "end": 2}},
        {
            "rev": 1,
            "name": "draw_chords",
            "payload": {"chords": [{"start": 0, "end": 4, "symbol": "<b>", "id": "c"}]},
        },
    ],
)
def test_hostile_edits_answer_with_an_error_and_the_old_document(page: ui.Page, tab: Tab, data: Any) -> None:
    document = tab.send("edits.edit", data)[page.layout.timeline]
    assert document.error and "\n" not in document.error
    assert document.chords == [] and document.region is None


def test_only_files_from_the_upload_folder_are_read(
    page: ui.Page, tab: Tab, song: Recording, tmp_path: Path
) -> None:
    outside = tmp_path / "private.wav"
    write_recording(outside, song)
    document = tab.send("arrivals.upload", {"path": str(outside), "name": "private.wav"})[
        page.layout.timeline
    ]
    assert document.clip is None and document.error and "did not arrive" in document.error
    assert outside.exists()


def test_an_upload_is_put_on_the_timeline(
    page: ui.Page, tab: Tab, song: Recording, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "get_upload_folder", lambda: str(tmp_path))
    write_recording(tmp_path / "song.wav", song)
    shown = tab.send("arrivals.upload", {"path": str(tmp_path / "song.wav"), "name": "song.wav"})
    assert shown[page.layout.timeline].clip.seconds == 4
    assert shown[page.layout.inpaint]["interactive"] is False  # no span yet
    shown = tab.send("edits.edit", {"rev": 1, "name": "add_span", "payload": {"start": 1, "end": 2.5}})
    assert shown[page.layout.inpaint] == gr.update(value="Inpaint 1.00–2.50 s", interactive=True)
    shown = tab.send("edits.edit", {"rev": 2, "name": "add_span", "payload": {"start": 2, "end": 1}})
    document = shown[page.layout.timeline]
    assert "the end must follow the start" in document.error and document.region.end == 2.5


@pytest.mark.parametrize(("end", "pitches", "words"), [(2.0, [67], None), (0.5, [], "must follow the start")])
def test_what_was_played_comes_in_one_step_with_what_was_sung_and_never_in_its_way(
    page: ui.Page,
    tab: Tab,
    song: Recording,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    end: float,
    pitches: list[int],
    words: str | None,
) -> None:
    monkeypatch.setattr(arrivals, "get_upload_folder", lambda: str(tmp_path))
    write_recording(tmp_path / "sung.wav", song)
    note = {"id": "n1", "start": 1.0, "end": end, "pitch": 67}
    played = {"name": "record_notes", "payload": {"melody": [note], "remove": []}}
    sent = {"path": str(tmp_path / "sung.wav"), "name": "Microphone.wav", "at": 0.0, "played": played}
    document = tab.send("arrivals.upload", sent)[page.layout.timeline]
    assert document.clip.seconds == 4 and document.past == 1 and document.undo == "record"
    assert [one.pitch for one in document.melody] == pitches
    assert document.error is None if words is None else words in document.error
    document = tab.send("edits.edit", {"rev": 1, "name": "undo", "payload": {}})[page.layout.timeline]
    assert document.clip is None and document.melody == []


def test_an_example_comes_with_its_words_and_lanes(page: ui.Page, tab: Tab) -> None:
    shown = tab.send("arrivals.upload", {"path": "", "name": "", "example": "11.flac"})
    document = shown[page.layout.timeline]
    assert document.clip.label == "ballad.flac" and len(document.drums) == 18
    assert "tempo 70" in shown[page.layout.prompt] and shown[page.layout.tempo] == 70
    assert shown[page.layout.follow] == ["chords", "melody", "drums"]
    again = tab.send("arrivals.upload", {"path": "", "name": "", "example": "../examples.json"})[
        page.layout.timeline
    ]
    assert "not installed" in again.error and again.clip.label == "ballad.flac"


def test_runs_take_what_stands_in_the_fields(page: ui.Page, tab: Tab) -> None:
    tab.start("generate", "lo-fi", 11, 1.0, steps=2, top_k=0)
    takes = page.seats.of(tab.request).project.takes
    assert [(take.engine, take.seed, take.prompt, take.seconds) for take in takes] == [
        ("fm", 11, "lo-fi", 1.0),
        ("ar", 11, "lo-fi", 1.0),
    ]


def test_variations_and_ticks_count_as_they_stand(page: ui.Page, tab: Tab) -> None:
    tab.type("set_variations", count=2)
    tab.type("set_engines", engines=["fm"])
    tab.start("generate", "lo-fi", 11, 1.0, steps=2)
    takes = page.seats.of(tab.request).project.takes
    assert [(take.engine, take.seed) for take in takes] == [("fm", 11), ("fm", 12)]


def test_a_run_that_cannot_be_says_why_in_the_status(page: ui.Page, tab: Tab) -> None:
    (shown,) = tab.start("inpaint", "", 0, 10)
    assert "nothing to inpaint" in shown[page.layout.status]
    (shown,) = tab.start("generate", "x" * 10_000, 0, 10)
    assert "10000 characters" in shown[page.layout.status]
    (shown,) = tab.start("generate", "", 0, 10, steps=0)
    assert "FM steps 0: expected 1-1000" in shown[page.layout.status]


@pytest.mark.parametrize(("start", "end", "said"), [(1, 1.05, "frames"), (1, 125, "at most 120 s")])
def test_spans_that_no_engine_can_fill_say_why(
    page: ui.Page,
    tab: Tab,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    start: float,
    end: float,
    said: str,
) -> None:
    monkeypatch.setattr(arrivals, "get_upload_folder", lambda: str(tmp_path))
    noise = np.random.default_rng(0).uniform(-0.2, 0.2, (130 * 8000, 1)).astype(np.float32)
    write_recording(tmp_path / "song.wav", from_float(noise, 8000))
    tab.send("arrivals.upload", {"path": str(tmp_path / "song.wav"), "name": "song.wav"})
    tab.send("edits.edit", {"rev": 1, "name": "add_span", "payload": {"start": start, "end": end}})
    tab.start("inpaint", "", 0, 10, steps=2)
    session = page.seats.of(tab.request)
    assert [run.state for run in session.run.tracks] == ["failed"] * 3
    assert said in session.run.tracks[0].note, session.run.tracks[0].note


def test_knobs_reach_the_engines_and_empty_ones_change_nothing(page: ui.Page, tab: Tab) -> None:
    session = page.seats.of(tab.request)
    session.apply("set_settings", dict.fromkeys(page.layout.knobs))
    ar, fm = page.fields.resolved(session)
    assert ar == ARSettings() and fm == FMSettings(zero_shot=page.view.bundle.spec.zero_shot)
    turned: dict[str, Any] = {"steps": 8, "solver": "midpoint", "schedule": "sway", "guidance": 2.5}
    turned |= {"text_guidance": 0.5, "temperature": 0.7, "top_k": 40, "top_p": 0.9, "cooling": 0.2}
    turned |= {"candidates": 3, "fm_candidates": 2, "zero_shot": "search", "budget": 64}
    tab.type("set_settings", **turned)
    ar, fm = page.fields.resolved(session)
    weights = Guidance(all=2.5, text=0.5)
    assert ar == ARSettings(0.7, 40, 0.9, weights, 0.2, 3)
    assert fm == FMSettings("midpoint", 8, weights, "search", "sway", budget=64, candidates=2)
    for wrong in ({"steps": 0}, {"solver": "nonsense"}, {"guidance": float("nan")}, {"temperature": "hot"}):
        assert "place-error" in tab.type("set_settings", **wrong)[page.layout.knob_error]
    assert page.fields.resolved(session) == (ar, fm)
    assert session.folder
    shown = Tab(page, "reloaded").send("edits.open", {"project": session.folder.name})
    assert [shown[page.layout.knobs[name]] for name in ("steps", "guidance", "top_k")] == [8, 2.5, 40]


def test_a_preset_sets_the_knobs_and_a_turned_knob_is_ones_own(page: ui.Page, tab: Tab) -> None:
    session = page.seats.of(tab.request)
    tab.type("set_settings", steps=8, temperature=0.7)
    assert page.view.shown(session)[page.layout.preset] == settings.CUSTOM
    sent = {"rev": 1, "name": "set_preset", "payload": {"name": "Small variation"}, "field": "chosen"}
    shown = tab.send("edits.edit", sent)
    assert shown[page.layout.preset] == "Small variation"
    assert [shown[page.layout.knobs[name]] for name in ("strength", "steps", "temperature")] == [
        0.35,
        25,
        1.0,
    ]
    shown = tab.send("edits.edit", {"rev": 2, "name": "undo", "payload": {}})
    assert session.project.settings.steps == 8 and shown[page.layout.knobs["steps"]] == 8
    with pytest.raises(InputError, match="expected one of As delivered"):
        session.apply("set_preset", {"name": "Loud"})


@pytest.mark.parametrize("name", settings.PRESETS)
def test_every_preset_is_within_the_knobs_bounds(name: str) -> None:
    chosen = settings.preset(name)
    assert settings.turned(Settings(), asdict(chosen)) == chosen
    assert settings.preset_of(chosen) == name


def test_every_knob_and_action_has_a_tooltip(page: ui.Page, built: tuple[ui.Page, gr.Blocks]) -> None:
    chosen = {"ar_from", "fm_from"}  # in the Models sheet
    assert set(page.layout.knobs) == {field.name for field in fields(Settings)} - chosen
    told = page.layout.timeline.get_config()["props"]["tips"]
    shown = {part["props"].get("elem_id") for part in built[1].get_config_file()["components"]}
    assert set(told) <= shown
    for knob in page.layout.knobs.values():
        assert len(told[knob.elem_id]) > 10, knob.label


def test_undo_shows_the_fields_as_they_were(page: ui.Page, tab: Tab) -> None:
    tab.type("set_prompt", prompt="first", span="")
    shown = tab.send("edits.edit", {"rev": 1, "id": "u1", "name": "undo", "payload": {}})
    assert shown[page.layout.prompt] == "" and shown[page.layout.timeline].redo == "prompt"
    again = tab.send("edits.edit", {"rev": 2, "id": "u1", "name": "undo", "payload": {}})  # sent by a reload
    assert again[page.layout.timeline].redo == "prompt" and page.layout.prompt not in again
    shown = tab.send("edits.edit", {"rev": 3, "id": "r1", "name": "redo", "payload": {}})
    assert shown[page.layout.prompt] == "first"


def test_words_go_to_what_they_were_typed_for(page: ui.Page, tab: Tab) -> None:
    session = page.seats.of(tab.request)
    for id, start in (("a", 1), ("b", 4)):
        session.apply("add_span", {"id": id, "start": start, "end": start + 1})
    session.apply("set_span_own", {"id": "a", "own": True})
    assert session.project.span is not None and session.project.span.id == "b"  # while words for a still come
    tab.type("set_prompt", prompt="brass", span="a")
    tab.type("set_follow", lanes=["drums"], span="a")
    tab.type("set_prompt", prompt="piano", span="")
    spans = {span.id: span for span in session.project.spans}
    assert (session.project.prompt, spans["a"].prompt, spans["b"].prompt) == ("piano", "brass", None)
    assert spans["a"].follow == ("drums",) and session.project.follow == ("chords",)
    session.apply("delete_span", {"id": "a"})
    tab.type("set_prompt", prompt="gone", span="a")
    shown = tab.type("set_prompt", prompt="x" * 10_000, span="")
    assert session.project.prompt == "piano" and "10000 characters" in shown[page.layout.prompt_error]


def test_the_bundle_and_what_is_missing_are_named(page: ui.Page, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(chordino, "present", lambda: False)
    about = page.layout._about()
    assert "tiny" in about and "CC0-1.0" in about
    assert "Chordino" in about and "GPL-2" in about and "missing" in about
    monkeypatch.setattr(chordino, "present", lambda: True)
    assert "GPL-2" in page.layout._about() and "installed" in page.layout._about()


def test_only_what_needs_a_length_asks_for_one(page: ui.Page, tab: Tab) -> None:
    (shown,) = tab.start("inpaint", "", 0, None)
    assert "nothing to inpaint" in shown[page.layout.status]
    for kind in ("generate", "continue", "intro"):
        (shown,) = tab.start(kind, "", 0, 300)
        assert "expected 1-120 s" in shown[page.layout.status]
    (shown,) = tab.start("continue", "", 0, 4)
    assert "nothing to continue" in shown[page.layout.status]
    slot = tab.type("set_length", seconds=300)
    assert "Length 300 s" in slot[page.layout.knob_error]


def test_a_missing_bundle_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        server.build_app(str(tmp_path / "nowhere"))


def test_a_project_is_opened_copied_and_begun_in_its_tab(page: ui.Page, tab: Tab, song_file: Path) -> None:
    session = page.seats.of(tab.request)
    session.upload(song_file, "song.wav")
    session.heard(tab.request.session_hash, 7)
    assert session.folder
    shown = tab.send("edits.project", {"action": "copy", "name": "Second", "rev": 9})
    copy = shown[page.layout.timeline]
    assert shown[page.layout.name] == "Second" and copy.project != session.folder.name and copy.rev == 9
    shown = tab.send("edits.project", {"action": "new", "rev": 10})
    assert shown[page.layout.timeline].clip is None and shown[page.layout.timeline].rev == 10
    shown = tab.send("edits.project", {"action": "open", "folder": session.folder.name, "rev": 11})
    assert (
        shown[page.layout.timeline].project == session.folder.name and shown[page.layout.timeline].rev == 11
    )
    for wrong in (None, {}, {"action": "delete"}, {"action": "open", "folder": "../.."}, {"action": "open"}):
        shown = tab.send("edits.project", wrong)
        assert (
            shown[page.layout.timeline].project == session.folder.name and shown[page.layout.timeline].error
        )


def test_a_zip_that_is_dropped_opens_as_a_project(
    page: ui.Page, tab: Tab, song_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = page.homes.of("").of("zipped")
    session.upload(song_file, "song.wav")
    assert session.folder
    monkeypatch.setattr(arrivals, "get_upload_folder", lambda: str(tmp_path))
    target = tmp_path / "x.zip"
    library.pack(session.folder, target)
    shown = tab.send("arrivals.upload", {"path": str(target), "name": "work.zip"})
    assert shown[page.layout.timeline].clip.label == "song.wav"
    assert shown[page.layout.timeline].project != session.folder.name
    target.write_bytes(b"no zip")
    assert (
        "zip: damaged"
        in tab.send("arrivals.upload", {"path": str(target), "name": "x.zip"})[page.layout.timeline].error
    )


def test_what_the_page_asks_for_is_answered_or_refused_in_one_line(
    page: ui.Page, tab: Tab, song_file: Path
) -> None:
    session = page.seats.of(tab.request)
    session.upload(song_file, "song.wav")
    assert session.folder
    asked = (partial(ask, request=tab.request) for ask in questions(page.seats, page.device))
    export_file, recent_projects, picture, sections, at_work, ghost_of_take = asked
    answer = export_file({"project": session.folder.name, "kind": "flac"})
    assert answer["name"] == "song.flac" and "exports/clip.flac" in answer["url"]
    for wrong in (None, 3, {}, {"project": ".."}, {"project": session.folder.name, "kind": "exe"},
                  {"project": session.folder.name, "kind": "request", "take": "../x"}):  # fmt: skip
        error = export_file(wrong)["error"]
        assert error and "\n" not in error
    assert "\n" not in sections({"project": ".."})["error"]
    assert sections({"project": session.folder.name})["sections"]
    assert session.folder.name in [entry["folder"] for entry in recent_projects(None)]
    assert len(picture({"project": session.folder.name})["peaks"]) == 128
    assert picture({"project": ".."}) == picture(None) == {"peaks": [], "span": None}
    assert at_work(None)["licence"]
    assert "error" in ghost_of_take({"project": session.folder.name, "take": "t9"})


def test_a_generated_clip_is_named_heard_and_shown(
    page: ui.Page, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(page.homes.of(""), "listens", True)
    shown = tab.start("generate", "lo-fi piano", 3, 1.0, steps=2)
    named = [update[page.layout.name] for update in shown if page.layout.name in update]
    assert named == ["Lo-fi piano"]
    *_, last = page.runs.listen(tab.request)
    assert last[page.layout.hear]["value"] == "Analyse clip" and page.layout.key in last
    assert list(page.runs.listen(tab.request)) == [{page.layout.hearing: gr.skip()}]  # once


def test_an_uploaded_recording_is_heard_and_its_lanes_filled(
    page: ui.Page, tab: Tab, tmp_path: Path, song_file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(arrivals, "get_upload_folder", lambda: str(tmp_path))
    monkeypatch.setattr(page.arrivals, "listens", True)
    shown = tab.send("arrivals.upload", {"path": str(song_file), "name": "song.wav"})
    assert shown[page.layout.hear]["value"] == "Stop listening"
    *_, last = page.arrivals.listen(tab.request)
    assert {chord.symbol for chord in last[page.layout.timeline].chords} <= {"A", "Amaj7", "A6"}
    assert last[page.layout.timeline].chords and "chords" in last[page.layout.follow]
    assert "drawn" in last[page.layout.hearing] and last[page.layout.hear]["value"] == "Analyse clip"
    assert last[page.layout.timeline].undo == "lanes from the audio"


def test_a_lane_that_was_drawn_is_replaced_only_when_asked(page: ui.Page, tab: Tab, song_file: Path) -> None:
    session = page.seats.of(tab.request)
    session.upload(song_file, "song.wav")
    session.apply("draw_chords", {"chords": [{"start": 0, "end": 4, "symbol": "F#m"}]})
    *_, last = page.arrivals.analyse(0, tab.request)
    assert {chord.symbol for chord in last[page.layout.timeline].chords} == {"F#m"}
    assert last[page.layout.replace] == gr.update(visible=True)
    shown = page.arrivals.replace_lanes(0, tab.request)
    assert "F#m" not in {chord.symbol for chord in shown[page.layout.timeline].chords}
    assert shown[page.layout.replace] == gr.update(visible=False)


def test_a_page_that_closes_sends_its_last_edits_once(page: ui.Page, tab: Tab) -> None:
    name = "page-that-closes-0123456789"
    tab.send("edits.open", {"project": "", "page": name})
    edits = [{"rev": 0, "id": f"e{seed}", "name": "set_seed", "payload": {"seed": seed}} for seed in (1, 2)]
    wrong = {"rev": 0, "id": "e3", "name": "set_seed", "payload": {"seed": "x"}}
    page.edits.late({"page": name, "edits": [edits[0], wrong, edits[1]]})
    session = page.seats.of(tab.request)
    assert session.project.seed == 2 and len(session.history.past) == 1
    session.undo()
    page.edits.late({"page": name, "edits": edits})
    assert session.project.seed == 0
    hostile: list[object] = [
        None,
        [],
        {"page": name},
        {"page": "", "edits": edits},
        {"page": name, "edits": [1]},
    ]
    for sent in [*hostile, {"page": "of-somebody-else-012345", "edits": edits}]:
        page.edits.late(sent)
    assert session.project.seed == 0


def test_a_run_in_line_is_cancelled_while_the_device_works_for_others(
    built: tuple[ui.Page, gr.Blocks], monkeypatch: pytest.MonkeyPatch
) -> None:
    """More tabs than Gradio had places for: each run is in line at once, and Cancel waits for nobody."""
    page, app = built
    assert {fn.concurrency_limit for fn in app.fns.values() if fn.concurrency_id == "runs"} == {None}
    go = threading.Event()

    def busy(job: Any, models: Any, progress: Any) -> Any:
        while not go.wait(0.01):
            progress(Progress("sample", 1, 10, 0.0, None))
        raise InputError("enough")

    stub = Runner(lambda: None, busy, lambda request, models: Support())
    monkeypatch.setattr(page.device, "runner", stub)
    tabs = [Tab(page, f"line-{index}") for index in range(20)]
    for each in tabs:
        each.fill("words", 1, 2.0)
        each.type("set_engines", engines=["fm"])

    def states() -> list[list[str]]:
        return [[track.state for track in page.seats.of(each.request).run.tracks] for each in tabs]

    async def press_cancel_in_the_last() -> list[list[str]]:
        tasks = []
        for each in tabs:
            started = page.runs.starter("generate")(0, each.request)
            tasks.append(asyncio.create_task(collected(started)))
            while not page.seats.of(each.request).run.running:
                await asyncio.sleep(0)
        while states()[0] != ["running"]:
            await asyncio.sleep(0)
        await asyncio.to_thread(tabs[-1].send, "runs.skip", {"run": ""})
        await tasks[-1]  # while the first has the device
        seen = states()
        go.set()
        await asyncio.gather(*tasks)
        return seen

    assert asyncio.run(press_cancel_in_the_last()) == [["running"], *[["waiting"]] * 18, ["cancelled"]]


def test_what_is_cancelled_while_it_is_prepared_does_not_begin(
    page: ui.Page, tab: Tab, monkeypatch: pytest.MonkeyPatch
) -> None:
    tab.fill("words", 1, 2.0)
    session = page.seats.of(tab.request)
    order = session.order

    def pressed_meanwhile(*asked: Any) -> Any:
        tab.send("runs.skip", {"run": ""})
        return order(*asked)

    monkeypatch.setattr(session, "order", pressed_meanwhile)
    (updates,) = tab.start("generate")
    assert "cancelled before it began" in str(updates[page.layout.status]).lower()
    assert not session.run.running and not session.run.tracks


def test_a_full_line_lets_nobody_in(page: ui.Page, tab: Tab, monkeypatch: pytest.MonkeyPatch) -> None:
    tab.fill("words", 1, 2.0)
    monkeypatch.setattr(runner, "MAX_WAITING", 0)
    (updates,) = tab.start("generate")
    assert "wait in line on this server already" in updates[page.layout.status]
    assert not page.seats.of(tab.request).run.running
