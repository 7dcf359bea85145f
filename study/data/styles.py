"""Styles and instruments: who plays what, where and how fast; patterns on a grid of sixteenths.

Patterns are strings, one character a sixteenth: 16 for a bar of 4/4, 12 for 3/4 and for 6/8. Drums:
`x` loud, `o` medium, `g` ghost. Chords: `x` struck, `-` held. Bass: `1` root, `3` third, `5` fifth,
`8` octave, `a` a semitone from the next root, `-` held. A dot is a rest. Programs are General MIDI,
counted from 0. Does not know seeds or time in seconds.
"""

from __future__ import annotations

from dataclasses import dataclass

# A word for captions -> (General MIDI programs, pitch that the instrument's tunes lie around).
LEADS: dict[str, tuple[tuple[int, ...], int]] = {
    "piano": ((0, 1), 74), "electric piano": ((4, 5), 72), "harpsichord": ((6,), 72), "celesta": ((8,), 81),
    "glockenspiel": ((9,), 84), "music box": ((10,), 81), "vibraphone": ((11,), 72), "marimba": ((12,), 69),
    "xylophone": ((13,), 81), "organ": ((16, 17, 18), 72), "accordion": ((21,), 72), "harmonica": ((22,), 74),
    "bandoneon": ((23,), 71), "nylon guitar": ((24,), 64), "acoustic guitar": ((25,), 66), "electric guitar": ((26, 27), 67),
    "distorted guitar": ((29, 30), 67), "violin": ((40,), 76), "viola": ((41,), 67), "cello": ((42,), 57),
    "pizzicato strings": ((45,), 69), "harp": ((46,), 72), "voice": ((53, 52), 70), "trumpet": ((56,), 71), "trombone": ((57,), 57),
    "tuba": ((58,), 50), "muted trumpet": ((59,), 71), "French horn": ((60,), 62), "synth brass": ((62, 63), 67),
    "soprano saxophone": ((64,), 74), "saxophone": ((65, 66), 66), "oboe": ((68,), 74), "English horn": ((69,), 67),
    "bassoon": ((70,), 55), "clarinet": ((71,), 70), "piccolo": ((72,), 84), "flute": ((73,), 77), "recorder": ((74,), 77),
    "pan flute": ((75,), 76), "whistle": ((78,), 83), "ocarina": ((79,), 77), "square lead synth": ((80,), 72),
    "saw lead synth": ((81,), 72), "sitar": ((104,), 64), "banjo": ((105,), 66), "koto": ((107,), 69), "kalimba": ((108,), 74),
    "bagpipes": ((109,), 70), "steel drums": ((114,), 70),
}  # fmt: skip
COMPS: dict[str, tuple[int, ...]] = {
    "piano": (0, 1), "honky-tonk piano": (3,), "electric piano": (4, 5), "harpsichord": (6,), "clavinet": (7,), "music box": (10,), "vibraphone": (11,),
    "marimba": (12,), "organ": (16, 17, 18), "church organ": (19,), "accordion": (21,), "bandoneon": (23,), "nylon guitar": (24,),
    "acoustic guitar": (25,), "jazz guitar": (26,), "clean electric guitar": (27,), "distorted guitar": (29, 30),
    "pizzicato strings": (45,), "harp": (46,), "strings": (48, 49), "synth strings": (50, 51), "choir": (52,), "brass section": (61,),
    "synth brass": (62,), "square synth": (80,), "saw synth": (81,), "synth pad": (88, 90), "warm synth pad": (89,),
    "polysynth": (90,), "bowed pad": (92,), "banjo": (105,), "kalimba": (108,),
}  # fmt: skip
BASSES: dict[str, tuple[int, ...]] = {
    "upright bass": (32,), "electric bass": (33,), "picked bass": (34,), "fretless bass": (35,), "slap bass": (36, 37),
    "synth bass": (38, 39), "tuba": (58,), "cello": (42,), "contrabass": (43,),
}  # fmt: skip
SUSTAINED = {
    "organ", "church organ", "strings", "synth strings", "choir", "brass section", "warm synth pad", "synth pad", "bowed pad",
    "synth brass", "accordion", "bandoneon", "polysynth", "saw synth",
}  # fmt: skip
PEDALLED = {
    "piano",
    "electric piano",
    "harp",
    "vibraphone",
    "honky-tonk piano",
    "celesta",
    "kalimba",
    "nylon guitar",
}
STRUMMED = {
    "acoustic guitar", "nylon guitar", "clean electric guitar", "jazz guitar", "distorted guitar", "banjo", "harp", "harpsichord",
}  # fmt: skip

