"""What a machine asks of the server: whether it is up (`/healthz`), and its figures (`/metrics`, if wanted).

Neither says anything of users, projects or words. Memory is bytes. Knows no sessions.
"""

from __future__ import annotations

import os
import secrets
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from editor.runs.device import Device
from editor.runs.traffic.counts import gauge
from engines.errors import InputError
from engines.roster import ENGINES

HEALTH, METRICS = "/healthz", "/metrics"
TOKEN = "INLAY_METRICS_TOKEN"
_FORMAT = "text/plain; version=0.0.4; charset=utf-8"
Answer = Callable[[Request], Awaitable[Response]]


def token_of(wanted: bool, alone: bool) -> str | None:
    """What has to be sent for figures: "" = nothing, None = there are none. InputError where one is missing.

    `alone`: whether only this machine, and nobody who logs in, can reach the server.
    """
    token = os.environ.get(TOKEN, "")
    if wanted and not alone and len(token) < 16:
        raise InputError(
            f"--metrics: others can reach this server; set {TOKEN} to a secret of 16 characters or more"
        )
    return token if wanted else None


def health(device: Device, version: str) -> Answer:
    """Answers {status, version, device, waiting}: jobs in line, the one at work among them."""

    async def answer(request: Request) -> Response:
        waiting = sum(device.runner.waiting().values())
        return JSONResponse(
            {"status": "ok", "version": version, "device": device.bundle.device, "waiting": waiting},
            headers={"Cache-Control": "no-store"},
        )

    return answer


def metrics(device: Device, token: str) -> Answer:
    """Answers with the figures to who sends `Authorization: Bearer TOKEN`, or to all where it is empty."""

    async def answer(request: Request) -> Response:
        sent = request.headers.get("authorization", "").encode("utf-8", "replace")
        if token and not secrets.compare_digest(sent, f"Bearer {token}".encode()):
            return PlainTextResponse(f"Send Authorization: Bearer, and what {TOKEN} holds.", 401)
        return PlainTextResponse(figures(device), media_type=_FORMAT)

    return answer


def figures(device: Device) -> str:
    """The page of figures, in Prometheus' text format 0.0.4."""
    runner = device.runner
    lines = runner.counts.metrics(runner.waiting(), tuple(spec.name for spec in ENGINES))
    # what was not imported, or is being imported by another thread, has loaded nothing
    opened = getattr(sys.modules.get("engines.checkpoints.shelf"), "opened", list)
    lines += gauge("inlay_models_loaded", "Checkpoints in memory.", len(opened()))
    lines += gauge("inlay_resident_bytes", "Memory of the server's process.", _resident())
    return "\n".join(lines) + "\n"


def _resident() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except (OSError, ValueError, IndexError):  # no Linux
        return 0
    return pages * os.sysconf("SC_PAGE_SIZE")
