"""Runs: project -> requests, one device for all of them, progress and cancel; results -> takes.

A `Runner` owns one device: of all the runs asked of it, from every tab, one works at a time, in the
order of asking. `Runner.stream` does a job (one request per engine) in a worker thread and yields
frozen events. Times are seconds. Knows no page, and of the engines only their dispatcher; torch is
loaded by the first run, not by importing this.
"""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Callable, Container, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from queue import Empty, SimpleQueue
from secrets import token_hex
from typing import Any, Literal, cast

import numpy as np

from editor.project import commands, lanes, wording
from editor.project.disk import storage
from editor.project.document import Project, Region, Sound, Span, Take
from engines.filling import edits
from engines.audio.compose import span_samples
from engines.audio.recording import Recording
from engines.requests import (
    CHANGES,
    ENGINE_NAMES,
    INTENTS,
    ARSettings,
    Cancelled,
    Change,
    Chord,
    Controls,
    EngineName,
    FMSettings,
    GenerateRequest,
    Guidance,
    Hit,
    InpaintRequest,
    InputError,
    Intent,
    Note,
    Part,
    Progress,
    ProgressHook,
    Request,
    Result,
    Support,
    Wish,
)
from engines.audio.timebase import Grid

Kind = Literal["generate", "inpaint", "continue", "intro", "loop"]
ExtensionKind = Literal["continue", "intro", "loop"]
EXTENSIONS: tuple[ExtensionKind, ...] = ("continue", "intro", "loop")
GENERATORS: tuple[EngineName, ...] = ("ar", "fm")  # engines that make whole clips
EVENT_SECONDS = 0.125  # at most eight reports a second
HEARTBEAT_SECONDS = 0.5  # a silent stream repeats its last event, so that a closed tab is noticed
PEAK_SECONDS = 0.02  # of sound that a peak stands for
PARTIAL_SECONDS = 0.5  # what an engine has made so far is decoded at most twice a second ...
PARTIAL_SHARE = 0.03  # ... and takes no more of a run's time than this
_WAIT_SECONDS = 0.05  # how often a waiting run looks for Cancel

log = logging.getLogger("inlay")


@dataclass(frozen=True)
class Extension:
    """A clip made longer at its end or its beginning, or one whose end meets its beginning unheard."""

    kind: ExtensionKind
    request: InpaintRequest  # of the clip as it is; its span is ignored. Controls: on the result's clock
    seconds: float  # to add; of a loop, to re-make around the join

    @property
    def engine(self) -> EngineName:
        """Who makes it."""
        return self.request.engine

    @property
    def seed(self) -> int:
        """Of the request."""
        return self.request.seed

    @property
    def region(self) -> Region | None:
        """The stretch that is added, on the result's clock; None for a loop, which adds none."""
        if self.kind == "loop":
            return None
        start = self.request.source.seconds if self.kind == "continue" else 0.0
        return Region(start, start + self.seconds)

    @property
    def probe(self) -> InpaintRequest:
        """A request that can be served where the extension can. InputError for an unusable length."""
        if self.kind == "loop":
            return replace(self.request, start=0.0, end=self.seconds)
        lengthen = edits.continuation if self.kind == "continue" else edits.intro
        return lengthen(self.request, self.seconds)

    def run(self, run: edits.Run, progress: ProgressHook | None) -> Result:
        """Make it with `run`, which serves one request."""
        if self.kind == "loop":
            return edits.loop(self.request, self.seconds, run, progress)
        return run(self.probe, progress)


Asked = Request | Extension


# ---- events


@dataclass(frozen=True)
class Queued:
    """The run waits for the device."""

    engine: EngineName
    position: int  # runs ahead of it, 1 = it is next after the one that works
    index: int = 0  # which of the job's requests


@dataclass(frozen=True)
class Running:
    """The run works."""

    engine: EngineName
    progress: Progress
    index: int = 0
    peaks: tuple[int, ...] = ()  # of what it has made so far: loudest sample of each PEAK_SECONDS, 0..100


@dataclass(frozen=True)
class Done:
    """The run has finished; its take is stored already."""

    engine: EngineName
    result: Result
    take: Take | None  # None when the stream was given no folder
    index: int = 0


