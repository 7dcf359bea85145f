"""Train the head that guesses instruments from words: `python -m study.train.words`.

A linear layer on the frozen states of each token says which row of `engines.music.instruments.ROWS` the
token names, or none. It learns from captions of training renders, labelled by spelling, and from short
texts as musicians type them, whose wordings go beyond spelling. The wordings of
`study.data.captions.UNSEEN` never train: the second command, `--measure`, counts what is understood of
captions of held-out renders, with known and unseen wordings.
"""

from __future__ import annotations

import argparse
import json
import random
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from engines.music.instruments import FAMILIES, INSTRUMENTS, ROWS, family_of
from engines.networks.text import TEXT_DIM, TextEncoder
from engines.words import reader as words
from engines.words.head import WEIGHTS
from study.data.captions import (
    DRUM_WORDS,
    MACHINE_WORDS,
    MOOD_WORDS,
    ROLE_WORDS,
    STYLE_WORDS,
    SYNONYMS,
    UNSEEN,
)

NONE = len(ROWS)
Span = tuple[int, int, int]  # characters [start, end) and the row that they name

# What musicians also call them; none of it stands in `UNSEEN`.
MORE: dict[str, str] = {
    "piano": "pianist, Steinway, upright piano, ivories, baby grand, felt piano, Bechstein, concert grand, prepared piano",
    "electric piano": "Wurlitzer, Wurli, DX7 piano, suitcase piano, tine piano, FM electric piano, stage piano", "harpsichord": "harpsichordist, spinet, virginal",
    "clavinet": "Hohner D6, funk keyboard", "celesta": "sugar plum bells", "glockenspiel": "carillon, chime bars, glock", "vibraphone": "vibraphonist, vibist",
    "music box": "jewellery box melody, clockwork music", "marimba": "marimbist, marimba player, rosewood bars", "xylophone": "xylophonist, wood blocks with mallets",
    "organ": "organist, tonewheel organ, drawbar organ, Leslie organ, Farfisa, Vox Continental, gospel organ", "church organ": "cathedral pipes, chapel organ",
    "accordion": "accordionist, concertina, musette, melodeon, cajun accordion", "harmonica": "harmonica player, harp player blowing, French harp", "bandoneon": "bandoneonist",
    "nylon guitar": "flamenco guitar, gut-string guitar, classical guitarist, requinto, guitarra", "acoustic guitar": "strummed guitar, dreadnought, twelve-string, Martin guitar, fingerpicked guitar, ukulele",
    "electric guitar": "electric guitarist, Stratocaster, Telecaster, Strat, Les Paul, lead guitarist", "jazz guitar": "archtop, jazz guitarist, Gibson L5", "clean electric guitar": "jangly guitar, chorused guitar, palm-muted guitar",
    "distorted guitar": "crunchy guitar, shredding guitar, power chords, metal guitar, grunge guitar, screaming guitar, high-gain guitar", "violin": "violins, gypsy violin, solo fiddler, Stradivarius, first violin",
    "viola": "violist, viola player", "cello": "cellos, violoncellist, cello player", "contrabass": "arco bass, bass viol, double bassist", "pizzicato strings": "pizz, pizz strings, pizzicati",
    "harp": "harpist, harp glissando, lyre", "strings": "symphony strings, violins and violas, string players, orchestra strings, chamber strings, legato strings", "synth strings": "Solina, Mellotron strings, string machine",
    "choir": "choral singing, chorale, choristers, gospel choir, boys' choir, singers in harmony, monks chanting, aahs", "voice": "vocalist, soprano, vocals, scat singing, vocal line, tenor voice, hummed melody, a woman's voice, crooner",
    "trumpet": "trumpets, mariachi trumpet, trumpet player, bugle, flugelhorn, cornet", "trombone": "trombones, trombone player, sackbut, bone section", "tuba": "tubist, sousaphone, euphonium, oompah tuba",
    "muted trumpet": "cup mute, Miles Davis trumpet, wah-wah trumpet", "French horn": "hornist, horn player, horn call, French horns", "brass section": "brass ensemble, big band brass, brass stabs, trumpets and trombones, brass players",
    "synth brass": "Jump synth, Oberheim brass", "soprano saxophone": "soprano saxophone player, Kenny G sax", "saxophone": "sax player, alto, tenor sax, baritone sax, bari sax, Coltrane horn, sax solo, saxes",
    "oboe": "oboe player, oboe d'amore, hautbois", "English horn": "cor anglais player", "bassoon": "bassoonist, contrabassoon, fagott", "clarinet": "klezmer clarinet, clarinet player, bass clarinet, clarinets",
    "piccolo": "piccolo player, fife", "flute": "flute player, flutes, alto flute, bansuri, woodwind flute, Boehm flute", "recorder": "recorder player, alto recorder, flauto dolce", "pan flute": "zampoña, syrinx, siku, panpipe",
    "whistle": "whistler, low whistle, Irish whistle, whistled melody", "ocarina": "ocarina player", "square lead synth": "NES lead, pulse wave lead, square wave", "saw lead synth": "supersaw, saw wave, trance lead, detuned saw, screaming synth lead",
    "synth pad": "atmospheric pad, synth wash, string pad, evolving pad", "warm synth pad": "Juno pad, mellow pad, analogue pad", "polysynth": "Juno, Prophet-5, Jupiter-8, poly synth", "bowed pad": "glass harmonica, bowed glass",
    "sitar": "sitarist, sitar player", "banjo": "banjoist, banjo player, clawhammer banjo, bluegrass picking", "koto": "shamisen, guzheng, kotoist", "kalimba": "kalimba player, likembe", "bagpipes": "piper, uilleann pipes, pibroch",
    "steel drums": "steel pan, steelpans, calypso pans, steel band", "upright bass": "upright, acoustic bassist, walking double bass, slapped upright, string bass", "electric bass": "bassist, P-bass, Fender bass, Precision bass, bass player, Rickenbacker bass, Jaco",
    "picked bass": "plectrum bass", "fretless bass": "Jaco fretless", "slap bass": "slap and pop, slapping bass, Flea bass", "synth bass": "303, acid bass, sub bass, analog bass, wobble bass, reese, Minimoog bassline, bass synth",
    "guitars": "guitar, guitars, guitarist, guitar player, axe, six strings", "basses": "bass, low end, bassline, bass part", "keyboards": "keys, keyboard, keyboardist, keyboard player", "brass": "brass, brass instruments", "reeds": "reeds, woodwinds",
    "organs": "organs", "synth leads": "synth, synth lead, synthesizer, lead synthesizer", "synth pads": "pad, pads, synth chords", "mallets and bells": "mallets, mallet instruments, tuned percussion",
    "drums": "drummer, drum set, drumset, percussionist, kick and snare, hi-hats, cymbals, toms, breakbeat, 909, drum loop, congas, bongos, shaker, tambourine, brushes on a snare, rimshots, four on the floor kick",
}  # fmt: skip
FORMS = (
    "{x}", "{x}", "{x}", "a {x}", "the {x}", "solo {x}", "{x} solo", "make it a {x}", "with {x}", "add {x}", "more {x}", "no {x}", "without {x}", "{x} please", "{x} alone", "only {x}", "a {m} {x}", "{m} {x}", "{x}, {s}", "{s} {x}",
    "{s} with {x}", "{x} and {y}", "{x}, {y}, {s}", "{x} instead of {y}", "replace the {y} with a {x}", "{s} played by a {x} and a {y}", "{x} over {y}", "{x} melody", "a {x} playing {s}", "{m} {s} for {x}", "{x} from {m} {s}",
    "let the {x} play", "{x} with {y}", "I want {x} here", "{x} {m}", "drop the {x}", "change it to {x}",
)  # fmt: skip
NOTHING = (
    "make it louder", "a bit faster", "more reverb", "a big crescendo into the chorus", "half-time feel", "{m}", "{s}", "{m} {s}", "{m} and {m2}", "a {m} {s} track", "{s} with a {m} mood", "no melody", "another melody", "softer",
    "busier", "a different groove", "like a {s} song", "in C minor", "{s}, 120 bpm", "start quietly and build", "end on the tonic", "a {m} bridge", "louder at the end", "with swing", "syncopated", "variation of the theme", "a key change",
    "fade out", "more tension", "simple chords", "jazzy harmony", "chromatic run", "epic", "vintage sound", "night drive", "rainy day", "from {s} to {s2}", "a train station", "sunset at the beach", "Paris café", "battle scene", "a tune from Ireland",
    "like a walk in the woods", "wooden floor", "a cathedral at night", "an African dance", "a Spanish dance", "a Trinidad carnival", "hunting scene", "six beats", "tuned down", "a session", "a thumb", "metal", "court dance", "radio friendly", "club music",
    "a children's tune", "blues in E", "highland landscape", "an Andean village", "singing along", "sampled", "lush", "ambient", "buzzy", "eight bars", "3/4 time", "retro", "orchestral piece", "folk song", "button", "standing up", "penny", "standard",
)  # fmt: skip


