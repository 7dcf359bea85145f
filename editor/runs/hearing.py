"""What is heard in a recording, on the lanes; and the analysis of a clip in the background.

Pure functions `Analysis -> Lanes` and `Project -> Project`, and `AnalysisJob`, one piece of work of a session
in a thread of its own. Analyses are in seconds, lanes in beats. Only what was heard with confidence comes
onto a lane. Loads no torch; knows no components.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from editor.project import band, commands, drawing, lanes
from editor.project.disk import sounds
from editor.project.document import LaneHit, LaneItem, LanePart, Lanes, Project, Region, Sound
from engines.audio.timebase import Grid, seconds_to_samples
from engines.errors import Cancelled, InputError
from engines.progress import Progress
from engines.requests import Hit, Note

if TYPE_CHECKING:
    from engines.analysis.analyze import Analysis

log = logging.getLogger("inlay")

MELODY_CONFIDENCE = 0.35  # notes less likely than this are not drawn
DRUM_CONFIDENCE = 0.6
PLAYER_CONFIDENCE = 0.6  # where no player is surer, nobody knows who plays; the page draws such bars faint
MIN_HITS = 4  # fewer of a drum in a clip are mistakes rather than a part
DRUMS_A_SECOND = 1.0  # where no beat is heard, drums must be at least so busy
TEMPO_CONFIDENCE = 0.62  # below it beats are mostly wrong, and speech and noise stay below it
KEY_CONFIDENCE = 0.3
CONTEXT_SECONDS = 4.0  # heard on each side of a span that is analysed anew
_SHARP_MINORS = {"Ab": "G#"}  # the page's spellings of keys, where they differ from those of chords
_FLAT_MAJORS = {"C#": "Db"}


def grid_of(analysis: Analysis) -> Grid | None:
    """The beat grid that fits best: tempo, signature, and beat 0 at a downbeat; None without a beat."""
    rhythm = analysis.rhythm
    if rhythm.confidence < TEMPO_CONFIDENCE or not rhythm.downbeats or not 20 <= rhythm.bpm <= 400:
        return None
    bar = rhythm.beats_per_bar * 60.0 / rhythm.bpm
    first = rhythm.downbeats[0]
    # each downbeat's distance from the bars counted from the first, averaged: one late beat moves it little
    strays = [(time - first + bar / 2) % bar - bar / 2 for time in rhythm.downbeats]
    offset = round(first + sum(strays) / len(strays), 4)
    return Grid(round(rhythm.bpm, 2), rhythm.beats_per_bar, offset)


def key_of(analysis: Analysis) -> str:
    """The key as the page spells it, "" when it is not clear."""
    if not analysis.key.name or analysis.key.confidence < KEY_CONFIDENCE:
        return ""
    tonic, mode = analysis.key.name.split()
    spelled = (_SHARP_MINORS if mode == "minor" else _FLAT_MAJORS).get(tonic, tonic)
    return f"{spelled} {mode}"


def lanes_of(analysis: Analysis, grid: Grid) -> Lanes:
    """The lanes in beats: chords but `N`, notes and hits that are likely enough, and who plays."""
    notes: list[Note] = [
        note
        for note, sure in zip(analysis.melody.notes, analysis.melody.confidence, strict=True)
        if sure >= MELODY_CONFIDENCE and note.end - note.start >= lanes.SHORTEST * grid.seconds_per_beat
    ]
    likely: list[Hit] = [
        hit
        for hit, sure in zip(analysis.drums.hits, analysis.drums.confidence, strict=True)
        if sure >= DRUM_CONFIDENCE
    ]
    played = {drum for drum in {h.drum for h in likely} if sum(h.drum == drum for h in likely) >= MIN_HITS}
    hits = [hit for hit in likely if hit.drum in played]
    if grid_of(analysis) is None and len(hits) < DRUMS_A_SECOND * analysis.seconds:
        hits = []  # consonants and bumps: neither a beat nor a part
    return Lanes(
        lanes.chords_to_lane(analysis.chords.chords, grid),
        lanes.notes_to_lane(notes[: lanes.MAX_OBJECTS], grid),
        lanes.hits_to_lane(hits[: lanes.MAX_OBJECTS], grid),
        _band_of(analysis, grid),
    )


def _band_of(analysis: Analysis, grid: Grid) -> tuple[LanePart, ...]:
    line = getattr(analysis, "instruments", None)  # not every analysis listens for players
    return () if line is None else band.to_lane(line.parts, grid, "heard", line.confidence)


@dataclass(frozen=True)
class Filled:
    """A project with what was heard in it."""

    project: Project
    filled: tuple[str, ...]  # lanes that were filled
    kept: tuple[str, ...]  # lanes that hold the musician's own and were left as they are


def fill(project: Project, analysis: Analysis, replace_all: bool = False) -> Filled:
    """Put what was heard on the empty lanes, or on all of them; tempo and key only where no lane is kept.

    Lanes that come onto the page condition the re-making from now on; the musician may untick them.
    """
    now = project.lanes
    full = [name for name in lanes.LANE_NAMES if getattr(now, name)]
    if all(part.by == "heard" for part in now.band):  # nobody's own
        full = [name for name in full if name != "band"]
    keep = () if replace_all else tuple(full)
    grid, key = grid_of(analysis), key_of(analysis)
    if not keep and grid is not None:
        project = replace(project, grid=grid)
    if not keep and key:
        project = commands.set_key(project, key)
    drawn = lanes_of(analysis, project.grid)
    put = [name for name in lanes.LANE_NAMES if name not in keep and (getattr(drawn, name) or name in full)]
    project = drawing.set_lanes(project, drawn, put)
    if not keep and not key:  # not clear, but most notes may still speak against what stood there
        project = commands.set_fitting_key(project)
    filled = tuple(name for name in put if getattr(project.lanes, name))
    follow = [name for name in lanes.LANE_NAMES if name in (*project.follow, *filled)]
    return Filled(commands.set_follow(project, follow), filled, tuple(n for n in keep if getattr(drawn, n)))


def fill_span(project: Project, analysis: Analysis, span: Region) -> Filled:
    """Replace what the lanes hold inside a span by what was heard there; the grid stays."""
    grid, now = project.grid, project.lanes
    start, end = grid.seconds_to_beats(span.start), grid.seconds_to_beats(span.end)
    drawn = lanes_of(analysis, grid)
    filled = tuple(name for name in lanes.LANE_NAMES if name != "band" or drawn.band)
    put: dict[str, Any] = {
        name: (*_outside(getattr(now, name), start, end), *_inside(getattr(drawn, name), start, end))
        for name in filled
    }
    return Filled(drawing.set_lanes(project, Lanes(**put), filled), filled, ())


def _inside(items: Sequence[LaneItem], start: float, end: float) -> list[LaneItem]:
    """What of a lane lies in [start, end) beats, without ids."""
    found: list[LaneItem] = []
    for item in items:
        if isinstance(item, LaneHit):
            found += [replace(item, id="")] if start <= item.time < end else []
            continue
        cell = replace(item, id="", start=max(item.start, start), end=min(item.end, end))
        found += [cell] if cell.end - cell.start >= lanes.SHORTEST else []
    return found


def _outside(items: Sequence[LaneItem], start: float, end: float) -> list[LaneItem]:
    """A lane without what lies in [start, end) beats; what reaches over it is two, the second without an id."""
    found: list[LaneItem] = []
    for item in items:
        if isinstance(item, LaneHit):
            found += [] if start <= item.time < end else [item]
            continue
        parts = [replace(item, end=min(item.end, start)), replace(item, start=max(item.start, end))]
        kept = [part for part in parts if part.end - part.start >= lanes.SHORTEST]
        found += kept[:1] + [replace(part, id="") for part in kept[1:]]
    return found


def words(analysis: Analysis, done: Filled) -> str:
    """One line for the page: what was heard and what became of it."""
    if not done.filled and not done.kept:
        return "Nothing clear enough to draw was heard; the lanes are yours"
    parts = []
    if grid_of(analysis) is not None:
        parts.append(f"{analysis.rhythm.bpm:.0f} bpm")
    if key_of(analysis):
        parts.append(key_of(analysis))
    said = f"Heard {', '.join(parts)}; " if parts else ""
    drawn = f"{_listed(done.filled)} drawn" if done.filled else "nothing drawn"
    kept = f"; your {_listed(done.kept)} kept" if done.kept else ""
    return f"{said}{drawn}{kept}"


def _listed(names: tuple[str, ...]) -> str:
    return names[0] if len(names) == 1 else ", ".join(names[:-1]) + f" and {names[-1]}"


class AnalysisJob:
    """Analyses one clip in the background; `done` is called in its thread with the result or an error."""

    _one = threading.Lock()  # of all sessions: a machine that makes music should not hear two at once

    def __init__(
        self,
        folder: Path,
        sound: Sound,
        span: Region | None,
        done: Callable[[Analysis | None, str], None],
    ) -> None:
        self.sound = sound
        self.span = span
        self.progress = 0.0  # share that was heard
        self.cancelled = threading.Event()
        self._folder = folder
        self._done = done
        self._thread = threading.Thread(target=self._run, name="inlay-analysis", daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it still works."""
        return self._thread.is_alive()

    def wait(self, seconds: float) -> bool:
        """Wait until it has ended, at most so long; whether it has."""
        self._thread.join(seconds)
        return not self.running

    def _on_progress(self, progress: Progress) -> None:
        if self.cancelled.is_set():
            raise Cancelled
        if progress.stage == "listen":
            self.progress = progress.fraction

    def _run(self) -> None:
        from engines.analysis.analyze import analyze

        try:
            with self._one:
                if self.cancelled.is_set():
                    return
                recording = sounds.read_sound(self._folder, self.sound)
                start, end = 0.0, recording.seconds
                if self.span is not None:
                    start = max(0.0, self.span.start - CONTEXT_SECONDS)
                    end = min(end, self.span.end + CONTEXT_SECONDS)
                first, last = seconds_to_samples(start, recording.rate), seconds_to_samples(end, recording.rate)
                mono = recording.mono(first, last)  # [n]
                analysis = analyze(mono, recording.rate, self._on_progress).shifted(start)
            self._done(analysis, "")
        except Cancelled:
            self._done(None, "")
        except InputError as error:
            self._done(None, str(error))
        except Exception as error:  # a defect must not leave the page waiting
            log.exception("analysis failed")
            self._done(None, f"analysis: {type(error).__name__}: {str(error)[:160]}")


class ClipAnalysis:
    """What a session knows of the analysis of its clip. Changed under the session's lock."""

    def __init__(self) -> None:
        self.job: AnalysisJob | None = None  # that goes on, or went on last
        self.waiting: Analysis | None = None  # its result, where a lane was left to the musician
        self.words = ""  # about the last one, a line
        self.unsure: Sound | None = None  # the clip in which the last one was sure of no player

    @property
    def share(self) -> float | None:
        """How much of the clip was heard, 0..1; None while no analysis goes on."""
        job = self.job
        going = job is not None and job.running and not job.cancelled.is_set()
        return job.progress if job is not None and going else None

    def begin(self, job: AnalysisJob) -> None:
        """Start an analysis; what the last one has left is gone."""
        self.waiting, self.words, self.job, self.unsure = None, "", job, None
        job.start()

    def stop(self) -> None:
        """End one that goes on; nothing of it is kept."""
        if self.job is not None:
            self.job.cancelled.set()

    def end(self, result: Analysis, filled: Filled) -> None:
        """An analysis is over; what it found on lanes that were kept waits for the musician."""
        self.words = words(result, filled)
        self.waiting = result if filled.kept else None
