"""ACE-Step 1.5 in diffusers' format: Oobleck's stereo latents, Qwen3's words, a flow that repaints spans.

Its parts are used one by one: its pipeline would draw latents at random where the codec has their mean, and
set the level of what comes out. Its velocity runs from data to noise, sigma is 1 - t, and frames that are
known stand beside the noisy ones, with silence where none are. Words are read together with length, tempo,
key and metre, so only once those are known. Guided weights need APG, which the row without words carries.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from copy import copy
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from weakref import WeakValueDictionary

from engines.errors import InputError
from engines.families.pieces import decoded, encoded
from engines.families.pretrained import configs, library, part, pipeline_of, tokenizer
from engines.families.shape import Autoencoder, CheckpointSpec, Flow, Spec, Velocity, Words
from engines.requests import FMSettings, Guidance, SpanTask
from engines.words import reader

if TYPE_CHECKING:
    import torch
    from torch import Tensor

    from engines.networks.lane_frames import Lanes
    from engines.networks.lm import LM
    from engines.sampling.guidance import Source

PARTS = ("transformer", "vae", "text_encoder", "condition_encoder")
WINDOW_SECONDS = 120.0  # it knows up to 600, which take more memory and time than a span is worth
XL_SIZE = 2560  # of the wide transformer
TURBO_STEPS, STEPS = 8, 50
GUIDANCE = 7.0  # of what was not distilled to need none
TIMBRE_SECONDS = 30.0  # of a reference that it listens to; silence here
LYRICS = "[Instrumental]"
# What only the base model was taught, and the tracks that it knows (ACE-Step 1.5's own constants)
TASKS: dict[SpanTask, str] = {"add": "lego", "take-out": "extract", "alone": "extract"}
STEMS = (
    "drums", "percussion", "bass", "guitar", "keyboard", "strings", "synth", "brass", "woodwinds", "vocals",
    "backing vocals", "fx",
)  # fmt: skip
PIECE = 250  # latent frames that are coded at once


def spec_of(folder: Path) -> CheckpointSpec | None:
    """The spec of a pipeline's folder; None where another pipeline, or none, was saved there.

    Raises InputError where parts are missing or do not fit one another.
    """
    if not pipeline_of(folder).startswith("AceStep"):
        return None
    parts = configs(folder, PARTS)
    vae, net = parts["vae"], parts["transformer"]
    dim = net.get("audio_acoustic_hidden_dim")
    if not vae.get("downsampling_ratios") or not vae.get("sampling_rate") or dim is None:
        raise InputError(f"{folder.name[:64]!r}: its configuration says no rate or width; get it again")
    if dim != vae.get("decoder_input_channels"):
        raise InputError(
            f"{folder.name[:64]!r}: a transformer over {dim} channels; expected "
            f"{vae.get('decoder_input_channels')} as its codec has; get the checkpoint again"
        )
    turbo = _is_turbo(net)
    size = " XL" if net.get("hidden_size", 0) >= XL_SIZE else ""
    kind = str(net.get("model_version") or ("turbo" if turbo else "base"))
    guidance = Guidance(1.0 if turbo else GUIDANCE, 0.0)
    return CheckpointSpec(
        name=folder.name,
        title=f"ACE-Step 1.5{size} {kind}",
        licence="MIT",
        rate=int(vae["sampling_rate"]),
        channels=int(vae["audio_channels"]),
        frame_rate=vae["sampling_rate"] / math.prod(vae["downsampling_ratios"]),
        window_seconds=WINDOW_SECONDS,
        engines=("fm", "fm-zero-shot"),
        fm=FMSettings("euler", TURBO_STEPS if turbo else STEPS, schedule="shift"),
        lanes={"fm": ("grid",)},
        guidances=dict.fromkeys(("generate", "inpaint", "change"), guidance),
        kind=f"flow matching, {net.get('num_hidden_layers')} layers of {net.get('hidden_size')}; Oobleck",
        tasks=tuple(TASKS) if kind == "base" else (),
        stems=STEMS if kind == "base" else (),
    )


def load_codec(folder: Path, spec: Spec, device: torch.device) -> Autoencoder:
    """Oobleck, audio [B, 2, N] <-> latents [B, D, T]."""
    return Oobleck(part(folder, "vae", "AutoencoderOobleck", device))


def load_words(folder: Path, spec: Spec, device: torch.device) -> Words:
    """Qwen3, which reads prompts once it is known what they are for."""
    key = (folder, device.type)
    words = _words.get(key)
    if words is None:
        network = part(folder, "text_encoder", "AutoModel", device, "transformers")
        words = _words[key] = Qwen(network, tokenizer(folder))
    return words


def load_flow(folder: Path, spec: Spec, device: torch.device) -> Flow:
    """The transformer over latents [B, D, T]."""
    return AceStepFlow(
        part(folder, "transformer", "AceStepTransformer1DModel", device),
        part(folder, "condition_encoder", "AceStepConditionEncoder", device),
        lambda: load_words(folder, spec, device),
        spec.frame_rate,
    )


def load_tokens(folder: Path, spec: Spec, device: torch.device) -> LM:
    """InputError: its token model plans songs, and makes no codes [B, K, T] of sound."""
    raise InputError(f"{spec.title}: AR needs a token model, which it has not; choose FM, or another model")


class Oobleck:
    """The autoencoder: audio [B, C, N] <-> latents [B, D, T], the mean of what its encoder says."""

    def __init__(self, network: Any) -> None:
        shape = network.config
        self.network = network
        self.rate: int = shape.sampling_rate
        self.channels: int = shape.audio_channels
        self.hop: int = math.prod(shape.downsampling_ratios)
        self.frame_rate = self.rate / self.hop
        self.dim: int = shape.decoder_input_channels
        self.reach: int = _reach(shape.downsampling_ratios)

    def encode(self, audio: Tensor) -> Tensor:
        """[B, C, N] -> [B, D, T], T = ceil(N / hop)."""
        return encoded(
            lambda x: self.network.encode(x).latent_dist.mode(), audio, self.hop, PIECE, self.reach
        )

    def decode(self, z: Tensor) -> Tensor:
        """[B, D, T] -> [B, C, T * hop]; its level is left as it is."""
        return decoded(lambda x: self.network.decode(x).sample, z, self.hop, PIECE, self.reach)


@dataclass(frozen=True)
class Metre:
    """What is said of time and key beside the words."""

    bpm: int | None = None
    beats_per_bar: int | None = None
    key: str | None = None


@dataclass(frozen=True)
class Caption:
    """A prompt, and who will read it."""

    text: str
    encoder: Qwen

    def to(self, device: torch.device | str) -> Caption:
        """The same caption; its states are made where its reader is."""
        return self


class Qwen:
    """The text encoder, asked as its makers ask it."""

    def __init__(self, network: Any, tokens: Any) -> None:
        nothing = dict.fromkeys(("vae", "transformer", "condition_encoder", "scheduler"))
        self.device = network.device
        self._asked = library("diffusers").AceStepPipeline(text_encoder=network, tokenizer=tokens, **nothing)
        self._told = library("diffusers.pipelines.ace_step.pipeline_ace_step").TASK_INSTRUCTIONS

    def encode(self, prompts: Sequence[str]) -> Caption:
        """The first of the prompts, to be read by `states`."""
        return Caption(prompts[0], self)

    def states(
        self, text: str, metre: Metre, seconds: float, task: str, part: str = ""
    ) -> tuple[Tensor, ...]:
        """States and mask [1, L, D], [1, L] of the words, and the same of the lyrics.

        The task is one of its makers' own names, the part a track where the task is about one.
        """
        import torch

        # what comes of it may be kept for another run, which needs gradients or another precision
        with torch.inference_mode(False), torch.no_grad(), torch.autocast(self.device.type, enabled=False):
            told: tuple[Tensor, ...] = self._asked.encode_prompt(
                text,
                LYRICS,
                self.device,
                audio_duration=seconds,
                instruction=self._told[task].replace("{TRACK_NAME}", part.replace(" ", "_").upper()),
                bpm=metre.bpm,
                keyscale=metre.key,
                timesignature=str(metre.beats_per_bar) if metre.beats_per_bar else None,
            )
        return told


class AceStepFlow:
    """The transformer as engines ask it."""

    clamped = False

    def __init__(self, network: Any, conditions: Any, words: Callable[[], Words], frame_rate: float) -> None:
        self.network = network
        self.conditions = conditions
        self.frame_rate = frame_rate
        self.turbo = _is_turbo(network.config)
        self._words = words
        self._task: SpanTask = "remake"
        self._part = ""

    def of_part(self, task: SpanTask, part: str) -> AceStepFlow:
        """The flow of one part: its source [1, D, T] is the whole mix, which it hears and does not repeat."""
        flow = copy(self)
        flow._task, flow._part = task, part
        return flow

    def velocity(
        self,
        seen: Sequence[Source],
        words: Caption | None,
        lanes: Lanes,
        known: Tensor,
        source: Tensor,
        batch: int,
    ) -> Velocity:
        """(z [B, D, T], t) -> v [R B, D, T]; see `families.shape.Flow`. Of the lanes the grid is taken."""
        import torch

        from engines.sampling.projected import Projected

        contexts = _stacked(self._contexts(seen, words, lanes, known, source))
        beside = self._beside(known, source)
        bare = self._bare(seen)
        apg = Projected()

        def velocity(z: Tensor, t: float) -> Tensor:
            x = z.transpose(1, 2)  # [B, D, T] -> [B, T, D]
            made: list[Tensor] = []
            for context in contexts:
                items = len(context) * batch
                time = torch.full((items,), 1.0 - t, device=z.device)
                v = self.network(
                    hidden_states=x.repeat(len(context), 1, 1),
                    timestep=time,
                    timestep_r=time,
                    encoder_hidden_states=context.repeat_interleave(batch, 0),
                    context_latents=beside.expand(items, -1, -1),
                    return_dict=False,
                )[0]
                made.append(-v.transpose(1, 2))  # [n B, D, T]
            rows = list(torch.cat(made).chunk(len(seen)))  # R of [B, D, T]
            if bare is not None:  # so that the sum of the rows is the APG's
                rows[bare] = rows[0] - apg.direction(rows[0], rows[bare], t)
            return torch.cat(rows)

        return velocity

    def _bare(self, seen: Sequence[Source]) -> int | None:
        """The row that guidance goes away from: the one that sees nothing, where its weight is below zero."""
        rows = [i for i, row in enumerate(seen) if not row.text and not row.lanes and row.weight < 0]
        return rows[0] if rows and rows[0] > 0 and not self.turbo else None

    def _contexts(
        self, seen: Sequence[Source], words: Caption | None, lanes: Lanes, known: Tensor, source: Tensor
    ) -> list[Tensor]:
        """What each row reads beside the latents: [1, L, D] each."""
        frames = source.shape[-1]
        task = TASKS.get(self._task) or ("repaint" if known.any() else "text2music")
        told: dict[tuple[str, Metre], Tensor] = {}

        def read(text: str, metre: Metre) -> Tensor:
            if (text, metre) not in told:
                told[text, metre] = self._read(text, metre, frames, task, words)
            return told[text, metre]

        contexts = []
        for row in seen:
            if row.text or row.lanes or self.turbo:  # the turbo was never taught what nothing is
                text = words.text if words is not None and (row.text or self.turbo) else ""
                said = lanes if self.turbo else row.sees(lanes)
                contexts.append(read(text, _metre(text, said, self.frame_rate)))
            else:
                contexts.append(self.conditions.null_condition_emb)
        return contexts

    def _read(self, text: str, metre: Metre, frames: int, task: str, words: Caption | None) -> Tensor:
        """Words, lyrics and timbre as the transformer attends to them: [1, L, D]."""
        import torch

        reading = words.encoder if words is not None else self._words().encode([""]).encoder
        states = reading.states(text, metre, round(frames / self.frame_rate, 6), task, self._part)
        silence = self.conditions.silence_latent[:, : math.ceil(TIMBRE_SECONDS * self.frame_rate)]
        whose = torch.zeros(1, dtype=torch.long, device=silence.device)
        context: Tensor = self.conditions(*states, silence, whose)[0]
        return context

    def _beside(self, known: Tensor, source: Tensor) -> Tensor:
        """What stands beside the noisy latents: known bool [T], source [1, D, T] -> [1, T, 2 D].

        A part is heard in the whole mix: one that is added is made in the span, one that is there everywhere.
        """
        import torch

        silence = self.conditions.silence_latent  # [1, S, D]
        tiled = silence[:, torch.arange(source.shape[-1], device=source.device) % silence.shape[1]]
        kept = known.view(1, -1, 1)
        mix = source.transpose(1, 2)  # -> [1, T, D]
        latents = torch.where(kept, mix, tiled) if self._task == "remake" else mix
        if TASKS.get(self._task) == "extract":
            kept = torch.zeros_like(kept)
        made = (~kept).to(latents.dtype).expand_as(latents)
        return torch.cat([latents, made], dim=-1)


# Text encoders in memory: the flow borrows one for a clip without words.
_words: WeakValueDictionary[tuple[Path, str], Qwen] = WeakValueDictionary()


def _is_turbo(shape: Any) -> bool:
    return bool(shape.get("is_turbo")) or shape.get("model_version") == "turbo"


def _stacked(contexts: list[Tensor]) -> list[Tensor]:
    """Contexts [1, L, D] as few batches: no mask tells padding from words, so each has one length.

    What a single token says, many of them say: attention to equal ones is attention to one.
    """
    import torch

    longest = max(context.shape[1] for context in contexts)
    if all(context.shape[1] in (1, longest) for context in contexts):
        return [torch.cat([context.expand(-1, longest, -1) for context in contexts])]
    return contexts


def _metre(text: str, lanes: Lanes, frame_rate: float) -> Metre:
    """Tempo and metre of the grid, which lanes [1, T] keep as phases; else what the words name."""
    tempo = reader.tempo(text)
    bpm, beats = round(tempo) if tempo is not None else None, None
    beat = lanes.beat[0].double()  # [T, 4]
    if bool(beat.any()) and len(beat) > 1:
        turns = [_turns(beat[:, 0], beat[:, 1]), _turns(beat[:, 2], beat[:, 3])]
        bpm = round(60.0 * turns[0] * frame_rate)
        beats = round(turns[0] / turns[1]) if turns[1] > 0 else None
    return Metre(bpm, beats, reader.key(text))


def _turns(sine: Tensor, cosine: Tensor) -> float:
    """Turns per frame of a phase, whose sine and cosine [T] are given."""
    import torch

    phase = torch.atan2(sine, cosine) / (2 * math.pi)
    return float(phase.diff().remainder(1.0).mean())


def _reach(ratios: Sequence[int]) -> int:
    """Latent frames to each side that have a say in a frame or its samples, at most.

    Kernels of 7, three of them dilated by 1, 3 and 9 at every rate; strided ones are two strides wide.
    """
    samples, stride = 3.0, 1  # at the finest rate
    for ratio in ratios:
        samples += 3 * (1 + 3 + 9) * stride + ratio * stride
        stride *= ratio
    return math.ceil((samples + 3 * stride) / stride) + 1
