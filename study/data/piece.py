# ruff: noqa: E501 (a table)
"""A piece: what is played, everything that is known about it, and what is true of it by measure.

Times are seconds from the first sample; pitches MIDI numbers; chord symbols are in the models'
vocabulary; a beat is a quarter, in 6/8 (two beats a bar) a dotted quarter, and `bpm` counts these.
Does not know how pieces are made.
"""

from __future__ import annotations

from dataclasses import dataclass

from engines.music.instruments import DRUMS_ROW
from engines.requests import Chord, Hit, Note, Part
from study.data.styles import SUSTAINED

REST = 1.5  # seconds of silence after which an instrument counts as not playing


@dataclass(frozen=True)
class Track:
    """One instrument of a piece."""

    role: str  # "lead", "comp", "pad", "bass"
    name: str  # word for captions
    program: int  # General MIDI, 0-based
    notes: tuple[tuple[float, float, int, int], ...]  # start s, end s, pitch, velocity


@dataclass(frozen=True)
class Piece:
    """A piece: what is played and everything that is known about it."""

    seed: int
    style: str
    mood: str  # one of `moods`, or ""
    key: str  # "A minor"; "" where the harmony has none
    bpm: float  # beats a minute
    beats_per_bar: int  # beats: 2 in 6/8
    seconds: float
    tracks: tuple[Track, ...]  # those that sound in the clip
    drum_notes: tuple[tuple[float, int, int], ...]  # time s, GM key, velocity
    chords: tuple[Chord, ...]  # cover the clip; "N" where no pitch sounds
    melody: tuple[Note, ...]
    hits: tuple[Hit, ...]
    source: str = "arranger"  # one of SHARES
    metre: str = "4/4"  # time signature
    beats: tuple[float, ...] = ()  # seconds
    downbeats: tuple[float, ...] = ()  # seconds
    moods: tuple[str, ...] = ()  # all mood words that are true by measure
    twin_of: int | None = None  # the seed that this piece differs from in one thing
    change: str = ""  # that thing: "lead", "comp", "bass", "style" or "tempo"; of pairs see `_edited`
    kit: int = 0  # General MIDI drum kit
    sampled: bool = False  # drums are recorded one-shots instead of a SoundFont's kit
    tune: str = ""  # title of the lead sheet

    @property
    def parts(self) -> tuple[Part, ...]:
        """Who plays when: stretches of each instrument and of the drums; rests up to REST do not end one."""
        sounds = [(t.name, [(s, e) for s, e, _, _ in t.notes]) for t in self.tracks]
        sounds.append((DRUMS_ROW, [(hit.time, hit.time + 0.3) for hit in self.hits]))
        found: list[Part] = []
        for name, stretches in sounds:
            merged: list[list[float]] = []
            for start, end in sorted((max(0.0, s), min(self.seconds, e)) for s, e in stretches):
                if end <= start:
                    continue
                if merged and start - merged[-1][1] <= REST:
                    merged[-1][1] = max(merged[-1][1], end)
                else:
                    merged.append([start, end])
            found += [Part(start, end, name) for start, end in merged]
        return tuple(found)

    @property
    def lead(self) -> str:
        """Name of the melody's instrument, or ''."""
        return next((t.name for t in self.tracks if t.role == "lead"), "")

    @property
    def mix_seed(self) -> int:
        """Seed of the sound: twins are mixed alike."""
        return self.seed if self.twin_of is None else self.twin_of


def density(piece: Piece) -> float:
    """Onsets a second: chords count once, drum hits half."""
    onsets = {
        (t.role, round(s / 0.04)) for t in piece.tracks for s, _, _, _ in t.notes if 0 <= s < piece.seconds
    }
    return (len(onsets) + 0.5 * len(piece.hits)) / piece.seconds


def mean_pitch(piece: Piece, role: str) -> float:
    """Mean MIDI pitch of what a role plays in the clip, weighted by length; 0 where it plays nothing."""
    notes = [n for t in piece.tracks if t.role == role for n in t.notes if n[1] > 0 and n[0] < piece.seconds]
    return sum(n[2] * (n[1] - n[0]) for n in notes) / sum(n[1] - n[0] for n in notes) if notes else 0.0


def moods(piece: Piece) -> tuple[str, ...]:
    """Mood words that are true of a clip by measure: onsets a second, tempo, loudness, mode, register, harmony."""
    rate, drums = density(piece), len(piece.hits) / piece.seconds
    strength = [v for t in piece.tracks for _, _, _, v in t.notes] + [v for _, _, v in piece.drum_notes]
    hard = sum(strength) / max(1, len(strength))
    minor, major = piece.key.endswith("minor"), piece.key.endswith("major")
    lead = mean_pitch(piece, "lead")
    strange = (
        sum(c.end - c.start for c in piece.chords if any(q in c.symbol for q in ("dim", "aug", "m7b5")))
        / piece.seconds
    )
    rules = {
        "calm": rate < 4 and piece.bpm < 108 and drums < 3, "gentle": hard < 74 and drums < 5 and rate < 6,
        "dreamy": rate < 4 and any(t.role == "pad" or t.name in SUSTAINED for t in piece.tracks) and drums < 3,
        "sad": minor and piece.bpm < 88 and rate < 7, "dark": minor and 0 < lead < 64,
        "bright": major and lead > 76, "happy": major and piece.bpm >= 112 and rate > 4,
        "lively": rate > 9 and piece.bpm >= 104, "energetic": rate > 9 and hard > 82 and drums > 4,
        "driving": piece.bpm >= 112 and drums > 5 and rate > 8, "laid-back": piece.bpm < 96 and 2 < drums < 8 and hard < 90,
        "tense": strange > 0.25, "powerful": hard > 96 and drums > 3,
    }  # fmt: skip
    return tuple(word for word, holds in rules.items() if holds)