def wordings() -> list[tuple[str, int]]:
    """Every known way to say a row, and the row."""
    unseen = {w.casefold() for w in UNSEEN.values()}
    said = [(w, row) for row, each in SYNONYMS.items() for w in each]
    said += [(w, row) for row, each in MORE.items() for w in each.split(", ")]
    said += [(w, "drums") for w in (*DRUM_WORDS, *MACHINE_WORDS)]
    return [(w.removeprefix("a "), ROWS.index(row)) for w, row in said if w.casefold() not in unseen]


def short_text(r: random.Random, table: list[tuple[str, int]]) -> tuple[str, list[Span]]:
    """A text as a musician types it, and what its characters name."""
    styles, moods = (
        [w for each in STYLE_WORDS.values() for w in each],
        [w for each in MOOD_WORDS.values() for w in each],
    )
    fill = {"s": r.choice(styles), "s2": r.choice(styles), "m": r.choice(moods), "m2": r.choice(moods)}
    if r.random() < 0.25:
        return r.choice(NOTHING).format(**fill), []
    by_row = sorted({row for _, row in table})
    rows = r.sample(by_row, 2)
    pick = [r.choice([one for one in table if one[1] == row]) for row in rows]
    form = r.choice(FORMS)
    if r.random() < 0.3:  # as captions have it
        form = f"{r.choice(ROLE_WORDS[r.choice(('lead', 'comp', 'pad', 'bass'))]).format(x='{x}', a='a {x}')}, {form.replace('{x}', '{y}')}"
    text, spans = "", []
    for piece in form.replace("{", "\0{").replace("}", "}\0").split("\0"):
        if piece in ("{x}", "{y}"):
            word, row = pick[piece == "{y}"]
            spans.append((len(text), len(text) + len(word), row))
            text += word
        else:
            text += piece.format(**fill)
    return text, spans


