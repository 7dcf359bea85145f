"""Takes and runs -> groups of tracks to compare, the version tree, and the blind rounds' results.

Times in seconds, on the timeline's clock.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import soundfile

from editor.doors.files import address
from editor.page.state import RegionState
from editor.page.takes.component import (
    GroupState,
    NamedState,
    PlayerState,
    ResultState,
    SeamState,
    TakesState,
    TrackState,
    VersionState,
    WishState,
)
from editor.page.takes.previews import playable, preview, sound_key
from editor.page.takes.words import choice_words, details, search_state, served_by
from editor.project import blind, versions
from editor.project.disk import exports
from editor.project.document import Project, Region, Sound, Take
from editor.project.versions import about_of, part_words, take_label
from editor.runs.job import EXTENSIONS
from editor.runs.track import RunTrack, spent_words
from engines.errors import InputError
from engines.progress import work_seconds

if TYPE_CHECKING:
    from editor.session import Session


_DIGITS = 9
Address = Callable[[Path], str]


def takes_state(session: Session) -> TakesState:
    """Takes and runs of a session for the page."""
    project, run, folder = session.project, session.run, session.folder

    def where(path: Path) -> str:
        return "" if folder is None else address(folder, path)

    return TakesState(
        groups=groups(project, folder, run.tracks, where, session.judging.states),
        versions=version_tree(project),
        deleted=deleted(project),
        results=blind_results(project),
        rounds=len(project.rounds),
        run=run.running,
        say=run.say,
    )


def group_id(kind: str, region: Region | None, source: Sound | None, spans: Sequence[Region] = ()) -> str:
    """What takes share that are compared with each other."""
    if kind == "loop" and source is not None:
        return f"loop:{sound_key(source)}"
    if kind == "generate" or region is None or source is None:
        return "generated"
    if kind in EXTENSIONS:
        return f"{kind}:{sound_key(source)}:{region.end - region.start:.4f}"
    return f"{sound_key(source)}:{'+'.join(f'{one.start:.4f}-{one.end:.4f}' for one in spans or (region,))}"


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
    grouped: dict[str, list[Take | RunTrack]] = {}
    everything: tuple[Take | RunTrack, ...] = (*(t for t in project.takes if not t.deleted), *runs)
    for item in everything:
        key = group_id(item.kind, item.region, item.source, item.spans)
        grouped[key] = [*grouped.pop(key, []), item]
    return [_group(key, items, project, folder, address, judging) for key, items in grouped.items()]


@dataclass(frozen=True)
class _Place:
    """Where the tracks of a group lie on the timeline."""

    later: float  # seconds from the clock of its takes to the timeline's
    region: RegionState | None
    spans: list[RegionState]  # where several were re-made at once
    extends: str  # "continue" | "intro" | "loop", of clips that were extended


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
    place = _Place(
        later,
        _shifted(region, later) if region else None,
        [_shifted(span, later) for span in first.spans],
        first.kind if first.kind in EXTENSIONS else "",
    )
    tracks: list[TrackState] = []
    if folder and first.source:
        tracks += _original(key, first.source, region, place, project, folder, address)
    for number, item in enumerate(items, start=1):
        digit = number if number <= _DIGITS else None
        if isinstance(item, RunTrack):
            tracks.append(_run(item, digit, place))
        elif folder:
            track = _take(item, digit, project, folder, address, place)
            track.wishState = judging.get(item.id, "")
            tracks.append(track)
    return GroupState(
        id=key,
        label=_label(place),
        region=place.region,
        tracks=tracks,
        spans=place.spans,
        extends=place.extends,
    )


def _shifted(region: Region, later: float) -> RegionState:
    return RegionState(start=region.start + later, end=region.end + later)


def _label(place: _Place) -> str:
    """What a group is called."""
    at = place.region
    if place.extends == "loop":
        return "the clip as a loop"
    if at is None:
        return "generated clips"
    if place.extends:
        length = f"{at.end - at.start:.2f} s"
        return f"{length} more after the clip" if place.extends == "continue" else f"{length} before the clip"
    if place.spans:
        return f"{len(place.spans)} spans, {at.start:.2f}–{at.end:.2f} s"
    return f"span {at.start:.2f}–{at.end:.2f} s"


def _original(
    key: str,
    source: Sound,
    region: Region | None,
    place: _Place,
    project: Project,
    folder: Path,
    address: Address,
) -> list[TrackState]:
    """The clip that the takes of a group were made from; none of generated ones."""
    kept = bool(project.clip and project.clip.sound == source)
    if place.extends:
        try:
            path = playable(folder, source)
        except InputError:
            return []
        whole = TrackState(
            id=f"original-{key.replace(':', '-')}",
            digit=0,
            kind="original",
            extends=place.extends,
            url=address(path),
            start=place.later + (region.end if region and place.extends == "intro" else 0.0),
            seconds=soundfile.info(str(path)).duration,
            region=place.region,
            whole=True,
            kept=kept,
        )
        return [whole]
    if region is None:
        return []
    start, url = _heard(folder, source, region, address)
    around = TrackState(
        id=f"original-{sound_key(source)}-{region.start:.3f}-{region.end:.3f}",
        digit=0,
        kind="original",
        url=url,
        start=start + place.later,
        region=place.region,
        spans=place.spans,
        kept=kept,
    )
    return [around]


def _heard(folder: Path, sound: Sound, region: Region | None, address: Address) -> tuple[float, str]:
    """Where what is played of a sound begins, and its address: empty where it cannot be heard.

    With a `region` what lies around it, else all. The clip's own damage is told with the document.
    """
    try:
        start, path = preview(folder, sound, region) if region else (0.0, playable(folder, sound))
    except InputError:  # one damaged file, or a full disk, must not take the other takes along
        return 0.0, ""
    return start, address(path)


def _run(run: RunTrack, digit: int | None, place: _Place) -> TrackState:
    """A run on its way to a take."""
    return TrackState(
        id=run.id,
        digit=digit,
        kind="take",
        extends=place.extends,
        engine=run.engine,
        seed=run.seed,
        part=part_words(*run.about) if run.about else "",
        state=run.state,
        progress=run.progress,
        note=run.note,
        peaks=[] if place.spans else list(run.peaks),  # they begin anew in every span
        region=place.region,
        spans=place.spans,
    )


def _take(
    take: Take,
    digit: int | None,
    project: Project,
    folder: Path,
    address: Address,
    place: _Place,
) -> TrackState:
    extends, later = place.extends, place.later
    start, url = _heard(folder, take.sound, None if extends else take.region, address)
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
        part=part_words(*about_of(take)),
        starred=take.starred,
        words=spent_words(spent),
        model=served_by(take),
        seconds=take.seconds,
        region=place.region,
        spans=place.spans,
        url=url,
        start=start + later,
        file=address(folder / take.file),
        file_name=f"{exports.take_title(project, take)}{Path(take.file).suffix}",
        whole=take.region is None or bool(extends),
        kept=project.kept == take.id,
        seams=[_seam(seam, later) for seam in take.seams],
        asked=[lane for lane, drawn in _controls(take).items() if drawn],
        wish=[WishState.model_validate(wish) for wish in take.wish],
        band=[_player(part, later) for part in take.band],
        details=details(take),
        search=search_state(take),
    )


def _controls(take: Take) -> Mapping[str, Any]:
    controls = take.parameters.get("controls")
    return controls if isinstance(controls, Mapping) else {}


def _player(part: Mapping[str, Any], later: float) -> PlayerState:
    return PlayerState(
        name=part["name"], start=part["start"] + later, end=part["end"] + later, sure=part["sure"]
    )


def _seam(seam: Mapping[str, object], later: float) -> SeamState:
    known: SeamState = SeamState.model_validate(seam)
    known.time = round(known.time + later, 6)
    return known


def clock_shift(project: Project, item: Take | RunTrack) -> float:
    """Seconds from the clock of a take to the timeline's: an intro moves all that it is put before."""
    return versions.clock_shift(project, item.source, item.kind, item.region)


