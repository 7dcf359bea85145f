"""What travels to a bare machine, as one folder: `python -m study.sprint pack --out FOLDER`.

Code, wheels for CPython 3.12 on Linux x86-64, a SoundFont, score archives, the text encoder cut to the
captions' words, excerpts of recordings as Ogg Vorbis, and `pack.json`. What the tree weighs that travels
beside it is counted too, without the weights of the old bundle.
"""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import zipfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from study.sprint.vocabulary import cut_encoder, words

LIMIT = 64 << 20  # bytes that travel
ROOT = Path(__file__).resolve().parent.parent.parent
SOUNDFONT = Path("/usr/share/sounds/sf3/FluidR3Mono_GM.sf3")  # MIT, Debian's fluidr3mono-gm-soundfont
SCORES = ("groove-midi.tar.xz", "openewld.tar.xz")
WHEELS = ("tinysoundfont", "soxr", "soundfile", "cffi", "pretty_midi", "mido", "importlib_resources", "six")
PLATFORMS = ("manylinux_2_28", "manylinux_2_27", "manylinux_2_17", "manylinux2014", "manylinux1")
UNWANTED = "TimGM6mb.sf2"  # pretty_midi carries a SoundFont under the GPL that nothing here plays
RATE = 32_000
EXCERPT = 10.0  # seconds
SPARE = 1 << 19  # bytes left over
WEIGHTS = "assets/bundle/"  # moved aside while the tree travels


@dataclass(frozen=True)
class Content:
    """What goes into a pack."""

    scores: Path  # folder with the archives of SCORES
    soundfont: Path = SOUNDFONT
    wheels: Path | None = None  # folder of wheels to take instead of downloading them
    recordings: Path = Path("runs/recordings")
    recorded: float = 8e6  # bytes of recordings, at most; fewer where there is no room


def pack(out: Path, content: Content, tree: int = 0) -> dict[str, int]:
    """Write the folder anew, beside a tree of so many bytes; returns bytes by part.

    Raises SystemExit where a part is missing.
    """
    for path in (content.soundfont, *(content.scores / name for name in SCORES)):
        if not path.exists():
            raise SystemExit(
                f"{path}: not there; --soundfont: Debian's fluidr3mono-gm-soundfont, --scores: the archives"
            )
    shutil.rmtree(out, ignore_errors=True)
    out.mkdir(parents=True)
    _code(out / "code")
    _wheels(out / "wheels", content.wheels)
    shutil.copy(content.soundfont, out / "soundfont.sf3")
    (out / "scores").mkdir()
    for name in SCORES:
        shutil.copy(content.scores / name, out / "scores" / name)
    cut_encoder(out / "site", words())
    recorded = max(0.0, min(content.recorded, LIMIT - _weight(out) - tree - SPARE))
    for part, share in (("train", 0.8), ("held_out", 0.2)):
        _recordings(content.recordings / part, out / "recordings" / part, share * recorded)
    sizes = {p.name: _weight(p) for p in sorted(out.iterdir())}
    (out / "pack.json").write_text(json.dumps(sizes, indent=1))
    return sizes


def refuse_too_heavy(sizes: dict[str, int], tree: int) -> None:
    """Raise SystemExit where a pack and the tree beside it are more than may travel."""
    total = sum(sizes.values()) + tree
    if total > LIMIT:
        raise SystemExit(
            f"{total / 2**20:.1f} MiB would travel, {LIMIT >> 20} may: {tree / 2**20:.1f} of them the tree; "
            "give --recorded 0, or move large files out of the checkout"
        )


def tree_weight(root: Path = ROOT) -> int:
    """Bytes of a checkout's files that travel, but for the old bundle's weights; 0 where it is none."""
    done = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=root,
        capture_output=True,
        text=True,
    )
    names = [
        n for n in done.stdout.split("\0") if n and not (n.startswith(WEIGHTS) and n.endswith(".safetensors"))
    ]
    return sum((root / n).lstat().st_size for n in names if (root / n).exists())


def _weight(path: Path) -> int:
    return (
        sum(p.stat().st_size for p in path.rglob("*") if p.is_file())
        if path.is_dir()
        else path.stat().st_size
    )


def _code(out: Path) -> None:
    for folder in ("engines", "study"):
        for path in sorted((ROOT / folder).rglob("*")):
            if path.suffix in (".py", ".csv"):
                target = out / path.relative_to(ROOT)
                target.parent.mkdir(parents=True, exist_ok=True)
                shutil.copy(path, target)
    shutil.copy(ROOT / "pyproject.toml", out / "pyproject.toml")


def _wheels(out: Path, kept: Path | None) -> None:
    """Download the wheels, or copy them from a folder; the SoundFont in one of them stays behind."""
    out.mkdir()
    if kept is None:
        platforms = [word for p in PLATFORMS for word in ("--platform", f"{p}_x86_64")]
        asked = ["--no-deps", "--only-binary=:all:", "--python-version", "3.12", "--implementation", "cp"]
        command = [sys.executable, "-m", "pip", "download", "-q", *asked, *platforms, "-d", str(out), *WHEELS]
        if subprocess.run(command).returncode:
            raise SystemExit(
                "the wheels could not be downloaded; give --wheels FOLDER with " + ", ".join(WHEELS)
            )
    else:
        for wheel in kept.glob("*.whl"):
            shutil.copy(wheel, out / wheel.name)
    for name in WHEELS:
        if not any(w.name.lower().startswith(name + "-") for w in out.glob("*.whl")):
            raise SystemExit(f"{name}: no wheel in {kept or out}; python -m pip download it for Python 3.12")
    for wheel in out.glob("*.whl"):
        _without(wheel, UNWANTED)


def _without(wheel: Path, name: str) -> None:
    """Rewrite a wheel that holds a file of that name without it, and without its line in RECORD."""
    with zipfile.ZipFile(wheel) as archive:
        infos = archive.infolist()
        if not any(i.filename.endswith(name) for i in infos):
            return
        held = {i.filename: archive.read(i) for i in infos if not i.filename.endswith(name)}
    with zipfile.ZipFile(wheel, "w", zipfile.ZIP_DEFLATED) as archive:
        for path, data in held.items():
            if path.endswith("RECORD"):
                data = b"".join(line for line in data.splitlines(True) if name.encode() not in line)
            archive.writestr(path, data)


def _recordings(source: Path, out: Path, budget: float) -> None:
    """Excerpts of recordings, a folder of int16 [N], in turn as Ogg Vorbis, `budget` bytes in all."""
    files = sorted(source.glob("*.npy")) if source.is_dir() else []
    size, spent, at = round(EXCERPT * RATE), 0.0, 0
    rng = np.random.default_rng(0)
    if files and budget > 0:
        out.mkdir(parents=True)
    while files and spent < budget and at < 5000:
        whole = np.load(files[at % len(files)], mmap_mode="r")
        at += 1
        if len(whole) < size:
            continue
        start = int(rng.integers(0, len(whole) - size + 1))
        excerpt = whole[start : start + size].astype(np.float32) / 32767
        if float(np.sqrt(np.mean(excerpt**2))) < 0.005:
            continue
        path = out / f"{at:04d}.ogg"
        soundfile.write(path, excerpt, RATE, format="OGG", subtype="VORBIS")
        spent += path.stat().st_size
