"""The paper's drum signal: what a model may hear of the drums, coarse enough not to give away the music.

Sec. 4.5 and App. C (after JASCO): separate the drums, encode them, average the latents over five frames,
and keep the first codebook alone. No network that separates drums is shipped; the percussive part of a
median-filtered spectrogram (Fitzgerald 2010) stands in for it: sustained sounds are gone, plucked
ones are not.
Loads torch: it needs the codec.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engines.analysis.features import Audio
from engines.audio.recording import resample
from engines.audio.spectra import istft, stft
from engines.audio.timebase import frames_for, seconds_to_frame
from engines.networks.codec import Codec
from engines.progress import ProgressHook, Stopwatch

AVERAGED = 5  # latent frames that are averaged (App. C)
CHUNK_SECONDS = 30.0  # read at once
FFT, HOP = 2048, 512  # samples of a frame, and from one to the next
MEDIAN = 31  # frames, or bins, that a median is of


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
        hits = percussive(np.pad(part, (0, 2048)))[: len(part)]  # [n] -> [n]
        with torch.inference_mode():
            parts.append(codec.encode(torch.from_numpy(hits)[None, None]))  # [1, 1, n] -> [1, D, t]
    watch.report("drums", len(starts), len(starts))
    frames = frames_for(len(sound) / codec.rate, codec.frame_rate)
    with torch.inference_mode():
        z = averaged(torch.cat(parts, dim=2)[..., :frames])  # [1, D, T]
        codes = codec.quantize(z)[:, :1]  # [1, K, T] -> [1, 1, T]
        return DrumSignal(codes[0, 0], codec.dequantize(codes)[0], codec.frame_rate)


def percussive(sound: Audio) -> Audio:
    """The part of sound [n] that is short and wide rather than long and narrow: [n]."""
    from scipy.ndimage import median_filter

    spectra = stft(sound, FFT, HOP)  # [bins, F]
    size = np.abs(spectra)
    lasting, struck = (median_filter(size, shape, mode="reflect") for shape in ((1, MEDIAN), (MEDIAN, 1)))
    both = np.square(lasting) + np.square(struck)
    share = np.divide(np.square(struck), both, out=np.full_like(both, 0.5), where=both > 0)
    return np.asarray(istft(spectra * share, HOP, len(sound)), np.float32)


def averaged(z: Tensor) -> Tensor:
    """Latents [B, D, T] averaged over AVERAGED frames around each; fewer at the ends."""
    return F.avg_pool1d(z, AVERAGED, stride=1, padding=AVERAGED // 2, count_include_pad=False)
