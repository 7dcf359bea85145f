"""The window of a recording that a model hears, and the way back: what all engines do alike.

A window is mono at the codec's rate, as long as the models hear at once or less, with the span near
its middle where the source allows. Its frame grid begins so that the span begins on a frame. The
removed audio is silenced before encoding, because the encoder sees about four frames to each side:
what was there has no say in what comes. The frames next to the span stay known all the same: counting
three of them as unknown measured worse for every engine (log-mel jump at the seams 7.3 dB against 6.7
for FM, 7.9 against 7.0 for AR). Does not know how a model fills the span.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from engines.audio import compose, seams
from engines.audio.recording import Recording, from_float, resample
from engines.audio.timebase import Grid, frames_for, seconds_to_samples, span_to_frames
from engines.checkpoints.shelf import Models, Task
from engines.filling import mosaic, repeats
from engines.filling.agreement import agreement_of, asked_parts, judged, wishes
from engines.filling.score import score_of
from engines.networks.codec import Codec
from engines.networks.lane_frames import Lanes, lanes_from
from engines.networks.text import TextEncoder, TextStates
from engines.requests import (
    CHANGES,
    INTENTS,
    LONGEST_SECONDS,
    MAX_PROMPT,
    ZERO_SHOT,
    ARSettings,
    Change,
    Controls,
    EngineName,
    FMSettings,
    GenerateRequest,
    Guidance,
    InpaintRequest,
    InputError,
    Latents,
    Request,
    Result,
    Seam,
    Stopwatch,
    Support,
    Wish,
)
from engines.sampling.guidance import Source, sources
from engines.sampling.order import known_mask
from engines.words import reader as words

WINDOW_SECONDS = 10.0  # longest clip the models hear
CONTEXT_SECONDS = 2.0  # at least so much of a full window is context
FRAME_SECONDS = 0.04  # one latent frame at 25 Hz
WISH_WEIGHT = 8.0  # of what was asked for and is not heard, beside the roughness of seams (about 9 a span)
TRIED = 8  # passages for each span whose seams are listened to before some are begun from
_FADES = (1.0, 0.6, 0.3, 0.15)  # shares of the longest crossfade that are tried
_FADED = 0.2  # of a span, the most that a fitted crossfade takes at each end
_SILENCE = 1e-4  # peak below which a recording counts as silent (-80 dB)
_LEVELS = (0.03, 0.3)  # RMS that the models are used to


def refusal(request: Request, engine: EngineName, generates: bool) -> Support:
    """Whether a request can be used at all: lengths, span, source, prompt, seed, settings."""
    if request.engine != engine:
        return Support(f"engine {request.engine!r}: this is {engine!r}; send the request to its own engine")
    if len(request.prompt) > MAX_PROMPT:
        return Support(f"prompt of {len(request.prompt)} characters: at most {MAX_PROMPT}; shorten it")
    if not 0 <= request.seed < 2**63:
        return Support(f"seed {request.seed}: expected 0 to {2**63 - 1}; choose another")
    reason = (
        _settings(request)
        or _intent(request)
        or (_length(request, generates) if isinstance(request, GenerateRequest) else _span(request))
    )
    return Support(reason)


def _settings(request: Request) -> str:
    ar, fm = request.ar, request.fm
    if not (math.isfinite(ar.temperature) and ar.temperature >= 0.01):
        return f"temperature {ar.temperature:g}: expected 0.01 or more; 1 is the usual value"
    if ar.top_k < 0:
        return f"top-k {ar.top_k}: expected 0 (off) or more; 250 is the usual value"
    if not 0 <= ar.top_p <= 1:
        return f"top-p {ar.top_p:g}: expected 0 (off) to 1; choose 0 or about 0.9"
    if not 1 <= fm.steps <= 1000:
        return f"{fm.steps} steps: expected 1-1000; 25 is the usual value"
    if not (math.isfinite(ar.cooling) and 0 <= ar.cooling < 1):
        return f"cooling {ar.cooling:g}: expected 0 (off) to less than 1; 0 is the usual value"
    for engine, usual in ((ar, ARSettings()), (fm, FMSettings())):
        if not 1 <= engine.candidates <= 16:
            return f"{engine.candidates} candidates: expected 1-16; {usual.candidates} is the usual value"
        if not 0 <= engine.seeded <= 16:
            told = f"{engine.seeded} of the candidates from repeats"
            return f"{told}: expected 0-16; {usual.seeded} is the usual value"
    if fm.solver not in ("euler", "midpoint", "ab2", "dopri5"):
        return f"solver {str(fm.solver)[:24]!r}: expected euler, midpoint, ab2 or dopri5; choose one of them"
    if fm.schedule not in ("uniform", "sway"):
        return f"schedule {str(fm.schedule)[:24]!r}: expected uniform or sway; choose one"
    if not 0 <= fm.guided[0] <= fm.guided[1] <= 1:
        times = f"guided times {fm.guided[0]:g}-{fm.guided[1]:g}"
        return f"{times}: expected two times from 0 to 1 in order; 0-1 is the usual value"
    if not 8 <= fm.budget <= 10_000:
        return f"budget of {fm.budget} evaluations: expected 8-10000; 50 is the usual value"
    if fm.zero_shot not in ZERO_SHOT:
        return f"zero-shot method {str(fm.zero_shot)[:24]!r}: expected {', '.join(ZERO_SHOT)}; choose one"
    for guidance in (ar.guidance, fm.guidance):
        if guidance and not (abs(guidance.all) <= 30 and abs(guidance.text) <= 30):
            return f"guidance {guidance.all:g}/{guidance.text:g}: expected -30 to 30; 3/0 is the usual value"
    return ""


def _intent(request: Request) -> str:
    if not isinstance(request, InpaintRequest):
        return ""
    if request.intent not in INTENTS:
        return f"intent {str(request.intent)[:24]!r}: expected {', '.join(INTENTS)}; choose one of them"
    unknown = [name for name in request.changed or () if name not in CHANGES]
    if unknown:
        return (
            f"changed {str(unknown[0])[:24]!r}: expected some of {', '.join(CHANGES)}; leave the others out"
        )
    return ""


def _length(request: GenerateRequest, generates: bool) -> str:
    if not generates:
        return f"engine {request.engine!r}: it only re-makes spans; choose ar or fm to generate"
    longest = LONGEST_SECONDS if request.sliding else WINDOW_SECONDS
    if not 1.0 <= request.seconds <= longest:
        return f"length {request.seconds:g} s: expected 1-{longest:g} s; choose another length"
    return ""


def _span(request: InpaintRequest) -> str:
    source, span = request.source, f"span {request.start:g}-{request.end:g} s"
    if not (math.isfinite(request.start) and math.isfinite(request.end)):
        return f"{span}: the times must be numbers; select the span again"
    if source.length == 0:
        return "source: it holds no samples; load a recording first"
    if request.end <= request.start:
        return f"{span}: the end must follow the start; swap them"
    tolerance = 0.5 / source.rate
    if request.start < 0 or request.end > source.seconds + tolerance:
        return f"{span}: the recording is 0-{source.seconds:.2f} s long; select a span inside it"
    if request.seconds < 2 * FRAME_SECONDS - 1e-6:
        return f"{span}: at least {2 * FRAME_SECONDS:g} s (two frames) are needed; select a longer span"
    longest = LONGEST_SECONDS if request.sliding else WINDOW_SECONDS - CONTEXT_SECONDS
    if request.seconds > longest + 1e-6:
        fit = "are made in one run" if request.sliding else "fit into the models' window"
        return f"{span}: at most {longest:g} s {fit}; select a shorter span"
    if not (math.isfinite(request.crossfade) and 0 <= request.crossfade <= 1):
        return f"crossfade {request.crossfade:g} s: expected 0-1 s; 0.2 is the usual value"
    if not (math.isfinite(request.strength) and 0 < request.strength <= 1):
        return f"strength {request.strength:g}: expected more than 0 up to 1 (all new); 1 is the usual value"
    before = request.end
    for a, b in request.also:
        also = f"further span {a:g}-{b:g} s"
        if not (math.isfinite(a) and math.isfinite(b) and before < a < b):
            return f"{also}: spans must follow one another without touching; put them in order"
        if b > source.seconds + tolerance:
            return f"{also}: the recording is 0-{source.seconds:.2f} s long; select a span inside it"
        if b - a < 2 * FRAME_SECONDS - 1e-6:
            return f"{also}: at least {2 * FRAME_SECONDS:g} s (two frames) are needed; select a longer span"
        before = b
    if not (math.isfinite(request.match) and 0 <= request.match <= 1):
        return f"match {request.match:g}: expected 0 (off) to 1 (all); 0.75 is the usual value"
    if _silent(source):
        return "source: it is silent, so a span has no context; use Generate, or load another recording"
    return ""


def _silent(source: Recording) -> bool:
    block = 1 << 18
    threshold = _SILENCE * source.full_scale
    for at in range(0, source.length, block):
        part = source.samples[at : at + block]
        if part.max() > threshold or part.min() < -threshold or np.isnan(part).any():
            return False
    return True


@dataclass(frozen=True)
class Window:
    """A piece of a recording on a frame grid. Frames count from the window's start."""

    start: float  # seconds on the source's clock
    audio: NDArray[np.float32]  # [T * hop] at the codec's rate, times `gain`
    frames: int  # T
    span: tuple[int, int]  # frames of the span, half-open: those to be made
    gain: float  # brings quiet and loud recordings to levels that the models know
    holes: tuple[tuple[int, int], ...] = ()  # further spans, frames; `span` is the first
    latents: NDArray[np.float32] | None = None  # [D, T] that the audio was decoded from, where it was
    decoded: NDArray[np.bool_] | None = None  # [T] frames over which that holds
    judges: tuple[seams.Judge, ...] = ()  # of each span's seams

    @property
    def spans(self) -> tuple[tuple[int, int], ...]:
        """All spans in frames."""
        return (self.span, *self.holes)

    @property
    def known(self) -> Tensor:
        """True where a frame is given: bool [T]."""
        mask = known_mask(*self.span, self.frames)
        for start, end in self.holes:
            mask &= known_mask(start, end, self.frames)
        return mask


