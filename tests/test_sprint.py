"""The sprint: what travels, what comes back, and the whole course on a processor."""

from __future__ import annotations

import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file, save_file

from engines.checkpoints.shelf import open_bundle
from engines.dispatch import run as fill
from engines.networks.text import TextEncoder
from engines.requests import Controls, FMSettings, GenerateRequest, Part
from study.data.captions import caption
from study.data.corpus import PAIRS, arrange
from study.data.dataset import Dataset, labels_of
from study.data.render import Sources
from study.sprint import cores, pieces, run, stages
from study.sprint.codec import Crops
from study.sprint.pack import _without, refuse_too_heavy
from study.sprint.plan import Clock, Plan, going_on, write_plan
from study.sprint.resident import Resident
from study.sprint.vocabulary import PACKAGE, cut_encoder


def noise(seed: int, sources: Sources) -> tuple[np.ndarray, dict[str, Any]]:
    """A clip as `study.data.render.clip` gives it, without a SoundFont."""
    from dataclasses import asdict

    piece, rng = arrange(seed), np.random.default_rng(seed)
    label = {
        "seed": seed, "captions": [caption(piece, s) for s in range(2)], "bpm": piece.bpm,
        "beats_per_bar": piece.beats_per_bar, "downbeats": list(piece.downbeats),
        "chords": [asdict(c) for c in piece.chords], "melody": [asdict(m) for m in piece.melody],
        "hits": [asdict(h) for h in piece.hits], "parts": [asdict(p) for p in piece.parts],
    }  # fmt: skip
    return (3000 * rng.standard_normal(384_000)).astype(np.int16), label