def version_tree(project: Project) -> list[VersionState]:
    """Every clip that was on the timeline, oldest first, with what it was made from."""
    takes = {take.id: take for take in project.takes}
    states = []
    for version in project.versions:
        take = takes.get(version.take or "")
        span = f", {take.region.start:.2f}–{take.region.end:.2f} s" if take and take.region else ""
        span = f", {len(take.spans)} spans{span}" if take and take.spans else span
        states.append(
            VersionState(
                id=version.id,
                label=f"{take_label(take)}{span}" if take else version.clip.label or "Recording",
                engine=take.engine if take else "",
                parent=version.parent,
                current=bool(project.clip and project.clip.sound == version.clip.sound),
            )
        )
    return states


def deleted(project: Project) -> list[NamedState]:
    """The takes that can be brought back."""
    return [NamedState(id=take.id, label=take_label(take)) for take in project.takes if take.deleted]


def blind_results(project: Project) -> list[ResultState]:
    """Means over all blind rounds, in the paper's order of methods."""
    results = []
    for method in blind.results(project):
        figures = {
            name: [figure.mean, *([figure.half] if figure.half is not None else [])]
            for name, figure in method.figures.items()
        }
        results.append(
            ResultState(
                engine=method.engine,
                smoothness=figures["smoothness"],
                match=figures["match"],
                preferred=method.preferred,
                rounds=method.rounds,
                words=spent_words(method.seconds) if method.seconds is not None else "",
            )
        )
    return results
