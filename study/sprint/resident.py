"""A data set that lies on the device as a whole: batches are gathered there by index.

Latents in half precision, codes and lanes as small integers, one text state after the other. Captions are
padded to the longest of all, so that shapes stay the same. What a batch holds is what `study.data.dataset`
gives.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engines.networks.lane_frames import Lanes
from engines.networks.text import TextStates
from study.data.dataset import Batch, Dataset


class Resident(Dataset):
    """Random windows of encoded clips, all on one device."""

    def __init__(
        self,
        folders: Path | Sequence[Path],
        mean: float,
        std: float,
        frame_rate: float,
        seed: int,
        codes: bool,
        device: str,
    ) -> None:
        super().__init__(folders, mean, std, frame_rate, seed, codes)
        self.device = device
        self._z = torch.from_numpy(np.stack(self.latents)).to(device)  # fp16 [n, D, T]
        self._codes = (
            torch.from_numpy(np.stack(self.codes).astype(np.int16)).to(device) if self.codes else None
        )
        self.latents = list(self._z)  # nothing is kept twice
        lanes = self.lanes
        small = (torch.uint8, torch.uint8, torch.uint8, torch.bool, torch.int8, torch.float16)
        self._lanes_small = [x.to(kind).to(device) for x, kind in zip(lanes.tensors, small, strict=True)]
        self._kinds = [x.dtype for x in lanes.tensors]
        lengths = torch.tensor([b - a for _, a, b in self.spans])
        self._first = (lengths.cumsum(0) - lengths).to(device)  # of each caption in the one long row
        self._lengths, self._longest = lengths.to(device), int(lengths.max())
        self._tokens = torch.from_numpy(np.concatenate(self.tokens)).to(device)  # fp16 [sum of L, 384]
        self._pooled = torch.from_numpy(self.pooled).to(device)

    def text(self, clips: np.ndarray, wording: np.ndarray) -> TextStates:
        """States of one caption per clip: [B, L, 384]."""
        rows = torch.from_numpy(clips * self.captions + wording).to(self.device)
        mask = torch.arange(self._longest, device=self.device) < self._lengths[rows][:, None]  # [B, L]
        at = torch.where(
            mask, self._first[rows][:, None] + torch.arange(self._longest, device=self.device), 0
        )
        tokens = self._tokens[at].float().masked_fill(~mask[..., None], 0.0)  # [B, L, 384]
        return TextStates(tokens, mask, self._pooled[rows].float())

    def cut(self, clips: np.ndarray, starts: np.ndarray, frames: int, wording: np.ndarray) -> Batch:
        """Given windows of given clips."""
        rows = torch.from_numpy(clips).to(self.device)[:, None]
        at = torch.from_numpy(starts).to(self.device)[:, None] + torch.arange(
            frames, device=self.device
        )  # [B, T]

        def window(x: Tensor) -> Tensor:  # [n, C, T] -> [B, C, frames]
            channel = torch.arange(x.shape[1], device=self.device)
            return x[rows[..., None], channel[None, :, None], at[:, None]]

        lanes = (x[rows, at].to(kind) for x, kind in zip(self._lanes_small, self._kinds, strict=True))
        codes = None if self._codes is None else window(self._codes).long()
        z = (window(self._z).float() - self.mean) / self.std
        return Batch(z, codes, Lanes(*lanes), self.text(clips, wording))
