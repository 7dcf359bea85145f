"""Distil guidance into the FM network: `python -m study.train.distillation --help`.

The student is the teacher with one more input, the weights of guidance, and learns to give in one
evaluation what the teacher gives in two or three (Meng et al. 2023, stage one; here with the wish of a
change, too). Where the weights are those of no guidance it stays the teacher.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from engines.checkpoints.allocator import keep_freed_memory
from engines.checkpoints.bundle import read_spec
from engines.networks.flow_net import FlowNet, weighing
from engines.networks.lane_frames import Lanes, cat_lanes
from engines.networks.shapes import FlowConfig
from engines.networks.text import TextStates
from engines.requests import CHANGES
from engines.sampling import flow
from study.data.dataset import Batch, Dataset, drop_lanes, statistics_of
from study.train.fm import random_known
from study.train.run import Run, arguments, fast_precision, take_over

FIELDS = ("alone", "everything", "wish")
FLOOR = 0.02  # share of the velocity's power beside what guidance adds
EVERYTHING = (1.0, 3.5)  # weights that are drawn
WISH = 6.0  # the largest of what is changed
LANES = ("chords", "melody", "drums", "instruments", "grid")  # in the order of `Lanes.drop`


@dataclass(frozen=True)
class Config:
    """What one run is."""

    minutes: float = 120.0
    lr: float = 1e-3
    batch: int = 16  # items of `short` frames
    short: int = 125  # frames, of three steps in five; the others have whole windows
    spans: float = 0.5  # share of items with a span to fill
    twins: float = 0.6  # share of the spans whose surroundings are the twin's, where there is one
    hold: float = 0.5  # see `study.train.run.Run`
    turn: float = float("inf")
    every: float = 60.0  # seconds between two rows of the curves
    seed: int = 0
    device: str = "cpu"


@dataclass(frozen=True)
class Guided:
    """How a batch is guided."""

    everything: Tensor  # [B]
    wish: Tensor  # [B]; where nothing is changed, as `everything`
    changed: Tensor  # bool [B, CHANGES]

    @property
    def weighed(self) -> Tensor:
        """As the student takes it: [B, WEIGHED]."""
        return weighing(self.everything, self.wish, self.changed)


def draw_guided(size: int, generator: torch.Generator, device: str = "cpu") -> Guided:
    """Random guidance: a fifth none, two fifths everything, two fifths with one or two things changed."""
    draw = torch.rand(size, 4, generator=generator, device=device)
    low, high = EVERYTHING
    everything = torch.where(draw[:, 0] < 0.2, 1.0, low + (high - low) * draw[:, 1])
    first = torch.randint(len(CHANGES), (size, 2), generator=generator, device=device)
    changed = torch.zeros(size, len(CHANGES), dtype=torch.bool, device=device).scatter(1, first, True)
    changed &= (draw[:, 0] > 0.6)[:, None]
    wish = torch.where(changed.any(1), everything + (WISH - everything) * draw[:, 2], everything)
    return Guided(everything, wish, changed)


@dataclass(frozen=True)
class Seen:
    """What the networks see of a batch of B items."""

    z: Tensor  # [B, D, T]
    tau: Tensor  # [B]
    known: Tensor  # bool [B, T]
    lanes: Lanes  # [B, T]
    text: TextStates
    text_given: Tensor  # bool [B]
    offset: Tensor | int = 0  # int64 [B]

    @classmethod
    def of(cls, batch: Batch, known: Tensor, generator: torch.Generator, config: FlowConfig) -> Seen:
        """Points on the paths from noise to the batch, conditions dropped as in the training of FM."""
        assert batch.z is not None
        size, frames, device = len(batch.z), batch.z.shape[2], batch.z.device
        z0 = torch.randn(batch.z.shape, generator=generator, device=device)
        tau = torch.sigmoid(torch.randn(size, generator=generator, device=device))
        z = torch.where(known[:, None], batch.z, flow.path(z0, batch.z, tau))
        given = torch.rand(size, generator=generator, device=device) >= 0.1
        offset = torch.randint(0, config.window - frames + 1, (size,), generator=generator, device=device)
        return cls(z, tau, known, drop_lanes(batch.lanes, generator), batch.text, given, offset)

    def by(self, net: FlowNet, guided: Guided) -> Tensor:
        """The velocity [B, D, T] of a guided network."""
        v: Tensor = net(self.z, self.tau, self.known, self.lanes, self.text, self.text_given, self.offset,
                        weighed=guided.weighed)  # fmt: skip
        return v

    @torch.no_grad()
    def guided_by(self, teacher: FlowNet, guided: Guided) -> tuple[Tensor, Tensor]:
        """The teacher's velocity as the guidance weighs it, and the one that sees all, both [B, D, T]."""
        columns: dict[str, Tensor] = dict(zip(CHANGES, guided.changed.unbind(1), strict=True))  # bool [B]
        kept = self.lanes.drop(*(columns.get(name, torch.zeros_like(self.text_given)) for name in LANES))
        text_given, text = self.text_given, self.text
        net_in = (
            self.z.repeat(3, 1, 1), self.tau.repeat(3), self.known.repeat(3, 1),
            cat_lanes([self.lanes, kept, self.lanes.null_like()]),
            TextStates(text.tokens.repeat(3, 1, 1), text.mask.repeat(3, 1), text.pooled.repeat(3, 1)),
            torch.cat([text_given, text_given & ~columns["words"], text_given & False]),
            self.offset.repeat(3) if isinstance(self.offset, Tensor) else self.offset,
        )  # fmt: skip
        alone, left, none = teacher(*net_in).view(3, *self.z.shape)  # [3 B, D, T] -> 3 x [B, D, T]
        wish, everything = guided.wish.view(-1, 1, 1), guided.everything.view(-1, 1, 1)
        return wish * alone + (everything - wish) * left + (1.0 - everything) * none, alone