def cut(request: InpaintRequest, codec: Codec, seconds: float) -> Window:
    """The window of at most `seconds` around the request's span; raises InputError for NaN samples."""
    source = request.source
    room = round(seconds * codec.frame_rate)
    rate = codec.frame_rate
    # further spans begin and end between frames: the frames that they touch are made anew
    holes = [span_to_frames(a - request.start, b - request.start, rate) for a, b in request.also]
    length = frames_for(request.seconds, rate) if not holes else holes[-1][1]
    if length > room - CONTEXT_SECONDS * codec.frame_rate + 1:
        raise InputError(
            f"span {request.start:g}-{request.spans[-1][1]:g} s: this bundle hears {seconds:g} s at once, "
            f"at least {CONTEXT_SECONDS:g} s of it around a span; select a shorter span"
        )
    before = math.floor(request.start * rate + 1e-6)
    after = max(0, math.floor((source.seconds - request.start) * rate + 1e-6) - length)
    lead = min(before, max((room - length) // 2, room - length - after))
    frames = min(room, lead + length + after)
    first = max(0, seconds_to_samples(request.start - lead / rate, source.rate))
    audio = _read(source, first, frames * codec.hop, codec.rate)
    if not np.isfinite(audio).all():
        raise InputError("source: samples near the span are NaN or infinite; export the recording again")
    span = (lead, lead + frames_for(request.seconds, rate))
    moved = tuple((lead + a, min(frames, lead + b)) for a, b in holes)
    kept = np.ones(len(audio), np.bool_)
    for a, b in (span, *moved):
        kept[a * codec.hop : b * codec.hop] = False
    context = audio[kept] if kept.any() else audio
    rms = float(np.sqrt(np.mean(np.square(context)))) + 1e-9
    gain = float(np.clip(np.clip(rms, *_LEVELS) / rms, 0.01, 100.0))
    latents, decoded = None, None
    if request.latents is not None:
        latents, decoded = _aligned(request.latents, first / source.rate, frames, rate)
        gain = request.latents.gain if decoded.any() else gain
    judges = tuple(seams.Judge(source, a, b) for a, b in request.spans)
    return Window(
        first / source.rate, audio * np.float32(gain), frames, span, gain, moved, latents, decoded, judges
    )


def _aligned(
    given: Latents, start: float, frames: int, rate: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """Latents [D, T] on the grid of a window, and bool [T] where they are what its audio was decoded from.

    None are, unless the two grids agree within a hundredth of a frame: the codec would hear the difference.
    """
    z = np.zeros((len(given.z), frames), np.float32)
    decoded = np.zeros(frames, np.bool_)
    shift = (start - given.start) * rate
    offset = round(shift)
    if abs(shift - offset) > 0.01:
        return z, decoded
    for a, b in given.known:
        first = max(0, math.ceil((a - start) * rate - 1e-6), -offset)
        last = min(frames, math.floor((b - start) * rate + 1e-6), given.z.shape[1] - offset)
        if last > first:
            z[:, first:last] = given.z[:, first + offset : last + offset]
            decoded[first:last] = True
    return z, decoded


def _read(source: Recording, first: int, length: int, rate: int) -> NDArray[np.float32]:
    """Mono float32 [length] at `rate` from native sample `first` on; zeros beyond the recording.

    The resampler starts early, by a time that is whole samples at both rates, so that the phase
    holds and its start-up is cut off.
    """
    beat = math.gcd(source.rate, rate)  # so many instants a second are samples at both rates
    early = math.ceil(0.05 * beat)
    pad, drop = early * source.rate // beat, early * rate // beat
    last = first + math.ceil(length * source.rate / rate) + pad
    part = source.mono(max(0, first - pad), last)  # [n]
    part = np.concatenate([np.zeros(max(0, pad - first), part.dtype), part])
    out = resample(part, source.rate, rate)[drop : drop + length]
    return np.pad(out, (0, length - len(out))).astype(np.float32)


def encode(window: Window, models: Models, silenced: bool = True) -> Tensor:
    """Normalised latents [1, D, T] of a window, its span silenced or as it was."""
    codec = models.codec()
    audio = torch.from_numpy(window.audio.copy())
    for start, end in window.spans if silenced else ():
        audio[start * codec.hop : end * codec.hop] = 0.0
    z = codec.encode(audio.to(models.device)[None, None])[..., : window.frames]  # [1, 1, T hop] -> [1, D, T]
    if window.latents is not None and window.decoded is not None:
        own = torch.from_numpy(window.decoded).to(models.device)
        z = torch.where(own, torch.from_numpy(window.latents).to(models.device), z)
    return z


@dataclass(frozen=True)
class Conditions:
    """What conditions a run, ready for a network."""

    text: TextStates | None  # [1, L, 384]
    lanes: Lanes  # [1, T]
    rows: tuple[Source, ...]  # the guided batch
    guidance: Guidance
    controls: Controls  # what the lanes were written from, on the request's clock
    heard: tuple[str, ...] = ()  # fields of the controls that were heard in the recording


def load(models: Models, network: Callable[[], object], watch: Stopwatch) -> None:
    """Load what a run needs, so that the first run's loading does not count as work."""
    watch.lap("queued")
    watch.report("load", 0, 1)
    models.codec()
    network()
    models.text()
    watch.lap("load")


def fits(seconds: float, models: Models) -> None:
    """Raise InputError for a clip longer than the window of this bundle."""
    if seconds > models.spec.window_seconds + 1e-6:
        raise InputError(
            f"length {seconds:g} s: this bundle makes at most {models.spec.window_seconds:g} s at once; "
            "choose a shorter length"
        )


def conditions(
    request: Request,
    models: Models,
    frames: int,
    window: Window | None,
    engine: EngineName,
    guidance: Guidance | None,
) -> Conditions:
    """Text states [1, L, 384], lanes [1, T] and guided rows of a run of so many frames.

    Where a span is changed, lanes that the request leaves open are those that go on
    (`engines.filling.score`), and the instruments are those that the words name.
    """
    codec, start = models.codec(), window.start if window is not None else 0.0
    controls = request.controls
    changed: tuple[Change, ...] = ()
    heard: tuple[str, ...] = ()
    task: Task = "inpaint"
    if isinstance(request, InpaintRequest) and window is not None:
        if request.changes:
            task = "change"
            score = score_of(request, window.audio / window.gain, codec.rate, start, models.text())
            controls, changed, heard = score.controls, score.changed, score.heard
    else:
        task = "generate"
        if controls.instruments is None:
            controls = replace(controls, instruments=asked_parts(request, models.text()) or None)
        bpm = words.tempo(request.prompt)
        if controls.grid is None and bpm is not None:
            controls = replace(controls, grid=Grid(bpm))
    guidance = guidance or models.spec.guidance(engine, task)
    prompt = " ".join("".join(c if c.isprintable() else " " for c in request.prompt).split())
    text = models.text().encode([prompt]).to(models.device) if prompt else None
    lanes = lanes_from(controls, frames, codec.frame_rate, start).to(models.device)
    if not models.takes_band(engine):
        lanes = lanes.without(("instruments", "grid"))
    rows = sources(guidance, text is not None, lanes.any_given, changed)
    return Conditions(text, lanes, rows, guidance, controls, heard)


def repeats_of(
    request: InpaintRequest, window: Window, models: Models, count: int, controls: Controls | None = None
) -> list[tuple[Tensor, str]]:
    """Up to `count` latents [1, D, T] of a window whose spans are copied from elsewhere, and how, in words.

    What is copied keeps the beat (`engines.filling.repeats`), and comes from where the recording sounds as
    the lanes ask for, where there are any (`engines.filling.mosaic`).
    """
    controls = controls or request.controls
    if count < 1:
        return []
    if any(lane is not None for lane in (controls.chords, controls.melody, controls.drums)):
        return _mosaics(request, window, models, count, controls) if request.gathered else []
    found = [_lags(request, window, place, count, models.codec().rate) for place in range(len(request.spans))]
    made = []
    for choice in list(zip(*found, strict=False))[:count]:
        heard = _copied(request, window, choice, models.codec().rate)
        made.append((_encoded(window, heard, models), ", ".join(_from_where(lag) for lag in choice)))
    return made


def _mosaics(
    request: InpaintRequest, window: Window, models: Models, count: int, controls: Controls
) -> list[tuple[Tensor, str]]:
    """The same of spans that are pieced together as the lanes ask for."""
    spans, rate = request.spans, models.codec().rate
    found = []
    for place, (a, b) in enumerate(spans):
        others = (*spans[:place], *spans[place + 1 :])
        found.append(mosaic.mosaics(request.source, a, b, controls, count, others))
    made = []
    for choice in zip(*found, strict=False):
        filled = request.source
        for passages in choice:
            filled = mosaic.pasted(filled, passages)
        heard = _read(filled, seconds_to_samples(window.start, filled.rate), len(window.audio), rate)
        made.append((_encoded(window, heard, models), ", ".join(_from_places(each) for each in choice)))
    return made


def _encoded(window: Window, heard: NDArray[np.float32], models: Models) -> Tensor:
    """Latents [1, D, T] of a window that hears something else, [T * hop] at the codec's rate."""
    return encode(replace(window, audio=heard * np.float32(window.gain)), models, silenced=False)


def seeds_of(
    request: InpaintRequest,
    window: Window,
    models: Models,
    seeded: int,
    distinct: int,
    controls: Controls | None = None,
) -> list[tuple[Tensor, str]]:
    """What `seeded` fillings begin from: at most `distinct` repeats [1, D, T] by turns, and how, in words.

    Each once only in requests that do not listen. None where there are no repeats.
    """
    found = repeats_of(request, window, models, min(seeded, distinct), controls)
    return [found[k % len(found)] for k in range(seeded if request.listened else len(found))] if found else []


def _lags(request: InpaintRequest, window: Window, place: int, count: int, rate: int) -> list[float]:
    """At least `count` lags, where there are, by which a span can be copied from elsewhere, the best first.

    The best are those with the smoothest seams, or unless that is asked for, with surroundings most alike.
    """
    spans = request.spans
    a, b = spans[place]
    others = (*spans[:place], *spans[place + 1 :])
    found = repeats.lags(request.source, a, b, max(TRIED, count) if request.listened else count, others)
    if not request.listened:
        return found

    def roughness(lag: float) -> float:
        choice = [lag if i == place else 0.0 for i in range(len(spans))]
        heard, fade = _copied(request, window, choice, rate), _longest_fade(request, a, b)
        pasted = compose.compose(request.source, a, b, heard, window.start, rate, fade, request.match)
        return sum(window.judges[place].costs(pasted).values())

    return sorted(found, key=roughness)


def _copied(request: InpaintRequest, window: Window, lags: Sequence[float], rate: int) -> NDArray[np.float32]:
    """What the window hears, [T * hop] at `rate`, where each span is copied from its lag; 0 leaves a span."""
    filled = request.source
    for (a, b), lag in zip(request.spans, lags, strict=True):
        filled = repeats.copied(filled, a, b, lag) if lag else filled
    return _read(filled, seconds_to_samples(window.start, filled.rate), len(window.audio), rate)


def _longest_fade(request: InpaintRequest, start: float, end: float) -> float:
    """Seconds of the longest crossfade of a span."""
    return min(request.crossfade, _FADED * (end - start)) if request.fitted else request.crossfade


def _from_where(lag: float) -> str:
    return f"the music {abs(lag):.2f} s {'earlier' if lag < 0 else 'later'}"


def _from_places(passages: Sequence[mosaic.Passage]) -> str:
    if len(passages) == 1 and not passages[0].semitones:
        return _from_where(passages[0].lag)
    moved = sum(passage.semitones != 0 for passage in passages)
    told = f", {moved} of them transposed" if moved else ""
    return f"{len(passages)} {'passage' if len(passages) == 1 else 'passages'} from elsewhere{told}"


def finish(
    request: Request,
    models: Models,
    z: Tensor,
    window: Window | None,
    watch: Stopwatch,
    parameters: dict[str, object],
    beginnings: Sequence[str] = (),
) -> Result:
    """Decode latents [B, D, T] and make the Result: a clip, or the source with its span re-made.

    Of several the one with the smoothest seams is taken; `beginnings` says in words how each came about.
    """
    codec = models.codec()
    told = {"seed": request.seed, "bundle": models.spec.name, "device": str(models.device), **parameters}
    audios = []
    for i in range(len(z)):
        watch.report("decode", i, len(z))
        audio = codec.decode(z[i : i + 1])[0, 0].float().cpu().numpy()  # [1, D, T] -> [T hop]
        if not np.isfinite(audio).all():
            raise InputError(
                "result: the model produced no finite audio; lower the guidance or change the seed"
            )
        audios.append(audio)
    if isinstance(request, GenerateRequest) or window is None:
        clip = audios[0][: seconds_to_samples(request.seconds, codec.rate)]
        recording = from_float(clip, codec.rate)
        watch.report("decode", 1, 1)
        watch.lap("decode")
        latents = Latents(z[0].float().cpu().numpy(), 0.0, 1.0, ((0.0, request.seconds),))
        heard = wishes(clip, codec.rate, request, encoder=models.text())
        watch.lap("judge")
        return Result(request, recording, dict(watch.timings), (), told, latents, heard)
    made = [(audio / window.gain).astype(np.float32) for audio in audios]
    recording, found, chosen, costs, fades, agreed = _best(request, made, window, codec.rate, models.text())
    if len(made) > 1:
        told["candidates"] = {
            "began from": list(beginnings),
            "roughness": [round(cost, 3) for cost in costs],
            "chosen": chosen,
        } | ({"agreement": [round(share, 3) for share in agreed]} if agreed else {})
    if isinstance(request, InpaintRequest):
        told["intent"] = "change" if request.changes else "blend"
    if request.fitted:
        told["crossfades"] = [[round(fade, 4) for fade in pair] for pair in fades]
    watch.report("decode", len(z), len(z))
    watch.lap("decode")
    told["window"] = {"start": window.start, "seconds": window.frames / codec.frame_rate}
    kept = None
    if request.latents is not None:  # what this edit has not touched still is what they decode to
        untouched = request.latents.known
        for start, end in request.spans:
            untouched = tuple(
                part
                for a, b in untouched
                for part in ((a, min(b, start)), (max(a, end), b))
                if part[1] > part[0]
            )
        kept = replace(request.latents, known=untouched)
    granted: tuple[Wish, ...] = ()
    if request.changes:
        around = _around(recording, window, codec.rate)
        granted = wishes(around, codec.rate, request, window.start, models.text())
    watch.lap("judge")
    return Result(request, recording, dict(watch.timings), found, told, kept, granted)


def _around(recording: Recording, window: Window, rate: int) -> NDArray[np.float32]:
    """What a window hears of a recording, mono [n] at `rate`."""
    return _read(recording, seconds_to_samples(window.start, recording.rate), len(window.audio), rate)


def _best(
    request: InpaintRequest,
    made: list[NDArray[np.float32]],
    heard: Window,
    rate: int,
    encoder: TextEncoder | None = None,
) -> tuple[Recording, tuple[Seam, ...], int, list[float], list[tuple[float, float]], list[float]]:
    """Put each of the decoded windows [n] back, and choose by their seams and by what was asked for.

    Gives the recording, its seams, which window it is, the roughness of all, the crossfades of each span, and
    how far each window agrees with what was asked for, where anything was.
    """

    def composed(window: NDArray[np.float32], fades: list[tuple[float, float]]) -> Recording:
        recording = request.source
        for (a, b), pair in zip(request.spans, fades, strict=True):
            recording = compose.compose(recording, a, b, window, heard.start, rate, pair, request.match)
        return recording

    def roughness(recording: Recording) -> list[dict[float, float]]:
        return [judge.costs(recording) for judge in heard.judges]

    longest = [_longest_fade(request, a, b) for a, b in request.spans]
    fades = [(fade, fade) for fade in longest]
    costs, best = [0.0] * len(made), 0
    granted: list[float] = []
    if len(made) > 1:
        costs = [sum(sum(at.values()) for at in roughness(composed(window, fades))) for window in made]
        if request.changes and judged(request, encoder):
            granted = [agreement_of(wishes(window, rate, request, heard.start, encoder)) for window in made]
        wanting = [WISH_WEIGHT * (1 - share) for share in granted] or [0.0] * len(made)
        best = int(np.argmin(np.add(costs, wanting)))
    if request.fitted:
        tried = [[(share * fade, share * fade) for fade in longest] for share in _FADES]
        sounds = [roughness(composed(made[best], pairs)) for pairs in tried]
        fades = [
            (_least(sounds, tried, i, a)[0], _least(sounds, tried, i, b)[1])
            for i, (a, b) in enumerate(request.spans)
        ]
    recording = composed(made[best], fades)
    found = tuple(seam for judge in heard.judges for seam in judge.seams(recording))
    return recording, found, best, costs, fades, granted


def _least(
    heard: list[list[dict[float, float]]], tried: list[list[tuple[float, float]]], span: int, time: float
) -> tuple[float, float]:
    """The crossfades with which the boundary of a span at `time` is least rough; the first without a seam."""
    best = min(range(len(tried)), key=lambda k: heard[k][span].get(time, 0.0))
    return tried[best][span]
