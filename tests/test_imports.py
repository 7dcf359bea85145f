"""What is not loaded before it is needed: commands answer, and a page is served, before torch is there."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_rules import imported_roots

ROOT = Path(__file__).resolve().parent.parent
STUDY = {"librosa", "numba", "sklearn", "transformers"}  # what nothing that serves needs at all
LATE = STUDY | {"torch", "scipy.signal", "scipy.stats"}
OPTIONAL = {"families": {"transformers"}}  # room -> what is imported when a public checkpoint is opened
CASES = {  # what is done -> what must not have been loaded by it
    "from editor.cli.main import main; assert main(['bundle', '--json']) == 0": {*LATE, "gradio", "pandas"},
    "from editor.page.server import build_app; build_app(device='cpu')\n"
    # and Gradio has written no stubs
    "import gradio.component_meta as meta\n"
    "assert meta.create_or_modify_pyi.__module__ == 'editor.lean'": LATE,
    "from editor.runs.device import Device; Device('bundle', 'cpu').warm()\n"
    "from engines.analysis import analyze, chords, drums, features, instruments, sections": STUDY,
}


@pytest.mark.parametrize("script", CASES)
def test_it_loads_only_what_it_needs(script: str, tmp_path: Path) -> None:
    check = f"\nimport sys\nearly = {CASES[script]!r} & {{*sys.modules}}\nassert not early, early\n"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script + check],
        cwd=ROOT, capture_output=True, text=True, env={"INLAY_HOME": str(tmp_path), "PATH": "/usr/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_what_serves_names_nothing_of_the_studys() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for folder in ("editor", "engines")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if (STUDY - OPTIONAL.get(path.parent.name, set()))
        & {root for root, _ in imported_roots(ast.parse(path.read_text()))}
    ]
    assert not wrong
