"""The arranger: a seed -> a short piece with exactly known chords, melody, drums and words.

Purpose: music for training whose labels are exact because the labels came first. Sources: the
arranger's own tunes, lead sheets re-orchestrated, solos, stems. Times are seconds from the first
sample; pitches MIDI numbers; chord symbols are in the models' vocabulary; a beat is a quarter, in
6/8 (two beats a bar) a dotted quarter, and `bpm` counts these. Every eighth seed is the twin of the
one before it with one thing changed; from seed 200000000 on every odd one, as a musician changes a span.
Seeds from 1000000000 are held out: they alone use the held-out
lead sheets and drum performances. Does not know audio (`render.py`) or wording (`captions.py`).
"""

from __future__ import annotations

import csv
import random
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache
from itertools import pairwise
from pathlib import Path

import pretty_midi

from engines.music.chords import ROOTS, VOCABULARY, bass, pitch_classes, root
from engines.music.instruments import DRUMS_ROW
from engines.requests import DRUMS, MELODY_HIGH, MELODY_LOW, Chord, Hit, Note, Part
from study.data.leadsheets import Sheet, sheets
from study.data.styles import (
    BASSES,
    COMPS,
    DRUM_KEYS,
    FILLS,
    KEY_CLASS,
    LEADS,
    METRES,
    PEDALLED,
    STRUMMED,
    STYLES,
    SUSTAINED,
    Metre,
    Style,
    bass_lines,
    comping,
)
from study.data.styles import DRUMS as DRUM_FAMILIES

HELD_OUT = 1_000_000_000  # first held-out seed
_STAND_IN = 400_000_000  # from a seed to the one whose piece replaces a silent one; a multiple of TWIN_EVERY
PAIRS = (
    200_000_000  # first of the seeds of which every odd one is the twin of the one before it (to 400000000)
)
REST = 1.5  # seconds of silence after which an instrument counts as not playing
TWIN_EVERY = 8  # the last of every eight seeds is the twin of the seed before it
SHARES = {"arranger": 0.74, "lead sheet": 0.18, "solo": 0.05, "stem": 0.03}
MAJOR, MINOR = (0, 2, 4, 5, 7, 9, 11), (0, 2, 3, 5, 7, 8, 10)
SCALES = {  # of tunes: major keys, minor keys
    False: (MAJOR, MAJOR, (0, 2, 4, 7, 9), (0, 2, 4, 5, 7, 9, 10)),
    True: (MINOR, (0, 2, 3, 5, 7, 8, 11), (0, 3, 5, 7, 10), (0, 2, 3, 5, 7, 9, 10)),
}
BLUES_SCALE = (0, 3, 5, 6, 7, 10)

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
    "violin",
    "whistle",
    "flute",
    "bagpipes",
    "accordion",
    "recorder",
    "clarinet",
    "harpsichord",
    "oboe",
    "sitar",
    "banjo",
    "piccolo",
}


@dataclass(frozen=True)
class Track:
    """One instrument of a piece."""

    role: str  # "lead", "comp", "pad", "bass"
    name: str  # word for captions
    program: int  # General MIDI, 0-based
    notes: tuple[tuple[float, float, int, int], ...]  # start s, end s, pitch, velocity


