"""What is asked of a span that was not there: other words, chords, melody, drums, each with its twin.

A held-out piece and its twin differ in one thing (`study.data.corpus`), so the twin's own sound in the span
is what a perfect filling would be: the ceiling. Of recordings, which have no twin, what is heard is moved.
Pairs are looked for by seed and rendered once, below `runs/data/asks`. Audio is mono float [n] at 32 kHz,
ten seconds; times are seconds. Knows no models.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

import numpy as np
from numpy.typing import NDArray

from engines.analysis.analyze import analyze
from engines.filling.score import LIKELY
from engines.music.chords import ROOTS, parse
from engines.music.chords import root as root_of
from engines.requests import CHANGES, Change, Chord, Controls, Hit, Note, Part
from study.data.dataset import controls_of
from study.measure import metrics
from study.measure.conditions import Clip, text_prompt, trimmed
from study.measure.spans import MARGIN, RATE, RECORDINGS, RENDERS, SECONDS, Piece, pieces

Audio = NDArray[np.float32]
Lane = Literal["chords", "melody", "drums"]
FIRST: Final = 1_300_000_000  # first seed looked at: held out, and every odd one a twin
FOLDER: Final = Path("runs/data/asks")
SHORTEST, LONGEST = 2.5, 5.0  # seconds of a span: long enough to hear a chord change in
SUNG: Final = 0.4  # share of a span in which its melody sounds, where the melody or its player is asked for
# What the twin differs in, for each kind of request.
TWINS: Final[dict[Change, str]] = {
    "words": "lead", "instruments": "lead", "chords": "harmony", "melody": "line", "drums": "drums",
}  # fmt: skip
LEADS: Final = ("flute", "violin", "trumpet", "grand piano", "nylon guitar", "clarinet", "cello", "harp")
PATIENCE: Final = 3  # recordings that are looked at for each one that is asked something
ASKED: tuple[Change, ...] = ("words", "chords", "melody", "drums")


@dataclass(frozen=True)
class Ask:
    """One changed request, and what is known of the answer."""

    kind: Change
    piece: Piece  # what was there, and the span
    prompt: str
    controls: Controls  # on the piece's clock; what was there outside the span, what is asked inside
    lead: str  # the instrument that is to lead, "" where that is not asked
    was: str  # the one that leads in the piece
    twin: Audio | None  # [320000], the piece with the change throughout; None of a recording

    def spliced(self, inside: Audio) -> Audio:
        """The piece [n] with `inside` [m] in its span."""
        audio, (a, b) = self.piece.audio.copy(), self.piece.samples
        audio[a:b] = inside[: b - a]
        return audio

    @property
    def ideal(self) -> Audio:
        """The twin's own sound in the span [m]. Raises ValueError where there is no twin."""
        if self.twin is None:
            raise ValueError("ask of a recording: it has no twin; only renders have a ceiling")
        a, b = self.piece.samples
        return self.twin[a:b]


def spliced_lanes(outside: Controls, inside: Controls, start: float, end: float) -> Controls:
    """Lanes that are `inside` within [start, end) seconds and `outside` elsewhere; None where both are."""

    def join(a: tuple[Any, ...] | None, b: tuple[Any, ...] | None) -> tuple[Any, ...] | None:
        if a is None and b is None:
            return None
        before = [replace(x, end=min(x.end, start)) for x in a or () if x.start < start]
        after = [replace(x, start=max(x.start, end)) for x in a or () if x.end > end]
        within = [replace(x, start=max(x.start, start), end=min(x.end, end)) for x in b or ()
                  if x.start < end and x.end > start]  # fmt: skip
        return tuple(x for x in (*before, *within, *after) if x.end - x.start > 1e-3)

    hits = None
    if outside.drums is not None or inside.drums is not None:
        kept = [h for h in outside.drums or () if not start <= h.time < end]
        hits = tuple(sorted([*kept, *(h for h in inside.drums or () if start <= h.time < end)],
                            key=lambda h: h.time))  # fmt: skip
    return Controls(join(outside.chords, inside.chords), join(outside.melody, inside.melody), hits)


def differs(kind: Change, was: Controls, asked: Controls, start: float, end: float) -> bool:
    """Whether what is asked can be heard to be asked, within [start, end) seconds."""
    old, new = trimmed(was, end, start), trimmed(asked, end, start)
    length = end - start
    sung = sum(note.end - note.start for note in new.melody or ()) / length
    if kind in ("words", "instruments"):
        return sung >= SUNG
    if kind == "melody":
        return (
            sung >= SUNG
            and not metrics.melody_score(old.melody or (), new.melody or (), length).raw_chroma > 0.4
        )
    if kind == "chords":
        return bool(new.chords) and metrics.chord_iou(old.chords or (), new.chords or (), length).share < 0.35
    return len(new.drums or ()) >= 4 and metrics.drum_f1(old.drums or (), new.drums or ()) < 0.6


def _place(
    kind: Change, was: Controls, asked: Controls, rng: np.random.Generator
) -> tuple[float, float] | None:
    """A span in which the two differ; None where none was found."""
    for _ in range(30):
        length = float(rng.uniform(SHORTEST, LONGEST))
        start = float(rng.uniform(MARGIN, SECONDS - MARGIN - length))
        if differs(kind, was, asked, start, start + length):
            return start, start + length
    return None


