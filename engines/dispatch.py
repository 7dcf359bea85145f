"""One door to the three engines: by the name in the request. Loads an engine when it is first asked for."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Protocol, cast

from engines.requests import ENGINE_NAMES, InputError, ProgressHook, Request, Result, Support

if TYPE_CHECKING:
    from engines.checkpoints import Models

ENGINES: dict[str, str] = {"ar": "engines.ar", "fm": "engines.fm", "fm-zero-shot": "engines.fm_zero_shot"}


class Engine(Protocol):
    """What the module of an engine offers."""

    def supports(self, request: Request) -> Support:
        """Whether the engine can serve the request."""
        ...

    def run(self, request: Request, models: Models, progress: ProgressHook | None = None) -> Result:
        """Serve it."""
        ...


def _engine(name: str) -> Engine:
    if name not in ENGINES:
        raise InputError(f"engine {str(name)[:24]!r}: expected {', '.join(ENGINE_NAMES)}; choose one of them")
    return cast(Engine, importlib.import_module(ENGINES[name]))


def supports(request: Request) -> Support:
    """Whether the request's engine can serve it; if not, why and what would do."""
    try:
        return _engine(request.engine).supports(request)
    except InputError as error:
        return Support(str(error))


def run(request: Request, models: Models, progress: ProgressHook | None = None) -> Result:
    """Run the request's engine. Raises InputError, or what `progress` raises (Cancelled)."""
    return _engine(request.engine).run(request, models, progress)
