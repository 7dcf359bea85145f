"""Requests and results: what every engine takes and gives. All times are seconds.

Frozen dataclasses only; loads no torch. Times in an `InpaintRequest` are on the source's clock,
times in its `controls` too. The engine cuts the window that its model hears.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

from engines.audio.recording import Recording
from engines.audio.timebase import SHOWN_SECONDS, Grid
from engines.knobs import knob
from engines.outcomes import AUTO, CANDIDATES, SEARCH, Candidates, Comparison, Search, Wish
from engines.progress import work_seconds
from engines.roster import EngineName

# Alg. 1; plain replacement; the same with steps taken again; with gradients; candidates within a budget
ZeroShot = Literal["inversion", "replacement", "resampling", "guided", "search"]
ZERO_SHOT: tuple[ZeroShot, ...] = ("inversion", "replacement", "resampling", "guided", "search")
Solver = Literal["euler", "midpoint", "ab2", "dopri5", "ping-pong"]
SOLVERS: tuple[Solver, ...] = ("euler", "midpoint", "ab2", "dopri5", "ping-pong")
Schedule = Literal["uniform", "sway", "shift", "log-snr"]
SCHEDULES: tuple[Schedule, ...] = ("uniform", "sway", "shift", "log-snr")
DRUMS: tuple[str, ...] = ("kick", "snare", "hat", "tom", "cymbal")
MELODY_LOW, MELODY_HIGH = 43, 95  # MIDI pitches G2..B6: the 53 melody bins (App. C)
# What a musician can ask of a span that was not there; `Controls` has the lanes, words are the prompt.
Change = Literal["words", "chords", "melody", "drums", "instruments"]
CHANGES: tuple[Change, ...] = get_args(Change)
# Lanes that go on as they are heard where a change leaves them alone (`engines.filling.score`).
CONTINUED: tuple[Change, ...] = ("chords", "melody", "drums")
# blend: begins from the music around the span; change: words and lanes decide; auto: as `changed` says
Intent = Literal["auto", "blend", "change"]
Weights = Literal["fast", "exact"]  # how a large token model is read on a processor
WEIGHTS: tuple[Weights, ...] = ("fast", "exact")
INTENTS: tuple[Intent, ...] = ("auto", "blend", "change")
# What becomes of a span: made anew; a part played to it; a part taken out of it; a part of it alone
SpanTask = Literal["remake", "add", "take-out", "alone"]
SPAN_TASKS: tuple[SpanTask, ...] = get_args(SpanTask)
MAX_PROMPT = 1000  # characters
LONGEST_SECONDS = 120.0  # that one request may make


@dataclass(frozen=True)
class Chord:
    """One chord over the half-open span [start, end)."""

    start: float  # seconds
    end: float  # seconds
    symbol: str  # any spelling that `engines.music.chords.parse` knows


@dataclass(frozen=True)
class Note:
    """One melody note over the half-open span [start, end)."""

    start: float  # seconds
    end: float  # seconds
    pitch: int  # MIDI number; the models know 43..95


@dataclass(frozen=True)
class Hit:
    """One drum hit."""

    time: float  # seconds
    drum: str  # one of DRUMS


@dataclass(frozen=True)
class Part:
    """Who plays, or does not, over the half-open span [start, end)."""

    start: float  # seconds
    end: float  # seconds
    instrument: str  # any name that `engines.music.instruments.named` knows
    plays: bool = True  # False: it must not be heard


@dataclass(frozen=True)
class Controls:
    """Temporally aligned conditioning (sec. 4.5). None = lane not given; () = given and empty.

    Of instruments nothing is said about those that no part names, so there () says nothing either.
    """

    chords: tuple[Chord, ...] | None = None
    melody: tuple[Note, ...] | None = None
    drums: tuple[Hit, ...] | None = None
    instruments: tuple[Part, ...] | None = None
    grid: Grid | None = None  # beats and bars on the same clock


LaneValue = Chord | Note | Hit | Part
LANES: dict[str, type[LaneValue]] = {"chords": Chord, "melody": Note, "drums": Hit, "instruments": Part}
assert ("words", *LANES) == CHANGES


@dataclass(frozen=True)
class Guidance:
    """Classifier-free guidance: out = wish*c_all + (all-wish)*c_kept + text*c_text + (1-all-text)*c_none.

    c_kept sees only what a change leaves as it was (beyond the paper, which has no such source); without a
    `wish` it counts for nothing and `all` weighs c_all, as sec. 4.5 has it.
    """

    # weight of the prediction that sees text and controls
    all: float = knob(
        3.0, "guidance", "How closely words and lanes are followed; empty is what the bundle measured best",
        low=-30, high=30, step=0.1,
    )  # fmt: skip
    # weight of the prediction that sees text only
    text: float = knob(
        0.0, "guidance by words alone",
        "Further weight of the words without the lanes; needs a guidance of your own",
        low=-30, high=30, step=0.1,
    )  # fmt: skip
    wish: float | None = None  # weight of what a change asks for beside what it leaves; None = as `all`


@dataclass(frozen=True)
class ARSettings:
    """How the AR engine samples (App. D)."""

    temperature: float = knob(
        1.0, "AR temperature", "Higher surprises more, lower repeats more", low=0.01, high=10, step=0.05
    )
    top_k: int = knob(
        250, "AR top-k (0 = off)", "AR chooses among so many of the likeliest sounds", high=4096
    )
    top_p: float = knob(
        0.0,
        "AR top-p (0 = off)",
        "AR chooses among the likeliest sounds that together are so probable",
        step=0.05,
    )
    guidance: Guidance | None = None  # None = the bundle's default for this task
    # 0..1: the last codebook's temperature is (1 - cooling) of the first one's
    cooling: float = knob(
        0.0, "AR cooling", "Calms the fine detail of AR's sound: 0 off, 0.9 much", high=0.95, step=0.05
    )
    candidates: int = knob(
        6, "AR candidates", "Fillings that AR makes side by side; the best is taken", low=1, high=16
    )
    # so many of several begin from a repeat of the music around the span, where there is one
    seeded: int = knob(6, "AR candidates from repeats", "So many begin from a repeat of the music", high=16)
    weights: Weights = knob(
        "fast", "AR weights",
        "A large model on a processor: fast reads a byte a weight, exact all of it, in five times as long",
        choices=WEIGHTS,
    )  # fmt: skip
    checkpoint: str = ""  # name of the one that AR runs on; empty = the one at work


@dataclass(frozen=True)
class FMSettings:
    """How the FM engines integrate the flow (sec. 3.3)."""

    solver: Solver = knob(
        "ab2", "FM solver",
        "The way of stepping: ab2 needs few, dopri5 is exact and slow, ping-pong is for models made for it",
        choices=SOLVERS,
    )  # fmt: skip
    # intervals, half of them where there are several candidates; ignored by dopri5
    steps: int = knob(
        25, "FM steps", "Steps of FM and ZS: more take longer, and are finer to about 50", low=1, high=1000
    )
    guidance: Guidance | None = None  # None = the bundle's default for this task
    # how the zero-shot engine holds the known frames
    zero_shot: ZeroShot = knob(
        "replacement", "ZS method",
        "How ZS agrees with the surroundings; search tries several and keeps the best", choices=ZERO_SHOT,
    )  # fmt: skip
    # of the intervals; sway and shift: short ones near the noise; log-snr: short ones at both ends
    schedule: Schedule = knob(
        "uniform",
        "FM schedule",
        "Where the steps lie: even, sway with short ones first; shift and log-snr as some models want them",
        choices=SCHEDULES,
    )
    guided: tuple[float, float] = (0.0, 1.0)  # flow times between which guidance is applied
    budget: int = knob(
        50, "ZS search budget", "Network evaluations that the search may spend", low=8, high=10_000
    )
    candidates: int = knob(
        4, "FM candidates",
        "Fillings that FM makes from different beginnings; the one with the smoothest seams is taken",
        low=1, high=16,
    )  # fmt: skip
    # so many of several begin from a repeat of the music around the span, where there is one
    seeded: int = knob(4, "FM candidates from repeats", "So many begin from a repeat of the music", high=16)
    # how strongly chords, melody and drums that the network does not take steer its estimate; 0 = not at all
    lane_guidance: float = knob(
        0.7, "guidance by lanes",
        "How strongly chords, melody and drums steer a model that was not made to take them; 0 is off",
        high=3, step=0.1,
    )  # fmt: skip
    checkpoint: str = ""  # name of the one that FM and ZS run on; empty = the one at work


@dataclass(frozen=True)
class Latents:
    """What a model's own output was decoded from. Knows no torch: an array [D, T]."""

    z: NDArray[np.float32]  # normalised latents [D, T]
    start: float  # seconds on the recording's clock at which frame 0 begins
    gain: float  # the decoded audio was divided by it
    known: tuple[tuple[float, float], ...]  # seconds over which the recording is what they decode to


