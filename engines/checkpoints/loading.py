"""How far the loading of a checkpoint is, in bytes of its weights, and stopping it.

What is counted is what was read: a part that is there by its weights, one that comes by the pages of its
files that this process has seen. A run that waits is told, and can leave at any time; whoever reads then
stops at its next tensor.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import Any, TypeVar

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from engines.checkpoints.memory import weight_files, weights_in
from engines.errors import Cancelled, InputError

Part = TypeVar("Part")
Hear = Callable[[int, int], None]  # bytes read, and all; may raise Cancelled
_LOOK_SECONDS = 0.1
_LEAVING_SECONDS = 1.0  # at most; a part that is read without a thread goes on to its next tensor
_PAGE = 4096  # bytes


class Loading:
    """The reading of one checkpoint, part after part."""

    def __init__(self, folder: Path, title: str) -> None:
        self._folder = folder
        self._title = title
        self._stop = threading.Event()
        self._ended = threading.Event()  # nobody waits for it any more
        self._thread: threading.Thread | None = None
        self._files: tuple[Path, ...] = ()
        self._weights = 0  # numbers in the files
        self._there = 0  # of them in parts that were read
        self._kept = 0  # bytes of pages that parts which were read still have
        self._most = 0  # bytes that were told already
        self.goes_on = False  # a part is being read

    @property
    def total(self) -> int:
        """Bytes of all weights."""
        return sum(file.stat().st_size for file in self._files if file.exists())

    @property
    def done(self) -> int:
        """Bytes of them that were read; grows only."""
        total = self.total
        there = total * self._there // max(1, self._weights)
        self._most = min(total, max(self._most, there + _pages_seen(self._files) - self._kept))
        return self._most

    def stop(self) -> None:
        """Stop at the next tensor, and return once whoever waits for it was told."""
        self._stop.set()
        self._ended.wait(_LEAVING_SECONDS)

    def forget(self) -> None:
        """Nothing is there any more."""
        self._there = self._most = 0

    def read(self, load: Callable[[], Part], hear: Hear | None = None) -> Part:
        """What `load` gives. With `hear`, a thread reads, and `hear` is told how far it is meanwhile.

        Raises what `load` and `hear` raise, and InputError where another had it stopped.
        """
        self._wait_for_the_last(hear)
        if not self._files:
            self._files = tuple(file.resolve() for file in weight_files(self._folder))
            self._weights = sum(map(weights_in, self._files))
        self._stop = stop = threading.Event()
        self._kept = _pages_seen(self._files)
        self._ended.clear()
        self.goes_on = True
        try:
            part = _stoppable(load, stop) if hear is None else self._beside(load, stop, hear)
        except Stopped as error:
            raise InputError(f"{self._title}: its loading was cancelled; run it again") from error
        finally:
            self.goes_on = False
            self._ended.set()
        self._there += sum(weight.numel() for weight in _weights_of(part))
        return part

    def _beside(self, load: Callable[[], Part], stop: threading.Event, hear: Hear) -> Part:
        """The same, read by a thread; whoever asked leaves it alone as soon as `hear` raises."""
        made: list[Part] = []
        failed: list[BaseException] = []

        def read() -> None:
            try:
                made.append(_stoppable(load, stop))
            except BaseException as error:
                failed.append(error)

        hear(self.done, self.total)
        self._thread = thread = threading.Thread(target=read, name="inlay-load", daemon=True)
        thread.start()
        try:
            while thread.is_alive() and not stop.is_set():
                hear(self.done, self.total)
                thread.join(_LOOK_SECONDS)
        except BaseException:
            stop.set()
            raise
        if thread.is_alive():
            raise Stopped
        if failed:
            raise failed[0]
        return made[0]

    def _wait_for_the_last(self, hear: Hear | None) -> None:
        """Until whoever was left alone has stopped reading."""
        while self._thread is not None and self._thread.is_alive():
            if hear is not None:
                hear(self.done, self.total)
            self._thread.join(_LOOK_SECONDS)


class Stopped(Cancelled):
    """Reading was stopped at a tensor."""


class _Looks(TorchFunctionMode):
    """Looks before each of a thread's calls of torch whether to go on."""

    def __init__(self, stop: threading.Event) -> None:
        super().__init__()
        self._stop = stop

    def __torch_function__(
        self, func: Any, types: Any, args: Any = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        if self._stop.is_set():
            raise Stopped
        return func(*args, **(kwargs or {}))


def _stoppable(load: Callable[[], Part], stop: threading.Event) -> Part:
    with torch.inference_mode(False), _Looks(stop):  # parameters stay ordinary tensors
        part = load()
        for weight in _weights_of(part):
            if weight.device.type == "cpu" and weight.is_contiguous():  # else the first step would read it
                weight.detach().view(-1)[:: _PAGE // weight.element_size()].sum()
        return part


def _weights_of(part: object) -> Iterator[Tensor]:
    """The weights [*] of a network, or of those that something holds; a weight that two share once."""
    held = [part] if isinstance(part, nn.Module) else list(getattr(part, "__dict__", {}).values())
    networks = [one for one in held if isinstance(one, nn.Module)]
    yield from {weight.data_ptr(): weight for one in networks for weight in one.parameters()}.values()


def _pages_seen(files: Collection[Path]) -> int:
    """Bytes of files that this process has mapped and looked at; 0 on systems that do not tell."""
    wanted = set(map(str, files))
    seen, counts = 0, False
    try:
        with Path("/proc/self/smaps").open(encoding="utf-8", errors="replace") as told:
            for line in told:
                if line[0] in "0123456789abcdef":  # the head of a mapping, its file at the end
                    counts = line.rstrip("\n").split(None, 5)[-1] in wanted
                elif counts and line.startswith("Rss:"):
                    seen += int(line.split()[1]) * 1024
    except OSError:
        return 0
    return seen
