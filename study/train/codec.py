"""Train the codec on renders and recordings: `python -m study.train.codec --help`.

Three stages, by share of the time budget (the recipe and its measurements: study/README.md):
1. encoder and decoder on continuous latents;
2. the same with half of the items through the residual quantizer (EMA codebooks, dead codes restarted);
3. encoder frozen, codebooks refined on many clips: decoder only, against a discriminator. FM and AR
   can train from here on.
`--from-bundle` goes on from a bundle's codec; with `--freeze-from 0` its encoder and codebooks stay as
they are, and so does what AR and FM learnt on them.
Resumes from the last checkpoint in --out; curves go to curves.csv and curves.png there. On several
cores run it under `torchrun --nproc-per-node N`: one single-threaded process a core with averaged
gradients took about 1.6 times the items of one process with two threads (one rough comparison).
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch

from engines.checkpoints.allocator import keep_freed_memory
from engines.networks.codec import Codec, build_codec, codec_config
from study.train.autoencoder.course import MEASURES, Config, Course, validate
from study.train.autoencoder.crops import Clips, held_out_crops
from study.train.autoencoder.distance import Spectral
from study.train.autoencoder.quantizer import Quantizer
from study.train.autoencoder.weights import fold_weight_norm, initialise, take_over, unfold_weight_norm
from study.train.processes import Processes
from study.train.run import Run, averaged_state

FILE = "codec.pt"  # of the run, in its folder


def new_codec(config: Config) -> Codec:
    """A codec of the shape that a configuration says."""
    return build_codec(codec_config(config.width, config.ratios, config.codebooks, config.codebook_size))


def train(
    config: Config,
    renders: Path,
    held_out: Path,
    recordings: Path | None,
    out: Path,
    threads: int,
    start: Path | None = None,
) -> None:
    """Run or resume; writes codec.pt (plain weights, their average, codebooks) into `out`."""
    processes, device = Processes(), config.device
    torch.set_num_threads(threads)
    keep_freed_memory()
    torch.manual_seed(config.seed)
    out.mkdir(parents=True, exist_ok=True)
    codec = new_codec(config)
    fold_weight_norm(codec)
    samples = round(config.seconds * codec.rate / codec.hop) * codec.hop
    seed = config.seed + 1000 * processes.rank
    clips = Clips(renders, recordings, samples, seed)
    quantizer = Quantizer(codec, config.seed)
    if start is None:
        initialise(codec, clips.batch(16, 0.0), config.whiten)
    else:
        take_over(codec, quantizer, start, out, settled=config.freeze_from <= 0)
    processes.spread(codec.model.parameters())
    codec.to(device)
    quantizer.ring = quantizer.ring.to(device)
    tests = {k: v.to(device) for k, v in held_out_crops(held_out, recordings, codec.rate).items()}
    course, measure = Course(config, codec, quantizer, processes), Spectral(codec.rate).to(device)
    fields = (*(kind + name for kind in tests for name in MEASURES), "residual", "verdict")
    run = Run(out, codec.model, config.minutes, config.lr, fields, file=FILE, warmup=0.01,
              writes=processes.first, more=course.state)  # fmt: skip
    was_frozen = bool(run.resumed.get("frozen"))  # then it stays, whatever part of a longer run this is
    if run.step:
        course.restore(run.resumed)
        clips.reseed(seed + run.step)
    while (share := processes.agreed(run.share)) < 1:
        if not course.frozen and (share >= config.freeze_from or was_frozen):
            freeze(course, run, renders)
        x = clips.batch(config.batch, config.recordings).to(device, non_blocking=True)  # [B, 1, N]
        run.apply(course.gradients(x, share, run.step), share)
        if processes.first and run.due():
            with run.averaged():
                measured = {kind: validate(codec, quantizer, audio, measure) for kind, audio in tests.items()}
            row = {kind + name: v for kind, figures in measured.items() for name, v in figures.items()}
            run.log(row | course.facts)
    run.finish()
    processes.end()


def freeze(course: Course, run: Run, renders: Path) -> None:
    """Freeze the encoder; its latents' statistics and codebooks are settled, and FM and AR can begin."""
    course.freeze(run.average)
    if course.processes.first:
        run.save()
        finish(run.folder, renders, None)
        (run.folder / "encoder_frozen").write_text(f"{run.step}\n")
        print("encoder frozen", flush=True)
    course.processes.wait()
    course.quantizer.settle(torch.load(run.folder / "codebooks.pt"))