@dataclass(frozen=True)
class GenerateRequest:
    """A clip from words and lanes."""

    engine: EngineName
    prompt: str
    seconds: float  # length of the clip
    seed: int = 0
    controls: Controls = field(default_factory=Controls)
    ar: ARSettings = field(default_factory=ARSettings)
    fm: FMSettings = field(default_factory=FMSettings)
    sliding: bool = False  # make what is longer than the models' window piece by piece, up to LONGEST_SECONDS


@dataclass(frozen=True)
class InpaintRequest:
    """A span of a recording, to be re-made."""

    engine: EngineName
    source: Recording
    start: float  # seconds on the source's clock
    end: float  # seconds, > start
    prompt: str = ""
    seed: int = 0
    controls: Controls = field(default_factory=Controls)
    ar: ARSettings = field(default_factory=ARSettings)
    fm: FMSettings = field(default_factory=FMSettings)
    # seconds, inside the span, at each seam: the longest; a shorter one is taken where it sounds smoother
    crossfade: float = knob(
        0.2, "crossfade", "At most so long do old and new blend at a seam", step=0.01, unit=" s"
    )
    # share of a difference in level and bands to the context that is corrected, 0..1
    match: float = knob(
        0.75, "match to the surroundings",
        "How much of a difference in level and tone to what lies beside the span is taken away, 0 to 1",
        step=0.05,
    )  # fmt: skip
    # 0..1: how much of the span is new; less keeps that much of its own content
    strength: float = knob(
        1.0, "strength", "How much of the span is new. Less stays closer to what is there now",
        low=0.01, step=0.05,
    )  # fmt: skip
    also: tuple[tuple[float, float], ...] = ()  # further spans, seconds, after `end` and apart, in order
    latents: Latents | None = None  # of a source that a model made: its context is not encoded again
    sliding: bool = False  # make a span longer than the models' window piece by piece, up to LONGEST_SECONDS
    # seconds that engine "auto" may take
    patience: float = knob(
        30.0,
        "time for Fix it",
        "Seconds that Fix it may spend on trying engines",
        low=1,
        high=3600,
        unit=" s",
    )
    intent: Intent = "auto"  # whether the span is to blend in, or to become what words and lanes say
    changed: tuple[Change, ...] | None = None  # what is asked that was not there; None = all that is given
    left_open: tuple[str, ...] = ()  # fields of `controls` that do not go on either: as the model likes
    # all but "remake" keep what plays and are about one part of it; strength, intent and match then count
    # for nothing
    task: SpanTask = "remake"
    part: str = ""  # which, one of the spec's `stems`

    @property
    def wished(self) -> tuple[Change, ...]:
        """What is asked that was not there, in the order of CHANGES."""
        if self.changed is not None:
            return tuple(name for name in CHANGES if name in self.changed)
        given = {
            "words": self.prompt.strip() or None,
            **{name: getattr(self.controls, name) for name in LANES},
        }
        return tuple(name for name in CHANGES if given[name] is not None)

    @property
    def changes(self) -> bool:
        """True where words and lanes decide what comes; False where it blends in with what is around it."""
        return self.intent == "change" or (self.intent == "auto" and bool(self.wished))

    def within_source(self) -> InpaintRequest:
        """The request with what ends a little after the source, as times are shown, ending with it."""
        end, beyond = self.source.seconds, max(SHOWN_SECONDS, 0.5 / self.source.rate)

        def within(time: float) -> float:
            return end if end < time <= end + beyond else time

        last, also = within(self.end), tuple((a, within(b)) for a, b in self.also)
        return self if (last, also) == (self.end, self.also) else replace(self, end=last, also=also)

    @property
    def seconds(self) -> float:
        """Length of the span in seconds."""
        return self.end - self.start

    @property
    def spans(self) -> tuple[tuple[float, float], ...]:
        """All spans, in order."""
        return ((self.start, self.end), *self.also)


