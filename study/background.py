"""Training in the background, for as many hours as there are: `python -m study.background --help`.

Goes on with whatever is next: renders what is missing, encodes it, trains FM and AR by turns (side by side on
two cores), and once both have had their horizon the codec's quantized path; then the horizon grows.
Lowest priority, one thread a process, a checkpoint every two minutes, one instance at a time; it may be
killed at any moment. All lies in one home outside of the checkout, so that another clone goes on. Times are
hours of a core.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from filelock import FileLock, Timeout

from study.sprint.curves import draw, read

ROOT = Path(__file__).resolve().parent.parent
HOME = Path(os.environ.get("INLAY_STUDY") or Path.home() / ".cache" / "inlay" / "study")
TRAIN = ("train_pairs", "train")
HELD_OUT = ("held_out_pairs", "held_out")
GB_AN_HOUR = 0.35  # a rendered hour with its latents, codes, lanes and text states
PAIRED = 0.6  # share of the rendered hours that are pairs
RETRY = 600.0  # seconds after which something that failed is tried again


@dataclass(frozen=True)
class Wishes:
    """What is wanted of one home."""

    home: Path
    data: Path  # rendered folders; by default in the home
    bundle: Path  # whose codec, weights and shapes it begins with
    cores: int = 1
    hours: float = 36.0  # of renders
    held_out: float = 0.7  # hours
    turn: float = 60.0  # minutes
    horizon: float = 30.0  # hours of each network, at full rate for `hold` of them
    hold: float = 0.8
    codec: float = 6.0  # hours of the codec
    recordings: Path = Path("runs/recordings/train")
    more: tuple[str, ...] = ()  # words for `study.train.fm` and `study.train.ar`


@dataclass(frozen=True)
class Step:
    """What is done next: processes side by side."""

    name: str
    commands: tuple[tuple[str, ...], ...]  # modules with their words


def hours(folder: Path, kind: str = "labels", clip: float = 12.0) -> float:
    """Hours of a rendered folder's shards that have a file of a kind, by the file's count of clips."""
    total = 0
    for labels in folder.glob("labels_*.json"):
        index = labels.stem.removeprefix("labels_")
        if kind == "labels" or (folder / f"{kind}_{index}.npy").exists():
            total += labels.read_text().count('"captions"')
    return total * clip / 3600


def spent(folder: Path) -> float:
    """Hours that a run has been trained for, as its curves say."""
    rows = read(folder / "curves.csv")
    return float(rows[-1]["seconds"]) / 3600 if rows else 0.0


def following(wishes: Wishes, failed: Sequence[str] = ()) -> Step:
    """What is next; steps that failed lately are passed over."""
    w = wishes
    rendering = (
        ("held_out", w.held_out / 2, ("--held-out",)),
        ("held_out_pairs", w.held_out / 2, ("--held-out", "--pairs")),
        ("train_pairs", PAIRED * w.hours, ("--pairs",)),
        ("train", (1 - PAIRED) * w.hours, ()),
    )
    for name, asked, flags in rendering:
        if f"render {name}" not in failed and hours(w.data / name) < asked - 12 / 3600:
            words = ("--out", str(w.data / name), "--hours", f"{asked:.4f}", "--workers", str(w.cores))
            return Step(f"render {name}", (("study.data.render", *words, *flags),))
    folders = [w.data / name for name in (*HELD_OUT, *TRAIN) if any((w.data / name).glob("labels_*.json"))]
    if "encode" not in failed and any(hours(f, "codes") < hours(f) for f in folders):
        names = map(str, folders)
        encode = ("study.data.dataset", *names, "--codec", str(w.home / "bundle"), "--threads", "1")
        return Step("encode", tuple((*encode, "--share", f"{i}/{w.cores}") for i in range(w.cores)))
    networks = sorted(("fm", "ar"), key=lambda name: spent(w.home / name))  # the one that had less is next
    horizon = _horizon(wishes)
    due = [name for name in networks if name not in failed and spent(w.home / name) < horizon]
    if due:
        chosen = sorted(due[: w.cores])
        return Step(" and ".join(chosen), tuple(_training(wishes, name, horizon) for name in chosen))
    if "codec" not in failed and spent(w.home / "codec") < w.codec:
        return Step("codec", (_codec(wishes),))
    return Step("wait", ())


def _horizon(wishes: Wishes) -> float:
    """The horizon, half as long again as often as it has been reached by both networks and the codec."""
    horizon = wishes.horizon
    if spent(wishes.home / "codec") >= wishes.codec:
        while min(spent(wishes.home / name) for name in ("fm", "ar")) >= horizon:
            horizon *= 1.5
    return horizon


def _training(wishes: Wishes, name: str, horizon: float) -> tuple[str, ...]:
    w = wishes
    train = [str(w.data / f) for f in TRAIN if hours(w.data / f, "codes") > 0]
    held_out = next((w.data / f for f in HELD_OUT if hours(w.data / f, "codes") > 0), w.data / HELD_OUT[-1])
    return (
        f"study.train.{name}", "--data", *train, "--held-out", str(held_out),
        "--codec", str(w.home / "bundle"),
        "--out", str(w.home / name), "--minutes", f"{60 * horizon:.3f}", "--turn", f"{w.turn:g}",
        "--hold", f"{w.hold:g}", "--threads", "1", *_start(wishes), *w.more,
    )  # fmt: skip


def _start(wishes: Wishes) -> tuple[str, ...]:
    """The first weights and their shape, unless words of one's own ask for another."""
    if "--dim" in wishes.more:
        return ()
    spec = json.loads((wishes.home / "bundle" / "bundle.json").read_text())["flow"]
    return (
        "--from-bundle",
        str(wishes.home / "bundle"),
        "--dim",
        str(spec["dim"]),
        "--layers",
        str(spec["layers"]),
    )


