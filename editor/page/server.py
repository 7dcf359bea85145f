"""The server: one bundle on one device, the page, and the port it answers on."""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
# Libraries fetch nothing; what the Models sheet was asked for may pass (`engines.checkpoints.hub`).
os.environ.setdefault("INLAY_KEEPS_OFFLINE", "" if "HF_HUB_OFFLINE" in os.environ else "1")
os.environ.setdefault("HF_HUB_OFFLINE", "1")

import gradio as gr
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from editor.doors import files, health
from editor.doors.ears import Ears, Listening
from editor.doors.keys import Keyring
from editor.doors.login import Login
from editor.doors.origins import LOOPBACK, Doors
from editor.doors.rates import MAX_UPLOAD, Rates
from editor.doors.tabs import OwnTabs
from editor.doors.users import Users
from editor.doors.visitors import Locked, Visitors, user_of
from editor.homes import Homes
from editor.page import scratch, theme
from editor.page.about import version
from editor.page.page import Page
from editor.project.disk import storage
from editor.runs.device import Device
from editor.runs.pace import Pace
from engines.errors import InputError

LATE = "inlay/late"  # where a page that is being closed sends its last edits
MAX_LATE = 1 << 20  # bytes
FIRST_PAGE_SECONDS = 5.0  # for so long the models give way to a page that is opened as the server starts
QUEUE_SECONDS = 0.01  # between looks of the queue: what a click waits at most before it is heard
MAX_WAITING = 1000  # events that may wait; a page sends one a gesture, and waits for the answer
MAX_AT_WORK = 4000  # events that have begun: one for each open tab, and gestures that wait for their turn


def build_app(bundle: str = "bundle", device: str = "auto", root: Path | None = None) -> gr.Blocks:
    """The page for one bundle on one device. Projects live in `root` (the user's data folder when None)."""
    return Page(Device(bundle, device), Homes((root or storage.default_root()).resolve())).build()


def launch_options() -> dict[str, Any]:
    """What `Blocks.launch` needs beside host and port. No file of a home is served by Gradio's own route."""
    return {
        "theme": theme.theme(),
        "css": theme.stylesheet(),
        "footer_links": [],
        "run_history": False,
        "show_error": True,
        "max_file_size": MAX_UPLOAD,
        "enable_monitoring": False,
        "ssr_mode": False,
        "share": False,
        "quiet": True,
        "max_threads": 64,
    }


def is_local(host: str) -> bool:
    """Whether only this machine can reach a server at `host`."""
    return host.lower() in LOOPBACK or host.startswith("127.")


def gates(host: str, port: int, users: Users | None = None, ears: Ears | None = None) -> list[Middleware]:
    """What a request passes before it reaches the page. Beyond this machine a key is asked for, or the
    name and password of a user. `ears` are told who listens for answers."""
    return [*_locks(host, port, users), *([Middleware(Listening, ears=ears)] if ears else [])]


def _locks(host: str, port: int, users: Users | None) -> list[Middleware]:
    # Where a cookie is asked for, any name: a page that bends one to this machine has no cookie for it.
    named = is_local(host) and users is None
    hosts = tuple(dict.fromkeys([*LOOPBACK, host.lower()])) if named else ()
    doors = Middleware(Doors, hosts=hosts, first=theme.first_script())
    if users is not None:
        known = Visitors(users.hash_of)
        way = Login(users, known)
        return [doors, Middleware(Locked, visitors=known, way=way), Middleware(Rates), Middleware(OwnTabs)]
    if is_local(host):
        return [doors]
    everywhere = host in ("0.0.0.0", "::")
    name = "127.0.0.1" if everywhere else f"[{host}]" if ":" in host else host
    hint = " (from elsewhere: this machine's name instead of 127.0.0.1)" if everywhere else ""

    def tell(key: str) -> None:
        print(f"Inlay is open, for one browser, at http://{name}:{port}/?key={key}{hint}", flush=True)

    visitors = Visitors()
    return [doors, Middleware(Locked, visitors=visitors, way=Keyring(tell, visitors)), Middleware(Rates)]


def late_route(page: Page) -> Callable[[Request], Awaitable[Response]]:
    """Answers a page that is being closed, which can wait for no event: its last edits, as JSON."""

    async def answer(request: Request) -> Response:
        sent = bytearray()
        async for part in request.stream():
            sent += part
            if len(sent) > MAX_LATE:
                return Response(status_code=413)
        with suppress(ValueError, RecursionError):  # nobody would hear what is wrong with it
            await run_in_threadpool(page.edits.late, json.loads(sent), user_of(request.scope))
        return Response(status_code=204)

    return answer


def _warm(device: Device, opened: threading.Event) -> None:
    """Torch and the models come behind a page, which their import would hold up; a run loads them at once."""
    opened.wait(FIRST_PAGE_SECONDS)
    device.warm()


def serve(
    host: str = "127.0.0.1",
    port: int = 7860,
    bundle: str = "bundle",
    device: str = "auto",
    open_browser: bool = False,
    listens: bool = True,
    users: Path | None = None,
    metrics: bool = False,
) -> None:
    """Open the editor and stay until it is stopped. InputError when bundle, port or users are unusable.

    With `listens`, a recording is analysed as soon as it is opened. `users`: a file of users, each of whom
    has a home of their own and logs in. `metrics`: whether figures are given at `/metrics`.
    """
    home = storage.default_root().resolve()
    named = None if users is None else Users(users)
    token = health.token_of(metrics, is_local(host) and named is None)
    scratch.take(home)
    scratch.clear_broken_uploads()
    # Estimates are of this machine and this bundle.
    pace = Pace(home / f"pace-{Path(bundle).name}-{device}.json")
    shared = Device(bundle, device, pace)
    homes = Homes(home, named is not None, place=f"http://{host}:{port}")
    ears = Ears()
    page = Page(shared, homes, listens, ears)
    app = page.build()
    app.queue(default_concurrency_limit=16, max_size=MAX_WAITING)
    # Gradio's queue looks for work a thousand times a second: 12 % of a core, also where no page is open.
    app._queue.sleep_when_free, app._queue.progress_update_sleep_when_free = QUEUE_SECONDS, 10 * QUEUE_SECONDS
    try:
        routes, _, _ = app.launch(
            server_name=host,
            server_port=port,
            inbrowser=open_browser,
            prevent_thread_lock=True,
            app_kwargs={"middleware": gates(host, port, named, ears)},
            **launch_options(),
        )
    except OSError as error:
        raise InputError(
            f"port {port} on {host}: cannot be used ({error}); choose another with --port"
        ) from error
    # Gradio's places for events that have begun are as many as its threads; most of ours hold none.
    app._queue.active_jobs.extend([None] * (MAX_AT_WORK - len(app._queue.active_jobs)))
    routes.add_api_route(f"/{LATE}", late_route(page), methods=["POST"])
    routes.add_api_route(f"/{files.FILES}/{{rest:path}}", files.route(homes.folder), methods=["GET", "HEAD"])
    routes.add_api_route(health.HEALTH, health.health(shared, version()), methods=["GET", "HEAD"])
    if token is not None:
        routes.add_api_route(health.METRICS, health.metrics(shared, token), methods=["GET"])
    threading.Thread(target=_warm, args=(shared, page.edits.opened), name="inlay-warm", daemon=True).start()
    if is_local(host) or named:
        print(f"Inlay is open at http://{host}:{port}  (Ctrl-C stops it)", flush=True)
    app.block_thread()
