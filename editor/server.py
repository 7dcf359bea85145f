"""The server: one bundle on one device, the page, and the port it answers on."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")

import gradio as gr

from editor import storage, theme
from editor.device import Device
from editor.session import Pace, Sessions
from editor.ui import Page
from engines.requests import InputError


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
    app = Page(shared, Sessions(home), listens).build()
    threading.Thread(target=shared.warm, name="inlay-warm", daemon=True).start()
    app.queue(default_concurrency_limit=16)
    try:
        app.launch(
            server_name=host,
            server_port=port,
            inbrowser=open_browser,
            prevent_thread_lock=True,
            **launch_options(),
        )
    except OSError as error:
        raise InputError(
            f"port {port} on {host}: cannot be used ({error}); choose another with --port"
        ) from error
    print(f"Inlay is open at http://{host}:{port}  (Ctrl-C stops it)", flush=True)
    app.block_thread()
