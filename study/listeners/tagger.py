"""A small listener of our own: which instrument leads, what plays, in which style, with drums or not.

`python -m study.listeners.tagger` trains it in a few CPU-minutes on training renders, part of them through a
bundle's codec so that the codec's own sound does not count as an error. It judges what a prompt
promised (the lead instrument among ten) and embeds audio for Frechet distances. Audio is mono
float [n] at 32 kHz; loudness is taken out. It knows what General MIDI instruments sound like and
nothing else, and it must never train a model that it judges.
"""

from __future__ import annotations

import argparse
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from functools import cache
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engines.checkpoints.shelf import open_bundle
from engines.families.inlay import codec_of
from engines.networks.codec import Codec

RATE = 32_000
HOP = 512  # samples between log-mel frames
MELS = 64
CROP = 250  # frames of a training crop (4 s)
SOUNDING = 0.25  # share of a crop that the lead must sound in for the crop to teach leads
Audio = NDArray[np.float32]


@dataclass(frozen=True)
class TaggerConfig:
    """What the listener can name."""

    leads: tuple[str, ...]
    instruments: tuple[str, ...]
    styles: tuple[str, ...]
    width: int = 24  # channels of the first convolution
    embedding: int = 64


@dataclass(frozen=True)
class Tags:
    """What the listener says of B clips; log-probabilities."""

    leads: Tensor  # [B, leads], sums to one
    instruments: Tensor  # [B, instruments], each on its own
    styles: Tensor  # [B, styles], sums to one
    drums: Tensor  # [B]


@cache
def _bank() -> Tensor:
    bank = librosa.filters.mel(sr=RATE, n_fft=1024, n_mels=MELS, fmin=40.0, fmax=16_000.0)
    return torch.from_numpy(bank)  # [mels, 513]


def log_mel(audio: Tensor) -> Tensor:
    """Log-mel spectrogram of audio at equal loudness: [B, n] -> [B, n // HOP + 1, MELS]."""
    audio = audio / audio.square().mean(dim=1, keepdim=True).sqrt().clamp(min=1e-4)
    window = torch.hann_window(1024, device=audio.device)
    spectrum = torch.stft(audio, 1024, HOP, window=window, return_complex=True)  # [B, 513, T]
    mel = _bank().to(audio.device) @ spectrum.abs()
    return mel.clamp(min=1e-2).log().transpose(1, 2)


