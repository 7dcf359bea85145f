"""Real recordings under free licences, out of Debian packages: `python -m study.data.recordings --help`.

The table recordings.csv names every file with its artist, licence and source. The command downloads the
packages (apt-get download; nothing is installed), checks that each package's copyright file still names the
licence, and writes one int16 array [N] (mono, 32 kHz) a file into OUT/train and OUT/held_out; whole
packages are held out, so nothing heard in training is heard again in a test. What is there already is kept.
"""

from __future__ import annotations

import argparse
import fnmatch
import io
import json
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterable
from pathlib import Path

import librosa
import numpy as np
import soundfile
from numpy.typing import NDArray

from engines.errors import InputError
from study.data.catalogue import TABLE, Recording, table
from study.data.excerpts import cut
from study.data.mix import RATE

Audio = NDArray[np.float32]
QUIET = 10 ** (-55 / 20)  # RMS below which a file counts as silent
AUDIBLE_DB = 50.0  # leading and trailing sound this far below the peak is trimmed


def fetch(package: str, files: Iterable[str], folder: Path) -> Path:
    """The given files of a Debian package, unpacked into folder/package if that is not there.

    Raises InputError where the tools are missing, the download fails or the disk is full.
    """
    unpacked = folder / package
    if unpacked.exists():
        return unpacked
    missing = [tool for tool in ("apt-get", "dpkg-deb", "tar") if shutil.which(tool) is None]
    if missing:
        raise InputError(
            f"{missing[0]} is missing: the recordings come as Debian packages. Run this on Debian or Ubuntu "
            f"(or in a container of it), or unpack {package} into {unpacked} by hand (`ar x`, `tar xf`)."
        )
    folder.mkdir(parents=True, exist_ok=True)
    if not list(folder.glob(f"{package}_*.deb")):
        done = subprocess.run(["apt-get", "download", package], cwd=folder, capture_output=True, text=True)
        if done.returncode:
            raise InputError(
                f"apt-get download {package}: {done.stderr.strip() or 'failed'}. Run `apt-get update`, check "
                "the network and the free disk space, then the same command again: it resumes."
            )
    part = folder / f"{package}.part"
    shutil.rmtree(part, ignore_errors=True)
    part.mkdir()
    deb = sorted(folder.glob(f"{package}_*.deb"))[-1]
    wanted = sorted({f"./{name.partition('!')[0]}" for name in files} | {"./usr/share/doc/*/copyright"})
    with subprocess.Popen(["dpkg-deb", "--fsys-tarfile", str(deb)], stdout=subprocess.PIPE) as archive:
        unpacking = subprocess.run(
            ["tar", "-x", "-C", str(part), "--wildcards", *wanted],
            stdin=archive.stdout, capture_output=True, text=True,
        )  # fmt: skip
    if unpacking.returncode or archive.returncode:
        raise InputError(
            f"{deb.name} does not unpack: {unpacking.stderr.strip() or 'dpkg-deb failed'}. The disk is full, "
            f"the download broken (delete {deb}), or this version has other files than the table."
        )
    part.rename(unpacked)
    deb.unlink()
    return unpacked


def check_licence(recording: Recording, unpacked: Path) -> None:
    """Raise InputError if the package's copyright file no longer names the licence of the table."""
    texts = [p.read_text(errors="replace") for p in unpacked.glob("usr/share/doc/*/copyright")]
    name = re.sub(r"-\d\.\d$", "", recording.licence).lower()
    spellings = {name, name.replace("-", " "), name.replace("cc-", "creative commons ")}
    if name == "cc-by":
        spellings.add("attribution")
    if name == "cc-by-sa":
        spellings |= {"sharealike", "share alike"}
    if name == "public domain":
        spellings |= {"public-domain", "license: pd"}
    if not any(s in text.lower() for text in texts for s in spellings):
        raise InputError(
            f"{recording.package}: its copyright file no longer names {recording.licence} for "
            f"{recording.file}. Read it and correct {TABLE.name}, or remove the row."
        )


def sounds(unpacked: Path, file: str) -> list[Path | io.BytesIO]:
    """What a row's file names: paths, or members of a zip archive; empty if there is none."""
    outer, _, inner = file.partition("!")
    paths = sorted(unpacked.glob(outer))
    if not inner:
        return list(paths)
    found: list[Path | io.BytesIO] = []
    for path in paths:
        with zipfile.ZipFile(path) as archive:
            found += [
                io.BytesIO(archive.read(name))
                for name in sorted(archive.namelist())
                if fnmatch.fnmatchcase(name, inner)
            ]
    return found


