"""A take in words: why it was chosen, what it was made with; and the lines of a run's status.

Times in seconds. Knows no files.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from editor.page.shown import Markup
from editor.page.takes.component import CandidateState, SearchState
from editor.project.document import Take
from editor.project.knobs import network_of
from editor.project.versions import about_of
from editor.runs.job import EXTENSIONS
from editor.runs.track import RunTrack, spent_words
from engines.outcomes import AUTO, CANDIDATES, SEARCH, Candidates, Comparison, Search
from engines.progress import work_seconds
from engines.roster import ENGINES

TAGS: dict[str, str] = {**{spec.name: spec.tag for spec in ENGINES}, "auto": "Fix"}
_DONE = {"add": "added", "take-out": "taken out", "alone": "left alone"}
COLOURS: dict[str, str] = {**{spec.name: spec.colour for spec in ENGINES}, "auto": "text"}


def choice_words(take: Take) -> tuple[str, str]:
    """Why "Fix it" took this one, in a few words and in full; empty for a take that was asked for."""
    choice = Comparison.from_json(_resolved(take).get(AUTO))
    if choice is None or not choice.scores:
        return "", ""
    tried = sorted(choice.scores.items(), key=lambda item: item[1])
    words = ", ".join(f"{TAGS.get(name, name)} {score:.2f}" for name, score in tried)
    more = [f"Roughness of the rougher seam, 0 smooth to 1 rough: {words}"]
    more += [f"{TAGS.get(name, name)} left out: {reason}" for name, reason in choice.left_out.items()]
    if len(tried) > 1:
        return f"Smoothest of {len(tried)}: {words}", "\n".join(more)
    good = any("good already" in reason for reason in choice.left_out.values())
    only = TAGS.get(tried[0][0], tried[0][0])
    return (f"{only} was smooth at once" if good else f"Only {only} fitted the time"), "\n".join(more)


def details(take: Take) -> list[list[str]]:
    """All that a take was made with, in words: [what, value]."""
    sent = take.parameters
    rows = [("Prompt", take.prompt or "none"), ("Seed", str(take.seed))]
    if why := choice_words(take)[0]:
        rows.append(("Chosen", why))
    if take.region:
        what = "Added" if take.kind in EXTENSIONS else "Span"
        places = ", ".join(f"{one.start:.3f}–{one.end:.3f}" for one in take.spans or (take.region,))
        rows.append((what if not take.spans else "Spans", f"{places} s"))
    for lane, drawn in _fields(sent.get("controls")).items():
        if lane == "grid":
            rows.append(("Tempo told", f"{drawn['bpm']:g} bpm" if drawn is not None else "no"))
            continue
        rows.append((f"{lane.capitalize()} followed", f"{len(drawn)}" if drawn is not None else "no"))
    task, part = about_of(take)
    if task:
        rows.append(("Part", f"{part}: {_DONE[task]}"))
    elif "intent" in sent:
        changes = sent.get("changed")
        words = ", ".join(map(str, changes)) if isinstance(changes, list) else "whatever was given"
        rows += [("Intent", str(sent["intent"])), ("Changed", words or "nothing")]
    known = {**_fields(sent.get(network_of(take.engine))), **_resolved(take)}
    for name, value in known.items():
        if name in ("seed", "window", "task", "part", AUTO, SEARCH) or (
            name == "zero_shot" and take.engine != "fm-zero-shot"
        ):
            continue
        if name == CANDIDATES and (words := _tried(value)):
            rows.append(("Fillings tried", words))
            continue
        rows.append((name.replace("_", " ").capitalize(), "the bundle's" if value is None else _said(value)))
    for name, unit in (("strength", ""), ("match", ""), ("crossfade", " s")):
        if name in sent and not (task and name != "crossfade"):
            rows.append((name.capitalize(), f"{sent[name]}{unit}"))
    rows.extend((f"Time, {stage}", f"{spent:.2f} s") for stage, spent in take.timings.items())
    rows.append(("Made", take.made.replace("T", " ")[:19]))
    return [list(row) for row in rows]


def served_by(take: Take) -> str:
    """The checkpoint that a take was made with, where it is not the server's own; else empty."""
    return str(_fields(take.parameters.get(network_of(take.engine))).get("checkpoint", ""))


def _tried(value: object) -> str:
    """The fillings among which a take was the smoothest, in words; empty where there was one."""
    tried = Candidates.from_json(value)
    words = (
        (
            f"from {one.began_from} (roughness {one.roughness:.1f}{', taken' if i == tried.chosen else ''})"
            for i, one in enumerate(tried.each)
        )
        if tried is not None
        else ()
    )
    return "; ".join(words)


def _said(value: object) -> str:
    """A setting in words, whatever an engine has put there."""
    if isinstance(value, Mapping):
        return ", ".join(f"{str(key).replace('_', ' ')} {_said(part)}" for key, part in value.items())
    if isinstance(value, Sequence) and not isinstance(value, str):
        return ", ".join(_said(part) for part in value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _resolved(take: Take) -> Mapping[str, Any]:
    """What its run said of itself."""
    return _fields(take.parameters.get("resolved"))


def _fields(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def search_state(take: Take) -> SearchState | None:
    """The curves of a take's zero-shot search, and their cost; None where there was no search."""
    search = Search.from_json(_resolved(take).get(SEARCH))
    if search is None:  # another engine's
        return None
    several = Candidates.from_json(_resolved(take).get(CANDIDATES))
    chosen, arrived, candidates = several.chosen if several else 0, 0, []
    for one in search.candidates:
        here = one.dropped is None
        candidates.append(
            CandidateState(
                start=one.start,
                curve=[list(point) for point in one.curve],
                dropped=one.dropped,
                chosen=here and arrived == chosen,
            )
        )
        arrived += here
    return SearchState(budget=search.budget, spent=search.spent, candidates=candidates)


def status_markup(runs: Sequence[RunTrack], done: Sequence[Take], message: str = "") -> Markup:
    """One line per engine of the last run; the block keeps its height, whatever it says."""
    lines = []
    for engine in TAGS:
        finished = [take for take in done if take.engine == engine]
        left = sorted((run for run in runs if run.engine == engine), key=_urgency)
        of = (
            f"{len(finished)} of {len(finished) + len(left)} done, "
            if len(finished) + len(left) > 1 and left
            else ""
        )
        if left:
            run = left[0]
            note = run.note[:1].lower() + run.note[1:] if of or run.state == "waiting" else run.note
            lines.append(_line(engine, f"{of}{note}", run.state, run.progress))
        elif finished:
            spent = spent_words(sum(work_seconds(take.timings) for take in finished))
            count = f"{len(finished)} " if len(finished) > 1 else ""
            lines.append(_line(engine, f"{count}done in {spent}", "idle"))
    error = Markup('<div class="place-error" role="alert">{}</div>').format(message) if message else ""
    return Markup('<div class="status">{}{}</div>').format(error, Markup("").join(lines))


def _urgency(run: RunTrack) -> int:
    return ("running", "waiting", "failed", "cancelled", "interrupted").index(run.state)


def _line(engine: str, words: str, state: str, progress: float = 0.0) -> Markup:
    bar = Markup('<i class="progress"><i style="width:{:.1f}%"></i></i>').format(progress * 100)
    return Markup(
        '<p class="{}" style="--e:var(--{})"><span class="tag">{}</span><span title="{}">{}</span>{}</p>'
    ).format(state, COLOURS[engine], TAGS[engine], words, words, bar if state == "running" else "")