# General MIDI percussion keys that patterns play, and the drum of the lane that each one is.
DRUM_KEYS = {
    "kick": 36, "snare": 38, "rim": 37, "clap": 39, "hat": 42, "open": 46, "pedal": 44, "ride": 51, "bell": 53, "crash": 49,
    "high": 48, "mid": 45, "low": 41,
}  # fmt: skip
KEY_CLASS = {
    35: "kick", 36: "kick", 37: "snare", 38: "snare", 39: "snare", 40: "snare", 22: "hat", 26: "hat", 42: "hat",
    44: "hat", 46: "hat", 41: "tom", 43: "tom", 45: "tom", 47: "tom", 48: "tom", 50: "tom", 58: "tom",
    49: "cymbal", 51: "cymbal", 52: "cymbal", 53: "cymbal", 55: "cymbal", 57: "cymbal", 59: "cymbal",
}  # fmt: skip

# Drum families: a part -> the figures to choose from; "keeper" is played on the hat or the ride.
_EIGHTHS, _QUARTERS, _SIXTEENTHS = "x.o.x.o.x.o.x.o.", "x...x...x...x...", "xgogxgogxgogxgog"
_BACK = ("....x.......x...", "....x.......x...", "....x..g.g..x...", "....x..g....x..g")
DRUMS: dict[str, dict[str, tuple[str, ...]]] = {
    "none": {},
    "backbeat": {"kick": ("x.......x.......", "x.......x.x.....", "x.....x.x.......", "x..x....x.x.....", "x.x.....x..x...."), "snare": _BACK, "keeper": (_EIGHTHS, _EIGHTHS, _QUARTERS, _SIXTEENTHS)},
    "rock": {"kick": ("x.......x.x.....", "x.x.....x.......", "x.....x.x.x.....", "x.......x.....x."), "snare": _BACK[:3], "keeper": (_EIGHTHS, _QUARTERS, "x.x.x.x.x.x.x.x.")},
    "punk": {"kick": ("x...x...x...x...", "x..x..x.x..x..x.", "x.....x.x.....x."), "snare": ("..x...x...x...x.", "....x.......x..."), "keeper": ("x.x.x.x.x.x.x.x.", _QUARTERS)},
    "metal": {"kick": ("xxxxxxxxxxxxxxxx", "x.xxx.xxx.xxx.xx", "x..x..x.x..x..x.", "xx.xxx.xxx.xxx.x"), "snare": ("....x.......x...", "........x......."), "keeper": (_QUARTERS, "x.x.x.x.x.x.x.x.")},
    "train": {"kick": ("x.......x.......", "x...x...x...x..."), "snare": ("g.xgg.xgg.xgg.xg", "ggxgggxgggxgggxg"), "hat": ("....o.......o...", "................")},
    "country": {"kick": ("x.......x.......", "x.......x.x....."), "rim": ("....x.......x...",), "keeper": (_EIGHTHS,)},
    "funk": {"kick": ("x..x......x.....", "x.....x..x......", "x.x........x....", "x.......x.x..x..", "x..x..x...x....."), "snare": ("....x..g.g..x...", "....x..g....x.g.", "...gx.......x..g", "....x..g.x.g.g.x"), "keeper": (_SIXTEENTHS, _EIGHTHS), "open": ("................", "..............x.", "......x.........")},
    "soul": {"kick": ("x.......x.x.....", "x..x....x.......", "x.....xx..x....."), "snare": ("....x..g....x...", "x...x...x...x...", "....x..g.g..x..g"), "keeper": (_EIGHTHS, _SIXTEENTHS)},
    "swing": {"keeper": ("x...x.o.x...x.o.", "x...x.o.x.o.x.o.", "x...x...x...x.o."), "pedal": ("....o.......o...",), "kick": ("g...g...g...g...", "o.........g.....", "......g........."), "snare": ("......g.........", "..........g...g.", "..g.....g.......", "................")},
    "shuffle": {"kick": ("x.......x.......", "x.....o.x.....o.", "x...x...x...x..."), "snare": ("....x.......x...", "..g.x.g...g.x.g."), "keeper": ("x.o.x.o.x.o.x.o.", "x.....x.x.....x.")},
    "bossa": {"kick": ("x.....xx......xx", "x.....o.x.....o."), "rim": ("x..x..x...x..x..", "x..x...x..x..x..", "..x...x..x..x..."), "keeper": ("o.o.o.o.o.o.o.o.",)},
    "latin": {"kick": ("......x.......x.", "x.....x.x.....x."), "rim": ("x..x..x...x.x...", "..x.x...x..x..x."), "bell": ("x.x.oxo.x.x.oxo.", "x.xox.x.x.xox.x."), "mid": ("............o.o.", "..........oo....", "................"), "high": ("....o...........", "................")},
    "afrobeat": {"kick": ("x..x..x.....x...", "x.....x.x..x...."), "snare": ("....g..x....x..g", "...x..g...x..g.."), "keeper": ("x.oox.oox.oox.oo", "x.x.xx.x.x.xx.x."), "open": ("......x.......x.", "................")},
    "ballad": {"kick": ("x.......x.......", "x.........x.....", "x......xx......."), "snare": ("....x.......x...",), "rim": ("................",), "keeper": ("o.g.o.g.o.g.o.g.", "o...o...o...o...")},
    "house": {"kick": ("x...x...x...x...",), "clap": ("....x.......x...", "................"), "snare": ("................", ".......g.......g"), "open": ("..x...x...x...x.", "..x...x...x...x."), "hat": ("................", "xgogxgogxgogxgog", "x.x.x.x.x.x.x.x.")},
    "disco": {"kick": ("x...x...x...x...",), "snare": ("....x.......x...",), "open": ("..x...x...x...x.",), "hat": ("xx.xxx.xxx.xxx.x", "x...x...x...x...")},
    "techno": {"kick": ("x...x...x...x...", "x...x...x...x..g"), "clap": ("....o.......o...", "................"), "hat": ("..x...x...x...x.", "ggxgggxgggxgggxg"), "rim": ("................", "...x..x....x..x.")},
    "electro": {"kick": ("x.....x...x.....", "x..x......x.x...", "x...x...x...x..."), "snare": ("....x.......x...",), "hat": (_SIXTEENTHS, _EIGHTHS), "open": ("..............x.", "................")},
    "synthwave": {"kick": ("x...x...x...x...", "x.......x......."), "snare": ("....x.......x...",), "hat": ("x.x.x.x.x.x.x.x.", "xgogxgogxgogxgog")},
    "breaks": {"kick": ("x.........x.....", "x.x.......x.....", "x......x..x....."), "snare": ("....x.......x...", "....x..g.g..x...", "....x..g.....g.x"), "keeper": (_EIGHTHS, "x.oox.oox.oox.oo")},
    "hiphop": {"kick": ("x......x..x.....", "x..x.....x......", "x..........x....", "x.x....x..x.....", "x.....x..x.x...."), "snare": ("....x.......x...", "....x.......x..g"), "hat": ("x.o.x.o.x.o.x.o.", "x.o.xoo.x.o.x.oo", "x.ogx.o.x.ogxoo.")},
    "trap": {"kick": ("x.....x.....x...", "x..x......x.....", "x.........x..x.."), "clap": ("........x.......",), "hat": ("x.x.x.x.x.x.x.x.", "x.xxx.x.x.xxx.xx", "xxx.x.xxx.x.xxxx")},
    "light": {"kick": ("x.......x.......", "o.......o......."), "rim": ("....o.......o...", "................"), "hat": ("....o.......o...", "o.g.o.g.o.g.o.g.")},
    "reggae": {"kick": ("........x.......", "x.......x.......", "x...x...x...x..."), "rim": ("........x.......",), "snare": ("................", "..............g."), "hat": ("x.o.x.o.x.o.x.o.", "..x...x...x...x.")},
    "ska": {"kick": ("x.......x.......", "x...x...x...x..."), "snare": ("....x.......x...",), "hat": ("..x...x...x...x.", "x.x.x.x.x.x.x.x.")},
    "march": {"kick": ("x.......x.......", "x...x...x...x..."), "snare": ("x..gx..gx..gx.gg", "x.ggx.ggx.ggxggg", "....x.......x..."), "crash": ("................", "x...............")},
    "polka": {"kick": ("x.......x.......",), "snare": ("....x.......x...", "....x..g....x..g"), "hat": ("..o...o...o...o.", "................")},
    "tango": {"kick": ("x..x....x..x....", "................"), "snare": ("........x.....gg", "..............gg")},
    "waltz": {"kick": ("x...........",), "snare": ("....o...o...", "............"), "keeper": ("o...o...o...", "....o...o...", "x...x.o.x...")},
    "jazz waltz": {"kick": ("o...........", "o.....g....."), "keeper": ("x...x.o.x...", "x...x.o.x.o."), "pedal": ("....o.......", "....o...o..."), "snare": ("......g.....", "..........g.")},
    "jig": {"kick": ("x.....x.....", "x...o.x....."), "snare": ("....g.....g.", "............"), "hat": ("x.g.o.x.g.o.", "o...o.o...o.")},
    "six-eight": {"kick": ("x...........", "x.........x.", "x...x......."), "snare": ("......x.....",), "keeper": ("x.o.o.x.o.o.", "x.o.o.o.o.o.")},
}  # fmt: skip
FILLS: dict[int, tuple[dict[str, str], ...]] = {  # by sixteenths a bar: the last beat, or the second half of 6/8
    16: ({"snare": "xxxx"}, {"snare": "xx..", "low": "..xx"}, {"high": "xx..", "low": "..xx"}, {"snare": "x.x.", "mid": ".x..", "low": "...x"}, {"high": "x...", "mid": ".x..", "low": "..xx"}, {"snare": "ggox"}),
    12: ({"snare": "x.xx"}, {"high": "x...", "mid": "..x.", "low": "...x"}, {"snare": "ggox"}),
}  # fmt: skip

