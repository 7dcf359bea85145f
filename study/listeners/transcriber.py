"""A small transcriber of our own: the leading line's pitch frame by frame, and drum hits by class.

It judges whether a melody or a drum pattern that was asked for is heard. `study.listeners.train` trains it
apart from the analysis that the engines and the page use: other pieces, another SoundFont, other networks.
The line is read from a constant-Q transform by convolutions that are alike at every pitch, the hits from
log-mel frames. Audio is mono float [n] at 32 kHz; times are seconds. It must never train a model that it
judges, nor choose what a model made.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engines.requests import MELODY_HIGH, MELODY_LOW, Controls, Hit, Note
from study.listeners.tagger import HOP, MELS, RATE, disturb, log_mel
from study.measure import metrics

Audio = NDArray[np.float32]
DRUMS = ("kick", "snare", "hat")  # the classes that are judged; toms and cymbals ring into each other
PITCHES = MELODY_HIGH - MELODY_LOW + 1
PARTIALS = (-12, 0, 12, 19, 24, 28)  # semitones from a pitch at which it sounds too
LINE_RATE = RATE / metrics.HOP  # constant-Q frames a second
HIT_RATE = RATE / HOP
CROP_SECONDS = 4.0
THRESHOLD = 0.4  # of a hit's probability


class LineNet(nn.Module):
    """Constant-Q magnitudes -> which pitch leads."""

    def __init__(self, width: int = 20) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(len(PARTIALS), width, (3, 5), padding=(1, 2)), nn.ReLU(),
            nn.Conv2d(width, width, (5, 7), padding=(2, 3)), nn.ReLU(),
            nn.Conv2d(width, width, (7, 3), padding=(6, 1), dilation=(2, 1)), nn.ReLU(),
        )  # fmt: skip
        self.pitch_head = nn.Conv2d(width, 1, 1)
        self.height = nn.Parameter(torch.zeros(PITCHES))  # a lead is rarely low
        self.rest_head = nn.Linear(2 * width, 1)

    def forward(self, tones: Tensor) -> Tensor:
        """Log magnitudes [B, T, 88] -> logits of the pitches and of rest [B, T, PITCHES + 1]."""
        low = MELODY_LOW - metrics.CQT_LOW
        padded = F.pad(tones, (12, 0))
        parts = [padded[..., 12 + low + p : 12 + low + p + PITCHES] for p in PARTIALS]
        h = self.body(torch.stack(parts, 1))  # [B, P, T, PITCHES] -> [B, W, T, PITCHES]
        rest = self.rest_head(torch.cat([h.mean(3), h.amax(3)], 1).transpose(1, 2))  # [B, T, 1]
        return torch.cat([self.pitch_head(h)[:, 0] + self.height, rest], 2)


class HitNet(nn.Module):
    """Log-mel -> where drums are hit."""

    def __init__(self, width: int = 64) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv1d(2 * MELS, width, 5, padding=2), nn.ReLU(),
            nn.Conv1d(width, width, 5, padding=4, dilation=2), nn.ReLU(),
            nn.Conv1d(width, width, 5, padding=8, dilation=4), nn.ReLU(),
            nn.Conv1d(width, len(DRUMS), 3, padding=1),
        )  # fmt: skip

    def forward(self, mel: Tensor) -> Tensor:
        """Log-mel [B, T, MELS] -> logits of DRUMS [B, T, 3]."""
        rise = F.pad(mel[:, 1:] - mel[:, :-1], (0, 0, 1, 0))
        x = torch.cat([mel / 3.0, rise], 2).transpose(1, 2)  # [B, 2 M, T]
        out: Tensor = self.body(x).transpose(1, 2)
        return out


class Transcriber(nn.Module):
    """Both networks, and what they hear in audio."""

    def __init__(self) -> None:
        super().__init__()
        self.line, self.hit = LineNet(), HitNet()

    @torch.inference_mode()
    def pitches(self, audio: Audio) -> NDArray[np.int64]:
        """The likeliest leading MIDI pitch of each frame, LINE_RATE a second: [n] -> [T]."""
        logits = self.line(torch.from_numpy(tones(audio))[None])[0, :, :PITCHES]
        found: NDArray[np.int64] = MELODY_LOW + logits.argmax(1).numpy()
        return found

    @torch.inference_mode()
    def hits(self, audio: Audio, threshold: float = THRESHOLD) -> tuple[Hit, ...]:
        """Hits of kick, snare and hat in audio [n]: peaks of their probability, at least 50 ms apart."""
        sure = torch.sigmoid(self.hit(log_mel(torch.from_numpy(audio.copy())[None])))[0].numpy()  # [T, 3]
        found = []
        for k, drum in enumerate(DRUMS):
            row = np.pad(sure[:, k], 2)
            near = np.lib.stride_tricks.sliding_window_view(row, 5).max(axis=1)
            at = np.flatnonzero((sure[:, k] >= threshold) & (sure[:, k] >= near))
            last = -np.inf
            for i in at.tolist():
                if i - last >= 0.05 * HIT_RATE:
                    found.append(Hit(i / HIT_RATE, drum))
                    last = float(i)
        return tuple(sorted(found, key=lambda hit: hit.time))


def tones(audio: Audio) -> NDArray[np.float32]:
    """Log constant-Q magnitudes of audio [n] at equal loudness: [T, 88]."""
    level = max(float(np.sqrt(np.mean(audio**2))), 1e-4)
    magnitudes = metrics.cqt(np.asarray(audio / level, np.float32), RATE)
    return np.asarray(np.log1p(3.0 * magnitudes.T), np.float32)


def line_agreement(pitches: NDArray[np.int64], melody: Sequence[Note], start: float, end: float) -> float:
    """Share of the time under asked notes within [start, end) seconds in which their pitch class leads.

    pitches [T] at LINE_RATE, of audio whose clock the notes are on; NaN where no note is asked for.
    """
    times = np.arange(len(pitches)) / LINE_RATE
    right = total = 0
    for note in melody:
        inside = (times >= max(note.start, start)) & (times < min(note.end, end))
        total += int(inside.sum())
        right += int(((pitches[inside] - note.pitch) % 12 == 0).sum())
    return right / total if total else float("nan")


def hit_agreement(heard: Sequence[Hit], asked: Sequence[Hit], start: float, end: float) -> float:
    """F1 of hits of DRUMS within [start, end) seconds, class by class, 50 ms; NaN where none are asked."""

    def inside(hits: Sequence[Hit]) -> list[Hit]:
        return [hit for hit in hits if start <= hit.time < end and hit.drum in DRUMS]

    return metrics.drum_f1(inside(heard), inside(asked)) if inside(asked) else float("nan")


# ---- training


class Store:
    """Features and targets of the clips of some folders of shards, in memory."""

    def __init__(self, folders: Sequence[Path], clips: int = 100_000) -> None:
        rows: list[tuple[Tensor, Tensor, Tensor, Tensor]] = []
        seen: dict[tuple[Path, int], tuple[Tensor, Tensor, Tensor, Tensor]] = {}
        for folder in folders:
            for file in sorted(folder.glob("audio_*.npy")):
                told = file.with_name(file.name.replace("audio_", "labels_")).with_suffix(".json")
                if not told.exists():
                    continue
                audio, labels = np.load(file, mmap_mode="r"), json.loads(told.read_text())
                for i, label in enumerate(labels):
                    if len(rows) < clips:
                        if (file, i) not in seen:
                            seen[file, i] = _item(audio[i].astype(np.float32) / 32767, label)
                        rows.append(seen[file, i])
        self.rows = rows

    def batch(self, rng: np.random.Generator, size: int, of: str) -> tuple[Tensor, Tensor]:
        """Crops and their targets: tones [B, T, 88], int64 [B, T], or mel [B, T, MELS], float [B, T, 3]."""
        rate, first = (LINE_RATE, 0) if of == "line" else (HIT_RATE, 2)
        length, xs, ys = int(CROP_SECONDS * rate), [], []
        for k in rng.integers(0, len(self.rows), size):
            x, y = self.rows[int(k)][first : first + 2]
            at = int(rng.integers(0, max(1, len(x) - length + 1)))
            xs.append(x[at : at + length].float())
            ys.append(y[at : at + length])
        return torch.stack(xs), torch.stack(ys)


def _item(audio: Audio, label: dict[str, Any]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Tones fp16 [T, 88], line int64 [T], mel fp16 [T', MELS], hits float [T', 3] of a clip [n]."""
    heard = torch.from_numpy(tones(audio)).half()
    line = torch.full((len(heard),), PITCHES)
    for note in label.get("melody") or ():
        if MELODY_LOW <= note["pitch"] <= MELODY_HIGH:
            line[round(note["start"] * LINE_RATE) : round(note["end"] * LINE_RATE)] = (
                note["pitch"] - MELODY_LOW
            )
    mel = log_mel(torch.from_numpy(audio)[None])[0].half()
    hits = torch.zeros(len(mel), len(DRUMS))
    for hit in label.get("hits") or ():
        at = round(hit["time"] * HIT_RATE)
        if hit["drum"] in DRUMS and 0 <= at < len(mel):
            hits[at, DRUMS.index(hit["drum"])] = 1.0
    return heard, line, mel, hits


