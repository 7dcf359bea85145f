"""The page: what its events do to a session, and their wiring.

What an edit or a run does is in `session`, what the page looks like in `assets/page`.
"""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections import OrderedDict
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.utils import get_upload_folder

from editor.page import events
from editor.page.api import Api
from editor.page.compare import clock_shift
from editor.page.layout import model_card
from editor.page.payload import Payload
from editor.page.timeline import (
    CancelEvent,
    EditEvent,
    EditorState,
    LateEvent,
    OpenEvent,
    ProjectEvent,
    RunEvent,
    UploadEvent,
    file_address,
    read_event,
    rev_of,
)
from editor.page.view import Updates
from editor.project import commands, versions
from editor.project.disk import exports, library, scores, storage
from editor.project.disk.lock import Held
from editor.runs import ghost, jobs, settings
from editor.runs.device import Device
from editor.session import Session
from editor.sessions import MAX_SESSIONS, Sessions
from engines.requests import ARSettings, FMSettings, InputError
from engines.roster import ENGINES

FOLLOW_SECONDS = 0.15  # how often an open tab looks for what others did
TAKE_COMMANDS = {"judge_again"} | {  # edits that change what the cards show
    name for name in events.COMMANDS if name in ("keep", "show_version") or name.endswith("_take")
}


