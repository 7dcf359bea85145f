"""Stable Audio 3 on a tiny checkpoint in the released format: the same as its own pipelines."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

from engines.checkpoints.shelf import Models, open_bundle
from engines.errors import InputError
from engines.families import pretrained, roster, stable_audio
from engines.networks.lane_frames import Lanes, lanes_from
from engines.requests import Controls, FMSettings, Guidance
from engines.sampling.guidance import Source
from tests.checkpoints.asking import audio, difference, noise, pipeline, solved
from tests.checkpoints.stable_audio import LATENTS, SECONDS, save_tiny_stable_audio

pytestmark = pytest.mark.slow  # diffusers alone takes seconds to import

FRAMES, HOP, RATE = 24, 4096, 44_100
LENGTH = FRAMES * HOP / RATE  # seconds
PROMPT = "slow jazz trio with brushed drums"
BOUND = 1e-5


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny base checkpoint: Euler, no noise on the way."""
    return save_tiny_stable_audio(tmp_path_factory.mktemp("sa3") / "tiny-base", "base")


@pytest.fixture(scope="module")
def post(base: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same weights, saved as post-trained for few noisy steps."""
    folder = tmp_path_factory.mktemp("sa3") / "tiny-post"
    shutil.copytree(base, folder)
    file = folder / "scheduler" / "scheduler_config.json"
    file.write_text(json.dumps(json.loads(file.read_text()) | {"stochastic_sampling": True}))
    return folder


@pytest.fixture(scope="module")
def models(base: Path) -> Models:
    """The base checkpoint, opened."""
    torch.set_num_threads(1)
    return open_bundle(str(base), "cpu")


def no_lanes() -> Lanes:
    return lanes_from(Controls(), FRAMES, RATE / HOP, 0.0)


def begun(batch: int = 1) -> Tensor:
    return noise(LATENTS, FRAMES, batch=batch)


def sound(samples: int = FRAMES * HOP) -> Tensor:
    return audio(samples)


def ours(models: Models, settings: FMSettings, **more: Any) -> Tensor:
    return solved(models, PROMPT, settings, no_lanes(), **more)


def test_the_spec_is_what_the_configurations_say(base: Path, post: Path) -> None:
    family, spec = roster.recognised(base)
    assert family.name == "stable-audio-3" and spec.title == "Stable Audio 3 small base"
    assert (spec.rate, spec.channels, spec.window_seconds) == (RATE, 2, SECONDS)
    assert spec.frame_rate == pytest.approx(RATE / HOP)
    assert (spec.fm.solver, spec.fm.steps, spec.fm.schedule) == ("euler", 100, "log-snr")
    assert spec.engines == ("fm", "fm-zero-shot") and "Stability" in spec.licence
    assert spec.untaken("fm") == ("chords", "melody", "drums", "instruments", "grid")
    trained = roster.recognised(post)[1]
    assert trained.title == "Stable Audio 3 small"
    assert (trained.fm.solver, trained.fm.steps) == ("ping-pong", 8)
    assert trained.guidance("fm", "generate") == Guidance(1.0, 0.0)


def test_the_field_and_euler_are_the_pipelines(models: Models, base: Path) -> None:
    made = ours(models, FMSettings("euler", 20, schedule="log-snr"))
    theirs = pipeline(base, "StableAudio3Pipeline")(
        PROMPT, LENGTH - 1e-9, num_inference_steps=20, latents=begun(), output_type="latent"
    )
    assert difference(made, theirs.audios) < BOUND


def test_guidance_is_the_pipelines(models: Models, base: Path) -> None:
    made = ours(models, FMSettings("euler", 12, schedule="log-snr"), guidance=4.0)
    theirs = pipeline(base, "StableAudio3Pipeline")(
        PROMPT,
        LENGTH - 1e-9,
        num_inference_steps=12,
        latents=begun(),
        output_type="latent",
        guidance_scale=4.0,
    )
    assert difference(made, theirs.audios) < BOUND
    assert difference(made, ours(models, FMSettings("euler", 12, schedule="log-snr"))) > 0.01


@pytest.mark.parametrize("spans", [[(8, 15)], [(3, 7), (12, 20)]], ids=["one", "two"])
def test_inpainting_is_the_pipelines(models: Models, base: Path, spans: list[tuple[int, int]]) -> None:
    known = torch.ones(FRAMES, dtype=torch.bool)
    for a, b in spans:
        known[a:b] = False
    with torch.no_grad():
        source = models.codec().encode(sound())
    made = ours(models, FMSettings("euler", 16, schedule="log-snr"), known=known, source=source)
    theirs = pipeline(base, "StableAudio3InpaintPipeline")(
        PROMPT,
        LENGTH - 1e-9,
        audio=sound(),
        mask_start_seconds=[a * HOP / RATE + 1e-6 for a, _ in spans],
        mask_end_seconds=[b * HOP / RATE + 1e-6 for _, b in spans],
        num_inference_steps=16,
        latents=begun(),
        output_type="latent",
    )
    assert difference(made, theirs.audios) < BOUND
    assert difference(made, ours(models, FMSettings("euler", 16, schedule="log-snr"))) > 0.01


@pytest.mark.parametrize("filled", [False, True], ids=["generate", "inpaint"])
def test_ping_pong_is_the_pipelines(models: Models, post: Path, filled: bool) -> None:
    known = torch.ones(FRAMES, dtype=torch.bool)
    known[9:17] = False
    with torch.no_grad():
        source = models.codec().encode(sound())
    told = {"known": known, "source": source} if filled else {}
    made = ours(models, FMSettings("ping-pong", 8, schedule="log-snr"), fresh=5, **told)
    theirs = pipeline(post, "StableAudio3InpaintPipeline" if filled else "StableAudio3Pipeline")
    more = {"audio": sound(), "mask": known.float().view(1, 1, -1)} if filled else {}
    generator = torch.Generator().manual_seed(5)
    latents = theirs(
        PROMPT, LENGTH - 1e-9, latents=begun(), output_type="latent", generator=generator, **more
    ).audios
    assert difference(made, latents) < BOUND


def test_the_codec_is_the_pipelines(models: Models, base: Path) -> None:
    codec, vae = models.codec(), pipeline(base, "StableAudio3Pipeline").vae
    samples = FRAMES * HOP - 1000  # a last frame that is not full
    with torch.no_grad():
        z, theirs = codec.encode(sound(samples)), vae.encode(sound(samples)).latents
        assert z.shape == (1, LATENTS, FRAMES) and difference(z, theirs) < BOUND
        made, same = codec.decode(z), vae.decode(theirs).sample
    assert made.shape == (1, 2, FRAMES * HOP)
    assert float((made - same).abs().max()) < BOUND


def test_long_audio_goes_through_the_codec_in_pieces_to_the_same_end(
    models: Models, base: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    codec = models.codec()
    with torch.no_grad():
        whole, made = codec.encode(sound()), codec.decode(begun())
        monkeypatch.setattr(stable_audio, "PIECE", 7)
        assert difference(codec.encode(sound()), whole) < BOUND
        assert float((codec.decode(begun()) - made).abs().max()) < BOUND
        other = begun()
        other[..., 10] += 1.0
        far = (codec.decode(other) - made).abs().amax(dim=(0, 1)).view(FRAMES, HOP).amax(dim=1) > 1e-6
    assert codec.reach == 2 and {10} < set(far.nonzero().flatten().tolist()) <= {8, 9, 10, 11, 12}


def test_rows_stand_one_after_another(models: Models) -> None:
    """Each row of each item is what it would be alone, and words of none are the empty prompt's."""
    rows = (Source(True, False, 1.0), Source(False, False, 1.0))
    told = (no_lanes(), torch.zeros(FRAMES, dtype=torch.bool), torch.zeros(1, LATENTS, FRAMES))
    z = begun(batch=3)
    net = models.fm()
    with torch.no_grad():
        every = net.velocity(rows, models.words(PROMPT), *told, 3)(z, 0.3)
        for r, words in enumerate((models.words(PROMPT), models.words(""))):
            for b in range(3):
                alone = net.velocity(rows[:1], words, *told, 1)(z[b : b + 1], 0.3)
                assert difference(every[3 * r + b : 3 * r + b + 1], alone) < BOUND
        silent = net.velocity(rows[1:], None, *told, 3)(z, 0.3)
    assert difference(silent, every[3:]) < BOUND


def test_a_damaged_checkpoint_is_refused_in_words(base: Path, tmp_path: Path) -> None:
    folder = tmp_path / "sa3"
    shutil.copytree(base, folder)
    (folder / "vae" / "diffusion_pytorch_model.safetensors").unlink()
    with pytest.raises(InputError, match=r"vae/ holds no weights"):
        roster.recognised(folder)
    (folder / "vae" / "config.json").write_text("{")
    with pytest.raises(InputError, match=r"vae/config\.json is missing or damaged"):
        roster.recognised(folder)
    with pytest.raises(InputError, match="AR needs a token model"):
        stable_audio.load_tokens(folder, roster.recognised(base)[1], torch.device("cpu"))


def test_weights_that_are_missing_are_not_left_random(base: Path, tmp_path: Path) -> None:
    from safetensors.torch import load_file, save_file

    folder = tmp_path / "sa3"
    shutil.copytree(base, folder)
    file = folder / "transformer" / "diffusion_pytorch_model.safetensors"
    save_file({k: w for k, w in load_file(file).items() if "proj_in" not in k}, file)
    with pytest.raises(InputError, match=r"5 weights are missing, such as"):
        open_bundle(str(folder), "cpu").fm()


def test_a_missing_library_is_named_with_what_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "diffusers", None)
    with pytest.raises(InputError, match=r"pip install 'inlay\[models\]'"):
        pretrained.library("diffusers")
