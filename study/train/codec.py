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
import csv
import itertools
import json
import math
import os
import time
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
import torch
import torch.distributed as dist
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn.utils import parametrize
from transformers.audio_utils import mel_filter_bank

from engines.checkpoints.allocator import keep_freed_memory
from engines.networks.codec import Codec, build_codec, codec_config, load_codec
from study.train.codec_step import Adversary, decoded, distance_at, half_quantized, push
from study.train.optimizer import Average, Schedule, optimizers
from study.train.run import fast_precision, plot


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


class Spectral(nn.Module):
    """Sum over three resolutions of log-mel, log-magnitude, banded convergence and band energy distances."""

    def __init__(self, rate: int, energy: float = 1.0) -> None:
        super().__init__()
        self.energy = energy
        self.sizes = ((2048, 96), (512, 40), (128, 20))
        for n, mels in self.sizes:
            self.register_buffer(f"window{n}", torch.hann_window(n))
            bank = mel_filter_bank(n // 2 + 1, mels, 0, rate / 2, rate, norm=None, mel_scale="slaney")
            self.register_buffer(f"mel{n}", torch.from_numpy(bank.T.copy()).float())  # [mels, F]

    def forward(self, y: Tensor, x: Tensor) -> Tensor:
        """Distance of y from x, both [B, N]."""
        total = y.new_zeros(())
        for n, _ in self.sizes:
            window, bank = getattr(self, f"window{n}"), getattr(self, f"mel{n}")
            floor = 0.03 * n / 2048
            both = torch.stft(torch.cat([y, x]), n, n // 4, window=window, return_complex=True, center=True)
            mag = both.abs().clamp_min(1e-7)  # [2B, F, T]
            a, b = mag.chunk(2)
            la, lb = (mag + floor).log().chunk(2)
            ma, mb = torch.log(bank @ mag + floor * 4).chunk(2)
            total = total + (ma - mb).abs().mean() + 0.25 * (la - lb).abs().mean()
            level = 0.15 / 8 * self.energy
            for pa, pb in zip(_bands(a), _bands(b), strict=True):
                total = total + 0.5 / 8 * (pa - pb).norm() / (pb.norm() + floor * 8)
                ea, eb = pa.square().mean(1), pb.square().mean(1)
                total = total + level * ((ea + floor**2).log() - (eb + floor**2).log()).abs().mean()
                # The crop's level in a band, squared: frame by frame the middle guess is too quiet.
                bias = (ea.mean(1) + floor**2).log() - (eb.mean(1) + floor**2).log()
                total = total + level * bias.square().mean()
        return total


def _bands(mag: Tensor) -> list[Tensor]:
    """Eight bands of equal width on a log axis: [B, F, T] -> 8 x [B, f, T]."""
    f = mag.shape[1]
    edges = [0] + [max(i + 1, round(f ** ((i + 1) / 8))) for i in range(7)] + [f]
    return [mag[:, a:b] for a, b in itertools.pairwise(edges)]


def fold_weight_norm(codec: Codec) -> None:
    """Train plain weights: weight norm is a reparametrisation, put back when saving."""
    for module in codec.modules():
        if parametrize.is_parametrized(module, "weight"):
            parametrize.remove_parametrizations(module, "weight")


def unfold_weight_norm(state: dict[str, Tensor], codec: Codec) -> None:
    """Load a plain state dict into a codec with weight norm: g = |w| per output filter, v = w."""
    target = codec.model.state_dict()
    for key in list(target):
        if key.endswith("parametrizations.weight.original0"):
            w = state[key.replace("parametrizations.weight.original0", "weight")]
            target[key] = w.flatten(1).norm(dim=1).view(-1, 1, 1)
            target[key.replace("original0", "original1")] = w
        elif key in state:
            target[key] = state[key]
    codec.model.load_state_dict(target)


@torch.no_grad()
def initialise(codec: Codec, sample: Tensor, whiten: float) -> None:
    """Variance-preserving convolutions; first filters scaled toward equal power on `sample` [B, 1, N]."""
    for name, p in codec.model.named_parameters():
        if p.ndim == 3:
            transposed = "decoder" in name and any(
                isinstance(m, nn.ConvTranspose1d) and m.weight is p for m in codec.model.modules()
            )
            fan = p.shape[0] * p.shape[2] / 2 if transposed else p.shape[1] * p.shape[2]
            nn.init.normal_(p, std=1 / math.sqrt(fan))
        elif p.ndim == 1:
            nn.init.zeros_(p)
    for module in codec.model.modules():
        if type(module).__name__ == "EncodecResnetBlock":
            module.block[-1].conv.weight.mul_(0.3)
    if whiten:
        first = codec.model.encoder.layers[0]
        w = first.conv.weight  # [C, 1, k]
        k = w.shape[-1]
        x = sample.flatten()
        lag = torch.stack([(x[: len(x) - k] * x[i : len(x) - k + i]).mean() for i in range(k)])
        index = (torch.arange(k)[:, None] - torch.arange(k)[None]).abs()
        values, vectors = torch.linalg.eigh(lag[index] + 1e-6 * lag[0] * torch.eye(k))
        spread = (values / values[-1]).clamp_min(1e-5) ** (-0.5 * whiten)
        basis = torch.randn(w.shape[0], k) @ (vectors * spread).T
        out_power = torch.einsum("ck,kl,cl->c", basis, lag[index], basis).clamp_min(1e-12).sqrt()
        w.copy_((basis / out_power[:, None] * 0.5)[:, None])


class Clips:
    """Random crops [B, 1, N] out of rendered shards, and of recordings."""

    def __init__(self, renders: Path, recordings: Path | None, samples: int, seed: int) -> None:
        self.shards = [np.load(p, mmap_mode="r") for p in sorted(renders.glob("audio_*.npy"))]
        if not self.shards:
            raise SystemExit(f"{renders}: no audio_*.npy; run python -m study.data.render first")
        self.recordings: list[NDArray[np.int16]] = []
        if recordings is not None and recordings.exists():  # int16 [N] each (study.data.recordings)
            self.recordings = [np.load(p, mmap_mode="r") for p in sorted(recordings.glob("*.npy"))]
            if not self.recordings:
                raise SystemExit(f"{recordings}: no *.npy; run `python -m study.data.recordings` first")
        self._lengths = np.array([len(r) for r in self.recordings], float)
        self.samples = samples
        self.rng = np.random.default_rng(seed)

    def batch(self, size: int, recordings: float) -> Tensor:
        """A batch of crops [B, 1, N]."""
        out = np.zeros((size, 1, self.samples), np.float32)
        for i in range(size):
            if self.recordings and self.rng.random() < recordings:
                y = self.recordings[
                    int(self.rng.choice(len(self._lengths), p=self._lengths / self._lengths.sum()))
                ]
                start = int(self.rng.integers(0, max(1, len(y) - self.samples)))
                crop = y[start : start + self.samples].astype(np.float32) / 32767
                level = np.sqrt(np.mean(crop**2)) + 1e-4
                crop = crop * min(10.0, 10 ** (self.rng.uniform(-24, -14) / 20) / level)
                out[i, 0, : len(crop)] = np.clip(crop, -1, 1)
            else:
                shard = self.shards[int(self.rng.integers(len(self.shards)))]
                clip = shard[int(self.rng.integers(len(shard)))]
                start = int(self.rng.integers(0, len(clip) - self.samples))
                out[i, 0] = clip[start : start + self.samples].astype(np.float32) / 32767
        return torch.from_numpy(out)


class Quantizer:
    """EMA training of the residual codebooks, outside the graph."""

    def __init__(self, codec: Codec, seed: int) -> None:
        self.layers = [q.codebook for q in codec.model.quantizer.layers]
        self.ring = torch.empty(0, codec.dim)
        self.g = torch.Generator().manual_seed(seed)
        self.fitted = 0  # codebooks that hold something already

    @property
    def started(self) -> bool:
        """Whether every codebook holds something."""
        return self.fitted == len(self.layers)

    def observe(self, z: Tensor) -> None:
        """Keep the newest 16k latents; z [B, D, T]."""
        new = z.detach().float().transpose(1, 2).reshape(-1, z.shape[1])  # [B, D, T] -> [B T, D]
        self.ring = torch.cat([self.ring, new])[-16384:]

    @torch.no_grad()
    def fit(self, decay: float, latents: Tensor | None = None, iterations: int = 1) -> float:
        """k-means steps with EMA over latents [n, D] (default: the ring); the residual's share of power."""
        rest = (self.ring if latents is None else latents).clone()
        power = rest.var(0).sum()
        for i, book in enumerate(self.layers):
            new = i >= self.fitted
            if new:
                book.embed.copy_(rest[torch.randint(len(rest), (book.codebook_size,), generator=self.g)])
            for step in range(max(4, iterations) if new else 1):
                index = book.quantize(rest)
                count = torch.bincount(index, minlength=book.codebook_size).float()
                total = torch.zeros_like(book.embed).index_add_(0, index, rest)
                keep = 0.0 if new else decay
                alive = count > 0
                mean = total / count.clamp_min(1)[:, None]
                book.embed[alive] = book.embed[alive] * keep + mean[alive] * (1 - keep)
                dead = (~alive).nonzero().flatten()
                if len(dead) and step + 1 < max(2, iterations):
                    book.embed[dead] = rest[torch.randint(len(rest), (len(dead),), generator=self.g)]
            rest = rest - book.embed[book.quantize(rest)]
        self.fitted = len(self.layers)
        return float(rest.var(0).sum() / power)

    @torch.no_grad()
    def refine(self, latents: Tensor, iterations: int = 6, prior: float = 4.0) -> float:
        """k-means from the codebooks as they are, over latents [n, D]; returns the residual's share of power.

        Each entry counts as `prior` latents of its old value: rare entries stay near it, which
        generalises (held-out residual 0.26, against 0.35 when fitted anew and 0.30 unrefined).
        """
        rest, power = latents.clone(), latents.var(0).sum()
        for book in self.layers:
            for _ in range(iterations):
                index = torch.cat([book.quantize(part) for part in rest.split(20_000)])
                count = torch.bincount(index, minlength=book.codebook_size).float()
                total = torch.zeros_like(book.embed).index_add_(0, index, rest)
                book.embed.copy_((total + prior * book.embed) / (count + prior)[:, None])
            rest = rest - torch.cat([book.embed[book.quantize(part)] for part in rest.split(20_000)])
        return float(rest.var(0).sum() / power)

    def __call__(self, z: Tensor, depth: int) -> Tensor:
        """Latents [B, D, T] through the first `depth` codebooks -> [B, D, T]."""
        flat = z.detach().transpose(1, 2).reshape(-1, z.shape[1]).float()
        out = torch.zeros_like(flat)
        for book in self.layers[:depth]:
            out = out + book.embed[book.quantize(flat - out)]
        return out.view(z.shape[0], z.shape[2], z.shape[1]).transpose(1, 2)


def si_sdr(y: Tensor, x: Tensor) -> Tensor:
    """Scale-invariant signal-to-noise ratio in dB of y against x, both [B, N] -> [B]."""
    x = x - x.mean(-1, keepdim=True)
    y = y - y.mean(-1, keepdim=True)
    target = (y * x).sum(-1, keepdim=True) / x.square().sum(-1, keepdim=True).clamp_min(1e-8) * x
    return 10 * torch.log10(target.square().sum(-1) / (y - target).square().sum(-1).clamp_min(1e-8))


@torch.no_grad()
def validate(codec: Codec, quantizer: Quantizer, audio: Tensor, spectral: Spectral) -> dict[str, float]:
    """SI-SNR of both paths and the continuous spectral distance on held-out clips [B, 1, N]."""
    z = codec.model.encoder(audio)
    y = codec.model.decoder(z)[..., : audio.shape[-1]]
    out = {"snr": float(si_sdr(y[:, 0], audio[:, 0]).mean()), "spec": float(spectral(y[:, 0], audio[:, 0]))}
    out["bright"] = _treble(y) - _treble(audio)
    if quantizer.started:
        yq = codec.model.decoder(quantizer(z, len(quantizer.layers)))[..., : audio.shape[-1]]
        out["snr_rvq"] = float(si_sdr(yq[:, 0], audio[:, 0]).mean())
        out["spec_rvq"] = float(spectral(yq[:, 0], audio[:, 0]))
        out["bright_rvq"] = _treble(yq) - _treble(audio)
    return out


def _treble(audio: Tensor) -> float:
    """Mean energy above 4 kHz in dB of clips [B, 1, N] at 32 kHz."""
    power = torch.fft.rfft(audio[:, 0]).abs().square()
    return float((10 * torch.log10(power[:, power.shape[1] // 4 :].sum(-1) + 1e-6)).mean())


def take_over(codec: Codec, quantizer: Quantizer, bundle: Path, out: Path, settled: bool) -> None:
    """Weights and codebooks of a bundle's codec; `codec` may have more codebooks, they stay unfitted.

    settled: the encoder will not be trained, so that statistics and codebooks stay the bundle's
    and networks that were trained on them go on as they are.
    """
    start = load_codec(bundle, json.loads((bundle / "bundle.json").read_text())["codec"])
    fold_weight_norm(start)
    own = dict(codec.model.named_parameters())
    with torch.no_grad():
        for name, p in start.model.named_parameters():
            own[name].copy_(p)
        for mine, theirs in zip(quantizer.layers, start.model.quantizer.layers, strict=False):
            mine.embed.copy_(theirs.codebook.embed)
    quantizer.fitted = min(len(quantizer.layers), start.codebooks)
    if settled and quantizer.started:
        torch.save((start.mean, start.std), out / "latents.pt")
        torch.save([layer.embed.clone() for layer in quantizer.layers], out / "codebooks.pt")


def average_gradients(module: nn.Module, world: int) -> None:
    """The mean of the gradients of all processes."""
    grads = [p.grad for p in module.parameters() if p.grad is not None]
    flat = torch.cat([g.flatten() for g in grads])
    dist.all_reduce(flat)
    for g, part in zip(grads, flat.split([g.numel() for g in grads]), strict=True):
        g.copy_(part.view_as(g) / world)


def train(
    config: Config,
    renders: Path,
    held_out: Path,
    recordings: Path | None,
    out: Path,
    threads: int,
    start: Path | None = None,
) -> None:
    """Run or resume; writes codec.pt (plain EMA weights, codebooks, latent statistics) into `out`."""
    rank, world = int(os.environ.get("RANK", 0)), int(os.environ.get("WORLD_SIZE", 1))
    if world > 1:
        dist.init_process_group("gloo")
    torch.set_num_threads(threads)
    keep_freed_memory()
    torch.manual_seed(config.seed)
    out.mkdir(parents=True, exist_ok=True)
    codec = build_codec(codec_config(config.width, config.ratios, config.codebooks, config.codebook_size))
    fold_weight_norm(codec)
    samples = round(config.seconds * codec.rate / codec.hop) * codec.hop
    clips = Clips(renders, recordings, samples, config.seed + 1000 * rank)
    quantizer = Quantizer(codec, config.seed)
    if start is None:
        initialise(codec, clips.batch(16, 0.0), config.whiten)
    else:
        take_over(codec, quantizer, start, out, settled=config.freeze_from <= 0)
    if world > 1:
        for p in codec.model.parameters():
            dist.broadcast(p.data, 0)
    device = config.device
    codec.to(device)
    quantizer.ring = quantizer.ring.to(device)
    spectral, measure = Spectral(codec.rate, config.energy).to(device), Spectral(codec.rate).to(device)
    shard = np.load(sorted(held_out.glob("audio_*.npy"))[0], mmap_mode="r")
    test = torch.from_numpy(
        np.stack([shard[i][32_000 : 32_000 + 4 * codec.rate] for i in range(0, 48, 2)]) / np.float32(32767)
    )[:, None]
    tests = {"": test}
    real = sorted((recordings.parent / "held_out").glob("*.npy")) if recordings is not None else []
    if real:
        rng = np.random.default_rng(0)
        cuts = []
        for i in range(24):
            y = np.load(real[i % len(real)], mmap_mode="r")
            at = int(rng.integers(0, max(1, len(y) - 4 * codec.rate)))
            cut = y[at : at + 4 * codec.rate].astype(np.float32) / 32767
            cuts.append(np.pad(cut, (0, 4 * codec.rate - len(cut))))
        tests["real_"] = torch.from_numpy(np.stack(cuts))[:, None]
    tests = {k: v.to(device) for k, v in tests.items()}
    opts = optimizers(codec.model, config.lr)
    schedule, average = Schedule(opts, warmup=0.01), Average(codec.model)
    adversary: Adversary | None = None
    step, spent = 0, 0.0
    saved = out / "codec.pt"
    if saved.exists():
        state = torch.load(saved, weights_only=False, map_location=device)
        codec.model.load_state_dict(state["raw"])
        average.values, step, spent = state["average"], state["step"], state["spent"]
        average.steps = step
        quantizer.fitted, quantizer.ring = state["fitted"], state["ring"]
        clips.rng = np.random.default_rng(config.seed + 1000 * rank + step)
        if "adversary" in state:
            adversary = Adversary(device, config.seed, config.adversary_share)
            adversary.net.load_state_dict(state["adversary"])
        print(f"resumed at step {step}, {spent:.0f} s")
    curves = out / "curves.csv" if rank == 0 else Path(os.devnull)
    log = curves.open("a", newline="")
    measures = ("snr", "spec", "bright", "snr_rvq", "spec_rvq", "bright_rvq")
    writer = csv.DictWriter(
        log, ["step", "seconds", "loss", *(k + m for k in tests for m in measures), "residual", "verdict"]
    )
    if rank == 0 and curves.stat().st_size == 0:
        writer.writeheader()
        log.flush()
    budget = config.minutes * 60
    frozen = synced = False
    begin, last_save, last_test, running = time.time() - spent, time.time(), 0.0, 0.0
    residual: float | str = ""

    def checkpoint() -> None:
        held = {n: p.detach().clone() for n, p in codec.model.named_parameters()}
        raw = codec.model.state_dict()
        raw = {k: v.clone() for k, v in raw.items()}
        average.copy_to(codec.model)
        ema = {k: v.clone() for k, v in codec.model.state_dict().items()}
        with torch.no_grad():
            for n, p in codec.model.named_parameters():
                p.copy_(held[n])
        part = saved.with_suffix(".part")
        state = {"config": asdict(config), "raw": raw, "ema": ema, "average": average.values, "step": step}
        state |= {"spent": time.time() - begin, "frozen": frozen}
        state |= {"fitted": quantizer.fitted, "ring": quantizer.ring}
        if adversary is not None:
            state |= {"adversary": adversary.net.state_dict()}
        torch.save(state, part)
        part.replace(saved)

    while True:
        now = torch.tensor((time.time() - begin) / budget, dtype=torch.float64)
        if world > 1:
            dist.broadcast(now, 0)
        share = float(now)
        if share >= 1:
            break
        if share >= config.freeze_from and not frozen:
            frozen = True
            # The averaged encoder is the one that ships: take it, so that what follows fits it.
            with torch.no_grad():
                for n, p in codec.model.named_parameters():
                    if n.startswith("encoder"):
                        p.copy_(average.values[n])
                        p.requires_grad_(False)
                        p.grad = None
            if rank == 0:
                checkpoint()
                finish(out, renders, None)  # settles statistics and codebooks: FM and AR can begin
                (out / "encoder_frozen").write_text(f"{step}\n")
                print("encoder frozen", flush=True)
            if world > 1:
                dist.barrier()
            for book, embed in zip(quantizer.layers, torch.load(out / "codebooks.pt"), strict=True):
                book.embed.copy_(embed)
            quantizer.fitted = len(quantizer.layers)
        schedule.set(share)
        x = clips.batch(config.batch, config.recordings).to(device, non_blocking=True)
        with fast_precision(device):
            z = codec.model.encoder(x)
        z = z.float()
        quantizer.observe(z)
        loss = 1e-3 * z.square().mean()
        if share >= config.quantizer_from:
            if not quantizer.started:
                residual = quantizer.fit(0.0, iterations=8)
            elif step % 40 == 0 and not frozen:
                residual = quantizer.fit(0.8)
            if world > 1 and (step % 40 == 0 or not synced):
                for book in quantizer.layers:
                    dist.broadcast(book.embed, 0)
            synced = True
            shallow = not frozen and torch.rand(()) < 0.25
            depth = int(torch.randint(1, 4, ())) if shallow else len(quantizer.layers)
            z, cost = half_quantized(z, quantizer, depth, frozen)
            loss = loss + cost
        y, x0 = decoded(codec, z, x.shape[-1], device), x[:, 0]
        heard = y.detach().requires_grad_()
        distance, gradient = distance_at(heard, x0, spectral)
        if frozen and config.adversarial:
            if adversary is None:
                adversary = Adversary(device, config.seed, config.adversary_share)
            adversary.learn(x0, heard.detach())
            if world > 1:
                average_gradients(adversary.net, world)
            adversary.step()
            gradient = adversary.wish(x0, heard, gradient)
        push(loss, y, gradient)
        loss = loss.detach() + distance
        if world > 1:
            average_gradients(codec.model, world)
        nn.utils.clip_grad_norm_(codec.model.parameters(), 1.0)
        for o in opts:
            o.step()
            o.zero_grad(set_to_none=True)
        average.update(codec.model)
        step += 1
        running = float(loss.detach()) if not running else 0.98 * running + 0.02 * float(loss.detach())
        if rank == 0 and time.time() - last_test > 120:
            last_test = time.time()
            held = {n: p.detach().clone() for n, p in codec.model.named_parameters()}
            average.copy_to(codec.model)
            row = {
                k + m: v
                for k, audio in tests.items()
                for m, v in validate(codec, quantizer, audio, measure).items()
            }
            with torch.no_grad():
                for n, p in codec.model.named_parameters():
                    p.copy_(held[n])
            writer.writerow(
                {
                    "step": step,
                    "seconds": round(time.time() - begin),
                    "loss": round(running, 4),
                    "residual": residual,
                    "verdict": adversary.verdict if adversary is not None else "",
                }
                | {k: round(v, 3) for k, v in row.items()}
            )
            log.flush()
            print(
                step,
                round(time.time() - begin),
                round(running, 3),
                {k: round(v, 2) for k, v in row.items()},
                residual,
                flush=True,
            )
        if rank == 0 and time.time() - last_save > 120:
            last_save = time.time()
            checkpoint()
    if rank == 0:
        checkpoint()
        plot(out)
    if world > 1:
        dist.destroy_process_group()


def finish(out: Path, renders: Path, recordings: Path | None) -> Codec:
    """codec.pt -> a codec with EMA weights, latent statistics (App. E.2) and refitted codebooks.

    Statistics and codebooks are settled once the encoder is frozen and then kept in latents.pt and
    codebooks.pt beside codec.pt, because FM and AR are trained on them.
    """
    state = torch.load(out / "codec.pt", weights_only=False, map_location="cpu")
    config = Config(**state["config"])
    codec = build_codec(codec_config(config.width, config.ratios, config.codebooks, config.codebook_size))
    unfold_weight_norm(state["ema"], codec)
    statistics, books = out / "latents.pt", out / "codebooks.pt"
    if not state["frozen"]:
        raise SystemExit(f"{out}: the encoder is still in training; wait for encoder_frozen")
    quantizer = Quantizer(codec, 0)
    if not (statistics.exists() and books.exists()):
        clips = Clips(renders, recordings, 10 * codec.rate, 1)
        with torch.no_grad():
            z = torch.cat([codec.model.encoder(clips.batch(8, 0.0)) for _ in range(50)])  # [400, D, 250]
        torch.save((float(z.mean()), float(z.std(dim=2).mean())), statistics)
        residual = quantizer.refine(z.transpose(1, 2).reshape(-1, z.shape[1]))
        torch.save([layer.embed for layer in quantizer.layers], books)  # on the CPU, whatever trained them
        print(f"{config.codebooks} codebooks refined: residual {residual:.3f} of the power")
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
