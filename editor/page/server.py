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
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")

import gradio as gr
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response

from editor.page import theme
from editor.page.doors import LOOPBACK, Doors
from editor.page.keys import Keyring, Locked
from editor.page.page import Page
from editor.project.disk import storage
from editor.runs.device import Device
from editor.runs.pace import Pace
from editor.sessions import Sessions
from engines.errors import InputError

LATE = "inlay/late"  # where a page that is being closed sends its last edits
MAX_LATE = 1 << 20  # bytes
QUEUE_SECONDS = 0.01  # between looks of the queue: what a click waits at most before it is heard


def build_app(bundle: str = "bundle", device: str = "auto", root: Path | None = None) -> gr.Blocks:
    """The page for one bundle on one device. Projects live in `root` (the user's data folder when None)."""
    return Page(Device(bundle, device), Sessions((root or storage.default_root()).resolve())).build()


def launch_options(root: Path | None = None) -> dict[str, Any]:
    """What `Blocks.launch` needs beside host and port."""
    home = (root or storage.default_root()).resolve()
    return {
        "theme": theme.theme(),
        "css": theme.stylesheet(),
        "footer_links": [],
        "run_history": False,
        "show_error": True,
        "allowed_paths": [str(home)],
        "ssr_mode": False,
        "share": False,
        "quiet": True,
        "max_threads": 64,
    }


def is_local(host: str) -> bool:
    """Whether only this machine can reach a server at `host`."""
    return host.lower() in LOOPBACK or host.startswith("127.")


def gates(host: str, port: int) -> list[Middleware]:
    """What a request passes before it reaches the page. Beyond this machine a key is asked for."""
    if is_local(host):
        return [Middleware(Doors, hosts=tuple(dict.fromkeys([*LOOPBACK, host.lower()])))]
    everywhere = host in ("0.0.0.0", "::")
    name = "127.0.0.1" if everywhere else f"[{host}]" if ":" in host else host
    hint = " (from elsewhere: this machine's name instead of 127.0.0.1)" if everywhere else ""

    def tell(key: str) -> None:
        print(f"Inlay is open, for one browser, at http://{name}:{port}/?key={key}{hint}", flush=True)

    # Any name: a page that bends one to this machine has no cookie for it.
    return [Middleware(Doors, hosts=()), Middleware(Locked, keyring=Keyring(tell))]


def late_route(page: Page) -> Callable[[Request], Awaitable[Response]]:
    """Answers a page that is being closed, which can wait for no event: its last edits, as JSON."""

    async def answer(request: Request) -> Response:
        sent = bytearray()
        async for part in request.stream():
            sent += part
            if len(sent) > MAX_LATE:
                return Response(status_code=413)
        with suppress(ValueError, RecursionError):  # nobody would hear what is wrong with it
            await run_in_threadpool(page.edits.late, json.loads(sent))
        return Response(status_code=204)

    return answer


def serve(
    host: str = "127.0.0.1",
    port: int = 7860,
    bundle: str = "bundle",
    device: str = "auto",
    open_browser: bool = False,
    listens: bool = True,
) -> None:
    """Open the editor and stay until it is stopped. InputError when the bundle or the port is unusable.

    With `listens`, a recording is analysed as soon as it is opened.
    """
    home = storage.default_root().resolve()
    # Estimates are of this machine and this bundle.
    pace = Pace(home / f"pace-{Path(bundle).name}-{device}.json")
    shared = Device(bundle, device, pace)
    page = Page(shared, Sessions(home, place=f"http://{host}:{port}"), listens)
    app = page.build()
    threading.Thread(target=shared.warm, name="inlay-warm", daemon=True).start()
    app.queue(default_concurrency_limit=16)
    # Gradio's queue looks for work a thousand times a second: 12 % of a core, also where no page is open.
    app._queue.sleep_when_free, app._queue.progress_update_sleep_when_free = QUEUE_SECONDS, 10 * QUEUE_SECONDS
    try:
        routes, _, _ = app.launch(
            server_name=host,
            server_port=port,
            inbrowser=open_browser,
            prevent_thread_lock=True,
            app_kwargs={"middleware": gates(host, port)},
            **launch_options(),
        )
    except OSError as error:
        raise InputError(
            f"port {port} on {host}: cannot be used ({error}); choose another with --port"
        ) from error
    routes.add_api_route(f"/{LATE}", late_route(page), methods=["POST"])
    if is_local(host):
        print(f"Inlay is open at http://{host}:{port}  (Ctrl-C stops it)", flush=True)
    app.block_thread()
