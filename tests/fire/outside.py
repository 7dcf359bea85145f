"""A tab over plain HTTP: what the page's script sends and hears, without a browser."""

from __future__ import annotations

import asyncio
import json
import secrets
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import httpx

SECONDS = 180.0  # that an answer may take: fifty tabs share two cores
API = "gradio_api"


@dataclass(frozen=True)
class Routes:
    """Which of the server's listeners and components bears which number."""

    listeners: dict[str, int]  # name of the function -> number
    triggers: dict[str, int | None]  # name of the function -> component whose event it is
    outputs: dict[str, list[int]]  # name of the function -> components that its answer is for
    questions: dict[str, int]  # name of a function that the page asks -> component

    @classmethod
    def of(cls, config: dict[str, Any]) -> Routes:
        """Those that the page's configuration names."""
        rows = config["dependencies"]
        asked = {
            name: one["id"] for one in config["components"] for name in one["props"].get("server_fns") or ()
        }
        return cls(
            {row["api_name"]: row["id"] for row in rows},
            {row["api_name"]: row["targets"][0][0] for row in rows},
            {row["api_name"]: row["outputs"] for row in rows},
            asked,
        )

    @property
    def timeline(self) -> int:
        """The component that shows the document."""
        found = self.triggers["edit"]
        assert found is not None
        return found


