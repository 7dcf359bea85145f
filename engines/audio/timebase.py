"""The one home of seconds <-> samples <-> frames <-> beats.

Conventions: seconds are floats on the clip's own clock (0 = first sample); samples and frames
are integers; beats are floats counted from beat 0, which lies `Grid.offset` seconds into the clip.
Spans are half-open. Does not know audio, torch or models.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

SHOWN_SECONDS = 0.005  # half a digit of a time as it is shown: so much may a typed time lie beyond an end
_EPS = 1e-6  # absorbs binary rounding such as 2.9 * 25 = 72.499999


def seconds_to_samples(seconds: float, rate: int) -> int:
    """Nearest sample index at `rate` Hz."""
    return math.floor(seconds * rate + 0.5)


def samples_to_seconds(samples: int, rate: int) -> float:
    """Time in seconds of a sample index at `rate` Hz."""
    return samples / rate


def seconds_to_frame(seconds: float, frame_rate: float) -> int:
    """Nearest latent frame boundary at `frame_rate` Hz."""
    return math.floor(seconds * frame_rate + 0.5)


def frame_to_seconds(frame: int, frame_rate: float) -> float:
    """Time in seconds at which a latent frame begins."""
    return frame / frame_rate


def span_to_frames(start: float, end: float, frame_rate: float) -> tuple[int, int]:
    """Smallest half-open frame range [a, b) that covers the span [start, end) in seconds."""
    return math.floor(start * frame_rate + _EPS), math.ceil(end * frame_rate - _EPS)


def frames_for(seconds: float, frame_rate: float) -> int:
    """Number of whole frames that cover `seconds`, at least one."""
    return max(1, math.ceil(seconds * frame_rate - _EPS))


def resampled_length(samples: int, rate: int, new_rate: int) -> int:
    """Length in samples after resampling from `rate` to `new_rate` (rounded up, as polyphase does)."""
    return -(-samples * new_rate // rate)


@dataclass(frozen=True)
class Grid:
    """The beat grid of a clip."""

    bpm: float = 120.0  # beats per minute
    beats_per_bar: int = 4  # numerator of the time signature
    offset: float = 0.0  # seconds at which beat 0 (bar 1) begins

    def __post_init__(self) -> None:
        if not 20.0 <= self.bpm <= 400.0:
            raise ValueError(f"tempo {self.bpm:g} bpm: expected 20-400; set the tempo again")
        if not 1 <= self.beats_per_bar <= 16:
            raise ValueError(f"{self.beats_per_bar} beats a bar: expected 1-16")

    @property
    def seconds_per_beat(self) -> float:
        """Length of one beat in seconds."""
        return 60.0 / self.bpm

    def beats_to_seconds(self, beats: float) -> float:
        """Time in seconds of a beat position."""
        return self.offset + beats * self.seconds_per_beat

    def seconds_to_beats(self, seconds: float) -> float:
        """Beat position of a time in seconds."""
        return (seconds - self.offset) / self.seconds_per_beat

    def snap(self, seconds: float, beats: float = 1.0) -> float:
        """The nearest multiple of `beats` beats to a time, in seconds."""
        return self.beats_to_seconds(round(self.seconds_to_beats(seconds) / beats) * beats)
