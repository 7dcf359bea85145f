"""Words for a piece: many ways to say what is heard, chosen by seed.

A caption names only what sounds in the clip. Paraphrases share no fixed order, so that the text
encoder's neighbourhood of a meaning is covered rather than one sentence.
"""

from __future__ import annotations

import random

from study.corpus import Piece

SYNONYMS = {
    "electric piano": ("electric piano", "Rhodes piano"), "saxophone": ("saxophone", "sax"),
    "upright bass": ("upright bass", "double bass", "acoustic bass"), "electric bass": ("electric bass", "bass guitar"),
    "synth bass": ("synth bass", "synthesizer bass"), "distorted guitar": ("distorted guitar", "overdriven guitar"),
    "nylon guitar": ("nylon guitar", "classical guitar"), "violin": ("violin", "fiddle"),
    "strings": ("strings", "string section"), "brass section": ("brass section", "horns"),
    "warm synth pad": ("warm synth pad", "soft pad"), "vibraphone": ("vibraphone", "vibes"),
    "square lead synth": ("square lead synth", "square wave synth"), "saw lead synth": ("saw lead synth", "sawtooth synth"),
    "accordion": ("accordion",), "organ": ("organ", "electric organ"), "choir": ("choir", "voices"),
    "hip hop": ("hip hop", "hip-hop", "boom bap"), "electronic": ("electronic", "dance", "EDM", "house"),
    "bossa nova": ("bossa nova", "bossa", "Brazilian bossa nova"), "orchestral": ("orchestral", "cinematic", "classical"),
    "chiptune": ("chiptune", "8-bit video game"), "folk": ("folk", "traditional folk"), "ambient": ("ambient", "atmospheric"),
    "jazz": ("jazz", "swing jazz"), "ballad": ("ballad", "slow ballad"), "funk": ("funk", "funky groove"),
}  # fmt: skip
ROLE_WORDS = {
    "lead": ("{x} lead", "{x} melody", "melody on {x}", "solo {x}", "{x} playing the tune"),
    "comp": ("{x} chords", "{x}", "{x} accompaniment", "backing {x}"),
    "bass": ("{x}", "{x} line"),
}


def tempo_word(bpm: float) -> str:
    """A plain word for a tempo in beats per minute."""
    return "slow" if bpm < 84 else "mid-tempo" if bpm < 112 else "upbeat" if bpm < 140 else "fast"


def caption(piece: Piece, seed: int) -> str:
    """One caption of a piece; another seed gives another wording."""
    r = random.Random(f"{piece.seed}/{seed}")

    def say(word: str) -> str:
        return r.choice(SYNONYMS.get(word, (word,)))

    players = []
    for track in piece.tracks:
        form = r.choice(ROLE_WORDS[track.role])
        players.append(form.format(x=say(track.name)))
    if piece.drum_notes:
        players.append(r.choice(("drums", "drum kit", "steady drums", "a drum beat")))
    else:
        if r.random() < 0.3:
            players.append(r.choice(("no drums", "without drums")))
    r.shuffle(players)
    if len(players) > 2 and r.random() < 0.25:
        players = players[: r.randint(2, len(players))]
    style = say(piece.style)
    facts = []
    if r.random() < 0.5:
        facts.append(r.choice((f"{piece.bpm:.0f} bpm", f"tempo {piece.bpm:.0f}", tempo_word(piece.bpm))))
    if r.random() < 0.3:
        facts.append(r.choice((f"in {piece.key}", piece.key)))
    mood = piece.mood if r.random() < 0.3 else ""
    if len(piece.tracks) == 1 and not piece.drum_notes and r.random() < 0.7:
        return ", ".join(
            [r.choice((f"{say(piece.tracks[0].name)} alone", f"solo {say(piece.tracks[0].name)}")), *facts]
        )
    kind = r.randrange(4)
    if kind == 0:
        parts = [f"{mood} {style}".strip(), *players, *facts]
        return ", ".join(parts)
    if kind == 1:
        return f"{mood} {style} with {', '.join(players)}{''.join(', ' + f for f in facts)}".strip()
    if kind == 2:
        body = [*players, *facts, style]
        r.shuffle(body)
        return ", ".join(body)
    head = f"A {mood + ' ' if mood else ''}{style} {r.choice(('track', 'piece', 'tune', 'song'))}"
    return f"{head} featuring {' and '.join(players)}{''.join(', ' + f for f in facts)}"
