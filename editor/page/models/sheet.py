"""What the Models sheet shows and does: every model with its licence, size and state, and getting one.

JSON-ready. Speeds are what runs on this machine took; sizes of memory are estimates from above, as loading
has them. Sizes are bytes.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import gradio as gr

from editor.mishaps import in_one_line
from editor.page.about import speed_words
from editor.page.contract import Payload
from editor.page.model_card import model_card
from editor.page.models.downloads import Downloads
from editor.page.seats import user
from editor.runs.device import Device
from engines.checkpoints import hub, placed
from engines.checkpoints.catalogue import entry_of
from engines.checkpoints.stock import OWN, Row, stock
from engines.errors import InputError

LARGE = 1_000_000_000  # bytes from which on a download is asked about first
_IN_MEMORY = 2.3  # times the size on the disk, as `checkpoints.memory` has it without loading torch here


def sheet(device: Device, downloads: Downloads, own: str = OWN) -> Iterator[Callable[..., Any]]:
    """The functions by whose names the page asks; `own` is the server's own bundle, by name or path."""

    def models(_: Any, request: gr.Request) -> dict[str, Any]:
        """Every model, the downloads, and what the machine has."""
        try:
            with in_one_line("models"):
                return _told(device, downloads, own, user(request))
        except InputError as error:
            return {"error": str(error)}

    def ask_model(sent: Any, request: gr.Request) -> dict[str, Any]:
        """{"name"} -> what getting it takes: sizes, place, login; or {"error": one line}."""
        try:
            with in_one_line("models"):
                _guard(user(request))
                return _asked(Payload("models", sent).text("name", 80))
        except InputError as error:
            return {"error": str(error)}

    def do_model(sent: Any, request: gr.Request) -> dict[str, Any]:
        """{"act", "name", "path", "agreed"}: get, pause, cancel, remove, add; what the sheet shows then."""
        try:
            with in_one_line("models"):
                _guard(user(request))
                _do(Payload("models", sent), downloads)
                return _told(device, downloads, own, user(request))
        except InputError as error:
            return {"error": str(error)}

    yield from (models, ask_model, do_model)


def _guard(user: str) -> None:
    """Disk and folders of a server with users are its owner's."""
    if user:
        raise InputError(
            "models: whoever runs this server gets them for all, with inlay models get NAME; ask there"
        )


def _do(sent: Payload, downloads: Downloads) -> None:
    act = sent.text("act", 20)
    if act == "add":
        placed.add(Path(sent.text("path", 4096).strip()))
        return
    name = sent.text("name", 80)
    if act == "get":
        entry = entry_of(name)
        if not entry.licence.commercial and not (sent.has("agreed") and sent.flag("agreed")):
            raise InputError(f"{entry.title}: not for commercial use; tick the box first")
        downloads.start(entry)
    elif act == "pause":
        downloads.pause(name)
    elif act == "cancel":
        downloads.cancel(entry_of(name))
    elif act == "remove":
        placed.remove(name)
    else:
        raise InputError(f"models: act {act!r} is none that this server knows; reload the page")


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
        "hub": hub.endpoint(),
        "page": f"{hub.endpoint()}/{entry.repository}",
        "allows": entry.licence.allows,
        "forbids": entry.licence.forbids,
        "logged": hub.logged_in(),
    }


def _told(device: Device, downloads: Downloads, own: str, user: str) -> dict[str, Any]:
    card = model_card(device.bundle)
    free, total = _memory()
    return {
        "rows": [_row(row, device, own) for row in stock(own)],
        "downloads": downloads.told(),
        "device": card["device"],
        "loaded": _loaded(),
        "free": free,
        "memory": total,
        "may": not user,
        "ready": hub.available(),
        "large": LARGE,
    }


def _row(row: Row, device: Device, own: str) -> dict[str, Any]:
    told = row.to_json() | {"own": row.name == own, "need": round(row.size * _IN_MEMORY), "speed": ""}
    if row.name == own:
        told["title"] = model_card(device.bundle)["name"]
        measured = device.pace.measured("fm")
        told["speed"] = speed_words(measured) if measured else ""
    return told


def _loaded() -> int:
    """Bytes of the models in memory; asks nothing where torch is not loaded yet."""
    shelf, memory = (sys.modules.get(f"engines.checkpoints.{name}") for name in ("shelf", "memory"))
    if shelf is None or memory is None:
        return 0
    return sum(memory.size_in_memory(models.folder) for models in shelf.opened())


def _memory() -> tuple[int, int]:
    """Bytes that are free, and all; zeros where the system does not tell."""
    try:
        lines = dict(line.split(":") for line in Path("/proc/meminfo").read_text("ascii").splitlines())
        free, total = (int(lines[key].split()[0]) * 1024 for key in ("MemAvailable", "MemTotal"))
    except (OSError, ValueError, KeyError, IndexError):
        return 0, 0
    return free, total


def _homely(folder: Path) -> str:
    """A folder for people: ~ for the user's home."""
    return f"~/{folder.relative_to(Path.home())}" if folder.is_relative_to(Path.home()) else str(folder)
