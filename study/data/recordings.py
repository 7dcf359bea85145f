"""Real recordings under free licences, out of Debian packages: `python -m study.data.recordings --help`.

The table recordings.csv names every file with its artist, licence and source. The command downloads the
packages (apt-get download; nothing is installed), checks that each package's copyright file still names the
licence, and writes one int16 array [N] (mono, 32 kHz) a file into OUT/train and OUT/held_out; whole
packages are held out, so nothing heard in training is heard again in a test. What is there already is kept.
"""

from __future__ import annotations

import argparse
import csv
import fnmatch
import io
import json
import random
import re
import shutil
import subprocess
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import librosa
import numpy as np
import soundfile
from numpy.typing import NDArray

from engines.analysis import analyze as analysis
from engines.analysis.analyze import ChordLine
from engines.requests import Chord, InputError
from study.data.captions import MOOD_WORDS, STYLE_WORDS, SYNONYMS, tempo_word
from study.data.render import CAPTIONS

Audio = NDArray[np.float32]
RATE = 32_000
TABLE = Path(__file__).with_name("recordings.csv")
PERMITTED = re.compile(r"CC0-1\.0|CC-BY-\d\.\d|CC-BY-SA-\d\.\d|public domain")
QUIET = 10 ** (-55 / 20)  # RMS below which a file counts as silent
SECONDS, MARGIN = 12.0, 2.0  # of a labelled clip; heard around it when its chords are read
SHARD = 100  # clips a file
AUDIBLE_RMS = 10 ** (-40 / 20)  # of a clip
HOP, PULSE = 512, 0.3  # tempogram: samples a frame; mean autocorrelation at the beat that counts as a pulse
PROCESSING = {"samples", "stems"}  # tags that say how a row is read
AUDIBLE_DB = 50.0  # leading and trailing sound this far below the peak is trimmed


@dataclass(frozen=True)
class Recording:
    """One row of the table: a piece of music, or a glob over samples that become one array."""

    package: str  # Debian package
    file: str  # path or glob inside the package; `archive.zip!glob` looks inside an archive
    title: str
    artist: str
    licence: str  # SPDX name, or "public domain"
    source: str  # where the licence is stated
    split: str  # train or held_out
    tags: tuple[
        str, ...
    ]  # instruments, genre and mood words; "samples": single sounds joined; "stems": mixed

    @property
    def array(self) -> str:
        """File name of the decoded array, without folder."""
        path = Path(self.file.rpartition("!")[2]).with_suffix("")
        name = path.name if path.name != "*" else path.parent.name
        stem = re.sub(r"[^A-Za-z0-9]+", "-", name).strip("-")
        return f"{self.package}__{stem}.npy"


def permitted(licence: str) -> bool:
    """Whether models trained on such work may be published as CC-BY-SA: no GPL, no NC, no ND."""
    return PERMITTED.fullmatch(licence) is not None


def table(path: Path = TABLE) -> tuple[Recording, ...]:
    """All rows; raises InputError for a licence or split that is not known."""
    rows = []
    with path.open(newline="", encoding="utf-8") as lines:
        for number, row in enumerate(csv.DictReader(lines), 2):
            tags = tuple(t.strip() for t in row.pop("tags").split(";") if t.strip())
            recording = Recording(**row, tags=tags)
            if not permitted(recording.licence):
                raise InputError(
                    f"{path.name} line {number}: licence {recording.licence!r}; expected CC0-1.0, CC-BY-x.y, "
                    "CC-BY-SA-x.y or public domain. Leave the file out, or correct its licence."
                )
            if recording.split not in ("train", "held_out"):
                raise InputError(
                    f"{path.name} line {number}: split {recording.split!r}; expected train or held_out."
                )
            rows.append(recording)
    return tuple(rows)


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


def attributions(recordings: Iterable[Recording] | None = None) -> str:
    """Who made what, under which licence: markdown, a line per package and artist, for a model card."""
    groups: dict[tuple[str, str, str, str], list[str]] = {}
    for r in table() if recordings is None else recordings:
        groups.setdefault((r.package, r.artist, r.licence, r.source), []).append(r.title)
    lines = []
    for (package, artist, licence, source), titles in sorted(groups.items()):
        named = f"{len(titles)} works" if len(titles) > 8 else ", ".join(dict.fromkeys(titles))
        lines.append(f"- {artist}: {named} ({licence}; Debian package [{package}]({source}))")
    return "\n".join(lines) + "\n"


def wordings(recording: Recording, bpm: float | None, seed: int) -> list[str]:
    """CAPTIONS captions from a row's tags and a measured tempo; titles do not count. Deterministic."""
    r = random.Random(seed)
    named: tuple[dict[str, tuple[str, ...]], ...] = (MOOD_WORDS, STYLE_WORDS, SYNONYMS)
    out: list[str] = []
    for number in range(CAPTIONS):
        moods, styles, instruments = ([r.choice(d[t]) for t in recording.tags if t in d] for d in named)
        rest = [t for t in recording.tags if t not in PROCESSING and not any(t in d for d in named)]
        if bpm is not None and number % 2:
            moods.append(r.choice((tempo_word(bpm), f"about {bpm:.0f} bpm")))
        words = list(dict.fromkeys([*moods, *styles, *rest]))  # synonyms may meet
        r.shuffle(words)
        kept = words[: r.randint(2, 3)] or ["music"]
        if instruments:
            r.shuffle(instruments)
            played = instruments[: r.randint(1, 3)]
            kept.append(r.choice(("with {}", "{}", "played on {}")).format(" and ".join(played)))
            glue = " " if kept[-1].startswith(("with", "played")) else ", "
            out.append(", ".join(kept[:-1]) + glue + kept[-1])
        else:
            said = ", ".join(kept)
            out.append(said if said.endswith("music") else said + r.choice(("", " music", " piece")))
    return out


