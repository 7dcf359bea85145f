"""Words for a piece: many ways to say what is heard, chosen by seed.

A caption names only what sounds in the clip, and tempo, mood, density and register words only where
they are true by measure. Paraphrases share no fixed order, so that the text encoder's neighbourhood
of a meaning is covered rather than one sentence. The wordings in `UNSEEN` never train: they measure
whether words reach beyond those that did.
"""

from __future__ import annotations

import random

from study.data.piece import Piece, density, mean_pitch

SYNONYMS: dict[str, tuple[str, ...]] = {  # instruments
    "piano": ("piano", "acoustic piano", "grand piano"), "honky-tonk piano": ("honky-tonk piano", "saloon piano", "barroom piano"),
    "electric piano": ("electric piano", "Rhodes piano", "Rhodes"), "harpsichord": ("harpsichord", "baroque keyboard", "cembalo"),
    "clavinet": ("clavinet", "clav", "funky clavinet"), "celesta": ("celesta", "celeste", "bell-like celesta"),
    "glockenspiel": ("glockenspiel", "bells", "orchestra bells"), "music box": ("music box", "toy music box", "musical box"),
    "vibraphone": ("vibraphone", "vibes", "jazz vibes"), "marimba": ("marimba", "wooden mallets", "mallet marimba"),
    "xylophone": ("xylophone", "wooden xylophone", "bright xylophone"), "organ": ("organ", "electric organ", "Hammond organ"),
    "church organ": ("church organ", "pipe organ", "cathedral organ"), "accordion": ("accordion", "squeezebox", "piano accordion"),
    "harmonica": ("harmonica", "mouth harp", "mouth organ"), "bandoneon": ("bandoneon", "tango accordion", "bandoneón"),
    "nylon guitar": ("nylon guitar", "classical guitar", "nylon-string guitar"), "acoustic guitar": ("acoustic guitar", "steel-string guitar", "acoustic steel guitar"),
    "electric guitar": ("electric guitar", "clean lead guitar", "electric lead guitar"), "jazz guitar": ("jazz guitar", "hollow-body guitar", "mellow electric guitar"),
    "clean electric guitar": ("clean electric guitar", "clean guitar", "undistorted electric guitar"),
    "distorted guitar": ("distorted guitar", "overdriven guitar", "heavy guitar"), "violin": ("violin", "fiddle", "bowed violin"),
    "viola": ("viola", "alto violin", "bowed viola"), "cello": ("cello", "violoncello", "bowed cello"), "contrabass": ("contrabass", "orchestral double bass", "bowed double bass"),
    "pizzicato strings": ("pizzicato strings", "plucked strings", "pizzicato violins"), "harp": ("harp", "concert harp", "plucked harp"),
    "strings": ("strings", "string section", "string ensemble"), "synth strings": ("synth strings", "string synthesizer", "synthetic strings"),
    "choir": ("choir", "choral voices", "choir aahs"), "voice": ("voice", "wordless vocals", "oohs"), "trumpet": ("trumpet", "bright trumpet", "brassy trumpet"),
    "trombone": ("trombone", "slide trombone", "tenor trombone"), "tuba": ("tuba", "bass tuba", "low brass tuba"), "muted trumpet": ("muted trumpet", "trumpet with mute", "Harmon-muted trumpet"),
    "French horn": ("French horn", "horn in F", "orchestral horn"), "brass section": ("brass section", "horns", "brass"), "synth brass": ("synth brass", "brass synthesizer", "analog brass synth"),
    "soprano saxophone": ("soprano saxophone", "soprano sax", "straight sax"), "saxophone": ("saxophone", "sax", "reedy saxophone"),
    "oboe": ("oboe", "reedy oboe", "orchestral oboe"), "English horn": ("English horn", "cor anglais", "alto oboe"), "bassoon": ("bassoon", "low reed bassoon", "orchestral bassoon"),
    "clarinet": ("clarinet", "woody clarinet", "reed clarinet"), "piccolo": ("piccolo", "piccolo flute", "small flute"), "flute": ("flute", "concert flute", "transverse flute"),
    "recorder": ("recorder", "block flute", "wooden recorder"), "pan flute": ("pan flute", "panpipes", "pan pipes"), "whistle": ("whistle", "tin whistle", "whistling"),
    "ocarina": ("ocarina", "clay flute", "ocarina flute"), "square lead synth": ("square lead synth", "square wave synth", "square wave lead"),
    "saw lead synth": ("saw lead synth", "sawtooth synth", "sawtooth lead"), "square synth": ("square synth", "square wave chords", "pulse synth"), "saw synth": ("saw synth", "sawtooth chords", "saw wave synth"),
    "synth pad": ("synth pad", "pad", "synthesizer pad"), "warm synth pad": ("warm synth pad", "soft pad", "warm pad"), "polysynth": ("polysynth", "polyphonic synth", "analog polysynth"),
    "bowed pad": ("bowed pad", "glassy pad", "glass pad"), "sitar": ("sitar", "Indian sitar", "plucked sitar"), "banjo": ("banjo", "five-string banjo", "bluegrass banjo"),
    "koto": ("koto", "Japanese koto", "Japanese zither"), "kalimba": ("kalimba", "thumb piano", "mbira"), "bagpipes": ("bagpipes", "pipes", "Scottish bagpipes"),
    "steel drums": ("steel drums", "steelpan", "Caribbean steel drum"), "upright bass": ("upright bass", "double bass", "acoustic bass"),
    "electric bass": ("electric bass", "bass guitar", "fingered bass"), "picked bass": ("picked bass", "bass guitar with a pick", "pick bass"),
    "fretless bass": ("fretless bass", "fretless bass guitar", "singing fretless bass"), "slap bass": ("slap bass", "slapped bass", "popping slap bass"),
    "synth bass": ("synth bass", "synthesizer bass", "electronic bass"),
}  # fmt: skip
STYLE_WORDS: dict[str, tuple[str, ...]] = {
    "pop": ("pop", "pop music", "chart pop"), "rock": ("rock", "rock music", "guitar rock"), "punk": ("punk", "punk rock", "fast punk"), "metal": ("metal", "heavy metal", "hard metal"),
    "country": ("country", "country music", "Nashville country"), "blues": ("blues", "blues shuffle", "Chicago blues"), "jazz": ("jazz", "swing jazz", "straight-ahead jazz"),
    "funk": ("funk", "funky groove", "funk groove"), "soul": ("soul", "R&B", "soul music"), "gospel": ("gospel", "church gospel", "gospel music"), "disco": ("disco", "seventies disco", "disco dance"),
    "house": ("house", "house music", "deep house"), "techno": ("techno", "club techno", "techno music"), "electronic": ("electronic", "electronica", "EDM"),
    "synthwave": ("synthwave", "retro synth pop", "eighties synthwave"), "drum and bass": ("drum and bass", "drum 'n' bass", "DnB"), "hip hop": ("hip hop", "hip-hop", "boom bap"),
    "trap": ("trap", "trap beat", "trap music"), "lo-fi": ("lo-fi", "lofi hip hop", "lo-fi beats"), "bossa nova": ("bossa nova", "bossa", "Brazilian bossa nova"),
    "salsa": ("salsa", "Latin salsa", "Afro-Cuban salsa"), "afrobeat": ("afrobeat", "Afrobeat groove", "West African groove"), "tango": ("tango", "Argentine tango", "tango music"),
    "reggae": ("reggae", "Jamaican reggae", "roots reggae"), "ska": ("ska", "ska music", "upbeat Jamaican ska"), "ballad": ("ballad", "slow ballad", "love song ballad"), "folk": ("folk", "traditional folk", "acoustic folk"),
    "polka": ("polka", "polka dance", "oompah polka"), "march": ("march", "marching band", "military march"), "ambient": ("ambient", "atmospheric", "ambient soundscape"),
    "orchestral": ("orchestral", "cinematic", "film score"), "chiptune": ("chiptune", "8-bit video game", "retro game music"), "baroque": ("baroque", "baroque chamber music", "early music"),
    "waltz": ("waltz", "Viennese waltz", "waltz in three"), "jazz waltz": ("jazz waltz", "swinging waltz", "jazz in three"), "minuet": ("minuet", "classical minuet", "courtly dance"),
    "lullaby": ("lullaby", "cradle song", "bedtime lullaby"), "jig": ("jig", "Irish jig", "Celtic jig"), "tarantella": ("tarantella", "Italian tarantella", "southern Italian dance"),
    "six-eight ballad": ("six-eight ballad", "slow 6/8 ballad", "doo-wop ballad"),
}  # fmt: skip
MOOD_WORDS: dict[str, tuple[str, ...]] = {
    "calm": ("calm", "peaceful", "relaxing"), "gentle": ("gentle", "soft", "delicate"), "dreamy": ("dreamy", "floating", "ethereal"), "sad": ("sad", "melancholic", "sorrowful"),
    "dark": ("dark", "sombre", "brooding"), "bright": ("bright", "sunny", "sparkling"), "happy": ("happy", "cheerful", "joyful"), "lively": ("lively", "busy", "bustling"),
    "energetic": ("energetic", "high-energy", "exciting"), "driving": ("driving", "propulsive", "pushing"), "laid-back": ("laid-back", "relaxed", "easygoing"),
    "tense": ("tense", "uneasy", "suspenseful"), "powerful": ("powerful", "strong", "loud"),
}  # fmt: skip
UNSEEN: dict[str, str] = {  # never trained
    "piano": "pianoforte", "electric piano": "Fender Rhodes", "saxophone": "saxophonist", "violin": "violinist", "flute": "flautist", "trumpet": "trumpeter",
    "clarinet": "clarinettist", "organ": "B3 organ", "vibraphone": "vibraharp", "marimba": "mallet percussion", "accordion": "button accordion", "harmonica": "blues harp",
    "nylon guitar": "Spanish guitar", "acoustic guitar": "folk guitar", "electric guitar": "six-string electric guitar", "distorted guitar": "fuzz guitar", "cello": "cellist", "strings": "orchestral strings",
    "choir": "chorus of singers", "voice": "singer humming", "trombone": "trombonist", "French horn": "hunting horn", "whistle": "penny whistle", "music box": "wind-up musical toy", "harp": "celtic harp",
    "square lead synth": "8-bit synth lead", "saw lead synth": "buzzy synth lead", "synth pad": "ambient synth chords", "warm synth pad": "lush analog pad", "brass section": "horn section",
    "upright bass": "standup bass", "electric bass": "electric bass guitar", "synth bass": "Moog bass", "slap bass": "thumb-slapped bass guitar", "oboe": "oboist", "kalimba": "African thumb piano",
    "banjo": "pickin' banjo", "pan flute": "Andean pipes", "sitar": "raga lute", "steel drums": "pan drums from Trinidad", "bagpipes": "highland pipes", "glockenspiel": "tuned metal bars", "xylophone": "wooden bars",
    "pop": "radio-friendly pop", "rock": "classic rock", "metal": "thrash", "jazz": "bebop", "blues": "twelve-bar", "funk": "groovy P-funk", "house": "club track", "techno": "warehouse rave", "electronic": "synth-driven",
    "hip hop": "rap instrumental", "lo-fi": "chillhop", "bossa nova": "Rio lounge", "salsa": "Latin dance", "reggae": "island groove", "ballad": "tender slow song", "folk": "campfire song", "ambient": "drone-like texture",
    "orchestral": "symphonic", "chiptune": "Game Boy music", "waltz": "three-four dance", "jig": "session tune from Ireland", "country": "cowboy music", "disco": "Saturday night dance floor", "tango": "Buenos Aires milonga",
    "drum and bass": "jungle", "trap": "808 beat", "soul": "Motown", "gospel": "Sunday service music", "march": "parade music", "baroque": "eighteenth-century court music", "lullaby": "sleepy children's tune",
}  # fmt: skip
ROLE_WORDS: dict[str, tuple[str, ...]] = {
    "lead": (
        "{x} lead",
        "{x} melody",
        "melody on {x}",
        "solo {x}",
        "{x} playing the tune",
        "lead {x}",
        "{a} taking the lead",
        "{x}",
        "tune played on {x}",
    ),
    "comp": (
        "{x} chords",
        "{x}",
        "{x} accompaniment",
        "backing {x}",
        "rhythm {x}",
        "{x} comping",
        "chords on {x}",
    ),
    "pad": ("{x} in the background", "sustained {x}", "{x} underneath", "{x}", "long {x} chords"),
    "bass": ("{x}", "{x} line", "{x} below", "{a} line"),
}
DRUM_WORDS = ("drums", "drum kit", "a drum beat", "drumming", "percussion and drums")
MACHINE_WORDS = ("drum machine", "electronic drums", "sampled drums", "programmed beat", "drums")


