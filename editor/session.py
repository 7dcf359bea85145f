"""One tab's work: its project, history and run. Each tab has a session of its own.

A session is changed by events that may come at the same time (an edit while a run reports), hence
its lock. The project's folder is made at the first change, so that a look at the page leaves nothing
behind. Seconds and beats as in the document. Knows no components.
"""

from __future__ import annotations

import json
import re
import secrets
import threading
from collections import OrderedDict
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from pathlib import Path

from editor import commands, jobs, storage
from editor.compare import RunTrack, TakesState, estimate_words, groups, playable, progress_words, with_state
from editor.document import Clip, Project, Region, Take
from editor.history import History
from editor.timeline import ClipState, EditorState, editor_state, export_name, file_address
from engines.recording import read_recording
from engines.requests import ARSettings, FMSettings, InpaintRequest, InputError, Request

_PROJECT_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,79}")
MAX_SESSIONS = 64  # kept in memory; a project itself is on disk


class Pace:
    """How long engines took of late, for estimates. Shared by all tabs of a device.

    With a `path` it remembers across starts; a file that cannot be read or written only costs estimates.
    """

    def __init__(self, path: Path | None = None) -> None:
        self._path = path
        self._seconds: dict[tuple[str, str], tuple[float, float]] = {}
        if path is not None:
            with suppress(OSError, ValueError, TypeError, AttributeError, KeyError):
                for key, (seconds, spent) in json.loads(path.read_text("utf-8")).items():
                    engine, kind = key.split(" ")
                    self._seconds[engine, kind] = (float(seconds), float(spent))

    def learn(self, engine: str, kind: str, seconds: float, spent: float) -> None:
        """A run of `seconds` of audio has taken `spent` seconds."""
        self._seconds[engine, kind] = (seconds, spent)
        if self._path is not None:
            with suppress(OSError):
                self._path.write_text(
                    json.dumps({" ".join(key): known for key, known in self._seconds.items()})
                )

    def guess(self, engine: str, kind: str, seconds: float) -> float | None:
        """Expected seconds for a run, None when this kind has not run yet.

        AR writes frame after frame, its time grows with the length; flow matching always works on the
        whole window.
        """
        known = self._seconds.get((engine, kind)) or self._seconds.get((engine, "inpaint"))
        if known is None:
            return None
        length, spent = known
        return spent * seconds / length if engine == "ar" else spent


