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
from pathlib import Path

import numpy as np
import soundfile
import torch
from torch import Tensor, nn

from engines.networks.codec import Codec
from study.train.autoencoder.course import MEASURES, Config, Course, validate
from study.train.autoencoder.distance import Spectral
from study.train.autoencoder.quantizer import Quantizer
from study.train.autoencoder.weights import fold_weight_norm, initialise
from study.train.codec import FILE, new_codec
from study.train.optimizer import Average, Schedule, optimizers

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
    """The codec in training: its course, optimizers and averages."""

    def __init__(self, config: Config, crops: Crops, out: Path) -> None:
        self.config, self.crops, self.out = config, crops, out
        torch.manual_seed(config.seed)
        self.codec = new_codec(config)
        fold_weight_norm(self.codec)
        self.samples = round(config.seconds * self.codec.rate / self.codec.hop) * self.codec.hop
        initialise(self.codec, crops.batch(16, self.samples, 0.0).cpu(), config.whiten)
        self.codec.to(config.device)
        self.quantizer = Quantizer(self.codec, config.seed)
        self.quantizer.ring = self.quantizer.ring.to(config.device)
        self.course = Course(config, self.codec, self.quantizer)
        self.opts = optimizers(self.codec.model, config.lr)
        self.schedule, self.average = Schedule(self.opts, warmup=0.01), Average(self.codec.model)
        self.number, self.running = 0, torch.zeros((), device=config.device)

    def step(self, share: float) -> None:
        """One step at a share of the stage."""
        self.schedule.set(share)
        x = self.crops.batch(self.config.batch, self.samples, self.config.recordings)
        loss = self.course.gradients(x, share, self.number)
        nn.utils.clip_grad_norm_(self.codec.model.parameters(), 1.0)
        for opt in self.opts:
            opt.step()
            opt.zero_grad(set_to_none=True)
        self.average.update(self.codec.model)
        self.running = loss if not self.number else self.running.lerp(loss, 0.02)
        self.number += 1

    @torch.no_grad()
    def freeze(self) -> None:
        """Freeze the encoder; statistics and codebooks are settled on it."""
        self.course.freeze(self.average)
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

    def save(self) -> None:
        """Write codec.pt, as `study.train.codec.finish` reads it."""
        weights = {"raw": self.codec.model.state_dict(), "average": self.average.values}
        cpu = {name: {k: v.cpu() for k, v in part.items()} for name, part in weights.items()}
        part = self.out / "codec.part"
        torch.save(cpu | self.course.state() | {"step": self.number}, part)
        part.replace(self.out / FILE)

    def measured(self, tests: dict[str, Tensor], measure: Spectral) -> dict[str, float]:
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
    names = [k + m for k in tests for m in MEASURES]
    with (out / "curves.csv").open("w", newline="") as file:
        writer = csv.DictWriter(file, ["step", "seconds", "loss", *names, "verdict"], restval="")
        writer.writeheader()
        while (share := (time.time() - begin) / seconds) < 1 or not training.course.frozen:
            if share >= config.freeze_from and not training.course.frozen:
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
                if training.course.adversary is not None:
                    row["verdict"] = round(training.course.adversary.verdict, 3)
                writer.writerow(row)
                file.flush()
                print("codec", row, flush=True)
    training.save()
    return training.codec
