"""The page: Gradio blocks and their wiring only.

What an event does is in `session`, what the page looks like in `assets/timeline`. Panel controls are
written only when the document changed under them (undo, open, keep), never while the user types.
"""

from __future__ import annotations

import asyncio
import functools
import html
import inspect
import logging
import math
import os
import threading
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

os.environ.setdefault("GRADIO_ANALYTICS_ENABLED", "False")
os.environ.setdefault("HF_HUB_OFFLINE", "1")
os.environ.setdefault("TRANSFORMERS_OFFLINE", "1")

import gradio as gr
from gradio.utils import get_upload_folder

from editor import commands, exports, ghost, jobs, library, panel, scores, settings, storage, theme
from editor.commands import MAX_VARIATIONS
from editor.compare import Takes, estimate_words, status_markup
from editor.document import Region
from editor.payload import Payload
from editor.session import MAX_SESSIONS, Pace, Session, Sessions
from editor.timeline import (
    ASSETS,
    MODULES,
    CancelEvent,
    EditEvent,
    EditorState,
    OpenEvent,
    ProjectEvent,
    RunEvent,
    Timeline,
    UploadEvent,
    file_address,
    read_event,
)
from engines import chordino, chords
from engines.requests import LONGEST_SECONDS, ARSettings, FMSettings, InputError

log = logging.getLogger("inlay")

ENGINES = (
    ("ar", "AR", "Writes left to right"),
    ("fm", "FM", "Trained to fill spans"),
    ("fm-zero-shot", "ZS", "Steered to fit"),
)
SIGNATURES = ("2/4", "3/4", "4/4", "5/4", "6/4", "7/4")
KEYS = [
    f"{tonic} {mode}"
    for mode, tonics in (("major", "C Db D Eb E F F# G Ab A Bb B"), ("minor", "C C# D Eb E F F# G G# A Bb B"))
    for tonic in tonics.split()
]
FOLLOW_SECONDS = 0.15  # how often an open tab looks for what others did
TAKE_COMMANDS = {  # edits that change what the cards show
    name for name in commands.COMMANDS if name in ("keep", "show_version") or name.endswith("_take")
}
BRAND = """<h1 class="mark"><svg width="22" height="18" viewBox="0 0 22 18" aria-hidden="true">
<g fill="none" stroke="currentColor" stroke-width="2.5" stroke-linecap="round">
<path d="M1.3 8.2v1.6M5.8 5.2v7.6M14.8 5.2v7.6M19.3 8.2v1.6"/></g>
<rect x="9" y="1" width="2.5" height="16" rx="1.2" fill="var(--span)"/></svg>Inlay</h1>"""


class Device:
    """The models of one bundle, opened at first use, and the runs on them."""

    def __init__(self, bundle: str, device: str, pace: Pace | None = None) -> None:
        self.bundle = bundle
        self.name = device
        self.runner = jobs.Runner(self.models)
        self.pace = pace or Pace()

    def warm(self) -> None:
        """Load every part, so that the first run need not wait. Errors are left to the first run."""
        try:
            models = self.models()
            for load in (models.text, models.codec, models.fm, models.ar):
                load()
        except InputError as error:
            log.warning("%s", error)

    def models(self) -> Any:
        """The shared checkpoints (`engines.checkpoints.Models`); InputError when the bundle is unusable."""
        from engines.checkpoints import open_bundle  # loads torch

        return open_bundle(self.bundle, self.name)


def build_app(bundle: str = "bundle", device: str = "auto", root: Path | None = None) -> gr.Blocks:
    """The page for one bundle on one device. Projects live in `root` (the user's data folder when None)."""
    return _Page(Device(bundle, device), Sessions((root or storage.default_root()).resolve())).build()