@dataclass(frozen=True)
class Failed:
    """The run cannot be done, or broke; the others go on."""

    engine: EngineName
    message: str  # one line for the musician
    index: int = 0


@dataclass(frozen=True)
class CancelledEvent:
    """The run was stopped, or never begun, because of Cancel."""

    engine: EngineName
    progress: Progress | None = None  # how far it had come
    index: int = 0


JobEvent = Queued | Running | Done | Failed | CancelledEvent


# ---- project -> requests


def requests_for(
    project: Project,
    folder: Path,
    kind: Kind,
    engines: Sequence[str] | None = None,
    ar: ARSettings | None = None,
    fm: FMSettings | None = None,
    together: bool = False,
) -> tuple[Asked, ...]:
    """What a run of some kind asks for, one per engine (None = those ticked in the project) and variation.

    Inpaint re-makes the active span with its words and lanes, or (`together`) all spans at once with the
    clip's.

    Generate leaves out the zero-shot engine, which only fills spans. The engines share seed and lanes,
    so that they can be compared; each further variation has the next seed. Engine "auto", which compares
    by itself, makes one take. InputError when no engine, clip or span is chosen.
    """
    asked = project.engines if engines is None else engines
    chosen: list[EngineName] = [name for name in ENGINE_NAMES if name in asked]
    variations = project.variations
    if kind == "inpaint" and "auto" in asked:
        chosen, variations = ["auto"], 1
    if kind == "generate":
        chosen = [name for name in chosen if name in GENERATORS]
    if not chosen:
        raise InputError(f"no engine for {kind}: tick at least one of AR and FM")
    words = project.span_prompt if kind == "inpaint" and not together else project.prompt
    prompt = commands.check_prompt(words)
    ar, fm = ar or ARSettings(), fm or FMSettings()
    each = [
        (name, (project.seed + variation) % (commands.MAX_SEED + 1))
        for variation in range(variations)
        for name in chosen
    ]
    if kind == "generate":
        controls = replace(
            span_controls(project, None, Region(0.0, project.length), project.follow, named=True, anew=True),
            grid=project.grid,
        )
        return tuple(
            GenerateRequest(name, prompt, project.length, seed, controls, ar, fm, sliding=True)
            for name, seed in each
        )
    if project.clip is None:
        raise InputError(f"nothing to {_VERBS[kind]}: upload a recording or generate a clip first")
    span = project.region or Region(0.0, project.clip.seconds)
    if kind == "inpaint" and not (project.spans if together else project.region):
        raise InputError("no span selected: drag over the part of the waveform to re-make")
    span, *apart = project.apart if kind == "inpaint" and together else (span,)
    active = None if together or kind != "inpaint" else project.span
    follow = project.followed if active else project.follow
    intent, changed = asked_of(project, active)
    place = Region(span.start, (apart or [span])[-1].end)
    own = active is not None and wording.has_own_words(project, active)
    controls = span_controls(project, active, place, follow, named=own)
    source = storage.read_sound(folder, project.clip.sound)
    knobs = project.settings
    requests = [
        InpaintRequest(
            name,
            source,
            span.start,
            span.end,
            prompt,
            seed,
            controls,
            ar,
            fm,
            crossfade=knobs.crossfade,
            match=knobs.match,
            strength=knobs.strength,
            also=tuple((region.start, region.end) for region in apart),
            sliding=True,
            patience=knobs.patience,
            intent=intent,
            changed=changed,
            left_open=unfollowed(project, follow),
        )
        for name, seed in each
    ]
    if kind == "inpaint":
        return tuple(requests)
    # The join of a short clip is at most half of it; what is added has no content of its own to keep.
    seconds = min(knobs.join, source.seconds / 2) if kind == "loop" else project.length
    controls = extension_controls(project, kind, seconds)
    drawn = _drawn(controls) if kind == "continue" else ()
    return tuple(
        Extension(
            kind, replace(request, strength=1.0, controls=controls, intent="auto", changed=drawn), seconds
        )
        for request in requests
    )


