"""The codec's stage of a sprint: crops that lie on the device, one step after the other until the time is up.

The same course as `study.train.codec`: latents, then half of the items through the codebooks, then the
encoder frozen, codebooks refitted, and the decoder alone against an adversary. Leaves `codec.pt`,
`latents.pt` and `codebooks.pt` as that script does, first when the encoder is frozen, so that a later
crash costs the rest only.
"""

from __future__ import annotations

import csv
import threading
import time
from dataclasses import asdict
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor, nn

from engines.networks.codec import Codec, build_codec, codec_config
from study.train.codec import Config, Quantizer, Spectral, fold_weight_norm, initialise, validate
from study.train.codec_step import Adversary, decoded, distance_at, half_quantized, push
from study.train.optimizer import Average, Schedule, optimizers
from study.train.run import fast_precision

RECORDED = 320_000  # samples of an excerpt
FITTED_ON = 400  # clips of 10 s that statistics and codebooks are settled on


class Crops:
    """Crops [B, 1, N] of renders, which arrive while it works, and of recordings; int16 on the device."""

    def __init__(
        self, folders: list[Path], recordings: Path, capacity: int, length: int, device: str
    ) -> None:
        self.folders, self.device = folders, device
        self.store = torch.zeros(capacity, length, dtype=torch.int16, device=device)
        self.filled, self._taken = 0, set[Path]()
        excerpts = [_excerpt(p) for p in sorted(recordings.glob("*.ogg"))] if recordings.is_dir() else []
        self.recorded = torch.from_numpy(np.stack(excerpts)).to(device) if excerpts else None
        self.g = torch.Generator(device).manual_seed(0)
        self._stop = threading.Event()

    def load(self) -> None:
        """Take in the shards that are there and were not before."""
        for shard in [s for folder in self.folders for s in sorted(folder.glob("audio_*.npy"))]:
            ready = shard.with_name(shard.name.replace("audio", "labels")).with_suffix(".json").exists()
            if ready and shard not in self._taken:
                new = torch.from_numpy(np.load(shard))[: len(self.store) - self.filled]
                self.store[self.filled : self.filled + len(new)] = new.to(self.device)
                self.filled += len(new)
                self._taken.add(shard)

    def follow(self, every: float = 2.0) -> None:
        """Load what is rendered from now on, in a thread of its own."""

        def watch() -> None:
            while not self._stop.wait(every):
                self.load()

        threading.Thread(target=watch, daemon=True).start()

    def close(self) -> None:
        """End the thread."""
        self._stop.set()

    def batch(self, size: int, samples: int, recorded: float = 0.5) -> Tensor:
        """Crops [B, 1, samples]; a share of them recordings, if there are any."""
        many = round(size * recorded) if self.recorded is not None else 0
        out = [self._cut(self.store, self.filled, size - many, samples)]
        if many and self.recorded is not None:
            cut = self._cut(self.recorded, len(self.recorded), many, samples)
            level = cut.square().mean(-1, keepdim=True).sqrt() + 1e-4
            wished = torch.rand(many, 1, generator=self.g, device=self.device) * 10 - 24  # dB
            out.append((cut * (10 ** (wished / 20) / level).clamp(max=10)).clamp(-1, 1))
        return torch.cat(out)[:, None]

    def _cut(self, store: Tensor, rows: int, size: int, samples: int) -> Tensor:
        row = torch.randint(rows, (size, 1), generator=self.g, device=self.device)
        start = torch.randint(store.shape[1] - samples + 1, (size, 1), generator=self.g, device=self.device)
        return store[row, start + torch.arange(samples, device=self.device)].float() / 32767  # [B, samples]


def _excerpt(path: Path) -> np.ndarray:
    samples, _ = soundfile.read(path, dtype="int16")
    return np.asarray(np.resize(samples, RECORDED), np.int16)


def test_audio(
    held_out: Path, recordings: Path, device: str, seconds: int = 4, count: int = 24
) -> dict[str, Tensor]:
    """Held-out clips [n, 1, N] by prefix of the curves' columns."""
    shards = sorted(held_out.glob("audio_*.npy"))
    renders = np.concatenate([np.load(s)[:, 32_000 : 32_000 * (1 + seconds)] for s in shards])[:count]
    tests = {"": renders}
    if recordings.is_dir() and any(recordings.glob("*.ogg")):
        tests["real_"] = np.stack(
            [_excerpt(p)[: 32_000 * seconds] for p in sorted(recordings.glob("*.ogg"))[:count]]
        )
    return {k: torch.from_numpy(v.astype(np.float32) / 32767)[:, None].to(device) for k, v in tests.items()}


