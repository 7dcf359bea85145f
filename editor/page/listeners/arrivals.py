"""What comes onto the timeline: files, examples, and what an analysis of the clip has heard."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import gradio as gr
from gradio.utils import get_upload_folder

from editor.mishaps import in_one_line
from editor.page.events import Played, UploadEvent, WithdrawEvent, read_event
from editor.page.listeners.lines import Lines
from editor.page.listeners.wiring import ANALYSES, AT_ONCE, EDITS, QUIET, TURN, Telling, Updates
from editor.page.seats import Seats
from editor.page.view import View
from editor.project.disk import imports, scores
from editor.session import Session
from engines.errors import Cancelled, InputError


class Arrivals:
    """Listeners of uploads and of the analysis."""

    def __init__(self, view: View, seats: Seats, listens: bool) -> None:
        """With `listens`, a recording is analysed as soon as it is opened."""
        self.view = view
        self.seats = seats
        self.listens = listens
        self._withdrawn: deque[str] = deque(maxlen=100)  # files that nobody waits for any more

    def wire(self, telling: Telling, lines: Lines) -> None:
        """Bind the listeners; what changes lanes at once waits in the `lines` of the edits."""
        view, layout = self.view, self.view.layout
        arrived = layout.timeline.upload(telling(self.upload), None, view.everything, **QUIET)
        layout.timeline.withdraw(self.withdraw, None, None, **AT_ONCE)
        arrived.then(telling(self.listen), None, view.everything, **ANALYSES)
        turned = {"inputs": layout.turn, "outputs": view.everything, "js": TURN}
        layout.hear.click(telling(self.analyse), **turned, trigger_mode="multiple", **ANALYSES)
        layout.replace.click(lines.of_project(telling(self.replace_lanes)), **turned, **EDITS)

    def upload(self, event: gr.EventData, request: gr.Request) -> Updates:
        """A file that the page has sent, or an example that ships."""
        session = self.seats.of(request)
        before, sent = self.view.standing(session), UploadEvent(path="", name="")
        try:
            sent = read_event(UploadEvent, event._data)
            with in_one_line(imports.label_of(sent.name, "upload")):
                arrived = self._arrive(sent, session, request)
        except (InputError, Cancelled) as error:
            session.arrived = sent.id
            if sent.id not in self._withdrawn:
                session.error = str(error)  # until the next gesture
            return self.view.shown(session)
        arrived.arrived = sent.id
        if arrived is not session:
            return self.view.all(arrived)
        return self.view.changed(session, before, self.view.shown(session))

    def withdraw(self, event: gr.EventData, request: gr.Request) -> None:
        """A file that is being read is not to come onto the timeline."""
        with suppress(InputError):
            self._withdrawn.append(read_event(WithdrawEvent, event._data).id)

    def _wanted(self, sent: UploadEvent) -> None:
        if sent.id in self._withdrawn:
            raise Cancelled

    def _arrive(self, sent: UploadEvent, session: Session, request: gr.Request) -> Session:
        """Put it where it belongs; the session that the tab shows from now on."""
        if sent.example:
            session.error = None
            if not session.open_example(sent.example) and self.listens:
                session.analyse()
            return session
        path = Path(sent.path).resolve()
        if not path.is_relative_to(Path(get_upload_folder()).resolve()) or not path.is_file():
            raise InputError("upload: the file did not arrive; choose it again")
        session.error = None
        suffix = Path(sent.name).suffix.lower()
        if suffix == ".zip":
            sessions = self.seats.sessions(request)
            opened = imports.project_from(path, imports.label_of(sent.name, "zip"), sessions.root)
            session = sessions.open(request.session_hash, opened.folder.name)
        elif suffix in scores.SUFFIXES:
            session.import_score(path, sent.name, sent.lane)
        elif sent.at is not None:
            first = session.project.clip is None
            self._lay_over(session, path, sent.name, sent.at, sent.played)
            if first and self.listens:
                session.analyse()
        else:
            session.upload(path, sent.name, lambda: self._wanted(sent))
            if self.listens:
                session.analyse()
        path.unlink(missing_ok=True)
        return session

    def _lay_over(self, session: Session, path: Path, name: str, at: float, played: Played | None) -> None:
        """A recording is never lost with what cannot be put beside it."""
        try:
            session.lay_over(path, name, at, (played.name, played.payload) if played else None)
        except InputError as error:
            if played is None:
                raise
            session.lay_over(path, name, at)
            session.error = str(error)

    def analyse(self, turn: int, request: gr.Request) -> Iterator[Updates]:
        """Analyse the clip, or the active span anew; while it goes on, stop it."""
        layout, session = self.view.layout, self.seats.of(request)
        session.heard(request.session_hash, turn)
        if session.analysis.share is not None:
            session.stop_analysis()
            yield {**self.view.analysis(session), layout.timeline: self.view.document(session)}
            return
        try:
            session.analyse(session.project.region)
        except InputError as error:
            yield self.view.shown(session, "knobs", str(error))
            return
        yield {layout.timeline: self.view.document(session)}
        yield from self.listen(request)

    def listen(self, request: gr.Request) -> Iterator[Updates]:
        """Tell how an analysis goes, and show what it brought to the lanes."""
        layout, session = self.view.layout, self.seats.of(request)
        job = session.analysis.job
        if job is None:
            yield self.view.analysis(session)  # a generator without an answer would empty every field
            return
        shown = -1.0
        while not job.wait(0.3):
            if job.progress != shown:
                shown = job.progress
                yield {**self.view.analysis(session), layout.timeline: self.view.document(session)}
        project = session.project  # what is being typed elsewhere is left alone
        yield self.view.shown(session) | {
            layout.tempo: project.grid.bpm,
            layout.signature: f"{project.grid.beats_per_bar}/4",
            layout.key: project.key,
            layout.follow: list(project.span_follow),
        }

    def listen_on(self, request: gr.Request) -> Iterator[Updates]:
        """Tell how an analysis goes that a run has left behind; where none goes on, nothing is new."""
        if self.seats.of(request).analysis.share is None:
            yield {self.view.layout.hearing: gr.skip()}
            return
        yield from self.listen(request)

    def replace_lanes(self, turn: int, request: gr.Request) -> Updates:
        """What was heard onto all lanes."""
        session = self.seats.of(request)
        session.error = None
        before, wrong = self.view.standing(session), ""
        try:
            session.replace_lanes()
        except InputError as error:
            wrong = str(error)
        session.heard(request.session_hash, turn)
        return self.view.changed(session, before, self.view.shown(session, "knobs", wrong))
