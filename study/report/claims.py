"""The paper's Table 1 once more: its conclusions, our figures with intervals, and what they say of them.

The rule, for all claims alike: a claim is a difference and the side that it says. The difference has an
interval of 95 % (`intervals.py`). It AGREES where the interval lies wholly on the claim's side of no
difference (of a claim that two things are alike: wholly within the margin that stands with it), DISAGREES
where it lies wholly on the other side (wholly outside the margin), and CANNOT BE TOLD at this size else, as
with fewer than five items. What was not run says so. Claims about people's ears stay open here: seam scores
are no listeners (`inlay study`).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np

from study.report.intervals import LEAST, Estimate, centred, difference, widened

Side = Literal["below", "above", "alike"]
Parts = dict[str, dict[str, Any]]  # name -> what its file holds
FAD, SCORE = "Frechet distance", "score"
PAPER_ROWS = ("AR, paper (App. J)", "FM, paper (Alg. 2)", "ZS, paper (Alg. 1)")


@dataclass(frozen=True)
class Claim:
    """One conclusion of Table 1, and how it is looked at."""

    axis: str  # the line of Table 1
    words: str  # the claim, in our words
    paper: str  # its figure
    what: str  # our figure: the difference that is measured
    side: Side  # what the claim says of it
    found: Callable[[Parts], Estimate | None]  # None = not run
    margin: float = 0.0  # of claims that two are alike
    how: str = ""  # the command, where it was not run


@dataclass(frozen=True)
class Verdict:
    """A claim and what was found."""

    claim: Claim
    figure: Estimate | None

    @property
    def says(self) -> str:
        """agrees, disagrees, cannot be told at this size, or not run."""
        e = self.figure
        if e is None or e.n == 0:
            return "not run"
        if e.n < LEAST or not (np.isfinite(e.low) and np.isfinite(e.high)):
            return "cannot be told at this size"
        if self.claim.side == "alike":
            m = self.claim.margin
            right, wrong = -m < e.low and e.high < m, e.low > m or e.high < -m
        else:
            right, wrong = (e.high < 0, e.low > 0)[:: 1 if self.claim.side == "below" else -1]
        return "agrees" if right else "disagrees" if wrong else "cannot be told at this size"


def _values(parts: Parts, part: str, row: str, figure: str, kind: str = "samples") -> list[float] | None:
    told = parts.get(part, {}).get(kind, {}).get(row, {}).get(figure)
    return None if not told else [float("nan") if v is None else float(v) for v in told]


def _less(
    part: str, a: str, b: str, figure: str, of: Callable[..., Any] = np.mean, paired: bool = True
) -> Callable[[Parts], Estimate | None]:
    """Average of `figure` in row `a` less that in row `b`."""

    def found(parts: Parts) -> Estimate | None:
        x, y = (_values(parts, part, name, figure) for name in (a, b))
        return None if x is None or y is None else difference(x, y, of, paired)

    return found


def _farther(part: str, a: str, b: str) -> Callable[[Parts], Estimate | None]:
    """Frechet distance of `a` less that of `b`, by draws of the same clips."""

    def found(parts: Parts) -> Estimate | None:
        x, y = (_values(parts, part, name, FAD, "draws") for name in (a, b))
        if x is None or y is None:
            return None
        values = [_shown(parts, part, name) for name in (a, b)]
        n = len(_values(parts, part, a, "chord IOU") or ())
        value = values[0] - values[1]
        return widened(value, centred(np.array(x) - np.array(y), value), n)

    return found


def _shown(parts: Parts, part: str, name: str) -> float:
    for table in parts[part]["tables"]:
        for row in table["rows"]:
            if row["name"] == name and FAD in row["cells"]:
                return float(row["cells"][FAD]["value"])
    return float("nan")


def _faster(batches: str) -> Callable[[Parts], Estimate | None]:
    """Log2 of AR's seconds over those of FM, Euler 50, at one clip or of a larger batch, by rounds."""

    def found(parts: Parts) -> Estimate | None:
        samples = parts.get("speed", {}).get("samples", {})
        told = sorted(int(n.rsplit(" ", 1)[1]) for n in samples if n.startswith("AR, batch "))
        if not told:
            return None
        batch = told[0] if batches == "one" else told[-1]
        ar, fm = (samples[f"{way}, batch {batch}"]["wall"] for way in ("AR", "FM, Euler 25"))
        return difference(np.log2(ar).tolist(), np.log2(fm).tolist())

    return found


