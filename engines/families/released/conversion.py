"""Converting a released checkpoint: which format it has, then its plan written whole or not at all.

The result is checked as any checkpoint is before it counts. Sizes are bytes.
"""

from __future__ import annotations

import json
import shutil
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from engines.errors import Cancelled, InputError
from engines.families.released import ace_step, stable_audio
from engines.families.released.plan import Files, Plan
from engines.families.released.tensors import table, write
from engines.families.roster import recognised
from engines.progress import Progress, ProgressHook

_KEPT = ("LICENSE", "NOTICE")  # beginnings of names of files that go with the weights
_LISTED = 2000  # files of a folder that are looked at


@dataclass(frozen=True)
class Format:
    """A format that makers release in."""

    name: str
    is_released: Callable[[Files], bool]
    plan: Callable[[Files, str], Plan]


FORMATS = (
    Format("stable-audio-tools", stable_audio.is_released, stable_audio.plan),
    Format("ace-step", ace_step.is_released, ace_step.plan),
)


def files_in(folder: Path) -> dict[str, Path]:
    """Files below a folder by their paths in it; nothing where there are too many for a checkpoint."""
    found: dict[str, Path] = {}
    for file in folder.rglob("*") if folder.is_dir() else ():
        if file.is_file():
            found[file.relative_to(folder).as_posix()] = file
        if len(found) > _LISTED:
            return {}
    return found


def format_of(files: Files) -> Format | None:
    """The format of a released checkpoint; None where it has none that is known."""
    return next((one for one in FORMATS if one.is_released(files)), None)


def planned(files: Files, name: str) -> Plan:
    """What converting is to write. InputError where no format is known, or something is missing."""
    known = format_of(files)
    if known is None:
        raise InputError(
            f"{name[:64]!r}: no released checkpoint lies there, expected "
            f"{' or '.join(one.name for one in FORMATS)}; choose another folder"
        )
    try:
        made = known.plan(files, name)
    except InputError:  # a ValueError too
        raise
    except (AttributeError, IndexError, KeyError, TypeError, ValueError, ZeroDivisionError) as error:
        raise InputError(
            f"{name[:64]!r}: its configuration or its weights have not the shape of {known.name} "
            f"({type(error).__name__}: {str(error)[:80]}); get the checkpoint again, or update Inlay"
        ) from error
    made.links |= {at: at for at in files if at.rpartition("/")[2].startswith(_KEPT) and at not in made.links}
    return made


def write_plan(
    plan: Plan, folder: Path, progress: ProgressHook | None = None, stop: threading.Event | None = None
) -> None:
    """Write configurations and weights of a plan below a folder; the links are the caller's.

    `progress` hears of bytes (stage "convert"); it, or `stop`, may end it, which raises `Cancelled`.
    """
    total, begin, done = plan.size, time.monotonic(), 0

    def tell(count: int) -> None:
        nonlocal done
        if stop is not None and stop.is_set():
            raise Cancelled
        done += count
        elapsed = time.monotonic() - begin
        if progress is not None:
            left = elapsed / done * (total - done) if done else None
            progress(Progress("convert", done, total, elapsed, left))

    tell(0)
    for at, config in plan.configs.items():
        file = folder / at
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(config, indent=1), "utf-8")
    for at, tensors in plan.weights.items():
        write(folder / at, tensors, tell)
        if set(table(folder / at)) != {one.name for one in tensors}:  # read back, as whoever opens it will
            raise InputError(f"{at}: it was not written whole; try again")


def convert(
    source: Path, target: Path, progress: ProgressHook | None = None, stop: threading.Event | None = None
) -> Path:
    """Convert the released checkpoint in `source` to a new folder `target`, which appears whole or not.

    Files that need no change are copied. InputError where something is missing in it, by its name.
    """
    files = files_in(source)
    plan = planned(files, source.name)
    target.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(prefix=".", suffix=".new", dir=target.parent))
    try:
        building.chmod(0o755)
        write_plan(plan, building, progress, stop)
        for at, old in plan.links.items():
            (building / at).parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(files[old], building / at)
        recognised(building)
        building.replace(target)
    finally:
        shutil.rmtree(building, ignore_errors=True)
    return target
