"""The course of the codec's training: latents, then half through the codebooks, then the decoder alone.

`study.train.codec` and `study.sprint` go through it; they differ in where crops come from and in what
decides the end. Does not know folders, schedules or clocks.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import Any

import torch
from torch import Tensor

from engines.networks.codec import Codec
from study.train.autoencoder.distance import Spectral, si_sdr, treble
from study.train.autoencoder.quantizer import Quantizer
from study.train.autoencoder.step import Adversary, decoded, distance_at, half_quantized, push
from study.train.optimizer import Average
from study.train.processes import Processes
from study.train.run import fast_precision

MEASURES = ("snr", "spec", "bright", "snr_rvq", "spec_rvq", "bright_rvq")  # of `validate`
REFIT_EVERY = 40  # steps


@dataclass(frozen=True)
class Config:
    """What one run is."""

    width: int = 16
    ratios: tuple[int, ...] = (8, 8, 5, 4)
    codebooks: int = 8
    codebook_size: int = 1024
    seconds: float = 1.2  # per item
    batch: int = 4
    lr: float = 2e-3
    minutes: float = 40.0
    quantizer_from: float = 0.45  # share of the run at which stage 2 begins
    freeze_from: float = 0.70  # share at which the encoder is frozen
    whiten: float = 0.5  # 0 = plain init of the first convolution, 1 = filters of equal output power
    recordings: float = 0.5  # share of each batch from real recordings, if there are any
    adversarial: bool = True  # a discriminator once the encoder is frozen
    energy: float = 1.0  # weight of band energies, which no blur can please
    adversary_share: float = 0.6  # its gradient at the audio, relative to the distances'
    seed: int = 0
    device: str = "cpu"


class Course:
    """The codec in training with its codebooks, and from the freeze on with its adversary."""

    def __init__(
        self, config: Config, codec: Codec, quantizer: Quantizer, processes: Processes | None = None
    ) -> None:
        self.config, self.codec, self.quantizer = config, codec, quantizer
        self.processes = processes or Processes(world=1)
        self.spectral = Spectral(codec.rate, config.energy).to(config.device)
        self.adversary: Adversary | None = None
        self.frozen = False
        self.residual = float("nan")  # what the codebooks leave of the latents' power, once they are fitted
        self._spread = False

    def gradients(self, x: Tensor, share: float, step: int) -> Tensor:
        """Backward on audio [B, 1, N] at a share of the run; returns the loss []."""
        config = self.config
        with torch.set_grad_enabled(not self.frozen), fast_precision(config.device):
            z = self.codec.model.encoder(x)
        z = z.float()
        self.quantizer.observe(z)
        loss = 1e-3 * z.square().mean()
        if share >= config.quantizer_from:
            self._fit(step)
            shallow = not self.frozen and torch.rand(()) < 0.25
            depth = int(torch.randint(1, 4, ())) if shallow else len(self.quantizer.layers)
            z, cost = half_quantized(z, self.quantizer, depth, self.frozen)
            loss = loss + cost
        y, x0 = decoded(self.codec, z, x.shape[-1], config.device), x[:, 0]
        out: Tensor = y.detach().requires_grad_()
        distance, gradient = distance_at(out, x0, self.spectral)
        if self.frozen and config.adversarial:
            gradient = self._contested(x0, out, gradient)
        push(loss, y, gradient)
        self.processes.average_gradients(self.codec.model)
        total: Tensor = loss.detach() + distance
        return total

    def _fit(self, step: int) -> None:
        """Fit the codebooks at first, then again now and then until the encoder is frozen."""
        if not self.quantizer.started:
            self.residual = self.quantizer.fit(0.0, iterations=8)
        elif step % REFIT_EVERY == 0 and not self.frozen:
            self.residual = self.quantizer.fit(0.8)
        if step % REFIT_EVERY == 0 or not self._spread:
            self.processes.spread([book.embed for book in self.quantizer.layers])
        self._spread = True

    def _contested(self, x: Tensor, out: Tensor, gradient: Tensor) -> Tensor:
        """The adversary learns a step; returns the gradient at the audio [B, N] with its say."""
        if self.adversary is None:
            self.adversary = self._new_adversary()
        self.adversary.learn(x, out.detach())
        self.processes.average_gradients(self.adversary.net)
        self.adversary.step()
        return self.adversary.wish(x, out, gradient)

    def _new_adversary(self) -> Adversary:
        return Adversary(self.config.device, self.config.seed, self.config.adversary_share)

    @torch.no_grad()
    def freeze(self, average: Average) -> None:
        """The averaged encoder is the one that ships: take it, so that what follows fits it."""
        self.frozen = True
        for name, p in self.codec.model.named_parameters():
            if name.startswith("encoder"):
                p.copy_(average.values[name])
                p.requires_grad_(False)
                p.grad = None

    @property
    def facts(self) -> dict[str, float]:
        """What the curves tell beside the measures, where there is something to tell."""
        facts = {} if math.isnan(self.residual) else {"residual": self.residual}
        return facts | ({} if self.adversary is None else {"verdict": self.adversary.verdict})

    def state(self) -> dict[str, Any]:
        """What a checkpoint keeps beside the weights."""
        kept = {"config": asdict(self.config), "frozen": self.frozen}
        kept |= {"fitted": self.quantizer.fitted, "ring": self.quantizer.ring}
        return kept | ({"adversary": self.adversary.net.state_dict()} if self.adversary is not None else {})

    def restore(self, state: dict[str, Any]) -> None:
        """Go on from what a checkpoint kept. The encoder is frozen anew when the share says so."""
        self.quantizer.fitted, self.quantizer.ring = state["fitted"], state["ring"]
        if "adversary" in state:
            self.adversary = self._new_adversary()
            self.adversary.net.load_state_dict(state["adversary"])


@torch.no_grad()
def validate(codec: Codec, quantizer: Quantizer, audio: Tensor, spectral: Spectral) -> dict[str, float]:
    """SI-SNR of both paths and the continuous spectral distance on held-out clips [B, 1, N]."""
    z = codec.model.encoder(audio)
    y = codec.model.decoder(z)[..., : audio.shape[-1]]
    out = {"snr": float(si_sdr(y[:, 0], audio[:, 0]).mean()), "spec": float(spectral(y[:, 0], audio[:, 0]))}
    out["bright"] = treble(y) - treble(audio)
    if quantizer.started:
        yq = codec.model.decoder(quantizer(z, len(quantizer.layers)))[..., : audio.shape[-1]]
        out["snr_rvq"] = float(si_sdr(yq[:, 0], audio[:, 0]).mean())
        out["spec_rvq"] = float(spectral(yq[:, 0], audio[:, 0]))
        out["bright_rvq"] = treble(yq) - treble(audio)
    return out
