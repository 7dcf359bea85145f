"""Project -> requests: what a run of some kind asks of each engine, with the words and lanes of now.

Times are seconds; lanes of the project are beats. Reads the clip's audio and writes nothing; loads no torch.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

from editor.project import commands, lanes, wording
from editor.project.disk import sounds
from editor.project.document import Clip, Project, Region, Span, Take
from editor.runs import replay
from editor.runs.job import GENERATORS, About, Extension, ExtensionKind, Job, Kind, with_seed
from engines.audio.timebase import Grid
from engines.errors import InputError
from engines.requests import CHANGES, CONTINUED, ARSettings, Change, Controls, FMSettings, GenerateRequest, Hit, InpaintRequest, Intent, LaneValue
from engines.roster import ENGINE_NAMES, IN_TURN, EngineName

Run = tuple[EngineName, int]  # which engine makes it, from which seed
_ASKED_THERE = tuple(name for name in CONTINUED if name != "chords")  # asked where drawn: chords go on anyway
_VERBS = {"inpaint": "inpaint", "continue": "continue", "intro": "begin differently", "loop": "loop"}


def requests_for(
    project: Project,
    folder: Path,
    kind: Kind,
    engines: Sequence[str] | None = None,
    ar: ARSettings | None = None,
    fm: FMSettings | None = None,
    together: bool = False,
    about: About | None = None,
) -> tuple[Job, ...]:
    """What a run of some kind asks for, one per engine (None = those ticked in the project) and variation.

    Inpaint re-makes the active span with its words and lanes, or (`together`) all spans at once with the
    clip's. Generate leaves out the zero-shot engine, which only fills spans. The engines share seed and
    lanes, so that they can be compared; each further variation has the next seed. Engine "auto", which
    compares by itself, makes one take. `about` one part of what plays in the active span: that is added or
    taken out, and all else stays. InputError when no engine, clip or span is chosen.
    """
    runs = _runs(project, kind, engines)
    settings = ar or ARSettings(), fm or FMSettings()
    if kind == "generate":
        return _clips(project, runs, *settings)
    if project.clip is None:
        raise InputError(f"nothing to {_VERBS[kind]}: upload a recording or generate a clip first")
    if kind == "inpaint":
        return _spans(project, project.clip, folder, runs, *settings, together, about)
    return _extensions(project, project.clip, folder, kind, runs, *settings)


def _runs(project: Project, kind: Kind, engines: Sequence[str] | None) -> list[Run]:
    """The engines and seeds of a run, variation after variation; the one that answers soonest comes first."""
    ticked = project.engines if engines is None else engines
    chosen: list[EngineName] = [spec.name for spec in IN_TURN if spec.name in ticked]
    variations = project.variations
    if kind == "inpaint" and "auto" in ticked:
        chosen, variations = ["auto"], 1
    if kind == "generate":
        chosen = [name for name in chosen if name in GENERATORS]
    if not chosen:
        raise InputError(f"no engine for {kind}: tick at least one of AR and FM")
    return [
        (name, (project.seed + variation) % (commands.MAX_SEED + 1))
        for variation in range(variations)
        for name in chosen
    ]


def _clips(project: Project, runs: Sequence[Run], ar: ARSettings, fm: FMSettings) -> tuple[Job, ...]:
    """New clips from the project's words and lanes."""
    prompt, seconds = commands.check_prompt(project.prompt), project.length
    controls = clip_controls(project, seconds)
    return tuple(
        GenerateRequest(name, prompt, seconds, seed, controls, ar, fm, sliding=True) for name, seed in runs
    )


def _spans(
    project: Project,
    clip: Clip,
    folder: Path,
    runs: Sequence[Run],
    ar: ARSettings,
    fm: FMSettings,
    together: bool,
    about: About | None = None,
) -> tuple[Job, ...]:
    """The active span re-made, or one part of it, or all spans of the clip in one pass."""
    active = None if together else project.span
    places = project.apart if together else tuple(filter(None, [project.region]))
    if not places:
        raise InputError("no span selected: drag over the part of the waveform to re-make")
    whole = Region(places[0].start, places[-1].end)
    follow = project.followed if active else project.follow
    named = active is not None and wording.has_own_words(project, active)
    intent, changed = intent_of(project, active)
    request = replace(
        _source_request(project, clip, folder, ar, fm),
        start=places[0].start,
        end=places[0].end,
        also=tuple((place.start, place.end) for place in places[1:]),
        prompt=commands.check_prompt(project.span_prompt if active else project.prompt),
        controls=span_controls(project, active, whole, follow, named=named),
        strength=project.settings.strength,
        intent=intent,
        changed=changed,
        left_open=unfollowed(project, follow),
    )
    if about is not None:
        request = replace(request, task=about.task, part=about.part, strength=1.0)
    return tuple(replace(request, engine=name, seed=seed) for name, seed in runs)


def _extensions(
    project: Project,
    clip: Clip,
    folder: Path,
    kind: ExtensionKind,
    runs: Sequence[Run],
    ar: ARSettings,
    fm: FMSettings,
) -> tuple[Job, ...]:
    """The clip made longer at an end, or its ends joined."""
    source = _source_request(project, clip, folder, ar, fm)
    # The join of a short clip is at most half of it; what is added has no content of its own to keep.
    seconds = min(project.settings.join, source.seconds / 2) if kind == "loop" else project.length
    controls = extension_controls(project, kind, seconds)
    request = replace(
        source,
        prompt=commands.check_prompt(project.prompt),
        controls=controls,
        intent="auto",
        changed=_drawn(controls) if kind == "continue" else (),
        left_open=unfollowed(project, project.follow),
    )
    return tuple(Extension(kind, replace(request, engine=name, seed=seed), seconds) for name, seed in runs)