def finish(out: Path, renders: Path, recordings: Path | None) -> Codec:
    """codec.pt -> a codec with averaged weights, latent statistics (App. E.2) and refitted codebooks.

    Statistics and codebooks are settled once the encoder is frozen and then kept in latents.pt and
    codebooks.pt beside codec.pt, because FM and AR are trained on them.
    """
    kept = torch.load(out / FILE, weights_only=True, map_location="cpu")
    codec = new_codec(Config(**kept["config"]))
    unfold_weight_norm(averaged_state(out, FILE), codec)
    statistics, books = out / "latents.pt", out / "codebooks.pt"
    if not kept["frozen"]:
        raise SystemExit(f"{out}: the encoder is still in training; wait for encoder_frozen")
    quantizer = Quantizer(codec, 0)
    if not (statistics.exists() and books.exists()):
        clips = Clips(renders, recordings, 10 * codec.rate, 1)
        with torch.no_grad():
            z = torch.cat([codec.model.encoder(clips.batch(8, 0.0)) for _ in range(50)])  # [400, D, 250]
        torch.save((float(z.mean()), float(z.std(dim=2).mean())), statistics)
        residual = quantizer.refine(z.transpose(1, 2).reshape(-1, z.shape[1]))
        torch.save([layer.embed for layer in quantizer.layers], books)  # on the CPU, whatever trained them
        print(f"{codec.codebooks} codebooks refined: residual {residual:.3f} of the power")
    codec.mean, codec.std = torch.load(statistics)
    for layer, embed in zip(quantizer.layers, torch.load(books), strict=True):
        layer.embed.copy_(embed)
    return codec.eval()


def main() -> None:
    """Train, then write the codec for a bundle."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--renders", type=Path, default=Path("runs/data/train"))
    parser.add_argument("--held-out", type=Path, default=Path("runs/data/held_out"))
    parser.add_argument("--recordings", type=Path, help="of study.data.recordings: runs/recordings/train")
    parser.add_argument("--from-bundle", type=Path, help="bundle whose codec to go on from")
    parser.add_argument("--quantizer-from", type=float, default=Config.quantizer_from)
    parser.add_argument("--freeze-from", type=float, default=Config.freeze_from)
    parser.add_argument("--out", type=Path, default=Path("runs/codec"))
    parser.add_argument("--minutes", type=float, default=Config.minutes)
    parser.add_argument("--width", type=int, default=Config.width)
    parser.add_argument("--ratios", type=int, nargs="+", default=Config.ratios, help="8 8 5 4: 25 Hz")
    parser.add_argument("--codebooks", type=int, default=Config.codebooks)
    parser.add_argument("--batch", type=int, default=Config.batch)
    parser.add_argument("--lr", type=float, default=Config.lr)
    parser.add_argument("--energy", type=float, default=Config.energy, help="weight of band energies")
    parser.add_argument(
        "--adversary",
        action=argparse.BooleanOptionalAction,
        default=torch.cuda.is_available(),
        help="it needs some 10k steps to tell anything: for a GPU",
    )
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    args = parser.parse_args()
    config = Config(
        width=args.width,
        ratios=tuple(args.ratios),
        codebooks=args.codebooks,
        batch=args.batch,
        lr=args.lr,
        minutes=args.minutes,
        quantizer_from=args.quantizer_from,
        freeze_from=args.freeze_from,
        device=args.device,
        energy=args.energy,
        adversarial=args.adversary,
    )
    train(config, args.renders, args.held_out, args.recordings, args.out, args.threads, args.from_bundle)


if __name__ == "__main__":
    main()
