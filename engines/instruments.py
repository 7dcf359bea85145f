"""Instruments: the names that models and page know, their families, General MIDI programs, other spellings.

A row of the instrument lane is an instrument, a family (any of its members) or the drums. Programs are
General MIDI, counted from 0; a family is a group of eight programs. Does not know audio, words in
sentences (`engines.words`) or tensors.
"""

from __future__ import annotations

import difflib
from functools import cache

from engines.requests import InputError

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

# Other spellings that a musician types; captions have more, which `engines.words` has learned.
ALIASES: dict[str, str] = {
    "bass": "basses", "double bass": "upright bass", "acoustic bass": "upright bass", "bass guitar": "electric bass",
    "guitar": "guitars", "sax": "saxophone", "alto sax": "saxophone", "tenor sax": "saxophone", "soprano sax": "soprano saxophone",
    "rhodes": "electric piano", "e-piano": "electric piano", "keys": "keyboards", "keyboard": "keyboards", "horns": "brass section",
    "horn": "French horn", "string section": "strings", "vibes": "vibraphone", "classical guitar": "nylon guitar",
    "spanish guitar": "nylon guitar", "steel guitar": "acoustic guitar", "overdriven guitar": "distorted guitar",
    "vocals": "voice", "singer": "voice", "pad": "synth pads", "synth": "synth leads", "lead synth": "saw lead synth",
    "drum kit": "drums", "drum": "drums", "beat": "drums", "percussion": "drums", "fiddle": "violin", "double-bass": "upright bass",
    "pan pipes": "pan flute", "hammond": "organ", "others": OTHERS, "the rest": OTHERS, "else": OTHERS,
}  # fmt: skip


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
