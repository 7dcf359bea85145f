"""Recordings are as long as what comes, whatever a header says; what else a WAV holds is kept."""

from __future__ import annotations

import io
import os
import random
import struct
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile

from editor.project.disk import exports, imports, sounds
from editor.project.document import Clip, Project
from engines.audio import mpeg
from engines.audio.chunks import Chunk
from engines.audio.recording import SUFFIXES, from_float, read_recording, write_recording
from engines.errors import InputError

RATE = 22050


def noise(count: int = 20_000, channels: int = 1, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).uniform(-0.4, 0.4, (count, channels))


def encoded(
    container: str, subtype: str | None = None, samples: np.ndarray | None = None, rate: int = RATE
) -> bytes:
    sink = io.BytesIO()
    soundfile.write(sink, noise() if samples is None else samples, rate, format=container, subtype=subtype)
    return sink.getvalue()


def chunk(name: bytes, data: bytes) -> bytes:
    return name + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)


def wave(
    samples: np.ndarray, before: bytes = b"", after: bytes = b"", riff: int = -1, data: int = -1
) -> bytes:
    """A 16-bit mono WAV with other chunks, and sizes that may be wrong."""
    body = (samples[:, 0] * 32767).astype("<i2").tobytes()
    form = chunk(b"fmt ", struct.pack("<HHIIHH", 1, 1, RATE, 2 * RATE, 2, 16))
    sound = b"data" + struct.pack("<I", len(body) if data < 0 else data) + body
    inner = b"WAVE" + form + before + sound + after
    return b"RIFF" + struct.pack("<I", len(inner) if riff < 0 else riff) + inner


@pytest.mark.parametrize("data", [0, 0xFFFFFFFF, 0x7FFFFFFF, 0xFFFFFFFF - 36, 0x80000000, 0x7FFFF000])
@pytest.mark.parametrize("riff", [-1, 0, 0xFFFFFFFF])
@pytest.mark.parametrize("before", [b"", chunk(b"LIST", b"INFOISFT\6\0\0\0Lavf59")])
def test_a_streams_wave_is_read_whole_without_alarm(
    tmp_path: Path, data: int, riff: int, before: bytes
) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wave(noise(), before, riff=riff, data=data))
    found = read_recording(path)
    assert found.length == 20_000 and found.note == ""
    path.write_bytes(wave(noise(), before))
    np.testing.assert_array_equal(found.samples, read_recording(path).samples)


def test_a_cut_wave_is_called_cut_and_an_empty_one_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wave(noise())[:-9000])
    found = read_recording(path)
    assert found.length == 15_500 and "cut short" in found.note
    path.write_bytes(wave(noise(0), after=chunk(b"LIST", b"INFO")))
    with pytest.raises(InputError, match="holds no samples"):
        read_recording(path)


