"""Projects, requests and uploads from anywhere: refused in one line or harmless, never the page's end."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from editor.mishaps import in_one_line
from editor.page.listeners import arrivals
from editor.page.listeners.follow import Follower
from editor.page.models.serving import USUAL
from editor.page.takes.groups import takes_state
from editor.page.view import document_state
from editor.project import blind
from editor.project.disk import exports, files, imports, library, pictures, sounds, storage
from editor.project.document import Clip, Project, Rating, Region, Round, Take
from editor.runs.replay import request_from, request_to_json
from editor.session import Session
from engines.audio.recording import from_float
from engines.errors import Cancelled, InputError
from engines.requests import GenerateRequest, InpaintRequest
from engines.support import refusal


def zipped(folder: Path, edit: dict[str, Any], text: str = "") -> Path:
    """An exported project whose document is changed."""
    rating = Rating("t1", "fm", 5, 5)
    project = Project(
        rounds=(Round("r1", Region(0, 1), (rating, replace(rating, engine="gt")), True, "2026"),)
    )
    told = json.loads(json.dumps(asdict(project)))
    for path, value in edit.items():
        *way, last = path.split(".")
        place: Any = told
        for step in way:
            place = place[int(step) if step.isdigit() else step]
        place[last] = value
    content = json.dumps({"version": storage.VERSION, "project": told})
    for name, value in {"@inf": "1e999", "@digits": "1" + "0" * 400, "@more": "9" * 5000}.items():
        content = content.replace(f'"{name}"', value)
    path = folder / "theirs.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("project.json", text or content)
    return path


SCRIPT = 't1"><img src=x onerror="alert(1)">'
EDITS = [
    {"seed": "@inf"}, {"seed": "@digits"}, {"seed": 1.5}, {"grid.bpm": "@digits"}, {"grid.bpm": "@inf"},
    {"grid.bpm": "@more"}, {"grid.beats_per_bar": "@inf"}, {"length": "@digits"}, {"variations": "@inf"},
    {"settings.steps": "@inf"}, {"settings.steps": "@digits"}, {"settings.strength": "@inf"},
    {"active": SCRIPT},
    {"kept": SCRIPT}, {"key": SCRIPT}, {"rounds.0.id": SCRIPT}, {"rounds.0.made": "=cmd|' /C calc'!A0"},
    {"rounds.0.made": "@SUM(1)"}, {"rounds.0.ratings.0.take": '=HYPERLINK("http://evil","x")'},
    {"rounds.0.ratings.0.engine": "=1+1"}, {"rounds.0.ratings.0.match": 999}, {"follow": ["<b>"]},
    {"rounds.0.ratings.0.smoothness": "@digits"}, {"engines": ["other"]},
    {"rounds.0.region.start": "@inf"},
    {"spans": [{"id": SCRIPT, "start": 0, "end": 1}]},
    {"lanes.melody": [{"id": SCRIPT, "start": 0, "end": 1, "pitch": 60}]},
    {"lanes.melody": [{"id": "n1", "start": 0, "end": 1, "pitch": "@inf"}]},
    {"lanes.drums": [{"id": "h", "time": 0, "drum": "<i>"}]},
]  # fmt: skip


@pytest.mark.parametrize("edit", EDITS, ids=str)
def test_a_project_that_is_none_is_one_line_and_hides_no_other(tmp_path: Path, edit: dict[str, Any]) -> None:
    home = tmp_path / "home"
    good = storage.new_project(home, Project(name="Good")).folder
    with pytest.raises(InputError) as told:
        imports.project_from(zipped(tmp_path, edit), "theirs.zip", home)
    assert str(told.value).startswith("theirs.zip: ") and "\n" not in str(told.value)
    assert str(home) not in str(told.value)
    bad = home / "2026-bad"
    bad.mkdir()
    with zipfile.ZipFile(tmp_path / "theirs.zip") as archive:
        (bad / files.DOCUMENT).write_bytes(archive.read("project.json"))
    assert [entry.folder for entry in library.recent(home)] == [good.name]
    with pytest.raises(InputError, match="damaged"):
        storage.open_project(bad)


def test_what_is_a_project_is_taken(tmp_path: Path) -> None:
    opened = imports.project_from(zipped(tmp_path, {"seed": 7}), "theirs.zip", tmp_path / "home")
    assert opened.project.seed == 7 and opened.project.rounds[0].made == "2026"


@pytest.mark.parametrize("place", ["project.json", "sound.wav"])
def test_a_zip_with_damaged_bytes_is_one_line(tmp_path: Path, place: str) -> None:
    path = tmp_path / "theirs.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        document = json.dumps({"version": storage.VERSION, "project": asdict(Project(prompt="sound.wav"))})
        archive.writestr("project.json", document)
        archive.writestr("sound.wav", bytes(range(256)) * 40)
    content = bytearray(path.read_bytes())
    at = content.index(place.encode()) + len(place)
    content[at : at + 4] = b"\xff\xff\xff\xff"  # no block of deflate begins so
    path.write_bytes(content)
    with pytest.raises(InputError, match="theirs.zip: damaged"):
        imports.project_from(path, "theirs.zip", tmp_path / "home")
    assert not list((tmp_path / "home").glob("*"))


def test_a_format_of_the_future_is_told_shortly(tmp_path: Path) -> None:
    text = json.dumps({"version": 10**400, "project": {}})
    with pytest.raises(InputError, match="newer Inlay") as told:
        imports.project_from(zipped(tmp_path, {}, text), "theirs.zip", tmp_path / "home")
    assert len(str(told.value)) < 150


def test_a_damaged_sound_is_told_and_the_rest_of_the_project_is_there(tmp_path: Path) -> None:
    """The clip's file and a take's are no audio any more; the take beside them plays on."""
    folder = storage.new_project(tmp_path).folder
    tones = [sounds.add_audio(folder, from_float(0.1 * np.ones(8000) / n, 8000)) for n in (1, 2, 3)]
    takes = tuple(
        Take(f"t{n}", "generate", "fm", n, "", file, 1.0, None, None, rate=8000, channels=1)
        for n, file in enumerate(tones[1:], start=1)
    )
    project = replace(Project(name="Old"), clip=Clip(tones[0], 1.0, 8000, 1, "a.wav"), takes=takes)
    storage.save_project(folder, project)
    for name in tones[:2]:
        (folder / name).write_bytes(b"no audio")
    session = Session(tmp_path)
    session.open(folder)
    shown = document_state(session, USUAL)
    assert shown.clip and shown.clip.url == "" and shown.clip.label == "a.wav"
    assert shown.error and "damaged" in shown.error and str(tmp_path) not in shown.error
    (group,) = takes_state(session).groups
    assert [bool(track.url) for track in group.tracks] == [False, True]
    with pytest.raises(InputError, match="damaged"):
        pictures.picture(folder, project)
    session.apply("set_seed", {"seed": 3})  # the work goes on
    session.close()


LANE_ITEMS = [
    {"chords": [{"start": "0", "end": 1, "symbol": "C"}]}, {"chords": [{"start": 0, "end": 1, "symbol": 5}]},
    {"chords": [{"start": 0, "end": float("inf"), "symbol": "C"}]}, {"chords": [[0, 1, "C"]]}, {"chords": 3},
    {"melody": [{"start": 0, "end": 1, "pitch": 60.5}]}, {"melody": [{"start": 0, "end": 1, "pitch": "\a"}]},
    {"drums": [{"time": None, "drum": "kick"}]}, {"instruments": [{"start": 0, "end": 1, "instrument": []}]},
    {"drums": [{"time": 0, "drum": "kick", "more": 1}]}, {"drums": [{"time": 0}]},
]  # fmt: skip


@pytest.mark.parametrize("lanes", LANE_ITEMS, ids=str)
def test_lanes_of_a_request_that_are_none_never_reach_an_engine(lanes: dict[str, Any]) -> None:
    request = json.loads(json.dumps(request_to_json(GenerateRequest("fm", "x", 1.0))))
    assert request_from(request, None) == GenerateRequest("fm", "x", 1.0)
    with pytest.raises(InputError, match="damaged") as told:
        request_from({**request, "controls": lanes}, None)
    assert str(told.value).isprintable() and len(str(told.value)) < 200


@pytest.mark.parametrize(
    "wrong",
    [{"seed": float("inf")}, {"seconds": "x\ny"}, {"engine": "f" * 999}, {"ar": 1}, {"fm": {"guidance": "x"}}]
    + [{"fm": {"guidance": None, "guided": one}} for one in ("ab", [0], [0, "1"], 5, [0, float("nan")])],
    ids=lambda wrong: str(wrong)[:60],
)
def test_settings_of_a_request_that_are_none_are_one_line(wrong: dict[str, Any]) -> None:
    request = {**request_to_json(GenerateRequest("fm", "x", 1.0)), **wrong}
    with pytest.raises(InputError, match="damaged") as told:
        request_from(request, None)
    assert str(told.value).isprintable() and len(str(told.value)) < 200


def test_a_defect_in_one_project_hides_no_other(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    names = [storage.new_project(tmp_path).folder.name for _ in range(2)]
    real = storage.open_project

    def broken(folder: Path) -> storage.Opened:
        if folder.name == names[0]:
            raise RecursionError
        return real(folder)

    monkeypatch.setattr(storage, "open_project", broken)
    assert [entry.folder for entry in library.recent(tmp_path)] == names[1:]


def test_cells_that_a_spreadsheet_would_run_are_text(monkeypatch: pytest.MonkeyPatch) -> None:
    rated = (Rating("=1+1", "fm", 5, 5), Rating("@a", "gt", 4, 4), Rating("t-1", "ar", 3, 3))
    rows = blind.ratings_csv(Project(rounds=(Round("r", Region(0, 1), rated, True, "+cmd|'x'!A0"),)))
    cells = [cell for row in csv.reader(io.StringIO(rows)) for cell in row]
    assert not [cell for cell in cells if cell[:1] in ("=", "+", "-", "@", "\t", "\r")]
    assert "'=1+1" in cells and "t-1" in cells


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be", "utf-32"])
def test_a_request_saved_in_any_encoding_is_read(tmp_path: Path, encoding: str) -> None:
    path = tmp_path / "take.json"
    path.write_bytes('{"request": {"kind": "generate", "prompt": "Üben"}}'.encode(encoding))
    with pytest.raises(
        InputError, match="settings of the take are damaged"
    ):  # it was read: fields are missing
        exports.read_request(path)
    path.write_bytes(b"\xff\xfe\xff")
    with pytest.raises(InputError, match="take.json: not JSON"):
        exports.read_request(path)


@pytest.mark.parametrize(
    ("length", "end", "fits"),
    [(3.9968, 4.0, True), (3.9952, 4.0, True), (3.99, 4.0, False), (4.004, 4.0, True), (2.0, 2.006, False)],
)
def test_times_may_be_typed_as_they_are_shown(length: float, end: float, fits: bool) -> None:
    source = from_float(0.1 * np.ones(round(length * 32000)), 32000)
    for request in (
        InpaintRequest("fm", source, end - 1, end),
        InpaintRequest("fm", source, 0.2, 0.8, also=((end - 0.9, end),)),
    ):
        assert bool(refusal(request, "fm")) is fits
        if fits:  # half a shown digit too long is taken to the end; what is refused is left as it was
            assert max(b for _, b in request.within_source().spans) <= source.seconds
        else:
            assert request.within_source().spans == request.spans


def test_whatever_breaks_is_one_line_with_the_files_name(caplog: pytest.LogCaptureFixture) -> None:
    for error in (KeyError("a"), RecursionError(), MemoryError(), ValueError("two\nlines"), OSError(5, "io")):
        with pytest.raises(InputError, match="^song.mid: ") as told, in_one_line("song.mid"):
            raise error
        assert "\n" not in str(told.value)
    assert "Traceback" in caplog.text
    for error in (InputError("as it is"), Cancelled()):
        with pytest.raises(type(error)), in_one_line("song.mid"):
            raise error


class FakeView:
    """Shows where an error stands; what a gesture left is above the timeline."""

    layout = SimpleNamespace(timeline="timeline", written=frozenset())

    def standing(self, session: object) -> None:
        """Nothing stands."""

    def shown(self, session: object, where: str = "", error: str = "") -> dict[str, str]:
        return {where: error or getattr(session, "error", None) or ""}


def test_a_broken_upload_is_told_at_the_timeline(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "x.wav"
    soundfile.write(path, np.zeros(10), 8000)
    monkeypatch.setattr(arrivals, "get_upload_folder", lambda: str(tmp_path))

    def broken(*_: object) -> None:
        raise ZeroDivisionError("division by zero")

    session = SimpleNamespace(upload=broken, error=None)
    sessions: Any = SimpleNamespace(of=lambda tab: session)
    view: Any = FakeView()
    event: Any = SimpleNamespace(_data={"path": str(path), "name": "my song.wav"})
    request: Any = SimpleNamespace(session_hash="tab")
    told = arrivals.Arrivals(view, sessions, False).upload(event, request)[""]
    assert told.startswith("my song.wav: ") and "division by zero" in told


def test_a_listener_that_breaks_answers_the_page() -> None:
    import gradio as gr

    follower = Follower(FakeView(), SimpleNamespace(of=lambda tab: None))  # type: ignore[arg-type]
    request = gr.Request()
    request.session_hash = "tab"  # type: ignore[attr-defined]

    def answering(request: gr.Request) -> dict[str, str]:
        raise KeyError("x")

    def streaming(request: gr.Request) -> Any:
        yield {"timeline": "going"}
        raise KeyError("x")

    assert "KeyError" in follower.telling(answering)(request)["timeline"]
    assert ["KeyError" in update["timeline"] for update in follower.telling(streaming)(request)] == [
        False,
        True,
    ]
