"""Released checkpoints, converted: same tensors, same spec, same sound as those that diffusers saves."""

from __future__ import annotations

import json
import shutil
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file

from engines.errors import Cancelled, InputError
from engines.families import roster, stable_audio
from engines.families.released.conversion import convert, files_in, format_of
from engines.families.released.tensors import table
from engines.networks.lane_frames import lanes_from
from engines.progress import Progress
from engines.requests import Controls
from engines.sampling.guidance import Source
from tests.checkpoints.ace_step import save_tiny_ace_step
from tests.checkpoints.asking import noise
from tests.checkpoints.released import State, release_ace_step, release_stable_audio
from tests.checkpoints.stable_audio import save_tiny_stable_audio

pytestmark = pytest.mark.slow  # diffusers alone takes seconds to import

Released = Callable[[Path], Path]
FRAMES = 24


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """Tiny checkpoints as diffusers saves them."""
    home = tmp_path_factory.mktemp("saved")
    torch.set_num_threads(1)
    return {
        "post": save_tiny_stable_audio(home / "post", "post"),
        "base": save_tiny_stable_audio(home / "base", "base"),
        "turbo": save_tiny_ace_step(home / "turbo", "turbo"),
        "plain": save_tiny_ace_step(home / "plain", "base"),
    }


def release(saved: dict[str, Path], name: str, target: Path, text: str = "beside") -> Path:
    target.mkdir()
    if name in ("post", "base"):
        return release_stable_audio(saved[name], target, text)
    return release_ace_step(saved[name], target, "acestep-v15-tiny")


def weights(folder: Path) -> State:
    found: State = {}
    for file in folder.rglob("*.safetensors"):
        part = file.relative_to(folder).parent.as_posix()
        found |= {f"{part}/{key}": weight for key, weight in load_file(file).items()}
    return found


def velocity(folder: Path) -> torch.Tensor:
    family, spec = roster.recognised(folder)
    module = roster.module_of(family)
    flow = module.load_flow(folder, spec, torch.device("cpu"))
    words = module.load_words(folder, spec, torch.device("cpu")).encode(["slow jazz trio"])
    z = noise(16 if family.name == "stable-audio-3" else 8, FRAMES)
    known = torch.arange(FRAMES) < 9
    seen = [Source(True, True, 1.0)]
    lanes = lanes_from(Controls(), FRAMES, spec.frame_rate, 0.0)
    with torch.inference_mode():
        return flow.velocity(seen, words, lanes, known, z, 1)(z, 0.25)


@pytest.mark.parametrize(
    ("name", "text"), [("post", "beside"), ("base", "within"), ("turbo", ""), ("plain", "")]
)
def test_a_converted_checkpoint_is_the_one_that_was_released(
    saved: dict[str, Path], tmp_path: Path, name: str, text: str
) -> None:
    source = release(saved, name, tmp_path / "source", text)
    with pytest.raises(InputError, match="no checkpoint lies there that Inlay knows"):
        roster.recognised(source)
    reports: list[Progress] = []
    made = convert(source, tmp_path / name, reports.append)
    theirs, ours = weights(saved[name]), weights(made)
    assert set(ours) == set(theirs)
    wrong = [key for key, weight in theirs.items() if not torch.equal(weight, ours[key])]
    assert not wrong
    assert roster.recognised(made) == roster.recognised(saved[name])
    assert torch.equal(velocity(made), velocity(saved[name]))
    steps = [report.step for report in reports]
    assert steps == sorted(steps) and (steps[0], steps[-1]) == (0, reports[0].total)
    assert {report.stage for report in reports} == {"convert"}


@pytest.mark.parametrize("dtype", [torch.bfloat16, torch.float16])
def test_numbers_keep_their_type(saved: dict[str, Path], tmp_path: Path, dtype: torch.dtype) -> None:
    def halve(state: State) -> None:
        state |= {key: weight.to(dtype) for key, weight in state.items()}

    (tmp_path / "source").mkdir()
    source = release_stable_audio(saved["post"], tmp_path / "source", change=halve)
    made = weights(convert(source, tmp_path / "made"))
    assert {w.dtype for key, w in made.items() if key.startswith("transformer")} == {dtype}
    theirs = weights(saved["post"])
    same = [
        torch.equal(w, theirs[key].to(dtype)) for key, w in made.items() if key.startswith(("vae", "trans"))
    ]
    assert len(same) > 90 and all(same)


