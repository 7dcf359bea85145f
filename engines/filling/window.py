"""The window of a recording that a model hears, and the way back: what all engines do alike.

A window is at the codec's rate, as long as the models hear at once or less, with the span near its middle
where the source allows; mono, and beside that in as many channels as the codec takes. Its frame grid begins
so that the span begins on a frame. The removed audio is silenced before encoding, because the encoder sees
about four frames to each side: what was there has no say in what comes. The frames next to the span stay
known all the same: counting three of them as unknown measured worse for every engine (log-mel jump at the
seams 7.3 dB against 6.7 for FM, 7.9 against 7.0 for AR). Does not know how a model fills the span.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Any
from weakref import WeakKeyDictionary

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.audio import compose, seams
from engines.audio.matching import Beside
from engines.audio.recording import Patch, Recording, floats_of, mean_of, resample
from engines.audio.timebase import frames_for, seconds_to_frame, seconds_to_samples, span_to_frames
from engines.checkpoints.shelf import Models
from engines.errors import InputError
from engines.families.shape import Autoencoder
from engines.filling.recent import Recent, content
from engines.progress import Stopwatch
from engines.requests import InpaintRequest, Latents
from engines.sampling.order import known_mask
from engines.support import CONTEXT_SECONDS

REMEMBERED = 16  # pieces of audio whose latents a codec keeps, about 130 kB each
_encoded: WeakKeyDictionary[Autoencoder, Recent[Tensor]] = WeakKeyDictionary()
_lock = Lock()
_LEVELS = (0.03, 0.3)  # RMS that the models are used to
BESIDE_SECONDS = 15.0  # at most so much on each side of the spans, however long a model could hear


@dataclass(frozen=True)
class Window:
    """A piece of a recording on a frame grid. Frames count from the window's start."""

    start: float  # seconds on the source's clock
    audio: NDArray[np.float32]  # mono [T * hop] at the codec's rate, times `gain`
    frames: int  # T
    span: tuple[int, int]  # frames of the span, half-open: those to be made
    gain: float  # brings quiet and loud recordings to levels that the models know
    holes: tuple[tuple[int, int], ...] = ()  # further spans, frames; `span` is the first
    latents: NDArray[np.float32] | None = None  # [D, T] that the audio was decoded from, where it was
    decoded: NDArray[np.bool_] | None = None  # [T] frames over which that holds
    judges: tuple[seams.Judge, ...] = ()  # of each span's seams
    around: tuple[Beside, ...] = ()  # what lies beside each span
    wide: NDArray[np.float32] | None = (
        None  # the same as `audio` in the codec's channels [C, T * hop]; None: mono
    )

    @property
    def coded(self) -> NDArray[np.float32]:
        """What the codec hears: [C, T * hop]."""
        return self.audio[None] if self.wide is None else self.wide

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """All spans in frames."""
        return (self.span, *self.holes)

    @property
    def hull(self) -> tuple[int, int]:
        """Frames from the first span's start to the last one's end."""
        return min(a for a, _ in self.spans), max(b for _, b in self.spans)

    @property
    def known(self) -> Tensor:
        """True where a frame is given: bool [T]."""
        mask = known_mask(*self.span, self.frames)
        for start, end in self.holes:
            mask &= known_mask(start, end, self.frames)
        return mask


