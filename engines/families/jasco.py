"""JASCO (Tal et al. 2024): a flow over EnCodec's latents from words, chords, drums and melody.

Its lanes are Inlay's, but for drums: it was trained on the sound of separated drums, of which it hears the
first codebook, blurred over three frames. Hits are made into such sound by short strokes (`drum_sound`), so
it hears when and which drum, and nothing of how one was played. It was never trained to fill spans: where
frames are known they are held on the path between noise and what is there, as the zero-shot engine does.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from engines.errors import InputError
from engines.families import audiocraft
from engines.families.jasco_chords import numbers
from engines.families.shape import Autoencoder, CheckpointSpec, Flow, Spec, Velocity, Words
from engines.families.weights import beneath, fill, short_of
from engines.requests import Guidance

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from engines.networks.codec import Codec
    from engines.networks.jasco import JascoConfig, JascoNet
    from engines.networks.lane_frames import Lanes
    from engines.networks.lm import LM
    from engines.networks.text import TextStates
    from engines.sampling.guidance import Source

LICENCE = "CC-BY-NC-4.0"
RATE, FRAME_RATE, WINDOW_SECONDS = 32_000, 50.0, 10.0
MEAN, STD = -0.0074, 4.0102  # of EnCodec's latents, where the configuration does not say
BLUR = 3  # frames over which the drums are blurred
HEAD = 64  # width of a head
PART = "condition_provider.conditioners."
CODEC = PART + "self_wav.compression_model.model."
_SIZES = {1024: " 400M", 1536: " 1B"}  # width -> parameters, as its makers call it
_RENAMED = (
    ("emb", "emb"), ("out_norm", "out_norm"), ("linear", "linear"), ("time.0", "temb.dense.0"),
    ("time.1", "temb.dense.1"), ("time_proj", "temb_proj"), ("text_proj", PART + "description.output_proj"),
    ("chords", PART + "chords.emb"), ("drums", PART + "self_wav.output_proj"),
    ("melody", PART + "melody.output_proj"),
)  # fmt: skip


def spec_of(folder: Path) -> CheckpointSpec | None:
    """The spec of a JASCO in audiocraft's format; None where none lies there.

    Raises InputError where it lacks a part.
    """
    package = audiocraft.package_in(folder)
    if package is None or "temb_proj.weight" not in package.shapes:
        return None
    lacks = [f"{theirs}.weight" for _, theirs in _RENAMED if f"{theirs}.weight" not in package.shapes]
    if lacks or not any(name.startswith(CODEC) for name in package.shapes):
        raise short_of(folder, lacks[0] if lacks else CODEC)
    dim = package.shapes["emb.weight"][0]
    return CheckpointSpec(
        name=folder.name,
        title=f"JASCO{_SIZES.get(dim, '')}",
        licence=LICENCE,
        commercial=False,
        rate=RATE,
        channels=1,
        frame_rate=FRAME_RATE,
        window_seconds=package.number("segment_duration", WINDOW_SECONDS),
        engines=("fm", "fm-zero-shot"),
        lanes={"fm": ("chords", "melody", "drums")},
        guidances={
            "generate": Guidance(1.25, 2.5), "inpaint": Guidance(1.5, 0.0), "change": Guidance(3.0, 1.0),
        },
        kind=f"flow of {package.layers} blocks of width {dim}, EnCodec, {FRAME_RATE:g} Hz, T5",
    )  # fmt: skip


def load_codec(folder: Path, spec: Spec, device: torch.device) -> Autoencoder:
    """EnCodec, audio [B, 1, N] <-> latents [B, D, T], normalised as the flow has them."""
    return _codec(folder, audiocraft.weights_in(folder / audiocraft.STATE), spec).to(device)


def load_words(folder: Path, spec: Spec, device: torch.device) -> Words:
    """T5's encoder, prompts -> states [B, L, D] (on the CPU)."""
    from engines.families import t5

    return t5.beside(folder, _package(folder).t5)


