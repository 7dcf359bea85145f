"""ACE-Step 1.5 on a tiny checkpoint in the released format: the same as its pipeline, before its levels."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from engines.audio.timebase import Grid
from engines.checkpoints.shelf import Models, open_bundle
from engines.errors import InputError
from engines.families import ace_step, roster
from engines.networks.lane_frames import Lanes, lanes_from
from engines.requests import Controls, FMSettings, SpanTask
from engines.sampling.guidance import Source
from tests.checkpoints.ace_step import LATENTS, save_tiny_ace_step
from tests.checkpoints.asking import audio, difference, noise, pipeline, solved

pytestmark = pytest.mark.slow  # diffusers alone takes seconds to import

FRAMES, HOP, RATE = 75, 1920, 48_000
PROMPT = "slow jazz trio with brushed drums"
BOUND = 1e-4


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny base checkpoint, which is guided."""
    return save_tiny_ace_step(tmp_path_factory.mktemp("ace") / "tiny-base", "base")


@pytest.fixture(scope="module")
def turbo(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same weights, saved as distilled to need no guidance."""
    folder = tmp_path_factory.mktemp("ace") / "tiny-turbo"
    shutil.copytree(base, folder)
    file = folder / "transformer" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"is_turbo": True, "model_version": "turbo"}))
    return folder


@pytest.fixture(scope="module")
def models(base: Path) -> Models:
    """The base checkpoint, opened."""
    torch.set_num_threads(1)
    return open_bundle(str(base), "cpu")


def lanes(grid: Grid | None = None) -> Lanes:
    return lanes_from(Controls(grid=grid), FRAMES, RATE / HOP, 0.0)


def theirs(folder: Path, prompt: str = PROMPT, **more: Any) -> Tensor:
    """Latents [1, D, T] of the pipeline, whose codec gives its mean."""
    made = pipeline(folder, "AceStepPipeline")(
        prompt,
        lyrics="[Instrumental]",
        audio_duration=FRAMES * HOP / RATE,
        latents=noise(LATENTS, FRAMES).transpose(1, 2),
        output_type="latent",
        **more,
    )
    latents: Tensor = made.audios.transpose(1, 2)
    return latents


def test_the_spec_is_what_the_configurations_say(base: Path, turbo: Path) -> None:
    family, spec = roster.recognised(base)
    assert (family.name, spec.title, spec.licence) == ("ace-step", "ACE-Step 1.5 base", "MIT")
    assert (spec.rate, spec.channels, spec.frame_rate) == (RATE, 2, 25.0)
    assert (spec.fm.solver, spec.fm.steps, spec.fm.schedule) == ("euler", 50, "shift")
    assert spec.guidance("fm", "inpaint").all == 7.0
    assert spec.untaken("fm") == ("chords", "melody", "drums", "instruments")
    quick = roster.recognised(turbo)[1]
    assert (quick.title, quick.fm.steps) == ("ACE-Step 1.5 turbo", 8)
    assert quick.guidance("fm", "generate").all == 1.0


def test_text_to_music_is_the_pipelines(models: Models, base: Path) -> None:
    made = solved(models, PROMPT, FMSettings("euler", 8, schedule="shift"), lanes())
    assert difference(made, theirs(base, num_inference_steps=8, guidance_scale=1.0)) < BOUND


def test_guidance_with_its_momentum_is_the_pipelines(models: Models, base: Path) -> None:
    made = solved(models, PROMPT, FMSettings("euler", 12, schedule="shift"), lanes(), guidance=7.0)
    assert difference(made, theirs(base, num_inference_steps=12, guidance_scale=7.0)) < BOUND
    assert difference(made, solved(models, PROMPT, FMSettings("euler", 12, schedule="shift"), lanes())) > 0.01


def test_tempo_metre_and_key_are_told(models: Models, base: Path) -> None:
    prompt, settings = PROMPT + " in D minor", FMSettings("euler", 8, schedule="shift")
    made = solved(models, prompt, settings, lanes(Grid(93.0, 3, 0.2)))
    told = {"bpm": 93, "timesignature": "3", "keyscale": "D minor"}
    same = theirs(base, prompt, num_inference_steps=8, guidance_scale=1.0, **told)
    assert difference(made, same) < BOUND
    assert difference(made, theirs(base, prompt, num_inference_steps=8, guidance_scale=1.0)) > 1e-3


@pytest.mark.parametrize("guidance", [1.0, 7.0])
def test_repainting_is_the_pipelines(
    models: Models, base: Path, guidance: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    from diffusers.models.autoencoders import autoencoder_oobleck

    mean = lambda self, generator=None: self.mode()  # noqa: E731
    monkeypatch.setattr(autoencoder_oobleck.OobleckDiagonalGaussianDistribution, "sample", mean)
    known = torch.ones(FRAMES, dtype=torch.bool)
    known[20:50] = False
    sound = audio(FRAMES * HOP)
    with torch.no_grad():
        source = models.codec().encode(sound)
    settings = FMSettings("euler", 8, schedule="shift")
    made = solved(models, PROMPT, settings, lanes(), guidance, known, source)
    same = theirs(
        base,
        num_inference_steps=8,
        guidance_scale=guidance,
        task_type="repaint",
        src_audio=sound[0],
        repainting_start=20 / 25 + 1e-6,
        repainting_end=50 / 25 + 1e-6,
    )
    assert difference(made, same) < BOUND
    assert difference(made, solved(models, PROMPT, settings, lanes(), guidance)) > 0.01


@pytest.mark.parametrize(("task", "kind"), [("add", "lego"), ("take-out", "extract"), ("alone", "extract")])
@pytest.mark.parametrize("guidance", [1.0, 7.0])
def test_one_part_is_the_pipelines(
    models: Models,
    base: Path,
    guidance: float,
    task: SpanTask,
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    from diffusers.models.autoencoders import autoencoder_oobleck

    mean = lambda self, generator=None: self.mode()  # noqa: E731
    monkeypatch.setattr(autoencoder_oobleck.OobleckDiagonalGaussianDistribution, "sample", mean)
    known = torch.ones(FRAMES, dtype=torch.bool)
    known[20:50] = False
    sound, settings = audio(FRAMES * HOP), FMSettings("euler", 8, schedule="shift")
    with torch.no_grad():
        source = models.codec().encode(sound)

    def made(part: str) -> Tensor:
        return solved(models, PROMPT, settings, lanes(), guidance, known, source, part=(task, part))

    asked = {"task_type": kind, "src_audio": sound[0], "track_name": "backing_vocals"}
    span = {"repainting_start": 20 / 25 + 1e-6, "repainting_end": 50 / 25 + 1e-6}
    same = theirs(base, num_inference_steps=8, guidance_scale=guidance, **asked, **span)
    assert difference(made("backing vocals"), same) < BOUND
    assert difference(made("drums"), same) > 1e-3  # it is told which
    assert difference(solved(models, PROMPT, settings, lanes(), guidance, known, source), same) > 1e-3


def test_only_the_base_model_was_taught_parts(base: Path, turbo: Path) -> None:
    spec = roster.recognised(base)[1]
    assert spec.tasks == ("add", "take-out", "alone") and {"drums", "vocals", "strings"} <= set(spec.stems)
    assert roster.recognised(turbo)[1].tasks == () == roster.recognised(turbo)[1].stems


def test_the_turbo_is_the_pipelines_and_ignores_guidance(turbo: Path) -> None:
    models = open_bundle(str(turbo), "cpu")
    for guidance in (1.0, 7.0):
        made = solved(models, PROMPT, FMSettings("euler", 8, schedule="shift"), lanes(), guidance)
        assert difference(made, theirs(turbo, guidance_scale=1.0)) < BOUND
    silent = solved(models, "", FMSettings("euler", 8, schedule="shift"), lanes())
    assert difference(silent, theirs(turbo, "", guidance_scale=1.0)) < BOUND


def test_the_codec_is_the_pipelines_without_its_levels(models: Models, base: Path) -> None:
    codec, vae = models.codec(), pipeline(base, "AceStepPipeline").vae
    with torch.no_grad():
        z, mean = codec.encode(audio(FRAMES * HOP)), vae.encode(audio(FRAMES * HOP)).latent_dist.mode()
        assert z.shape == (1, LATENTS, FRAMES) and difference(z, mean) < BOUND
        assert codec.encode(audio(FRAMES * HOP - 700)).shape == z.shape  # a last frame that is not full
        assert float((codec.decode(z) - vae.decode(mean).sample).abs().max()) < BOUND


def test_long_audio_goes_through_the_codec_in_pieces_to_the_same_end(
    models: Models, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec, z = models.codec(), noise(LATENTS, FRAMES)
    with torch.no_grad():
        whole, sound = codec.encode(audio(FRAMES * HOP)), codec.decode(z)
        monkeypatch.setattr(ace_step, "PIECE", 11)
        assert difference(codec.encode(audio(FRAMES * HOP)), whole) < 1e-5
        assert float((codec.decode(z) - sound).abs().max()) < 1e-5


def test_rows_stand_one_after_another(models: Models) -> None:
    """Each row of each item is what it would be alone, whatever the length of what it reads."""
    rows = (Source(True, True, 1.0), Source(True, False, 1.0), Source(False, False, 1.0))
    told = (lanes(Grid(123.0)), torch.zeros(FRAMES, dtype=torch.bool), torch.zeros(1, LATENTS, FRAMES))
    words, z, net = models.words(PROMPT), noise(LATENTS, FRAMES, batch=2), models.fm()
    with torch.no_grad():
        every = net.velocity(rows, words, *told, 2)(z, 0.3)
        for r, row in enumerate(rows):
            for b in range(2):
                alone = net.velocity((row,), words, *told, 1)(z[b : b + 1], 0.3)
                assert difference(every[2 * r + b : 2 * r + b + 1], alone) < 1e-5


def test_a_checkpoint_that_does_not_fit_is_refused_in_words(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "ace"
    shutil.copytree(base, folder)
    file = folder / "vae" / "config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"decoder_input_channels": 64}))
    with pytest.raises(InputError, match="a transformer over 8 channels; expected 64"):
        roster.recognised(folder)
    with pytest.raises(InputError, match="AR needs a token model"):
        ace_step.load_tokens(folder, roster.recognised(base)[1], torch.device("cpu"))
