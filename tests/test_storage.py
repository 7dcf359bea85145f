"""Project folders: round trip, crashes, damage, hostile names."""

from __future__ import annotations

import json
import os
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import soundfile

from editor.project import commands, drawing, spans, versions
from editor.project.disk import files, sounds, storage
from editor.project.disk.lock import ProjectLock
from editor.project.document import (
    ChordCell,
    Clip,
    LaneHit,
    LaneNote,
    LanePart,
    Lanes,
    Patch,
    Project,
    Region,
    Settings,
    Sound,
    Take,
)
from editor.session import Session
from engines.audio.recording import Recording, from_float, read_recording
from engines.errors import InputError


def tone(seconds: float = 0.1) -> np.ndarray:
    return np.sin(np.arange(int(8000 * seconds)) * 0.3).astype(np.float32) * 0.5


def chord(project: Project, start: float, end: float, symbol: str, id: str = "") -> Project:
    return drawing.edit_lanes(project, Lanes(chords=(ChordCell(id, start, end, symbol),)))


def full_project(folder: Path) -> Project:
    file = sounds.add_audio(folder, from_float(tone(), 8000))
    project = chord(Project(name="Üben", prompt="x"), 0, 4, "C")
    parts = [LanePart("p", 0, 4, "flute", False, 0.5, "heard")]
    project = drawing.set_lanes(
        project, Lanes((), (LaneNote("n", 0, 1, 60),), (LaneHit("h", 1, "kick"),), parts)
    )
    take = Take(
        "t1",
        "inpaint",
        "ar",
        3,
        "x",
        file,
        0.1,
        Region(0.02, 0.05),
        Sound(file, (Patch(file, 0),)),
        {"kind": "inpaint", "deep": [1, None]},
        {"sample": 1.5},
        ({"time": 0.02, "words": "Smooth"},),
        "2026-01-01T00:00:00+00:00",
        8000,
        1,
        160,
        "The one",
        True,
        True,
        wish=({"kind": "instrument", "name": "flute", "share": 0.5},),
        band=({"name": "flute", "start": 0.0, "end": 0.1, "sure": 0.5},),
    )
    project = versions.set_clip(versions.add_take(project, take), Clip(file, 0.1, 8000, 1, "a.wav"))
    project = commands.set_key(spans.add_span(project, 0.02, 0.05), "A minor")
    project = spans.set_span_own(spans.add_span(project, 0.06, 0.09), "s1", True)
    marked = (
        replace(project.spans[0], intent="blend", changed=("band",), ignored=("drums",)),
        project.spans[1],
    )
    marked = (marked[0], replace(marked[1], not_meant=("piano",)))
    project = replace(project, spans=marked, not_meant=("flute",), sort="smoothest")
    return replace(project, kept="t1", variations=3, settings=Settings(30, "midpoint", 2.5, 0.9, 100))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return storage.new_project(tmp_path / "home").folder


def test_everything_survives_saving(folder: Path) -> None:
    project = full_project(folder)
    storage.save_project(folder, project)
    assert storage.open_project(folder) == storage.Opened(folder, project)


def test_a_project_of_a_version_with_fewer_lanes_and_settings_opens(folder: Path) -> None:
    project = full_project(folder)
    storage.save_project(folder, project)
    file = folder / files.DOCUMENT
    told = json.loads(file.read_text())
    del told["project"]["lanes"]["band"], told["project"]["settings"]["patience"]
    file.write_text(json.dumps(told))
    lanes, settings = replace(project.lanes, band=()), replace(project.settings, patience=Settings.patience)
    assert storage.open_project(folder).project == replace(project, lanes=lanes, settings=settings)


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
    (folder / files.DOCUMENT).write_bytes(damage)
    opened = storage.open_project(folder)
    assert opened.project == project
    assert "damaged" in opened.notice
    storage.save_project(folder, project)  # must not overwrite the good backup with the damage
    (folder / files.DOCUMENT).write_bytes(damage)
    assert storage.open_project(folder).project == project


