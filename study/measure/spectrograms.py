"""Real, codec, AR and FM side by side, as spectrograms: `python -m study.measure.spectrograms`.

Six held-out clips, the first of the set, a row each; AR and FM are given the clip's own words and
lanes. Mel axis up to 16 kHz, 70 dB below each row's loudest. Writes a PNG of at most 900 kB.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

import librosa
import matplotlib
import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image

from engines.checkpoints.shelf import open_bundle
from engines.requests import FMSettings
from engines.roster import EngineName
from study.measure.conditions import RATE, SECONDS, labelled
from study.measure.outputs import Outputs
from study.measure.parts import Settings, generation_requests

matplotlib.use("Agg")
import matplotlib.pyplot as plt

COLUMNS = ("real", "codec, continuous", "codec, RVQ", "AR", "FM")
RANGE_DB = 70.0
MAX_BYTES = 900_000
TICKS = (100, 500, 1000, 2000, 4000, 8000, 16000)  # Hz


def mel_decibels(audio: NDArray[np.float32]) -> NDArray[np.float32]:
    """Mel power in dB: [n] -> [128, frames], 20 ms apart."""
    mel = librosa.feature.melspectrogram(
        y=audio, sr=RATE, n_fft=2048, hop_length=640, n_mels=128, fmax=16_000
    )
    return np.asarray(10 * np.log10(np.maximum(mel, 1e-10)), np.float32)


def draw(rows: list[list[NDArray[np.float32]]], names: list[str], dpi: float) -> bytes:
    """PNG of clips [rows][columns][n] at so many dots an inch, in 128 colours."""
    figure, axes = plt.subplots(
        len(rows), len(COLUMNS), figsize=(14, 1.75 * len(rows) + 0.6), sharex=True, sharey=True, squeeze=False
    )
    edges = librosa.mel_frequencies(128, fmax=16_000)
    for line, clips, name in zip(axes, rows, names, strict=True):
        images = [mel_decibels(clip) for clip in clips]
        top = max(float(image.max()) for image in images)
        for axis, image in zip(line, images, strict=True):
            axis.imshow(
                image, origin="lower", aspect="auto", cmap="magma", vmin=top - RANGE_DB, vmax=top,
                extent=(0, SECONDS, 0, 128), interpolation="nearest",
            )  # fmt: skip
        line[0].set_ylabel(name, fontsize=7)
        line[0].set_yticks([float(np.searchsorted(edges, t)) for t in TICKS])
        line[0].set_yticklabels([f"{t / 1000:g}k" if t >= 1000 else str(t) for t in TICKS], fontsize=6)
    for axis, title in zip(axes[0], COLUMNS, strict=True):
        axis.set_title(title, fontsize=9)
    for axis in axes[-1]:
        axis.set_xlabel("s", fontsize=7)
        axis.tick_params(labelsize=6)
    figure.tight_layout(pad=0.4)
    raw = io.BytesIO()
    figure.savefig(raw, dpi=dpi, format="png")
    plt.close(figure)
    small = io.BytesIO()
    Image.open(raw).convert("RGB").quantize(128).save(small, "PNG", optimize=True)
    return small.getvalue()


def main() -> None:
    """Make what is missing, draw, write."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--bundle", default="bundle")
    parser.add_argument("--held-out", type=Path, default=Path("runs/data/held_out"))
    parser.add_argument("--work", type=Path, default=Path("runs/evaluate"))
    parser.add_argument("--clips", type=int, default=6)
    parser.add_argument("--steps", type=int, default=FMSettings.steps)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--device", default="auto")
    parser.add_argument("--out", type=Path, default=Path("study/curves/spectrograms.png"))
    args = parser.parse_args()
    torch.set_num_threads(args.threads)
    models = open_bundle(args.bundle, args.device)
    outputs, clips = Outputs(models, args.work), labelled(args.held_out, args.clips)
    settings = Settings(fm=FMSettings(steps=args.steps, zero_shot=models.spec.zero_shot))
    real = [clip.audio for clip in clips]
    sets = [real, *(outputs.through_codec(real, quantize) for quantize in (False, True))]
    engines: tuple[EngineName, ...] = ("ar", "fm")
    for engine in engines:
        sets.append(outputs.make(generation_requests(clips, engine, settings), engine))
    rows = [list(row) for row in zip(*sets, strict=True)]
    names = [f"{clip.label['style']}, {clip.lead or 'no lead'}\nHz" for clip in clips]
    dpi = 110.0
    while len(png := draw(rows, names, dpi)) > MAX_BYTES:
        dpi *= 0.9
    args.out.parent.mkdir(parents=True, exist_ok=True)
    args.out.write_bytes(png)
    print(f"{args.out}: {len(png) / 1e3:.0f} kB, {len(clips)} clips")


if __name__ == "__main__":
    main()
