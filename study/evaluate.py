"""Measure a bundle on held-out renders: `python -m study.evaluate`; prints one table beside its bars.

Everything goes through the engines as a user calls them. Codec: real clips through it. Generation:
each held-out clip's own caption and lanes, controls judged from the audio; floor = the same audio
against other clips' lanes, ceiling = the real clips. Inpainting: a span of a held-out clip re-made
by each engine; log-mel jump at both seams beside real audio's and a naive paste's (another clip's
audio, cut hard) and the same paste through the engines' own composition. `--set` names the parts to measure.
"""

from __future__ import annotations

import argparse
import json
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from engines import compose, seams
from engines.checkpoints import Models, open_bundle
from engines.dispatch import run
from engines.recording import from_float
from engines.requests import (
    ARSettings,
    Chord,
    Controls,
    FMSettings,
    GenerateRequest,
    Guidance,
    Hit,
    InpaintRequest,
    Note,
)
from study import metrics
from study.dataset import controls_of, labels_of

RATE = 32_000
SECONDS = 10.0
Figures = dict[str, dict[str, float]]


class HeldOut:
    """The first `count` clips of a rendered folder, 10 s each."""

    def __init__(self, folder: Path, count: int) -> None:
        shards = [np.load(p, mmap_mode="r") for p in sorted(folder.glob("audio_*.npy"))]
        clips = [c for shard in shards for c in shard][:count]
        self.audio = [np.asarray(c[: int(SECONDS * RATE)], np.float32) / 32767 for c in clips]
        self.labels = labels_of(folder)[:count]
        self.controls = [trimmed(controls_of(label), SECONDS) for label in self.labels]

    def __len__(self) -> int:
        return len(self.audio)


def trimmed(controls: Controls, end: float) -> Controls:
    """Controls that begin before `end` seconds, cut there."""
    return Controls(
        tuple(Chord(c.start, min(c.end, end), c.symbol) for c in controls.chords or () if c.start < end),
        tuple(Note(n.start, min(n.end, end), n.pitch) for n in controls.melody or () if n.start < end),
        tuple(Hit(h.time, h.drum) for h in controls.drums or () if h.time < end),
    )


def codec_figures(models: Models, held: HeldOut) -> Figures:
    """Real clips through the codec, continuous and quantized."""
    codec = models.codec()
    rows: dict[str, list[dict[str, float]]] = {"codec continuous": [], "codec RVQ": []}
    for y in held.audio:
        with torch.inference_mode():
            z = codec.encode(torch.from_numpy(y.copy())[None, None])
            for name, latent in (("codec continuous", z), ("codec RVQ", codec.dequantize(codec.quantize(z)))):
                out = codec.decode(latent)[0, 0].numpy()[: len(y)]
                rows[name].append(
                    {
                        "SI-SNR dB": metrics.si_snr(out, y),
                        "log-mel nats": metrics.log_mel_distance(out, y, RATE),
                        ">4 kHz dB": metrics.brightness(out, RATE) - metrics.brightness(y, RATE),
                        "chroma": metrics.chroma_agreement(out, y, RATE),
                    }
                )
    return {k: {m: float(np.mean([r[m] for r in v])) for m in v[0]} for k, v in rows.items()}


class Judge:
    """Chord and melody figures of a set of clips against their own and against others' lanes."""

    def __init__(self, held: HeldOut) -> None:
        self.held = held

    def __call__(self, audio: list[NDArray[np.float32]]) -> dict[str, float]:
        """Figures of clips [n] made for the held-out clips of the same places."""
        n, out = len(audio), {}
        chromas = [metrics.chroma(y, RATE) for y in audio]
        cqts = [metrics.cqt(y, RATE) for y in audio]

        def mean(shift: list[int], chords: bool) -> float:
            values = []
            for i in range(n):
                for s in shift:
                    c = self.held.controls[(i + s) % n]
                    values.append(
                        metrics.chord_correlation(chromas[i], RATE, c.chords or ())
                        if chords
                        else metrics.melody_agreement(cqts[i], RATE, c.melody or ())
                    )
            return float(np.nanmean(values))

        others = list(range(1, n)) or [0]
        out["chords"], out["chords shuffled"] = mean([0], True), mean(others, True)
        out["melody"], out["melody shuffled"] = mean([0], False), mean(others, False)
        onsets, shuffled = [], []
        for i in range(n):
            import librosa

            estimate = librosa.onset.onset_detect(y=audio[i], sr=RATE, units="time", hop_length=320)
            for target, into in ((i, onsets), ((i + 1) % n, shuffled)):
                hits = sorted({round(h.time, 2) for h in self.held.controls[target].drums or ()})
                if hits:
                    into.append(metrics.onset_f1(estimate, hits))
        out["drum onsets F1"], out["shuffled F1"] = float(np.nanmean(onsets)), float(np.nanmean(shuffled))
        out["brightness dB"] = float(np.mean([metrics.brightness(y, RATE) for y in audio]))
        return out


