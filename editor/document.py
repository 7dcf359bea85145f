"""The document: frozen Project, Clip, Lanes, Region, Take. Loads no torch.

Lane objects carry an `id` so that a gesture can name them. Chord cells and drum hits are in
beats on the project's grid (they move with the tempo), notes in beats too; regions and audio are
in seconds. Audio lies in the project's folder, named by file name.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from engines.timebase import Grid


@dataclass(frozen=True)
class Region:
    """A span of the clip, half-open, in seconds."""

    start: float
    end: float


@dataclass(frozen=True)
class ChordCell:
    """A chord on the chord lane, half-open, in beats."""

    id: str
    start: float
    end: float
    symbol: str


@dataclass(frozen=True)
class LaneNote:
    """A note on the melody lane, half-open, in beats; pitch is a MIDI number."""

    id: str
    start: float
    end: float
    pitch: int


@dataclass(frozen=True)
class LaneHit:
    """A hit on the drum lane; time in beats, drum one of engines.requests.DRUMS."""

    id: str
    time: float
    drum: str


@dataclass(frozen=True)
class Lanes:
    """What the musician drew. An empty lane conditions nothing."""

    chords: tuple[ChordCell, ...] = ()
    melody: tuple[LaneNote, ...] = ()
    drums: tuple[LaneHit, ...] = ()


@dataclass(frozen=True)
class Clip:
    """The audio on the timeline."""

    file: str  # file name in the project folder
    seconds: float
    rate: int
    channels: int
    label: str = ""  # "song.wav" or "FM seed 7"


@dataclass(frozen=True)
class Take:
    """One result of a run. Takes are never lost by undo."""

    id: str
    kind: str  # "generate" | "inpaint"
    engine: str  # "ar" | "fm" | "fm-zero-shot"
    seed: int
    prompt: str
    file: str  # whole clip, in the project folder
    seconds: float  # length of that file
    region: Region | None  # inpaint: the span that was re-made
    source: str | None  # inpaint: the clip file it was made from
    parameters: dict[str, object] = field(default_factory=dict)  # full request, JSON, replayable
    timings: dict[str, float] = field(default_factory=dict)
    seams: tuple[dict[str, object], ...] = ()
    made: str = ""  # ISO time
    rate: int = 0  # Hz, of that file
    channels: int = 0  # of that file


@dataclass(frozen=True)
class Project:
    """Everything on the page that is worth keeping."""

    name: str = "Untitled"
    prompt: str = ""
    length: float = 10.0  # seconds, for Generate
    seed: int = 0
    engines: tuple[str, ...] = ("ar", "fm", "fm-zero-shot")  # ticked for Inpaint
    grid: Grid = field(default_factory=Grid)
    clip: Clip | None = None
    region: Region | None = None
    lanes: Lanes = field(default_factory=Lanes)
    follow: tuple[str, ...] = ("chords",)  # lanes that condition a run
    takes: tuple[Take, ...] = ()
    kept: str | None = None  # id of the take that is on the timeline
