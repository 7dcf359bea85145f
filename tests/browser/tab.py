"""One tab for all tests that need no new one: Gradio's page takes four seconds of a core to load.

After a test its tab goes to a new project, with new elements of ours and nothing stored. It is handed on only
if it then is as it was when it was opened: everything that stands on the page with its shadow roots and
fields, what the desk and the elements hold, globals and functions of the browser, listeners. Else the next
test opens one. What a test hangs on the tab in Playwright (`on`, `add_init_script`) stays: such a test opens
its own.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from playwright.sync_api import CDPSession, Error, Page

SIZE = {"width": 1440, "height": 900}
TOOLS = "window[Symbol.for('tab')]"  # no name among the globals
SCRIPT = Path(__file__).with_name("tab.js").read_text()
DRAWN = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))"
LOOKS = 5  # until what the server answers stands on the page
LISTENING = ("window", "document", "document.body", "window.inlay.desk", "document.querySelector('#page')")


class Tab:
    """The tab; `begin` waits for a page and brings it to its empty lanes."""

    def __init__(self, begin: Callable[[Page], None]) -> None:
        self.page: Page | None = None
        self.fit = True  # to be handed on: its test has not failed
        self._begin = begin
        self._devtools: CDPSession | None = None
        self.new = ""  # what was to be seen in it when it was opened

    def take(self, open_page: Callable[[], Page]) -> Page:
        """The tab on empty lanes, opened where none was handed on."""
        if self.page is None:
            self.page = open_page()
            self._devtools = self.page.context.new_cdp_session(self.page)
            self.page.mouse.move(0, 0)
            self.page.evaluate(f"{TOOLS} = {SCRIPT}")
            self.page.evaluate(f"{TOOLS}.begin()")
            self.new = self.seen(self.page)
        self.fit = True
        return self.page

    def leave(self) -> None:
        """After a test: as new for the next one, or closed."""
        if self.page is None:
            return
        renewed = False
        with suppress(Error):  # the test has closed it, or has taken away what it takes
            renewed = self.fit and self._renewed(self.page)
        if not renewed:
            self.page.close()
            self.page = None

    def _renewed(self, page: Page) -> bool:
        page.unroute_all()
        if page.viewport_size != SIZE:
            page.set_viewport_size(SIZE)
        page.mouse.move(0, 0)
        if not page.evaluate(f"{TOOLS}?.renew() ?? false"):  # a page that was loaded anew has none
            return False
        self._begin(page)
        for _ in range(LOOKS):
            page.evaluate(DRAWN)
            if self.seen(page) == self.new:
                return True
        return False

    def seen(self, page: Page) -> str:
        """All that a test could find in it, a line each."""
        seen: str = page.evaluate(f"{TOOLS}.seen()")
        return "\n".join([seen, *(f"{place}: {self._listeners(place)}" for place in LISTENING)])

    def _listeners(self, place: str) -> list[str]:
        """The kinds of events that something waits for at `place`."""
        assert self._devtools is not None
        send: Callable[..., dict[str, Any]] = self._devtools.send
        thing = send("Runtime.evaluate", {"expression": place})["result"]["objectId"]
        found = send("DOMDebugger.getEventListeners", {"objectId": thing})["listeners"]
        return sorted(one["type"] for one in found)
