"""What the words of a prompt ask for: who plays and who must not, tempo and key.

Two readers. Spelling knows the names and aliases of `engines.music.instruments`, the longest first, and the
ways to say that something is absent ("no drums", "drumless", "replace the organ with a trumpet"). Where an
encoder is at hand, `engines.words.head` guesses at wordings that spelling does not know ("saxophonist").
Styles and moods alone name no instrument, and a melody is none. Loads no torch.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

from engines.music.chords import ROOTS
from engines.music.instruments import ALIASES, DRUMS_ROW, OTHERS, ROWS
from engines.requests import Part
from engines.words import head as words_head

if TYPE_CHECKING:
    from engines.networks.text import TextEncoder

TEMPI = (20.0, 300.0)  # beats per minute that are believed

# Wordings that hold an instrument's name and mean a style, a form or a thing.
_NO_INSTRUMENT = (
    "drum and bass", "drum n bass", "drum & bass", "trap beat", "lo fi beats", "lo fi beat", "lofi beats",
    "808 beat", "off beat", "on the beat", "beat per minute", "beats per minute", "guitar rock",
    "marching band", "synth pop", "piano roll", "piano bar",
    "voice leading", "bass drop", "bass boost", "bass clef",
)  # fmt: skip
# Words that make what follows absent, that make what they follow absent, and that leave nothing else.
_ABSENT = (
    "no", "without", "minus", "sans", "w o", "remove", "mute", "silence", "exclude", "omit", "delete", "not",
    "never", "don t", "doesn t", "instead of", "rather than", "in place of", "get rid of", "take out",
    "take away", "leave out", "strip out", "drop the", "cut the", "kill the", "lose the", "everything but",
    "all but", "everything except", "all except", "except", "free of",
)  # fmt: skip
_ABSENT_AFTER = (
    "out",
    "off",
    "muted",
    "removed",
    "gone",
    "silent",
    "silenced",
    "drop out",
    "drops out",
    "less",
    "free",
    "stop",
    "stops",
)
_NOT_OUT = ("out front", "out in", "out of", "off beat", "free jazz", "free form")
_ONLY = ("only", "just", "unaccompanied", "nothing but", "lone", "purely", "solely")
_ONLY_AFTER = ("alone", "only", "unaccompanied", "by itself", "by themselves", "on its own")
_NOTHING_ELSE = (
    "nothing else",
    "no one else",
    "nobody else",
    "no other instrument",
    "no other instruments",
    "no accompaniment",
)
_REPLACE = frozenset("replace replaces replacing swap exchange switch change turn trade convert make".split())
_BY = frozenset("with by for to into ->".split())
_JOIN = frozenset("and or nor & + / n".split())
_ENDS = frozenset(
    "but with only just solo then add play plays use featuring over make keep please now instead".split()
)
_LOOSE = frozenset("the any more of those these other some that her his my our".split())
_AFTER = frozenset(
    "line lines part parts track tracks chords melody solo playing at all sound sounds in this here".split()
)
_NO_ONLY = frozenset(
    "add like replace change remove make put more bit keep with without swap before after".split()
)

_TOKEN = re.compile(r"[a-z0-9]+|->|[^\sa-z0-9]")
_STOPS = frozenset(".;:!?()[]")


@dataclass(frozen=True)
class Understood:
    """One instrument that a prompt asks for, or asks to be absent."""

    name: str  # a row of `engines.music.instruments.ROWS`, or OTHERS (which never plays)
    plays: bool  # False: it must not be heard
    sure: float  # 0..1; 1 where it is spelt out
    start: int  # the characters [start, end) of the prompt that say it; 0, 0 where none can be pointed at
    end: int


@dataclass(frozen=True)
class _Item:
    """A word or a mark of a prompt, or the name of an instrument in it."""

    text: str  # lower case, without accents; "" where it names an instrument
    start: int
    end: int
    name: str = ""  # the row that it names
    sure: float = 1.0


def understood(prompt: str, encoder: TextEncoder | None = None) -> tuple[Understood, ...]:
    """What a prompt says of instruments, in its order; each name once, as it was said last.

    With an `encoder` wordings are guessed too that are spelt otherwise. Of "solo flute", "only strings" and
    "piano alone" everything else is absent; of "solo" only where nobody else is named.
    """
    items = _items(prompt)
    if encoder is not None and any(item.text.isalpha() for item in items):
        items = _with_guesses(items, words_head.guesses(prompt, encoder))
    absent = _absent(items)
    said: dict[str, Understood] = {}
    for i, item in enumerate(items):
        if item.name:
            said.pop(item.name, None)
            said[item.name] = Understood(item.name, i not in absent, item.sure, item.start, item.end)
    only = _only(items, absent)
    if only is not None and any(one.plays for one in said.values()):
        said[OTHERS] = Understood(OTHERS, False, 1.0, only.start, only.end)
    return tuple(said.values())


def parts(prompt: str, start: float, end: float, encoder: TextEncoder | None = None) -> tuple[Part, ...]:
    """The same as a request has it, over `start` to `end` seconds; what is rather unsure is left out."""
    return tuple(
        Part(start, end, one.name, one.plays) for one in understood(prompt, encoder) if one.sure >= 0.5
    )


def without_drums(prompt: str) -> bool:
    """True where the words want no drums: "no drums", "drumless", "solo flute"."""
    said = {one.name: one.plays for one in understood(prompt)}
    return not said.get(DRUMS_ROW, OTHERS not in said)


def tempo(prompt: str) -> float | None:
    """Beats per minute that a prompt names ("128 bpm", "tempo 90"), or None."""
    number = r"(\d{2,3}(?:[.,]\d+)?)"
    found = re.search(rf"{number}\s*-?(?:bpm\b|beats (?:per|a) minute)", prompt, re.I) or re.search(
        rf"(?:\btempo|\bbpm|♩)\s*(?:of|is|at|:|=)?\s*{number}\b", prompt, re.I
    )
    value = float(found[1].replace(",", ".")) if found else 0.0
    return value if TEMPI[0] <= value <= TEMPI[1] else None


def key(prompt: str) -> str | None:
    """The key that a prompt names, as `engines.analysis.key` writes it: "F# minor"; or None."""
    for found in re.finditer(
        r"(\b(?:in|key of|key:?)\s+)?(?<![\w'])([A-Ga-g])\s?-?(#|♯|♭|b(?![a-z])|sharp|flat)?"
        r"[\s-]*(major|minor|maj|min|m)\b(\s+key)?",
        prompt,
    ):
        where, letter, sign, mode, word = found.groups()
        if (letter.islower() and (not (where or sign) or (word and not sign))) or (mode == "m" and not where):
            continue  # "a minor change", "in a minor key", "B m"
        step = {"#": 1, "♯": 1, "sharp": 1, "♭": -1, "b": -1, "flat": -1}.get(sign or "", 0)
        tonic = (ROOTS.index(letter.upper()) + step) % 12
        return f"{ROOTS[tonic]} {'major' if mode.startswith('maj') else 'minor'}"
    return None


@cache
def _phrases() -> dict[tuple[str, ...], str]:
    """Words in a row -> the row of the lane that they name, "" for none."""
    spelt = {name: name for name in ROWS} | {word: row for word, row in ALIASES.items() if row != OTHERS}
    found = {tuple(t for t, _, _ in _tokens(word)): row for word, row in spelt.items()}
    return found | {tuple(t for t, _, _ in _tokens(word)): "" for word in _NO_INSTRUMENT}


def _tokens(text: str) -> list[tuple[str, int, int]]:
    """Words and marks, lower case and without accents, with their characters [start, end)."""
    plain = "".join(unicodedata.normalize("NFKD", c)[0].lower()[0] for c in text)  # as long as the text
    found = [m for m in _TOKEN.finditer(plain) if m[0] not in "-'\"’"]
    return [(m[0].replace("→", "->"), m.start(), m.end()) for m in found]


def _items(prompt: str) -> list[_Item]:
    """The prompt as words, marks and names; of names that begin at one word the longest is taken."""
    tokens, table = _tokens(prompt), _phrases()
    longest = max(len(words) for words in table)
    items: list[_Item] = []
    i = 0
    while i < len(tokens):
        text, start, end = tokens[i]
        for count in range(min(longest, len(tokens) - i), 0, -1):
            words = tuple(t for t, _, _ in tokens[i : i + count])
            name = next((table[w] for w in _singulars(words) if w in table), None)
            if name is not None:
                last = tokens[i + count - 1][2]
                items.append(_Item("" if name else " ".join(words), start, last, name))
                i += count
                break
        else:
            stem = text.removesuffix("less")
            if stem != text and table.get((stem,)):  # "drumless"
                items.append(_Item("without", start, start))
                items.append(_Item("", start, end, table[(stem,)]))
                items.append(_Item(",", end, end))
            else:
                items.append(_Item(text, start, end))
            i += 1
    return items


def _singulars(words: tuple[str, ...]) -> tuple[tuple[str, ...], ...]:
    """The words as they are, with the last one in the singular, and with the instrument for who plays it."""
    *before, last = words
    ends = [last.removesuffix(end) for end in ("s", "es") if last.endswith(end) and len(last) > 4]
    player = last.removesuffix("s")  # violinist, saxophonist, cellist, clarinettist, trumpeter
    for suffix, least in (("ist", 3), ("er", 6)):
        stem = player.removesuffix(suffix)
        if stem != player and len(stem) >= least:
            ends += [stem, stem + "e", stem + "o", stem[:-1]]
    return (words, *((*before, end) for end in ends))


def _with_guesses(items: list[_Item], guesses: Sequence[words_head.Guess]) -> list[_Item]:
    """Words that a guess covers become the name that it guesses; names that are spelt out stay."""
    for guess in guesses:
        covered = [
            i for i, x in enumerate(items) if x.start < guess.end and x.end > guess.start and x.end > x.start
        ]
        if not covered or any(items[i].name for i in covered):
            continue
        a, b = covered[0], covered[-1] + 1
        items = [*items[:a], _Item("", items[a].start, items[b - 1].end, guess.name, guess.sure), *items[b:]]
    return items


def _at(items: Sequence[_Item], i: int, phrases: Collection[str]) -> int:
    """How many items from `i` on say one of the phrases, the longest first; 0 for none."""
    for count in (3, 2, 1):
        words = [item.text for item in items[i : i + count]]
        if len(words) == count and all(words) and " ".join(words) in phrases:
            return count
    return 0


def _absent(items: Sequence[_Item]) -> set[int]:
    """Which names must not play: after "no" and its like, before "out" and its like, and what is replaced."""
    absent = _replaced(items)
    i = 0
    while i < len(items):
        count = _at(items, i, _ABSENT)
        if _at(items, i, _NOTHING_ELSE):
            i += _at(items, i, _NOTHING_ELSE)
        elif count and not (items[i].text == "not" and _at(items, i + 1, ("only", "just"))):
            absent.update(_scope(items, i + count))
            i += count
        else:
            if items[i].name and _at(items, i + 1, _ABSENT_AFTER) and not _at(items, i + 1, _NOT_OUT):
                absent.update(_listed(items, i))
            i += 1
    return absent


def _scope(items: Sequence[_Item], begin: int) -> set[int]:
    """The names that a "no" before item `begin` speaks of: two in "no drums or bass"."""
    found: set[int] = set()
    waited = 0  # words since the "no" or the last name
    joined = ""  # "and", "or" since the last name
    for i in range(begin, len(items)):
        text = items[i].text
        if items[i].name:
            found.add(i)
            waited, joined = 0, ""
        elif text == ",":
            if not (found and _list_ends_in_or(items, i)):
                break
            joined = "or"
        elif text in _JOIN:
            joined = "or" if text in ("or", "nor", "/") else "and"
        elif (
            text in _STOPS
            or text in _ENDS
            or text in _BY
            or (found and text in ("a", "an") and joined == "and")
        ):
            break
        elif text not in _LOOSE and text not in ("a", "an"):
            waited += 1
            if waited > 3 or (found and not (joined == "or" or (not joined and text in _AFTER))):
                break
    return found


def _list_ends_in_or(items: Sequence[_Item], comma: int) -> bool:
    """True where names follow a comma, up to an "or": ", bass or guitar"."""
    named = 0
    for item in items[comma + 1 :]:
        if item.text in ("or", "nor"):
            return named > 0
        if item.name:
            named += 1
        elif item.text not in (",", "the", "any") or named > 4:
            return False
    return False


def _listed(items: Sequence[_Item], last: int) -> list[int]:
    """The names joined by "and" that end at item `last`."""
    found = [last]
    i = last - 1
    while i > 0 and (items[i].text in _JOIN or items[i].text in ("the", ",")):
        if items[i - 1].name and items[i].text in _JOIN:
            found.append(i - 1)
            i -= 1
        elif items[i].text == ",":
            break
        i -= 1
    return found


def _replaced(items: Sequence[_Item]) -> set[int]:
    """Names that give way: the organ in "replace the organ with a trumpet" and in "organ -> trumpet"."""
    found: set[int] = set()
    for i, item in enumerate(items):
        if item.text == "->":
            found.update(range(max(0, i - 1), i))
        if item.text not in _REPLACE:
            continue
        named: list[int] = []
        for k in range(i + 1, len(items)):
            text = items[k].text
            by = text in _BY or (item.text in ("make", "turn") and text in ("a", "an") and named)
            if items[k].name:
                named.append(k)
            elif text in _STOPS or text == "," or (text in _ENDS and text not in _BY):
                break
            elif by:
                follows = any(x.name for x in items[k + 1 : k + 6])
                if named and (follows or item.text not in ("make", "turn", "change", "switch")):
                    found.update(named)
                break
    return {i for i in found if items[i].name}


def _only(items: Sequence[_Item], absent: Collection[int]) -> _Item | None:
    """The words that leave nobody else to play: "only", "alone", "solo" and their like; None without."""
    playing = [i for i, item in enumerate(items) if item.name and i not in absent]
    for i, item in enumerate(items):
        if _at(items, i, _NOTHING_ELSE):
            return item
        if (
            item.text == "solo"
            and len({items[k].name for k in playing}) == 1
            and _names_soon(items, i + 1, absent)
        ):
            return item
        count = _at(items, i, _ONLY)
        if count and not (i and items[i - 1].text == "not") and _names_soon(items, i + count, absent):
            return item
        if item.name and i not in absent:
            after = i + 1 + (i + 1 < len(items) and items[i + 1].text in _AFTER)
            if _at(items, after, _ONLY_AFTER):
                return items[after]
    return None


def _names_soon(items: Sequence[_Item], begin: int, absent: Collection[int]) -> bool:
    """True where a name that plays follows within four words, before any comma."""
    for i in range(begin, min(begin + 4, len(items))):
        if items[i].name:
            return i not in absent
        if items[i].text in _STOPS or items[i].text == "," or items[i].text in _NO_ONLY:
            return False
    return False
