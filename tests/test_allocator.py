"""Freed memory stays with the process: large blocks cause no new page faults."""

from __future__ import annotations

import platform
import subprocess
import sys

from engines.checkpoints.allocator import keep_freed_memory

SCRIPT = """
import ctypes, resource, torch
ctypes.CDLL(None).prctl(41, 1, 0, 0, 0)  # PR_SET_THP_DISABLE: how many are free varies
from engines.checkpoints.allocator import keep_freed_memory
def faults():
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(20):
        torch.empty(16 << 20, dtype=torch.uint8).fill_(1)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
first = faults()
assert keep_freed_memory() and keep_freed_memory()
faults()
print(first, faults())
"""


def test_large_blocks_are_reused_without_page_faults() -> None:
    if platform.libc_ver()[0] != "glibc":  # nothing to tell, and nothing breaks
        assert not keep_freed_memory()
        return
    out = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True, check=True).stdout
    before, after = map(int, out.split())
    assert before > 10_000 and after < before / 50
