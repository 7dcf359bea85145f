"""The document as the page shows it: the typed state that goes whole to the timeline.

Times in seconds, lanes in beats. Knows no project folder's insides, no engines, no wiring.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from typing import Any

from gradio.data_classes import GradioModel
from pydantic import Field, PrivateAttr

from editor.project import wording
from editor.project.document import Project, Span


class GridState(GradioModel):
    """The beat grid."""

    bpm: float = 120.0
    beats_per_bar: int = 4
    offset: float = 0.0  # seconds at which beat 0 begins


class RegionState(GradioModel):
    """The span, half-open, in seconds."""

    start: float
    end: float


class WordState(GradioModel):
    """An instrument that words name."""

    name: str
    plays: bool
    text: str  # as it is written there


class ConflictState(GradioModel):
    """Words that speak against a lane or the tempo, and the edit that would settle it."""

    text: str
    action: str
    name: str  # of the edit
    payload: dict[str, Any]


class SpanState(GradioModel):
    """One of the spans, half-open, in seconds."""

    id: str
    start: float
    end: float
    prompt: str | None = None  # None = the project's
    follow: list[str] | None = None
    intent: str = "auto"  # "auto" | "blend" | "change"
    changed: list[str] = Field(default_factory=list)  # lanes that were edited inside it
    ignored: list[str] = Field(default_factory=list)  # lanes that are not followed here
    words: list[WordState] = Field(default_factory=list)  # instruments of the words it is re-made with
    resolved: str = "blend"  # "blend" | "change": what Inpaint does now
    reason: str = ""  # why, in words


class SectionState(GradioModel):
    """A named stretch of whole bars, half-open, counted from 0."""

    id: str
    name: str
    start: int
    end: int


class NoteState(GradioModel):
    """A melody note, half-open, in beats."""

    id: str
    start: float
    end: float
    pitch: int  # MIDI number


class HitState(GradioModel):
    """A drum hit; time in beats."""

    id: str
    time: float
    drum: str


class ChordState(GradioModel):
    """A chord cell, half-open, in beats."""

    id: str
    start: float
    end: float
    symbol: str


class PartState(GradioModel):
    """Who plays, or does not, half-open, in beats."""

    id: str
    start: float
    end: float
    name: str
    plays: bool
    sure: float  # 0..1
    by: str  # "drawn" | "heard" | "words" | "midi" | "imported"


class ClipState(GradioModel):
    """The audio on the timeline."""

    url: str  # relative to the page; something a browser can decode; empty where it cannot be heard
    seconds: float
    label: str


class _Serial:
    """Strictly growing numbers, also over restarts of the server: the clock in ms, or one more."""

    def __init__(self) -> None:
        self._last = 0
        self._lock = threading.Lock()

    def __call__(self) -> int:
        with self._lock:
            self._last = max(self._last + 1, time.time_ns() // 1_000_000)
            return self._last


_serial = _Serial()


class EditorState(GradioModel):
    """The document as the page shows it."""

    rev: int = 0  # the newest gesture of the tab that it holds (`addressed`)
    serial: int = 0  # grows with every document; the page drops one that was overtaken. 0 = none yet
    changes: int = 0  # how often the project had changed, in whatever tab
    project: str = ""  # name of the project's folder; "" until something is saved
    seconds: float = 10.0  # length of the timeline without a clip
    grid: GridState = Field(default_factory=GridState)
    key: str = "C major"
    region: RegionState | None = None  # where the active span lies
    spans: list[SpanState] = Field(default_factory=list)
    active: str = ""  # id of the active span
    sections: list[SectionState] = Field(default_factory=list)
    chords: list[ChordState] = Field(default_factory=list)
    melody: list[NoteState] = Field(default_factory=list)
    drums: list[HitState] = Field(default_factory=list)
    band: list[PartState] = Field(default_factory=list)
    untaken: dict[str, str] = Field(default_factory=dict)  # lanes that a network does not take -> what then
    bandHearing: float | None = None  # share of the clip that was listened to; None: nobody listens now
    bandUnsure: bool = False  # whether the last analysis is sure of no player
    prompt: str = ""  # the clip's words
    words: list[WordState] = Field(default_factory=list)  # instruments of the clip's words
    conflicts: list[ConflictState] = Field(default_factory=list)  # of the active span or the clip
    sort: str = "wish"  # "wish" | "smoothest": the order of takes
    arFrom: str = ""  # the model that AR runs on; empty = the server's own
    fmFrom: str = ""  # the same of FM and zero-shot
    tasks: list[str] = Field(default_factory=list)  # "add" | "take-out" | "alone": what FM does with a part
    stems: list[str] = Field(default_factory=list)  # the parts that it knows
    follow: list[str] = Field(default_factory=list)  # lanes that condition the active span, or a new clip
    clip: ClipState | None = None
    past: int = 0  # steps that can be undone, and done again
    future: int = 0
    undo: str = ""  # what Undo would take back
    redo: str = ""
    seen: list[str] = Field(default_factory=list)  # ids of the edits that came last
    arrived: str = ""  # id of the file that came, or was refused, last
    error: str | None = None  # what was wrong with the last gesture
    held: str = ""  # folder of a project that was to be shown, but another process has it
    window: float = 10.0  # seconds that the models hear at once
    frame_rate: float = 25.0  # of the models' latents, Hz
    _revs: dict[str, int] = PrivateAttr(default_factory=dict)

    def holding(self, revs: dict[str, int]) -> EditorState:
        """It was read after the gestures `revs` (tab -> number) were done; all of them, until `addressed`."""
        self._revs = revs
        self.rev = max(revs.values(), default=0)
        return self

    def addressed(self, tab: str) -> EditorState:
        """For one tab: tabs number their gestures each for itself, and one must not wait for another's."""
        self.rev = self._revs.get(tab, 0)
        return self


