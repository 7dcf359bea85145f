"""Train the AR network on encoded renders: `python -m study.train.ar --help`.

One network for generation and fill-in-the-middle (App. J): part of each batch is reordered to
A|C|B. Text and lanes are dropped as for FM, so that the paradigms train under equal conditions.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch

from engines.checkpoints.allocator import keep_freed_memory
from engines.networks.lm import LM, fim_batch
from engines.networks.shapes import LMConfig
from study.data.dataset import Batch, Dataset, around, drop_lanes, random_spans, statistics_of
from study.train.run import SAVE_EVERY, Run, arguments, compile_blocks, fast_precision, take_over

FIELDS = ("given", "shuffled", "no_lanes", "no_band", "wrong_text", "span", "changed")


@dataclass(frozen=True)
class Config:
    """What one run is."""

    network: LMConfig = LMConfig()
    minutes: float = 60.0
    lr: float = 3e-3
    batch: int = 12  # items of `short` frames
    short: int = 125  # frames, for the first part of the run
    long_from: float = 0.6  # share of the run from which whole windows are used
    text_drop: float = 0.15
    spans: float = 0.4  # share of items reordered to A|C|B
    twins: float = 0.6  # share of the spans whose surroundings are the twin's, where there is one
    hold: float = 0.0  # see `study.train.run.Run`
    turn: float = float("inf")
    every: float = SAVE_EVERY  # seconds between two rows of the curves
    compiled: bool = False  # try torch.compile; where it fails, without
    seed: int = 0
    device: str = "cpu"


@torch.no_grad()
def validate(net: LM, batch: Batch) -> dict[str, float]:
    """Cross-entropy with the right conditions and with wrong ones, and of a span given both sides."""
    assert batch.codes is not None
    turned = torch.arange(len(batch.codes), device=batch.codes.device).roll(1)
    lanes, text, codes = batch.lanes, batch.text, batch.codes
    shuffled = lanes.rows(turned)
    wrong = type(text)(text.tokens[turned], text.mask[turned], text.pooled[turned])
    starts = torch.full((len(codes),), 40)
    fim = fim_batch(net.config, codes, lanes, starts, starts + 50)
    starts = starts.to(codes.device)
    outside = around(starts, starts + 50, codes.shape[2])
    changed = batch.spliced(outside, outside[:, 0])
    assert changed.codes is not None
    other = fim_batch(net.config, changed.codes, changed.lanes, starts, starts + 50)
    return {
        "given": float(net.loss(codes, lanes, text)),
        "shuffled": float(net.loss(codes, shuffled, text)),
        "no_lanes": float(net.loss(codes, lanes.null_like(), text)),
        "no_band": float(net.loss(codes, lanes.without(("instruments", "grid")), text)),
        "wrong_text": float(net.loss(codes, lanes, wrong)),
        "span": float(net.loss(fim.codes, fim.lanes, text, weights=(fim.weights == 1).float())),
        "changed": float(net.loss(other.codes, other.lanes, text, weights=(other.weights == 1).float())),
    }


def train(
    config: Config,
    data: Dataset,
    held_out: Dataset,
    out: Path,
    start: Path | None = None,
    seen: Callable[[Run], None] = lambda run: None,
) -> Run:
    """Run or resume; `start` is a bundle to begin from, `seen` is called after each row of the curves."""
    device = config.device
    torch.manual_seed(config.seed)
    net = LM(config.network)
    if start is not None:
        take_over(net, start, "ar")
    net.to(device)
    if config.compiled:
        compile_blocks(net.transformer.blocks)
    run = Run(out, net, config.minutes, config.lr, FIELDS, exclude=("lane_projection", "emb"),
              hold=config.hold, turn=config.turn)  # fmt: skip
    g = torch.Generator(device).manual_seed(config.seed + run.step)
    data.rng = np.random.default_rng(config.seed + run.step)
    test = held_out.batch(16, config.network.window, twins=True).to(device)
    while not run.over:
        long = run.takes_whole_windows(config.long_from)
        frames = config.network.window if long else config.short
        size = max(1, config.batch * config.short // frames)
        offset = torch.randint(0, config.network.window - frames + 1, (size,), generator=g, device=device)
        starts, ends = random_spans(size, frames, config.spans, g)
        twins = torch.rand(size, generator=g, device=device) < config.twins
        batch = data.batch(size, frames, twins=True).to(device)
        batch = batch.spliced(around(starts, ends, frames), twins & (ends > starts))
        lanes = drop_lanes(batch.lanes, g)
        assert batch.codes is not None
        fim = fim_batch(config.network, batch.codes, lanes, starts, ends)
        text_given = torch.rand(size, generator=g, device=device) >= config.text_drop
        with fast_precision(device):
            loss = net.loss(fim.codes, fim.lanes, batch.text, text_given, fim.weights, offset)
        run.update(loss)
        if run.due(config.every):
            with run.averaged(), fast_precision(device):
                run.log(validate(net, test))
            seen(run)
    run.finish()
    return run


def main() -> None:
    """Train, or go on."""
    parser = arguments(__doc__, "ar", Config.minutes, Config.batch, Config.lr, LMConfig.dim, LMConfig.layers)
    parser.add_argument("--dropout", type=float, default=0.1, help="10 h of renders are overfitted without")
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    keep_freed_memory()
    mean, std = statistics_of(args.codec)
    data = Dataset(args.data, mean, std, 25.0, 0, codes=True)
    held_out = Dataset(args.held_out, mean, std, 25.0, 1, codes=True)
    assert data.codes is not None
    size = 1 << int(max(row.max() for row in data.codes)).bit_length()
    books = data.codes[0].shape[0]
    network = LMConfig(
        codebooks=books,
        codebook_size=size,
        dim=args.dim,
        layers=args.layers,
        heads=args.dim // 32,
        ff=11 * args.dim // 4,
        dropout=args.dropout,
        band=args.band,
    )
    config = Config(network, minutes=args.minutes, batch=args.batch, lr=args.lr,
                    hold=args.hold, turn=args.turn, device=args.device)  # fmt: skip
    train(config, data, held_out, args.out, args.from_bundle)


if __name__ == "__main__":
    main()