@torch.no_grad()
def validate(net: FlowNet, teacher: FlowNet, seen: Seen) -> dict[str, float]:
    """Squared distance to the guided teacher, in shares of what the teacher without guidance has.

    `everything`: weight 3; `wish`: 2 and 5 for the melody; `alone`: no guidance, in shares of the velocity.
    """
    size = len(seen.z)
    nothing = torch.zeros(size, len(CHANGES), dtype=torch.bool, device=seen.z.device)
    melody = nothing.clone()
    melody[:, CHANGES.index("melody")] = True
    three, two, one = (torch.full((size,), w, device=seen.z.device) for w in (3.0, 2.0, 1.0))
    out = {}
    for name, guided in (
        ("alone", Guided(one, one, nothing)),
        ("everything", Guided(three, three, nothing)),
        ("wish", Guided(two, two + 3.0, melody)),
    ):
        target, alone = seen.guided_by(teacher, guided)
        away = (~seen.known)[:, None]
        error = ((seen.by(net, guided) - target).pow(2) * away).mean()
        whole = ((alone if name == "alone" else alone - target).pow(2) * away).mean()
        out[name] = float(error / whole)
    return out


def train(
    config: Config,
    data: Dataset,
    held_out: Dataset,
    out: Path,
    bundle: Path,
    seen_row: Callable[[Run], None] = lambda run: None,
) -> Run:
    """Run or resume; `bundle` has the teacher."""
    device = config.device
    torch.manual_seed(config.seed)
    shape = read_spec(bundle).flow
    teacher = FlowNet(replace(shape, guided=False)).eval().requires_grad_(False)
    take_over(teacher, bundle, "fm")
    net = FlowNet(replace(shape, guided=True))
    net.load_state_dict(teacher.state_dict(), strict=False)
    net.to(device)
    teacher.to(device)
    run = Run(out, net, config.minutes, config.lr, FIELDS, exclude=("lane_projection", "guidance_mlp"),
              hold=config.hold, turn=config.turn)  # fmt: skip
    g = torch.Generator(device).manual_seed(config.seed + run.step)
    data.rng = np.random.default_rng(config.seed + run.step)
    trial = torch.Generator(device).manual_seed(config.seed)
    batch = held_out.batch(12, shape.window, twins=True).to(device)
    test = Seen.of(batch, random_known(12, shape.window, 0.5, trial), trial, shape)
    while not run.over:
        frames = shape.window if run.step % 5 < 2 else config.short
        size = max(1, config.batch * config.short // frames)
        known = random_known(size, frames, config.spans, g)
        twins = torch.rand(size, generator=g, device=device) < config.twins
        batch = data.batch(size, frames, twins=True).to(device).spliced(known, twins)
        seen, guided = Seen.of(batch, known, g, shape), draw_guided(size, g, device)
        with fast_precision(device):
            target, alone = seen.guided_by(teacher, guided)
            v = seen.by(net, guided)
        # each item in shares of what guidance adds to it, so that strong guidance does not outweigh the rest
        scale = (target - alone).pow(2).mean(dim=(1, 2)) + FLOOR * alone.pow(2).mean(dim=(1, 2))  # [B]
        error = (v.float() - target).pow(2).mean(dim=1) * (~known)  # [B, D, T] -> [B, T]
        run.update((error.mean(dim=1) / scale).mean())
        if run.due(config.every):
            with run.averaged(), fast_precision(device):
                run.log(validate(net, teacher, test))
            seen_row(run)
    run.finish()
    return run


def main() -> None:
    """Train, or go on."""
    args = arguments(
        __doc__, "guided", Config.minutes, Config.batch, Config.lr, FlowConfig.dim, FlowConfig.layers
    ).parse_args()
    if args.from_bundle is None:
        raise SystemExit("--from-bundle: a bundle is needed, whose FM network is the teacher")
    torch.set_num_threads(args.threads)
    keep_freed_memory()
    mean, std = statistics_of(args.codec)
    data = Dataset(args.data, mean, std, 25.0, 0, codes=False)
    held_out = Dataset(args.held_out, mean, std, 25.0, 1, codes=False)
    config = Config(minutes=args.minutes, batch=args.batch, lr=args.lr, hold=args.hold, turn=args.turn,
                    device=args.device)  # fmt: skip
    train(config, data, held_out, args.out, args.from_bundle)


if __name__ == "__main__":
    main()
