"""Muon for matrices, AdamW for the rest: half the training time of AdamW alone (measured).

Muon: momentum, then the update is replaced by its nearest semi-orthogonal matrix by
Newton-Schulz iteration (K. Jordan et al., 2024).
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn


def fast_bfloat16(device: str = "cpu") -> bool:
    """Whether the processor computes in bfloat16; where it only emulates it, float32 is far faster."""
    return device != "cpu" or torch.cpu._is_avx512_bf16_supported()


def orthogonalised(g: Tensor, steps: int = 4) -> Tensor:
    """Nearest semi-orthogonal matrix to [m, n], by quintic Newton-Schulz in the fast precision."""
    x: Tensor = g.bfloat16() if fast_bfloat16(g.device.type) else g.float()
    tall = x.shape[0] > x.shape[1]
    if tall:
        x = x.T
    x = x / (x.norm() + 1e-7)
    for _ in range(steps):
        a = x @ x.T
        x = 3.4445 * x + (-4.775 * a + 2.0315 * a @ a) @ x
    return (x.T if tall else x).to(g.dtype)


# torch.optim.Muon takes matrices only (the codec's kernels are [O, I, k]) and computes in bfloat16. Where the
# processor does not, 60 steps of a small net (3 seeds) lose the same at 76-93 ms each against 33-41 of ours.
class Muon(torch.optim.Optimizer):
    """Muon over parameters of two or more dimensions, each seen as [out, rest]."""

    def __init__(
        self, params: Iterable[Tensor], lr: float, momentum: float = 0.9, weight_decay: float = 0.0
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update."""
        for group in self.param_groups:
            for p in group["params"]:
                if p.grad is None:
                    continue
                state = self.state[p]
                buffer = state.setdefault("momentum", torch.zeros_like(p))
                buffer.mul_(group["momentum"]).add_(p.grad)
                update = p.grad.add(buffer, alpha=group["momentum"])
                matrix = update.reshape(update.shape[0], -1)
                scale = 0.2 * math.sqrt(max(matrix.shape))  # the size of an AdamW update
                if group["weight_decay"]:
                    p.mul_(1 - group["lr"] * group["weight_decay"])
                p.add_(orthogonalised(matrix).view_as(p), alpha=-group["lr"] * scale)


def optimizers(
    module: nn.Module, lr: float, weight_decay: float = 0.0, exclude: tuple[str, ...] = ()
) -> list[torch.optim.Optimizer]:
    """Muon for kernels of >= 2048 elements whose names hold none of `exclude`, AdamW for the rest."""
    matrices: list[Tensor] = []
    rest: list[Tensor] = []
    for name, p in module.named_parameters():
        if not p.requires_grad:
            continue
        big = p.ndim >= 2 and p.numel() >= 2048 and not any(e in name for e in exclude)
        (matrices if big else rest).append(p)
    out: list[torch.optim.Optimizer] = []
    if matrices:
        out.append(Muon(matrices, lr=lr, weight_decay=weight_decay))
    if rest:
        out.append(torch.optim.AdamW(rest, lr=lr, betas=(0.8, 0.95), weight_decay=0.0))
    return out


class Schedule:
    """Linear warm-up, then cosine to `floor` of the base rate. Progress is given as a share of the run.

    With `hold` the rate rises within `STEPS` steps of each start, stays up for that share of the run, and
    falls in a line from there: a run whose end is not known yet can be held, and let fall when it is.
    """

    STEPS = 100

    def __init__(
        self, opts: list[torch.optim.Optimizer], warmup: float = 0.02, floor: float = 0.02, hold: float = 0.0
    ) -> None:
        self._groups = [(g, g["lr"]) for o in opts for g in o.param_groups]
        self._warmup, self._floor, self._hold, self._steps = warmup, floor, hold, 0

    def set(self, share: float) -> float:
        """Set the rates for `share` (0..1) of the run done; returns the factor."""
        share, self._steps = min(1.0, share), self._steps + 1
        if self._hold:
            left = 1.0 if share <= self._hold else (1 - share) / (1 - self._hold)
            factor = min(1.0, self._steps / self.STEPS) * (self._floor + (1 - self._floor) * left)
        else:
            up = min(1.0, share / self._warmup) if self._warmup else 1.0
            factor = up * (self._floor + (1 - self._floor) * 0.5 * (1 + math.cos(math.pi * share)))
        for group, base in self._groups:
            group["lr"] = base * factor
        return factor


# torch's swa_utils.AveragedModel gives the same averages at 1.8-2.6 ms a step against 0.9-1.0, and copies the
# whole module, where a checkpoint wants the parameters by name.
class Average:
    """Exponential moving average of a module's parameters."""

    def __init__(self, module: nn.Module, decay: float = 0.998) -> None:
        self.decay = decay
        self.values = {n: p.detach().clone() for n, p in module.named_parameters()}
        self.steps = 0  # set on resuming, else the average starts anew

    @torch.no_grad()
    def update(self, module: nn.Module) -> None:
        """Take in the current parameters."""
        self.steps += 1
        decay = min(self.decay, self.steps / (self.steps + 10))
        for n, p in module.named_parameters():
            self.values[n].lerp_(p.detach(), 1 - decay)

    @torch.no_grad()
    def copy_to(self, module: nn.Module) -> None:
        """Write the averages into a module."""
        for n, p in module.named_parameters():
            p.copy_(self.values[n])
