"""A foreign page in a real browser: it can neither read, edit, upload to nor frame a running Inlay."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Browser, BrowserType, Page

from tests.browser.conftest import CHROMIUM, QUIET
from tests.browser.test_edit import state

# What such a page may try: each with and without asking whether it may read the answer.
TRIES = """async (inlay) => {
  const sound = new FormData();
  sound.append('files', new File(['RIFF'], 'a.wav'));
  const json = { 'Content-Type': 'application/json' };
  const text = { 'Content-Type': 'text/plain' };
  const tries = {
    page: [''], config: ['config'], list: ['gradio_api/info'],
    late: ['inlay/late', { method: 'POST', headers: text, body: '{}' }],
    event: ['gradio_api/queue/join', { method: 'POST', headers: text, body: '{"data":[],"fn_index":0}' }],
    json: ['gradio_api/queue/join', { method: 'POST', headers: json, body: '{}' }],
    upload: ['gradio_api/upload', { method: 'POST', body: sound }],
  };
  const read = {};
  for (const [name, [path, init]] of Object.entries(tries)) {
    for (const mode of ['cors', 'no-cors']) {
      try {
        const answer = await fetch(inlay + path, { credentials: 'include', ...init, mode });
        const words = answer.type === 'opaque' ? 'opaque' : `${answer.status} ${await answer.text()}`;
        read[`${name} ${mode}`] = words;
      } catch (error) { read[`${name} ${mode}`] = 'refused'; }
    }
  }
  return read;
}"""
FRAME = """(inlay) => new Promise((resolve) => {
  const frame = document.createElement('iframe');
  frame.onload = () => setTimeout(() => resolve(true), 300);
  frame.src = inlay;
  document.body.append(frame);
})"""


class _Elsewhere(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Type", "text/html")
        self.end_headers()
        self.wfile.write(b"<body>another site</body>")

    def log_message(self, *_: Any) -> None:
        pass


@pytest.fixture(scope="module")
def elsewhere() -> Iterator[int]:
    """The port of another site on this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Elsewhere)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server.server_port
    server.shutdown()
    server.server_close()


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_another_site_gets_nothing(
    browser: Browser, open_page: Callable[[], Page], address: str, elsewhere: int, home: Path, name: str
) -> None:
    own = open_page()  # Inlay is open beside it
    before = state(own, "doc.rev"), sorted(home.iterdir())
    with browser.new_context() as context:
        page = context.new_page()
        answers: dict[str, list[int]] = {}
        page.on(
            "response",
            lambda answer: answers.setdefault(f"{answer.request.method} {answer.url}", []).append(
                answer.status
            ),
        )
        page.goto(f"http://{name}:{elsewhere}/")
        read = page.evaluate(TRIES, address)
        assert all(word in ("refused", "opaque") or word.startswith("403 ") for word in read.values()), read
        assert page.evaluate(FRAME, address)
        assert all("Inlay" not in frame.title() for frame in page.frames)
        assert page.locator("inlay-timeline").count() == 0
        asked = {key: codes for key, codes in answers.items() if address in key and "OPTIONS" not in key}
        assert len(asked) == 6  # both orders to the queue are one address
        assert {code for codes in asked.values() for code in codes} == {403}, asked
        page.goto(address)  # a link to it is no crime
        page.wait_for_function("window.inlay?.desk.timeline")
    assert (state(own, "doc.rev"), sorted(home.iterdir())) == before


def test_a_name_that_is_bent_to_this_machine_gets_nothing(chromium: BrowserType, address: str) -> None:
    rules = "--host-resolver-rules=MAP rebound.example 127.0.0.1"
    browser = chromium.launch(executable_path=CHROMIUM, args=[*QUIET, rules])
    try:
        page = browser.new_page()
        answer = page.goto(f"http://rebound.example:{urlsplit(address).port}/config")
        assert answer is not None and answer.status == 403
        assert "not this server's name" in answer.text()
    finally:
        browser.close()


def test_markup_that_slips_in_runs_nothing(browser: Browser, address: str) -> None:
    with browser.new_context() as context:
        page = context.new_page()
        page.goto(address)
        page.wait_for_function("window.inlay?.desk.timeline")
        page.evaluate(
            """() => new Promise((resolve) => {
              document.addEventListener('securitypolicyviolation', resolve);
              const place = document.createElement('div');
              place.innerHTML = '<img src="data:," onerror="window.hacked = 1">';
              document.body.append(place);
            })"""
        )
        assert page.evaluate("window.hacked") is None