def _gains(parts: Parts) -> Estimate | None:
    """How much more AR gains from the largest batch than FM: log2 of seconds a clip, one less many."""
    samples = parts.get("speed", {}).get("samples", {})
    told = sorted(int(n.rsplit(" ", 1)[1]) for n in samples if n.startswith("AR, batch "))
    if len(told) < 2:
        return None
    gains = []
    for way in ("AR", "FM, Euler 25"):
        one, many = (np.log2(samples[f"{way}, batch {b}"]["a clip"]) for b in (told[0], told[-1]))
        gains.append((one - many).tolist())
    return difference(*gains)


def _spread(parts: Parts) -> Estimate | None:
    """Standard deviation of the zero-shot seams' scores less that of the supervised."""
    return _less("spans", PAPER_ROWS[2], PAPER_ROWS[1], SCORE, np.std)(parts)


def _steps(parts: Parts) -> Estimate | None:
    """Frechet distance with ten Euler steps less that with fifty."""
    return _farther("sampling", "FM, Euler 10", "FM, Euler 50")(parts)


def _nothing(parts: Parts) -> Estimate | None:
    return None


FIDELITY, CONTROL, SPANS = "Text-to-music fidelity (5.1)", "Control adherence (5.2)", "Inpainting (5.3)"
SPEED, BUDGET = "Speed and batches (5.4)", "Training budget (5.5)"
CLAIMS: tuple[Claim, ...] = (
    Claim(FIDELITY, "AR and FM sound about equally good, AR a little better", "FAD .47 and .48 "
          "(Table 2, 50 Hz)", "Frechet distance, AR less FM, words alone", "below",
          _farther("clips", "AR, words alone", "FM, words alone")),
    Claim(FIDELITY, "FM needs many steps", "FAD 4.92 with 10 steps, 1.33 with 50 (Table 8, 50 Hz)",
          "Frechet distance, Euler 10 less Euler 50", "above", _steps),
    Claim(FIDELITY, "The frame rate decides much, also where sequences are as long", "FAD .42, .48, .68 "
          "at 25, 50, 100 Hz (Table 7)", "FM at 25 less at 50 Hz", "below", _nothing,
          how="python -m study.train.codec --ratios 8 5 4 4 --out runs/rates/codec-50, then FM on it"),
    Claim(CONTROL, "AR follows chords better than FM", "IOU .57 and .33 (Table 3)",
          "chord IOU, AR less FM, all lanes", "above",
          _less("clips", "AR, all lanes", "FM, all lanes", "chord IOU")),
    Claim(CONTROL, "AR follows the melody better than FM", "similarity .41 and .32 (Table 3)",
          "melody similarity, AR less FM, all lanes", "above",
          _less("clips", "AR, all lanes", "FM, all lanes", "melody similarity")),
    Claim(CONTROL, "Beats are followed alike", "F1 .39 and .42 (Table 3)",
          "beat F1, AR less FM, all lanes (margin .1)", "alike",
          _less("clips", "AR, all lanes", "FM, all lanes", "beat F1"), 0.1),
    Claim(CONTROL, "AR's errors add up: chords alone are followed better than among all lanes",
          "IOU .70 and .57 (Table 3)", "AR's chord IOU, chords alone less all lanes", "above",
          _less("clips", "AR, chords alone", "AR, all lanes", "chord IOU")),
    *(Claim(CONTROL, f"Lanes cost {name} quality", f"FAD {with_} with all lanes, {without} without",
            f"{name}'s Frechet distance, all lanes less words alone", "above",
            _farther("clips", f"{name}, all lanes", f"{name}, words alone"))
      for name, with_, without in (("AR", ".72", ".47"), ("FM", ".78", ".48"))),
    Claim(SPANS, "Supervised FM makes the smoothest seams", "listeners put FM first, AR second (Table 5)",
          "worse seam's score, the paper's FM less its AR", "below",
          _less("spans", PAPER_ROWS[1], PAPER_ROWS[0], SCORE)),
    Claim(SPANS, "Zero-shot FM is rougher than supervised", "listeners put it last (Table 5)",
          "worse seam's score, Alg. 1 less Alg. 2", "above",
          _less("spans", PAPER_ROWS[2], PAPER_ROWS[1], SCORE)),
    Claim(SPANS, "Zero-shot FM varies more from span to span", "told in words (5.3)",
          "spread of the worse seam's score, Alg. 1 less Alg. 2", "above", _spread),
    Claim(SPANS, "A search per sample steadies zero-shot FM", "conjectured (5.3)",
          "worse seam's score, our search less Alg. 1", "below",
          _less("spans", "ZS search", PAPER_ROWS[2], SCORE)),
    Claim(SPEED, "One clip comes faster from FM", "FM first at every batch below 64 (Fig. 5, A100)",
          "log2 of seconds, AR less FM (Euler 25), batch 1, here", "above", _faster("one")),
    Claim(SPEED, "AR gains more from batches", "AR rises to 6.5 clips/s, FM levels off at 3.5 (Fig. 5)",
          "log2 of the gain a clip from the largest batch here, AR less FM", "above", _gains),
    Claim(BUDGET, "FM comes near its best with small batches, AR needs more", "batch 32 of 256 (Fig. 8)",
          "held-out quality by batch", "below", _nothing,
          how="python -m study.train.fm --batch 8 --out runs/budgets/fm-8, and so on"),
)  # fmt: skip


