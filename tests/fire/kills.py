"""Kill -9 at random moments of a process that edits, undoes and runs: nothing that was told as done is lost.

`python -m tests.fire.kills [--count N] [--seed S]`

A child (`tests.children`) works on one project and tells each step once it is done. It is killed at a moment
drawn by dice; then the project is opened here, compared with what was told, and given to the next child.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import random
import sys
import tempfile
import time
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

import numpy as np

from editor.project.disk import sounds
from editor.project.disk.sounds import SCRATCH
from editor.project.document import Project
from editor.session import Session
from editor.sessions import Sessions
from engines.audio.recording import from_float, write_recording
from tests.bundles import save_tiny
from tests.children import Child

RATE = 8000
REAL = 0.1  # share of children whose runs are those of the engines, with tiny networks
SCRIPT = """
import random, sys, threading, time
from dataclasses import replace
from pathlib import Path
from editor.runs.pace import Pace
from editor.runs.runner import Runner
from editor.sessions import Sessions
from engines.errors import InputError
from engines.requests import ARSettings, FMSettings
from tests.fire import stub
from tests.fire.kills import digest

home, name, seed, bundle = Path(sys.argv[1]), sys.argv[2], int(sys.argv[3]), sys.argv[4]
dice = random.Random(seed)
session = Sessions(home).open("tab", name)
lock = threading.Lock()

def tell(*words):
    with lock:
        print(*words, flush=True)

def models():
    import torch
    from engines.checkpoints.shelf import open_bundle
    torch.set_num_threads(1)
    return open_bundle(bundle, "cpu")

runner = Runner(models) if bundle != "none" else Runner(lambda: None, stub.serve, stub.supports)

def run():
    if session.history.past and session.history.past[-1].merge == "set_seed":
        return  # it would be no step of its own
    session.apply("set_seed", {"seed": dice.randrange(2**31)})
    fm = FMSettings(steps=1, candidates=1)
    try:
        session.start(runner, *session.order("inpaint", ARSettings(), fm, ["fm"]), Pace())
    except InputError:  # one goes on
        return
    def watch():
        known = set()
        for _ in session.watch():
            new = {take.id for take in session.project.takes} - known
            known |= new
            for id in new:
                tell("take", id)
    threading.Thread(target=watch, daemon=True).start()

number = 0
def step():
    global number
    number += 1
    what = dice.random()
    start = dice.randrange(400) * 4
    id = f"{seed}-{number}"
    if what < 0.35:
        session.apply("draw_chords", {"chords": [{"start": start, "end": start + 4, "symbol": "Am"}]}, id)
    elif what < 0.5:
        note = {"start": start, "end": start + 1, "pitch": 60 + number % 12}
        session.apply("draw_notes", {"melody": [note]}, id)
    elif what < 0.6:
        session.apply("set_key", {"key": f"{dice.choice('CDEFG')} {dice.choice(['major', 'minor'])}"}, id)
    elif what < 0.75:
        session.undo()
    elif what < 0.82:
        session.redo()
    elif what < 0.88 and session.project.takes:
        session.apply("star_take", {"id": dice.choice(session.project.takes).id})
    elif what < 0.94 and session.project.takes:
        session.apply("keep", {"id": dice.choice(session.project.takes).id})
    else:
        run()

tell("open")
while True:
    step()
    with session.lock:
        tell("done", digest(session.project), len(session.history.past), len(session.history.future))
