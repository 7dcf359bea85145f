"""How long things take here, as ratios measured side by side: `python -m study.runtime`.

Each pair alternates A B A B in one process; the median of the ratios is printed with both medians. With
`--spans` it tells where the seconds of a span go (`study.measure.span_times`), also in checkouts `--beside`.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from engines.checkpoints.shelf import Models, open_bundle
from engines.dispatch import run
from engines.requests import Chord, Controls, FMSettings, GenerateRequest
from study.measure import span_times, token_rate

CHORDS = Controls(chords=(Chord(0, 2.5, "C"), Chord(2.5, 5, "Am"), Chord(5, 7.5, "F"), Chord(7.5, 10, "G7")))


def seconds(work: Callable[[], object]) -> float:
    """Wall time of one call."""
    begin = time.perf_counter()
    work()
    return time.perf_counter() - begin


def pair(name: str, a: Callable[[], object], b: Callable[[], object], rounds: int) -> None:
    """Print the medians of A and B and of A/B."""
    a(), b()
    times = [(seconds(a), seconds(b)) for _ in range(rounds)]
    ratio = statistics.median(x / y for x, y in times)
    first, second = (statistics.median(t) for t in zip(*times, strict=True))
    print(f"{name:58}{first:9.3f} s{second:9.3f} s{ratio:8.2f}", flush=True)


def generate(models: Models, engine: str, fm: FMSettings = FMSettings()) -> Callable[[], object]:  # noqa: B008
    """A 10-s clip with chords."""
    request = GenerateRequest(engine, "upbeat pop with piano and drums", 10.0, 1, CHORDS, fm=fm)  # type: ignore[arg-type]
    return lambda: run(request, models)


NO_ALLOCATOR = "import engines.checkpoints.allocator as a; a._done = True"
DECODE = """
import sys, torch, time
from engines.checkpoints.shelf import open_bundle
torch.set_num_threads(int(sys.argv[2]))
codec = open_bundle(sys.argv[1], "cpu").codec()
z = torch.randn(1, codec.dim, 250)
with torch.inference_mode():
    codec.decode(z); begin = time.perf_counter()
    for _ in range(5): codec.decode(z)
print((time.perf_counter() - begin) / 5)
"""


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="bundle")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--spans", action="store_true", help="where a span's seconds go, stage by stage")
    parser.add_argument("--engines", default=",".join(span_times.ENGINES), help="which of them")
    parser.add_argument("--intents", default=",".join(span_times.INTENTS), help="which of them")
    parser.add_argument("--beside", type=Path, action="append", default=[], help="a checkout to measure too")
    parser.add_argument("--out", type=Path, help="the figures as JSON")
    parser.add_argument(
        "--tokens", type=int, default=0, help="steps a second of MusicGen-small's shape: frames"
    )
    args = parser.parse_args()
    if args.tokens:
        torch.set_num_threads(args.threads)
        return print(token_rate.table(args.rounds, args.tokens))
    if args.spans:
        print(span_times.head())
        trees = [*(tree.resolve() for tree in args.beside), Path(__file__).resolve().parents[1]]
        cases = args.engines.split(","), args.intents.split(",")
        rows = span_times.measured(args.bundle, args.rounds, args.threads, trees, *cases)
        if args.out:
            args.out.write_text(json.dumps(rows, indent=1) + "\n")
        return
    torch.set_num_threads(args.threads)
    models = open_bundle(args.bundle, "cpu")
    print(f"{'10 s of music':58}{'A':>11}{'B':>11}{'A/B':>8}")
    fm, ar = generate(models, "fm"), generate(models, "ar")
    pair("A = AR, B = FM (Euler 25)", ar, fm, args.rounds)
    pair(
        "A = FM midpoint 25, B = FM Euler 25",
        generate(models, "fm", FMSettings("midpoint", 25)),
        fm,
        args.rounds,
    )
    pair("A = FM Euler 50, B = FM Euler 25", generate(models, "fm", FMSettings("euler", 50)), fm, args.rounds)
    half = open_bundle(args.bundle, "cpu", "bfloat16")
    pair("A = FM float32, B = FM bfloat16", fm, generate(half, "fm"), args.rounds)

    def decode(keep: bool) -> float:
        script = DECODE if keep else DECODE.replace("codec = ", f"{NO_ALLOCATOR}\ncodec = ")
        call = [sys.executable, "-c", script, args.bundle, str(args.threads)]
        return float(subprocess.run(call, capture_output=True, text=True, check=True).stdout)

    times = [(decode(False), decode(True)) for _ in range(args.rounds)]
    first, second = (statistics.median(t) for t in zip(*times, strict=True))
    ratio = statistics.median(x / y for x, y in times)
    print(f"{'A = decode 10 s, B = the same, freed memory kept':58}{first:9.3f} s{second:9.3f} s{ratio:8.2f}")


if __name__ == "__main__":
    main()
