"""The page that listeners rate on, and its server on the loopback.

A small page of its own, without Gradio: it opens at once and keeps nothing of a browser. It stands behind
the editor's doors (`editor.doors.origins`). Sounds are named by words that tell nothing of their system; both
sides of a pair are sent equally loud and in one format. Seconds are seconds.
"""

from __future__ import annotations

import hashlib
import hmac
import io
import json
import secrets
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.routing import Route

from editor.doors.origins import Doors
from editor.listening.answers import SCALES, Answers, Rating, checked
from editor.listening.pairs import Item, Pair, items, order
from engines.analysis.analyze import loudness
from engines.audio.recording import Recording, read_recording
from engines.errors import InputError

MAX_BODY = 4 << 10  # bytes of an answer
SILENT = -69.0  # LUFS up to which nothing is matched
PEAKS = 400  # of a waveform's picture
SIDES = ("A", "B")
PAGE = Path(__file__).parent / "room.html"
CONSENT = (
    "You are asked to listen to pairs of short pieces of music and to rate each on two scales. You may stop "
    "at any time by closing the page. What is kept: your ratings under a random number, on this machine. "
    "Nothing is asked or kept of who you are: no name, no address, no time. By beginning you agree that your "
    "ratings may be counted and published with those of others."
)


class Room:
    """One study: its pairs, its answers, its sounds."""

    def __init__(self, folder: Path) -> None:
        """InputError where the folder has no pairs."""
        self.items: list[Item] = items(folder)
        self.answers = Answers(folder / "answers")
        self._secret = secrets.token_bytes(16)
        self._sounds: dict[str, tuple[Item, str, tuple[str, str]]] = {}  # word -> item, system, both systems
        self._level: dict[Path, float] = {}

    def next(self, listener: str) -> dict[str, Any]:
        """The pair that a listener has not rated yet, or `done`. InputError for an unknown listener."""
        pairs, place = self._at(listener)
        if place == len(pairs):
            return {"done": True, "of": len(pairs)}
        pair = pairs[place]
        return {
            "done": False, "place": place, "of": len(pairs), "span": pair.item.span,
            "sides": [self._side(listener, place, pair, k) for k in range(2)],
        }  # fmt: skip

    def rate(self, listener: str, place: object, given: object) -> None:
        """Both sides' two ratings of the pair at `place`. InputError for what is none, or rated already."""
        pairs, now = self._at(listener)
        if place != now or now >= len(pairs):
            raise InputError(
                f"pair {str(place)[:12]}: not the one that is to be rated now; load the page again"
            )
        if not isinstance(given, list) or len(given) != 2 or not all(isinstance(g, dict) for g in given):
            raise InputError("ratings: expected two, each with smoothness and match")
        told, systems = [], pairs[now].systems
        for k, each in enumerate(given):
            told.append(
                Rating(listener, now, pairs[now].item.name, systems[k], systems[1 - k], SIDES[k],
                       checked(each.get("smoothness")), checked(each.get("match")))
            )  # fmt: skip
        self.answers.append(told)

    def sound(self, word: str) -> bytes:
        """A side as a WAV of 16 bits, as loud as the quieter of the two. InputError for an unknown word."""
        if word not in self._sounds:
            raise InputError("sound: not known; load the page again")
        item, system, both = self._sounds[word]
        levels = {s: self._loudness(item.files[s]) for s in both}
        audio = read_recording(item.files[system])
        quieter = min(levels.values())
        gain = 10 ** ((quieter - levels[system]) / 20) if quieter > SILENT else 1.0
        out = io.BytesIO()
        soundfile.write(
            out, np.clip(audio.as_float() * gain, -1, 1), audio.rate, format="WAV", subtype="PCM_16"
        )
        return out.getvalue()

    def _at(self, listener: str) -> tuple[list[Pair], int]:
        if not self.answers.known(listener):
            raise InputError("this listener is not known here; open the page again")
        rated = {rating.place for rating in self.answers.of(listener)}
        return order(self.items, listener), len(rated)

    def _side(self, listener: str, place: int, pair: Pair, k: int) -> dict[str, Any]:
        told = f"{listener}/{place}/{k}".encode()
        word = hmac.new(self._secret, told, hashlib.sha256).hexdigest()[:32]
        self._sounds[word] = (pair.item, pair.systems[k], pair.systems)
        audio = read_recording(pair.item.files[pair.systems[k]])
        return {"sound": f"sound/{word}", "seconds": audio.seconds, "peaks": peaks(audio)}

    def _loudness(self, file: Path) -> float:
        if file not in self._level:
            audio = read_recording(file)
            self._level[file] = loudness(np.asarray(audio.mono(), np.float32), audio.rate)
        return self._level[file]