@pytest.fixture(scope="module")
def state(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Three shards as the cores leave them."""
    folder, sources = tmp_path_factory.mktemp("state"), Sources(())
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(cores, "clip", noise)
        for job in cores.jobs(folder / "data", sources, 8 * 12 / 3600, 4, 4):
            cores.work(job)
    return folder


def test_the_cores_render_pairs_singles_and_held_out_clips_once(state: Path) -> None:
    assert (
        len(labels_of(state / "data" / "train_pairs")) == 6 and len(labels_of(state / "data" / "train")) == 2
    )
    assert labels_of(state / "data" / "train_pairs")[0]["seed"] == PAIRS
    assert labels_of(state / "data" / "held_out")[0]["seed"] > 1_000_000_000
    assert not cores.jobs(state / "data", Sources(()), 8 * 12 / 3600, 4, 4)


def test_crops_are_cut_from_what_has_been_rendered_and_from_recordings(state: Path, tmp_path: Path) -> None:
    crops = Crops([state / "data" / "train_pairs"], tmp_path, 5, 384_000, "cpu")
    crops.load()
    crops.load()
    assert crops.filled == 5, "no more than there is room for"
    crops.recorded = torch.full((2, 320_000), 30, dtype=torch.int16)
    batch = crops.batch(4, 3200)
    assert batch.shape == (4, 1, 3200) and 0.08 < float(batch[0].std()) < 0.1
    assert 0.008 < float(batch[3].mean()) < 0.02, "a quiet recording is raised, tenfold at most"


def test_what_lies_on_the_device_is_what_the_data_set_gives(state: Path) -> None:
    folder = state / "data" / "train_pairs"
    for shard in sorted(folder.glob("audio_*.npy")):
        rng, many = np.random.default_rng(0), len(np.load(shard, mmap_mode="r"))
        latents = rng.standard_normal((many, 8, 300)).astype(np.float16)
        np.save(shard.with_name(shard.name.replace("audio", "latents")), latents)
        np.save(
            shard.with_name(shard.name.replace("audio", "codes")),
            rng.integers(0, 16, (many, 4, 300)).astype(np.uint16),
        )
    try:
        plain = Dataset(folder, 0.5, 2.0, 25.0, 3, codes=True)
        resident = Resident(folder, 0.5, 2.0, 25.0, 3, codes=True, device="cpu")
        a, b = plain.batch(5, 100, twins=True), resident.batch(5, 100, twins=True)
    finally:
        for kind in ("latents", "codes"):
            for path in folder.glob(f"{kind}_*.npy"):
                path.unlink()
    for one, other in ((a, b), (a.twins, b.twins)):
        assert one is not None and other is not None and one.z is not None and one.codes is not None
        assert torch.equal(one.z, other.z) and torch.equal(one.codes, other.codes)  # type: ignore[arg-type]
        for x, y in zip(one.lanes.tensors, other.lanes.tensors, strict=True):
            assert x.dtype == y.dtype and torch.allclose(x.float(), y.float(), atol=1e-3)
        longest = one.text.tokens.shape[1]
        assert (
            torch.equal(one.text.tokens, other.text.tokens[:, :longest])
            and not other.text.mask[:, longest:].any()
        )
        assert torch.equal(one.text.pooled, other.text.pooled)
    assert (plain.twins == np.array([1, 0, 3, 2, 5, 4])).all()


@pytest.mark.slow
def test_the_whole_course_makes_a_bundle_that_generates(state: Path, tmp_path: Path) -> None:
    plan = replace(
        Plan.tiny(0.15), width=8, dim=32, layers=2, codebook_size=16, every=2.0, compile_from=1e9,
    )  # fmt: skip
    for turn in (plan, going_on(replace(plan, minutes=0.08))):
        write_plan(turn, Clock(time.time(), time.time() + 60 * turn.minutes), state / "plan.json")
        sprint = stages.Sprint(state, tmp_path / "pack", tmp_path / "out", "cpu")
        assert stages.go(sprint, stages.stages_of(["codec", "encode", "fm", "ar"]))
    sent = list((tmp_path / "out").iterdir())
    assert {p.name for p in sent} == {"codec.0", "ar.0", "fm.0", "notes.zip"}
    assert pieces.unpack(tmp_path / "out", tmp_path / "bundle") == ["codec", "ar", "fm"]
    rows = (tmp_path / "bundle" / "fm.csv").read_text().splitlines()
    assert rows[0].startswith("step,seconds,loss,given,shuffled,no_lanes") and len(rows) > 1
    models = open_bundle(str(tmp_path / "bundle"), "cpu")
    assert models.spec.flow.band and models.spec.lm.band
    lanes = Controls(instruments=(Part(0.0, 1.0, "piano"),))
    for engine in ("fm", "ar"):
        request = GenerateRequest(engine, "jazz", 1.0, 0, lanes, fm=FMSettings("euler", 2, candidates=1))  # type: ignore[arg-type]
        assert abs(fill(request, models).audio.seconds - 1.0) < 0.05


def test_a_stage_that_fails_leaves_the_others_out_or_alone(state: Path, tmp_path: Path, capsys: Any) -> None:
    class Broken:
        state, clock = tmp_path, Clock(0.0, 1.0)
        halved = 0

        def train_codec(self) -> None:
            (tmp_path / "codec").mkdir()
            (tmp_path / "codec" / "codec.pt").touch()

        def encode(self) -> None:
            raise RuntimeError("no disk")

        def train_fm(self) -> None:
            if not self.halved:
                raise torch.OutOfMemoryError("too large")

        def halve(self) -> None:
            self.halved += 1

    broken = Broken()
    assert not stages.go(broken, ["encode"])  # type: ignore[arg-type]
    assert "there is no codec" in capsys.readouterr().out
    assert not stages.go(broken, ["train_codec", "encode", "train_fm"])  # type: ignore[arg-type]
    assert broken.halved == 1
    assert stages.go(broken, ["train_fm"])  # type: ignore[arg-type]


def test_weights_come_back_whole_or_a_byte_each(tmp_path: Path) -> None:
    torch.manual_seed(0)
    weights = {
        "a.blocks.0.weight": torch.randn(64, 3, 5).half(),
        "a.bias": torch.randn(64).half(),
        "heads.weight": torch.randn(7, 9).half(),
        "input_proj.weight": torch.randn(7, 9).half(),
    }
    (tmp_path / "bundle.json").write_text("{}")
    save_file(weights, tmp_path / "fm.safetensors")
    for packed, error in ((False, 0.0), (True, 0.02)):
        pieces.send(tmp_path, "fm", tmp_path / "out", packed)
        pieces.send_notes(tmp_path, {}, tmp_path / "out")
        pieces.unpack(tmp_path / "out", tmp_path / "back")
        back = load_file(tmp_path / "back" / "fm.safetensors")
        assert {k: v.dtype for k, v in back.items()} == {k: v.dtype for k, v in weights.items()}
        worst = max(float((back[k] - weights[k]).abs().max()) for k in weights)
        assert worst <= error
    assert all(torch.equal(back[k], weights[k]) for k in ("a.bias", "input_proj.weight"))


def test_pieces_of_a_longer_version_do_not_stay(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "PIECE", 1000)
    for size, names in ((4000, ["fm.0", "fm.1"]), (600, ["fm.0"])):
        (tmp_path / "fm.safetensors").write_bytes(bytes(size // 2))
        pieces.send(tmp_path, "fm", tmp_path / "out", False)
        assert sorted(p.name for p in (tmp_path / "out").iterdir()) == names
    assert pieces.bytewise({"a": 7001, "b": 1}) and not pieces.bytewise({"a": 6000, "b": 1})


def test_the_cut_encoder_says_the_same_of_captions(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    told = [caption(arrange(seed), 0) for seed in range(4)]
    whole = TextEncoder().encode(told)
    assert cut_encoder(tmp_path, " ".join(told)) < 300
    monkeypatch.syspath_prepend(str(tmp_path))
    import importlib
    import sys

    monkeypatch.delitem(sys.modules, PACKAGE, raising=False)
    importlib.invalidate_caches()
    cut = TextEncoder().encode(told)
    assert (tmp_path / PACKAGE / "model" / "model.safetensors").stat().st_size < 25e6
    assert torch.equal(cut.mask, whole.mask) and torch.allclose(cut.tokens, whole.tokens, atol=0.05)
    assert torch.allclose(cut.pooled, whole.pooled, atol=0.02)


def test_a_pack_that_is_too_heavy_is_refused_and_a_soundfont_under_gpl_stays_behind(tmp_path: Path) -> None:
    import zipfile

    refuse_too_heavy({"code": 60 << 20}, 4 << 20)
    with pytest.raises(SystemExit, match="64 may"):
        refuse_too_heavy({"code": 60 << 20}, (4 << 20) + 1)
    wheel = tmp_path / "p-1-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("p/TimGM6mb.sf2", "x")
        archive.writestr("p/__init__.py", "")
        archive.writestr("p-1.dist-info/RECORD", "p/__init__.py,,\np/TimGM6mb.sf2,,\n")
    _without(wheel, "TimGM6mb.sf2")
    with zipfile.ZipFile(wheel) as archive:
        assert archive.namelist() == ["p/__init__.py", "p-1.dist-info/RECORD"]
        assert archive.read("p-1.dist-info/RECORD") == b"p/__init__.py,,\n"


def test_processes_of_a_run_see_the_packed_encoder_and_end_together(tmp_path: Path) -> None:
    folders = run.Folders(tmp_path / "pack", tmp_path, tmp_path / "out")
    env = run.environment(folders)
    assert str(tmp_path / "pack" / "site") in env["PYTHONPATH"].split(":")
    process = run._start(["timeit", "-n", "1", "import time; time.sleep(60)"], env, tmp_path / "log")
    run._end(process)
    assert process.returncode == -9
