"""The users of a server: a file with a line each, a name and the Argon2 hash of a password.

    ada:$argon2id$v=19$m=65536,t=3,p=4$...

Empty lines and those that begin with # are left as they are. The file is read again when it has changed, so
who is taken out of it is sent away at once.
"""

from __future__ import annotations

import re
import secrets
import threading
from pathlib import Path

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError, VerifyMismatchError

from editor.project.disk.files import write_atomic
from engines.errors import InputError

MIN_PASSWORD, MAX_PASSWORD = 8, 1000  # characters
_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,31}")  # also that of a folder
_HASHER = PasswordHasher()  # the library's defaults are RFC 9106's second choice: 64 MiB, 3 passes


class Users:
    """The users that a file names."""

    def __init__(self, path: Path) -> None:
        """InputError for a file that cannot be read or names nobody."""
        self.path = path
        self._lock = threading.Lock()
        self._stamp: object = None
        self._hashes: dict[str, str] = {}
        self._nobody = _HASHER.hash(secrets.token_urlsafe())  # of no password
        if not self._read():
            raise InputError(f"{path}: names no user; add one with: inlay user NAME --users {path}")

    def hash_of(self, name: str) -> str:
        """The hash of a user's password; empty for a name that the file does not hold (any more)."""
        return self._read().get(name, "")

    def knows(self, name: str, password: str) -> bool:
        """Whether a password is that of a user. As slow for a name that is unknown: a tenth of a second."""
        known = self.hash_of(name)
        try:
            return _HASHER.verify(known or self._nobody, password[:MAX_PASSWORD]) and bool(known)
        except (VerifyMismatchError, VerificationError, InvalidHashError):
            return False

    def _read(self) -> dict[str, str]:
        with self._lock:
            try:
                about = self.path.stat()
                stamp = (about.st_mtime_ns, about.st_size, about.st_ino)
                if stamp != self._stamp:
                    self._hashes, self._stamp = _parsed(self.path), stamp
            except OSError as error:
                if self._stamp is None:
                    raise InputError(
                        f"{self.path}: cannot be read ({error.strerror}); "
                        f"make it with: inlay user NAME --users {self.path}"
                    ) from error
                self._hashes, self._stamp = {}, "gone"  # who is named nowhere comes in nowhere
            except InputError:
                if self._stamp is None:
                    raise
                self._hashes, self._stamp = {}, "damaged"
            return self._hashes


def put(path: Path, name: str, password: str) -> None:
    """Write a user, or another password of one, into a file. InputError for what cannot be one."""
    if not _NAME.fullmatch(name):
        raise InputError(
            f"user {name[:40]!r}: expected 1 to 32 of a-z, 0-9 and -, the first no dash; choose another name"
        )
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        raise InputError(
            f"password of {len(password)} characters: expected {MIN_PASSWORD} to {MAX_PASSWORD}; "
            "several words are easy to keep in mind"
        )
    _write(path, name, f"{name}:{_HASHER.hash(password)}")


def remove(path: Path, name: str) -> None:
    """Take a user out of a file; their projects stay. InputError for one that it does not name."""
    if not path.is_file() or name not in _parsed(path):
        raise InputError(f"user {name[:40]!r}: not in {path}; look at its names")
    _write(path, name, None)


def _write(path: Path, name: str, line: str | None) -> None:
    """The file with a user's line put in its place, at the end, or (None) left out."""
    lines = path.read_text().splitlines() if path.is_file() else []
    kept: list[str] = []
    for each in lines:
        if each.partition(":")[0].strip() != name:
            kept.append(each)
        elif line is not None:  # in the place of the old one
            kept.append(line)
            line = None
    if line is not None:
        kept.append(line)
    try:
        write_atomic(path, "".join(f"{each}\n" for each in kept).encode())
        path.chmod(0o600)
    except OSError as error:
        raise InputError(f"{path}: cannot be written ({error.strerror}); choose another --users") from error


def _parsed(path: Path) -> dict[str, str]:
    """Name -> hash of a file's lines. InputError for a line that is neither."""
    found: dict[str, str] = {}
    for number, line in enumerate(path.read_text(errors="replace").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        name, _, known = (part.strip() for part in line.partition(":"))
        if not _NAME.fullmatch(name) or not known.startswith("$argon2"):
            raise InputError(
                f"{path}: line {number} is no user; expected NAME:HASH, as `inlay user NAME --users FILE` "
                "writes them"
            )
        found[name] = known
    return found
