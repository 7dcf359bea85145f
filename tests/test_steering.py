"""Steering by lanes: what is asked comes out, where frames are unknown, by lanes that are not taken."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engines.checkpoints.shelf import Models
from engines.families.shape import CheckpointSpec
from engines.filling.conditions import conditions
from engines.filling.untaken import _asked, steering_lanes
from engines.requests import Chord, Controls, GenerateRequest, Guidance, Hit, InpaintRequest, Note
from engines.sampling import flow
from engines.sampling.steering import CHROMA_SECONDS, ONSET_SECONDS, Asked, frames_of, steered

RATE, HOP = 16_000, 640
FRAMES = 50  # two seconds


def still(z: torch.Tensor, t: float) -> torch.Tensor:
    """A field that brings the noise to rest at a mixture of tones."""
    return torch.zeros_like(z) - z


def tones() -> torch.Tensor:
    """A codec's table: of twelve latent channels each is one pitch class, [12, N]."""
    t = torch.arange(FRAMES * HOP) / RATE
    return torch.stack([torch.sin(2 * torch.pi * 261.63 * 2 ** (k / 12) * t) for k in range(12)])


def decode(z: torch.Tensor) -> torch.Tensor:
    """Latents [B, 12, T] as loudness of the twelve tones: [B, 1, T hop]."""
    loud = z.repeat_interleave(HOP, dim=2)  # [B, 12, N]
    return (loud * tones()[:, : loud.shape[2]]).sum(dim=1, keepdim=True)


