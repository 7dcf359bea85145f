"""Takes, the clips that were kept, and votes: pure functions Project -> Project.

The rules of `commands` hold: what is given is checked, nothing is changed in place. What names files
comes from the server's side only. Times are seconds.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from editor.project import edited, knobs, lanes
from editor.project.commands import MAX_NAME, clean_text, set_prompt, set_seed
from editor.project.document import Clip, Project, Rating, Region, Round, Sound, Span, Take, Version
from engines.errors import InputError
from engines.roster import ENGINES

MAX_RATED = 5  # takes in a blind round, the original among them
ENGINE_LABELS: dict[str, str] = {spec.name: spec.tag for spec in ENGINES}


def set_clip(project: Project, clip: Clip) -> Project:
    """Put uploaded audio on the timeline. The region stays if it lies inside the new clip."""
    return _show(project, clip, None, None)


def set_arranged(project: Project, clip: Clip) -> Project:
    """Put the clip on the timeline in another order of its pieces. Takes made before lie on another clock."""
    before = project.clip and _version_of(project, project.clip.sound)
    lead = project.clip.lead if project.clip else 0.0
    return _show(project, replace(clip, lead=lead), before.id if before else None, None)


def add_take(project: Project, take: Take) -> Project:
    """Add a finished take; one whose id is there already changes nothing."""
    if any(known.id == take.id for known in project.takes):
        return project
    return replace(project, takes=(*project.takes, take))


def find_take(project: Project, id: str) -> Take:
    """The take of that id; InputError when there is none."""
    for take in project.takes:
        if take.id == id:
            return take
    raise InputError(f"take {id[:40]!r}: no such take; choose one from the list")


def twin_of(project: Project, take: Take) -> Take | None:
    """The take that the same engine has made before with this seed, if it sounds the same."""
    own = (take.engine, take.seed, take.sound)
    return next((known for known in project.takes if (known.engine, known.seed, known.sound) == own), None)


def keep(project: Project, id: str) -> Project:
    """Put a take on the timeline. A re-made span leaves the clip its name."""
    take = find_take(project, id)
    if _arranged_since(project, take):
        raise InputError(
            f"{take_label(take)}: made before a section was copied or moved; undo that, or make it again here"
        )
    sound = take.sound
    project = replace(project, spans=tuple(_after(span, take) for span in project.spans))
    clip = Clip(sound.file, take.seconds, take.rate, take.channels, take_label(take), sound.patches)
    if take.source is None:
        return _show(project, clip, None, id)
    parent = _version_of(project, take.source)
    if parent is None:  # the document was mended, and has forgotten it
        label = project.clip.label if project.clip else ""
        before = Clip(take.source.file, take.seconds, take.rate, take.channels, label, take.source.patches)
        parent = Version(_fresh_version(project), before, None, None)
        project = replace(project, versions=(*project.versions, parent))
    added = take.region.end if take.kind == "intro" and take.region else 0.0
    clip = replace(clip, label=parent.clip.label, lead=parent.clip.lead + added)
    return _show(project, clip, parent.id, id)


def _after(span: Span, take: Take) -> Span:
    """A span once a take was kept: where the take re-made it, what was drawn is heard now."""
    places = take.spans or ((take.region,) if take.region else ())
    made = not places or any(span.start < place.end and place.start < span.end for place in places)
    return edited.cleared(span) if made else span


def show_version(project: Project, id: str) -> Project:
    """Put a clip on the timeline that was there before."""
    for version in project.versions:
        if version.id == id:
            return _show(project, version.clip, version.parent, version.take)
    raise InputError(f"version {id[:40]!r}: no such version; choose one from the tree")


@dataclass(frozen=True)
class Maker:
    """A checkpoint that made something, as a take remembers it."""

    name: str
    licence: str
    commercial: bool  # False where its licence forbids commercial use


def makers(project: Project, take: Take | None = None) -> tuple[Maker, ...]:
    """The checkpoints that made what stands in the clip on the timeline, or in one take, each once."""
    known = {version.id: version for version in project.versions}
    version = None if project.clip is None or take else _version_of(project, project.clip.sound)
    heard = {take.id} if take else set()
    if take is None and version is None:  # another order of pieces: whatever was kept may be in it
        heard = {one.take for one in project.versions if one.take}
    while version is not None:
        heard |= {version.take} if version.take else set()
        version = known.get(version.parent or "")
    made = [one.parameters.get("resolved") for one in project.takes if one.id in heard]
    told = [resolved for resolved in made if isinstance(resolved, Mapping) and resolved.get("bundle")]
    each = (
        Maker(str(one["bundle"]), str(one.get("licence", "")), one.get("commercial") is not False)
        for one in told
    )
    return tuple(dict.fromkeys(each))


def rename_take(project: Project, id: str, name: str) -> Project:
    """Name a take; an empty name gives it back its engine and seed."""
    name = clean_text(name)
    if len(name) > MAX_NAME:
        raise InputError(f"name of {len(name)} characters: at most {MAX_NAME}; shorten it")
    return _with_take(project, replace(find_take(project, id), name=name))


def star_take(project: Project, id: str) -> Project:
    """Star a take, or take its star away."""
    take = find_take(project, id)
    return _with_take(project, replace(take, starred=not take.starred))


def delete_take(project: Project, id: str) -> Project:
    """Take a take out of the list. Its audio stays in the project, and `restore_take` brings it back."""
    return _with_take(project, replace(find_take(project, id), deleted=True))


def restore_take(project: Project, id: str) -> Project:
    """Bring a deleted take back."""
    return _with_take(project, replace(find_take(project, id), deleted=False))


def use_take(project: Project, id: str) -> Project:
    """Set prompt, seed and the engine's knobs as they were for a take."""
    take = find_take(project, id)
    project = set_seed(set_prompt(project, take.prompt), take.seed)
    return replace(project, settings=knobs.of_take(project.settings, take))


