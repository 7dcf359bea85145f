"""Users: who comes in by name and password, and that nobody finds what is another's."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import AsyncGenerator, Callable
from pathlib import Path

import pytest
from gradio import route_utils
from starlette.applications import Starlette
from starlette.datastructures import Headers
from starlette.formparsers import MultiPartException
from starlette.middleware import Middleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.testclient import TestClient

from editor.doors import files, users
from editor.doors.ears import Ears, Listening
from editor.doors.login import TRIES, WAIT_SECONDS, Login
from editor.doors.rates import MAX_BODY, REQUESTS, UPLOADS, Rates
from editor.doors.users import Users
from editor.doors.visitors import Locked, Visitors, user_of
from editor.homes import Homes
from editor.page import scratch
from editor.page.server import gates
from engines.errors import InputError
from tests.children import ROOT

ADA, BEN = ("ada", "counting strings"), ("ben", "another password")


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with two users."""
    path = tmp_path_factory.mktemp("users") / "users"
    for name, password in (ADA, BEN):
        users.put(path, name, password)
    return path


@pytest.fixture
def file(named: Path, tmp_path: Path) -> Path:
    """Such a file of the test's own."""
    path = tmp_path / "users"
    path.write_bytes(named.read_bytes())
    return path


async def _who(request: Request) -> Response:
    return JSONResponse({"user": user_of(request.scope)})


async def _size(request: Request) -> Response:
    return JSONResponse({"bytes": len(await request.body()), "user": user_of(request.scope)})


ROUTES = [
    Route("/", _who),
    Route("/who", _who),
    Route("/gradio_api/heartbeat/{tab}", _who),
    Route("/gradio_api/queue/data", _who),
    Route("/gradio_api/queue/join", _size, methods=["POST"]),
    Route("/gradio_api/upload", _size, methods=["POST"]),
    Route("/gradio_api/component_server", _size, methods=["POST"]),
]


@pytest.fixture
def browser(file: Path) -> Callable[[], TestClient]:
    """Browsers, each new, of a server with users."""
    app = Starlette(routes=ROUTES, middleware=gates("127.0.0.1", 7860, Users(file)))
    return lambda: TestClient(app, base_url="http://127.0.0.1:7860")


def log_in(client: TestClient, name: str, password: str, **headers: str) -> int:
    form = {"username": name, "password": password}
    return client.post("/login", data=form, headers=headers, follow_redirects=False).status_code


def test_a_password_is_never_written_down(file: Path) -> None:
    text = file.read_text()
    assert ADA[1] not in text and text.count("$argon2id$") == 2
    assert file.stat().st_mode & 0o077 == 0 or file.parent.stat().st_mode  # as it was copied
    users.put(file, "eve", "a third password")
    assert file.stat().st_mode & 0o077 == 0


def test_name_and_password_let_a_browser_in_and_log_out_sends_it_away(
    browser: Callable[[], TestClient],
) -> None:
    mine = browser()
    page = mine.get("/", headers={"Accept": "text/html"})
    assert page.status_code == 200 and 'name="password"' in page.text
    assert "form-action 'self'" in page.headers["Content-Security-Policy"]
    assert mine.get("/who").status_code == 401
    assert log_in(mine, "ada", "wrong", Accept="text/html") == 401
    assert log_in(mine, "nobody", ADA[1]) == 401
    assert mine.get("/who").status_code == 401
    assert log_in(mine, " Ada ", ADA[1], Accept="text/html,*/*") == 303  # a browser is led to the page
    assert mine.get("/who").json() == {"user": "ada"}
    other = browser()
    assert log_in(other, *BEN) == 200 and other.get("/who").json() == {"user": "ben"}  # a program
    assert mine.post("/logout", follow_redirects=False).status_code == 303
    assert mine.get("/who").status_code == 401
    assert other.get("/who").json() == {"user": "ben"}