# Comping figures; "arp" and a number: the chord broken up, one note each that many sixteenths.
_C4 = {
    "pad": ("x---------------",),
    "block": ("x-------x-------", "x---x---x---x---", "x-----x-----x---", "x---------x-----", "x--x--x-x--x--x-"),
    "strum": ("x---x-x---x-x-x-", "x-x-x-x-x-x-x-x-", "x---x-xx--xx-xx-", "x-----x-x-x-x---"),
    "offbeat": ("..x...x...x...x.", "..xx..xx..xx..xx", "..x...x...x..xx."),
    "charleston": ("x-----x-........", "......x-....x---", "x---......x-....", "..x-....x---..x-", "x-....x-..x-...."),
    "bossa": ("x-..x-x---..x-..", "x-.x-..x-..x-.x-", "..x-x--..x-.x---"),
    "funk": ("x..x..x...x.x...", "....x..x....x..x", "x.x..x....x..x.x", ".xx..x.x.xx..x.."),
    "montuno": ("x-.xx.x-.xx.x-x-", "x.x-.xx.x-.xx.x-"),
    "boom": ("....x-......x-..", "..x-..x-..x-..x-", "....x-x-....x-x-"),
    "gallop": ("x.xxx.xxx.xxx.xx", "x-x-x-x-x-x-x-x-", "x-------x---x---", "xxxxxxxxxxxxxxxx"),
    "stab": ("x..x..x.........", "x-......x..x....", "...x..x....x..x.", "x-....x-..x-...."),
    "tango": ("x-..x-..x-..x-..", "x--x..x-x--x..x-", "x-----x-x---x---"),
    "arpeggio": ("arp2", "arp2", "arp4"), "arpeggio16": ("arp1", "arp1", "arp2"),
}  # fmt: skip
_C3 = {
    "pad": ("x-----------",), "waltz": ("....x---x---", "x---x---x---", "....x-..x-.."), "arpeggio": ("arp2", "arp4"),
    "block": ("x-----------", "x-------x---"), "charleston": ("x-....x-....", "......x---..", "x-----x-...."),
}  # fmt: skip
_C6 = {
    "pad": ("x-----------",), "arpeggio": ("arp2", "arp2"), "jig": ("x---x-x---x-", "x-x-x-x-x-x-", "....x-....x-", "x-..x-x-..x-"),
    "six-eight": ("x-----x-----", "x-x-x-x-x-x-", "..x-x-..x-x-", "x-----x---x-"),
}  # fmt: skip
COMPING = {"4/4": _C4, "3/4": _C3, "6/8": _C6}