@pytest.mark.parametrize(
    "name",
    [
        "model.model.transformer.layers.1.cross_attn.to_kv.weight",
        "model.model.transformer.layers.0.self_attn.to_qkv.weight",
        "pretransform.model.decoder.layers.3.transformers.1.ff.ff.2.bias",
        "pretransform.model.bottleneck.running_std",
        "conditioner.conditioners.prompt.padding_embedding",
        "conditioner.conditioners.seconds_total.embedder.embedding.1.weight",
    ],
)
def test_a_missing_weight_of_stable_audio_is_named(saved: dict[str, Path], tmp_path: Path, name: str) -> None:
    (tmp_path / "source").mkdir()

    def lose(state: State) -> None:
        del state[name]

    source = release_stable_audio(saved["post"], tmp_path / "source", change=lose)
    with pytest.raises(InputError, match=f"the weight {name} is missing; get the checkpoint again"):
        convert(source, tmp_path / "made")
    assert {child.name for child in tmp_path.iterdir()} == {"source"}


@pytest.mark.parametrize(
    "name",
    [
        "decoder.layers.1.cross_attn.o_proj.weight",
        "encoder.timbre_encoder.special_token",
        "null_condition_emb",
    ],
)
def test_a_missing_weight_of_ace_step_is_named(saved: dict[str, Path], tmp_path: Path, name: str) -> None:
    def lose(state: State) -> None:
        del state[name]

    source = release_ace_step(saved["plain"], tmp_path / "source", "acestep-v15-tiny", lose)
    with pytest.raises(InputError, match=f"the weight {name} is missing; get the checkpoint again"):
        convert(source, tmp_path / "made")


def test_a_weight_that_nobody_knows_is_named(saved: dict[str, Path], tmp_path: Path) -> None:
    def more(state: State) -> None:
        state["model.model.timestep_features.weight"] = torch.ones(8, 1)

    (tmp_path / "source").mkdir()
    source = release_stable_audio(saved["post"], tmp_path / "source", change=more)
    with pytest.raises(InputError, match=r"not known here \(model.model.timestep_features.weight\); update"):
        convert(source, tmp_path / "made")