def _source_request(
    project: Project, clip: Clip, folder: Path, ar: ARSettings, fm: FMSettings
) -> InpaintRequest:
    """What all requests of one clip share; its span is the whole clip."""
    source, knobs = sounds.read_sound(folder, clip.sound), project.settings
    return InpaintRequest(
        ENGINE_NAMES[0],
        source,
        0.0,
        source.seconds,
        ar=ar,
        fm=fm,
        crossfade=knobs.crossfade,
        match=knobs.match,
        patience=knobs.patience,
        sliding=True,
    )


# ---- lanes and intent of a request


def clip_controls(project: Project, seconds: float) -> Controls:
    """The lanes that are followed, the clip's words and the grid, for a new clip of so many seconds."""
    place = Region(0.0, seconds)
    return replace(
        span_controls(project, None, place, project.follow, named=True, anew=True),
        grid=project.grid,
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
    drawn = lanes.to_controls(project.lanes, project.grid, follow, anew)
    parts = (*(drawn.instruments or ()), *(wording.parts(project, span, place) if named else ()))
    return replace(drawn, instruments=parts or None, grid=known_grid(project))


def extension_controls(project: Project, kind: ExtensionKind, seconds: float) -> Controls:
    """The lanes on the clock of an extended clip. All but the chords count only where something is drawn in the
    stretch that is added: an empty lane there is not silence that someone asked for.
    """
    if kind == "loop" or project.clip is None:
        return Controls()
    grid = known_grid(project)
    drawn = lanes.to_controls(project.lanes, project.grid, project.follow)
    if kind == "intro":
        moved = tuple(
            replace(chord, start=chord.start + seconds, end=chord.end + seconds)
            for chord in drawn.chords or ()
        )
        later = None if grid is None else replace(grid, offset=grid.offset + seconds)
        return Controls(moved or None, grid=later)
    end = project.clip.seconds
    for name in _ASKED_THERE:
        if not any(_reaches(item, end) for item in getattr(drawn, name) or ()):
            drawn = replace(drawn, **{name: None})
    parts = tuple(part for part in drawn.instruments or () if part.end > end)
    return replace(drawn, instruments=parts or None, grid=grid)


def _reaches(item: LaneValue, time: float) -> bool:
    """Whether something of a lane lies behind a time."""
    return item.time >= time if isinstance(item, Hit) else item.end > time


def unfollowed(project: Project, follow: Sequence[str]) -> tuple[str, ...]:
    """Lanes that say something and are not followed: what a change leaves alone goes on, but for these."""
    return tuple(name for name in CONTINUED if name not in follow and getattr(project.lanes, name))


def known_grid(project: Project) -> Grid | None:
    """The project's grid; None where nobody has said or heard yet what the beat of a recording is."""
    clip = project.clip
    recorded = clip is not None and any(
        version.clip.file == clip.file and version.take is None for version in project.versions
    )
    return None if recorded and project.grid == Grid() else project.grid


def intent_of(project: Project, span: Span | None) -> tuple[Intent, tuple[Change, ...]]:
    """The intent and what is to change: of a span, or (None) of all spans together."""
    if span is not None:
        return cast(Intent, span.intent), wording.intention(project, span).changed
    # all are made with the clip's words and lanes
    each = [
        wording.intention(project, replace(one, prompt=None, follow=None)).changed for one in project.spans
    ]
    intents = {one.intent for one in project.spans}
    intent = cast(Intent, intents.pop()) if len(intents) == 1 else "auto"
    return intent, tuple(name for name in CHANGES if any(name in changed for changed in each))


def _drawn(controls: Controls) -> tuple[Change, ...]:
    """The lanes that are drawn and that music would not go on with by itself."""
    return tuple(name for name in _ASKED_THERE if getattr(controls, name))


# ---- a take again


def repeat(project: Project, take: Take, folder: Path) -> Job:
    """A take's request with its own seed and settings, and the lanes as they are now.

    InputError when its settings or its audio are damaged.
    """
    job = replay.request_from(take.parameters, folder)
    if isinstance(job, Extension):
        controls = extension_controls(project, job.kind, job.seconds)
        return replace(job, request=replace(job.request, controls=controls))
    if isinstance(job, GenerateRequest):
        return replace(job, controls=clip_controls(project, job.seconds))
    span = None if take.spans else project.span
    place = Region(job.start, job.spans[-1][1])
    named = job.changed is not None and "words" in job.changed
    controls = span_controls(project, span, place, project.followed if span else project.follow, named)
    changed = job.changed  # what has been drawn since is asked, too; the intent stays
    if changed is not None:
        drawn = [name for name in intent_of(project, span)[1] if name != "words"]
        changed = tuple(name for name in CHANGES if name in (*changed, *drawn))
    return replace(job, controls=controls, changed=changed)


def vary(project: Project, take: Take, folder: Path) -> Job:
    """A take's request as it was, with the next seed that no take of its engine has."""
    seeds = {other.seed for other in project.takes if other.engine == take.engine}
    seed = take.seed + 1
    while seed in seeds:
        seed += 1
    return with_seed(replay.request_from(take.parameters, folder), seed)
