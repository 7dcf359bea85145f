"""The catalogue of recordings: every file with its artist, licence and source (recordings.csv).

Only licences under which trained weights may be published. Does not know how files come here
(`recordings.py`).
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from engines.errors import InputError

TABLE = Path(__file__).with_name("recordings.csv")
PERMITTED = re.compile(r"CC0-1\.0|CC-BY-\d\.\d|CC-BY-SA-\d\.\d|public domain")
PROCESSING = {"samples", "stems"}  # tags that say how a row is read


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
    tags: tuple[str, ...]  # instruments, genre, mood; "samples": single sounds joined; "stems": mixed

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
