"""One tab's work: its project and history, its run, its analysis, and what is judged.

A session is changed by events that may come at the same time (an edit while a run reports), hence
its lock. A run belongs to the session, not to the page that began it: a page that reloads watches on.
Seconds and beats as in the document. Knows no components.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from editor.orders import Orders
from editor.page import contract
from editor.page.contract import Payload
from editor.project import commands, versions
from editor.project.disk import examples, imports, library, storage
from editor.project.disk.lock import Held
from editor.project.disk.saved import SavedProject
from editor.project.document import Region, Sound
from editor.project.history import History
from editor.runs import hearing
from editor.runs.active import ActiveRun, learn
from editor.runs.agreement import Judging, Verdict
from editor.runs.events import Done, JobEvent, Running
from editor.runs.hearing import AnalysisJob, ClipAnalysis
from editor.runs.job import Job
from editor.runs.pace import Pace
from editor.runs.runner import HEARTBEAT_SECONDS, Runner
from engines.audio.recording import read_recording
from engines.errors import InputError

if TYPE_CHECKING:
    from engines.analysis.analyze import Analysis

log = logging.getLogger("inlay")


class Session(Orders):
    """A project on the page."""

    def __init__(self, root: Path, place: str = "") -> None:
        """`place`: where this process can be found, for another that wants the project."""
        self.saved = SavedProject(root, place, self._change)
        self.run = ActiveRun()
        self.analysis = ClipAnalysis()
        self.judging = Judging(self._judged)
        self.revs: dict[str, int] = {}  # tab -> its newest gesture that is done and saved
        self.error: str | None = None  # about the last gesture
        self.arrived = ""  # the file that came, or was refused, last
        self.refused: dict[str, str] = {}  # what stands in fields of the page and cannot be used -> why
        self.held = ""  # name of a project that this session should show and another process has
        self.tabs: set[str] = set()  # the pages that show it
        self.listens = False  # whether a generated clip is analysed by itself
        self._unheard = False  # one is there, to be analysed when its run is over
        self.abandoned = False  # lets go of the project when its run has ended
        self.changes = 0  # grows with everything that a page shows
        self.lock = threading.RLock()
        self._news = threading.Condition(self.lock)
        self.reports = 0  # counts what a run has reported

    @property
    def history(self) -> History:
        """The project with its ways back and forward."""
        return self.saved.history

    @property
    def folder(self) -> Path | None:
        """The project's folder; None until something is saved."""
        return self.saved.folder

    @property
    def closed(self) -> bool:
        """Whether it has let go of its project, which others may have changed since."""
        return self.saved.closed

    def _change(self) -> None:
        self.changes += 1

    def heard(self, tab: str | None, rev: int) -> None:
        """A gesture of a tab is done and saved, or refused: from now on documents may say so."""
        self.revs[tab or ""] = max(self.revs.get(tab or "", 0), rev)

    def open(self, folder: Path) -> None:
        """Take up a project from disk. `Held` where another process has it."""
        with self.lock:
            notice = self.saved.open(folder)
            self.stop_analysis()
            self.error, self.held = notice or None, ""
            if not self.run.running:
                self.run.take_up(folder)

    def close(self) -> None:
        """Let go of the project; from then on nothing is written. `open` takes it up again."""
        with self.lock:
            self.stop_analysis()
            self.saved.close()

    def abandon(self, cancel: bool = True) -> None:
        """No page shows it any more: it lets go of the project once its run has ended, or is cancelled."""
        with self.lock:
            if cancel:
                self.run.cancel.set()
            self.abandoned = True
            if not self.run.running:
                self.close()

    # ---- edits

    def apply(self, name: str, payload: object, id: str = "") -> None:
        """One command from the page, "undo" and "redo" among them; InputError leaves everything as it was.

        Of several with the same `id` only the first does anything: a page that did not hear the answer
        sends it again.
        """
        with self.lock:
            if id in self.saved.seen:
                return
            try:
                self._do(name, payload, id)
            except Held:  # it can be sent again once the project, or a copy, is open here
                raise
            except InputError:
                self.saved.see(id)
                raise
            self.saved.see(id)  # only now: a page that reads it forgets the edit

    def _do(self, name: str, payload: object, id: str) -> None:
        if name == "judge_again":
            self.judge_again(Payload(name, payload).identifier("take"))
        elif name == "undo":
            self.saved.undo(id)
        elif name == "redo":
            self.saved.redo(id)
        elif name in contract.ARRANGEMENTS:
            arranging = contract.ARRANGEMENTS[name]
            made = arranging.run(self.project, Payload(name, payload))
            self.stop_analysis()  # the samples of the clip go along with the document
            self.saved.record(imports.put_arranged(made, self.saved.make_folder()), arranging.label, "", id)
        else:
            command = contract.command(name)
            project = contract.apply(self.project, name, payload)
            self.saved.record(project, command.label, name if command.merges else "", id)

    def undo(self) -> None:
        """One step back."""
        with self.lock:
            self.saved.undo()

    def redo(self) -> None:
        """One step forward."""
        with self.lock:
            self.saved.redo()

    def vote(self, sent: Payload) -> None:
        """A blind round into the project: {"ratings": [{"take", "smoothness", "match"}], "matched"}."""
        ratings = [
            (item.text("take", 64), item.whole("smoothness"), item.whole("match"))
            for item in sent.items("ratings")
        ]
        now = datetime.now(UTC).isoformat(timespec="seconds")
        with self.lock:
            ballot = versions.vote(self.project, ratings, sent.flag("matched"), now)
            self.saved.step(self.history.with_rounds(ballot))

    def duplicate(self, name: str) -> str:
        """A copy of the project under another name; the name of its folder."""
        with self.lock:
            self.saved.save()
            return library.duplicate(self.saved.make_folder(), name).folder.name

    # ---- files

    def upload(self, path: Path, name: str, wanted: Callable[[], None] = lambda: None) -> None:
        """Put a user's file on the timeline unless `wanted` raises once it is read. InputError names it."""
        label = imports.label_of(name, "recording")
        recording = imports.recording_from(path, label)
        with self.lock:
            wanted()
            folder = self.saved.make_folder()
            self.saved.record(imports.put_recording(self.project, folder, recording, label), f"open {label}")
            self.error = recording.note or None

    def lay_over(self, path: Path, name: str, at: float, played: tuple[str, object] | None = None) -> None:
        """Lay a recording over the clip from `at` s on, or make it the clip, with the edit `played`."""
        recording = imports.recording_from(path, label := imports.label_of(name, "recording"))
        with self.lock:
            self.stop_analysis()
            project = contract.apply(self.project, *played) if played else self.project
            project = imports.lay_over(project, self.saved.make_folder(), recording, label, at)
            self.saved.record(project, "record")

    def open_example(self, file: str) -> bool:
        """Put a clip that ships on the timeline, with its words and lanes; whether it has all lanes."""
        example = examples.find(file)
        recording = read_recording(example.path)
        with self.lock:
            self.stop_analysis()
            project = imports.put_recording(self.project, self.saved.make_folder(), recording, example.label)
            self.saved.record(examples.put(project, example), f"open {example.label}")
        return example.complete

    def import_score(self, path: Path, name: str, lane: str = "") -> None:
        """Put a MIDI or MusicXML file on the melody or drum lane, or ("") on all lanes that it has.

        Tempo and signature are the file's where all lanes were empty. InputError names it as the user does.
        """
        label = imports.label_of(name, "MIDI file")
        score = imports.score_from(path, label, lane)
        with self.lock:
            words = imports.put_words(self.project, score, lane)
            put = commands.name_after_file(imports.put_score(self.project, score, lane), label)
            self.saved.record(put, f"import {label}")
            self.error = f"{label}: {words}" if words else None

    # ---- what is in the clip

    def analyse(self, span: Region | None = None) -> None:
        """Begin to analyse the clip, or a span of it anew, in the background. InputError without a clip.

        The clip's lanes are filled where they are empty; a span's are replaced.
        """
        with self.lock:
            clip = self.project.clip
            if clip is None:
                raise InputError("analysis: there is no recording yet; load one first")
            self.stop_analysis()
            sound = clip.sound
            self.analysis.begin(
                AnalysisJob(
                    self.saved.make_folder(),
                    sound,
                    span,
                    lambda result, error: self._analysed(sound, span, result, error),
                )
            )

    def stop_analysis(self) -> None:
        """End an analysis that goes on; nothing of it is kept."""
        self.analysis.stop()

    def replace_lanes(self) -> None:
        """Put what was heard in the clip on all lanes, the musician's own too; undo brings them back."""
        with self.lock:
            analysis = self.analysis.waiting
            if analysis is None:
                raise InputError("analysis: nothing is waiting; analyse the clip first")
            filled = hearing.fill(self.project, analysis, replace_all=True)
            self.analysis.end(analysis, filled)
            self.saved.record(filled.project, "lanes from the audio")

    def _analysed(self, sound: Sound, span: Region | None, result: Analysis | None, error: str) -> None:
        """The end of an analysis, in its thread. One of a clip that is gone by now is dropped."""
        with self.lock:
            clip = self.project.clip
            if result is None or clip is None or clip.sound != sound:
                self.analysis.words = error
                return
            if not any(sure >= hearing.PLAYER_CONFIDENCE for sure in result.instruments.confidence):
                self.analysis.unsure = sound
            try:
                if span is not None:
                    filled = hearing.fill_span(self.project, result, span)
                else:
                    filled = hearing.fill(self.project, result)
                self.analysis.end(result, filled)
                if filled.project != self.project:
                    self.saved.record(filled.project, "lanes from the audio")
            except InputError as wrong:
                self.analysis.words = str(wrong)

    # ---- runs

    def start(
        self, runner: Runner, jobs: Sequence[Job], source: Sound | None, pace: Pace, who: str = ""
    ) -> None:
        """Begin to do what `who` asks; `watch` tells how it goes. InputError while another run goes on."""
        with self.lock:
            folder = self.saved.make_folder()
            self.run.begin(jobs, source, folder)
            self.changes += 1
        work = (runner, source, pace, folder, who)
        threading.Thread(target=self._work, args=work, name="inlay-run", daemon=True).start()

    def skip(self, run_id: str) -> None:
        """Stop one run that works or waits; the others go on. InputError for one that has ended."""
        with self._news:
            self.run.skip(run_id)
            self.changes += 1
            self._report()

    def watch(self) -> Iterator[None]:
        """Yields whenever the page should look again, the last time when the run has ended."""
        shown = -1
        while True:
            with self._news:
                if self.reports == shown and self.run.running:  # a silent run is looked at, too
                    self._news.wait(HEARTBEAT_SECONDS)
                shown, running = self.reports, self.run.running
            yield
            if not running:
                return

    def _report(self) -> None:
        """Wake everyone who watches."""
        self.reports += 1
        self._news.notify_all()

    def _work(self, runner: Runner, source: Sound | None, pace: Pace, folder: Path, who: str) -> None:
        """The run, in a thread of its own."""
        run = self.run
        try:
            told = partial(self._on_event, pace=pace)
            runner.run(run.jobs, told, run.cancel, folder, source, run.skipped, who)
        finally:
            with self._news:
                self.run.end()
                self.changes += 1
                with suppress(InputError):
                    self._begin_to_judge()
                unheard, self._unheard = self._unheard, False
                with suppress(InputError):  # what was generated may be gone again
                    if unheard:
                        self.analyse()
                self._report()
                if self.abandoned and not self.tabs:
                    self.close()

    def _on_event(self, event: JobEvent, pace: Pace) -> None:
        """One event of a run into the session, in the run's thread."""
        with self._news:
            try:
                self.run.follow(event, pace, self.project.length)
                if isinstance(event, Done):
                    self._finish(event, pace)
                self.changes += not isinstance(event, Running)
            except InputError as error:  # a full disk must not stop the takes that follow
                self.run.message = str(error)
            self._report()

    def _finish(self, event: Done, pace: Pace) -> None:
        """A job is done: its take into the document, unless it is one that is there already."""
        job, take = self.run.finish(event.index), event.take
        learn(pace, job, event.result.seconds_spent)
        if take is None:
            return
        self.run.takes = (*self.run.takes, take)
        twin = versions.twin_of(self.project, take)
        if twin and self.folder:
            storage.drop_finished(self.folder, take)
            self.run.say = self.run.message = f"The same as {versions.take_label(twin)}, sample for sample"
            if twin.deleted:
                self.saved.record(versions.restore_take(self.project, twin.id), "restore take")
            return
        self.saved.history = self.history.with_takes(take)
        self.judging.add(take)
        self.run.say = f"{versions.ENGINE_LABELS.get(take.engine, event.engine)} is ready"
        if take.kind == "generate" and self.project.clip is None:
            kept = commands.name_after_words(versions.keep(self.project, take.id), take.prompt)
            self.saved.record(kept, "keep the first clip")
            self._unheard = self.listens
        else:
            self.saved.save()

    # ---- whether wishes came true

    def judge_again(self, take_id: str) -> None:
        """Listen to a take again, whether its wish came true. InputError for one that is not there."""
        with self.lock:
            self.judging.add_again(replace(versions.find_take(self.project, take_id), wish=()))
            self._begin_to_judge()

    def _begin_to_judge(self) -> None:
        if self.judging.waits:
            self.changes += 1
            self.judging.begin(self.saved.make_folder())

    def _judged(self, take_id: str, verdict: Verdict | None) -> None:
        """The end of judging one take, in the judge's thread."""
        with self._news:
            self.judging.end(take_id, verdict)
            self.changes += 1
            self._report()
            if verdict is None or not (verdict.wish or verdict.band) or self.closed or self.folder is None:
                return
            self.saved.history = self.history.with_heard(take_id, verdict.wish, verdict.band)
            try:
                storage.add_finished(self.folder, versions.find_take(self.project, take_id))
                self.saved.save()
            except InputError as error:  # a full disk, or a project that was opened meanwhile
                log.info("what was heard in take %s is not saved: %s", take_id, error)