class Page(Updates):
    """The events of the components. One object a server; the state of tabs is in `Sessions`."""

    def __init__(self, device: Device, sessions: Sessions, listens: bool = True) -> None:
        models = device.models()
        super().__init__(models.spec, device.pace, model_card(models))
        self.device = device
        self.listens = listens  # analyses a recording as soon as it is opened
        self.sessions = sessions
        self._told: OrderedDict[str, int] = OrderedDict()  # tab -> the change that it has seen last
        self._watching: set[str] = set()  # tabs that a listener of theirs tells how a run goes

    def build(self) -> gr.Blocks:
        """Make the blocks."""
        with gr.Blocks(title="Inlay", fill_width=True, analytics_enabled=False) as app:
            self.place(self._server_functions())
            self._wire(app)
            Api(self.device).place()
        return app

    def _wire(self, app: gr.Blocks) -> None:
        quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
        told = self._telling
        # One line for all edits of the page keeps a tab's gestures in order; each takes milliseconds.
        edits: dict[str, Any] = {**quiet, "concurrency_id": "edits", "concurrency_limit": 1}
        # By default Gradio drops what is chosen while an answer is on its way.
        chosen: dict[str, Any] = {**edits, "trigger_mode": "always_last"}
        light, everything = self.light, self.light + self.fields
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
            told(self._words),
            [self.prompt, self.meant],
            light,
            js="() => window.inlay.desk.typed.take()",
            **chosen,
        )
        self.follow.input(
            told(self._lanes),
            [self.follow, self.meant],
            light,
            js="(lanes) => [lanes, window.inlay.desk.worded()]",
            **chosen,
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
        self.preset.input(told(self._preset), self.preset, everything, **chosen)
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
        typed = [self.prompt, self.meant, self.seed, self.length, self.variations, *self.engines, *knobs]
        shown = light
        started = {**runs, "js": "(_, __, ...rest) => [...window.inlay.desk.typed.take(), ...rest]"}
        self.inpaint.click(told(self._starter("inpaint")), typed, shown, **started)
        self.inpaint_all.click(told(self._starter("inpaint", together=True)), typed, shown, **started)
        self.auto.click(told(self._starter("inpaint", ["auto"])), typed, shown, **started)
        self.generate.click(told(self._starter("generate")), typed, shown, **started)
        for kind, button in self.extend.items():
            button.click(told(self._starter(kind)), typed, shown, **started)
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
            sent = read_event(OpenEvent, event._data)
        except InputError:
            sent = OpenEvent()
        return self._all(self.sessions.resume(request.session_hash, sent.project, sent.page))

    def late(self, data: object) -> None:
        """The edits that a page has sent as it was closed. Nobody hears what is wrong with one."""
        with suppress(InputError):
            sent = read_event(LateEvent, data)
            session = self.sessions.of_page(sent.page)
            if session is None:
                return
            for edit in sent.edits:
                with suppress(InputError):
                    _apply_field(session, edit.name, edit.payload, edit.id)

    def _edit(self, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        session = self.sessions.of(request.session_hash)
        before = self._typed(session)
        session.error, session.held = None, ""
        name = ""
        try:
            session.rev = max(session.rev, rev_of(event._data))  # the page waits for it, whatever is wrong
            sent = read_event(EditEvent, event._data)
            name = sent.name
            session.apply(sent.name, sent.payload, sent.id)
        except InputError as error:
            session.held = error.folder.name if isinstance(error, Held) else ""
            session.error = _taken_back(name, error)  # stands until the next gesture
            return self._shown(session, "timeline", session.error, takes=False)
        # Another span has other words, a tapped tempo stands in its field; all else is left to who types.
        changed = {field: value for field, value in self._typed(session).items() if value != before[field]}
        return self._shown(session, takes=sent.name in TAKE_COMMANDS) | changed

    def _upload(self, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        session = self.sessions.of(request.session_hash)
        try:
            sent = read_event(UploadEvent, event._data)
            if sent.example:
                session.error = None
                if not session.open_example(sent.example) and self.listens:
                    session.hear()
                return self._all(session)
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
            document = session.document(self.window, self.frame_rate, self.band_taken)
            yield {**self._hearing(session), self.timeline: document}
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
                document = session.document(self.window, self.frame_rate, self.band_taken)
                yield {**self._hearing(session), self.timeline: document}
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

    def _stepped(self, request: gr.Request, step: Callable[[Session], object], where: str) -> dict[Any, Any]:
        """What changes the whole page at a click; what speaks against it is told in the slot `where`."""
        session = self.sessions.of(request.session_hash)
        session.error = None
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
            return self._chosen(request, command, payload(value), where)

        return set_value

    def _words(self, words: str | None, meant: str, request: gr.Request) -> dict[Any, Any]:
        """Words that were typed; None where they have come already, with a run."""
        if words is None:
            return {self.prompt_error: gr.skip()}
        return self._chosen(request, "set_prompt", {"prompt": words, "span": meant}, "prompt")

    def _lanes(self, lanes: list[str], meant: str, request: gr.Request) -> dict[Any, Any]:
        return self._chosen(request, "set_follow", {"lanes": lanes, "span": meant}, "knobs")

    def _chosen(
        self, request: gr.Request, command: str, payload: dict[str, Any], where: str
    ) -> dict[Any, Any]:
        session = self.sessions.of(request.session_hash)
        try:
            _apply_field(session, command, payload)
        except InputError as error:
            return self._shown(session, where, str(error), takes=False)
        return self._shown(session, takes=False)

    def _preset(self, name: str, request: gr.Request) -> dict[Any, Any]:
        session = self.sessions.of(request.session_hash)
        if name != settings.CUSTOM:  # what is turned already is one's own
            try:
                session.apply("set_preset", {"name": name})
            except InputError as error:
                return self._shown(session, "knobs", str(error), takes=False)
        return self._shown(session, takes=False) | self._turned(session)

    def _tick(self, request: gr.Request, ar: bool, fm: bool, zero_shot: bool) -> dict[Any, Any]:
        session = self.sessions.of(request.session_hash)
        try:
            session.apply("set_engines", {"engines": _ticked(ar, fm, zero_shot)})
        except InputError as error:
            return self._shown(session, "knobs", str(error), takes=False)
        return self._shown(session, takes=False)

    def _starter(
        self, kind: jobs.Kind, engines: list[str] | None = None, together: bool = False
    ) -> Callable[..., Iterator[dict[Any, Any]]]:
        """The listener of a button that starts a run of some kind (engines: None = those that are ticked).

        `together`: of all spans at once.
        """

        def start(
            request: gr.Request,
            words: str | None,
            meant: str,
            seed: Any,
            length: Any,
            count: str,
            *chosen: Any,
        ) -> Iterator[dict[Any, Any]]:
            session = self.sessions.of(request.session_hash)
            ticks, knobs = chosen[: len(ENGINES)], chosen[len(ENGINES) :]
            try:
                # What stands in the fields counts, even if its own event is still on the way.
                if words is not None:
                    _apply_field(session, "set_prompt", {"prompt": words, "span": meant})
                session.apply("set_seed", {"seed": seed})
                session.apply("set_variations", {"count": int(count)})
                if engines is None:
                    session.apply("set_engines", {"engines": _ticked(*ticks)})
                if kind not in ("inpaint", "loop"):
                    session.apply("set_length", {"seconds": length})
                self._turn(session, *knobs)
                asked = session.requests(kind, *self._resolved(session), engines, together)
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
                project = storage.open_project(folder).project
                take = versions.find_take(project, fields.identifier("take"))
                return asdict(ghost.ghost(folder, take).shifted(clock_shift(project, take)))
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

    def _vote(self, event: gr.EventData, request: gr.Request) -> dict[Any, Any]:
        """A blind round is over."""
        session = self.sessions.of(request.session_hash)
        document = session.document(self.window, self.frame_rate, self.band_taken)
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
            elif sent.folder:  # of a project that another process may have
                name = commands.set_name(session.project, sent.name).name if sent.name else ""
                folder = library.duplicate(self.sessions.folder(sent.folder), name).folder.name
                session = self.sessions.open(request.session_hash, folder)
            else:
                folder = session.duplicate(commands.set_name(session.project, sent.name).name)
                session = self.sessions.open(request.session_hash, folder)
        except InputError as error:
            session.held = error.folder.name if isinstance(error, Held) else ""
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


def _ticked(*ticks: bool) -> list[str]:
    return [spec.name for spec, tick in zip(ENGINES, ticks, strict=True) if tick]


def _taken_back(name: str, error: InputError) -> str:
    """Why an edit was refused; of one on the lanes, which the page has shown already, what is gone again."""
    label = events.LANE_EDITS.get(name)
    if label is None or isinstance(error, Held):
        return str(error)
    return f"{label} was taken back: {str(error).removeprefix(f'{name}: ')}"


def _named(knob: str) -> Callable[[Any], dict[str, Any]]:
    return lambda value: {knob: value}


def _apply_field(session: Session, command: str, payload: dict[str, Any], id: str = "") -> None:
    """A field's command. Words and lanes name the span that they were chosen for, "" = the clip."""
    fields = dict(payload)
    span = fields.pop("span", "") if command in ("set_prompt", "set_follow") else ""
    if span in {each.id for each in session.project.spans}:
        session.apply(command.replace("set_", "set_span_"), {"id": span, **fields}, id)
    elif not span:  # a span that is gone meanwhile has taken its words along
        session.apply(command, fields, id)
