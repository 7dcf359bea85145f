"""Who comes in from another machine: whoever opens a link that is good once, and their browser from then on.

A link's key is used up by the first browser that opens it, which gets a cookie for as long as the server
runs; the next link is printed then. Keys are random, 256 bits, and stand nowhere on the disk.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import PlainTextResponse, RedirectResponse, Response

from editor.doors.visitors import Visitors, Way, with_cookie

REFUSED = "Inlay is locked. Open it by the link that it printed where it runs; each link is good once."


class Keyring(Way):
    """The link's key that is good now."""

    def __init__(self, tell: Callable[[str], None], visitors: Visitors) -> None:
        """`tell` gets each new key, once the one before is used up."""
        self._tell = tell
        self._visitors = visitors
        self._lock = threading.Lock()
        self._key = secrets.token_urlsafe(32)
        tell(self._key)

    def use(self, key: str) -> bool:
        """Whether this was the key; it is used up by that."""
        with self._lock:
            if not secrets.compare_digest(key.encode(), self._key.encode()):
                return False
            self._key = secrets.token_urlsafe(32)
        self._tell(self._key)
        return True

    async def answer(self, request: Request, user: str | None) -> Response | None:
        """401 without a cookie; the link itself leads to the page, and the key leaves the address bar."""
        if user is not None:
            return None
        key = request.query_params.get("key", "")
        if request.url.path != "/" or request.method != "GET" or not key or not self.use(key):
            return PlainTextResponse(REFUSED, 401)
        return with_cookie(RedirectResponse("/", 303), self._visitors.enter(), request)
