# ruff: noqa: E501 (a table)
"""The tune: a melody in beats, and how its instrument plays it.

Does not know the other parts, but for the chords that it meets.
"""

from __future__ import annotations

import random
from itertools import pairwise

from engines.music.chords import pitch_classes
from engines.requests import MELODY_HIGH, MELODY_LOW
from study.data.arranger.form import Form
from study.data.arranger.harmony import Bars, Line
from study.data.arranger.plan import Plan
from study.data.piece import Track
from study.data.styles import COMPS, LEADS, Metre

MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
SCALES = {  # of tunes: major keys, minor keys
    False: (MAJOR, MAJOR, (0, 2, 4, 7, 9), (0, 2, 4, 5, 7, 9, 10)),
    True: (MINOR, (0, 2, 3, 5, 7, 8, 11), (0, 3, 5, 7, 10), (0, 2, 3, 5, 7, 9, 10)),
}
BLUES_SCALE = (0, 3, 5, 6, 7, 10)
_CELLS = {  # rhythms of a bar of melody, in beats
    "4/4": (
        (1, 1, 1, 1), (0.5, 0.5, 1, 1, 1), (1, 0.5, 0.5, 2), (2, 2), (1.5, 0.5, 1, 1), (0.5,) * 8, (3, 1), (1, 1, 2), (1.5, 1.5, 1),
        (0.5, 1, 0.5, 1, 1), (0.25, 0.25, 0.5, 1, 0.5, 0.5, 1), (0.75, 0.75, 0.5, 1, 1), (0.5, 0.5, 0.5, 0.5, 2), (0.25,) * 4 + (1, 0.5, 0.5, 1),
        (1, 0.25, 0.25, 0.5, 1, 1), (0.5, 1, 1, 1, 0.5), (4,), (2, 0.5, 0.5, 1),
    ),
    "3/4": (
        (1, 1, 1), (2, 1), (1.5, 0.5, 1), (3,), (1, 0.5, 0.5, 1), (0.5,) * 6, (0.5, 0.5, 1, 1), (1, 2), (0.5, 0.5, 2), (0.75, 0.25, 1, 1),
        (0.25, 0.25, 0.5, 1, 1),
    ),
    "6/8": tuple(
        tuple(x / 3 for x in cell)
        for cell in (
            (1, 1, 1, 1, 1, 1), (2, 1, 2, 1), (3, 3), (3, 1, 1, 1), (2, 1, 3), (1, 1, 1, 3), (1.5, 0.5, 1, 1, 1, 1), (6,), (2, 1, 1, 1, 1), (3, 2, 1),
        )
    ),
}  # fmt: skip
ORNAMENTED = {
    "violin", "whistle", "flute", "bagpipes", "accordion", "recorder", "clarinet", "harpsichord", "oboe", "sitar", "banjo", "piccolo",
}  # fmt: skip


def tune_of(r: random.Random, plan: Plan, form: Form, harmony: Bars) -> Line:
    """A line over a harmony, in a scale that suits the plan's style."""
    blue = plan.style_name in ("blues", "rock", "funk", "gospel") and r.random() < 0.35
    steps = BLUES_SCALE if blue else r.choice(SCALES[plan.minor])
    scale = set() if plan.free else {(plan.tonic + s) % 12 for s in steps}
    return lead_line(r, harmony, scale, form.metre, r.uniform(0.6, 1.0))


