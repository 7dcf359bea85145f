"""Who plays when: where nothing is known nothing is said, and what is said has its place in time."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from engines.analysis import instruments as listener
from engines.analysis.instruments import MELS, POOLED, STEP_SECONDS, Instruments, activity, heard, instruments
from engines.audio.recording import read_recording
from engines.music.instruments import ROWS
from engines.requests import Part
from study.train.instruments import Network, average_precision, save, targets_of

ROOT = Path(__file__).resolve().parent.parent
RATE = 22_050


def test_the_network_of_numpy_computes_what_was_trained(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    torch.manual_seed(0)
    network = Network(width=4, inner=16)
    for layer in network.body:  # norms that do something
        torch.nn.init.uniform_(layer[1].running_mean, -0.1, 0.1)
        torch.nn.init.uniform_(layer[1].weight, 0.5, 1.5)
    network.eval()
    mel = torch.randn(1, 7 * POOLED, MELS)
    save(network, path=tmp_path / "w.npz")
    monkeypatch.setattr(listener, "WEIGHTS", tmp_path / "w.npz")
    with torch.inference_mode():
        wanted = torch.sigmoid(network(mel))[0].numpy()
    assert wanted.shape == (7, len(ROWS))
    np.testing.assert_allclose(activity(mel[0].numpy()), wanted, atol=2e-3)


@pytest.mark.parametrize("kind", ["silence", "noise", "hum", "nothing"])
def test_what_is_no_music_names_nobody(kind: str) -> None:
    n = 0 if kind == "nothing" else 8 * RATE
    noise = np.random.default_rng(0).normal(size=n)
    audio = {"silence": np.zeros(n), "noise": 0.1 * noise, "hum": 1e-4 * noise, "nothing": noise}[kind]
    assert instruments(audio.astype(np.float32), RATE) == Instruments()


def test_speech_names_nobody() -> None:
    audio, rate = soundfile.read(ROOT / "tests/fixtures/speech.flac", dtype="float32", always_2d=True)
    assert instruments(audio.mean(axis=1), rate).parts == ()


def test_times_are_the_middles_of_steps_at_any_rate_and_length() -> None:
    for seconds in (0.6, 2.0, 7.3):
        for rate in (8000, 44_100):
            audio = 0.1 * np.random.default_rng(1).normal(size=round(seconds * rate)).astype(np.float32)
            times, sure = heard(audio, rate)
            assert sure.shape == (len(times), len(ROWS)) and sure.min() >= 0 and sure.max() <= 1
            assert abs(len(times) * STEP_SECONDS - seconds) < STEP_SECONDS
            np.testing.assert_allclose(times, (np.arange(len(times)) + 0.5) * STEP_SECONDS)


def test_bars_are_merged_into_stretches_and_families_stand_for_members_that_are_unsure() -> None:
    times = (np.arange(32) + 0.5) * STEP_SECONDS  # 8.2 s
    sure = np.zeros((32, len(ROWS)), np.float32)
    sure[:, ROWS.index("drums")] = 0.9
    sure[times > 4, ROWS.index("flute")] = 0.8
    sure[times > 4, ROWS.index("flutes")] = 0.95
    sure[times < 4, ROWS.index("guitars")] = 0.7
    line = instruments(np.zeros(8 * RATE, np.float32), RATE, (2.0, 4.0, 6.0), (times, sure))
    assert set(line.parts) == {Part(0.0, 8.0, "drums"), Part(4.0, 8.0, "flute"), Part(0.0, 4.0, "guitars")}
    assert all(0.6 < c < 1 for c in line.confidence) and len(line.confidence) == 3


def test_an_example_that_ships_is_heard() -> None:
    recording = read_recording(ROOT / "assets/examples/01.flac")
    line = instruments(recording.mono(), recording.rate)
    assert line.parts and all(0 <= p.start < p.end <= recording.seconds + 1e-6 for p in line.parts)


def test_targets_have_families_and_the_times_of_labels() -> None:
    label = {"parts": [{"start": 2.0, "end": 4.0, "instrument": "flute", "plays": True}]}
    goal = targets_of(label, 40)
    assert (
        not goal[:6].any()
        and goal[9:14, [ROWS.index("flute"), ROWS.index("flutes")]].all()
        and goal.sum(1).max() == 2
    )
    assert average_precision(np.array([0.9, 0.8, 0.1]), np.array([True, False, True])) == pytest.approx(
        (1 + 2 / 3) / 2
    )
