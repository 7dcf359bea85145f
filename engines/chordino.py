"""Chordino, the paper's chord extractor: a GPL plugin that is an optional extra. Imports nothing of it.

Whether it is here, and what to tell the user. Reading chords from a recording with it comes with the
analysis of uploads; nothing calls it yet.
"""

from __future__ import annotations

import importlib.util

LICENCE = "GPL-2.0-or-later"


def present() -> bool:
    """Whether the plugin and its host are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("vamp", "chord_extractor"))


def notice() -> str:
    """One sentence for the page and `inlay bundle`."""
    if present():
        return f"Chordino plugin ({LICENCE}, optional): installed, to read chords from audio; not used yet."
    return (
        f"Chordino plugin ({LICENCE}, optional): missing, so chords cannot be read from audio; "
        "everything else works. `make run` installs it where there is a C++ compiler."
    )
