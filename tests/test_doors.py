"""Who may talk to the server, by the headers that browsers send."""

from __future__ import annotations

import base64
import hashlib

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from editor.page.doors import Doors, host_of, policy
from editor.page.server import known_hosts

HOST = "127.0.0.1:7860"
SCRIPT = "window.start = 1;"


async def _page(_: Request) -> Response:
    return HTMLResponse(f"<html><script>{SCRIPT}</script><script src='/a.js'></script></html>")


async def _data(_: Request) -> Response:
    return JSONResponse({"projects": []})


@pytest.fixture
def client() -> TestClient:
    """An app behind the doors, as a browser finds it."""
    app = Starlette(
        routes=[Route("/", _page), Route("/data", _data, methods=["GET", "POST"])],
        middleware=[Middleware(Doors, hosts=known_hosts("127.0.0.1"))],
    )
    return TestClient(app, base_url=f"http://{HOST}")


@pytest.mark.parametrize(
    "headers",
    [
        {},  # a program on this machine
        {"Origin": f"http://{HOST}"},
        {"Host": "localhost:7860", "Origin": "http://localhost:7860"},
        {"Host": "[::1]:7860"},
        {"Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors", "Sec-Fetch-Dest": "empty"},
        {"Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
        {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"},
    ],
)
def test_its_own_page_and_a_link_come_in(client: TestClient, headers: dict[str, str]) -> None:
    assert client.get("/data", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("headers", "why"),
    [
        ({"Host": "evil.example"}, "not this server's name"),  # DNS rebinding
        ({"Host": "127.0.0.1.evil.example:7860"}, "not this server's name"),
        ({"Host": "evil.example:7860", "Origin": "http://evil.example:7860"}, "not this server's name"),
        ({"Host": ""}, "not this server's name"),
        ({"Origin": "http://localhost:9999"}, "another site"),
        ({"Origin": "http://127.0.0.1:9999"}, "another site"),
        ({"Origin": "http://localhost:7860"}, "another site"),  # under its other name
        ({"Origin": "null"}, "another site"),  # a file, a sandboxed frame
        ({"Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "no-cors"}, "Another site"),
        (
            {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"},
            "Another",
        ),
    ],
)
def test_foreign_pages_do_not(client: TestClient, headers: dict[str, str], why: str) -> None:
    for method in ("GET", "POST", "OPTIONS"):
        answer = client.request(method, "/data", headers=headers)
        assert answer.status_code == 403 and why in answer.text and "\n" not in answer.text


def test_another_site_posts_no_form(client: TestClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}
    assert client.post("/data", headers=headers).status_code == 403


def test_a_page_runs_no_script_but_its_own(client: TestClient) -> None:
    answer = client.get("/")
    said = answer.headers["Content-Security-Policy"]
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    scripts = next(part for part in said.split("; ") if part.startswith("script-src"))
    assert scripts.split()[1:] == ["'self'", "'unsafe-eval'", f"'sha256-{digest}'"]
    assert "frame-ancestors 'none'" in said and "object-src 'none'" in said
    assert "'unsafe-inline'" not in policy(b"<img src=x onerror='alert(1)'>").replace(
        "style-src 'self' 'unsafe-inline'", ""
    )
    for where in ("/", "/data"):
        assert client.get(where).headers["X-Content-Type-Options"] == "nosniff"
        assert client.get(where).headers["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    ("host", "name"),
    [
        ("127.0.0.1:80", "127.0.0.1"),
        ("LOCALHOST", "localhost"),
        ("[::1]:7860", "::1"),
        ("[::1]", "::1"),
        ("", ""),
    ],
)
def test_the_name_in_a_host(host: str, name: str) -> None:
    assert host_of(host) == name


def test_a_server_for_everyone_answers_to_any_name_but_to_no_foreign_page() -> None:
    doors = Doors(lambda *_: None, known_hosts("0.0.0.0"))  # type: ignore[arg-type]
    assert doors.refused(Headers({"host": "studio.local:7860", "origin": "http://studio.local:7860"})) == ""
    assert doors.refused(Headers({"host": "studio.local:7860", "origin": "http://evil.example"})) != ""
