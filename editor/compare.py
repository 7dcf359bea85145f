"""Side-by-side listening: the groups of tracks that the page compares, and what it plays.

A group holds the takes of one span of one clip, after its original; or the generated clips. A track
of a span is served as a short WAV around the span, since outside it every take equals its source.
Times in seconds. Knows no wiring; reads audio files, never writes a project.
"""

from __future__ import annotations

import html
import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import gradio as gr
import soundfile
from gradio.data_classes import GradioModel
from pydantic import Field

from editor.document import Project, Region, Take
from editor.storage import audio_path
from editor.timeline import RegionState, drop_stub, module_script
from engines.requests import ENGINE_NAMES, Progress, work_seconds

MARGIN = 2.25  # seconds of context on each side of a span's preview
TAGS = {"ar": "AR", "fm": "FM", "fm-zero-shot": "ZS"}
TOKENS = {"ar": "ar", "fm": "fm", "fm-zero-shot": "zs"}
_BROWSER_SUBTYPES = {"PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"}  # what every browser decodes in a WAV
_BLOCK = 1 << 16  # samples copied at a time
_DIGITS = 9


# ---- server -> page


class SeamState(GradioModel):
    """One boundary of a take."""

    time: float
    jump: float
    level: float
    brightness: float
    click: float
    score: float
    words: str


class TrackState(GradioModel):
    """One thing to hear: the original, a take, or a run that will become a take."""

    id: str
    digit: int | None  # the key that selects it
    kind: str  # "original" | "take"
    engine: str = ""
    seed: int = 0
    state: str = "ready"  # "waiting" | "running" | "ready" | "failed" | "cancelled"
    progress: float = 0.0  # 0..1
    note: str = ""  # progress or failure in words
    words: str = ""  # time spent
    seconds: float = 0.0  # length of the whole clip
    region: RegionState | None = None
    seams: list[SeamState] = Field(default_factory=list)
    url: str = ""  # audio, relative to the page
    start: float = 0.0  # seconds on the clip's clock at which that audio begins
    whole: bool = False  # the audio is a clip of its own, not a part of the timeline's
    kept: bool = False


class GroupState(GradioModel):
    """Tracks to compare."""

    id: str
    label: str
    region: RegionState | None
    tracks: list[TrackState]


class TakesState(GradioModel):
    """All groups, oldest first, and whether a run goes on."""

    groups: list[GroupState] = Field(default_factory=list)
    run: bool = False
    say: str = ""  # for screen readers: what has just happened


class Takes(gr.HTML):
    """`<inlay-takes>`: takes strip and Listen view as a Gradio component."""

    data_model = TakesState

    def __init__(self, value: TakesState | None = None, **kwargs: Any) -> None:
        super().__init__(
            value=value or TakesState(),
            html_template="<inlay-takes></inlay-takes>",
            js_on_load=module_script("bindTakes", "inlay-takes"),
            apply_default_css=False,
            **kwargs,
        )

    def preprocess(self, payload: TakesState | None) -> TakesState | None:
        """The page's takes, as they are."""
        return payload

    def postprocess(self, value: TakesState | None) -> TakesState | None:
        """The takes for the page, as they are."""
        return value

    def api_info(self) -> dict[str, Any]:
        """JSON schema of the value."""
        schema: dict[str, Any] = TakesState.model_json_schema()
        return schema


drop_stub(__file__)


# ---- runs on their way


@dataclass(frozen=True)
class RunTrack:
    """A run that is waiting, working, or ended without a take."""

    engine: str
    kind: str  # "generate" | "inpaint"
    seed: int
    region: Region | None
    source: str | None
    state: str = "waiting"
    progress: float = 0.0
    note: str = "Waiting"

    @property
    def id(self) -> str:
        """Its name on the page."""
        return f"run-{self.engine}"


def estimate_words(seconds: float) -> str:
    """Seconds as a round estimate: below 10 s to 1 s, below 60 s to 5 s, else minutes."""
    if seconds < 10:
        return f"{max(1, round(seconds))} s"
    if seconds < 57.5:
        return f"{5 * round(seconds / 5)} s"
    return f"{max(1, round(seconds / 60))} min"


STAGES = {
    "load": "Loading the models",
    "queued": "Waiting for the device",
    "text": "Reading the prompt",
    "encode": "Listening to the clip",
    "decode": "Rendering the sound",
}


def progress_words(progress: Progress) -> str:
    """A report as a musician reads it: "62 %, about 6 s left"."""
    if progress.stage != "sample":
        return STAGES.get(progress.stage, "Working")
    share = f"{round(progress.fraction * 100)} %"
    return (
        f"{share}, about {estimate_words(progress.remaining)} left"
        if progress.remaining is not None
        else share
    )


def spent_words(seconds: float) -> str:
    """Time spent: "1.8 s", "14 s"."""
    return f"{seconds:.1f} s" if seconds < 10 else f"{seconds:.0f} s"


# ---- groups

Address = Callable[[Path], str]


def group_id(kind: str, region: Region | None, source: str | None) -> str:
    """What takes share that are compared with each other."""
    if kind == "generate" or region is None:
        return "generated"
    return f"{source}:{region.start:.4f}-{region.end:.4f}"


def groups(
    project: Project, folder: Path | None, runs: Sequence[RunTrack], address: Address
) -> list[GroupState]:
    """The project's takes and the runs on their way, by group; the group touched last comes last."""
    found: dict[str, list[Take | RunTrack]] = {}
    everything: tuple[Take | RunTrack, ...] = (*project.takes, *runs)
    for item in everything:
        key = group_id(item.kind, item.region, item.source)
        found[key] = [*found.pop(key, []), item]
    return [_group(key, items, project, folder, address) for key, items in found.items()]


