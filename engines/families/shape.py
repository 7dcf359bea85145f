"""What a family of checkpoints offers: a spec, a codec, and a flow or a token model, or both.

Engines know no more than this, so that none asks which family it is on. Latents are [B, D, T] on the codec's
frame grid, flow times run from 0 (noise) to 1 (data), codes are int64 [B, K, T]. Loads no torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from engines.requests import ARSettings, FMSettings, Guidance, SpanTask, ZeroShot
from engines.roster import ENGINE_NAMES, EngineName

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from engines.networks.lane_frames import Lanes
    from engines.networks.lm import LM
    from engines.sampling.guidance import Source

Task = Literal["generate", "inpaint", "change"]  # change: a span that becomes what words and lanes say
Network = Literal["ar", "fm"]
NETWORKS: tuple[Network, ...] = ("ar", "fm")
Velocity = Callable[["Tensor", float], "Tensor"]  # (z [B, D, T], t) -> v [R B, D, T]


class Spec(Protocol):
    """What is known of a checkpoint before its weights are read. Times are seconds, rates Hz."""

    @property
    def name(self) -> str:
        """What requests, takes and the command line call it; a folder's name."""
        ...

    @property
    def title(self) -> str:
        """For a musician."""
        ...

    @property
    def licence(self) -> str:
        """Of the weights: an SPDX identifier, or the title of its text; empty where nobody says."""
        ...

    @property
    def commercial(self) -> bool:
        """False where the licence forbids commercial use."""
        ...

    @property
    def rate(self) -> int:
        """Samples a second of what it hears and makes."""
        ...

    @property
    def channels(self) -> int:
        """1 or 2."""
        ...

    @property
    def frame_rate(self) -> float:
        """Latent frames a second."""
        ...

    @property
    def window_seconds(self) -> float:
        """Longest clip that it hears and makes at once."""
        ...

    @property
    def engines(self) -> tuple[EngineName, ...]:
        """Those that run on it."""
        ...

    @property
    def zero_shot(self) -> ZeroShot:
        """The zero-shot method that measured best."""
        ...

    @property
    def ar(self) -> ARSettings:
        """How its makers, or our measurements, have AR sample."""
        ...

    @property
    def fm(self) -> FMSettings:
        """The same of the flow: solver, steps, schedule, candidates."""
        ...

    @property
    def tasks(self) -> tuple[SpanTask, ...]:
        """What its flow makes of a span, beside making it anew."""
        ...

    @property
    def stems(self) -> tuple[str, ...]:
        """The parts that those tasks know by name."""
        ...

    @property
    def guided(self) -> bool:
        """Whether one evaluation of its flow has guidance in it."""
        ...

    def untaken(self, network: Network) -> tuple[str, ...]:
        """Fields of `Controls` that a network of it does not take."""
        ...

    def guidance(self, engine: EngineName, task: Task) -> Guidance:
        """Its default guidance of an engine for a task."""
        ...

    def zero_shot_with(self, solver: str) -> ZeroShot:
        """The method that measured best, or replacement where that cannot use the solver."""
        ...

    def parts(self, folder: Path) -> dict[str, str]:
        """What it is made of, in words: part -> kind, size and licence."""
        ...


ALL_LANES = ("chords", "melody", "drums", "instruments", "grid")


@dataclass(frozen=True)
class CheckpointSpec:
    """The spec of a public checkpoint; its defaults are those of the embedded bundle."""

    name: str = ""
    title: str = ""
    licence: str = ""
    commercial: bool = True
    rate: int = 32_000
    channels: int = 1
    frame_rate: float = 25.0
    window_seconds: float = 10.0
    engines: tuple[EngineName, ...] = ENGINE_NAMES
    zero_shot: ZeroShot = "replacement"
    ar: ARSettings = field(default_factory=ARSettings)
    fm: FMSettings = field(default_factory=FMSettings)
    lanes: Mapping[Network, tuple[str, ...]] = field(default_factory=dict)  # fields of Controls it takes
    guidances: Mapping[str, Guidance] = field(default_factory=dict)  # task -> default
    kind: str = ""  # in words, what it is made of
    guided: bool = False  # whether one evaluation of its flow has guidance in it
    tasks: tuple[SpanTask, ...] = ()  # of its flow, beside making a span anew
    stems: tuple[str, ...] = ()  # parts that those know

    def untaken(self, network: Network) -> tuple[str, ...]:
        """Fields of `Controls` that a network of it does not take."""
        return tuple(name for name in ALL_LANES if name not in self.lanes.get(network, ()))

    def guidance(self, engine: EngineName, task: Task) -> Guidance:
        """Its default guidance for a task, of any engine."""
        return self.guidances.get(task, Guidance(1.0, 0.0))

    def zero_shot_with(self, solver: str) -> ZeroShot:
        """The method that measured best, or replacement where that cannot use the solver."""
        return self.zero_shot if solver in ("euler", "ab2") else "replacement"

    def parts(self, folder: Path) -> dict[str, str]:
        """What it is made of, in words: part -> kind, size and licence."""
        return {"model": ", ".join(filter(None, (self.kind, self.licence)))}


