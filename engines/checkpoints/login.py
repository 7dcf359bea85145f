"""Who asks the hub: an access token from HF_TOKEN, from the library's own file, or for this process only.

A token that is given is checked with the hub, then kept where the library's own login keeps it, or in memory
alone. It stands in no message, no log and no answer.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from engines.checkpoints.library import endpoint, library, online
from engines.errors import InputError

Where = Literal["", "environment", "file", "process"]
LONGEST = 400  # characters of a token
_of_process = ""


@dataclass(frozen=True)
class Login:
    """Whether there is a token, and where it stands."""

    where: Where
    place: Path  # the file that one is kept in

    def __bool__(self) -> bool:
        return bool(self.where)


def token() -> str | None:
    """The token that was given for this process; None: the library takes the one it knows, if any."""
    return _of_process or None


def login() -> Login:
    """Whether there is a token on this machine, and where."""
    place = token_file()
    if _of_process:
        return Login("process", place)
    if not library().get_token():
        return Login("", place)
    return Login("environment" if _in_environment() else "file", place)


def token_file() -> Path:
    """Where the library keeps the token that is in use."""
    return Path(library().constants.HF_TOKEN_PATH)


def log_in(given: str, keep: bool) -> None:
    """Use a token from now on; `keep` it where the library does, else as long as this process runs.

    InputError where it cannot be one, or the hub does not know it; then nothing has changed.
    """
    global _of_process
    given = given.strip()
    if not 8 <= len(given) <= LONGEST or not given.isascii() or not given.isprintable() or " " in given:
        raise InputError(
            f"token of {len(given)} characters: expected what {endpoint()}/settings/tokens gives, "
            "it begins with hf_; copy it there again"
        )
    with online():
        try:
            if keep:
                library().login(token=given, add_to_git_credential=False)  # checks it first
            else:
                library().HfApi(endpoint=endpoint()).whoami(token=given)
        except Exception as error:  # `from None`: the library's errors hold the request, and so the token
            raise InputError(_refusal(error)) from None
    _of_process = "" if keep else given


def log_out() -> None:
    """Forget the token, where the library keeps it too. InputError where only HF_TOKEN has it."""
    global _of_process
    if _of_process:
        _of_process = ""
        return
    now = login()
    if now.where == "environment":
        raise InputError("HF_TOKEN is set where this server was started; unset it there, and start it again")
    kept = library().get_token()
    for name, stored in library().utils.get_stored_tokens().items():
        if stored == kept:
            library().logout(name)
    now.place.unlink(missing_ok=True)


def _in_environment() -> bool:
    return any((os.environ.get(name) or "").strip() for name in ("HF_TOKEN", "HUGGING_FACE_HUB_TOKEN"))


def _refusal(error: Exception) -> str:
    status = getattr(getattr(error, "response", None), "status_code", None)
    if status in (401, 403):
        return f"token: {endpoint()} does not know it; copy it again from {endpoint()}/settings/tokens"
    if isinstance(error, ValueError) and status is None:
        return f"token: it is an organization's, or none; make your own on {endpoint()}/settings/tokens"
    if isinstance(error, OSError) and error.errno is not None and status is None:
        return f"token: it could not be kept ({error.strerror}); let it be used only until Inlay is stopped"
    if type(error).__name__ == "OfflineModeIsEnabled":
        return "token: HF_HUB_OFFLINE is set, so it could not be checked; unset it and try again"
    why = f"the hub answered {status}" if status else f"no network to {endpoint()}"
    return f"token: it could not be checked, {why}; try again when the network is back"