def _codec(wishes: Wishes) -> tuple[str, ...]:
    """The decoder on quantized latents; encoder and codebooks stay, so that FM and AR remain valid."""
    w = wishes
    words = ["--renders", str(w.data / TRAIN[-1]), "--held-out", str(w.data / HELD_OUT[-1])]
    words += ["--recordings", str(w.recordings)] if w.recordings.is_dir() else []
    minutes = 60 * spent(w.home / "codec") + w.turn
    return (
        "study.train.codec", *words, "--from-bundle", str(w.home / "bundle"),
        "--freeze-from", "0", "--quantizer-from", "0",
        "--out", str(w.home / "codec"), "--minutes", f"{minutes:.2f}", "--threads", "1",
    )  # fmt: skip


def dying_with_parent() -> None:
    """In a new process: lowest priority, and killed when the one that started it dies."""
    os.nice(19)
    with contextlib.suppress(OSError):  # Linux weighs sessions first: niceness alone counts within its own
        Path("/proc/self/autogroup").write_text("19")
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def perform(step: Step, home: Path) -> list[str]:
    """Run a step's processes side by side, logs in the home; returns what failed."""
    env = {**os.environ, "PYTHONUNBUFFERED": "1", "OMP_NUM_THREADS": "1", "TOKENIZERS_PARALLELISM": "false"}
    running = []
    for words in step.commands:
        with (home / f"{words[0].removeprefix('study.')}.log").open("ab") as log:
            running.append(
                subprocess.Popen(
                    [sys.executable, "-m", *words], cwd=ROOT, env=env, stdout=log, stderr=subprocess.STDOUT,
                    start_new_session=True, preexec_fn=dying_with_parent,
                )
            )  # fmt: skip
    (home / "groups.json").write_text(json.dumps([p.pid for p in running]))
    try:
        bad = [p.wait() != 0 for p in running]
    finally:
        for p in running:
            end_group(p.pid)
    names = step.name.split(" and ")  # of networks side by side; what shares one name fails as one
    if len(names) == len(bad):
        return [name for name, one in zip(names, bad, strict=True) if one]
    return [step.name] if any(bad) else []


def end_group(pid: int) -> None:
    """End what is left of a process group: a pool's workers outlive the one that made them."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, signal.SIGKILL)


def end_leftovers(home: Path) -> None:
    """End the groups that an instance left that was killed; only those that still are the study's."""
    path = home / "groups.json"
    for pid in json.loads(path.read_text()) if path.exists() else []:
        for stat in Path("/proc").glob("[0-9]*/stat"):
            try:
                words = (stat.parent / "cmdline").read_bytes()
                group = int(stat.read_text().rsplit(")", 1)[1].split()[2])
            except (OSError, IndexError, ValueError):
                continue
            if group == pid and b"study." in words:
                end_group(pid)
    path.unlink(missing_ok=True)


def note(home: Path, **what: object) -> None:
    """Keep what is going on in the home, for --status."""
    part = home / "status.part"
    part.write_text(json.dumps({"pid": os.getpid(), "at": time.time(), **what}))
    part.replace(home / "status.json")


