"""The arranger: a seed -> a short piece with exactly known chords, melody, drums and words.

Purpose: music for training whose labels are exact because the labels came first. Times are
seconds from the first sample; pitches MIDI numbers; chord symbols are in the models' vocabulary.
Does not know audio (that is `render.py`) or wording (that is `captions.py`).
"""

from __future__ import annotations

import csv
import random
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import pretty_midi

from engines.chords import VOCABULARY, pitch_classes, root
from engines.requests import DRUMS, Chord, Hit, Note

MAJOR = (0, 2, 4, 5, 7, 9, 11)
MINOR = (0, 2, 3, 5, 7, 8, 10)
ROOTS = ("C", "C#", "D", "Eb", "E", "F", "F#", "G", "Ab", "A", "Bb", "B")

# General MIDI programs (0-based) by the word a caption uses.
LEADS = {
    "piano": (0, 1), "vibraphone": (11,), "organ": (16, 17), "accordion": (21,), "harmonica": (22,),
    "nylon guitar": (24,), "electric guitar": (26, 27), "distorted guitar": (29, 30), "violin": (40,),
    "cello": (42,), "trumpet": (56,), "trombone": (57,), "saxophone": (65, 66), "clarinet": (71,),
    "flute": (73,), "whistle": (78,), "square lead synth": (80,), "saw lead synth": (81,),
    "music box": (10,), "marimba": (12,),
}  # fmt: skip
COMPS = {
    "piano": (0, 1), "electric piano": (4, 5), "harpsichord": (6,), "organ": (16, 18),
    "acoustic guitar": (24, 25), "clean electric guitar": (26, 27), "harp": (46,), "strings": (48, 49),
    "choir": (52,), "brass section": (61,), "warm synth pad": (89,), "synth pad": (88, 90), "marimba": (12,),
}  # fmt: skip
BASSES = {
    "upright bass": (32,), "electric bass": (33, 34), "fretless bass": (35,), "slap bass": (36,),
    "synth bass": (38, 39),
}  # fmt: skip
SUSTAINED = {"organ", "strings", "choir", "brass section", "warm synth pad", "synth pad"}
GM_DRUM = {"kick": 36, "snare": 38, "hat": 42, "tom": 45, "cymbal": 49}
GM_CLASS = {
    35: "kick", 36: "kick", 37: "snare", 38: "snare", 39: "snare", 40: "snare", 22: "hat", 26: "hat", 42: "hat",
    44: "hat", 46: "hat", 41: "tom", 43: "tom", 45: "tom", 47: "tom", 48: "tom", 50: "tom", 58: "tom",
    49: "cymbal", 51: "cymbal", 52: "cymbal", 53: "cymbal", 55: "cymbal", 57: "cymbal", 59: "cymbal",
}  # fmt: skip


@dataclass(frozen=True)
class Style:
    """What makes a style: tempo range, metre and who plays how."""

    tempo: tuple[int, int]  # bpm
    beats: int  # per bar
    drums: str  # pattern family
    bass: str  # pattern family
    comp: str  # pattern family
    leads: tuple[str, ...]
    comps: tuple[str, ...]
    basses: tuple[str, ...]
    groove: tuple[str, ...] = ()  # primary styles of the Groove set that fit