Request = GenerateRequest | InpaintRequest


@dataclass(frozen=True)
class Support:
    """Whether an engine can serve a request; false with a one-line reason and remedy."""

    reason: str = ""  # empty = supported

    def __bool__(self) -> bool:
        return not self.reason


@dataclass(frozen=True)
class Seam:
    """How one boundary of a span sounds (`engines.audio.seams`). Lower is smoother."""

    time: float  # seconds on the source's clock
    jump: float  # log-mel jump across the boundary, dB
    level: float  # loudness step, dB (positive: the span is louder than its context)
    brightness: float  # step of the energy above 4 kHz, dB (positive: the span is brighter)
    click: float  # second-difference peak at the boundary over the local median, ratio
    score: float  # 0 (as smooth as the source's own moments) .. 1 (worse than all of them)
    words: str  # "Smooth", "Small bump", "Click", "3 dB louder" ...: the weightiest of `reasons`
    loudness: float = 0.0  # level step over seconds, dB (positive: the span is louder)
    late: float = 0.0  # seconds that the span's beat lags behind its context's
    percentiles: dict[str, float] = field(default_factory=dict)  # of each statistic among the original's
    reasons: tuple[str, ...] = ()  # everything that stands out at a rough seam

    @property
    def failed(self) -> bool:
        """True when no moment of the original itself is as rough."""
        return self.score >= 1.0


