"""What a run did and what was heard in a recording, JSON-ready: for `--json` and for other programs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from editor.runs.job import Extension, Job
from editor.runs.replay import plain, request_to_json
from engines.requests import InpaintRequest, Result

if TYPE_CHECKING:
    from engines.analysis.analyze import Analysis


def of_run(result: Result, job: Job) -> dict[str, Any]:
    """What a run did, JSON-ready. Its parameters can be replayed: those of the engine that was taken."""
    request = result.request
    done = job if isinstance(job, Extension) else request
    report: dict[str, Any] = {
        "engine": request.engine,
        "seed": request.seed,
        "parameters": {**request_to_json(done), **result.resolved},
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
        report["seams"] = [asdict(seam) for seam in result.seams]
        report["failed"] = result.failed
        report["note"] = request.source.note
    return plain(report)


def of_analysis(analysis: Analysis) -> dict[str, Any]:
    """What was heard in a recording; times in seconds on its clock."""
    rhythm, chords_, melody, drums = analysis.rhythm, analysis.chords, analysis.melody, analysis.drums
    report = {
        "seconds": analysis.seconds,
        "tempo": {
            "bpm": round(rhythm.bpm, 2),
            "beats_per_bar": rhythm.beats_per_bar,
            "confidence": rhythm.confidence,
            "bar_confidence": rhythm.bar_confidence,
        },
        "beats": rhythm.beats,
        "downbeats": rhythm.downbeats,
        "key": {"name": analysis.key.name, "confidence": analysis.key.confidence},
        "chords": _rows(chords_.chords, chords_.confidence),
        "chords_by": chords_.method,
        "simplified": chords_.simplified,
        "melody": _rows(melody.notes, melody.confidence),
        "drums": _rows(drums.hits, drums.confidence),
        "instruments": _rows(analysis.instruments.parts, analysis.instruments.confidence),
        "loudness": analysis.loudness,
        "level": {"unit": analysis.level.unit, "step": 0.1, "values": analysis.level.values},
        "brightness": {"unit": analysis.brightness.unit, "step": 0.1, "values": analysis.brightness.values},
    }
    return plain(report)


def _rows(items: Sequence[Any], confidence: Sequence[float]) -> list[dict[str, Any]]:
    return [
        {**asdict(item), "confidence": round(sure, 3)} for item, sure in zip(items, confidence, strict=True)
    ]
