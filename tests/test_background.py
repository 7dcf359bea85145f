"""Training in the background: what is next, one at a time, killed and gone on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path

import numpy as np
import pytest
import torch
from filelock import FileLock

from study import background
from study.background import Wishes, following, hours, status, work
from study.data.corpus import arrange
from study.sprint.curves import draw, read

ROOT = Path(__file__).parent.parent


def shard(folder: Path, clips: int, encoded: bool, index: int = 0) -> None:
    """Labels as a render leaves them, and codes as the encoder does."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"labels_{index:03d}.json").write_text(json.dumps([{"captions": []} for _ in range(clips)]))
    if encoded:
        np.save(folder / f"codes_{index:03d}.npy", np.zeros(1))


def curve(folder: Path, seconds: float) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "curves.csv").write_text(f"step,seconds,loss,given\n1,10,2.0,2.0\n9,{seconds:.0f},1.5,1.4\n")


@pytest.fixture
def wishes(tmp_path: Path) -> Wishes:
    home = tmp_path / "home"
    (home / "bundle").mkdir(parents=True)
    (home / "bundle" / "bundle.json").write_text(json.dumps({"flow": {"dim": 64, "layers": 2}}))
    return Wishes(home, home / "data", home / "bundle", hours=0.1, held_out=0.02, horizon=2.0, codec=1.0)


def test_what_is_missing_comes_first_then_networks_by_turns_then_the_codec(wishes: Wishes) -> None:
    assert following(wishes).name == "render held_out"
    for name, clips in (("held_out", 3), ("held_out_pairs", 3), ("train_pairs", 18), ("train", 12)):
        assert following(wishes).name == f"render {name}"
        shard(wishes.data / name, clips, encoded=False)
    assert hours(wishes.data / "train_pairs") == pytest.approx(0.06)
    assert following(wishes).name == "encode" and len(following(replace(wishes, cores=2)).commands) == 2
    for name, clips in (("held_out", 3), ("held_out_pairs", 3), ("train_pairs", 18), ("train", 12)):
        shard(wishes.data / name, clips, encoded=True)
    assert following(replace(wishes, cores=2)).name == "ar and fm"
    curve(wishes.home / "fm", 1800)
    assert following(wishes).name == "ar"
    curve(wishes.home / "ar", 3600)
    (words,) = following(wishes).commands
    assert words[0] == "study.train.fm" and words[words.index("--minutes") + 1] == "120.000"
    assert str(wishes.data / "held_out_pairs") in words, "what is changed is measured on pairs"
    curve(wishes.home / "fm", 7200)
    curve(wishes.home / "ar", 7300)
    assert following(wishes).name == "codec"
    curve(wishes.home / "codec", 3600)
    (words,) = following(wishes).commands
    assert words[0] == "study.train.fm" and words[words.index("--minutes") + 1] == "180.000"


def test_what_failed_lately_is_passed_over(wishes: Wishes) -> None:
    renders = [f"render {name}" for name in ("held_out", "held_out_pairs", "train_pairs", "train")]
    assert following(wishes, [*renders, "fm"]).name == "ar"
    assert following(wishes, [*renders, "fm", "ar", "codec"]).name == "wait"


