"""Side-by-side listening: the groups of tracks that the page compares, as a Gradio component.

A group holds the takes of one span of one clip, after its original; or the generated clips. A track
of a span is served as a short WAV around the span, since outside it every take equals its source.
Times in seconds. Knows no wiring; reads audio files, never writes a project.
"""

from __future__ import annotations

from typing import Any

import gradio as gr
from gradio.data_classes import GradioModel
from pydantic import Field

from editor.page.state import RegionState
from editor.page.timeline import module_script, schema
from editor.runs.events import PEAK_SECONDS


class SeamState(GradioModel):
    """One boundary of a take."""

    time: float
    jump: float
    level: float
    brightness: float
    click: float
    score: float
    words: str


class CandidateState(GradioModel):
    """One beginning of the zero-shot search."""

    start: str  # in words: where it began
    curve: list[list[float]]  # [flow time 0..1, misfit of the known frames at the edges]
    dropped: float | None  # flow time at which it was given up
    chosen: bool


class SearchState(GradioModel):
    """What the zero-shot search did for a take."""

    budget: int  # network evaluations that it might spend
    spent: int
    candidates: list[CandidateState]


class WishState(GradioModel):
    """One thing that was asked, and what of it is heard (`engines.requests.Wish`)."""

    kind: str  # "instrument" | "chords" | "melody" | "drums"
    name: str
    plays: bool
    share: float  # 0..1
    sure: float  # 0..1
    seconds: float  # how long it was asked for
    words: str  # "heard", "gone", "78 %" ...


class PlayerState(GradioModel):
    """Who is heard in a take, from when to when, in seconds on the timeline's clock."""

    name: str
    start: float
    end: float
    sure: float  # 0..1


class TrackState(GradioModel):
    """One thing to hear: the original, a take, or a run that will become a take."""

    id: str
    digit: int | None  # the key that selects it
    kind: str  # "original" | "take"
    extends: str = ""  # "continue" | "intro" | "loop": a clip that was extended
    why: str = ""  # why the choice among all engines fell on it
    why_more: str = ""  # what else was tried or left out, for a tooltip
    engine: str = ""
    seed: int = 0
    name: str = ""  # the musician's
    part: str = ""  # "with drums", "without drums", "drums alone": what became of one part
    starred: bool = False
    state: str = "ready"  # "waiting" | "running" | "ready" | "failed" | "cancelled" | "interrupted"
    progress: float = 0.0  # 0..1
    note: str = ""  # progress or failure in words
    peaks: list[int] = Field(default_factory=list)  # of a run's sound so far, 0..100
    peak_seconds: float = PEAK_SECONDS  # of sound that each stands for
    words: str = ""  # time spent
    model: str = ""  # the checkpoint that made it, where that is not the server's own
    seconds: float = 0.0  # length of the whole clip
    region: RegionState | None = None
    spans: list[RegionState] = Field(default_factory=list)  # where several were re-made at once
    seams: list[SeamState] = Field(default_factory=list)
    url: str = ""  # audio, relative to the page
    start: float = 0.0  # seconds on the clip's clock at which that audio begins
    file: str = ""  # its own samples, lossless, to be dragged out: address and the name that they shall have
    file_name: str = ""
    whole: bool = False  # the audio is a clip of its own, not a part of the timeline's
    kept: bool = False
    wish: list[WishState] = Field(default_factory=list)  # what was asked, and what of it is heard
    asked: list[str] = Field(default_factory=list)  # lanes that it was told: others say nothing of it
    wishState: str = ""  # "pending" while it is listened to, "failed", "unknown": nobody can tell; else ""
    band: list[PlayerState] = Field(default_factory=list)  # who is heard in it
    details: list[list[str]] = Field(default_factory=list)  # [what, value] of all that it was made with
    search: SearchState | None = None


class GroupState(GradioModel):
    """Tracks to compare."""

    id: str
    label: str
    region: RegionState | None
    tracks: list[TrackState]
    spans: list[RegionState] = Field(default_factory=list)  # where several were re-made at once
    extends: str = ""  # "continue" | "intro" | "loop": clips that were extended


class VersionState(GradioModel):
    """A clip that was on the timeline."""

    id: str
    label: str
    engine: str  # of the take that was kept; empty for a recording
    parent: str | None
    current: bool


class NamedState(GradioModel):
    """Something to choose by its name."""

    id: str
    label: str


class ResultState(GradioModel):
    """What one method came to in the blind rounds."""

    engine: str
    smoothness: list[float]  # mean, and half width of its 95 % interval once there are two ratings
    match: list[float]
    preferred: int
    rounds: int
    words: str  # median time for a span


class TakesState(GradioModel):
    """All groups, oldest first, and whether a run goes on."""

    groups: list[GroupState] = Field(default_factory=list)
    versions: list[VersionState] = Field(default_factory=list)
    deleted: list[NamedState] = Field(default_factory=list)  # takes that can be brought back
    results: list[ResultState] = Field(default_factory=list)  # of the blind rounds
    rounds: int = 0  # blind rounds so far
    run: bool = False
    say: str = ""  # for screen readers: what has just happened


class Takes(gr.HTML):
    """`<inlay-takes>`: takes strip and Listen view as a Gradio component."""

    data_model = TakesState

    def __init__(self, value: TakesState | None = None, **kwargs: Any) -> None:
        super().__init__(
            value=value or TakesState(),
            html_template="<inlay-takes></inlay-takes>",
            js_on_load=module_script("bindTakes", "inlay-takes"),
            apply_default_css=False,
            **kwargs,
        )

    def preprocess(self, payload: TakesState | None) -> TakesState | None:
        """The page's takes, as they are."""
        return payload

    def postprocess(self, value: TakesState | None) -> TakesState | None:
        """The takes for the page, as they are."""
        return value

    def api_info(self) -> dict[str, Any]:
        """JSON schema of the value."""
        return schema(TakesState)
