"""Recordings: the licence table, decoding, what a clip's label claims, and what training reads from it."""

from __future__ import annotations

import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engines.analysis.analyze import ChordLine
from engines.errors import InputError
from engines.music.chords import NULL_CHORD
from engines.networks.lane_frames import MELODY_NULL, lanes_from
from engines.requests import Chord
from study.data import catalogue, excerpts, recordings
from study.data.captions import MOOD_WORDS, STYLE_WORDS
from study.data.catalogue import Recording
from study.data.dataset import controls_of
from study.data.mix import RATE

ROW = Recording(
    "some-music", "music/tune.wav", "Tune", "A. Person", "CC-BY-4.0", "https://tracker.debian.org/pkg/some-music",
    "train", ("calm", "folk", "acoustic guitar"),
)  # fmt: skip


def tone(seconds: float, hertz: float = 220.0, level: float = 0.2, rate: int = RATE) -> recordings.Audio:
    return (level * np.sin(2 * np.pi * hertz * np.arange(round(seconds * rate)) / rate)).astype(np.float32)


def unpacked(
    folder: Path, row: Recording = ROW, licence: str = "CC-BY-4.0", **files: recordings.Audio
) -> Path:
    """A package folder as if unpacked, with its copyright file."""
    package = folder / row.package
    for name, audio in files.items():
        path = package / "music" / f"{name}.wav"
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, audio, RATE, subtype="FLOAT")
    copyright_file = package / "usr/share/doc" / row.package / "copyright"
    copyright_file.parent.mkdir(parents=True)
    copyright_file.write_text(f"Files: *\nLicense: {licence}\n")
    return package


@pytest.mark.parametrize(
    "licence", ["CC0-1.0", "CC-BY-3.0", "CC-BY-SA-3.0", "CC-BY-SA-4.0", "CC-BY-4.0", "public domain"]
)
def test_free_licences_go_in(licence: str) -> None:
    assert catalogue.permitted(licence)


@pytest.mark.parametrize(
    "licence",
    ["GPL-2+", "CC-BY-NC-4.0", "CC-BY-NC-SA-3.0", "CC-BY-ND-4.0", "CC-BY", "GPL-2+ or CC-BY-3.0", ""],
)
def test_other_licences_stay_out(licence: str) -> None:
    assert not catalogue.permitted(licence)


def test_the_table_is_complete_and_holds_out_whole_packages() -> None:
    rows = catalogue.table()
    for row in rows:
        assert catalogue.permitted(row.licence), row
        assert all((row.package, row.file, row.title, row.artist, row.tags)), row
        assert row.source.startswith("https://"), row
    by_split = {s: {r.package for r in rows if r.split == s} for s in ("train", "held_out")}
    assert by_split["train"] and by_split["held_out"]
    assert not by_split["train"] & by_split["held_out"]
    assert len({r.array for r in rows}) == len(rows), "two rows would write the same array"


def test_a_table_row_under_another_licence_is_refused(tmp_path: Path) -> None:
    lines = catalogue.TABLE.read_text().splitlines()[:2]
    lines[1] = lines[1].replace(catalogue.table()[0].licence, "CC-BY-NC-4.0")
    path = tmp_path / "recordings.csv"
    path.write_text("\n".join(lines))
    with pytest.raises(InputError, match=r"line 2: licence 'CC-BY-NC-4.0'; expected CC0-1.0"):
        catalogue.table(path)


