"""The blind listening test: what was rated, means with 95 % intervals, and CSV in the paper's form.

As in the paper (sec. 5.3): a listener rates every method on two scales of 1-10, transition smoothness
and audio match. Knows neither page nor audio.
"""

from __future__ import annotations

import csv
import io
import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import mean, median, stdev

from editor.project.document import Project, Rating, Round
from engines.progress import work_seconds
from engines.roster import ENGINES

ORIGINAL = "gt"  # stands for an engine where the untouched original was among the takes
METHODS: dict[str, str] = {
    ORIGINAL: "GT",
    **{spec.name: spec.method for spec in ENGINES},
}  # Table 5's columns
CRITERIA = {"smoothness": "Transition smoothness", "match": "Audio match"}
CONFIDENCE = 0.95


@dataclass(frozen=True)
class Figure:
    """A mean of ratings."""

    mean: float
    half: float | None  # half width of the 95 % interval; None with fewer than two ratings
    count: int


@dataclass(frozen=True)
class Method:
    """What one method came to over all rounds."""

    engine: str
    figures: dict[str, Figure]  # by criterion
    preferred: int  # rounds in which its sum of both scales was the highest, alone
    rounds: int
    seconds: float | None  # median time that its takes took; None for the original


def interval(values: Sequence[float]) -> Figure:
    """Mean and half width of its 95 % interval by Student's t: t(0.975, n-1) s / sqrt(n)."""
    count = len(values)
    if count < 2:
        return Figure(mean(values), None, count)
    from scipy.special import stdtrit  # half a second of imports, for figures that few ask for

    quantile = float(stdtrit(count - 1, 0.5 + CONFIDENCE / 2))
    return Figure(mean(values), quantile * stdev(values) / math.sqrt(count), count)


def results(project: Project) -> tuple[Method, ...]:
    """Every method that was rated, in the paper's order."""
    takes = {take.id: take for take in project.takes}
    found = []
    for engine in METHODS:
        ratings = [rating for round in project.rounds for rating in round.ratings if rating.engine == engine]
        if not ratings:
            continue
        heard = [takes[rating.take] for rating in ratings if rating.take in takes]
        spent = [work_seconds(take.timings) for take in heard]
        found.append(
            Method(
                engine,
                {name: interval([getattr(rating, name) for rating in ratings]) for name in CRITERIA},
                sum(_preferred(round) == engine for round in project.rounds),
                sum(any(rating.engine == engine for rating in round.ratings) for round in project.rounds),
                median(spent) if spent else None,
            )
        )
    return tuple(found)


def _preferred(round: Round) -> str | None:
    """The method whose ratings sum up highest in a round; None where two share the place."""
    if len(round.ratings) < 2:
        return None
    first, second = sorted(round.ratings, key=_sum, reverse=True)[:2]
    return first.engine if _sum(first) > _sum(second) else None


def _sum(rating: Rating) -> int:
    return rating.smoothness + rating.match


def table_csv(project: Project) -> str:
    """Table 5: a row per criterion, a column per method, "mean±half width" (and the judgments per cell)."""
    methods = {method.engine: method for method in results(project)}
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(["Criterion", *METHODS.values()])
    for name, words in CRITERIA.items():
        row = [words]
        for engine in METHODS:
            method = methods.get(engine)
            row.append(figure_words(method.figures[name]) if method else "")
        writer.writerow(row)
    counts = [str(methods[engine].figures["match"].count) if engine in methods else "0" for engine in METHODS]
    writer.writerow(["Judgments per cell", *counts])
    return sink.getvalue()


def ratings_csv(project: Project) -> str:
    """A row per judgment: round, time, span, the take's place in the shuffled order, method, both scales."""
    sink = io.StringIO()
    writer = csv.writer(sink)
    writer.writerow(
        ["round", "made", "start_s", "end_s", "order", "method", "take", "seed", "level_matched",
         "transition_smoothness", "audio_match"]
    )  # fmt: skip
    seeds = {take.id: take.seed for take in project.takes}
    for number, round in enumerate(project.rounds, start=1):
        span = [f"{round.region.start:.3f}", f"{round.region.end:.3f}"]
        for letter, rating in zip("ABCDEFGH", round.ratings, strict=False):
            made_by = [METHODS[rating.engine], rating.take, seeds.get(rating.take, ""), int(round.matched)]
            row = [number, round.made, *span, letter, *made_by, rating.smoothness, rating.match]
            writer.writerow([_cell(value) for value in row])
    return sink.getvalue()


def _cell(value: object) -> object:
    """A value as a spreadsheet shows it: text that would run as a formula begins with an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value[:1] in tuple("=+-@\t\r\n|%") else value


def figure_words(figure: Figure) -> str:
    """ "8.11±0.15" as in the paper; without an interval the mean alone."""
    return f"{figure.mean:.2f}" + (f"±{figure.half:.2f}" if figure.half is not None else "")
