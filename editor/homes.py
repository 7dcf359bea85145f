"""The homes of a server: one, or one for each user, where no other's projects are seen."""

from __future__ import annotations

import threading
from pathlib import Path

from editor.sessions import GRACE_SECONDS, Sessions

USERS = "users"  # folder of the home in which those of the users lie


class Homes:
    """The sessions of all homes."""

    def __init__(
        self, root: Path, users: bool = False, place: str = "", grace: float = GRACE_SECONDS
    ) -> None:
        """With `users` each has a home of their own below `root`. `place`: as of `Sessions`."""
        self.root = root
        self.users = users
        self.listens = False  # whether what comes into a session is analysed by itself
        self._place = place
        self._grace = grace
        self._lock = threading.Lock()
        self._sessions: dict[str, Sessions] = {}

    def of(self, user: str) -> Sessions:
        """The tabs of a user; the one home's where there are no users."""
        with self._lock:
            found = self._sessions.get(user)
            if found is None:
                found = self._sessions[user] = Sessions(self.folder(user), self._grace, self._place)
                found.listens = self.listens
        return found

    def folder(self, user: str) -> Path:
        """Where a user's projects lie; made if need be, and closed to other accounts of the machine."""
        if not self.users:
            return self.root
        if not user:
            raise PermissionError("nobody has no home")  # doors let no one through without a name
        folder = self.root / USERS / user
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        return folder