def verdicts(parts: Parts, claims: Sequence[Claim] = CLAIMS) -> list[Verdict]:
    """Every claim with what the parts hold of it."""
    return [Verdict(claim, claim.found(parts)) for claim in claims]


# Rows of the card's table of clips, and ours that ask the same: words and all lanes, chords by Chordino.
SAME = {("ar", "chord IOU"): ("AR, all lanes", "chord IOU"),
        ("fm", "chord IOU"): ("FM, all lanes", "chord IOU"),
        ("ar", "melody chroma"): ("AR, all lanes", "melody similarity"),
        ("fm", "melody chroma"): ("FM, all lanes", "melody similarity")}  # fmt: skip


def contradictions(parts: Parts, card: dict[str, Any]) -> list[str]:
    """Figures of the model card that lie outside our intervals of the same figure, in words."""
    from study.report.intervals import averaged

    told = []
    for (engine, figure), (row, ours) in SAME.items():
        before = card.get("generate", {}).get(engine, {}).get(figure)
        values = _values(parts, "clips", row, ours)
        if before is None or values is None:
            continue
        e = averaged(values)
        if e.n >= LEAST and not e.low <= before <= e.high:
            told.append(
                f"{engine.upper()}, {figure}: the model card says {before:.3f}, here it is {e.value:.3f} "
                f"[{e.low:.3f}, {e.high:.3f}] over {e.n} clips"
            )
    return told


def number(value: float) -> str:
    """A figure as tables have it: three digits that count."""
    if not np.isfinite(value):
        return "-"
    size = abs(value)
    return f"{value:.0f}" if size >= 100 else f"{value:.1f}" if size >= 10 else f"{value:.2f}"


def around(e: Estimate) -> str:
    """An interval in brackets, where there is one, and the items behind it."""
    known = np.isfinite(e.low) and np.isfinite(e.high)
    return (f"[{number(e.low)}, {number(e.high)}], " if known else "") + f"n {e.n}"


def markdown(found: Sequence[Verdict]) -> str:
    """The claims as a table for a README."""
    lines = ["| Table 1 says | the paper's figure | ours [95 %], n | |", "|---|---|---|---|"]
    for v in found:
        e = v.figure
        ours = "not run" if e is None else f"{number(e.value)} {around(e)}"
        lines.append(f"| {v.claim.words} | {v.claim.paper} | {v.claim.what}: {ours} | {v.says} |")
    return "\n".join(lines)
