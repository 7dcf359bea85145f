"""Side-by-side listening: the groups of tracks that the page compares, and what it plays.

A group holds the takes of one span of one clip, after its original; or the generated clips. A track
of a span is served as a short WAV around the span, since outside it every take equals its source.
Times in seconds. Knows no wiring; reads audio files, never writes a project.
"""

from __future__ import annotations

import hashlib
import html
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import gradio as gr
import numpy as np
import soundfile
from gradio.data_classes import GradioModel
from pydantic import Field

from editor.page.timeline import RegionState, drop_stub, module_script
from editor.project import blind
from editor.project.disk.storage import PREVIEWS, audio_path, sound_path
from editor.project.document import Project, Region, Sound, Take
from editor.project.versions import same_recording, take_label
from editor.runs.jobs import EXTENSIONS, PEAK_SECONDS, Kind
from engines.audio.recording import Recording, write_recording
from engines.requests import ENGINE_NAMES, Progress, work_seconds

MARGIN = 2.25  # seconds of context on each side of a span's preview
TAGS = {"ar": "AR", "fm": "FM", "fm-zero-shot": "ZS", "auto": "Fix"}
TOKENS = {"ar": "ar", "fm": "fm", "fm-zero-shot": "zs", "auto": "text"}
_BROWSER_SUBTYPES = {  # what every browser decodes
    "WAV": {"PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT"},
    "FLAC": {"PCM_16", "PCM_24"},
}
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


class CandidateState(GradioModel):
    """One beginning of the zero-shot search."""

    start: str  # in words: where it began
    curve: list[list[float]]  # [flow time 0..1, misfit of the known frames at the edges]
    dropped: float | None  # flow time at which it was given up
    chosen: bool


class SearchState(GradioModel):
    """What the zero-shot search did for a take."""

    budget: int  # network evaluations that it might spend
    spent: int
    candidates: list[CandidateState]


class WishState(GradioModel):
    """One thing that was asked, and what of it is heard (`engines.requests.Wish`)."""

    kind: str  # "instrument" | "chords" | "melody" | "drums"
    name: str
    plays: bool
    share: float  # 0..1
    sure: float  # 0..1
    seconds: float  # how long it was asked for
    words: str  # "heard", "gone", "78 %" ...


class PlayerState(GradioModel):
    """Who is heard in a take, from when to when, in seconds on the timeline's clock."""

    name: str
    start: float
    end: float
    sure: float  # 0..1


class TrackState(GradioModel):
    """One thing to hear: the original, a take, or a run that will become a take."""

    id: str
    digit: int | None  # the key that selects it
    kind: str  # "original" | "take"
    extends: str = ""  # "continue" | "intro" | "loop": a clip that was extended
    why: str = ""  # why the choice among all engines fell on it
    why_more: str = ""  # what else was tried or left out, for a tooltip
    engine: str = ""
    seed: int = 0
    name: str = ""  # the musician's
    starred: bool = False
    state: str = "ready"  # "waiting" | "running" | "ready" | "failed" | "cancelled"
    progress: float = 0.0  # 0..1
    note: str = ""  # progress or failure in words
    peaks: list[int] = Field(default_factory=list)  # of a run's sound so far, 0..100
    peak_seconds: float = PEAK_SECONDS  # of sound that each stands for
    words: str = ""  # time spent
    seconds: float = 0.0  # length of the whole clip
    region: RegionState | None = None
    spans: list[RegionState] = Field(default_factory=list)  # where several were re-made at once
    seams: list[SeamState] = Field(default_factory=list)
    url: str = ""  # audio, relative to the page
    start: float = 0.0  # seconds on the clip's clock at which that audio begins
    whole: bool = False  # the audio is a clip of its own, not a part of the timeline's
    kept: bool = False
    wish: list[WishState] = Field(default_factory=list)  # what was asked, and what of it is heard
    wishState: str = ""  # "pending" while it is listened to, "failed", "unknown": nobody can tell; else ""
    band: list[PlayerState] = Field(default_factory=list)  # who is heard in it
    details: list[list[str]] = Field(default_factory=list)  # [what, value] of all that it was made with
    search: SearchState | None = None


class GroupState(GradioModel):
    """Tracks to compare."""

    id: str
    label: str
    region: RegionState | None
    tracks: list[TrackState]
    spans: list[RegionState] = Field(default_factory=list)  # where several were re-made at once
    extends: str = ""  # "continue" | "intro" | "loop": clips that were extended


