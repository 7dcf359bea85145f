"""Loading a checkpoint: bytes of its weights as they are read, left at once, stopped at the next tensor."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn

from engines import dispatch
from engines.checkpoints import memory, shelf
from engines.checkpoints.loading import Loading
from engines.checkpoints.shelf import open_bundle
from engines.errors import Cancelled, InputError
from engines.progress import Progress
from engines.requests import FMSettings, GenerateRequest

TENSORS, SIZE = 16, 1 << 20  # numbers of two bytes
BYTES = 2 * TENSORS * SIZE


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A checkpoint of 32 MB in half precision."""
    weights = {f"{i:02}": torch.full((SIZE,), float(i), dtype=torch.float16) for i in range(TENSORS)}
    save_file(weights, tmp_path / "model.safetensors")
    return tmp_path


class Network(nn.Module):
    """Those weights in single precision, read one by one; stops before the tensor `pause` until `go`."""

    def __init__(self, folder: Path, pause: int, go: threading.Event) -> None:
        super().__init__()
        self.reached: list[int] = []
        with safe_open(folder / "model.safetensors", "pt") as opened:
            for i in range(TENSORS):
                if i == pause:
                    assert go.wait(30)
                self.register_parameter(f"w{i}", nn.Parameter(opened.get_tensor(f"{i:02}").float()))


def test_half_read_is_told_as_half(folder: Path) -> None:
    loading, go, told = Loading(folder, "it"), threading.Event(), list[tuple[int, int]]()

    def hear(read: int, total: int) -> None:
        told.append((read, total))
        if read >= 0.45 * total:
            go.set()

    network = loading.read(lambda: Network(folder, TENSORS // 2, go), hear)
    assert sum(weight.numel() for weight in network.parameters()) == TENSORS * SIZE
    size = (folder / "model.safetensors").stat().st_size
    shares = [read / total for read, total in told]
    assert {total for _, total in told} == {size} and shares == sorted(shares)
    assert shares[0] == 0.0
    assert any(0.45 <= share <= 0.6 for share in shares)
    assert (loading.done, loading.goes_on) == (size, False)
    loading.forget()
    assert loading.done == 0


def test_whoever_cancels_is_free_at_once_and_reading_stops_at_the_next_tensor(folder: Path) -> None:
    loading, go, begun, made = Loading(folder, "it"), threading.Event(), threading.Event(), list[int]()

    def load() -> nn.Module:
        begun.set()
        assert go.wait(30)  # a slow disk
        for i in range(3):
            torch.zeros(1)
            made.append(i)
        return nn.Linear(1, 1)

    def hear(read: int, total: int) -> None:
        if begun.is_set():
            raise Cancelled

    with pytest.raises(Cancelled):
        loading.read(load, hear)
    assert not go.is_set() and not loading.goes_on
    asked = list[int]()

    def waits(read: int, total: int) -> None:
        asked.append(read)
        go.set()

    assert isinstance(loading.read(lambda: nn.Linear(2, 2), waits), nn.Linear)  # after the first has stopped
    assert made == [] and asked


def test_one_that_another_stopped_says_so(folder: Path) -> None:
    loading = Loading(folder, "MusicGen small")

    def load() -> nn.Module:
        loading._stop.set()  # as `stop` does, which would wait for this here
        torch.zeros(1)
        raise AssertionError("it went on")

    for hear in (None, lambda read, total: None):
        with pytest.raises(InputError, match="MusicGen small: its loading was cancelled; run it again"):
            loading.read(load, hear)


def test_a_run_is_told_of_bytes_and_can_leave_while_its_checkpoint_comes(
    tiny_bundle: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "_open", {})
    models, told = open_bundle(str(tiny_bundle), "cpu"), list[Progress]()
    request = GenerateRequest("fm", prompt="", seconds=1.0, fm=FMSettings(steps=2, candidates=1))
    size = sum(file.stat().st_size for file in tiny_bundle.glob("*.safetensors"))

    def cancel(progress: Progress) -> None:
        if progress.total == size:
            raise Cancelled

    with pytest.raises(Cancelled):
        dispatch.run(request, models, cancel)
    assert models.loads == {} and not models.device_lock.locked()
    dispatch.run(request, models, told.append)
    loads = [progress.step for progress in told if progress.stage == "load" and progress.total == size]
    assert loads == sorted(loads) and loads[-1] > 0
    assert models.loads["fm"] == 1


def test_memory_is_counted_by_the_weights_whatever_they_are_stored_in(folder: Path) -> None:
    assert memory.weights_in(folder / "model.safetensors") == TENSORS * SIZE
    halves = memory.need(folder)
    single = {f"{i:02}": torch.zeros(SIZE) for i in range(TENSORS)}
    save_file(single, folder / "model.safetensors")
    assert memory.need(folder) == halves >= 4 * TENSORS * SIZE
    torch.save({"best_state": {"a.weight": torch.zeros(3, 5)}, "xp.cfg": "x"}, folder / "state_dict.bin")
    assert memory.weights_in(folder / "state_dict.bin") == 15
    assert memory.weight_files(folder) == (folder / "model.safetensors",)  # the safer of the two is read
    assert memory.need(folder / "nowhere") == 0
    assert memory.need_to_get(100 << 20) > memory.need(folder)
