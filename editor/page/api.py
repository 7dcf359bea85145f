"""What other programs ask of a running server: a run, and what is in a recording. JSON and files.

Two public endpoints beside the page, which any Gradio client calls: `/run` takes the request that
"Request as JSON" and `inlay ... --json` give (what is left out has its default), `/analyze` a recording.
Runs wait in the same line as those of the page. Errors are one line: value, expectation, remedy.
"""

from __future__ import annotations

import asyncio
import tempfile
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from contextlib import aclosing, suppress
from dataclasses import MISSING, asdict, fields, replace
from pathlib import Path
from typing import Any

import gradio as gr
from starlette.concurrency import run_in_threadpool

from editor.doors.ears import Ears
from editor.mishaps import in_one_line
from editor.page.seats import in_turn
from editor.runs import reports
from editor.runs.device import Device
from editor.runs.events import Done, Failed, JobEvent, Queued, Running
from editor.runs.job import Extension, Job, request_of
from editor.runs.replay import request_from
from editor.runs.runner import HEARTBEAT_SECONDS
from engines.audio.recording import SUFFIXES, Recording, read_recording, write_recording
from engines.checkpoints.found import Checkpoint
from engines.errors import InputError
from engines.requests import Controls, InpaintRequest, Result

_DEFAULTS: dict[str, Any] = {"kind": "generate", "engine": "fm", "prompt": "", "seed": 0} | {
    field.name: field.default for field in fields(InpaintRequest) if field.default is not MISSING
}