def span_controls(
    project: Project,
    span: Span | None,
    place: Region,
    follow: Sequence[str],
    named: bool = False,
    anew: bool = False,
) -> Controls:
    """The lanes that are followed and the grid, for a span or (None) with the clip's words.

    With `named`, whom the words name plays, or does not, over all of `place`. `anew`: of a new clip.
    """
    given = lanes.to_controls(project.lanes, project.grid, follow, anew)
    parts = (*(given.instruments or ()), *(wording.parts(project, span, place) if named else ()))
    return replace(given, instruments=parts or None, grid=known_grid(project))


def unfollowed(project: Project, follow: Sequence[str]) -> tuple[str, ...]:
    """Lanes that say something and are not followed: what a change leaves alone goes on, but for these."""
    lanes_of_sound = ("chords", "melody", "drums")
    return tuple(name for name in lanes_of_sound if name not in follow and getattr(project.lanes, name))


def known_grid(project: Project) -> Grid | None:
    """The project's grid; None where nobody has said or heard yet what the beat of a recording is."""
    clip = project.clip
    recorded = clip is not None and any(
        version.clip.file == clip.file and version.take is None for version in project.versions
    )
    return None if recorded and project.grid == Grid() else project.grid


def asked_of(project: Project, span: Span | None) -> tuple[Intent, tuple[Change, ...]]:
    """The intent and what is asked that was not there: of a span, or (None) of all spans together."""
    if span is not None:
        return cast(Intent, span.intent), wording.asked(project, span).changed
    # all are made with the clip's words and lanes
    each = [wording.asked(project, replace(one, prompt=None, follow=None)).changed for one in project.spans]
    intents = {one.intent for one in project.spans}
    intent = cast(Intent, intents.pop()) if len(intents) == 1 else "auto"
    return intent, tuple(name for name in CHANGES if any(name in changed for changed in each))


def _drawn(controls: Controls) -> tuple[Change, ...]:
    """The lanes that are given and that music would not go on with by itself."""
    given: dict[Change, object] = {"melody": controls.melody, "drums": controls.drums}
    return tuple(name for name, lane in given.items() if lane)


def extension_controls(project: Project, kind: ExtensionKind, seconds: float) -> Controls:
    """The lanes on the clock of an extended clip. Melody and drums count only where some are drawn in the
    stretch that is added: an empty lane there is not silence that someone asked for.
    """
    if kind == "loop" or project.clip is None:
        return Controls()
    grid = known_grid(project)
    given = lanes.to_controls(project.lanes, project.grid, project.follow)
    if kind == "intro":
        moved = tuple(
            replace(chord, start=chord.start + seconds, end=chord.end + seconds)
            for chord in given.chords or ()
        )
        later = None if grid is None else replace(grid, offset=grid.offset + seconds)
        return Controls(moved or None, grid=later)
    end = project.clip.seconds
    melody = given.melody if any(note.end > end for note in given.melody or ()) else None
    drums = given.drums if any(hit.time >= end for hit in given.drums or ()) else None
    parts = tuple(part for part in given.instruments or () if part.end > end)
    return Controls(given.chords, melody, drums, parts or None, grid)


_VERBS = {"inpaint": "inpaint", "continue": "continue", "intro": "begin differently", "loop": "loop"}


# ---- results -> takes -> requests again