def test_decoding_gives_mono_at_32_khz_without_silent_ends(tmp_path: Path) -> None:
    silence = np.zeros(44_100, np.float32)
    left = np.concatenate([silence, tone(2.0, 440.0, 0.4, 44_100), silence])
    path = tmp_path / "stereo.wav"
    soundfile.write(path, np.stack([left, left / 2], axis=1), 44_100, subtype="FLOAT")
    audio = recordings.trimmed(recordings.decode(path))
    assert len(audio) == pytest.approx(2.0 * RATE, abs=0.1 * RATE)
    middle = audio[RATE // 2 : RATE * 3 // 2]
    assert np.abs(middle).max() == pytest.approx(0.3, abs=0.01)  # the channels' mean, level kept
    assert np.argmax(np.abs(np.fft.rfft(middle))) == pytest.approx(440, abs=1)  # one second: a bin a hertz


def test_what_is_no_audio_is_named(tmp_path: Path) -> None:
    path = tmp_path / "notes.ogg"
    path.write_text("not audio")
    with pytest.raises(InputError, match=r"notes\.ogg: not readable as audio"):
        recordings.decode(path)


def test_arrays_are_written_once_and_silent_files_left_out(tmp_path: Path) -> None:
    silent = replace(ROW, file="music/silent.wav")
    unpacked(tmp_path / "packages", tune=tone(3.0), silent=tone(3.0, level=1e-5))
    hours = recordings.write([ROW, silent], tmp_path / "packages", tmp_path / "out")
    assert hours["some-music"] * 3600 == pytest.approx(3.0, abs=0.1)
    assert [p.name for p in (tmp_path / "out").rglob("*.npy")] == ["some-music__tune.npy"]
    (tmp_path / "packages/some-music/music/tune.wav").unlink()
    again = recordings.write([ROW], tmp_path / "packages", tmp_path / "out")  # needs the package no more
    assert again == hours
    assert np.load(tmp_path / "out/train/some-music__tune.npy", mmap_mode="r").dtype == np.int16


def test_stems_are_mixed_and_samples_follow_each_other(tmp_path: Path) -> None:
    package = unpacked(tmp_path, a=tone(2.0, 220.0), b=tone(1.0, 330.0))
    mixed = recordings.joined(replace(ROW, file="music/*.wav", tags=("stems",)), package)
    one_after_the_other = recordings.joined(replace(ROW, file="music/*.wav", tags=("samples",)), package)
    assert len(mixed) / RATE == pytest.approx(2.0, abs=0.1)
    assert len(one_after_the_other) / RATE == pytest.approx(3.0, abs=0.1)
    spectrum = np.abs(np.fft.rfft(mixed[:RATE].astype(float)))
    assert {int(f) for f in np.argsort(spectrum)[-2:]} == {220, 330}


def test_a_row_reaches_into_an_archive(tmp_path: Path) -> None:
    package = unpacked(tmp_path)
    wave = io.BytesIO()
    soundfile.write(wave, tone(1.0), RATE, format="WAV", subtype="FLOAT")
    with zipfile.ZipFile(package / "public.zip", "w") as archive:
        archive.writestr("audio/music/theme.wav", wave.getvalue())
        archive.writestr("art/theme.png", b"picture")
    row = replace(ROW, file="public.zip!audio/music/*.wav")
    assert len(recordings.joined(row, package)) / RATE == pytest.approx(1.0, abs=0.1)


def test_a_package_that_changed_its_licence_or_files_is_refused(tmp_path: Path) -> None:
    package = unpacked(tmp_path, licence="GPL-2+", tune=tone(1.0))
    with pytest.raises(InputError, match="no longer names CC-BY-4.0"):
        recordings.check_licence(ROW, package)
    with pytest.raises(InputError, match="no file music/gone.wav"):
        recordings.joined(replace(ROW, file="music/gone.wav"), package)


def test_without_apt_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(InputError, match=r"apt-get is missing.*Debian or Ubuntu"):
        recordings.fetch("some-music", ["music/tune.wav"], tmp_path)


def test_attributions_name_artist_licence_and_source() -> None:
    text = catalogue.attributions([ROW, replace(ROW, title="Air")])
    assert text == (
        "- A. Person: Tune, Air (CC-BY-4.0; Debian package "
        "[some-music](https://tracker.debian.org/pkg/some-music))\n"
    )
    everything = catalogue.attributions()
    assert all(row.artist in everything and row.licence in everything for row in catalogue.table())


def test_captions_say_only_what_the_table_and_the_tempo_say() -> None:
    captions = excerpts.wordings(ROW, None, seed=3)
    assert len(captions) == excerpts.CAPTIONS and len(set(captions)) > 1
    assert captions == excerpts.wordings(ROW, None, seed=3)
    for caption in captions:
        assert any(word in caption for key in ("folk", "calm") for word in (STYLE_WORDS | MOOD_WORDS)[key])
        assert "Tune" not in caption and "bpm" not in caption
    game = replace(ROW, tags=("ambient", "atmospheric", "game music"))
    for words in (c for seed in range(9) for c in excerpts.wordings(game, None, seed)):
        assert words.count("atmospheric") <= 1 and "music music" not in words
    assert any("bpm" in c for seed in range(9) for c in excerpts.wordings(ROW, 120.0, seed))


def test_tempo_is_given_only_where_there_is_a_pulse() -> None:
    clicks = np.zeros(RATE * 12, np.float32)
    for beat in range(24):  # 120 bpm
        clicks[beat * RATE // 2 : beat * RATE // 2 + 800] = tone(0.025, 1000.0)
    bpm = excerpts.tempo(clicks)
    assert bpm is not None and min(abs(bpm - b) for b in (60, 120, 240)) < 3
    assert excerpts.tempo(np.random.default_rng(0).normal(0, 0.1, RATE * 12).astype(np.float32)) is None


def test_chords_that_were_not_heard_are_not_claimed() -> None:
    line = ChordLine((Chord(0, 5, "C"), Chord(5, 9, "N"), Chord(9, 30, "Am")), (0.9, 0.0, 0.9), (), "test")
    assert excerpts.known_chords(line, 2.0, 12.0) == [Chord(0.0, 3.0, "C"), Chord(7.0, 12.0, "Am")]
    assert excerpts.known_chords(line, 3.0, 6.0) is None  # two seconds of six


def test_clips_come_from_all_recordings_and_from_no_silence() -> None:
    long, short = replace(ROW, file="long.ogg"), replace(ROW, file="short.ogg")
    size = round(excerpts.SECONDS * RATE)
    audio = np.round(tone(60.0) * 32767).astype(np.int16)
    audio[size : 2 * size] = 0
    found = excerpts.places([(long, audio), (short, audio[:size])], 3)
    assert (short, 0) in found and len(found) == 3
    everything = excerpts.places([(long, audio), (replace(ROW, tags=("samples",)), audio)], 99)
    assert sorted(at for _, at in everything) == [0, 2 * size, 3 * size, 4 * size]


def test_a_clip_is_cut_with_the_chord_that_sounds(tmp_path: Path) -> None:
    triad = sum(
        (tone(30.0, f * h, 0.05 / h) for f in (261.6, 329.6, 392.0) for h in (1, 2, 3)), tone(30.0, 0.0)
    )
    unpacked(tmp_path / "packages", tune=np.asarray(triad, np.float32))
    recordings.write([ROW], tmp_path / "packages", tmp_path / "out")
    assert excerpts.cut([ROW], tmp_path / "out/train", tmp_path / "clips", 2) == 2
    clips = np.load(tmp_path / "clips/audio_000.npy")
    labels = json.loads((tmp_path / "clips/labels_000.json").read_text())
    assert clips.shape == (2, 384_000) and clips.dtype == np.int16 and len(labels) == 2
    for label in labels:
        assert {c["symbol"] for c in label["chords"]} == {"C"}
        assert label["melody"] is None and label["hits"] is None
        assert label["style"] == "folk" and label["licence"] == "CC-BY-4.0"


def test_training_takes_unknown_lanes_as_not_given() -> None:
    chords = [{"start": 0.0, "end": 2.0, "symbol": "C"}]
    known = lanes_from(controls_of({"chords": chords, "melody": None, "hits": None}), 100, 25.0)
    assert (known.chords[0, :50] != NULL_CHORD).all() and (known.chords[0, 50:] == NULL_CHORD).all()
    assert (known.melody == MELODY_NULL).all() and not known.drums_given.any()
    nothing = lanes_from(controls_of({"chords": None, "melody": None, "hits": None}), 100, 25.0)
    assert (nothing.chords == NULL_CHORD).all()
    silent = lanes_from(controls_of({"chords": [], "melody": [], "hits": []}), 100, 25.0)
    assert (silent.melody != MELODY_NULL).all() and silent.drums_given.all()
