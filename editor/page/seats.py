"""Which session a request is about: of its user's home, the one that its tab shows."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import gradio as gr

from editor.doors.visitors import came_in, user_of
from editor.homes import Homes
from editor.session import Session
from editor.sessions import Sessions


class Seats:
    """The sessions of a server, as the page's listeners find them."""

    def __init__(self, homes: Homes) -> None:
        self.homes = homes

    def sessions(self, request: gr.Request) -> Sessions:
        """The tabs of the user who asks."""
        return self.homes.of(user(request))

    def of(self, request: gr.Request) -> Session:
        """The session of the tab that asks; a new one for a tab not seen before."""
        return self.sessions(request).of(request.session_hash)


def user(request: gr.Request) -> str:
    """The user who asks; empty where there are none."""
    return user_of(_scope(request))


def in_turn(request: gr.Request) -> str:
    """Who takes turns with others before the device: the user, or the tab where there are none."""
    return user(request) or f"tab {request.session_hash}"


def is_owner(request: gr.Request) -> bool:
    """Whether who asks is at this machine itself: no visitor of a link, nobody who has to log in."""
    return not came_in(_scope(request))


def _scope(request: gr.Request) -> Mapping[str, Any]:
    # Gradio's wraps the server's own; functions that the page asks by name get that one as it is.
    return getattr(getattr(request, "request", request), "scope", None) or {}
