"""A few seconds of every script under fire, and what their README says of them."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
QUICK = {  # script: what makes it quick; each is a process of its own, as by hand
    "beside": ["--count", "4", "--edits", "3"],
    "crowd": ["--count", "4", "--seconds", "6"],
    "hostile": ["--count", "120"],
    "kills": ["--count", "4"],
    "full_disk": ["--count", "3"],
    "tabs": ["--count", "6", "--edits", "2"],
}
SECONDS = 300  # that one may take, on a machine that is busy
ELSEWHERE = {"foreign", "users"}  # are among the browser's tests already


def scripts() -> set[str]:
    """Files that are commands."""
    return {path.stem for path in HERE.glob("*.py") if '__name__ == "__main__"' in path.read_text()}


@pytest.mark.slow
@pytest.mark.parametrize("name", QUICK)
def test_under_fire_nothing_breaks(name: str) -> None:
    command = [sys.executable, "-m", f"tests.fire.{name}", *QUICK[name]]
    done = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, timeout=SECONDS)
    assert done.returncode == 0, f"{done.stdout[-4000:]}\n{done.stderr[-4000:]}"
    assert re.fullmatch(r"[a-z]+[^\n]+ 0 broken[^\n]*", done.stdout.strip().splitlines()[-1])


def test_every_script_has_a_quick_version() -> None:
    assert {name for name in scripts() if name != "test_fire"} == set(QUICK) | ELSEWHERE


def test_each_file_is_described() -> None:
    listed = dict(re.findall(r"^- `([^`]+)`: (.+)$", (HERE / "README.md").read_text(), re.M))
    told = {
        path.name: (ast.get_docstring(ast.parse(path.read_text())) or "").split("\n")[0]
        for path in HERE.glob("*.py")
    }
    assert listed == told