def test_one_at_a_time_and_a_status_in_one_line(wishes: Wishes, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "never started" in status(wishes)
    curve(wishes.home / "fm", 3600)
    monkeypatch.setattr(background, "perform", lambda step, home: [])
    work(wishes, once=True)
    said = status(wishes)
    assert (
        said.startswith("not running") and "fm 1.0 h, 9 steps, given 2.0 -> 1.4" in said and "\n" not in said
    )
    assert (wishes.home / "curves.png").stat().st_size > 1000
    with FileLock(wishes.home / "lock"):
        assert status(wishes).startswith("render held_out since")
        monkeypatch.setattr(sys, "argv", ["background", "--home", str(wishes.home), "--hours", "0.01"])
        with pytest.raises(SystemExit, match="another one is at work"):
            background.main()


def test_a_curve_that_a_kill_cut_short_is_read_and_drawn(tmp_path: Path) -> None:
    path = tmp_path / "curves.csv"
    path.write_text("step,seconds,loss,given\n1,10,2.0,2.0\n2,20,1.9\n")
    assert [row["step"] for row in read(path)] == ["1"]
    assert draw({"fm": path}, tmp_path / "c.png") and not draw(
        {"fm": tmp_path / "none.csv"}, tmp_path / "d.png"
    )


def test_what_a_killed_instance_left_is_ended(tmp_path: Path) -> None:
    quiet = [sys.executable, "-c", "import time; time.sleep(60)", "study.none"]
    child, other = (subprocess.Popen(quiet[:n], start_new_session=True) for n in (4, 3))
    (tmp_path / "groups.json").write_text(json.dumps([child.pid, other.pid]))
    try:
        time.sleep(0.2)
        background.end_leftovers(tmp_path)
        assert child.wait(5) == -9 and other.poll() is None, (
            "a stranger with a number used again is left alone"
        )
    finally:
        other.kill()
        other.wait()


def encoded(folder: Path) -> None:
    """Four clips as `study.data.dataset` leaves them, all of it random."""
    rng, pieces = np.random.default_rng(0), [arrange(seed) for seed in range(200_000_000, 200_000_004)]
    folder.mkdir(parents=True)
    labels = [
        {
            "seed": p.seed,
            "captions": ["a", "b"],
            "chords": [asdict(c) for c in p.chords],
            "melody": [],
            "hits": [],
        }
        for p in pieces
    ]
    (folder / "labels_000.json").write_text(json.dumps(labels))
    np.save(folder / "audio_000.npy", np.zeros((4, 8), np.int16))
    np.save(folder / "latents_000.npy", rng.standard_normal((4, 128, 300)).astype(np.float16))
    np.save(folder / "codes_000.npy", rng.integers(0, 16, (4, 2, 300)).astype(np.uint16))
    tokens, pooled = rng.standard_normal((16, 384)), rng.standard_normal((8, 384))
    np.savez(
        folder / "text_000.npz", tokens=tokens.astype(np.float16), pooled=pooled.astype(np.float16),
        offsets=np.arange(0, 17, 2),
    )  # fmt: skip


def until(holds: Callable[[], bool], seconds: float) -> None:
    end = time.time() + seconds
    while not holds():
        assert time.time() < end, "it takes too long"
        time.sleep(0.1)


@pytest.mark.slow
def test_killed_in_the_middle_it_goes_on(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    (home / "bundle").symlink_to(ROOT / "assets" / "bundle")
    for name in ("held_out", "held_out_pairs", "train_pairs", "train"):
        encoded(home / "data" / name)
    command = [
        sys.executable, "-m", "study.background", "--home", str(home), "--cores", "2", "--hours", "0.01",
        "--held-out", "0.005", "--turn", "0.08", "--horizon", "1",
        "--dim", "32", "--layers", "1", "--batch", "2",
    ]  # fmt: skip
    states = [home / name / "state.pt" for name in ("fm", "ar")]
    first = subprocess.Popen(command, cwd=ROOT)
    try:
        until(lambda: all(s.exists() for s in states), 600)
    finally:
        os.kill(first.pid, signal.SIGKILL)
        first.wait()
    steps = [torch.load(s, weights_only=True)["step"] for s in states]
    assert min(steps) > 0
    done = subprocess.run([*command, "--once"], cwd=ROOT, timeout=600)
    assert done.returncode == 0
    after = [torch.load(s, weights_only=True)["step"] for s in states]
    assert all(b > a for a, b in zip(steps, after, strict=True))
    assert (home / "curves.png").exists()


def test_of_two_side_by_side_the_one_that_failed_is_named(tmp_path: Path) -> None:
    good, bad = ("timeit", "-n", "1", "pass"), ("timeit", "--no-such-word")
    assert background.perform(background.Step("ar and fm", (good, bad)), tmp_path) == ["fm"]
    assert background.perform(background.Step("encode", (bad, good)), tmp_path) == ["encode"]
    assert background.perform(background.Step("fm", (good,)), tmp_path) == []
