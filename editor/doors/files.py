"""The files that the page plays and saves: audio, previews and exports of projects, as attachments.

A user's files are found below their own home alone, whatever a path says.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from pathlib import Path
from urllib.parse import quote

from starlette.requests import Request
from starlette.responses import FileResponse, PlainTextResponse, Response

from editor.doors.visitors import user_of
from editor.project.disk.files import EXPORTS, PREVIEWS, is_name

FILES = "inlay/file"  # below it: the project's folder, its file, or one of `_FOLDERS`
_FOLDERS = (PREVIEWS, EXPORTS)
_AUDIO = (".wav", ".flac", ".ogg", ".mp3", ".aiff", ".aif", ".w64", ".caf", ".au")
REFUSED = "No such file; open the project again."


def address(folder: Path, path: Path) -> str:
    """Of a file of a project's folder for the browser, relative to the page."""
    return f"{FILES}/{quote(folder.name)}/{quote(path.relative_to(folder).as_posix())}"


def served(root: Path, project: str, parts: list[str]) -> Path | None:
    """The file of a home that may leave it; None for any other, and where there is none."""
    *folders, name = parts
    if not is_name(project) or not is_name(name) or len(folders) > 1:
        return None
    if folders and folders[0] not in _FOLDERS:
        return None
    if not folders and Path(name).suffix.lower() not in _AUDIO:
        return None
    path = root.joinpath(project, *parts)
    # A link in the folder, which only another program can have put there, leads nowhere.
    return path if path.is_file() and path.resolve() == root.resolve().joinpath(project, *parts) else None


def route(home: Callable[[str], Path]) -> Callable[[Request], Awaitable[Response]]:
    """Answers for `FILES`. `home`: of a user."""

    async def answer(request: Request) -> Response:
        parts = request.path_params["rest"].split("/")
        path = served(home(user_of(request.scope)), parts[0], parts[1:]) if len(parts) > 1 else None
        if path is None:
            return PlainTextResponse(REFUSED, 404)
        headers = {"Cache-Control": "private", "Content-Security-Policy": "sandbox; default-src 'none'"}
        return FileResponse(path, filename=path.name, headers=headers)

    return answer
