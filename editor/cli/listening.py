"""`inlay study`: a listening study of a folder of edits: serve it to listeners, and what they answered."""

from __future__ import annotations

import argparse
import json
from dataclasses import asdict
from pathlib import Path

from engines.errors import InputError


def serve(arguments: argparse.Namespace) -> None:
    """Hand out pairs on the loopback until it is stopped. InputError for a folder without pairs."""
    from editor.listening import room

    room.serve(Path(arguments.folder), arguments.port)


def results(arguments: argparse.Namespace) -> str:
    """Means, intervals and tests of all answers; `results/table.csv` has them in the paper's form."""
    from editor.listening import answers
    from editor.listening import results as found

    folder = Path(arguments.folder)
    if not (folder / "answers").is_dir():
        raise InputError(
            f"{folder.name}: no answers there; collect some first: inlay study serve --folder {folder}"
        )
    ratings = answers.Answers(folder / "answers").every()
    if not ratings:
        raise InputError(f"{folder.name}: nobody has rated a pair yet; results need one at least")
    told = found.results(ratings)
    out = folder / "results"
    out.mkdir(exist_ok=True)
    (out / "table.csv").write_text(found.table(told))
    (out / "results.json").write_text(json.dumps(asdict(told), indent=1) + "\n")
    if arguments.json:
        return json.dumps(asdict(told) | {"table": str(out / "table.csv")}, allow_nan=False)
    return f"{found.said(told)}\nTable 5's form: {out / 'table.csv'}"
