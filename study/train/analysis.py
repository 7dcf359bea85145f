"""Train what the analysis learns of our own renders: `python -m study.train.analysis`.

Three small nets, one after the other, on the CPU: beats and drums from mel bands and notes, chords from
basic-pitch's notes, the key from the chords and the melody that were heard. They are trained on the
training renders only and written to `assets/analysis`. What was heard of each clip is kept in `--cache`, so
that a second call goes on there. `study.measure.analysis_bars` measures them on held-out renders.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from engines.analysis import chords as analysis_chords
from engines.analysis import key as analysis_key
from engines.analysis import melody as analysis_melody
from engines.analysis import rhythm as analysis_rhythm
from engines.analysis.features import FRAME_SECONDS, Features, listen
from engines.audio.recording import resample
from engines.checkpoints.allocator import keep_freed_memory
from engines.music.chords import CLASSES, ROOTS, parse
from engines.progress import Stopwatch
from engines.requests import DRUMS, Chord, Note

RATE = 32_000
Label = dict[str, Any]
NONE = len(CLASSES) - 1  # the class of "no chord"


# ---- data


def heard_clips(data: Path, cache: Path, every: int) -> list[tuple[Features, Label]]:
    """Features and labels of every `every`-th clip of a rendered folder; kept shard by shard in `cache`."""
    cache.mkdir(parents=True, exist_ok=True)
    clips: list[tuple[Features, Label]] = []
    for path in sorted(data.glob("labels_*.json")):
        labels = json.loads(path.read_text())[::every]
        kept = cache / f"{path.stem}_{every}.npz"
        if not kept.exists():
            audio = np.load(
                path.with_name(path.name.replace("labels", "audio")).with_suffix(".npy"), mmap_mode="r"
            )
            features = [
                listen(np.asarray(a, np.float32) / np.float32(32767), RATE, Stopwatch(None))
                for a in audio[::every]
            ]
            names = ("notes", "onsets", "mel", "level")
            arrays = {n: np.stack([getattr(f, n) for f in features]).astype(np.float16) for n in names}
            part = kept.with_suffix(".part.npz")
            seconds_of_each = np.asarray(audio.shape[1] / RATE)
            np.savez(part, allow_pickle=False, seconds=seconds_of_each, **arrays)
            part.rename(kept)
            print(f"heard {path.stem}: {len(features)} clips", flush=True)
        with np.load(kept) as file:
            seconds = float(file["seconds"])
            columns = [file[n].astype(np.float32) for n in ("notes", "onsets", "mel", "level")]
        clips += [
            (Features(seconds, *row), label)
            for row, label in zip(zip(*columns, strict=True), labels, strict=True)
        ]
    return clips


EMPTY: Label = {"chords": [], "melody": [], "beats": [], "downbeats": [], "hits": [], "key": ""}


def no_music(count: int, speech: Path | None) -> Iterator[NDArray[np.float32]]:
    """Clips [12 s] that hold no music: silence, noise of three colours, bursts, gliding buzzes, speech.

    Speech is what a folder of recordings holds, joined; every second clip where there is one.
    """
    rng = np.random.default_rng(0)
    n = 12 * RATE
    t = np.arange(n) / RATE
    files = sorted(speech.rglob("*.wav")) if speech is not None else []
    for i in range(count):
        if files and i % 2:
            parts: list[NDArray[np.float32]] = []
            while sum(map(len, parts)) < n:
                audio, rate = soundfile.read(files[rng.integers(len(files))], dtype="float32", always_2d=True)
                parts.append(resample(audio.mean(axis=1), rate, RATE))
            yield (np.concatenate(parts)[:n] * rng.uniform(0.3, 1.5)).clip(-1, 1).astype(np.float32)
            continue
        level = 10 ** rng.uniform(-3, -0.5)
        colour = np.maximum(np.arange(n // 2 + 1), 1) ** -rng.choice([0.0, 0.5, 1.0])
        noise = np.fft.irfft(np.fft.rfft(rng.standard_normal(n)) * colour)
        noise *= level / noise.std()
        glide = 110 * 2 ** (rng.uniform(-1, 1.5) + 0.5 * np.cumsum(rng.standard_normal(n)) / RATE**0.5)
        buzz = level * np.sign(np.sin(2 * np.pi * np.cumsum(glide) / RATE))
        on = np.repeat(rng.random(48) < 0.6, n // 48)
        kind = (i // 2) % 4
        made = (noise, noise * on, np.where(on, buzz, 0.2 * noise), np.zeros(n) if i % 16 else 1e-4 * t)[kind]
        yield made.clip(-1, 1).astype(np.float32)


def chord_classes(chords: list[dict[str, Any]], steps: int) -> NDArray[np.int64]:
    """Class of each step [S]; time without a chord is NONE."""
    index = {symbol: i for i, symbol in enumerate(CLASSES)}
    out = np.full(steps, NONE)
    middle = (np.arange(steps) + 0.5) * analysis_chords.STEP_SECONDS
    for chord in chords:
        out[(middle >= chord["start"]) & (middle < chord["end"])] = index.get(
            parse(chord["symbol"]).symbol, NONE
        )
    return out


# ---- chords


class ChordNet(nn.Module):
    """Pitch classes [B, S, G, 12] -> logits [B, S, 193]; the same weights for each root."""

    def __init__(self, width: int = 56) -> None:
        super().__init__()
        self.i = nn.Conv1d(analysis_chords.GROUPS * 12, width, 3, padding=1)
        self.l = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=d, dilation=d) for d in analysis_chords.LAYERS
        )
        self.c = nn.ModuleList(nn.Linear(width, width, bias=False) for _ in analysis_chords.LAYERS)
        self.o = nn.Linear(width, 17)
        self.drop = nn.Dropout(0.15)

    def forward(self, seen: Tensor) -> Tensor:
        """Logits of CLASSES."""
        batch = len(seen)
        views = [torch.roll(seen, -root, 3).flatten(2) for root in range(12)]  # 12 x [B, S, 12 G]
        x = torch.stack(views, 1).flatten(0, 1).transpose(1, 2)  # [12 B, 12 G, S]
        h = F.gelu(self.i(x), approximate="tanh")
        for layer, common in zip(self.l, self.c, strict=True):
            roots = h.view(batch, 12, *h.shape[1:])  # [12 B, W, S] -> [B, 12, W, S]
            mean = common(roots.mean(1).transpose(1, 2)).transpose(1, 2)  # [B, W, S]
            h = h + self.drop(F.gelu(layer(h) + mean.repeat_interleave(12, 0), approximate="tanh"))
        out: Tensor = self.o(h.transpose(1, 2)).view(batch, 12, -1, 17)  # [B, 12, S, 17]
        chords = out[..., :16].transpose(1, 2).flatten(2)  # [B, S, 192]
        return torch.cat([chords, out[..., 16].mean(1)[..., None]], 2)


def train_chords(clips: list[tuple[Features, Label]], steps: int, start: Path | None = None) -> ChordNet:
    """A chord network after `steps` steps of 16 clips; it goes on from the weights in `start`, if given."""
    seen = [analysis_chords.network_input(features).astype(np.float16) for features, _ in clips]
    classes = [chord_classes(label["chords"], len(s)) for s, (_, label) in zip(seen, clips, strict=True)]
    inputs, targets = torch.from_numpy(np.stack(seen)), torch.from_numpy(np.stack(classes))
    net = ChordNet()
    _go_on(net, start)
    rng = torch.Generator().manual_seed(0)

    def loss() -> Tensor:
        pick = torch.randint(len(inputs), (16,), generator=rng)
        logits = net(inputs[pick].float())
        return F.cross_entropy(logits.flatten(0, 1), targets[pick].flatten(), label_smoothing=0.03)

    _descend(net, loss, steps, 3e-3, "chords")
    return net


# ---- beats and drums


class RhythmNet(nn.Module):
    """What is seen [B, INPUTS, F] -> logits of beat and downbeat [B, 2, F // 2], drums [B, 5, F]."""

    def __init__(self, width: int = 24) -> None:
        super().__init__()
        self.i = nn.Conv1d(analysis_rhythm.INPUTS, width, 5, padding=2)
        self.l = nn.ModuleList(
            nn.Conv1d(width, width, 3, padding=d, dilation=d) for d in analysis_rhythm.LOCAL
        )
        self.dr = nn.Conv1d(width, len(DRUMS), 1)
        self.p = nn.Conv1d(width, width, 1)
        self.t = nn.ModuleList(
            nn.Conv1d(width, width, 5, padding=2 * d, dilation=d) for d in analysis_rhythm.WIDE
        )
        self.b = nn.Conv1d(width, 2, 1)
        self.drop = nn.Dropout(0.1)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Logits of beats and of drum onsets."""
        h = F.elu(self.i(x))
        for layer in self.l:
            h = h + F.elu(layer(h))
        g = F.elu(self.p(F.max_pool1d(h, 2)))
        for layer in self.t:
            g = g + self.drop(F.elu(layer(g)))
        return self.b(g), self.dr(h)


def onset_targets(label: Label, frames: int) -> NDArray[np.float32]:
    """Beats, downbeats and drum onsets as 1 in their frame and 0.5 beside it: [7, F]."""
    out = np.zeros((2 + len(DRUMS), frames), np.float32)
    rows = [(0, t) for t in label["beats"]] + [(1, t) for t in label["downbeats"]]
    rows += [(2 + DRUMS.index(hit["drum"]), hit["time"]) for hit in label["hits"]]
    for row, time_ in rows:
        centre = round(time_ / FRAME_SECONDS)
        for frame, weight in ((centre, 1.0), (centre - 1, 0.5), (centre + 1, 0.5)):
            if 0 <= frame < frames:
                out[row, frame] = max(out[row, frame], weight)
    return out


def train_rhythm(clips: list[tuple[Features, Label]], steps: int, start: Path | None = None) -> RhythmNet:
    """A rhythm network after `steps` steps of 6 clips; it goes on from the weights in `start`, if given."""
    inputs = torch.from_numpy(np.stack([analysis_rhythm.network_input(f).T for f, _ in clips]))
    targets = torch.from_numpy(np.stack([onset_targets(label, f.frames) for f, label in clips]))
    net = RhythmNet()
    _go_on(net, start)
    rng = torch.Generator().manual_seed(0)
    rare, drums = torch.tensor([3.0, 6.0])[:, None], torch.tensor([3.0, 3.0, 3.0, 6.0, 6.0])[:, None]

    def loss() -> Tensor:
        pick = torch.randint(len(inputs), (6,), generator=rng)
        beats, hits = net(inputs[pick])
        wanted = F.max_pool1d(targets[pick, :2], 2)[..., : beats.shape[2]]
        apart = F.binary_cross_entropy_with_logits(beats, wanted, pos_weight=rare)
        return apart + 2 * F.binary_cross_entropy_with_logits(hits, targets[pick, 2:], pos_weight=drums)

    _descend(net, loss, steps, 5e-3, "rhythm")
    return net


# ---- key


class KeyNet(nn.Module):
    """What each tonic is judged by [B, 12, WIDTH] -> logits [B, 24]; the same weights for each tonic."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        self.a, self.l = nn.Linear(analysis_key.WIDTH, width), nn.Linear(analysis_key.WIDTH, 2)
        self.o = nn.Linear(width, 2)
        self.drop = nn.Dropout(0.5)

    def forward(self, seen: Tensor) -> Tensor:
        """Logits of the 24 keys, majors first."""
        scores = self.l(seen) + self.o(self.drop(F.relu(self.a(seen))))
        out: Tensor = scores.transpose(1, 2).flatten(1)  # [B, 12, 2] -> [B, 24]
        return out


def heard_harmony(clips: list[tuple[Features, Label]]) -> list[tuple[NDArray[np.float32], Label]]:
    """What the key is judged by in clips, as it is heard and as it was written: ([12, WIDTH], label) each."""
    rows = []
    for features, label in clips:
        if not label["chords"] or not label["key"]:
            continue
        beats = analysis_rhythm.rhythm(analysis_rhythm.activations(features)[0]).beats
        heard = analysis_chords.from_notes(features, beats).chords
        rows.append((analysis_key.key_input(heard, analysis_melody.melody(features).notes), label))
        written = [Chord(**c) for c in label["chords"]]
        rows.append((analysis_key.key_input(written, [Note(**n) for n in label["melody"] or ()]), label))
    return rows


def train_key(rows: list[tuple[NDArray[np.float32], Label]], steps: int) -> KeyNet:
    """A key network after `steps` steps of 128 rows."""
    wanted = [
        analysis_key.MODES.index(k.split()[1]) * 12 + ROOTS.index(k.split()[0])
        for k in (label["key"] for _, label in rows)
    ]
    inputs, targets = torch.from_numpy(np.stack([seen for seen, _ in rows])), torch.tensor(wanted)
    net = KeyNet()
    rng = torch.Generator().manual_seed(0)

    def loss() -> Tensor:
        pick = torch.randint(len(inputs), (128,), generator=rng)
        return F.cross_entropy(net(inputs[pick]), targets[pick], label_smoothing=0.05)

    _descend(net, loss, steps, 1e-2, "key")
    return net


def _go_on(net: nn.Module, start: Path | None) -> None:
    """Loads weights that were saved, if there are any."""
    if start is not None and start.is_file():
        with np.load(start) as file:
            net.load_state_dict({n: torch.from_numpy(file[n].astype(np.float32)) for n in file.files})


def _descend(net: nn.Module, loss: Any, steps: int, rate: float, name: str) -> None:
    """AdamW with one cycle of the rate; prints the mean loss now and then."""
    optimizer = torch.optim.AdamW(net.parameters(), rate / 5, weight_decay=0.05)
    cycle = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, total_steps=steps + 1)
    net.train()
    begin, sum_of_losses = time.time(), 0.0
    for step in range(1, steps + 1):
        value = loss()
        optimizer.zero_grad()
        value.backward()
        nn.utils.clip_grad_norm_(net.parameters(), 1.0)
        optimizer.step()
        cycle.step()
        sum_of_losses += value.item()
        if step % 200 == 0:
            print(
                f"{name} {step}/{steps} loss {sum_of_losses / 200:.3f} {time.time() - begin:.0f} s",
                flush=True,
            )
            sum_of_losses = 0.0
    net.eval()


