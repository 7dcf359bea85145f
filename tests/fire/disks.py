"""Disks that can be full: a small one of one's own, or a bound on files where nobody may make one."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

SIZE = 48 << 20  # bytes of the disk
PAGE = 4096


class Tmpfs:
    """A small disk, which only root may make."""

    def __init__(self, place: Path) -> None:
        self.place = place / "disk"
        self.place.mkdir()
        command = ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "inlay-fire", str(self.place)]
        subprocess.run(command, check=True, capture_output=True)
        self._filler = self.place / "filler"

    @contextmanager
    def full(self, left: int) -> Iterator[None]:
        """Nothing but `left` pages are free."""
        free = os.statvfs(self.place).f_bavail * PAGE
        with self._filler.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, max(PAGE, free - left * PAGE))
        try:
            yield
        finally:
            self._filler.unlink()

    def close(self) -> None:
        """Let go of it."""
        subprocess.run(["umount", "-l", str(self.place)], check=True, capture_output=True)


class Limit:
    """No disk of its own, but a bound on how large a file may become."""

    def __init__(self, place: Path) -> None:
        self.place = place

    @contextmanager
    def full(self, left: int) -> Iterator[None]:
        """No file holds more than `left` pages."""
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (left * PAGE, hard))
        try:
            yield
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    def close(self) -> None:
        """Nothing to let go of."""


def disk(place: Path) -> Tmpfs | Limit:
    """One that can be full."""
    if os.geteuid() == 0 and sys.platform == "linux":
        with suppress(OSError, subprocess.CalledProcessError):  # a container may forbid it
            return Tmpfs(place)
    return Limit(place)
