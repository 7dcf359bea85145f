"""A resumable training run: time budget, optimizers, moving average, checkpoints, curves.

The budget is wall time, so that a run is the same length on any machine; a checkpoint is written
every two minutes: weights, their average, step and time spent. On resuming, the optimizers start
anew (their momentum is back within a hundred steps) and the data goes on from another seed. Does not
know what is trained.
"""

from __future__ import annotations

import argparse
import csv
import os
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file
from torch import Tensor, nn

from engines.networks.lane_frames import widened
from study.train.optimizer import Average, Schedule, fast_bfloat16, optimizers

SAVE_EVERY = 120.0  # seconds


def fast_precision(device: str = "cpu") -> AbstractContextManager[Any]:
    """Autocast to bfloat16 where the processor computes in it; elsewhere it is far slower than float32."""
    return torch.autocast(device, torch.bfloat16, enabled=fast_bfloat16(device))


def compile_blocks(blocks: Iterable[nn.Module]) -> None:
    """Compile each block in place, its code shared by all; whatever cannot be compiled runs as it is."""
    import torch._dynamo

    torch._dynamo.config.suppress_errors = True
    for block in blocks:
        block.compile()


class Run:
    """One network in training, in one folder: state.pt, curves.csv, curves.png.

    `hold` is the share of the budget over which the rate stays up before it falls (0: a cosine);
    `turn` minutes after its start a process is `over`, however much of the budget is left. `more` gives
    what a checkpoint keeps besides (`resumed`, when it goes on); of several processes one `writes`.
    """

    def __init__(
        self,
        folder: Path,
        module: nn.Module,
        minutes: float,
        lr: float,
        fields: tuple[str, ...],
        exclude: tuple[str, ...] = (),
        hold: float = 0.0,
        turn: float = float("inf"),
        warmup: float = 0.02,
        file: str = "state.pt",
        writes: bool = True,
        more: Callable[[], dict[str, Any]] = dict,
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.file, self.writes, self._more = folder / file, writes, more
        self.folder, self.module, self.budget = folder, module, minutes * 60
        self.opts = optimizers(module, lr, exclude=exclude)
        self.schedule = Schedule(self.opts, warmup, hold=hold)
        self.hold = hold
        self._turn_ends = time.time() + 60 * turn
        self.average = Average(module)
        self.step, self.running = 0, 0.0
        spent = 0.0
        self.resumed: dict[str, Any] = {}  # what `more` gave when it was saved
        if self.file.exists():
            device = next(module.parameters()).device
            state = torch.load(self.file, weights_only=True, map_location=device)
            module.load_state_dict(state.pop("raw"))
            self.average.values, self.step, spent = (state.pop(k) for k in ("average", "step", "spent"))
            self.average.steps, self.resumed = self.step, state
            print(f"resumed {folder} at step {self.step}, {spent:.0f} s", flush=True)
        self._begin, self._saved, self._logged = time.time() - spent, time.time(), 0.0
        curves = folder / "curves.csv" if writes else Path(os.devnull)
        new = writes and not curves.exists()
        self._log = curves.open("a", newline="")
        self._writer = csv.DictWriter(self._log, ["step", "seconds", "loss", *fields])
        if new:
            self._writer.writeheader()

    @property
    def over(self) -> bool:
        """Whether the budget is spent, or this process has had its turn."""
        return self.share >= 1 or time.time() >= self._turn_ends

    @property
    def spent(self) -> float:
        """Seconds of training so far, over all resumptions."""
        return time.time() - self._begin

    @property
    def share(self) -> float:
        """Share of the budget that is spent, 0..1."""
        return self.spent / self.budget

    def takes_whole_windows(self, share: float) -> bool:
        """Whether this step's items are whole windows: from a share of the budget on; held, two of five."""
        return self.step % 5 < 2 if self.hold else self.share >= share

    def update(self, loss: Tensor, clip: float = 1.0) -> None:
        """Backward, then `apply`."""
        loss.backward()  # type: ignore[no-untyped-call]
        self.apply(loss.detach(), self.share, clip)

    def apply(self, loss: Tensor, share: float, clip: float = 1.0) -> None:
        """Clip the gradients that are there, step, average; save when it is time. The loss [] is logged."""
        self.schedule.set(share)
        nn.utils.clip_grad_norm_(self.module.parameters(), clip)
        for opt in self.opts:
            opt.step()
            opt.zero_grad(set_to_none=True)
        self.average.update(self.module)
        self.step += 1
        value = float(loss)
        self.running = value if not self.running else 0.98 * self.running + 0.02 * value
        if time.time() - self._saved > SAVE_EVERY:
            self.save()

    def due(self, every: float = SAVE_EVERY) -> bool:
        """True once per `every` seconds, and at the first call."""
        if time.time() - self._logged < every:
            return False
        self._logged = time.time()
        return True

    @contextmanager
    def averaged(self) -> Iterator[None]:
        """The module with its averaged weights, for validation."""
        held = {n: p.detach().clone() for n, p in self.module.named_parameters()}
        self.average.copy_to(self.module)
        self.module.eval()
        try:
            yield
        finally:
            with torch.no_grad():
                for n, p in self.module.named_parameters():
                    p.copy_(held[n])
            self.module.train()

    def log(self, row: dict[str, float]) -> None:
        """One row of the curves."""
        row = {k: round(v, 4) for k, v in row.items()}
        self._writer.writerow(
            {"step": self.step, "seconds": round(self.spent), "loss": round(self.running, 4)} | row
        )
        self._log.flush()
        print(self.step, round(self.spent), round(self.running, 4), row, flush=True)

    def save(self) -> None:
        """Write the checkpoint: raw and averaged weights, step, seconds spent, and what `more` gives."""
        self._saved = time.time()
        if not self.writes:
            return
        part = self.file.with_suffix(".part")
        torch.save(
            {
                "raw": self.module.state_dict(),
                "average": self.average.values,
                "step": self.step,
                "spent": self.spent,
            }
            | self._more(),
            part,
        )
        part.replace(self.file)

    def finish(self) -> None:
        """Save, plot, close."""
        self.save()
        self._log.close()
        if self.writes:
            plot(self.folder)


def arguments(
    about: str | None, name: str, minutes: float, batch: int, lr: float, dim: int, layers: int
) -> argparse.ArgumentParser:
    """The command line that AR and FM training share: the same data, codec and backbone for both."""
    parser = argparse.ArgumentParser(description=about)
    parser.add_argument("--data", type=Path, nargs="+", default=[Path("runs/data/train")])
    parser.add_argument("--held-out", type=Path, default=Path("runs/data/held_out"))
    parser.add_argument("--codec", type=Path, default=Path("runs/codec"), help="its run, or a bundle")
    parser.add_argument("--out", type=Path, default=Path("runs") / name)
    parser.add_argument("--minutes", type=float, default=minutes)
    parser.add_argument("--batch", type=int, default=batch, help="items of 5 s a step")
    parser.add_argument("--lr", type=float, default=lr)
    parser.add_argument("--dim", type=int, default=dim)
    parser.add_argument("--layers", type=int, default=layers)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument(
        "--hold", type=float, default=0.0, help="share of the budget at the full rate, else a cosine"
    )
    parser.add_argument(
        "--turn", type=float, default=float("inf"), help="minutes after which this process stops"
    )
    parser.add_argument(
        "--band", action=argparse.BooleanOptionalAction, default=True, help="lanes of instruments and beats"
    )
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    parser.add_argument("--from-bundle", type=Path, help="bundle whose network to go on from (same shape)")
    return parser


def take_over(module: nn.Module, bundle: Path, part: str) -> None:
    """Load the weights of a bundle's part, of the same shape but for lanes that it does not know."""
    weights = {k: w.float() for k, w in load_file(bundle / f"{part}.safetensors").items()}
    columns = module.state_dict()["input_proj.weight"].shape[1]
    weights["input_proj.weight"] = widened(weights["input_proj.weight"], columns)
    module.load_state_dict(weights)


def averaged_state(folder: Path, file: str = "state.pt") -> dict[str, Tensor]:
    """The averaged weights of a run, with its buffers."""
    state = torch.load(folder / file, weights_only=True, map_location="cpu")
    return {**state["raw"], **state["average"]}


def plot(folder: Path) -> None:
    """curves.csv -> curves.png."""
    import matplotlib

    matplotlib.use("Agg")
    import matplotlib.pyplot as plt

    with (folder / "curves.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = [n for n in rows[0] if n not in ("step", "seconds") and any(r[n] for r in rows)] if rows else []
    if not names:
        return
    figure, axes = plt.subplots(1, len(names), figsize=(3.2 * len(names), 2.6), squeeze=False)
    for axis, name in zip(axes[0], names, strict=True):
        points = [(float(r["seconds"]) / 60, float(r[name])) for r in rows if r[name]]
        axis.plot(*zip(*points, strict=True))
        axis.set_title(name)
        axis.set_xlabel("minutes")
    figure.tight_layout()
    figure.savefig(folder / "curves.png", dpi=90)
    plt.close(figure)
