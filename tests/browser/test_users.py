"""Two users of one server in a real browser: neither finds what is the other's, by page, address or guess."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, expect

from editor.doors import users
from editor.homes import USERS
from tests.browser.conftest import PATIENCE, begin
from tests.browser.test_edit import state, upload
from tests.serving import HERE, Server

ADA, BEN = ("ada", "counting strings"), ("ben", "another password")
# What one of them tries with what the other's page knows: [name, path, init], as in `fetch`.
ASK = """async (tries) => {
  const said = {};
  for (const [name, path, init] of tries) {
    const answer = await fetch(new URL(path, document.baseURI), init);
    said[name] = [answer.status, (await answer.text()).slice(0, 2000)];
  }
  return said;
}"""


@pytest.fixture(scope="module")
def band(tiny_bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Server, Path]]:
    """A server with two users, and its home."""
    home = tmp_path_factory.mktemp("band")
    for name, password in (ADA, BEN):
        users.put(home / "passwords", name, password)
    server = Server(tiny_bundle, home, (*HERE, "--users", str(home / "passwords")))
    try:
        server.wait()
        yield server, home
    finally:
        server.stop()


def log_in(browser: Browser, server: Server, name: str, password: str) -> tuple[BrowserContext, Page]:
    """A browser of a user's own, with the page open."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(PATIENCE)
    page = context.new_page()
    page.goto(server.url)
    page.get_by_label("Name").fill(name)
    page.get_by_label("Password").fill(password)
    page.get_by_role("button", name="Log in").click()
    return context, page


def test_two_users_do_not_meet(browser: Browser, band: tuple[Server, Path], song_file: Path) -> None:
    server, home = band
    context, page = log_in(browser, server, "ada", "wrong password")
    assert page.get_by_role("alert").text_content() == "Name or password is wrong."
    context.close()

    (adas, ada), (bens, ben) = (log_in(browser, server, *one) for one in (ADA, BEN))
    heard: list[str] = []
    ada.on("request", lambda request: heard.append(request.url))
    begin(ada)
    begin(ben)
    upload(ada, song_file)
    ada.wait_for_function("window.inlay.desk.doc.clip && window.inlay.desk.settled")
    project, url = state(ada, "doc.project"), state(ada, "doc.clip.url")
    assert (home / USERS / "ada" / project / "project.json").is_file()
    assert not (home / USERS / "ben" / project).exists()

    # By address, with her own cookie: served, as an attachment. With his: there is no such file.
    mine = ada.request.get(server.url + url)
    assert mine.status == 200 and mine.headers["content-disposition"].startswith("attachment")
    tab = next(each for each in heard if "session_hash=" in each).partition("session_hash=")[2][:11]
    assert tab.isalnum()
    folder = home / USERS / "ada" / project
    guesses = [f"{where}{path}" for where in ("gradio_api/file=", "file=")
               for path in (folder / "project.json", folder / unquote(url.split("/")[-1]), home / "passwords",
                            home / USERS / "ben" / ".." / "ada" / project / "project.json")]  # fmt: skip
    join = {"data": [], "fn_index": 0, "session_hash": tab}
    sent = {"method": "POST", "headers": {"Content-Type": "application/json"}, "body": json.dumps(join)}
    tries = [
        ["file", url, {}],
        ["file beside", url.replace(project, f"../ada/{project}"), {}],
        *[[guess, guess, {}] for guess in guesses],
        ["her answers", f"gradio_api/queue/data?session_hash={tab}", {}],
        ["her tab", f"gradio_api/heartbeat/{tab}", {}],
        ["in her name", "gradio_api/queue/join", sent],
        ["component", "gradio_api/component_server", sent],
    ]
    said = ben.evaluate(ASK, tries)
    assert {name: code for name, (code, _) in said.items() if code < 400} == {}, said
    assert not any(own in text for _, text in said.values() for own in ("clips", "argon2", "RIFF", "fLaC"))

    # By the page: her project is not in his list, and cannot be opened by its name.
    assert ben.evaluate("window.inlay.desk.recentProjects()") == []
    assert [one["folder"] for one in ada.evaluate("window.inlay.desk.recentProjects()")] == [project]
    export = "(project) => window.inlay.desk.exportFile({ project, kind: 'wav' })"
    assert ada.evaluate(export, project)["url"]
    for guess in (project, f"../ada/{project}", f"{USERS}/ada/{project}"):
        assert "no longer there" in ben.evaluate(export, guess)["error"]
        picture = ben.evaluate("(project) => window.inlay.desk.pictureOf(project)", guess)
        assert picture == {"peaks": [], "span": None}
    ben.evaluate("(folder) => window.inlay.desk.send('project', { action: 'open', folder })", project)
    ben.wait_for_function("window.inlay.desk.doc.error?.includes('no longer there')")
    assert state(ben, "doc.project") == "" and state(ada, "doc.clip")
    # Her page's secret, with which a page that closes sends its last edits, does nothing from his browser.
    secret = ada.evaluate("sessionStorage.getItem('inlay-page')")
    late = {"page": secret, "edits": [{"rev": 1, "name": "set_prompt", "payload": {"prompt": "stolen"}}]}
    ben.evaluate(ASK, [["late", "inlay/late", {**sent, "body": json.dumps(late)}]])
    assert state(ada, "doc.prompt") == "" and "stolen" not in (folder / "project.json").read_text()

    # Out, by the button in About: her cookie is good for nothing.
    ada.locator("#mark").click()
    expect(ada.locator("dialog.inlay-about .work")).to_contain_text("ada")
    ada.screenshot(path=os.environ.get("INLAY_SHOT") or home / "about.png")
    ada.get_by_role("button", name="Log out").click()
    expect(ada.get_by_label("Password")).to_be_visible()
    assert ada.request.get(server.url + url).status == 401
    for one in (adas, bens):
        one.close()
