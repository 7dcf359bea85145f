"""What the two networks do while they sample: AR's entropy along the clip, FM's distance to a fine solution.

App. I (Fig. 9) and App. H. Words and lanes are those of held-out clips where there are any, else fixed ones,
so that this part runs anywhere.
"""

from __future__ import annotations

import math

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.audio.timebase import frames_for
from engines.checkpoints.shelf import Models, open_bundle
from engines.filling.conditions import conditions
from engines.fm import draw_noise, guided_field
from engines.requests import Chord, Controls, GenerateRequest
from engines.sampling import flow
from engines.sampling.decode import complete, sample_step
from study.measure.parts import only
from study.report import music, paper
from study.report.intervals import averaged
from study.report.parts import Found, Place, curve, row, table

Floats = NDArray[np.float64]
WORDS = (
    "upbeat pop with piano and drums", "slow jazz trio, upright bass and brushed drums",
    "solo acoustic guitar", "string quartet in a minor key", "funk with slap bass and organ",
)  # fmt: skip
LANES = {"words": (), "words and chords": ("chords",), "all lanes": ("chords", "melody", "drums")}
BIN = 10  # steps of the network that a point of the curve is the mean of
SOLVERS = ("euler", "midpoint", "ab2")


def wanted(place: Place, count: int) -> tuple[list[tuple[str, Controls]], str]:
    """Words and lanes to ask for, and whose they are."""
    try:
        clips = music.asked(place)[0]
        turned = [clips[i % len(clips)] for i in range(count)]
        return [(clip.prompt, clip.controls) for clip in turned], "held-out clips"
    except music.Absent:
        fourth = place.size.seconds / 4
        chords = tuple(Chord(i * fourth, (i + 1) * fourth, c) for i, c in enumerate(("C", "Am", "F", "G7")))
        return [(WORDS[i % len(WORDS)], Controls(chords)) for i in range(count)], "fixed words and chords"


def entropies(models: Models, prompt: str, controls: Controls, seconds: float, seed: int) -> Floats:
    """Entropy in nats [S] of the first codebook at each step of one clip, sampled by defaults."""
    request = GenerateRequest("ar", prompt, seconds, seed, controls)
    codec, lm, ar = models.tokenizer(), models.ar(), request.ar
    frames = frames_for(seconds, codec.frame_rate)
    given = conditions(request, models, frames, None, "ar", None)
    generator, told = torch.Generator().manual_seed(seed), list[float]()

    def sample(logits: Tensor) -> Tensor:
        p = torch.softmax(logits[0, 0].float() / ar.temperature, dim=-1)  # [V], of the guided network
        told.append(float(-(p * p.clamp_min(1e-12).log()).sum()))
        return sample_step(logits, ar.temperature, ar.top_k, ar.top_p, generator, ar.cooling)

    codes = torch.zeros(1, codec.codebooks, frames, dtype=torch.int64, device=models.device)
    complete(lm, codes, 0, given.lanes, given.text, given.rows, sample, lambda *_: None)
    return np.array(told[:frames])