def vote(project: Project, ratings: Sequence[tuple[str, int, int]], matched: bool, made: str) -> Round:
    """A blind round of (take id or "original", smoothness, match) in the order in which they stood."""
    if not 2 <= len(ratings) <= MAX_RATED:
        raise InputError(f"{len(ratings)} ratings: expected 2-{MAX_RATED} takes; choose them again")
    if len({id for id, _, _ in ratings}) < len(ratings):
        raise InputError("vote: a take is rated twice; begin the round again")
    rated, regions, sources, places = [], set(), set(), set()
    for id, smoothness, match in ratings:
        for scale, value in (("transition smoothness", smoothness), ("audio match", match)):
            if not 1 <= value <= 10:
                raise InputError(f"{scale} {value}: expected 1-10; choose one of the ten")
        if id == "original":
            rated.append(Rating("", "gt", smoothness, match))
            continue
        take = find_take(project, id)
        regions.add(take.region)
        places.add((take.kind, take.spans))
        sources.add(take.source)
        rated.append(Rating(id, take.engine, smoothness, match))
    region = next(iter(regions), None)
    if region is None or max(len(regions), len(sources), len(places)) > 1:
        raise InputError("vote: expected takes of one span; begin the round again")
    id = lanes.fresh_id("r", (round.id for round in project.rounds))
    return Round(id, region, tuple(rated), matched, made)


def take_label(take: Take) -> str:
    """What a take is called."""
    engine, part = ENGINE_LABELS.get(take.engine, take.engine), part_words(*about_of(take))
    return take.name or f"{engine} {f'{part}, ' if part else ''}seed {take.seed}"


def about_of(take: Take) -> tuple[str, str]:
    """What became of one part of what plays, and of which; empty for a take that was made anew."""
    task, part = take.parameters.get("task"), take.parameters.get("part")
    return (str(task), str(part)) if task in _PARTS else ("", "")


def part_words(task: str, part: str) -> str:
    """ "with drums", "without drums", "drums alone"; empty for a task that is about no part."""
    return _PARTS.get(task, "").format(part)


_PARTS = {"add": "with {}", "take-out": "without {}", "alone": "{} alone"}


