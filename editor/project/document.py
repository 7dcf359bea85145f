"""The document: frozen Project, Clip, Lanes, Span, Region, Section, Take. Loads no torch.

Lane objects carry an `id` so that a gesture can name them. Chord cells and drum hits are in
beats on the project's grid (they move with the tempo), notes in beats too; regions and audio are
in seconds. Audio lies in the project's folder, named by file name: a clip is a file with the re-made
spans laid over it, so that a take costs its span alone and the rest is the original by construction.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import get_args, get_type_hints

from engines.audio.timebase import Grid
from engines.knobs import knob
from engines.requests import ARSettings, FMSettings, Guidance, InpaintRequest
from engines.roster import ENGINE_NAMES


@dataclass(frozen=True)
class Region:
    """A span of the clip, half-open, in seconds."""

    start: float
    end: float


@dataclass(frozen=True)
class Span:
    """A stretch of the clip that is to be re-made, half-open, in seconds. It may have words of its own."""

    id: str
    start: float
    end: float
    prompt: str | None = None  # None = the project's
    follow: tuple[str, ...] | None = None  # lanes that condition it; None = the project's
    intent: str = "auto"  # "auto" | "blend" | "change", as of engines.requests.InpaintRequest
    changed: tuple[str, ...] = ()  # lanes that were edited inside it since the last take was kept
    ignored: tuple[str, ...] = ()  # lanes that are not followed here, whatever `follow` says
    not_meant: tuple[str, ...] = ()  # instruments that its words name and that are not meant


@dataclass(frozen=True)
class Section:
    """A named stretch of whole bars, half-open, counted from 0 at the grid's beat 0."""

    id: str
    name: str  # "Verse"
    start: int
    end: int


@dataclass(frozen=True)
class ChordCell:
    """A chord on the chord lane, half-open, in beats."""

    id: str
    start: float
    end: float
    symbol: str

    @property
    def says(self) -> object:
        """What it says over its place."""
        return self.symbol


@dataclass(frozen=True)
class LaneNote:
    """A note on the melody lane, half-open, in beats; pitch is a MIDI number."""

    id: str
    start: float
    end: float
    pitch: int

    @property
    def says(self) -> object:
        """What it says over its place."""
        return self.pitch


@dataclass(frozen=True)
class LaneHit:
    """A hit on the drum lane; time in beats, drum one of engines.requests.DRUMS."""

    id: str
    time: float
    drum: str

    @property
    def says(self) -> object:
        """What it says at its place."""
        return self.drum


@dataclass(frozen=True)
class LanePart:
    """Who plays, or does not, half-open, in beats. Parts of one instrument never overlap."""

    id: str
    start: float
    end: float
    instrument: str  # a row of engines.music.instruments.ROWS, or OTHERS
    plays: bool = True  # False: asked to be absent
    sure: float = 1.0  # 0..1, of what was heard
    by: str = "drawn"  # "drawn" | "heard" | "words" | "midi" | "imported": a file's, put into a span

    @property
    def asked(self) -> bool:
        """Whether someone wants it there; else it says what the recording, or the file it came from, has."""
        return self.by not in ("heard", "midi")

    @property
    def says(self) -> object:
        """What it says over its place; who put it there is no part of that."""
        return self.instrument, self.plays


@dataclass(frozen=True)
class Lanes:
    """What the musician drew. An empty lane conditions nothing."""

    chords: tuple[ChordCell, ...] = ()
    melody: tuple[LaneNote, ...] = ()
    drums: tuple[LaneHit, ...] = ()
    band: tuple[LanePart, ...] = ()


LaneItem = ChordCell | LaneNote | LaneHit | LanePart
LANE_ITEMS: dict[str, type[LaneItem]] = {  # lane -> what stands on it, in the order of the page's chips
    name: get_args(hint)[0] for name, hint in get_type_hints(Lanes).items()
}


@dataclass(frozen=True)
class Patch:
    """A re-made span: the samples of `file` stand from sample `first` of the clip on."""

    file: str  # file name in the project folder
    first: int


@dataclass(frozen=True)
class Sound:
    """What the samples of a clip are: those of a file, with patches laid over it in order."""

    file: str  # file name in the project folder
    patches: tuple[Patch, ...] = ()


@dataclass(frozen=True)
class Clip:
    """The audio on the timeline."""

    file: str  # file name in the project folder
    seconds: float
    rate: int
    channels: int
    label: str = ""  # "song.wav"; for a generated clip "FM seed 7"
    patches: tuple[Patch, ...] = ()  # the kept takes, oldest first
    lead: float = 0.0  # seconds that were put before the recording it began as

    @property
    def sound(self) -> Sound:
        """What its samples are."""
        return Sound(self.file, self.patches)


@dataclass(frozen=True)
class Version:
    """A clip that was on the timeline: an upload, or a take that was kept. Never lost by undo."""

    id: str
    clip: Clip
    parent: str | None  # the version that it was made from; None = an upload or a generated clip
    take: str | None  # the take that was kept


