"""Measure a bundle: `python -m study.evaluate`; prints tables, and each bar beside what was measured.

Everything is asked on held-out clips that no training saw, judged from audio alone, and stands
between a floor (the same audio against other clips' conditions) and a ceiling (real clips through the
codec). What was made and heard stays below `runs/evaluate`, so a stopped measurement goes on, and a
repeated one only judges. `--set` names the parts: codec, generate, text, inpaint, speed.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import EncodecConfig, EncodecModel

from engines.audio import compose
from engines.audio.recording import from_float
from engines.checkpoints.shelf import Models, open_bundle
from engines.dispatch import run
from engines.networks.codec import full_state
from engines.requests import (
    ARSettings,
    Chord,
    Controls,
    EngineName,
    FMSettings,
    GenerateRequest,
    Guidance,
    InpaintRequest,
    Request,
)
from study.listeners.hearing import (
    SPAN_FIGURES,
    Listener,
    adherence,
    bright_level,
    frechet_figures,
    lead_figures,
    mean,
)
from study.listeners.tagger import load_tagger
from study.listeners.train import FOLDER
from study.measure import metrics
from study.measure.conditions import (
    RATE,
    SECONDS,
    Clip,
    Span,
    excerpts,
    labelled,
    spans,
    text_prompt,
    unseen_prompt,
)
from study.measure.outputs import Outputs

Audio = NDArray[np.float32]
Rows = dict[str, dict[str, float]]
CODEC = {"continuous": False, "RVQ": True}  # name -> quantized
CEILING = {"ar": "real, codec RVQ", "fm": "real, codec continuous"}
BASELINES = ("naive paste", "silence")  # and the engine's own independent clip


@dataclass(frozen=True)
class Asked:
    """Settings of a measurement."""

    engines: tuple[str, ...] = ("ar", "fm", "fm-zero-shot")
    lanes: tuple[str, ...] = ("chords", "melody", "drums")
    ar: ARSettings = ARSettings()
    fm: FMSettings = FMSettings()
    chord_lane: str = "labels"  # or "heard": what Chordino hears in the real clip, as the paper conditions
    text_seconds: float = 5.0
    zero_shot_spans: int = 50


def given(controls: Controls, lanes: Sequence[str]) -> Controls:
    """Only the named lanes of some controls."""
    return Controls(
        controls.chords if "chords" in lanes else None,
        controls.melody if "melody" in lanes else None,
        controls.drums if "drums" in lanes else None,
    )


def with_chords(clip: Clip, chords: tuple[Chord, ...]) -> Clip:
    """The clip with another chord lane, if it had one; `N` says nothing there."""
    lane = tuple(chord for chord in chords if chord.symbol != "N")
    return replace(clip, controls=replace(clip.controls, chords=lane)) if clip.controls.chords else clip


def averaged(rows: Sequence[dict[str, float]]) -> dict[str, float]:
    """Mean of each figure over the rows that have a number there; what none has is left out."""
    names = dict.fromkeys(name for row in rows for name, value in row.items() if not np.isnan(value))
    return {name: mean([row[name] for row in rows if name in row]) for name in names}


def codec_figures(outputs: Outputs, sets: dict[str, Sequence[Clip]]) -> Rows:
    """Held-out clips through the codec, continuous and quantized; a row a set, "" being the renders."""
    figures: Rows = {}
    for name, clips in sets.items():
        for kind, quantize in CODEC.items():
            made = outputs.through_codec([clip.audio for clip in clips], quantize)
            figures[f"codec {kind}{name}"] = averaged(
                [
                    {
                        "SI-SNR dB": metrics.si_snr(out, clip.audio),
                        "log-mel nats": metrics.log_mel_distance(out, clip.audio, RATE),
                        ">4 kHz dB": bright_level(out) - bright_level(clip.audio),
                        "chroma": metrics.chroma_agreement(out, clip.audio, RATE),
                    }
                    for out, clip in zip(made, clips, strict=True)
                ]
            )
        lost = figures[f"codec continuous{name}"]["SI-SNR dB"] - figures[f"codec RVQ{name}"]["SI-SNR dB"]
        figures[f"codec RVQ{name}"]["below continuous dB"] = lost
    return figures


def codec_facts(models: Models) -> dict[str, float]:
    """CPU seconds to decode 10 s on one core, and how far transformers' own EncodecModel is from ours."""
    codec = models.codec()
    plain = EncodecModel(EncodecConfig(**models.spec.codec["config"])).eval()
    plain.load_state_dict(full_state(codec))
    x = torch.randn(1, 1, RATE, generator=torch.Generator().manual_seed(0)) * 0.1
    threads = torch.get_num_threads()
    with torch.inference_mode():
        z = codec.encode(x)
        theirs = plain.decoder(plain.encoder(x))
        difference = float((theirs - codec.decode(z)).abs().max())
        codes = plain.quantizer.encode(plain.encoder(x)).transpose(0, 1)
        torch.set_num_threads(1)
        long = codec.encode(torch.zeros(1, 1, int(SECONDS * RATE)))
        spent = []
        for _ in range(3):
            begin = time.process_time()
            codec.decode(long)
            spent.append(time.process_time() - begin)
    torch.set_num_threads(threads)
    return {
        "decode 10 s, CPU s": min(spent),
        "transformers, max difference": difference,
        "transformers, other codes": float((codes != codec.quantize(z)).float().mean()),
    }