def _group(
    key: str, items: Sequence[Take | RunTrack], project: Project, folder: Path | None, address: Address
) -> GroupState:
    first = items[0]
    region = first.region if key != "generated" else None
    tracks: list[TrackState] = []
    place = RegionState(start=region.start, end=region.end) if region else None
    if region and first.source and folder:
        start, path = preview(folder, first.source, region)
        tracks.append(
            TrackState(
                id=f"original-{first.source}-{region.start:.3f}-{region.end:.3f}",
                digit=0,
                kind="original",
                url=address(path),
                start=start,
                region=place,
            )
        )
    for number, item in enumerate(items, start=1):
        digit = number if number <= _DIGITS else None
        if isinstance(item, RunTrack):
            tracks.append(
                TrackState(
                    id=item.id,
                    digit=digit,
                    kind="take",
                    engine=item.engine,
                    seed=item.seed,
                    state=item.state,
                    progress=item.progress,
                    note=item.note,
                    region=place,
                )
            )
        elif folder:
            tracks.append(_take(item, digit, project, folder, address, place))
    label = f"span {region.start:.2f}–{region.end:.2f} s" if region else "generated clips"
    return GroupState(id=key, label=label, region=place, tracks=tracks)


def _take(
    take: Take, digit: int | None, project: Project, folder: Path, address: Address, place: RegionState | None
) -> TrackState:
    if take.region:
        start, path = preview(folder, take.file, take.region)
    else:
        start, path = 0.0, playable(folder, take.file)
    spent = work_seconds(take.timings)
    return TrackState(
        id=take.id,
        digit=digit,
        kind="take",
        engine=take.engine,
        seed=take.seed,
        words=spent_words(spent),
        seconds=take.seconds,
        region=place,
        url=address(path),
        start=start,
        whole=take.region is None,
        kept=project.kept == take.id,
        seams=[SeamState.model_validate(seam) for seam in take.seams],
    )


# ---- what the browser plays


def preview(folder: Path, name: str, region: Region) -> tuple[float, Path]:
    """A WAV of a file's samples around a span, and the time in seconds at which it begins."""
    path = audio_path(folder, name)
    info = soundfile.info(str(path))
    first = max(0, int((region.start - MARGIN) * info.samplerate))
    last = min(info.frames, int((region.end + MARGIN) * info.samplerate))
    target = folder / "previews" / f"{path.stem}-{first}-{last}.wav"
    if not target.exists():
        _copy(path, target, first, last)
    return first / info.samplerate, target


def playable(folder: Path, name: str) -> Path:
    """The file itself where every browser decodes it, else a WAV of it."""
    path = audio_path(folder, name)
    info = soundfile.info(str(path))
    if (info.format == "WAV" and info.subtype in _BROWSER_SUBTYPES) or info.format == "FLAC":
        return path
    target = folder / "previews" / f"{path.stem}.wav"
    if not target.exists():
        _copy(path, target, 0, info.frames)
    return target


def _copy(path: Path, target: Path, first: int, last: int) -> None:
    """Samples [first, last) of a file as a 32-bit float WAV, whole or not at all."""
    target.parent.mkdir(exist_ok=True)
    handle, temporary = tempfile.mkstemp(suffix=".wav", dir=target.parent)
    os.close(handle)
    try:
        with (
            soundfile.SoundFile(str(path)) as source,
            soundfile.SoundFile(
                temporary, "w", source.samplerate, source.channels, "FLOAT", format="WAV"
            ) as sink,
        ):
            source.seek(first)
            left = last - first
            while left > 0:
                block = source.read(min(left, _BLOCK), dtype="float32", always_2d=True)  # [n, C]
                if not len(block):
                    break
                sink.write(block)
                left -= len(block)
        os.replace(temporary, target)
    except BaseException:
        Path(temporary).unlink(missing_ok=True)
        raise


# ---- the panel's status block


def status_markup(runs: Sequence[RunTrack], done: Sequence[Take], message: str = "") -> str:
    """One line per engine of the last run; the block keeps its height, whatever it says."""
    lines: dict[str, str] = {}
    for take in done:
        lines[take.engine] = _line(take.engine, f"done in {spent_words(work_seconds(take.timings))}", "idle")
    for run in runs:
        lines[run.engine] = _line(run.engine, run.note, run.state, run.progress)
    error = f'<div class="place-error" role="alert">{html.escape(message)}</div>' if message else ""
    shown = "".join(lines[name] for name in ENGINE_NAMES if name in lines)
    return f'<div class="status">{error}{shown}</div>'


def _line(engine: str, words: str, state: str, progress: float = 0.0) -> str:
    shown = words[:1].lower() + words[1:] if state == "waiting" else words
    width = f"width:{progress * 100:.1f}%"
    bar = f'<i class="progress"><i style="{width}"></i></i>' if state == "running" else ""
    return (
        f'<p class="{state}" style="--e:var(--{TOKENS[engine]})"><span class="tag">{TAGS[engine]}</span>'
        f'<span title="{html.escape(words)}">{html.escape(shown)}</span>{bar}</p>'
    )


def with_state(runs: Sequence[RunTrack], engine: str, **fields: Any) -> tuple[RunTrack, ...]:
    """The runs with one engine's fields changed."""
    return tuple(replace(run, **fields) if run.engine == engine else run for run in runs)