def captions(folders: list[Path], shards: int) -> list[tuple[str, list[Span]]]:
    """Captions of rendered folders, labelled by spelling."""
    out: list[tuple[str, list[Span]]] = []
    for folder in folders:
        for path in sorted(folder.glob("labels_*.json"))[:shards]:
            for label in json.loads(path.read_text()):
                for text in label["captions"][:3]:
                    spelt = [x for x in words._items(text) if x.name]
                    out.append((text, [(x.start, x.end, ROWS.index(x.name)) for x in spelt]))
    return out


def tokens_of(texts: list[tuple[str, list[Span]]], encoder: TextEncoder) -> tuple[Tensor, Tensor]:
    """States [N, 384] of all tokens of all texts, and the row int64 [N] that each names."""
    states, rows = [], []
    for i in range(0, len(texts), 64):
        batch = encoder.encode([text for text, _ in texts[i : i + 64]])
        for k, (text, spans) in enumerate(texts[i : i + 64]):
            for j, (a, b) in enumerate(encoder.places(text)):
                if b > a:
                    states.append(batch.tokens[k, j].clone())
                    rows.append(next((row for x, y, row in spans if a < y and b > x), NONE))
    return torch.stack(states), torch.tensor(rows)


def fit(states: Tensor, rows: Tensor, steps: int, seed: int = 0) -> tuple[Tensor, Tensor]:
    """Weight [ROWS + 1, 384] and bias [ROWS + 1] of the head; rare rows count as much as common ones."""
    torch.manual_seed(seed)
    head = torch.nn.Linear(TEXT_DIM, NONE + 1)
    opt = torch.optim.AdamW(head.parameters(), lr=3e-3, weight_decay=0.05)
    counts = torch.bincount(rows, minlength=NONE + 1).float()
    weight = counts.clamp(min=20).rsqrt()
    weight = weight / (weight * counts).sum() * counts.sum()
    for step in range(steps):
        pick = torch.randint(0, len(rows), (1024,))
        x = F.dropout(states[pick], 0.2) + 0.1 * torch.randn(1024, TEXT_DIM)
        loss = F.cross_entropy(head(x), rows[pick], weight)
        for group in opt.param_groups:
            group["lr"] = 3e-3 * (1 - step / steps)
        opt.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        opt.step()
        if step % 500 == 0:
            print(f"step {step}: {loss.item():.3f}", flush=True)
    return head.weight.detach(), head.bias.detach()