def generation_figures(
    models: Models, held: HeldOut, fm: FMSettings, ar: ARSettings, engines: list[str], lanes: str
) -> Figures:
    """Control adherence of each engine, beside real clips and real clips through the codec."""
    judge = Judge(held)
    figures: Figures = {"real": judge(held.audio)}
    codec = models.codec()
    for name in ("codec continuous", "codec RVQ"):
        through = []
        for y in held.audio:
            with torch.inference_mode():
                z = codec.encode(torch.from_numpy(y.copy())[None, None])
                z = codec.dequantize(codec.quantize(z)) if name.endswith("RVQ") else z
                through.append(codec.decode(z)[0, 0].numpy()[: len(y)])
        figures[f"real, {name}"] = judge(through)
    for engine in engines:
        made, spent = [], 0.0
        for i in range(len(held)):
            c = held.controls[i]
            given = Controls(
                c.chords if "chords" in lanes else None,
                c.melody if "melody" in lanes else None,
                c.drums if "drums" in lanes else None,
            )
            request = GenerateRequest(engine, held.labels[i]["captions"][0], SECONDS, i, given, ar, fm)  # type: ignore[arg-type]
            result = run(request, models)
            made.append(result.audio.mono_at(RATE))
            spent += result.seconds_spent
        figures[engine] = judge(made) | {"s per 10 s": spent / len(held)}
    return figures


def inpainting_figures(
    models: Models, held: HeldOut, fm: FMSettings, ar: ARSettings, engines: list[str], lanes: str
) -> Figures:
    """Log-mel jump at the seams and brightness inside, for each engine, real audio and a naive paste."""
    rng = np.random.default_rng(0)
    spans = []
    for _ in range(len(held)):
        length = float(rng.uniform(1.5, 4.0))
        start = float(rng.uniform(1.5, SECONDS - 1.5 - length))
        spans.append((start, start + length))
    rows: dict[str, list[dict[str, float]]] = {}

    def judge(name: str, y: NDArray[np.float32], i: int, more: dict[str, float]) -> None:
        start, end = spans[i]
        jump = float(np.mean([seams.log_mel_jump(y, RATE, t) for t in (start, end)]))
        a, b = int(start * RATE), int(end * RATE)
        bright = metrics.brightness(y[a:b], RATE) - metrics.brightness(held.audio[i][a:b], RATE)
        level = 20 * np.log10((y[a:b].std() + 1e-6) / (held.audio[i][a:b].std() + 1e-6))
        same = metrics.log_mel_distance(y[a:b], held.audio[i][a:b], RATE)
        rows.setdefault(name, []).append(
            {"jump dB": jump, "level dB": float(level), ">4 kHz dB": bright, "log-mel to real": same} | more
        )

    for i, y in enumerate(held.audio):
        start, end = spans[i]
        a, b = int(start * RATE), int(end * RATE)
        judge("real", y, i, {})
        paste = y.copy()
        paste[a:b] = held.audio[(i + 1) % len(held)][a:b]
        judge("naive paste", paste, i, {})
        other = held.audio[(i + 1) % len(held)]  # the same, through the engines' composition
        blended = compose.compose(from_float(y, RATE), start, end, other, 0.0, RATE, InpaintRequest.crossfade)
        judge("composed paste", blended.mono_at(RATE), i, {})
        for engine in engines:
            c = held.controls[i]
            given = Controls(
                c.chords if "chords" in lanes else None,
                c.melody if "melody" in lanes else None,
                c.drums if "drums" in lanes else None,
            )
            request = InpaintRequest(
                engine, from_float(y, RATE), start, end, held.labels[i]["captions"][0], i, given, ar, fm
            )  # type: ignore[arg-type]
            result = run(request, models)
            judge(engine, result.audio.mono_at(RATE), i, {"s per span": result.seconds_spent})
    figures = {k: {m: float(np.mean([r[m] for r in v])) for m in v[0]} for k, v in rows.items()}
    real, paste_jump = figures["real"]["jump dB"], figures["naive paste"]["jump dB"]
    for engine in engines:
        figures[engine]["gap closed"] = (paste_jump - figures[engine]["jump dB"]) / (paste_jump - real)
    return figures


