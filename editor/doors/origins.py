"""Who may talk to the server: its own page alone, and what the browser is told of the page.

A browser lends its place on this machine to every page that it shows: without a look at Host and Origin
any web page could read and edit the projects of a running Inlay (DNS rebinding, requests across origins).
Pure ASGI, so that streams pass as they come. Knows no sessions.
"""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Collection, Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LOOPBACK = ("127.0.0.1", "localhost", "::1")
MAX_PAGE = 16 << 20  # bytes of a page that are held to hash the scripts in it
_HEAD = b"<head>"
_INLINE = re.compile(rb"<script(?![^>]*\bsrc=)[^>]*>(.*?)</script>", re.DOTALL | re.IGNORECASE)
# Gradio makes functions of strings for listeners that run in the browser ('unsafe-eval') and sets styles on
# elements. No handler in markup runs, and no script that the server did not send.
_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-eval' {hashes}; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' data: blob:; font-src 'self' data:; "
    "connect-src 'self' data: blob:; worker-src 'self' blob:; object-src 'none'; base-uri 'self'; "
    "form-action 'self'; frame-src 'none'; frame-ancestors 'none'"
)
_HEADERS = {
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
}


class Doors:
    """ASGI middleware: refuses foreign hosts and origins, and sends the page's policy."""

    def __init__(self, app: ASGIApp, hosts: Collection[str] = LOOPBACK, first: str = "") -> None:
        """`hosts`: names, without a port, under which browsers may know the server; empty = any.

        `first`: a script that a page runs before all that it brings.
        """
        self.app = app
        self.hosts = frozenset(hosts)
        self.first = f"<script>{first}</script>".encode() if first else b""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers what may not come in with 403 and the reason; lets the rest through."""
        if scope["type"] != "http":  # Inlay has no other doors
            return await self.app(scope, receive, send)
        refused = self.refused(Headers(scope=scope), scope.get("method", "GET"))
        if refused:
            return await PlainTextResponse(refused, 403, headers=_HEADERS)(scope, receive, send)
        return await self.app(scope, receive, _Dressed(send, self.first))

    def refused(self, headers: Headers, method: str = "GET") -> str:
        """Why a request may not come in; empty where it may."""
        host = headers.get("host", "")
        if self.hosts and (name := host_of(host)) not in self.hosts:
            return (
                f"Host {name[:80]!r} is not this server's name; expected {' or '.join(sorted(self.hosts))}. "
                "Open Inlay by the address that it printed, or start it with --host."
            )
        origin = headers.get("origin")
        if origin is not None and urlsplit(origin).netloc.lower() != host.lower():
            return f"Origin {origin[:80]!r} is another site than {host[:80]}; only Inlay's own page may ask."
        # A link to the page is all that another site may follow.
        if headers.get("sec-fetch-site") in ("cross-site", "same-site"):
            asked = headers.get("sec-fetch-mode"), headers.get("sec-fetch-dest")
            if asked != ("navigate", "document") or method != "GET":
                return "Another site asked for this; only Inlay's own page may."
        return ""


def host_of(host: str) -> str:
    """The name in a Host header, without its port: "[::1]:7860" -> "::1"."""
    name = host.strip().lower()
    if name.startswith("["):
        return name[1:].partition("]")[0]
    return name.rpartition(":")[0] if ":" in name else name


def policy(page: bytes) -> str:
    """The Content-Security-Policy of a page: its own inline scripts, by their hashes, and our files."""
    return _POLICY.format(hashes=" ".join(_hashes(_INLINE.findall(page))))


def _hashes(scripts: Iterable[bytes]) -> list[str]:
    """Of inline scripts, as a policy names them; each once."""
    found = [base64.b64encode(hashlib.sha256(script).digest()).decode() for script in scripts]
    return [f"'sha256-{digest}'" for digest in dict.fromkeys(found)]


class _Dressed:
    """Sends an answer with the headers. A page is held until it is whole: the policy names its scripts."""

    def __init__(self, send: Send, first: bytes) -> None:
        self.send = send
        self.first = first
        self.start: Message | None = None  # of a page that is held
        self.body = bytearray()

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in _HEADERS.items():
                headers[name] = value
            if headers.get("content-type", "").startswith("text/html") and "content-encoding" not in headers:
                self.start = message
                return
        if message["type"] != "http.response.body" or self.start is None:
            return await self.send(message)
        self.body += message.get("body", b"")
        if message.get("more_body") and len(self.body) < MAX_PAGE:
            return
        page = bytes(self.body).replace(_HEAD, _HEAD + self.first, 1)
        headers = MutableHeaders(scope=self.start)
        headers["Content-Security-Policy"] = policy(page)
        if "content-length" in headers:
            headers["content-length"] = str(int(headers["content-length"]) + len(page) - len(self.body))
        await self.send(self.start)
        self.start = None
        await self.send({**message, "body": page})
