"""Keep freed memory in the process instead of giving it back to the system at once.

The codec's convolutions allocate and free tensors of tens of megabytes at every layer. glibc maps
each anew, and the page faults take longer than the arithmetic (`python -m study.runtime` prints the
ratio). Does nothing on systems without glibc.
"""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress

_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3  # parameters of glibc's mallopt
_LARGEST = 2**31 - 1  # mallopt takes an int
_done = False


def give_back_memory() -> None:
    """Give what is free by now back to the system, once: loading takes twice what is held in the end."""
    with suppress(OSError, AttributeError):  # musl and others
        ctypes.CDLL(None).malloc_trim(0)


def keep_freed_memory() -> bool:
    """Tell glibc's allocator to serve large blocks [bytes] from its heap; True when it agreed. Idempotent."""
    global _done
    if _done or not sys.platform.startswith("linux"):
        return _done
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):  # musl and others
        return False
    pairs = ((_MMAP_THRESHOLD, _LARGEST), (_TRIM_THRESHOLD, _LARGEST), (_TOP_PAD, 64 << 20))
    _done = all([mallopt(name, value) == 1 for name, value in pairs])
    return _done
