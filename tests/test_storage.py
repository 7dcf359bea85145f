"""Project folders: round trip, crashes, damage, hostile names."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from editor import commands, storage
from editor.document import Clip, LaneHit, LaneNote, Project, Region, Take
from engines.recording import Recording, from_float, read_recording
from engines.requests import InputError


def tone(seconds: float = 0.1) -> np.ndarray:
    return np.sin(np.arange(int(8000 * seconds)) * 0.3).astype(np.float32) * 0.5


def full_project(folder: Path) -> Project:
    file = storage.add_audio(folder, from_float(tone(), 8000))
    project = commands.put_chord(Project(name="Üben", prompt="x"), 0, 4, "C")
    project = commands.set_lanes(project, melody=[LaneNote("n", 0, 1, 60)], drums=[LaneHit("h", 1, "kick")])
    take = Take(
        "t1",
        "inpaint",
        "ar",
        3,
        "x",
        file,
        0.1,
        Region(0.02, 0.05),
        file,
        {"kind": "inpaint", "deep": [1, None]},
        {"sample": 1.5},
        ({"time": 0.02, "words": "Smooth"},),
        "2026-01-01T00:00:00+00:00",
        8000,
        1,
    )
    project = commands.set_clip(commands.add_take(project, take), Clip(file, 0.1, 8000, 1, "a.wav"))
    return replace(commands.set_region(project, 0.02, 0.05), kept="t1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return storage.new_project(tmp_path / "home").folder


def test_everything_survives_saving(folder: Path) -> None:
    project = full_project(folder)
    storage.save_project(folder, project)
    assert storage.open_project(folder) == storage.Opened(folder, project)


def test_new_projects_have_folders_of_their_own(tmp_path: Path) -> None:
    first, second = storage.new_project(tmp_path), storage.new_project(tmp_path)
    assert first.folder != second.folder
    assert storage.open_project(first.folder).project == Project()


def test_the_default_place(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("INLAY_HOME", str(tmp_path / "mine"))
    assert storage.default_root() == tmp_path / "mine"
    assert storage.new_project().folder.parent == tmp_path / "mine"
    monkeypatch.delenv("INLAY_HOME")
    monkeypatch.setattr("sys.platform", "linux")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert storage.default_root() == tmp_path / "inlay"


@pytest.mark.parametrize(
    "damage",
    [
        b"",
        b"{",
        b"null",
        b"[]",
        b'{"version": 1}',
        b"\xff\xfe\x00",
        b'{"version":1,"project":{"name":3}}',
        b"[" * 100_000,
    ],
)
def test_a_damaged_document_falls_back_to_the_version_before(folder: Path, damage: bytes) -> None:
    project = full_project(folder)
    storage.save_project(folder, project)
    storage.save_project(folder, replace(project, prompt="newer"))
    (folder / storage.DOCUMENT).write_bytes(damage)
    opened = storage.open_project(folder)
    assert opened.project == project
    assert "damaged" in opened.notice
    storage.save_project(folder, project)  # must not overwrite the good backup with the damage
    (folder / storage.DOCUMENT).write_bytes(damage)
    assert storage.open_project(folder).project == project


def test_both_versions_damaged(folder: Path) -> None:
    storage.save_project(folder, Project(seed=1))
    for name in (storage.DOCUMENT, storage.BACKUP):
        (folder / name).write_bytes(b"{")
    with pytest.raises(InputError, match="and its backup are damaged"):
        storage.open_project(folder)


def test_no_project_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no project\.json"):
        storage.open_project(tmp_path)


def test_a_newer_format_is_not_touched(folder: Path) -> None:
    (folder / storage.DOCUMENT).write_text(json.dumps({"version": 99, "project": {}}))
    with pytest.raises(InputError, match="newer Inlay"):
        storage.open_project(folder)


@pytest.mark.parametrize("call", ["fsync", "replace"])
def test_a_crash_while_saving_loses_nothing(folder: Path, monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    project = full_project(folder)
    storage.save_project(folder, project)
    names = sorted(path.name for path in folder.iterdir())

    def full_disk(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(os, call, full_disk)
        with pytest.raises(InputError, match="No space left"):
            storage.save_project(folder, replace(project, prompt="lost"))
    assert storage.open_project(folder).project == project
    assert sorted(path.name for path in folder.iterdir()) == names  # no temporary file stays


def test_audio_is_stored_bit_exactly_and_once(folder: Path) -> None:
    recording = from_float(np.stack([tone(), -tone()], 1), 44100)
    name = storage.add_audio(folder, recording)
    again = storage.add_audio(folder, from_float(np.stack([tone(), -tone()], 1), 44100))
    assert name == again
    back = read_recording(storage.audio_path(folder, name))
    assert np.array_equal(back.samples, recording.samples)
    assert storage.add_audio(folder, from_float(tone() * 0.5, 44100)) != name
    assert storage.add_audio(folder, from_float(np.stack([tone(), -tone()], 1), 48000)) != name


@pytest.mark.parametrize(
    "name",
    [
        "../secret.wav",
        "/etc/passwd",
        "a/b.wav",
        "..",
        ".",
        "",
        ".saving-x",
        "a\x00.wav",
        "..\\x.wav",
        "x" * 300,
    ],
)
def test_no_name_leads_out_of_the_folder(folder: Path, name: str) -> None:
    with pytest.raises(InputError, match="not a file of this project"):
        storage.audio_path(folder, name)


def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(b"secret")
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    with pytest.raises(InputError, match="not a file of this project"):
        storage.audio_path(folder, "link.wav")


def test_a_document_that_names_files_elsewhere_is_not_opened(folder: Path) -> None:
    storage.save_project(folder, full_project(folder))
    document = folder / storage.DOCUMENT
    data = json.loads(document.read_text())
    data["project"]["clip"]["file"] = "../../secret.wav"
    document.write_text(json.dumps(data))
    assert storage.open_project(folder).project == Project()  # the backup, saved when it was new


def test_missing_audio_is_named_and_the_rest_opens(folder: Path) -> None:
    project = full_project(folder)
    storage.save_project(folder, project)
    assert project.clip
    (folder / project.clip.file).unlink()
    opened = storage.open_project(folder)
    assert (opened.project.clip, opened.project.takes, opened.project.kept) == (None, (), None)
    assert opened.project.lanes == project.lanes
    assert "a.wav" in opened.notice


@pytest.mark.parametrize(("format_", "subtype"), [("FLAC", "PCM_24"), ("AIFF", "PCM_16"), ("WAV", "PCM_16")])
def test_every_clip_can_be_had_as_a_wav_with_the_same_samples(
    format_: str, subtype: str, tmp_path: Path, song: Recording
) -> None:
    upload = tmp_path / f"song.{format_.lower()}"
    soundfile.write(upload, song.samples, song.rate, subtype, format=format_)
    folder = storage.new_project(tmp_path / "home").folder
    recording = read_recording(upload)
    path = storage.wav_path(folder, storage.add_audio(folder, recording))
    info = soundfile.info(str(path))
    assert (info.format, info.subtype, info.samplerate) == ("WAV", subtype, song.rate)
    assert np.array_equal(read_recording(path).samples, recording.samples)
    assert storage.wav_path(folder, storage.add_audio(folder, recording)) == path
