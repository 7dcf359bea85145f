"""Bundles: written, opened once, refused when damaged."""

import json
import shutil
import threading
from pathlib import Path

import pytest
import torch

from engines.checkpoints.bundle import BundleSpec
from engines.checkpoints.found import find_checkpoint
from engines.checkpoints.shelf import Models, open_bundle, save_bundle
from engines.errors import Cancelled, InputError
from engines.families.inlay import network_of
from engines.networks.flow_net import FlowNet
from engines.networks.shapes import FlowConfig, LMConfig
from engines.progress import Progress, Stopwatch
from engines.requests import Guidance


def test_a_spec_survives_its_json() -> None:
    spec = BundleSpec(
        "b",
        "CC0-1.0",
        {"mean": 0.5},
        LMConfig(dim=8),
        FlowConfig(dim=16),
        5.0,
        {"ar": {"generate": [2.0, 1.0]}},
    )
    assert BundleSpec.from_json(spec.to_json()) == spec


def test_default_guidance_comes_from_the_bundle_else_from_the_engine() -> None:
    spec = BundleSpec("b", defaults={"ar": {"generate": [2.0, 1.0]}})
    assert spec.guidance("ar", "generate") == Guidance(2.0, 1.0)
    assert spec.guidance("fm", "inpaint") == Guidance(1.0, 0.0)


def test_saved_weights_come_back_in_half_precision(tiny_bundle: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny_bundle, tmp_path / "b")
    torch.manual_seed(3)
    flow = FlowNet(FlowConfig(dim=16, layers=2, heads=2, ff=32))
    spec = save_bundle(
        tmp_path / "b", BundleSpec.from_json((tiny_bundle / "bundle.json").read_text()), flow=flow
    )
    assert spec.flow.dim == 16 and spec.lm.dim == 32  # the other parts stay
    back = network_of(Models(tmp_path / "b", spec, "cpu"))
    for name, weight in flow.state_dict().items():
        assert torch.equal(back.state_dict()[name], weight.half().float())
    assert not back.training and not any(p.requires_grad for p in back.parameters())


def test_every_part_is_loaded_once_even_by_many_threads(tiny_bundle: Path) -> None:
    shared = Models(tiny_bundle, BundleSpec.from_json((tiny_bundle / "bundle.json").read_text()), "cpu")
    assert shared.loads == {}
    got: list[object] = []
    threads = [threading.Thread(target=lambda: got.extend((shared.codec(), shared.ar()))) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shared.loads == {"codec": 1, "ar": 1}
    assert len({id(part) for part in got}) == 2


def test_opening_twice_gives_the_same_models(tiny_bundle: Path) -> None:
    assert open_bundle(str(tiny_bundle), "cpu") is open_bundle(str(tiny_bundle) + "/", "cpu")


def test_a_run_that_waits_for_the_device_can_be_cancelled(tiny_bundle: Path) -> None:
    shared = open_bundle(str(tiny_bundle), "cpu")

    def cancel(progress: Progress) -> None:
        assert progress.stage == "queued"
        raise Cancelled

    with shared.held(Stopwatch(None)), pytest.raises(Cancelled), shared.held(Stopwatch(cancel)):
        pass
    assert not shared.device_lock.locked()


def test_it_says_what_it_holds(tiny_bundle: Path) -> None:
    told = json.loads(json.dumps(find_checkpoint(str(tiny_bundle), "cpu").describe()))
    assert told["name"] == "tiny" and told["licence"] == "CC0-1.0"
    assert told["bytes"]["ar.safetensors"] == (tiny_bundle / "ar.safetensors").stat().st_size


def test_a_missing_folder_file_or_device_is_told(tiny_bundle: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such folder"):
        open_bundle(str(tmp_path / "nowhere"))
    shutil.copytree(tiny_bundle, tmp_path / "b")
    (tmp_path / "b" / "fm.safetensors").unlink()
    with pytest.raises(InputError, match=r"fm\.safetensors is missing"):
        open_bundle(str(tmp_path / "b"))
    with pytest.raises(InputError, match="expected auto, cpu or cuda"):
        open_bundle(str(tiny_bundle), "tpu")


@pytest.mark.parametrize("text", ["", "{", "[]", '{"name": 1}', '{"lm": {"dimm": 3}, "flow": {}}'])
def test_a_damaged_spec_is_told(tiny_bundle: Path, tmp_path: Path, text: str) -> None:
    shutil.copytree(tiny_bundle, tmp_path / "b")
    (tmp_path / "b" / "bundle.json").write_text(text)
    with pytest.raises(InputError, match=r"bundle\.json cannot be used"):
        open_bundle(str(tmp_path / "b"))


@pytest.mark.parametrize("part", ["codec", "ar", "fm"])
def test_damaged_or_foreign_weights_are_told(tiny_bundle: Path, tmp_path: Path, part: str) -> None:
    shutil.copytree(tiny_bundle, tmp_path / "b")
    file = tmp_path / "b" / f"{part}.safetensors"
    whole = file.read_bytes()
    for broken in (
        b"",
        whole[:1000],
        (tiny_bundle / f"{'ar' if part != 'ar' else 'fm'}.safetensors").read_bytes(),
    ):
        file.write_bytes(broken)
        shared = Models(
            tmp_path / "b", BundleSpec.from_json((tmp_path / "b" / "bundle.json").read_text()), "cpu"
        )
        with pytest.raises(InputError, match=rf"{part}\.safetensors cannot be used") as refused:
            getattr(shared, part)()
        assert "\n" not in str(refused.value)
        assert shared.loads == {}
