"""The command line: what it prints, writes and returns."""

from __future__ import annotations

import io
import json
import sys
import types
from pathlib import Path
from typing import Any

import numpy as np
import pretty_midi
import pytest
import soundfile

from editor.cli import main as cli
from editor.cli.progress import ProgressLine
from engines import dispatch
from engines.audio.recording import read_recording
from engines.progress import Progress
from engines.roster import ENGINE_NAMES

RATE = 16000
Captured = pytest.CaptureFixture[str]


@pytest.fixture
def song(tmp_path: Path) -> Path:
    """Four seconds of a stereo chord with some noise, 16-bit WAV."""
    time = np.arange(4 * RATE) / RATE
    noise = np.random.default_rng(0).normal(0, 0.01, (len(time), 2))
    chord = sum(np.sin(2 * np.pi * f * time) for f in (220, 277, 330)) * 0.1
    path = tmp_path / "song.wav"
    soundfile.write(path, chord[:, None] * np.array([1.0, 0.7]) + noise, RATE, "PCM_16")
    return path


def run(capsys: Captured, bundle: Path, *arguments: str) -> tuple[int, str, str]:
    """Exit status, stdout and stderr of a command on the tiny bundle."""
    capsys.readouterr()
    status = cli.main([*arguments, "--bundle", str(bundle), "--device", "cpu"])
    captured = capsys.readouterr()
    return status, captured.out, captured.err