_B4 = {
    "roots8": ("1-1-1-1-1-1-1-1-", "1-1-1-1-1-1-5-8-", "1.1.1.1.1.1.1.1."), "long": ("1---------------", "1-------5-------", "1-----------5---"),
    "funk": ("1--1..8...5..1..", "1-...1-.5-...-1.", "1.1..8.1..1.5.8.", "1...1.81..5.1..a", "1--.8-.1..5-8-a-"),
    "walking": ("1---3---5---a---", "1---5---8---a---", "1---3---5---3---", "1---1---5---a-a-", "1--53---5---a---"),
    "bossa": ("1-----5-5-----1-", "1-----1-5-----5-"), "offbeat": ("..1-..1-..1-..1-", "..11..11..11..18"),
    "rootfifth": ("1---....5---....", "1---1---5---5---", "1-------5-----a-"), "octaves": ("1-8-1-8-1-8-1-8-", "1.8.1.8.1.8.5.8."),
    "tumbao": ("......5-....8---", "1-....5-....8---", "..1...5-....8-1-"), "sub": ("1-----------....", "1-----1-....1---", "1--1....1-......"),
    "gallop": ("1.111.111.111.11", "1-1-1-1-1-1-1-1-", "1111111111111111"), "reggae": ("1--..1.5--......", "..1-5-..1--.5---", "1---..5-8-..5-.."),
    "soul": ("1-----1-5---a---", "1--11-..5--55-a-", "1-..1.8.5-..1.a."), "tango": ("1-----1-5---1---", "1---1---5---1---"), "pulse16": ("1111111111111111", "1.11.11.1.11.11."),
}  # fmt: skip
_B3 = {
    "waltz": ("1-----------", "1---........", "1---....5---"), "long": ("1-----------",), "walking": ("1---3---5---", "1---5---a---", "1-------a---"),
}  # fmt: skip
_B6 = {
    "jig": ("1-----5-----", "1-----1-----", "1---1-5---5-"),
    "long": ("1-----------", "1-----5-----"),
    "six-eight": ("1-----5---a-", "1---1-5---5-", "1-----------"),
}
BASS_LINES = {"4/4": _B4, "3/4": _B3, "6/8": _B6}


