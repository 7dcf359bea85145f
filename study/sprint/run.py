"""The sprint on the machine that was lent: install, render on the cores, train on the GPU, hand back.

Needs nothing but Python's own library until the wheels are in place. Starts `study.sprint.cores` and
`study.sprint.stages`, starts the latter again should it die, and ends both when the time is up. Called
again with the same state folder it goes on: the codec stays, FM and AR train further.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import subprocess
import sys
import tarfile
import time
from dataclasses import dataclass
from pathlib import Path

from study.sprint.plan import Clock, Plan, going_on, write_plan

CODE = Path(__file__).resolve().parent.parent.parent
NEEDED = ("tinysoundfont", "soxr", "soundfile", "pretty_midi", "mido")
ARCHIVES = {"groove-midi.tar.xz": "groove", "openewld.tar.xz": "openewld"}
RESTARTS = 3


@dataclass(frozen=True)
class Folders:
    """Where a run finds and leaves things."""

    pack: Path
    state: Path  # kept between two runs on one machine
    out: Path  # what is handed back

    @property
    def site(self) -> Path:
        """Where wheels are installed."""
        return self.state / "site"

    @property
    def scores(self) -> Path:
        """Where score archives are unpacked."""
        return self.state / "scores"


def environment(folders: Folders) -> dict[str, str]:
    """The environment of the processes: what was installed, the text encoder, this code."""
    paths = [str(CODE), str(folders.site), str(folders.pack / "site"), os.environ.get("PYTHONPATH", "")]
    quiet = {"TOKENIZERS_PARALLELISM": "false", "PYTHONUNBUFFERED": "1", "MPLBACKEND": "Agg"}
    return {**os.environ, **quiet, "PYTHONPATH": os.pathsep.join(p for p in paths if p)}


def install(folders: Folders) -> None:
    """Wheels into the state folder where this Python lacks them, scores unpacked; nothing twice."""
    folders.state.mkdir(parents=True, exist_ok=True)
    missing = [name for name in NEEDED if importlib.util.find_spec(name) is None]
    if missing and not folders.site.exists():
        wheels = [str(w) for w in sorted((folders.pack / "wheels").glob("*.whl"))]
        pip = [
            sys.executable,
            "-m",
            "pip",
            "install",
            "-q",
            "--no-index",
            "--no-deps",
            "--no-compile",
            "--no-cache-dir",
        ]
        if subprocess.run([*pip, "--target", str(folders.site), *wheels]).returncode:
            shutil.rmtree(folders.site, ignore_errors=True)
            for wheel in wheels:  # a wheel of this kind is an archive of what is to be imported
                shutil.unpack_archive(wheel, folders.site, "zip")
    for archive, name in ARCHIVES.items():
        target = folders.scores / name
        if not target.exists():
            part = target.with_name(name + ".part")
            with tarfile.open(folders.pack / "scores" / archive) as tar:
                tar.extractall(part, filter="data")
            part.rename(target)


def run(plan: Plan, folders: Folders, wanted: str = "") -> int:
    """One run within the plan's minutes; returns 0 where every stage was finished."""
    clock = Clock(time.time(), time.time() + 60 * plan.minutes)
    install(folders)
    folders.out.mkdir(parents=True, exist_ok=True)
    again = (folders.state / "codec" / "done").exists()
    plan = going_on(plan) if again else plan
    write_plan(plan, clock, folders.state / "plan.json")
    env = environment(folders)
    cores = [
        "study.sprint.cores", "--pack", folders.pack, "--scores", folders.scores,
        "--data", folders.state / "data",
        "--hours", plan.hours, "--shard", plan.shard, "--held-out", plan.held_out, "--workers", plan.workers,
    ]  # fmt: skip
    stages = ["study.sprint.stages", "--pack", folders.pack, "--state", folders.state, "--out", folders.out]
    stages += ["--stages", wanted] if wanted else []
    alone = {
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }  # threads would not survive that workers part
    rendering = _start(cores, env | alone, folders.state / "cores.log", nice=5)
    code = 1
    try:
        for _ in range(RESTARTS):
            training = _start(stages, env, folders.state / "stages.log")
            try:
                code = training.wait(timeout=max(1.0, clock.end - time.time()))
            except subprocess.TimeoutExpired:
                _end(training)
                break
            if code in (0, 1) or clock.left() < 20:  # finished, or what failed was told; else it was killed
                break
    finally:
        _end(rendering)
    for part in folders.out.glob("*_new"):  # what was being written when the time was up
        part.unlink()
    took = time.time() - clock.begin
    print((folders.state / "stages.log").read_text()[-6000:])
    print((folders.state / "cores.log").read_text()[-600:])
    sizes = {p.name: p.stat().st_size for p in sorted(folders.out.iterdir())}
    print(
        f"{took:.0f} s; {len(sizes)} files, {sum(sizes.values()) / 2**20:.1f} MiB: {', '.join(sizes)}",
        flush=True,
    )
    return code


def _start(words: list[object], env: dict[str, str], log: Path, nice: int = 0) -> subprocess.Popen[bytes]:
    """A module as a process in a group of its own, its words added to a log."""
    command = [sys.executable, "-m", *map(str, words)]
    with log.open("ab") as file:
        return subprocess.Popen(
            command, env=env, cwd=CODE, stdout=file, stderr=subprocess.STDOUT, start_new_session=True,
            preexec_fn=lambda: os.nice(nice) and None,
        )  # fmt: skip


def _end(process: subprocess.Popen[bytes]) -> None:
    """End a process that `_start` made, with its workers."""
    if process.poll() is None:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
