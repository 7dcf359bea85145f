"""The public checkpoints that Inlay knows how to get: what each is, may be used for, takes and can.

Loads no torch. Sizes marked as about are estimated from the number of parameters; the hub is
asked for the true ones before anything is got. Rates are Hz, windows seconds.
"""

from __future__ import annotations

import difflib
from dataclasses import dataclass, replace
from typing import Literal

from engines.errors import InputError
from engines.roster import BY_NAME, EngineName

Can = Literal["generate", "fill", "continue", "add parts", "take parts out"]


@dataclass(frozen=True)
class Licence:
    """What may be done with weights, in plain words beside the name of the text that says it."""

    name: str
    link: str
    words: str  # for a musician, in a few words
    allows: str  # what may be done, in a sentence
    forbids: str = ""  # what may not, in a sentence; empty where nothing is
    commercial: bool = True


@dataclass(frozen=True)
class Source:
    """Files of one repository: the first group of `weights` that it has any of, and all of `beside`.

    Patterns are those of a shell, whose * also stands for folders. `into` is the folder on the shelf. It is
    asked for nothing where a source before it has files that match `unless`.
    """

    repository: str
    weights: tuple[tuple[str, ...], ...]
    beside: tuple[str, ...]
    into: str = ""
    unless: str = ""


@dataclass(frozen=True)
class Entry:
    """One public checkpoint."""

    name: str  # on the shelf
    title: str
    maker: str
    family: str
    licence: Licence
    sources: tuple[Source, ...]  # the first is the checkpoint's own repository
    bytes: int  # to get
    engines: tuple[EngineName, ...]
    takes: tuple[str, ...]  # beside words: lanes by their names, and what else it hears
    rate: int
    channels: int
    window: float
    can: tuple[Can, ...]
    gated: bool = False  # its page asks for consent, so a login is needed
    about: bool = True  # the bytes are estimated
    released: bool = False  # in its makers' own format, so it is converted once it was got

    @property
    def repository(self) -> str:
        """The repository that is its own."""
        return self.sources[0].repository

    @property
    def slots(self) -> tuple[str, ...]:
        """Networks that it may stand for, "ar" and "fm"."""
        return tuple(dict.fromkeys(BY_NAME[engine].network for engine in self.engines))


MIT = Licence(
    "MIT",
    "https://opensource.org/license/mit",
    "Use it for anything",
    "You may use, change and share the model, also commercially, keeping its copyright notice.",
)
STABILITY = Licence(
    "Stability Community",
    "https://stability.ai/community-license-agreement",
    "Free below $1 M yearly revenue",
    "You may use, change and share the model, also commercially while you or your company earn less than "
    "one million US dollars a year; beyond that the makers sell a licence. Its text encoder has "
    "Google's Gemma terms.",
)
NO_COMMERCE = Licence(
    "CC BY-NC 4.0",
    "https://creativecommons.org/licenses/by-nc/4.0/",
    "Not for commercial use",
    "You may use, change and share the model, naming Meta.",
    "Its makers allow this model for unpaid work only; treat music made with it the same way.",
    commercial=False,
)

_WORDS = {  # licences of the user's own models, by the beginnings of their names
    "MIT": MIT.words,
    "Apache": MIT.words,
    "CC0": MIT.words,
    "CC-BY-NC": NO_COMMERCE.words,
    "CC BY-NC": NO_COMMERCE.words,
    "CC-BY-SA": "Name the makers, share alike",
    "CC-BY": "Name the makers",
    "CC BY": "Name the makers",
    "Stability": STABILITY.words,
}
LINKS = {  # texts of licences that models of the user's have, by their SPDX names
    "MIT": MIT.link,
    "Apache-2.0": "https://www.apache.org/licenses/LICENSE-2.0",
    "CC0-1.0": "https://creativecommons.org/publicdomain/zero/1.0/",
    "CC-BY-4.0": "https://creativecommons.org/licenses/by/4.0/",
    "CC-BY-SA-4.0": "https://creativecommons.org/licenses/by-sa/4.0/",
    "CC-BY-NC-4.0": NO_COMMERCE.link,
}

_SETTINGS = ("*.json", "*.txt", "*.model", "LICENSE*", "NOTICE*")
_SAFE_OR_BIN = (("*.safetensors",), ("pytorch_model*.bin",))
_T5GEMMA = "t5gemma-b-b-ul2"  # lies beside Stable Audio 3's own weights, and at Google's
_ACE_HOME = "ACE-Step/Ace-Step1.5"  # what all its checkpoints of one size share lies here
_ACE_SHARED = ("vae", "Qwen3-Embedding-0.6B")


def _stable_audio(name: str, title: str, gigabytes: float, window: float) -> Entry:
    own = Source(f"stabilityai/{name}", (("*.safetensors",),), _SETTINGS)
    text = Source(f"google/{_T5GEMMA}", (("*.safetensors",),), _SETTINGS, _T5GEMMA, f"{_T5GEMMA}/*")
    return Entry(
        name,
        title,
        "Stability AI",
        "stable-audio-3",
        STABILITY,
        (own, text),
        round(gigabytes * 1e9),
        ("fm", "fm-zero-shot"),
        (),
        44_100,
        2,
        window,
        ("generate", "fill", "continue"),
        gated=True,
        released=True,
    )