class VersionState(GradioModel):
    """A clip that was on the timeline."""

    id: str
    label: str
    engine: str  # of the take that was kept; empty for a recording
    parent: str | None
    current: bool


class NamedState(GradioModel):
    """Something to choose by its name."""

    id: str
    label: str


class ResultState(GradioModel):
    """What one method came to in the blind rounds."""

    engine: str
    smoothness: list[float]  # mean, and half width of its 95 % interval once there are two ratings
    match: list[float]
    preferred: int
    rounds: int
    words: str  # median time for a span


class TakesState(GradioModel):
    """All groups, oldest first, and whether a run goes on."""

    groups: list[GroupState] = Field(default_factory=list)
    versions: list[VersionState] = Field(default_factory=list)
    deleted: list[NamedState] = Field(default_factory=list)  # takes that can be brought back
    results: list[ResultState] = Field(default_factory=list)  # of the blind rounds
    rounds: int = 0  # blind rounds so far
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
    kind: Kind
    seed: int
    region: Region | None
    source: Sound | None
    state: str = "waiting"
    progress: float = 0.0
    note: str = "Waiting"
    index: int = 0  # which of the job's requests
    peaks: tuple[int, ...] = ()  # of the sound so far (`jobs.Running`)
    spans: tuple[Region, ...] = ()  # as of a take

    @property
    def id(self) -> str:
        """Its name on the page."""
        return f"run-{self.engine}-{self.index}"


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


def group_id(kind: str, region: Region | None, source: Sound | None, spans: Sequence[Region] = ()) -> str:
    """What takes share that are compared with each other."""
    if kind == "loop" and source is not None:
        return f"loop:{_key(source)}"
    if kind == "generate" or region is None or source is None:
        return "generated"
    if kind in EXTENSIONS:
        return f"{kind}:{_key(source)}:{region.end - region.start:.4f}"
    return f"{_key(source)}:{'+'.join(f'{one.start:.4f}-{one.end:.4f}' for one in spans or (region,))}"


def groups(
    project: Project,
    folder: Path | None,
    runs: Sequence[RunTrack],
    address: Address,
    judging: Mapping[str, str] = MappingProxyType({}),
) -> list[GroupState]:
    """The project's takes and the runs on their way, by group; the group touched last comes last.

    `judging` is what goes on with takes that are listened to again: id -> `TrackState.wishState`.
    """
    found: dict[str, list[Take | RunTrack]] = {}
    everything: tuple[Take | RunTrack, ...] = (*(t for t in project.takes if not t.deleted), *runs)
    for item in everything:
        key = group_id(item.kind, item.region, item.source, item.spans)
        found[key] = [*found.pop(key, []), item]
    return [_group(key, items, project, folder, address, judging) for key, items in found.items()]


def _group(
    key: str,
    items: Sequence[Take | RunTrack],
    project: Project,
    folder: Path | None,
    address: Address,
    judging: Mapping[str, str],
) -> GroupState:
    first = items[0]
    region = first.region if key != "generated" else None
    later = clock_shift(project, first)
    tracks: list[TrackState] = []
    place = RegionState(start=region.start + later, end=region.end + later) if region else None
    spans = [RegionState(start=span.start + later, end=span.end + later) for span in first.spans]
    extends = first.kind if first.kind in EXTENSIONS else ""
    if extends and first.source and folder:
        path = playable(folder, first.source)
        tracks.append(
            TrackState(
                id=f"original-{key.replace(':', '-')}",
                digit=0,
                kind="original",
                extends=extends,
                url=address(path),
                start=later + (region.end if region and extends == "intro" else 0.0),
                seconds=soundfile.info(str(path)).duration,
                region=place,
                whole=True,
                kept=bool(project.clip and project.clip.sound == first.source),
            )
        )
    elif region and first.source and folder:
        start, path = preview(folder, first.source, region)
        tracks.append(
            TrackState(
                id=f"original-{_key(first.source)}-{region.start:.3f}-{region.end:.3f}",
                digit=0,
                kind="original",
                url=address(path),
                start=start + later,
                region=place,
                spans=spans,
                kept=bool(project.clip and project.clip.sound == first.source),
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
                    extends=extends,
                    engine=item.engine,
                    seed=item.seed,
                    state=item.state,
                    progress=item.progress,
                    note=item.note,
                    peaks=[] if spans else list(item.peaks),  # they begin anew in every span
                    region=place,
                    spans=spans,
                )
            )
        elif folder:
            track = _take(item, digit, project, folder, address, place, spans, later)
            track.wishState = judging.get(item.id, "")
            tracks.append(track)
    label = f"span {place.start:.2f}–{place.end:.2f} s" if place else "generated clips"
    if place and spans:
        label = f"{len(spans)} spans, {place.start:.2f}–{place.end:.2f} s"
    if extends == "loop":
        label = "the clip as a loop"
    elif extends and region:
        length = f"{region.end - region.start:.2f} s"
        label = f"{length} more after the clip" if extends == "continue" else f"{length} before the clip"
    return GroupState(id=key, label=label, region=place, tracks=tracks, spans=spans, extends=extends)


