"""What is heard again in a take: chords and melody of its span, to be shown over the lanes.

Times in seconds on the clip's clock. Loads no torch; knows neither sessions nor components.
"""

from __future__ import annotations

import json
import threading
from contextlib import suppress
from dataclasses import asdict, astuple, dataclass, replace
from functools import lru_cache
from hashlib import sha256
from pathlib import Path

from editor.project.disk import sounds
from editor.project.disk.files import PREVIEWS, write_atomic
from editor.project.document import Region, Sound, Take
from editor.runs import hearing
from engines.audio.timebase import seconds_to_samples
from engines.requests import Chord, Note

_one = threading.Lock()  # a take that is asked for twice at once is heard once


@dataclass(frozen=True)
class Ghost:
    """What was heard inside a take's span (for a generated clip, in all of it)."""

    chords: tuple[Chord, ...]  # without `N`
    melody: tuple[Note, ...]  # what is likely enough to be drawn

    def shifted(self, seconds: float) -> Ghost:
        """The same, so much later."""
        return Ghost(
            tuple(
                replace(chord, start=chord.start + seconds, end=chord.end + seconds) for chord in self.chords
            ),
            tuple(replace(note, start=note.start + seconds, end=note.end + seconds) for note in self.melody),
        )


def ghost(folder: Path, take: Take) -> Ghost:
    """Chords and melody heard in a take; InputError when its audio is gone. Remembered for a while."""
    with _one:
        return _listen(folder, take.sound, take.region)


def _kept(folder: Path, sound: Sound, region: Region | None) -> Path:
    """Where what was heard is written down, so that a restart need not listen again."""
    told = json.dumps([asdict(sound), asdict(region) if region else None])
    return folder / PREVIEWS / f"heard-{sha256(told.encode()).hexdigest()[:16]}.json"


def _read(path: Path) -> Ghost | None:
    try:
        told = json.loads(path.read_bytes())
        return Ghost(
            tuple(Chord(*chord) for chord in told["chords"]), tuple(Note(*note) for note in told["melody"])
        )
    except (OSError, ValueError, TypeError, KeyError):
        return None


@lru_cache(maxsize=128)
def _listen(folder: Path, sound: Sound, region: Region | None) -> Ghost:
    path = _kept(folder, sound, region)
    if (known := _read(path)) is not None:
        return known
    heard = _analysed(folder, sound, region)
    with suppress(OSError):
        path.parent.mkdir(exist_ok=True)
        told = {
            "chords": [astuple(chord) for chord in heard.chords],
            "melody": [astuple(note) for note in heard.melody],
        }
        write_atomic(path, json.dumps(told).encode())
    return heard


def _analysed(folder: Path, sound: Sound, region: Region | None) -> Ghost:
    from engines.analysis.analyze import analyze

    recording = sounds.read_sound(folder, sound)
    begin, end = (0.0, recording.seconds) if region is None else (region.start, region.end)
    # What sounds before and behind tells beats and key; only what lies inside is shown.
    start = max(0.0, begin - hearing.CONTEXT_SECONDS)
    stop = min(recording.seconds, end + hearing.CONTEXT_SECONDS)
    first, last = seconds_to_samples(start, recording.rate), seconds_to_samples(stop, recording.rate)
    mono = recording.as_float(first, last).mean(axis=1)  # [n, C] -> [n]
    result = analyze(mono, recording.rate).shifted(start)
    chords = (Chord(max(c.start, begin), min(c.end, end), c.symbol) for c in result.chords.chords)
    likely = zip(result.melody.notes, result.melody.confidence, strict=True)
    notes = (
        Note(max(note.start, begin), min(note.end, end), note.pitch)
        for note, sure in likely
        if sure >= hearing.MELODY_CONFIDENCE
    )
    return Ghost(
        tuple(chord for chord in chords if chord.end > chord.start and chord.symbol not in ("N", "UNK")),
        tuple(note for note in notes if note.end - note.start >= 0.02),
    )
