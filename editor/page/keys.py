"""Who comes in from another machine: whoever opens a link that is good once, and their browser from then on.

ASGI middleware behind the doors, for a server that listens beyond this machine. A link's key is used up by
the first browser that opens it, which gets a cookie for as long as the server runs; the next link is
printed then. Keys and cookies are random, 256 bits, and stand nowhere on the disk. Knows no sessions.
"""

from __future__ import annotations

import secrets
import threading
from collections.abc import Callable
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qs

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse, RedirectResponse
from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE = "inlay"
OPEN = ("/gradio_api/startup-events",)  # says nothing; the server asks itself whether it is up
REFUSED = "Inlay is locked. Open it by the link that it printed where it runs; each link is good once."


class Keyring:
    """The link's key that is good now, and the browsers that came in by earlier ones."""

    def __init__(self, tell: Callable[[str], None]) -> None:
        """`tell` gets each new key, once the one before is used up."""
        self._tell = tell
        self._lock = threading.Lock()
        self._inside: set[str] = set()
        self._key = secrets.token_urlsafe(32)
        tell(self._key)

    def use(self, key: str) -> str:
        """The cookie for the browser that brings the key; empty where it is not, or not any more, the key."""
        with self._lock:
            if not secrets.compare_digest(key.encode(), self._key.encode()):
                return ""
            cookie = secrets.token_urlsafe(32)
            self._inside.add(cookie)
            self._key = secrets.token_urlsafe(32)
        self._tell(self._key)
        return cookie

    def knows(self, cookie: str) -> bool:
        """Whether a browser has come in by a link."""
        with self._lock:
            return cookie in self._inside


class Locked:
    """ASGI middleware: 401 for whoever has neither a key nor a cookie."""

    def __init__(self, app: ASGIApp, keyring: Keyring) -> None:
        self.app = app
        self.keyring = keyring

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets in who has come by a link, and by the link itself leads to the page."""
        if scope["type"] != "http" or scope["path"] in OPEN or self.keyring.knows(_cookie(scope)):
            return await self.app(scope, receive, send)
        key = parse_qs(scope.get("query_string", b"").decode("latin-1")).get("key", [""])[0]
        cookie = self.keyring.use(key) if scope["path"] == "/" and scope["method"] == "GET" and key else ""
        if not cookie:
            return await PlainTextResponse(REFUSED, 401)(scope, receive, send)
        answer = RedirectResponse("/", 303)  # the key leaves the address bar
        answer.set_cookie(COOKIE, cookie, httponly=True, samesite="lax", secure=scope["scheme"] == "https")
        return await answer(scope, receive, send)


def _cookie(scope: Scope) -> str:
    """Inlay's cookie of a request, empty where it has none that can be read."""
    try:
        found = SimpleCookie(Headers(scope=scope).get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""