def test_generate_prints_one_object_and_writes_a_clip(
    tiny_bundle: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "clip.wav"
    arguments = (
        "generate",
        "--engine",
        "fm",
        "--prompt",
        "warm piano",
        "--seconds",
        "2",
        "--steps",
        "2",
        "--chords",
        "C@0 Am@1",
        "--seed",
        "5",
        "--out",
        str(out),
        "--json",
    )
    status, printed, errors = run(capsys, tiny_bundle, *arguments)
    assert (status, "Traceback" in errors) == (0, False)
    report = json.loads(printed)
    assert (report["engine"], report["seed"], report["out"]) == ("fm", 5, str(out))
    assert report["parameters"]["prompt"] == "warm piano"
    assert report["parameters"]["fm"]["steps"] == 2
    assert report["parameters"]["controls"]["chords"][1] == {"start": 1.0, "end": 2.0, "symbol": "Am"}
    at_work = [spent for stage, spent in report["timings"].items() if stage not in ("queued", "load")]
    assert report["seconds_spent"] == pytest.approx(sum(at_work))
    assert report["real_time_factor"] == pytest.approx(2 / report["seconds_spent"])
    assert "seams" not in report
    assert read_recording(out).seconds == pytest.approx(2.0, abs=0.05)


def test_the_same_seed_makes_the_same_file_and_another_does_not(
    tiny_bundle: Path, tmp_path: Path, capsys: Captured
) -> None:
    files = []
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        out = tmp_path / f"{name}.wav"
        status, _, _ = run(
            capsys,
            tiny_bundle,
            "generate",
            "--engine",
            "fm",
            "--prompt",
            "x",
            "--seconds",
            "1",
            "--steps",
            "2",
            "--seed",
            seed,
            "--out",
            str(out),
        )
        assert status == 0
        files.append(out.read_bytes())
    assert files[0] == files[1] != files[2]


@pytest.mark.parametrize("engine", ENGINE_NAMES)
def test_inpaint_changes_the_span_only(
    engine: str, tiny_bundle: Path, song: Path, tmp_path: Path, capsys: Captured
) -> None:
    before = song.read_bytes()
    out = tmp_path / "out.wav"
    status, printed, _ = run(
        capsys,
        tiny_bundle,
        "inpaint",
        str(song),
        "--engine",
        engine,
        "--start",
        "1.5",
        "--end",
        "2.5",
        "--steps",
        "2",
        "--out",
        str(out),
        "--json",
    )
    assert status == 0
    report = json.loads(printed)
    assert [seam["time"] for seam in report["seams"]] == [1.5, 2.5]
    assert all(seam["words"] and 0 <= seam["score"] <= 1 for seam in report["seams"])
    source, made = read_recording(song), read_recording(out)
    assert (made.rate, made.channels, made.format, made.subtype) == (RATE, 2, "WAV", "PCM_16")
    start, end = int(1.5 * RATE), int(2.5 * RATE)
    assert np.array_equal(source.samples[:start], made.samples[:start])
    assert np.array_equal(source.samples[end:], made.samples[end:])
    assert not np.array_equal(source.samples[start:end], made.samples[start:end])
    assert song.read_bytes() == before


@pytest.mark.slow
def test_several_spans_in_one_pass_and_their_replay(
    tiny_bundle: Path, song: Path, tmp_path: Path, capsys: Captured
) -> None:
    out, again, report = tmp_path / "out.wav", tmp_path / "again.wav", tmp_path / "report.json"
    spans = ["--start", "0.5", "--end", "1", "--also", "2.5-3", "--also", "1.5-2"]
    status, printed, _ = run(
        capsys,
        tiny_bundle,
        "inpaint",
        str(song),
        "--engine",
        "fm",
        *spans,
        "--steps",
        "2",
        "--candidates",
        "2",
        "--out",
        str(out),
        "--json",
    )
    assert status == 0
    assert [seam["time"] for seam in json.loads(printed)["seams"]] == [0.5, 1, 1.5, 2, 2.5, 3]
    source, made = read_recording(song).samples, read_recording(out).samples
    for half in range(8):
        part = slice(half * RATE // 2, (half + 1) * RATE // 2)
        assert np.array_equal(source[part], made[part]) == (half not in (1, 3, 5))
    report.write_text(printed)
    status, _, _ = run(capsys, tiny_bundle, "replay", str(report), "--source", str(song), "--out", str(again))
    assert status == 0 and np.array_equal(read_recording(again).samples, made)


@pytest.mark.parametrize(
    "edit",
    ["continue", pytest.param("intro", marks=pytest.mark.slow), pytest.param("loop", marks=pytest.mark.slow)],
)
def test_a_recording_is_extended_and_its_report_replays(
    tiny_bundle: Path, tmp_path: Path, song: Path, capsys: Captured, edit: str
) -> None:
    out, twin, told = tmp_path / "out.wav", tmp_path / "twin.wav", tmp_path / "request.json"
    status, printed, errors = run(
        capsys, tiny_bundle, "extend", str(song), "--edit", edit, "--seconds", "1", "--engine", "fm",
        "--steps", "2", "--out", str(out), "--json",
    )  # fmt: skip
    assert (status, "Traceback" in errors) == (0, False), errors
    before, after = read_recording(song), read_recording(out)
    kept = {"continue": slice(0, 4 * RATE), "intro": slice(RATE, None), "loop": slice(RATE // 2, -RATE // 2)}
    old = before.samples[kept["loop"]] if edit == "loop" else before.samples
    assert np.array_equal(after.samples[kept[edit]], old)
    assert after.seconds == (4 if edit == "loop" else 5)
    assert len(json.loads(printed)["seams"]) == (2 if edit == "loop" else 1)
    told.write_text(printed)
    status, _, errors = run(
        capsys, tiny_bundle, "replay", str(told), "--source", str(song), "--out", str(twin)
    )  # fmt: skip
    assert status == 0, errors
    assert np.array_equal(read_recording(twin).samples, after.samples)


def test_a_24_bit_flac_comes_back_as_one(
    tiny_bundle: Path, song: Path, tmp_path: Path, capsys: Captured
) -> None:
    flac, out = tmp_path / "song.flac", tmp_path / "out.flac"
    samples, _ = soundfile.read(song, dtype="int32")
    soundfile.write(flac, samples, RATE, "PCM_24")
    status, _, _ = run(
        capsys,
        tiny_bundle,
        "inpaint",
        str(flac),
        "--engine",
        "fm",
        "--start",
        "1",
        "--end",
        "2",
        "--steps",
        "1",
        "--out",
        str(out),
    )
    assert status == 0
    made = read_recording(out)
    assert (made.format, made.subtype) == ("FLAC", "PCM_24")
    assert np.array_equal(made.samples[:RATE], read_recording(flac).samples[:RATE])


def test_without_json_one_line_for_people(
    tiny_bundle: Path, song: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = tmp_path / "out.wav"
    status, printed, errors = run(
        capsys,
        tiny_bundle,
        "inpaint",
        str(song),
        "--engine",
        "fm",
        "--start",
        "1",
        "--end",
        "2",
        "--steps",
        "1",
        "--out",
        str(out),
    )
    assert status == 0
    assert printed.count("\n") == 1
    assert printed.startswith(f"{out}: 4.00 s in ")
    assert "inlay:" in errors  # progress


def test_lanes_from_midi_files(tiny_bundle: Path, tmp_path: Path, capsys: Captured) -> None:
    midi = pretty_midi.PrettyMIDI()
    for is_drum, pitch in ((False, 60), (True, 36)):
        track = pretty_midi.Instrument(0, is_drum)
        track.notes = [pretty_midi.Note(90, pitch, 0.5, 1.0)]
        midi.instruments.append(track)
    path = str(tmp_path / "lanes.mid")
    midi.write(path)
    status, printed, _ = run(
        capsys,
        tiny_bundle,
        "generate",
        "--engine",
        "fm",
        "--prompt",
        "x",
        "--seconds",
        "1",
        "--steps",
        "1",
        "--melody",
        path,
        "--drums",
        path,
        "--out",
        str(tmp_path / "o.wav"),
        "--json",
    )
    assert status == 0
    controls = json.loads(printed)["parameters"]["controls"]
    assert controls["melody"] == [{"start": 0.5, "end": 1.0, "pitch": 60}]
    assert controls["drums"] == [{"time": 0.5, "drum": "kick"}]


def test_players_beat_and_intent_reach_the_request(
    song: Path, tiny_bundle: Path, tmp_path: Path, capsys: Captured
) -> None:
    out = str(tmp_path / "out.wav")
    told = [
        "inpaint",
        str(song),
        "--engine",
        "fm",
        "--start",
        "1",
        "--end",
        "2",
        "--steps",
        "2",
        "--out",
        out,
    ]
    told += ["--candidates", "1", "--json", "--bpm", "90", "--meter", "3/4", "--beat1", "0.5"]
    given = ["--instruments", "piano no-drums@1.5", "--intent", "blend"]
    status, printed, errors = run(capsys, tiny_bundle, *told, *given)
    assert status == 0, errors
    parameters = json.loads(printed)["parameters"]
    assert parameters["intent"] == "blend"
    assert parameters["controls"]["grid"] == {"bpm": 90.0, "beats_per_bar": 3, "offset": 0.5}
    assert parameters["controls"]["instruments"] == [
        {"start": 0.0, "end": 4.0, "instrument": "piano", "plays": True},
        {"start": 1.5, "end": 4.0, "instrument": "drums", "plays": False},
    ]
    status, printed, errors = run(capsys, tiny_bundle, *told, "--prompt", "flute")
    assert status == 0, errors
    parameters = json.loads(printed)["parameters"]
    assert parameters["intent"] in ("auto", "change")  # what was given decides; the engine may say so
    assert [(p["instrument"], p["start"], p["end"]) for p in parameters["controls"]["instruments"]] == [
        ("flute", 1.0, 2.0)
    ]


def test_bundle_tells_what_is_loaded(tiny_bundle: Path, capsys: Captured) -> None:
    status, printed, _ = run(capsys, tiny_bundle, "bundle", "--json")
    assert status == 0
    facts = json.loads(printed)
    assert facts["licence"]
    assert "GPL-2" in facts["parts"]["chords from audio"] and "25 Hz" in facts["parts"]["codec"]
    assert facts["bytes"]["fm.safetensors"] == (tiny_bundle / "fm.safetensors").stat().st_size
    status, printed, _ = run(capsys, tiny_bundle, "bundle")
    assert status == 0
    assert facts["licence"] in printed


def test_analyze_tells_what_is_in_a_recording(song: Path, tmp_path: Path, capsys: Captured) -> None:
    midi = tmp_path / "lanes.mid"
    assert cli.main(["analyze", str(song), "--json", "--midi", str(midi)]) == 0
    captured = capsys.readouterr()
    told = json.loads(captured.out)
    assert told["seconds"] == pytest.approx(4.0)
    assert {chord["symbol"] for chord in told["chords"]} == {"A"}  # A, C#, E
    assert told["chords"][0]["start"] == 0.0 and told["chords"][-1]["end"] == pytest.approx(4.0)
    assert all(0 <= row["confidence"] <= 1 for row in told["chords"] + told["melody"] + told["drums"])
    assert len(told["level"]["values"]) == 40
    tracks = pretty_midi.PrettyMIDI(str(midi)).instruments
    assert {9, 1, 4} <= {note.pitch % 12 for track in tracks for note in track.notes if not track.is_drum}


def test_analyze_keeps_the_files_clock_and_speaks_to_people(song: Path, capsys: Captured) -> None:
    assert cli.main(["analyze", str(song), "--start", "2", "--end", "3.5"]) == 0
    out = capsys.readouterr().out
    assert "chords by notes: A@2.00" in out and "LUFS" in out


def test_analyze_prints_the_coarse_drum_signal_when_asked(
    song: Path, tiny_bundle: Path, capsys: Captured
) -> None:
    status, printed, _ = run(
        capsys, tiny_bundle, "analyze", str(song), "--start", "1", "--drum-signal", "--json"
    )
    assert status == 0
    signal = json.loads(printed)["drum_signal"]
    assert signal["start"] == 1.0
    assert len(signal["codes"]) == round(3.0 * signal["frame_rate"])  # one code a latent frame
    status, printed, _ = run(capsys, tiny_bundle, "analyze", str(song), "--start", "1", "--drum-signal")
    assert " ".join(map(str, signal["codes"])) in printed


@pytest.mark.parametrize(
    ("options", "told"),
    [
        (["--start", "3", "--end", "2"], "span 3-2 s"),
        (["--end", "9"], "within 0-4.00 s"),
        (["--midi", "lanes.wav"], "ends in .mid"),
        (["--chords-by", "ear"], "invalid choice"),
    ],
)
def test_analyze_says_what_it_cannot_use(song: Path, capsys: Captured, options: list[str], told: str) -> None:
    assert cli.main(["analyze", str(song), *options]) == 2
    assert told in capsys.readouterr().err


def test_a_missing_bundle_is_one_line(tmp_path: Path, capsys: Captured) -> None:
    status, printed, errors = run(capsys, tmp_path / "nowhere", "bundle")
    assert (status, printed, errors.count("\n")) == (2, "", 1)
    assert "nowhere" in errors


def test_ctrl_c_writes_nothing(
    tiny_bundle: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = dispatch.run

    def interrupted(request: Any, models: Any, progress: Any) -> Any:
        def press(report: Progress) -> None:
            raise KeyboardInterrupt

        return real(request, models, press)

    monkeypatch.setattr(dispatch, "run", interrupted)
    status, printed, errors = run(
        capsys,
        tiny_bundle,
        "generate",
        "--engine",
        "ar",
        "--prompt",
        "x",
        "--seconds",
        "1",
        "--out",
        str(tmp_path / "o.wav"),
    )
    assert (status, printed) == (130, "")
    assert "interrupted" in errors
    assert list(tmp_path.iterdir()) == []


def test_a_defect_is_one_line_too(
    tiny_bundle: Path, tmp_path: Path, capsys: Captured, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise RuntimeError("mat1 and mat2 differ\nin detail")

    monkeypatch.setattr(dispatch, "run", broken)
    arguments = (
        "generate",
        "--engine",
        "fm",
        "--prompt",
        "x",
        "--seconds",
        "1",
        "--out",
        str(tmp_path / "o.wav"),
    )
    status, printed, errors = run(capsys, tiny_bundle, *arguments)
    assert (status, printed, errors.count("\n")) == (1, "", 1)
    assert "RuntimeError: mat1 and mat2 differ" in errors
    monkeypatch.setenv("INLAY_DEBUG", "1")
    with pytest.raises(RuntimeError):
        run(capsys, tiny_bundle, *arguments)


def test_serve_hands_its_options_to_the_page(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: dict[str, object] = {}
    page = types.ModuleType("editor.page.server")
    page.serve = lambda **options: asked.update(options)  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "editor.page.server", page)
    monkeypatch.setattr("editor.page.server", page, raising=False)
    assert cli.main(["serve", "--port", "9000", "--bundle", "b", "--device", "cpu"]) == 0
    own = {"host": "127.0.0.1", "port": 9000, "bundle": "b", "device": "cpu", "listens": True}
    assert asked == own | {"users": None, "metrics": False}
    assert cli.main(["serve", "--users", "band"]) == 0 and asked["users"] == Path("band")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ("", "COMMAND"),
        ("sing", "invalid choice: 'sing'"),
        ("generate --engine fm-zero-shot --prompt x --out o.wav", "invalid choice: 'fm-zero-shot'"),
        ("generate --engine fm --out o.wav", "required: --prompt"),
        ("generate --engine fm --prompt x --out o.mp3", "ends in .wav"),
        ("generate --engine fm --prompt x --out o", "ends in .wav"),
        ("generate --engine fm --prompt x --out /no/such/o.wav", "no folder '/no/such'"),
        ("generate --engine fm --prompt x --out o.wav --seed 1.5", "--seed '1.5': expected a whole number"),
        ("generate --engine fm --prompt x --out o.wav --seed -1", "seed -1: expected a whole number 0-"),
        ("generate --engine fm --prompt x --out o.wav --seconds nan", "--seconds 'nan': expected a number"),
        (
            "generate --engine fm --prompt x --out o.wav --steps 0",
            "--steps '0': expected a whole number from 1",
        ),
        (
            "generate --engine ar --prompt x --out o.wav --temperature 0",
            "--temperature '0': expected a number from 0.01 to 10",
        ),
        ("generate --engine ar --prompt x --out o.wav --guidance 1,2,3", "expected ALL or ALL,TEXT"),
        ("generate --engine fm --prompt x --out o.wav --melody no.mid", "no such MIDI file"),
        ("generate --engine fm --prompt x --out o.wav --instruments vioin", "nearest: violin"),
        ("generate --engine fm --prompt x --out o.wav --instruments sax@11", "within 0-10"),
        ("generate --engine fm --prompt x --out o.wav --meter 3/4", "add --bpm"),
        ("generate --engine fm --prompt x --out o.wav --bpm 1000", "expected 20-400"),
        ("generate --engine fm --prompt x --out o.wav --bpm 90 --meter 3/5", "expected a meter such as 3/4"),
        ("generate --engine fm --prompt x --out o.wav --intent blend", "unrecognized arguments: --intent"),
        ("inpaint no.wav --engine fm --start 1 --end 2 --out o.wav --intent loud", "invalid choice: 'loud'"),
        ("inpaint no.wav --engine fm --start 1 --end 2 --out o.wav", "no.wav"),
        ("inpaint no.wav --engine fm --start inf --end 2 --out o.wav", "--start 'inf': expected a number"),
    ],
)
def test_unusable_arguments_are_one_line_and_exit_2(
    arguments: str, words: str, capsys: Captured, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.main(arguments.split()) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err.startswith("inlay: ")
    assert captured.err.count("\n") == 1
    assert words in captured.err
    assert list(tmp_path.iterdir()) == []


def test_the_input_is_never_the_output(song: Path, capsys: Captured) -> None:
    before = song.read_bytes()
    status = cli.main(
        ["inpaint", str(song), "--engine", "fm", "--start", "1", "--end", "2", "--out", str(song)]
    )
    assert status == 2
    assert "never overwritten" in capsys.readouterr().err
    assert song.read_bytes() == before


def test_help_names_every_command(capsys: Captured) -> None:
    with pytest.raises(SystemExit) as stopped:
        cli.main(["--help"])
    assert stopped.value.code == 0
    printed = capsys.readouterr().out
    assert all(name in printed for name in ("serve", "generate", "inpaint", "analyze", "bundle"))


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_updates_one_line_on_a_terminal_and_is_sparse_elsewhere() -> None:
    reports = [Progress("sample", step, 200, 0.0, 2.4) for step in range(1, 201)]
    terminal, log = Terminal(), io.StringIO()
    for stream in (terminal, log):
        line = ProgressLine(stream)
        for report in reports:
            line(report)
        line.close()
    assert "\n" not in terminal.getvalue()
    assert "\rinlay: making music 50%, about 2 s left" in terminal.getvalue()
    assert terminal.getvalue().endswith(" \r")
    assert [text.split()[3] for text in log.getvalue().splitlines()] == [
        "0%,",
        "25%,",
        "50%,",
        "75%,",
        "100%",
    ]