def tempo(audio: Audio) -> float | None:
    """Beats per minute of [N] at 32 kHz, or None where no pulse stands out of the tempogram."""
    onsets = librosa.onset.onset_strength(y=audio, sr=RATE, hop_length=HOP)
    onsets = onsets - onsets.mean()  # else noise correlates with itself at every lag
    gram = librosa.feature.tempogram(onset_envelope=onsets, sr=RATE, hop_length=HOP).mean(axis=1)  # [lags]
    positive = np.maximum(gram, 0)[:, None]
    bpm = float(librosa.feature.tempo(tg=positive, sr=RATE, hop_length=HOP)[0])
    lag = round(60 * RATE / HOP / bpm)
    return round(bpm, 1) if lag < len(gram) and gram[lag] > PULSE else None


def known_chords(line: ChordLine, start: float, seconds: float) -> list[Chord] | None:
    """The chords of a stretch on its own clock; None if less than half of it has a chord that was heard.

    Where nothing was heard no chord is given: `N` would claim that there is none.
    """
    out = [
        Chord(max(0.0, c.start - start), min(seconds, c.end - start), c.symbol)
        for c in line.chords
        if c.symbol != "N" and c.start < start + seconds and c.end > start
    ]
    return out if sum(c.end - c.start for c in out) >= seconds / 2 else None


def label(
    recording: Recording, start: float, chords: list[Chord] | None, bpm: float | None, seed: int
) -> dict[str, Any]:
    """What is known of a clip, in study.data.render's fields; null is unknown."""
    instruments = [t for t in recording.tags if t in SYNONYMS]
    return {
        "package": recording.package, "title": recording.title, "artist": recording.artist,
        "licence": recording.licence, "start": start, "seed": seed, "soundfont": None,
        "style": next((t for t in recording.tags if t in STYLE_WORDS), None),
        "mood": next((t for t in recording.tags if t in MOOD_WORDS), None),
        "key": None, "bpm": bpm, "beats_per_bar": None, "lead": None, "instruments": instruments,
        "captions": wordings(recording, bpm, seed),
        "chords": None if chords is None else [asdict(c) for c in chords], "melody": None, "hits": None,
    }  # fmt: skip


def places(arrays: Iterable[tuple[Recording, NDArray[np.int16]]], count: int) -> list[tuple[Recording, int]]:
    """At most `count` clips as (recording, first sample), each recording's spread over its length.

    Recordings take turns, so that long ones do not crowd out short ones and a larger count only adds clips.
    Near-silent places are passed over.
    """
    size, queues = round(SECONDS * RATE), []
    for recording, audio in arrays:
        if "samples" in recording.tags:
            continue
        starts = list(range(0, len(audio) - size + 1, size))
        random.Random(recording.array).shuffle(starts)
        loud = [s for s in starts if np.sqrt(np.mean((audio[s : s + size] / 32767.0) ** 2)) > AUDIBLE_RMS]
        queues.append((recording, loud))
    chosen: list[tuple[Recording, int]] = []
    for turn in range(max((len(loud) for _, loud in queues), default=0)):
        chosen += [(recording, loud[turn]) for recording, loud in queues if turn < len(loud)]
    return chosen[:count]


def cut(recordings: Iterable[Recording], arrays: Path, out: Path, count: int) -> int:
    """Write shards of labelled clips, as study.data.render does: audio_000.npy, labels_000.json.

    Chords are read from the audio with MARGIN seconds around each clip. Needs Chordino; finished shards
    are kept. Returns the number of clips.
    """
    loaded = [(r, np.load(path, mmap_mode="r")) for r in recordings if (path := arrays / r.array).exists()]
    audio = {r.array: a for r, a in loaded}
    chosen = places(loaded, count)
    out.mkdir(parents=True, exist_ok=True)
    size, margin = round(SECONDS * RATE), round(MARGIN * RATE)
    for first in range(0, len(chosen), SHARD):
        shard = chosen[first : first + SHARD]
        target = out / f"labels_{first // SHARD:03d}.json"
        if target.exists():
            continue
        clips, labels = np.zeros((len(shard), size), np.int16), []
        for i, (recording, at) in enumerate(shard):
            source = audio[recording.array]
            clips[i] = source[at : at + size]
            begin = max(0, at - margin)
            around = np.asarray(source[begin : at + size + margin], np.float32) / 32767  # [M]
            heard = known_chords(analysis.chords(around, RATE), (at - begin) / RATE, SECONDS)
            labels.append(label(recording, at / RATE, heard, tempo(around), seed=first + i))
        np.save(out / f"audio_{first // SHARD:03d}.npy", clips)
        target.write_text(json.dumps(labels))
        print(f"{out}: {first + len(shard)}/{len(chosen)} clips", flush=True)
    return len(chosen)


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
    split = {r.package: r.split for r in rows}
    lines = {p: {"hours": round(h, 3), "split": split[p]} for p, h in sorted(hours.items())}
    (args.out / "hours.json").write_text(json.dumps(lines, indent=1))
    for package, line in lines.items():
        print(f"{package:28s} {line['split']:9s} {line['hours']:.2f} h")


if __name__ == "__main__":
    main()
