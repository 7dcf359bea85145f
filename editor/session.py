"""One tab's work: its project, history and run.

A session is changed by events that may come at the same time (an edit while a run reports), hence
its lock. A run belongs to the session, not to the page that began it: a page that reloads watches on.
The project's folder is made at the first change, so that a look at the page leaves nothing behind.
Seconds and beats as in the document. Knows no components.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from editor.page import events
from editor.page.compare import (
    RunTrack,
    TakesState,
    blind_results,
    deleted,
    estimate_words,
    groups,
    playable,
    progress_words,
    version_tree,
    with_state,
)
from editor.page.payload import Payload
from editor.page.timeline import ClipState, EditorState, editor_state, file_address
from editor.project import band, commands, edited, lanes, versions
from editor.project.disk import examples, library, scores, storage
from editor.project.disk.journal import MAX_SEEN, Journal
from editor.project.disk.lock import Held, ProjectLock
from editor.project.document import Clip, Lanes, Project, Region, Sound, Take
from editor.project.history import History
from editor.runs import agreement as judge
from editor.runs import hearing as analysis
from editor.runs import jobs
from editor.runs.pace import Pace
from engines.audio.recording import Recording, read_recording
from engines.requests import CHANGES, ARSettings, FMSettings, InpaintRequest, InputError

if TYPE_CHECKING:
    from engines.analysis.analyze import Analysis

log = logging.getLogger("inlay")
SEEN_TOLD = 40  # ids of edits that a document tells the page of


class Session:
    """A project on the page."""

    def __init__(self, root: Path, place: str = "") -> None:
        self.root = root
        self.place = place  # where this process can be found, for another that wants the project
        self.folder: Path | None = None
        self._hold: ProjectLock | None = None  # on that folder; None with a folder: it was let go
        self.abandoned = False  # lets go of the project when its run has ended
        self._journal: Journal | None = None  # of that folder
        self.history = History()
        self.rev = 0
        self.seen: tuple[str, ...] = ()  # ids of the page's edits that came last, oldest first
        self.saved = ""  # "Saved 17:42"
        self.error: str | None = None  # about the last gesture
        self.held = ""  # name of a project that this session should show and another process has
        self.runs: tuple[RunTrack, ...] = ()
        self.done: tuple[Take, ...] = ()  # takes of the last run, for the status block
        self.message = ""  # about the last run
        self.say = ""
        self.listener: analysis.Listener | None = None  # what is in the clip, while it is being heard
        self.judging: dict[str, str] = {}  # take -> "pending", "failed" or "unknown" (`TrackState.wishState`)
        self._judge = judge.Judge(self._judged)
        self._unjudged: tuple[Take, ...] = ()  # takes of the run that goes on, to be judged after it
        self.heard: Analysis | None = None  # what was heard last, where a lane was left to the musician
        self.hearing = ""  # about the last analysis, one line
        self._unsure: Sound | None = None  # the clip in which the last analysis was sure of no player
        self.running = False
        self.tabs: set[str] = set()  # the pages that show it
        self.changes = 0  # grows with everything that a page shows
        self.cancel = threading.Event()
        self._skipped: set[int] = set()  # of the run's requests: those that are stopped alone
        self._asked: tuple[jobs.Asked, ...] = ()
        self.lock = threading.RLock()
        self._news = threading.Condition(self.lock)
        self._told = 0  # counts what a run has reported

    @property
    def project(self) -> Project:
        """The project now."""
        return self.history.present

    # ---- edits

    def open(self, folder: Path) -> None:
        """Take up a project from disk. `Held` where another process has it."""
        hold = ProjectLock(folder, self.place) if folder.is_dir() else None
        try:
            opened = storage.open_project(folder)
        except InputError:
            if hold is not None:
                hold.release()
            raise
        self.close()
        self.folder, self._hold = opened.folder, hold
        self._journal = Journal(opened.folder)
        self.history = self._journal.read(opened.project)
        self.seen = self._journal.seen
        if not opened.notice:  # a document that had to be mended may have forgotten what it named
            storage.sweep(opened.folder, self.history.projects)
        self.error = opened.notice or None
        self.held = ""
        self.changes += 1

    @property
    def closed(self) -> bool:
        """Whether it has let go of its project, which others may have changed since."""
        return self.folder is not None and self._hold is None

    def close(self) -> None:
        """Let go of the project; from then on nothing is written. `open` takes it up again."""
        with self.lock:
            self.stop_hearing()
            if self._hold is not None:
                self._hold.release()
                self._hold = None

    def abandon(self, cancel: bool = True) -> None:
        """No page shows it any more: it lets go of the project once its run has ended, or is cancelled."""
        with self.lock:
            if cancel:
                self.cancel.set()
            self.abandoned = True
            if not self.running:
                self.close()

    def apply(self, name: str, payload: object, id: str = "") -> None:
        """One command from the page; InputError leaves everything as it was.

        Of several with the same `id` only the first does anything: a page that did not hear the answer
        sends it again.
        """
        with self.lock:
            if id in self.seen:
                return
            if id:
                self.seen = (*self.seen, id)[-MAX_SEEN:]
            if name == "judge_again":
                self.judge_again(Payload(name, payload).identifier("take"))
                return
            command = events.command(name)
            project = events.apply(self.project, name, payload)
            try:
                self._record(project, command.label, name if command.merges else "", id)
            except Held:  # it can be sent again once the project, or a copy, is open here
                self.seen = tuple(each for each in self.seen if each != id)
                raise

    def judge_again(self, take_id: str) -> None:
        """Listen to a take again, whether its wish came true. InputError for one that is not there."""
        with self.lock:
            take = versions.find_take(self.project, take_id)
            self._unjudged = (*self._unjudged, replace(take, wish=()))
            self._begin_to_judge()

    def _mark_pending(self, *takes: Take) -> None:
        """Say of takes whose engine has not told what came of the wish that they are being listened to."""
        self.judging |= {take.id: "pending" for take in takes if not take.wish}

    def _begin_to_judge(self) -> None:
        takes, self._unjudged = self._unjudged, ()
        if not takes:
            return
        self._mark_pending(*takes)
        self.changes += 1
        self._judge.add(self._folder(), *takes)

    def _judged(self, take_id: str, found: judge.Verdict | None) -> None:
        """The end of judging one take, in the judge's thread."""
        with self._news:
            self.judging.pop(take_id, None)
            state = "failed" if found is None else found.state
            if state:
                self.judging[take_id] = state
            self.changes += 1
            self._told += 1
            self._news.notify_all()
            if found is None or not (found.wish or found.band) or self.closed or self.folder is None:
                return
            self.history = self.history.with_heard(take_id, found.wish, found.band)
            try:
                storage.add_finished(self.folder, versions.find_take(self.project, take_id))
                self._save()
            except InputError as error:  # a full disk, or a project that was opened meanwhile
                log.info("what was heard in take %s is not saved: %s", take_id, error)

    def vote(self, sent: Payload) -> None:
        """A blind round into the project: {"ratings": [{"take", "smoothness", "match"}], "matched"}."""
        ratings = [
            (item.text("take", 64), item.whole("smoothness"), item.whole("match"))
            for item in sent.items("ratings")
        ]
        made = datetime.now(UTC).isoformat(timespec="seconds")
        with self.lock:
            cast = versions.vote(self.project, ratings, sent.flag("matched"), made)
            self._replace(self.history.with_rounds(cast))

    def undo(self) -> None:
        """One step back."""
        with self.lock:
            self._replace(self.history.undo(), Journal.undid)

    def redo(self) -> None:
        """One step forward."""
        with self.lock:
            self._replace(self.history.redo(), Journal.redid)

    def upload(self, path: Path, name: str) -> None:
        """Put a file from the user's disk on the timeline. InputError names it as the user does."""
        label = commands.clean_text(Path(name.replace("\\", "/")).name)[:80] or "recording"
        try:
            recording = read_recording(path)
        except InputError as error:
            raise InputError(str(error).replace(str(path), label).replace(path.name, label)) from error
        with self.lock:
            self._record(self._with_clip(recording, label), f"open {label}")
            self.error = recording.note or None

    def open_example(self, file: str) -> bool:
        """Put a clip that ships on the timeline, with its words and lanes; whether it has all lanes."""
        example = examples.find(file)
        recording = read_recording(example.path)
        with self.lock:
            self.stop_hearing()
            project = examples.put(self._with_clip(recording, example.label), example)
            self._record(project, f"open {example.label}")
        return example.complete

    def _with_clip(self, recording: Recording, label: str) -> Project:
        """The project with a recording on the timeline, its samples on disk."""
        file = storage.add_audio(self._folder(), recording)
        clip = Clip(file, recording.seconds, recording.rate, recording.channels, label)
        return versions.set_clip(self.project, clip)

    def import_score(self, path: Path, name: str, lane: str = "") -> None:
        """Put a MIDI or MusicXML file on the melody or drum lane, or ("") on all lanes that it has.

        Tempo and signature are the file's where all lanes were empty. InputError names it as the user does.
        """
        label = commands.clean_text(Path(name.replace("\\", "/")).name)[:80] or "MIDI file"
        try:
            score = scores.read_score(path, lane)
        except InputError as error:
            raise InputError(str(error).replace(path.name, label)) from error
        with self.lock:
            project = self.project
            if not lane and project.lanes == Lanes() and project.clip is None:
                project = commands.set_grid(project, score.bpm, score.beats_per_bar)
            grid = project.grid
            drawn = commands.set_lanes(
                project,
                lanes.chords_to_lane(score.chords, grid) if score.chords and not lane else None,
                lanes.notes_to_lane(score.melody, grid) if score.melody and lane != "drums" else None,
                lanes.hits_to_lane(score.drums, grid) if score.drums and lane != "melody" else None,
                band.put_in(band.to_lane(score.band, grid, "midi"), project.spans, grid)
                if score.band and not lane
                else None,
            )
            project = edited.marked(project, drawn)
            self._record(project, f"import {label}")
            self.error = score.note or None

    # ---- what is in the clip

    def hear(self, span: Region | None = None) -> None:
        """Begin to analyse the clip, or a span of it anew, in the background. InputError without a clip.

        The clip's lanes are filled where they are empty; a span's are replaced.
        """
        with self.lock:
            clip = self.project.clip
            if clip is None:
                raise InputError("analysis: there is no recording yet; load one first")
            self.stop_hearing()
            self.heard, self.hearing, self._unsure = None, "", None
            sound = clip.sound

            def done(heard: Analysis | None, error: str) -> None:
                self._heard(sound, span, heard, error)

            self.listener = analysis.Listener(self._folder(), sound, span, done)
            self.listener.start()

    @property
    def listened(self) -> float | None:
        """How much of the clip an analysis has heard, 0..1; None while none goes on."""
        listener = self.listener
        going = listener is not None and listener.running and not listener.cancelled.is_set()
        return listener.progress if listener is not None and going else None

    def stop_hearing(self) -> None:
        """End an analysis that goes on; nothing of it is kept."""
        if self.listener is not None:
            self.listener.cancelled.set()

    def replace_lanes(self) -> None:
        """Put what was heard in the clip on all lanes, the musician's own too; undo brings them back."""
        with self.lock:
            if self.heard is None:
                raise InputError("analysis: nothing is waiting; analyse the clip first")
            done = analysis.fill(self.project, self.heard, replace_all=True)
            self.hearing = analysis.words(self.heard, done)
            self.heard = None
            self._record(done.project, "lanes from the audio")

    def _heard(self, sound: Sound, span: Region | None, heard: Analysis | None, error: str) -> None:
        """The end of an analysis, in its thread. One of a clip that is gone by now is dropped."""
        with self.lock:
            clip = self.project.clip
            if heard is None or clip is None or clip.sound != sound:
                self.hearing = error
                return
            if not any(sure >= analysis.PLAYER_CONFIDENCE for sure in heard.instruments.confidence):
                self._unsure = sound
            try:
                if span is not None:
                    done = analysis.fill_span(self.project, heard, span)
                else:
                    done = analysis.fill(self.project, heard)
                self.hearing = analysis.words(heard, done)
                self.heard = heard if done.kept else None
                if done.project != self.project:
                    self._record(done.project, "lanes from the audio")
            except InputError as wrong:
                self.hearing = str(wrong)

    def _record(self, project: Project, label: str, merge: str = "", id: str = "") -> None:
        after, before = self.history.do(project, label, merge), self.project
        self._replace(after, lambda journal: journal.did(before, after.present, label, merge, id))

    def _replace(self, history: History, log: Callable[[Journal], None] | None = None) -> None:
        """Take and save another history; what cannot be saved is not done (InputError).

        `log` writes the step into the journal: what has none (a vote) stands outside undo.
        """
        if history is self.history:
            return
        before = self.history
        self._folder()
        journal = self._journal if log else None
        if journal is not None and log is not None:
            log(journal)
        self.history = history
        self.changes += 1
        try:
            self._save()
        except InputError:
            self.history = before
            if journal is not None:
                journal.take_back()
            raise
        if journal is not None and journal.is_long():
            journal.rewrite(self.history)

    def _folder(self) -> Path:
        if self.folder is None:
            self.folder = storage.new_project(self.root, self.project).folder
            self._hold = ProjectLock(self.folder, self.place)
            self._journal = Journal(self.folder)
            self._journal.rewrite(self.history)
        if self._hold is None:
            raise Held(self.folder)
        return self.folder

    def _save(self) -> None:
        storage.save_project(self._folder(), self.project)
        self.saved = f"Saved {datetime.now():%H:%M}"

    # ---- runs

    def requests(
        self,
        kind: jobs.Kind,
        ar: ARSettings,
        fm: FMSettings,
        engines: Sequence[str] | None = None,
        together: bool = False,
    ) -> tuple[tuple[jobs.Asked, ...], Sound | None]:
        """What a run of some kind asks of the engines, and the clip that it works on, of one document."""
        project = self.project  # reading a long file takes a while, in which the document may change
        made = jobs.requests_for(project, self._folder(), kind, engines, ar, fm, together)
        return made, project.clip.sound if kind != "generate" and project.clip else None

    def again(self, take_id: str) -> tuple[tuple[jobs.Asked, ...], Sound | None]:
        """The request of a take with its own seed and settings, and the lanes as they are now."""
        project = self.project
        take = versions.find_take(project, take_id)
        asked = jobs.request_from(take.parameters, self._folder())
        if isinstance(asked, jobs.Extension):
            controls = jobs.extension_controls(project, asked.kind, asked.seconds)
            request = replace(asked.request, controls=controls)
            return (replace(asked, request=request),), take.source
        if not isinstance(asked, InpaintRequest):
            place = Region(0.0, asked.seconds)
            given = jobs.span_controls(project, None, place, project.follow, named=True, anew=True)
            return (replace(asked, controls=replace(given, grid=project.grid)),), take.source
        span = None if take.spans else project.span
        place = Region(asked.start, asked.spans[-1][1])
        named = asked.changed is not None and "words" in asked.changed
        controls = jobs.span_controls(
            project, span, place, project.followed if span else project.follow, named
        )
        changed = asked.changed  # what has been drawn since is asked, too; the intent stays
        if changed is not None:
            drawn = [name for name in jobs.asked_of(project, span)[1] if name != "words"]
            changed = tuple(name for name in CHANGES if name in (*changed, *drawn))
        return (replace(asked, controls=controls, changed=changed),), take.source

    def another_seed(self, take_id: str) -> tuple[tuple[jobs.Asked, ...], Sound | None]:
        """The request of a take with the next free seed, and the clip that it works on."""
        take = versions.find_take(self.project, take_id)
        seeds = {other.seed for other in self.project.takes if other.engine == take.engine}
        seed = take.seed + 1
        while seed in seeds:
            seed += 1
        return (jobs.with_seed(jobs.request_from(take.parameters, self._folder()), seed),), take.source

    def retry(
        self, run_id: str, ar: ARSettings, fm: FMSettings
    ) -> tuple[tuple[jobs.Asked, ...], Sound | None]:
        """The request of a run that failed or was cancelled, with the settings and the document of now."""
        failed = next((run for run in self.runs if run.id == run_id), None)
        if failed is None:
            raise InputError(f"run {run_id[:40]!r}: no longer there; press Inpaint or Generate")
        requests, source = self.requests(failed.kind, ar, fm, [failed.engine], bool(failed.spans))
        return (jobs.with_seed(requests[0], failed.seed),), source

    def duplicate(self, name: str) -> str:
        """A copy of the project under another name; the name of its folder."""
        with self.lock:
            self._save()
            return library.duplicate(self._folder(), name).folder.name

    def start(
        self, runner: jobs.Runner, requests: Sequence[jobs.Asked], source: Sound | None, pace: Pace
    ) -> None:
        """Begin to do requests; `watch` tells how they go. InputError while another run goes on."""
        with self.lock:
            if self.running:
                raise InputError("a run is going on: wait for it, or cancel it first")
            folder = self._folder()
            self.running = True
            self.changes += 1
            self.cancel.clear()
            self._skipped = set()
            self._asked = tuple(requests)
            self.done, self.message = (), ""
            self.say = f"Started, {len(requests)} take{'' if len(requests) == 1 else 's'}"
            self.runs = tuple(_track(request, source, i) for i, request in enumerate(requests))
        work = (runner, self._asked, self._skipped, source, pace, folder)
        threading.Thread(target=self._drive, args=work, name="inlay-job", daemon=True).start()

    def skip(self, run_id: str) -> None:
        """Stop one run that works or waits; the others go on. InputError for one that has ended."""
        with self._news:
            run = next((run for run in self.runs if run.id == run_id), None)
            if run is None or run.state not in ("running", "waiting"):
                raise InputError(f"run {run_id[:40]!r}: it has ended already; there is nothing to stop")
            self._skipped.add(run.index)
            self.changes += 1
            if run.state == "waiting":  # one that works says itself how far it came
                self.runs = with_state(self.runs, run.index, state="cancelled", note="Skipped")
                self.say = "Skipped"
                self._told += 1
                self._news.notify_all()

    def watch(self) -> Iterator[None]:
        """Yields whenever the page should look again, the last time when the run has ended."""
        told = -1
        while True:
            with self._news:
                if self._told == told and self.running:  # a silent run is looked at, too
                    self._news.wait(jobs.HEARTBEAT_SECONDS)
                told, running = self._told, self.running
            yield
            if not running:
                return

    def _drive(
        self,
        runner: jobs.Runner,
        requests: tuple[jobs.Asked, ...],
        skipped: set[int],
        source: Sound | None,
        pace: Pace,
        folder: Path,
    ) -> None:
        """The run, in a thread of its own."""
        try:
            for event in runner.stream(requests, self.cancel, folder, source, skipped):
                with self._news:
                    try:
                        self._hear(event, pace)
                        self.changes += not isinstance(event, jobs.Running)
                    except InputError as error:  # a full disk must not stop the takes that follow
                        self.message = str(error)
                    self._told += 1
                    self._news.notify_all()
        finally:
            with self._news:
                self.running = False
                self.changes += 1
                self.runs = tuple(run for run in self.runs if run.state not in ("running", "waiting"))
                with suppress(InputError):
                    self._begin_to_judge()
                self._told += 1
                self._news.notify_all()
                if self.abandoned and not self.tabs:
                    self.close()

    def _hear(self, event: jobs.JobEvent, pace: Pace) -> None:
        """One event of a run into the session."""
        engine = event.engine
        self.say = ""
        if isinstance(event, jobs.Queued):
            if event.index in self._skipped:
                return
            self.runs = with_state(self.runs, event.index, state="waiting", note=self._waiting(event, pace))
        elif isinstance(event, jobs.Running):
            progress = event.progress
            share = (
                progress.fraction
                if progress.stage == "sample"
                else 1.0
                if progress.stage == "decode"
                else 0.0
            )
            self.say = self._quarter(event, share)
            self.runs = with_state(
                self.runs,
                event.index,
                state="running",
                progress=share,
                note=progress_words(progress),
                peaks=event.peaks,
            )
        elif isinstance(event, jobs.Done):
            asked = self._asked[event.index]
            several = isinstance(asked, InpaintRequest) and asked.also  # tells nothing of what one takes
            if not isinstance(asked, jobs.Extension) and not several:
                kind = "inpaint" if isinstance(asked, InpaintRequest) else "generate"
                pace.learn(engine, kind, asked.seconds, event.result.seconds_spent)
            self.runs = tuple(run for run in self.runs if run.index != event.index)
            same = self._same(event.take)
            if event.take and same and self.folder:
                storage.drop_finished(self.folder, event.take)
                self.say = self.message = f"The same as {versions.take_label(same)}, sample for sample"
                self.done = (*self.done, event.take)
                if same.deleted:
                    self._record(versions.restore_take(self.project, same.id), "restore take")
            elif event.take:
                self.done = (*self.done, event.take)
                self.history = self.history.with_takes(event.take)
                if judge.wished(event.take):
                    self._unjudged = (*self._unjudged, event.take)
                    self._mark_pending(event.take)
                self.say = f"{versions.ENGINE_LABELS.get(event.take.engine, engine)} is ready"
                if event.take.kind == "generate" and self.project.clip is None:
                    self._record(versions.keep(self.project, event.take.id), "keep the first clip")
                else:
                    self._save()
        elif isinstance(event, jobs.Failed):
            words = f"Failed: {event.message}"
            self.say = words
            self.runs = with_state(self.runs, event.index, state="failed", note=words)
        else:
            done = event.progress.fraction if event.progress and event.progress.stage == "sample" else 0.0
            if event.index in self._skipped and not done:
                self.runs = with_state(self.runs, event.index, state="cancelled", note="Skipped")
                return
            self.say = "Cancelled"
            self.runs = with_state(
                self.runs,
                event.index,
                state="cancelled",
                note=f"Cancelled at {done:.0%}".replace("%", " %") if done else "Cancelled",
            )

    def _same(self, take: Take | None) -> Take | None:
        """The take that the same engine has made before with this seed, if it sounds the same."""
        if take is None:
            return None
        own = (take.engine, take.seed, take.sound)
        takes = self.project.takes
        return next((known for known in takes if (known.engine, known.seed, known.sound) == own), None)

    def _run(self, index: int) -> RunTrack | None:
        return next((run for run in self.runs if run.index == index), None)

    def _waiting(self, event: jobs.Queued, pace: Pace) -> str:
        """ "Next, about 14 s", or whom it waits for."""
        run = self._run(event.index)
        seconds = run.region.end - run.region.start if run and run.region else self.project.length
        guess = pace.guess(event.engine, run.kind if run else "inpaint", seconds)
        about = f", about {estimate_words(guess)}" if guess else ""
        return f"{'Next' if event.position == 1 else 'Waiting'}{about}"

    def _quarter(self, event: jobs.Running, share: float) -> str:
        """What a screen reader hears of progress: quarters only."""
        run = self._run(event.index)
        quarter = int(share * 4)
        if quarter in (1, 2, 3) and int((run.progress if run else 0.0) * 4) < quarter:
            return f"{versions.ENGINE_LABELS.get(event.engine, event.engine)} {25 * quarter} percent"
        return ""

    # ---- views

    def document(self, window: float, frame_rate: float, band_taken: bool = False) -> EditorState:
        """The document for the page."""
        changes = self.changes  # read first: what comes meanwhile is told again
        project, clip = self.project, None
        if project.clip and self.folder:
            clip = ClipState(
                url=file_address(playable(self.folder, project.clip.sound)),
                seconds=project.clip.seconds,
                label=project.clip.label,
            )
        return editor_state(
            project,
            rev=self.rev,
            changes=changes,
            project=self.folder.name if self.folder else "",
            clip=clip,
            error=self.error,
            undo=self.history.undo_label,
            redo=self.history.redo_label,
            held=self.held,
            seen=list(self.seen[-SEEN_TOLD:]),
            window=window,
            frame_rate=frame_rate,
            bandTaken=band_taken,
            bandHearing=self.listened,
            bandUnsure=project.clip is not None and self._unsure == project.clip.sound,
        )

    def takes(self) -> TakesState:
        """Takes and runs for the page."""
        found = groups(self.project, self.folder, self.runs, file_address, self.judging)
        return TakesState(
            groups=found,
            versions=version_tree(self.project),
            deleted=deleted(self.project),
            results=blind_results(self.project),
            rounds=len(self.project.rounds),
            run=self.running,
            say=self.say,
        )


def _track(asked: jobs.Asked, source: Sound | None, index: int) -> RunTrack:
    if isinstance(asked, jobs.Extension):
        return RunTrack(asked.engine, asked.kind, asked.seed, asked.region, source, index=index)
    if isinstance(asked, InpaintRequest):
        region = Region(asked.start, asked.spans[-1][1])
        spans = tuple(Region(*span) for span in asked.spans) if asked.also else ()
        return RunTrack(asked.engine, "inpaint", asked.seed, region, source, index=index, spans=spans)
    return RunTrack(asked.engine, "generate", asked.seed, None, source, index=index)
