"""The timeline as a Gradio component, and how the page's modules and files are found.

Its value is the document (`state`), its events are those of `events`. Knows no sessions.
"""

from __future__ import annotations

import base64
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import gradio as gr
from pydantic import BaseModel

from editor.page import contract
from editor.page.contract import Payload
from editor.page.state import EditorState
from editor.project import band, commands, drawing, lanes
from editor.project.document import Project
from engines.assets import ASSETS
from engines.errors import InputError

MODULES = ASSETS / "page"  # the rooms of the ES modules that the page imports


def midi_of_lanes(sent: object) -> dict[str, str]:
    """The melody and drums that the page shows as a MIDI file: {"file": base64}, or {"error": one line}.

    Takes {"bpm", "beats_per_bar", "offset", "melody", "drums"} as in an edit; keeps nothing.
    """
    try:
        fields = Payload("midi", sent)
        grid = commands.set_grid(
            Project(), fields.number("bpm"), fields.whole("beats_per_bar"), fields.number("offset")
        ).grid
        drawn = drawing.edit_lanes(Project(), contract.lanes_sent(fields)).lanes
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "lanes.mid"
            lanes.write_midi(path, drawn, grid)
            return {"file": base64.b64encode(path.read_bytes()).decode()}
    except InputError as error:
        return {"error": str(error)}


def module_script(function: str, element: str) -> str:
    """What Gradio runs when the component is on the page: import the bridge and bind the element."""
    # The address is resolved against the page, so that the app may live under a sub-path.
    bridge = (MODULES / "shell" / "bridge.js").as_posix()
    return f"""
    // 'edit' 'open' 'upload' 'run' 'watch' 'cancel' 'withdraw' 'project' 'vote' 'wake'
    const url = new URL('gradio_api/file={bridge}', document.baseURI).href;
    const functions = typeof server === 'undefined' ? {{}} : server; // only of some components
    import(url).then((bridge) => bridge.{function}({{ element, props, trigger, watch, functions }}))
      .catch((error) => {{
        element.querySelector('{element}').textContent = 'The editor could not load: ' + error;
      }});
    """


@cache
def schema(model: type[BaseModel]) -> dict[str, Any]:
    """JSON schema of a component's value, made once: Gradio asks for it with every event, several times."""
    made: dict[str, Any] = model.model_json_schema()
    return made


class Timeline(gr.HTML):
    """`<inlay-timeline>`: the timeline as a Gradio component with an `EditorState` as value."""

    data_model = EditorState

    def __init__(
        self,
        value: EditorState | None = None,
        *,
        vocabulary: tuple[str, ...] = (),
        merging: Sequence[str] = (),
        tips: Mapping[str, str] | None = None,
        engines: Sequence[Mapping[str, object]] = (),
        model: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> None:
        super().__init__(
            value=value or EditorState(),
            html_template="<inlay-timeline></inlay-timeline>",
            js_on_load=module_script("bindTimeline", "inlay-timeline"),
            apply_default_css=False,
            server_functions=[midi_of_lanes],
            vocabulary=list(vocabulary),
            merging=list(merging),  # edits that make one step of undo where they follow each other
            instruments=band.names(),
            tips=dict(tips or {}),  # id of an element of the page -> its tooltip
            engines=[dict(row) for row in engines],  # as of `engines.roster.EngineSpec.to_json`
            model=dict(model or {}),  # as of `model_card`
            **kwargs,
        )

    def preprocess(self, payload: EditorState | None) -> EditorState | None:
        """The page's document, as it is."""
        return payload

    def postprocess(self, value: EditorState | None) -> EditorState | None:
        """The document for the page, as it is."""
        return value

    def api_info(self) -> dict[str, Any]:
        """JSON schema of the value."""
        return schema(EditorState)


def file_address(path: Path) -> str:
    """Address of a file that ships (`gr.set_static_paths`) for the browser, relative to the page."""
    return f"gradio_api/file={quote(path.resolve().as_posix())}"