def tempo_word(bpm: float) -> str:
    """A plain word for a tempo in beats per minute."""
    return "slow" if bpm < 84 else "mid-tempo" if bpm < 112 else "upbeat" if bpm < 140 else "fast"


_TEMPO_WORDS = {
    "slow": ("slow", "slow tempo", "unhurried"), "mid-tempo": ("mid-tempo", "moderate tempo", "medium pace"),
    "upbeat": ("upbeat", "brisk tempo", "quick"), "fast": ("fast", "fast tempo", "very quick"),
}  # fmt: skip


def _facts(piece: Piece, r: random.Random) -> list[str]:
    """Things that are true by measure: tempo, key, metre, density, register, no drums."""
    out = []
    if r.random() < 0.5:
        word = r.choice(_TEMPO_WORDS[tempo_word(piece.bpm)])
        out.append(
            r.choice((f"{piece.bpm:.0f} bpm", f"{piece.bpm:.0f} BPM", f"tempo {piece.bpm:.0f}", word, word))
        )
    if piece.key and r.random() < 0.25:
        out.append(r.choice((f"in {piece.key}", piece.key, f"key of {piece.key}")))
    elif piece.key and r.random() < 0.12:
        out.append("minor key" if piece.key.endswith("minor") else "major key")
    if r.random() < (0.3 if piece.metre != "4/4" else 0.05):
        out.append(r.choice((f"{piece.metre} time", f"in {piece.metre}", f"{piece.metre} metre")))
    rate, lead = density(piece), mean_pitch(piece, "lead")
    if r.random() < 0.2 and (rate < 2.5 or rate > 11):
        out.append(
            r.choice(
                ("sparse", "few notes", "spacious")
                if rate < 2.5
                else ("dense", "many notes", "full arrangement")
            )
        )
    if lead and r.random() < 0.2 and (lead > 79 or lead < 59):
        out.append(
            r.choice(("high melody", "high register") if lead > 79 else ("low melody", "low register"))
        )
    if not piece.hits and r.random() < 0.3:
        out.append(r.choice(("no drums", "without drums", "drumless")))
    if not piece.lead and len(piece.tracks) > 1 and r.random() < 0.2:
        out.append(r.choice(("backing track", "accompaniment only", "no melody")))
    r.shuffle(out)
    return out


