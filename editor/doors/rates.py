"""How much one visitor may ask of a server that others can reach: requests a second and the size of one.

A visitor is a user, or an address where there are no users. Token buckets: what was saved up may be spent at
once. Sizes are looked at as they come, whatever a header says.
"""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass

from starlette.datastructures import Headers
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from editor.doors.visitors import user_of

MAX_VISITORS = 10_000
UPLOAD = "/gradio_api/upload"


@dataclass(frozen=True)
class Rate:
    """So many at once, and so many more each second."""

    burst: float
    second: float


REQUESTS = Rate(2000, 50)  # a page comes in about two hundred pieces
UPLOADS = Rate(30, 0.5)
MAX_UPLOAD = 2 << 30  # bytes: an hour of stereo in 32-bit floats at 96 kHz is 2.8 GB, at 48 kHz 1.4
MAX_BODY = 64 << 20  # bytes of any other request


class Rates:
    """ASGI middleware: 429 for what comes too often, 413 for what is too large, in words."""

    def __init__(self, app: ASGIApp, clock: Callable[[], float] = time.monotonic) -> None:
        """`clock`: seconds."""
        self.app = app
        self._clock = clock
        # (visitor, kind) -> (left, when)
        self._left: OrderedDict[tuple[str, str], tuple[float, float]] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Lets through what is neither."""
        if scope["type"] != "http":
            return await self.app(scope, receive, send)
        upload = scope["path"].startswith(UPLOAD) and scope["method"] == "POST"
        who = user_of(scope) or (scope["client"][0] if scope.get("client") else "")
        wait = self._wait(who, "request", REQUESTS)
        if upload and not wait:
            wait = self._wait(who, "upload", UPLOADS)
        if wait:
            words = f"Too many {'uploads' if upload else 'requests'}; wait {math.ceil(wait)} seconds."
            headers = {"Retry-After": str(math.ceil(wait))}
            return await PlainTextResponse(words, 429, headers=headers)(scope, receive, send)
        most = MAX_UPLOAD if upload else MAX_BODY
        declared = Headers(scope=scope).get("content-length", "0")
        if not declared.isdigit() or len(declared) > 18 or int(declared) > most:
            return await PlainTextResponse(_too_large(most), 413)(scope, receive, send)
        await self.app(scope, _Counted(receive, most), send)

    def _wait(self, who: str, kind: str, rate: Rate) -> float:
        """Seconds until one more may come; 0 takes it."""
        now = self._clock()
        left, when = self._left.get((who, kind), (rate.burst, now))
        left = min(rate.burst, left + (now - when) * rate.second)
        taken = left >= 1
        self._left[who, kind] = (left - taken, now)
        self._left.move_to_end((who, kind))
        while len(self._left) > 2 * MAX_VISITORS:
            self._left.popitem(last=False)
        return 0.0 if taken else (1 - left) / rate.second


class _Counted:
    """Receives a body until it is larger than may be; then nobody is there any more."""

    def __init__(self, receive: Receive, most: int) -> None:
        self._receive = receive
        self._left = most

    async def __call__(self) -> Message:
        message = await self._receive()
        if message["type"] == "http.request":
            self._left -= len(message.get("body", b""))
            if self._left < 0:
                return {"type": "http.disconnect"}
        return message


def _too_large(most: int) -> str:
    return f"Larger than {most / 2**30:.3g} GB, the most that comes at once; cut it, or use a smaller format."
