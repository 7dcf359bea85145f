"""A disk that is full at eight points of the work: a line in words, and with space again all is there.

`python -m tests.fire.full_disk [--count N]`: so many levels of fullness at each point.

As root the projects lie on a small disk of their own (tmpfs), which is filled to some pages; for others no
file may grow beyond so many bytes, which looks the same to what writes.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from editor.page.models.serving import USUAL
from editor.page.view import document_state
from editor.project.disk import exports, files, imports, journal, library, pictures, storage
from editor.project.disk.files import BACKUP, DOCUMENT, JOURNAL
from editor.project.document import Project
from editor.runs.pace import Pace
from editor.runs.runner import Runner
from editor.session import Session
from engines.audio.recording import Recording, from_float, write_recording
from engines.errors import InputError
from engines.requests import ARSettings, FMSettings
from tests.fire import stub
from tests.fire.bounds import LONGEST_LINE
from tests.fire.disks import PAGE, disk
from tests.fire.kills import digest, halves

RATE = 8000


def tone(seconds: float, level: float = 0.3) -> Recording:
    """Two channels of noise, which no codec makes small."""
    samples = level * np.random.default_rng(15).uniform(-1, 1, (round(seconds * RATE), 2))
    return from_float(samples, RATE)


@dataclass
class Scene:
    """A project on the disk, and what comes to it from elsewhere."""

    home: Path
    outside: Path  # a place with room
    session: Session
    made: int = 0
    next: Path = Path()  # a recording that nobody has had yet, outside

    @property
    def folder(self) -> Path:
        """The project's."""
        assert self.session.folder is not None
        return self.session.folder


# ---- the points: each does something that needs room, and gives what has come of it


def upload(scene: Scene) -> object:
    """A recording onto the timeline."""
    scene.session.upload(scene.next, scene.next.name)
    return scene.session.project.clip


def recorded(scene: Scene) -> None:
    """Another recording, outside."""
    scene.made += 1
    scene.next = scene.outside / f"song {scene.made}.wav"
    write_recording(scene.next, tone(8.0, 0.3 + scene.made / 1e4))


def edit(scene: Scene) -> object:
    """A gesture on the lanes: the journal, the backup and the document are written."""
    scene.made += 1
    cells = [{"start": 8 * i, "end": 8 * i + 8, "symbol": f"{'CDEFGAB'[scene.made % 7]}m"} for i in range(90)]
    scene.session.apply("draw_chords", {"chords": cells})
    return scene.session.project.lanes.chords


def take(scene: Scene) -> object:
    """A run, whose take is stored."""
    session, before = scene.session, len(scene.session.project.takes)
    with suppress(InputError):
        session.apply("add_span", {"start": 0.2, "end": 4.0, "id": "s1"})
    scene.made += 1
    session.apply("set_seed", {"seed": scene.made})
    runner = Runner(lambda: None, stub.serve, stub.supports)
    session.start(runner, *session.order("inpaint", ARSettings(), FMSettings(), ["fm"]), Pace())
    for _ in session.watch():
        pass
    failed = [track.note for track in session.run.tracks if track.state == "failed"]
    if session.run.message or failed:
        raise InputError(session.run.message or failed[0])
    assert len(session.project.takes) == before + 1, "there is no take, and nobody says why"
    return session.project.takes


def export(scene: Scene) -> object:
    """What leaves the project, in three kinds."""
    for kind in ("wav", "project", "dawproject"):
        path, _ = exports.export(scene.folder, scene.session.project, kind)
        assert path.stat().st_size > PAGE
    return True


@contextmanager
def one_more(scene: Scene) -> Iterator[None]:
    """What is done makes another project, or leaves the home as it was; the disk does not become fuller."""
    before = set(scene.home.iterdir())
    try:
        yield
    except InputError:
        for folder in set(scene.home.iterdir()) - before:
            assert storage.open_project(folder).project == Project(), "half a project is left"
        raise
    finally:
        for folder in set(scene.home.iterdir()) - before:
            shutil.rmtree(folder)


def packed(scene: Scene) -> None:
    """The project as it leaves, once."""
    if not (path := scene.outside / "theirs.zip").exists():
        library.pack(scene.folder, path)


def zip_import(scene: Scene) -> object:
    """A project from elsewhere."""
    with one_more(scene):
        return imports.project_from(scene.outside / "theirs.zip", "theirs.zip", scene.home)


def copy(scene: Scene) -> object:
    """A copy of the project under another name."""
    with one_more(scene):
        return scene.session.duplicate("Copy")


def undecodable(scene: Scene) -> None:
    """A clip that browsers cannot decode as it is, and no preview of it."""
    session = scene.session
    if session.project.clip is None or not session.project.clip.file.endswith(".aiff"):
        path = scene.outside / "song.aiff"
        samples = np.random.default_rng(15).uniform(-0.5, 0.5, (8 * RATE, 1)).astype(np.float32)
        write_recording(path, Recording(samples, RATE, "AIFF", "FLOAT"))
        session.upload(path, path.name)
    for path in (scene.folder / files.PREVIEWS).glob("*"):
        path.unlink()


def picture(scene: Scene) -> object:
    """What the page plays and shows of a clip."""
    pictures.picture(scene.folder, scene.session.project)
    shown = document_state(scene.session, USUAL)
    assert shown.clip is not None and bool(shown.clip.url) != bool(shown.error)
    if shown.error:
        raise InputError(shown.error)
    return shown.clip.url


def new(scene: Scene) -> object:
    """Another project."""
    session = Session(scene.home)
    with one_more(scene):
        try:
            session.apply("set_prompt", {"prompt": "x" * 900})
        finally:
            session.close()
    return session.project.prompt