def editor_state(document: Project, **fields: Any) -> EditorState:
    """The page's view of a document. `fields` are those that a project does not hold: rev, clip, undo ..."""
    return EditorState(
        serial=_serial(),
        seconds=document.length,
        grid=GridState(
            bpm=document.grid.bpm, beats_per_bar=document.grid.beats_per_bar, offset=document.grid.offset
        ),
        key=document.key,
        region=RegionState(start=document.region.start, end=document.region.end) if document.region else None,
        spans=[_span_state(document, span) for span in document.spans],
        active=document.active,
        sections=[SectionState(id=s.id, name=s.name, start=s.start, end=s.end) for s in document.sections],
        follow=list(document.span_follow),
        chords=[
            ChordState(id=cell.id, start=cell.start, end=cell.end, symbol=cell.symbol)
            for cell in document.lanes.chords
        ],
        melody=[
            NoteState(id=note.id, start=note.start, end=note.end, pitch=note.pitch)
            for note in document.lanes.melody
        ],
        drums=[HitState(id=hit.id, time=hit.time, drum=hit.drum) for hit in document.lanes.drums],
        band=[
            PartState(
                id=part.id, start=part.start, end=part.end, name=part.instrument, plays=part.plays,
                sure=part.sure, by=part.by,
            )
            for part in document.lanes.band
        ],
        prompt=document.prompt,
        words=_words(document.prompt, document.not_meant),
        conflicts=[
            ConflictState(text=one.text, action=one.action, name=one.name, payload=one.payload)
            for one in wording.conflicts(document, str(fields.get("undo", "")))
        ],
        sort=document.sort,
        arFrom=document.settings.ar_from,
        fmFrom=document.settings.fm_from,
        **fields,
    )  # fmt: skip


def _span_state(document: Project, span: Span) -> SpanState:
    intention = wording.intention(document, span)
    return SpanState(
        id=span.id,
        start=span.start,
        end=span.end,
        prompt=span.prompt,
        follow=None if span.follow is None else list(span.follow),
        intent=span.intent,
        changed=list(span.changed),
        ignored=list(span.ignored),
        words=_words(*wording.words_of(document, span)),
        resolved=intention.resolved,
        reason=intention.reason,
    )


def _words(prompt: str, not_meant: Sequence[str]) -> list[WordState]:
    return [WordState(name=w.name, plays=w.plays, text=w.text) for w in wording.named_in(prompt, not_meant)]