class Tagger(nn.Module):
    """Log-mel -> embedding -> tags."""

    def __init__(self, config: TaggerConfig) -> None:
        super().__init__()
        self.config = config
        channels, layers = 1, []
        for i, out in enumerate((config.width, 2 * config.width, 4 * config.width, 5 * config.width)):
            # the first convolution takes four frames (64 ms) and two bands a step, the others two and two
            shape = ((7, 3), (4, 2), (3, 1)) if i == 0 else ((3, 3), (2, 2), (1, 1))
            layers += [nn.Conv2d(channels, out, *shape, bias=False), nn.BatchNorm2d(out), nn.ReLU()]
            channels = out
            if i == 2:
                layers.append(nn.Dropout2d(0.1))
        self.body = nn.Sequential(*layers)
        self.embed_proj = nn.Linear(2 * channels * (MELS // 16), config.embedding)
        sizes = (len(config.leads), len(config.instruments), len(config.styles), 1)
        self.heads = nn.ModuleList([nn.Linear(config.embedding, size) for size in sizes])

    def embed(self, mel: Tensor) -> Tensor:
        """Log-mel [B, T, MELS] (T >= 32) -> embedding [B, E]."""
        x = self.body(mel[:, None] / 3.0)  # [B, 1, T, M] -> [B, C, T/32, M/16]
        x = torch.cat([x.mean(dim=2), x.amax(dim=2)], dim=1)  # -> [B, 2C, M/16]
        out: Tensor = self.embed_proj(x.flatten(1))
        return out

    def forward(self, mel: Tensor) -> tuple[Tensor, ...]:
        """Log-mel [B, T, MELS] -> logits of leads, instruments, styles, drums: 4 x [B, n]."""
        h = F.gelu(self.embed(mel))
        return tuple(head(h) for head in self.heads)

    @torch.inference_mode()
    def listen(self, clips: Sequence[Audio]) -> Tags:
        """Tags of clips of equal length, [n] each."""
        heads = [self(log_mel(torch.from_numpy(c.copy())[None])) for c in clips]
        leads, instruments, styles, drums = (torch.cat(h) for h in zip(*heads, strict=True))
        return Tags(
            F.log_softmax(leads, 1), F.logsigmoid(instruments), F.log_softmax(styles, 1),
            F.logsigmoid(drums[:, 0]),
        )  # fmt: skip

    @torch.inference_mode()
    def embeddings(self, clip: Audio, seconds: float = 2.0) -> NDArray[np.float64]:
        """Embeddings of the whole windows of `seconds` in a clip: [n] -> [windows, E], at least one."""
        size = int(seconds * RATE)
        count = max(1, len(clip) // size)
        parts = [torch.from_numpy(clip[i * size : (i + 1) * size].copy()) for i in range(count)]
        return torch.cat([self.embed(log_mel(part[None])) for part in parts]).double().numpy()


def save_tagger(tagger: Tagger, folder: Path, told: dict[str, Any]) -> None:
    """Write tagger.safetensors (fp16) and tagger.json (what it names, and what was measured of it)."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.half() if v.is_floating_point() else v for k, v in tagger.state_dict().items()}
    save_file({k: v.contiguous() for k, v in state.items()}, folder / "tagger.safetensors")
    (folder / "tagger.json").write_text(json.dumps({"config": asdict(tagger.config), "told": told}, indent=1))


def load_tagger(folder: Path) -> Tagger:
    """The listener that `save_tagger` wrote; raises SystemExit, with the remedy, when there is none."""
    if not (folder / "tagger.json").exists():
        raise SystemExit(f"{folder}: no tagger there: python -m study.listeners.tagger --out {folder}")
    config = json.loads((folder / "tagger.json").read_text())["config"]
    names: dict[str, Any] = {k: tuple(v) if isinstance(v, list) else v for k, v in config.items()}
    tagger = Tagger(TaggerConfig(**names))
    state = load_file(folder / "tagger.safetensors")
    tagger.load_state_dict({k: v.float() if v.is_floating_point() else v for k, v in state.items()})
    return tagger.eval()


def names_of(labels: Sequence[dict[str, Any]], least: int = 20) -> TaggerConfig:
    """Everything that at least `least` of the labels name."""

    def often(words: Sequence[str]) -> tuple[str, ...]:
        return tuple(sorted(w for w, n in Counter(words).items() if w and n >= least))

    return TaggerConfig(
        often([label.get("lead") or "" for label in labels]),
        often([name for label in labels for name in set(label.get("instruments") or ())]),
        often([label.get("style") or "" for label in labels]),
    )


@dataclass(frozen=True)
class Targets:
    """Labels of n clips as tensors; -1 and NaN where nothing is known."""

    lead: Tensor  # int64 [n]
    instruments: Tensor  # float32 [n, instruments]
    style: Tensor  # int64 [n]
    drums: Tensor  # float32 [n]
    sounding: Tensor  # float32 [n, T + 1], frames so far in which the lead sounds


def targets_of(labels: Sequence[dict[str, Any]], config: TaggerConfig, frames: int) -> Targets:
    """Labels -> tensors, for clips of `frames` log-mel frames."""
    lead = [config.leads.index(x["lead"]) if x.get("lead") in config.leads else -1 for x in labels]
    style = [config.styles.index(x["style"]) if x.get("style") in config.styles else -1 for x in labels]
    plays = torch.tensor([[float(i in x["instruments"]) for i in config.instruments] for x in labels])
    sounding = torch.zeros(len(labels), frames)
    for row, label in zip(sounding, labels, strict=True):
        for note in label.get("melody") or ():
            row[int(note["start"] * RATE / HOP) : int(note["end"] * RATE / HOP) + 1] = 1.0
    return Targets(
        torch.tensor(lead), plays, torch.tensor(style),
        torch.tensor([float(bool(x.get("hits"))) for x in labels]),
        F.pad(sounding.cumsum(1), (1, 0)),
    )  # fmt: skip


def _labels(audio: Path) -> Path:
    """The labels beside a shard; they are written last, so without them the shard is not finished."""
    return audio.with_name(audio.name.replace("audio_", "labels_")).with_suffix(".json")


class Store:
    """Log-mels of training clips in memory, whole and through a codec."""

    def __init__(
        self, folder: Path | Sequence[Path], clips: int, config: TaggerConfig | None, seed: int = 0
    ) -> None:
        folders = [folder] if isinstance(folder, Path) else folder  # named twice counts twice
        files = [p for f in folders for p in sorted(f.glob("audio_*.npy")) if _labels(p).exists()]
        shards = [np.load(p, mmap_mode="r") for p in files]
        labels = [label for p in files for label in json.loads(_labels(p).read_text())]
        places = [(s, i) for s, shard in enumerate(shards) for i in range(len(shard))]
        kept = np.random.default_rng(seed).permutation(len(places))[:clips]
        self.audio = [shards[places[k][0]][places[k][1]] for k in kept]  # int16 [N] views, not read yet
        self.labels = [labels[k] for k in kept]
        self.config = config or names_of(labels)
        mels = [log_mel(self.clip(i)[None])[0].half() for i in range(len(self.audio))]
        self.mels = torch.stack(mels)  # [n, T, M]
        self.targets = targets_of(self.labels, self.config, self.mels.shape[1])

    def clip(self, i: int) -> Tensor:
        """Clip i, float32 [N]."""
        return torch.from_numpy(self.audio[i].astype(np.float32) / 32767)

    @torch.inference_mode()
    def through(self, codec: Codec, count: int, rng: np.random.Generator) -> tuple[Tensor, Tensor, Tensor]:
        """`count` crops through a codec, half of them quantized: mels [count, CROP, M], clip, first frame."""
        rows = rng.integers(0, len(self.audio), count)
        starts = rng.integers(0, self.mels.shape[1] - CROP, count)
        size, out = CROP * HOP, []
        for k, (i, s) in enumerate(zip(rows, starts, strict=True)):
            z = codec.encode(self.clip(i)[s * HOP : s * HOP + size][None, None])
            z = codec.dequantize(codec.quantize(z)) if k % 2 else z
            out.append(log_mel(codec.decode(z)[:, 0, :size])[0, :CROP].half())
        return torch.stack(out), torch.from_numpy(rows), torch.from_numpy(starts)


def disturb(mel: Tensor, rng: torch.Generator) -> Tensor:
    """Another tone, a noise floor, a hidden band: [B, T, M] -> [B, T, M]; a mix must not tell names."""
    size = len(mel)
    tilt = 0.5 * torch.randn(size, 1, 1, generator=rng) * torch.linspace(-1, 1, MELS)
    floor = torch.rand(size, 1, 1, generator=rng) * 4.0 - 5.0
    out = torch.logaddexp(mel + tilt, floor)
    first = torch.randint(0, MELS - 8, (size, 1, 1), generator=rng)
    band = torch.arange(MELS)
    hidden = (band >= first) & (band < first + 8) & (torch.rand(size, 1, 1, generator=rng) < 0.3)
    return torch.where(hidden, out.mean(dim=(1, 2), keepdim=True), out)


def loss_of(tagger: Tagger, mel: Tensor, t: Targets, rows: Tensor, starts: Tensor) -> Tensor:
    """Mean loss of crops [B, CROP, M] of the clips `rows` from frame `starts` on: a scalar []."""
    leads, instruments, styles, drums = tagger(mel)
    sounding = (t.sounding[rows, starts + CROP] - t.sounding[rows, starts]) / CROP
    lead = torch.where(sounding >= SOUNDING, t.lead[rows], -1)
    total = F.binary_cross_entropy_with_logits(instruments, t.instruments[rows]) * 4.0
    total = total + 0.3 * F.binary_cross_entropy_with_logits(drums[:, 0], t.drums[rows])
    for logits, target, weight in ((leads, lead, 1.0), (styles, t.style[rows], 0.3)):
        if bool((target >= 0).any()):
            total = total + weight * F.cross_entropy(logits, target, ignore_index=-1, label_smoothing=0.05)
    return total


def train(
    store: Store,
    codecs: Sequence[Codec],
    minutes: float,
    seed: int = 0,
    through: int = 600,
    batch: int = 64,
    steps: int = 1_000_000,
    start: Tagger | None = None,
) -> Tagger:
    """Train for `minutes` of CPU time or `steps`, whichever ends first; goes on from `start`."""
    torch.manual_seed(seed)
    rng, g = np.random.default_rng(seed), torch.Generator().manual_seed(seed)
    parts = [store.through(codec, through // max(1, len(codecs)), rng) for codec in codecs]
    coded = [torch.cat(p) for p in zip(*parts, strict=True)] if parts else []
    tagger = start or Tagger(store.config)
    opt = torch.optim.AdamW(tagger.parameters(), lr=2e-3, weight_decay=0.02)
    budget, begin, step, shown = 60 * minutes, time.process_time(), 0, 0.0
    tagger.train()
    while (share := max((time.process_time() - begin) / budget, step / steps)) < 1.0:
        for group in opt.param_groups:
            group["lr"] = 3e-3 * min(1.0, step / 100) * (1.0 - share)
        plain = batch * 5 // 8 if coded else batch
        rows = torch.randint(0, len(store.mels), (plain,), generator=g)
        starts = torch.randint(0, store.mels.shape[1] - CROP, (plain,), generator=g)
        mel = torch.stack([store.mels[r, s : s + CROP] for r, s in zip(rows, starts, strict=True)]).float()
        if coded:
            pick = torch.randint(0, len(coded[0]), (batch - plain,), generator=g)
            mel = torch.cat([mel, coded[0][pick].float()])
            rows, starts = torch.cat([rows, coded[1][pick]]), torch.cat([starts, coded[2][pick]])
        loss = loss_of(tagger, disturb(mel, g), store.targets, rows, starts)
        opt.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        opt.step()
        step += 1
        if share > shown + 0.1:
            shown = share
            print(f"{100 * share:.0f} %, step {step}, loss {loss.item():.3f}", flush=True)
    return tagger.eval()


def figures_of(tagger: Tagger, clips: Sequence[Audio], labels: Sequence[dict[str, Any]]) -> dict[str, float]:
    """How often the listener is right on clips whose labels are known."""
    tags, config = tagger.listen(clips), tagger.config
    targets = targets_of(labels, config, 1)
    led, styled = targets.lead >= 0, targets.style >= 0
    plays = tags.instruments > np.log(0.5)
    right = (plays & (targets.instruments > 0.5)).sum()
    count = plays.sum() + (targets.instruments > 0.5).sum()
    return {
        "lead": float((tags.leads.argmax(1) == targets.lead)[led].float().mean()),
        "style": float((tags.styles.argmax(1) == targets.style)[styled].float().mean()),
        "instruments F1": float(2 * right / count.clamp(min=1)),
        "drums": float(((tags.drums > np.log(0.5)) == (targets.drums > 0.5)).float().mean()),
    }


def main() -> None:
    """Train, measure on held-out renders, save."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--renders", type=Path, default=Path("runs/data/train"))
    parser.add_argument("--held-out", type=Path, default=Path("runs/data/held_out"))
    parser.add_argument("--bundle", action="append", help="whose codec to train through; may be repeated")
    parser.add_argument("--clips", type=int, default=2400, help="training clips kept in memory")
    parser.add_argument("--minutes", type=float, default=4.0, help="CPU time")
    parser.add_argument("--through", type=int, default=600, help="training crops through the codecs")
    parser.add_argument("--out", type=Path, default=Path("runs/tagger"))
    parser.add_argument("--resume", type=Path, help="go on from the tagger in this folder")
    parser.add_argument("--threads", type=int, default=1)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    codecs = [codec_of(open_bundle(b, "cpu")) for b in args.bundle or ["bundle"]]
    start = load_tagger(args.resume) if args.resume else None
    store = Store(args.renders, args.clips, start.config if start else None, seed=1 if start else 0)
    config = store.config
    print(f"{len(store.audio)} clips, {len(config.leads)} leads, {len(config.instruments)} instruments")
    tagger = train(store, codecs, args.minutes, through=args.through, start=start)
    held = Store(args.held_out, 120, store.config)
    told: dict[str, Any] = {"clips": len(store.audio), "minutes": args.minutes}
    with torch.inference_mode():
        for name in ("held-out renders", *(f"through codec {i}" for i in range(len(codecs)))):
            clips = [held.clip(i) for i in range(len(held.audio))]
            if name != "held-out renders":
                codec = codecs[int(name[-1])]
                clips = [codec.decode(codec.encode(c[None, None]))[0, 0] for c in clips]
            told[name] = figures_of(tagger, [c.numpy() for c in clips], held.labels)
            print(name, {k: round(v, 3) for k, v in told[name].items()}, flush=True)
    save_tagger(tagger, args.out, told)
    print(f"{args.out}: {(args.out / 'tagger.safetensors').stat().st_size / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
