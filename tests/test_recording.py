"""Recordings: exact round trips, clear refusals, sensible results for odd files."""

from __future__ import annotations

import resource
from pathlib import Path

import numpy as np
import pytest
import soundfile

from engines.audio.recording import Recording, from_float, read_recording, resample, write_recording
from engines.errors import InputError

FORMATS = [
    ("WAV", "PCM_U8"), ("WAV", "PCM_16"), ("WAV", "PCM_24"), ("WAV", "PCM_32"), ("WAV", "FLOAT"),
    ("WAV", "DOUBLE"), ("WAV", "ULAW"), ("FLAC", "PCM_S8"), ("FLAC", "PCM_16"), ("FLAC", "PCM_24"),
    ("AIFF", "PCM_S8"), ("AIFF", "PCM_16"), ("AIFF", "PCM_24"), ("AIFF", "FLOAT"), ("CAF", "ALAC_24"),
]  # fmt: skip
SUFFIX = {"WAV": ".wav", "FLAC": ".flac", "AIFF": ".aiff", "CAF": ".caf"}


def noise(frames: int, channels: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-1, 1, (frames, channels))


@pytest.mark.parametrize(("container", "subtype"), FORMATS)
@pytest.mark.parametrize(("channels", "rate"), [(1, 8000), (2, 44100), (6, 192000)])
def test_a_file_survives_reading_and_writing_bit_for_bit(
    tmp_path: Path, container: str, subtype: str, channels: int, rate: int
) -> None:
    first = tmp_path / f"first{SUFFIX[container]}"
    soundfile.write(first, noise(3000, channels), rate, format=container, subtype=subtype)
    recording = read_recording(first)
    assert (recording.rate, recording.channels, recording.length) == (rate, channels, 3000)
    second = tmp_path / f"second{SUFFIX[container]}"
    write_recording(second, recording)
    again = read_recording(second)
    assert (again.format, again.subtype, again.rate) == (container, subtype, rate)
    assert again.samples.dtype == recording.samples.dtype
    np.testing.assert_array_equal(again.samples, recording.samples)
    assert recording.note == ""


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
def test_floats_and_back_are_exact(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, noise(5000, 2), 44100, subtype=subtype)
    recording = read_recording(path)
    np.testing.assert_array_equal(recording.to_native(recording.as_float()), recording.samples)
    assert np.abs(recording.as_float()).max() <= 1.0


@pytest.mark.parametrize("subtype", ["PCM_U8", "PCM_16", "PCM_24", "PCM_32"])
def test_values_beyond_full_scale_are_limited_and_never_wrap(tmp_path: Path, subtype: str) -> None:
    path = tmp_path / "a.wav"
    soundfile.write(path, np.zeros((4, 1)), 8000, subtype=subtype)
    recording = read_recording(path)
    native = recording.to_native(np.array([[1.5], [-1.5], [1.0], [-1.0]]))
    write_recording(path, recording.with_span(0, native))
    found = read_recording(path).as_float()[:, 0]
    assert found == pytest.approx([1, -1, 1, -1], abs=0.01)
    np.testing.assert_array_equal(read_recording(path).samples, native)


def test_a_lossy_file_keeps_its_decoded_samples(tmp_path: Path) -> None:
    tone = 0.3 * np.sin(np.arange(32000) / 20)
    soundfile.write(tmp_path / "a.ogg", tone, 32000)
    recording = read_recording(tmp_path / "a.ogg")
    assert (recording.format, recording.subtype) == ("WAV", "FLOAT")
    assert "lossy" in recording.note
    write_recording(tmp_path / "b.wav", recording)
    np.testing.assert_array_equal(read_recording(tmp_path / "b.wav").samples, recording.samples)
    with pytest.raises(InputError, match=r"\.ogg would change every sample; name the file \.wav"):
        write_recording(tmp_path / "b.ogg", recording)
    assert not (tmp_path / "b.ogg").exists()