@dataclass(frozen=True)
class Piece:
    """A piece: what is played and everything that is known about it."""

    seed: int
    style: str
    mood: str  # one of `moods`, or ""
    key: str  # "A minor"; "" where the harmony has none
    bpm: float  # beats a minute
    beats_per_bar: int  # beats: 2 in 6/8
    seconds: float
    tracks: tuple[Track, ...]  # those that sound in the clip
    drum_notes: tuple[tuple[float, int, int], ...]  # time s, GM key, velocity
    chords: tuple[Chord, ...]  # cover the clip; "N" where no pitch sounds
    melody: tuple[Note, ...]
    hits: tuple[Hit, ...]
    source: str = "arranger"  # one of SHARES
    metre: str = "4/4"  # time signature
    beats: tuple[float, ...] = ()  # seconds
    downbeats: tuple[float, ...] = ()  # seconds
    moods: tuple[str, ...] = ()  # all mood words that are true by measure
    twin_of: int | None = None  # the seed that this piece differs from in one thing
    change: str = ""  # that thing: "lead", "comp", "bass", "style" or "tempo"; of pairs see `_edited`
    kit: int = 0  # General MIDI drum kit
    sampled: bool = False  # drums are recorded one-shots instead of a SoundFont's kit
    tune: str = ""  # title of the lead sheet

    @property
    def parts(self) -> tuple[Part, ...]:
        """Who plays when: stretches of each instrument and of the drums; rests up to REST do not end one."""
        sounds = [(t.name, [(s, e) for s, e, _, _ in t.notes]) for t in self.tracks]
        sounds.append((DRUMS_ROW, [(hit.time, hit.time + 0.3) for hit in self.hits]))
        found: list[Part] = []
        for name, stretches in sounds:
            merged: list[list[float]] = []
            for start, end in sorted((max(0.0, s), min(self.seconds, e)) for s, e in stretches):
                if end <= start:
                    continue
                if merged and start - merged[-1][1] <= REST:
                    merged[-1][1] = max(merged[-1][1], end)
                else:
                    merged.append([start, end])
            found += [Part(start, end, name) for start, end in merged]
        return tuple(found)

    @property
    def lead(self) -> str:
        """Name of the melody's instrument, or ''."""
        return next((t.name for t in self.tracks if t.role == "lead"), "")

    @property
    def mix_seed(self) -> int:
        """Seed of the sound: twins are mixed alike."""
        return self.seed if self.twin_of is None else self.twin_of


@dataclass(frozen=True)
class _Plan:
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
        return STYLES[self.style_name]


def _stream(base: int, part: str) -> random.Random:
    """Every part of a piece draws from its own stream, so that a twin differs in its one change only."""
    return random.Random(f"{base}/{part}")


def _plan(base: int, grooves: Path | None, leadsheets: Path | None) -> _Plan:
    r, held_out = _stream(base, "plan"), base >= HELD_OUT
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
    words: dict[str, str] = {}
    if r.random() < 0.94:
        words["comp"] = r.choice(style.comps)
    if r.random() < 0.3:
        pads = [w for w in style.comps if w in SUSTAINED] or [
            "strings",
            "warm synth pad",
            "organ",
            "synth strings",
            "choir",
        ]
        words["pad"] = r.choice(pads)
        if words["pad"] == words.get("comp"):
            del words["pad"]
    if r.random() < 0.92:
        words["bass"] = r.choice(style.basses)
    if sheet is not None or r.random() < 0.85 or not words:
        words["lead"] = r.choice(style.leads) if r.random() < 0.75 else r.choice(list(LEADS))
        if words["lead"] == words.get("comp") and r.random() < 0.7:
            words["lead"] = r.choice(style.leads)
    if r.random() < 0.9:
        words["drums"] = ""
    if source == "solo":
        only = r.choice(("lead", "lead", "lead", "comp"))
        words = {only: r.choice(list(LEADS if only == "lead" else COMPS))}
    elif source == "stem":
        words = r.choice(({"drums": ""}, {"drums": ""}, {"bass": r.choice(list(BASSES))}))
    free = source == "arranger" and sheet is None and r.random() < 0.27
    groove, groove_bpm = None, bpm
    low, high = 0.85 * style.tempo[0], 1.15 * style.tempo[1]
    if grooves is not None and r.random() < 0.4:
        pool = [
            g
            for s in style.groove
            for g in _grooves(grooves, held_out).get(s, [])
            if max(60, low) <= g[1] <= min(180, high)
        ]
        if pool and style.metre == "4/4" and "drums" in words:
            groove, groove_bpm = r.choice(pool)
            bpm = groove_bpm
    minor = sheet.minor if sheet is not None else r.random() < style.minor
    return _Plan(source, name, bpm, r.randrange(12), minor, free, sheet, groove, groove_bpm, words)


def _twin(base: int, plan: _Plan) -> tuple[_Plan, str]:
    """The plan with one thing changed, and which."""
    r, style = _stream(base, "twin"), plan.style
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
    table = {
        "lead": (style.leads, list(LEADS)),
        "comp": (style.comps, list(COMPS)),
        "bass": (style.basses, list(BASSES)),
    }
    near, all_of_them = table[change]
    words = [w for w in (near if r.random() < 0.6 else all_of_them) if w not in plan.words.values()]
    words = words or [w for w in all_of_them if w not in plan.words.values()]
    return replace(plan, words={**plan.words, change: r.choice(words)}), change