class Training:
    """The codec in training: weights, averages, codebooks and the adversary."""

    def __init__(self, config: Config, crops: Crops, out: Path) -> None:
        self.config, self.crops, self.out = config, crops, out
        torch.manual_seed(config.seed)
        self.codec = build_codec(
            codec_config(config.width, config.ratios, config.codebooks, config.codebook_size)
        )
        fold_weight_norm(self.codec)
        self.samples = round(config.seconds * self.codec.rate / self.codec.hop) * self.codec.hop
        initialise(self.codec, crops.batch(16, self.samples, 0.0).cpu(), config.whiten)
        self.codec.to(config.device)
        self.quantizer = Quantizer(self.codec, config.seed)
        self.quantizer.ring = self.quantizer.ring.to(config.device)
        self.spectral = Spectral(self.codec.rate, config.energy).to(config.device)
        self.opts = optimizers(self.codec.model, config.lr)
        self.schedule, self.average = Schedule(self.opts, warmup=0.01), Average(self.codec.model)
        self.adversary: Adversary | None = None
        self.frozen, self.number, self.running = False, 0, torch.zeros((), device=config.device)

    def step(self, share: float) -> None:
        """One step at a share of the stage."""
        config = self.config
        self.schedule.set(share)
        x = self.crops.batch(config.batch, self.samples, config.recordings)
        with torch.set_grad_enabled(not self.frozen), fast_precision(config.device):
            z = self.codec.model.encoder(x)
        z = z.float()
        self.quantizer.observe(z)
        loss = 1e-3 * z.square().mean()
        if share >= config.quantizer_from:
            if not self.quantizer.started:
                self.quantizer.fit(0.0, iterations=8)
            elif self.number % 40 == 0 and not self.frozen:
                self.quantizer.fit(0.8)
            shallow = not self.frozen and torch.rand(()) < 0.25
            depth = int(torch.randint(1, 4, ())) if shallow else len(self.quantizer.layers)
            z, cost = half_quantized(z, self.quantizer, depth, self.frozen)
            loss = loss + cost
        y, x0 = decoded(self.codec, z, x.shape[-1], config.device), x[:, 0]
        heard = y.detach().requires_grad_()
        distance, gradient = distance_at(heard, x0, self.spectral)
        if self.frozen and config.adversarial:
            self.adversary = self.adversary or Adversary(config.device, config.seed, config.adversary_share)
            self.adversary.learn(x0, heard.detach())
            self.adversary.step()
            gradient = self.adversary.wish(x0, heard, gradient)
        push(loss, y, gradient)
        nn.utils.clip_grad_norm_(self.codec.model.parameters(), 1.0)
        for opt in self.opts:
            opt.step()
            opt.zero_grad(set_to_none=True)
        self.average.update(self.codec.model)
        now = loss.detach() + distance
        self.running = now if not self.number else self.running.lerp(now, 0.02)
        self.number += 1

    @torch.no_grad()
    def freeze(self) -> None:
        """The averaged encoder is the one that ships; statistics and codebooks are settled on it."""
        self.frozen = True
        for name, p in self.codec.model.named_parameters():
            if name.startswith("encoder"):
                p.copy_(self.average.values[name])
                p.requires_grad_(False)
                p.grad = None
        many = max(1, min(FITTED_ON, self.crops.filled) // 8)
        z = torch.cat(
            [self.codec.model.encoder(self.crops.batch(8, 10 * self.codec.rate, 0.0)) for _ in range(many)]
        )
        torch.save((float(z.mean()), float(z.std(dim=2).mean())), self.out / "latents.pt")
        if not self.quantizer.started:
            self.quantizer.observe(z)
            self.quantizer.fit(0.0, iterations=8)
        residual = self.quantizer.refine(z.transpose(1, 2).reshape(-1, z.shape[1]))
        torch.save([layer.embed.cpu() for layer in self.quantizer.layers], self.out / "codebooks.pt")
        print(f"encoder frozen at step {self.number}, residual {residual:.3f}", flush=True)
        self.save()

    @torch.no_grad()
    def averaged(self) -> dict[str, Tensor]:
        """All weights, parameters as their averages."""
        return {**self.codec.model.state_dict(), **self.average.values}

    def save(self) -> None:
        """Write codec.pt, as `study.train.codec.finish` reads it."""
        state = {"config": asdict(self.config), "ema": {k: v.cpu() for k, v in self.averaged().items()}}
        part = self.out / "codec.part"
        torch.save(state | {"frozen": self.frozen, "step": self.number}, part)
        part.replace(self.out / "codec.pt")

    def measured(self, tests: dict[str, Tensor], measure: nn.Module) -> dict[str, float]:
        """Figures of the averaged weights on held-out clips."""
        held = {n: p.detach().clone() for n, p in self.codec.model.named_parameters()}
        self.average.copy_to(self.codec.model)
        row = {
            k + m: v
            for k, x in tests.items()
            for m, v in validate(self.codec, self.quantizer, x, measure).items()
        }
        with torch.no_grad():
            for n, p in self.codec.model.named_parameters():
                p.copy_(held[n])
        return row


def train(
    config: Config, crops: Crops, tests: dict[str, Tensor], out: Path, seconds: float, every: float
) -> Codec:
    """Train for so many seconds; returns the codec with its plain weights, for what is encoded next."""
    out.mkdir(parents=True, exist_ok=True)
    training = Training(config, crops, out)
    measure = Spectral(training.codec.rate).to(config.device)
    begin, logged = time.time(), 0.0
    names = [k + m for k in tests for m in ("snr", "spec", "bright", "snr_rvq", "spec_rvq", "bright_rvq")]
    with (out / "curves.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["step", "seconds", "loss", *names, "verdict"], restval="")
        writer.writeheader()
        while (share := (time.time() - begin) / seconds) < 1 or not training.frozen:
            if share >= config.freeze_from and not training.frozen:
                training.freeze()
            training.step(min(1.0, share))
            if time.time() - logged > every or share >= 1:
                logged = time.time()
                row = {k: round(v, 3) for k, v in training.measured(tests, measure).items()}
                row |= {
                    "step": training.number,
                    "seconds": round(logged - begin),
                    "loss": round(float(training.running), 4),
                }
                if training.adversary is not None:
                    row["verdict"] = round(training.adversary.verdict, 3)
                writer.writerow(row)
                file.flush()
                print("codec", row, flush=True)
    training.save()
    return training.codec
