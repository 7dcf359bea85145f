"""The checkpoints of a bundle: loading once, sharing, saving.

All engines of a process share one `Models` per bundle and device: every part is loaded at its first use,
once. Does not know requests' contents, the editor or training.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, TypeVar, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn

from engines.checkpoints.allocator import keep_freed_memory
from engines.checkpoints.bundle import BundleSpec, damaged, find_bundle
from engines.errors import InputError
from engines.networks.codec import Codec, load_codec, save_codec
from engines.networks.flow_net import FlowNet
from engines.networks.lm import LM
from engines.networks.text import TextEncoder
from engines.progress import Stopwatch

Part = TypeVar("Part")
Network = TypeVar("Network", bound=nn.Module)


class Models:
    """The checkpoints of one bundle on one device, each loaded once and shared by all engines."""

    def __init__(self, folder: Path, spec: BundleSpec, device: str, precision: str = "float32") -> None:
        self.folder = folder
        self.spec = spec
        self.device = torch.device(device)
        self.precision = precision  # of the FM network: "float32" or "bfloat16" (one-step AR gains nothing)
        self.loads: dict[str, int] = {}  # part -> how often it was read from disk
        self.device_lock = threading.Lock()  # held by the run that uses the device
        self._load_lock = threading.RLock()
        self._parts: dict[str, Any] = {}

    def codec(self) -> Codec:
        """The codec, audio [B, 1, N] <-> latents [B, D, T] <-> codes [B, K, T]."""
        return self._once("codec", lambda: load_codec(self.folder, self.spec.codec).to(self.device))

    def ar(self) -> LM:
        """The AR network over codes [B, K, T]."""
        return self._once("ar", lambda: self._filled("ar", LM(self.spec.lm)))

    def fm(self) -> FlowNet:
        """The FM network over latents [B, D, T]."""
        return self._once("fm", lambda: self._filled("fm", FlowNet(self.spec.flow)))

    def untaken(self, engine: str) -> tuple[str, ...]:
        """Fields of `Controls` that an engine's network does not take."""
        return self.spec.lm.untaken if engine == "ar" else self.spec.flow.untaken

    def text(self) -> TextEncoder:
        """The text encoder, prompts -> states [B, L, 384] (on the CPU)."""

        def load() -> TextEncoder:
            encoder = TextEncoder()
            encoder.load()
            return encoder

        return self._once("text", load)

    def autocast(self) -> AbstractContextManager[Any]:
        """The precision that the FM network runs in; its inputs and outputs stay float32."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.precision == "bfloat16")

    @contextmanager
    def held(self, watch: Stopwatch) -> Iterator[None]:
        """Hold the device for one run; a run that waits for it can still be cancelled."""
        while not self.device_lock.acquire(timeout=0.1):
            watch.report("queued", 0, 1)
        try:
            yield
        finally:
            self.device_lock.release()

    def _once(self, part: str, load: Callable[[], Part]) -> Part:
        with self._load_lock:
            if part not in self._parts:
                try:
                    with torch.inference_mode(False):  # parameters stay ordinary tensors
                        self._parts[part] = load()
                except InputError:
                    raise
                except (OSError, SafetensorError, ValueError, RuntimeError, KeyError, TypeError) as error:
                    raise damaged(self.folder, f"{part}.safetensors", error) from error
                self.loads[part] = self.loads.get(part, 0) + 1
            return cast(Part, self._parts[part])

    def _filled(self, part: str, network: Network) -> Network:
        weights = load_file(self.folder / f"{part}.safetensors")
        network.load_state_dict({name: w.float() for name, w in weights.items()})
        return network.eval().requires_grad_(False).to(self.device)


_open: dict[tuple[Path, str, str], Models] = {}
_open_lock = threading.Lock()


def open_bundle(name_or_path: str = "bundle", device: str = "auto", precision: str = "float32") -> Models:
    """The shared Models of a bundle, which is found as by `find_bundle`; reads no weights yet."""
    keep_freed_memory()
    found = find_bundle(name_or_path, device)
    with _open_lock:
        key = (found.folder, found.device, precision)
        if key not in _open:
            _open[key] = Models(found.folder, found.spec, found.device, precision)
        return _open[key]


def save_bundle(
    folder: Path,
    spec: BundleSpec,
    codec: Codec | None = None,
    lm: LM | None = None,
    flow: FlowNet | None = None,
) -> BundleSpec:
    """Write the given parts of a bundle, then `bundle.json`; returns the spec with their configurations.

    Parts that are None stay as they are in the folder (training writes them one by one).
    """
    folder.mkdir(parents=True, exist_ok=True)
    if codec is not None:
        spec = replace(spec, codec=save_codec(codec, folder))
    if lm is not None:
        spec = replace(spec, lm=lm.config)
        save_file(_halves(lm), folder / "ar.safetensors")
    if flow is not None:
        spec = replace(spec, flow=flow.config)
        save_file(_halves(flow), folder / "fm.safetensors")
    (folder / "bundle.json").write_text(spec.to_json(), "utf-8")
    return spec


def _halves(network: nn.Module) -> dict[str, Tensor]:
    return {k: w.detach().cpu().to(torch.float16).contiguous() for k, w in network.state_dict().items()}