def peaks(audio: Recording) -> list[float]:
    """The highest absolute sample in each of PEAKS stretches, the loudest 1."""
    mono: NDArray[Any] = np.abs(audio.mono())
    parts = [float(part.max(initial=0.0)) for part in np.array_split(mono, PEAKS)]
    top = max(parts) or 1.0
    return [round(value / top, 3) for value in parts]


def application(folder: Path) -> Starlette:
    """The page and what it asks for, behind the doors. InputError where the folder has no pairs."""
    room = Room(folder)
    scales = [{"name": name, "title": title, "words": words} for name, (title, words) in SCALES.items()]
    told = json.dumps({"consent": CONSENT, "scales": scales}).replace("<", "\\u003c")
    page = PAGE.read_text().replace("__TOLD__", told)

    async def index(request: Request) -> Response:
        return HTMLResponse(page)

    async def begin(request: Request) -> Response:
        if (await _sent(request)).get("consent") is not True:
            raise InputError("consent: not given; nothing was begun")
        return JSONResponse({"listener": room.answers.begin()})

    async def following(request: Request) -> Response:
        sent = await _sent(request)
        return JSONResponse(await run_in_threadpool(room.next, str(sent.get("listener", ""))))

    async def rate(request: Request) -> Response:
        sent = await _sent(request)
        room.rate(str(sent.get("listener", "")), sent.get("place"), sent.get("ratings"))
        return JSONResponse({})

    async def sound(request: Request) -> Response:
        made = await run_in_threadpool(room.sound, request.path_params["word"])
        return Response(made, media_type="audio/wav", headers={"Cache-Control": "no-store"})

    def refused(request: Request, error: Exception) -> Response:
        return JSONResponse({"error": str(error)}, 400)

    return Starlette(
        routes=[
            Route("/", index), Route("/begin", begin, methods=["POST"]),
            Route("/next", following, methods=["POST"]), Route("/rate", rate, methods=["POST"]),
            Route("/sound/{word}", sound),
        ],
        middleware=[Middleware(Doors)],
        exception_handlers={InputError: refused},
    )  # fmt: skip


async def _sent(request: Request) -> dict[str, Any]:
    """What a page sent, as an object. InputError for anything else."""
    body = b""
    async for part in request.stream():
        body += part
        if len(body) > MAX_BODY:
            raise InputError(f"more than {MAX_BODY} bytes were sent; expected a few ratings")
    try:
        told = json.loads(body)
    except ValueError as error:
        raise InputError("what was sent is no JSON") from error
    if not isinstance(told, dict):
        raise InputError("what was sent is no JSON object")
    return told


def serve(folder: Path, port: int) -> None:
    """Serve the study on this machine until it is stopped. InputError for an unusable folder or port."""
    import socket

    import uvicorn

    app = application(folder)
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise InputError(f"port {port}: cannot be used ({error}); choose another with --port") from error
    print(f"The study is open at http://127.0.0.1:{port}  (Ctrl-C stops it)", flush=True)
    uvicorn.run(app, host="127.0.0.1", port=port, log_level="warning")
