"""Renders: the same seed is the same clip, streamed or on disk, whatever the number of workers."""

from __future__ import annotations

import json
import struct
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pretty_midi
import pytest

from study.data import datacard, render
from study.data.corpus import HELD_OUT, arrange
from study.data.dataset import controls_of, labels_of
from study.data.render import RATE, Sources, clip, stream


def chunk(name: bytes, body: bytes) -> bytes:
    return name + struct.pack("<I", len(body)) + body + b"\0" * (len(body) % 2)


def soundfont(path: Path) -> Path:
    """A SoundFont 2 file: every General MIDI program and the drum kit play one looped tone."""
    period, cycles = 100, 20
    t = np.arange(period * cycles)
    wave = np.sin(2 * np.pi * t / period) + 0.3 * np.sin(6 * np.pi * t / period)
    samples = np.concatenate([(9000 * wave).astype("<i2"), np.zeros(46, "<i2")]).tobytes()
    presets = [(p, 0) for p in range(128)] + [(0, 128)]
    headers = b"".join(
        struct.pack("<20sHHHIII", b"tone", program, bank, i, 0, 0, 0)
        for i, (program, bank) in enumerate(presets)
    ) + struct.pack("<20sHHHIII", b"EOP", 0, 0, len(presets), 0, 0, 0)
    n = len(presets)
    tables = [
        (b"phdr", headers), (b"pbag", b"".join(struct.pack("<HH", i, 0) for i in range(n + 1))),
        (b"pmod", b"\0" * 10),
        (b"pgen", struct.pack("<HH", 41, 0) * n + b"\0" * 4),
        (b"inst", struct.pack("<20sH", b"tone", 0) + struct.pack("<20sH", b"EOI", 1)),
        (b"ibag", struct.pack("<HHHH", 0, 0, 2, 0)), (b"imod", b"\0" * 10),
        (b"igen", struct.pack("<HHHH", 54, 1, 53, 0) + b"\0" * 4),  # loops; sample 0
        (b"shdr", struct.pack("<20sIIIIIBbHH", b"tone", 0, len(t), period, len(t) - period, RATE, 64, 0, 0, 1)
         + struct.pack("<20sIIIIIBbHH", b"EOS", 0, 0, 0, 0, 0, 0, 0, 0, 0)),
    ]  # fmt: skip
    info = (
        chunk(b"ifil", struct.pack("<HH", 2, 1)) + chunk(b"isng", b"EMU8000\0") + chunk(b"INAM", b"tone\0\0")
    )
    body = chunk(b"LIST", b"INFO" + info) + chunk(b"LIST", b"sdta" + chunk(b"smpl", samples))
    body += chunk(b"LIST", b"pdta" + b"".join(chunk(name, table) for name, table in tables))
    path.write_bytes(chunk(b"RIFF", b"sfbk" + body))
    return path


@pytest.fixture(scope="module")
def sources(tmp_path_factory: pytest.TempPathFactory) -> Sources:
    return Sources((soundfont(tmp_path_factory.mktemp("font") / "tone.sf2"),), seconds=3.0)


