"""Lanes for a flow whose network takes none: its own estimate is pulled to what they ask for.

At each step the flow's estimate of the clean latents, x = z + (1 - t) v, is decoded around what is unknown
and listened to with gradients: a chroma for chords and melody, onsets in three bands for drums. What would
raise its agreement with what is asked is added to the velocity; the network is taken as it is, so a step
costs one decode forth and back and no more evaluations. Beyond the paper, after universal guidance (Bansal
et al. 2023). Latents are [B, D, T]. Knows no requests and no families.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from torch import Tensor

from engines.audio.spectra import chroma_filters
from engines.sampling import flow

CHROMA_SECONDS = 0.128  # of a frame in which semitones from 110 Hz up can be told apart
ONSET_SECONDS = 0.032  # of a frame in which hits can
BANDS = ((20.0, 180.0), (250.0, 3000.0), (5000.0, 16000.0))  # Hz: kick; snare and toms; hat and cymbals
QUIET = 1e-3  # of the loudest frame: what is below says nothing
Listener = Callable[[Tensor], Tensor]  # mono [B, N] -> agreement [B]


@dataclass(frozen=True)
class Asked:
    """What is asked of a stretch of audio, on the frames of `frames_of`."""

    classes: Tensor | None  # pitch classes, float32 [12, F], each frame of length one or 0: nothing is asked
    onsets: Tensor | None  # hits in BANDS, float32 [3, F], 1 where one begins; None: nothing is asked
    first: int  # latent frame at which the audio begins
    last: int  # and the one before which it ends


def frames_of(seconds: float, rate: int) -> tuple[int, int]:
    """Samples of a frame of about so many seconds, a power of two, and from one frame to the next."""
    size = 1 << round(math.log2(seconds * rate))
    return size, size // 4


def steered(
    field: flow.Field,
    decode: Callable[[Tensor], Tensor],
    rate: int,
    asked: Asked,
    unknown: Tensor,
    strength: float,
) -> flow.Field:
    """The field (z [B, D, T], t) -> [B, D, T] with a pull of up to `strength` times its own size.

    It acts in the frames that are `unknown`, bool [T]; `decode` [B, D, n] -> [B, C, n hop] has gradients.
    It is strongest half way: before, little is known of the estimate, behind, no change leaves no trace.
    """
    with torch.inference_mode(False):  # gradients go through what is made here
        listeners = [_classes_heard(asked.classes.clone(), rate)] if asked.classes is not None else []
        listeners += [_onsets_heard(asked.onsets.clone(), rate)] if asked.onsets is not None else []

    def pulled(z: Tensor, t: float) -> Tensor:
        v = field(z, t)
        share = strength * math.sin(math.pi * min(max(t, 0.0), 1.0))
        if share <= 1e-6:
            return v
        with torch.inference_mode(False), torch.enable_grad():
            x = (z + (1 - t) * v).clone().detach().requires_grad_()
            mono = decode(x[..., asked.first : asked.last]).float().mean(dim=1)  # -> [B, C, N] -> [B, N]
            heard = sum(listener(mono).sum() for listener in listeners)
            (pull,) = torch.autograd.grad(torch.as_tensor(heard), x)
        pull = torch.where(unknown, pull, 0.0)
        own = torch.where(unknown, v, 0.0)
        return v + share * _size(own) / _size(pull).clamp(min=1e-12) * pull

    return pulled


def _size(x: Tensor) -> Tensor:
    """[B, D, T] -> [B, 1, 1]."""
    return x.pow(2).sum(dim=(1, 2), keepdim=True).sqrt()


def _power(mono: Tensor, seconds: float, rate: int, window: Tensor) -> Tensor:
    """[B, N] -> [B, bins, F]."""
    size, hop = frames_of(seconds, rate)
    return torch.stft(mono, size, hop, window=window, return_complex=True).abs().square()


def _classes_heard(wanted: Tensor, rate: int) -> Listener:
    """Cosine of the chroma and the pitch classes [12, F] asked for, mean over what sounds there."""
    size, _ = frames_of(CHROMA_SECONDS, rate)
    filters = torch.from_numpy(chroma_filters(rate, size)).to(wanted)  # [12, bins]
    window = torch.hann_window(size, device=wanted.device)

    def listen(mono: Tensor) -> Tensor:
        chroma = filters @ _power(mono, CHROMA_SECONDS, rate, window)  # [B, 12, F]
        frames = min(chroma.shape[-1], wanted.shape[-1])
        chroma, told = chroma[..., :frames], wanted[:, :frames]
        level = chroma.sum(dim=1)
        counted = (level > QUIET * level.amax(dim=-1, keepdim=True)) & (told.sum(dim=0) > 0)
        close = (F.normalize(chroma + 1e-12, dim=1) * told).sum(dim=1)  # [B, F]
        return (close * counted).sum(dim=-1) / counted.sum(dim=-1).clamp(min=1)

    return listen


def _onsets_heard(wanted: Tensor, rate: int) -> Listener:
    """Correlation of the rises in BANDS with the hits [3, F] asked for, mean over the bands that have any."""
    size, _ = frames_of(ONSET_SECONDS, rate)
    window = torch.hann_window(size, device=wanted.device)
    hertz = torch.fft.rfftfreq(size, 1 / rate).to(wanted.device)
    inside = torch.stack([((hertz >= low) & (hertz < high)).to(wanted) for low, high in BANDS])  # [3, bins]
    near = torch.tensor([0.5, 1.0, 0.5], device=wanted.device)  # a hit may come a frame early or late
    told = F.conv1d(wanted[:, None], near[None, None], padding=1)[:, 0]  # [3, F]
    played = (wanted.sum(dim=-1) > 0).to(wanted)  # [3]

    def listen(mono: Tensor) -> Tensor:
        level = torch.log(inside @ _power(mono, ONSET_SECONDS, rate, window) + 1e-6)  # [B, 3, F]
        rises = F.relu(F.pad(level, (1, 0), mode="replicate").diff(dim=-1))
        frames = min(rises.shape[-1], told.shape[-1])
        rises, hits = rises[..., :frames], told[:, :frames]
        rises, hits = rises - rises.mean(dim=-1, keepdim=True), hits - hits.mean(dim=-1, keepdim=True)
        close = F.cosine_similarity(rises, hits.expand_as(rises), dim=-1)  # [B, 3]
        return (close * played).sum(dim=-1) / played.sum().clamp(min=1)

    return listen
