"""All the input that goes wrong, through the command line and through the page's way to an engine.

Each must give a clear one-line error (exit 2) or a sensible result: the input's bytes unchanged,
nothing but a whole output file written, no traceback.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
import soundfile
from numpy.typing import NDArray

from editor.cli import main as cli
from editor.project import spans, versions
from editor.project.disk import sounds, storage
from editor.project.document import Clip, Project, Region, Sound
from editor.runs.asking import requests_for
from editor.runs.events import Done, Failed
from editor.runs.runner import Runner
from editor.session import Session
from engines.audio.recording import read_recording
from engines.checkpoints.shelf import open_bundle
from engines.errors import InputError
from engines.requests import FMSettings
from engines.roster import ENGINE_NAMES

Captured = pytest.CaptureFixture[str]


def music(seconds: float, rate: int, channels: int = 1) -> NDArray[np.float32]:
    """[N, C] of a vibrating tone with noise."""
    time = np.arange(round(seconds * rate)) / rate
    tone = 0.2 * np.sin(2 * np.pi * 220 * time + np.sin(2 * np.pi * 3 * time))
    grain = np.random.default_rng(1).normal(0, 0.01, (len(time), channels))
    return (tone[:, None] * np.linspace(1, 0.5, channels) + grain).astype(np.float32)


def wav(seconds: float, rate: int, channels: int = 1, subtype: str = "PCM_16") -> Callable[[Path], None]:
    return lambda path: soundfile.write(path, music(seconds, rate, channels), rate, subtype)


def raw(content: bytes) -> Callable[[Path], None]:
    return lambda path: path.write_bytes(content) and None


def holds(value: float) -> Callable[[Path], None]:
    """A float file with one sample of that value outside the span."""

    def write(path: Path) -> None:
        samples = music(4, 16000)
        samples[100] = value
        soundfile.write(path, samples, 16000, "FLOAT")

    return write


def cut_short(keep: float, suffix: str) -> Callable[[Path], None]:
    """A file of four seconds whose tail is missing."""

    def write(path: Path) -> None:
        whole = path.with_name(f"whole{suffix}")
        soundfile.write(whole, music(4, 16000), 16000, "PCM_16")
        content = whole.read_bytes()
        path.write_bytes(content[: 44 if keep == 0 else int(len(content) * keep)])
        whole.unlink()

    return write


def silence(path: Path) -> None:
    soundfile.write(path, np.zeros((64000, 2)), 16000, "PCM_16")


def half_hour(path: Path) -> None:
    minute = music(60, 8000)
    with soundfile.SoundFile(path, "w", 8000, 1, "PCM_U8") as file:
        for _ in range(30):
            file.write(minute)


@dataclass(frozen=True)
class Case:
    """A file, and what is to come of inpainting 1-2 s of it."""

    write: Callable[[Path], object]
    name: str = "in.wav"
    error: str = ""  # words of the error; empty = a result
    notice: str = ""  # words on stderr beside a result


FILES = {
    "empty": Case(wav(0, 16000), error="holds no samples"),
    "zero bytes": Case(raw(b""), error="0 bytes"),
    "not audio": Case(raw(b"This is a letter, not a song.\n" * 40), error="not readable as audio"),
    "random bytes": Case(raw(np.random.default_rng(0).bytes(5000)), error="not readable as audio"),
    "header only": Case(cut_short(0, ".wav"), error="holds no samples"),
    "truncated": Case(cut_short(0.7, ".wav"), notice="damaged or cut short"),
    "truncated before the span": Case(cut_short(0.3, ".wav"), error="select a span inside"),
    "truncated flac": Case(cut_short(0.4, ".flac"), "in.flac", error="damaged or cut short"),
    "silent": Case(silence, error="silent"),
    "NaN": Case(holds(np.nan), error="NaN or infinite"),
    "infinite": Case(holds(np.inf), error="NaN or infinite"),
    "8-bit": Case(wav(4, 11025, 1, "PCM_U8")),
    "192 kHz": Case(wav(4, 192000, 2, "PCM_24")),
    "six channels": Case(wav(4, 48000, 6)),
    "half an hour": Case(half_hour),
    "no such file": Case(lambda path: None, error="no such file"),
    "a folder": Case(Path.mkdir, error="no such file"),
    "a name with control characters": Case(raw(b"x"), "in\x1b[31m\nred.wav", error="not readable"),
}


def inpaint(bundle: Path, source: Path, out: Path, *more: str, start: str = "1", end: str = "2") -> int:
    return cli.main(
        ["inpaint", str(source), "--start", start, "--end", end, "--out", str(out),
         "--steps", "1", "--candidates", "2", "--bundle", str(bundle), "--device", "cpu",
         *(more or ("--engine", "fm"))]
    )  # fmt: skip


def assert_one_line(captured: pytest.CaptureResult[str], words: str) -> None:
    assert captured.out == ""
    assert captured.err.startswith("inlay: ")
    assert captured.err.endswith("\n")
    line = captured.err[:-1]
    assert words in line
    assert len(line) < 400
    assert line.isprintable()  # one line, and nothing that a terminal would obey


LARGE = ("192 kHz", "six channels")  # of many samples; `make slow-test` waits for them


@pytest.mark.parametrize(
    "name", [pytest.param(name, marks=pytest.mark.slow if name in LARGE else ()) for name in FILES]
)
def test_files(name: str, tiny_bundle: Path, tmp_path: Path, capsys: Captured) -> None:
    case = FILES[name]
    source, out = tmp_path / case.name, tmp_path / f"out{Path(case.name).suffix}"
    case.write(source)
    before = source.read_bytes() if source.is_file() else None
    status = inpaint(tiny_bundle, source, out)
    captured = capsys.readouterr()
    assert (source.read_bytes() if source.is_file() else None) == before
    if case.error:
        assert status == 2
        assert_one_line(captured, case.error)
        assert not out.exists()
    else:
        assert status == 0
        assert case.notice in captured.err
        given, made = read_recording(source), read_recording(out)
        assert (made.rate, made.channels, made.format, made.subtype, made.length) == (
            given.rate, given.channels, given.format, given.subtype, given.length,
        )  # fmt: skip
        start, end = given.rate, 2 * given.rate
        assert np.array_equal(made.samples[:start], given.samples[:start])
        assert np.array_equal(made.samples[end:], given.samples[end:])
        assert not np.array_equal(made.samples[start:end], given.samples[start:end])
    assert {path for path in tmp_path.iterdir() if path not in (source, out)} == set()  # nothing partial


SPANS = {
    "reversed": ("3", "1", "the end must follow the start; swap them"),
    "empty": ("2", "2", "the end must follow the start"),
    "before the clip": ("-1", "1", "select a span inside it"),
    "beyond the clip": ("3", "9", "select a span inside it"),
    "outside": ("20", "22", "select a span inside it"),
    "shorter than two frames": ("1", "1.05", "two frames"),
    "longer than the window": ("1", "11", "at most 8 s"),
    "not a number": ("nan", "2", "expected a number"),
    "infinite": ("1", "inf", "expected a number"),
    "enormous": ("1e300", "1e301", "select a span inside it"),
}


@pytest.mark.parametrize("engine", ENGINE_NAMES)
@pytest.mark.parametrize("name", SPANS)
def test_spans(name: str, engine: str, tiny_bundle: Path, tmp_path: Path, capsys: Captured) -> None:
    start, end, words = SPANS[name]
    source, out = tmp_path / "in.wav", tmp_path / "out.wav"
    wav(12 if name == "longer than the window" else 4, 16000)(source)
    before = source.read_bytes()
    assert inpaint(tiny_bundle, source, out, "--engine", engine, start=start, end=end) == 2
    assert_one_line(capsys.readouterr(), words)
    assert not out.exists()
    assert source.read_bytes() == before


LONG, CONTROL = "loud " * 2000, "warm\x00 piano\x07\n\x1b[2J\r\x7f\u2028jazz \udcff"
WORDS: dict[str, tuple[list[str], str]] = {  # arguments, words of the error or "" for a result
    "prompt of 10,000 characters": (["--prompt", LONG], "prompt of 9999 characters: at most 1000"),
    "control characters": (["--prompt", CONTROL], ""),
    "empty prompt": (["--prompt", ""], ""),
    "only spaces": (["--prompt", " \t\n"], ""),
    "not ASCII": (["--prompt", "Cello, düster 🎻 日本語"], ""),
    "unknown chord": (["--prompt", "x", "--chords", "C@0 H7@0.5"], "chord 'H7': roots are A-G"),
    "chord without time": (["--prompt", "x", "--chords", "C Am"], "expected SYMBOL@SECONDS"),
    "chord time not a number": (["--prompt", "x", "--chords", "C@nan"], "chord"),
    "chords out of order": (["--prompt", "x", "--chords", "C@1 Am@0"], "chord"),
    "chord after the end": (["--prompt", "x", "--chords", "C@0 Am@90"], "chord"),
    "control characters in a chord": (["--prompt", "x", "--chords", "\x1b[31mC\x00@0"], "chord"),
    "a chord of 10,000 characters": (["--prompt", "x", "--chords", "C" * 10_000 + "@0"], "chord"),
    "no chords": (["--prompt", "x", "--chords", ""], "chord"),
    "known spellings": (["--prompt", "x", "--chords", "Db@0 Gsus4@0.5 N.C.@0.7"], ""),
    "too short": (["--prompt", "x", "--seconds", "0.1"], "expected 1-10 s"),
    "too long": (["--prompt", "x", "--seconds", "600"], "expected 1-10 s"),
    "negative length": (["--prompt", "x", "--seconds", "-5"], "expected 1-10 s"),
}  # fmt: skip


@pytest.mark.parametrize("name", WORDS)
def test_words(name: str, tiny_bundle: Path, tmp_path: Path, capsys: Captured) -> None:
    arguments, words = WORDS[name]
    out = tmp_path / "out.wav"
    status = cli.main(
        ["generate", "--engine", "fm", "--seconds", "1", "--steps", "1", "--out", str(out),
         "--bundle", str(tiny_bundle), "--device", "cpu", *arguments]
    )  # fmt: skip
    captured = capsys.readouterr()
    if words:
        assert status == 2
        assert_one_line(captured, words)
        assert not out.exists()
    else:
        assert status == 0
        assert read_recording(out).seconds == pytest.approx(1.0, abs=0.05)


def test_a_prompt_of_a_thousand_characters_is_fine(tiny_bundle: Path, tmp_path: Path) -> None:
    status = cli.main(
        ["generate", "--engine", "ar", "--prompt", "soft strings " * 76, "--seconds", "1",
         "--out", str(tmp_path / "out.wav"), "--bundle", str(tiny_bundle), "--device", "cpu"]
    )  # fmt: skip
    assert status == 0


@pytest.mark.parametrize(
    ("clip", "region", "words"),
    [
        (wav(4, 16000), Region(1, 1.05), "two frames"),
        (wav(125, 8000), Region(1, 122), "at most 120 s"),
        (silence, Region(1, 2), "silent"),
        (wav(4, 16000), Region(1, 2), ""),
    ],
)
def test_the_pages_way_gives_a_message_for_every_engine_and_loses_nothing(
    clip: Callable[[Path], None], region: Region, words: str, tiny_bundle: Path, tmp_path: Path
) -> None:
    uploaded = tmp_path / "song.wav"
    clip(uploaded)
    recording = read_recording(uploaded)
    folder = storage.new_project(tmp_path / "home").folder
    file = sounds.add_audio(folder, recording)
    project = versions.set_clip(Project(), Clip(file, recording.seconds, recording.rate, recording.channels))
    project = spans.add_span(project, region.start, region.end)
    stored = (folder / file).read_bytes()
    requests = requests_for(project, folder, "inpaint", fm=FMSettings(steps=1))
    runner = Runner(lambda: open_bundle(str(tiny_bundle), "cpu"))
    events = list(runner.stream(requests, threading.Event(), folder, Sound(file)))
    failed = [event for event in events if isinstance(event, Failed)]
    done = [event for event in events if isinstance(event, Done)]
    assert len(failed if words else done) == 3
    for event in failed:
        assert words in event.message
        assert "\n" not in event.message
    for result in done:
        assert result.take
        assert result.take.source == Sound(file)
        assert (folder / result.take.file).is_file()
    assert (folder / file).read_bytes() == stored


@pytest.mark.parametrize(
    ("write", "words"),
    [
        (raw(b""), "0 bytes"),
        (raw(b"not music at all, whatever its name says" * 50), "audio"),
        (holds(float("nan")), "NaN"),
        (wav(2, 192_000), ""),
        (wav(2, 44_100, 6), ""),
        (wav(2, 8_000, 1, "PCM_U8"), ""),
        (cut_short(0.6, ".wav"), ""),
        (half_hour, ""),
    ],
)
def test_the_pages_upload_says_what_is_wrong_and_keeps_what_was_there(
    write: Callable[[Path], None], words: str, tmp_path: Path
) -> None:
    session = Session(tmp_path / "home")
    wav(2, 16_000)(tmp_path / "first.wav")
    session.upload(tmp_path / "first.wav", "first.wav")
    before = session.project
    write(tmp_path / "upload.wav")
    if words:
        with pytest.raises(InputError, match=words) as refused:
            session.upload(tmp_path / "upload.wav", "my song.wav")
        assert "my song.wav" in str(refused.value) and "\n" not in str(refused.value)
        assert session.project == before
    else:
        session.upload(tmp_path / "upload.wav", "my song.wav")
        assert session.project.clip and session.project.clip.label == "my song.wav"


@pytest.mark.parametrize(
    ("command", "payload"),
    [
        ("set_prompt", {"prompt": "x" * 10_000}),
        ("draw_chords", {"chords": [{"start": 0, "end": 4, "symbol": "H7"}]}),
        ("add_span", {"start": 3, "end": 1}),
        ("add_span", {"start": 1, "end": 99}),
        ("add_span", {"start": float("nan"), "end": 2}),
    ],
)
def test_the_pages_gestures_refuse_in_one_line(
    command: str, payload: dict[str, object], tmp_path: Path
) -> None:
    session = Session(tmp_path / "home")
    wav(4, 16_000)(tmp_path / "first.wav")
    session.upload(tmp_path / "first.wav", "first.wav")
    before = session.project
    with pytest.raises(InputError) as refused:
        session.apply(command, payload)
    assert "\n" not in str(refused.value) and session.project == before


def test_the_page_cleans_control_characters(tmp_path: Path) -> None:
    session = Session(tmp_path / "home")
    session.apply("set_prompt", {"prompt": "warm\x00 piano\x1b[31m"})
    assert session.project.prompt.isprintable() and "warm" in session.project.prompt