def _say(word: str, r: random.Random, unseen: bool) -> str:
    if unseen and word in UNSEEN:
        return UNSEEN[word]
    return r.choice(SYNONYMS.get(word) or STYLE_WORDS.get(word) or (word,))


def _a(words: str) -> str:
    if words in ("oohs", "vibes", "pipes", "panpipes", "pan pipes", "bells") or words.startswith("wordless"):
        return words
    return (
        "an "
        if words[0].lower() in "aeio" or words.startswith(("R&B", "FM", "8-", "eighties", "808"))
        else "a "
    ) + words


def _played(role: str, name: str, r: random.Random) -> str:
    return r.choice(ROLE_WORDS[role]).format(x=name, a=_a(name))


def _drums(piece: Piece, r: random.Random) -> str:
    return r.choice(MACHINE_WORDS if piece.sampled else DRUM_WORDS)


def _wording(piece: Piece, r: random.Random, kind: int, unseen: bool) -> str:
    def say(word: str) -> str:
        return _say(word, r, unseen)

    players = [(t.role, _played(t.role, say(t.name), r)) for t in piece.tracks]
    if piece.hits:
        players.append(("drums", _drums(piece, r)))
    style, facts = say(piece.style), _facts(piece, r)
    mood = r.choice(MOOD_WORDS[r.choice(piece.moods)]) if piece.moods and r.random() < 0.4 else ""
    tail = "".join(", " + f for f in facts)
    if len(players) == 1:  # a solo or a stem
        role, _ = players[0]
        name = _drums(piece, r) if role == "drums" else say(piece.tracks[0].name)
        bare = name.removeprefix("a ").removeprefix("solo ")
        alone = r.choice((f"{bare} alone", f"solo {bare}", f"only {bare}", f"unaccompanied {bare}", bare))
        return (
            f"{mood + ' ' if mood and kind % 2 else ''}{alone}{', ' + style if kind in (1, 4) else ''}{tail}"
        )
    r.shuffle(players)
    if len(players) > 2 and r.random() < 0.25:  # not everything that plays need be said
        lead = [p for p in players if p[0] == "lead"]
        players = (lead + [p for p in players if p[0] != "lead"])[: r.randint(2, len(players))]
        r.shuffle(players)
    said = [p for _, p in players]
    if kind == 0:
        return ", ".join([f"{mood} {style}".strip(), *said, *facts])
    if kind == 1:
        return f"{mood} {style} with {', '.join(said[:-1])} and {said[-1]}{tail}".strip()
    if kind == 2:
        body = [*said, *facts, style, *([mood] if mood else [])]
        r.shuffle(body)
        return ", ".join(body)
    first = next((t for t in piece.tracks if t.role == "lead"), piece.tracks[0])
    name = say(first.name)
    if kind == 3:  # the leading instrument first
        form = r.choice(
            (
                "{x}, {s}",
                "{x} {s}",
                "{s} {x}",
                "{x}",
                "{x} playing {s}",
                "{s} led by {x}",
                "{x} solo over {s}",
            )
        )
        if first.role != "lead":
            form = r.choice(("{s} with {x}", "{x}, {s}", "{x} in a {s} groove"))
        return (form.format(x=name, s=style) + (tail if r.random() < 0.5 else "")).strip()
    if kind == 4:
        head = _a(f"{mood + ' ' if mood else ''}{style} {r.choice(('track', 'piece', 'tune', 'recording'))}")
        return f"{head[0].upper()}{head[1:]} featuring {' and '.join(said)}{tail}"
    others = [w for role, w in players if role != "lead"]
    if first.role == "lead" and others:
        return (
            f"{name} {r.choice(('over', 'with', 'accompanied by', 'on top of'))} {' and '.join(others)}{tail}"
        )
    return f"{style}{tail}" if r.random() < 0.5 else f"{' and '.join(said)}, {style}"