@pytest.fixture
def small_shards(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(render, "SHARD", 4)


def test_a_clip_is_the_same_whatever_was_rendered_before(sources: Sources) -> None:
    first = {seed: clip(seed, sources) for seed in (3, 4, 5)}
    for seed in (5, 3):
        audio, label = clip(seed, sources)
        assert np.array_equal(audio, first[seed][0]) and label == first[seed][1]


def test_clips_sound_from_their_notes_and_do_not_clip(sources: Sources) -> None:
    for seed in range(12):
        audio, label = clip(seed, sources)
        level = np.sqrt(np.mean((audio / 32767.0) ** 2))
        assert 0.02 < level < 0.3 and np.max(np.abs(audio.astype(int))) < 32500
        assert controls_of(label).chords and len(label["captions"]) == 6


def test_the_tune_is_heard_at_its_pitch(sources: Sources) -> None:
    pieces = (arrange(s, 3.0) for s in range(400))
    seed = next(p.seed for p in pieces if [t.role for t in p.tracks] == ["lead"] and not p.hits)
    audio, label = clip(seed, sources)
    heard = 0
    for note in label["melody"]:
        if note["end"] - note["start"] > 0.25:
            part = audio[int(note["start"] * RATE) : int(note["end"] * RATE)].astype(float)
            spectrum = np.abs(np.fft.rfft(part * np.hanning(len(part)), 8 * RATE))
            peak = np.argmax(spectrum[: 8 * 2500]) / 8
            # the loudest partial: the first or, an octave and a fifth above, the third
            steps = 12 * np.log2(peak / 440.0) + 69 - note["pitch"]
            assert min(abs(steps % 12), 12 - steps % 12) < 0.6 or abs(steps % 12 - 7) < 0.6
            heard += 1
    assert heard >= 1


def test_two_workers_write_what_one_streams(sources: Sources, small_shards: None, tmp_path: Path) -> None:
    render.render(tmp_path / "two", 20, 10, sources, workers=2)
    labels = labels_of(tmp_path / "two")
    audio = np.concatenate([np.load(p) for p in sorted((tmp_path / "two").glob("audio_*.npy"))])
    assert [label["seed"] for label in labels] == list(range(20, 30)) and audio.shape == (10, 3 * RATE)
    for (streamed, label), written, kept in zip(stream(20, 10, sources), audio, labels, strict=True):
        assert np.array_equal(streamed, written) and label == kept


def test_streams_are_endless_in_order_and_the_same_from_workers(sources: Sources) -> None:
    alone = stream(40, None, sources)
    shared = stream(40, 5, sources, workers=2)
    for (a, one), (b, other) in zip((next(alone) for _ in range(5)), shared, strict=True):
        assert np.array_equal(a, b) and one == other


def test_rendering_resumes(
    sources: Sources, small_shards: None, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    render.render(tmp_path, 0, 8, sources, workers=1)
    before = {p.name: p.read_bytes() for p in tmp_path.iterdir()}
    (tmp_path / "labels_001.json").unlink()
    kept = (tmp_path / "audio_000.npy").stat().st_mtime_ns
    capsys.readouterr()
    render.render(tmp_path, 0, 8, sources, workers=1)
    assert "4/8 clips are there" in capsys.readouterr().out
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == before
    assert (tmp_path / "audio_000.npy").stat().st_mtime_ns == kept
    with pytest.raises(SystemExit, match="other settings"):
        render.render(tmp_path, 0, 8, replace(sources, seconds=2.0), workers=1)


def test_the_command_keeps_held_out_seeds_apart(
    sources: Sources, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    font = [
        "--soundfont",
        str(sources.soundfonts[0]),
        "--seconds",
        "2",
        "--hours",
        str(3 * 2 / 3600),
        "--workers",
        "1",
    ]

    def run(*words: str) -> None:
        monkeypatch.setattr(sys, "argv", ["render", *font, *words])
        render.main()

    run("--held-out")
    assert [label["seed"] for label in labels_of(tmp_path / "runs/data/held_out")] == [
        HELD_OUT + i for i in range(3)
    ]
    run()
    assert [label["seed"] for label in labels_of(tmp_path / "runs/data/train")] == [0, 1, 2]
    with pytest.raises(SystemExit, match="held-out seeds start at"):
        run("--held-out", "--seed", "5")
    monkeypatch.setattr(sys, "argv", ["render", "--soundfont", "nothing.sf2"])
    with pytest.raises(SystemExit, match=r"nothing\.sf2: no such file"):
        render.main()


def test_drummers_of_the_test_split_play_for_held_out_seeds_only(tmp_path: Path) -> None:
    names = (
        "drummer session id style bpm beat_type time_signature midi_filename audio_filename duration split"
    )
    rows = [names.replace(" ", ",")]
    for split, key in (("train", 36), ("test", 49)):  # one plays kicks, the other cymbals
        midi = pretty_midi.PrettyMIDI()
        kit = pretty_midi.Instrument(0, is_drum=True)
        kit.notes = [pretty_midi.Note(90, key, i * 0.5, i * 0.5 + 0.1) for i in range(240)]
        midi.instruments.append(kit)
        midi.write(str(tmp_path / f"{split}.mid"))
        for style in ("rock", "funk", "jazz", "hiphop", "soul", "latin", "reggae", "punk", "pop", "country"):
            rows.append(f"d,s,i,{style}/x,120,beat,4-4,{split}.mid,,120,{split}")
    (tmp_path / "info.csv").write_text("\n".join(rows))

    def human(first: int) -> set[int]:
        """Keys of the pieces at 120 bpm that one drum alone plays, otherwise than without the set."""
        found = set()
        for p in (arrange(first + s, 4.0, grooves=tmp_path) for s in range(160)):
            keys = {k for _, k, _ in p.drum_notes}
            if len(keys) == 1 and p.bpm == 120.0 and p.drum_notes != arrange(p.seed, 4.0).drum_notes:
                found |= keys
        return found

    assert human(0) == {36} and human(HELD_OUT) == {49}


def test_the_data_card_adds_up(
    sources: Sources, small_shards: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    render.render(tmp_path, 0, 12, sources, workers=1)
    labels = labels_of(tmp_path)
    hours = datacard.tables(labels)
    for heading in set(hours) - {"instrument"}:
        assert sum(hours[heading].values()) == pytest.approx(12 * 3.0 / 3600)
    piano = sum("piano" in label["instruments"] for label in labels)
    assert hours["instrument"].get("piano", 0.0) == pytest.approx(piano * 3.0 / 3600)
    arguments = ["datacard", f"{tmp_path}", "--out", f"{tmp_path}/data.png", "--card", f"{tmp_path}/DATA.md"]
    monkeypatch.setattr(sys, "argv", arguments)
    datacard.main()
    assert "12 clips" in (tmp_path / "DATA.md").read_text()
    assert 5_000 < (tmp_path / "data.png").stat().st_size < 200_000


@pytest.mark.parametrize(
    "symbol, kind",
    [("C", "major"), ("F#m7b5", "m7b5"), ("Bbm", "m"), ("C#/E#", "slash"), ("N", "none"), ("Ab7", "7")],
)
def test_qualities_of_chords(symbol: str, kind: str) -> None:
    assert datacard.quality(symbol) == kind


def test_labels_are_plain_json(sources: Sources) -> None:
    _, label = clip(6, sources)
    assert json.loads(json.dumps(label)) == label