def test_the_file_name_chooses_the_container(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.flac", noise(100, 2), 44100, subtype="PCM_24")
    recording = read_recording(tmp_path / "a.flac")
    write_recording(tmp_path / "b.wav", recording)
    assert soundfile.info(tmp_path / "b.wav").format == "WAV"
    np.testing.assert_array_equal(read_recording(tmp_path / "b.wav").samples, recording.samples)
    with pytest.raises(InputError, match="FLAC cannot hold FLOAT"):
        write_recording(tmp_path / "c.flac", from_float(noise(100, 1), 44100, "FLOAT"))


@pytest.mark.parametrize("name", ["a.wav", "a.flac"])
def test_a_full_disk_is_called_one_and_leaves_nothing(tmp_path: Path, name: str) -> None:
    """The system stops a file at 20 kB, as a full disk would."""
    recording = from_float(noise(100_000, 1), 44100)
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, before[1]))
    try:
        with pytest.raises(InputError, match="make room on the disk"):
            write_recording(tmp_path / name, recording)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("name", "content", "words"),
    [
        ("empty.wav", b"", r"empty\.wav \(0 bytes\): an audio file was expected; copy or export it again"),
        ("text.wav", b"hello " * 50, r"\(300 bytes\): not readable as audio; .* export it again as WAV"),
        ("head.wav", b"RIFF\x24\x00\x00\x00WAVEfmt ", "not readable as audio"),
        ("picture.png", b"\x89PNG\r\n\x1a\n" + bytes(200), "not readable as audio"),
    ],
)
def test_what_is_not_audio_is_refused_in_one_line(
    tmp_path: Path, name: str, content: bytes, words: str
) -> None:
    (tmp_path / name).write_bytes(content)
    with pytest.raises(InputError, match=words) as refusal:
        read_recording(tmp_path / name)
    assert "\n" not in str(refusal.value)


def test_missing_file_folder_and_empty_audio(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"gone\.wav: there is no such file"):
        read_recording(tmp_path / "gone.wav")
    with pytest.raises(InputError, match="there is no such file"):
        read_recording(tmp_path)
    soundfile.write(tmp_path / "none.wav", np.zeros((0, 1)), 8000)
    with pytest.raises(InputError, match="holds no samples"):
        read_recording(tmp_path / "none.wav")
    with pytest.raises(InputError, match="the folder .* does not exist"):
        write_recording(tmp_path / "no" / "a.wav", from_float(np.zeros(10), 8000))


@pytest.mark.parametrize("bad", [np.nan, np.inf])
def test_nan_is_refused_with_its_place(tmp_path: Path, bad: float) -> None:
    values = np.zeros((8000, 2), np.float32)
    values[4000, 1] = bad
    soundfile.write(tmp_path / "a.wav", values, 8000, subtype="FLOAT")
    with pytest.raises(InputError, match=r"1 samples are NaN or infinite, the first at 0\.50 s"):
        read_recording(tmp_path / "a.wav")


