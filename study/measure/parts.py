"""The parts of a bundle's measurement: codec, generation, words alone, spans, speed.

Each gives a table: row -> figure -> value. Everything is asked on held-out clips that no training saw,
judged from audio alone, and stands between a floor (the same audio against other clips' conditions) and a
ceiling (real clips through the codec). Does not know what is good enough (`verdicts.py`).
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray

from engines.audio import compose
from engines.audio.recording import from_float
from engines.checkpoints.shelf import Models
from engines.dispatch import run
from engines.families.inlay import codec_of, spec_within
from engines.networks.codec import full_state
from engines.requests import ARSettings, Chord, Controls, FMSettings, GenerateRequest, InpaintRequest, Request
from engines.roster import EngineName
from study.listeners.hearing import Listener, adherence, bright_level, frechet_figures, lead_figures, mean
from study.measure import metrics
from study.measure.conditions import RATE, SECONDS, Clip, Span, spans, text_prompt, unseen_prompt
from study.measure.outputs import Outputs

Audio = NDArray[np.float32]
Rows = dict[str, dict[str, float]]
CODEC = {"continuous": False, "RVQ": True}  # name -> quantized
CEILING = {"ar": "real, codec RVQ", "fm": "real, codec continuous"}


@dataclass(frozen=True)
class Settings:
    """Settings of a measurement."""

    engines: tuple[EngineName, ...] = ("ar", "fm", "fm-zero-shot")
    lanes: tuple[str, ...] = ("chords", "melody", "drums")
    ar: ARSettings = ARSettings()
    fm: FMSettings = FMSettings()
    chord_lane: str = "labels"  # or "heard": what Chordino hears in the real clip, as the paper conditions
    text_seconds: float = 5.0
    zero_shot_spans: int = 50


def only(controls: Controls, lanes: Sequence[str]) -> Controls:
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
    from transformers import EncodecConfig, EncodecModel

    codec = codec_of(models)
    plain = EncodecModel(EncodecConfig(**spec_within(models).codec["config"])).eval()
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


def generation_requests(clips: Sequence[Clip], engine: EngineName, settings: Settings) -> list[Request]:
    """One clip for each held-out clip's own words and lanes."""
    return [
        GenerateRequest(
            engine, clip.prompt, SECONDS, i, only(clip.controls, settings.lanes), settings.ar, settings.fm
        )
        for i, clip in enumerate(clips)
    ]


def generation_figures(
    outputs: Outputs, listener: Listener, clips: Sequence[Clip], others: Sequence[Clip], settings: Settings
) -> Rows:
    """How clips follow words and lanes together, beside real ones and real ones through the codec."""
    sets: dict[str, list[Audio]] = {"real": [clip.audio for clip in clips]}
    for kind, quantize in CODEC.items():
        sets[f"real, codec {kind}"] = outputs.through_codec(sets["real"], quantize)
    prompted = clips
    if settings.chord_lane == "heard":
        prompted = [with_chords(clip, listener.hear(clip.audio).chords) for clip in clips]
    for engine in settings.engines:
        if engine != "fm-zero-shot":
            sets[engine] = outputs.make(
                generation_requests(prompted, engine, settings), f"generate, {engine}"
            )
    heard = {name: listener.hear_all(sounds) for name, sounds in sets.items()}
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


def text_figures(outputs: Outputs, listener: Listener, clips: Sequence[Clip], settings: Settings) -> Rows:
    """Whether the lead instrument that the words name is heard, from words alone."""
    leads = list(listener.tagger.config.leads)
    clips = [clip for clip in clips if clip.lead in leads]
    real = [melodic(clip, settings.text_seconds) for clip in clips]
    sets = {"real": real}
    for kind, quantize in CODEC.items():
        sets[f"real, codec {kind}"] = outputs.through_codec(real, quantize)
    for engine in settings.engines:
        if engine == "fm-zero-shot":
            continue
        for name, words in (("", text_prompt), (", unseen words", lambda clip: unseen_prompt(clip, 0))):
            requests: list[Request] = [
                GenerateRequest(
                    engine, words(clip), settings.text_seconds, i, Controls(), settings.ar, settings.fm
                )
                for i, clip in enumerate(clips)
            ]
            sets[engine + name] = outputs.make(requests, f"text{name}, {engine}")
    scores = {name: listener.tagger.listen(made).leads.double().numpy() for name, made in sets.items()}
    return {name: lead_figures(s, clips, leads) for name, s in scores.items()}


def inpainting_figures(
    outputs: Outputs, listener: Listener, clips: Sequence[Clip], count: int, settings: Settings, what: str
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
    for engine in settings.engines:
        size = min(count, settings.zero_shot_spans) if engine == "fm-zero-shot" else count
        requests: list[Request] = [
            InpaintRequest(
                engine, from_float(clip.audio, RATE), span.start, span.end, clip.prompt, i,
                only(clip.controls, settings.lanes), settings.ar, settings.fm,
            )
            for i, (clip, span) in enumerate(places[:size])
        ]  # fmt: skip
        sets[engine] = outputs.make(requests, f"{what}, {engine}")
        if engine != "fm-zero-shot":
            alone = outputs.make(
                generation_requests(clips[:count], engine, settings), f"{what}, independent {engine}"
            )
            sets[f"independent {engine}"] = [composed(i, alone[i % len(alone)]) for i in range(count)]
    figures: Rows = {}
    for name, audios in sets.items():
        judged = [listener.judge(made, *places[i]) for i, made in enumerate(audios)]
        figures[name] = averaged(judged) | {"n": float(len(judged))}
        print(f"{what}: {name} judged", flush=True)
    return figures


def speed_figures(models: Models, clips: Sequence[Clip], settings: Settings) -> Rows:
    """CPU seconds on one core, one request at a time: 10 s generated, a 3 s span of 10 s re-made."""
    threads, figures = torch.get_num_threads(), Rows()
    torch.set_num_threads(1)
    clip, span = clips[0], Span(3.0, 6.0)
    controls = only(clip.controls, settings.lanes)
    for engine in settings.engines:
        source, row = from_float(clip.audio, RATE), {}
        tasks: dict[str, Request] = {
            "span of 3 s": InpaintRequest(
                engine, source, span.start, span.end, clip.prompt, 0, controls, settings.ar, settings.fm
            )
        }  # fmt: skip
        if engine != "fm-zero-shot":
            tasks["10 s"] = GenerateRequest(
                engine, clip.prompt, SECONDS, 0, controls, settings.ar, settings.fm
            )
        for name, request in tasks.items():
            run(request, models)
            begin = time.process_time()
            run(request, models)
            row[f"{name}, CPU s"] = time.process_time() - begin
        figures[engine] = row
    torch.set_num_threads(threads)
    return figures