def entropy(place: Place) -> Found:
    """App. I: does a lane make AR surer early, and less sure later?"""
    found, models = Found(), open_bundle(place.bundle, place.device)
    asks, whose = wanted(place, place.size.prompts)
    series, rows = [], []
    for name, lanes in LANES.items():
        lines = np.stack([
            entropies(models, prompt, only(controls, lanes), place.size.seconds, i)
            for i, (prompt, controls) in enumerate(asks)
        ])  # [prompts, S]  # fmt: skip
        turn = min(paper.ENTROPY_TURN, lines.shape[1] // 2)
        early, late = lines[:, :turn].mean(axis=1), lines[:, turn:].mean(axis=1)
        found.samples[name] = {"early": early.tolist(), "late": late.tolist()}
        rows.append(row(name, {f"first {turn} steps": averaged(early), "later": averaged(late)}))
        bins = lines[:, : lines.shape[1] // BIN * BIN].reshape(len(lines), -1, BIN).mean(axis=(0, 2))
        series.append({"name": name, "points": [[(k + 0.5) * BIN, float(v)] for k, v in enumerate(bins)]})
    columns = list(rows[0]["cells"])
    rows.append(row("even over all codes", dict.fromkeys(columns, math.log(models.ar().config.codebook_size)),
                    "ceiling"))  # fmt: skip
    found.curves.append(curve("Entropy of the first codebook", "step", "nats", series))
    found.tables.append(
        table("Entropy of AR", columns, rows,
              f"{len(asks)} prompts ({whose}), guided logits at the default temperature, before top-k. The "
              f"paper's Fig. 9 gives no numbers: lanes lower it up to step {paper.ENTROPY_TURN} (50 Hz) and "
              "raise it later.", "App. I, Fig. 9")
    )  # fmt: skip
    return found


@torch.inference_mode()
def solvers(place: Place) -> Found:
    """App. H: how far a solution with few steps is from a fine one, by solver."""
    found, models, seconds = Found(), open_bundle(place.bundle, place.device), place.size.seconds / 2
    asks, whose = wanted(place, 2)
    away: dict[tuple[str, int], list[float]] = {}
    spent: dict[tuple[str, int], int] = {}
    exact: list[int] = []
    for seed, (prompt, controls) in enumerate(asks):
        calls = _Counted(models, prompt, controls, seconds, seed)
        fine = calls.solve("euler", place.size.fine) if place.size.fine else calls.solve("dopri5", 1)
        exact.append(calls.taken)
        for solver in SOLVERS:
            for steps in place.size.steps:
                z = calls.solve(solver, steps)
                away.setdefault((solver, steps), []).append(float((z - fine).norm() / fine.norm()))
                spent[solver, steps] = calls.taken
    points: dict[str, list[list[float]]] = {solver: [] for solver in SOLVERS}
    rows = []
    for (solver, steps), values in away.items():
        points[solver].append([spent[solver, steps], float(np.mean(values))])
        rows.append(
            row(f"{solver}, {steps} steps", {"evaluations": spent[solver, steps], "away": averaged(values)})
        )
        found.samples[f"{solver} {steps}"] = {"away": values}
    against = f"Euler with {place.size.fine} steps" if place.size.fine else "dopri5, tolerance 1e-5"
    found.curves.append(
        curve("Distance to a fine solution", "evaluations of the network", "relative distance",
              [{"name": name, "points": told} for name, told in points.items()], logarithmic=True)
    )  # fmt: skip
    found.tables.append(
        table("Solver and steps", ("evaluations", "away"), rows,
              f"Latents of {len(asks)} clips of {seconds:g} s ({whose}), against {against} "
              f"({np.mean(exact):.0f} evaluations): norm of the difference over the norm. The paper compares "
              "by FAD alone (Table 8, above).", "App. H")
    )  # fmt: skip
    return found


class _Counted:
    """One request's guided field, whose evaluations are counted."""

    def __init__(self, models: Models, prompt: str, controls: Controls, seconds: float, seed: int) -> None:
        request = GenerateRequest("fm", prompt, seconds, seed, only(controls, LANES["all lanes"]))
        codec = models.codec()
        source = torch.zeros(1, codec.dim, frames_for(seconds, codec.frame_rate), device=models.device)
        known = torch.zeros(source.shape[2], dtype=torch.bool, device=models.device)
        given = conditions(request, models, source.shape[2], None, "fm", None)
        self._field = guided_field(models, given, known, source)
        self._noise, self.taken = draw_noise(source, seed), 0

    def solve(self, solver: str, steps: int) -> Tensor:
        """Latents [1, D, T]; `taken` is then how often the field was asked."""
        self.taken = 0

        def field(z: Tensor, t: float) -> Tensor:
            self.taken += 1
            return self._field(z, t)

        return flow.solve(field, self._noise, solver, steps, lambda *_: None)