def truth(label: dict[str, Any], text: str, unseen: bool) -> set[str]:
    """Which of the clip's instruments, and drums, a caption of it names."""
    said, low = set(), text.casefold()
    for name in label["instruments"]:
        ways = (UNSEEN[name],) if unseen and name in UNSEEN else SYNONYMS.get(name, (name,))
        if any(way.casefold() in low for way in ways):
            said.add(name)
    drums = (*DRUM_WORDS, *MACHINE_WORDS, "drum beat")
    if label["hits"] and any(way.removeprefix("a ") in low for way in drums):
        said.add("drums")
    return said


def measure(folder: Path, encoder: TextEncoder | None, clips: int) -> dict[str, dict[str, float]]:
    """Precision and recall of names and of families on captions of a folder, known and unseen wordings.

    "new" counts only names said in a wording that no training caption has.
    """
    labels = [
        label for path in sorted(folder.glob("labels_*.json")) for label in json.loads(path.read_text())
    ][:clips]
    told: dict[str, dict[str, float]] = {}
    for which, field in (("known", "captions"), ("unseen", "unseen_captions")):
        right = wrong = missed = kin = new = new_right = new_kin = absent = absent_right = 0
        for label in labels:
            for text in label[field][: 2 if which == "unseen" else 4]:
                want = truth(label, text, which == "unseen")
                heard = words.understood(text, encoder)
                said = {u.name for u in heard if u.plays}
                family = {family_of(n) or n for n in said}
                right += len(want & said)
                wrong += sum(n not in want and not any(family_of(w) == n for w in want) for n in said)
                missed += len(want - said)
                kin += sum((family_of(n) or n) in family for n in want)
                fresh = {n for n in want if which == "unseen" and n in UNSEEN}
                new, new_right = new + len(fresh), new_right + len(fresh & said)
                new_kin += sum((family_of(n) or n) in family for n in fresh)
                if any(w in text for w in ("no drums", "without drums", "drumless")):
                    absent += 1
                    absent_right += any(u.name == "drums" and not u.plays for u in heard)
        total = right + missed
        told[which] = {"captions": len(labels), "precision": right / max(right + wrong, 1), "recall": right / max(total, 1),
                       "family recall": kin / max(total, 1), "no drums": absent_right / max(absent, 1)}  # fmt: skip
        if new:
            told[which] |= {"new recall": new_right / new, "new family recall": new_kin / new, "new": new}
    return told


def main() -> None:
    """Train the head, or measure both readers."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--renders", type=Path, nargs="+", default=[Path("runs/data/train_pairs"), Path("runs/data/train")]
    )
    parser.add_argument("--held-out", type=Path, default=Path("runs/data/held_out"))
    parser.add_argument("--shards", type=int, default=3, help="of each folder")
    parser.add_argument("--texts", type=int, default=12_000, help="short texts beside the captions")
    parser.add_argument("--steps", type=int, default=3000)
    parser.add_argument("--clips", type=int, default=200, help="held-out clips whose captions are measured")
    parser.add_argument("--measure", action="store_true", help="train nothing")
    args = parser.parse_args()
    torch.set_num_threads(1)
    encoder = TextEncoder()
    if not args.measure:
        r, table = random.Random(0), wordings()
        texts = [short_text(r, table) for _ in range(args.texts)] + captions(args.renders, args.shards)
        weight, bias = fit(*tokens_of(texts, encoder), args.steps)
        np.savez_compressed(WEIGHTS, weight=weight.half().numpy(), bias=bias.half().numpy())
        print(
            f"{WEIGHTS}: {WEIGHTS.stat().st_size / 1e3:.0f} KB, {len(texts)} texts, {len(INSTRUMENTS)}+{len(FAMILIES)}+1 rows"
        )
    for name, reader in (("spelling", None), ("spelling and head", encoder)):
        for which, figures in measure(args.held_out, reader, args.clips).items():
            print(name, which, {k: round(v, 3) for k, v in figures.items()}, flush=True)


if __name__ == "__main__":
    main()
