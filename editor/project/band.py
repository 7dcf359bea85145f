"""Who plays: parts on the band lane, from MIDI programs and from a line of names; how they are called.

Conventions: parts of one instrument (a row of the lane) never overlap, a later one cuts an earlier one; the
lane is in order of time, then of rows. Lane times are beats, those of `engines.requests.Part` seconds. Pure
functions on frozen values; loads no torch. Knows neither projects nor words in sentences (`wording`).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from editor.project import lanes
from editor.project.document import LanePart, Span
from engines.audio.timebase import SHOWN_SECONDS, Grid
from engines.errors import InputError
from engines.music.instruments import ALIASES, DRUMS_ROW, OTHERS, ROWS, family_of, named, of_program
from engines.requests import Part

MAKERS: tuple[str, ...] = ("drawn", "heard", "words", "midi", "imported")  # whose word a part is
REST_SECONDS = 2.5  # a shorter rest does not end a part that a file's notes make
_ORDER = {name: i for i, name in enumerate((*ROWS, OTHERS))}
_SHORT = {  # what stands in a narrow cell
    "electric piano": "E-piano", "honky-tonk piano": "Honky-tonk", "vibraphone": "Vibes",
    "nylon guitar": "Nylon", "acoustic guitar": "Ac. guitar", "jazz guitar": "Jazz guit.",
    "electric guitar": "E-guitar", "clean electric guitar": "Clean guit.",
    "distorted guitar": "Dist. guit.", "upright bass": "Bass", "electric bass": "E-bass",
    "picked bass": "P-bass", "fretless bass": "Fretless", "slap bass": "Slap bass", "synth bass": "S-bass",
    "pizzicato strings": "Pizzicato", "synth strings": "S-strings", "muted trumpet": "Mute tpt",
    "brass section": "Brass", "synth brass": "S-brass", "soprano saxophone": "Sop. sax",
    "saxophone": "Sax", "English horn": "E. horn", "French horn": "Horn", "square lead synth": "Sq. lead",
    "saw lead synth": "Saw lead", "warm synth pad": "Warm pad", "mallets and bells": "Mallets",
    "plucked and piped": "Plucked", "tuned percussion": "Tuned perc.", "solo strings": "Strings",
}  # fmt: skip


def place(
    lane: Sequence[LanePart], new: Sequence[LanePart] = (), gone: Iterable[str] = ()
) -> tuple[LanePart, ...]:
    """The lane with `new` parts on it and without the ids in `gone`; a known id moves."""
    replaced = set(gone) | {part.id for part in new}
    rows: dict[str, list[LanePart]] = {}
    for part in (*(part for part in lane if part.id not in replaced), *new):
        rows.setdefault(part.instrument, []).append(part)
    return in_order(part for row in rows.values() for part in _renamed(lanes.place_all(row), rows))


def _renamed(row: tuple[LanePart, ...], rows: Mapping[str, Sequence[LanePart]]) -> Iterable[LanePart]:
    """A row whose split-off pieces have ids that no other row uses."""
    name = row[0].instrument if row else ""
    others = {part.id for other in rows.values() for part in other if part.instrument != name}
    own = {part.id for part in row}
    for part in row:
        yield replace(part, id=lanes.fresh_id("p", others | own)) if part.id in others else part


def in_order(parts: Iterable[LanePart]) -> tuple[LanePart, ...]:
    """Parts by time, then by row."""
    return tuple(sorted(parts, key=lambda part: (part.start, _ORDER.get(part.instrument, 0), part.end)))


def to_lane(parts: Sequence[Part], grid: Grid, by: str, sure: Sequence[float] = ()) -> tuple[LanePart, ...]:
    """Parts in seconds -> parts in beats, with ids p1, p2 ...; `sure`: how certain each is, else 1."""
    certain = [*sure, *[1.0] * (len(parts) - len(sure))]
    made = [
        LanePart(
            f"p{i}", grid.seconds_to_beats(part.start), grid.seconds_to_beats(part.end),
            named(part.instrument), part.plays, round(float(trust), 3), by,
        )
        for i, (part, trust) in enumerate(zip(parts, certain, strict=True), 1)
        if grid.seconds_to_beats(part.end) - grid.seconds_to_beats(part.start) >= lanes.SHORTEST
    ]  # fmt: skip
    return place((), made[: lanes.MAX_OBJECTS])


def put_in(parts: Sequence[LanePart], spans: Sequence[Span], grid: Grid) -> tuple[LanePart, ...]:
    """Parts of a file, cut at the borders of the spans that are there: inside, the musician put them in."""
    found = list(parts)
    for span in spans:
        start, end = grid.seconds_to_beats(span.start), grid.seconds_to_beats(span.end)
        cut: list[LanePart] = []
        for part in found:
            first, last = max(part.start, start), min(part.end, end)
            if last - first < lanes.SHORTEST:
                cut.append(part)
                continue
            outside = (replace(part, end=first), replace(part, id="", start=last))
            cut += [piece for piece in outside if piece.end - piece.start >= lanes.SHORTEST]
            cut.append(replace(part, id="", start=first, end=last, by="imported"))
        found = cut
    return in_order(found)


def of_notes(
    notes: Iterable[tuple[float, float]], program: int | None, name: str = "", rest: float = REST_SECONDS
) -> tuple[Part, ...]:
    """When the instrument of a General MIDI program plays, from its notes (start, end); None = the drums.

    `name` is the row where the file says it; a rest shorter than `rest` seconds ends no part.
    """
    name = name or (DRUMS_ROW if program is None else of_program(program) or "")
    if not name:  # an effect
        return ()
    parts: list[Part] = []
    for start, end in sorted(notes):
        if parts and start - parts[-1].end < rest:
            parts[-1] = replace(parts[-1], end=max(parts[-1].end, end))
        else:
            parts.append(Part(start, end, name))
    return tuple(parts)


def joined(parts: Iterable[Part]) -> tuple[Part, ...]:
    """Parts of several tracks as one list: those of one instrument that overlap are one."""
    rows: dict[str, list[tuple[float, float]]] = {}
    for part in parts:
        rows.setdefault(part.instrument, []).append((part.start, part.end))
    found: list[Part] = []
    for name, spans in rows.items():
        first = len(found)
        for start, end in sorted(spans):
            if len(found) > first and start <= found[-1].end:
                found[-1] = replace(found[-1], end=max(found[-1].end, end))
            else:
                found.append(Part(start, end, name))
    return tuple(sorted(found, key=lambda part: (part.start, _ORDER[part.instrument])))


def parse_line(line: str, seconds: float) -> tuple[Part, ...]:
    """Who plays when, from a line such as "piano drums@0 sax@4.5-8 no-bass only-flute@6", in seconds.

    Without @ all the time; @S from there to the end, @S-E until E. `no-` asks for an absence, `only-` for
    nothing else. Names of several words have hyphens or underscores. A later time cuts what was said before
    of the same instrument. Raises InputError for anything else.
    """
    told: list[tuple[float, float, str, bool]] = []
    for word in line.split():
        name, _, when = word.partition("@")
        start, end = _times(word, when, seconds)
        plays, only = not name.startswith("no-"), name.startswith("only-")
        meant = _meant(name.removeprefix("no-").removeprefix("only-"))
        if meant == OTHERS and plays:
            raise InputError(f"--instruments {word[:40]!r}: {OTHERS} can only be left out; write no-others")
        if only:
            told.append((start, end, OTHERS, False))
        told.append((start, end, meant, plays))
        if only:  # what was said before ends where nothing else is to play
            told = [one for other in told for one in _before(other, start, end, meant)]
    if not told:
        raise InputError('--instruments: empty; expected for instance "piano drums@0 sax@4.5"')
    made = [LanePart(f"p{i}", *told_of) for i, told_of in enumerate(sorted(told, key=lambda one: one[0]), 1)]
    return tuple(Part(p.start, p.end, p.instrument, p.plays) for p in place((), made))


def _before(
    told: tuple[float, float, str, bool], start: float, end: float, only: str
) -> list[tuple[float, float, str, bool]]:
    """What of a part is left where only one instrument is to play in [start, end)."""
    first, last, name, plays = told
    if name in (only, OTHERS) or not plays:
        return [told]
    return [(a, b, name, plays) for a, b in ((first, min(last, start)), (max(first, end), last)) if b > a]


def _meant(name: str) -> str:
    """An instrument from a name whose words are joined by hyphens or underscores."""
    joined_rows = {row.replace(" ", "-").casefold(): row for row in ROWS}
    for spelt in (joined_rows.get(name.casefold(), name), name.replace("-", " ")):
        try:
            return named(spelt)
        except InputError as error:
            refused = error
    raise refused


def _times(word: str, when: str, seconds: float) -> tuple[float, float]:
    try:
        start, _, end = when.partition("-")
        times = float(start or 0.0), float(end or seconds)
    except ValueError:
        times = (-1.0, -1.0)
    if not 0 <= times[0] < times[1] <= seconds + SHOWN_SECONDS:
        raise InputError(
            f"--instruments {word[:40]!r}: expected a name with @S or @S-E in seconds within 0-{seconds:g}, "
            "as in sax@4.5"
        )
    return times[0], min(times[1], seconds)


def names() -> list[dict[str, Any]]:
    """Every instrument as the page offers it: name, family ("" of drums and families), other names."""
    also = {name: [other for other, meant in ALIASES.items() if meant == name] for name in ROWS}
    short = {name: _SHORT.get(name, name[:1].upper() + name[1:]) for name in ROWS}
    return [
        {"name": name, "family": family_of(name) or "", "short": short[name], "also": also[name]}
        for name in ROWS
    ]
