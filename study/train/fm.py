"""Train the FM network on encoded renders: `python -m study.train.fm --help`.

One network for generation, supervised inpainting (mask channel) and zero-shot inpainting (mask
empty). Half of each batch has a random span to fill, the rest has everything to make; text and
lanes are dropped so that all, text only, lanes only and none are each trained.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engines.checkpoints.allocator import keep_freed_memory
from engines.networks.flow_net import FlowNet
from engines.networks.shapes import FlowConfig
from engines.sampling import flow
from study.data.dataset import Batch, Dataset, around, drop_lanes, random_spans, statistics_of
from study.train.run import SAVE_EVERY, Run, arguments, compile_blocks, fast_precision, take_over

FIELDS = ("given", "shuffled", "no_lanes", "no_band", "wrong_text", "span", "changed")


@dataclass(frozen=True)
class Config:
    """What one run is."""

    network: FlowConfig = FlowConfig()
    minutes: float = 60.0
    lr: float = 3e-3
    batch: int = 16  # items of `short` frames
    short: int = 125  # frames, for the first part of the run
    long_from: float = 0.6  # share of the run from which whole windows are used
    text_drop: float = 0.15
    spans: float = 0.5  # share of items with a span to fill
    twins: float = 0.6  # share of the spans whose surroundings are the twin's, where there is one
    hold: float = 0.0  # see `study.train.run.Run`
    turn: float = float("inf")
    every: float = SAVE_EVERY  # seconds between two rows of the curves
    compiled: bool = False  # try torch.compile; where it fails, without
    seed: int = 0
    device: str = "cpu"


def random_known(size: int, frames: int, share: float, generator: torch.Generator) -> Tensor:
    """Known-frame masks bool [B, T]: a hole of 0.3-8 s in `share` of the items, nothing known in the rest."""
    starts, ends = random_spans(size, frames, share, generator)
    return around(starts, ends, frames) & (ends > starts)[:, None]


@torch.no_grad()
def validate(net: FlowNet, batch: Batch, seed: int) -> dict[str, float]:
    """Loss with the right conditions and with wrong ones: the gap is what the network takes from each."""
    assert batch.z is not None
    g = torch.Generator().manual_seed(seed)
    z0 = torch.randn(batch.z.shape, generator=g).to(batch.z.device)
    tau = torch.linspace(0.05, 0.95, len(batch.z), device=z0.device)
    z, target = flow.path(z0, batch.z, tau), flow.velocity(z0, batch.z)
    nothing = torch.zeros(z.shape[0], z.shape[2], dtype=torch.bool, device=z.device)
    turned = torch.arange(len(z), device=z.device).roll(1)
    lanes = batch.lanes
    shuffled = lanes.rows(turned)
    text = batch.text
    wrong = type(text)(text.tokens[turned], text.mask[turned], text.pooled[turned])
    known = torch.ones_like(nothing)
    known[:, 40:90] = False
    seen = torch.where(known[:, None], batch.z, z)
    unnamed = lanes.without(("instruments", "grid"))
    changed = batch.spliced(known, torch.ones_like(known[:, 0]))
    assert changed.z is not None
    around = torch.where(known[:, None], changed.z, z)
    return {
        "given": float(flow.loss(net(z, tau, nothing, lanes, text), target, tau)),
        "shuffled": float(flow.loss(net(z, tau, nothing, shuffled, text), target, tau)),
        "no_lanes": float(flow.loss(net(z, tau, nothing, lanes.null_like(), text), target, tau)),
        "no_band": float(flow.loss(net(z, tau, nothing, unnamed, text), target, tau)),
        "wrong_text": float(flow.loss(net(z, tau, nothing, lanes, wrong), target, tau)),
        "span": float(flow.loss(net(seen, tau, known, lanes, text), target, tau, (~known).float())),
        "changed": float(
            flow.loss(net(around, tau, known, changed.lanes, text), target, tau, (~known).float())
        ),
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
    net = FlowNet(config.network)
    with torch.no_grad():  # the mask is one column beside 128: it enters at the lanes' scale
        net.input_proj.weight[:, config.network.channels] *= 6
    if start is not None:
        take_over(net, start, "fm")
    net.to(device)
    if config.compiled:
        compile_blocks(net.transformer.blocks)
    run = Run(out, net, config.minutes, config.lr, FIELDS, exclude=("lane_projection",),
              hold=config.hold, turn=config.turn)  # fmt: skip
    g = torch.Generator(device).manual_seed(config.seed + run.step)
    data.rng = np.random.default_rng(config.seed + run.step)
    test = held_out.batch(24, config.network.window, twins=True).to(device)
    while not run.over:
        long = run.takes_whole_windows(config.long_from)
        frames = config.network.window if long else config.short
        size = max(1, config.batch * config.short // frames)
        known = random_known(size, frames, config.spans, g)
        twins = torch.rand(size, generator=g, device=device) < config.twins
        batch = data.batch(size, frames, twins=True).to(device).spliced(known, twins)
        lanes = drop_lanes(batch.lanes, g)
        assert batch.z is not None
        offset = torch.randint(0, config.network.window - frames + 1, (size,), generator=g, device=device)
        z0 = torch.randn(batch.z.shape, generator=g, device=device)
        tau = torch.sigmoid(torch.randn(size, generator=g, device=device))
        z = torch.where(known[:, None], batch.z, flow.path(z0, batch.z, tau))
        text_given = torch.rand(size, generator=g, device=device) >= config.text_drop
        with fast_precision(device):
            v = net(z, tau, known, lanes, batch.text, text_given, offset=offset)
        loss = flow.loss(v.float(), flow.velocity(z0, batch.z), tau, (~known).float())
        run.update(loss)
        if run.due(config.every):
            with run.averaged(), fast_precision(device):
                run.log(validate(net, test, config.seed))
            seen(run)
    run.finish()
    return run


def main() -> None:
    """Train, or go on."""
    args = arguments(
        __doc__, "fm", Config.minutes, Config.batch, Config.lr, FlowConfig.dim, FlowConfig.layers
    ).parse_args()
    torch.set_num_threads(args.threads)
    keep_freed_memory()
    mean, std = statistics_of(args.codec)
    data = Dataset(args.data, mean, std, 25.0, 0, codes=False)
    held_out = Dataset(args.held_out, mean, std, 25.0, 1, codes=False)
    network = FlowConfig(dim=args.dim, layers=args.layers, heads=args.dim // 32, ff=11 * args.dim // 4,
                         band=args.band)  # fmt: skip
    config = Config(network, minutes=args.minutes, batch=args.batch, lr=args.lr,
                    hold=args.hold, turn=args.turn, device=args.device)  # fmt: skip
    train(config, data, held_out, args.out, args.from_bundle)


if __name__ == "__main__":
    main()