STYLES: dict[str, Style] = {
    "pop": Style((90, 128), 4, "backbeat", "roots8", "block", ("piano", "electric guitar", "flute", "saw lead synth", "violin"), ("piano", "acoustic guitar", "clean electric guitar", "synth pad"), ("electric bass", "synth bass"), ("pop", "rock")),
    "rock": Style((100, 160), 4, "rock", "roots8", "strum", ("distorted guitar", "electric guitar", "organ", "harmonica"), ("clean electric guitar", "organ", "acoustic guitar"), ("electric bass",), ("rock", "punk")),
    "funk": Style((92, 118), 4, "funk", "funk", "offbeat", ("saxophone", "trumpet", "electric guitar", "organ"), ("clean electric guitar", "electric piano", "brass section"), ("slap bass", "electric bass"), ("funk", "soul")),
    "jazz": Style((100, 180), 4, "swing", "walking", "charleston", ("saxophone", "trumpet", "vibraphone", "clarinet", "piano", "trombone"), ("piano", "electric piano", "nylon"), ("upright bass", "fretless bass"), ("jazz",)),
    "bossa nova": Style((110, 150), 4, "bossa", "bossa", "bossa", ("flute", "nylon guitar", "saxophone", "vibraphone"), ("acoustic guitar", "electric piano", "piano"), ("upright bass", "fretless bass"), ("latin",)),
    "waltz": Style((84, 160), 3, "waltz", "waltz", "waltz", ("violin", "accordion", "clarinet", "flute", "piano"), ("piano", "accordion_comp", "harp", "strings", "acoustic guitar"), ("upright bass",)),
    "ballad": Style((60, 84), 4, "ballad", "long", "arpeggio", ("piano", "violin", "cello", "saxophone", "nylon guitar"), ("piano", "strings", "electric piano", "acoustic guitar"), ("electric bass", "fretless bass", "upright bass")),
    "electronic": Style((116, 136), 4, "four", "offbass", "offbeat", ("saw lead synth", "square lead synth", "piano"), ("synth pad", "warm synth pad", "electric piano"), ("synth bass",)),
    "hip hop": Style((76, 100), 4, "hiphop", "funk", "block", ("electric guitar", "flute", "square lead synth", "vibraphone", "trumpet"), ("electric piano", "piano", "strings", "warm synth pad"), ("synth bass", "electric bass"), ("hiphop",)),
    "folk": Style((84, 140), 4, "light", "rootfifth", "strum", ("violin", "whistle", "accordion", "harmonica", "nylon guitar", "flute"), ("acoustic guitar", "harp", "piano"), ("upright bass",)),
    "ambient": Style((60, 90), 4, "none", "long", "pad", ("vibraphone", "flute", "cello", "music box", "piano"), ("warm synth pad", "synth pad", "choir", "strings"), ("synth bass", "fretless bass")),
    "orchestral": Style((70, 130), 4, "none", "long", "pad", ("violin", "flute", "clarinet", "trumpet", "cello", "trombone"), ("strings", "brass section", "harp", "choir"), ("upright bass",)),
    "reggae": Style((70, 92), 4, "reggae", "funk", "offbeat", ("organ", "trombone", "electric guitar", "saxophone"), ("clean electric guitar", "organ", "piano"), ("electric bass",), ("reggae",)),
    "chiptune": Style((120, 170), 4, "four", "roots8", "arpeggio16", ("square lead synth", "saw lead synth", "music box"), ("square comp", "marimba"), ("synth bass",)),
}  # fmt: skip
_COMP_EXTRA = {"nylon": (24,), "accordion_comp": (21,), "square comp": (80,)}
COMP_NAME = {"nylon": "nylon guitar", "accordion_comp": "accordion", "square comp": "square synth"}
MOODS = ("calm", "bright", "warm", "dark", "dreamy", "lively", "tense", "gentle", "driving", "playful")

# Progressions as (scale degree 0-6, quality override or "") one chord a bar.
PROGRESSIONS_MAJOR = (
    (0, 4, 5, 3), (0, 5, 3, 4), (5, 3, 0, 4), (0, 3, 4, 4), (0, 3, 0, 4), (1, 4, 0, 0), (1, 4, 0, 5), (0, 2, 3, 4),
    (0, 4, 3, 3), (3, 4, 0, 5), (0, 1, 3, 4), (0, 5, 1, 4), (2, 5, 1, 4), (0, 3, 1, 4),
)  # fmt: skip
PROGRESSIONS_MINOR = (
    (0, 5, 2, 6), (0, 3, 4, 0), (0, 6, 5, 4), (0, 5, 3, 4), (0, 3, 6, 2), (1, 4, 0, 0), (0, 2, 6, 3), (0, 6, 5, 6),
)  # fmt: skip
TRIADS_MAJOR = ("", "m", "m", "", "", "m", "dim")
SEVENTHS_MAJOR = ("maj7", "m7", "m7", "maj7", "7", "m7", "m7b5")
TRIADS_MINOR = ("m", "dim", "", "m", "", "", "")  # harmonic V
SEVENTHS_MINOR = ("m7", "m7b5", "maj7", "m7", "7", "maj7", "7")