def cut(request: InpaintRequest, codec: Autoencoder, seconds: float) -> Window:
    """The window of at most `seconds` around the request's span; raises InputError for NaN samples."""
    source = request.source
    seconds = min(seconds, request.spans[-1][1] - request.start + 2 * BESIDE_SECONDS)
    room = seconds_to_frame(seconds, codec.frame_rate)
    rate = codec.frame_rate
    # further spans begin and end between frames: the frames that they touch are made anew
    holes = [span_to_frames(a - request.start, b - request.start, rate) for a, b in request.also]
    length = frames_for(request.seconds, rate) if not holes else holes[-1][1]
    if length > room - CONTEXT_SECONDS * codec.frame_rate + 1:
        raise InputError(
            f"span {request.start:g}-{request.spans[-1][1]:g} s: this one hears {seconds:g} s at once, "
            f"at least {CONTEXT_SECONDS:g} s of it around a span; select a shorter span"
        )
    before = math.floor(request.start * rate + 1e-6)
    after = max(0, math.floor((source.seconds - request.start) * rate + 1e-6) - length)
    lead = min(before, max((room - length) // 2, room - length - after))
    frames = min(room, lead + length + after)
    first = max(0, seconds_to_samples(request.start - lead / rate, source.rate))
    audio = read(source, first, frames * codec.hop, codec.rate)
    wide = read(source, first, frames * codec.hop, codec.rate, channels=codec.channels)
    if not np.isfinite(audio).all():
        raise InputError("source: samples near the span are NaN or infinite; export the recording again")
    span = (lead, lead + frames_for(request.seconds, rate))
    moved = tuple((lead + a, min(frames, lead + b)) for a, b in holes)
    kept = np.ones(len(audio), np.bool_)
    for a, b in (span, *moved):
        kept[a * codec.hop : b * codec.hop] = False
    context = audio[kept] if kept.any() else audio
    rms = float(np.sqrt(np.mean(np.square(context)))) + 1e-9
    gain = float(np.clip(np.clip(rms, *_LEVELS) / rms, 0.01, 100.0))
    latents, decoded = None, None
    if request.latents is not None:
        latents, decoded = _aligned(request.latents, first / source.rate, frames, rate)
        gain = request.latents.gain if decoded.any() else gain
    judges = tuple(seams.judge_of(source, a, b) for a, b in request.spans)
    around = tuple(compose.beside(source, a, b, codec.rate) for a, b in request.spans)
    heard = audio * np.float32(gain)
    coded = wide * np.float32(gain) if codec.channels > 1 else None
    return Window(
        first / source.rate, heard, frames, span, gain, moved, latents, decoded, judges, around, coded
    )


def _aligned(
    given: Latents, start: float, frames: int, rate: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Latents [D, T] on the grid of a window, and bool [T] where they are what its audio was decoded from.

    None are, unless the two grids agree within a hundredth of a frame: the codec would hear the difference.
    """
    z = np.zeros((len(given.z), frames), np.float32)
    decoded = np.zeros(frames, np.bool_)
    shift = (start - given.start) * rate
    offset = round(shift)
    if abs(shift - offset) > 0.01:
        return z, decoded
    for a, b in given.known:
        first = max(0, math.ceil((a - start) * rate - 1e-6), -offset)
        last = min(frames, math.floor((b - start) * rate + 1e-6), given.z.shape[1] - offset)
        if last > first:
            z[:, first:last] = given.z[:, first + offset : last + offset]
            decoded[first:last] = True
    return z, decoded


def read(
    source: Recording,
    first: int,
    length: int,
    rate: int,
    patches: Sequence[Patch] = (),
    channels: int = 1,
) -> NDArray[np.float32]:
    """Float32 [length] at `rate` from native sample `first` on, mono; zeros beyond the recording.

    With `channels` > 1 as many, [C, length]: the recording's own where it has so many, else its mono in all.
    `patches` stand in the recording instead of its own samples. The resampler starts early, by a time that
    is whole samples at both rates, so that the phase holds and its start-up is cut off.
    """
    beat = math.gcd(source.rate, rate)  # so many instants a second are samples at both rates
    early = math.ceil(0.05 * beat)
    pad, drop = early * source.rate // beat, early * rate // beat
    last = first + math.ceil(length * source.rate / rate) + pad
    begin = max(0, first - pad)
    own = channels > 1 and source.channels == channels
    part = source.as_float(begin, last) if own else source.mono(begin, last)  # [n, C] or [n]
    for patch in patches:
        a, b = max(begin, patch.first), min(begin + len(part), patch.last)
        if a < b:
            other = floats_of(patch.samples[a - patch.first : b - patch.first])
            part[a - begin : b - begin] = other if own else mean_of(other, source.signs)
    part = np.concatenate([np.zeros((max(0, pad - first), *part.shape[1:]), part.dtype), part])

    def at_rate(line: NDArray[Any]) -> NDArray[np.float32]:
        out = resample(line, source.rate, rate)[drop : drop + length]
        return np.pad(out, (0, length - len(out))).astype(np.float32)

    if own:
        return np.stack([at_rate(part[:, c]) for c in range(channels)])  # [n, C] -> [C, length]
    mono = at_rate(part)
    return mono if channels == 1 else np.repeat(mono[None], channels, axis=0)


def encode(window: Window, models: Models, silenced: bool = True) -> Tensor:
    """Normalised latents [1, D, T] of a window, its span silenced or as it was."""
    codec, audio = models.codec(), window.coded.copy()
    for start, end in window.spans if silenced else ():
        audio[:, start * codec.hop : end * codec.hop] = 0.0
    z = _latents(codec, audio, models)[..., : window.frames]  # [T hop] -> [1, D, T]
    if window.latents is not None and window.decoded is not None:
        own = torch.from_numpy(window.decoded).to(models.device)
        z = torch.where(own, torch.from_numpy(window.latents).to(models.device), z)
    return z


def encode_spans(window: Window, models: Models) -> Tensor:
    """What is inside a window's spans as latents [1, D, T]; 0 where a frame is known.

    Only what the codec hears of the spans is encoded, so that several fillings of them cost little.
    """
    codec = models.codec()
    first, last = window.hull
    reach = codec.reach
    a, b = (0, window.frames) if reach is None else (max(0, first - reach), min(window.frames, last + reach))
    z = _latents(codec, window.coded[:, a * codec.hop : b * codec.hop], models)[..., : b - a]  # -> [1, D, n]
    whole = z.new_zeros(1, z.shape[1], window.frames)
    whole[..., a:b] = z
    return torch.where(window.known.to(z.device), 0.0, whole)


def _latents(codec: Autoencoder, audio: NDArray[np.float32], models: Models) -> Tensor:
    """Latents [1, D, T] of samples [C, T hop], remembered by their content: nobody may write into them."""

    def encoded() -> Tensor:
        with torch.inference_mode(False), torch.no_grad():  # another run may need them for gradients
            return codec.encode(torch.from_numpy(audio.copy()).to(models.device)[None])

    with _lock:
        kept = _encoded.setdefault(codec, Recent(REMEMBERED))
    return kept.get(content(audio), encoded)


def decode_spans(
    z: Tensor, window: Window, models: Models, heard: float, on_item: Callable[[int], None]
) -> list[NDArray[np.float32]]:
    """Latents [B, D, T] of a window that differ in its spans alone -> their audio, B x [C, T hop].

    Decoded is what lies up to `heard` seconds beside the spans, the known part of that once; further away
    the audio is the window's own. `on_item` is told how many are done, and may raise to stop.
    """
    codec, (first, last), frames = models.codec(), window.hull, window.frames
    reach, made = codec.reach, list[NDArray[np.float32]]()
    wide = seconds_to_frame(heard, codec.frame_rate)
    for i in range(len(z)):
        on_item(i)
        audio = (made[0] if made else window.coded).copy()
        if reach is None:
            a, b, beside = 0, frames, 0
        else:
            beside = reach if made else max(reach, wide)
            a, b = max(0, first - beside - reach), min(frames, last + beside + reach)
        part = codec.decode(z[i : i + 1, :, a:b])[0].float().cpu().numpy()  # [1, D, n] -> [C, n hop]
        c, d = (a, b) if reach is None else (max(0, first - beside), min(frames, last + beside))
        audio[:, c * codec.hop : d * codec.hop] = part[:, (c - a) * codec.hop : (d - a) * codec.hop]
        made.append(audio)
    return made


def load(models: Models, network: Callable[[], object], watch: Stopwatch) -> None:
    """Load what a run needs, so that the first run's loading does not count as work."""
    watch.lap("queued")
    watch.report("load", 0, 1)
    with models.heard(lambda read, total: watch.report("load", read, total)):
        models.codec()
        network()
        models.text()
        models.encoder()
    watch.lap("load")


def fits(seconds: float, models: Models) -> None:
    """Raise InputError for a clip longer than the window of this bundle."""
    if seconds > models.spec.window_seconds + 1e-6:
        raise InputError(
            f"length {seconds:g} s: this checkpoint makes at most {models.spec.window_seconds:g} s at once; "
            "choose a shorter length"
        )
