"""The sessions of all tabs: which tab shows which, found after a reload, let go of when none does.

Sessions are kept in memory while their tabs are there; a project itself is on disk. Knows no components.
"""

from __future__ import annotations

import re
import secrets
import threading
from collections import OrderedDict
from pathlib import Path
from weakref import WeakSet, WeakValueDictionary

from editor.project.disk.lock import Held
from editor.session import Session
from engines.errors import InputError

_PROJECT_NAME = re.compile(r"[0-9A-Za-z][0-9A-Za-z-]{0,79}")
MAX_SESSIONS = 64  # kept in memory beyond those that a tab shows; a project itself is on disk
MAX_LEFT = 10_000  # tabs that were closed of which the project is still known
GRACE_SECONDS = 15.0  # a run and a hold go on for so long without a page: a reload is no reason to end them


class Sessions:
    """All tabs. A tab that reloads finds its session again by the project's name."""

    def __init__(self, root: Path, grace: float = GRACE_SECONDS, place: str = "") -> None:
        self.root = root
        self.place = place  # where this process can be found
        self.listens = False  # whether what comes into a session is analysed by itself
        self._grace = grace
        self._by_tab: OrderedDict[str, Session] = OrderedDict()
        self._left: OrderedDict[str, str] = OrderedDict()  # forgotten tab -> the project that it showed
        self._pages: dict[str, str] = {}  # tab -> the secret of its page, which a reload keeps
        self._by_page: WeakValueDictionary[str, Session] = WeakValueDictionary()
        self._alive: WeakSet[Session] = WeakSet()  # also those that no tab shows and whose run goes on
        self._lock = threading.Lock()
        self._doors: WeakValueDictionary[Path, threading.Lock] = WeakValueDictionary()  # being opened

    def of(self, tab: str | None) -> Session:
        """The session of a tab; a new one for a tab not seen before.

        A page that was away for long, so that its tab was forgotten, gets its project again.
        """
        with self._lock:
            key = tab or secrets.token_hex(8)
            left = self._left.pop(key, "")
            if not left:
                return self._seat(key, _awake(self._by_tab.get(key) or self._made()))
        try:
            return self.open(key, left)
        except InputError as error:
            session = self.new(key)
            session.error = str(error)
            session.held = left if isinstance(error, Held) else ""
            return session

    def of_page(self, page: str) -> Session | None:
        """The session that a page shows, or has shown until it was closed; None where none is known."""
        with self._lock:
            session = self._by_page.get(page)
            return None if session is None else _awake(session)

    def resume(self, tab: str | None, project: str, page: str = "") -> Session:
        """The session of a tab that worked on `project` before; a project that is gone gives a new one.

        `page` is what the browser's tab calls itself: a reload finds also what has no project yet.
        """
        with self._lock:
            known = self._by_page.get(page) if page else None
            if tab and page:
                self._pages[tab] = page
            if tab and known is not None and (known.folder.name if known.folder else "") == project:
                return self._seat(tab, _awake(known))
        session = self.of(tab)
        if session.folder is not None:
            return session
        try:
            return self.open(tab, project)
        except InputError as error:
            if _PROJECT_NAME.fullmatch(project) and (self.root / project).is_dir():
                session.error = str(error)
                session.held = project if isinstance(error, Held) else ""
            return session

    def open(self, tab: str | None, project: str) -> Session:
        """Show a project of the home in a tab; InputError when there is none of that name.

        A project that another tab shows is shared with it; `Held` where another process has it.
        """
        folder = self.folder(project)
        with self._lock:
            door = self._doors.setdefault(folder, threading.Lock())
        with door:  # who wants the same one waits for it; nobody else does
            with self._lock:
                shown = next((s for s in self._alive if s.folder == folder and not s.closed), None)
                if shown is not None:
                    return self._seat(tab or "", shown)
                opened = self._made()
            opened.open(folder)
            with self._lock:
                return self._seat(tab or "", opened)

    def folder(self, project: str) -> Path:
        """The folder of a project of the home; InputError when there is none of that name."""
        folder = self.root / project
        if not _PROJECT_NAME.fullmatch(project) or not folder.is_dir():
            raise InputError(f"project {project[:80]!r}: no longer there; choose another")
        return folder

    def new(self, tab: str | None) -> Session:
        """A project without anything in it for a tab."""
        with self._lock:
            return self._seat(tab or "", self._made())

    def _made(self) -> Session:
        session = Session(self.root, self.place)
        session.listens = self.listens
        self._alive.add(session)
        return session

    def _seat(self, tab: str, session: Session) -> Session:
        before = self._by_tab.get(tab)
        if before is not None and before is not session:
            before.tabs.discard(tab)
            session.heard(tab, before.revs.pop(tab, 0))
            if not before.tabs:
                before.abandon(cancel=False)  # its run is still wanted
        session.tabs.add(tab)
        session.abandoned = False
        if tab in self._pages:
            self._by_page[self._pages[tab]] = session
        self._by_tab[tab] = session
        self._by_tab.move_to_end(tab)
        self._forget()
        return session

    def _forget(self) -> None:
        """Lets go of the tabs that were closed longest ago. One that is open is never let go of."""
        closed = [tab for tab, session in self._by_tab.items() if tab not in session.tabs]
        for tab in closed[: max(0, len(self._by_tab) - MAX_SESSIONS)]:
            session = self._by_tab.pop(tab)
            self._pages.pop(tab, None)
            if session.folder is not None:
                self._left[tab] = session.folder.name
        while len(self._left) > MAX_LEFT:
            self._left.popitem(last=False)

    def shown_in(self, tab: str) -> Session | None:
        """The session that a tab shows; None once the tab was closed. Waits for nobody."""
        session = self._by_tab.get(tab)
        return session if session is not None and tab in session.tabs else None

    def leave(self, tab: str | None) -> None:
        """The tab was closed: what no page shows stops after a while and lets go of its project."""
        with self._lock:
            session = self._by_tab.get(tab or "")
            if session is None:
                return
            session.tabs.discard(tab or "")
            session.revs.pop(tab or "", None)
        if self._grace > 0:
            timer = threading.Timer(self._grace, self._abandon, (session,))
            timer.daemon = True
            timer.start()
        else:
            self._abandon(session)

    def _abandon(self, session: Session) -> None:
        with self._lock:
            if not session.tabs:
                session.abandon()


def _awake(session: Session) -> Session:
    """The session, with its project opened again where it had let go of it: its page was away for long."""
    if session.closed and session.folder is not None:
        try:
            session.open(session.folder)
        except InputError as error:
            session.error = str(error)
    return session