@dataclass(frozen=True)
class Track:
    """One instrument of a piece."""

    role: str  # "lead", "comp", "bass"
    name: str  # word for captions
    program: int  # General MIDI, 0-based
    notes: tuple[tuple[float, float, int, int], ...]  # start s, end s, pitch, velocity


@dataclass(frozen=True)
class Piece:
    """A piece: what is played and everything that is known about it."""

    seed: int
    style: str
    mood: str
    key: str  # "A minor"
    bpm: float
    beats_per_bar: int
    seconds: float
    tracks: tuple[Track, ...]
    drum_notes: tuple[tuple[float, int, int], ...]  # time s, GM key, velocity
    chords: tuple[Chord, ...]
    melody: tuple[Note, ...]
    hits: tuple[Hit, ...]

    @property
    def lead(self) -> str:
        """Name of the melody's instrument, or ''."""
        return next((t.name for t in self.tracks if t.role == "lead"), "")


def _progression(
    r: random.Random, tonic: int, minor: bool, sevenths: bool, bars: int, free: bool
) -> list[str]:
    """One chord symbol per slot of a bar, over `bars` bars."""
    if free:  # any chord the models know, so that control does not lean on habits of harmony
        return [VOCABULARY[r.randrange(1, 193)] for _ in range(bars)]
    template = r.choice(PROGRESSIONS_MINOR if minor else PROGRESSIONS_MAJOR)
    scale = MINOR if minor else MAJOR
    table = (
        (SEVENTHS_MINOR if sevenths else TRIADS_MINOR)
        if minor
        else (SEVENTHS_MAJOR if sevenths else TRIADS_MAJOR)
    )
    out = []
    for i in range(bars):
        degree = template[i % len(template)]
        quality = table[degree]
        name = ROOTS[(tonic + scale[degree]) % 12]
        if not sevenths and r.random() < 0.12:
            quality = {"": r.choice(("7", "6", "maj7")), "m": "m7"}.get(quality, quality)
        symbol = name + quality
        if quality == "" and r.random() < 0.1:
            slash = [v for v in VOCABULARY if v.startswith(name + "/")]
            symbol = r.choice(slash) if slash else symbol
        out.append(symbol)
    return out


def _voicing(symbol: str, centre: int, last: list[int] | None) -> list[int]:
    """Pitches of a chord near `centre`, or near the last voicing."""
    target = sum(last) / len(last) if last else centre
    target = 0.7 * target + 0.3 * centre
    out = []
    for pc in sorted(pitch_classes(symbol)):
        octave = round((target - pc) / 12)
        out.append(pc + 12 * octave)
    return sorted(out)


