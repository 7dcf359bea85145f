"""Instruments: the names that models and page know, their families, General MIDI programs, other spellings.

A row of the instrument lane is an instrument, a family (any of its members) or the drums. Programs are
General MIDI, counted from 0; a family is a group of eight programs. Does not know audio, words in
sentences (`engines.words.reader`) or tensors.
"""

from __future__ import annotations

import difflib
from functools import cache

from engines.errors import InputError

DRUMS_ROW = "drums"  # the drum kit, or whatever plays the drum lane
OTHERS = "everything else"  # in a request: every row that is not named at that time

# Name -> programs; what a program sounds like decides, so two names may share one.
INSTRUMENTS: dict[str, tuple[int, ...]] = {
    "piano": (0, 1, 2), "honky-tonk piano": (3,), "electric piano": (4, 5), "harpsichord": (6,), "clavinet": (7,),
    "celesta": (8,), "glockenspiel": (9,), "music box": (10,), "vibraphone": (11,), "marimba": (12,), "xylophone": (13,),
    "organ": (16, 17, 18), "church organ": (19, 20), "accordion": (21,), "harmonica": (22,), "bandoneon": (23,),
    "nylon guitar": (24,), "acoustic guitar": (25,), "jazz guitar": (26,), "electric guitar": (26, 27),
    "clean electric guitar": (27, 28), "distorted guitar": (29, 30), "upright bass": (32,), "electric bass": (33,),
    "picked bass": (34,), "fretless bass": (35,), "slap bass": (36, 37), "synth bass": (38, 39), "violin": (40, 110),
    "viola": (41,), "cello": (42,), "contrabass": (43,), "pizzicato strings": (45,), "harp": (46,),
    "strings": (48, 49, 44), "synth strings": (50, 51), "choir": (52,), "voice": (53, 54), "trumpet": (56,),
    "trombone": (57,), "tuba": (58,), "muted trumpet": (59,), "French horn": (60,), "brass section": (61,),
    "synth brass": (62, 63), "soprano saxophone": (64,), "saxophone": (65, 66, 67), "oboe": (68,), "English horn": (69,),
    "bassoon": (70,), "clarinet": (71,), "piccolo": (72,), "flute": (73,), "recorder": (74,), "pan flute": (75, 76, 77),
    "whistle": (78,), "ocarina": (79,), "square lead synth": (80,), "square synth": (80,), "saw lead synth": (81,),
    "saw synth": (81,), "synth pad": (88, 91), "warm synth pad": (89, 94, 95), "polysynth": (90,), "bowed pad": (92, 93),
    "sitar": (104,), "banjo": (105,), "koto": (107, 106), "kalimba": (108,), "bagpipes": (109,), "steel drums": (114,),
}  # fmt: skip
FAMILIES: dict[str, int] = {  # name -> program // 8
    "keyboards": 0, "mallets and bells": 1, "organs": 2, "guitars": 3, "basses": 4, "solo strings": 5, "ensembles": 6,
    "brass": 7, "reeds": 8, "flutes": 9, "synth leads": 10, "synth pads": 11, "plucked and piped": 13, "tuned percussion": 14,
}  # fmt: skip
ROWS: tuple[str, ...] = (*INSTRUMENTS, *FAMILIES, DRUMS_ROW)  # in the order of the lane's channels
_TIMPANI = 47  # stands among the strings in General MIDI, and is none
_ROW = {name: i for i, name in enumerate(ROWS)}
_BY_GROUP = {group: name for name, group in FAMILIES.items()}

