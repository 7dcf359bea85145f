"""Where a server's temporary files lie: in a folder of the home that no other account can read.

Uploads on their way, results for other programs, what libraries write for a moment. The folder goes when the
server ends; what one that was killed has left is swept by the next.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from pathlib import Path

from filelock import FileLock, Timeout
from starlette.datastructures import FormData
from starlette.requests import ClientDisconnect

SCRATCH = "scratch"  # folder of the home; Gradio serves nothing below one whose name begins with a dot
_LOCK = ".lock"


def take(home: Path) -> Path:
    """A folder for this process, where all temporary files of Gradio and Python go from now on."""
    root = home / SCRATCH
    root.mkdir(parents=True, exist_ok=True, mode=0o700)
    root.chmod(0o700)
    sweep(root)
    mine = Path(tempfile.mkdtemp(prefix="server-", dir=root))
    lock = FileLock(mine / _LOCK)
    lock.acquire(timeout=0)
    # Two: of what Python writes for a moment Gradio keeps a copy, if it does not lie in its own folder.
    for name in ("gradio", "python"):
        (mine / name).mkdir()
    os.environ["GRADIO_TEMP_DIR"] = str(mine / "gradio")
    tempfile.tempdir = str(mine / "python")
    atexit.register(_leave, mine, lock)
    return mine


def sweep(root: Path) -> None:
    """Remove what servers have left that are there no more: their locks are free."""
    for folder in root.glob("server-*"):
        lock = FileLock(folder / _LOCK)
        try:
            with lock.acquire(timeout=0):
                shutil.rmtree(folder, ignore_errors=True)
        except (Timeout, OSError):
            continue


def _leave(folder: Path, lock: FileLock) -> None:
    lock.release()
    shutil.rmtree(folder, ignore_errors=True)


def clear_broken_uploads() -> None:
    """Have what a page had sent of a file removed as soon as it gives the file up, or goes."""
    from gradio import route_utils  # slow to import, and the tests of this folder need none of it

    class Parser(route_utils.GradioMultiPartParser):
        async def parse(self) -> FormData:
            try:
                sent: FormData = await super().parse()
                return sent
            except ClientDisconnect as gone:
                for file in self._files_to_close_on_error:
                    file.close()
                    Path(file.name).unlink(missing_ok=True)
                raise route_utils.MultiPartException("the page has given it up") from gone

    route_utils.GradioMultiPartParser = Parser
