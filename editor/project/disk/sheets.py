"""MusicXML -> a score: bars on a grid, the leading part, chords, drums, players, and what was guessed.

Times in seconds from the score's beginning on its grid, at its first tempo. Knows neither audio nor projects.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from editor.project import band, lanes
from editor.project.harmony import chords_of_notes
from editor.project.score import Score, told
from engines.errors import InputError
from engines.music import metre
from engines.music.chords import parse
from engines.music.musicxml import Measure, read_musicxml, signature
from engines.music.musicxml import Part as Written
from engines.music.symbols import ChordSymbol
from engines.requests import Chord, Note, Part

_SAME = 1e-3  # quarters


def read_sheet(path: str | os.PathLike[str]) -> Score:
    """The score in a MusicXML file. InputError, in one line, when it cannot be read."""
    parts = read_musicxml(path)
    tempi = sorted(tempo for part in parts for tempo in part.tempi)
    quarter = tempi[0][1] if tempi else metre.TEMPO_UNSAID
    bars = max((part.measures for part in parts), key=len, default=[])
    metres = next((m for part in parts if (m := _metres(part.measures))), [])
    kept, first_bar = _first_bar(bars, metres)
    counting = metre.counted(kept, quarter, first_bar)
    grid = counting.grid(first_bar)
    second = 60.0 / quarter  # seconds a quarter
    end = max((part.length for part in parts), default=0.0) * second
    pitched = [part for part in parts if part.notes]
    melody: tuple[Note, ...] = ()
    if pitched:
        leading = max(pitched, key=lambda p: (_leads(p), sum(n.pitch for n in p.notes) / len(p.notes)))
        melody = lanes.skyline(_notes(leading, second))
    symbols = next((part.symbols for part in parts if part.symbols), [])
    chords, remarks = _chords(symbols, second, end)
    if not symbols:
        chords = chords_of_notes([note for part in pitched for note in _notes(part, second)], grid)
        remarks = ["chords are inferred from the notes"] if chords else []
    hits = lanes.hits_at([(hit.at * second, hit.key) for part in parts for hit in part.hits])
    remarks += [counting.remark, metre.changes(metres, kept), metre.tempo_changes(tempi, quarter, 0.0)]
    remarks += [remark for part in parts for remark in part.remarks]
    plays = band.joined(each for part in parts for each in _plays(part, second))
    note = told(remarks)
    return Score(chords, melody, hits, grid.bpm, grid.beats_per_bar, note, plays, grid.offset)


def _metres(measures: Sequence[Measure]) -> list[metre.Metre]:
    """The metres of a part, each where it is set first."""
    found: list[metre.Metre] = []
    for measure in measures:
        if measure.metre is not None:
            over, under = signature(measure.metre)
            if not found or (found[-1].over, found[-1].under) != (over, under):
                found.append(metre.Metre(measure.at, over, under))
    return found


def _first_bar(measures: Sequence[Measure], metres: Sequence[metre.Metre]) -> tuple[metre.Metre, float]:
    """The metre, and the quarter at which the first whole bar begins: what is shorter before is a pickup."""
    kept, first = metre.first_bar(metres)
    if first > 0 or len(measures) < 2:
        return kept, first
    pickup = measures[0].length
    short = _SAME < pickup < kept.quarters - _SAME
    whole = measures[1].implicit is False and measures[1].length >= pickup - _SAME
    return kept, pickup if short and (measures[0].implicit or whole) else 0.0


def _leads(part: Written) -> bool:
    return any(word in part.name.lower() for word in ("melod", "lead", "vocal", "voice"))


def _notes(part: Written, second: float) -> list[Note]:
    """The notes of a part; `second` seconds a quarter."""
    return [Note(n.at * second, (n.at + n.length) * second, n.pitch) for n in part.notes]


def _plays(part: Written, second: float) -> tuple[Part, ...]:
    """Who plays a part when; `second` seconds a quarter. Nothing where the score names no sound for it."""
    known = [hit for hit in part.hits if hit.key in lanes.GM_DRUMS]
    struck = band.of_notes([(hit.at * second, hit.at * second) for hit in known], None)
    drums = tuple(Part(p.start, max(p.end, p.start + second), p.instrument) for p in struck)
    if not 0 <= part.program < 128:
        return drums
    times = [(note.start, note.end) for note in _notes(part, second)]
    return (*drums, *band.of_notes(times, part.program))


def _chords(symbols: Sequence[ChordSymbol], second: float, end: float) -> tuple[tuple[Chord, ...], list[str]]:
    """Chord symbols -> chords until the next, and what was simplified. One that is not known is none."""
    out: list[Chord] = []
    remarks: dict[str, None] = {}
    ordered = sorted(symbols, key=lambda symbol: symbol.at)
    stops = [symbol.at * second for symbol in ordered[1:]] + [end] * bool(ordered)
    for symbol, stop in zip(ordered, stops, strict=True):
        if stop <= symbol.at * second:
            continue
        written, remark = symbol.written or "N", symbol.remark
        try:
            known = parse(written)
        except InputError:
            known, remark = parse("N"), f"chord {written[:24]!r} is not known: no chord there"
        if remark or known.simplified:
            remarks[remark or known.simplified] = None
        out.append(Chord(symbol.at * second, stop, known.symbol))
    more = [f"and {len(remarks) - 3} more chords are simplified"] if len(remarks) > 3 else []
    return tuple(out), [*list(remarks)[:3], *more]
