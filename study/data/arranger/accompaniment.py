"""The accompaniment: chords in many figures, and the bass.

What it plays are the tones of the labelled chords. Does not know the tune.
"""

from __future__ import annotations

import random
from itertools import pairwise
from typing import Literal

from engines.music.chords import bass, pitch_classes, root
from study.data.arranger.form import Form
from study.data.arranger.harmony import Bars
from study.data.arranger.plan import Plan
from study.data.piece import Track
from study.data.styles import BASSES, COMPS, LEADS, PEDALLED, STRUMMED, SUSTAINED, bass_lines, comping


def _voicing(symbol: str, centre: float, last: list[int] | None, spread: str) -> list[int]:
    """Pitches of a chord near `centre`, or near the last voicing; "close", "open" or "wide"."""
    target = 0.7 * sum(last) / len(last) + 0.3 * centre if last else centre
    out = sorted(pc + 12 * round((target - pc) / 12) for pc in pitch_classes(symbol))
    if spread == "open" and len(out) >= 3:
        out[1] += 12
    elif spread == "wide":
        out.append((root(symbol) or 0) + 12 * round((target - 12 - (root(symbol) or 0)) / 12))
    return sorted(set(out))


def _strokes(figure: str, per_beat: int, at: float, end: float) -> list[tuple[float, float, str]]:
    """(beat, length in beats, character) of a figure's notes within [at, end) of a bar; one is at `at`."""
    strokes: list[tuple[float, float, str]] = []
    for i, c in enumerate(figure):
        if c in ".-":
            continue
        j = i + 1
        while j < len(figure) and figure[j] == "-":
            j += 1
        s, e = i / per_beat, j / per_beat
        if s < end - 1e-6 and s >= at - 1e-6:
            strokes.append((s, min(e, end) - s, c))
    if not strokes:
        strokes = [(at, end - at, "")]
    elif at > 1e-6 and strokes[0][0] > at + 1e-6:  # a new chord within the bar is heard when it comes
        strokes.insert(0, (at, strokes[0][0] - at, ""))
    return strokes


def chord_track(
    r: random.Random, part: Literal["comp", "pad"], plan: Plan, form: Form, harmony: Bars
) -> Track:
    """Chords in a figure of the style: strummed, arpeggiated, held."""
    word, style, metre = plan.words[part], plan.style, form.metre
    active, when, loud = form.active[part], form.clock(part), form.loud
    program = r.choice(COMPS.get(word) or LEADS[word][0])
    centre, spread = r.choice((54, 57, 60, 62, 65)), r.choice(("close", "close", "open", "wide"))
    picked = r.random()
    figures = comping(metre.name, "pad" if part == "pad" else style.comp[int(picked * len(style.comp))])
    if part == "comp" and word in SUSTAINED and r.random() < 0.35:
        figures = comping(metre.name, "pad")
    main, other, order = (
        r.choice(figures),
        r.choice(figures),
        r.choice(("up", "down", "up and down", "alberti")),
    )
    change, rooted = r.choice((0.0, 0.25, 0.5)), "bass" not in plan.words
    hold, volume = r.uniform(0.8, 1.0), r.uniform(66, 86) - (8 if part == "pad" else 0)
    notes: list[tuple[float, float, int, int]] = []
    last: list[int] | None = None
    for b, segments in enumerate(harmony):
        figure = other if b % 2 == 1 and r.random() < change else main
        for at, length, symbol in segments:
            if not pitch_classes(symbol):
                continue
            last = _voicing(symbol, centre, last, spread)
            chord = last
            if rooted or ("/" in symbol and spread == "wide"):
                low = (bass(symbol) or 0) + 36
                chord = [low + 12 if low < 40 else low, *(p for p in last if p > low + 3)]
            if not active[b]:
                continue
            origin, end = b * metre.beats + at, b * metre.beats + at + length
            if figure.startswith("arp"):
                step = int(figure[3:]) / metre.per_beat
                turn = {"up": chord, "down": chord[::-1], "up and down": chord + chord[-2:0:-1]}.get(
                    order, [chord[0], chord[-1], chord[len(chord) // 2], chord[-1]]
                )
                for i in range(max(1, round(length / step))):
                    stop = end if word in PEDALLED else min(end, origin + (i + 1.3) * step)
                    t = when(origin + i * step)
                    notes.append(
                        (
                            t,
                            max(t + 0.05, when(stop)),
                            turn[i % len(turn)],
                            loud(r, volume, b, 6 * (i % 4 == 0)),
                        )
                    )
                continue
            for p, d, _ in _strokes(figure, metre.per_beat, at, at + length):
                t, stop = when(b * metre.beats + p), when(b * metre.beats + p + d * hold)
                if word in PEDALLED and d > 0.9:
                    stop = max(stop, when(b * metre.beats + p + d))
                rake = r.uniform(0.002, 0.014) * r.choice((1, 1, -1)) if word in STRUMMED else 0.0
                v = loud(r, volume, b, 6 * (abs(p - round(p)) < 1e-6))
                strings = chord if rake >= 0 else chord[::-1]
                notes += [
                    (t + i * abs(rake), max(stop, t + i * abs(rake) + 0.06), x, max(20, v - i))
                    for i, x in enumerate(strings)
                ]
    return Track(part, word, program, tuple(sorted(notes)))


def bass_track(r: random.Random, plan: Plan, form: Form, harmony: Bars) -> Track:
    """Roots, thirds, fifths and approaches in a figure of the style."""
    word, metre = plan.words["bass"], form.metre
    active, when, loud = form.active["bass"], form.clock("bass"), form.loud
    program, picked = r.choice(BASSES[word]), r.random()
    figures = bass_lines(metre.name, plan.style.bass[int(picked * len(plan.style.bass))])
    main, other, change = r.choice(figures), r.choice(figures), r.choice((0.0, 0.3, 0.6))
    floor, hold, volume = r.choice((28, 28, 31, 33)), r.uniform(0.75, 1.0), r.uniform(84, 104)
    flat = [(b, at, length, s) for b, segments in enumerate(harmony) for at, length, s in segments]
    notes: list[tuple[float, float, int, int]] = []
    for i, (b, at, length, symbol) in enumerate(flat):
        tones = pitch_classes(symbol)
        figure = other if b % 2 == 1 and r.random() < change else main
        if not tones or not active[b]:
            continue
        low = floor + ((bass(symbol) or 0) - floor) % 12
        upright = root(symbol) == bass(symbol)
        third = next((low + s for s in (3, 4) if upright and (low + s) % 12 in tones), low)
        fifth = low + 7 if upright and (low + 7) % 12 in tones else low + 12
        nearby = flat[(i + 1) % len(flat)][3]
        target = floor + ((bass(nearby) or 0) - floor) % 12 if pitch_classes(nearby) else low
        pitches = {"": low, "1": low, "3": third, "5": fifth, "8": low + 12}
        for p, d, c in _strokes(figure, metre.per_beat, at, at + length):
            approach = c == "a" and target != low and p + d >= at + length - 1e-6 and length > 1
            pitch = target + (1 if low > target else -1) if approach else pitches.get(c, fifth)
            t = when(b * metre.beats + p)
            stop = max(t + 0.06, when(b * metre.beats + p + d * hold))
            notes.append((t, stop, pitch, loud(r, volume, b, 5 * (p < 1e-6))))
    notes.sort()
    cut = [(s, max(s + 0.03, min(e, n[0])), p, v) for (s, e, p, v), n in pairwise([*notes, (1e9, 1e9, 0, 0)])]
    return Track("bass", word, program, tuple(cut))
