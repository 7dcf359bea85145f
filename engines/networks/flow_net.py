"""The FM network: the velocity of a noisy latent, given time, known frames, lanes and text.

The same backbone as the AR network's, not causal, with U-Net-like skips (App. E.3.1). The input is
[latent | one mask channel | lanes] on the channel axis, through one linear layer (sec. 4.5); in the
mask channel 1 says that this frame is a clean, known one (supervised inpainting, Alg. 2), all 0 is
generation or zero-shot. Does not know solvers, guidance or audio.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

from engines.networks.lane_frames import LaneProjection, Lanes, boost_lane_columns
from engines.networks.shapes import FlowConfig
from engines.networks.text import TextStates
from engines.networks.transformer import Memory, Transformer, sinusoid
from engines.requests import CHANGES

WEIGHED = 2 + len(CHANGES)  # numbers that tell a guided network how it is guided


def weighing(everything: Tensor, wish: Tensor, changed: Tensor) -> Tensor:
    """The guidance of each item as a guided network takes it: [B], [B], bool [B, CHANGES] -> [B, WEIGHED].

    `everything` weighs what sees all, `wish` what is changed beside it (`engines.sampling.guidance`); all 0
    is the prediction that sees everything, taken alone.
    """
    weights = torch.stack([everything - 1.0, wish - everything], dim=1) / 2.0  # 2 x [B] -> [B, 2]
    return torch.cat([weights, changed.to(weights.dtype)], dim=1)


class FlowNet(nn.Module):
    """v(z, tau | known frames, lanes, text)."""

    def __init__(self, config: FlowConfig) -> None:
        super().__init__()
        self.config = config
        self.lane_projection = LaneProjection(config)
        self.input_proj = nn.Linear(config.channels + 1 + self.lane_projection.width, config.dim)
        boost_lane_columns(self.input_proj, self.lane_projection.width)
        dim = config.dim
        self.time_mlp = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        if config.guided:
            last = nn.Linear(dim, dim)
            nn.init.zeros_(last.weight)  # starts as the network without guidance
            nn.init.zeros_(last.bias)
            self.guidance_mlp = nn.Sequential(nn.Linear(WEIGHED, dim), nn.SiLU(), last)
        self.transformer = Transformer(config.backbone)
        self.output_proj = nn.Linear(config.dim, config.channels)
        nn.init.zeros_(self.output_proj.weight)  # starts at v = 0
        nn.init.zeros_(self.output_proj.bias)

    def remember(self, text: TextStates | None, text_given: Tensor | None, batch: int) -> Memory:
        """Text states [B, L, text_dim] -> keys and values per block; see `Transformer.remember`."""
        return self.transformer.remember(text, text_given, batch)

    def forward(
        self,
        z: Tensor,
        tau: Tensor,
        known: Tensor,
        lanes: Lanes,
        text: TextStates | None = None,
        text_given: Tensor | None = None,
        offset: int | Tensor = 0,
        memory: Memory | None = None,
        weighed: Tensor | None = None,
    ) -> Tensor:
        """Latents [B, D, T] at times tau [B] -> velocity [B, D, T].

        known: bool [B, T], the frames of `z` that are clean; lanes [B, T]; text as in `remember`,
        or `memory` from an earlier `remember`; offset: position of the first frame, int or [B];
        weighed [B, WEIGHED]: the guidance that a guided network has in it (`weighing`), None for none.
        """
        if memory is None:
            memory = self.remember(text, text_given, z.shape[0])
        x = torch.cat([z.transpose(1, 2), known[..., None].to(z.dtype), self.lane_projection(lanes)], dim=-1)
        x = self.input_proj(x)  # [B, T, D + 1 + lanes] -> [B, T, dim]
        time = self.time_mlp(sinusoid(1000.0 * tau, self.config.dim).to(x.dtype))  # [B] -> [B, dim]
        if self.config.guided:
            if weighed is None:
                weighed = x.new_zeros(len(x), WEIGHED)
            time = time + self.guidance_mlp(weighed.to(x.dtype))  # [B, WEIGHED] -> [B, dim]
        x = self.transformer(x, memory, time=time, offset=offset)
        v: Tensor = self.output_proj(x)  # [B, T, dim] -> [B, T, D]
        return v.transpose(1, 2)