class Api:
    """The public endpoints of one server."""

    def __init__(self, device: Device, ears: Ears | None = None, app: gr.Blocks | None = None) -> None:
        """`ears` know whether anybody listens for a call of `app`; without them somebody does."""
        self.device = device
        self.ears = ears
        self.app = app

    def place(self) -> None:
        """Put the endpoints into the open block; nothing of them is seen on the page."""
        public: dict[str, Any] = {"api_visibility": "public", "show_progress": "hidden"}
        request, report = gr.JSON(label="request", visible=False), gr.JSON(label="report", visible=False)
        source, audio = gr.File(label="source", visible=False), gr.File(label="audio", visible=False)
        call = gr.Button(visible=False)
        gr.on(
            call.click,
            self.run,
            [request, source],
            [audio, report],
            api_name="run",
            concurrency_limit=None,  # they wait in the device's line, where users take turns
            concurrency_id="calls",
            **public,
        )
        gr.on(call.click, self.analyze, [source], [report], api_name="analyze", concurrency_limit=1, **public)

    async def run(
        self, request: Any, source: str | None, asked: gr.Request
    ) -> AsyncIterator[tuple[str | None, dict[str, Any]]]:
        """Generate, inpaint or extend: (audio, report), while it goes on (None, {"stage", "done", "of"}).

        `request` is an object with "kind" ("generate" or "inpaint"), "engine", "prompt", "seed", "seconds" or
        "start" and "end", "controls", "ar", "fm"; `source` is the recording of a span. While it waits, "of"
        is how many runs come before it, and "seconds" until it begins (null: not known).
        """
        who = in_turn(asked)
        try:
            if self.ears is not None:
                await run_in_threadpool(self.ears.hear, self._name(asked))
            self.device.runner.check_room(who)
            job = await run_in_threadpool(self._asked, request, source)
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error
        async with aclosing(self._told(job, who)) as events:
            async for event in events:
                if isinstance(event, Running):
                    at = event.progress
                    yield None, {"stage": at.stage, "done": at.step, "of": at.total}
                elif isinstance(event, Queued):
                    left = None if event.seconds is None else round(event.seconds, 1)
                    yield None, {"stage": "wait", "done": 0, "of": event.position, "seconds": left}
                elif isinstance(event, Failed):
                    raise gr.Error(event.message, print_exception=False)
                elif isinstance(event, Done):
                    with tempfile.TemporaryDirectory(prefix="inlay-") as folder:
                        path = await run_in_threadpool(_written, Path(folder), job, event.result)
                        yield str(path), reports.of_run(event.result, job)  # Gradio keeps a copy

    def _asked(self, request: Any, source: str | None) -> Job:
        with in_one_line("request"):
            return self.job_of(request, None if source is None else read_recording(Path(source)))

    async def _told(self, job: Job, who: str) -> AsyncGenerator[JobEvent]:
        """The events of a job, as of `Runner.stream`; holds no thread of the page. Closing it cancels."""
        events: asyncio.Queue[JobEvent | None] = asyncio.Queue()  # None ends it
        loop, stop = asyncio.get_running_loop(), threading.Event()

        def tell(event: JobEvent | None) -> None:
            with suppress(RuntimeError):  # the loop has ended with the server
                loop.call_soon_threadsafe(events.put_nowait, event)

        def work() -> None:
            try:
                self.device.runner.run([job], tell, stop, who=who)
            finally:
                tell(None)

        threading.Thread(target=work, name="inlay-call", daemon=True).start()
        last: JobEvent | None = None
        try:
            while True:
                try:
                    async with asyncio.timeout(HEARTBEAT_SECONDS):  # `wait_for` of 3.11 may swallow a Cancel
                        last = await events.get()
                except TimeoutError:  # said again, so that a client that has gone is noticed
                    if not isinstance(last, Queued | Running):
                        continue
                if last is None:
                    return
                yield last
        finally:
            stop.set()

    def _name(self, asked: gr.Request) -> str:
        """What the stream of a call's answers is known by: its tab, or the call itself."""
        if asked.session_hash or self.app is None:
            return asked.session_hash or ""
        events = self.app._queue.event_ids_to_events.values()
        return next((event._id for event in events if event.request is asked.request), "")

    def job_of(self, request: Any, source: Recording | None) -> Job:
        """The request that an object from outside describes; InputError for one that describes none."""
        if not isinstance(request, Mapping):
            raise InputError(f'request {str(request)[:40]!r}: expected an object such as {{"engine": "fm"}}')
        exported = request.get("request", request.get("parameters"))  # then nothing is left out
        fields = _completed(request, self.device.bundle) if exported is None else exported
        if not isinstance(fields, Mapping):
            raise InputError(f'"request" {str(fields)[:40]!r}: expected an object; export it again')
        if fields.get("kind") == "inpaint" and source is None:
            raise InputError("source: none was sent; send the recording that the span is of")
        job = request_from(fields, None, source)
        if isinstance(job, Extension) or exported is not None or "zero_shot" in request.get("fm", ()):
            return job
        # the checkpoint knows which measured better
        spec = self.device.bundle.serving(job.fm.checkpoint).spec
        return replace(job, fm=replace(job.fm, zero_shot=spec.zero_shot_with(job.fm.solver)))

    def analyze(self, source: str | None) -> dict[str, Any]:
        """What is heard in a recording, as `inlay analyze --json` tells it."""
        from engines.analysis.analyze import analyze

        try:
            if source is None:
                raise InputError("source: none was sent; send a recording")
            with in_one_line(Path(source).name):
                recording = read_recording(Path(source))
                mono = recording.mono()  # [n]
                return reports.of_analysis(analyze(mono, recording.rate))
        except InputError as error:
            raise gr.Error(str(error), print_exception=False) from error


def _written(folder: Path, job: Job, result: Result) -> Path:
    """The file of what was made, in the format of what it was made of."""
    inner = request_of(job)
    container = inner.source.format if isinstance(inner, InpaintRequest) else "WAV"
    path = folder / f"inlay{SUFFIXES.get(container, '.wav')}"
    write_recording(path, result.audio)
    return path


def _completed(request: Mapping[str, Any], bundle: Checkpoint) -> dict[str, Any]:
    """A request with a default for all that it leaves out; of settings that of the checkpoint it names."""
    whole = _DEFAULTS | dict(request)
    needed = {"generate": ("seconds",), "inpaint": ("start", "end")}.get(str(whole["kind"]))
    if needed is None:
        raise InputError(f"kind {str(whole['kind'])[:40]!r}: expected generate or inpaint")
    if missing := [name for name in needed if name not in request]:
        raise InputError(f"{' and '.join(missing)}: missing in the request; give them in seconds")
    for part in ("ar", "fm", "controls"):
        sent = whole.get(part, {})
        if not isinstance(sent, Mapping):
            raise InputError(f'"{part}" {str(sent)[:40]!r}: expected an object; leave it out')
        spec = bundle.serving(str(sent.get("checkpoint", ""))).spec
        default = Controls() if part == "controls" else spec.ar if part == "ar" else spec.fm
        whole[part] = asdict(default) | dict(sent)
    return whole