def take_from(
    result: Result, folder: Path, source: Sound | None = None, extension: Extension | None = None
) -> Take:
    """Store a result's audio in the project folder and describe it as a take; of a re-made clip the
    span alone, after a look at every other sample: one that differs from the source's is a ValueError.
    The result of an `extension` is stored whole.

    `source` names the audio that an inpainted clip came from; without it the source is stored, too
    (once: audio files are named by content). `request_from(take.parameters, folder)` gives the request
    back.
    """
    request, audio = result.request, result.audio
    region = first = None
    regions: tuple[Region, ...] = ()
    kind: Kind = "generate"
    parameters = None
    if extension is not None and isinstance(request, InpaintRequest):
        kind, region = extension.kind, extension.region
        source = source or Sound(storage.add_audio(folder, extension.request.source))
        _check_extended(extension, request, audio)
        asked = replace(extension.request, engine=request.engine)
        parameters = request_to_json(replace(extension, request=asked), source)
    elif isinstance(request, InpaintRequest):
        kind = "inpaint"
        source = source or Sound(storage.add_audio(folder, request.source))
        region = Region(request.start, request.spans[-1][1])
        regions = tuple(Region(*span) for span in request.spans) if request.also else ()
        spans = [span_samples(request.source, *span) for span in request.spans]
        _check_untouched(request.source, audio, spans)
        first, last = spans[0][0], spans[-1][1]
        audio = replace(audio, samples=audio.samples[first:last])
    else:
        source = None
    take = Take(
        id=f"t{token_hex(6)}",
        kind=kind,
        engine=request.engine,
        seed=request.seed,
        prompt=request.prompt,
        file=storage.add_audio(folder, audio),
        seconds=result.audio.seconds,
        region=region,
        source=source,
        parameters={**(parameters or request_to_json(request, source)), "resolved": plain(result.parameters)},
        timings=plain(result.timings),
        seams=tuple(plain(asdict(seam)) for seam in result.seams),
        made=datetime.now(UTC).isoformat(timespec="milliseconds"),
        rate=audio.rate,
        channels=audio.channels,
        first=first,
        spans=regions,
        wish=tuple(wish_to_json(wish) for wish in result.wishes),
    )
    storage.add_finished(folder, take)
    return take