def _within(folders: tuple[str, ...]) -> Source:
    """Parts that stand in folders of the repository that ACE-Step's checkpoints share."""
    weights = tuple(f"{folder}/*.safetensors" for folder in folders)
    beside = tuple(f"{folder}/{name}" for folder in folders for name in ("*.json", "*.txt"))
    silence = tuple(f"{folder}/silence_latent.pt" for folder in folders)
    return Source(_ACE_HOME, (weights,), (*beside, *silence, "LICENSE*"))


def _ace_step(name: str, title: str, gigabytes: float, sources: tuple[Source, ...]) -> Entry:
    parts: tuple[Can, ...] = ("add parts", "take parts out") if name.endswith("-base") else ()
    return Entry(
        name,
        title,
        "ACE Studio, StepFun",
        "ace-step",
        MIT,
        sources,
        round(gigabytes * 1e9),
        ("fm", "fm-zero-shot"),
        ("lyrics", "tempo", "key"),
        48_000,
        2,
        600.0,
        ("generate", "fill", "continue", *parts),
    )


def _ace_small(kind: str) -> Entry:
    name = f"acestep-v15-{kind}"
    if kind == "turbo":
        sources: tuple[Source, ...] = (_within((name, *_ACE_SHARED)),)
    else:
        own = Source(
            f"ACE-Step/{name}", (("*.safetensors",),), ("*.json", "silence_latent.pt", "LICENSE*"), name
        )
        sources = (own, _within(_ACE_SHARED))
    return replace(_ace_step(name, f"ACE-Step 1.5 {kind}", 6.3, sources), released=True)


def _ace_large(kind: str) -> Entry:
    source = Source(f"ACE-Step/acestep-v15-xl-{kind}-diffusers", (("*.safetensors",),), _SETTINGS)
    return _ace_step(f"acestep-v15-xl-{kind}", f"ACE-Step 1.5 XL {kind}", 12.6, (source,))


def _musicgen(size: str, gigabytes: float, channels: int = 1, takes: tuple[str, ...] = ()) -> Entry:
    name = f"musicgen-{size}"
    source = Source(f"facebook/{name}", (*_SAFE_OR_BIN, ("*state_dict.bin",)), _SETTINGS)
    return Entry(
        name,
        f"MusicGen {size.replace('-', ' ')}",
        "Meta",
        "musicgen",
        NO_COMMERCE,
        (source,),
        round(gigabytes * 1e9),
        ("ar",),
        takes,
        32_000,
        channels,
        30.0,
        ("generate", "fill", "continue"),
        about=size != "small",
    )


def _jasco(size: str, gigabytes: float) -> Entry:
    name = f"jasco-chords-drums-melody-{size}"
    own = Source(
        f"facebook/{name}", (("*.safetensors",), ("*.bin", "*.th")), ("*.json", "*.yaml", "LICENSE*")
    )
    text = Source("google-t5/t5-base", _SAFE_OR_BIN, _SETTINGS, "t5-base")
    return Entry(
        name,
        f"JASCO {size}",
        "Meta",
        "jasco",
        NO_COMMERCE,
        (own, text),
        round(gigabytes * 1e9),
        ("fm-zero-shot",),
        ("chords", "melody", "drums"),
        32_000,
        1,
        10.0,
        ("generate", "fill", "continue"),
        gated=True,
    )


CATALOGUE: tuple[Entry, ...] = (
    _stable_audio("stable-audio-3-small-music", "Stable Audio 3 small", 3.5, 120.0),
    _stable_audio("stable-audio-3-small-music-base", "Stable Audio 3 small, base", 3.5, 120.0),
    _stable_audio("stable-audio-3-medium", "Stable Audio 3 medium", 10.4, 380.0),
    _stable_audio("stable-audio-3-medium-base", "Stable Audio 3 medium, base", 10.4, 380.0),
    *(_ace_small(kind) for kind in ("turbo", "base", "sft")),
    *(_ace_large(kind) for kind in ("turbo", "base", "sft")),
    _musicgen("small", 2.4),
    _musicgen("medium", 8.0),
    _musicgen("large", 13.8),
    _musicgen("melody", 6.2, takes=("melody",)),
    _musicgen("stereo-small", 2.4, channels=2),
    _musicgen("stereo-medium", 8.0, channels=2),
    _musicgen("stereo-large", 13.8, channels=2),
    _jasco("400M", 2.8),
    _jasco("1B", 5.2),
)
_BY_NAME = {entry.name: entry for entry in CATALOGUE}


def entry_of(name: str) -> Entry:
    """The row of a name; InputError with names that come near where there is none."""
    if name in _BY_NAME:
        return _BY_NAME[name]
    near = difflib.get_close_matches(name.lower(), _BY_NAME, 3, 0.5)
    nearest = f"nearest: {', '.join(near)}" if near else "inlay models lists them"
    raise InputError(f"model {name[:64]!r}: none of that name is known; {nearest}")


def known(name: str) -> Entry | None:
    """The row of a name, or None for one of the user's own."""
    return _BY_NAME.get(name)


def licence_words(name: str) -> str:
    """What a licence allows, in a few words, by its name."""
    if not name:
        return "Nobody says what it may be used for"
    return next(
        (words for begin, words in _WORDS.items() if name.startswith(begin)), "Read its licence first"
    )
