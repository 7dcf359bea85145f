"""The page of a server inside this process: its listeners, called as a tab would, and what they answer."""

from __future__ import annotations

import asyncio
import importlib
import json
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Mapping
from operator import attrgetter
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from tests.bundles import save_tiny

os.environ["GRADIO_TEMP_DIR"] = tempfile.mkdtemp(prefix="inlay-fire-")  # before Gradio is imported
PLACE = Path(os.environ["GRADIO_TEMP_DIR"]).resolve()

importlib.import_module("editor.page")  # before Gradio, which would write stubs beside our modules

import gradio as gr  # noqa: E402

from editor.homes import Homes  # noqa: E402
from editor.page.api import Api  # noqa: E402
from editor.page.listeners.questions import questions  # noqa: E402
from editor.page.page import Page  # noqa: E402
from editor.page.state import EditorState  # noqa: E402
from editor.page.timeline import midi_of_lanes  # noqa: E402
from editor.project.disk import storage  # noqa: E402
from editor.project.document import Take  # noqa: E402
from editor.runs.device import Device  # noqa: E402
from editor.session import Session  # noqa: E402
from tests.fire.damage import sounds  # noqa: E402

DRAWN: tuple[tuple[str, dict[str, Any]], ...] = (  # a project with something of everything
    ("set_prompt", {"prompt": "warm piano, no drums"}),
    ("draw_chords", {"chords": [{"id": "c1", "start": 0, "end": 4, "symbol": "Am7"}]}),
    ("draw_notes", {"melody": [{"id": "n1", "start": 0, "end": 1, "pitch": 60}]}),
    ("draw_hits", {"drums": [{"id": "h1", "time": 0, "drum": "kick"}]}),
    ("draw_band", {"band": [{"id": "b1", "start": 0, "end": 8, "name": "flute"}]}),
    ("add_section", {"id": "v1", "name": "Verse", "start": 0, "end": 1}),
    ("add_span", {"id": "s1", "start": 0.1, "end": 0.3}),
    ("set_engines", {"engines": ["fm"]}),
    ("set_seed", {"seed": 7}),
)


class Inside:
    """A page with the tiny bundle; its home, its tab, and its questions."""

    def __init__(self) -> None:
        self.home = PLACE / "home"
        self.home.mkdir()
        self.page, self.app = asyncio.run(self._built())
        self.layout = self.page.layout
        self.api = Api(self.page.device)
        asked = questions(self.page.seats, self.page.device)
        self._questions: dict[str, Callable[..., Any]] = {function.__name__: function for function in asked}
        self._tabs = 0

    async def _built(self) -> tuple[Page, gr.Blocks]:
        device = Device(str(save_tiny(PLACE / "tiny")), "cpu")
        page = Page(device, Homes(self.home), listens=False)
        return page, page.build()

    def ask(self, question: str, data: Any) -> Any:
        """What the page asks without an event."""
        if question == "midi_of_lanes":  # asks nothing of the server's projects
            return midi_of_lanes(data)
        return self._questions[question](data, gr.Request(session_hash="asks"))

    def tab(self) -> Tab:
        """One that has just opened."""
        self._tabs += 1
        return Tab(self, f"tab{self._tabs}")


class Tab:
    """One tab of the page."""

    def __init__(self, inside: Inside, name: str) -> None:
        self.inside = inside
        self.request = gr.Request(session_hash=name)

    @property
    def session(self) -> Session:
        """What it shows."""
        return self.inside.page.seats.of(self.request)

    def send(self, listener: str, data: Any) -> str:
        """An event to a listener such as "edits.edit"; the line in which it was refused, or ""."""
        inside = self.inside
        telling = inside.page.follower.telling(attrgetter(listener)(inside.page))
        answer = telling(SimpleNamespace(_data=data), self.request)
        if isinstance(answer, AsyncIterator):  # a run, to its end
            return self._told(asyncio.run(_all(answer)))
        return self._told([answer] if isinstance(answer, Mapping) or answer is None else list(answer))

    def upload(self, content: bytes, name: str, **more: Any) -> str:
        """A file as the page sends it."""
        with tempfile.NamedTemporaryFile(dir=PLACE, suffix=Path(name).suffix[:20], delete=False) as file:
            file.write(content)
        try:
            return self.send("arrivals.upload", {"path": file.name, "name": name, **more})
        finally:
            Path(file.name).unlink(missing_ok=True)

    def _told(self, updates: list[Any]) -> str:
        """What the answers say is wrong. What they show must fit into JSON."""
        inside, told = self.inside, ""
        slots = [inside.layout.span_error, inside.layout.prompt_error, inside.layout.knob_error]
        for one in updates:
            for component, value in (one or {}).items():
                if isinstance(value, EditorState):
                    json.dumps(value.model_dump(), allow_nan=False).encode()
                    told = value.error or told
                elif hasattr(value, "model_dump"):
                    json.dumps(value.model_dump(), allow_nan=False).encode()
                elif component in slots and value:
                    told = str(value).split("<span>")[-1].split("</span>")[0].strip() or told
        return told or self.session.run.message


async def _all(answers: AsyncIterator[Any]) -> list[Any]:
    return [updates async for updates in answers]


def furnished(tab: Tab) -> Path:
    """A project with a clip, lanes, spans, sections and two takes, shown in the tab; its folder."""
    assert tab.upload(sounds()["WAV PCM_16.wav"], "song.wav") == ""
    session = tab.session
    for name, payload in DRAWN:
        session.apply(name, payload)
    clip, folder = session.project.clip, session.folder
    assert clip is not None and folder is not None
    parameters = {"engine": "fm", "kind": "generate", "prompt": "x", "seed": 1}
    for number in (1, 2):
        storage.add_finished(
            folder,
            Take(
                f"t{number}", "generate", "fm", number, "x", clip.file, clip.seconds, None, None, parameters,
                made="2026-11-28T17:00:00", rate=clip.rate, channels=clip.channels,
            ),
        )  # fmt: skip
    session.open(folder)
    session.apply("keep", {"id": "t1"})
    session.undo()
    return folder