@dataclass
class HttpTab:
    """One tab of a server. `client`'s base address is the server's; its cookies are a browser's."""

    client: httpx.AsyncClient
    routes: Routes
    page: str = field(default_factory=lambda: f"page-{secrets.token_hex(16)}")  # outlives reloads
    session: str = field(default_factory=lambda: secrets.token_hex(6))
    rev: int = 0
    document: dict[str, Any] = field(default_factory=dict)  # as it came last
    errors: list[str] = field(default_factory=list)  # of Gradio, which page and server hear of

    def __post_init__(self) -> None:
        self._answers: dict[str, asyncio.Future[dict[str, Any]]] = {}
        self._streams: list[asyncio.Task[None]] = []
        self._listening: asyncio.Task[None] | None = None

    async def open(self, project: str = "") -> dict[str, Any]:
        """Load the page, as it worked on `project` before; the document."""
        (await self.client.get("")).raise_for_status()
        self._streams.append(asyncio.create_task(self._beat()))
        document = await self.send("open", {"project": project, "page": self.page})
        await self._join("follow")  # goes on for as long as the tab is there
        return document

    async def edit(self, name: str, /, **payload: Any) -> dict[str, Any]:
        """One gesture; the document that says so."""
        self.rev += 1
        sent = {"id": secrets.token_hex(8), "name": name, "payload": payload, "rev": self.rev}
        return await self.send("edit", sent)

    async def project(self, action: str, folder: str = "", name: str = "") -> dict[str, Any]:
        """Another project into this tab."""
        self.rev += 1
        return await self.send("project", {"action": action, "folder": folder, "name": name, "rev": self.rev})

    async def upload(self, content: bytes, name: str, **more: Any) -> dict[str, Any]:
        """A file; the document with it, or with what is wrong."""
        files = {"files": (f"{secrets.token_hex(6)}.{name.rpartition('.')[2][:8]}", content)}
        answer = await self.post(f"{API}/upload", files=files)
        answer.raise_for_status()
        return await self.send("upload", {"path": answer.json()[0], "name": name, "id": "f", **more})

    async def send(self, listener: str, data: Any, inputs: list[Any] | None = None) -> dict[str, Any]:
        """An event of the page, and the document after it."""
        output = await self.answer(listener, data, inputs)
        at = self.routes.outputs[listener].index(self.routes.timeline)
        shown = output.get("data", [])
        if at < len(shown) and isinstance(shown[at], dict) and "rev" in shown[at]:
            self.document = shown[at]
        return self.document

    async def answer(self, listener: str, data: Any, inputs: list[Any] | None = None) -> dict[str, Any]:
        """What Gradio answers to an event."""
        event = await self._join(listener, data, inputs)
        async with asyncio.timeout(SECONDS):  # `wait_for` of 3.11 may swallow that its task was cancelled
            return await self._answers.setdefault(event, asyncio.Future())

    async def ask(self, question: str, data: Any) -> Any:
        """What the page asks without an event."""
        sent = {
            "session_hash": self.session,
            "component_id": self.routes.questions[question],
            "fn_name": question,
            "data": data,
        }
        answer = await self.post(f"{API}/component_server", json=sent)
        answer.raise_for_status()
        return answer.json()

    async def post(self, path: str, **sent: Any) -> httpx.Response:
        """A request; once more, as browsers do, where it met the end of a connection that had been kept."""
        try:
            return await self.client.post(path, **sent)
        except (httpx.ReadError, httpx.RemoteProtocolError):
            return await self.client.post(path, **sent)

    async def close(self) -> None:
        """The tab is gone: its streams end."""
        streams = [*self._streams, *([self._listening] if self._listening else [])]
        for stream in streams:
            stream.cancel()
        await asyncio.gather(*streams, return_exceptions=True)

    async def _join(self, listener: str, data: Any = None, inputs: list[Any] | None = None) -> str:
        sent = {
            "data": inputs or [],
            "event_data": data,
            "fn_index": self.routes.listeners[listener],
            "trigger_id": self.routes.triggers[listener],
            "session_hash": self.session,
        }
        content = json.dumps(sent)  # httpx's own refuses what is no JSON, such as infinity
        headers = {"Content-Type": "application/json"}
        answer = await self.post(f"{API}/queue/join", content=content, headers=headers)
        answer.raise_for_status()
        event = str(answer.json()["event_id"])
        self._answers.setdefault(event, asyncio.Future())
        if self._listening is None or self._listening.done():
            self._listening = asyncio.create_task(self._listen())
        return event

    async def _beat(self) -> None:
        """The stream by which the server knows that the tab is there."""
        try:
            await self._beating()
        except httpx.HTTPError as error:  # while the tab is open
            self.errors.append(f"its heartbeat ended: {type(error).__name__}")

    async def _beating(self) -> None:
        async with self.client.stream("GET", f"{API}/heartbeat/{self.session}", timeout=None) as stream:
            async for _ in stream.aiter_lines():
                pass

    async def _listen(self) -> None:
        """The stream of answers."""
        try:
            await self._listening_on()
        except httpx.HTTPError as error:
            self.errors.append(f"its answers ended: {type(error).__name__}")

    async def _listening_on(self) -> None:
        query = {"session_hash": self.session}
        async with self.client.stream("GET", f"{API}/queue/data", params=query, timeout=None) as stream:
            async for line in stream.aiter_lines():
                if not line.startswith("data:"):
                    continue
                told = json.loads(line[5:])
                if told.get("msg") == "process_completed":
                    if not told.get("success"):
                        self.errors.append(str(told.get("output", {}).get("error")))
                    waiting = self._answers.setdefault(told["event_id"], asyncio.Future())
                    with suppress(asyncio.InvalidStateError):
                        waiting.set_result(told.get("output") or {})
                elif told.get("msg") == "close_stream":
                    return


def client(url: str, tabs: int = 1) -> httpx.AsyncClient:
    """A browser, with room for the streams of so many tabs."""
    limits = httpx.Limits(
        max_connections=8 * tabs + 8, max_keepalive_connections=8 * tabs, keepalive_expiry=2
    )
    return httpx.AsyncClient(base_url=url, timeout=SECONDS, limits=limits, follow_redirects=True)


async def routes(browser: httpx.AsyncClient) -> Routes:
    """What the server's page consists of."""
    answer = await browser.get("config")
    answer.raise_for_status()
    return Routes.of(answer.json())
