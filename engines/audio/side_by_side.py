"""Work on several items at once, on the processor's cores.

NumPy, SciPy and soxr let other threads go on while they compute, so that versions of a span are put together
and heard side by side. Results do not depend on the order in which they are made.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from typing import TypeVar

Item = TypeVar("Item")
Made = TypeVar("Made")
MOST = 4  # threads; more would wait for the interpreter


@cache
def _pool(process: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(min(MOST, os.cpu_count() or 1), f"side-by-side-{process}")


def each(work: Callable[[Item], Made], items: Iterable[Item]) -> list[Made]:
    """What `work` makes of every item, in their order; raises what it raises. Not to be nested."""
    return list(_pool(os.getpid()).map(work, items))
