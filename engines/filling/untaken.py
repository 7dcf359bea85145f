"""Lanes that a flow's network does not take: what they ask, and the flow that is steered by it.

Chords and melody ask for pitch classes, drums for onsets (`engines.sampling.steering`). A lane that the
network takes is left to it. Measured on the embedded bundle with its lanes hidden by
`python -m study.measure.steering`.
"""

from __future__ import annotations

import torch
from torch import Tensor

from engines.checkpoints.shelf import Models
from engines.families.shape import Autoencoder, Spec
from engines.filling.conditions import Conditions
from engines.filling.window import Window
from engines.music import chords
from engines.requests import Change, Controls, InpaintRequest, Request
from engines.sampling import flow
from engines.sampling.steering import BANDS, CHROMA_SECONDS, ONSET_SECONDS, Asked, frames_of, steered

STEERING: tuple[Change, ...] = ("chords", "melody", "drums")  # lanes that can steer
CHORD_TONE = 0.6  # of a chord, beside a note of the melody
BESIDE = 8  # latent frames on each side of what is unknown that are listened to, too
_BAND = {"kick": 0, "snare": 1, "tom": 1, "hat": 2, "cymbal": 2}  # drum -> place in BANDS
assert set(_BAND.values()) == set(range(len(BANDS)))


def steering_lanes(spec: Spec, request: Request, controls: Controls) -> tuple[str, ...]:
    """The lanes that a request asks something of and that the FM network of a checkpoint does not take.

    What only goes on, or blends in, is left to what a filling begins from.
    """
    asked: tuple[str, ...] = STEERING
    if isinstance(request, InpaintRequest):
        asked = request.wished if request.changes else ()
    untaken = spec.untaken("fm")
    return tuple(name for name in STEERING if name in asked and name in untaken and getattr(controls, name))


def steered_by_lanes(
    field: flow.Field,
    request: Request,
    models: Models,
    given: Conditions,
    known: Tensor,
    window: Window | None,
) -> tuple[flow.Field, tuple[str, ...]]:
    """The field (z [B, D, T], t) -> [B, D, T] steered by the lanes that its network takes not, and which.

    known bool [T] are the frames that are given. As it is where no such lane asks for anything.
    """
    strength, codec = request.fm.lane_guidance, models.codec()
    names = steering_lanes(models.spec, request, given.controls) if strength > 0 else ()
    if not names or bool(known.all()):
        return field, ()
    asked = _asked(given.controls, names, known, window.start if window else 0.0, codec)
    return steered(field, codec.decode, codec.rate, asked, ~known, strength), names


def _asked(
    controls: Controls, names: tuple[str, ...], known: Tensor, start: float, codec: Autoencoder
) -> Asked:
    """What the lanes of those names ask around the unknown frames of a clip that begins at `start` s."""
    unknown = torch.nonzero(~known).flatten().tolist()
    first, last = max(0, unknown[0] - BESIDE), min(len(known), unknown[-1] + 1 + BESIDE)
    begin = start + first / codec.frame_rate
    samples = (last - first) * codec.hop
    made = [(start + i / codec.frame_rate, start + (i + 1) / codec.frame_rate) for i in unknown]
    spans = made[0][0], made[-1][1]
    classes = onsets = None
    if "chords" in names or "melody" in names:
        classes = _classes(controls, names, samples, begin, spans, codec.rate).to(known.device)
    if "drums" in names:
        onsets = _onsets(controls, samples, begin, spans, codec.rate).to(known.device)
    return Asked(classes, onsets, first, last)


def _classes(
    controls: Controls,
    names: tuple[str, ...],
    samples: int,
    begin: float,
    inside: tuple[float, float],
    rate: int,
) -> Tensor:
    """Pitch classes of the frames of `samples` from `begin` seconds on: float32 [12, F]."""
    _, hop = frames_of(CHROMA_SECONDS, rate)
    times = begin + torch.arange(samples // hop + 1, dtype=torch.float64) * hop / rate  # [F]
    within = (times >= inside[0]) & (times < inside[1])
    wanted = torch.zeros(12, len(times))
    if "chords" in names:
        for chord in controls.chords or ():
            tones = chords.pitch_classes(chords.VOCABULARY[chords.parse(chord.symbol).index])
            sounding = within & (times >= chord.start) & (times < chord.end)
            for tone in tones:
                wanted[tone % 12, sounding] += CHORD_TONE
    if "melody" in names:
        for note in controls.melody or ():
            wanted[note.pitch % 12, within & (times >= note.start) & (times < note.end)] += 1.0
    return torch.nn.functional.normalize(wanted, dim=0)


def _onsets(controls: Controls, samples: int, begin: float, inside: tuple[float, float], rate: int) -> Tensor:
    """Hits in the frames of `samples` from `begin` seconds on: float32 [3, F]."""
    _, hop = frames_of(ONSET_SECONDS, rate)
    wanted = torch.zeros(len(BANDS), samples // hop + 1)
    for hit in controls.drums or ():
        frame = round((hit.time - begin) * rate / hop)
        if inside[0] <= hit.time < inside[1] and 0 <= frame < wanted.shape[1]:
            wanted[_BAND[hit.drum], frame] = 1.0
    return wanted