def _check_extended(extension: Extension, request: InpaintRequest, audio: Recording) -> None:
    """ValueError unless an extended clip holds its source's samples outside what was made."""
    if extension.kind == "loop":  # it was made with end and beginning in the middle
        audio = replace(audio, samples=np.roll(audio.samples, audio.length // 2, axis=0))
    _check_untouched(request.source, audio, [span_samples(request.source, request.start, request.end)])


def _check_untouched(source: Recording, made: Recording, spans: Sequence[tuple[int, int]]) -> None:
    """ValueError unless two recordings are the same sample for sample outside the spans [first, last)."""
    a, b = source.samples, made.samples
    same = a.shape == b.shape and a.dtype == b.dtype and source.rate == made.rate
    begin = 0
    for first, last in (*spans, (source.length, source.length)):
        same = same and bool((a[begin:first] == b[begin:first]).all())
        begin = last
    if not same:
        raise ValueError(f"samples outside {spans[0][0]}-{spans[-1][1]} differ from the source's")


def wish_to_json(wish: Wish) -> dict[str, Any]:
    """One wish as a take keeps it, with what came of it in words."""
    return plain(asdict(wish) | {"words": wish.words})


def request_to_json(request: Asked, source: Sound | None = None) -> dict[str, object]:
    """Everything that is needed to run a request again, JSON-ready; audio is named, not held."""
    if isinstance(request, Extension):
        told = {"kind": request.kind, "seconds": request.seconds}
        return {**request_to_json(request.request, source), "extension": told}
    shared: dict[str, object] = {
        "engine": request.engine,
        "prompt": request.prompt,
        "seed": request.seed,
        "controls": asdict(request.controls),
        "ar": asdict(request.ar),
        "fm": asdict(request.fm),
    }
    if isinstance(request, GenerateRequest):
        length = {"seconds": request.seconds, "sliding": request.sliding}
        return plain({"kind": "generate", **shared, **length})
    place = {name: getattr(request, name) for name in ("start", "end", *_INPAINT)}
    named = None if source is None else asdict(source)
    return plain({"kind": "inpaint", **shared, **place, "source": named})


def plain(values: Mapping[str, Any]) -> dict[str, Any]:
    """The values as they come back from JSON: lists for tuples, Python's numbers for NumPy's."""
    same: dict[str, Any] = json.loads(json.dumps(values, default=_number))
    return same


def _number(value: Any) -> float | int:
    number: float | int = value.item()
    return number


def _spans(data: Any) -> tuple[tuple[float, float], ...]:
    return tuple((float(start), float(end)) for start, end in data)


def _intent(data: Any) -> Intent:
    if data not in INTENTS:
        raise ValueError(f"intent {str(data)[:40]!r}: expected one of {', '.join(INTENTS)}")
    return cast(Intent, data)


def _changed(data: Any) -> tuple[Change, ...] | None:
    if data is None:
        return None
    if unknown := [name for name in data if name not in CHANGES]:
        raise ValueError(f"changed {str(unknown[0])[:40]!r}: expected some of {', '.join(CHANGES)}")
    return tuple(name for name in CHANGES if name in data)


_INPAINT: dict[str, Callable[[Any], Any]] = {  # fields of an inpaint request and how JSON gives them back
    "crossfade": float,
    "match": float,
    "strength": float,
    "also": _spans,
    "sliding": bool,
    "patience": float,
    "intent": _intent,
    "changed": _changed,
    "left_open": lambda names: tuple(str(name) for name in names),
}

# Requests that were written before these fields were made without what they do.
_UNNAMED: dict[str, Any] = {"intent": "blend"}


def _unnamed_ar(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {"seeded": min(int(settings.get("candidates", 1)) // 2, 2)}


def _unnamed_fm(settings: Mapping[str, Any]) -> dict[str, Any]:
    return {"candidates": 1, "seeded": min(int(settings.get("candidates", 1)) - 1, 2)}


def request_from(
    parameters: Mapping[str, Any], folder: Path | None, source: Recording | None = None
) -> Asked:
    """What a take's parameters ask for; InputError when they are damaged, or their audio is gone.

    The audio is read from the project `folder`, unless `source` is given.
    """
    try:
        engine = parameters["engine"]
        if engine not in ENGINE_NAMES:
            raise ValueError(f"engine {engine!r}")
        prompt, seed = str(parameters["prompt"]), int(parameters["seed"])
        controls = controls_from(parameters["controls"])
        sampled, flowing = _settings(parameters["ar"]), _settings(parameters["fm"])
        ar = ARSettings(**(_unnamed_ar(sampled) | sampled))
        fm = FMSettings(**(_unnamed_fm(flowing) | flowing))
        if parameters["kind"] == "generate":
            seconds = float(parameters["seconds"])
            sliding = parameters.get("sliding") is True
            return GenerateRequest(engine, prompt, seconds, seed, controls, ar, fm, sliding)
        start, end = float(parameters["start"]), float(parameters["end"])
        named = {name: read(parameters[name]) for name, read in _INPAINT.items() if name in parameters}
        given: dict[str, Any] = _UNNAMED | named
        sound = storage.sound_from_json(parameters["source"]) if source is None else None
        extension = _extension(parameters.get("extension"))
    except (KeyError, TypeError, ValueError) as error:
        raise InputError(f"settings of the take are damaged ({error}); set them by hand") from error
    if source is None:
        if folder is None or sound is None:
            raise InputError("source of the take: not named; give the recording that it was made from")
        source = storage.read_sound(folder, sound)
    request = InpaintRequest(engine, source, start, end, prompt, seed, controls, ar, fm, **given)
    return Extension(extension[0], request, extension[1]) if extension else request


def _extension(data: Any) -> tuple[ExtensionKind, float] | None:
    if data is None:
        return None
    kind = data["kind"]
    if kind not in EXTENSIONS:
        raise ValueError(f"extension {kind!r}")
    return kind, float(data["seconds"])


def controls_from(data: Mapping[str, Any]) -> Controls:
    """Lanes in seconds, as requests are written."""
    chords, melody, drums = data["chords"], data["melody"], data["drums"]
    parts, grid = data.get("instruments"), data.get("grid")  # an older Inlay wrote neither
    return Controls(
        None if chords is None else tuple(Chord(**chord) for chord in chords),
        None if melody is None else tuple(Note(**note) for note in melody),
        None if drums is None else tuple(Hit(**hit) for hit in drums),
        None if parts is None else tuple(Part(**part) for part in parts),
        None if grid is None else Grid(float(grid["bpm"]), int(grid["beats_per_bar"]), float(grid["offset"])),
    )


def _settings(data: Mapping[str, Any]) -> dict[str, Any]:
    """The fields of an engine's settings: JSON knows lists only, and guidance is a class of its own."""
    fields = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    return {**fields, "guidance": _guidance(data["guidance"])}


def _guidance(data: Mapping[str, float] | None) -> Guidance | None:
    return None if data is None else Guidance(**data)


# ---- the device and its runs


class _Line:
    """Runs waiting for one device, first come first served."""

    def __init__(self) -> None:
        self._tickets: list[object] = []
        self._changed = threading.Condition()

    def join(self) -> object:
        """A ticket at the end of the line."""
        ticket = object()
        with self._changed:
            self._tickets.append(ticket)
        return ticket

    def leave(self, ticket: object) -> None:
        """Give the ticket back, whether its turn had come or not."""
        with self._changed:
            if ticket in self._tickets:
                self._tickets.remove(ticket)
                self._changed.notify_all()

    def ahead(self, ticket: object) -> int:
        """How many runs come before this ticket's; 0 = it has the device."""
        with self._changed:
            return self._tickets.index(ticket)

    def wait(self, ticket: object, seconds: float) -> bool:
        """Whether the ticket's turn has come; waits for it at most `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: self._tickets[0] is ticket, seconds)


Run = Callable[[Request, Any, ProgressHook], Result]
Supports = Callable[[Request], Support]


class Runner:
    """All runs of one device."""

    def __init__(
        self, models_loader: Callable[[], Any], run: Run | None = None, supports: Supports | None = None
    ) -> None:
        """`models_loader` gives the shared checkpoints (it is called for each run and must cache).

        `run` and `supports` default to those of `engines.dispatch`.
        """
        self._models_loader = models_loader
        self._run = run or _dispatch_run
        self._supports = supports or _dispatch_supports
        self._line = _Line()

    def stream(
        self,
        requests: Sequence[Asked],
        cancel: threading.Event | None = None,
        folder: Path | None = None,
        source: Sound | None = None,
        skipped: Container[int] = (),
    ) -> Iterator[JobEvent]:
        """Do the requests one after the other; yields what happens, last one of Done, Failed or
        CancelledEvent for each request.

        `cancel` stops the run that works at its next step and all that wait; so does closing this
        generator. A request whose index is in `skipped`, now or later, is stopped alone. With a `folder`,
        each result is stored as a take there before its event is yielded. `source` names the clip in it
        that they work on. At most about eight progress events a second; the last event is repeated in
        long silences.
        """
        job = _Job(self, tuple(requests), cancel or threading.Event(), folder, source, skipped)
        yield from job.events()


class _Job:
    """One call of `Runner.stream`: a worker thread that fills a queue, and the generator that drains it."""

    def __init__(
        self,
        runner: Runner,
        requests: tuple[Asked, ...],
        cancel: threading.Event,
        folder: Path | None,
        source: Sound | None,
        skipped: Container[int],
    ) -> None:
        self._runner = runner
        self._requests = requests
        self._cancel = cancel
        self._closed = threading.Event()
        self._folder = folder
        self._source = source
        self._skipped = skipped
        self._queue: SimpleQueue[JobEvent | None] = SimpleQueue()  # None ends it

    def events(self) -> Iterator[JobEvent]:
        line = self._runner._line
        tickets = [line.join() for _ in self._requests]
        positions = [line.ahead(ticket) for ticket in tickets]
        worker = threading.Thread(target=self._work, args=(tickets,), name="inlay-run", daemon=True)
        worker.start()
        last: JobEvent | None = None
        try:
            for index, (request, position) in enumerate(zip(self._requests, positions, strict=True)):
                if position:
                    last = Queued(request.engine, position, index)
                    yield last
            while True:
                try:
                    event = self._queue.get(timeout=HEARTBEAT_SECONDS)
                except Empty:
                    if isinstance(last, (Queued, Running)):
                        yield last
                    continue
                if event is None:
                    return
                last = event
                yield event
        finally:
            self._closed.set()  # reached early when the tab was closed

    def _stopped(self, index: int) -> bool:
        return self._cancel.is_set() or self._closed.is_set() or index in self._skipped

    def _work(self, tickets: list[object]) -> None:
        try:
            for index, (request, ticket) in enumerate(zip(self._requests, tickets, strict=True)):
                try:
                    event = self._one(request, ticket, index)
                finally:
                    self._runner._line.leave(ticket)
                self._queue.put(event)
        finally:
            for ticket in tickets:
                self._runner._line.leave(ticket)
            self._queue.put(None)

    def _one(self, request: Asked, ticket: object, index: int) -> JobEvent:
        """Wait for the device and do one request."""
        line = self._runner._line
        engine = request.engine
        ahead = -1
        while not line.wait(ticket, _WAIT_SECONDS):
            if self._stopped(index):
                return CancelledEvent(engine, None, index)
            now = line.ahead(ticket)
            if now and now != ahead:
                ahead = now
                self._queue.put(Queued(engine, now, index))
        if self._stopped(index):
            return CancelledEvent(engine, None, index)
        began = time.perf_counter()
        newest = Progress("load", 0, 1, 0.0, None)
        sent = began
        growing = _Growing()
        self._queue.put(Running(engine, newest, index))

        def report(progress: Progress) -> None:
            nonlocal newest, sent
            newest = progress
            if self._stopped(index):
                raise Cancelled
            now = time.perf_counter()
            if now - sent >= EVENT_SECONDS:
                sent = now
                self._queue.put(Running(engine, progress, index, growing.peaks(progress)))

        try:
            extension = request if isinstance(request, Extension) else None
            support = self._runner._supports(request.probe if isinstance(request, Extension) else request)
            if not support:
                return Failed(engine, support.reason, index)
            models = self._runner._models_loader()
            result = perform(request, models, report, self._runner._run)
            take = take_from(result, self._folder, self._source, extension) if self._folder else None
            return Done(engine, result, take, index)
        except Cancelled:
            return CancelledEvent(engine, newest, index)
        except InputError as error:
            return Failed(engine, str(error), index)
        except Exception as error:  # one broken engine must not stop the others, nor lose the page
            log.exception("engine %s broke", engine)
            return Failed(engine, failure_words(error), index)


class _Growing:
    """The waveform of a take while it is made, decoded now and then."""

    def __init__(self) -> None:
        self._peaks: tuple[int, ...] = ()
        self._next = 0.0  # time at which to look again

    def peaks(self, progress: Progress) -> tuple[int, ...]:
        """Peaks of all that there is, or what they were a moment ago."""
        now = time.perf_counter()
        if progress.partial is None or now < self._next:
            return self._peaks
        samples, rate = progress.partial()
        size = max(1, round(PEAK_SECONDS * rate))
        whole = samples[: len(samples) // size * size].reshape(-1, size)  # [n] -> [n / size, size]
        self._peaks = tuple(int(peak) for peak in np.clip(100 * np.abs(whole).max(axis=1), 0, 100))
        done = time.perf_counter()
        self._next = max(now + PARTIAL_SECONDS, done + (done - now) / PARTIAL_SHARE)
        return self._peaks


def with_seed(asked: Asked, seed: int) -> Asked:
    """The same with another seed."""
    if isinstance(asked, Extension):
        return replace(asked, request=replace(asked.request, seed=seed))
    return replace(asked, seed=seed)


def perform(asked: Asked, models: Any, progress: ProgressHook, run: Run | None = None) -> Result:
    """Do a request or an extension; `run` serves one request (None = `engines.dispatch`)."""
    serve = run or _dispatch_run
    if not isinstance(asked, Extension):
        return serve(asked, models, progress)
    return asked.run(lambda part, hook: serve(part, models, hook or progress), progress)


def failure_words(error: BaseException) -> str:
    """An unexpected error in one line for the musician."""
    if isinstance(error, MemoryError) or "out of memory" in str(error).lower():
        return "out of memory; close other programs, or choose a shorter span"
    lines = str(error).strip().splitlines()
    return (
        f"the engine broke ({type(error).__name__}{': ' + lines[0][:160] if lines else ''}); try another seed"
    )


def _dispatch_run(request: Request, models: Any, progress: ProgressHook) -> Result:
    from engines import dispatch# loads torch

    return dispatch.run(request, models, progress)


def _dispatch_supports(request: Request) -> Support:
    from engines import dispatch

    return dispatch.supports(request)
