"""Chords, melody, drums, instruments and beats at the latent frame rate: tensors and nulls (sec. 4.5).

Conventions: chords are indices of `engines.music.chords.VOCABULARY`, 194 = not given; melody is a bin 0..52
(MIDI 43..95), 53 = given and silent, 54 = not given; drums are hits (1.0 in the frame of the onset) with a
flag. Whether a lane is given can change from frame to frame: nothing is said about a frame that no chord
covers, while a given melody or drum lane is silent between its notes or hits. Instruments (beyond the
paper) are rows of `engines.music.instruments.ROWS`: 1 plays, -1 must not, 0 left open; beats are sine and
cosine of the phase in the beat and in the bar, all 0 where they are not given. Does not know the networks.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, fields

import torch
from torch import Tensor, nn

from engines.audio.timebase import Grid, frame_to_seconds, seconds_to_frame
from engines.errors import InputError
from engines.music import chords as chord_names
from engines.music.instruments import FAMILIES, OTHERS, ROWS, family_of, members, named, row_of
from engines.networks.shapes import TakenLanes
from engines.requests import DRUMS, MELODY_HIGH, MELODY_LOW, Controls, Part

MELODY_BINS = MELODY_HIGH - MELODY_LOW + 1  # 53
MELODY_SILENT, MELODY_NULL = MELODY_BINS, MELODY_BINS + 1
BEAT = 4  # channels of the beats
LANE_GAIN = 6.0  # lane columns against the default init: sparse lanes are tiny beside latents otherwise


_UNSAID = torch.empty(0)


@dataclass(frozen=True)
class Lanes:
    """The lanes of a batch, frame by frame."""

    chords: Tensor  # int64 [B, T], 0..194
    melody: Tensor  # int64 [B, T], 0..54
    drums: Tensor  # float32 [B, T, 5], hits in the order of requests.DRUMS
    drums_given: Tensor  # bool [B, T]; a [B] flag is spread over the frames
    parts: Tensor = _UNSAID  # int8 [B, T, ROWS]: 1 plays, -1 must not, 0 open; all open where left out
    beat: Tensor = _UNSAID  # float32 [B, T, 4]: sin, cos of the beat, of the bar; not given where left out

    def __post_init__(self) -> None:
        size, device = self.chords.shape, self.chords.device
        if self.drums_given.ndim == 1:
            spread = self.drums_given[:, None].expand(size).clone()  # [B] -> [B, T]
            object.__setattr__(self, "drums_given", spread)
        if self.parts.ndim < 3:
            object.__setattr__(self, "parts", torch.zeros(*size, len(ROWS), dtype=torch.int8, device=device))
        if self.beat.ndim < 3:
            object.__setattr__(self, "beat", torch.zeros(*size, BEAT, device=device))

    @property
    def tensors(self) -> tuple[Tensor, ...]:
        """All fields in order, each [B, T, ...]."""
        return tuple(getattr(self, field.name) for field in fields(self))

    def each(self, change: Callable[[Tensor], Tensor]) -> Lanes:
        """The same change made to every field, [B, T, ...] -> [b, t, ...]."""
        return Lanes(*(change(x) for x in self.tensors))

    @property
    def frames(self) -> int:
        """Number of frames T of the [B, T] lanes."""
        return self.chords.shape[1]

    @property
    def any_given(self) -> bool:
        """True when some frame of some lane [B, T] is given."""
        given = (self.chords != chord_names.NULL_CHORD) | (self.melody != MELODY_NULL) | self.drums_given
        return bool(given.any() or self.parts.any() or self.beat.any())

    def to(self, device: torch.device | str) -> Lanes:
        """The same lanes [B, T] on another device."""
        return self.each(lambda x: x.to(device))

    def null_like(self) -> Lanes:
        """Lanes [B, T] that say nothing."""
        return null_lanes(self.chords.shape[0], self.frames, self.chords.device)

    def permute(self, index: Tensor) -> Lanes:
        """Frames in another order, index int64 [S] or [B, S]; negative = null: [B, T] -> [B, S]."""
        index = index.to(self.chords.device)
        index = index.expand(self.chords.shape[0], -1) if index.ndim == 1 else index
        source, void = index.clamp(min=0), index < 0

        def moved(x: Tensor) -> Tensor:  # [B, T, ...] -> [B, S, ...]
            return x.gather(1, source if x.ndim == 2 else source[..., None].expand(-1, -1, x.shape[2]))

        return Lanes(
            moved(self.chords).masked_fill(void, chord_names.NULL_CHORD),
            moved(self.melody).masked_fill(void, MELODY_NULL),
            moved(self.drums).masked_fill(void[..., None], 0.0),
            moved(self.drums_given) & ~void,
            moved(self.parts).masked_fill(void[..., None], 0),
            moved(self.beat).masked_fill(void[..., None], 0.0),
        )

    def window(self, start: int, end: int) -> Lanes:
        """Frames [start, end): [B, T] -> [B, end - start]."""
        return self.each(lambda x: x[:, start:end])

    def rows(self, index: Tensor) -> Lanes:
        """Items in another order or number, index int64 [b]: [B, T] -> [b, T]."""
        return self.each(lambda x: x[index])

    def where(self, inside: Tensor, other: Lanes) -> Lanes:
        """These lanes in the frames bool [B, T] that are `inside`, others elsewhere: [B, T] -> [B, T]."""
        pairs = zip(self.tensors, other.tensors, strict=True)
        return Lanes(*(torch.where(inside if x.ndim == 2 else inside[..., None], x, y) for x, y in pairs))

    def drop(
        self,
        chords: Tensor,
        melody: Tensor,
        drums: Tensor,
        parts: Tensor | None = None,
        beat: Tensor | None = None,
    ) -> Lanes:
        """Null whole lanes of some items, each argument bool [B] (True = drop): [B, T] -> [B, T]."""
        return Lanes(
            self.chords.masked_fill(chords[:, None], chord_names.NULL_CHORD),
            self.melody.masked_fill(melody[:, None], MELODY_NULL),
            self.drums.masked_fill(drums[:, None, None], 0.0),
            self.drums_given & ~drums[:, None],
            self.parts if parts is None else self.parts.masked_fill(parts[:, None, None], 0),
            self.beat if beat is None else self.beat.masked_fill(beat[:, None, None], 0.0),
        )

    def without(self, names: Collection[str]) -> Lanes:
        """The same lanes with some nulled in all items, named as in `Controls`: [B, T] -> [B, T]."""
        lanes = ("chords", "melody", "drums", "instruments", "grid")
        size, device = self.chords.shape[0], self.chords.device
        return self.drop(*(torch.full((size,), name in names, device=device) for name in lanes))


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
    return Lanes(*(torch.cat(field) for field in zip(*(p.tensors for p in parts), strict=True)))


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
    write_parts(lanes.parts[0], controls.instruments or (), frame_rate, start)
    if controls.grid is not None:
        lanes.beat[0] = beat_phase(controls.grid, frames, frame_rate, start)
    return lanes


def write_parts(lane: Tensor, parts: Sequence[Part], frame_rate: float, start: float = 0.0) -> None:
    """Write who plays into the int8 lane [T, ROWS] of a clip `start` seconds into the parts' clock.

    Of an instrument that plays its family plays too; of a family that does not none of its members does. What
    plays counts before what does not, and "everything else" is all that nothing else is said of. Raises
    InputError for an unknown name or reversed times.
    """
    told = []
    for part in parts:
        name = named(part.instrument)
        a, b = _frames(part.start, part.end, start, frame_rate, f"instrument {part.instrument[:24]!r}")
        told.append((name, part.plays, slice(max(a, 0), max(b, a + 1, 0))))
    for name, plays, span in told:
        if not plays and name != OTHERS:
            lane[span, [row_of(row) for row in (name, *members(name))]] = -1
    for name, plays, span in told:
        if plays and name == OTHERS:
            raise InputError("instrument 'everything else': it can only be left out; name who is to play")
        if plays:
            rows = [row for row in (name, family_of(name)) if row is not None]
            lane[span, [row_of(row) for row in rows]] = 1
    for name, _, span in told:
        if name == OTHERS:
            lane[span] = torch.where((lane[span] == 0) & ~_left_to_family(lane[span]), -1, lane[span]).to(
                lane.dtype
            )


def _left_to_family(lane: Tensor) -> Tensor:
    """Members of families that play without saying which: int8 [T, ROWS] -> bool [T, ROWS]."""
    free = torch.zeros_like(lane, dtype=torch.bool)
    for family in FAMILIES:
        inside = [row_of(name) for name in members(family)]
        free[:, inside] = ((lane[:, row_of(family)] == 1) & ~(lane[:, inside] == 1).any(dim=1))[:, None]
    return free


def beat_phase(grid: Grid, frames: int, frame_rate: float, start: float = 0.0) -> Tensor:
    """Sine and cosine of the phase in the beat and in the bar at the middle of each frame: float [T, 4]."""
    middles = [start + frame_to_seconds(i, frame_rate) + 0.5 / frame_rate for i in range(frames)]
    beats = torch.tensor([grid.seconds_to_beats(t) for t in middles], dtype=torch.float64)
    angles = 2 * math.pi * torch.stack([beats, beats / grid.beats_per_bar])  # [2, T]
    both = torch.stack([angles.sin(), angles.cos()], dim=1)  # -> [2, 2, T]
    return both.flatten(0, 1).T.float()  # -> [4, T] -> [T, 4]


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
    """Lanes [B, T] -> channels [B, T, width], to be concatenated with a network's input.

    Lanes beyond the paper's come last, so that a network without them can be given them.
    """

    def __init__(self, taken: TakenLanes | None = None) -> None:
        super().__init__()
        chords, melody = _chord_table(), _melody_table()
        self.taken = taken or TakenLanes()
        self.width = lane_width(self.taken)
        self.chord = nn.Embedding(chords.shape[0], chords.shape[1], _weight=chords)
        self.melody = nn.Embedding(melody.shape[0], melody.shape[1], _weight=melody)

    def forward(self, lanes: Lanes) -> Tensor:
        """Embed the lanes and add a flag per lane that says whether it is given: [B, T] -> [B, T, width]."""
        given = (lanes.chords != chord_names.NULL_CHORD, lanes.melody != MELODY_NULL, lanes.drums_given)
        flags = torch.stack(given, dim=-1)  # 3 x [B, T] -> [B, T, 3]
        chord, melody = self.chord(lanes.chords), self.melody(lanes.melody)
        out = [chord, melody, lanes.drums, flags]
        if self.taken.band:
            said = torch.stack([lanes.parts.any(dim=-1), lanes.beat.any(dim=-1)], dim=-1)  # [B, T, 2]
            out += [lanes.parts, lanes.beat, said]
        return torch.cat([x.to(chord.dtype) for x in out], dim=-1)


def lane_width(taken: TakenLanes) -> int:
    """Channels of a `LaneProjection`."""
    return 40 + MELODY_BINS + 13 + len(DRUMS) + 3 + (len(ROWS) + BEAT + 2 if taken.band else 0)


def boost_lane_columns(linear: nn.Linear, width: int) -> None:
    """Scale the last `width` input columns, the lanes', of weight [out, in] by LANE_GAIN, in place."""
    with torch.no_grad():
        linear.weight[:, -width:] *= LANE_GAIN


def widened(weight: Tensor, columns: int) -> Tensor:
    """Weights [out, in] of a network with fewer lanes, zeros added for those of another: [out, columns]."""
    return torch.cat([weight, weight.new_zeros(weight.shape[0], columns - weight.shape[1])], dim=1)