def decode(sound: Path | io.BytesIO) -> Audio:
    """Mono float32 [N] at 32 kHz, at the recorded level; InputError for what is no audio."""
    try:
        y, rate = soundfile.read(sound, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise InputError(
            f"{sound}: not readable as audio ({error}). Delete its package folder, run again."
        ) from error
    mono = y.mean(axis=1)  # [N, C] -> [N]
    out: Audio = librosa.resample(
        mono, orig_sr=rate, target_sr=RATE, res_type="soxr_hq"
    )  # [N] -> [32000 N / rate]
    return out


def trimmed(y: Audio) -> Audio:
    """Without silence at both ends; empty if all of it is silent. [N] -> [M]."""
    if not len(y) or np.sqrt(np.mean(y**2)) < QUIET:
        return y[:0]
    kept: Audio = librosa.effects.trim(y, top_db=AUDIBLE_DB)[0]
    return kept


def joined(recording: Recording, unpacked: Path) -> NDArray[np.int16]:
    """One row as int16 [N]: its files one after the other, or mixed where they are stems."""
    parts = [decode(s) for s in sounds(unpacked, recording.file)]
    if not parts:
        raise InputError(
            f"{recording.package}: no file {recording.file}; this version of the package differs from the "
            f"table. Correct {TABLE.name}, or delete {unpacked} to unpack it anew."
        )
    if "stems" in recording.tags:
        mix = np.zeros(max(map(len, parts)), np.float32)
        for part in parts:
            mix[: len(part)] += part
        parts = [mix / max(1.0, float(np.abs(mix).max()))]
    whole = np.concatenate([trimmed(part) for part in parts])
    return np.asarray(np.round(np.clip(whole, -1, 1) * 32767), np.int16)


def write(recordings: Iterable[Recording], packages: Path, out: Path) -> dict[str, float]:
    """Decode into out/<split>/<array>; returns the hours of each package. Keeps what is there."""
    hours: dict[str, float] = {}
    rows = tuple(recordings)
    for recording in rows:
        target = out / recording.split / recording.array
        if not target.exists():
            files = [r.file for r in rows if r.package == recording.package]
            unpacked = fetch(recording.package, files, packages)
            check_licence(recording, unpacked)
            audio = joined(recording, unpacked)
            if not len(audio):
                print(f"{recording.array}: silent, left out", flush=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            part = target.with_suffix(".part")
            with part.open("wb") as stream:
                np.save(stream, audio)
            part.rename(target)
            print(target, flush=True)
        seconds = len(np.load(target, mmap_mode="r")) / RATE
        hours[recording.package] = hours.get(recording.package, 0.0) + seconds / 3600
    return hours


def main() -> None:
    """Download, check, decode."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path, default=Path("runs/recordings"))
    parser.add_argument("--packages", type=Path, default=Path("runs/packages"), help="where packages unpack")
    parser.add_argument("--only", help="one package")
    parser.add_argument(
        "--clips", type=Path, help="then cut labelled clips into this folder's real, real_held_out"
    )
    parser.add_argument("--count", type=int, nargs=2, default=(900, 60), help="clips: training, held out")
    args = parser.parse_args()
    rows = [r for r in table() if args.only in (None, r.package)]
    if not rows:
        raise SystemExit(
            f"--only {args.only}: not in {TABLE.name}; it has {sorted({r.package for r in table()})}"
        )
    try:
        hours = write(rows, args.packages, args.out)
        if args.clips:
            for split, name, count in zip(
                ("train", "held_out"), ("real", "real_held_out"), args.count, strict=True
            ):
                cut([r for r in rows if r.split == split], args.out / split, args.clips / name, count)
    except InputError as error:
        raise SystemExit(str(error)) from error
    splits = {r.package: r.split for r in rows}
    lines = {p: {"hours": round(h, 3), "split": splits[p]} for p, h in sorted(hours.items())}
    (args.out / "hours.json").write_text(json.dumps(lines, indent=1))
    for package, spent in sorted(hours.items()):
        print(f"{package:28s} {splits[package]:9s} {spent:.2f} h")


if __name__ == "__main__":
    main()
