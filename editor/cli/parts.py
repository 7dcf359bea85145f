"""Arguments -> parts of a request, and files that are checked before any work is done."""

from __future__ import annotations

import argparse
import os
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from editor.project import band, commands, lanes, wording
from engines.audio.recording import Recording, read_recording, write_recording
from engines.audio.timebase import Grid
from engines.checkpoints.found import find_checkpoint
from engines.errors import InputError
from engines.knobs import knobs
from engines.music import chords
from engines.requests import ARSettings, Controls, FMSettings, Guidance, Part, SpanTask

LOSSLESS = (".wav", ".flac", ".aif", ".aiff", ".caf", ".au", ".w64")  # what --out may end in


def controls(arguments: argparse.Namespace, seconds: float, start: float, end: float) -> Controls:
    """The lanes that were given for a clip of so many seconds; without --instruments, whom the words name
    plays, or does not, in [start, end) of it."""
    line, melody, drums = arguments.chords, arguments.melody, arguments.drums
    if arguments.instruments is None:
        named = wording.named_in(commands.check_prompt(arguments.prompt))
        parts = tuple(Part(start, end, word.name, word.plays) for word in named) if end > start else ()
    else:
        parts = band.parse_line(arguments.instruments, seconds)
    return Controls(
        None if line is None else chords.parse_line(line, seconds),
        None if melody is None else lanes.melody_from_midi(melody),
        None if drums is None else lanes.drums_from_midi(drums),
        parts or None,
        grid(arguments),
    )


def grid(arguments: argparse.Namespace) -> Grid | None:
    """The beat that was given; None where nothing of it was."""
    bpm, meter, first = arguments.bpm, arguments.meter, arguments.beat1
    if bpm is None:
        if meter is not None or first is not None:
            raise InputError(
                "--meter and --beat1 say nothing without a tempo; add --bpm, for instance --bpm 120"
            )
        return None
    try:
        return Grid(bpm, 4 if meter is None else meter, 0.0 if first is None else first)
    except ValueError as error:
        raise InputError(f"--bpm and --meter: {error}") from error


def task(arguments: argparse.Namespace) -> dict[str, Any]:
    """What an inpaint request is about where it is about one part of the music; else nothing."""
    named: dict[SpanTask, str | None] = {
        "add": arguments.add,
        "take-out": arguments.take_out,
        "alone": arguments.alone,
    }
    return next(
        ({"task": name, "part": part.strip().lower()} for name, part in named.items() if part is not None),
        {},
    )


def settings(arguments: argparse.Namespace) -> tuple[ARSettings, FMSettings]:
    """The knobs of both kinds of engines: what is not named is as the checkpoint has it.

    `--zero-shot` waits for the checkpoint, which has its own.
    """
    weights: Guidance | None = arguments.guidance
    spec = find_checkpoint(arguments.bundle, arguments.device).spec
    return (
        replace(spec.ar, **_turned(arguments, ARSettings), guidance=weights),
        replace(spec.fm, **_turned(arguments, FMSettings), guidance=weights),
    )


def _turned(arguments: argparse.Namespace, owner: type) -> dict[str, Any]:
    """The fields of an engine's settings that the command line names."""
    known = {name: getattr(arguments, name, None) for name in knobs(owner) if name != "zero_shot"}
    return {name: value for name, value in known.items() if value is not None}


def recordings(arguments: argparse.Namespace) -> tuple[Recording, Path]:
    """The input and where the output goes; InputError where the one would overwrite the other."""
    path = Path(arguments.input)
    out = output(arguments.out)
    if out.exists() and path.exists() and out.samefile(path):
        raise InputError(
            f"{arguments.out}: the input itself, which is never overwritten; choose another --out"
        )
    source = read_recording(path)
    check_format(out, source)
    return source, out


def output(name: str) -> Path:
    """The output path, checked before any work is done."""
    out = Path(name)
    if out.suffix.lower() not in LOSSLESS:
        raise InputError(
            f"--out {name[:80]!r}: expected a file name that ends in .wav (or {', '.join(LOSSLESS[1:])})"
        )
    if out.is_dir():
        raise InputError(f"--out {name[:80]!r}: a folder; name a file in it")
    parent = out.parent
    if not parent.is_dir():
        raise InputError(f"--out {name[:80]!r}: no folder {str(parent)!r}; make it first")
    if not os.access(parent, os.W_OK):
        raise InputError(f"--out {name[:80]!r}: the folder cannot be written to; choose another")
    return out


def midi_output(name: str) -> Path:
    """The path of a MIDI file to write, checked before any work is done."""
    out = Path(name)
    if out.suffix.lower() not in (".mid", ".midi"):
        raise InputError(f"--midi {name[:80]!r}: expected a file name that ends in .mid")
    if not out.parent.is_dir() or not os.access(out.parent, os.W_OK):
        raise InputError(f"--midi {name[:80]!r}: its folder cannot be written to; choose another")
    return out


def check_format(out: Path, source: Recording) -> None:
    """InputError when the file type that --out names cannot hold the source's samples."""
    with tempfile.TemporaryDirectory() as folder:
        write_recording(Path(folder) / out.name, replace(source, samples=source.samples[:1]))
