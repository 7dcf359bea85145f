"""How Gradio calls the listeners: which share a line, how many at once, what is shown meanwhile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Updates = dict[Any, Any]  # component -> what it shows from now on
Listener = Callable[..., Any]  # gives Updates, or yields them
Telling = Callable[[Listener], Listener]  # of `follow.Follower`

# A click waits until all that was done before it is saved, and what is done after it waits for its answer.
TURN = "async (_, ...rest) => [await window.inlay.turn(), ...rest]"
QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
# They wait for their turn in `lines`, where a tab's gestures keep their order and no project stalls another.
EDITS: dict[str, Any] = {**QUIET, "concurrency_id": "edits", "concurrency_limit": None}
GESTURES: dict[str, Any] = {**EDITS, "trigger_mode": "multiple"}
ANALYSES: dict[str, Any] = {**QUIET, "concurrency_id": "listening", "concurrency_limit": 16}
# Any number tells of runs that wait; the device itself works on one. A run in line can be cancelled.
RUNS: dict[str, Any] = {**QUIET, "concurrency_id": "runs", "concurrency_limit": None}
WAKES: dict[str, Any] = {**QUIET, "concurrency_id": "wakes", "concurrency_limit": None}
AT_ONCE: dict[str, Any] = {**QUIET, "queue": False}  # stops something: waits for nothing