def _take(
    take: Take,
    digit: int | None,
    project: Project,
    folder: Path,
    address: Address,
    place: RegionState | None,
    spans: list[RegionState],
    later: float,
) -> TrackState:
    extends = take.kind if take.kind in EXTENSIONS else ""
    if take.region and not extends:
        start, path = preview(folder, take.sound, take.region)
    else:
        start, path = 0.0, playable(folder, take.sound)
    spent = work_seconds(take.timings)
    why, why_more = choice_words(take)
    return TrackState(
        id=take.id,
        extends=extends,
        why=why,
        why_more=why_more,
        digit=digit,
        kind="take",
        engine=take.engine,
        seed=take.seed,
        name=take.name,
        starred=take.starred,
        words=spent_words(spent),
        seconds=take.seconds,
        region=place,
        spans=spans,
        url=address(path),
        start=start + later,
        whole=take.region is None or bool(extends),
        kept=project.kept == take.id,
        seams=[_seam(seam, later) for seam in take.seams],
        wish=[WishState.model_validate(wish) for wish in take.wish],
        band=[_player(part, later) for part in take.band],
        details=details(take),
        search=search_state(take),
    )


def _player(part: Mapping[str, Any], later: float) -> PlayerState:
    return PlayerState(
        name=part["name"], start=part["start"] + later, end=part["end"] + later, sure=part["sure"]
    )


def search_state(take: Take) -> SearchState | None:
    """The curves of a take's zero-shot search, and their cost; None where there was no search."""
    resolved = _fields(take.parameters.get("resolved"))
    told, chosen = _fields(resolved.get("search")), _fields(resolved.get("candidates")).get("chosen", 0)
    try:
        found, arrived = [], 0
        for candidate in told["candidates"]:
            here = candidate["dropped"] is None
            found.append(CandidateState(**candidate, chosen=here and arrived == chosen))
            arrived += here
        return SearchState(budget=told["budget"], spent=told["spent"], candidates=found)
    except (KeyError, TypeError, ValueError):  # another engine's
        return None


def _seam(seam: Mapping[str, object], later: float) -> SeamState:
    known: SeamState = SeamState.model_validate(seam)
    known.time = round(known.time + later, 6)
    return known


def clock_shift(project: Project, item: Take | RunTrack) -> float:
    """Seconds from the clock of a take to the timeline's: what an intro puts before a clip moves all of it.

    Before it is kept, an intro lies before 0; once it is, what was made earlier lies so much later.
    """
    clip = project.clip
    source = next((v.clip for v in project.versions if v.clip.sound == item.source), None)
    if clip is None or source is None or not same_recording(project, clip, source):
        return 0.0
    added = item.region.end if item.kind == "intro" and item.region else 0.0
    return clip.lead - source.lead - added


def choice_words(take: Take) -> tuple[str, str]:
    """Why "Fix it" took this one, in a few words and in full; empty for a take that was asked for."""
    told = _fields(_fields(take.parameters.get("resolved")).get("auto"))
    scores, left_out = _fields(told.get("scores")), _fields(told.get("left out"))
    if not scores:
        return "", ""
    tried = sorted(scores.items(), key=lambda item: float(item[1]))
    words = ", ".join(f"{TAGS.get(name, name)} {score:.2f}" for name, score in tried)
    more = [f"Roughness of the rougher seam, 0 smooth to 1 rough: {words}"]
    more += [f"{TAGS.get(name, name)} left out: {reason}" for name, reason in left_out.items()]
    if len(tried) > 1:
        return f"Smoothest of {len(tried)}: {words}", "\n".join(more)
    good = any("good already" in str(reason) for reason in left_out.values())
    only = TAGS.get(tried[0][0], tried[0][0])
    return (f"{only} was smooth at once" if good else f"Only {only} fitted the time"), "\n".join(more)


