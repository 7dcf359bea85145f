"""A small hub on the loopback that speaks what `huggingface_hub` asks: files, ranges, ways on, refusals."""

from __future__ import annotations

import hashlib
import json
import random
import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import unquote, urlsplit

SHA = "0123456789abcdef0123456789abcdef01234567"
TOKEN = "hf_rightful"
WEIGHTS = random.Random(0).randbytes(300_000)
FILES = {  # of a repository in transformers' format
    "config.json": b"{}",
    "README.md": b"not needed",
    "model.safetensors": WEIGHTS,
    "pytorch_model.bin": b"not needed",
    "tokenizer.json": b'{"a": 1}',
    "run.py": b"never",
}


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def git_sha(data: bytes) -> str:
    return hashlib.sha1(f"blob {len(data)}\0".encode() + data).hexdigest()


@dataclass
class Repo:
    """Files of a repository, small ones as they are and large ones (.safetensors, .bin) in a store beside."""

    files: dict[str, bytes]
    gated: bool = False  # files want TOKEN
    consent: bool = True  # whether the owner of TOKEN accepted the terms


@dataclass
class Hub:
    """What is served, what was asked, and what goes wrong."""

    repos: dict[str, Repo] = field(default_factory=dict)
    asked: list[tuple[str, str, str]] = field(default_factory=list)  # method, path, range
    tokens: list[tuple[str, str]] = field(default_factory=list)  # path, Authorization
    sent: int = 0  # bytes of large files
    cut_after: list[int] = field(default_factory=list)  # the next answers end after so many bytes of a file
    away: bool = False  # every answer ends at once
    spoiled: int = 0  # so many times a large file comes with a wrong byte
    hold: threading.Event | None = None  # after the first chunk of a file, wait for it
    first: threading.Event = field(default_factory=threading.Event)  # set at that chunk
    port: int = 0
    store: int = 0  # port where large files lie: another origin

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"


def _large(path: str) -> bool:
    return path.endswith((".safetensors", ".bin"))


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    hub: Hub

    def log_message(self, format: str, *args: Any) -> None:
        return

    def do_HEAD(self) -> None:
        self._answer(body=False)

    def do_GET(self) -> None:
        self._answer(body=True)

    def _answer(self, body: bool) -> None:
        hub, path = self.hub, unquote(urlsplit(self.path).path)
        hub.asked.append((self.command, path, self.headers.get("Range", "")))
        hub.tokens.append((path, self.headers.get("Authorization", "")))
        if hub.away:
            self.close_connection = True
            return
        if path.startswith("/store/"):
            _, _, digest = path.split("/", 2)
            every = (data for repo in hub.repos.values() for data in repo.files.values())
            self._file(next(data for data in every if sha256(data) == digest), {}, body)
        elif path == "/api/whoami-v2":
            self._who()
        elif found := re.fullmatch(r"/api/models/(.+?)(?:/revision/.+)?", path):
            self._info(found[1])
        elif found := re.fullmatch(r"/(.+?)/resolve/[^/]+/(.+)", path):
            self._resolve(found[1], found[2], body)
        else:
            self._say(404, {}, b"")

    def _who(self) -> None:
        right = self.headers.get("Authorization") == f"Bearer {TOKEN}"
        told = {"name": "mira", "auth": {"accessToken": {"displayName": "inlay", "role": "read"}}}
        self._say(200 if right else 401, {}, json.dumps(told if right else {"error": "no"}).encode())

    def _info(self, name: str) -> None:
        repo = self.hub.repos.get(name)
        if repo is None:
            self._say(401, {"X-Error-Code": "RepoNotFound"}, b"{}")  # as the hub has it for strangers
            return
        siblings = []
        for path, data in repo.files.items():
            row: dict[str, Any] = {"rfilename": path, "size": len(data), "blobId": git_sha(data)}
            if _large(path):
                row["lfs"] = {"sha256": sha256(data), "size": len(data), "pointerSize": 134}
            siblings.append(row)
        told = {"id": name, "modelId": name, "sha": SHA, "gated": "auto" if repo.gated else False}
        self._say(200, {}, json.dumps(told | {"siblings": siblings, "private": False, "tags": []}).encode())

    def _resolve(self, name: str, path: str, body: bool) -> None:
        repo = self.hub.repos.get(name)
        if repo is None or path not in repo.files:
            self._say(404, {"X-Error-Code": "EntryNotFound" if repo else "RepoNotFound"}, b"")
            return
        if repo.gated:
            right = self.headers.get("Authorization") == f"Bearer {TOKEN}"
            if not right or not repo.consent:
                self._say(403 if right else 401, {"X-Error-Code": "GatedRepo"}, b"")
                return
        data = repo.files[path]
        head = {"X-Repo-Commit": SHA}
        if not _large(path):
            self._file(data, head | {"ETag": f'"{git_sha(data)}"'}, body)
            return
        head |= {"X-Linked-Etag": f'"{sha256(data)}"', "X-Linked-Size": str(len(data))}
        head["Location"] = f"http://127.0.0.1:{self.hub.store}/store/{sha256(data)}"
        self._say(302, head, b"")

    def _file(self, data: bytes, head: dict[str, str], body: bool) -> None:
        hub, begin = self.hub, 0
        large = self.path.startswith("/store/")
        if found := re.fullmatch(r"bytes=(\d+)-", self.headers.get("Range", "")):
            begin = int(found[1])
            head = head | {"Content-Range": f"bytes {begin}-{len(data) - 1}/{len(data)}"}
        if large and body and hub.spoiled:
            hub.spoiled -= 1
            data = bytes([data[0] ^ 1]) + data[1:]
        self._say(206 if begin else 200, head, data[begin:] if body else b"", len(data) - begin, large)

    def _say(
        self, status: int, head: dict[str, str], body: bytes, length: int | None = None, large: bool = False
    ) -> None:
        hub = self.hub
        self.send_response(status)
        for key, value in head.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.end_headers()
        if not large:
            self.wfile.write(b"" if self.command == "HEAD" else body)
            return
        cut = hub.cut_after.pop(0) if hub.cut_after and body else None
        for at in range(0, len(body), 4096):
            chunk = body[at : at + 4096]
            if cut is not None and at + len(chunk) > cut:
                self.wfile.flush()
                self.close_connection = True
                return
            try:
                self.wfile.write(chunk)
            except OSError:  # whoever asked is gone
                self.close_connection = True
                return
            hub.sent += len(chunk)
            if hub.hold is not None:
                hub.first.set()
                hub.hold.wait(60)


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Who asked went away in the middle: meant so by the tests."""


@contextmanager
def serving_hub() -> Iterator[Hub]:
    """The hub and its store, on ports of their own, until the block ends."""
    hub = Hub()
    handler = type("Handler", (_Handler,), {"hub": hub})
    servers = [_Server(("127.0.0.1", 0), handler) for _ in range(2)]
    hub.port, hub.store = (server.server_address[1] for server in servers)
    threads = [threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True) for server in servers]
    for thread in threads:
        thread.start()
    try:
        yield hub
    finally:
        if hub.hold is not None:
            hub.hold.set()
        for server, thread in zip(servers, threads, strict=True):
            server.shutdown()
            server.server_close()
            thread.join()