def test_both_versions_damaged(folder: Path) -> None:
    storage.save_project(folder, Project(seed=1))
    for name in (files.DOCUMENT, files.BACKUP):
        (folder / name).write_bytes(b"{")
    with pytest.raises(InputError, match="and its backup are damaged"):
        storage.open_project(folder)


def test_no_project_there(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no project\.json"):
        storage.open_project(tmp_path)


def test_a_newer_format_is_not_touched(folder: Path) -> None:
    (folder / files.DOCUMENT).write_text(json.dumps({"version": 99, "project": {}}))
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
    name = sounds.add_audio(folder, recording)
    again = sounds.add_audio(folder, from_float(np.stack([tone(), -tone()], 1), 44100))
    assert name == again
    back = read_recording(sounds.audio_path(folder, name))
    assert np.array_equal(back.samples, recording.samples)
    assert sounds.add_audio(folder, from_float(tone() * 0.5, 44100)) != name
    assert sounds.add_audio(folder, from_float(np.stack([tone(), -tone()], 1), 48000)) != name


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
        sounds.audio_path(folder, name)


def test_a_link_out_of_the_folder_is_refused(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "secret.wav").write_bytes(b"secret")
    (folder / "link.wav").symlink_to(tmp_path / "secret.wav")
    with pytest.raises(InputError, match="not a file of this project"):
        sounds.audio_path(folder, "link.wav")


def test_a_document_that_names_files_elsewhere_is_not_opened(folder: Path) -> None:
    storage.save_project(folder, full_project(folder))
    document = folder / files.DOCUMENT
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


@pytest.mark.parametrize(
    ("format_", "subtype", "stored"),
    [
        ("WAV", "PCM_16", ".flac"), ("AIFF", "PCM_24", ".flac"), ("WAV", "PCM_U8", ".flac"),
        ("FLAC", "PCM_24", ".flac"), ("WAV", "PCM_32", ".wav"), ("WAV", "FLOAT", ".wav"),
        ("CAF", "DOUBLE", ".caf"), ("AU", "ULAW", ".au"),
    ],
)  # fmt: skip
def test_audio_is_flac_where_that_is_lossless(
    folder: Path, tmp_path: Path, song: Recording, format_: str, subtype: str, stored: str
) -> None:
    upload = tmp_path / f"song.{format_.lower()}"
    samples = np.random.default_rng(1).uniform(-1, 1, (4000, 2))  # all bits in use
    soundfile.write(upload, samples, 44_100, subtype, format=format_)
    recording = read_recording(upload)
    name = sounds.add_audio(folder, recording)
    assert Path(name).suffix == stored
    back = read_recording(folder / name)
    assert np.array_equal(back.samples, recording.samples) and back.samples.dtype == recording.samples.dtype


def test_what_flac_cannot_hold_is_a_wav(folder: Path) -> None:
    many = from_float(np.zeros((100, 12), np.float32), 48_000)  # FLAC ends at 8 channels
    assert Path(sounds.add_audio(folder, many)).suffix == ".wav"


def test_a_patched_clip_is_the_file_but_for_its_patches(folder: Path, song: Recording) -> None:
    patch = Patch(sounds.add_audio(folder, replace(song, samples=song.samples[:500] // 3)), 1000)
    sound = Sound(sounds.add_audio(folder, song), (patch,))
    made = sounds.read_sound(folder, sound).samples
    assert np.array_equal(made[:1000], song.samples[:1000])
    assert np.array_equal(made[1000:1500], song.samples[:500] // 3)
    assert np.array_equal(made[1500:], song.samples[1500:])
    assert np.array_equal(read_recording(sounds.sound_path(folder, sound)).samples, made)
    beyond = Sound(sound.file, (replace(patch, first=song.length - 100),))
    with pytest.raises(InputError, match="does not fit"):
        sounds.read_sound(folder, beyond)


def test_files_of_patched_clips_do_not_pile_up(folder: Path, song: Recording) -> None:
    base = sounds.add_audio(folder, song)
    part = sounds.add_audio(folder, replace(song, samples=song.samples[:50]))
    for first in range(sounds.MAX_SOUNDS + 5):
        path = sounds.sound_path(folder, Sound(base, (Patch(part, first),)))
        assert path.is_file()
    assert len(list((folder / files.PREVIEWS).iterdir())) == sounds.MAX_SOUNDS


def test_a_take_that_was_finished_but_not_saved_is_found(folder: Path) -> None:
    project = full_project(folder)
    storage.save_project(folder, project)
    late = replace(project.takes[0], id="t2", made="2026-01-02", deleted=False)
    storage.add_finished(folder, project.takes[0])
    storage.add_finished(folder, late)
    (folder / files.TAKES / "t3.json").write_text("{broken")
    assert storage.open_project(folder).project.takes == (*project.takes, late)
    storage.drop_finished(folder, late)
    assert storage.open_project(folder).project == project


def test_audio_that_nothing_names_goes_and_nothing_else_does(tmp_path: Path) -> None:
    folder = storage.new_project(tmp_path).folder
    levels = (1.0, 0.9, 0.8, 0.7, 0.6, 0.5)
    names = [sounds.add_audio(folder, from_float(tone() * level, 8000)) for level in levels]
    clip, patch, source, past, written, orphan = names
    take = Take("t1", "inpaint", "fm", 0, "", patch, 0.1, Region(0.02, 0.05), Sound(source), first=160)
    project = versions.set_clip(versions.add_take(Project(), take), Clip(clip, 0.1, 8000, 1, "a.wav"))
    before = versions.set_clip(Project(), Clip(past, 0.1, 8000, 1, "b.wav"))  # a state of the history
    storage.add_finished(folder, replace(take, id="t2", file=written))  # the document does not name it yet
    mine = folder / "my own recording.wav"
    shutil.copy(folder / clip, mine)
    assert sounds.sweep(folder, (project, before)) == ()  # a run may be about to name it
    for path in folder.iterdir():
        os.utime(path, (1e9, 1e9))
    assert sounds.sweep(folder, (project, before)) == (orphan,)
    assert all((folder / name).is_file() for name in names[:-1]) and mine.is_file()


def test_what_a_killed_process_had_half_written_goes_with_the_next_opening(tmp_path: Path) -> None:
    folder = storage.new_project(tmp_path).folder
    (folder / files.TAKES).mkdir()
    (folder / files.PREVIEWS).mkdir()
    halves = [folder / ".saving-k1ll3d", folder / ".inlay-k1ll3d.flac", folder / files.TAKES / ".saving-x"]
    others = [folder / ".mine", folder / files.PREVIEWS / ".inlay-x.wav"]  # a preview may be in the making
    for path in [*halves, *others]:
        path.write_bytes(b"{")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ProjectLock, "alone", False)  # another may be writing
        session = Session(tmp_path)
        session.open(folder)
        session.close()
    assert all(path.exists() for path in halves)
    session.open(folder)
    assert not any(path.exists() for path in halves) and all(path.exists() for path in others)
    halves[0].write_bytes(b"{")
    session.open(folder)  # while it holds the project itself: a run of its own may write
    assert halves[0].exists()
    session.close()


def test_audio_that_is_damaged_is_mended_by_storing_it_again(tmp_path: Path) -> None:
    folder = storage.new_project(tmp_path).folder
    recording = from_float(tone(), 8000)
    file = sounds.add_audio(folder, recording)
    for damage in (b"", b"no audio", (folder / file).read_bytes()[:20]):
        (folder / file).write_bytes(damage)
        assert sounds.add_audio(folder, recording) == file
        assert np.array_equal(read_recording(folder / file).samples, recording.samples)


def test_audio_that_is_stored_again_is_as_good_as_new(tmp_path: Path) -> None:
    folder = storage.new_project(tmp_path).folder
    recording = from_float(tone(), 8000)
    file = sounds.add_audio(folder, recording)
    os.utime(folder / file, (1e9, 1e9))
    assert sounds.add_audio(folder, recording) == file
    assert sounds.sweep(folder, ()) == ()
