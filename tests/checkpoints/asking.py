"""How gates ask: our solver on our field, and a pipeline of the library loaded from the same folder."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from torch import Tensor

    from engines.checkpoints.shelf import Models
    from engines.families.shape import PartFlow
    from engines.networks.lane_frames import Lanes
    from engines.requests import FMSettings, SpanTask
    from engines.sampling import flow


def pipeline(folder: Path, kind: str) -> Any:
    """A pipeline of diffusers, loaded from a folder."""
    import diffusers

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        loaded = getattr(diffusers, kind).from_pretrained(folder, local_files_only=True)
    loaded.set_progress_bar_config(disable=True)
    return loaded


def noise(dim: int, frames: int, seed: int = 1, batch: int = 1) -> Tensor:
    """Standard normal latents [B, D, T]."""
    import torch

    return torch.randn(batch, dim, frames, generator=torch.Generator().manual_seed(seed))


def audio(samples: int, seed: int = 2) -> Tensor:
    """Stereo noise [1, 2, N]."""
    import torch

    return 0.1 * torch.randn(1, 2, samples, generator=torch.Generator().manual_seed(seed))


def solved(
    models: Models,
    prompt: str,
    settings: FMSettings,
    lanes: Lanes,
    guidance: float = 1.0,
    known: Tensor | None = None,
    source: Tensor | None = None,
    fresh: flow.Noise | int = 0,
    part: tuple[SpanTask, str] | None = None,
) -> Tensor:
    """Latents [1, D, T] of our solver on our field, from `noise(D, T)`; of one part, a task and its name."""
    import torch

    from engines.requests import Guidance
    from engines.sampling import flow
    from engines.sampling.guidance import combine, sources

    dim, frames = models.codec().dim, lanes.frames
    rows = sources(Guidance(guidance, 0.0), bool(prompt), lanes.any_given)
    known = torch.zeros(frames, dtype=torch.bool) if known is None else known
    source = torch.zeros(1, dim, frames) if source is None else source
    words = models.words(prompt) if prompt else None
    with torch.no_grad():
        network: Any = models.fm() if part is None else cast("PartFlow", models.fm()).of_part(*part)
        velocity = network.velocity(rows, words, lanes, known, source, 1)

        def field(z: Tensor, t: float) -> Tensor:
            v = velocity(z, t)
            return combine(v.view(len(rows), len(z), *v.shape[1:]), rows)[0]

        begun = noise(dim, frames)
        silent = lambda *_: None  # noqa: E731
        return flow.solve(
            field, begun, settings.solver, settings.steps, silent, settings.schedule, 0.0, fresh
        )


def difference(a: Tensor, b: Tensor) -> float:
    """The largest difference of two latents [B, D, T] that are not silent."""
    assert a.shape == b.shape and a.abs().mean() > 0.1
    return float((a - b).abs().max())
