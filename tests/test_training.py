"""Training machinery: the optimizer's formula, resuming, condition dropout, batches."""

from __future__ import annotations

import json
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

from engines.music.chords import NULL_CHORD
from engines.networks.codec import build_codec, codec_config, load_codec
from engines.networks.lane_frames import MELODY_NULL
from study.data.captions import caption
from study.data.corpus import arrange
from study.data.dataset import Dataset, controls_of, drop_lanes
from study.train import codec as codec_training
from study.train.ar import random_spans
from study.train.autoencoder import crops
from study.train.autoencoder.discriminator import Discriminator, deception_loss, feature_loss, verdict_loss
from study.train.autoencoder.quantizer import Quantizer
from study.train.autoencoder.weights import fold_weight_norm, take_over, unfold_weight_norm
from study.train.fm import random_known
from study.train.optimizer import Schedule, optimizers, orthogonalised
from study.train.run import Run, averaged_state


def test_orthogonalised_has_singular_values_near_one() -> None:
    torch.manual_seed(0)
    for shape in ((32, 64), (64, 32)):
        s = torch.linalg.svdvals(orthogonalised(torch.randn(shape), steps=5))
        assert s.min() > 0.6 and s.max() < 1.3


def test_optimizers_learn_a_matrix_and_follow_the_schedule() -> None:
    torch.manual_seed(0)
    net, target, x = nn.Linear(64, 64), torch.randn(64, 64) / 8, torch.randn(256, 64)
    opts = optimizers(net, 3e-2)
    schedule = Schedule(opts, warmup=0.1, floor=0.0)
    assert schedule.set(0.05) < schedule.set(0.1) > schedule.set(0.9)
    first = last = 0.0
    for step in range(200):
        schedule.set(step / 200)
        loss = (net(x) - x @ target).square().mean()
        loss.backward()  # type: ignore[no-untyped-call]
        for opt in opts:
            opt.step()
            opt.zero_grad()
        last = float(loss.detach())
        first = first or last
    assert last < 0.02 * first


