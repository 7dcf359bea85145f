"""Train the network that hears who plays when: `python -m study.train.instruments`.

It learns from training renders only, part of them decoded from the bundle's latents and codes (which
`study.data.dataset` wrote beside the renders), since it hears again what the models made; from noise and
made-up speech it learns to say nothing. It speaks on cards and in the analysis; it must never judge where
`study.listeners.train` does. Time is wall time; the weights are saved every few minutes. `--measure` trains
nothing.
"""

from __future__ import annotations

import argparse
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor, nn

from engines.analysis import instruments as listener
from engines.analysis import network as analysis_network
from engines.analysis.instruments import POOLED, WEIGHTS
from engines.checkpoints.shelf import open_bundle
from engines.families.inlay import codec_of
from engines.music.instruments import DRUMS_ROW, FAMILIES, INSTRUMENTS, ROWS
from engines.networks.codec import Codec
from study.train.instrument_clips import RATE, Store, clips_of, coded_clip, plain_clip, targets_of
from study.train.instrument_net import Network, restored, save

GROUPS = {
    "instruments": range(len(INSTRUMENTS)),
    "families": range(len(INSTRUMENTS), len(ROWS) - 1),
    "drums": range(len(ROWS) - 1, len(ROWS)),
}


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


def calibration(network: Network, mel: Tensor, goal: Tensor) -> tuple[Tensor, Tensor]:
    """Scale and shift [ROWS] of the logits, one for each group, so that likelihoods mean what they say."""
    with torch.inference_mode():
        logits = torch.cat([network(part) for part in torch.split(mel, 8)]).flatten(0, 1)
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
    report: dict[str, dict[str, float]] = {}
    other = np.roll(goal, 7, axis=0)
    for group, rows in GROUPS.items():
        p, y, z = (x[:, :, list(rows)] for x in (sure, goal, other))
        said = p >= 0.5
        f1 = 2 * (said & y).sum() / max(said.sum() + y.sum(), 1)
        met = [i for i in range(y.shape[2]) if y[:, :, i].any()]
        report[group] = {
            "F1": float(f1), "F1 of another clip": float(2 * (said & z).sum() / max(said.sum() + z.sum(), 1)),
            "AP": float(np.mean([average_precision(p[:, :, i].ravel(), y[:, :, i].ravel()) for i in met])),
            "AP by chance": float(np.mean([y[:, :, i].mean() for i in met])),
        }  # fmt: skip
        for low in (0.6, 0.8):
            inside = (p >= low - 0.1) & (p < low + 0.1)
            report[group][f"right at {100 * low:.0f} %"] = (
                float(y[inside].mean()) if inside.any() else float("nan")
            )
    return report


def measure(folder: Path, clips: int, codec: Codec) -> dict[str, dict[str, dict[str, float]]]:
    """Figures on a folder's renders: as they are, through the codec, quantized, and 2 s pieces."""
    places = clips_of(folder)
    places = places[:: max(1, len(places) // clips)][:clips]
    steps = 750 // POOLED
    goal = np.stack([targets_of(place[2], steps) for place in places])
    report: dict[str, dict[str, dict[str, float]]] = {}
    for way in ("plain", "codec", "quantized", "2 s, quantized"):
        sure = []
        for place in places:
            sound = plain_clip(place) if way == "plain" else coded_clip(place, codec, way != "codec")
            if way.startswith("2 s"):
                pieces = np.array_split(sound[: steps * POOLED * listener.HOP], 5)
                heard = [listener.heard(piece, RATE)[1] for piece in pieces]
                sure.append(np.concatenate(heard)[:steps])
                sure[-1] = np.pad(sure[-1], ((0, steps - len(sure[-1])), (0, 0)))
            else:
                sure.append(listener.heard(sound, RATE)[1][:steps])
        report[way] = figures(np.stack(sure), goal)
        for group, each in report[way].items():
            print(folder.name, way, group, {k: round(v, 3) for k, v in each.items()}, flush=True)
    return report


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
    codec = codec_of(open_bundle("bundle", "cpu"))
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