def version_tree(project: Project) -> list[VersionState]:
    """Every clip that was on the timeline, oldest first, with what it was made from."""
    takes = {take.id: take for take in project.takes}
    found = []
    for version in project.versions:
        take = takes.get(version.take or "")
        span = f", {take.region.start:.2f}–{take.region.end:.2f} s" if take and take.region else ""
        span = f", {len(take.spans)} spans{span}" if take and take.spans else span
        found.append(
            VersionState(
                id=version.id,
                label=f"{take_label(take)}{span}" if take else version.clip.label or "Recording",
                engine=take.engine if take else "",
                parent=version.parent,
                current=bool(project.clip and project.clip.sound == version.clip.sound),
            )
        )
    return found


def deleted(project: Project) -> list[NamedState]:
    """The takes that can be brought back."""
    return [NamedState(id=take.id, label=take_label(take)) for take in project.takes if take.deleted]


def blind_results(project: Project) -> list[ResultState]:
    """Means over all blind rounds, in the paper's order of methods."""
    found = []
    for method in blind.results(project):
        figures = {
            name: [figure.mean, *([figure.half] if figure.half is not None else [])]
            for name, figure in method.figures.items()
        }
        found.append(
            ResultState(
                engine=method.engine,
                smoothness=figures["smoothness"],
                match=figures["match"],
                preferred=method.preferred,
                rounds=method.rounds,
                words=spent_words(method.seconds) if method.seconds is not None else "",
            )
        )
    return found


def details(take: Take) -> list[list[str]]:
    """All that a take was made with, in words: [what, value]."""
    sent = take.parameters
    resolved = _fields(sent.get("resolved"))
    rows = [("Prompt", take.prompt or "none"), ("Seed", str(take.seed))]
    if why := choice_words(take)[0]:
        rows.append(("Chosen", why))
    if take.region:
        what = "Added" if take.kind in EXTENSIONS else "Span"
        places = ", ".join(f"{one.start:.3f}–{one.end:.3f}" for one in take.spans or (take.region,))
        rows.append((what if not take.spans else "Spans", f"{places} s"))
    for lane, given in _fields(sent.get("controls")).items():
        if lane == "grid":
            rows.append(("Tempo told", f"{given['bpm']:g} bpm" if given is not None else "no"))
            continue
        rows.append((f"{lane.capitalize()} followed", f"{len(given)}" if given is not None else "no"))
    if "intent" in sent:
        asked = sent.get("changed")
        words = ", ".join(map(str, asked)) if isinstance(asked, list) else "whatever was given"
        rows += [("Intent", str(sent["intent"])), ("Changed", words or "nothing")]
    known = {**_fields(sent.get("ar" if take.engine == "ar" else "fm")), **resolved}
    for name, value in known.items():
        if name in ("seed", "window", "auto", "search") or (
            name == "zero_shot" and take.engine != "fm-zero-shot"
        ):
            continue
        if name == "candidates" and (words := _tried(value)):
            rows.append(("Fillings tried", words))
            continue
        rows.append((name.replace("_", " ").capitalize(), "the bundle's" if value is None else _said(value)))
    for name, unit in (("strength", ""), ("match", ""), ("crossfade", " s")):
        if name in sent:
            rows.append((name.capitalize(), f"{sent[name]}{unit}"))
    rows.extend((f"Time, {stage}", f"{spent:.2f} s") for stage, spent in take.timings.items())
    rows.append(("Made", take.made.replace("T", " ")[:19]))
    return [list(row) for row in rows]


def _tried(value: object) -> str:
    """The fillings among which a take was the smoothest, in words; empty where there was one."""
    told = _fields(value)
    if not {"began from", "roughness", "chosen"} <= set(told):
        return ""
    both = zip(told["began from"], told["roughness"], strict=False)
    words = (
        f"from {start} (roughness {rough:.1f}{', taken' if i == told['chosen'] else ''})"
        for i, (start, rough) in enumerate(both)
    )
    return "; ".join(words)


