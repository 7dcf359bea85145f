"""What the page asks without an event: an export, the projects of the home, what is heard in a take."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

import gradio as gr

from editor.doors.files import address
from editor.mishaps import in_one_line
from editor.page import about
from editor.page.contract import Payload
from editor.page.seats import Seats, user
from editor.page.takes.groups import clock_shift
from editor.project import versions
from editor.project.disk import exports, library, pictures, sounds, storage
from editor.project.document import Project
from editor.project.sections import bars_of
from editor.runs import ghost
from editor.runs.device import Device
from engines.analysis.sections import sections
from engines.errors import InputError


def questions(seats: Seats, device: Device) -> Iterator[Callable[..., Any]]:
    """The functions, by whose names the page asks; Gradio marks them, which a bound method does not allow."""

    def export_file(sent: Any, request: gr.Request) -> dict[str, str]:
        """{"project", "kind", "take"} -> {"url", "name", "notice"} of a file, or {"error": one line}.

        The notice says what the licences of the models forbid; mostly it is empty.
        """
        try:
            fields = Payload("export", sent)
            folder = seats.sessions(request).folder(fields.text("project", 80))
            project = storage.open_project(folder).project
            take = fields.identifier("take") if fields.has("take") else ""
            with in_one_line("export"):
                kind = fields.text("kind", 20)
                path, name = exports.export(folder, project, kind, take)
            notice = exports.notice(project, kind, take)
            return {"url": address(folder, path), "name": name, "notice": notice}
        except InputError as error:
            return {"error": str(error)}

    def recent_projects(_: Any, request: gr.Request) -> list[dict[str, Any]]:
        """The projects of the home, those saved last first."""
        return [asdict(entry) for entry in library.recent(seats.sessions(request).root)]

    def picture_of_project(sent: Any, request: gr.Request) -> dict[str, Any]:
        """{"project"} -> {"peaks", "span"} as of `pictures.Picture`; nothing where it cannot be had."""
        with suppress(InputError), in_one_line("picture"):
            folder = seats.sessions(request).folder(Payload("picture", sent).text("project", 80))
            return asdict(pictures.picture(folder, storage.open_project(folder).project))
        return {"peaks": [], "span": None}

    def sections_of_clip(sent: Any, request: gr.Request) -> dict[str, Any]:
        """{"project"} -> {"sections": [{"name", "start", "end"}]} as heard, or {"error": one line}."""
        try:
            folder = seats.sessions(request).folder(Payload("sections", sent).text("project", 80))
            with in_one_line("sections"):
                return {"sections": _sections(folder, storage.open_project(folder).project)}
        except InputError as error:
            return {"error": str(error)}

    def at_work(_: Any, request: gr.Request) -> dict[str, Any]:
        """What works now and how fast, under which licence all is, and a report of faults: `about`."""
        return about.at_work(device, user(request))

    def ghost_of_take(sent: Any, request: gr.Request) -> dict[str, Any]:
        """{"project", "take"} -> {"chords", "melody"} heard in it, seconds, or {"error": one line}."""
        try:
            fields = Payload("ghost", sent)
            folder = seats.sessions(request).folder(fields.text("project", 80))
            project = storage.open_project(folder).project
            take = versions.find_take(project, fields.identifier("take"))
            with in_one_line("take"):
                return asdict(ghost.ghost(folder, take).shifted(clock_shift(project, take)))
        except InputError as error:
            return {"error": str(error)}

    yield from (
        export_file, recent_projects, picture_of_project, sections_of_clip, at_work, ghost_of_take
    )  # fmt: skip


def _sections(folder: Path, project: Project) -> list[dict[str, Any]]:
    """The sections of a project's clip as they are heard, by the bars of its grid."""
    if project.clip is None:
        raise InputError("sections: there is no clip to listen to; generate one or open a file")
    recording, grid = sounds.read_sound(folder, project.clip.sound), project.grid
    first, last = bars_of(project)
    lines = [grid.beats_to_seconds(bar * grid.beats_per_bar) for bar in range(first, last + 1)]
    heard = sections(recording.mono_at(recording.rate), recording.rate, lines)
    return [{"name": one.name, "start": first + one.start, "end": first + one.end} for one in heard]
