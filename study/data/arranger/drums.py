"""The drums: written by style, or a recorded performance (Groove MIDI).

Keys are General MIDI's. Does not know how drums sound.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from study.data.arranger.form import Form
from study.data.arranger.grooves import groove_notes
from study.data.arranger.plan import Plan, stream
from study.data.styles import DRUM_KEYS, FILLS, KEY_CLASS, STYLES, Metre, Style
from study.data.styles import DRUMS as DRUM_FAMILIES

_LOUDNESS = {"x": 102, "o": 76, "g": 44}


def _pattern(r: random.Random, family: str, swung: bool) -> list[dict[str, str]]:
    """Two bars' worth of figures a drum: the second varies the first."""
    parts = DRUM_FAMILIES[family]
    keeper = "ride" if r.random() < (0.85 if swung else 0.25) else "hat"
    names = {p: keeper if p == "keeper" else p for p in parts}
    first = {names[p]: r.choice(figures) for p, figures in parts.items()}
    second = dict(first)
    for p in ("kick", "snare"):
        if p in parts and r.random() < 0.5:
            second[p] = r.choice(parts[p])
    if r.random() < 0.3 and "snare" in first:  # side stick or clap in place of the snare
        for bar in (first, second):
            bar[r.choice(("rim", "clap"))] = bar.pop("snare", "")
    return [first, first, first, second] if r.random() < 0.5 else [first, second]


def drum_line(
    r: random.Random, style: Style, metre: Metre, bars: int, level: Sequence[float]
) -> list[tuple[float, int, int]]:
    """(beat, GM key, velocity)."""
    pattern = _pattern(r, r.choice(style.drums), style.swing[0] > 0.55)
    fills, crashes = r.choice((0.0, 0.4, 0.8)), r.choice((0.0, 0.3, 0.6))
    rolls = 0.3 if "trap" in style.drums else 0.0
    out: list[tuple[float, int, int]] = []

    def add(beat: float, drum: str, c: str, b: int) -> None:
        v = round(_LOUDNESS[c] * level[b]) + r.randint(-9, 9)
        out.append((beat, DRUM_KEYS[drum], max(12, min(127, v))))

    for b in range(bars):
        fill = b % 4 == 3 and r.random() < fills and bool(pattern[0])
        room = metre.steps - (4 if fill else 0)
        for drum, figure in pattern[b % len(pattern)].items():
            for i, c in enumerate(figure[:room]):
                if c != ".":
                    add(b * metre.beats + i / metre.per_beat, drum, c, b)
                    if drum == "hat" and r.random() < rolls / 4:
                        add(b * metre.beats + (i + 0.5) / metre.per_beat, drum, "g", b)
        if fill:
            for drum, figure in r.choice(FILLS[metre.steps]).items():
                for i, c in enumerate(figure):
                    if c != ".":
                        add(b * metre.beats + (room + i) / metre.per_beat, drum, c, b)
        if b % 4 == 0 and pattern[0] and r.random() < crashes:
            add(b * metre.beats, "crash", "x", b)
    return out


def drum_notes(base: int, plan: Plan, form: Form, again: str, seconds: float) -> list[tuple[float, int, int]]:
    """(time s, GM key, velocity) of what the clip holds; `again` names another stream for another beat."""
    r, when = stream(base, "drums" + again), form.clock("drums")
    if plan.groove is not None:
        stretch = plan.groove_bpm / plan.bpm
        notes = groove_notes(plan.groove)
        spare = int(notes[-1][0] * stretch / form.bar) - form.bars
        skip = r.randrange(spare) if spare > 0 else 0
        timed = [(t * stretch - skip * form.bar - form.lead_in, k, v) for t, k, v in notes]
    else:
        style = plan.style
        family = style if style.drums != ("none",) else STYLES["folk"]
        if again:  # another style's beat of the same metre
            others = [s for s in STYLES.values() if s.metre == style.metre and "none" not in s.drums]
            family = r.choice([s for s in others if set(s.drums) != set(style.drums)] or others)
        timed = [(when(t), k, v) for t, k, v in drum_line(r, family, form.metre, form.bars, form.level)]
    playing = form.active["drums"]
    sounding: list[tuple[float, int, int]] = []
    for t, k, v in timed:
        b = int((t + form.lead_in) / form.bar + 0.02)
        if -0.03 < t < seconds and k in KEY_CLASS and 0 <= b < form.bars and playing[b]:
            sounding.append((max(0.0, t), k, v))
    return sorted(sounding)