def _pairs(
    change: str, folder: Path
) -> Iterator[tuple[tuple[Audio, dict[str, Any]], tuple[Audio, dict[str, Any]]]]:
    """(audio, label) of a piece and of its twin, one pair after the other that differ in `change`."""
    from study.data import render
    from study.data.corpus import arrange

    sources, seed = render.found_sources(), FIRST
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / f"{change}.json"  # the seeds found so far, and the first not looked at
    known: list[int] = json.loads(note.read_text())["seeds"] if note.exists() else []
    for found in known:
        yield _pair(found, sources, folder)
    seed = json.loads(note.read_text())["next"] if note.exists() else FIRST
    while True:
        twin = arrange(seed + 1, sources.seconds, sources.grooves, sources.leadsheets)
        if twin.change == change and twin.twin_of == seed:
            known.append(seed)
            note.write_text(json.dumps({"seeds": known, "next": seed + 2}))
            yield _pair(seed, sources, folder)
        seed += 2


def _pair(
    seed: int, sources: Any, folder: Path
) -> tuple[tuple[Audio, dict[str, Any]], tuple[Audio, dict[str, Any]]]:
    """Two renders, read from disk the second time."""
    from study.data import render

    file = folder / f"{seed}.npz"
    if not file.exists():
        sounds, labels = zip(*(render.clip(s, sources) for s in (seed, seed + 1)), strict=True)
        part = file.with_suffix(".part.npz")
        np.savez(part, audio=np.stack(sounds), labels=json.dumps(labels))
        part.rename(file)
    with np.load(file) as told:
        audio, both = told["audio"][:, : int(SECONDS * RATE)], json.loads(str(told["labels"]))
    first, second = (np.asarray(row, np.float32) / np.float32(32767) for row in audio)
    return (first, both[0]), (second, both[1])


def asks(kind: Change, count: int, seed: int = 0, folder: Path = FOLDER) -> list[Ask]:
    """`count` changed requests of a kind, with their twins; rendered where they are not there yet."""
    if kind not in TWINS:
        raise ValueError(f"kind {kind!r}: expected one of {', '.join(CHANGES)}")
    made: list[Ask] = []
    for i, ((audio, old), (twin, new)) in enumerate(_pairs(TWINS[kind], folder)):
        if len(made) == count:
            break
        was, then = trimmed(controls_of(old), SECONDS), trimmed(controls_of(new), SECONDS)
        span = _place(kind, was, then, np.random.default_rng([seed, i]))
        if span is not None:
            piece = Piece(audio, *span, str(old["captions"][0]), False)
            made.append(_ask(kind, piece, was, then, (old["lead"] or "", new["lead"] or ""), new, twin))
    return made


def heard_lanes(audio: Audio) -> Controls:
    """The lanes that are heard in a piece [n]; melody notes that are likely enough to be drawn."""
    heard = analyze(audio, RATE)
    likely = zip(heard.melody.notes, heard.melody.confidence, strict=True)
    notes = tuple(note for note, sure in likely if sure >= LIKELY)
    return Controls(heard.chords.chords or None, notes or None, heard.drums.hits or None)


def recorded(
    kind: Change, count: int, seed: int = 0, renders: Path = RENDERS, recordings: Path = RECORDINGS
) -> list[Ask]:
    """Up to `count` changed requests of a kind for held-out recordings: what is heard in them, moved."""
    made: list[Ask] = []
    other = Controls()
    for i, piece in enumerate(pieces(PATIENCE * count, 1.0, seed, renders, recordings)):
        heard = heard_lanes(piece.audio) if kind != "words" else Controls()
        ask = of_recording(kind, piece, heard, other, LEADS[i % len(LEADS)])
        other = heard
        made += [ask] if ask is not None else []
        if len(made) == count:
            break
    return made


def _ask(
    kind: Change,
    piece: Piece,
    was: Controls,
    then: Controls,
    leads: tuple[str, str],
    label: dict[str, Any],
    twin: Audio,
) -> Ask:
    prompt, controls = piece.prompt, Controls()
    lead = leads[1] if kind in ("words", "instruments") else ""
    if kind == "words":
        prompt = text_prompt(Clip("", twin, label, then))
    elif kind == "instruments":
        span = piece.start, piece.end
        controls = Controls(instruments=(Part(*span, leads[1]), Part(*span, leads[0], plays=False)))
    else:
        controls = only(kind, spliced_lanes(was, then, piece.start, piece.end))
    return Ask(kind, piece, prompt, controls, lead, leads[0], twin)


def _raised(symbol: str, semitones: int) -> str:
    """A chord so much higher, its bass left out."""
    name, root = parse(symbol).symbol, root_of(symbol)
    return name if root is None else ROOTS[(root + semitones) % 12] + name.split("/")[0][len(ROOTS[root]) :]


def only(kind: Change, lanes: Controls) -> Controls:
    """One of the lanes alone."""
    return Controls(**{kind: getattr(lanes, kind)})


def of_recording(kind: Change, piece: Piece, heard: Controls, other: Controls, lead: str) -> Ask | None:
    """A changed request for a recording, from what is heard in it; None where that says too little.

    Chords move by six semitones, the melody by five, the drums are those of `other` (a piece's lanes),
    and the words name `lead`.
    """
    if kind == "words":
        return Ask(kind, piece, f"{lead} melody", Controls(), lead, "", None)
    moved = Controls(
        tuple(Chord(c.start, c.end, _raised(c.symbol, 6)) for c in heard.chords or ()) or None,
        tuple(Note(n.start, n.end, n.pitch + (5 if n.pitch < 79 else -7)) for n in heard.melody or ())
        or None,
        tuple(Hit(h.time, h.drum) for h in other.drums or ()) or None,
    )
    if getattr(moved, kind, None) is None or not differs(kind, heard, moved, piece.start, piece.end):
        return None
    lanes = only(kind, spliced_lanes(heard, moved, piece.start, piece.end))
    return Ask(kind, piece, piece.prompt, lanes, "", "", None)
