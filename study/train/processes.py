"""Processes that train one network together, as torchrun starts them; alone, nothing is exchanged.

Gradients are averaged; whatever must agree comes from the first process. Does not know networks.
"""

from __future__ import annotations

import os
from collections.abc import Iterable

import torch
import torch.distributed as dist
from torch import Tensor, nn


class Processes:
    """This process among the others."""

    def __init__(self, world: int | None = None) -> None:
        self.world = int(os.environ.get("WORLD_SIZE", 1)) if world is None else world
        self.rank = int(os.environ.get("RANK", 0)) if self.world > 1 else 0
        if self.world > 1:
            dist.init_process_group("gloo")

    @property
    def first(self) -> bool:
        """Whether this is the one that writes."""
        return self.rank == 0

    def agreed(self, number: float) -> float:
        """The first process's number."""
        if self.world == 1:
            return number
        shared = torch.tensor(number, dtype=torch.float64)
        dist.broadcast(shared, 0)
        return float(shared)

    def spread(self, tensors: Iterable[Tensor]) -> None:
        """Write the first process's tensors into those of the others."""
        if self.world > 1:
            for tensor in tensors:
                dist.broadcast(tensor.data, 0)

    def average_gradients(self, module: nn.Module) -> None:
        """The mean of the gradients of all processes."""
        if self.world == 1:
            return
        grads = [p.grad for p in module.parameters() if p.grad is not None]
        flat = torch.cat([g.flatten() for g in grads])
        dist.all_reduce(flat)
        for g, part in zip(grads, torch.split(flat, [g.numel() for g in grads]), strict=True):
            g.copy_(part.view_as(g) / self.world)

    def wait(self) -> None:
        """Until all are here."""
        if self.world > 1:
            dist.barrier()

    def end(self) -> None:
        """Leave the others."""
        if self.world > 1:
            dist.destroy_process_group()