def caption(piece: Piece, seed: int) -> str:
    """One caption of a piece; another seed gives another wording. Every sixth names the leading instrument first."""
    r = random.Random(f"{piece.seed}/{seed}")
    return _wording(piece, r, (seed + piece.seed) % 6, unseen=False)


def edit_caption(piece: Piece, seed: int) -> str:
    """What a musician would write to turn the piece before a twin into this one; "" where no words say it."""
    r = random.Random(f"{piece.seed}/edit/{seed}")
    if piece.change in ("lead", "comp", "bass"):
        track = next((t for t in piece.tracks if t.role == piece.change), None)
        if track is None:
            return ""
        name = _say(track.name, r, unseen=False)
        return r.choice((name, f"{name} instead", f"with {name}", _a(name), _played(track.role, name, r)))
    if piece.change.startswith("no "):
        role = piece.change[3:]
        word = {"drums": "drums", "bass": "bass", "lead": "melody", "comp": "chords", "pad": "pad"}[role]
        return r.choice((f"no {word}", f"without {word}", f"{word} out"))
    if piece.change == "drums" and piece.hits:
        return r.choice(("another beat", "a different drum beat", "new drums", "other drums"))
    return ""


def unseen_caption(piece: Piece, seed: int) -> str:
    """A caption with wordings that no training caption has, where `UNSEEN` knows some; for measuring."""
    r = random.Random(f"{piece.seed}/unseen/{seed}")
    return _wording(piece, r, (3, 0, 5, 1)[seed % 4], unseen=True)
