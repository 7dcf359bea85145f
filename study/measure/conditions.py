"""Held-out conditions: clips with their lanes and words, prompts for text alone, spans to re-make.

Everything is chosen by seed, so that every bundle is asked for the same. Audio is mono float [n] at
32 kHz, ten seconds; times are seconds from the clip's start. Knows no models and measures nothing.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from engines.requests import Chord, Controls, Hit, Note
from study.data.captions import SYNONYMS, UNSEEN
from study.data.dataset import controls_of, labels_of

RATE = 32_000
SECONDS = 10.0
CANDIDATES = 10  # instruments that the right one is looked for among
SPAN_SECONDS = (1.0, 5.0)
CONTEXT_SECONDS = 1.0  # least context on each side of a span
Audio = NDArray[np.float32]

# Wordings that no training caption uses; a rendered set that brings its own has precedence.
UNSEEN_PROMPTS = (
    "let the {lead} carry the theme over a {style} backing",
    "a {style} number in which the {lead} takes centre stage",
    "the {lead} sings on top while the band plays {style}",
    "foreground: {lead}; background: {style}",
)


@dataclass(frozen=True)
class Clip:
    """One held-out clip and what is known about it."""

    name: str
    audio: Audio  # [n], ten seconds
    label: dict[str, Any]
    controls: Controls  # None = lane not known

    @property
    def lead(self) -> str:
        """The melody's instrument, or ''."""
        return self.label.get("lead") or ""

    @property
    def prompt(self) -> str:
        """The clip's first caption, or ''."""
        captions = self.label.get("captions") or [""]
        return str(captions[0])


@dataclass(frozen=True)
class Span:
    """A span of a clip, in seconds."""

    start: float
    end: float


def trimmed(controls: Controls, end: float, start: float = 0.0) -> Controls:
    """What of `controls` lies in [start, end) seconds, on a clock that begins at `start`."""

    def inside(a: float, b: float) -> tuple[float, float]:
        return max(a, start) - start, min(b, end) - start

    return Controls(
        None
        if controls.chords is None
        else tuple(
            Chord(*inside(c.start, c.end), c.symbol)
            for c in controls.chords
            if c.start < end and c.end > start
        ),
        None
        if controls.melody is None
        else tuple(
            Note(*inside(n.start, n.end), n.pitch) for n in controls.melody if n.start < end and n.end > start
        ),
        None
        if controls.drums is None
        else tuple(Hit(h.time - start, h.drum) for h in controls.drums if start <= h.time < end),
    )


def labelled(folder: Path, count: int) -> list[Clip]:
    """The first `count` clips of a folder of shards, as `study.data.render` writes them, or fewer."""
    shards = [np.load(p, mmap_mode="r") for p in sorted(folder.glob("audio_*.npy"))]
    if not shards:
        raise SystemExit(
            f"{folder}: no audio_*.npy there; render the set first (python -m study.data.render --help)"
        )
    clips = []
    for i, (row, label) in enumerate(zip((c for s in shards for c in s), labels_of(folder), strict=True)):
        if i == count:
            break
        audio = row[: int(SECONDS * RATE)].astype(np.float32) / 32767
        clips.append(Clip(f"{folder.name}/{i}", audio, label, trimmed(controls_of(label), SECONDS)))
    return clips


def excerpts(folder: Path, count: int, seed: int = 0) -> list[Clip]:
    """`count` ten-second excerpts of the recordings in a folder of int16 [N] arrays, in turn, by seed.

    Nothing is known about them but their sound. Nearly silent places are passed over.
    """
    files = sorted(folder.glob("*.npy"))
    rng = np.random.default_rng(seed)
    rng.shuffle(files)
    arrays = [(p.stem, np.load(p, mmap_mode="r")) for p in files]
    size = int(SECONDS * RATE)
    arrays = [(name, a) for name, a in arrays if len(a) >= size]
    if not arrays:
        raise SystemExit(
            f"{folder}: no recordings of {SECONDS:g} s there; python -m study.data.recordings fetches them"
        )
    clips: list[Clip] = []
    for turn in range(20 * count):
        name, array = arrays[turn % len(arrays)]
        first = int(rng.integers(0, len(array) - size + 1))
        audio = array[first : first + size].astype(np.float32) / 32767
        if float(np.sqrt(np.mean(audio**2))) > 0.005:
            clips.append(Clip(f"{name}@{first / RATE:.2f}", audio, {}, Controls()))
        if len(clips) == count:
            break
    return clips


def names_lead(text: str, lead: str) -> bool:
    """Whether a wording names an instrument by one of its names."""
    names = {lead, *SYNONYMS.get(lead, ()), UNSEEN.get(lead, lead)}
    return any(name.lower() in text.lower() for name in names)


def text_prompt(clip: Clip) -> str:
    """Words that name the clip's lead, in a wording as in training."""
    for caption in clip.label.get("captions") or ():
        if names_lead(caption, clip.lead):
            return str(caption)
    return f"{clip.label.get('style', 'music')} with {clip.lead} melody"


def unseen_prompt(clip: Clip, seed: int) -> str:
    """Words that name the clip's lead, in a wording that no training caption uses."""
    for caption in clip.label.get("unseen_captions") or ():
        if names_lead(caption, clip.lead):
            return str(caption)
    form = UNSEEN_PROMPTS[seed % len(UNSEEN_PROMPTS)]
    return form.format(lead=clip.lead, style=clip.label.get("style", "music"))


def candidates(lead: str, leads: Sequence[str], seed: int) -> tuple[str, ...]:
    """CANDIDATES instruments, the right one and others of `leads`, by seed."""
    others = sorted(set(leads) - {lead})
    if len(others) < CANDIDATES - 1:
        raise ValueError(
            f"{len(others) + 1} leads are known: at least {CANDIDATES} are needed; train on more"
        )
    return (lead, *random.Random(f"{lead}/{seed}").sample(others, CANDIDATES - 1))


def spans(count: int, seed: int = 0) -> list[Span]:
    """`count` spans of SPAN_SECONDS with CONTEXT_SECONDS on either side, in clips of SECONDS."""
    rng = np.random.default_rng(seed)
    out = []
    for _ in range(count):
        length = float(rng.uniform(*SPAN_SECONDS))
        start = float(rng.uniform(CONTEXT_SECONDS, SECONDS - CONTEXT_SECONDS - length))
        out.append(Span(round(start, 3), round(start + length, 3)))
    return out
