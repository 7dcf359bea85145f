"""The paper's drum signal: what a model may hear of the drums, coarse enough not to give away the music.

Sec. 4.5 and App. C (after JASCO): separate the drums, encode them, average the latents over five frames,
and keep the first codebook alone. No network that separates drums is shipped; the percussive part of a
median-filtered spectrogram (Fitzgerald 2010, librosa) stands in for it: sustained sounds are gone, plucked
ones are not.
Loads torch: it needs the codec.
"""

from __future__ import annotations

from dataclasses import dataclass

import librosa
import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engines.analysis.features import Audio
from engines.audio.recording import resample
from engines.audio.timebase import frames_for, seconds_to_frame
from engines.networks.codec import Codec
from engines.progress import ProgressHook, Stopwatch

AVERAGED = 5  # latent frames that are averaged (App. C)
CHUNK_SECONDS = 30.0  # read at once


@dataclass(frozen=True)
class DrumSignal:
    """The coarse drum signal, frame by frame."""

    codes: Tensor  # int64 [T], of the first codebook
    latents: Tensor  # float32 [D, T], the vectors of those codes, normalised as the codec's latents
    frame_rate: float  # Hz


def drum_signal(audio: Audio, rate: int, codec: Codec, progress: ProgressHook | None = None) -> DrumSignal:
    """The drum signal of mono audio [n] at `rate` Hz, in T frames that cover it. Lets Cancelled through."""
    watch = Stopwatch(progress)
    sound = np.asarray(resample(audio, rate, codec.rate), np.float32)
    chunk = seconds_to_frame(CHUNK_SECONDS, codec.frame_rate) * codec.hop  # samples, whole frames
    starts = range(0, max(len(sound), 1), chunk)
    parts: list[Tensor] = []
    for i, start in enumerate(starts):
        watch.report("drums", i, len(starts))
        part = sound[start : start + chunk]
        hits = librosa.effects.percussive(np.pad(part, (0, 2048)))[: len(part)]  # [n] -> [n]
        with torch.inference_mode():
            parts.append(codec.encode(torch.from_numpy(hits)[None, None]))  # [1, 1, n] -> [1, D, t]
    watch.report("drums", len(starts), len(starts))
    frames = frames_for(len(sound) / codec.rate, codec.frame_rate)
    with torch.inference_mode():
        z = averaged(torch.cat(parts, dim=2)[..., :frames])  # [1, D, T]
        codes = codec.quantize(z)[:, :1]  # [1, K, T] -> [1, 1, T]
        return DrumSignal(codes[0, 0], codec.dequantize(codes)[0], codec.frame_rate)


def averaged(z: Tensor) -> Tensor:
    """Latents [B, D, T] averaged over AVERAGED frames around each; fewer at the ends."""
    return F.avg_pool1d(z, AVERAGED, stride=1, padding=AVERAGED // 2, count_include_pad=False)