def load_flow(folder: Path, spec: Spec, device: torch.device) -> Flow:
    """The network over latents [B, D, T], with a codec that hears the drums."""
    import torch

    from engines.networks.jasco import JascoNet

    state = audiocraft.weights_in(folder / audiocraft.STATE)
    with torch.device("meta"):
        net = JascoNet(_shape(_package(folder)))
    try:
        named = _named(state, net.config)
    except KeyError as error:
        raise short_of(folder, str(error)) from error
    fill(net, {name: weight.float() for name, weight in named.items()}, folder.name)
    return JascoFlow(net.to(device), _codec(folder, state, spec).to(device))


def load_tokens(folder: Path, spec: Spec, device: torch.device) -> LM:
    """InputError: it has no token model over codes [B, K, T]."""
    raise InputError(f"{spec.title}: AR needs a token model, which it has not; choose FM, or another model")


class JascoFlow:
    """The network as engines ask it. Known frames lie on the path from fixed noise to what is there."""

    clamped = False

    def __init__(self, net: JascoNet, codec: Codec) -> None:
        self.net, self.codec = net, codec

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

        rows, device = len(seen), known.device
        streams = self._streams(seen, lanes).repeat_interleave(batch, dim=0)  # [R B, T, C]
        read = torch.zeros(rows, 1, self.net.config.dim, device=device)
        if words is not None:
            given = torch.tensor([row.text for row in seen], device=device)
            read = self.net.read(words.tokens.expand(rows, -1, -1), words.mask & given[:, None])
        read = read.repeat_interleave(batch, dim=0)  # [R B, L, dim]
        noise = torch.randn(source.shape, generator=torch.Generator().manual_seed(0)).to(device)
        holds = bool(known.any())

        def velocity(z: Tensor, t: float) -> Tensor:
            if holds:
                z = torch.where(known, (1.0 - t) * noise + t * source, z)
            v: Tensor = self.net(z.repeat(rows, 1, 1), t, streams, read)
            return v

        return velocity

    def _streams(self, seen: Sequence[Source], lanes: Lanes) -> Tensor:
        """What stands beside the latents in each row, lanes [1, T] -> [R, T, C]."""
        import torch
        import torch.nn.functional as F

        from engines.networks.jasco import MELODY
        from engines.sampling.guidance import seen_by

        rows = seen_by(seen, lanes, 1)  # [R, T]
        pitches = F.one_hot(rows.melody.clamp(max=MELODY), MELODY + 1)[..., :MELODY].float()  # [R, T, 53]
        drums = torch.zeros(len(seen), self.codec.dim, lanes.frames, device=pitches.device)
        if lanes.drums_given.any():  # then a row without drums hears silence, as in training; else zeros
            sound = torch.zeros(1, 1, lanes.frames * self.codec.hop, device=pitches.device)
            silence, played = (self.heard(x) for x in (sound, drum_sound(lanes.drums[0], self.codec)[None]))
            given = rows.drums_given[:, None]  # [R, 1, T]
            drums = torch.where(given, played, silence)
        chords = torch.tensor(numbers(), device=pitches.device)[rows.chords]
        return self.net.streams(chords, drums, pitches)

    def heard(self, audio: Tensor) -> Tensor:
        """Drums as the network has learned to hear them: audio [1, 1, N] -> latents [1, D, T]."""
        import torch
        import torch.nn.functional as F

        model = self.codec.model  # beside the normalised latents: near ties, their rounding changes a code
        book = model.quantizer.layers[0].codebook
        z: Tensor = book.embed[book.quantize(model.encoder(audio)[0].t())].t()[None]  # [1, D, T]
        frames = z.shape[2]
        rest = -frames % BLUR
        if rest:  # the mirror image of what is there fills the last group
            z = F.pad(z, (0, rest), "reflect" if frames > rest else "replicate")
        groups = z.reshape(1, z.shape[1], -1, BLUR).mean(dim=3)  # [1, D, T / 3]
        return torch.repeat_interleave(groups, BLUR, dim=2)[..., :frames]