"""


def digest(project: Project) -> str:
    """What of a project undo is about, in a few letters: takes and versions come by themselves."""
    flags = [(take.id, take.starred, take.deleted) for take in project.takes if take.starred or take.deleted]
    plain = asdict(replace(project, takes=(), versions=(), rounds=()))
    return hashlib.sha256(json.dumps([plain, sorted(flags)]).encode()).hexdigest()[:20]


class Kills:
    """A project under fire, and what was told of it."""

    def __init__(self, place: Path, dice: random.Random) -> None:
        self._dice = dice
        self.home = place / "home"
        self._bundle = save_tiny(place / "tiny")
        self.broken: list[str] = []
        self.steps = self.overtaken = 0
        self.takes: set[str] = set()
        self.half: int = 0  # files that were being written when the process ended
        session = Session(self.home)
        t = np.arange(RATE) / RATE
        write_recording(
            place / "song.wav", from_float(0.3 * np.sin(2 * np.pi * np.outer(t, (220, 330))), RATE)
        )
        session.upload(place / "song.wav", "song.wav")
        session.apply("add_span", {"start": 0.2, "end": 0.5, "id": "s1"})
        assert session.folder is not None
        self.name = session.folder.name
        self.told = digest(session.project), len(session.history.past), len(session.history.future)
        session.close()

    def one(self) -> None:
        """One child, killed at a moment of its work, and what it left."""
        dice = self._dice
        bundle = str(self._bundle) if dice.random() < REAL else "none"
        child = Child(SCRIPT, self.home, self.name, str(dice.getrandbits(31)), bundle)
        lines = iter(child.stdout)
        try:
            assert next(lines, "").strip() == "open", "the child did not begin"
            for _ in range(dice.choice((0, 1, 5, 20, 60, 120))):
                self._hear(next(lines, ""))
            until = time.perf_counter() + dice.random() ** 2 * 0.03  # mostly within the step that follows
            while time.perf_counter() < until:
                pass
        finally:
            child.end()
        for line in lines:  # what it had told already
            self._hear(line)
        child.kill()
        self._look()

    def _hear(self, line: str) -> None:
        kind, *words = line.split()
        if not line.endswith("\n"):  # cut off: never told
            return
        if kind == "take":
            self.takes.add(words[0])
        else:
            self.steps += 1
            self.told = words[0], int(words[1]), int(words[2])

    def _look(self) -> None:
        """Open it again: all that was told is there, whole, and the work goes on."""
        folder = self.home / self.name
        self.half += len(halves(folder))
        session = Sessions(self.home).open("look", self.name)
        try:
            for word in self._wrong(session, folder):
                self.broken.append(f"after {self.steps} steps: {word}")
            self.told = digest(session.project), len(session.history.past), len(session.history.future)
            self.takes = {take.id for take in session.project.takes}
        finally:
            session.close()

    def _wrong(self, session: Session, folder: Path) -> list[str]:
        wrong = [f"said {session.error}"] if session.error else []
        known = {take.id: take for take in session.project.takes}
        wrong += [f"take {id} is lost" for id in sorted(self.takes - set(known))]
        wrong += [f"{path.name} is left" for path in halves(folder)]
        for take in known.values():
            if sounds.read_sound(folder, take.sound).length != RATE:
                wrong.append(f"take {take.id} is not whole")
        now = digest(session.project)
        if now != self.told[0]:  # a step that was done, and not told any more: one way or the other
            self.overtaken += 1
            if not self._one_step_from(session):
                wrong.append("what was told as done is not there")
        depth = len(session.history.past)
        if depth < min(self.told[1], 1):
            wrong.append("undo is gone")
        session.apply("set_length", {"seconds": 3 + self._dice.randrange(1000) / 100})
        session.undo()
        if digest(session.project) != now:
            wrong.append("undo does not go on")
        return wrong

    def _one_step_from(self, session: Session) -> bool:
        """Whether one undo or redo leads to what was told; afterwards all is as it was."""
        for there, back in ((session.undo, session.redo), (session.redo, session.undo)):
            before = digest(session.project)
            there()
            found = digest(session.project) == self.told[0]
            if digest(session.project) != before:
                back()
            if found:
                return True
        return False


def halves(folder: Path) -> list[Path]:
    """Files of a project that were not written to their end."""
    found = [path for path in folder.rglob("*") if path.name.startswith(SCRATCH) or path.suffix == ".tmp"]
    return sorted(found)


def fire(count: int, seed: int = 15) -> Kills:
    """So many kills, one after the other, of one project."""
    # In memory where there is room: a kill leaves to a disk what was written, and fsync is quick there.
    memory = "/dev/shm" if Path("/dev/shm").is_dir() else None
    with tempfile.TemporaryDirectory(prefix="inlay-fire-", dir=memory) as place:
        kills = Kills(Path(place), random.Random(f"{seed} kills"))
        for _ in range(count):
            kills.one()
        return kills


def main(arguments: list[str] | None = None) -> int:
    """The command."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--count", type=int, default=50)
    parser.add_argument("--seed", type=int, default=15)
    asked: Any = parser.parse_args(arguments)
    kills = fire(asked.count, asked.seed)
    for line in kills.broken:
        print(line)
    print(
        f"kills: {asked.count} kill -9 in {kills.steps} steps and {len(kills.takes)} takes; "
        f"{kills.overtaken} in a step that was done and not told, {kills.half} files half written "
        f"when it came; {len(kills.broken)} broken"
    )
    return 1 if kills.broken else 0


if __name__ == "__main__":
    sys.exit(main())