class Autoencoder(Protocol):
    """Audio [B, C, N] at `rate` Hz <-> latents [B, D, T], normalised; T = ceil(N / hop)."""

    @property
    def rate(self) -> int:
        """Samples a second."""
        ...

    @property
    def channels(self) -> int:
        """C."""
        ...

    @property
    def hop(self) -> int:
        """Samples per latent frame."""
        ...

    @property
    def frame_rate(self) -> float:
        """Latent frames a second."""
        ...

    @property
    def dim(self) -> int:
        """D."""
        ...

    @property
    def reach(self) -> int | None:
        """Frames on either side that have a say in a frame, or in its samples; None: all of them."""
        ...

    def encode(self, audio: Tensor) -> Tensor:
        """[B, C, N] -> [B, D, T]."""
        ...

    def decode(self, z: Tensor) -> Tensor:
        """[B, D, T] -> [B, C, T * hop]."""
        ...


class Tokenizer(Autoencoder, Protocol):
    """An autoencoder whose latents are sums of codebook vectors."""

    @property
    def codebooks(self) -> int:
        """K."""
        ...

    @property
    def codebook_size(self) -> int:
        """V."""
        ...

    def quantize(self, z: Tensor) -> Tensor:
        """[B, D, T] -> codes [B, K, T]."""
        ...

    def dequantize(self, codes: Tensor) -> Tensor:
        """Codes [B, K, T] -> [B, D, T]."""
        ...


class Words(Protocol):
    """What a network reads of a prompt."""

    def encode(self, prompts: Sequence[str]) -> Any:
        """States of prompts, with `.to(device)`, as the family's own networks take them."""
        ...


class Flow(Protocol):
    """A velocity field over latents, given words, lanes and what is known."""

    # Whether known frames are the clean source wherever the field is evaluated (Alg. 2); else they are as
    # noisy as all others, and the field is told of them beside.
    clamped: bool

    def velocity(
        self,
        seen: Sequence[Source],
        words: Any | None,
        lanes: Lanes,
        known: Tensor,
        source: Tensor,
        batch: int,
    ) -> Velocity:
        """The field of `batch` latents for each row of a guided batch, all that does not change prepared.

        `words` are states of one prompt or None, lanes [1, T], known bool [T] (all False: generation and
        zero-shot), source [1, D, T] with what is known. Row after row: (z [B, D, T], t) -> v [R B, D, T].
        """
        ...


class PartFlow(Flow, Protocol):
    """A flow that also hears a whole span and makes one part of it: to be added, or as it is there."""

    def of_part(self, task: SpanTask, part: str) -> Flow:
        """The flow of latents [1, D, T] of that part; its `source` is then known in the span too."""
        ...


class Family(Protocol):
    """The module of one family. `spec_of` loads no torch, all else may."""

    def spec_of(self, folder: Path) -> Spec | None:
        """The spec of a checkpoint in a folder or file; None where it is none of this family.

        Raises InputError where it is one that cannot be used.
        """
        ...

    def load_codec(self, folder: Path, spec: Spec, device: torch.device) -> Autoencoder:
        """The autoencoder; of a token model a `Tokenizer`."""
        ...

    def load_words(self, folder: Path, spec: Spec, device: torch.device) -> Words:
        """The text encoder."""
        ...

    def load_flow(self, folder: Path, spec: Spec, device: torch.device) -> Flow:
        """The flow, where an engine of the FM network runs on it."""
        ...

    def load_tokens(self, folder: Path, spec: Spec, device: torch.device) -> LM:
        """The token model, where AR runs on it."""
        ...
