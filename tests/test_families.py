"""Checkpoints of any family behind one shape: two at once, stereo, limits, names, memory."""

import ast
import re
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

from engines import dispatch
from engines.audio.recording import Recording, from_float
from engines.checkpoints import shelf
from engines.checkpoints.bundle import BundleSpec
from engines.checkpoints.found import find_checkpoint
from engines.checkpoints.shelf import Models, open_bundle, save_bundle
from engines.errors import InputError
from engines.families.roster import FAMILIES
from engines.families.shape import CheckpointSpec
from engines.networks.codec import build_codec
from engines.networks.flow_net import FlowNet
from engines.networks.lm import LM
from engines.networks.shapes import CodecConfig, FlowConfig, LMConfig
from engines.requests import ARSettings, FMSettings, GenerateRequest, InpaintRequest

ROOT = Path(__file__).resolve().parent.parent
QUICK = FMSettings(steps=4, candidates=2, checkpoint="wide")


@pytest.fixture(scope="module")
def wide(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shelf with a stereo checkpoint at another rate and frame rate than the tiny bundle's."""
    folder = tmp_path_factory.mktemp("shelf") / "wide"
    torch.manual_seed(1)
    config = CodecConfig(
        sampling_rate=44_100, num_filters=4, upsampling_ratios=(9, 7, 7, 5), num_lstm_layers=1,
        use_causal_conv=False, codebook_size=32, target_bandwidths=(4 * 5 * 20 / 1000,),
        use_conv_shortcut=False, audio_channels=2,
    )  # fmt: skip
    codec = build_codec(config)
    lm = LM(LMConfig(codebooks=codec.codebooks, codebook_size=32, dim=32, layers=2, heads=2, ff=64))
    flow = FlowNet(FlowConfig(dim=32, layers=2, heads=2, ff=64))
    torch.nn.init.normal_(flow.output_proj.weight, std=0.2)
    spec = BundleSpec(name="wide", licence="CC0-1.0", window_seconds=6.0)
    save_bundle(folder, spec, codec, lm, flow)
    return folder


@pytest.fixture
def shelved(wide: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("INLAY_MODELS", str(wide.parent))
    return wide


@pytest.fixture(scope="module")
def stereo() -> Recording:
    """Four seconds with another tone in each channel."""
    t = np.arange(4 * 48_000) / 48_000
    left, right = 0.3 * np.sin(2 * np.pi * 220 * t), 0.3 * np.sin(2 * np.pi * 554 * t)
    beat = (np.sin(2 * np.pi * 2 * t) > 0.6) * 0.2 * np.random.default_rng(0).standard_normal(len(t))
    return from_float(np.stack([left + beat, right - 0.5 * beat], axis=1), 48_000)


def test_the_spec_says_what_the_weights_are(wide: Path, tiny_bundle: Path) -> None:
    spec = find_checkpoint(str(wide), "cpu").spec
    assert (spec.rate, spec.channels, spec.frame_rate) == (44_100, 2, 20.0)
    embedded = find_checkpoint(str(tiny_bundle), "cpu").spec
    assert (embedded.rate, embedded.channels, embedded.frame_rate) == (32_000, 1, 25.0)
    assert embedded.fm == FMSettings() and "instruments" in embedded.untaken("fm")


def test_two_checkpoints_fill_one_span_side_by_side(models: Models, shelved: Path, stereo: Recording) -> None:
    """AR of one that is mono at 25 Hz, FM of one that is stereo at 20 Hz: each on its own grid."""
    at = InpaintRequest("ar", stereo, 1.51, 2.37, "piano", ar=ARSettings(candidates=2), fm=QUICK)
    mono, both = dispatch.run(at, models), dispatch.run(replace(at, engine="fm"), models)
    a, b = round(1.51 * 48_000), round(2.37 * 48_000)
    for made in (mono, both):
        assert np.array_equal(made.audio.samples[:a], stereo.samples[:a])
        assert np.array_equal(made.audio.samples[b:], stereo.samples[b:])
        assert not np.array_equal(made.audio.samples[a:b], stereo.samples[a:b])
    assert (mono.parameters["bundle"], both.parameters["bundle"]) == (models.spec.name, "wide")
    again = dispatch.run(replace(at, engine="fm"), models)
    assert np.array_equal(again.audio.samples, both.audio.samples)
    auto = dispatch.run(replace(at, engine="auto", patience=100.0), models)
    assert auto.comparison is not None and auto.comparison.scores


def test_a_stereo_model_hears_and_gives_stereo(models: Models, shelved: Path, stereo: Recording) -> None:
    clip = dispatch.run(GenerateRequest("fm", "piano", 2.0, fm=QUICK), models).audio
    assert (clip.channels, clip.rate, clip.length) == (2, 44_100, 2 * 44_100)
    assert not np.array_equal(clip.samples[:, 0], clip.samples[:, 1])
    request = InpaintRequest("fm", stereo, 1.5, 2.4, fm=QUICK)
    turned = replace(request, source=replace(stereo, samples=stereo.samples[:, ::-1].copy()))
    heard = [dispatch.run(one, models).audio.samples for one in (request, turned)]
    # what comes depends on which channel holds what: a mono model would hear no difference
    assert not np.array_equal(heard[0], heard[1][:, ::-1])
    one = from_float(stereo.samples[:, 0] / 2**15, 48_000)
    assert dispatch.run(replace(request, source=one), models).audio.channels == 1


def test_limits_are_those_of_the_checkpoint(models: Models, shelved: Path, stereo: Recording) -> None:
    long = GenerateRequest("fm", "x", 7.0, fm=QUICK)
    assert "expected 1-6 s" in dispatch.supports(long, models).reason
    assert dispatch.supports(replace(long, fm=FMSettings()), models)
    brief = InpaintRequest("fm", stereo, 1.0, 1.09, fm=QUICK)
    assert "at least 0.1 s" in dispatch.supports(brief, models).reason
    assert dispatch.supports(replace(brief, fm=FMSettings()), models)
    only = CheckpointSpec("flows", "Flows only", engines=("fm",))
    told = dispatch.supports(GenerateRequest("ar", "x", 2.0), Known(only)).reason
    assert told == "engine 'ar': Flows only does not have it; choose fm, or another checkpoint"


class Known:
    """A checkpoint of which only the spec is known."""

    def __init__(self, spec: CheckpointSpec) -> None:
        self.spec = spec

    def serving(self, name: str) -> "Known":
        return self


@pytest.mark.parametrize("name", ["nobody", "../wide", "/etc", "wide/../wide", "~"])
def test_a_request_names_no_path(models: Models, shelved: Path, name: str) -> None:
    assert models.serving("") is models and models.serving("wide").spec.name == "wide"
    with pytest.raises(InputError, match="none of that name is here"):
        models.serving(name)


def test_a_folder_that_no_family_knows_is_told(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")
    with pytest.raises(InputError, match="no checkpoint lies there that Inlay knows"):
        find_checkpoint(str(tmp_path), "cpu")


def test_the_first_gives_way_where_the_second_needs_its_memory(
    tiny_bundle: Path, wide: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shelf, "_open", {})
    first, second = open_bundle(str(tiny_bundle), "cpu"), open_bundle(str(wide), "cpu")
    first.codec()
    need = second.need
    monkeypatch.setattr(shelf, "free_bytes", lambda device: need - 1 if first.loaded else 2 * need)
    second.codec()
    assert first.loaded == () and second.loaded == ("codec",)
    second.free()
    first.codec()  # comes back at its next use
    assert first.loads["codec"] == 2
    first.free()
    monkeypatch.setattr(shelf, "free_bytes", lambda device: 0)
    with pytest.raises(InputError, match=r"GB of memory are missing"):
        second.codec()


def test_one_run_at_a_time_on_a_device_whatever_the_checkpoint(tiny_bundle: Path, wide: Path) -> None:
    assert open_bundle(str(tiny_bundle), "cpu").device_lock is open_bundle(str(wide), "cpu").device_lock


def test_no_engine_and_no_page_knows_a_family_by_name() -> None:
    """Families are named where they are read and where they are listed, in no other code."""
    names = {family.name for family in FAMILIES} | {family.module.rpartition(".")[2] for family in FAMILIES}
    told = sorted((names - {"inlay"}) | {"stable[-_ ]?audio", "musicgen", "jasco", "ace[-_ ]step"})
    words = re.compile(rf"\b({'|'.join(told)})", re.IGNORECASE)
    allowed = ("engines/families/", "engines/checkpoints/catalogue.py", "engines/networks/")
    asked = [
        path
        for room in ("engines", "editor", "assets/page")
        for path in (ROOT / room).rglob("*")
        if path.suffix in (".py", ".js") and "vendor" not in path.parts
    ]
    found = [
        f"{path.relative_to(ROOT)}: {text.strip()[:80]}"
        for path in asked
        if not str(path.relative_to(ROOT)).startswith(allowed)
        for text in _code(path)
        if words.search(text)
    ]
    assert len(asked) > 200
    assert not found


def _code(path: Path) -> list[str]:
    """What a module does, without what it tells of itself: comments and docstrings."""
    text = path.read_text()
    if path.suffix == ".js":
        return re.sub(r"/\*.*?\*/|//[^\n]*", "", text, flags=re.DOTALL).splitlines()
    tree = ast.parse(text)
    for node in ast.walk(tree):
        if (
            isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
            and ast.get_docstring(node) is not None
        ):
            node.body[0] = ast.Pass()
    return ast.unparse(tree).splitlines()
