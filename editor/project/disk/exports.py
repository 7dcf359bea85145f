"""What leaves a project: audio, stems, MIDI, a take's request, all of it, and the blind ratings.

Lossless kinds hold the clip's own samples. Files are written into the project's exports/ folder and
replace those of the export before. Times in seconds. Loads no torch.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import soundfile

from editor.project import blind, lanes, versions
from editor.project.disk import library, sounds
from editor.project.document import Project, Sound
from editor.runs.job import Job
from editor.runs.replay import request_from
from engines.audio.recording import Recording, read_recording, resample, write_recording
from engines.audio.timebase import seconds_to_samples
from engines.errors import InputError

KINDS = ("wav", "flac", "mp3", "stems", "midi", "project", "request", "blind", "ratings")
FORMAT = 1  # of a request's JSON
MAX_JSON = 64 << 20  # bytes of one
_MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)  # Hz, what MP3 knows
_MP3_QUALITY = 0.1  # libsndfile's compression level: close to LAME's V1


def export(folder: Path, project: Project, kind: str, take: str = "") -> tuple[Path, str]:
    """Write one kind of export; the file and the name that it shall have on the user's disk.

    `take` names the take of a request. InputError when there is nothing to export, or no such kind.
    """
    if kind not in KINDS:
        raise InputError(f"export {kind[:20]!r}: expected one of {', '.join(KINDS)}")
    place = folder / "exports"
    name = _safe(title(project))
    try:
        shutil.rmtree(place, ignore_errors=True)
        place.mkdir(exist_ok=True)
        if kind == "midi":
            return _midi(place, project, name)
        if kind == "project":
            path = place / "project.zip"
            library.pack(folder, path)
            return path, f"{_safe(project.name)}.zip"
        if kind == "request":
            return _request(place, folder, project, take)
        if kind in ("blind", "ratings"):
            if not project.rounds:
                raise InputError("no ratings yet: vote in a blind round first")
            path = place / f"{kind}.csv"
            text = blind.table_csv(project) if kind == "blind" else blind.ratings_csv(project)
            path.write_text(text, "utf-8", newline="")
            return path, f"{name} {'blind test' if kind == 'blind' else 'ratings'}.csv"
        if project.clip is None:
            raise InputError("nothing to export: upload a recording or generate a clip first")
        recording = sounds.read_sound(folder, project.clip.sound)
        if kind == "stems":
            return _stems(place, folder, project, recording, name)
        path = place / f"clip.{kind}"
        if kind == "mp3":
            _mp3(path, recording)
        else:
            write_recording(path, _plain(recording, kind))
        return path, f"{name}.{kind}"
    except OSError as error:
        raise InputError(f"export: cannot be written ({error.strerror}); free some space") from error


def title(project: Project) -> str:
    """What an export is called: the song's name, and that a part of it is re-made."""
    if project.clip is None:
        return project.name
    label = Path(project.clip.label).stem if "." in project.clip.label else project.clip.label
    return f"{label or project.name}{' inlay' if project.clip.patches else ''}"


def _safe(name: str) -> str:
    """A name fit for any file system."""
    kept = "".join(char if char.isalnum() or char in " -_." else "-" for char in name).strip(" .")
    return kept[:60] or "clip"


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


def _stems(place: Path, folder: Path, project: Project, recording: Recording, name: str) -> tuple[Path, str]:
    """A zip of the clip's spans, and of every take's span, each as a lossless file of its own."""
    parts: list[tuple[str, Recording]] = []
    for number, span in enumerate(project.spans, start=1):
        first, last = (seconds_to_samples(time, recording.rate) for time in (span.start, span.end))
        part = replace(recording, samples=recording.samples[first:last], chunks=())
        parts.append((f"span {number} {span.start:.2f}-{span.end:.2f} s", part))
    for number, take in enumerate((take for take in project.takes if not take.deleted), start=1):
        span_words = f" {take.region.start:.2f}-{take.region.end:.2f} s" if take.region else ""
        audio = sounds.read_sound(folder, Sound(take.file))
        parts.append((f"take {number} {versions.take_label(take)}{span_words}", audio))
    if not parts:
        raise InputError("no stems: select a span, or make a take first")
    path = place / "stems.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as archive:
        for words, part in parts:
            file = place / "part.wav"
            write_recording(file, part)
            archive.write(file, f"{_safe(words)}.wav")
            file.unlink()
    return path, f"{name} stems.zip"


def _midi(place: Path, project: Project, name: str) -> tuple[Path, str]:
    path = place / "lanes.mid"
    lanes.write_midi(path, project.lanes, project.grid)
    return path, f"{name} lanes.mid"


def _request(place: Path, folder: Path, project: Project, id: str) -> tuple[Path, str]:
    take = versions.find_take(project, id)
    told: dict[str, Any] = {"inlay": "request", "version": FORMAT, "request": take.parameters}
    if take.source is not None:
        label = next((v.clip.label for v in project.versions if v.clip.sound == take.source), "")
        source = sounds.read_sound(folder, take.source)
        told["source"] = {"name": label, "samples": fingerprint(source)}
    path = place / "request.json"
    path.write_text(json.dumps(told, indent=1, allow_nan=False), "utf-8")
    return path, f"{_safe(title(project))} {_safe(versions.take_label(take))} request.json"


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