def _said(value: object) -> str:
    """A setting in words, whatever an engine has put there."""
    if isinstance(value, Mapping):
        return ", ".join(f"{str(key).replace('_', ' ')} {_said(part)}" for key, part in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_said(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _fields(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


# ---- what the browser plays


def preview(folder: Path, sound: Sound, region: Region) -> tuple[float, Path]:
    """A WAV of a clip's samples around a span, and the time in seconds at which it begins."""
    path = audio_path(folder, sound.file)
    info = soundfile.info(str(path))
    first = max(0, int((region.start - MARGIN) * info.samplerate))
    last = min(info.frames, int((region.end + MARGIN) * info.samplerate))
    target = folder / PREVIEWS / f"{_key(sound)}-{first}-{last}.wav"
    if not target.exists():
        samples = _floats(path, first, last)
        for patch in sound.patches:
            over = audio_path(folder, patch.file)
            begin, end = patch.first, patch.first + soundfile.info(str(over)).frames
            a, b = max(first, begin), min(last, end)
            if a < b:
                samples[a - first : b - first] = _floats(over, a - begin, b - begin)
        _store(target, samples, info.samplerate)
    return first / info.samplerate, target


def playable(folder: Path, sound: Sound) -> Path:
    """A file with a clip's samples that every browser decodes: its own, else a WAV."""
    path = sound_path(folder, sound)
    info = soundfile.info(str(path))
    if info.subtype in _BROWSER_SUBTYPES.get(info.format, ()):
        return path
    target = folder / PREVIEWS / f"{path.stem}.wav"
    if not target.exists():
        _store(target, _floats(path, 0, info.frames), info.samplerate)
    return target


def _key(sound: Sound) -> str:
    """A short name for a sound, the same for the same samples."""
    parts = [sound.file, *(f"{patch.file}@{patch.first}" for patch in sound.patches)]
    return hashlib.sha256("|".join(parts).encode()).hexdigest()[:16]


def _floats(path: Path, first: int, last: int) -> np.ndarray[Any, np.dtype[np.float32]]:
    """Samples [first, last) of a file: [n, C]."""
    samples: np.ndarray[Any, np.dtype[np.float32]]
    samples, _ = soundfile.read(str(path), start=first, stop=last, dtype="float32", always_2d=True)
    return samples


def _store(target: Path, samples: np.ndarray[Any, np.dtype[np.float32]], rate: int) -> None:
    """Samples [n, C] as a 32-bit float WAV, whole or not at all."""
    target.parent.mkdir(exist_ok=True)
    write_recording(target, Recording(samples, rate, "WAV", "FLOAT"))


# ---- the panel's status block


def status_markup(runs: Sequence[RunTrack], done: Sequence[Take], message: str = "") -> str:
    """One line per engine of the last run; the block keeps its height, whatever it says."""
    lines = []
    for engine in (*ENGINE_NAMES, "auto"):
        made = [take for take in done if take.engine == engine]
        left = sorted((run for run in runs if run.engine == engine), key=_urgency)
        of = f"{len(made)} of {len(made) + len(left)} done, " if len(made) + len(left) > 1 and left else ""
        if left:
            run = left[0]
            note = run.note[:1].lower() + run.note[1:] if of or run.state == "waiting" else run.note
            lines.append(_line(engine, f"{of}{note}", run.state, run.progress))
        elif made:
            spent = spent_words(sum(work_seconds(take.timings) for take in made))
            count = f"{len(made)} " if len(made) > 1 else ""
            lines.append(_line(engine, f"{count}done in {spent}", "idle"))
    error = f'<div class="place-error" role="alert">{html.escape(message)}</div>' if message else ""
    return f'<div class="status">{error}{"".join(lines)}</div>'


def _urgency(run: RunTrack) -> int:
    return ("running", "waiting", "failed", "cancelled").index(run.state)


def _line(engine: str, words: str, state: str, progress: float = 0.0) -> str:
    width = f"width:{progress * 100:.1f}%"
    bar = f'<i class="progress"><i style="{width}"></i></i>' if state == "running" else ""
    return (
        f'<p class="{state}" style="--e:var(--{TOKENS[engine]})"><span class="tag">{TAGS[engine]}</span>'
        f'<span title="{html.escape(words)}">{html.escape(words)}</span>{bar}</p>'
    )


def with_state(runs: Sequence[RunTrack], index: int, **fields: Any) -> tuple[RunTrack, ...]:
    """The runs with the fields of one request's run changed."""
    return tuple(replace(run, **fields) if run.index == index else run for run in runs)