def test_a_missing_field_and_a_missing_file_are_named(saved: dict[str, Path], tmp_path: Path) -> None:
    source = release(saved, "post", tmp_path / "sa3")
    config = json.loads((source / "model_config.json").read_text())
    del config["model"]["pretransform"]["config"]["encoder"]["config"]["strides"]
    (source / "model_config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="the field strides is missing"):
        convert(source, tmp_path / "made")
    config["model"]["pretransform"]["config"]["encoder"]["config"]["strides"] = ["wide"]
    (source / "model_config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match="have not the shape of stable-audio-tools"):
        convert(source, tmp_path / "made")
    source = release(saved, "turbo", tmp_path / "ace")
    (source / "acestep-v15-tiny" / "silence_latent.pt").unlink()
    with pytest.raises(InputError, match=r"silence_latent\.pt is missing"):
        convert(source, tmp_path / "made")
    (source / "acestep-v15-tiny" / "model.safetensors").write_bytes(b"short")
    with pytest.raises(InputError, match="no whole safetensors file"):
        convert(source, tmp_path / "made")
    with pytest.raises(InputError, match="no released checkpoint lies there"):
        convert(tmp_path / "nothing", tmp_path / "made")


def test_what_the_configuration_does_not_say_the_name_does(saved: dict[str, Path], tmp_path: Path) -> None:
    for name, trained in (("some-base", False), ("some", True)):
        source = release(saved, "post", tmp_path / name)
        config = json.loads((source / "model_config.json").read_text())
        del config["model"]["diffusion"]["diffusion_objective"]
        (source / "model_config.json").write_text(json.dumps(config))
        made = convert(source, tmp_path / f"made-{name}")
        spec = roster.recognised(made)[1]
        assert spec.fm.solver == ("ping-pong" if trained else "euler")
        assert replace(roster.recognised(saved["post"])[1], name=spec.name) == spec or not trained


@pytest.mark.parametrize("by", ["hook", "event"])
def test_stopped_in_the_middle_it_leaves_nothing(saved: dict[str, Path], tmp_path: Path, by: str) -> None:
    source = release(saved, "post", tmp_path / "source")
    stop = threading.Event()

    def enough(report: Progress) -> None:
        if report.step > report.total // 2:
            if by == "hook":
                raise Cancelled
            stop.set()

    with pytest.raises(Cancelled):
        convert(source, tmp_path / "made", enough, stop)
    assert {child.name for child in tmp_path.iterdir()} == {"source"}


@pytest.fixture(scope="module")
def small(saved: dict[str, Path], tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tiny checkpoint whose codec is of the small one's kind: blocks of frames, a kernel of three."""
    home = tmp_path_factory.mktemp("small")
    folder = home / "saved"
    shutil.copytree(saved["post"], folder)
    file = folder / "vae" / "config.json"
    shape = json.loads(file.read_text())
    file.write_text(json.dumps(shape | {"inlay_chunk_size": 32, "inlay_chunk_moved": True}))
    file = folder / "vae" / "diffusion_pytorch_model.safetensors"
    state = load_file(file)
    key = "decoder.blocks.0.mapping.weight_v"
    state[key] = torch.randn(*state[key].shape[:2], 3, generator=torch.Generator().manual_seed(5))
    save_file(state, file)
    (home / "source").mkdir()
    return convert(release_stable_audio(folder, home / "source"), home / "small")


def in_pairs(tokens: torch.Tensor, layers: Any) -> torch.Tensor:
    """Segments [n, 17, C] through layers two by two, as the makers' own code is described."""
    made = []
    for first, second in zip(tokens[::2], tokens[1::2], strict=True):
        pair = torch.cat([first, second])[None]
        for layer in layers:
            pair = layer(pair)
        made += list(pair[0].split(17))
    return torch.stack(made)


@pytest.mark.parametrize("frames", [2, 7, 12])
def test_a_small_codec_attends_within_pairs_of_frames(small: Path, frames: int) -> None:
    _, spec = roster.recognised(small)
    codec = stable_audio.load_codec(small, spec, torch.device("cpu"))
    block = codec.network.decoder.blocks[0]
    x = noise(32, frames)
    with torch.inference_mode():
        padded = torch.nn.functional.pad(x, (0, frames % 2))[0].T  # [T, C]
        segments = torch.cat([padded[:, None], block.new_tokens.expand(len(padded), 16, -1)], dim=1)
        layers = list(block.transformers)
        segments = in_pairs(segments, layers[:1])
        segments = in_pairs(torch.cat([segments[:1], segments, segments[-1:]]), layers[1:])[1:-1]
        expected = block.mapping(segments[:, 1:].reshape(1, -1, 32).transpose(1, 2))[..., : 16 * frames]
        made = block(x)
        assert block.mapping.weight_v.shape[-1] == 3
        assert made.shape == (1, 512, 16 * frames) and torch.allclose(made, expected, atol=1e-5)


def test_a_small_codec_does_long_audio_piece_by_piece(small: Path) -> None:
    _, spec = roster.recognised(small)
    codec = stable_audio.load_codec(small, spec, torch.device("cpu"))
    frames = 2 * stable_audio.PIECE + 25
    with torch.inference_mode():
        z = noise(16, frames)
        whole = codec.network.decode(z).sample
        assert torch.allclose(codec.decode(z), whole, atol=1e-4 * float(whole.abs().max()))
        sound = whole[..., : frames * 4096 - 1000]
        latents = codec.network.encode(torch.nn.functional.pad(sound, (0, 1000))).latents
        made = codec.encode(sound)
        assert made.shape == latents.shape == z.shape
        assert torch.allclose(made, latents, atol=1e-4 * float(latents.abs().max()))


def test_a_diffusers_folder_is_not_released(saved: dict[str, Path]) -> None:
    assert all(format_of(files_in(folder)) is None for folder in saved.values())


def test_a_table_is_read_as_the_library_reads_it(saved: dict[str, Path]) -> None:
    file = next((saved["post"] / "vae").glob("*.safetensors"))
    read = table(file)
    assert {name: one.shape for name, one in read.items()} == {
        n: tuple(w.shape) for n, w in load_file(file).items()
    }
    weight = read["decoder.proj.bias"]
    data = file.read_bytes()[weight.begin : weight.end]
    assert torch.equal(
        torch.frombuffer(bytearray(data), dtype=torch.float32), load_file(file)["decoder.proj.bias"]
    )
