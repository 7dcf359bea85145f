"""The form: how long the bars are, who plays in which of them, how loud, and how exactly in time.

Does not know notes.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from study.data.arranger.plan import Plan, stream
from study.data.styles import METRES, Metre


def _structure(
    r: random.Random, roles: Sequence[str], first: int, bars: int
) -> tuple[dict[str, list[bool]], list[float]]:
    """Who plays in which bar, and how loud bars are: entries, exits, drops, swells from bar `first` on."""
    active = {role: [True] * bars for role in roles}
    level, heard = [1.0] * bars, bars - first
    roll = r.random()
    turn = first + max(1, round(heard * r.uniform(0.25, 0.7)))
    if roll < 0.3 and len(roles) > 1 and heard >= 3:
        kind = r.choice(("enter", "enter", "leave", "drop", "build"))
        some = r.sample(roles, 1 if len(roles) == 2 else r.choice((1, 1, 2)))
        if kind == "enter":
            for role in some:
                active[role] = [b >= turn for b in range(bars)]
        elif kind == "leave":
            for role in some:
                active[role] = [b < turn for b in range(bars)]
        elif kind == "drop":
            length = r.choice((1, 2))
            for role in [x for x in ("drums", "bass") if x in roles][: len(roles) - 1] or some:
                active[role] = [not turn <= b < turn + length for b in range(bars)]
        else:
            for i, role in enumerate(r.sample(roles, len(roles))):
                active[role] = [b >= first + i * heard / (len(roles) + 1) - 1e-6 for b in range(bars)]
    elif roll < 0.45:
        low, high = r.uniform(0.5, 0.75), r.uniform(1.0, 1.12)
        ramp = [low + (high - low) * min(1.0, max(0.0, (b - first) / max(1, heard - 1))) for b in range(bars)]
        level = ramp if r.random() < 0.65 else [high + low - x for x in ramp]
    elif roll < 0.6:
        level = [r.uniform(0.8, 1.08) for _ in range(bars)]
    base = r.uniform(0.72, 1.08)
    return active, [base * x for x in level]


def _warped(beat: float, swing: float, shuffle: float) -> float:
    """Swing: the offbeat eighth falls at `swing` of the beat, the sixteenth at `shuffle` of the eighth."""
    whole = int(beat // 1)
    x = beat - whole
    if abs(4 * x - round(4 * x)) > 0.02:  # triplets and other fine print stay where they are
        return beat
    half, y = divmod(x, 0.5)
    y = 2 * y
    y = 2 * shuffle * y if y <= 0.5 else shuffle + 2 * (1 - shuffle) * (y - 0.5)
    x = 0.5 * (half + y)
    return whole + (2 * swing * x if x <= 0.5 else swing + 2 * (1 - swing) * (x - 0.5))


@dataclass(frozen=True)
class Form:
    """The time and the shape of one piece."""

    base: int  # seed of its streams
    metre: Metre
    beat: float  # seconds
    lead_in: float  # seconds of the first bar that lie before the clip
    bars: int
    active: dict[str, list[bool]]  # role -> per bar, whether it plays
    level: list[float]  # loudness of each bar
    human: float  # seconds by which hands are off
    swing: float
    shuffle: float

    @property
    def bar(self) -> float:
        """Seconds a bar."""
        return self.metre.beats * self.beat

    def clock(self, part: str) -> Callable[[float], float]:
        """From beats to seconds, as one part keeps time: swung, late, and not quite exact."""
        r = stream(self.base, part + " timing")
        late = r.gauss(0, self.human / 2)
        return lambda beats: (
            _warped(beats, self.swing, self.shuffle) * self.beat
            - self.lead_in
            + late
            + r.gauss(0, self.human)
        )

    def loud(self, r: random.Random, velocity: float, bar: int, accent: float = 0.0) -> int:
        """A MIDI velocity in a bar, as the player's hand gives it."""
        level = self.level[min(bar, self.bars - 1)]
        return int(max(20, min(127, velocity * level + accent + r.gauss(0, 5))))


class Opening:
    """The beginning of a form: how far into a bar the clip begins, and how many bars it takes."""

    def __init__(self, base: int, plan: Plan, seconds: float) -> None:
        self.base, self.plan, self.metre = base, plan, METRES[plan.style.metre]
        self.r = stream(base, "shape")
        self.beat = 60.0 / plan.bpm
        bar = self.metre.beats * self.beat
        self.lead_in = self.r.choice((0, 0, 1, 2)) * bar * self.r.random()  # a clip starts anywhere in a bar
        self.bars = int((seconds + self.lead_in) / bar) + 2
        # where in its sheet a tune begins
        self.first = self.r.randrange(plan.sheet.bars) if plan.sheet is not None else 0

    def form(self, roles: Sequence[str]) -> Form:
        """The form for those who play."""
        bar = self.metre.beats * self.beat
        active, level = _structure(self.r, roles, int(self.lead_in / bar), self.bars)
        human = self.r.uniform(0.0, 0.012)
        feel, style = stream(self.base, "feel"), self.plan.style
        swing, shuffle = feel.uniform(*style.swing), feel.uniform(*style.shuffle16)
        if self.metre.name == "6/8":
            swing = shuffle = 0.5
        return Form(
            self.base, self.metre, self.beat, self.lead_in, self.bars, active, level, human, swing, shuffle
        )