@pytest.mark.parametrize(
    ("channels", "subtype", "count"), [(1, "PCM_16", 88_200), (2, "PCM_24", 30_001), (1, "PCM_16", 4096)]
)
def test_a_piped_flac_is_read_whole(tmp_path: Path, channels: int, subtype: str, count: int) -> None:
    content = bytearray(encoded("FLAC", subtype, noise(count, channels)))
    path = tmp_path / "a.flac"
    path.write_bytes(content)
    right = read_recording(path).samples
    for total in (0, count // 3):
        content[21:26] = bytes((content[21] & 0xF0,)) + total.to_bytes(4, "big")
        path.write_bytes(content)
        found = read_recording(path)
        np.testing.assert_array_equal(found.samples, right)
        assert found.note == ""


@pytest.mark.parametrize(
    ("rate", "channels"), [(44100, 2), (44100, 1), (48000, 2), (22050, 1), (16000, 2), (11025, 1)]
)
def test_an_mp3_is_as_long_as_its_frames(tmp_path: Path, rate: int, channels: int) -> None:
    content = encoded("MP3", None, noise(5 * rate, channels), rate)
    frames = mpeg.frames_of(content)
    assert frames is not None and frames.told
    spf = 1152 if rate >= 32000 else 576
    path = tmp_path / "a.mp3"
    for tag in (b"", b"ID3\4\0\0\0\0\0\x0a" + bytes(10)):
        path.write_bytes(tag + content[frames.first :] + b"TAG" + bytes(125))
        found = read_recording(path)
        assert found.length == frames.count * spf and "cut short" not in found.note
    path.write_bytes(content + content)  # two files one after the other
    assert read_recording(path).seconds == pytest.approx(10, abs=0.3)
    path.write_bytes(content[: len(content) // 2])
    half = read_recording(path)
    assert 2 < half.seconds < 3 and "cut short" in half.note
    path.write_bytes(content)
    assert read_recording(path).seconds == pytest.approx(5, abs=0.1)


@pytest.mark.parametrize("links", [2, 5])
@pytest.mark.parametrize("subtype", ["VORBIS", "OPUS"])
def test_a_chained_ogg_is_read_whole(tmp_path: Path, links: int, subtype: str) -> None:
    parts = [encoded("OGG", subtype, noise(24_000, seed=i), 24000) for i in range(links)]
    (tmp_path / "a.ogg").write_bytes(b"".join(parts))
    lengths = []
    for part in parts:
        (tmp_path / "b.ogg").write_bytes(part)
        lengths.append(read_recording(tmp_path / "b.ogg").length)
    assert read_recording(tmp_path / "a.ogg").length == sum(lengths)
    other = encoded("OGG", "VORBIS", noise(16_000, 2), 16000)
    (tmp_path / "a.ogg").write_bytes(parts[0] + other)
    found = read_recording(tmp_path / "a.ogg")
    assert found.length == lengths[0] and "left out" in found.note


BEXT = chunk(b"bext", b"take" + bytes(598))
CUE = chunk(b"cue ", struct.pack("<IIIIIII", 1, 1, 0, 0x61746164, 0, 0, 4410))
SMPL = chunk(b"smpl", bytes(60))
LIST = chunk(b"LIST", b"INFOINAM\5\0\0\0Title"[:18])


def ids(content: bytes) -> list[bytes]:
    found, at = [], 12
    while at + 8 <= len(content):
        found.append(content[at : at + 4])
        size = struct.unpack("<I", content[at + 4 : at + 8])[0]
        at += 8 + size + size % 2
    assert at == len(content) and struct.unpack("<I", content[4:8])[0] == len(content) - 8
    return found


def test_a_waves_other_chunks_come_through(tmp_path: Path) -> None:
    path, out = tmp_path / "a.wav", tmp_path / "b.wav"
    path.write_bytes(wave(noise(), BEXT + chunk(b"odd ", b"abc"), CUE + SMPL + LIST))
    recording = read_recording(path)
    assert [c.id for c in recording.chunks] == [b"bext", b"odd ", b"cue ", b"smpl", b"LIST"]
    made = recording.with_span(100, recording.samples[200:300])
    write_recording(out, made)
    content = out.read_bytes()
    assert ids(content) == [b"fmt ", b"bext", b"odd ", b"data", b"cue ", b"smpl", b"LIST"]
    for part in (BEXT, CUE, SMPL, LIST):
        assert part in content
    np.testing.assert_array_equal(read_recording(out).samples, made.samples)
    write_recording(tmp_path / "c.flac", made)
    assert read_recording(tmp_path / "c.flac").chunks == ()
    float_wave = from_float(noise(), RATE, "FLOAT")
    object.__setattr__(float_wave, "chunks", (Chunk(b"bext", b"1234", True),))
    write_recording(out, float_wave)
    assert b"bext" in ids(out.read_bytes()) and read_recording(out).length == 20_000


def test_the_page_keeps_them_too(tmp_path: Path) -> None:
    path = tmp_path / "a.wav"
    path.write_bytes(wave(noise(), BEXT, CUE + SMPL + LIST))
    folder = tmp_path / "project"
    folder.mkdir()
    project = imports.put_recording(Project(), folder, read_recording(path), "a.wav")
    assert project.clip is not None
    made, name = exports.export(folder, project, "wav")
    assert name == "a.wav" and ids(made.read_bytes()) == [
        b"fmt ",
        b"bext",
        b"data",
        b"cue ",
        b"smpl",
        b"LIST",
    ]
    path.write_bytes(wave(noise()))
    assert sounds.add_audio(folder, read_recording(path)).endswith(".flac")
    assert isinstance(project.clip, Clip)


def test_containers_have_names_that_other_programs_know(tmp_path: Path) -> None:
    assert SUFFIXES["WAVEX"] == SUFFIXES["RF64"] == SUFFIXES["WAV"] == ".wav" and SUFFIXES["AIFF"] == ".aiff"
    for container in ("WAVEX", "RF64"):
        path = tmp_path / "a.wav"
        path.write_bytes(encoded(container, "PCM_24"))
        assert read_recording(path).length == 20_000


@pytest.mark.skipif(os.name != "posix", reason="names are bytes on POSIX")
def test_a_file_name_that_is_no_text_is_read_and_written(tmp_path: Path) -> None:
    name = os.fsdecode(os.fsencode(tmp_path) + b"/caf\xe9.wav")
    Path(name).write_bytes(wave(noise(), BEXT))
    recording = read_recording(name)
    assert recording.length == 20_000
    out = os.fsdecode(os.fsencode(tmp_path) + b"/\xff\xfe.wav")
    write_recording(out, recording)
    assert read_recording(out).chunks == recording.chunks
    with pytest.raises(InputError, match="no such file"):
        read_recording(name + ".gone")


def test_no_mutation_of_a_recording_breaks_the_reader_or_takes_long(tmp_path: Path) -> None:
    rng = random.Random(5)
    kinds = {
        "a.wav": wave(noise(3000), BEXT, CUE + LIST), "b.flac": encoded("FLAC", "PCM_16", noise(3000)),
        "c.mp3": encoded("MP3", None, noise(9000)), "d.ogg": encoded("OGG", "VORBIS", noise(4000)) * 2,
        "e.aiff": encoded("AIFF", "PCM_16", noise(3000)), "f.wav": encoded("RF64", "PCM_16", noise(3000)),
    }  # fmt: skip
    begun = time.process_time()
    for turn in range(240):
        name = rng.choice(list(kinds))
        content = bytearray(kinds[name])
        for _ in range(rng.choice((1, 2, 6))):
            at = rng.randrange(min(len(content), rng.choice((64, 512, len(content)))))
            if rng.random() < 0.6:
                content[at : at + 4] = rng.choice((b"\0\0\0\0", b"\xff\xff\xff\xff", rng.randbytes(4)))
            else:
                del content[at : at + rng.randrange(1, 40)]
        path = tmp_path / name
        path.write_bytes(content)
        try:
            assert read_recording(path).length > 0
        except InputError as error:
            assert "\n" not in str(error), turn
    assert time.process_time() - begun < 30
