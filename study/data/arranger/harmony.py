# ruff: noqa: E501 (tables)
"""Harmony: progressions drawn by style or read off a lead sheet, and the chord labels of a clip.

Per bar a list of (beat in the bar, length in beats, symbol of the models' vocabulary). Does not know
instruments or audio.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from engines.music.chords import ROOTS, VOCABULARY, bass, root
from engines.requests import Chord
from study.data.arranger.form import Form
from study.data.arranger.plan import Plan
from study.data.leadsheets import Sheet
from study.data.piece import Track
from study.data.styles import Metre

# Degree -> (semitones above the tonic, triad, seventh chord); progressions are one degree a slot.
_MAJOR_DEGREES = {
    "1": (0, "", "maj7"), "2": (2, "m", "m7"), "3": (4, "m", "m7"), "4": (5, "", "maj7"), "5": (7, "", "7"), "6": (9, "m", "m7"),
    "7": (11, "dim", "m7b5"), "b7": (10, "", "7"), "4m": (5, "m", "m6"), "2M": (2, "", "7"), "3M": (4, "", "7"), "6M": (9, "", "7"),
    "1+": (0, "aug", "aug"), "b6": (8, "", "maj7"), "b3": (3, "", "maj7"), "#1": (1, "dim", "dim"), "#4": (6, "dim", "m7b5"),
    "16": (0, "6", "6"), "17": (0, "7", "7"), "5m": (7, "m", "m7"), "47": (5, "", "7"),
}  # fmt: skip
_MINOR_DEGREES = {
    "1": (0, "m", "m7"), "2": (2, "dim", "m7b5"), "3": (3, "", "maj7"), "4": (5, "m", "m7"), "5": (7, "", "7"), "5m": (7, "m", "m7"),
    "6": (8, "", "maj7"), "7": (10, "", "7"), "b2": (1, "", "maj7"), "16": (0, "m6", "m6"), "4M": (5, "", "7"), "5+": (7, "aug", "aug"),
    "7o": (11, "dim", "dim"),
}  # fmt: skip
_MAJOR_PROGRESSIONS = tuple(
    p.split()
    for p in (
        "1 5 6 4|1 6 4 5|6 4 1 5|1 4 5 5|1 4 1 5|2 5 1 1|2 5 1 6|1 3 4 5|1 5 4 4|4 5 1 6|1 2 4 5|1 6 2 5|3 6 2 5|1 4 2 5|1 b7 4 1|"
        "1 4 4m 1|1 3M 6 4|1 #1 2 5|1 1+ 16 17|6M 2M 5 1|1 b6 b7 1|2 5 3 6|1 5m 4 1|4 3 2 1|1 b3 4 4m|1 7 3M 6|2M 5 1 1|1 17 4 4m|"
        "4 #4 1 6M|1 5 6 3 4 1 4 5|1 6M 2M 5|1 16 1+ 16|b6 b7 1 1|1 1 4 5|4 1 5 6|1 4 6 5"
    ).split("|")
)
_MINOR_PROGRESSIONS = tuple(
    p.split()
    for p in (
        "1 6 3 7|1 4 5 1|1 7 6 5|1 6 4 5|1 4 7 3|2 5 1 1|1 3 7 4|1 7 6 7|1 5m 6 4|1 b2 1 5|1 4M 1 4M|1 16 6 5|1 7o 1 5|6 7 1 1|"
        "4 1 5 1|1 1 4 5|1 2 5 1|1 5+ 1 4|3 7 1 5|1 4 7 3 6 2 5 1|1 6 7 5m|1 3 4 6"
    ).split("|")
)
_BLUES = "17 17 17 17 47 47 17 17 5 47 17 5".split()
_MINOR_BLUES = "1 1 1 1 4 4 1 1 6 5 1 5".split()
_SLASHES = {
    plain: tuple(v for v in VOCABULARY if v.startswith(plain + "/"))
    for plain in VOCABULARY
    if "/" not in plain
}

Line = list[tuple[float, float, int]]  # beat from the first, length in beats, MIDI pitch
Bars = list[list[tuple[float, float, str]]]  # per bar (beat in the bar, length in beats, symbol)


def harmony_of(r: random.Random, plan: Plan, metre: Metre, bars: int) -> Bars:
    """So many bars of a progression that suits the plan's style, or of chords drawn from the whole vocabulary."""
    style = plan.style
    sevenths = r.random() < style.sevenths
    blues = not plan.free and r.random() < style.blues
    roll = r.random()
    per_chord = 1.0 if roll < 0.68 or blues else 2.0 if roll < 0.8 else 0.5  # bars a chord
    start = r.randrange(12)
    degrees, template = (
        (_MINOR_DEGREES, _MINOR_BLUES if blues else r.choice(_MINOR_PROGRESSIONS))
        if plan.minor
        else (_MAJOR_DEGREES, _BLUES if blues else r.choice(_MAJOR_PROGRESSIONS))
    )
    other = r.choice(_MINOR_PROGRESSIONS if plan.minor else _MAJOR_PROGRESSIONS)
    inversions = r.choice((0.0, 0.0, 0.15, 0.35))

    def symbol(i: int) -> str:
        if plan.free:  # any chord the models know, so that control does not lean on habits of harmony
            return VOCABULARY[r.randrange(1, len(VOCABULARY) - 1)]
        line = other if not blues and len(template) == 4 and i // 8 % 2 == 1 else template
        offset, triad, seventh = degrees[line[(i + (start if blues else 0)) % len(line)]]
        quality = seventh if sevenths else triad
        if not sevenths and r.random() < 0.12:
            quality = {"": r.choice(("7", "6", "maj7")), "m": r.choice(("m7", "m7", "m6"))}.get(
                quality, quality
            )
        name = ROOTS[(plan.tonic + offset) % 12] + quality
        return r.choice(_SLASHES[name]) if r.random() < inversions and _SLASHES[name] else name

    out: Bars = []
    half = float(2 if metre.beats == 4 else 1)
    held = ""
    for b in range(bars):
        if per_chord == 0.5:
            out.append([(0.0, half, symbol(2 * b)), (half, metre.beats - half, symbol(2 * b + 1))])
        else:
            if not held or b % int(per_chord) == 0:
                held = symbol(b // int(per_chord))
            out.append([(0.0, float(metre.beats), held)])
    return out


def transposed(symbol: str, by: int) -> str:
    """A vocabulary symbol `by` semitones higher."""
    if symbol in ("N", "UNK"):
        return symbol
    head = symbol.partition("/")[0]
    tail = head[2:] if len(head) > 1 and head[1] in "#b" else head[1:]
    up = ROOTS[((root(symbol) or 0) + by) % 12] + tail
    low = ((bass(symbol) or 0) + by) % 12
    return next(v for v in (up, *_SLASHES[up]) if bass(v) == low)


def from_sheet(sheet: Sheet, first: int, bars: int, beats: int, by: int) -> tuple[Bars, Line]:
    """Bars `first`.. of a tune (round again after its end): harmony, and the line in beats from the first."""
    harmony: Bars = []
    line: Line = []
    for b in range(bars):
        start = (first + b) % sheet.bars * beats
        marks = [(t, s) for t, s in sheet.chords if start <= t < start + beats]
        before = [s for t, s in sheet.chords if t < start + 1e-6]
        if not marks or marks[0][0] > start + 1e-6:
            marks.insert(0, (float(start), before[-1] if before else "N"))
        ends = [t for t, _ in marks[1:]] + [float(start + beats)]
        harmony.append(
            [
                (t - start, e - t, transposed(s, by))
                for (t, s), e in zip(marks, ends, strict=True)
                if e - t > 0.01
            ]
        )
        for t, d, p in sheet.notes:
            if start <= t < start + beats:
                line.append((b * beats + t - start, d, p + by))
    return harmony, line


def chord_labels(harmony: Bars, tracks: Sequence[Track], form: Form, seconds: float) -> tuple[Chord, ...]:
    """Chords over the whole clip; "N" where nothing pitched sounds."""
    out: list[Chord] = []
    for b, segments in enumerate(harmony):
        for at, length, symbol in segments:
            first = b * form.metre.beats + at
            s = max(0.0, first * form.beat - form.lead_in)
            e = min(seconds, (first + length) * form.beat - form.lead_in)
            if e - s < 1e-6:
                continue
            sounding = sum(max(0.0, min(e, n[1]) - max(s, n[0])) for t in tracks for n in t.notes)
            name = symbol if sounding > min(0.1, (e - s) / 3) else "N"
            if out and out[-1].symbol == name:
                out[-1] = Chord(out[-1].start, e, name)
            else:
                out.append(Chord(out[-1].end if out else 0.0, e, name))
    return tuple(out)