class Session:
    """A project on the page."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.folder: Path | None = None
        self.history = History()
        self.rev = 0
        self.saved = ""  # "Saved 17:42"
        self.error: str | None = None  # about the last gesture
        self.runs: tuple[RunTrack, ...] = ()
        self.done: tuple[Take, ...] = ()  # takes of the last run, for the status block
        self.message = ""  # about the last run
        self.say = ""
        self.running = False
        self.runner_tab: str | None = None  # the tab that began the run
        self.cancel = threading.Event()
        self.lock = threading.RLock()

    @property
    def project(self) -> Project:
        """The project now."""
        return self.history.present

    # ---- edits

    def open(self, folder: Path) -> None:
        """Take up a project from disk."""
        opened = storage.open_project(folder)
        self.folder = opened.folder
        self.history = History(opened.project)
        self.error = opened.notice or None

    def apply(self, name: str, payload: object) -> None:
        """One command from the page; InputError leaves everything as it was."""
        with self.lock:
            command = commands.command(name)
            project = commands.apply(self.project, name, payload)
            self._record(project, command.label, name if command.merges else "")

    def undo(self) -> None:
        """One step back."""
        with self.lock:
            self._replace(self.history.undo())

    def redo(self) -> None:
        """One step forward."""
        with self.lock:
            self._replace(self.history.redo())

    def upload(self, path: Path, name: str) -> None:
        """Put a file from the user's disk on the timeline. InputError names it as the user does."""
        label = commands.clean_text(Path(name.replace("\\", "/")).name)[:80] or "recording"
        try:
            recording = read_recording(path)
        except InputError as error:
            raise InputError(str(error).replace(str(path), label).replace(path.name, label)) from error
        with self.lock:
            file = storage.add_audio(self._folder(), recording)
            clip = Clip(file, recording.seconds, recording.rate, recording.channels, label)
            self._record(commands.set_clip(self.project, clip), f"open {label}")
            self.error = recording.note or None

    def _record(self, project: Project, label: str, merge: str = "") -> None:
        self._replace(self.history.do(project, label, merge))

    def _replace(self, history: History) -> None:
        """Take and save another history; what cannot be saved is not done (InputError)."""
        if history is self.history:
            return
        before, self.history = self.history, history
        try:
            self._save()
        except InputError:
            self.history = before
            raise

    def _folder(self) -> Path:
        if self.folder is None:
            self.folder = storage.new_project(self.root, self.project).folder
        return self.folder

    def _save(self) -> None:
        storage.save_project(self._folder(), self.project)
        self.saved = f"Saved {datetime.now():%H:%M}"

    # ---- runs

    def requests(
        self, kind: jobs.Kind, ar: ARSettings, fm: FMSettings, engines: Sequence[str] | None = None
    ) -> tuple[tuple[Request, ...], str | None]:
        """What Generate or Inpaint asks of the engines, and the file that it works on, of one document."""
        project = self.project  # reading a long file takes a while, in which the document may change
        made = jobs.requests_for(project, self._folder(), kind, engines, ar, fm)
        return made, project.clip.file if kind == "inpaint" and project.clip else None

    def again(self, take_id: str) -> tuple[tuple[Request, ...], str | None]:
        """The request of a take with the next free seed, and the file that it works on."""
        take = commands.find_take(self.project, take_id)
        seeds = {other.seed for other in self.project.takes if other.engine == take.engine}
        seed = take.seed + 1
        while seed in seeds:
            seed += 1
        return (replace(jobs.request_from(take.parameters, self._folder()), seed=seed),), take.source

    def run(
        self, runner: jobs.Runner, requests: Sequence[Request], pace: Pace, source: str | None
    ) -> Iterator[None]:
        """Do requests; yields whenever the page should look again, the last time when all are done."""
        with self.lock:
            if self.running:
                raise InputError("a run is going on: wait for it, or cancel it first")
            self.running = True
            self.cancel.clear()
            self.done, self.message, self.say = (), "", f"Started, {len(requests)} engines"
            self.runs = tuple(_track(request, source) for request in requests)
        try:
            yield
            for event in runner.stream(requests, self.cancel, self._folder(), source):
                with self.lock:
                    self._hear(event, pace)
                yield
        finally:
            with self.lock:
                self.cancel.set()
                self.running = False
                self.runs = tuple(run for run in self.runs if run.state not in ("running", "waiting"))
        yield

    def _hear(self, event: jobs.JobEvent, pace: Pace) -> None:
        """One event of a run into the session."""
        engine = event.engine
        self.say = ""
        if isinstance(event, jobs.Queued):
            self.runs = with_state(
                self.runs, engine, state="waiting", note=self._waiting(engine, event.position, pace)
            )
        elif isinstance(event, jobs.Running):
            progress = event.progress
            share = (
                progress.fraction
                if progress.stage == "sample"
                else 1.0
                if progress.stage == "decode"
                else 0.0
            )
            self.say = self._quarter(engine, share)
            self.runs = with_state(
                self.runs, engine, state="running", progress=share, note=progress_words(progress)
            )
        elif isinstance(event, jobs.Done):
            request = event.result.request
            kind = "inpaint" if isinstance(request, InpaintRequest) else "generate"
            pace.learn(engine, kind, request.seconds, event.result.seconds_spent)
            self.runs = tuple(run for run in self.runs if run.engine != engine)
            if event.take:
                self.done = (*self.done, event.take)
                self.history = self.history.with_takes(event.take)
                self.say = f"{commands.ENGINE_LABELS.get(engine, engine)} is ready"
                if event.take.kind == "generate" and self.project.clip is None:
                    self._record(commands.keep(self.project, event.take.id), "keep the first clip")
                else:
                    self._save()
        elif isinstance(event, jobs.Failed):
            words = f"Failed: {event.message}"
            self.say = words
            self.runs = with_state(self.runs, engine, state="failed", note=words)
        else:
            done = event.progress.fraction if event.progress and event.progress.stage == "sample" else 0.0
            self.say = "Cancelled"
            self.runs = with_state(
                self.runs,
                engine,
                state="cancelled",
                note=f"Cancelled at {done:.0%}".replace("%", " %") if done else "Cancelled",
            )

    def _waiting(self, engine: str, position: int, pace: Pace) -> str:
        """ "Next, about 14 s", or whom it waits for."""
        run = next((run for run in self.runs if run.engine == engine), None)
        seconds = run.region.end - run.region.start if run and run.region else self.project.length
        guess = pace.guess(engine, run.kind if run else "inpaint", seconds)
        about = f", about {estimate_words(guess)}" if guess else ""
        return f"{'Next' if position == 1 else 'Waiting'}{about}"

    def _quarter(self, engine: str, share: float) -> str:
        """What a screen reader hears of progress: quarters only."""
        before = next((run.progress for run in self.runs if run.engine == engine), 0.0)
        quarter = int(share * 4)
        if quarter in (1, 2, 3) and int(before * 4) < quarter:
            return f"{commands.ENGINE_LABELS.get(engine, engine)} {25 * quarter} percent"
        return ""

    # ---- views

    def document(self, window: float, frame_rate: float) -> EditorState:
        """The document for the page."""
        project, clip = self.project, None
        if project.clip and self.folder:
            path = storage.wav_path(self.folder, project.clip.file)
            clip = ClipState(
                url=file_address(playable(self.folder, project.clip.file)),
                seconds=project.clip.seconds,
                label=project.clip.label,
                export=file_address(path),
                export_name=export_name(project, self.folder),
            )
        return editor_state(
            project,
            rev=self.rev,
            project=self.folder.name if self.folder else "",
            clip=clip,
            error=self.error,
            undo=self.history.undo_label,
            redo=self.history.redo_label,
            window=window,
            frame_rate=frame_rate,
        )

    def takes(self) -> TakesState:
        """Takes and runs for the page."""
        found = groups(self.project, self.folder, self.runs, file_address)
        return TakesState(groups=found, run=self.running, say=self.say)