def lead_line(r: random.Random, harmony: Bars, scale: set[int], metre: Metre, density: float) -> Line:
    """A melody around C5 in beats: chord tones on strong beats, steps between, motifs, rests at phrase ends."""
    cells = _CELLS[metre.name]
    motifs = [r.choice(cells) for _ in range(2)]
    shapes: dict[int, list[int]] = {}
    repeat, fidelity, rest_at_end = r.uniform(0.3, 0.9), r.uniform(0.2, 0.9), r.random() < 0.7
    leaps = r.uniform(0.05, 0.3)
    pitch = 72 + r.randrange(-4, 5)
    out: Line = []
    for b, segments in enumerate(harmony):
        which = b % 2 if r.random() < repeat else -1
        rhythm = motifs[which] if which >= 0 else r.choice(cells)
        steps = [
            r.choice((-4, -3, 3, 4)) if r.random() < leaps else r.choice((-2, -1, -1, 0, 1, 1, 2))
            for _ in rhythm
        ]
        if which >= 0:
            if which in shapes and r.random() < fidelity:
                steps = shapes[which]
            shapes[which] = steps
        at = 0.0
        for i, (duration, step) in enumerate(zip(rhythm, steps, strict=True)):
            now = at
            at += duration
            if (rest_at_end and b % 4 == 3 and now >= metre.beats / 2 and i > 0) or (
                r.random() > density and i > 0
            ):
                continue
            symbol = next((s for p, length, s in segments if p - 1e-6 <= now < p + length - 1e-6), "N")
            tones = set(pitch_classes(symbol))
            pool = scale | tones if scale else tones | {(t + 2) % 12 for t in tones}
            ladder = [p for p in range(59, 86) if p % 12 in pool]
            if not ladder:
                continue
            near = min(range(len(ladder)), key=lambda k: abs(ladder[k] - pitch))
            near += step if 0 <= near + step < len(ladder) else -step
            pitch = ladder[min(max(near, 0), len(ladder) - 1)]
            strong = i == 0 or abs(now - round(now)) < 1e-6
            if tones and (strong or r.random() < 0.3):
                pitch = min((p for p in range(59, 86) if p % 12 in tones), key=lambda p: (abs(p - pitch), p))
            out.append((b * metre.beats + now, duration, pitch))
    return out


def _into(pitch: int, low: int, high: int) -> int:
    """The pitch, or the same by octaves higher or lower within a range."""
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch


def lead_track(r: random.Random, plan: Plan, form: Form, line: Line) -> Track:
    """The line (beat, length, pitch) on the plan's lead instrument, in its register, with grace notes."""
    word, active, when = plan.words["lead"], form.active["lead"], form.clock("lead")
    programs, centre = LEADS.get(word) or (COMPS[word], 72)
    program = programs[int(r.random() * len(programs))]
    hold = r.choice((0.98, 0.92, 0.92, 0.85, 0.55))
    volume, graces = r.uniform(92, 112), r.choice((0.0, 0.0, 0.08, 0.2))
    register = r.choice((0, 0, 0, 0, 12, -12))
    if not line:
        return Track("lead", word, program, ())
    mean = sum(p for _, _, p in line) / len(line)
    shift = 12 * round((centre + register - mean) / 12)
    low, high = max(MELODY_LOW, centre - 17), min(MELODY_HIGH, centre + 17)
    notes: list[tuple[float, float, int, int]] = []
    for at, d, p in line:
        b = min(int(at / form.metre.beats), len(active) - 1)
        t, stop = when(at), when(at + d * hold)
        v, grace, above = (
            form.loud(r, volume, b, 7 * (abs(at - round(at)) < 1e-6)),
            r.random(),
            r.choice((1, 2)),
        )
        if not active[b]:
            continue
        pitch = _into(p + shift, low, high)
        if grace < graces and word in ORNAMENTED and d >= 0.5 and pitch + above <= MELODY_HIGH:
            notes.append((t, t + 0.07, pitch + above, v))
            t += 0.07
        notes.append((t, max(stop, t + 0.06), pitch, v))
    notes.sort()
    one = [  # one line: a note ends where the next begins
        (s, min(e, following[0]), p, v) for (s, e, p, v), following in pairwise([*notes, (1e9, 1e9, 0, 0)])
    ]
    return Track("lead", word, program, tuple(n for n in one if n[1] - n[0] > 0.03))
