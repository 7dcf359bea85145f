"""The Models sheet's other side: what it is told, downloads that go on, and a project's choice of models."""

from __future__ import annotations

import json
import logging
import sys
import threading
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest
from torch import nn

from editor.doors.visitors import USER
from editor.page.models.downloads import Downloads
from editor.page.models.sheet import Sheet
from editor.project import commands, knobs
from editor.project.disk import storage
from editor.project.document import Project
from editor.runs.device import Device
from editor.session import Session
from engines.checkpoints import found, placed, shelf
from engines.checkpoints.catalogue import entry_of
from engines.errors import InputError
from tests.hub import TOKEN, WEIGHTS, Hub

SMALL = entry_of("musicgen-small")
GATED = entry_of("stable-audio-3-small-music")


class Asked:
    """The functions that the page asks, on the tiny bundle."""

    def __init__(self, bundle: Path) -> None:
        self.downloads = Downloads()
        self.device = Device(str(bundle), "cpu")
        functions = Sheet(self.device, self.downloads, str(bundle)).functions()
        self._of = {one.__name__: one for one in functions}
        self.scope: dict[str, Any] = {}  # of the request
        self._request: Any = SimpleNamespace(request=SimpleNamespace(scope=self.scope))

    def __call__(self, function: str, **sent: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._of[function](sent, self._request)
        return answer

    def row(self, name: str) -> dict[str, Any]:
        return next(row for row in self("models")["rows"] if row["name"] == name)

    def ended(self, name: str = SMALL.name) -> None:
        """Waits until the download's thread has ended."""
        one = self.downloads._each.get(name)
        if one is not None and one.thread is not None:
            one.thread.join(60)

    def until(self, state: str) -> dict[str, Any]:
        """How the download goes once its thread has ended."""
        self.ended()
        told = self("models")["downloads"][SMALL.name]
        assert told["state"] == state
        return told


@pytest.fixture
def asked(hub: Hub, tiny_bundle: Path) -> Asked:
    return Asked(tiny_bundle)


def test_the_sheet_tells_every_model_and_asks_no_hub(asked: Asked, hub: Hub) -> None:
    told = asked("models")
    own, *others = told["rows"]
    assert (own["own"], own["state"], own["slots"]) == (True, "here", ("ar", "fm"))
    assert len(others) == 19 and not any(row["own"] for row in others)
    assert told["may"] and told["ready"] and told["downloads"] == {}
    assert 0 < told["free"] <= told["memory"]
    assert hub.asked == []


def test_the_sheet_answers_while_another_thread_imports_the_shelf(
    asked: Asked, hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    begun = ModuleType(shelf.__name__)  # as far as an import has come that was just begun
    monkeypatch.setitem(sys.modules, shelf.__name__, begun)
    told = asked("models")
    assert told["loaded"] == 0 and all(row["loading"] is None for row in told["rows"])


def test_what_a_download_takes_is_told_before_it_begins(asked: Asked, hub: Hub) -> None:
    told = asked("ask_model", name="musicgen-small")
    assert (told["total"], told["kept"], told["short"]) == (300_010, 0, 0)
    assert "unpaid work only" in told["forbids"] and not told["logged"]
    assert told["page"] == f"{hub.url}/facebook/musicgen-small"
    assert hub.sent == 0
    hub.away = True
    assert "no network" in asked("ask_model", name="musicgen-small")["error"]


def test_a_model_comes_is_here_and_can_be_removed(asked: Asked, hub: Hub) -> None:
    assert "tick the box first" in asked("do_model", act="get", name=SMALL.name)["error"]
    hub.hold = threading.Event()
    asked("do_model", act="get", name=SMALL.name, agreed=True)
    assert hub.first.wait(30)
    asked("do_model", act="get", name=SMALL.name, agreed=True)  # once more is the same one
    hub.hold.set()
    asked.ended()
    assert asked("models")["downloads"] == {}
    assert hub.sent == len(WEIGHTS)
    assert asked.row(SMALL.name)["folder"].endswith("shelf/musicgen-small")
    asked("do_model", act="remove", name=SMALL.name)
    assert asked.row(SMALL.name)["state"] == "to get"


def test_a_pause_keeps_what_came_and_a_cancel_does_not(asked: Asked, hub: Hub) -> None:
    hub.hold = threading.Event()
    asked("do_model", act="get", name=SMALL.name, agreed=True)
    assert hub.first.wait(30)
    asked("do_model", act="pause", name=SMALL.name)
    hub.hold.set()
    told = asked.until("paused")
    assert 0 < told["done"] < told["total"]
    assert asked.row(SMALL.name)["kept"] > 0
    asked("do_model", act="cancel", name=SMALL.name)
    assert asked("models")["downloads"] == {}
    assert asked.row(SMALL.name)["state"] == "to get"


def test_a_failure_stays_with_its_remedy_until_it_is_tried_again(asked: Asked, hub: Hub) -> None:
    hub.cut_after = [200_000]
    asked("do_model", act="get", name=SMALL.name, agreed=True)
    assert asked.until("failed")["why"].startswith("cut at 66 %: no network to ")
    asked("do_model", act="get", name=SMALL.name, agreed=True)
    asked.ended()
    assert asked("models")["downloads"] == {}
    assert hub.sent == len(WEIGHTS)


@pytest.mark.parametrize(("visitor", "words"), [("mira", "have users"), ("", "are reached by a link")])
def test_only_the_owner_at_this_machine_changes_anything(
    asked: Asked, hub: Hub, visitor: str, words: str, tiny_bundle: Path, tmp_path: Path
) -> None:
    placed.add(tiny_bundle, "mine")
    asked.scope[USER] = visitor  # came in through a lock
    told = asked("models")
    assert told["may"] is False and told["login"] is None
    mine = next(row for row in told["rows"] if row["name"] == "mine")
    assert str(tmp_path) not in json.dumps(told) and mine["source"] == ""
    for sent in (
        {"act": "get", "name": SMALL.name, "agreed": True},
        {"act": "add", "path": str(tiny_bundle)},
        {"act": "remove", "name": "mine"},
        {"act": "log in", "token": TOKEN, "keep": True},
        {"act": "log out"},
        {"act": "device", "device": "auto"},
        {"act": "stop", "name": "mine"},
    ):
        error = asked("do_model", **sent)["error"]
        assert words in error and "inlay models get NAME where it runs" in error
    assert words in asked("ask_model", name=SMALL.name)["error"]
    assert hub.asked == [] and asked.downloads.told() == {}
    assert placed.placed_of("mine") is not None


def test_a_token_is_given_told_of_by_its_place_alone_and_removed(
    asked: Asked, hub: Hub, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    asked("do_model", act="get", name=GATED.name)
    asked.ended(GATED.name)
    failed = asked("models")["downloads"][GATED.name]
    assert failed["refused"] and "asks for consent" in failed["why"]
    answers = [asked("do_model", act="log in", token="hf_of_somebody_else", keep=True)]
    assert "does not know it" in answers[0]["error"]
    answers.append(asked("do_model", act="log in", token=TOKEN, keep=False))
    assert answers[1]["login"]["where"] == "process"
    asked("do_model", act="get", name=GATED.name)
    asked.ended(GATED.name)
    assert asked("models")["downloads"] == {} and hub.sent == len(WEIGHTS)
    answers.append(asked("do_model", act="log in", token=TOKEN, keep=True))
    assert answers[2]["login"] == {"where": "file", "place": str(tmp_path / "hf" / "token"), "hub": hub.url}
    answers.append(asked("do_model", act="log out"))
    assert answers[3]["login"]["where"] == ""
    assert TOKEN not in json.dumps(answers) + caplog.text
    assert "somebody" not in json.dumps(answers) + caplog.text


def test_another_device_is_for_what_begins_then_and_the_first_is_freed(
    asked: Asked, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(shelf, "_open", {})
    assert [one["name"] for one in asked("models")["devices"]] == ["cpu"]  # one is no choice
    assert "no usable NVIDIA GPU" in asked("do_model", act="device", device="cuda")["error"]
    assert "expected auto, cpu or cuda" in asked("do_model", act="device", device="tpu")["error"]
    # the second of this machine's devices is its CPU under another name
    monkeypatch.setattr(found, "devices", lambda: ("cpu:0", "cpu"))
    asked.device.pace.turn_to(tmp_path / "pace-tiny-cpu.json")
    asked.device.pace.learn("fm", "inpaint", 10.0, 14.0)
    models = asked.device.models()
    models.codec()
    with models.device_lock:  # a run is under way
        asked("do_model", act="device", device="auto")
        assert (asked.device.bundle.device, models.loaded) == ("cpu:0", ("codec",))
        other = asked.device.models()
        other.codec()
        assert other is not models and asked("models")["on"] == "cpu:0"
    leaving = next((thread for thread in threading.enumerate() if thread.name == "inlay-leave"), None)
    if leaving is not None:
        leaving.join(30)
    assert (models.loaded, other.loaded) == ((), ("codec",))
    assert asked.device.pace.measured("fm") is None  # what the other one took
    asked("do_model", act="device", device="cpu")
    assert asked.device.pace.measured("fm") == (10.0, 14.0)


def test_what_is_loaded_tells_how_far_and_can_be_stopped(
    asked: Asked, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "_open", {})
    placed.add(tiny_bundle, "mine")
    models = asked.device.models().serving("mine")
    begun, go = threading.Event(), threading.Event()

    def load() -> nn.Module:
        begun.set()
        assert go.wait(30)
        return nn.Linear(1, 1)

    said: list[str] = []

    def run() -> None:
        with pytest.raises(InputError) as refused:
            models.loading.read(load, lambda read, total: None)
        said.append(str(refused.value))

    waiting = threading.Thread(target=run)
    waiting.start()
    assert begun.wait(30)
    size = sum(file.stat().st_size for file in tiny_bundle.glob("*.safetensors"))
    assert asked.row("mine")["loading"] == {"done": 0, "total": size}
    asked("do_model", act="stop", name="mine")
    waiting.join(1.0)  # although the file still blocks
    assert not waiting.is_alive() and said == ["Tiny: its loading was cancelled; run it again"]
    go.set()
    assert asked.row("mine")["loading"] is None
    assert "nothing is being loaded" in asked("do_model", act="stop", name="mine")["error"]


def test_the_choice_is_one_step_of_undo_kept_on_disk_and_stays_with_a_preset(
    tmp_path: Path, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    project = commands.set_models(Project(), ar_from="musicgen-small")
    project = commands.set_models(project, fm_from="acestep-v15-turbo")
    assert (project.settings.ar_from, project.settings.fm_from) == ("musicgen-small", "acestep-v15-turbo")
    assert knobs.preset_of(project.settings) == "As delivered"
    quick = commands.set_preset(project, "Quick sketch")
    assert (quick.settings.ar_from, knobs.preset_of(quick.settings)) == ("musicgen-small", "Quick sketch")
    assert commands.set_models(quick, ar_from="").settings.ar_from == ""
    with pytest.raises(InputError, match="expected a name of the Models sheet"):
        commands.set_models(project, ar_from="../../etc")
    folder = storage.new_project(tmp_path / "home").folder
    storage.save_project(folder, project)
    assert storage.open_project(folder).project == project
    monkeypatch.setenv("INLAY_MODELS", str(tmp_path / "shelf"))
    for name in ("mine", "yours"):
        placed.add(tiny_bundle, name)
    session = Session(tmp_path / "other")
    session.apply("set_models", {"ar_from": "mine"})
    session.apply("set_models", {"fm_from": "yours"})
    session.apply("undo", {})
    now = session.project.settings
    assert (now.ar_from, now.fm_from, session.history.undo_label) == ("mine", "", "models")
    with pytest.raises(InputError, match="none of that name is here"):
        session.apply("set_models", {"fm_from": "nobody"})