# (set, row, column, at least / at most, bar): the floor of the first bundle
BARS = (
    ("codec", "codec continuous", "SI-SNR dB", ">=", 6.0),
    ("generate", "fm", "chords", ">=", 0.40),
    ("generate", "fm", "chords shuffled", "<=", 0.05),
    ("generate", "ar", "chords", ">=", 0.25),
    ("generate", "ar", "chords shuffled", "<=", 0.05),
    ("generate", "fm", "melody", ">=", 0.50),
    ("generate", "fm", "melody shuffled", "<=", 0.15),
    ("inpaint", "ar", "gap closed", ">=", 1 / 3),
    ("inpaint", "fm", "gap closed", ">=", 1 / 3),
    ("inpaint", "fm-zero-shot", "gap closed", ">=", 1 / 3),
)


def show(figures: dict[str, Figures]) -> None:
    """Print each set as a table, then the bars."""
    for title, rows in figures.items():
        columns = list(dict.fromkeys(c for row in rows.values() for c in row))
        print(f"\n{title}\n{'':22}" + "".join(f"{c:>18}" for c in columns))
        for name, row in rows.items():
            print(f"{name:22}" + "".join(f"{row[c]:18.3f}" if c in row else " " * 18 for c in columns))
    print("\nbars")
    for part, name, column, sign, bar in BARS:
        value = figures.get(part, {}).get(name, {}).get(column)
        if value is not None:
            met = value >= bar if sign == ">=" else value <= bar
            print(
                f"{part:10}{name:18}{column:18}{value:8.3f}  {sign} {bar:.3f}  {'met' if met else 'NOT MET'}"
            )


def main() -> None:
    """Measure and print; `--out` also writes the figures as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="bundle")
    parser.add_argument("--held-out", type=Path, default=Path("runs/data/held_out"))
    parser.add_argument("--clips", type=int, default=32)
    parser.add_argument("--set", default="codec,generate,inpaint")
    parser.add_argument("--engines", default="ar,fm,fm-zero-shot")
    parser.add_argument("--lanes", default="chords,melody,drums")
    parser.add_argument("--steps", type=int, default=FMSettings.steps)
    parser.add_argument("--solver", default=FMSettings.solver)
    parser.add_argument("--zero-shot", default="")
    parser.add_argument("--guidance", type=float, nargs=2, metavar=("ALL", "TEXT"))
    parser.add_argument("--temperature", type=float, default=ARSettings.temperature)
    parser.add_argument("--top-k", type=int, default=ARSettings.top_k)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--out", type=Path)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    models = open_bundle(args.bundle, "cpu")
    held = HeldOut(args.held_out, args.clips)
    guidance = Guidance(*args.guidance) if args.guidance else None
    zero_shot = args.zero_shot or models.spec.zero_shot
    fm = FMSettings(args.solver, args.steps, guidance, zero_shot)
    ar = ARSettings(temperature=args.temperature, top_k=args.top_k, guidance=guidance)
    engines, parts, begin = args.engines.split(","), args.set.split(","), time.time()
    figures: dict[str, Figures] = {}
    if "codec" in parts:
        figures["codec"] = codec_figures(models, held)
    if "generate" in parts:
        makers = [e for e in engines if e != "fm-zero-shot"]
        figures["generate"] = generation_figures(models, held, fm, ar, makers, args.lanes)
    if "inpaint" in parts:
        figures["inpaint"] = inpainting_figures(models, held, fm, ar, engines, args.lanes)
    show(figures)
    print(f"\n{len(held)} held-out clips, {time.time() - begin:.0f} s")
    if args.out:
        told: dict[str, Any] = {"clips": len(held), **figures}
        args.out.write_text(json.dumps(told, indent=1) + "\n")


if __name__ == "__main__":
    main()