def _edited(base: int, plan: _Plan) -> tuple[_Plan, str]:
    """The plan with one thing changed as a musician edits a span, beat for beat in time with it, and which.

    "lead", "comp", "bass": another instrument; "line": another tune; "harmony": other chords; "drums":
    another beat; "no lead" and so on: that part is left out.
    """
    r, style = _stream(base, "edited"), plan.style
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
    table = {
        "lead": (style.leads, list(LEADS)),
        "comp": (style.comps, list(COMPS)),
        "bass": (style.basses, list(BASSES)),
    }
    words = [w for w in table[change][r.random() < 0.6] if w not in plan.words.values()]
    words = words or [w for w in table[change][1] if w not in plan.words.values()]
    return replace(plan, words={**plan.words, change: r.choice(words)}), change


# Harmony: per bar a list of (beat in the bar, length in beats, symbol).
_Bars = list[list[tuple[float, float, str]]]


def _harmony(r: random.Random, plan: _Plan, metre: Metre, bars: int) -> _Bars:
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

    out: _Bars = []
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


def _transposed(symbol: str, by: int) -> str:
    """A vocabulary symbol `by` semitones higher."""
    if symbol in ("N", "UNK"):
        return symbol
    head = symbol.partition("/")[0]
    tail = head[2:] if len(head) > 1 and head[1] in "#b" else head[1:]
    up = ROOTS[((root(symbol) or 0) + by) % 12] + tail
    low = ((bass(symbol) or 0) + by) % 12
    return next(v for v in (up, *_SLASHES[up]) if bass(v) == low)


def _from_sheet(
    sheet: Sheet, first: int, bars: int, beats: int, by: int
) -> tuple[_Bars, list[tuple[float, float, int]]]:
    """Bars `first`.. of a tune (round again after its end): harmony, and the line in beats from the first."""
    harmony: _Bars = []
    line: list[tuple[float, float, int]] = []
    for b in range(bars):
        start = (first + b) % sheet.bars * beats
        marks = [(t, s) for t, s in sheet.chords if start <= t < start + beats]
        before = [s for t, s in sheet.chords if t < start + 1e-6]
        if not marks or marks[0][0] > start + 1e-6:
            marks.insert(0, (float(start), before[-1] if before else "N"))
        ends = [t for t, _ in marks[1:]] + [float(start + beats)]
        harmony.append(
            [
                (t - start, e - t, _transposed(s, by))
                for (t, s), e in zip(marks, ends, strict=True)
                if e - t > 0.01
            ]
        )
        for t, d, p in sheet.notes:
            if start <= t < start + beats:
                line.append((b * beats + t - start, d, p + by))
    return harmony, line


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
    """(beat, length in beats, character) of a figure's notes within [at, end) of a bar; the first is at `at`."""
    found: list[tuple[float, float, str]] = []
    for i, c in enumerate(figure):
        if c in ".-":
            continue
        j = i + 1
        while j < len(figure) and figure[j] == "-":
            j += 1
        s, e = i / per_beat, j / per_beat
        if s < end - 1e-6 and s >= at - 1e-6:
            found.append((s, min(e, end) - s, c))
    if not found:
        found = [(at, end - at, "")]
    elif at > 1e-6 and found[0][0] > at + 1e-6:  # a new chord within the bar is heard when it comes
        found.insert(0, (at, found[0][0] - at, ""))
    return found


def _lead_line(
    r: random.Random, harmony: _Bars, scale: set[int], metre: Metre, density: float
) -> list[tuple[float, float, int]]:
    """A melody around C5 in beats: chord tones on strong beats, steps between, motifs, rests at phrase ends."""
    cells = _CELLS[metre.name]
    motifs = [r.choice(cells) for _ in range(2)]
    shapes: dict[int, list[int]] = {}
    repeat, fidelity, rest_at_end = r.uniform(0.3, 0.9), r.uniform(0.2, 0.9), r.random() < 0.7
    leaps = r.uniform(0.05, 0.3)
    pitch = 72 + r.randrange(-4, 5)
    out: list[tuple[float, float, int]] = []
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


_LOUDNESS = {"x": 102, "o": 76, "g": 44}


