"""What is not loaded before it is needed: commands answer, and a page is served, before torch is there."""

from __future__ import annotations

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from tests.test_rules import imported_roots

ROOT = Path(__file__).resolve().parent.parent
LATE = {
    "torch",
    "transformers",
    "librosa",
    "numba",
    "sklearn",
    "scipy.signal",
    "scipy.stats",
    "pandas",
    "gradio",
}
SCIPY = ("scipy.signal", "scipy.stats")
PAGE = LATE - {"gradio", "pandas"}  # Gradio takes pandas
CASES = {  # what is done -> what must not have been loaded by it
    "import editor.cli.main": LATE,
    "from editor.cli.main import main; assert main(['bundle', '--json']) == 0": LATE,
    "from editor.page.server import build_app; build_app(device='cpu')": PAGE,
    "from editor.runs.device import Device; Device('bundle', 'cpu').warm()": LATE - {"torch", *SCIPY},
    "from engines.analysis import analyze, chords, drums, features, instruments, sections": LATE
    - {"torch", *SCIPY},
}


@pytest.mark.parametrize("script", CASES)
def test_it_loads_only_what_it_needs(script: str, tmp_path: Path) -> None:
    check = f"\nimport sys\nearly = {CASES[script]!r} & {{*sys.modules}}\nassert not early, early\n"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script + check],
        cwd=ROOT, capture_output=True, text=True, env={"INLAY_HOME": str(tmp_path), "PATH": "/usr/bin"},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr


def test_gradio_writes_no_stubs() -> None:
    script = (
        "import editor.page\n"
        "import gradio.component_meta as meta\n"
        "from gradio.events import Events\n"
        "assert meta.create_or_modify_pyi.__module__ == 'editor.page.lean'\n"
        "import gradio as gr\n"
        "class Own(gr.HTML):\n"
        "    'A component of a class that stands in no file, which Gradio could not read.'\n"
        "with gr.Blocks() as app:\n"
        "    one = Own('a'); one.click(lambda: None)\n"
        "assert len(app.fns) == 1 and app.get_config_file()['components']\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", script], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr


def test_nothing_that_serves_takes_librosa() -> None:
    wrong = [
        str(path.relative_to(ROOT))
        for folder in ("editor", "engines")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if {"librosa", "numba", "sklearn"} & {root for root, _ in imported_roots(ast.parse(path.read_text()))}
    ]
    assert not wrong