def wanted(pitch: int) -> Asked:
    _, hop = frames_of(CHROMA_SECONDS, RATE)
    classes = torch.zeros(12, FRAMES * HOP // hop + 1)
    classes[pitch] = 1.0
    return Asked(classes, None, 0, FRAMES)


@pytest.mark.parametrize("pitch", [0, 5, 10])
def test_the_pitch_that_is_asked_for_comes_out(pitch: int) -> None:
    z0 = torch.randn(1, 12, FRAMES, generator=torch.Generator().manual_seed(0))
    unknown = torch.zeros(FRAMES, dtype=torch.bool)
    unknown[10:40] = True
    field = steered(still, decode, RATE, wanted(pitch), unknown, 1.0)
    plain, pulled = (flow.solve(f, z0, "euler", 20, lambda *_: None) for f in (still, field))
    assert torch.equal(pulled[..., ~unknown], plain[..., ~unknown])
    share = pulled[0, :, unknown].pow(2).mean(dim=1)
    assert int(share.argmax()) == pitch and share[pitch] > 3 * share.median()
    assert int(plain[0, :, unknown].pow(2).mean(dim=1).argmax()) not in (pitch,) or pitch == 5


def test_hits_that_are_asked_for_come_out() -> None:
    """Latents are the loudness of noise; a hit is a frame that is louder than the one before."""
    noise = torch.randn(FRAMES * HOP, generator=torch.Generator().manual_seed(1))

    def loudness(z: torch.Tensor) -> torch.Tensor:
        return (z[:, :1].exp() * 0.1).repeat_interleave(HOP, dim=2) * noise

    _, hop = frames_of(ONSET_SECONDS, RATE)
    onsets = torch.zeros(3, FRAMES * HOP // hop + 1)
    at = [10, 20, 30, 40]
    onsets[:, [round(frame * HOP / hop) for frame in at]] = 1.0
    unknown = torch.ones(FRAMES, dtype=torch.bool)
    field = steered(still, loudness, RATE, Asked(None, onsets, 0, FRAMES), unknown, 2.0)
    z0 = torch.randn(1, 2, FRAMES, generator=torch.Generator().manual_seed(2))
    z = flow.solve(field, z0, "euler", 20, lambda *_: None)
    rises = z[0, 0].diff()
    assert rises[[frame - 1 for frame in at]].mean() > rises.mean() + rises.std()


def test_a_strength_of_nothing_is_the_field_itself() -> None:
    z = torch.randn(2, 12, FRAMES, generator=torch.Generator().manual_seed(0))
    unknown = torch.ones(FRAMES, dtype=torch.bool)
    assert torch.equal(steered(still, decode, RATE, wanted(3), unknown, 0.0)(z, 0.5), still(z, 0.5))
    field = steered(still, decode, RATE, wanted(3), unknown, 0.7)
    assert torch.equal(field(z, 0.0), still(z, 0.0))  # nothing is known of the estimate yet
    with torch.inference_mode():
        pull = field(z, 0.5) - still(z, 0.5)
    size = pull.pow(2).sum(dim=(1, 2)).sqrt() / still(z, 0.5).pow(2).sum(dim=(1, 2)).sqrt()
    assert torch.allclose(size, torch.full((2,), 0.7), atol=1e-4)  # of each item's own


def test_only_lanes_that_are_asked_for_and_not_taken_steer(models: Models) -> None:
    controls = Controls((Chord(0, 1, "C"),), (Note(0, 1, 60),), (Hit(0.5, "kick"),))
    some = CheckpointSpec(lanes={"fm": ("melody",)})
    clip = GenerateRequest("fm", "x", 1.0, controls=controls)
    assert steering_lanes(some, clip, controls) == ("chords", "drums")
    assert steering_lanes(models.spec, clip, controls) == ()
    assert steering_lanes(some, clip, Controls(chords=())) == ()  # empty says nothing of pitch


def test_a_span_is_steered_by_what_is_asked_of_it_alone(models: Models, song: object) -> None:
    controls = Controls((Chord(0, 4, "C"),), (Note(1.5, 2, 60),))
    none = CheckpointSpec()
    span = InpaintRequest("fm", song, 1.5, 2.1, controls=controls, intent="change", changed=("melody",))  # type: ignore[arg-type]
    assert steering_lanes(none, span, controls) == ("melody",)
    assert steering_lanes(none, replace(span, intent="blend"), controls) == ()


def test_what_is_asked_stands_where_the_clock_says(models: Models) -> None:
    """Two chords and a note from 10 s on; unknown are the frames from 11 to 12 s."""
    harmony = (Chord(10, 11.5, "C"), Chord(11.5, 13, "Am"))
    hits = (Hit(11.2, "kick"), Hit(12.5, "hat"))
    controls = Controls(harmony, (Note(11.25, 11.5, 71),), hits)
    known = torch.ones(75, dtype=torch.bool)
    known[25:50] = False
    told = _asked(controls, ("chords", "melody", "drums"), known, 10.0, models.codec())
    assert (told.first, told.last) == (17, 58) and told.classes is not None and told.onsets is not None
    begin, rate = 10.0 + 17 / 25, models.codec().rate
    _, hop = frames_of(CHROMA_SECONDS, rate)
    at = lambda t: told.classes[:, round((t - begin) * rate / hop)]  # type: ignore[index] # noqa: E731
    assert at(10.9).sum() == 0 and at(12.2).sum() == 0  # known frames are asked nothing
    assert sorted(np.flatnonzero(at(11.1))) == [0, 4, 7]
    assert int(at(11.4).argmax()) == 11 and at(11.4)[0] > 0  # the note before the chord's tones
    assert sorted(np.flatnonzero(at(11.8))) == [0, 4, 9]
    assert told.onsets.sum(dim=1).tolist() == [1.0, 0.0, 0.0]
    assert float(torch.linalg.norm(at(11.1))) == pytest.approx(1.0)


def test_the_bundle_is_steered_by_nothing(models: Models) -> None:
    """It takes its lanes: what it makes with them is what it made before there was steering."""
    request = GenerateRequest("fm", "piano", 1.0, controls=Controls((Chord(0, 1, "C"),)))
    given = conditions(request, models, 25, None, "fm", Guidance(1.0, 0.0))
    assert steering_lanes(models.spec, request, given.controls) == ()
