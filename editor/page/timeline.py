"""The timeline component and its typed browser contract.

The document goes whole to the page (`EditorState`), one typed event per gesture comes back
(`EditEvent`: rev, name and payload of a command). `rev` counts the page's gestures: an answer carries
the newest rev that the server has seen, and the page drops answers older than its own.
Times in seconds, lanes in beats. Knows no project folder's insides, no engines, no wiring.
"""

from __future__ import annotations

import base64
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Literal, TypeVar
from urllib.parse import quote

import gradio as gr
from gradio.data_classes import GradioModel
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from editor.page import events
from editor.page.payload import Payload
from editor.project import band, commands, lanes, wording
from editor.project.document import Project, Span
from engines.assets import ASSETS
from engines.requests import InputError

MODULES = ASSETS / "page"  # the rooms of the ES modules that the page imports


# ---- server -> page


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

    url: str  # relative to the page; something a browser can decode
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

    rev: int = 0
    serial: int = 0  # grows with every document; the page drops one that was overtaken. 0 = none yet
    changes: int = 0  # how often the project had changed, in whatever tab
    project: str = ""  # name of the project's folder; "" until something is saved
    seconds: float = 10.0  # length of the timeline without a clip
    grid: GridState = Field(default_factory=GridState)
    key: str = "C major"
    region: RegionState | None = None  # where the active span lies
    spans: list[SpanState] = Field(default_factory=list)
    active: str = ""  # id of the active span
    chords: list[ChordState] = Field(default_factory=list)
    melody: list[NoteState] = Field(default_factory=list)
    drums: list[HitState] = Field(default_factory=list)
    band: list[PartState] = Field(default_factory=list)
    bandTaken: bool = False  # whether the loaded models take the band lane
    bandHearing: float | None = None  # share of the clip that was listened to; None: nobody listens now
    bandUnsure: bool = False  # whether the last analysis is sure of no player
    words: list[WordState] = Field(default_factory=list)  # instruments of the clip's words
    conflicts: list[ConflictState] = Field(default_factory=list)  # of the active span or the clip
    sort: str = "wish"  # "wish" | "smoothest": the order of takes
    follow: list[str] = Field(default_factory=list)  # lanes that condition the active span, or a new clip
    clip: ClipState | None = None
    undo: str = ""  # what Undo would take back
    redo: str = ""
    seen: list[str] = Field(default_factory=list)  # ids of the edits that came last
    error: str | None = None  # what was wrong with the last gesture
    held: str = ""  # folder of a project that was to be shown, but another process has it
    window: float = 10.0  # seconds that the models hear at once
    frame_rate: float = 25.0  # of the models' latents, Hz


# ---- page -> server


class _Event(BaseModel):
    model_config = ConfigDict(extra="ignore", strict=True)


class EditEvent(_Event):
    """One gesture: a command of `editor.project.commands` by name."""

    rev: int = Field(ge=0, le=2**53)
    id: str = Field(default="", max_length=40)  # a second event of the same id changes nothing
    name: str = Field(max_length=40)
    payload: dict[str, Any]


class OpenEvent(_Event):
    """The page has loaded; `project` is what this tab worked on before, if anything."""

    project: str = Field(default="", max_length=80)
    page: str = Field(default="", max_length=80)  # a secret of the browser's tab that outlives its reloads


class LateEvent(_Event):
    """What a page that is being closed has not heard the answer to yet."""

    page: str = Field(min_length=16, max_length=80)
    edits: list[EditEvent] = Field(max_length=1000)


class UploadEvent(_Event):
    """A file that the page has sent to the server's upload folder, or an example that ships."""

    path: str = Field(max_length=4096)
    name: str = Field(max_length=1024)
    example: str = Field(default="", max_length=80)  # its file's name
    lane: str = Field(default="", max_length=20)  # a MIDI file for this lane; "" = both, or audio


class RunEvent(_Event):
    """Run one take again: `take` with another seed, `again` as it was, or `retry` one that failed."""

    take: str = Field(default="", max_length=64)
    again: str = Field(default="", max_length=64)
    retry: str = Field(default="", max_length=64)


class CancelEvent(_Event):
    """Stop one run, or ("") all."""

    run: str = Field(default="", max_length=64)


class ProjectEvent(_Event):
    """Show another project in this tab."""

    action: Literal["new", "open", "copy"]
    folder: str = Field(default="", max_length=80)  # to open, or to copy; "" = a copy of the one shown
    name: str = Field(default="", max_length=200)  # of the copy; "" = the name of the one copied, and "copy"
    rev: int = Field(default=0, ge=0, le=2**53)


Event = TypeVar("Event", bound=_Event)