@pytest.mark.parametrize("container", ["WAV", "FLAC", "AIFF"])
def test_a_truncated_file_gives_what_is_left(tmp_path: Path, container: str) -> None:
    values = noise(44100 * 12, 1)
    whole, cut = tmp_path / "whole", tmp_path / "cut"
    soundfile.write(whole, values, 44100, format=container)
    data = whole.read_bytes()
    cut.write_bytes(data[: len(data) // 2])
    left = read_recording(cut)
    assert 3.0 < left.seconds <= 6.0
    np.testing.assert_array_equal(left.samples, read_recording(whole).samples[: left.length])
    assert "cut is damaged or cut short" in left.note


def test_a_silent_file_loads(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros((8000, 2)), 8000)
    assert not read_recording(tmp_path / "a.wav").samples.any()


def test_half_an_hour_is_held_and_more_than_forty_minutes_is_not(tmp_path: Path) -> None:
    long = tmp_path / "long.wav"
    soundfile.write(long, np.zeros(4000 * 60 * 30, np.int16), 4000)
    assert read_recording(long).seconds == 1800
    soundfile.write(long, np.zeros(4000 * 60 * 41, np.int16), 4000)
    with pytest.raises(InputError, match=r"41 min; at most 40 min can be edited; cut out the part"):
        read_recording(long)


def test_an_impossible_rate_is_refused(tmp_path: Path) -> None:
    soundfile.write(tmp_path / "a.wav", np.zeros(100), 100)
    with pytest.raises(InputError, match="100 Hz; expected 4000-384000 Hz; resample it first"):
        read_recording(tmp_path / "a.wav")


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 48000, 192000])
def test_mono_keeps_a_tone_in_time_and_tune(rate: int) -> None:
    tone = 0.5 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate)
    recording = from_float(np.stack([tone, tone], axis=1), rate)
    mono = recording.mono_at(32000)
    assert mono.dtype == np.float32 and mono.shape == (32000,)
    expected = 0.5 * np.sin(2 * np.pi * 440 * np.arange(32000) / 32000)
    np.testing.assert_allclose(mono[1000:-1000], expected[1000:-1000], atol=2e-3)


def test_mono_is_kept_but_not_shared() -> None:
    recording = from_float(noise(8000, 2), 8000)
    mono = recording.mono_at(16000)
    mono[:] = 0
    assert recording.mono_at(16000).any()


def test_resampled_length_is_exact() -> None:
    for length in (1, 7, 4411):
        assert resample(np.zeros(length), 44100, 32000).shape == (-(-length * 32000 // 44100),)
    assert resample(np.zeros((100, 6)), 8000, 16000).shape == (200, 6)


def test_loud_floats_lower_the_clip_instead_of_clipping() -> None:
    wave = 2.0 * np.sin(np.arange(1000) / 10)
    heard = from_float(wave, 8000).as_float()[:, 0]
    np.testing.assert_allclose(heard, wave / np.abs(wave).max(), atol=1 / 32768)
    with pytest.raises(ValueError, match="NaN"):
        from_float(np.array([np.nan]), 8000)


def test_a_recording_cannot_be_written_to() -> None:
    recording = from_float(noise(100, 1), 8000)
    with pytest.raises(ValueError, match="read-only"):
        recording.samples[0] = 1
    changed = recording.with_span(10, np.ones((5, 1), np.int16))
    assert (changed.samples[10:15] == 1).all()
    np.testing.assert_array_equal(changed.samples[:10], recording.samples[:10])
    np.testing.assert_array_equal(changed.samples[15:], recording.samples[15:])


def test_a_recording_is_checked() -> None:
    with pytest.raises(ValueError, match=r"expected \[N, C\]"):
        Recording(np.zeros(5, np.int16), 8000)
    with pytest.raises(ValueError, match="PCM_16 samples of type float32: expected int16"):
        Recording(np.zeros((5, 1), np.float32), 8000)


def test_channels_that_cancel_are_heard_in_mono() -> None:
    wave = 0.3 * np.sin(2 * np.pi * 220 * np.arange(8000) / 8000)
    for inverse in (-1.0, -0.95):
        recording = from_float(np.stack([wave, inverse * wave], axis=1), 8000, "FLOAT")
        assert recording.mono().std() > 0.9 * wave.std()
        assert recording.mono_at(8000).std() > 0.9 * wave.std()
        np.testing.assert_allclose(recording.mono(100, 200), recording.mono()[100:200])


def test_the_mono_sum_of_ordinary_stereo_is_the_mean_of_its_channels() -> None:
    stereo = np.random.default_rng(0).normal(scale=0.1, size=(8000, 2))
    stereo[:, 1] -= 0.5 * stereo[:, 0]
    recording = from_float(stereo, 8000, "FLOAT")
    np.testing.assert_array_equal(recording.mono(), recording.as_float().mean(axis=1))
    assert (recording.signs == 1).all()
