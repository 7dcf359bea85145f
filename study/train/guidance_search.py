"""Search good guidance weights (App. D): `python -m study.train.guidance_search`: a table and JSON.

A small grid over (all, text) for each engine and task, on few held-out conditions. Every term of the
objective lies between 0 and 1 and all count alike.

generate: chord IOU, chords r, melody, drum onsets and lead retrieval, each as its share of the ceiling
(real clips through the codec, at most 1), the lead retrieval from words alone likewise, and nearness:
1 - d / d0, d the distance of the tagger's embedding to the real clip's, d0 that of another real clip.
inpaint: how much of the way from a naive paste (0) to the real audio (1) is closed, per figure.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from engines.audio.recording import from_float
from engines.checkpoints.shelf import open_bundle
from engines.requests import Controls, FMSettings, GenerateRequest, Guidance, InpaintRequest, Request
from engines.roster import EngineName
from study.listeners.hearing import Heard, Listener, adherence, lead_figures
from study.listeners.tagger import load_tagger
from study.measure.conditions import Clip, labelled, spans, text_prompt
from study.measure.outputs import Outputs
from study.measure.parts import Settings, averaged, generation_requests, melodic
from study.measure.verdicts import CEILING

GRID = {
    "generate": ((1.5, 0.0), (2.0, 0.0), (3.0, 0.0), (4.5, 0.0), (2.0, 1.0), (3.0, 1.5), (1.5, 2.5)),
    "inpaint": ((1.0, 0.0), (1.5, 0.0), (2.0, 0.0), (3.0, 0.0), (1.0, 0.5)),
}
SHARES = ("chord IOU", "chords r", "melody", "drum onsets F1", "lead of 10")
CLOSED = ("jump dB", "timbre dB", "bright step dB", "log-mel", "embedding", "chroma", "|>4 kHz| dB")


def distance(a: NDArray[np.float64], b: NDArray[np.float64]) -> float:
    """1 - cosine of two clips' mean embeddings [windows, E]."""
    x, y = a.mean(axis=0), b.mean(axis=0)
    return 1.0 - float(x @ y / (np.linalg.norm(x) * np.linalg.norm(y) + 1e-9))


def share(value: float, ceiling: float) -> float:
    """A figure as its share of the ceiling, 0..1; NaN when either is none."""
    return float(np.clip(value / ceiling, 0.0, 1.0)) if ceiling > 0 else float("nan")


def closed(value: float, paste: float, real: float) -> float:
    """The part of the way from a paste (0) to the real audio (1) that a figure has come, 0..1."""
    return float(np.clip((paste - value) / (paste - real), 0.0, 1.0)) if paste != real else float("nan")


def nearness(heard: Sequence[Heard], real: Sequence[Heard]) -> float:
    """1 - d / d0 over clips [n] and the real ones that they were asked after; 0 = as far as any other."""
    mine = np.mean([distance(h.embeddings, r.embeddings) for h, r in zip(heard, real, strict=True)])
    turned = [*real[1:], *real[:1]]
    others = np.mean([distance(h.embeddings, r.embeddings) for h, r in zip(real, turned, strict=True)])
    return float(np.clip(1.0 - mine / others, 0.0, 1.0)) if others > 0 else float("nan")


