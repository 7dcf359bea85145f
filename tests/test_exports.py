"""What leaves a project: the same samples in every lossless kind, names, stems, requests."""

from __future__ import annotations

import json
import zipfile
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from editor.cli import main as cli
from editor.page.takes import groups
from editor.project import drawing, lanes, spans, versions
from editor.project.disk import exports, sounds, storage
from editor.project.document import Clip, LaneNote, Lanes, Project, Section
from editor.runs.replay import request_from
from editor.runs.takes import take_from
from engines import dispatch
from engines.audio.recording import Recording, from_float, read_recording, write_recording
from engines.checkpoints.shelf import Models
from engines.errors import InputError
from engines.requests import ARSettings, Chord, Controls, FMSettings, InpaintRequest, Result
from engines.roster import EngineName


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return storage.new_project(tmp_path).folder


def with_take(folder: Path, song: Recording) -> Project:
    """The song with a re-made and kept second, and one span selected."""
    clip = Clip(sounds.add_audio(folder, song), song.seconds, song.rate, song.channels, "My song.wav")
    project = spans.add_span(versions.set_clip(Project(name="Work"), clip), 1, 2)
    request = InpaintRequest("fm", song, 1, 2, "jazz", 7, fm=FMSettings(steps=3))
    made = song.with_span(song.rate, song.samples[song.rate : 2 * song.rate] // 3)
    project = versions.add_take(project, take_from(Result(request, made, {}), folder, clip.sound))
    return versions.keep(project, project.takes[0].id)


@pytest.mark.parametrize("kind", ["wav", "flac"])
def test_lossless_exports_hold_the_clips_own_samples(folder: Path, song: Recording, kind: str) -> None:
    project = with_take(folder, song)
    assert project.clip
    path, name = exports.export(folder, project, kind)
    assert name == f"My song inlay.{kind}"  # the song's name, not the take's
    info = soundfile.info(str(path))
    assert (info.format, info.subtype, info.samplerate) == (kind.upper(), "PCM_16", song.rate)
    samples = read_recording(path).samples
    assert np.array_equal(samples, sounds.read_sound(folder, project.clip.sound).samples)
    assert np.array_equal(samples[: song.rate], song.samples[: song.rate])
    assert np.array_equal(samples[2 * song.rate :], song.samples[2 * song.rate :])


@pytest.mark.parametrize(("format_", "subtype"), [("AIFF", "PCM_24"), ("WAV", "PCM_U8"), ("CAF", "FLOAT")])
def test_a_wav_of_any_upload_keeps_its_samples(
    folder: Path, tmp_path: Path, song: Recording, format_: str, subtype: str
) -> None:
    upload = tmp_path / f"in.{format_.lower()}"
    soundfile.write(upload, song.samples, song.rate, subtype, format=format_)
    recording = read_recording(upload)
    clip = Clip(sounds.add_audio(folder, recording), 4, song.rate, 2, "in")
    path, _ = exports.export(folder, versions.set_clip(Project(), clip), "wav")
    info = soundfile.info(str(path))
    assert (info.format, info.subtype, info.samplerate) == ("WAV", subtype, song.rate)
    assert np.array_equal(read_recording(path).samples, recording.samples)


def test_what_a_kind_cannot_hold_is_said(folder: Path) -> None:
    floats = from_float(np.zeros((800, 3), np.float32), 8000, "FLOAT")
    project = versions.set_clip(Project(), Clip(sounds.add_audio(folder, floats), 0.1, 8000, 3, "x"))
    for kind, words in (("flac", "FLAC cannot hold FLOAT"), ("mp3", "1 or 2 channels"), ("ogg", "expected")):
        with pytest.raises(InputError, match=words):
            exports.export(folder, project, kind)
    with pytest.raises(InputError, match="nothing to export"):
        exports.export(folder, Project(), "wav")
    with pytest.raises(InputError, match="no stems"):
        exports.export(folder, project, "stems")


@pytest.mark.parametrize("rate", [44_100, 50_000, 96_000])
def test_mp3_sounds_the_same(folder: Path, rate: int) -> None:
    tone = 0.3 * np.sin(2 * np.pi * 440 * np.arange(rate) / rate).astype(np.float32)
    recording = from_float(np.stack([tone, tone], 1), rate)
    clip = Clip(sounds.add_audio(folder, recording), 1.0, rate, 2, "tone")
    path, name = exports.export(folder, versions.set_clip(Project(), clip), "mp3")
    samples, heard_rate = soundfile.read(path, always_2d=True)
    spectrum = np.abs(np.fft.rfft(samples[:, 0] * np.hanning(len(samples))))
    peak = spectrum.argmax() * heard_rate / len(samples)
    assert name == "tone.mp3" and abs(peak - 440) < 3 and abs(len(samples) / heard_rate - 1) < 0.1
    assert 0.9 < np.sqrt((samples**2).mean()) / np.sqrt((tone**2).mean()) < 1.1


def test_stems_are_the_spans_and_the_takes(folder: Path, song: Recording) -> None:
    project = spans.add_span(with_take(folder, song), 3, 3.5)
    assert project.clip
    path, name = exports.export(folder, project, "stems")
    assert name == "My song inlay stems.zip"
    whole = sounds.read_sound(folder, project.clip.sound).samples
    with zipfile.ZipFile(path) as archive:
        files = {member: archive.read(member) for member in archive.namelist()}
    assert sorted(files) == [
        "span 1 1.00-2.00 s.wav",
        "span 2 3.00-3.50 s.wav",
        "take 1 FM seed 7 1.00-2.00 s.wav",
    ]
    for member, (start, end) in zip(sorted(files), ((1, 2), (3, 3.5), (1, 2)), strict=True):
        part = folder / "part.wav"
        part.write_bytes(files[member])
        expected = whole[round(start * song.rate) : round(end * song.rate)]
        assert np.array_equal(read_recording(part).samples, expected)


def test_lanes_leave_as_midi(folder: Path) -> None:
    project = drawing.set_lanes(
        Project(name="Tune"), Lanes(melody=(LaneNote("n", 0, 2, 60), LaneNote("m", 2, 3, 64)))
    )
    path, name = exports.export(folder, project, "midi")
    assert name == "Tune lanes.mid"
    assert [(note.start, note.end, note.pitch) for note in lanes.melody_from_midi(path)] == [
        (0, 1, 60),
        (1, 1.5, 64),
    ]


def test_a_request_names_its_source_and_everything_else(folder: Path, song: Recording) -> None:
    project = with_take(folder, song)
    path, name = exports.export(folder, project, "request", project.takes[0].id)
    told = json.loads(path.read_text())
    assert name == "My song inlay FM seed 7 request.json"
    assert told["source"] == {"name": "My song.wav", "samples": exports.fingerprint(song)}
    again = request_from(told["request"], None, song)
    assert isinstance(again, InpaintRequest)
    assert (again.engine, again.seed, again.start, again.end, again.fm.steps) == ("fm", 7, 1, 2, 3)
    other = replace(song, samples=song.samples[::-1])
    assert exports.fingerprint(other) != exports.fingerprint(song)
    with pytest.raises(InputError, match="no such take"):
        exports.export(folder, project, "request", "t0")


def test_names_fit_any_disk(folder: Path, song: Recording) -> None:
    clip = Clip(sounds.add_audio(folder, song), 4, song.rate, 2, 'My <song>: take/2 "x".aif')
    assert exports.export(folder, versions.set_clip(Project(), clip), "wav")[1] == "2 -x-.wav"
    clip = replace(clip, label="FM seed 7")
    assert exports.export(folder, versions.set_clip(Project(), clip), "wav")[1] == "FM seed 7.wav"
    clip = replace(clip, label="")
    assert exports.export(folder, versions.set_clip(Project(name="..."), clip), "wav")[1] == "clip.wav"


# ---- replay


@pytest.mark.parametrize(
    "engine",
    [pytest.param("ar", marks=pytest.mark.slow), pytest.param("fm", marks=pytest.mark.slow), "fm-zero-shot"],
)
def test_a_request_replays_to_the_same_samples(
    folder: Path, tmp_path: Path, song: Recording, models: Models, tiny_bundle: Path, engine: EngineName
) -> None:
    clip = Clip(sounds.add_audio(folder, song), song.seconds, song.rate, song.channels, "song.wav")
    project = versions.set_clip(Project(), clip)
    chords = Controls((Chord(0, 2, "Am"), Chord(2, 4, "F")))
    fm = FMSettings(steps=3, zero_shot="replacement", candidates=2)
    request = InpaintRequest(engine, song, 1, 1.5, "jazz", 9, chords, ARSettings(0.8, 20, candidates=2), fm)
    take = take_from(dispatch.run(request, models), folder, clip.sound)
    project = versions.add_take(project, take)
    path, _ = exports.export(folder, project, "request", take.id)
    made = sounds.read_sound(folder, take.sound).samples
    write_recording(tmp_path / "song.wav", song)
    alone = tmp_path / "request.json"
    alone.write_bytes(path.read_bytes())
    common = ["--bundle", str(tiny_bundle), "--device", "cpu"]
    for number, source in enumerate(
        ([], ["--source", str(tmp_path / "song.wav")], ["--source", str(folder)])
    ):
        out = tmp_path / f"out{number}.wav"
        assert cli.main(["replay", str(alone), "--out", str(out), *source, *common]) == 0
        assert np.array_equal(read_recording(out).samples, made)


def test_what_generate_reports_replays(
    tmp_path: Path, tiny_bundle: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    common = ["--bundle", str(tiny_bundle), "--device", "cpu", "--json"]
    first, again = tmp_path / "a.wav", tmp_path / "b.wav"
    asked = ["--engine", "ar", "--prompt", "jazz", "--seconds", "1", "--chords", "C@0 G@0.5", "--seed", "5"]
    assert cli.main(["generate", *asked, "--out", str(first), *common]) == 0
    report = tmp_path / "report.json"
    report.write_text(capsys.readouterr().out)
    assert cli.main(["replay", str(report), "--out", str(again), *common]) == 0
    assert np.array_equal(read_recording(first).samples, read_recording(again).samples)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{", "not JSON"),
        ("[]", "holds no request"),
        ("{}", "holds no request"),
        ('{"request": {"kind": "generate"}}', "damaged"),
        ('{"request": {"kind": "inpaint"}}', "--source"),
        ('{"request": {"kind": "inpaint"}, "source": {"name": "../../etc/passwd"}}', "--source"),
        (
            '{"request": {"kind": "inpaint"}, "source": {"name": "song.wav", "samples": "0"}}',
            "not the recording",
        ),
    ],
)
def test_requests_that_cannot_be_used_say_why(
    tmp_path: Path, song: Recording, capsys: pytest.CaptureFixture[str], text: str, words: str
) -> None:
    path = tmp_path / "request.json"
    path.write_text(text)
    write_recording(tmp_path / "song.wav", song)
    assert cli.main(["replay", str(path), "--out", str(tmp_path / "out.wav")]) == cli.UNUSABLE
    said = capsys.readouterr().err
    assert words in said and said.count("\n") == 1
    assert not (tmp_path / "out.wav").exists()


def test_a_take_leaves_as_a_file_of_its_own(folder: Path, song: Recording) -> None:
    project = with_take(folder, song)
    path, name = exports.export(folder, project, "take", project.takes[0].id)
    assert name == "My song inlay FM seed 7 1.00-2.00 s.wav"
    expected = song.samples[song.rate : 2 * song.rate] // 3
    assert np.array_equal(read_recording(path).samples, expected)
    (group,) = groups.groups(project, folder, [], str)
    (take,) = [track for track in group.tracks if track.kind == "take"]
    assert take.file_name == "My song inlay FM seed 7 1.00-2.00 s.flac"
    assert np.array_equal(read_recording(Path(take.file)).samples, expected)
    with pytest.raises(InputError, match="no such take"):
        exports.export(folder, project, "take", "t0")


BOUND = {"bundle": "musicgen-small", "licence": "CC-BY-NC-4.0", "commercial": False}


def made_by(folder: Path, song: Recording, resolved: dict[str, object]) -> Project:
    """As `with_take`, and the take was made by a certain checkpoint."""
    clip = Clip(sounds.add_audio(folder, song), song.seconds, song.rate, song.channels, "My song.wav")
    project = spans.add_span(versions.set_clip(Project(name="Work"), clip), 1, 2)
    made = song.with_span(song.rate, song.samples[song.rate : 2 * song.rate] // 3)
    result = Result(InpaintRequest("ar", song, 1, 2, "jazz", 7), made, {}, parameters=resolved)
    project = versions.add_take(project, take_from(result, folder, clip.sound))
    return versions.keep(project, project.takes[0].id)


@pytest.mark.parametrize("kind", exports.SOUNDING)
def test_exports_say_what_a_licence_forbids(folder: Path, song: Recording, kind: str) -> None:
    project = made_by(folder, song, BOUND)
    part = project.takes[0].id if kind == "take" else ""
    if kind == "section":
        project = replace(project, sections=(Section("s1", "Verse", 0, 1),))
        part = "s1"
    _, name = exports.export(folder, project, kind, part)
    assert "(not for commercial use)." in name
    told = exports.notice(project, kind, part)
    assert told == "Made with musicgen-small (CC-BY-NC-4.0): not for commercial use"
    assert exports.notice(project, "midi") == ""


def test_what_is_not_in_the_clip_binds_only_what_holds_it(folder: Path, song: Recording) -> None:
    project = made_by(folder, song, BOUND)
    first = next(version for version in project.versions if version.take is None)
    back = versions.show_version(project, first.id)  # the recording as it was
    assert exports.notice(back, "wav") == ""
    assert "musicgen-small" in exports.notice(back, "stems")  # every take is in there
    assert exports.export(folder, back, "wav")[1] == "My song.wav"
    free = made_by(folder, song, {**BOUND, "bundle": "own", "licence": "CC-BY-4.0", "commercial": True})
    assert exports.notice(free, "wav") == ""