@dataclass(frozen=True)
class Style:
    """What makes a style: tempo range, metre and who plays how."""

    tempo: tuple[int, int]  # beats per minute; a beat is a quarter, in 6/8 a dotted quarter
    metre: str  # "4/4", "3/4" or "6/8"
    drums: tuple[str, ...]  # families
    bass: tuple[str, ...]  # families
    comp: tuple[str, ...]  # families
    leads: tuple[str, ...]
    comps: tuple[str, ...]
    basses: tuple[str, ...]
    groove: tuple[str, ...] = ()  # primary styles of the Groove set that fit
    kits: tuple[int, ...] = (0,)  # General MIDI drum kits
    swing: tuple[float, float] = (0.5, 0.5)  # where the offbeat eighth falls within the beat
    shuffle16: tuple[float, float] = (0.5, 0.5)  # where the offbeat sixteenth falls within the eighth
    sevenths: float = 0.15  # share of pieces with seventh chords throughout
    minor: float = 0.4  # share of pieces in minor
    blues: float = 0.0  # share of pieces on a twelve-bar blues
    samples: float = 0.0  # share of pieces with sampled drums in place of a SoundFont kit


_POP_LEADS = (
    "piano",
    "electric guitar",
    "flute",
    "saw lead synth",
    "violin",
    "voice",
    "acoustic guitar",
    "saxophone",
    "glockenspiel",
)
_SYNTHS = ("saw lead synth", "square lead synth", "synth brass", "voice", "piano", "electric piano")
_PADS = ("synth pad", "warm synth pad", "polysynth", "synth strings", "bowed pad")
_WINDS = ("flute", "clarinet", "oboe", "bassoon", "English horn", "French horn", "trumpet", "piccolo")
STYLES: dict[str, Style] = {
    "pop": Style((84, 128), "4/4", ("backbeat", "backbeat", "house"), ("roots8", "long", "soul"), ("block", "strum", "arpeggio", "pad"), _POP_LEADS, ("piano", "acoustic guitar", "clean electric guitar", "synth pad", "electric piano", "strings"), ("electric bass", "synth bass", "picked bass"), ("pop", "rock"), (0, 8), samples=0.15),
    "rock": Style((96, 160), "4/4", ("rock", "backbeat"), ("roots8", "rootfifth"), ("strum", "block", "gallop"), ("distorted guitar", "electric guitar", "organ", "harmonica", "piano"), ("clean electric guitar", "organ", "acoustic guitar", "distorted guitar", "piano"), ("electric bass", "picked bass"), ("rock",), (0, 8, 16)),
    "punk": Style((150, 180), "4/4", ("punk",), ("roots8", "gallop"), ("gallop", "strum"), ("distorted guitar", "electric guitar", "organ"), ("distorted guitar", "clean electric guitar"), ("picked bass", "electric bass"), ("punk",), (0, 16)),
    "metal": Style((100, 178), "4/4", ("metal", "rock"), ("gallop", "roots8"), ("gallop",), ("distorted guitar", "organ", "violin", "saw lead synth"), ("distorted guitar",), ("picked bass",), ("rock", "punk"), (16, 8), minor=0.85),
    "country": Style((90, 160), "4/4", ("train", "country"), ("rootfifth",), ("boom", "strum"), ("electric guitar", "violin", "banjo", "harmonica", "acoustic guitar"), ("acoustic guitar", "banjo", "honky-tonk piano", "clean electric guitar"), ("electric bass", "upright bass"), ("country",), (0, 8), minor=0.15),
    "blues": Style((64, 132), "4/4", ("shuffle",), ("walking", "soul", "rootfifth"), ("charleston", "block", "offbeat"), ("electric guitar", "harmonica", "saxophone", "organ", "piano", "trombone"), ("organ", "piano", "clean electric guitar", "honky-tonk piano"), ("electric bass", "upright bass"), ("blues",), (0, 8), (0.62, 0.68), sevenths=0.9, minor=0.25, blues=0.6),
    "jazz": Style((90, 180), "4/4", ("swing",), ("walking",), ("charleston", "block"), ("saxophone", "trumpet", "vibraphone", "clarinet", "piano", "trombone", "muted trumpet", "electric guitar", "flute", "soprano saxophone"), ("piano", "electric piano", "jazz guitar", "vibraphone", "organ"), ("upright bass", "fretless bass"), ("jazz",), (32, 40, 0), (0.58, 0.68), sevenths=0.9, blues=0.12),
    "funk": Style((88, 120), "4/4", ("funk",), ("funk", "soul"), ("funk", "stab", "offbeat"), ("saxophone", "trumpet", "electric guitar", "organ", "trombone", "synth brass"), ("clean electric guitar", "electric piano", "brass section", "clavinet", "organ"), ("slap bass", "electric bass"), ("funk", "soul", "neworleans"), (0, 8), shuffle16=(0.5, 0.58), sevenths=0.7),
    "soul": Style((66, 118), "4/4", ("soul", "ballad"), ("soul", "roots8"), ("block", "stab", "charleston", "arpeggio"), ("saxophone", "voice", "trumpet", "organ", "electric guitar", "electric piano"), ("electric piano", "organ", "piano", "brass section", "strings", "clean electric guitar"), ("electric bass", "fretless bass"), ("soul",), (0, 8), shuffle16=(0.5, 0.6), sevenths=0.7),
    "gospel": Style((64, 132), "4/4", ("soul", "shuffle"), ("walking", "soul"), ("block", "arpeggio", "pad"), ("organ", "voice", "piano", "saxophone"), ("organ", "piano", "choir", "church organ"), ("electric bass",), ("gospel",), (0, 8), (0.5, 0.66), sevenths=0.6, minor=0.2),
    "disco": Style((110, 130), "4/4", ("disco",), ("octaves",), ("offbeat", "funk", "pad"), ("violin", "saw lead synth", "trumpet", "flute", "voice", "electric piano"), ("strings", "clean electric guitar", "electric piano", "synth strings", "brass section"), ("electric bass", "synth bass"), (), (0, 24), sevenths=0.5, samples=0.3),
    "house": Style((116, 130), "4/4", ("house",), ("offbeat", "sub", "octaves"), ("stab", "offbeat", "pad"), ("piano", "organ", "saw lead synth", "voice", "flute", "saxophone"), ("piano", "organ", *_PADS), ("synth bass",), ("dance",), (24, 25), sevenths=0.5, minor=0.6, samples=0.7),
    "techno": Style((124, 145), "4/4", ("techno",), ("offbeat", "pulse16", "sub"), ("stab", "arpeggio16", "pad"), ("square lead synth", "saw lead synth", "synth brass", "marimba"), ("saw synth", "square synth", *_PADS), ("synth bass",), (), (24, 25), minor=0.8, samples=0.8),
    "electronic": Style((100, 136), "4/4", ("electro", "house"), ("offbeat", "pulse16", "octaves"), ("offbeat", "arpeggio16", "pad", "stab"), _SYNTHS, ("electric piano", "saw synth", *_PADS), ("synth bass",), ("dance",), (24, 25), minor=0.55, samples=0.6),
    "synthwave": Style((84, 118), "4/4", ("synthwave",), ("roots8", "pulse16", "octaves"), ("arpeggio16", "pad", "arpeggio"), ("saw lead synth", "synth brass", "square lead synth", "electric guitar"), ("polysynth", "synth strings", "synth brass", "warm synth pad"), ("synth bass",), (), (24, 16), minor=0.7, samples=0.4),
    "drum and bass": Style((160, 178), "4/4", ("breaks",), ("sub", "long"), ("pad", "stab", "arpeggio"), ("saw lead synth", "flute", "voice", "piano", "vibraphone"), (*_PADS, "electric piano", "strings"), ("synth bass", "electric bass"), (), (0, 24), minor=0.75, sevenths=0.4, samples=0.6),
    "hip hop": Style((72, 104), "4/4", ("hiphop",), ("sub", "funk", "long"), ("block", "arpeggio", "stab", "pad"), ("electric guitar", "flute", "square lead synth", "vibraphone", "trumpet", "piano", "violin"), ("electric piano", "piano", "strings", "warm synth pad", "harp", "nylon guitar"), ("synth bass", "electric bass", "upright bass"), ("hiphop",), (0, 25), shuffle16=(0.5, 0.62), minor=0.65, sevenths=0.4, samples=0.5),
    "trap": Style((120, 160), "4/4", ("trap",), ("sub",), ("arpeggio", "block", "pad"), ("flute", "saw lead synth", "music box", "piano", "celesta", "koto"), ("piano", "strings", "choir", "bowed pad", "harp", "music box"), ("synth bass",), (), (25, 24), minor=0.9, samples=0.8),
    "lo-fi": Style((66, 90), "4/4", ("hiphop", "ballad"), ("long", "sub", "soul"), ("block", "charleston", "arpeggio"), ("electric guitar", "electric piano", "flute", "vibraphone", "saxophone", "kalimba", "muted trumpet"), ("electric piano", "piano", "jazz guitar", "nylon guitar"), ("upright bass", "electric bass", "synth bass"), ("hiphop",), (0, 40), shuffle16=(0.54, 0.64), sevenths=0.9, samples=0.4),
    "bossa nova": Style((104, 150), "4/4", ("bossa",), ("bossa",), ("bossa",), ("flute", "nylon guitar", "saxophone", "vibraphone", "voice", "clarinet"), ("nylon guitar", "electric piano", "piano", "acoustic guitar"), ("upright bass", "fretless bass"), ("latin",), (0, 40), sevenths=0.85),
    "salsa": Style((140, 180), "4/4", ("latin",), ("tumbao",), ("montuno",), ("trumpet", "trombone", "flute", "piano", "vibraphone", "steel drums"), ("piano", "brass section", "electric piano", "marimba"), ("upright bass", "electric bass"), ("latin", "afrocuban"), (0, 8), sevenths=0.4, minor=0.6),
    "afrobeat": Style((96, 126), "4/4", ("afrobeat",), ("funk", "soul"), ("funk", "offbeat", "stab"), ("saxophone", "trumpet", "organ", "kalimba", "electric guitar"), ("clean electric guitar", "brass section", "organ", "electric piano", "kalimba"), ("electric bass",), ("afrobeat", "highlife", "afrocuban"), (0, 8), sevenths=0.6, minor=0.6),
    "tango": Style((104, 132), "4/4", ("tango", "none"), ("tango",), ("tango",), ("bandoneon", "violin", "accordion", "piano", "cello"), ("piano", "bandoneon", "strings", "accordion"), ("upright bass", "contrabass"), (), (48, 0), minor=0.85),
    "reggae": Style((66, 94), "4/4", ("reggae",), ("reggae",), ("offbeat",), ("organ", "trombone", "electric guitar", "saxophone", "harmonica", "trumpet"), ("clean electric guitar", "organ", "piano"), ("electric bass",), ("reggae",), (0, 8), (0.5, 0.6)),
    "ska": Style((130, 172), "4/4", ("ska",), ("walking", "roots8"), ("offbeat",), ("trumpet", "trombone", "saxophone", "organ"), ("clean electric guitar", "organ", "brass section", "piano"), ("electric bass",), ("reggae", "punk"), (0, 8), minor=0.3),
    "ballad": Style((60, 86), "4/4", ("ballad",), ("long", "rootfifth"), ("arpeggio", "block", "pad"), ("piano", "violin", "cello", "saxophone", "nylon guitar", "voice", "oboe", "French horn", "pan flute"), ("piano", "strings", "electric piano", "acoustic guitar", "harp"), ("electric bass", "fretless bass", "upright bass"), (), (0, 40), sevenths=0.35),
    "folk": Style((80, 140), "4/4", ("light",), ("rootfifth", "long"), ("strum", "boom", "arpeggio"), ("violin", "whistle", "accordion", "harmonica", "nylon guitar", "flute", "banjo", "recorder", "bagpipes", "viola"), ("acoustic guitar", "harp", "piano", "nylon guitar", "accordion"), ("upright bass",), (), (0, 40)),
    "polka": Style((110, 136), "4/4", ("polka",), ("rootfifth",), ("boom", "offbeat"), ("accordion", "clarinet", "trumpet", "violin", "piccolo"), ("accordion", "piano", "banjo", "acoustic guitar"), ("tuba", "upright bass"), (), (0,), minor=0.15),
    "march": Style((100, 128), "4/4", ("march",), ("rootfifth",), ("boom", "block"), ("trumpet", "piccolo", "clarinet", "trombone", "French horn", "tuba"), ("brass section", "strings", "accordion"), ("tuba", "contrabass"), (), (48, 0), minor=0.2),
    "ambient": Style((60, 90), "4/4", ("none",), ("long",), ("pad", "arpeggio"), ("vibraphone", "flute", "cello", "music box", "piano", "celesta", "voice", "ocarina", "kalimba"), (*_PADS, "choir", "strings", "harp"), ("synth bass", "fretless bass"), (), sevenths=0.4),
    "orchestral": Style((66, 130), "4/4", ("none", "none", "march"), ("long", "rootfifth"), ("pad", "block", "arpeggio"), ("violin", "viola", "cello", "trombone", *_WINDS), ("strings", "brass section", "harp", "choir", "pizzicato strings"), ("contrabass", "cello"), (), (48,), minor=0.5),
    "chiptune": Style((120, 174), "4/4", ("electro", "rock"), ("roots8", "octaves"), ("arpeggio16", "arpeggio"), ("square lead synth", "saw lead synth", "music box"), ("square synth", "saw synth"), ("synth bass",), (), (24, 25), samples=0.4),
    "baroque": Style((72, 126), "4/4", ("none",), ("walking", "rootfifth"), ("arpeggio", "block"), ("harpsichord", "recorder", "violin", "oboe", "flute", "trumpet"), ("harpsichord", "strings", "church organ"), ("cello", "contrabass")),
    "waltz": Style((84, 168), "3/4", ("waltz",), ("waltz",), ("waltz", "arpeggio"), ("violin", "accordion", "clarinet", "flute", "piano", "harmonica", "music box"), ("piano", "accordion", "harp", "strings", "acoustic guitar"), ("upright bass", "contrabass"), (), (0, 40)),
    "jazz waltz": Style((96, 172), "3/4", ("jazz waltz",), ("walking", "waltz"), ("charleston", "block"), ("piano", "saxophone", "flute", "vibraphone", "muted trumpet", "clarinet"), ("piano", "jazz guitar", "electric piano"), ("upright bass",), (), (32, 40), (0.58, 0.67), sevenths=0.9),
    "minuet": Style((96, 138), "3/4", ("none",), ("waltz", "walking"), ("block", "arpeggio"), ("harpsichord", "violin", "recorder", "oboe", "flute", "bassoon"), ("harpsichord", "strings", "pizzicato strings"), ("cello", "contrabass"), minor=0.3),
    "lullaby": Style((66, 100), "3/4", ("none", "waltz"), ("waltz", "long"), ("arpeggio", "waltz", "pad"), ("music box", "celesta", "glockenspiel", "flute", "ocarina", "nylon guitar", "voice"), ("harp", "nylon guitar", "strings", "piano", "vibraphone"), ("upright bass", "cello"), (), (40,), minor=0.2),
    "jig": Style((96, 132), "6/8", ("jig", "none"), ("jig", "long"), ("jig",), ("violin", "whistle", "flute", "accordion", "banjo", "bagpipes", "recorder"), ("acoustic guitar", "accordion", "piano", "banjo", "harp"), ("upright bass",), (), (0, 40), minor=0.4),
    "tarantella": Style((124, 160), "6/8", ("jig",), ("jig",), ("jig",), ("accordion", "violin", "clarinet", "nylon guitar", "flute"), ("nylon guitar", "accordion", "piano", "acoustic guitar"), ("upright bass",), (), (0,), minor=0.75),
    "six-eight ballad": Style((60, 78), "6/8", ("six-eight",), ("six-eight", "long"), ("arpeggio", "six-eight"), ("voice", "saxophone", "electric guitar", "organ", "piano", "trumpet", "harmonica"), ("piano", "organ", "clean electric guitar", "strings", "electric piano"), ("electric bass", "upright bass"), (), (0, 8), sevenths=0.3),
}  # fmt: skip


@dataclass(frozen=True)
class Metre:
    """How a bar is counted."""

    name: str  # "4/4"
    beats: int  # beats a bar: 6/8 has two dotted quarters
    steps: int  # sixteenths a bar

    @property
    def per_beat(self) -> int:
        """Sixteenths in a beat."""
        return self.steps // self.beats

    @property
    def quarters(self) -> float:
        """Length of a beat in quarter notes."""
        return self.per_beat / 4


METRES = {"4/4": Metre("4/4", 4, 16), "3/4": Metre("3/4", 3, 12), "6/8": Metre("6/8", 2, 12)}


def comping(metre: str, family: str) -> tuple[str, ...]:
    """The figures of a comping family in a metre; those of a sustained chord where it has none."""
    table = COMPING[metre]
    return table.get(family, table["pad"])


def bass_lines(metre: str, family: str) -> tuple[str, ...]:
    """The figures of a bass family in a metre; long notes where it has none."""
    table = BASS_LINES[metre]
    return table.get(family, table["long"])
