"""What leaves a project: audio, stems, MIDI, DAWproject, a take's request, all of it, and the blind ratings.

Lossless kinds hold the clip's own samples. Files are written into the project's exports/ folder and
replace those of the export before. Times in seconds. Loads no torch.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from editor.project import blind, lanes, sections, versions
from editor.project.disk import dawproject, library, sounds
from editor.project.disk.dawproject import safe
from editor.project.disk.files import EXPORTS, unplaced
from editor.project.document import Project, Sound, Take
from editor.runs.job import Job
from editor.runs.replay import request_from
from engines.audio.recording import Recording, read_recording, resample, write_recording
from engines.audio.timebase import seconds_to_samples
from engines.errors import InputError

KINDS = (
    "wav",
    "flac",
    "mp3",
    "stems",
    "midi",
    "dawproject",
    "project",
    "take",
    "section",
    "request",
    "blind",
    "ratings",
)
SOUNDING = ("wav", "flac", "mp3", "stems", "dawproject", "project", "take", "section")  # hold music
EVERY_TAKE = ("stems", "dawproject", "project")  # hold takes that are not in the clip, too
FORMAT = 1  # of a request's JSON
MAX_JSON = 64 << 20  # bytes of one
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)  # Hz, what MP3 knows
_MP3_QUALITY = 0.1  # libsndfile's compression level: close to LAME's V1


@dataclass(frozen=True)
class _Asked:
    """What is to leave, and where it is written."""

    place: Path  # the project's exports/
    folder: Path
    project: Project
    kind: str
    part: str  # id of the take or the section that is meant

    @property
    def name(self) -> str:
        """What its file is called, without an ending."""
        return safe(title(self.project))


def export(folder: Path, project: Project, kind: str, part: str = "") -> tuple[Path, str]:
    """Write one kind of export; the file and the name that it shall have on the user's disk.

    `part` names the take or section that is meant. InputError when there is nothing to export, or no such
    kind.
    """
    if kind not in KINDS:
        raise InputError(f"export {kind[:20]!r}: expected one of {', '.join(KINDS)}")
    place = folder / EXPORTS
    try:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(exist_ok=True)
        path, name = _WRITERS.get(kind, _clip)(_Asked(place, folder, project, kind, part))
        if kind in SOUNDING and notice(project, kind, part):
            stem, dot, ending = name.rpartition(".")
            name = f"{stem} (not for commercial use){dot}{ending}"
        return path, name
    except InputError as error:
        raise InputError(unplaced(str(error), folder)) from error
    except OSError as error:
        raise InputError(f"export: cannot be written ({error.strerror}); free some space") from error


def notice(project: Project, kind: str, part: str = "") -> str:
    """What the licences of the models that made an export forbid; empty where nothing is."""
    if kind not in SOUNDING:
        return ""
    takes: list[Take | None] = [versions.find_take(project, part)] if kind == "take" else [None]
    takes += [take for take in project.takes if not take.deleted] if kind in EVERY_TAKE else []
    each = dict.fromkeys(maker for take in takes for maker in versions.makers(project, take))
    bound = ", ".join(f"{one.name} ({one.licence})" for one in each if not one.commercial)
    return f"Made with {bound}: not for commercial use" if bound else ""


def take_title(project: Project, take: Take) -> str:
    """What the file of a take's own samples is called: the song, the take, and where they lie in it."""
    at = f" {take.region.start:.2f}-{take.region.end:.2f} s" if take.region else ""
    return safe(f"{safe(title(project))[:24]} {versions.take_label(take)[:16]}{at}")


def title(project: Project) -> str:
    """What an export is called: the song's name, and that a part of it is re-made."""
    if project.clip is None:
        return project.name
    label = Path(project.clip.label).stem if "." in project.clip.label else project.clip.label
    return f"{label or project.name}{' inlay' if project.clip.patches else ''}"


