"""A melody as a chromagram, one pitch class a step, which MusicGen-melody reads before it writes.

Conventions: melody is a lane of `engines.networks.lane_frames`, 12 pitch classes begin with C. Released
models hear audio: its spectrum in windows of four steps around each, the strongest pitch class alone, and C
where all is silent (Copet et al. 2023, sec. 3.2; the first of equals). Does not know seconds or audio.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.requests import MELODY_HIGH, MELODY_LOW

PITCH_CLASSES = 12
WIDTH = 4  # steps that a window is wide


def chromagram(melody: Tensor, step: float, length: int) -> Tensor:
    """Melody int64 [B, T], a step every `step` frames -> one-hot pitch classes float32 [B, length, 12].

    Of what sounds in a window the pitch class with the most energy, weighted by the window, Hann's, squared.
    As many steps as so many frames of audio have, then the same again from the start up to `length`.
    """
    frames, device = melody.shape[1], melody.device
    steps = 1 + math.floor(frames / step + 1e-6)
    middles = step * torch.arange(steps, device=device)  # of the windows
    away = (torch.arange(frames, device=device) + 0.5 - middles[:, None]) / (WIDTH * step)  # [steps, T]
    weights = torch.where(away.abs() < 0.5, (math.pi * away).cos() ** 4, 0.0)
    sounds = melody <= MELODY_HIGH - MELODY_LOW
    classes = ((melody + MELODY_LOW) % PITCH_CLASSES).masked_fill(~sounds, PITCH_CLASSES)
    played = F.one_hot(classes, PITCH_CLASSES + 1)[..., :PITCH_CLASSES].to(weights)  # [B, T, 12]
    strongest = (weights @ played).argmax(dim=-1)  # [B, steps, 12] -> [B, steps]
    again = torch.arange(length, device=device) % steps
    return F.one_hot(strongest[:, again], PITCH_CLASSES).float()