# ---- inside


def _show(project: Project, clip: Clip, parent: str | None, take: str | None) -> Project:
    """The clip on the timeline, remembered as a version. Spans stay if they lie inside it."""
    if _root(project, project.clip) == _root(project, clip, parent) is not None and project.clip:
        project = _moved(project, clip.lead - project.clip.lead)
    spans = tuple(span for span in project.spans if span.start >= 0 and span.end <= clip.seconds)
    active = project.active if any(span.id == project.active for span in spans) else ""
    if _version_of(project, clip.sound) is None:
        version = Version(_fresh_version(project), clip, parent, take)
        project = replace(project, versions=(*project.versions, version))
    return replace(project, clip=clip, spans=spans, active=active, kept=take)


def same_recording(project: Project, one: Clip, other: Clip) -> bool:
    """Whether two clips began as the same recording, so that one clock can hold both."""
    root = _root(project, one)
    return root is not None and root == _root(project, other)


def clock_shift(project: Project, source: Sound | None, kind: str, region: Region | None) -> float:
    """Seconds from the clock of a take (its source, kind and region) to that of the clip on the timeline.

    Before it is kept, an intro lies before 0; once it is, what was made earlier lies so much later.
    """
    clip, before = project.clip, source_on_clock(project, source)
    if clip is None or before is None:
        return 0.0
    return clip.lead - before.lead - (region.end if kind == "intro" and region else 0.0)


def source_on_clock(project: Project, source: Sound | None) -> Clip | None:
    """The clip of that sound where it is what the clip on the timeline was made of; else None."""
    clip = project.clip
    before = next((v.clip for v in project.versions if v.clip.sound == source), None)
    return before if clip and before and same_recording(project, clip, before) else None


def _root(project: Project, clip: Clip | None, parent: str | None = None) -> str | None:
    """The version that a clip began as; None for one that is no version and comes from none."""
    known = {version.id: version for version in project.versions}
    version = known.get(parent or "") or (_version_of(project, clip.sound) if clip else None)
    while version is not None and version.parent in known and not _is_arranged(version):
        version = known[version.parent]
    return version.id if version else None


def _is_arranged(version: Version) -> bool:
    """Whether it is another order of its parent's pieces, with a clock of its own."""
    return version.parent is not None and version.take is None


def _arranged_since(project: Project, take: Take) -> bool:
    """Whether the clip on the timeline is another order of what a take was made of."""
    known = {version.id: version for version in project.versions}
    made_of = next((v.clip for v in project.versions if v.clip.sound == take.source), None)
    wanted, root = _root(project, made_of), _root(project, project.clip)
    while wanted and root and (parent := known[root].parent) in known:
        root = _root(project, known[parent or ""].clip)
        if root == wanted:
            return True
    return False


def _moved(project: Project, seconds: float) -> Project:
    """Lanes, spans and sections so much later in time: with them goes the music that they belong to."""
    if not seconds:
        return project
    grid = project.grid
    bars = math.trunc(seconds / (grid.seconds_per_beat * grid.beats_per_bar) * (1 + 1e-9))
    beats = float(bars * grid.beats_per_bar)
    later = lanes.shifted(project.lanes, beats)
    offset = grid.offset + seconds - beats * grid.seconds_per_beat
    spans = tuple(
        replace(span, start=round(span.start + seconds, 6), end=round(span.end + seconds, 6))
        for span in project.spans
    )
    sections = tuple(replace(s, start=s.start + bars, end=s.end + bars) for s in project.sections)
    return replace(project, grid=replace(grid, offset=offset), lanes=later, spans=spans, sections=sections)


def _version_of(project: Project, sound: Sound) -> Version | None:
    return next((version for version in project.versions if version.clip.sound == sound), None)


def _fresh_version(project: Project) -> str:
    return lanes.fresh_id("v", (version.id for version in project.versions))


def _with_take(project: Project, take: Take) -> Project:
    return replace(project, takes=tuple(take if known.id == take.id else known for known in project.takes))
