"""What a run did and what was heard in a recording, JSON-ready: for `--json` and for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from editor.runs import jobs
from engines.requests import InpaintRequest, Result

if TYPE_CHECKING:
    from engines.analysis.analyze import Analysis  # loads librosa


def of_run(result: Result, asked: jobs.Asked) -> dict[str, Any]:
    """What a run did, JSON-ready. Its parameters can be replayed: those of the engine that was taken."""
    request = result.request
    if not isinstance(asked, jobs.Extension):
        asked = request
    told: dict[str, Any] = {
        "engine": request.engine,
        "seed": request.seed,
        "parameters": {**jobs.request_to_json(asked), **result.parameters},
        "timings": result.timings,
        "seconds_spent": result.seconds_spent,
        "real_time_factor": result.real_time_factor,
        "audio": {
            "seconds": result.audio.seconds,
            "rate": result.audio.rate,
            "channels": result.audio.channels,
            "format": result.audio.format,
            "subtype": result.audio.subtype,
        },
    }
    if isinstance(request, InpaintRequest):
        told["seams"] = [asdict(seam) for seam in result.seams]
        told["failed"] = result.failed
        told["note"] = request.source.note
    return jobs.plain(told)


def of_hearing(heard: Analysis) -> dict[str, Any]:
    """What was heard in a recording; times in seconds on its clock."""
    rhythm, chords_, melody, drums = heard.rhythm, heard.chords, heard.melody, heard.drums
    told = {
        "seconds": heard.seconds,
        "tempo": {
            "bpm": round(rhythm.bpm, 2),
            "beats_per_bar": rhythm.beats_per_bar,
            "confidence": rhythm.confidence,
            "bar_confidence": rhythm.bar_confidence,
        },
        "beats": rhythm.beats,
        "downbeats": rhythm.downbeats,
        "key": {"name": heard.key.name, "confidence": heard.key.confidence},
        "chords": _rows(chords_.chords, chords_.confidence),
        "chords_by": chords_.method,
        "simplified": chords_.simplified,
        "melody": _rows(melody.notes, melody.confidence),
        "drums": _rows(drums.hits, drums.confidence),
        "instruments": _rows(heard.instruments.parts, heard.instruments.confidence),
        "loudness": heard.loudness,
        "level": {"unit": heard.level.unit, "step": 0.1, "values": heard.level.values},
        "brightness": {"unit": heard.brightness.unit, "step": 0.1, "values": heard.brightness.values},
    }
    return jobs.plain(told)


def _rows(items: Sequence[Any], confidence: Sequence[float]) -> list[dict[str, Any]]:
    return [
        {**asdict(item), "confidence": round(sure, 3)} for item, sure in zip(items, confidence, strict=True)
    ]
