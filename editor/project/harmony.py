"""What notes spell: the chords of a score that has no chord symbols. Pure functions; times in seconds."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from engines.audio.timebase import Grid
from engines.music.chords import QUALITIES, ROOTS
from engines.requests import Chord, Note

HARMONY_VOICES = 1.5  # fewer notes at once spell no chords


def chords_of_notes(notes: Sequence[Note], grid: Grid) -> tuple[Chord, ...]:
    """What the notes of each half bar (each bar, where bars have three beats) spell; () for a single line.

    The chord that covers most of the sounding time wins, tones that it lacks and tones that it adds in vain
    count against it; the lowest note counts for the root.
    """
    if not notes or _voices(notes) < HARMONY_VOICES:
        return ()
    step = (
        grid.beats_per_bar / 2 if grid.beats_per_bar % 2 == 0 else grid.beats_per_bar
    ) * grid.seconds_per_beat
    end = max(note.end for note in notes)
    found: list[Chord] = []
    for start, stop, inside in _windows(notes, step, end, grid.offset):
        weight = [0.0] * 12
        for note, length in inside:
            weight[note.pitch % 12] += length
        low = min((note.pitch for note, _ in inside), default=0) % 12
        symbol = _spelled(tuple(round(share, 6) if share else 0.0 for share in weight), low)
        if symbol and found and found[-1].symbol == symbol and found[-1].end == start:
            found[-1] = Chord(found[-1].start, stop, symbol)
        elif symbol:
            found.append(Chord(start, stop, symbol))
    return tuple(found)


def _voices(notes: Sequence[Note]) -> float:
    """How many notes sound at once on average, while any does."""
    sounding = reached = 0.0
    for note in sorted(notes, key=lambda note: note.start):
        sounding += max(0.0, note.end - max(note.start, reached))
        reached = max(reached, note.end)
    return sum(note.end - note.start for note in notes) / max(sounding, 1e-9)


def _windows(
    notes: Sequence[Note], step: float, end: float, offset: float
) -> Iterator[tuple[float, float, list[tuple[Note, float]]]]:
    """Each stretch of `step` seconds around `offset`, with its notes and how long each sounds."""
    begin = offset % step - step if offset % step > 1e-6 else 0.0
    ordered = sorted(notes, key=lambda note: note.start)
    held: list[Note] = []
    first, count = 0, 0
    while begin + count * step < end - 1e-6:
        start, stop = max(0.0, begin + count * step), min(begin + (count + 1) * step, end)
        while first < len(ordered) and ordered[first].start < stop - 1e-6:
            held.append(ordered[first])
            first += 1
        held = [note for note in held if note.end > start + 1e-6]
        yield start, stop, [(note, min(note.end, stop) - max(note.start, start)) for note in held]
        count += 1


@lru_cache(maxsize=4096)  # what is held for long, or repeated, is spelled once
def _spelled(weight: tuple[float, ...], low: int) -> str:
    """The chord that 12 pitch classes spell, "" for none."""
    total = sum(weight)
    if total <= 0 or sum(share > 0 for share in weight) < 2:  # one tone alone spells nothing
        return ""
    best, symbol = 0.35, ""
    for root, name in enumerate(ROOTS):
        for quality, steps in QUALITIES.items():
            tones = {(root + step) % 12 for step in steps}
            inside = sum(weight[t] for t in tones) / total
            silent = sum(weight[t] < 0.04 * total for t in tones)
            score = inside - 0.2 * silent - 0.04 * len(tones) + 0.12 * (root == low)
            if score > best:
                best, symbol = score, name + quality
    return symbol
