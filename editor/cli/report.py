"""What a command did or heard, in a few lines for people. Times in seconds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from engines.requests import DRUMS, Result

if TYPE_CHECKING:
    from engines.analysis.analyze import Analysis


def sentence(result: Result, out: Path) -> str:
    seams = "".join(
        f", {seam.words[:1].lower()}{seam.words[1:]} at {seam.time:.2f} s" for seam in result.seams
    )
    why = f"; {result.comparison.why}" if result.comparison is not None else ""
    failed = "; failed: a seam is rougher than any moment of the original; try another seed or engine"
    more = f"{seams}{failed if result.failed else ''}{why}"
    return f"{out}: {result.audio.seconds:.2f} s in {result.seconds_spent:.1f} s{more}"


def analysis_lines(analysis: Analysis) -> list[str]:
    """What was heard in a few lines for people."""
    rhythm, key = analysis.rhythm, analysis.key
    tempo = (
        f"{rhythm.bpm:.1f} bpm, {rhythm.beats_per_bar} beats a bar, first downbeat at "
        f"{rhythm.downbeats[0]:.2f} s (confidence {rhythm.confidence:.2f})"
        if rhythm.downbeats
        else "none heard"
    )
    line = " ".join(f"{c.symbol}@{c.start:.2f}" for c in analysis.chords.chords)
    struck = {drum: sum(hit.drum == drum for hit in analysis.drums.hits) for drum in DRUMS}
    return [
        f"tempo: {tempo}",
        f"key: {f'{key.name} (confidence {key.confidence:.2f})' if key.name else 'none heard'}",
        f"chords by {analysis.chords.method}: {line or 'none heard'}",
        *(f"simplified: {words}" for words in analysis.chords.simplified),
        f"melody: {len(analysis.melody.notes)} notes",
        f"drums: {', '.join(f'{n} {drum}' for drum, n in struck.items() if n) or 'none heard'}",
        *_player_lines(analysis),
        f"loudness: {analysis.loudness:.1f} LUFS",
    ]


def _player_lines(analysis: Analysis) -> list[str]:
    line = getattr(analysis, "instruments", None)  # not every analysis listens for players
    if line is None:
        return []
    players = [
        f"{part.instrument}@{part.start:.2f}-{part.end:.2f} ({sure:.0%})"
        for part, sure in zip(line.parts, line.confidence, strict=True)
    ]
    return [f"players: {', '.join(players) or 'none heard'}"]


def fact_lines(facts: dict[str, Any], indent: str = "") -> list[str]:
    """Nested facts as indented lines."""
    lines = []
    for name, value in facts.items():
        words = str(name).replace("_", " ")
        if isinstance(value, (dict, list)) and not value:
            lines.append(f"{indent}{words}: none")
        elif isinstance(value, dict):
            lines.append(f"{indent}{words}")
            lines.extend(fact_lines(value, indent + "  "))
        elif isinstance(value, list):
            lines.append(f"{indent}{words}: {', '.join(map(str, value))}")
        else:
            lines.append(f"{indent}{words}: {f'{value:.4g}' if isinstance(value, float) else value}")
    return lines