def test_who_is_taken_out_of_the_file_or_has_another_password_is_sent_away(
    file: Path, browser: Callable[[], TestClient]
) -> None:
    ada, ben = browser(), browser()
    assert (log_in(ada, *ADA), log_in(ben, *BEN)) == (200, 200)
    users.put(file, "ada", "a new password")
    assert ada.get("/who").status_code == 401 and ben.get("/who").status_code == 200
    users.remove(file, "ben")
    assert ben.get("/who").status_code == 401 and log_in(ben, *BEN) == 401
    assert log_in(ada, "ada", "a new password") == 200
    file.unlink()
    assert ada.get("/who").status_code == 401


def test_wrong_tries_have_to_wait(file: Path) -> None:
    now = [0.0]
    visitors = Visitors()
    way = Login(Users(file), visitors, clock=lambda: now[0])
    app = Starlette(routes=ROUTES, middleware=[Middleware(Locked, visitors=visitors, way=way)])
    client = TestClient(app)
    assert [log_in(client, "ada", "wrong") for _ in range(TRIES)] == [401] * TRIES
    answer = client.post("/login", data={"username": "ada", "password": ADA[1]})
    assert answer.status_code == 429 and "wait 60 seconds" in answer.text
    assert answer.headers["Retry-After"] == "60"
    assert log_in(client, *BEN) == 429  # from the same address
    now[0] = WAIT_SECONDS + 1
    assert log_in(client, *ADA) == 200


@pytest.mark.parametrize(
    ("name", "password", "why"),
    [
        ("Ada", "long enough", "a-z, 0-9"),
        ("../ada", "long enough", "a-z, 0-9"),
        ("-ada", "long enough", "a-z, 0-9"),
        ("a" * 33, "long enough", "1 to 32"),
        ("ada", "short", "8 to 1000"),
    ],
)
def test_what_can_be_no_user_is_refused_in_one_line(
    tmp_path: Path, name: str, password: str, why: str
) -> None:
    with pytest.raises(InputError, match=why) as told:
        users.put(tmp_path / "users", name, password)
    assert "\n" not in str(told.value) and not (tmp_path / "users").exists()


def test_a_file_of_users_is_looked_at_before_the_server_starts(tmp_path: Path) -> None:
    path = tmp_path / "users"
    with pytest.raises(InputError, match="cannot be read.*inlay user NAME"):
        Users(path)
    path.write_text("# nobody yet\n\n")
    with pytest.raises(InputError, match="names no user"):
        Users(path)
    path.write_text("ada:secret\n")
    with pytest.raises(InputError, match="line 1 is no user") as told:
        Users(path)
    assert "secret" not in str(told.value)


def test_comments_and_the_order_of_the_file_stay(file: Path) -> None:
    lines = file.read_text().splitlines()
    file.write_text("\n".join(["# the band", lines[0], "", lines[1]]) + "\n")
    users.put(file, "ada", "a new password")
    users.put(file, "eve", "a third password")
    users.remove(file, "ben")
    now = file.read_text().splitlines()
    assert [line.partition(":")[0] for line in now] == ["# the band", "ada", "", "eve"]
    assert now[1] != lines[0] and Users(file).knows("ada", "a new password")


@pytest.mark.slow
def test_the_command_line_adds_and_removes_users(tmp_path: Path) -> None:
    path = tmp_path / "users"

    def inlay(*words: str, piped: str = "") -> subprocess.CompletedProcess[str]:
        program = [sys.executable, "-m", "editor.cli.main", *words]
        return subprocess.run(program, cwd=ROOT, input=piped, capture_output=True, text=True)

    added = inlay("user", "ada", "--users", str(path), piped="counting strings\n")
    assert added.returncode == 0 and "may log in" in added.stdout and "strings" not in added.stdout
    assert Users(path).knows(*ADA)
    short = inlay("user", "ben", "--users", str(path), piped="short\n")
    assert short.returncode == 2 and short.stderr.count("\n") == 1
    assert inlay("user", "ada", "--users", str(path), "--remove").returncode == 0
    assert inlay("user", "ada", "--users", str(path), "--remove").returncode == 2


# ---- nobody finds what is another's