def save(path: Path, state: dict[str, Tensor]) -> None:
    """Weights as float16 arrays in one .npz file."""
    path.parent.mkdir(parents=True, exist_ok=True)
    arrays = {name: value.numpy().astype(np.float16) for name, value in state.items()}
    np.savez_compressed(path, allow_pickle=False, **arrays)


def main() -> None:
    """Train the three nets."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", type=Path, default=Path("runs/data/train"))
    parser.add_argument("--cache", type=Path, default=Path("runs/analysis"))
    parser.add_argument("--every", type=int, default=5, help="hear every n-th clip only")
    parser.add_argument(
        "--set", nargs="+", choices=("chords", "rhythm", "key"), default=["chords", "rhythm", "key"]
    )
    parser.add_argument("--steps", type=int, help="steps of each net (default: its own)")
    parser.add_argument(
        "--continue", dest="resume", action="store_true", help="chords and rhythm go on from their weights"
    )
    parser.add_argument(
        "--no-music", type=int, default=160, help="clips of noise and the like that hold nothing"
    )
    parser.add_argument(
        "--speech", type=Path, help="a folder of recorded speech (.wav), half of these clips then"
    )
    parser.add_argument("--threads", type=int, default=2)
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    keep_freed_memory()
    torch.manual_seed(0)
    clips = heard_clips(args.data, args.cache, args.every)
    clips += [(listen(audio, RATE, Stopwatch(None)), EMPTY) for audio in no_music(args.no_music, args.speech)]
    if "rhythm" in args.set:
        start = analysis_rhythm.WEIGHTS if args.resume else None
        save(analysis_rhythm.WEIGHTS, train_rhythm(clips, args.steps or 1500, start).state_dict())
    if "chords" in args.set:
        start = analysis_chords.WEIGHTS if args.resume else None
        save(analysis_chords.WEIGHTS, train_chords(clips, args.steps or 4000, start).state_dict())
    if "key" in args.set:  # last: it learns from what the others hear
        net = train_key(heard_harmony(clips), args.steps or 2500)
        save(analysis_key.WEIGHTS, net.state_dict())


if __name__ == "__main__":
    main()