def _plain(recording: Recording, kind: str) -> Recording:
    """The recording in the container of an export; FLAC cannot hold floats."""
    if kind == "flac" and recording.samples.dtype.kind == "f":
        raise InputError(f"FLAC cannot hold {recording.subtype} samples as they are; export WAV instead")
    return recording


def _mp3(path: Path, recording: Recording) -> None:
    if recording.channels > 2:
        raise InputError(f"MP3 holds 1 or 2 channels, not {recording.channels}; export WAV instead")
    samples = recording.as_float()  # [N, C]
    rate = recording.rate
    if rate not in _MP3_RATES:
        rate = min((r for r in _MP3_RATES if r >= min(recording.rate, 48000)), default=48000)
        samples = resample(samples, recording.rate, rate)
    soundfile.write(path, np.clip(samples, -1, 1), rate, format="MP3", compression_level=_MP3_QUALITY)


def _heard(asked: _Asked) -> Recording:
    """The clip on the timeline."""
    if asked.project.clip is None:
        raise InputError("nothing to export: upload a recording or generate a clip first")
    return sounds.read_sound(asked.folder, asked.project.clip.sound)


def _clip(asked: _Asked) -> tuple[Path, str]:
    recording, kind = _heard(asked), asked.kind
    path = asked.place / f"clip.{kind}"
    if kind == "mp3":
        _mp3(path, recording)
    else:
        write_recording(path, _plain(recording, kind))
    return path, f"{asked.name}.{kind}"


def _stems(asked: _Asked) -> tuple[Path, str]:
    """A zip of the clip's spans, and of every take's span, each as a lossless file of its own."""
    recording, project = _heard(asked), asked.project
    parts: list[tuple[str, Recording]] = []
    for number, span in enumerate(project.spans, start=1):
        first, last = (seconds_to_samples(time, recording.rate) for time in (span.start, span.end))
        part = replace(recording, samples=recording.samples[first:last], chunks=())
        parts.append((f"span {number} {span.start:.2f}-{span.end:.2f} s", part))
    for number, take in enumerate((take for take in project.takes if not take.deleted), start=1):
        span_words = f" {take.region.start:.2f}-{take.region.end:.2f} s" if take.region else ""
        audio = sounds.read_sound(asked.folder, Sound(take.file))
        parts.append((f"take {number} {versions.take_label(take)}{span_words}", audio))
    if not parts:
        raise InputError("no stems: select a span, or make a take first")
    path = asked.place / "stems.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for words, part in parts:
            file = asked.place / "part.wav"
            write_recording(file, part)
            archive.write(file, f"{safe(words)}.wav")
            file.unlink()
    return path, f"{asked.name} stems.zip"


def _midi(asked: _Asked) -> tuple[Path, str]:
    path = asked.place / "lanes.mid"
    lanes.write_midi(path, asked.project.lanes, asked.project.grid)
    return path, f"{asked.name} lanes.mid"


def _dawproject(asked: _Asked) -> tuple[Path, str]:
    path = asked.place / "clip.dawproject"
    dawproject.write(path, asked.folder, asked.project, title(asked.project))
    return path, f"{asked.name}.dawproject"


def _project(asked: _Asked) -> tuple[Path, str]:
    path = asked.place / "project.zip"
    library.pack(asked.folder, path)
    return path, f"{safe(asked.project.name)}.zip"


def _ratings(asked: _Asked) -> tuple[Path, str]:
    project, kind = asked.project, asked.kind
    if not project.rounds:
        raise InputError("no ratings yet: vote in a blind round first")
    path = asked.place / f"{kind}.csv"
    text = blind.table_csv(project) if kind == "blind" else blind.ratings_csv(project)
    path.write_text(text, "utf-8", newline="")
    return path, f"{asked.name} {'blind test' if kind == 'blind' else 'ratings'}.csv"


