"""Train the network that hears who plays when: `python -m study.train.instruments`.

It learns from training renders only, part of them decoded from the bundle's latents and codes (which
`study.data.dataset` wrote beside the renders), since it hears again what the models made; from noise and
made-up speech it learns to say nothing. It speaks on cards and in the analysis; it must never judge where
`study.listeners.train` does. Time is wall time; the weights are saved every few minutes. `--measure` trains
nothing.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from engines.analysis import instruments as listener
from engines.analysis import network as analysis_network
from engines.analysis.instruments import MELS, POOLED, STEP_SECONDS, STRIDES, WEIGHTS, log_mel
from engines.audio.recording import resample
from engines.checkpoints.shelf import open_bundle
from engines.music.instruments import DRUMS_ROW, FAMILIES, INSTRUMENTS, ROWS, family_of
from engines.networks.codec import Codec
from study.train.analysis import no_music

RATE = listener.RATE
QUIETEST = float(np.log(listener.FLOOR))
GROUPS = {
    "instruments": range(len(INSTRUMENTS)),
    "families": range(len(INSTRUMENTS), len(ROWS) - 1),
    "drums": range(len(ROWS) - 1, len(ROWS)),
}
Audio = NDArray[np.float32]
Label = dict[str, Any]


class Network(nn.Module):
    """Log mel -> logits of who plays; `engines.analysis.instruments.activity` computes the same."""

    def __init__(self, width: int = 28, inner: int = 192) -> None:
        super().__init__()
        channels, bands = (1, width, 2 * width, 4 * width, 4 * width), MELS
        kernels = ((7, 5), (3, 3), (3, 3), (3, 3))
        self.body = nn.ModuleList()
        for i, (kernel, stride) in enumerate(zip(kernels, STRIDES, strict=True)):
            pad = (kernel[0] // 2, kernel[1] // 2)
            conv = nn.Conv2d(channels[i], channels[i + 1], kernel, stride, pad, bias=False)
            self.body.append(nn.Sequential(conv, nn.BatchNorm2d(channels[i + 1])))
            bands = -(-bands // stride[1])
        self.join = nn.Linear(channels[-1] * bands, inner)
        self.time = nn.ModuleList(nn.Conv1d(inner, inner, 5, padding=2) for _ in range(2))
        self.head = nn.Linear(inner, len(ROWS))
        nn.init.constant_(self.head.bias, -3.0)

    def forward(self, mel: Tensor) -> Tensor:
        """Log mel [B, F, MELS] -> logits [B, F // POOLED, ROWS]."""
        x = mel[:, None] / 3.0  # [B, 1, F, M]
        for i, layer in enumerate(self.body):
            x = F.relu(layer(x))
            if i == 2:
                x = F.dropout2d(x, 0.1, self.training)
        h = x.permute(0, 2, 3, 1).flatten(2)  # [B, C, T, M'] -> [B, T, M' * C]
        h = F.relu(self.join(F.dropout(h, 0.1, self.training)))
        for layer in self.time:
            h = h + F.relu(layer(h.transpose(1, 2))).transpose(1, 2)
        out: Tensor = self.head(F.dropout(h, 0.2, self.training))
        return out


def targets_of(label: Label, steps: int) -> NDArray[np.bool_]:
    """Who plays in each step, with families: [steps, ROWS]."""
    out = np.zeros((steps, len(ROWS)), np.bool_)
    middle = (np.arange(steps) + 0.5) * STEP_SECONDS
    for part in label["parts"]:
        if part["plays"]:
            inside = (middle >= part["start"] - 0.1) & (middle < part["end"] + 0.1)
            family = family_of(part["instrument"])
            for row in (part["instrument"], family):
                if row is not None:
                    out[inside, ROWS.index(row)] = True
    return out


def made_up_speech(count: int, seed: int = 0) -> Iterator[Audio]:
    """Clips [12 s] that move as speech does: gliding pulses through moving formants, hisses, pauses."""
    slow = 8000  # Hz; speech has most below 4 kHz
    rng, n = np.random.default_rng(seed), 12 * slow
    for _ in range(count):
        knots = np.arange(0, 13, 0.12)
        at = np.arange(n) / slow

        def line(low: float, high: float) -> NDArray[np.float64]:
            return np.interp(at, knots, rng.uniform(low, high, len(knots)))  # noqa: B023

        base = rng.choice([110.0, 200.0])
        pitch = base * 2 ** (line(-0.3, 0.3) + 0.02 * rng.standard_normal())
        phase = np.cumsum(pitch) / slow
        voiced = np.interp(at, knots, rng.random(len(knots)) < 0.6)
        sound = np.zeros(n)
        formants = [(line(250, 850), 1.0), (line(800, 2300), 0.6), (line(2200, 3200), 0.3)]
        for k in range(1, 20):
            gain = sum(g * np.exp(-(((k * pitch - f) / 150) ** 2)) for f, g in formants) + 0.05 / k
            sound += gain * np.sin(2 * np.pi * k * phase)
        hiss = np.diff(rng.standard_normal(n), prepend=0.0) * np.interp(
            at, knots, rng.random(len(knots)) < 0.2
        )
        sound = voiced * sound + 0.3 * hiss + 10 ** rng.uniform(-4, -2) * rng.standard_normal(n)
        sound *= np.interp(at, knots, rng.random(len(knots)) < 0.85)
        yield resample((0.2 * sound / max(sound.std(), 1e-6)).clip(-1, 1).astype(np.float32), slow, RATE)


def clips_of(folder: Path) -> list[tuple[Path, int, Label]]:
    """Shard, row and label of every clip whose labels are written."""
    return [
        (path.with_name(path.name.replace("labels", "audio")).with_suffix(".npy"), i, label)
        for path in sorted(folder.glob("labels_*.json"))
        for i, label in enumerate(json.loads(path.read_text()))
    ]


def plain_clip(place: tuple[Path, int, Label]) -> Audio:
    """The clip as rendered, float [n]."""
    return np.asarray(np.load(place[0], mmap_mode="r")[place[1]], np.float32) / 32767


def latents_of(place: tuple[Path, int, Label], codec: Codec, quantized: bool) -> Tensor:
    """The clip's latents [1, D, T], quantized or not, from what lies beside it where it is encoded."""
    path = place[0].with_name(place[0].name.replace("audio", "codes" if quantized else "latents"))
    if path.exists():
        kept = np.load(path, mmap_mode="r")[place[1]].astype(np.int64 if quantized else np.float32)
        return codec.dequantize(torch.from_numpy(kept)[None]) if quantized else torch.from_numpy(kept)[None]
    z = codec.encode(torch.from_numpy(plain_clip(place))[None, None])
    return codec.dequantize(codec.quantize(z)) if quantized else z


@torch.inference_mode()
def coded_clip(place: tuple[Path, int, Label], codec: Codec, quantized: bool) -> Audio:
    """The clip through the codec, float [n]."""
    return np.asarray(
        codec.decode(latents_of(place, codec, quantized))[0, 0, : 12 * RATE].numpy(), np.float32
    )


@torch.inference_mode()
def coded_pair(
    first: tuple[Path, int, Label], last: tuple[Path, int, Label], codec: Codec, quantized: bool
) -> Audio:
    """The first half of one clip and the last half of another through the codec, float [n]."""
    a, b = latents_of(first, codec, quantized), latents_of(last, codec, quantized)
    half = round(12 * 25 * (750 // POOLED // 2) / (750 / POOLED))  # where the steps of the first end
    z = torch.cat([a[:, :, :half], b[:, :, half:]], dim=2)
    return np.asarray(codec.decode(z)[0, 0, : 12 * RATE].numpy(), np.float32)


class Store:
    """Log mels fp16 [n, F, MELS] and targets bool [n, T, ROWS] in memory."""

    def __init__(
        self, folders: list[Path], clips: int, coded: int, codec: Codec, nothing: int, kept_in: Path
    ) -> None:
        kept_in.mkdir(parents=True, exist_ok=True)
        cache = kept_in / f"heard_{clips}_{coded}_{nothing}.npz"
        if cache.exists():
            with np.load(cache) as file:
                self.mels, self.targets = torch.from_numpy(file["mels"]), torch.from_numpy(file["targets"])
                self.plain, self.coded = int(file["plain"]), int(file["coded"])
            return
        rng = np.random.default_rng(0)
        places = [place for folder in folders for place in clips_of(folder)]
        kept = [places[i] for i in rng.permutation(len(places))[:clips]]
        encoded = [p for p in places if p[0].with_name(p[0].name.replace("audio", "latents")).exists()]
        again = [encoded[i] for i in rng.permutation(len(encoded))[:coded]]
        mels, targets = [], []
        silent = np.zeros((750 // POOLED, len(ROWS)), np.bool_)
        for place in kept:
            mels.append(log_mel(plain_clip(place)).astype(np.float16))
            targets.append(targets_of(place[2], len(silent)))
        print(f"{len(mels)} plain clips", flush=True)
        for i, (place, other) in enumerate(zip(again[::2], again[1::2], strict=False)):  # half a clip of each
            mels.append(log_mel(coded_pair(place, other, codec, i % 2 == 1)).astype(np.float16))
            both = targets_of(place[2], len(silent)), targets_of(other[2], len(silent))
            targets.append(np.concatenate([both[0][: len(silent) // 2], both[1][len(silent) // 2 :]]))
        again = again[: len(mels) - len(kept)]
        print(f"{len(again)} pairs through the codec", flush=True)
        self.plain, self.coded = len(kept), len(again)
        for sound in (*made_up_speech(nothing // 2), *no_music(nothing // 2, None)):
            mels.append(log_mel(sound).astype(np.float16))
            targets.append(silent)
        self.mels = torch.from_numpy(np.stack([m[: len(silent) * POOLED] for m in mels]))
        self.targets = torch.from_numpy(np.stack(targets))
        np.savez(
            cache, mels=self.mels.numpy(), targets=self.targets.numpy(), plain=self.plain, coded=self.coded
        )

    def batch(self, size: int, steps: int, rng: np.random.Generator) -> tuple[Tensor, Tensor]:
        """Disturbed crops [B, F, MELS] and who plays [B, T, ROWS]: half through the codec, some no music."""
        void = len(self.mels) - self.plain - self.coded
        share = [0.47, 0.47, 0.06] if self.coded and void else [0.94, 0.0, 0.06] if void else [1.0, 0.0, 0.0]
        kind = rng.choice(3, size, p=share)
        first, count = (
            np.array([0, self.plain, self.plain + self.coded]),
            np.array([self.plain, max(self.coded, 1), max(void, 1)]),
        )
        rows = first[kind] + (rng.random(size) * count[kind]).astype(int)
        starts = rng.integers(0, self.targets.shape[1] - steps + 1, size)
        mel = torch.stack(
            [self.mels[r, s * POOLED : (s + steps) * POOLED] for r, s in zip(rows, starts, strict=True)]
        ).float()
        goal = torch.stack(
            [self.targets[r, s : s + steps] for r, s in zip(rows, starts, strict=True)]
        ).float()
        return disturb(mel, torch.Generator().manual_seed(int(rng.integers(1 << 31)))), goal


def disturb(mel: Tensor, g: torch.Generator) -> Tensor:
    """Another level, tone, noise floor, upper end, a hidden band: log mel [B, F, MELS] -> the same."""
    size, band = len(mel), torch.arange(MELS)
    tilt = 0.4 * torch.randn(size, 1, 1, generator=g) * torch.linspace(-1, 1, MELS)
    level = torch.rand(size, 1, 1, generator=g) * 2.5 - 1.7
    floor = torch.rand(size, 1, 1, generator=g) * 3.5 - 5.0
    out = torch.logaddexp(mel + tilt + level, floor.expand_as(mel))
    top = torch.randint(MELS - 24, 2 * MELS, (size, 1, 1), generator=g)  # a recording without high bands
    out = torch.where(band > top, torch.full_like(out, QUIETEST), out)
    first = torch.randint(0, MELS - 8, (size, 1, 1), generator=g)
    hidden = (band >= first) & (band < first + 8) & (torch.rand(size, 1, 1, generator=g) < 0.25)
    return torch.where(hidden, out.mean(dim=(1, 2), keepdim=True), out).clamp(min=QUIETEST)


def train(store: Store, network: Network, minutes: float, every: float = 3.0, seed: int = 0) -> Network:
    """Train for `minutes` of wall time; the weights are written every `every` minutes."""
    rng = np.random.default_rng(seed)
    opt = torch.optim.AdamW(network.parameters(), lr=2e-3, weight_decay=0.02)
    begin, saved, step, total = time.monotonic(), 0.0, 0, 0.0
    network.train()
    while (share := (time.monotonic() - begin) / (60 * minutes)) < 1.0:
        for group in opt.param_groups:
            group["lr"] = 2.5e-3 * min(1.0, (step + 1) / 100) * (1.0 - share)
        mel, goal = store.batch(*((48, 8) if step % 4 == 3 else (20, 24)), rng)
        loss = F.binary_cross_entropy_with_logits(network(mel), goal) * 10
        opt.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(network.parameters(), 2.0)
        opt.step()
        step, total = step + 1, total + loss.item()
        if step % 100 == 0:
            print(f"{100 * share:.0f} %, step {step}, loss {total / 100:.3f}", flush=True)
            total = 0.0
        if (time.monotonic() - begin) / 60 > saved + every:
            saved = (time.monotonic() - begin) / 60
            save(network.eval())
            network.train()
    return network.eval()


def save(
    network: Network, scale: Tensor | None = None, shift: Tensor | None = None, path: Path = WEIGHTS
) -> None:
    """Write the weights [O, I, ...] in fp16, norms folded into convolutions, with the logits' calibration."""
    arrays: dict[str, Tensor] = {}
    for i, layer in enumerate(network.body):
        conv, norm = layer[0], layer[1]
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        arrays[f"body{i}.weight"] = conv.weight * gain[:, None, None, None]
        arrays[f"body{i}.bias"] = norm.bias - norm.running_mean * gain
    for name, part in (
        ("join", network.join),
        *((f"time{i}", t) for i, t in enumerate(network.time)),
        ("head", network.head),
    ):
        arrays[f"{name}.weight"], arrays[f"{name}.bias"] = part.weight, part.bias
    arrays["scale"] = torch.ones(len(ROWS)) if scale is None else scale
    arrays["shift"] = torch.zeros(len(ROWS)) if shift is None else shift
    part_path = path.with_suffix(".part.npz")
    np.savez(part_path, **{k: v.detach().half().numpy() for k, v in arrays.items()})
    part_path.rename(path)


def restored(mel: Tensor) -> Network:
    """A network with the weights that are saved; its norms are set anew to what mels [B, F, MELS] bring."""
    network = Network()
    with np.load(WEIGHTS) as file:
        w = {name: torch.from_numpy(file[name].astype(np.float32)) for name in file.files}
    with torch.no_grad():
        x = mel[:, None] / 3.0  # [B, 1, F, M]
        for i, layer in enumerate(network.body):
            conv, norm = layer[0], layer[1]
            conv.weight.copy_(w[f"body{i}.weight"])
            made = conv(x)
            norm.running_mean.copy_(made.mean(dim=(0, 2, 3)))
            norm.running_var.copy_(made.var(dim=(0, 2, 3)))
            norm.weight.copy_((norm.running_var + norm.eps).sqrt())
            norm.bias.copy_(w[f"body{i}.bias"] + norm.running_mean)
            x = F.relu(norm.eval()(made))
        for name, part in (
            ("join", network.join),
            *((f"time{i}", t) for i, t in enumerate(network.time)),
            ("head", network.head),
        ):
            part.weight.copy_(w[f"{name}.weight"])
            part.bias.copy_(w[f"{name}.bias"])
    return network.eval()


def calibration(network: Network, mel: Tensor, goal: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and shift [ROWS] of the logits, one for each group, so that likelihoods mean what they say."""
    with torch.inference_mode():
        logits = torch.cat([network(part) for part in mel.split(8)]).flatten(0, 1)
    logits, goal = logits.clone(), goal.flatten(0, 1).float()
    scale, shift = torch.ones(len(ROWS)), torch.zeros(len(ROWS))
    for rows in GROUPS.values():
        each = list(rows)
        scale[each], shift[each] = _platt(logits[:, each], goal[:, each])
    return scale, shift


def _platt(logits: Tensor, goal: Tensor) -> Tensor:
    """Scale and shift [2] that make logits [n, R] likeliest for goals [n, R]."""
    both = torch.tensor([1.0, 0.0], requires_grad=True)
    opt = torch.optim.LBFGS([both], max_iter=50)

    def loss() -> Tensor:
        opt.zero_grad()
        value = F.binary_cross_entropy_with_logits(logits * both[0] + both[1], goal)
        value.backward()  # type: ignore[no-untyped-call]
        return value

    opt.step(loss)  # type: ignore[no-untyped-call]
    return both.detach()


def average_precision(score: NDArray[Any], truth: NDArray[Any]) -> float:
    """Area under precision over recall of scores [n] for truths bool [n]."""
    order = np.argsort(-score, kind="stable")
    hits = truth[order]
    precision = np.cumsum(hits) / (np.arange(len(hits)) + 1)
    return float((precision * hits).sum() / max(hits.sum(), 1))


def figures(sure: NDArray[Any], goal: NDArray[np.bool_], start: int = 0) -> dict[str, dict[str, float]]:
    """What likelihoods [n, T, ROWS] are worth against who plays, beside chance and another clip."""
    told: dict[str, dict[str, float]] = {}
    other = np.roll(goal, 7, axis=0)
    for group, rows in GROUPS.items():
        p, y, z = (x[:, :, list(rows)] for x in (sure, goal, other))
        said = p >= 0.5
        f1 = 2 * (said & y).sum() / max(said.sum() + y.sum(), 1)
        met = [i for i in range(y.shape[2]) if y[:, :, i].any()]
        told[group] = {
            "F1": float(f1), "F1 of another clip": float(2 * (said & z).sum() / max(said.sum() + z.sum(), 1)),
            "AP": float(np.mean([average_precision(p[:, :, i].ravel(), y[:, :, i].ravel()) for i in met])),
            "AP by chance": float(np.mean([y[:, :, i].mean() for i in met])),
        }  # fmt: skip
        for low in (0.6, 0.8):
            inside = (p >= low - 0.1) & (p < low + 0.1)
            told[group][f"right at {100 * low:.0f} %"] = (
                float(y[inside].mean()) if inside.any() else float("nan")
            )
    return told


def measure(folder: Path, clips: int, codec: Codec) -> dict[str, dict[str, dict[str, float]]]:
    """Figures on a folder's renders: as they are, through the codec, quantized, and 2 s pieces."""
    places = clips_of(folder)
    places = places[:: max(1, len(places) // clips)][:clips]
    steps = 750 // POOLED
    goal = np.stack([targets_of(place[2], steps) for place in places])
    told = {}
    for way in ("plain", "codec", "quantized", "2 s, quantized"):
        sure = []
        for place in places:
            sound = plain_clip(place) if way == "plain" else coded_clip(place, codec, way != "codec")
            if way.startswith("2 s"):
                pieces = np.array_split(sound[: steps * POOLED * listener.HOP], 5)
                each = [listener.heard(piece, RATE)[1] for piece in pieces]
                sure.append(np.concatenate(each)[:steps])
                sure[-1] = np.pad(sure[-1], ((0, steps - len(sure[-1])), (0, 0)))
            else:
                sure.append(listener.heard(sound, RATE)[1][:steps])
        told[way] = figures(np.stack(sure), goal)
        for group, each in told[way].items():
            print(folder.name, way, group, {k: round(v, 3) for k, v in each.items()}, flush=True)
    return told


def main() -> None:
    """Train, calibrate, save and measure."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--renders", type=Path, nargs="+", default=[Path("runs/data/train_pairs"), Path("runs/data/train")]
    )
    parser.add_argument(
        "--held-out",
        type=Path,
        nargs="*",
        default=[Path("runs/data/held_out"), Path("runs/data/held_out_unseen_soundfont")],
    )
    parser.add_argument("--clips", type=int, default=1600, help="training clips as rendered")
    parser.add_argument("--coded", type=int, default=400, help="training clips through the codec")
    parser.add_argument("--minutes", type=float, default=25.0, help="wall time of the training")
    parser.add_argument("--measured", type=int, default=60, help="held-out clips of each folder")
    parser.add_argument(
        "--out", type=Path, default=Path("runs/instruments"), help="what was heard of the clips is kept there"
    )
    parser.add_argument("--resume", action="store_true", help="go on from the weights that are saved")
    parser.add_argument("--measure", action="store_true", help="train nothing")
    args = parser.parse_args()
    torch.set_num_threads(1)
    codec = open_bundle("bundle", "cpu").codec()
    if not args.measure:
        store = Store(args.renders, args.clips, args.coded, codec, 60, args.out)
        spare = [
            *range(store.plain - 60, store.plain),
            *range(store.plain + store.coded - 30, store.plain + store.coded),
        ]
        aside = store.mels[spare].float(), store.targets[spare]
        network = restored(store.mels[::25].float()) if args.resume else Network()
        print(f"{sum(p.numel() for p in network.parameters()) / 1e3:.0f} k parameters", flush=True)
        store.targets[spare], store.mels[spare] = store.targets[:90].clone(), store.mels[:90].clone()
        network = train(store, network, args.minutes)
        save(network, *calibration(network, *aside))
    analysis_network.weights.cache_clear()
    for folder in args.held_out:
        measure(folder, args.measured, codec)
    print(f"{WEIGHTS}: {WEIGHTS.stat().st_size / 1e6:.2f} MB; rows {DRUMS_ROW} and {len(FAMILIES)} families")


if __name__ == "__main__":
    main()
