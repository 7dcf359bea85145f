"""The arranger: a seed -> a short piece with exactly known chords, melody, drums and words.

Purpose: music for training whose labels are exact because the labels came first. Sources: the
arranger's own tunes, lead sheets re-orchestrated, solos, stems. Every eighth seed is the twin of the
one before it with one thing changed; from seed 200000000 on every odd one, as a musician changes a span.
Seeds from 1000000000 are held out: they alone use the held-out
lead sheets and drum performances. Does not know audio (`render.py`) or wording (`captions.py`).
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from engines.music.chords import ROOTS
from engines.requests import DRUMS, Hit, Note
from study.data.arranger.accompaniment import bass_track, chord_track
from study.data.arranger.drums import drum_notes
from study.data.arranger.form import Form, Opening
from study.data.arranger.harmony import Bars, Line, chord_labels, from_sheet, harmony_of
from study.data.arranger.plan import (
    HELD_OUT,
    PAIRS,
    STAND_IN,
    TWIN_EVERY,
    Plan,
    edited,
    plan_of,
    stream,
    twin,
)
from study.data.arranger.tune import lead_track, tune_of
from study.data.piece import Piece, Track, moods
from study.data.styles import KEY_CLASS

__all__ = ["HELD_OUT", "PAIRS", "TWIN_EVERY", "arrange"]
ROLES = ("comp", "pad", "bass", "lead", "drums")


def arrange(
    seed: int, seconds: float = 12.0, grooves: Path | None = None, leadsheets: Path | None = None
) -> Piece:
    """Write one piece of `seconds`, wholly determined by `seed` and the two folders, if given."""
    paired = (seed % HELD_OUT) // PAIRS in (1, 1 + STAND_IN // PAIRS)
    every = 2 if paired else TWIN_EVERY
    base = seed - 1 if seed % every == every - 1 else seed
    plan, change = plan_of(base, grooves, leadsheets), ""
    if base != seed:
        plan, change = (edited if paired else twin)(base, plan)
    opening = Opening(base, plan, seconds)
    harmony, line = _composition(base, plan, opening, change)
    roles, everyone = _players(base, plan, change)
    form = opening.form(everyone)
    tracks = _tracks(base, plan, form, roles, harmony, line, change)
    again = " again" if change == "drums" else ""
    hits = drum_notes(base, plan, form, again, seconds) if "drums" in roles else []
    kit_stream, style = stream(base, "kit"), plan.style
    kit, sampled = kit_stream.choice(style.kits), kit_stream.random() < style.samples
    tracks = [t for t in tracks if any(min(e, seconds) - max(s, 0.0) > 0.05 for s, e, _, _ in t.notes)]
    melody = [
        Note(max(0.0, s), min(seconds, e), p)
        for t in tracks
        if t.role == "lead"
        for s, e, p, _ in t.notes
        if e > 0.02 and s < seconds and e > s
    ]
    keyless = plan.free or set(roles) == {"drums"}
    beats = [i * form.beat - form.lead_in for i in range(form.bars * form.metre.beats)]
    downbeats = [i * form.metre.beats * form.beat - form.lead_in for i in range(form.bars)]
    piece = Piece(
        seed, plan.style_name, "", "" if keyless else f"{ROOTS[plan.tonic]} {'minor' if plan.minor else 'major'}",
        plan.bpm, form.metre.beats, seconds, tuple(tracks), tuple(hits),
        chord_labels(harmony, tracks, form, seconds), tuple(melody),
        tuple(Hit(t, KEY_CLASS[k]) for t, k, _ in hits), plan.source, form.metre.name,
        tuple(t for t in beats if 0 <= t < seconds), tuple(t for t in downbeats if 0 <= t < seconds),
        (), None if base == seed else base, change, kit, sampled, plan.sheet.title if plan.sheet else "",
    )  # fmt: skip
    if not piece.tracks and not piece.hits:  # the draw left nobody to play: another one stands in
        other = arrange(seed + STAND_IN, seconds, grooves, leadsheets)
        return replace(other, seed=seed, twin_of=None, change="")
    true = moods(piece)
    return replace(piece, moods=true, mood=stream(base, "mood").choice(true) if true else "")


def _composition(base: int, plan: Plan, opening: Opening, change: str) -> tuple[Bars, Line | None]:
    """Harmony, and the line where a lead sheet has one; another stretch or another draw where it changes."""
    metre, bars = opening.metre, opening.bars
    if plan.sheet is None:
        anew = " again" if change == "harmony" else ""
        return harmony_of(stream(base, "harmony" + anew), plan, metre, bars), None
    first = opening.first
    if change in ("line", "harmony"):
        first = stream(base, "sheet again").randrange(plan.sheet.bars)
    return from_sheet(plan.sheet, first, bars, metre.beats, (plan.tonic - plan.sheet.tonic) % 12)


def _players(base: int, plan: Plan, change: str) -> tuple[list[str], list[str]]:
    """Who plays, and who has a say in the structure: also the one that is left out, so that it stays as it was."""
    roles, kits = [x for x in ROLES if x in plan.words], plan.style.drums
    if kits[0] == "none" and len(roles) > 1 and "none" in kits and plan.groove is None:
        roles = [x for x in roles if x != "drums" or stream(base, "kit").random() < 0.15]
    return roles, [x for x in ROLES if x in roles or change == f"no {x}"]


def _tracks(
    base: int, plan: Plan, form: Form, roles: list[str], harmony: Bars, line: Line | None, change: str
) -> list[Track]:
    """What everyone but the drums plays."""
    tracks = [
        chord_track(stream(base, part), part, plan, form, harmony)
        for part in ("comp", "pad")
        if part in roles
    ]
    if "bass" in roles:
        tracks.append(bass_track(stream(base, "bass"), plan, form, harmony))
    if "lead" in roles:
        if line is None:
            line = tune_of(stream(base, "lead" + (" again" if change == "line" else "")), plan, form, harmony)
        tracks.append(lead_track(stream(base, "line"), plan, form, line))
    return tracks


assert set(KEY_CLASS.values()) == set(DRUMS)