def no_exports(scene: Scene) -> None:
    """What was exported before would make room as it goes."""
    shutil.rmtree(scene.folder / "exports", ignore_errors=True)


def nothing(scene: Scene) -> None:
    """All is prepared."""


@dataclass(frozen=True)
class Point:
    """What is done on a full disk."""

    do: Callable[[Scene], object]
    most: int  # pages that are left at most: about so many would do
    prepare: Callable[[Scene], None] = nothing


POINTS = {
    "export": Point(export, 120, no_exports),
    "zip": Point(zip_import, 80, packed),
    "upload": Point(upload, 100, recorded),
    "edit": Point(edit, 24),
    "take": Point(take, 160),
    "copy": Point(copy, 80),
    "picture": Point(picture, 80, undecodable),
    "new": Point(new, 12),
}


class FullDisk:
    """The points, one after the other, and what was wrong."""

    def __init__(self, place: Path) -> None:
        self.broken: list[str] = []
        self.refused: Counter[str] = Counter()  # point -> how often there was no room
        self.where: Counter[str] = Counter()  # file -> how often it could not be written
        self._disk = disk(place)
        self.kind = type(self._disk).__name__
        home = self._disk.place / "home"
        self._place = place
        session = Session(home)
        self.scene = Scene(home, place, session)
        recorded(self.scene)
        upload(self.scene)

    def close(self) -> None:
        """The disk goes."""
        self.scene.session.close()
        self._disk.close()

    def point(self, name: str, count: int) -> None:
        """One point at so many levels of fullness."""
        point = POINTS[name]
        for level in np.linspace(0, point.most, count).round().astype(int):
            try:
                point.prepare(self.scene)
                self._once(name, point.do, int(level))
            except Exception as error:
                self.broken.append(
                    f"{name} with {level} pages left: {type(error).__name__} {str(error)[:300]}"
                )

    def _once(self, name: str, do: Callable[[Scene], object], level: int) -> None:
        scene, where = self.scene, f"{name} with {level} pages left"
        before, steps = scene.session.project, self._history(scene.session)
        line = ""
        with self._disk.full(level):
            try:
                do(scene)
            except InputError as error:
                line = str(error)
        if line:
            self.refused[name] += 1
            if not (line.isprintable() and len(line) <= LONGEST_LINE) or str(self._place) in line:
                self.broken.append(f"{where}: told {line[:200]!r}")
            if name != "take" and scene.session.project != before:
                self.broken.append(f"{where}: something changed")
        if left := halves(scene.home):
            self.broken.append(f"{where}: {left[0].name} is left")
        self._reopen(where, before if line and name != "take" else None, steps if line else [])
        assert do(scene), f"{name} does not work with space again"

    def _reopen(self, where: str, project: Project | None, steps: list[str]) -> None:
        """As after a restart: what was there is there, and so is undo."""
        scene = self.scene
        known, folder = scene.session.project, scene.folder
        scene.session.close()
        scene.session = Session(scene.home)
        scene.session.open(folder)
        if scene.session.error:
            self.broken.append(f"{where}: opened with {scene.session.error}")
        if digest(scene.session.project) != digest(project or known):
            self.broken.append(f"{where}: the project is another one when it is opened again")
        if [take.id for take in scene.session.project.takes][: len(known.takes)] != [
            t.id for t in known.takes
        ]:
            self.broken.append(f"{where}: takes are lost")
        if steps and self._history(scene.session)[: len(steps)] != steps:
            self.broken.append(f"{where}: undo is another one")

    @staticmethod
    def _history(session: Session) -> list[str]:
        return [f"{step.label} {digest(step.project)}" for step in session.history.past[-100:]]


@contextmanager
def watched(where: Counter[str]) -> Iterator[None]:
    """Count which files of a project could not be written."""
    real_atomic, real_append = files.write_atomic, journal.Journal._append

    def write_atomic(path: Path, content: bytes) -> None:
        try:
            real_atomic(path, content)
        except OSError:
            where[path.name if path.name in (BACKUP, DOCUMENT, JOURNAL) else path.parent.name] += 1
            raise

    def append(self: journal.Journal, line: object) -> None:
        try:
            real_append(self, line)
        except InputError:
            where[JOURNAL] += 1
            raise

    storage.write_atomic = journal.write_atomic = write_atomic
    journal.Journal._append = append  # type: ignore[method-assign]
    free, library.FREE_BYTES = library.FREE_BYTES, 0  # more than the whole disk has
    try:
        yield
    finally:
        storage.write_atomic = journal.write_atomic = real_atomic
        journal.Journal._append = real_append  # type: ignore[method-assign]
        library.FREE_BYTES = free


def fire(count: int) -> FullDisk:
    """All points, each at so many levels."""
    with tempfile.TemporaryDirectory(prefix="inlay-fire-") as place:
        full = FullDisk(Path(place))
        try:
            with watched(full.where):
                for name in POINTS:
                    full.point(name, count)
                    if not full.refused[name]:
                        full.broken.append(f"{name}: there was always room")
        finally:
            full.close()
        return full


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=20)
    asked: Any = parser.parse_args(arguments)
    full = fire(asked.count)
    for line in full.broken:
        print(line)
    said = ", ".join(f"{name} {count}" for name, count in full.refused.items())
    missed = ", ".join(f"{name} {count}" for name, count in full.where.items())
    print(
        f"full disk ({full.kind}): {len(POINTS)} points at {asked.count} levels each; no room at {said}; "
        f"not written: {missed}; {len(full.broken)} broken"
    )
    return 1 if full.broken else 0


if __name__ == "__main__":
    sys.exit(main())
