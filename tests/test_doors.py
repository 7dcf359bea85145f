"""Who may talk to the server, by the headers that browsers send."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Callable
from http.cookiejar import CookieJar
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import HTTPCookieProcessor, build_opener, urlopen

import pytest
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from editor.doors.origins import Doors, host_of, policy
from editor.page.server import gates, is_local
from tests.serving import HERE, Server

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
        middleware=gates("127.0.0.1", 7860),
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


def test_a_page_runs_our_script_before_its_own() -> None:
    async def page(request: Request) -> Response:
        return HTMLResponse(f"<html><head><script>{SCRIPT}</script></head></html>")

    app = Starlette(routes=[Route("/", page)], middleware=[Middleware(Doors, first="window.first = 1")])
    answer = TestClient(app, base_url="http://127.0.0.1").get("/")
    assert answer.text.startswith(f"<html><head><script>window.first = 1</script><script>{SCRIPT}")
    assert int(answer.headers["Content-Length"]) == len(answer.content)
    assert answer.headers["Content-Security-Policy"].count("'sha256-") == 2


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
    doors = Doors(lambda *_: None, ())  # type: ignore[arg-type]
    assert doors.refused(Headers({"host": "studio.local:7860", "origin": "http://studio.local:7860"})) == ""
    assert doors.refused(Headers({"host": "studio.local:7860", "origin": "http://evil.example"})) != ""


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "::1", "127.0.0.2"])
def test_this_machine_needs_no_key(host: str) -> None:
    assert is_local(host) and not is_local("0.0.0.0") and not is_local("192.168.1.4") and not is_local("::")


@pytest.fixture
def locked(capsys: pytest.CaptureFixture[str]) -> Callable[[], TestClient]:
    """Browsers, each new, of a server that others can reach."""
    app = Starlette(
        routes=[Route("/", _page), Route("/data", _data, methods=["GET", "POST"])],
        middleware=gates("0.0.0.0", 7860),
    )
    return lambda: TestClient(app, base_url="http://studio.local:7860", follow_redirects=True)


def key_of(printed: str) -> str:
    (link,) = re.findall(r"for one browser, at http://\S+/\?key=(\S+)", printed)
    return str(link)


def test_beyond_this_machine_a_link_lets_one_browser_in(
    locked: Callable[[], TestClient], capsys: pytest.CaptureFixture[str]
) -> None:
    stranger, mine, other = locked(), locked(), locked()
    for where in ("/", "/data", "/?key=", "/?key=guess", f"/?key={'A' * 43}"):
        answer = stranger.get(where)
        assert answer.status_code == 401 and "link that it printed" in answer.text
    assert stranger.post("/data").status_code == 401
    assert stranger.get("/data", headers={"Cookie": "inlay=guess"}).status_code == 401
    key = key_of(capsys.readouterr().out)
    assert stranger.get(f"/data?key={key}").status_code == 401  # the page's address alone takes it
    came = mine.get(f"/?key={key}")
    assert came.status_code == 200 and str(came.url) == "http://studio.local:7860/"
    assert mine.get("/data").status_code == 200 and mine.post("/data").status_code == 200
    said = came.history[0].headers["set-cookie"].lower()
    assert "httponly" in said and "samesite=lax" in said
    assert other.get(f"/?key={key}").status_code == 401  # good once
    assert other.get(f"/?key={key_of(capsys.readouterr().out)}").status_code == 200  # the next one
    assert mine.get("/data").status_code == 200


@pytest.mark.slow
def test_a_server_for_others_prints_its_link(tiny_bundle: Path, tmp_path: Path) -> None:
    server = Server(tiny_bundle, tmp_path, (*HERE, "--host", "0.0.0.0"))
    try:
        (log,) = tmp_path.glob("server-*.log")
        while "for one browser" not in log.read_text() or not answers(server.url):
            assert server.alive, log.read_text()
        browser = build_opener(HTTPCookieProcessor(CookieJar()))
        for where in ("", "config", "gradio_api/info"):
            with pytest.raises(HTTPError, match="401"):
                browser.open(server.url + where)
        page = browser.open(f"{server.url}?key={key_of(log.read_text())}")
        assert page.status == 200 and b"gradio" in page.read()
        assert browser.open(f"{server.url}config").status == 200
    finally:
        server.stop()


def answers(url: str) -> bool:
    """Whether a server is up, locked or not."""
    try:
        return bool(urlopen(url, timeout=30))
    except HTTPError:
        return True
    except OSError:
        return False
