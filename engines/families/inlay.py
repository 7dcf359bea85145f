"""Inlay's own bundles: EnCodec's shape, an AR and an FM network over it, MiniLM for the words."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar, cast

from engines.checkpoints.bundle import BundleSpec, read_spec
from engines.errors import InputError
from engines.families.shape import Autoencoder, Flow, Spec, Velocity, Words

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from engines.checkpoints.shelf import Models
    from engines.networks.codec import Codec
    from engines.networks.flow_net import FlowNet
    from engines.networks.lane_frames import Lanes
    from engines.networks.lm import LM
    from engines.networks.text import TextStates
    from engines.sampling.guidance import Source

    Network = TypeVar("Network", bound=nn.Module)


def spec_of(folder: Path) -> BundleSpec | None:
    """The spec in a bundle's folder; None where none of its files lies. InputError where it is damaged."""
    if not any(folder.glob("bundle.json")) and not any(folder.glob("fm.safetensors")):
        return None
    return read_spec(folder)


def load_codec(folder: Path, spec: Spec, device: torch.device) -> Autoencoder:
    """The codec, audio [B, 1, N] <-> latents [B, D, T] <-> codes [B, K, T]."""
    from engines.networks.codec import load_codec as load

    return load(folder, _own(spec).codec).to(device)


def load_words(folder: Path, spec: Spec, device: torch.device) -> Words:
    """MiniLM, prompts -> states [B, L, 384] (on the CPU); the one that `Models.text` has is used instead."""
    from engines.networks.text import TextEncoder

    return TextEncoder()


def load_tokens(folder: Path, spec: Spec, device: torch.device) -> LM:
    """The AR network over codes [B, K, T]."""
    from engines.networks.lm import LM

    return _filled(folder, "ar", LM(_own(spec).lm), device)


def load_flow(folder: Path, spec: Spec, device: torch.device) -> Flow:
    """The FM network over latents [B, D, T]."""
    from engines.networks.flow_net import FlowNet

    return OwnFlow(_filled(folder, "fm", FlowNet(_own(spec).flow), device))


class OwnFlow:
    """The FM network as engines ask it: known frames are clean, a channel says which they are (Alg. 2)."""

    clamped = True

    def __init__(self, net: FlowNet) -> None:
        self.net = net

    def velocity(
        self,
        seen: Sequence[Source],
        words: TextStates | None,
        lanes: Lanes,
        known: Tensor,
        source: Tensor,
        batch: int,
    ) -> Velocity:
        """(z [B, D, T], t) -> v [R B, D, T]; see `families.shape.Flow`."""
        import torch

        from engines.sampling.guidance import seen_by

        given = torch.tensor([row.text for row in seen], device=known.device)
        given = given.repeat_interleave(batch)  # [R] -> [R B]
        text = words.repeat(len(given)) if words is not None else None
        memory = self.net.remember(text, given, len(given))
        rows = seen_by(seen, lanes, batch)  # [R B, T]
        weighed = None
        if any(row.guided for row in seen):
            weighed = weighed_by(seen, batch, known.device)  # [R B, WEIGHED]

        def velocity(z: Tensor, t: float) -> Tensor:
            tau = torch.full((len(given),), t, device=z.device)
            masks = known.expand(len(given), -1)  # [T] -> [R B, T]
            v: Tensor = self.net(
                z.repeat(len(seen), 1, 1), tau, masks, rows, memory=memory, weighed=weighed
            )  # [R B, D, T]
            return v

        return velocity


def weighed_by(rows: Sequence[Source], batch: int, device: torch.device) -> Tensor:
    """The guidance of each row as the guided network takes it, `batch` times over: [R B, WEIGHED]."""
    import torch

    from engines.networks.flow_net import weighing
    from engines.requests import CHANGES
    from engines.sampling.guidance import Guided

    alone = Guided(1.0, 1.0)
    each = [row.guided or alone for row in rows for _ in range(batch)]
    everything, wish = ([getattr(one, name) for one in each] for name in ("everything", "wish"))
    changed = [[name in one.changed for name in CHANGES] for one in each]
    return weighing(*(torch.tensor(x, device=device) for x in (everything, wish, changed)))


def codec_of(models: Models) -> Codec:
    """The codec of a bundle, for what needs more of it than engines do. InputError for another family's."""
    from engines.networks.codec import Codec

    codec = models.codec()
    if not isinstance(codec, Codec):
        raise InputError(f"{models.spec.name!r}: a bundle of Inlay's own is needed; choose one")
    return codec


def network_of(models: Models) -> FlowNet:
    """The FM network of a bundle. InputError for another family's flow."""
    flow = models.fm()
    if not isinstance(flow, OwnFlow):
        raise InputError(f"{models.spec.name!r}: a bundle of Inlay's own is needed; choose one")
    return flow.net


def spec_within(models: Models) -> BundleSpec:
    """The spec of a bundle. InputError for another family's."""
    if not isinstance(models.spec, BundleSpec):
        raise InputError(f"{models.spec.name!r}: a bundle of Inlay's own is needed; choose one")
    return models.spec


def _own(spec: Spec) -> BundleSpec:
    return cast(BundleSpec, spec)


def _filled(folder: Path, part: str, network: Network, device: torch.device) -> Network:
    from safetensors.torch import load_file

    weights = load_file(folder / f"{part}.safetensors")
    network.load_state_dict({name: w.float() for name, w in weights.items()})
    return network.eval().requires_grad_(False).to(device)