def _take(asked: _Asked) -> tuple[Path, str]:
    """A take's own samples: those of its span, or of the whole clip that it is."""
    take = versions.find_take(asked.project, asked.part)
    path = asked.place / "take.wav"
    write_recording(path, sounds.read_sound(asked.folder, Sound(take.file)))
    return path, f"{take_title(asked.project, take)}.wav"


def _section(asked: _Asked) -> tuple[Path, str]:
    """The clip's samples from a section's first bar to its last."""
    recording, grid = _heard(asked), asked.project.grid
    section = sections.find_section(asked.project, asked.part)
    first, last = (
        seconds_to_samples(max(0.0, grid.beats_to_seconds(bar * grid.beats_per_bar)), recording.rate)
        for bar in (section.start, section.end)
    )
    path = asked.place / "section.wav"
    write_recording(path, replace(recording, samples=recording.samples[first:last], chunks=()))
    return path, f"{asked.name} {safe(section.name)}.wav"


def _request(asked: _Asked) -> tuple[Path, str]:
    take = versions.find_take(asked.project, asked.part)
    told: dict[str, Any] = {"inlay": "request", "version": FORMAT, "request": take.parameters}
    if take.source is not None:
        label = next((v.clip.label for v in asked.project.versions if v.clip.sound == take.source), "")
        source = sounds.read_sound(asked.folder, take.source)
        told["source"] = {"name": label, "samples": fingerprint(source)}
    path = asked.place / "request.json"
    path.write_text(json.dumps(told, indent=1, allow_nan=False), "utf-8")
    return path, f"{asked.name} {safe(versions.take_label(take))} request.json"


_WRITERS: dict[str, Callable[[_Asked], tuple[Path, str]]] = {  # kind -> who writes it, but for the clip's own
    "stems": _stems,
    "midi": _midi,
    "dawproject": _dawproject,
    "project": _project,
    "take": _take,
    "section": _section,
    "request": _request,
    "blind": _ratings,
    "ratings": _ratings,
}


def read_request(path: Path, source: Path | None = None) -> Job:
    """The request in a JSON file: one that was exported, or what `inlay generate` and `inpaint` report.

    `source` is the recording that a span was re-made of, or the folder of its project; None = the file
    beside the request that bears its name. InputError for anything else, and for another recording.
    """
    told = _object(path)
    parameters = told.get("request", told.get("parameters"))
    if not isinstance(parameters, Mapping):
        raise InputError(f"{path.name}: holds no request; export one from the page, or use --json's output")
    if parameters.get("kind") != "inpaint":
        return request_from(parameters, None)
    about = told.get("source")
    about = about if isinstance(about, Mapping) else {}
    if source is None:
        source = path.parent / Path(str(about.get("name", ""))).name
        if not source.is_file():
            raise InputError(f"{path.name}: its recording is not beside it; name it with --source")
    if source.is_dir():
        return request_from(parameters, source)
    recording = read_recording(source)
    if about.get("samples") not in (None, fingerprint(recording)):
        raise InputError(f"{source.name}: not the recording that the take was made from; name that one")
    return request_from(parameters, None, recording)


def _object(path: Path) -> dict[str, Any]:
    try:
        if path.stat().st_size > MAX_JSON:
            raise InputError(f"{path.name}: too large for a request; name the JSON of one take")
        told = json.loads(path.read_bytes())  # UTF-8, 16 or 32, with or without a mark
    except OSError as error:
        raise InputError(f"{path}: cannot be read ({error.strerror}); name a request's JSON") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path.name}: not JSON; export the request again") from error
    if not isinstance(told, dict):
        raise InputError(f"{path.name}: holds no request; export one from the page")
    return told


def fingerprint(recording: Recording) -> str:
    """SHA-256 of rate, channels and samples, whatever the container."""
    digest = hashlib.sha256(f"{recording.rate} {recording.samples.dtype} {recording.samples.shape}".encode())
    digest.update(np.ascontiguousarray(recording.samples).data)
    return digest.hexdigest()