class _Page:
    """Components and their events. One object a server; the state of tabs is in `Sessions`."""

    def __init__(self, device: Device, sessions: Sessions, listens: bool = True) -> None:
        self.device = device
        self.listens = listens  # analyses a recording as soon as it is opened
        self.sessions = sessions
        spec = device.models().spec
        self.spec = spec
        self._told: OrderedDict[str, int] = OrderedDict()  # tab -> the change that it has seen last
        self._watching: set[str] = set()  # tabs that a listener of theirs tells how a run goes
        self.window = float(spec.window_seconds)
        self.frame_rate = 25.0

    # ---- layout

    def build(self) -> gr.Blocks:
        """Make the blocks."""
        # The modules are plain files that the page imports; Gradio serves what is declared static.
        gr.set_static_paths([MODULES, ASSETS / "fonts"])
        with gr.Blocks(title="Inlay", fill_width=True, analytics_enabled=False) as app:
            with gr.Column(elem_id="page"):
                self._bar()
                with gr.Column(elem_id="stage"):
                    self.timeline = Timeline(
                        vocabulary=chords.VOCABULARY, tips=panel.TIPS, elem_id="timeline"
                    )
                    self.takes = Takes(elem_id="takes", server_functions=[*self._server_functions()])
                with gr.Column(elem_id="panel"):
                    self._knobs()
                    self._foot()
            self._wire(app)
        return app

    def _bar(self) -> None:
        with gr.Row(elem_id="bar"):
            gr.HTML(BRAND, elem_id="brand")
            self.name = gr.Textbox(
                "Untitled", container=False, elem_id="name", max_lines=1, label="Project name", max_length=100
            )
            self.saved = gr.HTML("", elem_id="saved")
            gr.Radio(
                ["Edit", "Listen", "Blind test"],
                value="Edit",
                interactive=True,
                container=False,
                elem_id="view",
                elem_classes="seg",
                label="View",
            )
            gr.HTML("", elem_classes="grow")
            self.tempo = gr.Number(
                120, container=False, elem_id="tempo", label="Tempo, bpm"
            )
            gr.Button("Tap", elem_id="tap")
            self.signature = gr.Dropdown(
                SIGNATURES,
                value="4/4",
                container=False,
                elem_id="signature",
                label="Time signature",
                filterable=False,
            )
            self.key = gr.Dropdown(
                KEYS, value="C major", container=False, elem_id="key", label="Key", filterable=False
            )
            self.undo = gr.Button("Undo", elem_id="undo", interactive=False)
            self.redo = gr.Button("Redo", elem_id="redo", interactive=False)
            self.export = gr.Button("Export", elem_id="export", interactive=False)
            gr.Button("Settings", elem_id="drawer")  # only where the panel has no room beside the lanes
            gr.Button("Light or dark", elem_id="theme")
            gr.Button("Projects", elem_id="project")

    def _knobs(self) -> None:
        with gr.Column(elem_id="knobs"):
            with gr.Column(elem_id="span-box"):
                gr.HTML("<inlay-spans></inlay-spans>")  # any number of rows, and no wait for the server
                self.span_error = gr.HTML("", elem_classes="error-slot")
            with gr.Column(elem_id="prompt-box"):
                self.prompt = gr.Textbox(
                    "",
                    label="Prompt",
                    show_label=False,  # <inlay-spans> names it, for the clip or for one span
                    lines=3,
                    max_lines=6,
                    elem_id="prompt",
                    placeholder="Describe it: warm electric piano, brushed drums, upright bass",
                )
                self.prompt_error = gr.HTML("", elem_classes="error-slot")
            self.follow = gr.CheckboxGroup(
                [("Chords", "chords"), ("Melody", "melody"), ("Drums", "drums")],
                value=["chords"],
                label="Follow the lanes",
                elem_id="follow",
                elem_classes="chips",
            )
            with gr.Row(elem_id="hearing-row"):
                self.hearing = gr.HTML("", elem_id="hearing")
                self.hear = gr.Button("Analyse clip", elem_id="hear", interactive=False)
                self.replace = gr.Button("Replace mine", elem_id="replace-lanes", visible=False)
            with gr.Column(elem_id="engines"):
                gr.HTML('<div class="line"><span>Engines</span><span>time for this span</span></div>')
                self.engines = [
                    gr.Checkbox(
                        True,
                        label=words,
                        info=" ",
                        container=False,
                        elem_classes=["eng", f"eng-{tag.lower()}"],
                        elem_id=f"engine-{name}",
                    )
                    for name, tag, words in ENGINES
                ]
            with gr.Row(elem_classes="two"):
                self.variations = gr.Radio(
                    [str(count) for count in range(1, MAX_VARIATIONS + 1)],
                    value="1",
                    interactive=True,
                    label="Variations",
                    elem_id="variations",
                    elem_classes="seg",
                )
                self.seed = gr.Number(0, label="Seed", precision=0, elem_id="seed")
            self.knobs: dict[str, gr.Component] = {"strength": panel.build_strength()}
            self.length = gr.Number(10, label="Length to generate or add, s", elem_id="length")
            self.knob_error = gr.HTML("", elem_classes="error-slot")
            with gr.Accordion("Advanced", open=False, elem_id="advanced"):
                self._advanced()

    def _advanced(self) -> None:
        self.knobs |= panel.build_advanced()
        gr.HTML(self._about(), elem_id="about")

    def _about(self) -> str:
        licence = self.spec.licence or "not stated"
        lines = [f"<p>Bundle <b>{_safe(self.spec.name)}</b>, licence {_safe(licence)}</p>"]
        lines.append(f"<p>{_safe(chordino.notice())}</p>")
        return "".join(lines)

    def _foot(self) -> None:
        with gr.Column(elem_id="foot"):
            with gr.Row(elem_id="status-row"):
                self.status = gr.HTML(status_markup((), ()), elem_id="status")
                self.stop = gr.Button("Cancel all", elem_id="cancel", interactive=False)
            with gr.Row(elem_id="span-row"):
                self.inpaint = gr.Button("Inpaint", elem_id="inpaint", interactive=False)
                self.auto = gr.Button("Fix it", elem_id="auto", interactive=False)
            with gr.Row(elem_id="foot-row"):
                self.generate = gr.Button("Generate", elem_id="generate")
                self.extend: dict[jobs.Kind, gr.Button] = {
                    "continue": gr.Button("Continue", elem_id="continue", interactive=False),
                    "intro": gr.Button("Intro", elem_id="intro", interactive=False),
                    "loop": gr.Button("Loop", elem_id="make-loop", interactive=False),
                }

    # ---- what the page shows of a session

    @property
    def _light(self) -> list[gr.Component]:
        """What may change with any event."""
        return [
            self.timeline,
            self.takes,
            self.saved,
            self.undo,
            self.redo,
            self.export,
            self.span_error,
            self.prompt_error,
            self.knob_error,
            self.hearing,
            self.hear,
            self.replace,
            self.status,
            self.inpaint,
            self.auto,
            self.generate,
            *self.extend.values(),
            self.stop,
            *self.engines,
        ]

    @property
    def _fields(self) -> list[gr.Component]:
        """What the user types into; written only when the document changed under it."""
        return [
            self.name,
            self.tempo,
            self.signature,
            self.key,
            self.prompt,
            self.follow,
            self.variations,
            self.seed,
            self.length,
            *self.knobs.values(),
        ]

    def _shown(
        self, session: Session, where: str = "", error: str = "", takes: bool = True
    ) -> dict[Any, Any]:
        """Updates of `_light`. `where` is the slot in which an error stands."""
        project, region = session.project, session.project.region
        in_timeline = error if where == "timeline" else session.error
        document = session.document(self.window, self.frame_rate)
        document.error = in_timeline or None
        limit = self._span_limit(region)
        ready = bool(project.clip and region) and not session.running and not limit
        updates: dict[Any, Any] = {
            self.timeline: document,
            self.takes: session.takes() if takes else gr.skip(),
            self.saved: f"<span>{session.saved}</span>",
            self.undo: gr.update(interactive=session.history.can_undo),
            self.redo: gr.update(interactive=session.history.can_redo),
            self.export: gr.update(interactive=project.clip is not None),
            self.span_error: _error(limit),
            self.prompt_error: _error(error) if where == "prompt" else "",
            self.knob_error: _error(error) if where == "knobs" else "",
            self.status: status_markup(
                session.runs, session.done, error if where == "run" else session.message
            ),
            self.inpaint: gr.update(
                value=f"Inpaint {region.start:.2f}–{region.end:.2f} s"
                if region and project.clip
                else "Inpaint",
                interactive=ready,
            ),
            self.auto: gr.update(interactive=ready),
            self.generate: gr.update(value=f"Generate {project.length:g} s", interactive=not session.running),
            **dict.fromkeys(
                self.extend.values(),
                gr.update(interactive=project.clip is not None and not session.running),
            ),
            self.stop: gr.update(interactive=session.running),
            **self._hearing(session),
        }
        seconds = region.end - region.start if region else project.length
        for (name, _, _), box in zip(ENGINES, self.engines, strict=True):
            guess = self.device.pace.guess(name, "inpaint" if region else "generate", seconds)
            if guess and name != "ar":
                guess *= self._pieces(seconds, bool(region))
            updates[box] = gr.update(info=estimate_words(guess) if guess else " ")
        return updates

    def _hearing(self, session: Session) -> dict[Any, Any]:
        """Updates of what the page says of the analysis of the clip."""
        region, listener = session.project.region, session.listener
        going = listener is not None and listener.running and not listener.cancelled.is_set()
        part = f"{region.start:.2f}–{region.end:.2f} s" if region else "clip"
        said = f"Listening to the clip, {listener.progress:.0%}" if going and listener else session.hearing
        return {
            self.hearing: f'<p role="status">{_safe(said)}</p>' if said else "",
            self.hear: gr.update(
                value="Stop listening" if going else f"Analyse {part}",
                interactive=session.project.clip is not None,
            ),
            self.replace: gr.update(visible=session.heard is not None and not going),
        }

    def _span_limit(self, region: Region | None) -> str:
        """Why a span cannot be re-made, told before a run."""
        if region is None or region.end - region.start <= LONGEST_SECONDS + 1e-6:
            return ""
        return (
            f"Span of {region.end - region.start:.1f} s: at most {LONGEST_SECONDS:g} s are made at once; "
            "make it shorter"
        )

    def _pieces(self, seconds: float, span: bool) -> int:
        """Windows that the models work on, one after the other, for what is longer than one."""
        from engines.edits import PIECE_SECONDS
        from engines.window import CONTEXT_SECONDS  # loads torch

        fits = self.window - CONTEXT_SECONDS if span else self.window
        return 1 if seconds <= fits + 1e-6 else math.ceil(seconds / min(PIECE_SECONDS, self.window / 2))

    def _all(self, session: Session, where: str = "", error: str = "") -> dict[Any, Any]:
        """Updates of everything."""
        updates = self._shown(session, where, error)
        standing = self._standing(session)
        for box in self.engines:
            standing[box] = gr.update(value=standing[box], info=updates[box]["info"])
        return updates | standing

    def _standing(self, session: Session) -> dict[Any, Any]:
        """Values of all that the user types into or ticks."""
        project = session.project
        return {
            self.name: project.name,
            self.tempo: project.grid.bpm,
            self.signature: f"{project.grid.beats_per_bar}/4",
            self.key: project.key,
            self.prompt: project.span_prompt,
            self.follow: list(project.span_follow),
            self.variations: str(project.variations),
            self.seed: project.seed,
            self.length: project.length,
            **self._turned(session),
            **{box: name in project.engines for (name, _, _), box in zip(ENGINES, self.engines, strict=True)},
        }

    # ---- events

    def _wire(self, app: gr.Blocks) -> None:
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        told = self._telling
        # One line for all edits of the page keeps a tab's gestures in order; each takes milliseconds.
        edits: dict[str, Any] = {**quiet, "concurrency_id": "edits", "concurrency_limit": 1}
        # By default Gradio drops what is chosen while an answer is on its way.
        chosen: dict[str, Any] = {**edits, "trigger_mode": "always_last"}
        light, everything = self._light, self._light + self._fields
        opened = self.timeline.open(told(self._open), None, everything, **edits)
        # What another tab does to the project; a generator that waits takes no thread.
        opened.then(self._follow, None, everything, concurrency_limit=None, **quiet)
        self.timeline.edit(told(self._edit), None, everything, trigger_mode="multiple", **edits)
        listening: dict[str, Any] = {**quiet, "concurrency_limit": 16, "concurrency_id": "listening"}
        self.timeline.upload(told(self._upload), None, everything, **quiet).then(
            told(self._listen), None, everything, **listening
        )
        self.hear.click(told(self._analyse), None, everything, trigger_mode="multiple", **listening)
        self.replace.click(told(self._replace_lanes), None, everything, **edits)
        self.undo.click(told(self._undo), None, everything, trigger_mode="multiple", **edits)
        self.redo.click(told(self._redo), None, everything, trigger_mode="multiple", **edits)

        # Gradio's `input` of a text field follows key presses only; leaving the field catches a paste.
        gr.on(
            [self.name.input, self.name.blur],
            told(self._setter("set_name", "knobs", lambda v: {"name": v})),
            self.name,
            light,
            trigger_mode="always_last",
            **edits,
        )
        gr.on(
            [self.prompt.input, self.prompt.blur],
            told(self._setter("set_prompt", "prompt", lambda v: {"prompt": v})),
            self.prompt,
            light,
            trigger_mode="always_last",
            **edits,
        )
        self.follow.input(
            told(self._setter("set_follow", "knobs", lambda v: {"lanes": v})), self.follow, light, **chosen
        )
        self.key.input(
            told(self._setter("set_key", "knobs", lambda v: {"key": v})), self.key, light, **chosen
        )
        self.signature.input(
            told(self._setter("set_grid", "knobs", lambda v: {"beats_per_bar": int(v.split("/")[0])})),
            self.signature,
            light,
            **chosen,
        )
        numbers: list[tuple[Any, str, str, Callable[[Any], dict[str, Any]]]] = [
            (self.tempo, "set_grid", "knobs", lambda v: {"bpm": v}),
            (self.seed, "set_seed", "knobs", lambda v: {"seed": v}),
            (self.length, "set_length", "knobs", lambda v: {"seconds": v}),
        ]
        for box, command, where, payload in numbers:
            gr.on([box.submit, box.blur], told(self._setter(command, where, payload)), box, light, **chosen)
        for name, knob in self.knobs.items():
            events = [knob.submit, knob.blur] if isinstance(knob, gr.Number) else [knob.input]
            gr.on(events, told(self._setter("set_settings", "knobs", _named(name))), knob, light, **chosen)
        for box in self.engines:
            box.input(told(self._tick), self.engines, light, **chosen)
        self.variations.input(
            told(self._setter("set_variations", "knobs", lambda v: {"count": int(v)})),
            self.variations,
            light,
            **edits,
        )
        self.takes.vote(told(self._vote), None, [self.takes, self.timeline], **edits)
        self.takes.project(told(self._project), None, everything, **edits)

        runs: dict[str, Any] = {**quiet, "concurrency_limit": 16, "concurrency_id": "runs"}
        knobs = [*self.knobs.values()]
        typed = [self.prompt, self.seed, self.length, *knobs]
        shown = light
        self.inpaint.click(told(self._starter("inpaint")), typed, shown, **runs)
        self.auto.click(told(self._starter("inpaint", ["auto"])), typed, shown, **runs)
        self.generate.click(told(self._starter("generate")), typed, shown, **runs)
        for kind, button in self.extend.items():
            button.click(told(self._starter(kind)), typed, shown, **runs)
        self.timeline.run(told(self._again), knobs, shown, **runs)
        self.timeline.watch(told(self._watch), None, shown, **runs)
        stop: dict[str, Any] = {**quiet, "queue": False}
        self.stop.click(self._cancel, None, None, **stop)
        self.timeline.cancel(self._skip, None, None, **stop)
        app.unload(self._leave)

    def _telling(self, listener: Callable[..., Any]) -> Callable[..., Any]:
        """The listener, remembering what its tab was told: `_follow` tells it the rest."""

        def remember(request: gr.Request, updates: Any) -> Any:
            shown = updates.get(self.timeline) if isinstance(updates, dict) else None
            if isinstance(shown, EditorState) and request.session_hash:
                self._told[request.session_hash] = shown.changes
                self._told.move_to_end(request.session_hash)
                while len(self._told) > 4 * MAX_SESSIONS:
                    self._told.popitem(last=False)
            return updates

        if inspect.isgeneratorfunction(listener):

            @functools.wraps(listener)
            def streaming(*args: Any, **kwargs: Any) -> Iterator[Any]:
                request = next(arg for arg in args if isinstance(arg, gr.Request))
                for updates in listener(*args, **kwargs):
                    yield remember(request, updates)

            return streaming

        @functools.wraps(listener)
        def answering(*args: Any, **kwargs: Any) -> Any:
            request = next(arg for arg in args if isinstance(arg, gr.Request))
            return remember(request, listener(*args, **kwargs))

        return answering

    async def _follow(self, request: gr.Request) -> AsyncIterator[dict[Any, Any]]:
        """Show a tab what others do to its project, for as long as the tab is open."""
        tab = request.session_hash or ""
        seen: tuple[Session, int] | None = None
        typed: dict[Any, Any] = {}
        while (session := self.sessions.shown_in(tab)) is not None:
            changes = session.changes
            if seen is None or seen[0] is not session:
                typed = self._standing(session)
            # A change is looked at twice, so that the answer to this tab's own gesture comes first.
            elif changes == seen[1] and changes > self._told.get(tab, changes):
                now = self._standing(session)
                self._told[tab] = changes
                yield self._shown(session) | {
                    field: value for field, value in now.items() if typed.get(field) != value
                }
                typed = now
            elif changes == seen[1]:
                typed = self._standing(session)
                if session.running and tab not in self._watching:  # another tab began it
                    yield self._going(session)
            seen = (session, changes)
            await asyncio.sleep(FOLLOW_SECONDS if not session.running else 2 * FOLLOW_SECONDS)

    def _open(self, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        try:
            project = read_event(OpenEvent, event._data).project
        except InputError:
            project = ""
        return self._all(self.sessions.resume(request.session_hash, project))

    def _edit(self, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        session = self.sessions.of(request.session_hash)
        before = self._typed(session)
        try:
            sent = read_event(EditEvent, event._data)
            session.rev = max(session.rev, sent.rev)
            session.error = None
            session.apply(sent.name, sent.payload)
        except InputError as error:
            return self._shown(session, "timeline", str(error), takes=False)
        # Another span has other words, a tapped tempo stands in its field; all else is left to who types.
        changed = {field: value for field, value in self._typed(session).items() if value != before[field]}
        return self._shown(session, takes=sent.name in TAKE_COMMANDS) | changed

    def _typed(self, session: Session) -> dict[Any, Any]:
        """Values of the fields that a gesture on the timeline may change."""
        project = session.project
        return {
            self.prompt: project.span_prompt,
            self.follow: list(project.span_follow),
            self.tempo: project.grid.bpm,
            self.signature: f"{project.grid.beats_per_bar}/4",
            self.key: project.key,
            self.seed: project.seed,
            **self._turned(session),
        }

    def _turned(self, session: Session) -> dict[Any, Any]:
        """Values of the knobs."""
        return {knob: getattr(session.project.settings, name) for name, knob in self.knobs.items()}

    def _upload(self, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        session = self.sessions.of(request.session_hash)
        try:
            sent = read_event(UploadEvent, event._data)
            path = Path(sent.path).resolve()
            if not path.is_relative_to(Path(get_upload_folder()).resolve()) or not path.is_file():
                raise InputError("upload: the file did not arrive; choose it again")
            session.error = None
            if Path(sent.name).suffix.lower() == ".zip":
                opened = library.unpack(path, self.sessions.root)
                rev, session = session.rev, self.sessions.open(request.session_hash, opened.folder.name)
                session.rev = max(session.rev, rev)
            elif Path(sent.name).suffix.lower() in scores.SUFFIXES:
                session.import_score(path, sent.name, sent.lane)
            else:
                session.upload(path, sent.name)
                if self.listens:
                    session.hear()
            path.unlink(missing_ok=True)
        except InputError as error:
            return self._shown(session, "timeline", str(error))
        return self._all(session)

    def _analyse(self, request: gr.Request) -> Iterator[dict[Any, Any]]:
        """Analyse the clip, or the active span anew; while it goes on, stop it."""
        session = self.sessions.of(request.session_hash)
        listener = session.listener
        if listener is not None and listener.running and not listener.cancelled.is_set():
            session.stop_hearing()
            yield self._hearing(session)
            return
        try:
            session.hear(session.project.region)
        except InputError as error:
            yield self._shown(session, "knobs", str(error))
            return
        yield from self._listen(request)

    def _listen(self, request: gr.Request) -> Iterator[dict[Any, Any]]:
        """Tell how an analysis goes, and show what it brought to the lanes."""
        session = self.sessions.of(request.session_hash)
        listener = session.listener
        if listener is None:
            yield self._hearing(session)  # a generator without an answer would empty every field
            return
        told = -1.0
        while not listener.wait(0.3):
            if listener.progress != told:
                told = listener.progress
                yield self._hearing(session)
        project = session.project  # what is being typed elsewhere is left alone
        yield self._shown(session) | {
            self.tempo: project.grid.bpm,
            self.signature: f"{project.grid.beats_per_bar}/4",
            self.key: project.key,
            self.follow: list(project.span_follow),
        }

    def _replace_lanes(self, request: gr.Request) -> dict[Any, Any]:
        return self._stepped(request, Session.replace_lanes, "knobs")

    def _undo(self, request: gr.Request) -> dict[Any, Any]:
        return self._stepped(request, Session.undo, "timeline")

    def _redo(self, request: gr.Request) -> dict[Any, Any]:
        return self._stepped(request, Session.redo, "timeline")

    def _stepped(
        self, request: gr.Request, step: Callable[[Session], object], where: str
    ) -> dict[Any, Any]:
        """What changes the whole page at a click; what speaks against it is told in the slot `where`."""
        session = self.sessions.of(request.session_hash)
        try:
            step(session)
        except InputError as error:
            return self._shown(session, where, str(error))
        return self._all(session)

    def _setter(
        self, command: str, where: str, payload: Callable[[Any], dict[str, Any]]
    ) -> Callable[..., dict[Any, Any]]:
        """A listener that turns a control's value into a command; its error stands in the slot `where`."""

        def set_value(value: Any, request: gr.Request) -> dict[Any, Any]:
            session = self.sessions.of(request.session_hash)
            try:
                _apply_field(session, command, payload(value))
            except InputError as error:
                return self._shown(session, where, str(error), takes=False)
            return self._shown(session, takes=False)

        return set_value

    def _tick(self, request: gr.Request, ar: bool, fm: bool, zero_shot: bool) -> dict[Any, Any]:
        session = self.sessions.of(request.session_hash)
        chosen = [name for (name, _, _), tick in zip(ENGINES, (ar, fm, zero_shot), strict=True) if tick]
        try:
            session.apply("set_engines", {"engines": chosen})
        except InputError as error:
            return self._shown(session, "knobs", str(error), takes=False)
        return self._shown(session, takes=False)

    def _starter(
        self, kind: jobs.Kind, engines: list[str] | None = None
    ) -> Callable[..., Iterator[dict[Any, Any]]]:
        """The listener of a button that starts a run of some kind (engines: None = those that are ticked)."""

        def start(
            request: gr.Request, prompt: str, seed: Any, length: Any, *knobs: Any
        ) -> Iterator[dict[Any, Any]]:
            session = self.sessions.of(request.session_hash)
            try:
                # What stands in the fields counts, even if its own event is still on the way.
                _apply_field(session, "set_prompt", {"prompt": prompt})
                session.apply("set_seed", {"seed": seed})
                if kind not in ("inpaint", "loop"):
                    session.apply("set_length", {"seconds": length})
                self._turn(session, *knobs)
                asked = session.requests(kind, *self._resolved(session), engines)
                session.start(self.device.runner, *asked, self.device.pace)
            except InputError as error:
                yield self._shown(session, "run", str(error))
                return
            yield from self._stream(session, request)

        return start

    def _again(self, event: gr.EventData, request: gr.Request, *knobs: Any) -> Iterator[dict[Any, Any]]:
        """A take again, as it was or with another seed, or a run that failed."""
        session = self.sessions.of(request.session_hash)
        try:
            sent = read_event(RunEvent, event._data)
            if sent.retry:
                self._turn(session, *knobs)
                asked = session.retry(sent.retry, *self._resolved(session))
            else:
                asked = session.again(sent.again) if sent.again else session.another_seed(sent.take)
            session.start(self.device.runner, *asked, self.device.pace)
        except InputError as error:
            yield self._shown(session, "run", str(error))
            return
        yield from self._stream(session, request)

    def _turn(self, session: Session, *values: Any) -> None:
        """What stands in the knobs, in their order, into the project; an empty one changes nothing."""
        session.apply("set_settings", dict(zip(self.knobs, values, strict=True)))

    def _resolved(self, session: Session) -> tuple[ARSettings, FMSettings]:
        """The knobs as the engines take them."""
        knobs = session.project.settings
        return settings.for_engines(knobs, self.spec.zero_shot_with(knobs.solver))

    def _server_functions(self) -> Iterator[Callable[..., Any]]:
        """What the page asks without an event; Gradio marks them, which a bound method does not allow."""

        def export_file(sent: Any) -> dict[str, str]:
            """{"project", "kind", "take"} -> {"url", "name"} of a file, or {"error": one line}."""
            try:
                fields = Payload("export", sent)
                folder = self.sessions.folder(fields.text("project", 80))
                project = storage.open_project(folder).project
                take = fields.identifier("take") if fields.has("take") else ""
                path, name = exports.export(folder, project, fields.text("kind", 20), take)
                return {"url": file_address(path), "name": name}
            except InputError as error:
                return {"error": str(error)}

        def recent_projects(_: Any = None) -> list[dict[str, Any]]:
            """The projects of the home, those saved last first."""
            return [asdict(entry) for entry in library.recent(self.sessions.root)]

        def ghost_of_take(sent: Any) -> dict[str, Any]:
            """{"project", "take"} -> {"chords", "melody"} heard in it, seconds, or {"error": one line}."""
            try:
                fields = Payload("ghost", sent)
                folder = self.sessions.folder(fields.text("project", 80))
                take = commands.find_take(storage.open_project(folder).project, fields.identifier("take"))
                return asdict(ghost.ghost(folder, take))
            except InputError as error:
                return {"error": str(error)}

        yield from (export_file, recent_projects, ghost_of_take)

    def _watch(self, request: gr.Request) -> Iterator[dict[Any, Any]]:
        """A page that was reloaded while its run goes on."""
        session = self.sessions.of(request.session_hash)
        if session.running:
            yield from self._stream(session, request)
        else:
            yield self._shown(session)

    def _stream(self, session: Session, request: gr.Request) -> Iterator[dict[Any, Any]]:
        """Tell the page how a run goes; a finished take updates more than a report."""
        tab, before = request.session_hash or "", None
        self._watching.add(tab)
        try:
            for _ in session.watch():
                now = (session.done, session.running, session.project.clip)
                if now == before:
                    yield self._going(session)
                    continue
                before = now
                yield self._shown(session)
        finally:
            self._watching.discard(tab)

    def _going(self, session: Session) -> dict[Any, Any]:
        """Updates of what a report changes."""
        return {
            self.takes: session.takes(),
            self.status: status_markup(session.runs, session.done, session.message),
        }

    def _vote(self, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        """A blind round is over."""
        session = self.sessions.of(request.session_hash)
        document = session.document(self.window, self.frame_rate)
        try:
            session.vote(Payload("vote", event._data))
        except InputError as error:
            document.error = str(error)
        return {self.takes: session.takes(), self.timeline: document}

    def _project(self, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        """Another project into this tab: a new one, one of the home, or a copy of this one."""
        session = self.sessions.of(request.session_hash)
        rev = session.rev
        try:
            sent = read_event(ProjectEvent, event._data)
            rev = max(rev, sent.rev)
            if sent.action == "new":
                session = self.sessions.new(request.session_hash)
            elif sent.action == "open":
                session = self.sessions.open(request.session_hash, sent.folder)
            else:
                folder = session.duplicate(commands.set_name(session.project, sent.name).name)
                session = self.sessions.open(request.session_hash, folder)
        except InputError as error:
            return self._shown(session, "timeline", str(error))
        session.rev = max(session.rev, rev)
        return self._all(session)

    def _cancel(self, request: gr.Request) -> None:
        self.sessions.of(request.session_hash).cancel.set()

    def _skip(self, event: gr.EventData, request: gr.Request) -> None:
        """One run of several, or all of them."""
        session = self.sessions.of(request.session_hash)
        with suppress(InputError):  # it has ended meanwhile, and shows it
            run = read_event(CancelEvent, event._data).run
            if run:
                session.skip(run)
            else:
                session.cancel.set()

    def _leave(self, request: gr.Request) -> None:
        self.sessions.leave(request.session_hash)


# ---- markup and checks


def _safe(text: str) -> str:
    return html.escape(text)


def _error(message: str, remedy: str = "") -> str:
    if not message:
        return ""
    words = _safe(message[:1].upper() + message[1:])
    return f'<div class="place-error" role="alert"><span>{words} {remedy}</span></div>'


def _named(knob: str) -> Callable[[Any], dict[str, Any]]:
    return lambda value: {knob: value}


def _apply_field(session: Session, command: str, payload: dict[str, Any]) -> None:
    """A field's command. Prompt and lanes are the active span's where it has its own, else the clip's."""
    span = session.project.span
    own = span is not None and span.prompt is not None
    if span is not None and own and command in ("set_prompt", "set_follow"):
        session.apply(command.replace("set_", "set_span_"), {"id": span.id, **payload})
    else:
        session.apply(command, payload)


# ---- serving


def launch_options(root: Path | None = None) -> dict[str, Any]:
    """What `Blocks.launch` needs beside host and port."""
    home = (root or storage.default_root()).resolve()
    return {
        "theme": theme.theme(),
        "css": theme.stylesheet(),
        "footer_links": [],
        "run_history": False,
        "show_error": True,
        "allowed_paths": [str(home)],
        "ssr_mode": False,
        "share": False,
        "quiet": True,
        "max_threads": 64,
    }


def serve(
    host: str = "127.0.0.1",
    port: int = 7860,
    bundle: str = "bundle",
    device: str = "auto",
    open_browser: bool = False,
    listens: bool = True,
) -> None:
    """Open the editor and stay until it is stopped. InputError when the bundle or the port is unusable.

    With `listens`, a recording is analysed as soon as it is opened.
    """
    home = storage.default_root().resolve()
    # Estimates are of this machine and this bundle.
    pace = Pace(home / f"pace-{Path(bundle).name}-{device}.json")
    shared = Device(bundle, device, pace)
    app = _Page(shared, Sessions(home), listens).build()
    threading.Thread(target=shared.warm, name="inlay-warm", daemon=True).start()
    app.queue(default_concurrency_limit=16)
    try:
        app.launch(
            server_name=host,
            server_port=port,
            inbrowser=open_browser,
            prevent_thread_lock=True,
            **launch_options(),
        )
    except OSError as error:
        raise InputError(
            f"port {port} on {host}: cannot be used ({error}); choose another with --port"
        ) from error
    print(f"Inlay is open at http://{host}:{port}  (Ctrl-C stops it)", flush=True)
    app.block_thread()
