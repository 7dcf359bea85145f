"""The hub's library at its first use, its address, and what lets it out where libraries are kept offline."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from engines.errors import InputError

SECONDS = 10.0  # without a word from the hub
_asking = 0  # how many are at the hub just now
_asking_lock = threading.Lock()


def endpoint() -> str:
    """The hub's address."""
    return (os.environ.get("HF_ENDPOINT") or "https://huggingface.co").rstrip("/")


def available() -> bool:
    """Whether the library is installed."""
    try:
        library()
    except InputError:
        return False
    return True


def library() -> Any:
    """The hub's library; InputError where it is not installed."""
    try:
        import huggingface_hub
        import huggingface_hub.constants  # it loads its parts late, and these not at all unless asked
        import huggingface_hub.utils
    except ImportError as error:
        raise InputError(
            "getting models needs huggingface_hub, which is not installed; pip install 'inlay[models]'"
        ) from error
    return huggingface_hub


@contextmanager
def online() -> Iterator[None]:
    """Let requests out where only Inlay itself keeps libraries from them, as its server does."""
    library()
    if not os.environ.get("INLAY_KEEPS_OFFLINE"):
        yield
        return
    from huggingface_hub import constants

    global _asking
    with _asking_lock:
        _asking += 1
        constants.HF_HUB_OFFLINE = False
    try:
        yield
    finally:
        with _asking_lock:
            _asking -= 1
            constants.HF_HUB_OFFLINE = _asking == 0
