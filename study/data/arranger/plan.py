"""The plan: what is decided before a note is written, and the one change of a twin.

Every part of a piece draws from its own stream of random numbers, so that a twin differs in its one
change only. Does not know notes.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from study.data.arranger.grooves import grooves_by_style
from study.data.leadsheets import Sheet, sheets
from study.data.styles import BASSES, COMPS, LEADS, STYLES, SUSTAINED, Style

HELD_OUT = 1_000_000_000  # first held-out seed
# from a seed to the one whose piece replaces a silent one; a multiple of TWIN_EVERY
STAND_IN = 400_000_000
# first of the seeds of which every odd one is the twin of the one before it (to 400000000)
PAIRS = 200_000_000
TWIN_EVERY = 8  # the last of every eight seeds is the twin of the seed before it
SHARES = {"arranger": 0.74, "lead sheet": 0.18, "solo": 0.05, "stem": 0.03}


@dataclass(frozen=True)
class Plan:
    """What is decided before a note is written."""

    source: str
    style_name: str
    bpm: float
    tonic: int
    minor: bool
    free: bool  # harmony drawn from the whole vocabulary
    sheet: Sheet | None
    groove: Path | None
    groove_bpm: float
    words: dict[str, str]  # role -> instrument; "drums" -> ""

    @property
    def style(self) -> Style:
        """The style by its name."""
        return STYLES[self.style_name]


def stream(base: int, part: str) -> random.Random:
    """Every part of a piece draws from its own stream, so that a twin differs in its one change only."""
    return random.Random(f"{base}/{part}")


def plan_of(base: int, grooves: Path | None, leadsheets: Path | None) -> Plan:
    """The plan of a seed that is no twin's."""
    r, held_out = stream(base, "plan"), base >= HELD_OUT
    source = r.choices(list(SHARES), list(SHARES.values()))[0]
    sheet = None
    tunes = [s for s in sheets(leadsheets) if s.held_out == held_out] if leadsheets is not None else []
    if source == "lead sheet":
        if tunes:
            sheet = r.choice(tunes)
            if sheet.metre != "6/8" and r.random() < 0.1:  # the few tunes in 6/8 come a little more often
                sheet = r.choice([s for s in tunes if s.metre == "6/8"] or [sheet])
        else:
            source = "arranger"
    name = r.choice([n for n, s in STYLES.items() if sheet is None or s.metre == sheet.metre])
    style = STYLES[name]
    bpm = float(r.randint(*style.tempo))
    words = _ensemble(r, style, has_tune=sheet is not None)
    if source == "solo":
        only = r.choice(("lead", "lead", "lead", "comp"))
        words = {only: r.choice(list(LEADS if only == "lead" else COMPS))}
    elif source == "stem":
        words = r.choice(({"drums": ""}, {"drums": ""}, {"bass": r.choice(list(BASSES))}))
    free = source == "arranger" and sheet is None and r.random() < 0.27
    groove, groove_bpm = None, bpm
    if grooves is not None and r.random() < 0.4:
        performances = _fitting(style, grooves_by_style(grooves, held_out))
        if performances and style.metre == "4/4" and "drums" in words:
            groove, groove_bpm = r.choice(performances)
            bpm = groove_bpm
    minor = sheet.minor if sheet is not None else r.random() < style.minor
    return Plan(source, name, bpm, r.randrange(12), minor, free, sheet, groove, groove_bpm, words)


def _ensemble(r: random.Random, style: Style, has_tune: bool) -> dict[str, str]:
    """Who plays: role -> instrument; "drums" -> ""."""
    words: dict[str, str] = {}
    if r.random() < 0.94:
        words["comp"] = r.choice(style.comps)
    if r.random() < 0.3:
        pads = [w for w in style.comps if w in SUSTAINED]
        words["pad"] = r.choice(pads or ["strings", "warm synth pad", "organ", "synth strings", "choir"])
        if words["pad"] == words.get("comp"):
            del words["pad"]
    if r.random() < 0.92:
        words["bass"] = r.choice(style.basses)
    if has_tune or r.random() < 0.85 or not words:
        words["lead"] = r.choice(style.leads) if r.random() < 0.75 else r.choice(list(LEADS))
        if words["lead"] == words.get("comp") and r.random() < 0.7:
            words["lead"] = r.choice(style.leads)
    if r.random() < 0.9:
        words["drums"] = ""
    return words


def _fitting(style: Style, performances: dict[str, list[tuple[Path, float]]]) -> list[tuple[Path, float]]:
    """The drum performances whose style and tempo suit a style."""
    low, high = max(60, 0.85 * style.tempo[0]), min(180, 1.15 * style.tempo[1])
    return [g for name in style.groove for g in performances.get(name, []) if low <= g[1] <= high]


def _other_instrument(r: random.Random, plan: Plan, role: str, near: bool) -> Plan:
    """The plan with another instrument in a role: one that suits the style, or any."""
    style = plan.style
    table: dict[str, tuple[Sequence[str], list[str]]] = {
        "lead": (style.leads, list(LEADS)),
        "comp": (style.comps, list(COMPS)),
        "bass": (style.basses, list(BASSES)),
    }
    suiting, every = table[role]
    words = [w for w in (suiting if near else every) if w not in plan.words.values()]
    words = words or [w for w in every if w not in plan.words.values()]
    return replace(plan, words={**plan.words, role: r.choice(words)})


def twin(base: int, plan: Plan) -> tuple[Plan, str]:
    """The plan with one thing changed, and which."""
    r, style = stream(base, "twin"), plan.style
    roles = [role for role in ("lead", "lead", "comp", "bass") if role in plan.words]
    change = r.choice([*roles, *roles, "style", "tempo"])
    if change == "style":
        others = [
            n
            for n, s in STYLES.items()
            if s.metre == style.metre
            and n != plan.style_name
            and s.tempo[0] <= plan.bpm <= s.tempo[1]
            and s.drums[0] != "none"
        ]
        if others and len(plan.words) > 1 and style.drums[0] != "none":
            return replace(plan, style_name=r.choice(others), groove=None), change
        change = r.choice([*roles, "tempo"])
    if change == "tempo":
        faster = [f for f in (0.7, 0.8, 1.25, 1.4) if 60 <= plan.bpm * f <= 180]
        return replace(plan, bpm=float(round(plan.bpm * r.choice(faster)))), change
    return _other_instrument(r, plan, change, near=r.random() < 0.6), change


def edited(base: int, plan: Plan) -> tuple[Plan, str]:
    """The plan with one thing changed as a musician edits a span, beat for beat in time with it, and which.

    "lead", "comp", "bass": another instrument; "line": another tune; "harmony": other chords; "drums":
    another beat; "no lead" and so on: that part is left out.
    """
    r = stream(base, "edited")
    parts = [role for role in ("lead", "comp", "bass") if role in plan.words]
    changes = [*parts, *parts, *(["lead"] * 2 if "lead" in parts else [])]
    changes += ["line"] * 2 if "lead" in plan.words else []
    changes += ["harmony"] * 2 if set(plan.words) != {"drums"} and not plan.free else []
    changes += ["drums"] * 3 if "drums" in plan.words else []
    if len(plan.words) > 1:
        changes += [f"no {role}" for role in plan.words] + (["no drums"] if "drums" in plan.words else [])
    change = r.choice(changes)
    if change.startswith("no "):
        return replace(
            plan, words={role: word for role, word in plan.words.items() if role != change[3:]}
        ), change
    if change == "drums":
        return replace(plan, groove=None), change
    if change in ("line", "harmony"):
        return plan, change
    return _other_instrument(r, plan, change, near=r.random() >= 0.6), change