def test_a_tab_is_heard_and_spoken_for_by_its_own_user_alone(browser: Callable[[], TestClient]) -> None:
    ada, ben = browser(), browser()
    log_in(ada, *ADA)
    log_in(ben, *BEN)
    assert ada.get("/gradio_api/heartbeat/tab1").status_code == 200
    assert ada.get("/gradio_api/queue/data?session_hash=tab1").status_code == 200
    form = {"files": {"data": ("blob", b"x")}, "data": {"session_hash": "tab1"}}
    for tries in (
        lambda one: one.get("/gradio_api/heartbeat/tab1"),
        lambda one: one.get("/gradio_api/queue/data?session_hash=tab1"),
        lambda one: one.post("/gradio_api/queue/join", json={"session_hash": "tab1", "data": [1]}),
        lambda one: one.post("/gradio_api/component_server", **form),
    ):
        assert tries(ada).status_code == 200
        refused = tries(ben)
        assert refused.status_code == 403 and "another user" in refused.text
    body = {"session_hash": "tab2", "data": ["x" * 5000]}
    said = ben.post("/gradio_api/queue/join", json=body)
    assert said.json()["user"] == "ben" and said.json()["bytes"] > 5000  # and it arrives whole
    assert ada.get("/gradio_api/heartbeat/tab2").status_code == 403


def test_each_user_has_a_home_of_their_own(tmp_path: Path) -> None:
    homes = Homes(tmp_path, users=True)
    ada, ben = homes.of("ada"), homes.of("ben")
    assert ada is homes.of("ada") and ada.root != ben.root
    assert ada.root.stat().st_mode & 0o077 == 0
    session = ada.of("tab")
    session.apply("set_prompt", {"prompt": "strings"})
    folder = session.folder
    assert folder is not None and folder.is_relative_to(ada.root)
    with pytest.raises(InputError, match="no longer there"):
        ben.open("tab", folder.name)
    assert ben.of("tab").project.prompt == "" and ben.of_page("page") is None
    with pytest.raises(PermissionError):
        homes.of("")
    assert Homes(tmp_path).of("").root == tmp_path  # without users there is one home


def test_only_audio_previews_and_exports_leave_a_home(tmp_path: Path) -> None:
    home, other = tmp_path / "home", tmp_path / "other"
    project = home / "20260101-song"
    for folder in (project / "previews", project / "exports", project / "takes", other / "theirs"):
        folder.mkdir(parents=True)
    for path in ("a.wav", "previews/b.wav", "exports/song.zip", "takes/t1.json", "project.json", "c.txt"):
        (project / path).write_bytes(b"x")
    (other / "theirs" / "secret.wav").write_bytes(b"x")
    (project / "link.wav").symlink_to(other / "theirs" / "secret.wav")
    (home / "aside.wav").write_bytes(b"x")

    app = Starlette(
        routes=[
            Route(f"/{files.FILES}/{{rest:path}}", files.route(lambda user: home), methods=["GET", "HEAD"])
        ]
    )
    client = TestClient(app)

    def get(path: str) -> int:
        return client.get(f"/{files.FILES}/{path}").status_code

    name = project.name
    assert [get(f"{name}/{path}") for path in ("a.wav", "previews/b.wav", "exports/song.zip")] == [200] * 3
    answer = client.get(
        "/" + files.address(project, project / "previews" / "b.wav"), headers={"Range": "bytes=0-0"}
    )
    assert answer.status_code == 206
    assert answer.headers["Content-Disposition"] == 'attachment; filename="b.wav"'
    for path in (
        name, f"{name}/project.json", f"{name}/takes/t1.json", f"{name}/c.txt", f"{name}/link.wav",
        f"{name}/../aside.wav", f"{name}/%2e%2e/aside.wav", f"{name}/previews/../project.json", "aside.wav",
        f"{name}//a.wav", f"{name}/..%2f..%2fother%2ftheirs%2fsecret.wav", f"{name}/none.wav",
        "../other/theirs/secret.wav", f"{name}/previews", "/etc/passwd", f"{name}/a.wav%00",
    ):  # fmt: skip
        assert get(path) == 404, path


# ---- how much, and for whom


