"""Edits of words, numbers, grid, engines and knobs: pure functions Project -> Project.

Every function checks what comes and raises `InputError` (one line: value, expectation, remedy);
none changes its argument. Times are seconds. Knows neither history, files nor engines' insides.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from unicodedata import category

from editor.project import knobs, lanes
from editor.project.document import UNNAMED, Project, Settings
from editor.project.harmony import fitting_key
from engines.audio.timebase import Grid
from engines.errors import InputError
from engines.requests import LONGEST_SECONDS, MAX_PROMPT
from engines.roster import ENGINE_NAMES

LENGTH_SECONDS = (1.0, LONGEST_SECONDS)  # what Generate may be asked for, and what may be added
MAX_SEED = 2**32 - 1
MAX_NAME = 100  # characters
NAME_FROM_WORDS = 40  # characters that words give to a name
MAX_VARIATIONS = 4
MODEL_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")  # of a checkpoint on the shelf
SORTS = ("smoothest", "wish")  # how the takes of a span may be ordered


def clean_text(text: str) -> str:
    """Text fit for a model and a page: control and unpaired characters become spaces, several one."""
    unseen = ("Cc", "Cs", "Zl", "Zp")  # Unicode: controls, surrogates, line and paragraph separators
    return " ".join("".join(" " if category(char) in unseen else char for char in text).split())


def check_prompt(prompt: str) -> str:
    """A prompt that every engine takes; InputError when it is longer than MAX_PROMPT characters."""
    prompt = clean_text(prompt)
    if len(prompt) > MAX_PROMPT:
        raise InputError(f"prompt of {len(prompt)} characters: at most {MAX_PROMPT}; shorten it")
    return prompt


def check_seed(seed: int) -> int:
    """A seed in 0..MAX_SEED."""
    if not 0 <= seed <= MAX_SEED:
        raise InputError(f"seed {str(seed)[:24]}: expected a whole number 0-{MAX_SEED}; choose another")
    return seed


def set_name(project: Project, name: str) -> Project:
    """Name the project."""
    name = clean_text(name)
    if len(name) > MAX_NAME:
        raise InputError(f"name of {len(name)} characters: at most {MAX_NAME}; shorten it")
    return replace(project, name=name or UNNAMED)


def name_after_file(project: Project, label: str) -> Project:
    """Named as the file that came into it, where nobody has named it."""
    return _named(project, label.rsplit(".", 1)[0])


def name_after_words(project: Project, words: str) -> Project:
    """Named by the first of the words that it was described with, where nobody has named it."""
    words = clean_text(words)
    if len(words) > NAME_FROM_WORDS:
        fits = words[: NAME_FROM_WORDS + 1]
        whole = fits.rpartition(",")[0] if "," in fits[8:] else fits.rpartition(" ")[0]
        words = whole.rstrip(" ,.;") or fits[:-1]
    return _named(project, words[:1].upper() + words[1:])


def _named(project: Project, name: str) -> Project:
    name = clean_text(name)[:MAX_NAME]
    return replace(project, name=name) if name and project.name == UNNAMED else project


def set_prompt(project: Project, prompt: str) -> Project:
    """Set the words that a run follows."""
    return replace(project, prompt=check_prompt(prompt))


def set_length(project: Project, seconds: float) -> Project:
    """Set the length of a generated clip."""
    low, high = LENGTH_SECONDS
    if not low <= seconds <= high:
        raise InputError(f"length {seconds:g} s: expected {low:g}-{high:g} s; set it in that range")
    return replace(project, length=float(seconds))


def set_seed(project: Project, seed: int) -> Project:
    """Set the seed of the next run."""
    return replace(project, seed=check_seed(seed))


def set_grid(project: Project, bpm: float, beats_per_bar: int, offset: float = 0.0) -> Project:
    """Set tempo, signature and the time of beat 0. Lane objects keep their beats, so they move in time."""
    if not abs(offset) <= 3600:
        raise InputError(f"first beat at {offset:g} s: expected within an hour of the clip; set it again")
    try:
        return replace(project, grid=Grid(bpm, beats_per_bar, offset))
    except ValueError as error:
        raise InputError(str(error)) from error


def set_key(project: Project, key: str) -> Project:
    """Set the key that the page offers chords and rows in: "C major", "F# minor" ..."""
    tonic, _, mode = key.partition(" ")
    if mode not in ("major", "minor"):
        raise InputError(f"key {key[:20]!r}: expected a tonic and major or minor, as in F# minor")
    lanes.palette(tonic + ("m" if mode == "minor" else ""))
    return replace(project, key=key)


def set_fitting_key(project: Project) -> Project:
    """The key that the melody fits far better than the project's, where there is one."""
    found = fitting_key([(note.pitch, note.end - note.start) for note in project.lanes.melody], project.key)
    return replace(project, key=found) if found else project


def set_engines(project: Project, engines: Sequence[str]) -> Project:
    """Tick the engines for Inpaint; kept in the order AR, FM, zero-shot."""
    for name in engines:
        if name not in ENGINE_NAMES:
            raise InputError(f"engine {name[:40]!r}: expected one of {', '.join(ENGINE_NAMES)}")
    return replace(project, engines=tuple(name for name in ENGINE_NAMES if name in engines))


def set_follow(project: Project, names: Sequence[str]) -> Project:
    """Choose the lanes that condition a run."""
    return replace(project, follow=lane_names(names))


def set_sort(project: Project, by: str) -> Project:
    """Choose how the takes of a span are ordered."""
    if by not in SORTS:
        raise InputError(f"sort by {by[:40]!r}: expected one of {', '.join(SORTS)}")
    return replace(project, sort=by)


def set_variations(project: Project, count: int) -> Project:
    """How many takes each engine makes at a click."""
    if not 1 <= count <= MAX_VARIATIONS:
        raise InputError(f"{count} variations: expected 1-{MAX_VARIATIONS}; choose one of them")
    return replace(project, variations=count)


def set_settings(project: Project, values: Mapping[str, object]) -> Project:
    """Turn the knobs that are named; one whose value is None stays, or is the bundle's."""
    return replace(project, settings=knobs.turned(project.settings, values))


def set_preset(project: Project, name: str, delivered: Settings | None = None) -> Project:
    """Set all knobs as a preset has them, the others as `delivered` for its models; the models stay."""
    now = project.settings
    chosen = knobs.preset(name, delivered or Settings())
    return replace(project, settings=replace(chosen, ar_from=now.ar_from, fm_from=now.fm_from))


def set_models(project: Project, ar_from: str | None = None, fm_from: str | None = None) -> Project:
    """Choose the checkpoints that AR, and FM with zero-shot, run on; "" is the server's own, None stays."""
    now = project.settings
    for name in (ar_from, fm_from):
        if name and not MODEL_NAME.fullmatch(name):
            raise InputError(f"model {name[:64]!r}: expected a name of the Models sheet; choose one there")
    chosen = replace(
        now,
        ar_from=now.ar_from if ar_from is None else ar_from,
        fm_from=now.fm_from if fm_from is None else fm_from,
    )
    return replace(project, settings=chosen)


def lane_names(names: Sequence[str]) -> tuple[str, ...]:
    """Names of lanes in the order of the page; InputError for one that is none."""
    for name in names:
        if name not in lanes.LANE_NAMES:
            raise InputError(f"lane {name[:40]!r}: expected one of {', '.join(lanes.LANE_NAMES)}")
    return tuple(name for name in lanes.LANE_NAMES if name in names)