def _track(request: Request, source: str | None) -> RunTrack:
    if isinstance(request, InpaintRequest):
        return RunTrack(request.engine, "inpaint", request.seed, Region(request.start, request.end), source)
    return RunTrack(request.engine, "generate", request.seed, None, None)


class Sessions:
    """All tabs. A tab that reloads finds its session again by the project's name."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self._by_tab: OrderedDict[str, Session] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, tab: str | None) -> Session:
        """The session of a tab; a new one for a tab not seen before."""
        with self._lock:
            key = tab or secrets.token_hex(8)
            session = self._by_tab.setdefault(key, Session(self.root))
            self._by_tab.move_to_end(key)
            while len(self._by_tab) > MAX_SESSIONS:
                self._by_tab.popitem(last=False)
            return session

    def resume(self, tab: str | None, project: str) -> Session:
        """The session of a tab that worked on `project` before; a project that is gone gives a new one."""
        with self._lock:
            for other in self._by_tab.values():
                if project and other.folder is not None and other.folder.name == project:
                    self._by_tab[tab or ""] = other
                    return other
        session = self.of(tab)
        folder = self.root / project
        if _PROJECT_NAME.fullmatch(project) and folder.is_dir() and session.folder is None:
            try:
                session.open(folder)
            except InputError as error:
                session.error = str(error)
        return session

    def leave(self, tab: str | None) -> None:
        """The tab was closed: the run that it began stops, its project stays on disk."""
        with self._lock:
            session = self._by_tab.get(tab or "")
        if session is not None and session.runner_tab == tab:
            session.cancel.set()