def generation_requests(clips: Sequence[Clip], engine: EngineName, asked: Asked) -> list[Request]:
    """One clip for each held-out clip's own words and lanes."""
    return [
        GenerateRequest(
            engine, clip.prompt, SECONDS, i, given(clip.controls, asked.lanes), asked.ar, asked.fm
        )
        for i, clip in enumerate(clips)
    ]


def generation_figures(
    outputs: Outputs, listener: Listener, clips: Sequence[Clip], others: Sequence[Clip], asked: Asked
) -> Rows:
    """How clips follow words and lanes together, beside real ones and real ones through the codec."""
    sets: dict[str, list[Audio]] = {"real": [clip.audio for clip in clips]}
    for kind, quantize in CODEC.items():
        sets[f"real, codec {kind}"] = outputs.through_codec(sets["real"], quantize)
    told = clips
    if asked.chord_lane == "heard":
        told = [with_chords(clip, listener.hear(clip.audio).chords) for clip in clips]
    for engine in asked.engines:
        if engine != "fm-zero-shot":
            sets[engine] = outputs.make(generation_requests(told, engine, asked), f"generate, {engine}")  # type: ignore[arg-type]
    heard = {name: listener.hear_all(made) for name, made in sets.items()}
    other = listener.hear_all([clip.audio for clip in others])
    leads, figures = list(listener.tagger.config.leads), {}
    for name, h in heard.items():
        scores = np.stack([x.leads for x in h])
        figures[name] = adherence(h, heard["real"], clips) | lead_figures(scores, clips, leads)
        figures[name] |= frechet_figures(h, heard["real"], other)
    return figures


def melodic(clip: Clip, seconds: float) -> Audio:
    """The part of a clip, `seconds` long, in which the melody sounds most."""

    def sounding(start: float) -> float:
        notes = clip.controls.melody or ()
        return sum(max(0.0, min(n.end, start + seconds) - max(n.start, start)) for n in notes)

    starts = np.arange(0.0, SECONDS - seconds + 1e-6, 1.0)
    start = max(starts, key=lambda s: sounding(float(s)))
    return clip.audio[int(start * RATE) : int((start + seconds) * RATE)]


def text_figures(outputs: Outputs, listener: Listener, clips: Sequence[Clip], asked: Asked) -> Rows:
    """Whether the lead instrument that the words name is heard, from words alone."""
    leads = list(listener.tagger.config.leads)
    clips = [clip for clip in clips if clip.lead in leads]
    real = [melodic(clip, asked.text_seconds) for clip in clips]
    sets = {"real": real}
    for kind, quantize in CODEC.items():
        sets[f"real, codec {kind}"] = outputs.through_codec(real, quantize)
    for engine in asked.engines:
        if engine == "fm-zero-shot":
            continue
        for name, words in (("", text_prompt), (", unseen words", lambda clip: unseen_prompt(clip, 0))):
            requests: list[Request] = [
                GenerateRequest(engine, words(clip), asked.text_seconds, i, Controls(), asked.ar, asked.fm)  # type: ignore[arg-type]
                for i, clip in enumerate(clips)
            ]
            sets[engine + name] = outputs.make(requests, f"text{name}, {engine}")
    scores = {name: listener.tagger.listen(made).leads.double().numpy() for name, made in sets.items()}
    return {name: lead_figures(s, clips, leads) for name, s in scores.items()}