def _drum_pattern(kind: str, r: random.Random, beats: int) -> list[tuple[float, str, int]]:
    """One bar: (beat, drum, velocity)."""
    out: list[tuple[float, str, int]] = []

    def add(drum: str, places: tuple[float, ...] | list[float], velocity: int = 96) -> None:
        out.extend((p, drum, velocity) for p in places)

    eighths = [i / 2 for i in range(beats * 2)]
    sixteenths = [i / 4 for i in range(beats * 4)]
    if kind in ("backbeat", "rock"):
        add("kick", [0, 2] + r.choice([[], [2.5], [1.5], [3.5]]), 108)
        add("snare", (1, 3), 104)
        add("hat", eighths if r.random() < 0.8 else [0, 1, 2, 3], 74)
    elif kind == "funk":
        add("kick", r.choice([[0, 0.75, 2.5], [0, 1.5, 2.25], [0, 0.5, 2.75]]), 106)
        add("snare", [1, 3], 104)
        add("snare", r.choice([[1.75], [2.25, 3.75], [0.75]]), 46)
        add("hat", sixteenths, 66)
    elif kind == "swing":
        add("cymbal", [0, 1, 1.67, 2, 3, 3.67], 78)
        add("hat", (1, 3), 70)
        add("kick", r.choice([[0], [0, 2.67], [1.67]]), 66)
        add("snare", r.choice([[2.67], [0.67, 3.67], []]), 52)
    elif kind == "bossa":
        add("kick", (0, 1.5, 2, 3.5), 84)
        add("snare", (0, 0.75, 1.5, 2.5, 3.25), 62)
        add("hat", eighths, 62)
    elif kind == "waltz":
        add("kick", (0,), 88)
        add("snare", (1, 2), 58)
        add("hat", (0, 1, 2), 58)
    elif kind == "ballad":
        add("kick", [0, 2.5] if r.random() < 0.5 else [0], 88)
        add("snare", (2,), 82)
        add("hat", eighths, 56)
    elif kind == "four":
        add("kick", (0, 1, 2, 3), 112)
        add("snare", (1, 3), 92)
        add("hat", (0.5, 1.5, 2.5, 3.5), 82)
    elif kind == "hiphop":
        add("kick", r.choice([[0, 1.75, 2.5], [0, 0.75, 2.25], [0, 2.75]]), 112)
        add("snare", (1, 3), 106)
        add("hat", eighths + r.choice([[], [1.25], [3.25, 3.75]]), 70)
    elif kind == "light":
        add("kick", (0, 2), 76)
        add("hat", (1, 3), 66)
    elif kind == "reggae":
        add("kick", (2,), 104)
        add("snare", (2,), 92)
        add("hat", eighths, 66)
    return out


def _comp_rhythm(kind: str, r: random.Random, beats: int) -> list[tuple[float, float]]:
    """One bar of (beat, length in beats) at which the chord sounds."""
    if kind == "pad":
        return [(0, beats)]
    if kind == "block":
        return r.choice([[(0, 2), (2, 2)], [(0, 1), (1, 1), (2, 1), (3, 1)], [(0, 1.5), (1.5, 1.5), (3, 1)]])
    if kind == "strum":
        return r.choice(
            [
                [(0, 1), (1, 0.5), (1.5, 0.5), (2.5, 0.5), (3, 0.5), (3.5, 0.5)],
                [(i / 2, 0.5) for i in range(beats * 2)],
            ]
        )
    if kind == "offbeat":
        return [(i + 0.5, 0.3) for i in range(beats)]
    if kind == "charleston":
        return r.choice([[(0, 1.4), (1.5, 0.5)], [(0.67, 0.5), (2, 1)], [(0, 0.6), (2.67, 1)]])
    if kind == "bossa":
        return [(0, 0.5), (1, 0.5), (1.5, 1), (3, 0.5)]
    if kind == "waltz":
        return [(1, 0.8), (2, 0.8)]
    return [(0, beats)]


def _bass_line(
    kind: str, r: random.Random, beats: int, low: int, fifth: int, following: int
) -> list[tuple[float, float, int]]:
    """One bar of (beat, length in beats, pitch)."""
    if kind == "roots8":
        return [(i / 2, 0.45, low) for i in range(beats * 2)]
    if kind == "funk":
        return r.choice(
            [
                [(0, 0.7, low), (0.75, 0.2, low), (1.5, 0.4, low + 12), (2.5, 0.4, fifth), (3.25, 0.5, low)],
                [(0, 0.9, low), (1.5, 0.4, low), (2, 0.4, fifth), (3.5, 0.4, low)],
            ]
        )
    if kind == "walking":
        step = 1 if following >= low else -1
        return [
            (0, 0.95, low),
            (1, 0.95, r.choice((fifth, low + 4))),
            (2, 0.95, fifth),
            (3, 0.95, following - step),
        ]
    if kind == "bossa":
        return [(0, 1.4, low), (1.5, 0.45, fifth), (2, 1.4, fifth), (3.5, 0.45, low)]
    if kind == "waltz":
        return [(0, 0.9, low)]
    if kind == "offbass":
        return [(i + 0.5, 0.45, low) for i in range(beats)]
    if kind == "rootfifth":
        return [(0, 0.9, low), (2, 0.9, fifth)]
    return [(0, beats * 0.98, low)]


