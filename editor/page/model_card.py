"""What the page says of the models in use: name, device, licence, and what they can do."""

from __future__ import annotations

import re
from typing import Any

from editor.page.models.machine import words
from engines.checkpoints.found import Checkpoint

_DUTIES = {"CC-BY-SA-4.0": "Name the makers, share alike", "CC-BY-4.0": "Name the makers"}


def model_card(bundle: Checkpoint) -> dict[str, Any]:
    """JSON-ready: {name, file, device, licence, duty, facts}."""
    spec = bundle.spec
    return {
        "name": re.sub(r"-\d+$", "", spec.name).replace("-", " ").capitalize(),
        "file": spec.name,
        "device": words(bundle.device),
        "licence": spec.licence or "not stated",
        "duty": _DUTIES.get(spec.licence, ""),
        "facts": _facts(bundle),
    }


def _facts(bundle: Checkpoint) -> list[str]:
    """What the models can and cannot do: the first two points of the bundle's card, else its numbers."""
    card = bundle.folder / "README.md"
    text = card.read_text("utf-8", errors="replace") if card.is_file() else ""
    _, _, section = text.partition("## What it can and cannot do\n")
    lines = [" ".join(line.split()) for line in section.partition("\n## ")[0].split("\n- ")]
    points = [line.removeprefix("- ") for line in lines if line][:2]
    return points or [f"Makes up to {bundle.spec.window_seconds:g} s at once."]