class Search:
    """Terms of the objective for one engine and task at some guidance."""

    def __init__(
        self, outputs: Outputs, listener: Listener, clips: Sequence[Clip], settings: Settings
    ) -> None:
        self.outputs, self.listener, self.clips, self.settings = outputs, listener, clips, settings
        self.leads = list(listener.tagger.config.leads)
        self.real = listener.hear_all([clip.audio for clip in clips])

    def _led(self, audio: Sequence[NDArray[np.float32]], clips: Sequence[Clip]) -> float:
        scores = self.listener.tagger.listen(audio).leads.double().numpy()
        return lead_figures(scores, clips, self.leads)["lead of 10"]

    def generate(self, engine: EngineName, guidance: Guidance) -> dict[str, float]:
        """The terms of a clip from words and lanes, and of one from words alone."""
        settings = guided(self.settings, guidance)
        made = self.outputs.make(generation_requests(self.clips, engine, settings), f"{engine} {guidance}")
        heard = self.listener.hear_all(made)
        quantize = CEILING[engine].endswith("RVQ")
        top = self.listener.hear_all(self.outputs.through_codec([c.audio for c in self.clips], quantize))
        terms: dict[str, float] = {}
        figures, ceiling = adherence(heard, self.real, self.clips), adherence(top, self.real, self.clips)
        figures |= lead_figures(np.stack([h.leads for h in heard]), self.clips, self.leads)
        ceiling |= lead_figures(np.stack([h.leads for h in top]), self.clips, self.leads)
        for name in SHARES:
            terms[name] = share(figures.get(name, np.nan), ceiling.get(name, np.nan))
        clips = [clip for clip in self.clips if clip.lead in self.leads]
        # without lanes, `all` and `text` see the same: one weight
        alone = guided(self.settings, Guidance(guidance.all + guidance.text, 0.0))
        requests: list[Request] = [
            GenerateRequest(
                engine, text_prompt(clip), settings.text_seconds, i, Controls(), alone.ar, alone.fm
            )
            for i, clip in enumerate(clips)
        ]
        words = self._led(self.outputs.make(requests, f"{engine} {guidance}, words"), clips)
        real = [melodic(clip, settings.text_seconds) for clip in clips]
        terms["lead, words alone"] = share(
            words, self._led(self.outputs.through_codec(real, quantize), clips)
        )
        terms["nearness"] = nearness(heard, self.real)
        return terms

    def inpaint(self, engine: EngineName, guidance: Guidance) -> dict[str, float]:
        """The terms of spans re-made."""
        settings, cuts = guided(self.settings, guidance), spans(len(self.clips))
        requests: list[Request] = [
            InpaintRequest(
                engine, from_float(clip.audio, 32_000), span.start, span.end, clip.prompt, i, clip.controls,
                settings.ar, settings.fm,
            )
            for i, (clip, span) in enumerate(zip(self.clips, cuts, strict=True))
        ]  # fmt: skip
        made = self.outputs.make(requests, f"{engine} {guidance}, spans")
        rows: dict[str, list[dict[str, float]]] = {"made": [], "paste": [], "real": []}
        for i, (clip, span) in enumerate(zip(self.clips, cuts, strict=True)):
            paste = clip.audio.copy()
            a, b = int(span.start * 32_000), int(span.end * 32_000)
            paste[a:b] = self.clips[(i + 1) % len(self.clips)].audio[a:b]
            for name, audio in (("made", made[i]), ("paste", paste), ("real", clip.audio)):
                rows[name].append(self.listener.judge(audio, clip, span))
        m, p, r = (averaged(rows[name]) for name in ("made", "paste", "real"))
        return {name: closed(m[name], p[name], r[name]) for name in CLOSED}


def guided(settings: Settings, guidance: Guidance) -> Settings:
    """The same settings with other weights."""
    return replace(
        settings, ar=replace(settings.ar, guidance=guidance), fm=replace(settings.fm, guidance=guidance)
    )


def objective(terms: dict[str, float]) -> float:
    """Mean of the terms that could be measured."""
    return float(np.nanmean(list(terms.values())))


def main() -> None:
    """Search, print, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="bundle")
    parser.add_argument("--held-out", type=Path, default=Path("runs/data/held_out"))
    parser.add_argument("--tagger", type=Path, default=Path("runs/tagger"))
    parser.add_argument("--work", type=Path, default=Path("runs/evaluate"))
    parser.add_argument("--clips", type=int, default=12)
    parser.add_argument(
        "--skip", type=int, default=200, help="clips left to study.evaluate, if there are more"
    )
    parser.add_argument("--engines", default="ar,fm,fm-zero-shot")
    parser.add_argument("--tasks", default="generate,inpaint")
    parser.add_argument("--steps", type=int, default=FMSettings.steps)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=Path("runs/guidance.json"))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    models, begin = open_bundle(args.bundle, args.device), time.time()
    clips = labelled(args.held_out, args.skip + args.clips)[-args.clips :]
    settings = Settings(fm=FMSettings(steps=args.steps, zero_shot=models.spec.zero_shot))
    listener = Listener(load_tagger(args.tagger), args.work / "heard")
    search = Search(Outputs(models, args.work), listener, clips, settings)
    best: dict[str, dict[str, list[float]]] = {}
    for engine in args.engines.split(","):
        for task in args.tasks.split(","):
            if engine == "fm-zero-shot" and task == "generate":
                continue
            tried = {}
            for weights in GRID[task]:
                terms = getattr(search, task)(engine, Guidance(*weights))
                tried[weights] = objective(terms)
                told = "  ".join(f"{name} {value:.2f}" for name, value in terms.items())
                print(f"{engine:14}{task:10}{weights!s:12}{tried[weights]:8.3f}   {told}", flush=True)
            weights = max(tried, key=lambda w: tried[w])
            best.setdefault(engine, {})[task] = list(weights)
            print(f"{engine:14}{task:10}best {weights}, {tried[weights]:.3f}")
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_text(json.dumps(best, indent=1) + "\n")
    print(f"{args.out}: {len(clips)} conditions, {time.time() - begin:.0f} s")


if __name__ == "__main__":
    main()
