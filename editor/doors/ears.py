"""Who listens for answers: nothing is made for a tab, or a call of another program, that nobody listens to.

Gradio's answers go by a stream of the tab (`queue/data`) or of one call (`call/NAME/ID`), which the client
opens beside its question.
"""

from __future__ import annotations

import re
import threading
from collections import Counter
from urllib.parse import parse_qs

from starlette.types import ASGIApp, Receive, Scope, Send

from engines.errors import InputError

PATIENCE_SECONDS = 10.0  # between a question and the stream for its answers
_CALL = re.compile(r"/gradio_api/call/(?:v2/)?[^/]+/([0-9a-f]{32})/?")


class Ears:
    """The streams that are open, by the tab or the call that they are of."""

    def __init__(self) -> None:
        self._open: Counter[str] = Counter()
        self._changed = threading.Condition()

    def hear(self, name: str, seconds: float = PATIENCE_SECONDS) -> None:
        """Wait until somebody listens for a tab or a call. InputError where nobody comes."""
        with self._changed:
            if not self._changed.wait_for(lambda: self._open[name] > 0, seconds):
                raise InputError("nobody listens for what is made; open the stream of answers, and ask again")

    def hears(self, name: str) -> bool:
        """Whether somebody listens now."""
        with self._changed:
            return self._open[name] > 0

    def opened(self, name: str) -> None:
        """A stream was opened."""
        with self._changed:
            self._open[name] += 1
            self._changed.notify_all()

    def closed(self, name: str) -> None:
        """A stream was closed."""
        with self._changed:
            self._open[name] -= 1
            if self._open[name] <= 0:
                del self._open[name]


class Listening:
    """ASGI middleware: tells the ears of the streams that go through it."""

    def __init__(self, app: ASGIApp, ears: Ears) -> None:
        self.app = app
        self.ears = ears

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets everything through."""
        name = _stream(scope) if scope["type"] == "http" and scope["method"] == "GET" else ""
        if not name:
            return await self.app(scope, receive, send)
        self.ears.opened(name)
        try:
            await self.app(scope, receive, send)
        finally:
            self.ears.closed(name)


def _stream(scope: Scope) -> str:
    """The tab or call whose answers a request asks for; empty for another request."""
    if scope["path"].rstrip("/") == "/gradio_api/queue/data":
        query: bytes = scope.get("query_string", b"")
        return parse_qs(query.decode("latin-1")).get("session_hash", [""])[0]
    found = _CALL.fullmatch(scope["path"])
    return found[1] if found else ""