def drum_sound(hits: Tensor, codec: Codec) -> Tensor:
    """Short strokes where hits are, one of a sound for each drum: [T, 5] -> audio [1, T * hop].

    Kick and tom are falling tones, snare, hat and cymbal noise that fades, bright for the last two.
    """
    import torch

    rate, hop = codec.rate, codec.hop
    out = torch.zeros(len(hits) * hop + rate)
    t = torch.arange(rate // 2) / rate  # half a second
    noise = torch.randn(len(t), generator=torch.Generator().manual_seed(0)) * 0.3
    bright = torch.diff(noise, prepend=noise[:1])

    def tone(hertz: float, fades: float) -> Tensor:
        return torch.sin(2 * torch.pi * hertz * (t + 0.02 * (1 - torch.exp(-30 * t)))) * torch.exp(-fades * t)

    strokes = (
        0.8 * tone(55.0, 12.0),
        0.5 * noise * torch.exp(-18 * t) + 0.3 * tone(190.0, 25.0),
        0.5 * bright * torch.exp(-50 * t),
        0.6 * tone(110.0, 9.0),
        0.6 * bright * torch.exp(-6 * t),
    )
    for frame, drum in hits.cpu().nonzero().tolist():
        out[frame * hop : frame * hop + len(t)] += strokes[drum]
    return out[None, : len(hits) * hop].to(hits.device)


def _package(folder: Path) -> audiocraft.Package:
    package = audiocraft.package_in(folder)
    if package is None:
        raise InputError(f"{folder.name[:64]!r}: {audiocraft.STATE} is missing; get it again")
    return package


def _shape(package: audiocraft.Package) -> JascoConfig:
    from engines.networks.jasco import JascoConfig

    shapes = package.shapes
    dim = shapes["emb.weight"][0]
    return JascoConfig(
        channels=shapes["linear.weight"][0],
        chords=shapes[PART + "chords.emb.weight"][1],
        drums=shapes[PART + "self_wav.output_proj.weight"][0],
        melody=shapes[PART + "melody.output_proj.weight"][0],
        dim=dim,
        layers=package.layers,
        heads=int(package.number("num_heads", dim // HEAD)),
        ff=shapes["transformer.layers.0.linear1.weight"][0],
        text_dim=shapes[audiocraft.TEXT + "weight"][1],
        skips=sum(name.startswith("transformer.skip_projections.") for name in shapes) // 2,
        time=shapes["temb_proj.weight"][1],
    )


def _codec(folder: Path, state: dict[str, Tensor], spec: Spec) -> Codec:
    from engines.families.encodec import codec_of

    package = _package(folder)
    mean, std = (
        package.number(f"compression_model_latent_{name}", usual)
        for name, usual in (("mean", MEAN), ("std", STD))
    )
    return codec_of(beneath(state, CODEC), folder.name, rate=spec.rate, mean=mean, std=std)


def _named(state: dict[str, Tensor], config: JascoConfig) -> dict[str, Tensor]:
    """Weights [*] under the names of `JascoNet`; KeyError for one that is missing."""
    out: dict[str, Tensor] = {}
    skips = [(f"skip_proj.{i}", f"transformer.skip_projections.{i}") for i in range(config.skips)]
    for ours, theirs in (*_RENAMED, *skips):
        out[f"{ours}.weight"] = state[f"{theirs}.weight"]
        if f"{theirs}.bias" in state:
            out[f"{ours}.bias"] = state[f"{theirs}.bias"]
    for layer in range(config.layers):
        block = audiocraft.block_weights(state, layer)
        out |= {name.removeprefix("transformer."): weight for name, weight in block.items()}
    return out
