"""What About and the model button say: what works now and how fast, every part's licence, a report.

Speeds are what runs on this machine took last; nothing is estimated. Sends nothing anywhere.
"""

from __future__ import annotations

import os
import platform
from importlib import metadata
from typing import Any

from editor import mishaps
from editor.page.model_card import model_card
from editor.runs.device import Device
from engines.analysis import chordino
from engines.roster import ENGINES

NOT_MEASURED = "not measured here yet"
_PARTS = (  # what else is inside, and under which licence
    ("Inlay itself", "Apache-2.0", "the code of editor, engines and study"),
    ("all-MiniLM-L6-v2", "Apache-2.0", "reads the words for the engines"),
    ("basic-pitch", "Apache-2.0", "hears notes in recordings"),
    ("Small networks of the analysis", "CC-BY-SA-4.0", "hear chords, beats, key and players; made here"),
    ("Gradio", "Apache-2.0", "carries the page"),
    ("PyTorch", "BSD-3-Clause", "computes"),
    ("Inter", "OFL-1.1", "the typeface"),
)


def version() -> str:
    """Of Inlay."""
    try:
        return metadata.version("inlay")
    except metadata.PackageNotFoundError:  # run from a checkout
        return "development"


def at_work(device: Device, user: str = "") -> dict[str, Any]:
    """JSON-ready: version, engines ({tag, colour, name, words, speed}), device, licence, duty, parts, report.

    `parts` are [name, licence, words]; `report` is text. `user`: who asks, empty where there are no users;
    what went wrong with another's files is nobody else's business, so then the log is left out.
    """
    card = model_card(device.bundle)
    engines = [
        {
            "tag": spec.tag,
            "colour": spec.colour,
            "name": card["name"] if spec.module != "engines.zero_shot" else f"{card['name']}, the one of FM",
            "words": spec.words,
            "speed": speed_words(device.pace.measured(spec.name)),
        }
        for spec in ENGINES
    ]
    where = ", ".join(filter(None, (card["device"], _memory())))
    parts = [(card["file"], card["licence"], "the models: codec, AR and FM"), *_PARTS]
    return {
        "version": version(),
        "engines": engines,
        "device": where,
        "licence": card["licence"],
        "duty": card["duty"],
        "parts": [*map(list, parts), ["Chordino", "GPL", chordino.notice()]],
        "report": _report(card["file"], where, not user),
        "user": user,
    }


def speed_words(measured: tuple[float, float] | None) -> str:
    """ "10 s of music in 14 s", of (seconds of music, seconds spent)."""
    if measured is None:
        return NOT_MEASURED
    seconds, spent = measured
    return (
        f"{seconds:.3g} s of music in {spent:.2g} s"
        if spent < 10
        else f"{seconds:.3g} s of music in {spent:.0f} s"
    )


def _memory() -> str:
    """Of the machine; "" where the system does not tell."""
    try:
        size = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return ""
    return f"{size / 2**30:.0f} GB" if size > 0 else ""


def _report(bundle: str, where: str, logged: bool) -> str:
    """What whoever looks for a fault has to know; of projects only what the log names."""
    lines = [
        f"Inlay {version()}, {bundle} on {where}",
        f"Python {platform.python_version()}, {platform.platform()}",
        "",
        *_faults(logged),
    ]
    return "\n".join(lines)


def _faults(logged: bool) -> list[str]:
    """What went wrong since the server was started."""
    if not logged:
        return ["What went wrong stands in the server's log."]
    return mishaps.recent() or ["Nothing went wrong since the server was started."]
