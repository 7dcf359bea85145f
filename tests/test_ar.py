"""The AR engine on a tiny bundle."""

from dataclasses import replace

import numpy as np
import pytest
import torch

from engines import ar
from engines.audio.recording import Recording
from engines.checkpoints.shelf import Models
from engines.networks.lm import LM
from engines.networks.steps import Steps
from engines.progress import Progress
from engines.requests import ARSettings, Chord, Controls, GenerateRequest, InpaintRequest


def test_generation_samples_every_frame_and_its_delays(models: Models) -> None:
    seen: list[Progress] = []
    result = ar.run(GenerateRequest("ar", "piano", 2.0), models, seen.append)
    sampled = [p for p in seen if p.stage == "sample"]
    assert [p.step for p in sampled] == list(range(54)) and sampled[0].total == 50 + 4 - 1
    assert result.audio.seconds == 2.0 and result.audio.rate == 32000
    assert result.parameters["guidance"] == {"all": 3.0, "text": 0.0}
    assert set(result.timings) == {"queued", "load", "text", "sample", "decode", "agreement"}


def test_settings_reach_the_sampler(models: Models) -> None:
    def samples(seed: int, settings: ARSettings) -> np.ndarray:
        return ar.run(GenerateRequest("ar", "piano", 1.0, seed, ar=settings), models).audio.samples

    greedy = ARSettings(top_k=1)
    assert np.array_equal(samples(1, greedy), samples(2, greedy))  # nothing is left to chance
    assert not np.array_equal(samples(1, ARSettings()), samples(2, ARSettings()))
    assert not np.array_equal(samples(1, ARSettings()), samples(1, ARSettings(temperature=0.2)))


def test_inpainting_gives_the_network_both_sides_in_the_a_c_b_order(
    models: Models, song: Recording, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[torch.Tensor] = []
    forward = LM.forward

    def spied(self: LM, columns: torch.Tensor, *rest: object, **more: object) -> torch.Tensor:
        read.append(columns)
        return forward(self, columns, *rest, **more)  # type: ignore[arg-type]

    step = Steps.__call__

    def stepped(self: Steps, columns: torch.Tensor) -> torch.Tensor:
        read.append(columns[..., None])
        return step(self, columns)

    monkeypatch.setattr(LM, "forward", spied)
    monkeypatch.setattr(Steps, "__call__", stepped)
    ar.run(InpaintRequest("ar", song, 2.0, 2.4), models)
    config = models.spec.lm
    first = [*read[0][0, 0].tolist(), *read[1][0, 0].tolist()]  # what is known, read once; then a step
    assert len(read[0]) * 6 == len(read[1])  # by all candidates together
    marks = [i for i, value in enumerate(first) if value >= config.codebook_size]
    # pad, <a>, 50 frames before, <c>, 40 after, <b>; the span has 10 frames
    assert marks == [0, 1, 52, 93]
    assert [first[i] - config.codebook_size for i in marks] == [0, 1, 3, 2]
    assert len(read) == 1 + 10 + config.codebooks - 1


@pytest.mark.slow
def test_the_candidate_with_the_smoothest_seams_is_taken(models: Models, song: Recording) -> None:
    request = InpaintRequest("ar", song, 2.0, 2.4, ar=ARSettings(candidates=4))
    result = ar.run(request, models)
    told = result.resolved["candidates"]
    assert isinstance(told, dict) and len(told["roughness"]) == len(told["began from"]) == 4
    assert told["roughness"][told["chosen"]] == min(told["roughness"]) < max(told["roughness"])
    assert all("the music" in words for words in told["began from"])
    assert np.array_equal(ar.run(request, models).audio.samples, result.audio.samples)
    half = ar.run(replace(request, ar=ARSettings(candidates=3, seeded=2)), models).resolved["candidates"]
    assert isinstance(half, dict) and half["began from"][0] == "nothing" != half["began from"][1]
    drawn = replace(request, controls=Controls(chords=(Chord(0, 3, "G"),)))
    told = ar.run(drawn, models).resolved["candidates"]
    assert isinstance(told, dict) and all("the music" in w or "passage" in w for w in told["began from"])


@pytest.mark.parametrize(
    ("settings", "why"), [(ARSettings(candidates=0), "1-16"), (ARSettings(cooling=1.0), "cooling")]
)
def test_odd_settings_are_refused(song: Recording, settings: ARSettings, why: str) -> None:
    assert why in ar.supports(InpaintRequest("ar", song, 2.0, 2.4, ar=settings)).reason


def test_the_growing_sound_is_what_the_finished_one_begins_with(models: Models) -> None:
    """Decoded in pieces, each after the one before, it is nearly what all frames at once decode to."""
    heard = []

    def hook(progress: Progress) -> None:
        if progress.partial is not None and progress.step % 7 == 0:
            heard.append(progress.partial())

    request = GenerateRequest("ar", "", 2.0, 3)
    whole = ar.run(request, models, hook).audio.as_float()[:, 0]
    samples, rate = heard[-1]
    assert rate == models.codec().rate
    lengths = [len(part) for part, _ in heard]
    assert lengths == sorted(lengths) and lengths[0] > 0 and len(samples) > 0.7 * len(whole)
    inner = len(samples) - rate // 4  # its last frames do not know yet what follows
    assert np.abs(samples[:inner] - whole[:inner]).max() < 0.2 * np.abs(whole).max()
