"""Chords, melody and drums at the latent frame rate: tensors, nulls and their projection (sec. 4.5).

Conventions: chords are indices of `engines.chords.VOCABULARY`, 194 = not given; melody is a bin
0..52 (MIDI 43..95), 53 = given and silent, 54 = not given; drums are hits (1.0 in the frame of the
onset) with a flag. Whether a lane is given can change from frame to frame: nothing is said about a
frame that no chord covers, while a given melody or drum lane is silent between its notes or hits.
Does not know the networks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from engines import chords as chord_names
from engines.requests import DRUMS, MELODY_HIGH, MELODY_LOW, Controls, InputError
from engines.timebase import seconds_to_frame

MELODY_BINS = MELODY_HIGH - MELODY_LOW + 1  # 53
MELODY_SILENT, MELODY_NULL = MELODY_BINS, MELODY_BINS + 1
LANE_GAIN = 6.0  # lane columns against the default init: sparse lanes are tiny beside latents otherwise


@dataclass(frozen=True)
class Lanes:
    """The three lanes of a batch, frame by frame."""

    chords: Tensor  # int64 [B, T], 0..194
    melody: Tensor  # int64 [B, T], 0..54
    drums: Tensor  # float32 [B, T, 5], hits in the order of requests.DRUMS
    drums_given: Tensor  # bool [B, T]; a [B] flag is spread over the frames

    def __post_init__(self) -> None:
        if self.drums_given.ndim == 1:
            spread = self.drums_given[:, None].expand(self.chords.shape).clone()  # [B] -> [B, T]
            object.__setattr__(self, "drums_given", spread)

    @property
    def frames(self) -> int:
        """Number of frames T of the [B, T] lanes."""
        return self.chords.shape[1]

    @property
    def any_given(self) -> bool:
        """True when some frame of some lane [B, T] is given."""
        given = (self.chords != chord_names.NULL_CHORD) | (self.melody != MELODY_NULL) | self.drums_given
        return bool(given.any())

    def to(self, device: torch.device | str) -> Lanes:
        """The same lanes [B, T] on another device."""
        return Lanes(*(x.to(device) for x in (self.chords, self.melody, self.drums, self.drums_given)))

    def null_like(self) -> Lanes:
        """Lanes [B, T] that say nothing."""
        return null_lanes(self.chords.shape[0], self.frames, self.chords.device)

    def permute(self, index: Tensor) -> Lanes:
        """Frames in another order, index int64 [S] or [B, S]; negative = null: [B, T] -> [B, S]."""
        index = index.to(self.chords.device)
        index = index.expand(self.chords.shape[0], -1) if index.ndim == 1 else index
        source, void = index.clamp(min=0), index < 0
        drums = self.drums.gather(1, source[..., None].expand(-1, -1, self.drums.shape[2]))
        return Lanes(
            self.chords.gather(1, source).masked_fill(void, chord_names.NULL_CHORD),
            self.melody.gather(1, source).masked_fill(void, MELODY_NULL),
            drums.masked_fill(void[..., None], 0.0),
            self.drums_given.gather(1, source) & ~void,
        )

    def window(self, start: int, end: int) -> Lanes:
        """Frames [start, end): [B, T] -> [B, end - start]."""
        return Lanes(*(x[:, start:end] for x in (self.chords, self.melody, self.drums, self.drums_given)))

    def drop(self, chords: Tensor, melody: Tensor, drums: Tensor) -> Lanes:
        """Null whole lanes of some items, each argument bool [B] (True = drop): [B, T] -> [B, T]."""
        return Lanes(
            self.chords.masked_fill(chords[:, None], chord_names.NULL_CHORD),
            self.melody.masked_fill(melody[:, None], MELODY_NULL),
            self.drums.masked_fill(drums[:, None, None], 0.0),
            self.drums_given & ~drums[:, None],
        )


def null_lanes(batch: int, frames: int, device: torch.device | str = "cpu") -> Lanes:
    """Lanes [B, T] that say nothing."""
    return Lanes(
        torch.full((batch, frames), chord_names.NULL_CHORD, device=device),
        torch.full((batch, frames), MELODY_NULL, device=device),
        torch.zeros(batch, frames, len(DRUMS), device=device),
        torch.zeros(batch, frames, dtype=torch.bool, device=device),
    )


def cat_lanes(parts: Sequence[Lanes]) -> Lanes:
    """Batches one under the other: n x [b, T] -> [B, T]."""
    fields = zip(*((p.chords, p.melody, p.drums, p.drums_given) for p in parts), strict=True)
    return Lanes(*(torch.cat(field) for field in fields))


def lanes_from(controls: Controls, frames: int, frame_rate: float, start: float = 0.0) -> Lanes:
    """Controls in seconds -> Lanes [1, T] whose frame 0 begins `start` seconds into the controls' clock.

    Edges go to the nearest frame; every note sounds for at least one. Notes outside MIDI 43..95
    are moved by octaves; of two notes at once the higher is kept. Raises InputError for an unknown
    chord, a reversed chord or note, an unknown drum, or a time that is no number.
    """
    lanes = null_lanes(1, frames)
    for chord in controls.chords or ():
        a, b = _frames(chord.start, chord.end, start, frame_rate, f"chord {chord.symbol[:24]!r}")
        lanes.chords[0, max(a, 0) : max(b, 0)] = chord_names.parse(chord.symbol).index
    if controls.melody is not None:
        lanes.melody.fill_(MELODY_SILENT)
        for note in sorted(controls.melody, key=lambda n: _fold(n.pitch)):  # the highest is written last
            a, b = _frames(note.start, note.end, start, frame_rate, f"note {note.pitch}")
            lanes.melody[0, max(a, 0) : max(b, a + 1, 0)] = _fold(note.pitch) - MELODY_LOW
    if controls.drums is not None:
        lanes.drums_given.fill_(True)
        for hit in controls.drums:
            if hit.drum not in DRUMS:
                raise InputError(f"drum {hit.drum[:24]!r}: expected one of {', '.join(DRUMS)}; choose one")
            if not math.isfinite(hit.time):
                raise InputError(f"drum hit at {hit.time} s: the time must be a number; remove the hit")
            frame = math.floor((hit.time - start) * frame_rate + 1e-6)
            if 0 <= frame < frames:
                lanes.drums[0, frame, DRUMS.index(hit.drum)] = 1.0
    return lanes


def _frames(start: float, end: float, origin: float, frame_rate: float, what: str) -> tuple[int, int]:
    if not (math.isfinite(start) and math.isfinite(end) and start < end):
        raise InputError(f"{what} at {start:g}-{end:g} s: the end must follow the start; drag it longer")
    return seconds_to_frame(start - origin, frame_rate), seconds_to_frame(end - origin, frame_rate)


def _fold(pitch: int) -> int:
    """The same pitch class inside MIDI 43..95."""
    if pitch < MELODY_LOW:
        return pitch + 12 * -(-(MELODY_LOW - pitch) // 12)
    if pitch > MELODY_HIGH:
        return pitch - 12 * -(-(pitch - MELODY_HIGH) // 12)
    return pitch


def _chord_table() -> Tensor:
    """Theory as a start for the chord embedding: root, bass, pitch classes, 4 free: float [195, 40]."""
    table = torch.zeros(chord_names.NULL_CHORD + 1, 40)
    for i, symbol in enumerate(chord_names.VOCABULARY):
        root, bass = chord_names.root(symbol), chord_names.bass(symbol)
        if root is None or bass is None:
            continue
        table[i, root] = 1.0
        table[i, 12 + bass] = 1.0
        table[i, [24 + p for p in chord_names.pitch_classes(symbol)]] = 1.0
    table[:, 36:] = 0.1 * torch.randn(table.shape[0], 4)
    return table


def _melody_table() -> Tensor:
    """One-hot pitch and pitch class, 1 free: float [55, 66]."""
    table = torch.zeros(MELODY_NULL + 1, MELODY_BINS + 13)
    bins = torch.arange(MELODY_BINS)
    table[bins, bins] = 1.0
    table[bins, MELODY_BINS + (bins + MELODY_LOW) % 12] = 1.0
    table[:, -1] = 0.1 * torch.randn(table.shape[0])
    return table


class LaneProjection(nn.Module):
    """Lanes [B, T] -> channels [B, T, width], to be concatenated with a network's input."""

    width = 40 + MELODY_BINS + 13 + len(DRUMS) + 3

    def __init__(self) -> None:
        super().__init__()
        chords, melody = _chord_table(), _melody_table()
        self.chord = nn.Embedding(chords.shape[0], chords.shape[1], _weight=chords)
        self.melody = nn.Embedding(melody.shape[0], melody.shape[1], _weight=melody)

    def forward(self, lanes: Lanes) -> Tensor:
        """Embed the lanes and add a flag per lane that says whether it is given: [B, T] -> [B, T, width]."""
        given = (lanes.chords != chord_names.NULL_CHORD, lanes.melody != MELODY_NULL, lanes.drums_given)
        flags = torch.stack(given, dim=-1)  # 3 x [B, T] -> [B, T, 3]
        chord, melody = self.chord(lanes.chords), self.melody(lanes.melody)
        return torch.cat([chord, melody, lanes.drums.to(chord.dtype), flags.to(chord.dtype)], dim=-1)


def boost_lane_columns(linear: nn.Linear) -> None:
    """Scale the last `LaneProjection.width` input columns of weight [out, in] by LANE_GAIN, in place."""
    with torch.no_grad():
        linear.weight[:, -LaneProjection.width :] *= LANE_GAIN