def status(wishes: Wishes) -> str:
    """One line: what is going on, how much data there is, what the networks have had and reached."""
    home, path = wishes.home, wishes.home / "status.json"
    if not path.exists():
        return f"{home}: never started"
    said = json.loads(path.read_text())
    alive = _locked(home)
    doing = f"{said['doing']} since {(time.time() - said['at']) / 60:.0f} min" if alive else "not running"
    data = [wishes.data / name for name in TRAIN]
    parts = [f"{sum(map(hours, data)):.1f} h rendered, {sum(hours(f, 'codes') for f in data):.1f} encoded"]
    for name in ("fm", "ar", "codec"):
        rows = read(home / name / "curves.csv")
        if rows:
            key = "given" if "given" in rows[-1] else "spec"
            first, last = (next((r[key] for r in each if r.get(key)), "?") for each in (rows, rows[::-1]))
            parts.append(
                f"{name} {spent(home / name):.1f} h, {rows[-1]['step']} steps, {key} {first} -> {last}"
            )
    return "; ".join([doing, *parts])


def _locked(home: Path) -> bool:
    try:
        with FileLock(home / "lock", timeout=0):
            return False
    except Timeout:
        return True


def work(wishes: Wishes, once: bool = False) -> None:
    """For ever, or one step."""
    home, failed = wishes.home, dict[str, float]()
    end_leftovers(home)
    if not (home / "bundle").exists():  # kept, so that what was encoded with it stays valid
        shutil.copytree(wishes.bundle, home / "bundle.part", dirs_exist_ok=True)
        (home / "bundle.part").rename(home / "bundle")
    while True:
        step = following(wishes, [name for name, when in failed.items() if time.time() - when < RETRY])
        note(home, doing=step.name, wishes={k: str(v) for k, v in asdict(wishes).items()})
        if step.name == "wait":
            time.sleep(1.0 if once else 60.0)
        else:
            for name in perform(step, home):
                print(f"{name}: failed, see the logs in {home}; again in {RETRY / 60:.0f} min", flush=True)
                failed[name] = time.time()
        draw({name: home / name / "curves.csv" for name in ("fm", "ar")}, home / "curves.png")
        draw({"codec": home / "codec" / "curves.csv"}, home / "codec.png")
        if once:
            return


def main() -> None:
    """Go on, or say how it goes."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument(
        "--home", type=Path, default=HOME, help="default $INLAY_STUDY or ~/.cache/inlay/study"
    )
    parser.add_argument(
        "--data", type=Path, help="folder of train, train_pairs, held_out, ...; default HOME/data"
    )
    parser.add_argument("--bundle", type=Path, default=ROOT / "assets" / "bundle", help="what it begins with")
    parser.add_argument("--cores", type=int, choices=(1, 2), default=1)
    parser.add_argument("--hours", type=float, default=Wishes.hours, help="of renders")
    parser.add_argument("--held-out", type=float, default=Wishes.held_out, help="hours of held-out renders")
    parser.add_argument("--turn", type=float, default=Wishes.turn, help="minutes")
    parser.add_argument(
        "--horizon",
        type=float,
        default=Wishes.horizon,
        help="hours of a network; bring it near to let the rate fall",
    )
    parser.add_argument(
        "--hold", type=float, default=Wishes.hold, help="share of the horizon at the full rate"
    )
    parser.add_argument("--codec", type=float, default=Wishes.codec, help="hours of the codec")
    parser.add_argument("--recordings", type=Path, default=Wishes.recordings)
    parser.add_argument("--once", action="store_true", help="one step, then stop")
    parser.add_argument("--status", action="store_true", help="say in one line how it goes")
    args, more = parser.parse_known_args()
    home = args.home.expanduser().resolve()
    wishes = Wishes(
        home, (args.data or home / "data").resolve(), args.bundle.resolve(),
        args.cores, args.hours, args.held_out,
        args.turn, args.horizon, args.hold, args.codec, args.recordings, tuple(more),
    )  # fmt: skip
    if args.status:
        print(status(wishes))
        return
    home.mkdir(parents=True, exist_ok=True)
    missing = wishes.hours - sum(hours(wishes.data / name) for name in TRAIN)
    if missing * GB_AN_HOUR * 1e9 > shutil.disk_usage(home).free:
        raise SystemExit(
            f"--hours {args.hours:g}: {missing * GB_AN_HOUR:.0f} GB are needed in {home}; ask for fewer"
        )
    try:
        with FileLock(home / "lock", timeout=0):
            work(wishes, args.once)
    except Timeout:
        raise SystemExit(f"{home}: another one is at work there; --status says how it goes") from None


if __name__ == "__main__":
    main()