@dataclass(frozen=True)
class Result:
    """What a run gives."""

    request: Request  # everything needed to run it again
    audio: Recording  # whole clip (generate), or the whole source with the span re-made (inpaint)
    timings: dict[str, float]  # seconds spent per stage
    seams: tuple[Seam, ...] = ()  # inpaint: one per boundary that has context on its other side
    parameters: dict[str, object] = field(default_factory=dict)  # resolved settings, JSON-ready
    latents: Latents | None = None  # for an edit of this result: see `InpaintRequest.latents`
    wishes: tuple[Wish, ...] = ()  # what was asked, and what of it is heard
    candidates: Candidates | None = None  # where several were made
    search: Search | None = None  # where one was made
    comparison: Comparison | None = None  # of engines, for engine "auto"

    @property
    def resolved(self) -> dict[str, object]:
        """The settings that were used and how the result came about, JSON-ready, as takes keep them."""
        came: dict[str, Candidates | Search | Comparison | None] = {
            CANDIDATES: self.candidates, SEARCH: self.search, AUTO: self.comparison,
        }  # fmt: skip
        return {
            **self.parameters,
            **{name: outcome.to_json() for name, outcome in came.items() if outcome is not None},
        }

    @property
    def agreement(self) -> float | None:
        """How far the wishes came true, 0..1, the mean of all; None where there were none."""
        each = [wish.granted for wish in self.wishes]
        return sum(each) / len(each) if each else None

    @property
    def seconds_spent(self) -> float:
        """Wall time at work, without waiting and loading."""
        return work_seconds(self.timings)

    @property
    def failed(self) -> bool:
        """True when a seam is rougher than any moment of the original: not to be trusted unheard."""
        return any(seam.failed for seam in self.seams)

    @property
    def real_time_factor(self) -> float:
        """Seconds of audio made per second spent."""
        return self.request.seconds / max(self.seconds_spent, 1e-9)
