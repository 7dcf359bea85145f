"""Who is inside: browsers by their cookie, and the user that each is. Cookies stand nowhere on the disk.

A request that came in carries its user in its ASGI scope; without users the name is empty.
"""

from __future__ import annotations

import secrets
import threading
from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Mapping
from http.cookies import CookieError, SimpleCookie
from typing import Any

from starlette.datastructures import Headers
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Receive, Scope, Send

COOKIE = "inlay"
USER = "inlay.user"  # key of a request's scope
MAX_INSIDE = 10_000  # browsers; the one that came in first has to come in again
# The first says nothing: the server asks itself whether it is up. The others say nothing of users (`health`).
OPEN = ("/gradio_api/startup-events", "/healthz", "/metrics")


def user_of(scope: Mapping[str, Any]) -> str:
    """The user that a request is of; empty where there are none."""
    return str(scope.get(USER, ""))


def came_in(scope: Mapping[str, Any]) -> bool:
    """Whether a request came through a lock, by a link or a login; what did not is of this machine."""
    return USER in scope


class Visitors:
    """The browsers that have come in."""

    def __init__(self, still: Callable[[str], object] = lambda user: True) -> None:
        """`still`: whether a user may (still) come in, asked with each request; another answer than at the
        time when a browser came in, as after another password, sends it away."""
        self._still = still
        self._lock = threading.Lock()
        self._inside: OrderedDict[str, tuple[str, object]] = OrderedDict()  # cookie -> user, `still` then

    def enter(self, user: str = "") -> str:
        """A cookie, 256 random bits, for the browser of a user."""
        cookie = secrets.token_urlsafe(32)
        with self._lock:
            self._inside[cookie] = (user, self._still(user))
            while len(self._inside) > MAX_INSIDE:
                self._inside.popitem(last=False)
        return cookie

    def who(self, scope: Scope) -> str | None:
        """The user whose browser asks; None for one that has not come in, or may not any more."""
        with self._lock:
            found = self._inside.get(cookie := cookie_of(scope))
        if found is None:
            return None
        user, then = found
        if then and self._still(user) == then:
            return user
        self.leave(cookie)
        return None

    def leave(self, cookie: str) -> None:
        """Its browser has to come in again."""
        with self._lock:
            self._inside.pop(cookie, None)


def cookie_of(scope: Scope) -> str:
    """Inlay's cookie of a request, empty where it has none that can be read."""
    try:
        found = SimpleCookie(Headers(scope=scope).get("cookie", "")).get(COOKIE)
    except CookieError:
        return ""
    return found.value if found else ""


def with_cookie(answer: Response, cookie: str, request: Request) -> Response:
    """The answer with the cookie, which no script reads and no other site sends."""
    secure = request.url.scheme == "https"
    answer.set_cookie(COOKIE, cookie, httponly=True, samesite="lax", secure=secure)
    return answer


class Locked:
    """ASGI middleware: whoever has not come in is answered by the way in, and by nothing else."""

    def __init__(self, app: ASGIApp, visitors: Visitors, way: Way) -> None:
        self.app = app
        self.visitors = visitors
        self.way = way

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets in whoever is inside, with their name; the way in answers the others."""
        if scope["type"] != "http" or scope["path"] in OPEN:
            return await self.app(scope, receive, send)
        user = self.visitors.who(scope)
        answer = await self.way.answer(Request(scope, receive), user)
        if answer is not None:
            return await answer(scope, receive, send)
        return await self.app({**scope, USER: user or ""}, receive, send)


class Way(ABC):
    """A way in."""

    @abstractmethod
    async def answer(self, request: Request, user: str | None) -> Response | None:
        """What is said to a request; None lets it in. `user` is None for a browser that is not inside."""