def inpainting_figures(
    outputs: Outputs, listener: Listener, clips: Sequence[Clip], count: int, asked: Asked, what: str
) -> Rows:
    """Spans of 1-5 s re-made by each engine, beside pastes, silence and a clip made without the context."""
    cuts = spans(count)
    places = [(clips[i % len(clips)], span) for i, span in enumerate(cuts)]

    def pasted(i: int, other: Audio) -> Audio:
        clip, span = places[i]
        out = clip.audio.copy()
        a, b = int(span.start * RATE), int(span.end * RATE)
        out[a:b] = other[a:b]
        return out

    def composed(i: int, other: Audio) -> Audio:
        clip, span = places[i]
        source = from_float(clip.audio, RATE)
        fade = InpaintRequest.crossfade
        return compose.compose(source, span.start, span.end, other, 0.0, RATE, fade).mono_at(RATE)

    others = [clips[(i + 1) % len(clips)].audio for i in range(count)]
    sets: dict[str, list[Audio]] = {
        "real": [clip.audio for clip, _ in places],
        "naive paste": [pasted(i, other) for i, other in enumerate(others)],
        "composed paste": [composed(i, other) for i, other in enumerate(others)],
        "silence": [pasted(i, np.zeros_like(other)) for i, other in enumerate(others)],
    }
    for engine in asked.engines:
        size = min(count, asked.zero_shot_spans) if engine == "fm-zero-shot" else count
        requests: list[Request] = [
            InpaintRequest(
                engine, from_float(clip.audio, RATE), span.start, span.end, clip.prompt, i,  # type: ignore[arg-type]
                given(clip.controls, asked.lanes), asked.ar, asked.fm,
            )
            for i, (clip, span) in enumerate(places[:size])
        ]  # fmt: skip
        sets[engine] = outputs.make(requests, f"{what}, {engine}")
        if engine != "fm-zero-shot":
            alone = outputs.make(
                generation_requests(clips[:count], engine, asked), f"{what}, independent {engine}"
            )  # type: ignore[arg-type]
            sets[f"independent {engine}"] = [composed(i, alone[i % len(alone)]) for i in range(count)]
    figures: Rows = {}
    for name, audios in sets.items():
        judged = [listener.judge(made, *places[i]) for i, made in enumerate(audios)]
        figures[name] = averaged(judged) | {"n": float(len(judged))}
        print(f"{what}: {name} judged", flush=True)
    return figures


def speed_figures(models: Models, clips: Sequence[Clip], asked: Asked) -> Rows:
    """CPU seconds on one core, one request at a time: 10 s generated, a 3 s span of 10 s re-made."""
    threads, figures = torch.get_num_threads(), {}
    torch.set_num_threads(1)
    clip, span = clips[0], Span(3.0, 6.0)
    controls = given(clip.controls, asked.lanes)
    for engine in asked.engines:
        source, row = from_float(clip.audio, RATE), {}
        tasks: dict[str, Request] = {
            "span of 3 s": InpaintRequest(
                engine, source, span.start, span.end, clip.prompt, 0, controls, asked.ar, asked.fm  # type: ignore[arg-type]
            )
        }  # fmt: skip
        if engine != "fm-zero-shot":
            tasks["10 s"] = GenerateRequest(engine, clip.prompt, SECONDS, 0, controls, asked.ar, asked.fm)  # type: ignore[arg-type]
        for name, request in tasks.items():
            run(request, models)
            begin = time.process_time()
            run(request, models)
            row[f"{name}, CPU s"] = time.process_time() - begin
        figures[engine] = row
    torch.set_num_threads(threads)
    return figures


@dataclass(frozen=True)
class Bar:
    """A bar and what was measured against it."""

    part: str
    row: str
    figure: str
    value: float
    sign: str  # ">=", "<=", "|<=|" (either way), ">" and "<" (ahead of)
    bar: float
    floor: float | None = None
    ceiling: float | None = None
    why: str = ""  # what the bar is, where it is no fixed number

    @property
    def met(self) -> bool:
        """Whether it is met; what could not be measured is not."""
        v, b = self.value, self.bar
        return bool({">=": v >= b, "<=": v <= b, "|<=|": abs(v) <= b, ">": v > b, "<": v < b}[self.sign])


# (row, figure, sign, bar) of the codec on renders ("") and recordings
_CODEC_BARS = (
    ("", "continuous", "SI-SNR dB", ">=", 9.0), (", recordings", "continuous", "SI-SNR dB", ">=", 6.0),
    ("", "RVQ", "below continuous dB", "<=", 2.0), (", recordings", "RVQ", "below continuous dB", "<=", 2.0),
    *((name, kind, ">4 kHz dB", "|<=|", 1.5) for name in ("", ", recordings") for kind in CODEC),
    *(("", kind, "chroma", ">=", 0.95) for kind in CODEC),
    *((", recordings", kind, "chroma", ">=", 0.90) for kind in CODEC),
)  # fmt: skip
_GENERATION_BARS = {  # figure -> engine -> bar
    "chord IOU": {"ar": 0.60, "fm": 0.50},
    "melody": {"ar": 0.45, "fm": 0.40},
    "drum onsets F1": {"ar": 0.60, "fm": 0.60},
}


