"""A project and its history as they are saved: folder, lock and journal, from the first change on.

What cannot be saved is not done. Changed under the lock of its session. Knows no page, no runs.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime
from pathlib import Path

from editor.project.disk import sounds, storage
from editor.project.disk.journal import MAX_SEEN, Journal
from editor.project.disk.lock import Held, ProjectLock
from editor.project.document import Project
from editor.project.history import History
from engines.errors import InputError


class SavedProject:
    """A project and its history, on disk from the first change on."""

    def __init__(self, root: Path, place: str, changed: Callable[[], None]) -> None:
        """`place`: where this process can be found, for another that wants the project; `changed` is called
        with every change of the project or its history."""
        self.root = root
        self.place = place
        self.folder: Path | None = None  # None until something is saved
        self.history = History()  # of the whole project, with what cannot be heard
        self._gone: frozenset[str] = frozenset()  # files that it names and the folder did not have
        self._shown = self.history.present, self._gone, self.history.present
        self.seen: tuple[str, ...] = ()  # ids of the page's edits that came last, oldest first
        self.words = ""  # "Saved 17:42"
        self._hold: ProjectLock | None = None  # on that folder; None with a folder: it was let go
        self._journal: Journal | None = None  # of that folder
        self._changed = changed

    @property
    def project(self) -> Project:
        """The project now, without what cannot be heard because its audio is gone from the folder."""
        whole, gone, shown = self._shown
        if whole is not self.history.present or gone is not self._gone:
            shown = sounds.heard(self.history.present, self._gone)
            self._shown = self.history.present, self._gone, shown
        return shown

    @property
    def closed(self) -> bool:
        """Whether it has let go of its folder, which others may have changed since."""
        return self.folder is not None and self._hold is None

    def open(self, folder: Path) -> str:
        """Take up a project from disk; gives what had to be mended, in one line.

        `Held` where another process has it, InputError when it cannot be read.
        """
        hold = ProjectLock(folder, self.place) if folder.is_dir() else None
        alone = hold is not None and hold.alone  # asked before an own hold on the same folder is let go
        try:
            opened = storage.open_project(folder)
        except InputError:
            if hold is not None:
                hold.release()
            raise
        self.close()
        self.folder, self._hold = opened.folder, hold
        self._journal = Journal(opened.folder)
        self.history = self._journal.read(opened.whole, onward=opened.older)
        sounds.drop_halves(opened.folder, alone)
        self._gone = sounds.missing_files(opened.folder, self.history.projects)
        self.seen = self._journal.seen
        notice = "; ".join(filter(None, (opened.notice, self._journal.notice)))
        if not notice:  # what had to be mended may have forgotten what it named
            sounds.sweep(opened.folder, self.history.projects)
        self._changed()
        return notice

    def close(self) -> None:
        """Let go of the folder; from then on nothing is written. `open` takes it up again."""
        if self._hold is not None:
            self._hold.release()
            self._hold = None

    def see(self, id: str) -> None:
        """Remember the id of an edit ("" has none), so that it is not done twice."""
        if id:
            self.seen = (*self.seen, id)[-MAX_SEEN:]

    def record(self, project: Project, label: str, merge: str = "", id: str = "") -> None:
        """An edit: one step of the history. InputError when it cannot be saved, and then it is not done."""
        before = self.history.present
        after = self.history.do(sounds.with_absent(project, before, self._gone), label, merge)
        self._look()
        self.step(after, lambda journal: journal.did(before, after.present, label, merge, id))

    def undo(self, id: str = "") -> None:
        """One step back."""
        self.step(self.history.undo(), lambda journal: journal.undid(id))

    def redo(self, id: str = "") -> None:
        """One step forward."""
        self.step(self.history.redo(), lambda journal: journal.redid(id))

    def step(self, history: History, log: Callable[[Journal], None] | None = None) -> None:
        """Take and save another history; what cannot be saved is not done (InputError).

        `log` writes the step into the journal: what has none (a vote) stands outside undo.
        """
        if history is self.history:
            return
        before = self.history
        self.make_folder()
        journal = self._journal if log else None
        if journal is not None and log is not None:
            log(journal)
        self.history = history
        self._changed()
        try:
            self.save()
        except InputError:
            self.history = before
            if journal is not None:
                journal.take_back()
            raise
        if journal is not None and journal.is_long():
            with suppress(InputError):  # the step is saved; the long journal is as good
                journal.rewrite(self.history)

    def _look(self) -> None:
        """What was gone and was brought again is there again."""
        if self._gone and self.folder is not None:
            folder, gone = self.folder, self._gone
            self._gone = frozenset(name for name in gone if not (folder / name).is_file())
            if self._gone != gone:
                self._changed()

    def make_folder(self) -> Path:
        """The folder, made if there is none yet. `Held` where it was let go."""
        if self.folder is None:
            folder = storage.new_project(self.root, self.history.present).folder
            hold, journal = ProjectLock(folder, self.place), Journal(folder)
            try:
                journal.rewrite(self.history)
            except InputError:
                hold.release()
                shutil.rmtree(folder, ignore_errors=True)  # nothing is in it yet
                raise
            self.folder, self._hold, self._journal = folder, hold, journal
        if self._hold is None:
            raise Held(self.folder)
        return self.folder

    def save(self) -> None:
        """Write the document; InputError when the disk refuses."""
        storage.save_project(self.make_folder(), self.history.present)
        self._look()
        self.words = f"Saved {datetime.now():%H:%M}"