def read_event(kind: type[Event], data: object) -> Event:
    """An event from the page; InputError, in one line, when it is not what the page sends."""
    if not isinstance(data, Mapping):
        raise InputError(f"event of type {type(data).__name__}: expected named fields; reload the page")
    try:
        return kind.model_validate(dict(data))
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(part) for part in first["loc"])[:40]
        raise InputError(f"event field {place!r}: {first['msg'][:120]}; reload the page") from error


def rev_of(data: object) -> int:
    """The number of a gesture, also of one that is refused; 0 where there is none that can be read."""
    rev = data.get("rev") if isinstance(data, Mapping) else None
    return rev if type(rev) is int and 0 <= rev <= 2**53 else 0


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
        words=_words(document.prompt, document.not_meant),
        conflicts=[
            ConflictState(text=one.text, action=one.action, name=one.name, payload=one.payload)
            for one in wording.conflicts(document, str(fields.get("undo", "")))
        ],
        sort=document.sort,
        **fields,
    )  # fmt: skip


def _span_state(document: Project, span: Span) -> SpanState:
    asked = wording.asked(document, span)
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
        resolved=asked.resolved,
        reason=asked.reason,
    )


def _words(prompt: str, not_meant: Sequence[str]) -> list[WordState]:
    return [WordState(name=w.name, plays=w.plays, text=w.text) for w in wording.named_in(prompt, not_meant)]


# ---- the component


def midi_of_lanes(sent: object) -> dict[str, str]:
    """The melody and drums that the page shows as a MIDI file: {"file": base64}, or {"error": one line}.

    Takes {"bpm", "beats_per_bar", "offset", "melody", "drums"} as in an edit; keeps nothing.
    """
    try:
        fields = Payload("midi", sent)
        grid = commands.set_grid(
            Project(), fields.number("bpm"), fields.whole("beats_per_bar"), fields.number("offset")
        ).grid
        drawn = commands.edit_lanes(Project(), events.lanes_sent(fields)).lanes
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "lanes.mid"
            lanes.write_midi(path, drawn, grid)
            return {"file": base64.b64encode(path.read_bytes()).decode()}
    except InputError as error:
        return {"error": str(error)}


def module_script(function: str, element: str) -> str:
    """What Gradio runs when the component is on the page: import the bridge and bind the element."""
    # The address is resolved against the page, so that the app may live under a sub-path.
    bridge = (MODULES / "shell" / "bridge.js").as_posix()
    return f"""
    // 'edit' 'open' 'upload' 'run' 'watch' 'cancel' 'project' 'vote'
    const url = new URL('gradio_api/file={bridge}', document.baseURI).href;
    const functions = typeof server === 'undefined' ? {{}} : server; // only of some components
    import(url).then((bridge) => bridge.{function}({{ element, props, trigger, upload, watch, functions }}))
      .catch((error) => {{
        element.querySelector('{element}').textContent = 'The editor could not load: ' + error;
      }});
    """


def drop_stub(module: str) -> None:
    """Remove the .pyi that Gradio writes beside every subclass: it goes stale, and mypy would believe it."""
    Path(module).with_suffix(".pyi").unlink(missing_ok=True)


class Timeline(gr.HTML):
    """`<inlay-timeline>`: the timeline as a Gradio component with an `EditorState` as value."""

    data_model = EditorState

    def __init__(
        self,
        value: EditorState | None = None,
        *,
        vocabulary: tuple[str, ...] = (),
        tips: Mapping[str, str] | None = None,
        engines: Sequence[Mapping[str, Any]] = (),
        model: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            value=value or EditorState(),
            html_template="<inlay-timeline></inlay-timeline>",
            js_on_load=module_script("bindTimeline", "inlay-timeline"),
            apply_default_css=False,
            server_functions=[midi_of_lanes],
            vocabulary=list(vocabulary),
            instruments=band.names(),
            tips=dict(tips or {}),  # id of an element of the page -> its tooltip
            engines=[dict(row) for row in engines],  # as of `EngineSpec.to_json`
            model=dict(model or {}),  # as of `layout.model_card`
            **kwargs,
        )

    def preprocess(self, payload: EditorState | None) -> EditorState | None:
        """The page's document, as it is."""
        return payload

    def postprocess(self, value: EditorState | None) -> EditorState | None:
        """The document for the page, as it is."""
        return value

    def api_info(self) -> dict[str, Any]:
        """JSON schema of the value."""
        schema: dict[str, Any] = EditorState.model_json_schema()
        return schema


drop_stub(__file__)


def file_address(path: Path) -> str:
    """Address of a file for the browser, relative to the page. The path must be allowed at launch."""
    return f"gradio_api/file={quote(path.resolve().as_posix())}"
