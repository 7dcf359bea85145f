"""What other programs ask of a running server, by the client that they would use."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import numpy as np
import pytest
from gradio_client import Client, handle_file
from gradio_client.exceptions import AppError

from engines.audio.recording import Recording, read_recording, write_recording
from tests.serving import Server

pytestmark = pytest.mark.slow  # a server of its own

LANES = {"chords": [{"start": 0.0, "end": 4.0, "symbol": "Am"}]}


@pytest.fixture(scope="module")
def client(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Client]:
    """A client of a running server with the tiny bundle."""
    running = Server(tiny_bundle, tmp_path_factory.mktemp("home"))
    try:
        running.wait()
        yield Client(running.url, verbose=False, download_files=str(tmp_path_factory.mktemp("downloads")))
    finally:
        running.stop()


@pytest.fixture
def file(song: Recording, tmp_path: Path) -> Path:
    path = tmp_path / "song.wav"
    write_recording(path, song)
    return path


def test_a_span_comes_back_with_its_seams_and_the_rest_untouched(
    client: Client, song: Recording, file: Path
) -> None:
    request = {"kind": "inpaint", "engine": "fm", "start": 1.0, "end": 2.0, "seed": 3, "controls": LANES}
    request["fm"] = {"steps": 4, "candidates": 2}
    path, report = client.predict(request, handle_file(file), api_name="/run")
    made = read_recording(Path(path))
    first, last = song.rate, 2 * song.rate
    assert made.samples.dtype == song.samples.dtype and made.samples.shape == song.samples.shape
    assert np.array_equal(made.samples[:first], song.samples[:first])
    assert np.array_equal(made.samples[last:], song.samples[last:])
    assert not np.array_equal(made.samples[first:last], song.samples[first:last])
    assert [seam["time"] for seam in report["seams"]] == [1.0, 2.0]
    # What it reports is a request again, and gives the same audio.
    again, _ = client.predict(json.loads(json.dumps(report)), handle_file(file), api_name="/run")
    assert np.array_equal(read_recording(Path(again)).samples, made.samples)


def test_a_part_is_asked_for_as_on_the_page(client: Client, file: Path) -> None:
    request = {"kind": "inpaint", "engine": "fm", "start": 1.0, "end": 2.0, "task": "add", "part": "drums"}
    with pytest.raises(AppError, match="adds no parts; choose a model that does"):
        client.predict(request, handle_file(file), api_name="/run")
    with pytest.raises(AppError, match="task 'mash': expected one of remake, add"):
        client.predict(request | {"task": "mash"}, handle_file(file), api_name="/run")


def test_a_clip_needs_no_more_than_its_length(client: Client) -> None:
    path, report = client.predict({"seconds": 2.0}, None, api_name="/run")
    assert read_recording(Path(path)).seconds == pytest.approx(2.0)
    assert report["engine"] == "fm" and report["parameters"]["kind"] == "generate"


def test_what_is_heard_in_a_recording(client: Client, file: Path) -> None:
    heard = client.predict(handle_file(file), api_name="/analyze")
    assert heard["seconds"] == pytest.approx(4.0, abs=0.01)
    assert {"tempo", "beats", "key", "chords", "melody", "drums", "loudness"} <= set(heard)


@pytest.mark.parametrize(
    ("request_", "told"),
    [
        ({"kind": "inpaint", "engine": "fm", "start": 1.0, "end": 2.0}, "source: none was sent"),
        ({"engine": "gan", "seconds": 2.0}, "gan"),
        ({"seconds": 2.0, "fm": []}, "fm.*expected an object"),
        ({"seconds": 2.0, "controls": "Am"}, "controls.*expected an object"),
        ([1, 2], "expected an object"),
        ({"request": 3}, "expected an object"),
        ({}, "seconds: missing"),
        ({"kind": "dance", "seconds": 2.0}, "kind 'dance': expected generate or inpaint"),
        ({"seconds": 1e9}, "expected 1-"),
    ],
)
def test_what_cannot_be_is_told_in_a_line(client: Client, request_: object, told: str) -> None:
    with pytest.raises(AppError, match=told) as error:
        client.predict(request_, None, api_name="/run")
    assert "\n" not in str(error.value)


def test_a_call_by_plain_http_is_made_once_somebody_listens(client: Client) -> None:
    """As a shell script would: POST gives a name, and its stream the answers."""
    request = {"data": [{"seconds": 1.0, "fm": {"steps": 2}}, None]}
    headers = {"Content-Type": "application/json"}
    asked = Request(f"{client.src}gradio_api/call/run", json.dumps(request).encode(), headers)
    with urlopen(asked, timeout=60) as answer:
        name = json.load(answer)["event_id"]
    with urlopen(f"{client.src}gradio_api/call/run/{name}", timeout=120) as stream:
        told = stream.read().decode()
    assert "event: complete" in told and "inlay.wav" in told, told
