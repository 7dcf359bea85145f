"""A tab belongs to the user who opened it: another who knows its name hears and sends nothing by it.

Gradio names a tab by `session_hash`: in a query, in a path, or in the JSON or form of a request.
"""

from __future__ import annotations

import json
import re
import threading
from collections import OrderedDict
from urllib.parse import parse_qs

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from editor.doors.visitors import user_of

MAX_TABS = 100_000
REFUSED = "This tab is another user's; reload the page."
_HEARTBEAT = re.compile(r"/gradio_api/(?:heartbeat|stream)/([^/]+)")
_SPEAKS = re.compile(r"/gradio_api/(?:queue/join|run/|api/|call/|component_server|reset|cancel|stream/)")
_IN_FORM = re.compile(rb'name="session_hash"\r\n(?:[^\r\n]+\r\n)*\r\n([^\r\n]{0,200})')


class OwnTabs:
    """ASGI middleware behind the log-in."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app
        self._lock = threading.Lock()
        self._owner: OrderedDict[str, str] = OrderedDict()  # tab -> user

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """403 for a tab of another user."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        tab = _named(scope)
        if scope["method"] == "POST" and _SPEAKS.match(scope["path"]):
            body, receive = await _whole(receive)
            tab = tab or _in_body(body)
        if tab and not self._is_of(tab, user_of(scope)):
            return await PlainTextResponse(REFUSED, 403)(scope, receive, send)
        return await self.app(scope, receive, send)

    def _is_of(self, tab: str, user: str) -> bool:
        """Whether a tab is a user's; one that is new becomes theirs."""
        with self._lock:
            owner = self._owner.setdefault(tab, user)
            self._owner.move_to_end(tab)
            while len(self._owner) > MAX_TABS:
                self._owner.popitem(last=False)
        return owner == user


def _named(scope: Scope) -> str:
    """The tab that query or path names; empty for none."""
    found = _HEARTBEAT.match(scope["path"])
    if found:
        return found[1]
    query: bytes = scope.get("query_string", b"")
    return parse_qs(query.decode("latin-1")).get("session_hash", [""])[0]


async def _whole(receive: Receive) -> tuple[bytes, Receive]:
    """A body, and how it is received once more. Its size was looked at before."""
    messages: list[Message] = []
    while True:
        messages.append(message := await receive())
        if message["type"] != "http.request" or not message.get("more_body"):
            break
    waiting = iter(messages)

    async def again() -> Message:
        message = next(waiting, None)
        return await receive() if message is None else message

    return b"".join(message.get("body", b"") for message in messages), again


def _in_body(body: bytes) -> str:
    """The tab that a body names; empty for none."""
    try:
        sent = json.loads(body)
    except (ValueError, RecursionError):
        found = _IN_FORM.search(body)
        return found[1].decode("utf-8", "replace") if found else ""
    tab = sent.get("session_hash") if isinstance(sent, dict) else None
    return tab if isinstance(tab, str) else ""
