"""Gradio without what it makes for programmers of components: more than half of its import's time.

For each class of a component Gradio parses its module, renders a stub (.pyi) for editors and writes it
beside the module, and renders the docstrings of its events. Nothing of it is read where a page is served.
Works for a Gradio that is imported after this; one that has changed is imported as it is.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from functools import partial
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType
from typing import Any


def _nothing(*_: Any, **__: Any) -> None:
    pass


def _without_stubs(module: ModuleType) -> None:
    if hasattr(module, "create_or_modify_pyi"):
        module.create_or_modify_pyi = _nothing  # type: ignore[attr-defined]  # a module may be given any


def _without_docstrings(module: ModuleType) -> None:
    if hasattr(getattr(module, "EventListener", None), "set_doc"):
        module.EventListener.set_doc = _nothing


_SPARED: dict[str, Callable[[ModuleType], None]] = {
    "gradio.component_meta": _without_stubs,
    "gradio.events": _without_docstrings,
}


class _Finder(MetaPathFinder):
    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        change = _SPARED.get(fullname)
        spec = PathFinder.find_spec(fullname, path, target) if change else None
        if change and spec and spec.loader:  # a loader belongs to its spec alone
            execute = spec.loader.exec_module
            setattr(spec.loader, "exec_module", partial(_executed, execute, change))  # noqa: B010
        return spec


def _executed(
    execute: Callable[[ModuleType], None], change: Callable[[ModuleType], None], module: ModuleType
) -> None:
    execute(module)
    change(module)


def spare() -> None:
    """Have Gradio imported so from now on. Idempotent."""
    if not any(isinstance(finder, _Finder) for finder in sys.meta_path):
        sys.meta_path.insert(0, _Finder())