def _drum_line(
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


@cache
def _grooves(folder: Path, held_out: bool) -> dict[str, list[tuple[Path, float]]]:
    """Groove MIDI performances in 4/4 of 16 s or more, by primary style: (path, bpm); its test split is held out."""
    found: dict[str, list[tuple[Path, float]]] = {}
    info = next(iter(sorted(folder.rglob("info.csv"))), None)
    if info is None:
        return found
    with info.open() as file:
        for row in csv.DictReader(file):
            fits = (
                row["time_signature"] == "4-4" and row["beat_type"] == "beat" and float(row["duration"]) > 16
            )
            if fits and (row["split"] == "test") == held_out:
                style = row["style"].split("/")[0]
                found.setdefault(style, []).append((info.parent / row["midi_filename"], float(row["bpm"])))
    return found


@cache
def _groove_notes(path: Path) -> tuple[tuple[float, int, int], ...]:
    midi = pretty_midi.PrettyMIDI(str(path))
    notes = [n for i in midi.instruments for n in i.notes]
    return tuple(sorted((n.start, n.pitch, n.velocity) for n in notes))


def _structure(
    r: random.Random, roles: list[str], first: int, bars: int
) -> tuple[dict[str, list[bool]], list[float]]:
    """Who plays in which bar, and how loud the bars are: entries, exits, drops, swells. Bars from `first` are heard."""
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
    """Swing: the offbeat eighth falls at `swing` of the beat, the offbeat sixteenth at `shuffle` of the eighth."""
    whole = int(beat // 1)
    x = beat - whole
    if abs(4 * x - round(4 * x)) > 0.02:  # triplets and other fine print stay where they are
        return beat
    half, y = divmod(x, 0.5)
    y = 2 * y
    y = 2 * shuffle * y if y <= 0.5 else shuffle + 2 * (1 - shuffle) * (y - 0.5)
    x = 0.5 * (half + y)
    return whole + (2 * swing * x if x <= 0.5 else swing + 2 * (1 - swing) * (x - 0.5))


def _into(pitch: int, low: int, high: int) -> int:
    while pitch < low:
        pitch += 12
    while pitch > high:
        pitch -= 12
    return pitch


def arrange(
    seed: int, seconds: float = 12.0, grooves: Path | None = None, leadsheets: Path | None = None
) -> Piece:
    """Write one piece of `seconds`, wholly determined by `seed` and the two folders, if given."""
    paired = (seed % HELD_OUT) // PAIRS in (1, 1 + _STAND_IN // PAIRS)
    every = 2 if paired else TWIN_EVERY
    base = seed - 1 if seed % every == every - 1 else seed
    plan, change = _plan(base, grooves, leadsheets), ""
    if base != seed:
        plan, change = (_edited if paired else _twin)(base, plan)
    again = " again" if base != seed else ""  # another stream for the one thing that is written anew
    style, metre = plan.style, METRES[plan.style.metre]
    r = _stream(base, "shape")
    beat = 60.0 / plan.bpm
    bar = metre.beats * beat
    lead_in = r.choice((0, 0, 1, 2)) * bar * r.random()  # a clip starts anywhere in a bar
    bars = int((seconds + lead_in) / bar) + 2
    line: list[tuple[float, float, int]] | None = None
    if plan.sheet is not None:
        first = r.randrange(plan.sheet.bars)
        if change in ("line", "harmony"):
            first = _stream(base, "sheet again").randrange(plan.sheet.bars)
        by = (plan.tonic - plan.sheet.tonic) % 12
        harmony, line = _from_sheet(plan.sheet, first, bars, metre.beats, by)
    else:
        anew = again if change == "harmony" else ""
        harmony = _harmony(_stream(base, "harmony" + anew), plan, metre, bars)
    roles = [x for x in ("comp", "pad", "bass", "lead", "drums") if x in plan.words]
    left_out = change[3:] if change.startswith("no ") else ""
    if style.drums[0] == "none" and len(roles) > 1 and "none" in style.drums and plan.groove is None:
        roles = [x for x in roles if x != "drums" or _stream(base, "kit").random() < 0.15]
    # who is left out would have had a say in the structure: it stays as it was
    everyone = [x for x in ("comp", "pad", "bass", "lead", "drums") if x in roles or x == left_out]
    active, level = _structure(r, everyone, int(lead_in / bar), bars)
    human = r.uniform(0.0, 0.012)
    feel = _stream(base, "feel")
    swing, shuffle = feel.uniform(*style.swing), feel.uniform(*style.shuffle16)
    if metre.name == "6/8":
        swing = shuffle = 0.5

    def clock(part: str) -> Callable[[float], float]:
        own = _stream(base, part + " timing")
        late = own.gauss(0, human / 2)
        return lambda beats: _warped(beats, swing, shuffle) * beat - lead_in + late + own.gauss(0, human)

    def loud(r: random.Random, v: float, b: int, accent: float = 0.0) -> int:
        return int(max(20, min(127, v * level[min(b, bars - 1)] + accent + r.gauss(0, 5))))

    tracks: list[Track] = []
    for part in ("comp", "pad"):
        if part in roles:
            tracks.append(
                _chord_track(
                    _stream(base, part), part, plan, metre, harmony, active[part], clock(part), beat, loud
                )
            )
    if "bass" in roles:
        tracks.append(
            _bass_track(
                _stream(base, "bass"), plan, metre, harmony, active["bass"], clock("bass"), beat, loud
            )
        )
    if "lead" in roles:
        if line is None:
            own = _stream(base, "lead" + (again if change == "line" else ""))
            blue = plan.style_name in ("blues", "rock", "funk", "gospel") and own.random() < 0.35
            steps = BLUES_SCALE if blue else own.choice(SCALES[plan.minor])
            scale = set() if plan.free else {(plan.tonic + s) % 12 for s in steps}
            line = _lead_line(own, harmony, scale, metre, own.uniform(0.6, 1.0))
        tracks.append(
            _lead_track(_stream(base, "line"), plan, metre, line, active["lead"], clock("lead"), beat, loud)
        )
    drum_notes: list[tuple[float, int, int]] = []
    kit_stream = _stream(base, "kit")
    kit, sampled = kit_stream.choice(style.kits), kit_stream.random() < style.samples
    if "drums" in roles:
        own, when = _stream(base, "drums" + (again if change == "drums" else "")), clock("drums")
        if plan.groove is not None:
            stretch = plan.groove_bpm / plan.bpm
            notes = _groove_notes(plan.groove)
            spare = int(notes[-1][0] * stretch / bar) - bars
            skip = own.randrange(spare) if spare > 0 else 0
            timed = [(t * stretch - skip * bar - lead_in, k, v) for t, k, v in notes]
        else:
            family = style if style.drums != ("none",) else STYLES["folk"]
            if change == "drums":  # another style's beat of the same metre
                others = [s for s in STYLES.values() if s.metre == style.metre and "none" not in s.drums]
                family = own.choice([s for s in others if set(s.drums) != set(style.drums)] or others)
            timed = [(when(t), k, v) for t, k, v in _drum_line(own, family, metre, bars, level)]
        playing = active["drums"]
        for t, k, v in timed:
            b = int((t + lead_in) / bar + 0.02)
            if -0.03 < t < seconds and k in KEY_CLASS and 0 <= b < bars and playing[b]:
                drum_notes.append((max(0.0, t), k, v))
    drum_notes.sort()
    tracks = [t for t in tracks if any(min(e, seconds) - max(s, 0.0) > 0.05 for s, e, _, _ in t.notes)]
    melody = [
        Note(max(0.0, s), min(seconds, e), p)
        for t in tracks
        if t.role == "lead"
        for s, e, p, _ in t.notes
        if e > 0.02 and s < seconds and e > s
    ]
    free = plan.free
    piece = Piece(
        seed, plan.style_name, "", "" if free or set(roles) == {"drums"} else f"{ROOTS[plan.tonic]} {'minor' if plan.minor else 'major'}",
        plan.bpm, metre.beats, seconds, tuple(tracks), tuple(drum_notes),
        _chord_labels(harmony, tracks, metre, beat, lead_in, seconds), tuple(melody),
        tuple(Hit(t, KEY_CLASS[k]) for t, k, _ in drum_notes), plan.source, metre.name,
        tuple(t for t in (i * beat - lead_in for i in range(bars * metre.beats)) if 0 <= t < seconds),
        tuple(t for t in (i * metre.beats * beat - lead_in for i in range(bars)) if 0 <= t < seconds),
        (), None if base == seed else base, change, kit, sampled, plan.sheet.title if plan.sheet else "",
    )  # fmt: skip
    if not piece.tracks and not piece.hits:  # the draw left nobody to play: another one stands in
        return replace(
            arrange(seed + _STAND_IN, seconds, grooves, leadsheets), seed=seed, twin_of=None, change=""
        )
    true = moods(piece)
    return replace(piece, moods=true, mood=_stream(base, "mood").choice(true) if true else "")


_Loud = Callable[..., int]


def _chord_track(
    r: random.Random, part: str, plan: _Plan, metre: Metre, harmony: _Bars, active: list[bool],
    when: Callable[[float], float], beat: float, loud: _Loud,
) -> Track:  # fmt: skip
    word, style = plan.words[part], plan.style
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


def _bass_track(
    r: random.Random, plan: _Plan, metre: Metre, harmony: _Bars, active: list[bool], when: Callable[[float], float],
    beat: float, loud: _Loud,
) -> Track:  # fmt: skip
    word = plan.words["bass"]
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


def _lead_track(
    r: random.Random, plan: _Plan, metre: Metre, line: list[tuple[float, float, int]], active: list[bool],
    when: Callable[[float], float], beat: float, loud: _Loud,
) -> Track:  # fmt: skip
    word = plan.words["lead"]
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
        b = min(int(at / metre.beats), len(active) - 1)
        t, stop = when(at), when(at + d * hold)
        v, grace, above = loud(r, volume, b, 7 * (abs(at - round(at)) < 1e-6)), r.random(), r.choice((1, 2))
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


def _chord_labels(
    harmony: _Bars, tracks: list[Track], metre: Metre, beat: float, lead_in: float, seconds: float
) -> tuple[Chord, ...]:
    """Chords over the whole clip; "N" where nothing pitched sounds."""
    out: list[Chord] = []
    for b, segments in enumerate(harmony):
        for at, length, symbol in segments:
            s = max(0.0, (b * metre.beats + at) * beat - lead_in)
            e = min(seconds, (b * metre.beats + at + length) * beat - lead_in)
            if e - s < 1e-6:
                continue
            sounding = sum(max(0.0, min(e, n[1]) - max(s, n[0])) for t in tracks for n in t.notes)
            name = symbol if sounding > min(0.1, (e - s) / 3) else "N"
            if out and out[-1].symbol == name:
                out[-1] = Chord(out[-1].start, e, name)
            else:
                out.append(Chord(out[-1].end if out else 0.0, e, name))
    return tuple(out)


def density(piece: Piece) -> float:
    """Onsets a second: chords count once, drum hits half."""
    onsets = {
        (t.role, round(s / 0.04)) for t in piece.tracks for s, _, _, _ in t.notes if 0 <= s < piece.seconds
    }
    return (len(onsets) + 0.5 * len(piece.hits)) / piece.seconds


def mean_pitch(piece: Piece, role: str) -> float:
    """Mean MIDI pitch of what a role plays in the clip, weighted by length; 0 where it plays nothing."""
    notes = [n for t in piece.tracks if t.role == role for n in t.notes if n[1] > 0 and n[0] < piece.seconds]
    return sum(n[2] * (n[1] - n[0]) for n in notes) / sum(n[1] - n[0] for n in notes) if notes else 0.0


def moods(piece: Piece) -> tuple[str, ...]:
    """Mood words that are true of a clip by measure: onsets a second, tempo, loudness, mode, register, harmony."""
    rate, drums = density(piece), len(piece.hits) / piece.seconds
    strength = [v for t in piece.tracks for _, _, _, v in t.notes] + [v for _, _, v in piece.drum_notes]
    hard = sum(strength) / max(1, len(strength))
    minor, major = piece.key.endswith("minor"), piece.key.endswith("major")
    lead = mean_pitch(piece, "lead")
    strange = (
        sum(c.end - c.start for c in piece.chords if any(q in c.symbol for q in ("dim", "aug", "m7b5")))
        / piece.seconds
    )
    rules = {
        "calm": rate < 4 and piece.bpm < 108 and drums < 3, "gentle": hard < 74 and drums < 5 and rate < 6,
        "dreamy": rate < 4 and any(t.role == "pad" or t.name in SUSTAINED for t in piece.tracks) and drums < 3,
        "sad": minor and piece.bpm < 88 and rate < 7, "dark": minor and 0 < lead < 64,
        "bright": major and lead > 76, "happy": major and piece.bpm >= 112 and rate > 4,
        "lively": rate > 9 and piece.bpm >= 104, "energetic": rate > 9 and hard > 82 and drums > 4,
        "driving": piece.bpm >= 112 and drums > 5 and rate > 8, "laid-back": piece.bpm < 96 and 2 < drums < 8 and hard < 90,
        "tense": strange > 0.25, "powerful": hard > 96 and drums > 3,
    }  # fmt: skip
    return tuple(word for word, holds in rules.items() if holds)


assert set(KEY_CLASS.values()) == set(DRUMS)
