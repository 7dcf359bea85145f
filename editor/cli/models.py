"""`inlay models`: what there is, and getting, adding, removing and showing one. Sizes are bytes.

Nothing is fetched before what it may be used for, how large it is and where it goes were said and agreed to.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from editor.cli.progress import ProgressLine, say
from editor.cli.report import fact_lines
from engines.checkpoints import hub, placed
from engines.checkpoints.catalogue import Entry, entry_of
from engines.checkpoints.hub import Wanted, size_words
from engines.checkpoints.library import endpoint
from engines.checkpoints.stock import OWN, Row, row_of, stock
from engines.errors import InputError

_STATES = {"here": "here", "damaged": "damaged", "unusable": "here, not usable", "to get": "to get"}
_AGREED = "not commercial"  # what is typed before a model with such a licence is got


def table(arguments: argparse.Namespace) -> str:
    """All models, a line each, or JSON."""
    rows = stock()
    if arguments.json:
        return json.dumps({"models": [_json(row) for row in rows]}, allow_nan=False)
    cells = [("name", "licence", "size", "what it can", "state"), *map(_cells, rows)]
    widths = [max(len(cell) for cell in column) for column in zip(*cells, strict=True)]
    lines = [
        "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip()
        for row in cells
    ]
    return "\n".join((*lines, "Get one with: inlay models get NAME"))


def get(arguments: argparse.Namespace) -> str:
    """Download a public model, after a yes. InputError for all that stands in the way, with a remedy."""
    entry = entry_of(arguments.name)
    row = row_of(entry.name)
    if row.state == "here" or (row.state == "unusable" and row.mend != "get"):
        return _answer(arguments, row, f"{entry.name} is here already, in {row.folder}")
    wanted = hub.ask(entry)
    hub.check_disk(wanted)
    if not arguments.yes:
        _agree(entry, wanted)
    progress = ProgressLine(sys.stderr)
    try:
        hub.get(entry, progress, wanted=wanted)
    except KeyboardInterrupt:
        progress.close()
        say(f"{size_words(placed.kept(entry))} are kept; inlay models get {entry.name} goes on from there")
        raise
    finally:
        progress.close()
    row = row_of(entry.name)
    return _answer(
        arguments, row, f"{entry.name} is here, {size_words(row.size)}, in {row.folder}{_but(row)}"
    )


def add(arguments: argparse.Namespace) -> str:
    """Link a checkpoint of the user's to the shelf. InputError where it is none."""
    added = placed.add(Path(arguments.folder), arguments.name)
    row = row_of(added.name)
    words = f"{added.name} is there, {size_words(row.size)}, linked to {added.source}; licence: "
    return _answer(arguments, row, words + (row.licence or "not stated"))


def remove(arguments: argparse.Namespace) -> str:
    """Free the space of a model. InputError where there is none of that name, or it comes with Inlay."""
    if arguments.name == OWN:
        raise InputError(
            f"model {OWN!r}: it comes with Inlay and stays; only models that were got are removed"
        )
    own = placed.placed_of(arguments.name)
    freed = placed.remove(arguments.name)
    if arguments.json:
        return json.dumps({"name": arguments.name, "freed": freed}, allow_nan=False)
    if own is not None and own.source:
        return f"{arguments.name} is off the list; its files stay in {own.source}"
    return f"{arguments.name} is removed; {size_words(freed)} are free now"


def show(arguments: argparse.Namespace) -> str:
    """What a model is, takes and may be used for, as lines or JSON. InputError for an unknown name."""
    row = row_of(arguments.name)
    if arguments.json:
        return json.dumps(_json(row), allow_nan=False)
    facts = {
        "name": row.name,
        "title": f"{row.title} ({row.maker})" if row.maker else row.title,
        "licence": _licence(row),
        "engines": list(row.engines),
        "can": list(row.can),
        "takes": ["words", *row.takes],
        "sound": row.sound,
        "size": _size(row),
        "state": _state(row),
        "problem": row.why,
        "remedy": row.remedy,
        "folder": row.folder,
        "linked_to": row.source,
    }
    return "\n".join(fact_lines({key: value for key, value in facts.items() if value}))


def _agree(entry: Entry, wanted: Wanted) -> None:
    """Say what is got and what for, and have it agreed to; InputError where it is not."""
    licence = entry.licence
    say(f"{entry.title} by {entry.maker}. {licence.words}: {licence.name}, {licence.link}")
    say(" ".join(filter(None, (licence.forbids, licence.allows))))
    more = f", of which {size_words(wanted.kept)} are there" if wanted.kept else ""
    say(f"{size_words(wanted.total)} from {endpoint()}{more}, kept in {wanted.cache}; "
        f"{size_words(wanted.free)} are free there")  # fmt: skip
    if not sys.stdin.isatty():
        raise InputError(f"{entry.name}: nobody can be asked here; add --yes if you agree to this")
    asked = "Get it? [y/N] " if licence.commercial else f"Type '{_AGREED}' to get it: "
    right = ("y", "yes") if licence.commercial else (_AGREED,)
    print(asked, end="", file=sys.stderr, flush=True)
    if sys.stdin.readline().strip().lower() not in right:
        raise InputError(f"{entry.name}: not agreed to, so nothing was fetched")


def _answer(arguments: argparse.Namespace, row: Row, words: str) -> str:
    return json.dumps(_json(row), allow_nan=False) if arguments.json else words


def _json(row: Row) -> dict[str, object]:
    return row.to_json() | {"in_use": row.name == OWN}


def _cells(row: Row) -> tuple[str, str, str, str, str]:
    can = f"{'/'.join(_TAGS.get(engine, engine) for engine in row.engines)}: {row.words}"
    return row.name, row.licence_words, _size(row), can if row.engines else row.why[:60], _state(row)


_TAGS = {"ar": "AR", "fm": "FM", "fm-zero-shot": "ZS"}


def _size(row: Row) -> str:
    return f"{'about ' if row.about else ''}{size_words(row.size)}"


def _state(row: Row) -> str:
    if row.name == OWN:
        return "in use"
    return f"to get, {size_words(row.kept)} kept" if row.state == "part" else _STATES[row.state]


def _licence(row: Row) -> str:
    return ", ".join(filter(None, (row.licence_words, row.licence, row.licence_link)))


def _but(row: Row) -> str:
    return f"; but: {row.why}" if row.why else f"; use it with --bundle {row.name}"
