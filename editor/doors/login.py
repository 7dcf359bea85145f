"""How users come in: a page that asks for name and password, and the way out.

The form is the one that Gradio's clients post as well (`Client(url, auth=(name, password))`). Wrong tries are
counted by name and by address; past a few the next has to wait.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from urllib.parse import parse_qs

from markupsafe import escape
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, RedirectResponse, Response

from editor.doors.users import Users
from editor.doors.visitors import COOKIE, Visitors, Way, cookie_of, with_cookie

MAX_FORM = 8 << 10  # bytes
TRIES = 5  # wrong ones before the next has to wait
WAIT_SECONDS = 60.0  # ... for so long after the last
MAX_COUNTED = 10_000  # names and addresses
REFUSED = "Log in first: open Inlay's page in a browser, or give the client auth=(name, password)."
WRONG = "Name or password is wrong."
_PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><title>Inlay: log in</title>
<meta name="viewport" content="width=device-width, initial-scale=1"><style>
:root {{ color-scheme: light dark; }}
body {{ margin: 0; min-height: 100vh; display: grid; place-items: center;
  font: 15px/1.5 system-ui, sans-serif;
  background: light-dark(#f6f5f2, #16171a); color: light-dark(#1d1e21, #ececee); }}
form {{ width: min(320px, calc(100vw - 48px)); display: grid; gap: 14px; }}
h1 {{ font-size: 22px; margin: 0 0 6px; }}
label {{ display: grid; gap: 4px; font-size: 13px; }}
input, button {{ font: inherit; padding: 9px 11px; border-radius: 7px; box-sizing: border-box; width: 100%;
  border: 1px solid light-dark(#8a8a8f, #73757d); background: light-dark(#fff, #1f2024); color: inherit; }}
button {{ background: light-dark(#1d1e21, #ececee); color: light-dark(#fff, #16171a);
  border-color: transparent;
  cursor: pointer; margin-top: 4px; }}
:focus-visible {{ outline: 2px solid light-dark(#3b5bdb, #8da2fb); outline-offset: 2px; }}
p {{ margin: 0; color: light-dark(#b3261e, #ff9b93); min-height: 1.5em; }}
</style></head><body><main><form method="post" action="login">
<h1>Inlay</h1>
<label>Name<input name="username" autocomplete="username" autocapitalize="none" required autofocus></label>
<label>Password<input name="password" type="password" autocomplete="current-password" required></label>
<button>Log in</button><p role="alert">{said}</p></form></main></body></html>
"""


class Login(Way):
    """The page that asks for name and password."""

    def __init__(self, users: Users, visitors: Visitors, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds."""
        self._users = users
        self._visitors = visitors
        self._tries = _Tries(clock)

    async def answer(self, request: Request, user: str | None) -> Response | None:
        """Lets users in and out; who is not inside sees the form, or (a program) 401."""
        path = request.url.path.rstrip("/")
        if path == "/login" and request.method == "POST":
            return await self._log_in(request)
        if path == "/logout" and request.method == "POST":
            self._visitors.leave(cookie_of(request.scope))
            answer = RedirectResponse("/", 303)
            answer.delete_cookie(COOKIE)
            return answer
        if user is not None:
            return RedirectResponse("/", 303) if path == "/login" else None
        if path in ("", "/login") and request.method in ("GET", "HEAD"):
            return _form("")
        return PlainTextResponse(REFUSED, 401)

    async def _log_in(self, request: Request) -> Response:
        name, password = await _sent(request)
        counted = (f"name {name[:40]}", f"from {request.client.host if request.client else ''}")
        left = max(self._tries.left(each) for each in counted)
        if left > 0:
            return _refused(request, f"Too many wrong tries; wait {left:.0f} seconds.", 429, left)
        if not await run_in_threadpool(self._users.knows, name, password):
            for each in counted:
                self._tries.wrong(each)
            return _refused(request, WRONG, 401)
        for each in counted:
            self._tries.right(each)
        answer: Response = JSONResponse({"success": True})
        if _shows_pages(request):
            answer = RedirectResponse("/", 303)
        return with_cookie(answer, self._visitors.enter(name), request)


class _Tries:
    """Wrong tries of late."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._wrong: OrderedDict[str, tuple[int, float]] = OrderedDict()  # who -> how many, the last when

    def left(self, who: str) -> float:
        """Seconds until the next try counts."""
        count, last = self._wrong.get(who, (0, 0.0))
        return max(0.0, last + WAIT_SECONDS - self._clock()) if count >= TRIES else 0.0

    def wrong(self, who: str) -> None:
        """One more."""
        count, last = self._wrong.get(who, (0, 0.0))
        if self._clock() - last > 10 * WAIT_SECONDS:
            count = 0
        self._wrong[who] = (count + 1, self._clock())
        self._wrong.move_to_end(who)
        while len(self._wrong) > MAX_COUNTED:
            self._wrong.popitem(last=False)

    def right(self, who: str) -> None:
        """Forgets them."""
        self._wrong.pop(who, None)


async def _sent(request: Request) -> tuple[str, str]:
    """Name and password of a form; empty where there are none."""
    sent = bytearray()
    async for part in request.stream():
        sent += part
        if len(sent) > MAX_FORM:
            return "", ""
    fields = parse_qs(bytes(sent).decode("utf-8", "replace"), max_num_fields=20)
    return (fields.get("username", [""])[0].strip().lower(), fields.get("password", [""])[0])


def _shows_pages(request: Request) -> bool:
    return "text/html" in request.headers.get("accept", "")


def _form(said: str, status: int = 200) -> Response:
    return HTMLResponse(_PAGE.format(said=escape(said)), status, headers={"Cache-Control": "no-store"})


def _refused(request: Request, why: str, status: int, wait: float = 0.0) -> Response:
    answer = _form(why, status) if _shows_pages(request) else PlainTextResponse(why, status)
    if wait:
        answer.headers["Retry-After"] = f"{wait:.0f}"
    return answer
