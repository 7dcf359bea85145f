"""Scripts in processes of their own, for tests of what a killed process or two on one home leave behind.

They are forked from one that has imported the editor already: that import, seconds of work with Gradio and
PyTorch in it, is the same for all of them. Otherwise each is a process like any other, with its own pipes.
"""

from __future__ import annotations

import multiprocessing
import os
import sys
from multiprocessing import forkserver
from multiprocessing.connection import Connection
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
_context = multiprocessing.get_context("forkserver")
_context.set_forkserver_preload(["editor.sessions", "editor.runs.runner", "engines.requests"])


def _work(script: str, arguments: list[str], stdin: Connection, stdout: Connection) -> None:
    os.dup2(stdin.fileno(), 0)
    os.dup2(stdout.fileno(), 1)
    sys.stdin, sys.stdout = open(0, closefd=False), open(1, "w", closefd=False)  # noqa: SIM115
    sys.argv = ["-c", *arguments]
    exec(compile(script, "<script>", "exec"), {"__name__": "__main__"})


class Child:
    """A process that runs `script` with `arguments` as sys.argv[1:]; stdin and stdout are lines of text."""

    def __init__(self, script: str, *arguments: str | Path) -> None:
        with pytest.MonkeyPatch.context() as patch:
            patch.chdir(ROOT)  # the server of the forks imports what lies in its own folder
            forkserver.ensure_running()
        theirs, ours = _context.Pipe(duplex=False)
        self.stdin = os.fdopen(os.dup(ours.fileno()), "w", buffering=1)
        back, to = _context.Pipe(duplex=False)
        self.stdout = os.fdopen(os.dup(back.fileno()))
        words = [str(each) for each in arguments]
        self._process = _context.Process(target=_work, args=(script, words, theirs, to), daemon=True)
        self._process.start()
        for end in (theirs, ours, back, to):  # the child has its own
            end.close()

    @property
    def pid(self) -> int:
        """The process's number."""
        assert self._process.pid is not None
        return self._process.pid

    def end(self) -> None:
        """SIGKILL: no handler, no flush, no goodbye. What it had told before can still be read."""
        self._process.kill()
        self._process.join(20)

    def kill(self) -> None:
        """The same, and nothing more is read."""
        self.end()
        self.stdin.close()
        self.stdout.close()
