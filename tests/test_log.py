"""The log as JSON: a line for each run, with the id that an error names, and nothing of the user's own."""

from __future__ import annotations

import io
import json
import logging
import threading
from collections.abc import Iterator

import pytest

from editor.mishaps import in_one_line
from editor.runs.events import Failed, JobEvent
from editor.runs.runner import Runner
from editor.runs.traffic import log
from engines.errors import InputError
from engines.progress import Progress, ProgressHook
from engines.requests import GenerateRequest, Request, Result, Support
from tests.test_queue import SILENCE

SECRET = "a-love-song-for-ada"


@pytest.fixture
def written(monkeypatch: pytest.MonkeyPatch) -> Iterator[io.StringIO]:
    ours, runs = logging.getLogger("inlay"), logging.getLogger("inlay.runs")
    monkeypatch.setattr(logging, "lastResort", logging.lastResort)
    handlers, level, stream = list(ours.handlers), runs.level, io.StringIO()
    log.turn_on(stream)
    yield stream
    ours.handlers[:] = handlers
    runs.setLevel(level)


def run(*seeds: int) -> list[JobEvent]:
    def serve(request: Request, models: object, progress: ProgressHook) -> Result:
        progress(Progress("sample", 1, 2, 0.1, 0.1))
        if request.seed == 2:
            raise RuntimeError(f"cannot sing {request.prompt}")
        return Result(request, SILENCE, {"sample": 0.25})

    told: list[JobEvent] = []
    runner = Runner(lambda: None, serve, lambda request, models: Support())
    runner.run(
        [GenerateRequest("fm", SECRET, 1.5, n) for n in seeds], told.append, threading.Event(), who=SECRET
    )
    return told


def test_each_run_is_a_line_whose_id_the_error_names(written: io.StringIO) -> None:
    told = run(1, 2)
    with pytest.raises(InputError), in_one_line(f"{SECRET}.wav"):  # a file that no check foresaw
        raise ValueError(f"{SECRET}.wav has no end")
    done, broke, failed, mishap = (json.loads(line) for line in written.getvalue().splitlines())
    assert {key: done[key] for key in ("what", "engine", "kind", "audio", "end")} == {
        "what": "run", "engine": "fm", "kind": "generate", "audio": 1.5, "end": "done",
    }  # fmt: skip
    assert done["waited"] >= 0 and done["spent"] >= 0 and done["id"] != failed["id"]
    assert (broke["what"], broke["error"], broke["id"]) == ("mishap", "RuntimeError", failed["id"])
    assert any(place.startswith("test_log.py:") for place in broke["at"]) and failed["end"] == "failed"
    assert (mishap["error"], mishap["level"]) == ("ValueError", "error")
    (message,) = [event.message for event in told if isinstance(event, Failed)]
    assert message.endswith(f"(run {failed['id']} of the log)")
    assert SECRET not in written.getvalue()


def test_without_it_nothing_of_runs_is_written(caplog: pytest.LogCaptureFixture) -> None:
    (message,) = [event.message for event in run(1, 2) if isinstance(event, Failed)]
    assert message.endswith("try another seed")
    assert [record.name for record in caplog.records] == ["inlay"]
