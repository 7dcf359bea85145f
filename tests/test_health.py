"""What machines ask of a server: its health and figures, for whom, and that no user is in them."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from editor.doors import health, users
from editor.page.server import gates
from editor.runs.device import Device
from editor.runs.runner import Runner
from engines.errors import InputError
from engines.progress import Progress, ProgressHook
from engines.requests import GenerateRequest, Request, Result, Support
from tests.test_queue import SILENCE, ask

SECRET = "an-old-song-of-nobody"


def serve(request: Request, models: object, progress: ProgressHook) -> Result:
    progress(Progress("sample", 1, 2, 0.1, 0.1))
    if request.seed == 2:
        raise InputError("broken on purpose")
    return Result(request, SILENCE, {"sample": 0.25, "decode": 0.125})


@pytest.fixture
def device(tiny_bundle: Path) -> Device:
    made = Device(str(tiny_bundle), "cpu")
    made.runner = Runner(lambda: None, serve, lambda request, models: Support())
    return made


def app(device: Device, token: str = "", known: users.Users | None = None) -> TestClient:
    made = Starlette(middleware=gates("127.0.0.1", 7860, known))
    made.add_route(health.HEALTH, health.health(device, "1.2"))
    made.add_route(health.METRICS, health.metrics(device, token))
    return TestClient(made, base_url="http://127.0.0.1:7860")


def test_figures_count_what_was_done_by_engine_and_stage(device: Device) -> None:
    told = threading.Event()
    asked = GenerateRequest("ar", SECRET, 1.0, 1)
    device.runner.run([ask(1), ask(2), asked, ask(3)], lambda event: None, told, who=SECRET)
    told.set()
    device.runner.run([ask(4)], lambda event: None, told)
    page = app(device).get("/metrics")
    assert page.headers["content-type"].startswith("text/plain; version=0.0.4")
    lines = page.text.splitlines()
    for line in (
        'inlay_jobs_ended_total{engine="fm",end="done"} 2',
        'inlay_jobs_ended_total{engine="fm",end="failed"} 1',
        'inlay_jobs_ended_total{engine="fm",end="cancelled"} 1',
        'inlay_jobs_ended_total{engine="ar",end="done"} 1',
        'inlay_jobs{engine="fm",state="waiting"} 0',
        'inlay_stage_seconds_sum{engine="fm",stage="sample"} 0.5',
        'inlay_stage_seconds_count{engine="fm",stage="decode"} 2',
    ):
        assert line in lines, page.text
    assert SECRET not in page.text
    values = [float(line.rpartition(" ")[2]) for line in lines if not line.startswith("#")]
    assert len(values) > 20 and min(values) >= 0


def test_a_job_at_work_and_those_behind_it_are_counted(device: Device) -> None:
    seen: list[list[str]] = []

    def look(request: Request, models: object, progress: ProgressHook) -> Result:
        seen.append(health.figures(device).splitlines())
        return serve(request, models, progress)

    device.runner = Runner(lambda: None, look, lambda request, models: Support())
    device.runner.run([ask(1), ask(3, "ar"), ask(4, "ar")], lambda event: None, threading.Event())
    assert 'inlay_jobs{engine="fm",state="running"} 1' in seen[0]
    assert 'inlay_jobs{engine="fm",state="waiting"} 0' in seen[0]
    assert 'inlay_jobs{engine="ar",state="waiting"} 2' in seen[0]
    assert 'inlay_jobs{engine="ar",state="waiting"} 1' in seen[1]


def test_health_needs_no_log_in_and_figures_need_their_token(device: Device, tmp_path: Path) -> None:
    users.put(tmp_path / "users", "ada", "a long password")
    client = app(device, "x" * 20, users.Users(tmp_path / "users"))
    assert client.get("/other").status_code == 401
    answer = client.get("/healthz")
    assert answer.json() == {"status": "ok", "version": "1.2", "device": "cpu", "waiting": 0}
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer y"}).status_code == 401
    assert client.get("/metrics", headers={"Authorization": f"Bearer {'x' * 20}"}).status_code == 200


def test_where_others_come_in_figures_are_given_by_token_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv(health.TOKEN, raising=False)
    assert health.token_of(False, alone=False) is None
    assert health.token_of(True, alone=True) == ""
    with pytest.raises(InputError, match="--metrics: others can reach this server; set INLAY_METRICS_TOKEN"):
        health.token_of(True, alone=False)
    monkeypatch.setenv(health.TOKEN, "s" * 16)
    assert health.token_of(True, alone=False) == "s" * 16
