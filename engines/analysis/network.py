"""The small networks of the analysis, computed with NumPy: their weights and their convolution.

They are trained by `study.train.analysis` and lie in `assets/analysis`. Loads no torch.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from engines.assets import ASSETS
from engines.errors import InputError

Array = NDArray[np.float32]
FOLDER = ASSETS / "analysis"


@cache
def weights(path: Path, without: str) -> dict[str, Array]:
    """The arrays of an .npz file, such as [O, I, K]; InputError says what fails where it is missing."""
    if not path.is_file():
        raise InputError(f"{path}: missing, so {without}; restore the folder assets/analysis")
    with np.load(path) as file:
        return {name: file[name].astype(np.float32) for name in file.files}


def conv(x: Array, weight: Array, bias: Array, dilation: int) -> Array:
    """Convolution over time that keeps the length: [T, ..., I], weight [O, I, K] -> [T, ..., O]."""
    width = weight.shape[2]
    reach = dilation * (width // 2)
    padded = np.pad(x, ((reach, reach), *[(0, 0)] * (x.ndim - 1)))
    out = np.broadcast_to(bias, (*x.shape[:-1], len(bias))).astype(np.float32)
    for k in range(width):
        out = out + padded[k * dilation : k * dilation + len(x)] @ weight[:, :, k].T
    return out


def conv2d(x: Array, weight: Array, bias: Array, stride: tuple[int, int]) -> Array:
    """Convolution over time and bands, padded by half the kernel: [T, M, I], [O, I, K, L] -> [T', M', O]."""
    out, _, tall, wide = weight.shape
    padded = np.pad(x, ((tall // 2, tall // 2), (wide // 2, wide // 2), (0, 0)))
    view = np.lib.stride_tricks.sliding_window_view(padded, (tall, wide), axis=(0, 1))  # [T, M, I, K, L]
    view = view[:: stride[0], :: stride[1]]
    flat = view.reshape(view.shape[0] * view.shape[1], -1)
    made = flat @ weight.reshape(out, -1).T + bias
    return np.asarray(made.reshape(*view.shape[:2], out), np.float32)