# Other spellings that a musician types, lower case; `engines.words.reader` has learned to guess at the rest.
_SPELLINGS: dict[str, str] = {
    "piano": "acoustic piano, grand piano, pianist", "honky-tonk piano": "saloon piano, barroom piano, honky tonk",
    "electric piano": "rhodes, rhodes piano, e-piano, epiano, wurlitzer", "harpsichord": "baroque keyboard, cembalo, clavichord",
    "clavinet": "clav, funky clavinet", "celesta": "celeste", "glockenspiel": "bells, orchestra bells, tubular bells",
    "music box": "musical box", "vibraphone": "vibes", "marimba": "wooden mallets", "organ": "hammond, organist",
    "church organ": "pipe organ, cathedral organ", "accordion": "squeezebox, accordionist", "harmonica": "mouth harp, mouth organ",
    "bandoneon": "bandoneón, tango accordion", "nylon guitar": "classical guitar, spanish guitar, nylon-string guitar, nylon string guitar",
    "acoustic guitar": "steel guitar, steel-string guitar, steel string guitar, acoustic steel guitar, twelve-string guitar",
    "electric guitar": "clean lead guitar, electric lead guitar, lead guitar", "jazz guitar": "hollow-body guitar, mellow electric guitar",
    "clean electric guitar": "clean guitar, undistorted electric guitar, undistorted guitar",
    "distorted guitar": "overdriven guitar, heavy guitar, distortion guitar, guitar distortion", "violin": "fiddle, fiddler",
    "viola": "alto violin", "cello": "violoncello", "contrabass": "orchestral double bass, bowed double bass, bowed bass",
    "upright bass": "double bass, double-bass, acoustic bass, jazz bass", "electric bass": "bass guitar, fingered bass, bassist",
    "picked bass": "pick bass, bass guitar with a pick, bass with a pick", "fretless bass": "fretless bass guitar, fretless",
    "slap bass": "slapped bass", "synth bass": "synthesizer bass, electronic bass, sub bass, 808 bass, acid bass",
    "pizzicato strings": "plucked strings, pizzicato violins, pizzicato", "harp": "harpist",
    "strings": "string section, string ensemble, string quartet, string orchestra, strings section",
    "synth strings": "string synthesizer, synthetic strings, string machine, string synth", "choir": "choral voices, voices",
    "voice": "vocals, vocal, vocalist, singer, singing, oohs, humming", "trumpet": "cornet",
    "tuba": "bass tuba, sousaphone", "muted trumpet": "trumpet with mute, harmon-muted trumpet, trumpet with a mute",
    "French horn": "horn, horn in f, orchestral horn", "brass section": "horns, brass band, brass ensemble, big band brass",
    "synth brass": "brass synthesizer, analog brass synth, brass synth", "soprano saxophone": "soprano sax, straight sax",
    "saxophone": "sax, alto sax, tenor sax, baritone sax, alto saxophone, tenor saxophone, baritone saxophone", "English horn": "cor anglais, alto oboe",
    "clarinet": "bass clarinet", "piccolo": "piccolo flute, small flute", "recorder": "block flute",
    "pan flute": "panpipes, pan pipes, zampona", "whistle": "tin whistle, whistling", "ocarina": "clay flute, ocarina flute",
    "square lead synth": "square wave lead, square wave synth, square lead", "square synth": "square wave chords, pulse synth",
    "saw lead synth": "lead synth, sawtooth lead, sawtooth synth, saw lead, saw wave lead, sawtooth, supersaw",
    "saw synth": "saw wave synth, sawtooth chords", "synth pad": "synthesizer pad", "warm synth pad": "soft pad, warm pad",
    "polysynth": "polyphonic synth, poly synth, analog polysynth", "bowed pad": "glassy pad, glass pad",
    "koto": "japanese zither", "kalimba": "thumb piano, mbira", "bagpipes": "pipes, bagpipe", "steel drums": "steelpan, steel pan, steel drum",
    "keyboards": "keys, keyboard", "guitars": "guitar, guitarist", "basses": "bass, bassline",
    "reeds": "saxes, saxophones", "synth leads": "synth, synthesizer, synth lead", "synth pads": "pad, synth chords",
    "mallets and bells": "mallets",
    "drums": "drum, drum kit, drumkit, drumset, drum set, drummer, drumming, beat, drumbeat, percussion, drum machine, bass drum, kick drum, "
    "snare drum, snare, hi-hat, hi-hats, hihat, hihats, cymbals, toms, brushes, programmed beat, percussionist",
    OTHERS: "others, the rest, else",
}  # fmt: skip
ALIASES: dict[str, str] = {
    word: row for row, words in _SPELLINGS.items() for word in words.split(", ") if word
}


def row_of(name: str) -> int:
    """The channel of a row of the lane, 0..len(ROWS) - 1. Raises InputError for a name that is none."""
    return _ROW[named(name)]


@cache
def named(text: str) -> str:
    """The row, or OTHERS, that a musician means by a name. Raises InputError, with the nearest ones, for others."""
    plain = " ".join(text.replace("_", " ").split())
    for name in (*ROWS, OTHERS):
        if plain.casefold() == name.casefold():
            return name
    if plain.casefold() in ALIASES:
        return ALIASES[plain.casefold()]
    near = nearest(plain)
    tip = f"nearest: {', '.join(near)}" if near else "for instance piano, flute, drums"
    raise InputError(f"instrument {text[:24]!r}: no such instrument here; {tip}")


def nearest(text: str, count: int = 3) -> list[str]:
    """Rows whose name is spelt most like `text`, the nearest first; empty where none is near."""
    spelt = {name.casefold(): name for name in ROWS} | ALIASES
    found = difflib.get_close_matches(text.casefold(), spelt, n=2 * count, cutoff=0.6)
    return list(dict.fromkeys(spelt[match] for match in found if spelt[match] != OTHERS))[:count]


def family_of(name: str) -> str | None:
    """The family of an instrument; None of the drums and of a family."""
    programs = INSTRUMENTS.get(name)
    return None if programs is None else _BY_GROUP.get(programs[0] // 8)


def members(family: str) -> tuple[str, ...]:
    """The instruments of a family; empty for what is none."""
    return tuple(name for name in INSTRUMENTS if family_of(name) == family) if family in FAMILIES else ()


def of_program(program: int) -> str | None:
    """The instrument of a General MIDI program 0..127, or its family; None for effects."""
    for name, programs in INSTRUMENTS.items():
        if program in programs:
            return name
    return None if program == _TIMPANI else _BY_GROUP.get(program // 8)
