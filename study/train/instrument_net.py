"""The network that hears who plays when, as it is trained, and its weights on disk.

`engines.analysis.instruments.activity` computes the same with NumPy. Does not know clips.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from engines.analysis.instruments import MELS, STRIDES, WEIGHTS
from engines.music.instruments import ROWS


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

    @property
    def layers(self) -> list[tuple[nn.Conv2d, nn.BatchNorm2d]]:
        """Convolutions with their norms, first to last."""
        pairs: list[tuple[nn.Conv2d, nn.BatchNorm2d]] = []
        for layer in self.body:
            assert isinstance(layer, nn.Sequential)
            conv, norm = layer
            assert isinstance(conv, nn.Conv2d) and isinstance(norm, nn.BatchNorm2d)
            pairs.append((conv, norm))
        return pairs

    @property
    def plain(self) -> list[tuple[str, nn.Linear | nn.Conv1d]]:
        """The layers without a norm, by the names that their arrays have."""
        steps: list[tuple[str, nn.Linear | nn.Conv1d]] = [("join", self.join)]
        for i, layer in enumerate(self.time):
            assert isinstance(layer, nn.Conv1d)
            steps.append((f"time{i}", layer))
        return [*steps, ("head", self.head)]


def save(
    network: Network, scale: Tensor | None = None, shift: Tensor | None = None, path: Path = WEIGHTS
) -> None:
    """Write the weights [O, I, ...] in fp16, norms folded into convolutions, with the logits' calibration."""
    arrays: dict[str, Tensor] = {}
    for i, (conv, norm) in enumerate(network.layers):
        assert norm.running_mean is not None and norm.running_var is not None
        gain = norm.weight / torch.sqrt(norm.running_var + norm.eps)
        arrays[f"body{i}.weight"] = conv.weight * gain[:, None, None, None]
        arrays[f"body{i}.bias"] = norm.bias - norm.running_mean * gain
    for name, part in network.plain:
        assert part.bias is not None
        arrays[f"{name}.weight"], arrays[f"{name}.bias"] = part.weight, part.bias
    arrays["scale"] = torch.ones(len(ROWS)) if scale is None else scale
    arrays["shift"] = torch.zeros(len(ROWS)) if shift is None else shift
    part_path = path.with_suffix(".part.npz")
    np.savez(part_path, allow_pickle=False, **{k: v.detach().half().numpy() for k, v in arrays.items()})
    part_path.rename(path)


def restored(mel: Tensor) -> Network:
    """A network with the weights that are saved; its norms are set anew to what mels [B, F, MELS] bring."""
    network = Network()
    with np.load(WEIGHTS) as file:
        w = {name: torch.from_numpy(file[name].astype(np.float32)) for name in file.files}
    with torch.no_grad():
        x = mel[:, None] / 3.0  # [B, 1, F, M]
        for i, (conv, norm) in enumerate(network.layers):
            assert norm.running_mean is not None and norm.running_var is not None
            conv.weight.copy_(w[f"body{i}.weight"])
            out = conv(x)
            norm.running_mean.copy_(out.mean(dim=(0, 2, 3)))
            norm.running_var.copy_(out.var(dim=(0, 2, 3)))
            norm.weight.copy_((norm.running_var + norm.eps).sqrt())
            norm.bias.copy_(w[f"body{i}.bias"] + norm.running_mean)
            x = F.relu(norm.eval()(out))
        for name, part in network.plain:
            assert part.bias is not None
            part.weight.copy_(w[f"{name}.weight"])
            part.bias.copy_(w[f"{name}.bias"])
    return network.eval()
