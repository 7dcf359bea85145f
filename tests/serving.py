"""The app in a process of its own, for tests that talk to it from outside."""

from __future__ import annotations

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Sequence
from pathlib import Path
from urllib.error import URLError

ROOT = Path(__file__).resolve().parents[1]
HERE = (sys.executable, "app.py")  # this checkout

# Gradio's words on a tab that was closed between two of its messages, or while it waited for one: its stream
# has nobody left to tell, or finds its own list of messages gone. And on one that was closed as it uploaded.
_OVERTAKEN = re.compile(
    r"ERROR: +Exception in ASGI application\n(?:(?!ERROR: ).)*?in sse_stream(?:(?!ERROR: ).)*?"
    r"(?:404: Not Found(?:(?!ERROR: ).)*?response already started\.\n|\n *KeyError: '\w+'\n)"
    r"|ERROR: +Exception in ASGI application\n(?:(?!ERROR: ).)*?in upload_file\n(?:(?!ERROR: ).)*?"
    r"ClientDisconnect\n",
    re.DOTALL,
)


class Server:
    """The app in a process of its own, on a free port, with its projects in `home`."""

    def __init__(
        self, bundle: str | Path, home: Path, program: Sequence[str] = HERE, folder: Path = ROOT
    ) -> None:
        """`program` is started in `folder`."""
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        environment = {**os.environ, "INLAY_HOME": str(home), "OMP_NUM_THREADS": "1"}
        if folder != ROOT:  # an installation of its own must not see this checkout
            environment.pop("PYTHONPATH", None)
        command = [*program, "--port", str(port), "--bundle", str(bundle), "--device", "cpu"]
        command.append("--no-analysis")  # lanes are the tests' own; `test_analysis` asks for it by the button
        self.url = f"http://127.0.0.1:{port}/"
        self._log = home / f"server-{port}.log"
        with self._log.open("w") as sink:
            self._process = subprocess.Popen(command, cwd=folder, env=environment, stdout=sink, stderr=sink)

    def wait(self) -> None:
        """Until it answers."""
        deadline = time.monotonic() + 300
        while True:
            try:
                with urllib.request.urlopen(self.url, timeout=5):
                    return
            except (URLError, OSError):
                assert self._process.poll() is None and time.monotonic() < deadline, self._log.read_text()
                time.sleep(0.2)

    @property
    def alive(self) -> bool:
        """Whether its process goes on."""
        return self._process.poll() is None

    @property
    def pid(self) -> int:
        """Its process's number."""
        return self._process.pid

    def kill(self) -> None:
        """As the system does when memory ends: no handler, no flush, no goodbye."""
        self._process.kill()
        self._process.wait(20)

    def stop(self) -> None:
        """In an orderly way; nothing may have broken meanwhile."""
        self._process.terminate()
        self._process.wait(20)
        told = _OVERTAKEN.sub("", self._log.read_text())
        assert "Traceback" not in told, told