def train(
    store: Store, minutes: float, seed: int = 0, steps: int = 1_000_000, batch: int = 16
) -> Transcriber:
    """Train both networks for `minutes` of CPU time each, or `steps`, whichever ends first."""
    torch.manual_seed(seed)
    made, rng = Transcriber(), np.random.default_rng(seed)
    g = torch.Generator().manual_seed(seed)
    for of, net, limit in (("line", made.line, steps), ("hit", made.hit, 4 * steps)):  # hits are cheap
        opt = torch.optim.AdamW(net.parameters(), lr=2e-3, weight_decay=0.01)
        begin, step, shown = time.process_time(), 0, 0.0
        while (share := max((time.process_time() - begin) / (60 * minutes), step / limit)) < 1.0:
            for group in opt.param_groups:
                group["lr"] = 3e-3 * min(1.0, (step + 1) / 50) * (1.0 - share)
            x, y = store.batch(rng, batch, of)
            if of == "line":
                loss = F.cross_entropy(net(x).flatten(0, 1), y.flatten(), label_smoothing=0.02)
            else:
                near = torch.maximum(y, 0.4 * F.max_pool1d(y.transpose(1, 2), 3, 1, 1).transpose(1, 2))
                loss = F.binary_cross_entropy_with_logits(net(disturb(x, g)), near)
            opt.zero_grad(set_to_none=True)
            loss.backward()  # type: ignore[no-untyped-call]
            opt.step()
            step += 1
            if share > shown + 0.1:
                shown = share
                print(f"{of}: {100 * share:.0f} %, step {step}, loss {loss.item():.3f}", flush=True)
    return made.eval()