def bars(figures: dict[str, Rows]) -> list[Bar]:
    """Every bar whose figure was measured."""
    out: list[Bar] = []
    codec = figures.get("codec", {})
    for name, kind, figure, sign, bar in _CODEC_BARS:
        row = f"codec {kind}{name}"
        if figure in codec.get(row, {}):
            out.append(Bar("codec", row, figure, codec[row][figure], sign, bar))
    for figure, bar in (("decode 10 s, CPU s", 1.5), ("transformers, max difference", 1e-4)):
        if "facts" in codec:
            out.append(Bar("codec", "facts", figure, codec["facts"][figure], "<=", bar))
    made = figures.get("generate", {})
    for engine, ceiling in CEILING.items():
        if engine not in made:
            continue
        top = made[ceiling]
        for figure, of in _GENERATION_BARS.items():
            floor = made[engine].get(f"{figure}, shuffled")
            value = made[engine].get(figure, float("nan"))
            out.append(Bar("generate", engine, figure, value, ">=", of[engine], floor, top.get(figure)))
        told = f"1.5 x {ceiling}"
        out.append(
            Bar(
                "generate", engine, "FAD", made[engine]["FAD"], "<=", 1.5 * top["FAD"], None, top["FAD"], told
            )
        )
    text = figures.get("text", {})
    for engine, ceiling in CEILING.items():
        for name, bar in (("", 0.60), (", unseen words", 0.50)):
            row = text.get(engine + name)
            if row:
                floor, top_figure = row["lead of 10, shuffled"], text[ceiling]["lead of 10"]
                out.append(
                    Bar("text", engine + name, "lead of 10", row["lead of 10"], ">=", bar, floor, top_figure)
                )
    for part in ("inpaint", "inpaint, recordings"):
        out += _ahead(part, figures.get(part, {}))
    return out


def _ahead(part: str, rows: Rows) -> list[Bar]:
    """Supervised FM and AR against naive paste, silence and the engine's own independent clip."""
    out = []
    for engine in ("ar", "fm"):
        if engine not in rows:
            continue
        for figure, more in SPAN_FIGURES.items():
            against = {
                n: rows[n][figure] for n in (*BASELINES, f"independent {engine}") if figure in rows.get(n, {})
            }
            against = {n: v for n, v in against.items() if not np.isnan(v)}
            if not against or figure not in rows[engine]:
                continue
            best = (max if more else min)(against, key=lambda n: against[n])
            real = rows["real"].get(figure)
            out.append(
                Bar(
                    part,
                    engine,
                    figure,
                    rows[engine][figure],
                    ">" if more else "<",
                    against[best],
                    None,
                    real,
                    best,
                )
            )
        out.append(Bar(part, engine, ">4 kHz in-out dB", rows[engine][">4 kHz in-out dB"], "|<=|", 2.0))
    return out


def show(figures: dict[str, Rows]) -> None:
    """Print each set as a table, then every bar beside its figure, floor and ceiling."""
    for title, rows in figures.items():
        columns = list(dict.fromkeys(c for row in rows.values() for c in row))
        print(f"\n{title}")
        for at in range(0, len(columns), 8):
            part = columns[at : at + 8]
            print(f"{'':26}" + "".join(f"{c[-15:]:>16}" for c in part))
            for name, row in rows.items():
                if any(c in row for c in part):
                    print(f"{name:26}" + "".join(f"{row[c]:16.3f}" if c in row else " " * 16 for c in part))
    print(f"\n{'bars':48}{'measured':>10}{'bar':>14}{'floor':>9}{'ceiling':>9}")
    for bar in bars(figures):
        told = f"{bar.sign} {bar.bar:.3f}" if bar.bar >= 5e-4 or bar.bar == 0 else f"{bar.sign} {bar.bar:.0e}"
        floor, top = (f"{x:9.3f}" if x is not None else " " * 9 for x in (bar.floor, bar.ceiling))
        name = f"{bar.part}: {bar.row}: {bar.figure}"
        print(
            f"{name:48}{bar.value:10.3f}{told:>14}{floor}{top}  {'met' if bar.met else 'NOT MET'}"
            + (f"  ({bar.why})" if bar.why else "")
        )