def _lead_line(
    r: random.Random,
    bars: list[tuple[float, float, str]],
    scale_pcs: set[int],
    beats: int,
    centre: int,
    density: float,
) -> list[tuple[float, float, int]]:
    """A melody in beats: chord tones on strong beats, steps between, rests at phrase ends."""
    cells = [
        [1, 1, 1, 1],
        [0.5, 0.5, 1, 1, 1],
        [1, 0.5, 0.5, 2],
        [2, 2],
        [1.5, 0.5, 1, 1],
        [0.5] * 8,
        [3, 1],
        [1, 1, 2],
    ]
    if beats == 3:
        cells = [[1, 1, 1], [2, 1], [1.5, 0.5, 1], [3], [1, 0.5, 0.5, 1], [0.5] * 6]
    motif = [r.choice(cells) for _ in range(2)]
    pitch = centre + r.randrange(-4, 5)
    out: list[tuple[float, float, int]] = []
    low, high = max(48, centre - 11), min(93, centre + 11)
    for start, length, symbol in bars:
        rhythm = motif[int(start // max(length, 1)) % 2] if r.random() < 0.6 else r.choice(cells)
        tones = set(pitch_classes(symbol)) or scale_pcs
        at = 0.0
        for i, duration in enumerate(rhythm):
            if at >= length - 1e-6:
                break
            duration = min(duration, length - at)
            strong = abs(at - round(at)) < 1e-6 and int(round(at)) % 2 == 0
            if r.random() < density or i == 0:
                pool = tones if strong or r.random() < 0.35 else (scale_pcs | tones)
                reach = 5 if r.random() < 0.8 else 9
                options = [
                    p for p in range(pitch - reach, pitch + reach + 1) if p % 12 in pool and low <= p <= high
                ]
                if options:
                    near = [p for p in options if abs(p - pitch) <= 3 and p != pitch]
                    pitch = r.choice(near if near and r.random() < 0.75 else options)
                else:
                    pitch = min(
                        (p for p in range(low, high + 1) if p % 12 in pool), key=lambda p: abs(p - pitch)
                    )
                out.append((start + at, duration * r.uniform(0.85, 0.98), pitch))
            at += duration
    return out


@cache
def _grooves(folder: Path) -> dict[str, list[tuple[Path, float]]]:
    """Groove MIDI performances in 4/4 of 8 s or more, by primary style: (path, bpm)."""
    found: dict[str, list[tuple[Path, float]]] = {}
    info = next(folder.rglob("info.csv"), None)
    if info is None:
        return found
    with info.open() as file:
        for row in csv.DictReader(file):
            if row["time_signature"] == "4-4" and row["beat_type"] == "beat" and float(row["duration"]) > 8:
                style = row["style"].split("/")[0]
                found.setdefault(style, []).append((info.parent / row["midi_filename"], float(row["bpm"])))
    return found


@cache
def _groove_notes(path: Path) -> tuple[tuple[float, int, int], ...]:
    midi = pretty_midi.PrettyMIDI(str(path))
    notes = [n for i in midi.instruments for n in i.notes]
    return tuple(sorted((n.start, n.pitch, n.velocity) for n in notes))


def arrange(seed: int, seconds: float = 12.0, grooves: Path | None = None) -> Piece:
    """Write one piece of `seconds`, wholly determined by `seed` (and the Groove folder, if given)."""
    r = random.Random(seed)
    name = r.choice(list(STYLES))
    style = STYLES[name]
    bpm = float(r.randint(*style.tempo))
    minor = r.random() < (0.6 if name in ("hip hop", "electronic", "ambient") else 0.4)
    tonic = r.randrange(12)
    free = r.random() < 0.25
    sevenths = r.random() < (0.85 if name in ("jazz", "bossa nova", "funk") else 0.2)
    beats = style.beats
    groove: tuple[tuple[float, int, int], ...] = ()
    if grooves is not None and style.groove and r.random() < 0.35:
        pool = [g for s in style.groove for g in _grooves(grooves).get(s, [])]
        if pool:
            path, bpm = r.choice(pool)
            groove = _groove_notes(path)
    beat = 60.0 / bpm
    lead_in = r.choice((0, 1, 2)) * beat * beats * r.random()  # start anywhere in a bar
    n_bars = int((seconds + lead_in) / (beat * beats)) + 2
    roll = r.random()
    per_chord = 1 if roll < 0.7 else (2 if roll < 0.82 and n_bars > 4 else 0)  # bars a chord; 0 = half a bar
    slots = n_bars if per_chord == 1 else (n_bars + 1) // 2 if per_chord == 2 else n_bars * 2
    symbols = _progression(r, tonic, minor, sevenths, slots, free)
    bar_chords: list[list[tuple[float, float, str]]] = []  # per bar: (beat in bar, length, symbol)
    for b in range(n_bars):
        if per_chord == 0:
            half = 2 if beats == 4 else 1
            bar_chords.append([(0, half, symbols[2 * b]), (half, beats - half, symbols[2 * b + 1])])
        else:
            bar_chords.append([(0, beats, symbols[b // per_chord])])

    has_drums = style.drums != "none" and r.random() < 0.88
    has_bass = r.random() < 0.92
    has_comp = r.random() < 0.94
    has_lead = r.random() < 0.85 or not (has_comp or has_bass)
    if r.random() < 0.06:  # solos, so that an instrument's word has one sound
        has_drums = has_bass = has_comp = False
        has_lead = True
    human = r.uniform(0.0, 0.012)

    def when(t: float) -> float:
        return t * beat - lead_in + r.gauss(0, human)

    scale_pcs = {(tonic + s) % 12 for s in (MINOR if minor else MAJOR)}
    tracks: list[Track] = []
    if has_comp:
        word = r.choice(style.comps)
        programs = COMPS.get(word) or _COMP_EXTRA[word]
        notes = []
        last: list[int] | None = None
        centre = r.choice((55, 60, 64))
        rhythm = _comp_rhythm(style.comp, r, beats)
        for b, parts in enumerate(bar_chords):
            for at, length, symbol in parts:
                if symbol in ("N", "UNK"):
                    continue
                last = _voicing(symbol, centre, last)
                if style.comp.startswith("arpeggio"):
                    step = 0.25 if style.comp.endswith("16") else 0.5
                    ring = step * (1 if style.comp.endswith("16") else 2)
                    for i in range(int(length / step)):
                        p = last[i % len(last)]
                        t = when(b * beats + at + i * step)
                        notes.append((t, t + ring * beat, p, r.randint(66, 92)))
                    continue
                places = [
                    (max(p, at), min(p + d, at + length)) for p, d in rhythm if p < at + length and p + d > at
                ]
                places = [(p, q) for p, q in places if q - p > 0.1] or [(at, at + length)]
                if word in SUSTAINED and r.random() < 0.5:
                    places = [(at, at + length)]
                for p, q in places:
                    t, v = when(b * beats + p), r.randint(62, 94)
                    spread = r.uniform(0, 0.012) if "guitar" in word else 0.0
                    notes += [(t + i * spread, t + (q - p) * beat, x, v) for i, x in enumerate(last)]
        tracks.append(Track("comp", COMP_NAME.get(word, word), r.choice(programs), tuple(notes)))
    if has_bass:
        word = r.choice(style.basses)
        notes = []
        flat = [(b * beats + at, length, s) for b, parts in enumerate(bar_chords) for at, length, s in parts]
        for i, (at, length, symbol) in enumerate(flat):
            if symbol in ("N", "UNK"):
                continue
            bass_pc = _bass_pc(symbol)
            low = 28 + (bass_pc - 28) % 12
            nxt = 28 + (_bass_pc(flat[(i + 1) % len(flat)][2]) - 28) % 12
            fifth = (
                low + 7
                if (root(symbol) + 7) % 12 in pitch_classes(symbol) and root(symbol) == bass_pc
                else low + 12
            )
            for p, d, pitch in _bass_line(style.bass, r, beats, low, fifth, nxt):
                if p < length:
                    t = when(at + p)
                    notes.append((t, t + min(d, length - p) * beat, pitch, r.randint(84, 108)))
        tracks.append(Track("bass", word, r.choice(BASSES[word]), tuple(notes)))
    melody: list[Note] = []
    if has_lead:
        word = r.choice(style.leads) if r.random() < 0.8 else r.choice(list(LEADS))
        centre = {"cello": 57, "trombone": 57, "whistle": 84, "flute": 77, "music box": 81}.get(
            word, r.choice((67, 72, 76))
        )
        flat = [(b * beats + at, length, s) for b, parts in enumerate(bar_chords) for at, length, s in parts]
        line = _lead_line(r, flat, set() if free else scale_pcs, beats, centre, r.uniform(0.6, 0.98))
        notes = []
        for at, d, pitch in line:
            t = when(at)
            notes.append((t, t + d * beat, pitch, r.randint(92, 118)))
        notes.sort()
        notes = [  # one line: a note ends where the next begins
            (s, min(e, notes[i + 1][0]) if i + 1 < len(notes) else e, p, v)
            for i, (s, e, p, v) in enumerate(notes)
        ]
        tracks.append(Track("lead", word, r.choice(LEADS[word]), tuple(notes)))
        melody = [
            Note(max(0.0, s), min(seconds, e), p)
            for s, e, p, _ in notes
            if e > 0.02 and s < seconds and e > s
        ]
    drum_notes: list[tuple[float, int, int]] = []
    if has_drums and groove:
        drum_notes = [(t - lead_in, k, v) for t, k, v in groove]
    elif has_drums:
        pattern = _drum_pattern(style.drums, r, beats)
        for b in range(n_bars):
            fill = b % 4 == 3 and r.random() < 0.4 and beats == 4
            for p, drum, v in pattern:
                if not (fill and p >= 3):
                    drum_notes.append(
                        (when(b * beats + p), GM_DRUM[drum], max(1, min(127, v + r.randint(-10, 10))))
                    )
            if fill:
                kinds = r.choice((("snare",) * 4, ("snare", "snare", "tom", "tom"), ("tom",) * 4))
                for i, drum in enumerate(kinds):
                    drum_notes.append((when(b * beats + 3 + i / 4), GM_DRUM[drum], r.randint(80, 110)))
            if b % 4 == 0 and r.random() < 0.4:
                drum_notes.append((when(b * beats), GM_DRUM["cymbal"], r.randint(70, 100)))
    hits = tuple(Hit(t, GM_CLASS[k]) for t, k, _ in sorted(drum_notes) if 0 <= t < seconds and k in GM_CLASS)
    chords = []
    if any(t.role in ("comp", "bass", "lead") for t in tracks):
        for b, parts in enumerate(bar_chords):
            for at, length, symbol in parts:
                s = (b * beats + at) * beat - lead_in
                e = s + length * beat
                if e > 0 and s < seconds:
                    chords.append(Chord(max(0.0, s), min(seconds, e), symbol))
    return Piece(
        seed, name, r.choice(MOODS), f"{ROOTS[tonic]} {'minor' if minor else 'major'}", bpm, beats, seconds,
        tuple(tracks), tuple(d for d in sorted(drum_notes) if -1 < d[0] < seconds), tuple(chords), tuple(melody), hits,
    )  # fmt: skip


def _bass_pc(symbol: str) -> int:
    from engines.chords import bass

    return bass(symbol)


assert set(GM_DRUM) == set(DRUMS)
