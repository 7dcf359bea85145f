"""The projects of a home: the list, copies, zips in and out, hostile zips."""

from __future__ import annotations

import json
import os
import shutil
import zipfile
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from editor.project import commands, versions
from editor.project.disk import files, library, sounds, storage
from editor.project.document import Clip, Project
from engines.audio.recording import Recording
from engines.errors import InputError


def project(folder: Path, song: Recording, name: str = "Work") -> Project:
    clip = Clip(sounds.add_audio(folder, song), song.seconds, song.rate, song.channels, "song.wav")
    made = versions.set_clip(Project(name=name), clip)
    storage.save_project(folder, made)
    return made


def test_the_list_begins_with_what_was_saved_last(tmp_path: Path, song: Recording) -> None:
    folders = [storage.new_project(tmp_path).folder for _ in range(3)]
    for age, (folder, name) in enumerate(zip(folders, "ABC", strict=True)):
        project(folder, song, name)
        os.utime(folder / files.DOCUMENT, (1e9 - age, 1e9 - age))
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / files.DOCUMENT).write_text("{")
    found = library.recent(tmp_path)
    assert [(entry.name, entry.folder) for entry in found] == [
        (name, folder.name) for name, folder in zip("ABC", folders, strict=True)
    ]
    assert found[0].seconds == 4 and found[0].takes == 0 and found[0].saved.startswith("2001-09-")
    assert library.recent(tmp_path / "nowhere") == ()


def test_a_copy_holds_everything_and_shares_nothing_that_changes(tmp_path: Path, song: Recording) -> None:
    folder = storage.new_project(tmp_path).folder
    made = project(folder, song)
    copy = library.duplicate(folder, "Copy")
    assert copy.project == replace(made, name="Copy") and copy.folder != folder
    storage.save_project(copy.folder, commands.set_prompt(copy.project, "new"))
    assert storage.open_project(folder).project == made
    assert made.clip
    (folder / made.clip.file).unlink()
    assert np.array_equal(sounds.read_sound(copy.folder, made.clip.sound).samples, song.samples)


def test_a_project_comes_back_from_its_zip(tmp_path: Path, song: Recording) -> None:
    folder = storage.new_project(tmp_path / "a").folder
    made = project(folder, song)
    assert made.clip
    sounds.sound_path(folder, made.clip.sound)
    (folder / files.PREVIEWS).mkdir()
    (folder / files.PREVIEWS / "x.wav").write_bytes(b"derived")
    target = tmp_path / "work.zip"
    library.pack(folder, target)
    assert sorted(zipfile.ZipFile(target).namelist()) == sorted([made.clip.file, files.DOCUMENT])
    opened = library.unpack(target, tmp_path / "b")
    assert opened.project == made and opened.folder.parent == tmp_path / "b"
    assert np.array_equal(sounds.read_sound(opened.folder, made.clip.sound).samples, song.samples)


def test_a_zip_with_everything_in_one_folder_is_imported(tmp_path: Path, song: Recording) -> None:
    folder = storage.new_project(tmp_path / "a").folder
    storage.save_project(folder, project(folder, song))
    target = tmp_path / "work.zip"
    with zipfile.ZipFile(target, "w") as archive:
        for path in folder.iterdir():
            if path.name != files.BACKUP:
                archive.write(path, f"work/{path.name}")
    opened = library.unpack(target, tmp_path / "home")
    assert opened.project.name == "Work" and opened.project.clip and not opened.notice


def document() -> str:
    return json.dumps({"version": storage.VERSION, "project": asdict(Project())})


@pytest.mark.parametrize(
    ("fill", "words"),
    [
        (lambda z: z.writestr("a.wav", b""), "holds no project"),
        (lambda z: z.writestr("../project.json", document()), "does not belong"),
        (lambda z: (z.writestr("project.json", document()), z.writestr("../x.wav", b"")), "does not belong"),
        (
            lambda z: (z.writestr("project.json", document()), z.writestr("/etc/x.wav", b"")),
            "does not belong",
        ),
        (lambda z: (z.writestr("project.json", document()), z.writestr("run.py", b"")), "does not belong"),
        (lambda z: (z.writestr("project.json", document()), z.writestr("a\\b.wav", b"")), "does not belong"),
        (
            lambda z: (z.writestr("project.json", document()), z.writestr("b/project.json", "{}")),
            "no project",
        ),
        (lambda z: z.writestr("project.json", "{"), "damaged"),
        (lambda z: z.writestr("project.json", '{"version": 99, "project": {}}'), "newer Inlay"),
    ],
)
def test_hostile_zips_leave_nothing_behind(
    tmp_path: Path, fill: Callable[[zipfile.ZipFile], object], words: str
) -> None:
    target, home = tmp_path / "bad.zip", tmp_path / "home"
    with zipfile.ZipFile(target, "w") as archive:
        fill(archive)
    with pytest.raises(InputError, match=words):
        library.unpack(target, home)
    assert not home.exists() or not any(home.iterdir())
    assert sorted(path.name for path in tmp_path.iterdir() if path.name != "home") == ["bad.zip"]


def test_a_zip_that_is_none(tmp_path: Path) -> None:
    target = tmp_path / "bad.zip"
    target.write_bytes(b"PK nonsense")
    with pytest.raises(InputError, match="zip: damaged"):
        library.unpack(target, tmp_path / "home")


def bomb(target: Path, size: int) -> None:
    """A project and one file of zeros, which packs into a thousandth."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("project.json", document())
        with archive.open("a.wav", "w", force_zip64=True) as sink:
            for _ in range(size >> 20):
                sink.write(bytes(1 << 20))


def test_a_zip_bomb_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(library, "FREE_BYTES", 1 << 20)  # a small bomb is as good, and quickly made
    bomb(tmp_path / "bomb.zip", 60 << 20)
    with pytest.raises(InputError, match=r"zip: 2 files of 63 MB in 0.1 MB are no project"):
        library.unpack(tmp_path / "bomb.zip", tmp_path / "home")
    assert not (tmp_path / "home").exists()


def test_a_zip_that_the_disk_cannot_hold_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    bomb(tmp_path / "large.zip", 30 << 20)
    left = library.FREE_BYTES + (20 << 20)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=left))
    with pytest.raises(InputError, match="needs 31 MB, and 21 MB of the disk can be used"):
        library.unpack(tmp_path / "large.zip", tmp_path / "home")
    assert not any((tmp_path / "home").iterdir())


def test_what_the_document_does_not_name_stays_in_the_zip(tmp_path: Path, song: Recording) -> None:
    folder = storage.new_project(tmp_path / "a").folder
    made = project(folder, song)
    storage.save_project(folder, made)
    library.pack(folder, tmp_path / "work.zip")
    with zipfile.ZipFile(tmp_path / "work.zip", "a") as archive:
        archive.writestr("stowaway.wav", b"RIFF")
    opened = library.unpack(tmp_path / "work.zip", tmp_path / "b")
    assert made.clip and (opened.folder / made.clip.file).is_file()
    assert not (opened.folder / "stowaway.wav").exists()
