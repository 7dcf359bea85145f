"""The part of the hostile cases that comes to a real server over HTTP; its log must hold no traceback."""

from __future__ import annotations

import asyncio
import json
import random
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import httpx

from tests.bundles import save_tiny
from tests.fire import payloads, zips
from tests.fire.bounds import LONGEST_LINE
from tests.fire.damage import damaged, scores, sounds
from tests.fire.outside import HttpTab, client, routes
from tests.fire.payloads import as_sent, broken, short
from tests.serving import Server

Told = str  # the line in which something was refused; "" where it was taken


class Web:
    """A tab of a real server, and what is sent from it."""

    def __init__(self, tab: HttpTab, dice: random.Random) -> None:
        self.tab = tab
        self._dice = dice

    async def prepare(self) -> None:
        """A project to work on."""
        await self.tab.open()
        await self.tab.upload(sounds()["WAV PCM_16.wav"], "song.wav")
        await self.tab.edit("add_span", start=0.1, end=0.3, id="s1")

    async def edit(self) -> tuple[str, Told]:
        """An edit that is right but for a value or two."""
        name, right = self._dice.choice(payloads.EDITS)
        data = as_sent(broken({"rev": 1, "name": name, "payload": right}, self._dice))
        return f"edit {short(data)}", (await self.tab.send("edit", data)).get("error") or ""

    async def event(self) -> tuple[str, Told]:
        """Another event."""
        # Of uploads from elsewhere on this machine Gradio itself says no, with a traceback in its log.
        listener, right = self._dice.choice([one for one in payloads.EVENTS if "upload" not in one[0]])
        data = as_sent(broken(right, self._dice))
        name = listener.rpartition(".")[2]
        if name in ("withdraw", "skip"):  # are not answered
            await self.tab.answer(name, data)
            return f"{name} {short(data)}", ""
        return f"{name} {short(data)}", (await self.tab.send(name, data)).get("error") or ""

    async def file(self) -> tuple[str, Told]:
        """A damaged file."""
        name, content = self._dice.choice([*sounds().items(), *scores().items()])
        document = await self.tab.upload(damaged(content, self._dice), name)
        return f"file {name}", document.get("error") or ""

    async def zip(self) -> tuple[str, Told]:
        """An archive that is no project."""
        name, content = self._dice.choice(list(zips.scores().items()))
        document = await self.tab.upload(content if isinstance(content, bytes) else content(), name)
        return f"score {name}", document.get("error") or ""

    async def question(self) -> tuple[str, Told]:
        """What the page asks without an event."""
        question, right = self._dice.choice(payloads.QUESTIONS)
        project = self.tab.document.get("project", "")
        data = as_sent(broken({"project": project, **right}, self._dice))
        answer = await self.tab.ask(question, None if question == "at_work" else data)
        return f"{question} {short(data)}", str(answer.get("error") or "") if isinstance(answer, dict) else ""

    async def late(self) -> tuple[str, Told]:
        """What a page that is closed sends last: JSON, or none."""
        name, right = self._dice.choice(payloads.EDITS)
        sent: Any = {"page": self.tab.page, "edits": [{"rev": 0, "name": name, "payload": right}]}
        content = json.dumps(broken(sent, self._dice)).encode()
        content = self._dice.choice((content, damaged(content, self._dice), b"[" * 100_000, b"x" * (2 << 20)))
        answer = await self.tab.post("inlay/late", content=content)
        assert answer.status_code in (204, 413), answer.status_code
        return f"late {content[:80]!r}", ""

    async def run(self) -> tuple[str, Told]:
        """A request of a program."""
        request = as_sent(broken({**payloads.REQUEST, "kind": "generate", "seconds": 1.0}, self._dice))
        before = len(self.tab.errors)
        await self.tab.answer("run", None, [request, None])
        return f"run {short(request)}", "".join(self.tab.errors[before:])


async def _all(url: str, count: int, seed: int, home: Path) -> list[str]:
    dice, wrong = random.Random(f"{seed} http"), []
    async with client(url) as browser:
        known = await routes(browser)
        web = Web(HttpTab(browser, known), dice)
        await web.prepare()
        ways: tuple[Callable[[], Awaitable[tuple[str, Told]]], ...] = (
            web.edit, web.edit, web.edit, web.event, web.file, web.zip, web.question, web.late, web.run
        )  # fmt: skip
        for _ in range(count):
            way = dice.choice(ways)
            errors = len(web.tab.errors)
            try:
                name, line = await way()
            except (httpx.HTTPError, TimeoutError, AssertionError) as error:
                wrong.append(f"over HTTP, {way.__name__}: {type(error).__name__} {error}")
                continue
            if line and not (line.isprintable() and len(line) <= LONGEST_LINE and str(home) not in line):
                wrong.append(f"over HTTP, {name}: told {line[:200]!r}")
            if way != web.run and len(web.tab.errors) > errors:
                wrong.append(f"over HTTP, {name}: broke ({web.tab.errors[-1]})")
        await web.tab.project("new")  # and it goes on
        if (await web.tab.edit("set_seed", seed=5)).get("error"):
            wrong.append("over HTTP: the page does not go on")
        await web.tab.close()
    return wrong


def over_http(count: int, seed: int) -> list[str]:
    """So many cases to a server of its own; what was wrong with them."""
    with tempfile.TemporaryDirectory(prefix="inlay-fire-") as place:
        home = Path(place) / "home"
        home.mkdir()
        server = Server(save_tiny(Path(place) / "tiny"), home)
        try:
            server.wait()
            wrong = asyncio.run(_all(server.url, count, seed, home))
            if not server.alive:
                wrong.append("over HTTP: the server has ended")
        finally:
            try:
                server.stop()
            except AssertionError as error:
                lines = [line for line in str(error).splitlines() if line]
                wrong = [*wrong, f"the server's log: {' | '.join(lines[-12:])[:1500]}"]
        return wrong
