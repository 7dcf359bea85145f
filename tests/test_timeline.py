"""The browser contract: what goes to the page is whole, what comes back is checked."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError

from editor.page import contract
from editor.page.events import EditEvent, OpenEvent, RunEvent, UploadEvent, read_event
from editor.page.state import ChordState, EditorState, editor_state
from editor.page.timeline import MODULES, Timeline, file_address
from editor.project.document import Project
from engines.errors import InputError
from engines.music.chords import VOCABULARY


def drawn() -> Project:
    project = contract.apply(
        Project(), "draw_chords", {"chords": [{"start": 0, "end": 4, "symbol": "Db", "id": "c1"}]}
    )
    project = contract.apply(project, "add_span", {"start": 1, "end": 2.5})
    project = contract.apply(project, "draw_notes", {"melody": [{"start": 0, "end": 1.5, "pitch": 60}]})
    project = contract.apply(project, "draw_hits", {"drums": [{"time": 2, "drum": "snare"}]})
    project = contract.apply(project, "draw_band", {"band": [{"start": 0, "end": 8, "name": "flute"}]})
    return contract.apply(project, "set_grid", {"bpm": 96, "beats_per_bar": 3})


def test_the_document_arrives_whole() -> None:
    state = editor_state(drawn(), rev=7, undo="tempo")
    assert 0 < state.serial < editor_state(drawn()).serial  # the page drops what was overtaken
    assert state.model_dump() == {
        "rev": 7,
        "changes": 0,
        "serial": state.serial,
        "project": "",
        "seconds": 10.0,
        "grid": {"bpm": 96.0, "beats_per_bar": 3, "offset": 0.0},
        "key": "C major",
        "region": {"start": 1.0, "end": 2.5},
        "spans": [
            {
                "id": "s1",
                "start": 1.0,
                "end": 2.5,
                "prompt": None,
                "follow": ["chords", "drums", "band"],  # whoever draws on a lane means it
                "intent": "auto",
                "changed": ["drums", "band"],
                "ignored": [],
                "words": [],
                "resolved": "change",
                "reason": "Picked for you: the drums were changed here",
            }
        ],
        "active": "s1",
        "chords": [{"id": "c1", "start": 0.0, "end": 4.0, "symbol": "C#"}],
        "melody": [{"id": "n1", "start": 0.0, "end": 1.5, "pitch": 60}],
        "drums": [{"id": "h1", "time": 2.0, "drum": "snare"}],
        "band": [
            {"id": "p1", "start": 0.0, "end": 8.0, "name": "flute", "plays": True, "sure": 1.0, "by": "drawn"}
        ],
        "untaken": {},
        "arFrom": "",
        "fmFrom": "",
        "bandHearing": None,
        "bandUnsure": False,
        "words": [],
        "conflicts": [],
        "sort": "wish",
        "sections": [],
        "follow": ["chords", "drums", "band"],
        "clip": None,
        "prompt": "",
        "arrived": "",
        "past": 0,
        "future": 0,
        "undo": "tempo",
        "redo": "",
        "held": "",
        "seen": [],
        "error": None,
        "window": 10.0,
        "frame_rate": 25.0,
        "tasks": [],
        "stems": [],
    }


def test_the_document_survives_json() -> None:
    state = editor_state(drawn(), rev=3)
    assert EditorState.model_validate_json(state.model_dump_json()) == state


def test_a_chord_needs_all_its_fields() -> None:
    with pytest.raises(ValidationError):
        ChordState.model_validate({"id": "c", "start": 0, "symbol": "C"})


def test_an_edit_as_the_page_sends_it() -> None:
    event = read_event(EditEvent, {"rev": 4, "name": "clear_region", "payload": {}, "target": "ignored"})
    assert (event.rev, event.name, event.payload) == (4, "clear_region", {})


HOSTILE: list[tuple[type[Any], object]] = [
    (EditEvent, None),
    (EditEvent, "edit"),
    (EditEvent, []),
    (EditEvent, {}),
    (EditEvent, {"rev": -1, "name": "x", "payload": {}}),
    (EditEvent, {"rev": "1", "name": "x", "payload": {}}),
    (EditEvent, {"rev": 2**70, "name": "x", "payload": {}}),
    (EditEvent, {"rev": 1, "name": "x" * 41, "payload": {}}),
    (EditEvent, {"rev": 1, "name": "set_prompt", "payload": {"prompt": "x", "span": {}}}),
    (EditEvent, {"rev": 1, "name": "set_prompt", "payload": {"prompt": "x", "span": ["s1"]}}),
    (EditEvent, {"rev": 1, "name": ["x"], "payload": {}}),
    (EditEvent, {"rev": 1, "name": "x", "payload": [1, 2]}),
    (EditEvent, {"rev": 1, "name": "x", "payload": "y" * 1_000_000}),
    (OpenEvent, {"project": "p" * 81}),
    (OpenEvent, {"project": {"a": 1}}),
    (UploadEvent, {"path": "/etc/passwd"}),
    (UploadEvent, {"path": 3, "name": "x"}),
    (RunEvent, {"take": None}),
    (RunEvent, {"take": "t" * 65}),
]


@pytest.mark.parametrize(("kind", "data"), HOSTILE)
def test_hostile_events_are_one_line_errors(kind: type[Any], data: object) -> None:
    with pytest.raises(InputError) as error:
        read_event(kind, data)
    assert "\n" not in str(error.value)
    assert len(str(error.value)) < 300


def test_the_component_carries_the_vocabulary_and_its_events() -> None:
    component = Timeline(vocabulary=VOCABULARY)
    assert component.props["vocabulary"] == list(VOCABULARY)
    for event in ("open", "edit", "upload", "run", "cancel"):
        assert callable(getattr(component, event))
    with pytest.raises(AttributeError):
        component.erase_all  # noqa: B018
    assert component.preprocess(component.postprocess(EditorState(rev=2))) == EditorState(rev=2)


def test_the_script_imports_a_module_that_exists() -> None:
    script = Timeline().js_on_load
    assert script is not None and (MODULES / "shell" / "bridge.js").as_posix() in script
    assert (MODULES / "shell" / "bridge.js").is_file()
    assert "export function bindTimeline" in (MODULES / "shell" / "bridge.js").read_text()


def test_addresses_are_relative_and_quoted(tmp_path: Path) -> None:
    path = tmp_path / "a song #1.wav"
    address = file_address(path)
    assert address.startswith("gradio_api/file=/") and address.endswith("/a%20song%20%231.wav")