@dataclass(frozen=True)
class Take:
    """One result of a run. Takes are never lost by undo; a deleted one is only hidden."""

    id: str
    kind: str  # "generate" | "inpaint" | "continue" | "intro" | "loop"
    engine: str  # "ar" | "fm" | "fm-zero-shot"
    seed: int
    prompt: str
    file: str  # in the project folder: the span's samples, or the whole clip (`first` tells)
    seconds: float  # length of the whole clip
    region: Region | None  # the span that was re-made, or the stretch that was added (not of a loop)
    source: Sound | None  # the clip it was made from; None of a generated clip
    parameters: dict[str, object] = field(default_factory=dict)  # full request, JSON, replayable
    timings: dict[str, float] = field(default_factory=dict)
    seams: tuple[dict[str, object], ...] = ()
    made: str = ""  # ISO time
    rate: int = 0  # Hz, of that file
    channels: int = 0  # of that file
    first: int | None = None  # sample of the clip at which the file begins; None = it is the whole clip
    name: str = ""  # the musician's; empty = engine and seed
    starred: bool = False
    deleted: bool = False
    spans: tuple[Region, ...] = ()  # where several were re-made at once: all; `region` is from first to last
    wish: tuple[dict[str, object], ...] = ()  # what was asked and what of it is heard: engines.requests.Wish
    band: tuple[dict[str, object], ...] = ()  # who is heard in it: {"name", "start", "end", "sure"}, seconds

    @property
    def sound(self) -> Sound:
        """What the samples of the whole clip are, with this take in it."""
        if self.first is None or self.source is None:
            return Sound(self.file)
        return Sound(self.source.file, (*self.source.patches, Patch(self.file, self.first)))


@dataclass(frozen=True)
class Rating:
    """What a listener thought of one take that was heard without its name."""

    take: str  # its id; empty for the original
    engine: str  # "ar" | "fm" | "fm-zero-shot" | "gt" for the original
    smoothness: int  # 1..10, the transitions
    match: int  # 1..10, the sound


@dataclass(frozen=True)
class Round:
    """One blind round: the takes of a span in the shuffled order. Never lost by undo."""

    id: str
    region: Region
    ratings: tuple[Rating, ...]
    matched: bool  # whether the takes were as loud as each other
    made: str  # ISO time


@dataclass(frozen=True)
class Settings:
    """The knobs of the panel; what an engine does not have it ignores.

    `knobs.PANEL` says which fields of a request they turn, and those say what they mean, and their bounds.
    """

    steps: int = FMSettings.steps
    solver: str = FMSettings.solver
    guidance: float | None = None  # None = the bundle's
    temperature: float = ARSettings.temperature
    top_k: int = ARSettings.top_k
    strength: float = InpaintRequest.strength
    match: float = InpaintRequest.match
    crossfade: float = InpaintRequest.crossfade
    text_guidance: float = Guidance.text  # used with a guidance of one's own
    schedule: str = FMSettings.schedule
    zero_shot: str = ""  # empty = the bundle's
    budget: int = FMSettings.budget
    top_p: float = ARSettings.top_p
    cooling: float = ARSettings.cooling
    weights: str = ARSettings.weights
    candidates: int = ARSettings.candidates
    fm_candidates: int = FMSettings.candidates
    lane_guidance: float = FMSettings.lane_guidance
    patience: float = InpaintRequest.patience
    join: float = knob(
        2.0, "loop join", "Seconds around the join that Loop re-makes", low=0.2, high=8, step=0.1, unit=" s"
    )
    ar_from: str = ""  # the checkpoint that AR runs on, by its name on the shelf; empty = the server's own
    fm_from: str = ""  # the same of FM and zero-shot


UNNAMED = "Untitled"  # a project that nobody, and nothing in it, has named yet


@dataclass(frozen=True)
class Project:
    """Everything on the page that is worth keeping."""

    name: str = UNNAMED
    prompt: str = ""
    length: float = 10.0  # seconds, for Generate
    seed: int = 0
    engines: tuple[str, ...] = ENGINE_NAMES  # ticked for Inpaint
    grid: Grid = field(default_factory=Grid)
    clip: Clip | None = None
    key: str = "C major"  # what the page offers chords and rows in; no engine is told
    spans: tuple[Span, ...] = ()  # in order of time
    active: str = ""  # id of the span that Inpaint re-makes
    lanes: Lanes = field(default_factory=Lanes)
    follow: tuple[str, ...] = ("chords",)  # lanes that condition a run
    not_meant: tuple[str, ...] = ()  # instruments that its words name and that are not meant
    sort: str = "wish"  # "wish" | "smoothest": how the takes of a span are ordered
    takes: tuple[Take, ...] = ()
    kept: str | None = None  # id of the take that is on the timeline
    versions: tuple[Version, ...] = ()  # every clip that was on the timeline, oldest first
    rounds: tuple[Round, ...] = ()  # of the blind listening test, oldest first
    variations: int = 1  # takes that each engine makes at a click
    settings: Settings = field(default_factory=Settings)
    sections: tuple[Section, ...] = ()  # in order of bars; none overlaps another

    @property
    def span(self) -> Span | None:
        """The active span."""
        return next((span for span in self.spans if span.id == self.active), None)

    @property
    def region(self) -> Region | None:
        """Where the active span lies."""
        span = self.span
        return None if span is None else Region(span.start, span.end)

    @property
    def apart(self) -> tuple[Region, ...]:
        """What all spans cover, in order of time; those that touch are one."""
        found: list[Region] = []
        for span in sorted(self.spans, key=lambda span: span.start):
            if found and span.start <= found[-1].end + 1e-6:
                found[-1] = Region(found[-1].start, max(found[-1].end, span.end))
            else:
                found.append(Region(span.start, span.end))
        return tuple(found)

    @property
    def span_prompt(self) -> str:
        """The words that the active span is re-made with."""
        span = self.span
        return self.prompt if span is None or span.prompt is None else span.prompt

    @property
    def span_follow(self) -> tuple[str, ...]:
        """The lanes that are ticked for the active span."""
        span = self.span
        return self.follow if span is None or span.follow is None else span.follow

    @property
    def followed(self) -> tuple[str, ...]:
        """The lanes that condition the active span: those that are ticked, without the ignored ones."""
        ignored = self.span.ignored if self.span else ()
        return tuple(name for name in self.span_follow if name not in ignored)
