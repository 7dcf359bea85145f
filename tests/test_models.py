"""The Models sheet's other side: what it is told, downloads that go on, and a project's choice of models."""

from __future__ import annotations

import threading
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from editor.page.models.downloads import Downloads
from editor.page.models.sheet import sheet
from editor.project import commands, knobs
from editor.project.disk import storage
from editor.project.document import Project
from editor.runs.device import Device
from editor.session import Session
from engines.checkpoints import placed
from engines.checkpoints.catalogue import entry_of
from engines.errors import InputError
from tests.hub import WEIGHTS, Hub

SMALL = entry_of("musicgen-small")


class Asked:
    """The functions that the page asks, on the tiny bundle."""

    def __init__(self, bundle: Path, user: str = "") -> None:
        self.downloads = Downloads()
        device = Device(str(bundle), "cpu")
        self._of = {one.__name__: one for one in sheet(device, self.downloads, str(bundle))}
        self._request: Any = SimpleNamespace(request=SimpleNamespace(scope={"inlay_user": user}))
        self.user = user

    def __call__(self, function: str, **sent: Any) -> dict[str, Any]:
        answer: dict[str, Any] = self._of[function](sent, self._request)
        return answer

    def row(self, name: str) -> dict[str, Any]:
        return next(row for row in self("models")["rows"] if row["name"] == name)

    def ended(self) -> None:
        """Waits until the download's thread has ended."""
        one = self.downloads._each.get(SMALL.name)
        if one is not None and one.thread is not None:
            one.thread.join(60)

    def until(self, state: str) -> dict[str, Any]:
        """How the download goes once its thread has ended."""
        self.ended()
        told = self("models")["downloads"][SMALL.name]
        assert told["state"] == state
        return told


@pytest.fixture
def asked(hub: Hub, tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch) -> Asked:
    monkeypatch.setattr("editor.page.models.sheet.user", lambda request: request.request.scope["inlay_user"])
    return Asked(tiny_bundle)


def test_the_sheet_tells_every_model_and_asks_no_hub(asked: Asked, hub: Hub) -> None:
    told = asked("models")
    own, *others = told["rows"]
    assert (own["own"], own["state"], own["slots"]) == (True, "here", ("ar", "fm"))
    assert len(others) == 19 and not any(row["own"] for row in others)
    assert told["may"] and told["ready"] and told["downloads"] == {}
    assert 0 < told["free"] <= told["memory"]
    assert hub.asked == []


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


def test_where_there_are_users_only_the_owner_gets_models(asked: Asked, hub: Hub) -> None:
    asked._request.request.scope["inlay_user"] = "mira"
    assert asked("models")["may"] is False
    for sent in ({"act": "get", "name": SMALL.name}, {"act": "add", "path": "/etc"}):
        assert "whoever runs this server" in asked("do_model", **sent)["error"]
    assert hub.asked == []


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
