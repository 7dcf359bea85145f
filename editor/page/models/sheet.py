"""What the Models sheet shows and does: every model with its licence, size and state, and getting one.

JSON-ready. Speeds are what runs on this machine took; memory is what a run on a model takes. Sizes are bytes.
Whoever came by a link or has to log in sees all of it and changes nothing: disk, network, token and device
are the owner's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from editor.mishaps import in_one_line
from editor.page.about import speed_words
from editor.page.contract import Payload
from editor.page.model_card import model_card
from editor.page.models import machine
from editor.page.models.downloads import Downloads
from editor.page.seats import is_owner, user
from editor.runs.device import Device
from engines.checkpoints import hub, login, memory, placed
from engines.checkpoints.catalogue import entry_of, known
from engines.checkpoints.library import available, endpoint
from engines.checkpoints.stock import EXTRA, OWN, Row, row_of, stock
from engines.errors import InputError

LARGE = 1_000_000_000  # bytes from which on a download is asked about first


class Sheet:
    """The functions by whose names the page asks."""

    def __init__(self, device: Device, downloads: Downloads, own: str = OWN) -> None:
        """`own` is the server's own bundle, by name or path."""
        self.device = device
        self.downloads = downloads
        self.own = own
        self._acts: dict[str, Callable[[Payload], object]] = {
            "get": self._get,
            "pause": lambda sent: downloads.pause(_name(sent)),
            "cancel": self._cancel,
            "remove": lambda sent: placed.remove(_name(sent)),
            "add": lambda sent: downloads.add(Path(sent.text("path", 4096).strip())),
            "convert": self._convert,
            "stop": lambda sent: machine.stop_loading(row_of(_name(sent), own).folder),
            "log in": lambda sent: login.log_in(sent.text("token", 10_000), sent.flag("keep")),
            "log out": lambda sent: login.log_out(),
            "device": lambda sent: device.use(sent.text("device", 10)),
        }

    def functions(self) -> Iterator[Callable[..., Any]]:
        """Each is a function of what the page sends and the request; their names are the endpoints'."""

        def models(_: Any, request: gr.Request) -> dict[str, Any]:
            """Every model, the downloads, and what the machine has."""
            return self._answer(request, lambda: None)

        def ask_model(sent: Any, request: gr.Request) -> dict[str, Any]:
            """{"name"} -> what getting it takes: sizes, place, login; or {"error": one line}."""
            try:
                with in_one_line("models"):
                    _guard(request)
                    return _asked(_name(Payload("models", sent)))
            except InputError as error:
                return {"error": str(error)}

        def do_model(sent: Any, request: gr.Request) -> dict[str, Any]:
            """{"act", ...}: get, pause, cancel, remove, add, log in and others; what the sheet shows then."""
            return self._answer(request, lambda: self._do(Payload("models", sent), request))

        yield from (models, ask_model, do_model)

    def _answer(self, request: gr.Request, act: Callable[[], object]) -> dict[str, Any]:
        try:
            with in_one_line("models"):
                act()
                return self._told(is_owner(request))
        except InputError as error:
            return {"error": str(error)}

    def _do(self, sent: Payload, request: gr.Request) -> None:
        _guard(request)
        name = sent.text("act", 20)
        if name not in self._acts:
            raise InputError(f"models: act {name!r} is none that this server knows; reload the page")
        self._acts[name](sent)

    def _get(self, sent: Payload) -> None:
        if self.downloads.again(name := _name(sent)):
            return
        entry = entry_of(name)
        if not entry.licence.commercial and not (sent.has("agreed") and sent.flag("agreed")):
            raise InputError(f"{entry.title}: not for commercial use; tick the box first")
        self.downloads.start(entry)

    def _cancel(self, sent: Payload) -> None:
        name = _name(sent)
        self.downloads.cancel(name, lambda: placed.forget(entry_of(name)))

    def _convert(self, sent: Payload) -> None:
        row = row_of(_name(sent), self.own)
        if row.mend != "convert":
            raise InputError(f"{row.title}: nothing to convert in it; add the folder that was released")
        self.downloads.add(Path(row.folder), f"{row.name}-converted")

    def _told(self, owner: bool) -> dict[str, Any]:
        coming = self.downloads.told()
        rows = stock(self.own)
        there = {row.name for row in rows}
        added = [
            Row(name, one["title"], "your own", size=one["total"], state="part", source=one["source"])
            for name, one in coming.items()
            if name not in there
        ]
        loading = machine.loading()
        each = [self._row(row, loading) for row in (*rows, *added)]
        return machine.told(self.device) | {
            "rows": each if owner else list(map(_abroad, each)),
            "downloads": coming if owner else {},
            "device": machine.words(self.device.bundle.device),
            "may": owner,
            "ready": available(),
            "extra": EXTRA,
            "large": LARGE,
            "login": _login() if owner and available() else None,
        }

    def _row(self, row: Row, loading: dict[Path, dict[str, int]]) -> dict[str, Any]:
        kind = (row.channels, "ar" in row.slots)
        here = row.folder and row.state == "here"
        told = row.to_json() | {
            "own": row.name == self.own,
            "need": memory.need(Path(row.folder), *kind) if here else memory.need_to_get(row.size, *kind),
            "speed": "",
            "page": _page(row.name),
            "loading": loading.get(Path(row.folder).resolve()) if row.folder else None,
        }
        if row.name == self.own:
            told["title"] = model_card(self.device.bundle)["name"]
            measured = self.device.pace.measured("fm")
            told["speed"] = speed_words(measured) if measured else ""
        return told


def _abroad(told: dict[str, Any]) -> dict[str, Any]:
    """A row without what only its owner needs to know: folders of this machine."""
    why = "Not usable; whoever runs this server can mend it" if told["why"] else ""
    return told | {"folder": "", "source": "", "why": why, "mend": "", "remedy": ""}


def _page(name: str) -> str:
    """A public model's page on the hub; empty for others."""
    entry = known(name)
    return f"{endpoint()}/{entry.repository}" if entry is not None else ""


def _name(sent: Payload) -> str:
    return sent.text("name", 80)


def _guard(request: gr.Request) -> None:
    """InputError for whoever is not at this machine: disk, network, token and device are its owner's."""
    if not is_owner(request):
        who = "have users" if user(request) else "are reached by a link"
        raise InputError(
            f"models: on servers that {who}, whoever runs them gets models for all; ask there. It goes by "
            "inlay models get NAME where it runs, after hf auth login for those that ask for consent"
        )


def _login() -> dict[str, str]:
    """Where the hub's token is; never the token."""
    now = login.login()
    return {"where": now.where, "place": _homely(now.place), "hub": endpoint()}


def _asked(name: str) -> dict[str, Any]:
    entry = entry_of(name)
    wanted = hub.ask(entry)
    return {
        "name": name,
        "total": wanted.total,
        "kept": wanted.kept,
        "free": wanted.free,
        "short": wanted.short,
        "cache": _homely(wanted.cache),
        "hub": endpoint(),
        "page": _page(name),
        "allows": entry.licence.allows,
        "forbids": entry.licence.forbids,
        "logged": hub.logged_in(),
        "login": _login(),
    }


def _homely(folder: Path) -> str:
    """A folder for people: ~ for the user's home."""
    return f"~/{folder.relative_to(Path.home())}" if folder.is_relative_to(Path.home()) else str(folder)