def figures_of(
    transcriber: Transcriber, clips: Sequence[Audio], controls: Sequence[Controls], seconds: float
) -> dict[str, float]:
    """How much of known lines and hits is heard in clips [n], and of those of the next clip (floor)."""
    pitches = [transcriber.pitches(clip) for clip in clips]
    hits = [transcriber.hits(clip) for clip in clips]
    out: dict[str, float] = {}
    for name, shift in (("", 0), (", shuffled", 1)):
        asked = [controls[(i + shift) % len(controls)] for i in range(len(clips))]
        lines = [line_agreement(p, c.melody or (), 0.0, seconds) for p, c in zip(pitches, asked, strict=True)]
        drums = [hit_agreement(h, c.drums or (), 0.0, seconds) for h, c in zip(hits, asked, strict=True)]
        out["line" + name], out["hits F1" + name] = float(np.nanmean(lines)), float(np.nanmean(drums))
    return out


def save(transcriber: Transcriber, folder: Path) -> None:
    """Write transcriber.safetensors."""
    folder.mkdir(parents=True, exist_ok=True)
    state = {k: v.detach().clone().contiguous() for k, v in transcriber.state_dict().items()}
    save_file(state, folder / "transcriber.safetensors")


def load(folder: Path) -> Transcriber:
    """What `save` wrote; raises SystemExit, with the remedy, when there is none."""
    file = folder / "transcriber.safetensors"
    if not file.exists():
        raise SystemExit(f"{file}: not there; train them: python -m study.listeners.train --out {folder}")
    made = Transcriber()
    made.load_state_dict(load_file(file))
    return made.eval()