def test_too_many_requests_are_told_to_wait() -> None:
    now = [0.0]
    app = Starlette(routes=ROUTES, middleware=[Middleware(Rates, clock=lambda: now[0])])
    client = TestClient(app)
    codes = [
        client.post("/gradio_api/upload", content=b"x").status_code for _ in range(int(UPLOADS.burst) + 1)
    ]
    assert codes == [200] * int(UPLOADS.burst) + [429]
    refused = client.post("/gradio_api/upload", content=b"x")
    assert "Too many uploads; wait 2 seconds." in refused.text and refused.headers["Retry-After"] == "2"
    assert client.get("/who").status_code == 200
    now[0] = 2.5
    assert client.post("/gradio_api/upload", content=b"x").status_code == 200
    codes = [client.get("/who").status_code for _ in range(int(REQUESTS.burst) + 200)]
    assert codes[0] == 200 and codes[-1] == 429


def test_what_is_too_large_is_refused_before_and_while_it_comes() -> None:
    client = TestClient(Starlette(routes=ROUTES, middleware=[Middleware(Rates)]))
    refused = client.post(
        "/gradio_api/queue/join", content=b"x", headers={"Content-Length": str(MAX_BODY + 1)}
    )
    assert refused.status_code == 413 and "the most that comes at once" in refused.text


def test_nothing_is_made_for_who_does_not_listen() -> None:
    ears = Ears()
    stream = Route("/gradio_api/queue/data", lambda _: JSONResponse(ears.hears("t")))
    client = TestClient(Starlette(routes=[stream], middleware=[Middleware(Listening, ears=ears)]))
    assert client.get("/gradio_api/queue/data?session_hash=t").json() is True  # while it is open
    assert not ears.hears("t")
    with pytest.raises(InputError, match="nobody listens"):
        ears.hear("t", 0.01)
    ears.opened("t")
    ears.hear("t", 0.01)


def test_what_a_page_has_given_up_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(route_utils, "GradioMultiPartParser", route_utils.GradioMultiPartParser)
    scratch.clear_broken_uploads()
    head = b'--x\r\nContent-Disposition: form-data; name="files"; filename="long.wav"\r\n\r\n'

    async def sent() -> AsyncGenerator[bytes, None]:
        yield head + bytes(1000)
        yield bytes(1000)
        assert len(list(tmp_path.iterdir())) == 1  # it is being written
        raise ClientDisconnect

    parser = route_utils.GradioMultiPartParser(
        Headers({"content-type": "multipart/form-data; boundary=x"}), sent(),
        upload_dir=tmp_path, max_file_size=1e9,
    )  # fmt: skip
    with pytest.raises(MultiPartException, match="given it up"):
        asyncio.run(parser.parse())
    assert list(tmp_path.iterdir()) == []


def test_temporary_files_are_private_and_swept(tmp_path: Path) -> None:
    code = (
        "import sys, tempfile, pathlib, os\n"
        "from editor.page import scratch\n"
        "mine = scratch.take(pathlib.Path(sys.argv[1]))\n"
        "handle, path = tempfile.mkstemp()\n"
        "assert path.startswith(str(mine)) and os.environ['GRADIO_TEMP_DIR'].startswith(str(mine))\n"
        "print(mine, flush=True)\n"
        "sys.stdin.readline()\n"
        "if sys.argv[2] == 'killed': os._exit(9)\n"
    )

    def server(end: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path), end], cwd=ROOT, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE,
        )  # fmt: skip

    def folder(process: subprocess.Popen[str]) -> Path:
        assert process.stdout is not None
        return Path(process.stdout.readline().strip())

    killed, orderly = server("killed"), server("orderly")
    left, gone = folder(killed), folder(orderly)
    assert left.parent == gone.parent == tmp_path / scratch.SCRATCH and left != gone
    assert left.parent.stat().st_mode & 0o077 == 0 == left.stat().st_mode & 0o077
    scratch.sweep(left.parent)
    assert left.is_dir() and gone.is_dir()  # both servers live
    for process in (killed, orderly):
        process.communicate("end\n", timeout=60)
    assert left.is_dir() and not gone.exists()
    scratch.sweep(left.parent)
    assert not left.exists()