def test_a_run_resumes_where_it_was_saved(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = nn.Linear(4, 4)
    run = Run(tmp_path, net, minutes=10, lr=1e-2, fields=("test",))
    for _ in range(5):
        run.update(net(torch.ones(2, 4)).square().mean())
    run.log({"test": 1.0})
    run.finish()
    other = nn.Linear(4, 4)
    again = Run(tmp_path, other, minutes=10, lr=1e-2, fields=("test",))
    assert again.step == 5 and again.spent >= 0 and torch.equal(other.weight, net.weight)
    assert set(averaged_state(tmp_path)) == {"weight", "bias"}
    assert (tmp_path / "curves.png").stat().st_size > 1000
    again.finish()


def test_weight_norm_folds_and_unfolds_to_the_same_codec() -> None:
    torch.manual_seed(0)
    config = codec_config(8, (8, 8, 5, 4), 2, 16)
    plain, shipped = build_codec(config), build_codec(config)
    fold_weight_norm(plain)
    unfold_weight_norm(plain.model.state_dict(), shipped)
    x = torch.randn(1, 1, 12_800)
    assert torch.allclose(plain.encode(x), shipped.encode(x), atol=1e-5)


def test_the_quantizer_learns_clusters_and_depth_helps() -> None:
    torch.manual_seed(0)
    codec = build_codec(codec_config(8, (8, 8, 5, 4), 4, 32))
    quantizer = Quantizer(codec, 0)
    z = torch.randn(4, 128, 200) * torch.linspace(2, 0.1, 128)[:, None]
    quantizer.observe(z)
    share = quantizer.fit(0.0, iterations=6)
    errors = [float((quantizer(z, k) - z).square().mean()) for k in (1, 2, 4)]
    assert share < 0.8 and errors[0] > errors[1] > errors[2]
    before = float((quantizer(z, 4) - z).square().mean())
    quantizer.refine(z.transpose(1, 2).reshape(-1, 128))
    assert float((quantizer(z, 4) - z).square().mean()) < before
    # the codes of the shipped codec name the same vectors
    assert torch.allclose(codec.dequantize(codec.quantize(z)), quantizer(z, 4), atol=1e-4)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three clips as `study.data.dataset` leaves them, latents and codes random."""
    rng, labels = np.random.default_rng(0), []
    for seed in range(3):
        piece = arrange(seed)
        labels.append(
            {
                "captions": [caption(piece, s) for s in range(2)],
                "chords": [asdict(c) for c in piece.chords],
                "melody": [asdict(m) for m in piece.melody],
                "hits": [asdict(h) for h in piece.hits],
            }
        )
    (tmp_path / "labels_000.json").write_text(json.dumps(labels))
    np.save(tmp_path / "audio_000.npy", np.zeros((3, 8), np.int16))
    np.save(tmp_path / "latents_000.npy", rng.standard_normal((3, 8, 300)).astype(np.float16))
    np.save(tmp_path / "codes_000.npy", rng.integers(0, 16, (3, 4, 300)).astype(np.uint16))
    np.savez(
        tmp_path / "text_000.npz",
        tokens=rng.standard_normal((12, 384)).astype(np.float16),
        pooled=rng.standard_normal((6, 384)).astype(np.float16),
        offsets=np.arange(0, 13, 2),
    )
    return tmp_path


def test_a_window_keeps_latents_codes_and_lanes_aligned(folder: Path) -> None:
    data = Dataset(folder, 0.5, 2.0, 25.0, 0, codes=True)
    batch = data.cut(np.array([1, 2]), np.array([30, 100]), 50, np.array([0, 1]))
    assert batch.z is not None and batch.codes is not None
    expected = (torch.from_numpy(data.latents[2][:, 100:150].astype(np.float32)) - 0.5) / 2
    assert torch.equal(batch.z[1], expected)
    assert torch.equal(batch.codes[0], torch.from_numpy(data.codes[1][:, 30:80].astype(np.int64)))  # type: ignore[index]
    at_40 = next(c for c in controls_of(data.labels[1]).chords or () if c.start <= 40 / 25 < c.end)
    assert batch.lanes.chords[0, 10] == data.lanes.chords[1, 40] and at_40 is not None
    assert batch.text.tokens.shape == (2, 2, 384) and batch.text.mask.all()


def test_condition_dropout_leaves_all_some_and_none(folder: Path) -> None:
    data = Dataset(folder, 0.0, 1.0, 25.0, 0, codes=False)
    lanes = data.cut(np.zeros(400, int), np.zeros(400, int), 100, np.zeros(400, int)).lanes
    dropped = drop_lanes(lanes, torch.Generator().manual_seed(0))
    chords = (dropped.chords != NULL_CHORD).float().mean(1)
    melody = (dropped.melody != MELODY_NULL).float().mean(1)
    assert 0.3 < float((chords == 0).float().mean()) < 0.6
    assert float(((chords > 0) & (chords < 1)).float().mean()) > 0.05, "some chord lanes are partial"
    neither = (chords == 0) & (melody == 0) & ~dropped.drums_given.any(1)
    assert 0.1 < float(neither.float().mean()) < 0.4


def test_training_spans_lie_inside_and_only_in_their_share() -> None:
    g = torch.Generator().manual_seed(0)
    known = random_known(400, 125, 0.5, g)
    holes = (~known).sum(1)
    assert 0.4 < float((holes < 125).float().mean()) < 0.6 and int(holes.min()) >= 8
    starts, ends = random_spans(400, 125, 0.4, g)
    assert ((ends <= 125) & (starts >= 0) & (ends >= starts)).all()
    assert 0.3 < float((ends > starts).float().mean()) < 0.5


def test_the_adversary_learns_to_tell_and_the_losses_say_so() -> None:
    torch.manual_seed(0)
    adversary = Discriminator(channels=4)
    real = torch.sin(torch.arange(8000) / 8.0).repeat(4, 1) * torch.linspace(0.2, 1, 4)[:, None]
    fake = 0.3 * torch.randn(4, 8000)
    optimizer = torch.optim.AdamW(adversary.parameters(), lr=3e-3, betas=(0.5, 0.9))
    with torch.no_grad():
        before = float(verdict_loss(adversary(real), adversary(fake)))
    for _ in range(30):
        optimizer.zero_grad()
        verdict_loss(adversary(real), adversary(fake)).backward()
        optimizer.step()
    with torch.no_grad():
        after = float(verdict_loss(adversary(real), adversary(fake)))
        deception, honest = deception_loss(adversary(fake)), deception_loss(adversary(real))
        same, other = (feature_loss(adversary(real), adversary(x)) for x in (real, fake))
    assert after < 0.5 * before
    assert float(deception) > float(honest), "what is taken for real costs nothing"
    assert float(same) == 0 and float(other) > 0.1


def test_a_codec_goes_on_from_a_bundle_with_codebooks_kept_and_added(tmp_path: Path) -> None:
    bundle = Path(__file__).parent.parent / "assets/bundle"
    shipped = load_codec(bundle, json.loads((bundle / "bundle.json").read_text())["codec"])
    books = shipped.codebooks + 1
    codec = build_codec(codec_config(16, (8, 8, 5, 4), books, shipped.codebook_size))
    fold_weight_norm(codec)
    quantizer = Quantizer(codec, 0)
    take_over(codec, quantizer, bundle, tmp_path, settled=True)
    audio = 0.1 * torch.randn(1, 1, 32_000, generator=torch.Generator().manual_seed(0))
    with torch.no_grad():
        z = codec.model.encoder(audio)
        assert torch.allclose(z, shipped.model.encoder(audio), atol=1e-5)
        through = shipped.model.quantizer.decode(shipped.model.quantizer.encode(z))
        assert torch.allclose(quantizer(z, books - 1), through, atol=1e-5)
    assert not quantizer.started, "the added one is not fitted yet"
    assert not (tmp_path / "codebooks.pt").exists()
    quantizer.observe(torch.randn(2, 128, 1024, generator=torch.Generator().manual_seed(1)))
    quantizer.fit(0.8)
    assert quantizer.started


def small_codec_run(folder: Path) -> tuple[codec_training.Config, Path, Path]:
    """Renders and held-out clips of noise, and a configuration that takes seconds."""
    rng = np.random.default_rng(0)
    for name, count, samples in (("renders", 2, 330_000), ("held_out", 48, 170_000)):
        (folder / name).mkdir()
        noise = (3000 * rng.standard_normal((count, samples))).astype(np.int16)
        np.save(folder / name / "audio_000.npy", noise)
    config = codec_training.Config(
        width=2, codebooks=2, codebook_size=8, seconds=0.2, batch=2, minutes=1.0, adversarial=True
    )
    return config, folder / "renders", folder / "held_out"


@pytest.mark.slow
def test_codec_training_freezes_settles_and_goes_on_where_it_was_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A step takes six seconds of a clock that counts batches, so that a minute is ten steps."""
    config, renders, held_out = small_codec_run(tmp_path)
    clock, batch = [1000.0], crops.Clips.batch

    def counted(self: crops.Clips, size: int, recordings: float) -> torch.Tensor:
        clock[0] += 6.0 if size == config.batch else 0.0
        return batch(self, 1 if size == 8 else size, recordings)  # 50 clips to settle on, not 400

    monkeypatch.setattr(crops.Clips, "batch", counted)
    monkeypatch.setattr("study.train.run.time.time", lambda: clock[0])
    monkeypatch.setattr(crops, "TESTED", 2)
    out = tmp_path / "out"
    codec_training.train(config, renders, held_out, None, out, 1)
    assert (out / "encoder_frozen").read_text() == "7\n" and (out / "curves.png").exists()
    first = torch.load(out / "codec.pt", weights_only=True)
    assert first["step"] == 10 and first["spent"] == 60.0 and first["frozen"] and first["fitted"] == 2
    shipped = codec_training.finish(out, renders, None)
    codec_training.train(replace(config, minutes=1.5), renders, held_out, None, out, 1)
    last = torch.load(out / "codec.pt", weights_only=True)
    assert last["step"] == 15 and last["spent"] == 90.0
    moved = {k.split(".")[0] for k, v in last["average"].items() if not torch.equal(v, first["average"][k])}
    assert moved == {"decoder"}, "the encoder stays as FM and AR have learnt it"
    again = codec_training.finish(out, renders, None)
    assert (again.mean, again.std) == (shipped.mean, shipped.std)
    for one, other in zip(again.model.quantizer.layers, shipped.model.quantizer.layers, strict=True):
        assert torch.equal(one.codebook.embed, other.codebook.embed)
    assert len((out / "curves.csv").read_text().splitlines()) == 3, "one row at each start"
