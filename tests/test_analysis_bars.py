"""How the analysis is measured: what counts as tonal, what a set's table says, labels of a tune."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pretty_midi
import pytest
import soundfile

from engines.analysis.chords import STEP_SECONDS
from engines.analysis.features import FRAME_SECONDS
from engines.music.chords import CLASSES
from study.measure import analysis_bars
from study.train import analysis as train_analysis


def label(key: str, *symbols: str) -> analysis_bars.Label:
    chords = [{"start": float(i), "end": i + 1.0, "symbol": s} for i, s in enumerate(symbols)]
    return {"key": key, "chords": chords}


def test_tonal_pieces_stay_in_their_key() -> None:
    assert analysis_bars.tonal(label("C major", "C", "Am", "F", "G7"))
    assert not analysis_bars.tonal(label("C major", "C", "F#m", "Eb", "Baug"))
    assert not analysis_bars.tonal(label("", "C")) and not analysis_bars.tonal(label("C major"))


def test_the_table_sets_means_beside_their_bars() -> None:
    rows = [
        {"tonal": 1.0, "played": 1.0, "beat F1": 0.9},
        {"tonal": 0.0, "played": 1.0, "beat F1": 0.7},
        {"tonal": 0.0, "played": 0.0, "chord IOU": 0.9},
    ]
    lines = "\n".join(analysis_bars.table("set", rows))
    assert "3 clips, 1 tonal, 2 played" in lines
    beat = next(line for line in lines.splitlines() if line.startswith("beat F1"))
    assert beat.split() == ["beat", "F1", "0.800", "0.900", "0.800", "0.85", "NOT", "MET"]
    assert next(line for line in lines.splitlines() if line.startswith("chord IOU")).endswith("met")


def test_a_piece_in_two_sounds_counts_once(tmp_path: Path) -> None:
    for name, seeds in (("one", (1, 2)), ("other", (2, 3, 4))):
        (tmp_path / name).mkdir()
        (tmp_path / name / "labels_000.json").write_text(json.dumps([{"seed": seed} for seed in seeds]))
        np.save(tmp_path / name / "audio_000.npy", np.zeros((len(seeds), 8), np.int16))
    had: set[int] = set()
    found = [
        label["seed"]
        for name in ("one", "other")
        for _, label in analysis_bars.clips(tmp_path / name, 2, had)
    ]
    assert found == [1, 2, 3, 4]


def test_only_played_chords_can_be_heard() -> None:
    assert analysis_bars.played({"roles": ["bass", "comp", "lead"]}) and analysis_bars.played({})
    assert not analysis_bars.played({"roles": ["lead"]}) and not analysis_bars.played({"roles": ["bass"]})


def test_a_tune_gives_its_melody_chords_and_beats() -> None:
    midi = pretty_midi.PrettyMIDI(initial_tempo=120)
    midi.time_signature_changes.append(pretty_midi.TimeSignature(6, 8, 0))
    tune, chords = pretty_midi.Instrument(0), pretty_midi.Instrument(0)
    tune.notes = [pretty_midi.Note(90, 67, i * 0.5, i * 0.5 + 0.4) for i in range(6)]
    for start, pitches in ((0.0, (60, 64, 67)), (1.5, (57, 60, 64))):
        chords.notes += [pretty_midi.Note(80, p, start, start + 1.5) for p in pitches]
    midi.instruments += [tune, chords]
    found = analysis_bars.nottingham_label(midi, 12.0)
    assert found is not None
    assert [(c["symbol"], c["start"], c["end"]) for c in found["chords"]] == [
        ("C", 0.0, 1.5),
        ("Am", 1.5, 3.0),
    ]
    assert (found["bpm"], found["beats_per_bar"]) == (pytest.approx(80), 2)  # dotted quarters
    assert len(found["melody"]) == 6


def test_training_targets_lie_where_the_labels_say() -> None:
    classes = train_analysis.chord_classes([{"start": 0.5, "end": 1.0, "symbol": "Db"}], 20)
    said = [CLASSES[c] for c in classes]
    middles = (np.arange(20) + 0.5) * STEP_SECONDS
    assert [s == "C#" for s in said] == [0.5 <= m < 1.0 for m in middles] and said[0] == "N"
    row = {"beats": [0.5], "downbeats": [], "hits": [{"time": 0.25, "drum": "snare"}]}
    targets = train_analysis.onset_targets(row, 60)
    assert targets[0].argmax() == round(0.5 / FRAME_SECONDS) and targets[0].sum() == 2.0
    assert targets[3].argmax() == round(0.25 / FRAME_SECONDS) and targets[1].sum() == 0.0


def test_the_chord_network_is_the_one_that_the_analysis_computes() -> None:
    import torch

    from engines.analysis import chords as analysis_chords

    torch.manual_seed(0)
    weights = analysis_chords._weights()
    seen = np.random.default_rng(0).random((40, analysis_chords.GROUPS, 12), np.float32)
    net = train_analysis.ChordNet(weights["o.weight"].shape[1]).eval()
    net.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    with torch.inference_mode():
        expected = torch.log_softmax(net(torch.from_numpy(seen)[None])[0], 1).numpy()
    assert np.abs(analysis_chords.likelihoods(seen) - expected).max() < 1e-3


def test_the_rhythm_network_is_the_one_that_the_analysis_computes() -> None:
    import torch

    from engines.analysis import rhythm as analysis_rhythm
    from engines.analysis.features import Features

    rng = np.random.default_rng(0)
    notes, onsets, mel = (rng.random((400, bands), np.float32) for bands in (88, 88, 40))
    heard = Features(4.6, notes, onsets, mel, np.zeros(400, np.float32))
    net = train_analysis.RhythmNet().eval()
    net.load_state_dict({name: torch.from_numpy(w) for name, w in analysis_rhythm._weights().items()})
    with torch.inference_mode():
        beats, drums = net(torch.from_numpy(analysis_rhythm.network_input(heard).T)[None])
    here_beats, here_drums = analysis_rhythm.activations(heard)
    assert np.abs(here_beats - torch.sigmoid(beats)[0].T.numpy()).max() < 1e-3
    assert np.abs(here_drums - torch.sigmoid(drums)[0].T.numpy()).max() < 1e-3


def test_the_key_network_is_the_one_that_the_analysis_computes() -> None:
    import torch

    from engines.analysis import key as analysis_key

    weights = analysis_key._weights()
    seen = np.random.default_rng(0).random((12, analysis_key.WIDTH), np.float32)
    net = train_analysis.KeyNet(len(weights["a.bias"])).eval()
    net.load_state_dict({name: torch.from_numpy(value) for name, value in weights.items()})
    with torch.inference_mode():
        expected = torch.softmax(net(torch.from_numpy(seen)[None])[0], 0).numpy()
    assert np.abs(analysis_key.likelihoods(seen, weights) - expected).max() < 1e-5


def test_clips_without_music_are_of_every_kind_and_the_same_each_time(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "voice.wav", np.full(8000, 0.1, np.float32), 8000)
    made = list(train_analysis.no_music(8, None))
    assert {clip.shape for clip in made} == {(12 * train_analysis.RATE,)}
    assert all(np.abs(clip).max() <= 1 for clip in made) and len({clip.tobytes() for clip in made}) > 6
    assert all((a == b).all() for a, b in zip(made, train_analysis.no_music(8, None), strict=True))
    spoken = list(train_analysis.no_music(2, tmp_path))[1]
    assert spoken.std() < 0.1 * abs(spoken.mean())  # the file's steady level, again and again