def measure(
    models: Models, outputs: Outputs, listener: Listener, args: argparse.Namespace, asked: Asked
) -> dict[str, Rows]:
    """The figures of the parts that `args.set` names."""
    parts = args.set.split(",")
    clips = labelled(args.held_out, 2 * args.clips)
    clips, others = clips[: args.clips], clips[args.clips :]
    figures: dict[str, Rows] = {}
    if "codec" in parts:
        sets: dict[str, Sequence[Clip]] = {"": clips}
        if args.recordings.is_dir():
            sets[", recordings"] = excerpts(args.recordings, args.clips)
        figures["codec"] = codec_figures(outputs, sets) | {"facts": codec_facts(models)}
    if "generate" in parts:
        figures["generate"] = generation_figures(outputs, listener, clips, others, asked)
    if "text" in parts:
        figures["text"] = text_figures(outputs, listener, clips, asked)
    if "inpaint" in parts:
        count = args.spans or args.clips
        figures["inpaint"] = inpainting_figures(outputs, listener, clips, count, asked, "inpaint")
        if args.real.is_dir():
            real = labelled(args.real, args.clips)
            figures["inpaint, recordings"] = inpainting_figures(
                outputs, listener, real, count, asked, "inpaint, recordings"
            )
    if "speed" in parts:
        figures["speed"] = speed_figures(models, clips, asked)
    return figures


def main() -> None:
    """Measure and print; `--out` also writes the figures as JSON, for `study.bundle --figures`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="bundle")
    parser.add_argument("--held-out", type=Path, default=Path("runs/data/held_out"))
    parser.add_argument(
        "--real", type=Path, default=Path("runs/data/real_held_out"), help="labelled recordings"
    )
    parser.add_argument("--recordings", type=Path, default=Path("runs/recordings/held_out"))
    parser.add_argument("--tagger", type=Path, default=FOLDER, help="a listener that chooses nothing")
    parser.add_argument("--work", type=Path, default=Path("runs/evaluate"), help="where outputs are kept")
    parser.add_argument("--clips", type=int, default=200, help="conditions")
    parser.add_argument(
        "--spans", type=int, default=0, help="spans of renders, and of recordings; 0: as conditions"
    )
    parser.add_argument("--set", default="codec,generate,text,inpaint,speed")
    parser.add_argument("--engines", default="ar,fm,fm-zero-shot", help="none: only what needs no engine")
    parser.add_argument("--lanes", default="chords,melody,drums")
    parser.add_argument("--chord-lane", choices=("labels", "heard"), default=Asked.chord_lane)
    parser.add_argument("--steps", type=int, default=FMSettings.steps)
    parser.add_argument("--solver", default=FMSettings.solver)
    parser.add_argument("--zero-shot", default="", help="inversion or replacement; default: the bundle's")
    parser.add_argument("--zero-shot-spans", type=int, default=Asked.zero_shot_spans)
    parser.add_argument("--guidance", type=float, nargs=2, metavar=("ALL", "TEXT"))
    parser.add_argument("--temperature", type=float, default=ARSettings.temperature)
    parser.add_argument("--top-k", type=int, default=ARSettings.top_k)
    parser.add_argument("--text-seconds", type=float, default=Asked.text_seconds)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    begin, models = time.time(), open_bundle(args.bundle, args.device)
    guidance = Guidance(*args.guidance) if args.guidance else None
    asked = Asked(
        tuple(e for e in args.engines.split(",") if e != "none"),
        tuple(args.lanes.split(",")),
        ARSettings(temperature=args.temperature, top_k=args.top_k, guidance=guidance),
        FMSettings(args.solver, args.steps, guidance, args.zero_shot or models.spec.zero_shot),
        args.chord_lane,
        args.text_seconds,
        args.zero_shot_spans,
    )
    outputs = Outputs(models, args.work, args.batch)
    listener = Listener(load_tagger(args.tagger), args.work / "heard")
    figures = measure(models, outputs, listener, args, asked)
    show(figures)
    print(
        f"\n{args.clips} conditions, {args.spans or args.clips} spans asked for, {time.time() - begin:.0f} s"
    )
    if args.out:
        told: dict[str, Any] = {"clips": args.clips, "spans": args.spans or args.clips, **figures}
        told["bars"] = [asdict(bar) | {"met": bar.met} for bar in bars(figures)]
        args.out.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
