"""What notes spell: chords, for a score without chord symbols, and the key that they fit. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache

from engines.audio.timebase import Grid
from engines.music.chords import QUALITIES, ROOTS
from engines.requests import Chord, Note

KEYS = tuple(
    f"{tonic} {mode}"
    for mode, tonics in (("major", "C Db D Eb E F F# G Ab A Bb B"), ("minor", "C C# D Eb E F F# G G# A Bb B"))
    for tonic in tonics.split()
)  # as the page spells them
_SCALES = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
FEW = 3  # notes outside a key that may be passing ones
SHARE = 0.1  # of all notes
HARMONY_VOICES = 1.5  # fewer notes at once spell no chords


def fitting_key(notes: Sequence[tuple[int, float]], key: str) -> str:
    """A key that notes, each with its pitch and length, fit far better than `key`; "" where there is none.

    Of keys with the same scale the one whose tonic sounds longest. The page offers the same (`notes.js`).
    """
    if key not in KEYS:  # spelled as the page does not: somebody chose it
        return ""
    outside = _outside(notes, KEYS.index(key))
    if outside < FEW or outside < SHARE * len(notes):
        return ""
    total = sum(length for _, length in notes) or 1.0
    home = [sum(length for pitch, length in notes if pitch % 12 == tonic) / total for tonic in range(12)]
    best = min(range(len(KEYS)), key=lambda i: (_outside(notes, i), -round(home[i % 12], 6), i))
    return KEYS[best] if 2 * _outside(notes, best) <= outside else ""


def _outside(notes: Sequence[tuple[int, float]], index: int) -> int:
    """How many notes lie outside a key, by its place in KEYS."""
    scale = {(index % 12 + step) % 12 for step in _SCALES["minor" if index >= 12 else "major"]}
    return sum(pitch % 12 not in scale for pitch, _ in notes)


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
